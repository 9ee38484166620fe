"""Labels made from pictures and flow: pure functions on arrays, no files (section 3.2 of the paper)."""

from animerun_gen.labels.line_area import line_area
from animerun_gen.labels.matching import match_regions
from animerun_gen.labels.occlusion import occlusion_mask
from animerun_gen.labels.segments import trapped_ball_segments

__all__ = ["line_area", "match_regions", "occlusion_mask", "trapped_ball_segments"]
