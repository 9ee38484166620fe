"""A trained AnT as a method of the benchmark: ``checkpoint:FILE``."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from animerun_gen.benchmark.ant.inputs import collate_pairs, prepare_pair
from animerun_gen.benchmark.ant.matching import decide
from animerun_gen.benchmark.ant.model import Ant, AntShape
from animerun_gen.benchmark.results import MethodFacts
from animerun_gen.benchmark.segments.methods import SegmentMethod, SegmentPair
from animerun_gen.benchmark.source import MethodChoice
from animerun_gen.dataset.checksums import file_digest
from animerun_gen.errors import UsageError
from animerun_gen.networks.weights import Weights, put_into, read_weights

KIND = "segments"
"""What files of weights call it."""

REMEDY = "give a file that 'animerun-gen train segments' wrote"
"""What to do about a file of other weights."""


def model_of(shape: AntShape) -> dict[str, Any]:
    """What a file of weights says of a model, so that :func:`load` can make it again."""
    return json.loads(json.dumps({"name": "ant", "shape": asdict(shape)}))


def load(path: Path) -> tuple[Ant, Weights]:
    """The trained matcher of a file that ``animerun-gen train segments`` wrote.

    Raises:
        UsageError: There is no such file, or it holds something else.
    """
    weights = read_weights(path)
    if weights.kind != KIND:
        raise UsageError(f"holds a network for {weights.kind}, not for {KIND}", path, REMEDY)
    try:
        shape = dict(weights.model["shape"])
        model = Ant(AntShape(**{**shape, "channels": tuple(shape["channels"]), "guide": tuple(shape.get("guide", ()))}))
    except (KeyError, TypeError, ValueError, AssertionError) as error:
        raise UsageError(f"describes no model that this version can make ({error})", path, REMEDY) from error
    put_into(model, weights.tensors, path)
    return model.eval(), weights


class AntMatcher:
    """Matches the segments of whole frames.

    Args:
        model: The model.
        device: Where it runs.
    """

    def __init__(self, model: Ant, device: torch.device) -> None:
        self.model = model.to(device).eval()
        self.device = device

    def __call__(self, pair: SegmentPair) -> list[int]:
        prepared = prepare_pair(pair.pictures, pair.segments, guides=self.model.shape.guide)
        batch = collate_pairs([prepared]).to(self.device)
        with torch.inference_mode():
            found = decide(self.model(batch)[-1])[0].tolist()
        return found[: len(pair.regions[0])]


def open_matcher(choice: MethodChoice) -> SegmentMethod:
    """Make the method of a file of weights.

    Raises:
        UsageError: There is no such file, or it holds something else; or there is no such device.
    """
    path = Path(choice.name.partition(":")[2])
    model, weights = load(path)
    name = "cuda" if choice.device == "auto" and torch.cuda.is_available() else choice.device.replace("auto", "cpu")
    if name == "cuda" and not torch.cuda.is_available():
        raise UsageError("there is no GPU that PyTorch can use", remedy="choose --device cpu")
    facts = MethodFacts(
        name="checkpoint",
        title=path.stem,
        weights="trained",
        trained_on=weights.trained_on,
        details={"step": str(weights.about.get("step", "")), "checksum": file_digest(path)},
    )
    return SegmentMethod(facts, AntMatcher(model, torch.device(name)))
