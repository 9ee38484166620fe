"""Masks and segments may be compressed: everything reads them as it reads plain ones, and nothing else changes."""

from __future__ import annotations

import hashlib
import json
import zipfile
from pathlib import Path

import numpy as np
import pytest

from animerun_gen.cli import main
from animerun_gen.dataset import Dataset, files
from animerun_gen.dataset.headers import read_header
from animerun_gen.dataset.modalities import MODALITIES, modality
from animerun_gen.dataset.pairs import Wanted, chosen_clips, find_pairs, read_sample
from animerun_gen.errors import DatasetError
from animerun_gen.pipeline.state.on_disk import is_whole
from animerun_gen.pipeline.state.status import read_status
from animerun_gen.publish.about import About
from animerun_gen.publish.card import write_card
from animerun_gen.verify.run import verify
from tests.pipeline.datasets import contents, make, make_cut, times
from tests.pipeline.fake_engine import FakeEngine

SMALL = [what for what in MODALITIES if what.is_compressible]
COMPRESSED = {"dataset": {"compression": "npz"}}


@pytest.fixture
def plain(tmp_path: Path) -> Path:
    make(make_cut(tmp_path, {}), tmp_path / "plain", FakeEngine())
    return tmp_path / "plain"


@pytest.fixture
def small(tmp_path: Path) -> Path:
    make(make_cut(tmp_path, COMPRESSED), tmp_path / "small", FakeEngine())
    return tmp_path / "small"


def test_masks_and_segments_alone_are_compressed(plain: Path, small: Path) -> None:
    assert {what.name for what in SMALL} == {"occlusion_forward", "occlusion_backward", "line_area", "segment"}
    one, other = Dataset(plain).clip("square"), Dataset(small).clip("square")
    for what in (what for what in MODALITIES if what.kind != "clip"):
        for frame in one.frames(what.name):
            if not one.has(what.name, frame):
                continue
            before, after = one.path(what.name, frame), other.path(what.name, frame)
            if what in SMALL:
                assert (before.suffix, after.suffix) == (".npy", ".npz")
                assert after.stat().st_size < before.stat().st_size / 5
                # without this package, too: the same array, of the same type and the same polarity
                with np.load(after, allow_pickle=False) as archive:
                    assert archive.files == ["array"]
                    np.testing.assert_array_equal(archive["array"], np.load(before), strict=True)
            else:
                assert after.read_bytes() == before.read_bytes()
            np.testing.assert_array_equal(one.read(what.name, frame), other.read(what.name, frame))
    assert not list(small.glob("*/Segment/*/*.npy"))
    assert not list(plain.glob("*/Segment/*/*.npz"))


def test_samples_are_the_same(plain: Path, small: Path) -> None:
    wanted = Wanted(reverse=True)
    pairs = [find_pairs(chosen_clips(root, "train"), wanted)[0] for root in (plain, small)]
    assert len(pairs[0]) == len(pairs[1]) == 4
    for one, other in zip(*pairs, strict=True):
        samples = [read_sample(files, "frame") for files in (one, other)]
        assert samples[0].keys() == samples[1].keys() >= {"occs", "occs_b"}
        for key in samples[0].keys() - {"meta"}:
            np.testing.assert_array_equal(samples[0][key], samples[1][key], strict=True)


def test_it_is_complete_and_sound(small: Path) -> None:
    [report] = verify(small)
    assert (report.defects, report.notes) == ([], [])
    [status] = read_status(small).cuts
    assert (status.state, status.missing) == ("complete", [])
    listed = json.loads((small / "manifest/square.json").read_bytes())["files"]
    name = "train/Segment/square/0002.npz"
    assert listed[name] == hashlib.sha256((small / name).read_bytes()).hexdigest()


def test_another_run_has_nothing_to_do_and_another_form_makes_labels_again(tmp_path: Path, small: Path) -> None:
    before = times(small)
    [summary] = make(make_cut(tmp_path, COMPRESSED), small, FakeEngine())
    assert (summary.rendered, summary.labelled) == (set(), 0)
    assert times(small) == before
    [summary] = make(make_cut(tmp_path, {}), small, FakeEngine())
    assert summary.rendered == set()
    assert summary.redone == {"labels": 'dataset.compression was "npz" and is "none"'}
    assert not list(small.rglob("Segment/square/*.npz"))
    fresh = tmp_path / "fresh"
    make(make_cut(tmp_path, {}), fresh, FakeEngine())
    labels = [name for name in contents(fresh) if name.endswith(".npy")]
    assert {name: contents(small)[name] for name in labels} == {name: contents(fresh)[name] for name in labels}


def test_a_lost_file_is_missed_and_made_again(tmp_path: Path, small: Path) -> None:
    name = "train/UnmatchedBackward/square/0003.npz"
    made = (small / name).read_bytes()
    (small / name).unlink()
    [report] = verify(small)
    assert [(defect.file, defect.kind) for defect in report.defects] == [(name, "missing")]
    make(make_cut(tmp_path, COMPRESSED), small, FakeEngine())
    assert (small / name).read_bytes() == made


