"""Triplets on the page of a result."""

from __future__ import annotations

import numpy as np

from animerun_gen.benchmark.error_colors import error_legend, paint_errors
from animerun_gen.benchmark.evaluation import Panel
from animerun_gen.benchmark.interpolation.metrics import Picture

ERROR_STEPS = (2.0, 8.0, 16.0, 32.0, 64.0, 128.0)
"""Mean absolute differences of the channels, 0 to 255, at which the colour of the error map changes."""

LEGEND = error_legend("difference", ERROR_STEPS, "levels of 255")


def draw_triplet(first: Picture, truth: Picture, last: Picture, prediction: Picture) -> list[Panel]:
    """A triplet on the page: the true frame, the prediction, where they differ, and what the method was given.

    Args:
        first: ``(H, W, 3)`` uint8, RGB.
        truth: The same: the middle frame.
        last: The same.
        prediction: The same.
    """
    difference = np.abs(prediction.astype(np.int16) - truth).mean(axis=2)
    both = ((first.astype(np.uint16) + last) // 2).astype(np.uint8)
    return [
        Panel("true frame", truth),
        Panel("prediction", prediction),
        Panel("difference", paint_errors(difference, ERROR_STEPS), exact=True),
        Panel("its two neighbours, one over the other", both),
    ]
