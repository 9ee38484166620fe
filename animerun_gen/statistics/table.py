"""The figures as tables in the form of the paper, in Markdown."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from animerun_gen.statistics.figures import HOLDS, DatasetStatistics, Figures, Statistics
from animerun_gen.statistics.paper import FIGURE_4, TABLE_1

NONE = "-"

TABLE_1_COLUMNS = (
    "clips",
    "frames",
    "size",
    "seg/frame",
    "occluded seg/frame",
    "pixel shift",
    "segment shift",
    "accumulated shift",
)

MORE_COLUMNS = (
    "pixel shift at 960x540",
    "motion < 10 / 10-50 / > 50 px",
    "still",
    "unknown",
    "occluded",
    "held",
    "on ones / twos / threes / more",
    "median area",
    "small segments",
)

PAPER_HEADING = "of the paper: its own data, counted by its authors"
"""Stands over what was not measured here."""

ABOUT_TABLE_1 = "Shifts in pixels of the frame's own size; in brackets over pixels that move more than 0.01 px."

ABOUT_PAPER_TABLE_1 = (
    "The paper's figures are those of other films, and not measured by this program: they are here for scale."
)

ABOUT_PAPER_FIGURE_4 = (
    "The paper's reference is ATD-12K. It does not say which logarithm, which bins and what for empty ones it took, so "
    "these do not compare with the figures above."
)

Table = tuple[list[str], list[list[str]]]
"""Headings and rows of a table."""


def table_1(statistics: Statistics) -> Table:
    """The figures of the paper's Table 1 of each dataset and, below it, of its films."""
    rows = []
    for one in statistics.datasets:
        rows.append([_named(one, one.name == statistics.reference), *_row_1(one.figures)])
        if len(one.films) > 1:
            rows += [[f"- {film}", *_row_1(one.films[film])] for film in sorted(one.films)]
    return ["dataset", *TABLE_1_COLUMNS], rows


def paper_table_1() -> Table:
    """The rows of the paper's own Table 1."""
    rows = [
        [
            f"- {row.name}" if row.is_film else row.name,
            NONE if row.segments is None else str(row.segments),
            _number(row.occluded_segments),
            _with_moving(row.pixel_shift, row.pixel_shift_moving),
            _number(row.segment_shift),
            _with_moving(row.accumulated_shift, row.accumulated_shift_moving),
        ]
        for row in TABLE_1
    ]
    return [PAPER_HEADING, *TABLE_1_COLUMNS[3:]], rows


def more(statistics: Statistics) -> Table:
    """The other figures of each dataset and of its splits."""
    rows = []
    for one in statistics.datasets:
        rows.append([_named(one, one.name == statistics.reference), *_row_2(one.figures)])
        if len(one.splits) > 1:
            rows += [[f"- {split}", *_row_2(one.splits[split])] for split in sorted(one.splits, key=_as_trained)]
    return ["dataset", *MORE_COLUMNS], rows


def of_clips(one: DatasetStatistics) -> Table:
    """The figures of the paper's Table 1 of each clip."""
    rows = [
        [clip.name, clip.split or NONE, clip.film, *_row_1(clip.figures)[1:], _share(clip.figures.held_pairs)]
        for clip in one.clips
    ]
    return ["clip", "split", "film", *TABLE_1_COLUMNS[1:], "held"], rows


def pictures(statistics: Statistics) -> Table:
    """Levels and differences of each dataset, and how far they are from the reference."""
    rows = []
    for one in statistics.datasets:
        of, to = one.figures, one.to_reference
        rows.append(
            [
                _named(one, one.name == statistics.reference),
                ", ".join(one.pictures),
                f"{of.luminance_mean:.0f} ± {of.luminance_deviation:.0f}",
                f"{_share(of.dark_share)} / {_share(of.bright_share)}",
                f"{_share(of.flat_share)} / {_share(of.soft_share)} / {_share(of.strong_share)}",
                NONE if to is None else f"{to.luminance_kl:.2f}",
                NONE if to is None or to.difference_sad is None else f"{to.difference_sad:.2f}",
            ]
        )
    columns = ["pictures", "luminance", "dark / bright", "differences: none / soft / strong"]
    return ["dataset", *columns, "KL divergence", "SAD"], rows


def paper_figure_4() -> Table:
    """What the paper's own Figure 4 says."""
    return [PAPER_HEADING, "KL divergence", "SAD"], [
        [row.name, _number(row.luminance_kl), _number(row.difference_sad)] for row in FIGURE_4
    ]


