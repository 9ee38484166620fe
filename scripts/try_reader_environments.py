"""Installs the readers into environments of their own, one for each Python and numpy, and reads a dataset in each.

    python scripts/try_reader_environments.py out/demo          # every Python that is found here; a Markdown table
    python scripts/try_reader_environments.py --folder /tmp/envs --torch

Each environment gets what a stranger's would: ``pip install animerun-gen`` (a wheel of this folder), one of OpenCV's
packages and nothing else.  There every file of the dataset is read.  What was read has to be the same to the bit in
all of them, and nothing of what only the commands need may have been imported.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from animerun_gen.dataset import MODALITIES, ClipWriter, correspondence, line_ink, strokes
from animerun_gen.dataset.correspondence import Surfaces
from animerun_gen.dataset.layers import Amodal
from animerun_gen.dataset.line_ink import LineInk
from animerun_gen.dataset.named_arrays import NamedArray
from animerun_gen.dataset.strokes import Strokes

PROJECT = Path(__file__).resolve().parent.parent
PYTHONS = ("3.10", "3.11", "3.12", "3.13", "3.14")
NUMPYS = ("numpy==1.26.*", "numpy>=2")
OPENCVS = ("opencv-python-headless", "opencv-python")
"""Taken in turns: each works, and there is no need to try every one with every Python."""

HEAVY = "bpy numba pydantic scipy skimage yaml tqdm distributed psutil jinja2 torch"
READ_ALL = f"""
import hashlib, platform, sys
from pathlib import Path
import animerun_gen
from animerun_gen.dataset import MODALITIES, Dataset
digest, files = hashlib.sha256(), 0
for clip in Dataset(Path(sys.argv[1])).clips():
    for what in MODALITIES:
        for frame in clip.frames(what.name):
            if clip.has(what.name, frame):
                value = clip.read(what.name, frame)
                held = getattr(value, "arrays", None) or getattr(value, "__dict__", {{"": value}})
                for part in held.values():
                    digest.update(part.tobytes() if hasattr(part, "tobytes") else repr(part).encode())
                files += 1
    if clip.tracks_path.is_file():
        digest.update(clip.read_tracks().position.tobytes())
        files += 1
import cv2, numpy
heavy = sorted(set("{HEAVY}".split()) & set(sys.modules))
print(platform.python_version(), numpy.__version__, cv2.__version__, files, digest.hexdigest()[:12], *heavy)
"""
"""What is run in each environment; prints versions, how many files were read, a digest, and what it had no use for."""

TORCH_TOO = """
import sys
from torch.utils.data import DataLoader
from animerun_gen.dataset.torch import FlowPairs, collate
pairs = [p for split in ("train", "test") for p in [FlowPairs(sys.argv[1], split)] if len(p)]
print(sum(len(batch["meta"]) for p in pairs for batch in DataLoader(p, 1, num_workers=2, collate_fn=collate)))
"""


def find_python(version: str) -> str | None:
    """A Python of a version: on the PATH, or one of pyenv's."""
    root = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    candidates = [f"python{version}", *map(str, sorted(root.glob(f"versions/{version}.*/bin/python")))]
    for candidate in candidates:
        program = shutil.which(candidate)
        if program is None:
            continue
        answer = subprocess.run([program, "--version"], capture_output=True, text=True, check=False)
        if answer.returncode == 0 and answer.stdout.startswith(f"Python {version}."):
            return program
    return None


def write_example(root: Path) -> None:
    """A dataset with a file of every kind and frame, where none was given."""
    writer = ClipWriter(root, "train", "example")
    rng = np.random.default_rng(0)
    for what in MODALITIES:
        shape = tuple(side if isinstance(side, int) else {"H": 27, "W": 48}[side] for side in what.shape)
        for frame in what.frames(range(1, 5)):
            if what.content == "matches":
                writer.write(what.name, frame, [[frame, 1], [-1]])
            elif what.content == "surfaces":
                writer.write(what.name, frame, Surfaces(frame, of_nothing(correspondence.ARRAYS)))
            elif what.content == "strokes":
                writer.write(what.name, frame, Strokes(**of_nothing(strokes.ARRAYS)))
            elif what.content == "line_ink":
                arrays = of_nothing(line_ink.ARRAYS) | {"size": np.array([27, 48], np.int32)}
                writer.write(what.name, frame, LineInk(**arrays))
            elif what.content == "amodal":
                writer.write(what.name, frame, Amodal(27, 48, (), True, (), (), ()))
            elif what.content.endswith("mask"):
                writer.write(what.name, frame, rng.random(shape) < 0.5)
            else:
                writer.write(what.name, frame, (rng.random(shape) * 200).astype(what.dtype))


