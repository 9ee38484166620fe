"""Files of every kind that a film names: they are inputs of its cuts, and named once when they are missing."""

from __future__ import annotations

import json
import os
import shutil
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from animerun_gen.dataset import Dataset
from tests.blender.conftest import run_kept, run_script, save_blend

pytestmark = pytest.mark.blender

PLACE = """
folder = os.path.dirname(BLEND_FILE)
bpy.ops.wm.save_as_mainfile(filepath=BLEND_FILE)

def put(path, content=b"no such file, really"):
    os.makedirs(os.path.dirname(os.path.join(folder, path)), exist_ok=True)
    with open(os.path.join(folder, path), "wb") as file:
        file.write(content)

def put_picture(path):
    os.makedirs(os.path.dirname(os.path.join(folder, path)), exist_ok=True)
    picture = bpy.data.images.new("put", 4, 4)
    picture.filepath_raw, picture.file_format = os.path.join(folder, path), "PNG"
    picture.save()
    bpy.data.images.remove(picture)

def show(name, source, path):
    image = bpy.data.images.new(name, 4, 4, tiled=source == "TILED")
    image.source, image.filepath = source, path
    thing = add("cube", name, (1, 1, 1), size=0.5)
    material = bpy.data.materials[name]
    material.use_nodes = True
    node = material.node_tree.nodes.new("ShaderNodeTexImage")
    node.image = image
    return node
"""

PICTURES = (
    PLACE
    + """
for name in ("wood.png", "skin.1001.png", "skin.1002.png", *(f"fire_{number:04d}.png" for number in range(1, 9))):
    put_picture("tex/" + name)
put("tex/film.mp4")
show("wood", "FILE", "//tex/wood.png")
tiles = show("skin", "TILED", "//tex/skin.<UDIM>.png").image.tiles
tiles.new(1002)
user = show("fire", "SEQUENCE", "//tex/fire_0001.png").image_user
user.frame_duration, user.frame_start, user.frame_offset, user.use_auto_refresh = 3, 1, 2, True
turned = show("turned", "SEQUENCE", "//tex/fire_0002.png")
turned.image_user.frame_duration, turned.image_user.use_auto_refresh = 8, True
turned.image_user.keyframe_insert("frame_offset", frame=1)
show("film", "MOVIE", "//tex/film.mp4")
packed = show("packed", "FILE", "//tex/wood.png").image
packed.pack()
packed.filepath = "//nowhere.png"
"""
)

