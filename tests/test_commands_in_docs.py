"""The commands that README and docs print can be typed as they stand, in the project's folder."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from animerun_gen.cli import parse

PROJECT = Path(__file__).resolve().parent.parent
SHIPPED = ("scenes/", "configs/", "scripts/")
"""Folders whose files come with the project."""


def commands() -> Iterator[tuple[str, list[str]]]:
    for page in (PROJECT / "README.md", *sorted((PROJECT / "docs").glob("*.md"))):
        text = page.read_text(encoding="utf-8")
        blocks = re.findall(r"^```sh\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
        lines = [line for block in blocks for line in block.splitlines()]
        # within a sentence the name of a command alone is no example of it
        prose = re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE)
        spans = [" ".join(span.split()) for span in re.findall(r"`([^`]+)`", prose)]
        lines += [span for span in spans if re.match(r"(animerun-gen \S+|python|scripts/\S+) ", span)]
        for line in lines:
            if words := shlex.split(line, comments=True):
                yield page.name, words


FOUND = list(commands())


def test_there_are_commands() -> None:
    assert len([words for _, words in FOUND if words[0] == "animerun-gen"]) > 20


@pytest.mark.parametrize(
    ("page", "words"), FOUND, ids=lambda value: value if isinstance(value, str) else " ".join(value)
)
def test_commands_can_be_typed(page: str, words: list[str]) -> None:
    if words[0] == "animerun-gen" and "..." not in words:
        parse(words[1:])
    for word in words:
        if word.startswith(SHIPPED):
            assert (PROJECT / word).exists(), f"{page}: {word} does not come with the project"
