"""Gets one chunk done where it is: begins it, begins it again, cuts it up, and gives it up.

A chunk whose child dies is begun again, elsewhere if possible.  One that keeps dying is cut into single frames once, so
that one bad frame costs one frame.  A chunk that says why it cannot be done is not tried again.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Mapping, Set
from dataclasses import dataclass, field
from typing import Literal, TypedDict

from animerun_gen.dataset.layout import scratch_folder
from animerun_gen.engines.blenders import JobRun
from animerun_gen.engines.children import ChildDied, Conditions
from animerun_gen.engines.fence import RunOver
from animerun_gen.engines.protocol import Event, of_task
from animerun_gen.errors import AnimerunGenError, NoRoomError
from animerun_gen.pipeline.chunks import PASSING, Chunk, Outcome
from animerun_gen.pipeline.memory_gate import MemoryGate
from animerun_gen.pipeline.notebook import Notebook, Page

ATTEMPTS = 3
"""So often a chunk is begun whose child dies, before it is cut into single frames, or given up."""

ATTEMPTS_OF_A_PIECE = 2
"""So often a single frame of such a chunk is begun."""


class Restarted(TypedDict):
    """A chunk is begun again, or in smaller pieces: the sentence ``note``."""

    event: Literal["restarted"]
    note: str


class GivenUp(TypedDict):
    """A chunk, or a part of it, was given up: the sentence says why."""

    event: Literal["given_up"]
    sentence: str


class Peaked(TypedDict):
    """A child held so many bytes of memory at most."""

    event: Literal["peaked"]
    bytes: int


ChunkEvent = Event | Restarted | GivenUp | Peaked
"""What becomes of a chunk."""

Tell = Callable[[ChunkEvent], None]


@dataclass(frozen=True)
class Orders:
    """What holds for all chunks of a run.

    Attributes:
        conditions: Under which their children work; without a number of threads, that is found where they work.
        workers: How many chunks one process does at once.
        topic: Of the messages by which the run hears of events under way.
        peaks: Bytes that a Blender held at most in earlier runs, by cut, where that is known.
        shared: Whether other processes may do chunks of the run on the same machine.
    """

    conditions: Conditions
    workers: int = 1
    topic: str = ""
    peaks: Mapping[str, int] = field(default_factory=dict)
    shared: bool = False


@dataclass(frozen=True)
class Surroundings:
    """Where a chunk is done.

    Attributes:
        notebook: Of the run.
        gate: Of the run, in this process.
        place: What to call it in sentences; empty where there is no other.
        host: The machine; empty where there is no other.
        see_off: Sees to it that the chunk is done next at none of some places, and on none of some machines; returns
            whether there are others.
    """

    notebook: Notebook
    gate: MemoryGate
    place: str = ""
    host: str = ""
    see_off: Callable[[Set[str], Set[str]], bool] = lambda places, hosts: False


class Elsewhere(Exception):
    """The chunk is to be done elsewhere."""


def notebook_of(orders: Orders) -> Notebook:
    """The notebook of a run, which the next run clears away."""
    fence = orders.conditions.fence
    return Notebook(None if fence is None else scratch_folder(fence.output) / orders.topic)


def gate_of_run(orders: Orders, notebook: Notebook, say: Callable[[str], None]) -> MemoryGate:
    """The gate for the chunks of a run in this process."""
    machine = notebook.folder / f"machine-{socket.gethostname()}" if orders.shared and notebook.folder else None
    return MemoryGate(orders.workers, say, orders.peaks, machine=machine)


class Doing:
    """One chunk that is to be done here.

    Args:
        name: Of the chunk, the same in all attempts.
        chunk: What to do.
        conditions: Under which.
        here: Where.
        start: Makes ready to do a chunk here.
        tell: Takes events as they come.
    """

    def __init__(
        self,
        name: str,
        chunk: Chunk,
        conditions: Conditions,
        here: Surroundings,
        tell: Tell,
        start: Callable[[Chunk], JobRun] | None = None,
    ) -> None:
        self._name = name
        self._chunk = chunk
        self._conditions = conditions
        self._here = here
        self._start = start or (lambda chunk: chunk.start(conditions))
        self._pass_on = tell
        self._events: list[ChunkEvent] = []

    def do(self) -> tuple[ChunkEvent, ...]:
        """Get it done, or give it up; returns all events but those that only matter under way.

        Raises:
            Elsewhere: It may do better there.
        """
        chunk = self._chunk
        # a cut whose scene cannot be opened is not opened again for its other chunks
        if not (chunk.renders and self._here.notebook.has_mark(f"closed {chunk.cut}")):
            died = self._attempts(chunk, self._name, ATTEMPTS, self._tell)
            if died is not None:
                self._do_pieces(died)
        return tuple(self._events)

    def _tell(self, event: ChunkEvent) -> None:
        self._events.append(event)
        self._pass_on(event)

    def _do_pieces(self, died: Outcome) -> None:
        """It died as often as it may: do its parts."""
        pieces = self._chunk.split()
        if not pieces:
            self._give_up(self._name, died.sentence)
            return
        described = self._chunk.describe()
        self._tell_again(f"{died.what}, {ATTEMPTS} times in a row; {described}: restarted, frame by frame")
        for number, piece in enumerate(pieces):
            name = f"{self._name} {piece.describe()}"

            def tell(event: Event, number: int = number) -> None:
                if (told := of_task(event)) is not None:
                    # it is known by its number in the whole chunk
                    told["number"] = number
                self._tell(event)

            died_again = self._attempts(piece, name, ATTEMPTS_OF_A_PIECE, tell)
            if died_again is not None:
                self._give_up(name, died_again.sentence)

    def _attempts(self, chunk: Chunk, name: str, most: int, tell: Callable[[Event], None]) -> Outcome | None:
        """Begin a chunk as often as it takes; returns what it died of where it died as often as it may."""
        page, place = self._here.notebook.page(name), self._here.place
        for sentence in page.all("given up"):
            # Dask does it again, because the worker is lost that knew
            self._tell({"event": "given_up", "sentence": sentence})
            return None
        lost = "the worker was lost"
        sentence = f"cut '{chunk.cut}', {chunk.describe()}: {lost} {most} times; run the same command again to resume"
        outcome = Outcome("died", sentence, lost)
        while page.attempts < most:
            outcome = self._attempt(chunk, page, tell)
            described = chunk.describe()
            if outcome.status == "stopped":
                page.note("taken back")
                self._tell_again(f"{outcome.what}; {described}: will be restarted later")
            elif outcome.status == "no_room":
                page.note("taken back")
                page.note("refused", self._here.host)
                if self._here.see_off(set(), set(page.all("refused"))):
                    what = f"{self._here.host} did not have enough memory"
                    self._tell_again(f"{what}; {described}: will be restarted later")
                    raise Elsewhere
                self._give_up(name, outcome.sentence)
                return None
            elif outcome.status == "died":
                if page.attempts < most:
                    self._tell_again(f"{outcome.what}{f' on {place}' if place else ''}; {described}: restarted")
                    if self._here.see_off({place}, set()):
                        raise Elsewhere
            elif outcome.status == "done":
                return None
            else:
                if chunk.renders and not outcome.opened:
                    self._here.notebook.mark(f"closed {chunk.cut}")
                self._give_up(name, outcome.sentence)
                return None
        return outcome

    def _attempt(self, chunk: Chunk, page: Page, tell: Callable[[Event], None]) -> Outcome:
        """Begin a chunk once there is room for it."""
        gate = self._here.gate
        alone = chunk.renders and self._here.notebook.has_mark(f"alone {chunk.cut}")
        opened = False

        def heard(event: Event) -> None:
            nonlocal opened
            gate.predict(chunk.cut, event)
            opened = opened or event["event"] == "opened"
            if event["event"] not in PASSING:
                tell(event)

        try:
            with gate.admitted(chunk, alone, self._conditions.require_run) as admission:
                page.note("begun", self._here.place)
                run = self._start(chunk)
                admission.begin(run)
                status, sentence, what = _done(run, heard)
                outcome = admission.judge(Outcome(status, sentence, what, opened, getattr(run, "peak", 0)))
        except RunOver as error:
            return Outcome("over", str(error))
        if outcome.peak:
            self._tell({"event": "peaked", "bytes": outcome.peak})
        if outcome.status == "no_room" and not alone and (admission.accompanied or self._here.host):
            self._here.notebook.mark(f"alone {chunk.cut}")
            where = f"{self._here.host} did not have" if self._here.host else "there was not"
            what = f"{where} enough memory beside {'its' if self._here.host else 'the'} other Blender processes"
            return Outcome("stopped", outcome.sentence, what)
        return outcome

    def _give_up(self, name: str, sentence: str) -> None:
        self._here.notebook.page(name).note("given up", sentence)
        self._tell({"event": "given_up", "sentence": sentence})

    def _tell_again(self, note: str) -> None:
        self._tell({"event": "restarted", "note": note})


def _done(
    run: JobRun, on_event: Callable[[Event], None]
) -> tuple[Literal["done", "failed", "died", "no_room", "over"], str, str]:
    """Do what was made ready; returns what came of it, and why."""
    try:
        run.run(on_event)
    except ChildDied as error:
        return "died", str(error), error.what
    except RunOver as error:
        return "over", str(error), ""
    except NoRoomError as error:
        return "no_room", str(error), ""
    except AnimerunGenError as error:
        return "failed", str(error), ""
    return "done", "", ""
