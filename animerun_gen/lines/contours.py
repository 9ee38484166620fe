"""Line art from a frame's visibility buffer: the lines that its surfaces have, at a cost that knows no triangles.

Two pixels side by side, or one above the other, show what two rays meet.  A line parts them if that is not one smooth
surface: another object, another part of the same one, another material, or a face at an angle.  Whether it is one
surface is asked of the two triangles themselves, so that smooth surfaces have no line inside however few or many
triangles they are made of, and sheets that lie close to each other have one.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from animerun_gen.config.model import Lines
from animerun_gen.lines.kernels import borders, planes, tidying
from animerun_gen.lines.kernels.creases import SAME_ANGLE
from animerun_gen.lines.kernels.marks import CREASE, NONE, add_edges, mark, where_any
from animerun_gen.lines.kernels.steps import EVEN
from animerun_gen.lines.kernels.surface_edges import MARKED, OPEN
from animerun_gen.lines.kinds import KIND_OF_MARK, LineKind
from animerun_gen.lines.surface_edges import SurfaceEdges, find_crossings
from animerun_gen.motion import companions, raster
from animerun_gen.motion.geometry import Camera, FrameGeometry
from animerun_gen.motion.raster import VisibilityBuffer
from animerun_gen.threads import available_threads, in_parallel

U8Array = npt.NDArray[np.uint8]

SHORTEST_BEND = 6
"""Pixels of a crease below which those are left out that no edge between two faces tells for sure."""

SHORTEST = 4
"""Pixels of a line within an object below which it is left out if it hangs on no other one."""

STRIP = 64
"""Rows of the picture that are looked at at a time: of a whole picture of 3840x2160 all that is known of its pixels
would fill 660 MB."""


@dataclass(frozen=True)
class ContourSettings:
    """Which borders become lines, and how thick these are.

    Attributes:
        backdrop: Whether those between objects and the background do.
        objects: Whether those between objects do of which one is in front of the other.
        intersections: Whether those do where objects, or parts of one mesh that share no vertex, meet without a step in
            depth.
        folds: Whether those within an object do where a part of it is in front of another one: silhouettes and open
            borders.
        materials: Whether those between materials of an object do.
        creases: Whether those between faces do that meet at an angle.
        open_edges: Whether open edges do that hide nothing of their object, where they are known.
        marked_edges: Whether marked edges do, where they are known.
        crease_angle: Degrees; faces that meet at a smaller angle make a crease, 180 is flat.
        thickness: Thickness in pixels, see :func:`draw_contours`.
    """

    backdrop: bool = True
    objects: bool = True
    intersections: bool = True
    folds: bool = True
    materials: bool = True
    creases: bool = True
    open_edges: bool = True
    marked_edges: bool = True
    crease_angle: float = 134.43
    thickness: float = 1.0

    @classmethod
    def from_config(cls, lines: Lines) -> ContourSettings:
        """What a cut's configuration asks for, in Freestyle's terms.

        What borders on the background is a part of every contour, and every contour is a silhouette.  An open border
        that lies in front of another part of its object is drawn as a silhouette is.
        """
        edges = set(lines.edges) if lines.freestyle else set()
        completed = lines.outline and lines.intersections
        objects = lines.outline or not edges.isdisjoint({"silhouette", "contour"})
        return cls(
            backdrop=objects or "external_contour" in edges,
            objects=objects,
            intersections=completed,
            folds=not edges.isdisjoint({"silhouette", "border"}),
            materials="material_boundary" in edges or (completed and "material_boundary" in lines.edges),
            creases="crease" in edges,
            open_edges="border" in edges,
            marked_edges="edge_mark" in edges,
            crease_angle=lines.crease_angle,
            thickness=lines.thickness,
        )


@dataclass(frozen=True)
class Contours:
    """The lines of a frame.

    Attributes:
        line_art: ``(H, W)`` uint8, 0 on lines, 255 elsewhere.
        marks: ``(H, W)`` uint8, what makes each pixel line (see :mod:`animerun_gen.lines.kernels.marks`), 0 for none:
            the lines before they get their thickness.
        right: ``(H, W)`` uint8, what parts each pixel from its right neighbour, 0 where no line is drawn for it.
        below: The same for its lower neighbour.
        right_at: ``(H, W)`` float32, where that lies: 0 at the pixel's own centre, 1 at the neighbour's.
        below_at: The same for the lower neighbour.
    """

    line_art: U8Array
    marks: U8Array
    right: U8Array
    below: U8Array
    right_at: npt.NDArray[np.float32]
    below_at: npt.NDArray[np.float32]

    def kinds(self) -> U8Array:
        """What each pixel of the lines is: ``(H, W)`` uint8, see :class:`~animerun_gen.lines.kinds.LineKind`.

        A pixel that a line has from its thickness is what the nearest one is that it would have without.
        """
        kinds = KIND_OF_MARK[self.marks]
        thick = (self.line_art == 0) & (kinds == LineKind.NONE)
        if thick.any():
            is_free = (kinds == LineKind.NONE).astype(np.uint8)
            _, nearest = cv2.distanceTransformWithLabels(
                is_free, cv2.DIST_L2, cv2.DIST_MASK_PRECISE, labelType=cv2.DIST_LABEL_PIXEL
            )
            kind_of_label = np.zeros(nearest.max() + 1, np.uint8)
            kind_of_label[nearest[is_free == 0]] = kinds[is_free == 0]
            kinds[thick] = kind_of_label[nearest[thick]]
        return kinds


def draw_contours(
    geometry: FrameGeometry,
    seen: VisibilityBuffer,
    islands: npt.NDArray[np.int32],
    settings: ContourSettings,
    edges: SurfaceEdges | None = None,
) -> U8Array:
    """Draw the lines of a frame, see :func:`find_contours`.

    Returns:
        ``(H, W)`` uint8, 0 on lines, 255 elsewhere.
    """
    return find_contours(geometry, seen, islands, settings, edges).line_art


def find_contours(
    geometry: FrameGeometry,
    seen: VisibilityBuffer,
    islands: npt.NDArray[np.int32],
    settings: ContourSettings,
    edges: SurfaceEdges | None = None,
) -> Contours:
    """Find the lines of a frame.

    A line lies on the farther of the two pixels that it parts, so that nearer shapes keep their extent; where both are
    at one depth it lies on the one whose centre is nearer to it.  Of two neighbours (of four) that a wanted border
    parts, one is always line, but for specks within an object.  A thicker line has all pixels whose centres are at
    most ``(thickness - 1) / 2`` from one of these, so that it grows at 3, 3.83, 5 and so on.

    Whatever is drawn depends only on the pixels around it, short creases and faint steps on those along their line: a
    picture that moves by whole pixels takes its lines along.

    Args:
        geometry: The frame.
        seen: What it sees.
        islands: ``(T,)`` the island of each triangle, see :meth:`animerun_gen.motion.islands.IslandFinder.find`.
        settings: Which lines.
        edges: Its open and marked edges, see :class:`~animerun_gen.lines.surface_edges.SurfaceEdgeFinder`; None where
            they are not known.

    Returns:
        The lines.
    """
    shape = seen.instance.shape
    crease = math.radians(180.0 - settings.crease_angle)
    wanted = borders.Wanted(
        settings.backdrop,
        settings.objects,
        settings.intersections,
        settings.folds,
        settings.materials,
        settings.creases,
        math.cos(crease),
        math.cos(0.5 * crease),
        min(EVEN, 0.25 * crease),
    )
    meshes, lens = raster.meshes(geometry), lens_of(geometry.camera)
    height, width = shape
    margins = 2 * planes.MARGIN
    materials = companions.material_id_map(geometry, seen)
    marks, right, below = (np.zeros(shape, np.uint8) for _ in range(3))
    right_at, below_at = (np.zeros(shape, np.float32) for _ in range(2))

    def look_at(tops: range) -> None:
        strip = np.empty((min(height, STRIP) + margins, width + margins), planes.PIXEL)
        for top in tops:
            planes.find_planes(meshes, islands, seen.instance, seen.triangle, seen.depth, materials, lens, top, strip)
            borders.find_borders(strip, lens, wanted, top, marks, right, below, right_at, below_at)

    # what two strips may both mark, the row below the upper one, they mark alike
    count = available_threads()
    in_parallel(look_at, [range(first * STRIP, height, count * STRIP) for first in range(count)])
    if edges is not None:
        crossings = find_crossings(geometry, seen, islands, edges, lens, wanted.crease_cosine - SAME_ANGLE)
        are_lines = (settings.open_edges, settings.marked_edges, settings.creases)
        pictures = (seen.instance, seen.depth)
        add_edges(crossings.right, crossings.below, pictures, crossings.follows, are_lines, marks, right, below)
        for at, crossing_at, passing, found in (
            (right_at, crossings.right_at, crossings.right, right),
            (below_at, crossings.below_at, crossings.below, below),
        ):
            # few pixels: not all of the picture is looked at
            places = where_any(passing.reshape(-1))
            places = places[_is_on_edge(passing.reshape(-1)[places], found.reshape(-1)[places])]
            at.reshape(-1)[places] = crossing_at.reshape(-1)[places]
    mark(right, below, right_at, below_at, marks)
    tidying.take_out_crumbs(marks, SHORTEST_BEND)
    tidying.take_out_specks(marks, seen.instance, SHORTEST)
    tidying.forget_between(right, marks, 0, 1)
    tidying.forget_between(below, marks, 1, 0)
    line_art = np.where(_thickened(marks != NONE, settings.thickness), np.uint8(0), np.uint8(255))
    return Contours(line_art, marks, right, below, right_at, below_at)


def lens_of(camera: Camera) -> planes.Lens:
    """How a camera makes pixels of camera coordinates."""
    half_width, half_height = 0.5 * camera.width, 0.5 * camera.height
    projection = camera.projection
    # the point in the middle of the picture is off the axis by the lens shift
    shift_x, shift_y = projection[:2, 3] if camera.is_orthographic else -projection[:2, 2]
    return planes.Lens(
        float(half_width * projection[0, 0]),
        float(half_height * projection[1, 1]),
        float(half_width * (1.0 + shift_x) - 0.5),
        float(half_height * (1.0 - shift_y) - 0.5),
        camera.is_orthographic,
    )


def _is_on_edge(passing: U8Array, found: U8Array) -> npt.NDArray[np.bool_]:
    """Where an edge is what parts two pixels: a crease may be beside the end of what is nearer, too."""
    return (passing & (OPEN | MARKED) > 0) | ((passing > 0) & (found == CREASE))


def _thickened(is_line: npt.NDArray[np.bool_], thickness: float) -> npt.NDArray[np.bool_]:
    radius = (thickness - 1.0) / 2.0
    reach = math.floor(radius)
    if reach < 1:
        return is_line
    rows, columns = np.mgrid[-reach : reach + 1, -reach : reach + 1]
    disc = (rows**2 + columns**2 <= radius**2).astype(np.uint8)
    # beyond the picture nothing is line: what OpenCV takes the border for unless told otherwise
    return np.asarray(cv2.dilate(is_line.astype(np.uint8), disc) > 0)
