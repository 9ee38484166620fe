from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from animerun_gen import __version__
from animerun_gen.config import CutConfig
from animerun_gen.config.messages import shown
from animerun_gen.dataset import ClipFiles, files
from animerun_gen.errors import AnimerunGenError, BusyError, DatasetError, NoDatasetError, UsageError
from animerun_gen.pipeline.describe import SHOWN_FAILURES, describe
from animerun_gen.pipeline.options import Options
from animerun_gen.pipeline.run import generate
from animerun_gen.pipeline.samples import sampled_pairs
from animerun_gen.pipeline.state.lock import exclusive
from animerun_gen.pipeline.summary import CutSummary
from animerun_gen.pipeline.tasks import label_files
from animerun_gen.pipeline.tasks.labelling import LabelTask
from animerun_gen.quality.gate import summarise
from tests.blender.test_blend_libraries import write_blend
from tests.pipeline.datasets import contents, id_of, make, make_cut, stage_of, times
from tests.pipeline.fake_engine import FakeEngine, FakeProgram, Meddled

PUBLISHED = (
    ("Frame_Anime/square/original/{:04d}.png", "frame"),
    ("contour/square/{:04d}.png", "frame"),
    ("Flow/square/forward/{:04d}.flo", "forward"),
    ("Flow/square/backward/{:04d}.flo", "backward"),
    ("UnmatchedForward/square/{:04d}.npy", "forward"),
    ("UnmatchedBackward/square/{:04d}.npy", "backward"),
    ("LineArea/square/{:04d}.npy", "forward"),
    ("Segment/square/{:04d}.npy", "frame"),
    ("SegMatching/square/forward/{:04d}.json", "forward"),
    ("SegMatching/square/backward/{:04d}.json", "backward"),
)
BESIDE = (
    ("Flat/square/{:04d}.png", "frame"),
    ("Valid/square/forward/{:04d}.png", "forward"),
    ("Valid/square/backward/{:04d}.png", "backward"),
    ("ExactOcclusion/square/forward/{:04d}.png", "forward"),
    ("ExactOcclusion/square/backward/{:04d}.png", "backward"),
    ("ObjectId/square/{:04d}.png", "frame"),
    ("MaterialId/square/{:04d}.png", "frame"),
)

TABLES = ("ObjectId/square/names.json", "MaterialId/square/names.json", "Flat/square/colors.json")


def files_of_clip(frames: list[int], split: str = "train") -> set[str]:
    """Everything below ``train`` and ``test`` that a clip of these frames must have."""
    chosen = {"frame": frames, "forward": frames[:-1], "backward": frames[1:]}
    names = {f"{split}/{name.format(frame)}" for name, kind in PUBLISHED + BESIDE for frame in chosen[kind]}
    cameras = {f"{split}/Camera/square.json", f"{split}/Camera/square.npz"}
    return names | cameras | {f"{split}/{table}" for table in TABLES}


def clip_files(output: Path) -> set[str]:
    return {name for name in contents(output) if stage_of(name)}


def rewritten(output: Path, before: dict[str, int]) -> set[str]:
    """The files that are there now and were written since; the tables of names come with every visit to a scene."""
    return {name for name, time in times(output).items() if before.get(name) != time and not name.endswith(TABLES)}


@pytest.mark.parametrize(("step", "frames"), [(1, [1, 2, 3, 4, 5]), (2, [1, 3, 5]), (3, [1, 4])])
def test_a_clip_has_exactly_the_published_files_and_those_beside(tmp_path: Path, step: int, frames: list[int]) -> None:
    [summary] = make(make_cut(tmp_path, {"frames": {"step": step}}), tmp_path / "out", FakeEngine())
    assert clip_files(tmp_path / "out") == files_of_clip(frames)
    assert summary.rendered == set(frames)
    assert summary.labelled == len(frames) + len(frames) - 1
    assert summary.coverage is not None
    assert summary.coverage.complete
    beside = {"quality", "manifest", "splits", ".animerun-gen"}
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"train", *beside}


def test_flow_spans_the_step(tmp_path: Path) -> None:
    make(make_cut(tmp_path, {"frames": {"step": 2}}), tmp_path / "out", FakeEngine())
    clip = ClipFiles(tmp_path / "out", "train", "square")
    assert clip.read("flow_forward", 1).max() == 2.0
    assert clip.read("flow_backward", 3).min() == -2.0


def test_quality_file_has_the_figures_of_every_pair(tmp_path: Path) -> None:
    config = make_cut(tmp_path, {"frames": {"step": 2}, "frame_rate": 24.0})
    [summary] = make(config, tmp_path / "out", FakeEngine())
    quality = json.loads((tmp_path / "out" / "quality" / "square.json").read_text())
    assert quality == summary.quality
    assert [(pair["source"], pair["target"]) for pair in quality["pairs"]] == [(1, 3), (3, 5)]
    assert quality["clip_rate"] == 12.0
    assert quality["resolution"] == [64, 48]
    for pair in quality["pairs"]:
        for direction in ("forward", "backward"):
            # a square on a plain: its flow is exact, and only what it uncovers is occluded
            assert pair[direction]["warp_error_flat"] == 0.0
            assert pair[direction]["largest_motion"] == 2.0
            assert pair[direction]["invalid_share"] == 0.0
            assert 0.0 < pair[direction]["occluded_share"] < 0.05
    assert quality["past_limit"] == []


@pytest.mark.parametrize("camera_cuts", ["mark", "split"])
def test_a_film_that_is_too_new_starts_no_blender(tmp_path: Path, camera_cuts: str) -> None:
    """3.4.1 died of a film of 4.5, and was started again chunk by chunk."""
    config, engine = make_cut(tmp_path, {"camera_cuts": camera_cuts}), FakeEngine("Blender 3.4.1")
    write_blend(config.source, [], saved_with=405, oldest_reader=306)
    [summary] = generate([config], Options(tmp_path / "out", engine))
    [failure] = summary.failures
    assert failure.startswith(f"cut 'square': {config.source} was saved with Blender 4.5 and needs Blender 3.6 or ")
    assert engine.jobs == []
    write_blend(config.source, [], saved_with=304, oldest_reader=304)
    make(config.model_copy(update={"camera_cuts": "mark"}), tmp_path / "out", engine)
    assert len(engine.jobs) == 1


