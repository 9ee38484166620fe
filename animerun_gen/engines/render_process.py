"""Runs render jobs in child processes and turns whatever may happen to them into events and sentences."""

from __future__ import annotations

import os
import subprocess
import tempfile
import threading
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import IO

from animerun_gen.dataset.files import open_log, refusal
from animerun_gen.dataset.layout import scratch_folder
from animerun_gen.engines.children import ChildDied, Conditions, Watch, lines
from animerun_gen.engines.endings import describe_status, last_words
from animerun_gen.engines.job import RenderJob
from animerun_gen.engines.processes import peak_memory
from animerun_gen.engines.protocol import Event, Failed, decode, write_request
from animerun_gen.errors import AnimerunGenError, NoRoomError

EXIT_SECONDS = 60.0
"""A Blender that has nothing left to do but does not end within this time is ended."""


class RenderFailure(AnimerunGenError):
    """A Blender process could not finish its job."""


class RenderDied(ChildDied, RenderFailure):
    """A Blender process died, hung, or ran out of memory: it may do better another time, or elsewhere."""


class RenderHasNoRoom(NoRoomError, RenderFailure):
    """A frame would clearly need more memory than there is beside whatever else uses it."""


class RenderProcess:
    """One Blender process.

    Args:
        command: Gives the command that does the job in a file (its path) and reports to an inherited file
            descriptor (its number).
        job: What is to be done.
        log: File to which everything that Blender prints is appended.
        conditions: Under which it works.

    Attributes:
        peak: Bytes of memory that it was seen to hold at most; 0 where that is not known.
    """

    def __init__(
        self,
        command: Callable[[str, str], list[str]],
        job: RenderJob,
        log: Path,
        conditions: Conditions | None = None,
    ) -> None:
        self.peak = 0
        self._command = command
        self._job = job
        self._log = log
        self._conditions = conditions or Conditions()
        self._process: subprocess.Popen[bytes] | None = None
        self._killed = False
        self._starting = threading.Lock()

    def run(self, on_event: Callable[[Event], None]) -> None:
        """Start the process, pass its events on, and wait for its end.

        However this returns or raises, the process has ended.

        Args:
            on_event: Called in this thread with every event.

        Raises:
            RenderDied: The process died, hung, ran out of memory or was killed; the sentence says where it was.
            RenderHasNoRoom: It would clearly need more memory than there is.
            RenderFailure: It cannot do the job for another reason; the sentence says why.
            RunOver: The run that the job belongs to is over.
        """
        cut = f"cut '{self._job.config.name}'"
        where = "while it started"
        failed: Failed | None = None
        finished = False
        with ExitStack() as until_it_ends:
            try:
                log, folder = self._prepare(until_it_ends)
                log_start = log.tell()
                process, reading = self._start(folder, log)
            except OSError as error:
                raise RenderFailure(
                    f"Blender cannot be started: {refusal(error)}", cut, "run 'animerun-gen doctor'"
                ) from error
            watch = Watch(process.pid, "Blender", self._conditions)
            try:
                for line in lines(reading):
                    event = None if line is None else decode(line)
                    if event is not None:
                        watch.heard()
                    if (looked := watch.look(where)) is not None:
                        on_event(looked)
                    self.peak = watch.peak
                    if watch.hung is not None:
                        break
                    if event is None:
                        continue
                    if event["event"] == "begins":
                        where = f"in frame {event['frame']} ({event['stage']})"
                    elif event["event"] == "opened":
                        where = "before the first frame"
                    elif event["event"] == "failed":
                        failed = event
                    elif event["event"] == "finished":
                        finished = True
                    on_event(event)
                    if finished or failed is not None:
                        break
                self.peak = max(watch.peak, peak_memory(process.pid) or 0)
                status = None if watch.hung is not None else _wait(process)
            finally:
                os.close(reading)
                process.kill()
                process.wait()
        if failed is not None:
            # whose folder is gone fails in some way or other
            self._conditions.require_run()
            if failed.get("kind") == MemoryError.__name__:
                remedy = "close other programs, or use a machine with more memory"
                raise RenderDied(f"Blender ran out of memory {where}", cut, remedy, f" (log: {self._log})")
            # the sentence says what to do, where anything can be done
            has_no_room = failed.get("kind") == NoRoomError.__name__
            kind = RenderHasNoRoom if has_no_room else RenderFailure
            raise kind(f"{failed['message']} (log: {self._log})", f"{cut}, {where}")
        if not finished:
            self._conditions.require_run()
            what = f"Blender {watch.hung or describe_status(status)} {where}"
            raise RenderDied(
                what,
                cut,
                "run the same command again to resume",
                f".{last_words(self._log, log_start)} The log is {self._log}",
            )

    def kill(self) -> None:
        """End the process at once; what it has written is complete, what it was writing does not appear."""
        with self._starting:
            self._killed = True
            if self._process is not None:
                self._process.kill()

    def _prepare(self, until_it_ends: ExitStack) -> tuple[IO[bytes], Path]:
        """The log, and a folder for what the process writes for itself."""
        scratch = scratch_folder(self._job.output).absolute()
        scratch.mkdir(parents=True, exist_ok=True)
        folder = tempfile.TemporaryDirectory(dir=scratch, ignore_cleanup_errors=True)
        return until_it_ends.enter_context(open_log(self._log)), Path(until_it_ends.enter_context(folder))

    def _start(self, folder: Path, log: IO[bytes]) -> tuple[subprocess.Popen[bytes], int]:
        """The process, and the file descriptor from which its events can be read."""
        job_file = folder / "job.json"
        write_request(job_file, self._job)
        name = self._job.config.name
        with self._starting:
            if self._killed:
                raise RenderFailure("stopped before Blender started", f"cut '{name}'", "run the same command again")
            reading, writing = os.pipe()
            try:
                self._process = subprocess.Popen(
                    self._command(str(job_file), str(writing)),
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    pass_fds=(writing,),
                    env=self._conditions.environment() | {"TMPDIR": str(folder)},
                )
            except OSError:
                os.close(reading)
                raise
            finally:
                os.close(writing)
            return self._process, reading


def _wait(process: subprocess.Popen[bytes]) -> int | None:
    """The exit status; None when the process did not end although it should have."""
    try:
        return process.wait(EXIT_SECONDS)
    except subprocess.TimeoutExpired:
        return None
