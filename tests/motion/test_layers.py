"""Layers of a scene made by hand: a wall, a box before it, a box before that, and a beam that reaches through both."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations

import numpy as np
import pytest

from animerun_gen.dataset.layers import compose_layers
from animerun_gen.motion import raster
from animerun_gen.motion.amodal import depth_order, find_amodal
from animerun_gen.motion.companions import object_id_map
from animerun_gen.motion.flow import compute_motion
from animerun_gen.motion.geometry import FrameGeometry
from animerun_gen.motion.layers import SET, cel_colors, draw_layer, layer_map, put_together
from animerun_gen.motion.raster import BACKGROUND, VisibilityBuffer
from tests.motion.synthetic import Thing, camera, cube, frame, perspective, plane, rotation, translation

NAMES = ("set", "back", "front")
OF_INSTANCE = np.array([0, 1, 2, 0], np.uint8)
OBJECTS = {1: "wall", 2: "back box", 3: "front box", 4: "beam"}
BEAM = np.diag([4.0, 0.25, 0.25, 1.0])


def scene(number: int, *, without: tuple[str, ...] = ()) -> FrameGeometry:
    """Frame 0 or 1; both boxes move, the camera does not."""
    t = float(number)
    things = [
        plane("wall", translation(0, 0, -12), half=9.0),
        cube("back box", translation(-1.2 + 0.5 * t, 0.1, -7) @ rotation(1, 0.3 + 0.1 * t)),
        cube("front box", translation(0.1, -0.2 + 0.1 * t, -4) @ np.diag([0.7, 0.7, 0.7, 1.0])),
        cube("beam", translation(-0.9, 0.3, -7) @ rotation(1, 1.1) @ BEAM),
    ]
    return frame(number, camera(perspective(1.2)), [thing for thing in things if thing.key not in without])


def alone(geometry: FrameGeometry) -> list[VisibilityBuffer]:
    return [draw_layer(geometry, OF_INSTANCE, number) for number in range(len(NAMES))]


def painted(geometry: FrameGeometry, seen: VisibilityBuffer) -> np.ndarray:
    """Every object in a colour of its own, the background white."""
    colors = np.array([[255, 255, 255], [90, 20, 10], [10, 200, 30], [40, 50, 220], [250, 160, 0]], np.uint8)
    return colors[object_id_map(geometry, seen)]


def cels_of(geometry: FrameGeometry) -> list[np.ndarray]:
    return [
        np.dstack([painted(geometry, seen), np.where((seen.instance >= 0) | (number == SET), 255, 0)]).astype(np.uint8)
        for number, seen in enumerate(alone(geometry))
    ]


def test_a_layer_alone_is_the_frame_without_all_the_others() -> None:
    geometry = scene(0)
    only = scene(0, without=("wall", "front box", "beam"))
    expected, found = raster.draw(only), draw_layer(geometry, OF_INSTANCE, 1)
    assert np.array_equal(found.instance != BACKGROUND, expected.instance != BACKGROUND)
    assert np.array_equal(found.depth, expected.depth)
    assert np.array_equal(found.triangle, expected.triangle)
    # it keeps its number in the whole frame
    assert set(np.unique(found.instance)) == {BACKGROUND, 1}


def test_layers_put_together_are_the_frame_where_they_reach_through_each_other() -> None:
    geometry = scene(0)
    seen = raster.draw(geometry)
    shown = layer_map(seen, OF_INSTANCE)
    assert set(np.unique(shown)) == {0, 1, 2}
    cels = cels_of(geometry)
    expected = painted(geometry, seen)
    visible = [shown == number for number in range(len(NAMES))]
    assert np.array_equal(compose_layers(cels, visible), expected)
    assert np.array_equal(put_together([cel[..., :3] for cel in cels], shown), expected)
    # no order of whole cels gives that: the beam is of the set, and before a part of the one box
    for order in permutations(range(1, 3)):
        whole = compose_layers([cels[number] for number in (0, *order)])
        assert not np.array_equal(whole, expected)


def test_motion_of_what_is_hidden_is_that_of_the_film_without_what_hides_it() -> None:
    before, after = scene(0), scene(1)
    hidden = draw_layer(before, OF_INSTANCE, 1)
    found = compute_motion(before, hidden, after, "invalid")
    without = ("wall", "front box", "beam")
    alone_before, alone_after = scene(0, without=without), scene(1, without=without)
    expected = compute_motion(alone_before, raster.draw(alone_before), alone_after, "invalid")
    assert np.array_equal(found.valid, expected.valid)
    assert np.array_equal(found.flow, expected.flow)
    covered = (raster.draw(before).instance != hidden.instance) & found.valid
    assert covered.sum() > 20
    assert np.abs(found.flow[covered]).max() > 1.0
    # what of the layer is nothing has no motion
    assert not found.valid[hidden.instance == BACKGROUND].any()


def slow_masks(geometry: FrameGeometry) -> dict[int, np.ndarray]:
    """Depth of each object alone, from frames that have nothing else."""
    found = {}
    for number, name in OBJECTS.items():
        others = tuple(other for other in OBJECTS.values() if other != name)
        found[number] = raster.draw(scene(geometry.frame, without=others)).depth
    return found


@pytest.mark.parametrize("number", [0, 1])
def test_amodal_masks_and_occlusions_are_those_of_objects_drawn_one_by_one(number: int) -> None:
    geometry = scene(number)
    seen = raster.draw(geometry)
    found = find_amodal(geometry, seen, OF_INSTANCE, alone(geometry), NAMES, OBJECTS)
    depths = slow_masks(geometry)
    assert [each.id for each in found.objects] == sorted(OBJECTS)
    for each in found.objects:
        mask = np.isfinite(depths[each.id])
        assert np.array_equal(found.mask(each.id), mask)
        assert each.area == mask.sum()
        assert each.visible == (object_id_map(geometry, seen) == each.id).sum()
        rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
        assert each.box == (columns[0], rows[0], columns[-1] - columns[0] + 1, rows[-1] - rows[0] + 1)
        assert each.name == OBJECTS[each.id]
        assert each.layer == NAMES[OF_INSTANCE[each.id - 1]]
    pairs = {(each.front, each.behind): each.pixels for each in found.object_occlusions}
    expected = {
        (front, behind): int((depths[front] < depths[behind])[np.isfinite(depths[behind])].sum())
        for front, behind in permutations(OBJECTS, 2)
    }
    assert pairs == {pair: count for pair, count in expected.items() if count}
    assert expected[4, 2] > 0
    assert expected[2, 4] > 0


def test_order_is_exact_where_nothing_reaches_through() -> None:
    geometry = scene(0, without=("beam",))
    of_instance = OF_INSTANCE[:3]
    layers = [draw_layer(geometry, of_instance, number) for number in range(3)]
    found = find_amodal(geometry, raster.draw(geometry), of_instance, layers, NAMES, OBJECTS)
    assert found.order == NAMES
    assert found.order_is_exact
    whole = scene(0)
    assert not find_amodal(whole, raster.draw(whole), OF_INSTANCE, alone(whole), NAMES, OBJECTS).order_is_exact
    # numbers of layers say nothing about the order
    swapped = np.array([0, 2, 1], np.uint8)
    layers = [draw_layer(geometry, swapped, number) for number in range(3)]
    found = find_amodal(geometry, raster.draw(geometry), swapped, layers, ("set", "front", "back"), OBJECTS)
    assert found.order == ("set", "back", "front")
    assert {(each.front, each.behind) for each in found.layer_occlusions} == {
        ("back", "set"),
        ("front", "set"),
        ("front", "back"),
    }


def test_layers_in_a_ring_have_an_order_all_the_same() -> None:
    covers = {(1, 2): 5, (2, 3): 4, (3, 1): 3, (2, 1): 0, (3, 2): 0, (1, 3): 0}
    order = depth_order(covers | {(number, 0): 9 for number in (1, 2, 3)})
    assert order[0] == SET
    assert sorted(order) == [0, 1, 2, 3]


def test_what_was_covered_and_not_painted_takes_the_colour_beside_it() -> None:
    instance = np.full((4, 6), BACKGROUND, np.int32)
    instance[1:3, 1:3], instance[1:3, 3:5] = 0, 1
    seen = VisibilityBuffer(instance, np.zeros_like(instance), np.ones((4, 6)))
    colors = np.full((4, 6, 3), 7, np.uint8)
    colors[:, 1:3], colors[:, 3:5] = (10, 0, 0), (0, 20, 0)
    drawn = instance != BACKGROUND
    drawn[1, 2] = drawn[2, 3] = False
    colors[1, 2] = colors[2, 3] = 7
    # a pixel that was painted where the buffer has nothing is no part of the cel
    drawn[0, 0] = True
    found = cel_colors(colors, drawn, seen, (1, 2, 3))
    assert (found[1:3, 1:3] == (10, 0, 0)).all()
    assert (found[1:3, 3:5] == (0, 20, 0)).all()
    assert (found[instance == BACKGROUND] == (1, 2, 3)).all()


def test_each_group_alone_is_what_drawing_it_alone_gives() -> None:
    generator = np.random.default_rng(3)
    things = [
        cube(f"{n}", translation(x, y, -6) @ rotation(n % 3, 0.4 * n))
        for n, (x, y) in enumerate(generator.uniform(-2, 2, (6, 2)))
    ]
    # one that reaches behind the camera, one outside the picture
    things += [Thing("near", np.array([[-1, 0, 1], [1, 0, 1], [0, 0.5, -3.0]]), np.array([[0, 1, 2]]), np.eye(4))]
    things += [cube("away", translation(90, 0, -6))]
    geometry = frame(1, camera(perspective(1.2)), things)
    group = np.array([5, 0, 5, 2, 2, 0, 9, 7])
    found = raster.draw_each(geometry, group)
    assert sorted(found) == [0, 2, 5, 9]
    for number, part in found.items():
        expected = raster.draw(geometry, instances=group == number).depth
        whole = np.full_like(expected, np.inf)
        height, width = part.depth.shape
        whole[part.top : part.top + height, part.left : part.left + width] = part.depth
        assert np.array_equal(whole, expected)


def test_owners_are_not_lost_when_frames_share_arrays() -> None:
    geometry = replace(scene(0), owner_ids=np.array([4, 3, 2, 1], np.uint16))
    shared = geometry.sharing(scene(0))
    assert shared.owner_ids is not None
    assert shared.owner_ids.tolist() == [4, 3, 2, 1]
