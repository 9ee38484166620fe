"""Other people's datasets with the same samples as ours; :mod:`animerun_gen.dataset.others` has their trees."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from animerun_gen.dataset.others import (
    Found,
    find_atd12k,
    find_creative_flow,
    find_flying_things,
    find_linkto,
    find_sintel,
)
from animerun_gen.dataset.torch.batches import Transforms
from animerun_gen.dataset.torch.flow import FlowSamples, require_some


class _OtherSamples(FlowSamples):
    """What these have in common: which of the pictures of a sample are shown, and what is left out."""

    def __init__(
        self,
        found: Found,
        root: Path,
        split: str,
        transforms: Transforms | None,
        pictures: str,
        decoded: str | Path | None,
    ) -> None:
        samples, self.left_out = found
        if pictures != "random":
            lacking = [sample for sample in samples if pictures not in sample.images]
            self.left_out += [f"{sample.meta['scene']} has no pictures {pictures!r}" for sample in lacking]
            samples = [
                replace(sample, images={pictures: sample.images[pictures]})
                for sample in samples
                if pictures in sample.images
            ]
        require_some(samples, self.left_out, "sample", root, split)
        super().__init__(samples, transforms, decoded)


class Sintel(_OtherSamples):
    """Pairs of Sintel: ``images``, and of ``"training"`` also ``flows``, ``valids`` and ``occs``.

    Args:
        root: See :func:`animerun_gen.dataset.others.find_sintel`.
        split: ``"training"`` or ``"test"``.
        transforms: As :class:`~animerun_gen.dataset.torch.FlowPairs` has it, and so is ``decoded``.
        pictures: ``"clean"``, ``"final"``, or ``"random"``: one of them, drawn anew for each sample.
        decoded: The same.

    Raises:
        NoDatasetError: There is no such tree.
        DatasetError: There is no such sample.
    """

    def __init__(
        self,
        root: str | Path,
        split: str = "training",
        transforms: Transforms | None = None,
        *,
        pictures: str = "clean",
        decoded: str | Path | None = None,
    ) -> None:
        super().__init__(find_sintel(Path(root), split), Path(root), split, transforms, pictures, decoded)


class FlyingThings3D(_OtherSamples):
    """Pairs of FlyingThings3D: ``images``, ``flows`` and ``valids``.

    Args:
        root: See :func:`animerun_gen.dataset.others.find_flying_things`, and so are ``directions`` and ``camera``.
        split: ``"TRAIN"`` or ``"TEST"``.
        transforms: As :class:`~animerun_gen.dataset.torch.FlowPairs` has it, and so is ``decoded``.
        pictures: ``"frames_cleanpass"``, ``"frames_finalpass"`` or ``"random"``.
        directions: The same.
        camera: The same.
        decoded: The same.

    Raises:
        NoDatasetError: There is no such tree.
        DatasetError: There is no such sample.
    """

    def __init__(
        self,
        root: str | Path,
        split: str = "TRAIN",
        transforms: Transforms | None = None,
        *,
        pictures: str = "frames_cleanpass",
        directions: Sequence[str] = ("into_future",),
        camera: str = "left",
        decoded: str | Path | None = None,
    ) -> None:
        found = find_flying_things(Path(root), split, directions, camera)
        super().__init__(found, Path(root), split, transforms, pictures, decoded)


class CreativeFlow(_OtherSamples):
    """Pairs of Creative Flow+, decompressed: ``images``, ``flows`` and ``valids``.

    Args:
        root: See :func:`animerun_gen.dataset.others.find_creative_flow`.
        split: ``"train"`` or ``"test"``.
        transforms: As :class:`~animerun_gen.dataset.torch.FlowPairs` has it, and so is ``decoded``.
        pictures: Name of a style, or ``"random"``: one of those that the scene has.
        decoded: The same.

    Raises:
        NoDatasetError: There is no such tree.
        DatasetError: There is no such sample.
    """

    def __init__(
        self,
        root: str | Path,
        split: str = "train",
        transforms: Transforms | None = None,
        *,
        pictures: str = "random",
        decoded: str | Path | None = None,
    ) -> None:
        super().__init__(find_creative_flow(Path(root), split), Path(root), split, transforms, pictures, decoded)


class ATD12K(_OtherSamples):
    """Triplets of ATD-12K: three ``images``, and no flow.

    Args:
        root: See :func:`animerun_gen.dataset.others.find_atd12k`.
        split: ``"train_10k"``, ``"test_2k_540p"`` or another of its folders.
        transforms: As :class:`~animerun_gen.dataset.torch.FlowPairs` has it, and so is ``decoded``.
        decoded: The same.

    Raises:
        NoDatasetError: There is no such tree.
        DatasetError: There is no such sample.
    """

    def __init__(
        self,
        root: str | Path,
        split: str = "train_10k",
        transforms: Transforms | None = None,
        *,
        decoded: str | Path | None = None,
    ) -> None:
        super().__init__(find_atd12k(Path(root), split), Path(root), split, transforms, "frame", decoded)


class LinkToAnime(_OtherSamples):
    """Pairs of LinkTo-Anime: ``images``, ``flows`` and ``valids``; OpenEXR files need the package OpenEXR or OpenCV 4.

    Args:
        root: See :func:`animerun_gen.dataset.others.find_linkto`.
        split: ``"train"``, ``"val"`` or ``"test"``.
        transforms: As :class:`~animerun_gen.dataset.torch.FlowPairs` has it, and so is ``decoded``.
        pictures: Name of a folder of renderings, or ``"random"``: one of those that the view has.
        decoded: The same.

    Raises:
        NoDatasetError: There is no such tree.
        DatasetError: There is no such sample.
    """

    def __init__(
        self,
        root: str | Path,
        split: str = "train",
        transforms: Transforms | None = None,
        *,
        pictures: str = "random",
        decoded: str | Path | None = None,
    ) -> None:
        super().__init__(find_linkto(Path(root), split), Path(root), split, transforms, pictures, decoded)
