"""Checks that the layers of a frame are those of the frame: put together they are the frame, to the pixel."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from animerun_gen.dataset.layers import Amodal, compose_layers
from animerun_gen.dataset.modalities import composed_of, pass_number
from animerun_gen.verify.words import pixels

BACKGROUND_ID = 0
"""Object id of the background."""


def layer_problems(values: Mapping[str, Any], names: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """What is wrong with the layers of a frame, of which every file is sound by itself.

    Args:
        values: What the files of the frame hold, by modality; ``amodal`` is among them.
        names: Their file names, by modality.

    Yields:
        The modality of the file that is wrong, and the end of a sentence about it.
    """
    amodal: Amodal = values["amodal"]
    written = {name.partition("@")[2] for name in names if "@" in name}
    if unnamed := sorted(written - set(amodal.order)):
        yield "amodal", f"has no layer {unnamed[0]}, of which there are files"
        return
    if any(f"{kind}@{layer}" not in values for kind in ("cel", "visible") for layer in amodal.order):
        # what is missing or damaged is said elsewhere
        return
    cels = {layer: values[f"cel@{layer}"] for layer in amodal.order}
    visible: dict[str, npt.NDArray[np.bool_]] = {layer: values[f"visible@{layer}"] for layer in amodal.order}
    times = np.sum(list(visible.values()), axis=0)
    if count := np.count_nonzero(times != 1):
        yield f"visible@{amodal.order[0]}", f"and those of the other layers show {pixels(count)} not just once"
        return
    for layer in amodal.order:
        yield from _of_layer(layer, cels[layer], visible[layer], values, names)
    for pictures in ("frame", *(name for name in sorted(names) if pass_number(name) is not None)):
        yield from _of_composition(pictures, amodal, visible, values, names)


def _of_composition(
    pictures: str,
    amodal: Amodal,
    visible: Mapping[str, npt.NDArray[np.bool_]],
    values: Mapping[str, Any],
    names: Mapping[str, str],
) -> Iterator[tuple[str, str]]:
    """What is wrong with the cels in the colours of a frame or pass, beside that which is put together from them."""
    kinds = composed_of(pictures)
    needed = (pictures, kinds.lines, *(f"{kinds.cel}@{layer}" for layer in amodal.order))
    if any(name not in values for name in needed):
        return
    cels: dict[str, npt.NDArray[np.uint8]] = {layer: values[f"{kinds.cel}@{layer}"] for layer in amodal.order}
    composed = compose_layers(list(cels.values()), list(visible.values()), values[kinds.lines])
    differs = (composed != values[pictures]).any(axis=2)
    if count := np.count_nonzero(differs):
        where = tuple(np.argwhere(differs)[0])
        layer = next(layer for layer in amodal.order if visible[layer][where])
        yield f"{kinds.cel}@{layer}", f"put together with the other layers is not {names[pictures]} at {pixels(count)}"
    if pictures == "frame":
        return
    for layer, cel in cels.items():
        if count := np.count_nonzero(cel[..., 3] != values[f"cel@{layer}"][..., 3]):
            yield f"{kinds.cel}@{layer}", f"has another shape than {names[f'cel@{layer}']} at {pixels(count)}"


def _of_layer(
    layer: str,
    cel: npt.NDArray[np.uint8],
    visible: npt.NDArray[np.bool_],
    values: Mapping[str, Any],
    names: Mapping[str, str],
) -> Iterator[tuple[str, str]]:
    covered = cel[..., 3] > 0
    if count := np.count_nonzero(visible & ~covered):
        yield f"cel@{layer}", f"has nothing at {pixels(count)} that {names[f'visible@{layer}']} shows"
    ids = values.get(f"object_id@{layer}")
    if ids is not None:
        if count := np.count_nonzero((ids != BACKGROUND_ID) & ~covered):
            yield f"object_id@{layer}", f"shows objects at {pixels(count)} at which {names[f'cel@{layer}']} has nothing"
        shown = values.get("object_id")
        if shown is not None and (count := np.count_nonzero(visible & (ids != shown))):
            yield (
                f"object_id@{layer}",
                f"shows other objects than {names['object_id']} at {pixels(count)} it is seen at",
            )
    for direction in ("forward", "backward"):
        flow, own = values.get(f"flow_{direction}"), values.get(f"flow_{direction}@{layer}")
        valid = values.get(f"valid_{direction}")
        if flow is not None and own is not None and valid is not None:
            differs = visible & valid & (flow != own).any(axis=2)
            if count := np.count_nonzero(differs):
                yield (
                    f"flow_{direction}@{layer}",
                    f"has another motion than {names[f'flow_{direction}']} at {pixels(count)} it is seen at",
                )
