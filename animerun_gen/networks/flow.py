"""Networks that estimate optical flow, by name: torchvision's, and all of ptlflow's.

All take and give the same: a network of this module is called with pictures and answers with flows, the last of which
is what it means.

The sources of the families that are used most: RAFT (Teed and Deng, ECCV 2020, arXiv:2003.12039), GMFlow (Xu et al.,
CVPR 2022, arXiv:2111.13680); ptlflow (Morimitsu, 2021, https://github.com/hmorimitsu/ptlflow).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.nn import functional

from animerun_gen.errors import MissingPackageError, UsageError
from animerun_gen.networks.weights import Weights, load_into, put_into, read_weights

Options = Mapping[str, Any]

MOST_UPDATES = 1000
"""So often at most RAFT of torchvision refines its flow: a larger number is a mistake."""


class FlowNetwork(nn.Module, ABC):
    """A network that estimates flow.

    Attributes:
        name: Name by which :func:`build` makes it.
        options: What it was built with.
        network: The network itself, whose tensors have the names that its authors gave them.
    """

    def __init__(self, name: str, options: Options, network: nn.Module) -> None:
        super().__init__()
        self.name = name
        self.options = dict(options)
        self.network = network

    @abstractmethod
    def forward(self, images: torch.Tensor) -> list[torch.Tensor]:
        """Estimate the flow from the first pictures to the second ones.

        Args:
            images: ``(B, 2, 3, H, W)`` float32 in 0..1, RGB.

        Returns:
            Flows ``(B, 2, H, W)`` float32, pixels, u to the right and v down: while it is trained all that its loss
            looks at, from the first guess to the last; else the last one alone.
        """

    @abstractmethod
    def load_released(self, name: str) -> None:
        """Put weights into it that the library has released, by their name there."""

    @property
    def model(self) -> dict[str, Any]:
        """What :func:`build` needs to make it again."""
        return {"name": self.name, "options": self.options}

    def freeze_batch_norm(self) -> None:
        """Leave the means and variances of batch normalisation as they are, as fine-tuning of RAFT does."""
        for module in self.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.eval()


class _Torchvision(FlowNetwork):
    """``torchvision.models.optical_flow``: pictures in -1..1, sides divisible by 8 and of 128 at least."""

    def forward(self, images: torch.Tensor) -> list[torch.Tensor]:
        height, width = images.shape[-2:]
        first, second = (_padded(one * 2 - 1, 8, 128) for one in images.unbind(1))
        flows = self.network(first, second, num_flow_updates=int(self.options.get("updates", 12)))
        kept = flows if self.training else flows[-1:]
        return [flow[..., :height, :width] for flow in kept]

    def load_released(self, name: str) -> None:
        from torchvision.models import get_model_weights

        weights = get_model_weights(self.name.partition(":")[2])[name]
        self.network.load_state_dict(weights.get_state_dict(progress=False, check_hash=True))


class _Ptlflow(FlowNetwork):
    """ptlflow's models take pictures in 0..1 with blue first, and pad them themselves."""

    def forward(self, images: torch.Tensor) -> list[torch.Tensor]:
        found = self.network({"images": images.flip(2)})
        if self.training and isinstance(found.get("flow_preds"), (list, tuple)):
            flows = [flow[:, 0] if flow.ndim == 5 else flow for flow in found["flow_preds"]]
            if any(flow.shape[-2:] != images.shape[-2:] or flow.shape[1] != 2 for flow in flows):
                remedy = "train it with ptlflow itself, or choose a model of the RAFT family"
                raise UsageError("gives no flows of the pictures' size while it is trained", self.name, remedy)
            return flows
        return [found["flows"][:, 0]]

    def load_released(self, name: str) -> None:
        from ptlflow import restore_model

        self.network = restore_model(self.network, name)


