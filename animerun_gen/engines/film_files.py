"""The files besides its ``.blend`` that a film is made of, as this program names, looks at and misses them.

Most are single files, named by their path.  Of a sequence, a set of tiles or the folder of a cache there may be
thousands, which get one name together: behind the ``//`` that no path holds stands which files of a folder are meant.

- ``/film/tex/wood.png``: a file.
- ``/film/tex//fire_<0001-0040>.png``: those with the numbers from 1 to 40, in four digits.
- ``/film/tex//fire_<*>.png``: those with any number.
- ``/film/bake//*``: all that lie in the folder itself.

None of them need be there.  One that appears is a change like one that goes.
"""

from __future__ import annotations

import hashlib
import os
import re
import stat
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from animerun_gen.config.messages import and_more

MISSING = "missing"
"""The mark of what is not there."""

MOST_NUMBERS = 10_000
"""So many numbers at most are looked up one by one; of more, those that are in the folder count."""

SHOWN_NAMES = 8
"""So many names are listed in a sentence about a missing file."""

_GROUP = re.compile(r"(?P<head>.*)<(?:(?P<first>[0-9]+)-(?P<last>[0-9]+)|\*)>(?P<tail>.*)", re.DOTALL)
_LAST_NUMBER = re.compile(r"(?P<head>.*?)(?P<number>[0-9]+)(?P<rest>[^0-9]*)", re.DOTALL)

_MarkOf = Callable[[os.stat_result], str]


@dataclass
class _Looks:
    """What was found of each name, and the marks of it that were asked for."""

    found: dict[str, list[tuple[str, os.stat_result]]] = field(default_factory=dict)
    marks: dict[tuple[str, _MarkOf], str] = field(default_factory=dict)


_looks: _Looks | None = None


@dataclass(frozen=True)
class MissingFile:
    """A file, or files, that a film names and that is not there.

    Attributes:
        kind: What it is: ``"library"``, ``"image"``, ``"cache"``, ...
        path: As the film names it.
        touches: Full names of what comes from it or shows it, sorted.
        lacking: How many are not there of how many, in words, where others are.
    """

    kind: str
    path: str
    touches: tuple[str, ...]
    lacking: str = ""

    def __str__(self) -> str:
        shown = and_more(self.touches, SHOWN_NAMES)
        if self.kind == "library":
            touched = f"what comes from it is left out: {shown}" if shown else "nothing needs it"
        else:
            touched = f"seen on {shown}" if shown else "nothing shows it"
        return f"missing: {self.kind} {self.path}{', ' * bool(self.lacking)}{self.lacking} ({touched})"


def numbered(folder: Path, head: str, digits: int, tail: str, numbers: tuple[int, int] | None) -> str:
    """Name the files of a folder that differ in a number.

    Args:
        folder: The folder.
        head: How their names begin.
        digits: How many digits their numbers have at least.
        tail: How their names end.
        numbers: The lowest and the highest number; None for whichever there are.
    """
    if numbers is None or numbers[1] - numbers[0] >= MOST_NUMBERS:
        return f"{folder}//{head}<*>{tail}"
    # Blender has no number below 0
    first, last = (f"{max(number, 0):0{digits}d}" for number in numbers)
    return f"{folder}//{head}<{first}-{last}>{tail}"


def split_number(name: str) -> tuple[str, str, str]:
    """A file's name in three: what is before the last number that is not in the extension, the number, and the rest.

    The number is empty where there is none.
    """
    stem, dot, extension = name.rpartition(".")
    if not stem:
        stem, dot, extension = name, "", ""
    found = _LAST_NUMBER.fullmatch(stem)
    if found is None:
        return stem, "", dot + extension
    return found["head"], found["number"], found["rest"] + dot + extension


def in_folder(folder: Path) -> str:
    """Name all files of a folder, without those of the folders in it."""
    return f"{folder}//*"


def files_of(name: str) -> Iterator[Path]:
    """The files that a name stands for, whether they are there or not; of those with any number, which are there."""
    folder, separator, pattern = name.rpartition("//")
    if not separator:
        yield Path(name)
        return
    group = _GROUP.fullmatch(pattern)
    if group is not None and group["first"] is not None:
        digits = len(group["first"])
        for number in range(int(group["first"]), int(group["last"]) + 1):
            yield Path(folder, f"{group['head']}{number:0{digits}d}{group['tail']}")
    else:
        for file, _ in _in_folder(folder, group):
            yield Path(folder, file)


