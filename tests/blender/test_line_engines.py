"""Lines from the geometry, made by Blender and the command line, against a slow reference."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from animerun_gen.dataset import ClipFiles, Dataset
from animerun_gen.dataset.files import read_image, read_json
from animerun_gen.lines import compose
from animerun_gen.lines.kernels.marks import HALFWAY
from animerun_gen.lines.kinds import LineKind
from tests.blender.conftest import needs_installed_blender, run_kept

pytestmark = pytest.mark.blender

FLOATING = """
add("cube", "box", (0.8, 0.1, 0.05), location=(-1, 0, 0), rotation=(0.3, 0.2, 0.5))
box = bpy.context.object
box.data.materials.append(paint("lid", (0.1, 0.8, 0.05)))
box.data.polygons[4].material_index = 1
ball = add("uv_sphere", "ball", (0.05, 0.2, 0.8), location=(1.2, -1, 0.2), segments=64, ring_count=48)
ball.keyframe_insert("location", frame=1)
ball.location.x = 0.3
ball.keyframe_insert("location", frame=4)
add("plane", "wall", (0.6, 0.6, 0.6), location=(0, 6, 0), rotation=(math.pi / 2, 0.1, 0), size=9)
"""

GEOMETRY = "lines: {engine: geometry}\nmotion: {extras: [ids, depth, normals, exact_occlusion]}\n"


def expected_lines(clip: ClipFiles, frame: int, crease_angle: float) -> np.ndarray:
    """Where lines are, by the companions alone, for things that do not touch and of which one has large flat faces.

    At the ends of an edge, where no third pixel tells how a face goes on, its line may be on either of two pixels.
    """
    drawn = clip.read("contour", frame) == 0
    objects, materials = clip.read("object_id", frame), clip.read("material_id", frame)
    depth, normals = clip.read("depth", frame), clip.read("normal", frame).astype(np.float64)
    box = next(int(number) for number, name in clip_names(clip).items() if name == "box")
    height, width = objects.shape
    is_line = np.zeros((height, width), bool)
    flush = []
    for down, right in ((0, 1), (1, 0)):
        for row in range(height - down):
            for column in range(width - right):
                here, there = (row, column), (row + down, column + right)
                if objects[here] != objects[there]:
                    is_line[here if depth[here] > depth[there] else there] = True
                    continue
                turn = math.degrees(math.acos(min(1.0, float(normals[here] @ normals[there]))))
                is_crease = objects[here] == box and turn > 180.0 - crease_angle
                if is_crease or materials[here] != materials[there]:
                    flush.append((here, there, place_between(1.0 / depth, normals, here, there)))
    assert sum(place is None for _, _, place in flush) < 0.2 * len(flush)
    for here, there, place in flush:
        if not is_line[here] and not is_line[there]:
            is_first = drawn[here] if place is None else place < HALFWAY
            is_line[here if is_first else there] = True
    return is_line


def place_between(
    nearness: np.ndarray, normals: np.ndarray, here: tuple[int, int], there: tuple[int, int]
) -> float | None:
    """Where between two pixels two flat faces meet, 0 at the first one: the inverse of depth is linear on each."""
    down, right = there[0] - here[0], there[1] - here[1]
    before, after = (here[0] - down, here[1] - right), (there[0] + down, there[1] + right)
    if not np.allclose([normals[before], normals[after]], [normals[here], normals[there]], atol=1e-3):
        return None
    slope, other_slope = nearness[here] - nearness[before], nearness[after] - nearness[there]
    return float((nearness[there] - other_slope - nearness[here]) / (slope - other_slope))


WORKBENCH_OUTLINE = """
world = bpy.data.worlds.new("white")
world.color = (1, 1, 1)
scene.world = world
scene.render.engine = "BLENDER_WORKBENCH"
scene.render.resolution_x, scene.render.resolution_y = 96, 64
scene.render.filepath = os.path.splitext(BLEND_FILE)[0] + ".png"
scene.render.image_settings.color_mode = "RGB"
scene.view_settings.view_transform = "Standard"
scene.display.render_aa = "OFF"
shading = scene.display.shading
shading.light, shading.color_type, shading.single_color = "FLAT", "SINGLE", (1, 1, 1)
shading.show_object_outline, shading.object_outline_color = True, (0, 0, 0)
bpy.ops.render.render(write_still=True)
"""


def test_the_outline_is_workbenchs(build: Callable[[str, str], Path], cut: Callable[..., Path], tmp_path: Path) -> None:
    blend = build("outlined", FLOATING + WORKBENCH_OUTLINE)
    config = cut(blend, "lines: {freestyle: false, intersections: false}\nmotion: {extras: [ids]}")
    run_kept("render", config, "--out", tmp_path / "out")
    clip = Dataset(tmp_path / "out").clip("outlined")
    rendered = read_image(blend.with_suffix(".png"))[..., 0].astype(int)
    drawn = compose.outline(clip.read("object_id", 1))
    assert (drawn < 255).sum() > 200
    # Blender rounds some of its greys down
    assert (abs(drawn - rendered) > 1).sum() <= 0.01 * (drawn < 255).sum()
    np.testing.assert_array_equal(clip.read("contour", 1), compose.harden(compose.contour(drawn, 0.2)))


def clip_names(clip: ClipFiles) -> dict[str, str]:
    path = clip.path("object_id", clip.frame_numbers[0]).parent
    (table,) = path.glob("*.json")
    return read_json(table)


def test_lines_are_where_the_slow_reference_has_them(
    tmp_path: Path, build: Callable[[str, str], Path], cut: Callable[..., Path]
) -> None:
    config = cut(build("floating", FLOATING), GEOMETRY, last=3)
    result = run_kept("generate", config, "--out", tmp_path / "out")
    assert "Freestyle" not in result.stdout
    clip = Dataset(tmp_path / "out").clip("floating")
    for frame in (1, 2, 3):
        line_art = clip.read("contour", frame)
        assert set(np.unique(line_art)) == {0, 255}
        assert np.array_equal(line_art == 0, expected_lines(clip, frame, 134.43))
        picture, flat = clip.read("frame", frame), clip.read("flat", frame)
        assert np.array_equal(picture, np.where((line_art == 0)[..., None], 0, flat))
    # the ball moves, and the edges of the box are lines inside it
    assert not np.array_equal(clip.read("contour", 1), clip.read("contour", 3))
    ids = clip.read("object_id", 1)
    box = next(int(number) for number, name in clip_names(clip).items() if name == "box")
    assert ((clip.read("contour", 1) == 0) & (ids == box)).sum() > 20


CROWD = """
ball.modifiers.new("fine", "SUBSURF").render_levels = 3
balls = bpy.data.collections.new("balls")
balls.objects.link(ball)
for number in range(8):
    another = bpy.data.objects.new("another", None)
    another.instance_type, another.instance_collection = "COLLECTION", balls
    scene.collection.objects.link(another)
