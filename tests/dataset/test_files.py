from __future__ import annotations

import errno
import json
import os
import struct
import subprocess
import sys
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image

from animerun_gen.conventions import UNKNOWN_FLOW
from animerun_gen.dataset import files
from animerun_gen.errors import DatasetError

SIDES = st.integers(1, 9)
FINITE = st.floats(-1e10, 1e10, width=32)
FACTORY = pytest.TempPathFactory


def pictures(dtype: Any, *channels: int) -> st.SearchStrategy[npt.NDArray[Any]]:
    shapes = st.tuples(SIDES, SIDES).map(lambda sides: (*sides, *channels))
    return hnp.arrays(dtype, shapes)


def small() -> dict[str, Callable[[Path], None]]:
    """A small file of each format."""
    rng = np.random.default_rng(0)
    return {
        "a.flo": lambda path: files.write_flow(path, rng.random((3, 4, 2), np.float32)),
        "a.png": lambda path: files.write_image(path, rng.integers(0, 256, (3, 4, 3), np.uint8)),
        "a.npy": lambda path: files.write_array(path, np.arange(12, dtype=np.int32).reshape(3, 4)),
        "a.json": lambda path: files.write_matches(path, [[1, 0], [-1]]),
    }


READERS: dict[str, Callable[[Path], Any]] = {
    "a.flo": files.read_flow,
    "a.png": files.read_image,
    "a.npy": files.read_array,
    "a.json": files.read_matches,
}
EVERY_FORMAT = pytest.mark.parametrize("name", READERS)


@given(hnp.arrays(np.float32, st.tuples(SIDES, SIDES, st.just(2)), elements=FINITE))
@settings(max_examples=50)
def test_flow_round_trip_and_middlebury_bytes(tmp_path_factory: FACTORY, flow: npt.NDArray[np.float32]) -> None:
    path = tmp_path_factory.mktemp("flow") / "a.flo"
    files.write_flow(path, flow)
    back = files.read_flow(path)
    assert back.dtype == np.float32
    assert back.tobytes() == flow.tobytes()
    back[:] = 0  # what a reader returns belongs to the caller
    with path.open("rb") as stream:
        assert np.fromfile(stream, "<f4", 1) == np.float32(202021.25)
        width, height = np.fromfile(stream, "<i4", 2)
        interleaved = np.fromfile(stream, "<f4")
    assert (height, width) == flow.shape[:2]
    np.testing.assert_array_equal(interleaved[0::2].reshape(height, width), flow[..., 0])
    np.testing.assert_array_equal(interleaved[1::2].reshape(height, width), flow[..., 1])


def test_flow_that_is_not_contiguous_and_unknown(tmp_path: Path) -> None:
    flow = np.full((4, 6, 2), UNKNOWN_FLOW)[::2, ::3]
    files.write_flow(tmp_path / "a.flo", flow)
    np.testing.assert_array_equal(files.read_flow(tmp_path / "a.flo"), flow)


@given(pictures(np.uint16, 3))
@settings(max_examples=20)
def test_three_channels_of_16_bits_round_trip(tmp_path_factory: FACTORY, image: npt.NDArray[np.uint16]) -> None:
    # Pillow reads no more than 8 bits of such a picture
    path = tmp_path_factory.mktemp("image") / "a.png"
    files.write_image(path, image)
    back = files.read_image(path)
    assert back.dtype == np.uint16
    np.testing.assert_array_equal(back, image)


@given(pictures(np.uint8, 3) | pictures(np.uint8) | pictures(np.uint16))
@settings(max_examples=60)
def test_images_round_trip_and_other_programs_see_the_same(
    tmp_path_factory: FACTORY, image: npt.NDArray[np.uint8]
) -> None:
    path = tmp_path_factory.mktemp("image") / "a.png"
    files.write_image(path, image)
    back = files.read_image(path)
    assert back.dtype == image.dtype
    np.testing.assert_array_equal(back, image)
    np.testing.assert_array_equal(np.asarray(Image.open(path)), image)
    first = path.read_bytes()
    files.write_image(path, image[::-1][::-1])
    assert path.read_bytes() == first


