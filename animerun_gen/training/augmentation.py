"""Samples of optical flow made unlike each other: recoloured, erased in part, scaled, mirrored, cropped.

What is done, and how often, are those of RAFT (Teed and Deng, ECCV 2020, arXiv:2003.12039).  Two things differ, because
a label is exact or marked as unknown.  Flow is scaled by the exact ratio of the sizes.  And it is never averaged over
the edge of a surface, nor with unknown flow: there a pixel takes the flow of the nearest one, or is unknown.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from animerun_gen.dataset.opencv import cv2
from animerun_gen.dataset.pairs import Sample
from animerun_gen.training.flow_config import Augmentation

Picture = npt.NDArray[np.uint8]
Flow = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]

ONE_SURFACE = 1.0
"""Flows of neighbouring pixels that differ by more, in pixels, are taken for those of two surfaces."""

MARGIN = 8
"""Pixels by which a scaled picture is larger than the crop at least, so that there is a choice."""

_GREY = np.array([0.299, 0.587, 0.114], np.float32)


class FlowFinish:
    """Makes of a pair with its flow what a network is trained on; all pairs become of one size.

    Args:
        crop: Width and height in pixels.
        augmentation: What is done before; None: nothing, though pictures smaller than the crop are scaled up to it.

    Example:
        >>> sample = {
        ...     "images": [np.zeros((20, 30, 3), np.uint8)] * 2,
        ...     "flows": [np.ones((20, 30, 2), np.float32)],
        ...     "valids": [np.full((20, 30, 1), 255, np.uint8)],
        ... }
        >>> first, second, flow, valid = FlowFinish((16, 16), None).arrays(sample, np.random.default_rng(0))
        >>> first.shape, flow.shape, bool(valid.all())
        ((16, 16, 3), (16, 16, 2), True)
    """

    def __init__(self, crop: tuple[int, int], augmentation: Augmentation | None) -> None:
        self.crop = crop
        self.augmentation = augmentation

    def arrays(self, sample: Sample, rng: np.random.Generator) -> tuple[Picture, Picture, Flow, Mask]:
        """Augment and crop a pair.

        Args:
            sample: As :func:`animerun_gen.dataset.pairs.read_sample` has it.
            rng: What all random numbers are drawn from.

        Returns:
            The two pictures ``(h, w, 3)`` uint8, RGB; the flow ``(h, w, 2)`` float32, pixels, 0 where it is unknown;
            and where it is known, ``(h, w)`` bool.
        """
        first, second = sample["images"]
        valid = sample["valids"][0][..., 0] != 0
        # whoever made the sample, nothing that is no number goes on from here
        valid = valid & np.isfinite(sample["flows"][0]).all(axis=-1)
        flow = np.where(valid[..., None], sample["flows"][0], np.float32(0))
        settings = self.augmentation
        if settings is not None:
            first, second = recolored(first, second, settings, rng)
            second = erased(second, settings, rng)
        size = self._size(first.shape[:2], rng)
        if size != first.shape[:2]:
            first, second, flow, valid = scaled(first, second, flow, valid, size)
        if settings is not None:
            for axis, share in ((1, settings.flip_horizontally), (0, settings.flip_vertically)):
                if rng.random() < share:
                    first, second, flow, valid = mirrored(first, second, flow, valid, axis)
        width, height = self.crop
        top = int(rng.integers(first.shape[0] - height + 1))
        left = int(rng.integers(first.shape[1] - width + 1))
        here = np.s_[top : top + height, left : left + width]
        return first[here], second[here], flow[here], valid[here]

    def _size(self, shape: tuple[int, int], rng: np.random.Generator) -> tuple[int, int]:
        """Height and width to which a picture is scaled."""
        sides, crop, settings = np.array(shape), np.array(self.crop[::-1]), self.augmentation
        if settings is None or rng.random() >= settings.scale_share:
            factor = max(1.0, float((crop / sides).max()))
            return _whole(sides * factor, crop)
        factors = np.full(2, rng.uniform(*settings.scale))
        if rng.random() < settings.stretch_share:
            factors += rng.uniform(-settings.stretch, settings.stretch, 2)
        least = (crop + MARGIN) / sides
        return _whole(sides * np.maximum(2.0**factors, least.max()), crop)


def _whole(sides: npt.NDArray[np.float64], least: npt.NDArray[np.int64]) -> tuple[int, int]:
    height, width = np.maximum(np.rint(sides).astype(int), least).tolist()
    return height, width


def scaled(
    first: Picture, second: Picture, flow: Flow, valid: Mask, size: tuple[int, int]
) -> tuple[Picture, Picture, Flow, Mask]:
    """Scale a pair with its flow.

    The point at ``x`` of a row of ``w`` pixels comes to ``(x + 0.5) * W / w - 0.5`` of one of ``W``.

    Args:
        first: ``(H, W, 3)`` uint8.
        second: The same.
        flow: ``(H, W, 2)`` float32, finite.
        valid: ``(H, W)`` bool.
        size: The new height and width.

    Returns:
        The same in the new size.  Flow is drawn between neighbouring pixels where all of them are known and of one
        surface; else it is that of the nearest pixel, which may be unknown.
    """
    height, width = size
    pictures: Any = [cv2.resize(one, (width, height), interpolation=cv2.INTER_LINEAR) for one in (first, second)]
    rows, columns = (_nearest(old, new) for old, new in zip(flow.shape[:2], size, strict=True))
    nearest = flow[rows[:, None], columns]
    known = valid[rows[:, None], columns]
    between: Any = cv2.resize(flow, (width, height), interpolation=cv2.INTER_LINEAR)
    torn = cv2.resize((~_calm(flow, valid)).astype(np.float32), (width, height), interpolation=cv2.INTER_LINEAR)
    ratio = np.array([width / flow.shape[1], height / flow.shape[0]], np.float32)
    # what has no share of a torn pixel at all is exactly 0
    found = np.where((torn == 0)[..., None], between, nearest) * ratio
    return pictures[0], pictures[1], np.where(known[..., None], found, np.float32(0)), known


def _nearest(old: int, new: int) -> npt.NDArray[np.int64]:
    places = (np.arange(new) + 0.5) * (old / new) - 0.5
    return np.clip(np.rint(places).astype(np.int64), 0, old - 1)


def _calm(flow: Flow, valid: Mask) -> Mask:
    """Pixels whose neighbours are all known and move as they do, or nearly."""
    window = np.ones((3, 3), np.uint8)
    unknown = cv2.dilate((~valid).astype(np.uint8), window) != 0
    spread = cv2.dilate(flow, window) - cv2.erode(flow, window)
    return ~unknown & (spread.max(axis=-1) <= ONE_SURFACE)


def mirrored(
    first: Picture, second: Picture, flow: Flow, valid: Mask, axis: int
) -> tuple[Picture, Picture, Flow, Mask]:
    """Mirror a pair with its flow.

    Args:
        first: ``(H, W, 3)`` uint8.
        second: The same.
        flow: ``(H, W, 2)`` float32.
        valid: ``(H, W)`` bool.
        axis: 1: left to right; 0: upside down.
    """
    turned = flow.copy()
    turned[..., 1 - axis] *= -1
    flipped: Any = tuple(np.flip(one, axis) for one in (first, second, turned, valid))
    return flipped


def recolored(
    first: Picture, second: Picture, settings: Augmentation, rng: np.random.Generator
) -> tuple[Picture, Picture]:
    """Change brightness, contrast, saturation and hue of a pair, in an order that is drawn; mostly of both alike."""
    if rng.random() < settings.asymmetric:
        return _recolored(first, settings, rng), _recolored(second, settings, rng)
    both = _recolored(np.concatenate([first, second]), settings, rng)
    return both[: len(first)], both[len(first) :]


def _recolored(picture: Picture, settings: Augmentation, rng: np.random.Generator) -> Picture:
    colors: Any = picture.astype(np.float32) / np.float32(255)
    for what in rng.permutation(4):
        if what == 0:
            colors = colors * _factor(settings.brightness, rng)
        elif what == 1:
            grey = np.float32((colors @ _GREY).mean())
            colors = grey + (colors - grey) * _factor(settings.contrast, rng)
        elif what == 2:
            greys = (colors @ _GREY)[..., None]
            colors = greys + (colors - greys) * _factor(settings.saturation, rng)
        else:
            turned = cv2.cvtColor(colors, cv2.COLOR_RGB2HSV)
            turned[..., 0] = (turned[..., 0] + np.float32(360 * rng.uniform(-settings.hue, settings.hue))) % 360
            colors = cv2.cvtColor(turned, cv2.COLOR_HSV2RGB)
        colors = np.clip(colors, 0, 1)
    return np.rint(colors * 255).astype(np.uint8)


def _factor(most: float, rng: np.random.Generator) -> np.float32:
    return np.float32(rng.uniform(1 - most, 1 + most))


def erased(picture: Picture, settings: Augmentation, rng: np.random.Generator) -> Picture:
    """Give one or two boxes of a picture its mean colour, or none."""
    if rng.random() >= settings.erase:
        return picture
    changed = picture.copy()
    mean = np.rint(picture.reshape(-1, 3).mean(axis=0)).astype(np.uint8)
    for _ in range(int(rng.integers(1, 3))):
        top, left = (int(rng.integers(side)) for side in picture.shape[:2])
        height, width = (int(rng.integers(*settings.erased_side)) for _ in range(2))
        changed[top : top + height, left : left + width] = mean
    return changed
