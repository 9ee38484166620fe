"""Chunks: the parts into which the work on a dataset is cut, each done by one child process.

A chunk can be sent to any machine that sees the same files.  It says which files it makes and which it needs, so that
it can begin as soon as these are there.  Done twice, or by two machines at once, it makes the same bytes.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal, Protocol

from animerun_gen.config import CutConfig
from animerun_gen.dataset import layout
from animerun_gen.dataset.files import open_log, refusal
from animerun_gen.engines.blenders import Engine, JobRun
from animerun_gen.engines.children import ChildDied, Conditions
from animerun_gen.engines.fence import RunOver
from animerun_gen.engines.job import RenderJob
from animerun_gen.engines.protocol import Event, TaskDone
from animerun_gen.errors import AnimerunGenError, NoRoomError
from animerun_gen.pipeline.plan import missing_render, split_job
from animerun_gen.pipeline.state.on_disk import FilesOnDisk
from animerun_gen.pipeline.tasks.labelling import LabelTask
from animerun_gen.pipeline.tasks.recoloring import RecolorTask, SurveyTask

Product = tuple[str | int, ...]
"""What a chunk makes and another one needs: the cut's name, the kind of thing and its frame or frames."""

Task = LabelTask | SurveyTask | RecolorTask
"""Work on a frame or a pair that needs no Blender."""


PASSING = frozenset({"begins", "took", "finished"})
"""Events that are of interest only to who looks after the child."""


class Chunk(Protocol):
    """A part of the work."""

    @property
    def cut(self) -> str:
        """Name of the cut that it is a part of."""

    @property
    def cost(self) -> float:
        """How long it takes, compared with other chunks of its kind."""

    @property
    def renders(self) -> bool:
        """Whether it needs a Blender."""

    @property
    def makes(self) -> frozenset[Product]:
        """What is there when it is done."""

    @property
    def needs(self) -> frozenset[Product]:
        """What it begins with."""

    @property
    def units(self) -> int:
        """How many steps of progress it is."""

    def describe(self) -> str:
        """What it is, for sentences: "frames 1 to 9 of cut 'courier'"."""

    def start(self, conditions: Conditions) -> JobRun:
        """Make ready to do it here."""

    def split(self) -> Sequence[Chunk]:
        """The smallest chunks that together do the same; none where it is one of these."""


@dataclass(frozen=True)
class RenderChunk:
    """Frames and pairs of a cut for one Blender.

    Attributes:
        job: What to make.
        engine: The Blender.
        log: Where it prints.
        looks: Whether it only opens the scene, to say what that depends on.
    """

    job: RenderJob
    engine: Engine
    log: Path
    looks: bool = False
    renders: bool = field(default=True, init=False)

    @property
    def cut(self) -> str:
        return self.job.config.name

    @property
    def cost(self) -> float:
        width, height = self.job.config.resolution
        return self.units * float(width * height)

    @property
    def units(self) -> int:
        return len(self.job.frames)

    @property
    def makes(self) -> frozenset[Product]:
        frames = {*self.job.pictures, *self.job.material_pictures, *self.job.identity_pictures, *self.job.companions}
        products: set[Product] = {(self.cut, "frame", frame) for frame in frames}
        return frozenset(products | {(self.cut, "motion", *pair) for pair in self.job.pairs})

    @property
    def needs(self) -> frozenset[Product]:
        return frozenset()

    def describe(self) -> str:
        if self.looks:
            return f"the scene of cut '{self.cut}'"
        if self.job.tracks:
            return f"the tracks of cut '{self.cut}'"
        return f"{_span(self.job.frames)} of cut '{self.cut}'"

    def start(self, conditions: Conditions) -> JobRun:
        left = self.job if self.looks else still_missing(self.job)
        return self.engine.start(left, self.log, conditions) if left is not None else _NothingToDo()

    def split(self) -> Sequence[Chunk]:
        left = still_missing(self.job)
        if left is None:
            return ()
        jobs = split_job(left, max(1, len(left.frames)))
        return [replace(self, job=job) for job in jobs] if len(jobs) > 1 else ()


@dataclass(frozen=True)
class TaskChunk:
    """Frames, or pairs, of a cut to be labelled, looked at or recoloured; needs no Blender.

    Attributes:
        tasks: At least one, of one cut and one kind.
    """

    tasks: tuple[Task, ...]
    renders: bool = field(default=False, init=False)

    @property
    def config(self) -> CutConfig:
        """The cut."""
        return self.tasks[0].config

    @property
    def cut(self) -> str:
        return self.config.name

    @property
    def cost(self) -> float:
        width, height = self.config.resolution
        return self.units * float(width * height)

    @property
    def units(self) -> int:
        return len(self.tasks)

    @property
    def makes(self) -> frozenset[Product]:
        return frozenset(
            (self.cut, "segments", task.frame)
            for task in self.tasks
            if isinstance(task, LabelTask) and task.other is None
        )

    @property
    def needs(self) -> frozenset[Product]:
        products: set[Product] = set()
        for task in self.tasks:
            frames = [task.frame]
            if isinstance(task, LabelTask) and task.other is not None:
                frames.append(task.other)
                products.add((self.cut, "motion", task.frame, task.other))
                products |= {(self.cut, "segments", frame) for frame in frames}
            products |= {(self.cut, "frame", frame) for frame in frames}
        return frozenset(products)

    def describe(self) -> str:
        first = self.tasks[0]
        if isinstance(first, LabelTask):
            what = "labels of pairs from" if first.other is not None else "segments of"
        else:
            what = "colours of" if isinstance(first, SurveyTask) else "colour passes of"
        return f"the {what} {_span([task.frame for task in self.tasks])} of cut '{self.cut}'"

    def start(self, conditions: Conditions) -> JobRun:
        from animerun_gen.pipeline.task_process import TaskProcess

        return TaskProcess(self.tasks, conditions)

    def start_here(self) -> JobRun:
        """Make ready to do it in the calling thread."""
        return _TasksHere(self.tasks)

    def split(self) -> Sequence[Chunk]:
        return [TaskChunk((task,)) for task in self.tasks] if len(self.tasks) > 1 else ()


