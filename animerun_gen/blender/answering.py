"""How a Blender process answers one request, see :mod:`animerun_gen.engines.protocol`."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from animerun_gen.engines.job import Reporter
from animerun_gen.engines.lifetime import die_with_parent
from animerun_gen.engines.protocol import Event, encode, read_request
from animerun_gen.errors import AnimerunGenError, unforeseen

Request = TypeVar("Request")


def answer_and_exit(form: type[Request], find: Callable[[Request, Reporter], None]) -> None:
    """Read a request from the file that the last argument but one names, answer to a file descriptor, and exit.

    Args:
        form: Of the request, a dataclass or a model.
        find: Tells the reporter what it finds.  An error is told by its name, with a sentence for the user.
    """
    status = answer(sys.argv[-2:], form, find)
    sys.stdout.flush()
    sys.stderr.flush()
    # Blender's own exit handlers can hang or crash after everything is done
    os._exit(status)


def answer(arguments: list[str], form: type[Request], find: Callable[[Request, Reporter], None]) -> int:
    """The same without the end.

    Args:
        arguments: Path of the file with the request, and number of the file descriptor.
        form: Of the request, a dataclass or a model.
        find: Tells the reporter what it finds.

    Returns:
        The exit status.
    """
    die_with_parent()
    # a line goes through as soon as it is written
    with os.fdopen(int(arguments[1]), "wb", buffering=0) as answers:

        def emit(event: Event) -> None:
            answers.write(encode(event))

        reporter = Reporter(emit)
        try:
            find(read_request(Path(arguments[0]), form), reporter)
        except AnimerunGenError as error:
            reporter.failed(type(error).__name__, str(error))
            return 1
        except Exception as error:
            traceback.print_exc()
            reporter.failed("InternalError", unforeseen(error))
            return 1
    return 0
