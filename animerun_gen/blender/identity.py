"""Gives every vertex of a film an identity that it carries through its modifiers, and reads what arrives.

Before anything is evaluated each vertex of each mesh gets three random numbers, as attributes that every modifier and
node of Blender treats like any others: vertices that are kept keep them, vertices between others get the same mixture
of them as of everything else, and what is made anew has zeros or no attribute at all (measured with 3.4.1 and 4.5.15,
see ``docs/identity.md``).  So equal numbers mean the same vertex, or the same mixture of the same vertices.  All of
them lie between 1 and 2, so that a mixture with something that has none falls below.

What copies vertices copies the numbers, too.  Whether an object's modifiers and nodes do that, and whether they number
vertices by construction, is read from lists of those that are known: what is not on a list is not trusted.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

import bpy
import numpy as np
import numpy.typing as npt

from animerun_gen.blender import versions
from animerun_gen.config.messages import and_more
from animerun_gen.motion import parts
from animerun_gen.motion.identity import IDENTITY_BITS, pack, scramble

NAMES = ("animerun_gen_identity_x", "animerun_gen_identity_y", "animerun_gen_identity_z")
"""How the attributes are named, the same on all meshes.  They are no vectors, since the exact Boolean gives zeros for
vectors on vertices (4.5.15), and not named after their mesh, since nodes and modifiers bring meshes together."""

DEFORMING = {
    "ARMATURE",
    "CAST",
    "CLOTH",
    "COLLISION",
    "CORRECTIVE_SMOOTH",
    "CURVE",
    "DATA_TRANSFER",
    "DISPLACE",
    "DYNAMIC_PAINT",
    "HOOK",
    "LAPLACIANDEFORM",
    "LAPLACIANSMOOTH",
    "LATTICE",
    "MESH_CACHE",
    "MESH_DEFORM",
    "NORMAL_EDIT",
    "PARTICLE_SYSTEM",
    "SHRINKWRAP",
    "SIMPLE_DEFORM",
    "SMOOTH",
    "SOFT_BODY",
    "SURFACE",
    "SURFACE_DEFORM",
    "UV_PROJECT",
    "UV_WARP",
    "VERTEX_WEIGHT_EDIT",
    "VERTEX_WEIGHT_MIX",
    "VERTEX_WEIGHT_PROXIMITY",
    "VOLUME_DISPLACE",
    "WARP",
    "WAVE",
    "WEIGHTED_NORMAL",
}
"""Modifiers that move vertices, and neither make, remove, copy nor number any."""

BUILDING = {"BEVEL", "EDGE_SPLIT", "MULTIRES", "OCEAN", "SUBSURF", "TRIANGULATE"}
"""Modifiers that make vertices by construction, without copies: the same faces come out in the same order."""

COPYING = {"ARRAY", "MIRROR", "SCREW", "SOLIDIFY", "WIREFRAME"}
"""Modifiers that make vertices by construction, and copies of them in a lasting order."""

PICKING = {"BOOLEAN", "BUILD", "DECIMATE", "EXPLODE", "MASK", "REMESH", "SKIN", "WELD"}
"""Modifiers that keep some of the vertices, number them anew, and copy none; what they make has no identity."""

CACHED = "MESH_SEQUENCE_CACHE"
"""The modifier that reads a mesh from an Alembic or USD file, frame by frame."""

FIELD_NODES = ("FunctionNode", "ShaderNode", "GeometryNodeInput", "NodeGroup", "NodeReroute", "NodeFrame")
"""How the types of nodes begin that calculate values, or hand geometry on, and change none."""

PRIMITIVE_NODES = {
    "GeometryNodeCurveArc",
    "GeometryNodeCurvePrimitiveBezierSegment",
    "GeometryNodeCurvePrimitiveCircle",
    "GeometryNodeCurvePrimitiveLine",
    "GeometryNodeCurvePrimitiveQuadrilateral",
    "GeometryNodeCurveQuadraticBezier",
    "GeometryNodeCurveSpiral",
    "GeometryNodeCurveStar",
    "GeometryNodeMeshCircle",
    "GeometryNodeMeshCone",
    "GeometryNodeMeshCube",
    "GeometryNodeMeshCylinder",
    "GeometryNodeMeshGrid",
    "GeometryNodeMeshIcoSphere",
    "GeometryNodeMeshLine",
    "GeometryNodeMeshUVSphere",
    "GeometryNodeRepeatInput",
    "GeometryNodeSubdivideMesh",
    "GeometryNodeSubdivisionSurface",
}
"""Nodes that number by construction as long as their whole numbers (counts, levels, iterations) stay what they are."""

ORDERED_NODES = PRIMITIVE_NODES | {
    "GeometryNodeAccumulateField",
    "GeometryNodeAttributeDomainSize",
    "GeometryNodeAttributeStatistic",
    "GeometryNodeBlurAttribute",
    "GeometryNodeBoundBox",
    "GeometryNodeCaptureAttribute",
    "GeometryNodeCurveToMesh",
    "GeometryNodeEvaluateAtIndex",
    "GeometryNodeEvaluateOnDomain",
    "GeometryNodeExtrudeMesh",
    "GeometryNodeFieldAtIndex",
    "GeometryNodeFieldAverage",
    "GeometryNodeFieldMinAndMax",
    "GeometryNodeFieldOnDomain",
    "GeometryNodeFieldVariance",
    "GeometryNodeFlipFaces",
    "GeometryNodeGeometryToInstance",
    "GeometryNodeImageInfo",
    "GeometryNodeImageTexture",
    "GeometryNodeInstanceOnPoints",
    "GeometryNodeIsViewport",
    "GeometryNodeJoinGeometry",
    "GeometryNodeMeshToPoints",
    "GeometryNodePointsToVertices",
    "GeometryNodeProximity",
    "GeometryNodeRaycast",
    "GeometryNodeRealizeInstances",
    "GeometryNodeRemoveAttribute",
    "GeometryNodeRepeatOutput",
    "GeometryNodeReplaceMaterial",
    "GeometryNodeRotateInstances",
    "GeometryNodeSampleCurve",
    "GeometryNodeSampleIndex",
    "GeometryNodeSampleNearest",
    "GeometryNodeSampleNearestSurface",
    "GeometryNodeSampleUVSurface",
    "GeometryNodeScaleElements",
    "GeometryNodeScaleInstances",
    "GeometryNodeSelfObject",
    "GeometryNodeSetCurveNormal",
    "GeometryNodeSetCurveRadius",
    "GeometryNodeSetCurveTilt",
    "GeometryNodeSetID",
    "GeometryNodeSetInstanceTransform",
    "GeometryNodeSetMaterial",
    "GeometryNodeSetMaterialIndex",
    "GeometryNodeSetMeshNormal",
    "GeometryNodeSetPosition",
    "GeometryNodeSetShadeSmooth",
    "GeometryNodeSimulationInput",
    "GeometryNodeSimulationOutput",
    "GeometryNodeSplineLength",
    "GeometryNodeSplineParameter",
    "GeometryNodeStoreNamedAttribute",
    "GeometryNodeTransform",
    "GeometryNodeTranslateInstances",
    "GeometryNodeTriangulate",
    "GeometryNodeViewer",
    "GeometryNodeWarning",
}
"""Nodes that number by construction: from the same faces in the same order come the same faces in the same order."""

COPYING_NODES = {
    "GeometryNodeCollectionInfo",
    "GeometryNodeCurveToMesh",
    "GeometryNodeExtrudeMesh",
    "GeometryNodeInstanceOnPoints",
    "GeometryNodeObjectInfo",
    "GeometryNodeRealizeInstances",
}
"""Nodes after which points may be there more than once."""

PICKING_NODES = {
    "GeometryNodeDeleteGeometry",
    "GeometryNodeDistributePointsOnFaces",
    "GeometryNodeDualMesh",
    "GeometryNodeMergeByDistance",
    "GeometryNodeMeshBoolean",
    "GeometryNodeSeparateComponents",
    "GeometryNodeSeparateGeometry",
    "GeometryNodeSortElements",
    "GeometryNodeSplitEdges",
}
"""Nodes that keep some of the points, number them anew, and copy none."""

SWITCHES = {"GeometryNodeIndexSwitch": "Index", "GeometryNodeMenuSwitch": "Menu", "GeometryNodeSwitch": "Switch"}
"""Nodes that hand on one of several geometries (or values), and the input that chooses."""

BRINGING = {"GeometryNodeCollectionInfo": "Collection", "GeometryNodeObjectInfo": "Object"}
"""Nodes that bring in what other objects draw, and the input that says whose."""

CONSTANT_NODES = {"FunctionNodeInputBool", "FunctionNodeInputInt", "ShaderNodeValue"}
"""Nodes whose output stays the same as long as no key or driver changes it."""

SELECTING = {
    "GeometryNodeRealizeInstances": ("Selection", "Realize All", "Depth"),
    "GeometryNodeInstanceOnPoints": ("Selection", "Pick Instance"),
    "GeometryNodeMeshToPoints": ("Selection",),
    "GeometryNodePointsToVertices": ("Selection",),
}
"""Inputs that have to be left alone for a node to number by construction."""

CURVE_NUMBERING = (
    "bevel_factor_end",
    "bevel_factor_mapping_end",
    "bevel_factor_mapping_start",
    "bevel_factor_start",
    "bevel_mode",
    "bevel_resolution",
    "body",
    "dimensions",
    "fill_mode",
    "render_resolution_u",
    "render_resolution_v",
    "resolution_u",
    "resolution_v",
    "use_fill_caps",
)
"""What of a curve or text decides how the vertices of its surface are numbered, beside its splines."""

ZONES = ("GeometryNodeSimulation", "GeometryNodeRepeat")
"""How the types of nodes begin that begin and end a zone."""

MAKING_NODES = {"GeometryNodeBoundBox", "GeometryNodeCurveToMesh"}
"""Nodes that make points without identities, beside the primitives."""

SHIFTING = {"BEVEL", "DECIMATE"}
"""Modifiers that place vertices by the shape, which only identities tell."""

SPLINE_NUMBERING = (
    "order_u",
    "order_v",
    "point_count_u",
    "point_count_v",
    "resolution_u",
    "resolution_v",
    "type",
    "use_bezier_u",
    "use_bezier_v",
    "use_cyclic_u",
    "use_cyclic_v",
    "use_endpoint_u",
    "use_endpoint_v",
)
"""The same of a spline."""


@dataclass(frozen=True)
class Numbering:
    """How the vertices of what an object draws came to their numbers.

    Attributes:
        ordered: By construction, see :class:`~animerun_gen.motion.geometry.FrameGeometry`.
        single: Without copies, likewise.
        ranked: Whether copies are told apart by which of them comes first (what an Array makes).
        cached: Whether they come from a file, whose numbers mean what its faces say.
    """

    ordered: bool = False
    single: bool = False
    ranked: bool = False
    cached: bool = False


@dataclass(frozen=True)
class MeshIdentities:
    """What the vertices of one mesh carry.

    Attributes:
        identities: ``(n,)`` uint64, 0 for none.
        digest: Of the identities in their order.
        distinct: Whether all have one, no two the same.
        complete: Whether all have one.
    """

    identities: npt.NDArray[np.uint64]
    digest: bytes
    distinct: bool
    complete: bool


def number_vertices() -> list[str]:
    """Give every vertex of every mesh of the open file its identity, before anything is evaluated.

    Returns:
        What the user should know, a sentence each.
    """
    refused = []
    for mesh in sorted(bpy.data.meshes, key=lambda mesh: mesh.name_full):
        if len(mesh.vertices) == 0:
            continue
        name = mesh.name_full
        try:
            for attribute, numbers in zip(NAMES, random_numbers(name, len(mesh.vertices)), strict=True):
                layer = mesh.attributes.get(attribute) or mesh.attributes.new(attribute, "FLOAT", "POINT")
                versions.write_values(layer.data, "value", numbers)
        except (RuntimeError, AttributeError, TypeError):
            refused.append(name)
    if not refused:
        return []
    listed = and_more([f"'{name}'" for name in refused], 8)
    return [
        f"{len(refused)} meshes cannot carry identities of their vertices: {listed}; where a modifier numbers their "
        "vertices anew, their motion is unknown"
    ]


def random_numbers(name: str, count: int) -> npt.NDArray[np.float32]:
    """``(3, count)`` float32 between 1 and 2, the same in every process; others for every mesh."""
    digest = int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest(), "little")
    drawn = scramble(np.arange(3 * count, dtype=np.uint64) + np.uint64(digest)) >> np.uint64(64 - IDENTITY_BITS)
    # the middle of a step: what rounding leaves of a mixture does not take it to the next one
    middle: npt.NDArray[np.float32] = (1.0 + (drawn + 0.5) / 2.0**IDENTITY_BITS).astype(np.float32)
    return middle.reshape(3, -1)


class IdentityReader:
    """Reads what the meshes of one frame carry, and how they came to their numbers."""

    def __init__(self) -> None:
        self._trees: dict[str, _Tree] = {}
        self._objects: dict[str, Numbering] = {}

    def numbering(self, drawn: bpy.types.Object) -> Numbering:
        """How the vertices of an evaluated object are numbered in the current frame."""
        name = drawn.original.name_full
        if name not in self._objects:
            # an object that, by way of others, brings in itself
            self._objects[name] = Numbering()
            self._objects[name] = self._numbering(drawn)
        return self._objects[name]

    def stands_on_one_each(self, drawn: bpy.types.Object) -> bool:
        """Whether no two of the points that an evaluated object's nodes put instances on are copies of each other."""
        keeping = (DEFORMING | BUILDING | PICKING) - {"BEVEL", "EDGE_SPLIT", "EXPLODE"}
        for modifier in drawn.modifiers:
            if not modifier.show_render or modifier.type in keeping:
                continue
            if modifier.type != "NODES":
                return False
            if modifier.node_group is not None and not self._tree(modifier.node_group).one_each:
                return False
        return True

    def _numbering(self, drawn: bpy.types.Object) -> Numbering:
        modifiers = [modifier for modifier in drawn.modifiers if modifier.show_render]
        kind = drawn.original.type
        if kind not in {"MESH", "CURVE", "SURFACE", "FONT"}:
            return Numbering()
        if any(modifier.type == CACHED for modifier in modifiers):
            others = [modifier for modifier in modifiers if modifier.type != CACHED]
            follows = all(modifier.type in DEFORMING | BUILDING for modifier in others)
            return Numbering(single=follows, cached=True)
        ordered = all(self._is_ordered(modifier) for modifier in modifiers)
        copying = [modifier for modifier in modifiers if modifier.type in COPYING]
        if len(copying) > 1 and any(each.type == "ARRAY" and each.fit_type != "FIXED_COUNT" for each in copying):
            ordered = False
        if kind != "MESH":
            return Numbering(ordered=ordered and not _shifts(modifiers) and not _slides(drawn.original.data))
        ranked = _is_one_array(modifiers)
        single = ranked or _copies_once_turned(modifiers) or all(self._is_single(modifier) for modifier in modifiers)
        # the same mesh twice is a copy as well
        brought = [obj.original.data.name_full for obj in _brought_together(drawn)]
        single = single and len(set(brought)) == len(brought)
        return Numbering(ordered, single, ranked)

    def _is_ordered(self, modifier: bpy.types.Modifier) -> bool:
        if modifier.type == "NODES":
            if modifier.node_group is None:
                return True
            tree = self._tree(modifier.node_group)
            # its inputs are set at the modifier
            return tree.ordered and not (tree.asks and _is_animated(modifier))
        if modifier.type == "FLUID":
            return bool(modifier.fluid_type != "DOMAIN")
        if modifier.type == "DECIMATE":
            return bool(modifier.decimate_type == "COLLAPSE")
        if modifier.type == "ARRAY":
            return all(self.numbering(cap).ordered for cap in (modifier.start_cap, modifier.end_cap) if cap is not None)
        return modifier.type in DEFORMING | BUILDING | COPYING

    def _is_single(self, modifier: bpy.types.Modifier) -> bool:
        if modifier.type == "NODES":
            return modifier.node_group is None or self._tree(modifier.node_group).single
        if modifier.type == "BOOLEAN":
            return all(self.numbering(operand).single for operand in _operands(modifier))
        if modifier.type == "FLUID":
            return bool(modifier.fluid_type != "DOMAIN")
        if modifier.type == "DECIMATE" and modifier.decimate_type == "COLLAPSE":
            # a vertex may be moved to a better place and carry what it did: only where all is the same it is the same
            return False
        if modifier.type == "EXPLODE" and modifier.use_edge_cut:
            # a vertex in the middle of a cut edge carries what one of its ends does (4.5.15)
            return False
        return modifier.type in DEFORMING | BUILDING | PICKING

    def _tree(self, tree: bpy.types.NodeTree) -> _Tree:
        name = tree.name_full
        if name not in self._trees:
            self._trees[name] = _Tree()
            self._trees[name] = self._look_at(tree)
        return self._trees[name]

    def _look_at(self, tree: bpy.types.NodeTree) -> _Tree:
        nodes = _used_nodes(tree)
        ordered = not _animates_choices(tree) and all(self._node_is_ordered(node) for node in nodes)
        # what is joined in a zone is joined in every pass
        joins = any(node.bl_idname.startswith(ZONES) for node in nodes) and any(
            node.bl_idname in {"GeometryNodeJoinGeometry", "GeometryNodeMeshBoolean"} for node in nodes
        )
        apart = not _forks(nodes) and not joins
        single = apart and all(self._node_is_single(node) for node in nodes)
        asks = any(_comes_from_outside(plug) for node in nodes for plug in self._choices(node))
        one_each = apart and all(self._keeps_points_apart(node) for node in nodes)
        makes = any(self._node_makes(node) for node in nodes)
        return _Tree(ordered, single, asks, one_each, makes)

    def _node_makes(self, node: bpy.types.Node) -> bool:
        if node.bl_idname == "GeometryNodeGroup":
            return node.node_tree is not None and self._tree(node.node_tree).makes
        return node.bl_idname in PRIMITIVE_NODES | MAKING_NODES or node.bl_idname in BRINGING

    def keeps_identities(self, drawn: bpy.types.Object) -> bool:
        """Whether all vertices of an ordered mesh object must have identities: nothing makes any without.

        A script may have made another mesh of it in between.  What places vertices by the shape is told by identities
        alone.
        """
        shown = [modifier for modifier in drawn.modifiers if modifier.show_render]
        if drawn.original.type != "MESH":
            return False
        if _shifts(shown):
            return True
        trees = [
            modifier.node_group for modifier in shown if modifier.type == "NODES" and modifier.node_group is not None
        ]
        return not any(self._tree(tree).makes for tree in trees) and not any(each.type == "OCEAN" for each in shown)

    def _choices(self, node: bpy.types.Node) -> list[bpy.types.NodeSocket]:
        """The inputs of a node that decide how many points there are, or whose."""
        kind = node.bl_idname
        if kind in SWITCHES:
            return [] if _chooses_values(node) else [node.inputs[SWITCHES[kind]]]
        if kind == "GeometryNodeGroup":
            asks = node.node_tree is not None and self._tree(node.node_tree).asks
            # any of them may lead to a choice inside
            return [plug for plug in node.inputs if plug.type != "GEOMETRY"] if asks else []
        if kind in PRIMITIVE_NODES:
            return [plug for plug in node.inputs if plug.type == "INT"]
        return []

    def _node_is_ordered(self, node: bpy.types.Node) -> bool:
        kind = node.bl_idname
        if not all(_is_settled(plug) for plug in self._choices(node)):
            return False
        if kind == "GeometryNodeGroup":
            return node.node_tree is None or self._tree(node.node_tree).ordered
        if kind in SWITCHES:
            return True
        if kind.startswith(ZONES):
            # several states may change places from frame to frame
            return sum(plug.type == "GEOMETRY" for plug in node.inputs) <= 1
        if kind in BRINGING:
            return self._brings_what_is_ordered(node)
        if any(_is_used(node, name) for name in SELECTING.get(kind, ())):
            return False
        return kind in ORDERED_NODES or kind.startswith(FIELD_NODES)

    def _node_is_single(self, node: bpy.types.Node) -> bool:
        kind = node.bl_idname
        if kind == "GeometryNodeGroup":
            return node.node_tree is None or self._tree(node.node_tree).single
        if kind in BRINGING:
            return not _hands_on_geometry(node)
        if kind in COPYING_NODES:
            return False
        return kind in ORDERED_NODES | PICKING_NODES or kind in SWITCHES or kind.startswith(FIELD_NODES)

    def _keeps_points_apart(self, node: bpy.types.Node) -> bool:
        kind = node.bl_idname
        if kind == "GeometryNodeGroup":
            return node.node_tree is None or self._tree(node.node_tree).one_each
        if kind in BRINGING:
            # what is instanced is nothing to stand on
            links = [link for plug in node.outputs if plug.type == "GEOMETRY" for link in plug.links]
            return all(link.to_socket.name == "Instance" for link in links)
        if kind == "GeometryNodeSplitEdges":
            return False
        return kind == "GeometryNodeInstanceOnPoints" or self._node_is_single(node)

    def _brings_what_is_ordered(self, node: bpy.types.Node) -> bool:
        if not _hands_on_geometry(node):
            return True
        plug = node.inputs[BRINGING[node.bl_idname]]
        brought = None if plug.is_linked else plug.default_value
        if brought is None:
            return not plug.is_linked
        objects = [brought] if isinstance(brought, bpy.types.Object) else list(brought.all_objects)
        return all(self.numbering(obj).ordered for obj in objects)


