"""Predicted matches on disk: a JSON file for each pair, in the layout of the dataset's own matches.

``FOLDER/<cut>/<stem>.json``, where the stem is that of the source frame, such as ``0186``; with a folder
``forward`` between the two as in ``SegMatching`` it is read as well.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from animerun_gen.dataset import ClipFiles, files
from animerun_gen.errors import DatasetError


def prediction_path(folder: Path, clip: ClipFiles, frame: int) -> Path:
    """Where the prediction of a pair lies, or would.

    Args:
        folder: The folder of predictions.
        clip: The clip.
        frame: Its source frame.
    """
    # published stems differ from film to film; ours of the same frame may stand for them
    names = dict.fromkeys([clip.path("match_forward", frame).name, f"{frame:04d}.json"])
    places = [between / name for name in names for between in (folder / clip.cut, folder / clip.cut / "forward")]
    return next((place for place in places if place.is_file()), places[0])


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
    if len(matches) != source_count:
        raise DatasetError(
            f"predicts matches of {len(matches)} segments, but the source frame has {source_count}",
            path,
            "predict them from the segments of this dataset",
        )
    predicted = [targets[0] for targets in matches]
    for segment, target in enumerate(predicted):
        if target >= target_count:
            raise DatasetError(
                f"matches segment {segment} with {target}, but the target frame has the segments 0 to"
                f" {target_count - 1}",
                path,
                "predict them from the segments of this dataset",
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
