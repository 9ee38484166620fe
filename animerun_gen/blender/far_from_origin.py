"""Says how coarse Blender's numbers are where a camera stands far from the origin, in pixels."""

from __future__ import annotations

import numpy as np

from animerun_gen.blender.convert import Conversion
from animerun_gen.blender.geometry import scene_names, take_down
from animerun_gen.blender.opening import OpenedScene
from animerun_gen.blender.recentering import place_of, spacing
from animerun_gen.config import CutConfig
from animerun_gen.errors import SceneError
from animerun_gen.motion import raster
from animerun_gen.motion.geometry import FrameGeometry
from animerun_gen.shot.findings import describe_distance

FINE = 1e-4
"""Scene units; with numbers so close to each other, 1000 to 2000 units from the origin, nobody need look."""

NOTED = 0.01
"""Pixels from which the distance of numbers is said."""

TOO_COARSE = 0.5
"""Pixels from which labels are wrong."""


def pixels_apart(geometry: FrameGeometry) -> float:
    """How far neighbouring numbers lie apart in a frame's picture, where its surfaces are: in pixels.

    0 where no surface is seen, or where the camera is so near the origin that nobody need ask.
    """
    camera = geometry.camera
    apart = spacing(camera.world[:3, 3])
    if apart < FINE:
        return 0.0
    depth = raster.draw(geometry).depth
    depth = depth[np.isfinite(depth)]
    if not depth.size:
        return 0.0
    unit = 0.5 * abs(camera.projection[0, 0]) * camera.width
    return float(apart * unit / (1.0 if camera.is_orthographic else np.median(depth)))


def note_distance(opened: OpenedScene, config: CutConfig, conversion: Conversion) -> list[str]:
    """What is to be known of a scene that is filmed far from the origin.

    Args:
        opened: The converted scene, at the clip's first frame;
            :func:`~animerun_gen.blender.geometry.geometry_engine` must be active.
        config: The cut.
        conversion: Its conversion.

    Returns:
        A sentence; none where numbers are fine enough.

    Raises:
        SceneError: They are so coarse that labels are wrong.
    """
    place = place_of(opened.scene.camera)
    if spacing(place) < FINE:
        return []
    pixels = pixels_apart(take_down(opened.scene, scene_names(), conversion.clipped))
    if pixels < NOTED:
        return []
    said = describe_distance(spacing(place), pixels)
    if pixels >= TOO_COARSE:
        raise SceneError(
            f"{said}, and labels would be wrong",
            remedy="set recenter to true, or move the scene in Blender",
        )
    advice = "" if config.recenter else "; set recenter to true, or move the scene in Blender"
    return [f"{said}: places and motion are no more exact than that{advice}"]
