"""Files of weights, which are untrusted: tensors, numbers and texts are read from them, and nothing is run."""

from __future__ import annotations

import json
import pickle
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from animerun_gen.dataset.files import refused, written_aside
from animerun_gen.errors import UsageError

FORMAT = "animerun_gen weights 1"
"""What a file of trained weights begins with."""

_PREFIXES = ("module.", "_orig_mod.", "network.")
"""What wrappers put before the names of all tensors: data-parallel training, compilation, and ours."""

_HOLDERS = ("state", "state_dict", "model", "model_state_dict", "params", "network")
"""Under which names files of other people keep their tensors, where they keep more than those."""


@dataclass(frozen=True)
class Weights:
    """What a trained network is.

    Attributes:
        kind: What it was trained for: ``"flow"`` or ``"segments"``.
        model: What :mod:`animerun_gen.networks` needs to build it: names, numbers, truth values, lists of them.
        about: What was trained on what, and how far: the configuration, ``step`` and the figures of the validation.
        tensors: Its tensors by name, in the memory of the CPU.
    """

    kind: str
    model: Mapping[str, Any]
    about: Mapping[str, Any]
    tensors: Mapping[str, torch.Tensor]

    @property
    def trained_on(self) -> str:
        """What tables say that it was trained on: datasets, steps, and what it began with; empty where nobody said."""
        try:
            begun = json.loads(self.about["config"])["model"]
            name = begun.get("released") or begun.get("weights")
            after = f", begun with {Path(name).name}" if name else ""
            said = self.about["trained_on"]
            return f"{said}: {int(self.about['step']):,} steps{after}" if said else ""
        # it is somebody's file
        except (KeyError, TypeError, ValueError, AttributeError):
            return ""


def write_weights(path: Path, weights: Weights) -> None:
    """Write the weights of a trained network; the file is complete or absent.

    Raises:
        DatasetError: The system refuses.
    """
    content = {
        "format": FORMAT,
        "kind": weights.kind,
        "model": json.dumps(weights.model),
        "about": json.dumps(weights.about),
        "state": dict(weights.tensors),
    }
    with written_aside(path) as aside:
        torch.save(content, aside)


def read_weights(path: Path) -> Weights:
    """Read a file that :func:`write_weights` wrote.

    Raises:
        UsageError: There is no such file, or it holds something else.
    """
    content = read_tensors(path)
    try:
        if content["format"] != FORMAT:
            raise ValueError
        model, about = json.loads(content["model"]), json.loads(content["about"])
        tensors = {str(name): tensor for name, tensor in content["state"].items()}
        if not isinstance(model, dict) or not all(isinstance(one, torch.Tensor) for one in tensors.values()):
            raise ValueError
    except (KeyError, ValueError, TypeError, AttributeError) as error:
        remedy = "give a file such as final.pt of a folder that 'animerun-gen train' wrote"
        raise UsageError("holds no weights that 'animerun-gen train' wrote", path, remedy) from error
    return Weights(str(content["kind"]), model, about, tensors)


def read_tensors(path: Path) -> Mapping[str, Any]:
    """Read a file of PyTorch's, whoever wrote it, without running anything that it holds.

    Raises:
        UsageError: There is no such file, or it is none of PyTorch's, or more than tensors would have to be read.
    """
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError as error:
        raise UsageError("does not exist", path, "check the path") from error
    except OSError as error:
        refusal = refused("cannot be read", path, error, "give another file")
        raise UsageError(refusal.what, path, refusal.remedy) from error
    except (pickle.UnpicklingError, RuntimeError, EOFError, ValueError, KeyError, TypeError, AttributeError) as error:
        remedy = "copy or download it again, or give what torch.save made of a state_dict"
        what = "cannot be read as weights: it is damaged or incomplete, or holds code, which is never run"
        raise UsageError(what, path, remedy) from error
    if not isinstance(content, Mapping):
        raise UsageError("holds no named tensors", path, "give a file that torch.save made of a state_dict")
    return content


def load_into(network: nn.Module, path: Path) -> None:
    """Put the weights of a file into a network: one of ours, or other people's with the same names of tensors.

    Args:
        network: The network.
        path: The file.

    Raises:
        UsageError: There is no such file, or its tensors are not those of the network.
    """
    put_into(network, tensors_in(path), path)


def put_into(network: nn.Module, tensors: Mapping[str, torch.Tensor], where: Path) -> None:
    """Put tensors into a network, all of them and no others.

    Args:
        network: The network.
        tensors: Them by name.
        where: The file that they are from.

    Raises:
        UsageError: They are not those of the network.
    """
    own = network.state_dict()
    missing, strange = sorted(own.keys() - tensors.keys()), sorted(tensors.keys() - own.keys())
    unlike = sorted(name for name in own.keys() & tensors.keys() if own[name].shape != tensors[name].shape)
    for names, what in ((missing, "lacks"), (strange, "has more than the model:"), (unlike, "has in another size")):
        if names:
            more = f" and {len(names) - 1} more" if len(names) > 1 else ""
            raise UsageError(f"is not of this model: it {what} {names[0]}{more}", where, "give the model that it is of")
    network.load_state_dict(dict(tensors))


def tensors_in(path: Path) -> dict[str, torch.Tensor]:
    """The tensors in a file of weights, whoever wrote it, by their names in the network.

    Raises:
        UsageError: There is no such file, or there are none in it.
    """
    content = read_tensors(path)
    for name in _HOLDERS:
        inner = content.get(name)
        if isinstance(inner, Mapping) and any(isinstance(value, torch.Tensor) for value in inner.values()):
            content = inner
            break
    tensors = {str(name): value for name, value in content.items() if isinstance(value, torch.Tensor)}
    if not tensors:
        raise UsageError("holds no tensors", path, "give a file that torch.save made of a state_dict")
    for prefix in _PREFIXES:
        if all(name.startswith(prefix) for name in tensors):
            tensors = {name.removeprefix(prefix): tensor for name, tensor in tensors.items()}
    return tensors