GEOMETRY = (
    PLACE
    + """
import shutil
fonts = os.path.join(bpy.utils.resource_path("LOCAL"), "datafiles", "fonts")
real = next(os.path.join(fonts, name) for name in sorted(os.listdir(fonts)) if name.endswith("woff2"))
os.makedirs(os.path.join(folder, "fonts"))
shutil.copy(real, os.path.join(folder, "fonts", "own.woff2"))
text = bpy.data.curves.new("title", "FONT")
text.body, text.font = "Hi", bpy.data.fonts.load(os.path.join(folder, "fonts", "own.woff2"))
text.font.filepath = "//fonts/own.woff2"
scene.collection.objects.link(bpy.data.objects.new("title", text))

for number in range(1, 9):
    put(f"vdb/smoke_{number:04d}.vdb")
smoke = bpy.data.volumes.new("smoke")
smoke.filepath, smoke.is_sequence, smoke.frame_duration, smoke.frame_offset = "//vdb/smoke_0001.vdb", True, 8, 1
scene.collection.objects.link(bpy.data.objects.new("smoke", smoke))

baked = add("cube", "baked", (1, 1, 1))
os.makedirs(os.path.join(folder, "abc"))
bpy.ops.wm.alembic_export(filepath=os.path.join(folder, "abc", "a.abc"), selected=True)
bpy.ops.cachefile.open(filepath=os.path.join(folder, "abc", "a.abc"))
bpy.data.cache_files[0].filepath = "//abc/a.abc"
baked.modifiers.new("m", "MESH_SEQUENCE_CACHE").cache_file = bpy.data.cache_files[0]

put("mdd/a.mdd")
moved = add("cube", "moved", (1, 1, 1)).modifiers.new("m", "MESH_CACHE")
moved.filepath = "//mdd/a.mdd"

sea = add("grid", "sea", (1, 1, 1)).modifiers.new("m", "OCEAN")
sea.resolution, sea.filepath, sea.frame_end, sea.use_foam, sea.foam_layer_name = 4, "//sea", 3, True, "foam here"
for number in range(1, 4):
    put(f"sea/disp_{number:04d}.exr")
    put(f"sea/foam_{number:04d}.exr")
# what baking by hand sets; in the background Blender bakes without setting it
import ctypes
modifier = ctypes.string_at(sea.as_pointer(), 2048)
names = modifier.index(b"foam here")
ctypes.memset(sea.as_pointer() + names + 2 * 68, 1, 1)
assert sea.is_cached

group = bpy.data.node_groups.new("inner", "GeometryNodeTree")
group.interface.new_socket("Geometry", in_out="OUTPUT", socket_type="NodeSocketGeometry")
entry = group.interface.new_socket("File", in_out="INPUT", socket_type="NodeSocketString")
inside, outside = group.nodes.new("NodeGroupInput"), group.nodes.new("NodeGroupOutput")
reader = group.nodes.new("GeometryNodeImportPLY")
group.links.new(inside.outputs[0], reader.inputs["Path"])
group.links.new(reader.outputs[0], outside.inputs[0])
outer = bpy.data.node_groups.new("outer", "GeometryNodeTree")
outer.interface.new_socket("Geometry", in_out="OUTPUT", socket_type="NodeSocketGeometry")
entry = outer.interface.new_socket("File", in_out="INPUT", socket_type="NodeSocketString")
inside, outside = outer.nodes.new("NodeGroupInput"), outer.nodes.new("NodeGroupOutput")
nested = outer.nodes.new("GeometryNodeGroup")
nested.node_tree = group
outer.links.new(inside.outputs[0], nested.inputs[0])
outer.links.new(nested.outputs[0], outside.inputs[0])
put("ply/a.ply")
nodes = add("cube", "imported", (1, 1, 1)).modifiers.new("m", "NODES")
nodes.node_group = outer
nodes[entry.identifier] = "//ply/a.ply"
joined = group.nodes.new("GeometryNodeStringJoin")
computed = group.nodes.new("GeometryNodeImportOBJ")
group.links.new(joined.outputs[0], computed.inputs["Path"])
"""
)

SIMULATIONS = (
    PLACE
    + """
def bake(cache):
    cache.frame_start, cache.frame_end, cache.use_disk_cache = 1, 4, True
    with bpy.context.temp_override(scene=scene, point_cache=cache):
        bpy.ops.ptcache.bake(bake=True)
    assert cache.is_baked

bake(add("grid", "cloth", (1, 1, 1)).modifiers.new("m", "CLOTH").point_cache)
emitter = add("grid", "emitter", (1, 1, 1))
emitter.modifiers.new("dust", "PARTICLE_SYSTEM")
emitter.particle_systems[0].settings.count = 10
bake(emitter.particle_systems[0].point_cache)
canvas = add("grid", "canvas", (1, 1, 1))
wet = canvas.modifiers.new("m", "DYNAMIC_PAINT")
bpy.ops.dpaint.type_toggle(type="CANVAS")
wet.canvas_settings.canvas_surfaces[0].surface_type = "WAVE"
bake(wet.canvas_settings.canvas_surfaces[0].point_cache)

group = bpy.data.node_groups.new("zone", "GeometryNodeTree")
for direction in ("INPUT", "OUTPUT"):
    group.interface.new_socket("Geometry", in_out=direction, socket_type="NodeSocketGeometry")
start, end, entry, leave, push = (
    group.nodes.new(kind)
    for kind in (
        "NodeGroupInput", "NodeGroupOutput", "GeometryNodeSimulationInput", "GeometryNodeSimulationOutput",
        "GeometryNodeSetPosition",
    )
)
entry.pair_with_output(leave)
push.inputs["Offset"].default_value = (0.1, 0, 0)
group.links.new(start.outputs[0], entry.inputs[0])
group.links.new(entry.outputs["Geometry"], push.inputs[0])
group.links.new(push.outputs[0], leave.inputs["Geometry"])
group.links.new(leave.outputs["Geometry"], end.inputs[0])
zone = add("grid", "zone", (1, 1, 1))
nodes = zone.modifiers.new("m", "NODES")
nodes.node_group, nodes.bake_target, nodes.bake_directory = group, "DISK", "//bakes"
zone.select_set(True)
bpy.ops.object.simulation_nodes_cache_bake(selected=True)
number = nodes.bakes[0].bake_id
"""
)

