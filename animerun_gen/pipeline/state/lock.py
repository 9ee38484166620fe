"""Keeps two runs from writing to one output folder at once.

What is held is a lock of an open file (Linux: open file description locks), which the system takes back however its
process ends, and which anybody can ask about without locking.  Who holds it stands in the file: it is written by
whoever has the lock, so it is true while the lock is held, and nobody looks at it otherwise.
"""

from __future__ import annotations

import fcntl
import os
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from animerun_gen.dataset.layout import state_folder
from animerun_gen.errors import BusyError, DatasetError

_LOCK = "hhqqi0q"
"""Linux' ``struct flock``: kind, whence, start, length (0: to the end), process."""


def lock_file(output: Path) -> Path:
    """What a run holds."""
    return state_folder(output) / "lock"


def holder(output: Path) -> int | None:
    """Which process holds the output folder; nothing is locked to find out.

    Returns:
        Its number, or 0 where it runs on another machine or in another container; None where no process holds it.
    """
    try:
        descriptor = os.open(lock_file(output), os.O_RDONLY)
    except OSError:
        return None
    try:
        answer = fcntl.fcntl(descriptor, fcntl.F_OFD_GETLK, _whole_file(fcntl.F_WRLCK))
        return None if struct.unpack(_LOCK, answer)[0] == fcntl.F_UNLCK else _noted_holder(descriptor)
    except OSError:
        return None
    finally:
        os.close(descriptor)


def _whole_file(kind: int) -> bytes:
    return struct.pack(_LOCK, kind, os.SEEK_SET, 0, 0, 0)


def _place() -> str:
    """Where numbers of processes mean the same: this start of this machine, and the container in it."""
    boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    return f"{boot} {os.readlink('/proc/self/ns/pid')}"


def _noted_holder(descriptor: int) -> int:
    """The process that the holder of a lock noted; 0 where that is none of those here."""
    number, _, place = os.pread(descriptor, 200, 0).decode("ascii", "replace").partition(" ")
    return int(number) if number.isdecimal() and place == _place() else 0


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
                fcntl.fcntl(descriptor, fcntl.F_OFD_SETLK, _whole_file(fcntl.F_WRLCK))
        except BlockingIOError as error:
            number = _noted_holder(descriptor)
            raise BusyError(
                f"another run{f' (process {number})' if number else ''} is writing to {output}",
                remedy="wait for it or stop it",
            ) from error
        with _refusals_as_sentence(output):
            os.truncate(descriptor, 0)
            os.write(descriptor, f"{os.getpid()} {_place()}".encode("ascii"))
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
            f"the output folder {output} cannot be written to: {error.strerror}", remedy="choose another folder"
        ) from error
