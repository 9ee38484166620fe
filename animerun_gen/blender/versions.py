"""Every difference between Blender versions that this project had to know, in one place."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import bpy
import numpy as np
import numpy.typing as npt

VERSION: tuple[int, int, int] = tuple(bpy.app.version)

NODES_WERE_OFF = "Versioning: Use Nodes was removed"
"""The label of the frame by which Blender 5 marks nodes that it gave to what had none."""


def engine_name() -> str:
    """What ran, for records: ``Blender 4.5.15``."""
    return "Blender " + ".".join(str(part) for part in VERSION)


def is_vector_pass_right_under_zoom() -> bool:
    """Whether Cycles' Vector pass takes an animated focal length or sensor width into account (since 4.3)."""
    return VERSION >= (4, 3, 0)


def is_vector_pass_right_for_orthographic() -> bool:
    """Whether Cycles' Vector pass is right for a moving orthographic camera.

    Right in 3.4.1; wrong, by up to 33 px, in 5.0.1.  What lies between is not trusted.
    """
    return VERSION < (4, 0, 0)


def fcurves(animated: bpy.types.ID) -> Iterator[Any]:
    """All F-curves of the action that drives a data-block: actions have layers and slots since 4.4."""
    animation = animated.animation_data
    if animation is not None and animation.action is not None:
        yield from _action_fcurves(animation.action, getattr(animation, "action_slot", None))


def nla_fcurves(animated: bpy.types.ID) -> Iterator[Any]:
    """All F-curves of the strips that are not muted in a data-block's non-linear animation."""
    animation = animated.animation_data
    for track in animation.nla_tracks if animation is not None and animation.use_nla else ():
        for strip in track.strips:
            if not track.mute and not strip.mute and strip.action is not None:
                yield from _action_fcurves(strip.action, getattr(strip, "action_slot", None))


def _action_fcurves(action: bpy.types.Action, slot: Any) -> Iterator[Any]:
    if not hasattr(action, "layers"):
        yield from action.fcurves
        return
    for layer in action.layers:
        for strip in layer.strips:
            bag = strip.channelbag(slot) if slot else None
            if bag is not None:
                yield from bag.fcurves


def mute_animation(animated: bpy.types.ID, data_path_start: str) -> None:
    """Keep F-curves, strips and drivers from changing a property again that a conversion has set.

    What other data-blocks share of them goes on moving those.

    Args:
        animated: The data-block that owns the property.
        data_path_start: How the paths of the property's animation begin, ``"diffuse_color"`` say.
    """
    animation = getattr(animated, "animation_data", None)
    if animated is None or animation is None:
        return
    holders = [animation] if animation.action is not None else []
    if animation.use_nla:
        holders += [strip for track in animation.nla_tracks for strip in track.strips if strip.action is not None]
    for holder in holders:
        if any(_begins(curve, data_path_start) for curve in _held_fcurves(holder)):
            _make_action_own(holder)
            for curve in _held_fcurves(holder):
                curve.mute = curve.mute or _begins(curve, data_path_start)
    for driver in animation.drivers:
        driver.mute = driver.mute or _begins(driver, data_path_start)


def _begins(curve: Any, data_path_start: str) -> bool:
    return not curve.mute and bool(curve.data_path.startswith(data_path_start))


def _held_fcurves(holder: Any) -> Iterator[Any]:
    """The F-curves of what has an action: animation data, or a strip."""
    yield from _action_fcurves(holder.action, getattr(holder, "action_slot", None))


def _make_action_own(holder: Any) -> None:
    """Copy an action that others have as well."""
    if holder.action.users <= 1:
        return
    slot = getattr(holder, "action_slot", None)
    identifier = slot.identifier if slot is not None else None
    holder.action = holder.action.copy()
    if identifier is not None:
        holder.action_slot = holder.action.slots[identifier]


def disable_gpu_subdivision() -> None:
    """Have subdivision surfaces evaluated on the CPU, where their triangles can be read (option since 3.1)."""
    bpy.context.preferences.system.use_gpu_subdivision = False


def plain_world(name: str) -> bpy.types.World:
    """A new world that shows nothing but the colour that :func:`paint_world` gives it."""
    world = bpy.data.worlds.new(name)
    if VERSION < (5, 0, 0):
        world.use_nodes = False
    return world


