"""The lines of a frame as strokes: chains of points on the edges of meshes, around holes and along the borders of the
shade (``docs/vector_lines.md``).

A file is a compressed ``.npz`` file of the arrays in :data:`ARRAYS`, which ``numpy.load`` reads without this package.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from animerun_gen.dataset.named_arrays import ArrayFile, NamedArray

SHADE, HOLE = 7, 8
"""The kinds of strokes whose points lie within faces."""

STROKE_KINDS = {
    1: "silhouette",
    3: "border",
    4: "intersection",
    5: "material",
    2: "crease",
    6: "mark",
    SHADE: "shade",
    HOLE: "hole",
}
"""The kinds of strokes, by what stands in ``kind``.  An edge of several kinds is of the first of them.

``silhouette``: between a face that is turned towards the camera and one that is not.  ``border``: an open edge.
``intersection``: where two objects, or two parts of a mesh, cut through each other, within faces.  ``material``:
between two materials.  ``crease``: between faces that meet at a sharp angle.  ``mark``: an edge that someone marked.
``shade``: where shadow or highlight ends, whatever the mesh.  ``hole``: around a hole that an image cuts into a
surface, within faces.
"""

MOST_OFF = 1e-9
"""How much the shares of a triangle's corners may add up to but 1, for rounding."""

MOST_UNPACKED = 1 << 31
"""Bytes that the arrays of a file may have."""


ARRAYS: dict[str, NamedArray] = {
    "position": NamedArray("float64", ("N", 2), "Where each point is in pixels: x to the right, y down."),
    "depth": NamedArray("float64", ("N",), "Its distance along the view axis in scene units."),
    "identity": NamedArray(
        "uint64",
        ("N", 2),
        "What says which surface point it is: the two vertices that it lies between, the smaller number first; twice "
        "the same for a point that is a vertex; a number of its own for one on the outline of a hole, within a face; 0 "
        "for a point that is not found again.",
    ),
    "along": NamedArray(
        "float64", ("N",), "How far it lies from the first of them to the second, in the mesh, from 0 to 1."
    ),
    "instance": NamedArray(
        "int32", ("N",), "Instance that it lies on, as in a file of `Correspondence`; -1 where it is not said on what."
    ),
    "vertices": NamedArray(
        "int32", ("N", 2), "The same two vertices, counted within the mesh, as in a file of `Correspondence`."
    ),
    "stroke_start": NamedArray("int64", ("S+1",), "Where each stroke begins in `stroke_points`, and where all end."),
    "stroke_points": NamedArray(
        "int32", ("K",), "The points of each stroke in their order; a closed stroke ends with its first point."
    ),
    "kind": NamedArray(
        "uint8",
        ("S",),
        "1 silhouette, 2 crease, 3 border, 4 intersection, 5 material boundary, 6 marked edge, 7 border of the "
        "shade, 8 hole.",
    ),
    "hidden": NamedArray("bool", ("S",), "Whether something lies before the whole stroke; else nothing does."),
    "object_id": NamedArray("uint16", ("S",), "The object that it belongs to, as in `ObjectId`."),
    "corners": NamedArray(
        "int32",
        ("N", 3),
        "The corners of the triangle within which it lies, counted within the mesh, as in a file of "
        "`Correspondence`; -1 for a point of which `vertices` says where it lies, or nothing does. Missing in a file "
        "none of whose points lies within a triangle.",
    ),
    "shares": NamedArray(
        "float64",
        ("N", 3),
        "How much of each of these corners it is: barycentric coordinates in the mesh, from 0 to 1, 0 without corners. "
        "Missing likewise.",
    ),
}
"""What the file holds, in this order; ``"N"`` stands for points, ``"S"`` for strokes, other letters for any length."""

WITHIN_FACES = ("corners", "shares")
"""The arrays that a file without points within triangles lacks."""


