"""Carries out ``inspect`` and ``init``: lets a Blender look at a shot, and says or writes what it found."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import IO

from animerun_gen.engines.blend_file import require_readable
from animerun_gen.engines.blenders import ModuleRunner
from animerun_gen.engines.conversation import Conversation
from animerun_gen.engines.endings import last_words
from animerun_gen.engines.scratch import TemporaryFolder
from animerun_gen.errors import AnimerunGenError, SceneError, UnusableSceneError
from animerun_gen.progress import Progress
from animerun_gen.shot.findings import TRIAL_SECONDS
from animerun_gen.shot.question import Question
from animerun_gen.shot.shot import UNTRIED, Shot

INSPECTOR = "animerun_gen.blender.inspector"


def inspect_shot(question: Question, engine: ModuleRunner) -> Shot:
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
    with (
        TemporaryFolder() as folder,
        Progress(1, "step", "inspecting") as progress,
        open(Path(folder, "log"), "wb") as log,
        _asked(engine, question, log) as inspector,
    ):
        for event in inspector.events():
            if event["event"] == "progressed":
                doing = f"while it was {event['doing']}"
                progress.reach(event["done"], event["total"], event["doing"])
            elif event["event"] == "found" and event["what"] == UNTRIED:
                untried = Shot.from_json(event["answer"])
                inspector.allow(TRIAL_SECONDS)
            elif event["event"] == "found":
                return Shot.from_json(event["answer"])
            elif event["event"] == "failed":
                unusable = event.get("kind") == UnusableSceneError.__name__
                raise (UnusableSceneError if unusable else SceneError)(event["message"])
        if untried is not None:
            return _without_freestyle(untried, inspector.ended, too_slow=inspector.timed_out)
        raise SceneError(
            f"Blender {inspector.ended} {doing}.{last_words(Path(folder, 'log'), 0)}".removesuffix("."),
            str(source),
            "see whether the film opens in Blender, or name another Blender with --blender",
        )


def _asked(engine: ModuleRunner, question: Question, log: IO[bytes]) -> Conversation:
    try:
        request = replace(question, source=question.source.absolute())
        return Conversation(partial(engine.module_command, INSPECTOR), request, log, None)
    except OSError as error:
        raise AnimerunGenError(f"Blender cannot be started: {error}", remedy="run 'animerun-gen doctor'") from error


def _without_freestyle(shot: Shot, ended: str, *, too_slow: bool) -> Shot:
    """The facts of a shot in which trying Freestyle ended Blender, or had to be ended with it."""
    fault = f"had drawn no frame after {TRIAL_SECONDS:g} s" if too_slow else f"made Blender fail ({ended})"
    survey = None if shot.survey is None else replace(shot.survey, freestyle_fault=fault)
    return replace(shot, survey=survey)
