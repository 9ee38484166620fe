"""A first configuration of a shot in which every automatic decision stands explicitly, with its reason.

It is written as text, line by line: half of it is comments, wrapped, above the entry that they are about, or above
nothing where they say why there is none.  A library that keeps comments (ruamel.yaml) hangs them on keys, and neither
wraps nor indents them.
"""

from __future__ import annotations

import glob
import os
import re
from pathlib import Path

from anyascii import anyascii

from animerun_gen.config.messages import counted, named, patterns_for, written
from animerun_gen.config.model import is_safe_name, offset_for_files
from animerun_gen.shot.findings import (
    MISSING_KINDS,
    by_reason,
    camera_findings,
    describe_distance,
    findings,
    frame_facts,
    freestyle_cost,
    is_large,
    listed,
    listed_marks,
    looked_through,
    ordinal,
    quoted,
    removed_alike,
    wants_attributes,
    wants_freestyle,
    wants_textures,
)
from animerun_gen.shot.shot import Shot
from animerun_gen.shot.survey import held_step

WIDTH = 116
"""Comments are broken at this column."""

PASSES = 2
"""Colour passes of a draft."""

_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")

KEYED_TOPICS = {
    *("missing file", "camera", "focal length", "frames", "pixels", "colours", "hair", "particles", "alpha texture"),
    *("see-through", "not seen by the camera", "volume", "light panel", "glowing thing"),
}
"""What findings are about whose decisions stand at keys of the draft; all others stand at its head."""


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
        f"A first draft for {Path(shot.source).name}, made by animerun-gen init. Every automatic decision "
        "is listed below with its reason: change any that you disagree with. docs/configuration.md has every key."
    )
    for finding in findings(shot):
        if finding.topic not in KEYED_TOPICS and finding.key != "frames.step":
            lines += _comment(f"{finding.topic}: {finding.found}: {finding.action}")
    lines += _missing(shot)
    lines += [
        "",
        f"name: {written(name)}",
        f"source: {written(_relative(Path(shot.source), target))}",
    ]
    lines += [
        *_comment("whose film this is, for the manifest, the report and the card of a published dataset; fill it in"),
        "license: null",
        "author: null",
        "source_url: null",
    ]
    if len(shot.scenes) > 1:
        lines += [*_comment(f"the file has the scenes {quoted(shot.scenes)}"), f"scene: {written(shot.scene)}"]
    if len(shot.view_layers) > 1:
        lines += [
            *_comment(f"the scene has the view layers {quoted(shot.view_layers)}"),
            f"view_layer: {written(shot.view_layer)}",
        ]
    if shot.trusts_scripts:
        lines += [*_comment("as --trust-scripts said"), "trust_scripts: true"]
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
        *_recolor(),
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
    """A name for the cut from that of its file, in Latin letters, made of what names may consist of."""
    name = _UNSAFE.sub("_", anyascii(source.stem)).strip("._-")[:90].rstrip(".")
    # some names mean devices to Windows
    return name if is_safe_name(name) else f"shot_{name}".rstrip("._")


def _camera(shot: Shot) -> list[str]:
    lines = []
    if shot.camera is not None:
        others = [name for name in shot.cameras if name != shot.camera]
        reason = f"there are also the cameras {quoted(others)}" if others else "the scene's only camera"
        if shot.camera_problem:
            reason = f"the scene {shot.camera_problem}, so this is the first that sees anything; {reason}"
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
        for finding in camera_findings(shot):
            lines += _comment(f"{finding.found}: {finding.action}", 2)
        lines.append("  keyframes:")
        for key in shot.view_keys:
            place, target = (", ".join(_decimal(value) for value in point) for point in (key.location, key.target))
            lines.append(
                f"    - {{frame: {key.frame}, location: [{place}], target: [{target}], lens: {_decimal(key.lens)}}}"
            )
    if shot.zooming:
        lines += _comment(f"the focal length of {quoted(shot.zooming)} changes; keep leaves the zoom as it is", 2)
    else:
        lines += _comment("the focal length is constant, so this changes nothing", 2)
    return [*lines, f"  focal_length: {'dolly' if shot.zooming or shot.view_keys else 'keep'}"]


