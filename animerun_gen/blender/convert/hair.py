"""Turns hair and fur into what an animator draws: locks, or an object in each hair's place, or thin tubes.

What Workbench draws of hair are strands of a pixel's width without faces, which no label can follow.  So each hair
system gets a mesh object of ours beside the one that it grows on, as its child.  The shapes are chosen in the clip's
first frame; a follower then sets their vertices from the evaluated hair of every frame.

The hair is read from the *viewport's* dependency graph, the only one that Python can ask at any time; for the objects
that hair depends on, what the viewport shows is therefore made the same as what is rendered.  The renderer itself no
longer meets the hair.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import chain
from typing import Any, Protocol

import bpy
import numpy as np

from animerun_gen.blender import versions
from animerun_gen.blender.convert.hiding import hidden_in, hide
from animerun_gen.blender.convert.particle_systems import (
    make_local,
    material_name,
    may_be_seen,
    own_settings,
    rendered_systems,
    switch_off,
    system_material,
    system_name,
)
from animerun_gen.blender.convert.patterns import Treatments
from animerun_gen.blender.convert.surfaces import MADE
from animerun_gen.blender.convert.viewport import show_as_rendered
from animerun_gen.blender.hair_locks import (
    STEPS,
    Numbers,
    Points,
    StrandPlan,
    place_faces,
    place_vertices,
    plan_locks,
    plan_tubes,
    resample,
    strand_faces,
    strand_vertices,
)
from animerun_gen.blender.opening import OpenedScene
from animerun_gen.blender.particles_drawn import SHOWN_AT_PARTICLES, drawn_by
from animerun_gen.config import CutConfig
from animerun_gen.config.messages import and_more
from animerun_gen.config.model import HairTreatment
from animerun_gen.errors import SceneError

MAX_STRANDS = 3000
"""Strands, or instances in their places, at most of one system: Freestyle draws the outline of each."""

GUIDES_PER_LOCK = 6
"""Guides a lock should have; where a system has fewer, its interpolated children lend a hand."""

MAX_GUIDES = 20000
"""Guides at most among which locks are chosen."""

HAIR_MARK = "animerun-gen hair"
"""Property of the objects that stand for hair with surfaces of their own."""

CURVE_RADIUS = 0.005
"""Radius of hair curves that have none of their own; Blender's own default."""


@dataclass(frozen=True)
class HairFinding:
    """A hair system of the open file.

    Attributes:
        name: ``<object>/<system>``, or the object's name for hair curves: what ``hair.systems`` calls it.
        kind: ``particle hair`` or ``hair curves``.
        strands: Hairs that are rendered, children included; for curves those in the file, before its nodes run.
        drawn: What is rendered: ``strands``, ``object 'X'``, ``collection 'X'`` or ``nothing``.
        material: Name of its material, if it has one.
    """

    name: str
    kind: str
    strands: int
    drawn: str
    material: str | None


def find_hair() -> list[HairFinding]:
    """List all hair of the open file that is rendered, by name; changes nothing."""
    found = []
    for obj, modifier in _hair_systems():
        system = modifier.particle_system
        settings = system.settings
        children = settings.rendered_child_count if settings.child_type != "NONE" else 0
        found.append(
            HairFinding(
                system_name(obj, system),
                "particle hair",
                settings.count * max(children, 1),
                drawn_by(settings),
                material_name(system_material(obj, settings)),
            )
        )
    for obj in _curves_objects():
        material = obj.material_slots[0].material if obj.material_slots else None
        found.append(HairFinding(obj.name, "hair curves", len(obj.data.curves), "strands", material_name(material)))
    return sorted(found, key=lambda one: one.name)


