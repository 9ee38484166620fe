"""Writes ``manifest/<cut>.json``: the checksum of every file of a cut, and what the cut was made from.

Checksums of files that have not been touched since are kept beside the dataset (in its hidden folder, see
:mod:`animerun_gen.pipeline.checksums`), so that a run with nothing to do reads no pictures.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

from animerun_gen.dataset.files import read_json
from animerun_gen.dataset.modalities import SPLITS
from animerun_gen.errors import DatasetError
from animerun_gen.pipeline import made_with, paths
from animerun_gen.pipeline.checksums import Remembered
from animerun_gen.pipeline.clearing import remove_file
from animerun_gen.pipeline.on_disk import FilesOnDisk, is_whole, mark
from animerun_gen.pipeline.progress import Progress
from animerun_gen.pipeline.record import CutRecord, file_digest, write_if_changed

VERSION = 1
"""Of the manifest's form; a reader that knows another one only must not trust it."""

QUICK = 2.0
"""Seconds of hashing that need no progress bar."""

ALTERED = (
    "files that changed after they were made: {count} ({first}{more}); the manifest keeps their old checksums. Delete "
    "the files and run the same command again, or delete {manifest} to accept them"
)


def write_manifest(output: Path, cut: str, found: FilesOnDisk | None = None, workers: int = 1) -> list[str]:
    """Bring the manifest of a cut up to what is on disk now.

    A file of a frame that the manifest knows, and that changed although neither this run made it nor the cut's
    settings changed, keeps its checksum: damage must not become the truth because a run passed by.

    Args:
        output: Root folder of the dataset; the caller holds its lock.
        cut: Name of the cut.
        found: The files as the run found them before it made any; None where it made none.
        workers: Threads that compute checksums.

    Returns:
        What the user should know of it, a sentence each.

    Raises:
        DatasetError: A file cannot be read, or the manifest cannot be written.
    """
    record = CutRecord.read(output, cut)
    split = record.config.get("split")
    if split not in SPLITS:
        # it was not made here, or nothing says from what
        return []
    if found is None:
        found = FilesOnDisk(output, split, cut)
    marks = dict(found.now())
    for beside in (paths.quality_file(output, cut), paths.recolor_file(output, cut)):
        with suppress(FileNotFoundError):
            marks[beside.relative_to(output).as_posix()] = mark(beside.stat())
    manifest_file = paths.manifest_file(output, cut)
    if not marks:
        remove_file(manifest_file)
        remove_file(paths.checksums_file(output, cut))
        return []
    remembered = found.remembered
    # a cut that moves to the other split takes its files along as they are
    keys = {name: name.removeprefix(f"{split}/") for name in marks}
    unvouched = found.unvouched.union(
        name for name in marks.keys() - found.now().keys() if not remembered.digest(keys[name], marks[name])
    )
    all_known = not unvouched and len(marks) == len(remembered.files)
    if all_known and remembered.summed_up and remembered.summed_up == _sources_of_sum(output, cut):
        return []
    files = {name: remembered.digest(keys[name], marks[name]) for name in sorted(marks)}
    entries = {entry.name: entry for entry in found.entries if entry.belongs}
    frames = {name for name, entry in entries.items() if entry.frame is not None}
    older = {name for name, as_found in found.before.items() if marks.get(name) == as_found}
    unknown = [name for name, digest in files.items() if not digest]
    # what a crash of the machine cut short, and this run was not to make again, must not become the truth either
    for name in unknown:
        if name in older and not is_whole(output / name, entries[name].modality):
            del files[name]
    unknown = [name for name in unknown if name in files]
    if unknown:
        files.update(_computed(output, cut, unknown, workers))
    altered = _write(output, cut, record, files, frames, older)
    Remembered(
        {keys[name]: f"{marks[name]} {digest}" for name, digest in files.items() if name not in altered},
        # what is wrong is to be said again
        "" if altered or len(files) < len(marks) else _sources_of_sum(output, cut),
    ).write(output, cut)
    if not altered:
        return []
    more = ", ..." if len(altered) > 1 else ""
    manifest_name = manifest_file.relative_to(output).as_posix()
    return [ALTERED.format(count=len(altered), first=altered[0], more=more, manifest=manifest_name)]


