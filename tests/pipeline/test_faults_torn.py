"""Files that a crash of the machine, or a failing disk, left cut short, empty or full of zeros."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from animerun_gen.config import CutConfig
from animerun_gen.dataset import files
from animerun_gen.dataset.modalities import enabled_modalities
from animerun_gen.pipeline.options import Options
from animerun_gen.pipeline.run import generate
from animerun_gen.pipeline.state.status import read_status
from animerun_gen.verify.run import verify
from tests.pipeline.datasets import contents, edit_ledger, make, make_cut, stage_of, times
from tests.pipeline.fake_engine import FakeEngine

EVERYTHING = {
    "frames": {"last": 3},
    "motion": {"extras": ["depth", "ids", "normals", "exact_occlusion", "correspondence"], "gaps": [1, 2], "tracks": 7},
    "recolor": {"passes": 1},
}

Damage = Callable[[Path], None]


def empty(path: Path) -> None:
    path.write_bytes(b"")


def halve(path: Path) -> None:
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])


def lose_the_end(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def zero(path: Path) -> None:
    path.write_bytes(bytes(path.stat().st_size))


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished dataset with all kinds of files, and its film; nobody may change it."""
    folder = tmp_path_factory.mktemp("torn")
    make(make_cut(folder, EVERYTHING), folder / "out", FakeEngine())
    return folder


@pytest.fixture
def config(finished: Path) -> CutConfig:
    return make_cut(finished, EVERYTHING)


@pytest.fixture
def output(finished: Path, tmp_path: Path) -> Path:
    return shutil.copytree(finished / "out", tmp_path / "out")


def one_of_each_kind(output: Path) -> list[str]:
    """A file in each folder of the dataset and of its records, tables and the other single files among them."""
    by_place: dict[tuple[Path, str, str], str] = {}
    for name in contents(output):
        path = Path(name)
        by_place.setdefault((path.parent, path.suffix, path.stem.strip("0123456789")), name)
    # pictures that only the labelling of a frame or pair without figures would read
    return [name for name in by_place.values() if "_pictures/" not in name]


@pytest.mark.parametrize("damage", [empty, halve, lose_the_end, zero])
@pytest.mark.parametrize("vouched", [True, False], ids=["finished", "manifest not yet written"])
def test_every_kind_of_file_is_noticed_and_made_again(
    finished: Path, config: CutConfig, output: Path, damage: Damage, vouched: bool
) -> None:
    whole = contents(finished / "out")
    names = one_of_each_kind(output)
    assert len(names) > len(enabled_modalities(config.motion.extras))
    if not vouched:
        shutil.rmtree(output / "manifest")
        edit_ledger(output, "square", lambda kept: kept.pop("checksums"))
        names = [name for name in names if not name.startswith("manifest")]
    if damage is lose_the_end:
        # figures lose nothing with the end of their last line
        names = [name for name in names if "figures" not in name]
    records = [name for name in names if ".animerun-gen/cuts" in name]
    for name in set(names) - set(records):
        damage(output / name)
    found = {defect.file for report in verify(output) for defect in report.defects}
    # a table without the end of its last line says what it said, but not to the byte
    torn = {name for name in names if stage_of(name) and (vouched or damage is not lose_the_end or ".json" not in name)}
    assert torn <= found
    assert not read_status(output).complete or damage is not empty
    [summary] = make(config, output, FakeEngine())
    assert summary.coverage is not None
    assert summary.coverage.complete
    assert any(note.startswith("damaged files, which are made again: ") for note in summary.notes)
    assert contents(output) == whole
    assert not any(report.defects for report in verify(output))


@pytest.mark.parametrize("damage", [empty, halve, zero])
def test_a_damaged_record_lets_everything_be_made_again(
    finished: Path, config: CutConfig, output: Path, damage: Damage
) -> None:
    damage(output / ".animerun-gen/cuts/square.json")
    [summary] = make(config, output, FakeEngine())
    assert "there is no record of what they were made from" in summary.redone["pictures"]
    assert contents(output) == contents(finished / "out")


def test_zeros_behind_a_header_are_noticed_by_the_checksum(finished: Path, config: CutConfig, output: Path) -> None:
    name = "train/Flow/square/forward/0002.flo"
    data = (output / name).read_bytes()
    (output / name).write_bytes(data[:12] + bytes(len(data) - 12))
    assert (output / name).read_bytes() != data
    assert f"{name}: has changed since it was made" in "".join(str(d) for r in verify(output) for d in r.defects)
    [summary] = make(config, output, FakeEngine())
    assert any(note.startswith(f"files changed since they were made: 1 ({name})") for note in summary.notes)
    (output / name).unlink()
    make(config, output, FakeEngine())
    assert contents(output) == contents(finished / "out")


def test_a_label_run_leaves_damaged_pictures_to_those_who_render(
    finished: Path, config: CutConfig, output: Path
) -> None:
    for name in ("train/Flow/square/forward/0002.flo", "train/Segment/square/0002.npy"):
        halve(output / name)
    [summary] = generate([config], Options(output, None, render=False))
    assert (output / "train/Flow/square/forward/0002.flo").exists()
    assert any("damaged files, which are made again: 1 (train/Segment" in note for note in summary.notes)
    assert any("files changed since they were made: 1 (train/Flow" in note for note in summary.notes)
    make(config, output, FakeEngine())
    assert contents(output) == contents(finished / "out")


def test_a_finished_dataset_is_not_read_to_find_that_out(
    config: CutConfig, output: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from animerun_gen.pipeline.state import clearing

    make(config, output, FakeEngine())
    looked: list[Path] = []

    def look(path: Path, what: object) -> bool:
        looked.append(path)
        return True

    monkeypatch.setattr(clearing, "is_whole", look)
    before = times(output)
    make(config, output, FakeEngine())
    assert looked == []
    assert times(output) == before


@pytest.mark.durable
def test_a_file_gets_its_name_when_its_content_is_on_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    happened: list[str] = []
    sync, replace = os.fsync, os.replace

    def noted_sync(descriptor: int) -> None:
        happened.append(f"flushed {os.fstat(descriptor).st_size}")
        sync(descriptor)

    def noted_replace(source: Path, target: Path) -> None:
        happened.append(f"named {target.name}")
        replace(source, target)

    monkeypatch.setattr(os, "fsync", noted_sync)
    monkeypatch.setattr(os, "replace", noted_replace)
    files.write_text(tmp_path / "a.txt", "four")
    assert happened == ["flushed 4", "named a.txt"]