def of_nothing(table: Mapping[str, NamedArray]) -> dict[str, np.ndarray[Any, Any]]:
    """The arrays of a frame that shows nothing but the background."""
    sides = {"H": 27, "W": 48}
    arrays = {}
    for name, array in table.items():
        shape = [side if isinstance(side, int) else sides.get(side, int(side.endswith("+1"))) for side in array.shape]
        arrays[name] = np.zeros(shape, array.dtype)
        # maps of what each pixel shows
        if array.shape == ("H", "W"):
            arrays[name] -= 1
    return arrays


def run(*command: str | Path) -> tuple[bool, str]:
    """Whether a program succeeded, and the last line that it printed."""
    # nothing of this folder, and of where this runs, is to be found there
    clean = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "VIRTUAL_ENV")}
    answer = subprocess.run(
        [str(word) for word in command],
        capture_output=True,
        text=True,
        check=False,
        env=clean,
        cwd=tempfile.gettempdir(),
    )
    lines = (answer.stdout if answer.returncode == 0 else answer.stderr).strip().splitlines()
    return answer.returncode == 0, lines[-1] if lines else ""


def rows(folder: Path, dataset: Path, wheel: Path, with_torch: bool) -> Iterator[tuple[str, ...]]:
    """A row of the table for each environment: Python, numpy, OpenCV, what came of it, digest of what was read."""
    for version in PYTHONS:
        python = find_python(version)
        if python is None:
            yield version, "", "", "not tried: there is no such Python here", ""
            continue
        for index, numpy in enumerate(NUMPYS):
            opencv = OPENCVS[(PYTHONS.index(version) + index) % len(OPENCVS)]
            place = folder / f"py{version}-{re.sub(r'[^0-9.]', '', numpy).strip('.')}"
            own = place / "bin" / "python"
            if not own.exists():
                run(python, "-m", "venv", place)
            packages = [str(wheel), numpy, opencv, *(["torch"] if with_torch else [])]
            good, said = run(own, "-m", "pip", "install", "-q", "--only-binary", ":all:", *packages)
            if not good:
                yield version, numpy, opencv, f"cannot be installed: {said}", ""
                continue
            good, said = run(own, "-c", READ_ALL, dataset)
            if not good:
                yield version, numpy, opencv, f"**fails**: {said}", ""
                continue
            full, numpy_there, opencv_there, files, digest, *heavy = said.split()
            came = f"{files} files read" + (f", **imports {' '.join(heavy)}**" if heavy else "")
            if with_torch:
                good, said = run(own, "-c", TORCH_TOO, dataset)
                came += f"; {said} pairs by two workers" if good else f"; **torch fails**: {said}"
            yield full, numpy_there, f"{opencv} {opencv_there}", came, digest


def main() -> int:
    """Try all environments; the exit status is 1 where one fails, or reads something else than the others."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dataset", type=Path, nargs="?", help="what to read; without, a small one that is made")
    parser.add_argument("--folder", type=Path, help="where the environments are kept; without, they are thrown away")
    parser.add_argument("--torch", action="store_true", help="install torch as well, and load pairs with two workers")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = chosen.folder.resolve() if chosen.folder else Path(temporary)
        dataset = chosen.dataset.resolve() if chosen.dataset else Path(temporary) / "example"
        if chosen.dataset is None:
            write_example(dataset)
        wheels = Path(temporary) / "wheels"
        subprocess.run(
            [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", str(wheels), str(PROJECT)], check=True
        )
        [wheel] = wheels.glob("*.whl")
        print("| Python | numpy | OpenCV | what came of it | digest of what was read |")
        print("| --- | --- | --- | --- | --- |")
        found = []
        for row in rows(folder, dataset, wheel, chosen.torch):
            found.append(row)
            print(f"| {' | '.join(row)} |", flush=True)
    digests = {row[-1] for row in found if row[-1]}
    return int(len(digests) != 1 or any("**" in row[3] for row in found))


if __name__ == "__main__":
    sys.exit(main())
