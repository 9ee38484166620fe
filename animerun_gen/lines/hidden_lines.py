"""Finds lines that whoever drew them saw through an opaque face.

Freestyle draws the edges of meshes, and asks of each whether faces lie in front of it.  A face that reaches behind the
camera, such as a ground of one quad, is none to it, so that what the ground hides is drawn on it (4.5.15).  But a line
can only be where an edge is: amid a flat piece of one face there is none, unless it is that of something too thin for
any pixel's centre to see it, whose edges lie before the face.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from animerun_gen.lines.feature_edges import find_feature_edges, seen_edges
from animerun_gen.motion.geometry import FrameGeometry
from animerun_gen.motion.raster import BACKGROUND, VisibilityBuffer

FLAT = 1e-5
"""Largest sine of the angle between two faces that are one piece."""


def find_hidden_lines(
    geometry: FrameGeometry,
    seen: VisibilityBuffer,
    strokes: npt.NDArray[np.uint8],
    reach: int,
    crease_angle: float,
    *,
    has_marks: bool = False,
) -> npt.NDArray[np.bool_]:
    """Find the pixels of lines that lie amid a flat piece of one face, where nothing that is seen has an edge.

    Args:
        geometry: The frame.
        seen: What it sees.
        strokes: ``(H, W)`` uint8, 255 where no line is.
        reach: How far from its edge a line reaches, pixels.
        crease_angle: Faces that meet at a smaller angle make a line, degrees.
        has_marks: Whether edges between faces of one plane may be lines too, because someone marked them.

    Returns:
        ``(H, W)`` bool.
    """
    hidden = (strokes < 255) & _amid_pieces(geometry, seen, reach + 1, has_marks)
    if not hidden.any():
        return hidden
    camera = geometry.camera
    edges = find_feature_edges(geometry, crease_angle)
    lines = seen_edges(edges, seen.depth, is_orthographic=camera.is_orthographic).astype(np.uint8)
    size = 2 * (reach + 1) + 1
    return hidden & (cv2.dilate(lines, np.ones((size, size), np.uint8)) == 0)


def _amid_pieces(geometry: FrameGeometry, seen: VisibilityBuffer, reach: int, has_marks: bool) -> npt.NDArray[np.bool_]:
    """The pixels around which nothing but one flat piece of a face is seen, so many pixels far."""
    broken = np.zeros(seen.instance.shape, np.uint8)
    for first, second in ((np.s_[:, :-1], np.s_[:, 1:]), (np.s_[:-1], np.s_[1:])):
        pairs = np.nonzero(
            (seen.instance[first] != seen.instance[second]) | (seen.triangle[first] != seen.triangle[second])
        )
        apart = ~_are_one_piece(
            geometry,
            (seen.instance[first][pairs], seen.instance[second][pairs]),
            (seen.triangle[first][pairs], seen.triangle[second][pairs]),
            has_marks,
        )
        border = tuple(place[apart] for place in pairs)
        broken[first][border] = 1
        broken[second][border] = 1
    size = 2 * reach + 1
    around = cv2.dilate(broken, np.ones((size, size), np.uint8), borderType=cv2.BORDER_REPLICATE)
    return (around == 0) & (seen.instance != BACKGROUND)


def _are_one_piece(
    geometry: FrameGeometry,
    instances: tuple[npt.NDArray[np.int32], npt.NDArray[np.int32]],
    triangles: tuple[npt.NDArray[np.int32], npt.NDArray[np.int32]],
    has_marks: bool,
) -> npt.NDArray[np.bool_]:
    """Whether pairs of triangles are halves of one flat face: of one mesh and material, with a common edge."""
    one = (instances[0] == instances[1]) & (instances[0] != BACKGROUND)
    if has_marks or not one.any():
        return np.zeros(len(one), bool)
    instance = instances[0][one]
    mesh = geometry.mesh[instance]
    numbers = [geometry.triangle_start[mesh] + triangle[one] for triangle in triangles]
    corners = [geometry.triangles[number] for number in numbers]
    shared = (corners[0][:, :, None] == corners[1][:, None, :]).sum(axis=(1, 2))
    slots = [geometry.triangle_slots[number] for number in numbers]
    points = [geometry.vertices[geometry.vertex_start[mesh][:, None] + corner].astype(np.float64) for corner in corners]
    normals = [np.cross(point[:, 1] - point[:, 0], point[:, 2] - point[:, 0]) for point in points]
    lengths = np.linalg.norm(normals[0], axis=1) * np.linalg.norm(normals[1], axis=1)
    turned = np.linalg.norm(np.cross(*normals), axis=1)
    one[one] = (shared >= 2) & (slots[0] == slots[1]) & (turned <= FLAT * lengths) & (lengths > 0)
    return one
