"""What is taken down of one frame: cameras, meshes and the instances that are drawn, as plain arrays.

Nothing here knows Blender.  A vertex of a mesh is given in the mesh's own coordinates; an instance places a mesh in
the world; the camera projects the world onto the picture.  All matrices are float64 and act on column vectors.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

Float64Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Camera:
    """A camera at one frame.

    Attributes:
        name: Which camera it is; a change of name between two frames is a cut.
        world: ``(4, 4)``, camera to world, rotation and location only.
        projection: ``(4, 4)``, camera to clip coordinates (OpenGL: the camera looks along -z), with lens, sensor fit,
            shift, scale and the picture's shape all in it.
        clip_start: Nearest distance along the view axis that is drawn, in scene units.
        clip_end: Farthest distance along the view axis that is drawn, in scene units.
        width: Picture width in pixels.
        height: Picture height in pixels.
    """

    name: str
    world: Float64Array
    projection: Float64Array
    clip_start: float
    clip_end: float
    width: int
    height: int

    @property
    def is_orthographic(self) -> bool:
        """Whether rays are parallel: the last row of the projection is then ``(0, 0, 0, 1)``."""
        return bool(self.projection[3, 2] == 0.0)

    def pixel_matrix(self) -> Float64Array:
        """The matrix from the world to homogeneous pixels.

        Returns:
            ``(4, 4)`` float64, world point ``(x, y, z, 1)`` to ``(px * w, py * w, depth', w)`` with ``(px, py)`` in the
            project's pixel coordinates.  ``w`` is the distance along the view axis for a perspective camera and 1 for
            an orthographic one; the third row is the distance along the view axis for both.
        """
        half_width, half_height = 0.5 * self.width, 0.5 * self.height
        to_pixels = np.array(
            [
                [half_width, 0.0, 0.0, half_width - 0.5],
                [0.0, -half_height, 0.0, half_height - 0.5],
                [0.0, 0.0, 0.0, 0.0],
                [0.0, 0.0, 0.0, 1.0],
            ]
        )
        view = np.linalg.inv(self.world)
        matrix = to_pixels @ self.projection @ view
        matrix[2] = -view[2]
        return matrix


@dataclass(frozen=True)
class Masks:
    """Images that say where a surface has holes, one after the other; the same for all frames of a cut.

    Attributes:
        texels: ``(N,)`` uint8, 1 where a texel is a hole; row by row, the lowest row (``v = 0``) of each mask first.
        start: ``(K + 1,)`` int64, first texel of each mask.
        size: ``(K, 2)`` int64, rows and columns of each mask.
        extension: ``(K,)`` uint8, what lies beyond the unit square of texture coordinates: :data:`REPEAT`,
            :data:`EXTEND`, :data:`CLIP` or :data:`MIRROR`.
    """

    texels: npt.NDArray[np.uint8]
    start: npt.NDArray[np.int64]
    size: npt.NDArray[np.int64]
    extension: npt.NDArray[np.uint8]


REPEAT, EXTEND, CLIP, MIRROR = range(4)
"""What lies beyond a mask: the mask again, its border, a hole, or the mask reversed again and again."""


@dataclass(frozen=True)
class Holes:
    """Where the surfaces of a frame have holes, for its ``M`` meshes and the ``S`` slots of its instances.

    A point between three corners is a hole if the texel is one that holds the point's texture coordinates, mixed from
    those of the corners as the point is from their places; no texels are mixed.

    Attributes:
        uvs: ``(U, 3, 2)`` float32, texture coordinates of the corners of all triangles of the meshes that need them.
        uv_start: ``(M,)`` int64, first entry of each mesh in ``uvs``; -1 where it has none, and no holes.
        slot_masks: ``(S,)`` int32, the mask of each slot of each instance, -1 for none; entries are those of
            :attr:`FrameGeometry.slot_materials`.
        masks: The masks.
    """

    uvs: npt.NDArray[np.float32]
    uv_start: npt.NDArray[np.int64]
    slot_masks: npt.NDArray[np.int32]
    masks: Masks


@dataclass(frozen=True)
class Normals:
    """The normals by which a renderer shades ``M`` meshes of a frame: smooth, sharp or the artist's own.

    Attributes:
        vectors: ``(N, 3)`` float32, normals in mesh coordinates, those of all meshes one after the other.
        vector_start: ``(M,)`` int64, first normal of each mesh.
        corners: ``(C, 3)`` int32, which normal each corner of a triangle has, counted within the mesh, for the meshes
            whose normals belong to corners.
        corner_start: ``(M,)`` int64, first entry of each mesh in ``corners``; -1 where normals belong to vertices, so
            that they are found by the numbers in :attr:`FrameGeometry.triangles`.
    """

    vectors: npt.NDArray[np.float32]
    vector_start: npt.NDArray[np.int64]
    corners: npt.NDArray[np.int32]
    corner_start: npt.NDArray[np.int64]


@dataclass(frozen=True)
class MarkedEdges:
    """The edges of ``M`` meshes that someone marked as lines (Blender: for Freestyle).

    Attributes:
        vertices: ``(E, 2)`` int32, both ends of each, counted within the mesh.
        start: ``(M + 1,)`` int64, first edge of each mesh.
    """

    vertices: npt.NDArray[np.int32]
    start: npt.NDArray[np.int64]


@dataclass(frozen=True)
class FrameGeometry:
    """Everything that a frame's picture shows, as arrays; meshes are stored once however often they are drawn.

    ``M`` meshes, ``I`` instances, ``V`` vertices and ``T`` triangles of all meshes together.

    Attributes:
        frame: Frame number.
        camera: The camera of that frame.
        vertices: ``(V, 3)`` float32, mesh coordinates.
        triangles: ``(T, 3)`` int32, vertex numbers counted within the mesh.
        triangle_slots: ``(T,)`` int32, material slot of each triangle.
        vertex_start: ``(M + 1,)`` int64, first vertex of each mesh.
        triangle_start: ``(M + 1,)`` int64, first triangle of each mesh.
        topologies: ``M`` digests of the faces over vertex numbers, and of what else numbers the vertices (of curves).
        identities: ``(V,)`` uint64, what tells which vertex of the film's own meshes each vertex is; 0 where nothing
            does, see :mod:`~animerun_gen.motion.identity`.
        numberings: ``M`` digests of the identities in their order.
        distinct: ``(M,)`` bool, whether all vertices of the mesh have identities, no two the same.
        keys: ``I`` names, unique in the frame, that find the same instance at another frame.
        mesh: ``(I,)`` int32, mesh of each instance.
        matrices: ``(I, 4, 4)`` float64, mesh to world.
        object_ids: ``(I,)`` uint16, see the cut's table of names.
        ordered: ``(I,)`` bool, whether all that made the mesh numbers its vertices by construction, so that equal
            faces over equal identities mean equal surface points.
        single: ``(I,)`` bool, whether nothing that made the mesh copies vertices, so that what has an identity is the
            only one that has it, in every frame.
        modifiers: ``I`` lists of the modifiers that a render applies, as text.
        slot_start: ``(I + 1,)`` int64, first entry of each instance in ``slot_materials``.
        slot_materials: ``(S,)`` uint16, material id of every slot of every instance.
        holes: Where surfaces have holes; None where none has.
        normals: The normals that it is shaded by; None where nobody asked for them.
        owner_ids: ``(I,)`` uint16, the object of the scene that shows each instance: the object itself, or whatever
            makes the instance (an instancer, an emitter); None where nobody took that down.
        marked_edges: The edges that are marked as lines; None where nobody asked for them.
        faces: ``(T,)`` int32, which face of its mesh each triangle is a part of, ascending and counted within the mesh;
            None where nobody asked.
    """

    frame: int
    camera: Camera
    vertices: npt.NDArray[np.float32]
    triangles: npt.NDArray[np.int32]
    triangle_slots: npt.NDArray[np.int32]
    vertex_start: npt.NDArray[np.int64]
    triangle_start: npt.NDArray[np.int64]
    topologies: tuple[bytes, ...]
    identities: npt.NDArray[np.uint64]
    numberings: tuple[bytes, ...]
    distinct: npt.NDArray[np.bool_]
    keys: tuple[str, ...]
    mesh: npt.NDArray[np.int32]
    matrices: Float64Array
    object_ids: npt.NDArray[np.uint16]
    ordered: npt.NDArray[np.bool_]
    single: npt.NDArray[np.bool_]
    modifiers: tuple[str, ...]
    slot_start: npt.NDArray[np.int64]
    slot_materials: npt.NDArray[np.uint16]
    holes: Holes | None = None
    normals: Normals | None = None
    owner_ids: npt.NDArray[np.uint16] | None = None
    marked_edges: MarkedEdges | None = None
    faces: npt.NDArray[np.int32] | None = None

    def mesh_vertices(self, mesh: int) -> npt.NDArray[np.float32]:
        """The ``(n, 3)`` float32 vertices of one mesh, in its own coordinates (a view)."""
        return self.vertices[self.vertex_start[mesh] : self.vertex_start[mesh + 1]]

    def mesh_triangles(self, mesh: int) -> npt.NDArray[np.int32]:
        """The ``(n, 3)`` int32 triangles of one mesh, vertices counted within it (a view)."""
        return self.triangles[self.triangle_start[mesh] : self.triangle_start[mesh + 1]]

    def mesh_faces(self, mesh: int) -> npt.NDArray[np.int32]:
        """The ``(n,)`` int32 faces that the triangles of one mesh are parts of; each is one where that is not known."""
        first, last = self.triangle_start[mesh : mesh + 2]
        if self.faces is None:
            return np.arange(last - first, dtype=np.int32)
        return self.faces[first:last]

    def mesh_identities(self, mesh: int) -> npt.NDArray[np.uint64]:
        """The ``(n,)`` uint64 identities of one mesh's vertices (a view)."""
        return self.identities[self.vertex_start[mesh] : self.vertex_start[mesh + 1]]

    def mesh_uvs(self, mesh: int) -> npt.NDArray[np.float32]:
        """The ``(n, 3, 2)`` float32 texture coordinates by which one mesh has holes (a view), ``n`` = 0 without any."""
        if self.holes is None or self.holes.uv_start[mesh] < 0:
            return np.empty((0, 3, 2), np.float32)
        first = self.holes.uv_start[mesh]
        return self.holes.uvs[first : first + self.triangle_start[mesh + 1] - self.triangle_start[mesh]]

    def instance_pixel_matrices(self) -> Float64Array:
        """``(I, 4, 4)`` float64: mesh coordinates to homogeneous pixels (see :meth:`Camera.pixel_matrix`)."""
        return np.ascontiguousarray(self.camera.pixel_matrix() @ self.matrices)

    def sharing(self, other: FrameGeometry) -> FrameGeometry:
        """The same frame, whose triangles and identities are kept only once for both frames where they are equal.

        Of a heavy scene they are three quarters of the memory, and several frames have to be kept at a time.
        """
        shared = self
        if self.numberings == other.numberings and len(self.identities) == len(other.identities):
            shared = replace(shared, identities=other.identities)
        same = (
            self.topologies == other.topologies
            and np.array_equal(self.triangles, other.triangles)
            and np.array_equal(self.triangle_slots, other.triangle_slots)
        )
        if not same:
            return shared
        shared = replace(shared, triangles=other.triangles, triangle_slots=other.triangle_slots)
        if shared.faces is not None and other.faces is not None:
            # topologies tell of the faces, too
            shared = replace(shared, faces=other.faces)
        return shared
