"""Lines as somebody draws them: in colours of their own, thinner and thicker, with a hand, with gaps, anti-aliased.

Where the borders between pixels lie is known (:class:`~animerun_gen.lines.contours.Contours`).  In each square of four
pixel centres the borders that come in through its sides are joined, which makes chains of short segments; these are
moved and drawn.  Nothing of it changes the closed line art that labels are made from.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from animerun_gen.dataset.line_ink import InkSource, LineInk
from animerun_gen.lines.compose import lay_ink
from animerun_gen.lines.contours import Contours
from animerun_gen.lines.ink import darker_tone
from animerun_gen.lines.kernels.inking import cover
from animerun_gen.lines.kernels.marks import FAINT, FAINT_BEFORE, OPEN_STEP, STEP
from animerun_gen.lines.kinds import KIND_OF_MARK, LineKind
from animerun_gen.motion.geometry import FrameGeometry
from animerun_gen.motion.raster import VisibilityBuffer

U8Array = npt.NDArray[np.uint8]
FloatArray = npt.NDArray[np.float64]

STEPS = (STEP, OPEN_STEP, FAINT, FAINT_BEFORE)
"""What parts pixels of which one shows something nearer."""

LEVELS = 3
"""How many places for gaps there are where the hand's first number grows by as much as it usually differs."""

MOST = 2.5
"""So many times what is usual may a hand be off."""

THINNEST = 0.15
"""A hand that presses lightly leaves at least this share of a line's thickness."""


@dataclass(frozen=True)
class Rule:
    """How lines are drawn that fit.

    Attributes:
        kinds: The kinds that fit; empty for all.
        objects: ``(65536,)`` bool, object ids of what fits; its lines are those that bound it.
        materials: ``(65536,)`` bool, material ids of what fits, too.
        color: Red, green and blue, ``"auto"`` for a darker tone of the colour beside the line, None for that of all
            lines.
        thickness: Times that of all lines.
    """

    kinds: frozenset[LineKind]
    objects: npt.NDArray[np.bool_]
    materials: npt.NDArray[np.bool_]
    color: tuple[int, int, int] | str | None
    thickness: float

    @property
    def source(self) -> InkSource:
        """Where the colour of its lines comes from."""
        if self.color == "auto":
            return InkSource.SURFACE
        is_chosen = self.color is not None and not (self.objects.all() and self.materials.all())
        return InkSource.MATERIAL if is_chosen else InkSource.FIXED


@dataclass(frozen=True)
class StyleSettings:
    """How lines are drawn.

    Attributes:
        color: Red, green and blue of lines.
        thickness: Pixels.
        antialias: Whether pixels may be covered in part.
        rules: Of those that fit a line, the first counts.
        auto_value: Lightness (Oklab) of an automatic colour, as a share of that of the colour beside the line.
        auto_chroma: The same for its chroma.
        near: Distance along the view axis up to which lines have their thickness.
        far: Distance from which on they have ``far_thickness`` of it; in between it changes evenly.
        far_thickness: A share; 1 for no change.
        hand_thickness: How much thickness usually differs, as a share.
        hand_offset: How far lines are usually off, in pixels to the side and up or down.
        gap_share: Share of the places for gaps that are open.
        gap_radius: Pixels.
        seed: Of the choice of gaps and of the hand.
    """

    color: tuple[int, int, int] = (0, 0, 0)
    thickness: float = 1.5
    antialias: bool = False
    rules: Sequence[Rule] = ()
    auto_value: float = 0.5
    auto_chroma: float = 1.2
    near: float = 0.0
    far: float = 1.0
    far_thickness: float = 1.0
    hand_thickness: float = 0.0
    hand_offset: float = 0.0
    gap_share: float = 0.0
    gap_radius: float = 2.0
    seed: int = 0

    @property
    def needs_hand(self) -> bool:
        """Whether anything varies along surfaces."""
        return self.hand_thickness > 0.0 or self.hand_offset > 0.0 or self.gap_share > 0.0


