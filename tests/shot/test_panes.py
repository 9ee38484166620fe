from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from animerun_gen.motion import raster
from animerun_gen.motion.geometry import Camera, FrameGeometry
from animerun_gen.shot.panes import Clear, PaneFinder, Verdict, without
from tests.motion.synthetic import (
    Thing,
    camera,
    cube,
    frame,
    masks,
    orthographic,
    perspective,
    plane,
    rotation,
    soup,
    translation,
)

STILL = camera(perspective(1.5))
GLASS = 7
BOX = cube("box", translation(0, 0, -6))
FLOOR = plane("floor", translation(0, -2, -8) @ rotation(0, -1.4), 8.0)


def glass(key: str, matrix: np.ndarray, half: float = 1.0) -> Thing:
    return replace(plane(key, matrix, half), slots=(GLASS,))


def find(*frames: FrameGeometry, always: bool = True, families: dict[int, set[str]] | None = None) -> PaneFinder:
    finder = PaneFinder({GLASS: Clear(always)}, families or {})
    for geometry in frames:
        finder.look(geometry)
    return finder


def verdict(*things: Thing, always: bool = True, families: dict[int, set[str]] | None = None) -> Verdict:
    return find(frame(1, STILL, things), always=always, families=families).verdicts()[GLASS]


@pytest.mark.parametrize("always", [True, False])
@pytest.mark.parametrize("seen_by", [STILL, camera(orthographic(3.0))], ids=["perspective", "orthographic"])
def test_a_pane_right_before_the_camera_is_one_and_the_picture_is_that_without_it(
    seen_by: Camera, always: bool
) -> None:
    pane = glass("pane", translation(0, 0, -0.5), 4.0)
    finder = find(frame(1, seen_by, [BOX, FLOOR, pane]), always=always)
    found = finder.verdicts()[GLASS]
    assert (found.kind, found.covers, found.worn_by) == ("pane", 1.0, (3,))
    assert set(found.before) == {1, 2}
    alone = find(frame(1, seen_by, [BOX, FLOOR])).contents([])
    assert finder.contents([GLASS]) == alone
    assert alone[0].object in ("1", "2")
    assert alone[0].surfaces < 1.0
    # as a drawing shows it
    (solid,) = finder.contents([])
    assert (solid.surfaces, solid.largest, solid.object, solid.material) == (1.0, 1.0, "3", str(GLASS))


def test_what_is_nearer_beside_a_pane_does_not_save_it_if_it_is_of_the_same_thing() -> None:
    # a dashboard below a windscreen, or somebody before a window
    board = plane("board", translation(0, -0.35, -0.4), 0.25)
    things = (BOX, FLOOR, glass("screen", translation(0, 0, -0.6), 4.0), board)
    car = {3: {"car"}, 4: {"car", "board"}}
    assert verdict(*things, families=car).kind == "pane"
    assert verdict(*things, families={}).kind == ""


@pytest.mark.parametrize(
    ("why", "pane"),
    [
        ("it covers little", glass("pane", translation(0.3, 0.2, -1.5), 0.4)),
        (
            "it reaches as far as what lies under it",
            glass("water", translation(0, -1.2, -8) @ rotation(0, -1.45), 9.0),
        ),
        ("things lie before it", glass("backdrop", translation(0, 0, -7.5), 20.0)),
    ],
)
def test_other_clear_surfaces_stay(why: str, pane: Thing) -> None:
    found = verdict(BOX, FLOOR, pane)
    assert found.kind == "", why
    assert found.covers > 0.0


def test_what_lies_behind_a_pane_is_judged_as_if_the_pane_were_not_there() -> None:
    other = GLASS + 1
    pane = glass("pane", translation(0, 0, -0.5), 4.0)
    second = replace(glass("second", translation(0, 0, -0.8), 4.0), slots=(other,))
    lens = replace(glass("lens", translation(0.2, 0.1, -4.8), 0.5), slots=(other + 1,))
    finder = PaneFinder(dict.fromkeys((GLASS, other, other + 1), Clear()), {1: {"head"}, 5: {"head"}})
    finder.look(frame(1, STILL, [BOX, FLOOR, pane, second, lens]))
    found = finder.verdicts()
    assert [found[number].kind for number in (GLASS, other, other + 1)] == ["pane", "pane", "glasses"]
    # a pane that is left is seen, whatever lies behind it
    assert finder.contents([GLASS])[0].object == "4"
    assert finder.contents([GLASS, other, other + 1]) == find(frame(1, STILL, [BOX, FLOOR])).contents([])


