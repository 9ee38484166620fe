"""Takes the facts of a film shot down for ``animerun-gen inspect`` and ``init``.

``python -m animerun_gen.blender.inspector QUESTION PIPE`` reads a question (JSON) from a file and writes lines of JSON
to an inherited file descriptor: ``{"progress": [done, total], "doing": words}``, and in the end ``{"shot": facts}`` or
``{"failed": sentence}``.
"""

from __future__ import annotations

import glob
import json
import math
import os
import resource
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import bpy

from animerun_gen.blender import versions
from animerun_gen.blender.camera_jumps import JumpFinder
from animerun_gen.blender.camera_marks import camera_marks
from animerun_gen.blender.convert import Conversion, convert_scene
from animerun_gen.blender.convert.colors import shown_image, wants_shader
from animerun_gen.blender.convert.film_look import film_look_in_use, square_resolution
from animerun_gen.blender.convert.focal_length import find_zooming_cameras
from animerun_gen.blender.convert.hair import find_hair
from animerun_gen.blender.convert.opacity import find_see_through
from animerun_gen.blender.convert.particles import find_particles
from animerun_gen.blender.convert.rules import bare_displays, find_removals
from animerun_gen.blender.convert.shader_color import shader_color
from animerun_gen.blender.convert.srgb import linear_to_hex
from animerun_gen.blender.convert.transparency import film_frames
from animerun_gen.blender.convert.unreadable import find_unreadable
from animerun_gen.blender.count_lines import line_figures
from animerun_gen.blender.geometry import geometry_engine, scene_names, take_down
from animerun_gen.blender.looking_through import look_through
from animerun_gen.blender.opening import (
    OpenedScene,
    animated_blocks,
    camera_problem,
    disabled_drivers,
    open_file,
    open_scene,
)
from animerun_gen.blender.rendering import FrameRenderer, background_color
from animerun_gen.blender.simulations import is_simulated
from animerun_gen.config import CutConfig
from animerun_gen.errors import AnimerunGenError, SceneError, unforeseen
from animerun_gen.inspection.findings import TRIED_SECONDS
from animerun_gen.inspection.framing import propose_view
from animerun_gen.inspection.shot import (
    FarFromOrigin,
    HairSystem,
    ParticleSystem,
    Removal,
    Shot,
    Survey,
    ViewKey,
)
from animerun_gen.inspection.survey import SurveyBuilder
from animerun_gen.lifetime import die_with_parent
from animerun_gen.line_cost import freestyle_seconds
from animerun_gen.motion import companions, raster

LONGER_SIDE = 960
"""Larger side of the pictures in a draft, in pixels."""

SURVEYED_FRAMES = 25
SURVEY_SECONDS = 45.0

TIMED_MODIFIERS = {"BUILD", "EXPLODE", "MESH_CACHE", "MESH_SEQUENCE_CACHE", "OCEAN", "WAVE"}
"""Modifiers that change with the frame without any keyframe."""

Progress = Callable[[int, int, str], None]


