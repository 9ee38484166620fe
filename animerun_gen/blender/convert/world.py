"""The colour of the film's world: what lies behind everything, in one colour, frame by frame where that changes."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import bpy
import cv2
import numpy as np

from animerun_gen.blender import versions
from animerun_gen.blender.convert.images import is_moving, mean_over_sphere, problem_of
from animerun_gen.blender.convert.shader_glow import seen_factor
from animerun_gen.blender.moments import moments
from animerun_gen.color.srgb import hex_to_linear, srgb_to_linear
from animerun_gen.config import CutConfig
from animerun_gen.errors import SceneError

LinearColor = tuple[float, float, float]

BLACK: LinearColor = (0.0, 0.0, 0.0)

PANORAMA = (96, 48)
"""Pixels across and down a picture of all directions."""

SAMPLES = 16
"""Looks that Cycles takes at each of them."""

MOST_NESTED = 32
"""So deep node groups and mixes are followed."""


def world_colors(scene: bpy.types.Scene, config: CutConfig) -> dict[int, LinearColor]:
    """The colour where no surface is seen, in every frame of the clip.

    It is the mean over all directions of what a camera sees of the scene's world, an environment's image included.

    Args:
        scene: The film's scene, with its own world.
        config: The cut: ``style.background``, and ``frames``.

    Returns:
        Frame to linear colour, each channel 0..1.
    """
    frames = config.frame_numbers
    if config.style.background != "auto":
        return dict.fromkeys(frames, hex_to_linear(config.style.background))
    if scene.world is None:
        return dict.fromkeys(frames, BLACK)
    if not _changes(scene.world):
        return dict.fromkeys(frames, _colors(scene, scene.world, frames[:1])[frames[0]])
    return _colors(scene, scene.world, frames)


def _colors(scene: bpy.types.Scene, world: bpy.types.World, frames: Sequence[int]) -> dict[int, LinearColor]:
    found: dict[int, LinearColor] = {}
    unread = []
    with moments(scene, world=world) as there:
        for frame in frames:
            there.go_to(frame)
            shown = there.of(world)
            color = _read(shown)
            if color is None and any(_lacks_image(node) for node in _nodes(shown)):
                # nobody knows what it would show; Cycles would paint magenta
                color = _bounded(shown.color)
            if color is None:
                unread.append(frame)
            else:
                found[frame] = color
    return found | (_rendered(scene, world, unread) if unread else {})


def _read(world: bpy.types.World) -> LinearColor | None:
    """The colour of a world of one colour, or of an environment's image; None where nodes make more of it."""
    if not versions.has_nodes(world):
        return _bounded(world.color)
    output = world.node_tree.get_output_node("ALL") or world.node_tree.get_output_node("CYCLES")
    if output is None:
        return BLACK
    found = _shader(output.inputs["Surface"], 0)
    return _bounded(found) if found is not None else None


def _shader(socket: Any, depth: int) -> Sequence[float] | None:
    """What shines at the input of a shader."""
    node = _source(socket)
    if node is None:
        return BLACK
    if depth > MOST_NESTED or node.mute:
        return None
    if node.type in {"BACKGROUND", "EMISSION"}:
        color, strength = _color(node.inputs["Color"]), _color(node.inputs["Strength"])
        return None if color is None or strength is None else [channel * strength[0] for channel in color]
    if node.type == "MIX_SHADER":
        entry = _source(node.inputs[0])
        if entry is not None and entry.type != "LIGHT_PATH":
            return None
        share = seen_factor(node.inputs[0])
        parts = [
            _shader(node.inputs[index], depth + 1) if part else BLACK for index, part in ((1, 1 - share), (2, share))
        ]
        if parts[0] is None or parts[1] is None:
            return None
        return [(1.0 - share) * one + share * other for one, other in zip(*parts, strict=True)]
    return None


def _color(socket: Any) -> Sequence[float] | None:
    """A colour, or a number as grey; of an environment's image the mean."""
    node = _source(socket)
    if node is None:
        return _own_color(socket)
    if node.mute:
        return None
    if node.type in {"RGB", "VALUE"}:
        return _own_color(node.outputs[0])
    if node.type == "TEX_ENVIRONMENT" and node.image is not None:
        numbers = [node.image_user.frame_current] if is_moving(node.image) else []
        return mean_over_sphere(node.image, numbers, node.projection)
    return None


def _own_color(socket: Any) -> Sequence[float]:
    value = socket.default_value
    return [value] * 3 if isinstance(value, float) else list(value)[:3]


def _source(socket: Any) -> Any:
    """The node behind an input, past reroutes; None where none is linked."""
    for _ in range(MOST_NESTED):
        links = [link for link in socket.links if link.is_valid] if socket.is_linked else []
        if not links:
            return None
        if links[0].from_node.type != "REROUTE":
            return links[0].from_node
        socket = links[0].from_node.inputs[0]
    return None


