"""What a cut asks for: the typed model of its YAML file.

Every key is described once, here; ``docs/configuration.md`` and the messages about wrong values come from these
descriptions and types.  The models are frozen, refuse unknown keys and convert nothing silently ("960" is no number).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Annotated, Any, Literal, Self, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Discriminator, Field, Tag, model_validator

from animerun_gen.color.hexadecimal import is_hex
from animerun_gen.config.looks import Look, with_look
from animerun_gen.config.messages import Expected, shown

EdgeType = Literal[
    "silhouette",
    "crease",
    "border",
    "contour",
    "external_contour",
    "material_boundary",
    "edge_mark",
    "ridge_valley",
    "suggestive_contour",
]
Extra = Literal["depth", "ids", "normals", "exact_occlusion", "scene_flow", "correspondence"]
RemovalRule = Literal["unseen", "volumes", "light_panels", "glowing"]

FREESTYLE_ONLY = ("ridge_valley", "suggestive_contour")
"""Kinds of edges that only Freestyle draws: they depend on how a surface curves, not on where it ends."""

SET_LAYER = "set"
"""The layer of everything that is in no other one."""

OTHER_LAYERS = "*"
"""In ``timing.layers``: all layers that are not named there, but for the set."""

MOST_LAYERS = 100
"""Layers of a cut, the set included."""

MOST_AUTO_LAYERS = 16
"""Layers beside the set that ``groups: auto`` makes at most."""

_SAFE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_WINDOWS_DEVICE = re.compile(r"(con|prn|aux|nul|com[1-9]|lpt[1-9])(\..*)?", re.IGNORECASE)
_WEB_ADDRESS = re.compile(r"https?://[^\s/?#]+([/?#]\S*)?", re.IGNORECASE)
_COLOR_WORDS = 'a colour in quotes such as "#20a0ff"'

_Item = TypeVar("_Item")


def _safe_name(name: str) -> str:
    if not _SAFE_NAME.fullmatch(name):
        raise ValueError(
            f"{shown(name)} is not a safe folder name; use at most 100 letters a-z, digits, dots, hyphens and "
            "underscores,"
            " and begin with a letter or a digit"
        )
    if name.endswith("."):
        raise ValueError(f"{shown(name)} ends with a dot, which Windows drops from folder names; remove it")
    if _WINDOWS_DEVICE.fullmatch(name):
        raise ValueError(f"{shown(name)} is a name that Windows reserves for a device; choose another one")
    return name


def _one_line(text: str) -> str:
    if not text.isprintable() or not text.strip():
        raise ValueError(
            f"{shown(text)} must be one line of printable text; take out line breaks and control characters"
        )
    return text


def _web_address(text: str) -> str:
    if not _WEB_ADDRESS.fullmatch(text):
        raise ValueError(
            f"{shown(text)} is not a web address; write it whole, without spaces, as in https://example.org/film"
        )
    return text


def _color(text: str) -> str:
    if not is_hex(text):
        raise ValueError(
            f'{shown(text)} is not a colour; write # and six hexadecimal digits in quotes, as in "#20a0ff"'
        )
    return text.lower()


def _auto_or_color(text: str) -> str:
    return text if text == "auto" else _color(text)


def _without_repeats(items: tuple[_Item, ...]) -> tuple[_Item, ...]:
    for item in items:
        if items.count(item) > 1:
            raise ValueError(f"{shown(item)} is listed more than once; remove the repetition")
    return items


def _gaps(gaps: tuple[int, ...]) -> tuple[int, ...]:
    _without_repeats(gaps)
    if 1 not in gaps:
        raise ValueError("gaps must contain 1, the motion between neighbouring frames; add it")
    return tuple(sorted(gaps))


SafeName = Annotated[str, AfterValidator(_safe_name), Expected("a safe folder name (text)")]
Text = Annotated[str, Field(min_length=1), Expected("a name (text)")]
Line = Annotated[str, Field(min_length=1, max_length=1000), AfterValidator(_one_line), Expected("a line of text")]
WebAddress = Annotated[
    str,
    Field(max_length=1000),
    AfterValidator(_web_address),
    Expected("a web address such as https://example.org (text)"),
]
Pattern = Annotated[str, Field(min_length=1), Expected("a name or pattern (text)")]
Patterns = Annotated[tuple[Pattern, ...], Field(strict=False)]
Gap = Annotated[int, Field(ge=1, le=1000)]
Color = Annotated[str, AfterValidator(_color), Expected(_COLOR_WORDS)]
AutoOrColor = Annotated[str, AfterValidator(_auto_or_color), Expected(f'"auto" or {_COLOR_WORDS}')]
Side = Annotated[int, Field(ge=16, le=16384)]
Resolution = Annotated[
    tuple[Side, Side],
    Field(strict=False),
    Expected("a list [width, height] of two whole numbers, each from 16 to 16384"),
]
SourcePath = Annotated[Path, Field(strict=False), Expected("the path of a .blend file (text)")]
PalettePath = Annotated[Path, Field(strict=False), Expected("the path of a palette, a .yaml file (text)")]
SheetPath = Annotated[Path, Field(strict=False), Expected("the path of an exposure sheet, a .csv or .json file (text)")]
FilmFrames = Annotated[
    tuple[Annotated[int, Field(ge=-999999, le=999999)], ...],
    Field(strict=False),
    Expected("a list of frames, as Blender numbers them"),
]
Overrides = Annotated[Mapping[Pattern, Color], Expected("a mapping from material names or patterns to colours")]
Textures = Annotated[
    Mapping[Pattern, Pattern], Expected("a mapping from material names or patterns to images or attributes")
]
Casting = Annotated[Mapping[Pattern, bool], Expected("a mapping from object names or patterns to true or false")]
Receiving = Annotated[
    Mapping[Pattern, Literal["all", "form", "none"]],
    Expected('a mapping from names or patterns of objects or materials to "all", "form" or "none"'),
]
Groups = Annotated[
    Annotated[Literal["auto"], Tag("[auto]")] | Annotated[Mapping[SafeName, "LayerGroup"], Tag("[groups]")],
    Discriminator(lambda value: "[groups]" if isinstance(value, Mapping) else "[auto]"),
    Expected('"auto" or a mapping from names of layers to their objects and collections'),
]
Share = Annotated[float, Field(ge=0, le=1)]
Coordinate = Annotated[float, Field(ge=-1e7, le=1e7)]
Point = Annotated[
    tuple[Coordinate, Coordinate, Coordinate], Field(strict=False), Expected("a list [x, y, z] of three numbers")
]


class Section(BaseModel):
    """A part of the configuration: frozen, without unknown keys and without silent conversions."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


def offset_for_files(first: int, last: int) -> int:
    """What `frames.offset` has to be for frames of a film to have file names that loaders sort right.

    Args:
        first: First frame, as Blender numbers it.
        last: Last frame.

    Returns:
        0 where that will do; else the smallest number of thousands, so that the last three digits of a frame stay.
    """
    thousands = sorted(range(-1000, 2001), key=lambda number: (abs(number), number < 0))
    return next(
        1000 * number for number in thousands if _are_sorted_by_name(first + 1000 * number, last + 1000 * number)
    )


