"""The figures that are told of a dataset, made of what was counted, and the form of the file that has them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Literal

import numpy as np
from pydantic import BaseModel, ConfigDict

from animerun_gen.statistics import divergence
from animerun_gen.statistics.counts import MOTION_BINS, Counts, area_edge

SMALL_AREA = 64
"""Pixels of 960x540: a segment with fewer is small."""

DARK, BRIGHT = 64, 192
"""Grey levels below and from which a pixel is dark or bright."""

SOFT, STRONG = 16, 64
"""Levels up to which a step between neighbours is soft, as in shading and noise; and beyond which it is strong."""

MOTION_LIMITS = (10, 50)
"""Pixels of 960x540 between slow, middle and fast motion, as in the paper's Table 2."""

HOLDS = ("1", "2", "3", "4 or more")
"""For how many frames a drawing is held: on ones, twos, threes, and longer."""


class _Form(BaseModel):
    model_config = ConfigDict(frozen=True)


class Figures(_Form):
    """What is told of a clip, a film, a split or a dataset; None where its files do not say.

    Attributes:
        clips: Sequences of frames.
        frames: Frames.
        pairs: Neighbouring frames.
        size: Width and height of most frames, pixels.
        segments: Segments a frame.
        occluded_segments: Segments a pair that have no match in the next frame.
        pixel_shift: Mean length of the known motion of a pair, pixels of the frame's own size.
        pixel_shift_moving: The same over pixels that move more than 0.01 px, of pairs that have such.
        segment_shift: Mean distance between the centres of matched segments of a pair, pixels.
        accumulated_shift: ``pixel_shift`` added up over a clip, mean over the clips.
        accumulated_shift_moving: The same of ``pixel_shift_moving``.
        pixel_shift_960: ``pixel_shift`` at 960x540.
        longest_motion: The longest known motion, pixels.
        motion_shares: Shares of the known motion below 10, from 10 to 50 and from 50 px on, at 960x540.
        unknown_share: Share of the pixels of pairs with flow whose motion is unknown.
        still_share: Share of the known motion that is 0.01 px at most.
        still_pairs: Share of the pairs with flow in which nothing moves farther.
        occluded_share: Share of a frame's pixels that is occluded in the next one, by the paper's rule.
        exact_occluded_share: The same by the scene's geometry.
        identical_pairs: Share of the pairs whose pictures are the same to the bit.
        held_pairs: Share of the pairs that show the same drawing: pictures that differ by no more than codecs leave.
        hold_shares: Shares of the frames whose drawing is held for 1, 2, 3, and 4 or more frames.
        median_area: Median area of a segment, pixels of 960x540.
        small_segments: Share of the segments with fewer than 64 of these.
        luminance_mean: Mean grey level, 0 to 255.
        luminance_deviation: Standard deviation of the grey levels.
        dark_share: Share of the pixels below grey level 64.
        bright_share: Share of the pixels from grey level 192 on.
        flat_share: Share of horizontal neighbours of the same level.
        soft_share: Share of those that differ by 1 to 16 levels.
        strong_share: Share of those that differ by more than 64 levels.
    """

    clips: int
    frames: int
    pairs: int
    size: tuple[int, int]
    segments: float | None
    occluded_segments: float | None
    pixel_shift: float | None
    pixel_shift_moving: float | None
    segment_shift: float | None
    accumulated_shift: float | None
    accumulated_shift_moving: float | None
    pixel_shift_960: float | None
    longest_motion: float | None
    motion_shares: tuple[float, float, float] | None
    unknown_share: float | None
    still_share: float | None
    still_pairs: float | None
    occluded_share: float | None
    exact_occluded_share: float | None
    identical_pairs: float | None
    held_pairs: float | None
    hold_shares: dict[str, float]
    median_area: float | None
    small_segments: float | None
    luminance_mean: float
    luminance_deviation: float
    dark_share: float
    bright_share: float
    flat_share: float | None
    soft_share: float | None
    strong_share: float | None


class ToReference(_Form):
    """How far a dataset is from the reference.

    Attributes:
        luminance_kl: Kullback-Leibler divergence of its luminance from the reference's, nats.
        reference_luminance_kl: The other way round, that of the reference's from its.
        difference_sad: Summed absolute difference of the natural logarithms of their histograms of horizontal
            differences.
    """

    luminance_kl: float
    reference_luminance_kl: float
    difference_sad: float | None


