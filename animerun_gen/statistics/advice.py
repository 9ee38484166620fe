"""Says in words on which side of the reference a dataset errs, and which keys of a cut's configuration bear on it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from animerun_gen.statistics.figures import SMALL_AREA, SOFT, STRONG, Advice, DatasetStatistics, Statistics

OTHER_SIZE = 1.1
"""Frames that are wider by this factor are of another size: a line is broader in them, and a step along it softer."""


@dataclass(frozen=True)
class _Side:
    """What is said where a figure is larger than that of the reference, or smaller.

    Attributes:
        verdict: What the dataset is or has, after its name.
        remedy: What to do about it, a sentence that names the keys.
        keys: These keys.
    """

    verdict: str
    remedy: str
    keys: tuple[str, ...]


@dataclass(frozen=True)
class _Rule:
    """When a figure is so far from the reference's that something is said.

    Attributes:
        figure: Name of the figure.
        what: What it is, as the subject of a sentence.
        written: How a value is written.
        apart: How far the two are apart at least.
        factor: By which factor they differ at least.
        high: What is said where it is larger.
        low: What is said where it is smaller.
    """

    figure: str
    what: str
    written: Callable[[float], str]
    apart: float
    factor: float
    high: _Side
    low: _Side


def _level(value: float) -> str:
    return f"{value:.0f}"


def _length(value: float) -> str:
    return f"{value:.1f} px"


def _percent(value: float) -> str:
    return f"{100 * value:.1f}%"


_PALETTE = ("recolor.palette", "recolor.passes")

RULES = (
    _Rule(
        "luminance_mean",
        "the mean grey level",
        _level,
        12,
        1.0,
        _Side(
            "is too bright",
            "Colour passes with a palette drawn from the reference (recolor.palette, recolor.passes) follow it; "
            "style.background darkens an empty sky.",
            (*_PALETTE, "style.background"),
        ),
        _Side(
            "is too dark",
            "Colour passes with a palette drawn from the reference (recolor.palette, recolor.passes) follow it; "
            "style.background brightens an empty sky.",
            (*_PALETTE, "style.background"),
        ),
    ),
    _Rule(
        "luminance_deviation",
        "the standard deviation of the grey levels",
        _level,
        12,
        1.0,
        _Side(
            "has too much contrast",
            "Colour passes with a palette drawn from the reference (recolor.palette, recolor.passes) follow it.",
            _PALETTE,
        ),
        _Side(
            "has too little contrast",
            "Colour passes with a palette drawn from the reference (recolor.palette, recolor.passes) follow it.",
            _PALETTE,
        ),
    ),
    _Rule(
        "soft_share",
        f"the share of neighbouring pixels that differ by 1 to {SOFT} levels",
        _percent,
        0.03,
        1.3,
        _Side(
            "is too soft, with more shading, texture or noise",
            "style.color: material paints each material flat, and style.overrides single ones.",
            ("style.color", "style.overrides"),
        ),
        _Side(
            "is too hard, with less shading, texture or noise",
            "style.color: texture keeps painted surfaces, and style.textures names them; part of the difference may be "
            "what a codec left in the reference.",
            ("style.color", "style.textures"),
        ),
    ),
    _Rule(
        "strong_share",
        f"the share of neighbouring pixels that differ by more than {STRONG} levels",
        _percent,
        0.005,
        1.3,
        _Side(
            "has lines that are too busy",
            "Thinner lines (lines.thickness), fewer kinds of them (lines.edges, lines.crease_angle) or fewer locks of "
            "hair (hair.locks) calm them.",
            ("lines.thickness", "lines.edges", "lines.crease_angle", "hair.locks"),
        ),
        _Side(
            "has too few lines or edges",
            "More kinds of lines (lines.edges, lines.crease_angle) and more locks of hair (hair.locks) add some.",
            ("lines.edges", "lines.crease_angle", "hair.locks"),
        ),
    ),
    _Rule(
        "pixel_shift_960",
        "the mean motion at 960x540",
        _length,
        1,
        1.3,
        _Side(
            "has too much motion",
            "A smaller frames.step shortens it, and so does a calmer camera (camera_motion.keyframes).",
            ("frames.step", "camera_motion.keyframes"),
        ),
        _Side(
            "has too little motion",
            "A larger frames.step lengthens it; frames.first and frames.last choose livelier stretches, and "
            "camera_motion.keyframes lets the camera move.",
            ("frames.step", "frames.first", "frames.last", "camera_motion.keyframes"),
        ),
    ),
    _Rule(
        "still_share",
        "the share of the motion that is none",
        _percent,
        0.15,
        1.0,
        _Side(
            "stands still too much",
            "A camera that moves (camera_motion.keyframes) moves the background with it.",
            ("camera_motion.keyframes",),
        ),
        _Side(
            "hardly ever stands still",
            "camera_motion.keyframes with a single key holds the camera still.",
            ("camera_motion.keyframes",),
        ),
    ),
    _Rule(
        "held_pairs",
        "the share of pairs that show the same drawing",
        _percent,
        0.1,
        1.0,
        _Side(
            "holds its drawings too long",
            "frames.step: 2 takes each drawing of a film on twos once.",
            ("frames.step",),
        ),
        _Side(
            "holds its drawings too rarely",
            "No key holds drawings: a larger frames.step and frames shown twice, when they are loaded, look the same.",
            ("frames.step",),
        ),
    ),
    _Rule(
        "segments",
        "the number of segments a frame",
        _level,
        5,
        1.3,
        _Side(
            "has too many segments",
            "Fewer kinds of lines (lines.edges, lines.crease_angle), fewer locks of hair (hair.locks) or a larger "
            "labels.ball_radius joins some.",
            ("lines.edges", "lines.crease_angle", "hair.locks", "labels.ball_radius"),
        ),
        _Side(
            "has too few segments",
            "Shots that show more (camera_motion.keyframes), more kinds of lines (lines.edges, lines.crease_angle) and "
            "more locks of hair (hair.locks) part the picture further.",
            ("camera_motion.keyframes", "lines.edges", "lines.crease_angle", "hair.locks"),
        ),
    ),
    _Rule(
        "small_segments",
        f"the share of segments below {SMALL_AREA} pixels of 960x540",
        _percent,
        0.05,
        1.0,
        _Side(
            "has too many small segments",
            "A larger labels.ball_radius and fewer locks of hair (hair.locks) leave fewer slivers.",
            ("labels.ball_radius", "hair.locks"),
        ),
        _Side(
            "has too few small segments",
            "More kinds of lines (lines.edges, lines.crease_angle), more locks of hair (hair.locks) and a larger "
            "resolution part what is small.",
            ("lines.edges", "lines.crease_angle", "hair.locks", "resolution"),
        ),
    ),
    _Rule(
        "occluded_share",
        "the share of a frame that the next one hides",
        _percent,
        0.01,
        1.3,
        _Side(
            "hides too much from one frame to the next",
            "A smaller frames.step hides less.",
            ("frames.step",),
        ),
        _Side(
            "hides too little from one frame to the next",
            "A larger frames.step and a camera that moves past things (camera_motion.keyframes) hide more.",
            ("frames.step", "camera_motion.keyframes"),
        ),
    ),
)
"""In the order in which they are told."""


def advise(statistics: Statistics) -> list[Advice]:
    """What is to be said of each dataset but the reference, which there must be.

    One of which there is nothing to say is named; a figure that one of the two does not have is not compared.
    """
    reference = statistics.referred
    assert reference is not None
    said: list[Advice] = []
    for one in statistics.datasets:
        if one is not reference:
            found = list(_of_dataset(one, reference, statistics.frame_width))
            if not any(advice.side != "note" for advice in found):
                found.append(_note(one, "is within the thresholds in all figures that both have."))
            said += found
    return said


def _of_dataset(one: DatasetStatistics, reference: DatasetStatistics, frame_width: int | None) -> list[Advice]:
    said = []
    width, other = one.figures.size[0], reference.figures.size[0]
    sizes_differ = frame_width is None and max(width, other) > OTHER_SIZE * min(width, other)
    if sizes_differ:
        said.append(
            _note(
                one,
                f"has frames {width} pixels wide and the reference {other}, so lines and shading are not compared; "
                f"--frame-width {min(width, other)} brings both to one size.",
            )
        )
    for rule in RULES:
        own, theirs = getattr(one.figures, rule.figure), getattr(reference.figures, rule.figure)
        if own is None or theirs is None or (sizes_differ and rule.figure in ("soft_share", "strong_share")):
            continue
        low, high = sorted((own, theirs))
        if high - low < rule.apart or high < rule.factor * low:
            continue
        side = rule.high if own > theirs else rule.low
        compared = f"{rule.what} is {rule.written(own)}, that of the reference {rule.written(theirs)}"
        said.append(
            Advice(
                dataset=one.name,
                figure=rule.figure,
                side="high" if own > theirs else "low",
                value=own,
                reference=theirs,
                keys=side.keys,
                sentence=f"{one.name} {side.verdict}: {compared}. {side.remedy}",
            )
        )
    return said


def _note(one: DatasetStatistics, sentence: str) -> Advice:
    return Advice(dataset=one.name, figure=None, side="note", sentence=f"{one.name} {sentence}")