@given(pictures(np.bool_))
@settings(max_examples=30)
def test_masks_round_trip_with_their_polarity_on_disk(tmp_path_factory: FACTORY, mask: npt.NDArray[np.bool_]) -> None:
    folder = tmp_path_factory.mktemp("mask")
    files.write_mask(folder / "a.png", mask)
    files.write_inverted_mask(folder / "a.npy", mask)
    for back in (files.read_mask(folder / "a.png"), files.read_inverted_mask(folder / "a.npy")):
        assert back.dtype == np.bool_
        np.testing.assert_array_equal(back, mask)
    np.testing.assert_array_equal(np.asarray(Image.open(folder / "a.png")), np.where(mask, 255, 0))
    on_disk = np.load(folder / "a.npy")
    assert on_disk.dtype == np.uint8
    np.testing.assert_array_equal(on_disk, np.where(mask, 0, 1))


ARRAYS = hnp.arrays(
    st.sampled_from([np.int32, np.float32, np.float64, np.uint8, np.bool_]), hnp.array_shapes(min_dims=0, min_side=0)
)


@given(ARRAYS, st.booleans())
@settings(max_examples=60)
def test_arrays_round_trip_with_and_without_our_own_half(
    tmp_path_factory: FACTORY, array: npt.NDArray[Any], transposed: bool
) -> None:
    path = tmp_path_factory.mktemp("array") / "a.npy"
    array = array.T if transposed else array
    files.write_array(path, array)
    np.testing.assert_array_equal(np.load(path), array)
    np.save(path, array)  # column-major when transposed
    back = files.read_array(path)
    assert back.dtype == array.dtype
    assert back.shape == array.shape
    assert back.flags.c_contiguous
    assert back.flags.writeable
    np.testing.assert_array_equal(back, array)


@given(st.lists(st.just([-1]) | st.lists(st.integers(0, 500), min_size=1, max_size=4), max_size=30))
@settings(max_examples=30)
def test_matches_round_trip_in_the_order_of_the_segments(tmp_path_factory: FACTORY, matches: list[list[int]]) -> None:
    path = tmp_path_factory.mktemp("matches") / "a.json"
    files.write_matches(path, [np.array(targets) for targets in matches])  # type: ignore[misc]
    assert files.read_matches(path) == matches
    table = json.loads(path.read_text())
    assert list(table) == [str(segment) for segment in range(len(matches))]
    assert list(table.values()) == matches


def test_names_round_trip_in_the_order_of_the_ids(tmp_path: Path) -> None:
    names = {"10": "Ritter", "2": "Bär", "0": "background"}
    files.write_names(tmp_path / "names.json", names)
    assert files.read_names(tmp_path / "names.json") == names
    assert list(files.read_names(tmp_path / "names.json")) == ["0", "2", "10"]


def test_json_bytes_do_not_depend_on_the_order_of_keys(tmp_path: Path) -> None:
    files.write_json(tmp_path / "a.json", {"b": [1, 0.1], "a": "é"})
    files.write_json(tmp_path / "b.json", {"a": "é", "b": [1, 0.1]})
    assert (tmp_path / "a.json").read_bytes() == (tmp_path / "b.json").read_bytes()
    assert files.read_json(tmp_path / "a.json") == {"a": "é", "b": [1, 0.1]}


@EVERY_FORMAT
def test_a_missing_file(tmp_path: Path, name: str) -> None:
    with pytest.raises(DatasetError, match=r"none.*is missing; make or download it again"):
        READERS[name](tmp_path / "none")


@EVERY_FORMAT
def test_a_folder_instead_of_a_file(tmp_path: Path, name: str) -> None:
    with pytest.raises(DatasetError, match="cannot be read: a folder of that name exists"):
        READERS[name](tmp_path)


