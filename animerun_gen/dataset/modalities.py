"""Everything that a dataset holds, in one table: writer, reader, verification and documentation come from it.

The published modalities are those of AnimeRun v2 (Li et al., "AnimeRun: 2D Animation Visual Correspondence from Open
Source 3D Movies", NeurIPS 2022), under the names that its loaders look for; the others lie beside them.  The motion
between frames that are further apart than neighbours has modalities of its own, made from those of neighbours by
:func:`at_gap`, and so have the passes of the colour frame in other colours (:func:`color_pass`, and :func:`in_pass` for
what it is put together from) and what is written of each layer alone (:func:`at_layer`).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any, Literal, NamedTuple

SPLITS = ("train", "val", "test")

Kind = Literal["frame", "forward", "backward", "clip"]
Stage = Literal["pictures", "motion", "labels", "recolor"]
Content = Literal[
    "picture",
    "flow",
    "mask",
    "inverted_mask",
    "array",
    "matches",
    "surfaces",
    "strokes",
    "tracks",
    "cel",
    "amodal",
    "line_ink",
]


def recolored_from(*, shade: bool = False, styled: bool = False, layers: Collection[str] = ()) -> tuple[str, ...]:
    """What the colour passes of a frame are made from.

    Args:
        shade: Whether it has shade.
        styled: Whether its lines have a style.
        layers: The layers whose cels are made in the colours of each pass.

    Returns:
        Names of modalities.
    """
    of_frame = ("flat", "line_ink" if styled else "contour", "material_id", *(("shade",) if shade else ()))
    of_layer = ("cel", "visible", "material_id", *(("flat", "shade") if shade else ()))
    return (*of_frame, *(f"{name}@{layer}" for layer in layers for name in of_layer))


FOREIGN_PREFIX = "Image"
"""What stands before the frame number in some films of the published data (in all folders of a clip), and in the masks
of datasets that version 0.8.0 and earlier wrote."""

COMPRESSED = ".npz"
"""How the names of masks and segments end where they are compressed (``dataset.compression``)."""

LAYERS_FOLDER = "Layers"
"""Below a split, what holds the layers of all its cuts."""

_LAYER_NAME = re.compile(r"([a-z_0-9]+)@([A-Za-z0-9][A-Za-z0-9._-]{0,99})", re.ASCII)
_GAP_NAME = re.compile(r"(.+)_gap([1-9][0-9]*)", re.ASCII)
_PASS_NAME = re.compile(r"color_([1-9][0-9]?)", re.ASCII)
_NAME_IN_PASS = re.compile(r"(.+)_color_([1-9][0-9]?)", re.ASCII)

IN_PASSES = ("line_layer", "cel")
"""Besides the colour frame, what there is in the colours of each pass, too: what a frame is put together from."""


@dataclass(frozen=True)
class Modality:
    """One kind of file in the dataset.

    Attributes:
        name: What it is called in this project.
        folder: Its folder below ``<root>/<split>``, with ``{cut}`` for the name of the cut.
        suffix: How its file names end.
        dtype: Type of the elements on disk; empty for files that hold no array.
        shape: Shape of the array, with ``"H"`` and ``"W"`` for the height and width of the pictures.
        kind: ``"frame"``: one file a frame.  ``"forward"``: one for each frame but the last, about the pair of it and
            the next one.  ``"backward"``: one for each frame but the first, about the pair of it and the one before.
            ``"clip"``: one for the whole clip.
        stage: The stage of the pipeline that makes it.
        content: How the array in memory becomes the file; see :mod:`animerun_gen.dataset.clip`.
        published: Whether AnimeRun itself has it.
        meaning: One sentence about it.
        prefix: What stands before the frame number in its file names: nothing in what is written, see
            :func:`named_as_there`.
        extra: The entry of a cut's ``motion.extras`` that switches it on; None: nothing there does.
        table: Name of the JSON file in its folder that says what ids stand for; empty where there is none.
        gap: How many frames of the clip the two frames of a pair are apart.
        shaded: Whether only clips with shade (``style.shade``) have it.
        switch: The setting of a cut's lines without which it is not made; empty where there is none.
        layered: Whether only clips whose layers are written (``layers.write``) have it.
        layer: The layer that it shows alone; empty where it shows the frame.
        recolored: Whether it is only made for colour passes to be made from: of the frame where the cut has any, of a
            layer where its cels are made in their colours (``layers.passes``).
    """

    name: str
    folder: str
    suffix: str
    dtype: str
    shape: tuple[str | int, ...]
    kind: Kind
    stage: Stage
    content: Content
    published: bool
    meaning: str
    prefix: str = ""
    extra: str | None = None
    table: str = ""
    gap: int = 1
    shaded: bool = False
    switch: str = ""
    layered: bool = False
    layer: str = ""
    recolored: bool = False

    def cut_folder(self, root: Path, split: str, cut: str) -> Path:
        """The folder of this modality's files of one cut."""
        return root / split / self.folder.format(cut=cut)

    def path(self, root: Path, split: str, cut: str, frame: int) -> Path:
        """The file of one frame; a pair's file bears the number of the frame where its arrows begin."""
        return self.cut_folder(root, split, cut) / f"{self.prefix}{frame:04d}{self.suffix}"

    def clip_path(self, root: Path, split: str, cut: str) -> Path:
        """The one file of a clip; only for the kind ``"clip"``."""
        return self.cut_folder(root, split, cut) / f"{self.prefix}{self.suffix}"

    @property
    def spans_gaps(self) -> bool:
        """Whether it can also be made for pairs further apart than neighbours, see :func:`at_gap`."""
        return self.stage == "motion" and self.kind in ("forward", "backward")

    @property
    def stands_alone(self) -> bool:
        """Whether it lies below a folder of its gap, its layer or its pass, which goes when nothing is left in it."""
        return self.gap > 1 or bool(self.layer) or pass_number(self.folder.partition("/")[0]) is not None

    @property
    def is_compressible(self) -> bool:
        """Whether it can be kept compressed: the masks and segments that published loaders want as plain arrays."""
        return self.stage == "labels" and self.content in ("array", "inverted_mask")

    @property
    def compressed(self) -> Modality:
        """The same where masks and segments are compressed; itself where it is none of them."""
        return replace(self, suffix=COMPRESSED) if self.is_compressible else self

    @property
    def has_names(self) -> bool:
        """Whether it has a table that says what ids stand for."""
        return bool(self.table)

    def names_path(self, root: Path, split: str, cut: str) -> Path:
        """The table that says what the ids of a cut stand for; only where ``has_names``."""
        return self.cut_folder(root, split, cut) / self.table

    def may_be(self, file_name: str) -> bool:
        """Whether a file name begins and ends as those of this modality's files do."""
        return file_name.startswith(self.prefix) and file_name.endswith(self.suffix)

    def frame_of(self, file_name: str) -> int | None:
        """The frame number in a file name, or None where it is no name of this modality's files."""
        if not self.may_be(file_name):
            return None
        return _frame_number(file_name[len(self.prefix) : len(file_name) - len(self.suffix)])

    def frames(self, clip_frames: Sequence[int]) -> tuple[int, ...]:
        """The frames of a clip (ascending) that have a file of this modality; none for the kind ``"clip"``."""
        if self.kind == "forward":
            return tuple(clip_frames[: -self.gap])
        if self.kind == "backward":
            return tuple(clip_frames[self.gap :])
        return tuple(clip_frames) if self.kind == "frame" else ()


