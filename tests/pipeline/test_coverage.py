from __future__ import annotations

from pathlib import Path

import pytest

from animerun_gen.dataset.cameras import read_record, write_cameras
from animerun_gen.dataset.modalities import MODALITIES, color_pass, enabled_modalities
from animerun_gen.errors import DatasetError
from animerun_gen.pipeline.made import Wanted
from animerun_gen.pipeline.state.coverage import describe_coverage, measure_coverage
from animerun_gen.pipeline.state.fingerprints import STAGES
from tests.pipeline.datasets import make_cut
from tests.pipeline.fake_engine import write_camera

CLIP = {"frames": {"first": 10, "last": 30, "step": 5}}


def lay_out(output: Path, frames: tuple[int, ...]) -> None:
    """Files, of no sense inside, of a clip of these frames."""
    for modality in enabled_modalities(("ids", "exact_occlusion")):
        for frame in modality.frames(frames):
            path = modality.path(output, "train", "square", frame)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(b"x")
    config = make_cut(output, CLIP)
    for frame in frames:
        write_camera(config, output, frame)
    if frames:
        write_cameras(output, "train", "square", [read_record(output, "square", frame) for frame in frames])


def test_cameras_of_some_frames_are_not_enough(tmp_path: Path) -> None:
    config = make_cut(tmp_path, CLIP)
    lay_out(tmp_path, config.frame_numbers)
    assert measure_coverage(Wanted.of(config), tmp_path, STAGES).complete
    write_cameras(tmp_path, "train", "square", [read_record(tmp_path, "square", frame) for frame in (10, 15)])
    coverage = measure_coverage(Wanted.of(config), tmp_path, STAGES)
    assert (coverage.complete, coverage.missing_cameras, coverage.missing_frames) == (False, True, ())
    assert "cameras" in describe_coverage(coverage)[0]
    assert measure_coverage(Wanted.of(config), tmp_path, ["labels"]).complete


@pytest.mark.parametrize(
    ("frames", "complete", "in_order"),
    [
        ((), False, True),
        ((10,), False, True),
        ((10, 15, 20), False, True),
        ((20, 25, 30), False, True),
        ((10, 15, 20, 25, 30), True, True),
        ((10, 15, 25, 30), False, False),
        ((10, 30), False, False),
        ((10, 15, 20, 25, 30, 35), False, False),
        ((5, 10, 15, 20, 25, 30), False, False),
        ((10, 15, 20, 25, 27, 30), False, False),
    ],
)
def test_which_frames_are_there(tmp_path: Path, frames: tuple[int, ...], complete: bool, in_order: bool) -> None:
    config = make_cut(tmp_path, CLIP)
    lay_out(tmp_path, frames)
    coverage = measure_coverage(Wanted.of(config), tmp_path, STAGES)
    assert coverage.frames == tuple(frame for frame in (10, 15, 20, 25, 30) if frame in frames)
    assert coverage.missing_frames == tuple(frame for frame in (10, 15, 20, 25, 30) if frame not in frames)
    assert (coverage.complete, coverage.in_order) == (complete, in_order)
    assert (describe_coverage(coverage) == []) == complete


@pytest.mark.parametrize("modality", enabled_modalities(("ids", "exact_occlusion")), ids=lambda modality: modality.name)
@pytest.mark.parametrize("how", ["gone", "empty"])
def test_each_missing_file_is_noticed(tmp_path: Path, modality: object, how: str) -> None:
    config = make_cut(tmp_path, CLIP)
    lay_out(tmp_path, (10, 15, 20, 25, 30))
    path = modality.path(tmp_path, "train", "square", 20)  # type: ignore[attr-defined]
    if how == "gone":
        path.unlink()
    else:
        path.write_bytes(b"")
    coverage = measure_coverage(Wanted.of(config), tmp_path, STAGES)
    assert not coverage.complete
    assert not coverage.in_order
    kind = modality.kind  # type: ignore[attr-defined]
    assert coverage.missing_frames == ((20,) if kind == "frame" else ())
    assert coverage.missing_pairs == {"frame": (), "forward": ((20, 25),), "backward": ((15, 20),)}[kind]
    [missing, order] = describe_coverage(coverage)
    assert "20" in missing
    assert "would mismatch them" in order


def test_only_the_stages_that_are_asked_for_count(tmp_path: Path) -> None:
    config = make_cut(tmp_path, CLIP)
    lay_out(tmp_path, (10, 15, 20, 25, 30))
    for modality in MODALITIES:
        if modality.stage == "labels":
            for file in modality.cut_folder(tmp_path, "train", "square").iterdir():
                file.unlink()
    assert measure_coverage(Wanted.of(config), tmp_path, ("pictures", "motion")).complete
    assert not measure_coverage(Wanted.of(config), tmp_path, STAGES).complete


def test_missing_frames_are_said_in_spans_of_the_clip(tmp_path: Path) -> None:
    lay_out(tmp_path, (20,))
    [line] = describe_coverage(measure_coverage(Wanted.of(make_cut(tmp_path, CLIP)), tmp_path, STAGES))
    assert line == "1 of 5 frames and 0 of 4 pairs are complete; missing: frames 10-15, 25-30"


def test_many_missing_pairs_are_not_all_listed(tmp_path: Path) -> None:
    config = make_cut(tmp_path, {"frames": {"last": 20}})
    lay_out(tmp_path, config.frame_numbers)
    for file in (tmp_path / "train" / "Flow" / "square" / "forward").iterdir():
        file.unlink()
    [missing, _] = describe_coverage(measure_coverage(Wanted.of(config), tmp_path, STAGES))
    assert missing.endswith("missing: motion or labels of pairs 1-2, 2-3, 3-4, 4-5, 5-6, ...")


def test_a_file_where_a_folder_should_be(tmp_path: Path) -> None:
    (tmp_path / "train" / "contour").mkdir(parents=True)
    (tmp_path / "train" / "contour" / "square").write_bytes(b"")
    with pytest.raises(DatasetError, match="contour/square cannot be read"):
        measure_coverage(Wanted.of(make_cut(tmp_path)), tmp_path, STAGES)


def test_colour_passes_count_frame_by_frame_once_there_is_something_of_them(tmp_path: Path) -> None:
    config = make_cut(tmp_path, {**CLIP, "recolor": {"passes": 2}})
    frames = (10, 15, 20, 25, 30)
    lay_out(tmp_path, frames)
    none = measure_coverage(Wanted.of(config), tmp_path, STAGES)
    assert (none.missing_passes, none.missing_frames, none.in_order) == (("color_1", "color_2"), (), True)
    assert not none.complete
    # rendering alone makes none
    assert measure_coverage(Wanted.of(config), tmp_path, ("pictures", "motion")).complete
    for number in (1, 2):
        for frame in frames:
            path = color_pass(number).path(tmp_path, "train", "square", frame)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(b"x")
    assert measure_coverage(Wanted.of(config), tmp_path, STAGES).complete
    path.unlink()
    some = measure_coverage(Wanted.of(config), tmp_path, STAGES)
    assert (some.missing_passes, some.missing_frames, some.in_order) == ((), (30,), False)
