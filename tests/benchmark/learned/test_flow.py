"""Learned methods with networks that a test makes; what libraries bring is tried where they are installed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from animerun_gen.benchmark.flow.methods import open_method  # noqa: E402
from animerun_gen.benchmark.source import MethodChoice  # noqa: E402
from animerun_gen.errors import AnimerunGenError, MissingPackageError, UsageError  # noqa: E402
from animerun_gen.networks import flow as networks  # noqa: E402
from animerun_gen.networks.weights import Weights, write_weights  # noqa: E402

pytestmark = pytest.mark.torch


class Small(networks.FlowNetwork):
    """Gives the difference of red, weighted, as motion to the right, and the mean of blue as motion down."""

    def forward(self, images: Any) -> list[Any]:
        if images.shape[-1] < 8:
            raise RuntimeError("frames are too small")
        first, second = images.unbind(1)
        weight = self.network.weight[0, 0]
        right = weight * (second[:, 0] - first[:, 0])
        return [torch.zeros_like(images[:, 0, :2]), torch.stack([right, first[:, 2]], dim=1)]

    def load_released(self, name: str) -> None:
        torch.nn.init.constant_(self.network.weight, {"things": 2.0}[name])


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    def make(name: str, model: str, options: Any) -> Small:
        return Small(name, options, torch.nn.Linear(1, 1, bias=False))

    monkeypatch.setitem(networks._FAMILIES, "ptlflow", make)
    monkeypatch.setattr("animerun_gen.benchmark.learned.flow.importlib.metadata.version", lambda library: "1.2.3")


@pytest.fixture
def pair() -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(0)
    first, second = random.integers(0, 256, (2, 10, 12, 3), np.uint8)
    return first, second


def expected(pair: tuple[np.ndarray, np.ndarray], weight: float) -> np.ndarray:
    first, second = (picture.astype(np.float32) / 255 for picture in pair)
    return np.stack([weight * (second[..., 0] - first[..., 0]), first[..., 2]], axis=-1)


def test_released_weights_are_asked_for_by_name(pair: tuple[np.ndarray, np.ndarray]) -> None:
    method = open_method(MethodChoice("ptlflow:small", checkpoint="things", device="cpu"))
    assert (method.facts.title, method.facts.weights) == ("small", "trained")
    assert method.facts.trained_on == "released as 'things'"
    assert method.facts.details["ptlflow"] == "1.2.3"
    flow = method.estimate(*pair)
    assert flow.dtype == np.float32
    np.testing.assert_allclose(flow, expected(pair, 2.0), rtol=1e-6)
    with pytest.raises(UsageError, match=r"weights 'other' of ptlflow:small cannot be had"):
        open_method(MethodChoice("ptlflow:small", checkpoint="other"))


def test_a_file_of_weights_is_read_and_known_by_its_checksum(
    tmp_path: Path, pair: tuple[np.ndarray, np.ndarray]
) -> None:
    torch.save({"weight": torch.full((1, 1), 3.0)}, tmp_path / "weights.pth")
    choice = MethodChoice("ptlflow:small", checkpoint=str(tmp_path / "weights.pth"), device="cpu")
    method = open_method(choice)
    assert method.facts.trained_on == ""
    assert len(method.facts.details["sha256"]) == 64
    np.testing.assert_allclose(method.estimate(*pair), expected(pair, 3.0), rtol=1e-6)


def test_gmflow_is_a_network_of_ptlflow(tmp_path: Path, pair: tuple[np.ndarray, np.ndarray]) -> None:
    torch.save({"weight": torch.full((1, 1), 3.0)}, tmp_path / "flownet.pkl")
    method = open_method(MethodChoice("gmflow", checkpoint=str(tmp_path / "flownet.pkl"), device="cpu"))
    assert (method.facts.name, method.facts.title) == ("gmflow", "gmflow")
    np.testing.assert_allclose(method.estimate(*pair), expected(pair, 3.0), rtol=1e-6)


def test_code_in_a_file_of_weights_does_not_run(tmp_path: Path) -> None:
    class Touch:
        def __reduce__(self) -> tuple[Any, ...]:
            return Path.touch, (tmp_path / "touched",)

    torch.save({"weight": Touch()}, tmp_path / "weights.pth")
    with pytest.raises(UsageError, match="holds code, which is never run"):
        open_method(MethodChoice("ptlflow:small", checkpoint=str(tmp_path / "weights.pth")))
    assert not (tmp_path / "touched").exists()


def test_weights_are_random_only_where_that_was_asked_for(pair: tuple[np.ndarray, np.ndarray]) -> None:
    with pytest.raises(UsageError, match=r"the method 'ptlflow:small' needs weights; .*--random-weights"):
        open_method(MethodChoice("ptlflow:small"))
    one, other = (open_method(MethodChoice("ptlflow:small", random_weights=True)) for _ in range(2))
    assert one.facts.weights == "random"
    assert np.array_equal(one.estimate(*pair), other.estimate(*pair))
    with pytest.raises(UsageError, match="weights are given or random, not both"):
        open_method(MethodChoice("ptlflow:small", checkpoint="things", random_weights=True))


def test_what_was_trained_here_says_on_what(tmp_path: Path, pair: tuple[np.ndarray, np.ndarray]) -> None:
    config = {"model": {"name": "ptlflow:small", "weights": "/somewhere/flownet.pkl", "released": None}}
    path = tmp_path / "final.pt"
    about = {"trained_on": "toy (29 pairs)", "config": json.dumps(config), "step": 1500, "validation": {}}
    tensors = {"network.weight": torch.full((1, 1), 4.0)}
    write_weights(path, Weights("flow", {"name": "ptlflow:small", "options": {}}, about, tensors))
    method = open_method(MethodChoice(f"checkpoint:{path}", device="cpu"))
    assert method.facts.trained_on == "toy (29 pairs): 1,500 steps, begun with flownet.pkl"
    assert (method.facts.name, method.facts.weights) == ("checkpoint:final.pt", "trained")
    np.testing.assert_allclose(method.estimate(*pair), expected(pair, 4.0), rtol=1e-6)
    write_weights(path, Weights("flow", {"name": "ptlflow:small", "options": {}}, {"config": "{"}, tensors))
    assert open_method(MethodChoice(f"checkpoint:{path}")).facts.trained_on == ""
    write_weights(path, Weights("segments", {"name": "ptlflow:small", "options": {}}, about, tensors))
    with pytest.raises(UsageError, match="holds a network for segments, not for flow"):
        open_method(MethodChoice(f"checkpoint:{path}"))


def test_what_a_network_cannot_do_is_a_sentence() -> None:
    method = open_method(MethodChoice("ptlflow:small", random_weights=True, device="cpu"))
    small = np.zeros((4, 4, 3), np.uint8)
    said = (
        r"'ptlflow:small' cannot estimate flow between two frames of 4 x 4 pixels \(RuntimeError: frames are too small"
    )
    with pytest.raises(AnimerunGenError, match=said):
        method.estimate(small, small)


def test_a_gpu_that_there_is_not_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(UsageError, match="finds no GPU that it can use; run it with --device cpu"):
        open_method(MethodChoice("ptlflow:small", checkpoint="things", device="cuda"))


def test_torchvision_runs_or_says_what_to_install(pair: tuple[np.ndarray, np.ndarray]) -> None:
    try:
        import torchvision  # noqa: F401
    except (ImportError, RuntimeError):
        with pytest.raises(MissingPackageError, match=r"needs torchvision, .* install the torchvision"):
            open_method(MethodChoice("torchvision:raft_small", random_weights=True))
        return
    method = open_method(MethodChoice("torchvision:raft_small", random_weights=True, device="cpu"))
    assert method.estimate(*pair).shape == (10, 12, 2)
    assert method.facts.details["options"] == "updates=32"
