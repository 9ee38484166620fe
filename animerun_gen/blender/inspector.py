"""Takes the facts of a film shot down for ``animerun-gen inspect`` and ``init``.

``python -m animerun_gen.blender.inspector QUESTION PIPE`` reads a :class:`~animerun_gen.shot.shot.Question` and tells
how far it is, all facts but one before Freestyle is tried, and in the end all of them, see
:mod:`animerun_gen.engines.protocol`.
"""

from __future__ import annotations

import glob
import math
import resource
import time
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import bpy
import numpy as np

from animerun_gen.blender import versions
from animerun_gen.blender.animation import animated_range, stretch
from animerun_gen.blender.answering import answer_and_exit
from animerun_gen.blender.camera_jumps import JumpFinder
from animerun_gen.blender.camera_marks import camera_marks, cameras_of_clip
from animerun_gen.blender.convert import Conversion, convert_scene
from animerun_gen.blender.convert.colors import shown_image, undecodable_images, wants_shader
from animerun_gen.blender.convert.film_look import film_look_in_use, square_resolution
from animerun_gen.blender.convert.focal_length import find_zooming_cameras
from animerun_gen.blender.convert.grease_pencil import find_grease_pencil
from animerun_gen.blender.convert.hair import find_hair
from animerun_gen.blender.convert.images import is_moving
from animerun_gen.blender.convert.lost_looks import find_lost_looks
from animerun_gen.blender.convert.moving_images import numbers_shown
from animerun_gen.blender.convert.particles import find_particles
from animerun_gen.blender.convert.rules import bare_displays, find_removals
from animerun_gen.blender.convert.shader_color import surface_input
from animerun_gen.blender.convert.unreadable import find_unreadable
from animerun_gen.blender.convert.world import world_colors
from animerun_gen.blender.count_lines import line_figures
from animerun_gen.blender.drawings import is_grease_pencil
from animerun_gen.blender.geometry import evaluate, geometry_engine, read_graph, scene_names, take_down
from animerun_gen.blender.key_light import choose_key_light
from animerun_gen.blender.looking_through import look_through
from animerun_gen.blender.opening import (
    OpenedScene,
    camera_problem,
    disabled_drivers,
    open_file,
    open_scene,
)
from animerun_gen.blender.rendering import FrameRenderer
from animerun_gen.blender.scene_size import scene_size
from animerun_gen.blender.simulations import is_simulated
from animerun_gen.color.srgb import linear_to_hex
from animerun_gen.config import CutConfig
from animerun_gen.config.model import CameraMotion, offset_for_files
from animerun_gen.engines.blend_file import dotted
from animerun_gen.engines.job import Reporter
from animerun_gen.engines.memory_cost import SceneSize, frame_need
from animerun_gen.engines.scratch import TemporaryFolder
from animerun_gen.errors import SceneError, UnreadableGeometryError, UnusableSceneError
from animerun_gen.lines.cost import freestyle_seconds
from animerun_gen.motion import companions, raster
from animerun_gen.motion.geometry import FrameGeometry
from animerun_gen.shot.findings import ENOUGH, TRIED_SECONDS
from animerun_gen.shot.framing import propose_view, visible_share
from animerun_gen.shot.question import Question
from animerun_gen.shot.shot import (
    LOOKED_AT,
    UNTRIED,
    FarFromOrigin,
    FilmLight,
    HairSystem,
    ImageOffer,
    ParticleSystem,
    Removal,
    Shot,
    Survey,
    ViewKey,
)
from animerun_gen.shot.survey import SurveyBuilder

LONGER_SIDE = 960
"""Larger side of the pictures in a draft, in pixels."""

SURVEYED_FRAMES = 25
SURVEY_SECONDS = 45.0

FRAMES_FOR_VIEW = 5
"""Frames of the clip by which cameras are judged."""

MOST_CAMERAS = 8
"""So many of the scene's own are looked through."""

HEAVY = 1_000_000
"""Of scenes of so many triangles only the first and the last frame are drawn for that."""

Progress = Callable[[int, int, str], None]


def look(question: Question, progress: Progress, found_so_far: Callable[[Shot], None]) -> Shot:
    """Take the facts down, without what cannot be followed.

    What geometry nodes draw shows only when it is evaluated; objects whose points or volumes come to light are left out
    then, as the draft will have it, and everything is looked at once more.

    Trying Freestyle comes last, because it may take for ever, and cannot be interrupted from within this process.

    Args:
        question: What is to be looked at.
        progress: Is told how far it is.
        found_so_far: Is given all facts but that one before Freestyle is tried, if it is.

    Returns:
        The facts.

    Raises:
        SceneError: The file cannot be opened, or holds no such scene, view layer or camera.
    """
    left_out: dict[str, str] = {}

    def with_left_out(shot: Shot) -> Shot:
        return replace(shot, unreadable=(*shot.unreadable, *left_out.items()))

    while True:
        try:
            return with_left_out(
                _look(
                    question,
                    tuple(left_out),
                    progress,
                    lambda shot: found_so_far(with_left_out(shot)),
                )
            )
        except UnreadableGeometryError as error:
            if left_out.keys() >= error.drawn.keys():
                raise
            left_out |= {name: f"its geometry nodes make {what}" for name, what in error.drawn.items()}


