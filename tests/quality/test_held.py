"""Shares of what is held, counted by hand."""

from __future__ import annotations

import doctest

from animerun_gen.quality import held
from animerun_gen.quality.held import held_shares


def frame(hero: tuple[int, float], crowd: tuple[int, float]) -> dict[str, dict[str, float]]:
    return {
        name: {"film_frame": film_frame, "share": share}
        for name, (film_frame, share) in (("hero", hero), ("set", crowd))
    }


def test_pairs_count_alike_and_pixels_by_how_many_there_are() -> None:
    exposed = [
        frame((1, 0.1), (1, 0.0)),
        frame((1, 0.3), (2, 0.0)),
        frame((3, 0.2), (3, 0.0)),
        frame((3, 0.9), (3, 0.0)),
    ]
    assert held_shares(exposed) == {
        "hero": {"pairs": round(2 / 3, 9), "pixels": 0.5},
        "set": {"pairs": round(1 / 3, 9), "pixels": None},
    }


def test_frames_of_which_nothing_is_known_are_left_out() -> None:
    known = frame((1, 0.1), (1, 0.5))
    assert held_shares([known, None, known, known])["hero"] == {"pairs": 1.0, "pixels": 1.0}
    assert held_shares([known, None, known]) == {}
    assert held_shares([]) == {}


def test_the_example_runs() -> None:
    assert doctest.testmod(held).failed == 0
