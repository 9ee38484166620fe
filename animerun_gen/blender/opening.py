"""Opens a film's ``.blend`` without running anything that it brings along."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import bpy

from animerun_gen.blender import versions
from animerun_gen.blender.camera_marks import cameras_of_clip
from animerun_gen.blender.disk_caches import keep_off_film_folder
from animerun_gen.blender.keyframed_camera import make_keyframed_camera
from animerun_gen.config import CutConfig
from animerun_gen.errors import SceneError

CAMERA_TYPES = {"PERSP", "ORTHO"}
"""Types of cameras under which flow is exact."""

SHOWN_NAMES = 8
"""So many names are listed in a sentence about a missing file."""


@dataclass(frozen=True)
class OpenedScene:
    """The scene of a cut, opened.

    Attributes:
        scene: The scene to render.
        view_layer: The view layer to render.
        notes: What the user should know about the file, a sentence each.
        inputs: Files besides the ``.blend`` that the pictures depend on: libraries and images, missing ones as well.
        caches: The folder in which simulations leave files, if they have to; it goes when this object does.
    """

    scene: bpy.types.Scene
    view_layer: bpy.types.ViewLayer
    notes: list[str] = field(default_factory=list)
    inputs: list[Path] = field(default_factory=list)
    caches: TemporaryDirectory[str] | None = None


def open_scene(config: CutConfig) -> OpenedScene:
    """Open the cut's source file and find its scene, view layer and camera.

    The scene stands at the first frame of the cut afterwards, with the cut's camera.

    Args:
        config: The cut.

    Returns:
        The opened scene.

    Raises:
        SceneError: The file cannot be read, or holds no such scene, view layer or usable camera.
    """
    opened = open_file(config)
    scene = opened.scene
    opened = replace(opened, caches=keep_off_film_folder(config, scene))
    if config.frame_rate is not None:
        scene.render.fps = max(1, round(config.frame_rate))
        scene.render.fps_base = scene.render.fps / config.frame_rate
    keyframed = bool(config.camera_motion.keyframes)
    if not keyframed:
        _choose_camera(config, scene)
    scene.frame_set(config.frames.first)
    if keyframed:
        opened.notes.extend(make_keyframed_camera(config, scene, opened.view_layer))
        scene.frame_set(config.frames.first)
    _check_camera(config, scene)
    return opened


def open_file(config: CutConfig) -> OpenedScene:
    """Open the cut's source file and find its scene and view layer; whatever camera there is stays.

    Raises:
        SceneError: The file cannot be read, or holds no such scene or view layer.
    """
    scene, notes = load_scene(config)
    view_layer = _find_view_layer(config, scene)
    if not config.trust_scripts:
        notes += _note_disabled_drivers(disabled_drivers())
    notes += [str(missing) for missing in missing_files()]
    return OpenedScene(scene, view_layer, notes, _inputs())


def load_scene(config: CutConfig) -> tuple[bpy.types.Scene, list[str]]:
    """Open the cut's source file and find its scene, whether it can be filmed or not.

    Args:
        config: The cut.

    Returns:
        The scene, as the file has it, and what the user should know.

    Raises:
        SceneError: The file cannot be read, or holds no such scene.
    """
    notes = _load(config)
    scene = _find_scene(config)
    if bpy.context.window is not None:
        bpy.context.window.scene = scene
    return scene, notes


def _load(config: CutConfig) -> list[str]:
    bpy.context.preferences.filepaths.use_scripts_auto_execute = config.trust_scripts
    versions.disable_gpu_subdivision()
    try:
        bpy.ops.wm.open_mainfile(filepath=str(config.source), load_ui=False, use_scripts=config.trust_scripts)
    except RuntimeError as error:
        # files of old Blenders raise although everything was loaded
        loaded = bpy.data.filepath
        if not loaded or not Path(loaded).samefile(config.source):
            reason = " ".join(str(error).split())
            raise SceneError(
                f"Blender {bpy.app.version_string} cannot open {config.source}: {reason}. A file saved by Blender 4 or "
                "newer needs a Blender at least that new; a file that was cut short must be copied again."
            ) from error
        return [f"the file loaded with complaints: {' '.join(str(error).split())}"]
    return []


def _find_scene(config: CutConfig) -> bpy.types.Scene:
    if config.scene is None:
        return bpy.context.scene
    if config.scene not in bpy.data.scenes:
        raise SceneError(
            f"{config.source} has no scene named '{config.scene}'; it has {_names(bpy.data.scenes)}. "
            "Change 'scene' in the cut's configuration."
        )
    return bpy.data.scenes[config.scene]


def _find_view_layer(config: CutConfig, scene: bpy.types.Scene) -> bpy.types.ViewLayer:
    if config.view_layer is not None:
        if config.view_layer not in scene.view_layers:
            raise SceneError(
                f"scene '{scene.name}' of {config.source} has no view layer named '{config.view_layer}'; it has "
                f"{_names(scene.view_layers)}. Change 'view_layer' in the cut's configuration."
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
            f"scene '{scene.name}' of {config.source} has no camera named '{config.camera}'; it has {_names(cameras)}. "
            "Change 'camera' in the cut's configuration."
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
                remedy = f"it has no camera that can be used: {own_way}, or add one in Blender"
            raise SceneError(f"scene '{scene.name}' of {config.source} {problem}; {remedy}.")


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
        f"{len(disabled)} drivers with Python expressions are switched off because scripts are not trusted: {listed}. "
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
        data.particles,
    ]
    blocks = [block for collection in collections for block in collection]
    # the node tree inside a material or a scene is a data-block of its own
    blocks += [block.node_tree for block in blocks if getattr(block, "node_tree", None) is not None]
    return [block for block in blocks if getattr(block, "animation_data", None) is not None]


@dataclass(frozen=True)
class MissingFile:
    """A file that the scene names and that is not there.

    Attributes:
        kind: ``"library"`` or ``"image"``.
        path: As the file names it.
        touches: Full names of what comes from it or shows it, sorted.
    """

    kind: str
    path: str
    touches: tuple[str, ...]

    def __str__(self) -> str:
        shown = ", ".join(self.touches[:SHOWN_NAMES]) + (", ..." if len(self.touches) > SHOWN_NAMES else "")
        what = "what comes from it is left out" if self.kind == "library" else "seen on"
        if self.kind == "library":
            touched = f"{what}: {shown}" if shown else "nothing needs it"
        else:
            touched = f"{what} {shown}" if shown else "nothing shows it"
        return f"missing: {self.kind} {self.path} ({touched})"


def missing_files() -> list[MissingFile]:
    """The libraries and images that are not there, each once, with what they touch."""
    found = []
    for library in bpy.data.libraries:
        if not _absolute(library).exists():
            touches = sorted({block.name for block in library.users_id})
            found.append(MissingFile("library", library.filepath, tuple(touches)))
    images: dict[str, set[str]] = {}
    missing = [image for image in bpy.data.images if not is_there(image)]
    users = bpy.data.user_map(subset=missing) if missing else {}
    for image in missing:
        images.setdefault(image.filepath or image.name, set()).update(block.name for block in users.get(image, ()))
    found += [MissingFile("image", path, tuple(sorted(touches))) for path, touches in images.items()]
    return sorted(found, key=lambda each: (each.kind, each.path))


def is_there(image: bpy.types.Image) -> bool:
    """Whether an image that comes from a file has it, on disk or packed into the scene."""
    return image.source != "FILE" or bool(image.packed_file) or _absolute(image).exists()


def _inputs() -> list[Path]:
    files = [_absolute(library) for library in bpy.data.libraries]
    files += [_absolute(image) for image in bpy.data.images if image.source == "FILE" and not image.packed_file]
    return sorted(set(files))


def _absolute(block: bpy.types.ID) -> Path:
    return Path(bpy.path.abspath(block.filepath, library=block.library)).absolute()


def _names(blocks: object) -> str:
    names = [f"'{block.name}'" for block in blocks]  # type: ignore[attr-defined]
    return ", ".join(names) if names else "none"
