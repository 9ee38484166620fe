"""Proposes a camera for a scene that has none: one that shows what moves, as large and as little hidden as may be.

Where things are is judged by all of them in all frames that were looked at together: what teleports, or is parked far
away for a while, is an outlier there, and so is what is far away or huge for good.  Every view is then drawn, in each
of the frames, and nothing counts but what it shows.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from animerun_gen.motion import raster
from animerun_gen.motion.geometry import Camera, FrameGeometry
from animerun_gen.shot.findings import ENOUGH
from animerun_gen.shot.shot import Point, ViewKey

LENS = 50.0
SENSOR = 36.0
FILLED = 0.85
"""The share of the picture's width and height that the subject may take."""

TRIAL_WIDTH = 192
"""Width in pixels of the pictures by which views are compared."""

FAR_OFF, HUGE = 4.0, 10.0
"""What lies so many times farther from the middle than half of all things do, or is so many times larger than half of
them, is no subject but a sky, a ground, or something parked outside the set."""

ORBIT = 8.0
"""Degrees that the camera turns about a scene in which nothing moves, because motion is what a clip is for."""

NEARNESSES = (1.0, 0.5, 0.25, 0.12)
"""Shares of the distance from which everything is seen that are tried one after the other: what lies in a cave, or
behind a mountain, is seen from near only."""

BLOCKED = 0.995
"""A view that one thing of several fills to this share is one from inside it, or of a wall."""

MOST_ALONE, MOST_HOLDING = 4, 50
"""Of fewer things none is said to be around the others; of more boxes only the largest are held against the rest."""

HELD = 0.5
"""Something that has the centres of so large a share of all things in its box is a room, a ground, a sky or a helper
around them, and no subject."""

AZIMUTHS = (25.0, -25.0, 65.0, -65.0, 115.0, -115.0, 155.0, -155.0)
"""Degrees from the front (Blender's front view looks along +Y); what shows as much comes first."""

ELEVATIONS = (18.0, 50.0, 80.0)

Float64Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class ProposedView:
    """A camera, and what it shows.

    Attributes:
        keys: One keyframe for a camera that stands still; two for one that turns a little about a scene in which
            nothing moves; none when there is nothing to see.
        share: The share of the picture that shows surfaces in that of the frames looked at which shows the least.
    """

    keys: tuple[ViewKey, ...]
    share: float


def propose_view(frames: Sequence[FrameGeometry], first: int, last: int, resolution: tuple[int, int]) -> ProposedView:
    """Find a place for a camera.

    Args:
        frames: Some frames of the shot, ascending, whatever camera they have.
        first: First frame of the clip.
        last: Last frame of the clip.
        resolution: Width and height of the pictures.
    """
    moving = _moving(frames)
    best: _View | None = None
    for subject in _subjects(frames, moving):
        view = _best_view(frames, subject, resolution)
        if view is not None and (best is None or view.covers > best.covers):
            best = view
        if best is not None and best.does:
            break
    if best is None:
        return ProposedView((), 0.0)
    if moving:
        return ProposedView((_key(first, best.place, best.center),), best.share)
    turned = [_turned(best.place, best.center, degrees) for degrees in (-ORBIT / 2, ORBIT / 2)]
    keys = tuple(_key(frame, place, best.center) for frame, place in zip((first, last), turned, strict=True))
    shares = [_look(geometry, set(), place, best.center, resolution)[0] for geometry in frames for place in turned]
    return ProposedView(keys, min(shares))


def visible_share(geometry: FrameGeometry) -> float:
    """The share of a frame's picture that shows surfaces, as its own camera sees it; 0 where one thing fills it all.

    Args:
        geometry: The frame.
    """
    camera = geometry.camera
    height = max(16, round(TRIAL_WIDTH * camera.height / camera.width))
    return _seen_shares(replace(geometry, camera=replace(camera, width=TRIAL_WIDTH, height=height)), set())[0]


@dataclass(frozen=True)
class _View:
    """A view that was drawn.

    Attributes:
        place: Where the camera stands.
        center: What it looks at.
        share: The share of the picture that shows surfaces, in the frame that shows the least.
        shown: The share in which the subject is seen, in the median of the frames.
    """

    place: Float64Array
    center: Float64Array
    share: float
    shown: float

    @property
    def covers(self) -> float:
        """How near it is to showing enough in every frame, 0..1."""
        return min(self.share / ENOUGH, 1.0)

    @property
    def does(self) -> bool:
        """Whether no other need be looked for."""
        return self.share >= ENOUGH and self.shown >= ENOUGH

    def is_better_than(self, other: _View | None) -> bool:
        """Whether it clearly is."""
        if other is None or self.covers > 1.1 * other.covers:
            return True
        return self.covers >= other.covers and self.shown > 1.1 * other.shown