def is_any_there(names: Iterable[str]) -> bool:
    """Whether any of the files that names stand for is there."""
    return any(stat.S_ISREG(status.st_mode) for name in names for _, status in look(name))


def look(name: str) -> list[tuple[str, os.stat_result]]:
    """What of a name is there: each file's own name and its status, links followed, in order of names.

    Folders do not count.  Nothing is opened.
    """
    if _looks is not None and name in _looks.found:
        return _looks.found[name]
    folder, separator, pattern = name.rpartition("//")
    group = _GROUP.fullmatch(pattern) if separator else None
    if separator and (group is None or group["first"] is None):
        found = _in_folder(folder, group)
    else:
        found = [(path.name, status) for path in files_of(name) if (status := status_of(path)) is not None]
    found = [(file, status) for file, status in found if not stat.S_ISDIR(status.st_mode)]
    if _looks is not None:
        _looks.found[name] = found
    return found


@contextmanager
def looking_once() -> Iterator[None]:
    """Within, each name is looked at once: the cuts of a film share its files.

    What changes meanwhile has a mark of before, which is none that it has later.
    """
    global _looks
    before, _looks = _looks, _Looks() if _looks is None else _looks
    try:
        yield
    finally:
        _looks = before


@contextmanager
def looking_anew() -> Iterator[None]:
    """Within, each name is looked at whenever it is asked for; :func:`looking_once` around it begins again after it."""
    global _looks
    before, _looks = _looks, None
    try:
        yield
    finally:
        _looks = _Looks() if before is not None else None


def mark(name: str, mark_of: _MarkOf) -> str:
    """The mark of what a name stands for.

    Args:
        name: Of a file or of several.
        mark_of: The mark of a single file that is there.

    Returns:
        That of the file; of several, a digest of their names and marks; :data:`MISSING` where nothing is there.
    """
    if _looks is None:
        return _mark(name, mark_of)
    if (name, mark_of) not in _looks.marks:
        _looks.marks[name, mark_of] = _mark(name, mark_of)
    return _looks.marks[name, mark_of]


def _mark(name: str, mark_of: _MarkOf) -> str:
    found = look(name)
    if not found:
        return MISSING
    if "//" not in name:
        return mark_of(found[0][1])
    digest = hashlib.blake2b(digest_size=16)
    for file, status in found:
        digest.update(f"{file}\0{mark_of(status)}\0".encode(errors="surrogateescape"))
    return digest.hexdigest()


def status_of(path: Path | str) -> os.stat_result | None:
    """The status of a file, links followed; None where there is none, or where nobody can get at one."""
    try:
        return os.stat(path)
    # names that no file system takes, links in circles, folders that may not be entered
    except (OSError, ValueError):
        return None


def is_file(path: Path | str) -> bool:
    """Whether there is a regular file that can be got at."""
    status = status_of(path)
    return status is not None and stat.S_ISREG(status.st_mode)


def endless(name: str) -> str:
    """What keeps a reader waiting for ever, in words: a named pipe or a device; empty where there is nothing of it."""
    for file, status in look(name):
        if stat.S_ISFIFO(status.st_mode):
            return f"{file} is a named pipe"
        # whoever wants nothing names the null device
        if stat.S_ISBLK(status.st_mode) or (stat.S_ISCHR(status.st_mode) and status.st_rdev != os.makedev(1, 3)):
            return f"{file} is a device"
    return ""


def _in_folder(folder: str, group: re.Match[str] | None) -> list[tuple[str, os.stat_result]]:
    """The entries of a folder; of a group, those whose name has a number where the group has its star."""
    wanted = None
    if group is not None:
        wanted = re.compile(rf"{re.escape(group['head'])}[0-9]+{re.escape(group['tail'])}")
    found = []
    try:
        with os.scandir(folder or "/") as entries:
            for entry in entries:
                if wanted is not None and wanted.fullmatch(entry.name) is None:
                    continue
                status = status_of(entry.path)
                if status is not None:
                    found.append((entry.name, status))
    except (OSError, ValueError):
        return []
    return sorted(found)
