"""Training of segment matching: which samples, which loss, which figures; the loop is every training's (``loop``)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

import torch
from torch.utils.data import Dataset

from animerun_gen.benchmark.ant.inputs import AntBatch, AntPair, collate_pairs
from animerun_gen.benchmark.ant.matcher import KIND, AntMatcher, model_of
from animerun_gen.benchmark.ant.matching import decide, matching_loss
from animerun_gen.benchmark.ant.model import Ant, AntShape
from animerun_gen.benchmark.segments.methods import SegmentPair
from animerun_gen.benchmark.segments.metrics import measure_segments
from animerun_gen.dataset.torch import SegmentPairs
from animerun_gen.training.config import read_training
from animerun_gen.training.loop import device_named, seeded
from animerun_gen.training.run import described, pairs_left_out, require_crop_fits, run_training
from animerun_gen.training.sampling import Drawn, Mix, OpenData, as_it_is
from animerun_gen.training.segment_augmentation import SegmentFinish
from animerun_gen.training.segments_config import SegmentData, SegmentTraining

FIGURES = ("acc", "acc_visible", "acc_occluded")
"""What the validation says, of :data:`animerun_gen.benchmark.segments.metrics.COLUMNS`."""


def train_from(config: Path, output: Path, *, device: str = "auto", workers: int = 0) -> list[str]:
    """Train as a YAML file says, or go on with it.

    Args:
        config: The file; see :class:`~animerun_gen.training.segments_config.SegmentTraining`.
        output: The folder to write to.
        device: Where to compute: see :func:`~animerun_gen.training.loop.device_named`.
        workers: Processes that read samples beside this one.

    Returns:
        Sentences about what came of it.

    Raises:
        ConfigError: The file asks for something impossible.
        AnimerunGenError: As :func:`~animerun_gen.training.loop.train`, and where datasets cannot be read.
    """
    wanted = read_training(config, SegmentTraining)
    chosen = device_named(device)
    task = SegmentTask(wanted)
    return run_training(task, wanted, output, device=chosen, workers=workers, decimals=2)


class SegmentTask:
    """A network that is trained to match segments: the :class:`~animerun_gen.training.loop.Task` of it.

    Args:
        wanted: What is trained on what.

    Attributes:
        pairs: How many pairs there are to train on.
        held_out: How many there are for the validation.
        left_out: A sentence for each dataset of which pairs are left out.
        trained_on: What tables say that the network was trained on.

    Raises:
        ConfigError: The crop is larger than the frames of a dataset.
        AnimerunGenError: A dataset cannot be used.
    """

    kind = KIND
    larger_is_better = True

    def __init__(self, wanted: SegmentTraining) -> None:
        self.wanted = wanted
        seed = wanted.schedule.seed
        seeded(seed)
        shape = AntShape(**wanted.model.model_dump())
        self.network = Ant(shape)
        self.model: Mapping[str, Any] = model_of(shape)
        sources = [open_data(data) for data in wanted.data]
        require_crop_fits(wanted.crop, wanted.data, sources)
        self.left_out = pairs_left_out(wanted.data, sources)
        self.validation = {data.name or data.split: open_data(data) for data in wanted.validation}
        mix = Mix([len(source) for source in sources], [data.repeat for data in wanted.data], seed)
        finish = SegmentFinish(wanted.crop, wanted.augmentation, shape.guide)
        self.samples: Dataset[Any] = Drawn(sources, mix, finish, seed)
        self.pairs = sum(map(len, sources))
        self.trained_on = described(wanted.data, sources)
        self.held_out = sum(map(len, self.validation.values()))
        self.figure = FIGURES[0] if self.validation else None

    def collate(self, samples: Sequence[AntPair]) -> dict[str, torch.Tensor]:
        return vars(collate_pairs(samples))

    def begin(self) -> None:
        self.network.train()

    def loss(self, batch: Mapping[str, torch.Tensor]) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
        pairs = AntBatch(**batch)
        rounds = self.network(pairs)
        settings = self.wanted.loss
        total = rounds[0].new_zeros(())
        for back, assignment in enumerate(reversed(rounds)):
            total = total + settings.earlier_rounds**back * matching_loss(
                assignment, pairs.matches, settings.occluded_weight
            )
        with torch.no_grad():
            known = pairs.matches >= -1
            right = ((decide(rounds[-1]) == pairs.matches) & known).sum() / known.sum().clamp_min(1)
        return total, {"acc": 100 * right}

    def validate(self) -> dict[str, float]:
        found = {name: self._figures(source) for name, source in self.validation.items()}
        means = {key: fmean(figures[key] for figures in found.values()) for key in FIGURES}
        return {**means, **{f"{key} {name}": figures[key] for name, figures in found.items() for key in FIGURES}}

    def _figures(self, source: OpenData) -> dict[str, float]:
        """Figures of a dataset, mean over its pairs."""
        matcher = AntMatcher(self.network, next(self.network.parameters()).device)
        values: dict[str, list[float]] = {key: [] for key in FIGURES}
        for index in range(len(source)):
            with torch.random.fork_rng(devices=[]):
                # the same colour pass each time
                torch.manual_seed(index)
                sample = source[index]
            pair = SegmentPair(tuple(sample["images"]), tuple(sample["segments"]))
            counts = [len(regions) for regions in pair.regions]
            figures = measure_segments(matcher(pair), sample["all_matches"], pair.regions[0].areas, counts[1])
            for key in FIGURES:
                if (value := figures[key].value) is not None:
                    values[key].append(value)
        return {key: fmean(of) if of else 0.0 for key, of in values.items()}


def open_data(data: SegmentData) -> OpenData:
    """Open a dataset of a configuration.

    Raises:
        NoDatasetError: There is no such dataset, split or cut.
        DatasetError: There is no pair that has all that is asked for.
    """
    pairs = SegmentPairs(
        data.root, data.split, as_it_is, direction=data.direction, pictures=data.pictures, cuts=data.cuts
    )
    return OpenData(pairs, data.most)
