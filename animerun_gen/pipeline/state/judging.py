"""Collects the quality figures of a cut, which its labelling left in a file for each frame and pair."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

from animerun_gen import __version__
from animerun_gen.config import CutConfig
from animerun_gen.dataset import layout
from animerun_gen.dataset.files import json_bytes, read_json, read_regular, write_json
from animerun_gen.errors import DatasetError
from animerun_gen.pipeline.state.on_disk import mark
from animerun_gen.pipeline.state.record import write_if_changed


@dataclass(frozen=True)
class Judged:
    """What the last collection saw, so that a run with nothing to do reads none of the files again.

    Attributes:
        basis: Stands for everything that the collection depends on, and for the file that it wrote.
        frames: The frames that have figures.
        pairs: The earlier frames of the pairs that have figures.
        quality: SHA-256 of the file that it wrote.
    """

    basis: str = ""
    frames: frozenset[int] = field(default_factory=frozenset)
    pairs: frozenset[int] = field(default_factory=frozenset)
    quality: str = ""

    @classmethod
    def current(cls, output: Path, config: CutConfig) -> Judged | None:
        """What the last collection saw; None where anything changed since, or nothing says."""
        try:
            data = read_json(layout.judged_file(output, config.name))
            judged = cls(data["basis"], frozenset(data["frames"]), frozenset(data["pairs"]), data["quality"])
        # whatever it holds, the figures themselves can be read
        except (DatasetError, KeyError, TypeError):
            return None
        return judged if judged.basis == _basis(output, config) else None

    def write(self, output: Path, config: CutConfig) -> None:
        """Keep it.

        Raises:
            DatasetError: It cannot be written.
        """
        data = {
            "basis": self.basis,
            "frames": sorted(self.frames),
            "pairs": sorted(self.pairs),
            "quality": self.quality,
        }
        write_json(layout.judged_file(output, config.name), data)


def figures_there(output: Path, config: CutConfig) -> tuple[frozenset[int], frozenset[int]]:
    """The frames of a clip that have quality figures, and the earlier frames of the pairs that have."""
    judged = Judged.current(output, config)
    if judged is not None:
        return judged.frames, judged.pairs
    frames = config.frame_numbers
    return (
        frozenset(n for n in frames if read_figures(layout.frame_figures_file(output, config.name, n)) is not None),
        frozenset(n for n in frames[:-1] if read_figures(layout.figures_file(output, config.name, n)) is not None),
    )


def collect_quality(output: Path, config: CutConfig) -> dict[str, Any]:
    """Write the cut's ``quality/<cut>.json`` from the figures of its frames and pairs that exist.

    Args:
        output: Root folder of the dataset.
        config: The cut.

    Returns:
        What was written: the clip's facts, the bars, what is past them, the figures of frames and pairs, and a summary;
        ``docs/quality.md`` has the meaning of each.

    Raises:
        DatasetError: It cannot be written.
    """
    judged = Judged.current(output, config)
    if judged is not None:
        # a disk may read something else than was written, without the file's times telling
        with suppress(OSError):
            written = read_regular(layout.quality_file(output, config.name))
            if hashlib.sha256(written).hexdigest() == judged.quality:
                return dict(json.loads(written))
    # the gate brings the compiled kernels along, which a run with nothing to do need not load
    from animerun_gen.quality.gate import Bars, failed_pairs, judge, summarise

    frames = config.frame_numbers
    found = [read_figures(layout.frame_figures_file(output, config.name, frame)) for frame in frames]
    frame_figures = [figures for figures in found if figures is not None]
    checks = read_cross_checks(output, config)
    pairs = []
    for earlier, later in pairwise(frames):
        figures = read_figures(layout.figures_file(output, config.name, earlier))
        if figures is None:
            continue
        both_ways = {"forward": checks.get((earlier, later)), "backward": checks.get((later, earlier))}
        if compared := {direction: check for direction, check in both_ways.items() if check is not None}:
            figures["cross_check"] = compared
        pairs.append(figures)
    bars = Bars.of(config.quality)
    failures = judge(frame_figures, pairs, bars)
    quality = {
        "cut": config.name,
        "split": config.split,
        "frames": [frames[0], frames[-1]],
        "step": config.frames.step,
        "clip_rate": config.clip_rate,
        "resolution": list(config.resolution),
        "bars": bars.as_dict(),
        "failures": failures,
        "past_limit": failed_pairs(failures),
        "summary": summarise(frame_figures, pairs),
        "frame_figures": frame_figures,
        "pairs": pairs,
    }
    write_if_changed(layout.quality_file(output, config.name), quality)
    Judged(
        _basis(output, config),
        frozenset(figures["frame"] for figures in frame_figures),
        frozenset(figures["source"] for figures in pairs),
        _digest(quality),
    ).write(output, config)
    return quality


def write_figures(path: Path, figures: Mapping[str, Any]) -> None:
    """Keep figures for :func:`read_figures`, with a checksum: no manifest has one of them.

    Raises:
        DatasetError: They cannot be written.
    """
    write_json(path, {"sha256": _digest(figures), "figures": figures})


def read_figures(path: Path) -> dict[str, Any] | None:
    """Figures that an earlier step wrote; None where there are none, or where they are not what was written."""
    try:
        kept = read_json(path)
    except DatasetError:
        return None
    if not isinstance(kept, dict) or kept.keys() != {"sha256", "figures"}:
        return None
    figures = kept["figures"]
    return figures if isinstance(figures, dict) and kept["sha256"] == _digest(figures) else None


def damaged_figures(output: Path, config: CutConfig) -> list[Path]:
    """The files of a cut's figures that are there and are not what was written."""
    if Judged.current(output, config) is not None:
        return []
    name = config.name
    files = [
        *(layout.frame_figures_file(output, name, frame) for frame in config.frame_numbers),
        *(layout.figures_file(output, name, frame) for frame in config.frame_numbers[:-1]),
    ]
    return [file for file in files if os.path.lexists(file) and read_figures(file) is None]


def _digest(figures: Mapping[str, Any]) -> str:
    return hashlib.sha256(json_bytes(figures)).hexdigest()


def read_cross_checks(output: Path, config: CutConfig) -> dict[tuple[int, int], dict[str, Any]]:
    """How the two motion backends differ, from frame to frame, in the order of the clip, where that was looked at."""
    checks: dict[tuple[int, int], dict[str, Any]] = {}
    if not layout.cross_check_folder(output, config.name).is_dir():
        return checks
    for earlier, later in pairwise(config.frame_numbers):
        for source, target in ((earlier, later), (later, earlier)):
            check = read_figures(layout.cross_check_file(output, config.name, source, target))
            if check is not None:
                checks[source, target] = check
    return checks


def _basis(output: Path, config: CutConfig) -> str:
    """Changes with everything that decides what :func:`collect_quality` writes, and with the file it wrote."""
    settings = config.model_dump(
        mode="json", include={"name", "split", "frames", "frame_rate", "resolution", "quality"}
    )
    seen = [__version__, json.dumps(settings)]
    for folder in (
        layout.frame_figures_folder(output, config.name),
        layout.figures_folder(output, config.name),
        layout.cross_check_folder(output, config.name),
    ):
        with suppress(OSError), os.scandir(folder) as entries:
            seen += sorted(f"{entry.name} {mark(entry.stat())}" for entry in entries)
        seen.append("")
    with suppress(OSError):
        seen.append(mark(layout.quality_file(output, config.name).stat()))
    return hashlib.sha256("\n".join(seen).encode()).hexdigest()