def test_a_second_run_touches_nothing(tmp_path: Path) -> None:
    config, engine = make_cut(tmp_path), FakeEngine()
    make(config, tmp_path / "out", engine)
    before = times(tmp_path / "out")
    [summary] = make(config, tmp_path / "out", engine)
    assert times(tmp_path / "out") == before
    assert len(engine.jobs) == 1
    assert (summary.rendered, summary.labelled, summary.redone) == (set(), 0, {})


def test_any_file_that_is_deleted_or_emptied_comes_back(tmp_path: Path) -> None:
    config, output = make_cut(tmp_path, {"frames": {"last": 2}}), tmp_path / "out"
    make(config, output, FakeEngine())
    whole = contents(output)
    assert len(whole) > 25
    for name in whole:
        for spoil in (os.unlink, lambda path: os.truncate(path, 0)):
            spoil(output / name)
            engine = FakeEngine()
            make(config, output, engine)
            assert contents(output) == whole, name
            # without its record nothing says what a cut was made from
            is_rendered = name == ".animerun-gen/cuts/square.json" or "_pictures/" in name or "/cameras/" in name
            # the cameras of the clip are collected from what is kept of its frames
            is_rendered |= stage_of(name) in ("pictures", "motion") and "/Camera/" not in name
            assert bool(engine.jobs) == is_rendered, name


def test_flow_of_sampled_pairs_is_held_against_identity_pictures(tmp_path: Path) -> None:
    config, output = make_cut(tmp_path), tmp_path / "out"
    make(config, output, FakeEngine())
    sampled = set(sampled_pairs(config))
    assert 0 < len(sampled) < len(config.frame_numbers) - 1
    for pair in json.loads((output / "quality/square.json").read_text())["pairs"]:
        is_sampled = (pair["source"], pair["target"]) in sampled
        for direction in ("forward", "backward"):
            assert pair[direction]["identity_error"] == (0 if is_sampled else None)
            assert (pair[direction]["identity_compared"] is not None) == is_sampled


def test_a_clip_made_longer_has_the_figures_of_one_made_so_at_once(tmp_path: Path) -> None:
    # other frames are sampled then
    short, long = (make_cut(tmp_path, {"frames": {"last": last}}) for last in (6, 40))
    assert not set(sampled_pairs(short)) <= set(sampled_pairs(long))
    make(short, tmp_path / "out", FakeEngine())
    make(long, tmp_path / "out", FakeEngine())
    make(long, tmp_path / "at once", FakeEngine())
    name = "quality/square.json"
    assert (tmp_path / "out" / name).read_bytes() == (tmp_path / "at once" / name).read_bytes()
    folder = Path(".animerun-gen/identity_pictures/square")
    assert sorted(os.listdir(tmp_path / "out" / folder)) == sorted(os.listdir(tmp_path / "at once" / folder))


def test_only_the_frames_of_deleted_files_are_rendered_and_labelled(tmp_path: Path) -> None:
    config, output, engine = make_cut(tmp_path), tmp_path / "out", FakeEngine()
    make(config, output, engine)
    (output / "train/Flat/square/0002.png").unlink()
    (output / "train/Flow/square/backward/0004.flo").unlink()
    (output / "train/ObjectId/square/0005.png").unlink()
    (output / "train/Segment/square/0001.npy").unlink()
    (output / "train/SegMatching/square/backward/0005.json").unlink()
    [summary] = make(config, output, engine)
    assert engine.jobs[1].pictures == (2,)
    assert engine.jobs[1].pairs == ((3, 4),)
    assert engine.jobs[1].companions == (5,)
    assert summary.labelled == 2


ALL = {"pictures", "motion", "labels"}


@pytest.mark.parametrize(
    ("changes", "redone"),
    [
        ({"labels": {"line_distance": 4.0}}, {"labels"}),
        ({"lines": {"thickness": 3.0}}, {"pictures", "labels"}),
        ({"style": {"background": "#123456"}}, {"pictures", "labels"}),
        ({"motion": {"background": "invalid"}}, {"motion", "labels"}),
        ({"resolution": [48, 40]}, ALL),
        ({"remove": {"objects": ["fog*"]}}, ALL),
        ({"frames": {"step": 2}}, {"motion", "labels"}),
        ({"frames": {"first": 2}}, ALL),
        ({"quality": {"max_warp_error": 0.5}}, set()),
        ({"motion": {"extras": ["exact_occlusion", "ids"]}}, set()),
    ],
    ids=id_of,
)
def test_a_changed_configuration_redoes_what_depends_on_it_and_no_more(
    tmp_path: Path, changes: dict[str, Any], redone: set[str]
) -> None:
    output = tmp_path / "out"
    make(make_cut(tmp_path), output, FakeEngine())
    before = times(output)
    changed = make_cut(tmp_path, changes)
    [summary] = make(changed, output, FakeEngine())
    assert set(summary.redone) == redone
    [(section, value)] = changes.items()
    key = f"{section}.{next(iter(value))}" if isinstance(value, dict) else section
    # neither more nor less is given as the reason
    assert all(re.fullmatch(rf"{key} was .+ and is .+", reason) for reason in summary.redone.values()), summary.redone
    assert {stage_of(name) for name in rewritten(output, before)} - {None} == redone
    for name in set(times(output)) & set(before):
        if stage_of(name) in redone:
            assert times(output)[name] != before[name], name
    make(changed, tmp_path / "fresh", FakeEngine())
    assert contents(output) == contents(tmp_path / "fresh")