@cache
def _frame_number(digits: str) -> int | None:
    """The number that a file's name gives in four digits, or in more where it has more; None where it gives none.

    Kept, because the files of all modalities and cuts have the same numbers.
    """
    if not (digits.isascii() and digits.isdecimal()):
        return None
    return int(digits) if digits == f"{int(digits):04d}" else None


MODALITIES: tuple[Modality, ...] = (
    Modality(
        name="frame",
        folder="Frame_Anime/{cut}/original",
        suffix=".png",
        dtype="uint8",
        shape=("H", "W", 3),
        kind="frame",
        stage="pictures",
        content="picture",
        published=True,
        meaning="The colour frame with its lines, and with its shade where the cut asks for that (`style.shade`).",
    ),
    Modality(
        name="contour",
        folder="contour/{cut}",
        suffix=".png",
        dtype="uint8",
        shape=("H", "W"),
        kind="frame",
        stage="pictures",
        content="picture",
        published=True,
        meaning="The line art: dark lines on white.",
    ),
    Modality(
        name="flow_forward",
        folder="Flow/{cut}/forward",
        suffix=".flo",
        dtype="float32",
        shape=("H", "W", 2),
        kind="forward",
        stage="motion",
        content="flow",
        published=True,
        meaning="Motion to the next frame in pixels, u to the right and v down; 1e10 where it is unknown.",
    ),
    Modality(
        name="flow_backward",
        folder="Flow/{cut}/backward",
        suffix=".flo",
        dtype="float32",
        shape=("H", "W", 2),
        kind="backward",
        stage="motion",
        content="flow",
        published=True,
        meaning="Motion to the frame before in pixels, u to the right and v down; 1e10 where it is unknown.",
    ),
    Modality(
        name="occlusion_forward",
        folder="UnmatchedForward/{cut}",
        suffix=".npy",
        dtype="uint8",
        shape=("H", "W"),
        kind="forward",
        stage="labels",
        content="inverted_mask",
        published=True,
        meaning="Occlusion of the forward flow by the paper's rule: **1 = visible, 0 = occluded**.",
    ),
    Modality(
        name="occlusion_backward",
        folder="UnmatchedBackward/{cut}",
        suffix=".npy",
        dtype="uint8",
        shape=("H", "W"),
        kind="backward",
        stage="labels",
        content="inverted_mask",
        published=True,
        meaning="Occlusion of the backward flow by the paper's rule: **1 = visible, 0 = occluded**.",
    ),
    Modality(
        name="line_area",
        folder="LineArea/{cut}",
        suffix=".npy",
        dtype="uint8",
        shape=("H", "W"),
        kind="forward",
        stage="labels",
        content="inverted_mask",
        published=True,
        meaning="Surroundings of the lines: **0 = near a line, 1 = flat area**.",
    ),
    Modality(
        name="segment",
        folder="Segment/{cut}",
        suffix=".npy",
        dtype="int32",
        shape=("H", "W"),
        kind="frame",
        stage="labels",
        content="array",
        published=True,
        meaning="Number of the colour segment that each pixel belongs to, counted from 0 without gaps.",
    ),
    Modality(
        name="match_forward",
        folder="SegMatching/{cut}/forward",
        suffix=".json",
        dtype="",
        shape=(),
        kind="forward",
        stage="labels",
        content="matches",
        published=True,
        meaning="For each segment the segments of the next frame that it becomes, best first; `[-1]`: none.",
    ),
    Modality(
        name="match_backward",
        folder="SegMatching/{cut}/backward",
        suffix=".json",
        dtype="",
        shape=(),
        kind="backward",
        stage="labels",
        content="matches",
        published=True,
        meaning="For each segment the segments of the frame before that it comes from, best first; `[-1]`: none.",
    ),
    Modality(
        name="flat",
        folder="Flat/{cut}",
        suffix=".png",
        dtype="uint8",
        shape=("H", "W", 3),
        kind="frame",
        stage="pictures",
        content="picture",
        published=False,
        meaning="The colour frame without lines; `colors.json` beside the files has each material's colour by its id "
        "(by frame where it changes, `image` where it is no single one, `changing` where those are others in other "
        "frames).",
        table="colors.json",
    ),
    Modality(
        name="shade",
        folder="Shade/{cut}",
        suffix=".png",
        dtype="uint8",
        shape=("H", "W"),
        kind="frame",
        stage="pictures",
        content="picture",
        published=False,
        meaning="The shade of each pixel: **0 = background, 1 = shadow, 2 = base, 3 = highlight**, see "
        "[anime_look.md](anime_look.md).",
        shaded=True,
    ),
    Modality(
        name="trace",
        folder="Trace/{cut}",
        suffix=".png",
        dtype="uint8",
        shape=("H", "W", 3),
        kind="frame",
        stage="pictures",
        content="picture",
        published=False,
        meaning="The line art with coloured trace lines along the borders of the shade: violet-blue around shadows, "
        "yellow around highlights.",
        shaded=True,
    ),
    Modality(
        name="line_kind",
        folder="LineKind/{cut}",
        suffix=".png",
        dtype="uint8",
        shape=("H", "W"),
        kind="frame",
        stage="pictures",
        content="picture",
        published=False,
        meaning="What each pixel of the line art is the border of: **0 = no line, 1 = silhouette, 2 = crease, 3 = open "
        "border, 4 = intersection, 5 = material boundary, 6 = marked edge, 7 = border of the shade (no ink)**, see "
        "[lines.md](lines.md).",
        switch="lines.kinds",
    ),
    Modality(
        name="styled_contour",
        folder="StyledContour/{cut}",
        suffix=".png",
        dtype="uint8",
        shape=("H", "W", 3),
        kind="frame",
        stage="pictures",
        content="picture",
        published=False,
        meaning="The lines as the colour frame shows them, in their colours on white; `contour` stays closed.",
        switch="lines.style",
    ),
    Modality(
        name="line_gap",
        folder="LineGap/{cut}",
        suffix=".png",
        dtype="uint8",
        shape=("H", "W"),
        kind="frame",
        stage="pictures",
        content="picture",
        published=False,
        meaning="Where a gap opens the closed line art: the gap's radius in whole pixels, 0 elsewhere.",
        switch="lines.style.gaps.share",
    ),
    Modality(
        name="line_ink",
        folder="LineInk/{cut}",
        suffix=".npz",
        dtype="",
        shape=(),
        kind="frame",
        stage="pictures",
        content="line_ink",
        published=False,
        meaning="The lines of the colour frame, pixel by pixel: how much they cover, their colour, and which surface "
        "it goes by; colour passes draw theirs from it.",
        switch="lines.style",
        recolored=True,
    ),
    Modality(
        name="strokes",
        folder="Vector/{cut}",
        suffix=".npz",
        dtype="",
        shape=(),
        kind="frame",
        stage="pictures",
        content="strokes",
        published=False,
        meaning="The lines as strokes, hidden ones too, whose points are found again in other frames, see "
        "[vector_lines.md](vector_lines.md).",
        switch="lines.vector",
    ),
    Modality(
        name="valid_forward",
        folder="Valid/{cut}/forward",
        suffix=".png",
        dtype="uint8",
        shape=("H", "W"),
        kind="forward",
        stage="motion",
        content="mask",
        published=False,
        meaning="Where the forward flow is known: **255 = exact, 0 = unknown**.",
    ),
    Modality(
        name="valid_backward",
        folder="Valid/{cut}/backward",
        suffix=".png",
        dtype="uint8",
        shape=("H", "W"),
        kind="backward",
        stage="motion",
        content="mask",
        published=False,
        meaning="Where the backward flow is known: **255 = exact, 0 = unknown**.",
    ),
    Modality(
        name="exact_occlusion_forward",
        folder="ExactOcclusion/{cut}/forward",
        suffix=".png",
        dtype="uint8",
        shape=("H", "W"),
        kind="forward",
        stage="motion",
        content="mask",
        published=False,
        meaning="Surface points that are hidden, or outside the picture, in the next frame: **255 = occluded**.",
        extra="exact_occlusion",
    ),
    Modality(
        name="exact_occlusion_backward",
        folder="ExactOcclusion/{cut}/backward",
        suffix=".png",
        dtype="uint8",
        shape=("H", "W"),
        kind="backward",
        stage="motion",
        content="mask",
        published=False,
        meaning="Surface points that are hidden, or outside the picture, in the frame before: **255 = occluded**.",
        extra="exact_occlusion",
    ),
    Modality(
        name="depth_change_forward",
        folder="SceneFlow/{cut}/forward",
        suffix=".npy",
        dtype="float32",
        shape=("H", "W"),
        kind="forward",
        stage="motion",
        content="array",
        published=False,
        meaning="How much farther away along the view axis the surface point is in the next frame, in scene units, "
        "each frame by its own camera; NaN where that is unknown, and on the background.",
        extra="scene_flow",
    ),
    Modality(
        name="depth_change_backward",
        folder="SceneFlow/{cut}/backward",
        suffix=".npy",
        dtype="float32",
        shape=("H", "W"),
        kind="backward",
        stage="motion",
        content="array",
        published=False,
        meaning="How much farther away along the view axis the surface point is in the frame before, in scene units, "
        "each frame by its own camera; NaN where that is unknown, and on the background.",
        extra="scene_flow",
    ),
    Modality(
        name="depth",
        folder="Depth/{cut}",
        suffix=".npy",
        dtype="float32",
        shape=("H", "W"),
        kind="frame",
        stage="motion",
        content="array",
        published=False,
        meaning="Distance along the view axis in scene units; infinite where no surface is seen.",
        extra="depth",
    ),
    Modality(
        name="normal",
        folder="Normal/{cut}",
        suffix=".npy",
        dtype="float32",
        shape=("H", "W", 3),
        kind="frame",
        stage="motion",
        content="array",
        published=False,
        meaning="Unit normal of the surface in camera coordinates (x right, y up, z towards the camera); 0 where none.",
        extra="normals",
    ),
    Modality(
        name="object_id",
        folder="ObjectId/{cut}",
        suffix=".png",
        dtype="uint16",
        shape=("H", "W"),
        kind="frame",
        stage="motion",
        content="picture",
        published=False,
        meaning="Which object is seen; `names.json` beside the files names the ids.",
        extra="ids",
        table="names.json",
    ),
    Modality(
        name="material_id",
        folder="MaterialId/{cut}",
        suffix=".png",
        dtype="uint16",
        shape=("H", "W"),
        kind="frame",
        stage="motion",
        content="picture",
        published=False,
        meaning="Which material is seen; `names.json` beside the files names the ids.",
        extra="ids",
        table="names.json",
    ),
    Modality(
        name="correspondence",
        folder="Correspondence/{cut}",
        suffix=".npz",
        dtype="",
        shape=(),
        kind="frame",
        stage="motion",
        content="surfaces",
        published=False,
        meaning="The surfaces of the frame and which of them each pixel shows: what `clip.flow_between` reads, see "
        "[correspondence.md](correspondence.md).",
        extra="correspondence",
    ),
    Modality(
        name="line_layer",
        folder="LineLayer/{cut}",
        suffix=".png",
        dtype="uint8",
        shape=("H", "W", 4),
        kind="frame",
        stage="pictures",
        content="cel",
        published=False,
        meaning="The lines of the frame, which are the top layer: its colours where it has lines, with alpha 255, and "
        "alpha 0 elsewhere, see [layers.md](layers.md).",
        layered=True,
    ),
    Modality(
        name="amodal",
        folder="Amodal/{cut}",
        suffix=".json",
        dtype="",
        shape=(),
        kind="frame",
        stage="motion",
        content="amodal",
        published=False,
        meaning="The whole mask of each object, hidden parts included, which layer and which object hides how much of "
        "which, and the order of the layers, see [layers.md](layers.md).",
        layered=True,
    ),
    Modality(
        name="tracks",
        folder="Tracks/{cut}",
        prefix="tracks",
        suffix=".npz",
        dtype="",
        shape=(),
        kind="clip",
        stage="motion",
        content="tracks",
        published=False,
        meaning="Surface points followed through the whole clip, see [tracks.md](tracks.md).",
    ),
)

