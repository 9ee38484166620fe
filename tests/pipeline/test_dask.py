"""A real Dask scheduler with two real workers on this machine."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import pytest
import yaml

from animerun_gen.config import CutConfig, load_cuts
from animerun_gen.dataset.layout import state_folder
from animerun_gen.engines.blenders import BpyModule
from animerun_gen.engines.children import ChildDied
from animerun_gen.engines.fence import Fence, fenced
from animerun_gen.engines.processes import descendants
from animerun_gen.errors import AnimerunGenError
from animerun_gen.pipeline.crew import ClusterCrew
from animerun_gen.pipeline.describe import describe
from animerun_gen.pipeline.farm import Farm
from animerun_gen.pipeline.fitness import Demands, what_is_wrong
from animerun_gen.pipeline.options import Options
from animerun_gen.pipeline.run import generate
from animerun_gen.pipeline.state import made_with
from tests.pipeline.datasets import contents, make, make_cut
from tests.pipeline.fake_chunks import Ear, FakeChunk, product
from tests.pipeline.fake_engine import FakeEngine

PROJECT = Path(__file__).parent.parent.parent
CLIP = {"frames": {"last": 40}, "recolor": {"passes": 2}}


@dataclass
class Cluster:
    """What was started, and where it can be reached."""

    address: str
    scheduler: subprocess.Popen[bytes]
    workers: list[subprocess.Popen[bytes]]
    folder: Path

    def add_worker(self) -> None:
        more = ("--nthreads", "1", "--no-dashboard", "--local-directory", str(self.folder))
        self.workers.append(start("distributed.cli.dask_worker", self.address, *more))

    def is_whole(self) -> bool:
        """Whether everything that was started is still there."""
        return len(self.workers) == 2 and all(process.poll() is None for process in (self.scheduler, *self.workers))


def start(*command: str) -> subprocess.Popen[bytes]:
    environment = os.environ | {"PYTHONPATH": str(PROJECT)}
    return subprocess.Popen(
        [sys.executable, "-m", *command],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=environment,
        start_new_session=True,
    )


def kill_with_children(process: subprocess.Popen[bytes]) -> None:
    for child in (process.pid, *descendants(process.pid)):
        with suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)
    process.wait()


def wait_until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 180.0
    while not condition():
        assert time.monotonic() < end, "that took too long"
        time.sleep(0.05)


@pytest.fixture(scope="module")
def clusters(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[], Cluster]]:
    """Gives a whole cluster: the one of the test before, as clusters outlive what they do, unless that broke it.

    Each is five processes, which load for seconds.
    """
    with ExitStack() as running:
        there: list[Cluster] = []

        def whole() -> Cluster:
            if not there or not there[0].is_whole():
                running.close()
                there[:] = [running.enter_context(started(tmp_path_factory.mktemp("cluster")))]
            return there[0]

        yield whole


@pytest.fixture
def cluster(clusters: Callable[[], Cluster]) -> Cluster:
    return clusters()


@contextmanager
def started(tmp_path: Path, *more: str) -> Iterator[Cluster]:
    """A scheduler and two workers, for as long as the block lasts."""
    file = tmp_path / "scheduler.json"
    options = ("--host", "127.0.0.1", "--port", "0", "--no-dashboard", "--scheduler-file", str(file))
    scheduler = start("distributed.cli.dask_scheduler", *options, *more)
    workers: list[subprocess.Popen[bytes]] = []
    try:
        wait_until(lambda: file.exists() and file.stat().st_size > 0)
        cluster = Cluster(json.loads(file.read_text())["address"], scheduler, workers, tmp_path)
        for _ in range(2):
            cluster.add_worker()
        yield cluster
    finally:
        for process in (*workers, scheduler):
            kill_with_children(process)


def worker_processes(cluster: Cluster) -> list[int]:
    """The processes that do the work, which the nannies look after."""
    found = []
    for nanny in cluster.workers:
        for child in descendants(nanny.pid):
            if b"spawn_main" in command_of(child):
                found.append(child)
    return found


def is_busy(worker: int) -> bool:
    """Whether a worker has a child that does something."""
    return any(b"pool_child" in command_of(child) for child in descendants(worker))


def command_of(process: int) -> bytes:
    """The command line of a process; nothing where there is none."""
    with suppress(OSError):
        return Path(f"/proc/{process}/cmdline").read_bytes()
    return b""


@dataclass(frozen=True)
class Rendered:
    """A cut that is rendered and not labelled.

    Attributes:
        config: The cut.
        output: The dataset to go on with.
        whole: The dataset as it is to be; nobody may change it.
    """

    config: CutConfig
    output: Path
    whole: Path

    @property
    def options(self) -> Options:
        """Of a run that goes on with it."""
        return Options(self.output, None, render=False)


def render(folder: Path, frames: int = 40) -> Rendered:
    config = make_cut(folder, {**CLIP, "frames": {"last": frames}})
    make(config, folder / "whole", FakeEngine())
    make(config, folder / "out", FakeEngine(), label=False)
    return Rendered(config, folder / "out", folder / "whole")


@pytest.fixture(scope="module")
def rendered_once(tmp_path_factory: pytest.TempPathFactory) -> Rendered:
    return render(tmp_path_factory.mktemp("rendered"))


@pytest.fixture
def rendered(rendered_once: Rendered, tmp_path: Path) -> Rendered:
    """A copy of it to go on with."""
    return replace(rendered_once, output=Path(shutil.copytree(rendered_once.output, tmp_path / "out", symlinks=True)))


def act_once(condition: Callable[[], bool], act: Callable[[], None]) -> threading.Thread:
    def wait_and_act() -> None:
        wait_until(condition)
        act()

    thread = threading.Thread(target=wait_and_act, daemon=True)
    thread.start()
    return thread


@pytest.mark.dask
def test_a_cluster_makes_the_same_bytes_though_a_worker_is_killed(rendered: Rendered, cluster: Cluster) -> None:
    def kill() -> None:
        os.kill(next(worker for worker in worker_processes(cluster) if is_busy(worker)), signal.SIGKILL)

    killer = act_once(lambda: any(map(is_busy, worker_processes(cluster))), kill)
    [summary] = generate([rendered.config], replace(rendered.options, scheduler=cluster.address))
    killer.join()
    assert not summary.failures
    assert contents(rendered.output) == contents(rendered.whole)
    assert any("the Dask worker" in note and "was lost" in note for note in summary.notes), summary.notes


@pytest.mark.dask
def test_a_cluster_that_lost_all_workers_is_waited_for_aloud(
    tmp_path: Path, cluster: Cluster, capsys: pytest.CaptureFixture[str]
) -> None:
    """As a cluster of jobs does that reach their wall time together, and are restarted, time after time."""
    # so many that they are not all labelled before the second loss
    rendered = render(tmp_path, 120)
    heard: list[bool] = []

    def segments() -> list[Path]:
        return list((rendered.output / "train/Segment").rglob("*.npy"))

    def more_than(there: int) -> bool:
        return len(segments()) > there

    def is_waited_for() -> bool:
        # Dask itself may ask a lost worker for half a minute
        end, said = time.monotonic() + 90.0, ""
        while "waiting for a worker of the Dask scheduler" not in said and time.monotonic() < end:
            time.sleep(0.05)
            said += capsys.readouterr().err
        return "waiting for a worker of the Dask scheduler" in said

    def lose_all_and_add_one() -> None:
        for _ in range(2):
            there = len(segments())
            wait_until(partial(more_than, there))
            capsys.readouterr()
            while cluster.workers:
                kill_with_children(cluster.workers.pop())
            heard.append(is_waited_for())
            cluster.add_worker()

    loser = threading.Thread(target=lose_all_and_add_one, daemon=True)
    loser.start()
    [summary] = generate([rendered.config], replace(rendered.options, scheduler=cluster.address))
    loser.join()
    assert heard == [True, True]
    assert not summary.failures
    assert contents(rendered.output) == contents(rendered.whole)


@pytest.mark.dask
def test_a_killed_scheduler_is_a_sentence_and_the_same_command_goes_on(
    rendered: Rendered, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("animerun_gen.pipeline.crew.ANSWER_SECONDS", 4.0)
    output = rendered.output
    killer = act_once(lambda: len(list((output / "train/Segment").rglob("*.npy"))) > 3, cluster.scheduler.kill)
    [summary] = generate([rendered.config], replace(rendered.options, scheduler=cluster.address))
    killer.join()
    assert any("no longer answers" in failure for failure in summary.failures)
    assert "square: FAILED" in describe([summary], output)[0]
    make(rendered.config, output, FakeEngine())
    assert contents(output) == contents(rendered.whole)


@pytest.mark.dask
def test_ctrl_c_ends_the_work_of_the_workers_and_nothing_half_written_stays(
    rendered: Rendered, cluster: Cluster
) -> None:
    output = rendered.output
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    killer = act_once(
        lambda: len(list((output / "train/Segment").rglob("*.npy"))) > 3, lambda: os.kill(os.getpid(), signal.SIGINT)
    )
    try:
        with pytest.raises(KeyboardInterrupt):
            generate([rendered.config], replace(rendered.options, scheduler=cluster.address))
    finally:
        signal.signal(signal.SIGINT, before)
    killer.join()
    there = contents(output)
    time.sleep(1.0)
    assert contents(output) == there
    assert not list(output.rglob(".animerun-part*"))


@pytest.mark.dask
@pytest.mark.blender
def test_blender_on_a_cluster_makes_the_same_bytes_as_here(tmp_path: Path, cluster: Cluster) -> None:
    [cut] = load_cuts([PROJECT / "configs/toy/courier.yaml"])
    config = cut.config.model_copy(update={"resolution": (160, 90)})
    make(config, tmp_path / "here", BpyModule.find(), frames=(1, 4))
    make(config, tmp_path / "there", BpyModule.find(), frames=(1, 4), scheduler=cluster.address, chunk_frames=2)
    assert contents(tmp_path / "there") == contents(tmp_path / "here")


@pytest.mark.dask
def test_a_cluster_that_cannot_help_is_refused(rendered: Rendered, cluster: Cluster) -> None:
    # the workers are of this version, and the run pretends to be of another
    wrong = {**made_with.versions(), "numpy": "0.9"}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("animerun_gen.pipeline.state.made_with.versions", lambda: wrong)
        [summary] = generate([rendered.config], replace(rendered.options, scheduler=cluster.address))
    [failure] = summary.failures
    assert "can be used: the Dask worker tcp://127.0.0.1:" in failure
    assert "but this run has 0.9: install the same version everywhere" in failure


def test_a_scheduler_that_is_not_there_is_a_sentence(rendered: Rendered, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("animerun_gen.pipeline.crew.CONNECT_SECONDS", 0.5)
    for address in ("tcp://127.0.0.1:9", "nonsense"):
        with pytest.raises(AnimerunGenError, match=f"no Dask scheduler can be reached at '{address}'; start one"):
            generate([rendered.config], replace(rendered.options, scheduler=address))


def test_a_worker_says_why_it_cannot_help(tmp_path: Path) -> None:
    state_folder(tmp_path).mkdir()
    film = tmp_path / "film.blend"
    film.write_bytes(b"")
    with fenced(tmp_path, print) as fence:
        demands = Demands(made_with.versions(), BpyModule.find(), fence, (film,))
        assert what_is_wrong(demands) is None
        other = replace(demands, versions={**made_with.versions(), "numba": "0.1"})
        assert str(what_is_wrong(other)).endswith("but this run has 0.1: install the same version everywhere")
        other = replace(demands, engine=BpyModule("Blender 1.0"))
        assert str(what_is_wrong(other)).endswith("but this run has Blender 1.0: install the same version everywhere")
        other = replace(demands, fence=Fence(tmp_path / "elsewhere", fence.token))
        assert f"does not see the dataset {tmp_path / 'elsewhere'}: mount" in str(what_is_wrong(other))
        film.unlink()
        assert f"does not see {film}: mount" in str(what_is_wrong(demands))
    # a run that is over
    assert "does not see the dataset" in str(what_is_wrong(demands))


@pytest.fixture
def certificates(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a certificate that vouches for itself, of which every Dask knows that is started later."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl, which makes certificates, is not installed")
    folder = tmp_path / "certificates"
    folder.mkdir()
    names = ["-keyout", str(folder / "key.pem"), "-out", str(folder / "cert.pem")]
    request = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=farm"]
    subprocess.run([*request, *names], check=True, capture_output=True)
    monkeypatch.setenv("DASK_DISTRIBUTED__COMM__TLS__CA_FILE", str(folder / "cert.pem"))
    for who in ("SCHEDULER", "WORKER", "CLIENT"):
        monkeypatch.setenv(f"DASK_DISTRIBUTED__COMM__TLS__{who}__CERT", str(folder / "cert.pem"))
        monkeypatch.setenv(f"DASK_DISTRIBUTED__COMM__TLS__{who}__KEY", str(folder / "key.pem"))
    monkeypatch.setenv("DASK_DISTRIBUTED__COMM__REQUIRE_ENCRYPTION", "True")
    return folder


@pytest.mark.dask
def test_a_cluster_with_tls_makes_the_same_bytes_and_lets_nobody_in_without_certificates(
    tmp_path: Path, certificates: Path
) -> None:
    config = make_cut(tmp_path)
    make(config, tmp_path / "whole", FakeEngine())
    make(config, tmp_path / "out", FakeEngine(), label=False)
    (tmp_path / "cut.yaml").write_text(yaml.safe_dump(config.model_dump(mode="json", exclude_none=True)))
    with started(tmp_path, "--protocol", "tls") as cluster:
        assert cluster.address.startswith("tls://")
        command = [sys.executable, "-m", "animerun_gen", "label", str(tmp_path / "cut.yaml"), "--out"]
        environment = os.environ | {"PYTHONPATH": str(PROJECT)}

        def label(address: str, environment: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
            arguments = [*command, str(tmp_path / "out"), "--scheduler", address]
            return subprocess.run(arguments, env=environment, capture_output=True, text=True)

        stranger = {name: value for name, value in environment.items() if not name.startswith("DASK_")}
        refused = label(cluster.address, stranger)
        assert refused.returncode == 2
        assert f"for '{cluster.address}' Dask has to know the certificates; set" in refused.stderr
        assert "Traceback" not in refused.stderr
        plain = label(cluster.address.replace("tls:", "tcp:"), stranger)
        assert plain.returncode == 2
        assert "no Dask scheduler can be reached at 'tcp://" in plain.stderr
        done = label(cluster.address, environment)
        assert done.returncode == 0, done.stderr
    assert contents(tmp_path / "out") == contents(tmp_path / "whole")


def test_settings_of_a_cluster_do_not_keep_work_from_being_done_here(tmp_path: Path, certificates: Path) -> None:
    config = make_cut(tmp_path)
    make(config, tmp_path / "out", FakeEngine(), label=False)
    script = (
        "from pathlib import Path\n"
        "from tests.pipeline.datasets import make, make_cut\n"
        f"folder = Path({str(tmp_path)!r})\n"
        "print(make(make_cut(folder), folder / 'out', None, render=False, workers=2)[0].labelled)\n"
    )
    environment = os.environ | {"PYTHONPATH": str(PROJECT)}
    done = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "9\n"), done.stderr


@dataclass(frozen=True)
class Dying(FakeChunk):
    """A chunk whose child dies until it was begun so often; it notes by whom."""

    folder: Path = Path()
    times: int = 2

    def start(self, conditions: object) -> DyingRun:  # type: ignore[override]
        return DyingRun(self)


@dataclass
class DyingRun:
    chunk: Dying

    def run(self, on_event: object) -> None:
        begun = len(list(self.chunk.folder.iterdir()))
        (self.chunk.folder / f"{begun} {os.getpid()}").touch()
        if begun < self.chunk.times:
            raise ChildDied("Blender died", "cut 'a'", "advice")

    def kill(self) -> None:
        """It does not take long."""


@pytest.mark.dask
def test_what_dies_on_one_worker_is_begun_again_on_another(tmp_path: Path, cluster: Cluster) -> None:
    folder, output = tmp_path / "begun", tmp_path / "out"
    folder.mkdir()
    state_folder(output).mkdir(parents=True)
    ear = Ear()
    with fenced(output, print) as fence:
        crew = ClusterCrew(cluster.address, Demands(made_with.versions(), None, fence, ()), 60.0, print)
        with closing(crew):
            while crew.slots() < 2:
                time.sleep(0.2)
            farm = Farm(crew, ear)
            maker = Dying("render", makes=product("frame"), folder=folder)
            label = Dying("label", renders=False, needs=product("frame"), folder=folder, times=0)
            farm.add([maker])
            farm.add([label])
            farm.run()
    begun = [path.name.split()[1] for path in sorted(folder.iterdir())]
    assert len(begun) == 4
    # there and back
    assert begun[0] != begun[1]
    assert begun[2] == begun[0]
    assert not ear.failures
    assert len(ear.notes) == 2
    assert all(note.startswith("Blender died on tcp://127.0.0.1:") for note in ear.notes)


@dataclass(frozen=True)
class Waiting(FakeChunk):
    """A chunk that is under way until there is a file; it leaves one of its own."""

    folder: Path = Path()
    waits_for: str = ""

    def start(self, conditions: object) -> WaitingRun:  # type: ignore[override]
        return WaitingRun(self)


@dataclass
class WaitingRun:
    chunk: Waiting

    def run(self, on_event: object) -> None:
        (self.chunk.folder / f"{self.chunk.name} {os.getpid()}").touch()
        while self.chunk.waits_for and not (self.chunk.folder / self.chunk.waits_for).exists():
            time.sleep(0.02)

    def kill(self) -> None:
        """It does not take long."""


@pytest.mark.dask
def test_what_had_ended_is_done_again_by_new_workers_where_those_are_lost_that_knew(
    tmp_path: Path, cluster: Cluster
) -> None:
    """It was only for workers that there were then."""
    folder, output = tmp_path / "begun", tmp_path / "out"
    folder.mkdir()
    state_folder(output).mkdir(parents=True)
    ear = Ear()

    def lose_all_and_add_one() -> None:
        while cluster.workers:
            kill_with_children(cluster.workers.pop())
        # the run sees that none is left
        time.sleep(3.0)
        cluster.add_worker()
        (folder / "go on").touch()

    def begun(name: str) -> bool:
        return any(path.name.startswith(name) for path in folder.iterdir())

    with fenced(output, print) as fence:
        crew = ClusterCrew(cluster.address, Demands(made_with.versions(), None, fence, ()), 60.0, print)
        with closing(crew):
            while crew.slots() < 2:
                time.sleep(0.2)
            farm = Farm(crew, ear)
            farm.add([Waiting("frame", makes=product("frame"), folder=folder)])
            farm.add([Waiting("slow", makes=product("slow"), folder=folder, waits_for="go on")])
            needs = product("frame") | product("slow")
            farm.add([Waiting("label", renders=False, needs=needs, folder=folder)])
            loser = act_once(lambda: begun("frame") and begun("slow"), lose_all_and_add_one)
            farm.run()
            loser.join()
    assert begun("label")
    # before and after
    assert len([path for path in folder.iterdir() if path.name.startswith("frame")]) == 2
    assert not ear.failures
