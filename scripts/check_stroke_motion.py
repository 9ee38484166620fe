"""Hold the motion of strokes against the exact motion of the surface that they lie on.

    python scripts/check_stroke_motion.py out/fight

Needs a dataset that was made with ``lines.vector`` and with ``correspondence`` in ``motion.extras``.  Of every point of
a stroke that is seen in a frame and has a partner in the next one, the step from the one to the other is compared with
where the triangle on which it lies takes it; and the flow file is compared, at pixels that show those triangles, with
where the same triangles take the centres of these pixels.  Both are to be below 1e-3 px.
"""

from __future__ import annotations

import argparse
import sys
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from animerun_gen.dataset import ClipFiles, Dataset, Strokes
from animerun_gen.lines.feature_edges import MeshEdges
from animerun_gen.motion.between import barycentric, geometry_of
from animerun_gen.motion.counterparts import NO_INSTANCE, NO_TRIANGLE, Counterparts, find_counterparts
from animerun_gen.motion.geometry import FrameGeometry

BOUND = 1e-3
"""Pixels."""

Floats = npt.NDArray[np.float64]
Whole = npt.NDArray[np.int64]


class Found(NamedTuple):
    """What came of a pair of frames.

    Attributes:
        seen: Points of strokes that are seen.
        both: Of these, the ones that have a partner that is seen in the next frame.
        partners: Of these, the ones that have a partner in the next frame, seen or hidden.
        errors: ``(n,)``, pixels, of the points with a partner.
        unproven: Points with a partner of which no triangle is proven to be in both frames: none if all is well.
        flow_errors: ``(m,)``, pixels, of the flow at pixels that show the same triangles.
    """

    seen: int
    both: int
    partners: int
    errors: Floats
    unproven: int
    flow_errors: Floats


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dataset", type=Path, help="root folder of the dataset")
    parser.add_argument("--cut", action="append", help="look at this cut only")
    options = parser.parse_args()
    clips = [clip for clip in Dataset(options.dataset).clips() if options.cut is None or clip.cut in options.cut]
    print("| cut | frames | points seen | partner | partner seen, too | largest error, px | of flow, px |")
    print("| --- | --- | ---: | ---: | ---: | ---: | ---: |")
    fine = bool(clips)
    for clip in clips:
        for earlier, later in pairwise(clip.frame_numbers):
            found = compare(clip, earlier, later)
            worst, worst_flow = (float(errors.max(initial=0.0)) for errors in (found.errors, found.flow_errors))
            fine &= worst < BOUND and worst_flow < BOUND and found.unproven == 0 and len(found.errors) > 0
            unproven = f" ({found.unproven} unproven)" if found.unproven else ""
            print(
                f"| {clip.cut} | {earlier} to {later} | {found.seen} | {found.partners} | {found.both} | {worst:.1e}"
                f"{unproven} | {worst_flow:.1e} |"
            )
    return 0 if fine else 1


def compare(clip: ClipFiles, earlier: int, later: int) -> Found:
    """Compare strokes and flow of a pair with what its triangles say."""
    here: Strokes = clip.read("strokes", earlier)
    there: Strokes = clip.read("strokes", later)
    surfaces = clip.read("correspondence", earlier)
    source, target = geometry_of(surfaces), geometry_of(clip.read("correspondence", later))
    twins = find_counterparts(source, target)
    first, second = here.matches(there).T
    shown, shown_there = here.shown(), there.shown()
    chosen = shown[first]
    first, second = first[chosen], second[chosen]
    instance = here.instance.astype(np.int64)
    triangle, shares = triangles_with(source, here, instance, first)
    places = where(source, target, twins, instance[first], triangle, shares)
    errors = np.hypot(*(there.position[second] - places).T)
    unproven = np.isnan(errors)
    # pixels that show one of these triangles
    wanted = {*zip(instance[first].tolist(), triangle.tolist(), strict=True)}
    rows, columns = np.nonzero(surfaces.instance >= 0)
    shows = [*zip(surfaces.instance[rows, columns].tolist(), surfaces.triangle[rows, columns].tolist(), strict=True)]
    of_them = np.array([pair in wanted for pair in shows], bool)
    rows, columns = rows[of_them], columns[of_them]
    pixels = where(
        source,
        target,
        twins,
        surfaces.instance[rows, columns].astype(np.int64),
        surfaces.triangle[rows, columns].astype(np.int64),
        barycentric(surfaces)[rows, columns],
    )
    flow, valid = clip.read("flow_forward", earlier)[rows, columns], clip.read("valid_forward", earlier)[rows, columns]
    flow_errors = np.hypot(*(np.stack([columns, rows], axis=1) + flow - pixels)[valid].T)
    both = int(shown_there[second].sum())
    return Found(int(shown.sum()), both, len(first), errors[~unproven], int(unproven.sum()), flow_errors)


def triangles_with(geometry: FrameGeometry, strokes: Strokes, instance: Whole, points: Whole) -> tuple[Whole, Floats]:
    """A triangle of the instance's mesh on which each point lies, and its shares there."""
    triangle, shares = np.full(len(points), -1, np.int64), np.zeros((len(points), 3))
    for one in np.unique(instance[points]).tolist():
        mine = np.flatnonzero(instance[points] == one)
        edges = MeshEdges.of(geometry, int(geometry.mesh[one]))
        # of copies of a vertex at one place, strokes have the one that stands for all
        corners = edges.standing[edges.triangles]
        for place in mine.tolist():
            if strokes.corners is not None and strokes.shares is not None and strokes.corners[points[place], 0] >= 0:
                is_it = (edges.triangles == strokes.corners[points[place]]).all(axis=1)
                triangle[place], shares[place] = np.flatnonzero(is_it)[0], strokes.shares[points[place]]
                continue
            a, b = strokes.vertices[points[place]].tolist()
            along = float(strokes.along[points[place]])
            having = np.flatnonzero((corners == a).any(axis=1) & (corners == b).any(axis=1))
            # the vertex itself before its copies
            exact = (edges.triangles[having] == a).any(axis=1)
            triangle[place] = having[np.argmax(exact)]
            at = corners[triangle[place]]
            shares[place] = np.where(at == a, 1.0 - along, 0.0) + (np.where(at == b, along, 0.0) if a != b else 0.0)
    return triangle, shares


def where(
    source: FrameGeometry,
    target: FrameGeometry,
    twins: Counterparts,
    instance: Whole,
    triangle: Whole,
    shares: Floats,
) -> Floats:
    """``(n, 2)``: where points of triangles are in the other frame, in pixels; NaN where that is unknown."""
    places = np.full((len(instance), 2), np.nan)
    there = np.flatnonzero(twins.instance[instance] != NO_INSTANCE)
    found, corners = twins.triangles_of(source, instance[there], triangle[there])
    there, corners = there[found != NO_TRIANGLE], corners[found != NO_TRIANGLE]
    other = twins.instance[instance[there]]
    start = target.vertex_start[target.mesh[other]][:, None]
    local = np.einsum("nk,nkc->nc", shares[there], target.vertices[start + corners].astype(np.float64))
    matrices = target.instance_pixel_matrices()[other]
    placed = np.einsum("nij,nj->ni", matrices[..., :3], local) + matrices[..., 3]
    places[there] = placed[:, :2] / placed[:, 3:]
    return places


if __name__ == "__main__":
    sys.exit(main())
