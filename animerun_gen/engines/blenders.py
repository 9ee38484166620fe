"""The two ways to start a Blender: the ``bpy`` module in a Python process, or an installed program."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Protocol

from animerun_gen.engines.job import RenderJob
from animerun_gen.engines.protocol import Event
from animerun_gen.engines.questions import AskedCut, Looker, Replies, ask_blenders
from animerun_gen.errors import AnimerunGenError, UsageError

if TYPE_CHECKING:
    from animerun_gen.engines.children import Conditions

WORKER = "animerun_gen.blender.worker"
QUESTIONS = "animerun_gen.blender.questions"
OTHER_PROGRAM = "give the path of a Blender executable"
"""What to do about a program that cannot be used as Blender."""

START_SCRIPT = Path(__file__).parent.parent / "blender" / "start.py"


def find_program(program: str) -> str:
    """The path of a program that is named as Blender; it is not started.

    Args:
        program: Its name or path.

    Raises:
        UsageError: There is no such program.
    """
    found = shutil.which(program)
    if found is None:
        raise UsageError(f"no program '{program}' was found", "--blender", OTHER_PROGRAM)
    return found


class JobRun(Protocol):
    """One render job under way."""

    def run(self, on_event: Callable[[Event], None]) -> None:
        """Do the job and tell every event of it.

        Raises:
            RenderFailure: It could not be finished.
        """

    def kill(self) -> None:
        """End it at once, from another thread."""


class Engine(Looker, Protocol):
    """A Blender that does render jobs; a dataset made with one version is redone with another."""

    @property
    def in_this_process(self) -> bool:
        """Whether it does its jobs in the calling thread, which must then be the main one."""

    def start(self, job: RenderJob, log: Path, conditions: Conditions | None = None) -> JobRun:
        """Make ready to do a job, under conditions; what Blender prints goes to a log file."""


class ModuleRunner(Protocol):
    """A Blender that can be started to run a module of this package."""

    @property
    def version(self) -> str:
        """What it calls itself, such as "Blender 4.5.1"."""

    def module_command(self, module: str, *arguments: str) -> list[str]:
        """The command that runs a module of this package in that Blender."""


class ProgramEngine(Engine, ModuleRunner, Protocol):
    """A Blender that is started as a program of its own, on whatever machine has it."""

    def find_again(self) -> ProgramEngine:
        """The Blender that this machine has in its place.

        Raises:
            AnimerunGenError: It has none.
        """


def _start(blender: ModuleRunner, job: RenderJob, log: Path, conditions: Conditions | None) -> JobRun:
    # what watches over a process takes its time to load, which a run with nothing to do need not spend
    from animerun_gen.engines.render_process import RenderProcess

    return RenderProcess(partial(blender.module_command, WORKER), job, log, conditions)


@dataclass(frozen=True)
class BpyModule:
    """Blender as a Python module, in a child of this Python."""

    version: str
    in_this_process: ClassVar[bool] = False

    @classmethod
    def find(cls) -> BpyModule:
        """The installed module.

        Raises:
            AnimerunGenError: It is not installed.
        """
        if importlib.util.find_spec("bpy") is None:
            raise AnimerunGenError(
                "the Python module bpy (Blender) is not installed here",
                remedy="install it with scripts/setup.sh or pip install bpy, or name an installed Blender with "
                "--blender",
            )
        try:
            return cls(f"Blender {importlib.metadata.version('bpy')}")
        except importlib.metadata.PackageNotFoundError as error:
            raise AnimerunGenError(
                "the Python module bpy that is installed here is not Blender's",
                remedy="install Blender's with scripts/setup.sh or pip install bpy, or name an installed Blender with "
                "--blender",
            ) from error

    def find_again(self) -> BpyModule:
        return self.find()

    def start(self, job: RenderJob, log: Path, conditions: Conditions | None = None) -> JobRun:
        return _start(self, job, log, conditions)

    def ask(self, asked: Sequence[AskedCut], at_once: int) -> Replies:
        return ask_blenders(partial(self.module_command, QUESTIONS), asked, at_once)

    def module_command(self, module: str, *arguments: str) -> list[str]:
        return [sys.executable, "-m", module, *arguments]


@dataclass(frozen=True)
class InstalledBlender:
    """A Blender program; it borrows this Python's packages, so both must be of one Python version."""

    program: str
    version: str
    in_this_process: ClassVar[bool] = False

    @classmethod
    def find(cls, program: str) -> InstalledBlender:
        """Find a program by name or path and ask for its version.

        Raises:
            UsageError: There is no such program, or it does not start.
        """
        found = find_program(program)
        try:
            answer = subprocess.run(
                [found, "--version"], capture_output=True, text=True, errors="replace", timeout=120, check=True
            )
        except (OSError, subprocess.SubprocessError) as error:
            raise UsageError(f"{found} does not start: {error}", "--blender", OTHER_PROGRAM) from error
        lines = [line for line in answer.stdout.splitlines() if line.startswith("Blender ")]
        if not lines:
            raise UsageError(f"{found} does not answer --version as Blender does", "--blender", OTHER_PROGRAM)
        return cls(found, lines[0].strip())

    def find_again(self) -> InstalledBlender:
        return self.find(self.program)

    def start(self, job: RenderJob, log: Path, conditions: Conditions | None = None) -> JobRun:
        return _start(self, job, log, conditions)

    def ask(self, asked: Sequence[AskedCut], at_once: int) -> Replies:
        return ask_blenders(partial(self.module_command, QUESTIONS), asked, at_once)

    def module_command(self, module: str, *arguments: str) -> list[str]:
        options = ["--background", "--factory-startup", "--python-exit-code", "1", "--python", str(START_SCRIPT)]
        return [self.program, *options, "--", sysconfig.get_path("purelib"), module, *arguments]


def find_engine(blender: str | None = None) -> ProgramEngine:
    """The Blender to use.

    Args:
        blender: Name or path of an installed Blender; None for the ``bpy`` module.

    Raises:
        UsageError: There is no such program, or it does not start.
        AnimerunGenError: The module is not installed.
    """
    return BpyModule.find() if blender is None else InstalledBlender.find(blender)
