"""What of a shot clashes with 2D style, why, and what will be done about it: sentences from facts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from animerun_gen.config.messages import and_more, counted, named
from animerun_gen.config.model import Quality, offset_for_files
from animerun_gen.lines.cost import SLOW_SECONDS, freestyle_gigabytes, rounded
from animerun_gen.lines.cost import freestyle_seconds as predicted_seconds
from animerun_gen.shot.shot import Removal, SeeThrough, Shot, Survey
from animerun_gen.shot.survey import held_step

TRIED_SECONDS = 2.0 * SLOW_SECONDS
"""Where Freestyle will take longer for a frame, it is not tried."""

TRIAL_SECONDS = 4.0 * SLOW_SECONDS
"""After so long a trial of Freestyle is ended."""

HIDES_MUCH = 0.2
"""Share of the picture from which it is said that a solid surface hides what lies behind."""

ENOUGH = 0.01
"""The share of the picture in which surfaces must be seen for a view to do."""

SHOWN = 6
"""So many names are listed in a sentence."""


@dataclass(frozen=True)
class MissingKind:
    """What to say of missing files of a kind.

    Attributes:
        several: What several of them are called.
        becomes: What the picture shows without it, ``{it}`` and ``{they}`` standing for the file or the files.
        remedy: What to do.
    """

    several: str
    becomes: str
    remedy: str


_FLAT = "the surfaces that show {it} get one flat colour"
_PUT_PICTURE = "put it back in place, or set style.overrides"
_STILL = "what {they} would move stands still"
_PUT_BACK = "put it back in place, or bake it again in Blender"
_NOTHING = "what is made of {it} is left out"

MISSING_KINDS = {
    "library": MissingKind(
        "libraries", "what comes from {it} is left out", "put the library back if the picture needs it"
    ),
    "image": MissingKind("images", _FLAT, _PUT_PICTURE),
    "image sequence": MissingKind("image sequences", _FLAT, _PUT_PICTURE),
    "image tile": MissingKind("image tiles", _FLAT, _PUT_PICTURE),
    "movie": MissingKind("movies", _FLAT, _PUT_PICTURE),
    "cache": MissingKind("caches", _STILL, _PUT_BACK),
    "bake": MissingKind("bakes", "what {they} would give is computed again", _PUT_BACK),
    "font": MissingKind("fonts", "texts in {it} have Blender's own font", "put it back if the text is to be read"),
    "volume": MissingKind("volumes", _NOTHING, "put it back if the picture needs it"),
    "volume sequence": MissingKind("volume sequences", _NOTHING, "put it back if the picture needs it"),
    "imported file": MissingKind("imported files", _NOTHING, "put it back if the picture needs it"),
}
"""Every kind of file that a film may lack, see :mod:`animerun_gen.blender.external_files`."""


@dataclass(frozen=True)
class Finding:
    """One thing that was found.

    Attributes:
        topic: What it is about, as a heading.
        found: What there is and why it clashes, a sentence without its full stop.
        action: What will be done; empty where the user has to decide.
        key: The key of the configuration that decides it; empty where nothing can be set.
    """

    topic: str
    found: str
    action: str
    key: str = ""


def findings(shot: Shot) -> list[Finding]:
    """Everything that clashes with 2D style or needs the user's eye, in the order in which one would look at it.

    Args:
        shot: The facts.

    Returns:
        The findings.
    """
    return [
        *_file(shot),
        *_camera(shot),
        *_frames(shot),
        *_picture(shot),
        *_removals(shot),
        *_hair_and_particles(shot),
        *_surfaces(shot),
        *_look(shot),
        *_distance(shot),
        *_geometry(shot),
    ]


def describe(shot: Shot) -> list[str]:
    """The facts and findings as lines for a terminal."""
    width, height = shot.resolution
    lines = [
        f"{shot.source}: saved with Blender {shot.saved_with}, scene '{shot.scene}', view layer '{shot.view_layer}'",
        f"frames {shot.frame_range[0]} to {shot.frame_range[1]} at {shot.frame_rate:g} a second, {width} x {height} "
        f"pixels, camera {quoted([shot.camera]) if shot.camera else 'none'}",
    ]
    grouped: dict[str, list[Finding]] = {}
    for finding in findings(shot):
        grouped.setdefault(finding.topic, []).append(finding)
    for topic, entries in grouped.items():
        lines.append(f"{topic}:")
        for finding in entries:
            lines.append(f"  {finding.found}")
            lines.append(f"    -> {finding.action}" + (f" ({finding.key})" if finding.key else ""))
    return lines


def freestyle_seconds(survey: Survey) -> float:
    """What Freestyle's lines will cost a frame: as measured, or predicted where that is too much."""
    if survey.freestyle_seconds is not None:
        return survey.freestyle_seconds
    return predicted_seconds(survey.triangles, survey.pieces, survey.visits)


