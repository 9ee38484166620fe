from pathlib import Path

from animerun_gen.dataset.modalities import MODALITIES
from animerun_gen.dataset.reference import layout_markdown

PAGE = Path(__file__).parents[2] / "docs" / "dataset.md"


def test_the_committed_page_is_up_to_date() -> None:
    command = "python -m animerun_gen.dataset.reference > docs/dataset.md"
    assert PAGE.read_text(encoding="utf-8") == layout_markdown(), f"out of date; run: {command}"


def test_every_modality_has_a_row() -> None:
    for modality in MODALITIES:
        assert f"| `{modality.name}` |" in layout_markdown()
