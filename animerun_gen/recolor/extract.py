"""Draws a palette from frames of animation: ``animerun-gen palette``.

Scenes are sub-folders, and in a folder the stretches between changes of the picture.  Of each scene the colours are
clustered in Oklab by k-means; what stands for a cluster is not its mean, which may be a colour that nobody painted, but
the colour that most of its pixels have.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
from scipy.cluster.vq import kmeans2
from scipy.ndimage import gaussian_filter

from animerun_gen.color.hexadecimal import rgb, to_hex
from animerun_gen.color.oklab import TELLABLE, FloatArray, U8Array, distances, to_oklab
from animerun_gen.config.palette import Palette, PaletteScene, Swatch
from animerun_gen.dataset.files import is_whole_png, read_regular
from animerun_gen.errors import DatasetError, UsageError
from animerun_gen.progress import Progress
from animerun_gen.recolor.shadows import ShadowPairs

SUFFIXES = (".png", ".jpg", ".jpeg")

JPEG_BEGIN, JPEG_END = b"\xff\xd8\xff", b"\xff\xd9"

JPEG_TAIL = 4096
"""Bytes at most that programs leave behind the end of a JPEG picture."""

SMOOTH = 20
"""A pixel whose neighbours differ by no more levels than this lies inside a painted area, not on a line or an edge."""

INK_BRIGHTNESS = 64
"""What has no brighter channel than this may be ink."""

INK_WIDTH = 9
"""Ink is less than so many pixels wide, in a picture :data:`INK_HEIGHT` pixels high."""

INK_HEIGHT = 540

SMOOTH_ENOUGH = 0.1
"""Share of a picture that has to be smooth; grainy film has none, and then every pixel but ink counts."""

BITS = 5
"""Of each channel as many bits tell colours apart before they are clustered."""

COARSE = 16
"""Steps of each channel of the histograms by which scenes are parted."""

SAMPLES = 20_000
"""So many points, drawn from a scene's colours, are clustered."""

CLUSTERS = 4
"""So many clusters for each colour that is wanted: what is left out is chosen among them."""

UNLIKE = 0.2
"""Distance in Oklab beyond which being more unlike counts no more."""

SMALLEST_SHARE = 0.001
"""A colour of a smaller share of a scene is left out."""


@dataclass
class Histogram:
    """The colours of pictures, by the upper :data:`BITS` bits of their channels.

    Attributes:
        pixels: ``(8 ** BITS,)`` int64, how many pixels have such a colour.
        sums: ``(3, 8 ** BITS)`` float64, their channels added up.
    """

    pixels: npt.NDArray[np.int64] = field(default_factory=lambda: np.zeros(8**BITS, np.int64))
    sums: FloatArray = field(default_factory=lambda: np.zeros((3, 8**BITS)))

    def add(self, colors: U8Array) -> None:
        """Count ``(N, 3)`` uint8 colours."""
        upper = (colors >> (8 - BITS)).astype(np.int64)
        codes = upper[:, 0] << 2 * BITS | upper[:, 1] << BITS | upper[:, 2]
        self.pixels += np.bincount(codes, minlength=8**BITS)
        for channel in range(3):
            self.sums[channel] += np.bincount(codes, colors[:, channel], 8**BITS)

    def colors(self) -> tuple[U8Array, npt.NDArray[np.int64]]:
        """The colours that occur, ``(N, 3)`` uint8, each the mean of its pixels, and their pixels."""
        there = np.flatnonzero(self.pixels)
        pixels = self.pixels[there]
        return np.rint(self.sums[:, there] / pixels).astype(np.uint8).T, pixels


@dataclass
class _Scene:
    """A scene while its pictures are read."""

    folder: Path
    first: str
    last: str
    pictures: int = 0
    histogram: Histogram = field(default_factory=Histogram)
    shadows: ShadowPairs = field(default_factory=ShadowPairs)


def painted_areas(picture: U8Array, opaque: npt.NDArray[np.bool_] | None = None) -> npt.NDArray[np.bool_]:
    """Where the painted areas are: not lines, and not the mixed colours along edges.

    Args:
        picture: ``(H, W, 3)`` uint8, RGB.
        opaque: ``(H, W)`` bool, where there is a picture at all; None: everywhere.

    Returns:
        ``(H, W)`` bool.
    """
    square = np.ones((3, 3), np.uint8)
    smooth = (cv2.dilate(picture, square) - cv2.erode(picture, square)).max(axis=-1) <= SMOOTH
    brightest = picture.max(axis=-1)
    width = max(5, round(INK_WIDTH * len(picture) / INK_HEIGHT))
    # thin and darker than what lies on both sides, be that a night sky
    filled = cv2.morphologyEx(brightest, cv2.MORPH_CLOSE, np.ones((width, width), np.uint8))
    colored = (brightest > INK_BRIGHTNESS) | (filled - brightest <= SMOOTH)
    if opaque is not None:
        colored &= opaque
    inside = colored & smooth
    if inside.sum() < SMOOTH_ENOUGH * colored.sum():
        inside = colored
    found: npt.NDArray[np.bool_] = inside
    return found


