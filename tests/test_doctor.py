from __future__ import annotations

import subprocess
import sys
from collections import namedtuple
from pathlib import Path

import pytest

from animerun_gen import doctor
from animerun_gen.doctor import Finding
from animerun_gen.engines import blenders, processes
from animerun_gen.engines.processes import Memory

Usage = namedtuple("Usage", "total used free")

PROBE = """\
import json, os, sys
answers = os.fdopen(int(sys.argv[3]), "w", buffering=1)
print("EGL_BAD_MATCH")
def found(**answer):
    for what in answer:
        answers.write(json.dumps({"event": "found", "what": what, "answer": answer[what]}) + "\\n")
"""


class FakeBlender:
    """A Blender whose probe is a small program."""

    version = "Blender 1.2.3"

    def __init__(self, program: str) -> None:
        self.program = program

    def module_command(self, module: str, *arguments: str) -> list[str]:
        return [sys.executable, "-I", "-S", "-c", PROBE + self.program, module, *arguments]


def findings_of(monkeypatch: pytest.MonkeyPatch, program: str) -> dict[str, Finding]:
    monkeypatch.setattr(blenders.InstalledBlender, "find", lambda name: FakeBlender(program))
    return {finding.name: finding for finding in doctor.check_blender("blender")}


def test_a_blender_that_works(monkeypatch: pytest.MonkeyPatch) -> None:
    program = 'found(renderer="llvmpipe (a=b)", surface="#a", background="#b", image="#a", lines="draws lines")'
    findings = findings_of(monkeypatch, program)
    assert {name: (finding.good, finding.found) for name, finding in findings.items()} == {
        "Blender": (True, "Blender 1.2.3"),
        "OpenGL context (EGL)": (True, "llvmpipe (a=b)"),
        "Workbench paints a surface": (True, "#a"),
        "Workbench paints the background": (True, "#b"),
        "Workbench leaves images out": (True, "#a"),
        "Freestyle": (True, "draws lines"),
    }


def test_a_blender_without_freestyle(monkeypatch: pytest.MonkeyPatch) -> None:
    program = 'found(renderer="x", surface="#a", background="#b", image="#a", lines="failed: it drew no line")'
    findings = findings_of(monkeypatch, program)
    assert [name for name, finding in findings.items() if not finding.good] == ["Freestyle"]
    assert findings["Freestyle"].found == "failed: it drew no line"
    assert "one with Freestyle" in findings["Freestyle"].remedy


def test_a_blender_that_crashes_in_the_middle_of_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    program = (
        'import signal; print("no display", flush=True); found(renderer="x");'
        """answers.write('{"eve'); answers.flush();"""
        "os.kill(os.getpid(), signal.SIGSEGV)"
    )
    findings = findings_of(monkeypatch, program)
    assert findings["OpenGL context (EGL)"].good
    workbench = findings["Workbench paints a surface"]
    assert not workbench.good
    assert workbench.found == "no answer: Blender died of SIGSEGV; it said: EGL_BAD_MATCH no display"
    assert "apt-get install" in workbench.remedy
    assert "libegl1" in workbench.remedy


def test_a_blender_that_hangs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "PROBE_TIMEOUT", 0.5)
    findings = findings_of(monkeypatch, "import time; time.sleep(60)")
    assert "did not answer within 0.5 seconds" in findings["Freestyle"].found


