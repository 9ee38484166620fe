"""Flow networks by name answer in the shapes that are promised, with the weights that they were given."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed here: scripts/test.sh has .venv-torch for it")

from animerun_gen.errors import MissingPackageError, UsageError  # noqa: E402
from animerun_gen.networks.flow import build, load  # noqa: E402
from animerun_gen.networks.weights import Weights, write_weights  # noqa: E402

pytestmark = pytest.mark.torch


def built(name: str, options: Any) -> Any:
    """A model; where its package is not installed, or not for this torch, the test is skipped."""
    torch.manual_seed(0)
    try:
        return build(name, options)
    except MissingPackageError as error:
        pytest.skip(str(error))


MODELS = [("torchvision:raft_small", {"updates": 2}), ("ptlflow:raft_small", {"iters": 2})]


@pytest.mark.parametrize(("name", "options"), MODELS)
def test_flows_are_of_the_pictures_size_and_come_back_from_a_file(tmp_path: Path, name: str, options: Any) -> None:
    network = built(name, options)
    images = torch.rand(1, 2, 3, 130, 141, generator=torch.Generator().manual_seed(1))
    assert [tuple(flow.shape) for flow in network.train()(images)] == [(1, 2, 130, 141)] * 2
    with torch.no_grad():
        [flow] = network.eval()(images)
        write_weights(tmp_path / "a.pt", Weights("flow", network.model, {}, network.state_dict()))
        [again] = load(tmp_path / "a.pt")(images)
    assert flow.dtype == torch.float32
    assert torch.equal(flow, again)


@pytest.mark.parametrize(("name", "options"), MODELS)
def test_colours_are_told_apart(name: str, options: Any) -> None:
    """A network that took red for blue would answer the same to pictures whose channels are exchanged."""
    network = built(name, options).eval()
    images = torch.rand(1, 2, 3, 128, 128, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        assert not torch.allclose(network(images)[-1], network(images.flip(2))[-1])


def test_other_peoples_weights_are_those_of_the_model(tmp_path: Path) -> None:
    """Their names of tensors are ours, so that a released file fits, and so does one that training wrote."""
    one, other = built(*MODELS[0]), built(*MODELS[0])
    with torch.no_grad():
        for value in one.parameters():
            value.add_(1)
    torch.save(one.network.state_dict(), tmp_path / "theirs.pth")
    write_weights(tmp_path / "ours.pt", Weights("flow", one.model, {}, one.state_dict()))
    for name in ("theirs.pth", "ours.pt"):
        other = build(*MODELS[0], tmp_path / name)
        assert all(torch.equal(value, other.state_dict()[key]) for key, value in one.state_dict().items())


@pytest.mark.parametrize(
    ("name", "options", "sentence"),
    [
        ("torchvision:pwc", {}, "torchvision has no flow model 'pwc'"),
        ("torchvision:raft_small", {"iters": 3}, "has no option 'iters'"),
        ("torchvision:raft_small", {"updates": -3}, "updates of .* must be a whole number from 1 to 1000, but is -3"),
        ("torchvision:raft_small", {"updates": "a"}, "must be a whole number from 1 to 1000, but is 'a'"),
        ("torchvision:raft_small", {"updates": True}, "must be a whole number"),
        ("ptlflow:nonsense", {}, "ptlflow has no model 'nonsense'"),
        ("ptlflow:raft_small", {"nonsense": 3}, "cannot be built with these options"),
    ],
)
def test_what_there_is_not_has_its_sentence(name: str, options: Any, sentence: str) -> None:
    built(f"{name.partition(':')[0]}:raft_small", {})
    with pytest.raises(UsageError, match=sentence):
        build(name, options)


def test_a_package_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    for module, name in (("torchvision.models", "torchvision:raft_small"), ("ptlflow", "ptlflow:raft")):
        monkeypatch.setitem(sys.modules, module, None)
        with pytest.raises(MissingPackageError, match=f"{name} needs {module.partition('.')[0]}"):
            build(name, {})
