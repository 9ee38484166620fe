"""What was found in a film shot: plain facts, as Blender's side hands them over and ``--json`` shows them."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from pydantic import TypeAdapter

from animerun_gen.engines.film_files import MissingFile

UNTRIED, LOOKED_AT = "untried", "shot"
"""What the inspector found: all facts but whether Freestyle can draw the shot, and all of them."""

Point = tuple[float, float, float]


@dataclass(frozen=True)
class Removal:
    """Something that a rule of ``remove.rules`` takes out, see :class:`animerun_gen.blender.convert.rules.Removal`.

    Names are as the configuration has them, without the library of what is linked.
    """

    rule: str
    object: str
    reason: str
    materials: tuple[str, ...] = ()
    whole_materials: bool = False


@dataclass(frozen=True)
class HairSystem:
    """Hair: ``<object>/<system>``, or the object for hair curves.

    Attributes:
        name: As ``hair.systems`` names it.
        strands: How many guide hairs it has.
        drawn: What a film render draws of it: ``"strands"``, or what is put in each hair's place.
    """

    name: str
    strands: int
    drawn: str


@dataclass(frozen=True)
class GreasePencil:
    """An object of Grease Pencil.

    Attributes:
        name: Its name.
        strokes: How many strokes all its drawings have together.
        layers: How many layers it has.
        unknown: Why its points cannot be followed, the rest of a sentence; empty where they can.
        line_art: Whether a modifier of it draws lines of the scene.
    """

    name: str
    strokes: int
    layers: int
    unknown: str = ""
    line_art: bool = False


@dataclass(frozen=True)
class ParticleSystem:
    """Particles that are no hair.

    Attributes:
        name: ``<object>/<system>``, as ``particles.systems`` names it.
        count: How many there are in all.
        drawn: What a film render draws of each.
    """

    name: str
    count: int
    drawn: str


@dataclass(frozen=True)
class SeeThrough:
    """A material through which a film camera sees.

    Attributes:
        material: Its name.
        why: How, as the end of a sentence.
        alpha_texture: Whether it is an image that has holes.
        holes: The share of the image's texels below the threshold; 0 where no image has holes.
        kind: ``"pane"`` where it lies before the camera and hides the film, ``"glasses"`` where it lies close before
            other surfaces of the same thing, see :mod:`animerun_gen.shot.panes`; else empty.
        covers: The share of the picture that it covers where it covers most, of the frames that were looked at.
        worn_by: The objects that were seen with it.
        before: The objects that were seen behind it.
    """

    material: str
    why: str
    alpha_texture: bool
    holes: float = 0.0
    kind: str = ""
    covers: float = 0.0
    worn_by: tuple[str, ...] = ()
    before: tuple[str, ...] = ()


@dataclass(frozen=True)
class Contents:
    """How much a frame shows, without the panes and glasses that a draft removes.

    Attributes:
        frame: Its number.
        surfaces: Share of the picture that shows any surface.
        largest: Share of the largest surface, of one object and one material.
        object: That object; empty where there is none.
        material: That material.
    """

    frame: int
    surfaces: float
    largest: float
    object: str
    material: str


@dataclass(frozen=True)
class FarFromOrigin:
    """How coarse numbers are where the camera stands.

    Attributes:
        apart: Distance of neighbouring numbers of single precision, in scene units.
        pixels: The same in the picture, where surfaces are seen.
        problem: Why the scene cannot be moved; empty where it can.
    """

    apart: float
    pixels: float
    problem: str = ""


@dataclass(frozen=True)
class ImageOffer:
    """An image that a material of an old file may have shown, see :mod:`animerun_gen.blender.convert.lost_looks`.

    Attributes:
        material: The material's name.
        image: The image's name.
        certain: Whether the file itself says so; else it goes by the names.
    """

    material: str
    image: str
    certain: bool


@dataclass(frozen=True)
class FilmLight:
    """The light that shade would go by, see :mod:`animerun_gen.blender.key_light`.

    Attributes:
        name: As ``style.shade.light`` names it; ``"auto"`` where only that finds it, as part of a collection.
        kind: What it is: ``"sun"``, ``"area"`` or ``"spot"``.
        others: Lights that give less light to what is in focus, the stronger ones first.
    """

    name: str
    kind: str
    others: tuple[str, ...] = ()


@dataclass(frozen=True)
class Survey:
    """What evaluating some frames of the converted shot showed.

    Attributes:
        frames: The frames that were looked at, ascending.
        triangles: Triangles drawn in the heaviest of them, instances counted each.
        instances: Objects and instances drawn in that frame.
        seconds: Median time to evaluate and take down a frame.
        held: Frames whose successor among those looked at shows exactly the same, camera included.
        posed: Frames whose successor shows the same things in the same poses from another camera position.
        changed_topology: Objects whose vertices were another number or order in some frame.
        came_or_went: Objects that were drawn in some frames only.
        textured: Largest share of a frame's pixels whose material shows an image that is there.
        freestyle_seconds: What Freestyle's lines took in the first frame; None where there is too much to try.
        pieces: Pieces of lines that Freestyle has to draw in the first frame, see
            :attr:`animerun_gen.lines.cost.LineFigures.pieces`.
        visits: How often triangles hold edges back there, see :attr:`animerun_gen.lines.cost.LineFigures.visits`.
        freestyle_fault: Why trying Freestyle had no result, as the end of a sentence about it; empty where it had one,
            or was not tried.
        memory: Bytes that a worker will take at most: what it took to look, and what drawing takes; 0 if unknown.
        line_memory: Bytes that Freestyle took in addition, where it was tried.
        image_memory: Bytes that a worker will take in addition where images are painted.
        moving_images: Whether an image sequence or a movie is seen in any frame that was looked at.
        attributed: Largest share of a frame's pixels whose colour varies with attributes or objects.
    """

    frames: tuple[int, ...]
    triangles: int
    instances: int
    seconds: float
    held: tuple[int, ...]
    posed: tuple[int, ...]
    changed_topology: tuple[str, ...]
    came_or_went: tuple[str, ...]
    textured: float
    freestyle_seconds: float | None = None
    pieces: int = 0
    memory: int = 0
    line_memory: int = 0
    image_memory: int = 0
    moving_images: bool = False
    attributed: float = 0.0
    visits: int = 0
    freestyle_fault: str = ""


@dataclass(frozen=True)
class ViewKey:
    """A keyframe of a proposed camera, see :class:`animerun_gen.config.model.CameraKey`."""

    frame: int
    location: Point
    target: Point
    lens: float


@dataclass(frozen=True)
class Shot:
    """A film shot as it was found.

    Attributes:
        source: The ``.blend`` file.
        engine: The Blender that looked at it.
        saved_with: The version of Blender that it was saved with.
        complaints: What Blender said when it loaded the file; empty when nothing.
        scene: The scene that was looked at.
        scenes: All scenes of the file.
        view_layer: The view layer that was looked at.
        view_layers: All view layers of the scene.
        frame_range: First and last frame of the scene.
        animated_range: First and last frame in which keyframes or strips change anything; None when nothing does.
        clip: First and last frame that a draft asks for.
        picture: Width and height of the pictures that a draft asks for.
        simulated: Whether a simulation must be played from its beginning.
        frame_rate: Frames a second.
        resolution: Width and height of the film's own pictures, in square pixels.
        camera: The scene's camera, or another of its cameras where that cannot be used; None when none can.
        camera_problem: Why the scene's own cannot be used; empty when it can.
        cameras: All cameras of the scene that can be used.
        camera_cuts: Frames at which timeline markers switch the camera, and to which.
        zooming: Cameras whose focal length changes.
        view_keys: A camera that shows everything, proposed where there is none.
        film_look: What of the film look is switched on.
        missing: Files that the film names and that are not there.
        drivers: Drivers that need Python.
        removals: What the rules remove.
        bare_displays: Objects displayed as wire or bounds that nevertheless belong to the picture.
        unreadable: Objects without surfaces that could be followed, and why.
        hair: Hair and fur.
        grease_pencil: Grease Pencil objects that a render shows.
        particles: Other particles.
        see_through: Materials through which a film camera sees.
        background: Colour of the world, ``"#rrggbb"``.
        materials: How many materials there are.
        from_shaders: How many of them get their colour from their shader nodes.
        survey: What some of the frames showed; None when none could be evaluated.
        unbaked: What was left out because its cache is not baked, a sentence each.
        notes: What the conversion said.
        camera_jumps: Frames before which a camera is cut to another view of its own, and which.
        unread_colors: Materials whose colour could not be read as the film shows it, and why.
        pixel_aspect: Width and height of the film's own pixels, of which only the ratio counts.
        lost_materials: Materials of files from before Blender 2.80 of which only a colour is left.
        image_offers: Images that some of them may have shown.
        undecodable: Images that are there and cannot be decoded, a sentence each, and the materials that name them.
        newer: Which files are newer than the Blender that looked at them, a sentence each.
        contents: How much some of the frames show.
        far_from_origin: How coarse numbers are in the first frame; None where they are fine enough.
        object_names: The names of all objects of the file, against which a draft holds its patterns.
        time_stretch: How many frames of the scene a frame of its animation takes (time remapping).
        trusts_scripts: Whether scripts and drivers of the file ran when it was looked at.
        view_share: Where the scene's own camera cannot be used, the share of the picture in which surfaces are seen
            through the one that was chosen or proposed, in the frame that shows the least; None otherwise.
        key_light: The light that shade would go by; None where the film has none.
    """

    source: str
    engine: str
    saved_with: str
    complaints: str
    scene: str
    scenes: tuple[str, ...]
    view_layer: str
    view_layers: tuple[str, ...]
    frame_range: tuple[int, int]
    animated_range: tuple[int, int] | None
    clip: tuple[int, int]
    picture: tuple[int, int]
    simulated: bool
    frame_rate: float
    resolution: tuple[int, int]
    camera: str | None
    camera_problem: str
    cameras: tuple[str, ...]
    camera_cuts: tuple[tuple[int, str], ...]
    zooming: tuple[str, ...]
    view_keys: tuple[ViewKey, ...]
    film_look: tuple[str, ...]
    missing: tuple[MissingFile, ...]
    drivers: tuple[str, ...]
    removals: tuple[Removal, ...]
    bare_displays: tuple[str, ...]
    unreadable: tuple[tuple[str, str], ...]
    hair: tuple[HairSystem, ...]
    particles: tuple[ParticleSystem, ...]
    see_through: tuple[SeeThrough, ...]
    background: str
    materials: int
    from_shaders: int
    survey: Survey | None = None
    unbaked: tuple[str, ...] = field(default=())
    notes: tuple[str, ...] = field(default=())
    camera_jumps: tuple[tuple[int, str], ...] = ()
    unread_colors: tuple[tuple[str, str], ...] = ()
    pixel_aspect: tuple[float, float] = (1.0, 1.0)
    newer: tuple[str, ...] = ()
    lost_materials: tuple[str, ...] = ()
    image_offers: tuple[ImageOffer, ...] = ()
    undecodable: tuple[tuple[str, tuple[str, ...]], ...] = ()
    object_names: tuple[str, ...] = ()
    contents: tuple[Contents, ...] = ()
    far_from_origin: FarFromOrigin | None = None
    time_stretch: float = 1.0
    trusts_scripts: bool = False
    view_share: float | None = None
    key_light: FilmLight | None = None
    grease_pencil: tuple[GreasePencil, ...] = ()

    @property
    def has_square_pixels(self) -> bool:
        """Whether the film's own pixels are as wide as high."""
        return self.pixel_aspect[0] == self.pixel_aspect[1]

    def to_json(self) -> dict[str, Any]:
        """The facts as plain data, for :meth:`from_json` in another process and for other programs."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: object) -> Shot:
        """Read what :meth:`to_json` gave.

        Raises:
            ValueError: It is something else.
        """
        return _SHOT.validate_python(data)


_SHOT = TypeAdapter(Shot)
