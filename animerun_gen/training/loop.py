"""The loop that every training shares: batches, gradients, the schedule, the log, and going on after a kill.

The state holds everything that decides what comes next, and which samples come follows from the step alone
(``sampling``): a training that was killed at any moment, and begun again, ends with the same weights as one that was
not, bit for bit on a CPU with as many threads, and on the same GPU with ``deterministic``.
"""

from __future__ import annotations

import math
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset

from animerun_gen.errors import AnimerunGenError, UsageError
from animerun_gen.networks.weights import Weights, write_weights
from animerun_gen.progress import Progress
from animerun_gen.training.checkpoints import TrainingFolder
from animerun_gen.training.config import Schedule


class TrainingError(AnimerunGenError):
    """A training cannot go on."""


class Task(Protocol):
    """What is trained on what.

    Attributes:
        kind: The kind of network, as files of weights name it: ``"flow"`` or ``"segments"``.
        network: The network, on the CPU; the loop moves it.
        model: What makes an untrained one like it, as JSON has it.
        samples: The training samples by their numbers, without end (:class:`animerun_gen.training.sampling.Drawn`).
        figure: The figure of the validation by which weights are the best; None: there is no validation.
        larger_is_better: Whether the larger figure is the better one.
    """

    kind: str
    network: nn.Module
    model: Mapping[str, Any]
    samples: Dataset[Any]
    figure: str | None
    larger_is_better: bool

    def collate(self, samples: Sequence[Any]) -> Any:
        """Make a batch of samples."""

    def begin(self) -> None:
        """Set the network to training."""

    def loss(self, batch: Any) -> tuple[torch.Tensor, Mapping[str, torch.Tensor]]:
        """What is to become less.

        Args:
            batch: What ``collate`` made, its tensors on the network's device.

        Returns:
            The loss, a number; and numbers for the log.
        """

    def validate(self) -> Mapping[str, float]:
        """Figures of the network on samples that it is not trained on."""


def train(
    task: Task,
    schedule: Schedule,
    config: str,
    root: Path,
    *,
    device: torch.device | None = None,
    workers: int = 0,
    trained_on: str = "",
) -> TrainingFolder:
    """Train a network, or go on with it where it stopped.

    Args:
        task: What is trained on what; its network is made with the schedule's seed (:func:`seeded`).
        schedule: How long, how fast and how exactly.
        config: All that the training was asked to do, as JSON; another one cannot go on in the same folder.
        root: The folder of its files; see :class:`~animerun_gen.training.checkpoints.TrainingFolder`.
        device: Where to compute; None: on a GPU where there is one.
        workers: Processes that read samples; 0: this one.
        trained_on: What tables say that the weights were trained on.

    Returns:
        The folder, with ``final.pt``.

    Raises:
        BusyError: Another training is writing to the folder.
        UsageError: Another training was begun in the folder.
        TrainingError: The loss is no longer a number.
        DatasetError: A file of a sample is missing or damaged, or the system refuses to write.
    """
    folder = TrainingFolder(root)
    with folder.held(), _exactly(schedule):
        _Run(task, schedule, config, folder, device or default_device(), workers, trained_on).run()
    return folder


def default_device() -> torch.device:
    """A GPU where there is one, else the CPU."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def device_named(name: str) -> torch.device:
    """The device of a name.

    Args:
        name: ``"auto"``, ``"cpu"``, ``"cuda"``, ``"cuda:1"``.

    Raises:
        UsageError: This machine has none of this name.
    """
    if name == "auto":
        return default_device()
    try:
        device = torch.device(name)
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise UsageError(f"there is no device {name!r} ({reason})", remedy="choose cpu, or leave it out") from error
    return device


def seeded(seed: int) -> None:
    """Let torch's random numbers begin with a seed, for a network that is made at random."""
    torch.manual_seed(seed)


