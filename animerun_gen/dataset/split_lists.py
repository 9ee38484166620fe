"""The lists of cuts by split, ``splits/train.txt`` and so on: one name a line, in order.

Training code that walks no folders reads them.  They follow the folders, which decide what a dataset holds.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from animerun_gen.dataset import layout
from animerun_gen.dataset.clip import Dataset
from animerun_gen.dataset.files import read_regular, written_aside
from animerun_gen.dataset.modalities import SPLITS
from animerun_gen.errors import DatasetError, NoDatasetError


def read_split_list(root: Path, split: str) -> list[str]:
    """The cuts that a list names.

    Args:
        root: Root folder of the dataset.
        split: ``"train"``, ``"val"`` or ``"test"``.

    Returns:
        The names, in the order of the file; empty lines do not count.

    Raises:
        DatasetError: There is no such list, or it cannot be read.
    """
    path = layout.split_list(root, split)
    try:
        lines = read_regular(path).decode("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DatasetError("cannot be read", path, "run 'animerun-gen generate' again, which writes it") from error
    return [line.strip() for line in lines if line.strip()]


def write_split_lists(root: Path) -> None:
    """Bring the lists up to what the folders hold; a split without cuts has none.

    Args:
        root: Root folder of the dataset; the caller holds its lock.

    Raises:
        DatasetError: A folder cannot be read, or a list cannot be written.
    """
    cuts: dict[str, list[str]] = {}
    with suppress(NoDatasetError):
        for clip in Dataset(root).clips():
            cuts.setdefault(clip.split, []).append(clip.cut)
    for split in SPLITS:
        path = layout.split_list(root, split)
        text = "".join(f"{cut}\n" for cut in sorted(cuts.get(split, []))).encode()
        try:
            if not text:
                path.unlink(missing_ok=True)
                continue
            with suppress(OSError):
                if read_regular(path) == text:
                    continue
            with written_aside(path) as temporary:
                temporary.write_bytes(text)
        except OSError as error:
            raise DatasetError(f"cannot be written ({error.strerror})", path, "check its permissions") from error
    with suppress(OSError):
        layout.split_list(root, SPLITS[0]).parent.rmdir()
