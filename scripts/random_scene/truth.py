"""Where each surface point of a frame is in another frame, and whether it is seen there: without the package's code."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, fields
from enum import IntEnum, StrEnum
from pathlib import Path
from typing import Any

import numpy as np

from random_scene.frames import UNMATCHED, Frame, Placed, Surface
from random_scene.rays import Tiles

Array = np.ndarray[Any, Any]

CANDIDATES = 4
"""So many points of the other frame may have the same identity (the two sides of a shell); the flow must reach one."""

ROUNDING = 1e-4
"""Pixels by which a ray is moved to see whether it passes so near to an edge that rounding decides what it meets."""

STEP = 0.01
"""Pixels by which a ray is moved to see how steeply its surface is met."""


class Proof(StrEnum):
    """By what a surface point of an object is the same in two frames.

    The builder knows it by construction:

    - ``NUMBER``: Blender keeps every face; a face is the same when its number is.
    - ``CARRIED``: faces go, come or change their numbers, and carry an attribute that names the face, and the place in
      it, that they were made from.
    - ``CORNERS``: vertices go or are merged, and those that stay are original vertices: a face is the same when it has
      the same corners.
    - ``PLACE``: the surface stands still within its object, and only parts of it are there in each frame.
    - ``NONE``: it is made anew; only where nothing moved at all within the object, it is the same.
    """

    NUMBER = "number"
    CARRIED = "carried"
    CORNERS = "corners"
    PLACE = "place"
    NONE = "none"


class State(IntEnum):
    """What is known of a pixel's motion."""

    SKIPPED = 0
    """Nothing: two surfaces coincide, or an edge passes, or it is background whose motion is a matter of definition."""
    KNOWN = 1
    """It is there in the other frame."""
    NO_IDENTITY = 2
    """Nobody can say: nothing that is valid is right."""
    GONE = 3
    """It is not there in the other frame: nothing that is valid is right."""


class Seen(IntEnum):
    """Whether a point is seen in the other frame."""

    YES = 0
    NO = 1
    UNSURE = 2
    """So near to an edge of something that rounding decides."""


@dataclass
class PairTruth:
    """What is true of the pixels of one frame towards another.

    Attributes:
        state: (H, W) of :class:`State`.
        targets: (H, W, CANDIDATES, 2) places of the points with the same identity; NaN where there are fewer.
        kept: (H, W) Blender keeps the whole mesh identical, and the point is before the other camera.
        seen: (H, W) of :class:`Seen`.
        steepness: (H, W) pixels that the target moves by when the ray moves by one pixel.
        recipe: (H, W) number of the object's recipe, -1 for none.
        split: (H, W) on a bent face that Blender splits along another diagonal there; where in the face the point is
            then goes by the face's corners, as if they were those of a square.
    """

    state: Array
    targets: Array
    kept: Array
    seen: Array
    steepness: Array
    recipe: Array
    split: Array


class World:
    """The triangles of a frame in the world, and what its pixels see."""

    def __init__(self, frame: Frame) -> None:
        self.frame = frame
        self.camera = frame.camera
        corners = [_in_world(placed, placed.surface.triangles) for placed in frame.placed]
        self.triangles = np.concatenate([np.empty((0, 3, 3)), *corners])
        self.start = np.cumsum([0, *[len(part) for part in corners]])
        self.tiles = Tiles(self.camera, self.triangles)
        width, height = self.camera.size
        grid = np.stack(np.meshgrid(np.arange(width), np.arange(height)), axis=-1)
        self.pixels = grid.reshape(-1, 2).astype(np.float64)
        self.triangle, self.inside, self.depth, second = self.tiles.nearest(self.pixels)
        self.unsure = (self.triangle >= 0) & (second < self.depth * (1 + 1e-6))
        self.between = np.zeros(len(self.pixels), bool)
        for step in ((ROUNDING, 0), (-ROUNDING, 0), (0, ROUNDING), (0, -ROUNDING)):
            triangle, _, beside, _ = self.tiles.nearest(self.pixels + step)
            self.between |= triangle != self.triangle
            with np.errstate(invalid="ignore"):
                self.unsure |= ~(np.abs(beside - self.depth) < 1e-5 * self.depth) & (beside != self.depth)
        counts = Counter((placed.name, placed.identity) for placed in frame.placed)
        self.index = {
            (placed.name, placed.identity): number
            for number, placed in enumerate(frame.placed)
            if counts[(placed.name, placed.identity)] == 1 and placed.identity != UNMATCHED
        }
        self.repeated = {key for key, count in counts.items() if count > 1}
        self.order: dict[str, list[tuple[str, tuple[Any, ...]]]] = {}
        for placed in frame.placed:
            self.order.setdefault(placed.parent, []).append((placed.name, placed.identity))


