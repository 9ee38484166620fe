from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from animerun_gen.color.hexadecimal import rgb
from animerun_gen.config.load import load_cuts
from animerun_gen.config.model import CutConfig, EdgeType, Extra, Frames, offset_for_files

COLORS = st.from_regex(r"#[0-9a-fA-F]{6}", fullmatch=True)
NAMES = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), min_size=1, max_size=8)
PATTERNS = st.lists(NAMES, max_size=3)


@st.composite
def frames(draw: st.DrawFn) -> dict[str, int]:
    step = draw(st.integers(1, 4))
    first = draw(st.integers(0, 900))
    return {"first": first, "last": first + draw(st.integers(step, 50)), "step": step}


def some_of(**entries: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({}, optional=entries)


CONFIGS = st.fixed_dictionaries(
    {
        "name": st.from_regex(r"[a-bd-mo-z0-9][A-Za-z0-9_-]{0,20}", fullmatch=True),
        "source": st.just("film.blend"),
        "frames": frames(),
    },
    optional={
        "split": st.sampled_from(["train", "test"]),
        "license": st.none() | st.sampled_from(["CC-BY-4.0", "CC0-1.0", "Nur für Forschung"]),
        "source_url": st.none() | st.sampled_from(["https://example.org/a?b=c#d", "http://example.org"]),
        "scene": st.none() | NAMES,
        "camera": st.none() | NAMES,
        "trust_scripts": st.booleans(),
        "frame_rate": st.none() | st.floats(0.5, 1000) | st.integers(1, 1000),
        "resolution": st.tuples(st.integers(16, 16384), st.integers(16, 16384)).map(list),
        "remove": some_of(objects=PATTERNS, collections=PATTERNS, materials=PATTERNS),
        "style": some_of(
            color=st.sampled_from(["material", "texture"]),
            overrides=st.dictionaries(NAMES, COLORS, max_size=3),
            background=st.just("auto") | COLORS,
        ),
        "lines": some_of(
            outline=st.booleans(),
            edges=st.lists(st.sampled_from(get_args(EdgeType)), min_size=1, unique=True),
            thickness=st.floats(0.1, 100) | st.integers(1, 100),
        ),
        "motion": some_of(extras=st.lists(st.sampled_from(get_args(Extra)), unique=True)),
        "labels": some_of(ball_radius=st.integers(1, 50), line_distance=st.floats(0.1, 100)),
        "quality": some_of(max_warp_error=st.floats(0, 1)),
    },
)


@given(CONFIGS)
@settings(max_examples=60)
def test_a_cut_survives_json_and_yaml(tmp_path_factory: pytest.TempPathFactory, data: dict[str, Any]) -> None:
    folder = tmp_path_factory.mktemp("cut", numbered=True)
    (folder / "cut.yaml").write_text(yaml.safe_dump(data, allow_unicode=True), encoding="utf-8")
    (config,) = (loaded.config for loaded in load_cuts([folder / "cut.yaml"], check_sources=False))
    assert config == CutConfig.model_validate({**data, "source": folder / "film.blend"})
    assert CutConfig.model_validate_json(config.model_dump_json()) == config
    assert CutConfig.model_validate_json(json.dumps(config.model_dump(mode="json"))) == config
    assert list(config.style.overrides) == list(dict(sorted(data.get("style", {}).get("overrides", {}).items())))


def minimal(**more: Any) -> CutConfig:
    return CutConfig.model_validate(
        {"name": "a", "source": Path("a.blend"), "frames": {"first": 1, "last": 10}, **more}
    )


def test_defaults() -> None:
    config = minimal()
    assert config.split == "train"
    assert config.resolution == (960, 540)
    assert config.lines.crease_angle == 134.43
    assert config.motion.extras == ("ids", "exact_occlusion")
    assert config.frame_numbers == tuple(range(1, 11))
    assert config.clip_rate is None


def test_the_clip_rate_counts_the_step() -> None:
    config = minimal(frame_rate=24, frames={"first": 10, "last": 15, "step": 2})
    assert config.clip_rate == 12
    assert config.frame_numbers == (10, 12, 14)


@given(
    st.integers(-5_000, 20_000),
    st.integers(-5_000, 20_000),
    st.integers(1, 300),
    st.sampled_from((0, 0, 1000, -1000, 7777)),
)
def test_accepted_frames_make_a_clip_whose_file_names_sort_like_numbers(
    first: int, last: int, step: int, offset: int
) -> None:
    wanted = [number + offset for number in range(first, last + 1) if (number - first) % step == 0]
    sortable = [f"{number:04d}" for number in wanted] == sorted(f"{number:04d}" for number in wanted)
    sortable = sortable and all(number >= 0 for number in wanted)
    try:
        accepted = Frames(first=first, last=last, step=step, offset=offset)
    except ValidationError:
        assert len(wanted) < 2 or not sortable
    else:
        assert len(wanted) >= 2
        assert sortable
        assert list(accepted.numbers) == wanted
        assert list(accepted.film_numbers) == [number - offset for number in wanted]


@given(st.integers(-5_000, 20_000), st.integers(1, 20_000))
def test_any_frames_of_a_film_can_be_given_numbers_for_files(first: int, length: int) -> None:
    offset = offset_for_files(first, first + length)
    made = Frames(first=first, last=first + length, offset=offset)
    assert made.film_numbers[0] == first
    assert offset % 1000 == 0
    plain = first >= 0 and len(f"{first:04d}") == len(f"{first + length:04d}")
    assert (offset == 0) == plain


def test_whoever_looks_into_the_film_gets_its_own_numbers() -> None:
    config = minimal(frames={"first": -3, "last": 3, "step": 2, "offset": 1000})
    assert config.frame_numbers == (997, 999, 1001, 1003)
    assert config.in_film_numbers().frame_numbers == (-3, -1, 1, 3)


def test_a_cut_cannot_be_changed() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        minimal().name = "b"


@pytest.mark.parametrize(
    "wrong",
    [
        {"resolution": "960"},
        {"resolution": [960, 540.0]},
        {"resolution": [960, 540, 3]},
        {"resolution": [8, 540]},
        {"frames": {"first": True, "last": 10}},
        {"frames": {"first": 1.0, "last": 10}},
        {"frames": {"first": -1, "last": 10}},
        {"frames": {"first": 1, "last": 10, "offset": -2}},
        {"frames": {"first": -1, "last": 10, "offset": 9995}},
        {"frame_rate": True},
        {"frame_rate": "24"},
        {"frame_rate": float("nan")},
        {"lines": {"thickness": float("inf")}},
        {"lines": {"edges": []}},
        {"lines": {"edges": ["crease", "crease"]}},
        {"trust_scripts": 1},
        {"style": {"background": "#12345"}},
        {"style": {"overrides": {"": "#123456"}}},
        {"labels": {"line_threshold": 0}},
        {"labels": {"match_occlusion": "exact"}, "motion": {"extras": ["ids"]}},
        {"motion": {"gaps": []}},
        {"motion": {"gaps": [2, 4]}},
        {"motion": {"gaps": [1, 1]}},
        {"motion": {"gaps": [0, 1]}},
        {"motion": {"gaps": [1, 10]}},
        {"motion": {"backend": "cycles", "gaps": [1, 2]}},
        {"motion": {"backend": "cycles", "tracks": 1}},
        {"motion": {"tracks": -1}},
        {"seed": -1},
        {"unknown": 1},
    ],
)
def test_nothing_is_converted_silently(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        minimal(**wrong)


def test_no_edges_are_needed_without_freestyle() -> None:
    assert minimal(lines={"edges": [], "freestyle": False}).lines.edges == ()


def test_gaps_are_put_in_order() -> None:
    assert minimal(motion={"gaps": [9, 1, 4]}).motion.gaps == (1, 4, 9)


@pytest.mark.parametrize("name", ["a", "0186", "Dungeon_fight-2.b", "x" * 100, "console", "com10"])
def test_safe_names(name: str) -> None:
    assert minimal(name=name).name == name


@pytest.mark.parametrize(
    "name",
    [
        "",
        ".",
        "..",
        "a/b",
        "a\\b",
        "../a",
        ".hidden",
        "-a",
        "a b",
        "ä",
        "a.",
        "x" * 101,
        "con",
        "NUL.txt",
        "Com1",
        "a\n",
    ],
)
def test_unsafe_names(name: str) -> None:
    with pytest.raises(ValidationError):
        minimal(name=name)


def test_rgb() -> None:
    assert rgb("#FF8001") == (255, 128, 1)
    assert minimal(lines={"color": "#FF8001"}).lines.color == "#ff8001"
    with pytest.raises(ValueError, match="not a colour"):
        rgb("ff8001")


def fields_of(model: type[BaseModel], keys: tuple[str, ...] = ()) -> Iterator[tuple[str, str | None]]:
    for name, field in model.model_fields.items():
        yield ".".join((*keys, name)), field.description
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from fields_of(field.annotation, (*keys, name))


def test_every_key_is_described() -> None:
    described = dict(fields_of(CutConfig))
    assert len(described) > 30
    assert [key for key, text in described.items() if not text or not text.endswith(".")] == []