def _write(
    output: Path, cut: str, record: CutRecord, files: Mapping[str, str], frames: Collection[str], older: Collection[str]
) -> list[str]:
    """Write the manifest.

    Args:
        output: Root folder of the dataset.
        cut: Name of the cut.
        record: What the cut was made from.
        files: SHA-256 of each whole file, by name.
        frames: The files that belong to frames.
        older: The files that this run found and left as they were.

    Returns:
        The files that keep another checksum than they have now, because no run made them anew.
    """
    files = dict(files)
    manifest: dict[str, Any] = {
        "version": VERSION,
        "cut": cut,
        "split": record.config["split"],
        "made_with": {"engine": record.engine, **made_with.versions()},
        "source": {"path": record.config.get("source"), "sha256": record.source},
        "inputs": record.inputs,
        "config": record.config,
        "notes": [*record.decided, *record.notes],
        "files": files,
    }
    manifest_file = paths.manifest_file(output, cut)
    earlier = _read_earlier(manifest_file)
    altered = []
    if earlier is not None:
        known = earlier["files"]
        if _same_settings(manifest, earlier):
            altered = sorted(
                name for name in older if name in frames and known.get(name, files.get(name)) != files.get(name)
            )
            files = dict(sorted({**files, **{name: known[name] for name in altered}}.items()))
            manifest["files"] = files
        if files == known and all(name in older for name in frames):
            # this run made nothing
            manifest["made_with"] = earlier["made_with"]
        elif any(name in files and known.get(name) == files[name] for name in older):
            manifest["made_with"] = _joined(earlier["made_with"], manifest["made_with"])
    write_if_changed(manifest_file, manifest)
    return altered


def _computed(output: Path, cut: str, names: Sequence[str], workers: int) -> dict[str, str]:
    """SHA-256 of files by name."""
    with Progress(len(names), "file", "checksums", delay=QUICK) as progress, ThreadPoolExecutor(workers) as pool:

        def digest_of(name: str) -> str:
            digest = file_digest(output / name)
            progress.advance(cut)
            return digest

        # hashing and reading leave the interpreter to other threads
        return dict(zip(names, pool.map(digest_of, names), strict=True))


def _sources_of_sum(output: Path, cut: str) -> str:
    """Marks of the manifest and of the record, which stand in it; empty where one is missing."""
    try:
        return ", ".join(
            mark(path.stat()) for path in (paths.manifest_file(output, cut), paths.record_file(output, cut))
        )
    except OSError:
        return ""


def _read_earlier(path: Path) -> dict[str, Any] | None:
    """The manifest of an earlier run; None where there is none that can be gone on with."""
    try:
        earlier = read_json(path)
    except DatasetError:
        return None
    sound = (
        isinstance(earlier, dict)
        and earlier.get("version") == VERSION
        and isinstance(earlier.get("files"), dict)
        and isinstance(earlier.get("made_with"), dict)
    )
    return earlier if sound else None


def _joined(earlier: Mapping[str, str], now: Mapping[str, str]) -> dict[str, str]:
    """The versions of files of which some were made earlier and some now."""
    joined = {}
    for name, version in now.items():
        known = earlier.get(name, version).split(", ")
        joined[name] = ", ".join(known if version in known else [*known, version])
    return joined


def _same_settings(manifest: Mapping[str, Any], earlier: Mapping[str, Any]) -> bool:
    """Whether everything that decides what the files hold is as it was."""
    versions = earlier["made_with"]
    return all(earlier.get(name) == manifest[name] for name in ("split", "source", "inputs", "config")) and all(
        version in str(versions.get(name)).split(", ") for name, version in manifest["made_with"].items()
    )
