"""The figures of a cut's frames and pairs: a file each, in one folder, because many processes make them at once.

They are collected into ``quality/<cut>.json`` (see :mod:`animerun_gen.pipeline.state.judging`).  No manifest has a
checksum of one of them, so each carries its own: what is not to the byte what was written counts as missing.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from contextlib import suppress
from itertools import pairwise
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from animerun_gen.config import CutConfig
from animerun_gen.dataset import layout
from animerun_gen.dataset.checksums import digest_of
from animerun_gen.dataset.files import json_bytes, read_json, write_json
from animerun_gen.errors import DatasetError


class _Kept(BaseModel):
    """The form of the files: figures, and the SHA-256 of their JSON."""

    model_config = ConfigDict(extra="forbid", strict=True)

    sha256: str
    figures: dict[str, Any]


def write_figures(path: Path, figures: Mapping[str, Any]) -> None:
    """Keep figures for :func:`read_figures`.

    Raises:
        DatasetError: They cannot be written.
    """
    write_json(path, {"sha256": digest_of(json_bytes(figures)), "figures": figures})


def read_figures(path: Path) -> dict[str, Any] | None:
    """Figures that an earlier step wrote; None where there are none, or where they are not what was written."""
    try:
        kept = _Kept.model_validate(read_json(path))
    except (DatasetError, ValidationError):
        return None
    return kept.figures if kept.sha256 == digest_of(json_bytes(kept.figures)) else None


def frame_files(output: Path, config: CutConfig) -> dict[int, Path]:
    """The files of the figures of a cut's frames, whether they are there or not, by frame."""
    folder = layout.figures_folder(output, config.name)
    return {frame: folder / layout.frame_figures_name(frame) for frame in config.frame_numbers}


def pair_files(output: Path, config: CutConfig) -> dict[int, Path]:
    """The same of its pairs, by their earlier frames."""
    folder = layout.figures_folder(output, config.name)
    return {frame: folder / layout.pair_figures_name(frame) for frame in config.frame_numbers[:-1]}


def read_cross_checks(output: Path, config: CutConfig) -> dict[tuple[int, int], dict[str, Any]]:
    """How the two motion backends differ, from frame to frame, in the order of the clip, where that was looked at."""
    folder = layout.figures_folder(output, config.name)
    there: Collection[str] = ()
    with suppress(OSError):
        there = frozenset(os.listdir(folder))
    if not any(map(layout.is_cross_check, there)):
        return {}
    found = {ends: read_figures(folder / name) for ends, name in cross_check_names(config).items() if name in there}
    return {ends: figures for ends, figures in found.items() if figures is not None}


def cross_check_names(config: CutConfig) -> dict[tuple[int, int], str]:
    """Names of the files of comparisons, from frame to frame, in the order of the clip."""
    return {
        (source, target): layout.cross_check_name(source, target)
        for earlier, later in pairwise(config.frame_numbers)
        for source, target in ((earlier, later), (later, earlier))
    }
