"""The page of one cut, within a number of bytes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from animerun_gen import __version__
from animerun_gen.config.messages import spans
from animerun_gen.dataset import ClipFiles
from animerun_gen.engines.pool import Pool
from animerun_gen.errors import DatasetError
from animerun_gen.quality.colors import labels_to_color
from animerun_gen.report import drawing, encode, figures, html
from animerun_gen.report.facts import CREDITS, NAMED_FRAMES, CutFacts
from animerun_gen.report.layers import (
    MASKS,
    Detail,
    FrameLayers,
    FrameTask,
    SurveyTask,
    draw_wheel,
)
from animerun_gen.report.timing import exposure_sheet

DETAILS = (
    Detail(1, 75),
    Detail(1, 50, 8),
    # steps that can be seen, but labels that are exact
    Detail(1, 50, 16),
    Detail(0.75, 65, 8),
    Detail(0.5, 65, 8),
    Detail(0.375, 60, 8),
    Detail(0.25, 50, 16),
    Detail(0.125, 50, 16),
)
"""From the best to the poorest; beyond the last, frames are left out."""

SAMPLES = 5
"""Frames that are drawn to guess how large a page becomes."""

SURVEYED_FRAMES = 64
"""Frames whose motion sets the scale of the colour wheel."""

SAFETY = 1.08
"""How much larger than the guess a page may well become."""

FIXED_BYTES = 150_000
"""What a page has besides its frames, about."""

WHEEL_SIDE = 160
PLAYED_RATE = 12.0
"""Frames a second where the clip's own rate is unknown."""


@dataclass(frozen=True)
class CutPage:
    """A page and what the index says of it.

    Attributes:
        text: The page.
        problems: What of the cut's files could not be read, in sentences.
    """

    text: str
    problems: list[str]


def make_page(facts: CutFacts, pool: Pool, budget: int, done: Callable[[str], None]) -> CutPage:
    """Draw the page of a cut.

    Args:
        facts: The cut.
        pool: Who draws.
        budget: Bytes that the page may have.
        done: Called with the name of the cut after each frame.

    Raises:
        DatasetError: The page does not fit whatever is left out.
    """
    motion_scale = _motion_scale(facts, pool)
    for detail in _details(facts, pool, motion_scale, budget):
        tasks = _tasks(facts, detail, motion_scale, _kept_frames(facts, detail))
        frames = list(pool.results(tasks, lambda: done(facts.clip.cut)))
        page = _assemble(facts, frames, detail, motion_scale, budget)
        if len(page.text.encode()) <= budget:
            return page
    raise DatasetError(
        f"the page of the cut '{facts.clip.cut}' does not fit in {budget / 1e6:g} MB whatever is left out",
        remedy="allow more with --max-size",
    )


def _motion_scale(facts: CutFacts, pool: Pool) -> float:
    """The motion that has the full colour: what 99% of the clip's known motion stay below, rounded up to 2 digits."""
    asked = _spread(facts.frames, SURVEYED_FRAMES)
    lengths = np.concatenate(list(pool.results([SurveyTask(facts.clip, frame) for frame in asked])))
    longest = float(np.percentile(lengths, 99)) if lengths.size else 0.0
    if longest <= 0:
        return 1.0
    digit = 10.0 ** (np.floor(np.log10(longest)) - 1)
    return float(f"{np.ceil(longest / digit) * digit:.2g}")


