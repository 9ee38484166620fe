"""Chunks: the parts into which the work on a dataset is cut, each done by one child process.

A chunk can be sent to any machine that sees the same files.  It says which files it makes and which it needs, so that
it can begin as soon as these are there.  Done twice, or by two machines at once, it makes the same bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal, Protocol

from animerun_gen.config import CutConfig
from animerun_gen.dataset import layout
from animerun_gen.engines.blenders import Engine, JobRun
from animerun_gen.engines.children import Conditions
from animerun_gen.engines.job import RenderJob
from animerun_gen.engines.protocol import Event
from animerun_gen.pipeline.made import Wanted
from animerun_gen.pipeline.missing import find_missing
from animerun_gen.pipeline.state.coverage import has_tracks
from animerun_gen.pipeline.state.figures import read_cross_checks
from animerun_gen.pipeline.state.on_disk import FilesOnDisk
from animerun_gen.pipeline.task_process import TaskProcess
from animerun_gen.pipeline.tasks.labelling import LabelTask
from animerun_gen.pipeline.tasks.recoloring import SurveyTask
from animerun_gen.pipeline.tasks.running import Task, run_tasks

Product = tuple[str | int, ...]
"""What a chunk makes and another one needs: the cut's name, the kind of thing and its frame or frames."""


PASSING = frozenset({"begins", "took", "finished"})
"""Events that are of interest only to who looks after the child."""


@dataclass(frozen=True)
class Outcome:
    """What became of one attempt at a chunk.

    Attributes:
        status: ``done``; ``failed``: it would fail again; ``died``: it may do better another time or elsewhere;
            ``no_room``: it would not have fitted into the memory beside what else was there; ``stopped``: it was ended
            for another reason than itself, and has to be begun again; ``over``: the run that it belongs to is over.
        sentence: Why it is not done.
        what: The same without advice, for a note about another attempt.
        opened: Whether its scene could be opened, where it has one.
        peak: Bytes of memory that its child held at most; 0 where that is not known.
    """

    status: Literal["done", "failed", "died", "no_room", "stopped", "over"]
    sentence: str = ""
    what: str = ""
    opened: bool = False
    peak: int = 0


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
        return TaskProcess(self.tasks, conditions)

    def start_here(self) -> JobRun:
        """Make ready to do it in the calling thread."""
        return _TasksHere(self.tasks)

    def split(self) -> Sequence[Chunk]:
        return [TaskChunk((task,)) for task in self.tasks] if len(self.tasks) > 1 else ()


def render_chunks(job: RenderJob, engine: Engine, size: int) -> list[Chunk]:
    """Cut a job into chunks of about so many frames."""
    parts = split_job(job, -(-len(job.frames) // size)) if job.frames else []
    return [
        RenderChunk(part, engine, layout.log_file(part.output, part.config.name, number if len(parts) > 1 else None))
        for number, part in enumerate(parts)
    ]


def task_chunks(tasks: Iterable[Task], size: int) -> list[Chunk]:
    """Tasks of one cut in chunks of so many neighbours."""
    ordered = tuple(tasks)
    return [TaskChunk(ordered[start : start + size]) for start in range(0, len(ordered), size)]


def split_job(job: RenderJob, parts: int) -> list[RenderJob]:
    """Cut a job into jobs of neighbouring frames that together make the same files, each exactly once.

    Args:
        job: The whole job.
        parts: How many jobs at most; tracks, which cannot be cut up, are a job more.

    Returns:
        The jobs; a pair belongs to the job that has its earlier frame.
    """
    # the later frame of a pair alone is no work of its own
    frames = {*job.pictures, *job.material_pictures, *job.identity_pictures, *job.companions}
    units = sorted({*frames, *(earlier for earlier, _ in job.pairs)})
    size = -(-len(units) // max(1, parts)) if units else 1
    # the longest job begins first
    jobs = [RenderJob(job.config, job.output, tracks=True)] if job.tracks else []
    for start in range(0, len(units), size):
        own = set(units[start : start + size])
        jobs.append(
            replace(
                job,
                pictures=tuple(frame for frame in job.pictures if frame in own),
                material_pictures=tuple(frame for frame in job.material_pictures if frame in own),
                identity_pictures=tuple(frame for frame in job.identity_pictures if frame in own),
                companions=tuple(frame for frame in job.companions if frame in own),
                pairs=tuple(pair for pair in job.pairs if pair[0] in own),
                tracks=False,
            )
        )
    return jobs


def still_missing(job: RenderJob) -> RenderJob | None:
    """What of a job is not on disk: another attempt may have made a part of it.  None where nothing is left."""
    frames = set(job.frames)
    found = FilesOnDisk(job.output, job.config.split, job.config.name, look=False)
    chosen = tuple(frame for frame in job.config.frame_numbers if frame in frames)
    compared = read_cross_checks(job.output, job.config) if job.cross_check else None
    missing = find_missing(Wanted.of(job.config), chosen, found, ("pictures", "motion"), compared)
    left = replace(
        job,
        pictures=tuple(frame for frame in job.pictures if frame in missing.pictures),
        material_pictures=tuple(frame for frame in job.material_pictures if frame in missing.material_pictures),
        identity_pictures=tuple(frame for frame in job.identity_pictures if frame in missing.identity_pictures),
        companions=tuple(frame for frame in job.companions if frame in missing.companions),
        pairs=tuple(pair for pair in job.pairs if pair in missing.pairs),
        tracks=job.tracks and not has_tracks(job.config, job.output),
    )
    return left if left.frames else None


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


def _span(frames: Sequence[int]) -> str:
    return f"frame {frames[0]}" if len(frames) == 1 else f"frames {frames[0]} to {frames[-1]}"
