"""Methods that make the frame between two frames, by name: those without weights here, learned ones where asked for."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from animerun_gen.benchmark.flow import methods as flow_methods
from animerun_gen.benchmark.flow.methods import FlowMethod
from animerun_gen.benchmark.interpolation import exact
from animerun_gen.benchmark.interpolation.metrics import Picture
from animerun_gen.benchmark.interpolation.splatting import Layer, splat
from animerun_gen.benchmark.interpolation.triplets import Triplet
from animerun_gen.benchmark.interpolation.warping import color_difference
from animerun_gen.benchmark.results import MethodFacts
from animerun_gen.benchmark.source import MethodChoice
from animerun_gen.errors import UsageError

CONSISTENCY = 20.0
"""In softmax splatting by estimated flow, the importance of a pixel is that many times the negative difference of its
colour, 0..1, from the one that its flow leads to: the factor of the method's authors."""


@dataclass(frozen=True)
class Interpolated:
    """A frame that was made.

    Attributes:
        picture: ``(H, W, 3)`` uint8, RGB.
        filled: Number of pixels of which nothing was known: the mean of both frames stands there.
    """

    picture: Picture
    filled: int = 0


@dataclass(frozen=True)
class InterpolationMethod:
    """A method that makes the frame between two frames.

    Attributes:
        facts: What is said of it in results.
        interpolate: From a triplet, its first and its last frame, ``(H, W, 3)`` uint8 RGB, to the middle one.  Of the
            triplet only methods that are told the exact motion take anything.
        lacks: Tells what a triplet lacks that the method needs; empty where it lacks nothing.
    """

    facts: MethodFacts
    interpolate: Callable[[Triplet, Picture, Picture], Interpolated]
    lacks: Callable[[Triplet], str] = lambda triplet: ""


def blend(first: Picture, last: Picture) -> npt.NDArray[np.float64]:
    """The mean of both frames, ``(H, W, 3)`` float64."""
    return (first.astype(np.float64) + last) / 2


def as_picture(values: npt.NDArray[np.float64]) -> Picture:
    """Colours from 0 to 255 as they are written to a file, rounded.

    Example:
        >>> as_picture(np.array([[[-3.0, 17.6, 300.0]]])).tolist()
        [[[0, 18, 255]]]
    """
    return np.clip(np.rint(values), 0, 255).astype(np.uint8)


def splat_halfway(layers: tuple[Layer, Layer], first: Picture, last: Picture) -> Interpolated:
    """Lay down what both frames show, and fill what is left with their mean.

    Args:
        layers: The frames with their motion to the middle.
        first: The first frame.
        last: The last one.
    """
    laid = splat(layers)
    holes = laid.holes
    return Interpolated(as_picture(np.where(holes[..., None], blend(first, last), laid.picture)), int(holes.sum()))


def splat_by(flow: FlowMethod, first: Picture, last: Picture, *, softmax: bool) -> Interpolated:
    """Splat both frames half their way to each other.

    Args:
        flow: What estimates the motion.
        first: The first frame.
        last: The last one.
        softmax: Whether pixels count by how well their colour fits; else all alike.
    """
    layers = []
    for source, target in ((first, last), (last, first)):
        motion = np.ascontiguousarray(flow.estimate(source, target), np.float32)
        importance = -CONSISTENCY * color_difference(source, target, motion) if softmax else None
        layers.append(Layer(source, motion.astype(np.float64) / 2, importance))
    return splat_halfway((layers[0], layers[1]), first, last)


def _blended(triplet: Triplet, first: Picture, last: Picture) -> Interpolated:
    return Interpolated(as_picture(blend(first, last)))


def _splat_exact(triplet: Triplet, first: Picture, last: Picture) -> Interpolated:
    one, other = exact.exact_layers(triplet, (first, last))
    return splat_halfway((one, other), first, last)


def _ceiling(triplet: Triplet, first: Picture, last: Picture) -> Interpolated:
    picture, nowhere = exact.true_warp(triplet, (first, last))
    return Interpolated(as_picture(picture), int(nowhere.sum()))


def _lacks_two(triplet: Triplet) -> str:
    if not exact.lacks_motion_over_two(triplet):
        return ""
    return "no exact motion over two frames (motion.gaps with 2, or correspondence in motion.extras, makes it)"


def _lacks_middle(triplet: Triplet) -> str:
    return "no flow from the middle frame both ways" if exact.lacks_motion_of_middle(triplet) else ""


EXACT = "exact"
"""Stands for the exact motion where a method of flow is named."""

_CEILING = MethodFacts(name="ceiling", title="warped by the true motion (ceiling)", weights="none")

PLAIN: dict[str, InterpolationMethod] = {
    "blend": InterpolationMethod(MethodFacts(name="blend", title="blend", weights="none"), _blended),
    "ceiling": InterpolationMethod(_CEILING, _ceiling, _lacks_middle),
}
"""Methods without weights that need no flow of their own."""

SPLATTING = {"splat": "splatting", "average-splat": "average splatting"}
"""First word of methods that splat, behind which the method of flow is named, and what they are called in tables."""

LEARNED: dict[str, str] = {"rife": "animerun_gen.benchmark.learned.rife"}
"""First word of a learned method to the module whose function ``open_method`` makes it of a
:class:`~animerun_gen.benchmark.flow.methods.MethodChoice`."""


def open_method(choice: MethodChoice) -> InterpolationMethod:
    """Make a method of its name.

    Args:
        choice: ``"blend"``, ``"ceiling"``, ``"rife"``; ``"splat:"`` or ``"average-splat:"`` with any method of flow, or
            with ``"exact"``.

    Raises:
        UsageError: There is none of this name, or it cannot be had as it is asked for.

    Example:
        >>> open_method(MethodChoice("splat:dis")).facts.title
        'splatting by DIS (OpenCV)'
    """
    word, _, behind = choice.name.partition(":")
    if word in SPLATTING and behind:
        return _splatting(choice, word, behind)
    if choice.name in PLAIN:
        _require_no_weights(choice)
        return PLAIN[choice.name]
    if word in LEARNED:
        made: InterpolationMethod = importlib.import_module(LEARNED[word]).open_method(choice)
        return made
    flows = (*flow_methods.PLAIN, *flow_methods.LEARNED, EXACT)
    known = ", ".join((*PLAIN, *(f"{one}:FLOW" for one in SPLATTING), *LEARNED))
    remedy = f"choose one of {known}, where FLOW is {', '.join(flows)}"
    raise UsageError(f"there is no method '{choice.name}'", remedy=remedy)


def _splatting(choice: MethodChoice, word: str, behind: str) -> InterpolationMethod:
    called = SPLATTING[word]
    if behind == EXACT:
        _require_no_weights(choice)
        if word != "splat":
            raise UsageError(f"there is no method '{choice.name}'", remedy=f"choose splat:{EXACT}")
        facts = MethodFacts(name=choice.name, title=f"{called} by exact flow", weights="none")
        return InterpolationMethod(facts, _splat_exact, _lacks_two)
    flow = flow_methods.open_method(replace(choice, name=behind))
    facts = flow.facts.model_copy(update={"name": choice.name, "title": f"{called} by {flow.facts.title}"})
    softmax = word == "splat"
    return InterpolationMethod(facts, lambda triplet, first, last: splat_by(flow, first, last, softmax=softmax))


def _require_no_weights(choice: MethodChoice) -> None:
    if choice.checkpoint is not None or choice.random_weights:
        raise UsageError(f"the method '{choice.name}' has no weights", remedy="leave out --checkpoint")
