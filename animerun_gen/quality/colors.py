"""Flow and labels as colours to look at."""

from __future__ import annotations

import colorsys
from typing import Any

import numpy as np
import numpy.typing as npt

from animerun_gen.conventions import known_flow

_RED, _YELLOW, _GREEN = (255, 0, 0), (255, 255, 0), (0, 255, 0)
_CYAN, _BLUE, _MAGENTA = (0, 255, 255), (0, 0, 255), (255, 0, 255)

# Between two hues of the wheel lie as many steps as the eye tells apart there (Baker et al. 2011).
_WHEEL_STEPS = [(_RED, 15), (_YELLOW, 6), (_GREEN, 4), (_CYAN, 11), (_BLUE, 13), (_MAGENTA, 6)]


def flow_to_color(flow: npt.NDArray[np.float32], max_motion: float | None = None) -> npt.NDArray[np.uint8]:
    """Flow in the usual colour wheel of Baker et al., "A Database and Evaluation Methodology for Optical Flow", 2011.

    The hue tells the direction (right is red, down yellow, left cyan to blue, up violet), the saturation the length: no
    motion is white.  Motion longer than ``max_motion`` is drawn darker.

    Args:
        flow: ``(H, W, 2)`` float32, pixels.
        max_motion: length in pixels that has full saturation; by default the longest known motion of this field.

    Returns:
        ``(H, W, 3)`` uint8, RGB; black where the motion is unknown.

    Raises:
        ValueError: ``max_motion`` is not positive.
    """
    if max_motion is not None and not max_motion > 0:
        raise ValueError(f"the largest motion to show must be positive, not {max_motion}")
    known = known_flow(flow)
    u, v = (np.where(known, flow[..., axis], 0).astype(np.float64) for axis in (0, 1))
    length = np.hypot(u, v)
    if max_motion is None:
        # A still frame has no longest motion: any length but 0 leaves it white.
        max_motion = float(length.max(initial=0)) or 1.0
    length /= max_motion

    wheel = _color_wheel()
    # Counted from the direction opposite to the motion, over one step less than there are: as the original does it.
    place = (np.arctan2(-v, -u) / np.pi + 1) / 2 * (len(wheel) - 1)
    step = place.astype(np.intp)
    share = (place - step)[..., None]
    hue = wheel[step] * (1 - share) + wheel[(step + 1) % len(wheel)] * share
    within = length <= 1
    saturation = np.where(within, length, 1)[..., None]
    color = (1 - saturation * (1 - hue)) * np.where(within, 1, 0.75)[..., None]
    color[~known] = 0
    pixels: npt.NDArray[np.uint8] = (255 * color).astype(np.uint8)
    return pixels


def _color_wheel() -> npt.NDArray[np.float64]:
    """``(55, 3)`` float64 RGB in 0..1, from red over yellow, green, cyan, blue and magenta."""
    hues = [hue for hue, _ in _WHEEL_STEPS]
    pieces = []
    for (start, steps), end in zip(_WHEEL_STEPS, hues[1:] + hues[:1], strict=True):
        share = (np.arange(steps) / steps)[:, None]
        pieces.append((1 - share) * np.array(start) + share * np.array(end))
    wheel: npt.NDArray[np.float64] = np.concatenate(pieces) / 255
    return wheel


def labels_to_color(labels: npt.NDArray[np.integer[Any]]) -> npt.NDArray[np.uint8]:
    """Labels in colours that are easy to tell apart.

    A label has the same colour in every picture, so segments of a second frame that carry the labels of their matches
    show the same thing in the same colour.

    Args:
        labels: integers of any shape.

    Returns:
        Shape ``(*labels.shape, 3)`` uint8, RGB; a negative label, such as "unmatched", is dark grey.
    """
    values, index = np.unique(labels, return_inverse=True)
    palette = np.array([_label_color(int(value)) for value in values], np.uint8).reshape(-1, 3)
    return palette[index].reshape(*labels.shape, 3)


def _label_color(label: int) -> tuple[int, int, int]:
    if label < 0:
        return (64, 64, 64)
    # Steps of the golden ratio keep the hues of neighbouring labels far apart; labels a Fibonacci number apart, whose
    # hues come close, differ in one of the other two.
    hue = label * 0.6180339887498949 % 1
    saturation = (0.85, 0.45, 0.65)[label % 3]
    value = (0.95, 0.85, 0.70)[label // 3 % 3]
    red, green, blue = colorsys.hsv_to_rgb(hue, saturation, value)
    return round(255 * red), round(255 * green), round(255 * blue)
