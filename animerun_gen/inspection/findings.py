"""What of a shot clashes with 2D style, why, and what will be done about it: sentences from facts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from animerun_gen.config.model import offset_for_files
from animerun_gen.inspection.shot import Shot, Survey
from animerun_gen.inspection.survey import held_step
from animerun_gen.line_cost import SLOW_SECONDS, freestyle_gigabytes, rounded
from animerun_gen.line_cost import freestyle_seconds as predicted_seconds

TRIED_SECONDS = 2.0 * SLOW_SECONDS
"""Where Freestyle will take longer for a frame, it is not tried."""

TRIAL_SECONDS = 4.0 * SLOW_SECONDS
"""After so long a trial of Freestyle is ended."""

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
_PUT_PICTURE = "put it there, or set style.overrides"
_STILL = "what {they} would move stands still"
_PUT_BACK = "put it there, or bake it again in Blender"
_NOTHING = "what is made of {it} is left out"

MISSING_KINDS = {
    "library": MissingKind(
        "libraries", "what comes from {it} is left out", "put the library there if the picture needs it"
    ),
    "image": MissingKind("images", _FLAT, _PUT_PICTURE),
    "image sequence": MissingKind("image sequences", _FLAT, _PUT_PICTURE),
    "image tile": MissingKind("image tiles", _FLAT, _PUT_PICTURE),
    "movie": MissingKind("movies", _FLAT, _PUT_PICTURE),
    "cache": MissingKind("caches", _STILL, _PUT_BACK),
    "bake": MissingKind("bakes", "what {they} would give is computed anew", _PUT_BACK),
    "font": MissingKind("fonts", "texts in {it} have Blender's own font", "put it there if the text is to be read"),
    "volume": MissingKind("volumes", _NOTHING, "put it there if the picture needs it"),
    "volume sequence": MissingKind("volume sequences", _NOTHING, "put it there if the picture needs it"),
    "imported file": MissingKind("imported files", _NOTHING, "put it there if the picture needs it"),
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
        *_removals(shot),
        *_hair_and_particles(shot),
        *_surfaces(shot),
        *_look(shot),
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
    names = list(names)
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return quoted(names[:SHOWN]) + more


def ordinal(number: int) -> str:
    """A number as in "every 2nd frame"."""
    ending = "th" if number % 100 in {11, 12, 13} else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"


def listed_marks(marks: Iterable[tuple[int, str]]) -> str:
    """Frames and the cameras that film from there on."""
    return ", ".join(f"{frame}: '{name}'" for frame, name in marks)


def _file(shot: Shot) -> Iterator[Finding]:
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
            f"{len(shot.drivers)} drivers need Python: {listed(shot.drivers)}",
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
        f"a camera is proposed that shows what moves{remedy}",
        "camera_motion.keyframes",
    )
    if shot.view_share is not None and shot.view_share < ENOUGH:
        yield Finding(
            "camera",
            f"the best view that was found shows surfaces in {_small_share(shot.view_share)} of the picture in some "
            "frame",
            "it is taken for want of a better one; place the camera yourself before you generate anything",
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
            f"{len(survey.held)} of {len(survey.frames) - 1} neighbouring frames show exactly the same",
            "they stay; their motion is exactly zero",
        )
    if survey.posed:
        yield Finding(
            "held poses",
            f"in {len(survey.posed)} of {len(survey.frames) - 1} neighbouring frames only the camera moves",
            "they stay; the motion is that of the camera",
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
        yield "nothing that the pictures show is animated", "the clip is short"
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
                f"its animation begins with frame {animated[0]}, before the scene's first frame {begin}",
                "the clip begins with the scene; set frames.first to begin earlier",
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
    for removal in shot.removals:
        what = f"the faces of {listed(removal.materials)} of " if removal.materials else ""
        yield Finding(
            topics.get(removal.rule, removal.rule), f"{what}'{removal.object}': {removal.reason}", "removed", "remove"
        )
    for name, reason in shot.unreadable:
        yield Finding("no surface", f"'{name}': {reason}", "removed, because its motion cannot be followed")
    for name in shot.bare_displays:
        yield Finding(
            "display",
            f"'{name}' is displayed as wire or bounds, but a film render shows it",
            "it stays; name it in remove.objects if it is only a helper",
            "remove.objects",
        )


def _hair_and_particles(shot: Shot) -> Iterator[Finding]:
    for hair in shot.hair:
        if hair.drawn == "strands":
            yield Finding(
                "hair",
                f"'{hair.name}': {hair.strands} hairs, which drawings do not have one by one",
                "locks of flat colour that move with the surface",
                "hair.systems",
            )
        else:
            yield Finding(
                "hair", f"'{hair.name}': {hair.strands} times {hair.drawn}", "they stay, each followed", "hair.systems"
            )
    for particles in shot.particles:
        yield Finding(
            "particles",
            f"'{particles.name}': {particles.count} particles, drawn as {particles.drawn}",
            "each is followed as long as it lives; what is no object becomes a small ball",
            "particles.systems",
        )


def _surfaces(shot: Shot) -> Iterator[Finding]:
    for material in shot.see_through:
        if material.alpha_texture:
            yield Finding(
                "alpha texture",
                f"material '{material.material}': {material.why}; {material.holes:.0%} of its image are holes",
                "the holes are cut out, in pictures and labels alike",
                "transparency.materials",
            )
        else:
            yield Finding(
                "see-through",
                f"material '{material.material}': {material.why}; a pixel of a drawing shows one surface",
                "solid, in the colour of its opaque part",
                "transparency",
            )
    if shot.from_shaders:
        yield Finding(
            "colours",
            f"{shot.from_shaders} of {shot.materials} materials have no viewport colour",
            "their colours come from their shaders",
            "style.color_source",
        )
    if shot.survey is not None and shot.survey.textured >= 0.02:
        yield Finding(
            "colours",
            f"{shot.survey.textured:.0%} of the first frame show images",
            "the images are painted" if wants_textures(shot) else "one flat colour a material",
            "style.color",
        )


def wants_textures(shot: Shot) -> bool:
    """Whether so much of the picture shows images that a draft paints them."""
    return shot.survey is not None and shot.survey.textured >= 0.1


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


def _geometry(shot: Shot) -> Iterator[Finding]:
    survey = shot.survey
    if survey is None:
        return
    if survey.changed_topology:
        yield Finding(
            "topology",
            f"the vertices of {listed(survey.changed_topology)} are others in some frames",
            "their motion is marked unknown there",
        )
    if survey.came_or_went:
        yield Finding(
            "comes and goes",
            f"{listed(survey.came_or_went)} can be seen in some frames only",
            "their motion is marked unknown there",
        )
    yield Finding(
        "cost",
        f"{survey.triangles:,} triangles in {survey.instances} instances a frame, "
        f"{rounded(survey.seconds)} s to evaluate"
        + (f", {survey.memory / 1e9:.1f} GB for each worker" if survey.memory else "")
        + f"; {freestyle_cost(survey)}",
        "lines by Freestyle" if wants_freestyle(survey) else "lines from the geometry instead, which cost no more",
        "lines.engine",
    )
