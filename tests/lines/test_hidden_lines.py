from __future__ import annotations

import numpy as np
import pytest

from animerun_gen.lines.hidden_lines import find_hidden_lines
from animerun_gen.motion import raster
from animerun_gen.motion.geometry import FrameGeometry
from tests.motion.synthetic import HEIGHT, WIDTH, Thing, camera, cube, frame, perspective, plane, rotation, translation

SEEN_BY = camera(perspective(1.5))


def ground(height: float = -1.0) -> Thing:
    """A quad that reaches far behind the camera, which looks along -z with y up."""
    return plane("ground", translation(0, height, 0) @ rotation(0, np.pi / 2) @ np.diag([60.0, 60.0, 1.0, 1.0]))


def hidden(geometry: FrameGeometry, strokes: np.ndarray, **more: bool) -> np.ndarray:
    return find_hidden_lines(geometry, raster.draw(geometry), strokes, 1, 134.43, **more)


def inked(where: np.ndarray | None = None) -> np.ndarray:
    strokes = np.zeros((HEIGHT, WIDTH), np.uint8)
    return strokes if where is None else np.where(where, 0, 255).astype(np.uint8)


def test_lines_amid_a_face_go_and_those_at_its_borders_stay() -> None:
    geometry = frame(1, SEEN_BY, [ground(), cube("box", translation(0, -0.4, -6) @ np.diag([0.6, 0.6, 0.6, 1.0]))])
    seen = raster.draw(geometry)
    gone = hidden(geometry, inked())
    on_ground = seen.instance == 0

    def amid(distance: int) -> np.ndarray:
        """By hand: so many pixels away from everything that is no ground."""
        padded, size = np.pad(on_ground, distance, mode="edge"), range(2 * distance + 1)
        return np.all([padded[y : y + HEIGHT, x : x + WIDTH] for y in size for x in size], axis=0)

    assert amid(4).sum() > 100
    assert gone[amid(4)].all()
    assert not gone[on_ground & ~amid(2)].any()
    # the background has no edges, but nothing that hides lines either
    assert not gone[seen.instance < 0].any()


def test_where_no_line_is_nothing_goes() -> None:
    geometry = frame(1, SEEN_BY, [ground()])
    assert not hidden(geometry, np.full((HEIGHT, WIDTH), 255, np.uint8)).any()


def test_the_diagonal_of_a_flat_face_is_no_edge_unless_someone_may_have_marked_it() -> None:
    wall = plane("wall", translation(0, 0, -4), half=8.0)
    geometry = frame(1, SEEN_BY, [wall])
    assert hidden(geometry, inked()).all()
    assert not hidden(geometry, inked(), has_marks=True).all()


@pytest.mark.parametrize("change", ["bent", "not welded", "another material"])
def test_where_an_edge_may_be_lines_stay(change: str) -> None:
    corners = np.array([[-8, -8, 0], [8, -8, 0], [8, 8, 0], [-8, 8, 0]], np.float64)
    triangles = np.array([[0, 1, 2], [0, 2, 3]])
    wall = Thing("wall", corners, triangles, translation(0, 0, -4), slots=(2, 3))
    if change == "bent":
        corners[3, 2] = 1.0
    elif change == "not welded":
        wall = Thing("wall", corners[triangles.ravel()], np.arange(6).reshape(2, 3), translation(0, 0, -4))
    else:
        wall.triangle_slots = np.array([0, 1])
    geometry = frame(1, SEEN_BY, [wall])
    seen = raster.draw(geometry)
    gone = hidden(geometry, inked())
    assert not gone.all()
    differs = seen.triangle[:, :-1] != seen.triangle[:, 1:]
    assert not gone[:, :-1][differs].any()
    assert gone.any()


def test_the_line_of_a_thing_that_no_pixel_shows_stays() -> None:
    wall = plane("wall", translation(0, 0, -8), half=12.0)
    # a twentieth of a pixel wide, and between the pixels' centres
    pixel = 4.0 / (1.5 * WIDTH / 2)
    wire = plane("wire", translation(0.0, 0.0, -4) @ np.diag([pixel / 20, 3.0, 1.0, 1.0]) @ rotation(2, 0.03))
    geometry = frame(1, SEEN_BY, [wall, wire])
    seen = raster.draw(geometry)
    assert (seen.instance == 1).mean() < 0.01
    column = np.zeros((HEIGHT, WIDTH), bool)
    column[:, WIDTH // 2 - 1 : WIDTH // 2 + 1] = True
    assert not hidden(geometry, inked(column)).any()
    assert hidden(frame(1, SEEN_BY, [wall]), inked(column)).sum() == column.sum()
