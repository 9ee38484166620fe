"""Ties child processes to their parent."""

from __future__ import annotations

import ctypes
import os
import signal
import sys

PARENT = "ANIMERUN_GEN_PARENT"
"""Environment variable with the process id of the parent that started a child."""


def with_parent(environment: dict[str, str]) -> dict[str, str]:
    """An environment for a child of this process which calls :func:`die_with_parent`."""
    return environment | {PARENT: str(os.getpid())}


def die_with_parent() -> None:
    """End this process when its parent ends: what a killed run started must not go on writing (Linux only)."""
    if sys.platform == "linux":
        set_parent_death_signal = 1
        ctypes.CDLL(None).prctl(set_parent_death_signal, signal.SIGKILL)
    parent = os.environ.get(PARENT)
    if parent is not None and not _is_there(int(parent)):
        # it ended before this process asked to be told
        os._exit(1)


def _is_there(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
