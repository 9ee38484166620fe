"""Finds what a film looks through: panes and filters right before the camera, and glasses on faces.

In a drawing every surface is solid, and a pane that was nearly invisible hides everything.  What lies behind is found
by drawing frames twice, with the materials that are clear and without them; no other render is needed.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Literal

import cv2
import numpy as np
import numpy.typing as npt

from animerun_gen.motion import companions, raster
from animerun_gen.motion.geometry import CLIP, FrameGeometry, Holes, Masks
from animerun_gen.shot.shot import Contents

Kind = Literal["", "pane", "glasses"]

COVERS_MOST = 0.5
"""Share of the picture from which a solid pane hides the film."""

SMALL = 0.25
"""Share of the picture that glasses cover at most."""

CLOSE = 0.6
"""Glasses are no farther from what they sit on than this share of their own extent."""

MOSTLY = 0.6
"""Share of the pixels of glasses behind which there must be what they sit on."""

EDGE = 0.05
"""Share of the depths that may lie beyond those compared: the rims of a surface that is bent."""

LITTLE_BEFORE = 0.1
"""Share of the picture that may lie nearer than a pane and be no part of its thing; with more the film is before it."""

SHOWS_SOMETHING = 0.01
"""Share of the picture that surfaces behind a pane cover at least; with less there is no film behind it."""

FEW_PIXELS = 9
"""Smaller spots of a material are not judged."""


@dataclass(frozen=True)
class Clear:
    """A material through which more is seen than of itself.

    Attributes:
        always: Whether that holds in every frame; else it fades in and out.
    """

    always: bool = True


@dataclass(frozen=True)
class Verdict:
    """What a clear material turned out to be.

    Attributes:
        kind: ``"pane"``: it lies before everything that it covers, covers most of the picture, and hardly anything lies
            nearer; ``"glasses"``: it
            lies close before other surfaces of what it belongs to; ``""``: anything else.
        covers: Share of the picture that it covers where it covers most.
        worn_by: Ids of the objects that show it.
        before: Ids of the objects that lie behind it most often; empty where nothing does.
    """

    kind: Kind
    covers: float
    worn_by: tuple[int, ...]
    before: tuple[int, ...]


@dataclass(frozen=True)
class _Sight:
    """A clear material in one frame: shares of the picture, and what its pixels say."""

    covers: float
    is_before_all: bool
    pixels: int
    close: int
    objects: npt.NDArray[np.uint16]
    behind: npt.NDArray[np.uint16]

    @property
    def is_pane(self) -> bool:
        return self.is_before_all and self.covers >= COVERS_MOST


class PaneFinder:
    """Looks at frames one after the other.

    Args:
        clear: The clear materials, by id.
        families: Object id to what tells its family (the thing it is part of, what it hangs on, its armature): objects
            that have one of these in common belong together.
    """

    def __init__(self, clear: Mapping[int, Clear], families: Mapping[int, Collection[str]]) -> None:
        self._clear = clear
        self._families = {number: frozenset(family) for number, family in families.items()}
        self._sights: dict[int, list[_Sight]] = {number: [] for number in clear}
        # the surfaces that each frame shows: all, then without one pane after the other, then the opaque ones
        self._frames: list[tuple[int, list[npt.NDArray[np.int64]]]] = []

    def look(self, geometry: FrameGeometry) -> None:
        """Take a frame in."""
        seen = raster.draw(geometry)
        surfaces = _surfaces(geometry, seen)
        layers = [surfaces]
        waiting = set(self._clear)
        if np.isin(surfaces & 0xFFFF, list(waiting)).any():
            opaque = without(geometry, waiting)
            behind = raster.draw(opaque)
            hidden = _surfaces(opaque, behind)
            while waiting:
                sights = {
                    number: sight
                    for number in waiting
                    if (sight := self._look_through(number, geometry, seen, surfaces, behind, hidden)) is not None
                }
                # what lies behind a pane is judged as if the pane were not there
                panes = {number for number, sight in sights.items() if sight.is_pane}
                for number in sorted(panes or sights):
                    self._sights[number].append(sights[number])
                if not panes:
                    break
                waiting -= panes
                geometry = without(geometry, panes)
                seen = raster.draw(geometry)
                surfaces = _surfaces(geometry, seen)
                layers.append(surfaces)
            layers.append(hidden)
        self._frames.append((geometry.frame, layers))

    def verdicts(self) -> dict[int, Verdict]:
        """What each clear material is that was seen, by its id."""
        found = {}
        for number, sights in self._sights.items():
            if not sights:
                continue
            covers = float(np.median([sight.covers for sight in sights]))
            pixels, close = (sum(getattr(sight, name) for sight in sights) for name in ("pixels", "close"))
            kind: Kind = ""
            if 2 * sum(sight.is_pane for sight in sights) > len(sights):
                kind = "pane"
            elif self._clear[number].always and covers <= SMALL and close >= MOSTLY * pixels:
                kind = "glasses"
            found[number] = Verdict(
                kind,
                max(sight.covers for sight in sights),
                _commonest(np.concatenate([sight.objects for sight in sights])),
                _commonest(np.concatenate([sight.behind for sight in sights])),
            )
        return found

    def contents(self, removed: Collection[int]) -> list[Contents]:
        """How much the frames show, those materials gone that are removed: ids in place of names."""
        found = []
        for frame, layers in self._frames:
            shown = layers[0]
            for layer in layers[1:]:
                shown = np.where(np.isin(shown & 0xFFFF, list(removed)), layer, shown)
            numbers, counts = np.unique(shown, return_counts=True)
            counts[numbers >> 16 == companions.BACKGROUND_ID] = 0
            largest = int(counts.argmax())
            share = counts[largest] / shown.size
            named = (str(numbers[largest] >> 16), str(numbers[largest] & 0xFFFF)) if share else ("", "")
            found.append(Contents(frame, float(counts.sum() / shown.size), float(share), *named))
        return found

    def _look_through(
        self,
        number: int,
        geometry: FrameGeometry,
        seen: raster.VisibilityBuffer,
        surfaces: npt.NDArray[np.int64],
        behind: raster.VisibilityBuffer,
        hidden: npt.NDArray[np.int64],
    ) -> _Sight | None:
        """How a clear material looks in a frame; None where it is not seen."""
        mask = surfaces & 0xFFFF == number
        pixels = int(mask.sum())
        if pixels < FEW_PIXELS:
            return None
        there = behind.depth[mask]
        is_something = there < np.inf
        is_before_all = bool(is_something.any()) and (
            float(np.mean(hidden >> 16 != companions.BACKGROUND_ID)) >= SHOWS_SOMETHING
            and np.quantile(seen.depth[mask], 1.0 - EDGE) < np.quantile(there[is_something], EDGE)
            and self._share_before(mask, seen, surfaces) <= LITTLE_BEFORE
        )
        own, other = surfaces[mask] >> 16, hidden[mask] >> 16
        gap = there - seen.depth[mask]
        close = is_something & (gap <= CLOSE * _extents(mask, seen.depth, geometry)[mask])
        for one, two in {(int(a), int(b)) for a, b in np.unique(np.stack([own[close], other[close]]), axis=1).T}:
            if not self._belong_together(one, two):
                close &= ~((own == one) & (other == two))
        return _Sight(
            pixels / mask.size,
            is_before_all,
            pixels,
            int(close.sum()),
            own.astype(np.uint16),
            other[is_something].astype(np.uint16),
        )

    def _share_before(
        self, mask: npt.NDArray[np.bool_], seen: raster.VisibilityBuffer, surfaces: npt.NDArray[np.int64]
    ) -> float:
        """Share of the picture that lies nearer than a pane and is no part of the same thing, as a dashboard is."""
        nearer = ~mask & (seen.depth < np.median(seen.depth[mask]))
        panes = np.unique(surfaces[mask] >> 16).tolist()
        objects, counts = np.unique(surfaces[nearer] >> 16, return_counts=True)
        strangers = [not any(self._belong_together(pane, other) for pane in panes) for other in objects.tolist()]
        return float(counts[np.array(strangers, bool)].sum() / mask.size)

    def _belong_together(self, one: int, other: int) -> bool:
        none: frozenset[str] = frozenset()
        return one == other or bool(self._families.get(one, none) & self._families.get(other, none))


def without(geometry: FrameGeometry, materials: Collection[int]) -> FrameGeometry:
    """A frame whose surfaces of some materials are holes.

    Args:
        geometry: The frame.
        materials: Ids of the materials.
    """
    gone = np.isin(geometry.slot_materials, list(materials))
    if not gone.any():
        return geometry
    holes = geometry.holes
    if holes is None:
        meshes, slots = len(geometry.topologies), len(geometry.slot_materials)
        masks = Masks(np.empty(0, np.uint8), np.zeros(1, np.int64), np.empty((0, 2), np.int64), np.empty(0, np.uint8))
        holes = Holes(np.empty((0, 3, 2), np.float32), np.full(meshes, -1), np.full(slots, -1, np.int32), masks)
    masks = holes.masks
    # one texel, which is a hole
    everything = len(masks.size)
    masks = Masks(
        np.append(masks.texels, np.uint8(1)),
        np.append(masks.start, len(masks.texels) + 1),
        np.concatenate([masks.size, [[1, 1]]]),
        np.append(masks.extension, np.uint8(CLIP)),
    )
    uvs, starts, total = [holes.uvs], holes.uv_start.copy(), len(holes.uvs)
    wearing = np.add.reduceat(np.append(gone, False), geometry.slot_start[:-1]) if len(geometry.mesh) else gone[:0]
    empty = geometry.slot_start[1:] == geometry.slot_start[:-1]
    for mesh in np.unique(geometry.mesh[(wearing > 0) & ~empty]).tolist():
        if starts[mesh] < 0:
            triangles = int(geometry.triangle_start[mesh + 1] - geometry.triangle_start[mesh])
            starts[mesh], total = total, total + triangles
            uvs.append(np.zeros((triangles, 3, 2), np.float32))
    slot_masks = np.where(gone, np.int32(everything), holes.slot_masks)
    return replace(geometry, holes=Holes(np.concatenate(uvs), starts, slot_masks, masks))


def _surfaces(geometry: FrameGeometry, seen: raster.VisibilityBuffer) -> npt.NDArray[np.int64]:
    """``(H, W)``: object id and material id of each pixel as one number."""
    objects = companions.object_id_map(geometry, seen).astype(np.int64)
    return objects << 16 | companions.material_id_map(geometry, seen)


def _extents(
    mask: npt.NDArray[np.bool_], depth: npt.NDArray[np.float64], geometry: FrameGeometry
) -> npt.NDArray[np.float64]:
    """``(H, W)``: the larger side, in scene units, of the connected spot of the mask in which each pixel lies."""
    _, spots, stats, _ = cv2.connectedComponentsWithStats(mask.view(np.uint8), connectivity=8)
    sides = np.maximum(stats[:, cv2.CC_STAT_WIDTH], stats[:, cv2.CC_STAT_HEIGHT])
    camera = geometry.camera
    pixel = 2.0 / (abs(camera.projection[0, 0]) * camera.width)
    distance = np.where(mask, 1.0 if camera.is_orthographic else depth, 0.0)
    return np.asarray(sides[spots] * pixel * distance)


def _commonest(ids: npt.NDArray[np.uint16]) -> tuple[int, ...]:
    """Ids by how often they occur, background left out."""
    numbers, counts = np.unique(ids[ids != companions.BACKGROUND_ID], return_counts=True)
    return tuple(numbers[np.argsort(-counts, kind="stable")].tolist())
