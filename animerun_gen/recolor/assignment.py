"""Chooses the colours of a pass: which colour of a palette's scene each material of a clip gets.

The aim is a picture that looks as if it had been designed in these colours, so three things of the original's design
are kept: *families* (the light and the dark side of one roof remain a light and a dark tone of one colour), the order
of *values* (what was light stays light, as far as the palette's scene has light colours) and the *areas* (what is large
gets what is large in the palette's scene).  Beyond that a pass is drawn at random.  And two materials that touch in any
frame always differ, by more than the eye needs.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.cluster.vq import kmeans2

from animerun_gen.color.hexadecimal import to_hex
from animerun_gen.color.oklab import TELLABLE, FloatArray, distances, from_oklab, hex_to_oklab, to_oklab
from animerun_gen.config.palette import Palette, PaletteScene
from animerun_gen.recolor.repaint import Part
from animerun_gen.recolor.survey import BITS, Colors, Survey

PARTS = 6
"""Colours of one texture at most that are moved separately."""

SMALLEST_PART = 0.02
"""Share of a texture's pixels that a part of it has at least."""

PART_DISTANCE = 0.05
"""Parts of a texture that are closer in Oklab, lightness counting less, are one."""

PART_LIGHTNESS = 0.2
"""How much lightness counts there: the light and the dark end of a painted gradient move together."""

FAMILY = 0.055
"""Materials whose colours are this close, lightness counting less, are tones of one colour."""

FAMILY_LIGHTNESS = 0.4
"""How much lightness counts there: a shade differs from its colour in little else."""

CLEAR = 0.2
"""Families that touch should be this far apart in Oklab, if they were in the original."""

NEAR_PALETTE = 0.06
"""A tone that comes this close to a colour of the palette becomes that colour."""

RESTARTS = 12
SWEEPS = 30

# How much each aim counts in the choice; the costs are means over the picture's area in Oklab's units.
VALUE, AREA, CONTRAST, CHANCE = 4.0, 0.35, 6.0, 0.2


@dataclass(frozen=True)
class Pass:
    """A colour pass.

    Attributes:
        scene: Name of the palette's scene that its colours are from.
        design: Material id to its parts, the largest first; materials that keep their colours are not there.
    """

    scene: str
    design: dict[int, tuple[Part, ...]]


@dataclass(frozen=True)
class _Paint:
    """One colour that has to be given: of a plain material, or of a part of a texture."""

    material: int
    color: str
    share: float
    darkest: float
    lightest: float
    is_main: bool