def _frames(shot: Shot) -> list[str]:
    first, last = shot.clip
    step = held_step(shot.survey) if shot.survey is not None else None
    lines = []
    for found, action in frame_facts(shot):
        lines += _comment(f"{found}: {action}")
    if not lines:
        lines = _comment(
            f"the scene runs from {shot.frame_range[0]} to {shot.frame_range[1]}, and so does its animation"
        )
    offset = offset_for_files(first, last)
    offset_key = f", offset: {offset}" if offset else ""
    if step is not None and step[1] + step[0] <= last:
        lines += _comment(f"every {ordinal(step[0])} frame is a new drawing")
        return [*lines, f"frames: {{first: {step[1]}, last: {last}, step: {step[0]}{offset_key}}}", _rate(shot)]
    return [*lines, f"frames: {{first: {first}, last: {last}{offset_key}}}", _rate(shot)]


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
        lines += _comment("only some faces of these materials are removed, so the rule has to find them again", 2)
    else:
        lines += _comment("what the rules found is listed below, so the rules are switched off", 2)
    lines.append(f"  rules: {written(rules)}")
    unfollowed = [(name, f"{reason}, and its motion cannot be followed") for name, reason in shot.unreadable]
    objects = [
        (removals[0].reason, patterns_for([each.object for each in removals], shot.object_names))
        for removals in removed_alike(whole)
    ]
    gone = {each.object for each in whole}
    objects += [(reason, [glob.escape(name)]) for name, reason in unfollowed if name not in gone]
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
            f"{counted(hair.strands, 'hair')}, drawn as {hair.drawn}; or remove, keep, {{mode: instance, object: ...}}",
            4,
        )
        lines.append(f"    {written(glob.escape(hair.name))}: {{mode: {mode}}}")
    return lines


def _particles(shot: Shot) -> list[str]:
    if not shot.particles:
        return []
    lines = ["particles:", "  systems:"]
    for particles in shot.particles:
        lines += _comment(f"{counted(particles.count, 'particle')}, drawn as {particles.drawn}; or remove", 4)
        lines.append(f"    {written(glob.escape(particles.name))}: {{mode: instances}}")
    return lines


def _transparency(shot: Shot) -> list[str]:
    treated = [material for material in shot.see_through if material.kind or material.alpha_texture]
    lines = []
    for material in shot.see_through:
        if material not in treated:
            large = f", and covers up to {100 * material.covers:.0f}% of the picture" if is_large(material) else ""
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
    textured, attributed = (shot.survey.textured, shot.survey.attributed) if shot.survey is not None else (0.0, 0.0)
    also = f", vertex paint or colours of objects {attributed:.0%}" if attributed > 0.0 else ""
    lines = [
        "style:",
        *_comment(f"images cover up to {textured:.0%} of a frame{also}", 2),
        f"  color: {'texture' if wants_textures(shot) else 'attribute' if wants_attributes(shot) else 'material'}",
        *_comment(
            f"{shot.from_shaders} of {counted(shot.materials, 'material')} without a viewport colour get the shader's",
            2,
        ),
        "  color_source: auto",
    ]
    lines += _textures(shot)
    if shot.unread_colors:
        for why, names in by_reason(shot.unread_colors):
            lines += _comment(f"not as the film has them, because {why}: {quoted(names)}", 2)
        lines.append("  overrides: {}")
    return [
        *lines,
        *_comment("the colour of the scene's world", 2),
        f"  background: {written(shot.background)}",
        *_shade(shot),
    ]


def _shade(shot: Shot) -> list[str]:
    """Shade is off, and the light that it would go by is named."""
    light = shot.key_light
    if light is None:
        found = "no sun, area or spot light lights what is in focus, so light would come from above on the left"
        return [*_comment(f"2 or 3 shade the frames as cels are; {found}", 2), "  shade: {tones: 1}"]
    others = f"; {quoted(light.others)} light it less" if light.others else ""
    return [
        *_comment(
            f"2 or 3 shade the frames as cels are; the {light.kind} light that lights what is in focus{others}", 2
        ),
        f"  shade: {{tones: 1, light: {written(light.name)}}}",
    ]


def _textures(shot: Shot) -> list[str]:
    """The images that materials of old files may have shown, one a material; what only names say is a comment."""
    if not shot.image_offers:
        return []
    lines = _comment(
        "files from before Blender 2.80 lose their textures when they are loaded; these are still in the file", 2
    )
    certain = [offer for offer in shot.image_offers if offer.certain]
    lines.append("  textures:" if certain else "  textures: {}")
    for offer in certain:
        lines.append(f"    {written(glob.escape(offer.material))}: {written(offer.image)}")
    for offer in shot.image_offers:
        if not offer.certain:
            lines += _comment(
                f"by its name {written(offer.image)} may belong to it: {written(glob.escape(offer.material))}: "
                f"{written(offer.image)}",
                2,
            )
    return lines


def _lines(shot: Shot) -> list[str]:
    if shot.survey is None:
        return []
    return [
        "lines:",
        *_comment(f"{shot.survey.triangles:,} triangles; {freestyle_cost(shot.survey)}", 2),
        f"  engine: {'freestyle' if wants_freestyle(shot.survey) else 'geometry'}",
    ]


def _recolor() -> list[str]:
    return [
        "recolor:",
        *_comment("the frames in other colours as well: some training code reads color_1, color_2 ... and no other", 2),
        f"  passes: {PASSES}",
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
