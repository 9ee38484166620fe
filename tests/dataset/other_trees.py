"""Small trees in the forms of other people's datasets, in which everything says which frame it belongs to."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from animerun_gen.conventions import UNKNOWN_FLOW
from animerun_gen.dataset import files
from animerun_gen.dataset.opencv import cv2

HEIGHT, WIDTH = 6, 8


def picture(frame: int, style: int = 0) -> Any:
    """A frame of one colour."""
    image = np.empty((HEIGHT, WIDTH, 3), np.uint8)
    image[...] = (10 * frame, style, 7)
    return image


def motion(source: int, target: int) -> Any:
    """Flow that says from where to where and differs from pixel to pixel, with one that is unknown."""
    flow = np.zeros((HEIGHT, WIDTH, 2), np.float32)
    flow[..., 0], flow[..., 1] = source, target
    flow += np.arange(HEIGHT * WIDTH, dtype=np.float32).reshape(HEIGHT, WIDTH, 1) / 64
    flow[1, 2] = UNKNOWN_FLOW
    return flow


def row_of(length: int, place: int) -> Any:
    """A mask of the first pixels of a row."""
    mask = np.zeros((HEIGHT, WIDTH), bool)
    mask[place, :length] = True
    return mask


def write_pfm(path: Path, flow: Any, order: str) -> None:
    """A file of three channels whose rows go from the bottom up."""
    values = np.concatenate([flow, np.zeros_like(flow[..., :1])], axis=-1)[::-1]
    scale = "-1.0" if order == "<" else "1.0"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(f"PF\n{WIDTH} {HEIGHT}\n{scale}\n".encode() + values.astype(f"{order}f4").tobytes())


def write_jpeg(path: Path, image: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(cv2.imencode(".jpg", cv2.cvtColor(image, cv2.COLOR_RGB2BGR))[1].tobytes())


def sintel(root: Path) -> None:
    for scene in ("alley", "bamboo"):
        for frame in (1, 2, 3):
            for style, name in enumerate(("clean", "final")):
                for split in ("training", "test"):
                    files.write_image(root / split / name / scene / f"frame_{frame:04d}.png", picture(frame, style))
            files.write_mask(root / "training/invalid" / scene / f"frame_{frame:04d}.png", row_of(frame, 5))
        for frame in (1, 2):
            files.write_flow(root / "training/flow" / scene / f"frame_{frame:04d}.flo", motion(frame, frame + 1))
            files.write_mask(root / "training/occlusions" / scene / f"frame_{frame:04d}.png", row_of(frame, 0))


def flying_things(root: Path) -> None:
    for frame in (6, 7, 8):
        for style, name in enumerate(("frames_cleanpass", "frames_finalpass")):
            files.write_image(root / name / f"TRAIN/A/0000/left/{frame:04d}.png", picture(frame, style))
        # as published, each frame has flow both ways, and that of the first and last one leads to frames that are none
        for direction, word, step, order in (("into_future", "Future", 1, "<"), ("into_past", "Past", -1, ">")):
            name = f"OpticalFlowInto{word}_{frame:04d}_L.pfm"
            write_pfm(
                root / "optical_flow/TRAIN/A/0000" / direction / "left" / name, motion(frame, frame + step), order
            )


def creative_flow(root: Path) -> None:
    for split, scene, inside in (("train", "ball", ""), ("test", "cat", "cam0/")):
        for frame in range(3):
            for style in range(2):
                folder = root / split / scene / f"{inside}renders/composite/style{style}"
                files.write_image(folder / f"frame{frame:06d}.png", picture(frame, style))
        for frame in range(2):
            flow = root / split / scene / f"{inside}metadata/flow/flow{frame:06d}.flo"
            files.write_flow(flow, motion(frame, frame + 1))


def atd12k(root: Path) -> None:
    for name in ("a_1", "a_2"):
        for frame in (1, 2, 3):
            write_jpeg(root / "train_10k" / name / f"frame{frame}.jpg", picture(frame))
            files.write_image(root / "test_2k_540p" / name / f"frame{frame}.png", picture(frame))


def linkto(root: Path, write_exr: Callable[[Path, Any], None]) -> None:
    for view in ("front", "side"):
        base = root / "val/street/model_1" / view
        for frame in range(3):
            files.write_image(base / "model_1_Rendering" / f"{frame:04d}.png", picture(frame))
        for frame in range(2):
            write_exr(base / "model_1_Optical_flow_exr" / f"{frame:04d}.exr", motion(frame, frame + 1))
