"""Asks Cycles what colour a shader has at points of a surface: for all nodes that only Cycles itself knows.

Procedural textures, coordinates, curves of vectors: whatever stands between a shader and its colour, Cycles computes
it, by a bake of emission into the corners of a scratch mesh.  That mesh is a selection of points of the surface, in a
scene of its own, so a bake takes 20 ms however large the film (4.5.15).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import bpy
import numpy as np
import numpy.typing as npt

from animerun_gen.blender import versions
from animerun_gen.blender.convert.shader_color import BY_COLOR_INPUT, attributes_needed, opaque_branches
from animerun_gen.blender.convert.shader_values import UnknownValueError, link_to
from animerun_gen.blender.convert.surfaces import ObjectFacts, read_attributes, spread_points
from animerun_gen.blender.node_trees import nodes_within

POINTS = 3072
"""Points of a surface at which Cycles is asked: means come out within 1/255."""

_TARGET = "animerun-gen baked"

_ELSEWHERE = {
    "SHADERTORGB": "light, by a node that Cycles does not have",
    "PARTICLE_INFO": "the particle",
    "HAIR_INFO": "the hair",
    "POINT_INFO": "the point",
    "CAMERA": "the camera",
    "AMBIENT_OCCLUSION": "what is around it",
    "WIREFRAME": "its edges",
    "SCRIPT": "a script",
}
"""Nodes that ask for more than a point of a surface is, and for what."""

_ELSEWHERE_BY_OUTPUT = {
    "NEW_GEOMETRY": {"Pointiness": "its edges", "Random Per Island": "its loose parts"},
    "TEX_COORD": {"Camera": "the camera", "Window": "the camera", "Reflection": "the camera"},
}
"""The same of single outputs."""

_OBJECT_FACTS = {"Random": "animerun_gen_random"}
"""Outputs of Object Info that a scratch object has otherwise, and the property that it has instead."""


class CyclesColors:
    """The colours of one material as Cycles computes them, over points of the surfaces that wear it.

    Made of a copy of the material, in which every shader is light of the colour that it has at the moment; nothing of
    the film is changed.

    Args:
        material: A material with nodes.

    Raises:
        UnknownValueError: Cycles could not tell, either.
    """

    def __init__(self, material: bpy.types.Material) -> None:
        for node in nodes_within(material.node_tree):
            what = _asked_elsewhere(node)
            if what:
                raise UnknownValueError(f"its colour depends on {what} (node '{node.name}')")
        self._names = attributes_needed(material)
        self._copies: list[Any] = [material.copy()]
        self._material = self._copies[0]
        self._shine(self._material.node_tree, {})
        self._keep_output(self._material.node_tree)

    def close(self) -> None:
        """Take the copies out of the file again."""
        for block in self._copies:
            bpy.data.batch_remove([block])
        self._copies = []

    def over(
        self,
        mesh: bpy.types.Mesh,
        obj: bpy.types.Object,
        facts: ObjectFacts,
        triangles: npt.NDArray[np.bool_],
        frame: int,
    ) -> npt.NDArray[np.float32]:
        """The colours over one object's surface.

        Args:
            mesh: The object's mesh; its triangles have been computed.
            obj: The object.
            facts: About the object in that frame.
            triangles: ``(T,)`` bool, which of them wear the material.
            frame: The frame of the film.

        Returns:
            ``(POINTS, 3)`` float32, linear, spread evenly over the surface.

        Raises:
            UnknownValueError: Cycles refuses.
        """
        with _scratch(self._selection(mesh, triangles), obj, facts) as (scene, scratch):
            scene.frame_current = frame
            return _bake(scene, scratch)

    def _selection(self, mesh: bpy.types.Mesh, triangles: npt.NDArray[np.bool_]) -> bpy.types.Mesh:
        """Small triangles whose corners are points of the surface, with everything that a shader may ask there."""
        corners = versions.triangle_corners(mesh)
        vertices = np.empty(3 * len(mesh.vertices), np.float32)
        mesh.vertices.foreach_get("co", vertices)
        places = vertices.reshape(-1, 3)[versions.corner_vertices(mesh)[corners]]
        sides = places[:, 1:] - places[:, :1]
        areas = 0.5 * np.linalg.norm(np.cross(sides[:, 0], sides[:, 1]).astype(np.float64), axis=1)
        areas = np.where(triangles, areas, 0.0)
        if not areas.sum() > 0.0:
            raise UnknownValueError("no surface wears it")
        chosen, weights = spread_points(areas, POINTS)
        # three points of one triangle of the surface make one of the selection, which so faces the same way
        chosen = np.repeat(chosen[1::3], 3)
        selection = bpy.data.meshes.new(_TARGET)
        points = (places[chosen] * weights[..., None]).sum(axis=1)
        selection.from_pydata(points.tolist(), [], np.arange(len(points)).reshape(-1, 3).tolist())
        for layer in mesh.uv_layers:
            uvs = np.empty(2 * len(mesh.loops), np.float32)
            layer.data.foreach_get("uv", uvs)
            mixed = (uvs.reshape(-1, 2)[corners[chosen]] * weights[..., None]).sum(axis=1)
            own = selection.uv_layers.new(name=layer.name)
            own.data.foreach_set("uv", np.ascontiguousarray(mixed, np.float32).ravel())
            own.active_render = layer.active_render
        read, _ = read_attributes(mesh, self._names)
        for name, values in read.items():
            if name in selection.uv_layers:
                continue
            mixed = (values[chosen] * weights[..., None]).sum(axis=1)
            attribute = selection.color_attributes.new(name or "active", "FLOAT_COLOR", "CORNER")
            attribute.data.foreach_set("color", np.ascontiguousarray(mixed, np.float32).ravel())
            if not name:
                selection.color_attributes.render_color_index = selection.color_attributes.find(attribute.name)
        selection.color_attributes.new(_TARGET, "FLOAT_COLOR", "CORNER")
        selection.color_attributes.active_color_index = selection.color_attributes.find(_TARGET)
        selection.use_auto_texspace = False
        selection.texspace_location = mesh.texspace_location
        selection.texspace_size = mesh.texspace_size
        selection.materials.append(self._material)
        selection.update()
        return selection

    def _keep_output(self, tree: Any) -> None:
        """Have Cycles use the output that everybody else looks at, and nothing but its surface."""
        kept = tree.get_output_node("ALL") or tree.get_output_node("EEVEE")
        for node in [node for node in tree.nodes if node.type == "OUTPUT_MATERIAL" and node != kept]:
            tree.nodes.remove(node)
        kept.target = "ALL"
        kept.is_active_output = True
        for socket in kept.inputs:
            if socket.name != "Surface":
                for link in list(socket.links):
                    tree.links.remove(link)

    def _shine(self, tree: Any, copies: dict[str, Any]) -> None:
        """Replace the shaders of a tree, and of copies of the groups in it, by light of their colours."""
        for node in list(tree.nodes):
            if node.type == "GROUP" and node.node_tree is not None:
                name = node.node_tree.name_full
                if name not in copies:
                    copies[name] = node.node_tree.copy()
                    self._copies.append(copies[name])
                    self._shine(copies[name], copies)
                node.node_tree = copies[name]
            elif node.type == "BSDF_PRINCIPLED":
                _replace(tree, node, _color_of_principled(node))
            elif node.type in BY_COLOR_INPUT and BY_COLOR_INPUT[node.type] in node.inputs:
                _replace(tree, node, node.inputs[BY_COLOR_INPUT[node.type]])
            elif node.type == "OBJECT_INFO":
                _ask_properties(tree, node)
        for node in [node for node in tree.nodes if node.type == "MIX_SHADER"]:
            branches = opaque_branches(node)
            if len(branches) == 1:
                source = link_to(branches[0])
                for link in list(node.outputs[0].links):
                    target = link.to_socket
                    tree.links.remove(link)
                    if source is not None:
                        tree.links.new(source.from_socket, target)


def _asked_elsewhere(node: Any) -> str:
    """What a node asks that points of a surface cannot tell; empty where they can."""
    if not any(output.is_linked for output in node.outputs):
        return ""
    if node.type == "ATTRIBUTE" and node.attribute_type in {"INSTANCER", "VIEW_LAYER"}:
        return "what instances it" if node.attribute_type == "INSTANCER" else "the view layer"
    if node.type in {"TEX_COORD", "UVMAP"} and node.from_instancer:
        return "what instances it"
    by_output = _ELSEWHERE_BY_OUTPUT.get(node.type, {})
    asked = (by_output[output.name] for output in node.outputs if output.is_linked and output.name in by_output)
    return _ELSEWHERE.get(node.type) or next(asked, "")


def _color_of_principled(node: Any) -> Any:
    """The input by which a Principled shader looks as it does: its base colour, or its emission where that is all."""
    emission, strength = versions.principled_emission(node)
    base = node.inputs["Base Color"]
    shines = strength.is_linked or strength.default_value > 0.0
    if shines and emission.is_linked and not base.is_linked:
        return emission
    dark = not base.is_linked and max(base.default_value[:3]) * 2.0 < max(emission.default_value[:3])
    return emission if shines and dark else base


def _replace(tree: Any, node: Any, color: Any) -> None:
    """Put light of a colour in a shader's place."""
    light = tree.nodes.new("ShaderNodeEmission")
    source = link_to(color)
    if source is not None:
        tree.links.new(source.from_socket, light.inputs["Color"])
    else:
        light.inputs["Color"].default_value = color.default_value
    for link in list(node.outputs[0].links):
        target = link.to_socket
        tree.links.remove(link)
        tree.links.new(light.outputs[0], target)


