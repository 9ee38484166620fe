"""Disks that fill up or turn read-only, on real file systems that are mounted for it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from animerun_gen.cli import main
from animerun_gen.dataset.cameras import read_cameras
from animerun_gen.engines.blenders import BpyModule
from animerun_gen.errors import DatasetError
from animerun_gen.pipeline.describe import describe
from animerun_gen.pipeline.options import Options
from animerun_gen.pipeline.run import generate
from animerun_gen.pipeline.state.status import read_status
from animerun_gen.pipeline.summary import CutSummary
from tests.pipeline.datasets import contents, make, make_cut
from tests.pipeline.fake_engine import FakeEngine, FakeProgram, Meddled


@dataclass(frozen=True)
class Disk:
    """A small disk of its own.

    Attributes:
        root: Where it is mounted.
    """

    root: Path

    @property
    def output(self) -> Path:
        return self.root / "out"

    def limit(self, size: int) -> None:
        """Let it have so many bytes and no more."""
        _mount("-o", f"remount,size={size}", self.root)

    def limit_to_what_is_there(self, room: int) -> None:
        """Leave so many bytes, rounded to pages."""
        used = os.statvfs(self.root)
        self.limit((used.f_blocks - used.f_bfree) * used.f_frsize + room)

    def limit_files(self, files: int) -> None:
        """Let it have so many files and folders and no more; 0: as many as anybody likes."""
        _mount("-o", f"remount,nr_inodes={files or 100_000}", self.root)

    def set_writable(self, writable: bool) -> None:
        _mount("-o", "remount,rw" if writable else "remount,ro", self.root)

    def freeze(self) -> list[Path]:
        """Let no folder of the dataset take anything any more; the lock, which is open, keeps the whole from it."""
        state = self.output / ".animerun-gen"
        folders = [path for path in (*self.output.iterdir(), *state.iterdir()) if path.is_dir() and path != state]
        for folder in folders:
            _mount("--bind", folder, folder)
            _mount("-o", "remount,bind,ro", folder)
        return folders


def _mount(*arguments: object) -> None:
    subprocess.run(["mount", *map(str, arguments)], check=True, capture_output=True)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    root = tmp_path / "disk"
    root.mkdir()
    try:
        _mount("-t", "tmpfs", "-o", "size=64m", "tmpfs", root)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("no file system may be mounted here; run as root to try full and read-only disks")
    try:
        yield Disk(root)
    finally:
        subprocess.run(["umount", "--lazy", str(root)], check=True)


def one(summaries: list[CutSummary]) -> CutSummary:
    [summary] = summaries
    return summary


def require_mended(tmp_path: Path, disk: Disk) -> None:
    """The same command, now that there is room, ends with what an undisturbed run makes."""
    config = make_cut(tmp_path)
    make(config, disk.output, FakeEngine())
    make(config, tmp_path / "fresh", FakeEngine())
    assert contents(disk.output) == contents(tmp_path / "fresh")
    assert read_status(disk.output).complete


def require_whole(output: Path, whole: dict[str, bytes]) -> None:
    """Every file of the splits is complete."""
    there = {name: data for name, data in contents(output).items() if name.startswith(("train", "test"))}
    assert there
    for name, data in there.items():
        if name == "train/Camera/square.json":
            # of the frames that there are so far
            frames = json.loads(data)["frames"]
            assert frames
            assert all(frame in json.loads(whole[name])["frames"] for frame in frames)
        elif name == "train/Camera/square.npz":
            assert read_cameras(output, "train", "square").frames
        else:
            assert data == whole[name], name


@pytest.fixture
def whole(tmp_path: Path) -> dict[str, bytes]:
    make(make_cut(tmp_path), tmp_path / "whole", FakeEngine())
    return contents(tmp_path / "whole")


def test_full_while_a_child_renders(tmp_path: Path, disk: Disk, whole: dict[str, bytes]) -> None:
    disk.limit(400_000)
    summary = one(generate([make_cut(tmp_path)], Options(disk.output, FakeProgram())))
    assert summary.failures
    assert any("the disk is full" in line or "No space left" in line for line in describe([summary], disk.output))
    require_whole(disk.output, whole)
    disk.limit(64 << 20)
    require_mended(tmp_path, disk)


@pytest.mark.parametrize("frame", [1, 2, 3, 4, 5])
def test_full_from_a_frame_on(tmp_path: Path, disk: Disk, whole: dict[str, bytes], frame: int) -> None:
    engine = Meddled(meddle={frame: lambda: disk.limit_to_what_is_there(8192)})
    summary = one(generate([make_cut(tmp_path)], Options(disk.output, engine)))
    assert summary.failures
    assert "the disk is full; free some space and run the same command again" in summary.failures[0]
    require_whole(disk.output, whole)
    disk.limit(64 << 20)
    require_mended(tmp_path, disk)


@pytest.mark.parametrize("workers", [1, 2])
def test_full_while_labelling(tmp_path: Path, disk: Disk, whole: dict[str, bytes], workers: int) -> None:
    config = make_cut(tmp_path)
    make(config, disk.output, FakeEngine(), label=False)
    disk.limit_to_what_is_there(60_000)
    summary = one(generate([config], Options(disk.output, None, render=False, workers=workers)))
    assert "the disk is full" in summary.failures[0]
    require_whole(disk.output, whole)
    disk.limit(64 << 20)
    require_mended(tmp_path, disk)


def test_full_when_only_manifest_and_quality_are_missing(tmp_path: Path, disk: Disk) -> None:
    config = make_cut(tmp_path)
    make(config, disk.output, FakeEngine())
    (disk.output / "manifest/square.json").unlink()
    (disk.output / "quality/square.json").unlink()
    disk.limit_to_what_is_there(0)
    summary = one(generate([config], Options(disk.output, FakeEngine())))
    said = "\n".join(summary.failures)
    assert "quality/square.json cannot be written: the disk is full" in said
    assert "manifest/square.json cannot be written: the disk is full" in said
    disk.limit(64 << 20)
    require_mended(tmp_path, disk)


def test_full_before_the_record_can_be_written(tmp_path: Path, disk: Disk) -> None:
    disk.output.mkdir()
    (disk.output / ".animerun-gen").mkdir()
    (disk.output / ".animerun-gen/lock").write_bytes(b"1")
    (disk.output / ".animerun-gen/fence").write_bytes(b"-" * 32)
    (disk.root / "filler").write_bytes(bytes(100))
    disk.limit_to_what_is_there(0)
    summary = one(generate([make_cut(tmp_path)], Options(disk.output, FakeEngine())))
    assert "cuts/square.json cannot be written: the disk is full" in summary.failures[0]
    disk.limit(64 << 20)
    require_mended(tmp_path, disk)


def test_the_command_ends_with_a_sentence_and_status_1(
    tmp_path: Path, disk: Disk, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(BpyModule, "find", classmethod(lambda cls: FakeProgram()))
    config = tmp_path / "square.yaml"
    config.write_text("name: square\nsource: film.blend\nframes: {first: 1, last: 5}\nresolution: [64, 48]\n")
    make_cut(tmp_path)
    disk.limit(200_000)
    command = ["generate", str(config), "--out", str(disk.output)]
    assert main(command) == 1
    captured = capsys.readouterr()
    assert "Traceback" not in captured.out + captured.err
    assert "full" in captured.out or "No space left" in captured.out
    disk.limit(64 << 20)
    assert main(command) == 0


def test_read_only_from_the_start(tmp_path: Path, disk: Disk) -> None:
    disk.set_writable(False)
    with pytest.raises(DatasetError, match=r"the output folder .* cannot be written to: Read-only file system"):
        generate([make_cut(tmp_path)], Options(disk.output, FakeEngine()))
    disk.set_writable(True)
    require_mended(tmp_path, disk)


def test_a_finished_dataset_that_is_read_only(tmp_path: Path, disk: Disk) -> None:
    config = make_cut(tmp_path)
    make(config, disk.output, FakeEngine())
    before = contents(disk.output)
    disk.set_writable(False)
    with pytest.raises(DatasetError, match="Read-only file system"):
        generate([config], Options(disk.output, FakeEngine()))
    assert read_status(disk.output).complete
    assert main(["status", str(disk.output)]) == 0
    assert main(["verify", str(disk.output)]) == 0
    disk.set_writable(True)
    assert contents(disk.output) == before


@pytest.mark.parametrize("frame", [1, 3, 5])
def test_read_only_from_a_frame_on(tmp_path: Path, disk: Disk, whole: dict[str, bytes], frame: int) -> None:
    frozen: list[Path] = []
    engine = Meddled(meddle={frame: lambda: frozen.extend(disk.freeze())})
    try:
        summary = one(generate([make_cut(tmp_path)], Options(disk.output, engine)))
        assert "ead-only" in "\n".join(summary.failures)
    finally:
        for folder in frozen:
            subprocess.run(["umount", str(folder)], check=True)
    require_whole(disk.output, whole)
    require_mended(tmp_path, disk)


@pytest.mark.parametrize("room", [0, 3, 12, 25])
def test_a_disk_that_can_hold_no_more_files(tmp_path: Path, disk: Disk, room: int) -> None:
    config, whole = make_cut(tmp_path), tmp_path / "whole"
    make(config, whole, FakeEngine())
    make(config, disk.output, FakeEngine(), frames=(1, 2))
    there = os.statvfs(disk.root)
    disk.limit_files(there.f_files - there.f_ffree + room)
    summary = one(generate([config], Options(disk.output, FakeEngine())))
    assert summary.failures
    assert all("the disk is full: it can hold no more files; remove some" in failure for failure in summary.failures)
    disk.limit_files(0)
    make(config, disk.output, FakeEngine())
    assert contents(disk.output) == contents(whole)


def test_an_output_folder_that_vanishes_under_a_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config, output = make_cut(tmp_path, {"frames": {"last": 40}}), tmp_path / "out"
    remover = threading.Thread(target=_remove_when_begun, args=(output,))
    remover.start()
    summary = one(generate([config], Options(output, FakeProgram(delay=0.01), chunk_frames=6, workers=2)))
    remover.join()
    assert summary.failures
    assert any("is gone, or its hidden folder is: it was removed or moved" in text for text in summary.failures)
    assert not any("foresee" in text for text in summary.failures)
    assert describe([summary], output)
    make(config, output, FakeEngine())
    make(config, tmp_path / "whole", FakeEngine())
    assert contents(output) == contents(tmp_path / "whole")


def _remove_when_begun(output: Path) -> None:
    while not list(output.glob("train/Frame_Anime/square/original/*.png")):
        time.sleep(0.01)
    shutil.rmtree(output, ignore_errors=True)
