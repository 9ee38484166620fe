"""Lines from the visibility buffer: where surfaces end, and nowhere else."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from animerun_gen.config.model import EdgeType, Lines
from animerun_gen.lines import contours
from animerun_gen.lines.contours import ContourSettings, draw_contours, find_contours
from animerun_gen.lines.surface_edges import SurfaceEdgeFinder
from animerun_gen.motion import companions, raster
from animerun_gen.motion.geometry import Camera, FrameGeometry
from animerun_gen.motion.islands import IslandFinder
from tests.motion.synthetic import (
    HEIGHT,
    WIDTH,
    Thing,
    camera,
    cube,
    frame,
    orthographic,
    perspective,
    plane,
    rotation,
    translation,
)

EVERYTHING = ContourSettings()
NOTHING = ContourSettings(False, False, False, False, False, False, False, False)


def sphere(key: str, matrix: np.ndarray, rings: int) -> Thing:
    """A ball of radius 1 with ``4 * rings * (rings - 1)`` triangles."""
    around, along = np.meshgrid(np.arange(2 * rings) * np.pi / rings, np.arange(1, rings) * np.pi / rings)
    belt = np.stack([np.sin(along) * np.cos(around), np.cos(along), np.sin(along) * np.sin(around)], axis=-1)
    vertices = np.concatenate([belt.reshape(-1, 3), [[0, 1, 0], [0, -1, 0]]])
    i, j = np.meshgrid(np.arange(rings - 2), np.arange(2 * rings), indexing="ij")
    a, b = (2 * rings) * i + j, (2 * rings) * i + (j + 1) % (2 * rings)
    c, d = b + 2 * rings, a + 2 * rings
    top = np.arange(2 * rings)
    after = (top + 1) % (2 * rings)
    bottom = 2 * rings * (rings - 2)
    north, south = np.full_like(top, len(vertices) - 2), np.full_like(top, len(vertices) - 1)
    faces = [np.stack(corners, axis=-1).reshape(-1, 3) for corners in ((a, b, c), (a, c, d))]
    faces += [np.stack([north, after, top], axis=1), np.stack([south, bottom + top, bottom + after], axis=1)]
    return Thing(key, vertices, np.concatenate(faces), matrix)


def torus(key: str, matrix: np.ndarray, around: int, across: int, thickness: float = 0.35) -> Thing:
    """A ring of radius 1 in the xy plane."""
    u, v = np.meshgrid(np.arange(around) * 2 * np.pi / around, np.arange(across) * 2 * np.pi / across, indexing="ij")
    radius = 1.0 + thickness * np.cos(v)
    vertices = np.stack([radius * np.cos(u), radius * np.sin(u), thickness * np.sin(v)], axis=-1).reshape(-1, 3)
    i, j = np.meshgrid(np.arange(around), np.arange(across), indexing="ij")
    a, b = i * across + j, (i + 1) % around * across + j
    c, d = (i + 1) % around * across + (j + 1) % across, i * across + (j + 1) % across
    faces = [np.stack(corners, axis=-1).reshape(-1, 3) for corners in ((a, b, c), (a, c, d))]
    return Thing(key, vertices, np.concatenate(faces), matrix)


def joined(*things: Thing) -> Thing:
    """One mesh of several."""
    starts = np.cumsum([0, *[len(thing.vertices) for thing in things]])
    placed = [thing.vertices @ thing.matrix[:3, :3].T + thing.matrix[:3, 3] for thing in things]
    faces = [thing.triangles + start for thing, start in zip(things, starts, strict=False)]
    return Thing("joined", np.concatenate(placed), np.concatenate(faces), np.eye(4))


def larger(seen_by: Camera, width: int, height: int) -> Camera:
    return replace(seen_by, width=width, height=height)


def lines(geometry: FrameGeometry, settings: ContourSettings = EVERYTHING) -> np.ndarray:
    picture = draw_contours(geometry, raster.draw(geometry), IslandFinder().find(geometry), settings)
    assert picture.dtype == np.uint8
    assert set(np.unique(picture)) <= {0, 255}
    return picture == 0


def parted(labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Whether each pixel differs from its right and from its lower neighbour."""
    return labels[:, :-1] != labels[:, 1:], labels[:-1] != labels[1:]