def test_all_that_changed_is_named_and_what_does_not_count_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    output = tmp_path / "out"
    make(make_cut(tmp_path, {"style": {"overrides": {"hat": "#ff0000", "coat": "#00ff00"}}}), output, FakeEngine())
    for module in ("fingerprints", "changes", "made_with"):
        monkeypatch.setattr(f"animerun_gen.pipeline.state.{module}.__version__", "77.1")
    changed = make_cut(
        tmp_path,
        {
            "style": {"overrides": {"hat": "#ff0000", "shoe": "#0000ff"}},
            "labels": {"line_distance": 4.0},
            "motion": {"extras": []},
            "quality": {"max_warp_error": 0.5},
        },
    )
    changed.source.write_bytes(b"another film")
    [summary] = make(changed, output, FakeEngine())
    begin = f"the film {changed.source} has changed; animerun-gen {__version__} made it, and this is 77.1"
    gone = 'style.overrides.coat was "#00ff00" and is not set'
    assert summary.redone == {
        "pictures": f'{begin}; style.overrides.shoe was not set and is "#0000ff"; {gone}',
        "motion": begin,
        "labels": f'{begin}; style.overrides.shoe was not set and is "#0000ff"; {gone}; and 1 more',
    }


def test_an_order_that_counts_is_not_blamed_on_something_else(tmp_path: Path) -> None:
    """The record keeps no order, and of two overrides that match the first counts."""
    output = tmp_path / "out"
    make(make_cut(tmp_path, {"style": {"overrides": {"h*": "#ff0000", "*t": "#00ff00"}}}), output, FakeEngine())
    [summary] = make(
        make_cut(tmp_path, {"style": {"overrides": {"*t": "#00ff00", "h*": "#ff0000"}}}), output, FakeEngine()
    )
    assert summary.redone["pictures"].startswith("the order of entries in the configuration, or something else")


def test_companions_come_and_go_without_anything_else_being_redone(tmp_path: Path) -> None:
    output = tmp_path / "out"
    make(make_cut(tmp_path), output, FakeEngine())
    before = times(output)
    more = make_cut(tmp_path, {"motion": {"extras": ["depth", "normals", "ids", "exact_occlusion"]}})
    make(more, output, FakeEngine())
    assert {Path(name).parts[1] for name in rewritten(output, before) if stage_of(name)} >= {"Depth", "Normal"}
    assert not any(stage_of(name) in ("pictures", "labels") for name in rewritten(output, before))
    assert "Flow" not in {Path(name).parts[1] for name in rewritten(output, before) if stage_of(name)}
    before, engine = times(output), FakeEngine()
    fewer = make_cut(tmp_path, {"motion": {"extras": []}})
    make(fewer, output, engine)
    assert not engine.jobs
    assert not {name for name in rewritten(output, before) if stage_of(name)}
    make(fewer, tmp_path / "fresh", FakeEngine())
    assert contents(output) == contents(tmp_path / "fresh")
    assert {path.name for path in (output / "train").iterdir()} >= {"Flow", "Valid"}
    assert not (output / "train" / "ExactOcclusion" / "square").exists()


@pytest.mark.parametrize("what", ["source", "version", "input changed", "input gone"])
def test_a_changed_source_library_or_blender_redoes_everything(tmp_path: Path, what: str) -> None:
    config, output, library = make_cut(tmp_path), tmp_path / "out", tmp_path / "library.blend"
    library.write_bytes(b"chairs")
    engine = FakeEngine(inputs=(library,))
    make(config, output, engine)
    before = times(output)
    if what == "source":
        config.source.write_bytes(b"another film")
    elif what == "version":
        engine = FakeEngine(version="Blender 9.9.9", inputs=(library,))
    elif what == "input changed":
        library.write_bytes(b"tables")
    else:
        library.unlink()
    [summary] = make(config, output, engine)
    assert set(summary.redone) == ALL
    assert set(summary.redone.values()) == {
        {
            "source": f"the film {config.source} has changed",
            "version": "Blender 1.2.3 made it, and this is Blender 9.9.9",
            "input changed": f"{library} changed",
            "input gone": f"{library} changed",
        }[what]
    }
    everything = {name for name in files_of_clip([1, 2, 3, 4, 5]) if not name.endswith(TABLES)}
    assert {name for name in rewritten(output, before) if stage_of(name)} == everything
    make(config, tmp_path / "fresh", engine)
    assert contents(output) == contents(tmp_path / "fresh")
    # what the change brought is remembered
    assert make(config, output, engine)[0].redone == {}


def test_a_longer_clip_keeps_what_is_there(tmp_path: Path) -> None:
    output = tmp_path / "out"
    make(make_cut(tmp_path), output, FakeEngine())
    before = times(output)
    longer, engine = make_cut(tmp_path, {"frames": {"last": 7}}), FakeEngine()
    make(longer, output, engine)
    names = {name for name in files_of_clip([1, 2, 3, 4, 5]) if "/Camera/" not in name}
    kept = {name: time for name, time in times(output).items() if name in names}
    assert not set(kept) & rewritten(output, before)
    assert engine.jobs[0].pictures == (6, 7)
    assert engine.jobs[0].pairs == ((5, 6), (6, 7))
    make(longer, tmp_path / "fresh", FakeEngine())
    assert contents(output) == contents(tmp_path / "fresh")


def test_a_shorter_clip_loses_the_rest(tmp_path: Path) -> None:
    output = tmp_path / "out"
    make(make_cut(tmp_path), output, FakeEngine(), cross_check=True)
    before, engine = times(output), FakeEngine()
    shorter = make_cut(tmp_path, {"frames": {"last": 3}})
    make(shorter, output, engine, cross_check=True)
    assert clip_files(output) == files_of_clip([1, 2, 3])
    # of a shorter clip another pair is sampled
    assert [job.frames for job in engine.jobs] == [job.identity_pictures for job in engine.jobs] == [(2,)]
    cameras = {"train/Camera/square.json", "train/Camera/square.npz"}
    assert {name for name in rewritten(output, before) if stage_of(name)} == cameras
    assert ClipFiles(output, "train", "square").cameras.frames == (1, 2, 3)
    make(shorter, tmp_path / "fresh", FakeEngine(), cross_check=True)
    assert contents(output) == contents(tmp_path / "fresh")


