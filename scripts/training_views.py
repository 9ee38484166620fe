#!/usr/bin/env python3
"""Writes configurations that film cuts from further places, so that a few scenes make a training set.

python scripts/training_views.py DATASET CONFIG_OR_FOLDER ... --views 6 --out CONFIGS

DATASET holds the cuts as their own cameras film them, with the extra `depth`.  Each view is a camera that moves round
what the film's camera looks at, from a place drawn at random near the film's own: `camera_motion.keyframes` holds it.
The same seed gives the same views.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import yaml

from animerun_gen.config import LoadedCut, load_cuts
from animerun_gen.dataset import ClipFiles, Dataset
from animerun_gen.dataset.cameras import FrameCamera
from animerun_gen.errors import AnimerunGenError

Vector = npt.NDArray[np.float64]

FILM_WIDTH = 36.0
"""Width of the picture in millimetres that `lens` of a keyframe is for."""

PARALLEL_LENS = 50.0
"""Focal length in millimetres of the views of a film whose camera has no perspective."""

NEAR_SHARE = 0.35
"""What is looked at lies as far as the nearest 35% of the picture: characters, rather than the set behind them."""

TURN, LIFT, TILT, NEARER, FARTHER = 35.0, 20.0, 7.0, 0.65, 1.3
"""How far a view is from the film's: degrees about the vertical, upwards and about the view axis, and distances.

