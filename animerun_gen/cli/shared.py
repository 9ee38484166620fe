"""Settings that several commands have."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from animerun_gen.errors import UsageError
from animerun_gen.settings import File, Whole, setting

BESIDE_THE_SPLITS = ("manifest", "quality", "recolor", "splits", ".animerun-gen")
"""The folders of a dataset that hold nothing but what makes it, beside those of the splits."""


def dataset() -> Any:
    return setting(placed=True, reads=File(), metavar="DATASET", help="root folder of the dataset")


def workers() -> Any:
    return setting(1, reads=Whole(1), metavar="N", help="number of worker processes (default: {default})")


def blender(help: str = "use this installed Blender (3.4 or newer) instead of the bpy module") -> Any:
    return setting(None, metavar="PROGRAM", help=help)


def cuts(help: str) -> Any:
    return setting((), names=("--cut",), several=True, metavar="NAME", help=help)


def json_file() -> Any:
    return setting(None, reads=File(), metavar="FILE", help="write the results to a file for other programs too")


def force(help: str) -> Any:
    return setting(False, help=help)


def require_output(output: Path, datasets: Iterable[Path] = (), option: str = "--out") -> None:
    """See, before any work is done, whether a folder can take what a command writes.

    Args:
        output: The folder; it need not exist.
        datasets: Root folders of what is read.
        option: The option that names the folder.

    Raises:
        UsageError: There is a file in its place, nothing can be written there, or it would mix with the files of a
            dataset.
    """
    # these bring libraries (numpy, for one) that commands load when they run
    import tempfile

    from animerun_gen.dataset.modalities import SPLITS

    there = next(path for path in (output, *output.absolute().parents) if path.exists())
    if not there.is_dir():
        raise UsageError("is a file, not a folder", there, f"choose another folder with {option}")
    try:
        # permissions do not tell: nobody can write to /proc, and root to nearly all that is not his
        with tempfile.TemporaryFile(dir=there):
            pass
    except OSError as error:
        remedy = f"choose another folder with {option}"
        raise UsageError(f"is where nothing can be written ({error.strerror})", output, remedy) from error
    resolved = output.resolve()
    for root in datasets:
        remedy = f"choose a folder of its own with {option}"
        if resolved == root.resolve():
            raise UsageError("is the dataset itself", output, remedy)
        if any(resolved.is_relative_to((root / name).resolve()) for name in (*SPLITS, *BESIDE_THE_SPLITS)):
            raise UsageError("holds files of the dataset", output, remedy)
