from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from animerun_gen import __version__, doctor
from animerun_gen.cli import main
from animerun_gen.engines.blenders import BpyModule, InstalledBlender
from animerun_gen.pipeline import run
from animerun_gen.pipeline.state.lock import exclusive
from tests.pipeline.datasets import clip_counts, contents
from tests.pipeline.fake_engine import FakeEngine

CUT = """\
name: {name}
source: film.blend
frames: {{first: 1, last: 5}}
resolution: [64, 48]
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with two cuts and their film, in which commands are given."""
    for name in ("a", "b"):
        (tmp_path / f"{name}.yaml").write_text(CUT.format(name=name))
    (tmp_path / "film.blend").write_bytes(b"a film")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> FakeEngine:
    """What the commands take for the bpy module."""
    engine = FakeEngine()
    monkeypatch.setattr(BpyModule, "find", lambda: engine)
    return engine


@pytest.fixture
def no_bpy(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*arguments: Any) -> None:
        raise AssertionError("nothing here needs a Blender")

    monkeypatch.setattr(BpyModule, "find", refuse)
    monkeypatch.setattr(InstalledBlender, "find", refuse)


def help_of(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    with pytest.raises(SystemExit) as end:
        main([*arguments, "--help"])
    assert end.value.code == 0
    return " ".join(capsys.readouterr().out.split())


def test_help_shows_a_newcomer_the_way(capsys: pytest.CaptureFixture[str]) -> None:
    text = help_of(capsys)
    commands = ("generate", "render", "label", "status", "verify", "preview", "doctor")
    for word in ("AnimeRun", *commands, "YAML", "docs/configuration.md", "configs/toy"):
        assert word in text


@pytest.mark.parametrize(
    ("command", "there", "not_there"),
    [
        ("generate", ["CONFIG_OR_FOLDER", "--out", "--frames A:B", "--workers", "--strict", "--cross-check"], []),
        ("render", ["--out", "--frames", "--workers", "--cross-check", "--blender"], ["--strict"]),
        (
            "label",
            ["--out", "--frames", "--workers", "--strict", ".blend files are not needed"],
            ["--cross-check", "bpy"],
        ),
        ("verify", ["DATASET", "--cut", "--workers", "--quick", "--json", "docs/verify.md", "status"], ["--out"]),
        ("status", ["DATASET", "--json", "while a run is in progress", "status 0"], ["--out", "--workers"]),
        ("preview", ["SHOT.blend|CONFIG.yaml", "--frame", "--cut", "--out", "--full", "--force"], ["--workers"]),
        ("doctor", ["--blender", "--out"], ["--workers"]),
    ],
)
def test_help_of_a_command(
    capsys: pytest.CaptureFixture[str], command: str, there: list[str], not_there: list[str]
) -> None:
    text = help_of(capsys, command)
    assert [word for word in there if word not in text] == []
    assert [word for word in not_there if word in text] == []
    if command != "doctor":
        # the example of a command is one of that command
        assert f"animerun-gen {command} {'out' if command in ('verify', 'status') else 'configs'}/toy" in text


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(["--version"])
    assert end.value.code == 0
    assert capsys.readouterr().out == f"animerun-gen {__version__}\n"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "COMMAND"),
        (["make"], "invalid choice: 'make'"),
        (["generate", "a.yaml"], "--out"),
        (["generate", "--out", "x"], "CONFIG_OR_FOLDER"),
        (
            ["generate", "a.yaml", "--out", "x", "--workers", "0"],
            "--workers must be 1 or more, not 0",
        ),
        (
            ["generate", "a.yaml", "--out", "x", "--workers", "two"],
            "error: --workers must be a whole number of 1 or more, not 'two'",
        ),
        (["generate", "a.yaml", "--out", "x", "--frames", "7"], "must be FIRST:LAST, such as 10:20, not '7'"),
        (["generate", "a.yaml", "--out", "x", "--frames", "9:7"], "must be FIRST:LAST, such as 10:20, not '9:7'"),
        (["generate", "a.yaml", "--out", "x", "--frames=-1:7"], "must be FIRST:LAST, such as 10:20, not '-1:7'"),
        (["generate", "a.yaml", "--out", "x", "--frames", "1:2:3"], "must be FIRST:LAST, such as 10:20, not '1:2:3'"),
        (["label", "a.yaml", "--out", "x", "--cross-check"], "--cross-check"),
    ],
)
def test_mistakes_in_the_command_end_with_status_2(
    capsys: pytest.CaptureFixture[str], arguments: list[str], said: str
) -> None:
    with pytest.raises(SystemExit) as end:
        main(arguments)
    assert end.value.code == 2
    assert said in capsys.readouterr().err


