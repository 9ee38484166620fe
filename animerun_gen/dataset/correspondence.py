"""The surfaces of a frame as they were filmed, and which of them each pixel shows (``docs/correspondence.md``).

Two such files say where every pixel of the one frame is in the other.  A file is a compressed ``.npz`` file of the
arrays in :data:`ARRAYS`, which ``numpy.load`` reads without this package.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from animerun_gen.dataset import files
from animerun_gen.dataset.named_arrays import NamedArray, misshapen, require_moderate
from animerun_gen.errors import DatasetError

MOST_UNPACKED = 1 << 32
"""Bytes that the arrays of a file may have; no frame that Blender can draw on a common machine has so many."""


ARRAYS: dict[str, NamedArray] = {
    "instance": NamedArray("int32", ("H", "W"), "Which instance each pixel shows; -1 on the background."),
    "triangle": NamedArray(
        "int32", ("H", "W"), "Which triangle of that instance's mesh, counted within the mesh; -1 on the background."
    ),
    "vertices": NamedArray("float32", ("V", 3), "Vertices of all meshes, in the coordinates of their mesh."),
    "vertex_start": NamedArray("int64", ("M+1",), "First vertex of each mesh, and the number of all."),
    "triangles": NamedArray("int32", ("T", 3), "Vertices of each triangle, counted within the mesh."),
    "triangle_start": NamedArray("int64", ("M+1",), "First triangle of each mesh, and the number of all."),
    "triangle_slot": NamedArray("int32", ("T",), "Material slot of each triangle."),
    "mesh": NamedArray("int32", ("I",), "Mesh of each instance."),
    "matrix": NamedArray("float64", ("I", 4, 4), "Mesh to world coordinates of each instance."),
    "key": NamedArray("str", ("I",), "The name by which each instance is found again in another frame."),
    "object_id": NamedArray("uint16", ("I",), "Object of each instance, as in `ObjectId`."),
    "slot_start": NamedArray("int64", ("I+1",), "First material slot of each instance, and the number of all."),
    "slot_material": NamedArray("uint16", ("S",), "Material of each slot, as in `MaterialId`."),
    "identity": NamedArray(
        "uint64", ("V",), "What tells which vertex of the film each vertex is; 0 where nothing does."
    ),
    "topology": NamedArray("uint8", ("M", 16), "Digest of each mesh's faces."),
    "numbering": NamedArray("uint8", ("M", 16), "Digest of each mesh's identities in their order."),
    "distinct": NamedArray("bool", ("M",), "Whether no two vertices of a mesh have the same identity, or none."),
    "ordered": NamedArray("bool", ("I",), "Whether all that made the mesh numbers vertices by construction."),
    "single": NamedArray("bool", ("I",), "Whether nothing that made the mesh copies vertices."),
    "camera": NamedArray("str", (), "Name of the camera; another one after a camera cut."),
    "camera_world": NamedArray("float64", (4, 4), "Camera to world coordinates, in the axes of Blender."),
    "camera_projection": NamedArray("float64", (4, 4), "Camera to clip coordinates, as OpenGL has them."),
    "camera_clip": NamedArray("float64", (2,), "Nearest and farthest distance along the view axis that is drawn."),
    "background": NamedArray("str", (), "How the background moves: `motion.background`."),
    "hole_uvs": NamedArray("float32", ("U", 3, 2), "Texture coordinates of the triangles of meshes with holes."),
    "hole_uv_start": NamedArray("int64", ("N",), "First of them of each mesh, -1 for none; empty without holes."),
    "hole_masks": NamedArray("int32", ("R",), "Mask of each slot, -1 for none; empty without holes."),
    "mask_texels": NamedArray("uint8", ("P",), "Texels of all masks, 1 where there is a hole, lowest row first."),
    "mask_start": NamedArray("int64", ("K+1",), "First texel of each mask, and the number of all."),
    "mask_size": NamedArray("int64", ("K", 2), "Rows and columns of each mask."),
    "mask_extension": NamedArray("uint8", ("K",), "Beyond a mask: 0 repeats, 1 extends, 2 is a hole, 3 mirrors."),
}
"""What the file holds, in this order.

``"H"`` and ``"W"`` stand for height and width of the picture, ``"M"`` for meshes, ``"V"`` for vertices and ``"T"``
for triangles of all of them, ``"I"`` for instances, ``"S"`` for material slots of all instances, ``"K"`` for masks of
holes; other letters for any length.
"""


@dataclass(frozen=True)
class Surfaces:
    """The surfaces of a frame and what its pixels show of them; :data:`ARRAYS` says what each array means.

    Attributes:
        frame: Number of the frame.
        arrays: By name.
    """

    frame: int
    arrays: dict[str, npt.NDArray[Any]]

    @property
    def instance(self) -> npt.NDArray[np.int32]:
        """``(H, W)`` int32, which instance each pixel shows; -1 on the background."""
        return self.arrays["instance"]

    @property
    def triangle(self) -> npt.NDArray[np.int32]:
        """``(H, W)`` int32, which triangle of that instance's mesh each pixel shows; -1 on the background."""
        return self.arrays["triangle"]


