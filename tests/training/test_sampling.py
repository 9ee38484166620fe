"""Which sample comes when follows from the seed and its number alone, and the mix has its weights."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed here: scripts/test.sh has .venv-torch for it")
from torch.utils.data import DataLoader  # noqa: E402

from animerun_gen.training.sampling import Drawn, Mix  # noqa: E402

pytestmark = pytest.mark.torch


class Numbers:
    """Samples that say where they are from, and what torch drew for them, as datasets draw a colour pass."""

    def __init__(self, name: int, length: int) -> None:
        self.name, self.length = name, length

    def __len__(self) -> int:
        return self.length

    def __getitem__(self, index: int) -> Any:
        return self.name, index, int(torch.randint(1000, ()))


def finish(sample: Any, rng: np.random.Generator) -> Any:
    return torch.tensor([*sample, int(rng.integers(1000))])


def drawn(seed: int = 3) -> Drawn:
    return Drawn([Numbers(0, 5), Numbers(1, 3)], Mix([5, 3], [1, 4], seed), finish, seed)


def test_each_round_has_each_sample_as_often_as_its_dataset_is_repeated() -> None:
    mix = Mix([5, 3], [1, 4], seed=0)
    for turn in range(3):
        found = Counter(mix.place(number) for number in range(17 * turn, 17 * (turn + 1)))
        assert found == {**{(0, index): 1 for index in range(5)}, **{(1, index): 4 for index in range(3)}}
    first, second = ([mix.place(number) for number in range(17 * turn, 17 * (turn + 1))] for turn in (0, 1))
    assert first != second


def test_a_sample_follows_from_its_number_whatever_came_before() -> None:
    samples = drawn()
    in_order = [samples[number].tolist() for number in range(40)]
    again = drawn()
    for number in (39, 0, 20, 7):
        torch.manual_seed(number)
        assert again[number].tolist() == in_order[number]
    assert len({tuple(sample) for sample in in_order}) > 35
    assert [drawn(4)[number].tolist() for number in range(40)] != in_order


def test_drawing_does_not_use_up_the_random_numbers_of_the_network() -> None:
    torch.manual_seed(0)
    wanted = torch.rand(3)
    torch.manual_seed(0)
    samples = drawn()
    samples[0], samples[1]
    assert torch.equal(torch.rand(3), wanted)


def test_worker_processes_read_the_same() -> None:
    batches = [range(4), range(4, 8)]
    alone = list(DataLoader(drawn(), batch_sampler=batches))
    for workers in (1, 2):
        found = list(DataLoader(drawn(), batch_sampler=batches, num_workers=workers))
        assert all(torch.equal(one, other) for one, other in zip(found, alone, strict=True))
