"""The command line: ``animerun-gen`` and ``python -m animerun_gen``."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from animerun_gen import __version__
from animerun_gen.errors import AnimerunGenError
from animerun_gen.terminal import complain, printable

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

GENERATE = """\
Makes a dataset, or resumes an unfinished one. Complete files are kept; files that are missing, or were made from
another configuration or source, are made again. Stop it at any moment; the same command resumes it.

    animerun-gen generate configs/toy --out out/toy
    animerun-gen generate configs/toy/courier.yaml --out out/test --frames 1:6
"""

INSPECT = """\
Opens any film scene and reports what is in it and what clashes with 2D style: objects that a film camera does not see,
volumes, lights, hair, particles, transparency, zooms, missing files, held frames, changing topology and costs, each
with the reason and with what will be done about it. Nothing is changed or written, and no script of the file runs.

    animerun-gen inspect shots/fight_010.blend
"""

INIT = """\
Looks at a film scene as 'inspect' does and writes a configuration in which every decision stands explicitly with its
reason, ready to be changed. A scene without a usable camera gets one that shows what moves.

    animerun-gen init shots/fight_010.blend -o fight_010.yaml
    animerun-gen generate fight_010.yaml --out dataset
"""

RENDER = """\
Makes the half of a dataset that needs Blender: colour frames, line art, flow and its companions. Labels are made by
'label', on another machine if you like. Files that are complete and up to date are kept.

    animerun-gen render configs/toy --out out/toy
"""

LABEL = """\
Makes the half of a dataset that needs no Blender: occlusion, line areas, segments, matches and the quality figures of
frames that 'render' has made. The .blend files are not needed. Pictures and motion are only read.

    animerun-gen label configs/toy --out out/toy --workers 4
"""

STATUS = """\
Shows how complete a dataset is: for each cut, how many files of each stage exist, what is missing, and why its last run
failed. It reads the dataset alone, needs neither Blender nor a configuration, and works while a run is in progress.

    animerun-gen status out/toy

Exits with status 0 when every cut is complete, 1 when one is not, and 2 when there is no such dataset.
"""

VERIFY = """\
Checks that a dataset is complete and consistent: every file of every frame, shapes and types, labels
without gaps, matches that name segments, motion and masks that agree, and checksums against the manifest. Every defect
is a line with its file. The dataset is only read; docs/verify.md says what is looked at. Of a dataset that was made
elsewhere, such as a downloaded AnimeRun, it checks what the layout demands. With --repair it removes what is damaged
and makes just that again, from what the dataset says it was made from.

    animerun-gen verify out/toy
    animerun-gen verify out/toy --cut courier --workers 4
    animerun-gen verify out/toy --repair

Exits with status 0 when nothing is wrong, 1 when something is, and 2 when there is no such dataset or cut.
"""

PALETTE = """\
Draws representative colours from a folder of animation frames, scene by scene, for the colour passes of a cut (its key
recolor.palette; docs/palette.md). Scenes are sub-folders, and within a folder the stretches between changes of the
picture. Lines do not count. Only take frames whose owners allow it.

    animerun-gen palette frames/my_series -o my_series.yaml --about "My Series, episode 3" --licence "CC BY 4.0"
    animerun-gen palette frames/my_series -o my_series.yaml --colors 20 --swatches my_series.png
"""

REPORT = """\
Makes pages to look at a dataset in a browser: for each cut its pictures in layers, curves of its quality figures with
their thresholds, the worst pairs first, and what it was made with; and an index of all cuts. The pages need neither
network nor server. A dataset that was downloaded, or is incomplete, is shown as far as it goes.

    animerun-gen report out/toy
    animerun-gen report out/toy --cut courier --out pages
