"""Does chunks on this machine."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from animerun_gen.engines.blenders import JobRun
from animerun_gen.engines.children import Conditions
from animerun_gen.engines.fence import Fence
from animerun_gen.engines.processes import Memory, memory, usable_processors
from animerun_gen.engines.protocol import Event
from animerun_gen.pipeline.chunks import Chunk, TaskChunk, do_chunk
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
        peaks: Bytes that a Blender held at most in earlier runs, by cut, where that is known.
        despite_memory: Whether frames are begun that are predicted not to fit into the memory.
        memory: Tells how much memory there is.
    """

    def __init__(
        self,
        workers: int,
        patience: float,
        fence: Fence,
        say: Callable[[str], None],
        peaks: Mapping[str, int] | None = None,
        despite_memory: bool = False,
        memory: Callable[[], Memory | None] = memory,
    ) -> None:
        self._workers = workers
        self._say = say
        self._memory = memory
        self._seen: dict[str, int] = dict(peaks or {})
        self._predicted: dict[str, int] = {}
        self._said: set[str] = set()
        self._stopped: set[int] = set()
        self._accompanied: set[int] = set()
        self._conditions = Conditions(threads_for(workers), patience, fence, despite_memory)
        self._wanted: queue.SimpleQueue[tuple[int, JobRun] | None] = queue.SimpleQueue()
        self._news: queue.SimpleQueue[Message | _Mistake] = queue.SimpleQueue()
        self._runs: dict[int, tuple[Chunk, JobRun]] = {}
        self._threads: list[threading.Thread] = []

    def slots(self) -> int:
        return self._workers

    def fits(self, chunk: Chunk) -> bool:
        if not chunk.renders or (now := self._memory()) is None:
            return True
        needed = self._needed(chunk.cut)
        if needed + self._growth() <= now.available:
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
        others = [other for other, (one, _) in self._runs.items() if one.renders]
        if chunk.renders and others:
            self._accompanied.update(others, {ticket})
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
                elif isinstance(news, Told):
                    self._note_prediction(news)
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
        accompanied, stopped = news.ticket in self._accompanied, news.ticket in self._stopped
        self._accompanied.discard(news.ticket)
        self._stopped.discard(news.ticket)
        if news.outcome.status == "no_room":
            return self._without_room(chunk, news, accompanied)
        if chunk.renders:
            self._seen[chunk.cut] = max(news.outcome.peak, self._seen.get(chunk.cut, 0))
        # one that had not started yet says that it failed
        if not stopped or news.outcome.status not in {"died", "failed"}:
            return news
        what = "Blender was ended because memory had run out or was about to"
        return Ended(news.ticket, replace(news.outcome, status="stopped", what=what))

    def _rendering(self) -> list[tuple[Chunk, int]]:
        """The chunks that a Blender works on, with the bytes that it was seen to hold."""
        return [(chunk, getattr(run, "peak", 0)) for chunk, run in self._runs.values() if chunk.renders]

    def _needed(self, cut: str) -> int:
        """What a Blender of a cut needs: what was seen tells more than what one predicted, which is rather too much."""
        running = max((held for one, held in self._rendering() if one.cut == cut), default=0)
        return max(running, self._seen.get(cut) or self._predicted.get(cut, 0))

    def _growth(self) -> int:
        """What the Blenders that run may still ask for."""
        return sum(max(0, self._needed(one.cut) - held) for one, held in self._rendering())

    def _note_prediction(self, news: Told) -> None:
        """A Blender has evaluated its scene and says what it will hold."""
        if news.event["event"] == "will_hold" and news.ticket in self._runs:
            cut = self._runs[news.ticket][0].cut
            self._predicted[cut] = max(news.event["memory"], self._predicted.get(cut, 0))

    def _without_room(self, chunk: Chunk, news: Ended, accompanied: bool) -> Ended:
        """A Blender did not begin a frame that would not have fitted; it may, when others have ended."""
        if not accompanied:
            return Ended(news.ticket, replace(news.outcome, status="failed"))
        # whatever parts of the cut were seen to need, this one needs more
        self._seen[chunk.cut] = max(self._predicted.get(chunk.cut, 0), self._seen.get(chunk.cut, 0))
        what = "there was not enough memory beside the other Blender processes"
        return Ended(news.ticket, replace(news.outcome, status="stopped", what=what))

    def _save_memory(self) -> None:
        """Rather end the youngest Blender than let the system swap, or kill whichever it likes."""
        now = self._memory()
        rendering = [ticket for ticket, (chunk, _) in self._runs.items() if chunk.renders]
        if now is None or len(rendering) < 2 or self._stopped:
            return
        if now.available <= LITTLE_MEMORY * now.total:
            self._workers = max(1, len(rendering) - 1)
            self._say(
                f"less than {100 * LITTLE_MEMORY:.0f}% of the memory is left: the youngest Blender process is "
                f"ended, and from now on only {self._workers} run at once"
            )
        elif (growth := self._growth()) > now.available:
            # of those that began together, before anything was known of their cut
            self._say(
                f"the {len(rendering)} Blenders will need {growth / 1e9:.1f} GB more, and {now.available / 1e9:.1f} GB "
                "are free: the youngest one is ended, and its work is restarted when memory is free"
            )
        else:
            return
        youngest = max(rendering)
        self._stopped.add(youngest)
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
        despite_memory: Whether frames are begun that are predicted not to fit into the memory.
    """

    def __init__(self, on_event: Callable[[Chunk, Event], None], despite_memory: bool = False) -> None:
        self._conditions = Conditions(despite_memory=despite_memory)
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
        run = chunk.start_here() if isinstance(chunk, TaskChunk) else chunk.start(self._conditions)
        return (Ended(ticket, do_chunk(run, partial(self._on_event, chunk))),)

    def close(self) -> None:
        """Nothing is under way."""


def threads_for(workers: int) -> int:
    """How many threads each of several workers may start, so that together they use each processor once."""
    return max(1, usable_processors() // workers)
