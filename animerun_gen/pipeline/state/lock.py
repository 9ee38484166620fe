"""Keeps two runs from writing to one output folder at once."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from animerun_gen.dataset.layout import state_folder
from animerun_gen.errors import BusyError, DatasetError


def lock_file(output: Path) -> Path:
    """What a run holds."""
    return state_folder(output) / "lock"


def holder(output: Path) -> int | None:
    """Which process of this machine holds the output folder; nothing is locked to find out.

    Returns:
        Its number, or 0 where only that is hidden; None where no process of this machine holds it.
    """
    try:
        status = lock_file(output).stat()
        locks = Path("/proc/locks").read_text(encoding="ascii")
    except OSError:
        return None
    for line in locks.splitlines():
        # "1: FLOCK  ADVISORY  WRITE 1234 fe:00:5678 0 EOF"; a process that waits has "->" behind the number
        words = line.split()
        if len(words) < 6 or words[1] not in ("FLOCK", "POSIX"):
            continue
        device, _, inode = words[5].rpartition(":")
        # some file systems give their files other numbers of a device than the list of locks has
        if inode == str(status.st_ino) and (_device(status) == device or _noted_holder(output) == words[4]):
            return max(0, int(words[4]))
    return None


def _device(status: os.stat_result) -> str:
    return f"{os.major(status.st_dev):02x}:{os.minor(status.st_dev):02x}"


def _noted_holder(output: Path) -> str:
    """The number of the process that held the folder last."""
    try:
        return lock_file(output).read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        return ""


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
