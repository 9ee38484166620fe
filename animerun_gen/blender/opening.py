"""Opens a film's ``.blend`` without running anything that it brings along."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import bpy

from animerun_gen.blender import versions
from animerun_gen.blender.blend_libraries import look_at_files
from animerun_gen.blender.camera_marks import cameras_by_frame, cameras_of_clip
from animerun_gen.blender.disk_caches import keep_off_film_folder
from animerun_gen.blender.drawable import require_drawable
from animerun_gen.blender.external_files import (
    computed_imports,
    external_files,
    inputs_of,
    missing_files,
    refuse_endless,
)
from animerun_gen.blender.film_folder import hold_unbaked
from animerun_gen.blender.film_handlers import forget_film_handlers
from animerun_gen.blender.holding import IDLE, evaluation_held
from animerun_gen.blender.keyframed_camera import make_keyframed_camera
from animerun_gen.blender.recentering import recenter
from animerun_gen.config import CutConfig
from animerun_gen.engines.film_files import MissingFile
from animerun_gen.errors import SceneError

CAMERA_TYPES = {"PERSP", "ORTHO"}
"""Types of cameras under which flow is exact."""


@dataclass(frozen=True)
class OpenedScene:
    """The scene of a cut, opened.

    Attributes:
        scene: The scene to render.
        view_layer: The view layer to render.
        notes: What the user should know about the file, a sentence each.
        inputs: Names of the files besides the ``.blend`` that the pictures depend on, missing ones as well; see
            :mod:`animerun_gen.engines.film_files`.
        missing: What of them is not there.
        unbaked: What was left out because its cache is not baked, a sentence each.
        caches: The folder in which simulations leave files, if they have to; it goes when this object does.
        newer: Which files are newer than the Blender that opened them, a sentence each; among the notes as well.
        film_cameras: The film's own camera by frame of the cut, where it has one that can film.
        moved_by: What was taken from all places of the film; see ``recenter``.
    """

    scene: bpy.types.Scene
    view_layer: bpy.types.ViewLayer
    notes: list[str] = field(default_factory=list)
    inputs: list[str] = field(default_factory=list)
    missing: list[MissingFile] = field(default_factory=list)
    unbaked: list[str] = field(default_factory=list)
    caches: TemporaryDirectory[str] | None = None
    newer: list[str] = field(default_factory=list)
    film_cameras: dict[int, bpy.types.Object] = field(default_factory=dict)
    moved_by: tuple[float, float, float] = (0.0, 0.0, 0.0)


def open_scene(config: CutConfig) -> OpenedScene:
    """Open the cut's source file and find its scene, view layer and camera.

    The scene stands at the first frame of the cut afterwards, with the cut's camera.

    Args:
        config: The cut.

    Returns:
        The opened scene.

    Raises:
        SceneError: The file cannot be read, holds no such scene, view layer or usable camera, or nothing that draws.
    """
    opened = open_file(config)
    scene = opened.scene
    if config.frame_rate is not None:
        scene.render.fps = max(1, round(config.frame_rate))
        scene.render.fps_base = scene.render.fps / config.frame_rate
    keyframed = bool(config.camera_motion.keyframes)
    if not keyframed:
        _choose_camera(config, scene)
    scene.frame_set(config.frames.first)
    film_cameras = cameras_by_frame(scene, config.frame_numbers)
    film_cameras = {frame: camera for frame, camera in film_cameras.items() if not camera_problem(camera)}
    opened = replace(opened, film_cameras=film_cameras)
    if config.recenter and (keyframed or not camera_problem(scene.camera)):
        config, notes, offset = recenter(config, scene)
        opened.notes.extend(notes)
        opened = replace(opened, moved_by=offset)
    if keyframed:
        opened.notes.extend(make_keyframed_camera(config, scene, opened.view_layer))
        scene.frame_set(config.frames.first)
    _check_camera(config, scene)
    return opened


def open_file(config: CutConfig) -> OpenedScene:
    """Open the cut's source file and find its scene and view layer; whatever camera there is stays.

    Raises:
        SceneError: The file cannot be read, holds no such scene or view layer, or holds nothing that draws.
    """
    loaded = load_scene(config)
    view_layer = _find_view_layer(config, loaded.scene)
    require_drawable(config, loaded.scene, loaded.missing)
    notes = [*loaded.newer, *loaded.notes]
    if not config.trust_scripts:
        notes += _note_disabled_drivers(disabled_drivers())
    notes += [*map(str, loaded.missing), *loaded.unbaked, *computed_imports()]
    return OpenedScene(
        loaded.scene, view_layer, notes, loaded.inputs, loaded.missing, loaded.unbaked, loaded.caches, loaded.newer
    )


@dataclass(frozen=True)
class LoadedFilm:
    """A film that is loaded, whether it can be filmed or not.

    Attributes:
        scene: The cut's scene, as the file has it.
        notes: What the user should know about the file, a sentence each.
        inputs: As :class:`OpenedScene` has them.
        missing: As :class:`OpenedScene` has it.
        unbaked: As :class:`OpenedScene` has it.
        caches: As :class:`OpenedScene` has it.
        newer: As :class:`OpenedScene` has it.
    """

    scene: bpy.types.Scene
    notes: list[str]
    inputs: list[str]
    missing: list[MissingFile]
    unbaked: list[str]
    caches: TemporaryDirectory[str] | None
    newer: list[str]


def load_scene(config: CutConfig) -> LoadedFilm:
    """Open the cut's source file and find its scene, whether it can be filmed or not.

    Nothing is evaluated before it is known that this neither waits for ever nor writes anything.

    Args:
        config: The cut.

    Returns:
        The film.

    Raises:
        SceneError: The file cannot be read, or is too new, or holds no such scene; or it names a file that has no end,
            or would have Blender write beside it.
    """
    newer = look_at_files(config.source, versions.engine_name())
    forget_film_handlers()
    with evaluation_held() as held:
        notes = _load(config)
        scene = _find_scene(config, held.scene or bpy.context.scene)
        _play_footage()
        files = external_files(config.frame_numbers, scene)
        refuse_endless(config.source, files)
        missing = missing_files(files)
        unbaked = hold_unbaked()
        caches = keep_off_film_folder(config, scene)
        held.let_go(scene)
    return LoadedFilm(scene, notes, inputs_of(files), missing, unbaked, caches, newer)


def _play_footage() -> None:
    """Have image sequences and movies on surfaces play as in final renders of Cycles.

    Everywhere else a node that is not told to refresh by itself stands still (4.5.15).
    """
    trees = [block.node_tree for block in (*bpy.data.materials, *bpy.data.worlds)]
    for tree in (*trees, *bpy.data.node_groups):
        for node in tree.nodes if tree is not None else ():
            image = node.image if node.type in {"TEX_IMAGE", "TEX_ENVIRONMENT"} else None
            if image is not None and image.source in {"SEQUENCE", "MOVIE"}:
                node.image_user.use_auto_refresh = True


def _load(config: CutConfig) -> list[str]:
    bpy.context.preferences.filepaths.use_scripts_auto_execute = config.trust_scripts
    # without it a scene cannot be brought to a frame before 0, which a film may well have
    bpy.context.preferences.edit.use_negative_frames = True
    versions.disable_gpu_subdivision()
    try:
        bpy.ops.wm.open_mainfile(filepath=str(config.source), load_ui=False, use_scripts=config.trust_scripts)
    except RuntimeError as error:
        # files of old Blenders raise although everything was loaded
        loaded = bpy.data.filepath
        if not loaded or not Path(loaded).samefile(config.source):
            reason = " ".join(str(error).split())
            raise SceneError(
                f"cannot be opened by {versions.engine_name()}: {reason}",
                config.source,
                "copy the file again if it was cut short",
            ) from error
        return [f"the file loaded with complaints: {' '.join(str(error).split())}"]
    return []


def _find_scene(config: CutConfig, saved: bpy.types.Scene) -> bpy.types.Scene:
    """The scene that the cut names, else the one that the file was saved with."""
    if config.scene is None:
        return saved
    if config.scene not in bpy.data.scenes:
        own = [scene for scene in bpy.data.scenes if scene.name != IDLE]
        raise SceneError(
            f"has no scene named '{config.scene}'; it has {_names(own)}",
            config.source,
            "change 'scene' in the cut's configuration",
        )
    return bpy.data.scenes[config.scene]


def _find_view_layer(config: CutConfig, scene: bpy.types.Scene) -> bpy.types.ViewLayer:
    if config.view_layer is not None:
        if config.view_layer not in scene.view_layers:
            raise SceneError(
                f"scene '{scene.name}' of {config.source} has no view layer named '{config.view_layer}'; it "
                f"has {_names(scene.view_layers)}",
                remedy="change 'view_layer' in the cut's configuration",
            )
        return scene.view_layers[config.view_layer]
    used = [layer for layer in scene.view_layers if layer.use]
    return used[0] if used else scene.view_layers[0]


def _choose_camera(config: CutConfig, scene: bpy.types.Scene) -> None:
    if config.camera is None:
        return
    camera = scene.objects.get(config.camera)
    if camera is None or camera.type != "CAMERA":
        cameras = [obj for obj in scene.objects if obj.type == "CAMERA"]
        raise SceneError(
            f"scene '{scene.name}' of {config.source} has no camera named '{config.camera}'; it has {_names(cameras)}",
            remedy="change 'camera' in the cut's configuration",
        )
    # markers would switch to another camera in the middle of the clip
    for marker in scene.timeline_markers:
        marker.camera = None
    scene.camera = camera


def _check_camera(config: CutConfig, scene: bpy.types.Scene) -> None:
    own_way = "give it one with 'camera_motion.keyframes'"
    usable = [obj for obj in scene.objects if obj.type == "CAMERA" and obj.data.type in CAMERA_TYPES]
    used: list[bpy.types.Object | None] = [*cameras_of_clip(scene, config.frame_numbers)]
    for camera in used or [None]:
        problem = camera_problem(camera)
        if problem:
            remedy = f"set 'camera' in the cut's configuration to one of these: {_names(usable)}; or {own_way}"
            if not usable:
                none = "" if camera is None else "it has no camera that can be used: "
                remedy = f"{none}{own_way}, or add one in Blender"
            raise SceneError(f"scene '{scene.name}' of {config.source} {problem}", remedy=remedy)


def camera_problem(camera: bpy.types.Object | None) -> str:
    """Why a scene's camera cannot be used, as the end of a sentence about the scene; empty when it can."""
    if camera is None:
        return "has no camera"
    if camera.type != "CAMERA":
        return f"has '{camera.name}', an object of type {camera.type}, as its camera"
    if camera.data.type not in CAMERA_TYPES:
        return (
            f"has camera '{camera.name}', which is of type {camera.data.type}; only perspective and orthographic "
            "cameras have exact flow"
        )
    return ""


