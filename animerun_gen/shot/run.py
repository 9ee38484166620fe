"""Carries out ``inspect`` and ``init``: lets a Blender look at a shot, and says or writes what it found."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Timer
from typing import Any

from animerun_gen.config import load_cuts
from animerun_gen.dataset.files import refuse_to_overwrite, write_text
from animerun_gen.engines.blend_file import require_readable
from animerun_gen.engines.blenders import BpyModule, InstalledBlender, ProgramEngine
from animerun_gen.engines.render_process import describe_status, last_words
from animerun_gen.errors import AnimerunGenError, SceneError, UnusableSceneError, UsageError
from animerun_gen.progress import Progress
from animerun_gen.shot.draft import cut_name, draft
from animerun_gen.shot.findings import TRIAL_SECONDS, describe
from animerun_gen.shot.shot import Shot
from animerun_gen.terminal import as_command, say

INSPECTOR = "animerun_gen.blender.inspector"


@dataclass(frozen=True)
class Question:
    """What is to be looked at.

    Attributes:
        source: The ``.blend`` file.
        scene: A scene other than the one it was saved with.
        view_layer: A view layer other than the first that is switched on.
        camera: A camera other than the scene's own.
        trust_scripts: Whether scripts of the file may run.
    """

    source: Path
    scene: str | None = None
    view_layer: str | None = None
    camera: str | None = None
    trust_scripts: bool = False

    def to_json(self) -> str:
        """As the inspector reads it."""
        return json.dumps(
            {
                "source": str(self.source.absolute()),
                "scene": self.scene,
                "view_layer": self.view_layer,
                "camera": self.camera,
                "trust_scripts": self.trust_scripts,
            }
        )


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
        raise UnusableSceneError(f"{source} does not exist or is not a .blend file; check the path")
    try:
        require_readable(source, engine.version)
    except SceneError as error:
        raise UnusableSceneError(str(error)) from error
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
                raise SceneError(f"{source}: Blender {answer['ended']} {doing}.{last_words(log, 0)}")
    raise SceneError(f"{source}: Blender ended without an answer {doing}")


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


def run_inspect(options: argparse.Namespace) -> int:
    """Carry out ``inspect`` as the command line asks; returns the exit status.

    Raises:
        AnimerunGenError: The shot cannot be looked at.
    """
    shot = inspect_shot(_question(options), _engine(options))
    if options.json:
        print(json.dumps(shot.to_json(), indent=2))
    else:
        for line in describe(shot):
            say(line)
    return 0


def run_init(options: argparse.Namespace) -> int:
    """Carry out ``init`` as the command line asks; returns the exit status.

    Raises:
        UsageError: The file that is to be written exists, or is no .yaml file.
        AnimerunGenError: The shot cannot be looked at, or the file cannot be written.
    """
    target: Path = options.output or options.shot.with_suffix(".yaml")
    if target.suffix.lower() not in {".yaml", ".yml"}:
        raise UsageError(f"{target} is not a .yaml file; give the name of the configuration to write with -o")
    refuse_to_overwrite(target, "-o", force=options.force)
    shot = inspect_shot(_question(options), _engine(options))
    text = draft(shot, target, options.name or cut_name(options.shot))
    target.parent.mkdir(parents=True, exist_ok=True)
    write_text(target, text)
    load_cuts([target])
    for line in describe(shot):
        say(line)
    command = as_command("animerun-gen", "generate", target, "--out", "DATASET")
    say(f"wrote {target}; look through it, then run: {command}")
    return 0


def _question(options: argparse.Namespace) -> Question:
    return Question(options.shot, options.scene, options.view_layer, options.camera, options.trust_scripts)


def _engine(options: argparse.Namespace) -> ProgramEngine:
    return InstalledBlender.find(options.blender) if options.blender else BpyModule.find()
