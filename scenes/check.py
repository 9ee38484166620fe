"""Proves that the toy scenes play what their choreography says, in whichever Blender runs this.

``blender --background --factory-startup --python-exit-code 1 --python scenes/check.py -- [NAME...]`` or, with the
``bpy`` module, ``python scenes/check.py [NAME...]``.  Exit status 1 and a line each for what differs.

Everything is read from the evaluated scene: matrices, cameras, deformed vertices, instances, what is visible and where
the topology changes.  The viewport's switches are first set to the renderer's, for only the viewport's scene can be
evaluated without rendering.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import bpy

FOLDER = Path(__file__).resolve().parent
sys.path.insert(0, str(FOLDER.parent))

from scenes.choreography import SCENES, Choreography  # noqa: E402
from scenes.motion import MARGIN  # noqa: E402
from scenes.transforms import Matrix, Vector, add, transform  # noqa: E402

MATRIX_TOLERANCE = 1e-5
POINT_TOLERANCE = 4e-5
"""Scene units; single precision leaves 1e-5 at the far ends of the widest backdrops."""


class Check:
    """One scene against its choreography."""

    def __init__(self, choreography: Choreography) -> None:
        self.choreography = choreography
        self.problems: list[str] = []
        self.largest = {"matrix": 0.0, "point": 0.0, "camera": 0.0}
        self.points = 0
        self.before: dict[str, int] = {}
        self.changes: set[tuple[str, int]] = set()

    def run(self) -> None:
        """Play all frames, margins included."""
        choreography = self.choreography
        bpy.ops.wm.open_mainfile(filepath=str(FOLDER / f"{choreography.name}.blend"))
        scene = bpy.context.scene
        found = (scene.frame_start, scene.frame_end, scene.frame_step)
        if found != (choreography.first, choreography.last, choreography.step):
            self.problems.append(f"frames {found}")
        for frame in range(choreography.first - MARGIN, choreography.last + MARGIN + 1):
            for item in scene.objects:
                item.hide_viewport = False  # what is hidden is not animated either, so it would never come back
            scene.frame_set(frame)
            self._show_as_rendered(scene)
            graph = bpy.context.evaluated_depsgraph_get()
            self._cameras(scene, graph, frame)
            self._poses(scene, graph, frame)
            self._surfaces(scene, graph, frame)
            self._instances(graph, frame)
        expected = {(event.object, event.frame) for event in choreography.events if event.object in choreography.poses}
        if self.changes != expected:
            self.problems.append(f"changes of topology or visibility {self.changes}, expected {expected}")

    def _show_as_rendered(self, scene: Any) -> None:
        for item in scene.objects:
            item.hide_viewport = item.hide_render
            for modifier in item.modifiers:
                modifier.show_viewport = modifier.show_render
                if modifier.type == "SUBSURF":
                    modifier.levels = modifier.render_levels
        bpy.context.view_layer.update()

    def _same(self, what: str, kind: str, found: Iterable[float], expected: Iterable[float], tolerance: float) -> None:
        worst = max(abs(a - b) for a, b in zip(found, expected, strict=True))
        self.largest[kind] = max(self.largest[kind], worst)
        if worst > tolerance:
            self.problems.append(f"{what}: off by {worst:.2g}")

    def _matrix(self, what: str, found: Any, expected: Matrix, kind: str = "matrix") -> None:
        self._same(what, kind, flat(found), flat(expected), MATRIX_TOLERANCE)

    def _cameras(self, scene: Any, graph: Any, frame: int) -> None:
        expected = self.choreography.camera(frame)
        if scene.camera.name != expected["name"]:
            self.problems.append(f"frame {frame}: filmed by {scene.camera.name}, expected {expected['name']}")
        for name in self.choreography.cameras:
            state = self.choreography.camera(frame, name)
            item = bpy.data.objects[name].evaluated_get(graph)
            self._matrix(f"frame {frame}: {name}", item.matrix_world, state["matrix_world"], "camera")
            data = item.data
            if (data.type, data.sensor_fit) != (state["kind"], state["sensor_fit"]):
                self.problems.append(f"{name}: {data.type}, {data.sensor_fit}")
            numbers = ("lens", "sensor_width", "shift_x", "shift_y", "ortho_scale", "clip_start", "clip_end")
            found = [getattr(data, number) for number in numbers]
            wanted = [float(state[number]) for number in numbers]  # type: ignore[literal-required]
            self._same(f"frame {frame}: {name}'s numbers", "camera", found, wanted, MATRIX_TOLERANCE)

    def _poses(self, scene: Any, graph: Any, frame: int) -> None:
        for name in self.choreography.poses:
            item = bpy.data.objects[name]
            pose = self.choreography.object_pose(name, frame).matrix
            if name not in scene.objects or item.parent is not None:
                self._matrix(f"{name} at rest", item.matrix_basis, pose)
            elif not item.hide_viewport:
                self._matrix(f"frame {frame}: {name}", item.evaluated_get(graph).matrix_world, pose)

    def _surfaces(self, scene: Any, graph: Any, frame: int) -> None:
        for name in self.choreography.poses:
            item = bpy.data.objects[name]
            if name not in scene.objects or item.type in {"EMPTY", "ARMATURE"} or name in self.choreography.unseen:
                continue
            drawn = item.evaluated_get(graph)
            mesh = drawn.to_mesh()
            count = 0 if item.hide_viewport else len(mesh.polygons)
            if self.before.setdefault(name, count) != count:
                self.changes.add((name, frame))
            self.before[name] = count
            if count and item.type == "MESH" and len(mesh.vertices) == len(item.data.vertices):
                self._vertices(name, frame, item, drawn, mesh)
            drawn.to_mesh_clear()

    def _vertices(self, name: str, frame: int, item: Any, drawn: Any, mesh: Any) -> None:
        """Where every corner of an object is, against the matrix of its material or the sum of its shape keys."""
        materials: dict[str, set[int]] = {}
        for polygon in item.data.polygons:
            slot = item.material_slots[polygon.material_index]
            materials.setdefault(slot.material.name, set()).update(polygon.vertices)
        for material, corners in materials.items():
            matrix = self.choreography.surface_matrix(name, frame, material)
            rest = {corner: vector(item.data.vertices[corner].co) for corner in corners}
            if matrix is None and name not in self.choreography.shape_keys:
                continue
            if matrix is None:
                matrix = self.choreography.object_pose(name, frame).matrix
                keys = self.choreography.shape_key_offset
                rest = {corner: add(point, keys(name, point, frame)) for corner, point in rest.items()}
            world = drawn.matrix_world
            for corner, point in rest.items():
                found = world @ mesh.vertices[corner].co
                self._same(
                    f"frame {frame}: {name}, {material}", "point", found, transform(matrix, point), POINT_TOLERANCE
                )
                self.points += 1

    def _instances(self, graph: Any, frame: int) -> None:
        expected = list(self.choreography.instances(frame))
        sources = {instance.source for instance in expected}
        for copy in graph.object_instances:
            if not copy.is_instance or copy.instance_object.name not in sources:
                continue
            made_by, name = copy.parent.name, copy.instance_object.name
            found = flat(copy.matrix_world)
            mine = [one for one in expected if (one.instancer, one.source) == (made_by, name)]
            if not mine:
                self.problems.append(f"frame {frame}: {made_by} draws one {name} too many")
                continue
            nearest = min(mine, key=lambda one: sum(abs(a - b) for a, b in zip(found, flat(one.matrix), strict=True)))
            self._same(f"frame {frame}: {name} of {made_by}", "matrix", found, flat(nearest.matrix), MATRIX_TOLERANCE)
            expected.remove(nearest)
        for missing in expected:
            self.problems.append(f"frame {frame}: {missing.instancer} does not draw {missing.source}")


def flat(matrix: Sequence[Sequence[float]]) -> list[float]:
    """All numbers of a matrix."""
    return [value for row in matrix for value in row]


def vector(values: Sequence[float]) -> Vector:
    """Blender's vector as three floats."""
    return (values[0], values[1], values[2])


def main(names: list[str]) -> int:
    """Check the named scenes (all without names); returns the number of problems."""
    total = 0
    for name in names or SCENES:
        check = Check(SCENES[name])
        check.run()
        figures = ", ".join(f"{kind} {value:.1e}" for kind, value in check.largest.items())
        print(f"{name}: {len(check.problems)} problems; largest difference: {figures}; {check.points} points")
        for problem in check.problems[:10]:
            print(f"    {problem}")
        total += len(check.problems)
    return total


if __name__ == "__main__":
    inside_blender = bool(bpy.app.binary_path)
    rest = sys.argv[sys.argv.index("--") + 1 :] if "--" in sys.argv else ([] if inside_blender else sys.argv[1:])
    if main(rest):
        raise SystemExit(1)
