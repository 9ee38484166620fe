"""Everything that a dataset holds, in one table: writer, reader, verification and documentation come from it.

The published modalities are those of AnimeRun v2 (Li et al., "AnimeRun: 2D Animation Visual Correspondence from Open
Source 3D Movies", NeurIPS 2022), under the names that its loaders look for; the others lie beside them.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

SPLITS = ("train", "test")

Kind = Literal["frame", "forward", "backward"]
Stage = Literal["pictures", "motion", "labels"]
Content = Literal["picture", "flow", "mask", "inverted_mask", "array", "matches"]


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
        stage: The stage of the pipeline that makes it.
        content: How the array in memory becomes the file; see :mod:`animerun_gen.dataset.clip`.
        published: Whether AnimeRun itself has it.
        meaning: One sentence about it.
        prefix: What stands before the frame number in its file names.
        extra: The entry of a cut's ``motion.extras`` that switches it on; None: it is always made.
        has_names: Whether a ``names.json`` in its folder says what its ids stand for.
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
    has_names: bool = False

    def cut_folder(self, root: Path, split: str, cut: str) -> Path:
        """The folder of this modality's files of one cut."""
        return root / split / self.folder.format(cut=cut)

    def path(self, root: Path, split: str, cut: str, frame: int) -> Path:
        """The file of one frame; a pair's file bears the number of the frame where its arrows begin."""
        return self.cut_folder(root, split, cut) / f"{self.prefix}{frame:04d}{self.suffix}"

    def names_path(self, root: Path, split: str, cut: str) -> Path:
        """The table that says what the ids of a cut stand for; only where ``has_names``."""
        return self.cut_folder(root, split, cut) / "names.json"

    def frame_of(self, file_name: str) -> int | None:
        """The frame number in a file name, or None where it is no name of this modality's files."""
        digits = file_name.removeprefix(self.prefix).removesuffix(self.suffix)
        if not (digits.isascii() and digits.isdecimal()):
            return None
        frame = int(digits)
        return frame if file_name == f"{self.prefix}{frame:04d}{self.suffix}" else None

    def frames(self, clip_frames: Sequence[int]) -> tuple[int, ...]:
        """The frames of a clip (ascending) that have a file of this modality."""
        if self.kind == "forward":
            return tuple(clip_frames[:-1])
        if self.kind == "backward":
            return tuple(clip_frames[1:])
        return tuple(clip_frames)


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
        meaning="The colour frame with its lines.",
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
        prefix="Image",
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
        prefix="Image",
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
        prefix="Image",
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
        meaning="Number of the colour segment that each pixel belongs to, without gaps from 0.",
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
        meaning="The colour frame without lines.",
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
        has_names=True,
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
        has_names=True,
    ),
)

_BY_NAME = {modality.name: modality for modality in MODALITIES}


def modality(name: str) -> Modality:
    """The modality of a name, such as ``"flow_forward"``.

    Raises:
        ValueError: there is none of that name.
    """
    if name not in _BY_NAME:
        raise ValueError(f"there is no modality {name!r}; there are {', '.join(_BY_NAME)}")
    return _BY_NAME[name]


def enabled_modalities(extras: Collection[str]) -> tuple[Modality, ...]:
    """What is made for a cut.

    Args:
        extras: the cut's ``motion.extras``.

    Returns:
        The modalities in the order of the table: all that are always made, and those that ``extras`` switches on.
    """
    return tuple(modality for modality in MODALITIES if modality.extra is None or modality.extra in extras)
