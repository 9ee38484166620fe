"""Exact motion between any two frames of a clip from its files, with numpy alone.

The rules and the arithmetic are those of :mod:`~animerun_gen.motion.flow` and :mod:`~animerun_gen.motion.raster`,
term by term, so that what comes out is what ``motion.gaps`` would have written.  These compile their loops; here every
loop is one over arrays, so that whoever reads a dataset needs no compiler.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import get_args

import numpy as np
import numpy.typing as npt

from animerun_gen.conventions import UNKNOWN_FLOW, longest_motion
from animerun_gen.dataset.clip import ClipFiles
from animerun_gen.dataset.correspondence import MotionBetween, Surfaces
from animerun_gen.errors import DatasetError
from animerun_gen.motion.backdrop import BackgroundMotion, backdrop
from animerun_gen.motion.counterparts import NO_TRIANGLE, find_counterparts
from animerun_gen.motion.geometry import CLIP, MIRROR, REPEAT, Camera, FrameGeometry, Holes, Masks
from animerun_gen.motion.thresholds import COVERS_NOTHING, NO_AREA, SAME_DEPTH

Float64Array = npt.NDArray[np.float64]
Corners = tuple[Float64Array, Float64Array, Float64Array]
"""The three corners of many triangles, or their three edge functions: ``(n, 3)`` or ``(n, 4)`` each."""

BACKGROUND = -1

PIXELS_AT_ONCE = 1 << 16
"""Pixels that are followed together: more gain nothing and take memory."""

PAIRS_AT_ONCE = 1 << 20
"""Points and triangles that are held against each other together."""

SLACK = 1e-5
"""Pixels by which the bounds of triangles are widened: they may be too wide, but never too narrow."""


def flow_between(clip: ClipFiles, source: int, target: int) -> MotionBetween:
    """The exact motion from one frame of a clip to any other one.

    Args:
        clip: The clip, made with ``correspondence`` among ``motion.extras``.
        source: The frame whose pixels the flow is given for.
        target: The frame that it points into, earlier or later, any number of frames away.

    Returns:
        What ``flow_forward``, ``valid_forward`` and ``exact_occlusion_forward`` (or ``_backward``) hold for neighbours,
        and those of ``motion.gaps`` for others.

    Raises:
        DatasetError: A file of one of the frames is missing or damaged.
        ValueError: It is one and the same frame.

    Example:
        >>> found = flow_between(clip, 3, 40)  # doctest: +SKIP
        >>> seen = found.valid & ~found.occluded  # doctest: +SKIP
    """
    if source == target:
        raise ValueError("give two different frames")
    return motion_between(clip.read("correspondence", source), clip.read("correspondence", target))


def barycentric(surfaces: Surfaces) -> Float64Array:
    """What each pixel shows of its triangle.

    Args:
        surfaces: The surfaces of a frame.

    Returns:
        ``(H, W, 3)`` float64, how much of each corner of the triangle, in the order of its vertices, the surface point
        at the centre of the pixel is: they sum up to 1; NaN on the background.
    """
    geometry = geometry_of(surfaces)
    matrices = geometry.instance_pixel_matrices()
    shares = np.full((*surfaces.instance.shape, 3), np.nan)
    for rows, columns in _pixels(surfaces.instance != BACKGROUND):
        instance, triangle = surfaces.instance[rows, columns], surfaces.triangle[rows, columns]
        _, corners = _corners(geometry, matrices, instance, geometry.triangles[_entry(geometry, instance, triangle)])
        shares[rows, columns] = np.stack(_shares(corners, columns.astype(np.float64), rows.astype(np.float64)), axis=-1)
    return shares


def surfaces_of(
    geometry: FrameGeometry,
    instance: npt.NDArray[np.int32],
    triangle: npt.NDArray[np.int32],
    background: BackgroundMotion,
) -> Surfaces:
    """The surfaces of a frame as a dataset keeps them.

    Args:
        geometry: The frame.
        instance: ``(H, W)`` int32, which instance each pixel shows, -1 on the background.
        triangle: ``(H, W)`` int32, which triangle of its mesh.
        background: How the background moves.
    """
    camera, holes = geometry.camera, geometry.holes
    masks = None if holes is None else holes.masks
    arrays: dict[str, npt.NDArray[np.generic]] = {
        "instance": instance,
        "triangle": triangle,
        "vertices": geometry.vertices,
        "vertex_start": geometry.vertex_start.astype(np.int64),
        "triangles": geometry.triangles,
        "triangle_start": geometry.triangle_start.astype(np.int64),
        "triangle_slot": geometry.triangle_slots,
        "mesh": geometry.mesh,
        "matrix": geometry.matrices,
        "key": np.array(geometry.keys, np.str_),
        "object_id": geometry.object_ids,
        "slot_start": geometry.slot_start.astype(np.int64),
        "slot_material": geometry.slot_materials,
        "identity": geometry.identities,
        "topology": _digests(geometry.topologies),
        "numbering": _digests(geometry.numberings),
        "distinct": geometry.distinct,
        "ordered": geometry.ordered,
        "single": geometry.single,
        "camera": np.array(camera.name),
        "camera_world": camera.world,
        "camera_projection": camera.projection,
        "camera_clip": np.array([camera.clip_start, camera.clip_end]),
        "background": np.array(background),
        "hole_uvs": np.empty((0, 3, 2), np.float32) if holes is None else holes.uvs,
        "hole_uv_start": np.empty(0, np.int64) if holes is None else holes.uv_start.astype(np.int64),
        "hole_masks": np.empty(0, np.int32) if holes is None else holes.slot_masks,
        "mask_texels": np.empty(0, np.uint8) if masks is None else masks.texels,
        "mask_start": np.zeros(1, np.int64) if masks is None else masks.start.astype(np.int64),
        "mask_size": np.empty((0, 2), np.int64) if masks is None else masks.size.astype(np.int64),
        "mask_extension": np.empty(0, np.uint8) if masks is None else masks.extension,
    }
    return Surfaces(geometry.frame, arrays)


def _digests(texts: tuple[bytes, ...]) -> npt.NDArray[np.uint8]:
    """``(n, 16)`` uint8: equal where the texts are."""
    digests = [hashlib.blake2b(text, digest_size=16).digest() for text in texts]
    return np.frombuffer(b"".join(digests), np.uint8).reshape(-1, 16)


def geometry_of(surfaces: Surfaces) -> FrameGeometry:
    """The geometry of a frame from what a dataset keeps of it; it lacks what no motion asks for."""
    a = surfaces.arrays
    height, width = surfaces.instance.shape
    near, far = (float(distance) for distance in a["camera_clip"])
    camera = Camera(str(a["camera"]), a["camera_world"], a["camera_projection"], near, far, width, height)
    holes = None
    if len(a["hole_uv_start"]):
        masks = Masks(a["mask_texels"], a["mask_start"], a["mask_size"], a["mask_extension"])
        holes = Holes(a["hole_uvs"], a["hole_uv_start"], a["hole_masks"], masks)
    return FrameGeometry(
        frame=surfaces.frame,
        camera=camera,
        vertices=a["vertices"],
        triangles=a["triangles"],
        triangle_slots=a["triangle_slot"],
        vertex_start=a["vertex_start"],
        triangle_start=a["triangle_start"],
        topologies=tuple(row.tobytes() for row in a["topology"]),
        identities=a["identity"],
        numberings=tuple(row.tobytes() for row in a["numbering"]),
        distinct=a["distinct"],
        keys=tuple(a["key"].tolist()),
        mesh=a["mesh"],
        matrices=a["matrix"],
        object_ids=a["object_id"],
        ordered=a["ordered"],
        single=a["single"],
        modifiers=("",) * len(a["key"]),
        slot_start=a["slot_start"],
        slot_materials=a["slot_material"],
        holes=holes,
    )


def motion_between(seen: Surfaces, other: Surfaces) -> MotionBetween:
    """The exact motion from one frame to another.

    Args:
        seen: The surfaces of the frame whose pixels the flow is given for, and what its pixels show.
        other: The surfaces of the frame that the flow points into.

    Returns:
        The motion of every pixel; unknown for the same reasons as in
        :func:`~animerun_gen.motion.flow.compute_motion`.

    Raises:
        DatasetError: The two frames are not of one clip.
    """
    background = str(seen.arrays["background"])
    if seen.instance.shape != other.instance.shape or str(other.arrays["background"]) != background:
        raise DatasetError(f"frames {seen.frame} and {other.frame} are not of one clip", remedy="make the cut again")
    if background not in get_args(BackgroundMotion):
        raise DatasetError(f"frame {seen.frame} says {background!r} of its background", remedy="make the cut again")
    source, target = geometry_of(seen), geometry_of(other)
    ends = _follow(seen, source, target, background)  # type: ignore[arg-type]
    valid = ~np.isnan(ends.x)
    occluded = np.ones(valid.shape, bool)
    occluded[valid] = _hidden(target, ends.chosen(valid))
    return MotionBetween(ends.flow, valid, occluded)


@dataclass(frozen=True)
class _Ends:
    """Where points are in the target: ``(...)`` each, NaN and -1 where that is unknown; depth is ``inf`` on the
    background."""

    flow: npt.NDArray[np.float32]
    x: Float64Array
    y: Float64Array
    depth: Float64Array
    instance: npt.NDArray[np.int32]
    triangle: npt.NDArray[np.int32]

    def chosen(self, where: npt.NDArray[np.bool_]) -> _Ends:
        """Some of them."""
        of = self
        return _Ends(of.flow[where], of.x[where], of.y[where], of.depth[where], of.instance[where], of.triangle[where])


def _pixels(
    where: npt.NDArray[np.bool_],
) -> Iterator[tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]]:
    """Rows and columns of some pixels, a part of them at a time."""
    rows, columns = np.nonzero(where)
    for first in range(0, len(rows), PIXELS_AT_ONCE):
        part = slice(first, first + PIXELS_AT_ONCE)
        yield rows[part], columns[part]


def _entry(
    geometry: FrameGeometry, instance: npt.NDArray[np.int32], triangle: npt.NDArray[np.int32]
) -> npt.NDArray[np.int64]:
    """``(n,)``: where triangles of instances are in the list of all."""
    entry: npt.NDArray[np.int64] = geometry.triangle_start[geometry.mesh[instance]] + triangle
    return entry


def _corners(
    geometry: FrameGeometry, matrices: Float64Array, instance: npt.NDArray[np.int32], corners: npt.NDArray[np.int32]
) -> tuple[Corners, Corners]:
    """The corners of triangles, which are ``(n, 3)`` vertices of the instances' meshes: in the mesh, and times the
    matrix of their instance."""
    matrices = matrices[instance]
    vertices = (geometry.vertex_start[geometry.mesh[instance]][:, None] + corners).T
    p, q, r = (geometry.vertices[number].astype(np.float64) for number in vertices)
    return (p, q, r), (_transform(matrices, p), _transform(matrices, q), _transform(matrices, r))


def _transform(matrices: Float64Array, points: Float64Array) -> Float64Array:
    """``(n, 4)``: each point times its matrix, homogeneous."""
    m, (a, b, c) = matrices, points.T
    return np.stack([m[:, k, 0] * a + m[:, k, 1] * b + m[:, k, 2] * c + m[:, k, 3] for k in range(4)], axis=1)


def _edges(corners: Corners) -> Corners:
    """The edge functions ``(n, 3)`` opposite each corner, none of them negative inside; NaN for what is seen from its
    edge."""
    p, q, r = (corner[:, [0, 1, 3]].T for corner in corners)
    e = (q[1] * r[2] - q[2] * r[1], q[2] * r[0] - q[0] * r[2], q[0] * r[1] - q[1] * r[0])
    f = (r[1] * p[2] - r[2] * p[1], r[2] * p[0] - r[0] * p[2], r[0] * p[1] - r[1] * p[0])
    g = (p[1] * q[2] - p[2] * q[1], p[2] * q[0] - p[0] * q[2], p[0] * q[1] - p[1] * q[0])
    determinant = p[0] * e[0] + p[1] * e[1] + p[2] * e[2]
    sign = np.where(determinant > 0.0, 1.0, np.where(determinant < 0.0, -1.0, np.nan))[:, None]
    e, f, g = (np.stack(edge, axis=1) * sign for edge in (e, f, g))
    return e, f, g


def _at(edge: Float64Array, x: Float64Array, y: Float64Array) -> Float64Array:
    value: Float64Array = edge[:, 0] * x + edge[:, 1] * y + edge[:, 2]
    return value


def _shares(corners: Corners, x: Float64Array, y: Float64Array) -> Corners:
    """How much of each corner (in homogeneous pixels) the points of triangles are that are seen at places."""
    e, f, g = _edges(corners)
    u, v, w = _at(e, x, y), _at(f, x, y), _at(g, x, y)
    total = u + v + w
    return u / total, v / total, w / total


def _mix(shares: Corners, corners: Corners) -> Float64Array:
    (u, v, w), (p, q, r) = shares, corners
    return u[:, None] * p + v[:, None] * q + w[:, None] * r


def _have_no_area(corners: Corners) -> npt.NDArray[np.bool_]:
    """Which triangles (in homogeneous pixels) are lines or points."""
    p, q, r = (corner[:, :3].T for corner in corners)
    a, b = (q[0] - p[0], q[1] - p[1], q[2] - p[2]), (r[0] - p[0], r[1] - p[1], r[2] - p[2])
    x, y, z = a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]
    a_length = a[0] * a[0] + a[1] * a[1] + a[2] * a[2]
    b_length = b[0] * b[0] + b[1] * b[1] + b[2] * b[2]
    none: npt.NDArray[np.bool_] = ~(x * x + y * y + z * z > NO_AREA * a_length * b_length)
    return none


@np.errstate(all="ignore")
def _follow(seen: Surfaces, source: FrameGeometry, target: FrameGeometry, background: BackgroundMotion) -> _Ends:
    """Where what the pixels of the source show is in the target."""
    shape = seen.instance.shape
    ends = _Ends(
        np.full((*shape, 2), UNKNOWN_FLOW, np.float32),
        np.full(shape, np.nan),
        np.full(shape, np.nan),
        np.full(shape, np.nan),
        np.full(shape, BACKGROUND, np.int32),
        np.full(shape, -1, np.int32),
    )
    longest = longest_motion(source.camera.width)

    def fill(
        rows: npt.NDArray[np.int64],
        columns: npt.NDArray[np.int64],
        motion: tuple[Float64Array, Float64Array],
        place: tuple[Float64Array, Float64Array, Float64Array],
        known: npt.NDArray[np.bool_],
        found: tuple[npt.NDArray[np.int32], npt.NDArray[np.int32]],
    ) -> None:
        u, v = motion
        known = known & (np.abs(u) <= longest) & (np.abs(v) <= longest)
        at = rows[known], columns[known]
        ends.flow[at] = np.stack([u[known], v[known]], axis=1)
        ends.x[at], ends.y[at], ends.depth[at] = (value[known] for value in place)
        ends.instance[at], ends.triangle[at] = (value[known] for value in found)

    backdrops = backdrop(source.camera, target.camera, background)
    for rows, columns in _pixels(seen.instance == BACKGROUND):
        x, y = columns.astype(np.float64), rows.astype(np.float64)
        here, there = ([_at(row[None], x, y) for row in matrix] for matrix in backdrops)
        u, v = there[0] / there[3] - here[0] / here[3], there[1] / there[3] - here[1] / here[3]
        nowhere = np.full(len(x), -1, np.int32)
        in_front = np.minimum(here[3], there[3]) > 0.0
        fill(rows, columns, (u, v), (x + u, y + v, np.full(len(x), np.inf)), in_front, (nowhere, nowhere))

    twins = find_counterparts(source, target)
    before, after = source.instance_pixel_matrices(), target.instance_pixel_matrices()
    followed = seen.instance != BACKGROUND
    followed[followed] = twins.instance[seen.instance[followed]] >= 0
    for rows, columns in _pixels(followed):
        x, y = columns.astype(np.float64), rows.astype(np.float64)
        instance, triangle = seen.instance[rows, columns], seen.triangle[rows, columns]
        other = twins.instance[instance]
        twin, twin_corners = twins.triangles_of(source, instance, triangle)
        local, shown = _corners(source, before, instance, source.triangles[_entry(source, instance, triangle)])
        moved, moved_shown = _corners(target, after, other, twin_corners)
        shares = _shares(shown, x, y)
        now = _transform(before[instance], _mix(shares, local))
        then = _transform(after[other], _mix(shares, moved))
        end_x, end_y = then[:, 0] / then[:, 3], then[:, 1] / then[:, 3]
        u, v = end_x - now[:, 0] / now[:, 3], end_y - now[:, 1] / now[:, 3]
        known = (twin != NO_TRIANGLE) & ~_have_no_area(moved_shown)
        known &= (then[:, 3] > 0.0) & (then[:, 2] >= target.camera.clip_start)
        fill(rows, columns, (u, v), (end_x, end_y, then[:, 2]), known, (other, twin))
    return ends


@np.errstate(all="ignore")
def _hidden(target: FrameGeometry, points: _Ends) -> npt.NDArray[np.bool_]:
    """``(n,)``: which points are not seen by the target's camera, tested at their exact places."""
    camera = target.camera
    x, y, depth = points.x, points.y, points.depth
    hidden = ~((x >= -0.5) & (x < camera.width - 0.5) & (y >= -0.5) & (y < camera.height - 0.5))
    on_surface = points.instance >= 0
    hidden |= on_surface & ~((depth >= camera.clip_start) & (depth <= camera.clip_end))
    if target.triangles.size:
        matrices = target.instance_pixel_matrices()
        _hide(target, matrices, points, hidden)
        own = np.flatnonzero(~hidden & on_surface)
        instance, triangle = points.instance[own], points.triangle[own]
        _, corners = _corners(target, matrices, instance, target.triangles[_entry(target, instance, triangle)])
        hidden[own] = _cover_nothing(corners)
    return hidden


