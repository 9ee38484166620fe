"""Nothing is written into the film's folder, whatever its simulations keep there."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from animerun_gen.dataset import Dataset
from tests.blender.conftest import run_kept

pytestmark = pytest.mark.blender

UNBAKED = """
bpy.ops.wm.save_as_mainfile(filepath=BLEND_FILE)

def on_disk(cache):
    cache.frame_start, cache.frame_end, cache.use_disk_cache = 1, 4, True

def grid(name):
    return add("grid", name, (1, 1, 1), size=1, rotation=(1, 0, 0))

def domain(kind, flow):
    box = add("cube", kind, (1, 1, 1), size=1).modifiers.new("fluid", "FLUID")
    box.fluid_type = "DOMAIN"
    box.domain_settings.domain_type, box.domain_settings.resolution_max = kind, 8
    box.domain_settings.cache_directory = "//cache_" + kind
    source = add("cube", "source of " + kind, (1, 1, 1), size=0.3).modifiers.new("fluid", "FLUID")
    source.fluid_type = "FLOW"
    source.flow_settings.flow_type = flow
"""

LEFT_OUT = (
    UNBAKED
    + """
for name, kind in (("dust", "EMITTER"), ("fur", "HAIR")):
    emitter = grid(name)
    emitter.modifiers.new("system", "PARTICLE_SYSTEM")
    system = emitter.particle_systems[0]
    system.settings.type, system.settings.count, system.use_hair_dynamics = kind, 10, kind == "HAIR"
    on_disk(system.point_cache)
domain("LIQUID", "LIQUID")
domain("GAS", "SMOKE")
sea = grid("sea").modifiers.new("sea", "OCEAN")
sea.resolution, sea.filepath = 4, "//sea"
scene.render.filepath = "//render/"
"""
)

PAINTED = (
    UNBAKED
    + """
canvas = grid("canvas").modifiers.new("paint on", "DYNAMIC_PAINT")
bpy.ops.dpaint.type_toggle(type="CANVAS")
canvas.canvas_settings.canvas_surfaces[0].surface_type = "WAVE"
on_disk(canvas.canvas_settings.canvas_surfaces[0].point_cache)
"""
)

CLOTH = UNBAKED + 'on_disk(grid("cloth").modifiers.new("cloth", "CLOTH").point_cache)\n'

BAKED = (
    UNBAKED
    + """
def bake(cache):
    on_disk(cache)
    with bpy.context.temp_override(scene=scene, point_cache=cache):
        bpy.ops.ptcache.bake(bake=True)

bake(grid("cloth").modifiers.new("cloth", "CLOTH").point_cache)
emitter = grid("emitter")
emitter.modifiers.new("dust", "PARTICLE_SYSTEM")
settings = emitter.particle_systems[0].settings
settings.count, settings.frame_end, settings.physics_type = 10, 2, "NEWTON"
bake(emitter.particle_systems[0].point_cache)
"""
)


def everything_in(folder: Path) -> dict[str, str]:
    """Path below a folder to the SHA-256 of its content; folders as well."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "folder"
        for path in sorted(folder.rglob("*"))
    }


@pytest.fixture
def shot(build: Callable[[str, str], Path], tmp_path: Path) -> Callable[[str], Path]:
    """Builds a film in a folder of its own; the configuration and the dataset lie elsewhere."""

    def place(script: str) -> Path:
        folder = tmp_path / "film"
        folder.mkdir()
        source = build("film/film", script)
        # Blender's own, of saving it twice
        (folder / "film.blend1").unlink()
        (tmp_path / "film.yaml").write_text(
            "name: film\nsource: film/film.blend\nframes: {first: 1, last: 4}\nresolution: [96, 64]\n"
            "lines: {engine: geometry}\n",
            encoding="utf-8",
        )
        return source

    return place


