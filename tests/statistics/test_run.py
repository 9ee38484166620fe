"""The command: what it writes, that it goes on where it was stopped, and what it says of what is wrong."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from animerun_gen.cli import main
from animerun_gen.dataset import read_json
from animerun_gen.statistics import measure, plots, run
from animerun_gen.statistics.figures import Statistics
from tests.dataset import other_trees
from tests.report.clips import write_clip
from tests.statistics import small


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir()) if path.is_file()}


@pytest.fixture
def undrawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the plots be blank, where they are not what is tested: drawing takes longer than everything else."""
    monkeypatch.setattr(plots, "_draw", lambda kind, curves: plots.Plot(kind.name, kind.title, b"<svg/>", b""))


def test_what_is_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = small.write(tmp_path / "data")
    output = tmp_path / "out"
    assert main(["stats", str(root), "--out", str(output)]) == 0
    said, progress = capsys.readouterr()
    assert said.splitlines()[0].startswith("data; clips 3; frames 9; size 96x54; seg/frame 1")
    assert said.splitlines()[-1] == f"3 clips of 1 dataset, 9 frames; open {output / 'index.html'} in a browser"
    assert "counting: 100%" in progress
    drawn = {
        f"{name}.{kind}" for name in ("luminance", "differences", "motion", "segment_areas") for kind in ("svg", "png")
    }
    assert contents(output).keys() == drawn | {"statistics.json", "statistics.md", "index.html"}
    found = Statistics.model_validate(read_json(output / "statistics.json"))
    assert [one.name for one in found.datasets] == ["data"]
    table = (output / "statistics.md").read_text()
    assert "| data | 3 | 9 | 96x54 | 1 | 0.33 | 1.69 (5.67) |" in table
    # the paper's rows stand apart, and are called the paper's
    paper = table[table.index("| of the paper") :]
    assert "| AnimeRun | 237 | 9.59 | 19.27 | 19.09 | 1774.43 |" in paper
    assert "not measured by this program" in paper
    page = (output / "index.html").read_text()
    assert page.count('<img src="data:image/svg+xml;base64,') == 4
    assert "<script" not in page
    assert "not measured by this program" in page


def test_it_is_the_same_however_it_is_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = small.write(tmp_path / "data")
    write_clip(root, "fight", range(3, 10))
    first, second = tmp_path / "first", tmp_path / "second"
    assert main(["stats", str(root), "--out", str(first)]) == 0
    # pieces of two frames: a pair across the border between two of them is counted once
    monkeypatch.setattr(run, "PART_FRAMES", 2)
    assert main(["stats", str(root), "--out", str(second), "--workers", "2"]) == 0
    assert len(list((second / "parts").iterdir())) > len(list((first / "parts").iterdir()))
    assert contents(first) == contents(second)
    # and nothing is counted that was
    monkeypatch.setattr(measure, "measure", None)
    assert main(["stats", str(root), "--out", str(second)]) == 0
    assert contents(first) == contents(second)


@pytest.mark.usefixtures("undrawn")
def test_what_has_changed_is_counted_again(tmp_path: Path) -> None:
    root, output = tmp_path / "data", tmp_path / "out"
    clip = write_clip(root, "fight")
    main(["stats", str(root), "--out", str(output)])
    before = contents(output)
    frame = clip.read("frame", 10)
    frame[:] = 255 - frame
    clip.write("frame", 10, frame)
    main(["stats", str(root), "--out", str(output)])
    after = contents(output)
    assert before["statistics.json"] != after["statistics.json"]
    # what stands for the old file is gone
    assert len(list((output / "parts").iterdir())) == 1
    main(["stats", str(root), "--out", str(tmp_path / "anew")])
    assert after == contents(tmp_path / "anew")


