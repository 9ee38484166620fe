"""Paints colours that vary with attributes, objects and images, pixel by pixel, into flat pictures.

Workbench knows one layer of colours a mesh, one image a material, and no nodes.  So it paints these materials in their
mean colour; where a pixel has that colour and the visibility buffer sees the material, the material's nodes are
computed for the surface point that is seen there, as a renderer does: attributes are mixed from those of the triangle's
corners, in perspective, and everything else is arithmetic.  Nothing is added to any mesh for that, and modifiers and
nodes hand attributes on by themselves.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import bpy
import numpy as np
import numpy.typing as npt

from animerun_gen.blender import versions
from animerun_gen.blender.convert.colors import MaterialColors, PaintedByAttributes
from animerun_gen.blender.convert.surfaces import MADE, ObjectFacts, Surface, SurfacePoints, read_attributes
from animerun_gen.color.hexadecimal import rgb
from animerun_gen.color.srgb import linear_to_hex, linear_to_srgb
from animerun_gen.motion.geometry import FrameGeometry
from animerun_gen.motion.raster import VisibilityBuffer


class SurfaceReader:
    """Takes down what shaders may ask the surfaces of a frame, one entry for each instance of its geometry.

    Args:
        colors: The colours of the cut's materials.
        frame: The frame.
    """

    def __init__(self, colors: MaterialColors, frame: int) -> None:
        self._colors = colors
        self._object_colors = colors.object_colors_at(frame)
        self._meshes: dict[tuple[int, frozenset[str]], tuple[dict[str, npt.NDArray[np.float32]], frozenset[str]]] = {}
        self.surfaces: list[Surface | None] = []

    def add(
        self, instance: bpy.types.DepsgraphObjectInstance, drawn: bpy.types.Object, worn: list[Any], mesh: int
    ) -> None:
        """Take the next instance down.

        Args:
            instance: The instance.
            drawn: What it draws, evaluated.
            worn: The materials of its slots.
            mesh: Number of its mesh, which several instances may share.
        """
        painted = [
            self._colors.by_attributes[material.original.name_full]
            for material in worn
            if material is not None and material.original.name_full in self._colors.by_attributes
        ]
        data = drawn.original.data
        if not painted or (data is not None and data.get(MADE)):
            self.surfaces.append(None)
            return
        names = frozenset(name for each in painted for name in each.attributes)
        if (mesh, names) not in self._meshes:
            active = self._colors.active_layers.get(_original_mesh(drawn))
            self._meshes[mesh, names] = read_attributes(drawn.data, names, active)
        properties = {name for each in painted for name in each.properties}
        facts = ObjectFacts.of(drawn, instance.random_id if instance.is_instance else None, properties)
        # what a collection is instanced by gives all of it its colour (Cycles, 4.5.15)
        instancer = instance.parent if instance.is_instance else None
        colored = instancer if instancer is not None and instancer.instance_type == "COLLECTION" else drawn
        color = self._object_colors.get(colored.original.name_full, facts.color)
        x, y, z = instance.matrix_world.translation
        own = self._object_colors.get(drawn.original.name_full)
        known = {**facts.properties, "color": own} if own is not None and "color" in properties else facts.properties
        facts = replace(facts, color=color, location=(x, y, z), properties=known)
        self.surfaces.append(Surface(facts, versions.triangle_slots(drawn.data), *self._meshes[mesh, names]))


def _original_mesh(drawn: bpy.types.Object) -> str:
    data = drawn.original.data
    return data.name_full if data is not None else ""


def paint_attributes(
    flat: npt.NDArray[np.uint8],
    geometry: FrameGeometry,
    seen: VisibilityBuffer,
    ids: npt.NDArray[np.uint16],
    surfaces: list[Surface | None],
    painted: Mapping[int, PaintedByAttributes],
) -> npt.NDArray[np.uint8]:
    """A flat picture with the colours that vary.

    Args:
        flat: ``(H, W, 3)`` uint8, as Workbench painted it.
        geometry: The frame's geometry.
        seen: What each pixel sees.
        ids: ``(H, W)`` uint16, the material that each pixel sees.
        surfaces: Those of the geometry's instances.
        painted: The materials whose colours vary, by id.

    Returns:
        ``(H, W, 3)`` uint8.
    """
    result = flat.copy()
    # the background is instance -1, the last entry
    known = np.array([*(surface is not None for surface in surfaces), False])
    for number, material in painted.items():
        mean = np.array(rgb(linear_to_hex(material.material.diffuse_color[:3])), np.int16)
        here = (ids == number) & (np.abs(flat.astype(np.int16) - mean).max(axis=-1) <= 1)
        # what a conversion made has no attributes, and keeps the mean
        here &= known[seen.instance]
        rows, columns = np.nonzero(here)
        if len(rows) == 0:
            continue
        instances, triangles = seen.instance[rows, columns], seen.triangle[rows, columns]
        used, surface = np.unique(instances, return_inverse=True)
        weights = _weights(geometry, instances, triangles, columns, rows)
        steps = None
        if material.images is not None:
            beside = (
                _weights(geometry, instances, triangles, columns + right, rows + down, beyond=True)
                for right, down in ((0, 0), (1, 0), (0, 1))
            )
            own, next_column, next_row = beside
            steps = (next_column - own).astype(np.float32), (next_row - own).astype(np.float32)
        points = SurfacePoints(
            [each for each in map(surfaces.__getitem__, used) if each is not None],
            surface,
            triangles.astype(np.intp),
            weights.astype(np.float32),
            material.index,
            steps,
        )
        colors = np.broadcast_to(material.at(points), (len(rows), 1, 3))[:, 0]
        result[rows, columns] = np.rint(255.0 * linear_to_srgb(colors.astype(np.float64))).astype(np.uint8)
    return result


def _weights(
    geometry: FrameGeometry,
    instances: npt.NDArray[np.int32],
    triangles: npt.NDArray[np.int32],
    x: npt.NDArray[np.intp],
    y: npt.NDArray[np.intp],
    *,
    beyond: bool = False,
) -> npt.NDArray[np.float64]:
    """How much each corner of its triangle counts at each pixel, ``(N, 3)``, in perspective.

    Pixels outside the triangle count as its border, or as its plane where what lies ``beyond`` it is asked for.
    """
    mesh = geometry.mesh[instances]
    corners = geometry.triangles[geometry.triangle_start[mesh] + triangles] + geometry.vertex_start[mesh][:, None]
    places = np.concatenate([geometry.vertices[corners].astype(np.float64), np.ones((*corners.shape, 1))], axis=-1)
    matrices = geometry.instance_pixel_matrices()[:, [0, 1, 3]][instances]
    homogeneous = places @ matrices.transpose(0, 2, 1)
    # the pixel as a mixture of the corners: Cramer's rule, which no degenerate triangle stops
    pixel = np.stack([x, y, np.ones_like(x)], axis=1).astype(np.float64)
    first, second, third = homogeneous[:, 0], homogeneous[:, 1], homogeneous[:, 2]
    weights = np.stack(
        [
            (pixel * np.cross(second, third)).sum(axis=1),
            (pixel * np.cross(third, first)).sum(axis=1),
            (pixel * np.cross(first, second)).sum(axis=1),
        ],
        axis=1,
    )
    total = weights.sum(axis=1, keepdims=True)
    shares = np.divide(weights, total, out=np.full_like(weights, 1.0 / 3.0), where=total != 0.0)
    if beyond:
        return shares
    shares = np.clip(shares, 0.0, 1.0)
    found: npt.NDArray[np.float64] = shares / shares.sum(axis=1, keepdims=True)
    return found
