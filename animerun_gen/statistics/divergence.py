"""How far two histograms are apart, in the two measures of the paper's Figure 4."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

FLOOR = 1e-7
"""Share below which a place of a histogram counts as this: an empty place would be infinitely far from any other.

It is one pixel in ten million, of which twenty frames of 960x540 have as many.
"""


def shares(histogram: Sequence[float]) -> npt.NDArray[np.float64]:
    """A histogram as shares that are at least :data:`FLOOR` and add up to 1.

    Args:
        histogram: ``(N,)`` counts.

    Raises:
        ValueError: Nothing was counted.

    Example:
        >>> shares([3, 1]).tolist()
        [0.75, 0.25]
    """
    counts = np.asarray(histogram, np.float64)
    if not counts.sum() > 0:
        raise ValueError("a histogram in which nothing is counted has no shares")
    floored = np.maximum(counts / counts.sum(), FLOOR)
    normalised: npt.NDArray[np.float64] = floored / floored.sum()
    return normalised


def kl_divergence(histogram: Sequence[float], reference: Sequence[float]) -> float:
    """The Kullback-Leibler divergence of a histogram from a reference, in nats: 0 where they are equal, else more.

    Kullback and Leibler, "On Information and Sufficiency", Annals of Mathematical Statistics 1951,
    doi:10.1214/aoms/1177729694.

    Args:
        histogram: ``(N,)`` counts.
        reference: ``(N,)`` counts.

    Returns:
        Sum of ``p * ln(p / q)`` with ``p`` the shares of the histogram and ``q`` those of the reference.

    Raises:
        ValueError: One is empty, or they differ in length.

    Example:
        >>> kl_divergence([1, 3], [10, 30]), round(kl_divergence([1, 1], [1, 3]), 4)
        (0.0, 0.1438)
    """
    own, other = shares(histogram), shares(reference)
    return float((own * np.log(own / other)).sum()) + 0.0


def log_difference(histogram: Sequence[float], reference: Sequence[float]) -> float:
    """The summed absolute difference of the natural logarithms of two histograms' shares.

    Args:
        histogram: ``(N,)`` counts.
        reference: ``(N,)`` counts.

    Raises:
        ValueError: One is empty, or they differ in length.

    Example:
        >>> round(log_difference([1, 1], [1, 3]), 4)
        1.0986
    """
    return float(np.abs(np.log(shares(histogram)) - np.log(shares(reference))).sum())
