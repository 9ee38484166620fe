from typing import Annotated, Literal

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field

from animerun_gen.config.words import SHOWN_CHARACTERS, Expected, expected, shown, written


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
