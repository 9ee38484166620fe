"""The shapes that stand for hair: locks, tubes and places for instances, as arrays; knows nothing of Blender.

Hair comes as *paths*: float64 ``(N, STEPS, 3)``, the points of N guide hairs from root to tip in the coordinates of
the object that they grow on.  A :class:`StrandPlan` is made once, from the paths of a clip's first frame; the same plan
then turns the paths of any frame into vertices.  Every vertex is computed from guide points and from numbers of the
plan in the frame that the guide roots span, and from nothing else: where all guides move rigidly, so do the vertices.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

STEPS = 9
"""Points of a path; 2**3 + 1, as Blender's hair cache has with three display steps."""

Points = npt.NDArray[np.float64]
Numbers = npt.NDArray[np.int64]

LOCK_SIDES = 6
TUBE_SIDES = 3

MEMBERS = 8
"""Guides at most whose mean a lock follows."""

NEIGHBOURS = 8
"""Guides around a guide from which the area that it stands for is estimated."""

NEARBY = 24
"""Guides around a lock among which two are chosen whose roots turn its cross-section with the surface."""

LEANING = 0.35
"""Sine of the angle to the surface's normal above which a lock lies flat on the surface."""

WIDTH_OVERLAP = 1.3
"""How much wider a lock is than a disc of the area that it covers, so that neighbours overlap."""

SPARSE_WIDTH, DENSE_WIDTH = 0.1, 0.4
"""Largest half width of a lock, as a share of its length: when it stands for one hair, and for any number of hairs."""

BLADES, BLADE_WIDTH = 3, 0.14
"""Hair that stands upright, as grass does, is drawn as tufts of so many blades, with so large a half width at most."""

FLATNESS = 0.4
"""Thickness of a lock by its width."""

SUNK = 0.3
"""How deep a lock's root lies under its guide's, by its half width, lest a gap shows where the surface bends."""

GOLDEN = 0.6180339887498949
"""Fractional part of the golden ratio, whose multiples spread evenly over 0..1: variation without chance."""

TINY = 1e-12


@dataclass(frozen=True)
class StrandPlan:
    """Which guides the shapes of a hair system follow, and how.

    Attributes:
        leader: Guide whose root each shape stands on, int64 (L,).
        members: Guides whose mean each shape follows, int64 (L, M); a cluster of fewer repeats its own.
        beside: Two further guides whose roots, with the leader's, span the surface there, int64 (L, 2).
        across: Direction of the cross-section's width in the orthonormal frame that these three roots span, (L, 3).
        half_width: In units of the paths, (L,).
        flatness: Thickness of the cross-section by its width.
        taper: Half width along the path, a share of ``half_width``, (L, STEPS); the tip is a point.
        sunk: How deep the root lies under its guide's, by ``half_width``.
        sides: Corners of a cross-section.
    """

    leader: Numbers
    members: Numbers
    beside: Numbers
    across: Points
    half_width: Points
    flatness: float
    taper: Points
    sunk: float
    sides: int

    @property
    def needed(self) -> Numbers:
        """The guides, ascending, whose paths it takes to place the shapes."""
        return np.unique(np.concatenate([self.leader, self.members.ravel(), self.beside.ravel()]))

    def renumbered(self) -> StrandPlan:
        """The same plan for paths that hold only the guides of :attr:`needed`."""
        needed = self.needed
        leader, members, beside = (
            np.searchsorted(needed, numbers) for numbers in (self.leader, self.members, self.beside)
        )
        return StrandPlan(
            leader,
            members,
            beside,
            self.across,
            self.half_width,
            self.flatness,
            self.taper,
            self.sunk,
            self.sides,
        )


def resample(points: Points, counts: Numbers) -> Points:
    """Bring polylines of any number of points to ``STEPS`` points, along Catmull-Rom curves through their points.

    Args:
        points: All points, one polyline after another, (P, 3).
        counts: Points of each polyline, at least one, int64 (N,); they add up to P.

    Returns:
        Paths, (N, STEPS, 3); the first and last points are those of the polylines.
    """
    start = np.cumsum(counts) - counts
    last = counts - 1
    place = np.linspace(0.0, 1.0, STEPS) * last[:, None]
    left = np.minimum(np.floor(place).astype(np.int64), np.maximum(last - 1, 0)[:, None])
    t = (place - left)[..., None]

    def point(offset: int) -> Points:
        return points[start[:, None] + np.clip(left + offset, 0, last[:, None])]

    before, here, there, after = (point(offset) for offset in (-1, 0, 1, 2))
    return 0.5 * (
        2.0 * here
        + (there - before) * t
        + (2.0 * before - 5.0 * here + 4.0 * there - after) * t**2
        + (3.0 * here - before - 3.0 * there + after) * t**3
    )


