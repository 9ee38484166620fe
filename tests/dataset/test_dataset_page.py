from pathlib import Path

from animerun_gen.dataset.modalities import MODALITIES
from animerun_gen.dataset.reference import layout_markdown
from animerun_gen.dataset.tracks import ARRAYS

PAGE = Path(__file__).parents[2] / "docs" / "dataset.md"


def test_the_committed_page_is_up_to_date() -> None:
    command = "python -m animerun_gen.dataset.reference > docs/dataset.md"
    assert PAGE.read_text(encoding="utf-8") == layout_markdown(), f"out of date; run: {command}"


def test_every_modality_has_a_row() -> None:
    for modality in MODALITIES:
        assert f"| `{modality.name}` |" in layout_markdown()


def test_every_array_of_the_tracks_has_a_row() -> None:
    for name in ARRAYS:
        assert f"| `{name}` |" in layout_markdown()


def test_files_over_a_gap_and_of_the_clip_have_their_own_names() -> None:
    page = layout_markdown()
    assert "`Gap4/Flow/<cut>/forward/0186.flo` | forward" in page
    assert "`Gap4/Flow/<cut>/backward/0190.flo` | backward" in page
    assert "`Tracks/<cut>/tracks.npz` | clip" in page
    assert "`Frame_Anime/<cut>/color_1/0186.png` | frame | uint8 | H, W, 3 | `recolor.passes`" in page