def _are_sorted_by_name(first: int, last: int) -> bool:
    """Whether file names of all numbers between are sorted as the numbers are ("10000.png" sorts before "9999.png")."""
    return first >= 0 and len(f"{first:04d}") == len(f"{last:04d}")


class Frames(Section):
    """Which frames of the film make up the clip."""

    first: int = Field(ge=-999999, le=999999, description="First frame of the clip, as Blender numbers it.")
    last: int = Field(
        ge=-999999,
        le=999999,
        description="Last frame of the clip; included where the step reaches it exactly. Frames outside the scene's "
        "own range show what the animation holds; where nothing is animated in them, the run notes it.",
    )
    step: int = Field(
        default=1,
        ge=1,
        le=999999,
        description="Distance between neighbouring frames of the clip: 2 makes a 12 fps clip from a film of 24 fps. "
        "Motion and labels span exactly this distance.",
    )
    offset: int = Field(
        default=0,
        ge=-999999,
        le=2000000,
        description="Added to the film's frame numbers to give those of the files, which cannot be negative and need "
        "equally many digits: with 1000, frame -20 becomes `0980.png`. The command line, the report and all labels "
        "count as the files do.",
    )

    @property
    def film_numbers(self) -> tuple[int, ...]:
        """The film's frame numbers that the clip consists of, ascending; at least two."""
        return tuple(range(self.first, self.last + 1, self.step))

    @property
    def numbers(self) -> tuple[int, ...]:
        """The numbers of the clip's frames in names of files, ascending; at least two."""
        return tuple(frame + self.offset for frame in self.film_numbers)

    @model_validator(mode="after")
    def _make_a_clip(self) -> Self:
        if self.first + self.step > self.last:
            raise ValueError(
                f"first {self.first}, last {self.last} and step {self.step} leave fewer than two frames, and motion"
                f" needs two; raise last to {self.first + self.step} or more"
            )
        # published loaders pair files by sorted name
        film_final = self.first + (self.last - self.first) // self.step * self.step
        first, final = self.first + self.offset, film_final + self.offset
        if not _are_sorted_by_name(first, final):
            fault = (
                "would have files of negative numbers, which cannot be"
                if first < 0
                else "need file names of different lengths, which loaders sort wrongly"
            )
            which = f" (offset {self.offset} included)" if self.offset else ""
            raise ValueError(
                f"frames {first} to {final}{which} {fault}; set offset to {offset_for_files(self.first, film_final)}"
            )
        return self


class Remove(Section):
    """What is taken out of the scene before rendering."""

    rules: Annotated[tuple[RemovalRule, ...], Field(strict=False), AfterValidator(_without_repeats)] = Field(
        default=("unseen", "volumes", "light_panels", "glowing"),
        description="What is found and removed by itself, except what `keep` names. `unseen`: what a film camera does "
        "not see (ray visibility, holdouts, shadow catchers, bare wire and bounds display). `volumes`: fog, smoke and "
        "fire. `light_panels`: flat surfaces that shine. `glowing`: lamps, bulbs, glints and orbs that shine and are "
        "small in the picture.",
    )
    glow_strength: float = Field(
        default=1.5,
        gt=0,
        le=1e6,
        description="Emission (strength times brightest channel) above which the rules take a surface for a light; 1 "
        "is plain unlit colour.",
    )
    glow_size: float = Field(
        default=0.15,
        gt=0,
        le=10,
        description="Largest extent in the picture, as a share of its height, of what the rule `glowing` removes.",
    )
    objects: Patterns = Field(
        default=(),
        description="Objects to remove, by name or pattern; of what draws nothing itself (an empty, an armature) "
        "everything that hangs on it.",
    )
    collections: Patterns = Field(
        default=(), description="Collections to remove with everything in them, by name or pattern."
    )
    materials: Patterns = Field(
        default=(),
        description="Materials whose surfaces are removed, by name or pattern; other faces of the same object stay.",
    )


class Keep(Section):
    """What no rule may remove."""

    objects: Patterns = Field(
        default=(),
        description="Objects to keep, by name or pattern; of what draws nothing itself (an empty, an armature) "
        "everything that hangs on it.",
    )
    collections: Patterns = Field(
        default=(), description="Collections to keep with everything in them, by name or pattern."
    )
    materials: Patterns = Field(
        default=(), description="Materials whose objects are kept, by name or pattern, however they shine."
    )


class HairTreatment(Section):
    """What becomes of a hair system."""

    mode: Literal["clump", "instance", "keep", "remove"] = Field(
        default="clump",
        description="`clump`: locks of flat colour that follow the guide hairs. `instance`: a copy of `object` in the "
        "place of each hair. `keep`: every strand, as a thin tube. `remove`: bare skin.",
    )
    object: Text | None = Field(default=None, description="The object that mode `instance` puts in a hair's place.")
    locks: int = Field(
        default=160, ge=1, le=10000, description="Largest number of locks that mode `clump` makes of a system."
    )

    @model_validator(mode="after")
    def _instances_need_an_object(self) -> Self:
        if (self.mode == "instance") != (self.object is not None):
            raise ValueError("mode instance needs an object, and only that mode has one; set both or neither")
        return self


class Hair(HairTreatment):
    """What becomes of hair and fur: particle hair and hair curves."""

    systems: Annotated[
        Mapping[Pattern, HairTreatment], Expected("a mapping from hair systems to what becomes of each")
    ] = Field(
        default={},
        description="Other treatment of single systems, by name or pattern of `<object>/<system>`, or of the object "
        "for hair curves; of several patterns that fit, the first counts.",
    )


class ParticleTreatment(Section):
    """What becomes of an emitter of particles."""

    mode: Literal["instances", "remove"] = Field(
        default="instances",
        description="`instances`: objects and collections that particles show stay, halos and paths become small "
        "balls; each is followed as long as it lives. `remove`: no particles.",
    )
    size: Annotated[float, Field(gt=0, le=1e6)] | None = Field(
        default=None,
        description="Diameter in scene units of the largest balls that stand for halos; null: the halos' own.",
    )


class Particles(ParticleTreatment):
    """What becomes of particles that are no hair."""

    systems: Annotated[
        Mapping[Pattern, ParticleTreatment], Expected("a mapping from particle systems to what becomes of each")
    ] = Field(
        default={},
        description="Other treatment of single systems, by name or pattern of `<object>/<system>`; of several patterns "
        "that fit, the first counts.",
    )


class Transparency(Section):
    """What becomes of surfaces with holes; everything else is made solid, in the colour of its opaque part."""

    alpha_textures: Literal["clip", "solid"] = Field(
        default="clip",
        description="Surfaces whose image has see-through parts, such as cards of leaves. `clip`: these parts are "
        "holes, in pictures and labels alike. `solid`: they are filled.",
    )
    threshold: float = Field(
        default=0.5, gt=0, lt=1, description="Alpha below which a texel of a clipped image is a hole."
    )
    materials: Annotated[
        Mapping[Pattern, Literal["clip", "solid", "remove"]],
        Expected('a mapping from material names or patterns to "clip", "solid" or "remove"'),
    ] = Field(
        default={},
        description="Other treatment of single materials, by name or pattern; of several patterns that fit, the first "
        "counts. `remove`: the material's faces go, and what lies behind is seen: panes before the camera, lenses of "
        "glasses.",
    )


