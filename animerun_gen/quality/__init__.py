"""Figures and pictures by which a person, or ``--strict``, judges a pair of frames and its labels."""

from animerun_gen.quality.colors import flow_to_color, labels_to_color
from animerun_gen.quality.figures import pair_figures
from animerun_gen.quality.segments import segment_figures
from animerun_gen.quality.warp import warp_difference, warp_error

__all__ = ["flow_to_color", "labels_to_color", "pair_figures", "segment_figures", "warp_difference", "warp_error"]
