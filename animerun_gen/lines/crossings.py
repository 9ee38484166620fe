"""How often the feature edges of a frame cross each other in the picture.

Freestyle cuts its edges where they cross in the picture, and asks for each piece whether it is seen.  What that costs
depends on the number of edges and on that of their crossings, and hardly on anything else: see
:mod:`animerun_gen.lines.cost`.

Everything here is counted from the geometry alone, so it is the same on every machine.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from animerun_gen.lines.feature_edges import FeatureEdges
from animerun_gen.lines.kernels.crossings import count_in_cells, sort_into_cells
from animerun_gen.motion.geometry import FrameGeometry

COUNTED = 100_000
"""Edges whose crossings are counted; of more, a sample of so many is taken."""

CELLS = 128
"""Cells along the longer side of the picture, within which edges are held against each other."""


def count_crossings(edges: FeatureEdges, width: int, height: int, counted: int = COUNTED) -> int:
    """How often feature edges cross each other in the picture.

    Args:
        edges: The edges.
        width: Picture width in pixels.
        height: Picture height in pixels.
        counted: Of more edges than these a sample is taken, always the same one, and what it shows is scaled up.

    Returns:
        The number of pairs that cross, without those that share a vertex or of which neither hides anything.
    """
    total = len(edges)
    if total > counted:
        taken = _sample(total, counted)
        edges = FeatureEdges(edges.ends[taken], edges.points[taken], edges.hides[taken], edges.depths[taken])
    side = max(width, height) / CELLS
    columns, rows = int(width / side) + 1, int(height / side) + 1
    start, members = sort_into_cells(edges.ends, side, columns, rows)
    crossings = count_in_cells(edges.ends, edges.points, edges.hides, side, columns, start, members)
    # both edges of a pair have to be in the sample
    pairs_a_sampled_pair = total * (total - 1) / max(1, len(edges) * (len(edges) - 1))
    return round(crossings * pairs_a_sampled_pair)


def count_grid_visits(geometry: FrameGeometry, edges: FeatureEdges) -> int:
    """How many triangles Freestyle's grid puts before the edges, those of each edge's cell counted for it.

    Under an orthographic camera the grid spans all of the scene, whatever is in the picture, with cells for two thirds
    of a power of the number of triangles: one thing far away, and all others share a cell (4.5.15).  What a perspective
    camera does not see is left out of its grid, whose cells hold few triangles then.

    Args:
        geometry: A frame.
        edges: Its feature edges.

    Returns:
        Their number; 0 for a perspective camera.
    """
    if not geometry.camera.is_orthographic or not len(edges):
        return 0
    centers = []
    for instance, matrix in enumerate(geometry.instance_pixel_matrices()):
        mesh = int(geometry.mesh[instance])
        placed = geometry.mesh_vertices(mesh).astype(np.float64) @ matrix[:2, :3].T + matrix[:2, 3]
        centers.append(placed[geometry.mesh_triangles(mesh)].mean(axis=1))
    middles = 0.5 * (edges.ends[:, :2] + edges.ends[:, 2:])
    places = np.concatenate(centers)
    low = places.min(axis=0)
    width, height = np.maximum(places.max(axis=0) - low, 1e-9)
    side = np.sqrt(width * height) / np.cbrt(len(places))
    columns = int(width / side) + 1
    cells, members = np.unique(np.floor((places - low) / side).astype(np.int64) @ [1, columns], return_counts=True)
    wanted = np.floor((middles - low) / side).astype(np.int64) @ [1, columns]
    found = np.minimum(np.searchsorted(cells, wanted), len(cells) - 1)
    return int(members[found][cells[found] == wanted].sum())


def _sample(total: int, wanted: int) -> npt.NDArray[np.int64]:
    """So many of the numbers below ``total``, spread as if by chance and always the same ones."""
    # a multiplicative hash (Knuth): neighbours, which lie in one place of the picture, are torn apart
    hashed = np.arange(total, dtype=np.uint64) * np.uint64(11400714819323198485)
    return np.sort(np.argsort(hashed, kind="stable")[:wanted])