class CameraKey(Section):
    """Where a camera of the configuration is at a frame."""

    frame: int = Field(ge=-999999, le=999999, description="Frame, as Blender numbers it.")
    location: Point = Field(description="Where the camera stands, in the world's coordinates.")
    target: Point = Field(description="What it looks at, in the middle of the picture.")
    lens: float = Field(default=50.0, gt=0, le=10000, description="Focal length in millimetres (36 mm sensor width).")
    roll: float = Field(
        default=0.0, ge=-360, le=360, description="Turn about the view axis, clockwise for the camera; degrees."
    )


class CameraMotion(Section):
    """How the camera moves, where it is not left as it is."""

    focal_length: Literal["dolly", "keep"] = Field(
        default="dolly",
        description="What becomes of an animated focal length. `dolly`: it is fixed, and the camera moves along its "
        "view axis such that what is in focus is as large in every picture as in the film. `keep`: the zoom stays.",
    )
    fixed_focal_length: Annotated[float, Field(gt=0, le=10000)] | None = Field(
        default=None,
        description="Focal length in millimetres that `dolly` fixes; null: that of the first frame that it films.",
    )
    focus_distance: Annotated[float, Field(gt=0, le=1e7)] | None = Field(
        default=None,
        description="Distance along the view axis at which `dolly` leaves sizes as they are, in scene units; null: "
        "that of the camera's focus object, else of its depth of field where that is on, else the median depth of the "
        "first frame that it films.",
    )
    keyframes: Annotated[tuple[CameraKey, ...], Field(strict=False)] = Field(
        default=(),
        description="A camera of the configuration's own, for scenes without one or for further views of the same "
        "action; it moves smoothly through these, and stands still with only one. `camera` and `camera_cuts` then "
        "count for nothing.",
    )

    @model_validator(mode="after")
    def _keyframes_ascend(self) -> Self:
        numbers = [key.frame for key in self.keyframes]
        if any(later <= earlier for earlier, later in pairwise(numbers)):
            raise ValueError("the frames of keyframes must ascend, each only once; put them in order")
        for key in self.keyframes:
            if key.location == key.target:
                raise ValueError(f"the key at frame {key.frame} looks at the place where it stands; move its target")
        return self


class Shade(Section):
    """Base, shadow and highlight, each flat, with hard borders; see ``docs/anime_look.md``."""

    tones: Literal[1, 2, 3] = Field(
        default=1,
        description="How many tones each colour has. 1: no shade, as in the paper. 2: base and shadow. 3: base, shadow "
        "and highlight. With shade there are the modalities `Shade` and `Trace`; `Flat` stays without.",
    )
    light: Text = Field(
        default="auto",
        description="The key light: name of a sun, area, spot or point light of the film. `auto`: of its suns, area "
        "and spot lights the one that gives most light to what is in focus in the clip's first frame; where there is "
        "none, light from above on the left of that frame's camera.",
    )
    direction: Point | None = Field(
        default=None,
        description="Direction in which parallel light shines, [x, y, z] of any length; it counts instead of `light`.",
    )
    direction_space: Literal["world", "camera"] = Field(
        default="world",
        description="What `direction` is fixed in. `camera`: x to the right, y up, z towards the camera, so that the "
        "light moves with it.",
    )
    terminator: float = Field(
        default=0.1,
        ge=-1,
        lt=1,
        description="Cosine of the angle between a surface's normal and the light below which it is in shadow; 0 is "
        "where it turns away, larger values give more shadow.",
    )
    highlight: float = Field(
        default=0.98,
        gt=0,
        lt=1,
        description="Cosine of the angle between the normal and the half-way vector of light and camera above which a "
        "curved surface shows a highlight; smaller values give larger ones.",
    )
    smallest: int = Field(
        default=30,
        ge=0,
        le=1_000_000,
        description="Regions of the shade of fewer pixels take the tone of what they border on.",
    )
    cast: Casting = Field(
        default={},
        description="Whether objects cast shadows, by name or pattern; of several patterns that fit, the first counts. "
        "What no pattern fits does, except what glows.",
    )
    receive: Receiving = Field(
        default={},
        description="How surfaces are shaded, by name or pattern of the object or of the material; of several that "
        "fit, the first counts. `all`: wholly, as what no pattern fits. `form`: where they turn away from the light, "
        "without shadows that are cast on them. `none`: not at all. What shines by more than `remove.glow_strength` "
        "never is.",
    )
    value: float = Field(
        default=0.74,
        gt=0,
        le=1,
        description="Lightness (Oklab) of a shadow colour as a share of that of its base colour.",
    )
    hue: float = Field(
        default=290,
        ge=0,
        le=360,
        description="Hue towards which shadows are shifted, in degrees of Oklab: 290 is a bluish violet, 50 an orange.",
    )
    hue_shift: float = Field(
        default=14,
        ge=0,
        le=57,
        description="Degrees by which a shadow's hue is shifted towards `hue` at most.",
    )
    tint: float = Field(
        default=0.02,
        ge=0,
        le=0.4,
        description="Chroma (Oklab) of `hue` that shadows get in addition, greys too.",
    )
    highlight_value: float = Field(
        default=0.45,
        ge=0,
        le=1,
        description="How far a highlight's lightness goes from that of the base colour to white.",
    )
    palette: PalettePath | None = Field(
        default=None,
        description="A palette with shadow colours, which `animerun-gen palette` learns from frames of anime, relative "
        "to the YAML file that names it; shadows then differ from their base colours as they do there, instead of as "
        "`value`, `hue`, `hue_shift` and `tint` say.",
    )
    shadows: Overrides = Field(
        default={},
        description="Shadow colours by material name or pattern, stronger than everything else; of several patterns "
        "that fit, the first counts. In colour passes they count for materials that `recolor.keep` names.",
    )
    highlights: Overrides = Field(default={}, description="The same for highlights.")

    @property
    def is_on(self) -> bool:
        """Whether frames are shaded at all."""
        return self.tones > 1

    @model_validator(mode="after")
    def _direction_leads_somewhere(self) -> Self:
        if self.direction is not None and not any(self.direction):
            raise ValueError("direction is [0, 0, 0], which leads nowhere; give it a length")
        return self


