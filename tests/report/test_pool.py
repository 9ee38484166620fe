from __future__ import annotations

import os
import time
from dataclasses import dataclass

import pytest

from animerun_gen.errors import DatasetError
from animerun_gen.report.pool import start_pool


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
        return self.number**2, os.getpid()


@pytest.mark.parametrize("workers", [1, 2])
def test_results_come_in_the_order_of_the_tasks(workers: int) -> None:
    done = []
    with start_pool(workers) as pool:
        results = list(pool.results([Square(number) for number in range(6)], lambda: done.append(None)))
        assert [square for square, _ in results] == [0, 1, 4, 9, 16, 25]
        assert len(done) == 6
        assert ({process for _, process in results} == {os.getpid()}) == (workers == 1)
        with pytest.raises(DatasetError, match="seven"):
            list(pool.results([Square(7), Square(1)]))
        # a task that failed leaves the pool as it was
        assert [square for square, _ in pool.results([Square(3)])] == [9]


def test_a_process_that_dies_is_told_in_a_sentence() -> None:
    with start_pool(2) as pool, pytest.raises(DatasetError, match="died, possibly because memory ran out"):
        list(pool.results([Square(8), Square(1)]))
