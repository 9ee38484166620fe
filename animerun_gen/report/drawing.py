"""What a clip has besides frames, motion and segments, as a page keeps it: shade, lines, strokes, cels, whole masks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from animerun_gen.dataset.layers import Amodal
from animerun_gen.dataset.strokes import HOLE, Strokes
from animerun_gen.lines.kinds import LineKind
from animerun_gen.report import encode
from animerun_gen.shade.tone import BACKGROUND, BASE, HIGHLIGHT, SHADOW

RGB = tuple[int, int, int]
Size = tuple[int, int]

TONES: Mapping[int, tuple[str, RGB]] = {
    BACKGROUND: ("background", (24, 24, 28)),
    SHADOW: ("shadow", (86, 92, 160)),
    BASE: ("base", (190, 190, 184)),
    HIGHLIGHT: ("highlight", (255, 232, 120)),
}
"""Name and colour of each number in ``Shade``: blue shadows and yellow highlights, as in ``Trace``."""

KINDS: Mapping[int, tuple[str, RGB]] = {
    LineKind.NONE: ("no line", (255, 255, 255)),
    LineKind.SILHOUETTE: ("silhouette", (0, 0, 0)),
    LineKind.CREASE: ("crease", (0, 112, 214)),
    LineKind.BORDER: ("open border", (0, 146, 84)),
    LineKind.INTERSECTION: ("intersection", (224, 96, 0)),
    LineKind.MATERIAL: ("material boundary", (148, 108, 32)),
    LineKind.MARK: ("marked edge", (190, 40, 170)),
    LineKind.SHADE: ("border of the shade (no ink)", (140, 150, 236)),
}
"""Name and colour of each number in ``LineKind``."""

STROKES: Mapping[int, tuple[str, RGB]] = {
    **{number: kind for number, kind in KINDS.items() if number != LineKind.NONE},
    HOLE: ("outline of a hole", (214, 40, 60)),
}
"""Name and colour of each kind of strokes, which have the same numbers and one more."""

FRACTIONS = 4
"""Points of strokes are kept in such fractions of a pixel."""

TOLERANCE = 0.25
"""Points of a stroke are left out where it stays within so many pixels of the page's pictures."""

THINNINGS = 3
"""So often every second point may be left out."""

HIDDEN_STROKE = 16
"""Added to the kind of a stroke that something hides."""


def pack_strokes(strokes: Strokes, resolution: Size, size: Size) -> bytes:
    """The strokes of a frame, for the page to draw.

    Args:
        strokes: The strokes, in pixels of the dataset.
        resolution: Width and height of the dataset's pictures.
        size: Width and height of the page's.

    Returns:
        Of each stroke its kind (:data:`HIDDEN_STROKE` more where it is hidden), how many points it has, and of each
        point how far it lies to the right of the point before, the last one of the stroke before included, and how far
        below, in ``1 / FRACTIONS`` pixels; the first one counts from the left upper corner of the page's picture.  All
        as :func:`leb128`, distances doubled and those to the left or upwards 1 less than that of their length.  Strokes
        that stay within a pixel are missing, and so are points without which a stroke stays within :data:`TOLERANCE`.
    """
    scale = np.array(size) / np.array(resolution)
    # the centre of the first pixel is half a pixel from the corner
    places = (strokes.position[strokes.stroke_points] + 0.5) * scale
    of_stroke = np.repeat(np.arange(len(strokes)), np.diff(strokes.stroke_start))
    places, of_stroke = _without_dots(places, of_stroke, strokes.stroke_start[:-1])
    for _ in range(THINNINGS):
        kept = ~_needless(places, of_stroke, TOLERANCE / THINNINGS)
        places, of_stroke = places[kept], of_stroke[kept]
    steps = np.diff(np.rint(places * FRACTIONS).astype(np.int64), axis=0, prepend=np.zeros((1, 2), np.int64))
    written = np.where(steps < 0, -2 * steps - 1, 2 * steps)
    starts = np.flatnonzero(np.diff(of_stroke, prepend=-1, append=-1)).tolist()
    numbers: list[int] = []
    for start, end in pairwise(starts):
        stroke = of_stroke[start]
        numbers += [int(strokes.kind[stroke]) + HIDDEN_STROKE * bool(strokes.hidden[stroke]), end - start]
        numbers += written[start:end].ravel().tolist()
    return leb128(numbers)


def _without_dots(
    places: npt.NDArray[np.float64], of_stroke: npt.NDArray[np.int64], starts: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int64]]:
    """Points of strokes, and the stroke of each, without the strokes that stay within a pixel: no eye sees them."""
    if not len(starts):
        return places, of_stroke
    extent = np.maximum.reduceat(places, starts) - np.minimum.reduceat(places, starts)
    kept = (extent.max(axis=1) >= 1.0)[of_stroke]
    return places[kept], of_stroke[kept]


def _needless(
    places: npt.NDArray[np.float64], of_stroke: npt.NDArray[np.int64], tolerance: float
) -> npt.NDArray[np.bool_]:
    """Points, of which no two are neighbours, without which no stroke leaves its way by more than a tolerance.

    Args:
        places: ``(N, 2)``, the points of all strokes.
        of_stroke: ``(N,)``, the stroke of each, ascending.
        tolerance: In the unit of the places.

    Returns:
        ``(N,)`` bool; of each stroke both ends stay.
    """
    found = np.zeros(len(places), bool)
    if len(places) < 3:
        return found
    before, here, after = places[:-2], places[1:-1], places[2:]
    chord = after - before
    length = np.maximum((chord**2).sum(axis=1), 1e-12)
    along = np.clip(((here - before) * chord).sum(axis=1) / length, 0.0, 1.0)
    away = np.hypot(*(before + along[:, None] * chord - here).T)
    is_inner = (of_stroke[:-2] == of_stroke[1:-1]) & (of_stroke[1:-1] == of_stroke[2:])
    rank = np.arange(len(places)) - np.searchsorted(of_stroke, of_stroke)
    found[1:-1] = is_inner & (rank[1:-1] % 2 == 1) & (away <= tolerance)
    return found