def painted_pixels(picture: U8Array, opaque: npt.NDArray[np.bool_] | None = None) -> U8Array:
    """The pixels inside :func:`painted_areas`, ``(N, 3)`` uint8; there may be none."""
    found: U8Array = picture[painted_areas(picture, opaque)]
    return found


def representative_colors(histogram: Histogram, count: int, seed: int) -> list[Swatch]:
    """The colours that stand for a scene.

    Args:
        histogram: All its colours.
        count: How many colours at most.
        seed: Where the clustering begins.

    Returns:
        Colours and shares, the largest first; fewer than ``count`` where the scene has fewer that the eye tells apart.
    """
    colors, pixels = histogram.colors()
    lab = to_oklab(colors)
    rng = np.random.default_rng(seed)
    # square roots, so that small accents are not drowned by skies and walls
    chances = np.sqrt(pixels)
    drawn = lab[rng.choice(len(lab), SAMPLES, p=chances / chances.sum())]
    clusters = min(CLUSTERS * count, len(np.unique(drawn, axis=0)))
    centers, _ = kmeans2(drawn, clusters, minit="++", missing="warn", seed=rng)
    nearest = distances(lab, centers).argmin(axis=1)
    modes = [
        members[pixels[members].argmax()] for c in np.unique(nearest) if len(members := np.flatnonzero(nearest == c))
    ]
    chosen = _distinct(lab[modes], np.bincount(nearest, pixels)[np.unique(nearest)] / pixels.sum(), count)
    swatches = np.array(modes)[chosen]
    shares = np.bincount(distances(lab, lab[swatches]).argmin(axis=1), pixels, len(swatches)) / pixels.sum()
    order = [place for place in np.argsort(-shares, kind="stable") if shares[place] >= SMALLEST_SHARE]
    return [Swatch(color=to_hex(colors[swatches[place]]), share=round(float(shares[place]), 4)) for place in order]


def _distinct(lab: FloatArray, shares: FloatArray, count: int) -> list[int]:
    """Which colours to keep: the largest, then always the one that is large and unlike those before it."""
    chosen = [int(shares.argmax())]
    apart = distances(lab, lab[chosen])[:, 0]
    while len(chosen) < count:
        merits = np.where(apart < TELLABLE, 0.0, np.sqrt(shares) * np.minimum(apart, UNLIKE))
        best = int(merits.argmax())
        if not merits[best]:
            break
        chosen.append(best)
        apart = np.minimum(apart, distances(lab, lab[[best]])[:, 0])
    return chosen


def coarse_histogram(picture: U8Array) -> FloatArray:
    """Shares of colours in a picture, ``(16, 16, 16)`` float64; smoothed, so that more light changes little."""
    codes = (picture >> 4).reshape(-1, 3).astype(np.int64)
    counts = np.bincount(codes[:, 0] << 8 | codes[:, 1] << 4 | codes[:, 2], minlength=COARSE**3)
    shares = counts.reshape(COARSE, COARSE, COARSE) / len(codes)
    smoothed: FloatArray = gaussian_filter(shares, 1.0, mode="nearest")
    return smoothed


def change(one: FloatArray, other: FloatArray) -> float:
    """Share of the picture whose colours are not found in the other one, 0..1, by their :func:`coarse_histogram`."""
    return float(np.abs(one - other).sum() / 2)


