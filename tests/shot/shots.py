"""A film shot as facts, to be changed by the tests."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from animerun_gen.shot.shot import Shot, Survey

SURVEY = Survey(
    frames=tuple(range(1, 9)),
    triangles=1000,
    instances=3,
    seconds=0.01,
    held=(),
    posed=(),
    changed_topology=(),
    came_or_went=(),
    textured=0.0,
)

PLAIN = Shot(
    source="/films/plain.blend",
    engine="Blender 4.5.15",
    saved_with="4.5",
    complaints="",
    scene="Scene",
    scenes=("Scene",),
    view_layer="ViewLayer",
    view_layers=("ViewLayer",),
    frame_range=(1, 72),
    animated_range=(1, 72),
    clip=(1, 72),
    picture=(960, 402),
    simulated=False,
    frame_rate=24.0,
    resolution=(2048, 858),
    camera="Camera",
    camera_problem="",
    cameras=("Camera",),
    camera_cuts=(),
    zooming=(),
    view_keys=(),
    film_look=(),
    missing=(),
    drivers=(),
    removals=(),
    bare_displays=(),
    unreadable=(),
    hair=(),
    particles=(),
    see_through=(),
    background="#102030",
    materials=2,
    from_shaders=0,
    survey=SURVEY,
)


def shot(**changes: Any) -> Shot:
    """The plain shot with other facts."""
    return replace(PLAIN, **changes)
