"""The shapes that stand for Grease Pencil's strokes and fills, as arrays; knows nothing of Blender.

A stroke becomes a ribbon that faces the camera, as wide as twice its radius, with round corners and ends; a fill
becomes the polygon of its points.  Both are told in *view coordinates*: x to the right, y upwards, the camera at the
origin looking along -z.  What lies over what is told by depth: each shape is moved a little towards the camera, along
the rays on which it is seen, so that its place in the picture stays what it is.

Every vertex belongs to one point of a stroke and has one role there (left side, right side, so many steps around its
end), and nothing but point and role makes its identity.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from animerun_gen.motion.identity import scramble

Points = npt.NDArray[np.float64]
Numbers = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
Identities = npt.NDArray[np.uint64]

CORNER = 0.5
"""Cosine of the angle by which a stroke turns at a point from which on the point is a round corner, and not a mitre."""

LONGEST_MITRE = 2.0
"""How far a mitre reaches at most, by the radius: that of a turn by 120 degrees, as it may be seen at an angle."""

ROUND_STEPS = 6
"""Triangles of half a circle at the end of a stroke, and of the outer side of a corner."""

DOT_SIDES = 16
"""Corners of a dot."""

RISING = 0.5
"""Share of the depth between two shapes by which a ribbon rises along itself, and lies over its own beginning."""

CELLS = 64
"""The picture is divided into so many columns and rows to see which shapes may lie over each other."""

FARTHEST = 0.02
"""Share of its distance by which the topmost shape is nearer at most."""

FLAT = 0.02
"""How far points lie from a plane at most that they are drawn in, by how far they lie from their middle."""

STEEPEST = 4.0
"""How far a side of a ribbon lies nearer or farther than its middle at most, by the radius: in a plane that is seen at
an angle of more than 76 degrees it leaves the plane."""

TINY = 1e-12

LEFT, RIGHT, LEFT_AFTER, RIGHT_AFTER, MIDDLE, FILL = range(1, 7)
"""Roles of vertices; those around ends, corners and dots come after them."""

AROUND_START, AROUND_END, AROUND_CORNER, AROUND_DOT = (64 * kind for kind in range(1, 5))

Role = int | Numbers


@dataclass(frozen=True)
class Strokes:
    """The strokes of an object in a frame, in the order in which they are drawn, the lowest first.

    ``S`` strokes, ``P`` points of all strokes, one stroke after the other.

    Attributes:
        counts: ``(S,)`` int64, points of each stroke.
        layers: ``(S,)`` int64, the layer of each stroke.
        by_order: Whether the order alone says which stroke lies over which, and not their depth.
        points: ``(P, 3)`` float64, in the object's coordinates.
        radii: ``(P,)`` float64, half the width of the stroke in world units.
        shown: ``(P,)`` bool, whether the stroke is opaque enough there to be drawn.
        identities: ``(P,)`` uint64, which point of the film's drawings each is; 0 where that is unknown.
        cyclic: ``(S,)`` bool, whether the last point is joined to the first.
        round_start: ``(S,)`` bool, whether the stroke begins with half a circle.
        round_end: ``(S,)`` bool, whether it ends with one.
        dots: ``(S,)`` bool, whether it is drawn as a dot at each point.
        has_stroke: ``(S,)`` bool, whether its stroke is drawn.
        has_fill: ``(S,)`` bool, whether its fill is.
        stroke_slot: ``(S,)`` int64, number of the material of its stroke.
        fill_slot: ``(S,)`` int64, number of the material of its fill.
        stroke_colors: ``(S, 3)`` float64, linear.
        fill_colors: ``(S, 3)`` float64, linear.
    """

    counts: Numbers
    layers: Numbers
    by_order: bool
    points: Points
    radii: Points
    shown: Flags
    identities: Identities
    cyclic: Flags
    round_start: Flags
    round_end: Flags
    dots: Flags
    has_stroke: Flags
    has_fill: Flags
    stroke_slot: Numbers
    fill_slot: Numbers
    stroke_colors: Points
    fill_colors: Points

    @property
    def start(self) -> Numbers:
        """``(S,)`` int64, the first point of each stroke."""
        first: Numbers = np.cumsum(self.counts) - self.counts
        return first


@dataclass(frozen=True)
class View:
    """From where strokes are seen.

    Attributes:
        matrix: ``(4, 4)`` float64, the object's coordinates to view coordinates.
        is_orthographic: Whether rays are parallel.
        near: Distance of what is drawn nearest.
        far: Distance of what is drawn farthest.
        window: Half the width and height of the picture at distance 1, or of what an orthographic camera sees.
    """

    matrix: Points
    is_orthographic: bool
    near: float
    far: float
    window: tuple[float, float]


@dataclass(frozen=True)
class Shapes:
    """A mesh.

    Attributes:
        vertices: ``(V, 3)`` float64, in the coordinates of the strokes' points.
        triangles: ``(T, 3)`` int64.
        slots: ``(T,)`` int64, the material of each triangle.
        colors: ``(T, 3)`` float64, its colour, linear.
        identities: ``(V,)`` uint64, 0 where it is unknown.
    """

    vertices: Points
    triangles: Numbers
    slots: Numbers
    colors: Points
    identities: Identities


@dataclass
class _Parts:
    """Collects vertices and triangles."""

    count: int = 0
    vertices: list[Points] = field(default_factory=list)
    identities: list[Identities] = field(default_factory=list)
    triangles: list[Numbers] = field(default_factory=list)
    slots: list[Numbers] = field(default_factory=list)
    colors: list[Points] = field(default_factory=list)

    def add_vertices(self, places: Points, point_identities: Identities, role: Role) -> Numbers:
        """Add a vertex for each of some points; returns their numbers."""
        numbers = np.arange(self.count, self.count + len(places), dtype=np.int64)
        self.count += len(places)
        self.vertices.append(places)
        roles = np.broadcast_to(np.asarray(role, np.uint64), point_identities.shape)
        identities = scramble(point_identities ^ scramble(roles))
        self.identities.append(np.where(point_identities == 0, np.uint64(0), identities))
        return numbers

    def add_triangles(self, corners: list[Numbers], slots: Numbers, colors: Points) -> None:
        """Add a triangle for each entry of three lists of vertices."""
        self.triangles.append(np.stack(corners, axis=1))
        self.slots.append(slots)
        self.colors.append(colors)

    def joined(self, to_object: Points) -> Shapes:
        """The mesh, in the object's coordinates."""
        vertices = np.concatenate([np.empty((0, 3)), *self.vertices])
        return Shapes(
            vertices @ to_object[:3, :3].T + to_object[:3, 3],
            np.concatenate([np.empty((0, 3), np.int64), *self.triangles]),
            np.concatenate([np.empty(0, np.int64), *self.slots]),
            np.concatenate([np.empty((0, 3)), *self.colors]),
            np.concatenate([np.empty(0, np.uint64), *self.identities]),
        )


