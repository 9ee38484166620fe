from __future__ import annotations

import cv2
import numpy as np
import pytest

from animerun_gen.benchmark.flow.methods import PLAIN, open_method
from animerun_gen.benchmark.source import MethodChoice
from animerun_gen.errors import UsageError


@pytest.fixture(scope="module")
def pair() -> tuple[np.ndarray, np.ndarray]:
    """A smooth pattern that moves three pixels to the right and two down."""
    noise = np.random.default_rng(0).integers(0, 256, (140, 180, 3), np.uint8)
    picture = cv2.GaussianBlur(noise, (0, 0), 4).astype(np.float32)
    picture = ((picture - picture.min()) / np.ptp(picture) * 255).astype(np.uint8)
    return picture[10:-10, 10:-10].copy(), picture[8:-12, 7:-13].copy()


@pytest.mark.parametrize("name", ["dis", "farneback"])
def test_a_method_finds_a_motion_and_its_direction(name: str, pair: tuple[np.ndarray, np.ndarray]) -> None:
    flow = open_method(MethodChoice(name)).estimate(*pair)
    assert flow.shape == (120, 160, 2)
    assert flow.dtype == np.float32
    inner = flow[20:-20, 20:-20]
    assert np.linalg.norm(inner - (3, 2), axis=2).mean() < 0.3


@pytest.mark.parametrize("name", PLAIN)
def test_a_method_gives_the_same_every_time(name: str, pair: tuple[np.ndarray, np.ndarray]) -> None:
    first, second = (open_method(MethodChoice(name)).estimate(*pair) for _ in range(2))
    assert np.array_equal(first, second)


def test_zero_is_no_motion(pair: tuple[np.ndarray, np.ndarray]) -> None:
    assert not open_method(MethodChoice("zero")).estimate(*pair).any()


def test_a_method_that_there_is_not_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(UsageError, match=r"no method 'raft'; choose one of zero, dis, farneback, ptlflow:NAME"):
        open_method(MethodChoice("raft"))


def test_a_method_without_weights_takes_none() -> None:
    for choice in (MethodChoice("dis", checkpoint="things"), MethodChoice("dis", random_weights=True)):
        with pytest.raises(UsageError, match="the method 'dis' has no weights"):
            open_method(choice)