def draw_palette(
    folder: Path, colors: int, scene_change: float, seed: int, about: str | None, licence: str | None
) -> tuple[Palette, list[str]]:
    """Draw a palette from a folder of frames.

    Args:
        folder: Is searched for PNG and JPEG files, and all its sub-folders are.
        colors: Colours of a scene at most.
        scene_change: A new scene begins where :func:`change` between neighbouring frames is larger.
        seed: Where random choices begin.
        about: What the pictures are; None: the name of the folder.
        licence: What their owners allow.

    Returns:
        The palette, and what the user should know, a sentence each.

    Raises:
        UsageError: There is no folder, no picture in it that can be read, or none with two colours.
        DatasetError: The folder cannot be read.
    """
    files = _pictures_in(folder)
    scenes: list[_Scene] = []
    notes: list[str] = []
    before: FloatArray | None = None
    with Progress(len(files), "picture", "reading", delay=1.0) as progress:
        for file in files:
            read = _read_picture(file)
            progress.advance(file.name)
            if read is None:
                notes.append(f"{file} was left out: it cannot be read as an image")
                continue
            picture, opaque = read
            now = coarse_histogram(picture)
            same_folder = bool(scenes) and scenes[-1].folder == file.parent
            if not same_folder or before is None or change(before, now) > scene_change:
                scenes.append(_Scene(file.parent, file.name, file.name))
            before = now
            scene = scenes[-1]
            scene.last = file.name
            scene.pictures += 1
            painted = painted_areas(picture, opaque)
            scene.histogram.add(picture[painted])
            scene.shadows.add(picture, painted)
    if not scenes:
        raise UsageError(
            f"none of the {len(files)} pictures in {folder} can be read", remedy="give a folder of whole pictures"
        )
    drawn = []
    for number, scene in enumerate(scenes):
        name = _scene_name(folder, scenes, number)
        swatches = representative_colors(scene.histogram, colors, seed) if scene.histogram.pixels.any() else []
        swatches = scene.shadows.give(swatches)
        if len(swatches) < 2:
            notes.append(f"scene {name} was left out: it has fewer than two distinguishable colours")
            continue
        where = scene.folder.relative_to(folder).as_posix()
        span = scene.first if scene.pictures == 1 else f"{scene.first} to {scene.last}"
        origin = span if where == "." else f"{where}/{span}"
        drawn.append(PaletteScene(name=name, origin=f"{origin} ({scene.pictures} pictures)", colors=tuple(swatches)))
    if not drawn:
        raise UsageError("has no scene with two distinguishable colours", folder, "give frames in colour")
    return Palette(
        about=about or f"frames in the folder {folder.resolve().name}", licence=licence, scenes=tuple(drawn)
    ), notes


def _pictures_in(folder: Path) -> list[Path]:
    """All pictures in and below a folder, folder by folder, in the order of the numbers in their names."""
    if not folder.is_dir():
        raise UsageError("is not a folder", folder, "give a folder with PNG or JPEG frames in it")
    try:
        found = [file for file in folder.rglob("*") if file.suffix.lower() in SUFFIXES and file.is_file()]
    except OSError as error:
        raise DatasetError(f"cannot be read: {error.strerror}", folder, "check its permissions") from error
    hidden = [file for file in found if any(part.startswith(".") for part in file.relative_to(folder).parts)]
    found = sorted(set(found) - set(hidden), key=lambda file: (_in_order(file.parent.as_posix()), _in_order(file.name)))
    if not found:
        raise UsageError("has no PNG or JPEG files, nor have its sub-folders", folder, "give a folder of frames")
    return found


def _in_order(name: str) -> list[tuple[int, str]]:
    """Sorts frame 9 before frame 10."""
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in re.split(r"(\d+)", name)]


def _read_picture(file: Path) -> tuple[U8Array, npt.NDArray[np.bool_] | None] | None:
    """A picture in RGB and where it is opaque; None where the file is none."""
    try:
        data = read_regular(file)
        # the decoder fills up what is missing of a file and says nothing
        if not (is_whole_png(data) or (data.startswith(JPEG_BEGIN) and JPEG_END in data[-JPEG_TAIL:])):
            return None
        picture = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    except (OSError, cv2.error):
        return None
    if picture is None or picture.size == 0:
        return None
    if picture.dtype != np.uint8:
        if picture.dtype != np.uint16:
            return None
        picture = (picture.astype(np.uint16) >> 8).astype(np.uint8)
    if picture.ndim == 2:
        return cv2.cvtColor(picture, cv2.COLOR_GRAY2RGB).astype(np.uint8, copy=False), None
    opaque = picture[..., 3] > 127 if picture.shape[2] == 4 else None
    return np.ascontiguousarray(picture[..., 2::-1]).astype(np.uint8, copy=False), opaque


def _scene_name(folder: Path, scenes: list[_Scene], number: int) -> str:
    """By the folder, with a number where a folder has several scenes."""
    scene = scenes[number]
    where = scene.folder.relative_to(folder).as_posix()
    name = scene.folder.resolve().name if where == "." else where
    siblings = [index for index, other in enumerate(scenes) if other.folder == scene.folder]
    return name if len(siblings) == 1 else f"{name} {siblings.index(number) + 1}"


def swatch_picture(palette: Palette, width: int = 640, height: int = 48) -> U8Array:
    """The palette to look at: a row for each scene, each colour as wide as its share, ``(H, W, 3)`` uint8."""
    rows = []
    for scene in palette.scenes:
        rows.append(_row(scene, width, height))
    return np.concatenate(rows)


def _row(scene: PaletteScene, width: int, height: int) -> U8Array:
    shares = np.array([swatch.share for swatch in scene.colors])
    ends = np.rint(np.cumsum(shares) / shares.sum() * width).astype(int)
    row = np.full((height, width, 3), 255, np.uint8)
    start = 0
    for swatch, end in zip(scene.colors, ends, strict=True):
        row[4:, start:end] = rgb(swatch.color)
        start = end
    return row
