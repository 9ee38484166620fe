"""Compares the geometry of frames: what is held, what changes its topology, what comes and goes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from animerun_gen.motion.geometry import FrameGeometry
from animerun_gen.shot.shot import Survey


@dataclass
class SurveyBuilder:
    """Looks at neighbouring frames one after the other and keeps only the last one.

    Attributes:
        names: Object id to name.
        textured: Largest share of a frame's pixels whose material shows an image.
        attributed: Largest share of a frame's pixels whose colour varies with attributes or objects.
        pieces: Pieces of lines that Freestyle has to draw in the first frame.
        visits: How often triangles of its grid are asked about them.
        memory: Bytes that a worker will take, without images and Freestyle.
        image_memory: Bytes that images take in addition where they are painted.
        moving_images: Whether an image sequence or a movie is seen in any frame.
    """

    names: dict[int, str]
    textured: float = 0.0
    attributed: float = 0.0
    pieces: int = 0
    visits: int = 0
    memory: int = 0
    image_memory: int = 0
    moving_images: bool = False
    _frames: list[int] = field(default_factory=list)
    _seconds: list[float] = field(default_factory=list)
    _last: FrameGeometry | None = None
    _last_colors: Mapping[str, Any] = field(default_factory=dict)
    _triangles: int = 0
    _instances: int = 0
    _held: list[int] = field(default_factory=list)
    _posed: list[int] = field(default_factory=list)
    _changed: set[str] = field(default_factory=set)
    _came: set[str] = field(default_factory=set)

    def look(self, geometry: FrameGeometry, seconds: float, colors: Mapping[str, Any] | None = None) -> None:
        """Take the next frame in.

        Args:
            geometry: What it shows.
            seconds: What it took to evaluate and take down.
            colors: The colours that are not the same in all frames, as it has them.
        """
        self._frames.append(geometry.frame)
        self._seconds.append(seconds)
        sizes = np.diff(geometry.triangle_start)
        triangles = int(sizes[geometry.mesh].sum())
        if triangles >= self._triangles:
            self._triangles, self._instances = triangles, len(geometry.keys)
        if self._last is not None:
            self._compare(self._last, geometry, repainted=self._last_colors != (colors or {}))
        self._last, self._last_colors = geometry, colors or {}

    @property
    def triangles(self) -> int:
        """Triangles of the heaviest frame so far."""
        return self._triangles

    def survey(self) -> Survey:
        """What was seen."""
        return Survey(
            frames=tuple(self._frames),
            triangles=self._triangles,
            instances=self._instances,
            seconds=float(np.median(self._seconds)) if self._seconds else 0.0,
            held=tuple(self._held),
            posed=tuple(self._posed),
            changed_topology=tuple(sorted(self._changed)),
            came_or_went=tuple(sorted(self._came)),
            textured=self.textured,
            attributed=self.attributed,
            pieces=self.pieces,
            visits=self.visits,
            memory=self.memory,
            image_memory=self.image_memory,
            moving_images=self.moving_images,
        )

    def _compare(self, one: FrameGeometry, other: FrameGeometry, *, repainted: bool) -> None:
        place = {key: index for index, key in enumerate(other.keys)}
        for index, key in enumerate(one.keys):
            twin = place.pop(key, None)
            name = self.names.get(int(one.object_ids[index]), key)
            if twin is None:
                self._came.add(name)
            elif one.topologies[one.mesh[index]] != other.topologies[other.mesh[twin]]:
                self._changed.add(name)
        for index in place.values():
            self._came.add(self.names.get(int(other.object_ids[index]), other.keys[index]))
        if not repainted and poses_are_equal(one, other):
            still = np.array_equal(one.camera.world, other.camera.world) and np.array_equal(
                one.camera.projection, other.camera.projection
            )
            (self._held if still and one.camera.name == other.camera.name else self._posed).append(one.frame)


def poses_are_equal(one: FrameGeometry, other: FrameGeometry) -> bool:
    """Whether two frames show the same things, in the same materials, at the same places in the world.

    The camera may move all the same.
    """
    return (
        one.keys == other.keys
        and one.topologies == other.topologies
        and np.array_equal(one.mesh, other.mesh)
        and np.array_equal(one.matrices, other.matrices)
        and np.array_equal(one.vertices, other.vertices)
        and np.array_equal(one.triangle_slots, other.triangle_slots)
        and np.array_equal(one.slot_materials, other.slot_materials)
    )


def held_step(survey: Survey) -> tuple[int, int] | None:
    """The rhythm in which a film is animated "on twos" or "on threes".

    Args:
        survey: What neighbouring frames showed.

    Returns:
        The distance between two drawings in frames, and the first frame looked at that begins one; None where every
        frame is a drawing of its own, nothing moves at all, or no rhythm is found.
    """
    changes = [frame for frame in survey.frames[:-1] if frame not in survey.held]
    if not survey.held or len(changes) < 3:
        return None
    gaps = np.diff(changes)
    step = int(gaps[0])
    if step < 2 or (gaps != step).any():
        return None
    begin = changes[0] + 1
    while begin - step >= survey.frames[0]:
        begin -= step
    return step, begin