def _cover_nothing(corners: Corners) -> npt.NDArray[np.bool_]:
    """Which triangles are seen from their edge, or shrunk to nothing in the picture."""
    p, q, r = (corner.T for corner in corners)
    px, py = p[0] / p[3], p[1] / p[3]
    across = (q[0] / q[3] - px) * (r[1] / r[3] - py)
    area = np.abs(across - (r[0] / r[3] - px) * (q[1] / q[3] - py))
    nothing: npt.NDArray[np.bool_] = (p[3] > 0.0) & (q[3] > 0.0) & (r[3] > 0.0) & (area < COVERS_NOTHING)
    return nothing


def _hide(target: FrameGeometry, matrices: Float64Array, points: _Ends, hidden: npt.NDArray[np.bool_]) -> None:
    """Mark the points that lie behind a triangle: each triangle against the points in the rows that it may cover."""
    camera = target.camera
    tested = np.flatnonzero(~hidden)
    column = np.minimum(np.floor(points.x[tested] + 0.5).astype(np.int64), camera.width - 1)
    row = np.minimum(np.floor(points.y[tested] + 0.5).astype(np.int64), camera.height - 1)
    cell = row * camera.width + column
    order = np.argsort(cell, kind="stable")
    tested, cell = tested[order], cell[order]
    start = np.searchsorted(cell, np.arange(camera.width * camera.height + 1))
    limit = points.depth[tested] * (1.0 - SAME_DEPTH)
    farthest = limit.max(initial=-np.inf)
    for instance, mesh in enumerate(target.mesh.tolist()):
        triangles = target.mesh_triangles(mesh)
        every = np.full(len(triangles), instance, np.int32)
        _, corners = _corners(target, matrices, every, triangles)
        x0, x1, y0, y1, nearest = _bounds(corners, camera)
        for chunk in _chunks((y1 - y0 + 1) * (x0 <= x1) * (nearest < farthest), x1 - x0 + 1):
            # a row of pixels in which a triangle may be, and the points in it
            heights = y1[chunk] - y0[chunk] + 1
            of_row = np.repeat(chunk, heights)
            rows = np.arange(len(of_row)) - np.repeat(np.cumsum(heights) - heights, heights) + y0[of_row]
            begin = start[rows * camera.width + x0[of_row]]
            counts = start[rows * camera.width + x1[of_row] + 1] - begin
            number = np.repeat(of_row, counts)
            place = np.arange(len(number)) - np.repeat(np.cumsum(counts) - counts, counts) + np.repeat(begin, counts)
            covered = _covered(target, instance, corners, number, place, points, tested, limit)
            hidden[tested[covered]] = True


