"""Does tasks that need no Blender: labelling, looking at colours, recolouring."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Sequence
from contextlib import suppress

from animerun_gen.dataset import layout
from animerun_gen.dataset.files import open_log, refusal
from animerun_gen.engines.protocol import Event, TaskDone
from animerun_gen.errors import AnimerunGenError
from animerun_gen.pipeline.tasks.labelling import LabelTask
from animerun_gen.pipeline.tasks.recoloring import RecolorTask, SurveyTask

Task = LabelTask | SurveyTask | RecolorTask
"""Work on a frame or a pair that needs no Blender."""


def run_tasks(tasks: Sequence[Task], tell: Callable[[Event], None]) -> None:
    """Do tasks one after the other in this thread, telling of each what came of it."""
    for number, task in enumerate(tasks):
        lacking = task.missing_input() if isinstance(task, LabelTask) else None
        if lacking is not None:
            tell({"event": "task_lacks", "number": number, "missing": str(lacking)})
            continue
        try:
            result = task.run()
        except Exception as error:
            tell({"event": "task_failed", "number": number, "failure": _describe_failure(task, error)})
            continue
        done: TaskDone = {"event": "task_done", "number": number, "frame": task.frame}
        if result is not None:
            done["result"] = result
        tell(done)


def _describe_failure(task: Task, error: Exception) -> str:
    """Why a task failed, in a sentence; what only a developer can make sense of goes to the cut's log."""
    name = task.config.name
    if isinstance(error, AnimerunGenError):
        return f"cut '{name}': {error}"
    what = f"frame {task.frame} cannot be {'labelled' if isinstance(task, LabelTask) else 'recoloured'}"
    if isinstance(error, OSError):
        return f"cut '{name}': {what}: {refusal(error)}"
    log = layout.log_file(task.output, name)
    # that it cannot be written either is no news
    with suppress(OSError), open_log(log) as stream:
        stream.write("".join(traceback.format_exception(error)).encode("utf-8", "backslashreplace"))
    return f"cut '{name}': {what}: {type(error).__name__}: {error} (log: {log})"