"""


def test_auto_counts_the_triangles_and_says_what_it_chose(
    tmp_path: Path, build: Callable[[str, str], Path], cut: Callable[..., Path]
) -> None:
    for name, scene, engine in (("few", FLOATING, "freestyle"), ("many", FLOATING + CROWD, "geometry")):
        config = cut(build(name, scene), "lines: {engine: auto}\n")
        said = run_kept("render", config, "--out", tmp_path / "out", "--frames", "1:1").stdout
        assert f"note: lines: {engine}, because Freestyle" in said
        manifest = read_json(tmp_path / "out" / "manifest" / f"{name}.json")
        assert manifest["config"]["lines"]["engine"] == engine
    counted = read_json(tmp_path / "out" / ".animerun-gen" / "cuts" / "few.json")["line_figures"]["frames"]
    assert [figures["frame"] for figures in counted] == [1, 2]
    # of the box, the wall and the ball, whose poles are triangles
    assert {figures["triangles"] for figures in counted} == {12 + 2 + 2 * 64 * 47}


GRASS = """
import random
chance = random.Random(0)
points, faces = [], []
for _ in range({blades}):
    x, y, lean = chance.uniform(-1.8, 1.8), chance.uniform(-3, 3), chance.uniform(-0.8, 0.8)
    faces.append(range(len(points), len(points) + 4))
    points += [(x, y, -1), (x + 0.02, y, -1), (x + lean + 0.02, y + 0.2, 1), (x + lean, y + 0.2, 1)]
mesh = bpy.data.meshes.new("grass")
mesh.from_pydata(points, [], faces)
mesh.materials.append(paint("grass", (0.1, 0.8, 0.05)))
scene.collection.objects.link(bpy.data.objects.new("grass", mesh))
"""


def test_auto_does_without_freestyle_for_grass_and_not_for_as_many_triangles_that_are_plain(
    tmp_path: Path, build: Callable[[str, str], Path], cut: Callable[..., Path]
) -> None:
    # 5,000 triangles either way
    plain = 'add("grid", "ground", (0.1, 0.8, 0.05), location=(0, 4, 0), x_subdivisions=50, y_subdivisions=50, size=9)'
    for name, scene, engine in (("grass", GRASS.format(blades=2500), "geometry"), ("plain", plain, "freestyle")):
        config = cut(build(name, scene), "lines: {engine: auto}\n")
        said = run_kept("render", config, "--out", tmp_path / "out", "--frames", "1:1").stdout
        assert f"note: lines: {engine}, because Freestyle" in said
        assert "5,000 triangles of frame 1" in said


def test_auto_notices_that_a_linked_library_changed(
    tmp_path: Path, build: Callable[[str, str], Path], cut: Callable[..., Path]
) -> None:
    library = build("library", GRASS.format(blades=3))
    linking = f"""
with bpy.data.libraries.load({str(library)!r}, link=True) as (there, here):
    here.objects = ["grass"]
