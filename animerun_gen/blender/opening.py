"""Opens a film's ``.blend`` without running anything that it brings along."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import bpy

from animerun_gen.blender import versions
from animerun_gen.config import CutConfig
from animerun_gen.errors import SceneError


@dataclass(frozen=True)
class OpenedScene:
    """The scene of a cut, opened.

    Attributes:
        scene: The scene to render.
        view_layer: The view layer to render.
        notes: What the user should know about the file, a sentence each.
        inputs: Files besides the ``.blend`` that the pictures depend on: libraries and images, missing ones as well.
    """

    scene: bpy.types.Scene
    view_layer: bpy.types.ViewLayer
    notes: list[str] = field(default_factory=list)
    inputs: list[Path] = field(default_factory=list)


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
    notes = _load(config)
    scene = _find_scene(config)
    if bpy.context.window is not None:
        bpy.context.window.scene = scene
    view_layer = _find_view_layer(config, scene)
    notes += _disabled_drivers() if not config.trust_scripts else []
    notes += _missing_files()
    if config.frame_rate is not None:
        scene.render.fps = max(1, round(config.frame_rate))
        scene.render.fps_base = scene.render.fps / config.frame_rate
    _choose_camera(config, scene)
    scene.frame_set(config.frames.first)
    _check_camera(config, scene)
    return OpenedScene(scene, view_layer, notes, _inputs())


def is_simulated(scene: bpy.types.Scene) -> bool:
    """Whether what a frame shows depends on the frames before it, so that Blender must play up to it."""
    if scene.rigidbody_world is not None and scene.rigidbody_world.enabled:
        return True
    if any(has_history(modifier) for obj in bpy.data.objects for modifier in obj.modifiers):
        return True
    simulating = {"CLOTH", "SOFT_BODY", "DYNAMIC_PAINT"}
    for obj in scene.objects:
        for modifier in obj.modifiers:
            if modifier.type in simulating:
                return True
            group = modifier.node_group if modifier.type == "NODES" else None
            if group is not None and any(node.type == "SIMULATION_OUTPUT" for node in group.nodes):
                return True
    return False


def has_history(modifier: bpy.types.Modifier) -> bool:
    """Whether it is a particle system that flies or swings, unless that is stored in the file or beside it."""
    if modifier.type != "PARTICLE_SYSTEM" or not (modifier.show_render or modifier.show_viewport):
        return False
    system = modifier.particle_system
    moves = system.settings.type != "HAIR" or system.use_hair_dynamics
    return bool(moves and not system.point_cache.is_baked)


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
    cameras = [obj for obj in scene.objects if obj.type == "CAMERA"]
    if scene.camera is None or scene.camera.type != "CAMERA":
        found = "no camera"
        if scene.camera is not None:
            found = f"'{scene.camera.name}', an object of type {scene.camera.type}, as its camera"
        remedy = f"set 'camera' in the cut's configuration to one of the scene's cameras: {_names(cameras)}"
        if not cameras:
            remedy = "it has no camera at all: add one in Blender"
        raise SceneError(f"scene '{scene.name}' of {config.source} has {found}; {remedy}.")
    if scene.camera.data.type not in {"PERSP", "ORTHO"}:
        raise SceneError(
            f"camera '{scene.camera.name}' of {config.source} is of type {scene.camera.data.type}; only perspective "
            "and orthographic cameras have exact flow. Choose another with 'camera' in the cut's configuration."
        )


def _disabled_drivers() -> list[str]:
    """Name the drivers that need Python and therefore stand still."""
    disabled = []
    for collection in _animated_collections():
        for block in collection:
            animation = getattr(block, "animation_data", None)
            if animation is None:
                continue
            disabled += [
                f"{block.name}: {curve.data_path}"
                for curve in animation.drivers
                if curve.driver.type == "SCRIPTED" and not curve.driver.is_simple_expression
            ]
    if not disabled:
        return []
    listed = "; ".join(sorted(disabled)[:20]) + ("; ..." if len(disabled) > 20 else "")
    return [
        f"{len(disabled)} drivers with Python expressions are switched off because scripts are not trusted: {listed}. "
        "Set 'trust_scripts: true' if you trust the file."
    ]


def _animated_collections() -> list[bpy.types.bpy_prop_collection]:
    data = bpy.data
    return [
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


def _missing_files() -> list[str]:
    missing = [f"library {library.filepath}" for library in bpy.data.libraries if not _absolute(library).exists()]
    missing += [
        f"image {image.filepath}"
        for image in bpy.data.images
        if image.source == "FILE" and not image.packed_file and not _absolute(image).exists()
    ]
    return [f"missing: {name}" for name in sorted(missing)]


def _inputs() -> list[Path]:
    files = [_absolute(library) for library in bpy.data.libraries]
    files += [_absolute(image) for image in bpy.data.images if image.source == "FILE" and not image.packed_file]
    return sorted(set(files))


def _absolute(block: bpy.types.ID) -> Path:
    return Path(bpy.path.abspath(block.filepath, library=block.library)).absolute()


def _names(blocks: object) -> str:
    names = [f"'{block.name}'" for block in blocks]  # type: ignore[attr-defined]
    return ", ".join(names) if names else "none"
