"""PointOdyssey: pictures, masks and an archive of tracks for each clip (Zheng et al., ICCV 2023).

``train/<cut>/rgbs/rgb_00000.jpg``, ``masks/mask_00000.png`` and ``anno.npz``: ``trajs_2d`` (T, N, 2), ``visibs`` and
``valids`` (T, N), ``trajs_3d`` (T, N, 3) in the world, and where the clip has cameras ``intrinsics`` (T, 3, 3) and
``extrinsics`` (T, 4, 4), world to camera in OpenCV axes.  Pixel centres are at whole numbers in all of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from animerun_gen.dataset import ClipFiles, Tracks, write_image
from animerun_gen.dataset.cameras import FrameCamera
from animerun_gen.dataset.checksums import file_digest
from animerun_gen.dataset.files import write_arrays
from animerun_gen.dataset.layout import camera_files
from animerun_gen.errors import DatasetError
from animerun_gen.export.layout import ClipJob, PlainLayout
from animerun_gen.export.points import read_points, require_tracks

JPEG_SETTINGS = (
    *(cv2.IMWRITE_JPEG_QUALITY, 95),
    *(cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444),
)
"""Colours at full resolution: thin coloured lines would fade otherwise."""

MOST_OBJECTS = 255
"""That a mask can tell apart."""


class PointOdyssey(PlainLayout):
    """All points; ``valids`` says where one is known."""

    def look(self, clips: Sequence[ClipFiles]) -> None:
        require_tracks(clips)

    def needs(self) -> tuple[str, ...]:
        return ("tracks", "object_id")

    def basis(self, clip: ClipFiles) -> tuple[object, ...]:
        _, cameras = camera_files(clip.root, clip.split, clip.cut)
        return (file_digest(cameras) if cameras.is_file() else None,)

    def places(self, root: Path, clip: ClipFiles) -> list[Path]:
        return [root / clip.split / clip.cut]

    def write(self, job: ClipJob) -> None:
        [folder] = self.places(job.folder.root, job.clip)
        tracks = read_points(job.clip)
        job.counts["points"] += tracks.known.shape[1]
        job.counts["unknown_places"] += int(np.count_nonzero(~tracks.known))
        cameras, lack = _cameras(job.clip)
        if lack:
            job.remarks.append(lack)
        masks = self._masks(job)
        for number, frame in enumerate(job.frames):
            rgb = folder / "rgbs" / f"rgb_{number:05d}.jpg"
            job.folder.put_bytes(rgb, partial(_jpeg, job.clip, job.pictures, frame))
            if masks is not None:
                objects = masks[job.clip.read("object_id", frame)]
                job.folder.put(folder / "masks" / f"mask_{number:05d}.png", partial(write_image, image=objects))
            job.step(frame)
        job.folder.put(folder / "anno.npz", partial(write_arrays, arrays=annotation(tracks, cameras)))

    def _masks(self, job: ClipJob) -> npt.NDArray[np.uint8] | None:
        """The value in the masks of each object id; None where there can be no masks."""
        clip = job.clip
        if not all(clip.has("object_id", frame) for frame in clip.frame_numbers):
            job.remarks.append(
                "It has no masks of objects, which the reader of PIPs++ wants; add ids to its motion.extras and run "
                "generate again."
            )
            return None
        seen: set[int] = set()
        for frame in clip.frame_numbers:
            seen.update(np.unique(clip.read("object_id", frame)).tolist())
        objects = sorted(seen - {0})
        if len(objects) > MOST_OBJECTS:
            job.remarks.append(
                f"It shows {len(objects)} objects, and masks can tell {MOST_OBJECTS} apart: some share a number."
            )
        values = np.zeros(2**16, np.uint8)
        for place, identity in enumerate(objects):
            values[identity] = place % MOST_OBJECTS + 1
        return values


def _jpeg(clip: ClipFiles, pictures: str, frame: int) -> bytes:
    picture = clip.read(pictures, frame)
    coded = cv2.cvtColor(picture, cv2.COLOR_RGB2BGR if picture.ndim == 3 else cv2.COLOR_GRAY2BGR)
    return cv2.imencode(".jpg", coded, JPEG_SETTINGS)[1].tobytes()


def _cameras(clip: ClipFiles) -> tuple[list[FrameCamera], str]:
    """The cameras of all frames, or why there are none."""
    try:
        cameras = [clip.camera(frame) for frame in clip.frame_numbers]
    except DatasetError as error:
        return [], f"It has no intrinsics and extrinsics, since its cameras cannot be read: {error.below(clip.root)}."
    if any(camera.K is None for camera in cameras):
        return [], "It has no intrinsics and extrinsics: an orthographic camera has none."
    return cameras, ""


def annotation(tracks: Tracks, cameras: Sequence[FrameCamera]) -> dict[str, npt.NDArray[Any]]:
    """The arrays of ``anno.npz``.

    Args:
        tracks: ``N`` points in ``T`` frames.
        cameras: Of the ``T`` frames, with perspective; empty where there are none.

    Returns:
        ``trajs_2d`` (T, N, 2) float32 and ``trajs_3d`` (T, N, 3) float64, NaN where unknown; ``visibs`` and ``valids``
        (T, N) bool; with cameras also ``intrinsics`` (T, 3, 3) and ``extrinsics`` (T, 4, 4), float64.
    """
    arrays: dict[str, npt.NDArray[Any]] = {
        "trajs_2d": tracks.position.astype(np.float32),
        "trajs_3d": tracks.world,
        "visibs": tracks.visible,
        "valids": tracks.known,
    }
    if cameras:
        arrays["intrinsics"] = np.array([camera.K for camera in cameras])
        arrays["extrinsics"] = np.array([camera.world_to_camera for camera in cameras])
    return arrays
