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
from animerun_gen.pipeline.state.lock import exclusive, holder, lock_file


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


@pytest.mark.parametrize("noted", ["", "12345", "12345 of another machine", "x y", "\u00e9"])
def test_who_runs_elsewhere_is_seen_but_not_named(tmp_path: Path, noted: str) -> None:
    with exclusive(tmp_path):
        # as a process of another machine or container, or one that has the lock and has not yet written, leaves it
        lock_file(tmp_path).write_text(noted)
        assert holder(tmp_path) == 0
        with pytest.raises(BusyError) as caught, exclusive(tmp_path):
            pass
    assert str(caught.value) == f"another run is writing to {tmp_path}; wait for it or stop it"


def test_whoever_is_killed_holds_it_no_more_whatever_the_file_says(tmp_path: Path) -> None:
    script = (
        "import sys, time; from pathlib import Path; from animerun_gen.pipeline.state.lock import exclusive\n"
        "with exclusive(Path(sys.argv[1])):\n    print('held', flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", script, str(tmp_path)], stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"held\n"
        assert holder(tmp_path) == child.pid
        child.kill()
        child.wait()
    assert lock_file(tmp_path).read_text().startswith(f"{child.pid} ")
    assert holder(tmp_path) is None
    with exclusive(tmp_path):
        assert holder(tmp_path) == os.getpid()


def test_looking_who_holds_it_does_not_let_it_go(tmp_path: Path) -> None:
    with exclusive(tmp_path):
        assert holder(tmp_path) == os.getpid()
        assert lock_file(tmp_path).read_text()
        with pytest.raises(BusyError), exclusive(tmp_path):
            pass
        assert holder(tmp_path) == os.getpid()


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

    monkeypatch.setattr(fcntl, "fcntl", refuse)
    with (
        pytest.raises(DatasetError, match="cannot be written to: No locks available; choose another"),
        exclusive(tmp_path),
    ):
        pass
