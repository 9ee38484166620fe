"""Pairs and rows of frames with their flow, as training and evaluation take them: which files, and what they hold.

Everything here is numpy alone; :mod:`animerun_gen.dataset.torch` makes tensors of it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from animerun_gen.conventions import UNKNOWN_FLOW_THRESHOLD, known_flow
from animerun_gen.dataset import files
from animerun_gen.dataset.clip import ClipFiles, Dataset
from animerun_gen.dataset.decoded import Decoded
from animerun_gen.dataset.listing import list_cut
from animerun_gen.dataset.modalities import pass_number
from animerun_gen.errors import DatasetError, NoDatasetError

Direction = Literal["forward", "backward", "both"]
OcclusionKind = Literal["paper", "exact"]
MaskForm = Literal["hidden_is_0", "hidden_is_255", "valid_is_255", "invalid_is_255"]

Sample = dict[str, Any]
"""What is known of a pair or a row of frames, under ptlflow's keys; see :func:`read_sample`."""


@dataclass(frozen=True)
class MaskFile:
    """A mask, and what its numbers mean.

    Attributes:
        path: The file: PNG or ``.npy``.
        form: What stands for what in it.
    """

    path: Path
    form: MaskForm

    def read(self, decoded: Decoded | None = None) -> npt.NDArray[np.bool_]:
        """``(H, W)`` bool: True where a pixel is hidden, or valid.

        Args:
            decoded: Where decoded pictures are kept.

        Raises:
            DatasetError: The file is missing or damaged, or holds something else.
        """
        if self.form == "hidden_is_0":
            # it is as good as decoded
            return files.read_inverted_mask(self.path)
        mask = files.read_mask(self.path) if decoded is None else decoded.read(self.path, files.read_mask)
        return ~mask if self.form == "invalid_is_255" else mask


@dataclass(frozen=True)
class FlowFiles:
    """The files of the motion from one frame to another.

    Attributes:
        flow: The flow; its suffix says of which format.
        valid: Where it is known; None where the flow alone says so.
        occlusion: What the other frame does not show; None where nobody says.
    """

    flow: Path
    valid: MaskFile | None = None
    occlusion: MaskFile | None = None


@dataclass(frozen=True)
class SampleFiles:
    """The files of a row of frames.

    Attributes:
        images: The frames by what they are drawn as (``"frame"``, ``"color_1"``), in the order of the row.
        flows: The motion from each frame of the row to the next one of it.
        flows_b: The motion back, in the same order; none where it is not asked for.
        meta: What tells the sample from others: names and numbers.
    """

    images: Mapping[str, tuple[Path, ...]]
    flows: tuple[FlowFiles, ...] = ()
    flows_b: tuple[FlowFiles, ...] = ()
    meta: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class ClipIndex:
    """Which files a clip has, from one look at its folders.

    Attributes:
        clip: The clip.
        numbers: Its frames, ascending.
        there: Modality to the files by frame.
    """

    clip: ClipFiles
    numbers: tuple[int, ...]
    there: Mapping[str, Mapping[int, Path]]

    @classmethod
    def look(cls, clip: ClipFiles) -> ClipIndex:
        """Look at the folders of a clip.

        Raises:
            DatasetError: A folder cannot be read, or there are no frames.
        """
        there: dict[str, dict[int, Path]] = {}
        for entry in list_cut(clip.root, clip.split, clip.cut):
            if entry.frame is not None and entry.belongs:
                there.setdefault(entry.modality.name, {})[entry.frame] = clip.root / entry.name
        return cls(clip, clip.frame_numbers, there)

    def file(self, name: str, frame: int) -> Path | None:
        """The file of a modality and frame; None where it is not there."""
        return self.there.get(name, {}).get(frame)

    @property
    def passes(self) -> tuple[str, ...]:
        """Names of the passes in other colours, the first one first."""
        found = [(number, name) for name in self.there if (number := pass_number(name)) is not None]
        return tuple(name for _, name in sorted(found))


