"""Turns Grease Pencil's strokes and fills into surfaces, which can be drawn, named and followed like all others.

Each object of Grease Pencil gets a mesh in its place, under its name and as its child.  A follower sets the mesh from
the evaluated drawing of every frame: ribbons that face the camera, polygons, and what lies over what by a little depth
(:mod:`~animerun_gen.blender.stroke_shapes`).  The drawing is read from the *viewport's* dependency graph, as hair is;
the renderer no longer meets it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field

import bpy
import numpy as np
import numpy.typing as npt

from animerun_gen.blender import versions
from animerun_gen.blender.convert.colors import MaterialColors, PaintedByAttributes
from animerun_gen.blender.convert.hiding import hidden_in, hide
from animerun_gen.blender.convert.particle_systems import make_local, may_be_seen
from animerun_gen.blender.convert.patterns import Treatments, matches
from animerun_gen.blender.convert.viewport import show_as_rendered
from animerun_gen.blender.drawings import (
    LINE_ART,
    Drawing,
    drawings,
    has_rough_curves,
    is_grease_pencil,
    modifier_path,
    modifiers_of,
    number_points,
    why_unknown,
)
from animerun_gen.blender.identity import NAMES
from animerun_gen.blender.line_surfaces import INK_MARK
from animerun_gen.blender.opening import OpenedScene
from animerun_gen.blender.stroke_shapes import Shapes, Strokes, View, build_shapes
from animerun_gen.blender.unreadable import draws_nothing
from animerun_gen.config import CutConfig
from animerun_gen.config.messages import counted, named
from animerun_gen.motion.identity import IDENTITY_BITS
from animerun_gen.shot.shot import GreasePencil

PAINT = "animerun_gen_paint"
"""The attribute that holds the colour of each face, where strokes of one material have several."""

MOST_TRIANGULATED = 20_000
"""Fills at most whose triangles are kept."""

Numbers = npt.NDArray[np.int64]
Points = npt.NDArray[np.float64]


@dataclass
class ConvertedGreasePencil:
    """What became of the file's Grease Pencil.

    Attributes:
        notes: What was done, a sentence each.
        followers: Set the meshes to what a frame shows.
        inks: Full names of the materials of strokes, which are lines.
        fills: Full names of the materials of fills.
        meshes: Full names of the meshes in whose frames a vertex number means nothing.
        varying: The materials whose strokes or fills have colours of their own, by full name; whether they change.
    """

    notes: list[str] = field(default_factory=list)
    followers: list[Callable[[], None]] = field(default_factory=list)
    inks: set[str] = field(default_factory=set)
    fills: set[str] = field(default_factory=set)
    meshes: set[str] = field(default_factory=set)
    varying: dict[str, bool] = field(default_factory=dict)


def find_grease_pencil() -> list[GreasePencil]:
    """List the Grease Pencil objects of the open file that are rendered, by name; changes nothing."""
    return [
        GreasePencil(
            obj.name,
            sum(len(getattr(frame, "drawing", frame).strokes) for layer in obj.data.layers for frame in layer.frames),
            len(obj.data.layers),
            why_unknown(obj),
            any(modifier.type in LINE_ART for modifier in modifiers_of(obj)),
        )
        for obj in _objects()
    ]


def drawn_in_front() -> set[str]:
    """Names of the Grease Pencil objects that a film draws before all that is nearer; ask before it loses its look."""
    return {obj.name for obj in _objects() if obj.show_in_front}


def convert_grease_pencil(
    opened: OpenedScene, config: CutConfig, in_front: Collection[str] = ()
) -> ConvertedGreasePencil:
    """Replace the strokes and fills of the scene by surfaces.

    Args:
        opened: The opened scene, at the clip's first frame.
        config: The cut: ``grease_pencil``, ``transparency.threshold``.
        in_front: Names of the objects that the film draws before all that is nearer.

    Returns:
        What became of them.
    """
    done = ConvertedGreasePencil()
    owners = _objects() if config.grease_pencil == "draw" else []
    if not owners:
        return done
    for owner in owners:
        make_local(owner)
        done.notes += _switch_line_art_off(owner)
    carried = {}
    for owner in owners:
        if owner.data.library is not None:
            owner.data = owner.data.copy()
        data = owner.data
        if data.name_full not in carried:
            carried[data.name_full] = number_points(data)
    show_as_rendered(owners, opened.view_layer)
    wardrobe = _Wardrobe(done, _removed_materials(config))
    drawn = []
    for owner in owners:
        hidden = {}
        if versions.is_animated(owner, "hide_render"):
            hidden = hidden_in(owner, range(config.frames.first, config.frames.last + 1), opened.scene)
        unknown = why_unknown(owner)
        if not unknown and not carried[owner.data.name_full]:
            unknown = "its points cannot carry identities"
        done.notes += _notes_of(owner, unknown)
        gone = sorted({slot.material.name for slot in owner.material_slots if wardrobe.lacks(slot.material)})
        if gone:
            done.notes.append(f"removed strokes and fills of {named(gone, 'material')} from '{owner.name}'")
        shown_by = _instancers(owner, opened.view_layer)
        is_shown = owner in opened.view_layer.objects.values()
        if len(shown_by) + is_shown > 1:
            place = "the object itself" if is_shown else f"instance '{shown_by[0].name}'"
            done.notes.append(
                f"'{owner.name}' is shown several times, and all its strokes face the camera as {place} does"
            )
        if owner.name in in_front:
            done.notes.append(f"'{owner.name}' is in front of everything in the film; here it is where it stands")
        instancer = shown_by[0] if shown_by and not is_shown else None
        drawn.append(_Drawn(owner, opened, hidden, not unknown, config.transparency.threshold, wardrobe, instancer))
    opened.scene.frame_set(config.frames.first)
    opened.view_layer.update()
    for each in drawn:
        each.follow()
        done.meshes.add(each.object.data.name_full)
        done.followers.append(each.follow)
    done.notes.append(
        f"drew {named([each.object.name for each in drawn], 'object')} of Grease Pencil as surfaces: "
        f"{counted(sum(each.strokes for each in drawn), 'stroke')} in frame {config.frames.first}"
    )
    return done


def paint_strokes(colors: MaterialColors, found: ConvertedGreasePencil, config: CutConfig) -> None:
    """Have strokes and fills painted in colours of their own, unless the configuration says what their material shows.

    Args:
        colors: The colours of the cut's materials, which are painted already.
        found: What became of Grease Pencil.
        config: The cut: ``style.overrides`` and ``style.textures``.
    """
    by_hand = [*config.style.overrides, *config.style.textures]
    for material in bpy.data.materials:
        changes = found.varying.get(material.name_full)
        if changes is not None and not matches(material.name, by_hand):
            colors.by_attributes[material.name_full] = PaintedByAttributes(
                material, frozenset({PAINT}), by_hand=PAINT, changes=changes
            )


def _objects() -> list[bpy.types.Object]:
    """The Grease Pencil objects that a render shows, but for those that are empty."""
    found = [
        obj
        for obj in bpy.data.objects
        if is_grease_pencil(obj) and may_be_seen(obj) and (modifiers_of(obj) or not draws_nothing(obj.data))
    ]
    return sorted(found, key=lambda obj: str(obj.name_full))


def _switch_line_art_off(owner: bpy.types.Object) -> list[str]:
    """Leave the lines of the scene to ``lines.engine``, which draws them already."""
    notes = []
    for modifier in modifiers_of(owner):
        if modifier.type in LINE_ART and modifier.show_render:
            for switch in ("show_render", "show_viewport"):
                versions.mute_animation(owner, f"{modifier_path(owner, modifier)}.{switch}")
                setattr(modifier, switch, False)
            notes.append(
                f"switched Line Art '{modifier.name}' of '{owner.name}' off: the lines of the scene are drawn by "
                "lines.engine"
            )
    return notes


def _notes_of(owner: bpy.types.Object, unknown: str) -> list[str]:
    """What of an object is not drawn, or not followed, as the film has it."""
    name, layers = owner.name, owner.data.layers
    notes = [f"the motion of '{name}' is unknown: {unknown}"] if unknown else []
    masked = [layer for layer in layers if getattr(layer, "use_masks", getattr(layer, "use_mask_layer", False))]
    if any(len(layer.mask_layers) for layer in masked):
        notes.append(f"layers of '{name}' are masked by others, which is not followed: all of them is drawn")
    if any(layer.blend_mode != "REGULAR" for layer in layers):
        notes.append(f"layers of '{name}' are mixed with what lies below; they are drawn over it")
    if has_rough_curves(owner.data):
        notes.append(f"NURBS curves of '{name}' are drawn by their control points")
    worn = [slot.material.grease_pencil for slot in owner.material_slots if _is_of_grease_pencil(slot.material)]
    if any(
        (style.show_fill and style.fill_style != "SOLID") or (style.show_stroke and style.stroke_style != "SOLID")
        for style in worn
    ):
        notes.append(f"materials of '{name}' have textures or gradients; their first colour is shown")
    if any(style.use_stroke_holdout or style.use_fill_holdout for style in worn):
        notes.append(f"materials of '{name}' are holdouts, which are not drawn and cut nothing out")
    return notes


def _instancers(owner: bpy.types.Object, view_layer: bpy.types.ViewLayer) -> list[bpy.types.Object]:
    """What shows instances of a collection with an object, by name."""
    found = [
        each
        for each in view_layer.objects
        if each.instance_type == "COLLECTION"
        and each.instance_collection is not None
        and owner in each.instance_collection.all_objects.values()
    ]
    return sorted(found, key=lambda each: str(each.name_full))


def _removed_materials(config: CutConfig) -> set[str]:
    """Full names of the materials of which the configuration wants to see nothing."""
    opened = Treatments(config.transparency.materials)
    return {
        material.name_full
        for material in bpy.data.materials
        if matches(material.name, config.remove.materials) or opened.of(material.name) == "remove"
    }


def _is_of_grease_pencil(material: bpy.types.Material | None) -> bool:
    return material is not None and bool(material.is_grease_pencil)


@dataclass(frozen=True)
class _Style:
    """How a material of Grease Pencil is drawn in a frame.

    Attributes:
        color: Of its strokes, linear, with alpha.
        fill_color: Of its fills.
        has_stroke: Whether strokes are drawn.
        has_fill: Whether fills are.
        dots: Whether a stroke is drawn as a dot at each point.
    """

    color: tuple[float, ...] = (0.0, 0.0, 0.0, 1.0)
    fill_color: tuple[float, ...] = (0.5, 0.5, 0.5, 1.0)
    has_stroke: bool = True
    has_fill: bool = False
    dots: bool = False

    @classmethod
    def of(cls, material: bpy.types.Material | None) -> _Style:
        """That of a material, evaluated or not."""
        if material is None or not _is_of_grease_pencil(material):
            return cls()
        style = material.grease_pencil
        return cls(
            tuple(style.color),
            tuple(style.fill_color),
            bool(style.show_stroke and not style.hide and not style.use_stroke_holdout),
            bool(style.show_fill and not style.hide and not style.use_fill_holdout),
            style.mode != "LINE",
        )


class _Wardrobe:
    """The materials of strokes and of fills, one of each for every material of Grease Pencil.

    Args:
        done: Is told of them.
        removed: Full names of the film's materials of which nothing is drawn.
    """

    def __init__(self, done: ConvertedGreasePencil, removed: Collection[str]) -> None:
        self._done = done
        self._removed = removed
        self._made: dict[tuple[str, bool], bpy.types.Material] = {}

    def of(self, material: bpy.types.Material | None, *, fill: bool) -> bpy.types.Material:
        """That of the strokes, or of the fills, of a material."""
        key = "" if material is None else material.name_full, fill
        if key not in self._made:
            style, name = _Style.of(material), "grease pencil" if material is None else material.name
            made = bpy.data.materials.new(f"{name} {'fill' if fill else 'stroke'}")
            red, green, blue = (style.fill_color if fill else style.color)[:3]
            _paint_plain(made, (red, green, blue))
            self._made[key] = made
            if not fill:
                made[INK_MARK] = True
            (self._done.fills if fill else self._done.inks).add(made.name_full)
            if material is not None and versions.animates(material, "grease_pencil"):
                self._done.varying[made.name_full] = True
        return self._made[key]

    def lacks(self, material: bpy.types.Material | None) -> bool:
        """Whether nothing of a material, evaluated or not, is drawn."""
        return material is not None and material.original.name_full in self._removed

    def vary(self, owner: bpy.types.Object) -> None:
        """Have the materials of an object painted stroke by stroke, where its strokes have colours of their own."""
        changes = any(versions.animates(owner.data, path) for path in ("layers", "color")) or any(
            modifier.type.endswith(("TINT", "COLOR", "OPACITY")) for modifier in modifiers_of(owner)
        )
        if not changes and not _has_own_colors(owner.data):
            return
        for slot in [*(slot.material for slot in owner.material_slots), None]:
            for fill in (False, True):
                made = self._made.get(("" if slot is None else slot.name_full, fill))
                if made is not None:
                    known = self._done.varying.get(made.name_full, False)
                    self._done.varying[made.name_full] = known or changes


def _has_own_colors(data: bpy.types.ID) -> bool:
    """Whether any stroke or fill, or any layer, covers the colour of its material."""
    for layer in data.layers:
        if layer.tint_factor > 0.0:
            return True
        for frame in layer.frames:
            drawing = getattr(frame, "drawing", frame)
            if drawing is None:
                continue
            if not hasattr(drawing, "attributes"):
                if any(
                    stroke.vertex_color_fill[3] > 0.0 or any(point.vertex_color[3] > 0.0 for point in stroke.points)
                    for stroke in drawing.strokes
                ):
                    return True
                continue
            for name in ("vertex_color", "fill_color"):
                attribute = drawing.attributes.get(name)
                if attribute is not None:
                    values = np.empty(4 * len(attribute.data), np.float32)
                    attribute.data.foreach_get("color", values)
                    if (values[3::4] > 0.0).any():
                        return True
    return False


def _paint_plain(material: bpy.types.Material, color: tuple[float, float, float]) -> None:
    """Give a material one flat colour, whichever of its colours is asked for."""
    material.diffuse_color = (*color, 1.0)
    versions.give_nodes(material)
    tree = material.node_tree
    tree.nodes.clear()
    emission, output = tree.nodes.new("ShaderNodeEmission"), tree.nodes.new("ShaderNodeOutputMaterial")
    emission.inputs["Color"].default_value = (*color, 1.0)
    tree.links.new(emission.outputs[0], output.inputs["Surface"])


class _Drawn:
    """The mesh that stands in the place of a Grease Pencil object, and its follower.

    Args:
        owner: The object.
        opened: The opened scene.
        hidden: Whether the film hides the object, by frame, where that is animated.
        known: Whether its points can be followed.
        threshold: Opacity below which nothing is drawn.
        wardrobe: Has the materials.
        instancer: Where the object is seen, if not in its own place.

    Attributes:
        object: The mesh's object.
        strokes: How many strokes the current frame shows.
    """

    def __init__(
        self,
        owner: bpy.types.Object,
        opened: OpenedScene,
        hidden: dict[int, bool],
        known: bool,
        threshold: float,
        wardrobe: _Wardrobe,
        instancer: bpy.types.Object | None,
    ) -> None:
        self._owner = owner
        self._scene, self._layer = opened.scene, opened.view_layer
        self._hidden = hidden
        self._known = known
        self._threshold = threshold
        self._instancer = instancer
        self._wardrobe = wardrobe
        self._triangulation = _Triangulation()
        self.strokes = 0
        hide(owner)
        name = owner.name
        # what labels and patterns name is what is drawn
        owner.name = f"{name} (grease pencil)"
        self._mesh = bpy.data.meshes.new(name)
        self.object = bpy.data.objects.new(name, self._mesh)
        self.object.parent = owner
        slots = [slot.material for slot in owner.material_slots] or [None]
        for material in slots:
            self._mesh.materials.append(wardrobe.of(material, fill=False))
            self._mesh.materials.append(wardrobe.of(material, fill=True))
        wardrobe.vary(owner)
        for collection in owner.users_collection or (opened.scene.collection,):
            held = opened.scene.collection if collection.override_library is not None else collection
            if self.object.name not in held.objects:
                held.objects.link(self.object)

    def follow(self) -> None:
        """Set the mesh to what the scene's current frame shows."""
        frame, graph = self._scene.frame_current, self._layer.depsgraph
        drawn = self._owner.evaluated_get(graph)
        self.object.hide_render = self._hidden.get(frame, False)
        found = list(drawings(drawn, self._layer.name, known=self._known))
        world = self._world(drawn, graph)
        view = self._view(world, graph)
        self.strokes = sum(len(each.counts) for each in found)
        if not found or view is None:
            self._mesh.clear_geometry()
            self._mesh.update()
            return
        strokes = self._arrange(drawn, found, world)
        _write(self._mesh, build_shapes(strokes, self._triangulation.of(strokes), view))

    def _world(self, drawn: bpy.types.Object, graph: bpy.types.Depsgraph) -> Points:
        """The object's coordinates to the world, where it is seen ``(4, 4)``."""
        world = np.array(drawn.matrix_world, np.float64)
        if self._instancer is None:
            return world
        offset = np.eye(4)
        offset[:3, 3] = -np.array(self._instancer.instance_collection.instance_offset, np.float64)
        placed: Points = np.array(self._instancer.evaluated_get(graph).matrix_world, np.float64) @ offset @ world
        return placed

    def _view(self, world: Points, graph: bpy.types.Depsgraph) -> View | None:
        """From where the object is seen; None where it is scaled to nothing."""
        if abs(np.linalg.det(world[:3, :3])) < 1e-18:
            return None
        if self._scene.camera is None:
            # from the front, as long as nobody knows better
            front = np.array([[1, 0, 0, 0], [0, 0, 1, 0], [0, -1, 0, 0], [0, 0, 0, 1]], np.float64)
            return View(front @ world, True, 0.1, 1000.0, (10.0, 10.0))
        camera = self._scene.camera.evaluated_get(graph)
        render = self._scene.render
        projection = np.array(
            camera.calc_matrix_camera(
                graph,
                x=render.resolution_x,
                y=render.resolution_y,
                scale_x=render.pixel_aspect_x,
                scale_y=render.pixel_aspect_y,
            ),
            np.float64,
        )
        away = np.linalg.inv(np.array(camera.matrix_world.normalized(), np.float64))
        return View(
            away @ world,
            camera.data.type == "ORTHO",
            max(float(camera.data.clip_start), 1e-6),
            float(camera.data.clip_end),
            (1.0 / abs(float(projection[0, 0])), 1.0 / abs(float(projection[1, 1]))),
        )

    def _arrange(self, drawn: bpy.types.Object, found: list[Drawing], world: Points) -> Strokes:
        """All drawings together, as they are drawn."""
        styles = [
            _Style(has_stroke=False) if self._wardrobe.lacks(slot.material) else _Style.of(slot.material)
            for slot in drawn.material_slots
        ] or [_Style()]
        counts = np.concatenate([each.counts for each in found])
        slots = np.clip(np.concatenate([each.slots for each in found]), 0, len(styles) - 1)
        of = np.repeat(np.arange(len(counts)), counts)
        layer_opacity = np.concatenate([np.full(len(each.counts), each.opacity) for each in found])
        own = np.array([style.color for style in styles], np.float64)[slots]
        own_fill = np.array([style.fill_color for style in styles], np.float64)[slots]
        opacity = np.concatenate([each.opacities for each in found]) * (layer_opacity * own[:, 3])[of]
        fill_opacity = np.concatenate([each.fill_opacities for each in found]) * layer_opacity * own_fill[:, 3]
        covering = np.concatenate([each.colors for each in found])
        fill_covering = np.concatenate([each.fill_colors for each in found])
        colors = _covered(own[of], covering)
        total = np.zeros((len(counts), 3))
        np.add.at(total, of, colors)
        scale = float(np.linalg.norm(world[:3, :3] @ np.full(3, 3.0**-0.5)))
        shown = opacity >= self._threshold
        any_shown = np.zeros(len(counts), bool)
        np.logical_or.at(any_shown, of, shown)
        return Strokes(
            counts=counts,
            layers=np.concatenate([np.full(len(each.counts), number) for number, each in enumerate(found)]),
            by_order=drawn.data.stroke_depth_order == "2D",
            points=np.concatenate([each.points @ each.matrix[:3, :3].T + each.matrix[:3, 3] for each in found]),
            radii=np.maximum(np.concatenate([each.radii for each in found]), 0.0) * scale,
            shown=shown,
            identities=np.concatenate([each.identities for each in found]),
            cyclic=np.concatenate([each.cyclic for each in found]),
            round_start=~np.concatenate([each.flat_start for each in found]),
            round_end=~np.concatenate([each.flat_end for each in found]),
            dots=np.array([style.dots for style in styles], bool)[slots],
            has_stroke=np.array([style.has_stroke for style in styles], bool)[slots] & any_shown,
            has_fill=np.array([style.has_fill for style in styles], bool)[slots]
            & (fill_opacity >= self._threshold)
            & (counts > 2),
            stroke_slot=2 * slots,
            fill_slot=2 * slots + 1,
            stroke_colors=total / np.maximum(counts, 1)[:, None],
            fill_colors=_covered(own_fill, fill_covering),
        )


