"""Finds out whether a dataset is whole and holds what it should: ``animerun-gen verify``.

What is looked at is written down in ``docs/verify.md``.  Nothing of the dataset is changed; which of its checksums were
found to be right is kept in the hidden folder, for ``generate`` and ``status``.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from pathlib import Path, PurePosixPath

from animerun_gen.config.messages import counted
from animerun_gen.dataset import layout
from animerun_gen.dataset.clip import Dataset
from animerun_gen.dataset.listing import modalities_there
from animerun_gen.dataset.modalities import SPLITS
from animerun_gen.engines.pool import start_pool
from animerun_gen.errors import ConfigError, DatasetError
from animerun_gen.progress import Progress
from animerun_gen.terminal import printable
from animerun_gen.verify.checked_manifest import CheckedManifest
from animerun_gen.verify.cut import CutCheck
from animerun_gen.verify.cut_report import DELETE, MOVE, CutReport
from animerun_gen.verify.findings import Defect, FrameFindings, FrameInspection

KINDS = {
    "missing": "missing",
    "stray": "that do not belong there",
    "link": "that are links out of the dataset",
    "damaged": "damaged",
    "form": "of a wrong shape or type",
    "values": "with impossible content",
    "contradiction": "that contradict another file",
    "quality": "beyond a threshold of the quality gate",
    "manifest": "of a manifest or quality file",
    "changed": "changed since they were made",
    "unlisted": "not in the manifest",
}
"""What can be wrong, with what is said of how many."""


def verify(root: Path, cuts: Collection[str] = (), workers: int = 1, quick: bool = False) -> list[CutReport]:
    """Look at the files of a dataset.

    Args:
        root: Root folder of the dataset, made by this program or downloaded.
        cuts: Names of the cuts to look at; none for all, and for what belongs to no cut.
        workers: Processes that work side by side.
        quick: Whether to compute no checksums and read no more of large files than their headers.

    Returns:
        What came of each cut, by name, after what belongs to no cut (where something of that is wrong).

    Raises:
        ConfigError: There is no dataset, or no such cut.
        DatasetError: A folder cannot be read, or a process died.
    """
    there = _find_cuts(root)
    names = {cut for _, cut in there}
    if unknown := sorted(set(cuts) - names):
        known = ", ".join(sorted(names)) or "none"
        raise ConfigError([f"{root} has no cut {name!r}; the cuts there are: {known}" for name in unknown])
    checks = [CutCheck(root, split, cut, quick) for split, cut in there if not cuts or cut in cuts]
    tasks = [(check, task) for check in checks for task in check.tasks]
    with Progress(len(tasks), "frame", "verifying") as progress:
        for check, findings in _findings(tasks, workers, progress):
            check.take(findings)
    reports = [check.finish() for check in checks]
    if not cuts and (defects := list(_ownerless(root, there))):
        reports.insert(0, CutReport("", "", defects=defects))
    for report in reports:
        report.defects.sort(key=lambda defect: (defect.file, list(KINDS).index(defect.kind), defect.what))
        report.notes.sort()
    return reports


def _find_cuts(root: Path) -> list[tuple[str, str]]:
    """All cuts as split and name: those with a folder of colour frames, and those with a manifest."""
    try:
        there = {(clip.split, clip.cut) for clip in Dataset(root).clips()}
    except DatasetError as error:
        raise ConfigError([str(error)]) from error
    for file in sorted(layout.manifest_file(root, "any").parent.glob("*.json")):
        manifest = CheckedManifest.read(root, file.stem)
        if manifest.split and not file.name.startswith("."):
            there.add((manifest.split, file.stem))
    if not there:
        raise ConfigError([f"{root} has no cuts; give the folder that contains a dataset"])
    return sorted(there, key=lambda place: (place[1], place[0]))


def _findings(
    tasks: Sequence[tuple[CutCheck, FrameInspection]], workers: int, progress: Progress
) -> Iterator[tuple[CutCheck, tuple[int, FrameFindings]]]:
    """Do all tasks."""
    with start_pool(workers if len(tasks) > 1 else 1, "a verifying process") as pool:
        found = pool.results([task for _, task in tasks])
        for (check, task), findings in zip(tasks, found, strict=True):
            yield check, (task.frame, findings)
            progress.advance(f"{check.cut} {task.frame}")


def _ownerless(root: Path, cuts: Sequence[tuple[str, str]]) -> Iterator[Defect]:
    """What belongs to no cut."""
    known = set(cuts)
    manifests = layout.manifest_file(root, "any").parent
    away = DELETE if any(manifests.glob("[!.]*.json")) else MOVE
    for split in SPLITS:
        seen = set()
        for what in modalities_there(root, split):
            base = root / split / what.folder.partition("/{cut}")[0]
            if base in seen or not base.is_dir():
                continue
            seen.add(base)
            for folder in sorted(base.iterdir()):
                if folder.is_dir() and (split, folder.name) not in known:
                    name = folder.relative_to(root).as_posix()
                    advice = f"{away}, or make the cut again"
                    yield Defect(name, "stray", "belongs to a cut that has no colour frames", advice)
    names = {cut for _, cut in cuts}
    for split in SPLITS:
        folder = root / split / layout.CAMERA_FOLDER
        own = {path.name for cut in names for path in layout.camera_files(root, split, cut) if (split, cut) in known}
        for entry in sorted(folder.iterdir()) if folder.is_dir() else ():
            if entry.name not in own:
                name = entry.relative_to(root).as_posix()
                yield Defect(name, "stray", "belongs to no cut of the dataset", DELETE)
    for file in (layout.quality_file(root, "any"), layout.manifest_file(root, "any"), layout.recolor_file(root, "any")):
        if file.parent.is_dir():
            for entry in sorted(file.parent.iterdir()):
                if entry.suffix != ".json" or entry.stem not in names:
                    name = entry.relative_to(root).as_posix()
                    yield Defect(name, "stray", "belongs to no cut of the dataset", away)


def describe(reports: Iterable[CutReport]) -> list[str]:
    """What was found in words: for each cut a summary, then a line for each defect, then notes."""
    lines = []
    for report in reports:
        if report.cut:
            title = f"{report.cut} ({report.split}): {counted(report.frames, 'frame')}, {counted(report.files, 'file')}"
        else:
            title = "beside the cuts"
        counts = Counter(defect.kind for defect in report.defects)
        found = "; ".join(f"{counts[kind]} {words}" for kind, words in KINDS.items() if counts[kind])
        total = len(report.defects)
        lines.append(f"{title}: {counted(total, 'defect')}: {found}" if total else f"{title}: no defect")
        lines += [printable(str(defect)) for defect in report.defects]
        lines += [printable(f"note: {note}") for note in report.notes]
    return lines


def places(root: Path, reports: Iterable[CutReport]) -> str:
    """In how many files and folders something is wrong, in words; several things may be wrong with one."""
    names = {(report.cut, defect.file) for report in reports for defect in report.defects}
    # what is missing altogether is no folder any more, but has a name like one
    folders = {
        name
        for cut, name in names
        if (root / name).is_dir()
        or (not os.path.lexists(root / name) and (PurePosixPath(name).suffix == "" or name.endswith(f"/{cut}")))
    }
    files = len({name for _, name in names} - folders)
    said = [counted(files, "file")] * bool(files) + [counted(len(folders), "folder")] * bool(folders)
    return " and ".join(said)
