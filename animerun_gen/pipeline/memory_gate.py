"""Lets Blenders begin only where they fit into the memory beside those that run, as far as that can be known.

What a Blender needs is known only when its scene is open.  Dask takes decisions by what is known when a task is
submitted, so this one is taken by the process that starts the Blender.
"""

from __future__ import annotations

import fcntl
import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from animerun_gen.engines.blenders import JobRun
from animerun_gen.engines.fence import RunOver, try_lock
from animerun_gen.engines.processes import Memory, memory
from animerun_gen.engines.protocol import Event
from animerun_gen.pipeline.chunks import Chunk, Outcome

LITTLE_MEMORY = 0.05
"""Share of the memory; where less is left, a Blender is ended."""

LOOK_SECONDS = 1.0
"""Between two looks at the memory."""


@dataclass(eq=False)
class Admission:
    """A chunk that may be under way in this process.

    Attributes:
        chunk: The chunk.
        alone: Whether no other Blender may be there.
        accompanied: Whether another Blender was there at any time.
        ended: Whether it was ended to save memory.
        run: What does it, once it is begun.
    """

    chunk: Chunk
    alone: bool
    accompanied: bool = False
    ended: bool = False
    run: JobRun | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def held(self) -> int:
        """Bytes that its process was seen to hold."""
        return getattr(self.run, "peak", 0)

    def begin(self, run: JobRun) -> None:
        """This is what does it."""
        with self._lock:
            self.run = run
            if self.ended:
                run.kill()

    def end(self) -> None:
        """End it."""
        with self._lock:
            self.ended = True
            if self.run is not None:
                self.run.kill()

    def judge(self, outcome: Outcome) -> Outcome:
        """What to make of what came of it: what was ended did not fail, even if it says so."""
        if not self.ended or outcome.status not in {"died", "failed"}:
            return outcome
        what = "Blender was ended because memory had run out or was about to"
        return replace(outcome, status="stopped", what=what)


