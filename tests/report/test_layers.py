from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from animerun_gen.dataset import ClipFiles, ClipWriter
from animerun_gen.quality.colors import flow_to_color
from animerun_gen.quality.warp import warp_difference
from animerun_gen.report.encode import decode_index, warp_levels
from animerun_gen.report.facts import collect_facts
from animerun_gen.report.layers import DIRECTIONS, MASKS, Detail, FrameLayers, FrameTask, SurveyTask, line_color
from tests.report.clips import (
    FAR,
    FRAMES,
    LAYERS,
    OBJECTS,
    SIZE,
    drawing_files,
    frame_files,
    layer_motion,
    pair_files,
    write_clip,
    write_drawing,
)

FULL = Detail(1, 90)


def layers_of(
    root: Path,
    frame: int,
    detail: Detail = FULL,
    layers: tuple[str, ...] = (),
    filled: bool = False,
    gaps: tuple[int, ...] = (1,),
) -> FrameLayers:
    place = FRAMES.index(frame)
    around = (None, *FRAMES, None)
    neighbors = (around[place], around[place + 2])
    clip = ClipFiles(root, "train", "fight")
    return FrameTask(clip, frame, neighbors, SIZE, 10.0, detail, filled, layers, gaps).run()


def decoded(data: bytes) -> np.ndarray:
    return cv2.cvtColor(cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)


def test_everything_on_disk_is_on_the_page(tmp_path: Path) -> None:
    write_clip(tmp_path)
    layers, files = layers_of(tmp_path, 10), frame_files(10, SIZE)
    assert layers.problems == []
    pictures = layers.pictures
    np.testing.assert_array_equal(decode_index(pictures["segments"]), files["segment"])
    np.testing.assert_array_equal(decode_index(pictures["materials"]), files["material_id"])
    assert layers.segments == files["segment"].max() + 1
    np.testing.assert_array_equal(decoded(pictures["contour"])[..., 0], files["contour"])
    # the frame is drawn from these two
    assert layers.line_color == (20, 10, 60)
    assert "frame" not in pictures
    np.testing.assert_array_equal(decoded(pictures["flat"]), files["flat"])
    bits = decode_index(pictures["masks"])
    for way in DIRECTIONS:
        of_pair = pair_files(10, way, SIZE)
        assert layers.matches[way] == of_pair["match"]
        for name in ("occlusion", "exact_occlusion", "valid"):
            bit = MASKS.index(f"{name}_{way}")
            np.testing.assert_array_equal(bits >> bit & 1 == 1, of_pair[name], err_msg=f"{name} {way}")
        colors = decoded(pictures[f"flow_{way}"]).astype(int)
        assert np.abs(colors - flow_to_color(of_pair["flow"], 10.0)).max() <= 2
        other = 12 if way == "forward" else 8
        for layer, name in (("warp", "frame"), ("warp_flat", "flat")):
            difference = warp_difference(files[name], frame_files(other, SIZE)[name], of_pair["flow"])
            np.testing.assert_array_equal(decode_index(pictures[f"{layer}_{way}"]), warp_levels(difference))