def disabled_drivers() -> list[str]:
    """The drivers that need Python and therefore stand still, each as ``<data-block>: <property>``."""
    return sorted(
        f"{block.name}: {curve.data_path}"
        for block in animated_blocks()
        for curve in block.animation_data.drivers
        if curve.driver.type == "SCRIPTED" and not curve.driver.is_simple_expression
    )


def _note_disabled_drivers(disabled: list[str]) -> list[str]:
    if not disabled:
        return []
    listed = "; ".join(disabled[:20]) + ("; ..." if len(disabled) > 20 else "")
    return [
        f"drivers with Python expressions are switched off ({len(disabled)}) because scripts are not trusted: "
        f"{listed}. "
        "Set 'trust_scripts: true' if you trust the file."
    ]


def animated_blocks() -> list[bpy.types.ID]:
    """All data-blocks of the open file that have animation data: actions, strips or drivers."""
    data = bpy.data
    collections = [
        data.objects,
        data.meshes,
        data.curves,
        data.lattices,
        data.shape_keys,
        data.armatures,
        data.materials,
        data.cameras,
        data.scenes,
        data.node_groups,
        data.metaballs,
        data.textures,
        data.worlds,
        data.particles,
    ]
    blocks = [block for collection in collections for block in collection]
    # the node tree inside a material or a scene is a data-block of its own
    blocks += [block.node_tree for block in blocks if getattr(block, "node_tree", None) is not None]
    return [block for block in blocks if getattr(block, "animation_data", None) is not None]


def _names(blocks: object) -> str:
    names = [f"'{block.name}'" for block in blocks]  # type: ignore[attr-defined]
    return ", ".join(names) if names else "none"
