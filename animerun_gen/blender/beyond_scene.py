"""Says which frames of a clip lie outside the scene's own range without anything that is animated there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import bpy

from animerun_gen.blender.animation import animated_range
from animerun_gen.config import CutConfig


def note_frames_beyond(scene: bpy.types.Scene, config: CutConfig) -> list[str]:
    """What is to be said of frames in which the film has ended, or has not begun: a sentence each, or none.

    Films are animated beyond their range, and are cut so on purpose; so nothing is said of frames that move.

    Args:
        scene: The scene, opened and not converted.
        config: The cut, in the film's numbers.
    """
    begin, end = scene.frame_start, scene.frame_end
    frames = config.frames.film_numbers
    if begin <= frames[0] and frames[-1] <= end:
        return []
    with _reaching_over(scene, frames):
        moving = animated_range(scene, trust_scripts=config.trust_scripts) or (begin, end)
    early = [frame for frame in frames if frame < min(begin, moving[0])]
    late = [frame for frame in frames if frame > max(end, moving[1])]
    notes = []
    if early:
        notes.append(_sentence(early, f"before the scene's start, {begin}", "raise frames.first"))
    if late:
        notes.append(_sentence(late, f"past the scene's end, {end}", "lower frames.last"))
    return notes


def _sentence(frames: Sequence[int], where: str, remedy: str) -> str:
    if len(frames) == 1:
        return f"frame {frames[0]} is {where}, and nothing is animated there; {remedy} to leave it out"
    return (
        f"frames {frames[0]} to {frames[-1]} are {where}, and nothing is animated there: these {len(frames)} frames of "
        f"the clip show the same; {remedy} to leave them out"
    )


@contextmanager
def _reaching_over(scene: bpy.types.Scene, frames: Sequence[int]) -> Iterator[None]:
    """Within, the scene's range holds all of the clip: what goes on for ever goes on over that range."""
    begin, end = scene.frame_start, scene.frame_end
    scene.frame_start, scene.frame_end = min(begin, frames[0]), max(end, frames[-1])
    try:
        yield
    finally:
        scene.frame_start, scene.frame_end = begin, end