@dataclass(frozen=True)
class MotionBetween:
    """Where the surface points of one frame are in another.

    Attributes:
        flow: ``(H, W, 2)`` float32, pixels, :data:`~animerun_gen.conventions.UNKNOWN_FLOW` where not valid.
        valid: ``(H, W)`` bool, where the flow is known exactly.
        occluded: ``(H, W)`` bool, where the point is hidden, or outside the picture, in the other frame; also True
            where the motion is unknown.
    """

    flow: npt.NDArray[np.float32]
    valid: npt.NDArray[np.bool_]
    occluded: npt.NDArray[np.bool_]


def write_surfaces(path: Path, surfaces: Surfaces) -> None:
    """Write the surfaces of a frame.

    Args:
        path: the file; its name has the number of the frame.
        surfaces: what :func:`read_surfaces` will return.

    Raises:
        ValueError: an array has another type or shape, or the arrays contradict each other.
        DatasetError: the file cannot be written.
    """
    problem = _problem(surfaces.arrays)
    if problem is not None:
        raise ValueError(f"correspondence: {problem}")
    files.write_arrays(path, {name: surfaces.arrays[name] for name in ARRAYS})


def read_surfaces(path: Path) -> Surfaces:
    """Read what :func:`write_surfaces` wrote.

    Raises:
        DatasetError: the file is missing or damaged, or its arrays contradict each other.
    """
    require_moderate(path, MOST_UNPACKED)
    arrays = files.read_arrays(path, tuple(ARRAYS))
    problem = _problem(arrays)
    if problem is None and not path.stem.isdecimal():
        problem = "its name is no number of a frame"
    if problem is not None:
        raise DatasetError(f"holds no surfaces: {problem}", path, files.AGAIN)
    return Surfaces(int(path.stem), arrays)


def _problem(arrays: dict[str, npt.NDArray[Any]]) -> str | None:
    """What is wrong with the arrays, as the end of a sentence; None where they are sound."""
    return misshapen(arrays, ARRAYS) or _wrong_numbers(arrays)


def _wrong_numbers(arrays: dict[str, npt.NDArray[Any]]) -> str | None:
    """Which numbers lead nowhere, as the end of a sentence."""
    ends = {"vertex_start": "vertices", "triangle_start": "triangles", "slot_start": "slot_material"}
    for name, counted in (ends | {"mask_start": "mask_texels"}).items():
        starts = arrays[name]
        if starts[0] != 0 or starts[-1] != len(arrays[counted]) or (np.diff(starts) < 0).any():
            return f"{name} does not lead through {counted}"
    meshes, instances = len(arrays["topology"]), len(arrays["mesh"])
    if not _within(arrays["mesh"], 0, meshes) or not _within(arrays["instance"], -1, instances):
        return "an instance or a mesh has a number that there is not"
    shown = arrays["instance"] >= 0
    of_mesh = np.diff(arrays["triangle_start"])[arrays["mesh"]] if instances else np.zeros(0, np.int64)
    limit = np.zeros(shown.shape, np.int64)
    limit[shown] = of_mesh[arrays["instance"][shown]]
    triangle = arrays["triangle"]
    if ((triangle < 0) == shown).any() or (triangle[shown] >= limit[shown]).any():
        return "a pixel shows a triangle that there is not"
    corners = np.repeat(np.diff(arrays["vertex_start"]), np.diff(arrays["triangle_start"]))
    if (arrays["triangles"] < 0).any() or (arrays["triangles"] >= corners[:, None]).any():
        return "a triangle has a vertex that there is not"
    uv_start, masks = arrays["hole_uv_start"], arrays["hole_masks"]
    if len(uv_start) not in (0, meshes) or len(masks) not in (0, len(arrays["slot_material"])):
        return "its holes are those of other meshes"
    with_uvs = np.flatnonzero(uv_start >= 0)
    ends_of_uvs = uv_start[with_uvs] + np.diff(arrays["triangle_start"])[with_uvs]
    if (ends_of_uvs > len(arrays["hole_uvs"])).any() or not _within(masks, -1, len(arrays["mask_size"])):
        return "its holes are those of other meshes"
    if (arrays["mask_size"].prod(axis=1) != np.diff(arrays["mask_start"])).any() or (arrays["mask_size"] < 1).any():
        return "its masks have other sizes than they say"
    return None


def _within(numbers: npt.NDArray[Any], first: int, end: int) -> bool:
    return bool(((numbers >= first) & (numbers < end)).all())
