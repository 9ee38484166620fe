"""What image sequences and movies, such as the mouths and eyes of rigs, show in each frame of the film.

Blender says itself which file a node shows, whatever moves it: keys, strips or drivers of the node's frame offset.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import bpy

from animerun_gen.blender.convert.images import is_moving
from animerun_gen.blender.moments import film_frames, moments
from animerun_gen.blender.node_trees import trees_within

MAX_MOMENTS = 16
"""Frames at most whose images make a mean colour."""

NodeKey = tuple[str, str]
"""A node by its tree, or the material whose tree it is, and its own name."""

Moving = dict[NodeKey, dict[int, int]]
"""Which file of a sequence, or picture of a movie, image nodes show: for each, frame to number."""


def shown_by(node: Any) -> list[int]:
    """What an image node shows of a sequence or movie: a number for each of some frames of the film.

    Of an evaluated node the frame's own alone counts; of an image that does not move there are none.
    """
    if not is_moving(node.image):
        return []
    if node.id_data.is_evaluated:
        return [node.image_user.frame_current]
    numbers = numbers_shown(bpy.context.scene, sampled(film_frames()))
    return list(numbers.get(key_of(node), {}).values()) or [node.image_user.frame_current]


def key_of(node: Any) -> NodeKey:
    """What :func:`numbers_shown` calls an image node of the open file."""
    tree = node.id_data.original
    # the tree of a material has no name of its own
    owner = (
        next((each for each in bpy.data.materials if each.node_tree == tree), tree) if tree.is_embedded_data else tree
    )
    return owner.name_full, node.name


def numbers_shown(
    scene: bpy.types.Scene, frames: Sequence[int], materials: Sequence[bpy.types.Material] | None = None
) -> Moving:
    """Which file of a sequence, or picture of a movie, every image node shows.

    Args:
        scene: The film's scene.
        frames: Frames of the film, ascending.
        materials: Where to look; all materials of the file by default.

    Returns:
        For each node that shows a moving image: frame to number.
    """
    wearing = [
        material
        for material in (bpy.data.materials if materials is None else materials)
        if any(is_moving(node.image) for _, node in image_nodes(material))
    ]
    found: Moving = {}
    if not wearing:
        return found
    with moments(scene, materials=wearing) as there:
        for frame in frames:
            there.go_to(frame)
            for material in wearing:
                for owner, node in image_nodes(there.of(material)):
                    if is_moving(node.image):
                        found.setdefault((owner, node.name), {})[frame] = node.image_user.frame_current
    return found


def sampled(frames: Sequence[int]) -> list[int]:
    """At most :data:`MAX_MOMENTS` of the film's frames, evenly, among them the first."""
    return list(frames[:: -(-len(frames) // MAX_MOMENTS)])


def image_nodes(block: bpy.types.Material) -> Iterator[tuple[str, Any]]:
    """All image nodes of a material, in groups at any depth as well, each with the owner that its key names."""
    if block.node_tree is None:
        return
    for number, tree in enumerate(trees_within(block.node_tree)):
        # the tree of a material has no name of its own
        owner = block.name_full if number == 0 else tree.name_full
        yield from ((owner, node) for node in tree.nodes if node.type == "TEX_IMAGE")
