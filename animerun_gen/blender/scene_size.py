"""Counts what is in the evaluated scene of a frame, before any of it is copied or drawn."""

from __future__ import annotations

import math

import bpy
import numpy as np

from animerun_gen.blender import versions
from animerun_gen.blender.clipped import NO_MASK, ClippedMaterials
from animerun_gen.blender.convert.colors import shown_image
from animerun_gen.blender.geometry import worn_materials
from animerun_gen.engines.memory_cost import SceneSize, image_need


def scene_size(depsgraph: bpy.types.Depsgraph, clipped: ClippedMaterials) -> SceneSize:
    """Count the vertices and triangles of a frame.

    Nothing is allocated for it but what one mesh that has holes takes.

    Args:
        depsgraph: The graph that is rendered from, evaluated.
        clipped: The cut's materials with holes.
    """
    counts: dict[int, tuple[int, int]] = {}
    with_holes: dict[tuple[int, tuple[int, ...]], int] = {}
    drawn_triangles = without_lines = 0
    paints_images = depsgraph.scene.display.shading.color_type == "TEXTURE"
    images: dict[str, int] = {}
    for instance in depsgraph.object_instances:
        drawn = instance.object
        if not instance.show_self or not isinstance(drawn.data, bpy.types.Mesh):
            continue
        mesh = drawn.data
        address = mesh.as_pointer()
        if address not in counts:
            # a face of n corners has n - 2 triangles
            counts[address] = len(mesh.vertices), len(mesh.loops) - 2 * len(mesh.polygons)
        drawn_triangles += counts[address][1]
        if not clipped and not paints_images:
            continue
        materials = [material.original if material is not None else None for material in worn_materials(drawn)]
        if paints_images:
            painted = (shown_image(material) for material in materials if material is not None)
            images.update({image.name_full: _need_of(image) for image in painted if image is not None})
        slots = tuple(slot for slot, material in enumerate(materials) if clipped.mask_of(material) != NO_MASK)
        if slots:
            key = address, slots
            if key not in with_holes:
                with_holes[key] = _triangles_of_slots(mesh, slots)
            without_lines += with_holes[key]
    return SceneSize(
        vertices=sum(vertices for vertices, _ in counts.values()),
        triangles=sum(triangles for _, triangles in counts.values()),
        line_triangles=drawn_triangles - without_lines,
        images=sum(images.values()),
    )


def _need_of(image: bpy.types.Image) -> int:
    # to ask for its size would load it; what is not loaded is not known either
    return image_need(math.prod(image.size), loaded=image.has_data, floats=image.is_float)


def _triangles_of_slots(mesh: bpy.types.Mesh, slots: tuple[int, ...]) -> int:
    """How many triangles of a mesh have one of some material slots."""
    mesh.calc_loop_triangles()
    return int(np.isin(versions.triangle_slots(mesh), slots).sum())
