"""The layouts that a dataset can be exported to, by name."""

from __future__ import annotations

from collections.abc import Callable

from animerun_gen.export.layout import Layout
from animerun_gen.export.layouts.animeinbet import AnimeInbet
from animerun_gen.export.layouts.cotracker import CoTracker
from animerun_gen.export.layouts.kitti import Kitti
from animerun_gen.export.layouts.linkto import LinkTo
from animerun_gen.export.layouts.paintbucket import PaintBucket
from animerun_gen.export.layouts.pointodyssey import PointOdyssey
from animerun_gen.export.layouts.sintel import Sintel
from animerun_gen.export.layouts.spring import Spring
from animerun_gen.export.layouts.svg import Svg
from animerun_gen.export.layouts.tapvid import TapVid

LAYOUTS: dict[str, Callable[[], Layout]] = {
    "sintel": Sintel,
    "spring": Spring,
    "kitti": Kitti,
    "tapvid": TapVid,
    "cotracker": CoTracker,
    "pointodyssey": PointOdyssey,
    "paintbucket": PaintBucket,
    "linkto": LinkTo,
    "animeinbet": AnimeInbet,
    "svg": Svg,
}
"""Each export makes one of its own, which holds what it found out about the clips."""
