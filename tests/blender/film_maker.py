"""Makes ``.blend`` files for tests by scripts: a process that loads Blender once and forks for each of them.

Loading Blender takes most of the time that a small film takes.  A fork begins with a Blender that has done nothing yet,
so no script sees what another one left; and one that crashes takes only its own fork with it.
"""

from __future__ import annotations

import atexit
import json
import os
import select
import subprocess
import sys
import traceback
from contextlib import suppress
from functools import cache
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
PATIENCE = 120.0
"""Seconds after which a script is held to hang."""


class FilmMaker:
    """The process, seen from the tests; it ends with them."""

    def __init__(self) -> None:
        command = [sys.executable, "-m", "tests.blender.film_maker"]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=PROJECT, start_new_session=True
        )
        atexit.register(self.close)

    def run(self, script: str, log: Path) -> int:
        """Run a script.

        Args:
            script: Python; ``bpy`` can be imported at once.
            log: Where to put what it and Blender print.

        Returns:
            Its exit status, negative for a signal as in :mod:`subprocess`.
        """
        asked, answers = self._process.stdin, self._process.stdout
        assert asked is not None
        assert answers is not None
        asked.write(json.dumps([script, str(log)]) + "\n")
        asked.flush()
        if not select.select([answers], [], [], PATIENCE)[0]:
            self.close()
            film_maker.cache_clear()
            raise TimeoutError(f"a script that makes a film hangs; see {log}")
        answer = answers.readline()
        if not answer:
            film_maker.cache_clear()
            raise ChildProcessError(f"the process that makes films is no more; see {log}")
        return int(answer)

    def close(self) -> None:
        """End it and whatever it runs."""
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, 9)
        self._process.wait()


@cache
def film_maker() -> FilmMaker:
    """The one of this process."""
    return FilmMaker()


def main() -> None:
    import bpy  # noqa: F401

    # what Blender prints is no answer
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    for line in sys.stdin:
        script, log = json.loads(line)
        child = os.fork()
        if child == 0:
            _run(script, log)
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), file=answers, flush=True)


def _run(script: str, log: str) -> None:
    """Run a script in this process and end it, without what Blender does when it ends."""
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(descriptor, 1)
    os.dup2(descriptor, 2)
    status = 0
    try:
        exec(compile(script, "<film>", "exec"), {"__name__": "__main__"})
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        traceback.print_exc()
        status = 1
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


if __name__ == "__main__":
    main()
