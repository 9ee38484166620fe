"""Finds the light that a film's shade goes by, and reads it frame by frame."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

import bpy
import numpy as np

from animerun_gen.blender import versions
from animerun_gen.blender.clipped import ClippedMaterials
from animerun_gen.blender.geometry import evaluate, read_graph, scene_names
from animerun_gen.blender.opening import OpenedScene
from animerun_gen.config import CutConfig
from animerun_gen.errors import SceneError
from animerun_gen.motion import raster
from animerun_gen.motion.geometry import Camera, Float64Array
from animerun_gen.motion.raster import VisibilityBuffer
from animerun_gen.shade.light import Light
from animerun_gen.shade.tone import BASE
from animerun_gen.shade.tones import ToneSettings, shade_map

KEY_TYPES = ("SUN", "AREA", "SPOT")
"""Types of lights that are a key light by themselves; a point light has to be named."""

PIXELS = 20_000
"""Of the picture by which lights are judged."""

FOCUS_SIZE = 0.25
"""How far around what is in focus light counts, as a share of the picture's height (a standard deviation)."""

NO_LIGHT = (0.5, -0.7, -0.5)
"""Where light shines, in the camera's coordinates, in a film that has none: from above on the left."""


@dataclass(frozen=True)
class KeyLight:
    """The light that shade goes by.

    Attributes:
        name: Full name of the light object; empty where none of the film is meant.
        kind: Its type, as a word.
        instancer: Full name of the object that shows it as part of a collection; empty where it stands in the scene.
        direction: Where light shines in the world, if none of the film is meant; None: the camera's own direction.
        others: The film's other lights that were judged, the stronger ones first.
    """

    name: str
    kind: str = ""
    instancer: str = ""
    direction: tuple[float, float, float] | None = None
    others: tuple[str, ...] = ()

    def describe(self) -> str:
        """What it is, a sentence for the cut's log."""
        if self.name:
            return f"shade: the key light is the {self.kind} light '{self.name}'"
        return "shade: the film has no sun, area or spot light that lights what is in focus, so light comes from above"


def find_key_light(opened: OpenedScene, config: CutConfig, clipped: ClippedMaterials) -> KeyLight | None:
    """The light that a cut's shade goes by.

    Args:
        opened: The converted scene at the clip's first frame; the geometry engine must be active.
        config: The cut: ``style.shade``.
        clipped: Its materials with holes.

    Returns:
        The light; None where the cut has no shade, or names a direction.

    Raises:
        SceneError: There is no such light as the cut names.
    """
    shade = config.style.shade
    if not shade.is_on or shade.direction is not None:
        return None
    if shade.light != "auto":
        return _named(shade.light)
    return choose_key_light(opened, clipped)


def choose_key_light(opened: OpenedScene, clipped: ClippedMaterials) -> KeyLight:
    """Of the suns, area and spot lights the one that gives most light to what is in focus in the current frame.

    Shadows count: what stands outside a closed room lights nothing in it.

    Args:
        opened: The converted scene; the geometry engine must be active.
        clipped: Its materials with holes.
    """
    names = scene_names()
    geometry, found, focus = evaluate(
        opened.scene,
        lambda graph: (
            read_graph(graph, names, clipped, with_normals=True),
            [lamp for lamp in _lamps(graph) if lamp.kind in KEY_TYPES],
            _focus(graph),
        ),
    )
    camera = geometry.camera
    scale = math.sqrt(PIXELS / (camera.width * camera.height))
    small = replace(camera, width=max(1, round(scale * camera.width)), height=max(1, round(scale * camera.height)))
    geometry = replace(geometry, camera=small)
    seen = raster.draw(geometry)
    points, weights = _points(small, seen, focus)
    settings = ToneSettings(terminator=0.0, smallest=0)
    powers = []
    for lamp in found:
        lit = shade_map(geometry, seen, lamp.light, settings) >= BASE
        powers.append(float((lit * weights * lamp.irradiance(points)).sum()))
    order = sorted(range(len(found)), key=lambda number: (-powers[number], found[number].name))
    lighting = [found[number] for number in order if powers[number] > 0.0]
    if not lighting:
        x, y, z = (float(value) for value in camera.world[:3, :3] @ np.array(NO_LIGHT))
        return KeyLight("", direction=(x, y, z))
    key = lighting[0]
    return KeyLight(key.name, key.kind.lower(), key.instancer, others=tuple(lamp.name for lamp in lighting[1:]))