@dataclass(frozen=True)
class _Tree:
    """What a group of geometry nodes does to numbers.

    Attributes:
        ordered: As in :class:`Numbering`, as long as what it is asked to choose stays the same.
        single: As in :class:`Numbering`.
        asks: Whether counts, levels or choices come from outside.
        one_each: Whether no point that instances stand on is a copy of another.
        makes: Whether it makes points without identities.
    """

    ordered: bool = False
    single: bool = False
    asks: bool = False
    one_each: bool = False
    makes: bool = False


def read_identities(mesh: bpy.types.Mesh, numbering: Numbering) -> MeshIdentities:
    """What the vertices of an evaluated mesh carry.

    Args:
        mesh: The mesh.
        numbering: How it came to its numbers.
    """
    if numbering.cached:
        return _of_file(mesh)
    carried = read_carried(mesh.attributes, len(mesh.vertices))
    digest = hashlib.blake2b(carried.data, digest_size=16, key=b"ranked" if numbering.ranked else b"")
    return _KNOWN.get(digest.digest(), lambda: _identities(carried, numbering.ranked))


def read_carried(attributes: bpy.types.AttributeGroup, count: int) -> npt.NDArray[np.float32]:
    """What points carry, ``(3, count)`` float32; zeros where they carry nothing."""
    carried = np.zeros((3, count), np.float32)
    for name, numbers in zip(NAMES, carried, strict=True):
        attribute = attributes.get(name)
        if attribute is not None and attribute.domain == "POINT" and attribute.data_type == "FLOAT":
            attribute.data.foreach_get("value", numbers)
    return carried


