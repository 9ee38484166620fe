"""How a Blender process answers one question about a cut, see :mod:`animerun_gen.engines.questions`."""

from __future__ import annotations

import json
import os
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from animerun_gen.config import CutConfig
from animerun_gen.engines.lifetime import die_with_parent
from animerun_gen.errors import AnimerunGenError


def answer_and_exit(key: str, find: Callable[[CutConfig], Any]) -> None:
    """Read the cut's configuration from the file that the last argument but one names, answer in the last, and exit.

    Args:
        key: Of the answer, ``{key: found}``; where an error is meant for the user it is ``{"problem": sentence}``.
        find: Finds it.
    """
    status = 0
    try:
        _answer(Path(sys.argv[-2]), Path(sys.argv[-1]), key, find)
    except Exception:
        traceback.print_exc()
        status = 1
    sys.stdout.flush()
    sys.stderr.flush()
    # Blender's own exit handlers can hang or crash after everything is done
    os._exit(status)


def _answer(question: Path, answer: Path, key: str, find: Callable[[CutConfig], Any]) -> None:
    die_with_parent()
    try:
        told = {key: find(CutConfig.model_validate_json(question.read_text(encoding="utf-8")))}
    except AnimerunGenError as error:
        told = {"problem": str(error)}
    answer.write_text(json.dumps(told), encoding="utf-8")
