"""The loop that all trainings share: what it does to weights, and that a kill changes nothing."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed here: scripts/test.sh has .venv-torch for it")
pytest.importorskip("pydantic", reason="a training is described by pydantic models")
from torch import nn  # noqa: E402

from animerun_gen.errors import BusyError, UsageError  # noqa: E402
from animerun_gen.networks.weights import read_weights  # noqa: E402
from animerun_gen.training.checkpoints import TrainingFolder  # noqa: E402
from animerun_gen.training.config import Schedule  # noqa: E402
from animerun_gen.training.loop import TrainingError, device_named, moved, rate_at, train  # noqa: E402
from animerun_gen.training.sampling import Drawn, Mix  # noqa: E402

pytestmark = pytest.mark.torch

CPU = torch.device("cpu")
PROJECT = Path(__file__).resolve().parents[2]


class Points:
    """Points with a number that a network is to learn: a plane with noise."""

    def __init__(self) -> None:
        rng = np.random.default_rng(0)
        self.places = rng.normal(size=(40, 3)).astype(np.float32)
        self.values = (self.places @ np.array([1.0, -2.0, 0.5], np.float32))[:, None]

    def __len__(self) -> int:
        return len(self.places)

    def __getitem__(self, index: int) -> Any:
        return self.places[index], self.values[index]


def finish(sample: Any, rng: np.random.Generator) -> dict[str, Any]:
    place, value = sample
    return {
        "place": torch.from_numpy(place + rng.normal(0, 0.01, 3).astype(np.float32)),
        "value": torch.from_numpy(value),
    }


class PointTask:
    """A small network with dropout, whose random numbers a resumed training must go on with."""

    kind = "flow"
    larger_is_better = False

    def __init__(self, seed: int = 0, figure: str | None = "error", dropout: float = 0.2) -> None:
        torch.manual_seed(seed)
        self.network: nn.Module = nn.Sequential(nn.Linear(3, 16), nn.ReLU(), nn.Dropout(dropout), nn.Linear(16, 1))
        self.model: Mapping[str, Any] = {"name": "points"}
        points = Points()
        self.samples: Any = Drawn([points], Mix([len(points)], [1], seed), finish, seed)
        self.figure = figure
        self.seen: list[Any] = []

    def collate(self, samples: Sequence[Any]) -> Any:
        return {name: torch.stack([sample[name] for sample in samples]) for name in samples[0]}

    def begin(self) -> None:
        self.network.train()

    def loss(self, batch: Any) -> tuple[Any, dict[str, Any]]:
        self.seen.append(batch["place"])
        loss = (self.network(batch["place"]) - batch["value"]).square().mean()
        return loss, {"root": loss.detach().sqrt()}

    def validate(self) -> dict[str, float]:
        assert not self.network.training
        points = Points()
        found = self.network(torch.from_numpy(points.places)) - torch.from_numpy(points.values)
        return {"error": float(found.square().mean())}


def schedule(**changes: Any) -> Schedule:
    values = {"steps": 12, "batch": 4, "rate": 0.01, "validate_every": 4, "save_every": 3, "log_every": 2}
    return Schedule(**(values | changes))


def final(root: Path) -> Mapping[str, Any]:
    return read_weights(root / "final.pt").tensors


def same(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


def without_times(folder: TrainingFolder) -> list[dict[str, Any]]:
    return [{name: value for name, value in line.items() if name != "seconds"} for line in folder.lines()]


def test_a_network_learns(tmp_path: Path) -> None:
    folder = train(PointTask(dropout=0.0), schedule(steps=300, validate_every=50), "{}", tmp_path, device=CPU)
    figures = [line["validation"]["error"] for line in folder.lines() if "validation" in line]
    assert figures[-1] < 0.05 * figures[0] or figures[-1] < 0.01
    best = read_weights(folder.best)
    assert best.about["validation"]["error"] == min(figures)
    assert best.model == {"name": "points"}


@pytest.mark.parametrize("stop_after", [1, 3, 5, 9, 11])
def test_a_training_that_stopped_anywhere_ends_with_the_same_weights(tmp_path: Path, stop_after: int) -> None:
    """Steps between two states are done again; dropout, the optimiser and the order of samples go on."""
    whole = train(PointTask(), schedule(), "{}", tmp_path / "whole", device=CPU)

    class Stopping(PointTask):
        def loss(self, batch: Any) -> tuple[Any, dict[str, Any]]:
            if len(self.seen) == stop_after:
                raise KeyboardInterrupt
            return super().loss(batch)

    with pytest.raises(KeyboardInterrupt):
        train(Stopping(), schedule(), "{}", tmp_path / "torn", device=CPU)
    resumed = PointTask()
    torn = train(resumed, schedule(), "{}", tmp_path / "torn", device=CPU)
    assert len(resumed.seen) == 12 - stop_after // 3 * 3
    assert same(final(whole.root), final(torn.root))
    assert same(read_weights(whole.best).tensors, read_weights(torn.best).tensors)
    assert without_times(whole) == without_times(torn)


KILLED = """
import sys, time, torch
from pathlib import Path
from tests.training.test_loop import CPU, PointTask, schedule
from animerun_gen.training.loop import train
torch.set_num_threads(1)
class Slow(PointTask):
    def loss(self, batch):
        time.sleep(0.01)
        return super().loss(batch)
