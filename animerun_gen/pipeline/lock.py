"""Keeps two runs from writing to one output folder at once."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from animerun_gen.errors import BusyError, DatasetError
from animerun_gen.pipeline.paths import state_folder


def lock_file(output: Path) -> Path:
    """What a run holds; its time of change is the moment, by the clock of that disk, when the run began."""
    return state_folder(output) / "lock"


@contextmanager
def exclusive(output: Path) -> Iterator[None]:
    """Hold the output folder for this process; the system lets go of it however the process ends.

    Args:
        output: Root folder of the dataset; made when it does not exist.

    Raises:
        BusyError: Another run holds it.
        DatasetError: The folder cannot be made, locked or written to.
    """
    file = lock_file(output)
    with _refusals_as_sentence(output):
        file.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(file, os.O_RDWR | os.O_CREAT, 0o666)
    try:
        try:
            with _refusals_as_sentence(output):
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            holder = os.read(descriptor, 32).decode(errors="replace").strip()
            raise BusyError(
                f"another run{f' (process {holder})' if holder else ''} is writing to {output}; wait for it or stop it"
            ) from error
        with _refusals_as_sentence(output):
            os.truncate(descriptor, 0)
            os.write(descriptor, str(os.getpid()).encode())
        yield
    finally:
        os.close(descriptor)


@contextmanager
def _refusals_as_sentence(output: Path) -> Iterator[None]:
    try:
        yield
    except BlockingIOError:
        raise
    except OSError as error:
        raise DatasetError(
            f"the output folder {output} cannot be written to: {error.strerror}; choose another with --out"
        ) from error
