"""The statistics of a clip of ours by their definitions: plain loops, nothing that the program itself computes with."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

from animerun_gen.dataset import ClipFiles


def grey(pixel: Any) -> int:
    """The luminance of ITU-R BT.601, rounded; its weights as 65536ths."""
    red, green, blue = (Fraction(int(value)) for value in pixel)
    return math.floor((19595 * red + 38470 * green + 7471 * blue) / 65536 + Fraction(1, 2))


def figures_of(clip: ClipFiles) -> dict[str, Any]:
    """What :class:`~animerun_gen.statistics.figures.Figures` has of the clip, and ``luminance`` and ``differences``."""
    numbers = clip.frame_numbers
    levels, steps = [0] * 256, [0] * 511
    segments = areas = small = 0
    shifts, shifts_960, moving_means, accumulated, moving_accumulated = [], [], [], 0.0, 0.0
    unmatched, segment_shifts, occluded, exact = [], [], [], []
    known = still = pixels = still_pairs = 0
    for place, number in enumerate(numbers):
        picture = clip.read("frame", number)
        height, width = picture.shape[:2]
        rows = [[grey(pixel) for pixel in row] for row in picture]
        for row in rows:
            for x, level in enumerate(row):
                levels[level] += 1
                if x:
                    steps[255 + level - row[x - 1]] += 1
        here = pixels_of(clip.read("segment", number))
        segments += len(here)
        for own in here.values():
            areas += 1
            small += len(own) * 960 * 540 / (width * height) < 64
        if place + 1 == len(numbers):
            continue
        flow, valid = clip.read("flow_forward", number), clip.read("valid_forward", number)
        vectors = [
            (float(flow[y, x, 0]), float(flow[y, x, 1])) for y in range(height) for x in range(width) if valid[y, x]
        ]
        lengths = [math.hypot(u, v) for u, v in vectors]
        moving = [length for length in lengths if length > 0.01]
        pixels += width * height
        known += len(lengths)
        still += len(lengths) - len(moving)
        still_pairs += not moving
        shifts.append(sum(lengths) / len(lengths))
        shifts_960.append(sum(math.hypot(u * 960 / width, v * 540 / height) for u, v in vectors) / len(vectors))
        accumulated += shifts[-1]
        if moving:
            moving_means.append(sum(moving) / len(moving))
            moving_accumulated += moving_means[-1]
        occluded.append(float(clip.read("occlusion_forward", number).mean()))
        exact.append(float(clip.read("exact_occlusion_forward", number).mean()))
        there = pixels_of(clip.read("segment", numbers[place + 1]))
        matches = clip.read("match_forward", number)
        unmatched.append(sum(matches[segment][0] == -1 for segment in here))
        moves = [
            math.dist(centre(own), centre(there[matches[segment][0]]))
            for segment, own in here.items()
            if matches[segment][0] >= 0
        ]
        if moves:
            segment_shifts.append(mean(moves))
    mean_level = sum(level * count for level, count in enumerate(levels)) / sum(levels)
    variance = sum(count * (level - mean_level) ** 2 for level, count in enumerate(levels)) / sum(levels)
    return {
        "luminance": levels,
        "differences": steps,
        "frames": len(numbers),
        "pairs": len(numbers) - 1,
        "segments": segments / len(numbers),
        "occluded_segments": mean(unmatched),
        "pixel_shift": mean(shifts),
        "pixel_shift_960": mean(shifts_960),
        "pixel_shift_moving": mean(moving_means),
        "segment_shift": mean(segment_shifts),
        "accumulated_shift": accumulated,
        "accumulated_shift_moving": moving_accumulated,
        "unknown_share": 1 - known / pixels,
        "still_share": still / known,
        "still_pairs": still_pairs / (len(numbers) - 1),
        "occluded_share": mean(occluded),
        "exact_occluded_share": mean(exact),
        "small_segments": small / areas,
        "luminance_mean": mean_level,
        "luminance_deviation": math.sqrt(variance),
        "dark_share": sum(levels[:64]) / sum(levels),
        "bright_share": sum(levels[192:]) / sum(levels),
        "flat_share": steps[255] / sum(steps),
        "soft_share": sum(count for place, count in enumerate(steps) if 1 <= abs(place - 255) <= 16) / sum(steps),
        "strong_share": sum(count for place, count in enumerate(steps) if abs(place - 255) > 64) / sum(steps),
    }


def pixels_of(labels: Any) -> dict[int, list[tuple[int, int]]]:
    """The pixels of each segment, (x, y)."""
    found: dict[int, list[tuple[int, int]]] = {}
    for y, row in enumerate(labels.tolist()):
        for x, label in enumerate(row):
            found.setdefault(label, []).append((x, y))
    return found


def centre(pixels: list[tuple[int, int]]) -> tuple[float, float]:
    return mean([x for x, _ in pixels]), mean([y for _, y in pixels])


def mean(values: Any) -> float:
    return sum(values) / len(values)