scene.collection.objects.link(bpy.data.objects["grass"])
"""
    config = cut(build("film", linking), "lines: {engine: auto}\n")
    for blades, engine in ((3, "freestyle"), (2500, "geometry")):
        build("library", GRASS.format(blades=blades))
        said = run_kept("render", config, "--out", tmp_path / "out", "--frames", "1:1").stdout
        assert f"note: lines: {engine}, because Freestyle" in said


MARK = """
def mark(mesh, number):
    if bpy.app.version < (5, 0, 0):
        mesh.edges[number].use_freestyle_mark = True
        return
    attribute = mesh.attributes.get("freestyle_edge") or mesh.attributes.new("freestyle_edge", "BOOLEAN", "EDGE")
    attribute.data[number].value = True


diagonal = bpy.data.meshes.new("diagonal")
diagonal.from_pydata([(-2, 0, -1.5), (2, 0, -1.5), (2, 0, 1.5), (-2, 0, 1.5)], [], [(0, 1, 2), (0, 2, 3)])
diagonal.update()
board = bpy.data.objects.new("board", diagonal)
board.location = (0, 4, 0)
scene.collection.objects.link(board)
add("uv_sphere", "ball", (0.05, 0.2, 0.8), location=(1.2, -1, 0.2), segments=64, ring_count=48)
mark(diagonal, next(edge.index for edge in diagonal.edges if set(edge.vertices) == {0, 2}))
"""


def test_marked_edges_are_drawn_and_told_apart(
    tmp_path: Path, build: Callable[[str, str], Path], cut: Callable[..., Path]
) -> None:
    """The diagonal of a flat board, which nothing else makes a line, and the shade on a ball."""
    more = (
        "lines: {engine: geometry, kinds: true, shade_border: true, style: {antialias: true, gaps: {share: 0.5}}}\n"
        "style: {shade: {tones: 2, direction: [1, 0, 0]}}\n"
    )
    config = cut(build("marked", MARK), more)
    run_kept("render", config, "--out", tmp_path / "out", "--frames", "1:1")
    clip = Dataset(tmp_path / "out").clip("marked")
    kinds, line_art = clip.read("line_kind", 1), clip.read("contour", 1)
    shade = kinds == LineKind.SHADE
    assert np.array_equal((kinds > 0) & ~shade, line_art == 0)
    assert shade.any()
    assert np.array_equal(shade, (clip.read("trace", 1) != 255).any(axis=2) & (line_art != 0))
    marked = kinds == LineKind.MARK
    assert marked.sum() > 20
    config.write_text(config.read_text().replace("geometry,", "geometry, edges: [silhouette, border, crease],"))
    run_kept("render", config, "--out", tmp_path / "without", "--frames", "1:1")
    without = Dataset(tmp_path / "without").clip("marked").read("contour", 1)
    assert np.array_equal((without == 0) | marked, line_art == 0)
    assert clip.read("styled_contour", 1).min() < 255
    assert clip.read("line_gap", 1).shape == kinds.shape


@needs_installed_blender
def test_an_installed_blender_draws_the_same_lines(tmp_path: Path, configure: Callable[..., Path]) -> None:
    config = configure("courier", "frames: {first: 3, last: 4}\nlines: {engine: geometry}\n")
    pictures = []
    for name, more in (("module", ()), ("program", ("--blender", "blender"))):
        run_kept("render", config, "--out", tmp_path / name, *more)
        pictures.append(Dataset(tmp_path / name).clip("courier").read("contour", 3))
    assert (pictures[0] == 0).sum() > 300
    # the bushes are faces of 45 corners, which the two cut into other triangles
    assert np.mean(pictures[0] != pictures[1]) < 0.001


GROUND = """
for number in range(12):
    add("cube", f"box {number}", (0.8, 0.1, 0.05), location=(-3 + 0.5 * number, number % 4, -1.5), size=0.6)
add("uv_sphere", "ball", (0.05, 0.2, 0.8), location=(0, 2, 0.8), segments=12, ring_count=8)
ball = bpy.context.object
ball.keyframe_insert("location", frame=1)
ball.location.x = 0.4
ball.keyframe_insert("location", frame=2)
# one face that reaches far behind the camera, and hides all boxes
add("plane", "ground", (0.6, 0.6, 0.6), location=(0, 0, -0.9), size=400)
"""


def test_freestyle_draws_nothing_through_a_face_that_reaches_behind_the_camera(
    build: Callable[[str, str], Path], cut: Callable[..., Path], tmp_path: Path
) -> None:
    config = cut(build("ground", GROUND))
    run_kept("render", config, "--out", tmp_path / "out", "--frames", "1:1")
    clip = Dataset(tmp_path / "out").clip("ground")
    names = {name: int(number) for number, name in clip_names(clip).items()}
    objects, lines = clip.read("object_id", 1), clip.read("contour", 1) < 128
    ground = objects == names["ground"]
    assert ground.mean() > 0.3
    assert not np.isin(objects, [number for name, number in names.items() if name.startswith("box")]).any()
    away = np.ones_like(ground)
    for shift in range(-4, 5):
        away &= np.roll(ground, shift, axis=0) & np.roll(ground, shift, axis=1)
    assert not (lines & away).any()
    assert (lines & ~ground).any()