def _chunks(rows: npt.NDArray[np.int64], widths: npt.NDArray[np.int64]) -> Iterator[npt.NDArray[np.int64]]:
    """Numbers of triangles that cover at most so many rows of pixels, in parts that fill the memory evenly."""
    chosen = np.flatnonzero(rows > 0)
    cost = np.cumsum((rows * widths)[chosen])
    first = 0
    while first < len(chosen):
        done = cost[first - 1] if first else 0
        last = max(int(np.searchsorted(cost, done + PAIRS_AT_ONCE, "right")), first + 1)
        yield chosen[first:last]
        first = last


def _bounds(
    corners: Corners, camera: Camera
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.int64], Float64Array]:
    """The pixels, inclusive, that have every point which triangles may cover, and their nearest depths.

    What comes nearer than the camera draws is cut off there: before the camera, a triangle may project anywhere.
    """
    depths = np.stack([corner[:, 2] for corner in corners])
    near = camera.clip_start * (1.0 - 1e-9)
    low, high = np.full((2, depths.shape[1]), np.inf), np.full((2, depths.shape[1]), -np.inf)

    def take(points: Float64Array, where: npt.NDArray[np.bool_]) -> None:
        for axis in (0, 1):
            value = np.where(where, points[:, axis] / points[:, 3], np.nan)
            np.fmin(low[axis], value, out=low[axis])
            np.fmax(high[axis], value, out=high[axis])

    for here, there in ((0, 1), (1, 2), (2, 0)):
        p, q = corners[here], corners[there]
        take(p, p[:, 2] >= near)
        t = ((near - p[:, 2]) / (q[:, 2] - p[:, 2]))[:, None]
        take(p + t * (q - p), (p[:, 2] >= near) != (q[:, 2] >= near))
    sizes = (camera.width, camera.height)
    # what is cut off is rounded more than what is not
    slack = [SLACK + 1e-9 * (np.abs(low[axis]) + np.abs(high[axis])) for axis in (0, 1)]
    first = [np.clip(np.floor(low[axis] - slack[axis] + 0.5), 0, sizes[axis]) for axis in (0, 1)]
    last = [np.clip(np.floor(high[axis] + slack[axis] + 0.5), -1, sizes[axis] - 1) for axis in (0, 1)]
    # what lies wholly before the camera's range, or is no number, covers nothing
    nothing = ~np.isfinite(low).all(axis=0) | ~np.isfinite(high).all(axis=0)
    nothing |= (first[0] > last[0]) | (first[1] > last[1])
    x0, y0 = (np.where(nothing, 1, side).astype(np.int64) for side in first)
    x1, y1 = (np.where(nothing, 0, side).astype(np.int64) for side in last)
    return x0, x1, y0, y1, depths.min(axis=0) * (1.0 - np.sign(depths.min(axis=0)) * 1e-9)


