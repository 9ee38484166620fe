"""Small pairs of frames whose segments and matches are known."""

from __future__ import annotations

from typing import Any

import numpy as np


def boxes_pair(seed: int, boxes: int = 5, size: tuple[int, int] = (48, 64), gone: int = 1) -> dict[str, Any]:
    """Boxes that move over a background, the last ``gone`` of which are not there any more in the second frame.

    Returns:
        A sample of :class:`animerun_gen.dataset.torch.SegmentPairs`: the background is segment 0; boxes of the second
        frame are numbered the other way round.
    """
    rng = np.random.default_rng(seed)
    height, width = size
    frames = [np.full((height, width, 3), 255, np.uint8) for _ in range(2)]
    labels = [np.zeros((height, width), np.int32) for _ in range(2)]
    places = rng.permutation(12)[:boxes]
    left_over = boxes - gone
    for box in range(boxes):
        row, column = divmod(int(places[box]), 4)
        high, wide = rng.integers(5, 9, 2)
        color = rng.integers(0, 200, 3)
        y, x = row * 16 + 3, column * 16 + 3
        for frame in range(2 if box < left_over else 1):
            dy, dx = rng.integers(-2, 3, 2) if frame else (0, 0)
            window = np.s_[y + dy : y + dy + high, x + dx : x + dx + wide]
            frames[frame][window] = color
            labels[frame][window] = box + 1 if not frame else left_over - box
    matches = [[0], *([left_over - box] for box in range(left_over)), *([-1] for _ in range(gone))]
    return {"images": frames, "segments": labels, "all_matches": matches}
