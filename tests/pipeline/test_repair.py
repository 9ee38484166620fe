"""One byte of a file is not what was made: nobody calls the cut complete, and it can be made again by itself."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from animerun_gen.cli import main
from animerun_gen.config import CutConfig
from animerun_gen.dataset import files
from animerun_gen.dataset.checksums import file_digest
from animerun_gen.engines.blenders import BpyModule
from animerun_gen.pipeline.describe import describe
from animerun_gen.pipeline.options import Options
from animerun_gen.pipeline.run import generate
from animerun_gen.pipeline.state.figures import _basis
from animerun_gen.pipeline.state.ledger import open_ledger, read_ledger
from animerun_gen.pipeline.state.lock import exclusive
from animerun_gen.pipeline.state.status import describe_status, read_status
from animerun_gen.verify.run import verify
from tests.pipeline.datasets import contents, edit_ledger, make, make_cut, stage_of, times
from tests.pipeline.fake_engine import FakeEngine

EVERYTHING = {
    "frames": {"last": 4},
    "motion": {"extras": ["depth", "ids", "normals", "exact_occlusion"], "gaps": [1, 2], "tracks": 7},
    "recolor": {"passes": 1},
}
STATE = ".animerun-gen"
FLOW = "train/Flow/square/forward/0002.flo"
LABEL = "train/Segment/square/0002.npy"


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished dataset with all kinds of files, and its film; nobody may change it."""
    folder = tmp_path_factory.mktemp("repair")
    make(make_cut(folder, EVERYTHING), folder / "out", FakeEngine())
    return folder


@pytest.fixture
def config(finished: Path) -> CutConfig:
    return make_cut(finished, EVERYTHING)


@pytest.fixture
def output(finished: Path, tmp_path: Path, config: CutConfig) -> Path:
    """A copy of it, whose files a run has looked into."""
    output = shutil.copytree(finished / "out", tmp_path / "out")
    make(config, output, FakeEngine())
    return output


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> FakeEngine:
    """What the commands take for the bpy module."""
    engine = FakeEngine()
    monkeypatch.setattr(BpyModule, "find", lambda: engine)
    return engine


def flip(path: Path, *, unseen: bool = False) -> None:
    """Change one bit of a file, so that it can be read as before.

    Args:
        path: The file.
        unseen: Whether its size and time of change are as before, too.
    """
    data, status = bytearray(path.read_bytes()), path.stat()
    # a letter or digit of a text becomes another one
    place = max(place for place in range(len(data)) if path.suffix != ".json" or chr(data[place]).isalnum())
    data[place] ^= 1
    path.write_bytes(data)
    if unseen:
        os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def forget_that_it_changed(output: Path, name: str) -> None:
    """Let a file look as if nobody had written to it: a disk that reads other bits has no time of change for them."""
    key = name.removeprefix("train/")
    status = (output / name).stat()
    mark = f"{status.st_size} {status.st_mtime_ns} {status.st_ctime_ns} {status.st_ino}"

    def put_mark(kept: dict[str, Any]) -> None:
        files = kept["checksums"]["files"]
        files[key] = f"{mark} {files[key].rpartition(' ')[2]}"

    edit_ledger(output, "square", put_mark)


def lasting_files(output: Path) -> list[str]:
    """One file of each kind and folder that stays as it is once it is made."""
    by_place: dict[tuple[Path, str, str], str] = {}
    for name in contents(output):
        path = Path(name)
        if stage_of(name) or path.parts[0] == "recolor":
            by_place.setdefault((path.parent, path.suffix, path.stem.strip("0123456789")), name)
    return list(by_place.values())


