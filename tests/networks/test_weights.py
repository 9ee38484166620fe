"""Files of weights come back as they were written, and no other file does any harm."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed here: scripts/test.sh has .venv-torch for it")
from torch import nn  # noqa: E402

from animerun_gen.errors import UsageError  # noqa: E402
from animerun_gen.networks.flow import build, from_weights, load  # noqa: E402
from animerun_gen.networks.weights import Weights, load_into, read_weights, write_weights  # noqa: E402

pytestmark = pytest.mark.torch


def network() -> Any:
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4))


def same(one: Any, other: Any) -> bool:
    return all(torch.equal(value, other.state_dict()[name]) for name, value in one.state_dict().items())


def test_weights_come_back(tmp_path: Path) -> None:
    one = network()
    written = Weights("flow", {"name": "x", "options": {"updates": 3}}, {"step": 7}, one.state_dict())
    write_weights(tmp_path / "final.pt", written)
    found = read_weights(tmp_path / "final.pt")
    assert (found.kind, found.model, found.about) == ("flow", written.model, written.about)
    other = network()
    load_into(other, tmp_path / "final.pt")
    assert same(one, other)


@pytest.mark.parametrize("prefix", ["", "module.", "_orig_mod."])
@pytest.mark.parametrize("holder", [None, "state_dict", "model"])
def test_other_peoples_files_are_understood(tmp_path: Path, prefix: str, holder: str | None) -> None:
    one, other = network(), network()
    tensors = {f"{prefix}{name}": value for name, value in one.state_dict().items()}
    torch.save(tensors if holder is None else {holder: tensors, "epoch": 3}, tmp_path / "theirs.pth")
    load_into(other, tmp_path / "theirs.pth")
    assert same(one, other)


class Evil:
    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (Path("harm"),)


def test_a_file_that_would_run_code_runs_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    torch.save({"weight": Evil()}, tmp_path / "evil.pt")
    (tmp_path / "plain.pkl").write_bytes(pickle.dumps(Evil()))
    for name in ("evil.pt", "plain.pkl"):
        with pytest.raises(UsageError, match="holds code, which is never run"):
            read_weights(tmp_path / name)
    assert not (tmp_path / "harm").exists()


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 and nothing more", b"#!/bin/sh\n", bytes(1000)])
def test_a_file_that_is_none_of_weights_has_its_sentence(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.pt").write_bytes(content)
    with pytest.raises(UsageError, match=r"a\.pt"):
        read_weights(tmp_path / "a.pt")


def test_what_does_not_fit_has_its_sentence(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="does not exist"):
        load_into(network(), tmp_path / "none.pt")
    good = network().state_dict()
    for change, sentence in (
        ({"0.weight": torch.zeros(4, 3, 5, 5)}, "in another size 0.weight"),
        ({"extra": torch.zeros(1)}, "more than the model: extra"),
    ):
        torch.save({**good, **change}, tmp_path / "a.pt")
        with pytest.raises(UsageError, match=sentence):
            load_into(network(), tmp_path / "a.pt")
    torch.save({"0.weight": good["0.weight"]}, tmp_path / "a.pt")
    with pytest.raises(UsageError, match=r"lacks 0\.bias and 5 more"):
        load_into(network(), tmp_path / "a.pt")
    torch.save({"epoch": 3}, tmp_path / "a.pt")
    with pytest.raises(UsageError, match="holds no tensors"):
        load_into(network(), tmp_path / "a.pt")


def test_a_network_for_something_else_is_no_flow_network(tmp_path: Path) -> None:
    write_weights(tmp_path / "a.pt", Weights("segments", {"name": "ant"}, {}, network().state_dict()))
    with pytest.raises(UsageError, match="a network for segments, not for flow"):
        load(tmp_path / "a.pt")
    torch.save(network().state_dict(), tmp_path / "b.pt")
    with pytest.raises(UsageError, match="holds no weights that 'animerun-gen train' wrote"):
        load(tmp_path / "b.pt")


@pytest.mark.parametrize("name", ["raft_small", "nonsense:raft", "torchvision:", ":raft"])
def test_models_have_a_family(name: str) -> None:
    with pytest.raises(UsageError, match="there is no flow model"):
        build(name, {})
    with pytest.raises(UsageError, match="there is no flow model"):
        from_weights(Weights("flow", {"name": name}, {}, {}), Path("a.pt"))
