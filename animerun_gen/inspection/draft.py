"""A first configuration of a shot in which every automatic decision stands explicitly, with its reason."""

from __future__ import annotations

import glob
import os
import re
from pathlib import Path

from animerun_gen.config.model import is_safe_name
from animerun_gen.config.words import named, patterns_for, written
from animerun_gen.inspection.findings import (
    MISSING_KINDS,
    describe_distance,
    findings,
    freestyle_cost,
    is_large,
    listed,
    listed_marks,
    looked_through,
    quoted,
    removed_alike,
    wants_freestyle,
    wants_textures,
)
from animerun_gen.inspection.shot import Shot
from animerun_gen.inspection.survey import held_step

WIDTH = 116
"""Comments are broken at this column."""

_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")

HELD_TOPICS = ("file", "picture", "drivers", "simulation", "topology", "comes and goes", "cost", "display")
"""Findings that no key of the draft decides; they stand at its head."""


def draft(shot: Shot, target: Path, name: str) -> str:
    """Write the configuration.

    Args:
        shot: The facts.
        target: Where the YAML file will lie: the path of the source is relative to it.
        name: Name of the cut.

    Returns:
        The text of the YAML file.
    """
    lines = _comment(
        f"A first draft for {Path(shot.source).name}, made by animerun-gen init. Every decision that was made "
        "automatically stands here with its reason: change what you do not like. docs/configuration.md has every key."
    )
    for finding in findings(shot):
        if finding.topic in HELD_TOPICS:
            lines += _comment(f"{finding.topic}: {finding.found}: {finding.action}")
    lines += _missing(shot)
    lines += [
        "",
        f"name: {written(name)}",
        f"source: {written(_relative(Path(shot.source), target))}",
    ]
    if len(shot.scenes) > 1:
        lines += [*_comment(f"the file has the scenes {quoted(shot.scenes)}"), f"scene: {written(shot.scene)}"]
    if len(shot.view_layers) > 1:
        lines += [
            *_comment(f"the scene has the view layers {quoted(shot.view_layers)}"),
            f"view_layer: {written(shot.view_layer)}",
        ]
    lines += _camera(shot)
    lines += _frames(shot)
    lines += [
        *_comment(_own_pictures(shot)),
        f"resolution: [{shot.picture[0]}, {shot.picture[1]}]",
        "",
        *_recenter(shot),
        *_remove(shot),
        *_hair(shot),
        *_particles(shot),
        *_transparency(shot),
        *_style(shot),
        *_lines(shot),
    ]
    return "\n".join(lines) + "\n"


def _missing(shot: Shot) -> list[str]:
    """What the file names and does not have, in one comment for each kind."""
    lines = []
    for kind, said in MISSING_KINDS.items():
        named = [
            f"{each.path}{', ' * bool(each.lacking)}{each.lacking} (on {listed(each.touches)})"
            for each in shot.missing
            if each.kind == kind
        ]
        if named:
            action = said.becomes.format(it="them", they="they")
            lines += _comment(f"missing {said.several}, {action}: {', '.join(named)}".replace(" (on )", ""))
    return lines


def cut_name(source: Path) -> str:
    """A name for the cut from that of its file, made of what names may consist of."""
    name = _UNSAFE.sub("_", source.stem).strip("._-")[:90].rstrip(".")
    # some names mean devices to Windows
    return name if is_safe_name(name) else f"shot_{name}".rstrip("._")


