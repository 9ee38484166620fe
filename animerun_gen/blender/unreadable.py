"""What Blender draws although it has no triangles, so that its geometry cannot be taken down."""

from __future__ import annotations

from typing import Any

import bpy

from animerun_gen.errors import UnreadableGeometryError

UNREADABLE_DATA = {
    "Curves": "hair curves",
    "GreasePencil": "grease pencil strokes",
    "GreasePencilv3": "grease pencil strokes",
    "PointCloud": "a point cloud",
    "Volume": "a volume",
}
"""Types of evaluated data that Workbench draws although they have no triangles."""


def draws_nothing(data: bpy.types.ID) -> bool:
    """Whether data without triangles is empty: no points, no strokes, no grid."""
    if isinstance(data, bpy.types.Volume):
        if data.is_sequence:
            return False
        if data.filepath:
            # of what is missing or damaged it finds no grid
            data.grids.load()
        return len(data.grids) == 0
    if hasattr(data, "layers"):
        return all(_has_no_strokes(frame) for layer in data.layers for frame in layer.frames)
    return len(data.points) == 0 if hasattr(data, "points") else False


def _has_no_strokes(frame: Any) -> bool:
    # grease pencil was made anew in 4.3
    drawing = getattr(frame, "drawing", frame)
    return drawing is None or len(drawing.strokes) == 0


class UnreadableDrawn:
    """Collects what a frame draws that has no triangles; geometry nodes can make it within any object."""

    def __init__(self) -> None:
        self._drawn: dict[str, str] = {}

    def note(self, instance: bpy.types.DepsgraphObjectInstance) -> None:
        """Look at an instance whose data is no mesh."""
        drawn = instance.object
        kind = type(drawn.data).__name__
        if kind in UNREADABLE_DATA and not draws_nothing(drawn.data):
            self._drawn[drawn.original.name] = UNREADABLE_DATA[kind]

    def refuse(self, frame: int) -> None:
        """Stop if there was any.

        Raises:
            UnreadableGeometryError: There was; it names all of them.
        """
        if self._drawn:
            raise UnreadableGeometryError(frame, self._drawn)
