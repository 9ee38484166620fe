"""What becomes of a dataset whose generator is killed: nothing that the next run does not mend."""

from __future__ import annotations

import ctypes
import multiprocessing
import os
import random
import shutil
import signal
import sys
import threading
import time
from collections.abc import Callable
from functools import partial
from multiprocessing.process import BaseProcess
from pathlib import Path

import pytest

from animerun_gen.config import CutConfig
from animerun_gen.engines.blenders import Engine
from animerun_gen.engines.processes import descendants
from animerun_gen.pipeline.options import Options
from animerun_gen.pipeline.run import generate
from tests.pipeline.datasets import contents, make, make_cut, stage_of
from tests.pipeline.fake_engine import FakeEngine, FakeProgram

CLIP = {"frames": {"last": 4}, "motion": {"gaps": [1, 2], "tracks": 3}, "recolor": {"passes": 2}}
CHANGED = {"style": {"background": "#102030"}}


@pytest.fixture(scope="module")
def clean_fork() -> multiprocessing.context.ForkServerContext:
    """Starts processes quickly, from a server that has everything imported and runs no threads."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.pipeline.test_killed"])
    return context


def run_in_process(config: CutConfig, output: Path, engine: Engine) -> None:
    # progress bars of processes that are about to be killed are of no interest
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    make(config, output, engine)


def is_part_of(output: Path, whole: dict[str, bytes]) -> bool:
    """Whether every file of the dataset that has its final name is complete."""
    there = {name: data for name, data in contents(output).items() if stage_of(name) and ".animerun-part" not in name}
    return all(whole.get(name) == data for name, data in there.items())


def has_files(folder: Path, count: int) -> bool:
    return len(list(folder.rglob("*.*"))) >= count


def hidden_leftovers(output: Path) -> list[Path]:
    return list(output.rglob(".animerun-part*"))


DISK = ("open", "os.mkdir", "os.rename", "os.remove", "os.link", "os.rmdir")
"""What a run does to files, as Python's audit hooks call it."""


def run_until(config: CutConfig, output: Path, moment: int, seen: ctypes.c_int) -> None:
    """A run that is killed when it turns to the files of its dataset for a certain time.

    Args:
        config: The cut.
        output: Root folder of the dataset.
        moment: Which time that is, from 1; 0: it is not killed.
        seen: Counts the times, for the process that started this one.
    """

    def count(event: str, arguments: tuple[object, ...]) -> None:
        if event in DISK and str(arguments[0]).startswith(str(output)):
            seen.value += 1
            if seen.value == moment:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(count)
    run_in_process(config, output, FakeEngine())


@pytest.mark.parametrize("changed", [False, True], ids=["fresh", "changed"])
def test_killed_at_ten_moments(
    tmp_path: Path, clean_fork: multiprocessing.context.ForkServerContext, changed: bool
) -> None:
    config, earlier = make_cut(tmp_path, CLIP), tmp_path / "earlier"
    earlier.mkdir()
    if changed:
        make(make_cut(tmp_path, {**CLIP, **CHANGED}), earlier, FakeEngine())

    def killed_at(moment: int) -> tuple[Path, int, int | None]:
        """The dataset, how often the run had turned to it, and how it ended."""
        seen, output = clean_fork.RawValue(ctypes.c_int, 0), tmp_path / f"killed {moment}"
        shutil.copytree(earlier, output)
        process = clean_fork.Process(target=run_until, args=(config, output, moment, seen))
        process.start()
        process.join()
        return output, seen.value, process.exitcode

    undisturbed, times, status = killed_at(0)
    assert status == 0
    assert times > 200
    whole = contents(undisturbed)
    dice = random.Random(7)
    for part in range(10):
        moment = int(times * (part + dice.random()) / 11)
        output, _, status = killed_at(1 + moment)
        assert status == -signal.SIGKILL
        if not changed:
            assert is_part_of(output, whole)
        make(config, output, FakeEngine())
        assert contents(output) == whole
        assert not hidden_leftovers(output)


