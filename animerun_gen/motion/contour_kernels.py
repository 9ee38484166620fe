"""The compiled loops behind :mod:`animerun_gen.motion.contours`.

They call nothing that is compiled elsewhere: what numba keeps on disk is renewed when the file of the function itself
changes, and not when that of a function that it calls does.

Everything is reckoned in *nearness*: the inverse of the distance along the view axis under perspective, the negative
distance under an orthographic camera.  A plane's nearness is a linear function of the pixel under either, so planes
are extrapolated without any singularity.  Slopes and steps of nearness are divided by what one pixel spans there, so
that nothing depends on the scale of the scene: a slope of 1 is a surface turned 45 degrees away, a step of 1 is as deep
as a pixel is wide.
"""

from __future__ import annotations

from typing import NamedTuple

import numba
import numpy as np
import numpy.typing as npt

EVEN = 0.05
"""A difference of slopes, or a step in pixels, that no smooth surface is too smooth for."""

SAME_PLACE = 0.02
"""A step, in pixels, that rounding alone may make where one triangle ends and the next one begins."""

SAME_DEPTH = 1e-6
"""The same, relative to the distance: vertices are stored as float32."""

UNSEEN_STEP = 0.5
"""A step, in pixels, over one pixel of which no triangle is known, that a rough surface may make by itself."""

SAME_ANGLE = 1e-6
"""A difference of cosines that rounding alone may make: normals are kept as float32."""

TOUCHING = 1e-6
"""Two triangles with a gap of less, in pixels, between them meet in an edge."""

GRAZED = 0.35
"""Cosine of the angle between view and normal below which a surface is about to turn away."""

FOLDED = float(np.cos(np.radians(35.0)))
"""Cosine of the angle between two normals that a surface which turns away slowly does not reach within one pixel."""

FLAT = 1.0 / 9.0
"""So small are the bends beside a crease between triangles that do not meet, relative to its own: a third as an angle.
"""

RIGHT, LEFT, DOWN, UP = range(4)
"""Directions in which a triangle goes on."""

NONE, STEP, FLUSH, CREASE, BEND = range(5)
"""What parts two pixels: nothing; a step in depth; another material or object at the same depth; an edge between two
faces; or a sharp bend of a surface whose faces there are too small to tell.  It is what becomes of a pixel, too.
"""

kernel = numba.njit(cache=True, nogil=True, error_model="numpy")
inlined = numba.njit(cache=True, nogil=True, error_model="numpy", inline="always")
"""For what is short and called for every pixel: numba counts the references to each array that a call takes along."""


class Lens(NamedTuple):
    """How camera coordinates become pixels: ``x = cx + fx * X``, ``y = cy + fy * Y`` (``Y`` down).

    ``X`` and ``Y`` are camera coordinates, divided by the distance along the view axis under perspective.
    """

    fx: float
    fy: float
    cx: float
    cy: float
    is_orthographic: bool


class Wanted(NamedTuple):
    """Which borders become lines.

    Attributes:
        backdrop: Between an instance and the background.
        objects: Between instances of which one is in front of the other.
        intersections: Between instances that meet without a step in depth.
        folds: Between parts of one instance of which one is in front of the other.
        materials: Between materials of one instance.
        creases: Between faces of one surface that meet at an angle.
        crease_cosine: Cosine of the angle between normals beyond which they do.
        half_cosine: Cosine of half that angle.
        even: Neighbours whose slopes, and the step between them, differ by less show one smooth surface: nothing to
            look into.
    """

    backdrop: bool
    objects: bool
    intersections: bool
    folds: bool
    materials: bool
    creases: bool
    crease_cosine: float
    half_cosine: float
    even: float


class Surface(NamedTuple):
    """What is known of each pixel, ``(H, W)`` each.

    Attributes:
        instance: int32, below zero on the background.
        triangle: int32, counted within the mesh.
        material: uint16.
        nearness: float64.
        slope_x: float64, nearness over ``X`` of the triangle's plane.
        slope_y: float64, nearness over ``Y``.
        normal: ``(H, W, 3)`` float32, unit normal of the plane over ``X``, ``Y`` and the distance, which it grows with.
        reach: ``(H, W, 4)`` float32, pixels that the triangle goes on to the right, left, down and up; 2 if more.
        clockwise: bool, whether the triangle's corners go round clockwise as seen.
    """

    instance: npt.NDArray[np.int32]
    triangle: npt.NDArray[np.int32]
    material: npt.NDArray[np.uint16]
    nearness: npt.NDArray[np.float64]
    slope_x: npt.NDArray[np.float64]
    slope_y: npt.NDArray[np.float64]
    normal: npt.NDArray[np.float32]
    reach: npt.NDArray[np.float32]
    clockwise: npt.NDArray[np.bool_]


