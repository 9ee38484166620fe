"""Matching segments: the figures of the paper's Table 3, and methods that need no training.

Everything here is numpy and OpenCV alone; the learned matcher is :mod:`animerun_gen.benchmark.ant`.
"""

from animerun_gen.benchmark.segments.metrics import AREA_BOUNDS, PairScore, SegmentFigures, score_pair, summarise
from animerun_gen.benchmark.segments.methods import METHODS, FlowVotes, Matcher, SegmentPair
from animerun_gen.benchmark.segments.predictions import prediction_path, read_prediction, write_prediction
from animerun_gen.benchmark.segments.regions import Regions, regions_of

__all__ = [
    "AREA_BOUNDS",
    "METHODS",
    "FlowVotes",
    "Matcher",
    "PairScore",
    "Regions",
    "SegmentFigures",
    "SegmentPair",
    "prediction_path",
    "read_prediction",
    "regions_of",
    "score_pair",
    "summarise",
    "write_prediction",
]