@contextmanager
def _exactly(schedule: Schedule) -> Iterator[None]:
    before, benchmark = torch.are_deterministic_algorithms_enabled(), torch.backends.cudnn.benchmark
    # all crops have one size, so that trying ways of computing pays; but which one wins differs from run to run
    torch.backends.cudnn.benchmark = not schedule.deterministic
    if schedule.deterministic:
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
        torch.use_deterministic_algorithms(True, warn_only=True)
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(before)
        torch.backends.cudnn.benchmark = benchmark


def rate_at(schedule: Schedule, step: int) -> float:
    """The learning rate of a step, counted from 0.

    ``one_cycle`` (Smith and Topin, 2019, doi:10.1117/12.2520589) in straight lines: from a 25th of the peak up to it,
    and down to nearly nothing.

    Example:
        >>> schedule = Schedule(steps=101, batch=1, rate=1e-4, warm_up=0.5)
        >>> [f"{rate_at(schedule, step):.1e}" for step in (0, 50, 75, 100)]
        ['4.0e-06', '1.0e-04', '5.0e-05', '4.0e-10']
    """
    if schedule.shape == "constant":
        return schedule.rate
    last = schedule.steps - 1
    top = max(schedule.warm_up * schedule.steps - 1, 0.0)
    begin, end = schedule.rate / 25, schedule.rate / 25e4
    if step <= top:
        return begin + (schedule.rate - begin) * (step / top) if top else schedule.rate
    return schedule.rate + (end - schedule.rate) * ((step - top) / (last - top))