@kernel
def _corner(meshes, i, t, corner, x, y):  # type: ignore[no-untyped-def]
    """One corner ``(x w, y w, depth, w)`` of a triangle in homogeneous pixels counted from pixel ``(x, y)``."""
    m = meshes.mesh[i]
    v = meshes.vertex_start[m] + meshes.triangles[meshes.triangle_start[m] + t, corner]
    a = np.float64(meshes.vertices[v, 0])
    b = np.float64(meshes.vertices[v, 1])
    c = np.float64(meshes.vertices[v, 2])
    matrix = meshes.matrices
    w = matrix[i, 3, 0] * a + matrix[i, 3, 1] * b + matrix[i, 3, 2] * c + matrix[i, 3, 3]
    return (
        matrix[i, 0, 0] * a + matrix[i, 0, 1] * b + matrix[i, 0, 2] * c + matrix[i, 0, 3] - x * w,
        matrix[i, 1, 0] * a + matrix[i, 1, 1] * b + matrix[i, 1, 2] * c + matrix[i, 1, 3] - y * w,
        matrix[i, 2, 0] * a + matrix[i, 2, 1] * b + matrix[i, 2, 2] * c + matrix[i, 2, 3],
        w,
    )


@kernel
def _edges(p, q, r):  # type: ignore[no-untyped-def]
    """The edge functions ``(a, b, c)`` opposite three corners, and their determinant; its sign is that of the inside.

    Triangles are drawn by the same ones, see :func:`animerun_gen.motion.kernels._edge_functions`.
    """
    e = (q[1] * r[3] - q[3] * r[1], q[3] * r[0] - q[0] * r[3], q[0] * r[1] - q[1] * r[0])
    f = (r[1] * p[3] - r[3] * p[1], r[3] * p[0] - r[0] * p[3], r[0] * p[1] - r[1] * p[0])
    g = (p[1] * q[3] - p[3] * q[1], p[3] * q[0] - p[0] * q[3], p[0] * q[1] - p[1] * q[0])
    return e, f, g, p[0] * e[0] + p[1] * e[1] + p[3] * e[2]


@kernel
def find_planes(meshes, depth, lens, surface):  # type: ignore[no-untyped-def]
    """Fill what a :class:`Surface` has besides instances, triangles and materials, wherever a surface is seen."""
    height, width = depth.shape
    for row in range(height):
        last_i = last_t = -1
        first = 0
        slope_x = slope_y = 0.0
        normal = (0.0, 0.0, 0.0)
        edges = ((0.0, 0.0, 0.0), (0.0, 0.0, 0.0), (0.0, 0.0, 0.0))
        clockwise = False
        for column in range(width):
            i = surface.instance[row, column]
            if i < 0:
                continue
            t = surface.triangle[row, column]
            nearness = -depth[row, column] if lens.is_orthographic else 1.0 / depth[row, column]
            # neighbours mostly show the same triangle
            if i != last_i or t != last_t:
                p = _corner(meshes, i, t, 0, column, row)
                q = _corner(meshes, i, t, 1, column, row)
                r = _corner(meshes, i, t, 2, column, row)
                e, f, g, determinant = _edges(p, q, r)
                if lens.is_orthographic:
                    slope_x = -(e[0] * p[2] + f[0] * q[2] + g[0] * r[2]) / determinant * lens.fx
                    slope_y = -(e[1] * p[2] + f[1] * q[2] + g[1] * r[2]) / determinant * lens.fy
                    normal = _unit(slope_x, slope_y, 1.0)
                else:
                    slope_x = (e[0] + f[0] + g[0]) / determinant * lens.fx
                    slope_y = (e[1] + f[1] + g[1]) / determinant * lens.fy
                    x = (column - lens.cx) / lens.fx
                    y = (row - lens.cy) / lens.fy
                    normal = _unit(slope_x, slope_y, nearness - slope_x * x - slope_y * y)
                clockwise = determinant > 0.0
                edges = (_inward(e, determinant), _inward(f, determinant), _inward(g, determinant))
                first = column
                last_i, last_t = i, t
            surface.nearness[row, column] = nearness
            surface.slope_x[row, column] = slope_x
            surface.slope_y[row, column] = slope_y
            surface.clockwise[row, column] = clockwise
            for axis in range(3):
                surface.normal[row, column, axis] = normal[axis]
            right = left = down = up = 2.0
            for edge in edges:
                a, b, c = edge
                here = max(a * (column - first) + c, 0.0)
                if a < 0.0:
                    right = min(right, here / -a)
                elif a > 0.0:
                    left = min(left, here / a)
                if b < 0.0:
                    down = min(down, here / -b)
                elif b > 0.0:
                    up = min(up, here / b)
            surface.reach[row, column, RIGHT] = right
            surface.reach[row, column, LEFT] = left
            surface.reach[row, column, DOWN] = down
            surface.reach[row, column, UP] = up


