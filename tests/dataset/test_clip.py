from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from animerun_gen.config import CutConfig
from animerun_gen.dataset import MODALITIES, ClipFiles, ClipWriter, Dataset, Modality, files
from animerun_gen.dataset.modalities import gap_modalities, layer_modalities
from animerun_gen.errors import DatasetError
from tests.pipeline.fake_engine import amodal_of, ink_of, strokes, surfaces

FRAMES = (8, 10, 12)
CONFIG = CutConfig.model_validate(
    {"name": "fight", "source": "film.blend", "frames": {"first": 8, "last": 12, "step": 2}, "resolution": [64, 48]}
)
KINDS = [*(m for m in MODALITIES if m.kind != "clip"), *gap_modalities(2), *layer_modalities("hero", (1, 2), [1, 12])]


def value_of(what: Modality, frame: int) -> Any:
    """Something that belongs into a file of this modality and differs from frame to frame."""
    rng = np.random.default_rng(frame)
    shape = tuple(side if isinstance(side, int) else {"H": 5, "W": 7}[side] for side in what.shape)
    if what.content == "matches":
        return [[frame], [-1]]
    if what.content in ("mask", "inverted_mask"):
        return rng.random(shape) < 0.5
    if what.content == "surfaces":
        return surfaces(CONFIG, frame)
    if what.content == "amodal":
        return amodal_of(CONFIG, {"set": rng.random((48, 64)) < 0.5})
    if what.content == "strokes":
        return strokes(CONFIG, frame)
    if what.content == "line_ink":
        return ink_of(CONFIG, frame)
    return (rng.random(shape) * 200).astype(what.dtype)


@pytest.fixture
def clip(tmp_path: Path) -> ClipWriter:
    """A clip with a file of every modality and frame."""
    writer = ClipWriter(tmp_path / "data", "train", "fight")
    for what in KINDS:
        for frame in what.frames(FRAMES):
            writer.write(what.name, frame, value_of(what, frame))
    return writer


@pytest.mark.parametrize("what", KINDS, ids=lambda what: what.name)
def test_what_is_written_is_read(clip: ClipWriter, what: Modality) -> None:
    reader = Dataset(clip.root).clip("fight")
    assert reader.frame_numbers == FRAMES
    for frame in reader.frames(what.name):
        assert reader.has(what.name, frame)
        value, expected = reader.read(what.name, frame), value_of(what, frame)
        if what.content in ("matches", "amodal"):
            assert value == expected
        elif what.content == "surfaces":
            assert value.frame == frame
            assert value.arrays.keys() == expected.arrays.keys()
            for name, array in expected.arrays.items():
                np.testing.assert_array_equal(value.arrays[name], array, name)
        elif what.content in ("strokes", "line_ink"):
            for field in dataclasses.fields(expected):
                np.testing.assert_array_equal(getattr(value, field.name), getattr(expected, field.name), field.name)
        else:
            assert value.dtype == expected.dtype
            np.testing.assert_array_equal(value, expected)
    assert len(list(reader.path(what.name, 8).parent.iterdir())) == len(reader.frames(what.name))


@pytest.mark.parametrize("what", [m for m in KINDS if m.dtype], ids=lambda what: what.name)
def test_dtypes_on_disk_are_those_of_the_table(clip: ClipWriter, what: Modality) -> None:
    path = clip.path(what.name, what.frames(FRAMES)[-1])
    read_picture = files.read_cel if what.content == "cel" else files.read_image
    on_disk = {".png": read_picture, ".npy": files.read_array, ".flo": files.read_flow}[what.suffix](path)
    assert str(on_disk.dtype) == what.dtype
    assert on_disk.ndim == len(what.shape)


def test_polarity_on_disk(tmp_path: Path) -> None:
    writer = ClipWriter(tmp_path, "test", "a")
    mask = np.array([[True, False]])
    for name, values in [
        ("occlusion_forward", [0, 1]),
        ("occlusion_backward", [0, 1]),
        ("line_area", [0, 1]),
        ("valid_forward", [255, 0]),
        ("valid_backward", [255, 0]),
        ("exact_occlusion_forward", [255, 0]),
        ("exact_occlusion_backward", [255, 0]),
    ]:
        writer.write(name, 1, mask)
        path = writer.path(name, 1)
        on_disk = files.read_array(path) if path.suffix == ".npy" else files.read_image(path)
        assert on_disk.tolist() == [values]


def test_depth_may_be_infinite(tmp_path: Path) -> None:
    writer = ClipWriter(tmp_path, "test", "a")
    depth = np.array([[1.5, np.inf]], np.float32)
    writer.write("depth", 1, depth)
    np.testing.assert_array_equal(writer.read("depth", 1), depth)


def test_tables_of_names(clip: ClipWriter) -> None:
    clip.write_names("object_id", {"0": "background", "1": "Knight"})
    assert Dataset(clip.root).clip("fight").read_names("object_id") == {"0": "background", "1": "Knight"}
    assert (clip.root / "train" / "ObjectId" / "fight" / "names.json").is_file()
    with pytest.raises(DatasetError, match=r"names\.json is missing"):
        clip.read_names("material_id")
    with pytest.raises(ValueError, match="depth has no table of names"):
        clip.read_names("depth")


