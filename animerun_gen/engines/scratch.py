"""Temporary folders that outlive nobody: those of processes that were killed are removed by the next one.

Each is held by a lock that ends with the process, however that ends, so that nobody has to guess from process numbers
or times whether it is still needed.
"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import stat
import tempfile
from contextlib import suppress
from typing import Any

_PREFIX = "animerun-gen-scratch-"
_NAME = re.compile(rf"{_PREFIX}[a-z0-9_]{{8}}", re.ASCII)
_PRIVATE = 0o700
"""As :func:`tempfile.mkdtemp` makes them."""


class TemporaryFolder(tempfile.TemporaryDirectory[str]):
    """A temporary folder that is removed when the ``with`` block ends, or by the next process if this one is killed.

    Args:
        options: As :class:`tempfile.TemporaryDirectory` takes them, but for the names.

    Raises:
        OSError: It cannot be made.

    Example:
        >>> with TemporaryFolder() as folder:
        ...     os.path.isdir(folder)
        True
        >>> os.path.exists(folder)
        False
    """

    def __init__(self, **options: Any) -> None:
        remove_abandoned()
        while True:
            super().__init__(prefix=_PREFIX, **options)
            self._lock = _held(self.name, fcntl.LOCK_SH)
            if self._lock is not None:
                return
            # another process has just found it without a lock, and taken it away

    def cleanup(self) -> None:
        """Remove it, and let go of it."""
        super().cleanup()
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None


def remove_abandoned() -> int:
    """Remove the temporary folders of this user's processes that were killed.

    Returns:
        How many were removed.
    """
    removed = 0
    with suppress(OSError), os.scandir(tempfile.gettempdir()) as entries:
        for entry in entries:
            if _NAME.fullmatch(entry.name) and _is_ours(entry):
                lock = _held(entry.path, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if lock is not None:
                    shutil.rmtree(entry.path, ignore_errors=True)
                    os.close(lock)
                    removed += not os.path.lexists(entry.path)
    return removed


def _is_ours(entry: os.DirEntry[str]) -> bool:
    with suppress(OSError):
        status = entry.stat(follow_symlinks=False)
        return (
            stat.S_ISDIR(status.st_mode) and stat.S_IMODE(status.st_mode) == _PRIVATE and status.st_uid == os.geteuid()
        )
    return False


def _held(folder: str, how: int) -> int | None:
    """A descriptor that holds the lock of a folder; None where another process has it, or the folder is gone."""
    try:
        lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except OSError:
        return None
    try:
        fcntl.flock(lock, how)
        if os.path.samestat(os.fstat(lock), os.stat(folder)):
            return lock
    # a file system without locks, too: then nothing is ever found abandoned there
    except OSError:
        if how == fcntl.LOCK_SH and os.path.isdir(folder):
            return lock
    os.close(lock)
    return None