def paint_world(world: bpy.types.World, color: tuple[float, float, float]) -> None:
    """Give a :func:`plain_world` a colour (linear).

    Workbench and Cycles show the plain colour of a world without nodes.  Since 5.0 every world has nodes: switching
    them off does nothing, and what is shown is the colour of its Background node, a dark grey in a new world (seen in
    5.0.1 to 5.3.0).
    """
    world.color = color
    if VERSION >= (5, 0, 0):
        for node in world.node_tree.nodes:
            if node.type == "BACKGROUND":
                node.inputs["Color"].default_value = (*color, 1.0)
                node.inputs["Strength"].default_value = 1.0


def give_nodes(material: bpy.types.Material) -> None:
    """See that the shader nodes of a material count: since 5.0 every one has nodes, and 6.0 knows no switch."""
    if VERSION < (5, 0, 0):
        material.use_nodes = True
        return
    for node in material.node_tree.nodes:
        if node.label == NODES_WERE_OFF:
            node.label = ""


def has_nodes(block: bpy.types.Material | bpy.types.World) -> bool:
    """Whether the shader nodes of a material or a world count.

    Since 5.0 they always do.  A block of an older file whose nodes were off or missing gets some on loading, that show
    its viewport colour, beside a frame that tells of it (5.0.1 to 5.3.0); to us it is what it was.
    """
    if block.node_tree is None:
        return False
    if VERSION < (5, 0, 0):
        return bool(block.use_nodes)
    saved_with = block.library.version if block.library is not None else bpy.data.version
    return tuple(saved_with) >= (5, 0, 0) or all(node.label != NODES_WERE_OFF for node in block.node_tree.nodes)


def use_picture_format(settings: bpy.types.ImageFormatSettings, file_format: str) -> None:
    """Choose the format of rendered files: since 5.0 files of several layers are a kind of medium of their own."""
    if hasattr(settings, "media_type"):
        settings.media_type = "MULTI_LAYER_IMAGE" if file_format == "OPEN_EXR_MULTILAYER" else "IMAGE"
    settings.file_format = file_format


def has_compositor(scene: bpy.types.Scene) -> bool:
    """Whether a scene has a compositor tree that is switched on: since 5.0 the one assigned to it, since 5.3 any."""
    if hasattr(scene, "compositor_effects"):
        return len(scene.compositor_effects) > 0
    if VERSION >= (5, 0, 0):
        return scene.compositing_node_group is not None
    return bool(scene.use_nodes)


NODES_MARK_EDGES = VERSION >= (5, 0, 0)
"""Whether geometry nodes can mark edges for Freestyle."""


def marked_edges(mesh: bpy.types.Mesh) -> npt.NDArray[np.bool_]:
    """Which edges of a mesh are marked for Freestyle, ``(E,)`` bool: since 5.0 an attribute, if there are any."""
    marks = np.zeros(len(mesh.edges), np.bool_)
    if VERSION < (5, 0, 0):
        mesh.edges.foreach_get("use_freestyle_mark", marks)
        return marks
    attribute = mesh.attributes.get("freestyle_edge")
    if attribute is not None and attribute.domain == "EDGE":
        attribute.data.foreach_get("value", marks)
    return marks


def use_scene_compositor(scene: bpy.types.Scene, use: bool) -> None:
    """Switch the scene's compositor tree on or off: its node tree moved in 5.0, the render switch did not."""
    scene.render.use_compositing = use
    if VERSION < (5, 0, 0):
        scene.use_nodes = use


def make_panoramic(camera: bpy.types.Camera) -> None:
    """Let a camera look in all directions, in an equirectangular picture; the setting was Cycles' own before 5.0."""
    camera.type = "PANO"
    settings = camera if hasattr(camera, "panorama_type") else camera.cycles
    settings.panorama_type = "EQUIRECTANGULAR"


def has_strips(scene: bpy.types.Scene) -> bool:
    """Whether the sequencer would put its own pictures over the render; its strips were renamed in 4.4."""
    editor = scene.sequence_editor
    if editor is None:
        return False
    strips = editor.strips_all if hasattr(editor, "strips_all") else editor.sequences_all
    return len(strips) > 0