class MemoryGate:
    """Minds the memory of the Blenders of a run that this process starts.

    Args:
        workers: How many there would be without it.
        say: Takes a sentence for the user.
        peaks: Bytes that a Blender held at most in earlier runs, by cut, where that is known.
        memory: Tells how much memory there is.
        machine: A file without its suffix; who has it in common shares a machine.  None: nobody else is there.
    """

    def __init__(
        self,
        workers: int,
        say: Callable[[str], None],
        peaks: Mapping[str, int] | None = None,
        memory: Callable[[], Memory | None] = memory,
        machine: Path | None = None,
    ) -> None:
        self._workers = self._most = workers
        self._say = say
        self._memory = memory
        self._machine = machine
        self._seen: dict[str, int] = dict(peaks or {})
        self._predicted: dict[str, int] = {}
        self._said: set[str] = set()
        self._under: list[Admission] = []
        self._changed = threading.Condition()
        self._closed = False
        self._watched = False

    @property
    def is_idle(self) -> bool:
        """Whether nothing is under way."""
        return not self._under

    @contextmanager
    def admitted(self, chunk: Chunk, alone: bool, require_run: Callable[[], None]) -> Iterator[Admission]:
        """Wait until a chunk may begin, and count it for as long as the block lasts.

        Args:
            chunk: What is to be begun.
            alone: Whether no other Blender of this run may be on the machine.
            require_run: Raises RunOver when there is nothing to wait for any more.

        Raises:
            RunOver: The run is over.
        """
        admission = Admission(chunk, alone)
        with self._changed:
            while True:
                if self._closed:
                    raise RunOver("the run that asked for this work has ended")
                if self._may_begin(admission):
                    break
                # memory changes by itself, too
                self._changed.wait(LOOK_SECONDS)
                require_run()
            for other in self._rendering() if chunk.renders else ():
                other.accompanied = admission.accompanied = True
            self._under.append(admission)
        self._begin_to_watch()
        try:
            with self._share_of_machine(admission, require_run):
                yield admission
        finally:
            with self._changed:
                self._under.remove(admission)
                if chunk.renders:
                    self._seen[chunk.cut] = max(admission.held, self._seen.get(chunk.cut, 0))
                self._changed.notify_all()

    def predict(self, cut: str, event: Event) -> None:
        """A Blender of a cut tells something; some of them say what they will hold."""
        if event["event"] == "will_hold":
            self._predicted[cut] = max(event["memory"], self._predicted.get(cut, 0))

    def close(self) -> None:
        """End everything that is under way, and let nothing else begin."""
        with self._changed:
            self._closed = True
            under = list(self._under)
            self._changed.notify_all()
        for admission in under:
            admission.end()

    def save_memory(self) -> None:
        """Rather end the youngest Blender than let the system swap, or kill whichever it likes."""
        with self._changed:
            now, rendering = self._memory(), self._rendering()
            if now is None or len(rendering) < 2 or any(one.ended for one in rendering):
                return
            if now.available <= LITTLE_MEMORY * now.total:
                self._most = max(1, len(rendering) - 1)
                self._say(
                    f"less than {100 * LITTLE_MEMORY:.0f}% of the memory is left: the youngest Blender process is "
                    f"ended, and from now on only {self._most} run at once"
                )
            elif (growth := self._growth()) > now.available:
                # of those that began together, before anything was known of their cut
                self._say(
                    f"the {len(rendering)} Blenders will need {growth / 1e9:.1f} GB more, and "
                    f"{now.available / 1e9:.1f} GB are free: the youngest one is ended, and its work is restarted when "
                    "memory is free"
                )
            else:
                return
            youngest = rendering[-1]
        youngest.end()

    def _may_begin(self, admission: Admission) -> bool:
        chunk, rendering = admission.chunk, self._rendering()
        # where nothing else renders, it has all the room that there is
        if not chunk.renders or not rendering:
            return True
        if admission.alone or any(one.alone for one in rendering) or len(rendering) >= self._most:
            return False
        if (now := self._memory()) is None:
            return True
        needed = self._needed(chunk.cut)
        if needed + self._growth() <= now.available:
            return True
        if chunk.cut not in self._said:
            self._said.add(chunk.cut)
            self._say(
                f"cut '{chunk.cut}' needs about {needed / 1e9:.1f} GB a worker: only {len(rendering)} of "
                f"{self._workers} workers fit into the memory of this machine"
            )
        return False

    def _rendering(self) -> list[Admission]:
        """The chunks that a Blender works on, the oldest first."""
        return [one for one in self._under if one.chunk.renders]

    def _needed(self, cut: str) -> int:
        """What a Blender of a cut needs: what was seen tells more than what one predicted, which is rather too much."""
        running = max((one.held for one in self._rendering() if one.chunk.cut == cut), default=0)
        return max(running, self._seen.get(cut) or self._predicted.get(cut, 0))

    def _growth(self) -> int:
        """What the Blenders that run may still ask for."""
        return sum(max(0, self._needed(one.chunk.cut) - one.held) for one in self._rendering())

    def _begin_to_watch(self) -> None:
        with self._changed:
            if self._watched or len(self._rendering()) < 2:
                return
            self._watched = True
        threading.Thread(target=self._watch, name="memory", daemon=True).start()

    def _watch(self) -> None:
        """Look at the memory as long as several Blenders are there."""
        while True:
            with self._changed:
                self._changed.wait(LOOK_SECONDS)
                if self._closed or len(self._rendering()) < 2:
                    self._watched = False
                    return
            self.save_memory()

    @contextmanager
    def _share_of_machine(self, admission: Admission, require_run: Callable[[], None]) -> Iterator[None]:
        """Keep other processes' Blenders of this run off the machine, if need be; the system forgets who was killed."""
        if self._machine is None or not admission.chunk.renders:
            yield
            return
        with ExitStack() as until_it_ends:
            # where the folder has gone, the run is about to end
            with suppress(OSError):
                turn, share = (
                    until_it_ends.enter_context(_opened(f"{self._machine}.{one}")) for one in ("turn", "share")
                )
                # whoever wants to be alone keeps the others from beginning meanwhile
                how = fcntl.LOCK_EX if admission.alone else fcntl.LOCK_SH
                for descriptor, kind in ((turn, fcntl.LOCK_EX), (share, how)):
                    while not (admission.ended or try_lock(descriptor, kind)):
                        time.sleep(LOOK_SECONDS / 5)
                        require_run()
                fcntl.flock(turn, fcntl.LOCK_UN)
            yield


@contextmanager
def _opened(path: str) -> Iterator[int]:
    """A file descriptor to be locked."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    try:
        yield descriptor
    finally:
        os.close(descriptor)