class Histograms(_Form):
    """What the plots draw.

    Attributes:
        luminance: ``(256,)`` pixels by grey level.
        differences: ``(511,)`` horizontal neighbours by the step from the left to the right one, from -255 on.
        motion: ``(513,)`` pixels by the length of their motion at 960x540, from 0 on; the last place holds the rest.
        areas: ``(80,)`` segments by their area at 960x540, four places for each doubling, from 1 on.
    """

    luminance: list[int]
    differences: list[int]
    motion: list[float]
    areas: list[int]


class ClipFigures(_Form):
    """The figures of a clip."""

    name: str
    split: str
    film: str
    figures: Figures


class DatasetStatistics(_Form):
    """What is told of a dataset.

    Attributes:
        name: What it is called.
        layout: Its layout, a key of :data:`~animerun_gen.statistics.sequences.LAYOUTS`.
        pictures: What the frames are drawn as whose levels were counted.
        figures: Of all clips.
        splits: By split.
        films: By film.
        clips: By clip.
        histograms: Of all clips.
        to_reference: How far it is from the reference; None where there is none.
        left_out: What could not be taken, a sentence each.
    """

    name: str
    layout: str
    pictures: list[str]
    figures: Figures
    splits: dict[str, Figures]
    films: dict[str, Figures]
    clips: list[ClipFigures]
    histograms: Histograms
    to_reference: ToReference | None = None
    left_out: list[str] = []


class Advice(_Form):
    """What is said of a dataset against the reference.

    Attributes:
        dataset: Its name.
        figure: The figure that is too large or too small; None for a note.
        side: ``"high"``, ``"low"``, or ``"note"``.
        value: Its figure.
        reference: That of the reference.
        keys: Keys of a cut's configuration that bear on it.
        sentence: What is said, in words.
    """

    dataset: str
    figure: str | None
    side: Literal["high", "low", "note"]
    value: float | None = None
    reference: float | None = None
    keys: tuple[str, ...] = ()
    sentence: str


class Statistics(_Form):
    """Content of ``statistics.json``.

    Attributes:
        version: Of this form.
        made_with: Name to version of what made it.
        frame_width: Width that frames were brought to before levels and differences were counted; None: their own.
        reference: Name of the dataset that the others are held against; None: none.
        datasets: The datasets; the reference, where it is none of them, is the last one.
        advice: On which side of the reference they err; empty where that was not asked for.
    """

    version: int = 1
    made_with: dict[str, str]
    frame_width: int | None = None
    reference: str | None = None
    datasets: list[DatasetStatistics]
    advice: list[Advice] = []

    @property
    def referred(self) -> DatasetStatistics | None:
        """The reference; None where there is none."""
        return next((one for one in self.datasets if one.name == self.reference), None)