def build_shapes(strokes: Strokes, fills: list[Numbers], view: View) -> Shapes:
    """The mesh that stands for strokes.

    Args:
        strokes: The strokes.
        fills: For each stroke the triangles of its fill ``(n, 3)``, points counted within the stroke; empty where it
            has none.
        view: From where they are seen.

    Returns:
        The mesh; empty where nothing is drawn.
    """
    planes = _find_planes(strokes, view)
    points = strokes.points @ view.matrix[:3, :3].T + view.matrix[:3, 3]
    if strokes.by_order:
        points = _slid(points, planes.normals, planes.middles, STEEPEST * planes.deviations, view)
    levels, step = _levels(strokes, points, view)
    parts = _Parts()
    _add_fills(parts, strokes, points, fills, levels[:, 0], step, view)
    drawn = _Drawn(strokes, points, planes.normals, levels[:, 1], step, view)
    _add_dots(parts, drawn)
    _add_ribbons(parts, drawn)
    return parts.joined(np.linalg.inv(view.matrix))


@dataclass(frozen=True)
class _Planes:
    """The planes in which points are drawn, for each point, in view coordinates.

    Attributes:
        normals: ``(P, 3)``, of length 1; zeros where there is none.
        middles: ``(P, 3)``, a point of the plane.
        deviations: ``(P,)``, how far points of the plane lie from it at most.
    """

    normals: Points
    middles: Points
    deviations: Points