def _covered(own: Points, covering: Points) -> Points:
    """Colours of materials under those of points or fills."""
    share = covering[:, 3:]
    mixed = np.asarray(own[:, :3] * (1.0 - share) + covering[:, :3] * share, np.float64)
    return mixed


class _Triangulation:
    """The triangles of fills, by Blender's own way with polygons; those of a shape that comes again are kept."""

    def __init__(self) -> None:
        self._known: dict[bytes, Numbers] = {}

    def of(self, strokes: Strokes) -> list[Numbers]:
        """For each stroke the triangles of its fill ``(n, 3)``, points counted within the stroke."""
        nothing = np.empty((0, 3), np.int64)
        found = [nothing] * len(strokes.counts)
        digests = {}
        for stroke, points in self._filled(strokes):
            digests[stroke] = hashlib.blake2b(points.data, digest_size=16).digest()
        if len(self._known) > MOST_TRIANGULATED:
            self._known.clear()
        missing = {digests[stroke]: points for stroke, points in self._filled(strokes)}
        missing = {digest: points for digest, points in missing.items() if digest not in self._known}
        if missing:
            self._known |= dict(zip(missing, _triangulate(list(missing.values())), strict=True))
        for stroke, digest in digests.items():
            found[stroke] = self._known[digest]
        return found

    @staticmethod
    def _filled(strokes: Strokes) -> Iterator[tuple[int, npt.NDArray[np.float32]]]:
        start = strokes.start
        for stroke in np.flatnonzero(strokes.has_fill).tolist():
            points = strokes.points[start[stroke] : start[stroke] + strokes.counts[stroke]]
            yield stroke, np.ascontiguousarray(points, np.float32)


