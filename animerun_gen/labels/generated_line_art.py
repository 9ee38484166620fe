"""Line art whose regions are known, by which the trapped-ball segments are tested and measured.

Nothing here uses the code that it is a measure of: the regions come from the drawing itself, before any gap is cut into
its lines.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np
import numpy.typing as npt
from scipy.spatial import cKDTree

Shapes = Literal["convex", "curved", "overlapping"]
Style = Literal["black", "soft", "colored"]


@dataclass(frozen=True)
class GeneratedLineArt:
    """A drawing and the regions that its maker had in mind."""

    line_art: npt.NDArray[np.uint8]
    """``(H, W)`` or, if coloured, ``(H, W, 3)`` uint8, lines on white, gaps cut."""
    truth: npt.NDArray[np.int32]
    """``(H, W)`` int32: the region of every pixel from 1, and 0 on the lines as they were before the gaps were cut."""

    @property
    def region_count(self) -> int:
        """How many regions the truth has."""
        return len(np.unique(self.truth[self.truth > 0]))


def generate_line_art(
    shapes: Shapes,
    regions: int,
    seed: int,
    *,
    gap_radius: int = 0,
    gaps_per_region: float = 0.5,
    thickness: int = 2,
    style: Style = "black",
    width: int = 960,
    height: int = 540,
) -> GeneratedLineArt:
    """Draws ``regions`` regions (overlapping shapes: about as many) with closed lines, then cuts gaps into the lines.

    Convex shapes are Voronoi cells, curved ones are Voronoi cells of a plane bent by smooth waves, overlapping ones are
    ellipses painted one over the other.  A gap is a disc of ``gap_radius`` pixels erased at a random pixel of a line.

    Args:
        shapes: what the regions look like.
        regions: how many.
        seed: of every random choice; equal arguments give equal drawings.
        gap_radius: of the discs erased from the lines, pixels; 0: none.
        gaps_per_region: how many discs, as a multiple of the regions.
        thickness: of the lines, pixels.
        style: black and hard; black and soft, that is anti-aliased; or hard and each region's outline in a colour of
            its own, from near black to full colours of all hues.
        width: pixels.
        height: pixels.
    """
    random = np.random.default_rng(seed)
    scale = 2 if style == "soft" else 1
    size = (width * scale, height * scale)
    if shapes == "overlapping":
        painted = _ellipses(regions, *size, random)
    else:
        painted = _cells(regions, *size, random, bent=shapes == "curved")
    lines = np.zeros(painted.shape, np.uint8)
    lines[:, :-1] |= painted[:, :-1] != painted[:, 1:]
    lines[:-1] |= painted[:-1] != painted[1:]
    pen = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (thickness * scale, thickness * scale))
    line_art = np.where(cv2.dilate(lines, pen) > 0, 0, 255).astype(np.uint8)
    paper = line_art > 0
    _, truth = cv2.connectedComponents(paper.view(np.uint8), connectivity=4)
    if style == "soft":
        line_art = cv2.resize(line_art, (width, height), interpolation=cv2.INTER_AREA).astype(np.uint8)
        quarters = truth.reshape(height, 2, width, 2)
        truth = np.where(np.ptp(quarters, axis=(1, 3)) == 0, quarters[:, 0, :, 0], 0)
    truth = _without_specks(np.asarray(truth, np.int32))
    if gap_radius:
        _cut_gaps(line_art, gap_radius, int(gaps_per_region * regions), random)
    if style == "colored":
        line_art = _in_colors(line_art, painted, seed)
    return GeneratedLineArt(line_art, truth)


def _cells(regions: int, width: int, height: int, random: np.random.Generator, bent: bool) -> npt.NDArray[np.int32]:
    """Voronoi cells of points that keep a distance, so that no cell is too small to be seen."""
    cell = np.sqrt(width * height / regions)
    sites = np.empty((0, 2))
    while len(sites) < regions:
        site = random.uniform((0, 0), (width - 1, height - 1))
        if len(sites) == 0 or np.min(np.linalg.norm(sites - site, axis=1)) >= 0.65 * cell:
            sites = np.vstack([sites, site])
    y, x = np.mgrid[:height, :width].astype(np.float64)
    if bent:
        bend_x, bend_y = np.zeros_like(x), np.zeros_like(y)
        for _ in range(4):
            wave = cell * random.uniform(1.0, 2.0)
            angle, phase_x, phase_y = random.uniform(0, 2 * np.pi, 3)
            along = (np.cos(angle) * x + np.sin(angle) * y) * 2 * np.pi / wave
            # An amplitude well below wave / 2 pi keeps the plane free of folds, so every cell stays in one piece.
            bend_x += 0.03 * wave * np.sin(along + phase_x)
            bend_y += 0.03 * wave * np.sin(along + phase_y)
        x, y = x + bend_x, y + bend_y
    _, nearest = cKDTree(sites).query(np.stack([x, y], axis=-1))
    return np.asarray(nearest, np.int32)


def _ellipses(regions: int, width: int, height: int, random: np.random.Generator) -> npt.NDArray[np.int32]:
    """Ellipses painted over each other on an empty ground."""
    cell = np.sqrt(width * height / regions)
    painted = np.zeros((height, width), np.int32)
    for number in range(1, regions + 1):
        centre = [int(c) for c in random.uniform((0, 0), (width, height))]
        axes = [int(a) for a in cell * random.uniform(0.35, 1.0, 2)]
        cv2.ellipse(painted, centre, axes, float(random.uniform(0, 180)), 0, 360, (number,), cv2.FILLED)
    return painted


def _without_specks(pieces: npt.NDArray[np.int32]) -> npt.NDArray[np.int32]:
    """Pieces of paper (0: line) with room for a block of 3x3 pixels; smaller ones are no regions that anyone misses."""
    block = np.ones((3, 3), np.uint8)
    room = cv2.erode((pieces > 0).view(np.uint8), block, borderType=cv2.BORDER_CONSTANT, borderValue=(0,)) > 0
    return np.where(np.isin(pieces, np.unique(pieces[room])), pieces, 0).astype(np.int32)


def _cut_gaps(line_art: npt.NDArray[np.uint8], radius: int, count: int, random: np.random.Generator) -> None:
    """Erases discs at random line pixels, apart from each other: two side by side would be one that is too wide."""
    gaps = np.empty((0, 2))
    for row, column in random.permutation(np.argwhere(line_art < 128)):
        if len(gaps) == count:
            break
        if len(gaps) == 0 or np.min(np.hypot(*(gaps - (row, column)).T)) > 4 * radius + 2:
            gaps = np.vstack([gaps, (row, column)])
            cv2.circle(line_art, (int(column), int(row)), radius, (255,), cv2.FILLED)


def _in_colors(line_art: npt.NDArray[np.uint8], painted: npt.NDArray[np.int32], seed: int) -> npt.NDArray[np.uint8]:
    """Black lines on white as RGB, each pixel of a line in the colour of the region that it was painted for."""
    # Numbers of their own, so that gaps do not change the colours nor colours the gaps.
    random = np.random.default_rng((seed, 1))
    hue, saturation, value = random.integers((0, 128, 0), (180, 256, 256), (int(painted.max()) + 1, 3)).T
    # Bright only where saturated: a pale colour is no line at the usual threshold.
    saturation = np.where(value > 128, 255, saturation)
    palette = cv2.cvtColor(np.stack([hue, saturation, value], axis=-1).astype(np.uint8)[None], cv2.COLOR_HSV2RGB)[0]
    colored: npt.NDArray[np.uint8] = np.where(line_art[..., None] > 0, 255, palette[painted]).astype(np.uint8)
    return colored
