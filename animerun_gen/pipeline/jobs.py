"""What has to be done about what is missing of a cut: a job for Blender, labels, colour passes."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from pathlib import Path

from animerun_gen.config import CutConfig
from animerun_gen.engines.job import RenderJob
from animerun_gen.pipeline.missing import Missing
from animerun_gen.pipeline.state.figures import FiguresThere
from animerun_gen.pipeline.state.ledger import MadeFrom
from animerun_gen.pipeline.state.manifest import find_damage
from animerun_gen.pipeline.state.on_disk import FilesOnDisk
from animerun_gen.pipeline.tasks.labelling import LabelTask
from animerun_gen.pipeline.tasks.recoloring import PassPlan
from animerun_gen.terminal import as_command


def render_job(
    config: CutConfig, output: Path, frames: tuple[int, ...], missing: Missing, cross_check: bool, tracks_stand: bool
) -> RenderJob:
    """Everything that Blender has still to make of some frames of a cut, as one job.

    Args:
        config: The cut.
        output: Root folder of the dataset.
        frames: The clip's frames to work on, ascending.
        missing: What is missing of them.
        cross_check: Whether the two motion backends are compared.
        tracks_stand: Whether the tracks on disk are those that the cut asks for.
    """
    return RenderJob(
        config=config,
        output=output,
        pictures=missing.pictures,
        material_pictures=missing.material_pictures,
        identity_pictures=missing.identity_pictures,
        companions=missing.companions,
        pairs=missing.pairs,
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


def label_tasks(
    config: CutConfig, output: Path, frames: tuple[int, ...], missing: Missing, figures: FiguresThere, damaged: Damaged
) -> tuple[list[LabelTask], list[LabelTask]]:
    """The frames and the pairs that have still to be labelled.

    Args:
        config: The cut.
        output: Root folder of the dataset.
        frames: The clip's frames to work on, ascending.
        missing: What is missing of them.
        figures: The cut's figures.
        damaged: From which of its files nothing is made.
    """
    unlabelled, unlabelled_pairs = set(missing.labels), set(missing.pair_labels)
    of_frames = [
        LabelTask(config, output, frame) for frame in frames if frame in unlabelled or frame not in figures.frames
    ]
    of_pairs = [
        LabelTask(config, output, *pair)
        for pair in missing.neighbours
        if pair in unlabelled_pairs or pair[0] not in figures.pairs
    ]
    # figures alone may say what is there: they are made again with what is damaged
    spoiled = {task.frame for task in of_frames if task.frame in unlabelled and damaged.refuse(task.inputs())}
    of_frames = [task for task in of_frames if task.frame not in spoiled]
    of_pairs = [
        task
        for task in of_pairs
        if not spoiled & {task.frame, task.other}
        and not ((task.frame, task.other) in unlabelled_pairs and damaged.refuse(task.inputs()))
    ]
    return of_frames, of_pairs


def pass_plan(config: CutConfig, output: Path, missing: Missing, damaged: Damaged) -> PassPlan | None:
    """The colour passes that have still to be made; None where there is nothing to do.

    Args:
        config: The cut.
        output: Root folder of the dataset.
        missing: What is missing of the frames that are worked on.
        damaged: From which of the cut's files nothing is made.
    """
    if not (missing.passes or missing.colors):
        return None
    plan = PassPlan(config, output, missing.passes)
    return None if damaged.refuse(plan.inputs()) else plan
