"""What a pixel of a line is: the numbers in the maps ``LineKind``, and their names."""

from __future__ import annotations

from enum import IntEnum

import numpy as np

from animerun_gen.lines.kernels.marks import (
    BEND,
    CREASE,
    FAINT,
    FAINT_BEFORE,
    FLUSH,
    MARKED_EDGE,
    MATERIAL,
    OPEN_EDGE,
    OPEN_STEP,
    SHALLOW,
    STEP,
)


class LineKind(IntEnum):
    """What a line is the border of.

    Attributes:
        NONE: No line.
        SILHOUETTE: A surface turns away, or ends, before something farther away.
        CREASE: Two faces meet at an angle.
        BORDER: An open edge of a mesh, before something or not.
        INTERSECTION: Two objects, or two parts of a mesh, cut through each other.
        MATERIAL: Two materials of one object meet.
        MARK: An edge that someone marked, or a stroke that the film draws itself (Grease Pencil).
        SHADE: The border of a shadow or of a highlight; no ink.

    Example:
        >>> LineKind.CREASE, LineKind(4).name.lower()
        (<LineKind.CREASE: 2>, 'intersection')
    """

    NONE = 0
    SILHOUETTE = 1
    CREASE = 2
    BORDER = 3
    INTERSECTION = 4
    MATERIAL = 5
    MARK = 6
    SHADE = 7


KIND_OF_MARK = np.zeros(16, np.uint8)
"""The kind of each mark (see :mod:`animerun_gen.lines.kernels.marks`)."""

KIND_OF_MARK[[STEP, FAINT, FAINT_BEFORE]] = LineKind.SILHOUETTE
KIND_OF_MARK[[CREASE, BEND]] = LineKind.CREASE
KIND_OF_MARK[[OPEN_STEP, OPEN_EDGE]] = LineKind.BORDER
KIND_OF_MARK[[FLUSH, SHALLOW]] = LineKind.INTERSECTION
KIND_OF_MARK[MATERIAL] = LineKind.MATERIAL
KIND_OF_MARK[MARKED_EDGE] = LineKind.MARK
