"""Pictures of a dataset for its page: a sheet of all clips, and a video of what is seen and known."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from animerun_gen.dataset import ClipFiles, write_image, written_aside
from animerun_gen.publish.sheet import Picture, draw, fitted, longest_motion, sheet_of_clips

COLUMNS = ("frame", "contour", "flow_forward", "segment")
"""What is shown of a frame, from left to right."""

PANEL = (320, 180)
"""Width and height of a picture in the video; other shapes are fitted into it."""

MOST_ROWS = 50
"""Clips on a contact sheet: what has more than some ten thousand rows of pixels hardly any viewer opens."""

RATE = 12
"""Pictures a second: animation is drawn on twos."""

GREY = 40
"""Of what is left of a panel around a picture."""


def write_contact_sheet(path: Path, clips: Sequence[ClipFiles]) -> None:
    """Draw a sheet: a row a clip, with a frame from its middle, line art, flow and segments.

    Of more than :data:`MOST_ROWS` clips it shows so many, evenly spread.

    Raises:
        DatasetError: A file cannot be read or written.
    """
    count = min(len(clips), MOST_ROWS)
    shown = [clips[place * len(clips) // count] for place in range(count)]
    write_image(path, sheet_of_clips(shown, COLUMNS, width=PANEL[0]))


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
    pictures = (picture for clip in clips for picture in panels(clip))
    with written_aside(path) as temporary:
        if ffmpeg is not None:
            _encode(ffmpeg, temporary, pictures)
        else:
            _encode_by_opencv(temporary, pictures)
    return plays


def panels(clip: ClipFiles) -> Iterator[Picture]:
    """What is seen and known of each frame of a clip side by side, without titles: ``(H, W, 3)`` uint8, RGB.

    All flow of the clip has one scale, so that a colour is the same motion in every frame.

    Raises:
        DatasetError: A file is damaged.
    """
    numbers = clip.frame_numbers
    longest = longest_motion(clip, "flow_forward")
    for frame in numbers:
        # the last frame shows the flow that leads to it
        of_flow = numbers[-2] if frame == numbers[-1] and len(numbers) > 1 else frame
        shown = [draw(clip, name, of_flow if name == "flow_forward" else frame, longest) for name in COLUMNS]
        yield np.hstack([fitted(picture, PANEL, GREY) for picture in shown])


def _ffmpeg() -> Any | None:
    try:
        import imageio_ffmpeg
    except ImportError:
        return None
    return imageio_ffmpeg


def _encode(ffmpeg: Any, path: Path, pictures: Iterator[Picture]) -> None:
    size = (len(COLUMNS) * PANEL[0], PANEL[1])
    settings = ["-preset", "medium", "-crf", "20", "-bitexact", "-threads", "1", "-movflags", "+faststart"]
    writer = ffmpeg.write_frames(str(path), size, fps=RATE, codec="libx264", macro_block_size=2, output_params=settings)
    # where a picture cannot be read, too, before the file goes that the program writes
    with closing(writer):
        writer.send(None)
        for picture in pictures:
            writer.send(np.ascontiguousarray(picture))


def _encode_by_opencv(path: Path, pictures: Iterator[Picture]) -> None:
    size = (len(COLUMNS) * PANEL[0], PANEL[1])
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), RATE, size)
    for picture in pictures:
        writer.write(cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
    writer.release()
