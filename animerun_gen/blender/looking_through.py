"""Looks at some frames of a shot: how much they show, and what of it a film looks through."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import bpy

from animerun_gen.blender.convert import Conversion, opacity
from animerun_gen.blender.far_from_origin import NOTED, pixels_apart
from animerun_gen.blender.geometry import SceneNames, scene_names, take_down
from animerun_gen.blender.opening import OpenedScene
from animerun_gen.blender.recentering import spacing
from animerun_gen.blender.simulations import is_simulated
from animerun_gen.config import CutConfig
from animerun_gen.motion.companions import NO_MATERIAL_ID
from animerun_gen.shot.panes import Clear, PaneFinder, Verdict
from animerun_gen.shot.shot import Contents, FarFromOrigin, SeeThrough

LOOKED_AT = 8
"""So many frames, spread over the clip, are looked at."""

LOOKING_SECONDS = 30.0
"""With those that are looked at after so long it stops."""

LARGEST_FAMILY = 12
"""A thing of so many objects is taken for one, however few others there are in the scene."""

SHOWN_OBJECTS = 4
"""So many objects are named before or behind a pane."""


@dataclass(frozen=True)
class Seen:
    """What was seen.

    Attributes:
        see_through: The materials that a film camera sees through.
        contents: How much the frames show without the panes and glasses among them.
        far_from_origin: How coarse numbers are in the first frame; None where they are fine enough.
    """

    see_through: tuple[SeeThrough, ...]
    contents: tuple[Contents, ...]
    far_from_origin: FarFromOrigin | None = None

    @property
    def removed(self) -> tuple[str, ...]:
        """The materials that are better removed, by name."""
        return tuple(each.material for each in self.see_through if each.kind)


def look_through(
    opened: OpenedScene,
    config: CutConfig,
    conversion: Conversion,
    progress: Callable[[int, int, str], None],
) -> Seen:
    """Look at frames spread over the clip, of what is simulated at the first alone.

    Args:
        opened: The converted scene, at the clip's first frame, where it stands afterwards as well;
            :func:`~animerun_gen.blender.geometry.geometry_engine` must be active.
        config: The cut.
        conversion: Its conversion.
        progress: Is told how far it is.

    Returns:
        What was seen.
    """
    names, found = scene_names(), conversion.see_through
    finder = PaneFinder(_clear(found, names, config.transparency.threshold), _families(names))
    numbers = config.frame_numbers
    count = 1 if is_simulated(opened.scene) else min(LOOKED_AT, len(numbers))
    frames = [numbers[round(i * (len(numbers) - 1) / max(count - 1, 1))] for i in range(count)]
    go_to = conversion.going_to(opened.scene)
    start = time.monotonic()
    far = None
    for number, frame in enumerate(frames):
        progress(number, len(frames), f"looking at the picture of frame {frame}")
        if number > 0:
            go_to(frame)
        geometry = take_down(opened.scene, names, conversion.clipped)
        finder.look(geometry)
        if number == 0 and (pixels := pixels_apart(geometry)) >= NOTED:
            far = FarFromOrigin(spacing(geometry.camera.world[:3, 3]), pixels)
        if time.monotonic() - start > LOOKING_SECONDS:
            break
    if count > 1:
        go_to(numbers[0])
    return replace(_in_words(finder, found, names), far_from_origin=far)


def _clear(found: Sequence[opacity.SeeThrough], names: SceneNames, threshold: float) -> dict[int, Clear]:
    """The materials through which more is seen than of themselves, by id; those with holes are cut out anyhow."""
    clear = {}
    for each in found:
        has_holes = each.texture is not None and (each.texture.below or 0.0) < 1.0
        # what was made local has another name
        number = names.materials.ids.get(each.material)
        if number is not None and not has_holes and (each.shows < threshold or each.fades):
            clear[number] = Clear(always=each.shows < threshold)
    return clear


def _families(names: SceneNames) -> dict[int, set[str]]:
    """By object id what an object is part of: itself, what it hangs on, its armatures.

    What carries most of a scene (a root that an importer made) makes no family.
    """
    families: dict[int, set[str]] = {}
    for obj in bpy.data.objects:
        family, carrier = {str(obj.name_full)}, obj.parent
        while carrier is not None:
            family.add(carrier.name_full)
            carrier = carrier.parent
        family |= {each.object.name_full for each in obj.modifiers if each.type == "ARMATURE" and each.object}
        if obj.name_full in names.objects.ids:
            families[names.objects.ids[obj.name_full]] = family
    sizes = Counter(member for family in families.values() for member in family)
    most = max(LARGEST_FAMILY, len(families) // 2)
    return {number: {member for member in family if sizes[member] <= most} for number, family in families.items()}


def _in_words(finder: PaneFinder, found: Sequence[opacity.SeeThrough], names: SceneNames) -> Seen:
    """What was seen, by the names that a configuration knows."""
    objects, materials = (
        {table.ids.get(block.name_full, 0): block.name for block in blocks}
        for table, blocks in ((names.objects, bpy.data.objects), (names.materials, bpy.data.materials))
    )
    materials[NO_MATERIAL_ID] = "no material"
    plain_names = {block.name_full: block.name for block in bpy.data.materials}
    verdicts = finder.verdicts()
    see_through = []
    for each in found:
        verdict = verdicts.get(names.materials.ids.get(each.material, NO_MATERIAL_ID), Verdict("", 0.0, (), ()))
        texture = each.texture
        see_through.append(
            SeeThrough(
                plain_names.get(each.material, each.material),
                ", ".join(each.reasons) or "its image has transparent texels",
                texture is not None and not texture.problem and 0.0 < (texture.below or 0.0) < 1.0,
                (texture.below or 0.0) if texture is not None else 0.0,
                verdict.kind,
                verdict.covers,
                tuple(objects.get(number, "") for number in verdict.worn_by[:SHOWN_OBJECTS]),
                tuple(objects.get(number, "") for number in verdict.before[:SHOWN_OBJECTS]),
            )
        )
    contents = finder.contents([number for number, verdict in verdicts.items() if verdict.kind])
    return Seen(
        tuple(see_through),
        tuple(
            replace(
                each,
                object=objects.get(int(each.object), "") if each.object else "",
                material=materials.get(int(each.material), "") if each.object else "",
            )
            for each in contents
        ),
    )