def convert_hair(opened: OpenedScene, config: CutConfig) -> tuple[list[str], list[Callable[[], None]]]:
    """Replace the hair of the scene by shapes with surfaces.

    Args:
        opened: The opened scene, at the clip's first frame.
        config: The cut: ``hair``.

    Returns:
        What was done, a sentence each, and the followers.

    Raises:
        SceneError: An object to put in the hairs' place is missing.
    """
    notes: list[str] = []
    followers: list[Callable[[], None]] = []
    treatments = Treatments(config.hair.systems)
    growing: list[tuple[_Source, HairTreatment]] = []
    for obj in [obj for obj, _ in _hair_systems()] + _curves_objects():
        make_local(obj)
    for obj, modifier in _hair_systems():
        name = system_name(obj, modifier.particle_system)
        treatment = treatments.of(name)
        named, treatment = treatment is not None, treatment or config.hair
        settings = modifier.particle_system.settings
        if settings.render_type in SHOWN_AT_PARTICLES and not (named and treatment.mode in {"remove", "instance"}):
            notes.append(f"hair '{name}' shows {drawn_by(settings)} at each hair, as in the film")
        elif settings.render_type == "NONE":
            switch_off(obj, modifier)
        elif treatment.mode == "remove":
            switch_off(obj, modifier)
            notes.append(f"removed hair '{name}'")
        else:
            strands = _ParticleHair(obj, modifier, treatment)
            growing.append((strands, treatment))
            if strands.stiffened:
                notes.append(
                    f"hair '{name}' does not swing, because its cache lies on disk; keep it in the file instead"
                )
    for obj in _curves_objects():
        treatment = treatments.of(obj.name) or config.hair
        if treatment.mode == "remove":
            hide(obj)
            notes.append(f"removed hair '{obj.name}'")
        else:
            growing.append((_CurvesHair(obj), treatment))
    notes += treatments.unused("hair.systems", "no hair is")

    show_as_rendered([source.owner for source, _ in growing], opened.view_layer)
    opened.scene.frame_set(config.frames.first)
    opened.view_layer.update()
    standing: list[_Standing] = []
    for source, treatment in growing:
        paths = source.read(opened.view_layer.depsgraph, None)
        source.take_out(opened.scene, range(config.frames.first, config.frames.last + 1))
        usable = np.flatnonzero(_is_hair(paths))
        if len(usable) == 0:
            notes.append(f"hair '{source.name}' has no strands in frame {config.frames.first}: nothing is drawn of it")
            continue
        shapes = _SHAPES[treatment.mode](source, treatment, paths, usable)
        standing.append(_Standing(source, shapes, opened))
        followers.append(standing[-1].follow)
        notes.append(f"turned hair '{source.name}' into {shapes.said}")
    _record([one for one in standing if one.source.begins is not None], opened.scene, config)
    return notes, followers


def _record(swinging: list[_Standing], scene: bpy.types.Scene, config: CutConfig) -> None:
    """Play hair that swings once, from where its simulation begins to the clip's end, and keep where it was.

    To read it again in every frame would not do.  A frame that is visited twice, or after a later one, makes those that
    follow differ in their last bits, and of hair whose simulation is baked nothing at all is left once another
    conversion has touched its object (4.5.15).
    """
    if not swinging:
        return
    wanted = set(config.frame_numbers)
    begins = [one.source.begins for one in swinging if one.source.begins is not None]
    for frame in range(min(*begins, config.frames.first), config.frames.last + 1):
        scene.frame_set(frame)
        if frame in wanted:
            for one in swinging:
                one.record(frame)
    for one in swinging:
        one.source.forget()


def _hair_systems() -> list[tuple[bpy.types.Object, bpy.types.ParticleSystemModifier]]:
    """All systems of particle hair that are rendered."""
    return [(obj, modifier) for obj, modifier in rendered_systems() if modifier.particle_system.settings.type == "HAIR"]


class _Source(Protocol):
    """Hair that can be read at any frame."""

    name: str
    owner: bpy.types.Object
    material: bpy.types.Material | None
    radius: float
    strands_per_guide: float
    reach: float | None
    begins: int | None
    """The frame in which its simulation begins; None for hair that only follows its surface."""

    def read(self, graph: bpy.types.Depsgraph, guides: Numbers | None) -> Points:
        """The paths of some guides, or of all, in the owner's coordinates (N, STEPS, 3).

        Raises:
            SceneError: There are more or fewer guides than at first.
        """

    def take_out(self, scene: bpy.types.Scene, frames: range) -> None:
        """Keep the hair itself out of the render; it can still be read."""

    def forget(self) -> None:
        """Evaluate it no longer."""

    def is_hidden(self) -> bool:
        """Whether the film does not show it in the scene's current frame."""