def _covered(
    target: FrameGeometry,
    instance: int,
    corners: Corners,
    number: npt.NDArray[np.int64],
    place: npt.NDArray[np.int64],
    points: _Ends,
    tested: npt.NDArray[np.int64],
    limit: Float64Array,
) -> npt.NDArray[np.int64]:
    """Places in ``tested`` of the points that a triangle of an instance hides.

    Args:
        target: The frame.
        instance: The instance.
        corners: Of the triangles of its mesh, in homogeneous pixels.
        number: ``(n,)``, the triangle of each pair of a triangle and a point.
        place: ``(n,)``, where in ``tested`` the point of each pair is.
        points: All points.
        tested: Which of them are tested.
        limit: The depth before which a surface hides each of them.
    """
    camera = target.camera
    edges = _edges(corners)
    point = tested[place]
    x, y = points.x[point], points.y[point]
    u, v, w = (_at(edge[number], x, y) for edge in edges)
    inside = np.flatnonzero((u >= 0.0) & (v >= 0.0) & (w >= 0.0))
    number, place, point = number[inside], place[inside], point[inside]
    u, v, w = u[inside], v[inside], w[inside]
    p, q, r = (corner[number, 2] for corner in corners)
    depth = (u * p + v * q + w * r) / (u + v + w)
    covers = (depth >= camera.clip_start) & (depth <= camera.clip_end) & (depth < limit[place])
    covers &= ~((points.instance[point] == instance) & (points.triangle[point] == number))
    if target.holes is not None:
        kept = np.flatnonzero(covers)
        covers[kept] = ~_are_holes(target, target.holes, instance, number[kept], u[kept], v[kept], w[kept])
    return place[covers]