def markdown(statistics: Statistics, plots: Sequence[str]) -> str:
    """The page ``statistics.md``.

    Args:
        statistics: What was counted.
        plots: Names of the plots beside it, without suffix.
    """
    return "\n".join(_lines(statistics, plots)) + "\n"


def about(statistics: Statistics) -> list[str]:
    """What the figures are of, a sentence each."""
    made = ", ".join(f"{name} {version}" for name, version in statistics.made_with.items())
    said = [f"Made by {made}; docs/statistics.md says what each figure means."]
    if statistics.reference is not None:
        said.append(f"KL divergence and SAD are those from {statistics.reference}.")
    if statistics.frame_width is not None:
        said.append(f"Levels were counted in frames brought to a width of {statistics.frame_width} pixels.")
    return said


def _lines(statistics: Statistics, plots: Sequence[str]) -> Iterator[str]:
    yield "# Statistics"
    yield ""
    yield from map(_cell, about(statistics))
    yield ""
    yield from _section("As in the paper's Table 1", table_1(statistics))
    yield ABOUT_TABLE_1
    yield ""
    yield from _table(paper_table_1())
    yield ABOUT_PAPER_TABLE_1
    yield ""
    yield from _section("Motion, occlusion, held frames, segments", more(statistics))
    yield from _section("Levels", pictures(statistics))
    if statistics.reference is not None:
        yield from _table(paper_figure_4())
        yield ABOUT_PAPER_FIGURE_4
        yield ""
    for name in plots:
        yield f"![{name.replace('_', ' ')}]({name}.png)"
        yield ""
    if statistics.advice:
        yield f"## Against {_cell(statistics.reference or NONE)}"
        yield ""
        yield from (f"- {_cell(one.sentence)}" for one in statistics.advice)
        yield ""
    for one in statistics.datasets:
        yield from _section(f"Clips of {_cell(one.name)}", of_clips(one))
        if one.left_out:
            yield "Left out:"
            yield ""
            yield from (f"- {_cell(sentence)}" for sentence in one.left_out)
            yield ""


def _section(title: str, table: Table) -> Iterator[str]:
    yield f"## {title}"
    yield ""
    yield from _table(table)


def _table(table: Table) -> Iterator[str]:
    headings, rows = table
    yield f"| {' | '.join(headings)} |"
    yield f"| {' | '.join('---' for _ in headings)} |"
    yield from (f"| {' | '.join(map(_cell, row))} |" for row in rows)
    yield ""


def _cell(text: str) -> str:
    """Text that Markdown leaves as it is: names are whatever somebody called a folder."""
    return "".join(f"\\{one}" if one in "\\|`*_<>[]#" else one for one in text.replace("\n", " "))


def _as_trained(split: str) -> tuple[int, str]:
    """A key by which what is trained on stands first, and what is tested on last, whatever they are called."""
    name = split.lower()
    return -1 if name.startswith("train") else int(name.startswith("test")), split


def _named(one: DatasetStatistics, is_reference: bool) -> str:
    return f"{one.name} (reference)" if is_reference else one.name


def _row_1(of: Figures) -> list[str]:
    return [
        f"{of.clips:,}",
        f"{of.frames:,}",
        f"{of.size[0]}x{of.size[1]}",
        NONE if of.segments is None else f"{of.segments:.0f}",
        _number(of.occluded_segments),
        _with_moving(of.pixel_shift, of.pixel_shift_moving),
        _number(of.segment_shift),
        _with_moving(of.accumulated_shift, of.accumulated_shift_moving),
    ]


def _row_2(of: Figures) -> list[str]:
    occluded = of.occluded_share if of.occluded_share is not None else of.exact_occluded_share
    return [
        _number(of.pixel_shift_960),
        NONE if of.motion_shares is None else " / ".join(map(_share, of.motion_shares)),
        _share(of.still_share),
        _share(of.unknown_share),
        _share(occluded),
        _share(of.held_pairs),
        " / ".join(_share(of.hold_shares[name]) for name in HOLDS) if of.hold_shares else NONE,
        NONE if of.median_area is None else f"{of.median_area:.0f} px",
        _share(of.small_segments),
    ]


def _number(value: float | None) -> str:
    return NONE if value is None else f"{value:.2f}"


def _with_moving(value: float | None, moving: float | None) -> str:
    return f"{_number(value)} ({_number(moving)})" if moving is not None else _number(value)


def _share(value: float | None) -> str:
    """A share in percent, which is not called none or all where it is not."""
    if value is None:
        return NONE
    text = f"{100 * value:.1f}"
    if text in ("0.0", "100.0") and value not in (0, 1):
        return "< 0.1%" if value < 0.5 else "> 99.9%"
    return f"{text}%"
