"""Finds hard cuts that are keyed on one camera: frames between which it jumps to another view of the world.

What is judged is the way of the camera, first by itself and then, where it seems to jump, with what the two frames
show.  A cut is a step of the camera

- that moves the picture far, unlike the steps around it, as no pan, whip, zoom or ride does, which have begun before or
  go on; frames in which the camera is held count as none, so that a camera animated on twos is judged by its steps;
- after which little is seen of what was seen before, or before which little of what is seen after.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from animerun_gen.motion import raster
from animerun_gen.motion.camera_steps import FAR, CameraSteps, are_alike, neighbours
from animerun_gen.motion.flow import compute_motion, exact_occlusion
from animerun_gen.motion.geometry import FrameGeometry
from animerun_gen.motion.raster import VisibilityBuffer

ABRUPT = 8.0
"""Beside a step that is so many times as long, a neighbour is calm."""

SHARED = (0.1, 0.5, 0.75)
"""Of a cut, less than this share of the picture is seen before and after: by how many of its neighbours are calm."""

SAME_DEPTH = 0.1
"""Two depths that differ by a smaller share are of one surface."""

LOOKED_AT = 160
"""Pixels along the longer side of the pictures in which it is looked up what two frames share."""


@dataclass(frozen=True)
class View:
    """What the camera of a frame sees, in a small picture.

    Attributes:
        geometry: The frame.
        seen: What each pixel of the picture sees.
    """

    geometry: FrameGeometry
    seen: VisibilityBuffer

    @classmethod
    def of(cls, geometry: FrameGeometry) -> View:
        """Look at a frame, whatever the size of its picture."""
        camera = geometry.camera
        scale = min(1.0, LOOKED_AT / max(camera.width, camera.height))
        width, height = max(1, round(camera.width * scale)), max(1, round(camera.height * scale))
        small = replace(geometry, camera=replace(camera, width=width, height=height))
        return cls(small, raster.draw(small))

    @property
    def usual_depth(self) -> float:
        """The median depth of the surfaces that are seen; ``inf`` where there are none."""
        surfaces = self.seen.depth[np.isfinite(self.seen.depth)]
        return float(np.median(surfaces)) if len(surfaces) else np.inf


def is_cut(steps: CameraSteps, step: int, before: View, after: View) -> bool:
    """Whether a step is a cut.

    Args:
        steps: The way of the camera, :data:`WINDOW` steps around the one in question or what there is of them.
        step: Which of the steps.
        before: What the camera sees before it.
        after: What it sees after it.
    """
    taken = steps.at_depth(min(before.usual_depth, after.usual_depth))
    length = float(np.linalg.norm(taken[step]))
    beside = neighbours(taken, step)
    if any(are_alike(taken[step], each) for each in beside):
        return False
    calm = sum(length >= ABRUPT * float(np.linalg.norm(each)) for each in beside)
    return length >= FAR[calm] and min(shared(before, after), shared(after, before)) < SHARED[calm]


def shared(one: View, other: View) -> float:
    """How much of what one view shows is seen in another as well.

    It counts what is seen there by the motion of its surfaces, or what would be if only the camera moved, whichever is
    more: surfaces may be nobody's in the other frame, and a camera may be carried along with all that it sees.

    Returns:
        A share of the pixels of ``one``.
    """
    motion = compute_motion(one.geometry, one.seen, other.geometry)
    followed = ~exact_occlusion(motion, other.geometry)
    return max(float(followed.mean()), _shared_if_still(one, other))


def _shared_if_still(one: View, other: View) -> float:
    """The share of a view's pixels whose places in the world the other view sees, in a world that stands still."""
    camera, target = one.geometry.camera, other.geometry.camera
    row, column = np.indices(one.seen.depth.shape, np.float64)
    across = 2.0 * (column + 0.5) / camera.width - 1.0
    up = 1.0 - 2.0 * (row + 0.5) / camera.height
    projection = camera.projection
    is_sky = ~np.isfinite(one.seen.depth)
    depth = np.where(is_sky, 1.0, one.seen.depth)
    points = np.ones((*depth.shape, 4))
    if camera.is_orthographic:
        points[..., 0] = (across - projection[0, 3]) / projection[0, 0]
        points[..., 1] = (up - projection[1, 3]) / projection[1, 1]
    else:
        points[..., 0] = depth * (across + projection[0, 2]) / projection[0, 0]
        points[..., 1] = depth * (up + projection[1, 2]) / projection[1, 1]
        # the sky is seen in a direction
        points[is_sky, 3] = 0.0
    points[..., 2] = -depth
    seen = points @ (target.pixel_matrix() @ camera.world).T
    with np.errstate(divide="ignore", invalid="ignore"):
        place = np.rint(seen[..., :2] / seen[..., 3:])
    inside = (seen[..., 2] > 0.0) & (place >= 0).all(axis=-1)
    inside &= (place[..., 0] < target.width) & (place[..., 1] < target.height)
    there = place[inside].astype(np.int64)
    found = other.seen.depth[there[:, 1], there[:, 0]]
    expected = seen[..., 2][inside]
    is_same = np.where(is_sky[inside], ~np.isfinite(found), np.abs(found - expected) <= SAME_DEPTH * expected)
    return float(is_same.sum() / depth.size)
