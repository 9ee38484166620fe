"""Computes and writes what the geometry says of frames and pairs: annotations, flow, validity, occlusion, tracks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from animerun_gen.blender.frame_reading import TakenFrame
from animerun_gen.blender.job_context import JobContext
from animerun_gen.blender.timesheet import Timesheet
from animerun_gen.blender.vector_pass import abilities
from animerun_gen.conventions import UNKNOWN_FLOW
from animerun_gen.dataset.cameras import Exposed, write_record, write_reprojection
from animerun_gen.dataset.files import write_image, write_json
from animerun_gen.dataset.layout import switched_picture, unknown_file
from animerun_gen.dataset.modalities import at_gap, modality
from animerun_gen.dataset.tracks import Tracks
from animerun_gen.errors import UnsupportedMotionError
from animerun_gen.motion import companions, raster, vector_pass
from animerun_gen.motion.between import surfaces_of
from animerun_gen.motion.cross_check import compare_flows
from animerun_gen.motion.flow import Motion
from animerun_gen.motion.pairs import PairMotion, pair_motion
from animerun_gen.motion.reprojection import reprojection
from animerun_gen.motion.unknown import cause_map, continued_flow, describe_unknown
from animerun_gen.quality.unknown import causes_in_words
from animerun_gen.threads import in_parallel


class MotionMaker:
    """Makes what the geometry of a job's frames says.

    Args:
        context: The job.
    """

    def __init__(self, context: JobContext) -> None:
        self.context = context

    def write_companions(self, frame: int, taken: TakenFrame) -> None:
        extras = self.context.config.motion.extras
        makers: dict[str, Callable[[], Any]] = {}
        if "depth" in extras:
            makers["depth"] = lambda: companions.depth_map(taken.seen)
        if "normals" in extras:
            makers["normal"] = lambda: companions.normal_map(taken.geometry, taken.seen)
        if "ids" in extras:
            makers["object_id"] = lambda: companions.object_id_map(taken.geometry, taken.seen)
            makers["material_id"] = lambda: companions.material_id_map(taken.geometry, taken.seen)
        if "correspondence" in extras:
            background = self.context.config.motion.background
            makers["correspondence"] = lambda: surfaces_of(
                taken.geometry, taken.seen.instance, taken.seen.triangle, background
            )
        with self.context.stage(frame, "companions"):
            self._write_record(frame, taken)
            in_parallel(lambda name: self.context.writer.write(name, frame, makers[name]()), makers)

    def write_pair(self, earlier: TakenFrame, later: TakenFrame) -> bool:
        """Write the motion between two frames, both ways.

        Returns:
            Whether it was written: a pair of which nothing is known is not.
        """
        gap = self.context.job.gap((earlier.geometry.frame, later.geometry.frame))
        directions = (("forward", earlier, later), ("backward", later, earlier))
        with self.context.stage(earlier.geometry.frame, "motion"):
            computed = in_parallel(lambda direction: self._compute_motion(*direction[1:], gap), directions)
        found, refusals = [], []
        for (direction, source, target), motion in zip(directions, computed, strict=True):
            if gap == 1:
                self._write_switched(source, target, motion.switched)
                self._write_reprojection(source, target, motion)
                refusals.append(self._note_unknown(source, target, motion))
            flow = self._other_backend(direction, source, target, motion) if gap == 1 else motion.flow
            if self.context.config.fills_unknown:
                ids = companions.object_id_map(source.geometry, source.seen)
                flow = continued_flow(flow, motion.valid, ids, companions.BACKGROUND_ID)
            made = {f"flow_{direction}": flow, f"valid_{direction}": motion.valid}
            if motion.depth_change is not None:
                made[f"depth_change_{direction}"] = motion.depth_change
            if motion.occluded is not None:
                made[f"exact_occlusion_{direction}"] = motion.occluded
            found.append((source.geometry.frame, made))
        if refused := [reason for reason in refusals if reason is not None]:
            # published readers take every file for motion
            self.context.reporter.refused(refused[0])
            return False
        # a pair of which one direction is refused leaves nothing behind
        for frame, made in found:
            with self.context.stage(frame, "write motion"):
                for name, value in made.items():
                    self.context.writer.write(at_gap(modality(name), gap).name, frame, value)
        return True

    def write_tracks(self, frame: int, made: Tracks) -> None:
        with self.context.stage(frame, "write tracks"):
            self.context.writer.write_tracks(made)
        if len(made.query_frame) < made.requested:
            self.context.reporter.noticed(
                f"only {len(made.query_frame)} of the {made.requested} points that motion.tracks asks for can be "
                "followed: the frames in which they are chosen show no more pixels of surfaces"
            )

    def _write_record(self, frame: int, taken: TakenFrame) -> None:
        """Write the record of a frame from which the clip's file of cameras is collected."""
        cameras = taken.cameras
        record: dict[str, Any] = {
            "resolution": self.context.config.resolution,
            "moved_by": self.context.opened.moved_by,
            "camera": cameras.filming.as_dict(),
            "film_camera": None if cameras.film is None else cameras.film.as_dict(),
        }
        if self.context.timesheet is not None:
            record["exposed"] = self._exposed(self.context.timesheet, frame, taken)
        write_record(self.context.job.output, self.context.config.name, frame, record)

    def _exposed(self, timesheet: Timesheet, frame: int, taken: TakenFrame) -> dict[str, Exposed]:
        """Which frame of the film each layer shows, and on how much of the picture, for the quality figures."""
        groups, offset = timesheet.groups, self.context.config.frames.offset
        shown = taken.seen.instance[taken.seen.instance != raster.BACKGROUND]
        counts = np.bincount(groups.of_instances(taken.geometry)[shown], minlength=len(groups.names)).tolist()
        film_frames = timesheet.film_frames[self.context.film_frame(frame)]
        return {
            name: {"film_frame": film_frame + offset, "share": round(count / taken.seen.instance.size, 9)}
            for name, film_frame, count in zip(groups.names, film_frames, counts, strict=True)
        }

    def _write_reprojection(self, source: TakenFrame, target: TakenFrame, motion: Motion) -> None:
        """Write how well the motion agrees with depth and cameras, for the quality gate."""
        stated = source.cameras.filming.stated, target.cameras.filming.stated
        found = reprojection(source.geometry, source.seen, target.geometry, motion, stated)
        numbers = source.geometry.frame, target.geometry.frame
        write_reprojection(self.context.job.output, self.context.config.name, *numbers, found.error, found.compared)

    def _write_switched(self, source: TakenFrame, target: TakenFrame, switched: npt.NDArray[np.bool_] | None) -> None:
        """Write where surfaces change their material, as nodes may have them do: these colours are not compared."""
        numbers = source.geometry.frame, target.geometry.frame
        file = switched_picture(self.context.job.output, self.context.config.name, *numbers)
        if switched is not None and switched.any():
            write_image(file, np.where(switched, 255, 0).astype(np.uint8))
        else:
            file.unlink(missing_ok=True)

    def _note_unknown(self, source: TakenFrame, target: TakenFrame, motion: Motion) -> str | None:
        """Write why motion is unknown; where nothing of it is known, returns why the pair is not to be written."""
        numbers = source.geometry.frame, target.geometry.frame
        file = unknown_file(self.context.job.output, self.context.config.name, *numbers)
        file.unlink(missing_ok=True)
        if motion.valid.all():
            return None
        causes = cause_map(source.geometry, source.seen, target.geometry, motion)
        names = {number: name for name, number in self.context.names.objects.ids.items()}
        unknown = describe_unknown(causes, companions.object_id_map(source.geometry, source.seen), names)
        if motion.valid.any():
            write_json(file, unknown)
            return None
        first, last = sorted(numbers)
        return (
            f"nothing is known of the motion from frame {numbers[0]} to {numbers[1]} ({causes_in_words(unknown)}), and "
            f"a pair without any motion is not written; end the clip at frame {first} and begin another one at {last}, "
            "as camera_cuts: split does at camera cuts"
        )

    def _compute_motion(self, source: TakenFrame, target: TakenFrame, gap: int) -> PairMotion:
        config = self.context.config.motion
        return pair_motion(
            source.geometry,
            source.seen,
            target.geometry,
            config.background,
            occlusion="exact_occlusion" in config.extras,
            switched=gap == 1,
            depth_change="scene_flow" in config.extras,
        )

    def _other_backend(
        self, direction: str, source: TakenFrame, target: TakenFrame, motion: Motion
    ) -> npt.NDArray[np.float32]:
        """The flow to write; where the Vector pass takes part, after refusing what it gets wrong, or comparing."""
        if source.vectors is None:
            return motion.flow
        forward, backward = vector_pass.flows_from_vector_pass(source.vectors)
        vectors = forward if direction == "forward" else backward
        reasons = vector_pass.surface_problems(source.geometry, source.seen, target.geometry, abilities())
        if self.context.conversion.followers:
            reasons.append(
                "this program moves parts of the scene itself (the camera, locks of hair, strokes), frame by frame"
            )
        frame, other = source.geometry.frame, target.geometry.frame
        if self.context.job.cross_check:
            figures = compare_flows(motion, vectors, source.seen.instance != raster.BACKGROUND)
            self.context.reporter.cross_checked(frame, other, figures | {"vector_pass_problems": reasons})
        if self.context.config.motion.backend == "geometry":
            return motion.flow
        reasons += vector_pass.background_problems(source.seen, motion, self.context.config.motion.background)
        if reasons:
            raise UnsupportedMotionError(
                f"motion backend 'cycles' refuses frame {frame} to {other}: {'; '.join(reasons)}",
                remedy="set motion.backend to 'geometry', which is exact there",
            )
        return np.where(motion.valid[..., None], vectors, UNKNOWN_FLOW).astype(np.float32)
