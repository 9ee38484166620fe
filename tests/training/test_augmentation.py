"""An augmented pair has the flow that it must have: by formula where the motion is one, else the mark for unknown."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from animerun_gen.training.augmentation import FlowFinish, erased, mirrored, recolored, scaled
from animerun_gen.training.flow_config import Augmentation

STILL = Augmentation(brightness=0, contrast=0, saturation=0, hue=0, erase=0)


def place_picture(height: int, width: int) -> Any:
    """A picture whose pixels say where they are: red is x, green is y, in steps that survive being drawn between."""
    picture = np.zeros((height, width, 3), np.uint8)
    picture[..., 0] = np.arange(width)
    picture[..., 1] = np.arange(height)[:, None]
    return picture


def affine(height: int, width: int) -> Any:
    """A motion that is one formula over the whole picture: u = 3 + x / 20 - y / 50, v = -2 + x / 40."""
    x, y = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    return np.stack([3 + x / 20 - y / 50, -2 + x / 40], axis=-1).astype(np.float32)


def pair(height: int = 120, width: int = 200, flow: Any = None, valid: Any = None) -> Any:
    flow = affine(height, width) if flow is None else flow
    valid = np.ones((height, width), bool) if valid is None else valid
    picture = place_picture(height, width)
    return {"images": [picture, picture], "flows": [flow], "valids": [np.uint8(255) * valid[..., None]]}


@pytest.mark.parametrize("size", [(60, 100), (180, 250), (120, 377), (97, 200)])
def test_scaled_flow_leads_where_the_scaled_point_goes(size: tuple[int, int]) -> None:
    height, width = 120, 200
    ones = np.ones((height, width), bool)
    picture = place_picture(height, width)
    *_, flow, valid = scaled(picture, picture, affine(height, width), ones, size)
    # where each new pixel was in the old picture, and where the film's motion takes it
    across, down = size[1] / width, size[0] / height
    x, y = np.meshgrid((np.arange(size[1]) + 0.5) / across - 0.5, (np.arange(size[0]) + 0.5) / down - 0.5)
    x, y = np.clip(x, 0, width - 1), np.clip(y, 0, height - 1)
    truth = np.stack([(3 + x / 20 - y / 50) * across, (-2 + x / 40) * down], axis=-1)
    assert valid.all()
    assert flow.shape == (*size, 2)
    assert np.abs(flow - truth).max() < 2e-3


@pytest.mark.parametrize("size", [(60, 100), (333, 511), (101, 199)])
def test_flow_is_never_drawn_over_an_edge_or_with_unknown_flow(size: tuple[int, int]) -> None:
    """Two surfaces and a hole: every known flow that comes out is one of the two, to the bit."""
    height, width = 120, 200
    flow = np.zeros((height, width, 2), np.float32)
    flow[:, :90] = (40, -8)
    flow[:, 90:] = (-25, 4)
    valid = np.ones((height, width), bool)
    valid[50:70, 40:140] = False
    flow[~valid] = 0
    picture = place_picture(height, width)
    *_, found, known = scaled(picture, picture, flow, valid, size)
    ratio = np.array([size[1] / width, size[0] / height], np.float32)
    surfaces = {tuple(np.array(one, np.float32) * ratio) for one in ((40, -8), (-25, 4))}
    assert {tuple(one) for one in found[known]} == surfaces
    assert not found[~known].any()
    assert known.mean() == pytest.approx(valid.mean(), abs=0.02)


def test_a_scaled_pixel_keeps_the_flow_of_what_it_shows() -> None:
    """The edge between two surfaces stays where the picture has it, to half a pixel of the old one."""
    height, width = 100, 160
    flow = np.zeros((height, width, 2), np.float32)
    flow[:, 70:] = (30, 0)
    picture = np.zeros((height, width, 3), np.uint8)
    picture[:, 70:] = 255
    first, _, found, _ = scaled(picture, picture, flow, np.ones((height, width), bool), (250, 400))
    assert np.array_equal(found[..., 0] > 0, first[..., 0] > 127)


def test_mirrored_flow_leads_to_the_mirrored_point() -> None:
    height, width = 30, 50
    picture, flow = place_picture(height, width), affine(height, width)
    valid = np.random.default_rng(0).random((height, width)) > 0.2
    for axis in (0, 1):
        first, _, turned, known = mirrored(picture, picture, flow, valid, axis)
        for row, column in ((0, 0), (7, 31), (29, 49)):
            old = (29 - row, column) if axis == 0 else (row, 49 - column)
            assert np.array_equal(first[row, column], picture[old])
            assert known[row, column] == valid[old]
            u, v = flow[old]
            assert turned[row, column].tolist() == ([u, -v] if axis == 0 else [-u, v])
    again = mirrored(*mirrored(picture, picture, flow, valid, 1), 1)
    assert np.array_equal(again[2], flow)


def test_an_augmented_pair_shows_what_its_flow_says() -> None:
    """The colours of each pixel say where it was in the film; the formula says where that goes; so must the flow."""
    finish = FlowFinish((96, 64), STILL.model_copy(update={"flip_vertically": 0.5}))
    seen = set()
    for seed in range(40):
        rng = np.random.default_rng(seed)
        first, second, flow, valid = finish.arrays(pair(), rng)
        assert first.shape == second.shape == (64, 96, 3)
        assert valid.all()
        # by fitting: which old x, y each new pixel shows, as a line of the column and one of the row
        columns = np.polyfit(np.arange(20, 76), first[20:44, 20:76, 0].mean(axis=0), 1)
        rows = np.polyfit(np.arange(20, 44), first[20:44, 20:76, 1].mean(axis=1), 1)
        seen.add((columns[0] > 0, rows[0] > 0))
        x, y = np.polyval(columns, np.arange(96))[None], np.polyval(rows, np.arange(64))[:, None]
        u, v = (3 + x / 20 - y / 50) / columns[0], (-2 + x / 40 + 0 * y) / rows[0]
        assert np.abs(flow - np.stack([u, v], axis=-1))[8:-8, 8:-8].max() < 0.15
    assert len(seen) == 4


def test_what_is_unknown_stays_unknown_whatever_stands_there() -> None:
    height, width = 80, 100
    flow = affine(height, width)
    valid = np.ones((height, width), bool)
    flow[10:20, 10:20], valid[10:20, 10:20] = np.nan, False
    flow[40:50, 40:90], valid[40:50, 40:90] = 1e10, False
    # nobody says so of this one
    flow[60, 60] = np.inf
    finish = FlowFinish((64, 48), Augmentation())
    unknown = 0
    for seed in range(20):
        *_, found, known = finish.arrays(pair(height, width, flow, valid), np.random.default_rng(seed))
        assert np.isfinite(found).all()
        assert np.abs(found).max() < 100
        assert not found[~known].any()
        unknown += int((~known).sum())
    assert unknown > 20 * 50


def test_the_crop_always_fits() -> None:
    """Also where pictures are smaller than it, and not scaled by chance."""
    for settings in (None, STILL, STILL.model_copy(update={"scale_share": 0.0})):
        for seed in range(10):
            first, *_, valid = FlowFinish((150, 90), settings).arrays(pair(70, 60), np.random.default_rng(seed))
            assert first.shape == (90, 150, 3)
            assert valid.shape == (90, 150)


def test_scales_are_those_that_are_asked_for() -> None:
    """Their powers of two lie within the range, and fill it; stretched ones lie beyond it by the stretch at most."""
    finish = FlowFinish((16, 16), STILL.model_copy(update={"scale_share": 1.0}))
    powers = np.log2(
        [finish._size((400, 600), np.random.default_rng(seed)) / np.array([400, 600]) for seed in range(300)]
    )
    assert powers.min() > -0.2 - 0.2 - 0.01
    assert powers.max() < 0.6 + 0.2 + 0.01
    assert powers.mean() == pytest.approx(0.2, abs=0.05)
    assert 0.1 < np.abs(powers[:, 0] - powers[:, 1]).max() <= 0.41


def test_the_same_seed_gives_the_same_pair() -> None:
    finish = FlowFinish((64, 48), Augmentation())
    one, other, third = ([*finish.arrays(pair(), np.random.default_rng(seed))] for seed in (5, 5, 6))
    assert all(bool(np.all(a == b)) for a, b in zip(one, other, strict=True))
    assert not np.all(one[0] == third[0])


def test_colours_change_alike_in_both_pictures_or_not_at_all() -> None:
    picture = np.random.default_rng(0).integers(0, 256, (20, 30, 3), dtype=np.uint8)
    pairs = [recolored(picture, picture, Augmentation(), np.random.default_rng(seed)) for seed in range(200)]
    alike = [bool((pair[0] == pair[1]).all()) for pair in pairs]
    assert np.mean(alike) == pytest.approx(0.8, abs=0.08)
    same = recolored(picture, picture, STILL, np.random.default_rng(0))
    # hue and back goes through numbers of 32 bits
    assert np.abs(same[0].astype(int) - picture).max() <= 1


def test_brightness_alone_is_a_factor() -> None:
    picture = np.full((8, 8, 3), 100, np.uint8)
    settings = STILL.model_copy(update={"brightness": 0.4, "asymmetric": 1.0})
    values = [
        int(recolored(picture, picture, settings, np.random.default_rng(seed))[0][0, 0, 0]) for seed in range(200)
    ]
    assert 60 <= min(values) < 66
    assert 134 < max(values) <= 140


def test_boxes_of_the_mean_colour_are_erased() -> None:
    picture = np.random.default_rng(1).integers(0, 256, (200, 300, 3), dtype=np.uint8)
    mean = np.rint(picture.reshape(-1, 3).mean(axis=0)).astype(np.uint8)
    before = picture.copy()
    changed = 0
    for seed in range(100):
        found = erased(picture, Augmentation(), np.random.default_rng(seed))
        where = (found != picture).any(axis=-1)
        changed += bool(where.any())
        assert (found[where] == mean).all()
        assert where.sum() <= 2 * 99 * 99
    assert changed == pytest.approx(50, abs=15)
    assert np.array_equal(picture, before)
