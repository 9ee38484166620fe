"""A Blender that is kept for many tests: it runs commands and scripts one after the other, in one process.

Loading Blender and the libraries takes most of the time that a command takes for a small film, and a program of its own
loads them three times: for itself, for the Blender that looks for camera cuts, and for the one that renders.  Here
commands render in the process that they run in, as scripts inside Blender do
(:class:`animerun_gen.blender.here.ThisBlender`).  Opening a film leaves nothing of the one before.

What must not depend on the process that does it is done again in a second one, which has other hashes and has opened
other films before.  What is about processes (several workers, crashes, limits, environments) starts programs of its
own: ``run_cli``.
"""

from __future__ import annotations

import atexit
import ctypes
import json
import os
import selectors
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import IO

from animerun_gen.engines.blenders import Engine
from animerun_gen.engines.job import Reporter
from animerun_gen.engines.lifetime import die_with_parent, with_parent
from animerun_gen.engines.protocol import Event
from animerun_gen.errors import AnimerunGenError
from animerun_gen.shot.question import Question

PROJECT = Path(__file__).resolve().parents[2]
PATIENCE = 850.0
"""Seconds after which what runs is held to hang; pytest gives up a little later."""


class KeptBlender:
    """The process, seen from the tests; it ends with them."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="kept-blender-")
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.blender.kept_blender", self._folder.name],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=PROJECT,
            env=with_parent(dict(os.environ)),
        )
        atexit.register(self.close)

    def run(self, kind: str, what: list[str]) -> subprocess.CompletedProcess[str]:
        """Run something.

        Args:
            kind: A key of :data:`KINDS`.
            what: The words of a command line, or a script and its arguments, as ``python -c`` takes them.

        Returns:
            What became of it, as if it had been a program.
        """
        asked, answers = self._process.stdin, self._process.stdout
        assert asked is not None
        assert answers is not None
        try:
            asked.write(json.dumps([kind, what]) + "\n")
            asked.flush()
            with selectors.DefaultSelector() as selector:
                selector.register(answers, selectors.EVENT_READ)
                answer = answers.readline() if selector.select(PATIENCE) else ""
        except BrokenPipeError:
            answer = ""
        said, complained = (
            Path(self._folder.name, name).read_text(encoding="utf-8", errors="replace") for name in ("out", "err")
        )
        if not answer:
            # the next one gets another Blender
            kept_blender.cache_clear()
            self.close()
        status = int(answer or self._process.returncode)
        return subprocess.CompletedProcess([kind, *what], status, said, complained)

    def close(self) -> None:
        """End it and whatever it does."""
        self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                with suppress(OSError):
                    stream.close()
        self._folder.cleanup()
        atexit.unregister(self.close)


@cache
def kept_blender(number: int = 0) -> KeptBlender:
    """Those of this process: one for most tests, and another one for what must not depend on the process."""
    return KeptBlender()


def _command(words: list[str]) -> int:
    from animerun_gen.cli import main

    return main(words)


def _script(what: list[str]) -> int:
    text, *arguments = what
    sys.argv = ["-c", *arguments]
    exec(compile(text, "<script>", "exec"), {"__name__": "__main__"})
    return 0


def _render_here() -> None:
    """Let commands use this process instead of children."""
    from animerun_gen.blender.here import ThisBlender
    from animerun_gen.engines import blenders
    from animerun_gen.pipeline import run
    from animerun_gen.shot import run as shot_run

    def find(blender: str | None = None) -> Engine:
        return ThisBlender() if blender is None else blenders.find_engine(blender)

    run.find_engine = find  # type: ignore[attr-defined, assignment]
    shot_run._asked = lambda engine, question, log: _Inspection(question, log)  # type: ignore[assignment, return-value]


class _Inspection:
    """Looks at a shot here; what :class:`animerun_gen.engines.conversation.Conversation` is for a process."""

    def __init__(self, question: Question, log: IO[bytes]) -> None:
        self._question = question
        self._log = Path(log.name)

    def __enter__(self) -> _Inspection:
        return self

    def __exit__(self, *raised: object) -> None:
        pass

    def events(self) -> list[Event]:
        from animerun_gen.blender.here import _output_to
        from animerun_gen.blender.inspector import tell

        told: list[Event] = []
        reporter = Reporter(told.append)
        with _output_to(self._log):
            try:
                tell(replace(self._question, source=self._question.source.absolute()), reporter)
            except AnimerunGenError as error:
                reporter.failed(type(error).__name__, str(error))
        return told

    def allow(self, seconds: float) -> None:
        """Nothing is timed."""


KINDS: dict[str, Callable[[list[str]], int]] = {"command": _command, "script": _script}


def _status(run: Callable[[list[str]], int], what: list[str]) -> int:
    try:
        return run(what)
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        traceback.print_exc()
        return 1


def _serve(folder: Path) -> None:
    """Do what comes through the standard input until it is closed."""
    die_with_parent()
    requests, answers = os.fdopen(os.dup(0), encoding="utf-8"), os.fdopen(os.dup(1), "w", encoding="utf-8")
    with open(os.devnull) as nothing:
        os.dup2(nothing.fileno(), 0)
    # what is printed is no answer
    os.dup2(2, 1)

    _render_here()
    for line in requests:
        kind, what = json.loads(line)
        before = os.dup(1), os.dup(2)
        for descriptor, name in ((1, "out"), (2, "err")):
            with open(folder / name, "wb") as file:
                os.dup2(file.fileno(), descriptor)
        status = _status(KINDS[kind], what)
        sys.stdout.flush()
        sys.stderr.flush()
        ctypes.CDLL(None).fflush(None)
        for descriptor, old in zip((1, 2), before, strict=True):
            os.dup2(old, descriptor)
            os.close(old)
        print(status, file=answers, flush=True)


if __name__ == "__main__":
    _serve(Path(sys.argv[1]))
    sys.stdout.flush()
    # Blender's own exit handlers can hang or crash after everything is done
    os._exit(0)
