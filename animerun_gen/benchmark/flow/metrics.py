"""The figures of a predicted flow field.

Columns of Table 2 of Li et al., "AnimeRun: 2D Animation Visual Correspondence from Open Source 3D Movies", NeurIPS 2022
(arXiv:2211.05709), with the limits of its published script; outliers as KITTI counts them (Menze and Geiger, "Object
Scene Flow for Autonomous Vehicles", CVPR 2015, doi:10.1109/CVPR.2015.7298925); and the weighted area under the curve
(Richter, Hayder and Koltun, "Playing for Benchmarks", ICCV 2017, doi:10.1109/ICCV.2017.243) in the form of Spring (Mehl
et al., "Spring: A High-Resolution High-Detail Dataset and Benchmark", CVPR 2023, doi:10.1109/CVPR52729.2023.00482).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from animerun_gen.benchmark.results import Column, Figure

Flow = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]

SLOW, FAST = 10.0, 50.0
"""Pixels of motion between which the paper's classes of speed lie; both belong to the slower class."""

WAUC_STEPS = 100
WAUC_END = 5.0
"""The weighted area under the curve counts inliers at so many thresholds, evenly spaced up to so many pixels."""

COLUMNS = (
    Column(key="epe", title="EPE", unit="px", better="lower", meaning="End-point error: distance to the true target."),
    Column(
        key="epe_visible", title="Non-occ.", unit="px", better="lower", meaning="EPE where the next frame shows it."
    ),
    Column(key="epe_occluded", title="Occ.", unit="px", better="lower", meaning="EPE where the next frame hides it."),
    Column(key="epe_line", title="Line", unit="px", better="lower", meaning="EPE near contour lines (`LineArea`)."),
    Column(key="epe_flat", title="Flat", unit="px", better="lower", meaning="EPE away from contour lines."),
    Column(key="epe_slow", title="s<10", unit="px", better="lower", meaning="EPE where the motion is up to 10 px."),
    Column(
        key="epe_medium", title="s10-50", unit="px", better="lower", meaning="EPE where it is above 10, up to 50 px."
    ),
    Column(key="epe_fast", title="s>50", unit="px", better="lower", meaning="EPE where the motion is above 50 px."),
    Column(
        key="beyond_1", title="1px", unit="%", better="lower", paper=False, meaning="Pixels with an EPE above 1 px."
    ),
    Column(
        key="beyond_3", title="3px", unit="%", better="lower", paper=False, meaning="Pixels with an EPE above 3 px."
    ),
    Column(
        key="beyond_5", title="5px", unit="%", better="lower", paper=False, meaning="Pixels with an EPE above 5 px."
    ),
    Column(
        key="outliers",
        title="Fl-all",
        unit="%",
        better="lower",
        paper=False,
        meaning="Pixels with an EPE above 3 px and above 5% of the true motion (KITTI).",
    ),
    Column(
        key="wauc",
        title="WAUC",
        unit="%",
        better="higher",
        paper=False,
        meaning="Inliers at 100 thresholds up to 5 px, low thresholds weighted more (VIPER, Spring); 100 is perfect.",
    ),
)


def measure_flow(
    predicted: Flow, truth: Flow, valid: Mask, occluded: Mask | None = None, near_line: Mask | None = None
) -> dict[str, Figure]:
    """The figures of one field.

    Args:
        predicted: ``(H, W, 2)`` float32, pixels; finite where ``valid``.
        truth: ``(H, W, 2)`` float32, pixels; anything where not ``valid``.
        valid: ``(H, W)`` bool, which pixels count.
        occluded: ``(H, W)`` bool, what the next frame hides; None where nobody says.
        near_line: ``(H, W)`` bool, what lies near a contour line; None where nobody says.

    Returns:
        Key of each of :data:`COLUMNS` to its mean over the pixels that it is about, and how many these are.

    Example:
        >>> truth = np.zeros((2, 2, 2), np.float32)
        >>> predicted = np.float32([[[3, 4], [0, 0]], [[0, 0], [0, 0]]])
        >>> figures = measure_flow(predicted, truth, np.ones((2, 2), bool))
        >>> figures["epe"], figures["outliers"]
        (Figure(value=1.25, weight=4.0), Figure(value=25.0, weight=4.0))
    """
    shown, true = predicted[valid].astype(np.float64), truth[valid].astype(np.float64)
    error = np.hypot(shown[:, 0] - true[:, 0], shown[:, 1] - true[:, 1])
    # classes are those of the published script, which knows the motion as float32
    motion = np.sqrt(np.sum(truth[valid] ** 2, axis=1))
    found = {
        "epe": _mean(error),
        "epe_slow": _mean(error[motion <= SLOW]),
        "epe_medium": _mean(error[(motion > SLOW) & (motion <= FAST)]),
        "epe_fast": _mean(error[motion > FAST]),
        "beyond_1": _share(error > 1),
        "beyond_3": _share(error > 3),
        "beyond_5": _share(error > 5),
        "outliers": _share((error > 3) & (error > 0.05 * np.hypot(true[:, 0], true[:, 1]))),
        "wauc": _mean(weighted_inliers(error)),
    }
    for mask, inside, outside in (
        (occluded, "epe_occluded", "epe_visible"),
        (near_line, "epe_line", "epe_flat"),
    ):
        belongs = None if mask is None else mask[valid]
        found[inside] = _mean(error[belongs]) if belongs is not None else Figure.mean(0, 0)
        found[outside] = _mean(error[~belongs]) if belongs is not None else Figure.mean(0, 0)
    return {column.key: found[column.key] for column in COLUMNS}


def weighted_inliers(error: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """What each pixel adds to the weighted area under the curve, in percent.

    The pixel is an inlier at the thresholds ``i / 20`` px, ``i`` from 1 to 100, that its error does not exceed, and the
    i-th threshold has the weight ``1 - (i - 1) / 100``.  Divided by the sum of all weights that is 100 without error.

    Args:
        error: ``(N)`` float64, end-point errors in pixels.

    Example:
        >>> weighted_inliers(np.array([0.0, 0.05, 5.0, 5.1])).round(4).tolist()
        [100.0, 100.0, 0.0198, 0.0]
    """
    thresholds = np.arange(1, WAUC_STEPS + 1) / (WAUC_STEPS / WAUC_END)
    weights = 1 - np.arange(WAUC_STEPS) / WAUC_STEPS
    # of a pixel that is an inlier from the i-th threshold on, the weights from there to the end
    gained = np.append(np.cumsum(weights[::-1])[::-1], 0.0)
    # a pixel without error gains all, which is then exactly 100
    gained *= 100 / gained[0]
    return gained[np.searchsorted(thresholds, error, side="left")]


def _mean(values: npt.NDArray[np.float64]) -> Figure:
    return Figure.mean(float(values.sum()), values.size)


def _share(mask: Mask) -> Figure:
    return Figure.mean(100.0 * int(mask.sum()), mask.size)
