from __future__ import annotations

from pathlib import Path, PurePosixPath
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from animerun_gen.config.model import Extra, Frames
from animerun_gen.dataset.modalities import MODALITIES, Modality, enabled_modalities, modality

# Written down a second time on purpose: other people's loaders look for exactly these.
LAYOUT = {
    "frame": "Frame_Anime/fight/original/0186.png",
    "contour": "contour/fight/0186.png",
    "flow_forward": "Flow/fight/forward/0186.flo",
    "flow_backward": "Flow/fight/backward/0186.flo",
    "occlusion_forward": "UnmatchedForward/fight/Image0186.npy",
    "occlusion_backward": "UnmatchedBackward/fight/Image0186.npy",
    "line_area": "LineArea/fight/Image0186.npy",
    "segment": "Segment/fight/0186.npy",
    "match_forward": "SegMatching/fight/forward/0186.json",
    "match_backward": "SegMatching/fight/backward/0186.json",
}
COMPANIONS = {
    "flat": "Flat/fight/0186.png",
    "valid_forward": "Valid/fight/forward/0186.png",
    "valid_backward": "Valid/fight/backward/0186.png",
    "exact_occlusion_forward": "ExactOcclusion/fight/forward/0186.png",
    "exact_occlusion_backward": "ExactOcclusion/fight/backward/0186.png",
    "depth": "Depth/fight/0186.npy",
    "normal": "Normal/fight/0186.npy",
    "object_id": "ObjectId/fight/0186.png",
    "material_id": "MaterialId/fight/0186.png",
}
ANY = pytest.mark.parametrize("what", MODALITIES, ids=lambda what: what.name)


def test_every_file_lies_where_the_layout_says() -> None:
    root = Path("data")
    published = {m.name: m.path(root, "train", "fight", 186) for m in MODALITIES if m.published}
    others = {m.name: m.path(root, "train", "fight", 186) for m in MODALITIES if not m.published}
    assert published == {name: root / "train" / path for name, path in LAYOUT.items()}
    assert others == {name: root / "train" / path for name, path in COMPANIONS.items()}


def test_companions_stay_out_of_the_published_folders() -> None:
    published = {PurePosixPath(path).parts[0] for path in LAYOUT.values()}
    assert published.isdisjoint(PurePosixPath(path).parts[0] for path in COMPANIONS.values())


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
    }
    assert enabled_modalities(get_args(Extra)) == MODALITIES


def test_an_unknown_name_is_answered_with_the_known_ones() -> None:
    assert modality("segment").dtype == "int32"
    with pytest.raises(ValueError, match="flow_forward"):
        modality("flow")
