"""Shows that the quality gate notices broken labels: breaks those of a finished clip, in memory, in every way it knows.

    python scripts/break_labels.py DATASET [--cut NAME ...] [--pairs 12]

For each cut it prints in how many pairs (or frames, for ids) which figure goes beyond its threshold.  A pair counts as
broken where the wrong flow is more than a pixel away from the right one in more than 1% of the frame; a smaller fault
may be noticed too.  The exit status is 1 when the intact labels fail, or a broken pair passes although the gate claims
to notice what is wrong with it.
"""

from __future__ import annotations

import argparse
import sys
from collections import defaultdict
from collections.abc import Collection, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from animerun_gen.config.model import Quality
from animerun_gen.conventions import known_flow
from animerun_gen.dataset import layout
from animerun_gen.dataset.clip import ClipFiles, Dataset
from animerun_gen.dataset.files import read_image
from animerun_gen.errors import AnimerunGenError
from animerun_gen.pipeline.tasks.label_files import identity_pictures
from animerun_gen.progress import Progress
from animerun_gen.quality.agreement import id_agreement, label_picture_agreement
from animerun_gen.quality.breakages import BREAKAGES, Breakage, PairLabels, PairPictures, figures_of
from animerun_gen.quality.gate import Thresholds, judge

BARS = Thresholds.of(Quality())
INTACT = Breakage("nothing (intact labels)", lambda labels, following, pictures: labels)
PAIR_FIGURES = (
    "warp_error",
    "warp_error_flat_exact",
    "warp_error_flat",
    "edge_error",
    "round_trip_median",
    "best_shift",
    "identity_error",
)
FRAME_FIGURES = ("agreement", "agreement_ids")


