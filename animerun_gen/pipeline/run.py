"""Makes a dataset, or goes on with one: plan, render, label, sum up."""

from __future__ import annotations

import argparse
import shutil
import sys
import threading
import traceback
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Protocol

from animerun_gen.blender.job import Event, RenderJob
from animerun_gen.config import CutConfig, load_cuts
from animerun_gen.dataset.files import remove_stale_temporaries, write_json
from animerun_gen.errors import AnimerunGenError, ConfigError, DatasetError
from animerun_gen.lifetime import begin_as_worker
from animerun_gen.pipeline import paths
from animerun_gen.pipeline.camera_cuts import split_at_camera_cuts
from animerun_gen.pipeline.coverage import Coverage, describe_coverage, measure_coverage
from animerun_gen.pipeline.engines import BpyModule, Engine, InstalledBlender
from animerun_gen.pipeline.failures import keep_failures
from animerun_gen.pipeline.inputs import begin_reading, end_reading, note_opened
from animerun_gen.pipeline.judging import collect_quality, read_cross_checks
from animerun_gen.pipeline.labelling import LabelTask
from animerun_gen.pipeline.line_engine import choose_line_engines
from animerun_gen.pipeline.lock import exclusive
from animerun_gen.pipeline.manifest import write_manifest
from animerun_gen.pipeline.plan import CutPlan, plan_cut, split_job
from animerun_gen.pipeline.progress import Progress
from animerun_gen.pipeline.record import STAGES

SMALLEST_JOB = 6
"""Frames for which another Blender process is worth its start."""

SHOWN_FAILURES = 5
"""So many failures of a cut are printed: a full disk fails every file."""


@dataclass(frozen=True)
class Options:
    """How to make a dataset.

    Attributes:
        output: Root folder of the dataset.
        engine: The Blender that renders; None when nothing is to be rendered.
        frames: First and last frame to work on; None for all of each cut.
        workers: Processes that work side by side.  A script that asks for several needs ``if __name__ == "__main__":``,
            because each of them imports it.
        cross_check: Whether to compare the two motion backends.
        render: Whether to do the Blender half.
        label: Whether to do the second half.
    """

    output: Path
    engine: Engine | None
    frames: tuple[int, int] | None = None
    workers: int = 1
    cross_check: bool = False
    render: bool = True
    label: bool = True


@dataclass
class CutSummary:
    """What became of a cut.

    Attributes:
        config: The cut.
        rendered: The frames that Blender visited in this run.
        labelled: Frames and pairs that were labelled in this run.
        recolored: Frames of which colour passes were made in this run.
        redone: Stages that were out of date and cleared away, with the reason.
        notes: What opening, converting and rendering the scene had to say in this run.
        failures: Why something could not be made.
        quality: The content of the cut's quality file, if it was written.
        cross_checks: How the two motion backends differ, for each flow of the cut that was ever compared.
        coverage: How much of the cut is on disk now, counting only pictures and motion where labels were not asked for;
            None when nothing could be begun.
    """

    config: CutConfig
    rendered: set[int] = field(default_factory=set)
    labelled: int = 0
    recolored: int = 0
    redone: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    quality: dict[str, Any] | None = None
    cross_checks: list[dict[str, Any]] = field(default_factory=list)
    coverage: Coverage | None = None


