"""The published AnimeRun v2 with all its names is read like a dataset of ours, and nothing of it is to be deleted."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from animerun_gen.benchmark.results import read_result
from animerun_gen.cli import main
from animerun_gen.dataset import MODALITIES, Dataset, files
from animerun_gen.dataset.pairs import Wanted, chosen_clips, find_pairs, read_sample
from animerun_gen.verify.run import describe, verify
from tests.dataset.published_tree import publish
from tests.pipeline.datasets import make, make_cut
from tests.pipeline.fake_engine import FakeEngine

PREFIXES = {"square": "Image", "plain": ""}


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two cuts of ours, not to be changed."""
    folder = tmp_path_factory.mktemp("ours")
    extent = {"first": 186, "last": 190}
    make(
        [make_cut(folder, {"frames": extent}), make_cut(folder, {"name": "plain", "split": "test"})],
        folder,
        FakeEngine(),
    )
    return folder


@pytest.fixture(scope="module")
def published(ours: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same as others publish them, not to be changed."""
    return publish(ours, tmp_path_factory.mktemp("published"), PREFIXES)


@pytest.fixture
def root(published: Path, tmp_path: Path) -> Path:
    """A copy of it to be damaged."""
    return Path(shutil.copytree(published, tmp_path / "data"))


@pytest.mark.parametrize("cut", list(PREFIXES))
def test_it_is_read_like_ours(ours: Path, published: Path, cut: str) -> None:
    own, other = Dataset(ours).clip(cut), Dataset(published).clip(cut)
    assert other.split == own.split
    assert other.frame_numbers == own.frame_numbers
    for what in MODALITIES:
        frames = own.frames(what.name)
        there = [frame for frame in frames if other.has(what.name, frame)]
        if what.name == "occlusion_backward":
            assert there == list(frames[:-1])
        else:
            assert there == list(frames if what.published and (what.name, cut) != ("line_area", "square") else [])
        for frame in there:
            one, two = own.read(what.name, frame), other.read(what.name, frame)
            assert other.path(what.name, frame).stem == f"{PREFIXES[cut]}{frame:04d}"
            if what.content == "matches":
                assert one == two
            else:
                assert one.dtype == two.dtype
                assert np.array_equal(one, two)
    last = own.frame_numbers[-1]
    assert np.array_equal(other.read("color_1", last), 255 - own.read("frame", last))
    assert not other.has("color_1", own.frame_numbers[0])


@pytest.mark.parametrize(("split", "cut"), [("train", "square"), ("test", "plain")])
def test_its_pairs_are_those_of_ours(ours: Path, published: Path, split: str, cut: str) -> None:
    wanted = Wanted(pictures="frame", occlusion="paper", reverse=False)
    own, own_left = find_pairs(chosen_clips(ours, split), wanted, "both")
    other, left_out = find_pairs(chosen_clips(published, split), wanted, "both")
    assert own_left == []
    frames = Dataset(ours).clip(cut).frame_numbers
    assert left_out == [f"{cut} {frames[-1]}-{frames[-2]} has no occlusion_backward"]
    by_frames = {sample.meta["frames"]: sample for sample in own}
    assert [sample.meta["frames"] for sample in other] == list(by_frames)[:-1]
    for sample in other:
        one, two = read_sample(by_frames[sample.meta["frames"]], "frame"), read_sample(sample, "frame")
        for key in ("images", "flows", "valids", "occs"):
            for left, right in zip(one[key], two[key], strict=True):
                assert (left.dtype, left.shape) == (right.dtype, right.shape)
                # without masks of its own, what the flow marks is what is unknown: the same, as ours writes it
                assert np.array_equal(left, right)
    colored, left_out = find_pairs(chosen_clips(published, split), Wanted("random", None))
    assert [sorted(sample.images) for sample in colored] == [["frame"], *[["color_1", "frame"]] * (len(frames) - 2)]
    assert left_out == []


@pytest.mark.parametrize("quick", [False, True])
def test_nothing_is_wrong_with_it(published: Path, quick: bool) -> None:
    plain, square = verify(published, quick=quick)
    assert plain.defects == square.defects == []
    assert [plain.ours, square.ours] == [False, False]
    assert "test/LineArea/plain holds 12 further files, which no loader reads" in plain.notes
    assert any("UnmatchedBackward/square has no file of frame 190; the published" in note for note in square.notes)


def truncate(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def zeros(path: Path) -> None:
    path.write_bytes(bytes(path.stat().st_size))


def beside(path: Path) -> None:
    shutil.copy(path, path.with_name(f"copy of {path.name}"))


def elsewhere(path: Path) -> None:
    path.rename(path.with_name(f"Image0999{path.suffix}"))


def as_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def as_left_behind(path: Path) -> None:
    path.rename(path.with_name(f".animerun-part-0123abcd-{path.name}"))


def as_link(path: Path) -> None:
    path.unlink()
    path.symlink_to("nowhere")


def as_text(path: Path) -> None:
    path.write_text("x")


@pytest.mark.parametrize(
    "damage", [Path.unlink, truncate, zeros, beside, elsewhere, as_folder, as_left_behind, as_link, as_text]
)
def test_nothing_is_to_be_deleted_whatever_is_wrong(root: Path, damage: Callable[[Path], None]) -> None:
    damaged = [
        path
        for clip in Dataset(root).clips()
        for what in MODALITIES
        if what.published and clip.has(what.name, clip.frames(what.name)[1])
        for path in [clip.path(what.name, clip.frames(what.name)[1])]
    ]
    assert len(damaged) == 19
    for path in damaged:
        damage(path)
    (root / "train/Flow/nobody").mkdir()
    (root / "quality").mkdir()
    (root / "quality/nobody.json").touch()
    (root / "train/Flow/square/stray.txt").touch()
    reports = verify(root)
    files_named = {defect.file for report in reports for defect in report.defects}
    # zeros are sound masks, and a copy of them is as good
    assert len(files_named) >= len(damaged) / 2
    assert [line for line in describe(reports) if "delete" in line] == []


def test_where_there_is_a_manifest_what_is_damaged_may_go(ours: Path, tmp_path: Path) -> None:
    root = Path(shutil.copytree(ours, tmp_path / "data"))
    truncate(Dataset(root).clip("square").path("flow_forward", 187))
    assert any("delete it" in line for line in describe(verify(root)))
    shutil.rmtree(root / "manifest")
    lines = describe(verify(root))
    assert any("0187.flo: has " in line and "make or download it again" in line for line in lines)
    assert not any("delete" in line for line in lines)


def test_line_areas_of_others_have_to_be_masks(root: Path) -> None:
    path = Dataset(root).clip("plain").path("line_area", 1)
    files.write_array(path, np.full((48, 64), 0.5))
    [defect] = [defect for report in verify(root) for defect in report.defects]
    assert (root / defect.file, defect.what) == (path, "is not a mask: it has values other than 0 and 1")


@pytest.mark.parametrize(
    ("kind", "method"), [("flow", "farneback"), ("segments", "flow:farneback"), ("segments", "overlap")]
)
def test_it_is_measured_like_ours(ours: Path, published: Path, tmp_path: Path, kind: str, method: str) -> None:
    results = []
    for root in (ours, published):
        out = tmp_path / root.name
        words = ["evaluate", kind, str(root), "--method", method, "--pictures", "contour", "--out", str(out)]
        assert main([*words, "--split", "all"]) == 0
        results.append(read_result(out))
    own, other = results
    assert [clip.cut for clip in other.clips] == [clip.cut for clip in own.clips]
    for one, two in zip(own.clips, other.clips, strict=True):
        assert [pair.frames for pair in one.pairs] == [pair.frames for pair in two.pairs]
        for left, right in zip(one.pairs, two.pairs, strict=True):
            # the published training clips do not say where lines are
            keys = [key for key, figure in right.figures.items() if figure.value is not None]
            assert {key: right.figures[key] for key in keys} == {key: left.figures[key] for key in keys}
            assert {"epe" if kind == "flow" else "acc"} <= set(keys)