train(Slow(), schedule(steps=60, save_every=2), "{}", Path(sys.argv[1]), device=CPU)
"""


def test_a_killed_training_ends_with_the_same_weights(tmp_path: Path) -> None:
    """SIGKILL, as a cluster or a lack of memory sends it, at moments that nothing chooses."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    whole = train(PointTask(), schedule(steps=60, save_every=2), "{}", tmp_path / "whole", device=CPU)
    torch.set_num_threads(threads)
    root = tmp_path / "killed"
    environment = {**os.environ, "PYTHONPATH": str(PROJECT)}
    kills = 0
    for attempt in range(20):
        child = subprocess.Popen([sys.executable, "-c", KILLED, str(root)], env=environment, stderr=subprocess.DEVNULL)
        # the first ones are killed a little later each time after they have begun to write
        began, before = time.monotonic(), (root / "state.pt").stat().st_mtime_ns if (root / "state.pt").exists() else 0
        while kills < 3 and child.poll() is None and time.monotonic() - began < 600:
            time.sleep(0.005)
            if (root / "state.pt").exists() and (root / "state.pt").stat().st_mtime_ns != before:
                time.sleep(0.013 * attempt)
                child.send_signal(signal.SIGKILL)
                break
        kills += child.wait() == -signal.SIGKILL
        if (root / "final.pt").exists():
            break
    assert kills >= 2
    assert same(final(whole.root), final(root))
    assert without_times(whole) == without_times(TrainingFolder(root))
    assert not [path.name for path in root.iterdir() if path.name.startswith(".animerun-part")]


def test_a_finished_training_begins_nothing_again(tmp_path: Path) -> None:
    train(PointTask(), schedule(), "{}", tmp_path, device=CPU)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    again = PointTask()
    train(again, schedule(), "{}", tmp_path, device=CPU)
    assert again.seen == []
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_another_training_cannot_go_on_in_the_folder(tmp_path: Path) -> None:
    train(PointTask(), schedule(), json.dumps({"schedule": {"rate": 0.01}}), tmp_path, device=CPU)
    with pytest.raises(UsageError, match=r"another configuration \(schedule.rate was 0.01 and is 0.02\)"):
        train(PointTask(), schedule(), json.dumps({"schedule": {"rate": 0.02}}), tmp_path, device=CPU)
    with TrainingFolder(tmp_path).held(), pytest.raises(BusyError):
        train(PointTask(), schedule(), "{}", tmp_path, device=CPU)


def test_accumulated_gradients_are_those_of_the_whole_batch(tmp_path: Path) -> None:
    whole, parts = (PointTask(figure=None, dropout=0.0) for _ in range(2))
    train(whole, schedule(batch=8), "{}", tmp_path / "whole", device=CPU)
    train(parts, schedule(batch=2, accumulate=4), "{}", tmp_path / "parts", device=CPU)
    assert torch.equal(torch.cat(whole.seen), torch.cat(parts.seen))
    one, other = final(tmp_path / "whole"), final(tmp_path / "parts")
    assert all(torch.allclose(one[name], other[name], atol=1e-5) for name in one)


