"""The index says of a dataset as a whole what its files say, and nothing else."""

from __future__ import annotations

import re
from html import unescape
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from animerun_gen.cli import main
from animerun_gen.dataset import ClipFiles, layout, write_json
from animerun_gen.dataset.split_lists import write_split_lists
from animerun_gen.report.build import build_report
from animerun_gen.report.facts import CutFacts
from animerun_gen.report.totals import MOST_BINS, Counted, histograms, mean_share, percent, size_text
from tests.report.clips import failing, quality_of, write_clip, write_quality


def text_of(page: Path, part: str) -> str:
    """What a reader sees of an element with an id, blanks made one."""
    text = page.read_text(encoding="utf-8")
    [tag, inside] = re.findall(rf'<(\w+) id="{part}"[^>]*>(.*)', text, re.S)[0]
    inside = inside.partition(f"</{tag}>")[0] if tag != "div" else inside.partition("</section>")[0]
    return " ".join(unescape(re.sub("<[^>]*>", " ", inside)).split())


def counted(quality: dict[str, Any], resolution: tuple[int, int] = (64, 40)) -> Counted:
    """A cut of which only the figures count."""
    clip = ClipFiles(Path("nowhere"), "train", "fight")
    return Counted(clip, CutFacts(clip, (1, 2, 3), resolution, quality=quality), size=0, pairs=2)


def test_totals_are_those_of_the_files(tmp_path: Path) -> None:
    write_clip(tmp_path, "fight")
    write_quality(tmp_path, quality_of())
    write_clip(tmp_path, "walk", frames=(1, 2), size=(128, 80))
    index = build_report(tmp_path).index
    size = sum(file.stat().st_size for file in (tmp_path / "train").rglob("*") if file.is_file())
    assert text_of(index, "totals") == (
        f"cuts 2 frames 5 pairs 3 resolution 64 \u00d7 40 to 128 \u00d7 80 pixels with known motion 100% "
        f"occluded, exactly 9.0% occluded, by the paper's rule 10.0% on disk {size_text(size)}"
    )
    assert text_of(index, "gate") == "Quality gate: PASS 1 NOT JUDGED 1"


def test_without_figures_nothing_is_invented(tmp_path: Path) -> None:
    write_clip(tmp_path)
    index = build_report(tmp_path).index
    assert "motion" not in text_of(index, "totals")
    assert 'id="histograms"' not in index.read_text()
    assert text_of(index, "films").endswith("licence unknown author unknown attribution unknown from unknown")
    assert text_of(index, "versions").startswith("made with unknown")


def test_shares_are_means_over_pixels() -> None:
    small, large = quality_of(), quality_of()
    for quality, share in ((small, 0.5), (large, 0.1)):
        for pair in quality["pairs"]:
            for way in ("forward", "backward"):
                pair[way]["invalid_share"] = share
    # four times the pixels count four times
    known = [counted(small).facts, counted(large, (128, 80)).facts]
    assert mean_share([facts for facts in known if facts], "invalid_share") == pytest.approx((0.5 + 4 * 0.1) / 5)
    assert mean_share([], "invalid_share") is None


@pytest.mark.parametrize(
    ("share", "text"),
    [(0, "0%"), (1, "100%"), (0.5, "50.0%"), (0.9999, "99.99%"), (0.00004, "0.004%"), (1e-9, "< 0.001%")],
)
def test_a_share_is_never_rounded_to_none_or_all(share: float, text: str) -> None:
    assert percent(share) == text


@pytest.mark.parametrize(
    ("size", "text"), [(0, "0.0 kB"), (1500, "1.5 kB"), (2_500_000, "2.5 MB"), (3e9, "3.0 GB"), (4e12, "4.0 TB")]
)
def test_sizes(size: int, text: str) -> None:
    assert size_text(size) == text