def _ask_properties(tree: Any, node: Any) -> None:
    """Have what an Object Info node says of the scratch object come from properties of it."""
    for output in node.outputs:
        name = _OBJECT_FACTS.get(output.name)
        if name is None or not output.is_linked:
            continue
        asking = tree.nodes.new("ShaderNodeAttribute")
        asking.attribute_type, asking.attribute_name = "OBJECT", name
        number = next(socket for socket in asking.outputs if socket.name in {"Fac", "Factor"})
        for link in list(output.links):
            target = link.to_socket
            tree.links.remove(link)
            tree.links.new(number, target)


@contextmanager
def _scratch(
    mesh: bpy.types.Mesh, obj: bpy.types.Object, facts: ObjectFacts
) -> Iterator[tuple[bpy.types.Scene, bpy.types.Object]]:
    """A scene with a scratch object, ready to be baked."""
    film, scene = bpy.context.scene, bpy.data.scenes.new(_TARGET)
    scene.render.frame_map_old, scene.render.frame_map_new = film.render.frame_map_old, film.render.frame_map_new
    scratch = bpy.data.objects.new(_TARGET, mesh)
    scratch.matrix_world = obj.matrix_world
    scratch.color, scratch.pass_index = facts.color, facts.index
    for name, value in facts.properties.items():
        scratch[name] = value[0] if len(value) == 1 else value
    scratch[_OBJECT_FACTS["Random"]] = facts.random
    scene.collection.objects.link(scratch)
    scene.render.engine = "CYCLES"
    cycles = scene.cycles
    cycles.device, cycles.samples, cycles.max_bounces = "CPU", 1, 0
    cycles.use_adaptive_sampling = cycles.use_denoising = False
    try:
        yield scene, scratch
    finally:
        bpy.data.scenes.remove(scene)
        bpy.data.objects.remove(scratch)
        bpy.data.meshes.remove(mesh)


def _bake(scene: bpy.types.Scene, scratch: bpy.types.Object) -> npt.NDArray[np.float32]:
    """Emission at the corners of the scratch object, ``(n, 3)`` float32."""
    layer = scene.view_layers[0]
    layer.objects.active = scratch
    scratch.select_set(True, view_layer=layer)
    selected = [scratch]
    try:
        with bpy.context.temp_override(
            scene=scene,
            view_layer=layer,
            active_object=scratch,
            object=scratch,
            selected_objects=selected,
            selected_editable_objects=selected,
        ):
            bpy.ops.object.bake(type="EMIT", target="VERTEX_COLORS", use_clear=True)
    except RuntimeError as error:
        raise UnknownValueError(f"Cycles cannot bake it ({' '.join(str(error).split())})") from error
    data = scratch.data.color_attributes[_TARGET].data
    colors = np.empty(4 * len(data), np.float32)
    data.foreach_get("color", colors)
    return colors.reshape(-1, 4)[:, :3]