def _rendered(scene: bpy.types.Scene, world: bpy.types.World, frames: Sequence[int]) -> dict[int, LinearColor]:
    """What Cycles sees of a world when it looks in all directions."""
    stage = bpy.data.scenes.new("animerun-gen world")
    copied = world.copy()
    camera = bpy.data.objects.new(stage.name, bpy.data.cameras.new(stage.name))
    try:
        for node in copied.node_tree.nodes:
            if node.type == "OUTPUT_WORLD":
                for link in list(node.inputs["Volume"].links):
                    copied.node_tree.links.remove(link)
        stage.world = copied
        stage.collection.objects.link(camera)
        # the world's up is the picture's
        camera.rotation_euler = (0.5 * math.pi, 0.0, 0.0)
        versions.make_panoramic(camera.data)
        stage.camera = camera
        stage.render.frame_map_old, stage.render.frame_map_new = scene.render.frame_map_old, scene.render.frame_map_new
        _set_up(stage)
        found = {}
        with TemporaryDirectory(prefix="animerun-gen-") as folder:
            for frame in frames:
                stage.frame_current, stage.frame_subframe = frame, 0.0
                found[frame] = _mean(_render(stage, Path(folder, "world.png")))
        return found
    finally:
        data = camera.data
        bpy.data.scenes.remove(stage)
        bpy.data.objects.remove(camera)
        bpy.data.cameras.remove(data)
        bpy.data.worlds.remove(copied)


def _set_up(stage: bpy.types.Scene) -> None:
    render, cycles, view = stage.render, stage.cycles, stage.view_settings
    render.engine = "CYCLES"
    render.resolution_x, render.resolution_y = PANORAMA
    render.resolution_percentage = 100
    render.dither_intensity = 0.0
    render.use_compositing = render.use_sequencer = False
    render.image_settings.file_format = "PNG"
    render.image_settings.color_mode = "RGB"
    render.image_settings.color_depth = "16"
    cycles.device = "CPU"
    cycles.samples = SAMPLES
    cycles.use_adaptive_sampling = cycles.use_denoising = False
    cycles.seed = 0
    stage.display_settings.display_device = "sRGB"
    view.view_transform, view.look, view.exposure, view.gamma = "Standard", "None", 0.0, 1.0


def _render(stage: bpy.types.Scene, path: Path) -> np.ndarray[Any, Any]:
    """``(H, W, 3)`` linear RGB in 0..1, highest row first."""
    stage.render.filepath = str(path)
    path.unlink(missing_ok=True)
    try:
        bpy.ops.render.render(write_still=True, scene=stage.name)
    except RuntimeError as error:
        raise SceneError(
            f"Blender cannot render the world for its mean colour: {' '.join(str(error).split())}",
            remedy="set style.background in the cut's configuration",
        ) from error
    picture = cv2.imread(str(path), cv2.IMREAD_COLOR | cv2.IMREAD_ANYDEPTH) if path.exists() else None
    if picture is None:
        raise SceneError(
            f"Blender rendered the world for its mean colour without writing the picture {path}",
            remedy="see whether that folder is there and has space, or set style.background in the cut's configuration",
        )
    return srgb_to_linear(picture[..., ::-1].astype(np.float64) / np.iinfo(np.uint16).max)


def _mean(picture: np.ndarray[Any, Any]) -> LinearColor:
    height, width = picture.shape[:2]
    weights = np.repeat(np.cos(np.pi * ((np.arange(height) + 0.5) / height - 0.5))[:, None], width, axis=1)
    return _bounded(np.tensordot(weights, picture, axes=2) / weights.sum())


def _changes(world: bpy.types.World) -> bool:
    """Whether anything makes the world another one in other frames."""
    trees = {node.id_data.original for node in _nodes(world)}
    return any(versions.animates(block, "") for block in (world, *trees)) or any(
        is_moving(getattr(node, "image", None)) for node in _nodes(world)
    )


def _lacks_image(node: Any) -> bool:
    image = getattr(node, "image", None)
    if image is None:
        return False
    return bool(problem_of(image, [node.image_user.frame_current] if is_moving(image) else []))


def _nodes(world: bpy.types.World) -> Iterator[Any]:
    """All nodes of a world, in groups at any depth as well."""
    waiting = [(world.node_tree, 0)] if versions.has_nodes(world) else []
    seen = set()
    while waiting:
        tree, depth = waiting.pop()
        for node in tree.nodes:
            yield node
            inner = node.node_tree if node.type == "GROUP" else None
            if inner is not None and inner.name_full not in seen and depth < MOST_NESTED:
                seen.add(inner.name_full)
                waiting.append((inner, depth + 1))


def _bounded(color: Sequence[float]) -> LinearColor:
    red, green, blue = (min(max(float(channel), 0.0), 1.0) for channel in color)
    return red, green, blue
