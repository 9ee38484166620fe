"""Looks lie below everything that a cut says itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from animerun_gen.config import CutConfig
from animerun_gen.config.looks import LOOKS, with_look

CUT: dict[str, Any] = {"name": "cut", "source": Path("film.blend"), "frames": {"first": 1, "last": 20}}


def test_paper_is_what_every_default_is() -> None:
    assert CutConfig.model_validate({**CUT, "look": "paper"}) == CutConfig.model_validate(CUT)


@pytest.mark.parametrize("look", LOOKS)
def test_a_look_is_a_valid_cut_and_says_what_the_same_keys_say(look: str) -> None:
    short = CutConfig.model_validate({**CUT, "look": look})
    long = CutConfig.model_validate({**CUT, **LOOKS[look]})
    assert short.model_dump(exclude={"look"}) == long.model_dump(exclude={"look"})


def test_what_the_cut_says_is_stronger_key_by_key() -> None:
    config = CutConfig.model_validate(
        {**CUT, "look": "television", "style": {"shade": {"tones": 1}, "color": "texture"}}
    )
    assert config.style.shade.tones == 1
    assert config.style.color == "texture"
    assert not config.style.shade.is_on


def test_television_has_shade() -> None:
    assert CutConfig.model_validate({**CUT, "look": "television"}).style.shade.is_on


def test_television_has_a_style_of_lines_where_these_come_from_the_geometry() -> None:
    config = CutConfig.model_validate({**CUT, "look": "television", "recolor": {"passes": 2}})
    [rule] = config.lines.style.rules
    assert rule.color == "auto"
    # what is unsound with another engine is not asked for
    for engine in ("auto", "geometry"):
        other = CutConfig.model_validate({**CUT, "look": "television", "lines": {"engine": engine}})
        assert other.lines.style.is_on == (engine == "geometry")
    with pytest.raises(ValidationError, match=r"timing \(a part of look: television\) shows layers"):
        CutConfig.model_validate({**CUT, "look": "television", "lines": {"engine": "freestyle"}})
    own = CutConfig.model_validate({**CUT, "look": "television", "lines": {"style": {"antialias": False, "rules": []}}})
    assert not own.lines.style.is_on


def test_what_was_written_out_is_the_same_when_it_is_read_again() -> None:
    config = CutConfig.model_validate({**CUT, "look": "television", "style": {"shade": {"tones": 2}}})
    assert CutConfig.model_validate(config.model_dump()) == config


def test_a_look_that_there_is_not_is_refused() -> None:
    with pytest.raises(ValidationError, match="look"):
        CutConfig.model_validate({**CUT, "look": "cinema"})
    assert with_look({"look": ["television"]}) == {"look": ["television"]}
