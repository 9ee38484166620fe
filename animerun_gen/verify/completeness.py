"""Checks that everything of a cut is there, and nothing else."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Collection, Sequence
from pathlib import Path

from animerun_gen.config.messages import counted
from animerun_gen.dataset import layout
from animerun_gen.dataset.listing import Entry, modalities_there
from animerun_gen.dataset.modalities import Modality, modality
from animerun_gen.verify.checked_clip import CheckedClip
from animerun_gen.verify.cut_report import MOVE, RUN_AGAIN


def check_manifest(clip: CheckedClip) -> None:
    """Check what a cut's manifest says of itself, and that it lists what is there."""
    manifest = clip.manifest
    for problem in manifest.problems:
        clip.defect(manifest.name, "manifest", problem, f"delete it and {RUN_AGAIN}")
    if manifest.there and manifest.split and manifest.split != clip.split:
        folder = clip.relative(modality("frame").cut_folder(clip.root, clip.split, clip.cut))
        clip.defect(folder, "stray", f"is of a cut that its manifest puts into {manifest.split}", clip.away)
    elif not manifest.there and not manifest.problems and clip.ours:
        clip.defect(
            manifest.name,
            "missing",
            "is missing, so the files cannot be checked against their checksums",
            RUN_AGAIN,
        )
    for path in (layout.manifest_file(clip.root, clip.cut), *clip.beside):
        if path.is_symlink() and path.exists() and not _lies_in(path, clip.root):
            clip.link(clip.relative(path))
    if not clip.ours:
        clip.report.notes.append(
            "there is no manifest, so this cut was made elsewhere: its layout can be checked, but not its checksums"
        )
    if not manifest.there:
        return
    for name in sorted(manifest.files.keys() - clip.all_names()):
        # the sentence about what is missing comes with the completeness of the clip where that knows of it
        if name not in clip.demanded_names():
            clip.defect(name, "missing", "is missing, but the manifest has it", RUN_AGAIN)
    for name in sorted(clip.all_names() - manifest.files.keys()):
        clip.defect(name, "unlisted", "is not in the manifest: it was added later", f"{clip.away}, or {RUN_AGAIN}")


def check_completeness(clip: CheckedClip) -> None:
    """Check that everything is there."""
    advice = RUN_AGAIN if clip.ours else "download it again"
    for first, last in _runs(clip.numbers, clip.gone):
        path = clip.kind("frame").path(*clip.place, first)
        which = f"frame {first}" if first == last else f"the frames {first} to {last}"
        clip.defect(clip.relative(path), "missing", f"is missing, and so is everything else of {which}", advice)
    places = {frame: index for index, frame in enumerate(clip.numbers)}
    for what in clip.modalities:
        folder = clip.relative(what.cut_folder(*clip.place))
        if what.kind == "clip":
            clip.require(clip.relative(what.clip_path(*clip.place)), advice)
            continue
        if what.stage == "recolor" and not clip.ours:
            # others may have passes of some frames only
            continue
        wanted = clip.frames_of(what)
        there = clip.frames_there.get(what.name, set())
        if not clip.ours and _is_so_in_the_published_data(clip, what, there):
            continue
        if wanted and not there:
            if len(clip.gone) < len(clip.numbers):
                clip.defect(folder, "missing", "has no files, or is missing", advice)
            continue
        if what.table:
            clip.require(clip.relative(what.names_path(*clip.place)), advice)
        for frame in wanted:
            away = {"forward": what.gap, "backward": -what.gap}.get(what.kind, 0)
            other = clip.numbers[places[frame] + away]
            if frame not in there and not {frame, other} & clip.gone:
                clip.require(clip.relative(what.path(*clip.place, frame)), advice)
    if clip.ours and not clip.quality.is_file():
        clip.defect(clip.relative(clip.quality), "missing", "is missing", advice)
    for file in clip.cameras if clip.ours else ():
        if not file.is_file():
            clip.defect(clip.relative(file), "missing", "is missing", advice)
    if clip.passes and clip.ours and not clip.recolor.is_file():
        clip.defect(clip.relative(clip.recolor), "missing", "is missing", advice)