def test_what_is_drawn_is_on_the_page(tmp_path: Path) -> None:
    write_drawing(write_clip(tmp_path))
    layers, files = layers_of(tmp_path, 10, layers=LAYERS, gaps=(1, FAR)), drawing_files(10, SIZE)
    assert layers.problems == []
    pictures = layers.pictures
    for name in ("shade", "line_kind", "line_gap"):
        np.testing.assert_array_equal(decode_index(pictures[name]), files[name], err_msg=name)
    for name in ("trace", "styled_contour"):
        np.testing.assert_array_equal(decoded(pictures[name]), files[name], err_msg=name)
    for cel in LAYERS:
        np.testing.assert_array_equal(decode_index(pictures[f"objects@{cel}"]), files[f"object_id@{cel}"])
        np.testing.assert_array_equal(decoded(pictures[f"contour@{cel}"])[..., 0], files[f"contour@{cel}"])
        for way in DIRECTIONS:
            colors = decoded(pictures[f"flow_{way}@{cel}"]).astype(int)
            assert np.abs(colors - flow_to_color(layer_motion(10, cel, way, SIZE)["flow"], 10.0)).max() <= 2
        # of three frames the middle one has none two frames away
        assert not any(f"_gap{FAR}@{cel}" in name for name in pictures)
        known = [layer_motion(10, cel, way, SIZE)["valid"] for way in DIRECTIONS]
        np.testing.assert_array_equal(decode_index(pictures[f"valid@{cel}"]), known[0] + 2 * known[1])
        assert layers.masks_of[f"valid@{cel}"] == list(DIRECTIONS)
        depth = files[f"depth@{cel}"]
        there = np.isfinite(depth)
        levels = decode_index(pictures[f"depth@{cel}"])
        np.testing.assert_array_equal(levels > 0, there)
        near, far = layers.depths[cel]
        assert (near, far) == (depth[there].min(), depth[there].max())
        back = 1.0 / (1.0 / far + (levels[there] - 1.0) / 254.0 * (1.0 / near - 1.0 / far))
        np.testing.assert_allclose(back, depth[there], rtol=0.01)
    shown = decode_index(pictures["cel_map"])
    np.testing.assert_array_equal(shown == 1, files["visible@front"])
    np.testing.assert_array_equal(shown == 2, files["visible@set"])
    assert layers.objects == OBJECTS
    # without layers there are none
    assert not any("@" in name for name in layers_of(tmp_path, 10).pictures)


def test_motion_of_layers_over_larger_distances_has_a_wheel_of_its_own(tmp_path: Path) -> None:
    write_drawing(write_clip(tmp_path))
    assert collect_facts(ClipFiles(tmp_path, "train", "fight")).layer_gaps == (1, FAR)
    layers = layers_of(tmp_path, 8, layers=LAYERS, gaps=(1, FAR))
    for cel in LAYERS:
        motion = layer_motion(8, cel, "forward", SIZE, gap=FAR)
        colors = decoded(layers.pictures[f"flow_forward_gap{FAR}@{cel}"]).astype(int)
        assert np.abs(colors - flow_to_color(motion["flow"], FAR * 10.0)).max() <= 2
        np.testing.assert_array_equal(decode_index(layers.pictures[f"valid_gap{FAR}@{cel}"]), motion["valid"])
        assert layers.masks_of[f"valid_gap{FAR}@{cel}"] == ["forward"]
        assert f"flow_backward_gap{FAR}@{cel}" not in layers.pictures


def test_damage_of_what_is_drawn_is_told_and_the_rest_is_shown(tmp_path: Path) -> None:
    clip = write_clip(tmp_path)
    write_drawing(clip)
    small = {name: value for name, value in drawing_files(10, (16, 8)).items() if name in ("amodal", "cel@set")}
    for name, value in small.items():
        clip.write(name, 10, value)
    clip.path("strokes", 10).write_bytes(b"no strokes")
    valid = layer_motion(10, "front", "forward", SIZE)["valid"].copy()
    valid[0, :3] ^= True
    clip.write("valid_forward@front", 10, valid)
    layers = layers_of(tmp_path, 10, layers=LAYERS)
    said = "\n".join(layers.problems)
    assert "train/Amodal/fight/0010.json is 16 x 8 pixels large, not 64 x 40" in said
    assert "train/Layers/set/Cel/fight/0010.png is 16 x 8 pixels large, not 64 x 40" in said
    assert "train/Vector/fight/0010.npz" in said
    assert "train/Layers/front/Valid/fight/forward/0010.png and the flow disagree about 3 pixels" in said
    assert len(layers.problems) == 4
    assert layers.amodal is None
    assert not {"strokes", "cel@set", "amodal0"} & set(layers.pictures)
    assert {"shade", "cel@front", "contour@set", "cel_map"} <= set(layers.pictures)


