"""The number that tells which vertex of the film's own meshes a vertex is, or which mixture of them.

Two vertices with one identity are the same surface point, as far as :mod:`~animerun_gen.motion.counterparts` says when
that is proven.  Zero is no identity.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

IDENTITY_BITS = 21
"""An identity is three numbers between 1 and 2, random on the film's own vertices, each of them to so many bits."""

Identities = npt.NDArray[np.uint64]


def pack(carried: npt.NDArray[np.float32]) -> Identities:
    """One number for what a vertex carries.

    Args:
        carried: ``(3, n)`` float32, what arrived of the random numbers: between 1 and 2, or less where something
            without identity is part of the mixture, down to zero.

    Returns:
        ``(n,)`` uint64, 0 where nothing whole arrived.

    Example:
        >>> pack(np.array([[1.5, 0.0], [1.25, 0.0], [1.75, 0.0]], np.float32)).tolist()[1]
        0
    """
    whole = ((carried >= 1.0) & (carried < 2.0)).all(axis=0)
    steps = ((np.where(whole, carried, 1.0).astype(np.float64) - 1.0) * 2.0**IDENTITY_BITS).astype(np.uint64)
    packed = steps[0] | steps[1] << np.uint64(IDENTITY_BITS) | steps[2] << np.uint64(2 * IDENTITY_BITS)
    identities: Identities = np.where(whole, packed | np.uint64(1 << 63), np.uint64(0))
    return identities


def scramble(numbers: Identities) -> Identities:
    """Numbers so irregular that combinations of them are equal only where they must be (MurmurHash3's finaliser).

    Args:
        numbers: uint64, any shape.
    """
    keys = (numbers ^ (numbers >> np.uint64(33))) * np.uint64(0xFF51AFD7ED558CCD)
    keys = (keys ^ (keys >> np.uint64(33))) * np.uint64(0xC4CEB9FE1A85EC53)
    scrambled: Identities = keys ^ (keys >> np.uint64(33))
    return scrambled
