from __future__ import annotations

import hashlib
import json
import os
import shutil
import sys
import sysconfig
from operator import methodcaller
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from animerun_gen import __version__
from animerun_gen.config import CutConfig
from animerun_gen.dataset import layout
from animerun_gen.dataset.checksums import file_digest
from animerun_gen.engines.blenders import Engine
from animerun_gen.pipeline import run
from animerun_gen.pipeline.describe import describe
from animerun_gen.pipeline.options import Options
from animerun_gen.pipeline.run import generate
from animerun_gen.pipeline.state import manifest
from animerun_gen.pipeline.state.ledger import Checksums, read_ledger
from tests.pipeline.datasets import contents, edit_ledger, make, make_cut
from tests.pipeline.fake_engine import FakeEngine, FakeProgram

EVERYTHING = {
    "frames": {"last": 4},
    "motion": {"extras": ["depth", "ids", "normals", "exact_occlusion"], "gaps": [1, 2], "tracks": 7},
}
FLOW = "train/Flow/square/forward/0002.flo"


@pytest.fixture
def config(tmp_path: Path) -> CutConfig:
    return make_cut(tmp_path, EVERYTHING)


@pytest.fixture
def output(tmp_path: Path, config: CutConfig) -> Path:
    """A finished dataset with all kinds of files."""
    make(config, tmp_path / "out", FakeEngine())
    return tmp_path / "out"


def read(output: Path, cut: str = "square") -> dict[str, Any]:
    return json.loads((output / "manifest" / f"{cut}.json").read_bytes())


def checksums_now(output: Path) -> dict[str, str]:
    """What every manifest of the dataset together must hold, found in another way."""
    return {
        name: hashlib.sha256(data).hexdigest()
        for name, data in contents(output).items()
        if name.partition("/")[0] in ("train", "test", "quality")
    }