def pair_truth(here: World, there: World, proofs: dict[str, Proof], recipes: dict[str, int]) -> PairTruth:
    """Hold two frames against each other.

    Args:
        here: The frame whose pixels are asked about.
        there: The other one.
        proofs: For each object's name what its identity is proven by.
        recipes: For each object's name the number of the recipe that made it.
    """
    width, height = here.camera.size
    count = width * height
    state = np.full(count, State.SKIPPED, np.uint8)
    places = np.full((count, CANDIDATES, 3), np.nan)
    moved = np.full((count, 2, 3), np.nan)
    corners = np.zeros((count, 3, 3))
    kept = np.zeros(count, bool)
    recipe = np.full(count, -1, np.int16)
    split = np.zeros(count, bool)

    hit = here.triangle >= 0
    owner = np.searchsorted(here.start, here.triangle, side="right") - 1
    for number, placed in enumerate(here.frame.placed):
        mine = np.flatnonzero(hit & (owner == number))
        if not len(mine):
            continue
        recipe[mine] = recipes.get(placed.name, -1)
        key = (placed.name, placed.identity)
        if placed.identity == UNMATCHED or key in here.repeated or key in there.repeated:
            continue
        if key not in there.index:
            state[mine] = State.GONE
            continue
        other = there.frame.placed[there.index[key]]
        local = here.triangle[mine] - here.start[number]
        weights = _weights(here.inside[mine])
        steps = _stepped_weights(here, mine)
        found = _Lookup(placed, other, proofs.get(placed.name, Proof.NONE)).find(local, weights)
        state[mine] = found.state
        kept[mine] = found.kept & _is_kept_instance(placed, here, there)
        split[mine] = found.split
        known = found.state == State.KNOWN
        for candidate in range(CANDIDATES):
            reached = found.triangles[:, candidate] >= 0
            world = _in_world(other, other.surface.triangles[found.triangles[reached, candidate]])
            places[mine[reached], candidate] = np.einsum("nc,ncd->nd", found.weights[reached, candidate], world)
            if candidate == 0:
                corners[mine[reached]] = world
        if known.any():
            # how the target moves along the face when the ray moves; the face is followed to the same face there
            world = _in_world(other, other.surface.triangles[np.maximum(found.triangles[:, 0], 0)])
            turn = _barycentric_map(placed, other, local, found, weights)
            for axis in (0, 1):
                there_weights = found.weights[:, 0] + np.einsum("nij,nj->ni", turn, steps[axis] - weights)
                moved[mine, axis] = np.einsum("nc,ncd->nd", there_weights, world)

    targets = np.full((count, CANDIDATES, 2), np.nan)
    depths = np.full(count, np.nan)
    for candidate in range(CANDIDATES):
        targets[:, candidate], depth = there.camera.project(places[:, candidate])
        depths = depth if candidate == 0 else depths
    behind = (state == State.KNOWN) & ~np.isfinite(targets[:, 0]).all(axis=1)
    state[behind] = State.GONE
    nearer = (state == State.KNOWN) & (depths < there.camera.clip[0])
    state[nearer] = State.SKIPPED
    steepness = np.zeros(count)
    for axis in (0, 1):
        place, _ = there.camera.project(moved[:, axis])
        distance = np.linalg.norm(place - targets[:, 0], axis=1) / STEP
        steepness = np.maximum(steepness, np.nan_to_num(distance, nan=np.inf))
    # between two triangles rounding decides which of them it is, and the other may be known, or be split alike
    state[here.unsure | (here.between & ((state != State.KNOWN) | split))] = State.SKIPPED
    kept &= state == State.KNOWN

    seen = _seen(there, targets[:, 0], depths, corners)
    seen[(state != State.KNOWN) | (np.isfinite(targets[:, 1, 0]))] = Seen.UNSURE
    _background(here, there, hit | here.unsure, state, targets, steepness)
    shape = (height, width)
    return PairTruth(
        state.reshape(shape),
        targets.reshape(*shape, CANDIDATES, 2),
        kept.reshape(shape),
        seen.reshape(shape),
        steepness.astype(np.float32).reshape(shape),
        recipe.reshape(shape),
        split.reshape(shape),
    )


