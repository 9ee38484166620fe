from __future__ import annotations

from pathlib import Path, PurePosixPath
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from animerun_gen.config.model import Extra, Frames, LineGaps, Lines, LineStyle
from animerun_gen.dataset.modalities import (
    MODALITIES,
    Modality,
    at_gap,
    color_pass,
    composed_of,
    enabled_modalities,
    gap_modalities,
    in_pass,
    layer_modalities,
    modality,
    named_as_there,
    other_forms,
    pass_number,
)

# Written down a second time on purpose: other people's loaders look for exactly these.
LAYOUT = {
    "frame": "Frame_Anime/fight/original/0186.png",
    "contour": "contour/fight/0186.png",
    "flow_forward": "Flow/fight/forward/0186.flo",
    "flow_backward": "Flow/fight/backward/0186.flo",
    "occlusion_forward": "UnmatchedForward/fight/0186.npy",
    "occlusion_backward": "UnmatchedBackward/fight/0186.npy",
    "line_area": "LineArea/fight/0186.npy",
    "segment": "Segment/fight/0186.npy",
    "match_forward": "SegMatching/fight/forward/0186.json",
    "match_backward": "SegMatching/fight/backward/0186.json",
}
COMPANIONS = {
    "flat": "Flat/fight/0186.png",
    "shade": "Shade/fight/0186.png",
    "trace": "Trace/fight/0186.png",
    "line_kind": "LineKind/fight/0186.png",
    "styled_contour": "StyledContour/fight/0186.png",
    "line_gap": "LineGap/fight/0186.png",
    "line_ink": "LineInk/fight/0186.npz",
    "strokes": "Vector/fight/0186.npz",
    "valid_forward": "Valid/fight/forward/0186.png",
    "valid_backward": "Valid/fight/backward/0186.png",
    "exact_occlusion_forward": "ExactOcclusion/fight/forward/0186.png",
    "exact_occlusion_backward": "ExactOcclusion/fight/backward/0186.png",
    "depth_change_forward": "SceneFlow/fight/forward/0186.npy",
    "depth_change_backward": "SceneFlow/fight/backward/0186.npy",
    "depth": "Depth/fight/0186.npy",
    "normal": "Normal/fight/0186.npy",
    "object_id": "ObjectId/fight/0186.png",
    "material_id": "MaterialId/fight/0186.png",
    "correspondence": "Correspondence/fight/0186.npz",
    "line_layer": "LineLayer/fight/0186.png",
    "amodal": "Amodal/fight/0186.json",
}
OF_LAYER = {
    "cel@hero": "Layers/hero/Cel/fight/0186.png",
    "contour@hero": "Layers/hero/Contour/fight/0186.png",
    "visible@hero": "Layers/hero/Visible/fight/0186.png",
    "object_id@hero": "Layers/hero/ObjectId/fight/0186.png",
    "depth@hero": "Layers/hero/Depth/fight/0186.npy",
    "flow_forward@hero": "Layers/hero/Flow/fight/forward/0186.flo",
    "flow_backward@hero": "Layers/hero/Flow/fight/backward/0186.flo",
    "valid_forward@hero": "Layers/hero/Valid/fight/forward/0186.png",
    "valid_backward@hero": "Layers/hero/Valid/fight/backward/0186.png",
    "material_id@hero": "Layers/hero/MaterialId/fight/0186.png",
    "flat@hero": "Layers/hero/Flat/fight/0186.png",
    "shade@hero": "Layers/hero/Shade/fight/0186.png",
    "flow_forward_gap4@hero": "Layers/hero/Gap4/Flow/fight/forward/0186.flo",
    "flow_backward_gap4@hero": "Layers/hero/Gap4/Flow/fight/backward/0186.flo",
    "valid_forward_gap4@hero": "Layers/hero/Gap4/Valid/fight/forward/0186.png",
    "valid_backward_gap4@hero": "Layers/hero/Gap4/Valid/fight/backward/0186.png",
}
FAR = {
    "flow_forward_gap4": "Gap4/Flow/fight/forward/0186.flo",
    "flow_backward_gap4": "Gap4/Flow/fight/backward/0186.flo",
    "valid_forward_gap4": "Gap4/Valid/fight/forward/0186.png",
    "valid_backward_gap4": "Gap4/Valid/fight/backward/0186.png",
    "exact_occlusion_forward_gap4": "Gap4/ExactOcclusion/fight/forward/0186.png",
    "exact_occlusion_backward_gap4": "Gap4/ExactOcclusion/fight/backward/0186.png",
    "depth_change_forward_gap4": "Gap4/SceneFlow/fight/forward/0186.npy",
    "depth_change_backward_gap4": "Gap4/SceneFlow/fight/backward/0186.npy",
}
WITH_FRAMES = [*(m for m in MODALITIES if m.kind != "clip"), *gap_modalities(4)]
ANY = pytest.mark.parametrize("what", WITH_FRAMES, ids=lambda what: what.name)


