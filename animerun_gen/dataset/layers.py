"""Layers of a clip: cels put together to the frame, whole masks of what is partly hidden, and who hides whom.

``docs/layers.md`` describes the files.  All of this needs nothing but numpy and OpenCV.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from animerun_gen.dataset import files
from animerun_gen.errors import DatasetError

U8Array = npt.NDArray[np.uint8]
Mask = npt.NDArray[np.bool_]

BLACK = (0, 0, 0)


@dataclass(frozen=True)
class LayerExtent:
    """How much a layer shows in a frame.

    Attributes:
        name: The layer.
        area: Pixels at which it has a surface, hidden ones included.
        visible: Of these, how many the frame shows.
    """

    name: str
    area: int
    visible: int


@dataclass(frozen=True)
class LayerOcclusion:
    """One layer in front of another.

    Attributes:
        front: The layer in front.
        behind: The layer behind.
        pixels: At how many pixels both have a surface, and that of ``front`` is nearer; others may hide both.
    """

    front: str
    behind: str
    pixels: int


@dataclass(frozen=True)
class ObjectOcclusion:
    """One object in front of another.

    Attributes:
        front: Id of the object in front.
        behind: Id of the object behind.
        pixels: At how many pixels both have a surface, and that of ``front`` is nearer; others may hide both.
    """

    front: int
    behind: int
    pixels: int


@dataclass(frozen=True)
class AmodalObject:
    """All of an object that is within the picture, what others hide included.

    Attributes:
        id: Its id, as ``object_id`` has it.
        name: Its name.
        layer: Its layer.
        area: Pixels of its whole mask.
        visible: Of these, how many the frame shows.
        box: Left, top, width and height of its whole mask in pixels.
        counts: The whole mask as COCO's run lengths: pixels outside and inside in turn, column by column from the left.
    """

    id: int
    name: str
    layer: str
    area: int
    visible: int
    box: tuple[int, int, int, int]
    counts: tuple[int, ...] = field(repr=False)


@dataclass(frozen=True)
class Amodal:
    """Who hides whom in a frame.

    Attributes:
        height: Of the picture, in pixels.
        width: Likewise.
        layers: The layers from the back to the front.
        order_is_exact: Whether whole cels that are laid over each other in this order show the frame's colours; where
            layers reach through each other, only :func:`compose_layers` with their visible parts does.
        layer_occlusions: Of each two layers that overlap, which is in front and where.
        objects: All objects within the picture, by id.
        object_occlusions: Of each two objects that overlap, likewise.
    """

    height: int
    width: int
    layers: tuple[LayerExtent, ...]
    order_is_exact: bool
    layer_occlusions: tuple[LayerOcclusion, ...]
    objects: tuple[AmodalObject, ...]
    object_occlusions: tuple[ObjectOcclusion, ...]

    @property
    def order(self) -> tuple[str, ...]:
        """Names of the layers from the back to the front."""
        return tuple(layer.name for layer in self.layers)

    def mask(self, number: int) -> Mask:
        """The whole mask of an object.

        Args:
            number: Its id.

        Returns:
            ``(H, W)`` bool; all False where the object is not in the picture.
        """
        of_it = [each for each in self.objects if each.id == number]
        found = np.zeros((self.height, self.width), bool)
        for each in of_it:
            found |= unpack_mask(each.counts, self.height, self.width)
        return found


def compose_layers(
    cels: Sequence[U8Array], visible: Sequence[Mask] | None = None, lines: U8Array | None = None
) -> U8Array:
    """Put cels together to a frame.

    Args:
        cels: ``(H, W, 4)`` uint8 RGBA of each layer, from the back to the front; alpha is 0 or 255.
        visible: ``(H, W)`` bool of each, where the frame shows it: then the result is exact also where layers reach
            through each other.  None: each cel lies wholly over those before it.
        lines: ``(H, W, 4)`` uint8 RGBA, lies over all; None: no lines.

    Returns:
        ``(H, W, 3)`` uint8; black where no cel has anything.

    Raises:
        ValueError: There is no cel, or there are more or fewer masks than cels.

    Example:
        >>> back, front = np.full((1, 2, 4), 255, np.uint8), np.zeros((1, 2, 4), np.uint8)
        >>> front[0, 1] = (200, 30, 30, 255)
        >>> compose_layers([back, front]).tolist()
        [[[255, 255, 255], [200, 30, 30]]]
    """
    if not cels:
        raise ValueError("a frame needs at least one cel")
    if visible is not None and len(visible) != len(cels):
        raise ValueError(f"{len(cels)} cels need as many masks, not {len(visible)}")
    found = np.zeros((*cels[0].shape[:2], 3), np.uint8)
    for number, cel in enumerate(cels):
        shown = cel[..., 3] > 0 if visible is None else visible[number]
        found[shown] = cel[shown, :3]
    if lines is not None:
        drawn = lines[..., 3] > 0
        found[drawn] = lines[drawn, :3]
    return found


def cel_of(alpha: U8Array, visible: Mask, colored: U8Array, alone: U8Array) -> U8Array:
    """A layer's cel, of which what the frame shows is the frame.

    Args:
        alpha: ``(H, W)`` uint8, 255 where the layer has a surface, 0 elsewhere.
        visible: ``(H, W)`` bool, where the frame shows it.
        colored: ``(H, W, 3)`` uint8, the frame without lines.
        alone: ``(H, W, 3)`` uint8, the layer alone without lines.

    Returns:
        ``(H, W, 4)`` uint8; black where alpha is 0.
    """
    colors = np.where(visible[..., None], colored, np.where(alpha[..., None] > 0, alone, 0)).astype(np.uint8)
    return np.dstack([colors, alpha])


def lines_over(colored: U8Array, inked: U8Array) -> U8Array:
    """The layer of lines that makes a frame of its colours.

    Args:
        colored: ``(H, W, 3)`` uint8, the frame without lines.
        inked: ``(H, W, 3)`` uint8, the frame.

    Returns:
        ``(H, W, 4)`` uint8: the frame, with alpha 255, wherever lines change it, also where they cover a pixel in part.

    Example:
        >>> colored, inked = np.full((1, 2, 3), 9, np.uint8), np.array([[[9, 9, 9], [0, 0, 0]]], np.uint8)
        >>> lines_over(colored, inked).tolist()
        [[[0, 0, 0, 0], [0, 0, 0, 255]]]
    """
    lines = np.dstack([inked, np.where((inked != colored).any(axis=2), 255, 0).astype(np.uint8)])
    lines[lines[..., 3] == 0] = 0
    return lines


def lay_lines(colors: U8Array, line_art: U8Array, line_color: tuple[int, int, int] = BLACK) -> U8Array:
    """Lay line art over colours.

    Args:
        colors: ``(H, W, 3)`` uint8, or ``(H, W, 4)`` with alpha, which becomes 255 under lines.
        line_art: ``(H, W)`` uint8, 255 where there is no line, 0 where a line covers the pixel wholly.
        line_color: Red, green and blue of the lines.

    Returns:
        An array of the same shape.
    """
    inked = colors.copy()
    covered = line_art < 255
    bare = line_art[covered].astype(np.uint32)[:, None]
    mixed = colors[covered, :3].astype(np.uint32) * bare + np.array(line_color, np.uint32) * (255 - bare)
    inked[covered, :3] = (mixed + 127) // 255
    if colors.shape[2] == 4:
        inked[covered, 3] = 255
    return inked


def pack_mask(mask: Mask) -> tuple[int, ...]:
    """A mask as COCO's run lengths.

    Args:
        mask: ``(H, W)`` bool.

    Returns:
        How many pixels are outside and inside in turn, column by column; the first number is of pixels outside.

    Example:
        >>> pack_mask(np.array([[True, False], [True, True]]))
        (0, 2, 1, 1)
    """
    flat = mask.T.ravel()
    borders = np.flatnonzero(np.diff(flat)) + 1
    starts = np.concatenate(([0], borders, [len(flat)]))
    lengths = np.diff(starts).tolist()
    return tuple([0, *lengths] if len(flat) and flat[0] else lengths)


def unpack_mask(counts: Sequence[int], height: int, width: int) -> Mask:
    """What :func:`pack_mask` packed, ``(H, W)`` bool.

    Raises:
        ValueError: The runs do not fill the picture.
    """
    lengths = np.asarray(counts, np.int64)
    if lengths.sum() != height * width:
        raise ValueError(f"runs of {lengths.sum()} pixels do not fill a picture of {height} x {width}")
    inside = np.arange(len(lengths)) % 2 == 1
    return np.ascontiguousarray(np.repeat(inside, lengths).reshape(width, height).T)


def write_amodal(path: Path, amodal: Amodal) -> None:
    """Write who hides whom in a frame.

    Raises:
        DatasetError: The file cannot be written.
    """
    files.write_compact_json(
        path,
        {
            "size": [amodal.height, amodal.width],
            "order": list(amodal.order),
            "order_is_exact": amodal.order_is_exact,
            "layers": [vars(each) for each in amodal.layers],
            "layer_occlusions": [vars(each) for each in amodal.layer_occlusions],
            "objects": [vars(each) for each in amodal.objects],
            "object_occlusions": [vars(each) for each in amodal.object_occlusions],
        },
    )


def read_amodal(path: Path) -> Amodal:
    """Read what :func:`write_amodal` wrote.

    Raises:
        DatasetError: The file is missing, no JSON, or says something impossible.
    """
    try:
        return parse_amodal(files.read_json(path))
    except ValueError as error:
        raise DatasetError(f"does not say who hides whom ({error})", path, "delete it and make it again") from error


def parse_amodal(data: Any) -> Amodal:
    """What the JSON of such a file says.

    Raises:
        ValueError: It says something impossible.
    """
    try:
        height, width = (_count(side) for side in data["size"])
        layers = tuple(
            LayerExtent(_text(each["name"]), _count(each["area"]), _count(each["visible"])) for each in data["layers"]
        )
        objects = tuple(
            AmodalObject(
                _count(each["id"]),
                _text(each["name"]),
                _text(each["layer"]),
                _count(each["area"]),
                _count(each["visible"]),
                _box(each["box"]),
                tuple(map(_count, each["counts"])),
            )
            for each in data["objects"]
        )
        found = Amodal(
            height,
            width,
            layers,
            bool(data["order_is_exact"]),
            tuple(
                LayerOcclusion(_text(each["front"]), _text(each["behind"]), _count(each["pixels"]))
                for each in data["layer_occlusions"]
            ),
            objects,
            tuple(
                ObjectOcclusion(_count(each["front"]), _count(each["behind"]), _count(each["pixels"]))
                for each in data["object_occlusions"]
            ),
        )
        order = data["order"]
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"{type(error).__name__}: {error}") from error
    if list(found.order) != order or len(set(order)) != len(order):
        raise ValueError("the order of the layers is none")
    for each in objects:
        if sum(each.counts) != height * width or sum(each.counts[1::2]) != each.area or each.visible > each.area:
            raise ValueError(f"the mask of object {each.id} is none")
        if each.layer not in order:
            raise ValueError(f"object {each.id} is in a layer that there is not")
    return found


def _count(value: Any) -> int:
    if type(value) is not int or value < 0:
        raise ValueError(f"{value!r} is no number of pixels")
    return value


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError(f"{value!r} is no name")
    return value


def _box(value: Any) -> tuple[int, int, int, int]:
    left, top, width, height = (_count(each) for each in value)
    return left, top, width, height
