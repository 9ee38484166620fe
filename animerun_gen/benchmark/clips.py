"""Which clips of a dataset are measured, and what their figures depend on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path

from animerun_gen import __version__
from animerun_gen.benchmark.options import ALL_SPLITS, EvaluationOptions
from animerun_gen.dataset import ClipFiles, Dataset
from animerun_gen.dataset.checksums import digest_of, file_digest
from animerun_gen.dataset.files import json_bytes, refused
from animerun_gen.errors import NoDatasetError


def chosen_clips(options: EvaluationOptions) -> list[ClipFiles]:
    """The clips that are measured, in the order of the dataset.

    Raises:
        NoDatasetError: There is no such dataset, split or cut.
    """
    dataset = Dataset(options.dataset)
    splits = dataset.splits if ALL_SPLITS in options.splits else options.splits
    for split in splits:
        if split not in dataset.splits:
            there = ", ".join(dataset.splits)
            remedy = f"choose with --split among {there}, {ALL_SPLITS}"
            raise NoDatasetError(f"has no split '{split}'", dataset.root, remedy)
    for cut in options.cuts:
        # of which there must be one
        dataset.clip(cut)
    clips = [
        clip for clip in dataset.clips() if clip.split in splits and (not options.cuts or clip.cut in options.cuts)
    ]
    if not clips:
        raise NoDatasetError("has no cuts to measure", dataset.root, "choose other cuts, or other splits with --split")
    return clips


def states_of(decided: object, paths: Iterable[Path]) -> str:
    """Checksum of what figures depend on: the version, what was decided, and the state of files.

    Args:
        decided: Anything that JSON can hold.
        paths: The files.

    Raises:
        DatasetError: One is not there any more.
    """
    states = []
    for path in paths:
        try:
            status = path.stat()
        except OSError as error:
            raise refused("cannot be read", path, error, "put it there again") from error
        states.append([str(path), status.st_size, status.st_mtime_ns])
    return digest_of(json_bytes([__version__, decided, states]))


def truth_of(labels: Iterable[tuple[Iterable[str | int], Mapping[str, Path]]]) -> str:
    """Checksum of what is measured against, by which results of the same truth are recognised.

    Sizes would not do: a file of flow has the same size whatever it holds.

    Args:
        labels: Of each pair what it is called, and the files of its labels by what they are.

    Raises:
        DatasetError: A file cannot be read.
    """
    # neighbours share files
    digest = cache(file_digest)
    digests = [[list(names), {what: digest(path) for what, path in files.items()}] for names, files in labels]
    return digest_of(json_bytes(digests))
