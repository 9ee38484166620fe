"""The digests of the files that films are made of; the cuts of a film share them, and so do the runs of a dataset."""

from __future__ import annotations

import hashlib
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from pydantic import TypeAdapter

from animerun_gen.dataset.checksums import file_digest
from animerun_gen.dataset.files import read_json, write_if_changed
from animerun_gen.dataset.layout import films_file
from animerun_gen.engines import film_files
from animerun_gen.errors import DatasetError
from animerun_gen.pipeline.state.on_disk import mark

MISSING = "missing"
"""Stands for the digest of a file that the scene names and that is not there."""

_DIGESTS = TypeAdapter(dict[str, str])

_digests: dict[str, str] = {}
"""Name of an input to the mark that it had, and behind a space its digest: the cuts of a film share its files."""


def input_digest(name: Path | str, *, required: bool = False) -> str:
    """SHA-256 of a file that a film is made of, or of several.

    Args:
        name: The file, or the name of several, see :mod:`animerun_gen.engines.film_files`.
        required: Whether the file has to be there, as the ``.blend`` itself has.

    Returns:
        SHA-256 of the file's content; of several, of their names and contents; :data:`MISSING` where none is there,
        because one may turn up.

    Raises:
        DatasetError: It cannot be read.
    """
    name = str(name)
    now = film_files.mark(name, mark)
    known, _, digest = _digests.get(name, "").rpartition(" ")
    if known != now or (required and digest == MISSING):
        digest = _computed(name, required)
        _digests[name] = f"{now} {digest}"
    return digest


@contextmanager
def digests_kept(output: Path) -> Iterator[None]:
    """Within, the digests of inputs that earlier runs of a dataset computed are known; afterwards, those of this run.

    As long as size, times and inode of a file are what they were it is not read again: caches have many gigabytes.

    Args:
        output: Root folder of the dataset; the caller holds its lock.
    """
    kept = _kept(output)
    _digests.clear()
    _digests.update(kept)
    try:
        yield
    finally:
        if _digests != kept:
            # without them the next run reads the files again
            with suppress(DatasetError):
                write_if_changed(films_file(output), _digests)


def _kept(output: Path) -> dict[str, str]:
    with suppress(DatasetError, ValueError):
        return _DIGESTS.validate_python(read_json(films_file(output)))
    return {}


def _computed(name: str, required: bool) -> str:
    folder, several, _ = name.rpartition("//")
    # whatever is no regular file may never end
    files = [file for file, status in film_files.look(name) if stat.S_ISREG(status.st_mode)]
    if not files and not required:
        return MISSING
    if not several:
        return file_digest(Path(name))
    digest = hashlib.sha256()
    for file in files:
        digest.update(f"{file}\0{file_digest(Path(folder or '/', file))}\0".encode(errors="surrogateescape"))
    return digest.hexdigest()
