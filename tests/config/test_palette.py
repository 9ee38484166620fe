from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from animerun_gen.config import CutConfig, load_cuts
from animerun_gen.config.palette import (
    SHIPPED,
    Palette,
    PaletteScene,
    Swatch,
    load_palette,
    palette_yaml,
    read_palette,
)
from animerun_gen.errors import ConfigError

SOUND = """\
about: frames of my own
scenes:
  - name: night
    colors:
      - {color: "#102030", share: 0.75}
      - {color: "#fff0c0", share: 0.25}
"""

texts = st.text(min_size=1, max_size=20).filter(lambda text: text.isprintable())
colors = st.integers(0, 0xFFFFFF).map(lambda number: f"#{number:06x}")
swatches = st.builds(Swatch, color=colors, share=st.integers(1, 10_000).map(lambda share: share / 10_000))
scenes = st.builds(
    PaletteScene,
    name=texts,
    origin=st.none() | texts,
    colors=st.lists(swatches, min_size=2, max_size=5, unique_by=lambda one: one.color).map(tuple),
)
palettes = st.builds(
    Palette, about=texts, licence=st.none() | texts, scenes=st.lists(scenes, min_size=1, max_size=3).map(tuple)
)


@given(palettes)
def test_a_palette_is_read_as_it_was_written(tmp_path_factory: pytest.TempPathFactory, palette: Palette) -> None:
    file = tmp_path_factory.mktemp("palette") / "p.yaml"
    file.write_text(palette_yaml(palette), encoding="utf-8")
    assert read_palette(file) == (palette, [])


def test_the_shipped_palette_says_where_it_is_from_and_has_enough_scenes() -> None:
    palette = load_palette(None)
    assert "Kay Lousberg" in palette.about
    assert palette.licence is not None
    assert len(palette.scenes) >= 5
    assert all(len(scene.colors) >= 8 for scene in palette.scenes)
    assert SHIPPED.read_text(encoding="utf-8") == palette_yaml(palette)


@pytest.mark.parametrize(
    ("old", "new", "line", "said"),
    [
        ('"#102030"', '"#1020"', 5, 'scenes[0].colors[0].color: "#1020" is not a colour'),
        ("share: 0.75", "share: 1.75", 5, "scenes[0].colors[0].share: must be a number above 0 and at most 1"),
        ("share: 0.75", "share: .nan", 5, "scenes[0].colors[0].share"),
        ("share: 0.75", "weight: 0.75", 5, "scenes[0].colors[0].weight: is not a known key"),
        ("name: night", "name: 7", 3, 'scenes[0].name: must be a name (text), but is 7; put it in quotes: "7"'),
        ('"#fff0c0"', '"#102030"', 3, "lists the colour #102030 more than once"),
        ("about: frames of my own\n", "", 1, "about: is missing; add it"),
        ("about: frames", "about: !!python/object:os.system frames", 1, "the tag"),
        ("about: frames of my own", "about: &x frames", 1, "the anchor &x is not supported"),
        ("about: frames of my own", "about: frames\nabout: others", 2, "stands here and in line 1"),
        ("  - name: night", "  - name: night\n    name: day", 4, "stands here and in line 3"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(tmp_path: Path, old: str, new: str, line: int, said: str) -> None:
    file = tmp_path / "p.yaml"
    assert SOUND.count(old) == 1
    file.write_text(SOUND.replace(old, new), encoding="utf-8")
    palette, problems = read_palette(file)
    assert palette is None
    assert any(str(problem).startswith(f"{file}:{line}: ") and said in str(problem) for problem in problems), problems


@pytest.mark.parametrize(
    "content", ["", "- a\n", "scenes: []\nabout: a\n", "a: {b: *c}\n", "\x00", SOUND + "---\na: 1\n"]
)
def test_what_is_no_palette_ends_in_sentences(tmp_path: Path, content: str) -> None:
    file = tmp_path / "p.yaml"
    file.write_text(content, encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load_palette(file)
    assert all(problem.startswith(f"{file}:") for problem in caught.value.problems)
    # the palette's reader does not speak of cuts
    assert not any("cut" in problem or "inherit" in problem for problem in caught.value.problems)


def write_cut(folder: Path, recolor: str) -> Path:
    (folder / "film.blend").write_bytes(b"a film")
    path = folder / "cuts" / "cut.yaml"
    path.parent.mkdir(exist_ok=True)
    path.write_text(
        f"name: a\nsource: ../film.blend\nframes: {{first: 1, last: 4}}\nrecolor: {recolor}\n", encoding="utf-8"
    )
    return path


def test_a_palette_lies_relative_to_the_file_that_names_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "p.yaml").write_text(SOUND, encoding="utf-8")
    [cut] = load_cuts([write_cut(tmp_path, "{passes: 2, palette: ../p.yaml}")])
    assert cut.config.recolor.palette == tmp_path / "p.yaml"
    monkeypatch.setenv("PALETTES", str(tmp_path))
    [again] = load_cuts([write_cut(tmp_path, "{passes: 2, palette: '${PALETTES}/p.yaml'}")], check_sources=False)
    assert again.config == cut.config
    # as jobs and manifests keep it
    assert CutConfig.model_validate(cut.config.model_dump(mode="json")) == cut.config


@pytest.mark.parametrize(
    ("palette", "said"),
    [
        ("../none.yaml", "file /"),
        ("../film.blend", "is not a .yaml file"),
        ("'${NO_SUCH_VARIABLE}/p.yaml'", "NO_SUCH_VARIABLE is not set"),
        ("'${x/p.yaml'", "begins no variable"),
        ("7", "must be the path of a palette"),
    ],
)
def test_a_palette_that_is_not_there_is_said_before_anything_begins(tmp_path: Path, palette: str, said: str) -> None:
    path = write_cut(tmp_path, f"{{passes: 2, palette: {palette}}}")
    with pytest.raises(ConfigError) as caught:
        load_cuts([path], check_sources=False)
    [problem] = caught.value.problems
    assert problem.startswith(f"{path}:4: recolor.palette: ")
    assert said in problem


def test_a_broken_palette_is_said_with_its_own_file_and_line_once(tmp_path: Path) -> None:
    (tmp_path / "p.yaml").write_text(SOUND.replace("0.75", "-1"), encoding="utf-8")
    path = write_cut(tmp_path, "{passes: 2, palette: ../p.yaml}")
    (path.parent / "other.yaml").write_text(path.read_text(encoding="utf-8").replace("name: a", "name: b"))
    with pytest.raises(ConfigError) as caught:
        load_cuts([path.parent])
    [problem] = caught.value.problems
    assert problem.startswith(f"{tmp_path / 'p.yaml'}:5: scenes[0].colors[0].share: ")


def test_passes_need_material_ids(tmp_path: Path) -> None:
    values = {"name": "a", "source": tmp_path / "a.blend", "frames": {"first": 1, "last": 4}, "recolor": {"passes": 1}}
    assert CutConfig.model_validate(values).recolor.passes == 1
    with pytest.raises(ValidationError, match=r"motion\.extras does not list ids; add it"):
        CutConfig.model_validate({**values, "motion": {"extras": ["depth"]}})
    CutConfig.model_validate({**values, "motion": {"extras": ["depth"]}, "recolor": {"passes": 0}})
