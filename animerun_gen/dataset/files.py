"""The file formats of the dataset, read and written at the edge of the pipeline.

Every writer makes the parent folders and puts the file in place in one step, after its content has reached the disk,
so that a file is complete or absent whenever the process or the machine dies.  Every reader checks what it reads.  Both
raise :class:`~animerun_gen.errors.DatasetError` with the path and the reason; an array that does not fit the format is
the caller's mistake and raises :class:`ValueError`.
"""

from __future__ import annotations

import errno
import importlib
import io
import json
import math
import os
import re
import secrets
import stat
import struct
import sys
import zipfile
import zlib
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from animerun_gen.dataset.modalities import COMPRESSED
from animerun_gen.dataset.opencv import cv2
from animerun_gen.errors import DatasetError, UsageError

unpacking: Any = zlib
"""What unpacks pictures: zlib-ng, where it is installed, which takes a quarter of the time and gives the same."""
with suppress(ImportError):
    unpacking = importlib.import_module("zlib_ng.zlib_ng")

_FLOW_HEADER = struct.Struct("<4sii")
_FLOW_MAGIC = b"PIEH"
"""The bytes of the float32 202021.25, little-endian."""

_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_PNG_HEAD = struct.Struct(">IIBBBBB")
_MOST_PACKED = 1100
"""How many times as large as its packed bytes a picture can be at most (zlib's limit is 1032)."""
_UNPACKED_AT_ONCE = 1 << 17
"""Bytes."""

MOST_BYTES = 1 << 33
"""Of a file that is read; more would not fit into the memory, and no file of a dataset has so many."""

MOST_JSON_BYTES = 1 << 28
"""Of a JSON file that is read; the manifest of ten thousand frames has a fifth of that."""

AGAIN = "delete it and make or download it again"
"""What to do about a file that is damaged."""

NOT_REGULAR = "it is a pipe, a socket or a device; remove it and run the same command again"

_TEMPORARY_PREFIX = ".animerun-part-"
_TEMPORARY = re.compile(r"\.animerun-part-[0-9a-f]{8}-.+")