_BY_NAME = {modality.name: modality for modality in MODALITIES}


def _of_layer(name: str, folder: str, meaning: str, *, stage: Stage = "motion", **other: Any) -> Modality:
    """What is written of a layer alone, in the form of the modality that a frame has under the same name, if any."""
    like = _BY_NAME.get(name, _BY_NAME["flat"])
    return replace(like, name=name, folder=folder, meaning=meaning, stage=stage, published=False, table="", **other)


LAYER_KINDS: tuple[Modality, ...] = (
    _of_layer(
        "cel",
        "Cel/{cut}",
        "The colours of the layer alone, shade included and without lines; alpha is 255 where it has a surface and 0 "
        "elsewhere. The layer `set` has the background, too, and is 255 everywhere.",
        stage="pictures",
        content="cel",
        shape=("H", "W", 4),
    ),
    _of_layer("contour", "Contour/{cut}", "The line art of the layer alone: black lines on white.", stage="pictures"),
    _of_layer(
        "visible",
        "Visible/{cut}",
        "Where the frame shows this layer: **255 = this one, 0 = another**. At each pixel it is one layer.",
        content="mask",
        shape=("H", "W"),
    ),
    replace(
        _of_layer("object_id", "ObjectId/{cut}", "Which object of the layer is seen where nothing else is there."),
        extra=None,
        table="names.json",
    ),
    _of_layer("depth", "Depth/{cut}", "Distance of the layer alone along the view axis, as `depth`."),
    replace(
        _of_layer(
            "material_id", "MaterialId/{cut}", "Which material of the layer is seen where nothing else is there."
        ),
        extra=None,
        table="names.json",
        recolored=True,
    ),
    _of_layer(
        "flat",
        "Flat/{cut}",
        "The colours of the layer alone, without shade and lines; black where it has no surface.",
        stage="pictures",
        shaded=True,
        recolored=True,
    ),
    _of_layer(
        "shade",
        "Shade/{cut}",
        "The shade of the cel, as `shade`; 0 where it has no surface.",
        stage="pictures",
        recolored=True,
    ),
    *(
        _of_layer(f"{what}_{direction}", f"{folder}/{{cut}}/{direction}", meaning)
        for what, folder, meaning in (
            ("flow", "Flow", "Motion of the layer alone, hidden parts included; 1e10 where unknown, or no surface."),
            ("valid", "Valid", "Where the motion of the layer alone is known: **255 = exact, 0 = unknown**."),
        )
        for direction in ("forward", "backward")
    ),
)
"""What is written of each layer alone; :func:`at_layer` makes the modalities of one."""


