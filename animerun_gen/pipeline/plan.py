"""Finds out what of a cut is missing, and clears away what no longer belongs to it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import pairwise
from pathlib import Path

from animerun_gen.config import CutConfig
from animerun_gen.config.messages import and_more, counted
from animerun_gen.dataset import layout
from animerun_gen.dataset.clip import ClipWriter
from animerun_gen.dataset.modalities import Modality, at_gap, enabled_modalities
from animerun_gen.engines.job import RenderJob
from animerun_gen.errors import DatasetError
from animerun_gen.pipeline.cut import Cut
from animerun_gen.pipeline.samples import identity_frames, sampled_frames
from animerun_gen.pipeline.state.cameras import remove_damaged_records
from animerun_gen.pipeline.state.changes import Then
from animerun_gen.pipeline.state.clearing import (
    has_stage,
    move_cut,
    remove_all_but,
    remove_file,
    remove_files_but,
    remove_frames_outside,
    remove_stage,
)
from animerun_gen.pipeline.state.coverage import has_tracks
from animerun_gen.pipeline.state.figures import clear_figures, read_figures
from animerun_gen.pipeline.state.fingerprints import STAGES, fingerprints
from animerun_gen.pipeline.state.inputs import InputsNow, look_at_inputs
from animerun_gen.pipeline.state.judging import figures_there, spoiled_figures
from animerun_gen.pipeline.state.ledger import Ledger
from animerun_gen.pipeline.state.manifest import find_damage
from animerun_gen.pipeline.state.on_disk import FilesOnDisk, has_content, is_whole
from animerun_gen.pipeline.tasks.labelling import LabelTask
from animerun_gen.pipeline.tasks.recoloring import PassPlan, passes_listed
from animerun_gen.terminal import as_command

Range = tuple[int, int]

SHOWN_INPUTS = 3
"""So many changed files are named in a sentence."""


@dataclass(frozen=True)
class CutPlan:
    """What there is to do for a cut.

    Attributes:
        cut: The cut; takes what is refused.
        found: Its files on disk.
        frames: The clip's frames to work on, ascending.
        watched: Marks that the files which the cut is made from had before their checksums were computed, see
            :mod:`animerun_gen.pipeline.state.inputs`; empty when nothing is to be rendered.
    """

    cut: Cut
    found: FilesOnDisk
    frames: tuple[int, ...]
    watched: dict[str, str] = field(default_factory=dict)

    @property
    def config(self) -> CutConfig:
        """The cut's configuration."""
        return self.cut.config

    @property
    def output(self) -> Path:
        """Root folder of the dataset."""
        return self.cut.output

    @property
    def ledger(self) -> Ledger:
        """All that is written down about the cut."""
        return self.cut.ledger

    @property
    def pairs(self) -> tuple[tuple[int, int], ...]:
        """Neighbouring frames of the clip that are both to be worked on."""
        return _pairs(self.config, self.frames, 1)

    def missing_render(self, cross_check: bool = False) -> RenderJob:
        """Everything that Blender has still to make, as one job; whoever gets it is taken to be making it."""
        job = missing_render(self.config, self.output, self.frames, self.found, cross_check)
        if job.frames:
            self.found.expect_changes()
        return job

    def missing_labels(self) -> tuple[list[LabelTask], list[LabelTask]]:
        """The frames and the pairs that have still to be labelled, pairs after frames.

        Whoever gets them is taken to be making them.
        """
        modalities = [m for m in enabled_modalities(self.config.motion.extras) if m.stage == "labels"]
        of_frame = [m for m in modalities if m.kind == "frame"]
        forward = [m for m in modalities if m.kind == "forward"]
        backward = [m for m in modalities if m.kind == "backward"]
        with_figures, pairs_with_figures = figures_there(self.ledger, self.config)
        lacking = {frame for frame in self.frames if self._misses(of_frame, frame)}
        lacking_pairs = {
            earlier for earlier, later in self.pairs if self._misses(forward, earlier) or self._misses(backward, later)
        }
        frames = [
            LabelTask(self.config, self.output, frame)
            for frame in self.frames
            if frame in lacking or frame not in with_figures
        ]
        pairs = [
            LabelTask(self.config, self.output, earlier, later)
            for earlier, later in self.pairs
            if earlier in lacking_pairs or earlier not in pairs_with_figures
        ]
        # figures alone may say what is there: they are made again with what is damaged
        spoiled = {task.frame for task in frames if task.frame in lacking and self._refuses(task.inputs())}
        frames = [task for task in frames if task.frame not in spoiled]
        pairs = [
            task
            for task in pairs
            if not spoiled & {task.frame, task.other}
            and not (task.frame in lacking_pairs and self._refuses(task.inputs()))
        ]
        if frames or pairs:
            self.found.expect_changes()
        return frames, pairs

    def missing_passes(self) -> PassPlan | None:
        """The colour passes that have still to be made; None where there is nothing to do.

        Whoever gets them is taken to be making them.
        """
        modalities = [m for m in enabled_modalities((), passes=self.config.recolor.passes) if m.stage == "recolor"]
        frames = tuple(frame for frame in self.frames if self._misses(modalities, frame))
        listed = passes_listed(self.output, self.config.name) == [modality.name for modality in modalities]
        if not modalities or (listed and not frames):
            return None
        plan = PassPlan(self.config, self.output, frames)
        if self._refuses(plan.inputs()):
            return None
        self.found.expect_changes()
        return plan

    @cached_property
    def _damaged(self) -> frozenset[str]:
        """The files that are not what was made."""
        return frozenset(find_damage(self.output, self.found, self.ledger.origin).files)

    def _refuses(self, inputs: Iterable[Path]) -> bool:
        """Whether nothing may be made from some files, because one of them is damaged; then it is said."""
        damaged = [name for path in inputs if (name := path.relative_to(self.output).as_posix()) in self._damaged]
        for name in damaged:
            sentence = (
                f"cut '{self.config.name}': {self.output / name} has changed since it was made, so nothing is made "
                "from it; delete it and run the same command again, or run: "
                + as_command("animerun-gen", "verify", self.output, "--repair")
            )
            if sentence not in self.cut.refused:
                self.cut.refused.append(sentence)
        return bool(damaged)

    def _misses(self, modalities: Iterable[Modality], frame: int) -> bool:
        return any(not self.found.has(modality, frame) for modality in modalities)


