"""Measures flow on the pairs of a dataset."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from animerun_gen.benchmark.clips import chosen_clips, states_of
from animerun_gen.benchmark.evaluation import ClipToMeasure, Panel
from animerun_gen.benchmark.flow.methods import Flow, FlowMethod, MethodChoice, open_method
from animerun_gen.benchmark.flow.metrics import COLUMNS, measure_flow
from animerun_gen.benchmark.flow.predictions import find_predictions, read_prediction, require_usable
from animerun_gen.benchmark.options import EvaluationOptions
from animerun_gen.benchmark.results import Average, Column, Measured, MethodFacts, Pair, summed
from animerun_gen.dataset import files
from animerun_gen.dataset.checksums import digest_of
from animerun_gen.dataset.files import json_bytes
from animerun_gen.dataset.pairs import ClipIndex, SampleFiles, Wanted, find_pairs, read_motion, read_pictures
from animerun_gen.errors import UsageError


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

    @cached_property
    def measured(self) -> Measured:
        root = self.options.dataset
        splits = tuple(dict.fromkeys(split for split, _ in self.pairs))
        sizes = [
            [*key, *map(int, pair.meta["frames"]), *(path.stat().st_size for path in _labels(self.indexes[key], pair))]
            for key, pairs in self.pairs.items()
            for pair in pairs
        ]
        truth = digest_of(json_bytes(sizes))
        return Measured(name=root.resolve().name, splits=splits, pictures=self.options.pictures, truth=truth)

    @cached_property
    def method(self) -> MethodFacts:
        options = self.options
        if isinstance(self.source, Path):
            title = options.name or self.source.resolve().name
            return MethodFacts(name="predictions", title=title, weights="unknown", trained_on=options.trained_on)
        facts = self.source.facts
        return facts.model_copy(update={"title": options.name}) if options.name else facts

    @cached_property
    def predictions(self) -> Mapping[tuple[str, str], Mapping[int, Path]]:
        """The files of predictions by clip and frame; none where a method is run."""
        if not isinstance(self.source, Path):
            return {}
        return {
            key: find_predictions(self.source, *key, {_first(pair): _stem(pair, self.options) for pair in pairs})
            for key, pairs in self.pairs.items()
        }

    def clips(self) -> list[ClipToMeasure]:
        clips = []
        for (split, cut), pairs in self.pairs.items():
            seen = [path for pair in pairs for path in (*_labels(self.indexes[split, cut], pair), *self._shown(pair))]
            seen += self.predictions.get((split, cut), {}).values()
            keys = [column.key for column in self.columns]
            frames = [pair.meta["frames"] for pair in pairs]
            basis = states_of([self.method.model_dump(), keys, frames], seen)
            clips.append(ClipToMeasure(split, cut, len(pairs), basis))
        return clips

    def measure(self, clip: ClipToMeasure, done: Callable[[str], None]) -> list[Pair]:
        key = (clip.split, clip.cut)
        found = []
        for pair in self.pairs[key]:
            truth, valid, _ = read_motion(pair.flows[0])
            index, frame = self.indexes[key], _first(pair)
            hidden, line = (index.file(name, frame) for name in ("occlusion_forward", "line_area"))
            predicted = self._predicted(key, pair)
            where = self.predictions[key][frame] if self.predictions else f"frame {frame}"
            require_usable(predicted, valid, where)
            figures = measure_flow(
                predicted,
                truth,
                valid,
                None if hidden is None else files.read_inverted_mask(hidden),
                None if line is None else files.read_inverted_mask(line),
            )
            counts = {"pixels": valid.size, "valid": int(valid.sum())}
            found.append(Pair(frames=pair.meta["frames"], figures=figures, counts=counts))
            done(clip.cut)
        return found

    def draw(self, clip: ClipToMeasure, frames: tuple[int | str, ...]) -> list[Panel]:
        return []

    def remarks(self, counts: Mapping[str, int]) -> list[str]:
        known = summed(counts, "valid", "pixels")
        remarks = [f"{100 - known:.3g}% of the pixels have no known motion and were left out."] if known < 100 else []
        if self.left_out:
            remarks.append(f"{len(self.left_out)} pairs were left out: {self.left_out[0]}.")
        return remarks

    def _shown(self, pair: SampleFiles) -> tuple[Path, ...]:
        return pair.images[self.options.pictures]

    def _predicted(self, key: tuple[str, str], pair: SampleFiles) -> Flow:
        if not isinstance(self.source, FlowMethod):
            return read_prediction(self.predictions[key][_first(pair)])
        first, second = read_pictures(self._shown(pair))
        return np.ascontiguousarray(self.source.estimate(first, second), np.float32)


def open_evaluation(options: EvaluationOptions) -> FlowEvaluation:
    """Open the evaluation of flow.

    Raises:
        UsageError: There is no such method, dataset or split, or a library is missing.
    """
    if (options.method is None) == (options.predictions is None):
        raise UsageError("a method or predictions are measured", remedy="give --method NAME or --predictions FOLDER")
    source: FlowMethod | Path
    if options.predictions is not None:
        source = options.predictions
    else:
        assert options.method is not None
        source = open_method(
            MethodChoice(options.method, options.checkpoint, options.random_weights, options.device, options.trained_on)
        )
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
        raise UsageError(f"has no pair of frames with flow{what}", options.dataset)
    return FlowEvaluation(options, source, indexes, pairs, left_out)


def _first(pair: SampleFiles) -> int:
    return int(pair.meta["frames"][0])


def _stem(pair: SampleFiles, options: EvaluationOptions) -> str:
    return pair.images[options.pictures][0].stem


def _labels(index: ClipIndex, pair: SampleFiles) -> list[Path]:
    """The files of the labels of a pair."""
    flow = pair.flows[0]
    others = [index.file(name, _first(pair)) for name in ("occlusion_forward", "line_area")]
    return [flow.flow, *([] if flow.valid is None else [flow.valid.path]), *filter(None, others)]