def test_a_blender_that_cannot_be_started(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    engine = FakeBlender("")
    monkeypatch.setattr(engine, "module_command", lambda *arguments: [str(tmp_path / "gone")])
    monkeypatch.setattr(blenders.InstalledBlender, "find", lambda name: engine)
    assert "cannot be started" in doctor.check_blender("blender")[1].found


def test_no_blender_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    [finding] = doctor.check_blender("no-such-blender")
    assert not finding.good
    assert finding.remedy == "apt-get install blender"
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    [finding] = doctor.check_blender(None)
    assert not finding.good
    module = doctor.MODULES[sys.version_info[:2]]
    assert finding.remedy.endswith(f"-m pip install '{module}'")


def test_the_libraries_of_this_environment_are_found() -> None:
    findings = doctor.check_libraries()
    assert all(finding.good for finding in findings)
    assert {"numpy", "opencv-python-headless", "pydantic"} <= {finding.name for finding in findings}


def test_libraries_that_are_missing_or_broken(monkeypatch: pytest.MonkeyPatch) -> None:
    def load(name: str) -> object:
        if name == "cv2":
            raise ImportError("libGL.so.1: cannot open shared object file")
        if name == "numba":
            raise AttributeError("numpy has no attribute long")
        return object()

    monkeypatch.setattr("importlib.import_module", load)
    bad = {finding.name: finding for finding in doctor.check_libraries() if not finding.good}
    assert set(bad) == {"opencv-python-headless", "numba"}
    assert bad["opencv-python-headless"].remedy == f"{sys.executable} -m pip install opencv-python-headless"
    assert "no attribute long" in bad["numba"].found


def test_python_must_be_the_one_of_bpy(monkeypatch: pytest.MonkeyPatch) -> None:
    assert doctor.check_python()[0].good
    monkeypatch.setattr(sys, "version_info", (3, 13, 0))
    assert doctor.check_python()[0].good
    monkeypatch.setattr(sys, "version_info", (3, 12, 1))
    [finding] = doctor.check_python()
    assert not finding.good
    assert "3.11 (bpy==4.5.15) or 3.13 (bpy==5.2.3)" in finding.remedy


@pytest.mark.parametrize(("free", "good"), [(50, True), (1, False)])
def test_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, free: int, good: bool) -> None:
    looked_at = []

    def usage(folder: Path) -> Usage:
        looked_at.append(folder)
        return Usage(100 << 30, 0, free << 30)

    monkeypatch.setattr("shutil.disk_usage", usage)
    [finding] = doctor.check_disk(tmp_path / "not" / "yet")
    assert looked_at == [tmp_path]
    assert finding.good == good
    assert finding.found == f"{free:.1f} GiB free in {tmp_path}"


def test_an_output_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "out").write_bytes(b"")
    [finding] = doctor.check_disk(tmp_path / "out")
    assert not finding.good
    assert "which cannot be written to" in finding.found


def test_memory_is_what_may_still_be_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    def answer(gib: int) -> None:
        monkeypatch.setattr(processes, "memory", lambda: Memory(total=99 << 30, available=gib << 30))

    answer(3)
    [finding] = doctor.check_memory()
    assert (finding.good, finding.found) == (True, "3.0 GiB free")
    answer(1)
    [finding] = doctor.check_memory()
    assert not finding.good


@pytest.mark.parametrize("healthy", [True, False])
def test_what_is_printed(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], healthy: bool) -> None:
    found = [Finding("Python", True, "3.11.2"), Finding("disk", healthy, "9 GiB", "free some space")]
    monkeypatch.setattr(doctor, "checks", lambda blender, output: [lambda: found[:1], lambda: found[1:]])
    assert doctor.run_doctor(None, Path()) == (0 if healthy else 1)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "ok    Python: 3.11.2"
    if healthy:
        assert lines[1:] == ["ok    disk: 9 GiB", "everything needed is installed"]
    else:
        assert lines[1:3] == ["FAIL  disk: 9 GiB", "      -> free some space"]


def test_everything_is_checked(tmp_path: Path) -> None:
    checks = doctor.checks("no-such-blender", tmp_path)
    names = [finding.name for check in checks for finding in check()]
    assert [name for name in ("Python", "numpy", "memory", "disk", "Blender") if name not in names] == []


def test_set_up_and_doctor_name_the_same_packages_and_the_same_blender() -> None:
    """The shell cannot import the list, so it stands twice; neither may be forgotten."""
    project = Path(__file__).resolve().parent.parent
    script = (project / "scripts" / "setup.sh").read_text(encoding="utf-8")
    _, _, rest = script.partition("system_packages=(")
    assert rest.partition(")")[0].split() == list(doctor.DEBIAN_PACKAGES)
    pinned = [line for line in (project / "requirements.txt").read_text().splitlines() if line.startswith("bpy==")]
    assert [line.partition(";")[0] for line in pinned] == list(doctor.MODULES.values())
    for line in pinned:
        assert line.replace('"', "'") in (project / "pyproject.toml").read_text(encoding="utf-8")


@pytest.mark.parametrize("library", ["numpy", "psutil", "pydantic"])
@pytest.mark.parametrize("options", [[], ["--blender", "blender"]])
def test_a_library_that_is_missing_is_named_and_no_trace_is_shown(library: str, options: list[str]) -> None:
    program = (
        f"import sys; sys.modules[{library!r}] = None; from animerun_gen import doctor\n"
        # this takes seconds, and needs what is missing
        "checks = doctor.checks; doctor.checks = lambda *asked: checks(*asked)[:-1]\n"
        f"from animerun_gen.cli import main; sys.exit(main(['doctor', *{options!r}]))"
    )
    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert answer.returncode == 1
    assert "Traceback" not in answer.stderr
    assert f"FAIL  {library}: " in answer.stdout
    assert f"-m pip install {library}" in answer.stdout
