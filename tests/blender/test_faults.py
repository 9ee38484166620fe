"""A library and a disk that fail a real Blender under way; the Blender-free cases are in ``tests/pipeline``."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import pytest

from animerun_gen.config import CutConfig, load_cuts
from animerun_gen.engines.blenders import BpyModule, JobRun
from animerun_gen.engines.children import Conditions
from animerun_gen.engines.job import RenderJob
from animerun_gen.engines.protocol import Event
from animerun_gen.engines.questions import AskedCut, Replies
from animerun_gen.pipeline.options import Options
from animerun_gen.pipeline.run import generate
from tests.blender.conftest import SCENE
from tests.pipeline.datasets import contents, make

pytestmark = pytest.mark.blender

CRATE = """
crate = add("cube", "crate", {color}, size=1, location=(0, 1, 0.9))
"""
FILM = """
with bpy.data.libraries.load({library!r}, link=True, relative=False) as (there, linked):
    linked.objects = ["crate"]
scene.collection.objects.link(linked.objects[0])
"""


@dataclass(frozen=True)
class Meddled:
    """Blender, with something that happens to the files when its process is done with the first frame."""

    engine: BpyModule
    meddle: Callable[[], object]
    in_this_process: ClassVar[bool] = True

    @property
    def version(self) -> str:
        return self.engine.version

    def ask(self, asked: Sequence[AskedCut], at_once: int) -> Replies:
        return self.engine.ask(asked, at_once)

    def start(self, job: RenderJob, log: Path, conditions: Conditions | None = None) -> MeddledRun:
        return MeddledRun(self.engine.start(job, log, conditions), self.meddle)


@dataclass
class MeddledRun:
    run_of_blender: JobRun
    meddle: Callable[[], object]

    def run(self, on_event: Callable[[Event], None]) -> None:
        done: list[int] = []

        def passed_on(event: Event) -> None:
            on_event(event)
            if event["event"] == "frame_done":
                done.append(event["frame"])
                if len(done) == 1:
                    self.meddle()

        self.run_of_blender.run(passed_on)

    def kill(self) -> None:
        self.run_of_blender.kill()


@pytest.fixture
def film(build: Callable[[str, str], Path]) -> Path:
    """A film that links ``library.blend`` beside it; ``other.blend`` is another version of that."""
    library = build("library", CRATE.format(color=(0.1, 0.7, 0.1)))
    build("other", CRATE.format(color=(0.7, 0.1, 0.1)))
    return build("film", SCENE + FILM.format(library=str(library)))


def config_of(path: Path) -> CutConfig:
    [loaded] = load_cuts([path])
    return loaded.config


def test_a_library_that_is_saved_while_blender_renders(tmp_path: Path, film: Path, cut: Callable[..., Path]) -> None:
    config, output, library = config_of(cut(film, last=3)), tmp_path / "out", tmp_path / "library.blend"

    def save() -> None:
        os.replace(tmp_path / "other.blend", library)

    [summary] = generate([config], Options(output, Meddled(BpyModule.find(), save)))
    assert summary.failures == [
        f"cut 'film': {library} changed while the cut was being rendered, so its frames may show two versions of it; "
        "run the same command again, which makes all of them again"
    ]
    [again] = make(config, output, BpyModule.find())
    assert again.redone["pictures"] == f"{library} changed while a run was reading it"
    make(config, tmp_path / "fresh", BpyModule.find())
    assert contents(output) == contents(tmp_path / "fresh")


def test_a_disk_that_is_full_while_blender_renders(tmp_path: Path, film: Path, cut: Callable[..., Path]) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    try:
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", str(disk)], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("no file system may be mounted here; run as root to try a full disk")
    try:
        config, output = config_of(cut(film, last=3)), disk / "out"

        def fill() -> None:
            with suppress(OSError), open(disk / "filler", "wb", buffering=0) as filler:
                while filler.write(bytes(4096)):
                    pass

        [summary] = generate([config], Options(output, Meddled(BpyModule.find(), fill)))
        assert summary.failures
        assert "full" in summary.failures[0] or "No space left" in summary.failures[0]
        (disk / "filler").unlink()
        make(config, output, BpyModule.find())
        make(config, tmp_path / "fresh", BpyModule.find())
        assert contents(output) == contents(tmp_path / "fresh")
    finally:
        subprocess.run(["umount", "--lazy", str(disk)], check=True)


def test_a_folder_that_vanishes_while_blender_renders(tmp_path: Path, film: Path, cut: Callable[..., Path]) -> None:
    # slow enough that Blender is not done before the folder is gone
    config, output = config_of(cut(film, "lines: {engine: freestyle}", last=20)), tmp_path / "out"
    scratch = output / ".animerun-gen/scratch"

    def remove() -> None:
        scratch.rename(tmp_path / "elsewhere")
        # Blender makes missing folders by itself
        scratch.touch()

    [summary] = generate([config], Options(output, Meddled(BpyModule.find(), remove), label=False))
    [failure] = summary.failures
    # it depends on what it was about to do
    assert "the operating system refused to read or write: " in failure or "without writing the picture" in failure
    assert "foresee" not in failure
