"""Makes a film scene of as many triangles as you like, and the configuration of its cut, for measuring.

    python scripts/heavy_scene.py --triangles 10000000 --out out/heavy

About two fifths of the triangles belong to four heads that turn, walk and are twisted (a subdivision surface under a
deformation, so that every vertex moves in its mesh in every frame), two fifths to a ring of rocks that are instances of
one collection, and the rest to a ground that stands still.  The camera goes around them.  The viewport sees a small
part of it, as in most film files: only a render subdivides.
"""

from __future__ import annotations

import argparse
import math
import os
import sys
from pathlib import Path

import bpy

FRAMES = 24
HEADS = 4
ROCKS = 24
HEAD_FACES = 1968
"""Faces of Blender's monkey after one subdivision."""

COLORS = {
    "ground": (0.20, 0.42, 0.18, 1.0),
    "rock": (0.35, 0.33, 0.38, 1.0),
    "head 0": (0.80, 0.25, 0.10, 1.0),
    "head 1": (0.85, 0.60, 0.10, 1.0),
    "head 2": (0.15, 0.35, 0.75, 1.0),
    "head 3": (0.60, 0.15, 0.55, 1.0),
}

CONFIG = """\
# Made by scripts/heavy_scene.py: {triangles:,} triangles were asked for.
name: {name}
source: {source}
frames: {{first: 1, last: {frames}}}
resolution: [960, 540]
lines:
  engine: auto
"""