def test_frames_limits_the_work_and_loses_nothing(tmp_path: Path) -> None:
    config, output, engine = make_cut(tmp_path, {"frames": {"last": 9}}), tmp_path / "out", FakeEngine()
    make(config, output, engine, frames=(2, 4))
    assert clip_files(output) == files_of_clip([2, 3, 4])
    make(config, output, engine, frames=(7, 8))
    assert clip_files(output) == files_of_clip([2, 3, 4]) | files_of_clip([7, 8])
    make(config, output, engine)
    make(config, tmp_path / "fresh", FakeEngine())
    assert contents(output) == contents(tmp_path / "fresh")


@pytest.mark.parametrize(
    ("changes", "version", "why"),
    [
        ({}, "Blender 9.9.9", "Blender 1.2.3 made it, and this is Blender 9.9.9"),
        ({"lines": {"thickness": 3.0}}, "Blender 1.2.3", "lines.thickness was 1.5 and is 3.0"),
        ({"motion": {"background": "invalid"}}, "Blender 1.2.3", 'motion.background was "infinity" and is "invalid"'),
    ],
)
def test_frames_of_another_kind_are_not_made_at_the_cost_of_those_that_were_not_asked_for(
    tmp_path: Path, changes: dict[str, Any], version: str, why: str
) -> None:
    output, changed = tmp_path / "out", make_cut(tmp_path, changes)
    make(make_cut(tmp_path), output, FakeEngine(), frames=(2, 4))
    before = times(output)
    with pytest.raises(AnimerunGenError) as refused:
        make(changed, output, FakeEngine(version=version), frames=(1, 2))
    assert str(refused.value) == (
        f"cut 'square': 2 frames outside --frames would be lost, because they are out of date, too ({why}); run the "
        "command without --frames to make all of them again, or try some with another --out"
    )
    assert {name: time for name, time in times(output).items() if stage_of(name)} == {
        name: time for name, time in before.items() if stage_of(name)
    }
    # as it was made
    assert not make(make_cut(tmp_path), output, FakeEngine(), frames=(2, 4))[0].redone
    # nothing but what was asked for is there
    [summary] = make(changed, output, FakeEngine(version=version), frames=(2, 4))
    assert summary.redone
    assert not summary.failures


def test_frames_within_which_no_pair_lies(tmp_path: Path) -> None:
    config, output = make_cut(tmp_path), tmp_path / "out"
    summaries = make(config, output, FakeEngine(), frames=(2, 2))
    assert clip_files(output) == files_of_clip([2])
    text = "\n".join(describe(summaries, output))
    assert "square: INCOMPLETE; 1 frame rendered, 1 label made" in text
    assert "1 of 5 frames and 0 of 4 pairs are complete; missing: frames 1, 3-5" in text
    assert "no pair of neighbouring frames is complete" in text


def test_another_split_moves_the_clip(tmp_path: Path) -> None:
    output, engine = tmp_path / "out", FakeEngine()
    make([make_cut(tmp_path), make_cut(tmp_path, {"name": "stays"})], output, engine)
    before = times(output)
    moved = make_cut(tmp_path, {"split": "test"})
    make([moved, make_cut(tmp_path, {"name": "stays"})], output, engine)
    assert len(engine.jobs) == 2
    after = times(output)
    assert {name for name in after if stage_of(name) and "square" in name} == files_of_clip([1, 2, 3, 4, 5], "test")
    assert all(after[name] == before[name.replace("test/", "train/")] for name in after if name.startswith("test/"))
    # loaders take every folder for a cut
    assert not list((output / "train").rglob("*square*"))
    assert list((output / "train").rglob("*stays*"))


def test_an_interrupted_move_is_completed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config, output = make_cut(tmp_path), tmp_path / "out"
    make(config, output, FakeEngine())
    moved, engine = make_cut(tmp_path, {"split": "test"}), FakeEngine()
    rename, calls = os.rename, []

    def rename_some(old: Path, new: Path) -> None:
        calls.append(old)
        if len(calls) == 6:
            raise KeyboardInterrupt
        rename(old, new)

    monkeypatch.setattr(os, "rename", rename_some)
    with pytest.raises(KeyboardInterrupt):
        make(moved, output, engine)
    make(moved, output, engine)
    assert not engine.jobs
    assert clip_files(output) == files_of_clip([1, 2, 3, 4, 5], "test")


def test_two_workers_make_the_same_bytes_as_one(tmp_path: Path) -> None:
    cuts = [make_cut(tmp_path, {"frames": {"last": 13}}), make_cut(tmp_path, {"name": "second"})]
    engine = FakeProgram(notes=("a driver is off",), diary=tmp_path / "diary")
    [first, second] = make(cuts, tmp_path / "two", engine, workers=2)
    assert len(engine.jobs) > 2
    assert first.rendered == set(range(1, 14))
    assert (first.labelled, second.labelled) == (25, 9)
    assert first.notes == ["a driver is off"]
    make(cuts, tmp_path / "one", FakeEngine(notes=engine.notes))
    assert contents(tmp_path / "two") == contents(tmp_path / "one")


@pytest.mark.parametrize(("kind", "workers"), [(FakeEngine, 1), (FakeProgram, 2)])
def test_a_cut_that_fails_does_not_stop_the_others(
    tmp_path: Path, kind: type[FakeEngine | FakeProgram], workers: int
) -> None:
    names = ("a", "broken", "z")
    cuts = [make_cut(tmp_path, {"name": name}) for name in names]
    output, engine = tmp_path / "out", kind(fails_in={"broken": 3})
    summaries = generate(cuts, Options(output, engine, workers=workers))
    assert [len(summary.failures) for summary in summaries] == [0, 1, 0]
    assert "broken" in summaries[1].failures[0]
    assert "frame 3" in summaries[1].failures[0]
    for name in ("a", "z"):
        assert len(list((output / "train" / "Flow" / name / "forward").iterdir())) == 4
    lines = describe(summaries, output)
    # what came out before it failed is labelled: two frames and their pair
    assert "broken: FAILED; 2 frames rendered, 3 labels made" in lines
    assert any("frame 3 (flat)" in line for line in lines)
    # what came out before is kept
    assert len(list((output / "train" / "Flow" / "broken" / "forward").iterdir())) == 1


