from __future__ import annotations

import json
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from animerun_gen.quality.contents import picture_contents, surface_contents

SHAPES = st.tuples(st.integers(1, 7), st.integers(1, 7))
# few values, so that most occur several times
IDS = SHAPES.flatmap(lambda shape: arrays.arrays(np.uint16, (2, *shape), elements=st.integers(0, 2)))
PICTURES = SHAPES.flatmap(lambda shape: arrays.arrays(np.uint8, (2, *shape, 3), elements=st.integers(0, 1)))


@given(IDS)
def test_surfaces_are_counted_as_pixel_by_pixel(ids: np.ndarray) -> None:
    objects, materials = ids
    counts = Counter(zip(objects.ravel().tolist(), materials.ravel().tolist(), strict=True))
    surfaces = {pair: count for pair, count in counts.items() if pair[0] != 0}
    names = {str(number): f"thing {number}" for number in range(3)}
    found = surface_contents(objects, materials, names, names)
    assert found["surface_share"] == pytest.approx(sum(surfaces.values()) / objects.size)
    assert found["largest_surface"] == pytest.approx(max(surfaces.values(), default=0) / objects.size)
    if not surfaces:
        assert found["largest_surface_is"] is None
    else:
        thing, paint = (int(name[-1]) for name in found["largest_surface_is"])
        assert surfaces[thing, paint] == max(surfaces.values())
    json.dumps(found)


@given(PICTURES)
def test_colours_are_counted_as_pixel_by_pixel(pictures: np.ndarray) -> None:
    frame, flat = pictures
    lines = frame[..., 0] > 0
    found = picture_contents(frame, flat, lines)
    counts = Counter(map(tuple, frame.reshape(-1, 3).tolist()))
    assert found["flat_colors"] == len(set(map(tuple, flat.reshape(-1, 3).tolist())))
    assert found["largest_color"] == pytest.approx(max(counts.values()) / lines.size)
    assert counts[tuple(bytes.fromhex(found["largest_color_is"][1:]))] == max(counts.values())
    assert found["line_share"] == pytest.approx(lines.mean())
    json.dumps(found)


def test_a_material_of_several_objects_is_several_surfaces() -> None:
    objects = np.array([[1, 1, 2, 2]], np.uint16)
    found = surface_contents(objects, np.full((1, 4), 2, np.uint16), {"1": "left"}, {"2": "wood"})
    assert found == {"surface_share": 1.0, "largest_surface": 0.5, "largest_surface_is": ["left", "wood"]}


def test_pictures_that_do_not_belong_together_are_refused() -> None:
    picture = np.zeros((2, 3, 3), np.uint8)
    with pytest.raises(ValueError, match="frame without lines"):
        picture_contents(picture, picture[:1], np.zeros((2, 3), bool))
    with pytest.raises(ValueError, match="uint8"):
        picture_contents(picture.astype(float), picture, np.zeros((2, 3), bool))
    with pytest.raises(ValueError, match="map of materials"):
        surface_contents(np.zeros((2, 3), np.uint16), np.zeros((2, 2), np.uint16), {}, {})
    with pytest.raises(ValueError, match="no pixels"):
        surface_contents(np.zeros((0, 3), np.uint16), np.zeros((0, 3), np.uint16), {}, {})