"""


class _Parser(argparse.ArgumentParser):
    """A shell may have put names of files into the command that are no more to be trusted than others."""

    def error(self, message: str) -> NoReturn:
        super().error(printable(message))


def build_parser() -> argparse.ArgumentParser:
    """The parser of the command line, with all its help texts."""
    raw = argparse.RawDescriptionHelpFormatter
    parser = _Parser(prog="animerun-gen", description=DESCRIPTION, formatter_class=raw)
    parser.add_argument("--version", action="version", version=f"animerun-gen {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, summary, description in (
        ("generate", "make a dataset: render the cuts and label them", GENERATE),
        ("render", "run only the Blender half: pictures and motion", RENDER),
        ("label", "run only the second half: occlusion, segments, matches and quality figures", LABEL),
    ):
        command = commands.add_parser(name, help=summary, description=description, formatter_class=raw)
        _add_run_options(command, renders=name != "label", labels=name != "render")
    status = commands.add_parser(
        "status", help="show how complete a dataset is", description=STATUS, formatter_class=raw
    )
    status.add_argument("dataset", type=Path, metavar="DATASET", help="root folder of the dataset")
    status.add_argument("--json", type=Path, metavar="FILE", help="write the results to a file for other programs too")
    _add_verify_options(
        commands.add_parser(
            "verify",
            help="check a dataset for missing, damaged or inconsistent files",
            description=VERIFY,
            formatter_class=raw,
        )
    )
    _add_report_options(
        commands.add_parser(
            "report", help="make HTML pages to browse a dataset", description=REPORT, formatter_class=raw
        )
    )
    for name, summary, description in (
        ("inspect", "report what is in a film scene and what clashes with 2D style", INSPECT),
        ("init", "write a first configuration for a film scene", INIT),
    ):
        command = commands.add_parser(name, help=summary, description=description, formatter_class=raw)
        _add_shot_options(command, writes=name == "init")
    _add_palette_options(
        commands.add_parser(
            "palette", help="draw a palette from frames of animation", description=PALETTE, formatter_class=raw
        )
    )
    doctor = commands.add_parser(
        "doctor",
        help="check that everything animerun-gen needs is installed",
        description="Tries everything that generate needs, and says how to fix each failure.",
    )
    doctor.add_argument("--blender", metavar="PROGRAM", help="check this Blender program instead of the bpy module")
    doctor.add_argument(
        "--out", type=Path, default=Path(), metavar="DIR", help="folder whose free disk space is checked"
    )
    return parser


def _add_run_options(command: argparse.ArgumentParser, *, renders: bool, labels: bool) -> None:
    command.add_argument(
        "configs", nargs="+", type=Path, metavar="CONFIG_OR_FOLDER", help="YAML file of a cut, or a folder of them"
    )
    command.add_argument("--out", required=True, type=Path, metavar="DATASET", help="root folder of the dataset")
    command.add_argument(
        "--frames",
        type=parse_frames,
        metavar="A:B",
        help="work only on frames A to B (inclusive) of each cut, as its files are numbered; other frames stay, and "
        "where some of these are out of date the cut fails",
    )
    command.add_argument(
        "--workers", type=parse_workers, default=1, metavar="N", help="number of worker processes (default: 1)"
    )
    command.add_argument(
        "--scheduler",
        metavar="ADDRESS",
        help="run the work on the workers of this Dask scheduler, for example tcp://10.0.0.5:8786 (docs/farm.md)",
    )
    command.add_argument(
        "--patience",
        type=parse_minutes,
        default=10.0,
        metavar="MINUTES",
        help="a process that neither reports nor computes for so long is ended, and its work begun again (default: 10)",
    )
    if labels:
        command.add_argument(
            "--strict",
            action="store_true",
            help="exit with status 1 when a figure of a frame or pair is beyond its threshold (docs/quality.md)",
        )
    if renders:
        command.add_argument(
            "--chunk-frames",
            type=parse_chunk,
            metavar="N",
            help="frames of a cut that one Blender process renders (default: as suits the workers, 6 to 100); what is "
            "made does not depend on it",
        )
        command.add_argument(
            "--despite-memory",
            action="store_true",
            help="begin frames even if they are predicted not to fit into the memory (docs/scale.md)",
        )
        command.add_argument(
            "--cross-check",
            action="store_true",
            help="compute motion with the Vector pass of Cycles as well and report how the two differ",
        )
        command.add_argument(
            "--blender", metavar="PROGRAM", help="use this installed Blender (3.4 or newer) instead of the bpy module"
        )


def _add_shot_options(command: argparse.ArgumentParser, *, writes: bool) -> None:
    command.add_argument("shot", type=Path, metavar="SHOT.blend", help="the film scene")
    command.add_argument("--scene", metavar="NAME", help="the scene (default: the one the file was saved with)")
    command.add_argument("--view-layer", metavar="NAME", help="the view layer (default: the first that is switched on)")
    command.add_argument("--camera", metavar="NAME", help="the camera (default: the scene's own)")
    command.add_argument(
        "--trust-scripts", action="store_true", help="let Python scripts and drivers inside the file run"
    )
    command.add_argument(
        "--blender", metavar="PROGRAM", help="use this installed Blender (3.4 or newer) instead of the bpy module"
    )
    if writes:
        command.add_argument(
            "-o", "--output", type=Path, metavar="CUT.yaml", help="where to write it (default: beside the shot)"
        )
        command.add_argument("--name", metavar="NAME", help="name of the cut (default: the file's)")
        command.add_argument("--force", action="store_true", help="overwrite an existing file")
    else:
        command.add_argument("--json", action="store_true", help="print the facts as JSON, for other programs")


def _add_verify_options(command: argparse.ArgumentParser) -> None:
    command.add_argument("dataset", type=Path, metavar="DATASET", help="root folder of the dataset")
    command.add_argument("--cut", action="extend", nargs="+", metavar="NAME", help="check these cuts only")
    command.add_argument(
        "--workers", type=parse_workers, default=1, metavar="N", help="number of worker processes (default: 1)"
    )
    command.add_argument(
        "--quick", action="store_true", help="check names and headers only, not checksums or the content of large files"
    )
    command.add_argument(
        "--repair", action="store_true", help="remove damaged files, then make them and any missing ones again"
    )
    command.add_argument(
        "--blender",
        metavar="PROGRAM",
        help="repair with this installed Blender (3.4 or newer) instead of the bpy module",
    )
    command.add_argument("--json", type=Path, metavar="FILE", help="write the results to a file for other programs too")


def _add_report_options(command: argparse.ArgumentParser) -> None:
    command.add_argument("dataset", type=Path, metavar="DATASET", help="root folder of the dataset")
    command.add_argument(
        "--out", type=Path, metavar="FOLDER", help="folder for the pages (default: 'report' inside the dataset)"
    )
    command.add_argument(
        "--cut",
        action="extend",
        nargs="+",
        metavar="NAME",
        help="make only the pages of these cuts; the index lists all of them",
    )
    command.add_argument(
        "--workers", type=parse_workers, default=1, metavar="N", help="number of worker processes (default: 1)"
    )
    command.add_argument(
        "--max-size",
        type=parse_size,
        default=20.0,
        metavar="MB",
        help="largest size of a page; longer clips are shown smaller (default: 20)",
    )


def _add_palette_options(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "folder", type=Path, metavar="FRAMES_FOLDER", help="folder with PNG or JPEG files in or below it"
    )
    command.add_argument(
        "-o",
        "--output",
        type=Path,
        default=Path("palette.yaml"),
        metavar="FILE",
        help="the palette to write (default: palette.yaml)",
    )
    command.add_argument(
        "--colors", type=parse_colors, default=12, metavar="N", help="colours of a scene at most (default: 12)"
    )
    command.add_argument(
        "--scene-change",
        type=parse_share,
        default=0.5,
        metavar="SHARE",
        help="a new scene begins where this share of the picture's colours is new, 0 to 1 (default: 0.5)",
    )
    command.add_argument(
        "--seed", type=parse_seed, default=0, metavar="N", help="where the clustering begins (default: 0)"
    )
    command.add_argument(
        "--about", metavar="TEXT", help="what the pictures are, for the file (default: the folder's name)"
    )
    command.add_argument("--licence", metavar="TEXT", help="what the pictures' owners allow, for the file")
    command.add_argument("--swatches", type=Path, metavar="FILE", help="draw the palette as a PNG picture as well")
    command.add_argument("--force", action="store_true", help="overwrite existing files")


def parse_colors(text: str) -> int:
    """A number of colours, from 2 to 256.

    Raises:
        argparse.ArgumentTypeError: It is something else.
    """
    if not (text.isascii() and text.isdecimal()) or not 2 <= int(text) <= 256:
        raise argparse.ArgumentTypeError(f"must be a whole number from 2 to 256, not '{text}'")
    return int(text)


def parse_share(text: str) -> float:
    """A share, from 0 to 1.

    Raises:
        argparse.ArgumentTypeError: It is something else.
    """
    try:
        share = float(text)
    except ValueError:
        share = -1.0
    if not 0 <= share <= 1:
        raise argparse.ArgumentTypeError(f"must be a number from 0 to 1, not '{text}'")
    return share


def parse_seed(text: str) -> int:
    """A seed, as of a cut.

    Raises:
        argparse.ArgumentTypeError: It is something else.
    """
    if not (text.isascii() and text.isdecimal()) or int(text) >= 2**32:
        raise argparse.ArgumentTypeError(f"must be a whole number from 0 to {2**32 - 1}, not '{text}'")
    return int(text)


def parse_frames(text: str) -> tuple[int, int]:
    """``"A:B"`` as two frame numbers.

    Raises:
        argparse.ArgumentTypeError: It is something else.
    """
    first, separator, last = text.partition(":")
    if not (separator and first.isdecimal() and last.isdecimal() and int(first) <= int(last)):
        raise argparse.ArgumentTypeError(f"must be FIRST:LAST, such as 10:20, not '{text}'")
    return int(first), int(last)


def parse_workers(text: str) -> int:
    """A number of workers, at least one.

    Raises:
        argparse.ArgumentTypeError: It is something else.
    """
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"must be a whole number of 1 or more, not '{text}'")
    return int(text)


def parse_chunk(text: str) -> int:
    """A number of frames, at least one.

    Raises:
        argparse.ArgumentTypeError: It is something else.
    """
    if not (text.isascii() and text.isdecimal()) or int(text) < 1:
        raise argparse.ArgumentTypeError(f"must be a whole number of 1 or more, not '{text}'")
    return int(text)


def parse_minutes(text: str) -> float:
    """A time in minutes, at least one second and at most a week.

    Raises:
        argparse.ArgumentTypeError: It is something else.
    """
    try:
        minutes = float(text)
    except ValueError:
        minutes = 0.0
    if not 1 / 60 <= minutes <= 7 * 24 * 60:
        raise argparse.ArgumentTypeError(f"must be a time in minutes, such as 10 or 0.5, not '{text}'")
    return minutes


def parse_size(text: str) -> float:
    """A number of megabytes, at least one.

    Raises:
        argparse.ArgumentTypeError: It is something else.
    """
    try:
        size = float(text)
    except ValueError:
        size = 0.0
    if not 1 <= size < 1e6:
        raise argparse.ArgumentTypeError(f"must be a size in megabytes of 1 or more, not '{text}'")
    return size


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Args:
        arguments: What follows the program's name; None for those of this process.

    Returns:
        Exit status, the same for all commands, see docs/exit_status.md: 0 when all went well, 1 when the work failed or
        found defects, 2 when the command line is wrong or something that it names cannot be used, 130 when stopped with
        Ctrl-C.
    """
    options = build_parser().parse_args(arguments)
    try:
        if options.command == "doctor":
            from animerun_gen.doctor import run_doctor

            return run_doctor(options.blender, options.out)
        if options.command == "inspect":
            from animerun_gen.shot.run import run_inspect

            return run_inspect(options)
        if options.command == "init":
            from animerun_gen.shot.run import run_init

            return run_init(options)
        if options.command == "status":
            from animerun_gen.pipeline.state.status import run_status

            return run_status(options)
        if options.command == "verify":
            from animerun_gen.verify.run import run_verify

            return run_verify(options)
        if options.command == "report":
            from animerun_gen.report.build import run_report

            return run_report(options)
        if options.command == "palette":
            from animerun_gen.recolor.extract import run_palette

            return run_palette(options)
        from animerun_gen.pipeline.run import run_command

        return run_command(options)
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
