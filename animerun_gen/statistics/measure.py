"""Counts what there is in a part of a sequence, a frame after the other: no more than two are in memory at a time."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from animerun_gen.dataset import files
from animerun_gen.dataset.opencv import cv2
from animerun_gen.dataset.pairs import read_motion, read_picture
from animerun_gen.errors import DatasetError
from animerun_gen.statistics import kernels
from animerun_gen.statistics.counts import (
    AREA_BINS,
    DIFFERENCES,
    LUMINANCE_LEVELS,
    MOTION_BINS,
    REFERENCE_AREA,
    REFERENCE_SIZE,
    Counts,
    Part,
    area_bin,
)
from animerun_gen.statistics.sequences import Sequence, Step

STILL = 0.01
"""Pixels; motion that is not longer counts as none, as in the paper's Table 1."""

HELD_TOLERANCE = 16
"""Levels by which a pixel may differ in a drawing that is held: codecs leave as much beside lines."""

HELD_SHARE = 1e-4
"""Share of the pixels that may differ by more."""

MOST_SEGMENTS = 1 << 22
"""A frame with more is damaged."""

Picture = npt.NDArray[np.uint8]


class _Survey(NamedTuple):
    """The segments of a frame: their areas, ``(N,)`` int64, and centres, ``(N, 2)`` float64, x and y in pixels."""

    areas: npt.NDArray[np.int64]
    centres: npt.NDArray[np.float64]


def measure(sequence: Sequence, start: int, stop: int, frame_width: int | None = None) -> Part:
    """Count what there is in the frames ``start`` to ``stop - 1`` of a sequence and in the pairs that begin with them.

    Args:
        sequence: The sequence.
        start: Place of the first frame.
        stop: Place behind the last one.
        frame_width: Width to which frames are brought before levels and differences are counted; None: as they are.

    Raises:
        DatasetError: A file is missing or damaged, or does not fit the others.
    """
    counts = Counts()
    held: list[bool | None] = []
    first = next(iter(sequence.images))
    levels = np.zeros(LUMINANCE_LEVELS, np.int64)
    differences = np.zeros(DIFFERENCES, np.int64)
    motion = np.zeros(MOTION_BINS)
    areas = np.zeros(AREA_BINS, np.int64)
    picture = read_picture(sequence.images[first][start])
    segments = _survey(sequence.segments.get(start), picture.shape)
    for place in range(start, stop):
        counts.frames += 1
        height, width = picture.shape[:2]
        size = f"{width}x{height}"
        counts.sizes[size] = counts.sizes.get(size, 0) + 1
        for name, row in sequence.images.items():
            shown = picture if name == first else read_picture(row[place])
            kernels.count_levels(_brought_to(shown, frame_width), levels, differences)
        if segments is not None:
            _count_segments(segments, width * height, counts, areas)
        step = sequence.steps.get(place)
        if step is None:
            if place + 1 < len(sequence):
                held.append(None)
                if place + 1 < stop:
                    picture = read_picture(sequence.images[first][place + 1])
                    segments = _survey(sequence.segments.get(place + 1), picture.shape)
            continue
        following = read_picture(sequence.images[first][place + 1])
        there = _survey(sequence.segments.get(place + 1), following.shape)
        held.append(_count_pair(picture, following, counts))
        _count_motion(step, picture.shape, counts, motion)
        if step.matches is not None and segments is not None and there is not None:
            _count_matches(step.matches, segments, there, counts)
        picture, segments = following, there
    counts.luminance, counts.differences = levels.tolist(), differences.tolist()
    counts.motion, counts.areas = motion.tolist(), areas.tolist()
    return Part(counts=counts, held=held)


def _brought_to(picture: Picture, width: int | None) -> Picture:
    if width is None or picture.shape[1] == width:
        return picture
    size = (width, max(1, round(picture.shape[0] * width / picture.shape[1])))
    shrinks = width < picture.shape[1]
    resized: Picture = cv2.resize(picture, size, interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)  # type: ignore[assignment]
    return resized


def _count_pair(one: Picture, other: Picture, counts: Counts) -> bool:
    """Count a pair of pictures; whether they show the same drawing."""
    counts.pairs += 1
    if one.shape != other.shape:
        return False
    differing, beyond = kernels.count_changed(one, other, HELD_TOLERANCE)
    counts.identical_pairs += differing == 0
    return bool(beyond <= HELD_SHARE * one.shape[0] * one.shape[1])