def _details(facts: CutFacts, pool: Pool, motion_scale: float, budget: int) -> Sequence[Detail]:
    """The levels of detail that may fit, best first."""
    thinned = [replace(DETAILS[-1], every=every) for every in (2, 4, 8, 16, 32, 64, 128, 256, 512)]
    details = [*DETAILS, *thinned]
    count = len(facts.frames)
    if count <= 2 * SAMPLES:
        return details
    sampled = _spread(facts.frames, SAMPLES)
    for place, detail in enumerate(details):
        drawn = list(pool.results(_tasks(facts, detail, motion_scale, sampled)))
        mean = sum(_bytes(layers) for layers in drawn) / len(drawn)
        if FIXED_BYTES + SAFETY * mean * -(-count // detail.every) <= budget:
            return details[place:]
    return details[-1:]


def _spread(frames: Sequence[int], count: int) -> list[int]:
    """So many frames, spread evenly over the clip with both ends; all where there are no more."""
    if len(frames) <= count:
        return list(frames)
    return [frames[round(place)] for place in np.linspace(0, len(frames) - 1, count)]


def _bytes(layers: FrameLayers) -> int:
    """What a frame takes on the page, about."""
    pictures = sum(-(-len(content) // 3) * 4 + 60 for content in layers.pictures.values())
    amodal = 0 if layers.amodal is None else len(json.dumps(layers.amodal, separators=(",", ":")))
    return pictures + amodal + sum(len(_match_text(table)) for table in layers.matches.values())


def _kept_frames(facts: CutFacts, detail: Detail) -> Sequence[int]:
    return facts.frames[:: detail.every]


def _tasks(facts: CutFacts, detail: Detail, motion_scale: float, frames: Sequence[int]) -> list[FrameTask]:
    motion = facts.config.get("motion")
    filled = isinstance(motion, Mapping) and motion.get("unknown") == "fill"
    before = dict(zip(facts.frames[1:], facts.frames[:-1], strict=True))
    after = dict(zip(facts.frames[:-1], facts.frames[1:], strict=True))
    return [
        FrameTask(
            facts.clip,
            frame,
            (before.get(frame), after.get(frame)),
            facts.resolution,
            motion_scale,
            detail,
            filled,
            facts.layers,
            facts.layer_gaps,
        )
        for frame in frames
    ]


def _assemble(
    facts: CutFacts, frames: Sequence[FrameLayers], detail: Detail, motion_scale: float, budget: int
) -> CutPage:
    problems = [problem for layers in frames for problem in layers.problems]
    pictures: dict[str, bytes] = {}
    names: dict[bytes, str] = {}

    def place(content: bytes) -> str:
        # a held drawing is kept once
        digest = hashlib.sha256(content).digest()
        if digest not in names:
            names[digest] = f"p{len(names)}"
            pictures[names[digest]] = content
        return names[digest]

    shown = {
        str(facts.frames.index(layers.frame)): {
            "pictures": {name: place(content) for name, content in layers.pictures.items()},
            "line_color": layers.line_color,
            "masks": [MASKS.index(name) for name in layers.masks],
            "matches": {way: _match_text(table) for way, table in layers.matches.items()},
            "segments": layers.segments,
            "amodal": layers.amodal,
            "depths": layers.depths,
            "masks_of": layers.masks_of,
        }
        for layers in frames
    }
    most_labels = max((layers.segments for layers in frames), default=0)
    materials = _names_of(facts.clip)
    clip = facts.clip
    objects = {number: name for layers in frames for number, name in layers.objects.items()}
    most_labels = max([most_labels, *(number + 1 for number in (*materials, *objects, len(facts.layers)))])
    data: dict[str, Any] = {
        "frames": facts.frames,
        "size": detail.size(facts.resolution),
        "rate": facts.clip_rate or PLAYED_RATE,
        "shown": shown,
        "wheel": place(encode.encode_flow(draw_wheel(WHEEL_SIDE), detail.flow_step)),
        "motion_scale": motion_scale,
        "warp_palette": encode.warp_palette().tolist(),
        "warp_full": encode.WARP_FULL,
        # one more than any label, and the color of what has no match
        "label_colors": labels_to_color(np.arange(min(most_labels, 1 << 16))).tolist(),
        "unmatched": labels_to_color(np.array([-1]))[0].tolist(),
        "materials": {str(number): name for number, name in materials.items()},
        "objects": {str(number): objects[number] for number in sorted(objects)},
        "layers": facts.layers,
        "gaps": facts.layer_gaps,
        "tones": {str(number): tone for number, tone in drawing.TONES.items()},
        "line_kinds": {str(int(number)): kind for number, kind in drawing.KINDS.items()},
        "stroke_kinds": {str(int(number)): kind for number, kind in drawing.STROKES.items()},
        "hidden_stroke": drawing.HIDDEN_STROKE,
        "stroke_fractions": drawing.FRACTIONS,
        "pixels": facts.resolution[0] * facts.resolution[1],
        "charts": figures.charts(facts),
        "pairs": figures.pair_table(facts),
        "held": [pair["source"] for pair in facts.quality.get("pairs", []) if pair.get("held") is True],
    }
    verdict = figures.verdict(facts, problems)
    remarks = [
        *[{"kind": "missing", "text": text} for text in facts.missing],
        *[{"kind": "problem", "text": text} for text in problems],
        *[{"kind": "note", "text": text} for text in facts.remarks],
        *[{"kind": "note", "text": text} for text in figures.gaps(facts.quality)],
        *[{"kind": "note", "text": text} for text in _reductions(facts, detail, budget)],
    ]
    if facts.absent:
        remarks.append({"kind": "note", "text": f"This dataset does not have: {', '.join(facts.absent)}."})
    text = html.page(
        "cut.html",
        ("drawing.js", "cut.js"),
        title=clip.cut,
        verdict=verdict,
        badges=figures.BADGES,
        facts=_fact_rows(facts),
        failures=figures.failures(facts.quality),
        remarks=remarks,
        settings=_settings(facts),
        sheet=exposure_sheet(facts),
        has_strokes=any("strokes" in layers.pictures for layers in frames),
        data=data,
        pictures=pictures,
    )
    return CutPage(text, problems)


def _names_of(clip: ClipFiles) -> Mapping[int, str]:
    """The names of the materials by their ids; none where there is no table."""
    try:
        return {int(number): name for number, name in clip.read_names("material_id").items()}
    except DatasetError:
        return {}


def _match_text(table: Sequence[Sequence[int]]) -> str:
    """Matches as text: the targets of each segment with commas, segments with blanks, "-" where there is none."""
    return " ".join("-" if targets == [-1] else ",".join(map(str, targets)) for targets in table)


def _reductions(facts: CutFacts, detail: Detail, budget: int) -> list[str]:
    """What was done to the pictures so that the page stays within its size."""
    width, height = facts.resolution
    said = []
    limit = f"so that this page stays below {budget / 1e6:g} MB"
    if detail.scale < 1:
        small = detail.size(facts.resolution)
        said.append(
            f"All pictures are shown at {small[0]} x {small[1]} instead of {width} x {height} pixels, {limit}: what is "
            "thinner than a pixel of theirs may be missing. The figures are those of the full size."
        )
    if detail.every > 1:
        left = _kept_frames(facts, detail)
        shown = spans(left, left, NAMED_FRAMES)
        said.append(f"Only {len(left)} of {len(facts.frames)} frames ({shown}) have pictures, {limit}.")
    if detail.scale == 1 and detail.quality < DETAILS[0].quality:
        said.append(
            f"Colour pictures are compressed more than usual, and the colours of flow rounded more, {limit}; labels "
            "are exact."
        )
    return said


def _fact_rows(facts: CutFacts) -> list[list[str]]:
    """Names and values for the top of the page."""
    first, last = facts.frames[0], facts.frames[-1]
    width, height = facts.resolution
    rate = facts.clip_rate
    return [
        ["split", facts.clip.split],
        ["frames", f"{len(facts.frames)} ({first} to {last})" if first != last else f"1 ({first})"],
        ["resolution", f"{width} x {height}"],
        ["rate", f"{rate:g} frames/s" if rate else "unknown"],
        *[[title, str(facts.config[key])] for key, title in CREDITS.items() if facts.config.get(key)],
    ]


def _settings(facts: CutFacts) -> list[dict[str, Any]]:
    """The sections of settings and versions at the end of the page."""
    sections = [_section("This page", [["animerun-gen", __version__]])]
    if not facts.origin:
        sections.append(_section("The dataset", text="There is no record of what it was made with."))
        return sections
    source = f"From {facts.origin}."
    if facts.versions:
        sections.append(_section("Made with", [list(row) for row in facts.versions.items()], source))
    if facts.config:
        sections.append(_section("Settings", flatten(facts.config), source))
    if facts.inputs:
        sections.append(_section("Inputs (SHA-256)", [list(row) for row in facts.inputs.items()], stacked=True))
    if facts.notes:
        sections.append(_section("Notes of the conversion", [[note] for note in facts.notes]))
    return sections


def _section(
    title: str, rows: Sequence[Sequence[str]] = (), text: str = "", *, stacked: bool = False
) -> dict[str, Any]:
    return {"title": title, "rows": rows, "text": text, "stacked": stacked}


def flatten(settings: Mapping[str, Any], above: str = "") -> list[list[str]]:
    """A tree of settings as rows of dotted key and value, in its order."""
    rows = []
    for key, value in settings.items():
        name = f"{above}{key}"
        if isinstance(value, Mapping) and value:
            rows += flatten(value, f"{name}.")
        elif isinstance(value, list):
            rows.append([name, ", ".join(map(str, value)) or "none"])
        else:
            rows.append([name, _said(value)])
    return rows


def _said(value: Any) -> str:
    if value is None or value == {}:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)
