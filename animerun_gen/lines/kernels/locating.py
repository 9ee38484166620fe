"""On which triangle of its instance a point of the picture lies, wherever between the pixel centres it is."""

from __future__ import annotations

import numpy as np

from animerun_gen import compiled
from animerun_gen.motion.kernels.holes import is_hole, mask_of
from animerun_gen.motion.kernels.projection import edge_functions, project_mesh, projected_corners, room_for_a_mesh
from animerun_gen.motion.kernels.scan import bounds_of

kernel = compiled.kernels(__name__, error_model="numpy")


@kernel
def locate(meshes, view, holes, order, points, cells, triangle, shares, depth):  # type: ignore[no-untyped-def]
    """Fill in the nearest triangle at each point, what share of its corners the point is, and its depth there.

    Args:
        order: ``(m,)``, the instances on which points lie.
        holes: None where there are none.
        points: ``(x, y, instance)`` of ``n`` points.
        cells: ``(side, columns, start, members)``, which points lie in each cell of the picture.
        triangle: ``(n,)`` int32, -1 at first, counted within the mesh.
        shares: ``(n, 3)`` float64.
        depth: ``(n,)`` float64, infinite at first.
    """
    x, y, instance = points
    side, columns, start, members = cells
    rows = (len(start) - 1) // columns
    clip_start, clip_end = view[0], view[1]
    projected = room_for_a_mesh(meshes)
    for i in order:
        project_mesh(meshes, i, projected)
        mesh = meshes.mesh[i]
        for t in range(meshes.triangle_start[mesh], meshes.triangle_start[mesh + 1]):
            p, q, r = projected_corners(projected, meshes.triangles, t)
            x0, x1, y0, y1 = bounds_of(p, q, r, view, 0.5)
            if x0 > x1:
                continue
            e, f, g = edge_functions(p, q, r)
            if not e[0] <= np.inf:
                continue
            mask, corners = -1, -1
            if holes is not None:
                mask, corners = mask_of(meshes, holes, i, t)
            for row in range(int(y0 / side), min(int((y1 + 1) / side), rows - 1) + 1):
                for column in range(int(x0 / side), min(int((x1 + 1) / side), columns - 1) + 1):
                    cell = row * columns + column
                    for place in range(start[cell], start[cell + 1]):
                        k = members[place]
                        if instance[k] != i:
                            continue
                        u = e[0] * x[k] + e[1] * y[k] + e[2]
                        v = f[0] * x[k] + f[1] * y[k] + f[2]
                        w = g[0] * x[k] + g[1] * y[k] + g[2]
                        if not (u >= 0.0 and v >= 0.0 and w >= 0.0):
                            continue
                        total = u + v + w
                        far = (u * p[2] + v * q[2] + w * r[2]) / total
                        if not (far >= clip_start and far <= clip_end and far < depth[k]):
                            continue
                        if holes is not None and mask >= 0 and is_hole(holes, mask, corners, u, v, w):
                            continue
                        triangle[k] = t - meshes.triangle_start[mesh]
                        shares[k, 0], shares[k, 1], shares[k, 2] = u / total, v / total, w / total
                        depth[k] = far