def read_light(graph: bpy.types.Depsgraph, camera: Camera, config: CutConfig, key: KeyLight | None) -> Light:
    """The light of the frame whose graph this is.

    Args:
        graph: The graph, of mode ``"RENDER"``.
        camera: The frame's camera.
        config: The cut: ``style.shade``.
        key: What :func:`find_key_light` found.

    Raises:
        SceneError: The light is gone.
    """
    direction = config.style.shade.direction
    if direction is not None:
        toward = np.array(direction, np.float64)
        is_held = config.style.shade.direction_space == "camera"
        return Light.parallel(camera.world[:3, :3] @ toward if is_held else toward)
    if key is None:
        raise AssertionError("a cut with shade has a light or a direction")
    if key.direction is not None:
        return Light.parallel(np.array(key.direction))
    if not key.instancer:
        # a light that is switched off in some frames still says where it comes from
        obj = bpy.data.objects.get(key.name)
        if obj is not None:
            evaluated = obj.evaluated_get(graph)
            return _light(evaluated.data, np.array(evaluated.matrix_world, np.float64))
    for lamp in _lamps(graph):
        if lamp.name == key.name and lamp.instancer == key.instancer:
            return lamp.light
    raise SceneError(
        f"the key light '{key.name}' is not there in frame {graph.scene.frame_current}",
        remedy="name another one in 'style.shade.light', or give 'style.shade.direction'",
    )


@dataclass(frozen=True)
class _Lamp:
    """A light of the film, evaluated."""

    name: str
    instancer: str
    kind: str
    power: float
    light: Light

    def irradiance(self, points: Float64Array) -> Float64Array:
        """Light that arrives at points ``(..., 3)``, in watts for each square of a unit, if nothing is between."""
        if self.light.place is None:
            return np.full(points.shape[:-1], self.power)
        apart = points - self.light.place
        squared = np.maximum((apart**2).sum(axis=-1), 1e-12)
        if self.kind == "AREA":
            cosine = (apart @ self.light.direction) / np.sqrt(squared)
            area: Float64Array = np.maximum(cosine, 0.0) * self.power / (np.pi * squared)
            return area
        found: Float64Array = self.power / (4.0 * np.pi * squared)
        return found


def _lamps(graph: bpy.types.Depsgraph) -> Iterator[_Lamp]:
    """All lights of a graph that shine."""
    for instance in graph.object_instances:
        drawn = instance.object
        if drawn.type != "LIGHT" or not instance.show_self:
            continue
        power = versions.light_power(drawn.data)
        if power > 0.0:
            instancer = instance.parent.original.name_full if instance.is_instance and instance.parent else ""
            matrix = np.array(instance.matrix_world, np.float64)
            yield _Lamp(drawn.original.name_full, instancer, drawn.data.type, power, _light(drawn.data, matrix))


def _light(data: bpy.types.Light, matrix: Float64Array) -> Light:
    """A light as it stands; all shine along their own negative z axis."""
    axis = -matrix[:3, 2]
    length = float(np.linalg.norm(axis))
    axis = axis / length if length > 0.0 else np.array([0.0, 0.0, -1.0])
    if data.type == "SUN":
        return Light.parallel(axis)
    cosine = {"SPOT": math.cos(0.5 * data.spot_size) if data.type == "SPOT" else -1.0, "AREA": 0.0}.get(data.type, -1.0)
    return Light(matrix[:3, 3].copy(), axis, cosine)


def _named(name: str) -> KeyLight:
    lights = [obj for obj in bpy.data.objects if obj.type == "LIGHT"]
    for obj in lights:
        if obj.name == name:
            return KeyLight(obj.name_full, obj.data.type.lower())
    known = ", ".join(f"'{obj.name}'" for obj in lights) or "none"
    raise SceneError(
        f"style.shade.light names '{name}', but the film has no light of that name (its lights: {known})",
        remedy="name one of them, or give 'style.shade.direction'",
    )


def _focus(graph: bpy.types.Depsgraph) -> Float64Array | None:
    """Where the camera's focus object is in the world; None where it has none."""
    focus = graph.scene.camera.evaluated_get(graph).data.dof.focus_object
    if focus is None:
        return None
    return np.array(focus.evaluated_get(graph).matrix_world.translation, np.float64)


def _points(camera: Camera, seen: VisibilityBuffer, focus: Float64Array | None) -> tuple[Float64Array, Float64Array]:
    """Where the surface of each pixel is, ``(H, W, 3)``, and how much it counts, ``(H, W)``: the more the nearer to
    what is in focus it is in the picture, or to the picture's middle."""
    y, x = np.mgrid[: camera.height, : camera.width].astype(np.float64)
    surface = seen.instance >= 0
    depth = np.where(surface, seen.depth, 1.0)
    w = np.ones_like(depth) if camera.is_orthographic else depth
    matrix = camera.pixel_matrix()
    points = (np.stack([x * w, y * w, depth], axis=-1) - matrix[:3, 3]) @ np.linalg.inv(matrix[:3, :3]).T
    middle = np.array([0.5 * (camera.width - 1), 0.5 * (camera.height - 1)])
    if focus is not None:
        placed = matrix @ np.array([*focus, 1.0])
        if placed[3] > 0.0:
            middle = np.clip(placed[:2] / placed[3], 0.0, [camera.width - 1, camera.height - 1])
    apart = ((x - middle[0]) ** 2 + (y - middle[1]) ** 2) / (FOCUS_SIZE * camera.height) ** 2
    return points, surface * np.exp(-0.5 * apart)