def missing_render(
    config: CutConfig, output: Path, frames: tuple[int, ...], found: FilesOnDisk, cross_check: bool
) -> RenderJob:
    """Everything that Blender has still to make of some frames of a cut, as one job.

    Args:
        config: The cut.
        output: Root folder of the dataset.
        frames: The clip's frames to work on, ascending.
        found: The cut's files on disk.
        cross_check: Whether the two motion backends are compared.
    """
    motion = config.motion
    modalities = enabled_modalities(motion.extras)
    pictures = [m for m in modalities if m.stage == "pictures"]
    annotations = [m for m in modalities if m.stage == "motion" and m.kind == "frame"]
    forward = [m for m in modalities if m.stage == "motion" and m.kind == "forward"]
    backward = [m for m in modalities if m.stage == "motion" and m.kind == "backward"]

    def misses(kinds: Iterable[Modality], frame: int) -> bool:
        return any(not found.has(modality, frame) for modality in kinds)

    def misses_names(kinds: Iterable[Modality]) -> bool:
        # any visit to the scene brings the tables of names
        tables = [m.names_path(output, config.split, config.name) for m in kinds if m.has_names]
        return not all(map(has_content, tables))

    def misses_cross_check(earlier: int, later: int) -> bool:
        both_ways = ((earlier, later), (later, earlier))
        return any(read_figures(layout.cross_check_file(output, config.name, *ends)) is None for ends in both_ways)

    def lacks_camera(frame: int) -> bool:
        return not has_content(layout.camera_record(output, config.name, frame))

    def unpainted(sampled: Iterable[int], place: Callable[[Path, str, int], Path]) -> tuple[int, ...]:
        return tuple(n for n in sampled if n in frames and not has_content(place(output, config.name, n)))

    return RenderJob(
        config=config,
        output=output,
        pictures=tuple(
            frame for frame in frames if misses(pictures, frame) or (frame == frames[0] and misses_names(pictures))
        ),
        material_pictures=unpainted(sampled_frames(config), layout.material_picture),
        identity_pictures=unpainted(identity_frames(config), layout.identity_picture),
        companions=tuple(
            frame
            for frame in frames
            if misses(annotations, frame) or (frame == frames[0] and misses_names(annotations)) or lacks_camera(frame)
        ),
        pairs=tuple(
            sorted(
                (earlier, later)
                for gap in motion.gaps
                for earlier, later in _pairs(config, frames, gap)
                if misses((at_gap(modality, gap) for modality in forward), earlier)
                or misses((at_gap(modality, gap) for modality in backward), later)
                or (cross_check and gap == 1 and misses_cross_check(earlier, later))
            )
        ),
        cross_check=cross_check,
        # they need every frame of the clip
        tracks=motion.tracks > 0 and frames == config.frame_numbers and not has_tracks(config, output),
    )


