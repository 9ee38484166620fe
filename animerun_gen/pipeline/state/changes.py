"""Says what has changed since a stage of a cut was made, so that whoever waits for it again knows why."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from animerun_gen import __version__
from animerun_gen.config import CutConfig
from animerun_gen.config.messages import shown
from animerun_gen.dataset import layout
from animerun_gen.errors import DatasetError
from animerun_gen.pipeline.state.fingerprints import fingerprints
from animerun_gen.pipeline.state.ledger import MadeFrom
from animerun_gen.pipeline.state.manifest_file import read_manifest

SHOWN_CHANGES = 4
"""So many changes are named in a sentence."""

UNNAMED = "the order of entries in the configuration, or something else that the record does not tell, has changed"

_ABSENT = object()


@dataclass(frozen=True)
class Then:
    """What a cut was made from, and what it is made from now.

    Attributes:
        output: Root folder of the dataset.
        record: What it was made from.
        config: The cut.
        engine: Version of the Blender that renders now.
        source: SHA-256 that the ``.blend`` has now.
    """

    output: Path
    record: MadeFrom
    config: CutConfig
    engine: str
    source: str

    def why(self, stage: str) -> str:
        """What has changed of that on which a stage depends, in words.

        Args:
            stage: One of :data:`animerun_gen.pipeline.state.fingerprints.STAGES`, whose fingerprint is not the recorded
                one.
        """
        reasons = []
        if self.record.source and self.record.source != self.source:
            before = Path(str(self.record.config.get("source", self.config.source)))
            if before != self.config.source:
                reasons.append(f"source was {before} and is {self.config.source}")
            else:
                reasons.append(f"the film {self.config.source} has changed")
        if self.record.engine and self.record.engine != self.engine:
            reasons.append(f"{self.record.engine} made it, and this is {self.engine}")
        versions = self._programs()
        if versions and __version__ not in versions:
            reasons.append(f"animerun-gen {versions[-1]} made it, and this is {__version__}")
        reasons += self._keys(stage)
        if not reasons and stage == "recolor" and self._same("pictures") and self._same("motion"):
            # nothing else is left of what it depends on
            reasons.append("the palette has changed")
        if not reasons and self.config.timing.sheet is not None:
            reasons.append("the exposure sheet has changed")
        if not reasons:
            return UNNAMED
        more = [f"and {len(reasons) - SHOWN_CHANGES} more"] * (len(reasons) > SHOWN_CHANGES)
        return "; ".join([*reasons[:SHOWN_CHANGES], *more])

    def _now(self, config: CutConfig) -> dict[str, str]:
        return fingerprints(config, self.engine, self.source)

    def _same(self, stage: str) -> bool:
        return self.record.fingerprints.get(stage) == self._now(self.config)[stage]

    def _programs(self) -> list[str]:
        """The versions of this program that made the cut, as its manifest has them."""
        try:
            manifest, _ = read_manifest(layout.manifest_file(self.output, self.config.name))
            return manifest.made_with["animerun_gen"].split(", ")
        # whatever it holds, it does not say that
        except (DatasetError, KeyError):
            return []

    def _keys(self, stage: str) -> Iterator[str]:
        """The keys of the configuration that changed and on which the stage depends, each with both values."""
        values = self.config.model_dump(mode="json")
        wanted = self._now(self.config).get(stage)
        for keys, then, now in _differences(self.record.config, values):
            changed_back = copy.deepcopy(values)
            _put(changed_back, keys, then)
            try:
                matters = self._now(CutConfig.model_validate(changed_back)).get(stage) != wanted
            except (ValidationError, DatasetError):
                # it goes together with another one that changed, or what it names is gone
                matters = True
            if matters:
                yield f"{'.'.join(keys)} was {_said(then)} and is {_said(now)}"


def _differences(
    then: Mapping[str, Any], now: Mapping[str, Any], above: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], Any, Any]]:
    """The innermost keys whose values differ, with both; lists are values."""
    for key in [*now, *(key for key in then if key not in now)]:
        one, other = then.get(key, _ABSENT), now.get(key, _ABSENT)
        if isinstance(one, Mapping) and isinstance(other, Mapping):
            yield from _differences(one, other, (*above, key))
        elif one != other:
            yield (*above, key), one, other


def _put(values: dict[str, Any], keys: tuple[str, ...], value: Any) -> None:
    for key in keys[:-1]:
        values = values[key]
    if value is _ABSENT:
        del values[keys[-1]]
    else:
        values[keys[-1]] = value


def _said(value: Any) -> str:
    return "not set" if value is _ABSENT else shown(value)
