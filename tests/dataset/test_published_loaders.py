"""What loaders written for AnimeRun make of a dataset of ours.

They are rebuilt here from the description of the layout alone, with nothing of this package: files are listed with
sorted globs and paired by their position, so a missing or superfluous file anywhere would shift everything after it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from animerun_gen.conventions import UNKNOWN_FLOW
from animerun_gen.dataset import MODALITIES, ClipWriter, written_aside

CUTS = {("train", "fight"): (98, 99, 100, 101), ("train", "run"): (1, 3, 5), ("test", "jump"): (9997, 9998, 9999)}
HEIGHT, WIDTH = 6, 8


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A dataset in which every file says which frame it belongs to: its first pixel, flow or match is the number."""
    for (split, cut), frames in CUTS.items():
        writer = ClipWriter(tmp_path, split, cut)
        for what in (what for what in MODALITIES if what.content not in ("surfaces", "strokes", "amodal", "line_ink")):
            for frame in what.frames(frames):
                writer.write(what.name, frame, numbered(what.content, what.dtype, what.shape, frame))
        writer.write_names("object_id", {"0": "background"})
    with written_aside(tmp_path / "quality" / "fight.json") as file:
        file.write_text("{}")
    (tmp_path / ".animerun-gen").mkdir()
    return tmp_path


def numbered(content: str, dtype: str, shape: tuple[str | int, ...], frame: int) -> Any:
    if content == "matches":
        return [[frame, 1], [-1], [0]]
    array = np.zeros([side if isinstance(side, int) else {"H": HEIGHT, "W": WIDTH}[side] for side in shape], dtype)
    if content in ("mask", "inverted_mask"):
        mask = array.astype(bool)
        # Occluded, near a line, valid: one more pixel for each frame of the cut
        mask.flat[: frame % 10 + 1] = True
        return mask
    array.flat[0] = frame % 251 if dtype == "uint8" else frame
    if content == "flow":
        array[2, 3] = (1.5, -0.25)
        array[4, 5] = UNKNOWN_FLOW
    if dtype == "int32":
        array[:] = np.arange(HEIGHT * WIDTH).reshape(HEIGHT, WIDTH) % 3
        array.flat[0] = 0
    return array


@dataclass
class Pair:
    first: npt.NDArray[Any]
    second: npt.NDArray[Any]
    flow: npt.NDArray[Any]
    visible: npt.NDArray[Any]
    flat_area: npt.NDArray[Any]
    segments: tuple[npt.NDArray[Any], npt.NDArray[Any]]
    match: npt.NDArray[Any]


def middlebury(path: Path) -> npt.NDArray[Any]:
    raw = np.fromfile(path, "<f4")
    assert raw[0] == np.float32(202021.25)
    width, height = (int(side) for side in raw[1:3].view("<i4"))
    return raw[3:].reshape(height, width, 2)


def first_matches(path: Path) -> npt.NDArray[Any]:
    table = json.loads(path.read_text())
    best = np.full(len(table), -9)
    for segment, targets in table.items():
        best[int(segment)] = targets[0]
    return best


def load(root: Path, split: str, cut: str, direction: str = "forward") -> list[Pair]:
    """All pairs of a cut by position, as the training and evaluation code of others enumerates them."""
    base = root / split
    step = 1 if direction == "forward" else -1
    frames = sorted((base / "Frame_Anime" / cut / "original").glob("*.png"))[::step]
    segments = sorted((base / "Segment" / cut).glob("*.npy"))[::step]
    flows = sorted((base / "Flow" / cut / direction).glob("*.flo"))[::step]
    visible = sorted((base / f"Unmatched{direction.capitalize()}" / cut).glob("*.npy"))[::step]
    matches = sorted((base / "SegMatching" / cut / direction).glob("*.json"))[::step]
    # Line areas are found by the names of the forward occlusions.
    lines = [base / "LineArea" / cut / path.name for path in sorted((base / "UnmatchedForward" / cut).glob("*.npy"))]
    assert len(frames) == len(segments) == len(sorted((base / "contour" / cut).glob("*.png")))
    assert len(flows) == len(visible) == len(matches) == len(lines) == len(frames) - 1
    return [
        Pair(
            np.asarray(Image.open(frames[i])),
            np.asarray(Image.open(frames[i + 1])),
            middlebury(flows[i]),
            np.load(visible[i]),
            np.load(lines[i]),
            (np.load(segments[i]), np.load(segments[i + 1])),
            first_matches(matches[i]),
        )
        for i in range(len(flows))
    ]