def freestyle_cost(survey: Survey) -> str:
    """What Freestyle's lines will cost, in words."""
    seconds = freestyle_seconds(survey)
    if survey.freestyle_fault:
        return f"Freestyle {survey.freestyle_fault}, although about {rounded(seconds)} s were predicted"
    if survey.freestyle_seconds is not None:
        return f"Freestyle took {rounded(seconds)} s for a frame"
    gigabytes = freestyle_gigabytes(survey.triangles, survey.pieces)
    return f"Freestyle would need about {rounded(seconds)} s and {rounded(gigabytes)} GB a frame"


def wants_freestyle(survey: Survey) -> bool:
    """Whether a draft has Freestyle draw lines."""
    return not survey.freestyle_fault and freestyle_seconds(survey) <= SLOW_SECONDS


def quoted(names: Iterable[str]) -> str:
    """All names, in quotes."""
    return ", ".join(f"'{name}'" for name in names)


def listed(names: Iterable[str]) -> str:
    """Names in quotes, the first few of them."""
    return and_more([f"'{name}'" for name in names], SHOWN)


def ordinal(number: int) -> str:
    """A number as in "every 2nd frame"."""
    ending = "th" if number % 100 in {11, 12, 13} else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"


def listed_marks(marks: Iterable[tuple[int, str]]) -> str:
    """Frames and the cameras that film from there on."""
    return ", ".join(f"{frame}: '{name}'" for frame, name in marks)


def _file(shot: Shot) -> Iterator[Finding]:
    for note in shot.newer:
        yield Finding("file", note, "look at what the clip shows, or use a newer Blender (docs/versions.md)")
    if shot.complaints:
        yield Finding("file", f"Blender complained when it loaded the file: {shot.complaints}", "it is used as it is")
    for missing in shot.missing:
        kind = MISSING_KINDS[missing.kind]
        yield Finding("missing file", str(missing), f"{kind.becomes.format(it='it', they='it')}; {kind.remedy}")
    for sentence in shot.unbaked:
        yield Finding("simulation", sentence, "what it does is not in the picture")
    if shot.drivers:
        yield Finding(
            "drivers",
            f"{counted(len(shot.drivers), 'driver')} that need Python: {listed(shot.drivers)}",
            "they stand still, because scripts of a file are not trusted",
            "trust_scripts",
        )
    if shot.simulated:
        yield Finding(
            "simulation",
            "a simulation needs its history",
            "it is played up to the first frame of the clip",
        )


def _camera(shot: Shot) -> Iterator[Finding]:
    yield from camera_findings(shot)
    if shot.camera_cuts:
        yield Finding(
            "camera",
            f"timeline markers switch the camera ({listed_marks(shot.camera_cuts)})",
            "each stretch becomes a clip of its own",
            "camera_cuts",
        )
    if shot.camera_jumps:
        yield Finding(
            "camera",
            f"hard cuts are keyed on a camera ({listed_marks(shot.camera_jumps)})",
            "each stretch becomes a clip of its own",
            "camera_cuts",
        )
    if shot.zooming:
        yield Finding(
            "focal length",
            f"the focal length changes ({listed(shot.zooming)}), which hand-drawn animation does not have",
            "it is fixed, and the camera moves along its view axis instead",
            "camera_motion.focal_length",
        )


def camera_findings(shot: Shot) -> Iterator[Finding]:
    """What films a scene whose own camera cannot be used."""
    if not shot.camera_problem:
        return
    only = len(shot.cameras) == 1
    cameras = f"; its {'only camera is' if only else 'cameras are'} {listed(shot.cameras)}" if shot.cameras else ""
    if shot.camera is not None:
        yield Finding(
            "camera",
            f"the scene {shot.camera_problem}{cameras}",
            f"'{shot.camera}' films it{'' if only else ', the first that sees anything'}; --camera names another",
            "camera",
        )
        return
    remedy = "; its own do not show anything, but --camera can name one of them" if shot.cameras else ""
    yield Finding(
        "camera",
        f"the scene {shot.camera_problem}{cameras}",
        f"a camera that shows what moves is proposed; check it{remedy}",
        "camera_motion.keyframes",
    )
    if shot.view_share is not None and shot.view_share < ENOUGH:
        yield Finding(
            "camera",
            f"the best view that was found shows surfaces in {_small_share(shot.view_share)} of the picture in some "
            "frame",
            "it is used because there is no better one; place the camera yourself before you generate anything",
            "camera_motion.keyframes",
        )


