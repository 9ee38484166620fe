"""Processes for work that needs no Blender; they are kept for more of it.

They end with this process, whatever ends it, and leave Ctrl-C to it.  Unlike those of :mod:`multiprocessing` they do
not import the script that is run, which therefore needs no ``if __name__ == "__main__":``, and a Dask worker, which is
a daemon, may start them.
"""

from __future__ import annotations

import base64
import os
import pickle
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeVar

from animerun_gen.engines.children import Conditions, lines
from animerun_gen.engines.fence import Fence
from animerun_gen.engines.interrupts import held_interrupts, remembered_interrupts
from animerun_gen.errors import DatasetError

CHILD = "animerun_gen.engines.pool_child"

IDLE_SECONDS = 30.0
"""A child that had nothing to do for so long gets nothing more to do, and ends."""

Event = Any
"""What a child tells: a dictionary whose ``event`` names its kind, and which can be pickled."""

Work = Callable[[Callable[[Event], None]], None]
"""Something to do that can be pickled; it tells its events as it goes on."""


@dataclass(frozen=True)
class Parcel:
    """What a child is sent.

    Attributes:
        work: What to do.
        log: Where everything goes that it prints; None: to the errors of this process.
        fence: What it has to stay behind, if it writes.
    """

    work: Work
    log: Path | None = None
    fence: Fence | None = None


class Child:
    """A process that does one parcel after the other.

    Args:
        conditions: Under which it works.

    Raises:
        OSError: It cannot be started.
    """

    def __init__(self, conditions: Conditions) -> None:
        self.threads = conditions.threads
        self.idle_since = 0.0
        self._reading, writing = os.pipe()
        try:
            self.process = subprocess.Popen(
                [sys.executable, "-m", CHILD, str(writing), str(2 * IDLE_SECONDS)],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                pass_fds=(writing,),
                env=conditions.environment() | {"PYTHONPATH": os.pathsep.join(path or os.curdir for path in sys.path)},
            )
        except BaseException:
            os.close(self._reading)
            raise
        finally:
            os.close(writing)

    def events(self, parcel: Parcel) -> Iterator[Event | None]:
        """What comes of a parcel, until "finished", or until the process has ended; None whenever it says nothing."""
        data = pickle.dumps(parcel)
        stream = self.process.stdin
        assert stream is not None
        with suppress(BrokenPipeError):
            # one that died before it took the parcel has nothing to say either
            stream.write(len(data).to_bytes(8, "little") + data)
            stream.flush()
        for line in lines(self._reading):
            event = None if line is None else _parse(line)
            yield event
            if event is not None and event["event"] == "finished":
                return

    def how_it_ended(self) -> int | None:
        """Its exit status; None where it did not end, although it closed its pipe or was to be ended."""
        try:
            return self.process.wait(1.0)
        except subprocess.TimeoutExpired:
            return None

    def end(self) -> None:
        """End it at once; what it has written is complete."""
        self.process.kill()
        self.process.wait()
        if self.process.stdin is not None:
            with suppress(OSError):
                self.process.stdin.close()
        if self._reading >= 0:
            os.close(self._reading)
            self._reading = -1


def _parse(line: bytes) -> Event | None:
    """One event; None for a line that a dying process cut short."""
    try:
        event = pickle.loads(base64.b64decode(line, validate=True))
    except Exception:
        return None
    return event if isinstance(event, dict) and "event" in event else None


class Children:
    """The processes of a kind that have nothing to do at the moment."""

    def __init__(self) -> None:
        self._idle: list[Child] = []
        self._lock = threading.Lock()

    def take(self, conditions: Conditions) -> Child:
        """One that works under the same conditions, or a new one.

        A child ends with the thread that started it, so this is to be called in threads that stay.

        Raises:
            OSError: None can be started.
        """
        with self._lock:
            for child in [one for one in self._idle if one.threads == conditions.threads]:
                self._idle.remove(child)
                if time.monotonic() - child.idle_since < IDLE_SECONDS and child.process.poll() is None:
                    return child
                child.end()
        return Child(conditions)

    def give_back(self, child: Child) -> None:
        """It has finished a parcel."""
        child.idle_since = time.monotonic()
        with self._lock:
            self._idle.append(child)

    def end_all(self) -> None:
        """End those that are kept."""
        with self._lock:
            children, self._idle = self._idle, []
        for child in children:
            child.end()


_Result = TypeVar("_Result", covariant=True)


class Task(Protocol[_Result]):
    """Something to do that another process can be handed."""

    def run(self) -> _Result:
        """Do it."""


@dataclass(frozen=True)
class _Answer:
    """Does a task and tells what it returns or raises."""

    task: Task[Any]

    def __call__(self, tell: Callable[[Event], None]) -> None:
        try:
            tell({"event": "returned", "result": self.task.run()})
        except Exception as error:
            tell({"event": "raised", "error": error})


class Pool:
    """Does tasks in several processes, or in this one.

    Args:
        workers: How many processes; with 1 it is this one.
        name: What one of them is called in sentences.
    """

    def __init__(self, workers: int, name: str) -> None:
        self._name = name
        self._threads = ThreadPoolExecutor(workers) if workers > 1 else None
        self._idle = Children()
        self._busy: set[Child] = set()
        self._lock = threading.Lock()
        self._is_closed = False

    def results(self, tasks: Sequence[Task[_Result]], done: Callable[[], None] | None = None) -> Iterator[_Result]:
        """What the tasks return, in their order.

        Args:
            tasks: What to do.
            done: Called after each.

        Raises:
            DatasetError: A process died.
        """
        futures: list[Future[Any]] = []
        if self._threads is not None:
            futures = [self._threads.submit(self._answer, task) for task in tasks]
        try:
            for place, task in enumerate(tasks):
                with remembered_interrupts() as require_none:
                    result = futures[place].result() if futures else task.run()
                    require_none()
                yield result
                if done is not None:
                    done()
        finally:
            for future in futures:
                future.cancel()

    def close(self) -> None:
        """End the processes, whatever they do."""
        if self._threads is not None:
            self._threads.shutdown(wait=False, cancel_futures=True)
            with self._lock:
                self._is_closed = True
                for child in self._busy:
                    child.process.kill()
            self._threads.shutdown(wait=True)
            self._idle.end_all()

    def _answer(self, task: Task[_Result]) -> Any:
        child = self._idle.take(Conditions())
        with self._lock:
            self._busy.add(child)
            if self._is_closed:
                # it was being started while the others were ended
                child.process.kill()
        answer: Event | None = None
        finished = False
        try:
            for event in child.events(Parcel(_Answer(task))):
                finished = event is not None and event["event"] == "finished"
                answer = answer if event is None or finished else event
        finally:
            with self._lock:
                self._busy.discard(child)
            if finished:
                self._idle.give_back(child)
            else:
                child.end()
        if not finished or answer is None:
            raise DatasetError(
                f"{self._name} died, possibly because memory ran out",
                remedy="run the same command again, with fewer workers",
            )
        if answer["event"] == "raised":
            raise answer["error"]
        return answer["result"]


@contextmanager
def start_pool(workers: int, name: str) -> Iterator[Pool]:
    """So many processes, for as long as the block lasts.

    Args:
        workers: How many; with 1 it is this one.
        name: What one of them is called in sentences: "a verifying process".
    """
    pool = Pool(workers, name)
    try:
        yield pool
    finally:
        with held_interrupts():
            pool.close()
