"""The clips of a dataset by name and number: ``Dataset(root).clip("fight").read("flow_forward", 186)``.

In memory masks mean what their names say (occlusion: True = occluded; line area: True = near a line; valid: True =
known); the polarity on disk, which is AnimeRun's, is converted here and nowhere else.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from animerun_gen.conventions import UNKNOWN_FLOW
from animerun_gen.dataset import files
from animerun_gen.dataset.cameras import Cameras, FrameCamera, read_cameras
from animerun_gen.dataset.colors import ColorTable, read_colors, write_colors
from animerun_gen.dataset.correspondence import MotionBetween, read_surfaces, write_surfaces
from animerun_gen.dataset.layers import compose_layers, read_amodal, write_amodal
from animerun_gen.dataset.layout import camera_files
from animerun_gen.dataset.line_ink import read_line_ink, write_line_ink
from animerun_gen.dataset.modalities import (
    LAYERS_FOLDER,
    SPLITS,
    Content,
    Modality,
    at_gap,
    composed_of,
    is_layer_name,
    modality,
    named_as_there,
    other_forms,
)
from animerun_gen.dataset.strokes import read_strokes, write_strokes
from animerun_gen.dataset.tracks import Tracks, read_tracks, write_tracks
from animerun_gen.errors import DatasetError, NoDatasetError


def _read_picture(path: Path) -> Any:
    # some of the published frames have an alpha channel, which the published loaders leave out
    return files.read_image(path, drop_alpha=True)


_READERS: dict[Content, Callable[[Path], Any]] = {
    "picture": _read_picture,
    "flow": files.read_flow,
    "mask": files.read_mask,
    "inverted_mask": files.read_inverted_mask,
    "array": files.read_array,
    "matches": files.read_matches,
    "surfaces": read_surfaces,
    "strokes": read_strokes,
    "cel": files.read_cel,
    "amodal": read_amodal,
    "line_ink": read_line_ink,
}
_WRITERS: dict[Content, Callable[[Path, Any], None]] = {
    "picture": files.write_image,
    "flow": files.write_flow,
    "mask": files.write_mask,
    "inverted_mask": files.write_inverted_mask,
    "array": files.write_array,
    "matches": files.write_matches,
    "surfaces": write_surfaces,
    "strokes": write_strokes,
    "cel": files.write_cel,
    "amodal": write_amodal,
    "line_ink": write_line_ink,
}


@dataclass(frozen=True)
class ClipFiles:
    """The files of one cut.

    Attributes:
        root: Root folder of the dataset.
        split: ``"train"``, ``"val"`` or ``"test"``.
        cut: Name of the cut.
    """

    root: Path
    split: str
    cut: str

    @cached_property
    def frame_numbers(self) -> tuple[int, ...]:
        """The numbers of the clip's frames, ascending, by its colour frames on disk when this is first asked.

        Raises:
            DatasetError: there are none.
        """
        frame = modality("frame")
        folder = frame.cut_folder(self.root, self.split, self.cut)
        try:
            names = [file.name for file in folder.iterdir()]
        except OSError as error:
            raise DatasetError(f"cannot be read ({error.strerror})", folder, "check the path of the dataset") from error
        frame = named_as_there(frame, names)
        found = sorted(number for name in names if (number := frame.frame_of(name)) is not None)
        if not found:
            raise DatasetError("contains no frames", folder, "make or download the cut again")
        return tuple(found)

    def frames(self, name: str) -> tuple[int, ...]:
        """The frames of the clip that should have a file of a modality."""
        return modality(name).frames(self.frame_numbers)

    def path(self, name: str, frame: int) -> Path:
        """The file of a modality (by name) and frame: with the name that it has on disk, or would have."""
        usual = self._written_as(_with_frames(name))
        path = usual.path(self.root, self.split, self.cut, frame)
        if not path.exists():
            for form in other_forms(usual):
                other = form.path(self.root, self.split, self.cut, frame)
                if other.exists():
                    return other
        return path

    def _written_as(self, what: Modality) -> Modality:
        """The form in which files of a modality are written, which may stand beside others' files in other forms."""
        return what

    def has(self, name: str, frame: int) -> bool:
        """Whether that file is there."""
        return self.path(name, frame).is_file()

    def read(self, name: str, frame: int) -> Any:
        """Read one file.

        Args:
            name: of the modality, such as ``"flow_forward"``.
            frame: the source frame of a pair, or the frame itself.

        Returns:
            An array with the dtype and shape of the table of modalities; for masks ``(H, W)`` bool that mean what
            their names say; for matches a list of lists of ints; for correspondence
            :class:`~animerun_gen.dataset.correspondence.Surfaces`; for strokes
            :class:`~animerun_gen.dataset.strokes.Strokes`; for line ink
            :class:`~animerun_gen.dataset.line_ink.LineInk`; for amodal
            :class:`~animerun_gen.dataset.layers.Amodal`.  What others store in another type (segments as
            float64, line art as RGB) is brought into that of the table where nothing is lost by it.

        Raises:
            DatasetError: the file is missing, damaged, or of another dtype or shape.
            ValueError: there is no such modality, or it is the tracks, which belong to no frame.
        """
        what, path = _with_frames(name), self.path(name, frame)
        value = _READERS[what.content](path)
        if what.content in ("picture", "array"):
            value = _as_in_table(value, what)
        if what.content in ("picture", "array") and not files.fits(value, what.dtype, what.shape):
            raise DatasetError(
                f"is an array of {value.dtype} with shape {value.shape}, but a file of {name} must hold"
                f" {what.dtype} with shape ({', '.join(map(str, what.shape))})",
                path,
                "delete it and make it again",
            )
        return value

    def read_motion(self, direction: str, frame: int, gap: int = 1) -> npt.NDArray[np.float32]:
        """Read flow as a label: pixels that ``Valid`` calls unknown are marked, whatever the flow's own file has there.

        Args:
            direction: ``"forward"`` or ``"backward"``.
            frame: The frame where the motion begins.
            gap: How many frames of the clip it spans.

        Returns:
            ``(H, W, 2)`` float32, pixels, :data:`~animerun_gen.conventions.UNKNOWN_FLOW` where it is unknown.  A
            dataset without ``Valid`` marks unknown motion in the flow itself.

        Raises:
            DatasetError: A file is missing, damaged, or of another dtype or shape.
        """
        names = [at_gap(modality(f"{name}_{direction}"), gap).name for name in ("flow", "valid")]
        flow: npt.NDArray[np.float32] = self.read(names[0], frame)
        if self.has(names[1], frame):
            valid = self.read(names[1], frame)
            if valid.shape != flow.shape[:2]:
                raise DatasetError(
                    f"has {valid.shape[0]} x {valid.shape[1]} pixels, but the flow that it is about has "
                    f"{flow.shape[0]} x {flow.shape[1]}",
                    self.path(names[1], frame),
                    "delete both and make them again",
                )
            flow[~valid] = UNKNOWN_FLOW
        return flow

    @property
    def tracks_path(self) -> Path:
        """The file of the clip's tracks."""
        return modality("tracks").clip_path(self.root, self.split, self.cut)

    def read_tracks(self) -> Tracks:
        """Read the points that are followed through the clip.

        Raises:
            DatasetError: the file is missing or damaged.
        """
        return read_tracks(self.tracks_path)

    @cached_property
    def cameras(self) -> Cameras:
        """The cameras of all frames, as the file had them when this is first asked.

        Raises:
            DatasetError: the file is missing or damaged.
        """
        return read_cameras(self.root, self.split, self.cut)

    def camera(self, frame: int, *, film: bool = False) -> FrameCamera:
        """The camera of a frame, which brings points of the world into the picture and back.

        Args:
            frame: the frame.
            film: whether the film's own camera is meant, where the conversion filmed with another one.

        Raises:
            DatasetError: the file is missing or damaged, or has no camera of this frame.

        Example:
            >>> camera = clip.camera(3)  # doctest: +SKIP
            >>> points = camera.unproject(clip.read("depth", 3), pixels)  # doctest: +SKIP
        """
        try:
            return self.cameras.at(frame, film=film)
        except KeyError:
            path, numbers = camera_files(self.root, self.split, self.cut)[1], self.cameras.frames
            known = f"the frames it has are {numbers[0]} to {numbers[-1]}" if numbers else "make the cut again"
            raise DatasetError(f"has no camera of frame {frame}", path, known) from None

    def flow_between(self, source: int, target: int) -> MotionBetween:
        """The exact motion from one frame to any other one, without Blender; see ``docs/correspondence.md``.

        Args:
            source: the frame whose pixels the flow is given for.
            target: the frame that it points into, earlier or later.

        Returns:
            ``flow`` ``(H, W, 2)`` float32 in pixels, ``valid`` and ``occluded`` ``(H, W)`` bool: what ``motion.gaps``
            would have written.

        Raises:
            DatasetError: the clip was made without ``correspondence``, or a file is damaged.
            ValueError: it is one and the same frame.

        Example:
            >>> found = clip.flow_between(3, 40)  # doctest: +SKIP
            >>> seen = found.valid & ~found.occluded  # doctest: +SKIP
        """
        # what follows surfaces lies above the dataset, which it reads; it needs no more than numpy, either
        between = importlib.import_module("animerun_gen.motion.between")
        found: MotionBetween = between.flow_between(self, source, target)
        return found

    @cached_property
    def layers(self) -> tuple[str, ...]:
        """The clip's layers that are on the disk, by name; empty where it has none.

        Raises:
            DatasetError: the folder of layers cannot be read.
        """
        folder = self.root / self.split / LAYERS_FOLDER
        try:
            names = sorted(each.name for each in folder.iterdir()) if folder.is_dir() else []
        except OSError as error:
            raise DatasetError(f"cannot be read ({error.strerror})", folder, "check its permissions") from error
        return tuple(
            name
            for name in names
            if is_layer_name(name) and modality(f"cel@{name}").cut_folder(self.root, self.split, self.cut).is_dir()
        )

    def composed_frame(self, frame: int, pictures: str = "frame") -> npt.NDArray[np.uint8]:
        """The colour frame, put together from the clip's layers; it equals ``read(pictures, frame)``.

        Args:
            frame: the frame.
            pictures: ``"frame"``, or a colour pass such as ``"color_1"`` of a clip made with ``layers.passes``.

        Returns:
            ``(H, W, 3)`` uint8.

        Raises:
            DatasetError: a file is missing or damaged.
            ValueError: such pictures are not put together from layers.

        Example:
            >>> clip.composed_frame(12)  # doctest: +SKIP
        """
        names = composed_of(pictures)
        order = self.read("amodal", frame).order
        cels = [self.read(f"{names.cel}@{name}", frame) for name in order]
        visible = [self.read(f"visible@{name}", frame) for name in order]
        return compose_layers(cels, visible, self.read(names.lines, frame))

    def read_names(self, name: str) -> dict[str, str]:
        """What the ids of ``"object_id"`` or ``"material_id"`` stand for, by id as decimal text.

        Raises:
            DatasetError: the table is missing or damaged.
            ValueError: the modality has no names.
        """
        return files.read_names(self.names_path(name))

    def read_colors(self) -> ColorTable:
        """The colour of each material in the flat frames.

        Raises:
            DatasetError: the table is missing or damaged.
        """
        return read_colors(self.names_path("flat"))

    def names_path(self, name: str) -> Path:
        """The file that says what the ids of a modality stand for.

        Raises:
            ValueError: the modality has no such table.
        """
        if not modality(name).has_names:
            raise ValueError(f"{name} has no table of names")
        return modality(name).names_path(self.root, self.split, self.cut)


