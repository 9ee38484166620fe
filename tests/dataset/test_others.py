"""Other people's datasets are read as what they mean, from small trees in their forms."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import OpenEXR
import pytest

from animerun_gen.dataset import files, others
from animerun_gen.dataset.pairs import SampleFiles, read_sample
from animerun_gen.errors import DatasetError, NoDatasetError
from tests.dataset import other_trees
from tests.dataset.other_trees import motion, picture, row_of

UNKNOWN = np.zeros((other_trees.HEIGHT, other_trees.WIDTH), bool)
UNKNOWN[1, 2] = True


def write_exr(path: Path, flow: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    channels = {"R": flow[..., 0].copy(), "G": flow[..., 1].copy(), "B": np.full_like(flow[..., 0], 99)}
    header = {"compression": OpenEXR.ZIP_COMPRESSION, "type": OpenEXR.scanlineimage}
    with OpenEXR.File(header, channels) as file:
        file.write(str(path))


def check(sample: SampleFiles, pictures: str, frames: tuple[int, ...], style: int = 0, invalid: Any = UNKNOWN) -> Any:
    """Hold a sample against what was written; returns it."""
    found = read_sample(sample, pictures)
    for image, frame in zip(found["images"], frames, strict=True):
        assert np.array_equal(image, picture(frame, style))
    if sample.flows:
        [flow], [valid] = found["flows"], found["valids"]
        wanted = motion(*frames)
        wanted[1, 2] = 0
        assert np.array_equal(flow, wanted)
        assert np.array_equal(valid[..., 0] == 0, invalid)
    return found


def test_sintel(tmp_path: Path) -> None:
    other_trees.sintel(tmp_path / "Sintel")
    samples, left_out = others.find_sintel(tmp_path)
    assert [(sample.meta["scene"], sample.meta["frames"]) for sample in samples] == [
        (scene, (f"frame_{n:04d}", f"frame_{n + 1:04d}")) for scene in ("alley", "bamboo") for n in (1, 2)
    ]
    for index, sample in enumerate(samples):
        source = index % 2 + 1
        for style, name in enumerate(("clean", "final")):
            found = check(sample, name, (source, source + 1), style, UNKNOWN | row_of(source, 5))
            assert np.array_equal(found["occs"][0][..., 0] == 255, row_of(source, 0))
    assert left_out == []
    tests, _ = others.find_sintel(tmp_path / "Sintel", "test")
    assert len(tests) == 4
    assert "flows" not in check(tests[0], "final", (1, 2), 1)
    (tmp_path / "Sintel/training/flow/alley/frame_0001.flo").unlink()
    samples, left_out = others.find_sintel(tmp_path)
    assert (len(samples), left_out) == (3, ["alley frame_0001 has no flow"])


def test_flying_things(tmp_path: Path) -> None:
    other_trees.flying_things(tmp_path)
    samples, left_out = others.find_flying_things(tmp_path, directions=("into_future", "into_past"))
    assert [sample.meta["frames"] for sample in samples] == [(6, 7), (7, 8), (7, 6), (8, 7)]
    assert left_out == ["A/0000 8-9 has no pictures of both frames", "A/0000 6-5 has no pictures of both frames"]
    for sample in samples:
        check(sample, "frames_cleanpass", sample.meta["frames"])
        check(sample, "frames_finalpass", sample.meta["frames"], 1)
    assert [sample.meta["frames"] for sample in others.find_flying_things(tmp_path)[0]] == [(6, 7), (7, 8)]


@pytest.mark.parametrize(("split", "scene"), [("train", "ball"), ("test", "cat")])
def test_creative_flow(tmp_path: Path, split: str, scene: str) -> None:
    other_trees.creative_flow(tmp_path)
    samples, left_out = others.find_creative_flow(tmp_path, split)
    assert [(sample.meta["scene"], sample.meta["frames"]) for sample in samples] == [(scene, (0, 1)), (scene, (1, 2))]
    assert left_out == []
    for sample in samples:
        for style in (0, 1):
            check(sample, f"style{style}", sample.meta["frames"], style)
    # files are paired by their order, so a missing one spoils the scene
    next(tmp_path.glob(f"{split}/**/flow000000.flo")).unlink()
    samples, left_out = others.find_creative_flow(tmp_path, split)
    assert (samples, left_out) == ([], [f"{scene} has 1 files of flow, and no style with one frame more"])


def test_atd12k(tmp_path: Path) -> None:
    other_trees.atd12k(tmp_path)
    for split in ("train_10k", "test_2k_540p"):
        samples, left_out = others.find_atd12k(tmp_path, split)
        assert [sample.meta["scene"] for sample in samples] == ["a_1", "a_2"]
        assert left_out == []
        found = read_sample(samples[0], "frame")
        assert set(found) == {"images", "meta"}
        for image, frame in zip(found["images"], (1, 2, 3), strict=True):
            # JPEG changes colours a little; red and blue are told apart
            assert np.abs(image.astype(int) - picture(frame)).max() <= 4
    (tmp_path / "train_10k/a_1/frame2.jpg").unlink()
    samples, left_out = others.find_atd12k(tmp_path)
    assert (len(samples), left_out) == (1, ["a_1 has 2 of 3 frames"])
    torn = tmp_path / "train_10k/a_2/frame2.jpg"
    os.truncate(torn, torn.stat().st_size - 10)
    with pytest.raises(DatasetError, match=r"frame2\.jpg is not a complete JPEG file"):
        read_sample(samples[0], "frame")


@pytest.mark.parametrize("with_opencv", [False, True])
def test_linkto(tmp_path: Path, with_opencv: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    other_trees.linkto(tmp_path, write_exr)
    if with_opencv:
        monkeypatch.setattr(files, "_read_exr", files._read_exr_with_opencv)
    samples, left_out = others.find_linkto(tmp_path, "val")
    views = [f"street/model_1/{view}" for view in ("front", "side") for _ in range(2)]
    assert [sample.meta["scene"] for sample in samples] == views
    assert left_out == []
    for sample in samples:
        check(sample, "model_1_Rendering", sample.meta["frames"])
    # flow of the last frame, which leads nowhere, is left alone
    folder = tmp_path / "val/street/model_1/front/model_1_Optical_flow_exr"
    write_exr(folder / "0002.exr", motion(2, 3))
    assert len(others.find_linkto(tmp_path, "val")[0]) == 4
    (folder / "0001.exr").unlink()
    (folder / "0002.exr").unlink()
    samples, left_out = others.find_linkto(tmp_path, "val")
    assert len(samples) == 2
    assert left_out == ["street/model_1/front has 1 files of flow, and renderings of [3] frames"]


@pytest.mark.parametrize("with_opencv", [False, True])
def test_a_damaged_exr_is_named(tmp_path: Path, with_opencv: bool) -> None:
    read = files._read_exr_with_opencv if with_opencv else files._read_exr
    path = tmp_path / "a.exr"
    with pytest.raises(DatasetError, match=r"a\.exr is missing"):
        read(path)
    path.write_bytes(b"no picture")
    with pytest.raises(DatasetError, match=r"a\.exr (holds no flow|cannot be decoded)"):
        read(path)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is not a .pfm file of three channels"),
        (b"Pf\n8 6\n-1.0\n" + bytes(4 * 48), "is not a .pfm file of three channels"),
        (b"PF\n8 6\n-1.0\n" + bytes(12 * 48 - 1), "is not a complete .pfm file of 8 x 6"),
        (b"PF\n0 6\n-1.0\n", "is not a complete .pfm file of 0 x 6"),
    ],
)
def test_a_damaged_pfm_is_named(tmp_path: Path, content: bytes, said: str) -> None:
    (tmp_path / "a.pfm").write_bytes(content)
    with pytest.raises(DatasetError, match=said):
        files.read_any_flow(tmp_path / "a.pfm")


def test_flow_of_another_format_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.flo5").touch()
    with pytest.raises(DatasetError, match=r"is of no format that flow is read from \(\.flo, \.pfm, \.exr\)"):
        files.read_any_flow(tmp_path / "a.flo5")


@pytest.mark.parametrize(
    "find",
    [
        others.find_sintel,
        others.find_flying_things,
        others.find_creative_flow,
        others.find_atd12k,
        others.find_linkto,
    ],
)
def test_what_is_no_such_tree_is_named(tmp_path: Path, find: Any) -> None:
    with pytest.raises(NoDatasetError, match="is not there, so this is no tree of"):
        find(tmp_path)