def main() -> int:
    """Run the demonstration; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dataset", type=Path)
    parser.add_argument("--cut", action="append", metavar="NAME", help="only this cut (may be given several times)")
    parser.add_argument(
        "--pairs", type=int, default=12, help="evenly spread pairs of each cut, beside the sampled ones (default: 12)"
    )
    parser.add_argument(
        "--without-exact-occlusion", action="store_true", help="judge as if no exact occlusion had been made"
    )
    options = parser.parse_args()
    unnoticed = []
    try:
        dataset = Dataset(options.dataset)
        for clip in [dataset.clip(cut) for cut in options.cut] if options.cut else dataset.clips():
            if len(clip.frame_numbers) < 3:
                print(
                    f"{clip.cut}: has fewer than three frames, so there are no labels of a next pair to break it with"
                )
                continue
            unnoticed += break_flows(clip, options.pairs, not options.without_exact_occlusion)
            if clip.has("material_id", clip.frame_numbers[0]):
                unnoticed += break_ids(clip)
    except AnimerunGenError as error:
        print(error, file=sys.stderr)
        return error.exit_status
    print("\n".join(["", *unnoticed]) if unnoticed else "\nthe gate noticed all that it claims to notice")
    return 1 if unnoticed else 0


def break_flows(clip: ClipFiles, count: int, with_exact: bool) -> list[str]:
    """Print the table of one cut; returns what went wrong, in sentences."""
    # a pair is broken with the labels of the one that follows it, so the last pair is not among them
    pairs_followed = list(pairwise(clip.frame_numbers))[:-1]
    chosen = {int(place) for place in np.linspace(0, len(pairs_followed) - 1, count)}
    # some breakages show in sampled pairs alone
    chosen |= {place for place, pair in enumerate(pairs_followed) if identity_pictures(clip, *pair)}
    sampled = 0
    pairs: dict[Breakage, list[dict[str, Any]]] = defaultdict(list)
    broken: dict[Breakage, set[int]] = defaultdict(set)
    with Progress(len(chosen), "pair", f"{clip.cut}: breaking flows") as progress:
        for place in sorted(chosen):
            earlier, later, after = clip.frame_numbers[place : place + 3]
            right = read_labels(clip, earlier, later, with_exact)
            following = read_labels(clip, later, after, with_exact)
            frames, flats = ((clip.read(name, earlier), clip.read(name, later)) for name in ("frame", "flat"))
            places = identity_pictures(clip, earlier, later)
            pictures = PairPictures(frames, flats, (places[earlier], places[later]) if places else None)
            sampled += bool(places)
            for breakage in (INTACT, *BREAKAGES):
                wrong = breakage.apply(right, following, pictures)
                pairs[breakage].append({"source": earlier, "target": later} | figures_of(wrong, pictures))
                if is_broken(right, wrong):
                    broken[breakage].add(earlier)
            progress.advance(f"{earlier}-{later}")

    head(f"{clip.cut}, {len(chosen)} pairs, {sampled} with identity pictures", PAIR_FIGURES)
    sentences = []
    for breakage in (INTACT, *BREAKAGES):
        noticed = row(breakage.name, broken[breakage], judge([], pairs[breakage], BARS), PAIR_FIGURES)
        if breakage is INTACT and noticed:
            sentences.append(f"{clip.cut}: the intact labels of pairs {sorted(noticed)} fail")
        elif breakage.within_reach and (passed := broken[breakage] - noticed):
            sentences.append(f"{clip.cut}, {breakage.name}: not noticed in the pairs that begin at {sorted(passed)}")
    return sentences


def break_ids(clip: ClipFiles) -> list[str]:
    """Print what becomes of the agreements with the ids of the frame before; returns what went wrong, in sentences."""
    table = clip.read_colors()
    right: list[dict[str, Any]] = []
    wrong: list[dict[str, Any]] = []
    broken = set()
    for before, frame in pairwise(clip.frame_numbers):
        flat, rendered_file = clip.read("flat", frame), layout.material_picture(clip.root, clip.cut, frame)
        rendered = read_image(rendered_file) if rendered_file.is_file() else None
        ids, ids_before = clip.read("material_id", frame), clip.read("material_id", before)
        for figures, shown in ((right, ids), (wrong, ids_before)):
            agreement = label_picture_agreement(flat, shown, table.at(frame))
            by_ids = None if rendered is None else id_agreement(rendered.astype(np.uint16), shown)
            by_color = {"agreement": agreement.share, "agreement_odd": agreement.odd}
            figures.append({"frame": frame, **by_color, "agreement_ids": by_ids})
        # where a textured surface moves on, no flat colour shows it
        if rendered is not None and np.mean(ids != ids_before) > 0.01:
            broken.add(frame)

    head(
        f"{clip.cut}, {len(right)} frames, {sum(f['agreement_ids'] is not None for f in right)} with rendered ids",
        FRAME_FIGURES,
    )
    failing = row(INTACT.name, set(), judge(right, [], BARS), FRAME_FIGURES)
    noticed = row("ids of the frame before", broken, judge(wrong, [], BARS), FRAME_FIGURES)
    sentences = [f"{clip.cut}: the intact ids of frames {sorted(failing)} fail"] if failing else []
    if passed := broken - noticed:
        sentences.append(f"{clip.cut}, ids of the frame before: not noticed in frames {sorted(passed)}")
    return sentences


def head(title: str, figures: Sequence[str]) -> None:
    """Print the head of a table."""
    print(f"\n{title}\n\n| broken | by > 1 px or 1% | noticed | " + " | ".join(f"`{one}`" for one in figures) + " |")
    print("| --- |" + " ---: |" * (len(figures) + 2))


def row(name: str, broken: Collection[int], failures: Sequence[dict[str, Any]], figures: Sequence[str]) -> set[int]:
    """Print a row of a table; returns the frames, or the first frames of the pairs, that fail."""
    past = [{failure["source"] for failure in failures if failure["figure"] == one} for one in figures]
    noticed = set().union(*past)
    print(f"| {name} | {len(broken)} | {len(noticed)} | " + " | ".join(str(len(some) or "") for some in past) + " |")
    return noticed


def read_labels(clip: ClipFiles, earlier: int, later: int, with_exact: bool) -> PairLabels:
    """The labels of a pair on disk."""
    starts = {"forward": earlier, "backward": later}
    return PairLabels(
        {direction: clip.read_motion(direction, frame) for direction, frame in starts.items()},
        {
            direction: clip.read(f"exact_occlusion_{direction}", frame)
            for direction, frame in starts.items()
            if with_exact and clip.has(f"exact_occlusion_{direction}", frame)
        },
    )


def is_broken(right: PairLabels, wrong: PairLabels) -> bool:
    """Whether the wrong flow is more than a pixel away from the right one in more than 1% of the frame.

    Motion that is marked unknown is not wrong.
    """
    for direction, flow in right.flow.items():
        away = np.abs(flow - wrong.flow[direction]).max(axis=2) * (known_flow(flow) & known_flow(wrong.flow[direction]))
        # a shift of float32 vectors by one pixel is one pixel but for the rounding
        if np.mean(away > 0.99) > 0.01:
            return True
    return False


if __name__ == "__main__":
    sys.exit(main())
