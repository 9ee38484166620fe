from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from animerun_gen.color.hexadecimal import is_hex, rgb, to_hex

channels = st.integers(0, 255)


@given(st.tuples(channels, channels, channels))
def test_colours_come_back(color: tuple[int, int, int]) -> None:
    assert rgb(to_hex(color)) == color
    assert rgb(to_hex(color).upper()) == color
    assert to_hex(np.array(color, np.uint8)) == to_hex(color)


@pytest.mark.parametrize("text", ["20a0ff", "#20a0f", "#20a0ffa", "#20a0fg", "#20a0ff\n", "", None, 0x20A0FF])
def test_what_is_no_colour(text: object) -> None:
    assert not is_hex(text)
    with pytest.raises(ValueError, match="not a colour"):
        rgb(text)  # type: ignore[arg-type]
