"""Which machine of a cluster has room for a Blender, as far as Blenders that had none have told.

A Blender sees by itself whether a frame fits into the memory of its machine (:mod:`animerun_gen.engines.memory_guard`).
Where it does not, it may beside fewer others, or on another machine.
"""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass, replace

from animerun_gen.pipeline.chunks import Chunk, Outcome


@dataclass
class _Under:
    """A chunk that renders, under way on a machine.

    Attributes:
        chunk: The chunk.
        host: The machine.
        accompanied: Whether another Blender of this run was there at any time.
    """

    chunk: Chunk
    host: str
    accompanied: bool


class Room:
    """What is known of the room on the machines of a cluster."""

    def __init__(self) -> None:
        self._under: dict[int, _Under] = {}
        self._solitary: set[str] = set()
        self._refusals: dict[str, set[str]] = {}

    def suits(self, chunk: Chunk, host: str) -> bool:
        """Whether a chunk may fit on a machine beside what is under way there."""
        if not chunk.renders:
            return True
        if host in self._refusals.get(chunk.describe(), ()):
            return False
        there = self._on(host)
        return not there or not self._solitary.intersection({chunk.cut, *(one.chunk.cut for one in there)})

    def begins(self, ticket: int, chunk: Chunk, host: str) -> None:
        """A chunk is begun on a machine."""
        if not chunk.renders:
            return
        there = self._on(host)
        for other in there:
            other.accompanied = True
        self._under[ticket] = _Under(chunk, host, bool(there))

    def ends(self, ticket: int) -> _Under | None:
        """An attempt has ended; returns what it was, if it was to render."""
        return self._under.pop(ticket, None)

    def refused(self, attempt: _Under | None, outcome: Outcome, hosts: Set[str]) -> Outcome:
        """Say what is to become of an attempt that found no room in the memory of its machine.

        Args:
            attempt: What :meth:`ends` returned.
            outcome: What came of it.
            hosts: All machines.

        Returns:
            The outcome: the chunk is to be begun again with a machine to itself, or on another one; or it failed,
            because there is none.
        """
        if attempt is not None and attempt.accompanied:
            self._solitary.add(attempt.chunk.cut)
            what = f"{attempt.host} did not have enough memory beside its other Blender processes"
            return replace(outcome, status="stopped", what=what)
        if attempt is not None:
            refusals = self._refusals.setdefault(attempt.chunk.describe(), set())
            refusals.add(attempt.host)
            if hosts - refusals:
                what = f"{attempt.host} did not have enough memory"
                return replace(outcome, status="stopped", what=what)
        return replace(outcome, status="failed")

    def _on(self, host: str) -> list[_Under]:
        return [under for under in self._under.values() if under.host == host]
