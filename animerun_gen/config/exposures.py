"""Which frame of the film each layer of a clip shows in each of the clip's frames."""

from __future__ import annotations

from collections.abc import Sequence

from animerun_gen.config.exposure_sheet import ExposureSheet, read_sheet
from animerun_gen.config.messages import shown, spans
from animerun_gen.config.model import LayerTiming, Timing
from animerun_gen.errors import ConfigError

Exposures = dict[str, tuple[int, ...]]
"""By layer, the film's frame that each frame of a clip shows of it."""


def exposures(timing: Timing, frames: Sequence[int], shots: Sequence[int] = (0,)) -> Exposures:
    """Which frame of the film each timed layer shows in each frame of a clip.

    On ones, twos and so on, a layer changes every ``on`` frames of the clip, counted from the first frame of the shot:
    that of the clip, or the first behind a camera cut.  No layer is held across a cut, nor shows what lies before one
    or outside the clip.  What is not named in ``timing`` shows every frame.

    Args:
        timing: What the cut asks for.
        frames: The clip's frames, as the film numbers them, ascending.
        shots: Indices into ``frames`` of the first frame of each shot, ascending; the first is 0.

    Returns:
        By layer, those of the sheet first; as many film frames as there are ``frames``.

    Raises:
        ConfigError: The sheet is wrong, or a list of frames or the sheet does not fit the clip.

    Example:
        >>> exposures(Timing(layers={"hero": LayerTiming(on=2)}), range(10, 15))
        {'hero': (10, 10, 12, 12, 14)}
        >>> exposures(Timing(layers={"hero": LayerTiming(on=2)}), range(10, 15), (0, 3))
        {'hero': (10, 10, 12, 13, 13)}
    """
    shot_of = _shots_of(len(frames), shots)
    found: Exposures = {}
    if timing.sheet is not None:
        sheet = read_sheet(timing.sheet)
        where = str(timing.sheet)
        rows = _rows(sheet, frames, where)
        for name, cells in sheet.layers.items():
            used = [cells[row] for row in rows]
            of_layer = f"{where}, layer {shown(name)}"
            found[name] = (
                _of_drawings(used, frames, shot_of)
                if timing.cells == "drawings"
                else _of_cells(used, frames, shot_of, of_layer)
            )
    for name, layer in timing.layers.items():
        if name in found:
            continue
        if layer.frames is None:
            found[name] = _of_rate(layer, frames, shot_of)
            continue
        where = f"timing.layers.{name}.frames"
        if len(layer.frames) != len(frames):
            raise ConfigError(
                [f"{where} has {len(layer.frames)} frames, but the clip {len(frames)}; list one for each frame"]
            )
        found[name] = _of_cells(layer.frames, frames, shot_of, where)
    return found


def _shots_of(count: int, shots: Sequence[int]) -> list[int]:
    """For each frame of a clip, which is the first of its shot."""
    first, found = 0, []
    for index in range(count):
        first = index if index in shots else first
        found.append(first)
    return found


def _of_rate(layer: LayerTiming, frames: Sequence[int], shot_of: Sequence[int]) -> tuple[int, ...]:
    shown_frames = []
    for index, first in enumerate(shot_of):
        place = index - first
        # before the phase is reached for the first time, the shot's first frame is held
        latest = max(0, place - (place - layer.phase) % layer.on)
        shown_frames.append(frames[first + latest])
    return tuple(shown_frames)


def _of_drawings(cells: Sequence[int | None], frames: Sequence[int], shot_of: Sequence[int]) -> tuple[int, ...]:
    """A drawing shows the film as it is where its shot's part of the sheet has it first."""
    shown_frames: list[int] = []
    drawings: dict[int, int] = {}
    for index, (cell, first) in enumerate(zip(cells, shot_of, strict=True)):
        if index == first:
            drawings = {}
        if cell is not None:
            shown_frames.append(drawings.setdefault(cell, frames[index]))
        else:
            shown_frames.append(frames[index] if index == first else shown_frames[-1])
    return tuple(shown_frames)


def _of_cells(
    cells: Sequence[int | None], frames: Sequence[int], shot_of: Sequence[int], where: str
) -> tuple[int, ...]:
    """Film frames as they are listed; an empty cell holds the one before, and at a shot's beginning shows its own."""
    shown_frames: list[int] = []
    places = {frame: index for index, frame in enumerate(frames)}
    for index, (cell, first) in enumerate(zip(cells, shot_of, strict=True)):
        if cell is None:
            shown_frames.append(frames[index] if index == first else shown_frames[-1])
            continue
        if cell not in places:
            raise ConfigError(
                [
                    f"{where} shows film frame {cell} in frame {frames[index]}, but the clip consists of frames "
                    f"{spans(frames, frames)}; list frames of the clip only"
                ]
            )
        if shot_of[places[cell]] != first:
            raise ConfigError(
                [
                    f"{where} shows film frame {cell} in frame {frames[index]}, but there is a camera cut between the "
                    "two, and no layer is held across one; list a frame of the same shot"
                ]
            )
        shown_frames.append(cell)
    return tuple(shown_frames)


def _rows(sheet: ExposureSheet, frames: Sequence[int], where: str) -> list[int]:
    """The row of each frame of the clip."""
    places = {frame: row for row, frame in enumerate(sheet.frames)}
    lacking = [frame for frame in frames if frame not in places]
    if lacking:
        raise ConfigError(
            [f"{where} has no row for frames {spans(lacking, frames, 5)} of the clip; add one for each frame"]
        )
    return [places[frame] for frame in frames]
