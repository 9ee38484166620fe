"""Runs tasks that need no Blender in child processes, which are kept for the next tasks."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from functools import partial

from animerun_gen.dataset import layout
from animerun_gen.dataset.files import open_log, refused
from animerun_gen.engines.children import ChildDied, Conditions, Watch
from animerun_gen.engines.endings import describe_status
from animerun_gen.engines.pool import Child, Children, Parcel
from animerun_gen.engines.processes import peak_memory
from animerun_gen.engines.protocol import Event, of_task
from animerun_gen.pipeline.tasks.running import Task, run_tasks

_children = Children()


def end_idle_children() -> None:
    """End the processes that are kept for the next tasks."""
    _children.end_all()


AGAIN = "run the same command again"


class TaskDied(ChildDied):
    """A labelling or recolouring process died or hung: it may do better another time, or elsewhere."""


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
        self._child: Child | None = None
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
            raise refused("cannot be written", log, error) from error
        child = self._take()
        finished = False
        status: int | None = None
        number = 0
        watch = Watch(child.process.pid, "a labelling process", self._conditions)
        try:
            for event in child.events(Parcel(partial(run_tasks, self._tasks), log, self._conditions.fence)):
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
                    continue
                if (told := of_task(event)) is not None:
                    number = told["number"] + 1
                on_event(event)
        finally:
            self.peak = max(watch.peak, peak_memory(child.process.pid) or 0)
            with self._starting:
                self._child = None
            if finished and not self._killed:
                _children.give_back(child)
            else:
                if watch.hung is not None or self._killed:
                    child.process.kill()
                status = child.how_it_ended()
                child.end()
        if not finished:
            self._conditions.require_run()
            what = f"a labelling or recolouring process {watch.hung or describe_status(status)} {self._where(number)}"
            raise TaskDied(
                what,
                f"cut '{first.config.name}'",
                "run the same command again, with fewer workers if memory ran out",
                f"; the log is {log}",
            )

    def kill(self) -> None:
        """End the process at once; what it has written is complete, what it was writing does not appear."""
        with self._starting:
            self._killed = True
            if self._child is not None:
                self._child.process.kill()

    def _take(self) -> Child:
        name = self._tasks[0].config.name
        with self._starting:
            if self._killed:
                raise TaskDied("it was stopped before it started", f"cut '{name}'", AGAIN)
            try:
                self._child = _children.take(self._conditions)
            except OSError as error:
                raise TaskDied(f"a labelling process cannot be started ({error})", f"cut '{name}'", AGAIN) from error
            return self._child

    def _where(self, number: int) -> str:
        task = self._tasks[min(number, len(self._tasks) - 1)]
        return f"at frame {task.frame}"
