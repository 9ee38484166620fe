"""Decides which chunk is done when, what is tried again and what is given up; whoever does it is an executor."""

from __future__ import annotations

import heapq
import itertools
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from animerun_gen.engines.protocol import Event
from animerun_gen.errors import AnimerunGenError
from animerun_gen.pipeline.chunks import Chunk, Outcome, Product

ATTEMPTS = 3
"""So often a chunk is begun whose child dies, before it is cut into single frames, or given up."""

ATTEMPTS_OF_A_PIECE = 2
"""So often a single frame of such a chunk is begun."""

WAIT_SECONDS = 1.0
"""Between two looks at executors that have nothing to tell."""


class ExecutorLost(AnimerunGenError):
    """Whoever does the chunks cannot be reached any more."""


@dataclass(frozen=True)
class Told:
    """A chunk under way told something."""

    ticket: int
    event: Event


@dataclass(frozen=True)
class Ended:
    """A chunk under way has ended."""

    ticket: int
    outcome: Outcome


Message = Told | Ended


class Executor(Protocol):
    """Does chunks, several at once."""

    def slots(self) -> int:
        """How many chunks it can do at once, now."""

    def fits(self, chunk: Chunk) -> bool:
        """Whether there is room for a chunk beside those that run."""

    def submit(self, ticket: int, chunk: Chunk, avoid: frozenset[str]) -> None:
        """Begin a chunk; all that it tells, and its end, come with the ticket.

        Args:
            ticket: A number that stands for this attempt.
            chunk: What to do.
            avoid: Places that are to do it only where there is no other.
        """

    def messages(self, seconds: float) -> Sequence[Message]:
        """What came in, waiting so long for the first message.

        Raises:
            ExecutorLost: There is nobody to wait for.
        """

    def close(self) -> None:
        """End everything that is under way."""


class Listener(Protocol):
    """Is told what happens to chunks.  Events may come twice."""

    def on_event(self, chunk: Chunk, event: Event) -> None:
        """A chunk told something."""

    def on_retry(self, chunk: Chunk, note: str) -> None:
        """A chunk is begun again, or in smaller pieces."""

    def on_failure(self, chunk: Chunk, sentence: str) -> None:
        """A chunk was given up."""

    def on_peak(self, chunk: Chunk, peak: int) -> None:
        """The child that did a chunk, or a part of it, held so many bytes of memory at most."""


@dataclass
class _Entry:
    chunk: Chunk
    is_piece: bool = False
    awaits: int = 0
    attempts: int = 0
    avoid: frozenset[str] = frozenset()
    dependents: list[_Entry] = field(default_factory=list)
    parent: _Entry | None = None
    pieces: int = 0
    ended: bool = False


@dataclass
class _Group:
    """Chunks after whose end something is to be called."""

    left: int
    then: Callable[[], None]


