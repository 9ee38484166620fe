from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import pytest

from animerun_gen.dataset.layout import state_folder
from animerun_gen.engines import fence as module
from animerun_gen.engines.children import Conditions
from animerun_gen.engines.fence import Fence, RunOver, fence_file, fence_of_parent, fenced


@pytest.fixture
def output(tmp_path: Path) -> Path:
    state_folder(tmp_path).mkdir()
    return tmp_path


def test_work_of_a_run_may_begin_only_as_long_as_it_goes_on(output: Path) -> None:
    with fenced(output, print) as first:
        assert first.is_up()
        with first.inside(), first.inside():
            pass
    assert not first.is_up()
    with pytest.raises(RunOver), first.inside():
        raise AssertionError("it is over")
    with fenced(output, print) as second:
        assert second.is_up()
        with pytest.raises(RunOver), first.inside():
            raise AssertionError("another run goes on")


@pytest.mark.parametrize("content", [None, b"", b"\xff\xfe", b"another"])
def test_whatever_else_stands_there_is_no_permission(output: Path, content: bytes | None) -> None:
    with fenced(output, print) as fence:
        if content is None:
            fence_file(output).unlink()
        else:
            fence_file(output).write_bytes(content)
        assert not fence.is_up()
    assert not Fence(output / "nowhere", "x").is_up()


def test_a_new_run_waits_for_the_writers_of_the_one_before_and_says_so(
    output: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PATIENT_SECONDS", 0.1)
    state_folder(output).mkdir(exist_ok=True)
    fence_file(output).write_text("token of a killed run")
    killed = Fence(output, "token of a killed run")
    order: list[str] = []
    release, inside = threading.Event(), threading.Event()

    def orphan() -> None:
        with killed.inside():
            inside.set()
            release.wait(20.0)
            # what it sees now: it has to end
            order.append("orphan ends" if not killed.is_up() else "orphan was not told")

    def say(sentence: str) -> None:
        order.append(sentence)
        release.set()

    thread = threading.Thread(target=orphan)
    thread.start()
    inside.wait(20.0)
    with fenced(output, say):
        order.append("begins")
    thread.join()
    waiting = "waiting for work that an earlier run handed out to end: it still writes into"
    assert order == [f"{waiting} {output}; press Ctrl-C to stop waiting", "orphan ends", "begins"]


def test_a_child_finds_the_fence_of_the_run_that_started_it(output: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(module.TOKEN, raising=False)
    assert fence_of_parent(output) is None
    with fenced(output, print) as fence:
        for name, value in Conditions(fence=fence).environment().items():
            monkeypatch.setenv(name, value)
        assert fence_of_parent(output) == fence
        Conditions(fence=fence).require_run()
    with pytest.raises(RunOver):
        Conditions(fence=fence).require_run()


def test_a_child_that_hangs_before_it_is_tied_to_its_parent_holds_nobody_up(output: Path) -> None:
    program = "import time; time.sleep(60)"
    with fenced(output, print) as fence, fence.inside():
        child = subprocess.Popen([sys.executable, "-I", "-S", "-c", program])
    said: list[str] = []
    with fenced(output, said.append):
        pass
    child.kill()
    child.wait()
    assert not said
