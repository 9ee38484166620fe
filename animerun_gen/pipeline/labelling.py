"""Labels frames and pairs whose pictures and motion are on disk; needs no Blender."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from animerun_gen.blender.job import IMAGE
from animerun_gen.config import CutConfig, rgb
from animerun_gen.dataset.clip import ClipWriter
from animerun_gen.dataset.files import read_image, read_json, write_json
from animerun_gen.errors import DatasetError
from animerun_gen.labels import line_area, match_regions, occlusion_mask, trapped_ball_segments
from animerun_gen.labels.line_area import line_pixels
from animerun_gen.pipeline import paths
from animerun_gen.pipeline.coverage import has_content
from animerun_gen.pipeline.record import write_if_changed
from animerun_gen.quality.agreement import id_agreement, label_picture_agreement
from animerun_gen.quality.figures import is_held, pair_figures
from animerun_gen.quality.gate import Bars, failed_pairs, judge, summarise
from animerun_gen.quality.segments import segment_figures


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
        extras = self.config.motion.extras
        if self.other is None:
            names = ["contour", "flat", *(("object_id", "material_id") if "ids" in extras else ())]
            needed = [clip.path(name, self.frame) for name in names]
        else:
            motions = ["flow", *(["exact_occlusion"] if "exact_occlusion" in extras else [])]
            needed = [clip.path(f"{name}_forward", self.frame) for name in motions]
            needed += [clip.path(f"{name}_backward", self.other) for name in motions]
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
            _label_pair(clip, self.config, self.frame, self.other)


def _label_frame(clip: ClipWriter, config: CutConfig, frame: int) -> None:
    labels = config.labels
    line_art = clip.read("contour", frame)
    if has_content(clip.path("segment", frame)):
        # only the figures are wanted anew
        segments = clip.read("segment", frame)
    else:
        segments = trapped_ball_segments(line_art, ball_radius=labels.ball_radius, threshold=labels.line_threshold)
        clip.write("segment", frame, segments)

    figures: dict[str, Any] = {"frame": frame, "segments": int(segments.max()) + 1}
    figures |= dict.fromkeys(("leaks", "pieces", "id_regions", "agreement", "agreement_compared", "agreement_ids"))
    if "ids" in config.motion.extras:
        materials = clip.read("material_id", frame)
        lines = line_pixels(line_art, labels.line_threshold)
        figures |= segment_figures(segments, lines, clip.read("object_id", frame), materials)
        agreement, compared = label_picture_agreement(clip.read("flat", frame), materials, material_colors(clip))
        figures |= {"agreement": _rounded(agreement), "agreement_compared": _rounded(compared)}
        rendered = paths.material_picture(clip.root, clip.cut, frame)
        if has_content(rendered):
            figures["agreement_ids"] = _rounded(id_agreement(np.asarray(read_image(rendered), np.uint16), materials))
    write_json(paths.frame_figures_file(clip.root, clip.cut, frame), figures)


def _rounded(share: float | None) -> float | None:
    return None if share is None else round(share, 9)


def material_colors(clip: ClipWriter) -> dict[int, tuple[int, int, int] | None]:
    """The flat colour of each material id; None where an image is painted."""
    table = clip.read_names("flat")
    try:
        return {int(number): None if color == IMAGE else rgb(color) for number, color in table.items()}
    except ValueError as error:
        raise DatasetError(
            f"{clip.names_path('flat')} is damaged ({error}); remove it and run 'animerun-gen generate' again"
        ) from error


def _label_pair(clip: ClipWriter, config: CutConfig, earlier: int, later: int) -> None:
    labels = config.labels
    near_lines = line_area(
        clip.read("contour", earlier), distance=labels.line_distance, threshold=labels.line_threshold
    )
    _write_missing(clip, "line_area", earlier, near_lines)
    flows = {"forward": clip.read("flow_forward", earlier), "backward": clip.read("flow_backward", later)}
    frames, flats, segments = (
        {frame: clip.read(name, frame) for frame in (earlier, later)} for name in ("frame", "flat", "segment")
    )
    figures: dict[str, Any] = {"source": earlier, "target": later, "held": is_held(flats[earlier], flats[later])}
    for direction, source, target in (("forward", earlier, later), ("backward", later, earlier)):
        opposite = "backward" if direction == "forward" else "forward"
        flow = flows[direction]
        occlusion = occlusion_mask(flow, flows[opposite], labels.occlusion_threshold)
        exact = None
        if "exact_occlusion" in config.motion.extras:
            exact = clip.read(f"exact_occlusion_{direction}", source)
        hides = exact if exact is not None and labels.match_occlusion == "exact" else occlusion
        _write_missing(clip, f"occlusion_{direction}", source, occlusion)
        matches = match_regions(segments[source], segments[target], flow, hides)
        _write_missing(clip, f"match_{direction}", source, matches)
        figures[direction] = pair_figures(
            frames[source],
            frames[target],
            flow,
            occlusion,
            back=flows[opposite],
            exact_occlusion=exact,
            source_flat=flats[source],
            target_flat=flats[target],
            threshold=labels.occlusion_threshold,
        )
    write_json(paths.figures_file(clip.root, clip.cut, earlier), figures)


def _write_missing(clip: ClipWriter, name: str, frame: int, value: Any) -> None:
    """Write a file unless it is there: what is out of date was cleared away before."""
    if not has_content(clip.path(name, frame)):
        clip.write(name, frame, value)


def collect_quality(output: Path, config: CutConfig) -> dict[str, Any]:
    """Write the cut's ``quality/<cut>.json`` from the figures of its frames and pairs that exist.

    Args:
        output: Root folder of the dataset.
        config: The cut.

    Returns:
        What was written: the clip's facts, the bars, what is past them, the figures of frames and pairs, and a summary;
        ``docs/quality.md`` has the meaning of each.
    """
    frames = config.frame_numbers
    found = [read_figures(paths.frame_figures_file(output, config.name, frame)) for frame in frames]
    frame_figures = [figures for figures in found if figures is not None]
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
    bars = Bars.of(config.quality)
    failures = judge(frame_figures, pairs, bars)
    quality = {
        "cut": config.name,
        "split": config.split,
        "frames": [frames[0], frames[-1]],
        "step": config.frames.step,
        "clip_rate": config.clip_rate,
        "resolution": list(config.resolution),
        "bars": bars.as_dict(),
        "failures": failures,
        "past_limit": failed_pairs(failures),
        "summary": summarise(frame_figures, pairs),
        "frame_figures": frame_figures,
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
    return figures if isinstance(figures, dict) and figures else None


def read_cross_checks(output: Path, config: CutConfig) -> dict[tuple[int, int], dict[str, Any]]:
    """How the two motion backends differ, from frame to frame, in the order of the clip, where that was looked at."""
    checks = {}
    for earlier, later in pairwise(config.frame_numbers):
        for source, target in ((earlier, later), (later, earlier)):
            check = read_figures(paths.cross_check_file(output, config.name, source, target))
            if check is not None:
                checks[source, target] = check
    return checks