class Style(Section):
    """How surfaces are coloured."""

    shade: Shade = Field(default=Shade(), description="Base, shadow and highlight, as cels have them.")

    color: Literal["material", "attribute", "texture"] = Field(
        default="material",
        description="`material`: one flat colour a material, the mean where it varies. `attribute`: moreover, colours "
        "that attributes (vertex paint) or objects (their colour, their random number) give are painted as they are. "
        "`texture`: moreover, the material's image where it has one.",
    )
    color_source: Literal["auto", "viewport", "shader"] = Field(
        default="auto",
        description="Where a material's flat colour comes from. `viewport`: its viewport display colour. `shader`: its "
        "shader nodes. `auto`: the shader nodes where the viewport colour is Blender's untouched default, the viewport "
        "colour elsewhere.",
    )
    overrides: Overrides = Field(
        default={},
        description="Flat colours by material name or pattern, stronger than everything else; of several patterns "
        "that fit, the one written first counts (those of an inherited file come after the file's own).",
    )
    textures: Textures = Field(
        default={},
        description="By material name or pattern the name of an image of the file, or of an attribute of the meshes "
        "that wear it, which the material is painted with whatever `color` and its nodes say. The image is laid on by "
        "the mesh's UV map. Of several patterns that fit, the one written first counts; `overrides` are stronger.",
    )
    background: AutoOrColor = Field(
        default="auto", description="Colour where no surface is seen. `auto`: the colour of the scene's world."
    )


LineKindName = Literal["silhouette", "crease", "border", "intersection", "material", "mark"]
"""The kinds of lines that are drawn, see :class:`animerun_gen.lines.kinds.LineKind`."""


class LineRule(Section):
    """How some lines are drawn."""

    on: Pattern = Field(
        default="*",
        description="Lines of these objects or materials, by name or pattern: those that bound them, and those within.",
    )
    kinds: Annotated[tuple[LineKindName, ...], Field(strict=False), AfterValidator(_without_repeats)] = Field(
        default=(), description="Lines of these kinds alone; empty: of all. They are those of `lines.kinds`."
    )
    color: AutoOrColor | None = Field(
        default=None,
        description="Their colour; `auto`: a darker tone of the flat colour beside the line; null: `lines.color`. In "
        "colour passes, a colour for what `on` names counts for materials that `recolor.keep` names, and others have "
        "`auto`.",
    )
    thickness: float = Field(default=1, gt=0, le=20, description="Their thickness, times that of all lines.")


class LineDepth(Section):
    """How lines get thinner with the distance."""

    near: float = Field(
        default=0, ge=0, le=1e7, description="Distance along the view axis, in scene units, up to which they do not."
    )
    far: float = Field(default=100, gt=0, le=1e7, description="Distance from which on they get no thinner.")
    thickness: float = Field(default=1, gt=0, le=20, description="Their thickness there, times that of all lines.")

    @model_validator(mode="after")
    def _ends_behind_its_start(self) -> Self:
        if self.far <= self.near:
            raise ValueError(f"far is {self.far:g}, not behind near, {self.near:g}; make it larger")
        return self


class LineHand(Section):
    """How a line varies, as if someone had drawn it; it stays with the surface and is the same in every frame."""

    thickness: float = Field(default=0, ge=0, le=1, description="By how much thickness usually differs, as a share.")
    offset: float = Field(default=0, ge=0, le=20, description="How far lines are usually off, in pixels.")


class LineGaps(Section):
    """Open places in lines, which stay with the surface."""

    share: Share = Field(
        default=0,
        description="Share of the places where a gap may be that are open; there are one or two dozen along the "
        "outline of an object.",
    )
    radius: float = Field(default=2, gt=0, le=100, description="Radius of a gap in pixels: nothing is drawn in there.")


class LineStyle(Section):
    """How the frame shows its lines; the line art (`contour`) stays closed and hard, see ``docs/lines.md``."""

    antialias: bool = Field(default=False, description="Whether lines may cover pixels in part.")
    thickness: Annotated[float, Field(gt=0, le=100)] | None = Field(
        default=None, description="Thickness in pixels, fractions too; null: `lines.thickness`."
    )
    rules: Annotated[tuple[LineRule, ...], Field(strict=False)] = Field(
        default=(), description="Colour and thickness by surface and kind; of several rules that fit, the first counts."
    )
    auto_value: float = Field(
        default=0.5,
        ge=0,
        le=2,
        description="Lightness (Oklab) of an `auto` colour as a share of that of the colour beside the line.",
    )
    auto_chroma: float = Field(default=1.2, ge=0, le=4, description="The same for its chroma.")
    depth: LineDepth = Field(default=LineDepth(), description="Thinner lines farther away.")
    hand: LineHand = Field(default=LineHand(), description="A hand that is not quite steady.")
    gaps: LineGaps = Field(default=LineGaps(), description="Open places, to train segmentation against.")

    @property
    def is_on(self) -> bool:
        """Whether frames show other lines than the line art."""
        return self != LineStyle()


