from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from animerun_gen.dataset import ClipFiles, ClipWriter, ColorTable, layout
from animerun_gen.dataset.files import write_image
from animerun_gen.errors import DatasetError
from animerun_gen.labels import line_area, match_regions, occlusion_mask, trapped_ball_segments
from animerun_gen.pipeline.state.figures import collect_quality, read_cross_checks, read_figures, write_figures
from animerun_gen.pipeline.state.ledger import open_ledger
from animerun_gen.pipeline.tasks.label_files import PairReader, colors_at, repainted_pixels
from tests.pipeline.datasets import make, make_cut
from tests.pipeline.fake_engine import FakeEngine


def test_labels_are_those_of_the_functions_with_the_settings_of_the_cut(tmp_path: Path) -> None:
    settings = {"occlusion_threshold": 0.25, "line_distance": 3.0, "line_threshold": 200, "ball_radius": 1}
    make(make_cut(tmp_path, {"labels": settings}), tmp_path / "out", FakeEngine())
    clip = ClipFiles(tmp_path / "out", "train", "square")
    contours = {frame: clip.read("contour", frame) for frame in (2, 3)}
    segments = {
        frame: trapped_ball_segments(contour, ball_radius=1, threshold=200) for frame, contour in contours.items()
    }
    np.testing.assert_array_equal(clip.read("segment", 2), segments[2])
    near = line_area(contours[2], distance=3.0, threshold=200)
    assert 0 < near.sum() < near.size
    np.testing.assert_array_equal(clip.read("line_area", 2), near)
    forward, backward = clip.read("flow_forward", 2), clip.read("flow_backward", 3)
    occluded = occlusion_mask(forward, backward, 0.25)
    np.testing.assert_array_equal(clip.read("occlusion_forward", 2), occluded)
    assert clip.read("match_forward", 2) == match_regions(segments[2], segments[3], forward, occluded)
    disoccluded = occlusion_mask(backward, forward, 0.25)
    np.testing.assert_array_equal(clip.read("occlusion_backward", 3), disoccluded)
    assert clip.read("match_backward", 3) == match_regions(segments[3], segments[2], backward, disoccluded)
    assert occluded.any()
    assert (occluded != disoccluded).any()


def test_pixels_whose_material_changes_its_color_are_not_compared(tmp_path: Path) -> None:
    config = make_cut(tmp_path)
    make(config, tmp_path / "out", FakeEngine())
    clip = ClipWriter(tmp_path / "out", "train", "square")
    ids = clip.read("material_id", 2)
    [changing] = [number for number in np.unique(ids).tolist() if number > 0][:1]
    table = clip.read_colors()
    assert repainted_pixels(clip, config, 2, 3) is None
    faded = {frame: f"#0000{frame:02x}" for frame in config.frame_numbers}
    clip.write_colors(ColorTable({**table.colors, changing: faded}))
    repainted = repainted_pixels(clip, config, 2, 3)
    assert repainted is not None
    np.testing.assert_array_equal(repainted, ids == changing)
    assert colors_at(clip, 3)[changing] == (0, 0, 3)
    with pytest.raises(DatasetError, match="has no colours of frame 99"):
        colors_at(clip, 99)
    # surfaces that wear another material in the other frame
    switched = np.zeros(ids.shape, np.uint8)
    switched[:3] = 255
    write_image(layout.switched_picture(clip.root, clip.cut, 2, 3), switched)
    both = repainted_pixels(clip, config, 2, 3)
    assert both is not None
    np.testing.assert_array_equal(both, (ids == changing) | (switched > 0))
    clip.write_colors(table)
    alone = repainted_pixels(clip, config, 2, 3)
    assert alone is not None
    np.testing.assert_array_equal(alone, switched > 0)
    assert repainted_pixels(clip, config, 3, 2) is None
    clip.write_colors(ColorTable({**table.colors, changing: faded}))
    # nobody knows where it is without ids
    blind = config.model_copy(update={"motion": config.motion.model_copy(update={"extras": ()})})
    everywhere = repainted_pixels(clip, blind, 2, 3)
    assert everywhere is not None
    assert everywhere.all()


def test_quality_counts_only_pairs_of_the_clip_whose_figures_can_be_read(tmp_path: Path) -> None:
    config, output = make_cut(tmp_path), tmp_path / "out"
    make(config, output, FakeEngine())
    layout.pair_figures_file(output, "square", 2).write_text("{")
    layout.pair_figures_file(output, "square", 7).write_text("{}")
    quality = collect_quality(open_ledger(output, "square"), config, read_cross_checks(output, config))
    assert [pair["source"] for pair in quality["pairs"]] == [1, 3, 4]
    assert json.loads(layout.quality_file(output, "square").read_text()) == quality


@pytest.mark.parametrize("content", [None, "", "{", "[]", "3", "{}", '{"a": 1}'])
def test_figures_that_cannot_be_read_are_none(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / "figures.json").write_text(content)
    assert read_figures(tmp_path / "figures.json") is None


def test_figures_that_can_be_read(tmp_path: Path) -> None:
    write_figures(tmp_path / "figures.json", {"a": 1, "b": [None, 0.1], "c": {"d": "e"}})
    assert read_figures(tmp_path / "figures.json") == {"a": 1, "b": [None, 0.1], "c": {"d": "e"}}


def test_figures_of_which_a_single_bit_is_another_one_are_none(tmp_path: Path) -> None:
    file = tmp_path / "figures.json"
    write_figures(file, {"a": 1, "b": 0.125})
    whole = file.read_bytes()
    for place in range(8 * len(whole)):
        data = bytearray(whole)
        data[place // 8] ^= 1 << place % 8
        file.write_bytes(data)
        # blanks say nothing
        assert read_figures(file) in (None, {"a": 1, "b": 0.125})
        if bytes([whole[place // 8]]).isalnum():
            assert read_figures(file) is None


def test_a_pair_reads_again_what_changed_and_nothing_else(tmp_path: Path) -> None:
    clip = ClipWriter(tmp_path, "train", "cut")
    pictures = {frame: np.full((4, 5, 3), frame, np.uint8) for frame in (1, 2, 3)}
    for frame, picture in pictures.items():
        clip.write("flat", frame, picture)
    read = PairReader(clip, 1, 2).read("flat", 2)
    assert np.array_equal(read, pictures[2])
    following = PairReader(clip, 2, 3)
    assert following.read("flat", 2) is read
    assert np.array_equal(following.read("flat", 3), pictures[3])
    # a frame of the same number of another cut is another frame
    other = ClipWriter(tmp_path, "train", "other")
    other.write("flat", 3, pictures[1])
    assert np.array_equal(PairReader(other, 3, 4).read("flat", 3), pictures[1])
    PairReader(clip, 1, 2).read("flat", 2)
    clip.write("flat", 2, pictures[3])
    assert np.array_equal(PairReader(clip, 2, 3).read("flat", 2), pictures[3])
