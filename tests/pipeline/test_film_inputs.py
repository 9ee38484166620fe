"""Sequences and caches of many files as inputs of a cut, and what it costs to find that nothing changed."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from animerun_gen.dataset import checksums, layout
from animerun_gen.engines.film_files import in_folder, numbered
from animerun_gen.pipeline.options import Options
from animerun_gen.pipeline.run import generate
from animerun_gen.pipeline.state import films
from tests.pipeline.datasets import contents, make, make_cut, times
from tests.pipeline.fake_engine import FakeEngine, Meddled


@pytest.fixture
def sequence(tmp_path: Path) -> Path:
    folder = tmp_path / "fire"
    folder.mkdir()
    for number in range(1, 6):
        (folder / f"fire_{number:04d}.png").write_bytes(b"%d" % number)
    return folder


def change(folder: Path) -> None:
    frame = folder / "fire_0003.png"
    before = frame.stat().st_mtime_ns
    frame.write_bytes(b"x")
    # the same size within one tick of a coarse clock is nothing that a person does
    os.utime(frame, ns=(0, before + 1_000_000))


def take_away(folder: Path) -> None:
    (folder / "fire_0005.png").unlink()


def add(folder: Path) -> None:
    (folder / "fire_0006.png").write_bytes(b"6")


def exchange(folder: Path) -> None:
    os.rename(folder / "fire_0001.png", folder / "kept")
    os.rename(folder / "fire_0002.png", folder / "fire_0001.png")
    os.rename(folder / "kept", folder / "fire_0002.png")


@pytest.mark.parametrize("meddle", [change, take_away, add, exchange])
@pytest.mark.parametrize("known", [True, False])
def test_a_sequence_that_changed_makes_the_clip_anew(
    tmp_path: Path, sequence: Path, meddle: Callable[[Path], None], known: bool
) -> None:
    name = numbered(sequence, "fire_", 4, ".png", (1, 6) if known else None)
    config, output, engine = make_cut(tmp_path), tmp_path / "out", FakeEngine(sequences=(name,))
    make(config, output, engine)
    before = times(output)
    [again] = make(config, output, engine)
    assert not again.redone
    assert times(output) == before
    meddle(sequence)
    [changed] = make(config, output, engine)
    assert changed.redone["pictures"] == f"{name} changed"
    make(config, tmp_path / "fresh", engine)
    assert contents(output) == contents(tmp_path / "fresh")


@pytest.mark.parametrize("meddle", [change, take_away, add])
def test_a_cache_that_changes_under_way(tmp_path: Path, sequence: Path, meddle: Callable[[Path], None]) -> None:
    name = in_folder(sequence)
    config, output = make_cut(tmp_path), tmp_path / "out"
    engine = Meddled(sequences=(name,), meddle={3: lambda: meddle(sequence)})
    [summary] = generate([config], Options(output, engine))
    [failure] = summary.failures
    assert failure.startswith(f"cut 'square': {name} changed while the cut was being rendered")
    make(config, output, FakeEngine(sequences=(name,)))
    make(config, tmp_path / "fresh", FakeEngine(sequences=(name,)))
    assert contents(output) == contents(tmp_path / "fresh")


def test_a_run_with_nothing_to_do_reads_no_file_of_the_film(
    tmp_path: Path, sequence: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config, output, engine = make_cut(tmp_path), tmp_path / "out", FakeEngine(sequences=(in_folder(sequence),))
    make(config, output, engine)
    read = []

    def file_digest(path: Path) -> str:
        read.append(path)
        return checksums.file_digest(path)

    monkeypatch.setattr(films, "file_digest", file_digest)
    make(config, output, engine)
    assert read == []
    layout.films_file(output).write_text('{"torn', encoding="utf-8")
    [summary] = make(config, output, engine)
    assert not summary.redone
    assert set(read) == {config.source, *sequence.iterdir()}
    read.clear()
    make(config, output, engine)
    assert read == []
    change(sequence)
    [summary] = make(config, output, engine)
    assert summary.redone
    assert set(read) == set(sequence.iterdir())


def test_the_cuts_of_a_film_look_at_its_files_once(
    tmp_path: Path, sequence: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cuts = [make_cut(tmp_path, {"name": f"cut{number}"}) for number in range(5)]
    engine = FakeEngine(sequences=(in_folder(sequence),))
    make(cuts, tmp_path / "out", engine)
    looked = []
    scandir = os.scandir

    def counted(path: str) -> object:
        if str(path) == str(sequence):
            looked.append(path)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", counted)
    make(cuts, tmp_path / "out", engine)
    assert len(looked) == 1