def look(question: dict[str, Any], progress: Progress) -> Shot:
    """Take the facts down.

    Args:
        question: ``source``, and optionally ``scene``, ``view_layer``, ``camera`` and ``trust_scripts``, as in a cut.
        progress: Is told how far it is.

    Returns:
        The facts.

    Raises:
        SceneError: The file cannot be opened, or holds no such scene, view layer or camera.
    """
    progress(0, 1, "opening the file")
    config = _configure(question, (0, 1), (960, 540))
    opened = open_file(config)
    scene = opened.scene
    frame_range = (scene.frame_start, scene.frame_end)
    animated = animated_range(frame_range)
    first, last = clip_range(frame_range, animated)
    config = _configure(question, (first, last), _resolution(scene))
    problem = "" if question.get("camera") else camera_problem(scene.camera)
    facts = _facts_as_opened(opened, config)
    keys: tuple[ViewKey, ...] = ()
    if problem:
        keys = _propose_view(config, progress)
        config = _with_keys(config, keys)

    progress(0, 1, "converting the shot")
    opened = open_scene(config)
    finder = JumpFinder(opened, config)
    # the configuration names things without their library
    objects, materials = (
        {block.name_full: block.name for block in blocks} for blocks in (bpy.data.objects, bpy.data.materials)
    )
    found: dict[str, Any] = {
        "missing": tuple(opened.missing),
        "unbaked": tuple(opened.unbaked),
        "zooming": tuple(zoom.camera.name for zoom in find_zooming_cameras(opened, config)),
        "removals": tuple(
            Removal(
                each.rule,
                objects[each.object],
                each.reason,
                tuple(materials[name] for name in each.materials),
                each.whole_materials,
            )
            for each in find_removals(opened, config)
        ),
        "object_names": tuple(sorted(set(objects.values()))),
        "bare_displays": tuple(sorted(objects[name] for name in bare_displays())),
        "unreadable": tuple((objects[name], reason) for name, reason in find_unreadable()),
        "hair": tuple(
            HairSystem(each.name, each.strands, each.drawn) for each in find_hair() if each.drawn != "nothing"
        ),
        "particles": tuple(
            ParticleSystem(each.name, each.particles, each.drawn)
            for each in find_particles()
            # what the film does not show would be shown if the draft named it
            if each.drawn != "nothing"
        ),
    }
    see_through = find_see_through(config.transparency.threshold, film_frames())
    with geometry_engine():
        conversion = convert_scene(opened, config)
        seen = look_through(opened, config, conversion, see_through, progress)
        far = seen.far_from_origin
        again = bool(seen.removed or far)
        if not again:
            jumps = finder.find(conversion.clipped, conversion.going_to(opened.scene))
            survey = _survey(opened, config, conversion, progress)
    if again:
        # what lies behind panes decides all else
        config = _without(config, seen.removed)
        if far is not None:
            config, far = _moved(config, far)
        opened = open_scene(config)
        finder = JumpFinder(opened, config)
        with geometry_engine():
            conversion = convert_scene(opened, config)
            jumps = finder.find(conversion.clipped, conversion.going_to(opened.scene))
            survey = _survey(opened, config, conversion, progress)
    return Shot(
        **facts,
        **found,
        see_through=seen.see_through,
        contents=seen.contents,
        far_from_origin=far,
        animated_range=animated,
        frame_range=frame_range,
        clip=(first, last),
        picture=config.resolution,
        camera_problem=problem,
        view_keys=keys,
        survey=survey,
        notes=tuple(conversion.notes),
        camera_jumps=tuple((jump.frame, jump.camera) for jump in jumps),
    )


def _configure(question: dict[str, Any], frames: tuple[int, int], resolution: tuple[int, int]) -> CutConfig:
    optional = {key: question[key] for key in ("scene", "view_layer", "camera", "trust_scripts") if question.get(key)}
    return CutConfig.model_validate(
        {
            "name": "shot",
            "source": Path(question["source"]),
            "frames": {"first": frames[0], "last": frames[1]},
            "resolution": resolution,
            "style": {"color": "texture"},
            **optional,
        }
    )


def _with_keys(config: CutConfig, keys: tuple[ViewKey, ...]) -> CutConfig:
    motion = {
        "keyframes": [
            {"frame": key.frame, "location": key.location, "target": key.target, "lens": key.lens} for key in keys
        ]
    }
    return CutConfig.model_validate({**config.model_dump(), "camera": None, "camera_motion": motion})


def _without(config: CutConfig, materials: Iterable[str]) -> CutConfig:
    """The cut without the faces of some materials."""
    removed: dict[str, Any] = {glob.escape(name): "remove" for name in materials}
    return config.model_copy(update={"transparency": config.transparency.model_copy(update={"materials": removed})})


def _moved(config: CutConfig, far: FarFromOrigin) -> tuple[CutConfig, FarFromOrigin]:
    """The cut with the scene moved to the origin, where it can be."""
    moved = config.model_copy(update={"recenter": True})
    try:
        open_scene(moved)
    except SceneError as error:
        return config, replace(far, problem=str(error))
    return moved, far


