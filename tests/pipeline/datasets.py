"""Small cuts to generate, and ways to look at all files of a dataset at once."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from animerun_gen.config import CutConfig
from animerun_gen.dataset import layout
from animerun_gen.dataset.files import json_bytes
from animerun_gen.dataset.modalities import SPLITS, pass_number
from animerun_gen.engines.blenders import Engine
from animerun_gen.errors import AnimerunGenError
from animerun_gen.pipeline.cut import Cut
from animerun_gen.pipeline.options import Options
from animerun_gen.pipeline.plan import CutPlan, plan_cut
from animerun_gen.pipeline.run import generate
from animerun_gen.pipeline.state.ledger import open_ledger
from animerun_gen.pipeline.summary import CutSummary

STAGE_FOLDERS = {
    "pictures": ("Frame_Anime", "contour", "Flat", "Shade", "Trace", "LineLayer", "Vector", "StyledContour", "LineInk"),
    "motion": (
        "Flow",
        "Valid",
        "ExactOcclusion",
        "Depth",
        "Normal",
        "ObjectId",
        "MaterialId",
        "Tracks",
        "Camera",
        "SceneFlow",
        "Correspondence",
        "Amodal",
        "Gap2",
        "Gap3",
        "Gap4",
        "Gap5",
    ),
    "labels": ("UnmatchedForward", "UnmatchedBackward", "LineArea", "Segment", "SegMatching"),
}


def make_cut(folder: Path, changes: dict[str, Any] | None = None) -> CutConfig:
    """A tiny cut whose source, ``film.blend`` in the folder, is made where it is missing.

    Args:
        folder: Where the source is.
        changes: Keys of the configuration, sections as nested dictionaries, laid over those of the tiny cut.
    """
    source = folder / "film.blend"
    if not source.exists():
        source.write_bytes(b"a film")
    values: dict[str, Any] = {
        "name": "square",
        "source": source,
        "frames": {"first": 1, "last": 5},
        "resolution": [64, 48],
    }
    _lay_over(values, changes or {})
    return CutConfig.model_validate(values)


def _lay_over(values: dict[str, Any], changes: dict[str, Any]) -> None:
    for key, value in copy.deepcopy(changes).items():
        if isinstance(value, dict) and isinstance(values.get(key), dict):
            _lay_over(values[key], value)
        else:
            values[key] = value


def make(
    cuts: CutConfig | Sequence[CutConfig], output: Path, engine: Engine | None, **options: Any
) -> list[CutSummary]:
    """Generate and expect that nothing fails."""
    summaries = generate([cuts] if isinstance(cuts, CutConfig) else cuts, Options(output, engine, **options))
    failures = [failure for summary in summaries for failure in summary.failures]
    if failures:
        raise AnimerunGenError("; ".join(failures))
    return summaries


def id_of(value: object) -> str:
    """Names a parameter of a test alike in all processes that run tests side by side: a set has no order of its own."""
    return str(sorted(value)) if isinstance(value, set) else str(value)


def plan(config: CutConfig, output: Path, engine: Engine) -> CutPlan:
    """The plan of a cut, as a run makes it that renders with such a Blender."""
    return plan_cut(Cut(config, open_ledger(output, config.name)), Options(output, engine))


def edit_ledger(output: Path, cut: str, change: Callable[[dict[str, Any]], object]) -> None:
    """Write something else into the ledger of a cut, as nobody does.

    Args:
        output: Root folder of the dataset.
        cut: Name of the cut.
        change: Changes the content in place.
    """
    file = layout.ledger_file(output, cut)
    kept = json.loads(file.read_bytes())
    change(kept)
    file.write_bytes(json_bytes(kept))


def contents(output: Path) -> dict[str, bytes]:
    """Path below the output to content, of all files but the run's own (logs, lock, what is remembered of files)."""
    found = {name: _lasting(path) for name, path in _files(output).items()}
    return {name: content for name, content in found.items() if content is not None}


def _lasting(path: Path) -> bytes | None:
    """The content of a file; of a ledger, that of the sections that do not depend on when it was written, if any."""
    content = path.read_bytes()
    if path.parent.name != "cuts":
        return content
    try:
        kept = json.loads(content)
        lasting = {name: kept[name] for name in ("made_from", "reading", "camera_marks", "line_figures")}
    except (ValueError, LookupError, TypeError):
        return content
    return json_bytes(lasting) if any(lasting.values()) else None


def times(output: Path, *, ledgers: bool = True) -> dict[str, int]:
    """Path below the output to the nanosecond in which it was written, of the same files.

    Args:
        output: Root folder of the dataset.
        ledgers: Whether the ledgers count, in which a run that fails says why.
    """
    files = _files(output).items()
    return {name: path.stat().st_mtime_ns for name, path in files if ledgers or path.parent.name != "cuts"}


def stage_of(name: str) -> str | None:
    """The stage that made a file, by the folder below the split; None for files outside of the splits."""
    parts = Path(name).parts
    if parts[0] not in SPLITS:
        return None
    if parts[1] == "Frame_Anime" and parts[3] != "original":
        return "recolor"
    if pass_number(parts[1]) is not None:
        return "recolor"
    if parts[1] == "Layers":
        if pass_number(parts[3]) is not None:
            return "recolor"
        return "pictures" if parts[3] in ("Cel", "Contour", "Flat", "Shade") else "motion"
    return next(stage for stage, folders in STAGE_FOLDERS.items() if parts[1] in folders)


def _files(output: Path) -> dict[str, Path]:
    state = output / ".animerun-gen"
    return {
        str(path.relative_to(output)): path
        for path in sorted(output.rglob("*"))
        if path.is_file() and path.parent not in (state, state / "logs")
    }


def clip_counts(output: Path, cut: str) -> tuple[int, int]:
    """How many colour frames and forward flows a cut of the training split has."""
    frames, flows = output / "train" / "Frame_Anime" / cut / "original", output / "train" / "Flow" / cut / "forward"
    return len(list(frames.iterdir())), len(list(flows.iterdir()))