def generate(cuts: Sequence[CutConfig], options: Options) -> list[CutSummary]:
    """Make the cuts' files that are missing or out of date.

    It may be killed at any moment; called again it goes on with what is missing.

    Args:
        cuts: The cuts, of different names.
        options: How.

    Returns:
        What became of each cut, in order, and of each of its stretches where it is split at camera cuts.  A cut that
        fails does not keep the others from being made.

    Raises:
        BusyError: Another run writes to the same output.
        DatasetError: The output cannot be written to, or nothing is to be rendered and it does not exist.
        ValueError: It is to be rendered without an engine.
    """
    engine = options.engine if options.render else None
    if options.render and engine is None:
        raise ValueError("rendering needs an engine")
    if not options.render and not options.output.is_dir():
        raise DatasetError(f"{options.output} does not exist: correct --out, or run 'animerun-gen render' first")
    with exclusive(options.output):
        remove_stale_temporaries(options.output)
        # what Blenders that were killed together with their run had under way
        shutil.rmtree(paths.scratch_folder(options.output), ignore_errors=True)
        parts = split_at_camera_cuts(cuts, options.output, engine)
        parts = choose_line_engines(parts, options.output, engine)
        summaries = {part.config.name: CutSummary(part.config, notes=list(part.notes)) for part in parts}
        plans = []
        for part in parts:
            summary = summaries[part.config.name]
            if part.failure is not None:
                summary.failures.append(part.failure)
                continue
            with _failures_to(summary):
                version = engine.version if engine else None
                plan = plan_cut(part.config, options.output, version, options.frames, part.notes)
                summary.redone = plan.redone
                summary.notes += plan.notes
                plans.append(plan)
        if engine is not None:
            _render(plans, engine, options, summaries)
            for plan in plans:
                with _failures_to(summaries[plan.config.name]):
                    end_reading(options.output, plan.config.name)
        if options.label:
            _label([plan for plan in plans if not summaries[plan.config.name].failures], options, summaries)
            _recolor([plan for plan in plans if not summaries[plan.config.name].failures], options, summaries)
        for plan in plans:
            summary = summaries[plan.config.name]
            summary.cross_checks = list(read_cross_checks(options.output, summary.config).values())
            with _failures_to(summary):
                stages = STAGES if options.label else ("pictures", "motion")
                summary.coverage = measure_coverage(summary.config, options.output, stages, plan.found)
        found = {plan.config.name: plan.found for plan in plans}
        for name, summary in summaries.items():
            # of a cut that failed as well: what was made, or cleared away, is what is on disk now
            with _failures_to(summary):
                summary.notes += write_manifest(options.output, name, found.get(name), options.workers)
            keep_failures(options.output, name, summary.failures)
        return list(summaries.values())


@contextmanager
def _failures_to(summary: CutSummary) -> Iterator[None]:
    """Note what goes wrong with a cut, and go on with the others."""
    try:
        yield
    except AnimerunGenError as error:
        summary.failures.append(str(error))


