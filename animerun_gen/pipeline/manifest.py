"""Writes ``manifest/<cut>.json``: the checksum of every file of a cut, and what the cut was made from.

Checksums of files that have not been touched since are kept beside the dataset (in its hidden folder), so that a run
with nothing to do reads no pictures.
"""

from __future__ import annotations

import importlib.metadata
import os
import platform
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from animerun_gen import __version__
from animerun_gen.dataset.files import read_json, write_json
from animerun_gen.dataset.listing import list_cut
from animerun_gen.dataset.modalities import SPLITS
from animerun_gen.errors import DatasetError
from animerun_gen.pipeline import paths
from animerun_gen.pipeline.clearing import remove_file
from animerun_gen.pipeline.lock import lock_file
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


def write_manifest(output: Path, cut: str, workers: int = 1, decided: Sequence[str] = ()) -> list[str]:
    """Bring the manifest of a cut up to what is on disk now.

    A file of a frame that the manifest knows, and that changed although neither this run made it nor the cut's
    settings changed, keeps its checksum: damage must not become the truth because a run passed by.

    Args:
        output: Root folder of the dataset; the caller holds its lock.
        cut: Name of the cut.
        workers: Threads that compute checksums.
        decided: What was decided about the cut before it was begun, and why, a sentence each.

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
    entries = {entry.name: entry for entry in list_cut(output, split, cut) if entry.belongs}
    statuses = {name: entry.status for name, entry in entries.items() if entry.status is not None}
    for beside in (paths.quality_file(output, cut), paths.recolor_file(output, cut)):
        with suppress(FileNotFoundError):
            statuses[beside.relative_to(output).as_posix()] = beside.stat()
    manifest_file = paths.manifest_file(output, cut)
    if not statuses:
        remove_file(manifest_file)
        remove_file(paths.checksums_file(output, cut))
        return []
    files = _checksums(output, split, cut, statuses, workers)
    begun = lock_file(output).stat().st_mtime_ns
    older = {name for name, status in statuses.items() if status.st_mtime_ns < begun}
    manifest: dict[str, Any] = {
        "version": VERSION,
        "cut": cut,
        "split": split,
        "made_with": _versions(record.engine),
        "source": {"path": record.config.get("source"), "sha256": record.source},
        "inputs": record.inputs,
        "config": record.config,
        "notes": [*decided, *record.notes],
        "files": files,
    }
    earlier = _read_earlier(manifest_file)
    altered = []
    if earlier is not None:
        known = earlier["files"]
        frames = {name for name, entry in entries.items() if entry.frame is not None}
        if _same_settings(manifest, earlier):
            altered = sorted(name for name in older & frames if known.get(name, files[name]) != files[name])
            files.update({name: known[name] for name in altered})
        if files == known and frames <= older:
            # this run made nothing
            manifest["made_with"] = earlier["made_with"]
        elif any(known.get(name) == files[name] for name in older):
            manifest["made_with"] = _joined(earlier["made_with"], manifest["made_with"])
    write_if_changed(manifest_file, manifest)
    if not altered:
        return []
    more = ", ..." if len(altered) > 1 else ""
    manifest_name = manifest_file.relative_to(output).as_posix()
    return [ALTERED.format(count=len(altered), first=altered[0], more=more, manifest=manifest_name)]


def _checksums(
    output: Path, split: str, cut: str, statuses: Mapping[str, os.stat_result], workers: int
) -> dict[str, str]:
    """SHA-256 of files by name, in the order of the names; only what is not known from an earlier run is read."""
    remembered = _remembered(output, cut)
    # a cut that moves to the other split takes its files along as they are
    keys = {name: name.removeprefix(f"{split}/") for name in statuses}
    marks = {name: _mark(status) for name, status in statuses.items()}
    files: dict[str, str] = {}
    for name in sorted(statuses):
        mark, _, digest = remembered.get(keys[name], "").rpartition(" ")
        files[name] = digest if mark == marks[name] else ""
    unknown = [name for name, digest in files.items() if not digest]
    if unknown:
        with (
            Progress(len(unknown), "file", "checksums", delay=QUICK) as progress,
            ThreadPoolExecutor(workers) as pool,
        ):

            def digest_of(name: str) -> str:
                digest = file_digest(output / name)
                progress.advance(cut)
                return digest

            # hashing and reading leave the interpreter to other threads
            files.update(zip(unknown, pool.map(digest_of, unknown), strict=True))
    known = {keys[name]: f"{marks[name]} {digest}" for name, digest in files.items()}
    if known != remembered:
        write_json(paths.checksums_file(output, cut), known)
    return files


def _mark(status: os.stat_result) -> str:
    """Changes whenever the file does, even where someone puts its time of change back."""
    return f"{status.st_size} {status.st_mtime_ns} {status.st_ctime_ns} {status.st_ino}"


def _remembered(output: Path, cut: str) -> dict[str, str]:
    try:
        known = read_json(paths.checksums_file(output, cut))
    except DatasetError:
        return {}
    sound = isinstance(known, dict) and all(isinstance(value, str) for value in known.values())
    return known if sound else {}


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


def _versions(engine: str) -> dict[str, str]:
    return {
        "animerun_gen": __version__,
        "engine": engine,
        "python": platform.python_version(),
        "numpy": np.__version__,
        "opencv": cv2.__version__,
        "numba": importlib.metadata.version("numba"),
    }


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
