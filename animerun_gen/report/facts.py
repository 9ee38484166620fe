"""What is known about a cut besides its pictures: what is on disk, its quality figures, what it was made from."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from pydantic import ValidationError

from animerun_gen.config.messages import spans
from animerun_gen.config.model import SET_LAYER, Lines
from animerun_gen.dataset import MODALITIES, ClipFiles, Modality, enabled_modalities, layout, read_json
from animerun_gen.dataset.modalities import LAYERS_FOLDER, is_layer_name
from animerun_gen.errors import DatasetError
from animerun_gen.pipeline.state.ledger import read_ledger
from animerun_gen.pipeline.state.manifest_file import (
    Manifest,
    Source,
    base_name,
    inputs_without_folders,
    notes_without_folders,
    read_manifest,
    without_folders,
)

CREDITS = {"license": "licence", "author": "author", "attribution": "attribution", "source_url": "from"}
"""Keys of the configuration that say whose the film is, and what the pages call them."""

PAIR_ENDS = ("source", "target")
HELD_SHARES = ("pairs", "pixels")
"""Of what a quality file says how much a layer is held."""

NAMED_FRAMES = 12
"""So many spans of missing frames are named in one sentence."""


GAP = re.compile(r"[2-9]|[1-9][0-9]{1,5}", re.ASCII)
"""How a folder writes how far apart the frames of a pair are, where they are not neighbours."""


@dataclass(frozen=True)
class CutFacts:
    """A cut as its pages need it.

    Attributes:
        clip: Its files.
        frames: Numbers of its frames, ascending.
        resolution: Width and height of the frames.
        missing: What should be on disk and is not, in sentences.
        absent: Kinds of files of which there is none and none was asked for, by name.
        quality: Content of ``quality/<cut>.json``; empty where it cannot be had.
        remarks: What else a reader should know, in sentences.
        config: The resolved configuration; empty where it is unknown.
        versions: Name to version of what made it; empty where that is unknown.
        inputs: Source, libraries and images, path to SHA-256; empty where they are unknown.
        notes: What opening and converting the scene had to say.
        origin: File below the dataset that the last four come from; empty where there is none.
        layers: The names of the layers that are written each alone.
        layer_gaps: How many frames apart the frames are between which their motion has files, 1 among them; ascending.
    """

    clip: ClipFiles
    frames: tuple[int, ...]
    resolution: tuple[int, int]
    missing: list[str] = field(default_factory=list)
    absent: list[str] = field(default_factory=list)
    quality: dict[str, Any] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)
    config: dict[str, Any] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)
    inputs: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    origin: str = ""
    layers: tuple[str, ...] = ()
    layer_gaps: tuple[int, ...] = (1,)

    @property
    def clip_rate(self) -> float | None:
        """Frames a second of the clip, where that is known."""
        rate = self.quality.get("clip_rate")
        return float(rate) if isinstance(rate, int | float) and 0 < rate < math.inf else None


def collect_facts(clip: ClipFiles) -> CutFacts:
    """Look at a cut.

    Raises:
        DatasetError: It has no frames, or none that can be read.
    """
    frames = clip.frame_numbers
    remarks: list[str] = []
    quality = _read_quality(clip, frames, remarks)
    made = _read_origin(clip)
    missing, absent = _missing(clip, made.get("config", {}))
    layers = _layers(clip, remarks)
    return CutFacts(
        clip=clip,
        frames=frames,
        resolution=_resolution(clip, frames),
        missing=missing,
        absent=absent,
        quality=quality,
        remarks=remarks,
        layers=layers,
        layer_gaps=_layer_gaps(clip, layers),
        **made,
    )


def _layers(clip: ClipFiles, remarks: list[str]) -> tuple[str, ...]:
    try:
        return clip.layers
    except DatasetError as error:
        remarks.append(f"No layers are shown: {error.below(clip.root)}.")
        return ()


def _layer_gaps(clip: ClipFiles, layers: Sequence[str]) -> tuple[int, ...]:
    """How many frames apart the frames are between which the motion of layers has files, 1 among them; ascending."""
    found = {1}
    for layer in layers:
        for folder in (clip.root / clip.split / LAYERS_FOLDER / layer).glob("Gap*"):
            number = folder.name.removeprefix("Gap")
            if GAP.fullmatch(number) is None:
                continue
            motion = [f"flow_{way}_gap{number}@{layer}" for way in ("forward", "backward")]
            if any(clip.has(name, frame) for name in motion for frame in clip.frame_numbers):
                found.add(int(number))
    return tuple(sorted(found))


def _resolution(clip: ClipFiles, frames: Sequence[int]) -> tuple[int, int]:
    """Width and height of the first frame that can be read."""
    problem: DatasetError | None = None
    for frame in frames:
        try:
            height, width = clip.read("frame", frame).shape[:2]
            return width, height
        except DatasetError as error:
            problem = problem or error
    raise DatasetError(
        f"no frame can be read; the first one: {problem}", f"cut '{clip.cut}'", "make it again, or download it again"
    )


def _read_quality(clip: ClipFiles, frames: Sequence[int], remarks: list[str]) -> dict[str, Any]:
    """The cut's quality file, cleaned of everything that is not what it should be."""
    path = layout.quality_file(clip.root, clip.cut)
    name = path.relative_to(clip.root).as_posix()
    if not path.is_file():
        remarks.append(f"There is no {name}, so no figures are shown and nothing was judged.")
        return {}
    try:
        quality = read_json(path)
    except DatasetError as error:
        remarks.append(f"No figures are shown: {error.below(clip.root)}.")
        return {}
    if not isinstance(quality, dict):
        remarks.append(f"No figures are shown: {name} has no table of figures.")
        return {}
    pairs = [pair for pair in _dicts(quality.get("pairs")) if all(_is_number(pair.get(key)) for key in PAIR_ENDS)]
    quality["pairs"] = pairs
    quality["frame_figures"] = [one for one in _dicts(quality.get("frame_figures")) if _is_number(one.get("frame"))]
    quality["exposures"] = _exposures(quality.get("exposures"))
    quality["timing"] = {
        str(name): {kind: share if _is_number(share := _dict(shares).get(kind)) else None for kind in HELD_SHARES}
        for name, shares in _dict(quality.get("timing")).items()
    }
    judged = {(pair["source"], pair.get("target")) for pair in pairs}
    unjudged = [f"{a}-{b}" for a, b in pairwise(frames) if (a, b) not in judged]
    if unjudged:
        shown = ", ".join(unjudged[:NAMED_FRAMES]) + (", ..." if len(unjudged) > NAMED_FRAMES else "")
        remarks.append(
            f"{name} has no figures of {len(unjudged)} of {len(frames) - 1} pairs of neighbouring frames: {shown}."
        )
    return quality


