"""The triplets of frames that interpolation is measured on: the middle one is to be made of the two others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from animerun_gen.benchmark.clips import chosen_clips
from animerun_gen.benchmark.options import ALL_SPLITS, EvaluationOptions
from animerun_gen.dataset.others import find_atd12k
from animerun_gen.dataset.pairs import ClipIndex, pictures_of
from animerun_gen.errors import NoDatasetError

ATD12K_SPLITS = {"test": "test_2k_540p", "train": "train_10k"}
"""The splits of ATD-12K, and their folders."""

ATD12K_ANNOTATIONS = {"test_2k_540p": ("test_2k_annotations", "test_2k_ann")}
"""The folders that the annotations of a folder may lie in: the published script and the published page differ."""

TRIPLETS_A_GROUP = 100
"""So many triplets without a clip are measured together: a run that was stopped goes on after them."""


@dataclass(frozen=True)
class Triplet:
    """Three frames.

    Attributes:
        frames: What tells it from the others of its group: numbers of the frames, or its name.
        pictures: The files of the first, the middle and the last frame.
        predictions: Where a prediction of the middle frame may lie below a folder of predictions, without suffix; the
            first one is where we write it.
        labels: The files of its clip, where it has labels.
        annotation: The file of its annotation in ATD-12K.
    """

    frames: tuple[int | str, ...]
    pictures: tuple[Path, Path, Path]
    predictions: tuple[str, ...]
    labels: ClipIndex | None = None
    annotation: Path | None = None

    @property
    def numbers(self) -> tuple[int, int, int]:
        """The numbers of its frames; only where it has labels."""
        first, middle, last = map(int, self.frames)
        return first, middle, last

    @property
    def name(self) -> str:
        """What it is called in sentences."""
        return "-".join(map(str, self.frames))


@dataclass(frozen=True)
class Triplets:
    """What there is to measure.

    Attributes:
        groups: Split and name of a clip, or of some triplets, to its triplets.
        annotated: Whether they are those of ATD-12K, whose annotations say how difficult they are.
        left_out: A sentence for each triplet that cannot be measured.
    """

    groups: Mapping[tuple[str, str], Sequence[Triplet]]
    annotated: bool = False
    left_out: Sequence[str] = field(default_factory=tuple)


def find_triplets(options: EvaluationOptions) -> Triplets:
    """The triplets of a dataset: of clips all that are neighbours, each frame but the outermost once in the middle.

    Args:
        options: Which dataset, and what of it.  ``--cut`` names clips, or triplets of ATD-12K.

    Raises:
        NoDatasetError: There is no such dataset, split or cut, or there are no triplets in it.
        DatasetError: A folder cannot be read.
    """
    root = options.dataset
    is_atd = any((root / folder).is_dir() for folder in ATD12K_SPLITS.values())
    found = _of_atd12k(options) if is_atd else _of_clips(options)
    if not found.groups:
        what = f": {found.left_out[0]}" if found.left_out else ""
        raise NoDatasetError(
            f"has no triplets of frames{what}", root, "choose other cuts, or other splits with --split"
        )
    return found


def _of_clips(options: EvaluationOptions) -> Triplets:
    groups: dict[tuple[str, str], list[Triplet]] = {}
    left_out = []
    for clip in chosen_clips(options):
        index = ClipIndex.look(clip)
        for place in range(len(index.numbers) - 2):
            row = index.numbers[place : place + 3]
            pictures = pictures_of(index, row, options.pictures).get(options.pictures)
            if pictures is None:
                left_out.append(f"{clip.cut} {'-'.join(map(str, row))} has no {options.pictures} of all its frames")
                continue
            stem, cut, split = pictures[1].stem, clip.cut, clip.split
            # the truth itself can be measured, too
            shown = pictures[1].relative_to(clip.root).with_suffix("").as_posix()
            places = (f"{split}/{cut}/{stem}", f"{cut}/{stem}", shown)
            triplet = Triplet(row, (pictures[0], pictures[1], pictures[2]), places, index)
            groups.setdefault((split, cut), []).append(triplet)
    return Triplets(groups, left_out=left_out)


def _of_atd12k(options: EvaluationOptions) -> Triplets:
    there = [split for split, folder in ATD12K_SPLITS.items() if (options.dataset / folder).is_dir()]
    splits = there if ALL_SPLITS in options.splits else options.splits
    groups: dict[tuple[str, str], list[Triplet]] = {}
    left_out: list[str] = []
    for split in splits:
        if split not in there:
            raise NoDatasetError(f"has no split '{split}'", options.dataset, f"choose among {', '.join(there)}")
        folder = ATD12K_SPLITS[split]
        samples, lacking = find_atd12k(options.dataset, folder)
        left_out += lacking
        chosen = [sample for sample in samples if not options.cuts or sample.meta["scene"] in options.cuts]
        for start in range(0, len(chosen), TRIPLETS_A_GROUP):
            some = chosen[start : start + TRIPLETS_A_GROUP]
            groups[split, f"{start + 1:05d}-{start + len(some):05d}"] = [
                _annotated(options.dataset, folder, sample.meta["scene"], sample.images["frame"]) for sample in some
            ]
    return Triplets(groups, annotated=True, left_out=left_out)


def _annotated(root: Path, folder: str, name: str, pictures: tuple[Path, ...]) -> Triplet:
    stem = pictures[1].stem
    # the published script names the file like its folder
    annotations = (
        root / place / name / f"{name}.json" for place in ATD12K_ANNOTATIONS.get(folder, ()) if (root / place).is_dir()
    )
    found = next((path for path in annotations if path.is_file()), None)
    first, middle, last = pictures
    return Triplet((name,), (first, middle, last), (f"{name}/{stem}", f"{folder}/{name}/{stem}"), annotation=found)