def _triangulate(polygons: list[npt.NDArray[np.float32]]) -> list[Numbers]:
    """The triangles that Blender makes of polygons, each of which lies in about one plane."""
    counts = np.array([len(points) for points in polygons], np.int64)
    starts = np.cumsum(counts) - counts
    mesh = bpy.data.meshes.new("animerun-gen fills")
    try:
        _write_faces(mesh, np.concatenate(polygons), np.arange(int(counts.sum())), starts, counts)
        mesh.calc_loop_triangles()
        corners = versions.triangle_corners(mesh).astype(np.int64)
    finally:
        bpy.data.meshes.remove(mesh)
    of = np.searchsorted(starts, corners[:, 0], side="right") - 1
    order = np.argsort(of, kind="stable")
    bounds = np.searchsorted(of[order], np.arange(len(counts) + 1))
    return [corners[order[bounds[number] : bounds[number + 1]]] - starts[number] for number in range(len(counts))]


def _write_faces(mesh: bpy.types.Mesh, vertices: Points, corners: Numbers, starts: Numbers, sizes: Numbers) -> None:
    """Make the faces of an empty mesh."""
    mesh.vertices.add(len(vertices))
    mesh.vertices.foreach_set("co", np.ascontiguousarray(vertices, np.float32).ravel())
    mesh.loops.add(len(corners))
    mesh.loops.foreach_set("vertex_index", corners.astype(np.int32))
    mesh.polygons.add(len(starts))
    mesh.polygons.foreach_set("loop_start", starts.astype(np.int32))
    versions.set_face_sizes(mesh, sizes.astype(np.int32))
    mesh.update(calc_edges=True)