def _camera(shot: Shot) -> list[str]:
    lines = []
    if shot.camera is not None:
        others = [name for name in shot.cameras if name != shot.camera]
        reason = f"the scene's own camera; there are also {quoted(others)}" if others else "the scene's only camera"
        if shot.camera_cuts:
            lines += _comment(f"timeline markers switch the camera: {listed_marks(shot.camera_cuts)}")
        else:
            lines += [*_comment(reason), f"camera: {written(shot.camera)}"]
        if shot.camera_jumps:
            lines += _comment(f"hard cuts are keyed on a camera, before frames {listed_marks(shot.camera_jumps)}")
        if shot.camera_cuts or shot.camera_jumps:
            lines.append("camera_cuts: split")
    lines.append("camera_motion:")
    if shot.view_keys:
        lines += _comment(f"the scene {shot.camera_problem}, so here is one that shows what moves", 2)
        lines.append("  keyframes:")
        for key in shot.view_keys:
            place, target = (", ".join(_decimal(value) for value in point) for point in (key.location, key.target))
            lines.append(
                f"    - {{frame: {key.frame}, location: [{place}], target: [{target}], lens: {_decimal(key.lens)}}}"
            )
    if shot.zooming:
        lines += _comment(f"the focal length of {quoted(shot.zooming)} changes; keep leaves the zoom as it is", 2)
    else:
        lines += _comment("no focal length changes, so nothing is to be replaced", 2)
    return [*lines, f"  focal_length: {'dolly' if shot.zooming or shot.view_keys else 'keep'}"]


def _frames(shot: Shot) -> list[str]:
    first, last = shot.clip
    step = held_step(shot.survey) if shot.survey is not None else None
    lines = _comment(
        f"the scene runs from {shot.frame_range[0]} to {shot.frame_range[1]}, "
        + (
            f"its animation from {shot.animated_range[0]} to {shot.animated_range[1]}"
            if shot.animated_range is not None
            else "and nothing in it is animated"
        )
    )
    if step is not None and step[1] + step[0] <= last:
        lines += _comment(f"every {step[0]}th frame is a new drawing")
        return [*lines, f"frames: {{first: {step[1]}, last: {last}, step: {step[0]}}}", _rate(shot)]
    return [*lines, f"frames: {{first: {first}, last: {last}}}", _rate(shot)]


def _own_pictures(shot: Shot) -> str:
    width, height = shot.resolution
    if shot.has_square_pixels:
        return f"the film's own pictures have {width} x {height} pixels"
    across, down = (_decimal(size) for size in shot.pixel_aspect)
    return f"the film's own pictures have {width} x {height} square pixels; its own are {across} wide to {down} high"


def _decimal(value: float) -> str:
    """A number as YAML reads it: without an exponent."""
    return f"{value:.9f}".rstrip("0").rstrip(".")


def _rate(shot: Shot) -> str:
    return f"frame_rate: {_decimal(shot.frame_rate)}"


def _recenter(shot: Shot) -> list[str]:
    far = shot.far_from_origin
    if far is None:
        return []
    said = describe_distance(far.apart, far.pixels)
    return [*_comment(f"{said}; {far.problem}" if far.problem else said), f"recenter: {str(not far.problem).lower()}"]


def _remove(shot: Shot) -> list[str]:
    whole = [removal for removal in shot.removals if not removal.materials]
    parts = [removal for removal in shot.removals if removal.materials]
    expressible = [removal for removal in parts if removal.whole_materials]
    # what no list of names can say is left to its rule
    rules = sorted({removal.rule for removal in parts if not removal.whole_materials})
    lines = ["remove:"]
    if rules:
        lines += _comment("of these things only some faces of a material go, which the rule has to find again", 2)
    else:
        lines += _comment("what the rules found is listed below, so they need not look again", 2)
    lines.append(f"  rules: {written(rules)}")
    objects = [
        (removals[0].reason, patterns_for([each.object for each in removals], shot.object_names))
        for removals in removed_alike(whole)
    ]
    lines += _list("objects", objects)
    listed_already: set[str] = set()
    materials = []
    for removals in removed_alike(expressible):
        new = [name for name in removals[0].materials if name not in listed_already]
        listed_already.update(new)
        if new:
            worn = f"on {named([each.object for each in removals], 'object')}: {removals[0].reason}"
            materials.append((worn, [glob.escape(name) for name in new]))
    return [*lines, *_list("materials", materials)]