def _facts_as_opened(opened: OpenedScene, config: CutConfig) -> dict[str, Any]:
    """What can be read off the file before anything is converted."""
    scene = opened.scene
    usable = [obj.name for obj in scene.objects if obj.type == "CAMERA" and obj.data.type in {"PERSP", "ORTHO"}]
    camera = config.camera or (scene.camera.name if not camera_problem(scene.camera) else None)
    load_notes = [note for note in opened.notes if note.startswith("the file loaded with complaints")]
    return {
        "source": str(config.source),
        "engine": versions.engine_name(),
        "saved_with": ".".join(str(part) for part in bpy.data.version),
        "complaints": " ".join(load_notes),
        "scene": scene.name,
        "scenes": tuple(each.name for each in bpy.data.scenes),
        "view_layer": opened.view_layer.name,
        "view_layers": tuple(layer.name for layer in scene.view_layers),
        "simulated": is_simulated(scene),
        "frame_rate": scene.render.fps / scene.render.fps_base,
        "resolution": square_resolution(scene),
        "pixel_aspect": (scene.render.pixel_aspect_x, scene.render.pixel_aspect_y),
        "camera": camera,
        "cameras": tuple(sorted(usable)),
        "camera_cuts": tuple((mark.frame, mark.camera) for mark in camera_marks(scene)),
        "film_look": tuple(film_look_in_use(scene)),
        "drivers": tuple(disabled_drivers()),
        "background": linear_to_hex(background_color(scene, config)),
        "materials": len(bpy.data.materials),
        "from_shaders": sum(
            wants_shader(material, "auto") and shader_color(material) is not None for material in bpy.data.materials
        ),
    }


def animated_range(frame_range: tuple[int, int]) -> tuple[int, int] | None:
    """First and last frame in which keyframes, strips or anything else changes something; None when nothing does.

    Args:
        frame_range: The scene's own range, which is the answer for what changes in every frame.
    """
    reach: list[float] = []
    for block in animated_blocks():
        animation = block.animation_data
        if animation.action is not None:
            for curve in versions.fcurves(block):
                # cycles and noise go on for ever
                reach.extend(frame_range if curve.modifiers else curve.range())
        for track in animation.nla_tracks:
            for strip in track.strips:
                if not (track.mute or strip.mute):
                    reach += (strip.frame_start, strip.frame_end)
    if _changes_by_itself():
        reach += frame_range
    if not reach or min(reach) == max(reach):
        return None
    return math.floor(min(reach)), math.ceil(max(reach))


def _changes_by_itself() -> bool:
    """Whether something changes with the frame that has no keyframes."""
    if is_simulated(bpy.context.scene):
        return True
    for obj in bpy.data.objects:
        for modifier in obj.modifiers:
            if modifier.type in TIMED_MODIFIERS or modifier.type == "PARTICLE_SYSTEM":
                return True
            group = modifier.node_group if modifier.type == "NODES" else None
            if group is not None and any(node.type == "INPUT_SCENE_TIME" for node in group.nodes):
                return True
    return False


def clip_range(frame_range: tuple[int, int], animated: tuple[int, int] | None) -> tuple[int, int]:
    """The frames that a draft asks for: those of the scene in which anything is animated.

    At least two, none below 0, and all of one length in digits.
    """
    first, last = max(frame_range[0], 0), max(frame_range[1], 0)
    if animated is None:
        last = min(last, first + 11)
    elif max(first, animated[0]) < min(last, animated[1]):
        first, last = max(first, animated[0]), min(last, animated[1])
    last = max(last, first + 1)
    for border in (10_000, 100_000):
        if first < border <= last:
            first, last = (first, border - 1) if border - first > last - border else (border, last)
    return first, last


def _resolution(scene: bpy.types.Scene) -> tuple[int, int]:
    """The film's picture, with its larger side as a draft has it, in even numbers."""
    width, height = square_resolution(scene)
    scale = LONGER_SIDE / max(width, height)
    return max(16, 2 * round(width * scale / 2)), max(16, 2 * round(height * scale / 2))