def _render(plans: Sequence[CutPlan], engine: Engine, options: Options, summaries: dict[str, CutSummary]) -> None:
    wholes = []
    for plan in plans:
        whole = plan.missing_render(options.cross_check)
        with _failures_to(summaries[plan.config.name]):
            if whole.frames:
                begin_reading(options.output, plan.config.name, plan.watched)
                wholes.append(whole)
    total = sum(len(job.frames) for job in wholes)
    if not total:
        return
    share = max(SMALLEST_JOB, -(-total // (2 * options.workers))) if options.workers > 1 else total
    jobs, runs = [], []
    for whole in wholes:
        parts = split_job(whole, -(-len(whole.frames) // share))
        for number, part in enumerate(parts):
            log = paths.log_file(options.output, part.config.name, number if len(parts) > 1 else None)
            jobs.append(part)
            runs.append(engine.start(part, log))
    lock = threading.Lock()
    with Progress(sum(len(job.frames) for job in jobs), "frame", "rendering") as progress:

        def listener(job: RenderJob) -> Callable[[Event], None]:
            def on_event(event: Event) -> None:
                with lock:
                    _take_event(event, job, options.output, summaries[job.config.name])
                if event["event"] == "frame_done":
                    progress.advance(f"{job.config.name} {event['frame']}")
                elif event["event"] == "noticed":
                    progress.say(f"cut '{job.config.name}': {event['note']}")

            return on_event

        def ended(job: RenderJob, error: BaseException | None) -> None:
            if isinstance(error, AnimerunGenError):
                summaries[job.config.name].failures.append(str(error))
                progress.say(str(error))
            elif error is not None:
                raise error

        if options.workers == 1:
            # in this thread, because a Blender that runs in this process wants the main one
            for run, job in zip(runs, jobs, strict=True):
                try:
                    run.run(listener(job))
                except AnimerunGenError as error:
                    ended(job, error)
            return
        with ThreadPoolExecutor(options.workers) as pool:
            futures = {pool.submit(run.run, listener(job)): job for run, job in zip(runs, jobs, strict=True)}
            try:
                for future in as_completed(futures):
                    ended(futures[future], future.exception())
            except BaseException:
                for future in futures:
                    future.cancel()
                for run in runs:
                    run.kill()
                raise


def _take_event(event: Event, job: RenderJob, output: Path, summary: CutSummary) -> None:
    """Keep what an event of a Blender process says."""
    config = job.config
    if event["event"] == "opened":
        summary.notes += [note for note in event["notes"] if note not in summary.notes]
        with _failures_to(summary):
            note_opened(output, config.name, config.source, event)
    elif event["event"] == "noticed":
        summary.notes.append(event["note"])
    elif event["event"] == "frame_done":
        summary.rendered.add(event["frame"])
    elif event["event"] == "cross_checked":
        write_json(paths.cross_check_file(output, config.name, event["frame"], event["other"]), event["figures"])


def _label(plans: Sequence[CutPlan], options: Options, summaries: dict[str, CutSummary]) -> None:
    missing = [plan.missing_labels() for plan in plans]
    frames = [task for of_frames, _ in missing for task in of_frames]
    pairs = [task for _, of_pairs in missing for task in of_pairs]
    if frames or pairs:
        with Progress(len(frames) + len(pairs), "label", "labelling") as progress:
            # matches need the segments of both frames
            for tasks in (frames, pairs):
                _run_tasks(_possible(tasks, summaries), options.workers, progress, summaries, _count_label)
    for plan in plans:
        summary = summaries[plan.config.name]
        with _failures_to(summary):
            summary.quality = collect_quality(options.output, plan.config)


def _possible(tasks: Sequence[LabelTask], summaries: dict[str, CutSummary]) -> list[LabelTask]:
    """The tasks for which everything is there; what is missing is noted, once for each cut."""
    possible = []
    for task in tasks:
        summary, missing = summaries[task.config.name], task.missing_input()
        if missing is None:
            possible.append(task)
        elif not summary.failures:
            summary.failures.append(
                f"cut '{task.config.name}': not everything can be labelled, because {missing} is missing; make it with "
                "'animerun-gen render', or choose other --frames"
            )
    return possible


def _count_label(summary: CutSummary, _: Any) -> None:
    summary.labelled += 1


def _recolor(plans: Sequence[CutPlan], options: Options, summaries: dict[str, CutSummary]) -> None:
    """Make colour passes: look at the whole clip, choose its colours, repaint the frames that lack them."""
    wanted = []
    for plan in plans:
        passes = plan.missing_passes()
        if passes is not None and (reason := passes.why_not()) is not None:
            summaries[plan.config.name].notes.append(reason)
        elif passes is not None:
            wanted.append(passes)
    if not wanted:
        return
    # the compiled kernels take their time to load, which a run with nothing to do need not spend
    from animerun_gen.recolor.survey import Survey

    surveys = {passes.config.name: Survey() for passes in wanted}

    def keep(summary: CutSummary, survey: Any) -> None:
        surveys[summary.config.name].add(survey)

    def count(summary: CutSummary, _: Any) -> None:
        summary.recolored += 1

    looks = [task for passes in wanted for task in passes.surveys]
    with Progress(len(looks) + sum(len(passes.frames) for passes in wanted), "frame", "recolouring") as progress:
        _run_tasks(looks, options.workers, progress, summaries, keep)
        tasks = []
        for passes in wanted:
            summary = summaries[passes.config.name]
            with _failures_to(summary):
                if not summary.failures:
                    chosen, notes = passes.choose(surveys[passes.config.name])
                    summary.notes += notes
                    tasks += chosen
        _run_tasks(tasks, options.workers, progress, summaries, count)


class _Task(Protocol):
    """One unit of work on a frame, which may be done in another process."""

    @property
    def config(self) -> CutConfig: ...

    @property
    def output(self) -> Path: ...

    @property
    def frame(self) -> int: ...

    def run(self) -> Any: ...


def _run_tasks(
    tasks: Sequence[_Task],
    workers: int,
    progress: Progress,
    summaries: dict[str, CutSummary],
    take: Callable[[CutSummary, Any], None],
) -> None:
    """Do all tasks, and hand what comes of each to ``take``."""

    def done(task: _Task, result: Any, error: BaseException | None) -> None:
        summary = summaries[task.config.name]
        if error is None:
            take(summary, result)
        elif isinstance(error, Exception):
            failure = _describe_failure(task, error)
            if failure not in summary.failures:
                summary.failures.append(failure)
                progress.say(failure)
        else:
            raise error
        progress.advance(f"{task.config.name} {task.frame}")

    if workers == 1 or len(tasks) < 2:
        for task in tasks:
            try:
                result = task.run()
            except Exception as error:
                done(task, None, error)
            else:
                done(task, result, None)
        return
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn"), initializer=begin_as_worker) as pool:
        futures = {pool.submit(task.run): task for task in tasks}
        try:
            for future in as_completed(futures):
                failure = future.exception()
                done(futures[future], None if failure else future.result(), failure)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _describe_failure(task: _Task, error: Exception) -> str:
    """Why a task failed, in a sentence; what only a developer can make sense of goes to the cut's log."""
    name = task.config.name
    if isinstance(error, AnimerunGenError):
        return f"cut '{name}': {error}"
    if isinstance(error, BrokenProcessPool):
        return (
            f"cut '{name}': a labelling or recolouring process died, perhaps because memory ran out; run the same "
            "command again, with fewer workers"
        )
    log = paths.log_file(task.output, name)
    log.parent.mkdir(parents=True, exist_ok=True)
    with open(log, "a", encoding="utf-8") as file:
        file.writelines(traceback.format_exception(error))
    what = f"frame {task.frame} cannot be {'labelled' if isinstance(task, LabelTask) else 'recoloured'}"
    return f"cut '{name}': {what}: {type(error).__name__}: {error} (log: {log})"


def run_command(options: argparse.Namespace) -> int:
    """Carry out ``generate``, ``render`` or ``label`` as the command line asks.

    Args:
        options: What :func:`animerun_gen.cli.build_parser` parsed.

    Returns:
        Exit status.

    Raises:
        AnimerunGenError: Nothing could be begun.
    """
    renders, labels = options.command != "label", options.command != "render"
    cuts = [cut.config for cut in load_cuts(options.configs, check_sources=renders)]
    _check_range(cuts, options.frames)
    engine: Engine | None = None
    if renders:
        engine = InstalledBlender.find(options.blender) if options.blender else BpyModule.find()
    run = Options(
        output=options.out,
        engine=engine,
        frames=options.frames,
        workers=options.workers,
        cross_check=renders and options.cross_check,
        render=renders,
        label=labels,
    )
    summaries = generate(cuts, run)
    for line in describe(summaries, options.out):
        print(line)
    sys.stdout.flush()
    failed = any(summary.failures for summary in summaries)
    past_bars = any(summary.quality and summary.quality["failures"] for summary in summaries)
    return 1 if failed or (labels and options.strict and past_bars) else 0


def _check_range(cuts: Sequence[CutConfig], frames: tuple[int, int] | None) -> None:
    if frames is None:
        return
    outside = [
        f"--frames {frames[0]}:{frames[1]}: cut '{config.name}' has no frame in that range, only "
        f"{config.frames.first} to {config.frames.last}; choose other frames or leave the cut out"
        for config in cuts
        if not any(frames[0] <= frame <= frames[1] for frame in config.frame_numbers)
    ]
    if outside:
        raise ConfigError(outside)


def describe(summaries: Sequence[CutSummary], output: Path) -> list[str]:
    """The end of a run in words, a line each."""
    lines = []
    for summary in summaries:
        name = summary.config.name
        work = f"{len(summary.rendered)} frames rendered, {summary.labelled} labels made"
        if summary.recolored:
            work += f", {summary.recolored} frames recoloured"
        state, worked = _state(summary), summary.rendered or summary.labelled or summary.recolored
        lines.append(f"{name}: {state}; {work}" if worked else f"{name}: {state}")
        lines += [f"  out of date ({stage}): {reason}" for stage, reason in summary.redone.items()]
        lines += [f"  note: {note}" for note in summary.notes]
        lines += [f"  failed: {failure}" for failure in summary.failures[:SHOWN_FAILURES]]
        if len(summary.failures) > SHOWN_FAILURES:
            lines.append(f"  failed: {len(summary.failures) - SHOWN_FAILURES} more times")
        if summary.coverage is not None:
            lines += [f"  {line}" for line in describe_coverage(summary.coverage)]
        if summary.quality is not None:
            lines += [f"  {line}" for line in _describe_quality(summary.quality)]
        lines += [f"  {line}" for line in _describe_cross_checks(summary.cross_checks)]
    lines.append(f"the dataset is in {output}; figures of each pair are in {output / 'quality'}")
    return lines


def _state(summary: CutSummary) -> str:
    if summary.failures or summary.coverage is None:
        return "FAILED"
    if not summary.coverage.complete:
        return "INCOMPLETE"
    return "complete" if summary.quality is not None else "rendered"


def _describe_quality(quality: dict[str, Any]) -> list[str]:
    lines = []
    summary = quality["summary"]
    if not quality["pairs"]:
        return ["no pair of neighbouring frames is complete"]
    for name, title in (("warp_error", "colour"), ("warp_error_flat", "flat")):
        if summary[name]["mean"] is not None:
            lines.append(
                f"warp error of {title} frames: mean {summary[name]['mean']:.5f}, worst {summary[name]['worst']:.5f}"
            )
    agreements = [summary[name]["worst"] for name in ("agreement", "agreement_ids") if name in summary]
    if known := [agreement for agreement in agreements if agreement is not None]:
        lines.append(f"pictures and id maps agree in at least {100 * min(known):.3f} % of each frame")
    if "leaks" in summary and summary["leaks"]["mean"] is not None:
        lines.append(
            f"segments leak on {100 * summary['leaks']['mean']:.2f} % of the pixels, and cut a surface into "
            f"{summary['pieces']['mean']:.2f} pieces, on average"
        )
    if summary["occlusion_agreement"]["mean"] is not None:
        lines.append(
            f"the two occlusions, by the rule and exact, agree on {100 * summary['occlusion_agreement']['mean']:.2f} % "
            "of the pixels"
        )
    if summary["held_share"]:
        lines.append(f"{100 * summary['held_share']:.0f} % of the pairs are held: two identical pictures")
    if summary["invalid_share"]["worst"]:
        lines.append(f"motion is unknown for up to {100 * summary['invalid_share']['worst']:.2f} % of a frame")
    failures = quality["failures"]
    lines += [f"quality: {failure['message']}" for failure in failures[:SHOWN_FAILURES]]
    if len(failures) > SHOWN_FAILURES:
        lines.append(f"quality: {len(failures) - SHOWN_FAILURES} more figures are past their bars")
    if not failures:
        lines.append("quality: no figure is past its bar")
    return lines


def _describe_cross_checks(checks: Sequence[dict[str, Any]]) -> list[str]:
    lines = []
    trusted = [check for check in checks if not check["vector_pass_problems"] and check["median"] is not None]
    if checks:
        lines.append(f"cross-check: {len(trusted)} of {len(checks)} flows can be compared with the Vector pass")
    if trusted:
        median = max(check["median"] for check in trusted)
        tail = max(check["p99"] for check in trusted)
        lines.append(f"cross-check: medians up to {median:.2g} px, 99 % of each within {tail:.2g} px")
    with suppress(StopIteration):
        refused = next(check for check in checks if check["vector_pass_problems"])
        lines.append(f"cross-check: the Vector pass is wrong where {'; '.join(refused['vector_pass_problems'][:3])}")
    return lines
