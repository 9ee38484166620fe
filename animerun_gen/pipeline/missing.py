"""What is missing of a cut, as what has to be done: jobs for Blender, labels, colour passes."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import replace
from functools import cached_property
from pathlib import Path

from animerun_gen.config import CutConfig
from animerun_gen.dataset import layout
from animerun_gen.dataset.modalities import Modality, pass_number
from animerun_gen.engines.job import RenderJob
from animerun_gen.pipeline.made import Wanted
from animerun_gen.pipeline.state.figures import read_figures
from animerun_gen.pipeline.state.judging import FiguresThere
from animerun_gen.pipeline.state.ledger import MadeFrom
from animerun_gen.pipeline.state.manifest import find_damage
from animerun_gen.pipeline.state.on_disk import FilesOnDisk, Pair, has_content
from animerun_gen.pipeline.tasks.labelling import LabelTask
from animerun_gen.pipeline.tasks.recoloring import PassPlan, passes_listed
from animerun_gen.terminal import as_command


def missing_render(
    wanted: Wanted, output: Path, frames: tuple[int, ...], found: FilesOnDisk, cross_check: bool, tracks_stand: bool
) -> RenderJob:
    """Everything that Blender has still to make of some frames of a cut, as one job.

    Args:
        wanted: What the cut asks for.
        output: Root folder of the dataset.
        frames: The clip's frames to work on, ascending.
        found: The cut's files on disk.
        cross_check: Whether the two motion backends are compared.
        tracks_stand: Whether the tracks on disk are those that the cut asks for.
    """
    config = wanted.config
    motion = wanted.of_stages(["motion"])

    def lacking(kinds: Collection[Modality]) -> tuple[int, ...]:
        # any visit to the scene brings the tables of names
        tables = [m.names_path(output, config.split, config.name) for m in kinds if m.has_names]
        there = found.with_all(kinds, frames)
        there -= set() if all(map(has_content, tables)) else set(frames[:1])
        return tuple(frame for frame in frames if frame not in there)

    def misses_cross_check(earlier: int, later: int) -> bool:
        both_ways = ((earlier, later), (later, earlier))
        return any(read_figures(layout.cross_check_file(output, config.name, *ends)) is None for ends in both_ways)

    def lacks_camera(frame: int) -> bool:
        return not has_content(layout.camera_record(output, config.name, frame))

    def unpainted(sampled: Iterable[int], place: Callable[[Path, str, int], Path]) -> tuple[int, ...]:
        return tuple(n for n in sampled if n in frames and not has_content(place(output, config.name, n)))

    missing: list[Pair] = []
    for gap in config.motion.gaps:
        pairs = pairs_at(config, frames, gap)
        there = found.pairs_with_all([modality for modality in motion if modality.gap == gap], pairs)
        missing += [
            pair for pair in pairs if pair not in there or (cross_check and gap == 1 and misses_cross_check(*pair))
        ]
    annotations = [modality for modality in motion if modality.kind == "frame"]
    return RenderJob(
        config=config,
        output=output,
        pictures=lacking(wanted.of_stages(["pictures"])),
        material_pictures=unpainted(wanted.sampled_frames, layout.material_picture),
        identity_pictures=unpainted(wanted.identity_frames, layout.identity_picture),
        companions=tuple(sorted({*lacking(annotations), *filter(lacks_camera, frames)})),
        pairs=tuple(sorted(missing)),
        cross_check=cross_check,
        # they need every frame of the clip
        tracks=config.motion.tracks > 0 and frames == config.frame_numbers and not tracks_stand,
    )


class Damaged:
    """The files of a cut that are not what was made; nothing is made from them.

    Args:
        cut: Its name.
        found: Its files on disk, before anything is made.
        made_from: What they were made from.

    Attributes:
        refused: What is not made because of them, a sentence each.
    """

    def __init__(self, cut: str, found: FilesOnDisk, made_from: MadeFrom) -> None:
        self.refused: list[str] = []
        self._cut = cut
        self._found = found
        self._made_from = made_from

    def refuse(self, inputs: Iterable[Path]) -> bool:
        """Whether nothing may be made from some files, because one of them is damaged; then it is said."""
        root = self._found.root
        damaged = [name for path in inputs if (name := path.relative_to(root).as_posix()) in self._names]
        for name in damaged:
            sentence = (
                f"cut '{self._cut}': {root / name} has changed since it was made, so nothing is made "
                "from it; delete it and run the same command again, or run: "
                + as_command("animerun-gen", "verify", root, "--repair")
            )
            if sentence not in self.refused:
                self.refused.append(sentence)
        return bool(damaged)

    @cached_property
    def _names(self) -> frozenset[str]:
        # only whoever lacks something pays for the look
        return frozenset(find_damage(self._found.root, self._found, self._made_from).files)


def missing_labels(
    wanted: Wanted, frames: tuple[int, ...], found: FilesOnDisk, figures: FiguresThere, damaged: Damaged
) -> tuple[list[LabelTask], list[LabelTask]]:
    """The frames and the pairs that have still to be labelled.

    Args:
        wanted: What the cut asks for.
        frames: The clip's frames to work on, ascending.
        found: The cut's files on disk.
        figures: Its figures.
        damaged: From which of its files nothing is made.
    """
    config, output = wanted.config, found.root
    modalities = wanted.of_stages(["labels"])
    neighbours = pairs_at(config, frames, 1)
    labelled = found.with_all((m for m in modalities if m.kind == "frame"), frames)
    labelled_pairs = found.pairs_with_all(modalities, neighbours)
    of_frames = [
        LabelTask(config, output, frame) for frame in frames if frame not in labelled or frame not in figures.frames
    ]
    of_pairs = [
        LabelTask(config, output, *pair)
        for pair in neighbours
        if pair not in labelled_pairs or pair[0] not in figures.pairs
    ]
    # figures alone may say what is there: they are made again with what is damaged
    spoiled = {task.frame for task in of_frames if task.frame not in labelled and damaged.refuse(task.inputs())}
    of_frames = [task for task in of_frames if task.frame not in spoiled]
    of_pairs = [
        task
        for task in of_pairs
        if not spoiled & {task.frame, task.other}
        and not ((task.frame, task.other) not in labelled_pairs and damaged.refuse(task.inputs()))
    ]
    return of_frames, of_pairs


def missing_passes(wanted: Wanted, frames: tuple[int, ...], found: FilesOnDisk, damaged: Damaged) -> PassPlan | None:
    """The colour passes that have still to be made; None where there is nothing to do.

    Args:
        wanted: What the cut asks for.
        frames: The clip's frames to work on, ascending.
        found: The cut's files on disk.
        damaged: From which of its files nothing is made.
    """
    config, modalities = wanted.config, wanted.of_stages(["recolor"])
    if not modalities:
        return None
    there = found.with_all(modalities, frames)
    lacking = tuple(frame for frame in frames if frame not in there)
    listed = passes_listed(found.root, config.name) == [m.name for m in modalities if pass_number(m.name) is not None]
    if listed and not lacking:
        return None
    plan = PassPlan(config, found.root, lacking)
    return None if damaged.refuse(plan.inputs()) else plan


def pairs_at(config: CutConfig, frames: Collection[int], gap: int) -> tuple[Pair, ...]:
    """Pairs of frames that are ``gap`` frames of the clip apart and both to be worked on."""
    numbers, chosen = config.frame_numbers, set(frames)
    return tuple(
        (earlier, later)
        for earlier, later in zip(numbers, numbers[gap:], strict=False)
        if earlier in chosen and later in chosen
    )


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
