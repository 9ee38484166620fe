from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError

from animerun_gen.benchmark.results import Averages, Clip, Column, Figure, Pair, read_result, summed, write_result
from animerun_gen.errors import DatasetError, UsageError
from tests.benchmark.made import COLUMNS, make_result


def test_averages_are_what_they_are_called() -> None:
    random = np.random.default_rng(0)
    samples = [random.random(size) for size in (3, 1, 0, 7)]
    pairs = [
        Pair(frames=(n,), figures={"epe": Figure.mean(values.sum(), values.size)}) for n, values in enumerate(samples)
    ]
    averages = Averages.of(pairs, COLUMNS[:1])
    everything = np.concatenate(samples)
    assert averages.figure("epe", "pooled") == pytest.approx(everything.mean())
    assert averages.pooled["epe"].weight == everything.size
    # a pair that has no figure is no pair of it
    assert averages.figure("epe", "mean_of_pairs") == pytest.approx(np.mean([s.mean() for s in samples if s.size]))
    assert averages.mean_of_pairs["epe"].weight == 3


def test_nothing_has_no_average() -> None:
    averages = Averages.of([Pair(frames=(1,), figures={"epe": Figure.mean(0, 0)})], COLUMNS)
    assert averages.figure("epe", "pooled") is None
    assert averages.figure("acc", "mean_of_pairs") is None


def test_the_order_of_pairs_does_not_matter() -> None:
    random = np.random.default_rng(1)
    pairs = [
        Pair(frames=(n,), figures={"epe": Figure.mean(float(value), 7)}, counts={"pixels": 7})
        for n, value in enumerate(10.0 ** random.integers(-8, 8, 200) * random.random(200))
    ]
    assert Averages.of(pairs, COLUMNS) == Averages.of(pairs[::-1], COLUMNS)
    assert Averages.of(pairs, COLUMNS).counts == {"pixels": 1400}


def test_a_result_is_read_as_it_was_written(tmp_path: Path) -> None:
    result = make_result("mine", {"test/a": [1.0, 2.5], "test/b": [0.1]})
    path = write_result(tmp_path, result)
    content = path.read_bytes()
    assert read_result(tmp_path) == read_result(path) == result
    write_result(tmp_path, read_result(path))
    assert path.read_bytes() == content


def test_what_is_no_number_is_no_figure() -> None:
    for value in (math.nan, math.inf):
        with pytest.raises(ValidationError):
            Figure.mean(value, 1)


@pytest.mark.parametrize("content", ["{}", '{"format": 2}', "[1, 2]"])
def test_other_files_are_no_results(tmp_path: Path, content: str) -> None:
    (tmp_path / "result.json").write_text(content)
    with pytest.raises(UsageError, match="is no result of this program"):
        read_result(tmp_path)


def test_a_damaged_file_is_no_result(tmp_path: Path) -> None:
    (tmp_path / "result.json").write_text('{"format": 1')
    with pytest.raises(DatasetError, match="is not valid JSON"):
        read_result(tmp_path)


def test_a_folder_without_a_result_is_none(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is no result; give the folder"):
        read_result(tmp_path)


def test_a_share_of_nothing_is_nothing() -> None:
    assert summed({"part": 1, "whole": 4}, "part", "whole") == 25
    assert summed({}, "part", "whole") == 0


def test_a_clip_is_named_with_its_split() -> None:
    column = Column(key="epe", title="EPE", unit="px", better="lower", meaning="")
    assert Clip.of("test", "fight", [], [column]).name == "test/fight"