def _is_kept_instance(placed: Placed, here: World, there: World) -> bool:
    """Whether it is told apart by names, or is one of the same instances in the same order."""
    if all(isinstance(part, str) for part in placed.identity):
        return True
    return here.order[placed.parent] == there.order[placed.parent]


def _background(here: World, there: World, hit: Array, state: Array, targets: Array, steepness: Array) -> None:
    """The background is infinitely far away; behind an orthographic camera its motion is a matter of definition."""
    if not (here.camera.perspective and there.camera.perspective):
        return
    empty = np.flatnonzero(~hit)
    directions = here.camera.rays(here.pixels[empty])[1]
    places = there.camera.project_directions(directions)
    fine = np.isfinite(places).all(axis=1)
    state[empty[fine]] = State.KNOWN
    targets[empty[fine], 0] = places[fine]
    steepness[empty] = 1.0


@dataclass
class Found:
    """Points of another frame: triangles and weights of their corners, (N, CANDIDATES) and (N, CANDIDATES, 3)."""

    state: Array
    kept: Array
    triangles: Array
    weights: Array
    split: Array

    @classmethod
    def nothing(cls, count: int, state: State) -> Found:
        return cls(
            np.full(count, state, np.uint8),
            np.zeros(count, bool),
            np.full((count, CANDIDATES), -1, np.int64),
            np.zeros((count, CANDIDATES, 3)),
            np.zeros(count, bool),
        )