class _ParticleHair:
    """A system of particle hair, read from Blender's hair cache, in which its length, children and forces are."""

    def __init__(
        self, obj: bpy.types.Object, modifier: bpy.types.ParticleSystemModifier, treatment: HairTreatment
    ) -> None:
        self.owner = obj
        self.modifier = modifier
        self.particles = modifier.particle_system.name
        self.name = system_name(obj, modifier.particle_system)
        settings = own_settings(modifier.particle_system)
        self.material = system_material(obj, settings)
        scale = float(np.mean(np.abs(obj.matrix_world.to_scale()))) or 1.0
        self.radius = max(settings.root_radius * settings.radius_scale, 1e-4) / scale
        self.total: int | None = None
        system = modifier.particle_system
        # to swing it would write to the film's folder, by several processes at once
        self.stiffened = system.use_hair_dynamics and system.point_cache.use_disk_cache
        if self.stiffened:
            system.use_hair_dynamics = False
        self.begins = system.point_cache.frame_start if system.use_hair_dynamics else None
        rendered = settings.rendered_child_count if settings.child_type != "NONE" else 0
        self.reach = settings.child_radius if settings.child_type == "SIMPLE" and rendered else None
        shown = _children_to_read(settings, treatment, rendered)
        self.strands_per_guide = max(rendered, 1) / max(shown, 1)
        # parents are drawn only where they have no children
        self.skip_parents = shown > 0
        modifier.show_viewport = True
        versions.mute_animation(obj, f'modifiers["{modifier.name}"].show_viewport')
        settings.display_percentage = 100
        settings.display_step = 3
        settings.display_method = "RENDER"
        # instances would be no paths
        settings.render_type = "PATH"
        versions.set_shown_children(settings, shown)

    def read(self, graph: bpy.types.Depsgraph, guides: Numbers | None) -> Points:
        drawn = self.owner.evaluated_get(graph)
        system = drawn.particle_systems.get(self.particles)
        parents = len(system.particles) if system is not None else 0
        first = parents if self.skip_parents else 0
        total = parents + len(system.child_particles) - first if system is not None else 0
        _refuse_other_number(self, graph, total)
        numbers = range(first, first + total) if guides is None else (guides + first).tolist()
        points = (system.co_hair(drawn, particle_no=number, step=step) for number in numbers for step in range(STEPS))
        # ten times as fast as an array of Blender's vectors
        world = np.fromiter(chain.from_iterable(points), np.float64, 3 * STEPS * len(numbers)).reshape(-1, STEPS, 3)
        return _into(world, np.array(drawn.matrix_world, np.float64))

    def take_out(self, scene: bpy.types.Scene, frames: range) -> None:
        versions.mute_animation(self.owner, f'modifiers["{self.modifier.name}"].show_render')
        self.modifier.show_render = False

    def forget(self) -> None:
        switch_off(self.owner, self.modifier)

    def is_hidden(self) -> bool:
        return bool(self.owner.hide_render)


class _CurvesHair:
    """An object of hair curves, read as its geometry nodes leave them."""

    def __init__(self, obj: bpy.types.Object) -> None:
        self.owner = obj
        self.name = obj.name
        self.material = obj.material_slots[0].material if obj.material_slots else None
        self.radius = CURVE_RADIUS
        self.strands_per_guide = 1.0
        self.reach: float | None = None
        self.total: int | None = None
        self.begins: int | None = None
        self.hidden: dict[int, bool] = {}
        self.frame = 0

    def read(self, graph: bpy.types.Depsgraph, guides: Numbers | None) -> Points:
        self.frame = graph.scene.frame_current
        data = self.owner.evaluated_get(graph).data
        count = len(data.curves) if isinstance(data, bpy.types.Curves) else 0
        _refuse_other_number(self, graph, count)
        if count == 0:
            return np.empty((0, STEPS, 3))
        lengths = np.empty(count, np.int32)
        data.curves.foreach_get("points_length", lengths)
        points = np.empty(3 * len(data.points), np.float32)
        data.points.foreach_get("position", points)
        counts, xyz = lengths.astype(np.int64), points.reshape(-1, 3).astype(np.float64)
        if guides is None:
            return resample(xyz, counts)
        start = (np.cumsum(counts) - counts)[guides]
        own = counts[guides]
        within = np.arange(own.sum()) - np.repeat(np.cumsum(own) - own, own)
        return resample(xyz[np.repeat(start, own) + within], own)

    def take_out(self, scene: bpy.types.Scene, frames: range) -> None:
        if versions.is_animated(self.owner, "hide_render"):
            self.hidden = hidden_in(self.owner, frames, scene)
        hide(self.owner)

    def forget(self) -> None:
        """It is hidden, and has no simulation of its own."""

    def is_hidden(self) -> bool:
        return self.hidden.get(self.frame, False)


