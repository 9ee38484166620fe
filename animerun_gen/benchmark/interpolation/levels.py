"""How difficult a triplet is: as ATD-12K's annotations say, or by what is known of the motion in a generated clip."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, Field, ValidationError

from animerun_gen.benchmark.interpolation.triplets import Triplet
from animerun_gen.conventions import known_flow
from animerun_gen.dataset.files import read_json
from animerun_gen.errors import DatasetError

Level = Literal["easy", "medium", "hard"]
LEVELS: tuple[Level, ...] = ("easy", "medium", "hard")
"""In the order of ATD-12K's numbers 0, 1 and 2."""

WIDTH = 960
"""Pixels: motion is measured in a picture of this width, as the paper's statistics are."""

EASY_MOTION, HARD_MOTION = 8.0, 20.0
"""Pixels a frame: up to where a triplet may be easy, and from where on it is hard."""

EASY_HIDDEN, HARD_HIDDEN = 0.08, 0.20
"""Shares of the middle frame: up to where a triplet may be easy, and from where on it is hard."""


class _Region(BaseModel):
    x: float = Field(ge=0)
    y: float = Field(ge=0)
    width: float = Field(ge=0)
    height: float = Field(ge=0)


class Annotation(BaseModel):
    """What ATD-12K says of a triplet, as far as it is used here.

    Attributes:
        level: 0: easy, 1: medium, 2: hard.
        motion_RoI: The region of interest, in pixels of a picture of ``image_size``.
        image_size: Width and height.
    """

    level: int = Field(ge=0, le=2)
    motion_RoI: _Region
    image_size: tuple[float, float] = Field(min_length=2)

    @classmethod
    def read(cls, path: Path) -> Annotation:
        """Read the file of an annotation.

        Raises:
            DatasetError: It is missing, damaged, or says something else.
        """
        try:
            return cls.model_validate(read_json(path))
        except ValidationError as error:
            where = ".".join(map(str, error.errors()[0]["loc"]))
            raise DatasetError(f"is no annotation of ATD-12K: see {where}", path, "download it again") from error

    def region(self, height: int, width: int) -> tuple[slice, slice]:
        """Rows and columns of the region of interest in a picture, as the published script rounds them.

        Example:
            >>> roi = {"x": 100, "y": 51, "width": 300, "height": 200}
            >>> Annotation(level=1, motion_RoI=roi, image_size=(1920, 1080)).region(540, 960)
            (slice(25, 125, None), slice(50, 200, None))
        """
        box = self.motion_RoI
        across, down = self.image_size[0] / width, self.image_size[1] / height
        left, top = int(box.x // across), int(box.y // down)
        return slice(top, top + int(box.height // down)), slice(left, left + int(box.width // across))


@dataclass(frozen=True)
class Difficulty:
    """How difficult the middle frame of a generated triplet is.

    Attributes:
        motion: Mean length of the motion from it to its two neighbours, where it is known, in pixels of a picture that
            is :data:`WIDTH` wide.
        hidden: ``(H, W)`` bool, True where at least one neighbour does not show it.
    """

    motion: float
    hidden: npt.NDArray[np.bool_]

    @property
    def level(self) -> Level:
        """Easy: little motion and little that is hidden; hard: much of either."""
        return level_of(self.motion, float(self.hidden.mean()))


def level_of(motion: float, hidden: float) -> Level:
    """The level of difficulty.

    Args:
        motion: Mean motion a frame, in pixels of a picture :data:`WIDTH` wide.
        hidden: Share of the middle frame that at least one neighbour does not show.

    Example:
        >>> level_of(3.0, 0.01), level_of(3.0, 0.1), level_of(12.0, 0.01), level_of(30.0, 0.01), level_of(3.0, 0.3)
        ('easy', 'medium', 'medium', 'hard', 'hard')
    """
    if motion >= HARD_MOTION or hidden >= HARD_HIDDEN:
        return "hard"
    return "easy" if motion < EASY_MOTION and hidden < EASY_HIDDEN else "medium"


def difficulty_of(triplet: Triplet) -> Difficulty | None:
    """How difficult a triplet of a clip is; None where its labels do not say.

    The flow is the exact one, occlusion that of the paper's rule, which the published data have as well.

    Raises:
        DatasetError: A file is damaged.
    """
    if triplet.labels is None:
        return None
    middle = triplet.numbers[1]
    needed = [f"{name}_{way}" for name in ("flow", "occlusion") for way in ("forward", "backward")]
    if any(triplet.labels.file(name, middle) is None for name in needed):
        return None
    clip, lengths = triplet.labels.clip, []
    for way in ("forward", "backward"):
        flow = clip.read_motion(way, middle)
        known = known_flow(flow)
        lengths.append(float(np.hypot(*flow[known].astype(np.float64).T).mean()) if known.any() else 0.0)
    hidden: npt.NDArray[np.bool_] = clip.read(needed[2], middle) | clip.read(needed[3], middle)
    return Difficulty(sum(lengths) / 2 * WIDTH / hidden.shape[1], hidden)