def _exposures(rows: Any) -> list[dict[str, Any]]:
    """Of each frame, by layer, which frame of the film it shows, and the share of the picture that shows it."""
    found = []
    for row in _dicts(rows):
        layers = {
            str(name): {"film_frame": shown["film_frame"], "share": shown.get("share")}
            for name, shown in _dict(row.get("layers")).items()
            if type(_dict(shown).get("film_frame")) is int
        }
        if type(row.get("frame")) is int:
            found.append({"frame": row["frame"], "layers": layers})
    return found


def _read_origin(clip: ClipFiles) -> dict[str, Any]:
    """Configuration, versions, inputs and notes, from whichever file has them."""
    file = layout.manifest_file(clip.root, clip.cut)
    try:
        manifest, _ = read_manifest(file)
    except DatasetError:
        made_from = read_ledger(clip.root, clip.cut).origin
        if not made_from.config:
            return {}
        file = layout.ledger_file(clip.root, clip.cut)
        manifest = Manifest(
            made_with={"engine": made_from.engine or "unknown"},
            source=Source(path=str(made_from.config.get("source") or ""), sha256=made_from.source),
            inputs=made_from.inputs,
            config=made_from.config,
            notes=made_from.notes,
        )
    source = manifest.source
    film = {base_name(source.path): source.sha256 or "unknown"} if source.path else {}
    return {
        # pages are shown to others
        "config": without_folders(manifest.config),
        "versions": manifest.made_with,
        "inputs": film | inputs_without_folders(manifest.inputs),
        "notes": list(notes_without_folders(manifest.notes, manifest.config)),
        "origin": file.relative_to(clip.root).as_posix(),
    }