def test_missing_files_and_names_are_named(clip: ClipWriter) -> None:
    with pytest.raises(DatasetError, match=r"0012\.flo is missing"):
        clip.read("flow_forward", 12)
    with pytest.raises(DatasetError, match=r"0008\.flo is missing"):
        clip.read("flow_backward", 8)
    with pytest.raises(ValueError, match="no modality 'flow'"):
        clip.read("flow", 8)
    for refused in (lambda: clip.read("tracks", 8), lambda: clip.write("tracks", 8, []), lambda: clip.has("tracks", 8)):
        with pytest.raises(ValueError, match="use read_tracks and write_tracks"):
            refused()
    with pytest.raises(DatasetError, match=r"tracks\.npz is missing"):
        clip.read_tracks()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("frame", np.zeros((4, 4), np.uint16)),
        ("contour", np.arange(48, dtype=np.uint8).reshape(4, 4, 3)),
        ("object_id", np.zeros((4, 4), np.uint8)),
        ("segment", np.full((4, 4), 1 << 31)),
        ("segment", np.full((4, 4), 0.5)),
        ("segment", np.full((4, 4), np.nan)),
        ("segment", np.zeros((4, 4, 1), np.int64)),
        ("depth", np.zeros((4, 4, 1), np.float32)),
    ],
)
def test_wrong_dtypes_and_shapes_are_neither_written_nor_read(clip: ClipWriter, name: str, value: Any) -> None:
    before = clip.path(name, 8).read_bytes()
    with pytest.raises(ValueError, match=name):
        clip.write(name, 8, value)
    assert clip.path(name, 8).read_bytes() == before
    write = files.write_array if clip.path(name, 8).suffix == ".npy" else files.write_image
    write(clip.path(name, 8), value)
    with pytest.raises(DatasetError, match=f"a file of {name} must hold"):
        clip.read(name, 8)


@pytest.mark.parametrize(
    ("name", "stored", "meant"),
    [
        ("frame", np.full((4, 4), 7, np.uint8), np.full((4, 4, 3), 7, np.uint8)),
        ("contour", np.full((4, 4, 3), 7, np.uint8), np.full((4, 4), 7, np.uint8)),
        ("segment", np.full((4, 4), 7, np.int64), np.full((4, 4), 7, np.int32)),
        ("segment", np.full((4, 4), 7.0), np.full((4, 4), 7, np.int32)),
        ("segment", np.full((4, 4), 7, np.uint8), np.full((4, 4), 7, np.int32)),
    ],
)
def test_what_others_store_in_another_type_means_the_same(clip: ClipWriter, name: str, stored: Any, meant: Any) -> None:
    write = files.write_array if clip.path(name, 8).suffix == ".npy" else files.write_image
    write(clip.path(name, 8), stored)
    value = clip.read(name, 8)
    assert (value.dtype, value.shape) == (meant.dtype, meant.shape)
    assert np.array_equal(value, meant)


def test_cuts_and_splits(clip: ClipWriter) -> None:
    other = ClipWriter(clip.root, "test", "bunnies")
    other.write("frame", 1, np.zeros((2, 2, 3), np.uint8))
    (clip.root / "train" / "Frame_Anime" / "note.txt").touch()
    (other.path("frame", 1).parent / "Thumbs.db").touch()
    dataset = Dataset(clip.root)
    assert dataset.splits == ("train", "test")
    assert [(c.split, c.cut) for c in dataset.clips()] == [("train", "fight"), ("test", "bunnies")]
    assert dataset.clips("test") == [ClipFiles(clip.root, "test", "bunnies")]
    assert dataset.clip("bunnies").frame_numbers == (1,)
    with pytest.raises(DatasetError, match="no cut 'none'; the cuts there are: fight, bunnies"):
        dataset.clip("none")


def test_what_is_no_dataset(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="is not a dataset: it has no folder train, val or test"):
        Dataset(tmp_path)
    (tmp_path / "train").mkdir()
    assert Dataset(tmp_path).clips() == []
    with pytest.raises(DatasetError, match="the cuts there are: none"):
        Dataset(tmp_path).clip("a")
    (tmp_path / "train" / "Frame_Anime" / "a" / "original").mkdir(parents=True)
    with pytest.raises(DatasetError, match="contains no frames"):
        _ = Dataset(tmp_path).clip("a").frame_numbers
    with pytest.raises(DatasetError, match="cannot be read"):
        _ = ClipFiles(tmp_path, "train", "b").frame_numbers


def test_frames_are_ordered_by_number(tmp_path: Path) -> None:
    writer = ClipWriter(tmp_path, "train", "a")
    for frame in (10001, 9999, 10000):
        writer.write("frame", frame, np.zeros((2, 2, 3), np.uint8))
    assert writer.frame_numbers == (9999, 10000, 10001)
