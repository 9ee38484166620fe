from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest

from animerun_gen.dataset import layout, write_json
from animerun_gen.pipeline.state.ledger import MadeFrom, open_ledger
from animerun_gen.report import figures
from animerun_gen.report.facts import CutFacts, collect_facts
from tests.report.clips import FRAMES, failing, quality_of, write_clip, write_quality

WAYS = ("forward", "backward")


def facts_of(root: Path, quality: dict[str, Any] | None, **clip: Any) -> CutFacts:
    writer = write_clip(root, **clip)
    if quality is not None:
        write_quality(root, quality)
    return collect_facts(writer)


def test_verdicts(tmp_path: Path) -> None:
    assert figures.verdict(facts_of(tmp_path / "1", quality_of())) == "pass"
    assert figures.verdict(facts_of(tmp_path / "2", failing(quality_of(), 0, "forward", "bad"))) == "fail"
    assert figures.verdict(facts_of(tmp_path / "3", None)) == "unknown"
    assert figures.verdict(facts_of(tmp_path / "1", quality_of()), ["a file cannot be read"]) == "incomplete"
    without_last = quality_of()
    del without_last["pairs"][-1]
    assert figures.verdict(facts_of(tmp_path / "4", without_last)) == "incomplete"
    partial = facts_of(tmp_path / "5", quality_of())
    partial.clip.path("segment", 10).unlink()
    partial = collect_facts(partial.clip)
    assert figures.verdict(partial) == "incomplete"
    assert partial.missing == ["segment (Segment/fight) is missing for frame 10."]


def test_a_figure_stands_where_its_arrows_begin_and_gaps_stay_gaps(tmp_path: Path) -> None:
    quality = quality_of()
    quality["pairs"][1]["forward"]["warp_error"] = None
    quality["pairs"][1]["backward"]["warp_error"] = math.nan
    facts = facts_of(tmp_path, None)
    facts.quality.update(quality)
    chart = figures.charts(facts)[0]
    assert chart["title"].startswith("Warp error, colour")
    assert chart["bar"] == 0.01
    assert [(line["direction"], line["values"]) for line in chart["series"]] == [
        ("forward", [0.001, None, None]),
        ("backward", [None, 0.0015, None]),
    ]


def test_every_figure_may_be_lacking(tmp_path: Path) -> None:
    quality = quality_of()
    for figures_of in (*quality["frame_figures"], *(pair[way] for pair in quality["pairs"] for way in WAYS)):
        figures_of |= dict.fromkeys(set(figures_of) - {"frame"})
    # of this one nothing says where it leads
    del quality["pairs"][0]["target"]
    facts = facts_of(tmp_path, quality)
    assert figures.charts(facts) == []
    assert figures.worst_figures(facts) == [None] * len(figures.INDEX_COLUMNS)
    table = figures.pair_table(facts)
    assert table["columns"] == []
    assert [row["worst"] for row in table["rows"]] == [None, None]


def test_figures_that_are_not_there_are_not_drawn(tmp_path: Path) -> None:
    quality = quality_of()
    del quality["frame_figures"]
    for pair in quality["pairs"]:
        for way in ("forward", "backward"):
            pair[way] = {"warp_error": 0.001, "median_motion": 3.5}
    facts = facts_of(tmp_path, quality)
    charts = {chart["title"]: chart for chart in figures.charts(facts)}
    assert list(charts) == ["Warp error, colour frames", "Motion"]
    # what older files call it
    assert charts["Motion"]["series"][0]["values"] == [3.5, 3.5, None]
    assert [column["title"] for column in figures.pair_table(facts)["columns"]] == ["warp error", "motion"]


def test_the_worst_pairs_come_first(tmp_path: Path) -> None:
    quality = quality_of()
    quality["pairs"][0]["backward"]["round_trip_median"] = 0.04
    failing(quality, 1, "backward", "bad")
    table = figures.pair_table(facts_of(tmp_path, quality))
    order = [(row["source"], row["target"], row["direction"], row["failed"]) for row in table["rows"]]
    assert order == [
        (12, 10, "backward", True),
        (10, 8, "backward", False),
        (8, 10, "forward", False),
        (10, 12, "forward", False),
    ]
    worst = [row["worst"] for row in table["rows"]]
    assert worst == pytest.approx([5, 0.8, 0.2, 0.2])
    assert [row["held"] for row in table["rows"]] == [False, True, True, False]


