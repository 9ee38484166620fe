"""Chunks that are only names, which end as a script says; they can be sent through Dask in this process."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from animerun_gen.engines.children import ChildDied
from animerun_gen.engines.protocol import Event
from animerun_gen.engines.render_process import RenderFailure
from animerun_gen.errors import NoRoomError
from animerun_gen.pipeline.chunks import Product

DIED = "cut 'a': Blender died; start it again"


def dies() -> None:
    raise ChildDied("Blender died", "cut 'a'", "start it again")


def fails() -> None:
    raise RenderFailure("cut 'a': no such scene")


def finds_no_room() -> None:
    raise NoRoomError("cut 'a': Freestyle would need about 22 GB")


def is_done() -> None:
    """Nothing to say."""


@dataclass
class Stage:
    """What happens to chunks of a test, and what happened.

    Attributes:
        ends: What happens at the end of each attempt, by name of the chunk; the last one counts for all further ones.
        events: What chunks tell before they end.
        seconds: How long each takes.
        begun: Names in the order in which they were begun.
        most: How many were under way at once at most.
    """

    ends: dict[str, list[Callable[[], None]]] = field(default_factory=dict)
    events: dict[str, list[Event]] = field(default_factory=dict)
    seconds: float = 0.0
    begun: list[str] = field(default_factory=list)
    running: int = 0
    most: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)


stage = Stage()
"""Of the test that runs; chunks find it wherever in this process they are done."""


def set_stage(**more: Any) -> Stage:
    """Prepare a new one."""
    global stage
    stage = Stage(**more)
    return stage


@dataclass(frozen=True)
class FakeChunk:
    """A chunk that is only a name."""

    name: str
    cut: str = "a"
    cost: float = 1.0
    renders: bool = True
    makes: frozenset[Product] = frozenset()
    needs: frozenset[Product] = frozenset()
    pieces: tuple[FakeChunk, ...] = ()
    units: int = 1
    peak: int = 0

    def describe(self) -> str:
        return self.name

    def start(self, conditions: object) -> FakeRun:
        return FakeRun(self)

    def split(self) -> Sequence[FakeChunk]:
        return self.pieces


@dataclass
class FakeRun:
    chunk: FakeChunk
    killed: bool = False

    @property
    def peak(self) -> int:
        return self.chunk.peak

    def run(self, on_event: Callable[[Event], None]) -> None:
        with stage.lock:
            stage.begun.append(self.chunk.name)
            stage.running += 1
            stage.most = max(stage.most, stage.running)
        try:
            for event in stage.events.get(self.chunk.name, []):
                on_event(event)
            time.sleep(stage.seconds)
            with stage.lock:
                ends = stage.ends.get(self.chunk.name, [is_done])
                end = ends.pop(0) if len(ends) > 1 else ends[0]
            end()
        finally:
            with stage.lock:
                stage.running -= 1

    def kill(self) -> None:
        self.killed = True


@dataclass
class Ear:
    """Keeps what it is told."""

    events: list[tuple[str, Event]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    peaks: list[tuple[str, int]] = field(default_factory=list)

    def on_event(self, chunk: Any, event: Event) -> None:
        self.events.append((chunk.name, event))

    def on_retry(self, chunk: Any, note: str) -> None:
        if note not in self.notes[-1:]:
            self.notes.append(note)

    def on_peak(self, chunk: Any, peak: int) -> None:
        self.peaks.append((chunk.name, peak))

    def on_failure(self, chunk: Any, sentence: str) -> None:
        if sentence not in self.failures:
            self.failures.append(sentence)


def product(name: str, *more: int) -> frozenset[Product]:
    return frozenset({("a", name, *more)})
