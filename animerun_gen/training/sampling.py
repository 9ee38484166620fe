"""Which sample comes when: a weighted mix of datasets, in an order that is known for every step in advance.

Nothing is remembered from step to step.  The sample of a number, and everything that is drawn at random for it, follow
from the seed and the number alone, so that a training that was killed goes on with the samples it would have had, with
any number of worker processes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

import numpy as np
import torch
from torch.utils.data import Dataset

_ORDER, _DRAW = 1, 2
"""What random numbers are for: the same seed gives unlike ones for each."""


class Samples(Protocol):
    """What has a length and gives a sample by its place."""

    def __len__(self) -> int: ...

    def __getitem__(self, index: int, /) -> Any: ...


class Pairs(Samples, Protocol):
    """The pairs of a dataset, as :mod:`animerun_gen.dataset.torch` has them.

    Attributes:
        left_out: A sentence for each pair that lacks something.
    """

    left_out: list[str]


class OpenData:
    """A dataset of a configuration, opened: samples as arrays.

    Args:
        pairs: Its pairs.
        most: So many of them at most, spread evenly; None: all.

    Attributes:
        left_out: A sentence for each pair that lacks something.
    """

    def __init__(self, pairs: Pairs, most: int | None) -> None:
        count = len(pairs)
        self._pairs = pairs
        self._places = range(count) if most is None or most >= count else [at * count // most for at in range(most)]
        self.left_out = pairs.left_out

    def __len__(self) -> int:
        return len(self._places)

    def __getitem__(self, index: int) -> dict[str, Any]:
        sample: dict[str, Any] = self._pairs[self._places[index]]
        return sample

    @property
    def frame_size(self) -> tuple[int, int]:
        """Width and height of the frames of the first pair.

        Raises:
            DatasetError: A file of it is missing or damaged.
        """
        height, width = self[0]["images"][0].shape[:2]
        return width, height


def as_it_is(sample: dict[str, Any]) -> dict[str, Any]:
    """What datasets are asked to do with a sample: arrays stay arrays."""
    return sample


class Mix:
    """The order in which the samples of several datasets come.

    Each round has every sample of every dataset as often as its dataset is repeated, in an order of its own.

    Args:
        lengths: How many samples each dataset has.
        repeats: How often each of them comes in a round.
        seed: Decides the order.

    Example:
        >>> mix = Mix(lengths=[2, 1], repeats=[1, 3], seed=0)
        >>> sorted(mix.place(number) for number in range(5))
        [(0, 0), (0, 1), (1, 0), (1, 0), (1, 0)]
    """

    def __init__(self, lengths: Sequence[int], repeats: Sequence[int], seed: int) -> None:
        self._lengths = lengths
        self._ends = np.cumsum([length * repeat for length, repeat in zip(lengths, repeats, strict=True)])
        self._seed = seed
        self._round = -1
        self._order = np.empty(0, np.int64)

    def place(self, number: int) -> tuple[int, int]:
        """The dataset, and the place in it, of the sample of a number; numbers begin with 0 and never end."""
        turn, within = divmod(number, int(self._ends[-1]))
        if turn != self._round:
            self._order = np.random.default_rng((self._seed, _ORDER, turn)).permutation(int(self._ends[-1]))
            self._round = turn
        slot = int(self._order[within])
        source = int(np.searchsorted(self._ends, slot, side="right"))
        before = int(self._ends[source - 1]) if source else 0
        return source, (slot - before) % self._lengths[source]


class Drawn(Dataset[Any]):
    """The samples of a mix by their numbers.

    Args:
        sources: The datasets.
        mix: Their order.
        finish: Makes of a sample what the network sees: crops, augments, makes tensors; all that it draws at random it
            draws from the generator.
        seed: Decides what is drawn.
    """

    def __init__(
        self, sources: Sequence[Samples], mix: Mix, finish: Callable[[Any, np.random.Generator], Any], seed: int
    ) -> None:
        self._sources = sources
        self._mix = mix
        self._finish = finish
        self._seed = seed

    def __getitem__(self, number: int) -> Any:
        """The sample of a number.

        Raises:
            DatasetError: A file of it is missing or damaged.
        """
        source, index = self._mix.place(number)
        rng = np.random.default_rng((self._seed, _DRAW, number))
        # datasets draw a colour pass by torch's random numbers, which others must not notice
        with torch.random.fork_rng(devices=[]):
            torch.default_generator.manual_seed(int(rng.integers(2**62)))
            sample = self._sources[source][index]
        return self._finish(sample, rng)