@dataclass(frozen=True)
class StyledLines:
    """The lines of a frame as they are drawn.

    Attributes:
        ink: ``(H, W, 3)`` uint8, colour of the line at each pixel; black where none is.
        coverage: ``(H, W)`` uint8, how much of the pixel it covers: 255 for all.
        gaps: ``(H, W)`` uint8, on pixels of the closed line art that a gap opens the gap's radius in pixels, rounded
            and at least 1; 0 elsewhere.
        source: ``(H, W)`` uint8, where the colour comes from, see :class:`~animerun_gen.dataset.line_ink.InkSource`.
        owner: ``(H, W)`` int32, row times width plus column of the pixel of the surface that the line bounds; only
            where it covers anything.
        material: ``(H, W)`` uint16, material id of that surface; only there.
    """

    ink: U8Array
    coverage: U8Array
    gaps: U8Array
    source: U8Array
    owner: npt.NDArray[np.int32]
    material: npt.NDArray[np.uint16]

    def over(self, picture: U8Array) -> U8Array:
        """The lines laid over a picture, ``(H, W, 3)`` uint8."""
        covered = np.flatnonzero(self.coverage)
        return lay_ink(picture, covered, self.coverage.ravel()[covered], self.ink.reshape(-1, 3)[covered])

    def on_white(self) -> U8Array:
        """The lines alone on white, ``(H, W, 3)`` uint8."""
        return self.over(np.full_like(self.ink, 255))

    def kept(self, strokes: npt.NDArray[np.bool_]) -> LineInk:
        """The same in the form in which it is kept for colour passes.

        Args:
            strokes: ``(H, W)`` bool, the pixels that show strokes which the film draws itself.
        """
        covered = np.flatnonzero(self.coverage).astype(np.int32)
        return LineInk(
            size=np.array(self.coverage.shape, np.int32),
            pixel=covered,
            coverage=self.coverage.ravel()[covered],
            color=self.ink.reshape(-1, 3)[covered],
            source=self.source.ravel()[covered],
            owner=self.owner.ravel()[covered],
            material=self.material.ravel()[covered],
            stroke=np.flatnonzero(strokes).astype(np.int32),
        )


@dataclass(frozen=True)
class _Points:
    """The ``P`` places where borders pass between neighbouring pixels.

    Attributes:
        right: ``(H, W)`` int32, the place between each pixel and its right neighbour, -1 where none is.
        below: The same for its lower neighbour.
        places: ``(P, 2)`` float64, x and y in pixels.
        kinds: ``(P,)`` uint8.
        owner: ``(2, P)`` int64, row and column of the pixel whose surface the line bounds: the nearer one where there
            is a step in depth.  Elsewhere that would change from pixel to pixel, and the lower instance, material or
            triangle counts.
    """

    right: npt.NDArray[np.int32]
    below: npt.NDArray[np.int32]
    places: FloatArray
    kinds: U8Array
    owner: npt.NDArray[np.int64]


