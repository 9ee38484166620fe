"""Keeps simulations out of the film's folder.

Several processes that play a simulation would write its cache beside the film, and read each other's halves.  Dynamic
paint knows no other place than a file (4.5.15); that place follows the ``.blend``.
"""

from __future__ import annotations

from pathlib import Path

import bpy

from animerun_gen.blender.simulations import find_simulations, has_rigid_bodies
from animerun_gen.config import CutConfig
from animerun_gen.engines.scratch import TemporaryFolder
from animerun_gen.errors import SceneError


def keep_off_film_folder(config: CutConfig, scene: bpy.types.Scene) -> TemporaryFolder | None:
    """See to it that nothing is written beside the film when its simulations are played.

    Particles and hair are seen to by their conversions.

    Args:
        config: The cut, for sentences.
        scene: The scene that is to be played; it was just opened.

    Returns:
        The folder to which the open file was moved, where it has dynamic paint that is not baked: it has to be there as
        long as the file is open.  None where there is nothing to write.

    Raises:
        SceneError: A simulation cannot be played elsewhere.
    """
    caches = [
        (f"modifier '{each.modifier.name}' of '{each.owner.name}'", each.modifier.type, cache)
        for each in find_simulations(scene)
        if each.modifier.type != "PARTICLE_SYSTEM"
        for cache in each.caches
    ]
    if has_rigid_bodies(scene):
        caches.append(("the rigid body world", "RIGID_BODY", scene.rigidbody_world.point_cache))
    painted = False
    for owner, kind, cache in caches:
        if not cache.use_disk_cache or cache.is_baked:
            continue
        if kind != "DYNAMIC_PAINT":
            raise SceneError(
                f"{owner} in {config.source} keeps its simulation in a disk cache that is not baked, which "
                "every process that plays it would write again",
                remedy="bake it in Blender, or switch 'Disk Cache' off there",
            )
        painted = True
    if not painted:
        return None
    baked = _baked_on_disk()
    if baked:
        raise SceneError(
            f"the dynamic paint in {config.source} is not baked, but '{baked}' is, in files beside the film",
            remedy="bake both in Blender",
        )
    return _move_open_file(config)


def _baked_on_disk() -> str:
    """An object that has a baked cache in files beside the film; empty where none has."""
    for obj in bpy.data.objects:
        for modifier in obj.modifiers:
            system = modifier.particle_system if modifier.type == "PARTICLE_SYSTEM" else modifier
            cache = getattr(system, "point_cache", None)
            if cache is not None and cache.is_baked and cache.use_disk_cache:
                return str(obj.name)
    return ""


def _move_open_file(config: CutConfig) -> TemporaryFolder:
    """Have the open file lie in a folder of its own, in which Blender then writes caches; paths in it are adapted."""
    folder = TemporaryFolder(ignore_cleanup_errors=True)
    try:
        bpy.ops.wm.save_as_mainfile(
            filepath=str(Path(folder.name, "film.blend")), relative_remap=True, check_existing=False
        )
    except RuntimeError as error:
        reason = " ".join(str(error).split())
        raise SceneError(
            f"the dynamic paint in {config.source} is not baked, and Blender cannot play it in {folder.name} "
            f"({reason})",
            remedy="see whether that folder has space, or bake it in Blender",
        ) from error
    return folder
