"""Figures that compare pictures see frames as they are without shade and styled lines."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from animerun_gen.config import CutConfig
from animerun_gen.dataset import layout
from animerun_gen.dataset.clip import ClipWriter
from animerun_gen.dataset.colors import ColorTable
from animerun_gen.pipeline.state.figures import read_figures
from animerun_gen.pipeline.tasks.label_files import label_frame, label_pair, plain_frame
from tests.pipeline.datasets import make_cut

SIZE = (48, 64)


def written(
    tmp_path: Path, tones: int, segment_by: str = "lines", *, styled: bool = False
) -> tuple[ClipWriter, CutConfig]:
    """Two frames of a still scene in two halves, over which a shadow moves by eight pixels."""
    changes: dict[str, Any] = {
        "style": {"shade": {"tones": tones, "smallest": 5}},
        "motion": {"extras": ()},
        "labels": {"segment_by": segment_by},
    }
    if styled:
        changes["lines"] = {"engine": "geometry", "style": {"antialias": True}}
    config = make_cut(tmp_path, changes)
    clip = ClipWriter(tmp_path / "out", config.split, config.name)
    flat = np.full((*SIZE, 3), 200, np.uint8)
    contour = np.full(SIZE, 255, np.uint8)
    contour[:, 32] = 0
    still, known = np.zeros((*SIZE, 2), np.float32), np.ones(SIZE, bool)
    for frame, edge, way in zip(config.frame_numbers[:2], (12, 20), ("forward", "backward"), strict=True):
        shadow = np.full(SIZE, 2, np.uint8)
        shadow[:, :edge] = 1
        shown = flat.copy()
        shown[:, :edge] = 90
        shown[contour == 0] = 0
        for name, value in (("flat", flat), ("contour", contour), ("frame", shown), ("shade", shadow)):
            clip.write(name, frame, value)
        clip.write(f"flow_{way}", frame, still)
        clip.write(f"valid_{way}", frame, known)
    clip.write_colors(ColorTable({0: "#c8c8c8"}))
    return clip, config


@pytest.mark.parametrize(("tones", "styled"), [(1, False), (2, False), (1, True)])
def test_a_frame_without_shade_and_style_is_flat_under_lines(tmp_path: Path, tones: int, styled: bool) -> None:
    clip, config = written(tmp_path, tones, styled=styled)
    frame = config.frame_numbers[0]
    expected = clip.read("frame", frame)
    if tones == 2 or styled:
        expected = clip.read("flat", frame)
        expected[:, 32] = 0
    assert (plain_frame(clip, config, frame) == expected).all()


@pytest.mark.parametrize("tones", [1, 2])
def test_a_shadow_that_moves_over_a_still_wall_is_no_warp_error(tmp_path: Path, tones: int) -> None:
    clip, config = written(tmp_path, tones)
    earlier, later = config.frame_numbers[:2]
    label_frame(clip, config, earlier)
    label_frame(clip, config, later)
    label_pair(clip, config, earlier, later)
    figures = read_figures(layout.pair_figures_file(clip.root, clip.cut, earlier))
    assert figures is not None
    # frames that say nothing of shade are judged as they are
    assert (figures["forward"]["warp_error"] == 0.0) == (tones == 2)


def test_segments_end_at_the_shade_where_the_cut_asks_for_it(tmp_path: Path) -> None:
    clip, config = written(tmp_path, 2, "regions")
    earlier, later = config.frame_numbers[:2]
    label_frame(clip, config, earlier)
    label_frame(clip, config, later)
    label_pair(clip, config, earlier, later)
    first, second = clip.read("segment", earlier), clip.read("segment", later)
    for segments, edge in ((first, 12), (second, 20)):
        assert segments.max() == 2
        assert (segments[:, :edge] == 0).all()
        assert (segments[:, edge:31] == 1).all()
        assert (segments[:, 33:] == 2).all()
    # by the surface: the shadow's wall is in shadow still, what was lit is so in part
    assert clip.read("match_forward", earlier)[:2] == [[0], [1, 0]]
