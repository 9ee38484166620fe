"""The figures of a cut's frames and pairs: a file each, in one folder, because many processes make them at once.

At the end of a run they are collected into ``quality/<cut>.json``.  No manifest has a checksum of one of them, so each
carries its own: what is not to the byte what was written counts as missing.
"""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from animerun_gen import __version__
from animerun_gen.config import CutConfig
from animerun_gen.dataset import layout
from animerun_gen.dataset.cameras import Exposed, read_record
from animerun_gen.dataset.checksums import digest_of
from animerun_gen.dataset.files import json_bytes, read_json, read_regular, write_if_changed, write_json
from animerun_gen.errors import DatasetError
from animerun_gen.pipeline.state.ledger import Judged, Ledger
from animerun_gen.pipeline.state.on_disk import mark


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


@dataclass(frozen=True)
class FiguresThere:
    """Which figures of a cut's frames and pairs are on disk.

    Attributes:
        frames: The frames that have some.
        pairs: The earlier frames of the pairs that have.
        damaged: The files that are there and are not what was written.
        judged: What the last collection saw; None where anything changed since, or nothing says.
    """

    frames: frozenset[int]
    pairs: frozenset[int]
    damaged: tuple[Path, ...] = ()
    judged: Judged | None = None


def look_at_figures(ledger: Ledger, config: CutConfig) -> FiguresThere:
    """Look at the figures of a cut; they are only read where the last collection may have seen others."""
    judged = ledger.kept.judged
    if judged is not None and judged.basis == _basis(ledger.output, config):
        return FiguresThere(frozenset(judged.frames), frozenset(judged.pairs), judged=judged)
    damaged: list[Path] = []

    def sound(files: Mapping[int, Path]) -> frozenset[int]:
        lacking = {frame: file for frame, file in files.items() if read_figures(file) is None}
        damaged.extend(file for file in lacking.values() if os.path.lexists(file))
        return frozenset(files.keys() - lacking.keys())

    frames, pairs = sound(frame_files(ledger.output, config)), sound(pair_files(ledger.output, config))
    return FiguresThere(frames, pairs, tuple(damaged))


def collect_quality(
    ledger: Ledger,
    config: CutConfig,
    checks: Mapping[tuple[int, int], dict[str, Any]],
    judged: Judged | None = None,
) -> dict[str, Any]:
    """Write the cut's ``quality/<cut>.json`` from the figures of its frames and pairs that exist.

    Args:
        ledger: Of the cut; takes what this saw.
        config: The cut.
        checks: How the two motion backends differ, from frame to frame, where that was looked at.
        judged: What the last collection saw, where nothing has changed since.

    Returns:
        What was written: the clip's facts, the thresholds, what is beyond them, the figures of frames and pairs, and a
        summary; ``docs/quality.md`` has the meaning of each.

    Raises:
        DatasetError: It cannot be written.
    """
    output = ledger.output
    if judged is not None:
        # a disk may read something else than was written, without the file's times telling
        with suppress(OSError):
            written = read_regular(layout.quality_file(output, config.name))
            if digest_of(written) == judged.quality:
                return dict(json.loads(written))
    # the gate brings the compiled kernels along, which a run with nothing to do need not load
    from animerun_gen.quality.gate import Thresholds, failed_pairs, judge, summarise
    from animerun_gen.quality.held import held_shares

    frames = config.frame_numbers
    found = [read_figures(file) for file in frame_files(output, config).values()]
    frame_figures = [figures for figures in found if figures is not None]
    pairs, files = [], pair_files(output, config)
    for earlier, later in pairwise(frames):
        figures = read_figures(files[earlier])
        if figures is None:
            continue
        both_ways = {"forward": checks.get((earlier, later)), "backward": checks.get((later, earlier))}
        if compared := {direction: check for direction, check in both_ways.items() if check is not None}:
            figures["cross_check"] = compared
        pairs.append(figures)
    thresholds = Thresholds.of(config.quality)
    failures = judge(frame_figures, pairs, thresholds, frames if config.refuses_unknown else None)
    quality = {
        "cut": config.name,
        "split": config.split,
        "frames": [frames[0], frames[-1]],
        "step": config.frames.step,
        "clip_rate": config.clip_rate,
        "resolution": list(config.resolution),
        "bars": thresholds.as_dict(),
        "failures": failures,
        "past_limit": failed_pairs(failures),
        "summary": summarise(frame_figures, pairs),
        "frame_figures": frame_figures,
        "pairs": pairs,
    }
    if config.timing.is_on:
        exposed = [_exposed(output, config.name, frame) for frame in frames]
        quality["timing"] = held_shares(exposed)
        quality["exposures"] = [
            {"frame": frame, "layers": layers}
            for frame, layers in zip(frames, exposed, strict=True)
            if layers is not None
        ]
    write_if_changed(layout.quality_file(output, config.name), quality)
    seen = Judged(
        basis=_basis(output, config),
        frames=tuple(figures["frame"] for figures in frame_figures),
        pairs=tuple(figures["source"] for figures in pairs),
        quality=digest_of(json_bytes(quality)),
    )
    ledger.keep(judged=seen)
    return quality


def _exposed(output: Path, cut: str, frame: int) -> dict[str, Exposed] | None:
    """What a frame shows of the cut's layers; None where nothing sound says so, or nothing is ever held."""
    try:
        exposed = read_record(output, cut, frame).get("exposed")
    except DatasetError:
        return None
    return exposed if isinstance(exposed, dict) else None


def _basis(output: Path, config: CutConfig) -> str:
    """Changes with everything that decides what :func:`collect_quality` writes, and with the file it wrote."""
    settings = config.model_dump(
        mode="json", include={"name", "split", "frames", "frame_rate", "resolution", "quality"}
    )
    if config.timing.is_on:
        settings |= config.model_dump(mode="json", include={"timing"})
    seen = [__version__, json.dumps(settings), str(config.refuses_unknown)]
    with suppress(OSError), os.scandir(layout.figures_folder(output, config.name)) as entries:
        seen += sorted(f"{entry.name} {mark(entry.stat())}" for entry in entries)
    seen.append("")
    with suppress(OSError):
        seen.append(mark(layout.quality_file(output, config.name).stat()))
    return digest_of("\n".join(seen).encode())
