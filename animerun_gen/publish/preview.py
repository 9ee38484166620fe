"""Pictures of a dataset for its page: a sheet of all clips, and a video of what is seen and known."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from animerun_gen.conventions import known_flow
from animerun_gen.dataset import ClipFiles, write_image, written_aside

PANEL = (320, 180)
"""Width and height of a picture on the sheet and in the video; other shapes are fitted into it."""

RATE = 12
"""Pictures a second: animation is drawn on twos."""

GREY = 40
"""Of what is left of a panel around a picture, and of motion that is unknown."""


def write_contact_sheet(path: Path, clips: Sequence[ClipFiles]) -> None:
    """Draw a sheet: a row a clip, with its first frame, line art, flow and segments.

    Raises:
        DatasetError: A file cannot be read or written.
    """
    rows = [panels(clip, clip.frame_numbers[0]) for clip in clips]
    write_image(path, np.vstack(rows))


def write_video(path: Path, clips: Sequence[ClipFiles], *, again: bool) -> str:
    """Draw a video of all clips: frame, line art, flow and segments side by side.

    Args:
        path: The file, ``.mp4``.
        clips: What it shows, one after the other.
        again: Whether one that is there is replaced.

    Returns:
        What plays it, as a sentence.

    Raises:
        DatasetError: A file cannot be read or written.
    """
    ffmpeg = _ffmpeg()
    plays = (
        "it is H.264, which every browser plays"
        if ffmpeg is not None
        else "it is MPEG-4 Part 2, which VLC and mpv play and browsers do not; install imageio-ffmpeg for one that "
        "they play"
    )
    if path.is_file() and not again:
        return plays
    pictures = (panels(clip, frame) for clip in clips for frame in clip.frame_numbers)
    with written_aside(path) as temporary:
        if ffmpeg is not None:
            _encode(ffmpeg, temporary, pictures)
        else:
            _encode_by_opencv(temporary, pictures)
    return plays


def panels(clip: ClipFiles, frame: int) -> npt.NDArray[np.uint8]:
    """What is seen and known of a frame side by side: ``(H, W, 3)`` uint8, RGB.

    Raises:
        DatasetError: A file is damaged.
    """
    shown = [clip.read("frame", frame)]
    if clip.has("contour", frame):
        shown.append(np.repeat(clip.read("contour", frame)[..., None], 3, axis=2))
    flow_frame = frame if frame != clip.frame_numbers[-1] or len(clip.frame_numbers) < 2 else clip.frame_numbers[-2]
    if clip.has("flow_forward", flow_frame):
        shown.append(flow_picture(clip.read("flow_forward", flow_frame)))
    if clip.has("segment", frame):
        shown.append(_segment_picture(clip.read("segment", frame)))
    shown += [np.full_like(shown[0], GREY)] * (4 - len(shown))
    return np.hstack([_fitted(picture) for picture in shown])


def flow_picture(flow: npt.NDArray[np.float32]) -> npt.NDArray[np.uint8]:
    """Flow as colours: the hue says where to, the saturation how far, relative to the fastest hundredth.

    Args:
        flow: ``(H, W, 2)`` float32, pixels.

    Returns:
        ``(H, W, 3)`` uint8, RGB; what is unknown is grey.
    """
    known = known_flow(flow)
    u, v = (np.where(known, flow[..., axis], 0.0) for axis in (0, 1))
    length = np.hypot(u, v)
    fastest = max(float(np.percentile(length[known], 99)) if known.any() else 0.0, 1e-3)
    hue = (np.degrees(np.arctan2(v, u)) % 360.0) / 2.0
    saturation = np.clip(length / fastest, 0.0, 1.0) * 255.0
    colors = np.stack([hue, saturation, np.full_like(hue, 255.0)], axis=-1).astype(np.uint8)
    picture: npt.NDArray[np.uint8] = cv2.cvtColor(colors, cv2.COLOR_HSV2RGB).astype(np.uint8)
    picture[~known] = GREY
    return picture


def _segment_picture(segments: npt.NDArray[np.int32]) -> npt.NDArray[np.uint8]:
    # neighbours in number are far apart in hue
    hue = (segments.astype(np.int64) * 67 % 180).astype(np.uint8)
    value = (160 + segments.astype(np.int64) * 37 % 96).astype(np.uint8)
    colors = np.stack([hue, np.full_like(hue, 120), value], axis=-1)
    return cv2.cvtColor(colors, cv2.COLOR_HSV2RGB).astype(np.uint8)


def _fitted(picture: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    width, height = PANEL
    scale = min(width / picture.shape[1], height / picture.shape[0])
    size = (max(round(picture.shape[1] * scale), 1), max(round(picture.shape[0] * scale), 1))
    small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    panel = np.full((height, width, 3), GREY, np.uint8)
    top, left = (height - size[1]) // 2, (width - size[0]) // 2
    panel[top : top + size[1], left : left + size[0]] = small
    return panel


def _ffmpeg() -> Any | None:
    try:
        import imageio_ffmpeg
    except ImportError:
        return None
    return imageio_ffmpeg


def _encode(ffmpeg: Any, path: Path, pictures: Iterator[npt.NDArray[np.uint8]]) -> None:
    size = (4 * PANEL[0], PANEL[1])
    settings = ["-preset", "medium", "-crf", "20", "-bitexact", "-threads", "1", "-movflags", "+faststart"]
    writer = ffmpeg.write_frames(str(path), size, fps=RATE, codec="libx264", macro_block_size=2, output_params=settings)
    writer.send(None)
    for picture in pictures:
        writer.send(np.ascontiguousarray(picture))
    writer.close()


def _encode_by_opencv(path: Path, pictures: Iterator[npt.NDArray[np.uint8]]) -> None:
    size = (4 * PANEL[0], PANEL[1])
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), RATE, size)
    for picture in pictures:
        writer.write(cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
    writer.release()
