"""Measures segment matching on the pairs of a dataset."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from animerun_gen.benchmark.clips import chosen_clips, states_of, truth_of
from animerun_gen.benchmark.evaluation import ClipToMeasure, Panel, Swatch
from animerun_gen.benchmark.options import EvaluationOptions
from animerun_gen.benchmark.results import Average, Column, Measured, MethodFacts, Pair, summed
from animerun_gen.benchmark.segments.methods import SegmentMethod, SegmentPair, open_method
from animerun_gen.benchmark.segments.metrics import COLUMNS, measure_segments
from animerun_gen.benchmark.segments.predictions import find_predictions, read_prediction, write_prediction
from animerun_gen.benchmark.source import chosen_source, remarks_on_left_out
from animerun_gen.dataset.pairs import ClipIndex, directed_pairs, pictures_of, read_pictures
from animerun_gen.errors import DatasetError, UsageError

Key = tuple[str, str]

RIGHT, WRONG, MISSED, FALSE = (90, 180, 90), (220, 60, 50), (60, 100, 220), (240, 170, 40)
"""Colours of what was made of segments, see :data:`LEGEND`."""

LEGEND = tuple(
    Swatch(f"#{bytes(color).hex()}", meaning)
    for color, meaning in (
        (RIGHT, "right"),
        (WRONG, "matched with another segment"),
        (MISSED, "occluded, but matched"),
        (FALSE, "called occluded, but shown by the next frame"),
    )
)


@dataclass(frozen=True)
class LabelledPair:
    """A pair of frames with the labels of its segments.

    Attributes:
        frames: The numbers of the source and the target frame.
        pictures: The files of what they are drawn as.
        segments: The files of their segments.
        matches: The file of the matches.
    """

    frames: tuple[int, int]
    pictures: tuple[Path, Path]
    segments: tuple[Path, Path]
    matches: Path

    @property
    def labels(self) -> dict[str, Path]:
        """The files of the labels, by what they are."""
        return {"segment": self.segments[0], "segment of the next frame": self.segments[1], "matches": self.matches}


@dataclass(frozen=True)
class SegmentEvaluation:
    """See :class:`~animerun_gen.benchmark.evaluation.Evaluation`."""

    options: EvaluationOptions
    source: SegmentMethod | Path
    indexes: Mapping[Key, ClipIndex]
    pairs: Mapping[Key, Sequence[LabelledPair]]
    left_out: Sequence[str]

    kind = "segments"
    columns: Sequence[Column] = COLUMNS
    average: Average = "mean_of_pairs"
    legend: Sequence[Swatch] = LEGEND

    @cached_property
    def measured(self) -> Measured:
        truth = truth_of(((*key, *pair.frames), pair.labels) for key, pairs in self.pairs.items() for pair in pairs)
        return Measured(
            name=self.options.dataset.resolve().name,
            splits=tuple(dict.fromkeys(split for split, _ in self.pairs)),
            pictures=self.options.pictures,
            truth=truth,
        )

    @cached_property
    def method(self) -> MethodFacts:
        options = self.options
        if isinstance(self.source, SegmentMethod):
            facts = self.source.facts
        else:
            facts = MethodFacts(name="predictions", title=self.source.resolve().name, weights="unknown")
        return facts.called(options.name, options.trained_on)

    def clips(self) -> list[ClipToMeasure]:
        clips = []
        for (split, cut), pairs in self.pairs.items():
            seen = [path for pair in pairs for path in (*pair.labels.values(), *pair.pictures)]
            keys = [column.key for column in self.columns]
            # what it is called does not change what it predicts
            facts = self.method.model_dump(exclude={"title", "trained_on"})
            try:
                seen += self._predictions((split, cut)).values()
                basis = states_of([facts, keys, [pair.frames for pair in pairs]], seen)
            except DatasetError:
                # said when it is measured, beside what is wrong with other clips
                basis = ""
            unsaved = any(not path.is_file() for pair in pairs for path in self._saved((split, cut), pair))
            clips.append(ClipToMeasure(split, cut, len(pairs), basis, again=unsaved))
        return clips

    def measure(self, clip: ClipToMeasure, done: Callable[[str], None]) -> list[Pair]:
        key = (clip.split, clip.cut)
        predictions = self._predictions(key)
        found = []
        for labelled in self.pairs[key]:
            pair, matches = self._read(key, labelled)
            predicted = self._predicted(predictions, labelled, pair)
            areas = pair.regions[0].areas
            figures = measure_segments(predicted, matches, areas, len(pair.regions[1]))
            counts = {
                "segments": len(areas),
                "occluded": sum(targets[0] < 0 for targets in matches),
                "called_occluded": sum(target < 0 for target in predicted),
                "several_matches": sum(len(targets) > 1 for targets in matches),
            }
            found.append(Pair(frames=labelled.frames, figures=figures, counts=counts))
            for path in self._saved(key, labelled):
                write_prediction(path, predicted)
            done(clip.cut)
        return found

    def draw(self, clip: ClipToMeasure, frames: tuple[int | str, ...]) -> list[Panel]:
        key = (clip.split, clip.cut)
        labelled = next(pair for pair in self.pairs[key] if pair.frames == frames)
        pair, matches = self._read(key, labelled)
        predicted = self._predicted(self._predictions(key), labelled, pair)
        first = np.array([targets[0] for targets in matches])
        return [
            Panel("frame", pair.pictures[0]),
            Panel("next frame", pair.pictures[1]),
            Panel("segments", paint(pair.segments[0], np.arange(len(first))), exact=True),
            Panel("next frame, by the truth", paint_target(pair, first), exact=True),
            Panel("next frame, as predicted", paint_target(pair, np.asarray(predicted)), exact=True),
            Panel("what is right", outcome(pair, np.asarray(predicted), first)),
        ]

    def remarks(self, counts: Mapping[str, int]) -> list[str]:
        remarks = [
            f"{counts.get('segments', 0):,} segments, of which {summed(counts, 'occluded', 'segments'):.3g}% have no"
            f" match and {summed(counts, 'several_matches', 'segments'):.3g}% have several; the first one counts."
        ]
        return [*remarks, *remarks_on_left_out(self.left_out)]

    def _saved(self, key: Key, labelled: LabelledPair) -> list[Path]:
        """Where the prediction of a pair is kept; nothing where it is not."""
        folder = self.options.save
        return [] if folder is None else [folder.joinpath(*key, f"{labelled.matches.stem}.json")]

    def _predictions(self, key: Key) -> dict[int, Path]:
        """The files of a clip's predictions by frame; none where a method is run."""
        if isinstance(self.source, SegmentMethod):
            return {}
        return find_predictions(self.source, *key, {pair.frames[0]: pair.matches.stem for pair in self.pairs[key]})

    def _read(self, key: Key, labelled: LabelledPair) -> tuple[SegmentPair, list[list[int]]]:
        """A pair and its matches.

        Raises:
            DatasetError: A file is missing or damaged, or the labels contradict each other.
        """
        clip = self.indexes[key].clip
        first, second = read_pictures(labelled.pictures)
        pair = SegmentPair(
            (first, second), (clip.read("segment", labelled.frames[0]), clip.read("segment", labelled.frames[1]))
        )
        if any(segments.shape != first.shape[:2] or segments.min() < 0 for segments in pair.segments):
            what = "does not fit its frame: another size, or numbers below 0"
            raise DatasetError(what, labelled.segments[0], "make or download the cut again")
        matches = clip.read("match_forward", labelled.frames[0])
        counts = [len(regions) for regions in pair.regions]
        if len(matches) != counts[0] or max(map(max, matches)) >= counts[1]:
            what = f"does not fit the {counts[0]} and {counts[1]} segments of its frames"
            raise DatasetError(what, labelled.matches, "make or download the cut again")
        return pair, matches

    def _predicted(self, predictions: Mapping[int, Path], labelled: LabelledPair, pair: SegmentPair) -> list[int]:
        if isinstance(self.source, SegmentMethod):
            return self.source.match(pair)
        counts = [len(regions) for regions in pair.regions]
        return read_prediction(predictions[labelled.frames[0]], counts[0], counts[1])