@dataclass(frozen=True)
class ClipWriter(ClipFiles):
    """The files of one cut, to be written; each is complete or absent at any moment.

    Attributes:
        compressed: Whether masks and segments are compressed.
    """

    compressed: bool = False

    def _written_as(self, what: Modality) -> Modality:
        return what.compressed if self.compressed else what

    def write(self, name: str, frame: int, value: Any) -> None:
        """Write one file.

        Args:
            name: of the modality.
            frame: the source frame of a pair, or the frame itself.
            value: what :meth:`ClipFiles.read` will return.

        Raises:
            ValueError: there is no such modality, it is the tracks, or ``value`` is not of its dtype and shape.
            DatasetError: the file cannot be written.
        """
        what = _with_frames(name)
        if what.content in ("picture", "array") and not files.fits(value, what.dtype, what.shape):
            raise ValueError(f"{name} takes {what.dtype} {what.shape}, got {value.dtype} {value.shape}")
        # whatever else is there: all that is written has the same stem
        _WRITERS[what.content](self._written_as(what).path(self.root, self.split, self.cut, frame), value)

    def write_tracks(self, tracks: Tracks) -> None:
        """Write the points that are followed through the clip.

        Raises:
            ValueError: an array has a wrong type or shape, or they contradict each other.
            DatasetError: the file cannot be written.
        """
        write_tracks(self.tracks_path, tracks)

    def write_names(self, name: str, names: Mapping[str, str]) -> None:
        """Write what :meth:`read_names` will return, by id as decimal text.

        Raises:
            ValueError: the modality has no names, or an id is no number.
            DatasetError: the file cannot be written.
        """
        files.write_names(self.names_path(name), names)

    def write_colors(self, table: ColorTable) -> None:
        """Write what :meth:`read_colors` will return.

        Raises:
            DatasetError: the file cannot be written.
        """
        write_colors(self.names_path("flat"), table)


