from __future__ import annotations

import hashlib
import json
import os
import shutil
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from animerun_gen.cli import main
from animerun_gen.dataset import ClipWriter, Dataset, cameras, files
from animerun_gen.dataset.modalities import modality
from animerun_gen.errors import ConfigError
from animerun_gen.pipeline.state.status import read_status
from animerun_gen.verify.cut_report import CutReport
from animerun_gen.verify.findings import AGAIN, Defect, FrameFile, FrameInspection
from animerun_gen.verify.run import KINDS, describe, verify
from tests.pipeline.datasets import contents, make, make_cut
from tests.pipeline.fake_engine import FakeEngine

EXTRAS = ["depth", "ids", "normals", "exact_occlusion", "scene_flow", "correspondence"]


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A dataset of two cuts with all kinds of files, not to be changed."""
    folder = tmp_path_factory.mktemp("made")
    # the colour that the fake engine's table gives the background
    style = {"background": "#000000"}
    everything = make_cut(folder, {"style": style, "motion": {"extras": EXTRAS, "gaps": [1, 2], "tracks": 5}})
    extent = {"first": 3, "last": 9, "step": 3}
    plain = make_cut(folder, {"name": "plain", "split": "test", "style": style, "frames": extent})
    make([everything, plain], folder / "out", FakeEngine())
    return folder / "out"


@pytest.fixture
def root(made: Path, tmp_path: Path) -> Path:
    """A copy of it to be damaged."""
    return Path(shutil.copytree(made, tmp_path / "data", symlinks=True))


def defects(root: Path, **options: Any) -> list[Defect]:
    found = [defect for report in verify(root, **options) for defect in report.defects]
    # the file is named once, and what to do is said once
    assert not any(str(root) in defect.what or "delete it" in defect.what for defect in found)
    return found


def named(root: Path, **options: Any) -> set[str]:
    return {defect.file for defect in defects(root, **options)}


def seal(root: Path, cut: str = "square") -> None:
    """Let the manifest name the files as they are now, as if the program had made them so."""
    manifest = root / "manifest" / f"{cut}.json"
    written = json.loads(manifest.read_bytes())
    written["files"] = {
        name: hashlib.sha256((root / name).read_bytes()).hexdigest()
        for name in written["files"]
        if (root / name).is_file()
    }
    manifest.write_text(json.dumps(written))


def edit(path: Path, change: Callable[[Any], None], read: Callable[[Path], Any], write: Callable[..., None]) -> None:
    value = read(path)
    change(value)
    write(path, value)


def edit_flow(path: Path, change: Callable[[Any], None]) -> None:
    edit(path, change, files.read_flow, lambda path, flow: path.write_bytes(path.read_bytes()[:12] + flow.tobytes()))


def edit_array(path: Path, change: Callable[[Any], None]) -> None:
    edit(path, change, files.read_array, files.write_array)


def edit_image(path: Path, change: Callable[[Any], None]) -> None:
    edit(path, change, files.read_image, files.write_image)


def edit_json(path: Path, change: Callable[[Any], None]) -> None:
    edit(path, change, files.read_json, lambda path, data: path.write_text(json.dumps(data)))


def put(index: Any, value: Any) -> Callable[[Any], None]:
    def change(target: Any) -> None:
        target[index] = value

    return change


def flip_bit(path: Path, place: int) -> None:
    data = bytearray(path.read_bytes())
    data[place] ^= 1
    path.write_bytes(data)


def swap(one: Path, other: Path) -> None:
    kept = one.read_bytes()
    one.write_bytes(other.read_bytes())
    other.write_bytes(kept)


@pytest.mark.parametrize("quick", [False, True])
@pytest.mark.parametrize("workers", [1, 2])
def test_a_sound_dataset_has_no_defects(made: Path, quick: bool, workers: int) -> None:
    before = contents(made)
    square, plain = sorted(verify(made, quick=quick, workers=workers), key=lambda report: report.split, reverse=True)
    assert (square.cut, square.frames, square.ours, square.has_manifest) == ("square", 5, True, True)
    assert (plain.cut, plain.frames, plain.split) == ("plain", 3, "test")
    assert square.defects == plain.defects == []
    assert square.notes == plain.notes == []
    there = [name for name in before if "/square/" in name and not name.startswith(".animerun-gen")]
    assert square.files == len(there)
    # it is only read
    assert contents(made) == before


def test_of_a_copy_without_manifest_depth_and_normals_are_no_defects(root: Path) -> None:
    for name in ("manifest", "quality", "recolor", ".animerun-gen"):
        shutil.rmtree(root / name, ignore_errors=True)
    assert defects(root) == []
    assert not any(report.ours for report in verify(root))
    path = root / "train/Depth/square/0003.npy"
    files.write_array(path, np.zeros(files.read_array(path).shape, np.int32))
    [defect] = defects(root)
    assert (defect.file, defect.kind) == ("train/Depth/square/0003.npy", "form")


OLD_MASKS = ("UnmatchedForward", "UnmatchedBackward", "LineArea")


def as_of_version_0_8(root: Path) -> None:
    """Give masks the names that they had until version 0.8.0, in the manifest as well."""
    for file in [file for folder in OLD_MASKS for file in root.glob(f"*/{folder}/*/*.npy")]:
        file.rename(file.with_name(f"Image{file.name}"))
    for manifest in (root / "manifest").glob("*.json"):
        written = json.loads(manifest.read_bytes())
        written["files"] = {
            name.replace(f"/{cut}/", f"/{cut}/Image") if name.split("/")[1] in OLD_MASKS else name: digest
            for cut in [written["cut"]]
            for name, digest in written["files"].items()
        }
        manifest.write_text(json.dumps(written))


def test_a_dataset_with_the_names_of_version_0_8_is_whole(made: Path, root: Path) -> None:
    as_of_version_0_8(root)
    assert len(list(root.glob("*/LineArea/*/Image*.npy"))) == 6
    assert defects(root) == defects(root, quick=True) == []
    assert all(cut.state == "complete" for cut in read_status(root).cuts)
    for clip, old in zip(Dataset(made).clips(), Dataset(root).clips(), strict=True):
        for name in ("occlusion_forward", "occlusion_backward", "line_area"):
            for frame in clip.frames(name):
                assert old.has(name, frame)
                assert np.array_equal(clip.read(name, frame), old.read(name, frame))
    lost = root / "train/LineArea/square/Image0002.npy"
    lost.unlink()
    [defect] = defects(root)
    assert (defect.file, defect.kind) == ("train/LineArea/square/Image0002.npy", "missing")


def test_what_version_0_8_made_is_made_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = make_cut(tmp_path, {"frames": {"first": 1, "last": 3}})
    output = tmp_path / "out"
    with monkeypatch.context() as patch:
        for module in ("fingerprints", "made_with"):
            patch.setattr(f"animerun_gen.pipeline.state.{module}.__version__", "0.8.0")
        make(config, output, FakeEngine())
    as_of_version_0_8(output)
    make(config, output, FakeEngine())
    assert not list(output.rglob("*Image*"))
    assert defects(output) == []
    make(config, tmp_path / "fresh", FakeEngine())
    assert contents(output) == contents(tmp_path / "fresh")


F, B = "train/Flow/square/forward/", "train/Flow/square/backward/"
FILES = {
    "colour frame": "train/Frame_Anime/square/original/0003.png",
    "line art": "train/contour/square/0001.png",
    "flow": F + "0004.flo",
    "occlusion": "train/UnmatchedForward/square/0001.npy",
    "line area": "train/LineArea/square/0002.npy",
    "segments": "train/Segment/square/0005.npy",
    "matches": "train/SegMatching/square/backward/0005.json",
    "valid": "train/Valid/square/forward/0001.png",
    "depth": "train/Depth/square/0002.npy",
    "ids": "train/MaterialId/square/0003.png",
    "names": "train/MaterialId/square/names.json",
    "colours": "train/Flat/square/colors.json",
    "flow over a gap": "train/Gap2/Flow/square/backward/0003.flo",
    "tracks": "train/Tracks/square/tracks.npz",
    "cameras": "train/Camera/square.json",
    "cameras as arrays": "train/Camera/square.npz",
    "change of depth": "train/SceneFlow/square/forward/0002.npy",
    "quality": "quality/square.json",
    "manifest": "manifest/square.json",
}
ANY_FILE = pytest.mark.parametrize("name", FILES.values(), ids=list(FILES))


@ANY_FILE
@pytest.mark.parametrize("quick", [False, True])
def test_a_missing_file_is_named(root: Path, name: str, quick: bool) -> None:
    (root / name).unlink()
    [defect] = defects(root, quick=quick)
    assert (defect.file, defect.kind) == (name, "missing")
    assert "is missing" in defect.what
    assert "animerun-gen generate" in defect.advice


@ANY_FILE
@pytest.mark.parametrize(("left", "quick"), [(0.0, True), (0.5, False), (0.9, True)])
def test_a_truncated_file_is_named(root: Path, name: str, left: float, quick: bool) -> None:
    os.truncate(root / name, int(left * (root / name).stat().st_size))
    everything = defects(root, quick=quick)
    assert {defect.file for defect in everything} == {name}
    found = [defect for defect in everything if defect.kind in ("damaged", "manifest")]
    assert found
    if not left and "/square/0" in name:
        assert [defect.what for defect in found] == ["is empty"]


@ANY_FILE
def test_a_file_of_zeros_is_named(root: Path, name: str) -> None:
    (root / name).write_bytes(bytes((root / name).stat().st_size))
    assert named(root) == {name}


@pytest.mark.parametrize("name", [name for name in FILES.values() if not name.startswith("manifest")])
def test_one_bit_is_enough(root: Path, name: str) -> None:
    flip_bit(root / name, (root / name).stat().st_size // 2)
    found = defects(root)
    assert {defect.file for defect in found} == {name}
    assert "changed" in {defect.kind for defect in found}


@ANY_FILE
def test_a_file_behind_a_link_that_leads_out_is_named(root: Path, tmp_path: Path, name: str) -> None:
    outside = tmp_path / "elsewhere"
    (root / name).rename(outside)
    (root / name).symlink_to(outside)
    [defect] = defects(root)
    assert (defect.file, defect.kind) == (name, "link")
    outside.unlink()
    assert named(root) == {name}


def test_a_folder_behind_a_link_that_leads_out_is_named(root: Path, tmp_path: Path) -> None:
    shutil.move(root / "train/Depth", tmp_path / "elsewhere")
    (root / "train/Depth").symlink_to(tmp_path / "elsewhere")
    [defect] = defects(root)
    assert (defect.file, defect.kind) == ("train/Depth/square", "link")
    # inside the dataset a link may lead anywhere
    (root / "train/Depth").unlink()
    shutil.move(tmp_path / "elsewhere", root / "kept")
    (root / "train/Depth").symlink_to(root / "kept")
    assert defects(root) == []


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (F + "0001.flo", F + "0002.flo"),
        (F + "0002.flo", B + "0002.flo"),
        ("train/Frame_Anime/square/original/0001.png", "train/Frame_Anime/square/original/0004.png"),
        ("train/Segment/square/0001.npy", "train/Segment/square/0005.npy"),
        ("train/ObjectId/square/0001.png", "train/ObjectId/square/0002.png"),
    ],
)
def test_two_files_in_each_others_place_are_named(root: Path, one: str, other: str) -> None:
    if (root / one).read_bytes() == (root / other).read_bytes():
        edit_flow(root / one, put((0, 0), (0.25, 0.0)))
        seal(root)
    swap(root / one, root / other)
    assert {defect.file for defect in defects(root) if defect.kind == "changed"} == {one, other}


def test_swapped_channels_of_a_flow_are_found_by_its_checksum(root: Path) -> None:
    name = F + "0003.flo"
    edit_flow(root / name, lambda flow: flow.__setitem__(slice(None), flow[..., ::-1].copy()))
    [defect] = defects(root)
    assert (defect.file, defect.kind) == (name, "changed")
    assert defects(root, quick=True) == []


def other_shape(path: Path) -> None:
    value = files.read_array(path)
    files.write_array(path, value[:-1])


def other_dtype(path: Path) -> None:
    files.write_array(path, files.read_array(path).astype(np.int64))


def other_size(path: Path) -> None:
    files.write_image(path, files.read_image(path)[:, 1:])


def grey(path: Path) -> None:
    files.write_image(path, files.read_image(path)[..., 0])


def coloured(path: Path) -> None:
    files.write_image(path, np.dstack([files.read_image(path)] * 3).astype(np.uint8))


def deep(path: Path) -> None:
    cv2.imwrite(str(path), cv2.imread(str(path)).astype(np.uint16) * 257)


def with_alpha(path: Path) -> None:
    cv2.imwrite(str(path), cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2BGRA))


def flat_flow(path: Path) -> None:
    files.write_flow(path, files.read_flow(path)[:24].copy())


@pytest.mark.parametrize("quick", [False, True])
@pytest.mark.parametrize(
    ("name", "damage", "said"),
    [
        ("train/Segment/square/0002.npy", other_shape, "47 x 64 int32"),
        ("train/Segment/square/0002.npy", other_dtype, "48 x 64 int64"),
        ("train/UnmatchedForward/square/0002.npy", other_dtype, "int64"),
        ("train/Depth/square/0002.npy", other_shape, "47 x 64 float32"),
        ("train/contour/square/0002.png", other_size, "48 x 63 uint8 (grey)"),
        ("train/contour/square/0002.png", coloured, "48 x 64 x 3 uint8 (RGB)"),
        ("train/Frame_Anime/square/original/0002.png", grey, "48 x 64 uint8 (grey)"),
        ("train/Flat/square/0002.png", deep, "48 x 64 x 3 uint16 (RGB)"),
        ("train/Flat/square/0002.png", with_alpha, "48 x 64 x 4 uint8 (RGB with alpha)"),
        ("train/ObjectId/square/0002.png", coloured, "uint8 (RGB)"),
        (F + "0002.flo", flat_flow, "24 x 64 x 2 float32"),
        ("train/Gap2/Flow/square/forward/0002.flo", flat_flow, "24 x 64 x 2 float32"),
    ],
)
def test_wrong_shapes_and_types_are_named(
    root: Path, name: str, damage: Callable[[Path], None], said: str, quick: bool
) -> None:
    damage(root / name)
    seal(root)
    [defect] = defects(root, quick=quick)
    assert (defect.file, defect.kind) == (name, "form")
    assert said in defect.what


def unlabel(labels: Any) -> None:
    labels[labels == 1] = labels.max() + 1


@pytest.mark.parametrize(
    ("name", "damage", "said"),
    [
        (F + "0002.flo", lambda path: edit_flow(path, put((3, 4, 0), np.nan)), "1 pixel whose flow is not a number"),
        (F + "0002.flo", lambda path: edit_flow(path, put((3, 4, 1), -np.inf)), "1 pixel whose flow is not a number"),
        (F + "0002.flo", lambda path: edit_flow(path, put((3, 4, 1), 1e10)), "1 pixel whose flow is neither"),
        (F + "0002.flo", lambda path: edit_flow(path, put((3, 4), 2e9)), "1 pixel whose flow is neither"),
        ("train/LineArea/square/0002.npy", lambda path: edit_array(path, put((0, 0), 7)), "is not a mask"),
        (
            "train/UnmatchedBackward/square/0002.npy",
            lambda path: edit_array(path, put((0, 0), 255)),
            "is not a mask",
        ),
        ("train/Valid/square/forward/0002.png", lambda path: edit_image(path, put((0, 0), 7)), "is not a mask"),
        (
            "train/ExactOcclusion/square/backward/0002.png",
            lambda path: edit_image(path, put((0, 0), 1)),
            "is not a mask",
        ),
        ("train/Segment/square/0002.npy", lambda path: edit_array(path, put((0, 0), -1)), "segments from -1 on"),
        ("train/Segment/square/0002.npy", lambda path: edit_array(path, put((0, 0), 10**9)), "has no segment "),
        ("train/Segment/square/0002.npy", lambda path: edit_array(path, unlabel), "has no segment 1 "),
        ("train/Depth/square/0002.npy", lambda path: edit_array(path, put((0, 0), np.nan)), "1 pixel whose depth"),
        ("train/Depth/square/0002.npy", lambda path: edit_array(path, put((0, 0), -2.0)), "1 pixel whose depth"),
        ("train/Normal/square/0002.npy", lambda path: edit_array(path, put((9, 9), 0.5)), "1 pixel whose normal"),
        (
            "train/SceneFlow/square/forward/0002.npy",
            lambda path: edit_array(path, put((9, 9), np.inf)),
            "1 pixel whose depth changes without end",
        ),
        (
            "train/ObjectId/square/0002.png",
            lambda path: edit_image(path, put((9, 9), 9)),
            "shows the id 9, which names",
        ),
        ("train/MaterialId/square/0002.png", lambda path: edit_image(path, put((9, 9), 77)), "shows the id 77"),
    ],
)
def test_impossible_values_are_named(root: Path, name: str, damage: Callable[[Path], None], said: str) -> None:
    damage(root / name)
    seal(root)
    [defect] = defects(root)
    assert defect.file == name
    assert said in defect.what


@pytest.mark.parametrize("gap", ["", "Gap2/"])
@pytest.mark.parametrize(
    ("name", "damage", "blamed", "said"),
    [
        ("Flow", lambda path: edit_flow(path, put((3, 4), 1e10)), {"Valid", "ExactOcclusion", "Unmatched"}, "1 pixel"),
        ("Valid", lambda path: edit_image(path, put((3, 4), 0)), {"Valid"}, "marks 1 pixel as unknown where"),
        ("Flow", lambda path: edit_flow(path, put((3, 4), (-4.6, 0.0))), {"ExactOcclusion", "Unmatched"}, "leave the"),
        ("Flow", lambda path: edit_flow(path, put((3, 4), (-4.4, 0.0))), set(), ""),
    ],
)
def test_motion_and_masks_that_disagree_are_named(
    root: Path, name: str, damage: Callable[[Path], None], blamed: set[str], said: str, gap: str
) -> None:
    suffix = ".flo" if name == "Flow" else ".png"
    damage(root / f"train/{gap}{name}/square/forward/0002{suffix}")
    seal(root)
    expected = {
        "Valid": f"train/{gap}Valid/square/forward/0002.png",
        "ExactOcclusion": f"train/{gap}ExactOcclusion/square/forward/0002.png",
        "Unmatched": "train/UnmatchedForward/square/0002.npy",
    }
    found = defects(root)
    assert {defect.file for defect in found} == {expected[part] for part in blamed if not (gap and part == "Unmatched")}
    assert all(said in defect.what and defect.kind == "contradiction" for defect in found)
    assert all(f"{gap}Flow/square/forward/0002.flo" in defect.what for defect in found)


def test_a_mask_that_claims_motion_where_there_is_none_is_named(root: Path) -> None:
    name = "train/Valid/square/forward/0002.png"
    flow, occlusion = root / F / "0002.flo", root / "train/UnmatchedForward/square/0002.npy"
    exact = root / "train/ExactOcclusion/square/forward/0002.png"
    edit_flow(flow, put((3, 4), 1e10))
    edit_image(root / name, put((3, 4), 0))
    edit_array(occlusion, put((3, 4), 0))
    edit_image(exact, put((3, 4), 255))
    seal(root)
    assert defects(root) == []
    edit_image(root / name, put((3, 4), 255))
    seal(root)
    [defect] = defects(root)
    assert defect.file == name
    assert "marks 1 pixel as known where" in defect.what
    edit_image(root / name, put((3, 4), 0))
    edit_image(exact, put((3, 4), 0))
    edit_array(occlusion, put((3, 4), 1))
    seal(root)
    assert named(root) == {str(path.relative_to(root)) for path in (exact, occlusion)}


@pytest.mark.parametrize(
    ("name", "place", "value"),
    [
        ("train/Depth/square/0002.npy", (9, 9), np.inf),
        ("train/Depth/square/0002.npy", (0, 0), 3.0),
        ("train/Normal/square/0002.npy", (9, 9), 0.0),
        ("train/MaterialId/square/0002.png", (0, 0), 2),
    ],
)
def test_companions_that_disagree_about_where_a_surface_is_are_named(
    root: Path, name: str, place: tuple[int, int], value: float
) -> None:
    (edit_image if name.endswith(".png") else edit_array)(root / name, put(place, value))
    seal(root)
    [defect] = defects(root)
    assert (defect.file, defect.kind) == (name, "contradiction")
    assert "disagrees with train/ObjectId/square/0002.png at 1 pixel" in defect.what


M = "train/SegMatching/square/forward/0002.json"


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda path: edit_json(path, put("0", [99])), "matches segment 0 to 99, but frame 3 has segments 0 to "),
        (lambda path: edit_json(path, put("0", [])), "something other than a list"),
        (lambda path: edit_json(path, put("0", [0.0])), "something other than a list"),
        (lambda path: edit_json(path, put("0", [True])), "something other than a list"),
        (lambda path: edit_json(path, put("0", [0, 0])), "names a target of segment 0 twice"),
        (lambda path: edit_json(path, put("0", [0, -1])), "negative target"),
        (lambda path: edit_json(path, put("0", [-2])), "negative target"),
        (lambda path: edit_json(path, lambda table: table.pop("0")), "has no list for segment 0"),
        (lambda path: edit_json(path, put("x", [0])), "has no list for segment"),
        (lambda path: edit_json(path, lambda table: table.update({str(len(table)): [0]})), "has lists for"),
        (lambda path: path.write_text("[[0]]"), "holds no table"),
        (lambda path: path.write_text("7"), "holds no table"),
        (lambda path: path.write_text('{"0": [0], "0": [1]}'), "has segment '0' twice"),
        (lambda path: path.write_text("[" * 100000), "is not valid JSON"),
    ],
)
def test_wrong_matches_are_named(root: Path, damage: Callable[[Path], None], said: str) -> None:
    damage(root / M)
    seal(root)
    found = defects(root)
    assert {defect.file for defect in found} == {M}
    assert any(said in defect.what for defect in found)


def test_the_last_segment_is_a_target_and_the_one_behind_it_is_none(root: Path) -> None:
    last = int(files.read_array(root / "train/Segment/square/0003.npy").max())
    edit_json(root / M, put("0", [last]))
    seal(root)
    assert defects(root) == []
    edit_json(root / M, put("0", [last + 1]))
    seal(root)
    assert named(root) == {M}


def test_unmatched_segments_are_sound(root: Path) -> None:
    edit_json(root / M, put("0", [-1]))
    seal(root)
    assert defects(root) == []


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("train/ObjectId/square/names.json", {"0": "background"}, "shows the id 1, which names.json does not name"),
        ("train/ObjectId/square/names.json", {"zero": "background"}, "holds no table"),
        ("train/ObjectId/square/names.json", ["background"], "holds no table"),
        ("train/Flat/square/colors.json", {"0": "#000000", "1": "red", "2": "image"}, "gives id 1 no colour: 'red'"),
        (
            "train/Flat/square/colors.json",
            {"0": "#000000", "1": {"1": "#ff0000", "2": "#00ff00"}},
            "does not say which colour id 1 has in frame",
        ),
    ],
)
def test_wrong_tables_are_found(root: Path, name: str, content: Any, said: str) -> None:
    (root / name).write_text(json.dumps(content))
    seal(root)
    found = defects(root)
    assert all(said in defect.what for defect in found)
    folder = name.rpartition("/")[0]
    assert found
    assert all(defect.file.startswith(folder) for defect in found)


@pytest.mark.parametrize(
    ("name", "kind", "said"),
    [
        ("train/Segment/square/0009.npy", "stray", "belongs to no frame"),
        ("train/Segment/square/Thumbs.db", "stray", "is not a file of the dataset"),
        ("train/Segment/square/2.npy", "stray", "is not a file of the dataset"),
        ("train/Segment/square/.animerun-part-0badcafe-0002.npy", "stray", "left behind by a run that was killed"),
        ("train/Flow/square/0002.flo", "stray", "only folders belong"),
        (F + "0005.flo", "stray", "belongs to no pair"),
        (B + "0001.flo", "stray", "belongs to no pair"),
        ("train/Gap2/Flow/square/forward/0004.flo", "stray", "belongs to no pair"),
        ("train/Gap3/Flow/square/forward/0001.flo", "stray", "does not ask for"),
        ("train/Tracks/square/old.npz", "stray", "is not a file of the dataset"),
        ("train/Segment/nobody/0001.npy", "stray", "has no colour frames"),
        ("quality/nobody.json", "stray", "belongs to no cut"),
    ],
)
def test_files_that_do_not_belong_there_are_named(root: Path, name: str, kind: str, said: str) -> None:
    (root / name).parent.mkdir(parents=True, exist_ok=True)
    (root / name).write_bytes((root / F / "0002.flo").read_bytes())
    found = [defect for defect in defects(root) if defect.kind == kind]
    assert all(said in defect.what for defect in found)
    assert [defect.file for defect in found if name.startswith(defect.file)]
    others = {defect.kind for defect in defects(root)} - {kind}
    # a flow field in the place of segments is seen as such as well
    assert others <= {"unlisted", "damaged"}


def test_a_folder_and_a_pipe_in_place_of_files_are_named(root: Path) -> None:
    (root / "train/Segment/square/0002.npy").unlink()
    (root / "train/Segment/square/0002.npy").mkdir()
    (root / "train/Segment/square/0003.npy").unlink()
    os.mkfifo(root / "train/Segment/square/0003.npy")
    (root / "quality/plain.json").unlink()
    os.mkfifo(root / "quality/plain.json")
    (root / "manifest/plain.json").unlink()
    os.mkfifo(root / "manifest/plain.json")
    found = {(defect.file, defect.kind) for defect in defects(root)}
    assert found == {
        ("train/Segment/square/0002.npy", "stray"),
        ("train/Segment/square/0003.npy", "stray"),
        ("quality/plain.json", "missing"),
        ("manifest/plain.json", "manifest"),
    }


def test_a_file_with_another_number_is_missing_here_and_too_many_there(root: Path) -> None:
    lines = root / "train/contour/square"
    (lines / "0003.png").rename(lines / "0033.png")
    found = {(defect.file, defect.kind) for defect in defects(root)}
    assert found == {
        ("train/contour/square/0003.png", "missing"),
        ("train/contour/square/0033.png", "stray"),
        ("train/contour/square/0033.png", "unlisted"),
    }


def remove_frames(root: Path, *numbers: int) -> None:
    """Take frames out of a dataset as if they had never been there."""
    for number in numbers:
        for path in [*root.glob(f"train/**/*{number:04d}.*")]:
            path.unlink()


def test_frames_that_are_missing_altogether_are_one_line(root: Path) -> None:
    remove_frames(root, 2, 3)
    for path in (F + "0001.flo", B + "0004.flo"):
        (root / path).unlink()
    found = [defect for defect in defects(root) if defect.kind == "missing"]
    assert [defect.file for defect in found] == ["train/Frame_Anime/square/original/0002.png"]
    assert "everything else of the frames 2 to 3" in found[0].what


def test_a_kind_of_file_that_is_missing_altogether_is_one_line(root: Path) -> None:
    shutil.rmtree(root / "train/SegMatching/square/forward")
    [defect] = defects(root)
    assert (defect.file, defect.kind) == ("train/SegMatching/square/forward", "missing")
    shutil.rmtree(root / "train/Frame_Anime/square")
    assert named(root) == {"train/SegMatching/square/forward", "train/Frame_Anime/square/original"}


def test_files_that_the_manifest_does_not_name_are_named(root: Path) -> None:
    edit_json(root / "manifest/square.json", lambda manifest: manifest["files"].pop(F + "0002.flo"))
    [defect] = defects(root)
    assert (defect.file, defect.kind) == (F + "0002.flo", "unlisted")


def test_files_that_only_the_manifest_knows_are_named(root: Path) -> None:
    digest = "0" * 64
    edit_json(root / "manifest/square.json", lambda manifest: manifest["files"].update({"../../etc/passwd": digest}))
    [defect] = defects(root)
    assert (defect.file, defect.kind) == ("../../etc/passwd", "missing")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (put("version", 2), "is not a manifest that this version"),
        (put("cut", "circle"), "which cut and split"),
        (put("split", "both"), "which cut and split"),
        (put("split", ["train"]), "which cut and split"),
        (put("files", {"a": "b"}), "no table of checksums"),
        (put("files", None), "no table of checksums"),
        (put("config", {"name": "square"}), "what the cut was made from"),
        (put("config", None), "what the cut was made from"),
    ],
)
def test_a_manifest_that_cannot_be_believed_is_named(root: Path, change: Callable[[Any], None], said: str) -> None:
    edit_json(root / "manifest/square.json", change)
    assert any(defect.file == "manifest/square.json" and said in defect.what for defect in defects(root))


def test_a_cut_in_both_splits_is_named(root: Path) -> None:
    shutil.copytree(root / "train/Frame_Anime/square", root / "test/Frame_Anime/square")
    found = [defect for defect in defects(root) if "puts into train" in defect.what]
    assert [defect.file for defect in found] == ["test/Frame_Anime/square/original"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda data: data["pairs"].pop(), "lacks the figures of 1 pair, 4-5 first"),
        (lambda data: data["pairs"][0].update(source=7), "has figures of 7-2"),
        (lambda data: data["pairs"].append(data["pairs"][0]), "twice"),
        (lambda data: data["pairs"][0].pop("source"), "name no frames"),
        (lambda data: data["pairs"][0].update(source={}), "name no frames"),
        (put("pairs", 3), "holds no figures of pairs"),
        (put("cut", "circle"), "of another cut"),
        (put("resolution", [1, 2]), "gives [1, 2] as the resolution"),
        (lambda data: data["frame_figures"][0].update(frame=77), "frames that the clip does not have"),
        (put("failures", [{"source": 77, "target": None, "message": "m"}]), "failures of frames"),
        (put("failures", [{"source": 1}]), "name no frames"),
    ],
)
def test_a_wrong_quality_file_is_named(root: Path, change: Callable[[Any], None], said: str) -> None:
    edit_json(root / "quality/square.json", change)
    seal(root)
    found = defects(root)
    assert {defect.file for defect in found} == {"quality/square.json"}
    assert any(said in defect.what for defect in found)


def edit_cameras(root: Path, change: Callable[[dict[str, Any]], None]) -> None:
    def change_both(records: list[dict[str, Any]]) -> list[dict[str, Any]]:
        for record in records:
            change(record)
        return records

    there = range(1, 6)
    records = change_both([cameras.read_record(root, "square", frame) for frame in there])
    cameras.write_cameras(root, "train", "square", records)


def test_wrong_cameras_are_named(root: Path) -> None:
    described, arrays = "train/Camera/square.json", "train/Camera/square.npz"
    edit_json(root / described, lambda data: data["frames"][2]["camera"].update(far=90.0))
    seal(root)
    [defect] = defects(root)
    assert (defect.file, defect.what) == (described, f"has other cameras than {arrays}")
    edit_cameras(root, lambda record: record.update(resolution=[48, 64]))
    seal(root)
    [defect] = defects(root)
    assert (defect.file, defect.kind, "of another size" in defect.what) == (arrays, "contradiction", True)
    edit_cameras(root, lambda record: record.update(frame=record["frame"] + 1))
    seal(root)
    [defect] = defects(root)
    assert (defect.file, "of other frames" in defect.what) == (arrays, True)
    edit_json(root / described, lambda data: data.pop("frames"))
    seal(root)
    assert {described, arrays} == named(root)
    (root / "train/Camera/circle.npz").write_bytes(b"")
    assert "train/Camera/circle.npz" in named(root)


def test_change_of_depth_where_motion_is_unknown_is_named(root: Path) -> None:
    name = "train/SceneFlow/square/forward/0002.npy"
    edit_flow(root / (F + "0002.flo"), put((8, 8), 1e10))
    edit_image(root / "train/Valid/square/forward/0002.png", put((8, 8), 0))
    edit_image(root / "train/ExactOcclusion/square/forward/0002.png", put((8, 8), 255))
    edit_array(root / "train/UnmatchedForward/square/0002.npy", put((8, 8), 0))
    edit_array(root / name, put((8, 8), 0.5))
    seal(root)
    [defect] = defects(root)
    assert (defect.file, defect.kind) == (name, "contradiction")
    assert "at 1 pixel whose motion is unknown" in defect.what


def test_what_is_past_a_bar_of_the_quality_gate_is_a_defect(root: Path) -> None:
    failure = {"source": 1, "target": 2, "direction": "forward", "figure": "warp_error", "value": 0.5, "bar": 0.01}
    edit_json(root / "quality/square.json", put("failures", [{**failure, "message": "pair 1-2 is wrong; look at it"}]))
    seal(root)
    [defect] = defects(root, quick=True)
    assert str(defect) == "quality/square.json: pair 1-2 is wrong (look at it)"
    assert defect.kind == "quality"


def rewrite_tracks(path: Path, **changes: Any) -> None:
    with np.load(path) as archive:
        arrays = {name: archive[name] for name in archive.files}
    np.savez(path, **{**arrays, **changes})


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"seed": np.uint32(9)}, "another seed"),
        ({"requested": np.int32(9)}, "another number of points"),
        ({"frames": np.array([1, 2, 3, 4, 6], np.int32)}, "through other frames"),
        ({"position": np.zeros((5, 5, 3))}, "position is (5, 5, 3) of float64"),
        ({"depth": np.full((5, 5), np.nan, np.float32)}, "position, world and depth"),
        ({"world": np.full((5, 5, 3), np.nan)}, "position, world and depth"),
        ({"junk": np.zeros(10)}, "holds 208 bytes as junk"),
    ],
    ids=lambda value: "",
)
def test_wrong_tracks_are_named(root: Path, changes: dict[str, Any], said: str) -> None:
    name = "train/Tracks/square/tracks.npz"
    rewrite_tracks(root / name, **changes)
    seal(root)
    found = defects(root)
    assert {defect.file for defect in found} == {name}
    assert said in found[0].what


def test_an_archive_that_unpacks_to_gigabytes_is_not_unpacked(root: Path) -> None:
    name = "train/Tracks/square/tracks.npz"
    with zipfile.ZipFile(root / name, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("frames.npy", "w") as member:
        for _ in range(64):
            member.write(bytes(1 << 20))
    seal(root)
    [defect] = defects(root)
    assert defect.file == name
    assert "bytes as frames, more than 5 frames of 5 points have" in defect.what


def npy_header(text: str) -> bytes:
    header = text.encode().ljust(118, b" ")
    return b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header


def png_header(width: int, height: int) -> bytes:
    return b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0) + bytes(4)


END = b"\0\0\0\0IEND\xaeB`\x82"


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("Segment/square/0002.npy", npy_header("{'descr': '<i4', 'fortran_order': False, 'shape': (10**9, 10**9)}")),
        ("Segment/square/0002.npy", npy_header("{'descr': '<i4', 'fortran_order': False, 'shape': (999999, 999999)}")),
        ("Segment/square/0002.npy", npy_header("{'descr': '|O', 'fortran_order': False, 'shape': (48, 64)}")),
        ("Segment/square/0002.npy", npy_header("{'descr': '<i4', 'fortran_order': False, 'shape': (-48, 64)}")),
        ("Segment/square/0002.npy", npy_header("__import__('os').abort()")),
        ("Segment/square/0002.npy", npy_header("(" * 100)),
        ("Segment/square/0002.npy", b"\x93NUMPY\x02\x00\xff\xff\xff\xff"),
        ("Segment/square/0002.npy", b"PK\x03\x04"),
        ("Flow/square/forward/0002.flo", b"PIEH" + struct.pack("<ii", 2**31 - 1, 2**31 - 1)),
        ("Flow/square/forward/0002.flo", b"PIEH" + struct.pack("<ii", -64, -48) + bytes(8 * 64 * 48)),
        ("Frame_Anime/square/original/0002.png", png_header(2**31 - 1, 2**31 - 1) + END),
        ("Frame_Anime/square/original/0002.png", png_header(64, 48) + END),
        ("Frame_Anime/square/original/0002.png", png_header(0, 0) + END),
        ("Frame_Anime/square/original/0002.png", png_header(64, 48)),
    ],
)
def test_hostile_headers_are_named_and_not_believed(root: Path, name: str, content: bytes) -> None:
    (root / "train" / name).write_bytes(content)
    seal(root)
    for quick in (False, True):
        # a picture whose header and end alone are right is nothing that a look at those could find
        if not (quick and content == png_header(64, 48) + END):
            assert named(root, quick=quick) == {f"train/{name}"}


@pytest.mark.parametrize("name", [F + "0002.flo", M, "train/Frame_Anime/square/original/0002.png"])
def test_files_of_terabytes_are_not_read(root: Path, name: str) -> None:
    os.truncate(root / name, 1 << 42)
    assert named(root) == {name}


def test_a_downloaded_dataset_is_checked_by_its_layout(root: Path) -> None:
    """As AnimeRun comes: without anything that this program put beside it."""
    shutil.rmtree(root / ".animerun-gen")
    shutil.rmtree(root / "manifest")
    shutil.rmtree(root / "quality")
    for split in ("train", "test"):
        for folder in (
            "Flat",
            "Valid",
            "ExactOcclusion",
            "Depth",
            "Normal",
            "ObjectId",
            "MaterialId",
            "SceneFlow",
            "Correspondence",
            "Camera",
            "Tracks",
            "Gap2",
        ):
            shutil.rmtree(root / split / folder, ignore_errors=True)
    # published clips have passes in other colours, perhaps not of every frame
    passes = root / "train/Frame_Anime/square"
    shutil.copytree(passes / "original", passes / "color_1")
    (passes / "color_1" / "0003.png").unlink()
    # what others write in other types is none of our business
    other_dtype(root / "train/Segment/square/0002.npy")
    with_alpha(root / "train/Frame_Anime/square/original/0004.png")
    coloured(root / "train/contour/square/0004.png")
    edit_array(root / "train/LineArea/square/0002.npy", lambda mask: mask.__imul__(255))
    for report in verify(root):
        assert (report.defects, report.ours, report.has_manifest) == ([], False, False)
        assert any("there is no manifest" in note for note in report.notes)
        assert report.frames == {"square": 5, "plain": 3}[report.cut]

    (root / F / "0002.flo").unlink()
    edit_array(root / "train/LineArea/square/0003.npy", put((0, 0), 7))
    edit_array(root / "train/Segment/square/0003.npy", unlabel)
    other_shape(root / "train/UnmatchedForward/square/0001.npy")
    lines = root / "train/contour/square"
    (lines / "0003.png").rename(lines / "0033.png")
    remove_frames(root, 5)
    (root / "test/contour/plain/0009.png").unlink()
    assert named(root) == {
        F + "0002.flo",
        "train/LineArea/square/0003.npy",
        "train/Segment/square/0003.npy",
        "train/UnmatchedForward/square/0001.npy",
        "train/contour/square/0003.png",
        "train/contour/square/0033.png",
        "test/contour/plain/0009.png",
        # frame 5 went without a trace, but the pair of frames 4 and 5 did not
        *(f"train/{name}" for name in pair_files(4)),
    }


def pair_files(frame: int) -> list[str]:
    return [
        f"Flow/square/forward/{frame:04d}.flo",
        f"SegMatching/square/forward/{frame:04d}.json",
        f"UnmatchedForward/square/{frame:04d}.npy",
        f"LineArea/square/{frame:04d}.npy",
    ]


def test_a_hole_in_a_downloaded_clip_is_one_line(tmp_path: Path) -> None:
    writer = ClipWriter(tmp_path, "train", "clip")
    for frame in (10, 12, 14, 22, 24, 26):
        writer.write("frame", frame, np.zeros((4, 6, 3), np.uint8))
        writer.write("contour", frame, np.zeros((4, 6), np.uint8))
    found = [defect for defect in defects(tmp_path) if "everything else of" in defect.what]
    assert [defect.file for defect in found] == ["train/Frame_Anime/clip/original/0016.png"]
    assert "the frames 16 to 20" in found[0].what


def test_only_the_cuts_that_are_asked_for(root: Path) -> None:
    (root / F / "0002.flo").unlink()
    (root / "quality/nobody.json").touch()
    assert [report.cut for report in verify(root, ["plain"])] == ["plain"]
    assert defects(root, cuts=["plain"]) == []
    assert named(root, cuts=["square"]) == {F + "0002.flo"}
    with pytest.raises(ConfigError, match="has no cut 'circle'; the cuts there are: plain, square"):
        verify(root, ["circle"])


@pytest.mark.parametrize("empty", ["", "train", "train/Frame_Anime"])
def test_what_is_no_dataset(tmp_path: Path, empty: str) -> None:
    (tmp_path / empty).mkdir(parents=True, exist_ok=True)
    with pytest.raises(ConfigError, match=r"is not a dataset|has no cuts"):
        verify(tmp_path)


def test_workers_find_the_same(root: Path) -> None:
    (root / F / "0002.flo").unlink()
    unlabelled = root / "train/Segment/square/0004.npy"
    edit_array(unlabelled, unlabel)
    edit_json(root / M, put("0", [99]))
    flip_bit(root / "test/contour/plain/0006.png", 60)
    assert verify(root, workers=3) == verify(root)
    assert len(defects(root)) >= 5


def test_kinds_of_defects_are_all_known(root: Path) -> None:
    lines = describe([CutReport("a", "train", 2, 40, defects=[Defect("f", kind, "is wrong") for kind in KINDS])])
    assert lines[0].startswith(f"a (train): 2 frames, 40 files: {len(KINDS)} defects: 1 missing; 1 that do not belong")
    assert lines[1] == "f: is wrong (delete it and make or download it again)"


def test_names_cannot_forge_lines(root: Path) -> None:
    (root / "train/Segment/square/evil\nall is well\x1b[2J\udcff").touch()
    lines = describe(verify(root))
    [line] = [line for line in lines if "evil" in line]
    assert line.startswith(r"train/Segment/square/evil\nall is well\x1b[2J\udcff: is not a file of the dataset")


def test_the_command_says_what_it_found(root: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["verify", str(root)]) == 0
    output, progress = capsys.readouterr()
    assert output.splitlines() == [
        "plain (test): 3 frames, 43 files: no defect",
        "square (train): 5 frames, 125 files: no defect",
        "2 cuts, 168 files: no defect",
    ]
    assert "verifying: 100%" in progress
    (root / F / "0002.flo").unlink()
    flip_bit(root / "test/contour/plain/0006.png", 60)
    assert main(["verify", str(root), "--json", str(tmp_path / "found.json")]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert "square (train): 5 frames, 124 files: 1 defect: 1 missing" in lines
    assert f"{F}0002.flo: is missing (run 'animerun-gen generate' again)" in lines
    damaged = {line.partition(": ")[0] for line in lines[:-1] if ": " in line} - {"plain (test)", "square (train)"}
    assert len(damaged) < len(lines) - 3, "of one file two things are said"
    assert lines[-1] == f"2 cuts, 167 files: {len(lines) - 3} defects in {len(damaged)} files"
    results = json.loads((tmp_path / "found.json").read_text())
    assert [cut["cut"] for cut in results["cuts"]] == ["plain", "square"]
    [defect] = results["cuts"][1]["defects"]
    assert (defect["file"], defect["kind"]) == (F + "0002.flo", "missing")
    assert main(["verify", str(root), "--cut", "square", "--quick", "--workers", "2"]) == 1
    assert main(["verify", str(root), "--cut", "circle"]) == 2
    assert main(["verify", str(tmp_path / "nowhere")]) == 2
    assert "is not a dataset" in capsys.readouterr().err


def test_folders_that_are_missing_are_counted_as_such(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.rmtree(root / "train/SegMatching/square/forward")
    assert main(["verify", str(root)]) == 1
    assert capsys.readouterr().out.splitlines()[-1].endswith(": 1 defect in 1 folder")
    (root / F / "0002.flo").unlink()
    assert main(["verify", str(root)]) == 1
    assert capsys.readouterr().out.splitlines()[-1].endswith(": 2 defects in 1 file and 1 folder")


def test_the_dataset_agrees_with_its_reader(made: Path) -> None:
    """What is called sound can be read."""
    for clip in Dataset(made).clips():
        for name in ("frame", "flow_forward", "segment", "match_backward"):
            for frame in clip.frames(name):
                clip.read(name, frame)


def test_kinds_and_gaps_are_held_against_the_line_art(tmp_path: Path) -> None:
    """Without a manifest nothing else would tell that a map is of other lines."""
    contour = np.full((8, 8), 255, np.uint8)
    contour[2] = contour[:, 5] = 0
    kinds = np.where(contour == 0, 1, 0).astype(np.uint8)
    kinds[7, 0] = 7  # a border of the shade has no ink
    gaps = np.where(contour == 0, 2, 0).astype(np.uint8)

    def found(kinds: Any, gaps: Any) -> list[str]:
        maps = {"contour": contour, "line_kind": kinds, "line_gap": gaps}
        for name, value in maps.items():
            files.write_image(tmp_path / f"{name}.png", value)
        listed = tuple(FrameFile(f"{name}.png", modality(name)) for name in maps)
        return [str(defect) for defect in FrameInspection(tmp_path, 1, listed, (8, 8)).run().defects]

    assert found(kinds, gaps) == []
    kinds[0, 0], kinds[2, 0], gaps[0, :3] = 2, 0, 1
    assert found(kinds, gaps) == [
        f"line_kind.png: disagrees with contour.png at 2 pixels about where a line is ({AGAIN})",
        f"line_gap.png: opens lines at 3 pixels at which contour.png has none ({AGAIN})",
    ]
