from __future__ import annotations

import doctest
from dataclasses import replace
from itertools import pairwise

import cv2
import numpy as np
import pytest

from animerun_gen.dataset import STROKE_KINDS, Amodal, AmodalObject, pack_mask
from animerun_gen.lines.kinds import LineKind
from animerun_gen.report import drawing
from animerun_gen.report.encode import decode_index, shrink_labels
from tests.report.clips import LAYERS, OBJECTS, SIZE, drawing_files, strokes_of


def unpacked_strokes(data: bytes) -> list[tuple[int, bool, np.ndarray]]:
    """Kind, whether hidden, and points of each, as the page's script reads them."""
    numbers, value, factor = [], 0, 1
    for byte in data:
        value += (byte & 127) * factor
        factor *= 128
        if byte < 128:
            numbers.append(value)
            value, factor = 0, 1
    found, place, last = [], 0, np.zeros(2)
    while place < len(numbers):
        kind, count = numbers[place : place + 2]
        steps = np.array(numbers[place + 2 : place + 2 + 2 * count]).reshape(-1, 2)
        points = last + np.cumsum(np.where(steps % 2, -(steps + 1) / 2, steps / 2), axis=0) / drawing.FRACTIONS
        found.append((kind % drawing.HIDDEN_STROKE, kind >= drawing.HIDDEN_STROKE, points))
        last = points[-1]
        place += 2 + 2 * count
    return found


def distance_to(line: np.ndarray, point: np.ndarray) -> float:
    """From a point to a chain of straight pieces."""
    nearest = np.inf
    for a, b in pairwise(line):
        along = np.clip((point - a) @ (b - a) / max((b - a) @ (b - a), 1e-12), 0, 1)
        nearest = min(nearest, float(np.hypot(*(a + along * (b - a) - point))))
    return nearest


def test_the_example_runs() -> None:
    assert doctest.testmod(drawing).failed == 0


def test_every_kind_and_tone_has_a_name_and_a_colour_of_its_own() -> None:
    assert set(drawing.KINDS) == set(LineKind)
    assert set(drawing.STROKES) == set(STROKE_KINDS)
    assert set(drawing.TONES) == {0, 1, 2, 3}
    for table in (drawing.KINDS, drawing.TONES):
        colors = np.array([color for _, color in table.values()], int)
        assert len({name for name, _ in table.values()}) == len(table)
        apart = np.abs(colors[:, None] - colors).sum(axis=2) + 999 * np.eye(len(colors), dtype=int)
        assert apart.min() > 100


@pytest.mark.parametrize("size", [SIZE, (32, 20)])
def test_strokes_stay_within_the_tolerance(size: tuple[int, int]) -> None:
    strokes = strokes_of(10, SIZE, 6)
    # a smooth curve, of which most points can go, and which comes home
    angle = np.linspace(0, 2 * np.pi, 101)[:-1]
    circle = np.stack([30 + 15 * np.cos(angle), 20 + 15 * np.sin(angle)], axis=1)
    strokes = replace(
        strokes,
        position=np.concatenate([strokes.position, circle]),
        stroke_points=np.concatenate([strokes.stroke_points, np.arange(30, 130), [30]]).astype(np.int32),
        stroke_start=np.append(strokes.stroke_start, 131),
        kind=np.append(strokes.kind, 1).astype(np.uint8),
        hidden=np.append(strokes.hidden, True),
    )
    found = unpacked_strokes(drawing.pack_strokes(strokes, SIZE, size))
    assert [one[0] for one in found] == strokes.kind.tolist()
    assert [one[1] for one in found] == strokes.hidden.tolist()
    scale = size[0] / SIZE[0]
    rounding = 0.71 / drawing.FRACTIONS
    for number, (_, _, line) in enumerate(found):
        places = (strokes.polyline(number) + 0.5) * scale
        for point in places:
            assert distance_to(line, point) <= drawing.TOLERANCE + rounding
        assert np.abs(line[[0, -1]] - places[[0, -1]]).max() <= rounding
    assert len(found[-1][2]) < 60


def test_a_stroke_that_turns_back_on_itself_keeps_its_tip() -> None:
    strokes = replace(strokes_of(10, SIZE, 1), position=np.array([[0.0, 5], [20, 5], [30, 5], [25, 5], [8, 5]]))
    [(_, _, line)] = unpacked_strokes(drawing.pack_strokes(strokes, SIZE, SIZE))
    assert line[:, 0].max() == 30.5