def test_a_cut_with_damaged_files_is_not_complete_and_repaired(
    finished: Path, config: CutConfig, output: Path, engine: FakeEngine, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = contents(output)
    names = lasting_files(output)
    assert len(names) > 30
    # those that a run recognises by themselves it makes again by itself
    silent = [name for name in names if not name.endswith((".png", ".npz")) and "/Camera/" not in name]
    for name in silent:
        flip(output / name)
    [cut] = read_status(output).cuts
    assert cut.state == "damaged"
    assert f"{len(silent)} (" in cut.damage[0]
    for _ in range(2):
        [summary] = generate([config], Options(output, FakeEngine()))
        assert summary.damaged == sorted(silent)
        lines = describe([summary], output)
        assert lines[0] == "square: DAMAGED"
        assert f"  to make only these files again: animerun-gen verify {output} --cut square --repair" in lines
    [cut] = read_status(output).cuts
    assert cut.state == "damaged"
    assert describe_status(read_status(output), output)[-1].endswith(f": animerun-gen verify {output} --repair")
    assert main(["verify", str(output), "--repair"]) == 0
    assert f"square: {len(silent)} damaged files will be made again: " in capsys.readouterr().out
    assert contents(output) == whole
    assert read_status(output).complete
    [summary] = make(config, output, FakeEngine())
    assert (summary.rendered, summary.labelled, summary.damaged) == (set(), 0, [])


@pytest.mark.parametrize("name", [FLOW, LABEL, "train/ObjectId/square/names.json", "recolor/square.json"])
def test_what_only_verify_can_see_counts_from_then_on(
    config: CutConfig, output: Path, engine: FakeEngine, name: str
) -> None:
    whole = contents(output)
    flip(output / name)
    forget_that_it_changed(output, name)
    assert read_status(output).complete
    assert {defect.file for report in verify(output) for defect in report.defects} == {name}
    assert read_status(output).cuts[0].state == "damaged"
    [summary] = generate([config], Options(output, FakeEngine()))
    assert summary.damaged == [name]
    assert main(["verify", str(output), "--repair"]) == 0
    assert contents(output) == whole
    assert read_status(output).complete


def test_quality_figures_are_collected_anew_whoever_sees_that_they_are_damaged(config: CutConfig, output: Path) -> None:
    whole = contents(output)
    for looks in (False, True):
        flip(output / "quality/square.json")
        forget_that_it_changed(output, "quality/square.json")
        # the last collection took them for what it wrote
        edit_ledger(output, "square", lambda kept: kept["judged"].update(basis=_basis(output, config)))
        if looks:
            assert any(report.defects for report in verify(output))
        [summary] = make(config, output, FakeEngine())
        assert (summary.damaged, summary.labelled) == ([], 0)
        assert contents(output) == whole


def test_only_what_is_damaged_is_made_again(output: Path, engine: FakeEngine) -> None:
    before = times(output)
    flip(output / LABEL)
    flip(output / "train/Depth/square/0003.npy")
    assert main(["verify", str(output), "--repair"]) == 0
    written = {name for name, time in times(output).items() if before[name] != time}
    # any visit to the scene brings the tables, and each file of figures is of a frame
    assert {
        name for name in written if not name.startswith((STATE, "quality", "manifest")) and "s.json" not in name
    } >= {
        LABEL,
        "train/Depth/square/0003.npy",
    }
    [job] = engine.jobs
    assert (job.frames, job.pictures, job.pairs, job.tracks) == ((3,), (), (), False)


def test_labels_are_repaired_without_blender_and_film(
    finished: Path, output: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = contents(output)

    def refuse() -> None:
        raise AssertionError("nothing here needs a Blender")

    monkeypatch.setattr(BpyModule, "find", refuse)
    film = finished / "film.blend"
    film.rename(finished / "elsewhere")
    try:
        flip(output / LABEL)
        assert main(["verify", str(output), "--repair"]) == 0
    finally:
        (finished / "elsewhere").rename(film)
    assert contents(output) == whole


def test_of_patterns_the_one_written_first_counts_when_files_are_repaired(tmp_path: Path, engine: FakeEngine) -> None:
    """Neither layers nor colours are kept by their names, so what is kept of the configuration must not be sorted."""
    groups = {"square": {"objects": ["Square"]}, "other": {"objects": ["*"]}}
    config = make_cut(
        tmp_path,
        {
            "layers": {"write": True, "groups": groups},
            "lines": {"engine": "geometry"},
            "style": {"overrides": {"Sky": "#102030", "*": "#405060"}},
        },
    )
    output = tmp_path / "out"
    make(config, output, engine)
    whole = contents(output)
    flip(output / FLOW)
    assert main(["verify", str(output), "--repair"]) == 0
    assert contents(output) == whole
    kept = CutConfig.model_validate(read_ledger(output, "square").origin.config)
    assert [list(kept.layers.groups), list(kept.style.overrides)] == [["square", "other"], ["Sky", "*"]]


def test_nothing_is_removed_that_cannot_be_made_again(
    finished: Path,
    output: Path,
    engine: FakeEngine,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    flip(output / FLOW)
    damaged = contents(output)
    film = finished / "film.blend"
    film.rename(finished / "elsewhere")
    try:
        assert main(["verify", str(output), "--repair"]) == 1
        assert f"square cannot be repaired: its film {film} is not there; put it there" in capsys.readouterr().out
        film.write_bytes(b"another film")
        assert main(["verify", str(output), "--repair"]) == 1
        assert f"square cannot be repaired: {film} has changed since it was made; run" in capsys.readouterr().out
    finally:
        (finished / "elsewhere").rename(film)
    monkeypatch.setattr(BpyModule, "find", lambda: FakeEngine("Blender 9"))
    assert main(["verify", str(output), "--repair"]) == 1
    assert "it was made with Blender 1.2.3, and this is Blender 9; name that" in capsys.readouterr().out
    monkeypatch.setattr("animerun_gen.pipeline.state.fingerprints.__version__", "99")
    monkeypatch.setattr(BpyModule, "find", lambda: engine)
    assert main(["verify", str(output), "--repair"]) == 1
    assert "it was made by another version of this program" in capsys.readouterr().out
    assert contents(output) == damaged
    assert not engine.jobs


def test_a_dataset_cannot_have_the_scripts_of_a_film_run(
    tmp_path: Path, engine: FakeEngine, capsys: pytest.CaptureFixture[str]
) -> None:
    make(make_cut(tmp_path, {"trust_scripts": True}), tmp_path / "out", FakeEngine())
    flip(tmp_path / "out" / FLOW)
    assert main(["verify", str(tmp_path / "out"), "--repair"]) == 1
    assert "the scripts of its film are to run (trust_scripts)" in capsys.readouterr().out
    assert not engine.jobs


def test_what_was_made_elsewhere_cannot_be_repaired(
    output: Path, engine: FakeEngine, capsys: pytest.CaptureFixture[str]
) -> None:
    flip(output / FLOW)
    shutil.rmtree(output / STATE)
    before = contents(output)
    assert main(["verify", str(output), "--repair"]) == 1
    assert "square cannot be repaired: there is no record of what it was made from; run" in capsys.readouterr().out
    assert contents(output) == before
    assert not (output / STATE).exists()


def test_a_record_of_another_cut_is_not_believed(
    output: Path, engine: FakeEngine, capsys: pytest.CaptureFixture[str]
) -> None:
    flip(output / FLOW)
    edit_ledger(output, "square", lambda kept: kept["made_from"]["config"].update(name="other"))
    assert main(["verify", str(output), "--repair"]) == 1
    assert "square cannot be repaired: there is no record of what it was made from; run" in capsys.readouterr().out
    assert (output / FLOW).exists()
    assert not engine.jobs


def test_missing_files_and_links_are_replaced(
    tmp_path: Path, output: Path, engine: FakeEngine, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = contents(output)
    (output / LABEL).unlink()
    outside = tmp_path / "outside.flo"
    (output / FLOW).rename(outside)
    (output / FLOW).symlink_to(outside)
    os.unlink(output / "train/Valid/square/forward/0003.png")
    os.mkfifo(output / "train/Valid/square/forward/0003.png")
    assert main(["verify", str(output), "--repair"]) == 0
    assert contents(output) == whole
    assert not (output / FLOW).is_symlink()
    assert outside.read_bytes() == whole[FLOW]


def test_kept_figures_are_made_again(config: CutConfig, output: Path) -> None:
    whole = contents(output)
    for name in (f"{STATE}/figures/square/pair-0002.json", f"{STATE}/figures/square/frame-0003.json"):
        flip(output / name)
    [summary] = make(config, output, FakeEngine())
    assert contents(output) == whole
    [note] = summary.notes
    assert note.startswith(f"damaged files, which are made again: 2 ({STATE}/figures/square/frame-0003.json")
    assert summary.labelled == 2


def test_a_restored_file_is_as_good_as_a_new_one(config: CutConfig, output: Path) -> None:
    data = (output / FLOW).read_bytes()
    flip(output / FLOW)
    generate([config], Options(output, FakeEngine()))
    (output / FLOW).write_bytes(data)
    assert read_status(output).complete
    [summary] = make(config, output, FakeEngine())
    assert summary.damaged == []


@pytest.mark.parametrize("changes", [{}, {"labels": {"ball_radius": 1}}], ids=["same labels", "other labels"])
def test_nothing_is_made_from_what_is_damaged(
    tmp_path: Path, finished: Path, output: Path, engine: FakeEngine, changes: dict[str, Any]
) -> None:
    config = make_cut(finished, {**EVERYTHING, **changes})
    make(config, tmp_path / "whole", FakeEngine())
    for name in (FLOW, "train/ObjectId/square/0002.png", "train/MaterialId/square/names.json"):
        flip(output / name)
    # a picture that can be read as before, with the checksums of its own
    picture = files.read_image(output / "train/contour/square/0003.png")
    files.write_image(output / "train/contour/square/0003.png", np.invert(picture))
    shutil.rmtree(output / "train/SegMatching")
    shutil.rmtree(output / "train/Frame_Anime/square/color_1")
    (output / STATE / "figures/square/pair-0002.json").unlink()
    for render in (True, False):
        [summary] = generate([config], Options(output, FakeEngine(), render=render))
        # without the segments of frame 3 nobody comes to look at the flow of its pairs
        for name in ["train/contour/square/0003.png", *([] if changes else [FLOW])]:
            assert any(
                f"{output / name} has changed since it was made, so nothing is made from it; delete it" in failure
                for failure in summary.failures
            )
        # of the pairs 2-3 and 3-4, and the passes of all frames, nothing
        assert sorted(file.name for file in (output / "train/SegMatching/square/forward").iterdir()) == ["0001.json"]
        assert not (output / "train/Frame_Anime/square/color_1").exists()
        # the visit for the ids brought the table anew
        assert summary.damaged == [FLOW, "train/contour/square/0003.png"]
    assert read_status(output).cuts[0].state == "failed"
    assert main(["verify", str(output), "--repair"]) == 0
    assert contents(output) == contents(tmp_path / "whole")
    assert read_status(output).complete


def test_many_touched_files_are_not_read_by_status(output: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("animerun_gen.pipeline.state.status.MOST_TO_CHECK", 1000)
    for name in (FLOW, LABEL):
        os.utime(output / name)
    [cut] = read_status(output).cuts
    assert cut.state == "unchecked"
    assert cut.damage[0].startswith("2 files were copied or touched after")
    assert (
        describe_status(read_status(output), output)[-1] == f"check what was touched with: animerun-gen verify {output}"
    )
    # which does not need the configuration
    assert not any(report.defects for report in verify(output))
    assert read_status(output).complete


def test_a_run_under_way_is_not_taken_for_damage(finished: Path, config: CutConfig, output: Path) -> None:
    other = CutConfig.model_validate({**config.model_dump(), "style": {"background": "#102030"}})
    [summary] = generate([other], Options(output, FakeEngine(fails_in={"square": 3})))
    assert summary.failures
    open_ledger(output, "square").keep(failures=())
    assert read_status(output).cuts[0].damage == []


def test_verify_leaves_the_checksums_to_a_run_that_is_writing(output: Path) -> None:
    flip(output / FLOW)
    forget_that_it_changed(output, FLOW)
    before = read_ledger(output, "square")
    with exclusive(output):
        assert [defect.file for report in verify(output) for defect in report.defects] == [FLOW]
    assert read_ledger(output, "square") == before


def filtered_png(image: np.ndarray) -> bytes:
    """A PNG file of the same pixels as version 0.9.0 wrote it."""
    ordered = image[..., ::-1] if image.ndim == 3 else image
    return cv2.imencode(".png", ordered, [cv2.IMWRITE_PNG_COMPRESSION, 6])[1].tobytes()


def test_pictures_of_an_older_version_are_repaired_in_other_bytes(
    tmp_path: Path, engine: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    config, output = make_cut(tmp_path, EVERYTHING), tmp_path / "out"
    with monkeypatch.context() as older:
        older.setattr(files, "png_bytes", filtered_png)
        make(config, output, FakeEngine())
        make(config, output, FakeEngine())
    manifest = output / "manifest/square.json"
    before = json.loads(manifest.read_text())["files"]
    pictures = {output / name: files.read_image(output / name) for name in before if name.endswith(".png")}
    damaged = {path for path in pictures if path.stem == "0002"}
    names = {path.relative_to(output).as_posix() for path in damaged}
    assert {name.split("/")[1] for name in names} >= {"Frame_Anime", "contour", "Valid", "ObjectId"}
    for path in damaged:
        flip(path)
    assert main(["verify", str(output), "--repair"]) == 0
    for path, picture in pictures.items():
        np.testing.assert_array_equal(files.read_image(path), picture)
    after = json.loads(manifest.read_text())["files"]
    # they have other bytes, and are listed as they are now
    assert all(after[name] != before[name] for name in names)
    assert after == {name: file_digest(output / name) for name in before}
    assert not [defect for report in verify(output) for defect in report.defects]
    assert read_status(output).complete
    [summary] = make(config, output, FakeEngine())
    assert (summary.rendered, summary.labelled, summary.damaged) == (set(), 0, [])
