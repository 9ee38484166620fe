"""PaintBucket-Character: segments to be coloured (Dai et al., "Learning Inclusion Matching", CVPR 2024).

``train/<cut>/{gt,label,line,seg}/0000.png`` and ``{json_color,json_index}/0000.json``, numbered from 0; ``ref/`` holds
the first frame as the coloured key frame.  ``regions.json`` says what each number of ``label`` is.  Outside ``train``
the colours stand in ``seg/0000.json`` as well, where DACoN looks for them when it validates.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from animerun_gen.dataset import ClipFiles, write_json
from animerun_gen.errors import UsageError
from animerun_gen.export.labels import Way, occlusion_kind, read_motion
from animerun_gen.export.layout import ClipJob, PlainLayout, digits
from animerun_gen.export.points import read_points
from animerun_gen.export.regions import (
    Regions,
    find_regions,
    identities,
    pairs_by_motion,
    regions_of_points,
)

LINE_BELOW = 128
"""Grey values of line art that count as line: readers want hard edges."""

LINE = (0, 0, 0, 255)
NOTHING = (255, 255, 255, 0)
"""What is transparent: the background of colours and labels, and everything but lines in line art."""

MOST_REGIONS = 255
"""That DACoN's reader tells apart: of a number in three bytes it sees the last one."""


class PaintBucket(PlainLayout):
    """Regions between lines, their colours, and which of them are the same throughout the clip."""

    def look(self, clips: Sequence[ClipFiles]) -> None:
        for clip in clips:
            for name in ("object_id", "material_id", "contour"):
                lacking = [frame for frame in clip.frame_numbers if not clip.has(name, frame)]
                if lacking:
                    remedy = "add ids to motion.extras in its configuration and run generate again"
                    raise UsageError(
                        f"has no {clip.path(name, lacking[0]).relative_to(clip.root)}, which regions are made of",
                        f"cut '{clip.cut}'",
                        f"{remedy if name != 'contour' else 'make the cut again'}, or leave the cut out",
                    )

    def needs(self) -> tuple[str, ...]:
        ways: tuple[Way, ...] = ("forward", "backward")
        motion = tuple(f"{kind}_{way}" for kind in ("flow", "valid", "exact_occlusion", "occlusion") for way in ways)
        return ("contour", "flat", "object_id", "material_id", "tracks", *motion)

    def places(self, root: Path, clip: ClipFiles) -> list[Path]:
        return [root / clip.split / clip.cut]

    def write(self, job: ClipJob) -> None:
        clip = job.clip
        [character] = self.places(job.folder.root, clip)
        followed = follow_regions(clip)
        width = digits(len(job.frames))
        several = many = 0
        for number, (frame, names) in enumerate(zip(job.frames, followed.names, strict=True)):
            regions = read_regions(clip, frame)
            colors, mixed = region_colors(regions, _colored(job, frame))
            several += mixed
            pictures = {
                "gt": colors[regions.number],
                "label": label_picture(names[regions.number]),
                "line": np.where(regions.lines[..., None], LINE, NOTHING).astype(np.uint8),
                "seg": id_picture(regions.number),
            }
            sizes = np.bincount(regions.number.ravel(), minlength=regions.count + 1)
            tables = {
                "json_color": {str(one): colors[one].tolist() for one in range(1, regions.count + 1)},
                "json_index": {str(one): [int(sizes[one]), int(names[one])] for one in range(1, regions.count + 1)},
            }
            if clip.split != "train":
                tables["seg"] = tables["json_color"]
            job.counts["regions"] += regions.count
            many += regions.count > MOST_REGIONS
            name = f"{number:0{width}d}"
            for folder in (character, character / "ref") if number == 0 else (character,):
                for kind, picture in pictures.items():
                    job.folder.put_bytes(folder / kind / f"{name}.png", partial(_png, picture))
                for kind, table in tables.items():
                    job.folder.put(folder / kind / f"{name}.json", partial(write_json, data=table))
            job.step(frame)
        job.folder.put(character / "regions.json", partial(write_json, data=followed.table))
        job.counts["regions_of_several_colors"] += several
        if several:
            job.remarks.append(
                f"Regions of its frames with several colours, such as those of an image: {several:,}; gt has the most "
                "frequent one."
            )
        if many:
            job.remarks.append(
                f"Frames with more than {MOST_REGIONS} regions: {many:,}; DACoN's reader takes some of these for each "
                "other."
            )


@dataclass(frozen=True)
class FollowedRegions:
    """The regions of a clip.

    Attributes:
        names: For each frame the number that each of its regions has throughout the clip, see :func:`identities`.
        table: What each of these numbers is: object, material, first and last frame, pixels in all of them.
    """

    names: list[npt.NDArray[np.int64]]
    table: dict[str, dict[str, Any]]