def _best_view(frames: Sequence[FrameGeometry], subject: _Subject, resolution: tuple[int, int]) -> _View | None:
    """The view that shows a subject best; None when there is no subject."""
    if not subject.keys:
        return None
    corners = subject.boxes.reshape(-1, 3)
    center = 0.5 * (corners.min(axis=0) + corners.max(axis=0))
    low, high = subject.boxes.min(axis=1), subject.boxes.max(axis=1)
    best: _View | None = None
    for nearness in NEARNESSES:
        for direction in _directions():
            place = center + direction * nearness * _distance(corners - center, direction, resolution)
            if ((low < place) & (place < high)).all(axis=1).any():
                # from inside a thing one sees that thing alone
                continue
            looks = [_look(geometry, subject.keys, place, center, resolution) for geometry in frames]
            covered, shown = zip(*looks, strict=True)
            view = _View(place, center, min(covered), float(np.median(shown)))
            if view.is_better_than(best):
                best = view
        if best is not None and best.does:
            break
    return best


def _key(frame: int, place: Float64Array, target: Float64Array) -> ViewKey:
    return ViewKey(frame, _point(place), _point(target), LENS)


def _point(place: Float64Array) -> Point:
    """Rounded to about four digits of the scene's size: this stands in a file that people read."""
    digits = max(0, 4 - math.floor(math.log10(max(float(np.abs(place).max()), 1e-6))))
    x, y, z = (round(float(value), digits) + 0.0 for value in place)
    return x, y, z


def _directions() -> Iterator[Float64Array]:
    """Unit vectors from the scene to where a camera might stand, the most usual first."""
    for elevation in ELEVATIONS:
        for azimuth in AZIMUTHS:
            up, around = math.radians(elevation), math.radians(azimuth)
            yield np.array([math.cos(up) * math.sin(around), -math.cos(up) * math.cos(around), math.sin(up)])


def _turned(place: Float64Array, center: Float64Array, degrees: float) -> Float64Array:
    """A place turned about the vertical through the center."""
    angle = math.radians(degrees)
    x, y, z = place - center
    turned = (x * math.cos(angle) - y * math.sin(angle), x * math.sin(angle) + y * math.cos(angle), z)
    return center + np.array(turned)


def _moving(frames: Sequence[FrameGeometry]) -> set[str]:
    """Keys of the instances that move or change in the world."""
    first = {key: index for index, key in enumerate(frames[0].keys)}
    found = set()
    for other in frames[1:]:
        for index, key in enumerate(other.keys):
            before = first.get(key)
            if before is None or not (
                np.array_equal(frames[0].matrices[before], other.matrices[index])
                and np.array_equal(
                    frames[0].mesh_vertices(int(frames[0].mesh[before])), other.mesh_vertices(int(other.mesh[index]))
                )
            ):
                found.add(key)
    return found


@dataclass(frozen=True)
class _Subject:
    """What a camera is to show.

    Attributes:
        keys: Keys of its instances.
        boxes: ``(n, 8, 3)``, the corners in the world of the boxes around them, of each in each frame where it counts.
    """

    keys: set[str]
    boxes: Float64Array


def _subjects(frames: Sequence[FrameGeometry], moving: set[str]) -> Iterator[_Subject]:
    """What a camera might show, the most wanted first.

    Where what moves is out of every view for most of the time, the things that stand still show where all happens, or
    what moves does in one of the frames.
    """
    everything = {key for geometry in frames for key in geometry.keys}
    yield _subject(frames, moving or everything)
    if moving:
        yield _subject(frames, everything - moving)
        for geometry in frames:
            yield _subject([geometry], moving)


def _subject(frames: Sequence[FrameGeometry], wanted: set[str]) -> _Subject:
    """Some things, but for what is huge, or around everything else; without outliers among their places."""
    places = [(key, box) for geometry in frames for key, box in _boxes(geometry, wanted)]
    if not places:
        return _Subject(set(), np.empty((0, 8, 3)))
    keys = np.array([key for key, _ in places])
    boxes = np.array([box for _, box in places])
    low, high = boxes.min(axis=1), boxes.max(axis=1)
    sizes = np.linalg.norm(high - low, axis=1)
    centers = 0.5 * (low + high)
    kept = sizes <= HUGE * np.median(sizes)
    kept &= ~_holds_the_others(keys, low, high, centers)
    if not kept.any():
        kept[:] = True
    away = np.linalg.norm(centers - np.median(centers[kept], axis=0), axis=1)
    near = kept & (away <= FAR_OFF * np.median(away[kept]) + 0.5 * sizes)
    chosen = near if near.any() else kept
    return _Subject(set(keys[chosen].tolist()), boxes[chosen])


