"""A tree in the form of the published AnimeRun v2, made of a dataset of ours."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from animerun_gen.dataset import MODALITIES, ClipFiles, Dataset, files


def publish(dataset: Path, target: Path, prefixes: Mapping[str, str]) -> Path:
    """Write the published modalities of a dataset as the published data have them.

    That is: stems such as ``Image0186`` in some films and ``0186`` in others; line areas of the test split alone, as
    float64 and as integers, with pictures beside them; one backward occlusion less; masks and segments of various
    types; a pass in other colours, of some of the frames; and nothing beside, no manifest and no valid masks.

    Args:
        dataset: Root folder of a dataset of ours.
        target: The folder to write to.
        prefixes: By cut what stands before the numbers in its file names.

    Returns:
        ``target``.
    """
    for clip in Dataset(dataset).clips():
        for what in MODALITIES:
            if not what.published or (what.name == "line_area" and clip.split == "train"):
                continue
            frames = clip.frames(what.name)
            for frame in frames[:-1] if what.name == "occlusion_backward" else frames:
                source = clip.path(what.name, frame)
                file = target / source.relative_to(dataset)
                file = file.with_name(f"{prefixes[clip.cut]}{file.name}")
                file.parent.mkdir(parents=True, exist_ok=True)
                if file.suffix == ".npy":
                    dtype = ("float64", "int64", "uint8")[frame % 3] if what.name != "segment" else "int64"
                    files.write_array(file, files.read_array(source).astype(dtype))
                else:
                    file.write_bytes(source.read_bytes())
                if what.name == "line_area":
                    for beside in (f"{file.stem}.jpg", f"{file.stem}_line.png", f"{file.stem}_labelmap.jpg"):
                        (file.parent / beside).write_bytes(b"a picture")
        _add_pass(clip, target, prefixes[clip.cut])
    return target


def _add_pass(clip: ClipFiles, target: Path, prefix: str) -> None:
    folder = target / clip.split / "Frame_Anime" / clip.cut / "color_1"
    for frame in clip.frame_numbers[1:]:
        files.write_image(folder / f"{prefix}{frame:04d}.png", np.uint8(255) - clip.read("frame", frame))
