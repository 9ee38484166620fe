from fnmatch import fnmatchcase
from typing import Annotated, Literal

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field

from animerun_gen.config.messages import (
    SHOWN_CHARACTERS,
    Expected,
    counted,
    expected,
    named,
    patterns_for,
    shown,
    spans,
    written,
)


@pytest.mark.parametrize(
    ("annotation", "words"),
    [
        (bool, "true or false"),
        (int, "a whole number"),
        (Annotated[int, Field(ge=1)], "a whole number of at least 1"),
        (Annotated[float, Field(gt=0, le=10)], "a number above 0 and at most 10"),
        (Annotated[float, Field(ge=0, le=1)], "a number from 0 to 1"),
        (Annotated[float, Field(lt=5)] | None, "a number below 5, or null"),
        (Literal["a"], '"a"'),
        (Literal["a", "b", "c"], '"a", "b" or "c"'),
        (tuple[Literal["a", "b"], ...], 'a list, each entry "a" or "b"'),
        (Annotated[str, Field(min_length=1), Expected("a word")], "a word"),
    ],
)
def test_types_are_said_in_words(annotation: object, words: str) -> None:
    assert expected(annotation) == words


def test_a_type_without_words_is_refused() -> None:
    with pytest.raises(TypeError, match="Expected"):
        expected(bytes)


def test_long_values_are_cut() -> None:
    assert len(shown("x" * 1000)) == SHOWN_CHARACTERS
    assert shown("x" * 10) == '"xxxxxxxxxx"'


@given(st.text())
def test_text_is_shown_on_one_line_without_control_characters(text: str) -> None:
    assert shown(text).isprintable()


YAML_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(0.01, 100) | st.text(st.characters(codec="utf-8")),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("ab ", min_size=1), inner, max_size=3),
    max_leaves=8,
)


@given(YAML_VALUES)
def test_written_values_are_yaml(value: object) -> None:
    assert yaml.safe_load(written(value)) == value


def test_things_are_counted_in_words() -> None:
    assert [counted(number, "frame") for number in (0, 1, 2, 12345)] == [
        "0 frames",
        "1 frame",
        "2 frames",
        "12,345 frames",
    ]
    assert counted(2, "box", "boxes") == "2 boxes"


def test_names_in_a_few_words() -> None:
    assert named(["one"], "object") == "'one'"
    assert named(["a.1", "a.2", "b"], "object") == "'a.1', 'a.2', 'b'"
    assert named(["a.1", "a.2", "b", "c 7"], "object") == "4 objects ('a*', 'b', 'c 7')"
    assert named([f"{letter}.001" for letter in "abcdefgh"], "object").endswith("'e.001' and 3 more kinds)")


NAMES = st.lists(st.from_regex(r"[ab*?\[\]]{0,2}[.]?[0-9]{0,2}", fullmatch=True).filter(bool), unique=True, max_size=12)


@given(NAMES, NAMES)
def test_patterns_match_names_and_nothing_else(names: list[str], others: list[str]) -> None:
    patterns = patterns_for(names, others)
    everything = {*names, *others}
    assert {name for name in everything if any(fnmatchcase(name, pattern) for pattern in patterns)} == set(names)
    assert len(patterns) <= len(names)


def test_spans_are_runs_of_neighbours() -> None:
    assert spans([1, 3, 5, 9], [1, 3, 5, 7, 9]) == "1-5, 9"
    assert spans([], [1, 2]) == ""
    assert spans([1, 3, 5], [1, 2, 3, 4, 5], most=2) == "1, 3, ..."
