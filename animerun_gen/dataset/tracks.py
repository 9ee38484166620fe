"""The file of a clip's tracks: surface points that are followed through all of its frames (``docs/tracks.md``).

It is a compressed ``.npz`` file of the arrays in :data:`ARRAYS`, which ``numpy.load`` reads without this package.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from animerun_gen.dataset import files
from animerun_gen.dataset.named_arrays import NamedArray
from animerun_gen.errors import DatasetError

ARRAYS: dict[str, NamedArray] = {
    "frames": NamedArray("int32", ("T",), "The numbers of the clip's frames, ascending."),
    "position": NamedArray(
        "float64",
        ("T", "N", 2),
        "Where each point is in the picture in pixels: x to the right, y down; NaN where unknown.",
    ),
    "world": NamedArray(
        "float64",
        ("T", "N", 3),
        "Where it is in the world, in scene units, which that frame's camera (`Camera`) projects to `position`; NaN "
        "where unknown.",
    ),
    "depth": NamedArray(
        "float32", ("T", "N"), "Its distance along the camera's view axis in scene units; NaN where unknown."
    ),
    "known": NamedArray("bool", ("T", "N"), "Whether its place is known exactly in that frame."),
    "in_frame": NamedArray("bool", ("T", "N"), "Whether its place is known and inside the picture."),
    "visible": NamedArray(
        "bool", ("T", "N"), "Whether it is in the picture, within the clipping range, and behind nothing."
    ),
    "query_frame": NamedArray("int32", ("N",), "The frame in which it was chosen: there it is the centre of a pixel."),
    "object_id": NamedArray("uint16", ("N",), "The object that it lies on, as in `ObjectId`."),
    "material_id": NamedArray("uint16", ("N",), "The material that it has in its query frame, as in `MaterialId`."),
    "requested": NamedArray("int32", (), "How many points were asked for: `motion.tracks`."),
    "seed": NamedArray("uint32", (), "The `seed` by which they were chosen."),
}
"""What the file holds, in this order; ``"T"`` stands for frames of the clip, ``"N"`` for points."""


@dataclass(frozen=True)
class TrackSettings:
    """What decides which points a clip's tracks follow, and through which frames.

    Attributes:
        frames: The clip's frames, ascending.
        requested: How many points were asked for.
        seed: The seed by which they were chosen.
    """

    frames: tuple[int, ...]
    requested: int
    seed: int


@dataclass(frozen=True)
class Tracks:
    """``N`` surface points in the ``T`` frames of a clip; :data:`ARRAYS` says what each array means.

    Attributes:
        frames: ``(T,)`` int32.
        position: ``(T, N, 2)`` float64, pixels.
        world: ``(T, N, 3)`` float64, scene units; NaN throughout where a version before 0.9 wrote the file.
        depth: ``(T, N)`` float32, scene units.
        known: ``(T, N)`` bool.
        in_frame: ``(T, N)`` bool.
        visible: ``(T, N)`` bool.
        query_frame: ``(N,)`` int32.
        object_id: ``(N,)`` uint16.
        material_id: ``(N,)`` uint16.
        requested: How many points were asked for; there are fewer where the query frames show fewer pixels of surfaces.
        seed: The seed by which they were chosen.
    """

    frames: npt.NDArray[np.int32]
    position: npt.NDArray[np.float64]
    world: npt.NDArray[np.float64]
    depth: npt.NDArray[np.float32]
    known: npt.NDArray[np.bool_]
    in_frame: npt.NDArray[np.bool_]
    visible: npt.NDArray[np.bool_]
    query_frame: npt.NDArray[np.int32]
    object_id: npt.NDArray[np.uint16]
    material_id: npt.NDArray[np.uint16]
    requested: int
    seed: int

    @property
    def settings(self) -> TrackSettings:
        """What they were made for."""
        return TrackSettings(tuple(self.frames.tolist()), self.requested, self.seed)


def write_tracks(path: Path, tracks: Tracks) -> None:
    """Write the tracks of a clip.

    Args:
        path: the file.
        tracks: what :func:`read_tracks` will return.

    Raises:
        ValueError: an array has another type or shape, or the arrays contradict each other.
        DatasetError: the file cannot be written.
    """
    arrays = {
        name: np.asarray(getattr(tracks, name), what.dtype if what.shape == () else None)
        for name, what in ARRAYS.items()
    }
    problem = _problem(arrays)
    if problem is not None:
        raise ValueError(f"tracks: {problem}")
    files.write_arrays(path, arrays)


def read_tracks(path: Path) -> Tracks:
    """Read what :func:`write_tracks` wrote.

    Raises:
        DatasetError: the file is missing or damaged, or its arrays contradict each other.
    """
    arrays = files.read_arrays(path, tuple(ARRAYS), optional=("world",))
    is_older = "world" not in arrays
    if is_older:
        arrays["world"] = np.full((*arrays["position"].shape[:-1], 3), np.nan)
    problem = _problem(arrays, has_world=not is_older)
    if problem is not None:
        raise DatasetError(f"holds no tracks: {problem}", path, files.AGAIN)
    values: dict[str, Any] = {name: int(array) if ARRAYS[name].shape == () else array for name, array in arrays.items()}
    return Tracks(**values)


def read_settings(path: Path) -> TrackSettings:
    """What a file of tracks was made for, without its larger arrays being read.

    Raises:
        DatasetError: the file is missing or damaged.
    """
    names = [field.name for field in fields(TrackSettings)]
    arrays = files.read_arrays(path, names)
    for name, array in arrays.items():
        if array.dtype != ARRAYS[name].dtype or array.ndim != len(ARRAYS[name].shape):
            raise DatasetError(f"holds no tracks: {name} is wrong", path, files.AGAIN)
    return TrackSettings(tuple(arrays["frames"].tolist()), int(arrays["requested"]), int(arrays["seed"]))


def _problem(arrays: dict[str, npt.NDArray[Any]], has_world: bool = True) -> str | None:
    """What is wrong with the arrays, as the end of a sentence; None where they are sound."""
    lengths: dict[str | int, int] = {"T": arrays["frames"].size, "N": arrays["query_frame"].size}
    for name, what in ARRAYS.items():
        array, shape = arrays[name], tuple(lengths.get(side, side) for side in what.shape)
        if array.dtype != what.dtype or array.shape != shape:
            return f"{name} is {array.shape} of {array.dtype} instead of {shape} of {what.dtype}"
    frames, known = arrays["frames"], arrays["known"]
    if not (np.diff(frames) > 0).all():
        return "frames do not ascend"
    if (arrays["visible"] & ~arrays["in_frame"]).any() or (arrays["in_frame"] & ~known).any():
        return "a point is visible outside the picture, or in the picture where nobody knows"
    numbers = [*np.moveaxis(arrays["position"], -1, 0), arrays["depth"]]
    if has_world:
        numbers += [*np.moveaxis(arrays["world"], -1, 0)]
    if any((np.isfinite(values) != known).any() for values in numbers):
        return "position, world and depth are numbers elsewhere than where the place is known"
    own = np.searchsorted(frames, arrays["query_frame"])
    if (own == len(frames)).any() or (frames[own] != arrays["query_frame"]).any():
        return "a point was chosen in a frame that the clip does not have"
    if not arrays["visible"][own, np.arange(len(own))].all():
        return "a point is not visible in the frame in which it was chosen"
    return None
