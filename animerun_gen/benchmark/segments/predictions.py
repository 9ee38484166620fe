"""Predicted matches in a folder: a JSON file for each pair, in the layout of the dataset's own matches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from animerun_gen.dataset import files
from animerun_gen.errors import DatasetError

FOLDERS = (
    "{cut}",
    "{cut}/forward",
    "{split}/{cut}",
    "SegMatching/{cut}/forward",
    "{split}/SegMatching/{cut}/forward",
)
"""Where the predictions of a clip are looked for, in this order."""


def find_predictions(root: Path, split: str, cut: str, names: Mapping[int, str]) -> dict[int, Path]:
    """The files of a clip.

    Args:
        root: The folder of all predictions.
        split: The clip's split.
        cut: Its name.
        names: First frame of each pair to the name of its file of matches, without suffix.

    Raises:
        DatasetError: One is missing.
    """
    # a folder of a cut may hold nothing but the folder "forward"
    folders = [root / form.format(split=split, cut=cut) for form in FOLDERS]
    for folder in folders:
        if folder.is_dir() and any(folder.glob("*.json")):
            return {frame: _find(folder, frame, name) for frame, name in names.items()}
    raise DatasetError(
        f"has no folder {cut} with its predictions", root, f"make one with {next(iter(names.values()))}.json"
    )


def _find(folder: Path, frame: int, name: str) -> Path:
    # published stems differ from film to film
    for stem in dict.fromkeys((name, f"{frame:04d}")):
        if (path := folder / f"{stem}.json").is_file():
            return path
    raise DatasetError(f"has no prediction {name}.json", folder, "predict every pair")


def read_prediction(path: Path, source_count: int, target_count: int) -> list[int]:
    """Read the predicted matches of a pair.

    Args:
        path: The file: for each segment of the source frame a list of which the first entry counts, -1: occluded.
        source_count: How many segments the source frame has.
        target_count: How many the target frame has.

    Returns:
        For each segment of the source frame the match that counts, or -1.

    Raises:
        DatasetError: The file is missing or damaged, is about another number of segments, or names a segment that the
            target frame does not have.
    """
    matches = files.read_matches(path)
    remedy = "predict them from the segments of this dataset"
    if len(matches) != source_count:
        raise DatasetError(
            f"predicts matches of {len(matches)} segments, but the source frame has {source_count}", path, remedy
        )
    predicted = [targets[0] for targets in matches]
    for segment, target in enumerate(predicted):
        if target >= target_count:
            raise DatasetError(
                f"matches segment {segment} with {target}, but the target frame has the segments 0 to"
                f" {target_count - 1}",
                path,
                remedy,
            )
    return predicted


def write_prediction(path: Path, predicted: Sequence[int]) -> None:
    """Write the predicted matches of a pair as :func:`read_prediction` reads them.

    Args:
        path: The file; its folders are made.
        predicted: For each segment of the source frame a segment of the target frame, or -1.

    Raises:
        ValueError: A number is below -1.
        DatasetError: The file cannot be written.
    """
    files.write_matches(path, [[target] for target in predicted])
