"""The borders of a frame's shade as strokes: where shadow and highlight end, to a fraction of a pixel.

A border lies between neighbouring pixels of one surface that have different tones, so strokes and the map of tones
cannot disagree.  Where between their centres is asked of what made the tones: how far the shading normal turns from the
light, which changes evenly from one to the other, or whether the light reaches a point between them, which is tested.

A border moves over the surface when anything moves, so no point of it is said to be found again: each has a place on
the surface, in its own frame.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from animerun_gen.dataset.strokes import SHADE, Strokes
from animerun_gen.lines.joining import joined_pieces
from animerun_gen.lines.kernels import lattice
from animerun_gen.lines.kernels.locating import locate
from animerun_gen.motion import raster
from animerun_gen.motion.geometry import FrameGeometry
from animerun_gen.motion.raster import VisibilityBuffer
from animerun_gen.shade.kernels.cleaning import ALIKE, FLUSH
from animerun_gen.shade.light import Light
from animerun_gen.shade.tone import BACKGROUND, BASE, HIGHLIGHT, SHADOW
from animerun_gen.shade.tones import Shading, ToneSettings, in_shadow, shaded_meshes

Floats = npt.NDArray[np.float64]
Whole = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

TESTED = 16
"""Places between two pixels at which it is asked whether the light reaches them: a cast shadow ends where it does to
half of a seventeenth of a pixel."""

SMOOTHED = 12
"""So often each point that cleaning has moved goes half the way to between its neighbours."""

CELL = 4
"""Width and height, in pixels, of the squares in which points are held against triangles."""


@dataclass(frozen=True)
class _Links:
    """The ``n`` pairs of neighbouring pixels between which a border is.

    Attributes:
        first: ``(n,)`` int64, the left or upper pixel, counted row by row.
        second: ``(n,)`` int64, the other one.
        across: ``(H, W - 1)`` int64, the pair of each pixel and the next one of its row; -1 for none.
        down: ``(H - 1, W)`` int64, that of each pixel and the one below it.
    """

    first: Whole
    second: Whole
    across: Whole
    down: Whole


def find_shade_borders(
    geometry: FrameGeometry,
    seen: VisibilityBuffer,
    light: Light,
    settings: ToneSettings,
    shading: Shading,
    line_art: npt.NDArray[np.uint8],
    casts: npt.NDArray[np.bool_] | None = None,
) -> Strokes:
    """Find the borders of a frame's shade.

    Args:
        geometry: The frame.
        seen: What it sees.
        light: The light.
        settings: Where tones begin.
        shading: The frame's shade, made from all of these.
        line_art: ``(H, W)`` uint8, dark lines on white: where one lies along a border that is an edge of the surface,
            the border is left out, as in the trace lines.
        casts: ``(I,)`` bool, which instances cast shadows; None: all.

    Returns:
        Strokes of the kind ``shade``, all of which are seen.  None of their points has an identity; each has the
        triangle on which it is seen.  Strokes that begin and end somewhere come first, then rings.
    """
    links = _find_links(seen, shading, line_art)
    share = _shares(geometry, seen, light, settings, shading, casts, links)
    pieces, meetings = lattice.follow(shading.tones, links.across, links.down)
    width = geometry.camera.width
    ends = [np.stack([pixel % width, pixel // width], axis=1) for pixel in (links.first, links.second)]
    share = _smoothed(share, ends, pieces)
    position = ends[0] + share[:, None] * (ends[1] - ends[0])
    instance = seen.instance.ravel()[links.first]
    near, far = (seen.depth.ravel()[pixel] for pixel in (links.first, links.second))
    depth = near * far / (near * share + far * (1.0 - share))
    reach = FLUSH * np.maximum(shading.sizes.ravel()[links.first], shading.sizes.ravel()[links.second])
    middle = len(position) + np.arange(len(meetings), dtype=np.int32)
    pieces = np.concatenate([pieces, *[np.stack([meetings[:, k], middle], axis=1) for k in range(3)]])
    position = np.concatenate([position, position[meetings].mean(axis=1)])
    instance = np.concatenate([instance, instance[meetings[:, 0]]])
    depth = np.concatenate([depth, depth[meetings].mean(axis=1)])
    reach = np.concatenate([reach, reach[meetings].max(axis=1)])
    # a lone pair has no piece
    used = np.unique(pieces)
    number = np.full(len(position), -1, np.int32)
    number[used] = np.arange(len(used), dtype=np.int32)
    start, chain, of = joined_pieces(number[pieces], np.zeros(len(pieces), np.int64))
    return _on_surfaces(
        geometry, (position[used], instance[used], depth[used], reach[used]), (start, chain, number[pieces][of, 0])
    )


def _smoothed(share: Floats, ends: Sequence[Whole], pieces: npt.NDArray[np.int32]) -> Floats:
    """Of borders that are known to lie between two pixels, and no more, where a smooth line would go through there."""
    moved = np.flatnonzero(np.isnan(share))
    share = np.where(np.isnan(share), 0.5, share)
    step = (ends[1] - ends[0])[moved]
    for _ in range(SMOOTHED):
        position = ends[0] + share[:, None] * (ends[1] - ends[0])
        total, count = np.zeros(position.shape), np.zeros(len(share))
        for one, other in (pieces.T, pieces.T[::-1]):
            np.add.at(total, one, position[other])
            np.add.at(count, one, 1)
        has_neighbours = count[moved] > 0
        middle = total[moved] / np.maximum(count[moved], 1)[:, None]
        along = ((middle - ends[0][moved]) * step).sum(axis=1)
        share[moved] = np.where(has_neighbours, np.clip(0.5 * (share[moved] + along), 0.0, 1.0), share[moved])
    return share


def _find_links(seen: VisibilityBuffer, shading: Shading, line_art: npt.NDArray[np.uint8]) -> _Links:
    height, width = shading.tones.shape
    numbers = np.arange(height * width).reshape(height, width)
    firsts, seconds, tables = [], [], []
    count = 0
    for here, there in ((np.s_[:, :-1], np.s_[:, 1:]), (np.s_[:-1], np.s_[1:])):
        one, other = shading.tones[here], shading.tones[there]
        meets = (one != other) & (one != BACKGROUND) & (other != BACKGROUND)
        meets &= seen.instance[here] == seen.instance[there]
        first, second = numbers[here][meets], numbers[there][meets]
        taken = _are_one_surface(shading, line_art, first, second)
        meets[meets] = taken
        table = np.full(meets.shape, -1, np.int64)
        table[meets] = count + np.arange(np.count_nonzero(taken))
        count += int(np.count_nonzero(taken))
        firsts.append(first[taken])
        seconds.append(second[taken])
        tables.append(table)
    return _Links(np.concatenate(firsts), np.concatenate(seconds), tables[0], tables[1])


def _are_one_surface(shading: Shading, line_art: npt.NDArray[np.uint8], first: Whole, second: Whole) -> Flags:
    """Between which pixels a border of the shade is that no other line stands for.

    Not across a step, where a silhouette is; across an edge, or between what is shaded and what is not, where
    :func:`~animerun_gen.shade.trace.trace_lines` has a trace line because nothing is drawn there.
    """
    normals, places = shading.normals.reshape(-1, 3), shading.places.reshape(-1, 3)
    sizes, surface, tones = shading.sizes.ravel(), shading.surface.ravel(), shading.tones.ravel()
    between = places[second].astype(np.float64) - places[first]
    apart = [np.abs((normals[pixel] * between).sum(axis=1)) for pixel in (first, second)]
    flush: Flags = np.maximum(*apart) <= FLUSH * np.maximum(sizes[first], sizes[second])
    is_smooth = (normals[first] * normals[second]).sum(axis=1) >= ALIKE
    is_smooth &= surface[first] == surface[second]
    paper = line_art.ravel() == 255
    is_traced = (paper[first] & (tones[first] != BASE)) | (paper[second] & (tones[second] != BASE))
    return flush & (is_smooth | is_traced)


def _shares(
    geometry: FrameGeometry,
    seen: VisibilityBuffer,
    light: Light,
    settings: ToneSettings,
    shading: Shading,
    casts: npt.NDArray[np.bool_] | None,
    links: _Links,
) -> Floats:
    """``(n,)``: how far each border lies from the first pixel to the second; NaN where cleaning has moved it."""
    count = len(links.first)
    raw, tones, surface = shading.raw.ravel(), shading.tones.ravel(), shading.surface.ravel()
    as_made = surface[links.first] == surface[links.second]
    for pixel in (links.first, links.second):
        as_made &= raw[pixel] == tones[pixel]
    # from the darker one to the lighter one
    turned = raw[links.first] > raw[links.second]
    dark = np.where(turned, links.second, links.first)
    lit = np.where(turned, links.first, links.second)
    at_edge, edge = _edges_between(geometry, seen, shading, dark, lit)
    normals, places = shading.normals.reshape(-1, 3), shading.places.reshape(-1, 3)
    # at both pixels, and between them on both sides of the edge of the mesh that they lie on either side of
    levels = [
        _levels(geometry, light, settings, *each)
        for each in ((normals[dark], places[dark]), *edge, (normals[lit], places[lit]))
    ]
    where = (np.zeros(count), at_edge, at_edge, np.ones(count))
    far = np.full(count, np.nan)
    is_shadow = raw[dark] == SHADOW
    for number, here in enumerate((is_shadow, is_shadow, ~is_shadow & (raw[lit] == HIGHLIGHT))):
        ends = [level[number] for level in levels]
        crossed = as_made & here & (ends[0] < 0.0) & (ends[3] >= 0.0)
        place = _crossing(where, ends)
        # of several reasons for a shadow the one that reaches farthest counts
        far = np.where(crossed, np.fmax(far, place), far)
    cast = np.flatnonzero(as_made & is_shadow & np.isnan(far))
    far[cast] = _cast_shares(geometry, seen, light, shading, casts, dark[cast], lit[cast])
    share: Floats = np.where(turned, 1.0 - far, far)
    return share


def _crossing(where: Sequence[Floats], levels: Sequence[Floats]) -> Floats:
    """Where a level that is known at some places first is no longer negative; it changes evenly between them."""
    found = np.full(len(where[0]), np.nan)
    for k in range(len(where) - 1):
        low, high = levels[k], levels[k + 1]
        crossed = np.isnan(found) & (low < 0.0) & (high >= 0.0)
        part = np.divide(-low, high - low, out=np.zeros(len(found)), where=crossed)
        found = np.where(crossed, where[k] + part * (where[k + 1] - where[k]), found)
    return found


def _edges_between(
    geometry: FrameGeometry, seen: VisibilityBuffer, shading: Shading, first: Whole, second: Whole
) -> tuple[Floats, list[tuple[Floats, Floats]]]:
    """Where two triangles of a mesh that are seen side by side have their common edge, and how they are shaded there.

    Returns:
        ``(n,)``, how far from the first pixel to the second the edge is; and ``(n, 3)`` each, the shading normal and
        the place, relative to the eye, of that point on the first pixel's triangle and on the second's.  Half-way
        between both pixels where they show one triangle, or two without a common edge.
    """
    normals, places = shading.normals.reshape(-1, 3), shading.places.reshape(-1, 3)
    at_edge = np.full(len(first), 0.5)
    middle = 0.5 * (normals[first].astype(np.float64) + normals[second])
    place = 0.5 * (places[first].astype(np.float64) + places[second])
    found = [(middle.copy(), place.copy()), (middle.copy(), place.copy())]
    triangles = [seen.triangle.ravel()[pixel] for pixel in (first, second)]
    instance = seen.instance.ravel()[first]
    apart = np.flatnonzero(triangles[0] != triangles[1])
    sides = [_Triangles.of(geometry, instance[apart], triangle[apart]) for triangle in triangles]
    common = (sides[0].vertices[:, :, None] == sides[1].vertices[:, None]).all(axis=-1)
    shares_edge = np.flatnonzero(common.sum(axis=(1, 2)) == 2)
    apart = apart[shares_edge]
    one, other = (side.those(shares_edge) for side in sides)
    # of the corner that is not the other triangle's
    opposite = common[shares_edge].sum(axis=2).argmin(axis=1)
    width = geometry.camera.width
    pixels = [np.stack([pixel % width, pixel // width], axis=1).astype(np.float64)[apart] for pixel in (first, second)]
    row = np.arange(len(apart))
    here, there = (one.values(pixel)[row, opposite] for pixel in pixels)
    share = np.divide(here, here - there, out=np.full(len(apart), 0.5), where=here != there)
    is_between = (share >= 0.0) & (share <= 1.0)
    apart, share = apart[is_between], share[is_between]
    at_edge[apart] = share
    at = pixels[0][is_between] + share[:, None] * (pixels[1] - pixels[0])[is_between]
    for side, pixel, start, (normal, place) in zip((one, other), (first, second), pixels, found, strict=True):
        side = side.those(np.flatnonzero(is_between))
        known = normals[pixel[apart]]
        # as the pixel itself is shaded, from whichever side it is seen
        turned = (side.mixed(side.normals, start[is_between]) * known).sum(axis=1) < 0.0
        normal[apart] = _unit(side.mixed(side.normals, at)) * np.where(turned, -1.0, 1.0)[:, None]
        place[apart] = side.mixed(side.places, at) - geometry.camera.world[:3, 3]
    return at_edge, found


@dataclass(frozen=True)
class _Triangles:
    """``n`` triangles of a frame.

    Attributes:
        vertices: ``(n, 3, 3)`` float32, their corners in the mesh.
        places: ``(n, 3, 3)`` float64, their corners in the world.
        normals: ``(n, 3, 3)`` float64, the unit normals of their corners in the world.
        functions: ``(n, 3, 3)`` float64, their edge functions.
    """

    vertices: npt.NDArray[np.float32]
    places: Floats
    normals: Floats
    functions: Floats

    @classmethod
    def of(
        cls, geometry: FrameGeometry, instance: npt.NDArray[np.int32], triangle: npt.NDArray[np.int32]
    ) -> _Triangles:
        shaded = shaded_meshes(geometry)
        mesh = geometry.mesh[instance]
        number = geometry.triangle_start[mesh] + triangle
        corners = geometry.triangles[number]
        vertices = geometry.vertices[geometry.vertex_start[mesh][:, None] + corners]
        by_corner = shaded.corner_start[mesh] >= 0
        worn = corners.copy()
        worn[by_corner] = shaded.corners[(shaded.corner_start[mesh] + triangle)[by_corner]]
        vectors = shaded.vectors[shaded.vector_start[mesh][:, None] + worn].astype(np.float64)
        local = vertices.astype(np.float64)
        matrices = geometry.matrices[instance]
        normals = np.einsum("nij,nkj->nki", shaded.turns[instance, :3, :3], vectors)
        to_pixels = shaded.pixels[instance]
        placed = np.einsum("nij,nkj->nki", to_pixels[:, :, :3], local) + to_pixels[:, None, :, 3]
        p, q, r = (placed[:, k][:, [0, 1, 3]] for k in range(3))
        functions = np.stack([np.cross(q, r), np.cross(r, p), np.cross(p, q)], axis=1)
        return cls(
            vertices,
            np.einsum("nij,nkj->nki", matrices[:, :3, :3], local) + matrices[:, None, :3, 3],
            _unit(normals.reshape(-1, 3)).reshape(normals.shape),
            functions,
        )

    def those(self, chosen: Whole) -> _Triangles:
        """Some of them."""
        return _Triangles(self.vertices[chosen], self.places[chosen], self.normals[chosen], self.functions[chosen])

    def values(self, pixels: Floats) -> Floats:
        """``(n, 3)``: their edge functions at a place in the picture each."""
        functions = self.functions
        found: Floats = functions[..., 0] * pixels[:, :1] + functions[..., 1] * pixels[:, 1:] + functions[..., 2]
        return found

    def mixed(self, corners: Floats, pixels: Floats) -> Floats:
        """``(n, 3)``: what they have at their corners, mixed as for a place in the picture each."""
        values = self.values(pixels)
        mixed: Floats = np.einsum("nk,nkc->nc", values / values.sum(axis=1, keepdims=True), corners)
        return mixed


def _levels(
    geometry: FrameGeometry, light: Light, settings: ToneSettings, normals: Floats, places: Floats
) -> tuple[Floats, Floats, Floats]:
    """What is negative at points in their own shadow, beside the cone of a light, and beside highlights.

    Args:
        geometry: The frame.
        light: The light.
        settings: Where tones begin.
        normals: ``(n, 3)``, unit normals in the world.
        places: ``(n, 3)``, the points, relative to the eye.
    """
    camera = geometry.camera
    normals, places = normals.astype(np.float64), places.astype(np.float64)
    to_light = np.broadcast_to(-light.direction, places.shape)
    cone = np.ones(len(places))
    if light.place is not None:
        to_light = _unit(light.place - camera.world[:3, 3] - places)
        cone = -(to_light @ light.direction) - light.cosine
    to_eye = np.broadcast_to(camera.world[:3, 2], places.shape) if camera.is_orthographic else _unit(-places)
    form = (normals * to_light).sum(axis=1) - settings.terminator
    if settings.highlight is None:
        return form, cone, np.full(len(places), -1.0)
    return form, cone, (normals * _unit(to_light + to_eye)).sum(axis=1) - settings.highlight


def _unit(vectors: Floats) -> Floats:
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    unit: Floats = np.divide(vectors, length, out=np.zeros_like(vectors), where=length > 0.0)
    return unit


def _cast_shares(
    geometry: FrameGeometry,
    seen: VisibilityBuffer,
    light: Light,
    shading: Shading,
    casts: npt.NDArray[np.bool_] | None,
    dark: Whole,
    lit: Whole,
) -> Floats:
    """``(n,)``: how far a cast shadow reaches from a pixel in it towards one that is lit; NaN where none was tested."""
    share = np.full(len(dark), np.nan)
    tested_of = np.full(shading.tones.size, -1)
    tested_of[shading.pixel] = np.arange(len(shading.pixel))
    both = np.flatnonzero((tested_of[dark] >= 0) & (tested_of[lit] >= 0))
    if not len(both):
        return share
    dark, lit = dark[both], lit[both]
    from_there, to_there = (shading.tested[tested_of[pixel]] for pixel in (lit, dark))
    steps = np.arange(1, TESTED + 1) / (TESTED + 1)
    weight = np.tile(steps, (len(both), 1))
    if not geometry.camera.is_orthographic:
        # what lies half-way in the picture lies nearer than half-way on the surface
        near, far = (seen.depth.ravel()[pixel][:, None] for pixel in (lit, dark))
        weight = weight * near / (weight * near + (1.0 - weight) * far)
    between = from_there[:, None] + weight[..., None] * (to_there - from_there)[:, None]
    owner = np.where(steps[None] < 0.5, lit[:, None], dark[:, None]).ravel()
    hidden = in_shadow(
        geometry,
        light,
        between.reshape(-1, 3),
        seen.instance.ravel()[owner],
        seen.triangle.ravel()[owner],
        casts,
    ).reshape(-1, TESTED)
    # the first one from the lit pixel on that is in shadow, or the pixel in shadow itself
    first = np.where(hidden.any(axis=1), hidden.argmax(axis=1), TESTED)
    share[both] = 1.0 - (first + 0.5) / (TESTED + 1)
    return share


def _on_surfaces(
    geometry: FrameGeometry,
    points: tuple[Floats, npt.NDArray[np.int32], Floats, Floats],
    strokes: tuple[Whole, npt.NDArray[np.int32], npt.NDArray[np.int32]],
) -> Strokes:
    """Strokes whose points know on which triangle they are seen.

    Args:
        geometry: The frame.
        points: Their places in the picture, instances and depths, and how far these may be from the surface's.
        strokes: Where each begins in the list of their points, that list, and one point of each.
    """
    position, instance, depth, reach = points
    start, chain, of = strokes
    count = len(position)
    camera = geometry.camera
    columns, rows = camera.width // CELL + 1, camera.height // CELL + 1
    column, row = ((position + 0.5) / CELL).astype(np.int64).T
    cell = np.clip(row, 0, rows - 1) * columns + np.clip(column, 0, columns - 1)
    members = np.argsort(cell, kind="stable")
    starts = np.searchsorted(cell[members], np.arange(columns * rows + 1))
    triangle, shares, found = np.full(count, -1, np.int32), np.zeros((count, 3)), np.full(count, np.inf)
    meshes, view, _, holes = raster.what_hides(geometry)
    x, y = np.ascontiguousarray(position.T)
    locate(
        meshes,
        view,
        holes,
        np.unique(instance),
        (x, y, instance),
        (CELL, columns, starts, members),
        triangle,
        shares,
        found,
    )
    there = (triangle >= 0) & (np.abs(found - depth) <= reach)
    corners = np.full((count, 3), -1, np.int32)
    first = geometry.triangle_start[geometry.mesh[instance[there]]]
    corners[there] = geometry.triangles[first + triangle[there]]
    nobody = np.int32(-1)
    return Strokes(
        position=position,
        depth=np.where(there, found, depth),
        identity=np.zeros((count, 2), np.uint64),
        along=np.zeros(count),
        instance=np.where(there, instance, nobody).astype(np.int32),
        vertices=np.full((count, 2), nobody, np.int32),
        stroke_start=start,
        stroke_points=chain,
        kind=np.full(len(of), SHADE, np.uint8),
        hidden=np.zeros(len(of), bool),
        object_id=geometry.object_ids[instance[of]],
        corners=corners,
        shares=np.where(there[:, None], shares, 0.0),
    )
