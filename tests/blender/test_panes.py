"""What a film looks through, and what goes by the name of what carries it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from animerun_gen.config import load_cuts
from tests.blender.conftest import SCENE, render_cuts, run_kept

pytestmark = pytest.mark.blender

PANES = """
def clear(name, alpha=0.2):
    material = paint(name, (0.02, 0.02, 0.02))
    material.use_nodes = True
    material.node_tree.nodes["Principled BSDF"].inputs["Alpha"].default_value = alpha
    return material

def sheet(name, material, size, location, parent=None, rotation=(math.pi / 2, 0, 0)):
    bpy.ops.mesh.primitive_plane_add(size=size, location=location, rotation=rotation)
    thing = bpy.context.object
    thing.name = name
    thing.data.materials.append(material)
    if parent is not None:
        bpy.context.view_layer.update()
        thing.parent = parent
        thing.matrix_parent_inverse = parent.matrix_world.inverted()
    return thing

bpy.context.view_layer.update()
sheet("Dimmer", clear("dimmer"), 4, (0, -7, 0), camera)
"""

SPECTACLES = """
head = add("uv_sphere", "head", (0.9, 0.7, 0.5), location=(2.4, 0.5, -1.2), radius=0.7)
lens = sheet("lens", clear("lens", 0.1), 0.35, (2.25, -0.35, -1.1), head)
sheet("window", clear("window", 0.1), 1.2, (-3, -1.0, 1.2))
add("cube", "room", (0.3, 0.3, 0.3), location=(-3, 4, 1.2), size=2)
"""

CARRIED = """
def empty(name, parent=None, kind=None):
    thing = bpy.data.objects.new(name, kind)
    scene.collection.objects.link(thing)
    thing.parent = parent
    return thing

crowd = empty("crowd")
inner = empty("inner", crowd)
guest = add("cube", "guest", (0, 1, 0), location=(0, -2, 1), size=0.7)
guest.parent = inner
other = add("cube", "other guest", (0, 1, 1), location=(1, -2, -1), size=0.7)
other.parent = guest
rig = empty("rig", None, bpy.data.armatures.new("rig"))
bent = add("cube", "bent", (1, 0, 1), location=(-1, -2, 1), size=0.7)
bent.modifiers.new("bones", "ARMATURE").object = rig
kit = bpy.data.collections.new("kit")
part = add("cube", "part", (1, 1, 0), location=(-1.5, -2, -1), size=0.7)
scene.collection.objects.unlink(part)
kit.objects.link(part)
place = empty("place", crowd)
place.instance_type, place.instance_collection = "COLLECTION", kit
empty("nothing")
"""


def test_a_draft_opens_panes_before_the_camera_and_glasses_and_says_so(
    build: Callable[[str, str], Path], tmp_path: Path
) -> None:
    config = tmp_path / "draft.yaml"
    said = run_kept("init", build("panes", SCENE + PANES + SPECTACLES), "-o", config).stdout
    (loaded,) = load_cuts([config])
    assert dict(loaded.config.transparency.materials) == {"dimmer": "remove", "lens": "remove"}
    for words in (
        "material 'dimmer' on 'Dimmer' is see-through (alpha 0.20), covers 100% of the picture and lies before every",
        "material 'lens' on 'lens' is see-through (alpha 0.10) and lies close before 'head'",
        "material 'window': alpha 0.10; a pixel of a drawing shows one surface",
    ):
        assert words in said
    assert "covers everything" not in said
    text = " ".join(config.read_text("utf-8").replace("#", " ").split())
    assert "covers 100% of the picture and lies before everything that it covers; or solid" in text


def test_a_material_that_is_removed_is_a_hole_and_what_stays_is_judged(
    build: Callable[[str, str], Path], cut: Callable[..., Path], tmp_path: Path
) -> None:
    opened, left = (build(name, SCENE + PANES) for name in ("opened", "left"))
    plain = build("plain", SCENE)
    no_lines = "lines: {freestyle: false}\n"
    made = run_kept(
        "generate",
        cut(opened, f"transparency: {{materials: {{'dim*': remove}}}}\n{no_lines}"),
        cut(left, no_lines),
        cut(plain, no_lines),
        "--out",
        tmp_path / "out",
        "--strict",
        check=False,
    )
    assert made.returncode == 1, made.stdout + made.stderr
    assert "made a hole of each surface of 'dimmer': what lies behind is seen" in made.stdout
    assert made.stdout.count("one surface covers everything") == 1
    words = (
        "the clip shows nothing in frames 1-2 (2 of 2): one surface covers everything: 100.0% of the picture is 'Dim"
    )
    assert words in made.stdout
    one, other = ((tmp_path / "out" / "train" / "Frame_Anime" / name) for name in ("opened", "plain"))
    files = sorted(path.relative_to(one) for path in one.rglob("*.png"))
    assert files
    assert all((one / path).read_bytes() == (other / path).read_bytes() for path in files)


def test_what_hangs_on_what_is_named_goes_with_it(
    build: Callable[[str, str], Path], cut: Callable[..., Path], tmp_path: Path
) -> None:
    names = ("by_parent", "by_rig", "by_mesh", "plain")
    sources = [build(name, SCENE + (CARRIED if name != "plain" else "")) for name in names]
    texts = ("objects: [crowd, rig, nothing]", "objects: [rig]", "objects: [guest]", "objects: []")
    cuts = [
        cut(source, f"remove: {{{text}}}\nlines: {{freestyle: false}}\n")
        for source, text in zip(sources, texts, strict=True)
    ]
    dataset, said = render_cuts(tmp_path, *cuts)
    clips = {name: dataset.clip(name) for name in names}
    assert np.array_equal(clips["by_parent"].read("flat", 1), clips["plain"].read("flat", 1))

    def shown(name: str) -> set[str]:
        table = clips[name].read_names("object_id")
        return {table[str(number)] for number in np.unique(clips[name].read("object_id", 1))}

    assert shown("by_rig") >= {"guest", "other guest", "part"}
    assert "bent" not in shown("by_rig")
    # what draws something itself goes alone
    assert shown("by_mesh") >= {"other guest", "bent", "part"}
    assert "guest" not in shown("by_mesh")
    assert "remove.objects: 'nothing' names only what draws nothing, so nothing visible changed" in said
    assert "remove.objects: 'rig' names" not in said
