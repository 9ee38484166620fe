"""What everybody has who does a part of a render job."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from animerun_gen.blender.convert import Conversion
from animerun_gen.blender.geometry import SceneNames
from animerun_gen.blender.layer_groups import LayerGroups
from animerun_gen.blender.opening import OpenedScene
from animerun_gen.blender.timesheet import Timesheet
from animerun_gen.config import CutConfig
from animerun_gen.dataset.clip import ClipWriter
from animerun_gen.engines.job import RenderJob, Reporter


@dataclass(frozen=True)
class JobContext:
    """A job under way.

    Attributes:
        job: What is to be made.
        reporter: Is told of every step.
        opened: The converted scene.
        conversion: What converting it did.
        names: The cut's ids.
        writer: Takes the files.
        layers: The cut's layers; None where they are not asked for.
        timesheet: What each layer shows in each frame; None where nothing is held.
    """

    job: RenderJob
    reporter: Reporter
    opened: OpenedScene
    conversion: Conversion
    names: SceneNames
    writer: ClipWriter
    layers: LayerGroups | None = None
    timesheet: Timesheet | None = None

    @property
    def config(self) -> CutConfig:
        """The cut; its frames are numbered as its files are."""
        return self.job.config

    def film_frame(self, frame: int) -> int:
        """The number that a frame of the clip has in the film."""
        return frame - self.config.frames.offset

    @contextmanager
    def stage(self, frame: int, stage: str) -> Iterator[None]:
        """Tell that a stage of a frame begins, and how long it took."""
        self.reporter.begins(frame, stage)
        start = time.perf_counter()
        yield
        self.reporter.took(frame, stage, time.perf_counter() - start)