class Dataset:
    """A dataset on disk, made by this project or downloaded.

    Args:
        root: the folder that holds ``train``, ``val`` and ``test``, or some of them.

    Raises:
        NoDatasetError: it holds none of them.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        if not self.splits:
            wanted = f"{', '.join(SPLITS[:-1])} or {SPLITS[-1]}"
            raise NoDatasetError(
                f"is not a dataset: it has no folder {wanted}", root, "give the folder that contains them"
            )

    @property
    def splits(self) -> tuple[str, ...]:
        """The splits that are there."""
        return tuple(split for split in SPLITS if (self.root / split).is_dir())

    def clips(self, split: str | None = None) -> list[ClipFiles]:
        """All cuts, or those of one split, by name; a cut is there when its folder of colour frames is.

        Raises:
            DatasetError: a folder cannot be read.
        """
        clips = []
        for one in self.splits if split is None else (split,):
            folder = _folder_of_cuts(modality("frame"), self.root, one)
            try:
                cuts = sorted(entry.name for entry in folder.iterdir() if entry.is_dir()) if folder.is_dir() else []
            except OSError as error:
                raise DatasetError(f"cannot be read ({error.strerror})", folder, "check its permissions") from error
            clips += [ClipFiles(self.root, one, cut) for cut in cuts if not cut.startswith(".")]
        return clips

    def clip(self, cut: str) -> ClipFiles:
        """The cut of a name.

        Raises:
            NoDatasetError: there is none.
        """
        clips = self.clips()
        for clip in clips:
            if clip.cut == cut:
                return clip
        known = ", ".join(clip.cut for clip in clips) or "none"
        raise NoDatasetError(f"has no cut {cut!r}", self.root, f"the cuts there are: {known}")


def _as_in_table(value: Any, what: Modality) -> Any:
    """What a file of others holds, in the type and shape of the table; as it is where it cannot be."""
    if files.fits(value, what.dtype, what.shape):
        return value
    if what.content == "picture" and value.dtype == np.uint8 == np.dtype(what.dtype):
        if value.ndim == 2 and len(what.shape) == 3:
            return np.repeat(value[..., None], 3, axis=2)
        if value.ndim == 3 and len(what.shape) == 2 and (value == value[..., :1]).all():
            return np.ascontiguousarray(value[..., 0])
    if what.dtype == "int32" and value.ndim == 2 and value.dtype.kind in "iuf" and value.size:
        limits = np.iinfo(np.int32)
        if (value >= limits.min).all() and (value <= limits.max).all() and (value == np.rint(value)).all():
            return value.astype(np.int32)
    return value


def _with_frames(name: str) -> Modality:
    """The modality of a name, which must have files that belong to frames."""
    what = modality(name)
    if what.kind == "clip":
        raise ValueError(f"{name} belong to the whole clip; use read_{name} and write_{name}")
    return what


def _folder_of_cuts(what: Modality, root: Path, split: str) -> Path:
    return root / split / what.folder.partition("/{cut}")[0]
