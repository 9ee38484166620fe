"""animerun-gen: 2D-anime-style correspondence datasets from 3D film scenes.

What most programs need can be imported from here; each name is loaded when it is first used, so that whoever only reads
datasets waits for nothing else.

Making a dataset, as ``animerun-gen generate`` does:

    from pathlib import Path
    from animerun_gen import Options, generate, load_cuts

    cuts = [cut.config for cut in load_cuts([Path("configs/toy/courier.yaml")])]
    for summary in generate(cuts, Options(Path("out/python"), workers=2)):
        print(summary.config.name, summary.failures or "complete")

Reading it, checking it and looking at it:

    from animerun_gen import Dataset, build_report, verify_dataset

    clip = Dataset(Path("out/python")).clip("courier")
    flow, valid = clip.read("flow_forward", 3), clip.read("valid_forward", 3)
    assert not any(report.defects for report in verify_dataset(Path("out/python")))
    print(build_report(Path("out/python")).index)

The folders read in the order in which data flows:

``color``     colours as people write them, as pictures hold them, and as the eye compares them
``config``    what a cut asks for (YAML file -> :class:`~animerun_gen.config.CutConfig`)
``blender``   opens the film scene, converts it to 2D style, renders it and takes down its geometry;
              the only package that imports ``bpy``
``motion``    visibility buffers and exact optical flow from that geometry
``lines``     line art from that geometry, lines taken out, and lines over colours
``labels``    occlusion, segments and region matches from pictures and flow
``quality``   figures that say whether a pair of frames can be trusted
``dataset``   the layout on disk, written and read
``report``    pages to look at all of it in a browser
``pipeline``  plans, runs, interrupts and continues all of it; ``cli`` is its face
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from animerun_gen.config.load import LoadedCut, load_cuts
    from animerun_gen.config.model import CutConfig
    from animerun_gen.dataset.clip import ClipFiles, Dataset
    from animerun_gen.dataset.correspondence import MotionBetween
    from animerun_gen.dataset.modalities import MODALITIES, Modality
    from animerun_gen.dataset.strokes import Strokes
    from animerun_gen.dataset.tracks import Tracks
    from animerun_gen.engines.blenders import find_engine
    from animerun_gen.errors import AnimerunGenError, ConfigError, DatasetError, SceneError, UsageError
    from animerun_gen.motion.between import barycentric, flow_between
    from animerun_gen.pipeline.options import Options
    from animerun_gen.pipeline.run import generate
    from animerun_gen.pipeline.state.status import DatasetStatus, read_status
    from animerun_gen.pipeline.summary import CutSummary
    from animerun_gen.report.build import Report, build_report
    from animerun_gen.shot.question import Question
    from animerun_gen.shot.run import inspect_shot
    from animerun_gen.shot.shot import Shot
    from animerun_gen.verify.cut_report import CutReport
    from animerun_gen.verify.findings import Defect

    # "verify" is the name of the package
    from animerun_gen.verify.run import verify as verify_dataset

__version__ = "0.12.0"

__all__ = [
    "MODALITIES",
    "AnimerunGenError",
    "ClipFiles",
    "ConfigError",
    "CutConfig",
    "CutReport",
    "CutSummary",
    "Dataset",
    "DatasetError",
    "DatasetStatus",
    "Defect",
    "LoadedCut",
    "Modality",
    "MotionBetween",
    "Options",
    "Question",
    "Report",
    "SceneError",
    "Shot",
    "Strokes",
    "Tracks",
    "UsageError",
    "barycentric",
    "build_report",
    "find_engine",
    "flow_between",
    "generate",
    "inspect_shot",
    "load_cuts",
    "read_status",
    "verify_dataset",
]

_PLACES = {
    "config.load": ("LoadedCut", "load_cuts"),
    "config.model": ("CutConfig",),
    "dataset.clip": ("ClipFiles", "Dataset"),
    "dataset.correspondence": ("MotionBetween",),
    "dataset.modalities": ("MODALITIES", "Modality"),
    "dataset.strokes": ("Strokes",),
    "dataset.tracks": ("Tracks",),
    "engines.blenders": ("find_engine",),
    "errors": ("AnimerunGenError", "ConfigError", "DatasetError", "SceneError", "UsageError"),
    "motion.between": ("barycentric", "flow_between"),
    "pipeline.options": ("Options",),
    "pipeline.run": ("generate",),
    "pipeline.state.status": ("DatasetStatus", "read_status"),
    "pipeline.summary": ("CutSummary",),
    "report.build": ("Report", "build_report"),
    "shot.question": ("Question",),
    "shot.run": ("inspect_shot",),
    "shot.shot": ("Shot",),
    "verify.cut_report": ("CutReport",),
    "verify.findings": ("Defect",),
    "verify.run": ("verify_dataset",),
}
"""By module, what is offered here of it."""

_HOMES = {name: module for module, names in _PLACES.items() for name in names}
_NAMES_AT_HOME = {"verify_dataset": "verify"}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), _NAMES_AT_HOME.get(name, name))
    # not asked for again
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
