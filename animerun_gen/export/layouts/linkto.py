"""LinkTo-Anime: pictures and flow in OpenEXR files.

``train/<cut>/film/camera/Rendering/0001.png`` and ``Optical_flow_exr/0001.exr``, numbered from 1; a scene, a model and
a view, which are one here.
"""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from animerun_gen.dataset import ClipFiles
from animerun_gen.errors import UsageError
from animerun_gen.export.labels import Motion, read_motion
from animerun_gen.export.layout import ClipJob, PlainLayout, digits

_SWITCH = "OPENCV_IO_ENABLE_OPENEXR"
"""OpenCV writes OpenEXR only where this is set before the first such file."""


class LinkTo(PlainLayout):
    """Forward flow; the k-th file leads from frame k to the next one."""

    def require(self) -> None:
        os.environ[_SWITCH] = "1"
        try:
            cv2.imencode(".exr", np.zeros((1, 1, 3), np.float32))
        except cv2.error as error:
            raise UsageError(
                "the layout linkto is made of OpenEXR files, which the installed OpenCV does not write",
                remedy=f"set the environment variable {_SWITCH} to 1, or install opencv-python-headless from PyPI",
            ) from error

    def needs(self) -> tuple[str, ...]:
        return ("flow_forward", "valid_forward")

    def places(self, root: Path, clip: ClipFiles) -> list[Path]:
        return [root / clip.split / clip.cut]

    def write(self, job: ClipJob) -> None:
        [scene] = self.places(job.folder.root, job.clip)
        view = scene / "film" / "camera"
        width = digits(len(job.frames))
        for number, frame in enumerate(job.frames, 1):
            job.put_picture(view / "Rendering" / f"{number:0{width}d}.png", frame)
            if frame != job.frames[-1]:
                motion = read_motion(job.clip, frame)
                job.counts["pixels"] += motion.known.size
                job.counts["unknown_pixels"] += motion.unknown
                path = view / "Optical_flow_exr" / f"{number:0{width}d}.exr"
                job.folder.put_bytes(path, partial(_encoded, motion))
            job.step(frame)


def _encoded(motion: Motion) -> bytes:
    return exr_bytes(motion.flow, motion.known)


def exr_bytes(flow: npt.NDArray[np.float32], known: npt.NDArray[np.bool_]) -> bytes:
    """An OpenEXR file of flow.

    Args:
        flow: ``(H, W, 2)`` float32, pixels, ``UNKNOWN_ELSEWHERE`` where it is unknown.
        known: ``(H, W)`` bool, where it is known.

    Returns:
        Three channels of 32-bit floats: R is u, G is v, B is 1 where the motion is known and 0 elsewhere.
    """
    blue_green_red = np.dstack([known.astype(np.float32), flow[..., 1], flow[..., 0]])
    settings = [cv2.IMWRITE_EXR_TYPE, cv2.IMWRITE_EXR_TYPE_FLOAT]
    return cv2.imencode(".exr", blue_green_red, settings)[1].tobytes()
