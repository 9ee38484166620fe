"""Which frame of the film each layer shows in each frame of a clip whose layers have timings of their own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate

import bpy

from animerun_gen.blender.camera_jumps import CameraJump
from animerun_gen.blender.camera_marks import cameras_by_frame
from animerun_gen.blender.layer_groups import LayerGroups
from animerun_gen.config import CutConfig
from animerun_gen.config.exposures import exposures
from animerun_gen.errors import ConfigError


@dataclass(frozen=True)
class Timesheet:
    """The timing of a clip's layers.

    Attributes:
        groups: The layers.
        film_frames: By frame of the clip (as the film numbers it) the film's frame that each layer shows, in the order
            of the layers' numbers.
        on_screen: Which layers are held on the screen, in the same order.
    """

    groups: LayerGroups
    film_frames: Mapping[int, tuple[int, ...]]
    on_screen: tuple[bool, ...]

    @property
    def most_at_once(self) -> int:
        """Of how many frames of the film something has to be kept at a time, at most."""
        first: dict[int, int] = {}
        last: dict[int, int] = {}
        numbers = sorted(self.film_frames)
        for index, frame in enumerate(numbers):
            for there in self.of(frame):
                first.setdefault(there, index)
                last[there] = index
        changes = [0] * (len(numbers) + 1)
        for there, index in first.items():
            changes[index] += 1
            changes[last[there] + 1] -= 1
        return max(accumulate(changes))

    def layers_of(self, frame: int, there: int) -> tuple[frozenset[int], frozenset[int]]:
        """The layers of a frame of the clip that show a frame of the film.

        Returns:
            Those that are held in the world, or not at all, and those that are held on the screen.
        """
        layers = frozenset(number for number, each in enumerate(self.film_frames[frame]) if each == there)
        on_screen = frozenset(number for number in layers if self.on_screen[number] and there != frame)
        return layers - on_screen, on_screen

    def drawn_together(self) -> set[frozenset[int]]:
        """The sets of layers that any frame of the clip shows as they are at one frame of the film, by one camera."""
        pairs = [(frame, there) for frame in self.film_frames for there in self.of(frame)]
        sets = {layers for frame, there in pairs for layers in self.layers_of(frame, there)}
        return sets - {frozenset()}

    def of(self, frame: int) -> frozenset[int]:
        """The film's frames that a frame of the clip is put together from; its own is always among them."""
        return frozenset({frame, *self.film_frames[frame]})


def read_timesheet(
    scene: bpy.types.Scene, config: CutConfig, groups: LayerGroups, jumps: Sequence[CameraJump]
) -> Timesheet | None:
    """Find the timing of a clip's layers.

    Args:
        scene: The converted scene.
        config: The cut, in the film's numbers.
        groups: Its layers.
        jumps: Where its cameras jump.

    Returns:
        The timing, which depends on the whole clip and not on what is rendered of it; None where all is on ones.

    Raises:
        ConfigError: The exposure sheet is wrong, or names a layer that is not there.
    """
    if not config.timing.is_on:
        return None
    numbers = config.frame_numbers
    timing = config.timing.of(groups.names)
    shown = exposures(timing, numbers, _shots(scene, numbers, jumps))
    for name in shown:
        if name not in groups.names:
            raise ConfigError(
                [
                    f"timing: there is no layer '{name}'; the layers are {', '.join(groups.names)}. Correct its name, "
                    "or add it to layers.groups"
                ]
            )
    if not _may_hold(config):
        return None
    by_layer = [shown.get(name, numbers) for name in groups.names]
    holding = [timing.layers.get(name) for name in groups.names]
    return Timesheet(
        groups=groups,
        film_frames={frame: tuple(layer[index] for layer in by_layer) for index, frame in enumerate(numbers)},
        on_screen=tuple(held is not None and held.hold == "screen" for held in holding),
    )


def _may_hold(config: CutConfig) -> bool:
    """Whether a layer may be shown as it is at another frame: a clip that becomes longer must not change its mind."""
    timing = config.timing
    return timing.sheet is not None or any(
        layer.on > 1 if layer.frames is None else layer.frames != config.frame_numbers
        for layer in timing.layers.values()
    )


def _shots(scene: bpy.types.Scene, numbers: Sequence[int], jumps: Sequence[CameraJump]) -> list[int]:
    """Indices of the frames with which another camera, or another view of one, begins."""
    cameras = cameras_by_frame(scene, numbers)
    found = [0]
    for index in range(1, len(numbers)):
        earlier, frame = numbers[index - 1], numbers[index]
        if cameras.get(earlier) != cameras.get(frame) or any(earlier < jump.frame <= frame for jump in jumps):
            found.append(index)
    return found
