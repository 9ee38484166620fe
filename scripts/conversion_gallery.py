"""Draws the pictures of docs/conversions.md: for each conversion one frame before and after it.

python scripts/conversion_gallery.py [--out docs/images/conversions] [--only NAME ...]

Before and after are two cuts that differ in the conversion alone; only "film look" begins with the film's own render.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from animerun_gen.config import load_cuts
from animerun_gen.dataset import Dataset, read_image, write_image
from animerun_gen.engines.job import RenderJob
from animerun_gen.engines.protocol import write_request

PROJECT = Path(__file__).resolve().parent.parent
FILM = "film"
"""Stands for the film's own render in place of a configuration."""

GAP = 8
Picture = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Entry:
    """One conversion.

    Attributes:
        name: Of its picture.
        config: Configuration that both cuts inherit, relative to the project.
        frame: The frame that is shown.
        before: What the cut before it says besides, as YAML; :data:`FILM`.
        after: What the cut after it says besides.
        pictures: Modality that is shown of each.
    """

    name: str
    config: str
    frame: int
    before: str
    after: str
    pictures: tuple[str, str] = ("frame", "frame")


NO_LIGHTS = "remove: {rules: [unseen, volumes, light_panels]}"

ENTRIES = (
    Entry("hair", "configs/conversions/meadow.yaml", 6, "hair: {mode: keep, systems: {'*': {mode: keep}}}", ""),
    Entry("particles", "configs/conversions/meadow.yaml", 10, "particles: {mode: remove}", ""),
    Entry("environment", "configs/conversions/backlot.yaml", 5, "remove: {rules: []}", NO_LIGHTS),
    Entry("illuminating", "configs/conversions/backlot.yaml", 5, NO_LIGHTS, ""),
    Entry("transparency", "configs/conversions/orchard.yaml", 4, "transparency: {alpha_textures: solid}", ""),
    Entry("film_look", "configs/conversions/backlot.yaml", 5, FILM, "keep: {objects: ['Street lamp*', Robot, Wisp]}"),
    Entry(
        "focal_length",
        "configs/conversions/vertigo.yaml",
        6,
        "camera_cuts: mark\ncamera_motion: {focal_length: keep}",
        "camera_cuts: mark",
    ),
    Entry(
        "camera",
        "configs/toy/festival.yaml",
        8,
        "",
        "camera_motion: {keyframes: [{frame: 1, location: [6.5, -9.5, 1.2], target: [0.2, 0, 2.2], lens: 32}, "
        "{frame: 16, location: [4.5, -10, 1.6], target: [0.2, 0, 2.2], lens: 32}]}",
    ),
    Entry("colours", "configs/conversions/backlot.yaml", 5, "style: {color_source: viewport}", ""),
    Entry("passes", "configs/toy/courier.yaml", 8, "", "recolor: {passes: 1}", ("frame", "color_1")),
)


def main() -> int:
    """Draw the pictures; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=PROJECT / "docs" / "images" / "conversions")
    parser.add_argument("--only", nargs="+", metavar="NAME", help="draw these only")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="animerun-gen-") as scratch:
        for entry in ENTRIES:
            if options.only and entry.name not in options.only:
                continue
            sides = [_side(entry, which, Path(scratch)) for which in (0, 1)]
            gap = np.full((sides[0].shape[0], GAP, 3), 255, np.uint8)
            path = options.out / f"{entry.name}.png"
            write_image(path, np.ascontiguousarray(np.concatenate([sides[0], gap, sides[1]], axis=1)))
            print(f"{path.name}: {path.stat().st_size / 1e3:.0f} kB", flush=True)
    return 0


def _side(entry: Entry, which: int, scratch: Path) -> Picture:
    """The picture before (0) or after (1) a conversion."""
    text = (entry.before, entry.after)[which]
    name = f"{entry.name}_{('before', 'after')[which]}"
    is_film = text == FILM
    config = scratch / f"{name}.yaml"
    config.write_text(f"inherit: {PROJECT / entry.config}\nname: {name}\n{'' if is_film else text}\n", encoding="utf-8")
    if is_film:
        return _film_frame(config, entry.frame, scratch)
    modality = entry.pictures[which]
    # passes need all frames of the clip, and labels
    whole = modality != "frame"
    command = ["generate" if whole else "render", str(config), "--out", str(scratch / "dataset")]
    if not whole:
        command += ["--frames", f"{entry.frame}:{entry.frame + 1}"]
    _run(["-m", "animerun_gen", *command])
    clip = Dataset(scratch / "dataset").clip(name)
    return np.asarray(clip.read(modality, entry.frame), np.uint8)


def _film_frame(config: Path, frame: int, scratch: Path) -> Picture:
    (loaded,) = load_cuts([config])
    job, picture = scratch / "job.json", scratch / "film.png"
    write_request(job, RenderJob(loaded.config, scratch))
    _run(["-m", "animerun_gen.blender.film_frame", str(job), str(frame), str(picture)])
    return np.asarray(read_image(picture), np.uint8)


def _run(arguments: list[str]) -> None:
    result = subprocess.run([sys.executable, *arguments], capture_output=True, text=True, errors="replace", cwd=PROJECT)
    if result.returncode != 0:
        raise SystemExit(f"{' '.join(arguments)} failed:\n{result.stdout}\n{result.stderr}")


if __name__ == "__main__":
    cv2.setNumThreads(1)
    sys.exit(main())