class _Lookup:
    """Finds points of one placed surface on the same surface in another frame."""

    def __init__(self, placed: Placed, other: Placed, proof: Proof) -> None:
        self.name = placed.name
        self.here, self.there = placed.surface, other.surface
        self.proof = proof
        self.same_faces = np.array_equal(self.here.face_starts, self.there.face_starts) and np.array_equal(
            self.here.corner_points, self.there.corner_points
        )
        self.unmoved = self.same_faces and np.array_equal(self.here.points, self.there.points)

    def find(self, local: Array, weights: Array) -> Found:
        if self.unmoved or (self.proof == Proof.NUMBER and self.same_faces) or self._identical():
            return self._by_number(local, weights)
        if self.proof == Proof.NUMBER:
            raise ValueError(f"{self.name} was to keep its faces and has others")
        if self.proof == Proof.CARRIED and self.here.uv is not None and self.there.uv is not None:
            return self._by_attribute(local, weights)
        if self.proof == Proof.CORNERS and self.here.names is not None and self.there.names is not None:
            return self._by_corners(local, weights)
        if self.proof == Proof.PLACE:
            return self._by_place(local, weights)
        return Found.nothing(len(local), State.NO_IDENTITY)

    def _identical(self) -> bool:
        """Whether every face is there in both frames, under the same number and with the same identity."""
        return (
            self.same_faces
            and self.here.uv is not None
            and self.there.uv is not None
            and bool(self.here.keys[:, 0].all())
            and bool(np.array_equal(self.here.keys, self.there.keys))
            and bool(np.array_equal(self.here.uv, self.there.uv))
        )

    def _by_number(self, local: Array, weights: Array) -> Found:
        """A bent face may be split along its other diagonal there; then the place in the face decides."""
        found = Found.nothing(len(local), State.KNOWN)
        found.triangles[:, 0] = local
        found.weights[:, 0] = weights
        found.kept[:] = True
        if np.array_equal(self.here.corners, self.there.corners):
            return found
        found.split = (self.here.corners[local] != self.there.corners[local]).any(axis=1)
        found.kept[found.split] = False
        for pixel in np.flatnonzero(found.split):
            face = int(self.here.faces[local[pixel]])
            self._place_in_face(found, pixel, local[pixel], weights[pixel], face, 0)
        return found

    def _by_corners(self, local: Array, weights: Array) -> Found:
        """By the three corners of the triangle; where the face is split otherwise there, by the corners of the face."""
        found = Found.nothing(len(local), State.NO_IDENTITY)
        here_names, there_names = _present(self.here.names), _present(self.there.names)
        here, there = _corners_of_triangles(self.here), _corners_of_triangles(self.there)
        here_faces, there_faces = _corners_of_faces(self.here), _corners_of_faces(self.there)
        place_of = {corners: place for place, corners in there.items()}
        face_of = {corners: (face, first) for face, (corners, first) in there_faces.items()}
        for pixel, triangle in enumerate(local):
            corners = here.get(int(triangle))
            if corners in place_of:
                other = place_of[corners]
                names = there_names[self.there.triangles[other]]
                turn = [int(np.flatnonzero(names == name)[0]) for name in here_names[self.here.triangles[triangle]]]
                found.state[pixel] = State.KNOWN
                found.triangles[pixel, 0] = other
                found.weights[pixel, 0, turn] = weights[pixel]
                continue
            face_corners, first = here_faces.get(int(self.here.faces[triangle]), ((), 0))
            if face_corners in face_of:
                face, other_first = face_of[face_corners]
                self._place_in_face(found, pixel, triangle, weights[pixel], face, other_first - first)
                found.split[pixel] = True
        return found

    def _place_in_face(self, found: Found, pixel: int, triangle: int, weights: Array, face: int, turn: int) -> None:
        """Find a place in a face of the other mesh that has the same corners, which begin ``turn`` corners later."""
        place = weights @ _on_square(self.here, self.here.corners[triangle], int(self.here.faces[triangle]), 0)
        triangles = np.flatnonzero(self.there.faces == face)
        inside = _barycentric(_on_square(self.there, self.there.corners[triangles], face, turn), place)
        best = int(np.argmax(inside.min(axis=1)))
        found.state[pixel] = State.KNOWN
        found.triangles[pixel, 0] = triangles[best]
        found.weights[pixel, 0] = inside[best]

    def _by_attribute(self, local: Array, weights: Array) -> Found:
        found = Found.nothing(len(local), State.GONE)
        here_uv, there_uv = _present(self.here.uv)[self.here.corners], _present(self.there.uv)[self.there.corners]
        here_keys, there_keys = self.here.keys[self.here.faces], self.there.keys[self.there.faces]
        nameless = (here_keys[local, 0] <= 0) | (np.abs(_area(here_uv[local])) < 1e-7)
        found.state[nameless] = State.NO_IDENTITY
        usable = np.flatnonzero((there_keys[:, 0] > 0) & (np.abs(_area(there_uv)) >= 1e-7))
        packed_here = here_keys[local, 0] * 100000 + here_keys[local, 1]
        packed_there = there_keys[usable, 0] * 100000 + there_keys[usable, 1]
        order = np.argsort(packed_there, kind="stable")
        packed_there, usable = packed_there[order], usable[order]
        wanted = np.einsum("nc,ncd->nd", weights, here_uv[local])
        for key in np.unique(packed_here[~nameless]):
            low, high = np.searchsorted(packed_there, [key, key + 1])
            if low == high:
                continue
            mine = np.flatnonzero((packed_here == key) & ~nameless)
            triangles = usable[low:high]
            inside = _barycentric(there_uv[triangles][None], wanted[mine][:, None])
            for row, pixel in enumerate(mine):
                fits = np.flatnonzero(inside[row].min(axis=1) >= -1e-5)
                for column, fit in enumerate(_apart(self.there, triangles[fits], inside[row][fits])[:CANDIDATES]):
                    found.triangles[pixel, column] = triangles[fits][fit]
                    found.weights[pixel, column] = inside[row][fits][fit]
                if len(fits):
                    found.state[pixel] = State.KNOWN
        return found

    def _by_place(self, local: Array, weights: Array) -> Found:
        found = Found.nothing(len(local), State.GONE)
        points = np.einsum("nc,ncd->nd", weights, self.here.points[self.here.triangles[local]])
        triangles = self.there.points[self.there.triangles]
        size = float(np.ptp(self.here.points, axis=0).max()) or 1.0
        edge_a, edge_b = triangles[:, 1] - triangles[:, 0], triangles[:, 2] - triangles[:, 0]
        normal = np.cross(edge_a, edge_b)
        length = np.linalg.norm(normal, axis=1)
        sound = np.flatnonzero(length > 1e-12)
        normal = normal[sound] / length[sound, None]
        box_low, box_high = triangles[sound].min(axis=1) - 1e-5 * size, triangles[sound].max(axis=1) + 1e-5 * size
        for pixel, point in enumerate(points):
            close = np.flatnonzero(((point >= box_low) & (point <= box_high)).all(axis=1))
            close = close[np.abs(((point - triangles[sound[close], 0]) * normal[close]).sum(axis=1)) < 1e-5 * size]
            if not len(close):
                continue
            a, b = edge_a[sound[close]], edge_b[sound[close]]
            inside = _weights_in_space(a, b, point - triangles[sound[close], 0])
            best = int(np.argmax(inside.min(axis=1)))
            if inside[best].min() >= -1e-4:
                found.triangles[pixel, 0] = sound[close[best]]
                found.weights[pixel, 0] = inside[best]
                found.state[pixel] = State.KNOWN
        return found


