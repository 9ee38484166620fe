"""Why motion is unknown, pixel by pixel, and a continuation of what is known for readers that heed no validity.

The continuation (``motion.unknown: fill``) is no label.  It keeps readers that take every pixel for known from being
thrown off by the mark for unknown motion; what is true of a pixel, ``Valid`` says.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from animerun_gen.motion import raster
from animerun_gen.motion.backdrop import is_same_camera
from animerun_gen.motion.counterparts import NO_INSTANCE, NO_TRIANGLE, find_counterparts
from animerun_gen.motion.flow import Motion
from animerun_gen.motion.geometry import FrameGeometry
from animerun_gen.motion.kernels.continuing import nearest_known
from animerun_gen.motion.raster import VisibilityBuffer
from animerun_gen.motion.thresholds import NO_AREA

CAUSES = (
    "known",
    "background",
    "camera",
    "absent",
    "unproven",
    "no_area",
    "not_drawn",
    "too_far",
)
"""What a number in a map of causes stands for; :data:`animerun_gen.quality.unknown.REASONS` has them in words."""

KNOWN, BACKGROUND, CAMERA, ABSENT, UNPROVEN, WITHOUT_AREA, NOT_DRAWN, TOO_FAR = range(len(CAUSES))


def cause_map(
    source: FrameGeometry, seen: VisibilityBuffer, target: FrameGeometry, motion: Motion
) -> npt.NDArray[np.uint8]:
    """Why the motion of each pixel is unknown.

    Args:
        source: The frame that the motion starts from.
        seen: What it sees.
        target: The frame that it leads to.
        motion: The motion, from :func:`~animerun_gen.motion.flow.compute_motion`.

    Returns:
        ``(H, W)`` uint8, indices into :data:`CAUSES`; 0 exactly where the motion is valid.
    """
    causes = np.zeros(motion.valid.shape, np.uint8)
    if motion.valid.all():
        return causes
    if not is_same_camera(source.camera, target.camera):
        causes[~motion.valid] = CAMERA
        return causes
    rows, columns = np.nonzero(~motion.valid)
    instance, triangle = seen.instance[rows, columns], seen.triangle[rows, columns]
    found = np.full(len(rows), BACKGROUND, np.uint8)
    surface = np.flatnonzero(instance != raster.BACKGROUND)
    instance, triangle = instance[surface], triangle[surface]
    twins = find_counterparts(source, target)
    there = set(target.keys)
    is_there = np.array([key in there for key in source.keys], bool)
    found[surface] = np.where(is_there[instance], UNPROVEN, ABSENT)
    followed = np.flatnonzero(twins.instance[instance] != NO_INSTANCE)
    twin, corners = twins.triangles_of(source, instance[followed], triangle[followed])
    followed, corners = followed[twin != NO_TRIANGLE], corners[twin != NO_TRIANGLE]
    instance, triangle = instance[followed], triangle[followed]
    pixels = np.stack([columns[surface[followed]], rows[surface[followed]]], axis=1)
    after = _corners(target, twins.instance[instance], corners)
    before = _corners(source, instance, source.triangles[source.triangle_start[source.mesh[instance]] + triangle])
    drawn = _are_drawn(before, after, pixels, target.camera.clip_start)
    found[surface[followed]] = np.where(_have_area(after), np.where(drawn, TOO_FAR, NOT_DRAWN), WITHOUT_AREA)
    causes[rows, columns] = found
    return causes


def _corners(
    geometry: FrameGeometry, instance: npt.NDArray[np.integer[Any]], corners: npt.NDArray[np.int32]
) -> npt.NDArray[np.float64]:
    """Homogeneous pixels of the corners of triangles, ``(n, 3, 4)``."""
    first = geometry.vertex_start[geometry.mesh[instance]]
    points = geometry.vertices[first[:, None] + corners].astype(np.float64)
    matrices = geometry.instance_pixel_matrices()[instance]
    moved: npt.NDArray[np.float64] = np.einsum("nij,nkj->nki", matrices[:, :, :3], points) + matrices[:, None, :, 3]
    return moved


def _have_area(corners: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]:
    a, b = corners[:, 1, :3] - corners[:, 0, :3], corners[:, 2, :3] - corners[:, 0, :3]
    across = np.cross(a, b)
    have: npt.NDArray[np.bool_] = (across**2).sum(axis=1) > NO_AREA * (a**2).sum(axis=1) * (b**2).sum(axis=1)
    return have


def _are_drawn(
    before: npt.NDArray[np.float64],
    after: npt.NDArray[np.float64],
    pixels: npt.NDArray[np.int64],
    clip_start: float,
) -> npt.NDArray[np.bool_]:
    """Whether the points that pixels see lie before the other camera, and not nearer than what it draws."""
    drawn = np.zeros(len(pixels), bool)
    planes = before[:, :, [0, 1, 3]].transpose(0, 2, 1)
    # a triangle that is seen edge-on has no point that a pixel names
    sound = np.linalg.matrix_rank(planes) == 3
    if sound.any():
        rays = np.concatenate([pixels[sound], np.ones((int(sound.sum()), 1))], axis=1)
        shares = np.linalg.solve(planes[sound], rays[..., None])[..., 0]
        shares /= shares.sum(axis=1, keepdims=True)
        points = np.einsum("nk,nki->ni", shares, after[sound])
        drawn[sound] = (points[:, 3] > 0.0) & (points[:, 2] >= clip_start)
    return drawn


def describe_unknown(
    causes: npt.NDArray[np.uint8], object_ids: npt.NDArray[np.uint16], names: Mapping[int, str]
) -> list[dict[str, Any]]:
    """Which pixels of a frame have no known motion, and why.

    Args:
        causes: ``(H, W)`` uint8, from :func:`cause_map`.
        object_ids: ``(H, W)`` uint16, which object each pixel shows.
        names: What the ids stand for.

    Returns:
        For each object and cause, the largest first: ``"object"``, its name; ``"cause"``, one of :data:`CAUSES`;
        ``"pixels"``, how many; ``"box"``, the columns and rows that hold them, ``[left, top, right, bottom]``, all
        included.  The pixels themselves are those of the object at which ``Valid`` is 0.

    Example:
        >>> describe_unknown(np.uint8([[0, 3]]), np.uint16([[1, 2]]), {2: "Bulb"})
        [{'object': 'Bulb', 'cause': 'absent', 'pixels': 1, 'box': [1, 0, 1, 0]}]
    """
    rows, columns = np.nonzero(causes)
    kinds = object_ids[rows, columns].astype(np.int64) * len(CAUSES) + causes[rows, columns]
    found = []
    for kind in np.unique(kinds).tolist():
        own = kinds == kind
        number, cause = divmod(kind, len(CAUSES))
        box = [columns[own].min(), rows[own].min(), columns[own].max(), rows[own].max()]
        found.append(
            {
                "object": names.get(number, ""),
                "cause": CAUSES[cause],
                "pixels": int(own.sum()),
                "box": [int(edge) for edge in box],
            }
        )
    return sorted(found, key=lambda one: (-one["pixels"], one["object"], one["cause"]))


def continued_flow(
    flow: npt.NDArray[np.float32],
    valid: npt.NDArray[np.bool_],
    object_ids: npt.NDArray[np.uint16],
    background: int,
) -> npt.NDArray[np.float32]:
    """Flow that has a finite vector at every pixel: known ones stay, the others continue them.

    An unknown pixel takes the vector of the nearest pixel (by the distance between their centres; of several, of the
    one in the highest row, and in it of the one farthest left) of known motion

    * that shows the same object;
    * where that object has none, that shows the background;
    * where neither has any, of any pixel.

    Where nothing at all is known, nothing moves.

    Args:
        flow: ``(H, W, 2)`` float32, pixels.
        valid: ``(H, W)`` bool, where it is known.
        object_ids: ``(H, W)`` uint16, which object each pixel shows.
        background: The id of the background.

    Returns:
        ``(H, W, 2)`` float32, pixels.

    Example:
        >>> flow = np.float32([[[3, 0], [1e10, 1e10], [-5, 0]]])
        >>> continued_flow(flow, np.array([[True, False, True]]), np.uint16([[1, 2, 2]]), 0)[0, :, 0].tolist()
        [3.0, -5.0, -5.0]
    """
    made = np.where(valid[..., None], flow, np.float32(0.0)).astype(np.float32)
    if not valid.any():
        return made
    lost = np.zeros_like(valid)
    for number in np.unique(object_ids[~valid]).tolist():
        own = object_ids == number
        if (known := own & valid).any():
            _continue(made, known, own & ~valid)
        else:
            lost |= own
    if lost.any():
        known = (object_ids == background) & valid
        _continue(made, known if known.any() else valid, lost)
    return made


def _continue(flow: npt.NDArray[np.float32], known: npt.NDArray[np.bool_], wanted: npt.NDArray[np.bool_]) -> None:
    """Give wanted pixels the vectors of the nearest known ones."""
    flow[wanted] = flow[nearest_known(known, wanted)]