@kernel
def _unit(a, b, c):  # type: ignore[no-untyped-def]
    length = np.sqrt(a * a + b * b + c * c)
    return a / length, b / length, c / length


@kernel
def _inward(edge, determinant):  # type: ignore[no-untyped-def]
    """An edge function that is positive inside."""
    if determinant < 0.0:
        return -edge[0], -edge[1], -edge[2]
    return edge


@kernel
def _facing(surface, lens, row, column):  # type: ignore[no-untyped-def]
    """Cosine of the angle between the view and the normal of the plane that a pixel shows."""
    normal = surface.normal
    if lens.is_orthographic:
        return np.float64(normal[row, column, 2])
    x = (column - lens.cx) / lens.fx
    y = (row - lens.cy) / lens.fy
    along = normal[row, column, 0] * x + normal[row, column, 1] * y + normal[row, column, 2]
    return along / np.sqrt(x * x + y * y + 1.0)


@inlined
def _cosine(surface, row, column, other_row, other_column):  # type: ignore[no-untyped-def]
    """Cosine of the angle between the planes that two pixels show."""
    normal = surface.normal
    cosine = 0.0
    for axis in range(3):
        cosine += np.float64(normal[row, column, axis]) * normal[other_row, other_column, axis]
    return cosine


@kernel
def _spread(surface, lens, row, column, dy, dx):  # type: ignore[no-untyped-def]
    """What a pixel and its right (``dx`` = 1) or lower neighbour say of the surface between them, in pixels.

    Returns:
        The slopes of both from the first to the second, the step from the first to the second, the distance of both
        slopes in the plane, and what one pixel spans.
    """
    other_row, other_column = row + dy, column + dx
    here = surface.nearness[row, column]
    there = surface.nearness[other_row, other_column]
    span = 1.0 if lens.is_orthographic else max(here, there)
    x = surface.slope_x[row, column] / span
    y = surface.slope_y[row, column] / span
    other_x = surface.slope_x[other_row, other_column] / span
    other_y = surface.slope_y[other_row, other_column] / span
    turn = np.sqrt((x - other_x) * (x - other_x) + (y - other_y) * (y - other_y))
    if dx == 1:
        pixel = span / lens.fx
        return x, other_x, (there - here) / pixel, turn, pixel
    pixel = span / lens.fy
    return y, other_y, (there - here) / pixel, turn, pixel


@kernel
def _gap(surface, row, column, dy, dx, spread, farthest):  # type: ignore[no-untyped-def]
    """Whether there is a step in depth between two pixels, and how much of the way between them is unknown.

    From each pixel its triangle is known as far as it goes.  Where both meet or overlap, they are at one depth or they
    are not.  Between their ends, if the surface is one, its slope goes from one to the other: by the mean value theorem
    the step lies between what either slope alone would make.  A convex surface keeps to that exactly, however it is
    made of faces, right up to its silhouette; others keep to it up to how much they turn.
    """
    slope, other_slope, step, turn, _ = spread
    end = float(surface.reach[row, column, RIGHT if dx == 1 else DOWN])
    begin = 1.0 - surface.reach[row + dy, column + dx, LEFT if dx == 1 else UP]
    rounding = SAME_PLACE + SAME_DEPTH * farthest
    end = min(end, 1.0)
    begin = max(begin, 0.0)
    if begin <= end:
        ahead = step + other_slope * (begin - 1.0) - slope * begin
        behind = step + other_slope * (end - 1.0) - slope * end
        # where they cut through each other, either one is in front on its side
        return min(ahead, behind) > rounding or max(ahead, behind) < -rounding, begin - end
    unknown = begin - end
    jump = step + other_slope * (begin - 1.0) - slope * end
    low = min(slope, other_slope) * unknown
    high = max(slope, other_slope) * unknown
    slack = (UNSEEN_STEP + turn) * unknown + rounding
    return jump < low - slack or jump > high + slack, unknown