def test_killed_while_a_child_renders(tmp_path: Path, clean_fork: multiprocessing.context.ForkServerContext) -> None:
    config, output = make_cut(tmp_path, CLIP), tmp_path / "out"
    make(config, tmp_path / "undisturbed", FakeEngine())
    whole = contents(tmp_path / "undisturbed")
    for wanted in (1, 7, 15):
        process = clean_fork.Process(target=run_in_process, args=(config, output, FakeProgram(delay=0.02)))
        process.start()
        wait_until(partial(has_files, output / "train", wanted), process)
        process.kill()
        process.join()
        assert is_part_of(output, whole)
    make(config, output, FakeEngine())
    assert contents(output) == whole
    assert not hidden_leftovers(output)


def test_what_a_killed_run_started_ends_with_it(
    tmp_path: Path, clean_fork: multiprocessing.context.ForkServerContext
) -> None:
    config, output = make_cut(tmp_path), tmp_path / "out"
    process = clean_fork.Process(target=run_in_process, args=(config, output, FakeProgram(delay=60.0)))
    process.start()
    wait_until(lambda: (output / "train/MaterialId/square/names.json").exists(), process)
    assert process.pid is not None
    [child] = descendants(process.pid)
    wait_until(lambda: state_of(child) == "S", process)
    process.kill()
    process.join()
    for _ in range(6000):
        if state_of(child) in (None, "Z"):
            break
        time.sleep(0.01)
    else:
        raise AssertionError("it is still there")


def state_of(process: int) -> str | None:
    """The letter by which the system describes a process; None where there is none."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return None


def wait_until(condition: Callable[[], bool], process: BaseProcess) -> None:
    for _ in range(4000):
        if condition():
            return
        assert process.is_alive()
        time.sleep(0.005)
    raise AssertionError("that took too long")


def hold_lock(config: CutConfig, output: Path) -> None:
    run_in_process(config, output, FakeEngine(delay=60.0))


def test_a_killed_run_lets_go_of_its_output(
    tmp_path: Path, clean_fork: multiprocessing.context.ForkServerContext
) -> None:
    config, output = make_cut(tmp_path), tmp_path / "out"
    process = clean_fork.Process(target=hold_lock, args=(config, output))
    process.start()
    wait_until(lambda: (output / ".animerun-gen/cuts/square.json").exists(), process)
    with pytest.raises(Exception, match=rf"another run \(process {process.pid}\) is writing to"):
        make(config, output, FakeEngine())
    process.kill()
    process.join()
    make(config, output, FakeEngine())


@pytest.mark.parametrize("workers", [1, 3])
def test_ctrl_c_ends_all_children_at_once(tmp_path: Path, workers: int) -> None:
    cuts, output = [make_cut(tmp_path, {"name": name}) for name in ("a", "b", "c", "d", "e")], tmp_path / "out"
    over = threading.Event()

    def interrupt() -> None:
        """Ctrl-C, as soon as every worker has a child that begins to render."""
        while len(list(output.glob("train/MaterialId/*/names.json"))) < workers and not over.wait(0.01):
            pass
        os.kill(os.getpid(), signal.SIGINT)

    # a shell that started this process in the background had it ignored
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    killer = threading.Thread(target=interrupt)
    killer.start()
    try:
        with pytest.raises(KeyboardInterrupt):
            generate(cuts, Options(output, FakeProgram(delay=600.0), workers=workers))
    finally:
        over.set()
        killer.join()
        signal.signal(signal.SIGINT, before)
    # nobody is left who could write
    assert not [entry for entry in os.scandir("/proc") if entry.name.isdecimal() and is_child(int(entry.name))]


def is_child(process: int) -> bool:
    try:
        command = Path(f"/proc/{process}/cmdline").read_bytes()
        parent = int(Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return False
    return parent == os.getpid() and b"fake_engine.py" in command