class _Known:
    """Identities by the digest of what they were made from: most meshes carry the same in every frame."""

    def __init__(self) -> None:
        self._newest: dict[bytes, MeshIdentities] = {}
        self._older: dict[bytes, MeshIdentities] = {}

    def get(self, digest: bytes, make: Callable[[], npt.NDArray[np.uint64]]) -> MeshIdentities:
        found = self._newest.get(digest) or self._older.get(digest)
        if found is None:
            identities = make()
            complete = bool((identities != 0).all())
            distinct = complete and len(np.unique(identities)) == len(identities)
            found = MeshIdentities(identities, digest, distinct, complete)
        self._newest[digest] = found
        return found

    def forget(self) -> None:
        """A frame begins: what neither it nor the one before needs is dropped."""
        self._older, self._newest = self._newest, {}


_KNOWN = _Known()


def begin_frame() -> None:
    """Tell that another frame is about to be read, so that what it does not need is not kept."""
    _KNOWN.forget()


def curve_numbering(curve: bpy.types.Curve) -> bytes:
    """A digest of what numbers the vertices of a curve's or text's surface; ``curve`` is evaluated."""
    parts: list[object] = [curve.original.name_full]
    parts += [getattr(curve, name, None) for name in CURVE_NUMBERING]
    # whether there is a rim at all, not how wide
    parts += [curve.bevel_depth != 0.0, curve.extrude != 0.0]
    for spline in curve.splines:
        parts += [getattr(spline, name, None) for name in SPLINE_NUMBERING]
        parts += [len(spline.points), len(spline.bezier_points)]
        if spline.type == "BEZIER":
            handles = np.empty((2, len(spline.bezier_points)), np.int32)
            for side, row in zip(("handle_left_type", "handle_right_type"), handles, strict=True):
                spline.bezier_points.foreach_get(side, row)
            parts.append(handles.tobytes())
    bevel = curve.bevel_object
    if curve.bevel_mode == "OBJECT" and bevel is not None and isinstance(bevel.data, bpy.types.Curve):
        parts += [bevel.original.name_full, len(bevel.data.splines)]
        parts += [getattr(spline, name, None) for spline in bevel.data.splines for name in SPLINE_NUMBERING]
    return hashlib.blake2b(repr(parts).encode(), digest_size=16).digest()


