"""Measures the trapped-ball segments on generated line art whose regions are known.

    python scripts/benchmark_segments.py [--seeds 1] [--first-seed 1000] [--bars] [--save FOLDER]

Each seed draws, for every shape and number of regions, a picture of 960x540 for every combination of gap radius (2 and
3 pixels), thickness of the lines (1 to 4 pixels) and style (black, anti-aliased, coloured).  The errors are the adapted
Rand error over the pixels that are no line, and the share by which the number of segments is off; the seconds are
processor seconds of one frame on one core, the best of three runs: what else the machine does matters little to them.
With ``--bars`` the exit status is 1 if a bar does not hold.
"""

from __future__ import annotations

import argparse
import itertools
import statistics
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

import cv2
import numpy as np
import numpy.typing as npt
from skimage.metrics import adapted_rand_error
from tqdm import tqdm

from animerun_gen.labels import trapped_ball_segments
from animerun_gen.labels.generated_line_art import GeneratedLineArt, Shapes, Style, generate_line_art
from animerun_gen.quality import labels_to_color

REGIONS = (100, 300, 800)
GAP_RADII = (2, 3)
THICKNESSES = (1, 2, 3, 4)
BARRED_SHAPES = ("convex", "curved")
"""Where shapes overlap, what is a gap and what a strait is anyone's guess at times: measured, but without a bar."""

LARGEST_ERROR = {100: 0.005, 300: 0.005, 800: 0.02}
LARGEST_COUNT_ERROR = {100: 0.05, 300: 0.05, 800: 0.1}
MOST_SECONDS = 0.15
LARGEST_SHARE_PAST_BAR = 0.01
LARGEST_RATIO = 1.5

THIN_SOFT_THRESHOLD = 192
"""A soft line of one pixel is only half dark where it runs between two rows of pixels; 128, the default, misses it."""


@dataclass(frozen=True)
class Case:
    """What to draw."""

    shapes: Shapes
    regions: int
    gap_radius: int
    thickness: int
    style: Style
    seed: int

    def __str__(self) -> str:
        return f"{self.shapes}-{self.regions}-gap{self.gap_radius}-{self.thickness}px-{self.style}-{self.seed}"

    def draw(self) -> GeneratedLineArt:
        """The drawing."""
        return generate_line_art(
            self.shapes,
            self.regions,
            self.seed,
            gap_radius=self.gap_radius,
            thickness=self.thickness,
            style=self.style,
        )

    @property
    def threshold(self) -> int:
        """Below which a pixel of the drawing is a line."""
        return THIN_SOFT_THRESHOLD if self.style == "soft" and self.thickness == 1 else 128


@dataclass(frozen=True)
class Result:
    """How one drawing was segmented."""

    case: Case
    error: float
    count_error: float
    seconds: float


