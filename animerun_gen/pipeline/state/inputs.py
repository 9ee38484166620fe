"""Watches the files that a cut is made from, the ``.blend`` and whatever it names, while it is being made.

Frames of one cut are rendered over hours, by several processes.  If a file changes meanwhile, they would show two
versions of the film, and nothing of that would be seen in a single file of the dataset.  So each file's mark is noted
before its checksum is computed, and has to be the same in every process that opened it and when the last one has ended.
What an unfinished run was reading stays noted in the cut's record: the next run finds out whether it changed since.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from animerun_gen.engines.job import Event, input_mark
from animerun_gen.errors import DatasetError
from animerun_gen.pipeline.state.record import CutRecord, input_digest

CHANGED = "changed"
"""Stands for the mark of a file that changed while it was read; no file ever has it."""


def marks_of(names: Iterable[Path | str]) -> dict[str, str]:
    """The marks that files have now, by name (see :mod:`animerun_gen.engines.film_files`)."""
    return {str(name): input_mark(name) for name in names}


def changed_while_read(record: CutRecord) -> list[str]:
    """Which files changed since, or while, a run that was not finished was reading them."""
    return [path for path, mark in record.reading.items() if input_mark(path) != mark]


def begin_reading(output: Path, cut: str, marks: Mapping[str, str]) -> None:
    """Note what is about to be read.

    Args:
        output: Root folder of the dataset.
        cut: Name of the cut.
        marks: The marks that the files had before their checksums were computed.

    Raises:
        DatasetError: The record cannot be written.
    """
    replace(CutRecord.read(output, cut), reading=dict(marks)).write(output, cut)


def note_opened(output: Path, cut: str, source: Path, event: Event) -> None:
    """Note what a Blender process found when it had opened a cut's scene.

    Args:
        output: Root folder of the dataset.
        cut: Name of the cut.
        source: The cut's ``.blend``.
        event: See :meth:`animerun_gen.engines.job.Reporter.opened`.

    A file that is not what it was when the run began, or when another of its processes opened it, is noted as changed.

    Raises:
        DatasetError: One of the files cannot be read, or the record cannot be written.
    """
    record = CutRecord.read(output, cut)
    reading, inputs = dict(record.reading), {}
    for path, mark in event["inputs"].items():
        if path != str(source):
            # what the record has was compared with the files when the run began
            inputs[path] = record.inputs.get(path) or input_digest(path)
        if reading.setdefault(path, mark) != mark or input_mark(path) != mark:
            reading[path] = CHANGED
    noted = replace(record, inputs=inputs, notes=event["notes"], reading=reading, opened=True)
    if noted != record:
        noted.write(output, cut)


def end_reading(output: Path, cut: str) -> None:
    """Find out, when the last process of a cut has ended, whether all of them read the same.

    Raises:
        DatasetError: They did not, or the record cannot be written.
    """
    record = CutRecord.read(output, cut)
    changed = changed_while_read(record)
    if changed:
        # what is put back as it was must not be taken for what never changed
        replace(record, reading=record.reading | dict.fromkeys(changed, CHANGED)).write(output, cut)
        raise DatasetError(
            f"cut '{cut}': {changed[0]} changed while the cut was being rendered, so its frames may show two versions "
            "of it; run the same command again, which makes all of them again"
        )
    if record.reading:
        replace(record, reading={}).write(output, cut)


def digests_as_read(marks: Mapping[str, str]) -> dict[str, str]:
    """The digests of files that had these marks when they were read; one that changed since is not trusted.

    Raises:
        DatasetError: A file cannot be read.
    """
    found = {path: input_digest(path) for path in marks}
    return {path: found[path] if input_mark(path) == mark else CHANGED for path, mark in marks.items()}


def are_unchanged(digests: Mapping[str, str]) -> bool:
    """Whether files still have the digests that :func:`digests_as_read` gave.

    Raises:
        DatasetError: A file cannot be read.
    """
    return all(input_digest(path) == digest for path, digest in digests.items())
