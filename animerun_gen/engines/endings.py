"""How processes ended, in words."""

from __future__ import annotations

import signal
from collections import deque
from pathlib import Path


def describe_status(status: int | None) -> str:
    """How a process ended, as the end of a sentence; None: it did not."""
    if status is None:
        return "stopped reporting and did not end"
    if status < 0:
        try:
            name = signal.Signals(-status).name
        except ValueError:
            name = f"signal {-status}"
        hint = ", possibly because memory ran out," if name == "SIGKILL" else ""
        return f"died of {name}{hint}"
    return f"ended with status {status}"


def last_words(log: Path, start: int) -> str:
    """The last line of the log behind ``start`` that looks like an error, as a sentence of its own."""
    with open(log, "rb") as file:
        file.seek(start)
        tail = [line.decode(errors="replace").strip() for line in deque(file, maxlen=40)]
    errors = [line for line in tail if "error" in line.lower() and "EGL_" not in line]
    return f" Its last error was: {errors[-1].removesuffix('.')}." if errors else ""