def test_filled_motion_of_a_layer_is_shown_as_unknown(tmp_path: Path) -> None:
    clip = write_clip(tmp_path)
    write_drawing(clip)
    motion = layer_motion(10, "front", "forward", SIZE)
    flow = motion["flow"].copy()
    flow[~motion["valid"]] = 3.0
    clip.write("flow_forward@front", 10, flow)
    layers = layers_of(tmp_path, 10, layers=LAYERS, filled=True)
    assert not any("Layers" in problem for problem in layers.problems)
    colors = decoded(layers.pictures["flow_forward@front"])
    assert (colors[~motion["valid"]] == 0).all()


def test_at_the_ends_of_the_clip_there_is_one_direction(tmp_path: Path) -> None:
    write_clip(tmp_path)
    first, last = layers_of(tmp_path, 8), layers_of(tmp_path, 12)
    assert [name for name in first.pictures if "backward" in name] == []
    assert [name for name in last.pictures if "forward" in name] == []
    assert set(first.masks) == {name for name in MASKS if name.endswith("forward")}
    assert list(last.matches) == ["backward"]
    assert first.problems == last.problems == []


@pytest.mark.parametrize(
    ("without", "gone"),
    [
        ("flat", {"flat", "warp_flat_forward", "warp_flat_backward"}),
        ("contour", {"contour"}),
        ("frame", {"warp_forward", "warp_backward"}),
        ("flow", {f"{name}_{way}" for name in ("flow", "warp", "warp_flat") for way in DIRECTIONS}),
        ("segment", {"segments"}),
        ("material_id", {"materials"}),
    ],
)
def test_what_a_dataset_does_not_have_is_left_out(tmp_path: Path, without: str, gone: set[str]) -> None:
    write_clip(tmp_path / "whole")
    write_clip(tmp_path / "part", without=[without])
    everything = set(layers_of(tmp_path / "whole", 10).pictures)
    layers = layers_of(tmp_path / "part", 10)
    assert layers.problems == []
    # where the frame cannot be drawn from its parts it is kept itself
    itself = {"frame"} if without in ("flat", "contour") else set()
    assert set(layers.pictures) == everything - gone | itself


def test_a_downloaded_dataset_shows_what_motion_is_known(tmp_path: Path) -> None:
    write_clip(tmp_path, without=["valid", "exact_occlusion", "flat", "material_id"])
    layers = layers_of(tmp_path, 10)
    bit = MASKS.index("valid_forward")
    valid = decode_index(layers.pictures["masks"]) >> bit & 1 == 1
    np.testing.assert_array_equal(valid, pair_files(10, "forward", SIZE)["valid"])
    assert not any(name.startswith("exact") for name in layers.masks)


def test_damage_is_told_once_and_the_rest_is_shown(tmp_path: Path) -> None:
    clip = write_clip(tmp_path)
    clip.path("segment", 10).write_bytes(b"no array")
    clip.path("flow_forward", 10).write_bytes(b"PIEH")
    clip.path("frame", 12).write_bytes(b"no picture")
    layers = layers_of(tmp_path, 10)
    assert len(layers.problems) == 2
    assert "train/Segment/fight/0010.npy is not a complete .npy file" in layers.problems[0]
    assert layers.problems[1].startswith("train/Flow/fight/forward/0010.flo is not a .flo file")
    assert {"flow_backward", "materials", "masks"} <= set(layers.pictures)
    assert not {"segments", "flow_forward"} & set(layers.pictures)
    # the neighbour's damage is the neighbour's
    assert [problem.split()[0] for problem in layers_of(tmp_path, 12).problems] == [
        "train/Frame_Anime/fight/original/0012.png"
    ]