def principled_emission(node: Any) -> tuple[Any, Any]:
    """The inputs of a Principled shader for the colour and the strength of its emission: renamed in 4.0."""
    color = node.inputs["Emission Color" if VERSION >= (4, 0, 0) else "Emission"]
    return color, node.inputs["Emission Strength"]


def light_power(light: bpy.types.Light) -> float:
    """How strongly a light shines: its power, or of a sun its strength, times the brightness of its colour.

    Since 4.5 a light has an exposure as well; nodes, if it has any, multiply its power by their strength.
    """
    red, green, blue = light.color
    power = float(light.energy) * 2.0 ** float(getattr(light, "exposure", 0.0))
    power *= 0.2126 * float(red) + 0.7152 * float(green) + 0.0722 * float(blue)
    if getattr(light, "use_nodes", False) and light.node_tree is not None:
        for node in light.node_tree.nodes:
            if node.type == "EMISSION" and node.outputs[0].is_linked and not node.inputs["Strength"].is_linked:
                power *= float(node.inputs["Strength"].default_value)
    return max(power, 0.0)


def factor_name(node: Any) -> str:
    """What a shader node calls the input by which it mixes: spelled out in later versions."""
    return "Fac" if "Fac" in node.inputs else "Factor"


def add_geometry_sockets(tree: bpy.types.NodeTree) -> None:
    """Give a group of geometry nodes one geometry to work on and one to hand on: sockets moved in 4.0."""
    if hasattr(tree, "interface"):
        for direction in ("INPUT", "OUTPUT"):
            tree.interface.new_socket("Geometry", in_out=direction, socket_type="NodeSocketGeometry")
        return
    for sockets in (tree.inputs, tree.outputs):
        sockets.new("NodeSocketGeometry", "Geometry")


def is_animated(animated: bpy.types.ID | None, data_path: str) -> bool:
    """Whether F-curves, strips or drivers that are not muted change this very property."""
    return any(path == data_path for path in _animated_paths(animated))


def animates(animated: bpy.types.ID | None, data_path_start: str) -> bool:
    """Whether F-curves, strips or drivers change any property whose path begins like this."""
    return any(path.startswith(data_path_start) for path in _animated_paths(animated))


def _animated_paths(animated: bpy.types.ID | None) -> Iterator[str]:
    """The path of every property of a data-block that anything changes."""
    animation = getattr(animated, "animation_data", None)
    if animated is not None and animation is not None:
        curves = [*fcurves(animated), *nla_fcurves(animated), *animation.drivers]
        yield from (curve.data_path for curve in curves if not curve.mute)


def instances_of_nodes(drawn: bpy.types.Object) -> Any:
    """The instances that geometry nodes make of an evaluated object, as Blender's ``GeometrySet``.

    Returns:
        None where it makes none, or where Blender does not say (before 4.5).
    """
    if not hasattr(drawn, "evaluated_geometry"):
        return None
    found = drawn.evaluated_geometry()
    return found if found.instances_pointcloud() is not None else None


def values_given_to_nodes(modifier: bpy.types.NodesModifier) -> list[Any]:
    """What a modifier gives to the inputs of its geometry nodes, objects and collections among it.

    They are custom properties of the modifier, and since 5.2 properties of one that has a property for each input.
    """
    if not hasattr(modifier, "properties"):
        return list(modifier.values())
    inputs = modifier.properties.inputs
    return [each.value for name in dir(inputs) if hasattr(each := getattr(inputs, name), "value")]


def tells_instances_of_nodes() -> bool:
    """Whether :func:`instances_of_nodes` can know (since 4.5)."""
    return hasattr(bpy.types.Object, "evaluated_geometry")


def set_shown_children(settings: bpy.types.ParticleSettings, count: int) -> None:
    """Set how many children a particle has in the viewport: ``child_nbr`` became ``child_percent`` in 4.0."""
    setattr(settings, "child_percent" if hasattr(settings, "child_percent") else "child_nbr", count)