@pytest.mark.parametrize(("split", "cut"), CUTS)
@pytest.mark.parametrize("direction", ["forward", "backward"])
def test_files_meet_by_position(root: Path, split: str, cut: str, direction: str) -> None:
    frames = CUTS[split, cut] if direction == "forward" else CUTS[split, cut][::-1]
    pairs = load(root, split, cut, direction)
    assert len(pairs) == len(frames) - 1
    for pair, source, target in zip(pairs, frames, frames[1:], strict=False):
        assert pair.first.shape == (HEIGHT, WIDTH, 3)
        assert (pair.first.flat[0], pair.second.flat[0]) == (source % 251, target % 251)
        assert pair.flow.flat[0] == source
        assert pair.flow[2, 3].tolist() == [1.5, -0.25]
        # 1 counts as visible, 0 as occluded
        assert np.sum(pair.visible == 0) == source % 10 + 1
        assert set(np.unique(pair.visible)) == {0, 1}


@pytest.mark.parametrize(("split", "cut"), CUTS)
def test_frames_and_labels_meet_by_stem(root: Path, split: str, cut: str) -> None:
    base = root / split
    stems = sorted(path.stem for path in (base / "Frame_Anime" / cut / "original").iterdir())
    for folder in ("contour/{}", "Segment/{}", "Flat/{}", "Depth/{}"):
        assert sorted(path.stem for path in (base / folder.format(cut)).iterdir()) == stems
    for folder in ("UnmatchedForward/{}", "LineArea/{}", "Flow/{}/forward", "SegMatching/{}/forward"):
        assert sorted(path.stem for path in (base / folder.format(cut)).iterdir()) == stems[:-1]
    for folder in ("UnmatchedBackward/{}", "Flow/{}/backward", "SegMatching/{}/backward"):
        assert sorted(path.stem for path in (base / folder.format(cut)).iterdir()) == stems[1:]


@pytest.mark.parametrize(("split", "cut"), CUTS)
def test_line_areas_bear_the_names_of_occlusions(root: Path, split: str, cut: str) -> None:
    for pair, source in zip(load(root, split, cut), CUTS[split, cut], strict=False):
        # 0 counts as line, everything above as flat
        assert np.sum(pair.flat_area == 0) == source % 10 + 1
        assert np.sum(pair.flat_area > 0) == HEIGHT * WIDTH - source % 10 - 1


@pytest.mark.parametrize(("split", "cut"), CUTS)
def test_every_segment_has_a_first_match(root: Path, split: str, cut: str) -> None:
    for pair, source in zip(load(root, split, cut), CUTS[split, cut], strict=False):
        labels = np.unique(pair.segments[0])
        assert labels.tolist() == list(range(len(pair.match)))
        assert pair.match.tolist() == [source, -1, 0]


def test_unknown_flow_counts_as_invalid(root: Path) -> None:
    for pair in load(root, "train", "fight"):
        valid = (np.abs(pair.flow[..., 0]) < 1000) & (np.abs(pair.flow[..., 1]) < 1000)
        assert np.argwhere(~valid).tolist() == [[4, 5]]


def test_every_folder_of_frames_is_a_cut(root: Path) -> None:
    found = {(path.parts[-3], path.name) for path in root.glob("*/Frame_Anime/*")}
    assert found == set(CUTS)
