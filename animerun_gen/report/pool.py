"""Runs tasks side by side in processes, in order."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import get_context
from typing import Protocol, TypeVar

from animerun_gen.engines.lifetime import begin_as_worker
from animerun_gen.errors import DatasetError

_Result = TypeVar("_Result", covariant=True)


class Task(Protocol[_Result]):
    """Something to do that another process can be handed."""

    def run(self) -> _Result:
        """Do it."""


class Pool:
    """Does tasks in several processes, or in this one.

    Args:
        executor: The processes; None: this one.
    """

    def __init__(self, executor: Executor | None) -> None:
        self._executor = executor

    def results(self, tasks: Sequence[Task[_Result]], done: Callable[[], None] | None = None) -> Iterator[_Result]:
        """What the tasks return, in their order.

        Args:
            tasks: What to do.
            done: Called after each.

        Raises:
            DatasetError: A process died.
        """
        futures: list[Future[_Result]] = []
        if self._executor is not None:
            futures = [self._executor.submit(task.run) for task in tasks]
        try:
            for place, task in enumerate(tasks):
                yield futures[place].result() if futures else task.run()
                if done is not None:
                    done()
        except BrokenProcessPool as error:
            raise DatasetError(
                "a process that draws pictures died, possibly because memory ran out",
                remedy="run the same command again, with fewer workers",
            ) from error
        finally:
            for future in futures:
                future.cancel()


@contextmanager
def start_pool(workers: int) -> Iterator[Pool]:
    """So many processes, for as long as the block lasts; they end with this process whatever ends it."""
    if workers == 1:
        yield Pool(None)
        return
    executor = ProcessPoolExecutor(workers, mp_context=get_context("spawn"), initializer=begin_as_worker)
    try:
        yield Pool(executor)
    finally:
        executor.shutdown(wait=False, cancel_futures=True)