def named_as_there(what: Modality, names: Iterable[str]) -> Modality:
    """A modality with the prefix and the suffix that the files of a folder have.

    We give all files of a frame the same stem, its number.  The published data do so too, but in some films the stem is
    ``Image0186`` instead of ``0186``; both are read.  Masks and segments may be compressed.

    Args:
        what: The modality.
        names: The names in its folder of a cut, in any order.

    Returns:
        The modality in the form that most of its files have there; ``what`` itself where no other one has more.

    Example:
        >>> named_as_there(modality("frame"), ["Image0186.png", "Image0187.png", "Thumbs.db"]).prefix
        'Image'
        >>> named_as_there(modality("segment"), ["0186.npz", "0187.npz"]).suffix
        '.npz'
    """
    names = list(names)
    # asked of every folder of a dataset, which has neither as a rule
    forms = [form for form in other_forms(what) if any(form.may_be(name) for name in names)]
    if not forms:
        return what
    counts = {form: sum(form.frame_of(name) is not None for name in names) for form in (what, *forms)}
    # of equals the first one, which is the usual one
    return max(counts, key=counts.__getitem__)


@cache
def other_forms(what: Modality) -> tuple[Modality, ...]:
    """What the files of a modality may be called as well, besides their usual names; the likeliest first."""
    if what.kind == "clip":
        return ()
    usual = modality(what.name)
    forms = dict.fromkeys((usual, usual.compressed, replace(usual, prefix=FOREIGN_PREFIX)))
    return tuple(form for form in forms if form != what)