def _look(
    question: Question, left_out: Collection[str], progress: Progress, found_so_far: Callable[[Shot], None]
) -> Shot:
    """Take the facts down, without the objects that were left out."""
    progress(0, 1, "opening the file")
    config = _configure(question, left_out, (0, 1), (960, 540))
    opened = open_file(config)
    scene = opened.scene
    frame_range = (scene.frame_start, scene.frame_end)
    animated = animated_range(scene, trust_scripts=config.trust_scripts)
    first, last = clip_range(frame_range, animated)
    config = _configure(question, left_out, (first, last), _resolution(scene))
    problem = "" if question.camera else _camera_problem(scene, config)
    facts = _facts_as_opened(opened, config) | {"time_stretch": stretch(scene)}
    keys: tuple[ViewKey, ...] = ()
    share: float | None = None
    if problem:
        chosen = _choose_camera(config, facts["cameras"], progress)
        config, keys, share = chosen.config, chosen.keys, chosen.share
        facts["camera"] = config.camera

    progress(0, 1, "converting the shot")
    opened = open_scene(config)
    finder = JumpFinder(opened, config)
    # the configuration names things without their library
    objects, materials = (
        {block.name_full: block.name for block in blocks} for blocks in (bpy.data.objects, bpy.data.materials)
    )
    lost = find_lost_looks()
    found: dict[str, Any] = {
        "lost_materials": lost.materials,
        "image_offers": tuple(ImageOffer(each.material, each.image, each.certain) for each in lost.offers),
        "undecodable": tuple(
            (problem, tuple(names))
            for problem, names in undecodable_images(numbers_shown(opened.scene, config.frame_numbers)).items()
        ),
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
        "unreadable": tuple(
            (objects[name], reason)
            for name, reason in find_unreadable()
            if objects[name] not in left_out and not is_grease_pencil(bpy.data.objects[objects[name]])
        ),
        "grease_pencil": tuple(each for each in find_grease_pencil() if each.name not in left_out),
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

    def conclude(conversion: Conversion) -> Shot:
        """What the converted scene shows, and at last what Freestyle takes for it."""
        key_light = _key_light(opened, conversion)
        jumps = finder.find(conversion.clipped, conversion.going_to(opened.scene))
        survey = _survey(opened, config, conversion, progress)
        shot = Shot(
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
            view_share=share,
            survey=survey,
            notes=tuple(conversion.notes),
            unread_colors=tuple(conversion.colors.unread),
            camera_jumps=tuple((jump.frame, jump.camera) for jump in jumps),
            key_light=key_light,
        )
        if freestyle_seconds(survey.triangles, survey.pieces, survey.visits) > TRIED_SECONDS:
            return shot
        found_so_far(shot)
        progress(0, 1, "trying Freestyle")
        return _try_freestyle(shot, survey, opened, config, conversion)

    with geometry_engine():
        conversion = convert_scene(opened, config)
        seen = look_through(opened, config, conversion, progress)
        far = seen.far_from_origin
        if not seen.removed and far is None:
            return conclude(conversion)
    # what lies behind panes decides all else
    config = _without(config, seen.removed)
    if far is not None:
        config, far = _moved(config, far)
    opened = open_scene(config)
    finder = JumpFinder(opened, config)
    with geometry_engine():
        return conclude(convert_scene(opened, config))


def _key_light(opened: OpenedScene, conversion: Conversion) -> FilmLight | None:
    """The light that shade would go by; the scene stands at the clip's first frame."""
    key = choose_key_light(opened, conversion.clipped)
    if not key.name:
        return None
    names = {obj.name_full: obj.name for obj in bpy.data.objects}
    return FilmLight("auto" if key.instancer else names[key.name], key.kind, tuple(names[each] for each in key.others))


def _try_freestyle(shot: Shot, survey: Survey, opened: OpenedScene, config: CutConfig, conversion: Conversion) -> Shot:
    """The facts with what Freestyle takes of time and memory."""
    before = _peak()
    seconds = _time_freestyle(opened, config, conversion)
    return replace(shot, survey=replace(survey, freestyle_seconds=seconds, line_memory=_peak() - before))


def _configure(
    question: Question, left_out: Collection[str], frames: tuple[int, int], resolution: tuple[int, int]
) -> CutConfig:
    optional = {
        "scene": question.scene,
        "view_layer": question.view_layer,
        "camera": question.camera,
        "trust_scripts": question.trust_scripts,
    }
    return CutConfig.model_validate(
        {
            "name": "shot",
            "source": question.source,
            "frames": {"first": frames[0], "last": frames[1], "offset": offset_for_files(*frames)},
            "resolution": resolution,
            "style": {"color": "texture"},
            "remove": {"objects": [glob.escape(name) for name in left_out]},
            **{key: value for key, value in optional.items() if value},
        }
    ).in_film_numbers()


def _camera_problem(scene: bpy.types.Scene, config: CutConfig) -> str:
    """Why what films the clip cannot be used; empty when it can."""
    cameras: list[bpy.types.Object | None] = [*cameras_of_clip(scene, config.frame_numbers)]
    return next(filter(None, map(camera_problem, cameras or [None])), "")


def _with_keys(config: CutConfig, keys: tuple[ViewKey, ...]) -> CutConfig:
    motion = {
        "keyframes": [
            {"frame": key.frame, "location": key.location, "target": key.target, "lens": key.lens} for key in keys
        ]
    }
    return config.model_copy(update={"camera": None, "camera_motion": CameraMotion.model_validate(motion)})


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
        # the third number is no patch of a release but counts what changed in the file's format
        "saved_with": dotted((bpy.data.version[0], bpy.data.version[1])),
        "newer": tuple(opened.newer),
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
        "trusts_scripts": config.trust_scripts,
        "cameras": tuple(sorted(usable)),
        "camera_cuts": tuple((mark.frame, mark.camera) for mark in camera_marks(scene)),
        "film_look": tuple(film_look_in_use(scene)),
        "drivers": tuple(disabled_drivers()),
        "background": _background(scene, config),
        "materials": len(bpy.data.materials),
        "from_shaders": sum(
            wants_shader(material, "auto") and surface_input(material) is not None for material in bpy.data.materials
        ),
    }