def draw_styled(
    geometry: FrameGeometry,
    seen: VisibilityBuffer,
    contours: Contours,
    flat: U8Array,
    objects: npt.NDArray[np.uint16],
    materials: npt.NDArray[np.uint16],
    settings: StyleSettings,
    hand: npt.NDArray[np.float32] | None = None,
) -> StyledLines:
    """Draw the lines of a frame.

    Args:
        geometry: The frame.
        seen: What it sees.
        contours: Its lines; those that ``line_art`` does not show (any more) are left out.
        flat: ``(H, W, 3)`` uint8, its colours, for automatic ones.
        objects: ``(H, W)`` uint16, object ids.
        materials: ``(H, W)`` uint16, material ids.
        settings: How to draw.
        hand: ``(V, 2)`` float32, see :meth:`~animerun_gen.lines.hand.HandFinder.find`; only where
            ``settings.needs_hand``.

    Returns:
        The lines.
    """
    height, width = seen.instance.shape
    points = _find_points(seen, contours, materials)
    row, column = points.owner
    instance = seen.instance[row, column]
    colors, widths, sources = _by_rules(points, flat, objects, materials, settings)
    if settings.far_thickness != 1.0:
        depth = seen.depth[row, column]
        along = np.clip((depth - settings.near) / max(settings.far - settings.near, 1e-9), 0.0, 1.0)
        widths *= 1.0 + np.nan_to_num(along, nan=1.0) * (settings.far_thickness - 1.0)
    places = points.places.copy()
    numbers = np.zeros((len(places), 2))
    if hand is not None and settings.needs_hand:
        numbers = _hand_at(geometry, seen, points, hand, settings.seed)
        off = np.clip(numbers, -MOST, MOST)
        places += settings.hand_offset * off
        widths *= np.maximum(1.0 + settings.hand_thickness * off[:, 0], THINNEST)
    segments, centres = _join(points)
    centre_owner = centres.max(axis=1, initial=-1)
    joined = np.where((centres >= 0)[..., None], places[centres], 0.0).sum(axis=1)
    counts = (centres >= 0).sum(axis=1)
    all_places = np.concatenate([places, joined / np.maximum(counts, 1)[:, None]])
    all_widths = np.concatenate([widths, widths[centre_owner]])
    coverage = np.zeros((height, width), np.float32)
    nearest = np.full((height, width), -1, np.int32)
    cover(all_places, all_widths, segments, coverage, nearest)
    coverage = np.minimum(coverage, 1.0)
    if not settings.antialias:
        # half of what the line can cover at all, so that thin lines stay
        most = np.ones((height, width))
        most[nearest >= 0] = np.minimum(all_widths[segments[nearest[nearest >= 0], 0]], 1.0)
        coverage = (coverage >= 0.5 * most).astype(np.float32)
    ink, source = np.zeros((height, width, 3), np.uint8), np.zeros((height, width), np.uint8)
    owner, material = np.zeros((height, width), np.int32), np.zeros((height, width), np.uint16)
    shown = (nearest >= 0) & (coverage > 0)
    if shown.any():
        first = segments[nearest[shown], 0]
        ink[shown], source[shown] = colors[first], sources[first]
        owner[shown] = row[first] * width + column[first]
        material[shown] = materials[row[first], column[first]]
    amount = np.rint(255.0 * coverage).astype(np.uint8)
    gaps = np.zeros((height, width), np.uint8)
    if settings.gap_share > 0.0 and hand is not None:
        where = _gap_places(geometry, segments, all_places, numbers, instance, settings)
        opened = _discs(where, settings.gap_radius, (height, width))
        amount[opened] = 0
        ink[opened] = 0
        gaps[opened & (contours.line_art == 0)] = max(1, min(255, round(settings.gap_radius)))
    return StyledLines(ink, amount, gaps, source, owner, material)


def _find_points(seen: VisibilityBuffer, contours: Contours, materials: npt.NDArray[np.uint16]) -> _Points:
    shape = seen.instance.shape
    is_line = contours.line_art == 0
    numbers = [np.full(shape, -1, np.int32) for _ in range(2)]
    places, kinds, owners = [np.empty((0, 2))], [np.empty(0, np.uint8)], [np.empty((2, 0), np.int64)]
    count = 0
    for number, found, at, (down, across) in (
        (numbers[0], contours.right, contours.right_at, (0, 1)),
        (numbers[1], contours.below, contours.below_at, (1, 0)),
    ):
        row, column = np.nonzero(found)
        kept = is_line[row, column] | is_line[row + down, column + across]
        row, column = row[kept], column[kept]
        number[row, column] = np.arange(count, count + len(row), dtype=np.int32)
        count += len(row)
        way = at[row, column].astype(np.float64)
        places.append(np.stack([column + across * way, row + down * way], axis=1))
        kinds.append(KIND_OF_MARK[found[row, column]])
        here, there = (row, column), (row + down, column + across)
        is_step = np.isin(found[here], STEPS)
        second = np.where(is_step, seen.depth[here] > seen.depth[there], _comes_later(seen, materials, here, there))
        owners.append(np.stack([row + down * second, column + across * second]))
    right, below = numbers
    owner = np.concatenate(owners, axis=1).astype(np.int64)
    return _Points(right, below, np.concatenate(places), np.concatenate(kinds), owner)


