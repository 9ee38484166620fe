from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from skimage.metrics import adapted_rand_error

from animerun_gen.labels import trapped_ball_segments
from animerun_gen.labels.generated_line_art import GeneratedLineArt, Shapes, generate_line_art

Picture = npt.NDArray[np.uint8]


def paper(height: int, width: int) -> Picture:
    return np.full((height, width), 255, np.uint8)


def rand_error(art: GeneratedLineArt, segments: npt.NDArray[np.int32]) -> float:
    seen = art.truth > 0
    return float(adapted_rand_error(art.truth[seen], segments[seen] + 1)[0])  # type: ignore[no-untyped-call]


def same_partition(one: npt.NDArray[Any], other: npt.NDArray[Any]) -> bool:
    pairs = np.unique(np.stack([one.ravel(), other.ravel()]), axis=1)
    return bool(len(np.unique(pairs[0])) == len(np.unique(pairs[1])) == pairs.shape[1])


@st.composite
def pictures(draw: st.DrawFn) -> Picture:
    """From specks to strokes, in any of which a region may or may not fit."""
    height, width = draw(st.integers(1, 40)), draw(st.integers(1, 40))
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    picture = paper(height, width)
    picture[random.random(picture.shape) < draw(st.sampled_from([0, 0.02, 0.1, 0.2, 0.3, 0.9, 1]))] = 0
    for _ in range(draw(st.integers(0, 6))):
        ends = random.integers(0, 40, (2, 2)).tolist()
        cv2.line(picture, ends[0], ends[1], (0,), draw(st.integers(1, 4)))
    return picture


@given(pictures(), st.integers(1, 6))
def test_labels_are_contiguous_and_numbered_by_their_first_pixels(picture: Picture, ball_radius: int) -> None:
    before = picture.copy()
    segments = trapped_ball_segments(picture, ball_radius)
    assert segments.dtype == np.int32
    assert segments.shape == picture.shape
    labels, first = np.unique(segments, return_index=True)
    assert labels.tolist() == list(range(len(labels)))
    assert first.tolist() == sorted(first)
    assert np.array_equal(picture, before)


@given(pictures(), st.integers(1, 6))
def test_kept_lines_are_label_0_and_change_nothing_else(picture: Picture, ball_radius: int) -> None:
    segments = trapped_ball_segments(picture, ball_radius)
    kept = trapped_ball_segments(picture, ball_radius, keep_lines=True)
    assert np.array_equal(kept == 0, picture == 0)
    assert same_partition(segments[kept > 0], kept[kept > 0])
    labels, first = np.unique(kept[kept > 0], return_index=True)
    assert labels.tolist() == list(range(1, len(labels) + 1))
    assert first.tolist() == sorted(first)


def assert_closed_lines_hold(picture: Picture) -> None:
    """Every closed piece of paper with room for a region keeps its pixels to itself."""
    kept = trapped_ball_segments(picture, keep_lines=True)
    count, pieces = cv2.connectedComponents((picture > 0).view(np.uint8), connectivity=4)
    room = cv2.erode(picture, np.ones((3, 3), np.uint8), borderType=cv2.BORDER_CONSTANT, borderValue=(0,)) > 0
    labels_of = [set(kept[pieces == piece].tolist()) for piece in range(1, count) if room[pieces == piece].any()]
    assert sum(len(labels) for labels in labels_of) == len(set().union(*labels_of))


@given(pictures())
def test_no_region_reaches_through_a_closed_line(picture: Picture) -> None:
    assert_closed_lines_hold(picture)


def test_enclosed_specks_between_two_regions_open_no_way() -> None:
    random = np.random.default_rng(2)
    for density in np.repeat([0.1, 0.2, 0.3], 100):
        picture = paper(*random.integers(6, 40, 2))
        picture[random.random(picture.shape) < density] = 0
        assert_closed_lines_hold(picture)


