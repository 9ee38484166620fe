"""Takes files out of a dataset that no longer belong to it, or moves them to where they do."""

from __future__ import annotations

import os
import shutil
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

from animerun_gen.config import CutConfig
from animerun_gen.config.messages import counted
from animerun_gen.dataset import layout
from animerun_gen.dataset.clip import ClipFiles
from animerun_gen.dataset.files import refused, remove_file
from animerun_gen.dataset.listing import modalities_there
from animerun_gen.dataset.modalities import Modality, named_as_there
from animerun_gen.errors import DatasetError
from animerun_gen.pipeline.made import Wanted
from animerun_gen.pipeline.state.coverage import has_tracks
from animerun_gen.pipeline.state.figures import cross_check_names
from animerun_gen.pipeline.state.on_disk import FilesOnDisk, is_whole


def clear_outdated(
    clip: ClipFiles, config: CutConfig, frames: Collection[int], redone: Mapping[str, str], *, judged: bool
) -> None:
    """Remove what is out of date.

    Args:
        clip: The cut's files.
        config: The cut.
        frames: Its frames that are worked on.
        redone: The stages whose files are, each with the reason.
        judged: Whether its quality figures are not.

    Raises:
        DatasetError: The system does not allow it; or rendered files of other frames would be lost.
    """
    output, name = clip.root, clip.cut
    _refuse_to_lose(clip, redone, set(config.frame_numbers) - set(frames))
    for stage in redone:
        remove_stage(clip, stage)
    if "pictures" in redone:
        _remove_files_but(layout.material_pictures_folder(output, name), ())
        _remove_files_but(layout.identity_pictures_folder(output, name), ())
    if "motion" in redone:
        _remove_files_but(layout.switched_pictures_folder(output, name), ())
        _remove_files_but(layout.unknown_folder(output, name), ())
        _remove_files_but(layout.reprojections_folder(output, name), ())
        _remove_files_but(layout.camera_records_folder(output, name), ())
        for file in layout.camera_files(output, clip.split, name):
            remove_file(file)
    # figures of frames and pairs that the cut does not have go as well
    figures: set[str] = set()
    if judged:
        figures.update(map(layout.frame_figures_name, config.frame_numbers))
        figures.update(map(layout.pair_figures_name, config.frame_numbers[:-1]))
    if "motion" not in redone:
        figures.update(cross_check_names(config).values())
    _remove_files_but(layout.figures_folder(output, name), figures)
    if not judged:
        remove_file(layout.quality_file(output, name))
    if "recolor" in redone or not config.recolor.passes:
        remove_file(layout.recolor_file(output, name))


def clear_up(
    clip: ClipFiles, wanted: Wanted, found: FilesOnDisk, stages: Collection[str], damaged_beside: Iterable[Path]
) -> tuple[list[str], bool]:
    """Remove the files that are not whole, and those that the configuration does not ask for.

    Args:
        clip: The cut's files.
        wanted: What the cut asks for.
        found: What of them is on disk; looks again where anything of the dataset was removed.
        stages: Only files of these stages are removed, and those beside.
        damaged_beside: Files beside those of the stages that are not what was written.

    Returns:
        The names of those that were not whole, and whether the tracks on disk are those that the cut asks for.

    Raises:
        DatasetError: The system does not allow it.
    """
    damaged = _clear_damaged(found, damaged_beside, stages)
    tracks_stand = has_tracks(wanted.config, clip.root)
    if _clear_surplus(clip, wanted, found, stages, tracks_stand) or damaged:
        found.look_again()
    return damaged, tracks_stand


