"""Where on an image the points of a surface lie, and images laid out anew so that Workbench finds them there.

Workbench paints an image by the mesh's active UV map and knows none of the nodes that may stand between the two.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from animerun_gen.blender import versions

Matrix = npt.NDArray[np.float64]

MAX_NODES = 64
"""Nodes followed in a row before coordinates are taken for circular."""

BORDERS = {
    "REPEAT": cv2.BORDER_WRAP,
    "EXTEND": cv2.BORDER_REPLICATE,
    "CLIP": cv2.BORDER_CONSTANT,
    "MIRROR": cv2.BORDER_REFLECT,
}
"""What OpenCV calls the extensions of an image node; ``MIRROR`` came with Blender 3.5."""


class UnreadableCoordinatesError(Exception):
    """Texture coordinates that are not those of a UV map, moved, turned and scaled; says why."""


@dataclass(frozen=True)
class TextureCoordinates:
    """How an image lies on a surface.

    Attributes:
        uv_map: Name of the UV map; None: the mesh's active one for rendering.
        matrix: ``((a, b, c), (d, e, f))``: the place ``(u, v)`` of the UV map shows ``(a u + b v + c, d u + e v + f)``
            of the image, both in 0..1 from the lower left.
        extension: What lies beyond the image, as Blender names it: ``REPEAT``, ``EXTEND``, ``CLIP`` or ``MIRROR``.
        smooth: Whether texels are mixed.
    """

    uv_map: str | None
    matrix: tuple[tuple[float, float, float], tuple[float, float, float]]
    extension: str
    smooth: bool

    @property
    def is_plain(self) -> bool:
        """Whether the image lies on the UV map as it is."""
        return self.matrix == ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0))

    @property
    def is_periodic(self) -> bool:
        """Whether what one unit square of the UV map shows comes again in every other."""
        whole = all(value == round(value) for row in self.matrix for value in row[:2])
        return self.extension == "REPEAT" and whole


def texture_coordinates(node: Any, groups: Sequence[Any] = ()) -> TextureCoordinates:
    """Find out how an image node's image lies on the surface.

    Args:
        node: An image texture node.
        groups: The group nodes around it, innermost last.

    Returns:
        Where its image is.

    Raises:
        UnreadableCoordinatesError: It is laid on in a way that no UV map says.
    """
    if node.projection != "FLAT":
        raise UnreadableCoordinatesError(f"its image is projected as a {node.projection.lower()}")
    own = node.texture_mapping
    if any(own.translation) or any(own.rotation) or tuple(own.scale) != (1.0, 1.0, 1.0):
        raise UnreadableCoordinatesError("its image node has a mapping of its own")
    uv_map, matrix = _follow(node.inputs["Vector"], list(groups))
    rows = [tuple(float(value) for value in row) for row in matrix[:2]]
    return TextureCoordinates(
        uv_map=uv_map,
        matrix=((rows[0][0], rows[0][1], rows[0][2]), (rows[1][0], rows[1][1], rows[1][2])),
        extension=node.extension,
        smooth=node.interpolation != "Closest",
    )


def laid_out(
    texels: npt.NDArray[np.float32], coordinates: TextureCoordinates, shape: tuple[int, int]
) -> npt.NDArray[np.float32]:
    """An image as it lies on the unit square of its UV map.

    Args:
        texels: ``(H, W)`` or ``(H, W, C)`` float32, lowest row first.
        coordinates: How it lies there.
        shape: Rows and columns of the result.

    Returns:
        ``shape`` (with the same channels) float32, the image at the centres of the result's texels.
    """
    height, width = texels.shape[:2]
    v, u = (np.arange(shape[0]) + 0.5) / shape[0], (np.arange(shape[1]) + 0.5) / shape[1]
    (a, b, c), (d, e, f) = coordinates.matrix
    x = (a * u[None, :] + b * v[:, None] + c) * width - 0.5
    y = (d * u[None, :] + e * v[:, None] + f) * height - 0.5
    if coordinates.extension == "REPEAT":
        # OpenCV counts texels in few bits
        x, y = x % width, y % height
    limit = 16.0 * max(width, height)
    result: npt.NDArray[np.float32] = cv2.remap(  # type: ignore[assignment]
        texels,
        np.clip(x, -limit, limit).astype(np.float32),
        np.clip(y, -limit, limit).astype(np.float32),
        cv2.INTER_LINEAR if coordinates.smooth else cv2.INTER_NEAREST,
        borderMode=BORDERS[coordinates.extension],
    )
    return result


def is_animated(owner: Any, data_path_start: str) -> bool:
    """Whether F-curves or drivers of a data-block change properties whose paths begin so."""
    animation = getattr(owner, "animation_data", None)
    if animation is None:
        return False
    return any(curve.data_path.startswith(data_path_start) for curve in [*versions.fcurves(owner), *animation.drivers])


def _follow(socket: Any, groups: list[Any]) -> tuple[str | None, Matrix]:
    """The UV map behind an input, and what is done to it on the way, a matrix for ``(u, v, 1)``."""
    matrix = np.eye(3)
    for _ in range(MAX_NODES):
        links = [link for link in socket.links if link.is_valid] if socket.is_linked else []
        if not links:
            if socket.node.type != "TEX_IMAGE":
                raise UnreadableCoordinatesError("its texture coordinates are the same everywhere")
            return None, matrix
        node, output = links[0].from_node, links[0].from_socket
        if node.type == "REROUTE" or node.mute:
            entry = next((entry for entry in node.inputs if entry.is_linked), None)
            if entry is None:
                raise UnreadableCoordinatesError("its texture coordinates come from nowhere")
            socket = entry
        elif node.type == "MAPPING":
            matrix = matrix @ _mapping(node)
            socket = node.inputs["Vector"]
        elif node.type == "GROUP_INPUT" and groups and output.name in groups[-1].inputs:
            socket = groups.pop().inputs[output.name]
        elif node.type == "TEX_COORD" and output.name == "UV" and not node.from_instancer:
            return None, matrix
        elif node.type == "UVMAP" and not node.from_instancer:
            return node.uv_map or None, matrix
        elif node.type == "ATTRIBUTE" and node.attribute_type == "GEOMETRY" and node.attribute_name:
            return node.attribute_name, matrix
        else:
            raise UnreadableCoordinatesError(f"its texture coordinates come from a node '{node.name}'")
    raise UnreadableCoordinatesError("its texture coordinates go round in circles")


def _mapping(node: Any) -> Matrix:
    inputs = [node.inputs[name] for name in ("Location", "Rotation", "Scale") if name in node.inputs]
    if node.vector_type not in {"POINT", "TEXTURE"} or len(inputs) != 3:
        raise UnreadableCoordinatesError(f"its texture coordinates are computed by '{node.name}'")
    if any(entry.is_linked or is_animated(entry.id_data, entry.path_from_id()) for entry in inputs):
        raise UnreadableCoordinatesError(f"its texture coordinates are moved by '{node.name}'")
    location, rotation, scale = (tuple(entry.default_value) for entry in inputs)
    if any(rotation[:2]):
        raise UnreadableCoordinatesError(f"its texture coordinates are turned out of the plane by '{node.name}'")
    cosine, sine = math.cos(rotation[2]), math.sin(rotation[2])
    turn = np.array([[cosine, -sine, 0.0], [sine, cosine, 0.0], [0.0, 0.0, 1.0]])
    move = np.array([[1.0, 0.0, location[0]], [0.0, 1.0, location[1]], [0.0, 0.0, 1.0]])
    stretched: Matrix = move @ turn @ np.diag([scale[0], scale[1], 1.0])
    if node.vector_type == "POINT":
        return stretched
    if scale[0] == 0.0 or scale[1] == 0.0:
        raise UnreadableCoordinatesError(f"its texture coordinates are the same everywhere behind '{node.name}'")
    return np.linalg.inv(stretched)