def open_evaluation(options: EvaluationOptions) -> SegmentEvaluation:
    """Open the evaluation of segment matching.

    Raises:
        UsageError: There is no such method, dataset or split, or a library is missing.
    """
    source = chosen_source(options, open_method)
    indexes = {(clip.split, clip.cut): ClipIndex.look(clip) for clip in chosen_clips(options)}
    pairs: dict[Key, list[LabelledPair]] = {}
    left_out: list[str] = []
    for key, index in indexes.items():
        for frames in directed_pairs(index.numbers, "forward"):
            found = _labelled(index, frames, options.pictures)
            if isinstance(found, str):
                left_out.append(f"{index.clip.cut} {frames[0]}-{frames[1]} has no {found}")
            else:
                pairs.setdefault(key, []).append(found)
    if not pairs:
        what = f": {left_out[0]}" if left_out else ""
        raise UsageError(
            f"has no pair of frames with segments and matches{what}",
            options.dataset,
            "choose other cuts, or other splits with --split",
        )
    return SegmentEvaluation(options, source, indexes, pairs, left_out)


def _labelled(index: ClipIndex, frames: tuple[int, int], pictures: str) -> LabelledPair | str:
    """The files of a pair; the name of what is missing."""
    drawn = pictures_of(index, frames, pictures)
    if not drawn:
        return pictures
    one, other, matches = (
        index.file(name, frame)
        for name, frame in (("segment", frames[0]), ("segment", frames[1]), ("match_forward", frames[0]))
    )
    if one is None or other is None:
        return "segment"
    if matches is None:
        return "match_forward"
    shown = next(iter(drawn.values()))
    return LabelledPair(frames, (shown[0], shown[1]), (one, other), matches)


