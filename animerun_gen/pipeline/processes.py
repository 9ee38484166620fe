"""What the system tells about processes (Linux; elsewhere nothing is known, and nothing is concluded from it)."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK") if hasattr(os, "sysconf") else 100


def processor_seconds(process: int) -> float | None:
    """Processor time that a process and everything it started have used; None where that is not known."""
    if not Path("/proc/self/stat").exists():
        return None
    return sum(_own_seconds(one) for one in (process, *descendants(process)))


def descendants(process: int) -> Iterator[int]:
    """Every process that a process started, directly or through others, and that is there."""
    with suppress(OSError):
        for thread in os.listdir(f"/proc/{process}/task"):
            children: list[str] = []
            with suppress(OSError):
                children = Path(f"/proc/{process}/task/{thread}/children").read_text().split()
            for child in map(int, children):
                yield child
                yield from descendants(child)


def _own_seconds(process: int) -> float:
    """Of a process and of those of its children that it has seen end."""
    try:
        fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return sum(map(int, fields[11:15])) / _TICKS


def peak_memory(process: int) -> int | None:
    """Bytes of memory that a process held at most at one time; None where that is not known."""
    return _bytes(f"/proc/{process}/status", "VmHWM:")


def available_memory() -> int | None:
    """Bytes that programs may still ask for before the system swaps or kills; None where that is not known."""
    return _bytes("/proc/meminfo", "MemAvailable:")


def _bytes(file: str, name: str) -> int | None:
    with suppress(OSError, ValueError, IndexError):
        for line in Path(file).read_text().splitlines():
            if line.startswith(name):
                return 1024 * int(line.split()[1])
    return None