@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (9, 1), (2, 2), (3, 3), (50, 70)])
@pytest.mark.parametrize("color", [0, 255])
def test_a_picture_of_one_color_is_one_segment(shape: tuple[int, int], color: int) -> None:
    picture = np.full(shape, color, np.uint8)
    assert not trapped_ball_segments(picture).any()
    assert np.all(trapped_ball_segments(picture, keep_lines=True) == (color > 0))


@pytest.mark.parametrize("thickness", [1, 2, 4])
@pytest.mark.parametrize("regions", [20, 100])
def test_closed_cells_are_their_regions_exactly(regions: int, thickness: int) -> None:
    art = generate_line_art("convex", regions, seed=regions, thickness=thickness, width=400, height=300)
    segments = trapped_ball_segments(art.line_art)
    assert same_partition(segments[art.truth > 0], art.truth[art.truth > 0])
    # Line pixels belong to a region that is as near as the line is thick.
    lines = art.line_art == 0
    for label in range(segments.max() + 1):
        far = cv2.distanceTransform(((segments != label) | lines).view(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
        assert far[(segments == label) & lines].max(initial=0) <= 2 * thickness


@pytest.mark.parametrize(
    ("shapes", "regions", "gap_radius", "largest_error", "count_tolerance"),
    [
        ("convex", 100, 3, 0.005, 0.05),
        ("convex", 300, 3, 0.005, 0.05),
        ("convex", 800, 3, 0.02, 0.1),
        ("curved", 100, 2, 0.005, 0.05),
        ("curved", 300, 3, 0.005, 0.05),
        ("curved", 800, 2, 0.02, 0.1),
        # Where shapes overlap, what is a gap and what a strait between two shapes is anyone's guess at times.
        ("overlapping", 60, 3, 0.05, 0.05),
    ],
)
def test_broken_lines_neither_leak_nor_shatter(
    shapes: Shapes, regions: int, gap_radius: int, largest_error: float, count_tolerance: float
) -> None:
    art = generate_line_art(shapes, regions, seed=7, gap_radius=gap_radius, thickness=1 + regions % 7 % 3)
    segments = trapped_ball_segments(art.line_art)
    assert rand_error(art, segments) <= largest_error
    assert abs((segments.max() + 1) / art.region_count - 1) <= count_tolerance


@pytest.mark.parametrize(("thickness", "threshold"), [(1, 192), (2, 128), (3, 128), (4, 128)])
def test_soft_lines_are_as_good_as_hard_ones(thickness: int, threshold: int) -> None:
    """A soft line of one pixel is only half dark where it runs between two rows of pixels."""
    art = generate_line_art(
        "curved", 40, seed=8, gap_radius=3, thickness=thickness, style="soft", width=480, height=270
    )
    segments = trapped_ball_segments(art.line_art, threshold=threshold)
    assert rand_error(art, segments) <= 0.005
    assert segments.max() + 1 == art.region_count


@pytest.mark.parametrize("ball_radius", [1, 2, 3, 6])
@pytest.mark.parametrize("thickness", [1, 2, 3, 4])
@pytest.mark.parametrize("slant", [0, 0.4, 1])
def test_a_gap_up_to_the_diameter_of_the_ball_does_not_leak(ball_radius: int, thickness: int, slant: float) -> None:
    height, width = 90, 120
    y, x = np.mgrid[:height, :width]
    along, across = (x - 60) * slant + (y - 45), (x - 60) - (y - 45) * slant
    length = np.hypot(1, slant)
    wall = np.abs(across) / length < thickness / 2 + 0.2
    halves = across[~wall] > 0
    closed_to = np.abs(along) / length <= (2 * ball_radius + 1) / 2
    picture = np.where(wall & ~closed_to, 0, 255).astype(np.uint8)
    segments = trapped_ball_segments(picture, ball_radius)
    assert segments.max() == 1
    # They part in the gap: what a half gets of the other one is less than a ball.
    mistaken = min(np.sum(segments[~wall] != halves), np.sum(segments[~wall] == halves))
    assert mistaken <= np.pi * (ball_radius + 1) ** 2

    open_to = np.abs(along) / length <= 2 * ball_radius + 4
    assert trapped_ball_segments(np.where(wall & ~open_to, 0, 255).astype(np.uint8), ball_radius).max() == 0


@pytest.mark.parametrize("ball_radius", [2, 3, 4])
@pytest.mark.parametrize("thickness", [1, 2])
def test_a_gap_where_three_lines_meet_neither_leaks_nor_becomes_a_region(ball_radius: int, thickness: int) -> None:
    for turn in range(0, 120, 7):
        picture = paper(101, 101)
        for degrees in (turn, turn + 120, turn + 240):
            end = (round(50 + 80 * np.cos(np.radians(degrees))), round(50 + 80 * np.sin(np.radians(degrees))))
            cv2.line(picture, (50, 50), end, (0,), thickness)
        cv2.circle(picture, (50, 50), ball_radius, (255,), cv2.FILLED)
        assert trapped_ball_segments(picture, ball_radius).max() == 2, turn


def test_a_neck_does_not_part_a_region() -> None:
    """As narrow as a gap that would part it, yet widening slowly instead of all at once."""
    y, x = np.mgrid[:90, :160] - np.array([45, 80])[:, None, None]
    inside = (np.abs(y) <= 3 + x**2 / 60) & (np.abs(x) <= 45)
    outline = inside & (cv2.erode(inside.view(np.uint8), np.ones((3, 3), np.uint8)) == 0)
    segments = trapped_ball_segments(np.where(outline, 0, 255).astype(np.uint8))
    assert len(np.unique(segments[inside & ~outline])) == 1


@pytest.mark.parametrize("thickness", [1, 2, 3])
@pytest.mark.parametrize("strait", [3, 4, 5, 6, 7])
def test_straits_between_round_shapes_do_not_part_the_ground(strait: int, thickness: int) -> None:
    """A row of discs from one border of the picture to the other, as of figures in front of a background."""
    picture = paper(260, 160)
    radius, top = 26, -20
    discs = 0
    while top < 260:
        centre = (80 + 3 * (discs % 2), top + radius)
        cv2.circle(picture, centre, radius, (0,), cv2.FILLED)
        cv2.circle(picture, centre, radius - thickness, (255,), cv2.FILLED)
        top += 2 * radius + 1 + strait
        discs += 1
    segments = trapped_ball_segments(picture)
    assert segments[130, 5] == segments[130, 155]
    assert segments.max() == discs


def test_windows_do_not_cut_a_wall_into_storeys() -> None:
    picture = paper(120, 150)
    cv2.rectangle(picture, (20, 10), (130, 110), (0,), 1)
    for row in (20, 50, 80):
        for column in range(26, 120, 21):
            cv2.rectangle(picture, (column, row), (column + 15, row + 20), (0,), 1)
    segments = trapped_ball_segments(picture)
    wall = {int(segments[row, column]) for row in (15, 45, 75, 105) for column in range(25, 126)}
    assert len(wall) == 1
    assert segments.max() + 1 == 1 + 1 + 3 * 5


def test_an_acute_corner_belongs_to_its_region() -> None:
    picture = paper(120, 200)
    cv2.polylines(picture, [np.array([[10, 60], [190, 30], [190, 90]])], True, (0,), 1)
    segments = trapped_ball_segments(picture)
    assert segments.max() == 1
    assert segments[60, 20] == segments[60, 150] != segments[10, 10]


def test_a_strip_as_wide_as_the_ball_is_one_region_despite_its_unevenness() -> None:
    for slope in (0.05, 0.21, 0.37):
        y, x = np.mgrid[:120, :200]
        picture = paper(120, 200)
        for offset in (20, 29):
            picture[np.abs(y - offset - slope * x) < 0.6] = 0
        assert trapped_ball_segments(picture).max() == 2, slope


def test_a_bite_out_of_a_thick_line_is_no_region() -> None:
    picture = paper(60, 60)
    picture[:, 28:34] = 0
    cv2.circle(picture, (30, 30), 2, (255,), cv2.FILLED)
    segments = trapped_ball_segments(picture)
    assert segments.max() == 1
    assert segments[30, 30] == segments[30, 0]


def test_specks_enclosed_by_lines_go_to_the_nearest_region() -> None:
    picture = paper(40, 40)
    picture[:, 10:20] = 0
    picture[20:22, 11:18] = 255
    segments = trapped_ball_segments(picture)
    assert segments.max() == 1
    assert segments[20, 11] == segments[0, 0]
    assert segments[20, 17] == segments[0, 39]


@pytest.mark.parametrize("thickness", [1, 2])
def test_a_sliver_enclosed_by_lines_is_a_region_if_it_has_the_pixels_of_a_ball(thickness: int) -> None:
    picture = paper(60, 120)
    picture[20 : 20 + thickness + 2, 10:110] = 0
    # the largest ball has 38 pixels
    long, short = -(-39 // thickness), 37 // thickness
    picture[21 : 21 + thickness, 15 : 15 + long] = 255
    picture[21 : 21 + thickness, 60 : 60 + short] = 255
    segments = trapped_ball_segments(picture)
    assert segments.max() == 1
    assert (segments[21 : 21 + thickness, 15 : 15 + long] == 1).all()
    assert segments[21, 60] == segments[0, 0]


def test_a_room_for_the_smallest_ball_is_a_region() -> None:
    picture = paper(30, 30)
    picture[10:15, 10:15] = 0
    picture[11:14, 11:14] = 255
    assert trapped_ball_segments(picture).max() == 1
    picture[11, 11] = picture[13, 13] = 0
    assert trapped_ball_segments(picture).max() == 0


@pytest.mark.parametrize("regions", [30, 200])
def test_lines_of_all_colors_hold(regions: int) -> None:
    arguments: Any = {"regions": regions, "seed": 4, "gap_radius": 2, "width": 480, "height": 270}
    colored, black = generate_line_art("convex", style="colored", **arguments), generate_line_art("convex", **arguments)
    assert len(np.unique(colored.line_art.reshape(-1, 3), axis=0)) > regions // 2
    assert np.array_equal(trapped_ball_segments(colored.line_art), trapped_ball_segments(black.line_art))


@pytest.mark.parametrize("color", [(255, 255, 0), (0, 255, 255), (255, 0, 255), (180, 40, 40)])
def test_coloured_lines_count_like_black_ones(color: tuple[int, int, int]) -> None:
    art = generate_line_art("curved", 30, seed=3, gap_radius=2, width=320, height=240)
    coloured = np.where(art.line_art[..., None] < 128, np.array(color), 255).astype(np.uint8)
    assert np.array_equal(trapped_ball_segments(coloured), trapped_ball_segments(art.line_art))


@pytest.fixture
def threads() -> Iterator[None]:
    before = cv2.getNumThreads()
    yield
    cv2.setNumThreads(before)


@pytest.mark.usefixtures("threads")
def test_the_number_of_threads_changes_nothing() -> None:
    art = generate_line_art("overlapping", 300, seed=5, gap_radius=3, thickness=1)
    results = []
    for count in (1, 2, 7):
        cv2.setNumThreads(count)
        results.append(trapped_ball_segments(art.line_art))
    assert np.array_equal(results[0], results[1])
    assert np.array_equal(results[0], results[2])


def test_wrong_arguments_are_refused_in_words() -> None:
    with pytest.raises(ValueError, match="ball radius must be at least 1, not 0"):
        trapped_ball_segments(paper(4, 4), ball_radius=0)
    with pytest.raises(ValueError, match="line art must"):
        trapped_ball_segments(np.zeros((4, 4)))  # type: ignore[arg-type]