def beside_borders(labels: np.ndarray) -> np.ndarray:
    """The pixels one of whose four neighbours has another label."""
    right, below = parted(labels)
    beside = np.zeros(labels.shape, bool)
    beside[:, 1:] |= right
    beside[:, :-1] |= right
    beside[1:] |= below
    beside[:-1] |= below
    return beside


def outside_of(inside: np.ndarray) -> np.ndarray:
    """The pixels outside a shape that have one of it as one of their four neighbours."""
    padded = np.pad(inside, 1)
    near = padded[:-2, 1:-1] | padded[2:, 1:-1] | padded[1:-1, :-2] | padded[1:-1, 2:]
    return near & ~inside


def leaks(labels: np.ndarray, is_line: np.ndarray) -> int:
    """Neighbours of different labels of which neither is line."""
    right, below = parted(labels)
    return int((right & ~is_line[:, :-1] & ~is_line[:, 1:]).sum() + (below & ~is_line[:-1] & ~is_line[1:]).sum())


VIEWS = {"perspective": camera(perspective(1.2)), "orthographic": camera(orthographic(2.5))}


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("rings", [5, 16, 60, 250])
def test_a_ball_has_its_outline_and_nothing_inside(view: str, rings: int) -> None:
    generator = np.random.default_rng(rings)
    settings = replace(EVERYTHING, creases=rings > 5)
    for turn in range(24 if rings < 100 else 6):
        seen_by = larger(VIEWS[view], 144, 96)
        # from less than a pixel to half the picture
        radius = np.exp(generator.uniform(np.log(0.01), np.log(0.8)))
        place = translation(generator.uniform(-1.0, 1.0), generator.uniform(-1.0, 1.0), -4.0)
        scale = np.diag([radius, radius, radius, 1.0])
        ball = sphere("ball", place @ rotation(0, turn) @ rotation(1, 2.0 * turn) @ scale, rings)
        geometry = frame(1, seen_by, [ball])
        inside = raster.draw(geometry).instance >= 0
        assert np.array_equal(lines(geometry, settings), outside_of(inside))


@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e4])
def test_the_scale_of_the_scene_does_not_matter(scale: float) -> None:
    ring = torus("ring", np.diag([scale, scale, scale, 1.0]), 40, 20)
    ring.matrix = translation(0, 0, -4 * scale) @ rotation(0, 1.2) @ rotation(1, 0.3) @ ring.matrix
    seen_by = replace(camera(perspective(1.4)), clip_start=1e-6, clip_end=1e9, width=144, height=96)
    found = lines(frame(1, seen_by, [ring]))
    ring.matrix[:3] /= scale
    assert np.array_equal(found, lines(frame(1, seen_by, [ring])))


@pytest.mark.parametrize(("around", "across"), [(24, 12), (60, 30), (400, 150)])
def test_a_ring_that_hides_itself_has_lines_where_it_does(around: int, across: int) -> None:
    """Held against the same surface seen fifteen times finer: a step in depth there is a line, and nothing else is."""
    fine = 15
    missed = total = 0
    for tilt in (0.9, 1.0, 1.1, 1.15, 1.2, 1.25, 1.3):
        ring = torus("ring", translation(0.07, 0.04, -4.0) @ rotation(0, tilt) @ rotation(2, tilt), around, across)
        seen_by = larger(camera(perspective(1.5)), 96, 64)
        geometry = frame(1, seen_by, [ring])
        is_line = lines(geometry, replace(EVERYTHING, creases=False))
        pixel = 4.0 / (1.5 * 48)
        finer = raster.draw(replace(geometry, camera=larger(seen_by, 96 * fine, 64 * fine))).depth
        rows, columns = np.arange(64) * fine + fine // 2, np.arange(96) * fine + fine // 2
        near = np.zeros((64, 96), bool)
        for axis in (0, 1):
            along = (finer[:, columns] if axis == 0 else finer[rows].T) / pixel
            centres = rows if axis == 0 else columns
            with np.errstate(invalid="ignore"):
                steps = np.nan_to_num(np.abs(np.diff(along, axis=0)), nan=0.0, posinf=1e9)
            largest = np.stack([steps[a:b].max(axis=0) for a, b in pairwise(centres)])
            largest = largest if axis == 0 else largest.T
            first, second = (np.s_[:-1], np.s_[1:]) if axis == 0 else (np.s_[:, :-1], np.s_[:, 1:])
            missed += int(((largest > 8.0) & ~is_line[first] & ~is_line[second]).sum())
            total += int((largest > 8.0).sum())
            # what is coarse hides itself at small steps as well
            small = largest > (0.5 if across > 50 else 0.1)
            near[first] |= small
            near[second] |= small
        assert not (is_line & ~near).any()
    assert total > 500
    assert missed <= 0.001 * total