class Scheduler:
    """Gets chunks done, each as soon as what it needs is there.

    A chunk whose child dies is begun again, elsewhere if possible; one that keeps dying is cut into single frames once,
    so that one bad frame costs one frame.  A chunk that says why it cannot be done is not tried again.  What needs
    something that failed is begun nevertheless: it does what it can.

    Args:
        executor: Does the chunks.
        listener: Is told what happens.
    """

    def __init__(self, executor: Executor, listener: Listener) -> None:
        self._executor = executor
        self._listener = listener
        self._makers: dict[Product, _Entry] = {}
        self._order = itertools.count()
        self._ready: dict[bool, list[tuple[float, int, _Entry]]] = {True: [], False: []}
        self._running: dict[int, _Entry] = {}
        self._tickets = itertools.count()
        self._groups: dict[int, list[_Group]] = defaultdict(list)
        self._open: dict[int, _Entry] = {}
        self._due: list[Callable[[], None]] = []

    def add(self, chunks: Iterable[Chunk], then: Callable[[], None] | None = None) -> None:
        """Take in chunks; what they need and nobody makes is taken to be there.

        Args:
            chunks: Chunks, makers before those that need what they make.
            then: Called when all of them have ended, done or given up; it may add more.
        """
        entries = []
        for chunk in chunks:
            entry = _Entry(chunk)
            for maker in {
                id(self._makers[need]): self._makers[need] for need in chunk.needs & set(self._makers)
            }.values():
                if not maker.ended:
                    entry.awaits += 1
                    maker.dependents.append(entry)
            self._makers.update(dict.fromkeys(chunk.makes, entry))
            self._open[id(entry)] = entry
            entries.append(entry)
            if not entry.awaits:
                self._make_ready(entry)
        if then is not None:
            group = _Group(len(entries), then)
            for entry in entries:
                self._groups[id(entry)].append(group)
            if not entries:
                self._due.append(then)

    def run(self) -> None:
        """Get everything done.

        Raises:
            ExecutorLost: The executor cannot be reached any more; what it did not do is told to the listener as given
                up.
        """
        try:
            while self._open or self._due:
                while self._due:
                    self._due.pop(0)()
                self._begin_some()
                if self._due:
                    continue
                for message in self._executor.messages(WAIT_SECONDS):
                    self._take(message)
        except ExecutorLost as error:
            for entry in list(self._open.values()):
                if not entry.pieces:
                    self._listener.on_failure(entry.chunk, f"cut '{entry.chunk.cut}': {error}")
            raise

    def _make_ready(self, entry: _Entry) -> None:
        heapq.heappush(self._ready[entry.chunk.renders], (-entry.chunk.cost, next(self._order), entry))

    def _begin_some(self) -> None:
        while len(self._running) < self._executor.slots():
            entry = self._next()
            if entry is None:
                return
            ticket = next(self._tickets)
            entry.attempts += 1
            self._running[ticket] = entry
            self._executor.submit(ticket, entry.chunk, entry.avoid)

    def _next(self) -> _Entry | None:
        """What to begin next, if there is room for it: the longest of its kind.

        Labels, which are quick, come first as long as there is much to render, so that cuts become complete one by one;
        near the end they fill the gaps that rendering leaves.
        """
        much = len(self._ready[True]) > 2 * self._executor.slots()
        for renders in (False, True) if much else (True, False):
            heap, unfit = self._ready[renders], []
            found = None
            while heap and found is None:
                candidate = heapq.heappop(heap)
                if candidate[2].ended:
                    continue
                # where nothing else runs, it has all the room that there is
                if self._running and not self._executor.fits(candidate[2].chunk):
                    unfit.append(candidate)
                else:
                    found = candidate[2]
            for candidate in unfit:
                heapq.heappush(heap, candidate)
            if found is not None:
                return found
        return None

    def _take(self, message: Message) -> None:
        entry = self._running.get(message.ticket)
        if entry is None:
            # of an attempt that was given up
            return
        if isinstance(message, Told):
            self._listener.on_event(entry.chunk, message.event)
            return
        del self._running[message.ticket]
        if entry.ended:
            return
        outcome = message.outcome
        if outcome.peak:
            self._listener.on_peak(entry.chunk, outcome.peak)
        for event in outcome.events:
            self._listener.on_event(entry.chunk, event)
        if outcome.status == "done":
            self._end(entry)
        elif outcome.status == "died":
            self._again(entry, outcome)
        elif outcome.status == "stopped":
            entry.attempts -= 1
            self._listener.on_retry(entry.chunk, f"{outcome.what}; {entry.chunk.describe()}: will be restarted later")
            self._make_ready(entry)
        else:
            self._listener.on_failure(entry.chunk, outcome.sentence)
            if entry.chunk.renders and not outcome.opened:
                self._drop_rendering(entry.chunk.cut)
            self._end(entry)

    def _again(self, entry: _Entry, outcome: Outcome) -> None:
        """A chunk's child died: begin the chunk again, or its pieces, or give it up."""
        what = f"{outcome.what}{f' on {outcome.place}' if outcome.place else ''}"
        described = entry.chunk.describe()
        if entry.attempts < (ATTEMPTS_OF_A_PIECE if entry.is_piece else ATTEMPTS):
            self._listener.on_retry(entry.chunk, f"{what}; {described}: restarted")
            entry.avoid = frozenset({outcome.place} if outcome.place else ())
            self._make_ready(entry)
            return
        pieces = () if entry.is_piece else entry.chunk.split()
        if not pieces:
            self._listener.on_failure(entry.chunk, outcome.sentence)
            self._end(entry)
            return
        self._listener.on_retry(
            entry.chunk, f"{what}, {entry.attempts} times in a row; {described}: restarted, frame by frame"
        )
        entry.pieces = len(pieces)
        for chunk in pieces:
            piece = _Entry(chunk, is_piece=True, parent=entry)
            self._open[id(piece)] = piece
            self._make_ready(piece)

    def _end(self, entry: _Entry) -> None:
        """A chunk is done or given up: those that waited for it may begin."""
        entry.ended = True
        del self._open[id(entry)]
        for dependent in entry.dependents:
            dependent.awaits -= 1
            if not dependent.awaits and not dependent.ended:
                self._make_ready(dependent)
        for group in self._groups.pop(id(entry), ()):
            group.left -= 1
            if not group.left:
                self._due.append(group.then)
        if entry.parent is not None:
            entry.parent.pieces -= 1
            if not entry.parent.pieces:
                self._end(entry.parent)

    def _drop_rendering(self, cut: str) -> None:
        """A cut whose scene cannot be opened is not opened again for its other chunks."""
        for entry in list(self._open.values()):
            if entry.chunk.renders and entry.chunk.cut == cut and not entry.attempts:
                self._end(entry)