def _small_share(share: float) -> str:
    return f"{100 * share:.2g}%" if share else "none"


def _frames(shot: Shot) -> Iterator[Finding]:
    for found, action in frame_facts(shot):
        yield Finding("frames", found, action, "frames")
    yield from _held(shot.survey)


def _held(survey: Survey | None) -> Iterator[Finding]:
    """Frames that show the same."""
    if survey is None:
        return
    step = held_step(survey)
    if step is not None:
        yield Finding(
            "held frames",
            f"the film is animated on {'twos' if step[0] == 2 else f'every {ordinal(step[0])} frame'}: only every "
            f"{ordinal(step[0])} frame is a new drawing",
            f"the clip takes every {ordinal(step[0])} frame, from {step[1]} on",
            "frames.step",
        )
    elif survey.held:
        yield Finding(
            "held frames",
            f"{len(survey.held)} of {len(survey.frames) - 1} pairs of neighbouring frames are identical",
            "they stay, with zero motion",
        )
    if survey.posed:
        yield Finding(
            "held poses",
            f"in {len(survey.posed)} of {len(survey.frames) - 1} neighbouring frames only the camera moves",
            "they stay; the motion is that of the camera",
        )


def _picture(shot: Shot) -> Iterator[Finding]:
    """What makes a clip show nothing, by the thresholds that the quality gate has unless a cut changes them."""
    thresholds = Quality()
    empty = [each for each in shot.contents if each.surfaces < thresholds.min_surfaces]
    if 2 * len(empty) > len(shot.contents):
        share = sum(each.surfaces for each in empty) / len(empty)
        yield Finding(
            "picture",
            f"surfaces cover {100 * share:.3f}% of the picture in {len(empty)} of the "
            f"{counted(len(shot.contents), 'frame')} that were looked at",
            "the quality gate will not pass the clip; choose another camera or other frames, and see what was removed",
            "camera",
        )
    covered: dict[tuple[str, str], list[float]] = {}
    for each in shot.contents:
        if each.largest > thresholds.max_one_surface:
            covered.setdefault((each.object, each.material), []).append(each.largest)
    for (name, material), shares in covered.items():
        if 2 * len(shares) > len(shot.contents):
            share = sum(shares) / len(shares)
            yield Finding(
                "picture",
                f"one surface covers everything: {100 * share:.1f}% of the picture is '{name}', in material "
                f"'{material}', in {len(shares)} of the {counted(len(shot.contents), 'frame')} that were looked at",
                "the quality gate will not pass the clip unless it has a pattern and moves; if it hides the film, name "
                "it in remove.objects",
                "remove.objects",
            )


def frame_facts(shot: Shot) -> Iterator[tuple[str, str]]:
    """How the frames of the clip come about: each time what there is, and what is done about it."""
    (begin, end), animated = shot.frame_range, shot.animated_range
    if shot.time_stretch != 1.0:
        yield (
            f"the scene maps its time: {shot.time_stretch:g} of its frames show one frame of its animation",
            "all frames here are those that a render of the scene counts, and show what it shows",
        )
    if animated is None:
        yield "nothing visible is animated", "only a short clip is made"
    elif animated[1] < begin or animated[0] > end:
        yield (
            f"the scene runs from frame {begin} to {end}, but it is animated from {animated[0]} to {animated[1]} only",
            "the clip has the animated frames, although they lie outside the scene's range",
        )
    else:
        if animated[0] > begin or animated[1] < end:
            first, last = max(begin, animated[0]), min(end, animated[1])
            yield (
                f"the scene runs from frame {begin} to {end}, but only frames {first} to {last} are animated",
                "the clip has the animated frames only",
            )
        if animated[0] < begin - 1:
            yield (
                f"its animation begins at frame {animated[0]}, before the scene's first frame {begin}",
                "the clip starts at the scene's first frame; lower frames.first to start earlier",
            )
    offset = offset_for_files(*shot.clip)
    if offset:
        first, last = shot.clip
        reason = (
            "cannot have negative numbers" if first < 0 else "need equally many digits, or loaders sort them wrongly"
        )
        yield (
            f"files {reason}, and the clip has the frames {first} to {last}",
            f"its files are numbered {first + offset:04d} to {last + offset:04d} (frames.offset)",
        )


