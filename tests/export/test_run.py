"""An export can be stopped and continued, follows the dataset, and never touches what is not its own."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from animerun_gen.dataset import read_flow
from animerun_gen.errors import DatasetError, UsageError
from animerun_gen.export import folder
from animerun_gen.export.layouts import LAYOUTS
from animerun_gen.export.run import export
from tests.export.clips import FRAMES, write_clip


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    write_clip(tmp_path / "data")
    write_clip(tmp_path / "data", "train", "twin")
    return tmp_path / "data"


def contents(root: Path) -> dict[str, bytes]:
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def without_h5py(layout: str) -> None:
    if layout == "spring":
        pytest.importorskip("h5py")


@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_same_dataset_becomes_the_same_bytes_and_a_second_run_does_nothing(
    layout: str, dataset: Path, tmp_path: Path
) -> None:
    without_h5py(layout)
    first = export(dataset, layout, tmp_path / "a")
    export(dataset, layout, tmp_path / "b")
    made = contents(tmp_path / "a")
    assert made == contents(tmp_path / "b")
    times = {path: path.stat().st_mtime_ns for path in (tmp_path / "a").rglob("*")}
    again = export(dataset, layout, tmp_path / "a")
    assert (first.made, again.made) == (["train/square", "train/twin"], [])
    assert again.counts == first.counts
    assert times == {path: path.stat().st_mtime_ns for path in (tmp_path / "a").rglob("*")}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_killed_run_is_continued(layout: str, dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    without_h5py(layout)
    export(dataset, layout, tmp_path / "whole")

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        # in the middle of the second cut
        patched.setattr(folder.ExportFolder, "finish", _until_the_second(folder.ExportFolder.finish, killed))
        with pytest.raises(KeyboardInterrupt):
            export(dataset, layout, tmp_path / "out")
    done = export(dataset, layout, tmp_path / "out")
    assert done.made == ["train/twin"]
    assert contents(tmp_path / "out") == contents(tmp_path / "whole")


def _until_the_second(finish: Callable[..., None], then: Callable[..., None]) -> Callable[..., None]:
    calls = []

    def counted(*arguments: object) -> None:
        calls.append(arguments)
        (finish if len(calls) < 2 else then)(*arguments)

    return counted


@pytest.mark.parametrize("layout", ["sintel", "kitti", "tapvid"])
def test_what_changed_in_the_dataset_is_made_again(layout: str, dataset: Path, tmp_path: Path) -> None:
    export(dataset, layout, tmp_path / "out")
    clip = write_clip(tmp_path / "other")
    picture = clip.read("frame", FRAMES[0])
    picture[5, 0] = 99
    changed = dataset / "train" / "Frame_Anime" / "square" / "original" / f"{FRAMES[0]:04d}.png"
    clip.write("frame", FRAMES[0], picture)
    os.replace(clip.path("frame", FRAMES[0]), changed)
    done = export(dataset, layout, tmp_path / "out")
    assert "train/square" in done.made
    export(dataset, layout, tmp_path / "fresh")
    assert contents(tmp_path / "out") == contents(tmp_path / "fresh")


@pytest.mark.parametrize("layout", ["sintel", "kitti", "tapvid", "cotracker"])
def test_it_holds_the_cuts_that_were_asked_for(layout: str, dataset: Path, tmp_path: Path) -> None:
    export(dataset, layout, tmp_path / "out")
    export(dataset, layout, tmp_path / "out", cuts=["twin"])
    export(dataset, layout, tmp_path / "fresh", cuts=["twin"])
    assert contents(tmp_path / "out") == contents(tmp_path / "fresh")


def test_a_folder_of_somebody_else_is_left_alone(dataset: Path, tmp_path: Path) -> None:
    foreign = tmp_path / "thesis"
    foreign.mkdir()
    (foreign / "thesis.tex").write_text("years of work")
    with pytest.raises(UsageError, match="holds files that no export has put there") as error:
        export(dataset, "sintel", foreign)
    assert "choose another folder with --out" in str(error.value)
    with pytest.raises(UsageError):
        export(dataset, "sintel", dataset)
    assert contents(foreign) == {"thesis.tex": b"years of work"}


def test_another_layout_is_not_written_over(dataset: Path, tmp_path: Path) -> None:
    export(dataset, "sintel", tmp_path / "out")
    with pytest.raises(UsageError, match="holds an export to the layout sintel"):
        export(dataset, "kitti", tmp_path / "out")
    with pytest.raises(UsageError, match="'frame', not to sintel with 'flat'"):
        export(dataset, "sintel", tmp_path / "out", pictures="flat")


def test_links_are_names_of_the_datasets_own_files(dataset: Path, tmp_path: Path) -> None:
    done = export(dataset, "sintel", tmp_path / "out", link=True)
    first = dataset / "train" / "Frame_Anime" / "square" / "original" / f"{FRAMES[0]:04d}.png"
    training = tmp_path / "out" / "Sintel" / "training"
    assert (training / "clean" / "square" / "frame_0001.png").samefile(first)
    # the first flow holds a number where nothing is known: it cannot be the dataset's file
    own = sorted((dataset / "train" / "Flow" / "square" / "forward").iterdir())
    assert not (training / "flow" / "square" / "frame_0001.flo").samefile(own[0])
    assert (training / "flow" / "square" / "frame_0002.flo").samefile(own[1])
    assert done.counts["copied_files"] == 0
    assert np.isfinite(read_flow(own[0])).all()


def test_where_the_disk_has_no_links_files_are_copied(
    dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(18, "Invalid cross-device link")

    monkeypatch.setattr(os, "link", refuse)
    done = export(dataset, "sintel", tmp_path / "out", link=True)
    assert done.counts["linked_files"] == 0
    assert done.counts["copied_files"] > 0


def test_a_damaged_cut_is_told_and_leaves_nothing_behind(dataset: Path, tmp_path: Path) -> None:
    damaged = sorted((dataset / "train" / "Flow" / "square" / "forward").iterdir())[1]
    damaged.write_bytes(b"PIEH")
    done = export(dataset, "sintel", tmp_path / "out")
    assert done.made == ["train/twin"]
    [sentence] = done.failures
    assert sentence.startswith("cut 'square': train/Flow/square/forward/")
    assert not list((tmp_path / "out").rglob("square"))
    assert list(json.loads((tmp_path / "out" / "export.json").read_text())["clips"]) == ["train/twin"]
    with pytest.raises(DatasetError):
        export(dataset, "kitti", tmp_path / "kitti")
    assert list(contents(tmp_path / "kitti")) == ["export.json"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"layout": "davis"}, "there is no layout 'davis'; choose one of sintel, spring"),
        ({"cuts": ["nobody"]}, "has no cut 'nobody'"),
        ({"splits": ["val"]}, "has no split 'val'"),
        ({"pictures": "flow_forward"}, "there are no pictures 'flow_forward'"),
        ({"pictures": "color_1"}, "cut 'square': has no train/Frame_Anime/square/color_1/0008.png"),
    ],
)
def test_what_is_said_of_what_cannot_be(change: dict[str, object], said: str, dataset: Path, tmp_path: Path) -> None:
    options: dict[str, object] = {"layout": "sintel", **change}
    with pytest.raises(UsageError) as error:
        export(dataset, output=tmp_path / "out", **options)  # type: ignore[arg-type]
    assert said in str(error.value)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("layout", "gone", "said"),
    [
        ("paintbucket", "ObjectId", "add ids to motion.extras"),
        ("tapvid", "Tracks", "set motion.tracks"),
        ("cotracker", "Tracks", "set motion.tracks"),
        ("pointodyssey", "Tracks", "set motion.tracks"),
    ],
)
def test_what_a_layout_lacks_is_said(layout: str, gone: str, said: str, dataset: Path, tmp_path: Path) -> None:
    (dataset / "train" / gone).rename(tmp_path / gone)
    with pytest.raises(UsageError, match=said):
        export(dataset, layout, tmp_path / "out")