def test_it_can_be_killed_and_goes_on(tmp_path: Path) -> None:
    root, output = tmp_path / "data", tmp_path / "out"
    for cut in range(12):
        write_clip(root, f"cut{cut}", (1, 2), size=(32, 20))
    program = (
        "import sys; from animerun_gen.cli import main; from animerun_gen.statistics import run;"
        "run.PART_FRAMES = 2; sys.exit(main(sys.argv[1:]))"
    )
    command = [sys.executable, "-c", program, "stats", str(root), "--out", str(output)]
    child = subprocess.Popen(command, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    parts = output / "parts"
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and not (parts.is_dir() and len(list(parts.glob("[!.]*.json"))) > 3):
        time.sleep(0.01)
    os.kill(child.pid, signal.SIGKILL)
    child.wait()
    kept = {path.name: path.stat().st_ino for path in parts.glob("[!.]*.json")}
    assert len(kept) > 3
    assert not (output / "statistics.json").exists() or len(kept) == 12
    assert subprocess.run(command, capture_output=True, check=False).returncode == 0
    there = {path.name: path.stat().st_ino for path in parts.iterdir()}
    # all that was counted is kept, and nothing of the killed one is left
    assert kept.items() <= there.items()
    assert len(there) == 12
    main(["stats", str(root), "--out", str(tmp_path / "anew")])
    assert contents(output) == contents(tmp_path / "anew")


@pytest.mark.usefixtures("undrawn")
def test_a_damaged_clip_is_left_out_and_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = small.write(tmp_path / "data")
    flow = root / "train/Flow/two/forward/0002.flo"
    flow.write_bytes(flow.read_bytes()[:100])
    assert main(["stats", str(root), "--out", str(tmp_path / "out")]) == 1
    said = capsys.readouterr()
    assert re.search(r"data: train/two is left out: .*0002.flo", said.err)
    [found] = Statistics.model_validate(read_json(tmp_path / "out/statistics.json")).datasets
    assert [clip.name for clip in found.clips] == ["one", "three"]
    assert found.figures.frames == 5
    assert any("0002.flo" in sentence for sentence in found.left_out)
    assert "0002.flo" in (tmp_path / "out/index.html").read_text()


@pytest.mark.usefixtures("undrawn")
@pytest.mark.parametrize("content", ['{"0": [0], "1": [7]}', '{"0": [0]}'])
def test_matches_that_fit_no_segments(tmp_path: Path, content: str, capsys: pytest.CaptureFixture[str]) -> None:
    root = small.write(tmp_path / "data")
    (root / "train/SegMatching/one/forward/0001.json").write_text(content)
    assert main(["stats", str(root), "--out", str(tmp_path / "out")]) == 1
    assert "does not fit the segments of its two frames" in capsys.readouterr().err


@pytest.mark.usefixtures("undrawn")
def test_a_mask_of_another_size(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = small.write(tmp_path / "data")
    other = write_clip(tmp_path / "other", "walk", (1, 2))
    target = root / "train/UnmatchedForward/one/0001.npy"
    target.write_bytes(other.path("occlusion_forward", 1).read_bytes())
    assert main(["stats", str(root), "--out", str(tmp_path / "out")]) == 1
    assert "is not of the size 96 x 54 of its frame" in capsys.readouterr().err


@pytest.mark.usefixtures("undrawn")
def test_against_a_reference(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = small.write(tmp_path / "data")
    frames = tmp_path / "episode"
    for number in (1, 2, 3):
        other_trees.write_jpeg(frames / f"{number}.jpg", other_trees.picture(number))
    assert main(["stats", str(root), "--reference", str(frames), "--compare", "--out", str(tmp_path / "out")]) == 0
    said = capsys.readouterr().out
    assert "data is too bright: the mean grey level is" in said
    found = Statistics.model_validate(read_json(tmp_path / "out/statistics.json"))
    assert found.reference == "episode"
    data, episode = found.datasets
    assert data.to_reference is not None
    assert data.to_reference.luminance_kl > 1
    assert episode.to_reference is None
    table = (tmp_path / "out/statistics.md").read_text()
    assert "episode (reference)" in table
    assert "| AnimeRun, with colour augmentation | 0.21 | 253.42 |" in table


@pytest.mark.usefixtures("undrawn")
def test_one_of_the_datasets_may_be_the_reference(tmp_path: Path) -> None:
    one, other = small.write(tmp_path / "one"), small.write(tmp_path / "again" / "one")
    command = ["stats", str(one), str(other), "--reference", str(other), "--out", str(tmp_path / "out")]
    assert main(command) == 0
    found = Statistics.model_validate(read_json(tmp_path / "out/statistics.json"))
    assert [dataset.name for dataset in found.datasets] == ["one", "one (2)"]
    assert found.reference == "one (2)"
    to = found.datasets[0].to_reference
    assert to is not None
    assert (to.luminance_kl, to.difference_sad) == (0, 0)


@pytest.mark.filterwarnings("error")
def test_names_that_no_font_has_are_no_reason_for_warnings(tmp_path: Path) -> None:
    root = small.write(tmp_path / "\u6771\u4eac")
    assert main(["stats", str(root), "--out", str(tmp_path / "out")]) == 0
    assert "\u6771\u4eac" in (tmp_path / "out/statistics.md").read_text()


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["{data}", "--compare"], "--compare needs something to compare with; name it with --reference"),
        (["{none}"], "is no folder"),
        (["{data}", "--reference", "{none}"], "is no folder"),
        (["{frames}"], "lies in a folder of frames that is to be counted"),
        (["{data}", "--pictures", "clean"], "has no pictures 'clean'"),
    ],
)
def test_what_cannot_be_asked_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], words: list[str], sentence: str
) -> None:
    root = small.write(tmp_path / "data")
    other_trees.write_jpeg(tmp_path / "frames/1.jpg", other_trees.picture(1))
    places = {"data": root, "none": tmp_path / "none", "frames": tmp_path / "frames"}
    command = [word.format(**places) for word in words]
    assert main(["stats", *command, "--out", str(tmp_path / "frames" / "out")]) == 2
    assert sentence in capsys.readouterr().err


def test_nothing_that_can_be_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "frames").mkdir()
    (tmp_path / "frames/1.png").write_bytes(b"no picture")
    assert main(["stats", str(tmp_path / "frames"), "--out", str(tmp_path / "out")]) == 1
    assert "has nothing that can be read" in capsys.readouterr().err


def test_the_report_shows_them(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = small.write(tmp_path / "data")
    assert main(["report", str(root)]) == 0
    assert "Statistics" not in (root / "report/index.html").read_text()
    assert main(["stats", str(root), "--out", str(root / "statistics")]) == 0
    assert main(["report", str(root)]) == 0
    index = (root / "report/index.html").read_text()
    assert '<a href="statistics.html">' in index
    assert index.count('<img src="data:image/svg+xml;base64,') == 4
    assert (root / "report/statistics.html").read_bytes() == (root / "statistics/index.html").read_bytes()
    (root / "statistics/statistics.json").write_text('{"datasets": 3}')
    capsys.readouterr()
    assert main(["report", str(root)]) == 0
    assert "holds no statistics that can be read; run 'animerun-gen stats' again" in capsys.readouterr().err