@dataclass(frozen=True)
class Strokes:
    """The ``S`` strokes of a frame and their ``N`` points; :data:`ARRAYS` says what each array means.

    Two points of any two frames of a clip that have the same ``identity``, not 0, and ``along`` are one surface point.

    Attributes:
        position: ``(N, 2)`` float64, pixels, the centre of a pixel at whole numbers.
        depth: ``(N,)`` float64, scene units.
        identity: ``(N, 2)`` uint64.
        along: ``(N,)`` float64.
        instance: ``(N,)`` int32.
        vertices: ``(N, 2)`` int32.
        stroke_start: ``(S + 1,)`` int64.
        stroke_points: ``(K,)`` int32.
        kind: ``(S,)`` uint8, see :data:`STROKE_KINDS`.
        hidden: ``(S,)`` bool.
        object_id: ``(S,)`` uint16.
        corners: ``(N, 3)`` int32; None where no point lies within a triangle.
        shares: ``(N, 3)`` float64; None likewise.
    """

    position: npt.NDArray[np.float64]
    depth: npt.NDArray[np.float64]
    identity: npt.NDArray[np.uint64]
    along: npt.NDArray[np.float64]
    instance: npt.NDArray[np.int32]
    vertices: npt.NDArray[np.int32]
    stroke_start: npt.NDArray[np.int64]
    stroke_points: npt.NDArray[np.int32]
    kind: npt.NDArray[np.uint8]
    hidden: npt.NDArray[np.bool_]
    object_id: npt.NDArray[np.uint16]
    corners: npt.NDArray[np.int32] | None = None
    shares: npt.NDArray[np.float64] | None = None

    def __len__(self) -> int:
        return len(self.kind)

    @classmethod
    def joined(cls, parts: Sequence[Strokes]) -> Strokes:
        """The strokes of a frame that were found one after the other; no point of one part is one of another."""
        within = any(part.within().any() for part in parts)
        arrays: dict[str, npt.NDArray[Any]] = {}
        for name in ARRAYS:
            if name in WITHIN_FACES:
                if not within:
                    continue
                arrays[name] = np.concatenate([part._within_faces()[name] for part in parts])
            elif name not in ("stroke_start", "stroke_points"):
                arrays[name] = np.concatenate([getattr(part, name) for part in parts])
        before = np.cumsum([0, *[len(part.position) for part in parts]])
        arrays["stroke_points"] = np.concatenate(
            [part.stroke_points + np.int32(first) for part, first in zip(parts, before[:-1], strict=True)]
        )
        lengths = np.concatenate([np.diff(part.stroke_start) for part in parts])
        arrays["stroke_start"] = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
        return cls(**arrays)

    def _within_faces(self) -> dict[str, npt.NDArray[Any]]:
        """Corners and shares, also where there are none."""
        if self.corners is not None and self.shares is not None:
            return {"corners": self.corners, "shares": self.shares}
        count = len(self.position)
        return {"corners": np.full((count, 3), -1, np.int32), "shares": np.zeros((count, 3))}

    def points(self, stroke: int) -> npt.NDArray[np.int32]:
        """``(n,)`` int32: the points of a stroke in their order, the first one again at the end of a closed one."""
        return self.stroke_points[self.stroke_start[stroke] : self.stroke_start[stroke + 1]]

    def polyline(self, stroke: int) -> npt.NDArray[np.float64]:
        """``(n, 2)`` float64: where the points of a stroke are, in pixels."""
        return self.position[self.points(stroke)]

    def segments(self, strokes: npt.NDArray[np.bool_] | None = None) -> npt.NDArray[np.int32]:
        """The straight pieces that strokes are made of.

        Args:
            strokes: ``(S,)`` bool, which strokes; all by default.

        Returns:
            ``(n, 2)`` int32, the points at both ends of each.
        """
        follows = np.ones(len(self.stroke_points), bool)
        follows[self.stroke_start[:-1]] = False
        if strokes is not None:
            follows &= np.repeat(strokes, np.diff(self.stroke_start))
        last = np.flatnonzero(follows)
        return np.stack([self.stroke_points[last - 1], self.stroke_points[last]], axis=1)

    def shown(self) -> npt.NDArray[np.bool_]:
        """``(N,)`` bool: the points of strokes that nothing hides."""
        shown = np.zeros(len(self.position), bool)
        shown[self.segments(~self.hidden).ravel()] = True
        return shown

    def within(self) -> npt.NDArray[np.bool_]:
        """``(N,)`` bool: the points whose place is told by ``corners`` and ``shares``.

        Example:
            >>> strokes = clip.read("strokes", 3)  # doctest: +SKIP
            >>> inside = strokes.within()  # doctest: +SKIP
            >>> strokes.instance[inside], strokes.corners[inside], strokes.shares[inside]  # doctest: +SKIP
        """
        if self.corners is None:
            return np.zeros(len(self.position), bool)
        return self.corners[:, 0] >= 0

    def matches(self, other: Strokes) -> npt.NDArray[np.int64]:
        """The points that another frame of the clip has as well.

        Args:
            other: The strokes of the other frame.

        Returns:
            ``(n, 2)`` int64: a point here and the same surface point there, ascending by the first.  Points without a
            partner may still be surface points of both frames: no stroke goes through them there.

        Example:
            >>> here, there = clip.read("strokes", 3), clip.read("strokes", 4)  # doctest: +SKIP
            >>> first, second = here.matches(there).T  # doctest: +SKIP
            >>> motion = there.position[second] - here.position[first]  # doctest: +SKIP
        """
        known, others_known = (np.flatnonzero(strokes.identity[:, 0]) for strokes in (self, other))
        keys, others = _keys(self)[known], _keys(other)[others_known]
        _, first, second = np.intersect1d(keys, others, return_indices=True)
        pairs = np.stack([known[first], others_known[second]], axis=1)
        return pairs[np.argsort(pairs[:, 0])].astype(np.int64)