def at_gap(what: Modality, gap: int) -> Modality:
    """What a modality of neighbouring frames is for pairs that are further apart.

    Args:
        what: One that ``spans_gaps``.
        gap: How many frames of the clip the two frames of a pair are apart.

    Returns:
        The modality ``<name>_gap<gap>`` in the folder ``Gap<gap>``; ``what`` itself for a gap of 1.

    Raises:
        ValueError: There is no such thing for this modality or gap.
    """
    if gap == 1:
        return what
    if gap < 1 or not what.spans_gaps:
        raise ValueError(f"{what.name} is not made for frames that are {gap} apart")
    name, _, layer = what.name.partition("@")
    beside = f"{LAYERS_FOLDER}/{layer}/" if layer else ""
    return replace(
        what,
        name=f"{name}_gap{gap}{'@' if layer else ''}{layer}",
        folder=f"{beside}Gap{gap}/{what.folder.removeprefix(beside)}",
        published=False,
        meaning=f"As `{what.name}`, but of the two frames that are {gap} frames of the clip apart.",
        gap=gap,
    )


def gap_modalities(gap: int) -> tuple[Modality, ...]:
    """All that there can be for pairs of frames that are ``gap`` (2 or more) frames of the clip apart."""
    return tuple(at_gap(modality, gap) for modality in MODALITIES if modality.spans_gaps)


