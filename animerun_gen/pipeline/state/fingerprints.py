"""Digests of everything that a cut's files depend on, so that a later run redoes what changed, and only that."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from animerun_gen import __version__
from animerun_gen.config import CutConfig
from animerun_gen.config.palette import SHIPPED
from animerun_gen.dataset.checksums import digest_of, file_digest
from animerun_gen.pipeline.samples import sampled_frames, sampled_pairs
from animerun_gen.pipeline.state.films import input_digest

STAGES = ("pictures", "motion", "labels", "recolor")
"""The stages of a cut; pictures and motion are made from the scene, the others from both of these."""


@dataclass(frozen=True)
class _NamedFiles:
    """SHA-256 of the files that a configuration names besides the film: their content counts, wherever they lie.

    Attributes:
        sheet: The exposure sheet; None where there is none.
        shade_palette: The palette of the shade; None where there is none.
        palette: That of the colour passes; None where none are made.
    """

    sheet: str | None
    shade_palette: str | None
    palette: str | None

    @classmethod
    def of(cls, config: CutConfig) -> Self:
        """Read those that have a say in what is made."""
        return cls(
            sheet=_digest_of(config.timing.sheet if config.timing.is_on else None),
            shade_palette=_digest_of(config.style.shade.palette if config.style.shade.is_on else None),
            palette=_digest_of((config.recolor.palette or SHIPPED) if config.recolor.passes else None),
        )


def _digest_of(file: Path | None) -> str | None:
    return None if file is None else file_digest(file)


def fingerprints(config: CutConfig, engine: str, source: str) -> dict[str, str]:
    """Digests of what each stage's files depend on.

    Frame numbers are no part of them, because each file stands for itself, with one exception: colours are read from
    the shaders at the clip's first frame.  Nor are the companions of the motion: a file of theirs is there or missing.
    Colour passes, however, are designed for the clip as a whole, so they depend on all its frames' numbers, and on the
    cut's name, by which the files are found anyway.

    Args:
        config: The cut.
        engine: Version of Blender.
        source: SHA-256 of the ``.blend``.

    Returns:
        Stage to digest, without ``"recolor"`` where there are no passes; ``"figures"`` stands for those of the quality
        gate, which also depend on what there is to hold the labels against: companions, and samples of the clip.

    Raises:
        DatasetError: The palette of the colour passes, or of the shade, or the exposure sheet, cannot be read.
    """
    named = _NamedFiles.of(config)
    scene = _scene(config, engine, source)
    layers = [*_timing(config, named.sheet), *_layers(config)]
    pictures = _digest(scene, _looks(config, named.shade_palette), *layers)
    motion = _digest(
        scene,
        config.model_dump(mode="json", include={"motion": {"backend", "background"}}),
        {"step": config.frames.step, "fills_unknown": config.fills_unknown},
        *layers,
    )
    labelled = config.model_dump(mode="json", include={"labels"})
    if config.labels.segment_by == "lines":
        # as it was before there was a choice, so that older datasets stand
        del labelled["labels"]["segment_by"]
    # the plain form, which datasets had before there was another one, changes nothing
    form = [config.dataset.compression] if config.dataset.compressed else []
    labels = _digest(pictures, motion, labelled, *form)
    known = sorted({"ids", "exact_occlusion"} & set(config.motion.extras))
    sampled = [sampled_frames(config), sampled_pairs(config)]
    found = {"pictures": pictures, "motion": motion, "labels": labels, "figures": _digest(labels, known, sampled)}
    if config.recolor.passes:
        choices = config.model_dump(mode="json", include={"seed": True, "recolor": {"keep"}})
        # what only cels show gets a colour, too
        cels = ["cels"] if config.layers.passes else []
        found["recolor"] = _digest(pictures, motion, choices, config.frame_numbers, named.palette, *cels)
    return found


def scene_digest(config: CutConfig, engine: str) -> str:
    """Digest of everything that decides now what scene a cut's first frame is rendered from.

    Args:
        config: The cut.
        engine: Version of Blender.

    Returns:
        The digest.

    Raises:
        DatasetError: The ``.blend`` cannot be read.
    """
    return _digest(_scene(config, engine, input_digest(config.source, required=True)))


def memory_digest(config: CutConfig, engine: str, source: str, cross_check: bool) -> str:
    """Digest of everything that decides what a Blender needs of the memory to render a cut.

    Args:
        config: The cut.
        engine: Version of Blender.
        source: SHA-256 of the ``.blend``.
        cross_check: Whether the two motion backends are compared.

    Raises:
        DatasetError: The exposure sheet cannot be read.
    """
    return _digest(
        _scene(config, engine, source),
        config.model_dump(mode="json", include={"lines", "motion"}),
        cross_check,
        *(["shade"] if config.style.shade.is_on else []),
        *_layers(config),
        *_timing(config, _NamedFiles.of(config).sheet),
    )


def _scene(config: CutConfig, engine: str, source: str) -> dict[str, Any]:
    """What pictures and motion alike depend on."""
    return {
        "project": __version__,
        "engine": engine,
        "source": source,
        **config.model_dump(
            mode="json",
            include={
                "scene",
                "view_layer",
                "camera",
                "trust_scripts",
                "frame_rate",
                "resolution",
                "recenter",
                "remove",
                "keep",
                "hair",
                "particles",
                "grease_pencil",
                "transparency",
                "camera_motion",
            },
        ),
        "first": config.frames.first,
        # the same number of a file then means another frame of the film
        "offset": config.frames.offset,
    }


def _looks(config: CutConfig, palette: str | None) -> dict[str, Any]:
    """What only pictures depend on."""
    looks = config.model_dump(mode="json", include={"style", "lines"})
    lines = looks["lines"]
    # what was made before there were kinds and styles stands where none is asked for
    if not config.lines.kinds:
        del lines["kinds"]
        if not config.lines.shade_border:
            del lines["shade_border"]
    style = lines.pop("style")
    if config.lines.style.is_on:
        lines["style"] = style | {"seed": config.seed}
    shade = looks["style"].pop("shade")
    # strokes are there or missing, and change no other file
    del looks["lines"]["vector"]
    if config.style.shade.is_on:
        looks["shade"] = shade | {"palette": palette}
    return looks


def _timing(config: CutConfig, sheet: str | None) -> list[object]:
    """What pictures and motion depend on where layers are held at other frames than their own."""
    if not config.timing.is_on:
        return []
    timing = config.model_dump(mode="json", include={"timing": True, "layers": {"groups"}})
    timing["timing"]["sheet"] = sheet
    return [timing, config.frames.step]


def _layers(config: CutConfig) -> list[object]:
    """What pictures and motion depend on where layers are written; nothing where they are not."""
    # cels in other colours are there or missing, and change no file of these stages
    return [config.model_dump(mode="json", include={"layers": {"groups", "write"}})] if config.layers.write else []


def _digest(*parts: object) -> str:
    # unsorted: of two overrides that match, the one written first counts
    text = json.dumps(parts)
    return digest_of(text.encode())