def test_every_file_lies_where_the_layout_says() -> None:
    root = Path("data")
    published = {m.name: m.path(root, "train", "fight", 186) for m in MODALITIES if m.published}
    others = {m.name: m.path(root, "train", "fight", 186) for m in WITH_FRAMES if not m.published}
    assert published == {name: root / "train" / path for name, path in LAYOUT.items()}
    assert others == {name: root / "train" / path for name, path in (COMPANIONS | FAR).items()}
    assert modality("tracks").clip_path(root, "test", "fight") == root / "test/Tracks/fight/tracks.npz"


def test_companions_stay_out_of_the_published_folders() -> None:
    published = {PurePosixPath(path).parts[0] for path in LAYOUT.values()}
    assert published.isdisjoint(PurePosixPath(path).parts[0] for path in (COMPANIONS | FAR).values())


def test_all_files_of_a_frame_have_the_same_stem() -> None:
    assert {what.path(Path(), "train", "fight", 186).stem for what in WITH_FRAMES} == {"0186"}


@ANY
@pytest.mark.parametrize(
    ("names", "prefix"),
    [
        ([], ""),
        (["0186", "0187"], ""),
        (["Image0186", "Image0187"], "Image"),
        # the more frequent one; of equals, ours
        (["Image0186", "Image0187", "0186"], "Image"),
        (["Image0186", "0186"], ""),
        # these are names of no frame
        (["Image186", "Image", "image0186", "Image0186_line", "Image0187.png"], ""),
    ],
)
def test_the_prefix_of_a_folder_is_that_of_its_files(what: Modality, names: list[str], prefix: str) -> None:
    there = named_as_there(what, [f"{name}{what.suffix}" for name in names])
    assert there.prefix == prefix
    assert there.path(Path(), "train", "a", 186).stem == f"{prefix}0186"
    assert there.frame_of(f"{prefix}0186{what.suffix}") == 186
    assert named_as_there(modality("tracks"), ["Image0186.npz"]) == modality("tracks")


@ANY
def test_masks_and_segments_of_a_folder_may_be_compressed(what: Modality) -> None:
    there = named_as_there(what, ["0186.npz", "0187.npz", "0186.npy"])
    is_small = what.name in ("segment", "line_area", "occlusion_forward", "occlusion_backward")
    assert there == (what.compressed if is_small else what)
    assert (what.compressed != what) == is_small
    # of equals, the plain one
    assert named_as_there(what, ["0186.npz", "0187.npy"]) == what
    forms = [what, *other_forms(what)]
    assert len(forms) == len({form.path(Path(), "train", "a", 1) for form in forms}) == (3 if is_small else 2)
    for form in forms:
        assert {form, *other_forms(form)} == set(forms)


def test_compression_is_of_all_of_them() -> None:
    plain, small = enabled_modalities((), (1, 2), 3, 1), enabled_modalities((), (1, 2), 3, 1, compressed=True)
    assert small == tuple(what.compressed for what in plain)
    assert sum(one != other for one, other in zip(plain, small, strict=True)) == 4


@ANY
def test_large_frame_numbers_get_wider_names(what: Modality) -> None:
    assert what.path(Path(), "test", "a", 12345).name.endswith(f"12345{what.suffix}")
    assert what.path(Path(), "test", "a", 7).name.endswith(f"0007{what.suffix}")


@ANY
def test_frame_numbers_are_read_back_from_names(what: Modality) -> None:
    for frame in (0, 186, 9999, 10000, 123456):
        assert what.frame_of(what.path(Path(), "train", "a", frame).name) == frame
    for name in (
        "",
        "names.json",
        f"186{what.suffix}",
        f"00186{what.suffix}",
        "0186.txt",
        f"x0186{what.suffix}",
        "٠١٨٦.png",
    ):
        assert what.frame_of(name) is None


@given(st.integers(0, 900), st.integers(1, 5), st.integers(1, 20))
def test_a_clip_of_n_frames_has_n_or_n_minus_one_files(first: int, step: int, pairs: int) -> None:
    clip = Frames(first=first, last=first + pairs * step, step=step).numbers
    for what in MODALITIES:
        if what.kind == "clip":
            continue
        frames = what.frames(clip)
        assert len(frames) == (pairs + 1 if what.kind == "frame" else pairs)
        assert list(frames) == sorted(set(frames) & set(clip))
        assert (clip[0] in frames) == (what.kind != "backward")
        assert (clip[-1] in frames) == (what.kind != "forward")