def _find_planes(strokes: Strokes, view: View) -> _Planes:
    """One plane for the whole object if it is flat, else for each layer that is, else for each stroke that is."""
    count = len(strokes.points)
    found = _Planes(np.zeros((count, 3)), np.zeros((count, 3)), np.zeros(count))
    of = np.repeat(np.arange(len(strokes.counts)), strokes.counts)
    left = np.ones(count, bool)
    for groups in (np.zeros(count, np.int64), strokes.layers[of], of):
        for group in np.unique(groups[left]):
            here = np.flatnonzero(left & (groups == group))
            plane = _fit(strokes.points[here])
            if plane is not None:
                found.normals[here], found.middles[here], found.deviations[here] = plane
                left[here] = False
        if not left.any():
            break
    turn, inverse = view.matrix[:3, :3], np.linalg.inv(view.matrix[:3, :3])
    normals = found.normals @ inverse
    length = np.linalg.norm(normals, axis=1)
    stretch = np.divide(1.0, length, out=np.zeros(count), where=length > 0.0)
    return _Planes(
        normals * stretch[:, None],
        found.middles @ turn.T + view.matrix[:3, 3],
        found.deviations * stretch,
    )


def _fit(points: Points) -> tuple[Points, Points, float] | None:
    """Normal, middle and largest deviation of the plane of some points; None where they have none, or many."""
    middle = points.mean(axis=0)
    apart = points - middle
    extent = float(np.linalg.norm(apart, axis=1).max())
    spread, axes = np.linalg.eigh(apart.T @ apart / len(points))
    if extent <= TINY or np.sqrt(max(spread[1], 0.0)) < FLAT * extent:
        return None
    deviation = float(np.abs(apart @ axes[:, 0]).max())
    return (axes[:, 0], middle, deviation) if deviation <= FLAT * extent else None


def _slid(places: Points, normals: Points, anchors: Points, most: Points, view: View) -> Points:
    """Places moved on the rays on which they are seen, into planes, by so much along the view axis at most."""
    apart = ((anchors - places) * normals).sum(axis=1)
    ray = np.tile((0.0, 0.0, -1.0), (len(places), 1)) if view.is_orthographic else places
    slope = (ray * normals).sum(axis=1)
    safe = np.where(np.abs(slope) > TINY, slope, 1.0)
    share = np.where(np.abs(slope) > TINY, apart / safe, 0.0)
    limit = most / np.maximum(np.abs(ray[:, 2]), TINY)
    slid: Points = places + ray * np.clip(share, -limit, limit)[:, None]
    return slid


def _levels(strokes: Strokes, points: Points, view: View) -> tuple[Points, float]:
    """How many steps towards the camera fill and stroke of each stroke lie ``(S, 2)``, and how large a step is.

    What is drawn later lies a step higher than all that it may cover.  A step is as large as a depth buffer of 24 bits
    takes to tell it for sure, as a share of the distance (a distance, for parallel rays).
    """
    boxes = _boxes(strokes, points, view)
    heights = np.zeros((CELLS, CELLS))
    levels = np.zeros((len(strokes.counts), 2))
    for stroke, (left, low, right, high) in enumerate(boxes.tolist()):
        cells = heights[low : high + 1, left : right + 1]
        fill = cells.max() + float(strokes.has_fill[stroke])
        levels[stroke] = fill, fill + float(strokes.has_stroke[stroke])
        cells[:] = levels[stroke, 1]
    highest = float(levels.max(initial=1.0))
    units = 8.0 * 2.0**-24
    if view.is_orthographic:
        return levels, units * (view.far - view.near)
    farthest = float(np.max(-points[:, 2], initial=view.near))
    return levels, min(units * max(farthest / view.near, 1.0), FARTHEST / highest)


def _boxes(strokes: Strokes, points: Points, view: View) -> Numbers:
    """The cells of the picture that each stroke may cover ``(S, 4)``: first column and row, last column and row."""
    if len(strokes.counts) == 0:
        return np.empty((0, 4), np.int64)
    away = np.maximum(-points[:, 2], view.near)[:, None] if not view.is_orthographic else np.ones((len(points), 1))
    window = np.array(view.window)
    places, reach = points[:, :2] / away / window, LONGEST_MITRE * strokes.radii[:, None] / away / window
    firsts = np.minimum(strokes.start, max(len(points) - 1, 0))
    lowest = np.minimum.reduceat(places - reach, firsts)
    highest = np.maximum.reduceat(places + reach, firsts)
    cells = np.floor((np.concatenate([lowest, highest], axis=1) + 1.0) * (CELLS / 2.0))
    found: Numbers = np.clip(cells, 0, CELLS - 1).astype(np.int64)
    return found


