"""Cuts are removed, renamed and merged, and datasets compared: killed at any moment, the same command goes on."""

from __future__ import annotations

import itertools
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from animerun_gen.cli import main
from animerun_gen.dataset import Dataset, layout
from animerun_gen.dataset.files import read_json
from animerun_gen.errors import BusyError, NoDatasetError, UsageError
from animerun_gen.pipeline.keeping.compare import compare_datasets, describe_comparison, first_difference
from animerun_gen.pipeline.keeping.merge import merge_datasets
from animerun_gen.pipeline.keeping.remove import remove_cuts
from animerun_gen.pipeline.keeping.rename import rename_cut, renaming_file
from animerun_gen.pipeline.options import Options
from animerun_gen.pipeline.run import generate
from animerun_gen.pipeline.state.lock import exclusive
from animerun_gen.pipeline.state.status import describe_status, read_status
from animerun_gen.verify.run import verify
from tests.pipeline.datasets import contents, make, make_cut
from tests.pipeline.fake_engine import FakeEngine
from tests.pipeline.test_camera_cuts import FilmingEngine

EXTENT: dict[str, Any] = {"frames": {"first": 1, "last": 3}, "motion": {"gaps": [1, 2], "tracks": 3}}
PASSES = {**EXTENT, "recolor": {"passes": 1}}


class Killed(BaseException):
    """The process is gone: nothing catches it."""


