"""Motion over gaps and tracks: planned, completed, cleared away and moved like everything else, and nothing else is."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from animerun_gen.config import CutConfig
from animerun_gen.dataset import ClipFiles, write_tracks
from animerun_gen.engines.job import RenderJob, Reporter
from animerun_gen.engines.protocol import from_text, to_text
from animerun_gen.pipeline.chunks import split_job
from animerun_gen.pipeline.describe import describe
from animerun_gen.pipeline.made import Wanted
from animerun_gen.pipeline.state.coverage import describe_coverage, measure_coverage
from animerun_gen.pipeline.state.fingerprints import STAGES
from tests.pipeline.datasets import contents, id_of, make, make_cut, plan, stage_of, times
from tests.pipeline.fake_engine import FakeEngine, FakeProgram, do_job
from tests.pipeline.test_run import DISK_CHANGES, Killed, clip_files, crash_points, files_of_clip, rewritten

FAR: dict[str, dict[str, Any]] = {"frames": {"last": 6}, "motion": {"gaps": [1, 2, 3], "tracks": 4}}


def files_far(frames: list[int], gaps: list[int], split: str = "train", extras: bool = True) -> set[str]:
    """The files over gaps that a clip of these frames must have."""
    kinds = [("Flow", "flo"), ("Valid", "png")] + [("ExactOcclusion", "png")] * extras
    return {
        f"{split}/Gap{gap}/{folder}/square/{direction}/{frame:04d}.{suffix}"
        for gap in gaps
        for folder, suffix in kinds
        for direction, chosen in (("forward", frames[:-gap]), ("backward", frames[gap:]))
        for frame in chosen
    }


def far_cut(folder: Path, changes: dict[str, Any] | None = None) -> CutConfig:
    merged: dict[str, Any] = {key: dict(value) for key, value in FAR.items()}
    for key, value in (changes or {}).items():
        merged[key] = {**merged.get(key, {}), **value} if isinstance(value, dict) else value
    return make_cut(folder, merged)


TRACKS = "train/Tracks/square/tracks.npz"


@pytest.mark.parametrize(("step", "frames"), [(1, [1, 2, 3, 4, 5, 6]), (2, [1, 3, 5, 7])])
def test_a_clip_has_exactly_the_files_of_its_gaps(tmp_path: Path, step: int, frames: list[int]) -> None:
    config = far_cut(tmp_path, {"frames": {"last": frames[-1], "step": step}})
    [summary] = make(config, tmp_path / "out", FakeEngine())
    assert clip_files(tmp_path / "out") == files_of_clip(frames) | files_far(frames, [2, 3]) | {TRACKS}
    assert summary.coverage is not None
    assert summary.coverage.complete
    clip = ClipFiles(tmp_path / "out", "train", "square")
    assert clip.read("flow_forward_gap3", 1).max() == 3.0 * step
    assert clip.read("flow_backward_gap2", frames[-1]).min() == -2.0 * step
    tracks = clip.read_tracks()
    assert tracks.frames.tolist() == frames
    assert tracks.position.shape == (len(frames), 4, 2)


def test_a_second_run_touches_nothing(tmp_path: Path) -> None:
    config, engine = far_cut(tmp_path), FakeEngine()
    make(config, tmp_path / "out", engine)
    before, jobs = times(tmp_path / "out"), len(engine.jobs)
    make(config, tmp_path / "out", engine)
    assert times(tmp_path / "out") == before
    assert len(engine.jobs) == jobs


@pytest.mark.parametrize(
    ("motion", "made", "gone"),
    [
        ({"gaps": [1, 3]}, set(), {"Gap2"}),
        ({"gaps": [1]}, set(), {"Gap2", "Gap3"}),
        ({"gaps": [1, 2, 3, 5]}, {"Gap5"}, set()),
        ({"gaps": [1, 4]}, {"Gap4"}, {"Gap2", "Gap3"}),
        ({"tracks": 0}, set(), {"Tracks"}),
        ({"tracks": 9}, {"Tracks"}, set()),
        ({"extras": ["ids"]}, set(), {"ExactOcclusion", "Gap2/ExactOcclusion", "Gap3/ExactOcclusion"}),
    ],
    ids=id_of,
)
def test_other_gaps_and_tracks_make_and_remove_their_files_and_no_others(
    tmp_path: Path, motion: dict[str, Any], made: set[str], gone: set[str]
) -> None:
    output = tmp_path / "out"
    make(far_cut(tmp_path), output, FakeEngine())
    before = times(output)
    changed = far_cut(tmp_path, {"motion": motion})
    [summary] = make(changed, output, FakeEngine())
    assert "motion" not in summary.redone
    below = {name: name.removeprefix("train/") for name in {*before, *times(output)} if name.startswith("train/")}
    rewritten_motion = {name for name in rewritten(output, before) if stage_of(name) == "motion"}
    assert {below[name].split("/")[0] for name in rewritten_motion} == made
    lost = {below[name] for name in set(before) - set(times(output)) if name in below}
    assert all(any(name.startswith(f"{folder}/") for folder in gone) for name in lost)
    assert all(any(name.startswith(f"{folder}/") for name in lost) for folder in gone)
    make(changed, tmp_path / "fresh", FakeEngine())
    assert contents(output) == contents(tmp_path / "fresh")
    # not even an empty folder of a gap is left
    assert {path.name for path in (output / "train").glob("Gap*")} == {
        path.name for path in (tmp_path / "fresh" / "train").glob("Gap*")
    }


def test_the_seed_makes_other_tracks_and_nothing_else(tmp_path: Path) -> None:
    output = tmp_path / "out"
    make(far_cut(tmp_path), output, FakeEngine())
    before = times(output)
    engine = FakeEngine()
    [summary] = make(far_cut(tmp_path, {"seed": 8}), output, engine)
    assert summary.redone == {}
    assert {name for name in rewritten(output, before) if stage_of(name)} == {TRACKS}
    [job] = engine.jobs
    assert job == RenderJob(job.config, output, tracks=True)
    assert ClipFiles(output, "train", "square").read_tracks().seed == 8


def test_a_longer_or_shorter_clip_keeps_the_motion_and_makes_the_tracks_anew(tmp_path: Path) -> None:
    output = tmp_path / "out"
    make(far_cut(tmp_path), output, FakeEngine())
    for last in (8, 5):
        before, engine = times(output), FakeEngine()
        config = far_cut(tmp_path, {"frames": {"last": last}})
        make(config, output, engine)
        numbers = list(range(1, last + 1))
        assert clip_files(output) == files_of_clip(numbers) | files_far(numbers, [2, 3]) | {TRACKS}
        assert TRACKS in rewritten(output, before)
        assert not {name for name in rewritten(output, before) if "Gap" in name and name in before}
        shutil.rmtree(tmp_path / "fresh", ignore_errors=True)
        make(config, tmp_path / "fresh", FakeEngine())
        assert contents(output) == contents(tmp_path / "fresh")


def test_only_the_pairs_of_deleted_files_are_made_again(tmp_path: Path) -> None:
    config, output, engine = far_cut(tmp_path), tmp_path / "out", FakeEngine()
    make(config, output, engine)
    whole, before = contents(output), len(engine.jobs)
    (output / "train/Gap3/Flow/square/forward/0002.flo").unlink()
    (output / "train/Gap2/ExactOcclusion/square/backward/0005.png").unlink()
    (output / "train/Valid/square/forward/0004.png").unlink()
    make(config, output, engine)
    [job] = engine.jobs[before:]
    assert job.pairs == ((2, 5), (3, 5), (4, 5))
    assert (job.pictures, job.companions, job.tracks) == ((), (), False)
    assert contents(output) == whole


@pytest.mark.parametrize("damage", ["gone", "empty", "cut off", "another file"])
def test_tracks_that_are_lost_or_damaged_come_back(tmp_path: Path, damage: str) -> None:
    config, output, engine = far_cut(tmp_path), tmp_path / "out", FakeEngine()
    make(config, output, engine)
    whole, before = contents(output), len(engine.jobs)
    path = output / TRACKS
    if damage == "gone":
        path.unlink()
    else:
        path.write_bytes({"empty": b"", "cut off": whole[TRACKS][:-40], "another file": b"x" * 99}[damage])
    assert not measure_coverage(Wanted.of(config), output, STAGES).complete
    make(config, output, engine)
    assert [job.tracks for job in engine.jobs[before:]] == [True]
    assert contents(output) == whole


def test_cross_checks_are_those_of_neighbours(tmp_path: Path) -> None:
    config, output, engine = far_cut(tmp_path), tmp_path / "out", FakeEngine()
    make(config, output, engine, label=False)
    before = len(engine.jobs)
    make(config, output, engine, cross_check=True, label=False)
    [job] = engine.jobs[before:]
    assert job.pairs == ((1, 2), (2, 3), (3, 4), (4, 5), (5, 6))
    assert len(list((output / ".animerun-gen/figures/square").glob("cross_check-*"))) == 10


def test_frames_limits_the_pairs_and_leaves_the_tracks_for_later(tmp_path: Path) -> None:
    config, output = far_cut(tmp_path), tmp_path / "out"
    summaries = make(config, output, FakeEngine(), frames=(2, 4))
    assert clip_files(output) == files_of_clip([2, 3, 4]) | files_far([2, 3, 4], [2])
    lines = describe(summaries, output)
    assert any("3 of 6 frames and 3 of 12 pairs are complete" in line for line in lines)
    assert "  the tracks are missing: they are made when a run renders without --frames" in lines
    assert not any("would mismatch them" in line for line in lines)
    make(config, output, FakeEngine())
    make(config, tmp_path / "fresh", FakeEngine())
    assert contents(output) == contents(tmp_path / "fresh")


def test_stale_tracks_do_not_outlive_a_run_that_cannot_make_them(tmp_path: Path) -> None:
    output = tmp_path / "out"
    make(far_cut(tmp_path), output, FakeEngine())
    make(far_cut(tmp_path, {"motion": {"tracks": 5}}), output, FakeEngine(), frames=(2, 3))
    assert not (output / TRACKS).exists()


@pytest.mark.parametrize(
    "file", ["Gap2/Flow/square/forward/0003.flo", "Gap3/Valid/square/backward/0006.png", TRACKS[6:]]
)
def test_each_missing_file_makes_a_clip_incomplete(tmp_path: Path, file: str) -> None:
    config, output = far_cut(tmp_path), tmp_path / "out"
    make(config, output, FakeEngine())
    (output / "train" / file).unlink()
    coverage = measure_coverage(Wanted.of(config), output, STAGES)
    assert not coverage.complete
    assert coverage.missing_frames == ()
    lost = {"Gap2": ((3, 5),), "Gap3": ((3, 6),)}.get(file.split("/")[0], ())
    assert coverage.missing_pairs == lost
    assert coverage.missing_tracks == (not lost)
    text = "\n".join(describe_coverage(coverage))
    assert ("pairs 3-" in text) == bool(lost)
    assert ("the tracks are missing" in text) == (not lost)


def test_another_split_moves_gaps_and_tracks(tmp_path: Path) -> None:
    output, engine = tmp_path / "out", FakeEngine()
    make([far_cut(tmp_path), far_cut(tmp_path, {"name": "stays"})], output, engine)
    before, jobs = times(output), len(engine.jobs)
    make([far_cut(tmp_path, {"split": "test"}), far_cut(tmp_path, {"name": "stays"})], output, engine)
    assert len(engine.jobs) == jobs
    numbers = list(range(1, 7))
    moved = files_of_clip(numbers, "test") | files_far(numbers, [2, 3], "test") | {TRACKS.replace("train", "test")}
    assert {name for name in times(output) if stage_of(name) and "square" in name} == moved
    assert all(times(output)[name] == before[name.replace("test/", "train/")] for name in moved)
    assert not list((output / "train").rglob("*square*"))
    # alone in its gaps, a cut takes their folders along
    make([far_cut(tmp_path, {"split": "test"}), far_cut(tmp_path, {"name": "stays", "split": "test"})], output, engine)
    assert not list((output / "train").glob("Gap*"))


def test_files_of_others_in_the_folders_of_gaps_are_left_alone(tmp_path: Path) -> None:
    output = tmp_path / "out"
    make(far_cut(tmp_path), output, FakeEngine())
    others = [
        "Gap2/readme.txt",
        "Gap2/Flow/elsewhere/forward/0001.flo",
        "Gap9/Depth/square/0001.npy",
        "Gap02/x",
        "Gaps/x",
    ]
    for name in others:
        path = output / "train" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"mine")
    (output / "train" / "Gap7").write_bytes(b"a file")
    # of a gap that was never asked for, but of this cut: stale all the same
    stale = output / "train/Gap5/Flow/square/forward/0001.flo"
    stale.parent.mkdir(parents=True)
    stale.write_bytes(b"stale")
    make(far_cut(tmp_path, {"motion": {"gaps": [1], "tracks": 0}}), output, FakeEngine())
    assert all((output / "train" / name).read_bytes() == b"mine" for name in others)
    assert (output / "train" / "Gap7").read_bytes() == b"a file"
    assert not (output / "train" / "Gap5").exists()
    assert not (output / "train" / "Gap3").exists()
    assert not list((output / "train" / "Gap2").rglob("*square*"))


def test_gaps_of_a_downloaded_cut_are_not_cleared_away(tmp_path: Path) -> None:
    output = tmp_path / "out"
    (output / "train/Gap2/Flow/square/forward").mkdir(parents=True)
    (output / "train/Gap2/Flow/square/forward/0001.flo").write_bytes(b"downloaded")
    with pytest.raises(Exception, match="already has a cut of this name from elsewhere"):
        plan(far_cut(tmp_path), output, FakeEngine())


def test_two_workers_make_the_same_bytes_as_one(tmp_path: Path) -> None:
    config = far_cut(tmp_path, {"frames": {"last": 16}})
    engine = FakeProgram(diary=tmp_path / "diary")
    make(config, tmp_path / "two", engine, workers=2)
    assert [job.tracks for job in engine.jobs].count(True) == 1
    assert len(engine.jobs) > 2
    make(config, tmp_path / "one", FakeEngine())
    assert contents(tmp_path / "two") == contents(tmp_path / "one")


def test_fewer_tracks_than_asked_for_are_not_made_again_and_again(tmp_path: Path) -> None:
    config, output = far_cut(tmp_path), tmp_path / "out"
    make(config, output, FakeEngine())
    clip = ClipFiles(output, "train", "square")
    made = clip.read_tracks()
    few = replace(
        made,
        **{name: getattr(made, name)[:, :2] for name in ("position", "world", "depth", "known", "in_frame", "visible")},
        **{name: getattr(made, name)[:2] for name in ("query_frame", "object_id", "material_id")},
    )
    write_tracks(clip.tracks_path, few)
    engine = FakeEngine()
    make(config, output, engine)
    assert not engine.jobs
    assert measure_coverage(Wanted.of(config), output, STAGES).complete


@pytest.mark.parametrize("before", [True, False], ids=["before", "after"])
def test_stopped_at_any_change_of_the_disk_the_next_run_completes_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, before: bool
) -> None:
    extent = {"frames": {"last": 3}, "resolution": [32, 24], "motion": {"gaps": [1, 2], "tracks": 3}}
    config = make_cut(tmp_path, extent)
    make(config, tmp_path / "undisturbed", FakeEngine(), label=False)
    whole = contents(tmp_path / "undisturbed")
    earlier = make_cut(
        tmp_path,
        {**extent, "frames": {"last": 4}, "split": "test", "motion": {"gaps": [1, 2, 3], "tracks": 2}},
    )
    make(earlier, tmp_path / "earlier", FakeEngine(), label=False)
    # every fourth point, other ones before than after, to be quick
    stopped, limit = True, 2 * before
    while stopped:
        output = tmp_path / f"out{limit}"
        shutil.copytree(tmp_path / "earlier", output)
        with monkeypatch.context() as patch:
            crash_points(patch, DISK_CHANGES, limit, before)
            stopped = False
            try:
                make(config, output, FakeEngine(), label=False)
            except Killed:
                stopped = True
        make(config, output, FakeEngine(), label=False)
        assert contents(output) == whole
        shutil.rmtree(output)
        limit += 4
    assert limit > 25


@st.composite
def far_jobs(draw: st.DrawFn) -> RenderJob:
    step, length = draw(st.integers(1, 3)), draw(st.integers(3, 20))
    numbers = [1 + step * index for index in range(length)]
    pairs = [(a, b) for index, a in enumerate(numbers) for b in numbers[index + 1 :]]
    config = {
        "name": "a",
        "source": Path("/film.blend"),
        "frames": {"first": numbers[0], "last": numbers[-1], "step": step},
    }
    return RenderJob(
        config=CutConfig.model_validate(config),
        output=Path("out"),
        pictures=draw(st.lists(st.sampled_from(numbers), unique=True).map(sorted).map(tuple)),
        pairs=tuple(sorted(draw(st.lists(st.sampled_from(pairs), unique=True)))),
        tracks=draw(st.booleans()),
    )


@given(far_jobs(), st.integers(1, 9))
@settings(max_examples=100)
def test_parts_of_a_job_make_each_pair_and_the_tracks_once(job: RenderJob, parts: int) -> None:
    split = split_job(job, parts)
    assert tuple(pair for part in split for pair in part.pairs) == job.pairs
    assert [part for part in split if part.tracks] == [RenderJob(job.config, job.output, tracks=True)] * job.tracks
    assert len(split) <= parts + job.tracks
    for part in split:
        numbers = job.config.frame_numbers
        assert set(part.frames) <= set(numbers)
        assert {frame for pair in part.pairs for frame in pair} <= set(part.frames)
        assert from_text(to_text(part), RenderJob) == part
        for pair in part.pairs:
            assert numbers.index(pair[1]) - numbers.index(pair[0]) == part.gap(pair)


@pytest.mark.parametrize("parts", [1, 2, 3, 7])
def test_the_same_files_however_the_work_is_cut_up(tmp_path: Path, parts: int) -> None:
    config = far_cut(tmp_path, {"frames": {"last": 9}})
    for name, number in (("one", 1), ("many", parts)):
        job = plan(config, tmp_path / name, FakeEngine()).render
        assert job is not None
        for part in split_job(job, number):
            do_job(part, Reporter(), FakeEngine())
    assert contents(tmp_path / "one") == contents(tmp_path / "many")
    one, many = (ClipFiles(tmp_path / name, "train", "square").read_tracks() for name in ("one", "many"))
    assert np.array_equal(one.position, many.position)


def test_any_two_frames_are_as_the_gaps_of_the_same_run(tmp_path: Path) -> None:
    changes = {"motion": {"extras": ["ids", "exact_occlusion", "correspondence"], "gaps": [1, 2, 4]}}
    make(make_cut(tmp_path, changes), tmp_path / "out", FakeEngine())
    clip = ClipFiles(tmp_path / "out", "train", "square")
    for source, target in ((1, 3), (3, 1), (2, 4), (1, 5), (4, 5)):
        direction = "forward" if source < target else "backward"
        gap = abs(target - source)
        name = direction if gap == 1 else f"{direction}_gap{gap}"
        found = clip.flow_between(source, target)
        assert np.array_equal(found.valid, clip.read(f"valid_{name}", source))
        assert np.abs(found.flow - clip.read(f"flow_{name}", source)).max() < 1e-6