def _removals(shot: Shot) -> Iterator[Finding]:
    topics = {
        "unseen": "not seen by the camera",
        "volumes": "volume",
        "light_panels": "light panel",
        "glowing": "glowing thing",
    }
    for removals in removed_alike(shot.removals):
        removal = removals[0]
        what = f"the faces of {listed(removal.materials)} of " if removal.materials else ""
        things = named([each.object for each in removals], "object")
        yield Finding(topics.get(removal.rule, removal.rule), f"{what}{things}: {removal.reason}", "removed", "remove")
    for name, reason in shot.unreadable:
        yield Finding("no surface", f"'{name}': {reason}", "removed, because its motion cannot be followed")
    for name in shot.bare_displays:
        yield Finding(
            "display",
            f"'{name}' is displayed as wire or bounds, but a film render shows it",
            "it stays; name it in remove.objects if it is only a helper",
            "remove.objects",
        )


def removed_alike(removals: Iterable[Removal]) -> list[list[Removal]]:
    """Removals of the same things for the same reason, together."""
    groups: dict[tuple[object, ...], list[Removal]] = {}
    for removal in removals:
        alike = (removal.rule, removal.reason, removal.materials, removal.whole_materials)
        groups.setdefault(alike, []).append(removal)
    return list(groups.values())


def _hair_and_particles(shot: Shot) -> Iterator[Finding]:
    for hair in shot.hair:
        if hair.drawn == "strands":
            yield Finding(
                "hair",
                f"'{hair.name}': {hair.strands} hairs, which drawn animation does not show one by one",
                "locks of flat colour that move with the surface",
                "hair.systems",
            )
        else:
            yield Finding(
                "hair", f"'{hair.name}': {hair.strands} times {hair.drawn}", "they stay, each followed", "hair.systems"
            )
    for drawn in shot.grease_pencil:
        yield Finding(
            "grease pencil",
            f"'{drawn.name}': {counted(drawn.strokes, 'stroke')} on {counted(drawn.layers, 'layer')}",
            f"drawn as surfaces, and their motion is unknown: {drawn.unknown}"
            if drawn.unknown
            else "drawn as surfaces; points are followed as long as the same drawing is shown",
            "grease_pencil",
        )
        if drawn.line_art:
            yield Finding(
                "grease pencil",
                f"'{drawn.name}' has lines that Line Art draws of the scene",
                "left out: lines.engine draws the lines of the scene",
                "lines.engine",
            )
    for particles in shot.particles:
        yield Finding(
            "particles",
            f"'{particles.name}': {counted(particles.count, 'particle')}, drawn as {particles.drawn}",
            "each is followed as long as it lives; halos and paths become small balls",
            "particles.systems",
        )


def looked_through(material: SeeThrough) -> str:
    """What a pane or glasses are, a sentence without its full stop."""
    worn, before = (named(names, "object") if names else "nothing" for names in (material.worn_by, material.before))
    if material.kind == "pane":
        return (
            f"material '{material.material}' on {worn} is see-through ({material.why}), covers "
            f"{100 * material.covers:.0f}% of the picture and lies before everything that it covers"
        )
    return f"material '{material.material}' on {worn} is see-through ({material.why}) and lies close before {before}"


def _surfaces(shot: Shot) -> Iterator[Finding]:
    for material in shot.see_through:
        if material.kind:
            yield Finding(
                material.kind,
                looked_through(material),
                "removed, so that what lies behind is seen",
                "transparency.materials",
            )
        elif material.alpha_texture:
            yield Finding(
                "alpha texture",
                f"material '{material.material}': {material.why}; {material.holes:.0%} of its image are holes",
                "the holes are cut out, in pictures and labels alike",
                "transparency.materials",
            )
        else:
            yield Finding(
                "see-through",
                f"material '{material.material}': {material.why}; a pixel of a drawing shows one surface"
                + (f", and it covers up to {100 * material.covers:.0f}% of the picture" * is_large(material)),
                "solid, in the colour of its opaque part" + "; remove shows what lies behind" * is_large(material),
                "transparency",
            )
    for problem, wearing in shot.undecodable:
        yield Finding(
            "colours",
            f"{problem}; {quoted(wearing)} would show it",
            "what it would paint gets one flat colour",
            "style.overrides",
        )
    if shot.lost_materials:
        yield Finding(
            "colours",
            f"Blender no longer loads the textures, transparency or vertex paint of {listed(shot.lost_materials)}, "
            "which are from before 2.80",
            f"{sum(offer.certain for offer in shot.image_offers)} images that the file names for them are painted"
            if any(offer.certain for offer in shot.image_offers)
            else "each gets the one colour that is left",
            "style.textures",
        )
    if shot.from_shaders:
        yield Finding(
            "colours",
            f"{shot.from_shaders} of {shot.materials} materials have no viewport colour",
            "their colours come from their shaders",
            "style.color_source",
        )
    if shot.survey is not None and shot.survey.moving_images:
        yield Finding(
            "colours",
            "image sequences or movies are seen, as mouths and eyes of rigs are",
            "they show in each frame what the film shows",
            "style.color",
        )
    if shot.survey is not None and shot.survey.textured >= 0.02:
        yield Finding(
            "colours",
            f"images cover up to {shot.survey.textured:.0%} of a frame",
            "the images are painted" if wants_textures(shot) else "one flat colour a material",
            "style.color",
        )
    if shot.survey is not None and shot.survey.attributed >= 0.01:
        painted = wants_textures(shot) or wants_attributes(shot)
        yield Finding(
            "colours",
            f"vertex paint or colours of objects cover up to {shot.survey.attributed:.0%} of a frame",
            "they are painted" if painted else "one flat colour a material",
            "style.color",
        )
    for why, unread in by_reason(shot.unread_colors):
        yield Finding(
            "colours",
            f"the colour of {listed(unread)} could not be read as the film has it: {why}",
            "an approximation or the viewport colour is used",
            "style.overrides",
        )


