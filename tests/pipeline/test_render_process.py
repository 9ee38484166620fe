from __future__ import annotations

import os
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from animerun_gen.dataset.layout import state_folder
from animerun_gen.engines import children, render_process
from animerun_gen.engines.children import Conditions
from animerun_gen.engines.fence import RunOver, fence_file, fenced
from animerun_gen.engines.job import RenderJob
from animerun_gen.engines.protocol import from_text, to_text
from animerun_gen.engines.render_process import RenderDied, RenderFailure, RenderProcess
from animerun_gen.errors import DatasetError
from tests.pipeline.datasets import make_cut

PROGRAM = """
import json, os, signal, sys, time
job, fd = open(sys.argv[1]).read(), int(sys.argv[2])
def raw(data): os.write(fd, data)
def tell(event, **more): raw(json.dumps({"event": event, **more}).encode() + b"\\n")
"""


def process(folder: Path, program: str, conditions: Conditions | None = None) -> RenderProcess:
    """A process that runs a small program in place of Blender."""
    job = RenderJob(make_cut(folder), folder / "out", pictures=(1, 2))
    command = [sys.executable, "-I", "-S", "-c", PROGRAM + program]
    log = folder / "logs" / "square.log"
    return RenderProcess(lambda job_file, events: [*command, job_file, events], job, log, conditions)


def run(folder: Path, program: str) -> list[Any]:
    events: list[Any] = []
    process(folder, program).run(events.append)
    return events


def failure(folder: Path, program: str) -> str:
    with pytest.raises(RenderFailure) as caught:
        run(folder, program)
    return str(caught.value)