class Lines(Section):
    """How contours are drawn."""

    engine: Literal["freestyle", "geometry", "auto"] = Field(
        default="freestyle",
        description="Who draws the lines. `freestyle`: Blender's Freestyle and Workbench's outline; their cost grows "
        "with the number of triangles. `geometry`: this program, from what each pixel sees; about 0.15 s a frame of "
        "960x540 however many triangles there are. `auto`: Freestyle unless it would take too long or too much memory "
        "for the clip's first, middle or last frame; what was chosen, and why, stands in the summary and in the "
        "manifest.",
    )
    outline: bool = Field(
        default=True, description="Draw an outline around objects: one like Workbench's, or that of `geometry`."
    )
    intersections: bool = Field(
        default=True,
        description="Complete the outline where surfaces of two objects cut through each other (a stone on the ground) "
        "and, if `edges` lists `material_boundary`, where two materials meet: Workbench leaves dots there, and "
        "Freestyle nothing, so that segments would leak. Counts only with `outline`.",
    )
    freestyle: bool = Field(
        default=True,
        description="Draw the lines that `edges` names, by Freestyle or by `geometry`, and not the outline alone.",
    )
    edges: Annotated[tuple[EdgeType, ...], Field(strict=False), AfterValidator(_without_repeats)] = Field(
        default=("silhouette", "crease", "border", "contour", "external_contour", "material_boundary", "edge_mark"),
        description="The kinds of edges, in Freestyle's terms, that become lines. `geometry` refuses `ridge_valley` "
        "and `suggestive_contour`.",
    )
    crease_angle: float = Field(
        default=134.43,
        gt=0,
        le=180,
        description="Faces that meet at a smaller angle than this make a crease; degrees, 180 is flat.",
    )
    thickness: float = Field(
        default=1.5,
        gt=0,
        le=100,
        description="Thickness of lines in pixels: of Freestyle's, or of all "
        "that `geometry` draws, whose lines are 1 pixel below 3, then 3, 5 and so on.",
    )
    color: Color = Field(default="#000000", description="Colour of all lines in the colour frame.")
    gamma: float = Field(
        default=0.2,
        gt=0,
        le=10,
        description="Gamma of the line art: `out = 255 * (in / 255) ** (1 / gamma)`; smaller values make faint lines "
        "darker. Counts for Freestyle only: `geometry` draws no faint ones.",
    )
    kinds: bool = Field(
        default=False,
        description="Write `LineKind`: what each pixel of a line is the border of. Only with engine `geometry`.",
    )
    shade_border: bool = Field(
        default=False,
        description="Have `LineKind`, and the strokes of `vector`, show the borders of the shade, too, where `Trace` "
        "draws them (`style.shade`).",
    )
    style: LineStyle = Field(
        default=LineStyle(),
        description="How the frame shows its lines: colours, thickness, a hand, gaps, anti-aliased. Only with engine "
        "`geometry`.",
    )

    vector: bool = Field(
        default=False,
        description="Write the lines of each frame as strokes, too: chains of points on the edges of meshes, and "
        "around the holes that images cut, which the next frames have again, hidden ones included. Needs `engine: "
        "geometry`.",
    )

    @property
    def switches(self) -> tuple[str, ...]:
        """The settings that are on by which files of their own are made, see :class:`.Modality`."""
        on = (
            ("lines.kinds", self.kinds),
            ("lines.style", self.style.is_on),
            ("lines.style.gaps.share", self.style.gaps.share > 0),
            ("lines.vector", self.vector),
        )
        return tuple(name for name, is_on in on if is_on)

    @model_validator(mode="after")
    def _geometry_has_strokes(self) -> Self:
        if self.vector and self.engine != "geometry":
            raise ValueError(
                f"vector is on, but engine is {self.engine}, whose lines are pixels; set engine to geometry or vector "
                "to false"
            )
        return self

    @model_validator(mode="after")
    def _freestyle_has_edges(self) -> Self:
        if self.freestyle and not self.edges:
            raise ValueError(
                "freestyle is on but edges is empty; list at least one kind of edge or set freestyle to false"
            )
        return self

    @model_validator(mode="after")
    def _kinds_are_known(self) -> Self:
        for name, is_on in (("kinds", self.kinds), ("style", self.style.is_on)):
            if is_on and self.engine != "geometry":
                raise ValueError(
                    f"{name} is set, but engine is {self.engine}: Freestyle does not tell what its lines are; set "
                    f"engine to geometry or leave {name} out"
                )
        if self.shade_border and not self.kinds and not self.vector:
            raise ValueError(
                "shade_border is set, but kinds is off, so nothing would show it, and no strokes are written either; "
                "set kinds or vector to true"
            )
        return self

    @model_validator(mode="after")
    def _engine_draws_what_is_asked_for(self) -> Self:
        if self.engine == "auto" and not self.freestyle:
            raise ValueError(
                "engine auto chooses who draws the lines of edges, but freestyle is off, so there are none; set engine "
                "to freestyle or geometry, or freestyle to true"
            )
        if self.engine == "geometry" and self.freestyle:
            refused = [edge for edge in self.edges if edge in FREESTYLE_ONLY]
            if refused:
                raise ValueError(
                    f"engine geometry cannot draw {' and '.join(refused)}; remove that from edges or set engine to "
                    "freestyle"
                )
        return self


class LayerTiming(Section):
    """When a layer shows a new drawing, and what it is held in until then."""

    on: int = Field(
        default=1,
        ge=1,
        le=24,
        description="A new drawing every so many frames of the clip: 2 is on twos. It counts from the first frame of "
        "the clip, or behind a camera cut.",
    )
    phase: int = Field(
        default=0,
        ge=0,
        le=23,
        description="How many frames later the drawings change, less than `on`: on twos with 1 in the second frame, "
        "the fourth and so on. Until then the first is held.",
    )
    hold: Literal["world", "screen"] = Field(
        default="world",
        description="What a drawing is held in. `world`: it stays where it is in the set, and slides under a pan. "
        "`screen`: it stays where it is in the picture, and moves with the camera.",
    )
    frames: FilmFrames | None = Field(
        default=None,
        description="Film frames that the layer shows, one for each frame of the clip, all of them frames of the clip; "
        "they count instead of `on`.",
    )

    @model_validator(mode="after")
    def _phase_is_part_of_it(self) -> Self:
        if self.phase >= self.on:
            raise ValueError(f"phase {self.phase} is not less than on {self.on}; lower it")
        return self


class Timing(Section):
    """Layers that are drawn on twos and threes under a camera on ones; see ``docs/timing.md``."""

    layers: Annotated[
        Mapping[Text, LayerTiming], Expected("a mapping from names of layers.groups to when they change")
    ] = Field(
        default={},
        description="By name of a layer (`layers.groups`, or `set` for all the rest) when it shows a new drawing. "
        '`"*"`: all that are not named, but for the set. What nothing here is about is on ones.',
    )
    sheet: SheetPath | None = Field(
        default=None,
        description="An exposure sheet, CSV or JSON, relative to the YAML file that names it: one row a frame, one "
        "column a layer; an empty cell holds the row above. For its layers it counts instead of `on` and `frames`.",
    )
    cells: Literal["film_frames", "drawings"] = Field(
        default="film_frames",
        description="What the numbers in the sheet are. `film_frames`: frames of the film. `drawings`: numbers of "
        "drawings, each of which shows the film as it is where the number stands first.",
    )

    @property
    def is_on(self) -> bool:
        """Whether any layer has a timing of its own."""
        return bool(self.layers) or self.sheet is not None

    def of(self, names: Iterable[str]) -> Timing:
        """The same with layers of these names in place of :data:`OTHER_LAYERS`."""
        others = self.layers.get(OTHER_LAYERS)
        if others is None:
            return self
        layers = {name: timing for name, timing in self.layers.items() if name != OTHER_LAYERS}
        layers |= {name: others for name in names if name not in layers and name != SET_LAYER}
        return self.model_copy(update={"layers": layers})


class Motion(Section):
    """How motion is found and what is written beside it."""

    backend: Literal["geometry", "cycles"] = Field(
        default="geometry",
        description="`geometry`: exact flow from the scene's evaluated geometry. `cycles`: Cycles' Vector pass as the "
        "paper used it, refused where that pass is known to be wrong.",
    )
    background: Literal["infinity", "static", "invalid"] = Field(
        default="infinity",
        description="How pixels move that show no surface. `infinity`: as points infinitely far away when the camera "
        "turns. `static`: not at all. `invalid`: their motion is marked unknown.",
    )
    unknown: Literal["mark", "fill", "refuse"] | None = Field(
        default=None,
        description="What becomes of pixels whose motion is unknown; `Valid` is 0 there whatever this says. `mark`: "
        "their flow is 1e10. `fill`: it continues the nearest known motion of the same object, else of the background, "
        "for readers that take every pixel for known. `refuse`: as `mark`, and the cut fails the quality gate, which "
        "names frames, objects and causes. null: `refuse` in the split `test`, `mark` in the others.",
    )
    extras: Annotated[tuple[Extra, ...], Field(strict=False), AfterValidator(_without_repeats)] = Field(
        default=("ids", "exact_occlusion"),
        description="Companions written beside the flow. `depth`: distance along the view axis. `ids`: object and "
        "material maps with tables of names. `normals`: surface normals. `exact_occlusion`: is the surface point "
        "hidden, or outside the picture, in the other frame. `scene_flow`: by how much its depth changes. "
        "`correspondence`: the surfaces themselves, from which motion between any two frames follows without Blender.",
    )
    gaps: Annotated[tuple[Gap, ...], Field(strict=False), AfterValidator(_gaps)] = Field(
        default=(1,),
        description="Distances in frames of the clip over which motion is written. 1, the neighbouring frames, is "
        "always among them; the others lie in folders of their own (`Gap2/Flow/...`).",
    )
    tracks: int = Field(
        default=0,
        ge=0,
        le=1_000_000,
        description="Number of surface points that are followed through the whole clip (`Tracks`); 0: none.",
    )

    @model_validator(mode="after")
    def _vector_pass_knows_neighbours_only(self) -> Self:
        if self.backend == "cycles" and (self.gaps != (1,) or self.tracks):
            raise ValueError(
                "backend cycles gives motion between neighbouring frames only; for gaps beyond 1 or tracks set backend "
                "to geometry"
            )
        return self


