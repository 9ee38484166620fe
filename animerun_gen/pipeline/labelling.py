"""Labels frames and pairs whose pictures and motion are on disk; needs no Blender."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import cv2

from animerun_gen.config import CutConfig
from animerun_gen.dataset.clip import ClipWriter
from animerun_gen.dataset.files import read_json, write_json
from animerun_gen.errors import DatasetError
from animerun_gen.labels import line_area, match_regions, occlusion_mask, trapped_ball_segments
from animerun_gen.pipeline import paths
from animerun_gen.pipeline.coverage import has_content
from animerun_gen.pipeline.record import write_if_changed
from animerun_gen.quality import pair_figures


@dataclass(frozen=True)
class LabelTask:
    """One unit of labelling: the segments of a frame, or everything of a pair.

    Attributes:
        config: The cut.
        output: Root folder of the dataset.
        frame: The frame, or the earlier frame of the pair.
        other: The later frame of the pair; None for a frame.
    """

    config: CutConfig
    output: Path
    frame: int
    other: int | None = None

    def missing_input(self) -> Path | None:
        """A file that has to be there first and is not; None when nothing is missing."""
        clip = ClipWriter(self.output, self.config.split, self.config.name)
        if self.other is None:
            needed = [clip.path("contour", self.frame)]
        else:
            needed = [clip.path("flow_forward", self.frame), clip.path("flow_backward", self.other)]
            for name in ("frame", "flat", "contour", "segment"):
                needed += [clip.path(name, self.frame), clip.path(name, self.other)]
        return next((path for path in needed if not has_content(path)), None)

    def run(self) -> None:
        """Make the files; each is complete or absent.

        Raises:
            DatasetError: A picture or flow is missing or cannot be read.
        """
        # threads of OpenCV gain nothing beside other workers
        cv2.setNumThreads(1)
        clip = ClipWriter(self.output, self.config.split, self.config.name)
        if self.other is None:
            _label_frame(clip, self.config, self.frame)
        else:
            _label_pair(clip, self.config, self.output, self.frame, self.other)


def _label_frame(clip: ClipWriter, config: CutConfig, frame: int) -> None:
    labels = config.labels
    line_art = clip.read("contour", frame)
    segments = trapped_ball_segments(line_art, ball_radius=labels.ball_radius, threshold=labels.line_threshold)
    clip.write("segment", frame, segments)


def _label_pair(clip: ClipWriter, config: CutConfig, output: Path, earlier: int, later: int) -> None:
    labels = config.labels
    near_lines = line_area(
        clip.read("contour", earlier), distance=labels.line_distance, threshold=labels.line_threshold
    )
    clip.write("line_area", earlier, near_lines)
    flows = {"forward": clip.read("flow_forward", earlier), "backward": clip.read("flow_backward", later)}
    frames, flats, segments = (
        {frame: clip.read(name, frame) for frame in (earlier, later)} for name in ("frame", "flat", "segment")
    )
    figures: dict[str, Any] = {"source": earlier, "target": later}
    for direction, source, target in (("forward", earlier, later), ("backward", later, earlier)):
        opposite = "backward" if direction == "forward" else "forward"
        flow = flows[direction]
        occlusion = occlusion_mask(flow, flows[opposite], labels.occlusion_threshold)
        matches = match_regions(segments[source], segments[target], flow, occlusion)
        clip.write(f"occlusion_{direction}", source, occlusion)
        clip.write(f"match_{direction}", source, matches)
        figures[direction] = pair_figures(
            frames[source],
            frames[target],
            flow,
            occlusion,
            source_flat=flats[source],
            target_flat=flats[target],
        )
    write_json(paths.figures_file(output, config.name, earlier), figures)


def collect_quality(output: Path, config: CutConfig) -> dict[str, Any]:
    """Write the cut's ``quality/<cut>.json`` from the figures of its pairs that exist.

    Args:
        output: Root folder of the dataset.
        config: The cut.

    Returns:
        What was written: the clip's facts, the list of pairs with their figures, and which of them are past the limit.
    """
    frames = config.frame_numbers
    checks = read_cross_checks(output, config)
    pairs = []
    for earlier, later in pairwise(frames):
        figures = read_figures(paths.figures_file(output, config.name, earlier))
        if figures is None:
            continue
        both_ways = {"forward": checks.get((earlier, later)), "backward": checks.get((later, earlier))}
        if compared := {direction: check for direction, check in both_ways.items() if check is not None}:
            figures["cross_check"] = compared
        pairs.append(figures)
    limit = config.quality.max_warp_error
    quality = {
        "cut": config.name,
        "split": config.split,
        "frames": [frames[0], frames[-1]],
        "step": config.frames.step,
        "clip_rate": config.clip_rate,
        "resolution": list(config.resolution),
        "max_warp_error": limit,
        "past_limit": [
            [pair["source"], pair["target"]]
            for pair in pairs
            if any((pair[direction]["warp_error"] or 0.0) > limit for direction in ("forward", "backward"))
        ],
        "pairs": pairs,
    }
    write_if_changed(paths.quality_file(output, config.name), quality)
    return quality


def read_figures(path: Path) -> dict[str, Any] | None:
    """Figures that an earlier step wrote; None where there are none, or none that can be read."""
    try:
        figures = read_json(path)
    except DatasetError:
        return None
    return figures if isinstance(figures, dict) else None


def read_cross_checks(output: Path, config: CutConfig) -> dict[tuple[int, int], dict[str, Any]]:
    """How the two motion backends differ, from frame to frame, in the order of the clip, where that was looked at."""
    checks = {}
    for earlier, later in pairwise(config.frame_numbers):
        for source, target in ((earlier, later), (later, earlier)):
            check = read_figures(paths.cross_check_file(output, config.name, source, target))
            if check is not None:
                checks[source, target] = check
    return checks