def test_a_failed_cut_goes_on_where_it_stopped(tmp_path: Path) -> None:
    config, output, engine = make_cut(tmp_path), tmp_path / "out", FakeEngine()
    generate([config], Options(output, FakeEngine(fails_in={"square": 3})))
    make(config, output, engine)
    assert engine.jobs[0].pictures == (3, 4, 5)
    assert engine.jobs[0].pairs == ((2, 3), (3, 4), (4, 5))
    make(config, tmp_path / "fresh", FakeEngine())
    assert contents(output) == contents(tmp_path / "fresh")


def test_figures_of_what_is_out_of_date_do_not_outlive_it(tmp_path: Path) -> None:
    config, output = make_cut(tmp_path), tmp_path / "out"
    make(config, output, FakeEngine(), cross_check=True)
    config.source.write_bytes(b"another film")
    [summary] = generate([config], Options(output, FakeEngine(fails_in={"square": 3})))
    assert summary.failures
    figures = {path.name for path in (output / ".animerun-gen/figures/square").iterdir()}
    assert figures == {"frame-0001.json", "frame-0002.json", "pair-0001.json"}
    [summary] = generate([config], Options(output, FakeEngine(version="Blender 9", fails_in={"square": 1})))
    assert summary.failures
    assert not (output / "quality" / "square.json").exists()
    assert not [name for name in contents(output) if "/figures/" in name]


def test_a_source_that_vanishes_is_a_failure_of_its_cut(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    gone, good = make_cut(tmp_path, {"name": "gone"}), make_cut(tmp_path / "other")
    make([gone, good], tmp_path / "out", FakeEngine())
    whole = contents(tmp_path / "out")
    gone.source.unlink()
    summaries = generate([gone, good], Options(tmp_path / "out", FakeEngine()))
    assert "film.blend cannot be read: No such file" in summaries[0].failures[0]
    assert not summaries[1].failures
    # nothing is thrown away because of it
    assert contents(tmp_path / "out") == whole


def test_files_that_were_not_made_here_are_left_alone(tmp_path: Path) -> None:
    output = tmp_path / "AnimeRun"
    for name in ("Frame_Anime/square/original", "Flow/square/forward"):
        (output / "test" / name).mkdir(parents=True)
        (output / "test" / name / "0001.png").write_bytes(b"downloaded")
    before = contents(output)
    [summary] = generate([make_cut(tmp_path)], Options(output, FakeEngine()))
    assert "already has a cut of this name from elsewhere" in summary.failures[0]
    after = contents(output)
    assert {name: after[name] for name in before} == before
    # what was looked up in the film, and which cuts there are
    assert set(after) - set(before) == {".animerun-gen/cuts/square.json", "splits/test.txt"}


@pytest.mark.parametrize(
    "record",
    [b"", b"{", b"[]", b"null", b'{"fingerprints": null}', b'{"fingerprints": {"pictures": 3}}', b"\xff\xfe"],
)
def test_with_a_damaged_record_everything_is_made_again(tmp_path: Path, record: bytes) -> None:
    config, output = make_cut(tmp_path, {"frames": {"last": 2}}), tmp_path / "out"
    make(config, output, FakeEngine())
    whole = contents(output)
    (output / ".animerun-gen" / "cuts" / "square.json").write_bytes(record)
    [summary] = make(config, output, FakeEngine())
    assert set(summary.redone) == ALL
    assert contents(output) == whole


@pytest.mark.parametrize("damage", [b"", b"{", b"[1]", b"\xff"])
def test_damaged_figures_are_made_again(tmp_path: Path, damage: bytes) -> None:
    config, output, engine = make_cut(tmp_path), tmp_path / "out", FakeEngine()
    make(config, output, engine, cross_check=True)
    whole = contents(output)
    (output / ".animerun-gen/figures/square/pair-0002.json").write_bytes(damage)
    (output / ".animerun-gen/figures/square/cross_check-0003-0002.json").write_bytes(damage)
    (output / "quality/square.json").write_bytes(damage)
    make(config, output, engine, cross_check=True)
    assert contents(output) == whole
    assert engine.jobs[1].pairs == ((2, 3),)


def test_a_damaged_picture_is_named_and_spares_the_other_frames(tmp_path: Path) -> None:
    config, output = make_cut(tmp_path), tmp_path / "out"
    make(config, output, FakeEngine(), label=False)
    picture = output / "train/contour/square/0005.png"
    picture.write_bytes(picture.read_bytes()[:-20])
    # labelling only reads pictures
    [summary] = generate([config], Options(output, None, render=False))
    assert "contour/square/0005.png" in summary.failures[0]
    assert "delete it" in summary.failures[0]
    assert len(list((output / "train/Segment/square").iterdir())) == 4
    [summary] = make(config, output, FakeEngine())
    assert "damaged files, which are made again: 1 (train/contour/square/0005.png)" in summary.notes
    make(config, tmp_path / "fresh", FakeEngine())
    assert contents(output) == contents(tmp_path / "fresh")


def test_an_error_of_our_own_while_labelling_is_a_sentence_and_a_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config, output = make_cut(tmp_path), tmp_path / "out"
    make(config, output, FakeEngine(), label=False)

    def fail(clip: ClipFiles, config: CutConfig, frame: int) -> None:
        raise ValueError("the shapes do not agree")

    monkeypatch.setattr(label_files, "label_frame", fail)
    [summary] = generate([config], Options(output, FakeEngine()))
    assert any("frame 2 cannot be labelled: ValueError" in failure for failure in summary.failures)
    assert "Traceback" in (output / ".animerun-gen/logs/square.log").read_text()
    assert "square: FAILED" in describe([summary], output)[0]


def test_a_full_disk_is_said_once_not_for_every_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config, output = make_cut(tmp_path, {"frames": {"last": 12}}), tmp_path / "out"
    make(config, output, FakeEngine(), label=False)

    def full(path: Path, data: bytes) -> int:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_bytes", full)
        summaries = generate([config], Options(output, FakeEngine()))
    lines = describe(summaries, output)
    assert len([line for line in lines if line.startswith("  failed")]) == SHOWN_FAILURES + 1
    assert "the disk is full" in lines[1]
    assert not list(output.rglob("*part*"))
    make(config, output, FakeEngine())
    make(config, tmp_path / "fresh", FakeEngine())
    assert contents(output) == contents(tmp_path / "fresh")


def test_a_full_disk_while_rendering_is_a_failure_of_the_cut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(path: Path, data: bytes) -> int:
        raise OSError(28, "No space left on device")

    make(make_cut(tmp_path), tmp_path / "out", FakeEngine(), frames=(1, 1))
    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_bytes", full)
        [summary] = generate([make_cut(tmp_path)], Options(tmp_path / "out", FakeEngine()))
    assert "the disk is full; free some space and run the same command again" in summary.failures[0]


class Killed(BaseException):
    """Stands for the end of the process."""


def crash_points(monkeypatch: pytest.MonkeyPatch, steps: dict[str, Any], limit: int, before: bool) -> None:
    """Let the process "end" at the given change of the disk, counting from 0: just before it, or just after."""
    count = 0

    def stumbling(change: Callable[..., Any]) -> Callable[..., Any]:
        def wrapped(*arguments: Any, **options: Any) -> Any:
            nonlocal count
            count += 1
            if before and count > limit:
                raise Killed
            result = change(*arguments, **options)
            if count > limit:
                raise Killed
            return result

        return wrapped

    for name, change in steps.items():
        monkeypatch.setattr(os, name, stumbling(change))


DISK_CHANGES = {name: getattr(os, name) for name in ("replace", "rename", "unlink", "rmdir")}


@pytest.mark.parametrize("before", [True, False], ids=["before", "after"])
@pytest.mark.parametrize(
    "start",
    [
        None,
        {"style": {"background": "#102030"}},
        {"split": "test", "frames": {"last": 3}, "labels": {"ball_radius": 1}},
    ],
    ids=["from nothing", "other pictures", "other split, range and labels"],
)
def test_stopped_at_any_change_of_the_disk_the_next_run_completes_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, start: dict[str, Any] | None, before: bool
) -> None:
    extent = {"frames": {"last": 2}, "resolution": [32, 24]}
    config = make_cut(tmp_path, extent)
    make(config, tmp_path / "undisturbed", FakeEngine())
    whole = contents(tmp_path / "undisturbed")
    earlier = tmp_path / "earlier"
    earlier.mkdir()
    if start is not None:
        make(make_cut(tmp_path, {**extent, **start}), earlier, FakeEngine())
    # every third point, other ones before than after, to be quick
    stopped, limit = True, int(before)
    while stopped:
        output = tmp_path / f"out{limit}"
        shutil.copytree(earlier, output)
        with monkeypatch.context() as patch:
            crash_points(patch, DISK_CHANGES, limit, before)
            stopped = False
            try:
                make(config, output, FakeEngine())
            except Killed:
                stopped = True
        make(config, output, FakeEngine())
        assert contents(output) == whole
        shutil.rmtree(output)
        limit += 3
    assert limit > 25