def _count_motion(step: Step, shape: tuple[int, ...], counts: Counts, histogram: npt.NDArray[np.float64]) -> None:
    size = shape[:2]
    if step.exact is not None:
        counts.exact_pairs += 1
        counts.exactly_occluded += _share(_of_size(step.exact.read(), size, step.exact.path))
    if step.flow is None:
        return
    flow, valid, occluded = read_motion(step.flow)
    _of_size(valid, size, step.flow.flow)
    if occluded is not None:
        counts.occlusion_pairs += 1
        counts.occluded += _share(_of_size(occluded, size, step.flow.flow))
    height, width = size
    own = np.zeros(MOTION_BINS, np.int64)
    scales = (REFERENCE_SIZE[0] / width, REFERENCE_SIZE[1] / height)
    known, total, scaled, moving, moving_total, longest = kernels.count_motion(
        np.ascontiguousarray(flow), np.ascontiguousarray(valid), *scales, STILL, own
    )
    counts.pixels += width * height
    counts.known_pixels += known
    if not known:
        return
    counts.flow_pairs += 1
    counts.still_pixels += known - moving
    counts.still_pairs += moving == 0
    counts.shift += total / known
    counts.shift_960 += scaled / known
    if moving:
        counts.moving_pairs += 1
        counts.shift_moving += moving_total / moving
    counts.longest = max(counts.longest, longest)
    histogram += own * (REFERENCE_AREA / (width * height))


def _survey(path: Path | None, shape: tuple[int, ...]) -> _Survey | None:
    if path is None:
        return None
    labels = files.read_array(path)
    if labels.ndim != 2 or labels.shape != shape[:2] or labels.dtype.kind not in "iuf":
        raise DatasetError(f"holds no segments of a frame of {shape[1]} x {shape[0]} pixels", path, files.AGAIN)
    # the published data have some as float64
    if not (labels.min() >= 0 and labels.max() < MOST_SEGMENTS and (labels.dtype.kind != "f" or _are_whole(labels))):
        raise DatasetError("holds something else than numbers of segments", path, files.AGAIN)
    count = int(labels.max()) + 1
    areas, sums = np.zeros(count, np.int64), np.zeros((count, 2), np.int64)
    kernels.survey(np.ascontiguousarray(labels, np.int32), areas, sums)
    return _Survey(areas, sums / np.maximum(areas, 1)[:, None])


def _are_whole(labels: npt.NDArray[np.float64]) -> bool:
    return bool((labels == np.rint(labels)).all())


def _count_segments(segments: _Survey, pixels: int, counts: Counts, areas: npt.NDArray[np.int64]) -> None:
    there = segments.areas[segments.areas > 0]
    counts.segment_frames += 1
    counts.segments += len(there)
    for area in there.tolist():
        areas[area_bin(area * REFERENCE_AREA / pixels)] += 1


def _count_matches(path: Path, here: _Survey, there: _Survey, counts: Counts) -> None:
    """The first of the matches of a segment counts, as in the published code."""
    firsts = np.array([targets[0] for targets in files.read_matches(path)], np.int64)
    if len(firsts) != len(here.areas) or firsts.max(initial=-1) >= len(there.areas):
        raise DatasetError("does not fit the segments of its two frames", path, files.AGAIN)
    counts.matched_pairs += 1
    seen = here.areas > 0
    matched = seen & (firsts >= 0)
    counts.unmatched += int(np.count_nonzero(seen & ~matched))
    if matched.any():
        apart = there.centres[firsts[matched]] - here.centres[matched]
        counts.shifted_pairs += 1
        counts.segment_shift += float(np.hypot(apart[:, 0], apart[:, 1]).mean())


def _of_size(mask: npt.NDArray[np.bool_], size: tuple[int, ...], path: Path) -> npt.NDArray[np.bool_]:
    if mask.shape != tuple(size):
        raise DatasetError(f"is not of the size {size[1]} x {size[0]} of its frame", path, files.AGAIN)
    return mask


def _share(mask: npt.NDArray[np.bool_]) -> float:
    return int(np.count_nonzero(mask)) / mask.size


def files_of(sequence: Sequence, start: int, stop: int) -> Mapping[str, Path]:
    """All files that :func:`measure` reads of a part, by what they are and their place."""
    found: dict[str, Path] = {}
    for place in range(start, min(stop + 1, len(sequence))):
        for name, row in sequence.images.items():
            found[f"{place} {name}"] = row[place]
        if place in sequence.segments:
            found[f"{place} segments"] = sequence.segments[place]
    for place in range(start, stop):
        step = sequence.steps.get(place, Step())
        flow = step.flow
        several = {
            "flow": flow.flow if flow else None,
            "valid": flow.valid.path if flow and flow.valid else None,
            "occlusion": flow.occlusion.path if flow and flow.occlusion else None,
            "exact": step.exact.path if step.exact else None,
            "matches": step.matches,
        }
        found |= {f"{place} {what}": path for what, path in several.items() if path is not None}
    return found
