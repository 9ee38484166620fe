"""Figures of segment matching against slow references, and matchers on frames whose matches are known."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from animerun_gen.benchmark.options import EvaluationOptions
from animerun_gen.benchmark.results import Averages, Pair
from animerun_gen.benchmark.run import evaluate
from animerun_gen.benchmark.segments.evaluation import FALSE, MISSED, RIGHT, WRONG, open_evaluation, outcome, paint
from animerun_gen.benchmark.segments.methods import PLAIN, SegmentPair, open_method, votes_of_flow
from animerun_gen.benchmark.segments.metrics import AREA_BOUNDS, COLUMNS, measure_segments
from animerun_gen.benchmark.segments.predictions import find_predictions, read_prediction, write_prediction
from animerun_gen.benchmark.segments.regions import regions_of
from animerun_gen.benchmark.source import MethodChoice
from animerun_gen.dataset import ClipWriter
from animerun_gen.errors import DatasetError, UsageError


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=30, deadline=None)
def test_regions_are_those_of_each_segment_for_itself(seed: int) -> None:
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 6, rng.integers(1, 9, 2)).astype(np.int32)
    regions = regions_of(labels, 7)
    for segment in range(7):
        rows, columns = np.nonzero(labels == segment)
        assert regions.areas[segment] == len(rows)
        if len(rows):
            box = [columns.min(), columns.max(), rows.min(), rows.max()]
            assert regions.boxes[segment].tolist() == box
            np.testing.assert_allclose(regions.centres[segment], [columns.mean(), rows.mean()])
        else:
            assert np.isnan(regions.centres[segment]).all()


def test_regions_refuse_numbers_that_cannot_be() -> None:
    with pytest.raises(ValueError, match="expected 0 to 1"):
        regions_of(np.array([[0, 2]]), 2)
    with pytest.raises(ValueError, match="from -1"):
        regions_of(np.array([[0, -1]]))


def slow_figures(predicted: list[int], matches: list[list[int]], areas: list[int], targets: int) -> dict[str, Any]:
    """The columns by their definitions, one segment after the other."""
    found: dict[str, list[tuple[float, int]]] = {column.key: [] for column in COLUMNS}
    for one, truth, area in zip(predicted, matches, areas, strict=True):
        right = int(one == truth[0])
        found["acc"].append((right, 1))
        found["acc_occluded" if truth == [-1] else "acc_visible"].append((right, 1))
        if targets >= 302:
            found["acc_many"].append((right, 1))
        found["acc_any"].append((int(one in truth), 1))
        found["acc_pixels"].append((right, area))
        if one == -1:
            found["occluded_right"].append((right, 1))
        found[f"area_{sum(area >= bound for bound in AREA_BOUNDS)}"].append((right, 1))
    return {
        key: 100 * sum(right * weight for right, weight in of) / sum(weight for _, weight in of) if of else None
        for key, of in found.items()
    }


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=60, deadline=None)
def test_figures_are_their_definitions(seed: int) -> None:
    rng = np.random.default_rng(seed)
    count, targets = int(rng.integers(1, 30)), int(rng.choice([3, 300, 301, 302]))
    matches = [
        [-1] if rng.random() < 0.2 else rng.permutation(min(targets, 9))[: rng.integers(1, 4)].tolist()
        for _ in range(count)
    ]
    guesses = [rng.choice([*truth, -1, int(rng.integers(targets))]) for truth in matches]
    predicted = [int(guess) for guess in guesses]
    areas = rng.choice([1, 99, 100, 399, 400, 1600, 6399, 6400, 10**6], count).tolist()
    found = measure_segments(predicted, matches, np.array(areas), targets)
    slow = slow_figures(predicted, matches, areas, targets)
    assert found.keys() == slow.keys()
    for key, figure in found.items():
        assert figure.value == (None if slow[key] is None else pytest.approx(slow[key])), key


def test_the_mean_is_over_pairs_that_have_such_segments() -> None:
    areas = np.full(4, 9)
    pairs = [
        Pair(frames=(1, 2), figures=measure_segments([0, 1, 2, 3], [[0], [1], [2], [-1]], areas, 4)),
        Pair(frames=(2, 3), figures=measure_segments([0, 0, 0, 0], [[0], [1], [0], [0]], areas, 400)),
        Pair(frames=(3, 4), figures=measure_segments([-1, 0], [[-1], [0]], areas[:2], 4)),
    ]
    averages = Averages.of(pairs, COLUMNS)
    means = {key: averages.figure(key, "mean_of_pairs") for key in ("acc", "acc_visible", "acc_occluded", "acc_many")}
    assert means == {
        "acc": pytest.approx(250 / 3),
        "acc_visible": pytest.approx(275 / 3),
        "acc_occluded": 50.0,
        "acc_many": 75.0,
    }
    assert averages.figure("acc", "pooled") == pytest.approx(80.0)


def test_figures_refuse_lists_of_unequal_length() -> None:
    with pytest.raises(ValueError, match="2 predictions, 1 matches"):
        measure_segments([0, 1], [[0]], np.array([1]), 1)


def moved_boxes(shift: tuple[int, int] = (4, 2)) -> tuple[SegmentPair, list[int]]:
    """Four boxes of unlike colours and sizes on a background, all of them moved; the second frame numbers others."""
    frames = [np.full((60, 80, 3), 255, np.uint8) for _ in range(2)]
    labels = [np.zeros((60, 80), np.int32) for _ in range(2)]
    boxes = [(6, 8, 12, 9), (30, 10, 9, 14), (8, 50, 16, 16), (36, 48, 11, 22)]
    texture = np.random.default_rng(0).integers(-30, 30, (60, 80, 1))
    for box, (y, x, high, wide) in enumerate(boxes):
        for frame in range(2):
            top, left = y + frame * shift[1], x + frame * shift[0]
            window = np.s_[top : top + high, left : left + wide]
            frames[frame][window] = 60 + 40 * box + texture[y : y + high, x : x + wide]
            labels[frame][window] = box + 1 if frame == 0 else 4 - box
    return SegmentPair((frames[0], frames[1]), (labels[0], labels[1])), [0, 4, 3, 2, 1]


@pytest.mark.parametrize("name", [*PLAIN, "flow:dis", "flow:farneback"])
def test_methods_follow_boxes_that_move_a_little(name: str) -> None:
    pair, truth = moved_boxes()
    assert open_method(MethodChoice(name)).match(pair) == truth


def test_votes_follow_exact_flow_however_far() -> None:
    pair, truth = moved_boxes((10, 4))
    flow = np.zeros((60, 80, 2), np.float32)
    flow[pair.segments[0] > 0] = (10, 4)
    # something votes against it, and is outvoted; what is no number does not vote
    flow[pair.segments[0] == 2] *= np.where(np.arange((pair.segments[0] == 2).sum()) % 3 == 0, np.nan, 1)[:, None]
    assert votes_of_flow(flow, *pair.segments) == truth
    assert votes_of_flow(np.full_like(flow, 1000), *pair.segments) == [-1] * 5
    assert votes_of_flow(np.full_like(flow, np.nan), *pair.segments) == [-1] * 5


def test_overlap_is_intersection_over_union() -> None:
    source = np.array([[0, 0, 0, 0, 1, 1]])
    # all of the second segment lies in the first target, which is far larger than the other one
    target = np.array([[0, 0, 0, 0, 0, 1]])
    pictures = (np.zeros((1, 6, 3), np.uint8),) * 2
    assert PLAIN["overlap"][1](SegmentPair(pictures, (source, target))) == [0, 1]


def test_methods_do_not_choose_numbers_that_no_pixel_has() -> None:
    source, target = np.array([[0, 0, 2, 2]]), np.array([[1, 1, 3, 3]])
    pair = SegmentPair((np.zeros((1, 4, 3), np.uint8),) * 2, (source, target))
    for name in PLAIN:
        assert open_method(MethodChoice(name)).match(pair) == [1, -1, 3], name


def test_methods_that_cannot_be_are_refused() -> None:
    with pytest.raises(UsageError, match="choose one of nearest, overlap, color, flow:NAME, checkpoint:FILE"):
        open_method(MethodChoice("magic"))
    with pytest.raises(UsageError, match="there is no method 'magic'"):
        open_method(MethodChoice("flow:magic"))
    with pytest.raises(UsageError, match="has no weights"):
        open_method(MethodChoice("overlap", checkpoint="things"))


def test_predictions_are_read_and_checked(tmp_path: Path) -> None:
    path = tmp_path / "fight" / "0008.json"
    write_prediction(path, [1, -1, 0])
    assert read_prediction(path, 3, 2) == [1, -1, 0]
    with pytest.raises(DatasetError, match="predicts matches of 3 segments, but the source frame has 4"):
        read_prediction(path, 4, 2)
    with pytest.raises(DatasetError, match="matches segment 0 with 1, but the target frame has the segments 0 to 0"):
        read_prediction(path, 3, 1)
    # the first entry counts, as in the dataset's own files
    path.write_text(json.dumps({"0": [1, 0]}))
    assert read_prediction(path, 1, 2) == [1]
    for damaged in ("{", "[]", '{"0": []}', '{"0": 1}', '{"0": ["1"]}', '{"1": [0]}', '{"0": [-2]}', '{"0": [1.5]}'):
        path.write_text(damaged)
        with pytest.raises(DatasetError):
            read_prediction(path, 1, 2)


def test_predictions_are_found_where_people_put_them(tmp_path: Path) -> None:
    for folder, stem in (
        ("a/fight", "Image0008"),
        ("b/test/SegMatching/fight/forward", "0008"),
        ("c/fight/forward", "0008"),
    ):
        write_prediction(tmp_path / folder / f"{stem}.json", [0])
        root = tmp_path / folder.partition("/")[0]
        assert find_predictions(root, "test", "fight", {8: "Image0008"})[8].is_file()
    with pytest.raises(DatasetError, match="has no prediction Image0009"):
        find_predictions(tmp_path / "a", "test", "fight", {8: "Image0008", 9: "Image0009"})
    with pytest.raises(DatasetError, match="has no folder run"):
        find_predictions(tmp_path / "a", "test", "run", {8: "0008"})


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A cut of three frames in which boxes move; the last one is gone in the second frame."""
    writer = ClipWriter(tmp_path / "set", "test", "boxes")
    pair, truth = moved_boxes()
    for frame, (picture, segments) in enumerate(zip(pair.pictures, pair.segments, strict=True), 1):
        writer.write("frame", frame, picture)
        writer.write("contour", frame, picture[..., 0])
        writer.write("segment", frame, segments)
    writer.write("match_forward", 1, [[one] for one in truth[:-1]] + [[-1]])
    return tmp_path / "set"


