"""Makes the same clips with several Blenders and says in which files and pixels they differ, and why.

python scripts/compare_versions.py --python .venv-bpy-5.0.1/bin/python --blender blender [--frames 4] [--keep FOLDER]

The Blender module of this Python makes the clips that the others are held against; ``--python`` names the Python of
another environment (scripts/setup.sh makes them), ``--blender`` an installed program, each as often as you like.  It
prints a table in Markdown, and the clips that differ with the reason; docs/versions.md shows it.

Ends with status 1 when a Blender fails, or where its flow differs by 1e-3 px or more, or its flat colours by more than
1 of 255, on surfaces that both see.
"""

from __future__ import annotations

import argparse
import filecmp
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from animerun_gen.config import CutConfig, load_cuts
from animerun_gen.dataset import ClipFiles, Dataset, read_json
from animerun_gen.engines.blend_file import version_of
from animerun_gen.errors import AnimerunGenError

PROJECT = Path(__file__).resolve().parent.parent
CONFIGS = (PROJECT / "configs" / "toy", PROJECT / "configs" / "conversions")

MOST_FLOW = 1e-3
"""Flow on surfaces that both Blenders see may differ by less than so many pixels."""

MOST_COLOR = 1
"""Flat colours there may differ by so much of 255."""

MOVES_OTHERWISE = {"vertigo": ((5, 1), "its camera is shaken by a NOISE modifier of F-curves, another since 5.1")}
"""Clips in which Blender itself moves something otherwise since a version, which no agreement can be asked of."""

NEAR = 2
"""A line pixel has its like in the other picture within so many pixels, or is another line."""

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Engine:
    """A Blender, and how it is made to render.

    Attributes:
        python: The Python that runs the program.
        blender: An installed Blender that it is to use; None for its own module.
    """

    python: str
    blender: str | None = None

    def generate(self, configs: Path, output: Path) -> None:
        """Make all cuts of a folder.

        Raises:
            AnimerunGenError: It cannot.
        """
        command = [self.python, "-m", "animerun_gen", "generate", str(configs), "--out", str(output)]
        if self.blender is not None:
            command += ["--blender", self.blender]
        libraries = os.pathsep.join(filter(None, [str(PROJECT), os.environ.get("PYTHONPATH", "")]))
        result = subprocess.run(
            command, capture_output=True, text=True, cwd=PROJECT, env=os.environ | {"PYTHONPATH": libraries}
        )
        if result.returncode != 0:
            said = [line for line in result.stdout.splitlines() if "failed:" in line]
            raise AnimerunGenError(f"{' '.join(command)} failed: {' '.join(said) or result.stderr[-500:]}")


@dataclass(frozen=True)
class Difference:
    """How the clip of one Blender differs from that of another.

    Attributes:
        files: How many files both have.
        equal: How many of them are equal.
        pixels: How many pixels of surfaces are compared.
        surfaces: How many of them show another object or material.
        inside: How many of those do not lie at the border of a surface.
        flow: Largest difference of flow that both know, on surfaces that both see, in pixels.
        known: How many motion pixels, on surfaces that both see, only one of the two knows.
        color: Largest difference of flat colours away from borders, of 255.
        lines: How many pixels are line in one of the two only.
        other_lines: How many of those are not near a line of the other.
    """

    files: int
    equal: int
    pixels: int
    surfaces: int
    inside: int
    flow: float
    known: int
    color: int
    lines: int
    other_lines: int

    @property
    def is_good(self) -> bool:
        """Whether the two agree as far as two Blenders have to."""
        return self.flow < MOST_FLOW and self.color <= MOST_COLOR and self.inside == 0

    def reasons(self) -> list[str]:
        """Why files differ, in words."""
        found = []
        if self.surfaces:
            where = "at borders of surfaces, which are rounded otherwise" if not self.inside else "INSIDE SURFACES"
            found.append(f"{self.surfaces:,} pixels show another surface, {where}")
        if self.lines:
            beside = f"{self.other_lines:,} of them other lines" if self.other_lines else "all beside a line of both"
            found.append(f"{self.lines:,} line pixels, {beside}")
        if self.known:
            found.append(f"{self.known:,} motion pixels are known to one only")
        if self.flow > 0:
            found.append(f"flow by up to {self.flow:.1g} px")
        if self.color:
            found.append(f"colours by up to {self.color} of 255")
        return found