def test_a_second_run_on_the_same_output_says_so(tmp_path: Path) -> None:
    config, output, engine = make_cut(tmp_path), tmp_path / "out", FakeEngine()
    with exclusive(output), pytest.raises(BusyError, match=rf"another run \(process {os.getpid()}\) is writing to"):
        generate([config], Options(output, engine))
    assert not engine.jobs
    make(config, output, engine)


def test_an_output_that_is_a_file_is_a_mistake_of_the_command(tmp_path: Path) -> None:
    (tmp_path / "out").write_bytes(b"")
    with pytest.raises(NoDatasetError, match=r"out is not a folder; choose another --out"):
        generate([make_cut(tmp_path)], Options(tmp_path / "out", FakeEngine()))
    assert (tmp_path / "out").read_bytes() == b""


def test_an_output_below_a_file(tmp_path: Path) -> None:
    (tmp_path / "out").write_bytes(b"")
    with pytest.raises(DatasetError, match=r"cannot be written to: .*; choose another folder"):
        generate([make_cut(tmp_path)], Options(tmp_path / "out/below", FakeEngine()))


def test_another_film_is_no_film_that_changed(tmp_path: Path) -> None:
    output = tmp_path / "out"
    first = make_cut(tmp_path)
    make(first, output, FakeEngine())
    other = first.source.with_name("other.blend")
    other.write_bytes(first.source.read_bytes() + b"other")
    (summary,) = generate([first.model_copy(update={"source": other})], Options(output, FakeEngine()))
    assert f"source was {first.source} and is {other}" in summary.redone["pictures"]


def test_rendering_without_an_engine_takes_the_one_that_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no program 'no-such-blender' was found"):
        generate([make_cut(tmp_path)], Options(tmp_path / "out", blender="no-such-blender"))
    assert not (tmp_path / "out").exists()


def only_label(config: Any, output: Path) -> CutSummary:
    [summary] = generate([config], Options(output, FakeEngine(), render=False))
    return summary


def test_rendering_then_labelling_is_the_same_as_generating(tmp_path: Path) -> None:
    config, output = make_cut(tmp_path), tmp_path / "out"
    summaries = make(config, output, FakeEngine(), label=False)
    assert describe(summaries, output)[0] == "square: rendered; 5 frames rendered, 0 labels made"
    assert {stage_of(name) for name in clip_files(output)} == {"pictures", "motion"}
    summary = only_label(config, output)
    assert not summary.failures
    assert describe([summary], output)[0] == "square: complete; 0 frames rendered, 9 labels made"
    make(config, tmp_path / "fresh", FakeEngine())
    assert contents(output) == contents(tmp_path / "fresh")