def _comes_later(
    seen: VisibilityBuffer,
    materials: npt.NDArray[np.uint16],
    here: tuple[npt.NDArray[np.intp], ...],
    there: tuple[npt.NDArray[np.intp], ...],
) -> npt.NDArray[np.bool_]:
    """Whether what pixels show comes later than what others show: by instance, then material, then triangle."""
    later, same = np.zeros(len(here[0]), bool), np.ones(len(here[0]), bool)
    for number in (seen.instance, materials, seen.triangle):
        later |= same & (number[here] > number[there])
        same &= number[here] == number[there]
    return later


def _join(points: _Points) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32]]:
    """The segments between places ``(S, 2)``, and of each further place, where more than two meet, which these are.

    ``(C, 4)`` int32; the further places are numbered behind all others, and -1 stands for none.
    """
    right, below = points.right, points.below
    sides = np.stack([right[:-1, :-1], right[1:, :-1], below[:-1, :-1], below[:-1, 1:]], axis=-1).reshape(-1, 4)
    sides = -np.sort(-sides, axis=1)
    counts = (sides >= 0).sum(axis=1)
    pairs = sides[counts == 2, :2]
    stars = sides[counts > 2]
    centre = len(points.places) + np.arange(len(stars), dtype=np.int32)
    spokes = np.stack([stars, np.repeat(centre[:, None], 4, axis=1)], axis=-1).reshape(-1, 2)
    segments = np.concatenate([pairs, spokes[spokes[:, 0] >= 0]])
    return np.ascontiguousarray(segments, np.int32), np.ascontiguousarray(stars, np.int32)


def _by_rules(
    points: _Points,
    flat: U8Array,
    objects: npt.NDArray[np.uint16],
    materials: npt.NDArray[np.uint16],
    settings: StyleSettings,
) -> tuple[U8Array, FloatArray, U8Array]:
    """Colour and thickness at each place, and where the colour comes from."""
    row, column = points.owner
    object_id, material_id = objects[row, column], materials[row, column]
    colors = np.empty((len(row), 3), np.uint8)
    colors[:] = settings.color
    widths = np.full(len(row), settings.thickness)
    sources = np.full(len(row), InkSource.FIXED, np.uint8)
    undecided = np.ones(len(row), bool)
    for rule in settings.rules:
        fits = undecided & (rule.objects[object_id] | rule.materials[material_id])
        if rule.kinds:
            fits &= np.isin(points.kinds, [int(kind) for kind in rule.kinds])
        undecided &= ~fits
        widths[fits] *= rule.thickness
        sources[fits] = rule.source
        if rule.color == "auto":
            colors[fits] = darker_tone(flat[row[fits], column[fits]], settings.auto_value, settings.auto_chroma)
        elif rule.color is not None:
            colors[fits] = rule.color
    return colors, widths, sources


