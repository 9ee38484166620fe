"""Open, sharp and marked edges are followed through the picture, and tell what a line is."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import cv2
import numpy as np
import pytest

from animerun_gen.lines import surface_edges
from animerun_gen.lines.contours import Contours, ContourSettings, find_contours, lens_of
from animerun_gen.lines.kernels.marks import HALFWAY
from animerun_gen.lines.kernels.surface_edges import INNER, OPEN
from animerun_gen.lines.kinds import LineKind
from animerun_gen.lines.surface_edges import SurfaceEdgeFinder, find_crossings
from animerun_gen.motion import raster
from animerun_gen.motion.geometry import FrameGeometry, MarkedEdges
from animerun_gen.motion.islands import IslandFinder
from tests.lines.test_contours import (
    EVERYTHING,
    NOTHING,
    PIXEL_AT_4,
    joined,
    larger,
    leaks,
    lines,
    outside_of,
    parted,
    profiled,
    sheet,
    sphere,
)
from tests.motion.synthetic import Thing, camera, cube, frame, orthographic, perspective, plane, rotation, translation

VIEWS = {"perspective": camera(perspective(1.2)), "orthographic": camera(orthographic(2.5))}


def contours(geometry: FrameGeometry, settings: ContourSettings = EVERYTHING) -> Contours:
    edges = SurfaceEdgeFinder().find(geometry)
    return find_contours(geometry, raster.draw(geometry), IslandFinder().find(geometry), settings, edges)


def marked(geometry: FrameGeometry, *edges: tuple[int, int]) -> FrameGeometry:
    """A frame of one mesh with marked edges."""
    vertices = np.array(edges, np.int32).reshape(-1, 2)
    return replace(geometry, marked_edges=MarkedEdges(vertices, np.array([0, len(vertices)], np.int64)))


def test_only_a_sheets_rim_is_open() -> None:
    geometry = frame(1, VIEWS["perspective"], [sheet(5, translation(0, 0, -4)), cube("box", translation(2, 0, -4))])
    edges = SurfaceEdgeFinder(inner_edges=False).find(geometry)
    assert edges.start.tolist() == [0, 20, 20]
    rim = geometry.vertices[edges.vertices]
    assert (np.abs(rim).max(axis=2) == 2.0).all()


def test_a_seam_of_two_copies_is_not_open() -> None:
    """As importers split meshes: the halves share places there, and the rim stays."""
    whole = sheet(4, np.eye(4))
    centre = whole.vertices[whole.triangles].mean(axis=1)
    halves = [Thing("half", whole.vertices, whole.triangles[centre[:, 0] * side > 0], np.eye(4)) for side in (-1, 1)]
    for mesh, count in ((joined(*halves), 16), (whole, 16)):
        edges = SurfaceEdgeFinder(inner_edges=False).find(
            frame(1, VIEWS["perspective"], [replace(mesh, matrix=translation(0, 0, -4))])
        )
        assert len(edges.vertices) == count


def test_which_edges_are_open_depends_on_the_frame_alone() -> None:
    """A seam that tears: the finder that has seen it whole says the same as a new one."""
    left, right = sheet(2, translation(-2, 0, 0)), sheet(2, translation(2, 0, 0))
    finder, counts = SurfaceEdgeFinder(), []
    for apart in (0.0, 0.5, 0.0):
        torn = joined(left, replace(right, matrix=translation(2 + apart, 0, 0)))
        geometry = frame(1, VIEWS["perspective"], [replace(torn, matrix=translation(0, 0, -9))])
        found, anew = finder.find(geometry), SurfaceEdgeFinder().find(geometry)
        assert np.array_equal(found.vertices, anew.vertices)
        assert np.array_equal(found.beside, anew.beside)
        counts.append([int((found.what == kind).sum()) for kind in (OPEN, INNER)])
    assert counts == [[12, 18], [16, 16], [12, 18]]


def test_inner_edges_have_the_faces_on_both_sides_though_a_seam_parts_them() -> None:
    """A cube whose sides share no vertex, as importers split sharp edges: its edges and the diagonals of its sides."""
    whole = cube("box", np.eye(4))
    corners = whole.vertices[whole.triangles]
    side = np.abs(corners - corners[:, :1]).max(axis=1).argmin(axis=1) * 2 + (corners.mean(axis=1).sum(axis=1) > 0)
    sides = [Thing("side", whole.vertices, whole.triangles[side == number], np.eye(4)) for number in range(6)]
    for box in (whole, joined(*sides)):
        edges = SurfaceEdgeFinder().find(frame(1, VIEWS["perspective"], [replace(box, matrix=translation(0, 0, -4))]))
        assert (edges.what == INNER).all()
        assert len(edges.vertices) == 18
        corners = box.vertices[box.triangles]
        normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
        normals /= np.linalg.norm(normals, axis=1, keepdims=True)
        cosines = (normals[edges.beside[:, 0]] * normals[edges.beside[:, 1]]).sum(axis=1)
        lengths = np.linalg.norm(np.diff(box.vertices[edges.vertices], axis=1)[:, 0], axis=1)
        is_diagonal = lengths > lengths.min() * 1.2
        assert is_diagonal.sum() == 6
        assert np.allclose(cosines, np.where(is_diagonal, 1.0, 0.0), atol=1e-6)


@pytest.mark.parametrize("pixels", [0.1, 0.4, 0.9])
def test_sharp_edges_of_faces_narrower_than_a_pixel_are_one_line_without_gaps(pixels: float) -> None:
    """A ridge on a wall: pixels that happen to see one of its faces know of a crease, the others do not."""
    half = 0.5 * pixels * PIXEL_AT_4
    ridge = profiled(np.array([[-1, 0], [-half, 0], [0, 1.5 * half], [half, 0], [1, 0]], np.float64), 0.0)
    settings = replace(NOTHING, creases=True)
    assert (lines(ridge, settings)[:, 40:104].sum(axis=1) == 0).any()
    in_row = (contours(ridge, settings).line_art == 0)[:, 40:104].sum(axis=1)
    assert in_row.min() >= 1
    assert np.median(in_row) == 1


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("turn", [0.07, -0.4, 1.2, -1.5])
def test_a_crease_lies_on_the_pixels_that_are_nearest_to_it(view: str, turn: float) -> None:
    """A ridge that fills the picture: the line is where its edge, projected, is rounded to, in each row or column."""
    roof = joined(
        *(plane(f"{side}", rotation(1, side * 0.6) @ translation(side * 5.0, 0, 0), 5.0) for side in (-1.0, 1.0))
    )
    pose = translation(0.013, 0.027, -4.0) @ rotation(2, turn)
    geometry = frame(1, larger(VIEWS[view], 72, 48), [replace(roof, matrix=pose)])
    is_line = contours(geometry, replace(NOTHING, creases=True)).line_art == 0
    matrix = geometry.instance_pixel_matrices()[0]
    ends = (matrix @ np.array([[0, -5, 0, 1], [0, 5, 0, 1]], np.float64).T).T
    ends = ends[:, :2] / ends[:, 3:]
    along = int(abs(ends[1, 1] - ends[0, 1]) > abs(ends[1, 0] - ends[0, 0]))
    steps = np.arange((72, 48)[along])
    slope = (ends[1, 1 - along] - ends[0, 1 - along]) / (ends[1, along] - ends[0, along])
    nearest = np.floor(ends[0, 1 - along] + (steps - ends[0, along]) * slope + 1.0 - HALFWAY).astype(int)
    expected = np.zeros_like(is_line)
    inside = (nearest >= 0) & (nearest < (72, 48)[1 - along])
    assert inside.sum() > 30
    places = (steps[inside], nearest[inside])
    expected[places if along else places[::-1]] = True
    assert np.array_equal(is_line, expected)


def cut_into_fans(polygons: list[list[int]], first: int) -> tuple[np.ndarray, np.ndarray]:
    """Triangles that all begin at one corner of their polygon, and the polygon of each."""
    triangles, faces = [], []
    for number, polygon in enumerate(polygons):
        turned = polygon[first:] + polygon[:first]
        triangles += [(turned[0], one, other) for one, other in pairwise(turned[1:])]
        faces += [number] * (len(polygon) - 2)
    return np.array(triangles), np.array(faces, np.int32)


def test_the_crease_between_two_flat_faces_is_the_same_however_they_are_cut_into_triangles() -> None:
    """Their common edge has nine corners in one line, so that some of the triangles have no extent."""
    edge = [(0.0, y, 0.0) for y in np.linspace(-1.0, 1.0, 9)]
    vertices = np.array([*edge, (-1.5, 1.0, -1.2), (-1.5, -1.0, -1.2), (1.5, -1.0, -1.2), (1.5, 1.0, -1.2)])
    polygons = [[*range(9), 9, 10], [*range(8, -1, -1), 11, 12]]
    pose = translation(0.013, 0.027, -4.0) @ rotation(2, 0.3)
    drawn = []
    for first in range(11):
        triangles, faces = cut_into_fans(polygons, first)
        geometry = frame(1, larger(VIEWS["perspective"], 72, 48), [Thing("hinge", vertices, triangles, pose)])
        geometry = replace(geometry, faces=faces)
        edges = SurfaceEdgeFinder().find(geometry)
        assert [int((edges.what == kind).sum()) for kind in (INNER, OPEN)] == [8, 6]
        drawn.append(contours(geometry))
    for each in drawn[1:]:
        assert np.array_equal(each.marks, drawn[0].marks)
    top, bottom = np.flatnonzero((drawn[0].kinds() == LineKind.BORDER).any(axis=1))[[0, -1]]
    in_row = (drawn[0].kinds() == LineKind.CREASE)[top + 6 : bottom - 5].sum(axis=1)
    assert len(in_row) > 10
    assert (in_row == 1).all()


def test_an_edge_within_a_face_is_no_crease() -> None:
    """A square bent by a right angle along its diagonal: a crease between two triangles, none within one face."""
    vertices = np.array([(-1, 0, -1), (0, -1, 0), (1, 0, -1), (0, 1, 0)], np.float64)
    folded = Thing("fold", vertices, np.array([[0, 1, 3], [1, 2, 3]]), translation(0.013, 0.027, -4.0))
    geometry = frame(1, larger(VIEWS["perspective"], 72, 48), [folded])
    creases = replace(NOTHING, creases=True)
    assert (contours(geometry, creases).line_art == 0).sum() > 10
    whole = replace(geometry, faces=np.zeros(2, np.int32))
    assert not (contours(whole, creases).line_art == 0).any()
    assert (SurfaceEdgeFinder().find(whole).what == OPEN).all()


def test_which_triangles_are_beside_an_edge_depends_on_the_frame_alone() -> None:
    """Faces that are cut otherwise in the next frame, though their topology is the same."""
    polygons = [[0, 1, 4, 3], [1, 2, 5, 4]]
    places = np.array([(x, y, 0.3 * x * y) for y in (-1.0, 1.0) for x in (-1.0, 0.0, 1.0)])
    finder, found = SurfaceEdgeFinder(), []
    for first in (0, 2, 0):
        triangles, faces = cut_into_fans(polygons, first)
        thing = Thing("bent", places, triangles, translation(0, 0, -4), topology=b"two faces")
        geometry = replace(frame(1, VIEWS["perspective"], [thing]), faces=faces)
        edges, anew = finder.find(geometry), SurfaceEdgeFinder().find(geometry)
        assert np.array_equal(edges.vertices, anew.vertices)
        assert np.array_equal(edges.beside, anew.beside)
        (inner,) = np.flatnonzero(edges.what == INNER)
        assert all(set(edges.vertices[inner]) <= set(triangles[t]) for t in edges.beside[inner])
        found.append(edges.beside[inner].tolist())
    assert found[0] == found[2] != found[1]


@pytest.mark.parametrize("side", [-1.0, 1.0])
@pytest.mark.parametrize("moves", ["crease", "outline"])
def test_lines_beside_a_face_that_comes_into_view_move_by_a_pixel_at_most(moves: str, side: float) -> None:
    """The side of a box, from hidden to three pixels wide in steps of a tenth: no line that was there is lost."""
    before: np.ndarray | None = None
    for width in np.arange(31) / 10.0 * PIXEL_AT_4:
        crease = width if moves == "crease" else 0.0
        profile = np.array([[1.25 * (crease - width), -1], [crease, 0], [1, 0]], np.float64)
        box = profiled(profile[:: int(side)] * [side, 1.0], 0.0)
        now = (contours(box).line_art == 0)[8:-8]
        if before is not None:
            for one, other in ((before, now), (now, before)):
                near = cv2.dilate(other.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
                assert not (one & ~near).any()
        before = now


@pytest.mark.parametrize("pixels", [0.4, 0.95, 4.0])
def test_an_edge_that_is_rounded_by_a_bevel_has_no_crease_from_near_or_far(pixels: float) -> None:
    half = 0.5 * pixels * PIXEL_AT_4
    bevel = profiled(np.array([[-1, -1 + half], [-half, 0], [half, 0], [1, -1 + half]], np.float64), 0.0)
    settings = replace(NOTHING, creases=True)
    assert not (contours(bevel, settings).line_art == 0).any()
    assert (contours(bevel, replace(settings, crease_angle=136.0)).line_art == 0).any()


def test_edges_are_not_followed_where_there_are_far_more_triangles_than_pixels() -> None:
    view = larger(VIEWS["perspective"], 72, 48)
    for distance, is_followed in ((-4.0, True), (-60.0, False)):
        geometry = frame(1, view, [sphere("ball", translation(0, 0, distance), 24)])
        seen = raster.draw(geometry)
        assert (len(geometry.triangles) <= 8 * (seen.instance == 0).sum()) == is_followed
        edges = SurfaceEdgeFinder().find(geometry)
        found = find_crossings(geometry, seen, IslandFinder().find(geometry), edges, lens_of(geometry.camera), 2.0)
        assert found.follows.tolist() == [is_followed, False]
        assert (found.right > 0).any() == is_followed


def test_what_was_known_of_heavy_meshes_stays_known(monkeypatch: pytest.MonkeyPatch) -> None:
    """Their open edges are the same, whichever way they are found."""
    things = [sheet(6, translation(0, 0, -4)), cube("box", translation(2, 0, -4)), sphere("ball", np.eye(4), 8)]
    geometry = frame(1, VIEWS["perspective"], [joined(*things)])
    every = SurfaceEdgeFinder().find(geometry)
    monkeypatch.setattr(surface_edges, "MOST_TRIANGLES", 10)
    few = SurfaceEdgeFinder().find(geometry)
    assert (every.has_inner.tolist(), few.has_inner.tolist()) == ([True], [False])
    assert np.array_equal(every.vertices[every.what == OPEN], few.vertices)
    assert (few.what == OPEN).all()


@pytest.mark.parametrize("view", VIEWS)
def test_an_edge_passes_between_the_pixels_that_it_parts(view: str) -> None:
    """Against the halves of a flat sheet, told by the sign of a plane: where the diagonal passes between pixels."""
    geometry = frame(1, VIEWS[view], [plane("wall", translation(0.03, 0.05, -4.0) @ rotation(2, 0.2), 1.2)])
    seen = raster.draw(geometry)
    edges = SurfaceEdgeFinder(open_edges=False, inner_edges=False).find(marked(geometry, (0, 2)))
    found = find_crossings(geometry, seen, IslandFinder().find(geometry), edges, lens_of(geometry.camera), -1.0)
    right, below = parted(seen.triangle)
    inside_right = (seen.triangle[:, :-1] >= 0) & (seen.triangle[:, 1:] >= 0)
    inside_below = (seen.triangle[:-1] >= 0) & (seen.triangle[1:] >= 0)
    assert (right & inside_right).sum() > 10
    assert np.array_equal((found.right[:, :-1] > 0) & inside_right, right & inside_right)
    assert np.array_equal((found.below[:-1] > 0) & inside_below, below & inside_below)
    assert ((found.right_at >= 0) & (found.right_at <= 1)).all()


def test_a_marked_edge_of_a_flat_face_is_a_line_of_its_kind_and_none_where_it_is_hidden() -> None:
    wall = frame(1, larger(VIEWS["perspective"], 72, 48), [plane("wall", translation(0, 0, -4.0), 1.3)])
    drawn = contours(marked(wall, (0, 2)))
    kinds = drawn.kinds()
    plain = contours(wall)
    added = (drawn.line_art == 0) & (plain.line_art == 255)
    assert added.sum() > 20
    assert (kinds[added] == LineKind.MARK).all()
    assert np.array_equal(
        contours(marked(wall, (0, 2)), replace(EVERYTHING, marked_edges=False)).line_art, plain.line_art
    )
    # another sheet of the same mesh, before the middle of it
    both = joined(plane("wall", np.eye(4), 1.3), plane("patch", translation(0, 0, 0.5), 0.4))
    covered = frame(1, larger(VIEWS["perspective"], 72, 48), [replace(both, matrix=translation(0, 0, -4.0))])
    kinds = contours(marked(covered, (0, 2))).kinds()
    before = raster.draw(covered).triangle >= 2
    assert (kinds == LineKind.MARK).sum() > 5
    assert not (kinds[before] == LineKind.MARK).any()


def test_an_open_edge_that_hides_nothing_of_its_object_is_a_border() -> None:
    """A patch that rises from the sheet it lies on, its lower edge hardly above it: too little to be a step."""
    patch = rotation(0, np.radians(3.0)) @ translation(0, 0.5, 0.0)
    both = joined(sheet(4, np.eye(4), 1.4), plane("patch", translation(0, -0.5, 5e-4) @ patch, 0.5))
    geometry = frame(1, larger(VIEWS["perspective"], 72, 48), [replace(both, matrix=translation(0.01, 0.02, -4.0))])
    seen = raster.draw(geometry)
    on_patch = seen.triangle >= 32
    assert on_patch.sum() > 50
    assert leaks(on_patch, contours(geometry).line_art == 0) == 0
    assert leaks(on_patch, contours(geometry, replace(EVERYTHING, open_edges=False)).line_art == 0) > 5


def test_an_edge_right_behind_another_part_of_its_object_is_none() -> None:
    """Two boards, a fifth of a pixel between them; the hinder one's rim and ridge are hidden by the other one."""
    view = larger(VIEWS["orthographic"], 72, 48)
    behind = translation(0, 0, -0.2 * 5.0 / 72)
    rim = plane("rim", behind, 1.1)
    roof = joined(*(plane(f"{s}", behind @ rotation(1, s * 0.6) @ translation(s * 0.5, 0, 0), 0.5) for s in (-1, 1)))
    pose = translation(0.01, 0.02, -4.0)
    expected = contours(frame(1, view, [replace(sheet(4, np.eye(4), 1.4), matrix=pose)])).line_art
    for hidden in (rim, roof):
        both = replace(joined(sheet(4, np.eye(4), 1.4), hidden), matrix=pose)
        assert np.array_equal(contours(frame(1, view, [both])).line_art, expected)