@inlined
def _bend(surface, row, column, other_row, other_column):  # type: ignore[no-untyped-def]
    """How much the planes that two pixels show are turned against each other: 1 less the cosine of their angle.

    -1 where a pixel is outside, or shows another instance.
    """
    height, width = surface.instance.shape
    bend = -1.0
    if (
        min(row, column, other_row, other_column) >= 0
        and max(row, other_row) < height
        and max(column, other_column) < width
        and surface.instance[row, column] == surface.instance[other_row, other_column]
    ):
        bend = max(0.0, 1.0 - _cosine(surface, row, column, other_row, other_column))
    return bend


@kernel
def _crease(surface, lens, wanted, row, column, dy, dx, cosine, unknown):  # type: ignore[no-untyped-def]
    """Whether two pixels of one surface, whose normals make an angle of the given cosine, lie beside a crease.

    The answer is CREASE, BEND or NONE.

    Faces that meet do so at that angle.  Between faces that do not meet lie others, of which nothing is known: a
    surface may as well have turned smoothly, as a small ball does.  That it is flat on both sides tells a crease from
    it.  What turns within two pixels, as a bevel seen from afar does, counts as one crease, or else its line would be
    dashed, drawn where no pixel happens to see the bevel; it lies where the surface turns more.
    """
    is_sharp = cosine < wanted.crease_cosine - SAME_ANGLE
    if is_sharp and unknown <= TOUCHING:
        return CREASE
    if not cosine < wanted.half_cosine:
        return NONE
    bend = 1.0 - cosine
    before = _bend(surface, row - dy, column - dx, row, column)
    after = _bend(surface, row + dy, column + dx, row + 2 * dy, column + 2 * dx)
    if is_sharp and max(before, after) >= 0.0 and max(before, after) <= FLAT * bend:
        return BEND
    # a bend of twice the angle is at most four times as large; the line lies where the surface bends more
    limit = 4.0 * FLAT * bend
    if 0.0 <= before <= limit and 0.0 <= after <= bend:  # noqa: SIM102
        if _is_bevel(surface, lens, wanted, row, column, dy, dx, before):
            return BEND
    if 0.0 <= after <= limit and 0.0 <= before < bend:  # noqa: SIM102
        if _is_bevel(surface, lens, wanted, row + dy, column + dx, -dy, -dx, after):
            return BEND
    return NONE


@kernel
def _is_bevel(  # type: ignore[no-untyped-def]
    surface, lens, wanted, row, column, dy, dx, before
):
    """Whether a surface, flat before a pixel, turns on the way to the next one and the one behind that, and is flat.

    ``before`` is how much it bends on the way to the first pixel.
    """
    far_row, far_column = row + 2 * dy, column + 2 * dx
    whole = _bend(surface, row, column, far_row, far_column)
    if not 1.0 - whole < wanted.crease_cosine - SAME_ANGLE or before > FLAT * whole:
        return False
    after = _bend(surface, far_row, far_column, far_row + dy, far_column + dx)
    if after < 0.0 or after > FLAT * whole:
        return False
    # whatever is behind is no part of a bevel
    if dy + dx > 0:
        first_row, first_column, down, right = row + dy, column + dx, dy, dx
    else:
        first_row, first_column, down, right = far_row, far_column, -dy, -dx
    spread = _spread(surface, lens, first_row, first_column, down, right)
    farthest = abs(surface.nearness[first_row, first_column]) / spread[4]
    is_step, _ = _gap(surface, first_row, first_column, down, right, spread, farthest)
    return not is_step


@kernel
def _turns_away(surface, lens, row, column, dy, dx, spread, cosine):  # type: ignore[no-untyped-def]
    """Whether one of two pixels shows a surface that is about to turn away and the other one what is behind it.

    Just before its silhouette a surface is so steep that a step to another one could as well be its own slope.  But
    then the two meet as in a valley, and at a large angle, while a surface that turns away curves towards the camera.
    """
    slope, other_slope, _, _, _ = spread
    if cosine > FOLDED or other_slope <= slope:
        return False
    facing = _facing(surface, lens, row, column)
    other_facing = _facing(surface, lens, row + dy, column + dx)
    return min(facing, other_facing) < GRAZED