def at_layer(what: Modality, layer: str) -> Modality:
    """What a kind of files is of one layer alone.

    Args:
        what: One of :data:`LAYER_KINDS`.
        layer: The layer.

    Returns:
        The modality ``<name>@<layer>`` in the folder ``Layers/<layer>``.

    Example:
        >>> at_layer(LAYER_KINDS[0], "hero").name
        'cel@hero'
    """
    return replace(
        what,
        name=f"{what.name}@{layer}",
        folder=f"{LAYERS_FOLDER}/{layer}/{what.folder}",
        layer=layer,
    )


def is_layer_name(name: str) -> bool:
    """Whether a folder may be that of a layer."""
    return _LAYER_NAME.fullmatch(f"cel@{name}") is not None


def layer_modalities(layer: str, gaps: Collection[int] = (1,), passes: Iterable[int] = ()) -> tuple[Modality, ...]:
    """All that there can be of one layer alone, its motion over every gap and its cels in all passes included."""
    near = tuple(at_layer(what, layer) for what in LAYER_KINDS)
    far = (at_gap(what, gap) for gap in sorted(gaps) if gap > 1 for what in near if what.spans_gaps)
    cels = (in_pass(what, number) for number in passes for what in near if _kind_name(what) in IN_PASSES)
    return (*near, *far, *cels)


