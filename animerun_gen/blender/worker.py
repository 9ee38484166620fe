"""Runs one :class:`~animerun_gen.engines.job.RenderJob`: the sentence "open, convert, render, take down, write".

As a program (``python -m animerun_gen.blender.worker JOB EVENTS``) it reads the job from a file and tells events to a
file descriptor that its parent opened, see :mod:`animerun_gen.engines.protocol`.
"""

from __future__ import annotations

import os
import sys
import traceback
from contextlib import nullcontext
from pathlib import Path

from animerun_gen.blender import versions
from animerun_gen.blender.beyond_scene import note_frames_beyond
from animerun_gen.blender.camera_jumps import JumpFinder, note_jumps
from animerun_gen.blender.convert import convert_scene
from animerun_gen.blender.far_from_origin import note_distance
from animerun_gen.blender.frame_loop import FrameLoop
from animerun_gen.blender.geometry import (
    geometry_engine,
    scene_names,
)
from animerun_gen.blender.graphs import GraphWatch
from animerun_gen.blender.job_context import JobContext
from animerun_gen.blender.layer_groups import resolve_groups
from animerun_gen.blender.opening import open_scene
from animerun_gen.blender.timesheet import read_timesheet
from animerun_gen.config.unmatched import unmatched_styles
from animerun_gen.dataset.clip import ClipWriter
from animerun_gen.dataset.files import refusal
from animerun_gen.engines.fence import Fence, RunOver, fence_of_parent
from animerun_gen.engines.job import RenderJob, Reporter
from animerun_gen.engines.lifetime import die_with_parent
from animerun_gen.engines.memory_guard import DESPITE_MEMORY, MemoryGuard
from animerun_gen.engines.protocol import Event, encode, read_request
from animerun_gen.engines.scratch import TemporaryFolder
from animerun_gen.errors import AnimerunGenError, NoRoomError, unforeseen


def run_job(job: RenderJob, reporter: Reporter, *, despite_memory: bool = False) -> None:
    """Make all files of a job, in the order of its frames.

    Args:
        job: What to make.
        reporter: Is told of every step.
        despite_memory: Whether frames are begun that are predicted not to fit into the memory.

    Raises:
        AnimerunGenError: The scene or the disk does not allow it; what was written until then is complete.
    """
    with TemporaryFolder() as scratch, geometry_engine():
        reporter.begins(job.config.frame_numbers[0], "opening the scene")
        film = job.config.in_film_numbers()
        opened = open_scene(film)
        # what is converted has other animation than the film
        beyond = note_frames_beyond(opened.scene, film)
        finder = JumpFinder(opened, film)
        conversion = convert_scene(opened, film)
        jumps = finder.find(conversion.clipped, conversion.going_to(opened.scene))
        notes = [*opened.notes, *beyond, *conversion.notes, *note_distance(opened, film, conversion)]
        notes += note_jumps(jumps, film)
        names = scene_names()
        notes += unmatched_styles(film, names.object_table().values(), names.material_table().values())
        asked = job.config.layers.write or job.config.timing.is_on
        groups = resolve_groups(opened.scene, job.config.layers, names) if asked else None
        timesheet = read_timesheet(opened.scene, film, groups, jumps) if groups is not None else None
        notes += [] if groups is None else groups.notes
        reporter.opened(versions.engine_name(), notes, [job.config.source, *opened.inputs])
        writer = ClipWriter(job.output, job.config.split, job.config.name)
        written = groups if job.config.layers.write else None
        context = JobContext(job, reporter, opened, conversion, names, writer, written, timesheet)
        with GraphWatch(opened.scene) as graphs:
            memory = MemoryGuard(reporter, insists=despite_memory)
            FrameLoop(context, jumps, graphs, memory, Path(scratch)).run()
    reporter.finished()


def main(arguments: list[str]) -> int:
    """Run the job in file ``arguments[0]``, reporting to file descriptor ``arguments[1]``; returns the exit status."""
    die_with_parent()
    # a line goes through as soon as it is written
    events = os.fdopen(int(arguments[1]), "wb", buffering=0)
    fence: Fence | None = None

    def emit(event: Event) -> None:
        if fence is not None and not fence.is_up():
            # whoever would have to be told may not be listening any more
            os._exit(1)
        events.write(encode(event))

    reporter = Reporter(emit)
    try:
        job = read_request(Path(arguments[0]), RenderJob)
        fence = fence_of_parent(job.output)
        with nullcontext() if fence is None else fence.inside():
            run_job(job, reporter, despite_memory=bool(os.environ.get(DESPITE_MEMORY)))
    except (RunOver, NoRoomError):
        # the latter was told when it was found
        return 1
    except AnimerunGenError as error:
        reporter.failed(type(error).__name__, str(error))
        return 1
    except MemoryError:
        reporter.failed("MemoryError", "this machine has too little memory for the scene; close other programs")
        return 1
    except OSError as error:
        traceback.print_exc()
        reporter.failed("OSError", f"the operating system refused to read or write: {refusal(error)}")
        return 1
    except Exception as error:
        traceback.print_exc()
        reporter.failed("InternalError", f"{unforeseen(error)}, with the log, which has its place")
        return 1
    return 0


if __name__ == "__main__":
    status = main(sys.argv[1:])
    sys.stdout.flush()
    sys.stderr.flush()
    # Blender's own exit handlers can hang or crash after everything is done
    os._exit(status)
