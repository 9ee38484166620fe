"""The work on a dataset as chunks, and what comes of it as summaries."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from animerun_gen.dataset import layout
from animerun_gen.engines.blenders import Engine
from animerun_gen.engines.job import RenderJob
from animerun_gen.engines.protocol import Event, TaskEvent, of_task
from animerun_gen.errors import DatasetError
from animerun_gen.pipeline.chunks import Chunk, RenderChunk, TaskChunk
from animerun_gen.pipeline.farm import Crew, Farm, FarmLost
from animerun_gen.pipeline.plan import CutPlan, split_job
from animerun_gen.pipeline.state.figures import write_figures
from animerun_gen.pipeline.state.fingerprints import memory_digest
from animerun_gen.pipeline.state.inputs import end_reading, note_opened
from animerun_gen.pipeline.summary import CutSummary, failures_to
from animerun_gen.pipeline.tasks.labelling import LabelTask
from animerun_gen.pipeline.tasks.recoloring import PassPlan, RecolorTask, SurveyTask
from animerun_gen.pipeline.tasks.running import Task
from animerun_gen.progress import Progress

SMALLEST_CHUNK = 6
"""Frames for which another Blender process is worth its start."""

LARGEST_CHUNK = 100
"""Frames that one Blender process renders at most: what it leaves in memory ends with it."""

LABELS_OF_A_CHUNK = 12
"""Frames or pairs that are labelled at once: quick enough to fill gaps, long enough not to be noticed as overhead."""


@dataclass(frozen=True)
class Ways:
    """How to do the work.

    Attributes:
        output: Root folder of the dataset.
        engine: The Blender that renders; None when nothing is to be rendered.
        label: Whether to label and to make colour passes.
        cross_check: Whether to compare the two motion backends.
        chunk_frames: Frames of a cut that one Blender process renders; None for as many as suit the workers.
    """

    output: Path
    engine: Engine | None
    label: bool
    cross_check: bool
    chunk_frames: int | None


class Work:
    """Everything that is missing of a dataset.

    Args:
        plans: The cuts.
        ways: How to do it.
        summaries: By cut; take what comes of it.
    """

    def __init__(self, plans: Sequence[CutPlan], ways: Ways, summaries: Mapping[str, CutSummary]) -> None:
        self._ways = ways
        self._summaries = summaries
        self._plans = {plan.config.name: plan for plan in plans}
        self._jobs = (
            {name: plan.missing_render(ways.cross_check) for name, plan in self._plans.items()} if ways.engine else {}
        )
        labels = {name: plan.missing_labels() for name, plan in self._plans.items()} if ways.label else {}
        self._labels: dict[str, tuple[list[LabelTask], list[LabelTask]]] = labels
        self._passes = {
            name: passes
            for name, plan in (self._plans.items() if ways.label else ())
            if (passes := plan.missing_passes()) is not None
        }
        self._surveys: dict[str, Any] = {}
        self._done: set[tuple[str | int | None, ...]] = set()
        ledgers = {name: self._plans[name].ledger for name in self._jobs}
        self._unopened = {
            name for name, ledger in ledgers.items() if not ledger.origin.opened and self._plans[name].frames
        }
        self._needs = {
            name: memory_digest(self._plans[name].config, ledger.origin, ways.cross_check)
            for name, ledger in ledgers.items()
            if self._jobs[name].frames
        }

    @property
    def is_needed(self) -> bool:
        """Whether there is anything to do."""
        return bool(
            any(job.frames for job in self._jobs.values())
            or self._unopened
            or any(frames or pairs for frames, pairs in self._labels.values())
            or self._passes
        )

    @property
    def units(self) -> int:
        """How many steps it is: frames to render, to label, to look at and to recolour, and pairs to label."""
        rendering = sum(
            len(replace(job, tracks=False).frames) + (len(job.frames) if job.tracks else 0)
            for job in self._jobs.values()
        )
        labelling = sum(len(frames) + len(pairs) for frames, pairs in self._labels.values())
        return rendering + labelling + sum(_units_of(passes) for passes in self._passes.values())

    @property
    def memory(self) -> dict[str, int]:
        """Bytes that a Blender held at most, by cut, as far as earlier runs saw it."""
        known = {name: self._plans[name].ledger.known_peak(need) for name, need in self._needs.items()}
        return {name: peak for name, peak in known.items() if peak}

    def do(self, crew: Crew, progress: Progress) -> None:
        """Get it done.

        Args:
            crew: Does the chunks.
            progress: Shows how far it is, over :attr:`units`.

        Raises:
            FarmLost: The crew cannot be reached any more; what is not done is in the summaries.
        """
        self._progress = progress
        self._farm = Farm(crew, self)
        size = self._ways.chunk_frames or self._suitable_size(self._slots(crew))
        for name, plan in self._plans.items():
            if name in self._unopened or (name in self._jobs and self._jobs[name].frames):
                with failures_to(self._summaries[name]):
                    plan.ledger.keep(reading=dict(plan.watched))
            self._farm.add(self._render_chunks(name, size), then=partial(self._rendered, name))
        for frames, pairs in self._labels.values():
            # matches need the segments of both frames
            for tasks in (frames, pairs):
                self._farm.add(_in_chunks(tasks, min(size, LABELS_OF_A_CHUNK)))
        self._farm.run()

    def on_event(self, chunk: Chunk, event: Event) -> None:
        """A chunk told something; it may have told it before."""
        summary = self._summaries[chunk.cut]
        with failures_to(summary):
            if isinstance(chunk, RenderChunk):
                self._take_from_blender(event, chunk, summary)
            elif isinstance(chunk, TaskChunk) and (told := of_task(event)) is not None:
                self._take_from_task(told, chunk.tasks[told["number"]], summary)

    def on_retry(self, chunk: Chunk, note: str) -> None:
        """A chunk is begun again, or in smaller pieces."""
        self._note(self._summaries[chunk.cut], note)

    def on_failure(self, chunk: Chunk, sentence: str) -> None:
        """A chunk was given up."""
        self._fail(self._summaries[chunk.cut], sentence)

    def on_peak(self, chunk: Chunk, peak: int) -> None:
        """The child that did a chunk held so many bytes of memory at most."""
        if isinstance(chunk, RenderChunk) and not chunk.looks:
            summary = self._summaries[chunk.cut]
            summary.memory = max(summary.memory, peak)
            # what cannot be written down is no failure of the cut
            with suppress(DatasetError):
                self._plans[chunk.cut].ledger.saw_peak(self._needs[chunk.cut], peak)

    def _slots(self, crew: Crew) -> int:
        """How many chunks can be done at once, as soon as there is anybody to do them."""
        try:
            return crew.slots()
        except FarmLost as error:
            for name, summary in self._summaries.items():
                summary.fail(f"cut '{name}': {error}")
            raise

    def _suitable_size(self, slots: int) -> int:
        """So large that Blender starts seldom, and so small that all workers have something to do until the end."""
        total = sum(len(job.frames) for job in self._jobs.values())
        share = -(-total // (2 * slots)) if slots > 1 else total
        return min(LARGEST_CHUNK, max(SMALLEST_CHUNK, share))

    def _render_chunks(self, name: str, size: int) -> list[Chunk]:
        job = self._jobs.get(name)
        if job is None or self._ways.engine is None or self._summaries[name].failures:
            return []
        parts = split_job(job, -(-len(job.frames) // size)) if job.frames else []
        return [
            RenderChunk(part, self._ways.engine, layout.log_file(part.output, name, number if len(parts) > 1 else None))
            for number, part in enumerate(parts)
        ]

    def _rendered(self, name: str) -> None:
        """All rendering of a cut has ended."""
        config, output = self._plans[name].config, self._ways.output
        if self._ways.engine is not None and name in self._unopened and not self._summaries[name].failures:
            # others made all files and could not tell what the scene depends on
            look = RenderChunk(RenderJob(config, output), self._ways.engine, layout.log_file(output, name), looks=True)
            self._farm.add([look], then=partial(self._read, name))
        else:
            self._read(name)

    def _read(self, name: str) -> None:
        """Nobody reads the cut's scene any more."""
        summary = self._summaries[name]
        if self._ways.engine is not None:
            with failures_to(summary):
                end_reading(self._plans[name].ledger)
        passes = self._passes.get(name)
        if passes is None or summary.failures:
            return
        if (reason := passes.why_not()) is not None:
            self._progress.expect(-_units_of(passes))
            self._note(summary, reason)
            return
        # the compiled kernels take their time to load, which a run with nothing to do need not spend
        from animerun_gen.recolor.survey import Survey

        self._surveys[name] = Survey()
        self._farm.add(_in_chunks(passes.surveys, LABELS_OF_A_CHUNK), then=partial(self._surveyed, name, passes))

    def _surveyed(self, name: str, passes: PassPlan) -> None:
        """All frames of a cut have been looked at for its colour passes."""
        summary = self._summaries[name]
        if summary.failures:
            return
        with failures_to(summary):
            tasks, notes = passes.choose(self._surveys[name])
            for note in notes:
                summary.note(note)
            self._farm.add(_in_chunks(tasks, LABELS_OF_A_CHUNK))

    def _take_from_blender(self, event: Event, chunk: RenderChunk, summary: CutSummary) -> None:
        config, output = chunk.job.config, self._ways.output
        if event["event"] == "opened":
            for note in event["notes"]:
                summary.note(note)
            note_opened(self._plans[config.name].ledger, config.source, event)
            self._unopened.discard(config.name)
        elif event["event"] == "noticed":
            if summary.note(event["note"]):
                self._progress.say(f"cut '{config.name}': {event['note']}")
        elif event["event"] == "refused":
            self._fail(summary, f"cut '{config.name}': {event['reason']}")
        elif event["event"] == "frame_done":
            summary.rendered.add(event["frame"])
            self._advance("tracks" if chunk.job.tracks else "rendering", config.name, event["frame"])
        elif event["event"] == "cross_checked":
            write_figures(
                layout.cross_check_file(output, config.name, event["frame"], event["other"]), event["figures"]
            )

    def _take_from_task(self, event: TaskEvent, task: Task, summary: CutSummary) -> None:
        name = task.config.name
        if event["event"] == "task_lacks":
            if not summary.failures:
                self._fail(
                    summary,
                    f"cut '{name}': not everything can be labelled, because {event['missing']} is missing; make it "
                    "with 'animerun-gen render', or choose other --frames",
                )
            return
        kind = type(task).__name__
        new = self._advance(kind, name, task.frame, task.other if isinstance(task, LabelTask) else None)
        if event["event"] == "task_failed":
            self._fail(summary, event["failure"])
        elif not new:
            return
        elif isinstance(task, SurveyTask):
            self._surveys[name].add(event.get("result"))
        elif isinstance(task, RecolorTask):
            summary.recolored += 1
        else:
            summary.labelled += 1

    def _advance(self, kind: str, name: str, frame: int, other: int | None = None) -> bool:
        """A step is done; returns whether it was not before."""
        step = (kind, name, frame, other)
        if step in self._done:
            return False
        self._done.add(step)
        self._progress.advance(f"{name} {frame}")
        return True

    def _note(self, summary: CutSummary, sentence: str) -> None:
        if summary.note(sentence):
            self._progress.say(f"cut '{summary.config.name}': {sentence}")

    def _fail(self, summary: CutSummary, sentence: str) -> None:
        if summary.fail(sentence):
            self._progress.say(sentence)


def _in_chunks(tasks: Iterable[Task], size: int) -> list[Chunk]:
    """Tasks of one cut in chunks of neighbours."""
    ordered = tuple(tasks)
    return [TaskChunk(ordered[start : start + size]) for start in range(0, len(ordered), size)]


def _units_of(passes: PassPlan) -> int:
    return len(passes.surveys) + len(passes.frames)