def _missing(clip: ClipFiles, config: Mapping[str, Any]) -> tuple[list[str], list[str]]:
    """What is missing in sentences, and the kinds of files that are not there at all and need not be."""
    missing, absent = [], []
    wanted = _wanted_frames(config)
    if wanted:
        unmade = [frame for frame in wanted if frame not in clip.frame_numbers]
        if unmade:
            missing.append(
                f"{len(unmade)} of the {len(wanted)} frames that the configuration asks for are not there: "
                f"{spans(unmade, wanted, NAMED_FRAMES)}."
            )
    wanted_kinds = _wanted_kinds(config)
    for kind in dict.fromkeys((*MODALITIES, *wanted_kinds)):
        if kind.kind == "clip":
            # the one file of the clip
            frames: tuple[int, ...] = ()
            lacking = [] if kind.clip_path(clip.root, clip.split, clip.cut).is_file() else [0]
        else:
            frames = clip.frames(kind.name)
            lacking = [frame for frame in frames if not clip.has(kind.name, frame)]
        if not lacking:
            continue
        if len(lacking) >= len(frames) and kind not in wanted_kinds:
            # without a configuration only a kind that is there in part is known to be wanted
            absent.append(kind.name)
        else:
            of = "" if len(lacking) >= len(frames) else f" for {_count(lacking)} {spans(lacking, frames, NAMED_FRAMES)}"
            missing.append(f"{kind.name} ({kind.folder.format(cut=clip.cut)}) is missing{of}.")
    return missing, absent


def _wanted_kinds(config: Mapping[str, Any]) -> tuple[Modality, ...]:
    """The modalities that a configuration asks for; none where it is unknown."""
    if not config:
        return ()
    motion = _dict(config.get("motion"))
    extras = [str(extra) for extra in _list(motion.get("extras"))]
    gaps = [gap for gap in _list(motion.get("gaps")) if type(gap) is int and gap > 0]
    tracks = motion.get("tracks")
    passes = _dict(config.get("recolor")).get("passes")
    shade = _dict(_dict(config.get("style")).get("shade")).get("tones") in (2, 3)
    known = [number if type(number) is int and number > 0 else 0 for number in (tracks, passes)]
    return enabled_modalities(
        extras,
        gaps,
        known[0],
        min(known[1], 99),
        shade=shade,
        switches=_line_switches(_dict(config.get("lines"))),
        layers=_written_layers(config),
        layer_passes=_dict(config.get("layers")).get("passes") is True,
    )


def _line_switches(lines: Mapping[str, Any]) -> tuple[str, ...]:
    """The settings of a cut's lines by which files of their own are made; none where they cannot be read."""
    try:
        return Lines.model_validate_json(json.dumps(lines)).switches
    except (ValidationError, TypeError, ValueError):
        return ()


def _written_layers(config: Mapping[str, Any]) -> tuple[str, ...]:
    """The layers that a configuration has written."""
    layers = _dict(config.get("layers"))
    if layers.get("write") is not True:
        return ()
    groups = [str(name) for name in _dict(layers.get("groups"))]
    return (SET_LAYER, *(name for name in groups if is_layer_name(name)))


def _count(frames: Sequence[int]) -> str:
    return "frame" if len(frames) == 1 else f"{len(frames)} frames:"


def _wanted_frames(config: Mapping[str, Any]) -> list[int]:
    frames = _dict(config.get("frames"))
    first, last, step = (frames.get(key) for key in ("first", "last", "step"))
    if not (isinstance(first, int) and isinstance(last, int) and isinstance(step, int) and step > 0):
        return []
    return list(range(first, last + 1, step))


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _dicts(value: Any) -> list[dict[str, Any]]:
    return [one for one in _list(value) if isinstance(one, dict)]
