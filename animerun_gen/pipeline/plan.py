"""Finds out what of a cut is missing, and clears away what no longer belongs to it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

from animerun_gen.blender.job import RenderJob
from animerun_gen.config import CutConfig
from animerun_gen.dataset.clip import ClipWriter
from animerun_gen.dataset.modalities import Modality, enabled_modalities
from animerun_gen.errors import DatasetError
from animerun_gen.pipeline import paths
from animerun_gen.pipeline.clearing import (
    has_stage,
    move_cut,
    remove_extras,
    remove_file,
    remove_files_but,
    remove_frames_outside,
    remove_stage,
)
from animerun_gen.pipeline.coverage import has_content
from animerun_gen.pipeline.labelling import LabelTask, read_figures
from animerun_gen.pipeline.record import STAGES, CutRecord, changed_inputs, file_digest, fingerprints

Range = tuple[int, int]


@dataclass(frozen=True)
class CutPlan:
    """What there is to do for a cut.

    Attributes:
        config: The cut.
        output: Root folder of the dataset.
        frames: The clip's frames to work on, ascending.
        redone: Stages whose files were cleared away, with the reason.
    """

    config: CutConfig
    output: Path
    frames: tuple[int, ...]
    redone: dict[str, str]

    @property
    def clip(self) -> ClipWriter:
        """The cut's files."""
        return ClipWriter(self.output, self.config.split, self.config.name)

    @property
    def pairs(self) -> tuple[tuple[int, int], ...]:
        """Neighbouring frames of the clip that are both to be worked on."""
        numbers = self.config.frame_numbers
        chosen = set(self.frames)
        return tuple((earlier, later) for earlier, later in pairwise(numbers) if earlier in chosen and later in chosen)

    def missing_render(self, cross_check: bool = False) -> RenderJob:
        """Everything that Blender has still to make, as one job."""
        modalities = enabled_modalities(self.config.motion.extras)
        pictures = [m for m in modalities if m.stage == "pictures"]
        companions = [m for m in modalities if m.stage == "motion" and m.kind == "frame"]
        forward = [m for m in modalities if m.stage == "motion" and m.kind == "forward"]
        backward = [m for m in modalities if m.stage == "motion" and m.kind == "backward"]
        return RenderJob(
            config=self.config,
            output=self.output,
            pictures=tuple(frame for frame in self.frames if self._misses(pictures, frame)),
            companions=tuple(
                # any visit to the scene brings the tables of names
                frame
                for frame in self.frames
                if self._misses(companions, frame) or (frame == self.frames[0] and self._misses_names(companions))
            ),
            pairs=tuple(
                (earlier, later)
                for earlier, later in self.pairs
                if self._misses(forward, earlier)
                or self._misses(backward, later)
                or (cross_check and self._misses_cross_check(earlier, later))
            ),
            cross_check=cross_check,
        )

    def missing_labels(self) -> tuple[list[LabelTask], list[LabelTask]]:
        """The frames and the pairs that have still to be labelled, pairs after frames."""
        modalities = [m for m in enabled_modalities(self.config.motion.extras) if m.stage == "labels"]
        of_frame = [m for m in modalities if m.kind == "frame"]
        forward = [m for m in modalities if m.kind == "forward"]
        backward = [m for m in modalities if m.kind == "backward"]
        frames = [LabelTask(self.config, self.output, frame) for frame in self.frames if self._misses(of_frame, frame)]
        pairs = [
            LabelTask(self.config, self.output, earlier, later)
            for earlier, later in self.pairs
            if self._misses(forward, earlier)
            or self._misses(backward, later)
            or read_figures(paths.figures_file(self.output, self.config.name, earlier)) is None
        ]
        return frames, pairs

    def _misses(self, modalities: Iterable[Modality], frame: int) -> bool:
        return any(not has_content(self.clip.path(modality.name, frame)) for modality in modalities)

    def _misses_names(self, modalities: Iterable[Modality]) -> bool:
        clip = self.clip
        return any(
            not has_content(modality.names_path(clip.root, clip.split, clip.cut))
            for modality in modalities
            if modality.has_names
        )

    def _misses_cross_check(self, earlier: int, later: int) -> bool:
        name = self.config.name
        return any(
            read_figures(paths.cross_check_file(self.output, name, a, b)) is None
            for a, b in ((earlier, later), (later, earlier))
        )