def test_files_of_another_size_are_not_laid_over_the_frame(tmp_path: Path) -> None:
    write_clip(tmp_path)
    small = ClipWriter(tmp_path, "train", "fight")
    small.write("segment", 10, np.zeros((3, 4), np.int32))
    layers = layers_of(tmp_path, 10)
    assert layers.problems == ["train/Segment/fight/0010.npy is 4 x 3 pixels large, not 64 x 40 as the clip is"]
    assert "segments" not in layers.pictures


def test_valid_masks_that_contradict_the_flow_are_told(tmp_path: Path) -> None:
    clip = write_clip(tmp_path)
    valid = pair_files(10, "forward", SIZE)["valid"].copy()
    valid[0, :3] ^= True
    clip.write("valid_forward", 10, valid)
    [problem] = layers_of(tmp_path, 10).problems
    assert problem.startswith("train/Valid/fight/forward/0010.png and the flow disagree about 3 pixels")


def test_a_smaller_page_has_smaller_pictures(tmp_path: Path) -> None:
    write_clip(tmp_path)
    layers = layers_of(tmp_path, 10, Detail(0.5, 60))
    sizes = {decoded(data).shape[:2] for data in layers.pictures.values()}
    assert sizes == {(SIZE[1] // 2, SIZE[0] // 2)}
    # lines between pixels have no one colour
    assert layers.line_color is None
    assert "frame" in layers.pictures
    assert set(np.unique(decode_index(layers.pictures["segments"]))) <= set(np.unique(frame_files(10, SIZE)["segment"]))


def test_lines_are_drawn_by_the_page_only_where_that_is_exact() -> None:
    files = frame_files(8, SIZE)
    frame, flat, contour = (files[name] for name in ("frame", "flat", "contour"))
    assert line_color(frame, flat, contour) == (20, 10, 60)
    two_colors = frame.copy()
    row, column = np.argwhere(contour == 0)[3]
    two_colors[row, column] += 1
    assert line_color(two_colors, flat, contour) is None
    row, column = np.argwhere(contour == 255)[3]
    shaded = frame.copy()
    shaded[row, column] += 1
    assert line_color(shaded, flat, contour) is None
    soft = contour.copy()
    soft[row, column] = 128
    assert line_color(frame, flat, soft) is None
    assert line_color(flat, flat, np.full_like(contour, 255)) is None


def test_the_survey_sees_known_motion_of_both_directions(tmp_path: Path) -> None:
    clip = write_clip(tmp_path)
    lengths = SurveyTask(clip, 10).run()
    flows = [pair_files(10, way, SIZE)["flow"] for way in DIRECTIONS]
    longest = max(np.hypot(flow[..., 0], flow[..., 1])[flow[..., 0] < 1e9].max() for flow in flows)
    assert 0 < lengths.max() <= longest
    assert lengths.max() > 0.5 * longest
    assert len(SurveyTask(clip, 8).run()) < len(lengths)


@pytest.mark.parametrize("count", [0, 1, 3, 6])
def test_colour_passes_lie_side_by_side(tmp_path: Path, count: int) -> None:
    clip = write_clip(tmp_path)
    colors = [(250, 20, 20), (20, 250, 20), (20, 20, 250), (250, 250, 20), (0, 0, 0), (1, 1, 1)]
    width, height = SIZE
    for number, color in enumerate(colors[:count], start=1):
        clip.write(f"color_{number}", 10, np.full((height, width, 3), color, np.uint8))
    pictures = layers_of(tmp_path, 10).pictures
    assert ("passes" in pictures) == (count > 0)
    if count:
        sheet = decoded(pictures["passes"])
        assert sheet.shape == (height, width, 3)
        corners = [tuple(sheet[y, x]) for y in (1, height - 2) for x in (1, width - 2)]
        white = (255, 255, 255)
        assert corners == {1: colors[:1] * 4, 3: [*colors[:3], white], 6: colors[:4]}[count]
