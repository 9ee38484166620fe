"""The pages for contributors name files, functions and tables that are there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from animerun_gen.quality import gate

PROJECT = Path(__file__).resolve().parent.parent
PAGES = sorted([PROJECT / "CONTRIBUTING.md", PROJECT / "docs/architecture.md", *PROJECT.glob("docs/contributing/*.md")])
SOURCES = "\n".join(
    file.read_text(encoding="utf-8")
    for folder in ("animerun_gen", "tests", "scripts")
    for file in sorted((PROJECT / folder).rglob("*"))
    if file.suffix in {".py", ".sh"} and file != Path(__file__)
)

EXAMPLES = {"paint_wheels", "distance_to_line", "DistanceToLine", "courier.yaml", "init"}
"""What a page has a contributor make, and what is no name of ours."""


def spans(page: Path) -> list[str]:
    prose = re.sub(r"^ *```.*?^ *```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)
    return [" ".join(span.split()) for span in re.findall(r"`([^`]+)`", prose)]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_files_that_a_page_names_are_there(page: Path) -> None:
    names = [span for span in spans(page) if re.fullmatch(r"[\w./]+\.(py|md|sh|yaml|toml|txt)|[\w/]+/", span)]
    lacking = [
        name
        for name in names
        if name not in EXAMPLES
        and not any((PROJECT / place / name).exists() for place in (".", "animerun_gen", "docs", "tests"))
        and not list(PROJECT.glob(f"animerun_gen/**/{name}"))
    ]
    assert not lacking


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_names_of_code_that_a_page_names_are_there(page: Path) -> None:
    names = {
        part
        for span in spans(page)
        if re.fullmatch(r"[A-Za-z_][\w.]*", span)
        and "_" in span
        and not span.endswith((".py", ".md", ".yaml", ".toml"))
        for part in span.split(".")
        if "_" in part and part not in EXAMPLES and part != "animerun_gen"
    }
    lacking = [
        name
        for name in sorted(names)
        if not re.search(rf"\b{re.escape(name)}\b", SOURCES) and not list(PROJECT.glob(f"animerun_gen/**/{name}*"))
    ]
    assert not lacking


def test_every_figure_that_the_gate_judges_stands_on_the_page_about_quality() -> None:
    text = (PROJECT / "docs" / "quality.md").read_text(encoding="utf-8")
    rows = [line.partition("|")[2].partition("|")[0] for line in text.splitlines() if line.startswith("|")]
    named = {name for row in rows for name in re.findall(r"`(\w+)`", row)}
    rules = (*gate._FRAME_RULES, *gate._PAIR_RULES, *gate._CLIP_RULES)
    assert {figure for rule in rules for figure in rule.figures} <= named
