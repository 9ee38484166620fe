"""Does render jobs in the Blender in which this Python runs, for scripts that were started by it."""

from __future__ import annotations

import ctypes
import os
import sys
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from animerun_gen.blender import versions
from animerun_gen.blender.questions import answer_questions
from animerun_gen.blender.worker import run_job
from animerun_gen.dataset.files import open_log, refused
from animerun_gen.engines.children import Conditions
from animerun_gen.engines.job import RenderJob, Reporter
from animerun_gen.engines.protocol import Event
from animerun_gen.engines.questions import AskedCut, Inquiry, Replies, Reply
from animerun_gen.engines.render_process import RenderFailure
from animerun_gen.errors import AnimerunGenError, unforeseen

STREAMS = (1, 2)
"""The descriptors of the standard output and of the errors: Blender prints to both."""


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

    def ask(self, asked: Sequence[AskedCut], at_once: int) -> Replies:
        """What is found out about some cuts, one after the other however many may be looked into at once."""
        for one in asked:
            reply = Reply(one)
            inquiry = Inquiry(one.config, tuple(question.name for question in one.questions))
            try:
                with _output_to(one.log):
                    answer_questions(inquiry, Reporter(reply.take))
            except AnimerunGenError as error:
                reply.error = error
            yield reply


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
        where = f"cut '{self.job.config.name}'"
        with _output_to(self.log) as detour:

            def tell(event: Event) -> None:
                # whoever hears of it may have to show it
                with detour.interrupted():
                    on_event(event)

            try:
                run_job(self.job, Reporter(tell), despite_memory=self.despite_memory)
            except AnimerunGenError as error:
                raise RenderFailure(f"{error} (log: {self.log})", where) from error
            except Exception as error:
                traceback.print_exc()
                raise RenderFailure(f"{unforeseen(error)} (log: {self.log})", where) from error

    def kill(self) -> None:
        """Nothing to end: the job runs in the calling thread."""


@dataclass(frozen=True)
class _Detour:
    """Where the process writes while a job is done.

    Attributes:
        before: Descriptors of where it wrote before, for each of :data:`STREAMS`.
        log: The descriptor of the log file.
    """

    before: tuple[int, ...]
    log: int

    def begin(self) -> None:
        """Lead everything into the log."""
        self._point([self.log] * len(STREAMS))

    def end(self) -> None:
        """Lead everything where it went before."""
        self._point(self.before)

    @contextmanager
    def interrupted(self) -> Iterator[None]:
        """Within, everything goes where it went before."""
        self.end()
        try:
            yield
        finally:
            self.begin()

    def _point(self, targets: Sequence[int]) -> None:
        # what waits in a buffer belongs where it was written to, and Blender's own is not Python's
        for stream in (sys.stdout, sys.stderr):
            if stream is not None:
                stream.flush()
        ctypes.CDLL(None).fflush(None)
        for descriptor, target in zip(STREAMS, targets, strict=True):
            os.dup2(target, descriptor)


@contextmanager
def _output_to(log: Path) -> Iterator[_Detour]:
    """Send what Blender prints, its warnings included, which goes past ``sys.stdout`` and ``sys.stderr``, to a file."""
    with ExitStack() as opened:
        before = []
        for descriptor in STREAMS:
            before.append(os.dup(descriptor))
            opened.callback(os.close, before[-1])
        try:
            file = opened.enter_context(open_log(log))
        except OSError as error:
            raise refused("cannot be written", log, error) from error
        detour = _Detour(tuple(before), file.fileno())
        detour.begin()
        try:
            yield detour
        finally:
            detour.end()