def test_extras_switch_on_their_modalities_and_nothing_else() -> None:
    always = {m.name for m in enabled_modalities(())}
    assert always == {*LAYOUT, "flat", "valid_forward", "valid_backward"}
    switched = {extra: {m.name for m in enabled_modalities([extra])} - always for extra in get_args(Extra)}
    assert switched == {
        "depth": {"depth"},
        "ids": {"object_id", "material_id"},
        "normals": {"normal"},
        "exact_occlusion": {"exact_occlusion_forward", "exact_occlusion_backward"},
        "scene_flow": {"depth_change_forward", "depth_change_backward"},
        "correspondence": {"correspondence"},
    }
    switches = {what.switch for what in MODALITIES}
    everything = enabled_modalities(get_args(Extra), tracks=1, shade=True, switches=switches, layers=("set",), passes=1)
    assert everything[: len(MODALITIES)] == MODALITIES
    unlayered = enabled_modalities(get_args(Extra), tracks=1, shade=True, switches=switches)
    assert set(unlayered) == {m for m in MODALITIES if not m.layered and not m.recolored}


def test_layers_have_files_of_their_own() -> None:
    found = {what.name: what.path(Path(), "train", "fight", 186) for what in layer_modalities("hero", (1, 4))}
    assert found == {name: Path("train") / path for name, path in OF_LAYER.items()}
    for name, path in OF_LAYER.items():
        assert modality(name).path(Path(), "train", "fight", 186) == Path("train") / path
        assert modality(name).layer == "hero"
    without, layered = (enabled_modalities((), (1, 4), layers=layers) for layers in ((), ("set", "hero")))
    made = {what.name for what in set(layered) - set(without)}
    assert made == {
        "amodal",
        "line_layer",
        *(name.replace("hero", layer) for name in OF_LAYER for layer in ("set", "hero")),
    } - {f"{name}@{layer}" for name in ("depth", "material_id", "flat", "shade") for layer in ("set", "hero")}
    # names of layers are taken whole
    assert modality("flow_forward@flow_gap2").layer == "flow_gap2"


@pytest.mark.parametrize(
    "name", ["cel", "cel@", "cel@.x", "cel@a/b", "frame@hero", "cel_gap2@hero", "flow_forward_gap1@a"]
)
def test_there_is_no_other_kind_of_a_layer(name: str) -> None:
    with pytest.raises(ValueError, match="there is no modality"):
        modality(name)


def test_shade_brings_its_modalities_and_nothing_else() -> None:
    without, shaded = (enabled_modalities(("ids",), shade=shade) for shade in (False, True))
    assert {what.name for what in set(shaded) - set(without)} == {"shade", "trace"}
    assert set(without) < set(shaded)


def test_settings_of_the_lines_bring_their_modalities() -> None:
    every = Lines(engine="geometry", kinds=True, vector=True, style=LineStyle(gaps=LineGaps(share=0.5))).switches
    assert set(every) == {what.switch for what in MODALITIES if what.switch}
    always = set(enabled_modalities(()))
    for lines, expected in (
        (Lines(), set()),
        (Lines(engine="geometry", kinds=True), {"line_kind"}),
        (Lines(engine="geometry", vector=True), {"strokes"}),
        (Lines(engine="geometry", style=LineStyle(antialias=True)), {"styled_contour"}),
        (Lines(engine="geometry", style=LineStyle(gaps=LineGaps(share=0.5))), {"styled_contour", "line_gap"}),
    ):
        assert {what.name for what in set(enabled_modalities((), switches=lines.switches)) - always} == expected


def test_colour_passes_lie_beside_the_original_frames() -> None:
    frame = modality("frame")
    for number in (1, 9, 10, 99):
        what = modality(f"color_{number}")
        assert what == color_pass(number)
        assert what.path(Path("data"), "train", "fight", 186) == Path(
            f"data/train/Frame_Anime/fight/color_{number}/0186.png"
        )
        assert (what.dtype, what.shape, what.kind, what.content) == (frame.dtype, frame.shape, "frame", "picture")
        assert pass_number(what.name) == number
    for name in ("color_0", "color_100", "color_01", "color_1 ", "color_", "color_1_gap2", "color_\u0661"):
        assert pass_number(name) is None
        with pytest.raises(ValueError, match="there is no modality"):
            modality(name)
    with pytest.raises(ValueError, match="numbered from 1 to 99"):
        color_pass(0)
    assert [what.name for what in enabled_modalities((), passes=2)[-3:]] == ["valid_backward", "color_1", "color_2"]


