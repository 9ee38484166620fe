"""The compiled loops behind :mod:`animerun_gen.lines.contours`.

Everything is reckoned in *nearness*: the inverse of the distance along the view axis under perspective, the negative
distance under an orthographic camera.  A plane's nearness is a linear function of the pixel under either, so planes
are extrapolated without any singularity.  Slopes and steps of nearness are divided by what one pixel spans there, so
that nothing depends on the scale of the scene: a slope of 1 is a surface turned 45 degrees away, a step of 1 is as deep
as a pixel is wide.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from animerun_gen import compiled

EVEN = 0.05
"""A difference of slopes, or a step in pixels, that no smooth surface is too smooth for."""

SAME_PLACE = 0.02
"""A step, in pixels, that rounding alone may make where one triangle ends and the next one begins."""

SAME_DEPTH = 1e-6
"""The same, relative to the distance: vertices are stored as float32."""

UNSEEN_STEP = 0.5
"""A step, in pixels, over one pixel of which no triangle is known, that a rough surface may make by itself."""

UNSEEN_TURN = float(np.radians(2.0))
"""An angle by which what is not seen of a surface may be steeper than what is seen on both sides: of a wall seen at a
grazing angle that changes the slope by far more than :data:`UNSEEN_STEP`."""

SAME_ANGLE = 1e-6
"""A difference of cosines that rounding alone may make: normals are kept as float32."""

TOUCHING = 1e-6
"""Two triangles with a gap of less, in pixels, between them meet in an edge."""

GRAZED = 0.35
"""Cosine of the angle between view and normal below which a surface is about to turn away."""

FOLDED = float(np.cos(np.radians(35.0)))
"""Cosine of the angle between two normals that a surface which turns away slowly does not reach within one pixel."""

STUCK = float(np.cos(np.radians(10.0)))
"""Cosine of the angle between two normals above which parts of one mesh go on into each other, as one surface does."""

FLAT = 1.0 / 9.0
"""So small are the bends beside a crease between triangles that do not meet, relative to its own: a third as an angle.
"""

MARGIN = 3
"""Pixels that are added around a picture, so that a loop can look that far from each pixel."""

PIXEL = np.dtype(
    [
        ("nearness", np.float64),
        ("slope_x", np.float64),
        ("slope_y", np.float64),
        ("facing", np.float64),
        ("normal_x", np.float32),
        ("normal_y", np.float32),
        ("normal_z", np.float32),
        ("right", np.float32),
        ("left", np.float32),
        ("down", np.float32),
        ("up", np.float32),
        ("instance", np.int32),
        ("triangle", np.int32),
        ("island", np.int32),
        ("material", np.uint16),
        ("clockwise", np.bool_),
    ],
    align=True,
)
"""What is known of a pixel.

A pixel is handed on as one record, which is a pointer.  Handing on an array for each field costs more than all else
that is done with a pixel: numba counts the references to each of them at each call.

