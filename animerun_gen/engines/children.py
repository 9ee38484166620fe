"""Child processes that do chunks of work: under which conditions they work, and what is made of their silence."""

from __future__ import annotations

import os
import selectors
import time
from collections.abc import Iterator
from dataclasses import dataclass

from animerun_gen.engines import PATIENCE
from animerun_gen.engines.fence import Fence
from animerun_gen.engines.lifetime import with_parent
from animerun_gen.engines.memory_guard import DESPITE_MEMORY
from animerun_gen.engines.processes import peak_memory, processor_seconds
from animerun_gen.engines.protocol import Event
from animerun_gen.errors import AnimerunGenError

TICK_SECONDS = 1.0
"""Between two looks at a silent child."""

IDLE_SHARE = 0.005
"""A child that uses less than this share of one processor does not compute."""

MUCH_PATIENCE = 36
"""So many times the patience a child may compute without an event before it is ended."""

THREAD_VARIABLES = (
    "LP_NUM_THREADS",
    "NUMBA_NUM_THREADS",
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
)
"""By these the software renderer, the compiled kernels and the numeric libraries know how many threads to start."""


class ChildDied(AnimerunGenError):
    """A child process ended before its work was done, or was ended because it did nothing any more.

    Attributes:
        what: What happened, and in which frame, as a sentence without its full stop.
        account: What is known besides, such as its last words and its log, ready to follow that.
    """

    def __init__(self, what: str, where: str, remedy: str, account: str = "") -> None:
        super().__init__(what, where, remedy)
        self.account = account

    def __str__(self) -> str:
        return str(AnimerunGenError(f"{self.what}{self.account}", self.where, self.remedy))


@dataclass(frozen=True)
class Conditions:
    """Under which conditions a child works.

    Attributes:
        threads: How many threads it may start for one computation; None for as many as there are processors.
        patience: Seconds without an event after which a child that does not compute either is held to hang.
        fence: What it must stay behind; None where the caller's own process writes, and holds the dataset's lock.
        despite_memory: Whether frames are begun that are predicted not to fit into the memory.
    """

    threads: int | None = None
    patience: float = PATIENCE
    fence: Fence | None = None
    despite_memory: bool = False

    def environment(self) -> dict[str, str]:
        """The environment for a child."""
        share = {} if self.threads is None else dict.fromkeys(THREAD_VARIABLES, str(self.threads))
        run = {} if self.fence is None else self.fence.environment
        insistence = {DESPITE_MEMORY: "1"} if self.despite_memory else {}
        return with_parent(dict(os.environ) | share | run | insistence)

    def require_run(self) -> None:
        """See whether the run that a child works for goes on.

        Raises:
            RunOver: It does not.
        """
        if self.fence is not None and not self.fence.is_up():
            raise self.fence.over()


class Watch:
    """Looks at a child from time to time while it says nothing.

    Args:
        process: Its process id.
        name: What it is called in sentences.
        conditions: Under which it works.

    Attributes:
        peak: Bytes of memory that it was seen to hold at most; 0 where that is not known.
        hung: Why it has to be ended, as the end of a sentence; None as long as there is no reason.
    """

    def __init__(self, process: int, name: str, conditions: Conditions) -> None:
        self.peak = 0
        self.hung: str | None = None
        self._process = process
        self._name = name
        self._conditions = conditions
        self._looked = time.monotonic()
        self.heard()

    def heard(self) -> None:
        """It said something."""
        self._silent_since = self._period_began = time.monotonic()
        self._used = processor_seconds(self._process)

    def look(self, where: str) -> Event | None:
        """Look at it, if it was not looked at just now.

        Args:
            where: What it was last heard to do, as the end of a sentence.

        Returns:
            What the user should know, as an event, if anything.

        Raises:
            RunOver: The run that it works for is over.
        """
        now = time.monotonic()
        if now - self._looked < TICK_SECONDS:
            return None
        self._looked = now
        self.peak = max(self.peak, peak_memory(self._process) or 0)
        self._conditions.require_run()
        patience = self._conditions.patience
        if now - self._period_began < patience:
            return None
        used = processor_seconds(self._process)
        computes = used is None or self._used is None or used - self._used > IDLE_SHARE * (now - self._period_began)
        silent = now - self._silent_since
        self._period_began, self._used = now, used
        if not computes:
            self.hung = f"stood idle for {_duration(patience)}"
        elif silent > MUCH_PATIENCE * patience:
            self.hung = f"computed for {_duration(silent)} without making progress"
        else:
            note = (
                f"{self._name} has said nothing for {_duration(silent)} {where}; it is still computing, so it is "
                "left alone. "
                "Ctrl-C stops everything, and the same command resumes the work."
            )
            return {"event": "noticed", "note": note}
        return None


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} seconds" if seconds < 120 else f"{seconds / 60:.0f} minutes"


def lines(reading: int) -> Iterator[bytes | None]:
    """The lines that come through a pipe until its other end is closed; None whenever there was none for a moment."""
    pending = b""
    with selectors.DefaultSelector() as selector:
        selector.register(reading, selectors.EVENT_READ)
        while True:
            if not selector.select(TICK_SECONDS):
                yield None
                continue
            data = os.read(reading, 1 << 16)
            if not data:
                break
            *whole, pending = (pending + data).split(b"\n")
            yield from whole
    yield pending