LINK = """
bpy.ops.wm.save_as_mainfile(filepath=BLEND_FILE)
with bpy.data.libraries.load(
    os.path.join(os.path.dirname(BLEND_FILE), "{library}.blend"), link=True, relative=True
) as (_, linked):
    linked.{of} = ["{name}"]
group = bpy.data.collections.new("group")
scene.collection.children.link(group)
for thing in linked.{of}:
    (group.objects if "{of}" == "objects" else group.children).link(thing)
"""

LOOK = """
import json, os, sys
from pathlib import Path
from animerun_gen.blender.external_files import computed_imports
from animerun_gen.blender.opening import load_scene
from animerun_gen.config import CutConfig
from animerun_gen.errors import SceneError
frames = {"first": 1, "last": 4}
config = CutConfig.model_validate(
    {"name": "film", "source": Path(sys.argv[1]), "frames": frames, "resolution": (96, 64)}
)
try:
    film = load_scene(config)
    found = {"inputs": film.inputs, "missing": [str(missing) for missing in film.missing]}
    if computed_imports():
        found["computed"] = computed_imports()
except SceneError as error:
    found = {"refused": str(error)}
print("FOUND" + json.dumps(found))
"""


NESTED = {
    "lib/deep/parts": PLACE + 'put_picture("own/bark.png")\nshow("tree", "FILE", "//own/bark.png")\n',
    "lib/props": LINK.format(library="deep/parts", of="objects", name="tree"),
    "film": LINK.format(library="lib/props", of="collections", name="group"),
}
"""A film that links props that link parts, which show an image; each lies in a folder of its own."""

FILMS = {
    "pictures": {"film": PICTURES},
    "geometry": {"film": GEOMETRY},
    "simulations": {"film": SIMULATIONS},
    "nested": NESTED,
}