def test_simulations_that_are_not_baked_are_left_out(shot: Callable[[str], Path], tmp_path: Path) -> None:
    source = shot(LEFT_OUT)
    before = everything_in(source.parent)
    said = run_kept("generate", tmp_path / "film.yaml", "--out", tmp_path / "out", "--chunk-frames", "2").stdout
    assert everything_in(source.parent) == before
    for note in (
        "left out the fluid of 'LIQUID': its cache is not baked; bake it in Blender",
        "left out the fluid of 'GAS': its cache is not baked; bake it in Blender",
        "removed particles 'dust/system': their disk cache is not baked; bake it in Blender",
        "hair 'fur/system' does not swing, because its cache lies on disk",
    ):
        assert note in said
    clip = Dataset(tmp_path / "out").clip("film")
    names = clip.read_names("object_id")
    shown = {names[str(number)] for number in np.unique(clip.read("object_id", 1))}
    # without its fluid a domain is a box, which no film shows
    assert "sea" in shown
    assert not shown & {"LIQUID", "GAS"}

    said = run_kept("inspect", source).stdout
    assert everything_in(source.parent) == before
    assert "left out the fluid of 'LIQUID'" in said


def test_a_cloth_that_would_be_frozen_without_its_cache_is_refused(shot: Callable[[str], Path], tmp_path: Path) -> None:
    source = shot(CLOTH)
    before = everything_in(source.parent)
    # other cuts may be made; but in "inspect" the film is all that the command is about (docs/exit_status.md)
    commands = (("generate", tmp_path / "film.yaml", "--out", tmp_path / "out"), 1), (("inspect", source), 2)
    for command, status in commands:
        result = run_kept(*command, check=False)
        assert result.returncode == status
        said = result.stdout + result.stderr
        assert "of 'cloth'" in said
        assert "in a disk cache that is not baked" in said
        assert everything_in(source.parent) == before


def test_dynamic_paint_is_played_beside_a_copy_of_the_film(shot: Callable[[str], Path], tmp_path: Path) -> None:
    source = shot(PAINTED)
    before = everything_in(source.parent)
    run_kept("generate", tmp_path / "film.yaml", "--out", tmp_path / "out")
    run_kept("inspect", source)
    assert everything_in(source.parent) == before


def test_what_is_baked_is_only_read(shot: Callable[[str], Path], tmp_path: Path) -> None:
    source = shot(BAKED)
    before = everything_in(source.parent)
    assert len(before) > 8
    command = ("generate", tmp_path / "film.yaml", "--out", tmp_path / "out", "--chunk-frames", "2")
    said = run_kept(*command).stdout
    assert "missing" not in said
    assert everything_in(source.parent) == before
    # it is an input as well: another bake is another clip
    changed = sorted((source.parent / "blendcache_film").iterdir())[0]
    changed.write_bytes(changed.read_bytes()[:-1] + b"\1")
    assert "out of date (pictures)" in run_kept(*command, check=False).stdout
    shutil.rmtree(source.parent / "blendcache_film")
    said = run_kept(*command, check=False).stdout
    assert "note: missing: cache //blendcache_film (seen on cloth, emitter)" in said
    assert sorted(path.name for path in source.parent.iterdir()) == ["film.blend"]


LINKED_DUST = """
bpy.ops.wm.save_as_mainfile(filepath=BLEND_FILE)
with bpy.data.libraries.load(os.path.join(os.path.dirname(BLEND_FILE), "dust.blend"), link=True, relative=True) as (
    _, linked,
):
    linked.objects = ["emitter"]
scene.collection.objects.link(linked.objects[0])
"""


def test_the_baked_particles_of_a_library_fly(build: Callable[[str, str], Path], tmp_path: Path) -> None:
    """The conversion makes their emitter local, and Blender would look for the cache beside the film."""
    for folder, script in (("own", BAKED), ("linked", BAKED)):
        (tmp_path / folder).mkdir()
        build(f"{folder}/dust", script)
    build("linked/film", LINKED_DUST)
    clips = []
    for folder, name in (("own", "dust"), ("linked", "film")):
        (tmp_path / f"{folder}.yaml").write_text(
            f"name: {folder}\nsource: {folder}/{name}.blend\nframes: {{first: 1, last: 4}}\nresolution: [96, 64]\n"
            "lines: {engine: geometry}\nremove: {objects: [cloth]}\n",
            encoding="utf-8",
        )
        run_kept("generate", tmp_path / f"{folder}.yaml", "--out", tmp_path / "out")
        clips.append(Dataset(tmp_path / "out").clip(folder))
    own, linked = clips
    moved = own.read("flow_forward", 3)[own.read("valid_forward", 3)]
    assert abs(moved).max() > 0.1
    for frame in (1, 2, 3):
        assert (own.read("flow_forward", frame) == linked.read("flow_forward", frame)).all()
        assert (own.read("valid_forward", frame) == linked.read("valid_forward", frame)).all()