def _write(mesh: bpy.types.Mesh, shapes: Shapes) -> None:
    """Have a mesh show some shapes, with their materials, colours and identities."""
    mesh.clear_geometry()
    count = len(shapes.triangles)
    if count == 0:
        mesh.update()
        return
    starts = 3 * np.arange(count)
    _write_faces(mesh, shapes.vertices, shapes.triangles.ravel(), starts, np.full(count, 3))
    mesh.polygons.foreach_set("material_index", shapes.slots.astype(np.int32))
    paint = mesh.attributes.get(PAINT) or mesh.attributes.new(PAINT, "FLOAT_COLOR", "FACE")
    colors = np.concatenate([shapes.colors, np.ones((count, 1))], axis=1)
    paint.data.foreach_set("color", np.ascontiguousarray(colors, np.float32).ravel())
    known = shapes.identities != 0
    for place, name in enumerate(NAMES):
        held = mesh.attributes.get(name) or mesh.attributes.new(name, "FLOAT", "POINT")
        bits = (shapes.identities >> np.uint64(IDENTITY_BITS * place)) & np.uint64(2**IDENTITY_BITS - 1)
        # as the film's own vertices have them: the middle of a step between 1 and 2
        numbers = np.where(known, 1.0 + (bits.astype(np.float64) + 0.5) / 2.0**IDENTITY_BITS, 0.0)
        held.data.foreach_set("value", numbers.astype(np.float32))
    mesh.update()
