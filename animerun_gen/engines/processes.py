"""What the system tells about processes and memory."""

from __future__ import annotations

import os
import resource
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil


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
    # the kernel's own lists: psutil looks at every process of the machine, which a watch over many children that looks
    # every second cannot afford where thousands run
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
        times = psutil.Process(process).cpu_times()
    except psutil.Error:
        return 0.0
    return times.user + times.system + times.children_user + times.children_system


def peak_memory(process: int) -> int | None:
    """Bytes of memory that a process held at most at one time; None where that is not known."""
    # psutil 7 does not know it
    with suppress(OSError, ValueError, IndexError):
        for line in Path(f"/proc/{process}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return 1024 * int(line.split()[1])
    return None


@dataclass(frozen=True)
class Memory:
    """The memory that programs may use: of the machine, or of the control group (container, cluster job) they are in.

    Attributes:
        total: Bytes altogether.
        available: Bytes that may still be asked for before the system swaps or kills.
    """

    total: int
    available: int


def memory() -> Memory:
    """The memory here, now."""
    machine = psutil.virtual_memory()
    total, available = machine.total, machine.available
    for group in _memory_of_groups():
        total, available = min(total, group.total), min(available, group.available)
    return Memory(total, available)


def memory_for_this_process() -> int:
    """Bytes that this process may still take, by its own limits (``ulimit``) too."""
    left = [memory().available]
    held = psutil.Process().memory_info()
    for limit, taken in ((resource.RLIMIT_AS, held.vms), (resource.RLIMIT_DATA, held.data)):
        most, _ = resource.getrlimit(limit)
        if most != resource.RLIM_INFINITY:
            left.append(max(0, most - taken))
    return min(left)


def held_memory() -> int:
    """Bytes of memory that this process holds now."""
    return psutil.Process().memory_info().rss


_GROUP_FILES = {
    2: (Path("/sys/fs/cgroup"), "memory.max", "memory.current", "inactive_file"),
    1: (Path("/sys/fs/cgroup/memory"), "memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
}
"""By version of control groups: where they are, and the names of their limit, of what they hold, and of what of that is
files that were read and can be forgotten."""


def _memory_of_groups(own: Path = Path("/proc/self/cgroup"), root: Path | None = None) -> Iterator[Memory]:
    """What the control groups allow that this process is in, one in the other: a job's steps have none of their own."""
    with suppress(OSError):
        for line in own.read_text().splitlines():
            _, controllers, name = line.split(":", 2)
            if controllers and "memory" not in controllers.split(","):
                continue
            top, limit, used, forgettable = _GROUP_FILES[1 if controllers else 2]
            top = top if root is None else root / top.relative_to("/")
            folder = top / name.lstrip("/")
            # in a container its own group is where the outermost should be, whatever it is called
            for group in (folder, *folder.parents):
                if not group.is_relative_to(top):
                    break
                with suppress(OSError, ValueError, StopIteration):
                    most, held = int((group / limit).read_text()), int((group / used).read_text())
                    fields = (entry.split() for entry in (group / "memory.stat").read_text().splitlines())
                    cached = next(int(value) for key, value in fields if key == forgettable)
                    yield Memory(most, max(0, most - held + cached))
