"""Small clips whose every file can be told from every other, written without Blender."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from animerun_gen.conventions import UNKNOWN_FLOW
from animerun_gen.dataset import (
    Amodal,
    AmodalObject,
    ClipWriter,
    LayerExtent,
    LayerOcclusion,
    ObjectOcclusion,
    Strokes,
    pack_mask,
    write_json,
)

FRAMES = (8, 10, 12)
SIZE = (64, 40)

ALL = (
    "frame",
    "flat",
    "contour",
    "flow",
    "occlusion",
    "exact_occlusion",
    "valid",
    "segment",
    "match",
    "material_id",
    "line_area",
)


def write_clip(
    root: Path,
    cut: str = "fight",
    frames: Sequence[int] = FRAMES,
    size: tuple[int, int] = SIZE,
    without: Collection[str] = (),
    noise: bool = False,
) -> ClipWriter:
    """Write a clip.

    Args:
        root: of the dataset.
        cut: its name.
        frames: its frames.
        size: width and height.
        without: what of :data:`ALL` to leave out.
        noise: draw noise instead of patches: nothing is harder to compress.
    """
    clip = ClipWriter(root, "train", cut)
    for frame in frames:
        for name, value in frame_files(frame, size, noise).items():
            if name not in without:
                clip.write(name, frame, value)
    for way, arrows in (("forward", frames[:-1]), ("backward", frames[1:])):
        for frame in arrows:
            for name, value in pair_files(frame, way, size, noise).items():
                if name not in without and not (name == "line_area" and way == "backward"):
                    clip.write(name if name == "line_area" else f"{name}_{way}", frame, value)
    if "material_id" not in without:
        clip.write_names("material_id", {"0": "background", "1": "skin", "2": "<b>cloth</b>"})
    return clip


def frame_files(frame: int, size: tuple[int, int], noise: bool = False) -> dict[str, Any]:
    """The files of a frame by modality."""
    width, height = size
    rng = np.random.default_rng(frame)
    cell = 1 if noise else 8
    labels = patches(rng, size, cell, 7)
    # contiguous, as label maps are
    segments = np.unique(labels, return_inverse=True)[1].reshape(labels.shape).astype(np.int32)
    flat = rng.integers(0, 256, (7, 3), np.uint8)[labels]
    if noise:
        flat = rng.integers(0, 256, (height, width, 3), np.uint8)
    contour = np.where(patches(rng, size, 1 if noise else 4, 5) == 0, 0, 255).astype(np.uint8)
    drawn = flat.copy()
    drawn[contour == 0] = (20, 10, 60)
    materials = patches(rng, size, cell, 3).astype(np.uint16)
    return {"frame": drawn, "flat": flat, "contour": contour, "segment": segments, "material_id": materials}


def pair_files(frame: int, way: str, size: tuple[int, int], noise: bool = False) -> dict[str, Any]:
    """The files of a frame that belong to one direction, by the name without the direction."""
    rng = np.random.default_rng([frame, way == "forward"])
    cell = 1 if noise else 8
    flow = rng.normal(0, 3, (64, 2)).astype(np.float32)[patches(rng, size, cell, 64)]
    valid = patches(rng, size, cell, 6) > 0
    flow[~valid] = UNKNOWN_FLOW
    segments = frame_files(frame, size, noise)["segment"].max() + 1
    return {
        "flow": flow,
        "valid": valid,
        "occlusion": patches(rng, size, cell, 3) == 0,
        "exact_occlusion": patches(rng, size, cell, 4) == 0,
        "line_area": patches(rng, size, cell, 2) == 0,
        "match": [[int(rng.integers(0, 5)), 5] if rng.random() < 0.7 else [-1] for _ in range(segments)],
    }


def write_drawing(
    clip: ClipWriter, frames: Sequence[int] = FRAMES, size: tuple[int, int] = SIZE, noise: bool = False
) -> None:
    """Write shade, kinds and style of lines, strokes and layers to a clip."""
    for frame in frames:
        for name, value in drawing_files(frame, size, noise).items():
            clip.write(name, frame, value)
    for gap in (1, FAR):
        beside = "" if gap == 1 else f"_gap{gap}"
        for way, arrows in (("forward", frames[:-gap]), ("backward", frames[gap:])):
            for frame in arrows:
                for layer in LAYERS:
                    for name, value in layer_motion(frame, layer, way, size, noise, gap).items():
                        clip.write(f"{name}_{way}{beside}@{layer}", frame, value)


FAR = 2
"""How many frames apart the frames are between which layers have motion, too."""

LAYERS = ("front", "set")
OBJECTS = {3: "Fox & <i>tail</i>", 4: "Lamp", 900: "House"}
"""Ids and names of the objects; the last one is of the layer ``set``, the others of ``front``."""


def drawing_files(frame: int, size: tuple[int, int], noise: bool = False) -> dict[str, Any]:
    """The files of a frame of what is drawn besides pictures, motion and segments, by modality."""
    width, height = size
    rng = np.random.default_rng([frame, 7])
    cell = 1 if noise else 4
    kinds = patches(rng, size, cell, 8).astype(np.uint8)
    front, house = patches(rng, size, cell, 3), patches(rng, size, cell, 2)
    found: dict[str, Any] = {
        "shade": patches(rng, size, cell, 4).astype(np.uint8),
        "trace": rng.integers(0, 256, (5, 3), np.uint8)[patches(rng, size, cell, 5)],
        "line_kind": kinds,
        "styled_contour": rng.integers(0, 256, (5, 3), np.uint8)[patches(rng, size, cell, 5)],
        "line_gap": np.where(kinds > 5, patches(rng, size, cell, 4), 0).astype(np.uint8),
        "strokes": strokes_of(frame, size, 200 if noise else 6),
    }
    ids = {"front": np.array([0, 3, 4], np.uint16)[front], "set": np.array([0, 900], np.uint16)[house]}
    # the front is before the set but for its left part
    shows = {"front": (front > 0) & ~((house > 0) & (np.arange(width) < width // 4))}
    shows["set"] = ~shows["front"]
    for layer in LAYERS:
        cel = np.zeros((height, width, 4), np.uint8)
        opaque = ids[layer] > 0 if layer == "front" else np.ones((height, width), bool)
        cel[opaque, :3] = rng.integers(0, 256, (7, 3), np.uint8)[patches(rng, size, cell, 7)][opaque]
        cel[opaque, 3] = 255
        found[f"cel@{layer}"] = cel
        found[f"contour@{layer}"] = np.where(patches(rng, size, cell, 5) == 0, 0, 255).astype(np.uint8)
        found[f"visible@{layer}"] = shows[layer]
        found[f"object_id@{layer}"] = ids[layer]
        distance = rng.uniform(2, 9, 5).astype(np.float32)[patches(rng, size, cell, 5)]
        found[f"depth@{layer}"] = np.where(ids[layer] > 0, distance, np.float32(np.inf))
    found["amodal"] = amodal_of(ids, shows, size)
    return found


def layer_motion(
    frame: int, layer: str, way: str, size: tuple[int, int], noise: bool = False, gap: int = 1
) -> dict[str, Any]:
    """Flow of a layer alone, and where it is known, in one direction."""
    rng = np.random.default_rng([frame, way == "forward", len(layer), *([gap] if gap > 1 else [])])
    flow = rng.normal(0, 3 * gap, (64, 2)).astype(np.float32)[patches(rng, size, 1 if noise else 8, 64)]
    valid = drawing_files(frame, size, noise)[f"object_id@{layer}"] > 0
    flow[~valid] = UNKNOWN_FLOW
    return {"flow": flow, "valid": valid}


def amodal_of(ids: dict[str, Any], shows: dict[str, Any], size: tuple[int, int]) -> Amodal:
    """Who hides whom, of the objects of two layers."""
    width, height = size
    surfaces = {layer: ids[layer] > 0 for layer in LAYERS}
    both = int((surfaces["front"] & surfaces["set"] & shows["front"]).sum())
    objects = []
    for number, name in OBJECTS.items():
        layer = "set" if number == 900 else "front"
        mask = ids[layer] == number
        box = (0, 0, width, height)
        area, visible = int(mask.sum()), int((mask & shows[layer]).sum())
        objects.append(AmodalObject(number, name, layer, area, visible, box, pack_mask(mask)))
    return Amodal(
        height,
        width,
        tuple(
            LayerExtent(layer, int(surfaces[layer].sum()), int((surfaces[layer] & shows[layer]).sum()))
            for layer in ("set", "front")
        ),
        False,
        (LayerOcclusion("front", "set", both),),
        tuple(objects),
        (ObjectOcclusion(3, 900, both // 2), ObjectOcclusion(4, 900, both - both // 2)),
    )


def strokes_of(frame: int, size: tuple[int, int], count: int) -> Strokes:
    """Strokes of five points each, of all kinds, every second one hidden."""
    width, height = size
    points = 5 * count
    rng = np.random.default_rng([frame, 9])
    numbers = np.arange(points)
    kinds = np.array([1, 2, 8, 3, 7, 4, 5, 6], np.uint8)[np.arange(count) % 8]
    # borders of the shade are not found again
    is_found = np.repeat(kinds != 7, 5)[:, None]
    return Strokes(
        position=rng.uniform(0, (width - 1, height - 1), (points, 2)),
        depth=rng.uniform(1, 2, points),
        identity=np.where(is_found, np.stack([numbers + 1, numbers + 2], axis=1), 0).astype(np.uint64),
        along=rng.uniform(0, 1, points),
        instance=np.zeros(points, np.int32),
        vertices=np.stack([numbers, numbers + 1], axis=1).astype(np.int32),
        stroke_start=np.arange(0, points + 1, 5, np.int64),
        stroke_points=numbers.astype(np.int32),
        kind=kinds,
        hidden=np.arange(count) % 2 == 1,
        object_id=np.full(count, 3, np.uint16),
    )


def exposures_of(film_frames: Mapping[str, Sequence[int]], frames: Sequence[int] = FRAMES) -> list[dict[str, Any]]:
    """What a quality file says of which film frame each layer shows."""
    return [
        {
            "frame": frame,
            "layers": {name: {"film_frame": shown[place], "share": 0.2} for name, shown in film_frames.items()},
        }
        for place, frame in enumerate(frames)
    ]


def patches(rng: np.random.Generator, size: tuple[int, int], cell: int, count: int) -> Any:
    """``(H, W)`` numbers below ``count`` in squares of so many pixels."""
    width, height = size
    coarse = rng.integers(0, count, (-(-height // cell), -(-width // cell)))
    return coarse.repeat(cell, axis=0).repeat(cell, axis=1)[:height, :width]


def quality_of(frames: Sequence[int] = FRAMES, cut: str = "fight") -> dict[str, Any]:
    """A quality file in which everything passes; figures tell frame and direction."""
    pairs = []
    for place, (source, target) in enumerate(pairwise(frames)):
        ways = {
            way: {
                "warp_error": 0.001 * (place + 1) + 0.0005 * (way == "backward"),
                "warp_error_flat": 0.0001,
                "warp_error_flat_exact": 0.0002,
                "round_trip_median": 0.01,
                "occluded_share": 0.1,
                "exact_occluded_share": 0.09,
                "occlusion_agreement": 0.98,
                "invalid_share": 0.0,
                "motion_median": 3.0,
                "motion_p99": 9.0,
                "largest_motion": 10.0 + place,
                "best_shift": [0, 0],
                "shift_gain": 1.0,
            }
            for way in ("forward", "backward")
        }
        pairs.append({"source": source, "target": target, "held": place == 0, **ways})
    bars = {"warp_error": 0.01, "warp_error_flat": 0.001, "round_trip_median": 0.05, "agreement": 0.999, "leaks": 0.02}
    return {
        "cut": cut,
        "split": "train",
        "frames": [frames[0], frames[-1]],
        "clip_rate": 12.0,
        "resolution": list(SIZE),
        "bars": bars,
        "failures": [],
        "past_limit": [],
        "frame_figures": [
            {"frame": frame, "segments": 7, "leaks": 0.001, "agreement": 0.9995, "agreement_ids": None}
            for frame in frames
        ],
        "pairs": pairs,
    }


def failing(quality: dict[str, Any], place: int, way: str, message: str) -> dict[str, Any]:
    """The same quality file with a pair beyond its threshold."""
    pair = quality["pairs"][place]
    pair[way]["warp_error"] = 0.05
    failure = {"direction": way, "figure": "warp_error", "value": 0.05, "bar": 0.01, "message": message}
    quality["failures"].append({"source": pair["source"], "target": pair["target"], **failure})
    return quality


def write_quality(root: Path, quality: dict[str, Any]) -> None:
    """Put a quality file into its place."""
    write_json(root / "quality" / f"{quality['cut']}.json", quality)