def test_silhouettes_and_borders_are_told_apart() -> None:
    things = [
        sphere("ball", translation(-1.1, 0, -4.0), 12),
        plane("card", translation(1.2, 0, -4.0) @ rotation(1, 0.3)),
    ]
    geometry = frame(1, larger(VIEWS["perspective"], 96, 64), things)
    seen = raster.draw(geometry)
    kinds = contours(geometry, replace(EVERYTHING, creases=False)).kinds()
    for number, kind in enumerate((LineKind.SILHOUETTE, LineKind.BORDER)):
        around = outside_of(seen.instance == number)
        assert around.sum() > 50
        assert (kinds[around] == kind).all()
    assert (kinds == 0).sum() == kinds.size - outside_of(seen.instance >= 0).sum()


def test_every_kind_of_line_is_told() -> None:
    """A ball half sunk into a box of two materials; the box has creases, an outline and a marked diagonal."""
    box = replace(cube("box", np.eye(4)), slots=(2, 3), triangle_slots=np.array([0] * 4 + [1] * 2 + [0] * 6))
    both = joined(box, sphere("ball", translation(0.2, 0.3, 0.9), 12))
    both = replace(both, slots=(2, 3), triangle_slots=np.concatenate([box.triangle_slots, np.zeros(528, int)]))
    pose = translation(0, 0, -6.0) @ rotation(0, 0.4) @ rotation(1, 0.5)
    geometry = marked(frame(1, larger(VIEWS["perspective"], 96, 64), [replace(both, matrix=pose)]), (1, 7))
    drawn = contours(geometry)
    kinds = drawn.kinds()
    assert np.array_equal(kinds > 0, drawn.line_art == 0)
    assert {LineKind.SILHOUETTE, LineKind.CREASE, LineKind.INTERSECTION, LineKind.MARK} <= set(np.unique(kinds))
    thick = contours(geometry, replace(EVERYTHING, thickness=4.0))
    assert np.array_equal(thick.kinds() > 0, thick.line_art == 0)
    assert np.array_equal(thick.kinds()[kinds > 0], kinds[kinds > 0])


def test_what_is_behind_the_camera_or_outside_the_picture_does_no_harm() -> None:
    generator = np.random.default_rng(4)
    things = [plane(f"{n}", translation(*generator.uniform(-3, 3, 3)) @ rotation(n % 3, n)) for n in range(12)]
    for view in VIEWS.values():
        geometry = frame(1, view, things)
        drawn = contours(geometry)
        assert np.array_equal(drawn.kinds() > 0, drawn.line_art == 0)
    assert not contours(frame(1, VIEWS["perspective"], [])).kinds().any()
