"""Which images of files from before Blender 2.80 are offered for which materials."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.blender.test_graphs import run_in_blender

pytestmark = pytest.mark.blender

NAMED = """
for name in ("goblin", "Wood.001", "Material", "tex"):
    bpy.data.materials.new(name).use_fake_user = True
shaded = bpy.data.materials.new("shaded")
shaded.use_nodes = shaded.use_fake_user = True
for name in ("goblin_tex.png", "Goblin-normal.png", "goblet.png", "wood_diffuse_2.png", "texture.png", "shaded.png"):
    bpy.data.images.new(name, 4, 4).use_fake_user = True
bpy.data.images["goblet.png"].pack()
"""

OFFERS = """
from animerun_gen.blender.convert import lost_looks
bpy.ops.wm.open_mainfile(filepath=sys.argv[1])
today = lost_looks.find_lost_looks()
# the file as if it were from before
lost_looks.FIRST_TODAY = (99, 0)
old = lost_looks.find_lost_looks()
answer = {
    "today": [today.materials, today.offers, lost_looks.note_lost_looks()[:0]],
    "materials": old.materials,
    "offers": [[each.material, each.image, each.certain] for each in old.offers],
    "notes": lost_looks.note_lost_looks(),
}
"""


def test_images_are_offered_by_their_names(build: Callable[[str, str], Path]) -> None:
    answer = run_in_blender(OFFERS, build("named", NAMED))
    assert answer["today"] == [[], [], []]
    assert answer["materials"] == ["Material", "Wood.001", "goblin", "tex"]
    assert answer["offers"] == [["Wood.001", "wood_diffuse_2.png", False], ["goblin", "goblin_tex.png", False]]
    assert len(answer["notes"]) == 1
    assert "style.textures gives images back" in answer["notes"][0]