def _are_holes(
    geometry: FrameGeometry,
    holes: Holes,
    instance: int,
    triangle: npt.NDArray[np.int64],
    u: Float64Array,
    v: Float64Array,
    w: Float64Array,
) -> npt.NDArray[np.bool_]:
    """Which points of triangles of an instance, given by their edge functions, are holes."""
    mesh = int(geometry.mesh[instance])
    none = np.zeros(len(triangle), bool)
    first, count = int(geometry.slot_start[instance]), int(np.diff(geometry.slot_start)[instance])
    if count == 0 or holes.uv_start[mesh] < 0 or not len(holes.masks.size):
        return none
    # Blender paints a face whose slot does not exist with the last slot there is
    slot = np.minimum(geometry.triangle_slots[geometry.triangle_start[mesh] + triangle], count - 1)
    mask = np.where(slot >= 0, holes.slot_masks[first + slot], -1)
    uvs = holes.uvs[holes.uv_start[mesh] + triangle]
    total = u + v + w
    across, up = ((u * uvs[:, 0, k] + v * uvs[:, 1, k] + w * uvs[:, 2, k]) / total for k in (0, 1))
    masks, masked = holes.masks, np.maximum(mask, 0)
    rows, columns = masks.size[masked].T
    column, row = (
        _texels(across, columns, masks.extension[masked]),
        _texels(up, rows, masks.extension[masked]),
    )
    beyond = (row < 0) | (column < 0)
    texel = masks.start[masked] + np.maximum(row, 0) * columns + np.maximum(column, 0)
    found: npt.NDArray[np.bool_] = (mask >= 0) & (beyond | (masks.texels[texel] != 0))
    return found


def _texels(
    place: Float64Array, count: npt.NDArray[np.int64], extension: npt.NDArray[np.uint8]
) -> npt.NDArray[np.int64]:
    """Which of the texels in rows or columns hold texture coordinates; -1 where there is none."""
    repeated = place - np.floor(place)
    mirrored = np.abs(place - 2.0 * np.floor(0.5 * place + 0.5))
    laid = np.where(extension == REPEAT, repeated, np.where(extension == MIRROR, mirrored, place))
    outside = (extension == CLIP) & ~((place >= 0.0) & (place <= 1.0))
    # the first comparison fails for what is no number
    texel = np.where(laid > 0.0, np.minimum(laid * count, count - 1.0), 0.0)
    return np.where(outside, -1, texel.astype(np.int64))
