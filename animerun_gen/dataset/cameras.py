"""The cameras of a clip: ``Camera/<cut>.json`` and, as arrays, ``Camera/<cut>.npz`` (``docs/camera_files.md``).

Both are collected from a record of each frame, which whoever renders the frame leaves in the hidden folder.  Nothing
but numpy is needed to read them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict

import numpy as np
import numpy.typing as npt

from animerun_gen.dataset import files, layout
from animerun_gen.errors import DatasetError

if TYPE_CHECKING:
    # of Python 3.11; reading works with 3.10 as well
    from typing import Self

Float64Array = npt.NDArray[np.float64]

VERSION = 1
"""Of the form of the JSON file."""

TO_OPENCV = np.diag([1.0, -1.0, -1.0, 1.0])
"""From the axes of a camera of Blender (y up, looking along -z) to those of OpenCV (y down, looking along z)."""

MATRICES = {"projection": (3, 4), "world_to_camera": (4, 4), "matrix_world": (4, 4)}
NUMBERS = ("near", "far", "orthographic_scale")
CONVENTIONS = {
    "pixels": "x to the right, y down, centres of pixels at whole numbers: the picture begins at -0.5",
    "axes": "OpenCV: the camera's x to the right, y down, z along the view",
    "matrices": "row by row, for column vectors",
    "units": "scene units",
}
"""What the JSON file says about itself, for whoever opens it without the documentation."""


@dataclass(frozen=True)
class FrameCamera:
    """The camera of one frame, whatever film, lens or conversion it came from.

    Attributes:
        name: Its name in the film, or that of the camera that films in its place.
        width: Width of the picture in pixels.
        height: Height of the picture in pixels.
        projection: ``(3, 4)`` float64, camera coordinates ``(x, y, z, 1)`` in OpenCV axes to homogeneous pixels
            ``(u w, v w, w)``: ``[K | 0]`` for a perspective camera; for an orthographic one the last row is
            ``(0, 0, 0, 1)``, so that ``u = projection[0, 0] x + projection[0, 3]``.  Lens, sensor fit, shift and the
            picture's shape are in it.
        world_to_camera: ``(4, 4)`` float64, world to camera coordinates in OpenCV axes.
        matrix_world: ``(4, 4)`` float64, camera to world in the axes of Blender (y up, looking along -z), without the
            scale that a camera object may have.
        near: Nearest distance along the view axis that is drawn, in scene units.
        far: Farthest distance along the view axis that is drawn, in scene units.
        orthographic_scale: Blender's ``ortho_scale``, how many units the picture is wide or high; None for a
            perspective camera.
    """

    name: str
    width: int
    height: int
    projection: Float64Array
    world_to_camera: Float64Array
    matrix_world: Float64Array
    near: float
    far: float
    orthographic_scale: float | None = None

    @property
    def is_orthographic(self) -> bool:
        """Whether rays are parallel."""
        return self.orthographic_scale is not None

    @property
    def K(self) -> Float64Array | None:
        """``(3, 3)`` float64, the intrinsics; None for an orthographic camera, which has none: see ``projection``."""
        return None if self.is_orthographic else self.projection[:, :3]

    def depth(self, points: npt.ArrayLike) -> Float64Array:
        """How far points lie along the view axis, as ``Depth`` has it.

        Args:
            points: ``(..., 3)``, world coordinates.

        Returns:
            ``(...)`` float64, scene units; negative behind the camera.
        """
        distance: Float64Array = self._seen(points)[..., 2]
        return distance

    def project(self, points: npt.ArrayLike) -> Float64Array:
        """Where the camera sees points, inside the picture or not.

        Args:
            points: ``(..., 3)``, world coordinates.

        Returns:
            ``(..., 2)`` float64, pixels, x to the right and y down, centres at whole numbers; NaN for what lies behind
            a perspective camera, or beside it.

        Example:
            >>> camera.project(camera.unproject(5.0, [12.0, 34.0])).round(6).tolist()  # doctest: +SKIP
            [12.0, 34.0]
        """
        seen = self._seen(points)
        matrix = self.projection
        homogeneous = seen @ matrix[:, :3].T + matrix[:, 3]
        along = homogeneous[..., 2:]
        with np.errstate(divide="ignore", invalid="ignore"):
            pixels: Float64Array = np.where(along > 0.0, homogeneous[..., :2] / along, np.nan)
        return pixels

    def unproject(self, depth: npt.ArrayLike, xy: npt.ArrayLike) -> Float64Array:
        """The points that pixels show.

        Args:
            depth: ``(...)``, distance along the view axis in scene units, as ``Depth`` has it.
            xy: ``(..., 2)``, pixels.

        Returns:
            ``(..., 3)`` float64, world coordinates; not finite where the depth is not.
        """
        along, pixels = np.asarray(depth, np.float64)[..., None], np.asarray(xy, np.float64)
        matrix = self.projection
        with np.errstate(invalid="ignore"):
            if self.is_orthographic:
                across = (pixels - matrix[:2, 3]) @ np.linalg.inv(matrix[:2, :2]).T
            else:
                across = ((pixels - matrix[:2, 2]) @ np.linalg.inv(matrix[:2, :2]).T) * along
            seen = np.concatenate([across, np.broadcast_to(along, (*across.shape[:-1], 1))], axis=-1)
            back = np.linalg.inv(self.world_to_camera)
            points: Float64Array = seen @ back[:3, :3].T + back[:3, 3]
        return points

    def _seen(self, points: npt.ArrayLike) -> Float64Array:
        """``(..., 3)``: points in camera coordinates."""
        matrix = self.world_to_camera
        seen: Float64Array = np.asarray(points, np.float64) @ matrix[:3, :3].T + matrix[:3, 3]
        return seen

    def as_dict(self) -> dict[str, Any]:
        """As it stands in the JSON file."""
        return {
            "name": self.name,
            "K": None if self.K is None else self.K.tolist(),
            **{name: getattr(self, name).tolist() for name in MATRICES},
            **{name: getattr(self, name) for name in NUMBERS},
        }

    @classmethod
    def of(cls, written: Mapping[str, Any], resolution: Sequence[int]) -> Self:
        """Read what :meth:`as_dict` wrote.

        Raises:
            ValueError: It is no camera.
        """
        try:
            width, height = (int(side) for side in resolution)
            matrices = {name: np.array(written[name], np.float64) for name in MATRICES}
            scale = written["orthographic_scale"]
            camera = cls(
                name=str(written["name"]),
                width=width,
                height=height,
                near=float(written["near"]),
                far=float(written["far"]),
                orthographic_scale=None if scale is None else float(scale),
                **matrices,
            )
        except (KeyError, TypeError) as error:
            raise ValueError(f"is no camera ({error})") from error
        camera.require_sound()
        return camera

    def require_sound(self) -> None:
        """See whether it is a camera at all.

        Raises:
            ValueError: It is none.
        """
        for name, shape in MATRICES.items():
            matrix = getattr(self, name)
            if matrix.shape != shape or not np.isfinite(matrix).all():
                raise ValueError(f"{name} is no {shape[0]} x {shape[1]} matrix of numbers")
        last = (0.0, 0.0, 0.0, 1.0) if self.is_orthographic else (0.0, 0.0, 1.0, 0.0)
        if tuple(self.projection[2]) != last:
            raise ValueError("its projection is not of the kind that its orthographic scale says")
        if not np.allclose(self.world_to_camera @ self.matrix_world @ TO_OPENCV, np.eye(4), atol=1e-5):
            raise ValueError("world_to_camera and matrix_world are not the same place")
        if not 0.0 < self.far - self.near < np.inf:
            raise ValueError("it draws nothing between near and far")


@dataclass(frozen=True)
class Cameras:
    """The cameras of a clip.

    Attributes:
        frames: The clip's frames that have one, ascending.
        filming: What films each of them.
        film: The film's own camera in the frames in which the conversion filmed with another one; None elsewhere.
    """

    frames: tuple[int, ...]
    filming: tuple[FrameCamera, ...]
    film: tuple[FrameCamera | None, ...]

    def at(self, frame: int, *, film: bool = False) -> FrameCamera:
        """The camera of a frame.

        Args:
            frame: The frame.
            film: Whether the film's own camera is meant, where another one films; it is the same one elsewhere.

        Raises:
            KeyError: There is no such frame.
        """
        try:
            index = self.frames.index(frame)
        except ValueError:
            raise KeyError(frame) from None
        own = self.film[index] if film else None
        return own or self.filming[index]

    def as_dicts(self) -> list[dict[str, Any]]:
        """What the JSON file says of each frame, as far as the arrays say it as well."""
        return [
            {
                "frame": frame,
                "camera": filming.as_dict(),
                "film_camera": None if own is None else own.as_dict(),
            }
            for frame, filming, own in zip(self.frames, self.filming, self.film, strict=True)
        ]


def parse_cameras(data: Any) -> list[dict[str, Any]]:
    """The content of the JSON file, in the form of :meth:`Cameras.as_dicts`.

    Raises:
        ValueError: It holds no cameras.
    """
    try:
        resolution = data["resolution"]
        return [
            {
                "frame": entry["frame"],
                "camera": FrameCamera.of(entry["camera"], resolution).as_dict(),
                "film_camera": None
                if entry["film_camera"] is None
                else FrameCamera.of(entry["film_camera"], resolution).as_dict(),
            }
            for entry in data["frames"]
        ]
    except (KeyError, TypeError) as error:
        raise ValueError(f"it lacks {error}") from error


class Exposed(TypedDict):
    """A layer in a frame of a clip whose layers have timings of their own.

    Attributes:
        film_frame: The frame that it shows, numbered as the clip's files are.
        share: Share of the picture that shows it, 0..1.
    """

    film_frame: int
    share: float


def write_record(output: Path, cut: str, frame: int, record: Mapping[str, Any]) -> None:
    """Leave the record of a frame, of which the clip's files are collected.

    Args:
        output: Root folder of the dataset.
        cut: Name of the cut.
        frame: The frame.
        record: ``"resolution"``, ``"moved_by"``, ``"camera"`` and ``"film_camera"`` (None where the film's films), both
            as :meth:`FrameCamera.as_dict` has them, with ``"blender"``: what makes the camera again in Blender.  Where
            layers are held, ``"exposed"`` as well: an :class:`Exposed` for each layer.

    Raises:
        DatasetError: It cannot be written.
    """
    files.write_if_changed(layout.camera_record(output, cut, frame), {"frame": frame, **record})


def read_record(output: Path, cut: str, frame: int) -> dict[str, Any]:
    """Read what :func:`write_record` wrote.

    Raises:
        DatasetError: It is missing or damaged.
    """
    path = layout.camera_record(output, cut, frame)
    record = files.read_json(path)
    try:
        if files.json_bytes(record) != path.read_bytes():
            raise ValueError("is not what was written")
        for name in ("camera", "film_camera"):
            if record[name] is not None or name == "camera":
                FrameCamera.of(record[name], record["resolution"])
        if record["frame"] != frame or len(record["moved_by"]) != 3:
            raise ValueError("is of another frame")
    except (KeyError, TypeError, ValueError, OSError) as error:
        raise DatasetError(f"holds no camera ({error})", path, files.AGAIN) from error
    return dict(record)


def is_record(output: Path, cut: str, frame: int) -> bool:
    """Whether :func:`read_record` reads the record of a frame."""
    try:
        read_record(output, cut, frame)
    except DatasetError:
        return False
    return True


def write_cameras(root: Path, split: str, cut: str, records: Sequence[Mapping[str, Any]]) -> None:
    """Write the two files of a clip's cameras, where they are not just so already.

    Args:
        root: Root folder of the dataset.
        split: Its split.
        cut: Name of the cut.
        records: Of its frames, ascending, as :func:`read_record` gives them.

    Raises:
        DatasetError: One cannot be written.
    """
    written, arrays = layout.camera_files(root, split, cut)
    resolution, moved_by = records[0]["resolution"], records[0]["moved_by"]
    described = {
        "version": VERSION,
        "resolution": resolution,
        "conventions": CONVENTIONS,
        "moved_by": moved_by,
        "frames": [{name: record[name] for name in ("frame", "camera", "film_camera")} for record in records],
    }
    files.write_if_changed(written, described)
    filming = [FrameCamera.of(record["camera"], resolution) for record in records]
    film = [None if (own := record["film_camera"]) is None else FrameCamera.of(own, resolution) for record in records]
    columns: dict[str, npt.NDArray[Any]] = {
        "frames": np.array([record["frame"] for record in records], np.int32),
        "resolution": np.array(resolution, np.int32),
        "moved_by": np.array(moved_by, np.float64),
        **_columns("", filming),
        **_columns("film_", film),
    }
    files.write_arrays(arrays, columns, if_changed=True)


def _columns(prefix: str, cameras: Sequence[FrameCamera | None]) -> dict[str, npt.NDArray[Any]]:
    """Arrays over the frames; NaN, and an empty name, where there is no camera or no such number."""
    columns: dict[str, npt.NDArray[Any]] = {
        f"{prefix}name": np.array(["" if camera is None else camera.name for camera in cameras], np.str_)
    }
    for name, shape in {"K": (3, 3), **MATRICES}.items():
        values = [None if camera is None else getattr(camera, name) for camera in cameras]
        columns[prefix + name] = np.array([np.full(shape, np.nan) if one is None else one for one in values])
    for name in NUMBERS:
        values = [None if camera is None else getattr(camera, name) for camera in cameras]
        columns[prefix + name] = np.array([np.nan if one is None else one for one in values])
    return columns


ARRAYS = (
    "frames",
    "resolution",
    "moved_by",
    *(prefix + name for prefix in ("", "film_") for name in ("name", "K", *MATRICES, *NUMBERS)),
)
"""What the ``.npz`` file holds."""


def read_cameras(root: Path, split: str, cut: str) -> Cameras:
    """Read the cameras of a clip, from the ``.npz`` file.

    Args:
        root: Root folder of the dataset.
        split: Its split.
        cut: Name of the cut.

    Raises:
        DatasetError: The file is missing or damaged.
    """
    _, path = layout.camera_files(root, split, cut)
    arrays = files.read_arrays(path, ARRAYS)
    try:
        frames = tuple(arrays["frames"].tolist())
        if list(frames) != sorted(set(frames)) or any(len(arrays[name]) != len(frames) for name in ARRAYS[3:]):
            raise ValueError("its arrays are not of the same frames")
        filming = [_camera_at(arrays, "", index) for index in range(len(frames))]
        film = [
            _camera_at(arrays, "film_", index) if arrays["film_name"][index] else None for index in range(len(frames))
        ]
    except (IndexError, TypeError, ValueError) as error:
        raise DatasetError(f"holds no cameras ({error})", path, files.AGAIN) from error
    return Cameras(frames, tuple(filming), tuple(film))


def _camera_at(arrays: Mapping[str, npt.NDArray[Any]], prefix: str, index: int) -> FrameCamera:
    scale = float(arrays[f"{prefix}orthographic_scale"][index])
    written: dict[str, Any] = {name: arrays[prefix + name][index] for name in ("name", *MATRICES, "near", "far")}
    return FrameCamera.of(
        {**written, "orthographic_scale": None if np.isnan(scale) else scale}, arrays["resolution"].tolist()
    )


def frames_of_cameras(written: Path, path: Path) -> tuple[int, ...]:
    """The frames of a clip whose cameras its files have, ascending; none where one of the two is missing or damaged.

    Args:
        written: The JSON file, see :func:`~animerun_gen.dataset.layout.camera_files`.
        path: The file of arrays.
    """
    try:
        frames = files.read_arrays(path, ("frames",))["frames"]
    except DatasetError:
        return ()
    return tuple(frames.tolist()) if written.is_file() and frames.ndim == 1 else ()


def write_reprojection(output: Path, cut: str, frame: int, other: int, error: float | None, compared: float) -> None:
    """Leave for the quality gate how well flow agrees with depth and cameras, from ``frame`` to ``other``.

    Args:
        output: Root folder of the dataset.
        cut: Name of the cut.
        frame: Where the flow begins.
        other: Where it leads.
        error: The largest distance in pixels; None where nothing that is seen stands still.
        compared: Share of the picture that was compared, 0..1.

    Raises:
        DatasetError: It cannot be written.
    """
    found = {"error": error, "compared": compared}
    files.write_if_changed(layout.reprojection(output, cut, frame, other), found)


def read_reprojection(output: Path, cut: str, frame: int, other: int) -> dict[str, float | None]:
    """Read what :func:`write_reprojection` wrote: ``"error"`` and ``"compared"``, both None where nothing sound is.

    What is missing is not judged, but counted.
    """
    names = ("error", "compared")
    try:
        written = files.read_json(layout.reprojection(output, cut, frame, other))
    except DatasetError:
        written = None
    figures = {name: written.get(name) if isinstance(written, dict) else None for name in names}
    return {name: figures[name] if isinstance(figures[name], float) else None for name in names}
