"""What a film's camera sees of an object in some frames only, by switches that Workbench knows nothing of."""

from __future__ import annotations

import bpy

from animerun_gen.blender import versions
from animerun_gen.blender.convert.hiding import hidden_in, hide_in, note_copies
from animerun_gen.blender.convert.patterns import named_objects
from animerun_gen.blender.moments import moments
from animerun_gen.blender.opening import OpenedScene
from animerun_gen.config import CutConfig
from animerun_gen.config.messages import counted

SWITCHES = ("visible_camera", "is_holdout", "is_shadow_catcher")
"""Properties of an object by which a camera does not see it."""


def why_unseen(obj: bpy.types.Object) -> str | None:
    """Why no camera sees an object as it stands, as the end of a sentence; None where one does."""
    if not obj.visible_camera:
        return "no camera sees it (ray visibility)"
    if obj.is_holdout:
        return "it is a holdout, a hole in the film's picture"
    return "it only catches shadows" if obj.is_shadow_catcher else None


def unseen_in(scene: bpy.types.Scene, config: CutConfig) -> dict[str, dict[int, str | None]]:
    """Why objects whose switches are animated are not seen, in every frame from the clip's first to its last.

    Args:
        scene: The film's scene.
        config: The cut: ``frames``.

    Returns:
        By the object's full name: frame to reason, None where a camera sees it.
    """
    switched = [obj for obj in bpy.data.objects if any(versions.is_animated(obj, switch) for switch in SWITCHES)]
    found: dict[str, dict[int, str | None]] = {obj.name_full: {} for obj in switched}
    if switched:
        with moments(scene, objects=switched) as there:
            for frame in range(config.frames.first, config.frames.last + 1):
                there.go_to(frame)
                for obj in switched:
                    found[obj.name_full][frame] = why_unseen(there.of(obj))
    return found


def follow_visibility(opened: OpenedScene, config: CutConfig) -> list[str]:
    """Have objects come and go that a film's camera sees in some frames only.

    What it never sees is left to the rules of ``remove``.

    Args:
        opened: The opened scene.
        config: The cut: ``keep``, which is stronger.

    Returns:
        What comes and goes, and why.
    """
    kept = named_objects(config.keep)
    coming = {
        name: reasons
        for name, reasons in unseen_in(opened.scene, config).items()
        if name not in kept and {reason is None for reason in reasons.values()} == {True, False}
    }
    objects = {obj.name_full: obj for obj in bpy.data.objects if obj.name_full in coming}
    notes = []
    for name, reasons in coming.items():
        hidden = hidden_in(objects[name], reasons, opened.scene)
        hide_in(objects[name], {frame: hidden[frame] or reasons[frame] is not None for frame in reasons}, opened.scene)
        why = next(reason for reason in reasons.values() if reason is not None)
        gone = [frame for frame, reason in reasons.items() if reason is not None]
        notes.append(
            f"'{name}' comes and goes: in {counted(len(gone), 'frame')} of the clip, first in {gone[0]}, {why}"
        )
    return [*notes, *note_copies(objects.values())]
