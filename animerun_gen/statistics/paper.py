"""What the paper says of its own data and others': Table 1 and Figure 4 of "AnimeRun" (NeurIPS 2022)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class PaperRow:
    """A row of the paper's Table 1; None where the paper has none.

    Attributes:
        name: The dataset, or one of AnimeRun's films.
        segments: Segments a frame; text where the paper gives a limit.
        occluded_segments: Segments a frame that are occluded in the next one.
        pixel_shift: Mean pixel shift a frame.
        segment_shift: Mean shift of matched segments.
        accumulated_shift: Mean pixel shift accumulated over a sequence.
        pixel_shift_moving: Over pixels that move more than 0.01 px.
        accumulated_shift_moving: The same, accumulated.
        is_film: Whether it is one of the films of the row above.
    """

    name: str
    segments: float | str | None = None
    occluded_segments: float | None = None
    pixel_shift: float | None = None
    segment_shift: float | None = None
    accumulated_shift: float | None = None
    pixel_shift_moving: float | None = None
    accumulated_shift_moving: float | None = None
    is_film: bool = False


TABLE_1 = (
    PaperRow("ATD-12K", 302),
    PaperRow("CreativeFlow+", 49, 0.82, 3.84, 16.40, 373.68, 11.34, 1106.01),
    PaperRow("AnT", "< 50"),
    PaperRow("AnimeRun", 237, 9.59, 19.27, 19.09, 1774.43),
    PaperRow("Agent 327", 409, 14.06, 14.55, 16.14, 1478.94, is_film=True),
    PaperRow("Caminandes 3", 152, 8.17, 24.53, 22.39, 2168.02, is_film=True),
    PaperRow("Sprite Fright", 250, 7.45, 10.01, 13.24, 1118.86, is_film=True),
)


@dataclass(frozen=True)
class PaperDistance:
    """How far the paper found a dataset from ATD-12K; None where it does not say."""

    name: str
    luminance_kl: float | None
    difference_sad: float | None


FIGURE_4 = (
    PaperDistance("AnimeRun, with colour augmentation", 0.21, 253.42),
    PaperDistance("Sintel", None, 632.57),
    PaperDistance("CreativeFlow+", 0.40, 1280.04),
)