def color_pass(number: int) -> Modality:
    """The colour frame in the colours of a pass.

    Args:
        number: Which pass, from 1 to 99.

    Returns:
        The modality ``color_<number>``, beside ``original`` as in the published data.

    Raises:
        ValueError: There is no such pass.
    """
    if not 1 <= number <= 99:
        raise ValueError(f"there is no colour pass {number}; they are numbered from 1 to 99")
    frame = _BY_NAME["frame"]
    return replace(
        frame,
        name=f"color_{number}",
        folder=frame.folder.replace("original", f"color_{number}"),
        stage="recolor",
        meaning="As `frame`, in other colours, see [palette.md](palette.md).",
    )


def in_pass(what: Modality, number: int) -> Modality:
    """What a kind of files that a frame is put together from is in the colours of a pass.

    Args:
        what: One of :data:`IN_PASSES`, of the frame or of a layer.
        number: Which pass, from 1 to 99.

    Returns:
        The modality ``<name>_color_<number>`` in the folder ``color_<number>``, of a layer in that of the layer.

    Raises:
        ValueError: There is no such thing for this modality, or no such pass.

    Example:
        >>> in_pass(modality("cel@hero"), 2).folder
        'Layers/hero/color_2/Cel/{cut}'
    """
    if _kind_name(what) not in IN_PASSES:
        raise ValueError(f"{what.name} is the same in all colour passes")
    color = color_pass(number).name
    name, _, layer = what.name.partition("@")
    beside = f"{LAYERS_FOLDER}/{layer}/" if layer else ""
    return replace(
        what,
        name=f"{name}_{color}{'@' if layer else ''}{layer}",
        folder=f"{beside}{color}/{what.folder.removeprefix(beside)}",
        stage="recolor",
        meaning=f"As `{what.name}`, in the colours of `{color}`.",
    )


def pass_modalities(number: int, layers: Collection[str] = ()) -> tuple[Modality, ...]:
    """All that is made of a frame in the colours of a pass.

    Args:
        number: Which pass, from 1 to 99.
        layers: The layers whose cels are made in its colours.
    """
    kinds = [_BY_NAME["line_layer"], *(at_layer(LAYER_KINDS[0], layer) for layer in layers)] if layers else []
    return (color_pass(number), *(in_pass(what, number) for what in kinds))


class Composition(NamedTuple):
    """What colour frames are put together from.

    Attributes:
        cel: Name of the modality of cels, to which the name of a layer comes: ``"cel"``, ``"cel_color_1"``.
        lines: Name of the modality of the lines over them.
    """

    cel: str
    lines: str


def composed_of(pictures: str) -> Composition:
    """What frames in some colours are put together from, in a clip with layers.

    Args:
        pictures: ``"frame"``, or a colour pass such as ``"color_1"``.

    Raises:
        ValueError: Such pictures are not put together from layers.

    Example:
        >>> composed_of("color_2")
        Composition(cel='cel_color_2', lines='line_layer_color_2')
    """
    if pictures != "frame" and pass_number(pictures) is None:
        raise ValueError(f"{pictures} is not put together from layers; frame is, and so are passes such as color_1")
    suffix = "" if pictures == "frame" else f"_{pictures}"
    return Composition(f"cel{suffix}", f"line_layer{suffix}")


def _kind_name(what: Modality) -> str:
    """The name of a modality, whatever the layer is."""
    return what.name.partition("@")[0]


def pass_number(name: str) -> int | None:
    """Which colour pass a modality or folder of this name is; None for all others."""
    found = _PASS_NAME.fullmatch(name)
    return int(found[1]) if found else None


