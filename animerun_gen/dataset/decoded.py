"""Keeps decoded pictures, so that a picture that many samples and epochs show is decoded once.

Decoding is most of what reading a sample costs.  Kept beside each other on a disk, or in ``/dev/shm``, the pictures of
a dataset take what they have in pixels (1.5 MB for 960x540), and reading one is a copy.
"""

from __future__ import annotations

import os
import secrets
import struct
from collections.abc import Callable
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from animerun_gen.dataset.files import Room, refused

Picture = TypeVar("Picture", npt.NDArray[np.uint8], npt.NDArray[np.bool_])

_HEAD = struct.Struct("<4s3i")
"""Kind, height, width and channels; behind it the pixels, row by row."""

_KINDS = {b"ADP1": np.dtype(np.uint8), b"ADM1": np.dtype(np.bool_)}


class Decoded:
    """A folder of decoded pictures, which several processes may fill and read at the same time.

    Args:
        folder: Where they are kept; it is made when the first one is, and may be deleted whenever nobody reads.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def read(self, path: Path, decode: Callable[[Path], Picture], room: Room = np.empty) -> Picture:
        """A picture, decoded now or earlier.

        Args:
            path: The file; when it is another one than the one that was decoded, by size, time or place, it is decoded
                again.
            decode: Decodes it.
            room: Gives the array that takes a picture which was decoded earlier.

        Returns:
            What ``decode`` gives, a picture or a mask.

        Raises:
            DatasetError: The file is missing or damaged, or the folder cannot be written to.
        """
        try:
            status = os.stat(path)
        except OSError:
            # says what is wrong
            return decode(path)
        mark = f"{os.path.abspath(path)} {status.st_size} {status.st_mtime_ns} {status.st_ino}"
        kept = self.folder / f"{sha256(mark.encode('utf-8', 'surrogateescape')).hexdigest()[:32]}.decoded"
        with suppress(OSError):
            picture = _kept(kept, room)
            if picture is not None:
                return picture  # type: ignore[return-value]
        picture = decode(path)
        kind = next(mark for mark, dtype in _KINDS.items() if dtype == picture.dtype)
        head = _HEAD.pack(kind, *picture.shape[:2], picture.shape[2] if picture.ndim == 3 else 0)
        # in place at once, so that no other process reads a half of it; it need not outlive a crash of the machine
        aside = kept.with_name(f".{kept.stem}-{secrets.token_hex(4)}.decoded")
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with open(aside, "wb") as file:
                file.write(head)
                file.write(np.ascontiguousarray(picture).view(np.uint8).data)
            os.replace(aside, kept)
        except OSError as error:
            with suppress(OSError):
                aside.unlink(missing_ok=True)
            raise refused("cannot take a decoded picture", self.folder, error) from error
        return picture


def _kept(path: Path, room: Room) -> npt.NDArray[np.uint8] | npt.NDArray[np.bool_] | None:
    """A picture that was decoded earlier; None where the file is not whole."""
    # unbuffered: the pixels go straight to where they belong
    with open(path, "rb", buffering=0) as file:
        size = os.fstat(file.fileno()).st_size
        head = file.read(_HEAD.size)
        if len(head) < _HEAD.size:
            return None
        kind, height, width, channels = _HEAD.unpack(head)
        shape = (height, width, channels) if channels else (height, width)
        if kind not in _KINDS or min(height, width) < 1 or size != _HEAD.size + height * width * max(channels, 1):
            return None
        picture = room(shape, _KINDS[kind])
        return picture if file.readinto(picture.reshape(-1).view(np.uint8).data) == picture.nbytes else None
