"""Which surface point is seen at each pixel centre, computed in float64.

Triangles are drawn in homogeneous coordinates (Olano and Greer, "Triangle Scan Conversion using 2D Homogeneous
Coordinates", Graphics Hardware 1997): nothing needs to be clipped, and the edge functions divided by their sum are the
perspective-correct barycentric coordinates.  An edge shared by two triangles gives both the same number with opposite
signs, and zero counts as inside, so closed surfaces have no cracks.

Where a surface has holes (:class:`~animerun_gen.motion.geometry.Holes`), it is not there: what lies behind is seen, and
it hides nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from animerun_gen.motion.geometry import Camera, FrameGeometry
from animerun_gen.motion.kernels import hiding, places, visibility
from animerun_gen.motion.kernels.holes import Holes
from animerun_gen.motion.kernels.projection import Meshes, View
from animerun_gen.threads import available_threads, bands, in_parallel

LARGE = 2_000_000
"""Pixels of a picture from which on its halves are drawn side by side.  Each half has to project all triangles."""

AT_ONCE = 1 << 21
"""Points that are held against a frame's triangles at a time: what has to be known of them takes 40 bytes each, and
more points at a time spare but to look for the triangles that are near them."""

BACKGROUND = -1
"""Instance number of a pixel at which no surface is seen."""


@dataclass(frozen=True)
class VisibilityBuffer:
    """What each pixel centre of a frame sees.

    Attributes:
        instance: ``(H, W)`` int32, index into the frame's instances, :data:`BACKGROUND` where nothing is seen.
        triangle: ``(H, W)`` int32, triangle counted within the instance's mesh, -1 on the background.
        depth: ``(H, W)`` float64, distance along the view axis in scene units, ``inf`` on the background.
    """

    instance: npt.NDArray[np.int32]
    triangle: npt.NDArray[np.int32]
    depth: npt.NDArray[np.float64]


def draw(geometry: FrameGeometry, *, instances: npt.NDArray[np.bool_] | None = None) -> VisibilityBuffer:
    """Find what is seen at every pixel centre of a frame.

    Of surfaces at exactly the same depth the one that comes first in the frame's list of instances is kept.

    Args:
        geometry: The frame.
        instances: ``(I,)`` bool, which instances are there at all; None: all.  They keep their numbers.

    Returns:
        The frame's visibility buffer.
    """
    shape = (geometry.camera.height, geometry.camera.width)
    instance = np.full(shape, BACKGROUND, np.int32)
    triangle = np.full(shape, -1, np.int32)
    depth = np.full(shape, np.inf)
    drawn, seen = meshes(geometry), view(geometry.camera)
    placed, holes = _places(drawn, seen, instances), _holes(geometry)

    def draw_rows(band: range) -> None:
        visibility.draw(drawn, seen, placed, holes, band[0], band[-1], instance, triangle, depth)

    in_parallel(draw_rows, bands(shape[0], 1 if shape[0] * shape[1] < LARGE else available_threads()))
    return VisibilityBuffer(instance, triangle, depth)


@dataclass(frozen=True)
class Alone:
    """What is seen of some instances alone, within the part of the picture that they may reach.

    Attributes:
        top: First row of that part.
        left: First column of it.
        depth: ``(h, w)`` float64, distance along the view axis in scene units, ``inf`` where they are not.
    """

    top: int
    left: int
    depth: npt.NDArray[np.float64]


def draw_each(geometry: FrameGeometry, group: npt.NDArray[np.int64]) -> dict[int, Alone]:
    """Find where each of several groups of instances would be seen if there were nothing else.

    Args:
        geometry: The frame.
        group: ``(I,)`` int64, the group of each instance.

    Returns:
        By the number of the group, ascending; without those of which nothing is within the picture.
    """
    shape = (geometry.camera.height, geometry.camera.width)
    instance, triangle = np.full(shape, BACKGROUND, np.int32), np.full(shape, -1, np.int32)
    depth = np.full(shape, np.inf)
    drawn, seen = meshes(geometry), view(geometry.camera)
    placed, holes = _places(drawn, seen, None), _holes(geometry)
    found: dict[int, Alone] = {}
    for number in np.unique(group[placed.order]).tolist():
        order = placed.order[group[placed.order] == number]
        left, top = (int(placed.pixels[order, side].min()) for side in (0, 2))
        right, bottom = (int(placed.pixels[order, side].max()) for side in (1, 3))
        if left > right or top > bottom:
            continue
        own = placed._replace(order=order)
        visibility.draw(drawn, seen, own, holes, top, bottom, instance, triangle, depth)
        part = (slice(top, bottom + 1), slice(left, right + 1))
        if np.isfinite(depth[part]).any():
            found[int(number)] = Alone(top, left, depth[part].copy())
        # only what was drawn to has to be emptied again
        instance[part], triangle[part], depth[part] = BACKGROUND, -1, np.inf
    return found


def hidden_points(
    geometry: FrameGeometry,
    x: npt.NDArray[np.float64],
    y: npt.NDArray[np.float64],
    depth: npt.NDArray[np.float64],
    instance: npt.NDArray[np.int32],
    triangle: npt.NDArray[np.int32],
    *,
    hiding_instances: npt.NDArray[np.bool_] | None = None,
    from_edge: bool = True,
) -> npt.NDArray[np.bool_]:
    """Which of many surface points are not seen by the frame's camera, tested at their exact places.

    Every triangle of the frame is held against every point, wherever between pixel centres it lies, so the answer does
    not depend on the pixel grid.

    Args:
        geometry: The frame in which the points may be hidden.
        x: ``(n,)`` float64, pixels; NaN for points that are nowhere.
        y: ``(n,)`` float64, pixels.
        depth: ``(n,)`` float64, distance along the view axis, ``inf`` for points of the background.
        instance: ``(n,)`` int32, the frame's instance on which each point lies, :data:`BACKGROUND` for the background.
        triangle: ``(n,)`` int32, the triangle on which it lies.
        hiding_instances: ``(I,)`` bool, which instances can hide anything; None: all.
        from_edge: Whether points are hidden, too, whose own triangle covers nothing of the picture.

    Returns:
        ``(n,)`` bool, True where a surface lies in front, the point's own triangle covers nothing of the picture, or
        the point is outside the picture or the clipping range.
    """
    return Hiding(geometry, hiding_instances).hidden(x, y, depth, instance, triangle, from_edge=from_edge)


class Hiding:
    """What of a frame hides points, for points that come bit by bit.

    Args:
        geometry: The frame in which the points may be hidden.
        instances: ``(I,)`` bool, which instances can hide anything; None: all.
    """

    def __init__(self, geometry: FrameGeometry, instances: npt.NDArray[np.bool_] | None = None) -> None:
        self._meshes, self._view = meshes(geometry), view(geometry.camera)
        self._places, self._holes = _places(self._meshes, self._view, instances), _holes(geometry)
        self._room = hiding.room_for(0, 0)

    def hidden(
        self,
        x: npt.NDArray[np.float64],
        y: npt.NDArray[np.float64],
        depth: npt.NDArray[np.float64],
        instance: npt.NDArray[np.int32],
        triangle: npt.NDArray[np.int32],
        *,
        from_edge: bool = True,
    ) -> npt.NDArray[np.bool_]:
        """Which of many surface points are not seen; arguments and answer are those of :func:`hidden_points`."""
        hidden = np.ones(len(x), bool)
        whole = hiding.Points(
            np.ascontiguousarray(x),
            np.ascontiguousarray(y),
            np.ascontiguousarray(depth),
            np.ascontiguousarray(instance),
            np.ascontiguousarray(triangle),
        )
        for first in range(0, len(x), AT_ONCE):
            part = slice(first, first + AT_ONCE)
            points = hiding.Points(
                whole.x[part], whole.y[part], whole.depth[part], whole.instance[part], whole.triangle[part]
            )
            self._hide(points, hidden[part], from_edge)
        return hidden

    def _hide(self, points: hiding.Points, hidden: npt.NDArray[np.bool_], from_edge: bool) -> None:
        """Unmark those of some points, all of which are marked, that are seen."""
        if len(points.x) > len(self._room.number):
            self._room = hiding.room_for(len(points.x), self._view.width * self._view.height)
        tested = hiding.sort_points(points, self._view, self._room, hidden)
        hiding.hide(self._meshes, self._view, self._places, self._holes, points, tested, hidden)
        if from_edge:
            hiding.vanish(self._meshes, points, hidden)


def nearest_depth(geometry: FrameGeometry) -> float:
    """A distance along the view axis of the frame's camera that no point before it, wherever it is, falls below.

    Only what lies in the camera's picture and clipping range counts.

    Returns:
        Scene units; infinite where nothing is there.
    """
    nearest, _ = places.find_places(meshes(geometry), view(geometry.camera))
    return float(nearest.min(initial=np.inf))


def what_hides(geometry: FrameGeometry) -> tuple[Meshes, View, places.Places, Holes | None]:
    """What of a frame may lie before something, for the compiled loops that ask that."""
    drawn, seen = meshes(geometry), view(geometry.camera)
    return drawn, seen, _places(drawn, seen, None), _holes(geometry)


def meshes(geometry: FrameGeometry) -> Meshes:
    """The arrays of a frame for the compiled loops, its instances in homogeneous pixels."""
    return Meshes(
        geometry.vertices,
        geometry.triangles,
        geometry.vertex_start,
        geometry.triangle_start,
        geometry.mesh,
        geometry.instance_pixel_matrices(),
    )


def view(camera: Camera) -> View:
    """What of the world a camera draws, for the compiled loops."""
    return View(camera.clip_start, camera.clip_end, camera.width, camera.height)


def _holes(geometry: FrameGeometry) -> Holes | None:
    """The holes of a frame for the compiled loops, which are compiled without any test for a frame that has none."""
    holes = geometry.holes
    if holes is None:
        return None
    return Holes(
        holes.uvs,
        holes.uv_start,
        geometry.triangle_slots,
        geometry.slot_start,
        holes.slot_masks,
        holes.masks.texels,
        holes.masks.start,
        holes.masks.size,
        holes.masks.extension,
    )


def _places(drawn: Meshes, seen: View, chosen: npt.NDArray[np.bool_] | None) -> places.Places:
    """Where in the picture the instances of a frame are, or those that are chosen."""
    nearest, pixels = places.find_places(drawn, seen)
    order = np.argsort(nearest, kind="stable")
    order = order[nearest[order] < np.inf]
    return places.Places(order if chosen is None else order[chosen[order]], nearest, pixels)
