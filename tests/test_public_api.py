"""What is offered at the top of the package: there, documented, quick, and as its examples say."""

from __future__ import annotations

import ast
import inspect
import re
import subprocess
import sys
import textwrap
from importlib import import_module
from pathlib import Path

import pytest

import animerun_gen
from animerun_gen.engines.blenders import BpyModule
from tests.pipeline.fake_engine import FakeEngine

PROJECT = Path(__file__).resolve().parent.parent

CUT = "name: courier\nsource: courier.blend\nframes: {first: 1, last: 6}\nresolution: [64, 48]\n"


@pytest.mark.parametrize("name", animerun_gen.__all__)
def test_every_name_is_there_and_documented(name: str) -> None:
    value = getattr(animerun_gen, name)
    assert name in dir(animerun_gen)
    if not isinstance(value, tuple):
        assert len(inspect.getdoc(value) or "") > 20


def test_type_checkers_see_the_same_names() -> None:
    [block] = [one for one in ast.parse(inspect.getsource(animerun_gen)).body if isinstance(one, ast.If)]
    imported = {
        (alias.asname or alias.name, one.module, alias.name)
        for one in block.body
        if isinstance(one, ast.ImportFrom)
        for alias in one.names
    }
    assert {name for name, _, _ in imported} == set(animerun_gen.__all__)
    for name, module, there in imported:
        assert module is not None
        assert getattr(import_module(module), there) is getattr(animerun_gen, name)


def test_a_name_that_is_not_offered() -> None:
    with pytest.raises(AttributeError, match="module 'animerun_gen' has no attribute 'render'"):
        animerun_gen.render  # noqa: B018
    with pytest.raises(ImportError):
        exec("from animerun_gen import render")


def modules_after(program: str) -> set[str]:
    program += "; import sys; print(*sys.modules)"
    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=PROJECT)
    return set(answer.stdout.split())


@pytest.mark.parametrize(
    ("program", "not_loaded"),
    [
        ("import animerun_gen", {"numpy", "pydantic", "yaml", "cv2", "animerun_gen.errors"}),
        ("from animerun_gen import Dataset", {"numba", "pydantic", "yaml", "scipy", "skimage", "distributed"}),
        ("from animerun_gen import Options, Question", {"numpy", "numba", "pydantic", "yaml"}),
        ("from animerun_gen import CutConfig, load_cuts", {"numba", "distributed"}),
        ("import animerun_gen.cli", {"numpy", "numba", "pydantic", "yaml", "psutil", "jinja2"}),
    ],
)
def test_nobody_waits_for_what_is_not_used(program: str, not_loaded: set[str]) -> None:
    assert modules_after(program) & not_loaded == set()


def examples() -> dict[str, str]:
    """The programs that the package's docstring and the README show, by where they stand."""
    shown = re.findall(r"(?:^    .*\n|^\n)+", animerun_gen.__doc__ or "", re.MULTILINE)
    programs = [textwrap.dedent(block) for block in shown if "from animerun_gen" in block]
    readme = re.findall(r"^```python\n(.*?)^```", (PROJECT / "README.md").read_text(encoding="utf-8"), re.M | re.S)
    return {"docstring": "\n".join(programs), "README": "\n".join(readme)}


@pytest.mark.parametrize("place", ["docstring", "README"])
def test_the_examples_run(
    place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    program = examples()[place]
    assert program.count("from animerun_gen import") >= 2
    toy = tmp_path / "configs" / "toy"
    toy.mkdir(parents=True)
    (toy / "courier.yaml").write_text(CUT)
    (toy / "courier.blend").write_bytes(b"a film")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(BpyModule, "find", FakeEngine)
    names: dict[str, object] = {"__name__": "__main__"}
    exec(compile(program, place, "exec"), names)
    assert "courier complete" in capsys.readouterr().out
    flow, valid = names["flow"], names["valid"]
    assert (flow.shape, valid.shape) == ((48, 64, 2), (48, 64))  # type: ignore[attr-defined]
