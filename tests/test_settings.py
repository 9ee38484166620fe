"""A setting is declared once: its values, its help and what is said of wrong ones."""

from __future__ import annotations

import doctest
import shlex
from pathlib import Path

import pytest

from animerun_gen import settings
from animerun_gen.cli import parse
from animerun_gen.cli.generate import Generate, Label, Render
from animerun_gen.cli.report import Report
from animerun_gen.pipeline import options
from animerun_gen.pipeline.options import Options
from animerun_gen.settings import File, Frames, Kind, Number, Switch, Text, Whole


@pytest.mark.parametrize("module", [settings, options])
def test_the_examples(module: object) -> None:
    assert doctest.testmod(module).failed == 0  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        (Text(), "x", "x"),
        (File(), "a/b", Path("a/b")),
        (Whole(1), "12", 12),
        (Whole(0, 4), "4", 4),
        (Number("a share", 0, 1), "0.25", 0.25),
        (Number("minutes", 1 / 60, 100, unit=60.0), "0.5", 30.0),
        (Frames(), "7:7", (7, 7)),
    ],
)
def test_what_is_read_is_written_so_again(kind: Kind, text: str, value: object) -> None:
    assert kind.read(text) == value
    assert kind.written(value) == text


@pytest.mark.parametrize(
    ("kind", "text", "said"),
    [
        (Whole(1), "0", "must be 1 or more, not 0"),
        (Whole(1), "\u0661", "must be a whole number of 1 or more, not '\u0661'"),
        (Whole(1), "9" * 5000, f"must be a whole number of 1 or more, not '{'9' * 5000}'"),
        (Whole(2, 256), "257", "must be from 2 to 256, not 257"),
        (Whole(2, 256), "1.5", "must be a whole number from 2 to 256, not '1.5'"),
        (Number("a number from 0 to 1", 0, 1), "nan", "must be a number from 0 to 1, not 'nan'"),
        (Number("a number from 0 to 1", 0, 1), "1.1", "must be a number from 0 to 1, not '1.1'"),
        (Frames(), "9:" + "9" * 5000, f"must be FIRST:LAST, such as 10:20, not '9:{'9' * 5000}'"),
        (Switch(), "yes", "takes no value, not 'yes'"),
    ],
)
def test_what_is_said_of_other_values(kind: Kind, text: str, said: str) -> None:
    with pytest.raises(ValueError, match=r"^(must|takes)") as caught:
        kind.read(text)
    assert str(caught.value) == said


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"workers": 0}, "workers must be 1 or more, not 0"),
        ({"workers": 1.5}, "workers must be a whole number of 1 or more, not '1.5'"),
        ({"frames": (5, 4)}, "frames must be FIRST:LAST, such as 10:20, not '5:4'"),
        ({"chunk_frames": -1}, "chunk_frames must be a whole number of 1 or more, not '-1'"),
        ({"patience": 0.0}, "patience must be a time in minutes, such as 10 or 0.5, not '0'"),
    ],
)
def test_a_caller_is_told_what_the_command_line_is(wrong: dict[str, object], said: str) -> None:
    with pytest.raises(ValueError, match=f"^{said}$"):
        Options(Path("out"), **wrong)  # type: ignore[arg-type]


def test_a_command_has_the_options_of_the_pipeline() -> None:
    words = shlex.split("generate a.yaml b --out out --frames 2:5 --workers 3 --patience 0.5 --chunk-frames 7 --strict")
    assert parse(words) == Generate(
        (Path("a.yaml"), Path("b")),
        Options(Path("out"), frames=(2, 5), workers=3, patience=30.0, chunk_frames=7),
        strict=True,
    )


def test_half_a_run_does_not_do_the_other_half() -> None:
    assert parse(["render", "a.yaml", "--out", "out"]) == Render((Path("a.yaml"),), Options(Path("out"), label=False))
    assert parse(["label", "a.yaml", "--out", "out"]) == Label((Path("a.yaml"),), Options(Path("out"), render=False))


def test_cuts_can_be_named_together_and_one_by_one() -> None:
    assert parse(["report", "made", "--cut", "a", "b", "--cut", "c"]) == Report(Path("made"), cuts=("a", "b", "c"))