def _pairs(config: CutConfig, frames: Collection[int], gap: int) -> tuple[tuple[int, int], ...]:
    """Pairs of frames that are ``gap`` frames of the clip apart and both to be worked on."""
    numbers, chosen = config.frame_numbers, set(frames)
    return tuple(
        (earlier, later)
        for earlier, later in zip(numbers, numbers[gap:], strict=False)
        if earlier in chosen and later in chosen
    )


def plan_cut(cut: Cut, engine: str | None, frames: Range | None) -> CutPlan:
    """Compare what is on disk with what the configuration asks for, and clear away what was made otherwise.

    Args:
        cut: The cut; takes its files on disk, and what was cleared away and why.
        engine: Version of the Blender that will render.  None when nothing will be rendered: then the source need not
            exist, and pictures and motion stay as they are.
        frames: First and last frame to work on; None for all of the clip.

    Returns:
        What there is to do.

    Raises:
        DatasetError: The source cannot be read; what is out of date cannot be removed; files of the cut's name are
            there that this program did not make; nothing will be rendered, and what is on disk was not rendered from
            this configuration; or frames that are not to be worked on are out of date and would be lost.
    """
    config, output, ledger, clip = cut.config, cut.output, cut.ledger, cut.clip
    other_split = ClipWriter(output, "test" if config.split == "train" else "train", config.name)
    _refuse_foreign_files(ledger, clip, other_split)
    record = ledger.origin
    stages: tuple[str, ...] = ("labels", "recolor")
    now, made_from, reading = InputsNow(), record, ledger.kept.reading
    if engine is not None:
        stages, now, reading = STAGES, look_at_inputs(ledger.kept, config.source), {}
        made_from = record.model_copy(update={"engine": engine, "source": now.source})
    wanted = fingerprints(config, made_from.engine, made_from.source)
    then = Then(output, record, config, made_from.engine, made_from.source)
    if engine is None:
        _require_rendered(then, wanted)
    move_cut(other_split, clip)
    numbers = config.frame_numbers
    first, last = frames if frames is not None else (numbers[0], numbers[-1])
    chosen = tuple(frame for frame in numbers if first <= frame <= last)
    redone = _outdated(cut, then, {stage: wanted[stage] for stage in stages if stage in wanted}, now)
    _refuse_to_lose(clip, redone, numbers, chosen)
    judged = "labels" not in redone and record.fingerprints.get("figures") == wanted["figures"]
    _clear(cut, redone, judged=judged)
    found = FilesOnDisk(output, config.split, config.name, ledger.kept.checksums)
    damaged = _remove_damaged(cut, found, stages)
    if _clear_surplus(config, clip, stages, found) or damaged:
        found.look_again()
    watched = now.marks
    if now.changed or now.under_way or "pictures" in redone:
        watched = {path: mark for path, mark in watched.items() if path == str(config.source)}
        made_from = made_from.model_copy(update={"inputs": {}, "notes": (), "opened": False})
    as_wanted = {"fingerprints": wanted, "config": config.model_dump(mode="json"), "decided": tuple(cut.decided)}
    ledger.keep(made_from=made_from.model_copy(update=as_wanted), reading=reading)
    cut.found = found
    cut.summary.redone = redone
    cut.summary.notes += damaged
    return CutPlan(cut, found, chosen, watched)


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


def _clear(cut: Cut, redone: Collection[str], *, judged: bool) -> None:
    """Remove what is out of date.

    Args:
        cut: The cut.
        redone: The stages whose files are.
        judged: Whether its quality figures are not.
    """
    output, name = cut.output, cut.name
    for stage in redone:
        remove_stage(cut.clip, stage)
    if "pictures" in redone:
        remove_files_but(layout.material_pictures_folder(output, name), ())
        remove_files_but(layout.identity_pictures_folder(output, name), ())
    if "motion" in redone:
        remove_files_but(layout.switched_pictures_folder(output, name), ())
        remove_files_but(layout.reprojections_folder(output, name), ())
        remove_files_but(layout.camera_records_folder(output, name), ())
        for file in layout.camera_files(output, cut.config.split, name):
            remove_file(file)
    clear_figures(output, cut.config, judged=judged, compared="motion" not in redone)
    if not judged:
        remove_file(layout.quality_file(output, name))
    if "recolor" in redone or not cut.config.recolor.passes:
        remove_file(layout.recolor_file(output, name))


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
            f"cut '{clip.cut}': {counted(len(lost), 'frame')} outside --frames would be lost, because they are out of "
            f"date, too ({redone[rendered[0]]}); run the command without --frames to make all of them again, or try "
            "some with another --out"
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
                    f"cut '{cut}': {output / clip.split} already has a cut of this name from elsewhere; rename "
                    "the cut, choose another --out, or remove those files"
                )


