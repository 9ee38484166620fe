"""Where the compiled code of the kernels is kept, so that none of it is older than the sources that it was made from.

What numba keeps is renewed when the file of the function itself changes.  Changes of what that file imports, kernels
that it calls and constants that go into the code among them, numba does not see.  So each module's kernels have a
folder that is named after the content of the module and of every module of this package that it imports, directly or
through others.  Nothing is told by times: a checkout or an unpacked archive may set them as it likes.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import shutil
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import Any, Literal

import numba

PACKAGE = Path(__file__).parent.absolute()

_IMPORT = re.compile(
    rf"^[ \t]*(?:from ({__package__}[\w.]*) import (\([^)]*\)|.*)|import ({__package__}[\w.]*))", re.MULTILINE
)
_FOR_TYPE_CHECKERS = re.compile(r"^([ \t]*)if TYPE_CHECKING:\n(?:\1[ \t]+.*\n|[ \t]*\n)*", re.MULTILINE)
"""What such a block imports is not there when the program runs.  The package itself names most modules in one."""

_FOLDER = re.compile(r"([\w.]+)-[0-9a-f]{16}")

_numba: Any = numba.config
_decorating = threading.Lock()
_held: dict[Path, int] = {}
"""Folders of compiled code that this process uses, with the open file by which others know."""


def kernels(
    module: str, error_model: Literal["python", "numpy"] = "python", *, allocates: bool = True
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """The decorator of a module's compiled functions.

    Args:
        module: Full name of the module.
        error_model: Numba's: whether a division by zero is an error, as in Python, or infinity, as in NumPy.
        allocates: Whether they make arrays.  Those that make none, and numba refuses any other, do not count references
            to arrays.  Numba counts those of arguments, and of whatever is taken out of a tuple, in every call, by two
            locked operations each: small functions that are called for every triangle or pixel spend most of their
            time on that, and loops side by side that count the same references wait for each other.

    Returns:
        The decorator.  Functions release Python's lock.  Where no folder can be written to, they are compiled anew in
        every process.
    """
    folder = _folder(module)
    options: dict[str, Any] = {"nogil": True, "error_model": error_model}
    if not allocates:
        options |= _without_counting()

    def kernel(function: Callable[..., Any]) -> Callable[..., Any]:
        if folder is None:
            compiled: Callable[..., Any] = numba.njit(**options)(function)
            return compiled
        with _kept_in(folder):
            compiled = numba.njit(cache=True, **options)(function)
        return compiled

    return kernel


def _without_counting() -> dict[str, bool]:
    """The option by which numba counts no references; it is not documented, and without it code is only slower."""
    try:
        from numba.core.cpu import CPUTargetOptions
    except ImportError:
        return {}
    return {"_nrt": False} if hasattr(CPUTargetOptions, "_nrt") else {}


@contextmanager
def _kept_in(folder: Path) -> Iterator[None]:
    """Let numba keep what is decorated meanwhile in a folder; functions of other packages stay where they are."""
    with _decorating:
        before = _numba.CACHE_DIR
        _numba.CACHE_DIR = str(folder)
        try:
            yield
        finally:
            _numba.CACHE_DIR = before


def _folder(module: str) -> Path | None:
    """The folder for the compiled code of a module; None where there is none that can be written to."""
    digest = source_digest(module)
    if digest is None:
        return None
    for base in _bases():
        folder = base / f"{module}-{digest}"
        with suppress(OSError):
            base.mkdir(parents=True, exist_ok=True)
            _hold(base)
            folder.mkdir(exist_ok=True)
            # rights do not tell everything: the disk may be mounted for reading alone
            tempfile.TemporaryFile(dir=folder).close()
            return folder
    return None


def _bases() -> list[Path]:
    """Where folders of compiled code may lie, the best place first."""
    # several installations may share these
    own = Path("animerun-gen", hashlib.blake2b(os.fsencode(PACKAGE), digest_size=8).hexdigest())
    if _numba.CACHE_DIR:
        return [Path(_numba.CACHE_DIR, own)]
    bases = [PACKAGE / "__pycache__" / "kernels"]
    with suppress(RuntimeError):
        bases.append(Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / own)
    return bases


def _hold(base: Path) -> None:
    """Let others know, until this process ends, that it uses what is in a folder; whoever is alone there clears up."""
    if base in _held:
        return
    _held[base] = os.open(base / "lock", os.O_RDWR | os.O_CREAT, 0o666)
    # some network disks have no locks: nothing is removed there
    with suppress(OSError):
        with suppress(BlockingIOError):
            fcntl.flock(_held[base], fcntl.LOCK_EX | fcntl.LOCK_NB)
            _remove_stale(base)
        fcntl.flock(_held[base], fcntl.LOCK_SH)


def _remove_stale(base: Path) -> None:
    """Remove the folders of sources that are no more."""
    for folder in list(base.iterdir()):
        name = _FOLDER.fullmatch(folder.name)
        if name is not None and folder.name != f"{name[1]}-{source_digest(name[1])}":
            shutil.rmtree(folder, ignore_errors=True)


def source_digest(module: str) -> str | None:
    """Stands for the content of a module and of everything of this package that it imports; None where it is no file.

    Args:
        module: Full name of the module.
    """
    digest = hashlib.blake2b(digest_size=8)
    sources = sources_of(module)
    for content in sources.values():
        digest.update(hashlib.blake2b(content).digest())
    return digest.hexdigest() if sources else None


def sources_of(module: str) -> dict[str, bytes]:
    """A module and everything of this package that it imports, by name, with the sources; empty where it is no file.

    What is imported for type checkers alone does not count.

    Args:
        module: Full name of the module.
    """
    sources: dict[str, bytes] = {}
    waiting, seen = [module], {module}
    while waiting:
        name = waiting.pop(0)
        found = _source(name)
        if found is None:
            continue
        sources[name], imports = found
        waiting += sorted(imports - seen)
        seen |= imports
    return sources


@cache
def _source(module: str) -> tuple[bytes, frozenset[str]] | None:
    """A module's source and the names of what it may import; a name need not be that of a module."""
    path = PACKAGE.parent.joinpath(*module.split("."))
    for file in (path.with_name(f"{path.name}.py"), path / "__init__.py"):
        with suppress(OSError):
            content = file.read_bytes()
            break
    else:
        return None
    imports = set()
    text = _FOR_TYPE_CHECKERS.sub("", content.decode("utf-8", "replace"))
    for start, names, other in _IMPORT.findall(text):
        imports |= {start or other, *(f"{start}.{name}" for name in re.findall(r"\w+", names.replace(" as ", ",")))}
    return content, frozenset(imports)