@EVERY_FORMAT
def test_a_file_cut_short_anywhere_is_refused(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    small()[name](path)
    data = path.read_bytes()
    # The last byte of the JSON file is its line break.
    for length in range(len(data) - (1 if name == "a.json" else 0)):
        path.write_bytes(data[:length])
        with pytest.raises(DatasetError, match=r"a\.\w+ .*; delete it"):
            READERS[name](path)


@pytest.mark.parametrize("name", ["a.flo", "a.png", "a.npy"])
def test_bytes_too_many_are_refused(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    small()[name](path)
    path.write_bytes(path.read_bytes() + b"\0")
    with pytest.raises(DatasetError, match="delete it"):
        READERS[name](path)


def test_a_png_with_any_byte_changed_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    small()["a.png"](path)
    data = bytearray(path.read_bytes())
    for position in range(len(data)):
        changed = data.copy()
        changed[position] ^= 0x40
        path.write_bytes(changed)
        with pytest.raises(DatasetError, match="not a complete PNG"):
            files.read_image(path)


@EVERY_FORMAT
@given(data=st.data())
@settings(max_examples=100)
def test_changed_bytes_end_in_a_value_or_a_sentence(tmp_path_factory: FACTORY, name: str, data: st.DataObject) -> None:
    path = tmp_path_factory.mktemp("changed") / name
    small()[name](path)
    content = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(content)
    try:
        READERS[name](path)
    except DatasetError as error:
        message = str(error)
    else:
        message = str(path)
    assert str(path) in message


@EVERY_FORMAT
@given(content=st.binary(max_size=80))
@settings(max_examples=30)
def test_foreign_files_are_refused(tmp_path_factory: FACTORY, name: str, content: bytes) -> None:
    path = tmp_path_factory.mktemp("foreign") / name
    path.write_bytes(b"\xff" + content)
    with pytest.raises(DatasetError, match="delete it"):
        READERS[name](path)


@pytest.mark.parametrize("name", ["a.flo", "a.png", "a.npy", "a.json"])
def test_each_format_refuses_the_others(tmp_path: Path, name: str) -> None:
    small()[name](tmp_path / name)
    for other, read in READERS.items():
        if other != name:
            with pytest.raises(DatasetError):
                read(tmp_path / name)


@pytest.mark.parametrize(("width", "height"), [(0, 3), (-1, -6), (2**31 - 1, 2**31 - 1)])
def test_a_flow_file_with_an_impossible_size(tmp_path: Path, width: int, height: int) -> None:
    path = tmp_path / "a.flo"
    path.write_bytes(b"PIEH" + np.array([width, height], "<i4").tobytes() + bytes(48))
    with pytest.raises(DatasetError, match=r"a\.flo"):
        files.read_flow(path)


def npy_with_header(header: str) -> bytes:
    text = header.ljust(117) + "\n"
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text.encode() + bytes(48)


@pytest.mark.parametrize(
    "header",
    [
        "{'descr': '<f4', 'fortran_order': False, 'shape': (1000000000000, 1000000000000)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (-3, -4)}",
        "{'descr': '|O', 'fortran_order': False, 'shape': (6,)}",
        "{'descr': '|V0', 'fortran_order': False, 'shape': (6,)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': 12}",
        "__import__('os').system('true')",
    ],
)
def test_an_array_file_with_a_hostile_header(tmp_path: Path, header: str) -> None:
    path = tmp_path / "a.npy"
    path.write_bytes(npy_with_header(header))
    with pytest.raises(DatasetError, match=r"not a complete \.npy file"):
        files.read_array(path)
    path.write_bytes(npy_with_header("{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4)}"))
    assert files.read_array(path).shape == (3, 4)


def test_pickles_are_neither_read_nor_written(tmp_path: Path) -> None:
    objects = np.array([{"a": 1}], object)
    np.save(tmp_path / "a.npy", objects, allow_pickle=True)
    with pytest.raises(DatasetError, match="Python objects"):
        files.read_array(tmp_path / "a.npy")
    with pytest.raises(ValueError, match="Python objects"):
        files.write_array(tmp_path / "b.npy", objects)
    assert not (tmp_path / "b.npy").exists()


def test_an_alpha_channel_is_refused(tmp_path: Path) -> None:
    Image.new("RGBA", (4, 3), (1, 2, 3, 4)).save(tmp_path / "a.png")
    with pytest.raises(DatasetError, match="alpha channel"):
        files.read_image(tmp_path / "a.png")
    assert (files.read_image(tmp_path / "a.png", drop_alpha=True) == (1, 2, 3)).all()


def test_masks_of_other_values_are_refused(tmp_path: Path) -> None:
    files.write_image(tmp_path / "a.png", np.full((2, 2), 128, np.uint8))
    files.write_array(tmp_path / "a.npy", np.full((2, 2), 2, np.uint8))
    files.write_array(tmp_path / "b.npy", np.ones((2, 2, 1), np.int32))
    files.write_array(tmp_path / "c.npy", np.array([[0.0, 0.5, 1.0]]))
    files.write_array(tmp_path / "d.npy", np.array([[0, 1, 255]]))
    files.write_array(tmp_path / "e.npy", np.array([[0.0, np.nan]]))
    files.write_array(tmp_path / "f.npy", np.array([[0j, 1j]]))
    with pytest.raises(DatasetError, match="not a mask"):
        files.read_mask(tmp_path / "a.png")
    for name in ("a.npy", "b.npy", "c.npy", "d.npy", "e.npy", "f.npy"):
        with pytest.raises(DatasetError, match="not a mask"):
            files.read_inverted_mask(tmp_path / name)


@pytest.mark.parametrize("dtype", ["bool", "uint8", "int32", "int64", "float32", "float64"])
@pytest.mark.parametrize("one", [1, 255])
def test_masks_of_the_published_data_are_read_in_whatever_type_they_have(tmp_path: Path, dtype: str, one: int) -> None:
    mask = np.array([[True, False, True], [False, False, True]])
    files.write_array(tmp_path / "a.npy", (~mask * one).astype(dtype))
    assert np.array_equal(files.read_inverted_mask(tmp_path / "a.npy"), mask)
    for whole in (np.zeros_like(mask), np.ones_like(mask)):
        files.write_array(tmp_path / "a.npy", (~whole * one).astype(dtype))
        assert np.array_equal(files.read_inverted_mask(tmp_path / "a.npy"), whole)


@pytest.mark.parametrize(
    "content",
    ["[]", '{"1": [0]}', '{"0": []}', '{"0": [-1, 2]}', '{"0": [true]}', '{"0": ["1"]}', '{"00": [1]}', "[" * 9999],
)
def test_impossible_matches_are_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "a.json").write_text(content)
    with pytest.raises(DatasetError, match=r"a\.json"):
        files.read_matches(tmp_path / "a.json")


@pytest.mark.parametrize("content", ["[]", '{"a": "b"}', '{"0": 1}', '{"-1": "b"}'])
def test_impossible_names_are_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "names.json").write_text(content)
    with pytest.raises(DatasetError, match=r"names\.json"):
        files.read_names(tmp_path / "names.json")


