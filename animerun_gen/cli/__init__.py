"""The command line: ``animerun-gen`` and ``python -m animerun_gen``.

Each command is a dataclass in a file of its own: its fields are its settings, and its method ``run`` carries it out.
"""

from __future__ import annotations

import platform
import sys
from collections.abc import Sequence

from animerun_gen import __version__
from animerun_gen.cli.card import Card
from animerun_gen.cli.command import Command, make_parser, read_command
from animerun_gen.cli.doctor import Doctor
from animerun_gen.cli.evaluate import Evaluate
from animerun_gen.cli.export import Export
from animerun_gen.cli.generate import Generate, Label, Render
from animerun_gen.cli.init import Init
from animerun_gen.cli.inspect import Inspect
from animerun_gen.cli.keeping import Compare, Cut, Merge
from animerun_gen.cli.pack import Pack
from animerun_gen.cli.palette import Palette
from animerun_gen.cli.preview import Preview
from animerun_gen.cli.report import Report
from animerun_gen.cli.status import Status
from animerun_gen.cli.train import Train
from animerun_gen.cli.verify import Verify
from animerun_gen.errors import AnimerunGenError
from animerun_gen.terminal import complain

COMMANDS: tuple[type[Command], ...] = (
    Generate,
    Render,
    Label,
    Status,
    Verify,
    Report,
    Cut,
    Merge,
    Compare,
    Evaluate,
    Export,
    Card,
    Pack,
    Train,
    Inspect,
    Init,
    Preview,
    Palette,
    Doctor,
)
"""In the order in which the help lists them."""

OLDEST_PYTHON = (3, 11)
"""The oldest Python that the commands run in; reading works with an older one."""

SHOWN_MISTAKES = 20
"""So many mistakes in configurations are printed at once."""

DESCRIPTION = """\
Turns animated Blender scenes into 2D-anime-style correspondence datasets in the layout of AnimeRun: flat colour
frames, line art, exact forward and backward optical flow, occlusion, segments and segment matches.

A cut is a .blend file plus a small YAML file; docs/configuration.md describes every key. For a first run:

    animerun-gen doctor                                  see whether everything needed is installed
    animerun-gen init SHOT.blend -o cut.yaml             write a first configuration for a film scene
    animerun-gen generate configs/toy --out out/toy      make the toy dataset

Exit status: 0 all went well; 1 the work failed or found defects; 2 the command line is wrong, or something that it
names cannot be used (docs/exit_status.md).
"""


def parse(words: Sequence[str] | None = None) -> Command:
    """The command that a command line asks for.

    Args:
        words: What follows the program's name; None for those of this process.

    Raises:
        SystemExit: They are no command, with status 2 after a sentence; or they ask for help, which was given.
    """
    parser, parsers = make_parser("animerun-gen", __version__, DESCRIPTION, COMMANDS)
    found = parser.parse_args(words)
    [command] = [command for command in COMMANDS if command.name == found.command]
    return read_command(found, command, parsers[command.name])


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Args:
        arguments: What follows the program's name; None for those of this process.

    Returns:
        Exit status, the same for all commands, see docs/exit_status.md: 0 when all went well, 1 when the work failed or
        found defects, 2 when the command line is wrong or something that it names cannot be used, 130 when stopped with
        Ctrl-C.
    """
    command = parse(arguments)
    if sys.version_info < OLDEST_PYTHON:
        oldest = ".".join(map(str, OLDEST_PYTHON))
        complain(f"this is Python {platform.python_version()}, which can only read datasets; use {oldest} or newer")
        return 2
    try:
        return command.run()
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        if package in ("", "animerun_gen"):
            raise
        complain(
            f"{package} is not installed: this installation of animerun-gen is for reading datasets alone; for the "
            f"commands run this in a copy of the project: {sys.executable} -m pip install '.[generate]'"
        )
        return 2
    except AnimerunGenError as error:
        for sentence in error.sentences[:SHOWN_MISTAKES]:
            complain(sentence)
        if len(error.sentences) > SHOWN_MISTAKES:
            complain(f"there are {len(error.sentences) - SHOWN_MISTAKES:,} more mistakes; correct these first")
        return error.exit_status
    except KeyboardInterrupt:
        complain("stopped; the same command resumes the work")
        return 130
    except OSError as error:
        complain(f"the operating system reported: {error}; nothing already made is lost")
        return 1
