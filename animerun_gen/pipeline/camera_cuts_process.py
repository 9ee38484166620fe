"""Lets a Blender process look for the camera cuts of a film."""

from __future__ import annotations

import json
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

from animerun_gen.config import CutConfig
from animerun_gen.errors import SceneError
from animerun_gen.pipeline.camera_cuts import CameraMark

TIMEOUT = 600.0
"""Seconds after which a Blender that opens a file is given up."""


def ask_for_camera_marks(command: Callable[[str, str], list[str]], config: CutConfig, log: Path) -> list[CameraMark]:
    """Start a Blender that opens the cut's file and reads its markers.

    Args:
        command: Gives the command that reads the cut's configuration from one file and answers in another.
        config: The cut.
        log: File to which everything that Blender prints is appended.

    Returns:
        The camera marks of the cut's scene, by frame.

    Raises:
        SceneError: It could not; the sentence says why.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="animerun-gen-") as folder, open(log, "ab") as file:
        question, answer = Path(folder, "question.json"), Path(folder, "answer.json")
        question.write_text(json.dumps(config.model_dump(mode="json")), encoding="utf-8")
        try:
            status = subprocess.run(
                command(str(question), str(answer)),
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                timeout=TIMEOUT,
            ).returncode
            ended = f"ended with status {status}"
        except subprocess.TimeoutExpired:
            ended = f"did not answer within {TIMEOUT / 60:.0f} minutes"
        except OSError as error:
            ended = f"cannot be started ({error})"
        told = json.loads(answer.read_text(encoding="utf-8")) if answer.exists() else {}
    if "problem" in told:
        raise SceneError(f"cut '{config.name}': {told['problem']} (log: {log})")
    if "marks" not in told:
        raise SceneError(
            f"cut '{config.name}': Blender {ended} while it looked for camera cuts in {config.source}; the log is "
            f"{log}. Or set camera_cuts to mark."
        )
    return [CameraMark(frame, camera) for frame, camera in told["marks"]]