def small_configs(folder: Path, frames: int, sources: Sequence[Path] = CONFIGS, width: int = 240) -> Path:
    """Write the cuts of folders anew, small and short.

    Args:
        folder: Where to.
        frames: How many frames of each.
        sources: Configurations, or folders of them.
        width: Of the pictures, in pixels.

    Returns:
        The folder.

    Raises:
        AnimerunGenError: A configuration cannot be read.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for cut in load_cuts(list(sources)):
        config: CutConfig = cut.config
        numbers = config.frame_numbers[:frames]
        height = round(width * config.resolution[1] / config.resolution[0])
        (folder / f"{config.name}.yaml").write_text(
            f"inherit: {cut.path.resolve()}\nresolution: [{width}, {height}]\n"
            f"frames: {{first: {numbers[0]}, last: {numbers[-1]}, step: {config.frames.step}}}\n",
            encoding="utf-8",
        )
    return folder


def engine_of(clip: ClipFiles) -> str:
    """The Blender that made a clip, as its dataset says."""
    return str(read_json(clip.root / "manifest" / f"{clip.cut}.json")["made_with"]["engine"])


def compare(one: ClipFiles, other: ClipFiles) -> Difference:
    """Find out how a clip differs from the same clip made by another Blender."""
    files, equal = _equal_files(one, other)
    flow, known, surfaces, inside, color, lines, other_lines, pixels = 0.0, 0, 0, 0, 0, 0, 0, 0
    for frame in one.frame_numbers:
        same = _sees_same(one, other, frame)
        away = ~(_borders(one, frame) | _borders(other, frame))
        pixels += same.size
        surfaces += int((~same).sum())
        inside += int((~same & away).sum())
        apart = np.abs(one.read("flat", frame).astype(int) - other.read("flat", frame).astype(int)).max(axis=-1)
        color = max(color, int(apart[same & away].max(initial=0)))
        ink, others = one.read("contour", frame) == 0, other.read("contour", frame) == 0
        lines += int((ink != others).sum())
        other_lines += int((ink & ~_grown(others, NEAR)).sum() + (others & ~_grown(ink, NEAR)).sum())
    for earlier, later in pairwise(one.frame_numbers):
        for direction, source in (("forward", earlier), ("backward", later)):
            same = _sees_same(one, other, source)
            valid, others = (clip.read(f"valid_{direction}", source) for clip in (one, other))
            known += int((same & (valid != others)).sum())
            apart = np.abs(one.read(f"flow_{direction}", source) - other.read(f"flow_{direction}", source))
            flow = max(flow, float(apart[same & valid & others].max(initial=0.0)))
    return Difference(files, equal, pixels, surfaces, inside, flow, known, color, lines, other_lines)


def _equal_files(one: ClipFiles, other: ClipFiles) -> tuple[int, int]:
    """How many files of the clip there are, and how many are equal in both datasets."""
    names = [
        file.relative_to(one.root)
        for file in sorted((one.root / one.split).rglob("*"))
        if file.is_file() and one.cut in file.relative_to(one.root).parts
    ]
    equal = [name for name in names if filecmp.cmp(one.root / name, other.root / name, shallow=False)]
    return len(names), len(equal)


def _sees_same(one: ClipFiles, other: ClipFiles, frame: int) -> Mask:
    same = np.ones((), np.bool_)
    for name in ("object_id", "material_id"):
        same = same & (one.read(name, frame) == other.read(name, frame))
    return same


def _borders(clip: ClipFiles, frame: int) -> Mask:
    """The pixels beside which another object or material is seen."""
    kernel = np.ones((3, 3), np.uint8)
    found = np.zeros((), np.bool_)
    for name in ("object_id", "material_id"):
        ids = clip.read(name, frame).astype(np.uint16)
        found = found | (cv2.dilate(ids, kernel) != cv2.erode(ids, kernel))
    return found


def _grown(mask: Mask, reach: int) -> Mask:
    return cv2.dilate(mask.astype(np.uint8), np.ones((2 * reach + 1, 2 * reach + 1), np.uint8)) > 0


def table(rows: Sequence[tuple[str, str, Sequence[Difference]]]) -> list[str]:
    """The table in Markdown.

    Args:
        rows: A Blender, what it made, and how that differs.
    """
    lines = [
        "| Blender | clips | files equal | another surface | largest flow difference | flat colours | line pixels |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for engine, what, found in rows:
        equal, files = sum(each.equal for each in found), sum(each.files for each in found)
        pixels, surfaces = sum(each.pixels for each in found), sum(each.surfaces for each in found)
        flow, color = max(each.flow for each in found), max(each.color for each in found)
        ink = sum(each.lines for each in found)
        lines.append(
            f"| {engine} | {what} | {equal:,} of {files:,} | {surfaces:,} of {pixels:,} px | {flow:.1g} px | "
            f"{color} of 255 | {ink:,} px |"
        )
    return lines


def main() -> int:
    """Compare; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--python", action="append", default=[], metavar="PYTHON", help="Python with another bpy")
    parser.add_argument("--blender", action="append", default=[], metavar="PROGRAM", help="an installed Blender")
    parser.add_argument("--frames", type=int, default=4, help="how many frames of each clip (default: 4)")
    parser.add_argument("--width", type=int, default=240, help="width of the pictures in pixels (default: 240)")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="leave the datasets in this folder")
    options = parser.parse_args()
    engines = [Engine(sys.executable)]
    # not resolved: the Python of an environment is a link, and knows its packages by its own path
    engines += [Engine(os.path.abspath(python)) for python in options.python]
    engines += [Engine(sys.executable, blender) for blender in options.blender]
    with tempfile.TemporaryDirectory(prefix="animerun-gen-") as scratch:
        folder = options.keep or Path(scratch)
        try:
            return _compare_all(engines, folder, options.frames, options.width)
        except AnimerunGenError as error:
            print(error, file=sys.stderr)
            return 1