def _clear_damaged(found: FilesOnDisk, damaged_beside: Iterable[Path], stages: Collection[str]) -> list[str]:
    """Remove the files that are not whole, so that they are made again.

    Only files are looked into that changed since an earlier run knew their checksums, or that none ever knew: those
    that a run made which was killed, and those that something else than this program touched.

    Args:
        found: The cut's files.
        damaged_beside: Files beside those of the stages that are not what was written.
        stages: Only files of these stages are removed, and those beside.

    Returns:
        Their names.

    Raises:
        DatasetError: The system does not allow it.
    """
    damaged = [
        entry.name
        for entry in found.entries
        if entry.name not in found.vouched
        and entry.belongs
        and entry.modality.stage in stages
        and not is_whole(found.root / entry.name, entry.modality)
    ]
    damaged += [file.relative_to(found.root).as_posix() for file in damaged_beside]
    for name in damaged:
        remove_file(found.root / name)
    return damaged


def _clear_surplus(
    clip: ClipFiles, wanted: Wanted, found: FilesOnDisk, stages: Collection[str], tracks_stand: bool
) -> bool:
    """Take out what the configuration does not ask for, so that as many files are there as loaders expect.

    Args:
        clip: The cut's files.
        wanted: What the cut asks for.
        found: What of them is on disk.
        stages: Only files of these stages are removed.
        tracks_stand: Whether the tracks on disk are those that it asks for.

    Returns:
        Whether there may have been anything of that among the files of the dataset.

    Raises:
        DatasetError: The system does not allow it.
    """
    frames, output, name = wanted.config.frame_numbers, clip.root, clip.cut
    # tracks of other frames, of another number of points or by another seed go as a whole
    kinds = [modality for modality in wanted.modalities if modality.kind != "clip" or tracks_stand]
    wanted_frames = {modality.name: set(modality.frames(frames)) for modality in kinds}
    surplus = any(
        entry.modality.stage in stages
        and (
            entry.modality.name not in wanted_frames
            or (entry.frame is not None and entry.frame not in wanted_frames[entry.modality.name])
        )
        for entry in found.entries
    )
    _remove_all_but(clip, kinds, stages)
    if surplus:
        _remove_frames_outside(clip, frames, stages)
    if "pictures" in stages:
        sampled = {layout.material_picture(output, name, frame).name for frame in wanted.sampled_frames}
        _remove_files_but(layout.material_pictures_folder(output, name), sampled)
        sampled = {layout.identity_picture(output, name, frame).name for frame in wanted.identity_frames}
        _remove_files_but(layout.identity_pictures_folder(output, name), sampled)
    if "motion" in stages:
        pairs = list(pairwise(frames))
        both_ways = [*pairs, *((later, earlier) for earlier, later in pairs)]
        switched = {layout.switched_name(a, b) for a, b in both_ways}
        _remove_files_but(layout.switched_pictures_folder(output, name), switched)
        _remove_files_but(layout.unknown_folder(output, name), {layout.unknown_name(a, b) for a, b in both_ways})
        agreeing = {layout.reprojection_name(a, b) for a, b in both_ways}
        _remove_files_but(layout.reprojections_folder(output, name), agreeing)
        records = {layout.camera_record(output, name, frame).name for frame in frames}
        _remove_files_but(layout.camera_records_folder(output, name), records)
    return surplus


def move_cut(source: ClipFiles, target: ClipFiles) -> None:
    """Move all files of a cut from one split to the other; what the other has already stays as it is there.

    Raises:
        DatasetError: The system does not allow it.
    """
    for modality in modalities_there(source.root, source.split, source.cut):
        old = _folder(source, modality)
        if not old.is_dir():
            continue
        new = _folder(target, modality)
        with _refusals_as_sentence(old, f"belongs in {new} but", "moved"):
            if not new.is_dir() or not any(new.iterdir()):
                new.parent.mkdir(parents=True, exist_ok=True)
                os.rename(old, new)
        _remove_modality(source, modality)
    both = zip(
        layout.camera_files(source.root, source.split, source.cut),
        layout.camera_files(target.root, target.split, target.cut),
        strict=True,
    )
    for before, after in both:
        if before.is_file():
            with _refusals_as_sentence(before, f"belongs in {after} but", "moved"):
                after.parent.mkdir(parents=True, exist_ok=True)
                os.replace(before, after)


