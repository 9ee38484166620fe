"""The visibility buffer against a ray caster."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from animerun_gen.motion import raster
from animerun_gen.motion.geometry import CLIP, EXTEND, MIRROR, REPEAT, Masks
from animerun_gen.motion.thresholds import SAME_DEPTH
from tests.motion.synthetic import (
    HEIGHT,
    WIDTH,
    Thing,
    camera,
    cast,
    cube,
    depths,
    frame,
    masks,
    orthographic,
    perspective,
    pixel_grid,
    plane,
    rotation,
    soup,
    translation,
)

PROJECTIONS = {
    "perspective": perspective(1.2),
    "shifted": perspective(0.9, (0.3, -0.4)),
    "orthographic": orthographic(3.0, (0.1, 0.2)),
}


@pytest.mark.parametrize("projection", PROJECTIONS)
@pytest.mark.parametrize("seed", range(6))
def test_buffer_is_what_rays_hit(projection: str, seed: int) -> None:
    generator = np.random.default_rng(seed)
    world = translation(*generator.uniform(-0.5, 0.5, 3)) @ rotation(seed % 3, generator.uniform(-0.4, 0.4))
    things = [soup(generator, 30), cube("cube", translation(0.3, 0.2, -5) @ rotation(1, 0.7))]
    geometry = frame(1, camera(PROJECTIONS[projection], world), things)
    seen = raster.draw(geometry)
    instance, triangle, depth = cast(geometry, *pixel_grid())
    assert (instance >= 0).mean() > 0.3
    assert np.array_equal(seen.instance.ravel(), instance)
    assert np.array_equal(seen.triangle.ravel(), triangle)
    assert np.allclose(seen.depth.ravel(), depth, rtol=1e-9)


def test_neighbouring_triangles_leave_no_crack_where_edges_meet_pixel_centres() -> None:
    # an orthographic camera under which the edges of a grid run exactly through pixel centres
    half = WIDTH / 2
    corners = np.array([[x - half + 0.5, half - 0.5 - y, 0.0] for y in range(41) for x in range(41)])
    triangles = []
    for y in range(40):
        for x in range(40):
            a = 41 * y + x
            triangles += [(a, a + 1, a + 42), (a, a + 42, a + 41)]
    grid = Thing("grid", corners, np.array(triangles), translation(0, -8, -5))
    seen = raster.draw(frame(1, camera(orthographic(half)), [grid]))
    assert (seen.instance[:, :40] == 0).all(axis=1).sum() >= HEIGHT - 9


def test_turned_closed_surface_has_no_crack() -> None:
    for angle in np.linspace(0.0, 3.0, 25):
        thing = cube("cube", translation(0, 0, -2.2) @ rotation(2, angle) @ rotation(0, 2 * angle))
        seen = raster.draw(frame(1, camera(perspective(1.0)), [thing]))
        covered = seen.instance == 0
        for line in [*covered, *covered.T]:
            inside = np.flatnonzero(line)
            assert len(inside) == 0 or line[inside[0] : inside[-1] + 1].all()


def test_clipping_range_is_respected() -> None:
    near = plane("too near", translation(0, 0, -0.05))
    middle = plane("seen", translation(0, 0, -50), 100.0)
    far = plane("too far", translation(0, 0, -150), 500.0)
    seen = raster.draw(frame(1, camera(perspective(1.0)), [near, far, middle]))
    assert (seen.instance == 2).all()
    assert np.allclose(seen.depth, 50.0)


def test_coordinates_that_are_no_numbers_draw_nothing() -> None:
    broken = plane("broken", translation(0, 0, -5))
    broken.vertices[1] = np.nan
    broken.vertices[2] = np.inf
    seen = raster.draw(frame(1, camera(perspective(1.0)), [broken]))
    assert (seen.instance == raster.BACKGROUND).all()
    assert np.isinf(seen.depth).all()


def test_an_empty_frame_is_background() -> None:
    seen = raster.draw(frame(1, camera(perspective(1.0)), []))
    assert (seen.instance == raster.BACKGROUND).all()


@pytest.mark.parametrize("projection", PROJECTIONS)
def test_hidden_points_are_those_whose_ray_meets_something_else_first(projection: str) -> None:
    generator = np.random.default_rng(7)
    geometry = frame(1, camera(PROJECTIONS[projection]), [soup(generator, 40), cube("cube", translation(0, 0, -4))])
    x = generator.uniform(-3.0, WIDTH + 2.0, 600)
    y = generator.uniform(-3.0, HEIGHT + 2.0, 600)
    instance, triangle, depth = cast(geometry, x, y)
    # every third point is put behind what is seen there, in empty space
    behind = (np.arange(600) % 3 == 0) & (instance >= 0)
    depth = np.where(behind, depth * 1.01, depth)
    triangle = np.where(behind, -2, triangle)
    hidden = raster.hidden_points(geometry, x, y, depth, instance.astype(np.int32), triangle.astype(np.int32))
    outside = (x < -0.5) | (x >= WIDTH - 0.5) | (y < -0.5) | (y >= HEIGHT - 0.5)
    assert np.array_equal(hidden, behind | outside | (behind & (depth > 100.0)))
    assert behind.sum() > 50
    assert outside.sum() > 50


def _shuffled_cubes(generator: np.random.Generator) -> list[Thing]:
    """Closed things behind, before, beside and around each other and the camera, in no order."""
    places = [translation(*generator.uniform((-4, -3, -30), (4, 3, 3))) for _ in range(25)]
    # long ones, that begin behind the camera and run past it, aslant
    for _ in range(15):
        turn = rotation(1, generator.uniform(-1, 1)) @ rotation(0, generator.uniform(-0.7, 0.7))
        places.append(translation(*generator.uniform((-1, -1, -9), (1, 1, -4))) @ turn @ np.diag((0.1, 0.1, 14, 1)))
    return [cube(str(n), place @ rotation(2, n)) for n, place in enumerate(generator.permutation(places))]


def _soup_of(kind: str, generator: np.random.Generator) -> list[Thing]:
    """Triangles of all sorts; each kind is where some shortcut could go wrong."""
    thing = soup(generator, 80, kind)
    corners = thing.vertices.reshape(-1, 3, 3)
    if kind == "small":
        # hardly one covers a pixel centre
        thing = soup(generator, 1000, kind, depth=-8.0)
        corners = thing.vertices.reshape(-1, 3, 3)
        corners[:, 1:] = corners[:, :1] + generator.normal(0, 1, (1000, 2, 3)) * generator.uniform(0, 0.5, (1000, 1, 1))
    elif kind == "degenerate":
        corners[::4, 2] = corners[::4, 1]
        corners[1::4, 2] = 2 * corners[1::4, 1] - corners[1::4, 0]
        corners[2::4, 2] = corners[2::4, 1] + generator.normal(0, 1e-6, (20, 3))
        corners[4::16, 1, 1] = np.nan
        corners[8::16, 0] = np.inf
    elif kind == "huge":
        corners[::2] *= 10.0 ** generator.uniform(1, 7, (40, 1, 1))
    elif kind == "on the grid":
        # coordinates that an orthographic camera of half width WIDTH / 2 sees exactly at pixel centres and borders
        corners[:] = generator.integers(-30, 30, corners.shape) / 2
        corners[..., 2] = generator.integers(-5, -2, (80, 1))
        corners[::3, 0, 1] = corners[::3, 1, 1]
    things = [thing]
    if kind == "on the grid":
        # the same at the same depth, of which the first counts, in things that are drawn in another order ...
        again = np.concatenate([thing.vertices, [[0, 0, -1], [2, 0, -1], [0, 2, -1]]])
        things.append(Thing("again", again, np.arange(len(again))[::-1].reshape(-1, 3), np.eye(4)))
        # ... and with edges just beside pixel centres
        for nudge in (-4e-7, -4e-15, 4e-15, 4e-7):
            mirrored = thing.vertices[::-1] * (1, -1, 1)
            things.append(Thing(str(nudge), mirrored, thing.triangles, translation(nudge, nudge, 0)))
    if kind == "closed":
        things = _shuffled_cubes(generator)
    return things


def _with_holes(things: list[Thing], generator: np.random.Generator) -> Masks:
    """Give every second slot a mask, of every extension, and most triangles texture coordinates far outside of it."""
    images = [generator.random(shape) < 0.5 for shape in ((5, 7), (1, 1), (64, 3), (9, 9), (16, 16))]
    extensions = (REPEAT, REPEAT, EXTEND, CLIP, MIRROR)
    for index, thing in enumerate(things):
        count = len(thing.triangles)
        thing.slots, thing.slot_masks = (2, 3, 4), (index % 5, -1, (index + 2) % 5)
        # slot 3 does not exist: the last one counts
        thing.triangle_slots = generator.integers(0, 4, count)
        if index % 7 != 3:
            thing.uvs = generator.uniform(-3, 4, (count, 3, 2))
            thing.uvs[::3] = generator.integers(-1, 3, thing.uvs[::3].shape)
            thing.uvs[5::11, 1, 0] = np.nan if index % 7 == 5 else 0.0
    return masks(*images, extensions=extensions)


@pytest.mark.parametrize("projection", PROJECTIONS)
def test_rays_pass_through_holes(projection: str) -> None:
    generator = np.random.default_rng(5)
    things = [soup(generator, 30), cube("cube", translation(0.3, 0.2, -5) @ rotation(1, 0.7))]
    holes = _with_holes(things, generator)
    geometry = frame(1, camera(PROJECTIONS[projection]), things, holes)
    seen, solid = raster.draw(geometry), raster.draw(dataclasses.replace(geometry, holes=None))
    instance, triangle, depth = cast(geometry, *pixel_grid())
    # a ray may pass a texel's border on the other side than the pixel's sums
    same = (seen.instance.ravel() == instance) & (seen.triangle.ravel() == triangle)
    assert same.mean() > 0.997
    assert np.allclose(seen.depth.ravel()[same], depth[same], rtol=1e-9)
    assert (seen.depth != solid.depth).mean() > 0.1


def test_a_card_shows_what_its_mask_says() -> None:
    # an orthographic camera that sees one texel of an 8 x 8 mask on every pixel of a card, row 0 of the mask lowest
    image = np.random.default_rng(1).random((8, 8)) < 0.4
    card = plane("card", translation(0, 0, -5), 4.0)
    card.uvs = np.array([[[0, 0], [1, 0], [1, 1]], [[0, 0], [1, 1], [0, 1]]])
    card.slot_masks = (0,)
    behind = plane("behind", translation(0, 0, -9), 4.0)
    geometry = frame(1, camera(orthographic(WIDTH / 2)), [card, behind], masks(image))
    rows, columns = slice(HEIGHT // 2 - 4, HEIGHT // 2 + 4), slice(WIDTH // 2 - 4, WIDTH // 2 + 4)
    seen = raster.draw(geometry)
    assert np.array_equal(seen.instance[rows, columns][::-1] == 1, image)
    # and the card hides of a point behind what it does not let through
    x, y = (part.reshape(HEIGHT, WIDTH)[rows, columns].ravel() for part in pixel_grid())
    on_the_one_behind = np.ones(64, np.int32), np.zeros(64, np.int32)
    hidden = raster.hidden_points(geometry, x, y, np.full(64, 9.0), *on_the_one_behind)
    assert np.array_equal(~hidden.reshape(8, 8)[::-1], image)


@pytest.mark.parametrize("kind", ["ordinary", "degenerate", "on the grid"])
def test_masks_without_holes_change_nothing(kind: str) -> None:
    generator = np.random.default_rng(3)
    things = _soup_of(kind, generator)
    _with_holes(things, generator)
    whole = masks(*[np.zeros((4, 4), bool)] * 5)
    geometry = frame(1, camera(VIEWS["exactly on pixels"]), things, whole)
    with_masks, without = raster.draw(geometry), raster.draw(dataclasses.replace(geometry, holes=None))
    assert np.array_equal(with_masks.instance, without.instance)
    assert np.array_equal(with_masks.triangle, without.triangle)
    assert np.array_equal(with_masks.depth, without.depth)


KINDS = ("ordinary", "small", "degenerate", "huge", "on the grid", "closed")
VIEWS = PROJECTIONS | {"exactly on pixels": orthographic(WIDTH / 2)}


@pytest.mark.parametrize("holes", [False, True], ids=("solid", "holes"))
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("projection", VIEWS)
def test_nothing_that_is_skipped_would_have_been_drawn(projection: str, kind: str, holes: bool) -> None:
    generator = np.random.default_rng(11)
    things = _soup_of(kind, generator)
    given = _with_holes(things, generator) if holes else None
    for world in (np.eye(4), translation(0.3, -0.2, 0.5) @ rotation(1, 0.3)):
        geometry = frame(1, camera(VIEWS[projection], world), things, given)
        x, y = pixel_grid()
        instance = np.full(len(x), raster.BACKGROUND)
        triangle = np.full(len(x), -1)
        nearest = np.full(len(x), np.inf)
        for i, number, depth in depths(geometry, x, y):
            closer = depth < nearest
            instance[closer], triangle[closer], nearest[closer] = i, number, depth[closer]
        seen = raster.draw(geometry)
        assert np.array_equal(seen.depth.ravel(), nearest)
        assert np.array_equal(seen.instance.ravel(), instance)
        assert np.array_equal(seen.triangle.ravel(), triangle)
        assert (instance >= 0).sum() > 20
        assert len(np.unique(triangle)) > 3


@pytest.mark.parametrize("holes", [False, True], ids=("solid", "holes"))
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("projection", VIEWS)
def test_nothing_that_is_skipped_would_have_hidden_a_point(projection: str, kind: str, holes: bool) -> None:
    generator = np.random.default_rng(12)
    things = _soup_of(kind, generator)
    geometry = frame(1, camera(VIEWS[projection]), things, _with_holes(things, generator) if holes else None)
    count = 3000
    x = generator.uniform(-2.0, WIDTH + 1.0, count)
    y = generator.uniform(-2.0, HEIGHT + 1.0, count)
    # a third of the points lie on the borders of pixels, as near to them as numbers come
    border = np.arange(count) % 3 == 0
    x[border] = np.round(x[border]) + 0.5
    x[::6] = np.nextafter(x[::6], -1.0)
    y[1::9] = np.round(y[1::9]) - 0.5
    x[5::50] = np.nan

    # surfaces, the nearest ones and others, the background, and empty space before and behind them
    layers = [(i, number, depth) for i, number, depth in depths(geometry, x, y) if not np.isnan(depth).all()]
    instance = np.full(count, raster.BACKGROUND, np.int32)
    triangle = np.full(count, -1, np.int32)
    depth = np.full(count, np.inf)
    for i, number, surface in layers:
        here = (surface < depth) | (~np.isnan(surface) & (generator.random(count) < 0.1))
        instance[here], triangle[here], depth[here] = i, number, surface[here]
    sky = generator.random(count) < 0.2
    instance[sky], triangle[sky], depth[sky] = raster.BACKGROUND, -1, np.inf
    depth[::7] *= generator.choice([0.99, 1.0 - 2e-7, 1.0 - 1e-8, 1.0 + 1e-8, 1.0 + 2e-7, 1.01], len(depth[::7]))

    inside = (x >= -0.5) & (x < WIDTH - 0.5) & (y >= -0.5) & (y < HEIGHT - 0.5)
    inside &= (instance == raster.BACKGROUND) | ((depth >= 0.1) & (depth <= 100.0))
    expected = ~inside
    for i, number, surface in layers:
        expected |= (surface < depth * (1.0 - SAME_DEPTH)) & ~((instance == i) & (triangle == number))
    hidden = raster.hidden_points(geometry, x, y, depth, instance, triangle)
    assert np.array_equal(hidden, expected)
    assert 10 < (expected & inside).sum() < inside.sum() - 100


@pytest.mark.parametrize("projection", VIEWS)
def test_triangles_much_smaller_than_pixels_hide_what_lies_on_their_corners_and_edges(projection: str) -> None:
    generator = np.random.default_rng(14)
    count = 300
    thing = soup(generator, count, "dust", depth=-8.0)
    corners = thing.vertices.reshape(-1, 3, 3)
    sizes = 10.0 ** generator.uniform(-6, -0.5, (count, 1, 1))
    corners[:, 1:] = corners[:, :1] + generator.normal(0, 1, (count, 2, 3)) * sizes
    # needles: the box around them says little
    corners[::3, 2] = corners[::3, 1] + 0.01 * (corners[::3, 1] - corners[::3, 0]) * generator.normal(0, 1, (100, 3))
    geometry = frame(1, camera(VIEWS[projection]), [thing])
    local = geometry.vertices.astype(np.float64)[geometry.triangles]
    pixels = np.einsum("ij,nkj->nki", geometry.instance_pixel_matrices()[0], np.insert(local, 3, 1.0, axis=2))
    places = pixels[..., :2] / pixels[..., 3:]
    # corners, points of edges, points inside, and the same a little outside
    shares = np.concatenate([np.eye(3), np.eye(3), generator.dirichlet((1, 1, 1), 6)])
    shares[3:6] = 0.5 * (1.0 - np.eye(3))
    x, y = np.einsum("sk,nkc->nsc", shares, places).reshape(-1, 2).T
    x = np.concatenate([x, x + generator.choice([1e-13, -1e-13, 1e-9, -1e-9, 1e-3, -1e-3], len(x))])
    y = np.concatenate([y, y])
    depth = generator.choice([7.9, 8.0, 8.1, np.inf], len(x))
    nothing = np.full(len(x), -1, np.int32)
    inside = (x >= -0.5) & (x < WIDTH - 0.5) & (y >= -0.5) & (y < HEIGHT - 0.5)
    expected = ~inside
    for _, _, surface in depths(geometry, x, y):
        expected |= surface < depth * (1.0 - SAME_DEPTH)
    assert np.array_equal(raster.hidden_points(geometry, x, y, depth, nothing, nothing), expected)
    assert 300 < (expected & inside).sum() < inside.sum() - 300


def test_instances_of_one_mesh_are_drawn_and_hide_wherever_they_stand() -> None:
    generator = np.random.default_rng(13)
    things = _shuffled_cubes(generator)
    alone = frame(1, camera(PROJECTIONS["perspective"]), things)
    shared = dataclasses.replace(
        frame(1, alone.camera, [cube("mesh", np.eye(4))]),
        keys=alone.keys,
        mesh=np.zeros(len(things), np.int32),
        matrices=alone.matrices,
    )
    one, other = raster.draw(alone), raster.draw(shared)
    assert np.array_equal(one.instance, other.instance)
    assert np.array_equal(one.depth, other.depth)
    assert len(np.unique(one.instance)) > 8
    x, y = pixel_grid()
    points = (x, y, one.depth.ravel() * 1.5, one.instance.ravel(), one.triangle.ravel())
    hidden = raster.hidden_points(shared, *points)
    assert np.array_equal(raster.hidden_points(alone, *points), hidden)
    assert 0.1 < hidden.mean() < 0.95


def test_no_points_give_no_answers() -> None:
    geometry = frame(1, camera(perspective(1.0)), [cube("cube", translation(0, 0, -4))])
    none, names = np.empty(0), np.empty(0, np.int32)
    assert raster.hidden_points(geometry, none, none, none, names, names).shape == (0,)