def _propose_view(config: CutConfig, progress: Progress) -> tuple[ViewKey, ...]:
    """A camera for a scene without one, from the geometry of some frames."""
    first, last = config.frames.first, config.frames.last
    trial = _with_keys(config, (ViewKey(first, (0.0, -10.0, 0.0), (0.0, 0.0, 0.0), 50.0),))
    # how large things are in the picture is not known yet
    trial = trial.model_copy(update={"remove": trial.remove.model_copy(update={"rules": ("unseen", "volumes")})})
    opened = open_scene(trial)
    numbers = sorted({first, (first + last) // 2, last})
    frames = []
    with geometry_engine():
        conversion = convert_scene(opened, trial)
        names = scene_names()
        for number, frame in enumerate(numbers):
            progress(number, len(numbers), "looking for a view")
            opened.scene.frame_set(frame)
            conversion.follow()
            frames.append(take_down(opened.scene, names, conversion.clipped))
    keys = propose_view(frames, first, last, config.resolution)
    return keys or (ViewKey(first, (0.0, -10.0, 0.0), (0.0, 0.0, 0.0), 50.0),)


def _survey(opened: OpenedScene, config: CutConfig, conversion: Conversion, progress: Progress) -> Survey:
    """Evaluate neighbouring frames as long as time allows, as they will be rendered."""
    names = scene_names()
    table = {int(number): name for number, name in names.object_table().items()}
    builder = SurveyBuilder(table)
    frames = config.frame_numbers[:SURVEYED_FRAMES]
    looking = 0.0
    for number, frame in enumerate(frames):
        progress(number, len(frames), f"looking at frame {frame}")
        start = time.monotonic()
        opened.scene.frame_set(frame)
        conversion.follow()
        geometry = take_down(opened.scene, names, conversion.clipped)
        looking += time.monotonic() - start
        builder.look(geometry, time.monotonic() - start)
        if number == 0:
            seen = raster.draw(geometry)
            pictured = {
                names.materials.ids[material.name_full]
                for material in bpy.data.materials
                if shown_image(material) is not None
            }
            ids = companions.material_id_map(geometry, seen)
            builder.textured = sum(float((ids == material).mean()) for material in pictured)
            figures = line_figures(geometry, config.lines.crease_angle)
            builder.pieces = figures.pieces
            if freestyle_seconds(figures.triangles, figures.pieces) <= TRIED_SECONDS:
                progress(number, len(frames), "trying Freestyle")
                builder.freestyle_seconds = _time_freestyle(opened, config, conversion)
        if looking > SURVEY_SECONDS:
            break
    # Linux counts in kilobytes
    builder.memory = 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return builder.survey()


def _time_freestyle(opened: OpenedScene, config: CutConfig, conversion: Conversion) -> float:
    with tempfile.TemporaryDirectory(prefix="animerun-gen-") as scratch:
        renderer = FrameRenderer(opened, config, Path(scratch), conversion.clipped)
        start = time.monotonic()
        renderer.strokes()
        return time.monotonic() - start


def main(arguments: list[str]) -> int:
    """Answer the question in file ``arguments[0]`` on file descriptor ``arguments[1]``; returns the exit status."""
    die_with_parent()
    answers = os.fdopen(int(arguments[1]), "w", encoding="utf-8")

    def say(answer: dict[str, Any]) -> None:
        answers.write(json.dumps(answer) + "\n")
        answers.flush()

    def progress(done: int, total: int, doing: str) -> None:
        say({"progress": [done, total], "doing": doing})

    try:
        question = json.loads(Path(arguments[0]).read_text(encoding="utf-8"))
        say({"shot": look(question, progress).to_json()})
    except AnimerunGenError as error:
        say({"failed": str(error)})
        return 1
    except Exception as error:
        traceback.print_exc()
        say({"failed": unforeseen(error)})
        return 1
    return 0


if __name__ == "__main__":
    status = main(sys.argv[1:])
    sys.stdout.flush()
    sys.stderr.flush()
    # Blender's own exit handlers can hang or crash after everything is done
    os._exit(status)