def _refuse_other_number(source: Any, graph: bpy.types.Depsgraph, total: int) -> None:
    if source.total is None:
        source.total = total
    if total != source.total:
        raise SceneError(
            f"hair '{source.name}' has {total} strands in frame {graph.scene.frame_current} and "
            f"{source.total} in the clip's first, so they cannot be matched",
            remedy="fix their number in Blender, or set "
            f'"hair: {{systems: {{"{source.name}": {{mode: remove}}}}}}" in the cut\'s configuration',
        )


def _children_to_read(settings: bpy.types.ParticleSettings, treatment: HairTreatment, rendered: int) -> int:
    """Children a parent shall have in the viewport: those that are needed, since each costs time."""
    parents = max(settings.count, 1)
    if rendered == 0:
        return 0
    if treatment.mode in {"keep", "instance"}:
        return max(1, min(rendered, MAX_STRANDS // parents))
    wanted = treatment.locks * GUIDES_PER_LOCK
    if settings.child_type != "INTERPOLATED" or parents >= wanted:
        # simple children surround their parent, which leads them
        return 0
    return min(rendered, -(-wanted // parents))


@dataclass(frozen=True)
class _Shapes:
    """What stands for a system's hair.

    Attributes:
        plan: For the paths of ``guides`` alone.
        guides: Guides to be read at each frame.
        faces: Of the mesh.
        vertices: From the paths of ``guides`` to vertices in the owner's coordinates.
        said: What it is, for the log.
        instanced: The object that each face of the mesh carries; None where the mesh itself is drawn.
    """

    plan: StrandPlan
    guides: Numbers
    faces: list[tuple[int, ...]]
    vertices: Callable[[StrandPlan, Points], Points]
    said: str
    instanced: bpy.types.Object | None = None


def _locks(source: _Source, treatment: HairTreatment, paths: Points, usable: Numbers) -> _Shapes:
    usable = usable[:: -(-len(usable) // MAX_GUIDES)]
    plan = plan_locks(paths[usable], treatment.locks, source.strands_per_guide, source.reach)
    return _Shapes(
        plan.renumbered(),
        usable[plan.needed],
        strand_faces(plan),
        strand_vertices,
        f"{len(plan.leader)} locks and blades that follow {len(paths)} hairs",
    )


def _tubes(source: _Source, treatment: HairTreatment, paths: Points, usable: Numbers) -> _Shapes:
    kept = _evenly(usable)
    plan = plan_tubes(paths, kept, source.radius)
    return _Shapes(
        plan.renumbered(), plan.needed, strand_faces(plan), strand_vertices, f"{_of(kept, usable, source)} thin tubes"
    )


def _instances(source: _Source, treatment: HairTreatment, paths: Points, usable: Numbers) -> _Shapes:
    shown = bpy.data.objects.get(treatment.object)
    if shown is None or shown.type not in {"MESH", "CURVE", "SURFACE", "FONT", "META"}:
        names = [f"'{obj.name}'" for obj in bpy.data.objects if obj.type == "MESH"]
        listed = and_more(names, 20)
        raise SceneError(
            f"hair '{source.name}' shall become instances of '{treatment.object}', but the file has no object "
            f"with surfaces of that name; it has {listed or 'none'}",
            remedy="change 'hair.object', or that of the system in 'hair.systems', in the cut's configuration",
        )
    kept = _evenly(usable)
    plan = plan_tubes(paths, kept, source.radius)
    corners = np.array(shown.bound_box, np.float64)
    extent = corners.max(axis=0) - corners.min(axis=0)
    height = float(extent[2]) if extent[2] > 0 else float(extent.max()) or 1.0
    return _Shapes(
        plan.renumbered(),
        plan.needed,
        place_faces(plan),
        lambda at, found: place_vertices(at, found, height),
        f"{_of(kept, usable, source)} instances of '{shown.name}'",
        shown,
    )


_SHAPES = {"clump": _locks, "keep": _tubes, "instance": _instances}


def _evenly(guides: Numbers) -> Numbers:
    """At most ``MAX_STRANDS`` of some guides, evenly spread over their numbers, which Blender deals out at random."""
    kept = min(len(guides), MAX_STRANDS)
    return guides[np.arange(kept) * len(guides) // kept]


def _of(kept: Numbers, usable: Numbers, source: _Source) -> str:
    strands = round(len(usable) * source.strands_per_guide)
    return f"{len(kept)} of {strands} strands, all that can be drawn, as" if strands > len(kept) else f"{len(kept)}"


class _Standing:
    """The object that stands for a system's hair, and its follower."""

    def __init__(self, source: _Source, shapes: _Shapes, opened: OpenedScene) -> None:
        self.source = source
        self.shapes = shapes
        self.scene, self.view_layer = opened.scene, opened.view_layer
        self.recorded: dict[int, Points] = {}
        self.mesh = bpy.data.meshes.new(f"hair of {source.name}")
        self.mesh[MADE] = True
        corners = 1 + max(max(face) for face in shapes.faces)
        self.mesh.from_pydata([(0.0, 0.0, 0.0)] * corners, [], shapes.faces)
        self.mesh.materials.append(source.material)
        self.object = bpy.data.objects.new(f"hair of {source.name}", self.mesh)
        self.object.parent = source.owner
        if shapes.instanced is None:
            self.object[HAIR_MARK] = True
        self.drawn = [self.object]
        collections = _collections_for(source.owner, opened.scene)
        _link(self.object, collections)
        if shapes.instanced is not None:
            self._carry(shapes.instanced, collections)
        self.follow()

    def _carry(self, shown: bpy.types.Object, collections: list[bpy.types.Collection]) -> None:
        """Let a copy of an object sit on every face."""
        self.object.instance_type = "FACES"
        self.object.use_instance_faces_scale = True
        self.object.instance_faces_scale = 1.0
        self.object.show_instancer_for_render = self.object.show_instancer_for_viewport = False
        copy = shown.copy()
        copy.animation_data_clear()
        copy.constraints.clear()
        copy.parent = self.object
        copy.matrix_parent_inverse.identity()
        copy.matrix_basis.identity()
        copy.hide_render = False
        _link(copy, collections)
        self.drawn.append(copy)

    def record(self, frame: int) -> None:
        """Keep the hair of the scene's current frame for :meth:`follow`."""
        self.recorded[frame] = self.source.read(self.view_layer.depsgraph, self.shapes.guides)

    def follow(self) -> None:
        """Set the vertices to where the hair of the scene's current frame is."""
        paths = self.recorded.get(self.scene.frame_current)
        if paths is None:
            paths = self.source.read(self.view_layer.depsgraph, self.shapes.guides)
        vertices = self.shapes.vertices(self.shapes.plan, paths)
        self.mesh.vertices.foreach_set("co", np.ascontiguousarray(vertices, np.float32).ravel())
        self.mesh.update()
        for drawn in self.drawn:
            drawn.hide_render = self.source.is_hidden()


def hair_objects() -> list[str]:
    """Full names of the objects that stand for hair, once it is converted, but for those that only carry instances."""
    return [obj.name_full for obj in bpy.data.objects if HAIR_MARK in obj]


def _collections_for(owner: bpy.types.Object, scene: bpy.types.Scene) -> list[bpy.types.Collection]:
    """The owner's own collections, so that what instances it instances its hair as well.

    Library overrides of collections take no further objects; hair in them stands in the scene itself.
    """
    own = owner.users_collection
    return [scene.collection if one.override_library is not None else one for one in own] or [scene.collection]


def _link(obj: bpy.types.Object, collections: list[bpy.types.Collection]) -> None:
    for collection in collections:
        if obj.name not in collection.objects:
            collection.objects.link(obj)


def _curves_objects() -> list[bpy.types.Object]:
    found = [obj for obj in bpy.data.objects if obj.type == "CURVES" and may_be_seen(obj)]
    return sorted(found, key=lambda obj: str(obj.name_full))


def _is_hair(paths: Points) -> np.ndarray[Any, Any]:
    """Which paths lead anywhere: hairs that do not exist have all their points in one."""
    if len(paths) == 0:
        return np.zeros(0, bool)
    length = np.linalg.norm(np.diff(paths, axis=1), axis=2).sum(axis=1)
    return np.isfinite(length) & (length > 1e-4 * np.nanmax(length)) & (length > 0)


def _into(world: Points, matrix: Points) -> Points:
    """Points of the world in an object's coordinates; all in its origin where it is scaled to nothing."""
    if abs(np.linalg.det(matrix[:3, :3])) < 1e-18:
        return np.zeros_like(world)
    return np.einsum("ij,nsj->nsi", np.linalg.inv(matrix[:3, :3]), world - matrix[:3, 3])
