"""Everything that a dataset holds, in one table: writer, reader, verification and documentation come from it.

The published modalities are those of AnimeRun v2 (Li et al., "AnimeRun: 2D Animation Visual Correspondence from Open
Source 3D Movies", NeurIPS 2022), under the names that its loaders look for; the others lie beside them.  The motion
between frames that are further apart than neighbours has modalities of its own, made from those of neighbours by
:func:`at_gap`, and so have the passes of the colour frame in other colours (:func:`color_pass`).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Literal

SPLITS = ("train", "val", "test")

Kind = Literal["frame", "forward", "backward", "clip"]
Stage = Literal["pictures", "motion", "labels", "recolor"]
Content = Literal["picture", "flow", "mask", "inverted_mask", "array", "matches", "surfaces", "tracks"]


def recolored_from(shade: bool) -> tuple[str, ...]:
    """What the colour passes of a frame are made from, in a clip with or without shade."""
    return ("flat", "contour", "material_id", *(("shade",) if shade else ()))


FOREIGN_PREFIX = "Image"
"""What stands before the frame number in some films of the published data (in all folders of a clip), and in the masks
of datasets that version 0.8.0 and earlier wrote."""

COMPRESSED = ".npz"
"""How the names of masks and segments end where they are compressed (``dataset.compression``)."""

_GAP_NAME = re.compile(r"(.+)_gap([1-9][0-9]*)", re.ASCII)
_PASS_NAME = re.compile(r"color_([1-9][0-9]?)", re.ASCII)


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
    return replace(
        what,
        name=f"{what.name}_gap{gap}",
        folder=f"Gap{gap}/{what.folder}",
        published=False,
        meaning=f"As `{what.name}`, but of the two frames that are {gap} frames of the clip apart.",
        gap=gap,
    )


def gap_modalities(gap: int) -> tuple[Modality, ...]:
    """All that there can be for pairs of frames that are ``gap`` (2 or more) frames of the clip apart."""
    return tuple(at_gap(modality, gap) for modality in MODALITIES if modality.spans_gaps)


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
    apart = _GAP_NAME.fullmatch(name)
    base = _BY_NAME.get(apart[1]) if apart else None
    if apart is None or base is None or not base.spans_gaps or int(apart[2]) < 2:
        raise ValueError(
            f"there is no modality {name!r}; there are {', '.join(_BY_NAME)}, those of motion between two frames also "
            "with _gap2, _gap3, ... behind the name, and color_1 to color_99"
        )
    return at_gap(base, int(apart[2]))


def enabled_modalities(
    extras: Collection[str],
    gaps: Collection[int] = (1,),
    tracks: int = 0,
    passes: int = 0,
    *,
    compressed: bool = False,
    shade: bool = False,
    switches: Collection[str] = (),
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

    Returns:
        The modalities in the order of the table: all that are always made, and those that ``extras``, ``tracks``,
        ``shade`` and ``switches`` switch on; behind them the same motion over each gap beyond 1, and the colour passes.
    """
    near = tuple(
        modality.compressed if compressed else modality
        for modality in MODALITIES
        if (modality.extra is None or modality.extra in extras)
        and (modality.content != "tracks" or tracks > 0)
        and (not modality.shaded or shade)
        and (not modality.switch or modality.switch in switches)
    )
    far = (at_gap(modality, gap) for gap in sorted(gaps) if gap > 1 for modality in near if modality.spans_gaps)
    return (*near, *far, *(color_pass(number) for number in range(1, passes + 1)))