def test_a_folder_that_is_gone_is_missed_as_it_was(small: Path) -> None:
    for file in small.glob("train/Segment/square/*"):
        file.unlink()
    (small / "train/Segment/square").rmdir()
    [report] = verify(small)
    assert "train/Segment/square" in {defect.file for defect in report.defects}
    assert not any(defect.file.endswith(".npy") for defect in report.defects)


def test_plain_files_beside_compressed_ones_do_not_belong(small: Path) -> None:
    stray = small / "train/Segment/square/0002.npy"
    np.save(stray, np.zeros((48, 64), np.int32))
    [report] = verify(small)
    assert [(defect.file, defect.kind) for defect in report.defects] == [
        (f"train/Segment/square/{stray.name}", "stray")
    ]


def bomb(path: Path, size: int) -> None:
    """An array that is far larger than its header says."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        header = b"{'descr': '|u1', 'fortran_order': False, 'shape': (48, 64)}\n"
        archive.writestr("array.npy", b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header + bytes(size))


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda path: path.write_bytes(path.read_bytes()[:-30]), "is not a complete .npz file"),
        (lambda path: path.write_bytes(b"\x93NUMPY"), "is not a complete .npz file"),
        (
            lambda path: files.write_arrays(path, {"mask": np.zeros((48, 64), np.uint8)}),
            "is not a .npz file of one arr",
        ),
        (lambda path: files.write_array(path, np.zeros((48, 64), np.int64)), "48 x 64 int64, but a file of"),
        (lambda path: files.write_array(path, np.zeros((48, 63), np.uint8)), "48 x 63 uint8, but the clip's"),
        (lambda path: files.write_array(path, np.full((48, 64), 7, np.uint8)), "is not a mask"),
        (lambda path: bomb(path, 100 << 20), "bytes where 48 x 64 uint8 needs"),
        (lambda path: bomb(path, 0), "bytes where 48 x 64 uint8 needs"),
    ],
)
def test_damaged_ones_are_found(small: Path, spoil: object, said: str) -> None:
    assert callable(spoil)
    path = small / "train/LineArea/square/0002.npz"
    spoil(path)
    for quick in (False, True):
        [report] = verify(small, quick=quick)
        found = [defect.what for defect in report.defects if defect.file == "train/LineArea/square/0002.npz"]
        # what the values are, a quick look does not see
        assert any(said in what for what in found) or (quick and said == "is not a mask")


def test_readers_refuse_what_is_no_such_file(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    files.write_array(path, np.arange(6, dtype=np.int32).reshape(2, 3))
    assert files.read_array(path).tolist() == [[0, 1, 2], [3, 4, 5]]
    assert is_whole(path, modality("segment").compressed)
    header = read_header(path, modality("segment").compressed)
    assert header is not None
    assert (header.shape, header.dtype, header.size) == ((2, 3), "int32", None)
    data = bytearray(path.read_bytes())
    data[60] ^= 1
    path.write_bytes(data)
    assert not is_whole(path, modality("segment").compressed)
    with pytest.raises(DatasetError, match=r"a\.npz is not a complete \.npz file"):
        files.read_array(path)


def test_it_is_published_as_it_is(small: Path, tmp_path: Path) -> None:
    write_card(small, About("Toy", "Ann", "https://example.org", "2026-11-28", "1"))
    sets = json.loads((small / "croissant.json").read_bytes())["distribution"]
    [segments] = [one for one in sets if one["name"] == "segment"]
    assert segments["includes"] == "*/Segment/*/*.npz"
    assert len(list(small.glob(segments["includes"]))) == 5
    assert segments["encodingFormat"] == "application/zip"
    # another cut has them plain
    make(make_cut(tmp_path, {"name": "other"}), small, FakeEngine())
    write_card(small, About("Toy", "Ann", "https://example.org", "2026-11-28", "1"))
    sets = json.loads((small / "croissant.json").read_bytes())["distribution"]
    [segments] = [one for one in sets if one["name"] == "segment"]
    assert segments["includes"] == ["*/Segment/*/*.npy", "*/Segment/*/*.npz"]


@pytest.mark.parametrize("layout", ["sintel", "paintbucket"])
def test_exports_are_the_same(plain: Path, small: Path, tmp_path: Path, layout: str) -> None:
    for root in (plain, small):
        assert main(["export", str(root), "--layout", layout, "--out", str(tmp_path / f"{root.name}-{layout}")]) == 0
    one, other = (contents(tmp_path / f"{root.name}-{layout}") for root in (plain, small))
    assert one.keys() == other.keys()
    assert [name for name in one if one[name] != other[name] and name != "export.json"] == []


def test_a_mask_of_a_million_segments_keeps_its_numbers(tmp_path: Path) -> None:
    segments = np.arange(1_000_000, dtype=np.int32).reshape(1000, 1000)
    files.write_array(tmp_path / "a.npz", segments)
    np.testing.assert_array_equal(files.read_array(tmp_path / "a.npz"), segments)