def test_what_a_frame_is_put_together_from_is_there_in_each_pass() -> None:
    without, recolored = (
        enabled_modalities(("ids",), passes=2, layers=("set", "hero"), shade=True, layer_passes=each)
        for each in (False, True)
    )
    made = {what.name: what.path(Path(), "train", "fight", 186).as_posix() for what in set(recolored) - set(without)}
    expected = {f"{name}@{layer}" for name in ("flat", "shade", "material_id") for layer in ("set", "hero")}
    for number in (1, 2):
        expected |= {f"line_layer_color_{number}", *(f"cel_color_{number}@{layer}" for layer in ("set", "hero"))}
    assert made.keys() == expected
    assert made["line_layer_color_2"] == "train/color_2/LineLayer/fight/0186.png"
    assert made["cel_color_2@hero"] == "train/Layers/hero/color_2/Cel/fight/0186.png"
    for name in made:
        assert modality(name) in recolored
    assert {what.stage for what in recolored if "_color_" in what.name} == {"recolor"}
    assert composed_of("frame") == ("cel", "line_layer")
    assert composed_of("color_2") == ("cel_color_2", "line_layer_color_2")
    # shade is what parts the cel from its flat colours
    flat = enabled_modalities(("ids",), layer_passes=True, passes=1, layers=("set",))
    assert {"flat@set", "shade@set"}.isdisjoint(what.name for what in flat)
    # the line ink is for passes alone
    styled = [enabled_modalities((), passes=passes, switches=("lines.style",)) for passes in (0, 1)]
    assert ["line_ink" in {what.name for what in each} for each in styled] == [False, True]


@pytest.mark.parametrize(
    "name", ["flow_forward_color_1", "line_layer_color_0", "line_layer_color_100", "contour_color_1@a", "cel_color_1"]
)
def test_there_is_nothing_else_in_the_colours_of_a_pass(name: str) -> None:
    with pytest.raises(ValueError, match="there is no modality"):
        modality(name)
    with pytest.raises(ValueError, match="is the same in all colour passes"):
        in_pass(modality("contour@a"), 1)
    with pytest.raises(ValueError, match="is not put together from layers"):
        composed_of("contour")


@given(st.integers(1, 30), st.integers(1, 5), st.integers(2, 40))
def test_files_over_a_gap_are_those_of_its_pairs(length: int, step: int, gap: int) -> None:
    clip = range(1, 1 + step * length, step)
    pairs = [(clip[index], clip[index + gap]) for index in range(length - gap)]
    for what in gap_modalities(gap):
        end = 0 if what.kind == "forward" else 1
        assert what.frames(clip) == tuple(pair[end] for pair in pairs)


def test_gaps_bring_motion_over_them_and_nothing_else() -> None:
    near = enabled_modalities(["depth"])
    assert enabled_modalities(["depth"], (1,)) == near
    far = [m.name for m in enabled_modalities(["depth"], (8, 1, 2))[len(near) :]]
    names = ["flow_forward", "flow_backward", "valid_forward", "valid_backward"]
    assert far == [f"{name}_gap{gap}" for gap in (2, 8) for name in names]
    for what in gap_modalities(4):
        assert modality(what.name) == what
        near_one = modality(what.name.removesuffix("_gap4"))
        assert (what.content, what.dtype, what.kind, what.extra) == (
            near_one.content,
            near_one.dtype,
            near_one.kind,
            near_one.extra,
        )
        assert not what.published
    assert {m.name for m in gap_modalities(4)} == set(FAR)


def test_what_there_is_not_over_a_gap() -> None:
    assert at_gap(modality("flow_forward"), 1) is modality("flow_forward")
    for name in (
        "flow_forward_gap1",
        "flow_forward_gap02",
        "flow_forward_gap",
        "segment_gap2",
        "occlusion_forward_gap2",
    ):
        with pytest.raises(ValueError, match="no modality"):
            modality(name)
    for name, gap in (("segment", 2), ("line_area", 3), ("match_forward", 2), ("tracks", 2), ("flow_forward", 0)):
        with pytest.raises(ValueError, match="is not made for frames"):
            at_gap(modality(name), gap)


def test_an_unknown_name_is_answered_with_the_known_ones() -> None:
    assert modality("segment").dtype == "int32"
    with pytest.raises(ValueError, match="flow_forward"):
        modality("flow")