@contextmanager
def killed_after(steps: int, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let the process die at the n-th change of a folder."""
    counter = itertools.count()

    def dying(change: Callable[..., Any]) -> Callable[..., Any]:
        def changed(*arguments: Any, **options: Any) -> Any:
            if next(counter) >= steps:
                raise Killed
            return change(*arguments, **options)

        return changed

    with monkeypatch.context() as patch:
        for name in ("rename", "replace", "unlink", "rmdir", "mkdir"):
            patch.setattr(os, name, dying(getattr(os, name)))
        yield


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a dataset of two cuts, each alone, and of the first under another name."""
    folder = tmp_path_factory.mktemp("pair")
    first, second = make_cut(folder, {"name": "first", **PASSES}), make_cut(folder, {"name": "second", **EXTENT})
    make([first, second], folder / "both", FakeEngine())
    make([first], folder / "first", FakeEngine())
    make([second], folder / "second", FakeEngine())
    make([make_cut(folder, {"name": "other", **PASSES}), second], folder / "renamed", FakeEngine())
    return folder


@pytest.fixture
def both(pair: Path, tmp_path: Path) -> Path:
    """A copy of the dataset of both cuts."""
    return Path(shutil.copytree(pair / "both", tmp_path / "both"))


def visible(root: Path) -> dict[str, bytes]:
    """Everything but what the hidden folder has."""
    return {name: content for name, content in contents(root).items() if not name.startswith(".animerun-gen")}


def sound(root: Path) -> bool:
    return not any(report.defects for report in verify(root)) and read_status(root).complete


def until_it_ends(call: Callable[[], object], monkeypatch: pytest.MonkeyPatch, stride: int) -> int:
    """Kill a call after ever more steps until it comes to its end; how often it was killed."""
    for kills in itertools.count():
        try:
            with killed_after(kills * stride, monkeypatch):
                call()
        except Killed:
            continue
        return kills
    raise AssertionError


def test_a_removed_cut_leaves_no_trace(pair: Path, both: Path) -> None:
    assert (both / "splits" / "train.txt").read_text() == "first\nsecond\n"
    [said] = remove_cuts(both, ["first"])
    assert said.startswith("removed cut 'first': ")
    assert contents(both) == contents(pair / "second")
    assert (both / "splits" / "train.txt").read_text() == "second\n"
    remove_cuts(both, ["second"])
    assert visible(both) == {}
    assert not (both / "train").exists()


def test_a_removal_that_is_killed_goes_on(pair: Path, both: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []

    def remove() -> None:
        seen.append([cut.state for cut in read_status(both).cuts if cut.cut == "first"])
        remove_cuts(both, ["first"])

    assert until_it_ends(remove, monkeypatch, 3) > 5
    # it was never whole and half gone at once
    assert seen[0] == ["complete"]
    assert all(states in (["complete"], ["incomplete"], []) for states in seen)
    assert contents(both) == contents(pair / "second")


def test_a_cut_that_is_not_there_is_said_and_nothing_removed(both: Path) -> None:
    before = contents(both)
    with pytest.raises(NoDatasetError, match="has no cut 'third'; the cuts there are: first, second"):
        remove_cuts(both, ["first", "third"])
    assert contents(both) == before
    with pytest.raises(NoDatasetError, match="is not a folder"):
        remove_cuts(both / "nowhere", ["first"])


def test_a_renamed_cut_is_what_it_would_always_have_been(pair: Path, both: Path) -> None:
    assert main(["cut", "rename", str(both), "first", "other"]) == 0
    assert contents(both) == contents(pair / "renamed")
    assert sound(both)
    [summary] = make(make_cut(pair, {"name": "other", **PASSES}), both, FakeEngine())
    assert not summary.rendered
    assert not summary.labelled
    assert not summary.redone


def test_a_renaming_that_is_killed_goes_on_by_itself_or_in_the_next_run(
    pair: Path, both: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert until_it_ends(lambda: rename_cut(both, "first", "other"), monkeypatch, 2) > 5
    assert not renaming_file(both).exists()
    renamed = visible(both)
    assert not any("first" in name for name in renamed)
    expected = visible(pair / "renamed")
    expected = {name: data for name, data in expected.items() if "recolor/" not in name and "color_1" not in name}
    assert {name: renamed[name] for name in renamed if "manifest" not in name} == {
        name: expected[name] for name in expected if "manifest" not in name
    }
    # whoever opens the dataset next makes what is designed by the name
    make(make_cut(pair, {"name": "other", **PASSES}), both, None, render=False)
    assert contents(both) == contents(pair / "renamed")


@pytest.mark.parametrize("steps", [5, 9, 14])
def test_the_next_run_finishes_a_renaming(pair: Path, both: Path, monkeypatch: pytest.MonkeyPatch, steps: int) -> None:
    with pytest.raises(Killed), killed_after(steps, monkeypatch):
        rename_cut(both, "first", "other")
    assert renaming_file(both).exists()
    engine = FakeEngine()
    make(make_cut(pair, {"name": "other", **PASSES}), both, engine)
    assert engine.jobs == []
    assert contents(both) == contents(pair / "renamed")


def test_names_that_cannot_be_are_sentences(both: Path) -> None:
    before = contents(both)
    for new, words in {
        "second": "has a cut 'second' already",
        "Second": "has a cut 'second' already",
        "first": "has that name already",
        "../x": "cannot be the name of a cut",
        "": "cannot be the name of a cut",
    }.items():
        with pytest.raises(UsageError, match=words):
            rename_cut(both, "first", new)
    assert main(["cut", "rename", str(both), "first"]) == 2
    assert contents(both) == before


def test_a_cut_may_be_called_like_a_folder_of_the_dataset(pair: Path, both: Path) -> None:
    for name in ("Flow", "train"):
        old = "first" if name == "Flow" else "Flow"
        assert main(["cut", "rename", str(both), old, name]) == 0
        assert sound(both)
    assert main(["cut", "rename", str(both), "train", "other"]) == 0
    assert contents(both) == contents(pair / "renamed")


def test_merged_datasets_are_those_made_together(pair: Path, tmp_path: Path) -> None:
    target = tmp_path / "all"
    merged = merge_datasets([pair / "first", pair / "second"], target)
    assert merged.damaged == []
    assert contents(target) == contents(pair / "both")
    assert sound(target)
    again = merge_datasets([pair / "first", pair / "second", pair / "both"], target)
    assert again.said == ["4 cuts were there already, alike to the byte"]
    engine = FakeEngine()
    make([make_cut(pair, {"name": "first", **PASSES})], target, engine)
    assert engine.jobs == []


def test_a_merge_that_is_killed_goes_on(pair: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "all"
    kills = until_it_ends(lambda: merge_datasets([pair / "first", pair / "second"], target), monkeypatch, 9)
    assert kills > 5
    assert contents(target) == contents(pair / "both")
    assert sound(target)


def test_what_is_known_of_a_split_cut_comes_along(tmp_path: Path) -> None:
    engine = FilmingEngine()
    config = make_cut(tmp_path, {"name": "film", "camera_cuts": "split", "frames": {"first": 1, "last": 9}})
    make([config], tmp_path / "one", engine)
    assert engine.asked == ["film"]
    merge_datasets([tmp_path / "one"], tmp_path / "all")
    assert (
        contents(tmp_path / "all")[".animerun-gen/cuts/film.json"]
        == (contents(tmp_path / "one")[".animerun-gen/cuts/film.json"])
    )
    # so neither Blender nor the film is needed to go on with it
    summaries = generate([config], Options(tmp_path / "all", None, render=False))
    assert [summary.config.name for summary in summaries] == ["film-1", "film-3"]
    assert not any(summary.failures or summary.labelled for summary in summaries)
    make([config], tmp_path / "all", engine)
    assert engine.asked == ["film"]
    assert sound(tmp_path / "all")


def test_cuts_of_one_name_must_be_alike(pair: Path, both: Path) -> None:
    path = Dataset(both).clip("first").path("contour", 2)
    path.write_bytes(path.read_bytes() + b"x")
    before = contents(both)
    with pytest.raises(UsageError, match=r"cuts of one name differ: 'first' of .* and of .*; nothing was copied"):
        merge_datasets([pair / "first"], both)
    assert contents(both) == before


def test_what_was_damaged_before_is_said(pair: Path, both: Path, tmp_path: Path) -> None:
    path = Dataset(both).clip("first").path("contour", 2)
    path.write_bytes(path.read_bytes()[:-1])
    name = path.relative_to(both).as_posix()
    merged = merge_datasets([both], tmp_path / "all")
    assert merged.damaged == [name]
    assert "1 file changed since they were made" in merged.said[-1]
    # it does not become the truth
    assert {defect.file for report in verify(tmp_path / "all") for defect in report.defects} == {name}


def test_who_writes_to_a_dataset_is_waited_for(pair: Path, both: Path, tmp_path: Path) -> None:
    with exclusive(both):
        for call in (
            lambda: remove_cuts(both, ["first"]),
            lambda: rename_cut(both, "first", "other"),
            lambda: merge_datasets([pair / "second"], both),
            lambda: merge_datasets([both], tmp_path / "all"),
        ):
            with pytest.raises(BusyError, match="is writing to"):
                call()


def test_comparing_says_what_differs(pair: Path, both: Path) -> None:
    assert compare_datasets(pair / "both", both).alike
    assert main(["compare", str(pair / "both"), str(both)]) == 0
    path = Dataset(both).clip("second").path("flow_forward", 2)
    content = bytearray(path.read_bytes())
    content[100] ^= 1
    path.write_bytes(content)
    Dataset(both).clip("second").path("contour", 1).unlink()
    remove_cuts(both, ["first"])
    found = compare_datasets(pair / "both", both)
    assert found.only == (["first"], [])
    [cut] = found.cuts
    differing = {file.modality: (file.first_byte, file.only_in) for file in cut.differing}
    assert differing == {"flow_forward": (100, None), "contour": (None, 0)}
    said = "\n".join(describe_comparison(found, pair / "both", both))
    assert f"first: only in {pair / 'both'}" in said
    assert "flow_forward: 1 file differs; first in Flow/second/forward/" in said
    assert "at byte 100" in said
    assert main(["compare", str(pair / "both"), str(both)]) == 1
    with pytest.raises(NoDatasetError, match="has a cut 'third'"):
        compare_datasets(pair / "both", both, ["third"])


def test_comparing_names_settings_and_figures(pair: Path, tmp_path: Path) -> None:
    changed = make_cut(pair, {"name": "second", **EXTENT, "labels": {"line_distance": 2.0}, "author": "somebody"})
    make(changed, tmp_path / "out", FakeEngine())
    [cut] = compare_datasets(pair / "second", tmp_path / "out").cuts
    assert cut.settings == {"author": (None, "somebody"), "labels.line_distance": (10.0, 2.0)}
    assert {file.modality for file in cut.differing} == {"line_area"}
    assert not cut.alike


@pytest.mark.parametrize(
    ("one", "other", "place"), [(b"abc", b"abc", None), (b"abc", b"abd", 2), (b"ab", b"abc", 2), (b"", b"x", 0)]
)
def test_the_first_difference_of_files(tmp_path: Path, one: bytes, other: bytes, place: int | None) -> None:
    paths = tmp_path / "one", tmp_path / "other"
    for beginning in (b"", b"=" * (1 << 20)):
        for path, content in zip(paths, (one, other), strict=True):
            path.write_bytes(beginning + content)
        assert first_difference(*paths) == (None if place is None else place + len(beginning))


def test_status_knows_no_ghosts(both: Path) -> None:
    for split_folder in (both / "train").iterdir():
        for folder in split_folder.glob("**/first"):
            shutil.rmtree(folder)
    status = read_status(both)
    assert ([cut.cut for cut in status.cuts], status.gone) == (["second"], ["first"])
    assert status.complete
    said = "\n".join(describe_status(status, both))
    assert f"first: its folders were deleted; forget it with: animerun-gen cut remove {both} first" in said
    assert "1 of 1 cuts are complete" in said
    remove_cuts(both, ["first"])
    assert read_status(both).gone == []
    assert not layout.manifest_file(both, "first").exists()


def test_split_lists_follow_the_folders(tmp_path: Path) -> None:
    output = tmp_path / "out"
    cuts = [make_cut(tmp_path, {"name": f"c{n}", "split": split, **EXTENT}) for n, split in enumerate(("val", "test"))]
    make(cuts, output, FakeEngine())
    lists = {path.name: path.read_text() for path in (output / "splits").iterdir()}
    assert lists == {"val.txt": "c0\n", "test.txt": "c1\n"}
    assert Dataset(output).splits == ("val", "test")
    make(make_cut(tmp_path, {"name": "c0", "split": "train", **EXTENT}), output, FakeEngine())
    lists = {path.name: path.read_text() for path in (output / "splits").iterdir()}
    assert lists == {"train.txt": "c0\n", "test.txt": "c1\n"}
    assert read_json(layout.manifest_file(output, "c0"))["split"] == "train"
