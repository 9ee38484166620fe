"""What ``preview`` shows is what the dataset will hold, and nothing else is left behind."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from animerun_gen.cli import main
from animerun_gen.config import CutConfig, load_cuts
from animerun_gen.dataset import ClipFiles, read_image
from animerun_gen.engines.blenders import BpyModule
from animerun_gen.engines.children import Conditions
from animerun_gen.engines.job import RenderJob
from animerun_gen.engines.protocol import Event
from animerun_gen.engines.questions import AskedCut, CameraMark
from animerun_gen.engines.render_process import RenderFailure
from animerun_gen.errors import SceneError, UsageError
from animerun_gen.publish import pair
from animerun_gen.publish.pair import lightened, neighbours, preview_pair
from animerun_gen.publish.sheet import TITLE_HEIGHT
from animerun_gen.quality.colors import flow_to_color, labels_to_color
from animerun_gen.shot import run as shot_run
from animerun_gen.shot.question import Question
from tests.pipeline.fake_engine import FakeEngine, FakeRun, Meddled
from tests.shot.shots import shot

PROJECT = Path(__file__).resolve().parents[2]
WIDTH, HEIGHT = 64, 48
CUT = f"name: a\nsource: film.blend\nframes: {{first: 1, last: 9, step: 2}}\nresolution: [{WIDTH}, {HEIGHT}]\n"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a cut and its film, in which commands are given, and a folder for temporary files in it."""
    (tmp_path / "a.yaml").write_text(CUT)
    (tmp_path / "film.blend").write_bytes(b"a film")
    (tmp_path / "temporary").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    monkeypatch.setattr(BpyModule, "find", FakeEngine)
    return tmp_path