def plan_cut(config: CutConfig, output: Path, engine: str | None, frames: Range | None) -> CutPlan:
    """Compare what is on disk with what the configuration asks for, and clear away what was made otherwise.

    Args:
        config: The cut.
        output: Root folder of the dataset; the caller holds its lock.
        engine: Version of the Blender that will render.  None when nothing will be rendered: then the source need not
            exist, and pictures and motion stay as they are.
        frames: First and last frame to work on; None for all of the clip.

    Returns:
        What there is to do.

    Raises:
        DatasetError: The source cannot be read; what is out of date cannot be removed; files of the cut's name are
            there that this program did not make; or nothing will be rendered, and what is on disk was not rendered from
            this configuration.
    """
    clip = ClipWriter(output, config.split, config.name)
    other_split = ClipWriter(output, "test" if config.split == "train" else "train", config.name)
    _refuse_foreign_files(clip, other_split)
    record = CutRecord.read(output, config.name)
    stages: tuple[str, ...] = ("labels",)
    changed: list[str] = []
    made_from = record
    if engine is not None:
        stages, changed = STAGES, changed_inputs(record)
        made_from = replace(record, engine=engine, source=file_digest(config.source))
    wanted = fingerprints(config, made_from.engine, made_from.source)
    if engine is None:
        _require_rendered(config, output, record, wanted)
    move_cut(other_split, clip)
    redone: dict[str, str] = {}
    for stage in stages:
        had = record.fingerprints.get(stage)
        if changed:
            reason = f"{changed[0]} changed"
        elif had is not None and had != wanted[stage]:
            reason = "the configuration, the source or a version changed"
        elif had is None and has_stage(clip, stage):
            reason = "nothing says what they were made from"
        else:
            continue
        redone[stage] = reason
        remove_stage(clip, stage)
        if stage == "labels":
            remove_files_but(paths.figures_folder(output, config.name), ())
            remove_file(paths.quality_file(output, config.name))
        if stage == "motion":
            remove_files_but(paths.cross_check_folder(output, config.name), ())
    _clear_surplus(config, clip, stages)
    if changed or "pictures" in redone:
        made_from = replace(made_from, inputs={}, notes=[])
    replace(made_from, fingerprints=wanted, config=config.model_dump(mode="json")).write(output, config.name)
    first, last = frames if frames is not None else (config.frames.first, config.frames.last)
    chosen = tuple(frame for frame in config.frame_numbers if first <= frame <= last)
    return CutPlan(config, output, chosen, redone)


def _refuse_foreign_files(*clips: ClipWriter) -> None:
    """What this program did not make, such as a downloaded dataset, is not its to clear away."""
    output, cut = clips[0].root, clips[0].cut
    traces = (
        paths.record_file(output, cut),
        paths.figures_folder(output, cut),
        paths.log_file(output, cut),
        paths.quality_file(output, cut),
    )
    if any(trace.exists() for trace in traces):
        return
    for clip in clips:
        for stage in STAGES:
            if has_stage(clip, stage):
                raise DatasetError(
                    f"cut '{cut}': {output / clip.split} already has a cut of this name that was not made here; "
                    "rename the cut, choose another --out, or remove those files"
                )


def _require_rendered(config: CutConfig, output: Path, record: CutRecord, wanted: dict[str, str]) -> None:
    if not record.engine:
        raise DatasetError(
            f"cut '{config.name}': nothing of it was rendered into {output}; do that with 'animerun-gen render' first"
        )
    if any(record.fingerprints.get(stage) != wanted[stage] for stage in ("pictures", "motion")):
        raise DatasetError(
            f"cut '{config.name}': its pictures and motion in {output} were made from another configuration or with "
            "another version of this program; bring them up to date with 'animerun-gen render' first"
        )


def _clear_surplus(config: CutConfig, clip: ClipWriter, stages: tuple[str, ...]) -> None:
    """Take out what the configuration does not ask for, so that as many files are there as loaders expect."""
    frames, output, name = config.frame_numbers, clip.root, config.name
    remove_extras(clip, config.motion.extras, stages)
    remove_frames_outside(clip, frames, stages)
    pairs = list(pairwise(frames))
    if "labels" in stages:
        remove_files_but(
            paths.figures_folder(output, name), {paths.figures_file(output, name, earlier) for earlier, _ in pairs}
        )
    if "motion" in stages:
        both_ways = [*pairs, *((later, earlier) for earlier, later in pairs)]
        remove_files_but(
            paths.cross_check_folder(output, name), {paths.cross_check_file(output, name, a, b) for a, b in both_ways}
        )


def split_job(job: RenderJob, parts: int) -> list[RenderJob]:
    """Cut a job into jobs of neighbouring frames that together make the same files, each exactly once.

    Args:
        job: The whole job.
        parts: How many jobs at most.

    Returns:
        The jobs; a pair belongs to the job that has its earlier frame.
    """
    # the later frame of a pair alone is no work of its own
    units = sorted({*job.pictures, *job.companions, *(earlier for earlier, _ in job.pairs)})
    size = -(-len(units) // max(1, parts)) if units else 1
    jobs = []
    for start in range(0, len(units), size):
        own = set(units[start : start + size])
        jobs.append(
            replace(
                job,
                pictures=tuple(frame for frame in job.pictures if frame in own),
                companions=tuple(frame for frame in job.companions if frame in own),
                pairs=tuple(pair for pair in job.pairs if pair[0] in own),
            )
        )
    return jobs