def _raised(places: Points, levels: Points, step: float, view: View) -> Points:
    """Places moved towards the camera, on the rays on which they are seen."""
    if view.is_orthographic:
        return places + np.stack([0.0 * levels, 0.0 * levels, levels * step], axis=-1)
    raised: Points = places * (1.0 - levels * step)[..., None]
    return raised


def _add_fills(
    parts: _Parts, strokes: Strokes, points: Points, fills: list[Numbers], levels: Points, step: float, view: View
) -> None:
    start = strokes.start
    for stroke in np.flatnonzero(strokes.has_fill):
        corners = fills[stroke]
        if len(corners) == 0:
            continue
        own = slice(start[stroke], start[stroke] + strokes.counts[stroke])
        places = _raised(points[own], np.full(strokes.counts[stroke], levels[stroke]), step, view)
        numbers = parts.add_vertices(places, strokes.identities[own], FILL)
        parts.add_triangles(
            [numbers[corners[:, corner]] for corner in range(3)],
            np.full(len(corners), strokes.fill_slot[stroke]),
            np.tile(strokes.fill_colors[stroke], (len(corners), 1)),
        )


class _Drawn:
    """The strokes whose stroke is drawn, with what the shapes of all their points need.

    Attributes:
        strokes: The strokes.
        points: ``(P, 3)``, in view coordinates.
        of: ``(P,)``, the stroke of each point.
        normals: ``(P, 3)``, of the planes that points are drawn in; zeros where there are none.
        heights: ``(P,)``, how many steps towards the camera each point lies.
        is_dot: ``(S,)`` bool, whether a stroke is drawn as dots.
    """

    def __init__(
        self, strokes: Strokes, points: Points, normals: Points, levels: Points, step: float, view: View
    ) -> None:
        self.strokes = strokes
        self.points = points
        self.normals = normals
        self.view = view
        self.step = step
        self.of: Numbers = np.repeat(np.arange(len(strokes.counts)), strokes.counts)
        within = np.arange(len(points)) - strokes.start[self.of]
        self.heights = levels[self.of] + RISING * within / np.maximum(strokes.counts[self.of], 1)
        self.starts, self.ends = self._segments(within)
        length = np.linalg.norm(strokes.points[self.ends] - strokes.points[self.starts], axis=1)
        longest = np.zeros(len(strokes.counts))
        np.maximum.at(longest, self.of[self.starts], length)
        self.is_dot: Flags = strokes.dots | (longest <= TINY)

    def _segments(self, within: Numbers) -> tuple[Numbers, Numbers]:
        """The points where segments begin and end, those of each stroke in a row."""
        strokes, of = self.strokes, self.of
        is_last = within == strokes.counts[of] - 1
        begins = ~is_last | (strokes.cyclic[of] & (strokes.counts[of] > 2))
        starts = np.flatnonzero(begins)
        ends = np.where(is_last[starts], strokes.start[of[starts]], starts + 1)
        return starts, ends

    def at(self, numbers: Numbers, offset: Points) -> Points:
        """Where vertices are that lie some radii from points, as it is seen; ``offset`` is ``(n, 2)``."""
        places = self.points[numbers].copy()
        reach = self.strokes.radii[numbers, None] * offset
        places[:, :2] += reach
        # a ribbon across the view axis would cut through fills of the plane that it is drawn in
        most = STEEPEST * np.linalg.norm(reach, axis=1)
        places = _slid(places, self.normals[numbers], self.points[numbers], most, self.view)
        return _raised(places, self.heights[numbers], self.step, self.view)

    def add(self, parts: _Parts, numbers: Numbers, offset: Points, role: Role) -> Numbers:
        """Add a vertex beside each of some points."""
        return parts.add_vertices(self.at(numbers, offset), self.strokes.identities[numbers], role)

    def add_triangles(self, parts: _Parts, corners: list[Numbers], numbers: Numbers) -> None:
        """Add triangles, each in the colour of the stroke that a point belongs to."""
        of = self.of[numbers]
        parts.add_triangles(corners, self.strokes.stroke_slot[of], self.strokes.stroke_colors[of])