class Tally:
    """The counts of several clips, and what is not additive in them."""

    def __init__(self) -> None:
        self.counts = Counts()
        self.clips = 0
        self.drawings: dict[int, int] = {}
        self.moved: list[int] = [0, 0]
        self.accumulated: list[float] = [0.0, 0.0]

    def add(self, counts: Counts, drawings: Mapping[int, int]) -> None:
        """Add a clip.

        Args:
            counts: Its counts.
            drawings: For how many frames its drawings are held: length to number.
        """
        self.counts.add(counts)
        self.clips += 1
        for length, number in drawings.items():
            self.drawings[length] = self.drawings.get(length, 0) + number
        for place, (pairs, shift) in enumerate(
            ((counts.flow_pairs, counts.shift), (counts.moving_pairs, counts.shift_moving))
        ):
            if pairs:
                self.moved[place] += 1
                self.accumulated[place] += shift

    def figures(self) -> Figures:
        """What the counts amount to; at least one clip was added."""
        of = self.counts
        levels, level = np.asarray(of.luminance, np.float64), np.arange(len(of.luminance))
        mean = float((levels * level).sum() / levels.sum())
        deviation = float(np.sqrt((levels * (level - mean) ** 2).sum() / levels.sum()))
        steps = np.abs(np.arange(len(of.differences)) - len(of.differences) // 2)
        differences = np.asarray(of.differences, np.float64)
        size = max(sorted(of.sizes), key=lambda name: of.sizes[name])
        width, _, height = size.partition("x")
        areas = np.asarray(of.areas)
        return Figures(
            clips=self.clips,
            frames=of.frames,
            pairs=of.pairs,
            size=(int(width), int(height)),
            segments=_ratio(of.segments, of.segment_frames),
            occluded_segments=_ratio(of.unmatched, of.matched_pairs),
            pixel_shift=_ratio(of.shift, of.flow_pairs),
            pixel_shift_moving=_ratio(of.shift_moving, of.moving_pairs),
            segment_shift=_ratio(of.segment_shift, of.shifted_pairs),
            accumulated_shift=_ratio(self.accumulated[0], self.moved[0]),
            accumulated_shift_moving=_ratio(self.accumulated[1], self.moved[1]),
            pixel_shift_960=_ratio(of.shift_960, of.flow_pairs),
            longest_motion=_rounded(of.longest) if of.flow_pairs else None,
            motion_shares=_motion_shares(of.motion) if of.flow_pairs else None,
            unknown_share=_ratio(of.pixels - of.known_pixels, of.pixels),
            still_share=_ratio(of.still_pixels, of.known_pixels),
            still_pairs=_ratio(of.still_pairs, of.flow_pairs),
            occluded_share=_ratio(of.occluded, of.occlusion_pairs),
            exact_occluded_share=_ratio(of.exactly_occluded, of.exact_pairs),
            identical_pairs=_ratio(of.identical_pairs, of.pairs),
            held_pairs=_ratio(sum((length - 1) * n for length, n in self.drawings.items()), of.pairs),
            hold_shares=self._hold_shares(),
            median_area=_median_area(areas) if of.segments else None,
            small_segments=_ratio(int(areas[: _small_bins()].sum()), of.segments),
            luminance_mean=_rounded(mean),
            luminance_deviation=_rounded(deviation),
            dark_share=_rounded(float(levels[:DARK].sum() / levels.sum())),
            bright_share=_rounded(float(levels[BRIGHT:].sum() / levels.sum())),
            flat_share=_ratio(differences[steps == 0].sum(), differences.sum()),
            soft_share=_ratio(differences[(steps > 0) & (steps <= SOFT)].sum(), differences.sum()),
            strong_share=_ratio(differences[steps > STRONG].sum(), differences.sum()),
        )

    def histograms(self) -> Histograms:
        """What the plots draw."""
        of = self.counts
        return Histograms(
            luminance=of.luminance,
            differences=of.differences,
            motion=[_rounded(value) for value in of.motion],
            areas=of.areas,
        )

    def _hold_shares(self) -> dict[str, float]:
        frames = dict.fromkeys(HOLDS, 0)
        for length, number in self.drawings.items():
            frames[HOLDS[min(length, len(HOLDS)) - 1]] += length * number
        total = sum(frames.values())
        return {name: _rounded(count / total) for name, count in frames.items()} if self.counts.pairs else {}


def to_reference(own: Histograms, reference: Histograms) -> ToReference:
    """How far a dataset's histograms are from those of the reference."""
    has_steps = sum(own.differences) > 0 and sum(reference.differences) > 0
    return ToReference(
        luminance_kl=_rounded(divergence.kl_divergence(own.luminance, reference.luminance)),
        reference_luminance_kl=_rounded(divergence.kl_divergence(reference.luminance, own.luminance)),
        difference_sad=_rounded(divergence.log_difference(own.differences, reference.differences))
        if has_steps
        else None,
    )


def _ratio(total: float, count: float) -> float | None:
    return _rounded(float(total) / float(count)) if count else None


def _rounded(value: float) -> float:
    """Nine decimals: the order in which a processor adds up a sum shows only after that."""
    return round(float(value), 9)


def _motion_shares(motion: Sequence[float]) -> tuple[float, float, float]:
    weights = np.asarray(motion)
    edges = (0, *MOTION_LIMITS, MOTION_BINS)
    low, middle, high = (_rounded(float(weights[start:stop].sum() / weights.sum())) for start, stop in pairwise(edges))
    return low, middle, high


def _small_bins() -> int:
    return next(place for place in range(1000) if area_edge(place) >= SMALL_AREA)


def _median_area(areas: np.ndarray[tuple[int], np.dtype[np.int64]]) -> float:
    """The area in the middle, by its bin: exact to a fifth (the middle of a bin on the logarithmic scale)."""
    place = int(np.searchsorted(np.cumsum(areas), (areas.sum() + 1) // 2))
    return _rounded(area_edge(place + 0.5))
