"""Makes a dataset, or goes on with one: plan, render, label, sum up."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from animerun_gen.config import CutConfig
from animerun_gen.config.messages import and_more, counted
from animerun_gen.dataset import layout
from animerun_gen.dataset.files import remove_stale_temporaries
from animerun_gen.engines.blenders import BpyModule, InstalledBlender, find_engine
from animerun_gen.engines.fence import Fence, fenced
from animerun_gen.engines.film_files import looking_once
from animerun_gen.errors import ConfigError, DatasetError, NoDatasetError
from animerun_gen.pipeline.cut import Cut
from animerun_gen.pipeline.farm import Crew, FarmLost, InlineCrew
from animerun_gen.pipeline.options import Options
from animerun_gen.pipeline.plan import CutPlan, plan_cut
from animerun_gen.pipeline.state import made_with
from animerun_gen.pipeline.state.cameras import collect_cameras
from animerun_gen.pipeline.state.coverage import describe_coverage, measure_coverage
from animerun_gen.pipeline.state.figures import read_cross_checks
from animerun_gen.pipeline.state.films import digests_kept
from animerun_gen.pipeline.state.fingerprints import STAGES
from animerun_gen.pipeline.state.judging import collect_quality
from animerun_gen.pipeline.state.ledger import move_over, open_ledger
from animerun_gen.pipeline.state.lock import exclusive
from animerun_gen.pipeline.state.manifest import SHOWN_NAMES, write_manifest
from animerun_gen.pipeline.summary import CutSummary, failures_to
from animerun_gen.pipeline.tasks.camera_cuts import begin_cut, split_at_camera_cuts
from animerun_gen.pipeline.tasks.line_engine import choose_line_engines
from animerun_gen.pipeline.work import Ways, Work
from animerun_gen.progress import Progress
from animerun_gen.terminal import as_command, complain

SHOWN_FAILURES = 5
"""So many failures of a cut are printed: a full disk fails every file."""


ALTERED = "files changed since they were made: {count} ({names}); the manifest keeps their old checksums"


def generate(
    cuts: Sequence[CutConfig], options: Options, decided: Mapping[str, Sequence[str]] | None = None
) -> list[CutSummary]:
    """Make the cuts' files that are missing or out of date.

    It may be killed at any moment; called again it goes on with what is missing.

    Args:
        cuts: The cuts, of different names.
        options: How.
        decided: By cut, what an earlier run decided about it, see
            :class:`~animerun_gen.pipeline.state.ledger.MadeFrom`: the cuts are as it left them, with nothing to be
            split or chosen any more.  None: they are as the user has them.

    Returns:
        What became of each cut, in order, and of each of its stretches where it is split at camera cuts.  A cut that
        fails does not keep the others from being made.

    Raises:
        BusyError: Another run writes to the same output.
        DatasetError: The output cannot be written to.
        NoDatasetError: Nothing is to be rendered, and the output does not exist.
        AnimerunGenError: Rendering needs a Blender, and there is none.
    """
    engine = (options.engine or find_engine(options.blender)) if options.render else None
    options = replace(options, engine=engine)
    if options.output.exists() and not options.output.is_dir():
        raise NoDatasetError("is not a folder", options.output, "choose another --out")
    if not options.render and not options.output.is_dir():
        raise NoDatasetError(f"{options.output} does not exist: correct --out, or run 'animerun-gen render' first")
    with (
        exclusive(options.output),
        digests_kept(options.output),
        ExitStack() as afterwards,
        fenced(options.output, complain) as fence,
    ):
        remove_stale_temporaries(options.output)
        move_over(options.output)
        # what Blenders that were killed together with their run had under way
        shutil.rmtree(layout.scratch_folder(options.output), ignore_errors=True)
        if decided is None:
            begun = split_at_camera_cuts(cuts, options.output, engine)
            choose_line_engines(begun, engine)
        else:
            ledgers = {config.name: open_ledger(options.output, config.name) for config in cuts}
            begun = [begin_cut(config, ledgers[config.name], engine, decided[config.name]) for config in cuts]
        _do(_plans(begun, options), options, fence, {cut.name: cut.summary for cut in begun}, afterwards)
        for cut in begun:
            _sum_up(cut, options)
        return [cut.summary for cut in begun]


def _plans(cuts: Sequence[Cut], options: Options) -> list[CutPlan]:
    """What there is to do for each cut that can be begun."""
    engine = options.engine if options.render else None
    plans = []
    with looking_once():
        for cut in cuts:
            if not cut.summary.failures:
                with failures_to(cut.summary):
                    plans.append(plan_cut(cut, engine.version if engine else None, options.frames))
    return plans


def _sum_up(cut: Cut, options: Options) -> None:
    """Write the quality file and the manifest of a cut, and say how far it is and what is wrong with it."""
    summary, found = cut.summary, cut.found
    for sentence in cut.refused:
        summary.fail(sentence)
    if found is not None:
        with failures_to(summary):
            collect_cameras(cut.config, found, new=bool(summary.rendered))
        if options.label and (summary.labelled or not summary.failures):
            with failures_to(summary):
                summary.quality = collect_quality(cut.ledger, cut.config)
        summary.cross_checks = list(read_cross_checks(cut.output, cut.config).values())
        with failures_to(summary):
            stages = STAGES if options.label else ("pictures", "motion")
            summary.coverage = measure_coverage(cut.config, cut.output, stages, found)
    # of a cut that failed as well: what was made, or cleared away, is what is on disk now
    with failures_to(summary):
        summary.damaged = write_manifest(cut.ledger, found, options.workers)
        if summary.damaged:
            names = and_more(summary.damaged, SHOWN_NAMES)
            summary.note(ALTERED.format(count=len(summary.damaged), names=names))
    # the run says them itself, so a disk that does not take them any more is no failure of its own
    with suppress(DatasetError):
        cut.ledger.keep(failures=tuple(summary.failures))


def _clear_up(output: Path) -> None:
    """Remove what children that died were writing; where the disk refuses, the next run will."""
    with suppress(DatasetError):
        remove_stale_temporaries(output)


def _do(
    plans: Sequence[CutPlan],
    options: Options,
    fence: Fence,
    summaries: Mapping[str, CutSummary],
    afterwards: ExitStack,
) -> None:
    """Get done what is missing; what cannot be done is in the summaries.

    Args:
        plans: The cuts.
        options: How.
        fence: Of this run.
        summaries: By cut; take what comes of it.
        afterwards: Takes what is to be done when nobody writes into the dataset any more.
    """
    engine = options.engine if options.render else None
    ways = Ways(options.output, engine, options.label, options.cross_check, options.chunk_frames)
    work = Work(plans, ways, summaries)
    if not work.is_needed:
        return
    afterwards.callback(_clear_up, options.output)
    with Progress(work.units, "step", "generating") as progress:
        crew = _crew(plans, options, fence, work, progress)
        try:
            work.do(crew, progress)
        except FarmLost as error:
            progress.say(str(error))
        finally:
            crew.close()


def _crew(plans: Sequence[CutPlan], options: Options, fence: Fence, work: Work, progress: Progress) -> Crew:
    """Who does the work."""
    engine = options.engine if options.render else None
    if options.scheduler is None and engine is not None and engine.in_this_process:
        return InlineCrew(progress.say, options.despite_memory)
    # Dask takes its time to be imported, which a run with nothing to do need not spend
    from animerun_gen.pipeline.crew import ClusterCrew, LocalCrew
    from animerun_gen.pipeline.fitness import Demands

    if options.scheduler is None:
        return LocalCrew(options.workers, options.patience, fence, progress.say, work.memory, options.despite_memory)
    if engine is not None and not isinstance(engine, BpyModule | InstalledBlender):
        raise ValueError("a cluster cannot use a Blender that runs in this process")
    sources = {plan.config.source: None for plan in plans} if engine is not None else {}
    demands = Demands(made_with.versions(), engine, fence, tuple(sources))
    return ClusterCrew(options.scheduler, demands, options.patience, progress.say, options.despite_memory)


def require_frames(cuts: Sequence[CutConfig], frames: tuple[int, int] | None) -> None:
    """Stop where nothing of a cut lies within the frames that are to be worked on.

    Args:
        cuts: The cuts.
        frames: First and last frame to work on; None for all of each cut.

    Raises:
        ConfigError: A cut has none of them.
    """
    if frames is None:
        return
    outside = [
        f"--frames {frames[0]}:{frames[1]}: cut '{config.name}' has no frame in that range, only "
        f"{config.frame_numbers[0]} to {config.frame_numbers[-1]}; choose other frames or leave the cut out"
        for config in cuts
        if not any(frames[0] <= frame <= frames[1] for frame in config.frame_numbers)
    ]
    if outside:
        raise ConfigError(outside)


def describe(
    summaries: Sequence[CutSummary],
    output: Path,
    command_for: Callable[[CutSummary], str | None] = lambda summary: None,
) -> list[str]:
    """The end of a run in words, a line each.

    Args:
        summaries: What became of the cuts.
        output: Root folder of the dataset.
        command_for: Gives the command that makes just what a cut lacks, where there is one.
    """
    lines = []
    for summary in summaries:
        name = summary.config.name
        work = f"{counted(len(summary.rendered), 'frame')} rendered, {counted(summary.labelled, 'label')} made"
        if summary.recolored:
            work += f", {counted(summary.recolored, 'frame')} recoloured"
        state, worked = _state(summary), summary.rendered or summary.labelled or summary.recolored
        lines.append(f"{name}: {state}; {work}" if worked else f"{name}: {state}")
        if summary.memory:
            lines.append(f"  Blender used up to {summary.memory / 1e9:.1f} GB of memory")
        lines += [f"  out of date ({stage}): {reason}" for stage, reason in summary.redone.items()]
        lines += [f"  note: {note}" for note in summary.notes]
        lines += [f"  failed: {failure}" for failure in summary.failures[:SHOWN_FAILURES]]
        if len(summary.failures) > SHOWN_FAILURES:
            lines.append(f"  failed {len(summary.failures) - SHOWN_FAILURES} more times")
        lines += _ways_out(summary.damaged, output, name)
        if summary.coverage is not None:
            lines += [f"  {line}" for line in describe_coverage(summary.coverage)]
            command = command_for(summary) if command_for is not None and not summary.coverage.complete else None
            if command is not None:
                lines.append(f"  to make only the missing ones: {command}")
        if summary.quality is not None:
            lines += [f"  {line}" for line in _describe_quality(summary.quality)]
        lines += [f"  {line}" for line in _describe_cross_checks(summary.cross_checks)]
    if (output / "quality").is_dir():
        lines.append(f"the dataset is in {output}; figures of each pair are in {output / 'quality'}")
    return lines


def _ways_out(damaged: Sequence[str], output: Path, name: str) -> list[str]:
    """How to get rid of files that are damaged, in indented lines; none where there are none."""
    if not damaged:
        return []
    manifest = layout.manifest_file(output, name).relative_to(output)
    repair = as_command("animerun-gen", "verify", output, "--cut", name, "--repair")
    return [
        f"  to make only these files again: {repair}",
        f"  to accept them as they are: delete {manifest} and run the same command again",
    ]


def _state(summary: CutSummary) -> str:
    if summary.failures or summary.coverage is None:
        return "FAILED"
    if summary.damaged:
        return "DAMAGED"
    if not summary.coverage.complete:
        return "INCOMPLETE"
    return "complete" if summary.quality is not None else "rendered"


def _describe_quality(quality: dict[str, Any]) -> list[str]:
    """The figures of a cut in words; of those that are nowhere to be had nothing is said."""
    lines = []
    summary = quality["summary"]
    if not quality["pairs"]:
        return ["no pair of neighbouring frames is complete"]
    for name, title in (("warp_error", "colour"), ("warp_error_flat", "flat")):
        mean, worst = _figure(summary, name, "mean"), _figure(summary, name, "worst")
        if mean is not None and worst is not None:
            lines.append(f"warp error of {title} frames, by point sampling: mean {mean:.5f}, worst {worst:.5f}")
        mean, worst = (_figure(summary, f"{name}_bilinear", which) for which in ("mean", "worst"))
        if mean is not None and worst is not None:
            lines.append(f"  with bilinear sampling, as other datasets report it: mean {mean:.5f}, worst {worst:.5f}")
    shares = [_figure(summary, "surface_share", which) for which in ("mean", "worst")]
    if shares[0] is not None and shares[1] is not None:
        lines.append(f"surfaces cover {_percent(shares[0])} of the picture on average, {_percent(shares[1])} at least")
    agreements = [_figure(summary, name, "worst") for name in ("agreement", "agreement_ids")]
    if known := [agreement for agreement in agreements if agreement is not None]:
        lines.append(
            "pictures and id maps agree everywhere"
            if min(known) == 1.0
            else f"pictures and id maps agree on {_percent(min(known))} of each frame or more"
        )
    leaks, pieces = _figure(summary, "leaks", "mean"), _figure(summary, "pieces", "mean")
    if leaks is not None:
        lines.append(f"segments spill onto another surface in {100 * leaks:.2f}% of the pixels on average")
    if pieces is not None:
        lines.append(f"segments cut a surface into {pieces:.2f} pieces, on average")
    both = _figure(summary, "occlusion_agreement", "mean")
    if both is not None:
        lines.append(f"rule-based and exact occlusion agree on {_percent(both)} of the pixels")
    if summary["held_share"]:
        lines.append(f"{_percent(summary['held_share'])} of the pairs are held frames: nothing moves or changes")
    if repainted := _figure(summary, "repainted_share", "worst"):
        lines.append(
            f"colours that change by themselves, on up to {100 * repainted:.2f}% of a frame, are not compared with "
            "those of other frames"
        )
    if unknown := _figure(summary, "invalid_share", "worst"):
        lines.append(f"motion is unknown in up to {100 * unknown:.2f}% of a frame")
    failures = quality["failures"]
    lines += [f"quality: {failure['message']}" for failure in failures[:SHOWN_FAILURES]]
    if len(failures) > SHOWN_FAILURES:
        lines.append(f"quality: {len(failures) - SHOWN_FAILURES} more figures are beyond their thresholds")
    if not failures:
        lines.append("quality: all figures are within their thresholds")
    return lines


def _percent(share: float) -> str:
    """A share in per cent, with as many digits as tell it from nothing and from everything, up to five."""
    percent = 100 * share
    digits = next((digits for digits in range(1, 5) if 0.0 < float(f"{percent:.{digits}f}") < 100.0), 5)
    return f"{percent:.0f}%" if percent in (0.0, 100.0) else f"{percent:.{digits}f}%"


def _figure(summary: Mapping[str, Any], name: str, which: str) -> float | None:
    """A figure of a cut's summary; None where no frame or pair has it, which can happen to each of them."""
    figure: float | None = summary.get(name, {}).get(which)
    return figure


def _describe_cross_checks(checks: Sequence[dict[str, Any]]) -> list[str]:
    lines = []
    trusted = [check for check in checks if not check["vector_pass_problems"] and check["median"] is not None]
    if checks:
        lines.append(f"cross-check: {len(trusted)} of {len(checks)} flows can be compared with the Vector pass")
    if trusted:
        median = max(check["median"] for check in trusted)
        tail = max(check["p99"] for check in trusted)
        lines.append(f"cross-check: medians up to {median:.2g} px, 99% of each within {tail:.2g} px")
    with suppress(StopIteration):
        refused = next(check for check in checks if check["vector_pass_problems"])
        lines.append(f"cross-check: the Vector pass is wrong where {'; '.join(refused['vector_pass_problems'][:3])}")
    return lines
