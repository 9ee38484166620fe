"""Makes a dataset, or goes on with one: plan, render, label, sum up."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from animerun_gen.config import CutConfig
from animerun_gen.config.messages import and_more
from animerun_gen.dataset import layout
from animerun_gen.dataset.files import remove_stale_temporaries
from animerun_gen.dataset.split_lists import write_split_lists
from animerun_gen.engines.blenders import find_engine
from animerun_gen.engines.fence import fenced
from animerun_gen.errors import ConfigError, DatasetError, NoDatasetError
from animerun_gen.pipeline.cut import Cut, begin_cuts
from animerun_gen.pipeline.deciding import Decision, decide
from animerun_gen.pipeline.keeping.rename import finish_renaming
from animerun_gen.pipeline.options import Options
from animerun_gen.pipeline.plan import CutPlan, plan_cuts
from animerun_gen.pipeline.state.cameras import collect_cameras
from animerun_gen.pipeline.state.coverage import measure_coverage
from animerun_gen.pipeline.state.figures import collect_quality, read_cross_checks
from animerun_gen.pipeline.state.films import digests_kept
from animerun_gen.pipeline.state.fingerprints import STAGES
from animerun_gen.pipeline.state.ledger import move_over
from animerun_gen.pipeline.state.lock import exclusive
from animerun_gen.pipeline.state.manifest import SHOWN_NAMES, write_manifest
from animerun_gen.pipeline.summary import CutSummary, failures_to
from animerun_gen.pipeline.tasks.camera_cuts import CameraCuts
from animerun_gen.pipeline.tasks.layer_choice import LayerChoice
from animerun_gen.pipeline.tasks.line_engine import LineEngine
from animerun_gen.terminal import complain

DECISIONS: tuple[tuple[Decision[Any], ...], ...] = ((CameraCuts(),), (LayerChoice(), LineEngine()))
"""What is decided about cuts, round by round: a stretch of a cut is a cut of its own, filmed by another camera."""

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
        raise NoDatasetError("does not exist", options.output, "correct --out, or run 'animerun-gen render' first")
    with (
        exclusive(options.output),
        digests_kept(options.output),
        ExitStack() as afterwards,
        fenced(options.output, complain) as fence,
    ):
        remove_stale_temporaries(options.output)
        move_over(options.output)
        finish_renaming(options.output)
        # what Blenders that were killed together with their run had under way
        shutil.rmtree(layout.scratch_folder(options.output), ignore_errors=True)
        asked = begin_cuts(cuts, options.output, engine, decided or {})
        begun = decide(asked, DECISIONS if decided is None else (), engine, options.workers)
        plans = plan_cuts(begun, options)
        if any(plan.makes_files or plan.is_unopened for plan in plans):
            # what does the work takes its time to be imported, which a run with nothing to do need not spend
            from animerun_gen.pipeline.work import get_done

            afterwards.callback(_clear_up, options.output)
            get_done(plans, options, fence)
        planned = {plan.cut.name: plan for plan in plans}
        for cut in begun:
            _sum_up(cut, planned.get(cut.name), options)
        # a disk that does not take them any more has failed each cut already
        with suppress(DatasetError):
            write_split_lists(options.output)
        return [cut.summary for cut in begun]


def _sum_up(cut: Cut, plan: CutPlan | None, options: Options) -> None:
    """Write the quality file and the manifest of a cut, and say how far it is and what is wrong with it.

    Args:
        cut: The cut.
        plan: What there was to do; None where it could not be begun.
        options: How it was made.
    """
    summary, found = cut.summary, None
    if plan is not None:
        found = plan.found
        for sentence in plan.refused:
            summary.fail(sentence)
        if plan.renders or not plan.cameras_stand:
            with failures_to(summary):
                collect_cameras(cut.config, plan.found)
        checks = read_cross_checks(cut.output, cut.config)
        if options.label and (summary.labelled or not summary.failures):
            with failures_to(summary):
                summary.quality = collect_quality(cut.ledger, cut.config, checks, plan.judged)
        summary.cross_checks = list(checks.values())
        with failures_to(summary):
            stages = STAGES if options.label else ("pictures", "motion")
            summary.coverage = measure_coverage(plan.wanted, cut.output, stages, found)
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