def chosen_clips(root: Path, split: str, cuts: Collection[str] | Path | None = None) -> list[ClipIndex]:
    """The clips of a split, or those of them that a list names.

    Args:
        root: Root folder of the dataset.
        split: ``"train"`` or another one that is there.
        cuts: Names of cuts, or a text file with a name a line; None: all.

    Raises:
        NoDatasetError: There is no such dataset or split, or a cut that is named is not in it.
        DatasetError: A folder or the list cannot be read.
    """
    dataset = Dataset(root)
    if split not in dataset.splits:
        raise NoDatasetError(f"has no split {split!r}", root, f"it has {' and '.join(dataset.splits)}")
    clips = dataset.clips(split)
    if cuts is not None:
        names = _names_in(cuts) if isinstance(cuts, Path) else list(cuts)
        known = {clip.cut: clip for clip in clips}
        if strange := sorted(set(names) - known.keys()):
            there = ", ".join(known) or "none"
            raise NoDatasetError(f"has no cut {strange[0]!r} in {split}", root, f"the cuts there are: {there}")
        clips = [clip for clip in clips if clip.cut in set(names)]
    return [ClipIndex.look(clip) for clip in clips]


def _names_in(path: Path) -> list[str]:
    try:
        lines = files.read_regular(path, files.MOST_JSON_BYTES).decode("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DatasetError(f"cannot be read as a list of cuts ({error})", path, "give a text file") from error
    return [line.strip() for line in lines if line.strip() and not line.lstrip().startswith("#")]


@dataclass(frozen=True)
class Wanted:
    """What a sample is to hold.

    Attributes:
        pictures: What the frames are drawn as: ``"frame"``, ``"contour"``, ``"flat"``, ``"color_1"``; ``"random"``
            stands for the colour frame and all passes that a sample has, of which one is drawn.
        occlusion: ``"paper"``: as published; ``"exact"``: from the scene's geometry; None: none.
        reverse: Whether the motion back is wanted as well.
    """

    pictures: str = "frame"
    occlusion: OcclusionKind | None = "paper"
    reverse: bool = False


def require_direction(direction: str) -> None:
    """Refuse what is no direction of a pair.

    Raises:
        ValueError: It is none.
    """
    if direction not in ("forward", "backward", "both"):
        raise ValueError(f"direction is {direction!r}; it must be forward, backward or both")


def directed_pairs(numbers: Sequence[int], direction: Direction, gap: int = 1) -> list[tuple[int, int]]:
    """Where motion begins and ends, for all pairs of frames that are ``gap`` frames of the clip apart.

    Example:
        >>> directed_pairs((1, 3, 5), "both")
        [(1, 3), (3, 1), (3, 5), (5, 3)]
    """
    ways = ("forward", "backward") if direction == "both" else (direction,)
    return [
        (earlier, later) if way == "forward" else (later, earlier)
        for earlier, later in zip(numbers, numbers[gap:])  # noqa: B905 (they differ in length)
        for way in ways
    ]


def find_pairs(
    clips: Iterable[ClipIndex], wanted: Wanted, direction: Direction = "forward", gaps: Collection[int] = (1,)
) -> tuple[list[SampleFiles], list[str]]:
    """All pairs of frames that have what is wanted.

    Args:
        clips: The clips.
        wanted: What a sample is to hold.
        direction: ``"forward"``: from a frame to a later one; ``"backward"``: to an earlier one; ``"both"``: each pair
            twice, once each way.
        gaps: How many frames of the clip the two frames of a pair are apart.

    Returns:
        The pairs in the order of clips, gaps and frames; and a sentence for each pair that is left out.
    """
    found: list[SampleFiles] = []
    left_out: list[str] = []
    for clip in clips:
        for gap in sorted(gaps):
            for row in directed_pairs(clip.numbers, direction, gap):
                _take(clip, row, wanted, gap, found, left_out)
    return found, left_out


def find_windows(
    clips: Iterable[ClipIndex], wanted: Wanted, length: int, stride: int = 1
) -> tuple[list[SampleFiles], list[str]]:
    """All rows of ``length`` neighbouring frames that have what is wanted, with the motion along them.

    Args:
        clips: The clips.
        wanted: What a sample is to hold.
        length: Frames of a row.
        stride: How many frames of the clip the beginnings of two rows are apart.

    Returns:
        As :func:`find_pairs`.
    """
    found: list[SampleFiles] = []
    left_out: list[str] = []
    for clip in clips:
        for start in range(0, len(clip.numbers) - length + 1, stride):
            _take(clip, clip.numbers[start : start + length], wanted, 1, found, left_out)
    return found, left_out


def _take(
    clip: ClipIndex, row: Sequence[int], wanted: Wanted, gap: int, found: list[SampleFiles], left_out: list[str]
) -> None:
    """Add a row of frames to those found, or say why not."""
    images = pictures_of(clip, row, wanted.pictures)
    steps = list(pairwise(row))
    missing = [] if images else [f"{wanted.pictures} of all its frames"]
    flows = [_motion(clip, one, other, wanted.occlusion, gap, missing) for one, other in steps]
    back = [_motion(clip, other, one, wanted.occlusion, gap, missing) for one, other in steps if wanted.reverse]
    if missing:
        left_out.append(f"{clip.clip.cut} {'-'.join(map(str, row))} has no {missing[0]}")
        return
    meta = {"split": clip.clip.split, "cut": clip.clip.cut, "frames": tuple(row), "gap": gap}
    # nothing is missing, so none of them is None
    sample = SampleFiles(images, tuple(filter(None, flows)), tuple(filter(None, back)), meta)
    found.append(sample)


def pictures_of(clip: ClipIndex, row: Sequence[int], pictures: str) -> dict[str, tuple[Path, ...]]:
    """The pictures of a row of frames by what they are drawn as; those that not all of the frames have are left out."""
    names = ("frame", *clip.passes) if pictures == "random" else (pictures,)
    rows = {name: tuple(clip.file(name, frame) for frame in row) for name in names}
    return {name: tuple(filter(None, paths)) for name, paths in rows.items() if all(paths)}


def _motion(
    clip: ClipIndex, source: int, target: int, occlusion: OcclusionKind | None, gap: int, missing: list[str]
) -> FlowFiles | None:
    """The files of the motion from one frame to another; None where something is missing, which is added."""
    way = "forward" if source < target else "backward"
    behind = way if gap == 1 else f"{way}_gap{gap}"
    flow, valid = clip.file(f"flow_{behind}", source), clip.file(f"valid_{behind}", source)
    hidden = None
    if occlusion is not None:
        name = f"{'exact_occlusion' if occlusion == 'exact' else 'occlusion'}_{behind}"
        path = clip.file(name, source)
        if path is None:
            missing.append(name)
        else:
            hidden = MaskFile(path, "hidden_is_255" if occlusion == "exact" else "hidden_is_0")
    if flow is None:
        missing.append(f"flow_{behind}")
        return None
    return FlowFiles(flow, None if valid is None else MaskFile(valid, "valid_is_255"), hidden)


def read_sample(sample: SampleFiles, pictures: str, decoded: Decoded | None = None) -> Sample:
    """Read a row of ``T`` frames and the motion along it.

    Args:
        sample: The files.
        pictures: Which of its pictures, by what they are drawn as.
        decoded: Where decoded pictures are kept; None: each is decoded every time.

    Returns:
        Under ptlflow's keys, lists of arrays:

        - ``images``: T arrays ``(H, W, 3)`` uint8, RGB
        - ``flows``: T - 1 arrays ``(H, W, 2)`` float32, pixels, u to the right and v down; 0 where the motion is
          unknown and the file marks it so
        - ``valids``: T - 1 arrays ``(H, W, 1)`` uint8, 255 where the motion is known, else 0
        - ``occs``: T - 1 arrays ``(H, W, 1)`` uint8, 255 where the next frame does not show what is seen; only where
          occlusion is known
        - ``flows_b``, ``valids_b``, ``occs_b``: the same for the motion back, where it is asked for
        - ``meta``: the sample's ``meta`` and ``pictures``

    Raises:
        DatasetError: A file is missing or damaged, or two of them differ in size.
    """
    found: Sample = {"images": read_pictures(sample.images[pictures], decoded)}
    shape = found["images"][0].shape[:2]
    for behind, flows in (("", sample.flows), ("_b", sample.flows_b)):
        for flow in flows:
            motion, valid, hidden = read_motion(flow, decoded)
            found.setdefault(f"flows{behind}", []).append(motion)
            found.setdefault(f"valids{behind}", []).append(_as_picture(valid))
            if hidden is not None:
                found.setdefault(f"occs{behind}", []).append(_as_picture(hidden))
            if not shape == motion.shape[:2] == valid.shape == (shape if hidden is None else hidden.shape):
                raise DatasetError(f"is not of the size {shape} of its frames", flow.flow, "download it again")
    found["meta"] = {**sample.meta, "pictures": pictures}
    return found


def read_pictures(paths: Sequence[Path], decoded: Decoded | None = None) -> list[npt.NDArray[np.uint8]]:
    """Read frames or line art that belong together.

    Returns:
        Arrays ``(H, W, 3)`` uint8, RGB, that lie behind each other in memory, so that a batch of them is no copy.

    Raises:
        DatasetError: A file is missing, damaged, no picture of eight bits, or of another size than the first one.
    """
    together = np.empty((0, 0, 0, 3), np.uint8)
    for number, path in enumerate(paths):

        def room(shape: tuple[int, ...], dtype: npt.DTypeLike, number: int = number) -> npt.NDArray[Any]:
            nonlocal together
            if number == 0 and len(shape) == 3:
                together = np.empty((len(paths), *shape), np.uint8)
            fits = shape == together.shape[1:] and np.dtype(dtype) == np.uint8
            return together[number] if fits else np.empty(shape, dtype)

        decode = partial(read_picture, room=room)
        picture = decode(path) if decoded is None else decoded.read(path, decode, room)
        if number == 0 and together.shape[1:] != picture.shape:
            together = np.empty((len(paths), *picture.shape), np.uint8)
        if picture.shape != together.shape[1:]:
            raise DatasetError(f"is not of the size of {paths[0].name}", path, "make or download the cut again")
        if not np.may_share_memory(picture, together):
            together[number] = picture
    return list(together)


def read_picture(path: Path, room: files.Room = np.empty) -> npt.NDArray[np.uint8]:
    """Read a frame or line art as ``(H, W, 3)`` uint8, RGB; an alpha channel is left out.

    Args:
        path: The file.
        room: Gives the array that takes it, as in :func:`animerun_gen.dataset.files.read_image`.

    Raises:
        DatasetError: The file is missing, damaged, or no picture of eight bits.
    """
    is_photo = path.suffix.lower() in (".jpg", ".jpeg")
    picture = files.read_photo(path) if is_photo else files.read_image(path, drop_alpha=True, room=room)
    if picture.dtype != np.uint8:
        raise DatasetError(f"has pixels of {picture.dtype} where eight bits are expected", path, "download it again")
    rgb = picture if picture.ndim == 3 else np.repeat(picture[..., None], 3, axis=2)
    return rgb  # type: ignore[return-value]


def read_motion(
    flow: FlowFiles, decoded: Decoded | None = None
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.bool_], npt.NDArray[np.bool_] | None]:
    """Read the motion from one frame to another.

    Args:
        flow: The files.
        decoded: Where decoded masks are kept.

    Returns:
        The flow, ``(H, W, 2)`` float32, with 0 where the file marks it unknown; where it is known, ``(H, W)`` bool; and
        what the other frame does not show, ``(H, W)`` bool, or None where nobody says.

    Raises:
        DatasetError: A file is missing or damaged.
    """
    motion = files.read_any_flow(flow.flow)
    hidden = None if flow.occlusion is None else flow.occlusion.read(decoded)
    marked = None
    if not _all_known(motion):
        marked = known_flow(motion)
        # a pixel of two numbers at once, several times as fast as by components
        np.copyto(motion.view(np.uint64)[..., 0], 0, where=~marked)
    if flow.valid is None:
        return motion, np.ones(motion.shape[:2], np.bool_) if marked is None else marked, hidden
    valid = flow.valid.read(decoded)
    if valid.shape != motion.shape[:2]:
        raise DatasetError("is not of the size of its flow", flow.valid.path, "make or download it again")
    # what the flow itself marks is never known, whatever the mask says
    return motion, valid if marked is None else valid & marked, hidden


def _all_known(motion: npt.NDArray[np.float32]) -> bool:
    """Whether no flow is marked unknown, and there is no NaN.

    By the bits of the numbers, which without their sign are in the order of what they stand for, NaN last: the largest
    of whole numbers is found three times as fast.  With its sign, the largest is a positive number, and where the sign
    counts as a digit, the negative one with the largest amount.
    """
    most = np.float32(UNKNOWN_FLOW_THRESHOLD).view(np.int32)
    positive = motion.view(np.int32).max()
    negative = motion.view(np.uint32).max() & np.uint32(0x7FFFFFFF)
    return bool(positive < most and negative < most)


def _as_picture(mask: npt.NDArray[np.bool_]) -> npt.NDArray[np.uint8]:
    return (mask.view(np.uint8) * np.uint8(255))[..., None]
