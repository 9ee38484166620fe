"""Predicted flow of every format, and what cannot be measured."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from animerun_gen.benchmark.flow.predictions import find_predictions, read_prediction, require_usable
from animerun_gen.conventions import UNKNOWN_FLOW
from animerun_gen.dataset import write_array, write_flow, write_image
from animerun_gen.errors import DatasetError


@pytest.fixture
def flow() -> np.ndarray:
    # what KITTI's steps of 1/64 px hold
    return (np.random.default_rng(0).integers(-5000, 5000, (6, 9, 2)) / 64).astype(np.float32)


def write_kitti(path: Path, flow: np.ndarray, valid: np.ndarray | None = None) -> None:
    """As KITTI's development kit says: u, v and valid as red, green and blue of 16 bits."""
    picture = np.ones((*flow.shape[:2], 3), np.uint16)
    picture[..., :2] = np.rint(flow * 64 + 2**15)
    if valid is not None:
        picture[..., 2] = valid
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), picture[..., ::-1])


def test_each_format_gives_the_same_flow(tmp_path: Path, flow: np.ndarray) -> None:
    write_flow(tmp_path / "a.flo", flow)
    write_kitti(tmp_path / "a.png", flow)
    write_array(tmp_path / "a.npy", flow.astype(np.float64))
    write_array(tmp_path / "b.npy", np.asfortranarray(flow))
    for name in ("a.flo", "a.png", "a.npy", "b.npy"):
        read = read_prediction(tmp_path / name)
        assert read.dtype == np.float32
        assert np.array_equal(read, flow), name


def test_what_kitti_calls_invalid_is_no_prediction(tmp_path: Path, flow: np.ndarray) -> None:
    valid = np.ones(flow.shape[:2], bool)
    valid[2, 3] = False
    write_kitti(tmp_path / "a.png", flow, valid)
    read = read_prediction(tmp_path / "a.png")
    assert np.array_equal(np.isnan(read).any(axis=2), ~valid)
    # where the truth is not known nobody needs one
    require_usable(read, valid, "a")
    with pytest.raises(DatasetError, match=r"no finite motion at 1 of 54 pixels .* row 2, column 3"):
        require_usable(read, np.ones_like(valid), "a")


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, UNKNOWN_FLOW])
def test_what_is_no_motion_is_counted_and_refused(flow: np.ndarray, value: float) -> None:
    flow[1, 2, 0] = flow[4, 5, 1] = flow[4, 5, 0] = value
    with pytest.raises(DatasetError, match=r"at 2 of 54 pixels that are measured, the first one in row 1, column 2"):
        require_usable(flow, np.ones((6, 9), bool), "a")


def test_another_size_is_refused(flow: np.ndarray) -> None:
    with pytest.raises(DatasetError, match="is a prediction of 9 x 6 pixels, but the frames have 9 x 7"):
        require_usable(flow, np.ones((7, 9), bool), Path("a.flo"))


@pytest.mark.parametrize("shape", [(2, 6, 9), (6, 9), (6, 9, 3), (1, 6, 9, 2)])
def test_an_array_of_another_shape_is_refused(tmp_path: Path, shape: tuple[int, ...]) -> None:
    write_array(tmp_path / "a.npy", np.zeros(shape, np.float32))
    with pytest.raises(DatasetError, match=r"is an array of float32 with shape .*; save float"):
        read_prediction(tmp_path / "a.npy")


def test_other_files_are_refused(tmp_path: Path) -> None:
    write_array(tmp_path / "whole.npy", np.zeros((6, 9, 2), np.int64))
    write_image(tmp_path / "eight_bits.png", np.zeros((6, 9, 3), np.uint8))
    np.save(tmp_path / "objects.npy", np.array([{}], dtype=object), allow_pickle=True)
    (tmp_path / "torn.flo").write_bytes(b"PIEH\x09\x00\x00\x00\x06\x00\x00\x00")
    for name in ("whole.npy", "eight_bits.png", "objects.npy", "torn.flo", "none.flo"):
        with pytest.raises(DatasetError, match=name):
            read_prediction(tmp_path / name)


@pytest.mark.parametrize("folder", ["run", "test/run", "Flow/run/forward", "test/Flow/run/forward"])
@pytest.mark.parametrize("stem", ["Image0007", "0007"])
def test_files_are_found_by_cut_and_frame(tmp_path: Path, flow: np.ndarray, folder: str, stem: str) -> None:
    write_flow(tmp_path / folder / f"{stem}.flo", flow)
    assert find_predictions(tmp_path, "test", "run", {7: "Image0007"}) == {7: tmp_path / folder / f"{stem}.flo"}


def test_what_is_missing_is_named(tmp_path: Path, flow: np.ndarray) -> None:
    with pytest.raises(DatasetError, match=r"has no folder run with predictions such as 0007\.flo"):
        find_predictions(tmp_path, "test", "run", {7: "0007"})
    write_flow(tmp_path / "run" / "0007.flo", flow)
    names = {frame: f"{frame:04d}" for frame in range(7, 13)}
    listed = r"0008\.flo, 0009\.flo, 0010\.flo and 2 more; add them, or as \.png or \.npy"
    with pytest.raises(DatasetError, match=rf"run has no prediction {listed}"):
        find_predictions(tmp_path, "test", "run", names)
