"""What pip installs: numpy for whoever reads, and everything that the commands import for whoever makes datasets."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any

import pytest

PROJECT = Path(__file__).resolve().parent.parent
INSIDE_BLENDER = {"bpy", "bmesh", "gpu", "mathutils"}
OPTIONAL = {
    "torch": ("dataset/torch", "benchmark", "networks", "training"),
    "torchvision": ("networks",),
    "ptlflow": ("networks",),
    "lpips": ("benchmark/learned",),
    "OpenEXR": (".",),
    "h5py": ("export/layouts",),
    "imageio_ffmpeg": ("publish",),
}
"""What is imported where it is asked for alone, and where."""

PARTS = {"distributed": {"dask", "tornado"}, "jinja2": {"markupsafe"}, "pydantic": {"pydantic-core"}}


@pytest.fixture(scope="module")
def project() -> dict[str, Any]:
    return tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def names(requirements: list[str]) -> set[str]:
    """The packages that requirements name, as they are compared."""
    found = (re.match(r"[A-Za-z0-9._-]+", requirement) for requirement in requirements)
    return {match[0].lower().replace("_", "-") for match in found if match}


def imported(path: Path) -> set[str]:
    tree = ast.parse(path.read_bytes())
    modules = [alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names]
    modules += [node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and not node.level]
    return {module.partition(".")[0] for module in modules} - sys.stdlib_module_names - {"animerun_gen"}


def test_readers_need_numpy_alone(project: dict[str, Any]) -> None:
    assert project["dependencies"] == ["numpy>=1.26"]
    assert project["requires-python"] == ">=3.10"
    assert names(project["optional-dependencies"]["opencv"]) == {"opencv-python-headless"}


def test_what_the_commands_import_is_in_their_extra(project: dict[str, Any]) -> None:
    offered = names([*project["dependencies"], *project["optional-dependencies"]["generate"]])
    # what packages cannot be without, and their users import
    offered |= {part for package, parts in PARTS.items() if package in offered for part in parts}
    home = packages_distributions()
    for path in (PROJECT / "animerun_gen").rglob("*.py"):
        for module in imported(path) - INSIDE_BLENDER:
            if module in OPTIONAL:
                there = [PROJECT / "animerun_gen" / place for place in OPTIONAL[module]]
                assert any(path.is_relative_to(place) for place in there), f"{path} imports {module}"
            else:
                packages = {name.lower().replace("_", "-") for name in home.get(module, [])}
                assert packages & offered, f"{path} imports {module}, which no one has whom pip installed this"


def test_what_is_pinned_is_all_that_is_asked_for(project: dict[str, Any]) -> None:
    pinned = names((PROJECT / "requirements.txt").read_text(encoding="utf-8").splitlines())
    extras = project["optional-dependencies"]
    asked = {name for extra in ("generate", "bpy", "cycles", "dev") for name in names(extras[extra])}
    assert asked - {"animerun-gen"} <= {name.replace("_", "-") for name in pinned}


def test_what_tests_of_both_environments_use_is_the_same() -> None:
    """The tests with PyTorch run by the same settings of pytest."""
    pins, beside = (
        set((PROJECT / name).read_text(encoding="utf-8").splitlines())
        for name in ("requirements.txt", "requirements-torch.txt")
    )
    assert {line for line in beside if re.match("pytest|filelock|hypothesis", line)} <= pins
    assert any(line.startswith("pytest-timeout==") for line in beside)