def write_values(data: Any, name: str, values: npt.NDArray[np.float32]) -> None:
    """Set a property of all items of a collection, as ``foreach_set`` does, of linked data as well.

    That silently leaves alone what belongs to another file, or overrides it (3.4.1 and 4.5.15).  Items can be set, one
    by one, or where they lie in memory.

    Args:
        data: The collection, such as an attribute's data.
        name: The property, a number or a vector of n numbers.
        values: ``(len(data),)``, or ``(len(data), n)``.
    """
    if len(data) == 0:
        return
    flat = np.ascontiguousarray(values, np.float32).ravel()
    data.foreach_set(name, flat)
    if _holds(data, name, flat):
        return
    first, last = data[0].as_pointer(), data[len(data) - 1].as_pointer()
    if last - first == flat.nbytes // len(data) * (len(data) - 1):
        ctypes.memmove(first, flat.ctypes.data, flat.nbytes)
        if _holds(data, name, flat):
            return
    for item, value in zip(data, values.tolist(), strict=True):
        setattr(item, name, value)


def _holds(data: Any, name: str, flat: npt.NDArray[np.float32]) -> bool:
    written = np.empty_like(flat)
    data.foreach_get(name, written)
    return np.array_equal(written, flat)


def corner_vertices(mesh: bpy.types.Mesh) -> npt.NDArray[np.int32]:
    """The vertex of each face corner, ``(L,)`` int32.

    Since 3.6 they are an attribute, which is copied as a block; through ``loops`` each of them costs a call (35 times
    the time in 4.5.15).
    """
    corners = np.empty(len(mesh.loops), np.int32)
    attribute = mesh.attributes.get(".corner_vert")
    if attribute is not None:
        attribute.data.foreach_get("value", corners)
    else:
        mesh.loops.foreach_get("vertex_index", corners)
    return corners


def set_face_sizes(mesh: bpy.types.Mesh, sizes: npt.NDArray[np.int32]) -> None:
    """Say how many corners each face of a mesh has that was just made: since 4.1 that follows from where they begin."""
    if VERSION < (4, 1, 0):
        mesh.polygons.foreach_set("loop_total", sizes)


def edge_vertices(mesh: bpy.types.Mesh) -> npt.NDArray[np.int32]:
    """The two vertices of each edge, ``(E, 2)`` int32."""
    vertices = np.empty(2 * len(mesh.edges), np.int32)
    mesh.edges.foreach_get("vertices", vertices)
    return vertices.reshape(-1, 2)


