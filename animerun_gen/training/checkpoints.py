"""The files of a training: its state, from which it goes on, its weights, and its log."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from animerun_gen.dataset.files import refused, remove_stale_temporaries, written_aside
from animerun_gen.errors import BusyError, UsageError
from animerun_gen.networks.weights import read_tensors

STATE_FORMAT = "animerun_gen training 1"


@dataclass(frozen=True)
class TrainingFolder:
    """The folder of a training.

    Attributes:
        root: The folder.
    """

    root: Path

    @property
    def state(self) -> Path:
        """All that a training needs to go on."""
        return self.root / "state.pt"

    @property
    def best(self) -> Path:
        """The weights that were best in validation."""
        return self.root / "best.pt"

    @property
    def final(self) -> Path:
        """The weights at the end."""
        return self.root / "final.pt"

    @property
    def log(self) -> Path:
        """Means of the losses and figures of the validation, a JSON object a line."""
        return self.root / "log.jsonl"

    @contextmanager
    def held(self) -> Iterator[None]:
        """Keep other trainings out of the folder, which is made where it is missing.

        Raises:
            BusyError: Another one is writing to it.
            DatasetError: The system refuses.
        """
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(self.root / ".lock", os.O_RDWR | os.O_CREAT, 0o644)
        except OSError as error:
            raise refused("cannot be written", self.root, error) from error
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                remedy = "wait for it to end, or choose another folder"
                raise BusyError("is being written to by another training", self.root, remedy) from error
            remove_stale_temporaries(self.root)
            yield
        finally:
            os.close(descriptor)

    def write_state(self, config: str, content: Mapping[str, Any]) -> None:
        """Write the state of a training; the old one stays until the new one is complete.

        Args:
            config: What the training was asked to do.
            content: Tensors, numbers, texts, lists and mappings.

        Raises:
            DatasetError: The system refuses.
        """
        with written_aside(self.state) as aside:
            torch.save({"format": STATE_FORMAT, "config": config, **content}, aside)

    def read_state(self, config: str) -> Mapping[str, Any] | None:
        """The state from which a training goes on; None where nothing was begun.

        Args:
            config: What the training is asked to do.

        Raises:
            UsageError: Another training was begun in the folder.
        """
        if not self.state.exists():
            return None
        try:
            content = read_tensors(self.state)
            if content["format"] != STATE_FORMAT:
                raise ValueError
            begun = json.loads(content["config"])
        except (UsageError, KeyError, ValueError, TypeError) as error:
            remedy = "delete it to begin from the first step, or choose another --out"
            raise UsageError(
                "is damaged or no state of a training, so there is nothing to go on from", self.state, remedy
            ) from error
        if content["config"] != config:
            differing = _differing(begun, json.loads(config))
            raise UsageError(
                f"was begun with another configuration ({differing})",
                self.root,
                "choose another --out, or the configuration that it was begun with",
            )
        return content

    def note(self, line: Mapping[str, Any]) -> None:
        """Add a line to the log."""
        with self.log.open("a", encoding="utf-8") as stream:
            stream.write(json.dumps(line) + "\n")

    def lines(self) -> list[dict[str, Any]]:
        """The lines of the log; one that a killed training did not finish is left out."""
        try:
            texts = self.log.read_text(encoding="utf-8").splitlines()
        except FileNotFoundError:
            return []
        except OSError as error:
            raise refused("cannot be read", self.log, error) from error
        found = []
        for text in texts:
            try:
                line = json.loads(text)
            except ValueError:
                continue
            if isinstance(line, dict) and "step" in line:
                found.append(line)
        return found

    def forget_after(self, step: int) -> None:
        """Take out of the log what a killed training did after the state from which it goes on.

        Raises:
            DatasetError: The system refuses.
        """
        kept = [line for line in self.lines() if line["step"] <= step]
        with written_aside(self.log) as aside:
            aside.write_text("".join(json.dumps(line) + "\n" for line in kept), encoding="utf-8")


def _differing(old: Any, new: Any, key: str = "") -> str:
    """Which key of two configurations differs first, and how."""
    if isinstance(old, dict) and isinstance(new, dict):
        for name in {**old, **new}:
            if old.get(name) != new.get(name):
                return _differing(old.get(name), new.get(name), f"{key}.{name}" if key else name)
    return f"{key} was {json.dumps(old)} and is {json.dumps(new)}"
