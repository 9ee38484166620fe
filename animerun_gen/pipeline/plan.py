"""Finds out what there is to do for a cut, once what no longer belongs to it has been cleared away."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from animerun_gen.dataset import layout
from animerun_gen.dataset.clip import ClipWriter
from animerun_gen.dataset.modalities import SPLITS
from animerun_gen.engines.film_files import looking_once
from animerun_gen.engines.job import RenderJob
from animerun_gen.errors import DatasetError
from animerun_gen.pipeline.cut import Cut
from animerun_gen.pipeline.jobs import Damaged, label_tasks, pass_plan, render_job
from animerun_gen.pipeline.made import Wanted
from animerun_gen.pipeline.missing import find_missing
from animerun_gen.pipeline.options import Options
from animerun_gen.pipeline.state.cameras import look_at_cameras
from animerun_gen.pipeline.state.changes import Then
from animerun_gen.pipeline.state.clearing import clear_outdated, clear_up, move_cut
from animerun_gen.pipeline.state.figures import look_at_figures, read_cross_checks
from animerun_gen.pipeline.state.fingerprints import STAGES, fingerprints, memory_digest
from animerun_gen.pipeline.state.inputs import InputsNow, look_at_inputs
from animerun_gen.pipeline.state.ledger import Judged
from animerun_gen.pipeline.state.on_disk import FilesOnDisk
from animerun_gen.pipeline.summary import failures_to
from animerun_gen.pipeline.tasks.labelling import LabelTask
from animerun_gen.pipeline.tasks.recoloring import PassPlan


@dataclass(frozen=True)
class CutPlan:
    """What there is to do for a cut.

    Attributes:
        cut: The cut.
        wanted: What it asks for.
        found: Its files on disk, as they are before anything is made.
        cameras_stand: Whether the files of its cameras are what an earlier run left, with all that is known.
        watched: Marks that the files which the cut is made from had before their checksums were computed, see
            :mod:`animerun_gen.pipeline.state.inputs`; empty when nothing is to be rendered.
        render: What Blender has to make; None when nothing is to be rendered.
        memory_digest: Stands for everything that decides what a Blender needs of the memory to render it.
        is_unopened: Whether a Blender has to open its scene, because none has told yet what it is made from.
        frame_labels: The frames that have to be labelled.
        pair_labels: The pairs that have to be labelled, after their frames.
        passes: The colour passes that have to be made; None where there is nothing to do.
        refused: Why something of it is not to be made, a sentence each.
        judged: What the last collection of its figures saw; None where anything changed since, or is about to.
    """

    cut: Cut
    wanted: Wanted
    found: FilesOnDisk
    cameras_stand: bool
    watched: dict[str, str] = field(default_factory=dict)
    render: RenderJob | None = None
    memory_digest: str = ""
    is_unopened: bool = False
    frame_labels: Sequence[LabelTask] = ()
    pair_labels: Sequence[LabelTask] = ()
    passes: PassPlan | None = None
    refused: Sequence[str] = ()
    judged: Judged | None = None

    @property
    def renders(self) -> bool:
        """Whether Blender has to make anything."""
        return self.render is not None and bool(self.render.frames)

    @property
    def makes_files(self) -> bool:
        """Whether any file of the dataset has to be made."""
        return self.renders or bool(self.frame_labels or self.pair_labels) or self.passes is not None


def plan_cuts(cuts: Sequence[Cut], options: Options) -> list[CutPlan]:
    """What there is to do for each cut that can be begun; why another cannot is in its summary."""
    plans = []
    with looking_once():
        for cut in cuts:
            if not cut.summary.failures:
                with failures_to(cut.summary):
                    plans.append(plan_cut(cut, options))
    return plans


def plan_cut(cut: Cut, options: Options) -> CutPlan:
    """Compare what is on disk with what the configuration asks for, and clear away what was made otherwise.

    Args:
        cut: The cut; takes what was cleared away and why.
        options: How the run makes it.  Without an engine nothing will be rendered: then the source need not exist, and
            pictures and motion stay as they are.

    Returns:
        What there is to do.

    Raises:
        DatasetError: The source cannot be read; what is out of date cannot be removed; files of the cut's name are
            there that this program did not make; nothing will be rendered, and what is on disk was not rendered from
            this configuration; or frames that are not to be worked on are out of date and would be lost.
    """
    config, output, ledger, clip = cut.config, cut.output, cut.ledger, cut.clip
    elsewhere = [ClipWriter(output, split, config.name) for split in SPLITS if split != config.split]
    stages: tuple[str, ...] = ("labels", "recolor")
    record, now, reading = ledger.origin, InputsNow(), ledger.kept.reading
    made_from = record
    if options.engine is not None:
        stages, now, reading = STAGES, look_at_inputs(ledger.kept, config.source), {}
        made_from = record.model_copy(update={"engine": options.engine.version, "source": now.source})
    memory = memory_digest(config, made_from.engine, made_from.source, options.cross_check)
    wanted = fingerprints(config, made_from.engine, made_from.source)
    traces = (layout.figures_folder, layout.log_file, layout.quality_file)
    is_ours = ledger.kept.begun or any(trace(output, config.name).exists() for trace in traces)
    then = Then(output, record, is_ours, config, made_from.engine, made_from.source, wanted)
    redone = then.outdated([stage for stage in stages if stage in wanted], now, [clip, *elsewhere])
    if options.engine is None:
        then.require_rendered()
    elif options.cross_check and config.timing.is_on:
        raise DatasetError(
            "its timing holds layers, of which Cycles' Vector pass knows nothing",
            f"cut '{config.name}'",
            "run the command without --cross-check",
        )
    for other in elsewhere:
        move_cut(other, clip)
    numbers = config.frame_numbers
    first, last = options.frames if options.frames is not None else (numbers[0], numbers[-1])
    frames = tuple(frame for frame in numbers if first <= frame <= last)
    asked = Wanted.of(config)
    judged = "labels" not in redone and record.fingerprints.get("figures") == wanted["figures"]
    clear_outdated(clip, config, frames, redone, judged=judged)
    figures = look_at_figures(ledger, config)
    compared = read_cross_checks(output, config) if options.cross_check else None
    found = FilesOnDisk(output, config.split, config.name, ledger.kept.checksums)
    recorded = found.with_records(numbers)
    cameras = look_at_cameras(config, found, recorded)
    damaged_beside = [*figures.damaged, *(cameras.damaged if "motion" in stages else ())]
    damaged, tracks_stand = clear_up(clip, asked, found, stages, damaged_beside)
    watched = now.marks
    if now.changed or now.under_way or "pictures" in redone:
        watched = {path: mark for path, mark in watched.items() if path == str(config.source)}
        made_from = made_from.model_copy(update={"inputs": {}, "notes": (), "opened": False})
    as_wanted = {"fingerprints": wanted, "config": config.model_dump(mode="json"), "decided": tuple(cut.decided)}
    made_from = made_from.model_copy(update=as_wanted)
    ledger.keep(made_from=made_from, reading=reading)
    cut.summary.redone = redone
    if damaged:
        more = ", ..." if len(damaged) > 1 else ""
        cut.summary.note(f"damaged files, which are made again: {len(damaged)} ({min(damaged)}{more})")
    rendering = options.engine is not None
    made = [stage for stage in stages if options.label or stage in ("pictures", "motion")]
    missing = find_missing(asked, frames, found, made, compared)
    spoiled = Damaged(config.name, found, made_from)
    labels = label_tasks(config, output, frames, missing, figures, spoiled) if options.label else ([], [])
    render = None
    if rendering:
        render = render_job(config, output, frames, missing, options.cross_check, tracks_stand)
    plan = CutPlan(
        cut=cut,
        wanted=asked,
        found=found,
        cameras_stand=cameras.stand,
        watched=watched,
        render=render,
        memory_digest=memory,
        is_unopened=rendering and not made_from.opened and bool(frames),
        frame_labels=labels[0],
        pair_labels=labels[1],
        passes=pass_plan(config, output, missing, spoiled) if options.label else None,
        refused=spoiled.refused,
        judged=figures.judged,
    )
    if plan.makes_files:
        found.expect_changes()
        plan = replace(plan, judged=None)
    return plan