@pytest.mark.parametrize("view", VIEWS)
def test_the_edges_of_a_cube_are_lines_if_they_are_sharp_enough(view: str) -> None:
    box = cube("box", translation(0.1, 0.0, -5.0) @ rotation(0, 0.5) @ rotation(1, 0.7))
    geometry = frame(1, larger(VIEWS[view], 144, 96), [box])
    seen = raster.draw(geometry)
    inside = seen.instance >= 0
    faces = np.where(inside, seen.triangle // 2, -1)
    creased = lines(geometry)
    assert leaks(faces, creased) == 0
    # each line pixel is beside what it parts
    assert not (creased & ~beside_borders(faces)).any()
    assert (creased & inside).sum() > 60
    # faces of a cube meet at 90 degrees
    for angle, is_crease in ((89.9, False), (90.1, True)):
        found = lines(geometry, replace(EVERYTHING, crease_angle=angle))
        assert np.array_equal(found, creased if is_crease else outside_of(inside))


def test_faces_that_share_places_but_no_vertices_are_one_surface() -> None:
    ball = sphere("ball", translation(0, 0, -4.0), 12)
    torn = Thing(
        "ball", ball.vertices[ball.triangles.ravel()], np.arange(3 * len(ball.triangles)).reshape(-1, 3), ball.matrix
    )
    seen_by = larger(camera(perspective(1.2)), 144, 96)
    assert np.array_equal(lines(frame(1, seen_by, [torn])), lines(frame(1, seen_by, [ball])))


def island_map(geometry: FrameGeometry) -> np.ndarray:
    """The island that each pixel shows, of a frame with one mesh; -1 on the background."""
    seen = raster.draw(geometry)
    return np.where(seen.triangle < 0, -1, IslandFinder().find(geometry)[seen.triangle])


@pytest.mark.parametrize("rings", [12, 60, 250])
@pytest.mark.parametrize("size", [0.2, 0.35, 0.6])
def test_a_ball_stuck_into_another_one_of_its_mesh_has_a_closed_curve_around_it(rings: int, size: float) -> None:
    head = sphere("head", rotation(0, 0.3), rings)
    eye = sphere("eye", translation(0.45, 0.3, 0.75) @ np.diag([size, size, size, 1.0]) @ rotation(1, 0.4), rings)
    settings = replace(EVERYTHING, creases=False)
    for step in range(8):
        both = replace(joined(head, eye), matrix=translation(0, 0, -4.0))
        seen_by = moved(larger(camera(perspective(1.2)), 144, 96), 0.13 * step, 0.21 * step)
        geometry = frame(1, seen_by, [both])
        labels = island_map(geometry)
        assert {0, 1} <= set(np.unique(labels))
        is_line = lines(geometry, settings)
        assert leaks(labels, is_line) == 0
        assert not (is_line & ~beside_borders(labels)).any()
        without = lines(geometry, replace(settings, intersections=False))
        assert not (without & ~is_line).any()
        assert leaks(labels, without) > 0


@pytest.mark.parametrize("rings", [8, 12, 60, 250])
def test_a_smooth_surface_that_was_split_has_its_outline_alone(rings: int) -> None:
    """As importers split it along a seam: each side has its own vertices there, at the same places."""
    whole = sphere("ball", np.eye(4), rings)
    centre = whole.vertices[whole.triangles].mean(axis=1)
    sides = [whole.triangles[centre[:, 0] > 0], whole.triangles[centre[:, 0] <= 0]]
    split = joined(*(Thing("side", whole.vertices, triangles, np.eye(4)) for triangles in sides))
    for turn in range(6):
        matrix = translation(0, 0, -4.0) @ rotation(1, 0.5 * turn) @ rotation(0, 0.2 * turn)
        seen_by = larger(camera(perspective(1.2)), 144, 96)
        geometry = frame(1, seen_by, [replace(split, matrix=matrix)])
        assert np.array_equal(lines(geometry), lines(frame(1, seen_by, [replace(whole, matrix=matrix)])))


def test_a_wall_that_is_hardly_uneven_has_its_outline_alone_at_a_grazing_angle() -> None:
    """Faces narrower than a pixel, turned by up to a degree or so; none hides another one."""
    x, y = np.meshgrid(np.linspace(-8, 8, 400), np.linspace(-1, 1, 30))
    places = np.stack([x, y, np.random.default_rng(1).uniform(-3e-4, 3e-4, x.shape)], axis=-1).reshape(-1, 3)
    row, column = np.meshgrid(np.arange(29), np.arange(399), indexing="ij")
    a = (row * 400 + column).ravel()
    faces = np.concatenate([np.stack([a, a + 1, a + 401], axis=1), np.stack([a, a + 401, a + 400], axis=1)])
    for turn in np.radians([80.0, 83.0, 85.0]):
        wall = Thing("wall", places, faces, translation(0, 0, -12) @ rotation(1, turn))
        geometry = frame(1, larger(VIEWS["orthographic"], 144, 96), [wall])
        inside = raster.draw(geometry).instance >= 0
        assert inside.sum() > 1000
        assert np.array_equal(lines(geometry), outside_of(inside))


def test_an_open_sheet_has_its_border_before_its_own_surface() -> None:
    """Two squares of one mesh, one a little before the other; the step is the smaller the closer they are."""
    for distance in (1.0, 0.1, 0.02):
        leaf = joined(plane("a", translation(0, 0, -5.0), 2.0), plane("b", translation(0.2, 0.1, distance - 5.0), 0.7))
        geometry = frame(1, larger(camera(perspective(1.2)), 144, 96), [leaf])
        seen = raster.draw(geometry)
        before = seen.triangle >= 2
        behind = (seen.triangle >= 0) & ~before
        found = lines(geometry)
        assert np.array_equal(found & behind, outside_of(before))
        assert not (found & before).any()
        assert not (lines(geometry, replace(EVERYTHING, folds=False)) & behind).any()


def test_a_sheet_shows_where_its_back_begins() -> None:
    """A sheet rolled to more than half a tube, seen from its open side: its back is seen beside its front."""
    turn = np.linspace(-0.6 * np.pi, 0.9 * np.pi, 200)
    rim = np.stack([np.sin(turn), np.zeros_like(turn), np.cos(turn)], axis=1)
    up = np.array([0.0, 1.0, 0.0])
    vertices = np.concatenate([rim - up, rim + up])
    j = np.arange(199)
    faces = np.concatenate([np.stack([j, j + 1, j + 201], axis=1), np.stack([j, j + 201, j + 200], axis=1)])
    geometry = frame(
        1,
        larger(camera(perspective(1.2)), 144, 96),
        [Thing("roll", vertices, faces, translation(0, 0, -4) @ rotation(1, 2.4) @ rotation(0, 0.2))],
    )
    seen = raster.draw(geometry)
    corners = vertices[faces] @ geometry.matrices[0, :3, :3].T + geometry.matrices[0, :3, 3]
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    front = (normals * corners[:, 0]).sum(axis=1) < 0
    sides = np.where(seen.triangle < 0, -1, front[seen.triangle].astype(int))
    assert {0, 1} <= set(np.unique(sides))
    assert leaks(sides, lines(geometry)) == 0
    assert leaks(sides, lines(geometry, NOTHING)) > 0


@pytest.mark.parametrize("degrees", [1.5, 4.0, 8.0, 12.0])
@pytest.mark.parametrize("cells", [3, 8, 40])
def test_parts_that_cross_at_a_small_angle_have_a_line_without_gaps(degrees: float, cells: int) -> None:
    """Two sheets of one mesh, of triangles larger and smaller than pixels."""
    for pose in (0.0, 0.5):
        geometry = frame(1, larger(VIEWS["perspective"], 72, 48), [crossing(degrees, cells, pose)])
        labels, edges = island_map(geometry), SurfaceEdgeFinder().find(geometry)
        assert {0, 1} <= set(np.unique(labels))
        found = find_contours(geometry, raster.draw(geometry), IslandFinder().find(geometry), EVERYTHING, edges)
        is_line = found.line_art == 0
        assert leaks(labels, is_line) == 0
        # the rim goes on where it is hidden by less than the rounding
        assert (is_line & ~beside_borders(labels)).sum() < 2


def crossing(degrees: float, cells: int, pose: float = 0.0) -> Thing:
    """Two sheets of one mesh that go through each other at an angle, their triangles anywhere."""
    one = sheet(cells, rotation(2, 0.3))
    other = sheet(cells, translation(0.03, 0.05, 0.0) @ rotation(2, 0.35) @ rotation(0, np.radians(degrees)), 1.86)
    return replace(joined(one, other), matrix=translation(0.013, 0.007, -5.0) @ rotation(0, pose))


def sheet(cells: int, matrix: np.ndarray, half: float = 2.0) -> Thing:
    """A square of so many cells along each side."""
    x, y = np.meshgrid(np.linspace(-half, half, cells + 1), np.linspace(-half, half, cells + 1))
    row, column = np.meshgrid(np.arange(cells), np.arange(cells), indexing="ij")
    a = (row * (cells + 1) + column).ravel()
    b, c, d = a + 1, a + cells + 2, a + cells + 1
    faces = np.concatenate([np.stack([a, b, c], axis=1), np.stack([a, c, d], axis=1)])
    return Thing("sheet", np.stack([x, y, 0.0 * x], axis=-1).reshape(-1, 3), faces, matrix)


@pytest.mark.parametrize("degrees", [0.0, 4.0, 8.0])
def test_tiles_that_lie_side_by_side_are_one_surface_unless_borders_are_wanted(degrees: float) -> None:
    """Two sheets of one mesh that end where the other one begins, in a shallow valley or a ridge."""
    sides = [translation(side * 1.0, 0.0, 0.0) for side in (-1, 1)]
    for sign in (-1, 1):
        left, right = (
            rotation(1, sign * side * np.radians(degrees / 2)) @ place
            for side, place in zip((-1, 1), sides, strict=True)
        )
        tiles = replace(joined(sheet(4, left, 1.0), sheet(4, right, 1.0)), matrix=translation(0.01, 0.02, -4.0))
        geometry = frame(1, larger(VIEWS["perspective"], 72, 48), [tiles])
        seen, islands = raster.draw(geometry), IslandFinder().find(geometry)
        edges = SurfaceEdgeFinder().find(geometry)
        without = find_contours(geometry, seen, islands, replace(EVERYTHING, open_edges=False), edges)
        assert np.array_equal(without.line_art == 0, outside_of(seen.instance >= 0))


def test_objects_that_cut_through_each_other_never_touch_without_a_line() -> None:
    things = [
        plane("ground", translation(0, -0.5, -5) @ rotation(0, -1.1), 4.0),
        sphere("stone", translation(0.2, -0.4, -4.5), 20),
        cube("post", translation(-1.2, 0.2, -5) @ rotation(1, 0.4)),
    ]
    geometry = frame(1, larger(camera(perspective(1.2)), 144, 96), things)
    seen = raster.draw(geometry)
    only_objects = replace(NOTHING, backdrop=True, objects=True, intersections=True)
    assert leaks(seen.instance, lines(geometry, only_objects)) == 0
    without = lines(geometry, replace(only_objects, intersections=False))
    assert leaks(seen.instance, without) > 10
    assert not (without & ~lines(geometry, only_objects)).any()
    assert leaks(seen.instance >= 0, lines(geometry, replace(NOTHING, backdrop=True))) == 0
    assert not lines(geometry, NOTHING).any()


def test_nearer_shapes_keep_their_extent() -> None:
    things = [plane("wall", translation(0, 0, -9), 30.0), sphere("ball", translation(0, 0, -4), 30)]
    geometry = frame(1, larger(camera(perspective(1.2)), 144, 96), things)
    ball = raster.draw(geometry).instance == 1
    assert np.array_equal(lines(geometry), outside_of(ball))


def test_materials_of_one_plane_are_parted_if_wanted() -> None:
    wall = plane("wall", translation(0.03, 0, -4) @ rotation(1, 0.5), 3.0)
    wall.slots, wall.triangle_slots = (5, 6), np.array([0, 1])
    geometry = frame(1, camera(perspective(1.2)), [wall])
    materials = companions.material_id_map(geometry, raster.draw(geometry))
    assert leaks(materials, lines(geometry)) == 0
    assert lines(geometry, replace(NOTHING, materials=True)).sum() > 10
    assert not lines(geometry, replace(EVERYTHING, materials=False, backdrop=False)).any()
    wall.slots = (5, 5)
    assert not lines(frame(1, camera(perspective(1.2)), [wall]), replace(EVERYTHING, backdrop=False)).any()


def test_surfaces_that_lie_in_each_other_make_no_noise() -> None:
    """A two-sided sheet: the same square twice, split along different diagonals, one copy seen from behind."""
    matrix = translation(0.1, 0.05, -3.7) @ rotation(1, 0.43) @ rotation(0, 0.31)
    square = plane("a", np.eye(4), 1.0)
    back = Thing("b", square.vertices, np.array([[0, 3, 1], [1, 3, 2]]), np.eye(4))
    sheet = replace(joined(square, back), matrix=matrix)
    geometry = frame(1, larger(camera(perspective(1.2)), 144, 96), [sheet])
    inside = raster.draw(geometry).instance >= 0
    assert np.array_equal(lines(geometry), outside_of(inside))


@pytest.mark.parametrize("pixels", [0.1, 0.4, 0.7, 0.95])
def test_a_bevel_thinner_than_a_pixel_is_one_line_without_gaps(pixels: float) -> None:
    """Two walls at a right angle and a bevel, whose edges alone are no creases: some rows see it, others do not."""
    half = 0.5 * pixels * 4.0 / (1.6 * 72)
    profile = np.array([[-1, -1 + half], [-half, 0], [half, 0], [1, -1 + half]], np.float64)
    points = np.concatenate([np.insert(profile, 1, y, axis=1) for y in (-2.0, 2.0)])
    j = np.arange(3)
    faces = np.concatenate([np.stack([j, j + 1, j + 5], axis=1), np.stack([j, j + 5, j + 4], axis=1)])
    wall = Thing("wall", points, faces, translation(0.011, 0, -4) @ rotation(2, 0.07))
    geometry = frame(1, larger(camera(perspective(1.6)), 144, 96), [wall])
    in_row = lines(geometry, replace(NOTHING, creases=True))[:, 40:104].sum(axis=1)
    assert in_row.min() >= 1
    assert np.median(in_row) == 1
    on_bevel = (raster.draw(geometry).triangle % 3 == 1).any(axis=1)
    assert on_bevel.mean() > 0.05


PIXEL_AT_4 = 4.0 / (1.6 * 72)
"""What a pixel of the pictures below spans 4 units away."""


def profiled(profile: np.ndarray, turn: float) -> FrameGeometry:
    """A wall of one profile ``(x, z)``, seen along z from 4 units away; its edges run a little aslant over the rows."""
    count = len(profile)
    points = np.concatenate([np.insert(profile, 1, y, axis=1) for y in (-2.0, 2.0)])
    j = np.arange(count - 1)
    faces = np.concatenate(
        [np.stack([j, j + 1, j + 1 + count], axis=1), np.stack([j, j + 1 + count, j + count], axis=1)]
    )
    wall = Thing("wall", points, faces, translation(0.011, 0, -4) @ rotation(2, 0.07) @ rotation(1, turn))
    return frame(1, larger(camera(perspective(1.6)), 144, 96), [wall])


@pytest.mark.parametrize("turn", [0.0, 0.5, 0.8])
@pytest.mark.parametrize("pixels", [0.2, 0.4, 0.7, 1.1])
def test_a_ramp_too_flat_for_a_crease_has_no_line_whether_pixels_see_it_or_not(pixels: float, turn: float) -> None:
    """Between two boards, and at 40 degrees to both: dashes would be drawn where no pixel sees it."""
    width = pixels * PIXEL_AT_4
    drop = width * math.tan(math.radians(40.0))
    geometry = profiled(np.array([[-1, 0], [0, 0], [width, drop], [1, drop]], np.float64), turn)
    seen = raster.draw(geometry)
    on_ramp = (seen.triangle % 3 == 1).any(axis=1)
    if turn == 0.0 and pixels < 1.0:
        assert 0.05 < on_ramp.mean() < 0.99
    assert np.array_equal(lines(geometry), outside_of(seen.instance >= 0))


@pytest.mark.parametrize(("pixels", "step"), [(0.5, 0.03), (0.8, 0.1)])
def test_a_step_goes_on_where_no_pixel_sees_the_bevel_of_its_edge(pixels: float, step: float) -> None:
    """What is not seen there could be a ramp; where a pixel sees the bevel, the small step below it is sure.

    Not all rows have a line: other ones take so small a step for unevenness.  Without the rows that see no bevel these
    would be 46% and 61% of them.
    """
    width, below = pixels * PIXEL_AT_4, step * PIXEL_AT_4
    drop = -width * math.tan(math.radians(35.0))
    undercut = width - 0.1 * PIXEL_AT_4
    profile = np.array([[-2, 0], [0, 0], [width, drop], [undercut, drop - below], [2, drop - below]], np.float64)
    in_row = lines(profiled(profile, 0.0))[:, 40:104].sum(axis=1)
    assert in_row.max() == 1
    assert (in_row == 1).mean() > 0.63


def moved(seen_by: Camera, right: float, down: float) -> Camera:
    """The camera with its picture shifted by pixels, without any change of perspective."""
    projection = seen_by.projection.copy()
    projection[0, 2] -= 2.0 * right / seen_by.width
    projection[1, 2] += 2.0 * down / seen_by.height
    return replace(seen_by, projection=projection)


def still_life() -> list[Thing]:
    return [
        torus("ring", translation(0.4, 0.1, -4.3) @ rotation(0, 1.2), 60, 30),
        cube("box", translation(-1.1, -0.3, -5.5) @ rotation(0, 0.5) @ rotation(1, 0.7)),
        sphere("ball", translation(-0.5, 0.4, -4.6), 30),
    ]


@pytest.mark.parametrize("thickness", [1.0, 3.0, 5.5])
def test_a_picture_that_moves_by_whole_pixels_takes_its_lines_along(thickness: float) -> None:
    seen_by = larger(camera(perspective(1.2)), 192, 128)
    settings = replace(EVERYTHING, thickness=thickness)
    before = lines(frame(1, seen_by, still_life()), settings)
    assert before.sum() > 300
    assert np.array_equal(before, lines(frame(1, seen_by, still_life()), settings))
    after = lines(frame(1, moved(seen_by, 3, 5), still_life()), settings)
    assert (before[10:-20, 10:-20] != after[15:-15, 13:-17]).sum() <= 2


def test_lines_do_not_depend_on_the_strips_they_are_found_in(monkeypatch: pytest.MonkeyPatch) -> None:
    half = 0.35 * PIXEL_AT_4
    bevelled = profiled(np.array([[-1, -1 + half], [-half, 0], [half, 0], [1, -1 + half]], np.float64), 0.0)
    # its edge runs across, so that rows above and below tell whether it is one
    geometry = replace(bevelled, matrices=bevelled.matrices @ rotation(2, 0.5 * math.pi))
    in_few = lines(geometry)
    for rows in (1, 5, 127, 1000):
        monkeypatch.setattr(contours, "STRIP", rows)
        assert np.array_equal(lines(geometry), in_few), rows


def test_slow_motion_neither_adds_nor_loses_lines() -> None:
    seen_by = larger(camera(perspective(1.2)), 192, 128)
    counts = []
    for step in range(20):
        geometry = frame(1, moved(seen_by, 0.05 * step, 0.03 * step), still_life())
        is_line = lines(geometry)
        counts.append(is_line.sum())
    assert np.ptp(counts) < 0.04 * np.mean(counts)


def test_lines_stay_within_a_pixel_of_a_balls_silhouette() -> None:
    seen_by = larger(camera(perspective(1.2)), 192, 128)
    for step in range(10):
        shift = 0.1 * step
        geometry = frame(1, moved(seen_by, shift, shift), [sphere("ball", translation(0, 0, -4.0), 200)])
        rows, columns = np.nonzero(lines(geometry))
        radius = 1.2 * 96 * math.tan(math.asin(1 / 4))
        distance = np.hypot(columns - (95.5 + shift), rows - (63.5 + shift))
        assert np.abs(distance - radius).max() < 1.0
        assert len(rows) > 2 * np.pi * radius * 0.8


def test_thickness_grows_evenly() -> None:
    geometry = frame(1, larger(camera(perspective(1.2)), 192, 128), [sphere("ball", translation(0, 0, -4.0), 30)])
    thin = lines(geometry)
    rows, columns = np.mgrid[:128, :192]
    places = np.argwhere(thin)
    distance = np.sqrt(((rows[..., None] - places[:, 0]) ** 2 + (columns[..., None] - places[:, 1]) ** 2).min(axis=-1))
    for thickness in (0.5, 1.5, 2.9, 3.0, 4.0, 5.0, 7.3):
        found = lines(geometry, replace(EVERYTHING, thickness=thickness))
        assert np.array_equal(found, distance <= max(0.0, (thickness - 1.0) / 2.0)), thickness


def test_the_configuration_is_read_in_freestyles_terms() -> None:
    assert ContourSettings.from_config(Lines(engine="geometry")) == replace(EVERYTHING, thickness=1.5)
    outline = ContourSettings.from_config(Lines(engine="geometry", freestyle=False))
    nothing_within = {"folds": False, "creases": False, "open_edges": False, "marked_edges": False}
    assert outline == replace(EVERYTHING, **nothing_within, thickness=1.5)
    only: dict[EdgeType, set[str]] = {
        "silhouette": {"backdrop", "objects", "folds"},
        "contour": {"backdrop", "objects"},
        "external_contour": {"backdrop"},
        "border": {"folds", "open_edges"},
        "crease": {"creases"},
        "material_boundary": {"materials"},
        "edge_mark": {"marked_edges"},
    }
    kinds = {"backdrop", "objects", "intersections", "folds", "materials", "creases", "open_edges", "marked_edges"}
    for edge, wanted in only.items():
        settings = ContourSettings.from_config(Lines(engine="geometry", outline=False, edges=(edge,)))
        assert {kind for kind in kinds if getattr(settings, kind)} == wanted


def test_an_empty_frame_has_no_lines() -> None:
    geometry = frame(1, camera(perspective(1.0)), [])
    assert lines(geometry).shape == (HEIGHT, WIDTH)
    assert not lines(geometry).any()