def _is_so_in_the_published_data(clip: CheckedClip, what: Modality, there: Collection[int]) -> bool:
    """Whether files that a cut lacks, which was made elsewhere, are missing in the published data as well."""
    if what.name == "line_area":
        return not there and clip.split == "train"
    if what.name != "occlusion_backward":
        return False
    lacking = set(clip.frames_of(what)) - set(there)
    if len(lacking) == 1 and there:
        folder = clip.relative(what.cut_folder(*clip.place))
        clip.report.notes.append(f"{folder} has no file of frame {min(lacking)}; the published data lack one, too")
    return len(lacking) == 1 and bool(there)


def check_strays(clip: CheckedClip) -> None:
    """Check that nothing else is there."""
    wanted = {what.name: set(clip.frames_of(what)) for what in clip.modalities}
    unasked: Counter[str] = Counter()
    beside: Counter[str] = Counter()
    for entry in clip.entries.values():
        if not clip.ours and entry.is_file and not entry.belongs and not entry.name.endswith(entry.modality.suffix):
            # loaders look for one suffix; the published LineArea has pictures beside its arrays
            beside[clip.relative(entry.modality.cut_folder(*clip.place))] += 1
            continue
        reason = _why_stray(clip, entry)
        if reason is not None:
            clip.defect(entry.name, "stray", *reason)
        elif entry.modality.name not in wanted:
            unasked[clip.relative(entry.modality.cut_folder(*clip.place))] += 1
        elif entry.frame is not None and entry.frame not in wanted[entry.modality.name]:
            belongs_to = "frame" if entry.modality.kind == "frame" else "pair of frames"
            clip.defect(entry.name, "stray", f"belongs to no {belongs_to} of the clip", clip.away)
        if entry.is_link and not _lies_in(clip.root / entry.name, clip.root):
            clip.link(entry.name)
    clip.report.notes += [
        f"{name} holds {counted(count, 'further file')}, which no loader reads" for name, count in beside.items()
    ]
    for name, count in unasked.items():
        clip.defect(
            name,
            "stray",
            f"holds {counted(count, 'file')} that the cut's configuration does not ask for",
            RUN_AGAIN,
        )
    for folder in {what.cut_folder(*clip.place) for what in modalities_there(clip.root, clip.split, clip.cut)}:
        if folder.exists() and not _lies_in(folder, clip.root):
            what = "is, or lies behind, a link that leads out of the dataset"
            clip.defect(clip.relative(folder), "link", what, "put the folder itself there")
    between = {what.cut_folder(*clip.place).parent for what in modalities_there(clip.root, clip.split, clip.cut)}
    for folder in between:
        if folder.name == clip.cut and folder.is_dir():
            for file in folder.iterdir():
                if not file.is_dir():
                    clip.defect(clip.relative(file), "stray", "lies where only folders belong", clip.away)


def _why_stray(clip: CheckedClip, entry: Entry) -> tuple[str, str] | None:
    """Why something lies in a folder of the dataset where it does not belong, and what to do; None where it does."""
    if entry.is_leftover:
        return "was left behind by a run that was killed", f"{clip.away}, or {RUN_AGAIN}"
    if entry.is_folder:
        return "is a folder where only files belong", "move it elsewhere"
    if entry.status is None and entry.is_link:
        return "is a link that leads nowhere", "put the file itself there"
    if not entry.is_file:
        return "is not a readable file", clip.away
    if not entry.belongs:
        return "is not a file of the dataset", " or ".join(dict.fromkeys((clip.away, MOVE)))
    return None


def _runs(numbers: Sequence[int], chosen: Collection[int]) -> list[tuple[int, int]]:
    """First and last of each row of neighbours among the chosen numbers."""
    runs: list[tuple[int, int]] = []
    before = None
    for number in numbers:
        if number in chosen:
            if runs and runs[-1][1] == before:
                runs[-1] = (runs[-1][0], number)
            else:
                runs.append((number, number))
        before = number
    return runs


def _lies_in(path: Path, root: Path) -> bool:
    return Path(os.path.realpath(path)).is_relative_to(os.path.realpath(root))