def test_a_pane_with_nothing_behind_it_stays() -> None:
    found = verdict(glass("pane", translation(0, 0, -0.5), 4.0))
    assert (found.kind, found.before) == ("", ())
    # nothing but a speck
    speck = plane("speck", translation(0, 0, -6), 0.05)
    assert verdict(speck, glass("pane", translation(0, 0, -0.5), 4.0)).kind == ""


def test_a_pane_in_most_of_the_frames_that_show_it_is_one() -> None:
    pane = glass("pane", translation(0, 0, -0.5), 4.0)
    aside = glass("pane", translation(0.6, 0, -0.8), 0.4)
    geometry = [frame(number, STILL, [BOX, FLOOR, pane if number % 3 else aside]) for number in range(6)]
    assert find(*geometry).verdicts()[GLASS].kind == "pane"
    geometry = [frame(number, STILL, [BOX, FLOOR, aside if number % 3 else pane]) for number in range(6)]
    assert find(*geometry).verdicts()[GLASS].kind == ""


FAMILY = {1: {"head"}, 2: {"floor"}, 3: {"head", "spectacles"}}


@pytest.mark.parametrize(
    ("gap", "always", "families", "kind"),
    [
        (0.2, True, FAMILY, "glasses"),
        # as an aquarium, a window, and eyelids that fade
        (2.0, True, FAMILY, ""),
        (0.2, True, {1: {"head"}, 2: {"floor"}, 3: {"spectacles"}}, ""),
        (0.2, True, None, ""),
        (0.2, False, FAMILY, ""),
    ],
)
def test_glasses_lie_close_before_what_they_belong_to(
    gap: float, always: bool, families: dict[int, set[str]] | None, kind: str
) -> None:
    lens = glass("lens", translation(0.2, 0.1, -5 + gap), 0.5)
    found = verdict(BOX, FLOOR, lens, always=always, families=families)
    assert (found.kind, found.worn_by[0], found.before[0]) == (kind, 3, 1)


def test_glass_before_the_glass_of_the_same_object_alone_is_no_pair_of_glasses() -> None:
    # a bottle: nothing opaque in it
    bottle = replace(cube("bottle", translation(0.2, 0.1, -3) @ np.diag([0.3, 0.3, 0.3, 1.0])), slots=(GLASS,))
    assert verdict(BOX, FLOOR, bottle, families={1: {"box"}, 2: {"floor"}, 3: {"bottle"}}).kind == ""


@pytest.mark.parametrize("seed", range(6))
def test_a_frame_without_materials_shows_what_it_shows_without_their_faces(seed: int) -> None:
    generator = np.random.default_rng(seed)
    things, kept = [], []
    for number in range(4):
        thing = soup(generator, 12, f"soup {number}")
        slots = generator.integers(0, 3, len(thing.triangles))
        thing = replace(thing, slots=(2, GLASS, 8), triangle_slots=slots)
        gone = (slots == 1) | ((slots == 2) & (seed % 2 == 0))
        things.append(thing)
        kept.append(replace(thing, triangles=thing.triangles[~gone], triangle_slots=slots[~gone]))
    removed = [GLASS, 8] if seed % 2 == 0 else [GLASS]
    with_holes = None
    if seed >= 3:
        # holes that are there already stay
        image = generator.random((3, 4)) < 0.4
        with_holes = masks(image)
        for group in (things, kept):
            for place, thing in enumerate(group):
                uvs = np.zeros((len(thing.triangles), 3, 2), np.float32)
                uvs[:] = [[0.1, 0.1], [0.9, 0.2], [0.4, 0.8]]
                group[place] = replace(thing, uvs=uvs, slot_masks=(0, -1, -1)) if place % 2 else thing
    one = raster.draw(without(frame(1, STILL, things, with_holes), removed))
    other = raster.draw(frame(1, STILL, kept, with_holes))
    assert np.array_equal(one.depth, other.depth)
    assert np.array_equal(one.instance, other.instance)


def test_a_frame_without_the_materials_is_left_as_it_is() -> None:
    geometry = frame(1, STILL, [BOX, FLOOR])
    assert without(geometry, [GLASS]) is geometry
    assert find(geometry).verdicts() == {}
    assert find(frame(1, STILL, [])).contents([])[0].surfaces == 0.0
