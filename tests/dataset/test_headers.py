from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as of_numpy

from animerun_gen.dataset import files, modality
from animerun_gen.dataset.headers import Header, read_header
from animerun_gen.errors import DatasetError

WHERE = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
ARRAY, PICTURE, FLOW = modality("segment"), modality("frame"), modality("flow_forward")


@WHERE
@given(of_numpy.arrays(of_numpy.scalar_dtypes(), of_numpy.array_shapes(max_dims=4)), st.booleans())
def test_arrays_are_described_as_numpy_reads_them(tmp_path: Path, array: np.ndarray, by_column: bool) -> None:
    path = tmp_path / "a.npy"
    np.save(path, np.asfortranarray(array) if by_column else array)
    assert read_header(path, ARRAY) == Header(array.shape, array.dtype.name, size=path.stat().st_size)


@WHERE
@given(st.integers(1, 40), st.integers(1, 40), st.sampled_from(["uint8", "uint16"]), st.sampled_from([1, 3, 4]))
def test_pictures_are_described_as_they_were_saved(
    tmp_path: Path, height: int, width: int, dtype: str, channels: int
) -> None:
    path = tmp_path / "a.png"
    cv2.imwrite(str(path), np.zeros((height, width, channels), dtype))
    header = read_header(path, PICTURE)
    assert header is not None
    assert header.shape == ((height, width) if channels == 1 else (height, width, channels))
    assert (header.dtype, header.kind) == (dtype, {1: "grey", 3: "RGB", 4: "RGB with alpha"}[channels])


@WHERE
@given(st.integers(1, 40), st.integers(1, 40))
def test_flow_is_described_as_it_was_saved(tmp_path: Path, height: int, width: int) -> None:
    files.write_flow(tmp_path / "a.flo", np.zeros((height, width, 2), np.float32))
    assert read_header(tmp_path / "a.flo", FLOW) == Header((height, width, 2), "float32", size=12 + 8 * height * width)


def test_files_without_such_a_header_have_none(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text("{}")
    assert read_header(tmp_path / "a.json", modality("match_forward")) is None


def npy(header: str, body: bytes = b"") -> bytes:
    return b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header.encode() + body


def png(width: int, height: int, depth: int = 8, color: int = 2) -> bytes:
    head = struct.pack(">IIBBBBB", width, height, depth, color, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR" + head + bytes(4) + b"\0\0\0\0IEND\xaeB`\x82"


@pytest.mark.parametrize(
    ("what", "content", "said"),
    [
        (ARRAY, b"", "is not a .npy file"),
        (ARRAY, b"\x93NUMPY\x01\x00\xff\xff", "is not a complete .npy file"),
        (ARRAY, b"\x93NUMPY\x02\x00\xff\xff\xff\xff", "is not a complete .npy file"),
        (ARRAY, npy("{'descr': '|O', 'fortran_order': False, 'shape': (2, 2)}", bytes(32)), "Python objects"),
        (ARRAY, npy("{'descr': '<i4', 'fortran_order': False, 'shape': ()}", bytes(4)), "gives a single number"),
        (ARRAY, npy("{'descr': '<i4', 'fortran_order': False, 'shape': (0, 2)}"), "gives 0 x 2 int32 as its size"),
        (ARRAY, npy("{'descr': '<i4', 'fortran_order': False, 'shape': (-1, 2)}"), "ValueError in its header"),
        (ARRAY, npy("{'descr': '<i4', 'fortran_order': False, 'shape': (True, 2)}"), "ValueError in its header"),
        (ARRAY, npy("{'descr': '<i4', 'fortran_order': False, 'shape': (2, 2)}", bytes(15)), "bytes where 2 x 2 int32"),
        (ARRAY, npy("__import__('os').abort()"), "ValueError in its header"),
        (FLOW, b"PIEH", "is not a .flo file"),
        (FLOW, b"HEIP" + bytes(16), "is not a .flo file"),
        (FLOW, b"PIEH" + struct.pack("<ii", -1, -1) + bytes(8), "gives -1 x -1 x 2 float32 as its size"),
        (FLOW, b"PIEH" + struct.pack("<ii", 2, 1) + bytes(15), "has 27 bytes where 1 x 2 x 2 float32 needs 28"),
        (PICTURE, b"\x89PNG", "is not a PNG file"),
        (PICTURE, png(3, 2)[:-1], "is truncated, or has extra bytes at its end"),
        (PICTURE, png(0, 2), "gives 2 x 0 x 3 uint8 (RGB) as its size"),
        (PICTURE, png(1 << 20, 2), "as its size"),
        (PICTURE, png(3, 2, color=5), "of an unknown kind"),
    ],
)
def test_headers_that_are_none_are_refused(tmp_path: Path, what: Any, content: bytes, said: str) -> None:
    path = tmp_path / f"a{what.suffix}"
    path.write_bytes(content)
    with pytest.raises(DatasetError) as refusal:
        read_header(path, what)
    assert said in str(refusal.value)


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="cannot be read: No such file"):
        read_header(tmp_path / "a.png", PICTURE)
