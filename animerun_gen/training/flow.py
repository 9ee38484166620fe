"""Training of optical flow: which samples, which loss, which figures; the loop is every training's (``loop``)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.utils.data import Dataset

from animerun_gen.dataset.pairs import Sample
from animerun_gen.dataset.torch import CreativeFlow, FlowPairs, FlyingThings3D, LinkToAnime, Sintel
from animerun_gen.dataset.torch.flow import FlowSamples
from animerun_gen.errors import UsageError
from animerun_gen.networks.flow import FlowNetwork, build
from animerun_gen.training.augmentation import FlowFinish
from animerun_gen.training.config import read_training
from animerun_gen.training.flow_config import FlowData, FlowTraining
from animerun_gen.training.loop import device_named, seeded
from animerun_gen.training.run import described, pairs_left_out, require_crop_fits, run_training
from animerun_gen.training.sampling import Drawn, Mix, OpenData, as_it_is


def train_from(config: Path, output: Path, *, device: str = "auto", workers: int = 0) -> list[str]:
    """Train as a YAML file says, or go on with it.

    Args:
        config: The file; see :class:`~animerun_gen.training.flow_config.FlowTraining`.
        output: The folder to write to.
        device: Where to compute: see :func:`~animerun_gen.training.loop.device_named`.
        workers: Processes that read samples beside this one.

    Returns:
        Sentences about what came of it.

    Raises:
        ConfigError: The file asks for something impossible.
        AnimerunGenError: As :func:`~animerun_gen.training.loop.train`, and where datasets or weights cannot be read.
    """
    wanted = read_training(config, FlowTraining)
    chosen = device_named(device)
    task = FlowTask(wanted)
    return run_training(task, wanted, output, device=chosen, workers=workers, decimals=3)


class FlowTask:
    """A network that is trained for optical flow: the :class:`~animerun_gen.training.loop.Task` of it.

    Args:
        wanted: What is trained on what.

    Attributes:
        pairs: How many pairs there are to train on.
        held_out: How many there are for the validation.
        left_out: A sentence for each dataset of which pairs are left out.
        trained_on: What tables say that the network was trained on.

    Raises:
        ConfigError: The crop is larger than the frames of a dataset.
        AnimerunGenError: A dataset or a file of weights cannot be used, or a package is not installed.
    """

    kind = "flow"
    larger_is_better = False

    def __init__(self, wanted: FlowTraining) -> None:
        self.wanted = wanted
        seed = wanted.schedule.seed
        seeded(seed)
        model = wanted.model
        self.network: FlowNetwork = build(model.name, model.options, model.weights, model.released)
        self.model: Mapping[str, Any] = self.network.model
        sources = [open_data(data) for data in wanted.data]
        require_crop_fits(wanted.crop, wanted.data, sources)
        self.left_out = pairs_left_out(wanted.data, sources)
        self.validation = {data.name or data.kind: open_data(data) for data in wanted.validation}
        mix = Mix([len(source) for source in sources], [data.repeat for data in wanted.data], seed)
        finish = FlowFinish(wanted.crop, wanted.augmentation)
        self.samples: Dataset[Any] = Drawn(sources, mix, partial(_tensors, finish), seed)
        self.pairs = sum(map(len, sources))
        self.trained_on = described(wanted.data, sources)
        self.held_out = sum(map(len, self.validation.values()))
        self.figure = "epe" if self.validation else None

    def collate(self, samples: Sequence[Mapping[str, torch.Tensor]]) -> dict[str, torch.Tensor]:
        return {name: torch.stack([sample[name] for sample in samples]) for name in samples[0]}

    def begin(self) -> None:
        self.network.train()
        if self.wanted.model.freeze_batch_norm:
            self.network.freeze_batch_norm()

    def loss(self, batch: Mapping[str, torch.Tensor]) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
        images = batch["images"].float() / 255
        try:
            flows = self.network(images)
        # networks are other people's, and fail in many ways where an option or a size does not suit them
        except Exception as error:
            raise UsageError(
                f"{self.network.name} cannot be trained with these options on crops of {images.shape[-1]} x"
                f" {images.shape[-2]} pixels ({type(error).__name__}: {error})",
                remedy="correct model.options or crop, or make schedule.batch smaller where memory does not suffice",
            ) from error
        settings = self.wanted.loss
        loss = sequence_loss(flows, batch["flow"], batch["valid"], settings.gamma, settings.longest)
        with torch.no_grad():
            distances = distance(flows[-1], batch["flow"], batch["valid"])
        return loss, {"epe": mean_where(distances, batch["valid"])}

    def validate(self) -> dict[str, float]:
        figures = {name: mean_error(self.network, source) for name, source in self.validation.items()}
        mean = sum(figures.values()) / len(figures)
        return {"epe": mean, **{f"epe {name}": value for name, value in figures.items()}}


def mean_error(network: FlowNetwork, source: OpenData) -> float:
    """The mean end-point error of a network over all known pixels of a dataset, in pixels.

    Args:
        network: The network, as it estimates (``network.eval()``).
        source: The dataset; of colour passes the same one is drawn each time.

    Raises:
        DatasetError: A file of it is missing or damaged.
    """
    device = next(network.parameters()).device
    total, pixels = 0.0, 0
    with torch.no_grad():
        for index in range(len(source)):
            with torch.random.fork_rng(devices=[]):
                torch.default_generator.manual_seed(index)
                sample = source[index]
            images = np.stack(sample["images"]).transpose(0, 3, 1, 2)
            flow = torch.from_numpy(sample["flows"][0].transpose(2, 0, 1))[None].to(device)
            valid = torch.from_numpy(sample["valids"][0].transpose(2, 0, 1) != 0)[None].to(device)
            found = network(torch.from_numpy(images)[None].to(device).float() / 255)[-1]
            total += float(distance(found, flow, valid).double().sum())
            pixels += int(valid.sum())
    return total / max(pixels, 1)


def sequence_loss(
    flows: Sequence[torch.Tensor], truth: torch.Tensor, valid: torch.Tensor, gamma: float, longest: float
) -> torch.Tensor:
    """The loss of RAFT (Teed and Deng, ECCV 2020, arXiv:2003.12039): absolute distances, later flows counted more.

    Unknown flow takes no part, whatever stands there: NaN, infinity, 1e10.

    Args:
        flows: ``(B, 2, H, W)`` each, from the first guess to the last.
        truth: ``(B, 2, H, W)`` float32, pixels.
        valid: ``(B, 1, H, W)`` bool: where it is known.
        gamma: A flow counts ``gamma`` times as much as the one that follows it.
        longest: Motion that is longer, in pixels, takes no part.

    Returns:
        The sum over ``flows`` of their mean distances over the pixels that take part; 0 where there are none.

    Example:
        >>> truth = torch.tensor([[[[1.0, float("nan")]], [[0.0, 1e10]]]])
        >>> valid = torch.tensor([[[[True, False]]]])
        >>> float(sequence_loss([torch.zeros(1, 2, 1, 2), torch.zeros(1, 2, 1, 2)], truth, valid, 0.5, 400.0))
        0.75
    """
    counts = valid & (torch.nan_to_num(truth, nan=torch.inf).square().sum(dim=1, keepdim=True) < longest**2)
    # what is no number must be gone before the difference: its gradient is none either, even times zero
    truth = torch.where(counts, truth, 0)
    pixels = 2 * counts.sum().clamp(min=1)
    loss = truth.new_zeros(())
    for place, flow in enumerate(flows):
        errors = torch.where(counts, (flow.float() - truth).abs(), 0)
        loss = loss + gamma ** (len(flows) - 1 - place) * errors.sum() / pixels
    return loss


def distance(flow: torch.Tensor, truth: torch.Tensor, valid: torch.Tensor) -> torch.Tensor:
    """How far the ends of flow vectors lie from the true ones.

    Args:
        flow: ``(B, 2, H, W)``, pixels.
        truth: The same.
        valid: ``(B, 1, H, W)`` bool: where the truth is known.

    Returns:
        ``(B, 1, H, W)`` float32, pixels; 0 where the truth is unknown.
    """
    difference = torch.where(valid, flow.float() - torch.where(valid, truth, 0), 0)
    return difference.square().sum(dim=1, keepdim=True).sqrt()


def mean_where(values: torch.Tensor, valid: torch.Tensor) -> torch.Tensor:
    """The mean of values, 0 where they are unknown, over what is known; 0 where nothing is."""
    return values.sum() / valid.sum().clamp(min=1)


def open_data(data: FlowData) -> OpenData:
    """Open a dataset of a configuration.

    Raises:
        NoDatasetError: There is no such dataset, split or cut.
        DatasetError: There is no pair that has all that is asked for.
    """
    common: dict[str, Any] = {"transforms": as_it_is, "pictures": data.pictures or "random"}
    if data.kind == "animerun":
        pairs: FlowSamples = FlowPairs(
            data.root,
            data.split or "train",
            direction=data.direction,
            gaps=data.gaps,
            occlusion=None,
            cuts=data.cuts,
            **common,
        )
    elif data.kind == "flying_things":
        ways = {"forward": ("into_future",), "backward": ("into_past",), "both": ("into_future", "into_past")}
        pairs = FlyingThings3D(data.root, data.split or "TRAIN", directions=ways[data.direction], **common)
    elif data.kind == "sintel":
        pairs = Sintel(data.root, data.split or "training", **common)
    elif data.kind == "creative_flow":
        pairs = CreativeFlow(data.root, data.split or "train", **common)
    else:
        pairs = LinkToAnime(data.root, data.split or "train", **common)
    return OpenData(pairs, data.most)


def _tensors(finish: FlowFinish, sample: Sample, rng: np.random.Generator) -> dict[str, torch.Tensor]:
    first, second, flow, valid = finish.arrays(sample, rng)
    return {
        "images": torch.from_numpy(np.stack([first, second]).transpose(0, 3, 1, 2).copy()),
        "flow": torch.from_numpy(flow.transpose(2, 0, 1).copy()),
        "valid": torch.from_numpy(valid[None].copy()),
    }