@pytest.fixture(scope="module")
def originals(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The films that were built so far, each in a folder of its own."""
    return {"": tmp_path_factory.mktemp("films")}


@pytest.fixture
def film(originals: dict[str, Path], tmp_path: Path) -> Callable[[str], Path]:
    """Puts one of the films, with all its files, into the test's own folder."""

    def place(name: str) -> Path:
        if name not in originals:
            folder = originals[""] / name
            for path, script in FILMS[name].items():
                (folder / path).parent.mkdir(parents=True, exist_ok=True)
                save_blend(folder / f"{path}.blend", script)
            originals[name] = folder
        shutil.copytree(originals[name], tmp_path, dirs_exist_ok=True)
        return tmp_path / "film.blend"

    return place


def look_at(source: Path) -> dict[str, Any]:
    """What is found in a film of which frames 1 to 4 are wanted; paths are below its folder."""
    result = run_script(LOOK, source)
    answer = next(line for line in result.stdout.splitlines() if line.startswith("FOUND"))
    return json.loads(answer.removeprefix("FOUND").replace(f"{source.parent}/", ""))


def test_pictures(film: Callable[[str], Path], tmp_path: Path) -> None:
    source = film("pictures")
    found = look_at(source)
    assert found == {
        "inputs": [
            "tex//fire_<*>.png",
            # three frames, and the last one of them for ever after
            "tex//fire_<0003-0005>.png",
            "tex//skin.<1001-1002>.png",
            "tex/film.mp4",
            "tex/wood.png",
        ],
        "missing": [],
    }
    (tmp_path / "tex" / "fire_0004.png").unlink()
    (tmp_path / "tex" / "skin.1002.png").unlink()
    (tmp_path / "tex" / "film.mp4").unlink()
    again = look_at(source)
    assert again["inputs"] == found["inputs"]
    assert again["missing"] == [
        "missing: image sequence //tex/fire_0001.png, 1 of its 3 files (seen on fire)",
        "missing: image tile //tex/skin.<UDIM>.png, 1 of its 2 files (seen on skin)",
        "missing: movie //tex/film.mp4 (seen on film)",
    ]
    shutil.rmtree(tmp_path / "tex")
    assert look_at(source)["missing"] == [
        "missing: image //tex/wood.png (seen on wood)",
        "missing: image sequence //tex/fire_0001.png (seen on fire)",
        "missing: image sequence //tex/fire_0002.png (seen on turned)",
        "missing: image tile //tex/skin.<UDIM>.png (seen on skin)",
        "missing: movie //tex/film.mp4 (seen on film)",
    ]


def test_geometry(film: Callable[[str], Path], tmp_path: Path) -> None:
    source = film("geometry")
    found = look_at(source)
    assert found == {
        "inputs": [
            "abc/a.abc",
            "fonts/own.woff2",
            "mdd/a.mdd",
            "ply/a.ply",
            "sea//disp_<0001-0003>.exr",
            "sea//foam_<0001-0003>.exr",
            "vdb//smoke_<0002-0005>.vdb",
        ],
        "missing": [],
        "computed": [
            "node 'Import OBJ' of 'inner' imports a file whose path other nodes compute, so a change of that "
            "file is not noticed"
        ],
    }
    for folder in ("abc", "fonts", "mdd", "ply", "sea", "vdb"):
        shutil.rmtree(tmp_path / folder)
    assert look_at(source) == {
        "inputs": found["inputs"],
        "missing": [
            "missing: cache //abc/a.abc (seen on baked)",
            "missing: cache //mdd/a.mdd (seen on moved)",
            "missing: cache //sea (seen on sea)",
            "missing: font //fonts/own.woff2 (seen on title)",
            "missing: imported file //ply/a.ply (seen on imported)",
            "missing: volume sequence //vdb/smoke_0001.vdb (seen on smoke)",
        ],
        "computed": found["computed"],
    }


def test_simulations(film: Callable[[str], Path], tmp_path: Path) -> None:
    source = film("simulations")
    (bake,) = (tmp_path / "bakes").iterdir()
    found = look_at(source)
    names = {name: name.encode().hex().upper() for name in ("canvas", "cloth", "emitter")}
    assert found == {
        "inputs": [
            f"bakes/{bake.name}/blobs//*",
            f"bakes/{bake.name}/meta//*",
            *sorted(f"blendcache_film//{stem}_<000000-000004>_00.bphys" for stem in names.values()),
        ],
        "missing": [],
    }
    (tmp_path / "blendcache_film" / f"{names['cloth']}_000003_00.bphys").unlink()
    assert look_at(source)["missing"] == ["missing: cache //blendcache_film, 1 of its 4 files (seen on cloth)"]
    shutil.rmtree(tmp_path / "blendcache_film")
    shutil.rmtree(tmp_path / "bakes")
    assert look_at(source) == {
        "inputs": found["inputs"],
        "missing": [
            "missing: bake //bakes (seen on zone)",
            "missing: cache //blendcache_film (seen on canvas, cloth, emitter)",
        ],
    }


def test_paths_of_libraries_begin_at_the_library(film: Callable[[str], Path], tmp_path: Path) -> None:
    source = film("nested")
    found = look_at(source)
    assert found == {
        "inputs": ["lib/deep/own/bark.png", "lib/deep/parts.blend", "lib/props.blend"],
        "missing": [],
    }
    (tmp_path / "lib" / "deep" / "own" / "bark.png").unlink()
    assert look_at(source)["missing"] == ["missing: image //own/bark.png (seen on tree)"]
    (tmp_path / "lib" / "deep" / "parts.blend").unlink()
    assert look_at(source)["missing"] == [
        "missing: library //lib/deep/parts.blend (what comes from it is left out: tree)"
    ]


@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize("which", ["lib/props", "lib/deep/parts"])
def test_a_library_without_an_end_is_refused_before_blender_opens_it(
    film: Callable[[str], Path], tmp_path: Path, which: str, compressed: bool
) -> None:
    source = film("nested")
    if compressed:
        save_compressed(source)
    library = tmp_path / f"{which}.blend"
    library.unlink()
    os.mkfifo(library)
    assert look_at(source)["refused"] == (
        f"film.blend links the library //{which}.blend, but {library.name} is a named pipe, which has no end; "
        "put the library in its place, or take it out of the film"
    )
    library.unlink()
    os.symlink("/dev/zero", library)
    assert "is a device" in look_at(source)["refused"]


def save_compressed(source: Path) -> None:
    script = (
        f"import bpy, os; bpy.ops.wm.open_mainfile(filepath={str(source)!r})\nbpy.ops.wm.save_mainfile(compress=True)"
    )
    saved = run_script(script)
    assert saved.returncode == 0, saved.stderr
    assert source.read_bytes()[:7] != b"BLENDER"


@pytest.mark.parametrize(
    ("name", "path", "kind"),
    [
        ("pictures", "tex/wood.png", "image"),
        ("pictures", "tex/fire_0004.png", "image sequence"),
        ("pictures", "tex/film.mp4", "movie"),
        ("geometry", "fonts/own.woff2", "font"),
        ("geometry", "mdd/a.mdd", "cache"),
        ("geometry", "vdb/smoke_0003.vdb", "volume sequence"),
        ("geometry", "sea/foam_0002.exr", "cache"),
    ],
)
def test_what_has_no_end_is_refused_before_blender_opens_it(
    film: Callable[[str], Path], tmp_path: Path, name: str, path: str, kind: str
) -> None:
    source = film(name)
    (tmp_path / path).unlink()
    os.mkfifo(tmp_path / path)
    refused = look_at(source)["refused"]
    assert refused.startswith(f"film.blend names the {kind} //")
    assert f", but {Path(path).name} is a named pipe, which has no end; put a file" in refused


@pytest.mark.parametrize("kind", ["folder", "dangling link", "link in a circle", "socket", "null device"])
def test_what_is_no_file_is_missing(film: Callable[[str], Path], tmp_path: Path, kind: str) -> None:
    source = film("geometry")
    for path in (tmp_path / "fonts" / "own.woff2", tmp_path / "mdd" / "a.mdd", tmp_path / "abc" / "a.abc"):
        path.unlink()
        if kind == "folder":
            path.mkdir()
        elif kind == "socket":
            with socket.socket(socket.AF_UNIX) as server:
                server.bind(os.path.relpath(path))
        else:
            os.symlink({"dangling link": "nowhere", "null device": "/dev/null"}.get(kind, path.name), path)
    assert look_at(source)["missing"] == [
        "missing: cache //abc/a.abc (seen on baked)",
        "missing: cache //mdd/a.mdd (seen on moved)",
        "missing: font //fonts/own.woff2 (seen on title)",
    ]


ALEMBIC = """
bpy.ops.wm.save_as_mainfile(filepath=BLEND_FILE)
folder = os.path.dirname(BLEND_FILE)
for name, speed in (("slow", 0.1), ("fast", 0.2), ("anim", 0.1)):
    baked = add("cube", "baked", (1, 0, 0))
    baked.data.name = "shape"
    for frame in (1, 4):
        baked.location.x = speed * frame
        baked.keyframe_insert("location", frame=frame)
    baked.select_set(True)
    bpy.ops.wm.alembic_export(filepath=os.path.join(folder, name + ".abc"), selected=True, start=1, end=4)
    bpy.data.meshes.remove(baked.data)
bpy.ops.wm.alembic_import(filepath=os.path.join(folder, "anim.abc"), as_background_job=False)
bpy.data.cache_files[0].filepath = "//anim.abc"
"""


def test_a_cache_that_changes_makes_the_clip_anew(
    build: Callable[[str, str], Path], cut: Callable[..., Path], tmp_path: Path
) -> None:
    source = build("film", ALEMBIC)
    config, output, cache = cut(source, "lines: {engine: geometry}\n", last=3), tmp_path / "out", tmp_path / "anim.abc"

    def made() -> str:
        return run_kept("generate", config, "--out", output).stdout

    def motion() -> float:
        clip = Dataset(output).clip("film")
        return float(abs(clip.read("flow_forward", 1)[clip.read("valid_forward", 1)]).max())

    made()
    slow = motion()
    assert slow > 0.1
    assert "out of date" not in made()
    os.replace(tmp_path / "fast.abc", cache)
    assert f"out of date (pictures): {cache} changed" in made()
    assert motion() == pytest.approx(2 * slow, rel=0.05)
    cache.unlink()
    assert "missing: cache //anim.abc (seen on baked)" in made()
    assert motion() == 0.0
    os.replace(tmp_path / "slow.abc", cache)
    back = made()
    assert "out of date (pictures)" in back
    assert "missing" not in back
    assert motion() == slow


COUNT = """
import bpy, itertools, os, sys
from animerun_gen.blender.external_files import _numbers_of, _numbers_of_volume
folder = sys.argv[1]
bpy.ops.wm.read_factory_settings(use_empty=True)
scene = bpy.context.scene
for number in range(40):
    picture = bpy.data.images.new("put", 2, 2)
    picture.filepath_raw, picture.file_format = os.path.join(folder, f"f_{number:03d}.png"), "PNG"
    picture.save()
    bpy.data.images.remove(picture)
bpy.ops.mesh.primitive_cube_add()
image = bpy.data.images.new("image", 2, 2)
image.source, image.filepath = "SEQUENCE", os.path.join(folder, "f_001.png")
material = bpy.data.materials.new("material")
material.use_nodes = True
bpy.context.object.data.materials.append(material)
node = material.node_tree.nodes.new("ShaderNodeTexImage")
node.image = image
user = node.image_user
volume = bpy.data.volumes.new("volume")
volume.filepath, volume.is_sequence = os.path.join(folder, "v_001.vdb"), True
scene.collection.objects.link(bpy.data.objects.new("volume", volume))
user.use_auto_refresh = True
# Blender 4.5.15 divides by zero where a sequence of one goes back and forth
for length, start, offset in itertools.product((2, 3, 10), (-4, 0, 1, 5), (0, 2)):
    for cyclic, mode in ((False, "CLIP"), (True, "EXTEND"), (False, "REPEAT"), (True, "PING_PONG")):
        user.frame_duration, user.frame_start, user.frame_offset, user.use_cyclic = length, start, offset, cyclic
        volume.frame_duration, volume.frame_start, volume.frame_offset = length, start, offset
        volume.sequence_mode = mode
        for frame in (1, 2, 4, 7, 13):
            scene.frame_set(frame)
            graph = bpy.context.evaluated_depsgraph_get()
            shown = material.evaluated_get(graph).node_tree.nodes[node.name].image_user
            (number,) = _numbers_of(user, [frame])
            assert image.filepath_from_user(image_user=shown) == os.path.join(folder, f"f_{max(number, 0):03d}.png")
            numbers, loaded = _numbers_of_volume(volume, [frame]), volume.evaluated_get(graph).grids
            assert not numbers or min(numbers) <= loaded.frame <= max(numbers), (mode, frame, loaded.frame)
            if mode == "EXTEND":
                assert numbers == {loaded.frame}
print("COUNTED", flush=True)
"""


def test_the_frames_of_a_sequence_are_counted_as_blender_counts_them(tmp_path: Path) -> None:
    result = run_script(COUNT, tmp_path)
    assert "COUNTED" in result.stdout, result.stderr
