"""Measures flow on the pairs of a dataset."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from animerun_gen.benchmark.clips import chosen_clips, states_of, truth_of
from animerun_gen.benchmark.evaluation import ClipToMeasure, Panel, Swatch
from animerun_gen.benchmark.flow.drawing import LEGEND, draw_flow
from animerun_gen.benchmark.flow.methods import Flow, FlowMethod, open_method
from animerun_gen.benchmark.flow.metrics import COLUMNS, measure_flow
from animerun_gen.benchmark.flow.predictions import find_predictions, read_prediction, require_usable
from animerun_gen.benchmark.options import EvaluationOptions
from animerun_gen.benchmark.results import Average, Column, Measured, MethodFacts, Pair, summed
from animerun_gen.benchmark.source import chosen_source, remarks_on_left_out
from animerun_gen.config.messages import counted
from animerun_gen.conventions import UNKNOWN_FLOW, known_flow
from animerun_gen.dataset import files
from animerun_gen.dataset.pairs import ClipIndex, SampleFiles, Wanted, find_pairs, read_motion, read_pictures
from animerun_gen.errors import DatasetError, UsageError


@dataclass(frozen=True)
class FlowEvaluation:
    """See :class:`~animerun_gen.benchmark.evaluation.Evaluation`."""

    options: EvaluationOptions
    source: FlowMethod | Path
    indexes: Mapping[tuple[str, str], ClipIndex]
    pairs: Mapping[tuple[str, str], Sequence[SampleFiles]]
    left_out: Sequence[str]

    kind = "flow"
    columns: Sequence[Column] = COLUMNS
    average: Average = "pooled"
    legend: Sequence[Swatch] = LEGEND

    @cached_property
    def measured(self) -> Measured:
        root = self.options.dataset
        splits = tuple(dict.fromkeys(split for split, _ in self.pairs))
        truth = truth_of(
            ((*key, *map(int, pair.meta["frames"])), _labels(self.indexes[key], pair))
            for key, pairs in self.pairs.items()
            for pair in pairs
        )
        return Measured(name=root.resolve().name, splits=splits, pictures=self.options.pictures, truth=truth)

    @cached_property
    def method(self) -> MethodFacts:
        options = self.options
        if isinstance(self.source, FlowMethod):
            facts = self.source.facts
        else:
            facts = MethodFacts(name="predictions", title=self.source.resolve().name, weights="unknown")
        return facts.called(options.name, options.trained_on)

    def clips(self) -> list[ClipToMeasure]:
        clips = []
        for (split, cut), pairs in self.pairs.items():
            seen = [
                path
                for pair in pairs
                for path in (*_labels(self.indexes[split, cut], pair).values(), *self._shown(pair))
            ]
            keys = [column.key for column in self.columns]
            frames = [pair.meta["frames"] for pair in pairs]
            # what it is called does not change what it predicts
            facts = self.method.model_dump(exclude={"title", "trained_on"})
            try:
                seen += self._predictions((split, cut)).values()
                basis = states_of([facts, keys, frames], seen)
            except DatasetError:
                # said when it is measured, beside what is wrong with other clips
                basis = ""
            unsaved = any(not path.is_file() for path in self._saved(split, cut, pairs))
            clips.append(ClipToMeasure(split, cut, len(pairs), basis, again=unsaved))
        return clips

    def measure(self, clip: ClipToMeasure, done: Callable[[str], None]) -> list[Pair]:
        key = (clip.split, clip.cut)
        predictions = self._predictions(key)
        found = []
        for pair in self.pairs[key]:
            truth, valid, _ = read_motion(pair.flows[0])
            index, frame = self.indexes[key], _first(pair)
            hidden, line = (index.file(name, frame) for name in ("occlusion_forward", "line_area"))
            predicted = self._predicted(predictions, pair)
            where = predictions.get(frame, f"frame {frame}")
            require_usable(predicted, valid, where)
            for path in self._saved(*key, [pair]):
                files.write_flow(path, np.where(known_flow(predicted)[..., None], predicted, UNKNOWN_FLOW))
            figures = measure_flow(
                predicted,
                truth,
                valid,
                None if hidden is None else files.read_inverted_mask(hidden),
                None if line is None else files.read_inverted_mask(line),
            )
            counts = {
                "pixels": valid.size,
                "valid": int(valid.sum()),
                "pairs": 1,
                "with_occlusion": int(hidden is not None),
                "with_line_area": int(line is not None),
            }
            found.append(Pair(frames=pair.meta["frames"], figures=figures, counts=counts))
            done(clip.cut)
        return found

    def draw(self, clip: ClipToMeasure, frames: tuple[int | str, ...]) -> list[Panel]:
        key = (clip.split, clip.cut)
        pair = next(pair for pair in self.pairs[key] if pair.meta["frames"] == frames)
        truth, valid, _ = read_motion(pair.flows[0])
        return draw_flow(
            read_pictures(self._shown(pair))[0], truth, valid, self._predicted(self._predictions(key), pair)
        )

    def remarks(self, counts: Mapping[str, int]) -> list[str]:
        known = summed(counts, "valid", "pixels")
        remarks = [f"{100 - known:.3g}% of the pixels have no known motion and were left out."] if known < 100 else []
        for key, columns, folder in (
            ("with_occlusion", "Non-occ. and Occ.", "UnmatchedForward"),
            ("with_line_area", "Line and Flat", "LineArea"),
        ):
            there, total = counts.get(key, 0), counts.get("pairs", 0)
            if 0 < there < total:
                remarks.append(
                    f"{columns} are measured on {there:,} of {counted(total, 'pair')}: the others have no {folder}."
                )
        return [*remarks, *remarks_on_left_out(self.left_out)]

    def _saved(self, split: str, cut: str, pairs: Sequence[SampleFiles]) -> list[Path]:
        """Where the predictions of some pairs are kept; nothing where they are not."""
        folder = self.options.save
        return [] if folder is None else [folder / split / cut / f"{_stem(pair, self.options)}.flo" for pair in pairs]

    def _shown(self, pair: SampleFiles) -> tuple[Path, ...]:
        return pair.images[self.options.pictures]

    def _predictions(self, key: tuple[str, str]) -> dict[int, Path]:
        """The files of a clip's predictions by frame; none where a method is run."""
        if isinstance(self.source, FlowMethod):
            return {}
        return find_predictions(
            self.source, *key, {_first(pair): _stem(pair, self.options) for pair in self.pairs[key]}
        )

    def _predicted(self, predictions: Mapping[int, Path], pair: SampleFiles) -> Flow:
        if not isinstance(self.source, FlowMethod):
            return read_prediction(predictions[_first(pair)])
        first, second = read_pictures(self._shown(pair))
        return np.ascontiguousarray(self.source.estimate(first, second), np.float32)


