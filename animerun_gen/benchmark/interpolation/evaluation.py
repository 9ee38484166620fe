"""Measures interpolation on the triplets of a dataset."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from animerun_gen.benchmark.clips import states_of, truth_of
from animerun_gen.benchmark.evaluation import ClipToMeasure, Panel, Swatch
from animerun_gen.benchmark.interpolation.columns import Lpips, columns_of, measure_frame
from animerun_gen.benchmark.interpolation.drawing import LEGEND, draw_triplet
from animerun_gen.benchmark.interpolation.levels import LEVELS, Annotation, difficulty_of
from animerun_gen.benchmark.interpolation.methods import Interpolated, InterpolationMethod, open_method
from animerun_gen.benchmark.interpolation.metrics import SMALLEST_SIDE, Picture
from animerun_gen.benchmark.interpolation.triplets import Triplet, Triplets, find_triplets
from animerun_gen.benchmark.options import EvaluationOptions
from animerun_gen.benchmark.results import Average, Column, Figure, Measured, MethodFacts, Pair, summed
from animerun_gen.benchmark.source import chosen_source, remarks_on_left_out
from animerun_gen.dataset.files import write_image
from animerun_gen.dataset.pairs import read_picture, read_pictures
from animerun_gen.errors import DatasetError, UsageError

SUFFIXES = (".png", ".jpg", ".jpeg")
"""Of the formats that predictions are read from, in the order in which they are looked for."""

LPIPS_MODULE = "animerun_gen.benchmark.learned.lpips"

NAMED = 12
"""So many held triplets are named in a remark; ``result.json`` has all of them."""


@dataclass(frozen=True)
class InterpolationEvaluation:
    """See :class:`~animerun_gen.benchmark.evaluation.Evaluation`."""

    options: EvaluationOptions
    source: InterpolationMethod | Path
    triplets: Triplets
    lpips: Lpips | None = None

    kind = "interpolation"
    average: Average = "mean_of_pairs"
    legend: Sequence[Swatch] = LEGEND

    @cached_property
    def columns(self) -> Sequence[Column]:
        return columns_of(annotated=self.triplets.annotated, with_lpips=self.options.lpips is not None)

    @cached_property
    def measured(self) -> Measured:
        groups = self.triplets.groups
        truth = truth_of(
            ((*key, *triplet.frames, int(self.options.without_held)), _truth(triplet))
            for key, triplets in groups.items()
            for triplet in triplets
        )
        return Measured(
            name=self.options.dataset.resolve().name,
            splits=tuple(dict.fromkeys(split for split, _ in groups)),
            pictures=self.options.pictures,
            truth=truth,
        )

    @cached_property
    def method(self) -> MethodFacts:
        if isinstance(self.source, Path):
            facts = MethodFacts(name="predictions", title=self.source.resolve().name, weights="unknown")
        else:
            facts = self.source.facts
        return facts.called(self.options.name, self.options.trained_on)

    def clips(self) -> list[ClipToMeasure]:
        clips = []
        for (split, cut), triplets in self.triplets.groups.items():
            decided = [
                # what it is called does not change what it makes
                self.method.model_dump(exclude={"title", "trained_on"}),
                [column.key for column in self.columns],
                [triplet.frames for triplet in triplets],
                self.options.without_held,
            ]
            try:
                basis = states_of(decided, [path for triplet in triplets for path in self._files(triplet)])
            except DatasetError:
                # said when it is measured, beside what is wrong with other clips
                basis = ""
            unsaved = any(not path.is_file() for triplet in triplets for path in self._saved(triplet))
            clips.append(ClipToMeasure(split, cut, len(triplets), basis, again=unsaved))
        return clips

    def measure(self, clip: ClipToMeasure, done: Callable[[str], None]) -> list[Pair]:
        found = []
        for triplet in self.triplets.groups[clip.split, clip.cut]:
            first, truth, last = read_pictures(triplet.pictures)
            if min(truth.shape[:2]) < SMALLEST_SIDE:
                raise DatasetError(
                    f"is smaller than {SMALLEST_SIDE} pixels", triplet.pictures[1], "measure larger frames"
                )
            held = is_held(first, truth, last)
            made = self._predicted(triplet, first, truth, last)
            for path in self._saved(triplet):
                write_image(path, made.picture)
            counts = {"triplets": 1, "held": int(held), "pixels": truth[..., 0].size, "filled": made.filled}
            figures = {} if held and self.options.without_held else self._figures(triplet, made.picture, truth, counts)
            keys = [column.key for column in self.columns]
            complete = {key: figures.get(key, Figure.mean(0, 0)) for key in keys}
            found.append(Pair(frames=triplet.frames, figures=complete, counts=counts))
            done(f"{clip.cut} {triplet.name}")
        return found

    def draw(self, clip: ClipToMeasure, frames: tuple[int | str, ...]) -> list[Panel]:
        triplets = self.triplets.groups[clip.split, clip.cut]
        triplet = next(triplet for triplet in triplets if tuple(triplet.frames) == tuple(frames))
        first, truth, last = read_pictures(triplet.pictures)
        return draw_triplet(first, truth, last, self._predicted(triplet, first, truth, last).picture)

    def remarks(self, counts: Mapping[str, int]) -> list[str]:
        total, held = counts.get("triplets", 0), counts.get("held", 0)
        levels = {level: counts.get(level, 0) for level in LEVELS}
        unknown = total - sum(levels.values()) - (held if self.options.without_held else 0)
        said = [f"{count:,} {level}" for level, count in levels.items()]
        said += [f"{unknown:,} of which nothing says"] if unknown else []
        remarks = [f"Difficulty of the triplets: {', '.join(said)}."]
        if held:
            what = "They are left out" if self.options.without_held else "They count; --without-held leaves them out"
            remarks.append(
                f"Held triplets, whose middle frame repeats a neighbour: {held:,} of {total:,}. {what}:"
                f" {self._held_ones()}."
            )
        if counts.get("filled"):
            share = summed(counts, "filled", "pixels")
            remarks.append(f"{share:.3g}% of the pixels came from nowhere: the mean of both frames stands there.")
        return [*remarks, *remarks_on_left_out(self.triplets.left_out, "triplet")]

    def _figures(
        self, triplet: Triplet, prediction: Picture, truth: Picture, counts: dict[str, int]
    ) -> dict[str, Figure]:
        if triplet.annotation is not None:
            annotation = Annotation.read(triplet.annotation)
            level = LEVELS[annotation.level]
            region = annotation.region(*truth.shape[:2])
            counts[level] = 1
            return measure_frame(prediction, truth, level=level, region=region, lpips=self.lpips)
        difficulty = difficulty_of(triplet)
        if difficulty is None:
            return measure_frame(prediction, truth, lpips=self.lpips)
        counts[difficulty.level] = 1
        return measure_frame(prediction, truth, level=difficulty.level, hidden=difficulty.hidden, lpips=self.lpips)

    def _predicted(self, triplet: Triplet, first: Picture, truth: Picture, last: Picture) -> Interpolated:
        if isinstance(self.source, Path):
            path = _find_prediction(self.source, triplet)
            picture = read_picture(path)
            if picture.shape != truth.shape:
                shapes = [f"{shape[1]} x {shape[0]}" for shape in (picture.shape, truth.shape)]
                raise DatasetError(
                    f"is a prediction of {shapes[0]} pixels, but the frames have {shapes[1]}",
                    path,
                    "make it for frames of full size",
                )
            return Interpolated(picture)
        return self.source.interpolate(triplet, first, last)

    def _saved(self, triplet: Triplet) -> list[Path]:
        """Where the prediction of a triplet is kept; nothing where it is not."""
        folder = self.options.save
        return [] if folder is None else [folder / f"{triplet.predictions[0]}{SUFFIXES[0]}"]

    def _files(self, triplet: Triplet) -> list[Path]:
        """All files that the figures of a triplet depend on."""
        seen = list(triplet.pictures)
        if triplet.annotation is not None:
            seen.append(triplet.annotation)
        if triplet.labels is not None:
            first, middle, last = triplet.numbers
            wanted = [(f"{name}_{way}", middle) for name in _LABELS for way in ("forward", "backward")]
            wanted += [("flow_forward_gap2", first), ("flow_backward_gap2", last)]
            wanted += [(name, frame) for name in ("depth", "correspondence") for frame in (first, last)]
            seen += filter(None, (triplet.labels.file(*one) for one in wanted))
        if isinstance(self.source, Path):
            seen.append(_find_prediction(self.source, triplet))
        return seen

    def _held_ones(self) -> str:
        names = []
        for (_, cut), triplets in self.triplets.groups.items():
            for triplet in triplets:
                if is_held(*read_pictures(triplet.pictures)):
                    names.append(triplet.name if triplet.labels is None else f"{cut} {triplet.name}")
                if len(names) > NAMED:
                    return ", ".join(names[:NAMED]) + " and others (counts in result.json)"
        return ", ".join(names)


_LABELS = ("flow", "valid", "occlusion", "exact_occlusion")


def _truth(triplet: Triplet) -> dict[str, Path]:
    """The pictures of a triplet, and what says how difficult it is, by what they are."""
    truth = dict(zip(("first", "middle", "last"), triplet.pictures, strict=True))
    if triplet.annotation is not None:
        truth["annotation"] = triplet.annotation
    if triplet.labels is not None:
        for name in (f"{what}_{way}" for what in ("flow", "valid", "occlusion") for way in ("forward", "backward")):
            if (path := triplet.labels.file(name, triplet.numbers[1])) is not None:
                truth[name] = path
    return truth


def is_held(first: Picture, middle: Picture, last: Picture) -> bool:
    """Whether the middle frame repeats one of its neighbours, as in animation on twos: then there is nothing to make.

    Example:
        >>> frames = [np.full((1, 1, 3), level, np.uint8) for level in (1, 1, 2)]
        >>> is_held(*frames), is_held(frames[0], frames[2], frames[1])
        (True, False)
    """
    return np.array_equal(first, middle) or np.array_equal(middle, last)


def _find_prediction(root: Path, triplet: Triplet) -> Path:
    for place in triplet.predictions:
        for suffix in SUFFIXES:
            if (path := root / f"{place}{suffix}").is_file():
                return path
    wanted = f"{triplet.predictions[0]}{SUFFIXES[0]}"
    others = " or ".join(triplet.predictions[1:])
    raise DatasetError(f"has no prediction {wanted}", root, f"it may also lie at {others}")


def open_evaluation(options: EvaluationOptions) -> InterpolationEvaluation:
    """Open the evaluation of interpolation.

    Raises:
        UsageError: There is no such method, dataset or split, it lacks what the method needs, or a library is missing.
    """
    triplets = find_triplets(options)
    source = chosen_source(options, open_method)
    if not isinstance(source, Path):
        _require_all(source, triplets)
    lpips: Lpips | None = None
    if options.lpips is not None:
        # torch is an optional package
        lpips = importlib.import_module(LPIPS_MODULE).open_lpips(options.lpips, options.device)
    return InterpolationEvaluation(options, source, triplets, lpips)


def _require_all(method: InterpolationMethod, triplets: Triplets) -> None:
    for (_, cut), group in triplets.groups.items():
        for triplet in group:
            if lacking := method.lacks(triplet):
                raise UsageError(
                    f"'{method.facts.name}' cannot be measured: {triplet.name} has {lacking}",
                    f"cut '{cut}'",
                    "leave the cut out with --cut, or take another method",
                )
