"""What is measured of interpolation: the columns of Table 4, and more."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from animerun_gen.benchmark.interpolation.levels import LEVELS, Level
from animerun_gen.benchmark.interpolation.metrics import (
    MOST_PSNR,
    PUBLISHED,
    STANDARD,
    Picture,
    interpolation_error,
    mean_squared_error,
    psnr,
    ssim,
)
from animerun_gen.benchmark.results import Column, Figure

Region = tuple[slice, slice]
Lpips = Callable[[Picture, Picture], float]

_CAP = f"at most {MOST_PSNR:g} dB"


def _pair_of_columns(suffix: str, title: str, where: str, paper: bool = True) -> tuple[Column, Column]:
    behind = f" {title}" if title else ""
    return (
        Column(
            key=f"psnr{suffix}",
            title=f"PSNR{behind}",
            unit="dB",
            better="higher",
            paper=paper,
            meaning=f"Peak signal-to-noise ratio {where}, {_CAP}.",
        ),
        Column(
            key=f"ssim{suffix}",
            title=f"SSIM{behind}",
            unit="",
            better="higher",
            paper=paper,
            meaning=f"Structural similarity {where}, as the published script computes it (7x7 windows, data range 2).",
        ),
    )


WHOLE = _pair_of_columns("", "", "of the whole frame")
BY_LEVEL = tuple(column for level in LEVELS for column in _pair_of_columns(f"_{level}", level, f"of {level} triplets"))
REGION_OF_INTEREST = _pair_of_columns("_roi", "RoI", "of ATD-12K's region of interest", paper=False)
MORE = (
    Column(
        key="ssim_standard",
        title="SSIM (Wang)",
        unit="",
        better="higher",
        paper=False,
        meaning="Structural similarity as its authors define it (11x11 Gaussian windows, data range 1).",
    ),
    Column(
        key="ie",
        title="IE",
        unit="levels",
        better="lower",
        paper=False,
        meaning="Interpolation error: mean distance of the colours, whose channels go from 0 to 255.",
    ),
)
BY_VISIBILITY = (
    Column(
        key="psnr_visible",
        title="PSNR visible",
        unit="dB",
        better="higher",
        paper=False,
        meaning=f"PSNR of the pixels that both neighbours show, {_CAP}.",
    ),
    Column(
        key="psnr_hidden",
        title="PSNR hidden",
        unit="dB",
        better="higher",
        paper=False,
        meaning=f"PSNR of the pixels that a neighbour does not show, {_CAP}.",
    ),
)
LPIPS = (
    Column(
        key="lpips",
        title="LPIPS",
        unit="",
        better="lower",
        paper=False,
        meaning="Learned perceptual distance of the package lpips (AlexNet, version 0.1).",
    ),
)


def columns_of(*, annotated: bool, with_lpips: bool) -> tuple[Column, ...]:
    """The columns of an evaluation.

    Args:
        annotated: Whether it is one on ATD-12K.
        with_lpips: Whether LPIPS is measured.
    """
    own = REGION_OF_INTEREST if annotated else BY_VISIBILITY
    return (*WHOLE, *BY_LEVEL, *own, *MORE, *(LPIPS if with_lpips else ()))


def measure_frame(
    prediction: Picture,
    truth: Picture,
    *,
    level: Level | None = None,
    region: Region | None = None,
    hidden: npt.NDArray[np.bool_] | None = None,
    lpips: Lpips | None = None,
) -> dict[str, Figure]:
    """The figures of one frame.

    Args:
        prediction: ``(H, W, 3)`` uint8, RGB.
        truth: The same.
        level: How difficult it is; None where nobody says.
        region: Rows and columns of its region of interest.
        hidden: ``(H, W)`` bool, what a neighbour does not show.
        lpips: Measures LPIPS.

    Returns:
        Key of a column to its figure.  PSNR, SSIM and LPIPS are means over frames, the interpolation error over pixels.

    Raises:
        ValueError: The pictures cannot be compared.
    """
    whole = {"psnr": psnr(mean_squared_error(prediction, truth)), "ssim": ssim(prediction, truth, PUBLISHED)}
    found: dict[str, float | None] = dict(whole)
    for one in LEVELS:
        found |= {f"{key}_{one}": value if level == one else None for key, value in whole.items()}
    found["ssim_standard"] = ssim(prediction, truth, STANDARD)
    if region is not None:
        found |= _of_region(prediction[region], truth[region])
    if hidden is not None:
        squares = ((prediction.astype(np.int64) - truth) ** 2).mean(axis=2)
        for key, where in (("psnr_visible", ~hidden), ("psnr_hidden", hidden)):
            found[key] = psnr(float(squares[where].mean())) if where.any() else None
    if lpips is not None:
        found["lpips"] = lpips(prediction, truth)
    figures = {key: Figure(value=value, weight=float(value is not None)) for key, value in found.items()}
    pixels = truth.shape[0] * truth.shape[1]
    return figures | {"ie": Figure(value=interpolation_error(prediction, truth), weight=float(pixels))}


def _of_region(prediction: Picture, truth: Picture) -> dict[str, float | None]:
    if truth.size == 0:
        return {}
    fits = min(truth.shape[:2]) >= len(PUBLISHED.window)
    return {
        "psnr_roi": psnr(mean_squared_error(prediction, truth)),
        "ssim_roi": ssim(prediction, truth, PUBLISHED) if fits else None,
    }
