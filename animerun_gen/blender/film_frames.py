"""Where the frames of a job come from: from the film as it is, frame by frame."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from animerun_gen.blender.frame_reading import FrameReader, ReadFrame, TakenFrame
from animerun_gen.blender.identity_pictures import PlacePainter
from animerun_gen.blender.job_context import JobContext
from animerun_gen.blender.material_pictures import render_material_ids
from animerun_gen.blender.rendering import FrameRenderer
from animerun_gen.blender.stepping import FrameStepper

U8Array = np.ndarray[Any, Any]


class FrameSource(Protocol):
    """Shows the frames of a clip, one after the other.

    Attributes:
        needs_geometry: Whether pictures cannot be had without the geometry of their frame.
    """

    needs_geometry: bool

    def begin(self, frames: Sequence[int]) -> None:
        """Make ready for these frames of the clip, ascending; it may be done again."""

    def visit(self, frame: int, *, draws: bool, reads: bool) -> ReadFrame | None:
        """Go on to a frame.

        Args:
            frame: The next of those that were announced.
            draws: Whether pictures of it will be asked for.
            reads: Whether its geometry is wanted.
        """

    def flat(self, frame: int, taken: TakenFrame | None) -> U8Array:
        """The flat picture of the frame that is visited, ``(H, W, 3)`` uint8, by what was taken down of it."""

    def material_ids(self, frame: int, taken: TakenFrame | None) -> npt.NDArray[np.uint16]:
        """The material ids of the frame that is visited, as Workbench sees them, ``(H, W)``."""

    def identity_picture(self, frame: int, taken: TakenFrame | None) -> npt.NDArray[np.uint16]:
        """The identity picture of the frame that is visited, ``(H, W, 3)``."""


class FilmFrames:
    """The film's own frames.

    Args:
        context: The job.
        stepper: Brings the scene to a frame.
        renderer: Draws it.
        reader: Reads it.
        places: Draws identity pictures, where the job asks for them.
    """

    needs_geometry = False

    def __init__(
        self,
        context: JobContext,
        stepper: FrameStepper,
        renderer: FrameRenderer,
        reader: FrameReader,
        places: PlacePainter | None,
    ) -> None:
        self.context = context
        self._stepper = stepper
        self._renderer = renderer
        self._reader = reader
        self._places = places
        self._flat: U8Array | None = None

    def begin(self, frames: Sequence[int]) -> None:
        """Give simulations their history, which does not begin with the job's first frame."""
        if self._stepper.simulated:
            self.context.reporter.begins(frames[0], "simulation")
        self._stepper.play_up_to(self.context.film_frame(frames[0]))

    def visit(self, frame: int, *, draws: bool, reads: bool) -> ReadFrame | None:
        """Bring the scene to the frame, which the film may number otherwise."""
        with self.context.stage(frame, "frame_set"):
            self._stepper.go_to(self.context.film_frame(frame))
        self._flat = None
        if draws:
            self._flat, read = self._reader.render_flat(frame, reads)
            return read
        return self._reader.take_down(frame) if reads else None

    def flat(self, frame: int, taken: TakenFrame | None) -> U8Array:
        if self._flat is None:
            raise AssertionError(f"no picture of frame {frame} was announced")
        return self._flat

    def material_ids(self, frame: int, taken: TakenFrame | None) -> npt.NDArray[np.uint16]:
        return render_material_ids(self._renderer, self.context.names.materials)

    def identity_picture(self, frame: int, taken: TakenFrame | None) -> npt.NDArray[np.uint16]:
        if self._places is None:
            raise AssertionError("the job asks for no identity pictures")
        return self._places.render(self._renderer)