@pytest.mark.parametrize("change", ["gone", "changed", "library gone"])
def test_labelling_needs_no_sources_and_throws_nothing_away(tmp_path: Path, change: str) -> None:
    config, output, library = make_cut(tmp_path), tmp_path / "out", tmp_path / "library.blend"
    library.write_bytes(b"chairs")
    make(config, output, FakeEngine(inputs=(library,)))
    before, whole = times(output), contents(output)
    if change == "gone":
        config.source.unlink()
    elif change == "changed":
        config.source.write_bytes(b"another film")
    else:
        library.unlink()
    relabelled = make_cut_without_source(config, {"labels": {"line_distance": 3.0}})
    summary = only_label(relabelled, output)
    assert not summary.failures
    assert set(summary.redone) == {"labels"}
    assert {stage_of(name) for name in rewritten(output, before)} - {None} == {"labels"}
    # the original again
    assert not only_label(config, output).failures
    assert contents(output) == whole


def make_cut_without_source(config: Any, changes: dict[str, Any]) -> Any:
    values = config.model_dump()
    for section, inside in changes.items():
        values[section] = {**values[section], **inside}
    return type(config).model_validate(values)


@pytest.mark.parametrize(
    "changes",
    [{"lines": {"thickness": 4.0}}, {"motion": {"background": "static"}}, {"frames": {"step": 2}}],
    ids=id_of,
)
def test_labelling_refuses_pictures_of_another_configuration(tmp_path: Path, changes: dict[str, Any]) -> None:
    output = tmp_path / "out"
    make(make_cut(tmp_path), output, FakeEngine())
    before, known = times(output, ledgers=False), contents(output)
    summary = only_label(make_cut(tmp_path, changes), output)
    [(section, inside)] = changes.items()
    [(key, value)] = inside.items()
    assert re.search(rf"out of date \({section}\.{key} was \S+ and is {shown(value)}\)", summary.failures[0])
    assert "animerun-gen render" in summary.failures[0]
    assert times(output, ledgers=False) == before
    assert contents(output) == known


def test_labelling_refuses_what_was_never_rendered(tmp_path: Path) -> None:
    config, output = make_cut(tmp_path), tmp_path / "out"
    with pytest.raises(DatasetError, match="out does not exist; correct --out"):
        only_label(config, output)
    assert not output.exists()
    output.mkdir()
    summary = only_label(config, output)
    assert "none of it has been rendered into" in summary.failures[0]
    assert not (output / "train").exists()


def test_labelling_leaves_out_what_was_not_rendered_yet(tmp_path: Path) -> None:
    config, output = make_cut(tmp_path), tmp_path / "out"
    make(config, output, FakeEngine(), label=False)
    (output / "train/contour/square/0003.png").unlink()
    summary = only_label(config, output)
    assert summary.labelled == 6
    [failure] = summary.failures
    assert "contour/square/0003.png is missing" in failure
    assert "--frames" in failure
    # nobody is stopped from labelling just what is there
    [part] = generate([config], Options(output, FakeEngine(), frames=(4, 5), render=False))
    assert not part.failures


def test_labelling_a_shortened_clip_touches_no_pictures_but_warns(tmp_path: Path) -> None:
    output = tmp_path / "out"
    make(make_cut(tmp_path), output, FakeEngine())
    before = times(output)
    summary = only_label(make_cut(tmp_path, {"frames": {"last": 3}}), output)
    gone = set(before) - set(times(output))
    assert {stage_of(name) for name in gone} == {"labels", None}
    text = "\n".join(describe([summary], output))
    assert "square: INCOMPLETE" in text
    assert "would mismatch them" in text


def test_a_hole_in_the_clip_is_said_clearly(tmp_path: Path) -> None:
    config, output = make_cut(tmp_path, {"frames": {"last": 9}}), tmp_path / "out"
    make(config, output, FakeEngine(), frames=(1, 3))
    summaries = make(config, output, FakeEngine(), frames=(6, 9))
    text = "\n".join(describe(summaries, output))
    assert "square: INCOMPLETE" in text
    assert "7 of 9 frames and 5 of 8 pairs are complete; missing: frames 4-5" in text
    assert "published loaders match files by their order and would mismatch them" in text


def test_the_beginning_of_a_clip_alone_is_incomplete_but_in_order(tmp_path: Path) -> None:
    summaries = make(make_cut(tmp_path), tmp_path / "out", FakeEngine(), frames=(1, 3))
    text = "\n".join(describe(summaries, tmp_path / "out"))
    assert "3 of 5 frames and 2 of 4 pairs are complete; missing: frames 4-5" in text
    assert "wrong" not in text


def test_the_summary_says_what_was_out_of_date_and_what_came_up(tmp_path: Path) -> None:
    output, engine = tmp_path / "out", FakeEngine(notes=("2 drivers are switched off",))
    make(make_cut(tmp_path), output, engine)
    summaries = make(make_cut(tmp_path, {"lines": {"thickness": 3.0}}), output, engine)
    lines = describe(summaries, output)
    assert lines[0] == "square: complete; 5 frames rendered, 9 labels made"
    assert "  out of date (pictures): lines.thickness was 1.5 and is 3.0" in lines
    assert "  out of date (labels): lines.thickness was 1.5 and is 3.0" in lines
    assert "  note: 2 drivers are switched off" in lines
    assert lines[-1] == f"the dataset is in {output}; figures of each pair are in {output / 'quality'}"
    assert not [line for line in lines if "motion is unknown" in line]


def test_the_summary_says_how_much_motion_is_unknown(tmp_path: Path) -> None:
    config = make_cut(tmp_path, {"motion": {"background": "invalid"}})
    lines = describe(make(config, tmp_path / "out", FakeEngine()), tmp_path / "out")
    share = 100 * (1 - 12 * 12 / (64 * 48))
    assert f"  motion is unknown in up to {share:.2f}% of a frame" in lines


