"""Flow and its errors as pictures."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from animerun_gen.benchmark.evaluation import Panel, Swatch
from animerun_gen.conventions import UNKNOWN_FLOW

ERROR_STEPS = (1.0, 3.0, 5.0, 10.0, 20.0, 50.0)
"""End-point errors, in pixels, at which the colour of the error map changes."""

_ERROR_COLORS = (
    (0, 0, 0),
    (70, 24, 120),
    (150, 32, 112),
    (214, 62, 66),
    (248, 138, 26),
    (252, 220, 90),
    (255, 255, 240),
)
"""From no error to the largest: brightness alone tells the order."""

_NOT_MEASURED = (38, 52, 66)
"""Where the motion is not known; near none of the others."""


def _legend() -> tuple[Swatch, ...]:
    limits = [*(f"{step:g}" for step in ERROR_STEPS)]
    meanings = [
        f"error up to {limits[0]} px",
        *(f"up to {limit}" for limit in limits[1:]),
        f"above {limits[-1]}",
        "motion unknown: not measured",
    ]
    colors = [f"#{red:02x}{green:02x}{blue:02x}" for red, green, blue in (*_ERROR_COLORS, _NOT_MEASURED)]
    return tuple(map(Swatch, colors, meanings))


LEGEND = _legend()


def draw_flow(
    frame: npt.NDArray[np.uint8],
    truth: npt.NDArray[np.float32],
    valid: npt.NDArray[np.bool_],
    predicted: npt.NDArray[np.float32],
) -> list[Panel]:
    """A pair on the page: the frame, the true motion, the predicted one in the same colours, and the error.

    Args:
        frame: ``(H, W, 3)`` uint8, RGB.
        truth: ``(H, W, 2)`` float32, pixels.
        valid: ``(H, W)`` bool, where it is known.
        predicted: ``(H, W, 2)`` float32, pixels.
    """
    # it comes with compiled kernels, which measuring does without
    from animerun_gen.quality.colors import flow_to_color

    lengths = np.linalg.norm(truth[valid], axis=1)
    # so that one lone pixel does not make all others pale
    scale = max(1.0, float(np.percentile(lengths, 99)) if lengths.size else 1.0)
    known = np.where(valid[..., None], truth, UNKNOWN_FLOW)
    return [
        Panel("first frame", frame),
        Panel(f"true motion (full colour: {scale:.3g} px)", flow_to_color(known, scale), exact=True),
        Panel("predicted motion, same colours", flow_to_color(predicted, scale), exact=True),
        Panel("end-point error", error_map(predicted, truth, valid), exact=True),
    ]


def error_map(
    predicted: npt.NDArray[np.float32], truth: npt.NDArray[np.float32], valid: npt.NDArray[np.bool_]
) -> npt.NDArray[np.uint8]:
    """End-point errors in the colours of :data:`LEGEND`, ``(H, W, 3)`` uint8 RGB."""
    error = np.linalg.norm(np.where(valid[..., None], predicted - truth, 0), axis=2)
    colors = np.array(_ERROR_COLORS, np.uint8)[np.searchsorted(ERROR_STEPS, error, side="left")]
    colors[~valid] = _NOT_MEASURED
    return colors
