"""What is carried comes out as it went in: pictures to the bit, flow to half a part of a pixel, unknown as unknown."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import carry_pairs
import numpy as np
import pytest

from animerun_gen.dataset import ClipWriter, Dataset

SHAPE = (31, 45)


def written(root: Path, rng: np.random.Generator) -> dict[str, Any]:
    writer = ClipWriter(root, "train", "demo")
    known = rng.random(SHAPE) > 0.1
    flow = np.where(known[..., None], rng.normal(0, 60, (*SHAPE, 2)), 1e10).astype(np.float32)
    pictures = {}
    for frame in (7, 9):
        for name in ("frame", "color_1"):
            pictures[name, frame] = rng.integers(0, 256, (*SHAPE, 3), dtype=np.uint8)
            writer.write(name, frame, pictures[name, frame])
    for way, frame in (("forward", 7), ("backward", 9)):
        writer.write(f"flow_{way}", frame, flow)
        writer.write(f"valid_{way}", frame, known)
    masks = {name: rng.random(SHAPE) > 0.5 for name in carry_pairs.MASKS}
    for name, mask in masks.items():
        writer.write(name, 7, mask)
    return {"known": known, "flow": flow, "pictures": pictures, "masks": masks}


@pytest.mark.parametrize("parts", [16, 64])
def test_a_dataset_comes_out_as_it_went_in(tmp_path: Path, parts: int) -> None:
    wanted = written(tmp_path / "in", np.random.default_rng(parts))
    file = tmp_path / "demo.pairs"
    assert carry_pairs.pack(Dataset(tmp_path / "in"), file, [], [], both=True, parts=parts, masks=parts == 16) == 2
    assert carry_pairs.unpack(file, tmp_path / "out", workers=1 if parts == 16 else 2) == 2
    [clip] = Dataset(tmp_path / "out").clips()
    assert (clip.split, clip.cut, clip.frame_numbers) == ("train", "demo", (7, 9))
    for (name, frame), picture in wanted["pictures"].items():
        assert np.array_equal(clip.read(name, frame), picture)
    for name, mask in wanted["masks"].items():
        assert clip.has(name, 7) == (parts == 16)
        assert parts != 16 or np.array_equal(clip.read(name, 7), mask)
    known = wanted["known"]
    for way, frame in (("forward", 7), ("backward", 9)):
        assert np.array_equal(clip.read(f"valid_{way}", frame), known)
        flow = clip.read(f"flow_{way}", frame)
        assert np.abs(flow - wanted["flow"])[known].max() <= 0.5 / parts
        assert (flow[~known] > 1e9).all()


def test_a_motion_that_cannot_be_counted_is_unknown_and_nothing_else_is() -> None:
    flow = np.full((*SHAPE, 2), 5, np.float32)
    flow[3, 4] = (0, -3000)
    found, known = carry_pairs.decoded_flow(carry_pairs.encoded_flow(flow, np.ones(SHAPE, bool), 16))
    assert np.argwhere(~known).tolist() == [[3, 4]]
    assert (found[known] == 5).all()
    assert (found[3, 4] == 0).all()


def test_only_what_is_asked_for_is_carried(tmp_path: Path) -> None:
    written(tmp_path / "in", np.random.default_rng(0))
    file = tmp_path / "demo.pairs"
    assert carry_pairs.pack(Dataset(tmp_path / "in"), file, ["train"], [], both=False, parts=16) == 1
    assert carry_pairs.pack(Dataset(tmp_path / "in"), file, [], ["other"], both=True, parts=16) == 0
