"""Holds the lines of both engines against each other: a table of figures and pictures side by side.

    python scripts/compare_line_engines.py CONFIG [CONFIG ...] --out DIR [--frames 4] [--blender PROGRAM]

Makes the middle frames of each cut twice, below DIR, once with lines.engine freestyle and once with geometry, and
prints a table in Markdown.  DIR/<cut>.png shows the line art and the segments of one frame by either.  Where the camera
is cut amid these frames, nothing is said of the pair across.
"""

from __future__ import annotations

import argparse
import statistics
import sys
from collections import defaultdict
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from animerun_gen.config import CutConfig, load_cuts
from animerun_gen.dataset import ClipFiles, write_image
from animerun_gen.dataset.files import remove_stale_temporaries
from animerun_gen.engines.blenders import BpyModule, InstalledBlender, ProgramEngine
from animerun_gen.engines.job import RenderJob
from animerun_gen.engines.protocol import Event
from animerun_gen.errors import AnimerunGenError, DatasetError
from animerun_gen.labels.line_area import line_pixels
from animerun_gen.pipeline.state.figures import collect_quality
from animerun_gen.pipeline.state.ledger import open_ledger
from animerun_gen.pipeline.state.lock import exclusive
from animerun_gen.pipeline.tasks.labelling import LabelTask
from animerun_gen.quality.colors import labels_to_color

ENGINES = ("freestyle", "geometry")
AROUND = 1
"""Pixels that a line may be off where the flow leads before it counts as lost."""

SPECK = 6
"""A line within an object that hangs on no other one and has fewer pixels is a speck."""

ROWS = (
    ("lines", "seconds of lines a frame", "{:.2f}"),
    ("line_pixels", "line pixels a frame", "{:.0f}"),
    ("segments", "segments a frame", "{:.0f}"),
    ("leaks", "leaks", "{:.2%}"),
    ("pieces", "pieces a surface", "{:.2f}"),
    ("flicker", "line pixels that the next frame has not", "{:.2%}"),
    ("lost", "how many these are", "{:.0f}"),
    ("thin_flicker", "the same of lines thinned to one pixel", "{:.2%}"),
    ("thin_lost", "how many these are", "{:.0f}"),
    ("specks", "specks a frame", "{:.1f}"),
    ("warp_error", "warp error of colour frames", "{:.4f}"),
    ("occlusion_agreement", "occlusions that agree", "{:.2%}"),
)


@dataclass(frozen=True)
class Made:
    """What came of a cut by one engine."""

    clip: ClipFiles
    figures: dict[str, float]