@pytest.mark.usefixtures("no_bpy")
@pytest.mark.parametrize("command", ["generate", "render", "label"])
def test_all_mistakes_in_configurations_are_told_at_once(
    project: Path, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    (project / "a.yaml").write_text(CUT.format(name="a") + "colour: red\nframe_rate: fast\n")
    (project / "b.yaml").write_text(CUT.format(name="b/c"))
    assert main([command, ".", "--out", "out"]) == 2
    told = capsys.readouterr().err
    assert "a.yaml:5" in told
    assert "a.yaml:6" in told
    assert "b.yaml:1" in told
    assert not (project / "out").exists()


@pytest.mark.usefixtures("no_bpy")
def test_of_many_mistakes_the_first_are_told_and_the_others_counted(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (project / "a.yaml").write_text(CUT.format(name="a") + "".join(f"key{n}: 1\n" for n in range(1020)))
    assert main(["generate", "a.yaml", "--out", "out"]) == 2
    told = capsys.readouterr().err.splitlines()
    assert [line.partition(" is ")[0] for line in told[:-1]] == [f"a.yaml:{n + 5}: key{n}:" for n in range(20)]
    assert told[-1] == "there are 1,000 more mistakes; correct these first"


EVIL = "\x1b[31m\x07\n\u202e\x9b"


@pytest.mark.usefixtures("no_bpy")
@pytest.mark.parametrize(
    "changes",
    [
        {"source": f"{EVIL}.blend"},
        {"source": f"{EVIL}${{"},
        {"source": "${NONE}.blend\x1b[31m"},
        {"inherit": f"{EVIL}.yaml"},
        {"recolor": {"passes": 1, "palette": f"{EVIL}.yaml"}},
        {"name": EVIL},
        {"style": {"overrides": {EVIL: "red"}}},
        {EVIL: 1},
    ],
    ids=str,
)
@pytest.mark.parametrize("file", ["a.yaml", f"{EVIL}.yaml"])
def test_no_file_writes_to_the_terminal(
    project: Path, capsys: pytest.CaptureFixture[str], changes: dict[str, Any], file: str
) -> None:
    (project / file).write_text(json.dumps({"name": "a", "source": "none.blend", "frames": {"first": 1}} | changes))
    assert main(["generate", file, "--out", "out"]) == 2
    told = capsys.readouterr().err
    assert len(told.splitlines()) >= 2
    assert all(line.isprintable() for line in told.split("\n"))


def test_neither_do_the_names_of_other_files(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for command in (
        ["status"],
        ["verify"],
        ["report"],
        ["palette"],
        ["inspect"],
        ["preview"],
        ["label", "--out", "out"],
    ):
        assert main([*command, f"{EVIL}.blend"]) != 0
    with pytest.raises(SystemExit):
        main(["status", "out", f"-{EVIL}"])
    told = "".join(capsys.readouterr())
    assert "[31m" in told
    assert all(line.isprintable() for line in told.split("\n"))


@pytest.mark.usefixtures("no_bpy")
@pytest.mark.parametrize("command", ["generate", "render"])
def test_a_missing_film_is_told_before_anything_begins(
    project: Path, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    (project / "film.blend").unlink()
    assert main([command, "a.yaml", "--out", "out"]) == 2
    assert "file /" in capsys.readouterr().err
    assert not (project / "out").exists()


def test_the_command_for_what_is_missing_makes_just_that(
    project: Path, engine: FakeEngine, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["generate", "a.yaml", "--out", "out", "--frames", "1:2"]) == 0
    [line] = [line for line in capsys.readouterr().out.splitlines() if "to make only the missing ones:" in line]
    words = line.partition(": ")[2].split()
    assert words == ["animerun-gen", "generate", "a.yaml", "--out", "out", "--frames", "2:5"]
    assert main(words[1:]) == 0
    assert "to make only the missing ones" not in capsys.readouterr().out
    assert [job.pictures for job in engine.jobs] == [(1, 2), (3, 4, 5)]
    assert engine.jobs[1].pairs == ((2, 3), (3, 4), (4, 5))


@pytest.mark.parametrize(
    ("option", "text"),
    [
        ("--chunk-frames", "0"),
        ("--chunk-frames", "x"),
        ("--patience", "0"),
        ("--patience", "nan"),
        ("--patience", "-3"),
    ],
)
def test_ways_to_share_work_out_are_checked(
    project: Path, capsys: pytest.CaptureFixture[str], option: str, text: str
) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["generate", "a.yaml", "--out", "out", option, text])
    assert caught.value.code == 2
    assert re.search(f"error: {option} must be .*, not '?{text}'?\n", capsys.readouterr().err)


def test_generate_makes_all_cuts_of_a_folder(
    project: Path, engine: FakeEngine, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["generate", ".", "--out", "out"]) == 0
    output, progress = capsys.readouterr()
    lines = output.splitlines()
    assert "a: complete; 5 frames rendered, 9 labels made" in lines
    assert "b: complete; 5 frames rendered, 9 labels made" in lines
    assert lines[-1] == "the dataset is in out; figures of each pair are in out/quality"
    assert "generating: 100%" in progress
    assert "28/28" in progress
    for cut in ("a", "b"):
        assert clip_counts(project / "out", cut) == (5, 4)


def test_render_and_label_are_the_two_halves(
    project: Path, engine: FakeEngine, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert main(["generate", "a.yaml", "--out", "whole"]) == 0
    assert main(["render", "a.yaml", "--out", "halves"]) == 0
    assert "a: rendered; 5 frames rendered, 0 labels made" in capsys.readouterr().out
    # on a machine without film and Blender
    (project / "film.blend").unlink()
    monkeypatch.setattr(BpyModule, "find", lambda: pytest.fail("labelling looked for a Blender"))
    assert main(["label", "a.yaml", "--out", "halves"]) == 0
    assert "a: complete; 0 frames rendered, 9 labels made" in capsys.readouterr().out
    assert contents(project / "halves") == contents(project / "whole")


@pytest.mark.usefixtures("no_bpy")
def test_label_of_films_at_an_unset_place(
    project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("FILMS", raising=False)
    (project / "a.yaml").write_text(CUT.format(name="a").replace("film.blend", "${FILMS}/film.blend"))
    (project / "out").mkdir()
    assert main(["label", "a.yaml", "--out", "out"]) == 1
    assert "none of it has been rendered into out; run 'animerun-gen render' first" in capsys.readouterr().out


@pytest.mark.usefixtures("no_bpy")
def test_label_of_a_dataset_that_is_not_there(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["label", "a.yaml", "--out", "ouch"]) == 2
    assert capsys.readouterr().err == "ouch does not exist; correct --out, or run 'animerun-gen render' first\n"
    assert not (project / "ouch").exists()


def test_frames_that_a_cut_does_not_have(project: Path, engine: FakeEngine, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "b.yaml").write_text(CUT.format(name="b").replace("last: 5", "last: 12"))
    assert main(["generate", ".", "--out", "out", "--frames", "6:8"]) == 2
    told = capsys.readouterr().err
    assert told == (
        "--frames 6:8: cut 'a' has no frame in that range, only 1 to 5; choose other frames or leave the cut out\n"
    )
    assert not engine.jobs


def test_frames_and_cross_check_and_workers_reach_the_engine(project: Path, engine: FakeEngine) -> None:
    assert main(["render", "a.yaml", "--out", "out", "--frames", "2:4", "--cross-check", "--workers", "2"]) == 0
    [job] = engine.jobs
    assert (job.pictures, job.pairs, job.cross_check) == ((2, 3, 4), ((2, 3), (3, 4)), True)


def test_an_incomplete_clip_is_no_error_but_said(
    project: Path, engine: FakeEngine, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["generate", "a.yaml", "--out", "out", "--frames", "1:2"]) == 0
    assert "a: INCOMPLETE; 2 frames rendered, 3 labels made" in capsys.readouterr().out


def test_a_failed_cut_ends_with_status_1_after_the_others(
    project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(BpyModule, "find", lambda: FakeEngine(fails_in={"a": 2}))
    assert main(["generate", ".", "--out", "out"]) == 1
    output, progress = capsys.readouterr()
    assert "  failed: cut 'a', in frame 2 (flat): the fake engine was told to fail" in output
    assert "cut 'a', in frame 2 (flat)" in progress
    assert "b: complete; 5 frames rendered, 9 labels made" in output


def test_strict_makes_pairs_past_the_limit_an_error(
    project: Path, engine: FakeEngine, capsys: pytest.CaptureFixture[str]
) -> None:
    with open(project / "a.yaml", "a") as file:
        file.write("quality: {max_warp_error: 0}\n")
    assert main(["generate", "a.yaml", "--out", "out", "--strict"]) == 0
    # one frame without its lines
    picture = project / "out/train/Frame_Anime/a/original/0003.png"
    picture.write_bytes((project / "out/train/Flat/a/0003.png").read_bytes())
    for figures in (project / "out/.animerun-gen/figures/a").iterdir():
        figures.unlink()
    # which is accepted by that
    (project / "out/manifest/a.json").unlink()
    assert main(["label", "a.yaml", "--out", "out"]) == 0
    output = capsys.readouterr().out
    assert "  quality: pair 2-3 forward: the colour frames differ by " in output
    assert "  quality: pair 3-4 backward: the colour frames differ by " in output
    assert "pair 1-2" not in output
    assert main(["label", "a.yaml", "--out", "out", "--strict"]) == 1
    assert main(["generate", "a.yaml", "--out", "out", "--strict"]) == 1
    assert main(["render", "a.yaml", "--out", "out"]) == 0


def test_a_damaged_cut_ends_with_status_1_until_it_is_repaired(
    project: Path, engine: FakeEngine, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["generate", ".", "--out", "out"]) == 0
    label = project / "out/train/Segment/a/0003.npy"
    label.write_bytes(label.read_bytes()[:-1] + b"\1")
    capsys.readouterr()
    assert main(["generate", ".", "--out", "out"]) == 1
    output = capsys.readouterr().out
    assert "a: DAMAGED\n  note: files changed since they were made: 1 (train/Segment/a/0003.npy);" in output
    assert "  to make only these files again: animerun-gen verify out --cut a --repair\n" in output
    assert "b: complete\n" in output
    assert main(["status", "out"]) == 1
    assert main(["verify", "out", "--cut", "a", "--repair"]) == 0
    assert main(["generate", ".", "--out", "out"]) == 0
    assert main(["status", "out"]) == 0


def test_a_second_run_on_the_same_output(project: Path, engine: FakeEngine, capsys: pytest.CaptureFixture[str]) -> None:
    with exclusive(project / "out"):
        assert main(["generate", "a.yaml", "--out", "out"]) == 1
    told = capsys.readouterr().err
    assert told == f"another run (process {os.getpid()}) is writing to out; wait for it or stop it\n"


def test_an_output_that_cannot_be_written_to(
    project: Path, engine: FakeEngine, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["generate", "a.yaml", "--out", "film.blend"]) == 2
    assert "film.blend is not a folder; choose another --out" in capsys.readouterr().err
    assert main(["generate", "a.yaml", "--out", "film.blend/below"]) == 1
    assert "the output folder film.blend/below cannot be written to" in capsys.readouterr().err


def test_without_a_blender(project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    assert main(["generate", "a.yaml", "--out", "out", "--blender", "no-such-blender"]) == 2
    assert "--blender: no program 'no-such-blender' was found" in capsys.readouterr().err
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert main(["generate", "a.yaml", "--out", "out"]) == 1
    assert "bpy (Blender) is not installed" in capsys.readouterr().err
    assert not (project / "out").exists()


@pytest.mark.parametrize(
    ("error", "status", "said"),
    [
        (KeyboardInterrupt(), 130, "stopped; the same command resumes the work"),
        (
            OSError(28, "No space left on device"),
            1,
            "the operating system reported: [Errno 28] No space left on device",
        ),
    ],
)
def test_being_stopped(
    project: Path,
    engine: FakeEngine,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    error: BaseException,
    status: int,
    said: str,
) -> None:
    def stop(*arguments: Any) -> None:
        raise error

    monkeypatch.setattr(run, "plan_cuts", stop)
    assert main(["generate", "a.yaml", "--out", "out"]) == status
    assert said in capsys.readouterr().err


def test_doctor_is_asked_about_the_right_things(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str | None, Path | None]] = []

    def run_doctor(blender: str | None, output: Path | None) -> int:
        asked.append((blender, output))
        return 1

    monkeypatch.setattr(doctor, "run_doctor", run_doctor)
    assert main(["doctor"]) == 1
    assert main(["doctor", "--blender", "/opt/blender", "--out", "data"]) == 1
    assert asked == [(None, Path()), ("/opt/blender", Path("data"))]


def test_it_runs_as_a_module_and_needs_no_blender_to_start() -> None:
    program = (
        "import sys; sys.modules['bpy'] = None; sys.argv = ['animerun-gen', '--version'];"
        "import runpy; import animerun_gen.pipeline.run; runpy.run_module('animerun_gen', run_name='__main__')"
    )
    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert answer.stdout == f"animerun-gen {__version__}\n"
