from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from animerun_gen.quality import segment_figures
from animerun_gen.quality.segments import MIN_REGION

Labels = npt.NDArray[np.integer[Any]]
Frame = tuple[Labels, npt.NDArray[np.bool_], npt.NDArray[np.uint16], npt.NDArray[np.uint16]]


def reference(segments: Labels, lines: Any, object_id: Any, material_id: Any) -> dict[str, Any]:
    """The definition, one pixel after the other."""
    height, width = segments.shape
    paper = [(row, column) for row in range(height) for column in range(width) if not lines[row, column]]
    ids = {place: (int(object_id[place]), int(material_id[place])) for place in paper}

    regions: list[set[tuple[int, int]]] = []
    region_of: dict[tuple[int, int], int] = {}
    for place in paper:
        if place in region_of:
            continue
        regions.append(set())
        waiting = [place]
        while waiting:
            row, column = waiting.pop()
            if (row, column) in region_of or ids.get((row, column)) != ids[place]:
                continue
            region_of[row, column] = len(regions) - 1
            regions[-1].add((row, column))
            waiting += [(row - 1, column), (row + 1, column), (row, column - 1), (row, column + 1)]

    in_main, pieces = 0, Counter[int]()
    for segment in {int(segments[place]) for place in paper}:
        of_segment = [place for place in paper if segments[place] == segment]
        in_main += Counter(ids[place] for place in of_segment).most_common(1)[0][1]
        shared = Counter(region_of[place] for place in of_segment)
        pieces[min(shared, key=lambda region: (-shared[region], region))] += 1
    counted = [number for number, region in enumerate(regions) if len(region) >= MIN_REGION]
    return {
        "segments": len(set(segments.ravel().tolist())),
        "leaks": round(1 - in_main / len(paper), 9) if paper else None,
        "id_regions": len(counted),
        "pieces": round(sum(max(pieces[number], 1) for number in counted) / len(counted), 9) if counted else None,
    }


@st.composite
def frames(draw: st.DrawFn) -> Frame:
    """Blocks of segments and ids that agree in places only, with lines from none to everywhere."""
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    height, width = draw(st.integers(1, 24)), draw(st.integers(1, 24))

    def blocks(count: int) -> Labels:
        size = draw(st.integers(1, 12))
        coarse = random.integers(0, count, (height // size + 1, width // size + 1))
        fine: Labels = np.kron(coarse, np.ones((size, size), int))[:height, :width]
        return fine

    segments = blocks(draw(st.sampled_from([1, 3, 40])))
    object_id, material_id = (blocks(draw(st.sampled_from([1, 3]))) for _ in range(2))
    if draw(st.booleans()):
        object_id = segments // 2
    lines = random.random((height, width)) < draw(st.sampled_from([0, 0.05, 0.3, 1]))
    lines[draw(st.integers(0, 23)) % height] |= draw(st.booleans())
    largest = 65535 // max(int(object_id.max()), 1)
    return segments, lines, (object_id * largest).astype(np.uint16), material_id.astype(np.uint16)


@given(frames())
def test_equals_the_slow_reference(frame: Frame) -> None:
    assert segment_figures(*frame) == reference(*frame)


def a_frame() -> Frame:
    """Two objects side by side, a line between them, and a segment for each."""
    segments, ids = np.zeros((20, 21), np.int32), np.ones((20, 21), np.uint16)
    segments[:, 10:], ids[:, 10:] = 1, 2
    lines = np.zeros((20, 21), np.bool_)
    lines[:, 10] = True
    return segments, lines, ids, np.zeros_like(ids)


def test_segments_that_keep_to_the_surfaces_have_no_leaks_and_no_pieces() -> None:
    assert segment_figures(*a_frame()) == {"segments": 2, "leaks": 0.0, "id_regions": 2, "pieces": 1.0}


def test_a_segment_over_two_surfaces_leaks_the_smaller_part() -> None:
    segments, lines, object_id, material_id = a_frame()
    lines[:, 11] = True
    figures = segment_figures(np.zeros_like(segments), lines, object_id, material_id)
    assert figures == {"segments": 1, "leaks": round(9 / 19, 9), "id_regions": 2, "pieces": 1.0}


def test_a_surface_in_several_segments_is_shattered() -> None:
    segments, lines, object_id, material_id = a_frame()
    segments[:5, :10], segments[5:10, :10] = 2, 3
    figures = segment_figures(segments, lines, object_id, material_id)
    assert figures == {"segments": 4, "leaks": 0.0, "id_regions": 2, "pieces": 2.0}


def test_one_object_with_two_materials_is_two_surfaces() -> None:
    segments, lines, object_id, _ = a_frame()
    figures = segment_figures(np.zeros_like(segments), lines, np.zeros_like(object_id), object_id)
    assert figures["leaks"] == 0.5
    assert figures["id_regions"] == 2


def test_what_is_smaller_than_a_region_counts_as_a_leak_only() -> None:
    segments, lines, object_id, material_id = a_frame()
    object_id[:4, :6] = 3
    figures = segment_figures(segments, lines, object_id, material_id)
    assert figures == {"segments": 2, "leaks": 24 / 400, "id_regions": 2, "pieces": 1.0}
    object_id[4, 0] = 3
    assert segment_figures(segments, lines, object_id, material_id)["id_regions"] == 3


def test_a_frame_of_lines_has_no_figures() -> None:
    segments, lines, object_id, material_id = a_frame()
    figures = segment_figures(segments, np.ones_like(lines), object_id, material_id)
    assert figures == {"segments": 2, "leaks": None, "id_regions": 0, "pieces": None}


def test_wrong_arrays_are_refused_in_words() -> None:
    segments, lines, object_id, material_id = a_frame()
    with pytest.raises(ValueError, match="object ids must have the shape"):
        segment_figures(segments, lines, object_id[1:], material_id)
    with pytest.raises(ValueError, match="material ids must have the shape"):
        segment_figures(segments, lines, object_id, material_id[1:])
    with pytest.raises(ValueError, match="mask of lines must be bool"):
        segment_figures(segments, lines.astype(np.uint8), object_id, material_id)
    with pytest.raises(ValueError, match="negative"):
        segment_figures(segments - 1, lines, object_id, material_id)