def test_strokes_within_a_pixel_are_left_out() -> None:
    strokes = strokes_of(10, SIZE, 4)
    position = strokes.position.copy()
    for small in (0, 2, 3):
        position[5 * small : 5 * small + 5] = 7.0 + position[5 * small : 5 * small + 5] / 80
    found = unpacked_strokes(drawing.pack_strokes(replace(strokes, position=position), SIZE, SIZE))
    assert [(kind, hidden) for kind, hidden, _ in found] == [(strokes.kind[1], strokes.hidden[1])]
    none = replace(strokes_of(10, SIZE, 0), stroke_start=np.zeros(1, np.int64))
    assert drawing.pack_strokes(none, SIZE, SIZE) == b""


def test_a_stroke_far_outside_the_picture_is_kept_whole() -> None:
    count = 40_000
    # back and forth, so that no point can be left out
    zigzag = np.stack([np.arange(count) % 2 * 9.0 - 20_000.0, np.arange(count) / 1.0], axis=1)
    strokes = strokes_of(10, SIZE, 1)
    strokes = replace(
        strokes, position=zigzag, stroke_points=np.arange(count, dtype=np.int32), stroke_start=np.array([0, count])
    )
    [(_, _, line)] = unpacked_strokes(drawing.pack_strokes(strokes, SIZE, SIZE))
    np.testing.assert_array_equal(line, zigzag + 0.5)


@pytest.mark.parametrize("size", [SIZE, (20, 12)])
def test_whole_masks_come_back(size: tuple[int, int]) -> None:
    amodal: Amodal = drawing_files(10, SIZE)["amodal"]
    planes = [decode_index(plane) for plane in drawing.amodal_planes(amodal, size)]
    # of one layer no object covers another
    assert len(planes) == 2
    for number in OBJECTS:
        mask = np.any([plane == number for plane in planes], axis=0)
        np.testing.assert_array_equal(mask, shrink_labels(amodal.mask(number), size), err_msg=str(number))


def test_masks_that_overlap_are_in_planes_of_their_own() -> None:
    rows = np.arange(40)[:, None] + np.zeros(64, int)
    masks = {number: (rows >= number) & (rows < number + 15) for number in range(1, 26)}
    objects = tuple(
        AmodalObject(number, str(number), "set", int(mask.sum()), 0, (0, 0, 64, 40), pack_mask(mask))
        for number, mask in masks.items()
    )
    amodal = replace(drawing_files(10, SIZE)["amodal"], objects=objects)
    planes = [decode_index(plane) for plane in drawing.amodal_planes(amodal, SIZE)]
    # so many lie over each other
    assert len(planes) == 15
    for number, mask in masks.items():
        np.testing.assert_array_equal(np.any([plane == number for plane in planes], axis=0), mask)


def test_who_hides_whom_is_told_by_the_places_of_layers() -> None:
    amodal: Amodal = drawing_files(10, SIZE)["amodal"]
    facts = drawing.amodal_facts(amodal, LAYERS)
    assert [LAYERS[place] for place in facts["order"]] == ["set", "front"]
    assert facts["exact"] is False
    assert [(LAYERS[front], LAYERS[behind]) for front, behind, _ in facts["layer_pairs"]] == [("front", "set")]
    assert {one[0] for one in facts["objects"]} == set(OBJECTS)
    for layer in amodal.layers:
        assert facts["layers"][str(LAYERS.index(layer.name))] == [layer.area, layer.visible]
    # of a layer whose files are not there
    assert drawing.amodal_facts(amodal, ("set",))["layer_pairs"] == []
    assert drawing.amodal_facts(amodal, ("set",))["order"] == [0]


@pytest.mark.parametrize("size", [SIZE, (32, 20), (21, 13)])
def test_a_cel_keeps_its_hard_edge(size: tuple[int, int]) -> None:
    cel = drawing_files(10, SIZE)["cel@front"]
    data = drawing.encode_cel(cel, size, 60)
    shown = cv2.cvtColor(cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED), cv2.COLOR_BGRA2RGBA)
    assert shown.shape == (size[1], size[0], 4)
    np.testing.assert_array_equal(shown[..., 3], shrink_labels(cel, size)[..., 3])
    opaque = shown[..., 3] > 0
    np.testing.assert_array_equal(shown[opaque], shrink_labels(cel, size)[opaque])


def test_the_alpha_of_a_cel_is_never_lossy() -> None:
    rng = np.random.default_rng(0)
    cel = rng.integers(0, 256, (40, 64, 4), np.uint8)
    cel[..., 3] = np.where(rng.random((40, 64)) < 0.5, 255, 0)
    data = drawing.encode_cel(cel, SIZE, 50)
    shown = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    np.testing.assert_array_equal(shown[..., 3], cel[..., 3])


def test_the_map_of_cels_has_the_place_of_each() -> None:
    front = np.array([[True, False, False]])
    data = drawing.cel_map([front, None, ~front], (3, 1))
    assert data is not None
    assert decode_index(data).tolist() == [[1, 3, 3]]
    assert drawing.cel_map([None, None], (3, 1)) is None
    assert drawing.cel_map([], (3, 1)) is None