def _present(values: Array | None) -> Array:
    """What a way of finding points goes by, and so must be there."""
    if values is None:
        raise ValueError("this surface does not have what its points are to be found by")
    return values


def _corners_of_triangles(surface: Surface) -> dict[int, tuple[int, ...]]:
    """For each triangle the names of its corners, in a circle from the smallest on; none that occurs twice."""
    corners = {}
    for triangle, names in enumerate(_present(surface.names)[surface.triangles]):
        if names.min() > 0 and len(set(names.tolist())) == 3:
            corners[triangle] = tuple(np.roll(names, -int(np.argmin(names))).tolist())
    return _alone(corners, corners)


def _corners_of_faces(surface: Surface) -> dict[int, tuple[tuple[int, ...], int]]:
    """For each face the names of its corners, in a circle from the smallest on, and which of its corners that is."""
    corners, firsts = {}, {}
    for face, (start, end) in enumerate(zip(surface.face_starts[:-1], surface.face_starts[1:], strict=True)):
        names = _present(surface.names)[surface.corner_points[start:end]]
        if names.min() > 0 and len(set(names.tolist())) == len(names):
            firsts[face] = int(np.argmin(names))
            corners[face] = tuple(np.roll(names, -firsts[face]).tolist())
    return _alone(corners, {face: (key, firsts[face]) for face, key in corners.items()})