def _list(key: str, groups: list[tuple[str, list[str]]]) -> list[str]:
    """A list, each group of its entries below the reason for them."""
    if not groups:
        return [f"  {key}: []"]
    lines = [f"  {key}:"]
    for reason, values in groups:
        lines += _comment(reason, 4)
        lines += [f"    - {written(value)}" for value in values]
    return lines


def _hair(shot: Shot) -> list[str]:
    if not shot.hair:
        return []
    lines = ["hair:", "  systems:"]
    for hair in shot.hair:
        mode = "clump" if hair.drawn == "strands" else "keep"
        lines += _comment(
            f"{hair.strands} hairs, drawn as {hair.drawn}; or remove, keep, {{mode: instance, object: ...}}", 4
        )
        lines.append(f"    {written(glob.escape(hair.name))}: {{mode: {mode}}}")
    return lines


def _particles(shot: Shot) -> list[str]:
    if not shot.particles:
        return []
    lines = ["particles:", "  systems:"]
    for particles in shot.particles:
        lines += _comment(f"{particles.count} particles, drawn as {particles.drawn}; or remove", 4)
        lines.append(f"    {written(glob.escape(particles.name))}: {{mode: instances}}")
    return lines


def _transparency(shot: Shot) -> list[str]:
    treated = [material for material in shot.see_through if material.kind or material.alpha_texture]
    lines = []
    for material in shot.see_through:
        if material not in treated:
            large = f", and covers up to {100 * material.covers:.0f} % of the picture" if is_large(material) else ""
            lines += _comment(f"'{material.material}' becomes solid{large}: {material.why}", 2)
            if large:
                lines += _comment(f"behind it lies {named(material.before, 'object')}; remove would show it", 2)
    if not treated:
        return ["transparency:", *lines, "  materials: {}"] if lines else []
    lines = ["transparency:", *lines, "  materials:"]
    for material in treated:
        if material.kind:
            lines += _comment(f"{looked_through(material)}; or solid", 4)
        else:
            lines += _comment(f"{material.why}; {material.holes:.0%} of its image are holes; or solid", 4)
        lines.append(f"    {written(glob.escape(material.material))}: {'remove' if material.kind else 'clip'}")
    return lines


def _style(shot: Shot) -> list[str]:
    textured = shot.survey.textured if shot.survey is not None else 0.0
    return [
        "style:",
        *_comment(f"{textured:.0%} of the first frame show images", 2),
        f"  color: {'texture' if wants_textures(shot) else 'material'}",
        *_comment(
            f"{shot.from_shaders} of {shot.materials} materials have no viewport colour and get that of their shader", 2
        ),
        "  color_source: auto",
        *_comment("the colour of the scene's world", 2),
        f"  background: {written(shot.background)}",
    ]


def _lines(shot: Shot) -> list[str]:
    if shot.survey is None:
        return []
    return [
        "lines:",
        *_comment(f"{shot.survey.triangles:,} triangles; {freestyle_cost(shot.survey)}", 2),
        f"  engine: {'freestyle' if wants_freestyle(shot.survey) else 'geometry'}",
    ]


def _comment(text: str, indent: int = 0) -> list[str]:
    """A text as comment lines; names in it come from a file that may hold anything."""
    text = "".join(character if character.isprintable() else " " for character in text)
    lines, line = [], ""
    for word in text.split():
        if line and len(line) + len(word) + indent + 3 > WIDTH:
            lines.append(line)
            line = ""
        line = f"{line} {word}" if line else word
    return [f"{' ' * indent}# {each}" for each in [*lines, line]]


def _relative(source: Path, target: Path) -> str:
    """The source as seen from the YAML file's folder; ``${`` in a path cannot be written and stays for the loader."""
    return os.path.relpath(source.absolute(), target.absolute().parent)
