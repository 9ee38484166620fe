"""What the system tells about processes (Linux; elsewhere nothing is known, and nothing is concluded from it)."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK") if hasattr(os, "sysconf") else 100


def usable_processors() -> int:
    """How many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


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


@dataclass(frozen=True)
class Memory:
    """The memory that programs may use: of the machine, or of the control group (container, cluster job) they are in.

    Attributes:
        total: Bytes altogether.
        available: Bytes that may still be asked for before the system swaps or kills.
    """

    total: int
    available: int


def memory() -> Memory | None:
    """The memory here, now; None where that is not known."""
    total, available = _bytes("/proc/meminfo", "MemTotal:"), _bytes("/proc/meminfo", "MemAvailable:")
    if total is None or available is None:
        return None
    group = _memory_of_group()
    if group is None or group.total >= total:
        return Memory(total, available)
    return Memory(group.total, min(available, group.available))


def _memory_of_group() -> Memory | None:
    """What the control group (version 2) that this process is in allows; None where it sets no bound."""
    with suppress(OSError, ValueError, StopIteration):
        name = next(line[3:] for line in Path("/proc/self/cgroup").read_text().splitlines() if line.startswith("0::"))
        folder = Path("/sys/fs/cgroup", name.strip().lstrip("/"))
        limit = int((folder / "memory.max").read_text())
        used = int((folder / "memory.current").read_text())
        fields = (line.split() for line in (folder / "memory.stat").read_text().splitlines())
        # files that were read and can be forgotten
        cached = next(int(value) for key, value in fields if key == "inactive_file")
        return Memory(limit, max(0, limit - used + cached))
    return None


def _bytes(file: str, name: str) -> int | None:
    with suppress(OSError, ValueError, IndexError):
        for line in Path(file).read_text().splitlines():
            if line.startswith(name):
                return 1024 * int(line.split()[1])
    return None