_KEY = np.dtype([("first", np.uint64), ("second", np.uint64), ("along", np.float64)])


def _keys(strokes: Strokes) -> npt.NDArray[Any]:
    keys = np.empty(len(strokes.along), _KEY)
    keys["first"], keys["second"], keys["along"] = *strokes.identity.T, strokes.along
    return keys


def write_strokes(path: Path, strokes: Strokes) -> None:
    """Write the strokes of a frame.

    Args:
        path: the file.
        strokes: what :func:`read_strokes` will return.

    Raises:
        ValueError: an array has another type or shape, or the arrays contradict each other.
        DatasetError: the file cannot be written.
    """
    _FILE.write(path, strokes)


def read_strokes(path: Path) -> Strokes:
    """Read what :func:`write_strokes` wrote.

    Args:
        path: the file.

    Raises:
        DatasetError: the file is missing or damaged, or its arrays contradict each other.

    Example:
        >>> strokes = read_strokes(Path("out/demo/train/Vector/courier/0003.npz"))  # doctest: +SKIP
        >>> seen = [strokes.polyline(k) for k in range(len(strokes)) if not strokes.hidden[k]]  # doctest: +SKIP
    """
    return Strokes(**_FILE.read(path))


def _contradiction(arrays: Mapping[str, npt.NDArray[Any]]) -> str | None:
    start, points = arrays["stroke_start"], arrays["stroke_points"]
    if start[0] != 0 or start[-1] != len(points) or (np.diff(start) < 2).any():
        return "stroke_start does not lead through stroke_points, two points at least a stroke"
    if ((points < 0) | (points >= len(arrays["position"]))).any():
        return "a stroke has a point that there is not"
    if not np.isin(arrays["kind"], list(STROKE_KINDS)).all():
        return "a stroke is of a kind that there is not"
    if not np.isfinite(arrays["position"]).all() or not np.isfinite(arrays["depth"]).all():
        return "a point has no place"
    if not ((arrays["along"] >= 0.0) & (arrays["along"] <= 1.0)).all():
        return "a point lies beyond the vertices that it lies between"
    shaded = points[np.repeat(arrays["kind"] == SHADE, np.diff(start))]
    if arrays["identity"][shaded].any():
        return "a point on the border of a shade says that it is found again"
    if "corners" in arrays:
        corners, shares = arrays["corners"], arrays["shares"]
        within = (corners >= 0).all(axis=1)
        if ((corners >= 0).any(axis=1) != within).any():
            return "a point has some of the corners of a triangle"
        if not ((shares >= 0.0) & (shares <= 1.0)).all() or (np.abs(shares.sum(axis=1) - within) > MOST_OFF).any():
            return "a point lies beyond the triangle that it lies within"
    return None


_FILE = ArrayFile("strokes", ARRAYS, MOST_UNPACKED, _contradiction, WITHIN_FACES)
