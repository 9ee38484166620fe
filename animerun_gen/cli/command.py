"""Makes the command line of dataclasses: each command is one, and its settings are fields (``settings``).

argparse splits the words and writes the helps; what values mean, and what is said of wrong ones, is the settings'.
"""

from __future__ import annotations

import argparse
import dataclasses
from collections.abc import Sequence
from typing import Any, ClassVar, NoReturn, Protocol

from animerun_gen.settings import Setting, Switch, groups_of, settings_of
from animerun_gen.terminal import printable


class Command(Protocol):
    """A dataclass whose fields are the settings of a command.

    Attributes:
        name: Its first word.
        summary: What it does, in a line of the list of commands.
        description: The same for its own help, with examples.
    """

    name: ClassVar[str]
    summary: ClassVar[str]
    description: ClassVar[str]

    def run(self) -> int:
        """Carry it out; returns the exit status.

        Raises:
            AnimerunGenError: It cannot be carried out.
        """


class Parser(argparse.ArgumentParser):
    """A shell may have put names of files into the command that are no more to be trusted than others."""

    def error(self, message: str) -> NoReturn:
        super().error(printable(message))


def make_parser(
    program: str, version: str, description: str, commands: Sequence[type[Command]]
) -> tuple[Parser, dict[str, Parser]]:
    """The parser of a command line, and that of each command."""
    raw = argparse.RawDescriptionHelpFormatter
    parser = Parser(prog=program, description=description, formatter_class=raw)
    parser.add_argument("--version", action="version", version=f"{program} {version}")
    choices = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    parsers = {}
    for command in commands:
        own = choices.add_parser(
            command.name, help=command.summary, description=command.description, formatter_class=raw
        )
        _add_settings(own, command)
        parsers[command.name] = own
    return parser, parsers


def _add_settings(parser: Parser, options: type, without: frozenset[str] = frozenset()) -> None:
    # in the order of the fields, groups where they stand
    known = {field.name: setting for field, setting in settings_of(options)}
    groups = {field.name: group for field, group in groups_of(options)}
    for field in dataclasses.fields(options):
        if field.name in groups:
            group = groups[field.name]
            _add_settings(parser, group.options, group.without | set(group.fixed))
        elif field.name in known and field.name not in without:
            _add_setting(parser, field, known[field.name])


def _add_setting(parser: Parser, field: dataclasses.Field[Any], setting: Setting) -> None:
    help = setting.help
    if "{default}" in help:
        help = help.replace("{default}", setting.reads.written(field.default))
    if isinstance(setting.reads, Switch):
        parser.add_argument(*setting.names, dest=field.name, action="store_true", help=help)
    elif not setting.names:
        several = "+" if setting.several else None
        parser.add_argument(field.name, nargs=several, metavar=setting.metavar, help=help)
    elif setting.several:
        parser.add_argument(
            *setting.names, dest=field.name, action="extend", nargs="+", metavar=setting.metavar, help=help
        )
    else:
        required = field.default is dataclasses.MISSING
        parser.add_argument(*setting.names, dest=field.name, required=required, metavar=setting.metavar, help=help)


def read_command(words: argparse.Namespace, command: type[Command], parser: Parser) -> Command:
    """A command with the values that its command line has; ends the program where one cannot be."""
    made: Command = _read(words, command, parser)
    return made


def _read(words: argparse.Namespace, options: type, parser: Parser, without: frozenset[str] = frozenset()) -> Any:
    values: dict[str, Any] = {}
    for field, group in groups_of(options):
        values[field.name] = dataclasses.replace(
            _read(words, group.options, parser, group.without | set(group.fixed)), **group.fixed
        )
    for field, setting in settings_of(options):
        written = None if field.name in without else getattr(words, field.name)
        if written is None:
            continue
        try:
            if isinstance(setting.reads, Switch):
                values[field.name] = written
            elif setting.several:
                values[field.name] = tuple(map(setting.reads.read, written))
            else:
                values[field.name] = setting.reads.read(written)
        except ValueError as error:
            parser.error(f"{setting.names[-1] if setting.names else setting.metavar} {error}")
    return options(**values)
