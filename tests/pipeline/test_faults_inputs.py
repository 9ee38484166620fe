"""The film, a library or an image changes while a cut is being made."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from animerun_gen.engines.job import Reporter
from animerun_gen.engines.protocol import Event
from animerun_gen.errors import DatasetError
from animerun_gen.pipeline.options import Options
from animerun_gen.pipeline.run import generate
from animerun_gen.pipeline.state import inputs
from animerun_gen.pipeline.state.ledger import open_ledger
from animerun_gen.pipeline.summary import CutSummary
from tests.pipeline.datasets import contents, make, make_cut, plan
from tests.pipeline.fake_engine import FakeEngine, Meddled


def save(path: Path, content: bytes) -> None:
    """Save as Blender does: beside the file, then over it."""
    aside = path.with_suffix(".tmp")
    aside.write_bytes(content)
    os.replace(aside, path)


def write_over(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    # the same size within one tick of a coarse clock is nothing that a person does
    os.utime(path, ns=(0, path.stat().st_mtime_ns + 1_000_000))


@pytest.fixture
def library(tmp_path: Path) -> Path:
    path = tmp_path / "library.blend"
    path.write_bytes(b"chairs")
    return path


def run(tmp_path: Path, library: Path, meddle: dict[int, Callable[[], None]]) -> CutSummary:
    config = make_cut(tmp_path)
    [summary] = generate([config], Options(tmp_path / "out", Meddled(inputs=(library,), meddle=meddle)))
    return summary


def require_said_and_mended(tmp_path: Path, library: Path, summary: CutSummary, changed: Path) -> None:
    """The run says what changed, and the next one makes everything anew, as an undisturbed run makes it."""
    [failure] = summary.failures
    assert failure == (
        f"cut 'square': {changed} changed while the cut was being rendered, so its frames may show two versions of it; "
        "run the same command again, which makes all of them again"
    )
    config, output = make_cut(tmp_path), tmp_path / "out"
    [again] = make(config, output, FakeEngine(inputs=(library,)))
    assert {"pictures", "motion", "labels"} <= set(again.redone)
    make(config, tmp_path / "fresh", FakeEngine(inputs=(library,)))
    assert contents(output) == contents(tmp_path / "fresh")


@pytest.mark.parametrize("how", [save, write_over])
@pytest.mark.parametrize("what", ["film.blend", "library.blend"])
@pytest.mark.parametrize("frame", [1, 3, 5])
def test_a_file_that_changes_under_way(
    tmp_path: Path, library: Path, what: str, frame: int, how: Callable[[Path, bytes], None]
) -> None:
    changed = tmp_path / what
    summary = run(tmp_path, library, {frame: lambda: how(changed, b"others")})
    require_said_and_mended(tmp_path, library, summary, changed)


def test_a_file_that_changes_and_changes_back(tmp_path: Path, library: Path) -> None:
    before = library.read_bytes()
    summary = run(tmp_path, library, {2: lambda: save(library, b"tables"), 4: lambda: save(library, before)})
    require_said_and_mended(tmp_path, library, summary, library)


@pytest.mark.parametrize("what", ["film.blend", "library.blend"])
def test_the_very_file_is_put_back_when_all_have_ended(tmp_path: Path, library: Path, what: str) -> None:
    changed, kept = tmp_path / what, tmp_path / "kept"

    def exchange() -> None:
        os.rename(changed, kept)
        changed.write_bytes(b"others")

    config, output = make_cut(tmp_path, {"frames": {"last": 5}}), tmp_path / "out"
    [first] = generate(
        [config], Options(output, Meddled(inputs=(library,), meddle={2: exchange}), frames=(1, 2), label=False)
    )
    assert first.failures
    os.replace(kept, changed)
    # everything is as it was before: the same file with the same times
    require_said_and_mended(tmp_path, library, first, changed)


@pytest.mark.parametrize("what", ["film.blend", "library.blend"])
def test_one_of_several_processes_opened_another_version(tmp_path: Path, library: Path, what: str) -> None:
    config, output, changed, kept = make_cut(tmp_path), tmp_path / "out", tmp_path / what, tmp_path / "kept"
    plan(config, output, FakeEngine("Blender 1"))
    ledger = open_ledger(output, "square")
    ledger.keep(reading=inputs.marks_of([config.source]))

    def note(event: Event) -> None:
        assert event["event"] == "opened"
        inputs.note_opened(ledger, config.source, event)

    reporter = Reporter(note)
    reporter.opened("Blender 1", [], [config.source, library])
    os.rename(changed, kept)
    changed.write_bytes(b"others")
    reporter.opened("Blender 1", [], [config.source, library])
    os.replace(kept, changed)
    reporter.opened("Blender 1", [], [config.source, library])
    with pytest.raises(DatasetError, match=f"{what} changed while the cut was being rendered"):
        inputs.end_reading(ledger)
    assert plan(config, output, FakeEngine("Blender 1")).watched.keys() == {str(config.source)}


def test_a_library_that_vanishes(tmp_path: Path, library: Path) -> None:
    summary = run(tmp_path, library, {3: library.unlink})
    require_said_and_mended(tmp_path, library, summary, library)


def test_a_killed_run_leaves_the_question_to_the_next(tmp_path: Path, library: Path) -> None:
    class Killed(BaseException):
        """Stands for the end of the process."""

    def kill() -> None:
        raise Killed

    before = library.read_bytes()
    config, output = make_cut(tmp_path), tmp_path / "out"
    with pytest.raises(Killed):
        run(tmp_path, library, {3: kill})
    # what the files hold is what they held, but not all the time
    save(library, b"tables")
    save(library, before)
    [summary] = make(config, output, FakeEngine(inputs=(library,)))
    assert summary.redone["pictures"] == f"{library} changed while a run was reading it"
    make(config, tmp_path / "fresh", FakeEngine(inputs=(library,)))
    assert contents(output) == contents(tmp_path / "fresh")


def test_a_killed_run_whose_files_stayed_is_gone_on_with(tmp_path: Path, library: Path) -> None:
    config, output = make_cut(tmp_path), tmp_path / "out"
    with pytest.raises(ZeroDivisionError):
        run(tmp_path, library, {3: lambda: 1 // 0})  # type: ignore[dict-item]
    record = json.loads((output / ".animerun-gen/cuts/square.json").read_bytes())
    assert set(record["reading"]) == {str(config.source), str(library)}
    engine = FakeEngine(inputs=(library,))
    [summary] = make(config, output, engine)
    assert not summary.redone
    assert engine.jobs[0].pictures == (4, 5)
    make(config, tmp_path / "fresh", FakeEngine(inputs=(library,)))
    assert contents(output) == contents(tmp_path / "fresh")


def test_rights_and_links_are_no_content(tmp_path: Path, library: Path) -> None:
    def touch_around() -> None:
        library.chmod(0o600)
        os.link(library, tmp_path / "backup")

    assert not run(tmp_path, library, {2: touch_around}).failures
