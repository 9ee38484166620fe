"""Lets a Blender process answer one question about a cut's film."""

from __future__ import annotations

import json
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from animerun_gen.config import CutConfig
from animerun_gen.dataset.files import open_log, system_says
from animerun_gen.errors import SceneError

TIMEOUT = 600.0
"""Seconds after which a Blender that opens a file is given up."""


def ask_blender(
    command: Callable[[str, str], list[str]], config: CutConfig, log: Path, wanted: str, doing: str, remedy: str
) -> Any:
    """Start a Blender that opens the cut's file and finds something out.

    Args:
        command: Gives the command that reads the cut's configuration from one file and answers in another.
        config: The cut.
        log: File to which everything that Blender prints is appended.
        wanted: Key of the answer.
        doing: What it does, as in ``"looked for camera cuts"``.
        remedy: How to do without it, a sentence.

    Returns:
        The answer.

    Raises:
        SceneError: There is none; the sentence says why.
    """
    told, ended = {}, ""
    try:
        with tempfile.TemporaryDirectory(prefix="animerun-gen-") as folder, open_log(log) as file:
            question, answer = Path(folder, "question.json"), Path(folder, "answer.json")
            question.write_text(json.dumps(config.model_dump(mode="json")), encoding="utf-8")
            status = subprocess.run(
                command(str(question), str(answer)),
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                timeout=TIMEOUT,
            ).returncode
            ended = f"ended with status {status}"
            if answer.exists():
                told = json.loads(answer.read_text(encoding="utf-8"))
    except subprocess.TimeoutExpired:
        ended = f"did not answer within {TIMEOUT / 60:.0f} minutes"
    except OSError as error:
        ended = f"cannot be started ({system_says(error)})"
    if "problem" in told:
        raise SceneError(f"cut '{config.name}': {told['problem']} (log: {log})")
    if wanted not in told:
        raise SceneError(
            f"cut '{config.name}': Blender {ended} while it {doing} in {config.source}; the log is {log}. {remedy}"
        )
    return told[wanted]