class Labels(Section):
    """How labels are made from pictures and motion."""

    occlusion_threshold: float = Field(
        default=0.5,
        gt=0,
        le=1000,
        description="A pixel is occluded where its flow there and back ends farther than this from where it began; "
        "pixels.",
    )
    line_distance: float = Field(
        default=10, gt=0, le=1000, description="How far from a line its surroundings (`LineArea`) reach; pixels."
    )
    line_threshold: int = Field(
        default=128, ge=1, le=255, description="A pixel of the line art that is darker than this grey value is a line."
    )
    ball_radius: int = Field(
        default=3,
        ge=1,
        le=50,
        description="Radius of the largest ball of the trapped-ball segmentation in pixels; gaps in lines up to its "
        "diameter do not leak.",
    )
    segment_by: Literal["lines", "regions"] = Field(
        default="lines",
        description="What parts segments. `lines`: the line art alone. `regions`: the borders of the shade, too; it "
        "needs `style.shade.tones`.",
    )
    match_occlusion: Literal["forward_backward", "exact"] = Field(
        default="forward_backward",
        description="Which occlusion keeps pixels from voting for matches of segments. `forward_backward`: the paper's "
        "rule, as in `Unmatched*`. `exact`: that of the geometry, as in `ExactOcclusion`; it needs `exact_occlusion` "
        "among `motion.extras`.",
    )


class LayerGroup(Section):
    """What belongs to a layer, besides everything that hangs on it and is in no other layer."""

    objects: Patterns = Field(
        default=(),
        description="Objects of the layer, by name or pattern; of what draws nothing itself (an empty, an armature) "
        "everything that hangs on it.",
    )
    collections: Patterns = Field(
        default=(), description="Collections that belong to the layer with everything in them, by name or pattern."
    )

    @model_validator(mode="after")
    def _names_something(self) -> Self:
        if not self.objects and not self.collections:
            raise ValueError("a layer of nothing; name its objects or collections")
        return self


class Layers(Section):
    """The cels that a frame is put together from; see ``docs/layers.md``."""

    groups: Groups = Field(
        default={},
        description="The layers by their names, each with patterns of `objects` and `collections`; of several that "
        "fit, the first counts. Everything else is the layer `set`, and so is what is seen where there is no surface. "
        "Instances belong to the layer of the object that makes them. `auto`: what has an armature or moves by itself "
        "is a layer of its own, with all that hangs on it; which ones there are stands in the summary.",
    )
    write: bool = Field(
        default=False,
        description="Write each layer alone, as if nothing were before it, into `Layers/<layer>/...`. It needs lines "
        "of the engine `geometry`.",
    )
    passes: bool = Field(
        default=False,
        description="Write the cels in the colours of each colour pass, too, into `Layers/<layer>/color_1/...`, and "
        "the lines over them into `color_1/LineLayer/...`. It needs `write` and `recolor.passes`.",
    )

    @model_validator(mode="after")
    def _passes_have_cels(self) -> Self:
        if self.passes and not self.write:
            raise ValueError("passes is set, but write is off, so there are no cels; set write to true")
        return self

    @model_validator(mode="after")
    def _set_is_ours(self) -> Self:
        if self.groups != "auto":
            if SET_LAYER in (name.lower() for name in self.groups):
                raise ValueError(
                    f"{SET_LAYER} is the layer of everything that is in no other; give the group another name"
                )
            if len({name.lower() for name in self.groups}) < len(self.groups):
                raise ValueError(
                    "names of layers differ in upper and lower case only, and some disks know no such "
                    "difference; choose others"
                )
            if len(self.groups) >= MOST_LAYERS:
                raise ValueError(f"there are {len(self.groups)} layers; at most {MOST_LAYERS - 1} can be told apart")
        return self

    @property
    def written(self) -> tuple[str, ...]:
        """Names of the layers that are written, the set first; none where ``write`` is off.

        Those of ``groups: auto`` are known when they are found, which a run does before everything else.
        """
        return (SET_LAYER, *([] if self.groups == "auto" else self.groups)) if self.write else ()


class Files(Section):
    """In which form files are kept, beside what published loaders demand; see ``docs/dataset.md``."""

    compression: Literal["none", "npz"] = Field(
        default="none",
        description="Of masks and segments (`Unmatched...`, `LineArea`, `Segment`). `none`: `.npy` files, which "
        "published loaders read. `npz`: the same arrays in compressed `.npz` files, a fiftieth of the size, which "
        "`animerun_gen.dataset` and all commands read as well, and published loaders do not.",
    )

    @property
    def compressed(self) -> bool:
        """Whether masks and segments are compressed."""
        return self.compression != "none"


class Recolor(Section):
    """Further passes of the colour frames, in the colour designs of a palette; see ``docs/palette.md``."""

    passes: int = Field(
        default=0,
        ge=0,
        le=99,
        description="Number of passes `color_1`, `color_2` and so on beside `original`; they need `ids` among "
        "`motion.extras`.",
    )
    palette: PalettePath | None = Field(
        default=None,
        description="A palette that `animerun-gen palette` made, relative to the YAML file that names it; "
        "`${VARIABLE}` stands for an environment variable; null: the one that comes with the program.",
    )
    keep: Patterns = Field(
        default=(),
        description="Materials that keep their colours, by name or pattern; `background` is one, and `no material`.",
    )


