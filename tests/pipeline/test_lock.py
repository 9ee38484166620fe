from __future__ import annotations

import errno
import fcntl
import os
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

from animerun_gen.errors import BusyError, DatasetError
from animerun_gen.pipeline.state.lock import exclusive


def test_one_at_a_time_and_then_the_next(tmp_path: Path) -> None:
    with exclusive(tmp_path / "new" / "out"), pytest.raises(BusyError), exclusive(tmp_path / "new" / "out"):
        pass
    with exclusive(tmp_path / "new" / "out"), exclusive(tmp_path / "other"):
        pass


def test_an_error_inside_lets_go(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="mine"), exclusive(tmp_path):
        raise OSError("mine")
    with exclusive(tmp_path):
        pass


def test_the_sentence_names_the_process_that_holds_it_now(tmp_path: Path) -> None:
    lock = tmp_path / ".animerun-gen" / "lock"
    lock.parent.mkdir()
    # what a run with a longer number left behind
    lock.write_text("1234567890")
    with exclusive(tmp_path), pytest.raises(BusyError) as caught, exclusive(tmp_path):
        pass
    sentence = f"another run (process {os.getpid()}) is writing to {tmp_path}; wait for it or stop it"
    assert str(caught.value) == sentence
    assert caught.value.exit_status == 1


def test_children_do_not_hold_it(tmp_path: Path) -> None:
    with exclusive(tmp_path):
        child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, close_fds=False)
    try:
        # the system closes the child's copy of the lock a moment after the child has begun
        for _ in range(50):
            with suppress(BusyError), exclusive(tmp_path):
                return
            time.sleep(0.1)
        pytest.fail("the child holds the lock")
    finally:
        child.communicate()


def test_a_file_system_without_locks_is_not_taken_for_another_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*arguments: object) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", refuse)
    with (
        pytest.raises(DatasetError, match="cannot be written to: No locks available; choose another"),
        exclusive(tmp_path),
    ):
        pass
