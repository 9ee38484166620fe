"""A child process that is asked something, and what it answers (see :mod:`animerun_gen.engines.protocol`)."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from threading import Timer
from types import TracebackType
from typing import IO

from animerun_gen.engines.endings import describe_status
from animerun_gen.engines.protocol import Event, decode, write_request
from animerun_gen.engines.scratch import TemporaryFolder


class Conversation:
    """A child that answers one request; it has ended when the ``with`` block has.

    Args:
        command: Gives the command that reads the request from a file (its path) and answers to an inherited file
            descriptor (its number).
        request: What it is asked.
        log: Takes what the child prints.
        seconds: After so many it is ended; None: not before :meth:`allow` says so.

    Attributes:
        timed_out: Whether it was ended because its time was over.
        ended: How it ended, as the end of a sentence; known when :meth:`events` has no more.

    Raises:
        OSError: It cannot be started.
    """

    def __init__(
        self, command: Callable[[str, str], list[str]], request: object, log: IO[bytes], seconds: float | None
    ) -> None:
        self.ended = ""
        self.timed_out = False
        self._seconds = 0.0
        self._timer: Timer | None = None
        with ExitStack() as opened:
            folder = opened.enter_context(TemporaryFolder())
            file = Path(folder, "request.json")
            write_request(file, request)
            reading, writing = os.pipe()
            try:
                self._process = subprocess.Popen(
                    command(str(file), str(writing)),
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    pass_fds=(writing,),
                    # what it leaves there goes with the folder
                    env=os.environ | {"TMPDIR": folder},
                )
            except OSError:
                os.close(reading)
                raise
            finally:
                os.close(writing)
            self._lines = opened.enter_context(os.fdopen(reading, "rb"))
            opened.callback(self._end)
            if seconds is not None:
                self.allow(seconds)
            self._cleaning_up = opened.pop_all()

    def __enter__(self) -> Conversation:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._cleaning_up.close()

    def events(self) -> Iterator[Event]:
        """What it answers, until it has ended."""
        for line in self._lines:
            event = decode(line)
            if event is not None:
                yield event
        status = self._process.wait()
        self.ended = f"did not answer within {self._seconds:g} seconds" if self.timed_out else describe_status(status)

    def allow(self, seconds: float) -> None:
        """Let it go on for so many seconds from now and no longer: Blender's own code cannot be interrupted."""
        self._cancel()
        self._seconds = seconds
        self._timer = Timer(seconds, self._time_out)
        self._timer.daemon = True
        self._timer.start()

    def _time_out(self) -> None:
        self.timed_out = True
        self._process.kill()

    def _cancel(self) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def _end(self) -> None:
        self._cancel()
        self._process.kill()
        self._process.wait()