def main() -> int:
    """Run the benchmark; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=1, help="how many drawings of each kind (default: 1)")
    parser.add_argument("--first-seed", type=int, default=1000, help="the first seed (default: 1000)")
    parser.add_argument("--shapes", nargs="+", choices=get_args(Shapes), default=get_args(Shapes))
    parser.add_argument("--bars", action="store_true", help="exit status 1 if a bar does not hold")
    parser.add_argument("--save", type=Path, metavar="FOLDER", help="write pictures of what is past a bar there")
    options = parser.parse_args()
    cv2.setNumThreads(1)
    cases = list(all_cases(options.shapes, range(options.first_seed, options.first_seed + options.seeds)))
    trapped_ball_segments(np.full((9, 9), 255, np.uint8))  # compiles, on a machine that never did
    results = [measure(case, options.save) for case in tqdm(cases, unit=" drawing", file=sys.stderr)]
    print_table(results)
    return int(not print_bars(results) and options.bars)


def all_cases(shapes: list[Shapes], seeds: range) -> Iterator[Case]:
    """Every kind of drawing, each with a seed of its own."""
    kinds = itertools.product(seeds, shapes, REGIONS, GAP_RADII, THICKNESSES, get_args(Style))
    for number, (seed, form, regions, radius, thickness, style) in enumerate(kinds):
        # Another seed for every kind, or all of them would show the same cells.
        yield Case(form, regions, radius, thickness, style, seed=seed * 1000 + number)


def measure(case: Case, save: Path | None) -> Result:
    """Draw a case and segment it."""
    art = case.draw()
    seconds = []
    for _ in range(3):
        start = time.process_time()
        segments = trapped_ball_segments(art.line_art, threshold=case.threshold)
        seconds.append(time.process_time() - start)
    seen = art.truth > 0
    error = float(adapted_rand_error(art.truth[seen], segments[seen] + 1)[0])  # type: ignore[no-untyped-call]
    result = Result(case, error, (int(segments.max()) + 1) / art.region_count - 1, min(seconds))
    if save is not None and not is_within_bars(result):
        save_picture(save / f"{case}.png", art, segments)
    return result


def is_within_bars(result: Result) -> bool:
    """Whether a single drawing is within the bars of its number of regions."""
    regions = result.case.regions
    return result.error <= LARGEST_ERROR[regions] and abs(result.count_error) <= LARGEST_COUNT_ERROR[regions]


def save_picture(path: Path, art: GeneratedLineArt, segments: npt.NDArray[np.int32]) -> None:
    """Segments in colours under the lines; in red what lies in a segment that mostly belongs to another region, in
    black the pixels of a region outside its largest segment."""
    seen = art.truth > 0
    pairs, count = np.unique(np.stack([art.truth[seen], segments[seen]]), axis=1, return_counts=True)
    order = np.argsort(count)
    region_of = np.zeros(int(segments.max()) + 1, np.int32)
    region_of[pairs[1, order]] = pairs[0, order]
    segment_of = np.zeros(int(art.truth.max()) + 1, np.int32)
    segment_of[pairs[0, order]] = pairs[1, order]
    picture = labels_to_color(segments) // 2 + 128
    picture[art.line_art.reshape(*art.truth.shape, -1).min(axis=2) < 128] = 60
    picture[seen & (segment_of[art.truth] != segments)] = 0
    picture[seen & (region_of[segments] != art.truth)] = (255, 0, 0)
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), picture[..., ::-1])


def print_table(results: list[Result]) -> None:
    """One line for each shape and number of regions."""
    print("| shapes | regions | drawings | Rand error, mean | worst | count error, mean | worst | s, median | s, min |")
    print("| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |")
    for (shapes, regions), group in groups(results):
        errors, counts = [result.error for result in group], [abs(result.count_error) for result in group]
        seconds = [result.seconds for result in group]
        print(
            f"| {shapes} | {regions} | {len(group)} | {statistics.mean(errors):.5f} | {max(errors):.5f} "
            f"| {statistics.mean(counts):.2%} | {max(counts):.2%} "
            f"| {statistics.median(seconds):.3f} | {min(seconds):.3f} |"
        )


def print_bars(results: list[Result]) -> bool:
    """One line for each bar; returns whether all of them hold."""
    bars: list[tuple[str, float, float, object]] = []
    past, barred = [], 0
    for (shapes, regions), group in groups(results):
        if shapes not in BARRED_SHAPES:
            continue
        barred += len(group)
        largest_error, largest_count_error = LARGEST_ERROR[regions], LARGEST_COUNT_ERROR[regions]
        past += [
            result for result in group if result.error > largest_error or abs(result.count_error) > largest_count_error
        ]
        error = statistics.mean(result.error for result in group)
        bars.append((f"{shapes}, {regions}: Rand error", error, largest_error, "mean"))
        count_error = statistics.mean(abs(result.count_error) for result in group)
        bars.append((f"{shapes}, {regions}: count error", count_error, largest_count_error, "mean"))
    # a gap may happen to erase a short line altogether, and then nothing tells that there were two regions
    named = ", ".join(f"{result.case}: {result.error:.4f}, {result.count_error:.1%}" for result in past) or "none"
    bars.append(("share of drawings past such a bar", len(past) / max(barred, 1), LARGEST_SHARE_PAST_BAR, named))
    slowest = max(results, key=lambda result: result.seconds)
    bars.append(("seconds a frame", slowest.seconds, MOST_SECONDS, slowest.case))
    of_regions = {n: statistics.median(r.seconds for r in results if r.case.regions == n) for n in REGIONS}
    bars.append(
        (
            f"{REGIONS[-1]} regions : {REGIONS[0]} regions",
            of_regions[REGIONS[-1]] / of_regions[REGIONS[0]],
            LARGEST_RATIO,
            "medians",
        )
    )
    print()
    for name, value, bar, what in bars:
        print(f"{'holds' if value <= bar else 'FAILS'}: {name} {value:.4f}, at most {bar} ({what})")
    return all(value <= bar for _, value, bar, _ in bars)


def groups(results: list[Result]) -> Iterator[tuple[tuple[Shapes, int], list[Result]]]:
    """The results by shape and number of regions."""
    for kind, group in itertools.groupby(
        sorted(results, key=lambda result: (result.case.shapes, result.case.regions)),
        key=lambda result: (result.case.shapes, result.case.regions),
    ):
        yield kind, list(group)


if __name__ == "__main__":
    sys.exit(main())
