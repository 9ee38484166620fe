"""What the index says of a dataset as a whole: totals, histograms, splits, gates, whose films they are, versions.

Everything comes from what is known of its cuts already: their quality figures, manifests and file sizes.  What no file
says is left out.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

from animerun_gen.dataset import SPLITS, ClipFiles, layout
from animerun_gen.pipeline.state.manifest_file import base_name
from animerun_gen.report import figures
from animerun_gen.report.facts import CREDITS, CutFacts

MOST_BINS = 24
"""A histogram has so many bars at most."""

LISTED_FAILURES = 3
"""So many failures of a cut are told on the index; its page has them all."""


@dataclass(frozen=True)
class Counted:
    """A cut as the totals need it.

    Attributes:
        clip: Its files.
        facts: What is known about it; None when it has no frames that can be read.
        size: Bytes of its files.
        pairs: Neighbouring frames with flow from the earlier one to the later one.
    """

    clip: ClipFiles
    facts: CutFacts | None
    size: int
    pairs: int


@dataclass(frozen=True)
class Histogram:
    """How often a figure has which value, ready to be drawn.

    Attributes:
        title: What is counted.
        help: What it means, in a sentence.
        counted: What each value belongs to, in the plural.
        unit: How values are written: ``px``, ``%`` or nothing.
        values: The values, ascending.
        width: Width of a bar.
        first: Lower edge of the first bar.
        bars: How many values each bar has.
    """

    title: str
    help: str
    counted: str
    unit: str
    values: Sequence[float]
    width: float
    first: float
    bars: Sequence[int]

    @property
    def median(self) -> float:
        """The value in the middle; of an even number the lower one."""
        return self.values[(len(self.values) - 1) // 2]

    @property
    def last(self) -> float:
        """Upper edge of the last bar."""
        return self.first + self.width * len(self.bars)

    def edge(self, place: int) -> float:
        """Lower edge of a bar."""
        return self.first + self.width * place

    def written(self, value: float) -> str:
        """A value with its unit."""
        if not self.unit:
            return f"{value:,.0f}"
        # three digits, and never as a power of ten
        text = f"{float(f'{value:.3g}'):,.10g}"
        return f"{text}%" if self.unit == "%" else f"{text} {self.unit}"


@dataclass(frozen=True)
class _Source:
    """Where the values of a histogram come from: the first of the keys that any cut has."""

    title: str
    help: str
    keys: tuple[str, ...]
    unit: str = ""
    of_frames: bool = False
    whole: bool = False


_HISTOGRAMS = (
    _Source("Motion", "The median length of the known motion of a pair.", ("motion_median",), "px"),
    _Source("Fast motion", "The length that 99% of the known motion of a pair stays below.", ("motion_p99",), "px"),
    _Source(
        "Occlusion",
        "The share of a frame that is hidden in the other frame of the pair.",
        ("exact_occluded_share", "occluded_share"),
        "%",
    ),
    _Source("Unknown motion", "The share of a frame whose motion is marked unknown.", ("invalid_share",), "%"),
    _Source("Segments", "The number of segments of a frame.", ("segments",), of_frames=True, whole=True),
    _Source("Lines", "The share of the line art that is line.", ("line_share",), "%", of_frames=True),
)


def tiles(cuts: Sequence[Counted]) -> list[tuple[str, str]]:
    """The large numbers on top: name and value; those that nothing tells are left out."""
    known = [cut.facts for cut in cuts if cut.facts is not None]
    sizes = sorted({facts.resolution for facts in known}, key=lambda size: (size[0] * size[1], size))
    found = [
        ("cuts", f"{len(cuts):,}"),
        ("frames", f"{sum(len(facts.frames) for facts in known):,}"),
        ("pairs", f"{sum(cut.pairs for cut in cuts):,}"),
    ]
    if sizes:
        shown = [f"{width} \u00d7 {height}" for width, height in sizes]
        found.append(("resolution", shown[0] if len(shown) == 1 else f"{shown[0]} to {shown[-1]}"))
    unknown = mean_share(known, "invalid_share")
    if unknown is not None:
        found.append(("pixels with known motion", percent(1 - unknown)))
    exact, rule = mean_share(known, "exact_occluded_share"), mean_share(known, "occluded_share")
    if exact is not None:
        found.append(("occluded, exactly", percent(exact)))
    if rule is not None:
        found.append(("occluded, by the paper's rule", percent(rule)))
    found.append(("on disk", size_text(sum(cut.size for cut in cuts))))
    return found


def mean_share(known: Iterable[CutFacts], key: str) -> float | None:
    """The mean of a share over all pixels of all pairs, both directions; None where no figures have it."""
    total = weight = 0.0
    for facts in known:
        values = _pair_values(facts, key)
        pixels = facts.resolution[0] * facts.resolution[1]
        total += pixels * sum(values)
        weight += pixels * len(values)
    return total / weight if weight else None


def percent(share: float) -> str:
    """A share as text, which says neither 0% nor 100% where that is not so."""
    if share in (0, 1):
        return f"{share:.0%}"
    for digits in (1, 2, 3):
        text = f"{100 * share:.{digits}f}"
        if float(text) not in (0, 100):
            return f"{text}%"
    return "> 99.999%" if share > 0.5 else "< 0.001%"


def size_text(size: int) -> str:
    """Bytes as text: ``1.2 MB`` of 1000 kilobytes."""
    for unit, most in (("kB", 1e6), ("MB", 1e9), ("GB", 1e12)):
        if size < most:
            return f"{1000 * size / most:.1f} {unit}"
    return f"{size / 1e12:.1f} TB"


def histograms(cuts: Sequence[Counted]) -> list[Histogram]:
    """The figures of which there are at least two values."""
    known = [cut.facts for cut in cuts if cut.facts is not None]
    drawn = []
    for source in _HISTOGRAMS:
        read = _frame_values if source.of_frames else _pair_values
        for key in source.keys:
            values = sorted(value for facts in known for value in read(facts, key))
            if len(values) > 1:
                scaled = [100 * value for value in values] if source.unit == "%" else values
                drawn.append(_histogram(source, scaled))
                break
    return drawn


def _histogram(source: _Source, values: list[float]) -> Histogram:
    width = _bar_width(values, whole=source.whole)
    first = math.floor(values[0] / width)
    places = Counter(math.floor(value / width) - first for value in values)
    highest = max(places)
    if not source.whole and highest > 0 and values[-1] == (first + highest) * width:
        # nothing lies beyond this edge, least of all beyond 100%: the bar below holds it
        on_edge = values.count(values[-1])
        places[highest] -= on_edge
        places[highest - 1] += on_edge
        highest -= 1
    return Histogram(
        title=source.title,
        help=source.help,
        counted="frames" if source.of_frames else "flows",
        unit=source.unit,
        values=values,
        width=width,
        first=first * width,
        bars=[places[place] for place in range(highest + 1)],
    )


def _bar_width(values: Sequence[float], *, whole: bool) -> float:
    """The smallest of 1, 2, 5, 10 and so on, and their fractions, with which the bars are not too many."""
    span = values[-1] - values[0]
    if span == 0:
        return 1.0
    for power, digit in product(range(-6, 10), (1, 2, 5)):
        width = digit * 10.0**power
        # one more than fit into the span, since a value may lie at both edges
        if span / width <= MOST_BINS - 1 and (width >= 1 or not whole):
            return width
    return span


def _pair_values(facts: CutFacts, key: str) -> list[float]:
    return [
        float(pair[way][key])
        for pair in facts.quality.get("pairs", [])
        for way in figures.DIRECTIONS
        if isinstance(pair.get(way), dict) and figures.is_number(pair[way].get(key))
    ]


def _frame_values(facts: CutFacts, key: str) -> list[float]:
    return [float(one[key]) for one in facts.quality.get("frame_figures", []) if figures.is_number(one.get(key))]


def splits(cuts: Sequence[Counted]) -> list[dict[str, Any]]:
    """The splits there are: name, ``file`` with the list (empty where there is none), frames and names of the cuts."""
    found = []
    for split in SPLITS:
        own = [cut for cut in cuts if cut.clip.split == split]
        if own:
            root = own[0].clip.root
            listed = layout.split_list(root, split)
            found.append(
                {
                    "name": split,
                    "file": listed.relative_to(root).as_posix() if listed.is_file() else "",
                    "frames": sum(len(cut.facts.frames) for cut in own if cut.facts is not None),
                    "cuts": sorted(cut.clip.cut for cut in own),
                }
            )
    return found


def films(cuts: Sequence[Counted]) -> list[dict[str, Any]]:
    """Whose the films are: ``films`` with the same credits, their ``cuts``, and the ``credits`` by name.

    A film that nothing names is "unknown"; a credit that nothing says is empty.
    """
    grouped: dict[tuple[str, ...], tuple[dict[str, None], list[str]]] = {}
    for cut in cuts:
        config = {} if cut.facts is None else cut.facts.config
        film = str(config.get("film") or base_name(str(config.get("source") or "")) or "unknown")
        names, own = grouped.setdefault(tuple(str(config.get(key) or "") for key in CREDITS), ({}, []))
        names[film] = None
        own.append(cut.clip.cut)
    found = [
        {"films": list(names), "cuts": own, "credits": dict(zip(CREDITS, credits, strict=True))}
        for credits, (names, own) in grouped.items()
    ]
    # what nobody has said anything about comes last
    return sorted(found, key=lambda one: not any(one["credits"].values()))


def versions(cuts: Sequence[Counted]) -> list[tuple[str, str]]:
    """What made the dataset: name, and the versions that did."""
    known: dict[str, dict[str, None]] = {}
    for cut in cuts:
        for name, version in (cut.facts.versions if cut.facts is not None else {}).items():
            known.setdefault(name, {})[str(version)] = None
    return [(name, ", ".join(sorted(found))) for name, found in known.items()]


def failures(facts: CutFacts | None) -> dict[str, Any]:
    """The first failures of a cut's gate as ``messages``, and how many ``more`` there are."""
    found = [] if facts is None else [failure["message"] for failure in figures.failures(facts.quality)]
    return {"messages": found[:LISTED_FAILURES], "more": max(0, len(found) - LISTED_FAILURES)}