def _add_dots(parts: _Parts, drawn: _Drawn) -> None:
    strokes = drawn.strokes
    numbers = np.flatnonzero((strokes.has_stroke & drawn.is_dot)[drawn.of] & strokes.shown & (strokes.radii > 0.0))
    # of a stroke that goes nowhere one dot is enough
    once = strokes.dots[drawn.of[numbers]] | (numbers == strokes.start[drawn.of[numbers]])
    numbers = numbers[once]
    if len(numbers) == 0:
        return
    rim = [
        drawn.add(parts, numbers, np.tile((np.cos(angle), np.sin(angle)), (len(numbers), 1)), AROUND_DOT + side)
        for side, angle in enumerate(2.0 * np.pi * np.arange(DOT_SIDES) / DOT_SIDES)
    ]
    for side in range(1, DOT_SIDES - 1):
        drawn.add_triangles(parts, [rim[0], rim[side], rim[side + 1]], numbers)


def _add_ribbons(parts: _Parts, drawn: _Drawn) -> None:
    """Two vertices at every point, four at a corner, a strip between them, and what is round."""
    strokes, of = drawn.strokes, drawn.of
    wanted = (strokes.has_stroke & ~drawn.is_dot)[of[drawn.starts]]
    starts, ends = drawn.starts[wanted], drawn.ends[wanted]
    if len(starts) == 0:
        return
    seen, turning = _directions(drawn, starts, ends)
    count = len(strokes.points)
    before, after = np.full(count, -1), np.full(count, -1)
    after[starts] = np.arange(len(starts))
    before[ends] = np.arange(len(ends))
    used = np.flatnonzero((before >= 0) | (after >= 0))
    arriving = np.where(before[used] >= 0, before[used], after[used])
    leaving = np.where(after[used] >= 0, after[used], before[used])
    into, out = seen[arriving], seen[leaving]
    is_corner = (turning[arriving] * turning[leaving]).sum(axis=1) < CORNER

    left, right, left_after, right_after = (np.full(count, -1) for _ in range(4))
    smooth = used[~is_corner]
    mitre = _mitres(into[~is_corner], out[~is_corner])
    left[smooth] = left_after[smooth] = drawn.add(parts, smooth, mitre, LEFT)
    right[smooth] = right_after[smooth] = drawn.add(parts, smooth, -mitre, RIGHT)
    corners = used[is_corner]
    across, across_after = _left_of(into[is_corner]), _left_of(out[is_corner])
    left[corners] = drawn.add(parts, corners, across, LEFT)
    right[corners] = drawn.add(parts, corners, -across, RIGHT)
    left_after[corners] = drawn.add(parts, corners, across_after, LEFT_AFTER)
    right_after[corners] = drawn.add(parts, corners, -across_after, RIGHT_AFTER)

    visible = (strokes.shown[starts] | strokes.shown[ends]) & ((strokes.radii[starts] + strokes.radii[ends]) > 0.0)
    begin, end = starts[visible], ends[visible]
    drawn.add_triangles(parts, [left_after[begin], right_after[begin], right[end]], begin)
    drawn.add_triangles(parts, [left_after[begin], right[end], left[end]], begin)

    reached = np.zeros(count, bool)
    reached[begin] = reached[end] = True
    shown = reached[corners]
    sides = np.where(shown[:, None], across, 0.0), np.where(shown[:, None], across_after, 0.0)
    _add_corners(parts, drawn, corners[shown], sides[0][shown], sides[1][shown])
    is_first, is_last = before[used] < 0, after[used] < 0
    for ends_here, role, is_round, sign, one, other in (
        (is_first, AROUND_START, strokes.round_start, -1.0, left_after, right_after),
        (is_last, AROUND_END, strokes.round_end, 1.0, right, left),
    ):
        here = ends_here & is_round[of[used]] & reached[used] & (strokes.radii[used] > 0.0)
        direction = out if sign < 0 else into
        _add_caps(parts, drawn, used[here], sign * direction[here], role, one[used[here]], other[used[here]])