class Quality(Section):
    """When a frame or a pair of frames is reported, and with `--strict` fails the run."""

    max_warp_error: float = Field(
        default=0.01,
        ge=0,
        le=1,
        description="Pairs with a larger warp error (mean difference of the colour frames in 0..1 outside occlusions, "
        "by point sampling) are named in the summary; the default is the paper's.",
    )
    max_flat_warp_error: float = Field(
        default=0.001,
        ge=0,
        le=1,
        description="The same for the frames without lines, outside the exact occlusion where there is one: exact flow "
        "leaves far less.",
    )
    max_edge_error: float = Field(
        default=0.003,
        ge=0,
        le=1,
        description="The same over only those pixels that are not of one colour with their neighbours: elsewhere any "
        "flow looks right.",
    )
    max_round_trip: float = Field(
        default=0.05,
        ge=0,
        le=1000,
        description="Largest median distance in pixels at which the flow there and back ends from where it began, over "
        "visible pixels.",
    )
    max_identity_error: float = Field(
        default=0.002,
        ge=0,
        le=1,
        description="Largest share of the pixels, of those that can be compared in sampled pairs, whose flow leads to "
        "another surface point than the one it comes from.",
    )
    max_reprojection_error: float = Field(
        default=0.001,
        ge=0,
        le=1000,
        description="Largest distance in pixels, of surfaces that stand still, between where the flow ends and where "
        "depth and cameras place the point.",
    )
    min_agreement: float = Field(
        default=0.999,
        ge=0,
        le=1,
        description="Smallest share of a frame's pixels at which the picture shows the material that the id map names. "
        "Below 1, a single pixel of another colour passes, among however few that can be compared.",
    )
    max_leaks: float = Field(
        default=0.02,
        ge=0,
        le=1,
        description="Largest share of a frame's pixels, lines left out, in a segment that mainly shows another "
        "surface.",
    )
    min_surfaces: float = Field(
        default=0.01,
        ge=0,
        le=1,
        description="Share of the picture that surfaces cover at least. A clip shows nothing when most of its frames "
        "show less.",
    )
    max_one_surface: float = Field(
        default=0.99,
        ge=0,
        le=1,
        description="Share of the picture that a single surface (of one object and one material) covers at most. A "
        "clip shows nothing when the same one covers more in most of its frames, and is of one colour or stands still.",
    )
    max_one_color: float = Field(
        default=0.999,
        ge=0,
        le=1,
        description="Share of the colour frame, lines included, that has one and the same colour at most. A clip shows "
        "nothing when more has in most of its frames.",
    )
    max_lines: float = Field(
        default=0.5,
        ge=0,
        le=1,
        description="Share of the picture that is line at most. A clip shows nothing when more is in most of its "
        "frames.",
    )


class AutoSplit(Section):
    """Where ``split: auto`` puts a film."""

    train: Share = Field(default=0.8, description="Share of the films in `train`.")
    val: Share = Field(default=0.1, description="Share of the films in `val`.")
    test: Share = Field(default=0.1, description="Share of the films in `test`; the three add up to 1.")
    seed: int = Field(default=0, ge=0, le=2**32 - 1, description="Another seed deals the films anew.")

    def of(self, film: str) -> Literal["train", "val", "test"]:
        """The split of a film.

        Args:
            film: Its name.

        Example:
            >>> AutoSplit(train=0.0, val=1.0, test=0.0).of("courier")
            'val'
        """
        digest = hashlib.sha256(f"{self.seed} {film}".encode()).digest()
        # exact in a float, and below 1
        place = int.from_bytes(digest[:6], "big") / 2**48
        splits: tuple[Literal["train", "val", "test"], ...] = ("train", "val", "test")
        ends = accumulate((self.train, self.val, self.test))
        # what rounding leaves beyond the last end is the last one's that has a share
        found = [split for split, end in zip(splits, ends, strict=True) if place < end]
        return found[0] if found else next(split for split in reversed(splits) if getattr(self, split) > 0)

    @model_validator(mode="after")
    def _shares_are_all(self) -> Self:
        total = self.train + self.val + self.test
        if abs(total - 1.0) > 1e-6:
            raise ValueError(f"the shares train, val and test add up to {total:g}; make that 1")
        return self


