"""Finds out what there is to do for a cut, once what no longer belongs to it has been cleared away."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from animerun_gen.config.messages import and_more, counted
from animerun_gen.dataset import layout
from animerun_gen.dataset.clip import ClipWriter
from animerun_gen.dataset.modalities import SPLITS
from animerun_gen.engines.job import RenderJob
from animerun_gen.errors import DatasetError
from animerun_gen.pipeline.cut import Cut, never_rendered
from animerun_gen.pipeline.made import Wanted
from animerun_gen.pipeline.missing import Damaged, missing_labels, missing_passes, missing_render
from animerun_gen.pipeline.options import Options
from animerun_gen.pipeline.state.cameras import are_as_left, remove_damaged_records
from animerun_gen.pipeline.state.changes import Then
from animerun_gen.pipeline.state.clearing import (
    clear_damaged,
    clear_outdated,
    clear_surplus,
    has_stage,
    move_cut,
)
from animerun_gen.pipeline.state.coverage import has_tracks
from animerun_gen.pipeline.state.fingerprints import STAGES, fingerprints
from animerun_gen.pipeline.state.inputs import InputsNow, look_at_inputs
from animerun_gen.pipeline.state.judging import look_at_figures
from animerun_gen.pipeline.state.ledger import Judged, Ledger
from animerun_gen.pipeline.state.on_disk import FilesOnDisk
from animerun_gen.pipeline.tasks.labelling import LabelTask
from animerun_gen.pipeline.tasks.recoloring import PassPlan

SHOWN_INPUTS = 3
"""So many changed files are named in a sentence."""


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
    _refuse_foreign_files(ledger, clip, *elsewhere)
    record = ledger.origin
    stages: tuple[str, ...] = ("labels", "recolor")
    now, made_from, reading = InputsNow(), record, ledger.kept.reading
    if options.engine is not None:
        stages, now, reading = STAGES, look_at_inputs(ledger.kept, config.source), {}
        made_from = record.model_copy(update={"engine": options.engine.version, "source": now.source})
    wanted = fingerprints(config, made_from.engine, made_from.source)
    then = Then(output, record, config, made_from.engine, made_from.source)
    if options.engine is None:
        _require_rendered(then, wanted)
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
    redone = _outdated(cut, then, {stage: wanted[stage] for stage in stages if stage in wanted}, now)
    _refuse_to_lose(clip, redone, numbers, frames)
    judged = "labels" not in redone and record.fingerprints.get("figures") == wanted["figures"]
    clear_outdated(clip, config, redone, judged=judged)
    found = FilesOnDisk(output, config.split, config.name, ledger.kept.checksums)
    figures = look_at_figures(ledger, config)
    damaged = clear_damaged(found, figures, stages)
    cameras_stand = are_as_left(config, found)
    if "motion" in stages and not cameras_stand:
        damaged += remove_damaged_records(config, found)
    asked, tracks_stand = Wanted.of(config), has_tracks(config, output)
    if clear_surplus(clip, asked, found, stages, tracks_stand) or damaged:
        found.look_again()
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
    spoiled = Damaged(config.name, found, made_from)
    rendering = options.engine is not None
    labels = missing_labels(asked, frames, found, figures, spoiled) if options.label else ([], [])
    render = None
    if rendering:
        render = missing_render(asked, output, frames, found, options.cross_check, tracks_stand)
    plan = CutPlan(
        cut=cut,
        wanted=asked,
        found=found,
        cameras_stand=cameras_stand,
        watched=watched,
        render=render,
        is_unopened=rendering and not made_from.opened and bool(frames),
        frame_labels=labels[0],
        pair_labels=labels[1],
        passes=missing_passes(asked, frames, found, spoiled) if options.label else None,
        refused=spoiled.refused,
        judged=figures.judged,
    )
    if plan.makes_files:
        found.expect_changes()
        plan = replace(plan, judged=None)
    return plan


def _outdated(cut: Cut, then: Then, wanted: Mapping[str, str], now: InputsNow) -> dict[str, str]:
    """Find what was made from something else than it would be made from now.

    Args:
        cut: The cut.
        then: What it was made from.
        wanted: Stage to fingerprint as it is now, of those that this run makes.
        now: The files that it is made from.

    Returns:
        Stage to the reason.
    """
    redone: dict[str, str] = {}
    for stage, fingerprint in wanted.items():
        had = then.record.fingerprints.get(stage)
        if now.under_way:
            reason = f"{and_more(now.under_way, SHOWN_INPUTS)} changed while a run was reading it"
        elif now.changed:
            reason = f"{and_more(now.changed, SHOWN_INPUTS)} changed"
        elif had is not None and had != fingerprint:
            reason = then.why(stage)
        elif had is None and has_stage(cut.clip, stage):
            reason = "there is no record of what they were made from"
        else:
            continue
        redone[stage] = reason
    return redone


def _refuse_to_lose(
    clip: ClipWriter, redone: Mapping[str, str], numbers: Sequence[int], chosen: Collection[int]
) -> None:
    """A trial of some frames is not to cost the others, which may have taken hours."""
    rendered = [stage for stage in ("pictures", "motion") if stage in redone]
    if not rendered or len(chosen) == len(numbers):
        return
    found = FilesOnDisk(clip.root, clip.split, clip.cut)
    others = set(numbers) - set(chosen)
    lost = {entry.frame for entry in found.entries if entry.modality.stage in rendered and entry.frame in others}
    if lost:
        raise DatasetError(
            f"{counted(len(lost), 'frame')} outside --frames would be lost, because they are out of date, too "
            f"({redone[rendered[0]]})",
            f"cut '{clip.cut}'",
            "run the command without --frames to make all of them again, or try some with another --out",
        )


def _refuse_foreign_files(ledger: Ledger, *clips: ClipWriter) -> None:
    """What this program did not make, such as a downloaded dataset, is not its to clear away."""
    output, cut = clips[0].root, clips[0].cut
    traces = (layout.figures_folder(output, cut), layout.log_file(output, cut), layout.quality_file(output, cut))
    if ledger.kept.begun or any(trace.exists() for trace in traces):
        return
    for clip in clips:
        for stage in STAGES:
            if has_stage(clip, stage):
                raise DatasetError(
                    f"{output / clip.split} already has a cut of this name from elsewhere",
                    f"cut '{cut}'",
                    "rename the cut, choose another --out, or remove those files",
                )


def _require_rendered(then: Then, wanted: Mapping[str, str]) -> None:
    name, output, record = then.config.name, then.output, then.record
    if not record.engine:
        raise never_rendered(name, output)
    for stage in ("pictures", "motion"):
        if record.fingerprints.get(stage) != wanted[stage]:
            raise DatasetError(
                f"its {stage} in {output} {'are' if stage == 'pictures' else 'is'} out of date ({then.why(stage)})",
                f"cut '{name}'",
                "bring it up to date with 'animerun-gen render' first",
            )