def _hand_at(
    geometry: FrameGeometry, seen: VisibilityBuffer, points: _Points, hand: npt.NDArray[np.float32], seed: int
) -> FloatArray:
    """The hand's two numbers at each place; instances of one mesh have them differently mixed."""
    row, column = points.owner
    instance, triangle = seen.instance[row, column], seen.triangle[row, column]
    mesh = geometry.mesh[instance]
    corners = geometry.triangles[geometry.triangle_start[mesh] + triangle]
    vertices = geometry.vertex_start[mesh][:, None] + corners
    matrices = geometry.instance_pixel_matrices()[instance]
    corner_places = geometry.vertices[vertices].astype(np.float64)
    homogeneous = np.concatenate([corner_places, np.ones((*vertices.shape, 1))], axis=2)
    x, y, w = (np.einsum("nj,ncj->nc", matrices[:, k], homogeneous) for k in (0, 1, 3))
    x -= points.places[:, :1] * w
    y -= points.places[:, 1:] * w
    # the mixture of the corners that is seen at the place, which may be a little outside the triangle
    shares = np.stack([x[:, k - 2] * y[:, k - 1] - x[:, k - 1] * y[:, k - 2] for k in range(3)], axis=1)
    total = shares.sum(axis=1, keepdims=True)
    with np.errstate(divide="ignore", invalid="ignore"):
        shares = np.clip(np.nan_to_num(shares / total, nan=1.0 / 3.0, posinf=1.0, neginf=0.0), 0.0, 1.0)
    shares /= np.maximum(shares.sum(axis=1, keepdims=True), 1e-9)
    mixed = np.einsum("nc,nck->nk", shares, hand[vertices].astype(np.float64))
    turns = np.array([2.0 * np.pi * _chance(seed, key) for key in geometry.keys] or [0.0])[instance]
    cosine, sine = np.cos(turns), np.sin(turns)
    return np.stack([cosine * mixed[:, 0] - sine * mixed[:, 1], sine * mixed[:, 0] + cosine * mixed[:, 1]], axis=1)


def _gap_places(
    geometry: FrameGeometry,
    segments: npt.NDArray[np.int32],
    places: FloatArray,
    numbers: FloatArray,
    instance: npt.NDArray[np.int32],
    settings: StyleSettings,
) -> FloatArray:
    """The middles of gaps, ``(G, 2)``: where the first number passes a level, if chance will have it so.

    Chance goes by the level, the second number's range and the instance, none of which the picture decides.
    """
    whole = segments[(segments < len(numbers)).all(axis=1)]
    a, b = whole[:, 0], whole[:, 1]
    first, last = LEVELS * numbers[a, 0], LEVELS * numbers[b, 0]
    level = np.maximum(np.floor(first), np.floor(last))
    passes = (np.floor(first) != np.floor(last)) & (instance[a] == instance[b])
    a, b, first, last, level = a[passes], b[passes], first[passes], last[passes], level[passes]
    if not len(a):
        return np.empty((0, 2))
    along = ((level - first) / (last - first))[:, None]
    where = places[a] + along * (places[b] - places[a])
    other = numbers[a, 1:] + along * (numbers[b, 1:] - numbers[a, 1:])
    names = [
        f"{geometry.keys[number]} {int(height)} {int(side)}"
        for number, height, side in zip(instance[a], level, np.floor(LEVELS * other[:, 0]), strict=True)
    ]
    chances = {name: _chance(settings.seed, name) for name in set(names)}
    return where[[chances[name] < settings.gap_share for name in names]]


def _discs(middles: FloatArray, radius: float, shape: tuple[int, int]) -> npt.NDArray[np.bool_]:
    """The pixels whose centres are so close to one of some places."""
    inside = np.zeros(shape, bool)
    reach = int(np.ceil(radius)) + 1
    down, across = (grid.ravel() for grid in np.mgrid[-reach : reach + 1, -reach : reach + 1])
    column = np.rint(middles[:, :1]).astype(np.int64) + across
    row = np.rint(middles[:, 1:]).astype(np.int64) + down
    near = (column - middles[:, :1]) ** 2 + (row - middles[:, 1:]) ** 2 <= radius**2
    near &= (row >= 0) & (row < shape[0]) & (column >= 0) & (column < shape[1])
    inside[row[near], column[near]] = True
    return inside


def _chance(seed: int, name: str) -> float:
    """A number from 0 to 1, the same for the same name on every machine."""
    digest = hashlib.blake2b(f"{seed} {name}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little") / 2.0**64