def follow_regions(clip: ClipFiles) -> FollowedRegions:
    """Find out which regions of a clip are the same.

    Raises:
        DatasetError: A file is missing or damaged.
    """
    frames = clip.frame_numbers
    tracks = read_points(clip) if clip.tracks_path.is_file() else None
    hidden: dict[Way, str | None] = {way: occlusion_kind([clip], way) for way in ("forward", "backward")}
    pairs, points, sizes = [], [], []
    found: list[Regions] = [read_regions(clip, frames[0])]
    if tracks is not None:
        points.append(regions_of_points(found[0], tracks, 0))
    sizes.append(np.bincount(found[0].number.ravel(), minlength=found[0].count + 1))
    for place, (frame, other) in enumerate(pairwise(frames), 1):
        here, there = found[-1], read_regions(clip, other)
        forward = _led(clip, frame, here, there, "forward", hidden["forward"])
        backward = _led(clip, other, there, here, "backward", hidden["backward"])
        pairs.append(np.concatenate([forward, backward[:, ::-1]]))
        if tracks is not None:
            points.append(regions_of_points(there, tracks, place))
        sizes.append(np.bincount(there.number.ravel(), minlength=there.count + 1))
        # of the frames before only what they are made of is looked at again
        found[-1] = Regions(np.zeros((0, 0), np.int32), here.object_id, here.material_id)
        found.append(there)
    names = identities(found, pairs, points)
    return FollowedRegions(names, _table(clip, found, names, sizes))


def _led(
    clip: ClipFiles, frame: int, source: Regions, target: Regions, way: Way, hidden: str | None
) -> npt.NDArray[np.int64]:
    occluded = None if hidden is None else clip.read(hidden, frame)
    return pairs_by_motion(source, target, read_motion(clip, frame, way), occluded)


def _table(
    clip: ClipFiles,
    regions: Sequence[Regions],
    names: Sequence[npt.NDArray[np.int64]],
    sizes: Sequence[npt.NDArray[np.int64]],
) -> dict[str, dict[str, Any]]:
    objects, materials = clip.read_names("object_id"), clip.read_names("material_id")
    table: dict[str, dict[str, Any]] = {}
    for frame, one, numbers, pixels in zip(clip.frame_numbers, regions, names, sizes, strict=True):
        for region in range(1, one.count + 1):
            if numbers[region] > 0:
                entry = table.setdefault(
                    str(numbers[region]),
                    {
                        "object": objects.get(str(one.object_id[region]), "unknown"),
                        "material": materials.get(str(one.material_id[region]), "unknown"),
                        "first_frame": frame,
                        "pixels": 0,
                    },
                )
                entry["last_frame"] = frame
                entry["pixels"] += int(pixels[region])
    return table


def read_regions(clip: ClipFiles, frame: int) -> Regions:
    """The regions of a frame.

    Raises:
        DatasetError: A file is missing or damaged.
    """
    lines = clip.read("contour", frame) < LINE_BELOW
    return find_regions(lines, clip.read("object_id", frame), clip.read("material_id", frame))


def _colored(job: ClipJob, frame: int) -> npt.NDArray[np.uint8]:
    name = "flat" if job.pictures == "frame" and job.clip.has("flat", frame) else job.pictures
    picture: npt.NDArray[np.uint8] = job.clip.read(name, frame)
    return picture if picture.ndim == 3 else np.repeat(picture[..., None], 3, axis=2)


def region_colors(regions: Regions, picture: npt.NDArray[np.uint8]) -> tuple[npt.NDArray[np.uint8], int]:
    """One colour for each region.

    Args:
        regions: Of a frame.
        picture: ``(H, W, 3)`` uint8, RGB.

    Returns:
        ``(R + 1, 4)`` uint8, RGBA: that of lines, and of each region the most frequent one, of several equally frequent
        ones the darkest; the background is transparent.  And how many regions show more than one colour.
    """
    packed = id_numbers(picture)
    together, counts = np.unique(np.stack([regions.number.ravel(), packed.ravel()]), axis=1, return_counts=True)
    # the last of each region is kept, which is the one with the largest count
    order = np.lexsort((-together[1], counts, together[0]))
    best = np.zeros(regions.count + 1, np.int64)
    best[together[0, order]] = together[1, order]
    colors = np.empty((regions.count + 1, 4), np.uint8)
    colors[:, :3] = id_picture(best[None])[0]
    colors[:, 3] = 255
    kinds = np.bincount(together[0], minlength=regions.count + 1)
    surfaces = regions.object_id > 0
    colors[~surfaces] = NOTHING
    colors[0] = LINE
    return colors, int(np.count_nonzero(kinds[surfaces] > 1))


def id_picture(numbers: npt.NDArray[np.integer[Any]]) -> npt.NDArray[np.uint8]:
    """Numbers as colours: ``R * 65536 + G * 256 + B``.

    >>> id_picture(np.array([[66051]])).tolist()
    [[[1, 2, 3]]]
    """
    return np.stack([numbers >> 16 & 255, numbers >> 8 & 255, numbers & 255], axis=-1).astype(np.uint8)


def id_numbers(picture: npt.NDArray[np.uint8]) -> npt.NDArray[np.int64]:
    """What :func:`id_picture` was made of: ``(H, W)`` int64."""
    red, green, blue = (picture[..., channel].astype(np.int64) for channel in range(3))
    return red << 16 | green << 8 | blue


def label_picture(names: npt.NDArray[np.int64]) -> npt.NDArray[np.uint8]:
    """Numbers as colours, the background (-1) transparent: ``(H, W, 4)`` uint8, RGBA."""
    opaque = np.full((*names.shape, 1), 255, np.uint8)
    picture = np.concatenate([id_picture(np.maximum(names, 0)), opaque], axis=-1)
    picture[names < 0] = NOTHING
    return picture


def _png(picture: npt.NDArray[np.uint8]) -> bytes:
    order = cv2.COLOR_RGBA2BGRA if picture.shape[-1] == 4 else cv2.COLOR_RGB2BGR
    return cv2.imencode(".png", cv2.cvtColor(picture, order), [cv2.IMWRITE_PNG_COMPRESSION, 3])[1].tobytes()