@kernel
def _part(surface, lens, wanted, row, column, dy, dx):  # type: ignore[no-untyped-def]
    """What parts a pixel from its right (``dx`` = 1) or lower (``dy`` = 1) neighbour."""
    other_row, other_column = row + dy, column + dx
    i = surface.instance[row, column]
    j = surface.instance[other_row, other_column]
    t = surface.triangle[row, column]
    u = surface.triangle[other_row, other_column]
    if i == j and (i < 0 or t == u):
        return NONE
    if i < 0 or j < 0:
        return STEP if wanted.backdrop else NONE
    spread = _spread(surface, lens, row, column, dy, dx)
    slope, other_slope, step, turn, pixel = spread
    farthest = min(abs(surface.nearness[row, column]), abs(surface.nearness[other_row, other_column])) / pixel
    if i != j:
        is_step, _ = _gap(surface, row, column, dy, dx, spread, farthest)
        cosine = _cosine(surface, row, column, other_row, other_column)
        if is_step or _turns_away(surface, lens, row, column, dy, dx, spread, cosine):
            return STEP if wanted.objects else NONE
        return FLUSH if wanted.intersections else NONE
    is_material = wanted.materials and surface.material[row, column] != surface.material[other_row, other_column]
    same_way = surface.clockwise[row, column] == surface.clockwise[other_row, other_column]
    if same_way and turn < wanted.even and abs(step - slope) < EVEN and abs(step - other_slope) < EVEN:
        return FLUSH if is_material else NONE
    cosine = _cosine(surface, row, column, other_row, other_column)
    is_fold, unknown = _gap(surface, row, column, dy, dx, spread, farthest)
    if not is_fold and unknown > TOUCHING:
        # faces that meet, or that lie in each other, are no fold whichever way round files have them
        is_fold = not same_way and cosine < FOLDED
        if not is_fold and unknown > EVEN:
            is_fold = _turns_away(surface, lens, row, column, dy, dx, spread, cosine)
    if is_fold:
        return STEP if wanted.folds or is_material else NONE
    if is_material:
        return FLUSH
    if wanted.creases:
        return _crease(surface, lens, wanted, row, column, dy, dx, cosine, unknown)
    return NONE


@kernel
def draw(surface, lens, wanted, marks):  # type: ignore[no-untyped-def]
    """Fill ``marks`` (``(H, W)`` uint8, all NONE) with what is line, one pixel thick, and why.

    First steps, on the farther pixel; then, between pixels of which neither is line yet, what has no step, on the right
    or lower one.  Which pixels that are does not depend on any but the nearest ones.
    """
    height, width = marks.shape
    right = np.zeros((height, width), np.uint8)
    below = np.zeros((height, width), np.uint8)
    for row in range(height):
        for column in range(width):
            for downwards in range(2):
                other_row, other_column = row + downwards, column + 1 - downwards
                if other_row == height or other_column == width:
                    continue
                found = _part(surface, lens, wanted, row, column, downwards, 1 - downwards)
                if found == STEP:
                    if _is_behind(surface, row, column, other_row, other_column):
                        marks[row, column] = STEP
                    else:
                        marks[other_row, other_column] = STEP
                elif downwards == 1:
                    below[row, column] = found
                else:
                    right[row, column] = found
    for row in range(height):
        for column in range(width):
            if right[row, column] != NONE and marks[row, column] == NONE and marks[row, column + 1] == NONE:
                marks[row, column + 1] = right[row, column]
    for row in range(height):
        for column in range(width):
            if below[row, column] != NONE and marks[row, column] == NONE and marks[row + 1, column] == NONE:
                marks[row + 1, column] = below[row, column]


@kernel
def _is_behind(surface, row, column, other_row, other_column):  # type: ignore[no-untyped-def]
    """Whether a pixel shows something farther away than its neighbour; the background is behind everything."""
    if surface.instance[row, column] < 0:
        return True
    if surface.instance[other_row, other_column] < 0:
        return False
    return surface.nearness[row, column] < surface.nearness[other_row, other_column]
