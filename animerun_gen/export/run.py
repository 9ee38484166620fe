"""Writes a dataset in the layout of another one; what is there already is left, what is out of date is made again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from animerun_gen import __version__
from animerun_gen.dataset import ClipFiles, Dataset, modality
from animerun_gen.dataset.checksums import digest_of
from animerun_gen.dataset.files import json_bytes
from animerun_gen.errors import DatasetError, NoDatasetError, UsageError
from animerun_gen.export.folder import ExportFolder
from animerun_gen.export.layout import ClipJob, Layout, source_paths
from animerun_gen.export.layouts import LAYOUTS
from animerun_gen.progress import Progress

PICTURES = "frame"
"""The modality that readers are given as pictures where nothing else was asked for."""


@dataclass
class Export:
    """What was exported.

    Attributes:
        root: The folder.
        made: The cuts that were written now.
        unchanged: The cuts that were there already.
        counts: What was counted in all of them, by name.
        sentences: What a user has to know, each with the name of its cut.
        failures: What could not be exported, in sentences.
    """

    root: Path
    made: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    sentences: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)


def export(
    root: Path,
    layout: str,
    output: Path,
    *,
    link: bool = False,
    cuts: Sequence[str] = (),
    splits: Sequence[str] = (),
    pictures: str = PICTURES,
) -> Export:
    """Write a dataset in another layout.  Run again, it goes on where it was stopped.

    Args:
        root: Root folder of the dataset.
        layout: Name of one of :data:`~animerun_gen.export.layouts.LAYOUTS`.
        output: The folder to write to, which holds the cuts that were asked for and no others when this is over.  It
            must be new, empty, or an earlier export to this layout.
        link: Make files that are the dataset's own, byte for byte, second names of them (hard links) where the disk
            can; they are copied where it cannot.
        cuts: Names of the cuts; all by default.
        splits: Names of the splits; all by default.
        pictures: The modality that readers are given as pictures: ``frame``, ``flat``, ``contour`` or ``color_1``.

    Raises:
        UsageError: There is no such dataset, cut, split, layout or kind of pictures, the folder is somebody else's, or
            a library is missing.
        DatasetError: A file cannot be read or written, in a layout in which cuts share files.
    """
    if layout not in LAYOUTS:
        raise UsageError(f"there is no layout '{layout}'", remedy=f"choose one of {', '.join(LAYOUTS)}")
    made = LAYOUTS[layout]()
    made.require()
    clips = _chosen(Dataset(root), cuts, splits)
    _require_pictures(clips, pictures)
    made.look(clips)
    folder = ExportFolder(output, layout, pictures, link)
    bases = {_key(clip): _basis(made, clip, pictures) for clip in clips}
    _clear(folder, made, bases, root)
    done = Export(output)
    to_write = [clip for clip in clips if not folder.is_current(_key(clip), bases[_key(clip)])]
    with Progress(sum(len(clip.frame_numbers) for clip in to_write), "frame", "exporting") as progress:
        for clip in clips:
            key = _key(clip)
            if clip not in to_write:
                done.unchanged.append(key)
                continue
            folder.begin(key, bases[key], clip.frame_numbers)
            job = ClipJob(clip, folder, pictures, progress.advance)
            try:
                made.write(job)
            except DatasetError as error:
                if made.shares_files:
                    folder.drop(list(bases), [place for one in clips for place in made.places(output, one)])
                    raise
                folder.drop([key], made.places(output, clip))
                done.failures.append(f"cut '{clip.cut}': {error.below(root)}")
                continue
            folder.finish(key, job.counts, job.remarks)
            done.made.append(key)
    made.finish(output, clips, pictures)
    for key, known in folder.table.clips.items():
        done.counts.update(known.counts)
        done.sentences += [f"cut '{key.partition('/')[2]}': {remark}" for remark in known.remarks]
    return done


def _key(clip: ClipFiles) -> str:
    return f"{clip.split}/{clip.cut}"


def _chosen(dataset: Dataset, cuts: Sequence[str], splits: Sequence[str]) -> list[ClipFiles]:
    for cut in cuts:
        # of which there must be one
        dataset.clip(cut)
    for split in splits:
        if split not in dataset.splits:
            there = ", ".join(dataset.splits)
            raise NoDatasetError(f"has no split '{split}'", dataset.root, f"the splits there are: {there}")
    clips = [
        clip for clip in dataset.clips() if (not cuts or clip.cut in cuts) and (not splits or clip.split in splits)
    ]
    if not clips:
        raise NoDatasetError("has no cuts to export", dataset.root, "make or download some, or choose others")
    return clips


def _require_pictures(clips: Sequence[ClipFiles], pictures: str) -> None:
    try:
        what = modality(pictures)
    except ValueError:
        what = None
    if what is None or what.content != "picture" or what.dtype != "uint8" or what.kind != "frame":
        raise UsageError(
            f"there are no pictures '{pictures}'",
            remedy="choose frame, flat, contour, or a colour pass such as color_1",
        )
    for clip in clips:
        lacking = [frame for frame in clip.frame_numbers if not clip.has(pictures, frame)]
        if lacking:
            raise UsageError(
                f"has no {clip.path(pictures, lacking[0]).relative_to(clip.root)}",
                f"cut '{clip.cut}'",
                "make it with animerun-gen generate, choose other pictures, or export other cuts",
            )


def _basis(layout: Layout, clip: ClipFiles, pictures: str) -> str:
    """Checksum of what decides how a clip is written: the version, the layout's own decisions, and the files' state."""
    files = []
    for path in source_paths(clip, (pictures, *layout.needs())):
        status = path.stat()
        files.append([path.relative_to(clip.root).as_posix(), status.st_size, status.st_mtime_ns])
    decided = [__version__, clip.split, list(clip.frame_numbers), repr(layout.basis(clip)), files]
    return digest_of(json_bytes(decided))


def _clear(folder: ExportFolder, layout: Layout, bases: dict[str, str], root: Path) -> None:
    """Remove what is out of date or was not asked for."""
    stale = [key for key, known in folder.table.clips.items() if bases.get(key) != known.basis]
    if stale and layout.shares_files:
        stale = list(folder.table.clips)
    if stale:
        there = [ClipFiles(root, *key.split("/", 1)) for key in stale]
        folder.drop(stale, [place for clip in there for place in layout.places(folder.root, clip)])
