"""Tests for patterns of styles that fit nothing."""

from __future__ import annotations

import doctest
from pathlib import Path
from typing import Any

from animerun_gen.config import unmatched
from animerun_gen.config.model import CutConfig
from animerun_gen.config.unmatched import unmatched_styles

OBJECTS, MATERIALS = ["Fox", "Sky low"], ["Fur", "Sky"]


def notes_of(**keys: Any) -> list[str]:
    config = CutConfig.model_validate(
        {"name": "a", "source": Path("a.blend"), "frames": {"first": 1, "last": 2}, **keys}
    )
    return unmatched_styles(config, OBJECTS, MATERIALS)


def test_rules_of_lines_name_objects_or_materials() -> None:
    rules = [{"on": on} for on in ("*", "Fox", "Fu?", "fox", "Foks*")]
    assert notes_of(lines={"engine": "geometry", "style": {"rules": rules}}) == [
        "lines.style.rules[3].on: no object or material is named 'fox'",
        "lines.style.rules[4].on: no object or material is named 'Foks*'",
    ]


def test_shade_names_objects_and_materials_each_where_they_count() -> None:
    shade = {
        "tones": 3,
        "cast": {"Sky*": False, "Fur": False},
        "receive": {"Fur": "none", "Fox": "form", "Foxx": "none"},
        "shadows": {"Fur": "#102030", "Fox": "#102030"},
        "highlights": {"Sky": "#102030", "Sky low": "#102030"},
    }
    assert notes_of(style={"shade": shade}) == [
        "style.shade.cast: no object is named 'Fur'",
        "style.shade.receive: no object or material is named 'Foxx'",
        "style.shade.shadows: no material is named 'Fox'",
        "style.shade.highlights: no material is named 'Sky low'",
    ]


def test_shade_that_is_off_is_about_nothing() -> None:
    assert notes_of(style={"shade": {"cast": {"Foxx": False}}}) == []
    assert notes_of(look="television") == []


def test_the_example_runs() -> None:
    assert doctest.testmod(unmatched, extraglobs={"Path": Path}).failed == 0