def by_reason(unread: Iterable[tuple[str, str]]) -> list[tuple[str, list[str]]]:
    """The materials whose colour could not be read, by the reason why."""
    found: dict[str, list[str]] = {}
    for material, why in unread:
        found.setdefault(why, []).append(material)
    return list(found.items())


def is_large(material: SeeThrough) -> bool:
    """Whether a material that becomes solid hides a good part of the picture."""
    return material.covers >= HIDES_MUCH and bool(material.before)


def wants_textures(shot: Shot) -> bool:
    """Whether so much of the picture shows images that a draft paints them, or mouths and eyes that are sequences."""
    return shot.survey is not None and (shot.survey.textured >= 0.1 or shot.survey.moving_images)


def wants_attributes(shot: Shot) -> bool:
    """Whether so much of the picture has colours of attributes or objects that a draft paints them."""
    return shot.survey is not None and shot.survey.attributed >= 0.01


def _look(shot: Shot) -> Iterator[Finding]:
    if shot.film_look:
        yield Finding("film look", f"switched on: {', '.join(shot.film_look)}", "switched off")
    if not shot.has_square_pixels:
        across, down = shot.pixel_aspect
        yield Finding(
            "pixels",
            f"the film's pixels are {across:g} wide to {down:g} high",
            "pictures and labels have square ones; the resolution keeps the shape of the film's picture",
            "resolution",
        )


def describe_distance(apart: float, pixels: float) -> str:
    """How coarse numbers are so far from the origin, a sentence without its end.

    Args:
        apart: Distance of neighbouring numbers, in scene units.
        pixels: The same in the picture.
    """
    return (
        f"the camera stands so far from the origin that Blender's numbers lie {apart:.2g} units apart, which is "
        f"{pixels:.2g} px in the picture"
    )


def _distance(shot: Shot) -> Iterator[Finding]:
    far = shot.far_from_origin
    if far is not None:
        yield Finding(
            "far from the origin",
            describe_distance(far.apart, far.pixels) + (f"; {far.problem}" if far.problem else ""),
            "places and motion are no more exact than that; move the scene in Blender"
            if far.problem
            else "the whole scene is moved to the origin before anything is evaluated",
            "recenter",
        )


def _geometry(shot: Shot) -> Iterator[Finding]:
    survey = shot.survey
    if survey is None:
        return
    if survey.changed_topology:
        yield Finding(
            "topology",
            f"the topology of {listed(survey.changed_topology)} changes in some frames",
            "their motion is marked unknown there",
        )
    if survey.came_or_went:
        yield Finding(
            "comes and goes",
            f"{listed(survey.came_or_went)} can be seen in some frames only",
            "their motion is marked unknown there",
        )
    memory = survey.memory + (survey.image_memory if wants_textures(shot) else 0)
    memory += survey.line_memory if wants_freestyle(survey) else 0
    yield Finding(
        "cost",
        f"{counted(survey.triangles, 'triangle')} in {counted(survey.instances, 'instance')} a frame, "
        f"{rounded(survey.seconds)} s to evaluate"
        + (f", {memory / 1e9:.1f} GB for each worker" if survey.memory else "")
        + f"; {freestyle_cost(survey)}",
        "lines by Freestyle" if wants_freestyle(survey) else "lines from the geometry instead, at no extra cost",
        "lines.engine",
    )