def remove_stage(clip: ClipFiles, stage: str) -> None:
    """Remove all files of a stage of a cut.

    Raises:
        DatasetError: The system does not allow it.
    """
    for modality in modalities_there(clip.root, clip.split, clip.cut):
        if modality.stage == stage:
            _remove_modality(clip, modality)


def _refuse_to_lose(clip: ClipFiles, redone: Mapping[str, str], others: Collection[int]) -> None:
    """A trial of some frames is not to cost the others, which may have taken hours.

    Raises:
        DatasetError: It would.
    """
    rendered = [stage for stage in ("pictures", "motion") if stage in redone]
    if not rendered or not others:
        return
    found = FilesOnDisk(clip.root, clip.split, clip.cut)
    lost = {entry.frame for entry in found.entries if entry.modality.stage in rendered and entry.frame in others}
    if lost:
        raise DatasetError(
            f"{counted(len(lost), 'frame')} outside --frames would be lost, because they are out of date, too "
            f"({redone[rendered[0]]})",
            f"cut '{clip.cut}'",
            "run the command without --frames to make all of them again, or try some with another --out",
        )


def _remove_all_but(clip: ClipFiles, wanted: Collection[Modality], stages: Collection[str]) -> None:
    """Remove the kinds of files, motion over any gap among them, that a cut's configuration does not ask for.

    Args:
        clip: The cut.
        wanted: What it asks for.
        stages: Only what these stages make is removed.

    Raises:
        DatasetError: The system does not allow it.
    """
    names = {modality.name for modality in wanted}
    for modality in modalities_there(clip.root, clip.split, clip.cut):
        if modality.stage in stages and modality.name not in names:
            _remove_modality(clip, modality)


def _remove_frames_outside(clip: ClipFiles, frames: Collection[int], stages: Collection[str]) -> None:
    """Remove the files of frames that a cut does not have; published loaders count files.

    Args:
        clip: The cut.
        frames: The frames that it has, in the clip's order.
        stages: Only files of these stages are removed.

    Raises:
        DatasetError: The system does not allow it.
    """
    for modality in modalities_there(clip.root, clip.split, clip.cut):
        folder = _folder(clip, modality)
        if modality.kind == "clip" or modality.stage not in stages or not folder.is_dir():
            continue
        wanted = set(modality.frames(tuple(frames)))
        with _refusals_as_sentence(folder, "holds files of frames that are not part of the cut and"):
            files = list(folder.iterdir())
            there = named_as_there(modality, (file.name for file in files))
            for file in files:
                frame = there.frame_of(file.name)
                if frame is not None and frame not in wanted:
                    file.unlink()


def _remove_files_but(folder: Path, wanted: Collection[str]) -> None:
    """Remove the files of a folder, which need not exist, whose names are not among those wanted.

    Raises:
        DatasetError: The system does not allow it.
    """
    if not folder.is_dir():
        return
    with _refusals_as_sentence(folder, "is out of date and"):
        for name in os.listdir(folder):
            if name not in wanted:
                os.unlink(folder / name)
        if not wanted:
            folder.rmdir()


def _folder(clip: ClipFiles, modality: Modality) -> Path:
    return modality.cut_folder(clip.root, clip.split, clip.cut)


def _remove_modality(clip: ClipFiles, modality: Modality) -> None:
    folder = _folder(clip, modality)
    with _refusals_as_sentence(folder, "is out of date and"):
        if folder.is_dir():
            shutil.rmtree(folder)
        # published loaders take every folder for a cut
        parent = folder.parent
        while parent.name == clip.cut and parent.is_dir() and not any(parent.iterdir()):
            parent.rmdir()
            parent = parent.parent
        # a gap, a layer or a pass of layers that no cut has any more leaves no trace
        while (
            modality.stands_alone and parent != clip.root / clip.split and parent.is_dir() and not any(parent.iterdir())
        ):
            parent.rmdir()
            parent = parent.parent


@contextmanager
def _refusals_as_sentence(path: Path, why: str, what: str = "removed") -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise refused(f"{why} cannot be {what}", path, error) from error
