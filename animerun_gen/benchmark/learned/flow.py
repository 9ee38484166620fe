"""Learned methods for flow: every model of ptlflow, RAFT of torchvision, GMFlow, and what ``train`` wrote.

GMFlow: Xu et al., "GMFlow: Learning Optical Flow via Global Matching", CVPR 2022, arXiv:2111.13680; with refinement it
is ptlflow's ``gmflow_refine``.
"""

from __future__ import annotations

import importlib.metadata
from pathlib import Path
from typing import Any

import numpy as np
import torch

from animerun_gen.benchmark.flow.methods import Flow, FlowMethod, Picture
from animerun_gen.benchmark.results import MethodFacts
from animerun_gen.benchmark.source import MethodChoice
from animerun_gen.dataset.checksums import file_digest
from animerun_gen.errors import AnimerunGenError, UsageError
from animerun_gen.networks.flow import FlowNetwork, build, from_weights
from animerun_gen.networks.weights import read_weights

GMFLOW = "ptlflow:gmflow_refine"
"""The network of the name "gmflow"."""

RAFT_UPDATES = 32
"""How often torchvision's RAFT refines its flow here: as often as its authors do when they evaluate it."""


def open_method(choice: MethodChoice) -> FlowMethod:
    """Make a learned method.

    Args:
        choice: ``name`` is ``ptlflow:`` and a model, ``torchvision:raft_small`` or ``torchvision:raft_large``,
            ``gmflow``, or ``checkpoint:`` and a file that ``animerun-gen train flow`` wrote.

    Raises:
        MissingPackageError: A package is not installed.
        UsageError: There is no such model or file, its weights are not of this model, or none are given.
    """
    device = _device(choice.device)
    network, facts = _trained_here(choice) if choice.name.startswith("checkpoint:") else _from_library(choice)
    details = {**facts.details, "torch": torch.__version__, "device": device.type}
    network = network.to(device).eval()
    return FlowMethod(facts.model_copy(update={"details": details}), _Estimate(network, device, choice.name))


class _Estimate:
    def __init__(self, network: FlowNetwork, device: torch.device, name: str) -> None:
        self.network = network
        self.device = device
        self.name = name

    def __call__(self, first: Picture, second: Picture) -> Flow:
        pictures = torch.from_numpy(np.stack([first, second])).permute(0, 3, 1, 2)[None]
        try:
            with torch.inference_mode():
                flow = self.network(pictures.to(self.device).float() / 255)[-1][0]
        # models are other people's, and fail in many ways: those of videos, for example, want more frames than two
        except Exception as error:
            raise AnimerunGenError(
                f"the method '{self.name}' cannot estimate flow between two frames of"
                f" {first.shape[1]} x {first.shape[0]} pixels ({type(error).__name__}: {error})",
                remedy="choose another one, or another --device",
            ) from error
        return np.ascontiguousarray(flow.permute(1, 2, 0).float().cpu().numpy())


def _device(wanted: str) -> torch.device:
    there = torch.cuda.is_available()
    if wanted == "cuda" and not there:
        raise UsageError("PyTorch finds no GPU that it can use", remedy="run it with --device cpu")
    return torch.device("cuda" if there and wanted != "cpu" else "cpu")


def _trained_here(choice: MethodChoice) -> tuple[FlowNetwork, MethodFacts]:
    if choice.checkpoint is not None or choice.random_weights:
        raise UsageError("'checkpoint:FILE' names its weights itself", remedy="leave out the other option")
    path = Path(choice.name.partition(":")[2])
    weights = read_weights(path)
    network = from_weights(weights, path)
    facts = MethodFacts(
        name=f"checkpoint:{path.name}",
        title=network.name,
        weights="trained",
        trained_on=weights.trained_on,
        details={"sha256": file_digest(path), "step": str(weights.about.get("step", ""))},
    )
    return network, facts


def _from_library(choice: MethodChoice) -> tuple[FlowNetwork, MethodFacts]:
    name = GMFLOW if choice.name == "gmflow" else choice.name
    if choice.random_weights and choice.checkpoint is not None:
        raise UsageError("weights are given or random, not both", remedy="leave out --random-weights or --checkpoint")
    if choice.checkpoint is None and not choice.random_weights:
        raise UsageError(
            f"the method '{choice.name}' needs weights",
            remedy="name a file, or weights that its library released, with --checkpoint; to see that it runs at all,"
            " --random-weights will do",
        )
    options: dict[str, Any] = {"updates": RAFT_UPDATES} if name.startswith("torchvision:") else {}
    file = Path(choice.checkpoint) if choice.checkpoint is not None and Path(choice.checkpoint).is_file() else None
    details = {"options": " ".join(f"{key}={value}" for key, value in options.items())} if options else {}
    if file is not None:
        details["sha256"] = file_digest(file)
    # the same random ones every time
    torch.manual_seed(0)
    network = build(name, options, weights=file, released=None if file is not None else choice.checkpoint)
    library = name.partition(":")[0]
    details[library] = importlib.metadata.version(library)
    trained_on = ""
    if choice.checkpoint is not None and file is None:
        details["released"] = choice.checkpoint
        trained_on = f"released as '{choice.checkpoint}'"
    return network, MethodFacts(
        name=choice.name,
        title=choice.name.partition(":")[2] or choice.name,
        weights="random" if choice.random_weights else "trained",
        trained_on=trained_on,
        details=details,
    )
