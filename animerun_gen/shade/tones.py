"""The shade of a frame: which of its pixels lie in shadow, are lit, or shine.

A surface point lies in shadow where its shading normal turns away from the light, and where anything stands between it
and the light, which is tested exactly, at the point's own place (:func:`animerun_gen.motion.raster.hidden_points`): a
camera stands where the light is.  No shadow map is drawn, so nothing depends on its resolution.

A smooth mesh is round where it is shaded and flat where it casts shadows, so that the facets of its terminator would
stand out.  A point that is tested is therefore lifted to the round surface that its normals mean (J. Hanika, "Hacking
the Shadow Terminator", Ray Tracing Gems II, 2021, https://doi.org/10.1007/978-1-4842-7185-8_4), and then moved towards
the light by a little more than a pixel.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from animerun_gen.motion import raster
from animerun_gen.motion.geometry import FrameGeometry
from animerun_gen.motion.kernels.places import find_boxes
from animerun_gen.motion.raster import VisibilityBuffer
from animerun_gen.shade.kernels import cleaning, points
from animerun_gen.shade.light import Light, cameras_of
from animerun_gen.shade.tone import BASE, FORM, SHADOW, UNSHADED

NEVER = 2.0
"""A cosine that no angle has."""


@dataclass(frozen=True)
class ToneSettings:
    """Where tones begin and end.

    Attributes:
        terminator: Cosine of the angle between normal and light below which a surface is in shadow.
        highlight: Cosine of the angle between the normal and the half-way vector of light and eye above which there is
            a highlight (Blinn, "Models of light reflection for computer synthesized pictures", 1977,
            https://doi.org/10.1145/563858.563893); None: there are none.  Flat faces have none either.
        smallest: Regions of fewer pixels are merged with what they border on.
        reach: Pixels by which points are moved towards the light before they are tested.
    """

    terminator: float = 0.1
    highlight: float | None = None
    smallest: int = 30
    reach: float = 1.5


@dataclass(frozen=True)
class Shading:
    """The tones of a frame, and what they were made from.

    Attributes:
        tones: ``(H, W)`` uint8, see :func:`shade_map`.
        raw: ``(H, W)`` uint8, the same before borders were cleaned.
        surface: ``(H, W)`` int32, what pixels that may vote for each other have in common; -1 on the background.
        normals: ``(H, W, 3)`` float32, unit normals in the world, turned towards the eye.
        places: ``(H, W, 3)`` float32, in the world, relative to the eye.
        sizes: ``(H, W)`` float32, the width of a pixel where its surface is.
        pixel: ``(n,)`` int64, the pixels, counted row by row, whose surface turns to the light; ascending.
        tested: ``(n, 3)`` float64, the point that stands for each of these where it is asked what the light reaches.
    """

    tones: npt.NDArray[np.uint8]
    raw: npt.NDArray[np.uint8]
    surface: npt.NDArray[np.int32]
    normals: npt.NDArray[np.float32]
    places: npt.NDArray[np.float32]
    sizes: npt.NDArray[np.float32]
    pixel: npt.NDArray[np.int64]
    tested: npt.NDArray[np.float64]


def shade_map(
    geometry: FrameGeometry,
    seen: VisibilityBuffer,
    light: Light,
    settings: ToneSettings,
    *,
    treatment: npt.NDArray[np.uint8] | None = None,
    casts: npt.NDArray[np.bool_] | None = None,
) -> npt.NDArray[np.uint8]:
    """The tone of each pixel.

    Args:
        geometry: The frame, with its normals.
        seen: What it sees.
        light: The light.
        settings: Where tones begin.
        treatment: ``(H, W)`` uint8, what becomes of the surface of each pixel: :data:`~animerun_gen.shade.tone.FULL`,
            ``FORM`` or ``UNSHADED``; None: all are shaded.
        casts: ``(I,)`` bool, which instances cast shadows; None: all.

    Returns:
        ``(H, W)`` uint8: 0 background, 1 shadow, 2 base, 3 highlight.

    Raises:
        ValueError: The geometry was taken down without normals.
    """
    return shade_frame(geometry, seen, light, settings, treatment=treatment, casts=casts).tones


def shade_frame(
    geometry: FrameGeometry,
    seen: VisibilityBuffer,
    light: Light,
    settings: ToneSettings,
    *,
    treatment: npt.NDArray[np.uint8] | None = None,
    casts: npt.NDArray[np.bool_] | None = None,
) -> Shading:
    """The tone of each pixel, and what it was made from; arguments and errors are those of :func:`shade_map`."""
    if geometry.normals is None:
        raise ValueError("the geometry has no normals to shade it by")
    shape = seen.instance.shape
    if treatment is None:
        treatment = np.zeros(shape, np.uint8)
    tones = np.empty(shape, np.uint8)
    normals, places = np.zeros((*shape, 3), np.float32), np.zeros((*shape, 3), np.float32)
    surfaces = int((seen.instance >= 0).sum())
    pixel, tested = np.empty(surfaces, np.int64), np.empty((surfaces, 3))
    eye = _eye(geometry)
    count = points.light_points(
        (seen.instance, seen.triangle, seen.depth),
        shaded_meshes(geometry),
        eye,
        _lamp(light),
        points.Limits(settings.terminator, NEVER if settings.highlight is None else settings.highlight, settings.reach),
        tones,
        normals,
        places,
        (pixel, tested),
    )
    flat_treatment, flat_tones = treatment.ravel(), tones.ravel()
    flat_tones[(flat_treatment == UNSHADED) & (flat_tones != 0)] = BASE
    wanted = flat_treatment[pixel[:count]] < FORM
    pixel, tested = pixel[:count][wanted], tested[:count][wanted]
    if len(pixel):
        hidden = in_shadow(geometry, light, tested, seen.instance.ravel()[pixel], seen.triangle.ravel()[pixel], casts)
        flat_tones[pixel[hidden]] = SHADOW
    # what is treated otherwise is another surface
    surface = np.where(seen.instance < 0, -1, 3 * seen.instance + treatment).astype(np.int32)
    sizes = (eye.size * seen.depth if eye.is_perspective else np.full(shape, eye.size)).astype(np.float32)
    voted = np.empty_like(tones)
    cleaning.vote(tones, surface, normals, places, sizes, voted)
    cleaning.merge_small(voted, surface, settings.smallest)
    return Shading(voted, tones, surface, normals, places, sizes, pixel, tested)


def in_shadow(
    geometry: FrameGeometry,
    light: Light,
    tested: npt.NDArray[np.float64],
    instance: npt.NDArray[np.int32],
    triangle: npt.NDArray[np.int32],
    casts: npt.NDArray[np.bool_] | None,
) -> npt.NDArray[np.bool_]:
    """Which points the light does not reach.

    Args:
        geometry: The frame.
        light: The light.
        tested: ``(n, 3)`` float64, the points, in the world, at least one.
        instance: ``(n,)`` int32, the instance on which each lies.
        triangle: ``(n,)`` int32, the triangle on which each lies, counted within the mesh: it does not hide its point.
        casts: ``(I,)`` bool, which instances cast shadows; None: all.

    Returns:
        ``(n,)`` bool.
    """
    hidden = np.zeros(len(tested), bool)
    pixels = geometry.camera.width * geometry.camera.height
    among: npt.NDArray[np.intp] | slice
    for camera, among in cameras_of(light, tested, pixels):
        frame = replace(geometry, camera=camera)
        if light.place is None:
            # from before everything, so that all distances are positive
            nearest = raster.nearest_depth(frame)
            if nearest < 0.0 and np.isfinite(nearest):
                world = camera.world.copy()
                world[:3, 3] += light.direction * (1.01 * nearest)
                frame = replace(geometry, camera=replace(camera, world=world))
        if len(among) == len(tested):
            # all of them in their order, which need no copies
            among = slice(None)
        x, y, depth = (np.empty(len(tested[among])) for _ in range(3))
        points.project(tested[among], frame.camera.pixel_matrix(), x, y, depth)
        hidden[among] = raster.hidden_points(
            frame,
            x,
            y,
            depth,
            instance[among],
            triangle[among],
            hiding_instances=casts,
            from_edge=False,
        )
    return hidden


def shaded_meshes(geometry: FrameGeometry) -> points.Shaded:
    """The arrays of a frame that has normals, as the compiled loops of the shade take them."""
    normals = geometry.normals
    if normals is None:
        raise ValueError("the geometry has no normals to shade it by")
    meshes = raster.meshes(geometry)
    turns = np.zeros_like(geometry.matrices)
    # of a matrix that shrinks a mesh to nothing the cofactors are left, which are as good: only directions count
    rows = geometry.matrices[:, :3, :3]
    for axis in range(3):
        turns[:, axis, :3] = np.cross(rows[:, (axis + 1) % 3], rows[:, (axis + 2) % 3])
    turns *= np.where(np.linalg.det(rows) < 0.0, -1.0, 1.0)[:, None, None]
    return points.Shaded(
        meshes._replace(matrices=np.ascontiguousarray(geometry.matrices)),
        meshes.matrices,
        turns,
        normals.vectors,
        normals.vector_start,
        normals.corners,
        normals.corner_start,
        _mesh_sizes(geometry),
    )


def _mesh_sizes(geometry: FrameGeometry) -> npt.NDArray[np.float64]:
    """``(M,)`` diagonals of the boxes around the meshes."""
    boxes = find_boxes(geometry.vertices, geometry.vertex_start)
    sizes: npt.NDArray[np.float64] = np.linalg.norm(np.maximum(boxes[:, 1] - boxes[:, 0], 0.0), axis=1)
    return sizes


def _eye(geometry: FrameGeometry) -> points.Eye:
    camera = geometry.camera
    x, y, z = (float(value) for value in camera.world[:3, 3])
    p, q, r = (float(value) for value in camera.world[:3, 2])
    size = 2.0 / (abs(float(camera.projection[0, 0])) * camera.width)
    return points.Eye((x, y, z), (p, q, r), not camera.is_orthographic, size)


def _lamp(light: Light) -> points.Lamp:
    x, y, z = (0.0, 0.0, 0.0) if light.place is None else (float(value) for value in light.place)
    p, q, r = (float(value) for value in light.direction)
    return points.Lamp(light.place is None, (x, y, z), (p, q, r), light.cosine)