def _identities(carried: npt.NDArray[np.float32], ranked: bool) -> npt.NDArray[np.uint64]:
    identities = pack(carried)
    if ranked:
        known = identities != 0
        identities[known] = scramble(identities[known] ^ ranks(identities[known]))
    return identities


def ranks(keys: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """How many equal keys come before each."""
    order = np.argsort(keys, kind="stable")
    begins = np.flatnonzero(np.r_[True, keys[order][1:] != keys[order][:-1]])
    ranks = np.empty(len(keys), np.uint64)
    ranks[order] = np.arange(len(keys)) - np.repeat(begins, np.diff(np.r_[begins, len(keys)]))
    return ranks


def _of_file(mesh: bpy.types.Mesh) -> MeshIdentities:
    """Identities of a mesh from a file, which has no others than its faces: see :mod:`animerun_gen.motion.parts`."""
    count = len(mesh.vertices)
    corners = versions.corner_vertices(mesh)
    faces = np.empty(len(mesh.polygons), np.int32)
    mesh.polygons.foreach_get("loop_start", faces)
    laid = []
    for layer in mesh.uv_layers:
        uvs = np.empty(2 * len(corners), np.float32)
        layer.uv.foreach_get("vector", uvs)
        laid.append(uvs)
    digest = hashlib.blake2b(count.to_bytes(8, "little"), digest_size=16)
    for part in (faces, corners, *laid):
        digest.update(part.data)
    return _KNOWN.get(digest.digest(), lambda: parts.identities_by_faces(count, faces, corners, laid))


def _operands(modifier: bpy.types.Modifier) -> list[bpy.types.Object]:
    if modifier.operand_type == "COLLECTION":
        return list(modifier.collection.all_objects) if modifier.collection is not None else []
    return [modifier.object] if modifier.object is not None else []


def _is_one_array(modifiers: list[bpy.types.Modifier]) -> bool:
    """Whether one Array makes all the copies there are, one after the other, of something without copies."""
    arrays = [index for index, modifier in enumerate(modifiers) if modifier.type == "ARRAY"]
    if len(arrays) != 1 or modifiers[arrays[0]].use_merge_vertices:
        return False
    if modifiers[arrays[0]].start_cap is not None or modifiers[arrays[0]].end_cap is not None:
        return False
    # a split edge would be a copy more
    others = DEFORMING | {"MULTIRES", "SUBSURF", "TRIANGULATE"}
    return all(modifier.type in others for modifier in modifiers if modifier.type != "ARRAY")


def _copies_once_turned(modifiers: list[bpy.types.Modifier]) -> bool:
    """Whether there is one copy, turned inside out, which the order of its corners tells apart."""
    turning = [modifier for modifier in modifiers if _turns_its_copy(modifier)]
    # nodes and Booleans may turn faces themselves, and others make faces across the seam
    keeping = DEFORMING | BUILDING | {"BUILD", "MASK"}
    if len(turning) != 1 or _is_animated(turning[0]):
        return False
    return all(each.type in keeping for each in modifiers if each != turning[0])


def _is_animated(modifier: bpy.types.Modifier) -> bool:
    """Whether keys, strips or drivers change anything of a modifier."""
    path = f'modifiers["{bpy.utils.escape_identifier(modifier.name)}"]'
    return versions.animates(modifier.id_data.original, path)


def _turns_its_copy(modifier: bpy.types.Modifier) -> bool:
    if modifier.type == "SOLIDIFY":
        return True
    return modifier.type == "MIRROR" and sum(modifier.use_axis) == 1


def _shifts(modifiers: list[bpy.types.Modifier]) -> bool:
    """Whether any modifier places vertices by the shape."""
    return any(each.type in SHIFTING or (each.type == "MIRROR" and any(each.use_bisect_axis)) for each in modifiers)


def _slides(curve: bpy.types.ID) -> bool:
    """Whether a curve is drawn from one place along it to another, so that the shape decides which rings there are."""
    if not isinstance(curve, bpy.types.Curve):
        return False
    sides = (
        (curve.bevel_factor_start, curve.bevel_factor_mapping_start, 0.0),
        (
            curve.bevel_factor_end,
            curve.bevel_factor_mapping_end,
            1.0,
        ),
    )
    return any(factor != whole and mapping != "RESOLUTION" for factor, mapping, whole in sides)


def _brought_together(drawn: bpy.types.Object, depth: int = 8) -> list[bpy.types.Object]:
    """An object and all operands of its Booleans, and theirs."""
    found = [drawn]
    for modifier in drawn.modifiers if depth else ():
        if modifier.show_render and modifier.type == "BOOLEAN":
            for operand in _operands(modifier):
                found += _brought_together(operand, depth - 1)
    return [obj for obj in found if obj.data is not None]


def recipe(drawn: bpy.types.Object) -> bytes:
    """A digest of which modifiers made an evaluated mesh, with the counts and choices of those that build or copy.

    Numbers by construction last as long as the construction does.
    """
    parts: list[object] = []
    for modifier in drawn.modifiers:
        if not modifier.show_render:
            continue
        parts += [modifier.type, modifier.name]
        if modifier.type in BUILDING | COPYING:
            for setting in modifier.bl_rna.properties:
                if setting.type in {"BOOLEAN", "INT", "ENUM"} and not setting.identifier.startswith(("show_", "is_")):
                    value = getattr(modifier, setting.identifier)
                    parts.append(tuple(value) if getattr(setting, "is_array", False) else value)
    return hashlib.blake2b(repr(parts).encode(), digest_size=8).digest() if parts else b""


def _used_nodes(tree: bpy.types.NodeTree) -> list[bpy.types.Node]:
    """The nodes that the result of a group depends on."""
    arriving: dict[str, list[bpy.types.Node]] = {}
    for link in tree.links:
        if link.is_valid and not link.is_muted:
            arriving.setdefault(link.to_node.name, []).append(link.from_node)
    waiting = [node for node in tree.nodes if node.bl_idname == "NodeGroupOutput" and node.is_active_output]
    used: dict[str, bpy.types.Node] = {}
    while waiting:
        node = waiting.pop()
        if node.name in used:
            continue
        used[node.name] = node
        waiting += arriving.get(node.name, [])
        # a zone begins at a node that need not be linked with its end
        waiting += [other for other in tree.nodes if getattr(other, "paired_output", None) == node]
    return [node for node in used.values() if not node.mute]


def _forks(nodes: list[bpy.types.Node]) -> bool:
    """Whether one geometry goes two ways, which may come together again."""
    links: dict[str, int] = {}
    for node in nodes:
        for plug in node.outputs:
            if plug.type == "GEOMETRY":
                # several nodes stand for the group's one input
                place = "input" if node.bl_idname == "NodeGroupInput" else node.name
                key = f"{place}/{plug.identifier}"
                links[key] = links.get(key, 0) + len(plug.links)
    return any(count > 1 for count in links.values())


def _hands_on_geometry(node: bpy.types.Node) -> bool:
    return any(plug.type == "GEOMETRY" and plug.is_linked for plug in node.outputs)


def _chooses_values(node: bpy.types.Node) -> bool:
    kind = getattr(node, "input_type", None) or getattr(node, "data_type", None)
    return kind not in {None, "GEOMETRY", "OBJECT", "COLLECTION"}


def _is_used(node: bpy.types.Node, name: str) -> bool:
    """Whether an input is linked, or a choice that is switched on by hand."""
    plug = node.inputs.get(name)
    if plug is None:
        return False
    # everything is selected, nothing is picked, unless somebody says otherwise
    return bool(plug.is_linked or plug.default_value != (name in {"Selection", "Realize All"}))


def _sources(plug: bpy.types.NodeSocket) -> list[bpy.types.Node]:
    """The nodes that an input's value comes from, behind all reroutes."""
    found, waiting, seen = [], [plug], set()
    while waiting:
        for link in waiting.pop().links:
            node = link.from_node
            if node.bl_idname != "NodeReroute":
                found.append(node)
            elif node.name not in seen:
                seen.add(node.name)
                waiting.append(node.inputs[0])
    return found


def _is_settled(plug: bpy.types.NodeSocket) -> bool:
    """Whether an input keeps its value, unless keys or drivers change it or what the group is given."""
    return all(node.bl_idname in CONSTANT_NODES | {"NodeGroupInput"} for node in _sources(plug))


def _comes_from_outside(plug: bpy.types.NodeSocket) -> bool:
    return any(node.bl_idname == "NodeGroupInput" for node in _sources(plug))


def _animates_choices(tree: bpy.types.NodeTree) -> bool:
    """Whether keys or drivers change a count, a level or a switch inside a group."""
    animation = tree.animation_data
    if animation is None:
        return False
    curves = [*versions.fcurves(tree), *versions.nla_fcurves(tree), *animation.drivers]
    return not all(_is_harmless(tree, curve.data_path) for curve in curves)


def _is_harmless(tree: bpy.types.NodeTree, path: str) -> bool:
    """Whether what is animated in a group is a measure that a node of it works with, and no choice."""
    node_path, found, _ = path.rpartition(".inputs[")
    try:
        value = tree.path_resolve(path)
        node = tree.path_resolve(node_path) if found else None
    except ValueError:
        return False
    if node is None or node.bl_idname == "GeometryNodeGroup" or node.bl_idname in SWITCHES:
        return False
    return not isinstance(value, int | str)