def paint(segments: npt.NDArray[np.integer[Any]], owners: npt.NDArray[np.integer[Any]]) -> npt.NDArray[np.uint8]:
    """A picture of segments, each in the colour of a number.

    Args:
        segments: ``(H, W)`` integers from 0.
        owners: ``(K,)``: the number of each of them; -1: dark grey.

    Returns:
        ``(H, W, 3)`` uint8, RGB.
    """
    numbers = np.arange(int(owners.max(initial=0)) + 1)
    # steps of an irrational share of the range, another one for each channel, hardly ever meet again
    steps = np.array([0.618034, 0.754878, 0.569840])
    colors = (64 + 191 * ((numbers[:, None] + 1) * steps % 1)).astype(np.uint8)
    table = np.vstack([colors, np.full((1, 3), 40, np.uint8)])
    picture: npt.NDArray[np.uint8] = table[owners][segments]
    return picture


def paint_target(pair: SegmentPair, matches: npt.NDArray[np.integer[Any]]) -> npt.NDArray[np.uint8]:
    """The target frame, its segments in the colours of the source segments that become them; dark grey: none does."""
    owners = np.full(len(pair.regions[1]), -1)
    # of several, the largest shows
    order = np.argsort(pair.regions[0].areas, kind="stable")
    order = order[matches[order] >= 0]
    owners[matches[order]] = order
    # the colours must be those of the source frame
    return paint(pair.segments[1], np.append(owners, len(matches) - 1))


def outcome(
    pair: SegmentPair,
    predicted: npt.NDArray[np.integer[Any]],
    truth: npt.NDArray[np.integer[Any]],
) -> npt.NDArray[np.uint8]:
    """The source frame, its segments in the colours of what was made of them."""
    kinds = np.select([predicted == truth, truth < 0, predicted < 0], [0, 2, 3], default=1)
    colors = np.array([RIGHT, WRONG, MISSED, FALSE], np.float64)[kinds][pair.segments[0]]
    # the lines stay visible
    picture: npt.NDArray[np.uint8] = (
        colors * (0.35 + 0.65 * pair.pictures[0].mean(axis=2, keepdims=True) / 255)
    ).astype(np.uint8)
    return picture
