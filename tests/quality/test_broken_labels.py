"""Labels of a generated scene, broken in every way that the project knows, in front of the quality gate."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest

from animerun_gen.config.model import Quality
from animerun_gen.motion import raster
from animerun_gen.motion.companions import material_id_map
from animerun_gen.motion.flow import compute_motion, exact_occlusion
from animerun_gen.motion.geometry import FrameGeometry
from animerun_gen.quality.agreement import label_picture_agreement
from animerun_gen.quality.breakages import BREAKAGES, Breakage, PairLabels, PairPictures, figures_of
from animerun_gen.quality.gate import Thresholds, judge, summarise
from animerun_gen.quality.identity import NO_PLACE, STEPS
from tests.motion.synthetic import camera, cube, frame, perspective, plane, rotation, translation

WIDTH, HEIGHT = 240, 160
BARS = Thresholds.of(Quality())
WITHIN_REACH = [breakage for breakage in BREAKAGES if breakage.within_reach]


@dataclass(frozen=True)
class Clip:
    """Three frames: what is drawn, what the geometry says is there, and the labels of the two pairs."""

    pictures: list[np.ndarray]
    identities: list[np.ndarray]
    material_ids: list[np.ndarray]
    colors: dict[int, tuple[int, int, int]]
    pairs: list[PairLabels]

    @property
    def shown(self) -> PairPictures:
        """What the first pair shows."""
        flats = (self.pictures[0], self.pictures[1])
        return PairPictures(flats, flats, (self.identities[0], self.identities[1]))

    def broken(self, breakage: Breakage | None, with_exact: bool = True) -> dict[str, Any]:
        """The figures of the first pair."""
        right, following = self.pairs
        labels = breakage.apply(right, following, self.shown) if breakage else right
        if not with_exact:
            labels = replace(labels, exact_occlusion={})
        return {"source": 1, "target": 2} | figures_of(labels, self.shown)


def geometry_of(number: int) -> FrameGeometry:
    """A wall of patches with four boxes before it; the boxes fly and turn, and the camera follows slowly."""
    generator = np.random.default_rng(2)
    things = [plane("wall", translation(0, 0, -14), 40.0)]
    for i in range(60):
        x, y, turn, size = generator.uniform([-9, -6, 0, 0.3], [9, 6, 3, 0.9])
        things.append(plane(f"patch {i}", translation(x, y, -13.9 + 0.01 * i) @ rotation(2, turn), size))
    for i, (x, y, z) in enumerate([(-2.0, 0.8, -7), (1.8, 1.0, -6), (0.2, -1.2, -8), (2.2, -1.4, -9)]):
        flight = translation(x + 0.13 * number * (-1) ** i, y + 0.09 * number, z + 0.06 * number)
        things.append(cube(f"box {i}", flight @ rotation(1, 0.4 + 0.05 * number) @ rotation(0, 0.3 * i)))
    view = translation(0.2 * number, -0.08 * number, 0.1 * number) @ rotation(2, 0.02 * number)
    seen_by = replace(camera(perspective(1.2), view), width=WIDTH, height=HEIGHT)
    for i, thing in enumerate(things):
        # the faces of a box have three colours
        thing.slots = (3 * i + 2, 3 * i + 3, 3 * i + 4)
        thing.triangle_slots = np.arange(len(thing.triangles)) // 2 % 3
    return frame(number, seen_by, things)


def identity_picture(geometry: FrameGeometry, seen: raster.VisibilityBuffer) -> np.ndarray:
    """The places of what is seen within their meshes, which move without bending: found from the depth alone."""
    x, y = np.meshgrid(np.arange(WIDTH), np.arange(HEIGHT))
    depth = np.where(seen.instance == raster.BACKGROUND, 1.0, seen.depth)
    pixels = np.stack([x * depth, y * depth, depth, np.ones_like(depth)], axis=-1)
    # a pixel's ray, to the depth that was seen
    rows = geometry.camera.pixel_matrix()[[0, 1, 3]]
    homogeneous = np.vstack([rows, [0.0, 0.0, 0.0, 1.0]])
    points = pixels @ np.linalg.inv(homogeneous).T
    picture = np.full((HEIGHT, WIDTH, 3), NO_PLACE, np.uint16)
    for number, matrix in enumerate(geometry.matrices):
        there = seen.instance == number
        within = (points[there] @ np.linalg.inv(matrix).T)[:, :3]
        vertices = geometry.mesh_vertices(int(geometry.mesh[number]))
        size = np.ptp(vertices, axis=0).max()
        picture[there] = np.round(STEPS * (0.5 + 0.7 * (within - vertices.mean(axis=0)) / size))
    return picture


@pytest.fixture(scope="module")
def clip() -> Clip:
    frames = [geometry_of(number) for number in range(3)]
    seen = [raster.draw(one) for one in frames]
    ids = [material_id_map(*both) for both in zip(frames, seen, strict=True)]
    palette = np.random.default_rng(1).integers(0, 256, (400, 3)).astype(np.uint8)
    pairs = []
    for first in range(2):
        flow, hidden = {}, {}
        for direction, source, target in (("forward", first, first + 1), ("backward", first + 1, first)):
            motion = compute_motion(frames[source], seen[source], frames[target])
            flow[direction] = motion.flow
            hidden[direction] = exact_occlusion(motion, frames[target])
        pairs.append(PairLabels(flow, hidden))
    colors = {number: tuple(int(value) for value in color) for number, color in enumerate(palette)}
    identities = [identity_picture(*both) for both in zip(frames, seen, strict=True)]
    return Clip([palette[one] for one in ids], identities, ids, colors, pairs)  # type: ignore[arg-type]


def test_intact_labels_pass_and_every_figure_is_judged(clip: Clip) -> None:
    pair = clip.broken(None)
    assert judge([], [pair], BARS) == []
    # flow is held against depth and cameras where it is made, and nowhere else
    assert summarise([], [pair])["not_judged"] == {"reprojection": 2}
    # a scene in which something can go wrong
    assert pair["forward"]["motion_median"] > 1
    assert 0.01 < pair["forward"]["exact_occluded_share"] < 0.2
    assert judge([], [clip.broken(None, with_exact=False)], BARS) == []


@pytest.mark.parametrize("breakage", WITHIN_REACH, ids=lambda breakage: breakage.name)
def test_broken_labels_fail_and_the_message_names_them(clip: Clip, breakage: Breakage) -> None:
    failures = judge([], [clip.broken(breakage)], BARS)
    assert failures
    assert all(failure["message"].startswith("pair 1-2 ") for failure in failures)


@pytest.mark.parametrize("breakage", WITHIN_REACH, ids=lambda breakage: breakage.name)
def test_broken_labels_fail_without_exact_occlusion_too(clip: Clip, breakage: Breakage) -> None:
    assert judge([], [clip.broken(breakage, with_exact=False)], BARS)


def test_opposite_shifts_leave_the_round_trip_and_are_told_by_the_shift(clip: Clip) -> None:
    breakage = next(one for one in BREAKAGES if "(1, 0) and (-1, 0)" in one.name)
    pair = clip.broken(breakage)
    assert pair["forward"]["round_trip_median"] < 0.05
    assert pair["forward"]["best_shift"] == [-1, 0]
    assert pair["backward"]["best_shift"] == [1, 0]


def test_renumbered_surfaces_show_in_no_colour_and_are_told_by_their_places(clip: Clip) -> None:
    breakage = next(one for one in BREAKAGES if "renumbered" in one.name)
    failures = judge([], [clip.broken(breakage)], BARS)
    assert {failure["figure"] for failure in failures} == {"identity_error"}
    assert {failure["direction"] for failure in failures} == {"forward", "backward"}
    # and are not broken at all where nothing could tell
    unsampled = replace(clip.shown, identities=None)
    assert breakage.apply(clip.pairs[0], clip.pairs[1], unsampled) is clip.pairs[0]


def test_ids_of_the_frame_before_fail(clip: Clip) -> None:
    for picture, before, there in zip(clip.pictures[1:], clip.material_ids, clip.material_ids[1:], strict=False):
        for ids, good in ((there, True), (before, False)):
            agreement = label_picture_agreement(picture, ids, clip.colors)
            figures = {"frame": 7, "agreement": agreement.share, "agreement_odd": agreement.odd}
            failures = judge([figures], [], BARS)
            assert agreement.compared == 1
            assert (failures == []) == good


def test_the_broken_labels_are_broken_and_the_right_ones_left_alone(clip: Clip) -> None:
    before = {direction: flow.copy() for direction, flow in clip.pairs[0].flow.items()}
    for breakage in BREAKAGES:
        broken = breakage.apply(clip.pairs[0], clip.pairs[1], clip.shown)
        assert any((broken.flow[direction] != flow).any() for direction, flow in before.items())
        assert all(flow.dtype == np.float32 for flow in broken.flow.values())
    assert all((clip.pairs[0].flow[direction] == flow).all() for direction, flow in before.items())
