"""Pictures whose background or paper has another colour than was asked for stop a job at once."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from animerun_gen.blender.picture_check import require_background, require_paper
from animerun_gen.errors import SceneError
from animerun_gen.motion.raster import BACKGROUND, VisibilityBuffer

ASKED = (40, 80, 120)
ENGINE = "Blender 9.8.7"


def seen(surface: slice = slice(2, 6)) -> VisibilityBuffer:
    """A square of surface before a background, in a picture of 12 by 12."""
    instance = np.full((12, 12), BACKGROUND, np.int32)
    instance[surface, surface] = 0
    return VisibilityBuffer(instance, instance.copy(), np.where(instance == 0, 1.0, np.inf))


def picture(background: tuple[int, int, int]) -> npt.NDArray[np.uint8]:
    flat = np.full((12, 12, 3), background, np.uint8)
    flat[2:6, 2:6] = (200, 10, 10)
    return flat


def test_a_background_as_asked_for() -> None:
    assert require_background(1, picture(ASKED), seen(), ASKED, ENGINE)
    assert require_background(1, picture((41, 79, 120)), seen(), ASKED, ENGINE)


@pytest.mark.parametrize("found", [(0, 0, 0), (63, 63, 63), (40, 80, 122)])
def test_another_background(found: tuple[int, int, int]) -> None:
    with pytest.raises(SceneError) as refused:
        require_background(7, picture(found), seen(), ASKED, ENGINE)
    color = "#" + bytes(found).hex()
    assert f"Blender 9.8.7 painted the background of frame 7 {color}, where #285078 was asked for" in str(refused.value)


def test_what_casts_no_geometry_may_cover_a_part() -> None:
    flat = picture(ASKED)
    flat[8:] = (9, 9, 9)
    assert require_background(1, flat, seen(), ASKED, ENGINE)


def test_a_frame_without_background_tells_nothing() -> None:
    assert not require_background(1, picture((0, 0, 0)), seen(slice(0, 12)), ASKED, ENGINE)
    # what is left of the background touches the surface, where two rasterisers may differ
    assert not require_background(1, picture((0, 0, 0)), seen(slice(1, 12)), ASKED, ENGINE)


@pytest.mark.parametrize("paper", [0, 188, 254])
def test_lines_on_anything_but_white(paper: int) -> None:
    strokes = np.full((12, 12), paper, np.uint8)
    strokes[4] = 0
    with pytest.raises(SceneError, match=r"drew the lines of frame 3 on #([0-9a-f]{2})\1\1, where white was asked for"):
        require_paper(3, strokes, ENGINE)
    strokes[5, 5] = 255
    require_paper(3, strokes, ENGINE)
