"""Arrays of one frame that are those of another are kept once."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from tests.motion.synthetic import camera, cube, frame, perspective, plane, translation

SEEN_BY = camera(perspective(1.5))


def test_frames_share_triangles_that_are_equal() -> None:
    first = frame(1, SEEN_BY, [cube("cube", translation(0, 0, -5)), plane("plane", translation(0, 0, -9))])
    second = frame(2, SEEN_BY, [cube("cube", translation(1, 0, -5)), plane("plane", translation(0, 0, -9))])
    shared = second.sharing(first)
    assert shared.triangles is first.triangles
    assert shared.triangle_slots is first.triangle_slots
    assert shared.matrices is second.matrices
    assert shared.vertices is second.vertices
    assert shared.frame == 2


def test_frames_share_nothing_that_differs() -> None:
    first = frame(1, SEEN_BY, [cube("cube", translation(0, 0, -5))])
    other_shape = frame(2, SEEN_BY, [plane("cube", translation(0, 0, -5))])
    assert other_shape.sharing(first) is other_shape
    # a bent face may be split along its other diagonal while its corners stay
    split = replace(first, triangles=np.roll(first.triangles, 1, axis=0))
    shared = split.sharing(first)
    assert shared.triangles is split.triangles
    assert shared.identities is first.identities
    renumbered = replace(first, identities=first.identities + np.uint64(1), numberings=(b"others",))
    assert renumbered.sharing(first).identities is renumbered.identities
    painted = replace(first, triangle_slots=first.triangle_slots + 1)
    assert painted.sharing(first).triangle_slots is painted.triangle_slots