def triangle_corners(mesh: bpy.types.Mesh) -> npt.NDArray[np.int32]:
    """The face corners of each triangle that Blender draws, ``(T, 3)`` int32; ``calc_loop_triangles`` was called.

    Blender hands them out one by one, a second for 10 million triangles.  They lie in one array, though: three numbers
    each (4.5), or three and the face (3.4).  So they are copied from there, and held against Blender's own answer in
    some places; if that ever differs, Blender is asked for all.
    """
    triangles = mesh.loop_triangles
    count = len(triangles)
    if count >= 2:
        first = triangles[0].as_pointer()
        stride, rest = divmod(triangles[count - 1].as_pointer() - first, count - 1)
        if rest == 0 and stride in {12, 16}:
            block = (ctypes.c_int32 * (stride // 4 * count)).from_address(first)
            found = np.frombuffer(block, np.int32).reshape(count, -1)[:, :3].copy()
            sample = {0, count // 3, count // 2, count - 1}
            if all(tuple(found[number]) == tuple(triangles[number].loops) for number in sample):
                return found
    corners = np.empty(3 * count, np.int32)
    triangles.foreach_get("loops", corners)
    return corners.reshape(-1, 3)


def triangle_slots(mesh: bpy.types.Mesh) -> npt.NDArray[np.int32]:
    """The material slot of each triangle that Blender draws, ``(T,)`` int32; ``calc_loop_triangles`` was called."""
    count = len(mesh.loop_triangles)
    slots = np.zeros(count, np.int32)
    if not hasattr(mesh, "loop_triangle_polygons"):
        mesh.loop_triangles.foreach_get("material_index", slots)
        return slots
    # since 3.6 an attribute, which is not there where every face has the first slot
    attribute = mesh.attributes.get("material_index")
    if attribute is None:
        return slots
    of_faces = np.empty(len(mesh.polygons), np.int32)
    attribute.data.foreach_get("value", of_faces)
    faces = np.empty(count, np.int32)
    mesh.loop_triangle_polygons.foreach_get("value", faces)
    return of_faces[faces]


@dataclass(frozen=True)
class ShadingNormals:
    """The normals by which Blender shades a mesh, in its own coordinates.

    Attributes:
        vectors: ``(N, 3)`` float32.
        of_corners: ``(T, 3)`` int32, which of them each corner of the triangles that Blender draws has; None where they
            are those of the vertices.
    """

    vectors: npt.NDArray[np.float32]
    of_corners: npt.NDArray[np.int32] | None


def shading_normals(mesh: bpy.types.Mesh) -> ShadingNormals:
    """The normals by which Blender shades a mesh: smooth, flat, sharp at edges or custom; it has its loop triangles.

    Since 4.1 a mesh says whether they differ between the corners of a vertex or of a face, and has them at hand.
    Before, it is asked to compute those of all corners, which custom normals and auto smooth go into (seen in 3.4.1).
    """
    if not hasattr(mesh, "corner_normals"):
        mesh.calc_normals_split()
        vectors = np.empty(3 * len(mesh.loops), np.float32)
        mesh.loops.foreach_get("normal", vectors)
        return ShadingNormals(vectors.reshape(-1, 3), triangle_corners(mesh))
    domain = mesh.normals_domain
    if domain == "POINT":
        return ShadingNormals(_vectors(mesh.vertex_normals), None)
    if domain == "FACE":
        faces = np.repeat(triangle_faces(mesh)[:, None], 3, axis=1)
        return ShadingNormals(_vectors(mesh.polygon_normals), np.ascontiguousarray(faces))
    return ShadingNormals(_vectors(mesh.corner_normals), triangle_corners(mesh))


def _vectors(normals: Any) -> npt.NDArray[np.float32]:
    """Normals ``(N, 3)`` float32 of a collection: copied from where they lie, as :func:`triangle_corners` are."""
    count = len(normals)
    if count >= 2:
        first = normals[0].as_pointer()
        if normals[count - 1].as_pointer() - first == 12 * (count - 1):
            found = np.frombuffer(ctypes.string_at(first, 12 * count), np.float32).reshape(-1, 3)
            sample = {0, count // 3, count // 2, count - 1}
            if all(tuple(found[number].tolist()) == tuple(normals[number].vector) for number in sample):
                return found
    vectors = np.empty(3 * count, np.float32)
    normals.foreach_get("vector", vectors)
    return vectors.reshape(-1, 3)


@dataclass(frozen=True)
class NodeBake:
    """A bake of geometry nodes that lies on disk, if it was made.

    Attributes:
        folder: Its folder, as the film names it.
        folder_of_all: The folder of all bakes of its modifier; its own where it has one to itself.
    """

    folder: str
    folder_of_all: str


def node_bakes(modifier: bpy.types.Modifier) -> list[NodeBake]:
    """The bakes of a modifier's simulation zones and bake nodes that lie on disk; they can be listed since 4.1."""
    found = []
    for bake in getattr(modifier, "bakes", ()):
        # until 4.2 every bake lies on disk, and later the film may hold it
        target = getattr(bake, "bake_target", "DISK")
        if target == "INHERIT":
            target = modifier.bake_target
        if target != "DISK":
            continue
        if bake.use_custom_path and bake.directory:
            found.append(NodeBake(bake.directory, bake.directory))
        elif modifier.bake_directory:
            found.append(NodeBake(f"{modifier.bake_directory}/{bake.bake_id}", modifier.bake_directory))
    return found


def is_archive(library: bpy.types.Library) -> bool:
    """Whether a library only stands for data that the film packs: since 5.0."""
    return bool(getattr(library, "is_archive", False))


def triangle_faces(mesh: bpy.types.Mesh) -> npt.NDArray[np.int32]:
    """The face of each triangle that Blender draws, ``(T,)`` int32; ``calc_loop_triangles`` was called."""
    faces = np.empty(len(mesh.loop_triangles), np.int32)
    if hasattr(mesh, "loop_triangle_polygons"):
        mesh.loop_triangle_polygons.foreach_get("value", faces)
    else:
        mesh.loop_triangles.foreach_get("polygon_index", faces)
    return faces