- ``nearness``, ``slope_x``, ``slope_y``: of the plane of its triangle there, and its slopes over ``X`` and ``Y``
- ``facing``: cosine of the angle between the view and the normal
- ``normal_x``, ``normal_y``, ``normal_z``: unit normal over ``X``, ``Y`` and the distance, which it grows with
- ``right``, ``left``, ``down``, ``up``: pixels that the triangle goes on that way; 2 if more
- ``instance``: below zero on the background and in the margin, where nothing else is filled in
- ``triangle``: counted within the mesh
- ``island``: the part of the mesh that hangs together
- ``material``: number of the material
- ``clockwise``: whether the triangle's corners go round clockwise as seen
"""

NONE, STEP, FLUSH, CREASE, BEND, FAINT = range(6)
"""What parts two pixels: nothing; a step in depth; another material or object at the same depth; an edge between two
faces; a sharp bend of a surface whose faces there are too small to tell; or what may be a step or a ramp that no pixel
sees.  It is what becomes of a pixel, too.
"""

FAINT_BEFORE = 6
"""The same as FAINT, of which the first pixel is the farther one."""

kernel = compiled.kernels(__name__, error_model="numpy")


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
        intersections: Between instances, and parts of one, that meet without a step in depth.
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
def find_planes(meshes, islands, instance, triangle, depth, material, lens, top, pixels):  # type: ignore[no-untyped-def]
    """Fill ``pixels``, a strip of :data:`PIXEL` with its margin, from pictures of the frame without one.

    ``islands`` are those of all meshes' triangles.  ``top`` is the row of the picture that the strip begins with, below
    its margin.
    """
    height, width = depth.shape
    for row in range(pixels.shape[0]):
        for column in range(pixels.shape[1]):
            pixels[row, column].instance = -1
    for row in range(max(0, top - MARGIN), min(height, top - MARGIN + pixels.shape[0])):
        last_i = last_t = -1
        first = 0
        slope_x = slope_y = 0.0
        normal = (0.0, 0.0, 0.0)
        edges = ((0.0, 0.0, 0.0), (0.0, 0.0, 0.0), (0.0, 0.0, 0.0))
        clockwise = False
        for column in range(width):
            i = instance[row, column]
            if i < 0:
                continue
            t = triangle[row, column]
            nearness = -depth[row, column] if lens.is_orthographic else 1.0 / depth[row, column]
            x = (column - lens.cx) / lens.fx
            y = (row - lens.cy) / lens.fy
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
                    normal = _unit(slope_x, slope_y, nearness - slope_x * x - slope_y * y)
                clockwise = determinant > 0.0
                edges = (_inward(e, determinant), _inward(f, determinant), _inward(g, determinant))
                first = column
                last_i, last_t = i, t
            pixel = pixels[row - top + MARGIN, column + MARGIN]
            pixel.instance = i
            pixel.triangle = t
            pixel.island = islands[meshes.triangle_start[meshes.mesh[i]] + t]
            pixel.material = material[row, column]
            pixel.nearness = nearness
            pixel.slope_x = slope_x
            pixel.slope_y = slope_y
            pixel.clockwise = clockwise
            pixel.normal_x, pixel.normal_y, pixel.normal_z = normal
            pixel.facing = (
                normal[2]
                if lens.is_orthographic
                else (normal[0] * x + normal[1] * y + normal[2]) / np.sqrt(x * x + y * y + 1.0)
            )
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
            pixel.right = right
            pixel.left = left
            pixel.down = down
            pixel.up = up


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
def _cosine(here, there):  # type: ignore[no-untyped-def]
    """Cosine of the angle between the planes that two pixels show."""
    return (
        np.float64(here.normal_x) * there.normal_x
        + np.float64(here.normal_y) * there.normal_y
        + np.float64(here.normal_z) * there.normal_z
    )


@kernel
def _spread(here, there, lens, is_across):  # type: ignore[no-untyped-def]
    """What a pixel and its right (``is_across``) or lower neighbour say of the surface between them, in pixels.

    Returns:
        The slopes of both from the first to the second, the step from the first to the second, the distance of both
        slopes in the plane, and what one pixel spans.
    """
    span = 1.0 if lens.is_orthographic else max(here.nearness, there.nearness)
    x = here.slope_x / span
    y = here.slope_y / span
    other_x = there.slope_x / span
    other_y = there.slope_y / span
    turn = np.sqrt((x - other_x) * (x - other_x) + (y - other_y) * (y - other_y))
    if is_across:
        pixel = span / lens.fx
        return x, other_x, (there.nearness - here.nearness) / pixel, turn, pixel
    pixel = span / lens.fy
    return y, other_y, (there.nearness - here.nearness) / pixel, turn, pixel


@kernel
def _gap(here, there, is_across, spread):  # type: ignore[no-untyped-def]
    """Whether there is a step in depth between two pixels, and how much of the way between them is unknown.

    From each pixel its triangle is known as far as it goes.  Where both meet or overlap, they are at one depth or they
    are not.  Between their ends, if the surface is one, its slope goes from one to the other: by the mean value theorem
    the step lies between what either slope alone would make.  A convex surface keeps to that exactly, however it is
    made of faces, right up to its silhouette; others keep to it up to how much they turn.
    """
    slope, other_slope, step, turn, pixel = spread
    farthest = min(abs(here.nearness), abs(there.nearness)) / pixel
    end = float(here.right if is_across else here.down)
    begin = 1.0 - (there.left if is_across else there.up)
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
    grazing = min(abs(slope), abs(other_slope))
    slack = (UNSEEN_STEP + UNSEEN_TURN * grazing * grazing + turn) * unknown + rounding
    return jump < low - slack or jump > high + slack, unknown


@kernel
def _bend(here, there):  # type: ignore[no-untyped-def]
    """How much the planes that two pixels show are turned against each other: 1 less the cosine of their angle.

    -1 where they show two instances.
    """
    if here.instance != there.instance:
        return -1.0
    return max(0.0, 1.0 - _cosine(here, there))


@kernel
def _crease(row, lens, wanted, is_across, cosine, unknown):  # type: ignore[no-untyped-def]
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
    first, before_it, here, there, after_it, last = row
    bend = 1.0 - cosine
    before = _bend(before_it, here)
    after = _bend(there, after_it)
    if is_sharp and max(before, after) >= 0.0 and max(before, after) <= FLAT * bend:
        return BEND
    # a bend of twice the angle is at most four times as large; the line lies where the surface bends more
    limit = 4.0 * FLAT * bend
    if 0.0 <= before <= limit and 0.0 <= after <= bend:  # noqa: SIM102
        if _is_bevel(here, after_it, last, wanted, before) and not _is_step(there, after_it, lens, is_across):
            return BEND
    if 0.0 <= after <= limit and 0.0 <= before < bend:  # noqa: SIM102
        if _is_bevel(there, before_it, first, wanted, after) and not _is_step(before_it, here, lens, is_across):
            return BEND
    return NONE


@kernel
def _is_bevel(here, second, third, wanted, before):  # type: ignore[no-untyped-def]
    """Whether a surface, flat before a pixel, turns on the way to the second pixel from there, and is flat after it.

    ``before`` is how much it bends on the way to the first pixel.
    """
    whole = _bend(here, second)
    if not 1.0 - whole < wanted.crease_cosine - SAME_ANGLE or before > FLAT * whole:
        return False
    after = _bend(second, third)
    return 0.0 <= after <= FLAT * whole


@kernel
def _is_step(here, there, lens, is_across):  # type: ignore[no-untyped-def]
    is_step, _ = _gap(here, there, is_across, _spread(here, there, lens, is_across))
    return is_step


@kernel
def _is_ramp(row, lens, wanted, is_across, spread, unknown, place):  # type: ignore[no-untyped-def]
    """Whether what is not seen between the third and the fourth of six pixels can be one face that makes no crease.

    It reaches from where the one triangle ends to where the other one begins, so that its slope is known.  That it goes
    on with either surface, or that both are flat (a ninth of its own angle), tells it from a surface that ends before
    another one.  ``place`` is where the pixels are, in camera coordinates (see :class:`Lens`).
    """
    here = row[2]
    there = row[3]
    slope, other_slope, step, _, pixel = spread
    end = float(here.right if is_across else here.down)
    begin = 1.0 - (there.left if is_across else there.up)
    ramp = (step + other_slope * (begin - 1.0) - slope * end) / unknown
    to_slope = pixel * (lens.fx if is_across else lens.fy)
    before = 1.0 - _turned(here, (ramp - slope) * to_slope, lens, is_across, place)
    after = 1.0 - _turned(there, (ramp - other_slope) * to_slope, lens, is_across, place)
    if max(before, after) > 1.0 - wanted.crease_cosine + SAME_ANGLE:
        return False
    rounding = EVEN + SAME_PLACE / unknown
    goes_on = abs(ramp - slope) <= rounding + UNSEEN_TURN * slope * slope
    if goes_on or abs(ramp - other_slope) <= rounding + UNSEEN_TURN * other_slope * other_slope:
        return True
    limit = FLAT * FLAT * max(before, after)
    return 0.0 <= _bend(row[1], here) <= limit and 0.0 <= _bend(there, row[4]) <= limit


@kernel
def _turned(pixel, change, lens, is_across, place):  # type: ignore[no-untyped-def]
    """Cosine of the angle between the plane that a pixel shows and the one through it whose slope is so much larger."""
    x, y = place
    more_x = change if is_across else 0.0
    more_y = 0.0 if is_across else change
    along = 1.0
    if not lens.is_orthographic:
        along = pixel.nearness - (pixel.slope_x + more_x) * x - (pixel.slope_y + more_y) * y
    a, b, c = _unit(pixel.slope_x + more_x, pixel.slope_y + more_y, along)
    return pixel.normal_x * a + pixel.normal_y * b + pixel.normal_z * c


@kernel
def _turns_away(here, there, spread, cosine):  # type: ignore[no-untyped-def]
    """Whether one of two pixels shows a surface that is about to turn away and the other one what is behind it.

    Just before its silhouette a surface is so steep that a step to another one could as well be its own slope.  But
    then the two meet as in a valley, and at a large angle, while a surface that turns away curves towards the camera.
    """
    slope, other_slope, _, _, _ = spread
    if cosine > FOLDED or other_slope <= slope:
        return False
    return min(here.facing, there.facing) < GRAZED


@kernel
def _part(row, lens, wanted, is_across, place):  # type: ignore[no-untyped-def]
    """What parts the third and the fourth of six pixels that lie in a row (``is_across``) or in a column."""
    here = row[2]
    there = row[3]
    is_one = here.instance == there.instance
    if is_one and (here.instance < 0 or here.triangle == there.triangle):
        return NONE
    if here.instance < 0 or there.instance < 0:
        return STEP if wanted.backdrop else NONE
    spread = _spread(here, there, lens, is_across)
    slope, other_slope, step, turn, _ = spread
    if not is_one:
        is_step, _ = _gap(here, there, is_across, spread)
        if is_step or _turns_away(here, there, spread, _cosine(here, there)):
            return STEP if wanted.objects else NONE
        return FLUSH if wanted.intersections else NONE
    is_material = wanted.materials and here.material != there.material
    same_way = here.clockwise == there.clockwise
    if same_way and turn < wanted.even and abs(step - slope) < EVEN and abs(step - other_slope) < EVEN:
        return FLUSH if is_material else NONE
    cosine = _cosine(here, there)
    is_fold, unknown = _gap(here, there, is_across, spread)
    if not is_fold and unknown > TOUCHING:
        # faces that meet, or that lie in each other, are no fold whichever way round files have them
        is_fold = not same_way and cosine < FOLDED
        if not is_fold and unknown > EVEN:
            is_fold = _turns_away(here, there, spread, cosine)
    is_faint = is_fold and same_way and unknown > TOUCHING and here.island == there.island
    if is_faint:
        is_faint = _is_ramp(row, lens, wanted, is_across, spread, unknown, place)
    if is_fold and not is_faint:
        return STEP if wanted.folds or is_material else NONE
    is_stuck = wanted.intersections and here.island != there.island and cosine < STUCK
    if is_material or is_stuck:
        return FLUSH
    found = _crease(row, lens, wanted, is_across, cosine, unknown) if wanted.creases else NONE
    # other pixels of this line may see that there is no step: it is decided for all of it
    return FAINT if is_faint and found == NONE and wanted.folds else found


@kernel
def find_borders(pixels, lens, wanted, top, marks, right, below):  # type: ignore[no-untyped-def]
    """Find what parts the pixels of a strip from their right and lower neighbours (see :func:`find_planes`).

    Steps are marked in ``marks``, on the farther pixel.  ``right`` and ``below`` are filled with what else there is.
    All three are of the whole picture, ``(H, W)`` uint8.
    """
    height, width = marks.shape
    for row in range(top, min(height, top + pixels.shape[0] - 2 * MARGIN)):
        for column in range(width):
            for downwards in range(2):
                other_row, other_column = row + downwards, column + 1 - downwards
                if other_row == height or other_column == width:
                    continue
                y, x = row - top + MARGIN, column + MARGIN
                dy, dx = downwards, 1 - downwards
                six = (
                    pixels[y - 2 * dy, x - 2 * dx],
                    pixels[y - dy, x - dx],
                    pixels[y, x],
                    pixels[y + dy, x + dx],
                    pixels[y + 2 * dy, x + 2 * dx],
                    pixels[y + 3 * dy, x + 3 * dx],
                )
                place = ((column - lens.cx) / lens.fx, (row - lens.cy) / lens.fy)
                found = _part(six, lens, wanted, downwards == 0, place)
                if found == STEP:
                    if _is_behind(six[2], six[3]):
                        marks[row, column] = STEP
                    else:
                        marks[other_row, other_column] = STEP
                    continue
                if found == FAINT and _is_behind(six[2], six[3]):
                    found = FAINT_BEFORE
                if downwards == 1:
                    below[row, column] = found
                else:
                    right[row, column] = found


@kernel
def mark(right, below, marks):  # type: ignore[no-untyped-def]
    """Mark what is no sure step, between pixels of which neither is line yet.

    What has no step lies on the right or lower pixel; at last come faint steps, on the farther one.  Which pixels these
    are does not depend on any but the nearest ones.
    """
    _mark(right, 0, 1, False, marks)
    _mark(below, 1, 0, False, marks)
    _mark(right, 0, 1, True, marks)
    _mark(below, 1, 0, True, marks)


@kernel
def _mark(found, down, across, faint, marks):  # type: ignore[no-untyped-def]
    """Mark what parts pixels from those ``(down, across)`` of them, if neither is line: faint steps, or all else."""
    height, width = marks.shape
    for row in range(height - down):
        for column in range(width - across):
            kind = found[row, column]
            if kind == NONE or (kind >= FAINT) != faint:
                continue
            there = (row + down, column + across)
            if marks[row, column] != NONE or marks[there] != NONE:
                continue
            if kind == FAINT_BEFORE:
                marks[row, column] = FAINT
            else:
                marks[there] = kind


@kernel
def _is_behind(here, there):  # type: ignore[no-untyped-def]
    """Whether a pixel shows something farther away than its neighbour; the background is behind everything."""
    if here.instance < 0:
        return True
    if there.instance < 0:
        return False
    return here.nearness < there.nearness
