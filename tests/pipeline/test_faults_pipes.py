"""Pipes, devices, folders and links in the place of files that a run kept: a sentence or a new file, never a hang."""

from __future__ import annotations

import multiprocessing
import os
import shutil
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from animerun_gen.cli import main
from animerun_gen.dataset import files
from animerun_gen.dataset.modalities import modality
from animerun_gen.errors import DatasetError
from animerun_gen.pipeline.describe import describe
from animerun_gen.pipeline.options import Options
from animerun_gen.pipeline.run import generate
from animerun_gen.pipeline.state.on_disk import has_content, is_whole
from animerun_gen.pipeline.state.status import describe_status, read_status
from tests.pipeline.datasets import contents, make, make_cut
from tests.pipeline.fake_engine import FakeEngine, FakeProgram

PATIENCE = 60
"""Seconds after which something is held to hang."""

STATE = ".animerun-gen"

KEPT = (
    f"{STATE}/cuts/square.json",
    f"{STATE}/films.json",
    f"{STATE}/figures/square/frame-0002.json",
    f"{STATE}/figures/square/pair-0002.json",
    f"{STATE}/material_pictures/square/0001.png",
    f"{STATE}/logs/square.log",
    "manifest/square.json",
    "quality/square.json",
    "train/Frame_Anime/square/original/0002.png",
    "train/Flow/square/forward/0002.flo",
    "train/Segment/square/0002.npy",
    "train/SegMatching/square/forward/0002.json",
    "train/ObjectId/square/names.json",
    "train/Flat/square/colors.json",
    "train/Tracks/square/tracks.npz",
)


def put_pipe(path: Path) -> None:
    os.mkfifo(path)


def put_device(path: Path) -> None:
    path.symlink_to("/dev/zero")


def put_folder(path: Path) -> None:
    path.mkdir()


def put_link_to_nowhere(path: Path) -> None:
    path.symlink_to("nowhere")


def put_link_in_a_circle(path: Path) -> None:
    path.symlink_to(path.name)


PUTS = (put_pipe, put_device, put_folder, put_link_to_nowhere, put_link_in_a_circle)


def within_patience(function: Callable[..., Any], *arguments: Any) -> None:
    """Call it in another process, which is ended if it hangs; the test fails with it."""
    process = multiprocessing.get_context("fork").Process(target=function, args=arguments)
    process.start()
    process.join(PATIENCE)
    hangs = process.is_alive()
    process.kill()
    process.join()
    assert not hangs
    assert process.exitcode == 0


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a film and a finished dataset of it."""
    folder = tmp_path_factory.mktemp("film")
    make(make_cut(folder, {"motion": {"tracks": 4}}), folder / "out", FakeEngine())
    log = folder / "out" / STATE / "logs/square.log"
    log.parent.mkdir(exist_ok=True)
    log.touch()
    return folder


@pytest.mark.parametrize(
    ("kept", "put"),
    [(kept, put_pipe) for kept in KEPT] + [(kept, put) for kept in KEPT[::4] for put in PUTS[1:]],
)
def test_in_the_place_of_any_kept_file(film: Path, tmp_path: Path, kept: str, put: Callable[[Path], None]) -> None:
    shutil.copytree(film / "out", tmp_path / "out")
    path = tmp_path / "out" / kept
    path.unlink(missing_ok=True)
    path.parent.mkdir(exist_ok=True)
    put(path)
    within_patience(_use, film, tmp_path / "out", put)


def _use(film: Path, output: Path, put: Callable[[Path], None]) -> None:
    """Everything that reads a dataset reads it, and a run mends it or says in a sentence why it cannot."""
    describe_status(read_status(output), output)
    assert main(["verify", str(output)]) in (0, 1)
    assert main(["report", str(output)]) in (0, 1)
    config = make_cut(film, {"motion": {"tracks": 4}})
    [summary] = generate([config], Options(output, FakeEngine()))
    describe([summary], output)
    assert not any("foresee" in sentence or "Error" in sentence for sentence in summary.failures)
    if put is put_folder:
        # nobody knows what is in it, so it is not removed
        return
    assert summary.failures == []
    shutil.rmtree(output / "report", ignore_errors=True)
    assert contents(output) == contents(film / "out")


@pytest.mark.parametrize("put", PUTS[:3])
def test_in_the_place_of_a_log(tmp_path: Path, put: Callable[[Path], None]) -> None:
    (tmp_path / "out" / STATE / "logs").mkdir(parents=True)
    put(tmp_path / "out" / STATE / "logs" / "square.log")
    within_patience(_label, tmp_path)


def _label(folder: Path) -> None:
    config, output = make_cut(folder), folder / "out"
    [summary] = generate([config], Options(output, FakeProgram()))
    # of Blender and of the labelling processes
    assert len(summary.failures) == 2
    why = "a folder of that name exists" if (output / STATE / "logs/square.log").is_dir() else "it is a pipe"
    assert all(f"{output}/{STATE}/logs/square.log" in failure and why in failure for failure in summary.failures)


def test_readers_refuse_what_might_never_end(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "device").symlink_to("/dev/zero")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tmp_path / "socket"))
        for name in ("pipe", "device", "socket"):
            with pytest.raises(DatasetError, match="cannot be read: it is a pipe, a socket or a device; remove it"):
                files.read_json(tmp_path / name)
            assert not has_content(tmp_path / name)
            assert not is_whole(tmp_path / name, modality("segment"))
    with pytest.raises(DatasetError, match="a folder of that name exists"):
        files.read_json(tmp_path)
    assert not has_content(tmp_path)


def test_readers_refuse_what_is_far_too_large(tmp_path: Path) -> None:
    for name, size in (("a.json", files.MOST_JSON_BYTES + 1), ("a.npy", files.MOST_BYTES + 1)):
        with open(tmp_path / name, "wb") as file:
            file.truncate(size)
        with pytest.raises(DatasetError, match=f"it has {size:,} bytes, far more than such a file can need"):
            files.read_json(tmp_path / name)
    with pytest.raises(DatasetError, match="far more than"):
        files.read_array(tmp_path / "a.npy")
