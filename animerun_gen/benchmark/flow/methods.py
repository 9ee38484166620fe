"""Methods that estimate flow, by name: those without weights here, learned ones where they are asked for."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from animerun_gen.benchmark.results import MethodFacts
from animerun_gen.benchmark.source import MethodChoice
from animerun_gen.dataset.opencv import cv2
from animerun_gen.errors import UsageError

Picture = npt.NDArray[np.uint8]
Flow = npt.NDArray[np.float32]


@dataclass(frozen=True)
class FlowMethod:
    """A method that estimates flow.

    Attributes:
        facts: What is said of it in results.
        estimate: From two frames, ``(H, W, 3)`` uint8 RGB, to the motion from the first to the second, ``(H, W, 2)``
            float32 in pixels.
    """

    facts: MethodFacts
    estimate: Callable[[Picture, Picture], Flow]


def zero(first: Picture, second: Picture) -> Flow:
    """No motion at all."""
    return np.zeros((*first.shape[:2], 2), np.float32)


def dis(first: Picture, second: Picture) -> Flow:
    """Dense inverse search (Kroeger et al., ECCV 2016, arXiv:1603.03590), OpenCV's preset "medium"."""
    search = cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)  # type: ignore[attr-defined]
    flow: Flow = search.calc(_grey(first), _grey(second), None)
    return flow


def farneback(first: Picture, second: Picture) -> Flow:
    """Polynomial expansion (Farnebäck, SCIA 2003, doi:10.1007/3-540-45103-X_50), five levels, windows of 15 px."""
    flow = cv2.calcOpticalFlowFarneback(  # type: ignore[call-overload]
        _grey(first),
        _grey(second),
        None,
        pyr_scale=0.5,
        levels=5,
        winsize=15,
        iterations=3,
        poly_n=5,
        poly_sigma=1.2,
        flags=0,
    )
    return flow


def _grey(picture: Picture) -> Picture:
    return cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)  # type: ignore[return-value]


PLAIN: dict[str, tuple[str, Callable[[Picture, Picture], Flow]]] = {
    "zero": ("zero flow", zero),
    "dis": ("DIS (OpenCV)", dis),
    "farneback": ("Farnebäck (OpenCV)", farneback),
}
"""Methods without weights: what they are called in tables, and what estimates."""

_LEARNED = "animerun_gen.benchmark.learned.flow"

LEARNED: dict[str, str] = {
    "ptlflow:NAME": _LEARNED,
    "torchvision:NAME": _LEARNED,
    "gmflow": _LEARNED,
    "checkpoint:FILE": _LEARNED,
}
"""Learned methods to the module whose function ``open_method`` makes them of a :class:`MethodChoice`; what stands after
a colon is the caller's."""


def open_method(choice: MethodChoice) -> FlowMethod:
    """Make a method of its name.

    Raises:
        UsageError: There is none of this name, or it cannot be had as it is asked for.

    Example:
        >>> method = open_method(MethodChoice("zero"))
        >>> frame = np.zeros((4, 6, 3), np.uint8)
        >>> method.facts.title, method.estimate(frame, frame).shape
        ('zero flow', (4, 6, 2))
    """
    if choice.name in PLAIN:
        if choice.checkpoint is not None or choice.random_weights:
            raise UsageError(f"the method '{choice.name}' has no weights", remedy="leave out --checkpoint")
        title, estimate = PLAIN[choice.name]
        details = {} if choice.name == "zero" else {"opencv": cv2.__version__}
        return FlowMethod(MethodFacts(name=choice.name, title=title, weights="none", details=details), estimate)
    for form, module in LEARNED.items():
        word, colon, _ = form.partition(":")
        if choice.name.startswith(f"{word}:") if colon else choice.name == word:
            made: FlowMethod = importlib.import_module(module).open_method(choice)
            return made
    raise UsageError(f"there is no method '{choice.name}'", remedy=f"choose one of {', '.join((*PLAIN, *LEARNED))}")
