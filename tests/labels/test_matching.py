from __future__ import annotations

import math
from collections import Counter
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from animerun_gen.conventions import UNKNOWN_FLOW
from animerun_gen.labels import match_regions

Labels = npt.NDArray[np.integer[Any]]
Pair = tuple[Labels, Labels, npt.NDArray[np.float32], npt.NDArray[np.bool_]]


def reference(source: Labels, target: Labels, flow: npt.NDArray[np.float32], occlusion: npt.NDArray[np.bool_]) -> Any:
    """The definition, one segment and one pixel after the other."""
    height, width = source.shape
    matches = []
    for label in range(source.max() + 1):
        votes: Counter[int] = Counter()
        for row, column in np.argwhere(source == label):
            around = source[max(row - 1, 0) : row + 2, max(column - 1, 0) : column + 2]
            u, v = (float(component) for component in flow[row, column])
            if np.any(around != label) or occlusion[row, column] or not (abs(u) < 1e9 and abs(v) < 1e9):
                continue
            x, y = math.floor(column + u + 0.5), math.floor(row + v + 0.5)
            if 0 <= x < width and 0 <= y < height:
                votes[int(target[y, x])] += 1
        matches.append(sorted(votes, key=lambda other: (-votes[other], other)) or [-1])
    return matches


@st.composite
def pairs(draw: st.DrawFn) -> Pair:
    """Frames of segments large enough to have an inside and of strokes too thin for one, with every kind of flow."""
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    height, width = draw(st.integers(1, 20)), draw(st.integers(1, 20))

    def segments() -> Labels:
        size = draw(st.integers(1, 9))
        coarse = random.integers(0, draw(st.sampled_from([1, 3, 50])), (height // size + 1, width // size + 1))
        fine: Labels = np.kron(coarse, np.ones((size, size), int))[:height, :width]
        for _ in range(draw(st.integers(0, 2))):
            row, column, thickness = random.integers((0, 0, 1), (height, width, 4))
            fine[row : row + thickness] = random.integers(0, 60)
            fine[:, column : column + thickness] = random.integers(0, 60)
        return fine.astype(draw(st.sampled_from([np.int32, np.int64, np.uint16])))

    # In quarters of a pixel, half of which lie as near to one pixel as to the next; more often than not with votes
    # enough for two targets to have equally many.
    reach = draw(st.sampled_from([0, 4, 40]))
    smooth = random.integers(-reach, reach + 1, 2) if draw(st.booleans()) else 0
    flow = (
        (random.integers(-reach, reach + 1, (height, width, 2)) // draw(st.sampled_from([1, 4])) + smooth) / 4
    ).astype(np.float32)
    for component in (0, 1):
        for mark in (UNKNOWN_FLOW, -UNKNOWN_FLOW, np.nan, np.inf):
            flow[random.random((height, width)) < draw(st.sampled_from([0, 0.03])), component] = mark
    flow[random.random((height, width)) < draw(st.sampled_from([0, 0.1, 1])) / 2] = UNKNOWN_FLOW
    return segments(), segments(), flow, random.random((height, width)) < draw(st.sampled_from([0, 0.2, 1]))


@given(pairs())
def test_equals_the_slow_reference(pair: Pair) -> None:
    assert match_regions(*pair) == reference(*pair)


def test_the_largest_share_comes_first_and_then_the_smaller_label() -> None:
    source = np.zeros((1, 7), np.int32)
    target = np.array([[3, 5, 5, 2, 3, 9, 5]], np.int32)
    flow, occlusion = np.zeros((1, 7, 2), np.float32), np.zeros((1, 7), bool)
    assert match_regions(source, target, flow, occlusion) == [[5, 3, 2, 9]]


def test_the_result_is_made_of_plain_integers() -> None:
    segments = np.zeros((3, 3), np.int32)
    matches = match_regions(segments, segments, np.zeros((3, 3, 2), np.float32), np.zeros((3, 3), bool))
    assert matches == [[0]]
    assert type(matches[0][0]) is int


def test_outlines_do_not_vote_but_the_border_of_the_frame_does() -> None:
    source = np.repeat([[0, 0, 0, 1, 1]], 3, axis=0).astype(np.int32)
    target = np.arange(15, dtype=np.int32).reshape(3, 5)
    flow, occlusion = np.zeros((3, 5, 2), np.float32), np.zeros((3, 5), bool)
    assert match_regions(source, target, flow, occlusion) == [[0, 1, 5, 6, 10, 11], [4, 9, 14]]


def test_a_segment_without_a_vote_is_unmatched() -> None:
    # 0 is occluded, 1 moves out of the frame, 2 has no pixels, 3 is thinner than 3 pixels, 4 is not known, 5 is fine.
    source = np.repeat([0, 0, 0, 1, 1, 1, 3, 4, 4, 4, 5, 5, 5], 3).reshape(13, 3).astype(np.int32)
    flow, occlusion = np.zeros((13, 3, 2), np.float32), np.zeros((13, 3), bool)
    source, flow, occlusion = source.T, flow.swapaxes(0, 1).copy(), occlusion.T.copy()
    occlusion[source == 0] = True
    flow[source == 1] = (-100, 0)
    flow[source == 4] = UNKNOWN_FLOW
    # The last column of 3 has none of its own kind beside it.
    assert match_regions(source, source, flow, occlusion) == [[-1], [-1], [-1], [-1], [-1], [5]]


def test_large_labels_need_no_large_table() -> None:
    source = np.full((3, 3), 1000, np.int32)
    target = np.full((3, 3), 2**31 - 1, np.int32)
    matches = match_regions(source, target, np.zeros((3, 3, 2), np.float32), np.zeros((3, 3), bool))
    assert matches[:1000] == [[-1]] * 1000
    assert matches[1000] == [2**31 - 1]


def test_arrays_of_any_memory_layout_give_the_same() -> None:
    random = np.random.default_rng(1)
    source, target = np.kron(random.integers(0, 9, (2, 4, 5)), np.ones((6, 6), int)).astype(np.int32)
    flow = random.integers(-12, 13, (24, 30, 2)).astype(np.float32) / 4
    occlusion = random.random((24, 30)) < 0.1
    expected = reference(source, target, flow, occlusion)
    assert match_regions(source, target, flow, occlusion) == expected
    turned = [np.asfortranarray(array) for array in (source, target, flow, occlusion)]
    assert match_regions(*turned) == expected


def test_wrong_arrays_are_refused_in_words() -> None:
    segments, flow, occlusion = np.zeros((3, 3), np.int32), np.zeros((3, 3, 2), np.float32), np.zeros((3, 3), bool)
    with pytest.raises(ValueError, match=r"target segments must have the shape \(3, 3\), not \(3, 4\)"):
        match_regions(segments, np.zeros((3, 4), np.int32), flow, occlusion)
    with pytest.raises(ValueError, match="the flow must have the shape"):
        match_regions(segments, segments, flow[:2], occlusion)
    with pytest.raises(ValueError, match="occlusion mask must be bool"):
        match_regions(segments, segments, flow, segments)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="negative"):
        match_regions(segments - 1, segments, flow, occlusion)
    with pytest.raises(ValueError, match="segments must be"):
        match_regions(flow, segments, flow, occlusion)  # type: ignore[arg-type]
