"""Gets chunks done, each as soon as what it needs is there, and tells what comes of them."""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Protocol

from animerun_gen.engines.blenders import JobRun
from animerun_gen.engines.children import Conditions
from animerun_gen.engines.interrupts import remembered_interrupts
from animerun_gen.engines.protocol import Event
from animerun_gen.errors import AnimerunGenError
from animerun_gen.pipeline.chunks import Chunk, Product, TaskChunk
from animerun_gen.pipeline.doing import ChunkEvent, Doing, Orders, Surroundings, gate_of_run
from animerun_gen.pipeline.notebook import Notebook

WAIT_SECONDS = 1.0
"""Between two looks at a crew that has nothing to tell."""

LATE = 3
"""So many times what is done at once is rendered at the end without labels in between."""

FIRST, LAST = 10**6, -(10**6)
"""Priorities of what comes before and after all rendering."""


class FarmLost(AnimerunGenError):
    """Whoever does the chunks cannot be reached any more."""


class Ear(Protocol):
    """Hears of chunks by their numbers."""

    def told(self, number: int, event: ChunkEvent) -> None:
        """A chunk under way told something."""

    def ended(self, number: int, events: Sequence[ChunkEvent]) -> None:
        """A chunk is done or given up; its events may have been told before."""


class Crew(Protocol):
    """Does chunks, several at once."""

    def slots(self) -> int:
        """How many chunks it does at once; waits until it can do any.

        Raises:
            FarmLost: It never will.
        """

    def submit(self, number: int, chunk: Chunk, makers: Sequence[int], priority: int) -> None:
        """Have a chunk done when others have ended; all that comes of it has its number.

        Args:
            number: Stands for the chunk.
            chunk: What to do.
            makers: The numbers of chunks that have to have ended before; they were submitted and have not ended.
            priority: Of what can be begun, the highest is begun first.

        Raises:
            FarmLost: The crew cannot be reached.
        """

    def attend(self, seconds: float, ear: Ear) -> None:
        """Pass on what comes in, waiting so long for the first of it.

        Raises:
            FarmLost: There is nobody to wait for.
        """

    def close(self) -> None:
        """End everything that is under way."""


class Listener(Protocol):
    """Is told what happens to chunks.  Everything may come twice."""

    def on_event(self, chunk: Chunk, event: Event) -> None:
        """A chunk told something."""

    def on_retry(self, chunk: Chunk, note: str) -> None:
        """A chunk is begun again, or in smaller pieces."""

    def on_failure(self, chunk: Chunk, sentence: str) -> None:
        """A chunk, or a part of it, was given up."""

    def on_peak(self, chunk: Chunk, peak: int) -> None:
        """The child that did a chunk, or a part of it, held so many bytes of memory at most."""


@dataclass
class _Group:
    """Chunks after whose end something is to be called."""

    left: int
    then: Callable[[], None]


@dataclass
class _Entry:
    """A chunk that has not ended."""

    chunk: Chunk
    is_late: bool = False
    groups: list[_Group] = field(default_factory=list)