def encode_cel(cel: npt.NDArray[np.uint8], size: Size, quality: int) -> bytes:
    """A cel as WebP with hard alpha.

    Args:
        cel: ``(H, W, 4)`` uint8 RGBA; alpha is 0 or 255.
        size: Width and height on the page.
        quality: 1..100, where it is not smaller without loss.
    """
    # a mean over an edge would be half transparent, and have colours of nothing
    small = encode.shrink_labels(cel, size).copy()
    small[small[..., 3] == 0] = 0
    return encode.encode_picture(small, quality)


def cel_map(visible: Sequence[npt.NDArray[np.bool_] | None], size: Size) -> bytes | None:
    """Which cel the frame shows at each pixel.

    Args:
        visible: ``(H, W)`` bool of each layer; None where there is no file.
        size: Width and height on the page.

    Returns:
        A label map: 1 more than the layer's place in ``visible``, 0 where it is none of them.  None where no layer has
        a file.
    """
    known = [(number, mask) for number, mask in enumerate(visible, start=1) if mask is not None]
    if not known:
        return None
    shown = np.zeros(known[0][1].shape, np.uint32)
    for number, mask in known:
        shown[mask] = number
    return encode.encode_index(encode.shrink_labels(shown, size))


def depth_levels(depth: npt.NDArray[np.float32]) -> tuple[npt.NDArray[np.uint8], tuple[float, float]]:
    """Distances as levels of grey.

    Args:
        depth: ``(H, W)`` float32, infinite where no surface is; there is one somewhere.

    Returns:
        ``(H, W)`` uint8, 255 what is nearest, 1 what is farthest, even steps of the inverse distance between, 0 where
        nothing is; and the distances of the nearest and of the farthest.

    Example:
        >>> depth_levels(np.array([[2.0, 4.0, np.inf]], np.float32))
        (array([[255,   1,   0]], dtype=uint8), (2.0, 4.0))
    """
    there = np.isfinite(depth)
    near, far = float(depth[there].min()), float(depth[there].max())
    levels = np.zeros(depth.shape, np.uint8)
    distance = depth[there].astype(np.float64)
    # an orthographic camera may see what is beside it, or behind
    share = (far - distance) / max(far - near, 1e-300)
    if near > 0.0:
        share *= near / distance
    levels[there] = 1 + np.rint(254.0 * share)
    if near == far:
        levels[there] = 255
    return levels, (near, far)


def amodal_facts(amodal: Amodal, layers: Sequence[str]) -> dict[str, Any]:
    """Who hides whom, for the page.

    Args:
        amodal: Of a frame.
        layers: The names of the clip's layers; of another one there is nothing to show.

    Returns:
        ``order``: places in ``layers``, from the back to the front.  ``exact``: whether whole cels in this order show
        the frame.  ``layers``: by place in ``layers``, pixels of its surfaces and how many of these are seen.
        ``layer_pairs``: of each two that overlap the place of the nearer one and of the other one, and at how many
        pixels.  ``objects``: id, place of the layer, pixels and seen pixels of each.  ``pairs``: as of
        layers, by id.
    """
    places = {name: place for place, name in enumerate(layers)}
    return {
        "order": [places[name] for name in amodal.order if name in places],
        "exact": amodal.order_is_exact,
        "layers": {str(places[one.name]): [one.area, one.visible] for one in amodal.layers if one.name in places},
        "layer_pairs": [
            [places[pair.front], places[pair.behind], pair.pixels]
            for pair in amodal.layer_occlusions
            if pair.front in places and pair.behind in places
        ],
        "objects": [[one.id, places.get(one.layer, -1), one.area, one.visible] for one in amodal.objects],
        "pairs": [[pair.front, pair.behind, pair.pixels] for pair in amodal.object_occlusions],
    }


def amodal_planes(amodal: Amodal, size: Size) -> list[bytes]:
    """The whole masks of a frame's objects, as few label maps as hold them.

    Args:
        amodal: Of the frame.
        size: Width and height on the page.

    Returns:
        Label maps of ids, 0 where there is none.  An object is in the first one in which it covers no other.
    """
    planes: list[npt.NDArray[np.uint32]] = []
    for one in amodal.objects:
        mask = encode.shrink_labels(amodal.mask(one.id), size)
        rows, columns = (np.flatnonzero(mask.any(axis=axis)) for axis in (1, 0))
        if not len(rows):
            continue
        box = np.s_[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
        inside = mask[box]
        plane = next((plane for plane in planes if not plane[box][inside].any()), None)
        if plane is None:
            plane = np.zeros(mask.shape, np.uint32)
            planes.append(plane)
        plane[box][inside] = one.id
    return [encode.encode_index(plane) for plane in planes]


def leb128(numbers: Iterable[int]) -> bytes:
    """Numbers from 0 on as bytes: seven bits each, the lowest first, the eighth set where more follow.

    Example:
        >>> list(leb128([3, 127, 128, 300]))
        [3, 127, 128, 1, 172, 2]
    """
    found = bytearray()
    for number in numbers:
        left = number
        while left > 127:
            found.append(left & 127 | 128)
            left >>= 7
        found.append(left)
    return bytes(found)
