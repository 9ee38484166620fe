"""Runs tasks that need no Blender in child processes, which are kept for the next tasks."""

from __future__ import annotations

import base64
import os
import pickle
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress

from animerun_gen.dataset import layout
from animerun_gen.dataset.files import open_log, system_says
from animerun_gen.engines.children import ChildDied, Conditions, Watch, lines
from animerun_gen.engines.endings import describe_status
from animerun_gen.engines.processes import peak_memory
from animerun_gen.engines.protocol import Event, of_task
from animerun_gen.errors import DatasetError
from animerun_gen.pipeline.chunks import Task

CHILD = "animerun_gen.pipeline.task_child"

IDLE_SECONDS = 30.0
"""A child that had nothing to do for so long gets nothing more to do, and ends."""


class TaskDied(ChildDied):
    """A labelling or recolouring process died or hung: it may do better another time, or elsewhere."""


class _Child:
    """A process that does tasks, one lot after the other."""

    def __init__(self, conditions: Conditions) -> None:
        self.threads = conditions.threads
        self.idle_since = 0.0
        self.reading, writing = os.pipe()
        try:
            self.process = subprocess.Popen(
                [sys.executable, "-m", CHILD, str(writing), str(2 * IDLE_SECONDS)],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                pass_fds=(writing,),
                env=conditions.environment(),
            )
        except BaseException:
            os.close(self.reading)
            raise
        finally:
            os.close(writing)

    def end(self) -> None:
        """End it at once; what it has written is complete."""
        self.process.kill()
        self.process.wait()
        if self.process.stdin is not None:
            with suppress(OSError):
                self.process.stdin.close()
        if self.reading >= 0:
            os.close(self.reading)
            self.reading = -1


class _Idle:
    """The children that have nothing to do at the moment."""

    def __init__(self) -> None:
        self._children: list[_Child] = []
        self._lock = threading.Lock()

    def take(self, conditions: Conditions) -> _Child:
        with self._lock:
            for child in [one for one in self._children if one.threads == conditions.threads]:
                self._children.remove(child)
                if time.monotonic() - child.idle_since < IDLE_SECONDS and child.process.poll() is None:
                    return child
                child.end()
        return _Child(conditions)

    def give_back(self, child: _Child) -> None:
        child.idle_since = time.monotonic()
        with self._lock:
            self._children.append(child)

    def end_all(self) -> None:
        with self._lock:
            children, self._children = self._children, []
        for child in children:
            child.end()


_idle = _Idle()


def end_idle_children() -> None:
    """End the processes that are kept for the next tasks."""
    _idle.end_all()


class TaskProcess:
    """Tasks for one child process.

    Args:
        tasks: What is to be done, all of one cut.
        conditions: Under which the child works.

    Attributes:
        peak: Bytes of memory that the child was seen to hold at most; 0 where that is not known.
    """

    def __init__(self, tasks: Sequence[Task], conditions: Conditions) -> None:
        self.peak = 0
        self._tasks = tuple(tasks)
        self._conditions = conditions
        self._child: _Child | None = None
        self._killed = False
        self._starting = threading.Lock()

    def run(self, on_event: Callable[[Event], None]) -> None:
        """Have the tasks done, and pass on what comes of each.

        However this returns or raises, nothing works on the tasks any more.

        Args:
            on_event: Called in this thread with every event.

        Raises:
            TaskDied: The process died, hung, or was killed.
            RunOver: The run that the tasks belong to is over.
            DatasetError: The log cannot be written.
        """
        first = self._tasks[0]
        log = layout.log_file(first.output, first.config.name)
        try:
            # the child, which has no other way to complain, opens it as well
            open_log(log).close()
        except OSError as error:
            raise DatasetError(f"{log} cannot be written: {system_says(error)}") from error
        child = self._take()
        finished = False
        number = 0
        watch = Watch(child.process.pid, "a labelling process", self._conditions)
        try:
            _send(child, (self._tasks, log, self._conditions.fence))
            for line in lines(child.reading):
                event = None if line is None else _parse(line)
                if event is not None:
                    watch.heard()
                if (looked := watch.look(self._where(number))) is not None:
                    on_event(looked)
                if watch.hung is not None:
                    break
                if event is None:
                    continue
                if event["event"] == "finished":
                    finished = True
                    break
                if (told := of_task(event)) is not None:
                    number = told["number"] + 1
                on_event(event)
        except BrokenPipeError:
            # it died before it took the tasks
            pass
        finally:
            self.peak = max(watch.peak, peak_memory(child.process.pid) or 0)
            with self._starting:
                self._child = None
            if finished and not self._killed:
                _idle.give_back(child)
            else:
                if watch.hung is not None or self._killed:
                    child.process.kill()
                status = _status(child)
                child.end()
        if not finished:
            self._conditions.require_run()
            what = f"a labelling or recolouring process {watch.hung or describe_status(status)} {self._where(number)}"
            raise TaskDied(
                f"cut '{first.config.name}': {what}; the log is {log}; run the same command again, with fewer workers "
                "if memory ran out",
                what,
            )

    def kill(self) -> None:
        """End the process at once; what it has written is complete, what it was writing does not appear."""
        with self._starting:
            self._killed = True
            if self._child is not None:
                self._child.process.kill()

    def _take(self) -> _Child:
        name = self._tasks[0].config.name
        with self._starting:
            if self._killed:
                raise TaskDied(f"cut '{name}': stopped before it started", "it was stopped before it started")
            try:
                self._child = _idle.take(self._conditions)
            except OSError as error:
                what = f"a labelling process cannot be started ({error})"
                raise TaskDied(f"cut '{name}': {what}", what) from error
            return self._child

    def _where(self, number: int) -> str:
        task = self._tasks[min(number, len(self._tasks) - 1)]
        return f"at frame {task.frame}"


def _send(child: _Child, parcel: object) -> None:
    data = pickle.dumps(parcel)
    stream = child.process.stdin
    if stream is None:
        raise BrokenPipeError
    stream.write(len(data).to_bytes(8, "little") + data)
    stream.flush()


def _parse(line: bytes) -> Event | None:
    """One event; None for a line that a dying process cut short."""
    try:
        event: Event = pickle.loads(base64.b64decode(line, validate=True))
    except Exception:
        return None
    return event


def _status(child: _Child) -> int | None:
    """How the child ended; None where it did not, although it closed its pipe or was to be ended."""
    try:
        return child.process.wait(1.0)
    except subprocess.TimeoutExpired:
        return None
