from __future__ import annotations

from pathlib import Path

import pytest

from animerun_gen.benchmark.compare import compare, read_comparable
from animerun_gen.benchmark.results import Result, write_result
from animerun_gen.benchmark.tables import markdown, parts
from animerun_gen.errors import UsageError
from tests.benchmark.made import make_result

OURS = make_result("ours", {"test/a": [1.0], "test/b": [2.0], "test/c": [5.0], "test/d": [3.0]})
THEIRS = make_result("theirs", {"test/a": [4.0], "test/b": [2.5], "test/c": [1.0], "test/d": [3.0]})


def test_clips_are_better_or_worse_by_most_first() -> None:
    found = compare(OURS, THEIRS)
    assert [(clip.name, clip.gain) for clip in found.better] == [("test/a", 3.0), ("test/b", 0.5)]
    assert [(clip.name, clip.gain) for clip in found.worse] == [("test/c", -4.0)]
    assert found.sentence == ("By EPE, ours is better than theirs in 2 of 4 clips, worse in 1, and equal in 1.")


def test_a_high_figure_can_be_the_better_one() -> None:
    turned = [one.model_copy(update={"columns": one.columns[::-1]}) for one in (OURS, THEIRS)]
    found = compare(*turned)
    assert found.column.key == "acc"
    assert [clip.name for clip in found.better] == ["test/a", "test/b"]


def test_each_result_is_a_row_and_the_best_is_known() -> None:
    first, _, other, _ = parts(OURS, [THEIRS])
    assert first.title == "Pooled over all pairs, as in the paper"
    assert first.rows == [["ours", "no weights", "2.75"], ["theirs", "no weights", "2.62"]]
    assert first.best == [[], [], [1]]
    # of ACC the higher one
    assert (other.heads[2], other.best[2]) == ("ACC (%)", [1])


def test_random_weights_are_called_no_result_and_have_no_figures() -> None:
    random = make_result("net", {"test/a": [1.0]}, weights="random")
    text = markdown(random)
    assert "| net | random weights: no result | \u2013 |" in text
    assert "1.00" not in text
    assert "99.00" not in text


@pytest.mark.parametrize(
    ("other", "said"),
    [
        (make_result("x", {"test/a": [1.0]}, kind="segments"), "is a result of segments"),
        (make_result("x", {"test/a": [1.0]}, weights="random"), "'x' in .* has random weights, so there is no result"),
        (
            make_result("x", {"test/a": [1.0]}, truth="b"),
            r"on other pairs, .* \(made_up: 1 pair of test\)",
        ),
    ],
)
def test_what_cannot_be_compared_is_refused(tmp_path: Path, other: Result, said: str) -> None:
    write_result(tmp_path, other)
    with pytest.raises(UsageError, match=said):
        read_comparable(tmp_path, "flow", OURS.measured, OURS.method)


def test_random_weights_are_compared_with_nothing(tmp_path: Path) -> None:
    write_result(tmp_path, THEIRS)
    random = make_result("net", {"test/a": [1.0]}, weights="random")
    with pytest.raises(UsageError, match="this method has random weights"):
        read_comparable(tmp_path, "flow", random.measured, random.method)