def still_missing(job: RenderJob) -> RenderJob | None:
    """What of a job is not on disk: another attempt may have made a part of it.  None where nothing is left."""
    frames = set(job.frames)
    found = FilesOnDisk(job.output, job.config.split, job.config.name, look=False)
    chosen = tuple(frame for frame in job.config.frame_numbers if frame in frames)
    missing = missing_render(job.config, job.output, chosen, found, job.cross_check)
    left = replace(
        job,
        pictures=tuple(frame for frame in job.pictures if frame in missing.pictures),
        material_pictures=tuple(frame for frame in job.material_pictures if frame in missing.material_pictures),
        identity_pictures=tuple(frame for frame in job.identity_pictures if frame in missing.identity_pictures),
        companions=tuple(frame for frame in job.companions if frame in missing.companions),
        pairs=tuple(pair for pair in job.pairs if pair in missing.pairs),
        tracks=job.tracks and missing.tracks,
    )
    return left if left.frames else None


@dataclass(frozen=True)
class Outcome:
    """What became of a chunk that somebody began.

    Attributes:
        status: ``done``; ``failed``: it would fail again; ``died``: it may do better another time or elsewhere;
            ``no_room``: it would not have fitted into the memory beside what else was there; ``stopped``: it was ended
            for another reason than itself, and has to be begun again; ``over``: the run that it belongs to is over.
        sentence: Why it is not done.
        what: The same without advice, for a note about another attempt.
        opened: Whether its scene could be opened, where it has one.
        events: What it had to tell.
        peak: Bytes of memory that its child held at most; 0 where that is not known.
        place: Where it was done.
    """

    status: Literal["done", "failed", "died", "no_room", "stopped", "over"]
    sentence: str = ""
    what: str = ""
    opened: bool = False
    events: tuple[Event, ...] = ()
    peak: int = 0
    place: str = ""


def do_chunk(run: JobRun, on_event: Callable[[Event], None], place: str = "") -> Outcome:
    """Do a chunk that was made ready, in this thread.

    Args:
        run: The chunk.
        on_event: Is told every event as it comes; what it raises is raised.
        place: What to call this place.

    Returns:
        What became of it; errors that are meant for the user are told in here.
    """
    events: list[Event] = []

    def tell(event: Event) -> None:
        if event["event"] not in PASSING:
            events.append(event)
            on_event(event)

    def outcome(
        status: Literal["done", "failed", "died", "no_room", "over"], sentence: str = "", what: str = ""
    ) -> Outcome:
        opened = any(event["event"] == "opened" for event in events)
        return Outcome(status, sentence, what, opened, tuple(events), getattr(run, "peak", 0), place)

    try:
        run.run(tell)
    except ChildDied as error:
        return outcome("died", str(error), error.what)
    except RunOver as error:
        return outcome("over", str(error))
    except NoRoomError as error:
        return outcome("no_room", str(error))
    except AnimerunGenError as error:
        return outcome("failed", str(error))
    return outcome("done")


def run_tasks(tasks: Sequence[Task], tell: Callable[[Event], None]) -> None:
    """Do tasks one after the other in this thread, telling of each what came of it."""
    for number, task in enumerate(tasks):
        lacking = task.missing_input() if isinstance(task, LabelTask) else None
        if lacking is not None:
            tell({"event": "task_lacks", "number": number, "missing": str(lacking)})
            continue
        try:
            result = task.run()
        except Exception as error:
            tell({"event": "task_failed", "number": number, "failure": _describe_failure(task, error)})
            continue
        done: TaskDone = {"event": "task_done", "number": number, "frame": task.frame}
        if result is not None:
            done["result"] = result
        tell(done)


class _TasksHere:
    """Tasks under way in the calling thread."""

    def __init__(self, tasks: Sequence[Task]) -> None:
        self._tasks = tasks

    def run(self, on_event: Callable[[Event], None]) -> None:
        run_tasks(self._tasks, on_event)

    def kill(self) -> None:
        """Nothing to end."""


class _NothingToDo:
    """A chunk of which another attempt has made everything."""

    def run(self, on_event: Callable[[Event], None]) -> None:
        pass

    def kill(self) -> None:
        pass


def _describe_failure(task: Task, error: Exception) -> str:
    """Why a task failed, in a sentence; what only a developer can make sense of goes to the cut's log."""
    name = task.config.name
    if isinstance(error, AnimerunGenError):
        return f"cut '{name}': {error}"
    what = f"frame {task.frame} cannot be {'labelled' if isinstance(task, LabelTask) else 'recoloured'}"
    if isinstance(error, OSError):
        return f"cut '{name}': {what}: {refusal(error)}"
    log = layout.log_file(task.output, name)
    # that it cannot be written either is no news
    with suppress(OSError), open_log(log) as stream:
        stream.write("".join(traceback.format_exception(error)).encode("utf-8", "backslashreplace"))
    return f"cut '{name}': {what}: {type(error).__name__}: {error} (log: {log})"


def _span(frames: Sequence[int]) -> str:
    return f"frame {frames[0]}" if len(frames) == 1 else f"frames {frames[0]} to {frames[-1]}"