def _padded(images: torch.Tensor, multiple: int, least: int) -> torch.Tensor:
    height, width = images.shape[-2:]
    down, right = (max(-(-side // multiple) * multiple, least) - side for side in (height, width))
    return functional.pad(images, (0, right, 0, down), mode="replicate") if down or right else images


def build(name: str, options: Options, weights: Path | None = None, released: str | None = None) -> FlowNetwork:
    """Make a network.

    Args:
        name: ``"torchvision:raft_small"``, ``"torchvision:raft_large"``, or ``"ptlflow:"`` and the name of one of its
            models.
        options: What the model takes beside its defaults: of torchvision's ``updates``, how often the flow is refined
            (12); of ptlflow's what their classes take.
        weights: A file of weights: one that ``animerun-gen train`` wrote, or other people's for the same model; None:
            random ones, by torch's random numbers.
        released: Name of weights that the library has released for the model, which it downloads and keeps; None: none.

    Raises:
        MissingPackageError: The family's package is not installed.
        UsageError: There is no such model, option or file, its weights are not of this model, or weights of this name
            were not released or cannot be downloaded.
    """
    family, _, model = name.partition(":")
    if family not in _FAMILIES or not model:
        remedy = "write torchvision:raft_small, torchvision:raft_large, or ptlflow: and one of its models"
        raise UsageError(f"there is no flow model {name!r}", remedy=remedy)
    network = _FAMILIES[family](name, model, options)
    if released is not None:
        try:
            network.load_released(released)
        except (ValueError, KeyError, OSError, RuntimeError) as error:
            remedy = "correct the name, or download a file of weights and name it in weights"
            raise UsageError(f"weights {released!r} of {name} cannot be had ({error})", remedy=remedy) from error
    if weights is not None:
        load_into(network.network, weights)
    return network


def from_weights(weights: Weights, where: Path) -> FlowNetwork:
    """The trained network of a file of weights.

    Args:
        weights: What :func:`animerun_gen.networks.weights.read_weights` read.
        where: The file.

    Raises:
        MissingPackageError: The family's package is not installed.
        UsageError: It is no flow network.
    """
    if weights.kind != "flow":
        raise UsageError(
            f"holds a network for {weights.kind}, not for flow",
            where,
            "give a file that 'animerun-gen train flow' wrote",
        )
    network = build(str(weights.model.get("name")), dict(weights.model.get("options", {})))
    put_into(network, weights.tensors, where)
    return network.eval()


def load(path: Path) -> FlowNetwork:
    """The trained flow network of a file that ``animerun-gen train flow`` wrote, ready to estimate.

    Raises:
        MissingPackageError: The family's package is not installed.
        UsageError: There is no such file, or it holds something else.
    """
    return from_weights(read_weights(path), path)


def _torchvision(name: str, model: str, options: Options) -> FlowNetwork:
    try:
        from torchvision.models import optical_flow
    # beside a torch of another version its operators are missing, which it says as a RuntimeError
    except (ImportError, RuntimeError) as error:
        raise MissingPackageError(
            f"{name} needs torchvision, which cannot be imported ({error})",
            remedy="install the torchvision that belongs to your version of torch, as https://pytorch.org says",
        ) from error
    makers = {"raft_small": optical_flow.raft_small, "raft_large": optical_flow.raft_large}
    if model not in makers:
        raise UsageError(f"torchvision has no flow model {model!r}", remedy=f"choose {' or '.join(makers)}")
    if strange := sorted(options.keys() - {"updates"}):
        raise UsageError(f"{name} has no option {strange[0]!r}", remedy="leave it out, or give updates")
    updates = options.get("updates", 12)
    if type(updates) is not int or not 1 <= updates <= MOST_UPDATES:
        what = f"the option updates of {name} must be a whole number from 1 to {MOST_UPDATES}, but is {updates!r}"
        raise UsageError(what, remedy="correct it")
    return _Torchvision(name, options, makers[model](weights=None))


def _ptlflow(name: str, model: str, options: Options) -> FlowNetwork:
    try:
        import ptlflow
    except (ImportError, RuntimeError) as error:
        raise MissingPackageError(
            f"{name} needs ptlflow, which cannot be imported ({error})", remedy="install it: pip install ptlflow"
        ) from error
    known = ptlflow.get_model_names()
    if model not in known:
        raise UsageError(
            f"ptlflow has no model {model!r}", remedy="'ptlflow' lists its models: https://ptlflow.rtfd.io"
        )
    try:
        return _Ptlflow(name, options, ptlflow.get_model_reference(model)(**options))
    except TypeError as error:
        raise UsageError(f"{name} cannot be built with these options ({error})", remedy="correct them") from error


_FAMILIES = {"torchvision": _torchvision, "ptlflow": _ptlflow}
