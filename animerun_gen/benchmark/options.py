"""What a caller or the command line may choose of an evaluation."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from animerun_gen.settings import Choice, File, Whole, require, setting

ALL_SPLITS = "all"
"""Stands for every split that there is."""


@dataclass(frozen=True)
class EvaluationOptions:
    """What is measured, and on what.

    Raises:
        ValueError: A value cannot be.
    """

    dataset: Path = setting(placed=True, reads=File(), metavar="DATASET", help="root folder of the dataset")
    output: Path = setting(names=("--out",), reads=File(), metavar="DIR", help="folder for the result and its page")
    method: str | None = setting(
        None,
        metavar="NAME",
        help="the method to measure: dis, flow:dis, splat:dis ... (docs/benchmark_KIND.md lists them)",
    )
    predictions: Path | None = setting(
        None,
        reads=File(),
        metavar="FOLDER",
        help="measure the flow, matches or frames in this folder instead of running a method",
    )
    name: str | None = setting(None, metavar="TEXT", help="what the method is called in tables")
    trained_on: str = setting("", metavar="TEXT", help="what the method was trained on, for tables")
    splits: tuple[str, ...] = setting(
        ("test",),
        names=("--split",),
        several=True,
        metavar="NAME",
        help="measure these splits; all: every one (default: test)",
    )
    cuts: tuple[str, ...] = setting((), names=("--cut",), several=True, metavar="NAME", help="measure these cuts only")
    pictures: str = setting(
        "frame", metavar="NAME", help="what the method is shown: frame, contour, flat, color_1 (default: {default})"
    )
    checkpoint: str | None = setting(
        None, metavar="FILE|NAME", help="weights of a learned method: a file, or a name that its library knows"
    )
    random_weights: bool = setting(
        False, help="run a learned method without weights, to see that it runs; what it gives is no result"
    )
    device: str = setting(
        "auto", reads=Choice(("auto", "cpu", "cuda")), metavar="NAME", help="where learned methods run: auto, cpu, cuda"
    )
    save: Path | None = setting(None, reads=File(), metavar="FOLDER", help="also keep what the method predicts")
    compare: tuple[Path, ...] = setting(
        (),
        reads=File(),
        several=True,
        metavar="RESULT",
        help="show the result beside these, which must be of the same pairs and labels",
    )
    worst: int = setting(
        12,
        reads=Whole(0, 100),
        metavar="N",
        help="number of pairs (of triplets, in interpolation) that the page shows, worst first (default: {default})",
    )

    without_held: bool = setting(
        False, help="interpolation: leave out the triplets whose middle frame repeats a neighbour"
    )
    lpips: Path | None = setting(
        None,
        reads=File(),
        metavar="FILE",
        help="interpolation: measure LPIPS too, with torchvision's weights of AlexNet in this file",
    )

    def __post_init__(self) -> None:
        require(self)
