"""The page about the quality gate: no figure without a word about it, and no word about figures that are not there."""

from __future__ import annotations

import json
import re
from pathlib import Path

from tests.pipeline.datasets import make, make_cut
from tests.pipeline.fake_engine import FakeEngine

PAGE = (Path(__file__).parents[2] / "docs" / "quality.md").read_text(encoding="utf-8")


def test_the_page_and_the_files_know_the_same_figures(tmp_path: Path) -> None:
    make(make_cut(tmp_path), tmp_path / "out", FakeEngine())
    quality = json.loads((tmp_path / "out/quality/square.json").read_bytes())
    of_frames = {name for frame in quality["frame_figures"] for name in frame} - {"frame"}
    of_pairs = {name for pair in quality["pairs"] for name in pair} - {"source", "target", "forward", "backward"}
    of_pairs |= {name for pair in quality["pairs"] for way in ("forward", "backward") for name in pair[way]}
    tables = re.findall(r"^\| figure(?: of a frame)? \|.*\n\|[ |-]+\n((?:\|.*\n)+)", PAGE, re.M)
    described = {
        name for table in tables for line in table.splitlines() for name in re.findall(r"`(\w+)`", line.split("|")[1])
    }
    assert described <= of_frames | of_pairs
    assert of_frames | of_pairs <= set(re.findall(r"`(\w+)`", PAGE))
