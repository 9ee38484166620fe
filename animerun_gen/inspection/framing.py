"""Proposes a camera for a scene that has none: one that shows what moves, as large and as little hidden as may be."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from animerun_gen.inspection.shot import Point, ViewKey
from animerun_gen.motion import raster
from animerun_gen.motion.geometry import Camera, FrameGeometry

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

ENOUGH = 0.01
"""The share of the picture in which the subject must be seen for no nearer view to be tried."""

AZIMUTHS = (25.0, -25.0, 65.0, -65.0, 115.0, -115.0, 155.0, -155.0)
"""Degrees from the front (Blender's front view looks along +Y); what shows as much comes first."""

ELEVATIONS = (18.0, 50.0, 80.0)

Float64Array = npt.NDArray[np.float64]


def propose_view(
    frames: Sequence[FrameGeometry], first: int, last: int, resolution: tuple[int, int]
) -> tuple[ViewKey, ...]:
    """Find a place for a camera.

    Args:
        frames: Some frames of the shot, ascending, whatever camera they have.
        first: First frame of the clip.
        last: Last frame of the clip.
        resolution: Width and height of the pictures.

    Returns:
        One keyframe for a camera that stands still; two for one that turns a little about a scene in which nothing
        moves; none when there is nothing to see.
    """
    moving = _moving(frames)
    subject, corners = _subject(frames, moving)
    if not subject:
        return ()
    center = 0.5 * (corners.min(axis=0) + corners.max(axis=0))
    best: tuple[float, Float64Array] = (-1.0, center)
    for nearness in NEARNESSES:
        for direction in _directions():
            place = center + direction * nearness * _distance(corners - center, direction, resolution)
            shown = min(
                _visible_share(geometry, subject, place, center, resolution) for geometry in (frames[0], frames[-1])
            )
            # a view counts as better only when it clearly is
            if shown > 1.1 * best[0]:
                best = shown, place
        if best[0] >= ENOUGH:
            break
    place = best[1]
    if moving:
        return (_key(first, place, center),)
    return _key(first, _turned(place, center, -ORBIT / 2), center), _key(
        last, _turned(place, center, ORBIT / 2), center
    )


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


def _subject(frames: Sequence[FrameGeometry], moving: set[str]) -> tuple[set[str], Float64Array]:
    """What moves, or everything, but for what is far off or huge.

    Returns:
        The keys of its instances, and the corners ``(n, 3)`` of the boxes around them.
    """
    boxes: dict[str, list[Float64Array]] = {}
    for geometry in frames:
        for key, box in _boxes(geometry, moving):
            boxes.setdefault(key, []).append(box)
    if not boxes:
        return set(), np.empty((0, 3))
    things = [np.concatenate(found) for found in boxes.values()]
    low, high = (np.array([extreme(thing, axis=0) for thing in things]) for extreme in (np.min, np.max))
    sizes = np.linalg.norm(high - low, axis=1)
    kept = sizes <= HUGE * np.median(sizes)
    centers = 0.5 * (low + high)
    away = np.linalg.norm(centers - np.median(centers[kept], axis=0), axis=1)
    kept &= away <= FAR_OFF * np.median(away[kept]) + 0.5 * sizes
    chosen = np.flatnonzero(kept) if kept.any() else np.arange(len(things))
    keys = list(boxes)
    return {keys[index] for index in chosen}, np.concatenate([things[index] for index in chosen])


def _boxes(geometry: FrameGeometry, moving: set[str]) -> Iterator[tuple[str, Float64Array]]:
    """The corners in the world, ``(8, 3)``, of the box around each thing that moves, or around each, by its key."""
    for index, key in enumerate(geometry.keys):
        if moving and key not in moving:
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


def _visible_share(
    geometry: FrameGeometry,
    subject: set[str],
    place: Float64Array,
    center: Float64Array,
    resolution: tuple[int, int],
) -> float:
    """The share of a small picture in which the subject is seen."""
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
    seen = raster.draw(replace(geometry, camera=camera))
    # the background is instance -1, the last entry
    counts = np.array([*(key in subject for key in geometry.keys), False])
    return float(counts[seen.instance].mean())