def _require_rendered(then: Then, wanted: Mapping[str, str]) -> None:
    name, output, record = then.config.name, then.output, then.record
    if not record.engine:
        raise DatasetError(f"cut '{name}': none of it has been rendered into {output}; run 'animerun-gen render' first")
    for stage in ("pictures", "motion"):
        if record.fingerprints.get(stage) != wanted[stage]:
            raise DatasetError(
                f"cut '{name}': its {stage} in {output} {'are' if stage == 'pictures' else 'is'} out of date "
                f"({then.why(stage)}); bring it up to date with 'animerun-gen render' first"
            )


def _remove_damaged(cut: Cut, found: FilesOnDisk, stages: tuple[str, ...]) -> list[str]:
    """Remove the files that are not whole, so that they are made again; says so in a sentence.

    Only files are looked into that changed since an earlier run knew their checksums, or that none ever knew: those
    that a run made which was killed, and those that something else than this program touched.  Kept figures are not
    whole unless they are to the byte what was written.
    """
    damaged = [
        entry.name
        for entry in found.entries
        if entry.name in found.unvouched
        and entry.modality.stage in stages
        and not is_whole(found.root / entry.name, entry.modality)
    ]
    if "motion" in stages:
        damaged += remove_damaged_records(cut.config, found)
    if "labels" in stages:
        damaged += [file.relative_to(found.root).as_posix() for file in spoiled_figures(cut.ledger, cut.config)]
    for name in damaged:
        remove_file(found.root / name)
    if not damaged:
        return []
    more = ", ..." if len(damaged) > 1 else ""
    return [f"damaged files, which are made again: {len(damaged)} ({min(damaged)}{more})"]


def _clear_surplus(config: CutConfig, clip: ClipWriter, stages: tuple[str, ...], found: FilesOnDisk) -> bool:
    """Take out what the configuration does not ask for, so that as many files are there as loaders expect.

    Returns:
        Whether there may have been anything of that among the files of the dataset.
    """
    frames, output, name = config.frame_numbers, clip.root, config.name
    motion = config.motion
    enabled = enabled_modalities(motion.extras, motion.gaps, motion.tracks, config.recolor.passes)
    # tracks of other frames, of another number of points or by another seed go as a whole
    wanted = [modality for modality in enabled if modality.kind != "clip" or has_tracks(config, output)]
    wanted_frames = {modality.name: set(modality.frames(frames)) for modality in wanted}
    surplus = any(
        entry.modality.stage in stages
        and (
            entry.modality.name not in wanted_frames
            or (entry.frame is not None and entry.frame not in wanted_frames[entry.modality.name])
        )
        for entry in found.entries
    )
    remove_all_but(clip, wanted, stages)
    if surplus:
        remove_frames_outside(clip, frames, stages)
    if "pictures" in stages:
        sampled = {layout.material_picture(output, name, frame).name for frame in sampled_frames(config)}
        remove_files_but(layout.material_pictures_folder(output, name), sampled)
        sampled = {layout.identity_picture(output, name, frame).name for frame in identity_frames(config)}
        remove_files_but(layout.identity_pictures_folder(output, name), sampled)
    if "motion" in stages:
        pairs = list(pairwise(frames))
        both_ways = [*pairs, *((later, earlier) for earlier, later in pairs)]
        remove_files_but(
            layout.switched_pictures_folder(output, name), {layout.switched_name(a, b) for a, b in both_ways}
        )
        remove_files_but(
            layout.reprojections_folder(output, name), {layout.reprojection_name(a, b) for a, b in both_ways}
        )
        records = {layout.camera_record(output, name, frame).name for frame in frames}
        remove_files_but(layout.camera_records_folder(output, name), records)
    return surplus


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