class CutConfig(Section):
    """Everything that a cut asks for; see ``docs/configuration.md``."""

    name: SafeName = Field(
        description="Name of the cut and of its folders in the dataset, where no other cut may have it: up to 100 "
        "letters, digits, dots, hyphens and underscores."
    )
    split: Literal["train", "val", "test", "auto"] = Field(
        default="train",
        description="The part of the dataset that the cut belongs to. `auto`: as `auto_split` says, the same for all "
        "cuts of a film.",
    )
    film: Line | None = Field(
        default=None,
        description="Which film the cut is from, for `split: auto`; null: the file name of `source`.",
    )
    source: SourcePath = Field(
        description="The film scene, relative to the YAML file that names it; `${VARIABLE}` stands for an environment "
        "variable."
    )
    license: Line | None = Field(
        default=None,
        description="What the film's owner allows, as its SPDX identifier where it has one (`CC-BY-4.0`, `CC0-1.0`). "
        "This key and the next three change no picture: manifest, report and dataset card name them.",
    )
    author: Line | None = Field(default=None, description="Who made the film.")
    source_url: WebAddress | None = Field(default=None, description="Where the film can be had.")
    attribution: Line | None = Field(
        default=None,
        description="The sentence by which the film's owner wants to be named; null: made of the other keys.",
    )
    scene: Text | None = Field(default=None, description="Scene inside the file; null: the one it was saved with.")
    view_layer: Text | None = Field(default=None, description="View layer of that scene; null: the file's own.")
    camera: Text | None = Field(default=None, description="Camera object; null: the scene's own camera.")
    camera_cuts: Literal["mark", "split"] = Field(
        default="split",
        description="What becomes of timeline markers that switch to another camera, and of hard cuts keyed on one "
        "camera. `split`: each stretch is a clip of its own, `<name>-1`, `<name>-2` and so on. `mark`: one clip; "
        "nothing is known of the motion across a cut, so that pair is not written, and the cut fails.",
    )
    trust_scripts: bool = Field(
        default=False,
        description="Let Python scripts and drivers inside the `.blend` run. They can do anything that you can: turn "
        "it on only for files that you trust. Handlers are called several times a frame, in several processes: "
        "what they do must depend on the frame alone.",
    )
    seed: int = Field(
        default=0,
        ge=0,
        le=2**32 - 1,
        description="Where random choices begin: which points `motion.tracks` follows, which colours `recolor` gives.",
    )
    frames: Frames = Field(description="Which frames of the film make up the clip.")
    look: Look = Field(
        default="paper",
        description="A set of settings under one name, which everything that the file says elsewhere overrides. "
        "`paper`: the style of AnimeRun, as every default is. `television`: what makes a frame look like a television "
        "series; `docs/anime_look.md` lists what it turns on.",
    )
    auto_split: AutoSplit = Field(
        default=AutoSplit(),
        description="Where `split: auto` puts a film with all its cuts. It depends on the film's name, the seed and "
        "the shares alone, so that no cut ever moves because another one was added. Shares are those of many films; of "
        "a few films one part may have none, and another seed gives another deal.",
    )
    frame_rate: Annotated[float, Field(gt=0, le=1000)] | None = Field(
        default=None,
        description="Frames a second of the film, at step 1; null: as the file says. The clip's rate is this divided "
        "by `frames.step`.",
    )
    resolution: Resolution = Field(default=(960, 540), description="Width and height of all pictures in pixels.")
    recenter: bool = Field(
        default=False,
        description="Move the whole scene before anything is evaluated, so that the camera stands near the origin in "
        "the clip's first frame. Far away Blender's numbers are coarse: 0.008 units at 100,000. Refused where a "
        "constraint, a driver or a simulation holds something in the world.",
    )
    remove: Remove = Field(
        default=Remove(),
        description="What is taken out of the scene before rendering. Patterns know `*` (anything), `?` (one "
        "character) and `[abc]` (one of these); upper and lower case differ.",
    )
    keep: Keep = Field(default=Keep(), description="What no rule of `remove` may take out; patterns as there.")
    hair: Hair = Field(default=Hair(), description="What becomes of hair and fur: particle hair and hair curves.")
    particles: Particles = Field(default=Particles(), description="What becomes of particles that are no hair.")
    grease_pencil: Literal["draw", "remove"] = Field(
        default="draw",
        description="What becomes of Grease Pencil. `draw`: strokes become ribbons that face the camera, fills "
        "polygons, and their points are followed as long as the same drawing is shown. `remove`: neither is drawn. "
        "Single objects are named in `remove.objects`.",
    )
    transparency: Transparency = Field(
        default=Transparency(),
        description="What becomes of surfaces with holes; everything else is made solid, in the colour of its opaque "
        "part.",
    )
    camera_motion: CameraMotion = Field(
        default=CameraMotion(), description="How the camera moves, where it is not left as it is."
    )
    style: Style = Field(default=Style(), description="How surfaces are coloured.")
    lines: Lines = Field(default=Lines(), description="How contours are drawn.")
    timing: Timing = Field(
        default=Timing(), description="Which layers are drawn on twos and threes, while the camera moves on ones."
    )
    motion: Motion = Field(default=Motion(), description="How motion is found and what is written beside it.")
    labels: Labels = Field(default=Labels(), description="How labels are made from pictures and motion.")
    layers: Layers = Field(default=Layers(), description="The cels that a frame is put together from.")
    dataset: Files = Field(default=Files(), description="In which form files are kept.")
    recolor: Recolor = Field(
        default=Recolor(), description="Further passes of the colour frames, in the colour designs of a palette."
    )
    quality: Quality = Field(default=Quality(), description="When a frame or a pair of frames is reported.")

    @model_validator(mode="before")
    @classmethod
    def _lay_over_look(cls, values: Any) -> Any:
        return with_look(values) if isinstance(values, Mapping) else values

    @model_validator(mode="after")
    def _find_split(self) -> Self:
        if self.split == "auto":
            # the model is frozen for everybody else; a copy would not be what its constructor returns
            self.__dict__["split"] = self.auto_split.of(self.film_name)
        return self

    @model_validator(mode="after")
    def _parts_fit_together(self) -> Self:
        if self.labels.match_occlusion == "exact" and "exact_occlusion" not in self.motion.extras:
            raise ValueError(
                "labels.match_occlusion is exact, but motion.extras does not list exact_occlusion; add it there"
            )
        if self.labels.segment_by == "regions" and not self.style.shade.is_on:
            raise ValueError(
                "labels.segment_by is regions, but style.shade.tones is 1, so there are none besides those of the "
                "lines; set tones to 2 or 3"
            )
        if self.lines.shade_border and not self.style.shade.is_on:
            raise ValueError(
                "lines.shade_border is set, but style.shade.tones is 1, so there is no shade; set tones to 2 or 3"
            )
        if self.recolor.passes and "ids" not in self.motion.extras:
            raise ValueError("recolor.passes needs the material ids, but motion.extras does not list ids; add it there")
        if self.timing.is_on:
            self._timing_fits()
        if self.layers.write:
            self._layers_fit()
        if self.layers.passes and not self.recolor.passes:
            raise ValueError(
                "layers.passes is set, but recolor.passes is 0, so there are none; set recolor.passes to 1 or more"
            )
        if self.motion.gaps[-1] >= len(self.frame_numbers):
            raise ValueError(
                f"motion.gaps has {self.motion.gaps[-1]}, but the clip has only {len(self.frame_numbers)} frames; "
                "leave out gaps that reach beyond it"
            )
        return self

    def _timing_fits(self) -> None:
        lines = self.lines
        if self.motion.backend == "cycles":
            raise ValueError(
                "timing holds layers, of which Cycles' Vector pass knows nothing; set motion.backend to geometry"
            )
        if lines.freestyle and lines.engine == "freestyle":
            whose = "timing" if self.look == "paper" else f"timing (a part of look: {self.look})"
            raise ValueError(
                f"{whose} shows layers of different film frames, across which Freestyle cannot draw; set lines.engine "
                "to geometry or auto"
            )
        if refused := [edge for edge in lines.edges if edge in FREESTYLE_ONLY and lines.freestyle]:
            raise ValueError(
                f"timing needs lines of the engine geometry, which cannot draw {' and '.join(refused)}; remove that "
                "from lines.edges"
            )
        groups = self.layers.groups
        for name in self.timing.layers:
            if groups != "auto" and name not in (SET_LAYER, OTHER_LAYERS) and name not in groups:
                raise ValueError(
                    f"timing.layers names {shown(name)}, which is no layer; the layers are "
                    f"{', '.join([SET_LAYER, *groups])}: correct the name, or add it to layers.groups"
                )

    def _layers_fit(self) -> None:
        if self.lines.engine == "freestyle":
            raise ValueError(
                "layers.write needs lines of each layer alone, which Freestyle does not draw; set lines.engine to "
                "geometry or auto"
            )
        if refused := [edge for edge in self.lines.edges if edge in FREESTYLE_ONLY and self.lines.freestyle]:
            raise ValueError(
                f"layers.write needs lines of the engine geometry, which cannot draw {' and '.join(refused)}; remove "
                "that from lines.edges"
            )
        if self.motion.backend == "cycles":
            raise ValueError(
                "layers.write needs the motion of what is hidden, which backend cycles does not know; set "
                "motion.backend to geometry"
            )

    @property
    def film_name(self) -> str:
        """Which film the cut is from: cuts of one film are never on both sides of a split that is found."""
        return self.film or self.source.name

    @property
    def frame_numbers(self) -> tuple[int, ...]:
        """The numbers of the clip's frames, as its files have them, ascending; at least two."""
        return self.frames.numbers

    @property
    def recolored_layers(self) -> tuple[str, ...]:
        """The layers whose cels are made in the colours of each pass."""
        return self.layers.written if self.layers.passes else ()

    def in_film_numbers(self) -> CutConfig:
        """The same cut for whoever looks into the film: its frames have the film's own numbers, negative ones too."""
        return self.model_copy(update={"frames": self.frames.model_copy(update={"offset": 0})})

    @property
    def fills_unknown(self) -> bool:
        """Whether flow continues known motion where none is known, instead of being marked."""
        return self.motion.unknown == "fill"

    @property
    def refuses_unknown(self) -> bool:
        """Whether the cut fails the quality gate where motion is unknown."""
        return self.motion.unknown == "refuse" or (self.motion.unknown is None and self.split == "test")

    @property
    def clip_rate(self) -> float | None:
        """Frames a second of the clip; None where the film's own rate counts, which only the .blend file knows."""
        return None if self.frame_rate is None else self.frame_rate / self.frames.step


def is_safe_name(name: str) -> bool:
    """Whether a cut may have this name."""
    try:
        _safe_name(name)
    except ValueError:
        return False
    return True