def main() -> int:
    """Compare; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("configs", nargs="+", type=Path)
    parser.add_argument("--out", required=True, type=Path, metavar="DIR")
    parser.add_argument("--frames", type=int, default=4, help="frames of each cut (default: 4, at least 2)")
    parser.add_argument("--blender", metavar="PROGRAM", help="an installed Blender instead of the bpy module")
    options = parser.parse_args()
    if options.frames < 2:
        parser.error("--frames must be at least 2: lines are followed from frame to frame")
    for name in ENGINES:
        if (options.out / name).exists():
            parser.error(f"--out: {options.out / name} is there already; remove it or choose another folder")
    try:
        engine: ProgramEngine = InstalledBlender.find(options.blender) if options.blender else BpyModule.find()
        for cut in load_cuts(options.configs):
            config = _middle(cut.config, options.frames)
            made = {name: _make(config, name, engine, options.out / name) for name in ENGINES}
            _print_table(config, made)
            write_image(options.out / f"{config.name}.png", _side_by_side(config, made))
    except AnimerunGenError as error:
        print(error, file=sys.stderr)
        return error.exit_status
    return 0


def _middle(config: CutConfig, count: int) -> CutConfig:
    numbers = config.frame_numbers
    start = max(0, (len(numbers) - count) // 2)
    chosen = numbers[start : start + count]
    motion = config.motion.model_copy(update={"gaps": (1,), "tracks": 0, "extras": ("ids", "exact_occlusion")})
    frames = config.frames.model_copy(update={"first": chosen[0], "last": chosen[-1]})
    return config.model_copy(update={"frames": frames, "motion": motion})


def _make(config: CutConfig, lines_by: str, engine: ProgramEngine, output: Path) -> Made:
    """Render and label the frames of a cut."""
    config = config.model_copy(update={"lines": config.lines.model_copy(update={"engine": lines_by})})
    frames = config.frame_numbers
    seconds: dict[str, list[float]] = defaultdict(list)

    def on_event(event: Event) -> None:
        if event["event"] == "took":
            seconds[event["stage"]].append(event["seconds"])

    output.mkdir(parents=True, exist_ok=True)
    with exclusive(output):
        remove_stale_temporaries(output)
        job = RenderJob(config, output, pictures=frames, companions=frames, pairs=tuple(pairwise(frames)))
        engine.start(job, output / f"{config.name}.log").run(on_event)
        clip = ClipFiles(output, config.split, config.name)
        # across a camera cut there is no motion
        pairs = [pair for pair in pairwise(frames) if clip.has("flow_forward", pair[0])]
        if not pairs:
            raise DatasetError(
                f"the camera is cut at each of the frames {frames[0]} to {frames[-1]}: no line can be followed",
                f"cut '{config.name}'",
                "choose other frames in its configuration",
            )
        for frame in frames:
            LabelTask(config, output, frame).run()
        for earlier, later in pairs:
            LabelTask(config, output, earlier, later).run()
        quality: dict[str, Any] = collect_quality(open_ledger(output, config.name), config, {})
    lines = {frame: line_pixels(clip.read("contour", frame), config.labels.line_threshold) for frame in frames}
    summary = quality["summary"]
    figures = {name: found["mean"] for name, found in summary.items() if isinstance(found, dict) and "mean" in found}
    figures["lines"] = statistics.median(seconds["lines"])
    figures["line_pixels"] = statistics.mean(float(found.sum()) for found in lines.values())
    for name, shown in (("", lines), ("thin_", {frame: _thinned(found) for frame, found in lines.items()})):
        lost = [_lost(clip, earlier, shown[earlier], shown[later]) for earlier, later in pairs]
        figures[f"{name}flicker"] = statistics.mean(count / max(1, known) for count, known in lost)
        figures[f"{name}lost"] = statistics.mean(count for count, _ in lost)
    figures["specks"] = statistics.mean(_specks(lines[frame], clip.read("object_id", frame)) for frame in frames)
    return Made(clip, figures)


def _lost(
    clip: ClipFiles, frame: int, lines: npt.NDArray[np.bool_], following: npt.NDArray[np.bool_]
) -> tuple[int, int]:
    """How many line pixels of a frame lead to no line in the next one, and of how many that is known.

    A line lies on the border of two surfaces, and it is not known whose motion it has: it is lost if no flow of its
    pixel, and none of the eight around it, leads to a line, within :data:`AROUND`.  Pixels that have no flow, or that
    cannot be seen in the next frame, lead nowhere; what they alone could tell is not counted.
    """
    height, width = lines.shape
    flow = clip.read("flow_forward", frame)
    usable = clip.read("valid_forward", frame).astype(bool) & ~clip.read("exact_occlusion_forward", frame).astype(bool)
    size = 2 * AROUND + 1
    near_line = cv2.dilate(following.astype(np.uint8), np.ones((size, size), np.uint8)) > 0
    rows, columns = np.nonzero(lines)
    known = np.zeros(len(rows), bool)
    kept = np.zeros(len(rows), bool)
    for down in (-1, 0, 1):
        for right in (-1, 0, 1):
            y, x = np.clip(rows + down, 0, height - 1), np.clip(columns + right, 0, width - 1)
            there = np.stack([columns, rows], axis=1) + np.where(usable[y, x, None], flow[y, x], 0.0)
            to_x, to_y = np.rint(there).astype(int).T
            inside = usable[y, x] & (to_x >= 0) & (to_x < width) & (to_y >= 0) & (to_y < height)
            known |= inside
            kept[inside] |= near_line[to_y[inside], to_x[inside]]
    return int((known & ~kept).sum()), int(known.sum())


def _thinned(lines: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Lines with the same ends and meeting points, one pixel thick (Zhang and Suen, doi:10.1145/357994.358023)."""
    ink = np.pad(lines, 1)
    height, width = lines.shape
    # above first, then clockwise
    around = [(0, 1), (0, 2), (1, 2), (2, 2), (2, 1), (2, 0), (1, 0), (0, 0)]
    while True:
        before = int(ink.sum())
        for first, second in (((0, 2, 4), (2, 4, 6)), ((0, 2, 6), (0, 4, 6))):
            ring = [ink[y : y + height, x : x + width] for y, x in around]
            count = np.sum(ring, axis=0)
            begins = np.sum([~ring[k - 1] & ring[k] for k in range(8)], axis=0)
            may_go = (count >= 2) & (count <= 6) & (begins == 1)
            for sides in (first, second):
                may_go &= ~np.logical_and.reduce([ring[side] for side in sides])
            ink[1:-1, 1:-1] &= ~may_go
        if int(ink.sum()) == before:
            return ink[1:-1, 1:-1].copy()


def _specks(lines: npt.NDArray[np.bool_], objects: npt.NDArray[np.uint16]) -> int:
    """How many lines there are that hang on no other one, border on no other object, and are short."""
    count, pieces, figures, _ = cv2.connectedComponentsWithStats(lines.astype(np.uint8), connectivity=8)
    is_speck = figures[:, cv2.CC_STAT_AREA] < SPECK
    is_speck[0] = False
    for first, second in ((np.s_[:, :-1], np.s_[:, 1:]), (np.s_[:-1], np.s_[1:])):
        is_border = objects[first] != objects[second]
        for side in (first, second):
            is_speck[pieces[side][is_border]] = False
    return int(is_speck[:count].sum())


def _print_table(config: CutConfig, made: dict[str, Made]) -> None:
    width, height = config.resolution
    print(f"\n{config.name}, frames {config.frames.first} to {config.frames.last}, {width}x{height}\n")
    print(f"| | {' | '.join(ENGINES)} |\n| --- |{' ---: |' * len(ENGINES)}")
    for name, title, form in ROWS:
        values = [form.format(made[engine].figures[name]) if name in made[engine].figures else "" for engine in ENGINES]
        print(f"| {title} | {' | '.join(values)} |")


def _side_by_side(config: CutConfig, made: dict[str, Made]) -> npt.NDArray[np.uint8]:
    """Line art above segments, one column an engine."""
    frame = config.frame_numbers[0]
    columns = []
    for engine in ENGINES:
        clip = made[engine].clip
        line_art = np.repeat(clip.read("contour", frame)[..., None], 3, axis=2)
        columns.append(np.concatenate([line_art, labels_to_color(clip.read("segment", frame))]))
    gap = np.full((columns[0].shape[0], 8, 3), 128, np.uint8)
    return np.ascontiguousarray(np.concatenate([columns[0], gap, columns[1]], axis=1), dtype=np.uint8)


if __name__ == "__main__":
    sys.exit(main())
