"""Gets the work on a dataset done: plans become chunks, and what comes of them goes into the summaries."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import Any

from animerun_gen.dataset import layout
from animerun_gen.engines.blenders import BpyModule, InstalledBlender
from animerun_gen.engines.fence import Fence
from animerun_gen.engines.interrupts import held_interrupts
from animerun_gen.engines.job import RenderJob
from animerun_gen.engines.protocol import Event, TaskEvent, of_task
from animerun_gen.errors import DatasetError
from animerun_gen.pipeline.chunks import Chunk, RenderChunk, TaskChunk, render_chunks, task_chunks
from animerun_gen.pipeline.farm import Crew, Farm, FarmLost, InlineCrew
from animerun_gen.pipeline.options import Options
from animerun_gen.pipeline.plan import CutPlan
from animerun_gen.pipeline.state import made_with
from animerun_gen.pipeline.state.figures import write_figures
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


def get_done(plans: Sequence[CutPlan], options: Options, fence: Fence) -> None:
    """Get done what is missing; what cannot be done is in the cuts' summaries.

    Args:
        plans: The cuts.
        options: How.
        fence: Of the run.
    """
    work = Work(plans, options)
    with Progress(work.units, "step", "generating") as progress:
        crew = _crew(plans, options, fence, work, progress)
        try:
            work.do(crew, progress)
        except FarmLost as error:
            progress.say(str(error))
        finally:
            with held_interrupts():
                crew.close()


def _crew(plans: Sequence[CutPlan], options: Options, fence: Fence, work: Work, progress: Progress) -> Crew:
    """Who does the work."""
    engine = options.engine
    if options.scheduler is None and engine is not None and engine.in_this_process:
        return InlineCrew(progress.say, options.despite_memory)
    # Dask takes its time to be imported, which whoever works in this process need not spend
    from animerun_gen.pipeline.crew import ClusterCrew, LocalCrew
    from animerun_gen.pipeline.fitness import Demands

    if options.scheduler is None:
        return LocalCrew(options.workers, options.patience, fence, progress.say, work.memory, options.despite_memory)
    if engine is not None and not isinstance(engine, BpyModule | InstalledBlender):
        raise ValueError("a cluster cannot use a Blender that runs in this process")
    sources = {plan.cut.config.source: None for plan in plans} if engine is not None else {}
    demands = Demands(made_with.versions(), engine, fence, tuple(sources))
    return ClusterCrew(options.scheduler, demands, options.patience, progress.say, options.despite_memory)


class Work:
    """Everything that is missing of a dataset.

    Args:
        plans: The cuts, whose summaries take what comes of it.
        options: How to do it.
    """

    def __init__(self, plans: Sequence[CutPlan], options: Options) -> None:
        self._options = options
        self._plans = {plan.cut.name: plan for plan in plans}
        self._summaries = {plan.cut.name: plan.cut.summary for plan in plans}
        self._surveys: dict[str, Any] = {}
        self._done: set[tuple[str | int | None, ...]] = set()
        self._unopened = {plan.cut.name for plan in plans if plan.is_unopened}

    @property
    def units(self) -> int:
        """How many steps it is: frames to render, to label, to look at and to recolour, and pairs to label."""
        jobs = [plan.render for plan in self._plans.values() if plan.render is not None]
        rendering = sum(len(replace(job, tracks=False).frames) + (len(job.frames) if job.tracks else 0) for job in jobs)
        labelling = sum(len(plan.frame_labels) + len(plan.pair_labels) for plan in self._plans.values())
        recoloring = sum(_units_of(plan.passes) for plan in self._plans.values() if plan.passes is not None)
        return rendering + labelling + recoloring

    @property
    def memory(self) -> dict[str, int]:
        """Bytes that a Blender held at most, by cut, as far as earlier runs saw it."""
        rendering = [plan for plan in self._plans.values() if plan.renders]
        known = {plan.cut.name: plan.cut.ledger.known_peak(plan.memory_digest) for plan in rendering}
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
        size = self._options.chunk_frames or self._suitable_size(self._slots(crew))
        self._farm = Farm(crew, self)
        engine = self._options.engine
        for name, plan in self._plans.items():
            if plan.is_unopened or plan.renders:
                with failures_to(plan.cut.summary):
                    plan.cut.ledger.keep(reading=dict(plan.watched))
            job, failures = plan.render, plan.cut.summary.failures
            chunks = [] if job is None or engine is None or failures else render_chunks(job, engine, size)
            self._farm.add(chunks, then=partial(self._rendered, name))
        for plan in self._plans.values():
            # matches need the segments of both frames
            for tasks in (plan.frame_labels, plan.pair_labels):
                self._farm.add(task_chunks(tasks, min(size, LABELS_OF_A_CHUNK)))
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
            plan = self._plans[chunk.cut]
            # what cannot be written down is no failure of the cut
            with suppress(DatasetError):
                plan.cut.ledger.saw_peak(plan.memory_digest, peak)

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
        total = sum(len(plan.render.frames) for plan in self._plans.values() if plan.render is not None)
        share = -(-total // (2 * slots)) if slots > 1 else total
        return min(LARGEST_CHUNK, max(SMALLEST_CHUNK, share))

    def _rendered(self, name: str) -> None:
        """All rendering of a cut has ended."""
        cut, engine = self._plans[name].cut, self._options.engine
        if engine is not None and name in self._unopened and not cut.summary.failures:
            # others made all files and could not tell what the scene depends on
            job = RenderJob(cut.config, cut.output)
            look = RenderChunk(job, engine, layout.log_file(cut.output, name), looks=True)
            self._farm.add([look], then=partial(self._read, name))
        else:
            self._read(name)

    def _read(self, name: str) -> None:
        """Nobody reads the cut's scene any more."""
        summary, passes = self._summaries[name], self._plans[name].passes
        if self._options.engine is not None:
            with failures_to(summary):
                end_reading(self._plans[name].cut.ledger)
        if passes is None or summary.failures:
            return
        if (reason := passes.why_not()) is not None:
            self._progress.expect(-_units_of(passes))
            self._note(summary, reason)
            return
        # the compiled kernels take their time to load, which whoever makes no passes need not spend
        from animerun_gen.recolor.survey import Survey

        self._surveys[name] = Survey()
        self._farm.add(task_chunks(passes.surveys, LABELS_OF_A_CHUNK), then=partial(self._surveyed, name, passes))

    def _surveyed(self, name: str, passes: PassPlan) -> None:
        """All frames of a cut have been looked at for its colour passes."""
        summary = self._summaries[name]
        if summary.failures:
            return
        with failures_to(summary):
            tasks, notes = passes.choose(self._surveys[name])
            for note in notes:
                summary.note(note)
            self._farm.add(task_chunks(tasks, LABELS_OF_A_CHUNK))

    def _take_from_blender(self, event: Event, chunk: RenderChunk, summary: CutSummary) -> None:
        config, output = chunk.job.config, chunk.job.output
        if event["event"] == "opened":
            for note in event["notes"]:
                summary.note(note)
            note_opened(self._plans[config.name].cut.ledger, config.source, event)
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
        if summary.note(sentence) and self._options.announce:
            self._progress.say(f"cut '{summary.config.name}': {sentence}")

    def _fail(self, summary: CutSummary, sentence: str) -> None:
        if summary.fail(sentence) and self._options.announce:
            self._progress.say(sentence)


def _units_of(passes: PassPlan) -> int:
    return len(passes.surveys) + len(passes.frames)
