"""Predicts what a frame will need of the memory, and refuses one that would not fit before it takes any of it.

No ``bpy`` in here.
"""

from __future__ import annotations

import os
from collections.abc import Callable

from animerun_gen.engines.job import Reporter
from animerun_gen.engines.memory_cost import Need, SceneSize
from animerun_gen.engines.processes import held_memory, memory_for_this_process, peak_memory
from animerun_gen.errors import NoRoomError
from animerun_gen.lines.cost import rounded

DESPITE_MEMORY = "ANIMERUN_GEN_DESPITE_MEMORY"
"""The environment variable that a child finds where the user wants frames begun that are predicted not to fit."""

NOTICEABLE = 1.05
"""A prediction is told again when it has grown by so much."""


class MemoryGuard:
    """Minds the memory of one job.

    A process keeps what Freestyle took for one frame, and uses it for the next.  So what it held when the first frame's
    scene had just been evaluated is the base of all predictions, and what it holds beyond that by now has not to be
    asked for again.  Predictions err on the safe side, so a frame that needs no more than one that was made is expected
    to take what that one took.

    Args:
        reporter: Is told what the process will need, and what is not certain.
        insists: Whether frames are begun that are predicted not to fit.
        available: Tells how many bytes this process may still take.
        held: Tells how many it holds.
        peak: Tells how many it held at most.
    """

    def __init__(
        self,
        reporter: Reporter,
        *,
        insists: bool,
        available: Callable[[], int | None] = memory_for_this_process,
        held: Callable[[], int | None] = held_memory,
        peak: Callable[[], int | None] = lambda: peak_memory(os.getpid()),
    ) -> None:
        self._reporter = reporter
        self._insists = insists
        self._available = available
        self._held = held
        self._peak = peak
        self._base: int | None = None
        self._told = 0
        self._made = 0
        self._noted = False

    def expect(self, frame: int, size: SceneSize, need: Need) -> None:
        """A frame's scene is evaluated, and nothing else of it has been done.

        Args:
            frame: Its number.
            size: Of its scene.
            need: What it will take.

        Raises:
            NoRoomError: It will clearly not fit.
        """
        held, available = self._held(), self._available()
        if held is None or available is None:
            return
        if self._base is None:
            self._base = held
        likely = self._base + need.likely
        if likely > NOTICEABLE * self._told:
            self._told = likely
            self._reporter.will_hold(frame, likely)
        if need.likely <= NOTICEABLE * self._made:
            likely = min(likely, self._peak() or likely)
        self._made = max(self._made, need.likely)
        missing = likely - held
        if missing <= available:
            return
        cause, remedy = _cause(frame, size, need)
        if self._base + need.least - held > available and not self._insists:
            raise NoRoomError(
                f"{cause}, and only {_amount(available)} of memory are free",
                remedy=f"{remedy}use a machine with more memory, or begin it nevertheless with --despite-memory",
            )
        if not self._noted:
            self._noted = True
            self._reporter.noticed(
                f"{cause}, and only {_amount(available)} of memory are free: this may not suffice, and is "
                "tried; if Blender dies of it, use a machine with more memory"
            )


def _cause(frame: int, size: SceneSize, need: Need) -> tuple[str, str]:
    """What will take most, as the begin of a sentence, and what helps beside more memory, as a part of one."""
    if need.freestyle >= need.arrays + need.pictures:
        return (
            f"Freestyle would need about {_amount(need.freestyle)} for the {size.line_triangles:,} triangles of frame "
            f"{frame}",
            "set lines.engine to geometry (or auto), ",
        )
    return (
        f"frame {frame} would need about {_amount(need.likely)} for its {size.triangles:,} triangles in meshes and its "
        "pixels",
        "choose a smaller resolution or smaller motion.gaps, take objects out with remove.objects, ",
    )


def _amount(count: int) -> str:
    return f"{rounded(count / 1e9)} GB" if count >= 1e9 else f"{count / 1e6:.0f} MB"
