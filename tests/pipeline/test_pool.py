from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from animerun_gen.engines.children import Conditions
from animerun_gen.engines.pool import Child, Children, start_pool
from animerun_gen.engines.processes import descendants
from animerun_gen.errors import DatasetError


@dataclass(frozen=True)
class Square:
    number: int

    def run(self) -> tuple[int, int]:
        # the first takes longest, so the others are done before it
        time.sleep(0.2 if self.number == 0 else 0)
        if self.number == 7:
            raise DatasetError("seven cannot be squared")
        if self.number == 8:
            os._exit(1)
        if self.number == 9:
            time.sleep(60)
        return self.number**2, os.getpid()


@pytest.mark.parametrize("workers", [1, 2])
def test_results_come_in_the_order_of_the_tasks(workers: int) -> None:
    done: list[None] = []
    with start_pool(workers, "a drawing process") as pool:
        results = list(pool.results([Square(number) for number in range(6)], lambda: done.append(None)))
        assert [square for square, _ in results] == [0, 1, 4, 9, 16, 25]
        assert len(done) == 6
        assert ({process for _, process in results} == {os.getpid()}) == (workers == 1)
        with pytest.raises(DatasetError, match="seven"):
            list(pool.results([Square(7), Square(1)]))
        # a task that failed leaves the pool as it was
        assert [square for square, _ in pool.results([Square(3)])] == [9]


def test_a_process_that_dies_is_told_in_a_sentence() -> None:
    with (
        start_pool(2, "a drawing process") as pool,
        pytest.raises(DatasetError, match="a drawing process died, possibly because memory ran out"),
    ):
        list(pool.results([Square(8), Square(1)]))


def test_a_script_needs_no_guard_to_use_several_processes(tmp_path: Path) -> None:
    """What a pool starts does not run the script again."""
    script = tmp_path / "script.py"
    script.write_text(
        "from animerun_gen.engines.pool import start_pool\n"
        "from tests.pipeline.test_pool import Square\n"
        "print('begun')\n"
        "with start_pool(2, 'a process') as pool:\n"
        "    print([square for square, _ in pool.results([Square(2), Square(3)])])\n"
    )
    project = Path(__file__).parent.parent.parent
    done = subprocess.run(
        [sys.executable, script],
        env=os.environ | {"PYTHONPATH": str(project)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "begun\n[4, 9]\n"


@pytest.mark.timeout(30)
def test_processes_end_with_the_block_whatever_they_do() -> None:
    with start_pool(2, "a process") as pool:
        assert next(pool.results([Square(2), Square(9), Square(9)]))[0] == 4
    assert not [one for one in descendants(os.getpid()) if b"pool_child" in Path(f"/proc/{one}/cmdline").read_bytes()]


@pytest.mark.timeout(30)
def test_a_process_that_is_being_started_ends_with_the_block(monkeypatch: pytest.MonkeyPatch) -> None:
    asked, closed, take = threading.Event(), threading.Event(), Children.take

    def take_late(self: Children, conditions: Conditions) -> Child:
        asked.set()
        assert closed.wait(20)
        return take(self, conditions)

    class Closing(set[Child]):
        """Nothing is busy yet when the busy ones are ended."""

        def __iter__(self) -> Iterator[Child]:
            closed.set()
            return super().__iter__()

    monkeypatch.setattr(Children, "take", take_late)
    with start_pool(2, "a process") as pool:
        pool._busy = Closing()
        results = pool.results([Square(9)])

        def wait() -> None:
            with suppress(DatasetError):
                next(results)

        waiting = threading.Thread(target=wait)
        waiting.start()
        assert asked.wait(20)
    waiting.join()
