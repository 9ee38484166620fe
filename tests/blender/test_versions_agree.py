"""The same clips through every Blender that is here: they agree as far as two Blenders have to.

``scripts/test.sh`` sees that the other Blenders are there; in continuous integration none may be missing.
"""

from __future__ import annotations

import importlib.metadata
import os
import shutil
import sys
from pathlib import Path

import pytest

from animerun_gen.dataset import Dataset
from tests.blender.conftest import PROJECT, run_kept

sys.path.insert(0, str(PROJECT / "scripts"))
from compare_versions import Engine, compare, engine_of, small_configs

pytestmark = [pytest.mark.blender, pytest.mark.versions]

CUTS = (PROJECT / "configs" / "toy" / "workshop.yaml", PROJECT / "configs" / "conversions" / "orchard.yaml")
"""Modifiers that make and drop faces; textures, and what is clipped by them."""

MODULES = ("5.0.1", "5.2.3")


def _configs(folder: Path) -> Path:
    return small_configs(folder / "configs", 2, CUTS, 192)


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """The clips as the module of this environment makes them."""
    folder = tmp_path_factory.mktemp("ours")
    run_kept("generate", _configs(folder), "--out", folder / "out")
    return Dataset(folder / "out")


def _other(name: str) -> Engine:
    """A Blender by the name of its program or the version of its module; skips, or fails in CI, where it is missing."""
    if name == "blender":
        if shutil.which(name) is not None:
            return Engine(sys.executable, name)
    else:
        python = PROJECT / f".venv-bpy-{name}" / "bin" / "python"
        if python.exists():
            return Engine(str(python))
    # there is no Python 3.13 on every machine
    if os.environ.get("CI") and name != "5.2.3":
        pytest.fail(f"Blender {name} is missing; scripts/test.sh should have installed it")
    pytest.skip(f"no Blender {name} (scripts/test.sh installs it)")


@pytest.mark.parametrize("name", ["blender", *MODULES])
def test_blenders_agree(ours: Dataset, tmp_path: Path, name: str) -> None:
    _other(name).generate(_configs(tmp_path), tmp_path / "out")
    theirs = Dataset(tmp_path / "out")
    versions = {engine_of(clip) for clip in theirs.clips()}
    assert versions != {engine_of(clip) for clip in ours.clips()}
    for clip in ours.clips():
        found = compare(clip, theirs.clip(clip.cut))
        assert found.is_good, found.reasons()
        # what their rasterisers round otherwise is a handful of pixels at borders
        assert found.surfaces < 1e-4 * found.pixels
        assert found.known == 0
        assert found.lines < 2e-3 * found.pixels
        assert found.other_lines == 0


def test_this_is_the_module_that_the_others_are_held_against(ours: Dataset) -> None:
    assert {engine_of(clip) for clip in ours.clips()} == {f"Blender {importlib.metadata.version('bpy')}"}