def plan_locks(paths: Points, count: int, strands_per_guide: float = 1.0, reach: float | None = None) -> StrandPlan:
    """Gather guides to locks: clusters around guides that lie as far as possible from each other.

    The centres are found by farthest-point sampling (Gonzalez 1985, "Clustering to minimize the maximum intercluster
    distance"), from the outermost guide on, of roots and, by half, of where the hair goes, so that a parting stays one.
    Which guides lead does not depend on the order in which they are given, except where two lie equally far.

    Args:
        paths: The guides, (N, STEPS, 3), N at least 1.
        count: Locks at most.
        strands_per_guide: Hairs that each guide stands for: children share their parent's lock.
        reach: How far around a guide its hairs grow; None: halfway to the next guide.

    Returns:
        The plan of at most ``min(count, N)`` locks; one that stands upright has several blades.
    """
    features = np.concatenate([paths[:, 0], 0.5 * (paths[:, STEPS // 2] - paths[:, 0])], axis=1)
    outlying = np.argmax(np.sum((features - features.mean(axis=0)) ** 2, axis=1))
    centre, cluster = _farthest_points(features, count, int(outlying))
    guides = [_nearest_first(paths[:, 0], np.flatnonzero(cluster == lock), head) for lock, head in enumerate(centre)]
    members = np.stack([np.resize(own[:MEMBERS], MEMBERS) for own in guides])
    area_of = _areas(paths[:, 0])
    half_width = WIDTH_OVERLAP * np.sqrt([area_of[own].sum() / np.pi for own in guides])
    if reach is not None:
        spread = [np.linalg.norm(paths[own[-1], 0] - paths[own[0], 0]) for own in guides]
        half_width = np.minimum(half_width, np.array(spread) + reach)
    length = _lengths(_mean_paths(paths, centre, members))
    hairs = strands_per_guide * np.array([len(own) for own in guides])
    half_width = np.minimum(half_width, np.minimum(SPARSE_WIDTH * np.sqrt(hairs), DENSE_WIDTH) * length)

    _, leaning = _across(paths, centre, members)
    along = np.linspace(0.0, 1.0, STEPS)
    strands: list[tuple[int, Numbers, float, Points]] = []
    for lock, own in enumerate(guides):
        if leaning[lock]:
            taper = (1.0 - along**1.8) * (0.8 + 0.5 * along)
            strands.append((int(centre[lock]), members[lock], half_width[lock], taper))
            continue
        taper = 1.0 - along**1.5
        for blade in _apart(paths[:, 0], own, BLADES):
            width = min(half_width[lock], BLADE_WIDTH * length[lock])
            strands.append((blade, np.full(MEMBERS, blade), width, taper))
    leader, followed, widths, tapers = zip(*strands, strict=True)
    varied = 0.85 + 0.3 * np.mod(GOLDEN * np.arange(len(leader)), 1.0)
    return _plan(
        paths,
        np.array(leader),
        np.stack(followed),
        np.array(widths) * varied,
        FLATNESS,
        np.stack(tapers),
        SUNK,
        LOCK_SIDES,
    )


def plan_tubes(paths: Points, guides: Numbers, radius: float) -> StrandPlan:
    """Let every one of some guides be a thin round tube of its own.

    Args:
        paths: The guides, (N, STEPS, 3).
        guides: Those that become tubes, int64 (L,).
        radius: At the root, in units of the paths; the tip is pointed.
    """
    taper = np.tile(1.0 - np.linspace(0.0, 1.0, STEPS) ** 3, (len(guides), 1))
    return _plan(paths, guides, guides[:, None], np.full(len(guides), radius), 1.0, taper, 0.0, TUBE_SIDES)


def strand_vertices(plan: StrandPlan, paths: Points) -> Points:
    """The vertices of locks or tubes at a frame.

    Args:
        plan: The plan.
        paths: The guides at that frame, (N, STEPS, 3), numbered as the plan has them.

    Returns:
        (L * per, 3) with ``per = sides * (STEPS - 1) + 1``: cross-sections from the root on, then the tip.
    """
    path = _mean_paths(paths, plan.leader, plan.members)
    direction = _directions(path)
    width = _normalized(np.einsum("lij,lj->li", _surface_frames(paths, plan.leader, plan.beside), plan.across))
    path[:, 0] -= plan.sunk * plan.half_width[:, None] * direction[:, 0]
    turn = 2.0 * np.pi * np.arange(plan.sides) / plan.sides
    rings = np.empty((len(path), STEPS - 1, plan.sides, 3))
    for step in range(STEPS - 1):
        ahead = direction[:, step]
        # carried along without turning about the path (parallel transport)
        width = _normalized(width - ahead * np.sum(width * ahead, axis=1, keepdims=True), otherwise=width)
        thickness = plan.flatness * np.cross(ahead, width)
        section = np.cos(turn)[:, None] * width[:, None] + np.sin(turn)[:, None] * thickness[:, None]
        rings[:, step] = path[:, step, None] + (plan.taper[:, step] * plan.half_width)[:, None, None] * section
    return np.concatenate([rings.reshape(len(path), -1, 3), path[:, -1:]], axis=1).reshape(-1, 3)


def strand_faces(plan: StrandPlan) -> list[tuple[int, ...]]:
    """The faces of the vertices of :func:`strand_vertices`: closed, seen from outside counter-clockwise."""
    sides, rings = plan.sides, STEPS - 1
    one: list[tuple[int, ...]] = [tuple(reversed(range(sides)))]
    for ring in range(rings - 1):
        for side in range(sides):
            after = (side + 1) % sides
            low, high = ring * sides, (ring + 1) * sides
            one.append((low + side, low + after, high + after, high + side))
    tip, low = rings * sides, (rings - 1) * sides
    one += [(low + side, low + (side + 1) % sides, tip) for side in range(sides)]
    return [tuple(lock * (tip + 1) + corner for corner in face) for lock in range(len(plan.leader)) for face in one]


def place_vertices(plan: StrandPlan, paths: Points, height: float) -> Points:
    """Squares that hold instances: around the root of each strand, their normal from its root to its tip.

    Blender scales an instance on a face by the root of the face's area.

    Args:
        plan: The plan.
        paths: The guides at a frame, as for :func:`strand_vertices`.
        height: Of the instanced object; it becomes as tall as the strand is long.

    Returns:
        (4 L, 3), four corners a square.
    """
    path = _mean_paths(paths, plan.leader, plan.members)
    up = _normalized(path[:, -1] - path[:, 0], otherwise=_directions(path)[:, 0])
    width = np.einsum("lij,lj->li", _surface_frames(paths, plan.leader, plan.beside), plan.across)
    width = _normalized(width - up * np.sum(width * up, axis=1, keepdims=True), otherwise=width)
    other = np.cross(up, width)
    half = 0.5 * (_lengths(path) / height)[:, None]
    corners = [path[:, 0] + half * (x * width + y * other) for x, y in ((-1, -1), (1, -1), (1, 1), (-1, 1))]
    return np.stack(corners, axis=1).reshape(-1, 3)


def place_faces(plan: StrandPlan) -> list[tuple[int, ...]]:
    """The faces of the vertices of :func:`place_vertices`."""
    return [(4 * place, 4 * place + 1, 4 * place + 2, 4 * place + 3) for place in range(len(plan.leader))]


def _plan(
    paths: Points,
    leader: Numbers,
    members: Numbers,
    half_width: Points,
    flatness: float,
    taper: Points,
    sunk: float,
    sides: int,
) -> StrandPlan:
    across, _ = _across(paths, leader, members)
    beside = _beside(paths[:, 0], leader)
    return StrandPlan(leader, members, beside, across, half_width, flatness, taper, sunk, sides)


def _across(paths: Points, leader: Numbers, members: Numbers) -> tuple[Points, Any]:
    """The direction of each strand's width in the frame at its root (L, 3), and whether it leans (L,).

    What leans lies flat on the surface; upright strands, for want of a flat side, turn theirs everywhere.
    """
    frames = _surface_frames(paths, leader, _beside(paths[:, 0], leader))
    path = _mean_paths(paths, leader, members)
    flat = np.cross(_normals(paths[:, 0], leader), _normalized(path[:, -1] - path[:, 0]))
    leaning = np.linalg.norm(flat, axis=1) > LEANING
    angle = 2.0 * np.pi * np.mod(GOLDEN * np.arange(len(leader)), 1.0)
    upright = np.stack([np.cos(angle), np.sin(angle), np.zeros(len(leader))], axis=1)
    return np.where(leaning[:, None], np.einsum("lij,li->lj", frames, _normalized(flat)), upright), leaning


def _nearest_first(roots: Points, guides: Numbers, head: int) -> Numbers:
    """Some guides by the distance of their roots from another's."""
    distance = np.linalg.norm(roots[guides] - roots[head], axis=1)
    return guides[np.lexsort((guides, distance))]


def _apart(roots: Points, guides: Numbers, count: int) -> list[int]:
    """The first of some guides, and those farthest from it and from each other."""
    chosen, _ = _farthest_points(roots[guides], count, first=0)
    return [int(number) for number in guides[chosen]]


def _farthest_points(features: Points, count: int, first: int) -> tuple[Numbers, Numbers]:
    """Numbers of at most ``count`` centres, and for each point which of them, as a position among them, is nearest."""
    centres = [first]
    distance = np.sum((features - features[first]) ** 2, axis=1)
    nearest = np.zeros(len(features), np.int64)
    while len(centres) < count:
        centre = int(np.argmax(distance))
        if distance[centre] <= TINY:
            break
        to_it = np.sum((features - features[centre]) ** 2, axis=1)
        closer = to_it < distance
        nearest[closer] = len(centres)
        distance[closer] = to_it[closer]
        centres.append(centre)
    return np.array(centres, np.int64), nearest


def _tree(roots: Points) -> Any:
    """Finds what is near among roots."""
    # most films have no hair, and this takes a while to load
    from scipy.spatial import cKDTree

    return cKDTree(roots)


def _areas(roots: Points) -> Points:
    """The area of the surface that each root stands for: its share of the disc that reaches to its neighbours."""
    count = min(NEIGHBOURS, len(roots) - 1)
    if count == 0:
        return np.full(1, np.inf)
    distance, _ = _tree(roots).query(roots, k=count + 1)
    return np.pi * distance[:, -1] ** 2 / count


def _beside(roots: Points, leader: Numbers) -> Numbers:
    """For each leader the far one of the guides around it, and the one that spans the largest triangle with both.

    Where there are too few guides for that, or all lie on a line, the leader itself stands for the missing ones.
    """
    near = _nearby(roots, leader)
    offset = roots[near] - roots[leader][:, None]
    size = np.sum(offset**2, axis=2)
    far = np.argmax(size, axis=1)
    rows = np.arange(len(leader))
    span = np.linalg.norm(np.cross(offset, offset[rows, far][:, None]), axis=2)
    third = np.argmax(span, axis=1)
    good = span[rows, third] > 1e-3 * size[rows, far]
    beside = np.stack([near[rows, far], near[rows, third]], axis=1)
    return np.where((good & (size[rows, far] > TINY))[:, None], beside, leader[:, None])


def _normals(roots: Points, leader: Numbers) -> Points:
    """Normals, of either sign, of the planes that fit the roots around each leader best; nothing for a lone root."""
    offset = roots[_nearby(roots, leader)]
    offset = offset - offset.mean(axis=1, keepdims=True)
    values, vectors = np.linalg.eigh(np.einsum("lni,lnj->lij", offset, offset))
    return np.where((values[:, 1] > TINY)[:, None], vectors[:, :, 0], 0.0)


def _nearby(roots: Points, leader: Numbers) -> Numbers:
    """The guides around each leader, itself among them, (L, n)."""
    count = min(NEARBY, len(roots))
    _, near = _tree(roots).query(roots[leader], k=count)
    return np.asarray(near, np.int64).reshape(len(leader), count)


def _surface_frames(paths: Points, leader: Numbers, beside: Numbers) -> Points:
    """Orthonormal frames (L, 3, 3) of columns tangent, tangent, normal, which turn with the roots around a strand.

    The axes of the object stand in for them where :func:`_beside` found no two guides.
    """
    root = paths[leader, 0]
    first, second = (paths[beside[:, side], 0] - root for side in (0, 1))
    normal = np.cross(first, second)
    lone = (beside == leader[:, None]).all(axis=1) | (np.linalg.norm(normal, axis=1) <= TINY**2)
    first = np.where(lone[:, None], [1.0, 0.0, 0.0], first)
    normal = np.where(lone[:, None], [0.0, 0.0, 1.0], normal)
    tangent, normal = _normalized(first), _normalized(normal)
    return np.stack([tangent, np.cross(normal, tangent), normal], axis=2)


def _mean_paths(paths: Points, leader: Numbers, members: Numbers) -> Points:
    """The paths of strands (L, STEPS, 3): they begin at the leader's root and go the members' mean way."""
    gathered = paths[members]
    return paths[leader, :1] + np.mean(gathered - gathered[:, :, :1], axis=1)


def _directions(path: Points) -> Points:
    """Unit directions along paths at each point, (L, STEPS, 3); where a path stands still, upwards."""
    step = np.gradient(path, axis=1)
    return _normalized(step, otherwise=np.broadcast_to([0.0, 0.0, 1.0], step.shape))


def _lengths(path: Points) -> Points:
    return np.linalg.norm(np.diff(path, axis=1), axis=2).sum(axis=1)


def _normalized(vectors: Points, otherwise: Any = 0.0) -> Points:
    length = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return np.where(length > TINY, vectors / np.maximum(length, TINY), otherwise)
