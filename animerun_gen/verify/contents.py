"""Checks what a cut's files say of each other and of the clip: matches, tables, tracks, figures."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from animerun_gen.dataset.cameras import parse_cameras, read_cameras
from animerun_gen.dataset.colors import read_colors
from animerun_gen.dataset.files import open_regular, read_names
from animerun_gen.dataset.modalities import Modality
from animerun_gen.dataset.tracks import ARRAYS, read_settings, read_tracks
from animerun_gen.errors import DatasetError
from animerun_gen.recolor.table import parse_recolor
from animerun_gen.verify.checked_clip import CheckedClip
from animerun_gen.verify.checked_manifest import small_json
from animerun_gen.verify.cut_report import RUN_AGAIN
from animerun_gen.verify.findings import (
    JSON_LIMIT,
    changed,
)
from animerun_gen.verify.quality_file import parse_quality

CAMERA_BYTES = 4096
"""More than the cameras of a frame take in a file of arrays."""

FrameMatches = tuple[int, str, tuple[int, int, int]]
"""Of a file of matches: its frame, its modality, and how many lists it has, the largest segment that one names, and
which one does."""


def check_matches(clip: CheckedClip, segments: Mapping[int, int], matches: Sequence[FrameMatches]) -> None:
    """Check that matches name segments that there are.

    Args:
        clip: The cut.
        segments: Frame to the number of its segments.
        matches: What the files of matches hold.
    """
    places = {frame: index for index, frame in enumerate(clip.numbers)}
    for frame, name, (lists, largest, owner) in matches:
        what = clip.kind(name)
        file = clip.relative(what.path(*clip.place, frame))
        source = segments.get(frame)
        if source is not None and lists != source:
            clip.defect(file, "contradiction", f"has lists for {lists} segments, but frame {frame} has {source}")
        index = places.get(frame, -1) + (1 if what.kind == "forward" else -1)
        if frame not in places or not 0 <= index < len(clip.numbers):
            continue
        other = clip.numbers[index]
        target = segments.get(other)
        if target is not None and largest >= target:
            there = f"frame {other} has segments 0 to {target - 1}"
            clip.defect(file, "contradiction", f"matches segment {owner} to {largest}, but {there}")


def read_table(clip: CheckedClip, what: Modality) -> dict[str, str] | None:
    """The table of a modality's ids; None where there is none of use, which is then said."""
    path = what.names_path(*clip.place)
    if not path.is_file():
        return None
    if path.stat().st_size > JSON_LIMIT:
        clip.defect(clip.relative(path), "damaged", "is far larger than such a table can be")
        return None
    try:
        return read_names(path)
    except DatasetError as error:
        clip.defect(clip.relative(path), "damaged", error.what)
        return None


def check_colors(clip: CheckedClip, what: Modality) -> None:
    """Check the table of a cut's colours."""
    path = what.names_path(*clip.place)
    name = clip.relative(path)
    if not path.is_file():
        return
    if path.stat().st_size > JSON_LIMIT:
        clip.defect(name, "damaged", "is far larger than such a table can be")
        return
    try:
        table = read_colors(path)
    except DatasetError as error:
        clip.defect(name, "damaged", error.what)
        return
    for number, frame in table.frames_lacking(clip.numbers).items():
        clip.defect(name, "contradiction", f"does not say which colour id {number} has in frame {frame}")


def check_tracks(clip: CheckedClip, what: Modality) -> None:
    """Check the file of tracks."""
    path = what.clip_path(*clip.place)
    name = clip.relative(path)
    if name not in clip.sound:
        return
    motion = None if clip.config is None else clip.config.motion
    problem = _oversized_tracks(path, len(clip.numbers), None if motion is None else motion.tracks)
    if problem is not None:
        clip.defect(name, "damaged", problem)
        return
    try:
        settings = read_settings(path) if clip.quick else read_tracks(path).settings
    except DatasetError as error:
        clip.defect(name, "damaged", error.what)
        return
    if settings.frames != clip.numbers:
        clip.defect(name, "contradiction", "follows points through other frames than those of the clip")
    if clip.config is not None and (settings.requested, settings.seed) != (
        clip.config.motion.tracks,
        clip.config.seed,
    ):
        clip.defect(name, "contradiction", "was made for another number of points or another seed than configured")