def choose_pass(
    survey: Survey, colors: Colors, kept: Collection[int], palette: Palette, number: int, cut: str, seed: int
) -> Pass:
    """Choose the colours of one pass; it depends on nothing but the arguments, on no other pass among them.

    Args:
        survey: What the whole clip shows.
        colors: The materials' present colours by id; None where an image is painted.
        kept: Ids of materials that keep their colours.
        palette: Where the colours are from.  Each pass takes one scene; they take turns in random order.
        number: Number of the pass, from 1.
        cut: Name of the cut: different cuts get different designs.
        seed: Where random choices begin.

    Returns:
        The pass.
    """
    order = _generator(cut, seed, 0).permutation(len(palette.scenes))
    scene = palette.scenes[order[(number - 1) % len(order)]]
    paints = _paints(survey, colors)
    if not paints:
        return Pass(scene.name, {})
    # a scene whose turn comes again gives another design
    chance = CHANCE * (1 + 2 * (number - 1) // len(order))
    targets = _Choice(survey, paints, kept, scene, chance, _generator(cut, seed, number)).colors()
    design: dict[int, tuple[Part, ...]] = {}
    for paint, target in zip(paints, targets, strict=True):
        if paint.material not in kept:
            part = Part(paint.color, target, paint.darkest, paint.lightest)
            design[paint.material] = (*design.get(paint.material, ()), part)
    return Pass(scene.name, design)


def _generator(cut: str, seed: int, number: int) -> np.random.Generator:
    name = int.from_bytes(hashlib.sha256(cut.encode()).digest()[:8], "big")
    return np.random.default_rng([seed, name, number])


def _paints(survey: Survey, colors: Colors) -> list[_Paint]:
    """Every colour of the clip, material by material, and in a texture the largest first."""
    total = survey.pixels.total()
    textures: dict[int, dict[int, int]] = {}
    for (material, code), count in survey.textures.items():
        textures.setdefault(material, {})[code] = count
    paints = []
    for material in sorted(survey.pixels):
        color = colors.get(material)
        share = survey.pixels[material] / total
        if color is not None:
            lightness = round(float(to_oklab(np.array(color, np.uint8))[0]), 4)
            paints.append(_Paint(material, to_hex(np.array(color)), share, lightness, lightness, True))
        else:
            paints += _parts(material, share, textures[material])
    return paints


def _parts(material: int, share: float, histogram: Mapping[int, int]) -> list[_Paint]:
    """The colours of a texture that are to be moved separately: the clusters of its pixels in Oklab."""
    codes = np.array(sorted(histogram))
    pixels = np.array([histogram[code] for code in codes.tolist()], np.float64)
    mask = (1 << BITS) - 1
    channels = np.stack([codes >> 2 * BITS, codes >> BITS & mask, codes & mask], axis=-1)
    # the middle of each cell
    lab = to_oklab(((channels << (8 - BITS)) + (1 << (7 - BITS))).astype(np.uint8))
    rng = np.random.default_rng(material)
    scaled = lab * (PART_LIGHTNESS, 1.0, 1.0)
    drawn = scaled[rng.choice(len(lab), 4000, p=pixels / pixels.sum())]
    centers, _ = kmeans2(drawn, min(PARTS, len(np.unique(drawn, axis=0))), minit="++", missing="warn", seed=rng)
    labels = distances(scaled, centers).argmin(axis=1)
    while True:
        present = np.unique(labels)
        areas = np.array([pixels[labels == one].sum() for one in present])
        means = np.array([np.average(lab[labels == one], axis=0, weights=pixels[labels == one]) for one in present])
        if len(present) == 1:
            break
        apart = distances(means * (PART_LIGHTNESS, 1.0, 1.0), means * (PART_LIGHTNESS, 1.0, 1.0))
        np.fill_diagonal(apart, np.inf)
        small = int(areas.argmin())
        one, other = (
            (small, int(apart[small].argmin()))
            if areas[small] < SMALLEST_PART * pixels.sum()
            else (int(i) for i in np.unravel_index(int(apart.argmin()), apart.shape))
        )
        if areas[small] >= SMALLEST_PART * pixels.sum() and apart[one, other] >= PART_DISTANCE:
            break
        labels[labels == present[one]] = present[other]
    return [
        _Paint(
            material,
            to_hex(from_oklab(means[place])),
            share * float(areas[place] / pixels.sum()),
            round(float(lab[labels == present[place], 0].min()), 4),
            round(float(lab[labels == present[place], 0].max()), 4),
            is_main=rank == 0,
        )
        for rank, place in enumerate(np.argsort(-areas, kind="stable"))
    ]


class _Choice:
    """The choice of one pass under way; all arrays are in the order of the paints, or of their families."""

    def __init__(
        self,
        survey: Survey,
        paints: list[_Paint],
        kept: Collection[int],
        scene: PaletteScene,
        chance: float,
        rng: np.random.Generator,
    ) -> None:
        self.chance, self.rng = chance, rng
        self.lab = hex_to_oklab([paint.color for paint in paints])
        self.names = [paint.color for paint in paints]
        self.share = np.array([paint.share for paint in paints])
        self.kept = np.array([paint.material in kept for paint in paints])
        self.touching = _touching(survey, paints)
        self.palette = hex_to_oklab([swatch.color for swatch in scene.colors])
        weights = np.array([swatch.share for swatch in scene.colors], np.float64)
        self.weights: FloatArray = weights / weights.sum()
        self.families = self._families()

    def colors(self) -> list[str]:
        """The new colour of each paint."""
        bases = self.palette[self._bases()]
        return self._tones(bases)

    def _families(self) -> npt.NDArray[np.intp]:
        """Which paints are tones of one colour: numbers from 0."""
        if len(self.lab) == 1:
            return np.zeros(1, np.intp)
        scaled = self.lab * (FAMILY_LIGHTNESS, 1.0, 1.0)
        groups = fcluster(linkage(scaled, method="complete"), FAMILY, criterion="distance")
        families: npt.NDArray[np.intp] = np.unique(groups, return_inverse=True)[1]
        return families

    def _bases(self) -> npt.NDArray[np.intp]:
        """The palette colour of each family: the best of several descents from random beginnings."""
        count, colors = int(self.families.max()) + 1, len(self.palette)
        share = np.bincount(self.families, self.share, count).astype(np.float64)
        lab = np.stack([np.bincount(self.families, self.share * self.lab[:, i], count) / share for i in range(3)], 1)
        member = np.eye(count)[self.families]
        contact = member.T @ self.touching @ member
        np.fill_diagonal(contact, 0.0)
        contact /= max(contact.sum(), 1e-12)
        # small areas are seen too
        seen = np.sqrt(share) / np.sqrt(share).sum()
        values = _matched_values(lab[:, 0], share, self.palette[:, 0], self.weights)
        own = VALUE * seen[:, None] * np.abs(values[:, None] - self.palette[None, :, 0])
        own += self.chance * seen[:, None] * self.rng.random((count, colors))
        between = distances(self.palette, self.palette)
        wanted = np.minimum(distances(lab, lab), CLEAR)
        best: tuple[float, npt.NDArray[np.intp]] | None = None
        for _ in range(RESTARTS):
            chosen = self.rng.integers(0, colors, count)
            for _ in range(SWEEPS):
                before = chosen.copy()
                for family in np.argsort(-share, kind="stable"):
                    usage = np.bincount(chosen, share, colors)
                    usage[chosen[family]] -= share[family]
                    crowding = np.abs(usage + share[family] - self.weights) - np.abs(usage - self.weights)
                    lack = np.maximum(wanted[family][:, None] - between[chosen], 0.0)
                    cost = own[family] + AREA * crowding + CONTRAST * 2 * (contact[family] @ lack)
                    chosen[family] = int(np.round(cost, 9).argmin())
                if (chosen == before).all():
                    break
            lack = np.maximum(wanted - between[chosen][:, chosen], 0.0)
            total = own[np.arange(count), chosen].sum() + CONTRAST * (contact * lack).sum()
            total += AREA * np.abs(np.bincount(chosen, share, colors) - self.weights).sum()
            if best is None or round(float(total), 9) < best[0]:
                best = (round(float(total), 9), chosen)
        if best is None:
            raise AssertionError("there is at least one descent")
        return best[1]

    def _tones(self, bases: FloatArray) -> list[str]:
        """The colour of each paint: its family's, in its own tone, told apart from everything that it touches."""
        targets = list(self.names)
        fixed = self.kept.copy()
        final = self.lab.copy()
        largest = {
            family: int(np.where(self.families == family, self.share, -1.0).argmax()) for family in set(self.families)
        }
        palette = to_oklab(from_oklab(self.palette))
        for paint in np.argsort(-self.share, kind="stable"):
            if fixed[paint]:
                continue
            base, main = bases[self.families[paint]], largest[self.families[paint]]
            wanted = base + _moved(self.lab[paint] - self.lab[main], self.lab[main], base)
            near = final[fixed & (self.touching[paint] > 0)]
            candidates = np.concatenate([palette, to_oklab(from_oklab(_variants(wanted)))])
            cost = distances(candidates, wanted[None])[:, 0]
            cost[: len(palette)] = np.maximum(0.0, cost[: len(palette)] - NEAR_PALETTE)
            target = _cheapest(candidates, cost, near)
            if target is None:
                cube = _cube()
                target = _cheapest(cube, distances(cube, wanted[None])[:, 0], near, or_else=True)
            final[paint] = target
            fixed[paint] = True
            targets[paint] = to_hex(from_oklab(final[paint]))
        return targets


def _touching(survey: Survey, paints: list[_Paint]) -> FloatArray:
    """``(N, N)`` how long two paints touch; of a texture it is its largest part that touches, and its other parts."""
    main = {paint.material: place for place, paint in enumerate(paints) if paint.is_main}
    touching = np.zeros((len(paints), len(paints)))
    for (one, other), count in survey.borders.items():
        touching[main[one], main[other]] = touching[main[other], main[one]] = count
    total = survey.pixels.total()
    for place, paint in enumerate(paints):
        if not paint.is_main:
            # as long as the outline of a disc of its size
            length = np.sqrt(4 * np.pi * paint.share * total)
            touching[place, main[paint.material]] = touching[main[paint.material], place] = max(1.0, length)
    return touching


def _matched_values(values: FloatArray, share: FloatArray, palette: FloatArray, weights: FloatArray) -> FloatArray:
    """The lightness that each family has when the picture's values are spread as those of the palette's scene."""
    order, sorted_palette = np.argsort(values, kind="stable"), np.argsort(palette, kind="stable")
    middle = np.empty(len(values))
    middle[order] = np.cumsum(share[order]) - share[order] / 2
    steps = np.cumsum(weights[sorted_palette]) - weights[sorted_palette] / 2
    matched: FloatArray = np.interp(middle / share.sum(), steps, palette[sorted_palette])
    return matched


def _moved(tone: FloatArray, source: FloatArray, target: FloatArray) -> FloatArray:
    """How a tone differs from its family's new colour: in lightness as before, in chroma by the same share of it."""
    chroma = float(np.hypot(*source[1:]))
    gain = float(tone[1:] @ source[1:]) / chroma**2 if chroma > 0.02 else 0.0
    return np.array([tone[0], *(min(max(gain, -0.6), 0.1) * target[1:])])


def _variants(color: FloatArray) -> FloatArray:
    """A colour, and lighter, darker and duller ones; stronger ones look like neon among a palette's colours."""
    steps = np.arange(-10, 11) * 0.03
    variants = [(color[0] + step, *(chroma * color[1:])) for chroma in (1.0, 0.8, 0.6, 0.4) for step in steps]
    return np.clip(np.array(variants), [0.05, -0.4, -0.4], [0.99, 0.4, 0.4])


def _cube() -> FloatArray:
    """Colours all over: what is left when all variants touch something like them."""
    steps = np.arange(0, 256, 17, dtype=np.uint8)
    return to_oklab(np.stack(np.meshgrid(steps, steps, steps, indexing="ij"), axis=-1).reshape(-1, 3))


def _cheapest(candidates: FloatArray, cost: FloatArray, near: FloatArray, or_else: bool = False) -> Any:
    """The cheapest colour that can be told from all near it; where none can, None or the one that best can."""
    if not len(near):
        return candidates[np.round(cost, 9).argmin()]
    apart = distances(candidates, near).min(axis=1)
    allowed = apart >= TELLABLE
    if allowed.any():
        return candidates[np.where(allowed, np.round(cost, 9), np.inf).argmin()]
    return candidates[apart.argmax()] if or_else else None