class _Run:
    """One training, from wherever it stands to its end."""

    def __init__(
        self,
        task: Task,
        schedule: Schedule,
        config: str,
        folder: TrainingFolder,
        device: torch.device,
        workers: int,
        trained_on: str,
    ) -> None:
        self.task = task
        self.schedule = schedule
        self.config = config
        self.folder = folder
        self.device = device
        self.workers = workers
        self.trained_on = trained_on
        self.network = task.network.to(device)
        makers = {"adamw": torch.optim.AdamW, "adam": torch.optim.Adam}
        self.optimizer = makers[schedule.optimizer](
            self.network.parameters(), lr=schedule.rate, weight_decay=schedule.decay, eps=schedule.epsilon
        )
        on_gpu = device.type == "cuda"
        self.halved = {"bf16": torch.bfloat16, "fp16": torch.float16}.get(schedule.precision) if on_gpu else None
        self.scaler = torch.amp.GradScaler(device.type, enabled=self.halved is torch.float16)
        self.step = 0
        self.best: float | None = None
        self.recent: dict[str, list[float]] = {}

    def run(self) -> None:
        self._go_on()
        schedule, began = self.schedule, time.monotonic()
        todo = schedule.steps - self.step
        batches = iter(self._batches())
        with Progress(todo, "step", "train") as bar:
            if self.step == 0:
                # what it can do before it is trained
                self._validate()
            self.task.begin()
            for _ in range(todo):
                loss = self._update(batches)
                self.step += 1
                bar.advance(f"loss {loss:.3f}")
                if self.step % schedule.log_every == 0 or self.step == schedule.steps:
                    self._log(time.monotonic() - began)
                if self.step % schedule.validate_every == 0 or self.step == schedule.steps:
                    self._validate()
                if self.step % schedule.save_every == 0 or self.step == schedule.steps:
                    self._save()
        if not self.folder.final.exists():
            self._write(self.folder.final, {})

    def _go_on(self) -> None:
        torch.manual_seed(self.schedule.seed)
        state = self.folder.read_state(self.config)
        if state is not None:
            self.network.load_state_dict(state["network"])
            self.optimizer.load_state_dict(state["optimizer"])
            if self.scaler.is_enabled():
                self.scaler.load_state_dict(state["scaler"])
            torch.set_rng_state(state["random"])
            if self.device.type == "cuda" and "random_gpu" in state:
                torch.cuda.set_rng_state(state["random_gpu"], self.device)
            self.step, self.best, self.recent = state["step"], state["best"], dict(state["recent"])
        self.folder.forget_after(-1 if state is None else self.step)
        if self.step < self.schedule.steps:
            self.folder.final.unlink(missing_ok=True)

    def _batches(self) -> DataLoader[Any]:
        size, per_step = self.schedule.batch, self.schedule.accumulate
        numbers = [
            range(place * size, (place + 1) * size)
            for place in range(self.step * per_step, self.schedule.steps * per_step)
        ]
        return DataLoader(
            self.task.samples,
            batch_sampler=numbers,
            num_workers=self.workers,
            collate_fn=self.task.collate,
            pin_memory=self.device.type == "cuda",
            # its workers' seeds must not use up the random numbers of the network
            generator=torch.Generator(),
        )

    def _update(self, batches: Iterator[Any]) -> float:
        for group in self.optimizer.param_groups:
            group["lr"] = rate_at(self.schedule, self.step)
        self.optimizer.zero_grad(set_to_none=True)
        total, share = 0.0, 1 / self.schedule.accumulate
        for _ in range(self.schedule.accumulate):
            batch = moved(next(batches), self.device)
            with torch.autocast(self.device.type, self.halved, enabled=self.halved is not None):
                loss, figures = self.task.loss(batch)
            self.scaler.scale(loss * share).backward()
            total += float(loss.detach()) * share
            for name, value in figures.items():
                self.recent.setdefault(name, []).append(float(value))
        if not math.isfinite(total):
            raise TrainingError(
                f"the loss of step {self.step + 1} is no number",
                self.folder.root,
                "lower schedule.rate or schedule.clip, or set schedule.precision to full, and choose another --out",
            )
        self.scaler.unscale_(self.optimizer)
        longest = self.schedule.clip if self.schedule.clip is not None else math.inf
        length = float(nn.utils.clip_grad_norm_(self.network.parameters(), longest))
        # the scaler leaves such a step out and halves its factor; without it there is nothing to wait for
        if not math.isfinite(length) and not self.scaler.is_enabled():
            raise TrainingError(
                f"the gradient of step {self.step + 1} is no number",
                self.folder.root,
                "lower schedule.rate, and choose another --out",
            )
        self.scaler.step(self.optimizer)
        self.scaler.update()
        self.recent.setdefault("loss", []).append(total)
        return total

    def _log(self, seconds: float) -> None:
        means = {name: sum(values) / len(values) for name, values in self.recent.items()}
        rate = rate_at(self.schedule, self.step - 1)
        self.folder.note({"step": self.step, **means, "rate": rate, "seconds": round(seconds, 1)})
        self.recent = {}

    def _validate(self) -> None:
        if self.task.figure is None:
            return
        self.network.eval()
        with torch.no_grad():
            figures = dict(self.task.validate())
        self.task.begin()
        self.folder.note({"step": self.step, "validation": figures})
        found = figures[self.task.figure]
        sign = 1 if self.task.larger_is_better else -1
        if self.best is None or sign * found > sign * self.best:
            self.best = found
            self._write(self.folder.best, figures)

    def _write(self, path: Path, figures: Mapping[str, float]) -> None:
        about = {
            "trained_on": self.trained_on,
            "config": self.config,
            "step": self.step,
            "validation": dict(figures),
        }
        tensors = {name: tensor.detach().cpu() for name, tensor in self.network.state_dict().items()}
        write_weights(path, Weights(self.task.kind, self.task.model, about, tensors))

    def _save(self) -> None:
        state: dict[str, Any] = {
            "step": self.step,
            "best": self.best,
            "recent": self.recent,
            "network": self.network.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "random": torch.get_rng_state(),
        }
        if self.scaler.is_enabled():
            state["scaler"] = self.scaler.state_dict()
        if self.device.type == "cuda":
            state["random_gpu"] = torch.cuda.get_rng_state(self.device)
        if self.step == self.schedule.steps:
            self._write(self.folder.final, {})
        self.folder.write_state(self.config, state)


def moved(batch: Any, device: torch.device) -> Any:
    """A batch with its tensors, in mappings and lists too, on a device."""
    if isinstance(batch, torch.Tensor):
        return batch.to(device, non_blocking=True)
    if isinstance(batch, Mapping):
        return {name: moved(value, device) for name, value in batch.items()}
    if isinstance(batch, list):
        return [moved(value, device) for value in batch]
    return batch