def _alone(keys: dict[int, tuple[int, ...]], values: dict[int, Any]) -> dict[int, Any]:
    """The values whose keys occur only once."""
    counts = Counter(keys.values())
    return {number: value for number, value in values.items() if counts[keys[number]] == 1}


def _on_square(surface: Surface, corners: Array, face: int, turn: int) -> Array:
    """Corners of a face, counted from another one, as places on a square, or a regular polygon."""
    start, end = surface.face_starts[face : face + 2]
    angle = 2 * np.pi * (corners - start - turn) / (end - start)
    return np.stack([np.cos(angle), np.sin(angle)], axis=-1)


def _apart(surface: Surface, triangles: Array, weights: Array) -> list[int]:
    """Of points on triangles those that are not the same point (as those on a common edge are)."""
    points = np.einsum("nc,ncd->nd", weights, surface.points[surface.triangles[triangles]])
    chosen: list[int] = []
    for number, point in enumerate(points):
        if all(np.abs(point - points[other]).max() > 1e-6 for other in chosen):
            chosen.append(number)
    return chosen


def _in_world(placed: Placed, triangles: Array) -> Array:
    points = placed.surface.points[triangles]
    return points @ placed.matrix[:3, :3].T + placed.matrix[:3, 3]


def _weights(inside: Array) -> Array:
    return np.column_stack([1 - inside.sum(axis=1), inside])


def _area(uv: Array) -> Array:
    a, b = uv[..., 1, :] - uv[..., 0, :], uv[..., 2, :] - uv[..., 0, :]
    return a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0]


def _barycentric(uv: Array, points: Array) -> Array:
    """Weights of the corners of triangles (..., 3, 2) at points (..., 2) of their plane."""
    a, b = uv[..., 1, :] - uv[..., 0, :], uv[..., 2, :] - uv[..., 0, :]
    p = points - uv[..., 0, :]
    area = a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0]
    with np.errstate(divide="ignore", invalid="ignore"):
        v = (p[..., 0] * b[..., 1] - p[..., 1] * b[..., 0]) / area
        w = (a[..., 0] * p[..., 1] - a[..., 1] * p[..., 0]) / area
    return np.nan_to_num(np.stack([1 - v - w, v, w], axis=-1), nan=-1.0)


def _weights_in_space(a: Array, b: Array, point: Array) -> Array:
    aa, ab, bb = (a * a).sum(axis=1), (a * b).sum(axis=1), (b * b).sum(axis=1)
    pa, pb = (point * a).sum(axis=1), (point * b).sum(axis=1)
    determinant = aa * bb - ab * ab
    v = (bb * pa - ab * pb) / determinant
    w = (aa * pb - ab * pa) / determinant
    return np.stack([1 - v - w, v, w], axis=1)


def _stepped_weights(world: World, pixels: Array) -> list[Array]:
    """The corners' weights where slightly moved rays meet the planes of the same triangles."""
    stepped = []
    for axis in (0, 1):
        moved = world.pixels[pixels].copy()
        moved[:, axis] += STEP
        origins, directions = world.camera.rays(moved)
        corners = world.triangles[world.triangle[pixels]]
        a, b, s = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0], origins - corners[:, 0]
        p = np.cross(directions, b)
        volume = (a * p).sum(axis=1)
        u = (s * p).sum(axis=1) / volume
        v = (directions * np.cross(s, a)).sum(axis=1) / volume
        stepped.append(np.column_stack([1 - u - v, u, v]))
    return stepped