def figures_of(summary: dict[str, Any]) -> list[str]:
    """The figures of a summary that have a mean and a worst value."""
    return [name for name, figure in summary.items() if isinstance(figure, dict) and "mean" in figure]


def test_any_figure_of_the_summary_may_be_lacking(tmp_path: Path) -> None:
    [summary] = make(make_cut(tmp_path, {"quality": {"max_leaks": 1.0}}), tmp_path / "out", FakeEngine())
    assert summary.quality is not None
    figures = summary.quality["summary"]
    names = figures_of(figures)
    assert {"warp_error", "agreement", "agreement_ids", "leaks", "pieces", "occlusion_agreement"} < set(names)
    whole = describe([summary], tmp_path / "out")
    for lacking in ([name] for name in names):
        summary.quality = {**summary.quality, "summary": without(figures, lacking)}
        assert set(describe([summary], tmp_path / "out")) <= {*whole, *described_agreement(figures, lacking)}
    summary.quality["summary"] = without(figures, names) | {"held_share": None}
    assert describe([summary], tmp_path / "out")[1:-1] == ["  quality: all figures are within their thresholds"]


def without(figures: dict[str, Any], names: list[str]) -> dict[str, Any]:
    return figures | {name: {"mean": None, "worst": None} for name in names}


def described_agreement(figures: dict[str, Any], lacking: list[str]) -> list[str]:
    """The line about both ways to compare pictures with id maps, from what is left of them."""
    left = [figures[name]["worst"] for name in ("agreement", "agreement_ids") if name not in lacking]
    return [f"  pictures and id maps agree in at least {100 * min(left):.3f}% of each frame"]


def test_a_cut_without_a_large_id_region_is_summed_up(tmp_path: Path) -> None:
    [summary] = make(make_cut(tmp_path), tmp_path / "out", FakeEngine())
    assert summary.quality is not None
    for figures in summary.quality["frame_figures"]:
        # as of a frame that shows nothing but specks: there is no surface that could be cut into pieces
        figures["pieces"] = None
    summary.quality["summary"] = summarise(summary.quality["frame_figures"], summary.quality["pairs"])
    lines = describe([summary], tmp_path / "out")
    assert any(line.startswith("  segments spill onto another surface") for line in lines)
    assert not any("pieces" in line for line in lines)


def test_pairs_past_the_limit_are_named(tmp_path: Path) -> None:
    output = tmp_path / "out"
    make(make_cut(tmp_path), output, FakeEngine())
    clip = ClipFiles(output, "train", "square")
    picture = clip.read("frame", 3)
    files.write_image(clip.path("frame", 3), 255 - picture)
    shutil.rmtree(output / ".animerun-gen" / "figures")
    [summary] = make(make_cut(tmp_path), output, FakeEngine())
    assert summary.quality is not None
    assert summary.quality["past_limit"] == [[2, 3], [3, 4]]
    lines = describe([summary], output)
    assert any(line.startswith("  quality: pair 2-3 forward: the colour frames differ by ") for line in lines)
    assert any(line.startswith("  quality: pair 3-4 backward: the colour frames differ by ") for line in lines)


@pytest.mark.parametrize("label", [True, False])
def test_cross_checks_are_kept_and_reported(tmp_path: Path, label: bool) -> None:
    config, output = make_cut(tmp_path), tmp_path / "out"
    make(config, output, FakeEngine(), label=label)
    engine = FakeEngine()
    summaries = make(config, output, engine, cross_check=True, label=label)
    assert engine.jobs[0].pairs == ((1, 2), (2, 3), (3, 4), (4, 5))
    assert engine.jobs[0].pictures == ()
    lines = describe(summaries, output)
    assert "  cross-check: 8 of 8 flows can be compared with the Vector pass" in lines
    assert "  cross-check: medians up to 1e-05 px, 99% of each within 0.0002 px" in lines
    make(config, output, engine, cross_check=True, label=label)
    assert len(engine.jobs) == 1


def test_the_summary_says_where_the_vector_pass_is_wrong(tmp_path: Path) -> None:
    config = make_cut(tmp_path)
    wrong = {"median": None, "p99": None, "vector_pass_problems": ["the lens shift is animated"]}
    right = {"median": 2e-5, "p99": 1e-4, "vector_pass_problems": []}
    lines = describe([CutSummary(config, cross_checks=[right, wrong])], tmp_path)
    assert "  cross-check: 1 of 2 flows can be compared with the Vector pass" in lines
    assert "  cross-check: the Vector pass is wrong where the lens shift is animated" in lines


def test_tasks_say_what_they_lack(tmp_path: Path) -> None:
    config, output = make_cut(tmp_path), tmp_path / "out"
    clip = ClipFiles(output, "train", "square")
    assert LabelTask(config, output, 1).missing_input() == clip.path("contour", 1)
    make(config, output, FakeEngine(), frames=(1, 2))
    assert LabelTask(config, output, 1, 2).missing_input() is None
    for name, frame in (("flow_forward", 1), ("flow_backward", 2), ("segment", 2), ("flat", 1), ("frame", 2)):
        path = clip.path(name, frame)
        content = path.read_bytes()
        path.unlink()
        assert LabelTask(config, output, 1, 2).missing_input() == path
        path.write_bytes(content)


def test_what_a_child_that_died_was_writing_does_not_outlast_the_run(tmp_path: Path) -> None:
    """Its chunk is done again by another one, which writes under a name of its own."""
    output = tmp_path / "out"
    left = output / "train/Flat/square/.animerun-part-0a1b2c3d-0002.png"

    def leave() -> None:
        left.write_bytes(b"half")

    def leave_and_stop() -> None:
        leave()
        raise KeyboardInterrupt

    make(make_cut(tmp_path), output, Meddled(meddle={2: leave}))
    assert not left.exists()
    other = make_cut(tmp_path, {"lines": {"thickness": 3.0}})
    with pytest.raises(KeyboardInterrupt):
        generate([other], Options(output, Meddled(meddle={2: leave_and_stop})))
    assert not left.exists()
