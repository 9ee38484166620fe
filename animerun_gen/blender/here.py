"""Does render jobs in the Blender in which this Python runs, for scripts that were started by it."""

from __future__ import annotations

import os
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from animerun_gen.blender import versions
from animerun_gen.blender.count_lines import count_lines
from animerun_gen.blender.find_camera_cuts import find_camera_marks
from animerun_gen.blender.worker import run_job
from animerun_gen.config import CutConfig
from animerun_gen.dataset.files import open_log, system_says
from animerun_gen.engines.children import Conditions
from animerun_gen.engines.job import Event, RenderJob, Reporter
from animerun_gen.engines.questions import CountedCut, MarkedCut
from animerun_gen.engines.render_process import RenderFailure
from animerun_gen.errors import AnimerunGenError, DatasetError


@dataclass(frozen=True)
class ThisBlender:
    """The engine for :func:`animerun_gen.pipeline.run.generate` inside Blender, or where ``bpy`` is imported anyway.

    A crash of Blender takes the script with it; what was written until then is complete, and the next run goes on.
    """

    @property
    def version(self) -> str:
        """Which Blender it is."""
        return versions.engine_name()

    in_this_process: ClassVar[bool] = True

    def start(self, job: RenderJob, log: Path, conditions: Conditions | None = None) -> RenderHere:
        """Make ready to do a job; what Blender prints goes to a log file.

        Of the conditions only the one that no child is needed for counts: whether to begin what may not fit.
        """
        return RenderHere(job, log, conditions is not None and conditions.despite_memory)

    def camera_marks(self, config: CutConfig, log: Path) -> MarkedCut:
        """The camera marks of a cut; what Blender prints goes to a log file.

        Raises:
            SceneError: The scene does not allow it.
        """
        with _output_to(log):
            return find_camera_marks(config)

    def count_lines(self, config: CutConfig, log: Path) -> CountedCut:
        """What Freestyle would have to do in a cut; what Blender prints goes to a log file.

        Raises:
            AnimerunGenError: The scene does not allow it.
        """
        with _output_to(log):
            return count_lines(config)


@dataclass(frozen=True)
class RenderHere:
    """One job, done in the calling thread, which must be the main one."""

    job: RenderJob
    log: Path
    despite_memory: bool = False

    def run(self, on_event: Callable[[Event], None]) -> None:
        """Do the job.

        Raises:
            RenderFailure: It could not be finished.
        """
        with _output_to(self.log):
            try:
                run_job(self.job, Reporter(on_event), despite_memory=self.despite_memory)
            except AnimerunGenError as error:
                raise RenderFailure(f"cut '{self.job.config.name}': {error} (log: {self.log})") from error
            except Exception as error:
                traceback.print_exc()
                raise RenderFailure(
                    f"cut '{self.job.config.name}': {type(error).__name__}: {error} (log: {self.log})"
                ) from error

    def kill(self) -> None:
        """Nothing to end: the job runs in the calling thread."""


@contextmanager
def _output_to(log: Path) -> Iterator[None]:
    """Send what Blender prints, which goes past ``sys.stdout``, to a file."""
    before = os.dup(1)
    try:
        with open_log(log) as file:
            os.dup2(file.fileno(), 1)
    except OSError as error:
        os.close(before)
        raise DatasetError(f"{log} cannot be written: {system_says(error)}") from error
    try:
        yield
    finally:
        os.dup2(before, 1)
        os.close(before)
