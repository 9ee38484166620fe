"""Which particle systems show anything, and whose animation is whose."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.blender.conftest import SCENE
from tests.blender.test_graphs import run_in_blender

pytestmark = pytest.mark.blender

SYSTEMS = (
    SCENE
    + """
def emitter(name, shown, collection=None, hidden=False):
    thing = add("plane", name, (1, 1, 1))
    settings = thing.modifiers.new("flight", "PARTICLE_SYSTEM").particle_system.settings
    settings.render_type = shown
    settings.instance_collection = collection
    thing.hide_render = hidden
    return thing

on, off, empty = (bpy.data.collections.new(name) for name in ("on", "off", "empty"))
for collection in (on, off):
    scene.collection.children.link(collection)
    collection.objects.link(add("cube", "stone of " + collection.name, (1, 0, 0)))
off.hide_render = True
emitter("halos", "HALO")
emitter("of on", "COLLECTION", on)
emitter("of off", "COLLECTION", off)
emitter("of empty", "COLLECTION", empty)
emitter("none", "NONE")
emitter("hidden", "HALO", hidden=True)
emitter("exploding", "NONE").modifiers.new("explode", "EXPLODE")
# one action moves two things
shared = add("cube", "shared", (0, 1, 0))
other = add("cube", "other", (0, 1, 0))
for frame, hidden in ((1, False), (3, True)):
    shared.hide_render = hidden
    shared.keyframe_insert("hide_render", frame=frame)
other.animation_data_create().action = shared.animation_data.action
if hasattr(other.animation_data, "action_slot"):
    other.animation_data.action_slot = shared.animation_data.action_slot
stripped = add("cube", "stripped", (0, 1, 0))
stripped.animation_data_create().nla_tracks.new().strips.new("strip", 1, shared.animation_data.action)
"""
)

SEEN = """
from animerun_gen.blender.convert.hiding import hidden_in, hide
from animerun_gen.blender.particles_drawn import is_seen
from animerun_gen.blender.simulations import find_simulations
bpy.ops.wm.open_mainfile(filepath=sys.argv[1])
scene = bpy.context.scene
systems = {obj.name: is_seen(obj.modifiers[0]) for obj in bpy.data.objects if obj.modifiers}
played = sorted(each.owner.name for each in find_simulations(scene))
for name in ("shared", "stripped"):
    hide(bpy.data.objects[name])
hidden = {name: hidden_in(bpy.data.objects[name], (1, 3), scene) for name in ("shared", "other", "stripped")}
answer = {"seen": systems, "played": played, "hidden": hidden}
"""


def test_only_what_shows_anything_counts(build: Callable[[str, str], Path]) -> None:
    answer = run_in_blender(SEEN, build("systems", SYSTEMS))
    seen = {name for name, is_seen in answer["seen"].items() if is_seen}
    assert seen == {"halos", "of on", "exploding"}
    assert answer["played"] == sorted(seen)
    # what hides one thing for good leaves those alone that share its animation
    assert answer["hidden"] == {
        "shared": {"1": True, "3": True},
        "other": {"1": False, "3": True},
        "stripped": {"1": True, "3": True},
    }