@pytest.mark.parametrize("seed", range(20))
def test_each_value_stands_in_its_bar(seed: int) -> None:
    rng = np.random.default_rng(seed)
    quality = quality_of()
    motions = rng.lognormal(rng.uniform(-6, 6), rng.uniform(0.01, 2), 4)
    for place, pair in enumerate(quality["pairs"]):
        pair["forward"]["motion_median"], pair["backward"]["motion_median"] = motions[2 * place : 2 * place + 2]
    segments = rng.integers(1, 10 ** rng.integers(1, 5), 3).tolist()
    for one, number in zip(quality["frame_figures"], segments, strict=True):
        one["segments"] = number
    drawn = {histogram.title: histogram for histogram in histograms([counted(quality)])}
    for title, values in (("Motion", motions), ("Segments", segments)):
        histogram = drawn[title]
        edges = histogram.first + histogram.width * np.arange(len(histogram.bars) + 1)
        assert 1 <= len(histogram.bars) <= MOST_BINS
        assert histogram.bars[0] > 0 < histogram.bars[-1]
        expected = [sum(low <= value < high for value in values) for low, high in pairwise(edges)]
        assert list(histogram.bars) == expected
        assert histogram.median == sorted(values)[(len(values) - 1) // 2]
    # a segment is whole
    assert drawn["Segments"].width == round(drawn["Segments"].width)


def test_no_bar_goes_beyond_all_of_a_frame() -> None:
    quality = quality_of()
    shares = iter((0.0, 0.5, 1.0, 1.0))
    for pair in quality["pairs"]:
        for way in ("forward", "backward"):
            pair[way]["invalid_share"] = next(shares)
    [unknown] = [one for one in histograms([counted(quality)]) if one.title == "Unknown motion"]
    assert (unknown.first, unknown.last) == (0, 100)
    assert (unknown.bars[0], unknown.bars[-1], sum(unknown.bars)) == (1, 2, 4)


def test_figures_that_are_no_numbers_are_not_counted() -> None:
    quality = quality_of()
    quality["pairs"][0]["forward"]["motion_median"] = None
    quality["pairs"][0]["backward"]["motion_median"] = True
    [motion] = [one for one in histograms([counted(quality)]) if one.title == "Motion"]
    assert len(motion.values) == 2
    for pair in quality["pairs"]:
        pair["backward"] = None
    assert "Motion" not in [one.title for one in histograms([counted(quality)])]


def test_the_index_draws_its_histograms(tmp_path: Path) -> None:
    write_clip(tmp_path)
    quality = quality_of()
    for place, one in enumerate(quality["frame_figures"]):
        one["segments"] = (7, 7, 9)[place]
    write_quality(tmp_path, quality)
    text = build_report(tmp_path).index.read_text()
    [label] = re.findall(r'aria-label="(Segments: .*?)"', text)
    assert label == "Segments: 3 frames, from 7 to 9, median 7"
    [drawing] = re.findall(rf'aria-label="{label}">(.*?)</svg>', text, re.S)
    assert re.findall(r'height="(.*?)"><title>(.*?)</title>', drawing) == [
        ("100.00", "7 to 8: 2"),
        ("50.00", "9 to 10: 1"),
    ]


def test_splits_films_and_versions(tmp_path: Path) -> None:
    for cut in ("fight", "walk", "run"):
        write_clip(tmp_path, cut)
    write_split_lists(tmp_path)
    credits = {"license": "CC-BY-4.0", "author": "A <b>", "source_url": "https://example.org/film"}
    for cut, film, version in (("fight", "film", "1"), ("walk", "film 2", "2"), ("run", "other", "2")):
        config = {"source": f"/secret/{film}.blend", **({"source_url": "javascript:x"} if film == "other" else credits)}
        content = {"version": 1, "cut": cut, "config": config, "made_with": {"numpy": version}}
        write_json(layout.manifest_file(tmp_path, cut), content)
    index = build_report(tmp_path).index
    assert text_of(index, "splits") == "train 3 cuts, 9 frames, listed in splits/train.txt fight, run, walk"
    assert text_of(index, "films") == (
        "film.blend, film 2.blend in fight, walk licence CC-BY-4.0 author A <b> attribution unknown "
        "from https://example.org/film "
        "other.blend in run licence unknown author unknown attribution unknown from javascript:x"
    )
    assert text_of(index, "versions").startswith("numpy 1, 2 this page")
    text = index.read_text()
    assert 'href="https://example.org/film"' in text
    assert 'href="javascript' not in text
    assert "secret" not in text


def test_what_fails_is_told_with_the_way_to_its_page(tmp_path: Path) -> None:
    write_clip(tmp_path)
    quality = quality_of()
    for number in range(5):
        failing(quality, 0, "forward", f"bad {number}")
    write_quality(tmp_path, quality)
    index = build_report(tmp_path).index
    assert text_of(index, "failures") == "What fails the gate fight bad 0 bad 1 bad 2 and 2 more"
    assert '<a href="train/fight.html">fight</a>' in index.read_text()


def test_the_title_is_that_of_the_folder_or_the_one_that_is_asked_for(tmp_path: Path) -> None:
    write_clip(tmp_path / "my <set>")
    index = tmp_path / "my <set>" / "report" / "index.html"
    assert main(["report", str(tmp_path / "my <set>")]) == 0
    assert "<h1>my &lt;set&gt;</h1>" in index.read_text()
    assert main(["report", str(tmp_path / "my <set>"), "--title", "Other"]) == 0
    assert "<h1>Other</h1>" in index.read_text()
    assert "<title>Other - animerun-gen</title>" in index.read_text()