def _background(scene: bpy.types.Scene, config: CutConfig) -> str:
    """The colour of the world; ``auto`` where it changes in the clip."""
    colors = {linear_to_hex(color) for color in world_colors(scene, config).values()}
    return colors.pop() if len(colors) == 1 else "auto"


def clip_range(frame_range: tuple[int, int], animated: tuple[int, int] | None) -> tuple[int, int]:
    """The frames that a draft asks for: those of the scene in which anything is animated; at least two.

    Where nothing in the scene's range is, those that are animated outside it.
    """
    first, last = frame_range
    if animated is None:
        last = min(last, first + 11)
    elif max(first, animated[0]) < min(last, animated[1]):
        first, last = max(first, animated[0]), min(last, animated[1])
    else:
        first, last = animated
    return first, max(last, first + 1)


def _resolution(scene: bpy.types.Scene) -> tuple[int, int]:
    """The film's picture, with its larger side as a draft has it, in even numbers."""
    width, height = square_resolution(scene)
    scale = LONGER_SIDE / max(width, height)
    return max(16, 2 * round(width * scale / 2)), max(16, 2 * round(height * scale / 2))


@dataclass(frozen=True)
class _CameraChoice:
    """The camera of a draft, where the scene's own cannot be used.

    Attributes:
        config: The cut with that camera.
        keys: The camera, where it is a proposed one.
        share: The share of the picture that shows surfaces, where least of it does.
    """

    config: CutConfig
    keys: tuple[ViewKey, ...]
    share: float


def _choose_camera(config: CutConfig, cameras: Sequence[str], progress: Progress) -> _CameraChoice:
    """The first of the scene's cameras through which something is seen, or a new one, from the geometry of frames."""
    first, last = config.frames.first, config.frames.last
    trial = _with_keys(config, (ViewKey(first, (0.0, -10.0, 0.0), (0.0, 0.0, 0.0), 50.0),))
    # how large things are in the picture is not known yet
    trial = trial.model_copy(update={"remove": trial.remove.model_copy(update={"rules": ("unseen", "volumes")})})
    opened = open_scene(trial)
    frames: list[FrameGeometry] = []
    seen: dict[str, float] = {}
    with geometry_engine():
        conversion = convert_scene(opened, trial)
        names, proposed = scene_names(), opened.scene.camera
        numbers = _spread(first, last, FRAMES_FOR_VIEW)
        for number, frame in enumerate(numbers):
            progress(number, len(numbers), "looking for a view")
            opened.scene.frame_set(frame)
            conversion.follow(frame)
            geometry = take_down(opened.scene, names, conversion.clipped)
            if 0 < len(frames) < len(numbers) - 1 and len(geometry.triangles) > HEAVY:
                # every view is drawn in every frame
                continue
            frames.append(geometry)
            for name in cameras[:MOST_CAMERAS]:
                opened.scene.camera = opened.scene.objects[name]
                share = visible_share(take_down(opened.scene, names, conversion.clipped))
                seen[name] = min(seen.get(name, 1.0), share)
            opened.scene.camera = proposed
    for name in cameras[:MOST_CAMERAS]:
        if seen[name] >= ENOUGH:
            return _CameraChoice(config.model_copy(update={"camera": name}), (), seen[name])
    view = propose_view(frames, first, last, config.resolution)
    keys = view.keys or (ViewKey(first, (0.0, -10.0, 0.0), (0.0, 0.0, 0.0), 50.0),)
    return _CameraChoice(_with_keys(config, keys), keys, view.share)


