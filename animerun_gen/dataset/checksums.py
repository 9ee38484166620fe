"""The one checksum of this program: SHA-256, as 64 hexadecimal digits."""

from __future__ import annotations

import hashlib
from pathlib import Path

from animerun_gen.dataset.files import open_regular, refused

_PIECE = 1 << 18
"""Bytes that are read at a time."""


def digest_of(data: bytes) -> str:
    """SHA-256 of some bytes.

    >>> digest_of(b"")[:8]
    'e3b0c442'
    """
    return hashlib.sha256(data).hexdigest()


def file_digest(path: Path) -> str:
    """SHA-256 of a file, which is read piece by piece.

    Raises:
        DatasetError: It cannot be read.
    """
    try:
        return readable_digest(path)
    except OSError as error:
        raise refused("cannot be read", path, error, "put it there again") from error


def readable_digest(path: Path) -> str:
    """The same for callers that have their own sentence about what cannot be read.

    Raises:
        OSError: It cannot be read; ``strerror`` says why.
    """
    digest = hashlib.sha256()
    buffer = memoryview(bytearray(_PIECE))
    with open_regular(path) as file:
        # as hashlib.file_digest does, which Python 3.10 does not have
        while length := file.readinto(buffer):
            digest.update(buffer[:length])
    return digest.hexdigest()