def names(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*")}


def panel(sheet: np.ndarray, row: int, column: int) -> np.ndarray:
    top, left = row * (HEIGHT + TITLE_HEIGHT) + TITLE_HEIGHT, column * WIDTH
    return sheet[top : top + HEIGHT, left : left + WIDTH]


def test_it_shows_what_the_dataset_holds_and_leaves_nothing_else(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = names(project)
    assert main(["preview", "a.yaml", "--frame", "3"]) == 0
    said = capsys.readouterr().out.splitlines()
    assert said[0] == "a: frames 3 and 5, 64x48"
    assert "  quality: all figures are within their thresholds" in said
    assert said[-1] == "the picture is in a_preview.png"
    assert names(project) - before == {"a_preview.png"}

    assert main(["generate", "a.yaml", "--out", "out"]) == 0
    clip = ClipFiles(project / "out", "train", "a")
    sheet = read_image(project / "a_preview.png")
    matches = np.array([best[0] for best in clip.read("match_backward", 5)])
    for row, (frame, flow) in enumerate(((3, "flow_forward"), (5, "flow_backward"))):
        assert np.array_equal(panel(sheet, row, 0), clip.read("frame", frame))
        assert np.array_equal(panel(sheet, row, 1)[..., 0], clip.read("contour", frame))
        assert np.array_equal(panel(sheet, row, 2), flow_to_color(clip.read(flow, frame)))
    assert np.array_equal(panel(sheet, 0, 3), labels_to_color(clip.read("segment", 3)))
    assert np.array_equal(panel(sheet, 1, 3), labels_to_color(matches[clip.read("segment", 5)]))


def test_the_pair_is_a_frame_and_its_neighbour() -> None:
    assert [neighbours(frame, (1, 3, 5)) for frame in (1, 3, 5)] == [(1, 3), (3, 5), (3, 5)]


@pytest.mark.usefixtures("project")
def test_the_middle_is_shown_unless_a_frame_is_named() -> None:
    assert preview_pair(cut_of(CUT), None, FakeEngine()).frames == (5, 7)


def cut_of(text: str, **changes: object) -> CutConfig:
    Path("cut.yaml").write_text(text)
    [loaded] = load_cuts([Path("cut.yaml")])
    return CutConfig.model_validate(loaded.config.model_dump() | changes)


@pytest.mark.usefixtures("project")
@pytest.mark.parametrize(
    ("asked", "shown"),
    [((960, 540), (480, 270)), ((540, 960), (270, 480)), ((480, 200), (480, 200)), ((16000, 16), (480, 16))],
)
def test_pictures_are_made_smaller_but_not_larger(asked: tuple[int, int], shown: tuple[int, int]) -> None:
    cels = {"lines": {"engine": "geometry"}, "layers": {"write": True, "passes": True}}
    config = cut_of(CUT, resolution=asked, recolor={"passes": 2}, motion={"gaps": (1, 2), "tracks": 50}, **cels)
    assert lightened(config, full=False).resolution == shown
    light = lightened(config, full=True)
    assert (light.resolution, light.recolor.passes, light.motion.gaps, light.motion.tracks) == (asked, 0, (1,), 0)
    # what decides how the film is converted stays
    same = ("frames", "split", "camera", "style", "lines", "remove", "camera_motion", "labels", "quality")
    assert all(getattr(light, key) == getattr(config, key) for key in same)


@dataclass(frozen=True)
class Cameras(FakeEngine):
    """A film whose cameras switch at some frames."""

    switches: tuple[int, ...] = ()

    def marks_of(self, asked: AskedCut) -> tuple[CameraMark, ...]:
        return (*super().marks_of(asked), *(CameraMark(frame, f"Camera {frame}") for frame in self.switches))


@pytest.mark.usefixtures("project")
def test_no_pair_goes_across_a_camera_cut(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(BpyModule, "find", lambda: Cameras(switches=(5, 9)))
    assert main(["preview", "a.yaml", "--frame", "3"]) == 0
    said = capsys.readouterr().out
    assert said.startswith("a-1: frames 1 and 3, 64x48\n")
    assert "note: frames 1 to 3 of cut 'a', filmed by camera 'Camera'" in said
    assert main(["preview", "a.yaml", "--frame", "9", "--force"]) == 1
    assert capsys.readouterr().err.endswith(
        "cut 'a': frame 9 stands alone between two camera cuts, so there is no motion from or to it; choose another "
        "--frame\n"
    )


def test_a_film_is_shown_as_init_would_have_it(
    project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    facts = shot(source=str(project / "film.blend"), clip=(3, 8), picture=(960, 402))
    monkeypatch.setattr(shot_run, "inspect_shot", lambda question, engine: facts)
    before = names(project)
    assert main(["preview", "film.blend", "--full"]) == 0
    assert names(project) - before == {"film_preview.png"}
    assert capsys.readouterr().out.startswith("film: frames 5 and 6, 960x402\n")
    drawn = read_image(project / "film_preview.png")
    assert main(["init", "film.blend", "-o", "drafted.yaml", "--name", "film"]) == 0
    assert main(["preview", "drafted.yaml", "--full", "--force"]) == 0
    assert np.array_equal(read_image(project / "film_preview.png"), drawn)


def test_scene_and_camera_may_be_others(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[CutConfig] = []

    def look(config: CutConfig, *_: object) -> None:
        seen.append(config)
        raise UsageError("seen")

    monkeypatch.setattr(pair, "preview_pair", look)
    own = {"scene": "Set", "view_layer": "Front", "camera": "Wide"}
    (project / "a.yaml").write_text(CUT + "".join(f"{key}: {name}\n" for key, name in own.items()))
    for words in (
        [],
        ["--camera", "Close"],
        ["--scene", "Set"],
        ["--scene", "Hall"],
        ["--scene", "Hall", "--camera", "C"],
    ):
        assert main(["preview", "a.yaml", *words]) == 2
    found = [(config.scene, config.view_layer, config.camera) for config in seen]
    assert found == [
        ("Set", "Front", "Wide"),
        ("Set", "Front", "Close"),
        ("Set", "Front", "Wide"),
        # another scene has neither
        ("Hall", None, None),
        ("Hall", None, "C"),
    ]


def test_a_film_is_looked_at_by_another_camera(
    project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Question] = []

    def inspect(question: Question, engine: object) -> object:
        asked.append(question)
        return shot(source=str(project / "film.blend"), clip=(3, 8), picture=(960, 402))

    monkeypatch.setattr(shot_run, "inspect_shot", inspect)
    assert main(["preview", "film.blend", "--camera", "Close up", "--scene", "Hall"]) == 0
    assert (asked[0].camera, asked[0].scene) == ("Close up", "Hall")
    said = capsys.readouterr().out
    assert "init film.blend --scene Hall --camera 'Close up'" in said


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["a.yaml", "--frame", "4"], "--frame 4: cut 'a' has no such frame, only 1 to 9 in steps of 2; choose"),
        (["."], ". has 2 cuts; choose one with --cut: a, b"),
        ([".", "--cut", "c"], "there is no cut 'c' in .; choose one of a, b"),
        (["film.blend", "--cut", "a"], "--cut: a film has one cut; leave it out, or give a configuration"),
        (["notes.txt"], "notes.txt is neither a .blend nor a .yaml file"),
        (["a.yaml", "--out", "a.yaml"], "a.yaml is not a .png file; give the name of the picture to write with --out"),
        (["a.yaml"], "a_preview.png exists; choose another name with --out, or overwrite it with --force"),
    ],
)
def test_mistakes_are_told_before_anything_begins(
    project: Path, capsys: pytest.CaptureFixture[str], words: list[str], said: str
) -> None:
    (project / "b.yaml").write_text(CUT.replace("name: a", "name: b"))
    (project / "notes.txt").touch()
    if words == ["a.yaml"]:
        (project / "a_preview.png").touch()
    before = names(project)
    assert main(["preview", *words]) == 2
    assert said in capsys.readouterr().err
    assert names(project) == before


def test_a_frame_that_fails_has_no_picture(
    project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(BpyModule, "find", lambda: FakeEngine(fails_in={"a": 5}))
    before = names(project)
    assert main(["preview", "a.yaml"]) == 1
    assert "  failed: cut 'a', in frame 5 (flat): the fake engine was told to fail" in capsys.readouterr().out
    assert names(project) == before


@dataclass(frozen=True)
class Talkative(FakeEngine):
    """It fails as a Blender does: with a log that its sentence names."""

    fails_when_asked: bool = False

    def marks_of(self, asked: AskedCut) -> tuple[CameraMark, ...]:
        if self.fails_when_asked:
            self._print(asked.log)
            raise SceneError(f"cut 'a': it cannot be opened (log: {asked.log})")
        return super().marks_of(asked)

    def start(self, job: RenderJob, log: Path, conditions: Conditions | None = None) -> FakeRun:
        self._print(log)
        return FailingRun(self, job, log)

    def _print(self, log: Path) -> None:
        log.parent.mkdir(parents=True, exist_ok=True)
        log.write_text("what Blender printed\n")


@dataclass(frozen=True)
class FailingRun(FakeRun):
    log: Path

    def run(self, on_event: Callable[[Event], None]) -> None:
        raise RenderFailure(f"cut 'a': Blender died (log: {self.log})")


@pytest.mark.parametrize("early", [False, True])
def test_the_log_that_an_error_names_is_there(
    project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, early: bool
) -> None:
    monkeypatch.setattr(BpyModule, "find", lambda: Talkative(fails_when_asked=early))
    before = names(project)
    (project / "shot.log").write_text("of an earlier failure")
    assert main(["preview", "a.yaml", "--out", "shot.png"]) == 1
    said = "".join(capsys.readouterr())
    assert set(re.findall(r"\(log: (.*?)\)", said)) == {"shot.log"}
    assert (project / "shot.log").read_text() == "what Blender printed\n"
    assert names(project) - before == {"shot.log"}


@pytest.mark.parametrize("early", [False, True])
def test_a_log_that_cannot_be_kept_is_not_named(
    project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, early: bool
) -> None:
    monkeypatch.setattr(BpyModule, "find", lambda: Talkative(fails_when_asked=early))
    (project / "shot.log").mkdir()
    assert main(["preview", "a.yaml", "--out", "shot.png"]) == 1
    said = "".join(capsys.readouterr())
    assert "(log: gone with the temporary folder, because shot.log cannot be written: a folder of that name" in said
    assert "animerun-gen-scratch-" not in said


@pytest.fixture
def heard() -> Iterator[None]:
    """A shell that starts the tests in the background, or nohup, has some signals ignored."""
    before = {signal.SIGINT: signal.signal(signal.SIGINT, signal.default_int_handler)}
    before |= {number: signal.signal(number, signal.SIG_DFL) for number in (signal.SIGTERM, signal.SIGHUP)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.usefixtures("heard")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_stopping_it_leaves_nothing_behind(
    project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, number: signal.Signals
) -> None:
    under_way: list[set[str]] = []

    def stop() -> None:
        under_way.append(names(project / "temporary"))
        signal.raise_signal(number)

    monkeypatch.setattr(BpyModule, "find", lambda: Meddled(meddle={5: stop}))
    before = names(project)
    assert main(["preview", "a.yaml"]) == 130
    assert "stopped; nothing was written, and the temporary files are removed" in capsys.readouterr().err
    assert any(under_way)
    assert names(project) == before
    # and the signals mean again what they meant
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


@pytest.mark.blender
def test_with_a_real_blender_in_a_process_that_is_ended(tmp_path: Path) -> None:
    (tmp_path / "temporary").mkdir()
    program = [
        sys.executable,
        "-m",
        "animerun_gen",
        "preview",
        str(PROJECT / "configs/toy/courier.yaml"),
        "--frame",
        "8",
    ]
    surroundings = os.environ | {"TMPDIR": str(tmp_path / "temporary")}

    def started() -> subprocess.Popen[str]:
        return subprocess.Popen(
            [*program, "--out", str(tmp_path / "courier.png")],
            cwd=PROJECT,
            env=surroundings,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    with started() as process:
        wait_for(lambda: any((tmp_path / "temporary").glob("animerun-gen-scratch-*/dataset/train/*/*/*")))
        process.terminate()
        _, told = process.communicate(timeout=300)
    assert process.returncode == 130, told
    assert_nothing_is_left(tmp_path)
    assert not (tmp_path / "courier.png").exists()

    with started() as process:
        said, told = process.communicate(timeout=900)
    assert process.returncode == 0, told
    assert re.match(r"courier: frames 8 and 9, 480x270\n", said)
    assert "quality: all figures are within their thresholds" in said
    assert_nothing_is_left(tmp_path)
    assert read_image(tmp_path / "courier.png").shape == (2 * (270 + TITLE_HEIGHT), 4 * 480, 3)


def assert_nothing_is_left(folder: Path) -> None:
    assert list((folder / "temporary").iterdir()) == []


def wait_for(holds: Callable[[], bool]) -> None:
    waited = threading.Event()
    for _ in range(6000):
        if holds():
            return
        waited.wait(0.1)
    raise AssertionError("it did not come about")
