"""Does chunks on this machine."""

from __future__ import annotations

import os
import queue
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from animerun_gen.blender.job import Event
from animerun_gen.pipeline.children import Conditions
from animerun_gen.pipeline.chunks import Chunk, TaskChunk, do_chunk
from animerun_gen.pipeline.engines import JobRun
from animerun_gen.pipeline.fence import Fence
from animerun_gen.pipeline.scheduling import Ended, Message, Told
from animerun_gen.pipeline.task_process import end_idle_children


@dataclass(frozen=True)
class _Mistake:
    """A thread met an error that nobody foresaw."""

    error: BaseException


class LocalExecutor:
    """Does each chunk in a child process.

    Args:
        workers: How many at once.
        patience: Seconds without an event after which a child that does not compute either is held to hang.
        fence: What the children must stay behind.
    """

    def __init__(self, workers: int, patience: float, fence: Fence) -> None:
        self._workers = workers
        self._conditions = Conditions(threads_for(workers), patience, fence)
        self._wanted: queue.SimpleQueue[tuple[int, JobRun] | None] = queue.SimpleQueue()
        self._news: queue.SimpleQueue[Message | _Mistake] = queue.SimpleQueue()
        self._runs: dict[int, JobRun] = {}
        self._threads: list[threading.Thread] = []

    def slots(self) -> int:
        return self._workers

    def fits(self, chunk: Chunk, running: int) -> bool:
        return True

    def submit(self, ticket: int, chunk: Chunk, avoid: frozenset[str]) -> None:
        run = chunk.start(self._conditions)
        self._runs[ticket] = run
        if len(self._threads) < min(self._workers, len(self._runs)):
            thread = threading.Thread(target=self._serve, daemon=True)
            self._threads.append(thread)
            thread.start()
        self._wanted.put((ticket, run))

    def messages(self, seconds: float) -> Sequence[Message]:
        found: list[Message] = []
        try:
            news: Any = self._news.get(timeout=seconds)
            while True:
                if isinstance(news, _Mistake):
                    raise news.error
                if isinstance(news, Ended):
                    del self._runs[news.ticket]
                found.append(news)
                news = self._news.get_nowait()
        except queue.Empty:
            return found

    def close(self) -> None:
        for run in list(self._runs.values()):
            run.kill()
        for _ in self._threads:
            self._wanted.put(None)
        for thread in self._threads:
            thread.join()
        end_idle_children()

    def _serve(self) -> None:
        """Do one chunk after the other; children end with the thread that started them, so it stays."""
        while (wanted := self._wanted.get()) is not None:
            ticket, run = wanted

            def tell(event: Event, ticket: int = ticket) -> None:
                self._news.put(Told(ticket, event))

            try:
                self._news.put(Ended(ticket, do_chunk(run, tell)))
            except BaseException as error:
                self._news.put(_Mistake(error))


class InlineExecutor:
    """Does each chunk in the calling thread, for a Blender that runs in this process and wants the main one.

    Args:
        on_event: Is told at once what a chunk tells.
    """

    def __init__(self, on_event: Callable[[Chunk, Event], None]) -> None:
        self._next: tuple[int, Chunk] | None = None
        self._on_event = on_event

    def slots(self) -> int:
        return 1

    def fits(self, chunk: Chunk, running: int) -> bool:
        return True

    def submit(self, ticket: int, chunk: Chunk, avoid: frozenset[str]) -> None:
        self._next = (ticket, chunk)

    def messages(self, seconds: float) -> Sequence[Message]:
        if self._next is None:
            return ()
        (ticket, chunk), self._next = self._next, None
        run = chunk.start_here() if isinstance(chunk, TaskChunk) else chunk.start(Conditions())
        return (Ended(ticket, do_chunk(run, partial(self._on_event, chunk))),)

    def close(self) -> None:
        """Nothing is under way."""


def threads_for(workers: int) -> int:
    """How many threads each of several workers may start, so that together they use each processor once."""
    processors = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, processors // workers)
