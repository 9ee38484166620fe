"""Which surface each pixel centre sees."""

from __future__ import annotations

from animerun_gen import compiled
from animerun_gen.motion.kernels.holes import is_hole, mask_of
from animerun_gen.motion.kernels.projection import edge_functions, project_mesh, projected_corners, room_for_a_mesh
from animerun_gen.motion.kernels.scan import bounds_of, crossing_of, nearest_depth_of, span_in

kernel = compiled.kernels(__name__, error_model="numpy", allocates=False)
allocating = compiled.kernels(__name__, error_model="numpy")


@allocating
def draw(meshes, view, places, holes, top, bottom, instance_buffer, triangle_buffer, depth_buffer):  # type: ignore[no-untyped-def]
    """Fill rows ``top .. bottom`` of the three buffers, which show nothing yet, with what is seen.

    ``holes`` is None where there are none.  What is seen at a pixel does not depend on the rows.
    """
    clip_start, clip_end, _, _ = view
    triangles = meshes.triangles
    projected = room_for_a_mesh(meshes)
    for i in places.order:
        x0, x1, y0, y1 = places.pixels[i]
        y0, y1 = max(y0, top), min(y1, bottom)
        if y0 > y1 or _is_covered(places.nearest[i], x0, x1, y0, y1, depth_buffer):
            continue
        project_mesh(meshes, i, projected)
        base = meshes.triangle_start[meshes.mesh[i]]
        for t in range(base, meshes.triangle_start[meshes.mesh[i] + 1]):
            p, q, r = projected_corners(projected, triangles, t)
            x0, x1, y0, y1 = bounds_of(p, q, r, view, 0.0)
            y0, y1 = max(y0, top), min(y1, bottom)
            if x0 > x1 or y0 > y1:
                continue
            edges = edge_functions(p, q, r)
            crossings = (crossing_of(edges[0]), crossing_of(edges[1]), crossing_of(edges[2]))
            e, f, g = edges
            number = t - base
            nearest = nearest_depth_of(p, q, r)
            if holes is not None:
                mask, corners = mask_of(meshes, holes, i, t)
            for row in range(y0, y1 + 1):
                first, last = span_in(edges, crossings, row, x0, x1)
                for column in range(first, last + 1):
                    seen = depth_buffer[row, column]
                    if seen < nearest:
                        continue
                    u = e[0] * column + e[1] * row + e[2]
                    v = f[0] * column + f[1] * row + f[2]
                    w = g[0] * column + g[1] * row + g[2]
                    depth = (u * p[2] + v * q[2] + w * r[2]) / (u + v + w)
                    if not (depth >= clip_start and depth <= clip_end):
                        continue
                    if depth < seen or (depth == seen and i < instance_buffer[row, column]):
                        if holes is not None:  # noqa: SIM102 (numba takes out what stands behind this test alone)
                            if mask >= 0 and is_hole(holes, mask, corners, u, v, w):
                                continue
                        depth_buffer[row, column] = depth
                        instance_buffer[row, column] = i
                        triangle_buffer[row, column] = number


@kernel
def _is_covered(nearest, x0, x1, y0, y1, depth_buffer):  # type: ignore[no-untyped-def]
    """Whether a rectangle of pixels shows nothing but surfaces in front of a distance."""
    for row in range(y0, y1 + 1):
        for column in range(x0, x1 + 1):
            if not depth_buffer[row, column] < nearest:
                return False
    return True