def _spread(first: int, last: int, count: int) -> list[int]:
    """The first and the last frame, and others evenly between them."""
    return sorted({first + round((last - first) * number / (count - 1)) for number in range(count)})


def _survey(opened: OpenedScene, config: CutConfig, conversion: Conversion, progress: Progress) -> Survey:
    """Evaluate neighbouring frames as long as time allows, as they will be rendered."""
    names = scene_names()
    table = {int(number): name for number, name in names.object_table().items()}
    builder = SurveyBuilder(table)
    # those that Workbench paints, and those that are looked up pixel by pixel
    by_pixel = conversion.colors.by_attributes
    looked_up = {name for name, painted in by_pixel.items() if painted.images is not None}
    pictured = [
        names.materials.ids[material.name_full]
        for material in bpy.data.materials
        if shown_image(material) is not None or material.name_full in looked_up
    ]
    moving = [
        names.materials.ids[material.name_full]
        for material in bpy.data.materials
        if is_moving(shown_image(material))
        or material.name_full in conversion.colors.repainted
        or (material.name_full in by_pixel and by_pixel[material.name_full].moves)
    ]
    attributed = [names.materials.ids[name] for name in by_pixel if name not in looked_up]
    frames = config.frame_numbers[:SURVEYED_FRAMES]
    looking = 0.0
    largest = 0
    for number, frame in enumerate(frames):
        progress(number, len(frames), f"looking at frame {frame}")
        start = time.monotonic()
        opened.scene.frame_set(frame)
        conversion.follow(frame)
        size, geometry = evaluate(
            opened.scene,
            lambda graph: (scene_size(graph, conversion.clipped), read_graph(graph, names, conversion.clipped)),
        )
        largest = max(largest, size.triangles)
        builder.image_memory = max(builder.image_memory, size.images)
        looking += time.monotonic() - start
        builder.look(geometry, time.monotonic() - start, conversion.colors.at(frame))
        if pictured or attributed:
            ids = companions.material_id_map(geometry, raster.draw(geometry))
            builder.textured = max(builder.textured, float(np.isin(ids, pictured).mean()))
            builder.moving_images = builder.moving_images or bool(np.isin(ids, moving).any())
            builder.attributed = max(builder.attributed, float(np.isin(ids, attributed).mean()))
        if number == 0:
            figures = line_figures(geometry, config.lines.crease_angle)
            builder.pieces, builder.visits = figures.pieces, figures.visits
        if looking > SURVEY_SECONDS:
            break
    # the pictures that a worker draws were not drawn here
    pixels = math.prod(config.resolution)
    drawn = frame_need(SceneSize(0, largest, 0), pixels, draws=True, reads=False, strokes=False, kept=0)
    builder.memory = _peak() + drawn.pictures
    return builder.survey()


def _peak() -> int:
    """Bytes that this process held at most."""
    # Linux counts in kilobytes
    return 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def _time_freestyle(opened: OpenedScene, config: CutConfig, conversion: Conversion) -> float:
    """Seconds of the processor that Freestyle takes for the first frame, or for the last one of a simulation."""
    if not is_simulated(opened.scene):
        conversion.going_to(opened.scene)(config.frames.first)
    with TemporaryFolder() as scratch:
        renderer = FrameRenderer(opened, config, Path(scratch), conversion.clipped)
        # other programs may compute beside it
        start = time.process_time()
        renderer.strokes()
        return time.process_time() - start


def tell(question: Question, reporter: Reporter) -> None:
    """Look at a shot and tell what there is to see.

    Raises:
        UnusableSceneError: The file cannot be opened, or holds no such scene, view layer or camera.
        AnimerunGenError: It cannot be looked at.
    """
    try:
        shot = look(question, reporter.progressed, lambda found: reporter.found(UNTRIED, found.to_json()))
    except SceneError as error:
        raise UnusableSceneError(error.what, error.where, error.remedy) from error
    reporter.found(LOOKED_AT, shot.to_json())


if __name__ == "__main__":
    answer_and_exit(Question, tell)
