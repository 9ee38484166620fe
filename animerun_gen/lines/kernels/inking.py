"""Draws segments of lines with partly covered pixels."""

from __future__ import annotations

import numpy as np

from animerun_gen import compiled

kernel = compiled.kernels(__name__, error_model="numpy", allocates=False)


@kernel
def cover(points, widths, segments, coverage, nearest):  # type: ignore[no-untyped-def]
    """Draw segments; of those that cover a pixel the one that covers most of it counts, of equals the first.

    A pixel is covered as by a line across it that lies at its distance from the segment: wholly where the line is wide
    enough, partly at its borders, never more than the line is wide.

    Args:
        points: ``(P, 2)`` float64, x and y in pixels.
        widths: ``(P,)`` float64, pixels.
        segments: ``(S, 2)`` int32, points at both ends.
        coverage: ``(H, W)`` float32, 0 before.
        nearest: ``(H, W)`` int32, the segment that counts; -1 before.
    """
    height, width = coverage.shape
    for s in range(len(segments)):
        a, b = segments[s, 0], segments[s, 1]
        ax, ay, bx, by = points[a, 0], points[a, 1], points[b, 0], points[b, 1]
        dx, dy = bx - ax, by - ay
        length = dx * dx + dy * dy
        reach = 0.5 * max(widths[a], widths[b]) + 0.5
        first_row, last_row = max(0, int(np.ceil(min(ay, by) - reach))), min(height - 1, int(max(ay, by) + reach))
        first, last = max(0, int(np.ceil(min(ax, bx) - reach))), min(width - 1, int(max(ax, bx) + reach))
        for row in range(first_row, last_row + 1):
            for column in range(first, last + 1):
                along = 0.0
                if length > 0.0:
                    along = min(max(((column - ax) * dx + (row - ay) * dy) / length, 0.0), 1.0)
                x, y = ax + along * dx - column, ay + along * dy - row
                away = np.sqrt(x * x + y * y)
                half = 0.5 * (widths[a] + along * (widths[b] - widths[a]))
                covered = min(away + 0.5, half) - max(away - 0.5, -half)
                if covered > coverage[row, column]:
                    coverage[row, column] = covered
                    nearest[row, column] = s
