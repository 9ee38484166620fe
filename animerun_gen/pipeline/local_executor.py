"""Does chunks on this machine."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from animerun_gen.blender.job import Event
from animerun_gen.pipeline.children import Conditions
from animerun_gen.pipeline.chunks import Chunk, TaskChunk, do_chunk
from animerun_gen.pipeline.engines import JobRun
from animerun_gen.pipeline.fence import Fence
from animerun_gen.pipeline.processes import Memory, memory, usable_processors
from animerun_gen.pipeline.scheduling import Ended, Message, Told
from animerun_gen.pipeline.task_process import end_idle_children

LITTLE_MEMORY = 0.05
"""Share of the memory; where less is left, a Blender is ended."""


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
        say: Takes a sentence for the user.
        memory: Tells how much memory there is.
    """

    def __init__(
        self,
        workers: int,
        patience: float,
        fence: Fence,
        say: Callable[[str], None],
        memory: Callable[[], Memory | None] = memory,
    ) -> None:
        self._workers = workers
        self._say = say
        self._memory = memory
        self._peaks: dict[str, int] = {}
        self._said: set[str] = set()
        self._stopped: set[int] = set()
        self._conditions = Conditions(threads_for(workers), patience, fence)
        self._wanted: queue.SimpleQueue[tuple[int, JobRun] | None] = queue.SimpleQueue()
        self._news: queue.SimpleQueue[Message | _Mistake] = queue.SimpleQueue()
        self._runs: dict[int, tuple[Chunk, JobRun]] = {}
        self._threads: list[threading.Thread] = []

    def slots(self) -> int:
        return self._workers

    def fits(self, chunk: Chunk) -> bool:
        if not chunk.renders or (now := self._memory()) is None:
            return True
        self._note_peaks()
        needed = self._peaks.get(chunk.cut, 0)
        # what runs already may still grow to what its cut was seen to need
        growth = sum(max(0, self._peaks.get(one.cut, 0) - held) for one, held in self._rendering())
        if needed + growth <= now.available:
            return True
        if chunk.cut not in self._said:
            self._said.add(chunk.cut)
            self._say(
                f"cut '{chunk.cut}' needs about {needed / 1e9:.1f} GB a worker: only {len(self._runs)} of "
                f"{self._workers} workers fit into the memory of this machine"
            )
        return False

    def submit(self, ticket: int, chunk: Chunk, avoid: frozenset[str]) -> None:
        run = chunk.start(self._conditions)
        self._runs[ticket] = (chunk, run)
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
                    news = self._ended(news)
                found.append(news)
                news = self._news.get_nowait()
        except queue.Empty:
            self._save_memory()
            return found

    def close(self) -> None:
        for _, run in list(self._runs.values()):
            run.kill()
        for _ in self._threads:
            self._wanted.put(None)
        for thread in self._threads:
            thread.join()
        end_idle_children()

    def _ended(self, news: Ended) -> Ended:
        chunk, _ = self._runs.pop(news.ticket)
        if chunk.renders:
            self._peaks[chunk.cut] = max(news.outcome.peak, self._peaks.get(chunk.cut, 0))
        if news.ticket not in self._stopped:
            return news
        self._stopped.discard(news.ticket)
        if news.outcome.status != "died":
            return news
        what = "memory was nearly used up, so that Blender was ended"
        return Ended(news.ticket, replace(news.outcome, status="stopped", what=what))

    def _rendering(self) -> list[tuple[Chunk, int]]:
        """The chunks that a Blender works on, with the bytes that it was seen to hold."""
        return [(chunk, getattr(run, "peak", 0)) for chunk, run in self._runs.values() if chunk.renders]

    def _note_peaks(self) -> None:
        for chunk, held in self._rendering():
            self._peaks[chunk.cut] = max(held, self._peaks.get(chunk.cut, 0))

    def _save_memory(self) -> None:
        """Rather end the youngest Blender than let the system kill whichever it likes."""
        now = self._memory()
        rendering = [ticket for ticket, (chunk, _) in self._runs.items() if chunk.renders]
        if now is None or now.available > LITTLE_MEMORY * now.total or len(rendering) < 2 or self._stopped:
            return
        youngest = max(rendering)
        self._stopped.add(youngest)
        self._workers = max(1, len(rendering) - 1)
        self._say(
            f"less than {100 * LITTLE_MEMORY:.0f} % of the memory is left: the youngest Blender is ended, and from now "
            f"on only {self._workers} work side by side"
        )
        self._runs[youngest][1].kill()

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

    def fits(self, chunk: Chunk) -> bool:
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
    return max(1, usable_processors() // workers)
