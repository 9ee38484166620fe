"""Spring: flow in HDF5 at twice the resolution of the frames (Mehl et al., CVPR 2023).

``train/<cut>/frame_left/frame_left_0001.png`` and ``flow_{FW,BW}_left/flow_FW_left_0001.flo5``, numbered from 1.
"""

from __future__ import annotations

import io
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from animerun_gen.dataset import ClipFiles
from animerun_gen.errors import UsageError
from animerun_gen.export.labels import Way, read_motion
from animerun_gen.export.layout import ClipJob, PlainLayout, digits

WAYS: tuple[tuple[str, Way], ...] = (("FW", "forward"), ("BW", "backward"))


class Spring(PlainLayout):
    """Flow both ways.

    Readers take every second value of every second row, or hold a prediction against the four values of a pixel.  Our
    flow is that of the pixel's centre, so all four values are that one.
    """

    def require(self) -> None:
        _h5py()

    def needs(self) -> tuple[str, ...]:
        return ("flow_forward", "valid_forward", "flow_backward", "valid_backward")

    def places(self, root: Path, clip: ClipFiles) -> list[Path]:
        return [root / clip.split / clip.cut]

    def write(self, job: ClipJob) -> None:
        [folder] = self.places(job.folder.root, job.clip)
        width = digits(len(job.frames))
        for number, frame in enumerate(job.frames, 1):
            job.put_picture(folder / "frame_left" / f"frame_left_{number:0{width}d}.png", frame)
            for name, way in WAYS:
                if frame not in job.clip.frames(f"flow_{way}"):
                    continue
                motion = read_motion(job.clip, frame, way)
                job.counts["pixels"] += motion.known.size
                job.counts["unknown_pixels"] += motion.unknown
                path = folder / f"flow_{name}_left" / f"flow_{name}_left_{number:0{width}d}.flo5"
                job.folder.put_bytes(path, partial(flo5_bytes, motion.flow))
            job.step(frame)


def flo5_bytes(flow: npt.NDArray[np.float32]) -> bytes:
    """A file of Spring's flow.

    Args:
        flow: ``(H, W, 2)`` float32, pixels of the frame.

    Returns:
        An HDF5 file whose data set ``flow`` is ``(2 H, 2 W, 2)`` float32, in pixels of the frame, too.
    """
    doubled = flow.repeat(2, axis=0).repeat(2, axis=1)
    stream = io.BytesIO()
    with _h5py().File(stream, "w") as file:
        file.create_dataset("flow", data=doubled, compression="gzip", compression_opts=5, track_times=False)
    return stream.getvalue()


def _h5py() -> Any:
    try:
        import h5py
    except ImportError as error:
        raise UsageError(
            "the layout spring is made of HDF5 files, which the package h5py writes, and it is not installed",
            remedy="install it: pip install 'animerun-gen[export]'",
        ) from error
    return h5py
