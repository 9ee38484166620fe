"""Compiles the kernels before anybody waits for them: ``python -m animerun_gen.compile_ahead [--jobs N]``.

Numba compiles a function when it is first called, for the types that it is called with.  So each kernel is called here
as the program does, on a frame of two triangles; what is compiled is kept where :mod:`animerun_gen.compiled` says.  A
run that finds it there compiles nothing.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from typing import Any

import numpy as np
import numpy.typing as npt

SIZE = 24
"""Width and height of the pictures."""

U8Array = npt.NDArray[np.uint8]


def main() -> int:
    """Compile everything and say so; returns the exit status."""
    parser = argparse.ArgumentParser(description="Compile the kernels of animerun-gen before they are needed.")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, metavar="N", help="processes (default: cores)")
    options = parser.parse_args()
    begun = time.monotonic()
    print("compiling the kernels; this takes a minute after each installation or update", flush=True)
    # each process begins anew: what was compiled in a parent is not written down by its children
    with ProcessPoolExecutor(max(1, min(options.jobs, len(TASKS))), mp_context=get_context("spawn")) as pool:
        for done in as_completed([pool.submit(_run, number) for number in range(len(TASKS))]):
            done.result()
    print(f"compiled in {time.monotonic() - begun:.0f} s")
    return 0


def _run(number: int) -> None:
    TASKS[number]()


def _geometry(with_holes: bool, moved: float = 0.0) -> Any:
    """A square before a camera."""
    from animerun_gen.motion.geometry import EXTEND, Camera, FrameGeometry, Holes, Masks

    projection = np.zeros((4, 4))
    projection[0, 0] = projection[1, 1] = 1.4
    projection[2, 2], projection[2, 3], projection[3, 2] = -1.002, -0.2, -1.0
    place = np.eye(4)
    place[:3, 3] = moved, 0.0, -2.2
    # of two meshes, one of two parts that share no vertex, so that islands are looked for
    square = np.array([[-1, -1, 0], [1, -1, 0], [1, 1, 0], [-1, 1, 0]], np.float32)
    apart = np.concatenate([square, square + np.float32(0.25)])
    corners = np.array([[0, 1, 2], [0, 2, 3]], np.int32)
    holes = Holes(
        uvs=np.full((4, 3, 2), 0.5, np.float32),
        uv_start=np.zeros(1, np.int64),
        slot_masks=np.zeros(1, np.int32),
        masks=Masks(np.zeros(1, np.uint8), np.array([0, 1]), np.array([[1, 1]]), np.array([EXTEND], np.uint8)),
    )
    return FrameGeometry(
        frame=1,
        camera=Camera("camera", np.eye(4), projection, 0.1, 100.0, SIZE, SIZE),
        vertices=apart,
        triangles=np.concatenate([corners, corners + 4]).astype(np.int32),
        triangle_slots=np.zeros(4, np.int32),
        vertex_start=np.array([0, 8]),
        triangle_start=np.array([0, 4]),
        topologies=(b"square",),
        identities=np.arange(1, 9, dtype=np.uint64),
        numberings=(b"",),
        distinct=np.ones(1, bool),
        keys=("square",),
        mesh=np.zeros(1, np.int32),
        matrices=place[None],
        object_ids=np.ones(1, np.uint16),
        ordered=np.ones(1, bool),
        single=np.ones(1, bool),
        modifiers=("",),
        slot_start=np.array([0, 1]),
        slot_materials=np.full(1, 2, np.uint16),
        holes=holes if with_holes else None,
    )


def _motion(with_holes: bool) -> None:
    from animerun_gen.motion import companions, raster
    from animerun_gen.motion.flow import compute_motion
    from animerun_gen.motion.pairs import pair_motion
    from animerun_gen.motion.unknown import continued_flow

    source, target = _geometry(with_holes), _geometry(with_holes, moved=0.1)
    seen = raster.draw(source)
    motion = compute_motion(source, seen, target)
    pair_motion(source, seen, target, occlusion=True, switched=True)
    ids = companions.object_id_map(source, seen)
    # half of it known, so that there is something to continue
    known = np.indices((SIZE, SIZE))[1] < SIZE // 2
    continued_flow(motion.flow, known, ids, companions.BACKGROUND_ID)
    companions.material_id_map(source, seen)
    companions.normal_map(source, seen)


def _plain_motion() -> None:
    _motion(with_holes=False)


def _motion_with_holes() -> None:
    _motion(with_holes=True)


def _contours() -> None:
    from animerun_gen.lines.contours import ContourSettings, draw_contours
    from animerun_gen.lines.surface_edges import SurfaceEdgeFinder
    from animerun_gen.motion import raster
    from animerun_gen.motion.islands import IslandFinder

    geometry = _geometry(with_holes=False)
    edges = SurfaceEdgeFinder().find(geometry)
    draw_contours(geometry, raster.draw(geometry), IslandFinder().find(geometry), ContourSettings(), edges)


def _styled_lines() -> None:
    from animerun_gen.lines.kernels.inking import cover
    from animerun_gen.lines.kernels.matching import match_neighbours

    start = np.array([0, 1], np.int32)
    match_neighbours(start, start[::-1].copy(), 2)
    coverage, nearest = np.zeros((SIZE, SIZE), np.float32), np.full((SIZE, SIZE), -1, np.int32)
    cover(np.zeros((2, 2)), np.ones(2), np.array([[0, 1]], np.int32), coverage, nearest)


def _feature_edges() -> None:
    from animerun_gen.lines.crossings import count_crossings
    from animerun_gen.lines.feature_edges import find_feature_edges

    count_crossings(find_feature_edges(_geometry(with_holes=False), 134.43), SIZE, SIZE)


def _find_strokes(with_holes: bool) -> None:
    from animerun_gen.lines.strokes import StrokeSettings, find_strokes

    find_strokes(_geometry(with_holes), StrokeSettings())


def _hole_outlines() -> None:
    from dataclasses import replace

    from animerun_gen.lines.strokes import StrokeSettings, find_strokes
    from animerun_gen.motion.geometry import REPEAT, Masks

    geometry = _geometry(with_holes=True)
    if geometry.holes is None:
        raise AssertionError("it was asked for with holes")
    # half of the square, between two texels
    uvs = geometry.vertices[geometry.triangles][..., :2].astype(np.float32)
    texels = Masks(np.array([0, 1], np.uint8), np.array([0, 2]), np.array([[1, 2]]), np.array([REPEAT], np.uint8))
    find_strokes(replace(geometry, holes=replace(geometry.holes, uvs=uvs, masks=texels)), StrokeSettings())


def _strokes() -> None:
    _find_strokes(with_holes=False)


def _strokes_with_holes() -> None:
    _find_strokes(with_holes=True)


def _pictures() -> tuple[U8Array, npt.NDArray[np.float32], npt.NDArray[np.bool_]]:
    """A picture, a flow field and a mask."""
    picture = np.random.default_rng(0).integers(0, 256, (SIZE, SIZE, 3), np.uint8)
    flow = np.full((SIZE, SIZE, 2), 0.25, np.float32)
    return picture, flow, np.zeros((SIZE, SIZE), np.bool_)


def _labels() -> None:
    from animerun_gen.labels import line_area, match_regions, occlusion_mask, trapped_ball_segments
    from animerun_gen.labels.kernels.balls import most_room_near

    _, flow, mask = _pictures()
    line_art = np.full((SIZE, SIZE), 255, np.uint8)
    line_art[:, SIZE // 2] = 0
    line_art[SIZE // 2 - 2 : SIZE // 2 + 2] = 255
    segments = trapped_ball_segments(line_art, ball_radius=1)
    # only necks ask for this one, and this picture has none
    most_room_near(segments, np.ones(segments.shape, np.float32), 1, 1, 1, np.int32(1), np.int32(2))
    line_area(line_art)
    occlusion_mask(flow, flow)
    match_regions(segments, segments, flow, mask)


def _figures() -> None:
    from animerun_gen.labels.ways_home import ways_home
    from animerun_gen.quality.figures import pair_figures

    picture, flow, mask = _pictures()
    identity = np.full((SIZE, SIZE, 3), 100, np.uint16)
    pair_figures(
        picture,
        picture,
        flow,
        mask,
        ways=ways_home(flow, flow),
        exact_occlusion=mask,
        source_flat=picture,
        target_flat=picture,
        identities=(identity, identity),
    )


def _figures_of_frames() -> None:
    from animerun_gen.quality.agreement import label_picture_agreement
    from animerun_gen.quality.contents import picture_contents, surface_contents
    from animerun_gen.quality.segments import segment_figures

    picture, _, mask = _pictures()
    ids = np.ones((SIZE, SIZE), np.uint16)
    picture_contents(picture, picture, mask)
    surface_contents(ids, ids, {}, {})
    segment_figures(np.zeros((SIZE, SIZE), np.int32), mask, ids, ids)
    label_picture_agreement(picture, ids, {1: (1, 2, 3)})


def _recolor() -> None:
    from animerun_gen.color.oklab import from_oklab
    from animerun_gen.recolor.repaint import Part, repaint
    from animerun_gen.recolor.survey import survey_frame

    picture, _, _ = _pictures()
    materials = np.indices((SIZE, SIZE))[1].astype(np.uint16) // (SIZE // 2)
    colors = {0: (1, 2, 3), 1: None}
    survey_frame(picture, materials, colors)
    design = {0: (Part("#010203", "#20a0ff"),), 1: (Part("#808080", "#20a0ff"),)}
    repaint(picture, materials, colors, [design])
    from_oklab(np.zeros((1, 3)))


def _statistics() -> None:
    from animerun_gen.statistics import kernels
    from animerun_gen.statistics.counts import DIFFERENCES, LUMINANCE_LEVELS, MOTION_BINS

    picture = np.zeros((SIZE, SIZE, 3), np.uint8)
    kernels.count_levels(picture, np.zeros(LUMINANCE_LEVELS, np.int64), np.zeros(DIFFERENCES, np.int64))
    kernels.count_changed(picture, picture, 1)
    flow, valid = np.zeros((SIZE, SIZE, 2), np.float32), np.ones((SIZE, SIZE), bool)
    kernels.count_motion(flow, valid, 1.0, 1.0, 0.01, np.zeros(MOTION_BINS, np.int64))
    kernels.survey(np.zeros((SIZE, SIZE), np.int32), np.zeros(1, np.int64), np.zeros((1, 2), np.int64))


def _shade() -> None:
    from dataclasses import replace

    from animerun_gen.labels.shaded_regions import divide_by_tones
    from animerun_gen.lines.shade_borders import find_shade_borders
    from animerun_gen.motion import raster
    from animerun_gen.motion.geometry import Normals
    from animerun_gen.shade.colors import ShadeColors, shade_picture
    from animerun_gen.shade.light import Light
    from animerun_gen.shade.tones import ToneSettings, shade_frame, shade_map

    geometry = _geometry(with_holes=False)
    corners = np.zeros((4, 3), np.int32)
    normals = Normals(np.array([[0, 0, 1]], np.float32), np.zeros(1, np.int64), corners, np.zeros(1, np.int64))
    geometry = replace(geometry, normals=normals)
    seen, lamp = raster.draw(geometry), Light(np.array([0.1, 0.0, 9.0]), np.array([0.0, 0.0, -1.0]))
    shade_map(geometry, seen, Light.parallel(np.array([0.1, 0.0, -1.0])), ToneSettings())
    shading = shade_frame(geometry, seen, lamp, ToneSettings(highlight=0.9))
    tones = shading.tones
    find_shade_borders(geometry, seen, lamp, ToneSettings(), shading, np.full((SIZE, SIZE), 255, np.uint8))
    with_holes = replace(geometry, holes=_geometry(with_holes=True).holes)
    find_shade_borders(with_holes, seen, lamp, ToneSettings(), shading, np.full((SIZE, SIZE), 255, np.uint8))
    shade_picture(np.zeros((SIZE, SIZE, 3), np.uint8), tones, ShadeColors())
    divide_by_tones(np.zeros((SIZE, SIZE), np.int32), tones, np.zeros((SIZE, SIZE), np.bool_), 1)


def _splatting() -> None:
    from animerun_gen.benchmark.interpolation.splatting import Layer, splat

    splat([Layer(np.zeros((SIZE, SIZE, 3), np.uint8), np.zeros((SIZE, SIZE, 2), np.float32))])


TASKS: tuple[Callable[[], None], ...] = (
    # those that take longest come first
    _motion_with_holes,
    _strokes_with_holes,
    _strokes,
    _hole_outlines,
    _contours,
    _plain_motion,
    _shade,
    _figures,
    _labels,
    _recolor,
    _feature_edges,
    _styled_lines,
    _figures_of_frames,
    _statistics,
    _splatting,
)


if __name__ == "__main__":
    sys.exit(main())