def is_alive(process_id: int) -> bool:
    try:
        os.kill(process_id, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.fixture
def no_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(render_process, "EXIT_SECONDS", 0.3)


def test_events_arrive_in_order_and_chatter_goes_to_the_log(tmp_path: Path) -> None:
    events = run(
        tmp_path,
        """
print("Fra:1 Mem:12M", flush=True)
print("EGL_BAD_MATCH", file=sys.stderr, flush=True)
tell("begins", frame=1, stage="flat")
tell("frame_done", frame=1)
tell("finished")
""",
    )
    assert [event["event"] for event in events] == ["begins", "frame_done", "finished"]
    assert (tmp_path / "logs" / "square.log").read_text() == "Fra:1 Mem:12M\nEGL_BAD_MATCH\n"


def test_the_job_arrives_whole(tmp_path: Path) -> None:
    events = run(tmp_path, 'tell("noticed", note=job); tell("finished")')
    job = from_text(events[0]["note"], RenderJob)
    assert job == RenderJob(make_cut(tmp_path), tmp_path / "out", pictures=(1, 2))


def test_a_job_survives_json_with_everything_in_it(tmp_path: Path) -> None:
    overrides = {"z*": "#000001", "a": "#000002", "m": "#000003"}
    config = make_cut(tmp_path, {"style": {"overrides": overrides}, "remove": {"objects": ["fog*"]}})
    job = RenderJob(
        config,
        tmp_path,
        pictures=(1, 2),
        material_pictures=(1,),
        identity_pictures=(2,),
        companions=(2,),
        pairs=((1, 2), (1, 4)),
        cross_check=True,
    )
    again = from_text(to_text(job), RenderJob)
    assert again == job
    # of several patterns that match, the one written first counts
    assert list(again.config.style.overrides) == ["z*", "a", "m"]
    assert again.frames == (1, 2, 4)
    followed = from_text(to_text(replace(job, tracks=True)), RenderJob)
    assert followed == replace(job, tracks=True)
    assert followed.frames == config.frame_numbers


def test_events_may_come_in_pieces_and_in_heaps(tmp_path: Path) -> None:
    events = run(
        tmp_path,
        """
raw(b'{"event": "noti'); time.sleep(0.05); raw(b'ced", "note": "one"}\\n{"event": "noticed", "note": "two"}\\n')
raw(b"".join(b'{"event": "noticed", "note": "%d"}\\n' % number for number in range(5000)))
raw(b'{"event": "finished"}')
""",
    )
    assert [event.get("note") for event in events] == ["one", "two", *map(str, range(5000)), None]


@pytest.mark.parametrize(
    "garbage",
    [b"", b"\\n", b"{", b"[]", b"3", b"null", b'{"frame": 1}', b"\\xff\\xfe\\x00", b'{"event": "begins', b"[" * 9],
    ids=repr,
)
def test_what_is_no_event_is_passed_over(tmp_path: Path, garbage: bytes) -> None:
    text = garbage.decode("latin-1")
    events = run(tmp_path, f"raw(b'''{text}\\n'''); tell('finished')")
    assert [event["event"] for event in events] == ["finished"]


def test_a_crash_says_where_it_was(tmp_path: Path) -> None:
    message = failure(
        tmp_path,
        """
print("Error: EGL_BAD_MATCH", flush=True)
print("Error: the fluid cache is broken.", flush=True)
tell("opened", engine="", notes=[], inputs=[])
tell("begins", frame=7, stage="lines")
raw(b'{"event": "took", "fra')
os.kill(os.getpid(), signal.SIGSEGV)
""",
    )
    log = tmp_path / "logs" / "square.log"
    assert message == (
        "cut 'square': Blender died of SIGSEGV in frame 7 (lines). Its last error was: Error: the fluid cache is "
        f"broken. The log is {log}; run the same command again to resume"
    )


@pytest.mark.parametrize(
    ("program", "said"),
    [
        ("os.kill(os.getpid(), signal.SIGKILL)", "died of SIGKILL, possibly because memory ran out, while it started."),
        ("os.kill(os.getpid(), signal.SIGRTMIN + 5)", "died of "),
        ("sys.exit(0)", "ended with status 0 while it started."),
        ("sys.exit(3)", "ended with status 3 while it started."),
        (
            "tell('opened', engine='x', notes=[], inputs={}); sys.exit(11)",
            "ended with status 11 before the first frame.",
        ),
        ('raw(b\'{"event": "finish\')', "ended with status 0 while it started."),
    ],
)
def test_an_end_without_the_word_finished_is_a_failure(tmp_path: Path, program: str, said: str) -> None:
    assert said in failure(tmp_path, program)


def test_a_failure_is_told_in_its_own_words(tmp_path: Path) -> None:
    program = 'tell("begins", frame=2, stage="motion"); tell("failed", kind="SceneError", message="no camera"); 1 / 0'
    log = tmp_path / "logs" / "square.log"
    assert failure(tmp_path, program) == f"cut 'square', in frame 2 (motion): no camera (log: {log})"


def test_a_program_that_cannot_be_started(tmp_path: Path) -> None:
    job = RenderJob(make_cut(tmp_path), tmp_path / "out")
    run = RenderProcess(lambda *arguments: [str(tmp_path / "no blender")], job, tmp_path / "log")
    before = set(os.listdir("/proc/self/fd"))
    with pytest.raises(RenderFailure, match=r"cut 'square': Blender cannot be started: .*No such file"):
        run.run(print)
    assert set(os.listdir("/proc/self/fd")) == before


def test_only_errors_of_this_run_are_quoted(tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    log = tmp_path / "logs" / "square.log"
    log.write_text("Error: of yesterday\n")
    assert "yesterday" not in failure(tmp_path, "print('today', flush=True); sys.exit(1)")
    assert log.read_text() == "Error: of yesterday\ntoday\n"


def test_a_log_need_not_be_text(tmp_path: Path) -> None:
    assert "Its last error was: an error \ufffd." in failure(tmp_path, "os.write(1, b'an error \\xff\\n'); sys.exit(1)")


@pytest.mark.usefixtures("no_patience")
def test_a_blender_that_hangs_after_its_work_is_ended(tmp_path: Path) -> None:
    events = run(tmp_path, 'tell("noticed", note=str(os.getpid())); tell("finished"); time.sleep(60)')
    assert events[-1] == {"event": "finished"}
    assert not is_alive(int(events[0]["note"]))


@pytest.mark.usefixtures("no_patience")
def test_a_blender_that_stops_reporting_and_hangs_is_a_failure(tmp_path: Path) -> None:
    message = failure(tmp_path, 'tell("begins", frame=4, stage="flat"); os.close(fd); time.sleep(60)')
    assert "Blender stopped reporting and did not end in frame 4 (flat)." in message


def test_who_computes_in_silence_is_mentioned_but_borne(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(children, "TICK_SECONDS", 0.05)
    events: list[Any] = []
    program = """
tell("begins", frame=3, stage="lines")
end = time.monotonic() + 0.9
while time.monotonic() < end: pass
tell("finished")
"""
    process(tmp_path, program, Conditions(patience=0.3)).run(events.append)
    assert [event["event"] for event in events][-1] == "finished"
    notes = [event["note"] for event in events if event["event"] == "noticed"]
    assert len(notes) >= 2
    assert "in frame 3 (lines)" in notes[-1]


def test_who_neither_computes_nor_speaks_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(children, "TICK_SECONDS", 0.05)
    events: list[Any] = []
    program = 'tell("noticed", note=str(os.getpid())); tell("begins", frame=3, stage="lines"); time.sleep(60)'
    with pytest.raises(RenderDied) as caught:
        process(tmp_path, program, Conditions(patience=0.4)).run(events.append)
    assert caught.value.what == "Blender stood idle for 0 seconds in frame 3 (lines)"
    assert not is_alive(int(events[0]["note"]))


def test_work_of_a_helper_process_is_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(children, "TICK_SECONDS", 0.05)
    program = """
import subprocess
burn = "import time; end = time.monotonic() + 0.9\\nwhile time.monotonic() < end: pass"
subprocess.run([sys.executable, "-I", "-S", "-c", burn])
tell("finished")
"""
    process(tmp_path, program, Conditions(patience=0.3)).run(print)


def test_who_computes_forever_is_ended_at_last(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(children, "TICK_SECONDS", 0.05)
    monkeypatch.setattr(children, "MUCH_PATIENCE", 3)
    with pytest.raises(RenderDied, match="without making progress"):
        process(tmp_path, "while True: pass", Conditions(patience=0.2)).run(lambda event: None)


def test_a_process_ends_with_the_run_that_it_belongs_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(children, "TICK_SECONDS", 0.05)
    output = tmp_path / "out"
    output.mkdir()
    state_folder(output).mkdir()
    with fenced(output, print) as fence:
        pass
    with pytest.raises(RunOver):
        process(tmp_path, "time.sleep(60)", Conditions(fence=fence)).run(print)
    begun: list[dict[str, Any]] = []
    with fenced(output, print) as fence:
        one = process(tmp_path, 'tell("noticed", note=str(os.getpid())); time.sleep(60)', Conditions(fence=fence))

        def next_run_begins(event: Any) -> None:
            begun.append(event)
            fence_file(output).write_text("another")

        with pytest.raises(RunOver):
            one.run(next_run_begins)
    assert not is_alive(int(begun[0]["note"]))


@pytest.mark.parametrize("error", [DatasetError("disk full"), KeyboardInterrupt(), ValueError("a mistake of ours")])
def test_when_the_listener_fails_the_process_is_gone(tmp_path: Path, error: BaseException) -> None:
    processes = []

    def listen(event: Any) -> None:
        processes.append(int(event["note"]))
        raise error

    start = time.monotonic()
    with pytest.raises(type(error)):
        process(tmp_path, 'tell("noticed", note=str(os.getpid())); time.sleep(60)').run(listen)
    assert not is_alive(processes[0])
    assert time.monotonic() - start < 20.0


def test_killed_from_another_thread(tmp_path: Path) -> None:
    begun = threading.Event()
    one = process(tmp_path, 'tell("begins", frame=1, stage="flat"); time.sleep(60)')

    def kill() -> None:
        begun.wait(20)
        one.kill()

    killer = threading.Thread(target=kill)
    killer.start()
    with pytest.raises(RenderFailure, match="died of SIGKILL"):
        one.run(lambda event: begun.set())
    killer.join()
    # and once more, when it is over
    one.kill()


def test_killed_before_it_was_started(tmp_path: Path) -> None:
    one = process(tmp_path, f"open({str(tmp_path / 'trace')!r}, 'w')")
    one.kill()
    with pytest.raises(RenderFailure, match="stopped before Blender started"):
        one.run(print)
    assert not (tmp_path / "trace").exists()


def test_its_temporary_files_go_with_it(tmp_path: Path) -> None:
    program = """
import tempfile
folder = tempfile.mkdtemp()
open(os.path.join(folder, "scratch.png"), "w").write("x")
tell("noticed", note=folder)
os.kill(os.getpid(), signal.SIGABRT)
"""
    events: list[Any] = []
    with pytest.raises(RenderFailure, match="SIGABRT"):
        process(tmp_path, program).run(events.append)
    folder = Path(events[0]["note"])
    assert not folder.exists()
    assert not folder.parent.exists()
