"""Renders the Vector pass of Cycles for the current frame: the second motion backend, and the cross-check."""

from __future__ import annotations

from pathlib import Path

import bpy
import numpy as np
import numpy.typing as npt

from animerun_gen.blender import versions
from animerun_gen.blender.opening import OpenedScene
from animerun_gen.blender.rendering import complaint, set_up_single_sample_cycles
from animerun_gen.errors import AnimerunGenError, SceneError
from animerun_gen.motion.vector_pass import VectorPassAbilities


def abilities() -> VectorPassAbilities:
    """What the Vector pass of the running Blender gets right."""
    return VectorPassAbilities(
        zoom=versions.is_vector_pass_right_under_zoom(),
        moving_orthographic=versions.is_vector_pass_right_for_orthographic(),
    )


class VectorPassRenderer:
    """Renders the Vector pass of one frame after the other.

    Everything that would make the pass zero or a mixture is set right here: one sample at the pixel centre, no scene
    motion blur, but the camera's and each object's own switched on.  All surfaces wear one opaque material, as they do
    in Workbench, and rays of every kind meet them.

    Args:
        opened: The opened and converted scene.
        scratch: An existing folder for the files that Blender writes.
    """

    def __init__(self, opened: OpenedScene, scratch: Path) -> None:
        self._scene = opened.scene
        self._layer = opened.view_layer
        self._scratch = scratch
        self._material = bpy.data.materials.new("animerun-gen vector pass")
        for obj in bpy.data.objects:
            obj.visible_camera = True
            obj.is_holdout = False
            obj.is_shadow_catcher = False
            if obj.type == "LIGHT":
                obj.hide_render = True
            if hasattr(obj, "cycles"):
                obj.cycles.use_motion_blur = True
                obj.cycles.use_deform_motion = True

    def render(self) -> npt.NDArray[np.float32]:
        """The Vector pass of the current frame, ``(H, W, 4)`` float32 as Blender stores it.

        Raises:
            SceneError: Cycles wrote no such pass.
            AnimerunGenError: The package that reads the file is not installed.
        """
        scene, layer = self._scene, self._layer
        render = scene.render
        path = self._scratch / "vector.exr"
        path.unlink(missing_ok=True)
        before = render.engine, render.use_freestyle
        render.engine = "CYCLES"
        render.use_freestyle = False
        render.use_motion_blur = False
        layer.use_pass_vector = True
        layer.material_override = self._material
        set_up_single_sample_cycles(scene)
        versions.use_picture_format(render.image_settings, "OPEN_EXR_MULTILAYER")
        render.image_settings.color_depth = "32"
        render.filepath = str(path)
        reason = ""
        try:
            bpy.ops.render.render(write_still=True, scene=scene.name)
        except RuntimeError as error:
            reason = complaint(error)
        finally:
            render.engine, render.use_freestyle = before
            versions.use_picture_format(render.image_settings, "PNG")
            render.image_settings.color_mode = "RGB"
            render.image_settings.color_depth = "8"
            layer.use_pass_vector = False
            layer.material_override = None
        if reason or not path.exists():
            raise SceneError(
                f"Cycles wrote no Vector pass for frame {scene.frame_current} to {path}{reason}",
                remedy="see whether that folder is there and has space",
            )
        return _read_vectors(path)


def _read_vectors(path: Path) -> npt.NDArray[np.float32]:
    try:
        import OpenEXR
    except ImportError as error:
        raise AnimerunGenError(
            "the cycles motion backend and --cross-check read OpenEXR files",
            remedy="install what does that: pip install OpenEXR",
        ) from error
    with OpenEXR.File(str(path), separate_channels=True) as file:
        channels = file.parts[0].channels
        found = {name.rsplit(".", 1)[-1]: channels[name].pixels for name in channels if ".Vector." in name}
    if set(found) != set("XYZW"):
        raise SceneError(
            f"holds no Vector pass, only the channels {', '.join(sorted(channels))}",
            path,
            "run 'animerun-gen doctor', or use the motion backend 'geometry'",
        )
    return np.stack([found[name] for name in "XYZW"], axis=-1).astype(np.float32)