class Farm:
    """Has chunks done by a crew.

    What needs something that failed is begun nevertheless: it does what it can.

    Args:
        crew: Does the chunks.
        listener: Is told what happens.
    """

    def __init__(self, crew: Crew, listener: Listener) -> None:
        self._crew = crew
        self._listener = listener
        self._makers: dict[Product, int] = {}
        self._open: dict[int, _Entry] = {}
        self._new: list[tuple[int, _Entry]] = []
        self._due: list[Callable[[], None]] = []
        self._count = 0
        self._rendered = 0

    def add(self, chunks: Iterable[Chunk], then: Callable[[], None] | None = None) -> None:
        """Take in chunks; what they need and nobody makes is taken to be there.

        Args:
            chunks: Chunks, makers before those that need what they make.
            then: Called when all of them have ended, done or given up; it may add more.
        """
        added = sorted(chunks, key=lambda chunk: -chunk.cost)
        groups = [] if then is None else [_Group(len(added), then)]
        for chunk in added:
            entry = _Entry(chunk, groups=groups)
            self._open[self._count] = entry
            self._new.append((self._count, entry))
            self._makers.update(dict.fromkeys(chunk.makes, self._count))
            self._count += 1
        if then is not None and not added:
            self._due.append(then)

    def run(self) -> None:
        """Get everything done.

        Raises:
            FarmLost: The crew cannot be reached any more; what it did not do is told to the listener as given up.
        """
        try:
            with remembered_interrupts() as require_none:
                while self._open or self._due:
                    while self._due:
                        self._due.pop(0)()
                    self._submit_new()
                    if self._open:
                        self._crew.attend(WAIT_SECONDS, self)
                    require_none()
        except FarmLost as error:
            for entry in self._open.values():
                self._listener.on_failure(entry.chunk, f"cut '{entry.chunk.cut}': {error}")
            raise

    def told(self, number: int, event: ChunkEvent) -> None:
        """A chunk under way told something."""
        if (entry := self._open.get(number)) is not None:
            self._hear(entry.chunk, event)

    def ended(self, number: int, events: Sequence[ChunkEvent]) -> None:
        """A chunk is done or given up.

        It may end twice: Dask does it again when a worker is lost that knew what had come of it.
        """
        if (entry := self._open.get(number)) is None:
            return
        for event in events:
            self._hear(entry.chunk, event)
        del self._open[number]
        for group in entry.groups:
            group.left -= 1
            if not group.left:
                self._due.append(group.then)

    def _submit_new(self) -> None:
        """Submit what was added: what renders the longest first, and the rest around it.

        Labels, which are quick, come first as long as there is much to render, so that cuts become complete one by one;
        near the end they fill the gaps that rendering leaves.
        """
        if not self._new:
            return
        new, self._new = self._new, []
        late = LATE * self._crew.slots()
        rendering = sorted((one for one in new if one[1].chunk.renders), key=lambda one: -one[1].chunk.cost)
        for place, (number, entry) in enumerate(rendering):
            entry.is_late = place >= len(rendering) - late
            self._submit(number, entry, -self._rendered)
            self._rendered += 1
        is_near_end = sum(entry.chunk.renders for entry in self._open.values()) <= late
        for number, entry in new:
            if not entry.chunk.renders:
                makers = [self._open[maker] for maker in self._makers_of(entry.chunk)]
                entry.is_late = any(maker.is_late for maker in makers) if makers else is_near_end
                self._submit(number, entry, LAST if entry.is_late else FIRST)

    def _submit(self, number: int, entry: _Entry, priority: int) -> None:
        self._crew.submit(number, entry.chunk, self._makers_of(entry.chunk), priority)

    def _makers_of(self, chunk: Chunk) -> list[int]:
        """The chunks under way that make what a chunk needs."""
        makers = {self._makers[need] for need in chunk.needs & self._makers.keys()}
        return sorted(makers & self._open.keys())

    def _hear(self, chunk: Chunk, event: ChunkEvent) -> None:
        if event["event"] == "restarted":
            self._listener.on_retry(chunk, event["note"])
        elif event["event"] == "given_up":
            self._listener.on_failure(chunk, event["sentence"])
        elif event["event"] == "peaked":
            self._listener.on_peak(chunk, event["bytes"])
        else:
            self._listener.on_event(chunk, event)


class InlineCrew:
    """Does each chunk in the calling thread, for a Blender that runs in this process and wants the main one.

    Args:
        say: Takes a sentence for the user.
        despite_memory: Whether frames are begun that are predicted not to fit into the memory.
    """

    def __init__(self, say: Callable[[str], None], despite_memory: bool = False) -> None:
        self._orders = Orders(Conditions(despite_memory=despite_memory))
        notebook = Notebook(None)
        self._here = Surroundings(notebook, gate_of_run(self._orders, notebook, say))
        self._chunks: dict[int, tuple[Chunk, set[int]]] = {}
        self._ready: list[tuple[int, int]] = []
        self._waiting: dict[int, list[tuple[int, int]]] = defaultdict(list)

    def slots(self) -> int:
        return 1

    def submit(self, number: int, chunk: Chunk, makers: Sequence[int], priority: int) -> None:
        self._chunks[number] = (chunk, set(makers))
        for maker in makers:
            self._waiting[maker].append((-priority, number))
        if not makers:
            heapq.heappush(self._ready, (-priority, number))

    def attend(self, seconds: float, ear: Ear) -> None:
        if not self._ready:
            return
        _, number = heapq.heappop(self._ready)
        chunk, _ = self._chunks.pop(number)
        tell = partial(ear.told, number)
        ear.ended(number, Doing(str(number), chunk, self._orders.conditions, self._here, tell, self._start).do())
        for order, waiting in self._waiting.pop(number, ()):
            makers = self._chunks[waiting][1]
            makers.discard(number)
            if not makers:
                heapq.heappush(self._ready, (order, waiting))

    def close(self) -> None:
        """Nothing is under way."""

    def _start(self, chunk: Chunk) -> JobRun:
        return chunk.start_here() if isinstance(chunk, TaskChunk) else chunk.start(self._orders.conditions)