@pytest.fixture
def digested(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The files whose checksums are computed."""
    names: list[str] = []

    def counted(path: Path) -> str:
        names.append(path.name)
        return file_digest(path)

    monkeypatch.setattr(manifest, "file_digest", counted)
    return names


def age(path: Path) -> None:
    """Let a file look as if it had been written well before the next run."""
    hour_ago = path.stat().st_mtime_ns - 3600 * 10**9
    os.utime(path, ns=(hour_ago, hour_ago))


def test_it_names_every_file_and_what_the_cut_was_made_from(output: Path, config: CutConfig) -> None:
    written = read(output)
    assert written["files"] == checksums_now(output)
    for folder in ("Gap2/Flow", "Tracks", "Depth", "Normal", "Flat", "SegMatching"):
        assert any(name.startswith(f"train/{folder}/square") for name in written["files"])
    assert {"train/ObjectId/square/names.json", "quality/square.json"} < set(written["files"])
    assert (written["version"], written["cut"], written["split"]) == (1, "square", "train")
    assert written["source"] == {"path": config.source.name, "sha256": hashlib.sha256(b"a film").hexdigest()}
    # what somebody's folders are called is nobody's business
    assert str(config.source.parent) not in layout.manifest_file(output, "square").read_text(encoding="utf-8")
    # there was nothing to be split
    split = config.model_copy(update={"camera_cuts": "mark"})
    assert CutConfig.model_validate({**written["config"], "source": str(config.source)}) == split
    made_with = written["made_with"]
    libraries = {"python", "numpy", "opencv", "numba", "scipy", "scikit-image"}
    assert made_with.keys() == {"animerun_gen", "engine", "platform", *libraries}
    assert made_with["platform"] == sysconfig.get_platform()
    assert (made_with["animerun_gen"], made_with["engine"]) == (__version__, "Blender 1.2.3")
    assert made_with["python"] == ".".join(map(str, sys.version_info[:3]))
    assert (made_with["numpy"], made_with["opencv"]) == (np.__version__, cv2.__version__)


def test_libraries_and_notes_are_in_it(tmp_path: Path) -> None:
    library = tmp_path / "library.blend"
    library.write_bytes(b"chairs")
    engine = FakeEngine(inputs=(library,), notes=("2 drivers are switched off",))
    make(make_cut(tmp_path), tmp_path / "out", engine)
    written = read(tmp_path / "out")
    assert written["inputs"] == {library.name: hashlib.sha256(b"chairs").hexdigest()}
    assert written["notes"] == ["2 drivers are switched off"]


@pytest.mark.parametrize(("engine", "workers"), [(FakeEngine(), 1), (FakeProgram(), 3)])
def test_the_same_dataset_has_the_same_manifest(
    tmp_path: Path, config: CutConfig, output: Path, engine: Engine, workers: int
) -> None:
    make(config, tmp_path / "again", engine, workers=workers)
    assert (tmp_path / "again/manifest/square.json").read_bytes() == (output / "manifest/square.json").read_bytes()


def test_each_cut_has_its_own(tmp_path: Path) -> None:
    output = tmp_path / "out"
    make([make_cut(tmp_path, {"name": "a"}), make_cut(tmp_path, {"name": "b", "split": "test"})], output, FakeEngine())
    a, b = read(output, "a")["files"], read(output, "b")["files"]
    assert not set(a) & set(b)
    assert a | b == checksums_now(output)


def test_the_halves_leave_the_manifest_of_the_whole(tmp_path: Path, config: CutConfig, output: Path) -> None:
    halves = tmp_path / "halves"
    make(config, halves, FakeEngine(), label=False)
    rendered = read(halves)["files"]
    assert rendered == checksums_now(halves)
    assert not any("Segment" in name for name in rendered)
    make(config, halves, None, render=False)
    assert (halves / "manifest/square.json").read_bytes() == (output / "manifest/square.json").read_bytes()


def test_a_run_with_nothing_to_do_reads_no_files(output: Path, config: CutConfig, digested: list[str]) -> None:
    before = (output / "manifest/square.json").stat()
    make(config, output, FakeEngine())
    assert digested == []
    assert (output / "manifest/square.json").stat().st_mtime_ns == before.st_mtime_ns


def test_only_new_files_are_read(output: Path, config: CutConfig, digested: list[str]) -> None:
    whole = read(output)
    (output / FLOW).unlink()
    make(config, output, FakeEngine())
    remade = {
        "0002.flo",
        "0003.flo",
        "0002.png",
        "0003.png",
        "0002.npy",
        "0003.npy",
        "0002.json",
        "0003.json",
    }
    assert "0002.flo" in digested
    assert "0001.flo" not in digested
    assert set(digested) <= remade | {"names.json", "colors.json", "tracks.npz", "square.json"}
    assert read(output) == whole


def test_lost_checksums_are_computed_again(output: Path, config: CutConfig, digested: list[str]) -> None:
    whole = read(output)
    for files in ({}, {"Flow/square/forward/0002.flo": "torn"}):
        edit_ledger(output, "square", methodcaller("update", checksums={"files": files}))
        digested.clear()
        make(config, output, FakeEngine())
        assert len(digested) == len(whole["files"])
        assert read(output) == whole


@pytest.mark.parametrize("damage", [b"", b"{", b"[]", b'{"version": 99}', b'{"version": 1, "files": 3}', None])
def test_a_damaged_manifest_is_written_again(output: Path, config: CutConfig, damage: bytes | None) -> None:
    file = output / "manifest/square.json"
    whole = file.read_bytes()
    if damage is None:
        file.unlink()
    else:
        file.write_bytes(damage)
    make(config, output, FakeEngine())
    assert file.read_bytes() == whole


@pytest.mark.parametrize(
    "changes",
    [
        {"frames": {"last": 3}},
        {"motion": {"extras": [], "gaps": [1], "tracks": 0}},
        {"labels": {"line_distance": 3.0}},
        {"lines": {"thickness": 3.0}},
        {"split": "test"},
    ],
    ids=str,
)
def test_what_was_cleared_away_is_no_longer_named(
    tmp_path: Path, output: Path, config: CutConfig, changes: dict[str, Any]
) -> None:
    changed = CutConfig.model_validate(make_cut(tmp_path, {**EVERYTHING, **changes}))
    make(changed, output, FakeEngine())
    written = read(output)
    assert written["files"] == checksums_now(output)
    make(changed, tmp_path / "fresh", FakeEngine())
    assert written == read(tmp_path / "fresh")


def test_files_that_move_to_the_other_split_are_not_read(tmp_path: Path, output: Path, digested: list[str]) -> None:
    make(make_cut(tmp_path, {**EVERYTHING, "split": "test"}), output, FakeEngine())
    # the figures say in which split the cut is; the cameras are renamed one by one, which leaves its mark on a file
    assert sorted(digested) == ["square.json", "square.json", "square.npz"]
    assert read(output)["files"] == checksums_now(output)
    assert read(output)["split"] == "test"


def test_a_failed_run_leaves_a_manifest_of_what_is_there(tmp_path: Path) -> None:
    config, output = make_cut(tmp_path), tmp_path / "out"
    make(config, output, FakeEngine())
    config.source.write_bytes(b"another film")
    [summary] = generate([config], Options(output, FakeEngine(fails_in={"square": 3})))
    assert summary.failures
    assert read(output)["files"] == checksums_now(output)
    assert read(output)["source"]["sha256"] == hashlib.sha256(b"another film").hexdigest()


def test_a_cut_of_which_nothing_is_left_has_none(tmp_path: Path) -> None:
    config, output = make_cut(tmp_path), tmp_path / "out"
    make(config, output, FakeEngine())
    config.source.write_bytes(b"another film")
    generate([config], Options(output, FakeEngine(fails_in={"square": 1})))
    left = checksums_now(output)
    assert all("names.json" in name or "colors.json" in name for name in left)
    assert read(output)["files"] == left
    shutil.rmtree(output / "train")
    generate([config], Options(output, None, render=False, label=False))
    assert not (output / "manifest/square.json").exists()
    assert read_ledger(output, "square").checksums == Checksums()


def test_cuts_that_were_not_made_here_get_none(tmp_path: Path) -> None:
    output = tmp_path / "AnimeRun"
    (output / "test/Frame_Anime/square/original").mkdir(parents=True)
    (output / "test/Frame_Anime/square/original/0001.png").write_bytes(b"downloaded")
    [summary] = generate([make_cut(tmp_path)], Options(output, FakeEngine()))
    assert summary.failures
    assert not (output / "manifest").exists()


class Killed(BaseException):
    """Stands for the end of the process."""


def test_killed_between_files_and_manifest_the_next_run_mends(
    tmp_path: Path, output: Path, config: CutConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = (output / "manifest/square.json").read_bytes()
    killed = tmp_path / "killed"

    def kill(*arguments: Any) -> None:
        raise Killed

    other = make_cut(tmp_path, {**EVERYTHING, "style": {"background": "#102030"}})
    make(other, killed, FakeEngine())
    with monkeypatch.context() as patch:
        patch.setattr(run, "write_manifest", kill)
        with pytest.raises(Killed):
            make(config, killed, FakeEngine())
    assert read(killed)["files"] != checksums_now(killed)
    for file in killed.glob("train/**/*.*"):
        age(file)
    [summary] = make(config, killed, FakeEngine())
    assert not summary.notes
    assert (killed / "manifest/square.json").read_bytes() == whole


def test_a_file_that_was_altered_does_not_become_the_truth(output: Path, config: CutConfig) -> None:
    whole = read(output)
    data = bytearray((output / FLOW).read_bytes())
    data[20] ^= 1
    (output / FLOW).write_bytes(data)
    age(output / FLOW)
    for _ in range(2):
        [summary] = make(config, output, FakeEngine())
        assert read(output) == whole
        [line] = [line for line in describe([summary], output) if "changed since" in line]
        assert line.startswith(f"  note: files changed since they were made: 1 ({FLOW}); the manifest keeps")
    # what it advises, first way
    (output / FLOW).unlink()
    [summary] = make(config, output, FakeEngine())
    assert read(output) == whole
    assert read(output)["files"] == checksums_now(output)
    assert not summary.notes
    # and second way
    (output / FLOW).write_bytes(data)
    age(output / FLOW)
    (output / "manifest/square.json").unlink()
    [summary] = make(config, output, FakeEngine())
    assert not summary.notes
    assert read(output)["files"] == checksums_now(output) != whole["files"]


def test_bytes_that_were_put_back_under_an_old_date_are_seen(output: Path, config: CutConfig) -> None:
    status = (output / FLOW).stat()
    data = bytearray((output / FLOW).read_bytes())
    data[20] ^= 1
    (output / FLOW).write_bytes(data)
    os.utime(output / FLOW, ns=(status.st_atime_ns, status.st_mtime_ns))
    for file in output.glob("train/**/*.*"):
        if file != output / FLOW:
            age(file)
    [summary] = make(config, output, FakeEngine())
    assert any("changed since they were made: 1 (" in note for note in summary.notes)


def test_versions_of_files_that_stay_are_kept(output: Path, config: CutConfig, monkeypatch: pytest.MonkeyPatch) -> None:
    before = read(output)
    for file in output.glob("train/**/*.*"):
        age(file)
    old = np.__version__
    monkeypatch.setattr(np, "__version__", "99.0")
    make(config, output, FakeEngine())
    # nothing was made with the new one
    assert read(output) == before
    longer = CutConfig.model_validate({**config.model_dump(), "frames": {"first": 1, "last": 5}})
    make(longer, output, FakeEngine())
    assert read(output)["made_with"] == {**before["made_with"], "numpy": f"{old}, 99.0"}
    redone = CutConfig.model_validate({**longer.model_dump(), "resolution": [48, 40]})
    make(redone, output, FakeEngine())
    assert read(output)["made_with"] == {**before["made_with"], "numpy": "99.0"}


def test_a_full_disk_is_a_failure_of_the_cut(output: Path, config: CutConfig, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = (output / "manifest/square.json").read_bytes()
    (output / "manifest/square.json").unlink()

    def full(path: Path, data: bytes) -> int:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_bytes", full)
        [summary] = generate([config], Options(output, FakeEngine()))
    assert any("manifest/square.json cannot be written: the disk is full" in failure for failure in summary.failures)
    make(config, output, FakeEngine())
    assert (output / "manifest/square.json").read_bytes() == whole
