"""Predicted flow in a folder, whoever made it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt

from animerun_gen.config.messages import and_more
from animerun_gen.conventions import UNKNOWN_FLOW_THRESHOLD
from animerun_gen.dataset import files
from animerun_gen.errors import DatasetError

Flow = npt.NDArray[np.float32]

FOLDERS = ("{cut}", "{split}/{cut}", "Flow/{cut}/forward", "{split}/Flow/{cut}/forward")
"""Where the predictions of a clip are looked for, in this order."""

SUFFIXES = (".flo", ".png", ".npy")
"""Of the formats that predictions are read from, in the order in which they are looked for."""

_KITTI_ZERO, _KITTI_STEPS = 1 << 15, 64.0


def find_predictions(root: Path, split: str, cut: str, names: Mapping[int, str]) -> dict[int, Path]:
    """The files of a clip.

    Args:
        root: The folder of all predictions.
        split: The clip's split.
        cut: Its name.
        names: First frame of each pair to the name of its frame's file, without suffix.

    Raises:
        DatasetError: One is missing.
    """
    for folder in (root / form.format(split=split, cut=cut) for form in FOLDERS):
        if folder.is_dir():
            found = {frame: _find(folder, frame, name) for frame, name in names.items()}
            there = {frame: path for frame, path in found.items() if path is not None}
            if len(there) < len(names):
                lacking = [f"{name}{SUFFIXES[0]}" for frame, name in names.items() if found[frame] is None]
                formats = " or ".join(SUFFIXES[1:])
                raise DatasetError(f"has no prediction {and_more(lacking, 3)}", folder, f"add them, or as {formats}")
            return there
    example = next(iter(names.values()))
    raise DatasetError(
        f"has no folder {cut} with predictions such as {example}{SUFFIXES[0]}", root, "add it, or leave the cut out"
    )


def _find(folder: Path, frame: int, name: str) -> Path | None:
    for stem in dict.fromkeys((name, f"{frame:04d}")):
        for suffix in SUFFIXES:
            if (path := folder / f"{stem}{suffix}").is_file():
                return path
    return None


def read_prediction(path: Path) -> Flow:
    """Read one file.

    Returns:
        ``(H, W, 2)`` float32, pixels; NaN where the file says that there is no prediction.

    Raises:
        DatasetError: It is missing, damaged, or of another shape or type.
    """
    if path.suffix == ".flo":
        return files.read_flow(path)
    if path.suffix == ".png":
        return _read_kitti(path)
    array = files.read_array(path)
    if array.ndim != 3 or array.shape[2] != 2 or array.dtype.kind != "f":
        raise DatasetError(f"is an array of {array.dtype} with shape {array.shape}", path, "save float (H, W, 2)")
    return array.astype(np.float32)


def _read_kitti(path: Path) -> Flow:
    picture = files.read_image(path)
    if picture.ndim != 3 or picture.dtype != np.uint16:
        raise DatasetError(
            "is no flow of KITTI: that is a PNG file with three channels of 16 bits",
            path,
            f"write it so, or as {' or '.join(suffix for suffix in SUFFIXES if suffix != path.suffix)}",
        )
    flow = ((picture[..., :2].astype(np.float64) - _KITTI_ZERO) / _KITTI_STEPS).astype(np.float32)
    flow[picture[..., 2] == 0] = np.nan
    return flow


def require_usable(flow: Flow, valid: npt.NDArray[np.bool_], where: Path | str) -> None:
    """See whether a prediction can be measured.

    Raises:
        DatasetError: It is of another size than the truth, or has no finite motion where it is measured.
    """
    if flow.shape != (*valid.shape, 2):
        wanted, there = f"{valid.shape[1]} x {valid.shape[0]}", f"{flow.shape[1]} x {flow.shape[0]}"
        raise DatasetError(
            f"is a prediction of {there} pixels, but the frames have {wanted}",
            where,
            "make it for frames of full size, vectors included",
        )
    with np.errstate(invalid="ignore"):
        lacking = ~(np.abs(flow) < UNKNOWN_FLOW_THRESHOLD).all(axis=2) & valid
    if count := int(lacking.sum()):
        row, column = np.argwhere(lacking)[0]
        raise DatasetError(
            f"has no finite motion at {count:,} of {int(valid.sum()):,} pixels that are measured, the first one in row"
            f" {row}, column {column}",
            where,
            "predict every pixel",
        )