@contextmanager
def written_aside(path: Path) -> Iterator[Path]:
    """Write a file under a hidden name beside its place and put it there when it is complete.

    Args:
        path: the place; missing parent folders are made, a file that is there is replaced.

    Yields:
        The hidden path to write to; it has the same suffix.  When the block raises, the file is removed and
        whatever was at ``path`` stays.

    Raises:
        DatasetError: the system refuses, for example because the disk is full.
    """
    # The suffix stays, because image writers choose the format by it.
    temporary = path.with_name(f"{_TEMPORARY_PREFIX}{secrets.token_hex(4)}-{path.name}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            yield temporary
            flush(temporary)
            os.replace(temporary, path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
    except OSError as error:
        raise refused("cannot be written", path, error) from error


def flush(path: Path) -> None:
    """Wait until a file's content is on the disk: a machine that crashes must not leave a name without it."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def refused(what: str, path: Path, error: OSError, remedy: str = "") -> DatasetError:
    """The error that the system refuses to read or write a file.

    Args:
        what: What cannot be done, as it follows the file's name in a sentence.
        path: The file.
        error: What the system said.
        remedy: What to do about it where what the system said does not tell.
    """
    reason, advice = _reason(error)
    return DatasetError(f"{what}: {reason}", path, advice or remedy)


def system_says(error: OSError) -> str:
    """Why the system refuses to read or write, and what to do about it: the end of a sentence."""
    reason, remedy = _reason(error)
    return f"{reason}; {remedy}" if remedy else reason


def _reason(error: OSError) -> tuple[str, str]:
    """Why the system refuses, and what to do about it, where that is known."""
    advice = {
        errno.ENOSPC: ("the disk is full", "free some space and run the same command again"),
        errno.EDQUOT: ("the disk quota is used up", "free some space and run the same command again"),
        errno.EROFS: ("the file system is read-only", "choose another folder"),
        errno.EACCES: ("permission denied", "change the permissions or choose another folder"),
        errno.ENOTDIR: ("part of the path is a file, not a folder", "choose another folder or remove the file"),
        errno.EEXIST: ("part of the path is a file, not a folder", "choose another folder or remove the file"),
        errno.EISDIR: ("a folder of that name exists", "remove or rename it"),
    }
    if error.errno == errno.ENOSPC and error.filename is not None and not _holds_more_files(Path(error.filename)):
        return "the disk is full: it can hold no more files", "remove some and run the same command again"
    return advice.get(error.errno or 0, (error.strerror or str(error), ""))


def _holds_more_files(path: Path) -> bool:
    """Whether the disk of a path has a place (an inode) for another file; True where it does not count them."""
    for folder in path.absolute().parents:
        with suppress(OSError):
            disk = os.statvfs(folder)
            return disk.f_files == 0 or disk.f_favail > 0
    return True


def refusal(error: OSError) -> str:
    """The same, with the file that it was about, where the system names it."""
    return f"{error.filename}: {system_says(error)}" if error.filename is not None else system_says(error)


def is_temporary(name: str) -> bool:
    """Whether a file's name is one under which :func:`written_aside` writes."""
    return _TEMPORARY.fullmatch(name) is not None


def remove_stale_temporaries(root: Path) -> int:
    """Remove what killed writers left behind in and below a folder; no writer may be at work there.

    Args:
        root: folder; nothing happens when it does not exist.

    Returns:
        How many files were removed.

    Raises:
        DatasetError: one of them cannot be removed.
    """
    removed = 0
    folders = [str(root)]
    while folders:
        # what cannot be read has nothing that could be removed
        with suppress(OSError), os.scandir(folders.pop()) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    folders.append(entry.path)
                # of every file of a dataset the quick question first
                elif entry.name.startswith(_TEMPORARY_PREFIX) and is_temporary(entry.name):
                    _remove_stale(Path(entry.path))
                    removed += 1
    return removed


def _remove_stale(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise refused("was left by a killed run and cannot be removed", path, error) from error


def remove_file(path: Path) -> None:
    """Remove a file that is out of date; it need not exist.

    Raises:
        DatasetError: The system does not allow it.
    """
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise refused("is out of date and cannot be removed", path, error) from error


def write_flow(path: Path, flow: npt.NDArray[np.float32]) -> None:
    """Write a Middlebury ``.flo`` file.

    Args:
        path: the file.
        flow: ``(H, W, 2)`` float32, pixels, u to the right and v down; see :mod:`animerun_gen.conventions`.

    Raises:
        ValueError: ``flow`` has another shape or type, or holds NaN or infinity (unknown flow is ``UNKNOWN_FLOW``).
        DatasetError: the file cannot be written.
    """
    _require(flow, "float32", ("H", "W", 2))
    if not np.isfinite(flow).all():
        raise ValueError("flow holds NaN or infinity; mark unknown flow with UNKNOWN_FLOW")
    height, width = flow.shape[:2]
    _write_bytes(path, _FLOW_HEADER.pack(_FLOW_MAGIC, width, height), _content(flow.astype("<f4", copy=False)))


def read_flow(path: Path) -> npt.NDArray[np.float32]:
    """Read a Middlebury ``.flo`` file.

    Returns:
        ``(H, W, 2)`` float32, pixels, u to the right and v down; unknown vectors as they stand in the file.

    Raises:
        DatasetError: the file is missing or is no complete ``.flo`` file.
    """
    with _opened(path) as file:
        size = os.fstat(file.fileno()).st_size
        header = file.read(_FLOW_HEADER.size)
        if len(header) < _FLOW_HEADER.size or not header.startswith(_FLOW_MAGIC):
            raise _damaged(path, "is not a .flo file: it does not begin with PIEH and a size")
        _, width, height = _FLOW_HEADER.unpack(header)
        if width < 1 or height < 1:
            raise _damaged(path, f"gives {width} x {height} as its size")
        length = _FLOW_HEADER.size + 8 * width * height
        if size != length:
            raise _damaged(path, f"has {size} bytes where {width} x {height} flow vectors need {length}")
        # nothing is copied: it is most of what a sample of a dataset holds
        flow = np.empty((height, width, 2), "<f4")
        if file.readinto(flow.data.cast("B")) != flow.nbytes:
            raise _damaged(path, "became shorter while it was read")
    return flow.astype(np.float32, copy=False)


_PFM_HEADER = re.compile(rb"PF\s+(\d{1,6})\s+(\d{1,6})\s+(-?[0-9.eE+]{1,20})[\r]?\n")


def read_any_flow(path: Path) -> npt.NDArray[np.float32]:
    """Read flow of any of the formats that datasets have it in, by its suffix.

    ``.flo`` (Middlebury), ``.pfm`` (FlyingThings3D: u, v and a third number), ``.exr`` (LinkTo-Anime: R and G).

    Returns:
        ``(H, W, 2)`` float32, pixels, u to the right and v down; unknown vectors as they stand in the file.

    Raises:
        DatasetError: the file is missing or damaged, or of another format.
    """
    readers = {".flo": read_flow, ".pfm": _read_pfm, ".exr": _read_exr}
    reader = readers.get(path.suffix.lower())
    if reader is None:
        raise DatasetError(f"is of no format that flow is read from ({', '.join(readers)})", path, "convert it")
    return reader(path)


def _read_pfm(path: Path) -> npt.NDArray[np.float32]:
    data = _read_bytes(path)
    header = _PFM_HEADER.match(data)
    if header is None:
        raise _damaged(path, "is not a .pfm file of three channels")
    width, height, scale = int(header[1]), int(header[2]), float(header[3])
    if width < 1 or height < 1 or len(data) - header.end() != 12 * width * height:
        raise _damaged(path, f"is not a complete .pfm file of {width} x {height}")
    values = np.frombuffer(data, "<f4" if scale < 0 else ">f4", offset=header.end()).reshape(height, width, 3)
    # its rows go from the bottom up
    return np.ascontiguousarray(values[::-1, :, :2], np.float32)


def _read_exr(path: Path) -> npt.NDArray[np.float32]:
    try:
        # OpenCV 5 as pip installs it reads no OpenEXR
        import OpenEXR
    except ImportError:
        return _read_exr_with_opencv(path)
    try:
        with OpenEXR.File(str(path), separate_channels=True) as file:
            channels = file.channels()
            values = [channels[name].pixels for name in ("R", "G")]
    # what is no such file fails in many ways
    except Exception as error:
        if not path.is_file():
            raise DatasetError("is missing", path, "make or download it again") from error
        raise _damaged(path, f"holds no flow as red and green ({error})") from error
    return np.ascontiguousarray(np.stack(values, axis=-1), np.float32)


def _read_exr_with_opencv(path: Path) -> npt.NDArray[np.float32]:
    # it is looked at when the first one is read
    os.environ.setdefault("OPENCV_IO_ENABLE_OPENEXR", "1")
    data = _read_bytes(path)
    try:
        image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    except cv2.error:
        image = None
    if image is None:
        remedy = "install the package OpenEXR, or download the file again where it is damaged"
        raise DatasetError("cannot be decoded by this OpenCV", path, remedy)
    if image.ndim != 3 or image.shape[2] < 3 or image.dtype != np.float32:
        raise _damaged(path, "holds no flow as red and green of 32 bits")
    # OpenCV has blue, green, red
    return np.ascontiguousarray(image[..., 2:0:-1])


def read_photo(path: Path) -> npt.NDArray[np.uint8]:
    """Read a JPEG file, which some datasets of others have.

    Returns:
        ``(H, W, 3)`` uint8 in RGB order.

    Raises:
        DatasetError: the file is missing or damaged.
    """
    data = _read_bytes(path)
    try:
        image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    except cv2.error:
        image = None
    # the decoder fills up what a torn file lacks
    if image is None or b"\xff\xd9" not in data[-1024:]:
        raise _damaged(path, "is not a complete JPEG file")
    return cv2.cvtColor(image, cv2.COLOR_BGR2RGB, image)  # type: ignore[return-value]


def write_image(path: Path, image: npt.NDArray[np.uint8] | npt.NDArray[np.uint16]) -> None:
    """Write a PNG file; the same picture always becomes the same bytes.

    Args:
        path: the file.
        image: ``(H, W, 3)`` RGB or ``(H, W)``, uint8 or uint16.

    Raises:
        ValueError: ``image`` has another shape or type.
        DatasetError: the file cannot be written.
    """
    _require(image, "uint16" if image.dtype == np.uint16 else "uint8", ("H", "W", 3) if image.ndim == 3 else ("H", "W"))
    _write_bytes(path, png_bytes(image))


def png_bytes(image: npt.NDArray[np.uint8] | npt.NDArray[np.uint16]) -> bytes:
    """A PNG file of rows as they are, without the filters that predict a pixel from its neighbours.

    Filters are made for photographs.  Of flat colours and lines they leave more to be compressed, not less, and undoing
    them takes longer than unpacking: without, such a picture takes 5% less space, a third of the time to write, and
    with OpenCV less than half of the time to read.

    Args:
        image: As :func:`write_image` or :func:`write_cel` takes it.
    """
    height, width = image.shape[:2]
    rows = image.astype(image.dtype.newbyteorder(">"), copy=False).reshape(height, -1).view(np.uint8)
    filtered = np.zeros((height, 1 + rows.shape[1]), np.uint8)
    filtered[:, 1:] = rows
    # Fixed, so that the same picture always becomes the same bytes.  Level 6 would make pictures a tenth smaller, and
    # take twice as long.
    packed = zlib.compressobj(3, zlib.DEFLATED, zlib.MAX_WBITS, zlib.DEF_MEM_LEVEL)
    data = packed.compress(filtered.data) + packed.flush()
    color = 0 if image.ndim == 2 else {3: 2, 4: 6}[image.shape[2]]
    head = _PNG_HEAD.pack(width, height, 8 * image.dtype.itemsize, color, 0, 0, 0)
    return _PNG_SIGNATURE + b"".join(map(_png_chunk, (b"IHDR", b"IDAT", b"IEND"), (head, data, b"")))


def _png_chunk(kind: bytes, data: bytes) -> bytes:
    checksum = zlib.crc32(data, zlib.crc32(kind))
    return b"".join((len(data).to_bytes(4, "big"), kind, data, checksum.to_bytes(4, "big")))


Room = Callable[[tuple[int, ...], npt.DTypeLike], npt.NDArray[Any]]
"""Gives an array of a shape and type that is to be filled."""


def read_image(
    path: Path, *, drop_alpha: bool = False, room: Room = np.empty
) -> npt.NDArray[np.uint8] | npt.NDArray[np.uint16]:
    """Read a PNG file.

    Args:
        path: the file.
        drop_alpha: leave out an alpha channel, as the published loaders do, instead of refusing it.
        room: gives the array that takes the picture, so that it need not be copied to where it belongs.  Pictures that
            need no room of their own, or come from another decoder, may be another array.

    Returns:
        ``(H, W, 3)`` in RGB order or ``(H, W)``, uint8 or uint16, as the file holds it.

    Raises:
        DatasetError: the file is missing, damaged, no PNG file, or has an alpha channel.
    """
    # it takes its time to load, which whoever looks at no picture need not spend
    import cv2

    data = _read_bytes(path)
    # The decoder shows a damaged file as if nothing were wrong with it, so the checksums are looked at here.
    chunks = _png_chunks(data)
    if chunks is None:
        raise _damaged(path, "is not a complete PNG file")
    if (ours := _unfiltered(data, chunks, room)) is not None:
        return ours
    try:
        image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    except cv2.error:
        image = None
    if image is None:
        raise _damaged(path, "cannot be decoded as a PNG file")
    if image.dtype not in (np.uint8, np.uint16):
        raise _damaged(path, f"decodes to {image.dtype}")
    if image.ndim == 2:
        return image  # type: ignore[return-value]
    if image.shape[2] == 3:
        return cv2.cvtColor(image, cv2.COLOR_BGR2RGB, image)  # type: ignore[return-value]
    if not drop_alpha:
        raise DatasetError("has an alpha channel, which no picture of a dataset has", path, "save it as plain RGB")
    return cv2.cvtColor(image, cv2.COLOR_BGRA2RGB)  # type: ignore[return-value]


def write_cel(path: Path, cel: npt.NDArray[np.uint8]) -> None:
    """Write a picture with alpha as a PNG file; the same picture always becomes the same bytes.

    Args:
        path: the file.
        cel: ``(H, W, 4)`` uint8, red, green, blue and alpha, colours not multiplied by alpha.

    Raises:
        ValueError: ``cel`` has another shape or type.
        DatasetError: the file cannot be written.
    """
    _require(cel, "uint8", ("H", "W", 4))
    _write_bytes(path, png_bytes(cel))


def read_cel(path: Path) -> npt.NDArray[np.uint8]:
    """Read what :func:`write_cel` wrote.

    Returns:
        ``(H, W, 4)`` uint8.

    Raises:
        DatasetError: the file is missing, damaged, or no PNG file of 8 bits with alpha.
    """
    import cv2

    data = _read_bytes(path)
    if not is_whole_png(data):
        raise _damaged(path, "is not a complete PNG file")
    try:
        image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    except cv2.error:
        image = None
    if image is None:
        raise _damaged(path, "cannot be decoded as a PNG file")
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 4:
        raise _damaged(path, "is no picture of 8 bits with alpha")
    return cv2.cvtColor(image, cv2.COLOR_BGRA2RGBA)  # type: ignore[return-value]


def write_mask(path: Path, mask: npt.NDArray[np.bool_]) -> None:
    """Write a mask as a grey PNG file, 255 where it is True.

    Args:
        path: the file.
        mask: ``(H, W)`` bool.

    Raises:
        ValueError: ``mask`` has another shape or type.
        DatasetError: the file cannot be written.
    """
    _require(mask, "bool", ("H", "W"))
    write_image(path, mask.astype(np.uint8) * np.uint8(255))


def read_mask(path: Path) -> npt.NDArray[np.bool_]:
    """Read what :func:`write_mask` wrote.

    Returns:
        ``(H, W)`` bool.

    Raises:
        DatasetError: the file is missing, damaged, or holds anything but 0 and 255.
    """
    image = read_image(path)
    mask: npt.NDArray[np.bool_] = image == 255
    # counted, which takes no memory
    if image.ndim != 2 or image.dtype != np.uint8 or np.count_nonzero(mask) != cv2.countNonZero(image):
        raise _damaged(path, "is not a mask: a mask is a grey picture with no values but 0 and 255")
    return mask


def write_inverted_mask(path: Path, mask: npt.NDArray[np.bool_]) -> None:
    """Write a mask the way AnimeRun keeps occlusions and line areas: a uint8 array, **0** where it is True.

    Args:
        path: the file.
        mask: ``(H, W)`` bool.

    Raises:
        ValueError: ``mask`` has another shape or type.
        DatasetError: the file cannot be written.
    """
    _require(mask, "bool", ("H", "W"))
    write_array(path, (~mask).astype(np.uint8))


def read_inverted_mask(path: Path) -> npt.NDArray[np.bool_]:
    """Read what :func:`write_inverted_mask` wrote, or what the published data have in its place.

    Returns:
        ``(H, W)`` bool, True where the file holds 0.

    Raises:
        DatasetError: the file is missing, damaged, or holds anything but 0 and 1, or 0 and 255, of whatever type.
    """
    array = read_array(path)
    mask: npt.NDArray[np.bool_] = array == 0
    if array.ndim == 2 and array.dtype == np.uint8 and array.max(initial=0) <= 1:
        return mask
    # the published data have some of them as float64 and as integers of other lengths
    if array.ndim != 2 or array.dtype.kind not in "biuf" or not any((mask | (array == one)).all() for one in (1, 255)):
        raise _damaged(path, "is not a mask: a mask is an (H, W) array with no values but 0 and 1, or 0 and 255")
    return mask


ARRAY = "array"
"""Name of the one array of a compressed file."""


def write_array(path: Path, array: npt.NDArray[Any]) -> None:
    """Write a ``.npy`` file, or a ``.npz`` file that holds just that.

    Args:
        path: the file; its suffix says which of them.
        array: any array of numbers or truth values.

    Raises:
        ValueError: ``array`` holds Python objects.
        DatasetError: the file cannot be written.
    """
    if path.suffix == COMPRESSED:
        write_arrays(path, {ARRAY: array})
    else:
        _write_bytes(path, _array_header(array), _content(array))


def read_array(path: Path) -> npt.NDArray[Any]:
    """Read a ``.npy`` file, or the array of a ``.npz`` file.

    Returns:
        The array, with the shape and dtype that the file gives it.

    Raises:
        DatasetError: the file is missing, incomplete, no such file, or holds Python objects.
    """
    if path.suffix == COMPRESSED:
        return read_arrays(path, (ARRAY,))[ARRAY]
    data = _read_bytes(path)
    try:
        return _parse_array(data)
    # The header is a Python literal, in which foreign bytes fail in many ways.
    except Exception as error:
        raise _damaged(path, f"is not a complete .npy file ({error})") from error


def write_arrays(path: Path, arrays: Mapping[str, npt.NDArray[Any]], *, if_changed: bool = False) -> None:
    """Write a compressed ``.npz`` file; the same arrays always become the same bytes.

    Args:
        path: the file.
        arrays: arrays of numbers or truth values by name, in the order in which the file holds them.
        if_changed: whether a file that holds just that, to the byte, is left untouched.

    Raises:
        ValueError: an array holds Python objects.
        DatasetError: the file cannot be written.
    """
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, array in arrays.items():
            # a fixed date instead of that of the clock
            member = zipfile.ZipInfo(f"{name}.npy")
            archive.writestr(member, _array_header(array) + _content(array), zipfile.ZIP_DEFLATED)
    if if_changed and _holds(path, stream.getvalue()):
        return
    _write_bytes(path, stream.getvalue())


def read_arrays(path: Path, names: Collection[str], optional: Collection[str] = ()) -> dict[str, npt.NDArray[Any]]:
    """Read arrays of a ``.npz`` file.

    Args:
        path: the file.
        names: which; no others are read.
        optional: those of them that the file need not have.

    Returns:
        The arrays by name, with the shape and dtype that the file gives them.

    Raises:
        DatasetError: the file is missing, damaged, lacks one of them, or holds Python objects.
    """
    data = _read_bytes(path)
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            there = archive.namelist()
            wanted = [name for name in names if name not in optional or f"{name}.npy" in there]
            return {name: _parse_array(archive.read(f"{name}.npy")) for name in wanted}
    # zip files and headers of arrays fail in many ways
    except Exception as error:
        raise _damaged(path, f"is not a complete .npz file of {', '.join(names)} ({error})") from error


def write_matches(path: Path, matches: Sequence[Sequence[int]]) -> None:
    """Write the matches of all segments of a frame as ``{"0": [j0, j1, ...], ...}``.

    Args:
        path: the file.
        matches: for each segment, in order, its targets, best first; ``[-1]`` where there is none.

    Raises:
        ValueError: a list is empty, or a target is negative and not the only ``-1``.
        DatasetError: the file cannot be written.
    """
    table = {str(segment): list(map(int, targets)) for segment, targets in enumerate(matches)}
    for segment, targets in table.items():
        if not _are_targets(targets):
            raise ValueError(f"segment {segment} has the targets {targets}; they must be numbers from 0 on, or [-1]")
    _write_bytes(path, _json_bytes(table))


def read_matches(path: Path) -> list[list[int]]:
    """Read what :func:`write_matches` wrote.

    Returns:
        For each segment, in order, its targets, best first; ``[-1]`` where there is none.

    Raises:
        DatasetError: the file is missing, no JSON, lacks a segment, or holds impossible targets.
    """
    table = read_json(path)
    if not isinstance(table, dict):
        raise _damaged(path, "holds no table of segments")
    matches = []
    for segment in range(len(table)):
        targets = table.get(str(segment))
        if targets is None:
            raise _damaged(path, f"has no entry for segment {segment} although it has {len(table)} entries")
        if not isinstance(targets, list) or not _are_targets(targets):
            raise _damaged(path, f"gives segment {segment} something other than a list of segments or [-1]")
        matches.append(targets)
    return matches


def write_names(path: Path, names: Mapping[str, str]) -> None:
    """Write a table from id (a decimal number as text) to name, in the order of the ids.

    Raises:
        ValueError: an id is no decimal number.
        DatasetError: the file cannot be written.
    """
    write_table(path, names)


def write_table(path: Path, table: Mapping[str, Any]) -> None:
    """Write a table from id (a decimal number as text) to anything that JSON can hold, in the order of the ids.

    Raises:
        ValueError: an id is no decimal number.
        DatasetError: the file cannot be written.
    """
    if not all(key.isascii() and key.isdecimal() for key in table):
        raise ValueError(f"ids must be decimal numbers, got {', '.join(table)}")
    _write_bytes(path, _json_bytes({key: table[key] for key in sorted(table, key=int)}, indent=1))


def read_names(path: Path) -> dict[str, str]:
    """Read what :func:`write_names` wrote.

    Raises:
        DatasetError: the file is missing, no JSON, or no table of names.
    """
    table = read_json(path)
    if not isinstance(table, dict) or not all(
        key.isascii() and key.isdecimal() and isinstance(name, str) for key, name in table.items()
    ):
        raise _damaged(path, "holds no table from ids to names")
    return table


def write_json(path: Path, data: object) -> None:
    """Write JSON with sorted keys, so that the same data always becomes the same bytes.

    Raises:
        ValueError: ``data`` holds NaN or infinity.
        TypeError: ``data`` holds something that JSON cannot.
        DatasetError: the file cannot be written.
    """
    _write_bytes(path, json_bytes(data))


def write_compact_json(path: Path, data: object) -> None:
    """Write JSON without spaces, its keys in the order that they have: for files of long lists.

    Raises:
        ValueError: ``data`` holds NaN or infinity.
        TypeError: ``data`` holds something that JSON cannot.
        DatasetError: the file cannot be written.
    """
    _write_bytes(path, _json_bytes(data))


def write_if_changed(path: Path, data: object) -> None:
    """Write JSON unless the file holds just that, to the byte: a run with nothing to do leaves a dataset untouched.

    Raises:
        ValueError: ``data`` holds NaN or infinity.
        TypeError: ``data`` holds something that JSON cannot.
        DatasetError: the file cannot be written.
    """
    content = json_bytes(data)
    if not _holds(path, content):
        _write_bytes(path, content)


def _holds(path: Path, content: bytes) -> bool:
    """Whether a file is there and holds just that."""
    with suppress(OSError):
        return read_regular(path) == content
    return False


def json_bytes(data: object) -> bytes:
    """What :func:`write_json` writes.

    Raises:
        ValueError: ``data`` holds NaN or infinity.
        TypeError: ``data`` holds something that JSON cannot.
    """
    return _json_bytes(data, indent=1, sort_keys=True)


def read_json(path: Path) -> Any:
    """Read a JSON file.

    Raises:
        DatasetError: the file is missing or no JSON.
    """
    data = _read_bytes(path, MOST_JSON_BYTES)
    try:
        return json.loads(data)
    except (ValueError, RecursionError) as error:
        raise _damaged(path, f"is not valid JSON ({error})") from error


def write_text(path: Path, text: str) -> None:
    """Write a text file (UTF-8), whole or not at all.

    Raises:
        DatasetError: it cannot be written.
    """
    _write_bytes(path, text.encode())


def refuse_to_overwrite(path: Path, option: str, *, force: bool) -> None:
    """Stop before the file that a command is to write replaces one that somebody may have worked on.

    Args:
        path: The file.
        option: The option that names it.
        force: Whether ``--force`` was given.

    Raises:
        UsageError: It exists, and may not be overwritten.
    """
    if path.exists() and not force:
        raise UsageError("exists", path, f"choose another name with {option}, or overwrite it with --force")


def _array_header(array: npt.NDArray[Any]) -> bytes:
    """What a ``.npy`` file begins with."""
    if array.dtype.hasobject:
        raise ValueError("an array of Python objects cannot be saved: reading it could run code")
    # unlike np.ascontiguousarray this leaves an array of no dimensions as it is
    ordered = np.asarray(array, order="C")
    header = np.lib.format.header_data_from_array_1_0(ordered)  # type: ignore[no-untyped-call]
    stream = io.BytesIO()
    np.lib.format.write_array_header_1_0(stream, header)  # type: ignore[no-untyped-call]
    return stream.getvalue()


def _content(array: npt.NDArray[Any]) -> memoryview:
    """The bytes of an array, row by row; not a copy where they lie so in the memory."""
    return np.asarray(array, order="C").reshape(-1).view(np.uint8).data


def _parse_array(data: bytes) -> npt.NDArray[Any]:
    """A ``.npy`` file's array; unlike ``np.load`` it believes the header only as far as there are bytes."""
    stream = io.BytesIO(data)
    version = np.lib.format.read_magic(stream)  # type: ignore[no-untyped-call]
    if version == (1, 0):
        shape, column_major, dtype = np.lib.format.read_array_header_1_0(stream)  # type: ignore[no-untyped-call]
    elif version == (2, 0):
        shape, column_major, dtype = np.lib.format.read_array_header_2_0(stream)  # type: ignore[no-untyped-call]
    else:
        raise ValueError(f"version {version} is unknown")
    if dtype.hasobject:
        raise ValueError("it holds Python objects, which could run code, instead of numbers")
    body = memoryview(data)[stream.tell() :]
    count = math.prod(shape)
    if min(shape, default=0) < 0 or len(body) != count * dtype.itemsize:
        raise ValueError(f"it holds {len(body)} bytes where shape {shape} of {dtype} needs {count * dtype.itemsize}")
    return np.frombuffer(body, dtype, count).reshape(shape, order="F" if column_major else "C").copy(order="C")


def _json_bytes(data: object, *, indent: int | None = None, sort_keys: bool = False) -> bytes:
    text = json.dumps(data, indent=indent, sort_keys=sort_keys, ensure_ascii=False, allow_nan=False)
    return (text + "\n").encode()


def _are_targets(targets: list[Any]) -> bool:
    return targets == [-1] or (set(map(type, targets)) == {int} and min(targets) >= 0)


def is_whole_png(data: bytes) -> bool:
    """Whether the chunks of a PNG file fill it to its end and their checksums are right."""
    return _png_chunks(data) is not None


def _png_chunks(data: bytes) -> list[tuple[bytes, int, int]] | None:
    """The chunks of a PNG file: kind, and where its content begins and ends; None where the file is not whole."""
    if not data.startswith(_PNG_SIGNATURE):
        return None
    chunks: list[tuple[bytes, int, int]] = []
    whole, position, kind = memoryview(data), len(_PNG_SIGNATURE), b""
    while position < len(data) and kind != b"IEND":
        if position + 12 > len(data):
            return None
        length = int.from_bytes(data[position : position + 4], "big")
        end = position + 12 + length
        if end > len(data) or zlib.crc32(whole[position + 4 : end - 4]).to_bytes(4, "big") != data[end - 4 : end]:
            return None
        kind = data[position + 4 : position + 8]
        chunks.append((kind, position + 8, end - 4))
        position = end
    return chunks if kind == b"IEND" and position == len(data) else None


def _unfiltered(
    data: bytes, chunks: Sequence[tuple[bytes, int, int]], room: Room
) -> npt.NDArray[np.uint8] | npt.NDArray[np.uint16] | None:
    """The picture in a PNG file such as :func:`png_bytes` makes; None where it is another kind, which takes a decoder.

    Args:
        data: The file.
        chunks: Its chunks.
        room: Gives the array that takes it.
    """
    if [kind for kind, *_ in chunks] != [b"IHDR", b"IDAT", b"IEND"] or chunks[0][2] - chunks[0][1] != _PNG_HEAD.size:
        return None
    width, height, depth, color, *ways = _PNG_HEAD.unpack_from(data, chunks[0][1])
    if depth not in (8, 16) or color not in (0, 2) or any(ways) or not (width and height):
        return None
    row = width * (3 if color == 2 else 1) * depth // 8
    if height * (1 + row) > _MOST_PACKED * (chunks[1][2] - chunks[1][1]):
        return None
    picture = room((height, width, 3) if color == 2 else (height, width), np.uint8 if depth == 8 else np.uint16)
    # the bytes of 16 bits are turned round when all are there
    pixels = picture.reshape(height, -1).view(np.uint8)
    unpacker = unpacking.decompressobj()
    packed: bytes | memoryview = memoryview(data)[chunks[1][1] : chunks[1][2]]
    # some rows at a time, which stay in the processor's cache and need no memory of their own
    at_once = max(_UNPACKED_AT_ONCE // (1 + row), 1)
    try:
        for first in range(0, height, at_once):
            count = min(at_once, height - first)
            unpacked = unpacker.decompress(packed, count * (1 + row))
            packed = unpacker.unconsumed_tail
            if len(unpacked) != count * (1 + row):
                return None
            rows = np.frombuffer(unpacked, np.uint8).reshape(count, 1 + row)
            if rows[:, 0].any():
                return None
            pixels[first : first + count] = rows[:, 1:]
        # its checksum stands behind the last row
        if unpacker.decompress(packed, 1) or not unpacker.eof or unpacker.unused_data:
            return None
    except unpacking.error:
        return None
    if depth == 16 and sys.byteorder == "little":
        picture.byteswap(inplace=True)
    return picture


def _require(array: npt.NDArray[Any], dtype: str, shape: tuple[str | int, ...]) -> None:
    """Raise ValueError unless an array has this type and shape and is not empty."""
    if not fits(array, dtype, shape):
        sides = ", ".join(map(str, shape))
        raise ValueError(f"expected a ({sides}) array of {dtype}, got {array.shape} of {array.dtype}")


def fits(array: npt.NDArray[Any], dtype: str, shape: tuple[str | int, ...]) -> bool:
    """Whether an array has this dtype and shape, where a word in the shape stands for any length but 0."""
    return (
        array.dtype == np.dtype(dtype)
        and array.ndim == len(shape)
        and all(
            side == wanted or (isinstance(wanted, str) and side > 0)
            for side, wanted in zip(array.shape, shape, strict=True)
        )
    )


def _write_bytes(path: Path, *parts: bytes | memoryview) -> None:
    with written_aside(path) as temporary:
        temporary.write_bytes(b"".join(parts))


def open_regular(path: Path) -> io.BufferedReader:
    """Open a file for reading, but nothing that might never end: a pipe waits for its other end, and so on.

    Raises:
        OSError: The system refuses, or it is no regular file; ``strerror`` says so.
    """
    return os.fdopen(_regular(path, os.O_RDONLY), "rb")


def open_log(path: Path) -> io.BufferedWriter:
    """Open a file, which need not exist, for what is to be added to its end; with the same exceptions."""
    path.parent.mkdir(parents=True, exist_ok=True)
    return os.fdopen(_regular(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT), "ab")


def _regular(path: Path, flags: int) -> int:
    try:
        # a pipe is opened at once, even if there is nobody at its other end
        descriptor = os.open(path, flags | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC, 0o666)
    except OSError as error:
        if error.errno == errno.ENXIO:
            raise OSError(error.errno, NOT_REGULAR, str(path)) from error
        raise
    mode = os.fstat(descriptor).st_mode
    if stat.S_ISREG(mode):
        return descriptor
    os.close(descriptor)
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    raise OSError(errno.ENXIO, NOT_REGULAR, str(path))


def read_regular(path: Path, most: int = MOST_BYTES) -> bytes:
    """The content of a file.

    Raises:
        OSError: The system refuses; it is no regular file or has more than ``most`` bytes; ``strerror`` says so.
    """
    with open_regular(path) as file:
        size = os.fstat(file.fileno()).st_size
        if size > most:
            raise OSError(errno.EFBIG, f"it has {size:,} bytes, far more than such a file can need", str(path))
        # what grows meanwhile need not end
        return file.read(size)


def _read_bytes(path: Path, most: int = MOST_BYTES) -> bytes:
    with _refusals(path):
        return read_regular(path, most)


@contextmanager
def _opened(path: Path) -> Iterator[io.BufferedReader]:
    with _refusals(path), open_regular(path) as file:
        yield file


@contextmanager
def _refusals(path: Path) -> Iterator[None]:
    """Turn what the system says about a file that is read into a sentence."""
    try:
        yield
    except FileNotFoundError as error:
        raise DatasetError("is missing", path, "make or download it again") from error
    except OSError as error:
        raise refused("cannot be read", path, error) from error


def _damaged(path: Path, what: str) -> DatasetError:
    return DatasetError(what, path, AGAIN)