def test_truth_as_prediction_is_all_right(root: Path, tmp_path: Path) -> None:
    options = EvaluationOptions(dataset=root, output=tmp_path / "out", predictions=root)
    result = evaluate(open_evaluation(options), options.output).result
    assert result is not None
    for column in COLUMNS:
        value = result.averages.figure(column.key, "mean_of_pairs")
        assert value in (100.0, None), column.key
    assert result.averages.figure("acc_occluded", "mean_of_pairs") == 100.0
    assert result.average == "mean_of_pairs"


def test_what_a_method_predicts_is_kept_and_measured_alike(root: Path, tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    options = EvaluationOptions(dataset=root, output=tmp_path / "one", method="overlap", save=kept)
    first = evaluate(open_evaluation(options), options.output).result
    again = EvaluationOptions(dataset=root, output=tmp_path / "two", predictions=kept)
    second = evaluate(open_evaluation(again), again.output).result
    assert first is not None
    assert second is not None
    assert first.averages == second.averages
    assert first.averages.figure("acc", "mean_of_pairs") == pytest.approx(80.0)


def test_pages_show_what_is_right_and_wrong(root: Path, tmp_path: Path) -> None:
    options = EvaluationOptions(dataset=root, output=tmp_path / "one", method="overlap")
    evaluation = open_evaluation(options)
    panels = evaluation.draw(evaluation.clips()[0], (1, 2))
    assert [panel.picture.shape for panel in panels] == [(60, 80, 3)] * 6
    pair, _ = moved_boxes()
    white = dataclasses.replace(pair, pictures=(np.full((60, 80, 3), 255, np.uint8),) * 2)
    shown = outcome(white, np.array([0, 1, 1, -1, 3]), np.array([0, 1, 2, 3, -1]))
    for segment, color in enumerate((RIGHT, RIGHT, WRONG, FALSE, MISSED)):
        assert (shown[pair.segments[0] == segment] == color).all()
    assert len(np.unique(paint(np.arange(300).reshape(15, 20), np.arange(300)).reshape(-1, 3), axis=0)) == 300


def test_labels_that_contradict_each_other_are_told(root: Path, tmp_path: Path) -> None:
    file = root / "test" / "SegMatching" / "boxes" / "forward" / "0001.json"
    file.write_text(json.dumps({"0": [0]}))
    options = EvaluationOptions(dataset=root, output=tmp_path / "one", method="overlap")
    done = evaluate(open_evaluation(options), options.output)
    assert done.result is None
    assert "does not fit the 5 and 5 segments" in done.failures[0]