def open_evaluation(options: EvaluationOptions) -> FlowEvaluation:
    """Open the evaluation of flow.

    Raises:
        UsageError: There is no such method, dataset or split, or a library is missing.
    """
    source = chosen_source(options, open_method)
    indexes = {(clip.split, clip.cut): ClipIndex.look(clip) for clip in chosen_clips(options)}
    pairs: dict[tuple[str, str], list[SampleFiles]] = {}
    left_out: list[str] = []
    for key, index in indexes.items():
        found, lacking = find_pairs([index], Wanted(options.pictures, occlusion=None))
        left_out += lacking
        if found:
            pairs[key] = found
    if not pairs:
        what = f": {left_out[0]}" if left_out else ""
        raise UsageError(
            f"has no pair of frames with flow{what}", options.dataset, "choose other cuts, or other splits with --split"
        )
    return FlowEvaluation(options, source, indexes, pairs, left_out)


def _first(pair: SampleFiles) -> int:
    return int(pair.meta["frames"][0])


def _stem(pair: SampleFiles, options: EvaluationOptions) -> str:
    return pair.images[options.pictures][0].stem


def _labels(index: ClipIndex, pair: SampleFiles) -> dict[str, Path]:
    """The files of the labels of a pair, by what they are."""
    flow = pair.flows[0]
    labels = {
        "flow_forward": flow.flow,
        "valid_forward": None if flow.valid is None else flow.valid.path,
        **{name: index.file(name, _first(pair)) for name in ("occlusion_forward", "line_area")},
    }
    return {name: path for name, path in labels.items() if path is not None}
