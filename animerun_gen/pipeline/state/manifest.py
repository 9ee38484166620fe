"""Writes ``manifest/<cut>.json``: the checksum of every file of a cut, and what the cut was made from.

Checksums of files that have not been touched since are in the cut's ledger (see
:class:`animerun_gen.pipeline.state.ledger.Checksums`), so that a run with nothing to do reads no pictures.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from animerun_gen.config import CutConfig
from animerun_gen.dataset import layout
from animerun_gen.dataset.checksums import file_digest
from animerun_gen.dataset.files import remove_file, write_if_changed
from animerun_gen.dataset.modalities import SPLITS
from animerun_gen.errors import BusyError, DatasetError
from animerun_gen.pipeline.state import made_with
from animerun_gen.pipeline.state.fingerprints import STAGES, fingerprints
from animerun_gen.pipeline.state.ledger import Checksums, CutLedger, Ledger, MadeFrom, open_ledger, read_ledger
from animerun_gen.pipeline.state.lock import exclusive
from animerun_gen.pipeline.state.manifest_file import (
    Manifest,
    Source,
    base_name,
    inputs_without_folders,
    notes_without_folders,
    read_manifest,
    without_folders,
)
from animerun_gen.pipeline.state.on_disk import FilesOnDisk, is_whole, key_of, mark
from animerun_gen.progress import Progress

QUICK = 2.0
"""Seconds of hashing that need no progress bar."""

SHOWN_NAMES = 3
"""So many damaged files are named in a sentence."""


@dataclass(frozen=True)
class Damage:
    """Which files of a cut are not what was made.

    Attributes:
        files: Those that are known to be damaged, by name.
        unchecked: How many others were touched since their checksums were computed, and nobody has looked into them.
    """

    files: tuple[str, ...] = ()
    unchecked: int = 0


def find_damage(
    output: Path,
    found: FilesOnDisk,
    made_from: MadeFrom,
    most: int | None = None,
) -> Damage:
    """Look at the files of a cut that are not as they were when their checksums were computed.

    Args:
        output: Root folder of the dataset.
        found: The cut's files as a look found them, before anything was made.
        made_from: What they were made from.  Of stages that the manifest has from something else, as it has when a run
            was not finished, nothing is known.
        most: Bytes; none of them is read if they have more.  None: all are read.
    """
    marks = found.before
    # an empty file counts as a missing one
    sizes = {name: size for name in marks if (size := int(marks[name].partition(" ")[0]))}
    touched = [name for name in sizes if name not in found.vouched]
    earlier = _read_earlier(layout.manifest_file(output, found.cut)) if touched else None
    if earlier is None:
        return Damage()
    stages, same = _stages(output, found), _same_stages(made_from, earlier)
    known = {name: earlier.files[name] for name in touched if stages.get(name) in same and name in earlier.files}
    if most is not None and sum(sizes[name] for name in known) > most:
        return Damage(unchecked=len(known))
    return Damage(tuple(sorted(name for name, digest in known.items() if _digest_of(output / name) != digest)))


def _stages(output: Path, found: FilesOnDisk) -> dict[str, str]:
    """By which stage each file was made, of those that stay as they are once they are made.

    The quality figures are none of them: each run collects them anew.
    """
    stages: dict[str, str] = {entry.name: entry.modality.stage for entry in found.entries if entry.belongs}
    beside = {layout.recolor_file(output, found.cut): "recolor"}
    beside |= dict.fromkeys(layout.camera_files(output, found.split, found.cut), "motion")
    return stages | {path.relative_to(output).as_posix(): stage for path, stage in beside.items()}


def _same_stages(made_from: MadeFrom, earlier: Manifest) -> set[str]:
    """The stages that the files of an earlier manifest were made in from the same as now."""
    if inputs_without_folders(earlier.inputs) != inputs_without_folders(made_from.inputs):
        return set()
    try:
        config = CutConfig.model_validate(_with_files_of(made_from, earlier.config))
        then = fingerprints(config, earlier.made_with["engine"], earlier.source.sha256)
    # whatever it holds, it is no such manifest
    except (DatasetError, ValueError, KeyError):
        return set()
    return {stage for stage in STAGES if stage in then and then[stage] == made_from.fingerprints.get(stage)}


def _with_files_of(made_from: MadeFrom, published: dict[str, Any]) -> dict[str, Any]:
    """A published configuration with palette and exposure sheet in the folders where they are here, if so named."""
    found = dict(published)
    for section, key in (("recolor", "palette"), ("timing", "sheet")):
        here, then = made_from.config.get(section), published.get(section)
        if not isinstance(here, dict) or not isinstance(then, dict) or not here.get(key) or not then.get(key):
            continue
        if base_name(str(here[key])) == base_name(str(then[key])):
            found[section] = {**then, key: here[key]}
    return found


def _digest_of(path: Path) -> str:
    try:
        return file_digest(path)
    except DatasetError:
        # a disk that cannot read it is no better than one that reads something else
        return ""


def remember_checksums(
    output: Path, cut: str, split: str, right: Mapping[str, str], digests: Mapping[str, str]
) -> None:
    """Let later runs know which files of a cut have just been found to be what was made, and trust no others.

    Where another run is writing, or nothing can be written, they look into the files themselves.

    Args:
        output: Root folder of the dataset.
        cut: Name of the cut.
        split: ``"train"``, ``"val"`` or ``"test"``.
        right: Name of each such file to the mark that it had before it was looked into.
        digests: SHA-256 by name.
    """
    files = {key_of(name, split): f"{mark} {digests[name]}" for name, mark in right.items()}
    if _lacks_nothing(read_ledger(output, cut), files):
        return
    with suppress(BusyError, DatasetError), exclusive(output):
        ledger = open_ledger(output, cut)
        # what a run that ended meanwhile wrote down counts
        if not _lacks_nothing(ledger.kept, files):
            ledger.keep(checksums=Checksums(files=files))


def _lacks_nothing(kept: CutLedger, files: Mapping[str, str]) -> bool:
    """Whether checksums need not be remembered: of a cut that was not made here, or that is known as well."""
    return not kept.origin.fingerprints or files == kept.checksums.files


def write_manifest(ledger: Ledger, found: FilesOnDisk | None = None, workers: int = 1) -> list[str]:
    """Bring the manifest of a cut up to what is on disk now.

    A file of a frame that the manifest knows, and that changed although neither this run made it nor the cut's
    settings changed, keeps its checksum: damage must not become the truth because a run passed by.

    Args:
        ledger: Of the cut; takes the checksums.
        found: The files as the run found them before it made any; None where it made none.
        workers: Threads that compute checksums.

    Returns:
        The files that are damaged: they keep their old checksums.

    Raises:
        DatasetError: A file cannot be read, or the manifest cannot be written.
    """
    output, cut, remembered = ledger.output, ledger.cut, ledger.kept.checksums
    split = ledger.origin.config.get("split")
    if split not in SPLITS:
        # it was not made here, or nothing says from what
        return []
    if found is None:
        found = FilesOnDisk(output, split, cut, remembered)
    marks = found.everything_now()
    manifest_file = layout.manifest_file(output, cut)
    if not marks:
        remove_file(manifest_file)
        ledger.keep(checksums=Checksums())
        return []
    known = found.known(marks)
    all_known = len(known) == len(marks) == len(remembered.files)
    if all_known and remembered.summed_up and remembered.summed_up == _sources_of_sum(ledger):
        return []
    files = {name: known.get(name, "") for name in sorted(marks)}
    entries = {entry.name: entry for entry in found.entries if entry.belongs}
    lasting = {name: stage for name, stage in _stages(output, found).items() if name in marks}
    older = {name for name, as_found in found.before.items() if marks.get(name) == as_found}
    unknown = [name for name, digest in files.items() if not digest]
    # what a crash of the machine cut short, and this run was not to make again, must not become the truth either
    torn = [
        name
        for name in unknown
        if name in older and name in entries and not is_whole(output / name, entries[name].modality)
    ]
    for name in torn:
        del files[name]
    if unknown := [name for name in unknown if name in files]:
        files.update(_computed(output, cut, unknown, workers))
    altered = _write(ledger, files, lasting, older)
    sound = {key_of(name, split): f"{marks[name]} {digest}" for name, digest in files.items() if name not in altered}
    # what is wrong is to be said again
    summed_up = "" if altered or len(files) < len(marks) else _sources_of_sum(ledger)
    ledger.keep(checksums=Checksums(files=sound, summed_up=summed_up))
    return sorted({*altered, *torn})


def _write(ledger: Ledger, files: Mapping[str, str], lasting: Mapping[str, str], older: Collection[str]) -> list[str]:
    """Write the manifest.

    Args:
        ledger: Of the cut.
        files: SHA-256 of each whole file, by name.
        lasting: The files that stay as they are once they are made, with the stages that made them.
        older: The files that this run found and left as they were.

    Returns:
        The files that keep another checksum than they have now, because no run made them anew.
    """
    output, made_from = ledger.output, ledger.origin
    manifest = Manifest(
        cut=ledger.cut,
        split=made_from.config["split"],
        made_with={"engine": made_from.engine, **made_with.versions()},
        source=Source(path=without_folders(made_from.config).get("source"), sha256=made_from.source),
        inputs=inputs_without_folders(made_from.inputs),
        config=without_folders(made_from.config),
        notes=notes_without_folders((*made_from.decided, *made_from.notes), made_from.config),
        files=dict(files),
    )
    manifest_file = layout.manifest_file(output, ledger.cut)
    earlier = _read_earlier(manifest_file)
    altered: list[str] = []
    if earlier is not None:
        known = earlier.files
        if _same_versions(manifest.made_with, earlier.made_with):
            same = _same_stages(made_from, earlier)
            kept = {name: known[name] for name in older if name in known and lasting.get(name) in same}
            # what was remembered of a file may be damaged as well as the file
            altered = sorted(
                name for name in kept if files.get(name) != kept[name] and _digest_of(output / name) != kept[name]
            )
            manifest = manifest.model_copy(update={"files": {**files, **kept}})
        versions = manifest.made_with
        if manifest.files == known and all(name in older for name in lasting):
            # this run made nothing
            versions = earlier.made_with
        elif any(name in manifest.files and known.get(name) == manifest.files[name] for name in older):
            versions = _joined(earlier.made_with, versions)
        manifest = manifest.model_copy(update={"made_with": versions})
    write_if_changed(manifest_file, manifest.model_dump())
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


def _sources_of_sum(ledger: Ledger) -> str:
    """Mark of the manifest, and behind a comma what stands for the ledger's part in it; empty where there is none."""
    try:
        return f"{mark(layout.manifest_file(ledger.output, ledger.cut).stat())}, {ledger.kept.sources_of_sum}"
    except OSError:
        return ""


def _read_earlier(path: Path) -> Manifest | None:
    """The manifest of an earlier run; None where there is none that can be gone on with."""
    try:
        earlier, wrong = read_manifest(path)
    except DatasetError:
        return None
    return None if wrong & {"files", "made_with"} else earlier


def _joined(earlier: Mapping[str, str], now: Mapping[str, str]) -> dict[str, str]:
    """The versions of files of which some were made earlier and some now."""
    joined = {}
    for name, version in now.items():
        known = earlier.get(name, version).split(", ")
        joined[name] = ", ".join(known if version in known else [*known, version])
    return joined


def _same_versions(now: Mapping[str, str], earlier: Mapping[str, str]) -> bool:
    """Whether what makes files now made those of an earlier manifest."""
    return all(version in str(earlier.get(name)).split(", ") for name, version in now.items())