def modality(name: str) -> Modality:
    """The modality of a name, such as ``"flow_forward"`` or ``"flow_forward_gap4"``.

    Raises:
        ValueError: there is none of that name.
    """
    if name in _BY_NAME:
        return _BY_NAME[name]
    if (number := pass_number(name)) is not None:
        return color_pass(number)
    if (of_layer := _LAYER_NAME.fullmatch(name)) is not None:
        return _modality_of_layer(of_layer[1], of_layer[2])
    if (recolored := _NAME_IN_PASS.fullmatch(name)) is not None and recolored[1] in _BY_NAME:
        with suppress(ValueError):
            return in_pass(_BY_NAME[recolored[1]], int(recolored[2]))
    apart = _GAP_NAME.fullmatch(name)
    base = _BY_NAME.get(apart[1]) if apart else None
    if apart is None or base is None or not base.spans_gaps or int(apart[2]) < 2:
        raise ValueError(
            f"there is no modality {name!r}; there are {', '.join(_BY_NAME)}, those of motion between two frames also "
            "with _gap2, _gap3, ... behind the name, color_1 to color_99, line_layer_color_1 to line_layer_color_99, "
            "and those of a layer, such as cel@hero"
        )
    return at_gap(base, int(apart[2]))


@cache
def _modality_of_layer(name: str, layer: str) -> Modality:
    recolored = _NAME_IN_PASS.fullmatch(name)
    if recolored is not None and recolored[1] in IN_PASSES:
        return in_pass(_modality_of_layer(recolored[1], layer), int(recolored[2]))
    apart = _GAP_NAME.fullmatch(name)
    kind, gap = (apart[1], int(apart[2])) if apart else (name, 1)
    for what in LAYER_KINDS:
        if what.name == kind and (apart is None or (gap > 1 and what.spans_gaps)):
            return at_gap(at_layer(what, layer), gap)
    raise ValueError(
        f"there is no modality {name!r} of a layer; there are {', '.join(what.name for what in LAYER_KINDS)}, those of "
        "motion also with _gap2, _gap3, ... behind the name, and cel with _color_1 to _color_99"
    )


def enabled_modalities(
    extras: Collection[str],
    gaps: Collection[int] = (1,),
    tracks: int = 0,
    passes: int = 0,
    *,
    compressed: bool = False,
    shade: bool = False,
    switches: Collection[str] = (),
    layers: Collection[str] = (),
    layer_passes: bool = False,
) -> tuple[Modality, ...]:
    """What is made for a cut.

    Args:
        extras: the cut's ``motion.extras``.
        gaps: its ``motion.gaps``.
        tracks: its ``motion.tracks``.
        passes: its ``recolor.passes``.
        compressed: whether its ``dataset.compression`` is anything but ``none``.
        shade: whether it has shade (``style.shade``).
        switches: the settings of its ``lines`` that are on, see :attr:`Modality.switch`.
        layers: the layers of it that are written (``layers.write``).
        layer_passes: whether their cels are made in the colours of each pass (``layers.passes``).

    Returns:
        The modalities in the order of the table: all that are always made, and those that ``extras``, ``tracks``,
        ``shade``, ``switches`` and ``passes`` switch on, and of each layer what is made of it; behind them the same
        motion over each gap beyond 1, and what is made in the colours of each pass.
    """
    recolored_layers = layers if layer_passes else ()
    near = tuple(
        modality.compressed if compressed else modality
        for modality in MODALITIES
        if (modality.extra is None or modality.extra in extras)
        and (modality.content != "tracks" or tracks > 0)
        and (not modality.shaded or shade)
        and (not modality.switch or modality.switch in switches)
        and (not modality.layered or layers)
        and (not modality.recolored or passes > 0)
    )
    near += tuple(
        at_layer(what, layer)
        for layer in layers
        for what in LAYER_KINDS
        if (what.extra is None or what.extra in extras)
        and (not what.shaded or shade)
        and (not what.recolored or layer_passes)
    )
    far = (at_gap(modality, gap) for gap in sorted(gaps) if gap > 1 for modality in near if modality.spans_gaps)
    recolored = (what for number in range(1, passes + 1) for what in pass_modalities(number, recolored_layers))
    return (*near, *far, *recolored)
