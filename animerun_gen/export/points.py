"""The points of a clip that are followed through all of its frames, as the layouts for tracking need them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from animerun_gen.dataset import ClipFiles, Tracks
from animerun_gen.errors import DatasetError, UsageError


def require_tracks(clips: Sequence[ClipFiles]) -> None:
    """See that every clip has tracks.

    Raises:
        UsageError: One has none.
    """
    for clip in clips:
        if not clip.tracks_path.is_file():
            raise UsageError(
                f"has no {clip.tracks_path.relative_to(clip.root)}, which this layout is made of",
                f"cut '{clip.cut}'",
                "set motion.tracks in its configuration to the number of points and run generate again, or leave the "
                "cut out",
            )


def read_points(clip: ClipFiles) -> Tracks:
    """The tracks of a clip.

    Raises:
        DatasetError: The file is missing or damaged, or is of other frames than there are.
    """
    tracks = clip.read_tracks()
    if tuple(tracks.frames.tolist()) != clip.frame_numbers:
        raise DatasetError("follows points through other frames than the clip has", clip.tracks_path, "make it again")
    return tracks


def followed(tracks: Tracks) -> npt.NDArray[np.bool_]:
    """Which points are known in every frame: ``(N,)`` bool.

    Layouts that cannot mark a point as unknown in a frame hold only these: nobody knows whether "occluded"
    would be right.
    """
    all_of_them: npt.NDArray[np.bool_] = tracks.known.all(axis=0)
    return all_of_them


def video(clip: ClipFiles, pictures: str) -> npt.NDArray[np.uint8]:
    """All pictures of a clip: ``(T, H, W, 3)`` uint8, RGB.

    Raises:
        DatasetError: One is missing or damaged, or they are not all of one size.
    """
    read: list[npt.NDArray[np.uint8]] = []
    for frame in clip.frame_numbers:
        picture = clip.read(pictures, frame)
        if picture.ndim == 2:
            picture = np.repeat(picture[..., None], 3, axis=2)
        if read and picture.shape != read[0].shape:
            raise DatasetError("is not as large as the first picture", clip.path(pictures, frame), "make the cut again")
        read.append(picture)
    return np.stack(read)


def raster(position: npt.NDArray[np.float64], width: int, height: int) -> npt.NDArray[np.float32]:
    """Positions as TAP-Vid counts them: the picture is 1 wide and 1 high, from its corner.

    Args:
        position: ``(..., 2)`` float64, pixels with centres at whole numbers.
        width: Of the picture, pixels.
        height: Of the picture, pixels.

    Returns:
        ``(..., 2)`` float32; the picture is from 0 to 1.

    Example:
        >>> raster(np.array([[0.0, 0.0], [3.0, 1.0]]), 4, 2).tolist()
        [[0.125, 0.25], [0.875, 0.75]]
    """
    return ((position + 0.5) / (width, height)).astype(np.float32)
