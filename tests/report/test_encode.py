from __future__ import annotations

import cv2
import numpy as np
import pytest

from animerun_gen.conventions import UNKNOWN_FLOW
from animerun_gen.quality.colors import flow_to_color
from animerun_gen.report import encode


@pytest.mark.parametrize("largest", [1, 255, 256, 65535, (1 << 24) - 1])
@pytest.mark.parametrize("shape", [(1, 1), (37, 53), (64, 64)])
def test_label_maps_come_back_exactly(largest: int, shape: tuple[int, int]) -> None:
    plane = np.random.default_rng(largest).integers(0, largest, shape, endpoint=True)
    plane.flat[0] = largest
    data = encode.encode_index(plane)
    assert data[:4] == b"RIFF"
    np.testing.assert_array_equal(encode.decode_index(data), plane)
    # as the page reads it: red the low byte
    rgb = cv2.cvtColor(cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)
    np.testing.assert_array_equal(rgb.astype(np.int64) @ [1, 256, 65536], plane)


@pytest.mark.parametrize("number", [-1, 1 << 24])
def test_numbers_that_do_not_fit_are_refused(number: int) -> None:
    with pytest.raises(ValueError, match="numbers from 0"):
        encode.encode_index(np.array([[number]]))


def test_flat_colors_are_kept_exactly_and_noise_is_not() -> None:
    rng = np.random.default_rng(0)
    flat = np.kron(rng.integers(0, 256, (4, 6, 3)), np.ones((16, 16, 1))).astype(np.uint8)
    data = encode.encode_picture(flat, 50)
    decoded = cv2.cvtColor(cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)
    np.testing.assert_array_equal(decoded, flat)
    noise = rng.integers(0, 256, (64, 96, 3), np.uint8)
    assert len(encode.encode_picture(noise, 50)) < noise.size / 2


@pytest.mark.parametrize("step", [1, 4, 8, 16])
def test_the_colors_of_flow_are_rounded_and_nothing_else(step: int) -> None:
    # smooth motion with an edge that no block of 4, 8 or 16 pixels shares: a lossy picture leaks over it
    rows, columns = np.mgrid[0:61, 0:93]
    flow = np.stack([np.sin(columns / 20) * 8, np.cos(rows / 15) * 8], axis=-1).astype(np.float32)
    flow[13:30, 21:50] = (-9, 3)
    flow[40:51, 9:30] = UNKNOWN_FLOW
    colors = flow_to_color(flow, 9.0)
    data = encode.encode_flow(colors, step)
    decoded = cv2.cvtColor(cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)
    assert np.abs(decoded.astype(int) - colors).max() <= step // 2
    assert (decoded[40:51, 9:30] == 0).all()
    assert (decoded[13:30, 21:50] == decoded[13, 21]).all()
    white = np.full((4, 4, 3), 255, np.uint8)
    assert encode.encode_flow(white, step) == encode.encode_flow(white, 1)
    lossy = cv2.imencode(".webp", cv2.cvtColor(colors, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_WEBP_QUALITY, 75])[1]
    leaked = cv2.cvtColor(cv2.imdecode(lossy, cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)
    assert np.abs(leaked.astype(int) - colors).max() > 16


def test_rounding_makes_the_colors_of_flow_smaller() -> None:
    rows, columns = np.mgrid[0:90, 0:160]
    flow = np.stack([np.sin(columns / 20) * 8, np.cos(rows / 15) * 8], axis=-1).astype(np.float32)
    sizes = [len(encode.encode_flow(flow_to_color(flow, 9.0), step)) for step in (1, 4, 8, 16)]
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[1] < 0.8 * sizes[0]


def test_warp_levels_rise_with_the_difference() -> None:
    difference = np.array([[0.0, 0.001, 0.05, 0.1, encode.WARP_FULL, 0.9, np.nan]])
    levels = encode.warp_levels(difference)[0]
    assert levels[-1] == 0
    assert levels[0] == levels[1] == 1
    assert 1 < levels[2] < levels[3] < levels[4] == levels[5] == encode.WARP_LEVELS


def test_brightness_tells_the_order_of_the_warp_colors() -> None:
    palette = encode.warp_palette()
    assert palette.shape == (encode.WARP_LEVELS + 1, 3)
    brightness = palette[1:] @ np.array([0.299, 0.587, 0.114])
    assert (np.diff(brightness) > 0).all()
    assert tuple(palette[1]) == (0, 0, 0)
    # what cannot be compared is told from every difference
    assert np.abs(palette[1:].astype(int) - encode.NOTHING_TO_COMPARE).sum(axis=1).min() > 60


@pytest.mark.parametrize("size", [(20, 12), (16, 5), (7, 3), (1, 1)])
def test_shrinking_picks_labels_and_keeps_lone_maxima(size: tuple[int, int]) -> None:
    height, width = 12, 20
    labels = np.arange(height * width).reshape(height, width)
    small = encode.shrink_labels(labels, size)
    assert small.shape == size[::-1]
    rows, columns = np.divmod(small, width)
    # the centre of each lies in its new pixel
    assert ((2 * rows + 1) * size[1] // (2 * height) == np.arange(size[1])[:, None]).all()
    assert ((2 * columns + 1) * size[0] // (2 * width) == np.arange(size[0])).all()
    for place in np.random.default_rng(0).integers(0, labels.size, 10):
        levels = np.ones(labels.shape, np.uint8)
        levels.flat[place] = 9
        assert encode.shrink_maxima(levels, size).max() == 9


def test_shrinking_to_the_same_size_changes_nothing() -> None:
    picture = np.random.default_rng(0).integers(0, 256, (12, 20, 3), np.uint8)
    np.testing.assert_array_equal(encode.shrink_colors(picture, (20, 12)), picture)
    assert (
        encode.shrink_colors(np.full((12, 20, 3), 77, np.uint8), (10, 6)).tolist() == np.full((6, 10, 3), 77).tolist()
    )