def _holds_the_others(
    keys: npt.NDArray[np.str_], low: Float64Array, high: Float64Array, centers: Float64Array
) -> npt.NDArray[np.bool_]:
    """Which things are around most of the others, of at least three, in the frames that were looked at."""
    named, number = np.unique(keys, return_inverse=True)
    if len(named) < MOST_ALONE:
        return np.zeros(len(keys), bool)
    holding = np.zeros(len(keys), bool)
    sizes = np.linalg.norm(high - low, axis=1)
    # the largest are the only ones that can
    for index in np.argsort(-sizes)[:MOST_HOLDING]:
        others = number != number[index]
        inside = ((low[index] <= centers[others]) & (centers[others] <= high[index])).all(axis=1)
        holding |= (number == number[index]) & (inside.mean() > HELD)
    return holding


def _boxes(geometry: FrameGeometry, wanted: set[str]) -> Iterator[tuple[str, Float64Array]]:
    """The corners in the world, ``(8, 3)``, of the box around each of some things, by its key."""
    for index, key in enumerate(geometry.keys):
        if key not in wanted:
            continue
        vertices = geometry.mesh_vertices(int(geometry.mesh[index])).astype(np.float64)
        vertices = vertices[np.isfinite(vertices).all(axis=1)]
        if len(vertices) == 0:
            continue
        low, high = vertices.min(axis=0), vertices.max(axis=0)
        grid = np.array(np.meshgrid(*zip(low, high, strict=True))).reshape(3, 8)
        matrix = geometry.matrices[index]
        yield key, (matrix[:3, :3] @ grid).T + matrix[:3, 3]


def _axes(direction: Float64Array) -> Float64Array:
    """The rows right, up and back of a camera that looks against ``direction``, upright."""
    right = np.cross([0.0, 0.0, 1.0], direction)
    right /= np.linalg.norm(right)
    return np.array([right, np.cross(direction, right), direction])


def _tangents(resolution: tuple[int, int]) -> tuple[float, float]:
    """Half the picture's width and height at distance 1; the sensor's width belongs to the larger one."""
    width, height = resolution
    half = SENSOR / 2 / LENS
    return half * width / max(width, height), half * height / max(width, height)


def _distance(corners: Float64Array, direction: Float64Array, resolution: tuple[int, int]) -> float:
    """The smallest distance from the origin at which all corners are in the picture."""
    x, y, toward = _axes(direction) @ corners.T
    across, upward = _tangents(resolution)
    needed = np.maximum(np.abs(x) / (FILLED * across), np.abs(y) / (FILLED * upward)) + toward
    return max(float(needed.max()), 1e-3)


def _look(
    geometry: FrameGeometry,
    subject: set[str],
    place: Float64Array,
    center: Float64Array,
    resolution: tuple[int, int],
) -> tuple[float, float]:
    """The shares of a small picture that show surfaces, and the subject; none where one thing fills it."""
    away = place - center
    distance = float(np.linalg.norm(away))
    world = np.eye(4)
    world[:3, :3] = _axes(away / distance).T
    world[:3, 3] = place
    across, upward = _tangents(resolution)
    near, far = distance * 1e-3, distance * 1e3
    projection = np.array(
        [
            [1.0 / across, 0.0, 0.0, 0.0],
            [0.0, 1.0 / upward, 0.0, 0.0],
            [0.0, 0.0, -(far + near) / (far - near), -2.0 * far * near / (far - near)],
            [0.0, 0.0, -1.0, 0.0],
        ]
    )
    height = max(16, round(TRIAL_WIDTH * resolution[1] / resolution[0]))
    camera = Camera("trial", world, projection, near, far, TRIAL_WIDTH, height)
    return _seen_shares(replace(geometry, camera=camera), subject)


def _seen_shares(geometry: FrameGeometry, subject: set[str]) -> tuple[float, float]:
    seen = raster.draw(geometry).instance
    shown = seen[seen != raster.BACKGROUND]
    shares = np.bincount(shown, minlength=len(geometry.keys)) / seen.size
    if len(shares) == 0 or (shares.max() > BLOCKED and len(shares) > 1):
        return 0.0, 0.0
    counts = np.array([key in subject for key in geometry.keys])
    return float(shares.sum()), float(shares[counts].sum())
