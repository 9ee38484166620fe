"""Finds what was made from something else than it would be made from now, and says what that is.

Whoever waits for it again knows why.
"""

from __future__ import annotations

import copy
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from animerun_gen import __version__
from animerun_gen.config import CutConfig
from animerun_gen.config.messages import and_more, shown
from animerun_gen.dataset import layout
from animerun_gen.dataset.clip import ClipFiles
from animerun_gen.dataset.listing import stages_there
from animerun_gen.errors import DatasetError
from animerun_gen.pipeline.state.fingerprints import STAGES, fingerprints
from animerun_gen.pipeline.state.inputs import InputsNow
from animerun_gen.pipeline.state.ledger import MadeFrom
from animerun_gen.pipeline.state.manifest_file import read_manifest

SHOWN_CHANGES = 4
"""So many changes are named in a sentence."""

SHOWN_INPUTS = 3
"""So many changed files are named in a sentence."""

UNNAMED = "the order of entries in the configuration, or something else that the record does not tell, has changed"

_ABSENT = object()


@dataclass(frozen=True)
class Then:
    """What a cut was made from, and what it is made from now.

    Attributes:
        output: Root folder of the dataset.
        record: What it was made from.
        is_ours: Whether files of its name are this program's.
        config: The cut.
        engine: Version of the Blender that renders now.
        source: SHA-256 that the ``.blend`` has now.
        wanted: By stage, the fingerprint that it has now.
    """

    output: Path
    record: MadeFrom
    is_ours: bool
    config: CutConfig
    engine: str
    source: str
    wanted: Mapping[str, str]

    def outdated(self, stages: Collection[str], now: InputsNow, clips: Collection[ClipFiles]) -> dict[str, str]:
        """The stages that were made from something else, each with the reason.

        Args:
            stages: Those that the run makes and the cut asks for.
            now: The files that the cut is made from.
            clips: The cut's files, in whichever split.

        Raises:
            DatasetError: This program did not make them: what was downloaded, for instance, is not its to clear away.
        """
        there = self._unrecorded(stages, clips)
        redone: dict[str, str] = {}
        for stage in stages:
            had = self.record.fingerprints.get(stage)
            if now.under_way:
                redone[stage] = f"{and_more(now.under_way, SHOWN_INPUTS)} changed while a run was reading it"
            elif now.changed:
                redone[stage] = f"{and_more(now.changed, SHOWN_INPUTS)} changed"
            elif had is not None and had != self.wanted[stage]:
                redone[stage] = self._why(stage)
            elif stage in there:
                redone[stage] = "there is no record of what they were made from"
        return redone

    def _unrecorded(self, stages: Collection[str], clips: Collection[ClipFiles]) -> set[str]:
        """The stages of which there are files, and no record of what they were made from."""
        if self.is_ours and all(stage in self.record.fingerprints for stage in stages):
            return set()
        there: set[str] = set()
        for clip in clips:
            there |= stages_there(clip.root, clip.split, clip.cut).intersection(STAGES)
            if there and not self.is_ours:
                raise DatasetError(
                    f"{clip.root / clip.split} already has a cut of this name from elsewhere",
                    f"cut '{clip.cut}'",
                    "rename the cut, choose another --out, or remove those files",
                )
        return there.intersection(stages) - self.record.fingerprints.keys()

    def require_rendered(self) -> None:
        """Stop where pictures and motion are not there, or were made from something else.

        Raises:
            DatasetError: They were.
        """
        name, output, record = self.config.name, self.output, self.record
        if not record.engine:
            raise never_rendered(name, output)
        for stage in ("pictures", "motion"):
            if record.fingerprints.get(stage) != self.wanted[stage]:
                raise DatasetError(
                    f"its {stage} in {output} {'are' if stage == 'pictures' else 'is'} out of date "
                    f"({self._why(stage)})",
                    f"cut '{name}'",
                    "bring it up to date with 'animerun-gen render' first",
                )

    def _why(self, stage: str) -> str:
        """What has changed of that on which a stage depends, in words; its fingerprint is not the recorded one."""
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

    def _same(self, stage: str) -> bool:
        return self.record.fingerprints.get(stage) == self.wanted[stage]

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
        wanted = self.wanted.get(stage)
        for keys, then, now in _differences(self.record.config, values):
            changed_back = copy.deepcopy(values)
            _put(changed_back, keys, then)
            try:
                before = CutConfig.model_validate(changed_back)
                matters = fingerprints(before, self.engine, self.source).get(stage) != wanted
            except (ValidationError, DatasetError):
                # it goes together with another one that changed, or what it names is gone
                matters = True
            if matters:
                yield f"{'.'.join(keys)} was {_said(then)} and is {_said(now)}"


def never_rendered(cut: str, output: Path) -> DatasetError:
    """Says that nothing of a cut is there that could be worked on without rendering."""
    return DatasetError(
        f"none of it has been rendered into {output}", f"cut '{cut}'", "run 'animerun-gen render' first"
    )


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
