"""Shape and type of a file's array by its header alone, without the rest of the file being believed or read."""

from __future__ import annotations

import ast
import io
import math
import os
import re
import struct
import zipfile
import zlib
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from animerun_gen.dataset.files import ARRAY, open_regular
from animerun_gen.dataset.modalities import COMPRESSED, Modality
from animerun_gen.errors import DatasetError

_PNG_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
_PNG_KINDS = {0: "grey", 2: "RGB", 3: "palette", 4: "grey with alpha", 6: "RGB with alpha"}
_PNG_END = b"\0\0\0\0IEND\xaeB`\x82"
_NPY_HEADER_LIMIT = 4096
_SIDE_LIMIT = 1 << 20


@dataclass(frozen=True)
class Header:
    """What a header says.

    Attributes:
        shape: Shape of the array.
        dtype: Type of its elements as NumPy names it; for pictures of other depths such as ``"uint1"``.
        kind: What a picture's pixels are; empty for other files.
        size: Bytes that the whole file must have; None where compression decides it.
    """

    shape: tuple[int, ...]
    dtype: str
    kind: str = ""
    size: int | None = None

    def __str__(self) -> str:
        sides = " x ".join(map(str, self.shape)) or "a single number"
        return f"{sides} {self.dtype}{f' ({self.kind})' if self.kind else ''}"


def read_header(path: Path, what: Modality) -> Header | None:
    """What the header of a file of a modality says.

    Args:
        path: A regular file.
        what: Its modality; the suffix says which header there is.

    Returns:
        What the header says; None for files without such a header (JSON, ``.npz`` of several arrays).

    Raises:
        DatasetError: The header is not one; the message is the end of a sentence that begins with the file.
    """
    reader = {".png": _png_header, ".npy": _npy_header, ".flo": _flo_header}.get(what.suffix)
    is_compressed = what.is_compressible and what.suffix == COMPRESSED
    if reader is None and not is_compressed:
        return None
    try:
        with open_regular(path) as file:
            if reader is None:
                return _sized(_npz_header(file))
            size = os.fstat(file.fileno()).st_size
            header = reader(file.read(_NPY_HEADER_LIMIT))
            if what.suffix == ".png":
                file.seek(max(0, size - len(_PNG_END)))
                if file.read() != _PNG_END:
                    raise DatasetError("is truncated, or has extra bytes at its end")
    except OSError as error:
        raise DatasetError(f"cannot be read: {error.strerror}") from error
    if header.size is not None and header.size != size:
        raise DatasetError(f"has {size} bytes where {header} needs {header.size}")
    return _sized(header)


def _sized(header: Header) -> Header:
    if not header.shape or not all(0 < side < _SIDE_LIMIT for side in header.shape):
        raise DatasetError(f"gives {header} as its size")
    return header


def _png_header(head: bytes) -> Header:
    if len(head) < 33 or head[:8] != b"\x89PNG\r\n\x1a\n" or head[8:16] != b"\0\0\0\x0dIHDR":
        raise DatasetError("is not a PNG file")
    width, height, depth, color = struct.unpack_from(">IIBB", head, 16)
    if color not in _PNG_CHANNELS:
        raise DatasetError("is a PNG file of an unknown kind")
    channels = _PNG_CHANNELS[color]
    shape = (height, width) if channels == 1 else (height, width, channels)
    return Header(shape, f"uint{depth}", _PNG_KINDS[color])


def _npy_header(head: bytes) -> Header:
    found = re.match(rb"\x93NUMPY(?:\x01\x00(..)|\x02\x00(....))", head, re.DOTALL)
    if found is None:
        raise DatasetError("is not a .npy file")
    start = found.end()
    length = int.from_bytes(found[1] or found[2], "little")
    if start + length > len(head):
        raise DatasetError("is not a complete .npy file")
    try:
        header = ast.literal_eval(head[start : start + length].decode("latin-1"))
        shape, dtype = header["shape"], np.dtype(header["descr"])
        if not (isinstance(shape, tuple) and all(type(side) is int and side >= 0 for side in shape)):
            raise ValueError("its shape is none")
    # foreign bytes fail in many ways
    except Exception as error:
        raise DatasetError(f"is not a .npy file ({type(error).__name__} in its header)") from error
    if dtype.hasobject:
        raise DatasetError("holds Python objects, which could run code, instead of numbers")
    return Header(shape, dtype.name, size=start + length + math.prod(shape) * dtype.itemsize)


def _npz_header(file: io.BufferedReader) -> Header:
    """Of the one array that a compressed file holds."""
    try:
        with zipfile.ZipFile(file) as archive:
            members = archive.infolist()
            if [member.filename for member in members] != [f"{ARRAY}.npy"]:
                raise DatasetError(f"is not a .npz file of one {ARRAY}")
            with archive.open(members[0]) as unpacked:
                header = _npy_header(unpacked.read(_NPY_HEADER_LIMIT))
    # archives fail in many ways
    except (ValueError, EOFError, NotImplementedError, RuntimeError, zipfile.BadZipFile, zlib.error) as error:
        raise DatasetError(f"is not a complete .npz file ({error})") from error
    if header.size != members[0].file_size:
        raise DatasetError(f"holds {members[0].file_size} bytes where {header} needs {header.size}")
    # how long the file itself is, compression decides
    return replace(header, size=None)


def _flo_header(head: bytes) -> Header:
    if len(head) < 12 or not head.startswith(b"PIEH"):
        raise DatasetError("is not a .flo file: it does not begin with PIEH and a size")
    width, height = struct.unpack_from("<ii", head, 4)
    return Header((height, width, 2), "float32", size=12 + 8 * width * height)