def _compare_all(engines: Sequence[Engine], folder: Path, frames: int, width: int) -> int:
    groups = {source.name: small_configs(folder / source.name, frames, [source], width) for source in CONFIGS}
    first: dict[str, Dataset] = {}
    rows: list[tuple[str, str, list[Difference]]] = []
    reasons = []
    for number, engine in enumerate(engines):
        for name, configs in groups.items():
            output = folder / f"made_{number}" / name
            engine.generate(configs, output)
            made = Dataset(output)
            if number == 0:
                first[name] = made
                print(f"held against: {engine_of(made.clips()[0])}, {name}", flush=True)
                continue
            version = engine_of(made.clips()[0])
            found = {clip.cut: compare(first[name].clip(clip.cut), clip) for clip in made.clips()}
            for cut in [cut for cut in found if _moves_otherwise(cut, version)]:
                reasons.append(f"- {version}, {cut}: not compared: {MOVES_OTHERWISE[cut][1]}")
                del found[cut]
            rows.append((version, name, list(found.values())))
            for cut, difference in found.items():
                if difference.equal < difference.files:
                    reasons.append(f"- {version}, {cut}: {'; '.join(difference.reasons()) or 'labels'}")
    print("\n".join(["", *table(rows), "", *reasons]))
    return 0 if all(difference.is_good for _, _, found in rows for difference in found) else 1


def _moves_otherwise(cut: str, engine: str) -> bool:
    version = version_of(engine)
    return cut in MOVES_OTHERWISE and version is not None and version >= MOVES_OTHERWISE[cut][0]


if __name__ == "__main__":
    sys.exit(main())
