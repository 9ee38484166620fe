from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from animerun_gen.dataset import ClipWriter, ColorTable
from animerun_gen.dataset.colors import CHANGING, IMAGE
from animerun_gen.errors import DatasetError

HEX = st.integers(0, 0xFFFFFF).map(lambda number: f"#{number:06x}")
COLORS = HEX | st.sampled_from([IMAGE, CHANGING]) | st.dictionaries(st.integers(-20, 20), HEX, min_size=1, max_size=4)

TABLE = ColorTable({0: "#000000", 1: "#ff8000", 2: IMAGE, 3: CHANGING, 4: {8: "#ff0000", 9: "#00ff00", 10: "#00ff00"}})


@given(st.dictionaries(st.integers(0, 65535), COLORS, max_size=5))
def test_a_table_is_read_as_it_was_written(tmp_path_factory: pytest.TempPathFactory, colors: Any) -> None:
    clip = ClipWriter(tmp_path_factory.mktemp("colors"), "train", "fight")
    clip.write_colors(ColorTable(colors))
    assert clip.read_colors() == ColorTable(colors)


def test_each_frame_has_its_colors() -> None:
    plain = {0: (0, 0, 0), 1: (255, 128, 0), 2: None, 3: None}
    assert TABLE.at(8) == plain | {4: (255, 0, 0)}
    assert TABLE.at(9) == plain | {4: (0, 255, 0)}
    assert TABLE.lasting() == plain | {4: None}
    with pytest.raises(KeyError):
        TABLE.at(11)


def test_what_differs_between_two_frames_is_what_no_picture_can_be_compared_by() -> None:
    assert TABLE.differing(8, 9) == {3, 4}
    assert TABLE.differing(9, 10) == {3}
    assert TABLE.frames_lacking((8, 9, 11)) == {4: 11}
    assert TABLE.frames_lacking((8, 10)) == {}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ([], "holds no table from ids to colours"),
        ({"one": "#000000"}, "holds no table from ids to colours"),
        ({"1": "red"}, "gives id 1 no colour: 'red'"),
        ({"1": {}}, "gives id 1 no colour"),
        ({"1": {"8": "image"}}, "gives id 1 no colour"),
        ({"1": {"now": "#000000"}}, "gives id 1 no colour"),
        ({"1": 3}, "gives id 1 no colour: '3'"),
    ],
)
def test_a_damaged_table_is_refused(tmp_path: Path, content: Any, said: str) -> None:
    clip = ClipWriter(tmp_path, "train", "fight")
    clip.names_path("flat").parent.mkdir(parents=True)
    clip.names_path("flat").write_text(json.dumps(content))
    with pytest.raises(DatasetError, match=said):
        clip.read_colors()
