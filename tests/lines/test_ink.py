"""Styled lines over another colouring of a frame: the same pixels, in colours that go with the new ones."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from animerun_gen.dataset.line_ink import InkSource, LineInk, read_line_ink, write_line_ink
from animerun_gen.errors import DatasetError
from animerun_gen.lines.ink import draw_ink, ink_colors
from animerun_gen.lines.styled import Rule, StyledLines, StyleSettings
from animerun_gen.motion import companions, raster
from tests.lines.test_styled import ALL, NONE, VIEW, ball, drawn, ids
from tests.motion.synthetic import frame

GEOMETRY = frame(1, VIEW, [ball(-1.2), ball(1.3, key="other")])
SKIN, CLOTH, INK = (240, 150, 130), (100, 140, 230), (20, 10, 30)


def flat_in(skin: tuple[int, int, int], cloth: tuple[int, int, int]) -> np.ndarray:
    flat = np.full((64, 96, 3), 255, np.uint8)
    instance = raster.draw(GEOMETRY).instance
    flat[instance == 0], flat[instance == 1] = skin, cloth
    return flat


def materials_at() -> np.ndarray:
    return companions.material_id_map(GEOMETRY, raster.draw(GEOMETRY))


def style(*rules: Rule) -> StyleSettings:
    return StyleSettings(color=INK, thickness=1.3, antialias=True, rules=rules)


def by_hand(flat: np.ndarray) -> StyledLines:
    """The left ball has automatic lines, the right one lines that go by no surface; some are open."""
    rule = Rule(frozenset(), ids(int(GEOMETRY.object_ids[0])), NONE, "auto", 0.8)
    settings = replace(style(rule), hand_thickness=0.3, hand_offset=0.5, gap_share=0.7, gap_radius=2.0)
    return drawn(GEOMETRY, settings, flat)


@pytest.fixture(scope="module")
def original() -> StyledLines:
    return by_hand(flat_in(SKIN, CLOTH))


def without_strokes() -> np.ndarray:
    return np.zeros((64, 96), bool)


def in_colors(art: StyledLines, flat: np.ndarray, kept: set[int]) -> np.ndarray:
    ink = art.kept(without_strokes())
    return draw_ink(flat, ink, ink_colors(ink, flat, kept, 0.5, 1.2), INK)


def test_the_same_colours_give_the_same_frame_to_the_byte(original: StyledLines) -> None:
    flat = flat_in(SKIN, CLOTH)
    assert np.array_equal(in_colors(original, flat, set()), original.over(flat))
    assert (original.coverage > 0).sum() > 100


def test_other_colours_are_what_the_lines_of_a_film_in_these_colours_would_be(original: StyledLines) -> None:
    """Against the lines drawn anew of the frame with other flat colours."""
    flat = flat_in((60, 180, 90), (230, 60, 60))
    anew = by_hand(flat)
    assert np.array_equal(in_colors(original, flat, set()), anew.over(flat))
    assert np.array_equal(anew.coverage, original.coverage)
    assert np.array_equal(anew.gaps, original.gaps)
    assert original.gaps.any()
    # the right ball's lines are those of all, the left one's are not what they were
    changed = (anew.ink != original.ink).any(axis=2)
    assert changed[:, :48].any()
    assert not changed[:, 48:].any()


def test_a_colour_that_is_chosen_for_a_surface_stays_where_that_keeps_its_colours() -> None:
    material = int(materials_at().max())
    chosen = Rule(frozenset(), NONE, ids(material), (200, 0, 120), 1.0)
    everywhere = Rule(frozenset(), ALL, ALL, (0, 90, 0), 1.0)
    assert (chosen.source, everywhere.source) == (InkSource.MATERIAL, InkSource.FIXED)
    art = drawn(GEOMETRY, style(chosen, everywhere), flat_in(SKIN, CLOTH))
    ink = art.kept(without_strokes())
    assert set(ink.source.tolist()) == {InkSource.MATERIAL}
    other = flat_in((60, 180, 90), (230, 60, 60))
    assert np.array_equal(ink_colors(ink, other, {material}, 0.5, 1.2), ink.color)
    automatic = Rule(frozenset(), NONE, ids(material), "auto", 1.0)
    followed = drawn(GEOMETRY, style(automatic), other)
    assert np.array_equal(in_colors(art, other, set()), followed.over(other))
    fixed = drawn(GEOMETRY, style(everywhere), flat_in(SKIN, CLOTH)).kept(without_strokes())
    assert np.array_equal(ink_colors(fixed, other, set(), 0.5, 1.2), fixed.color)


def test_strokes_of_the_film_are_in_the_colour_of_lines_and_below_them(original: StyledLines) -> None:
    flat, strokes = flat_in(SKIN, CLOTH), without_strokes()
    strokes[10:12] = True
    ink = original.kept(strokes)
    drawn_over = draw_ink(flat, ink, ink.color, (1, 2, 3))
    bare = strokes & (original.coverage == 0)
    assert (drawn_over[bare] == (1, 2, 3)).all()
    below = flat.copy()
    below[strokes] = (1, 2, 3)
    assert np.array_equal(drawn_over, original.over(below))


def test_what_is_kept_is_read_again_and_nothing_impossible_is(original: StyledLines, tmp_path: Path) -> None:
    ink = original.kept(without_strokes())
    write_line_ink(tmp_path / "a.npz", ink)
    again = read_line_ink(tmp_path / "a.npz")
    for name in vars(ink):
        assert np.array_equal(getattr(again, name), getattr(ink, name))
        assert getattr(again, name).dtype == getattr(ink, name).dtype
    picture = again.picture()
    assert np.array_equal(picture[..., 3], original.coverage)
    assert np.array_equal(picture[..., :3][original.coverage > 0], original.ink[original.coverage > 0])
    for name, wrong in (
        ("owner", np.full(len(ink), 64 * 96, np.int32)),
        ("pixel", ink.pixel[::-1].copy()),
        ("source", np.full(len(ink), 3, np.uint8)),
        ("coverage", np.zeros(len(ink), np.uint8)),
        ("size", np.array([0, 96], np.int32)),
        ("material", ink.material[1:].copy()),
    ):
        with pytest.raises(ValueError, match="lines: "):
            write_line_ink(tmp_path / "b.npz", LineInk(**{**vars(ink), name: wrong}))
    (tmp_path / "a.npz").write_bytes(b"nothing")
    with pytest.raises(DatasetError, match=r"npz"):
        read_line_ink(tmp_path / "a.npz")