def _directions(drawn: _Drawn, starts: Numbers, ends: Numbers) -> tuple[Points, Points]:
    """The direction of each segment in the picture ``(n, 2)``, and in space ``(n, 3)``, both of length 1.

    A segment that goes nowhere, or along the line of sight, goes where the one before it does, or the one after it.
    """
    points, view = drawn.points, drawn.view
    step = points[ends] - points[starts]
    if view.is_orthographic:
        seen = step[:, :2]
    else:
        # how the projected point moves; what lies behind the camera is taken for as near as can be
        away = np.maximum(-points[starts, 2], view.near)
        seen = step[:, :2] * away[:, None] + points[starts, :2] * step[:, 2:]
    of = drawn.of[starts]
    return _filled(seen, of), _filled(drawn.strokes.points[ends] - drawn.strokes.points[starts], of)


def _filled(directions: Points, of: Numbers) -> Points:
    """Directions of length 1; what has none takes over that of its neighbour on the same stroke."""
    length = np.linalg.norm(directions, axis=1)
    largest = np.zeros(int(of.max()) + 1)
    np.maximum.at(largest, of, length)
    known = length > np.maximum(1e-9 * largest[of], TINY)
    place = np.where(known, np.arange(len(of)), -1)
    before = np.maximum.accumulate(place)
    lost = (before < 0) | (of[np.maximum(before, 0)] != of)
    backwards = np.where(known, np.arange(len(of)), len(of))[::-1]
    after = np.minimum.accumulate(backwards)[::-1]
    chosen = np.where(lost, np.minimum(after, len(of) - 1), before)
    usable = known[chosen] & (of[chosen] == of)
    fallback = np.zeros(directions.shape[1])
    fallback[0] = 1.0
    found: Points = np.where(
        usable[:, None], directions[chosen] / np.where(usable, length[chosen], 1.0)[:, None], fallback
    )
    return found


def _left_of(direction: Points) -> Points:
    return np.stack([-direction[:, 1], direction[:, 0]], axis=1)


def _mitres(into: Points, out: Points) -> Points:
    """From a point to the left border of its stroke, by the radius."""
    middle = into + out
    length = np.linalg.norm(middle, axis=1, keepdims=True)
    middle = np.where(length > 1e-6, middle / np.maximum(length, TINY), into)
    across = _left_of(middle)
    share = np.maximum((across * _left_of(into)).sum(axis=1), 1.0 / LONGEST_MITRE)
    mitres: Points = across / share[:, None]
    return mitres


def _add_corners(parts: _Parts, drawn: _Drawn, numbers: Numbers, across: Points, across_after: Points) -> None:
    """Round the outer side of corners off: where a stroke turns left, its right side."""
    if len(numbers) == 0:
        return
    turn = across[:, 0] * across_after[:, 1] - across[:, 1] * across_after[:, 0]
    outer = np.where(turn > 0.0, -1.0, 1.0)[:, None]
    begin, end = outer * across, outer * across_after
    angle = np.arctan2(turn, (across * across_after).sum(axis=1))
    middle = drawn.add(parts, numbers, np.zeros((len(numbers), 2)), MIDDLE)
    rim = []
    for step in range(ROUND_STEPS + 1):
        offset = _turned(begin, angle * (step / ROUND_STEPS)) if step < ROUND_STEPS else end
        rim.append(drawn.add(parts, numbers, offset, AROUND_CORNER + step))
    for one, other in pairwise(rim):
        drawn.add_triangles(parts, [middle, one, other], numbers)


def _add_caps(
    parts: _Parts, drawn: _Drawn, numbers: Numbers, outwards: Points, kind: int, one: Numbers, other: Numbers
) -> None:
    """Half a circle from one side of the ends of strokes to the other."""
    if len(numbers) == 0:
        return
    begin = -_left_of(outwards)
    rim = [one]
    for step in range(1, ROUND_STEPS):
        offset = _turned(begin, np.full(len(numbers), np.pi * step / ROUND_STEPS))
        rim.append(drawn.add(parts, numbers, offset, kind + step))
    rim.append(other)
    for second, third in pairwise(rim[1:]):
        drawn.add_triangles(parts, [rim[0], second, third], numbers)


def _turned(vectors: Points, angle: Points) -> Points:
    """Vectors of the plane, turned to the left."""
    cosine, sine = np.cos(angle), np.sin(angle)
    return np.stack(
        [cosine * vectors[:, 0] - sine * vectors[:, 1], sine * vectors[:, 0] + cosine * vectors[:, 1]], axis=1
    )
