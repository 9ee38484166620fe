"""Says where and why motion is unknown, for a cut that does not accept it (``motion.unknown: refuse``)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from animerun_gen.config.messages import and_more, spans

REASONS = {
    "background": "the motion of the background is not defined there (motion.background, or a turning orthographic "
    "camera)",
    "camera": "the shot was cut to another camera",
    "absent": "it is not there in the other frame",
    "unproven": "its points are not proven to be the same in the other frame",
    "no_area": "its surface has no area in the other frame",
    "not_drawn": "it is nearer to the other camera than what that draws, or behind it",
    "too_far": "it moves farther than flow can say",
    "": "nothing is on record about the reason; 'animerun-gen render' into an empty folder finds it again",
}
"""By the cause that :data:`animerun_gen.motion.unknown.CAUSES` names, and for none."""

ADVICE = (
    "leave the object or the frames out, or set motion.unknown: with mark these pixels keep 1e10, and with fill they "
    "take the motion next to them; Valid is 0 there either way"
)

_NAMED_SPANS = 12
_SHOWN_KINDS = 8


def refusals(pairs: Sequence[Mapping[str, Any]], frames: Sequence[int]) -> list[dict[str, Any]]:
    """Failures of a clip in which some motion is unknown, one for each object and cause.

    Args:
        pairs: The figures of each pair, as :func:`animerun_gen.quality.gate.judge` takes them; ``"unknown"`` of a
            direction is what :func:`animerun_gen.motion.unknown.describe_unknown` says, or None where nothing does.
        frames: The clip's frames, ascending.

    Returns:
        Failures as :func:`~animerun_gen.quality.gate.judge` has them, the largest first: ``"source"`` and ``"target"``
        are those of the first directed pair concerned, ``"pairs"`` all of them, ``"value"`` the largest number of
        pixels in one of them.
    """
    found: dict[tuple[str, str], list[tuple[int, int, int]]] = {}
    for pair in pairs:
        for direction in ("forward", "backward"):
            figures = pair.get(direction)
            if not figures or not figures.get("invalid_share"):
                continue
            ends = (pair["source"], pair["target"])
            source, target = ends if direction == "forward" else ends[::-1]
            # a pair whose record is lost is refused as well
            unknown: list[dict[str, Any]] = figures.get("unknown") or [{"object": "", "cause": "", "pixels": 0}]
            for one in unknown:
                found.setdefault((one["object"], one["cause"]), []).append((source, target, one["pixels"]))
    failures = []
    for (name, cause), places in found.items():
        most = max(pixels for _, _, pixels in places)
        starts = [
            sorted({source for source, target, _ in places if (source < target) == ahead}) for ahead in (True, False)
        ]
        where = " and ".join(
            f"{way} from {spans(numbers, frames, _NAMED_SPANS)}"
            for way, numbers in zip(("forward", "backward"), starts, strict=True)
            if numbers
        )
        what = f"of '{name}' " if name else ""
        pixels = f", up to {most:,} pixels of a frame" if most else ""
        failures.append(
            {
                "source": places[0][0],
                "target": places[0][1],
                "direction": None,
                "figure": "unknown",
                "value": most,
                "bar": 0,
                "pairs": sorted({(min(source, target), max(source, target)) for source, target, _ in places}),
                "message": f"the motion {what}is unknown {where}{pixels}: {REASONS.get(cause, cause)}; {ADVICE}",
            }
        )
    return sorted(failures, key=lambda failure: (-failure["value"], failure["source"], failure["message"]))


def causes_in_words(unknown: Sequence[Mapping[str, Any]]) -> str:
    """Why the motion of a whole pair is unknown.

    Args:
        unknown: From :func:`animerun_gen.motion.unknown.describe_unknown`.

    Example:
        >>> causes_in_words([{"object": "Bulb", "cause": "absent"}, {"object": "", "cause": "camera"}])
        "'Bulb': it is not there in the other frame, the shot was cut to another camera"
    """
    # a cut is no object's
    said = [
        f"'{one['object']}': {REASONS[one['cause']]}"
        if one["object"] and one["cause"] != "camera"
        else REASONS[one["cause"]]
        for one in unknown
    ]
    return and_more(list(dict.fromkeys(said)), _SHOWN_KINDS)
