"""Frames with the motion between them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

from torch.utils.data import Dataset

from animerun_gen.dataset.decoded import Decoded
from animerun_gen.dataset.pairs import (
    Direction,
    OcclusionKind,
    SampleFiles,
    Wanted,
    chosen_clips,
    find_pairs,
    find_windows,
    read_sample,
    require_direction,
)
from animerun_gen.dataset.torch.batches import Transforms, drawn, settle_worker, to_tensors
from animerun_gen.errors import DatasetError


class FlowSamples(Dataset[Any]):
    """Rows of frames with flow, whichever dataset they are from.

    Args:
        samples: Their files.
        transforms: Takes a sample as arrays (:func:`animerun_gen.dataset.pairs.read_sample`) and returns what the
            dataset gives; None: :func:`~animerun_gen.dataset.torch.to_tensors`.
        decoded: A folder in which decoded pictures are kept, so that each is decoded once; None: nowhere.

    Attributes:
        samples: Their files.
    """

    def __init__(
        self,
        samples: Sequence[SampleFiles],
        transforms: Transforms | None = None,
        decoded: str | Path | None = None,
    ) -> None:
        self.samples = samples
        self.transforms = transforms
        self.decoded = None if decoded is None else Decoded(Path(decoded))

    def __len__(self) -> int:
        return len(self.samples)

    def __getitem__(self, index: int) -> Any:
        """A sample by its place.

        Raises:
            IndexError: There is none.
            DatasetError: A file of it is missing or damaged.
        """
        settle_worker()
        files = self.samples[index]
        sample = read_sample(files, drawn(list(files.images)), self.decoded)
        return (self.transforms or to_tensors)(sample)


class FlowPairs(FlowSamples):
    """Pairs of frames with flow, validity and occlusion.

    A sample has ``images`` (the frame where the arrows begin, and the one where they end), ``flows``, ``valids``,
    ``occs`` and ``meta``; with ``reverse`` also ``flows_b``, ``valids_b`` and ``occs_b``, from the second frame to the
    first.

    Args:
        root: Root folder of the dataset: the one that holds ``train`` and ``test``.
        split: ``"train"`` or another one that is there.
        transforms: See :class:`FlowSamples`.
        direction: ``"forward"``: from a frame to a later one; ``"backward"``: to an earlier one; ``"both"``: each pair
            twice, once each way.
        gaps: How many frames of the clip the two frames of a pair are apart, such as ``(1, 2, 4)``: those that
            ``motion.gaps`` made.
        pictures: ``"frame"``, ``"contour"``, ``"flat"`` or a pass such as ``"color_1"``; ``"random"``: the colour frame
            or one of the passes, drawn anew for each sample by torch's random numbers, the same for both frames.
        occlusion: ``"paper"``: as published, for gaps of 1; ``"exact"``: from the scene's geometry, where the extra
            ``exact_occlusion`` made it; None: none.
        reverse: Whether the motion back is given as well.
        cuts: Names of the cuts to take, or a text file with a name a line; None: all.  Split by cuts, never within one:
            neighbouring frames are nearly the same.
        decoded: See :class:`FlowSamples`.

    Attributes:
        samples: The files of each pair.
        left_out: A sentence for each pair that lacks something that is asked for.

    Raises:
        NoDatasetError: There is no such dataset, split or cut.
        DatasetError: There is no pair that has all that is asked for.

    Example:
        >>> pairs = FlowPairs("out/demo", "train", gaps=(1, 2), occlusion="exact", pictures="random")  # doctest: +SKIP
        >>> pairs[0]["flows"].shape  # doctest: +SKIP
        torch.Size([1, 2, 540, 960])
    """

    def __init__(
        self,
        root: str | Path,
        split: str = "train",
        transforms: Transforms | None = None,
        *,
        direction: Direction = "forward",
        gaps: Collection[int] = (1,),
        pictures: str = "frame",
        occlusion: OcclusionKind | None = "paper",
        reverse: bool = False,
        cuts: Collection[str] | Path | None = None,
        decoded: str | Path | None = None,
    ) -> None:
        require_direction(direction)
        if any(gap < 1 for gap in gaps):
            raise ValueError(f"gaps are {list(gaps)}; each must be 1 or more")
        if occlusion == "paper" and set(gaps) - {1}:
            raise ValueError("over gaps there is no occlusion by the paper's rule; set occlusion to 'exact' or None")
        clips = chosen_clips(Path(root), split, cuts)
        found, self.left_out = find_pairs(clips, Wanted(pictures, occlusion, reverse), direction, gaps)
        require_some(found, self.left_out, "pair of frames", Path(root), split)
        super().__init__(found, transforms, decoded)


class Clips(FlowSamples):
    """Rows of ``length`` neighbouring frames, with the motion from each to the next one.

    A sample has ``images`` (``length`` of them), ``flows``, ``valids`` and ``occs`` (one less each), and ``meta``; with
    ``reverse`` also the motion back in ``flows_b`` and so on.

    Args:
        root: As :class:`FlowPairs` has it, and so are the others that are not named here.
        split: The same.
        transforms: The same.
        length: Frames of a row, 2 or more.
        stride: How many frames of the clip the beginnings of two rows are apart.
        pictures: The same; one drawing stands for the whole row.
        occlusion: The same.
        reverse: The same.
        cuts: The same.
        decoded: The same.

    Attributes:
        samples: The files of each row.
        left_out: A sentence for each row that lacks something that is asked for.

    Raises:
        NoDatasetError: There is no such dataset, split or cut.
        DatasetError: There is no row that has all that is asked for.
    """

    def __init__(
        self,
        root: str | Path,
        split: str = "train",
        transforms: Transforms | None = None,
        *,
        length: int = 8,
        stride: int = 1,
        pictures: str = "frame",
        occlusion: OcclusionKind | None = "paper",
        reverse: bool = False,
        cuts: Collection[str] | Path | None = None,
        decoded: str | Path | None = None,
    ) -> None:
        if length < 2 or stride < 1:
            raise ValueError(f"length is {length} and stride {stride}; they must be at least 2 and 1")
        clips = chosen_clips(Path(root), split, cuts)
        found, self.left_out = find_windows(clips, Wanted(pictures, occlusion, reverse), length, stride)
        require_some(found, self.left_out, f"row of {length} frames", Path(root), split)
        super().__init__(found, transforms, decoded)


def require_some(found: Sequence[Any], left_out: Sequence[str], what: str, root: Path, split: str) -> None:
    """Refuse to be a dataset of nothing, which training code takes without a word.

    Raises:
        DatasetError: Nothing was found.
    """
    if not found:
        why = f": {left_out[0]}" if left_out else ""
        raise DatasetError(f"has no {what} with all that is asked for{why}", root / split, "ask for something else")
