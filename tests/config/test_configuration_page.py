from pathlib import Path

from animerun_gen.config import load_cuts
from animerun_gen.config.reference import EXAMPLE, reference_markdown

PAGE = Path(__file__).parents[2] / "docs" / "configuration.md"


def test_the_committed_page_is_up_to_date() -> None:
    command = "python -m animerun_gen.config.reference > docs/configuration.md"
    assert PAGE.read_text(encoding="utf-8") == reference_markdown(), f"out of date; run: {command}"


def test_the_example_is_a_valid_cut(tmp_path: Path) -> None:
    (tmp_path / "cut.yaml").write_text(EXAMPLE, encoding="utf-8")
    (tmp_path / "_film.yaml").write_text("split: test\n", encoding="utf-8")
    (loaded,) = load_cuts([tmp_path], check_sources=False)
    assert loaded.config.name == "dungeon_fight"
    assert loaded.config.split == "test"
