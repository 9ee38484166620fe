"""Carries out ``inspect`` and ``init``: lets a Blender look at a shot, and says or writes what it found."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from threading import Timer
from typing import Any

from animerun_gen.engines.blend_file import require_readable
from animerun_gen.engines.blenders import ProgramEngine
from animerun_gen.engines.render_process import describe_status, last_words
from animerun_gen.errors import AnimerunGenError, SceneError, UnusableSceneError
from animerun_gen.progress import Progress
from animerun_gen.shot.findings import TRIAL_SECONDS
from animerun_gen.shot.question import Question
from animerun_gen.shot.shot import Shot

INSPECTOR = "animerun_gen.blender.inspector"


def inspect_shot(question: Question, engine: ProgramEngine) -> Shot:
    """Let a Blender look at a shot, in a process of its own, because files can crash it.

    Args:
        question: What is to be looked at.
        engine: The Blender.

    Returns:
        The facts.

    Raises:
        UnusableSceneError: The file cannot be opened, is too new, or has not what is asked for.
        SceneError: Blender died of it.
    """
    source = question.source
    if source.suffix.lower() != ".blend" or not source.is_file():
        raise UnusableSceneError("does not exist or is not a .blend file", source, "check the path")
    try:
        require_readable(source, engine.version)
    except SceneError as error:
        raise UnusableSceneError(error.what, error.where, error.remedy) from error
    doing = "while it started"
    untried: Shot | None = None
    with tempfile.TemporaryDirectory(prefix="animerun-gen-") as folder, Progress(1, "step", "inspecting") as progress:
        question_file, log = Path(folder, "question.json"), Path(folder, "log")
        question_file.write_text(question.to_json(), encoding="utf-8")
        for answer in _answers(engine, question_file, log):
            if "doing" in answer:
                done, total = answer["progress"]
                doing = f"while it was {answer['doing']}"
                progress.reach(done, total, answer["doing"])
            elif "untried" in answer:
                untried = Shot.from_json(answer["untried"])
            elif "shot" in answer:
                return Shot.from_json(answer["shot"])
            elif "unusable" in answer:
                raise UnusableSceneError(answer["unusable"])
            elif "failed" in answer:
                raise SceneError(answer["failed"])
            elif "ended" in answer and untried is not None:
                return _without_freestyle(untried, answer["ended"], too_slow=answer["too_slow"])
            elif "ended" in answer:
                raise SceneError(f"Blender {answer['ended']} {doing}.{last_words(log, 0)}", str(source))
    raise SceneError(f"Blender ended without an answer {doing}", str(source))


def _without_freestyle(shot: Shot, ended: str, *, too_slow: bool) -> Shot:
    """The facts of a shot in which trying Freestyle ended Blender, or had to be ended with it."""
    fault = f"had drawn no frame after {TRIAL_SECONDS:g} s" if too_slow else f"made Blender fail ({ended})"
    survey = None if shot.survey is None else replace(shot.survey, freestyle_fault=fault)
    return replace(shot, survey=survey)


def _answers(engine: ProgramEngine, question_file: Path, log: Path) -> Iterator[dict[str, Any]]:
    """What the inspector says, and in the end how its process ended, and whether because Freestyle took too long."""
    reading, writing = os.pipe()
    try:
        with open(log, "wb") as output:
            process = subprocess.Popen(
                engine.module_command(INSPECTOR, str(question_file), str(writing)),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                pass_fds=(writing,),
                # what it leaves there goes with the folder
                env=os.environ | {"TMPDIR": str(log.parent)},
            )
    except OSError as error:
        os.close(reading)
        raise AnimerunGenError(f"Blender cannot be started: {error}") from error
    finally:
        os.close(writing)
    # Blender's own code cannot be interrupted, only ended
    trial = Timer(TRIAL_SECONDS, process.kill)
    trial.daemon = True
    try:
        with os.fdopen(reading, encoding="utf-8", errors="replace") as lines:
            for line in lines:
                # a dying process may cut its last line short
                if line.endswith("\n"):
                    answer = json.loads(line)
                    if "untried" in answer:
                        trial.start()
                    yield answer
        yield {"ended": describe_status(process.wait()), "too_slow": trial.finished.is_set()}
    finally:
        trial.cancel()
        process.kill()
        process.wait()
