"""One pair of frames of a cut, made as the dataset will hold it, as a picture: what ``preview`` shows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from animerun_gen.config import CutConfig
from animerun_gen.conventions import known_flow
from animerun_gen.dataset import ClipFiles
from animerun_gen.dataset.files import read_regular, system_says, written_aside
from animerun_gen.dataset.layout import log_file
from animerun_gen.engines.blenders import Engine
from animerun_gen.engines.scratch import TemporaryFolder
from animerun_gen.errors import AnimerunGenError, DatasetError, UsageError
from animerun_gen.pipeline.options import Options
from animerun_gen.pipeline.run import generate
from animerun_gen.pipeline.summary import CutSummary
from animerun_gen.publish.sheet import Panel, Picture, draw, sheet
from animerun_gen.quality.colors import labels_to_color

LONGER_SIDE = 480
"""Pixels of the longer side of a picture that is to be there in seconds."""

SHORTEST_SIDE = 16
"""Pixels that a side has at least (``resolution``)."""


@dataclass(frozen=True)
class PairPreview:
    """A pair of frames that was made.

    Attributes:
        frames: The earlier and the later one, as files number them.
        picture: A row for each: the frame, its line art, its flow into the other, its segments.  None where one of the
            frames could not be made.
        summary: What became of the cut, or of the stretch of it that has the pair.
    """

    frames: tuple[int, int]
    picture: Picture | None
    summary: CutSummary


def preview_pair(config: CutConfig, frame: int | None, engine: Engine, log: Path | None = None) -> PairPreview:
    """Make one pair of frames with everything that belongs to it, and draw it.

    It is made by the run that makes datasets, in a temporary folder that is gone at the end, so that the picture shows
    what the dataset will hold.

    Args:
        config: The cut.
        frame: Which frame, as files number them: the pair is this one and the next of the clip, or the one before
            where it is the last.  None: the middle of the clip.
        engine: The Blender that renders.
        log: Where what Blender printed is kept when something fails; a file that is there is replaced.  None: nowhere.

    Returns:
        The pair.  Where the cut is split at its camera cuts, both frames are of one stretch.

    Raises:
        UsageError: The cut has no such frame.
        DatasetError: The frame is alone between two camera cuts, or a file cannot be written.
    """
    numbers = config.frame_numbers
    if frame is None:
        frame = numbers[(len(numbers) - 1) // 2]
    if frame not in numbers:
        steps = f" in steps of {config.frames.step}" if config.frames.step > 1 else ""
        raise UsageError(
            f"cut '{config.name}' has no such frame, only {numbers[0]} to {numbers[-1]}{steps}",
            f"--frame {frame}",
            "choose another one",
        )
    pair = neighbours(frame, numbers)
    with TemporaryFolder() as folder:
        output = Path(folder, "dataset")
        with _log_kept(output, log):
            summary = _make(config, frame, pair, output, engine)
            own = neighbours(frame, summary.config.frame_numbers)
            if own != pair and not summary.failures:
                # its next frame is on the other side of a camera cut, which only that run has found
                notes, pair = summary.notes, own
                summary = _make(config, frame, pair, output, engine)
                for note in notes:
                    summary.note(note)
        if summary.failures:
            summary.failures[:] = _pointing_to(_keep_log(output, log), summary.failures)
        clip = ClipFiles(output, summary.config.split, summary.config.name)
        there = all(clip.has("frame", number) for number in pair)
        return PairPreview(pair, sheet(_rows(clip, *pair)) if there else None, summary)


def _make(config: CutConfig, frame: int, pair: tuple[int, int], output: Path, engine: Engine) -> CutSummary:
    """Make a pair, and say what became of the stretch of the cut that has a frame."""
    # what is told names the log that is kept, which is only known in the end
    summaries = generate([config], Options(output, engine=engine, frames=pair, announce=False))
    for summary in summaries:
        if frame in summary.config.frame_numbers:
            return summary
    raise DatasetError(
        f"frame {frame} stands alone between two camera cuts, so there is no motion from or to it",
        f"cut '{config.name}'",
        "choose another --frame",
    )


@contextmanager
def _log_kept(output: Path, log: Path | None) -> Iterator[None]:
    """Keep what Blender printed where the work ends with an error, and name that file in it."""
    try:
        yield
    except AnimerunGenError as error:
        kept = _keep_log(output, log)
        [error.what] = _pointing_to(kept, [error.what])
        if isinstance(error.where, Path):
            error.where = kept.get(error.where, error.where)
        raise


def _keep_log(output: Path, log: Path | None) -> dict[Path, Path | str]:
    """Keep what Blender printed beyond the temporary folder.

    Returns:
        What to say in place of each log of the temporary folder.
    """
    there = sorted(log_file(output, "any").parent.glob("*.log"))
    instead: Path | str = "gone with the temporary folder"
    if log is not None and there:
        try:
            with written_aside(log) as temporary:
                temporary.write_bytes(b"".join(map(read_regular, there)))
            instead = log
        except DatasetError as error:
            instead = f"gone with the temporary folder, because {error}"
        except OSError as error:
            instead = f"gone with the temporary folder, because it could not be read: {system_says(error)}"
    return dict.fromkeys(there, instead)


def _pointing_to(kept: Mapping[Path, Path | str], sentences: Sequence[str]) -> list[str]:
    """Sentences that name the logs that are kept instead of those that are not."""
    found = list(sentences)
    for path, instead in kept.items():
        found = [sentence.replace(str(path), str(instead)) for sentence in found]
    return found


def neighbours(frame: int, numbers: Sequence[int]) -> tuple[int, int]:
    """A frame of a clip and the next one; of the last frame, the one before and itself.

    Example:
        >>> neighbours(3, (1, 3, 5)), neighbours(5, (1, 3, 5))
        ((3, 5), (3, 5))
    """
    place = min(numbers.index(frame), len(numbers) - 2)
    return numbers[place], numbers[place + 1]


def lightened(config: CutConfig, *, full: bool) -> CutConfig:
    """The cut without what a picture of a pair does not show and would have to wait for.

    Args:
        config: The cut.
        full: Whether pictures keep the resolution that the cut asks for; else their longer side has at most
            :data:`LONGER_SIDE` pixels.

    Returns:
        The same frames of the same film, converted in the same way, without motion over larger gaps, tracks, and colour
        passes.
    """
    width, height = config.resolution
    scale = 1.0 if full else min(1.0, LONGER_SIDE / max(width, height))
    values = config.model_dump()
    values["resolution"] = tuple(max(round(side * scale), SHORTEST_SIDE) for side in (width, height))
    values["motion"] |= {"gaps": (1,), "tracks": 0}
    values["recolor"] |= {"passes": 0}
    values["layers"] |= {"passes": False}
    return CutConfig.model_validate(values)


def _rows(clip: ClipFiles, earlier: int, later: int) -> list[list[Panel]]:
    rows = []
    for frame, other, direction in ((earlier, later, "forward"), (later, earlier, "backward")):
        row = [
            Panel(f"{clip.cut}: frame {frame}", draw(clip, "frame", frame)),
            Panel("line art", draw(clip, "contour", frame)),
            Panel(_flow_title(clip, frame, other, direction), draw(clip, f"flow_{direction}", frame)),
        ]
        rows.append(row)
    rows[0].append(Panel("segments", draw(clip, "segment", earlier)))
    rows[1].append(Panel("segments, in the colours of their matches (grey: none)", _matched(clip, later)))
    return rows


def _flow_title(clip: ClipFiles, frame: int, other: int, direction: str) -> str:
    if not clip.has(f"flow_{direction}", frame):
        return f"no flow to {other}"
    flow = clip.read_motion(direction, frame)
    known = known_flow(flow)
    longest = float(np.hypot(*flow[known].T).max(initial=0.0))
    unknown = 1.0 - float(known.mean())
    said = f"flow to {other}, up to {longest:.1f} px"
    return f"{said}; unknown (black): {unknown:.2%}" if unknown else said


def _matched(clip: ClipFiles, frame: int) -> Picture | None:
    """The segments of the later frame, each in the colour of the one that it comes from."""
    if not (clip.has("segment", frame) and clip.has("match_backward", frame)):
        return draw(clip, "segment", frame)
    comes_from: npt.NDArray[np.int64] = np.array([best[0] for best in clip.read("match_backward", frame)], np.int64)
    return labels_to_color(comes_from[clip.read("segment", frame)])
