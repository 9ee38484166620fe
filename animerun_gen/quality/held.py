"""How much of a clip is held: layers that show the same frame of the film in two neighbouring frames."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any


def held_shares(exposed: Sequence[Mapping[str, Mapping[str, Any]] | None]) -> dict[str, dict[str, float | None]]:
    """How much each layer is held.

    Args:
        exposed: Of each frame of the clip, in order, by layer ``film_frame`` (which frame of the film it shows) and
            ``share`` (how much of the picture shows it); None where that is not known.

    Returns:
        By layer, ``pairs``: the share of the pairs of neighbouring frames in which it is held; ``pixels``: of the
        pixels that show it in the first frames of these pairs, the share at which it is held, None where it is not
        seen.  Empty where no pair is known.

    Example:
        >>> held_shares([{"hero": {"film_frame": f, "share": 0.2}} for f in (1, 1, 3, 3, 5)])
        {'hero': {'pairs': 0.5, 'pixels': 0.5}}
    """
    known = [(one, other) for one, other in pairwise(exposed) if one is not None and other is not None]
    layers = dict.fromkeys(name for one, other in known for name in one if name in other)
    found: dict[str, dict[str, float | None]] = {}
    for name in layers:
        both = [(one[name], other[name]) for one, other in known if name in one and name in other]
        held = [one["film_frame"] == other["film_frame"] for one, other in both]
        shares = [float(one["share"]) for one, _ in both]
        total = sum(shares)
        of_held = sum(share for share, is_held in zip(shares, held, strict=True) if is_held)
        found[name] = {
            "pairs": round(sum(held) / len(held), 9),
            "pixels": round(of_held / total, 9) if total > 0.0 else None,
        }
    return found
