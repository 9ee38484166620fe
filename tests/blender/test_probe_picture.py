"""What the doctor takes for a good picture: no other, however it was spoilt."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from animerun_gen.blender.probe_picture import (
    GROUND,
    SIZE,
    SQUARE,
    SURFACE,
    judge_ground,
    judge_lines,
    judge_surface,
)
from animerun_gen.color.hexadecimal import rgb

BLACK = (0, 0, 0)


def flat(
    surface: tuple[int, int, int] = rgb(SURFACE), ground: tuple[int, int, int] = rgb(GROUND)
) -> npt.NDArray[np.uint8]:
    picture = np.full((SIZE, SIZE, 3), ground, np.uint8)
    picture[SQUARE, SQUARE] = surface
    return picture


def strokes(paper: int = 255, ink: int = 0) -> npt.NDArray[np.uint8]:
    picture = np.full((SIZE, SIZE), paper, np.uint8)
    first, last = SQUARE.start, SQUARE.stop
    picture[first - 1 : last + 1, first - 1 : last + 1] = ink
    picture[first + 1 : last - 1, first + 1 : last - 1] = paper
    return picture


def test_the_picture_that_is_due() -> None:
    assert judge_surface(flat()) == f"{SURFACE}, as asked for"
    assert judge_ground(flat()) == f"{GROUND}, as asked for"
    assert judge_lines(strokes(), 2.0) == "draws lines, black on white"
    red, green, blue = rgb(SURFACE)
    assert not judge_surface(flat((red + 1, green + 1, blue + 1))).startswith("failed")


def test_a_picture_that_is_black_all_over() -> None:
    """What Blender 5.0 drew, and an earlier doctor praised: something was dark."""
    assert judge_surface(flat(BLACK, BLACK)) == f"failed: #000000 where {SURFACE} is due"
    assert judge_ground(flat(BLACK, BLACK)) == f"failed: #000000 where {GROUND} is due"
    assert judge_lines(strokes(0, 0), 2.0) == "failed: beside the lines the picture is #000000 where #ffffff is due"


def test_a_background_of_another_colour() -> None:
    assert judge_surface(flat(ground=(63, 63, 63))) == f"{SURFACE}, as asked for"
    assert judge_ground(flat(ground=(63, 63, 63))) == f"failed: #3f3f3f where {GROUND} is due"
    assert judge_lines(strokes(paper=63), 2.0).startswith("failed: beside the lines the picture is #3f3f3f")


def test_one_pixel_of_another_colour_is_too_many() -> None:
    picture = flat()
    picture[SQUARE.start + 5, SQUARE.start + 9] = (1, 2, 3)
    assert judge_surface(picture) == f"failed: #010203 where {SURFACE} is due"


@pytest.mark.parametrize("sides", [0, 1, 2])
def test_lines_that_are_missing(sides: int) -> None:
    picture = strokes()
    picture[SQUARE.start + 3 : SQUARE.stop - 3, : SIZE // 2 if sides == 1 else SIZE] = 255
    if sides == 0:
        picture[:] = 255
        assert judge_lines(picture, 2.0) == "failed: it drew no line"
    else:
        assert judge_lines(picture, 2.0).startswith("failed: ")
        assert judge_lines(picture, 2.0).endswith(" of the square's border has a line")