def test_worker_processes_change_nothing(tmp_path: Path) -> None:
    for workers in (0, 2):
        train(PointTask(), schedule(), "{}", tmp_path / str(workers), device=CPU, workers=workers)
    assert same(final(tmp_path / "0"), final(tmp_path / "2"))


def test_another_seed_gives_other_weights(tmp_path: Path) -> None:
    for seed in (0, 1):
        train(PointTask(seed), schedule(seed=seed), "{}", tmp_path / str(seed), device=CPU)
    assert not same(final(tmp_path / "0"), final(tmp_path / "1"))


@pytest.mark.parametrize("warm_up", [0.05, 0.3])
def test_the_rate_runs_as_torch_has_it(warm_up: float) -> None:
    wanted = schedule(steps=200, rate=0.003, warm_up=warm_up)
    optimizer = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=1)
    reference = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, 0.003, total_steps=200, pct_start=warm_up, anneal_strategy="linear", cycle_momentum=False
    )
    for step in range(200):
        assert rate_at(wanted, step) == pytest.approx(reference.get_last_lr()[0], rel=1e-9)
        optimizer.step()
        if step < 199:
            reference.step()
    assert rate_at(schedule(shape="constant", rate=0.003), 7) == 0.003
    assert rate_at(schedule(steps=1, rate=0.003), 0) == 0.003


def test_gradients_are_no_longer_than_asked_for(tmp_path: Path) -> None:
    """With plain Adam a clipped gradient changes weights as an unclipped one does; with none left, nothing changes."""
    task = PointTask(figure=None)
    before = {name: value.clone() for name, value in task.network.state_dict().items()}
    train(task, schedule(steps=1, clip=1e-12, epsilon=1e-3), "{}", tmp_path, device=CPU)
    assert all(torch.allclose(before[name], value, atol=1e-9) for name, value in final(tmp_path).items())


def test_a_loss_that_is_no_number_ends_the_training_and_spoils_nothing(tmp_path: Path) -> None:
    class Breaking(PointTask):
        def loss(self, batch: Any) -> tuple[Any, dict[str, Any]]:
            loss, figures = super().loss(batch)
            return (loss * torch.nan if len(self.seen) == 8 else loss), figures

    with pytest.raises(TrainingError, match="the loss of step 8 is no number"):
        train(Breaking(), schedule(), "{}", tmp_path, device=CPU)
    state = TrainingFolder(tmp_path).read_state("{}")
    assert state is not None
    assert state["step"] == 6
    assert all(torch.isfinite(value).all() for value in state["network"].values())


def test_a_torn_line_of_the_log_is_left_out(tmp_path: Path) -> None:
    folder = train(PointTask(), schedule(), "{}", tmp_path, device=CPU)
    wanted = folder.lines()
    with folder.log.open("a") as stream:
        stream.write('{"step": 12, "lo')
    assert folder.lines() == wanted


def test_devices_have_names() -> None:
    assert device_named("cpu") == CPU
    with pytest.raises(UsageError, match="there is no device 'nonsense'"):
        device_named("nonsense")


def test_a_batch_is_moved_whole() -> None:
    batch = {"a": torch.zeros(2), "b": [torch.ones(1), "text"], "c": {"d": 3}}
    found = moved(batch, torch.device("meta"))
    assert found["a"].is_meta
    assert found["b"][0].is_meta
    assert (found["b"][1], found["c"]) == ("text", {"d": 3})


@pytest.mark.parametrize("content", [b"", b"half", None, "text"])
def test_a_damaged_state_is_said_and_kept(tmp_path: Path, content: bytes | str | None) -> None:
    folder = TrainingFolder(tmp_path)
    folder.write_state("{}", {"step": 3})
    if isinstance(content, bytes):
        folder.state.write_bytes(content)
    elif content is None:
        folder.state.write_bytes(folder.state.read_bytes()[:-200])
    else:
        torch.save({"format": "something else", "config": "{}"}, folder.state)
    before = folder.state.read_bytes()
    with pytest.raises(UsageError, match="there is nothing to go on from; delete it to begin from the first step"):
        folder.read_state("{}")
    assert folder.state.read_bytes() == before
