"""Keeps decoded pictures, so that a picture that many samples and epochs show is decoded once.

Decoding is most of what reading a sample costs.  Kept beside each other on a disk, or in ``/dev/shm``, the pictures of
a dataset take what they have in pixels (1.5 MB for 960x540), and reading one is a copy.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from animerun_gen.dataset.files import refused

Picture = TypeVar("Picture", npt.NDArray[np.uint8], npt.NDArray[np.bool_])


class Decoded:
    """A folder of decoded pictures, which several processes may fill and read at the same time.

    Args:
        folder: Where they are kept; it is made when the first one is, and may be deleted whenever nobody reads.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def read(self, path: Path, decode: Callable[[Path], Picture]) -> Picture:
        """A picture, decoded now or earlier.

        Args:
            path: The file; when it is another one than the one that was decoded, by size, time or place, it is decoded
                again.
            decode: Decodes it.

        Returns:
            What ``decode`` gives, a picture or a mask; not to be changed, because it may be the file itself.

        Raises:
            DatasetError: The file is missing or damaged, or the folder cannot be written to.
        """
        try:
            status = path.stat()
        except OSError:
            # says what is wrong
            return decode(path)
        mark = f"{path.absolute()} {status.st_size} {status.st_mtime_ns} {status.st_ino}"
        kept = self.folder / f"{sha256(mark.encode('utf-8', 'surrogateescape')).hexdigest()[:32]}.npy"
        with suppress(OSError, ValueError, EOFError):
            # it is copied to where it belongs, once
            return np.load(kept, mmap_mode="r", allow_pickle=False)
        picture = decode(path)
        # in place at once, so that no other process reads a half of it; it need not outlive a crash of the machine
        aside = kept.with_name(f".{kept.stem}-{secrets.token_hex(4)}.npy")
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            np.save(aside, picture, allow_pickle=False)
            os.replace(aside, kept)
        except OSError as error:
            with suppress(OSError):
                aside.unlink(missing_ok=True)
            raise refused("cannot take a decoded picture", self.folder, error) from error
        return picture