@pytest.mark.parametrize(
    ("write", "value"),
    [
        (files.write_flow, np.zeros((2, 2, 3), np.float32)),
        (files.write_flow, np.zeros((2, 2, 2), np.float64)),
        (files.write_flow, np.zeros((0, 2, 2), np.float32)),
        (files.write_flow, np.full((2, 2, 2), np.nan, np.float32)),
        (files.write_image, np.zeros((2, 2, 4), np.uint8)),
        (files.write_image, np.zeros((2, 2), np.float32)),
        (files.write_image, np.zeros((2, 2, 3), np.int32)),
        (files.write_mask, np.zeros((2, 2), np.uint8)),
        (files.write_inverted_mask, np.zeros((2, 2), np.uint8)),
        (files.write_matches, [[]]),
        (files.write_matches, [[-1, 3]]),
        (files.write_matches, [[-2]]),
        (files.write_names, {"a": "b"}),
        (files.write_json, {"a": float("nan")}),
    ],
)
def test_wrong_values_are_not_written(tmp_path: Path, write: Callable[[Path, Any], None], value: Any) -> None:
    with pytest.raises(ValueError):  # noqa: PT011
        write(tmp_path / "a", value)
    assert list(tmp_path.iterdir()) == []


@EVERY_FORMAT
@pytest.mark.parametrize("broken", ["write", "replace"])
def test_a_failure_in_the_middle_leaves_what_was_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, broken: str
) -> None:
    path = tmp_path / "deep" / "er" / name
    path.parent.mkdir(parents=True)
    path.write_bytes(b"old")

    def half_written(file: Path, data: bytes) -> None:
        with file.open("wb") as stream:
            stream.write(data[: len(data) // 2])
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def not_replaced(source: Path, target: Path) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        if broken == "write":
            patch.setattr(Path, "write_bytes", half_written)
        else:
            patch.setattr(os, "replace", not_replaced)
        with pytest.raises(DatasetError, match=rf"{name} cannot be written: the disk is full; free some space"):
            small()[name](path)
    assert [file.name for file in path.parent.iterdir()] == [name]
    assert path.read_bytes() == b"old"


def test_a_file_size_limit_of_the_system_leaves_nothing(tmp_path: Path) -> None:
    resource = pytest.importorskip("resource")
    code = (
        "import resource, sys, pathlib, numpy as np\n"
        "from animerun_gen.dataset import write_flow\n"
        "from animerun_gen.errors import DatasetError\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (5000, 5000))\n"
        "path = pathlib.Path(sys.argv[1])\n"
        "write_flow(path / 'small.flo', np.zeros((3, 3, 2), np.float32))\n"
        "try:\n"
        "    write_flow(path / 'large.flo', np.zeros((300, 300, 2), np.float32))\n"
        "except DatasetError as error:\n"
        "    print(error)\n"
    )
    assert resource
    result = subprocess.run([sys.executable, "-c", code, tmp_path], capture_output=True, text=True, check=True)
    assert "large.flo cannot be written: File too large" in result.stdout
    assert [file.name for file in tmp_path.iterdir()] == ["small.flo"]


def test_an_interruption_leaves_nothing(tmp_path: Path) -> None:
    def interrupted() -> None:
        with files.written_aside(tmp_path / "a.png") as temporary:
            temporary.write_bytes(b"half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert list(tmp_path.iterdir()) == []


def test_parents_that_are_no_folders(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for path in (tmp_path / "file" / "a.flo", tmp_path / "file" / "b" / "a.flo"):
        with pytest.raises(DatasetError, match="part of the path is a file"):
            small()["a.flo"](path)


def test_a_folder_in_the_place_of_the_file(tmp_path: Path) -> None:
    (tmp_path / "a.flo").mkdir()
    with pytest.raises(DatasetError, match="a folder of that name exists"):
        small()["a.flo"](tmp_path / "a.flo")
    assert [file.name for file in tmp_path.iterdir()] == ["a.flo"]


def test_files_under_way_are_hidden_and_keep_their_suffix(tmp_path: Path) -> None:
    with files.written_aside(tmp_path / "new" / "a.png") as temporary:
        temporary.touch()
        assert temporary.parent == tmp_path / "new"
        assert temporary.suffix == ".png"
        assert list((tmp_path / "new").glob("[!.]*")) == []
    assert [file.name for file in (tmp_path / "new").iterdir()] == ["a.png"]


def test_what_a_killed_writer_left_is_removed_and_nothing_else(tmp_path: Path) -> None:
    code = (
        "import os, sys, pathlib\n"
        "from animerun_gen.dataset import written_aside\n"
        "with written_aside(pathlib.Path(sys.argv[1])) as temporary:\n"
        "    temporary.write_bytes(b'half')\n"
        "    os.kill(os.getpid(), 9)\n"
    )
    path = tmp_path / "train" / "a" / "0001.flo"
    killed = subprocess.run([sys.executable, "-c", code, path], check=False)
    assert killed.returncode == -9
    (left,) = path.parent.iterdir()
    kept = [tmp_path / name for name in (".animerun-gen", ".animerun-part-x", "a.part", ".hidden")]
    for file in kept:
        file.touch()
    small()["a.flo"](path)
    assert files.remove_stale_temporaries(tmp_path) == 1
    assert not left.exists()
    assert path.exists()
    assert all(file.exists() for file in kept)
    assert files.remove_stale_temporaries(tmp_path) == 0
    assert files.remove_stale_temporaries(tmp_path / "none") == 0


@given(
    hnp.arrays(
        st.sampled_from([np.uint8, np.uint16]),
        st.one_of(
            hnp.array_shapes(min_dims=2, max_dims=2, max_side=40),
            st.tuples(st.integers(1, 30), st.integers(1, 30), st.just(3)),
        ),
    )
)
def test_pictures_are_read_by_others_and_those_of_others_here(
    tmp_path_factory: pytest.TempPathFactory, image: Any
) -> None:
    path = tmp_path_factory.mktemp("png") / "a.png"
    files.write_image(path, image)
    in_order = cv2.cvtColor(image, cv2.COLOR_RGB2BGR) if image.ndim == 3 else image
    np.testing.assert_array_equal(cv2.imread(str(path), cv2.IMREAD_UNCHANGED), in_order, strict=True)
    np.testing.assert_array_equal(files.read_image(path), image, strict=True)
    # with filters, as other programs write them
    assert cv2.imwrite(str(path), in_order)
    np.testing.assert_array_equal(files.read_image(path), image, strict=True)


def test_a_large_picture_is_read_in_pieces_into_the_room_for_it(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    image = rng.integers(0, 4, (541, 963, 3)).astype(np.uint8)
    files.write_image(tmp_path / "a.png", image)
    place = np.empty_like(image)
    assert files.read_image(tmp_path / "a.png", room=lambda shape, dtype: place) is place
    np.testing.assert_array_equal(place, image)


def spoiled(packed: bytes, width: int = 4, height: int = 4, depth: int = 8) -> bytes:
    """A PNG file of these packed rows, whose chunks are right."""
    chunks = [(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, 0, 0, 0, 0)), (b"IDAT", packed), (b"IEND", b"")]
    written = b"".join(
        len(data).to_bytes(4, "big") + kind + data + zlib.crc32(kind + data).to_bytes(4, "big") for kind, data in chunks
    )
    return b"\x89PNG\r\n\x1a\n" + written


def test_what_is_packed_wrongly_is_damaged_or_left_to_the_decoder(tmp_path: Path) -> None:
    path, rows = tmp_path / "a.png", bytes(20)
    path.write_bytes(spoiled(zlib.compress(rows)))
    assert not files.read_image(path).any()
    # far more than the picture has
    path.write_bytes(spoiled(zlib.compress(bytes(200 << 20), 9)))
    assert files.read_image(path).shape == (4, 4)
    # far less
    path.write_bytes(spoiled(zlib.compress(rows), 1 << 18, 1 << 18))
    with pytest.raises(DatasetError, match="cannot be decoded as a PNG file"):
        files.read_image(path)
    # a byte that filters its row
    path.write_bytes(spoiled(zlib.compress(bytes([2]) + rows[1:])))
    assert files.read_image(path).shape == (4, 4)