def main() -> None:
    """Write ``<out>/heavy_<triangles>.blend`` and ``.yaml``."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--triangles", type=int, default=10_000_000, help="about how many (default: 10 million)")
    parser.add_argument("--out", type=Path, default=Path("out/heavy"), metavar="FOLDER")
    options = parser.parse_args()
    if options.triangles < 10_000:
        parser.error("--triangles: 10000 at least")
    options.out.mkdir(parents=True, exist_ok=True)
    name = f"heavy_{options.triangles}"
    build(options.triangles)
    bpy.context.preferences.filepaths.save_version = 0
    bpy.ops.wm.save_as_mainfile(filepath=str((options.out / f"{name}.blend").resolve()), compress=True)
    config = CONFIG.format(
        triangles=options.triangles,
        name=name,
        source=f"{name}.blend",
        frames=FRAMES,
    )
    (options.out / f"{name}.yaml").write_text(config, encoding="utf-8")
    print(f"{options.out / name}.blend and .yaml")


def build(triangles: int) -> None:
    """Fill an empty file with a scene of about so many triangles."""
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    scene = bpy.context.scene
    scene.frame_start, scene.frame_end = 1, FRAMES
    scene.render.resolution_x, scene.render.resolution_y = 960, 540
    world = bpy.data.worlds.new("World")
    world.color = (0.45, 0.62, 0.85)
    scene.world = world

    level = 0
    while HEADS * 2 * HEAD_FACES * 4**level <= 0.45 * triangles:
        level += 1
    of_heads = HEADS * (2 * HEAD_FACES * 4 ** (level - 1) if level else 968)
    for number in range(HEADS):
        _add_head(number, level)
    rings = max(4, round(math.sqrt(0.4 * triangles / ROCKS / 4 / 16)))
    _add_rocks(rings)
    of_rocks = ROCKS * 16 * 4 * rings * (rings - 1)
    _add_ground(max(4, round(math.sqrt(max(0, triangles - of_heads - of_rocks) / 2) / 4)))
    _add_camera()
    scene.frame_set(1)


def _material(name: str) -> bpy.types.Material:
    material = bpy.data.materials.get(name)
    if material is None:
        material = bpy.data.materials.new(name)
        material.diffuse_color = COLORS[name]
        material.use_nodes = True
        material.node_tree.nodes["Principled BSDF"].inputs["Base Color"].default_value = COLORS[name]
    return material


def _subdivide(item: bpy.types.Object, level: int) -> None:
    modifier = item.modifiers.new("Subdivision", "SUBSURF")
    modifier.levels, modifier.render_levels = 0, level


def _add_head(number: int, level: int) -> None:
    bpy.ops.mesh.primitive_monkey_add(size=2.6)
    head = bpy.context.object
    head.name = f"Head {number}"
    head.data.materials.append(_material(f"head {number}"))
    if level:
        _subdivide(head, level)
    twist = head.modifiers.new("Twist", "SIMPLE_DEFORM")
    twist.deform_method, twist.deform_axis = "TWIST", "Z"
    place = 3.2 * (number - 0.5 * (HEADS - 1))
    for frame in range(FRAMES + 3):
        phase = 2.0 * math.pi * frame / FRAMES + number
        head.location = (place, 0.6 * math.cos(phase), 1.9 + 0.35 * math.sin(2.0 * phase))
        head.rotation_euler = (0.15 * math.sin(phase), 0.0, 0.5 * math.sin(phase))
        twist.angle = 0.9 * math.sin(1.5 * phase)
        head.keyframe_insert("location", frame=frame)
        head.keyframe_insert("rotation_euler", frame=frame)
        twist.keyframe_insert("angle", frame=frame)


def _add_rocks(rings: int) -> None:
    bpy.ops.mesh.primitive_uv_sphere_add(segments=2 * rings, ring_count=rings, radius=0.8)
    rock = bpy.context.object
    rock.name = "Rock"
    rock.data.materials.append(_material("rock"))
    for vertex in rock.data.vertices:
        x, y, z = vertex.co
        vertex.co = vertex.co * (1.0 + 0.16 * math.sin(5.0 * x + 1.0) * math.sin(4.0 * y) * math.cos(6.0 * z))
    _subdivide(rock, 2)
    collection = bpy.data.collections.new("Rocks")
    for holder in rock.users_collection:
        holder.objects.unlink(rock)
    collection.objects.link(rock)
    for number in range(ROCKS):
        around = 2.0 * math.pi * number / ROCKS
        place = bpy.data.objects.new(f"Rock {number}", None)
        place.instance_type, place.instance_collection = "COLLECTION", collection
        place.location = (9.0 * math.cos(around), 6.5 * math.sin(around), 0.3)
        place.rotation_euler = (number, 2.0 * number, 3.0 * number)
        place.scale = [1.0 + 0.4 * math.sin(7.0 * number)] * 3
        bpy.context.scene.collection.objects.link(place)


def _add_ground(cuts: int) -> None:
    bpy.ops.mesh.primitive_grid_add(x_subdivisions=cuts, y_subdivisions=cuts, size=40.0)
    ground = bpy.context.object
    ground.name = "Ground"
    ground.data.materials.append(_material("ground"))
    for vertex in ground.data.vertices:
        x, y, _ = vertex.co
        vertex.co.z = 0.35 * math.sin(0.5 * x) * math.cos(0.4 * y) - 0.4
    _subdivide(ground, 2)


def _add_camera() -> None:
    data = bpy.data.cameras.new("Camera")
    data.lens = 32.0
    camera = bpy.data.objects.new("Camera", data)
    target = bpy.data.objects.new("Target", None)
    target.location = (0.0, 0.0, 1.4)
    follow = camera.constraints.new("TRACK_TO")
    follow.target, follow.track_axis, follow.up_axis = target, "TRACK_NEGATIVE_Z", "UP_Y"
    for item in (camera, target):
        bpy.context.scene.collection.objects.link(item)
    for frame in range(FRAMES + 3):
        around = math.radians(-100.0 + 1.5 * frame)
        camera.location = (15.0 * math.cos(around), 15.0 * math.sin(around), 4.5 + 0.05 * frame)
        camera.keyframe_insert("location", frame=frame)
    bpy.context.scene.camera = camera


if __name__ == "__main__":
    main()
    sys.stdout.flush()
    os._exit(0)
