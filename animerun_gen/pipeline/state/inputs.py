"""Watches the files that a cut is made from, the ``.blend`` and whatever it names, while it is being made.

Frames of one cut are rendered over hours, by several processes.  If a file changes meanwhile, they would show two
versions of the film, and nothing of that would be seen in a single file of the dataset.  So each file's mark is noted
before its checksum is computed, and has to be the same in every process that opened it and when the last one has ended.
What an unfinished run was reading stays noted in the cut's ledger: the next run finds out whether it changed since.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from animerun_gen.engines.job import input_mark
from animerun_gen.engines.protocol import Opened
from animerun_gen.errors import DatasetError
from animerun_gen.pipeline.state.films import input_digest
from animerun_gen.pipeline.state.ledger import CutLedger, Ledger

CHANGED = "changed"
"""Stands for the mark of a file that changed while it was read; no file ever has it."""


@dataclass(frozen=True)
class InputsNow:
    """The files that a cut is made from, as they are now; of a run that renders nothing, which looks at none, nothing.

    Attributes:
        marks: Their marks, by name, taken before their checksums were computed: what changes between the two is
            noticed.
        source: SHA-256 of the ``.blend``.
        changed: Those besides the ``.blend`` that are not what they were: changed, gone, or there at last.
        under_way: Those that changed since, or while, a run that was not finished was reading them.
    """

    marks: dict[str, str] = field(default_factory=dict)
    source: str = ""
    changed: tuple[str, ...] = ()
    under_way: tuple[str, ...] = ()


def look_at_inputs(kept: CutLedger, source: Path) -> InputsNow:
    """Look at the files that a cut is made from.

    Args:
        kept: What is written down about the cut.
        source: Its ``.blend``.

    Raises:
        DatasetError: One of them cannot be read.
    """
    inputs = kept.origin.inputs
    return InputsNow(
        marks=marks_of([source, *inputs]),
        changed=tuple(path for path, digest in inputs.items() if input_digest(path) != digest),
        under_way=tuple(changed_while_read(kept)),
        source=input_digest(source, required=True),
    )


def marks_of(names: Iterable[Path | str]) -> dict[str, str]:
    """The marks that files have now, by name (see :mod:`animerun_gen.engines.film_files`)."""
    return {str(name): input_mark(name) for name in names}


def changed_while_read(kept: CutLedger) -> list[str]:
    """Which files changed since, or while, a run that was not finished was reading them."""
    return [path for path, mark in kept.reading.items() if input_mark(path) != mark]


def note_opened(ledger: Ledger, source: Path, event: Opened) -> None:
    """Note what a Blender process found when it had opened a cut's scene.

    A file that is not what it was when the run began, or when another of its processes opened it, is noted as changed.

    Args:
        ledger: Of the cut.
        source: The cut's ``.blend``.
        event: What it told.

    Raises:
        DatasetError: One of the files cannot be read, or the ledger cannot be written.
    """
    known = ledger.origin
    reading, inputs = dict(ledger.kept.reading), {}
    for path, mark in event["inputs"].items():
        if path != str(source):
            # what the ledger has was compared with the files when the run began
            inputs[path] = known.inputs.get(path) or input_digest(path)
        if reading.setdefault(path, mark) != mark or input_mark(path) != mark:
            reading[path] = CHANGED
    made_from = known.model_copy(update={"inputs": inputs, "notes": tuple(event["notes"]), "opened": True})
    ledger.keep(made_from=made_from, reading=reading)


def end_reading(ledger: Ledger) -> None:
    """Find out, when the last process of a cut has ended, whether all of them read the same.

    Raises:
        DatasetError: They did not, or the ledger cannot be written.
    """
    changed = changed_while_read(ledger.kept)
    if changed:
        # what is put back as it was must not be taken for what never changed
        ledger.keep(reading=ledger.kept.reading | dict.fromkeys(changed, CHANGED))
        raise DatasetError(
            f"{changed[0]} changed while the cut was being rendered, so its frames may show two versions of it",
            f"cut '{ledger.cut}'",
            "run the same command again, which makes all of them again",
        )
    ledger.keep(reading={})


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