def check_cameras(clip: CheckedClip) -> None:
    """Check the two files of cameras, against the clip and against each other."""
    described, arrays = clip.cameras
    if arrays.is_file() and arrays.stat().st_size > CAMERA_BYTES * (len(clip.numbers) + 16):
        clip.defect(clip.relative(arrays), "damaged", "is far larger than the cameras of the clip can be")
        return
    cameras = None
    if arrays.is_file():
        try:
            cameras = read_cameras(*clip.place)
        except DatasetError as error:
            clip.defect(clip.relative(arrays), "damaged", error.what)
    # of a part of a clip that was passed on the cameras of the whole are no harm
    lacks = cameras is not None and not set(clip.numbers) <= set(cameras.frames)
    if lacks or (clip.ours and cameras is not None and cameras.frames != clip.numbers):
        clip.defect(clip.relative(arrays), "contradiction", "has the cameras of other frames than those of the clip")
    sizes = set() if cameras is None else {(camera.height, camera.width) for camera in cameras.filming}
    if clip.shape is not None and sizes - {clip.shape}:
        clip.defect(clip.relative(arrays), "contradiction", "has cameras for pictures of another size")
    if not described.is_file():
        return
    data = small_json(described)
    problem = data if isinstance(data, str) else None
    if problem is None:
        try:
            same = cameras is None or parse_cameras(data) == cameras.as_dicts()
        except ValueError as error:
            problem = f"holds no cameras ({error})"
        else:
            problem = None if same else f"has other cameras than {clip.relative(arrays)}"
    if problem is not None:
        clip.defect(clip.relative(described), "damaged", problem)


def check_quality(clip: CheckedClip) -> None:
    """Check the quality file, and take over which figures are beyond their thresholds."""
    if not clip.quality.is_file():
        return
    name = clip.relative(clip.quality)
    again = f"{clip.away} and {RUN_AGAIN}"
    data = small_json(clip.quality)
    if isinstance(data, str):
        clip.defect(name, "damaged", data, again)
        return
    quality = parse_quality(data)
    if isinstance(quality, str):
        clip.defect(name, "manifest", quality, again)
        return
    problems = list(quality.problems(clip.cut, clip.split, clip.numbers, clip.shape))
    for problem in problems:
        clip.defect(name, "manifest", problem, again)
    if problems:
        return
    for failure in quality.failures:
        what, _, advice = failure.message.partition("; ")
        clip.defect(name, "quality", what, advice or "docs/quality.md has what the figure means")


def check_recolor(clip: CheckedClip) -> None:
    """Check the table of colour passes."""
    if not clip.recolor.is_file():
        return
    data = small_json(clip.recolor)
    if isinstance(data, str):
        problem = data
    elif (table := parse_recolor(data)) is None or table.cut != clip.cut:
        problem = "does not say which colours the passes of this cut have"
    elif clip.config is not None and set(table.passes) != set(clip.passes):
        problem = "names other colour passes than the cut has"
    else:
        return
    clip.defect(clip.relative(clip.recolor), "damaged", problem, f"{clip.away} and {RUN_AGAIN}")


def check_other_checksums(clip: CheckedClip) -> None:
    """Those of files that belong to no frame."""
    others = {name for name in clip.all_names() if name not in clip.sound or clip.sound[name].frame is None}
    for name in sorted(others & clip.manifest.files.keys()):
        defect = changed(clip.root, name, clip.manifest.files[name])
        if defect is not None:
            clip.report.defects.append(defect)


def _oversized_tracks(path: Path, frames: int, requested: int | None) -> str | None:
    """Why a file of tracks would unpack to more than it can need; None where it would not."""
    points = 1_000_000 if requested is None else requested
    limits = dict.fromkeys(ARRAYS, 64 * 1024)
    for name, what in ARRAYS.items():
        if "N" in what.shape:
            limits[name] += 24 * points * (frames if "T" in what.shape else 1)
        elif "T" in what.shape:
            limits[name] += 16 * frames
    try:
        with open_regular(path) as file, zipfile.ZipFile(file) as archive:
            sizes = {info.filename.removesuffix(".npy"): info.file_size for info in archive.infolist()}
    # zip files fail in many ways
    except Exception as error:
        return f"is not a complete .npz file ({type(error).__name__}: {error})"
    for name, size in sizes.items():
        if size > limits.get(name, 0):
            return f"holds {size} bytes as {name}, more than {frames} frames of {points} points have"
    return None
