"""Tries everything that making a dataset needs, and says for each failure how to mend it."""

from __future__ import annotations

import importlib
import os
import platform
import shutil
import sys
import tempfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

# of this package only what needs no library: a library that is missing is what this is asked about
from animerun_gen.errors import AnimerunGenError
from animerun_gen.terminal import say

if TYPE_CHECKING:
    from animerun_gen.engines.blenders import ProgramEngine

DEBIAN_PACKAGES = (
    "libegl1",
    "libgl1",
    "libgl1-mesa-dri",
    "libxrender1",
    "libxi6",
    "libxxf86vm1",
    "libxfixes3",
    "libsm6",
    "libxkbcommon0",
)
"""What Blender needs of a Debian system to draw without a display."""

APT_COMMAND = "apt-get install -y --no-install-recommends " + " ".join(DEBIAN_PACKAGES)

MODULES = {(3, 11): "bpy==4.5.15", (3, 13): "bpy==5.2.3"}
"""By version of Python the Blender module that setup.sh installs for it; there are others (docs/versions.md)."""

OTHER_BLENDER = (
    "use another Blender, one with Freestyle and of a version that docs/versions.md lists, such as bpy from PyPI"
)

MIN_MEMORY_GIB = 2.0
MIN_DISK_GIB = 2.0
PROBE = "animerun_gen.blender.probe"
PROBE_TIMEOUT = 600


@dataclass(frozen=True)
class Finding:
    """What one check found.

    Attributes:
        name: What was checked.
        good: Whether it is as it should be.
        found: What was found, in a few words.
        remedy: When it is not good: the command or step that mends it.
    """

    name: str
    good: bool
    found: str
    remedy: str = ""


def run_doctor(blender: str | None, output: Path) -> int:
    """Print all findings.

    Args:
        blender: An installed Blender to check, or None for the ``bpy`` module.
        output: The folder in which datasets are to be written.

    Returns:
        Exit status: 0 when everything is good, else 1.

    Raises:
        UsageError: There is no program of that name.
    """
    if blender is not None:
        # a slip in the command is no fault of what is installed; what is, is found below
        with suppress(ImportError):
            from animerun_gen.engines.blenders import find_program

            find_program(blender)
    healthy = True
    for check in checks(blender, output):
        try:
            findings = check()
        except ImportError as error:
            findings = [
                Finding("other checks", False, f"cannot be made ({error})", "install the libraries above first")
            ]
        for finding in findings:
            healthy &= finding.good
            say(f"{'ok  ' if finding.good else 'FAIL'}  {finding.name}: {finding.found}")
            if not finding.good:
                say(f"      -> {finding.remedy}")
    say("everything needed is installed" if healthy else "some checks failed; the lines with -> say what to do")
    return 0 if healthy else 1


def checks(blender: str | None, output: Path) -> list[Callable[[], list[Finding]]]:
    """The checks in the order in which they make sense."""
    return [
        check_python,
        check_libraries,
        check_memory,
        lambda: check_disk(output),
        lambda: check_blender(blender),
    ]


def check_python() -> list[Finding]:
    """Blender's module exists for few versions of Python."""
    good = sys.version_info[:2] in MODULES
    wanted = " or ".join(f"{major}.{minor} ({module})" for (major, minor), module in MODULES.items())
    remedy = f"install Python {wanted} and create the environment with it"
    return [Finding("Python", good, platform.python_version(), remedy)]


def check_libraries() -> list[Finding]:
    """The Python libraries import."""
    findings = []
    for module, package in (
        ("numpy", "numpy"),
        ("scipy", "scipy"),
        ("numba", "numba"),
        ("cv2", "opencv-python-headless"),
        ("skimage", "scikit-image"),
        ("pydantic", "pydantic"),
        ("yaml", "pyyaml"),
        ("jinja2", "jinja2"),
        ("psutil", "psutil"),
        ("zstandard", "zstandard"),
        ("anyascii", "anyascii"),
        ("tqdm", "tqdm"),
    ):
        try:
            version = getattr(importlib.import_module(module), "__version__", "imports")
            findings.append(Finding(package, True, str(version)))
        # a library whose compiled part does not fit fails in ways of its own
        except Exception as error:
            findings.append(Finding(package, False, str(error), f"{sys.executable} -m pip install {package}"))
    return findings


def check_memory() -> list[Finding]:
    """Memory that is free now, of the machine or of the control group (container, cluster job) that this runs in."""
    from animerun_gen.engines.processes import memory

    available = memory().available / 2**30
    return [
        Finding(
            "memory",
            available >= MIN_MEMORY_GIB,
            f"{available:.1f} GiB free",
            f"close other programs: even small scenes need {MIN_MEMORY_GIB:.0f} GiB",
        )
    ]


def check_disk(output: Path) -> list[Finding]:
    """Disk that is free where the dataset goes."""
    folder = output.absolute()
    while not os.path.exists(folder):
        folder = folder.parent
    free = shutil.disk_usage(folder).free / 2**30
    writable = folder.is_dir() and os.access(folder, os.W_OK | os.X_OK)
    return [
        Finding(
            "disk",
            free >= MIN_DISK_GIB and writable,
            f"{free:.1f} GiB free in {folder}" + ("" if writable else ", which cannot be written to"),
            "choose another folder with --out: a frame of 960x540 takes about 15 MB",
        )
    ]


def check_blender(blender: str | None) -> list[Finding]:
    """Blender starts, has a drawing context, and Workbench and Freestyle draw what they are asked for."""
    from animerun_gen.engines.blenders import find_engine

    try:
        engine = find_engine(blender)
    except AnimerunGenError as error:
        module = MODULES.get(sys.version_info[:2], "bpy")
        remedy = f"{sys.executable} -m pip install '{module}'" if blender is None else "apt-get install blender"
        return [Finding("Blender", False, error.what, remedy)]
    findings = [Finding("Blender", True, engine.version)]
    said, ended = _probe(engine)
    for key, name in (
        ("renderer", "OpenGL context (EGL)"),
        ("surface", "Workbench paints a surface"),
        ("background", "Workbench paints the background"),
        ("image", "Workbench leaves images out"),
        ("lines", "Freestyle"),
    ):
        value = said.get(key)
        good = value is not None and not value.startswith("failed")
        remedy = f"as root on Debian: {APT_COMMAND}" if value is None else OTHER_BLENDER
        findings.append(Finding(name, good, value or f"no answer: Blender {ended}", remedy))
    return findings


def _probe(engine: ProgramEngine) -> tuple[dict[str, str], str]:
    """Let Blender try; what it answered, and how it ended in words."""
    from animerun_gen.engines.conversation import Conversation

    said: dict[str, str] = {}
    with tempfile.TemporaryFile() as log:
        try:
            with Conversation(partial(engine.module_command, PROBE), None, log, PROBE_TIMEOUT) as conversation:
                for event in conversation.events():
                    if event["event"] == "found":
                        said[event["what"]] = str(event["answer"])
            ended = conversation.ended
        except OSError as error:
            ended = f"cannot be started ({error})"
        log.seek(0)
        words = " ".join(log.read().decode("utf-8", errors="replace").split())[-300:]
    return said, f"{ended}; it said: {words}" if words else ended
