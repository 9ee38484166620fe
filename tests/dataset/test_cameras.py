"""The files of a clip's cameras: what is written is read back, and what is none is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from animerun_gen.dataset import ClipFiles, cameras, files, layout
from animerun_gen.dataset.cameras import TO_OPENCV, FrameCamera
from animerun_gen.errors import DatasetError


def posed(number: int, *, orthographic: bool = False) -> FrameCamera:
    angle = 0.1 * number
    world = np.eye(4)
    world[:2, :2] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    world[:3, 3] = number, 2.5, -1 / 3
    projection = np.zeros((3, 4))
    projection[0, 0], projection[1, 1] = 70.0 + number, 71.0
    projection[:2, 3 if orthographic else 2] = 31.5, 23.5
    projection[2, 3 if orthographic else 2] = 1.0
    return FrameCamera(
        f"camera {number}",
        64,
        48,
        projection,
        TO_OPENCV @ np.linalg.inv(world),
        world,
        0.1,
        100.0,
        5.5 if orthographic else None,
    )


def record(frame: int, camera: FrameCamera, film: FrameCamera | None = None) -> dict[str, Any]:
    return {
        "frame": frame,
        "resolution": [64, 48],
        "moved_by": [0.0, 0.0, 12000.0],
        "camera": camera.as_dict() | {"blender": {"lens": 35.0}},
        "film_camera": None if film is None else film.as_dict() | {"blender": {"lens": 50.0}},
    }


@pytest.fixture
def clip(tmp_path: Path) -> ClipFiles:
    records = [
        record(3, posed(1)),
        record(5, posed(2), film=posed(7)),
        record(7, posed(3, orthographic=True), film=posed(4, orthographic=True)),
    ]
    for one in records:
        cameras.write_record(tmp_path, "ball", one["frame"], {k: v for k, v in one.items() if k != "frame"})
    read = [cameras.read_record(tmp_path, "ball", frame) for frame in (3, 5, 7)]
    assert read == records
    cameras.write_cameras(tmp_path, "test", "ball", read)
    return ClipFiles(tmp_path, "test", "ball")


def same(one: FrameCamera, other: FrameCamera) -> bool:
    return one.as_dict() == other.as_dict()


def test_cameras_are_read_back_to_the_last_bit(clip: ClipFiles) -> None:
    assert clip.cameras.frames == (3, 5, 7)
    assert same(clip.camera(3), posed(1))
    assert same(clip.camera(3, film=True), posed(1))
    assert same(clip.camera(5), posed(2))
    assert same(clip.camera(5, film=True), posed(7))
    assert same(clip.camera(7), posed(3, orthographic=True))
    assert clip.camera(7).K is None
    with pytest.raises(DatasetError, match="no camera of frame 4"):
        clip.camera(4)


def test_the_files_need_nothing_but_numpy_and_json(clip: ClipFiles) -> None:
    described, arrays = (clip.root / f"test/Camera/ball.{suffix}" for suffix in ("json", "npz"))
    assert (described, arrays) == layout.camera_files(clip.root, "test", "ball")
    with np.load(arrays, allow_pickle=False) as there:
        assert there["frames"].tolist() == [3, 5, 7]
        assert there["K"][0].tolist() == [[71, 0, 31.5], [0, 71, 23.5], [0, 0, 1]]
        # an orthographic camera has no intrinsics, and a perspective one no scale
        assert np.isnan(there["K"][2]).all()
        assert np.isnan(there["orthographic_scale"][:2]).all()
        assert there["orthographic_scale"][2] == 5.5
        assert there["projection"][2].tolist() == [[73, 0, 0, 31.5], [0, 71, 0, 23.5], [0, 0, 0, 1]]
        assert there["film_name"].tolist() == ["", "camera 7", "camera 4"]
        assert there["moved_by"].tolist() == [0, 0, 12000]
    written = json.loads(described.read_text())
    assert written["resolution"] == [64, 48]
    assert "centres of pixels at whole numbers" in written["conventions"]["pixels"]
    first, _, last = written["frames"]
    assert first["camera"]["blender"] == {"lens": 35.0}
    assert first["film_camera"] is None
    assert first["camera"]["world_to_camera"] == posed(1).world_to_camera.tolist()
    assert last["camera"]["K"] is None
    assert last["camera"]["orthographic_scale"] == 5.5
    assert cameras.parse_cameras(written) == clip.cameras.as_dicts()


def lacks(name: str) -> Callable[[dict[str, Any]], object]:
    return lambda written: written["camera"].pop(name)


@pytest.mark.parametrize(
    "spoil",
    [
        lacks("world_to_camera"),
        lambda one: one["camera"].update(near=200.0),
        lambda one: one["camera"].update(orthographic_scale=3.0),
        lambda one: one["camera"].update(projection=[[1.0]]),
        # the axes of the one for those of the other
        lambda one: one["camera"].update(world_to_camera=np.linalg.inv(posed(1).matrix_world).tolist()),
        lambda one: one.update(frame=4),
        lambda one: one.pop("film_camera"),
    ],
)
def test_what_is_no_camera_is_refused(clip: ClipFiles, spoil: Callable[[dict[str, Any]], object]) -> None:
    path = layout.camera_record(clip.root, "ball", 3)
    written = json.loads(path.read_text())
    spoil(written)
    path.write_bytes(files.json_bytes(written))
    with pytest.raises(DatasetError, match="holds no camera"):
        cameras.read_record(clip.root, "ball", 3)


def test_a_file_without_one_of_its_frames_is_refused(clip: ClipFiles) -> None:
    _, path = layout.camera_files(clip.root, "test", "ball")
    arrays = files.read_arrays(path, cameras.ARRAYS)
    arrays["near"] = arrays["near"][:2]
    files.write_arrays(path, arrays)
    with pytest.raises(DatasetError, match="not of the same frames"):
        cameras.read_cameras(clip.root, "test", "ball")
    path.unlink()
    assert cameras.frames_of_cameras(*layout.camera_files(clip.root, "test", "ball")) == ()
    with pytest.raises(DatasetError, match="is missing"):
        cameras.read_cameras(clip.root, "test", "ball")


def test_how_well_flow_agrees_is_read_back(tmp_path: Path) -> None:
    assert cameras.read_reprojection(tmp_path, "ball", 1, 2) == {"error": None, "compared": None}
    for error in (None, 0.0, 1e-5, 1e9):
        cameras.write_reprojection(tmp_path, "ball", 1, 2, error, 0.25)
        assert cameras.read_reprojection(tmp_path, "ball", 1, 2) == {"error": error, "compared": 0.25}
    layout.reprojection(tmp_path, "ball", 1, 2).write_text("[]")
    assert cameras.read_reprojection(tmp_path, "ball", 1, 2) == {"error": None, "compared": None}
