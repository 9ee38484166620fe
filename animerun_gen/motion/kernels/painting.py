"""Pictures of what each pixel sees: materials and normals."""

from __future__ import annotations

import numpy as np

from animerun_gen import compiled
from animerun_gen.motion.kernels.holes import slot_of
from animerun_gen.motion.kernels.projection import corners_of, matrix_rows, transform

kernel = compiled.kernels(__name__, error_model="numpy", allocates=False)


@kernel
def paint_objects(instance_buffer, object_ids, background, ids):  # type: ignore[no-untyped-def]
    """Fill ``ids``, with ``background`` where no surface is seen."""
    height, width = instance_buffer.shape
    for row in range(height):
        for column in range(width):
            i = instance_buffer[row, column]
            ids[row, column] = object_ids[i] if i >= 0 else background


@kernel
def paint_materials(instance_buffer, triangle_buffer, meshes, slots, no_material, ids):  # type: ignore[no-untyped-def]
    """Fill ``ids`` where a surface is seen; ``slots`` are those of the triangles, and of the instances."""
    height, width = instance_buffer.shape
    for row in range(height):
        for column in range(width):
            i = instance_buffer[row, column]
            if i >= 0:
                ids[row, column] = _material(meshes, slots, i, triangle_buffer[row, column], no_material)


@kernel
def find_switched(seen, twins, source, source_slots, target, target_slots, no_material, switched):  # type: ignore[no-untyped-def]
    """Fill ``switched`` (H, W) where a surface wears another material in the target frame.

    ``seen`` are the instance and the triangle of each pixel, ``twins`` the same of its counterpart, an instance below
    zero where there is none.
    """
    instance_buffer, triangle_buffer = seen
    twin_instance, twin_triangle = twins
    height, width = instance_buffer.shape
    for row in range(height):
        last_i = last_triangle = -1
        other = False
        for column in range(width):
            j = twin_instance[row, column]
            if j < 0:
                switched[row, column] = False
                continue
            i, triangle = instance_buffer[row, column], triangle_buffer[row, column]
            # neighbours mostly show the same triangle
            if i != last_i or triangle != last_triangle:
                last_i, last_triangle = i, triangle
                here = _material(source, source_slots, i, triangle, no_material)
                other = here != _material(target, target_slots, j, twin_triangle[row, column], no_material)
            switched[row, column] = other


@kernel
def _material(meshes, slots, i, triangle, no_material):  # type: ignore[no-untyped-def]
    """The material of a triangle, counted within its mesh, of an instance."""
    triangle_slots, slot_start, slot_materials = slots
    slot = slot_of(triangle_slots, slot_start, i, meshes.triangle_start[meshes.mesh[i]] + triangle)
    return slot_materials[slot] if slot >= 0 else no_material


@kernel
def paint_normals(instance_buffer, triangle_buffer, meshes, is_orthographic, normals):  # type: ignore[no-untyped-def]
    """Fill ``normals`` where a surface is seen; the matrices of ``meshes`` lead to camera coordinates."""
    height, width = instance_buffer.shape
    for row in range(height):
        last_i = last_triangle = -1
        normal = (0.0, 0.0, 0.0)
        for column in range(width):
            i = instance_buffer[row, column]
            triangle = triangle_buffer[row, column]
            if i < 0:
                continue
            # neighbours mostly show the same triangle
            if i != last_i or triangle != last_triangle:
                matrix = matrix_rows(meshes.matrices, i)
                m = meshes.mesh[i]
                p, q, r = corners_of(
                    meshes.vertices, meshes.vertex_start[m], meshes.triangles, meshes.triangle_start[m] + triangle
                )
                normal = _normal(transform(matrix, p), transform(matrix, q), transform(matrix, r), is_orthographic)
                last_i, last_triangle = i, triangle
            normals[row, column, 0] = normal[0]
            normals[row, column, 1] = normal[1]
            normals[row, column, 2] = normal[2]


@kernel
def _normal(p, q, r, is_orthographic):  # type: ignore[no-untyped-def]
    """Unit normal of a triangle in camera coordinates, on the side that the camera sees."""
    a = (q[0] - p[0], q[1] - p[1], q[2] - p[2])
    b = (r[0] - p[0], r[1] - p[1], r[2] - p[2])
    x = a[1] * b[2] - a[2] * b[1]
    y = a[2] * b[0] - a[0] * b[2]
    z = a[0] * b[1] - a[1] * b[0]
    length = np.sqrt(x * x + y * y + z * z)
    towards = z if is_orthographic else -(x * p[0] + y * p[1] + z * p[2])
    if towards < 0.0:
        length = -length
    return x / length, y / length, z / length