def _barycentric_map(placed: Placed, other: Placed, local: Array, found: Found, weights: Array) -> Array:
    """How weights here become weights there, (N, 3, 3): one to one, unless the triangles differ."""
    turn = np.broadcast_to(np.eye(3), (len(local), 3, 3)).copy()
    here, there = placed.surface, other.surface
    if (
        here.uv is None
        or there.uv is None
        or (here.corners.shape == there.corners.shape and (here.corners == there.corners).all())
    ):
        return turn
    target = np.maximum(found.triangles[:, 0], 0)
    different = (found.triangles[:, 0] >= 0) & (np.abs(found.weights[:, 0] - weights).max(axis=1) > 1e-5)
    rows = np.flatnonzero(different)
    here_uv, there_uv = here.uv[here.corners[local[rows]]], there.uv[there.corners[target[rows]]]
    for corner in range(3):
        turn[rows, :, corner] = _barycentric(there_uv, here_uv[:, corner])
    return turn


def _seen(there: World, targets: Array, depths: Array, corners: Array) -> Array:
    """Whether points are before everything else in the other picture, wherever within a pixel or so one looks."""
    width, height = there.camera.size
    count = len(targets)
    answer = np.full(count, Seen.UNSURE, np.uint8)
    known = np.flatnonzero(np.isfinite(targets).all(axis=1))
    x, y = targets[known, 0], targets[known, 1]
    outside = (x < -2) | (y < -2) | (x > width + 1) | (y > height + 1)
    answer[known[outside]] = Seen.NO
    well_inside = (x > 1.5) & (y > 1.5) & (x < width - 2.5) & (y < height - 2.5)
    rows = known[well_inside]
    normal = np.cross(corners[rows, 1] - corners[rows, 0], corners[rows, 2] - corners[rows, 0])
    area = np.linalg.norm(normal, axis=1)
    size = np.abs(corners[rows] - corners[rows, :1]).max(axis=(1, 2))
    nowhere = area <= 1e-12 * np.maximum(size, 1e-30) ** 2 + 1e-30
    answer[rows[nowhere]] = Seen.NO
    rows, normal, area = rows[~nowhere], normal[~nowhere], area[~nowhere]
    normal /= area[:, None]
    directions = there.camera.rays(targets[rows])[1]
    facing = np.abs((normal * directions).sum(axis=1)) / np.linalg.norm(directions, axis=1)
    rows, normal = rows[facing > 0.1], normal[facing > 0.1]

    _, _, first, second = there.tiles.nearest(targets[rows])
    tight, loose = first < depths[rows] * (1 - 1e-6), first < depths[rows] * (1 - 1e-3)
    # surfaces that coincide hide each other as rounding decides
    coincide = ~tight & (second < depths[rows] * (1 + 1e-3))
    hidden, sure = loose, (tight == loose) & ~coincide
    place = corners[rows, 0]
    for step in ((1.5, 0), (-1.5, 0), (0, 1.5), (0, -1.5), (1, 1), (-1, 1), (1, -1), (-1, -1)):
        beside = targets[rows] + step
        origins, directions = there.camera.rays(beside)
        with np.errstate(divide="ignore", invalid="ignore"):
            plane = ((place - origins) * normal).sum(axis=1) / (directions * normal).sum(axis=1)
        sure &= there.tiles.covered(beside, np.nan_to_num(plane) * (1 - 1e-3)) == hidden
    answer[rows[sure]] = np.where(hidden[sure], Seen.NO, Seen.YES)
    return answer


def write_truth(path: Path, truths: dict[tuple[str, int], PairTruth]) -> None:
    """Store the truth of a scene's pairs, named by direction and frame number."""
    arrays = {
        f"{direction}/{frame}/{part.name}": getattr(truth, part.name)
        for (direction, frame), truth in truths.items()
        for part in fields(truth)
    }
    np.savez_compressed(path, **arrays)


def read_truth(path: Path) -> dict[tuple[str, int], PairTruth]:
    """What :func:`write_truth` stored."""
    parts: dict[tuple[str, int], dict[str, Any]] = {}
    with np.load(path) as stored:
        for key in stored.files:
            direction, frame, name = key.split("/")
            parts.setdefault((direction, int(frame)), {})[name] = stored[key]
    return {pair: PairTruth(**arrays) for pair, arrays in parts.items()}
