"""Which pixels look like all their neighbours."""

from __future__ import annotations

from animerun_gen import compiled

kernel = compiled.kernels(__name__)


@kernel
def mark_inner(above, here, below, alike, inner):  # type: ignore[no-untyped-def]
    """Fill ``inner`` (W,) where a pixel of a row is the same as the eight around it, as far as these are in the frame.

    The rows above and below are the row itself at the frame's border.  ``alike`` (W,) is used up.  Neither loop has
    branches, so that processors run many pixels at a time.
    """
    width = len(here)
    for column in range(width - 1):
        alike[column] = (
            (above[column] == above[column + 1])
            & (here[column] == here[column + 1])
            & (below[column] == below[column + 1])
        )
    # beyond the frame there is nothing else
    alike[width - 1] = True
    inner[0] = alike[0] & (above[0] == here[0]) & (below[0] == here[0])
    for column in range(1, width):
        inner[column] = (
            alike[column - 1] & alike[column] & (above[column] == here[column]) & (below[column] == here[column])
        )