@pytest.mark.parametrize(("direction", "frame"), [("forward", 10), ("backward", 12), (None, 10)])
def test_a_failure_leads_to_the_frame_that_shows_it(direction: str | None, frame: int) -> None:
    # whichever end of the pair is named first
    for source, target in ((10, 12), (12, 10)):
        quality = {"failures": [{"source": source, "target": target, "direction": direction, "message": "bad"}]}
        assert figures.failures(quality) == [{"message": "bad", "frame": frame, "direction": direction}]


def test_a_frame_can_fail_without_a_pair() -> None:
    quality = {"failures": [{"source": 12, "target": None, "direction": None, "figure": "leaks", "message": ""}]}
    assert figures.failures(quality) == [{"message": "leaks is beyond its threshold", "frame": 12, "direction": None}]


def test_older_quality_files_are_judged_by_their_limit() -> None:
    quality = {"max_warp_error": 0.02, "past_limit": [[8, 10]]}
    assert figures.failures(quality) == [
        {"message": "pair 8-10: the warp error is past the limit of 0.02", "frame": 8, "direction": "forward"}
    ]
    assert figures.thresholds(quality) == {"warp_error": 0.02}


def test_the_index_shows_the_worst_of_a_cut(tmp_path: Path) -> None:
    quality = quality_of()
    quality["frame_figures"][1]["agreement"] = 0.99
    quality["pairs"][1]["backward"]["leaks"] = 7.0
    worst = dict(
        zip((c.key for c in figures.INDEX_COLUMNS), figures.worst_figures(facts_of(tmp_path, quality)), strict=True)
    )
    assert worst["warp_error"] == 0.0025
    assert worst["agreement"] == 0.99
    assert worst["largest_motion"] == 11.0


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[1]",
        b'{"pairs": 3, "failures": [1, {}], "bars": [], "frame_figures": [{"frame": "x"}]}',
        b'{"pairs": [{}]}',
    ],
)
def test_nonsense_in_a_quality_file_hides_figures_and_nothing_else(tmp_path: Path, content: bytes) -> None:
    clip = write_clip(tmp_path)
    (tmp_path / "quality").mkdir()
    (tmp_path / "quality" / "fight.json").write_bytes(content)
    facts = collect_facts(clip)
    assert figures.charts(facts) == []
    assert figures.pair_table(facts)["rows"] == []
    assert any("igures" in remark for remark in facts.remarks)
    assert all(value is None for value in figures.worst_figures(facts))


def test_what_it_was_made_with_comes_from_the_manifest_or_else_the_ledger(tmp_path: Path) -> None:
    clip = write_clip(tmp_path)
    assert collect_facts(clip).origin == ""
    config = {"source": "film.blend", "frames": {"first": 8, "last": 14, "step": 2}, "motion": {"extras": ["depth"]}}
    made_from = MadeFrom(config=config, engine="Blender 1.2.3", source="ab", inputs={"a.png": "cd"}, notes=("odd",))
    open_ledger(tmp_path, "fight").keep(made_from=made_from)
    facts = collect_facts(clip)
    assert facts.origin == ".animerun-gen/cuts/fight.json"
    assert facts.versions == {"engine": "Blender 1.2.3"}
    assert facts.inputs == {"film.blend": "ab", "a.png": "cd"}
    assert facts.notes == ["odd"]
    # the configuration tells what should be there
    assert facts.missing[0] == "1 of the 4 frames that the configuration asks for are not there: 14."
    assert "depth (Depth/fight) is missing." in facts.missing
    manifest = {
        "version": 1,
        "config": {"motion": {}},
        "made_with": {"engine": "Blender 4.5", "numpy": "1.26"},
        "source": {"path": "film.blend", "sha256": "ef"},
    }
    write_json(layout.manifest_file(tmp_path, "fight"), manifest)
    facts = collect_facts(clip)
    assert facts.origin == "manifest/fight.json"
    assert facts.versions == {"engine": "Blender 4.5", "numpy": "1.26"}
    assert facts.inputs == {"film.blend": "ef"}


def test_a_kind_that_nobody_asked_for_is_absent_and_not_missing(tmp_path: Path) -> None:
    facts = facts_of(tmp_path, quality_of(), without=["exact_occlusion", "valid"])
    assert facts.missing == []
    assert {"exact_occlusion_forward", "valid_backward", "depth", "tracks"} <= set(facts.absent)
    assert "segment" not in facts.absent


def test_frames_are_those_of_the_clip(tmp_path: Path) -> None:
    facts = facts_of(tmp_path, quality_of())
    assert facts.frames == FRAMES
    assert facts.clip_rate == 12.0