None is lower than the film's camera, which may stand just above the ground.
"""

MOVES_TURN, MOVES_LIFT, MOVES_AWAY = 16.0, 8.0, 0.15
"""How far it moves during the clip, at most: degrees about the vertical and upwards, and a share of the distance."""


@dataclass(frozen=True)
class Sight:
    """Where a camera stands in a frame of the film, what it looks at, and through what lens.

    Attributes:
        frame: As Blender numbers it.
        location: `(3,)`, world.
        target: `(3,)`, world.
        lens: Focal length in millimetres.
    """

    frame: int
    location: Vector
    target: Vector
    lens: float


def sight_of(camera: FrameCamera, depth: npt.NDArray[np.floating[Any]], frame: int) -> Sight:
    """What a film's camera looks at.

    Args:
        camera: The camera of the frame.
        depth: `(H, W)`, distances along the view axis in scene units; not finite where nothing is.
        frame: As Blender numbers it.

    Raises:
        ValueError: The frame shows nothing.
    """
    seen = depth[np.isfinite(depth) & (depth > 0.0)]
    if seen.size == 0:
        raise ValueError(f"frame {frame} shows nothing")
    distance = float(np.quantile(seen, NEAR_SHARE))
    location, axis = camera.matrix_world[:3, 3], -camera.matrix_world[:3, 2]
    middle = location + distance * axis
    if camera.K is not None:
        return Sight(frame, location, middle, float(camera.K[0, 0]) * FILM_WIDTH / camera.width)
    # a camera with perspective that shows as much of the world where it looks
    across = camera.width / float(np.linalg.norm(camera.projection[0, :3]))
    return Sight(frame, middle - axis * across * PARALLEL_LENS / FILM_WIDTH, middle, PARALLEL_LENS)


def view(sights: Sequence[Sight], random: np.random.Generator) -> list[dict[str, Any]]:
    """A camera near the film's, which moves by itself as well.

    Args:
        sights: The film's own camera in some frames, in order.
        random: Draws the place and the movement.

    Returns:
        Keyframes as `camera_motion.keyframes` has them, one for each sight.
    """
    turn, tilt = random.uniform(-TURN, TURN), random.uniform(-TILT, TILT)
    lift, nearer = random.uniform(0.0, LIFT), random.uniform(NEARER, FARTHER)
    turns = random.uniform(-MOVES_TURN, MOVES_TURN)
    lifts = random.uniform(0.0, MOVES_LIFT)
    away = random.uniform(-MOVES_AWAY, MOVES_AWAY)
    aside = random.uniform(-0.12, 0.12, 3)
    keyframes = []
    for index, sight in enumerate(sights):
        share = index / max(len(sights) - 1, 1)
        from_target = sight.location - sight.target
        distance = float(np.linalg.norm(from_target))
        placed = _turned(from_target, turn + share * turns, lift + share * lifts)
        placed *= nearer * (1.0 + share * away)
        target = sight.target + aside * distance
        location = target + placed
        if sight.location[2] < sight.target[2]:
            # farther away, a camera that looks up would sink into the ground
            location[2] = max(location[2], sight.location[2])
        keyframes.append(
            {
                "frame": sight.frame,
                "location": [round(float(number), 4) for number in location],
                "target": [round(float(number), 4) for number in target],
                "lens": round(sight.lens, 3),
                "roll": round(tilt, 2),
            }
        )
    return keyframes


def _turned(arrow: Vector, turn: float, lift: float) -> Vector:
    """An arrow turned about the vertical and raised, in degrees; never beyond the vertical."""
    length = float(np.linalg.norm(arrow))
    azimuth = np.arctan2(arrow[1], arrow[0]) + np.radians(turn)
    highest = np.radians(80.0)
    height = np.clip(np.arcsin(arrow[2] / length) + np.radians(lift), -highest, highest)
    flat = np.cos(height)
    return length * np.array([flat * np.cos(azimuth), flat * np.sin(azimuth), np.sin(height)])


def sights_of(clip: ClipFiles) -> list[Sight]:
    """The film's own camera in the first frame of a clip, in the middle one and in the last.

    Raises:
        ValueError: A frame shows nothing.
        DatasetError: There is no `Camera` or no `Depth`, or it is damaged.
    """
    numbers = clip.frame_numbers
    chosen = sorted({numbers[0], numbers[len(numbers) // 2], numbers[-1]})
    return [sight_of(clip.camera(number), clip.read("depth", number), number) for number in chosen]


def configurations(
    dataset: Dataset, cuts: Sequence[LoadedCut], views: int, seed: int
) -> Iterator[tuple[str, dict[str, Any]]]:
    """A configuration for each view: its name, and what differs from the cut's own.

    Raises:
        ValueError: A cut has no clip in the dataset, or one of its frames shows nothing.
        DatasetError: A clip has no `Camera` or no `Depth`, or it is damaged.
    """
    clips = {clip.cut: clip for split in dataset.splits for clip in dataset.clips(split)}
    for cut in cuts:
        name = cut.config.name
        # a cut that was split at the film's camera cuts is filmed as its first part is
        found = [clips[other] for other in sorted(clips) if other == name or other.startswith(f"{name}-")]
        if not found:
            raise ValueError(f"{dataset.root} has no clip {name}; generate it first")
        sights = sights_of(found[0])
        for index in range(1, views + 1):
            random = np.random.default_rng([seed, *name.encode(), index])
            yield f"{name}_view{index:02d}", {"camera_motion": {"keyframes": view(sights, random)}}


def main() -> int:
    """Write the configurations; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dataset", type=Path, metavar="DATASET", help="the cuts as their own cameras film them")
    parser.add_argument("configs", nargs="+", type=Path, metavar="CONFIG_OR_FOLDER", help="their configurations")
    parser.add_argument("--out", required=True, type=Path, metavar="FOLDER", help="folder for the configurations")
    parser.add_argument("--views", type=int, default=6, help="how many views of each cut (default: 6)")
    parser.add_argument("--seed", type=int, default=0, help="draws the views (default: 0)")
    parser.add_argument("--split", help="the split that the views belong to (default: that of the cut)")
    parser.add_argument(
        "--with", type=Path, dest="shared", metavar="FILE", help="YAML that every view inherits after its cut's"
    )
    options = parser.parse_args()
    if options.views < 1:
        parser.error(f"--views must be 1 or more, not {options.views}")
    try:
        cuts = load_cuts(options.configs)
        written = list(configurations(Dataset(options.dataset), cuts, options.views, options.seed))
    except (AnimerunGenError, ValueError) as error:
        print(f"{parser.prog}: {error}", file=sys.stderr)
        return 1
    sources = {cut.config.name: Path(cut.path) for cut in cuts}
    options.out.mkdir(parents=True, exist_ok=True)
    for name, differs in written:
        bases = [sources[name.rpartition("_view")[0]], *([options.shared] if options.shared else [])]
        head = {"inherit": [os.path.relpath(base, options.out) for base in bases], "name": name}
        if options.split:
            head["split"] = options.split
        (options.out / f"{name}.yaml").write_text(yaml.safe_dump(head | differs, sort_keys=False), encoding="utf-8")
    print(f"{len(written)} views of {len(cuts)} cuts are in {options.out}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
