"""How a dataset is made: what :func:`animerun_gen.pipeline.run.generate` and the commands that call it can be told."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from animerun_gen.engines import PATIENCE
from animerun_gen.settings import File, Frames, Number, Whole, require, setting

if TYPE_CHECKING:
    from animerun_gen.engines.blenders import Engine


@dataclass(frozen=True)
class Options:
    """How to make a dataset.

    Attributes:
        output: Root folder of the dataset.
        engine: The Blender that renders; None: the one that ``blender`` names.
        frames: First and last frame to work on; None for all of each cut.
        workers: Processes that work side by side.
        scheduler: Address of the Dask scheduler whose workers do the work, all of which see the same files; None to do
            it here.
        patience: Seconds after which a process that neither reports nor computes is ended and its work restarted.
        chunk_frames: Frames of a cut that one Blender process renders; None for as many as suit the workers.  What is
            made does not depend on it.
        despite_memory: Whether frames are begun that are predicted not to fit into the memory.
        cross_check: Whether to compare the two motion backends.
        blender: Name or path of an installed Blender; None for the ``bpy`` module.
        render: Whether to do the Blender half.
        label: Whether to do the second half.
        announce: Whether notes and failures of cuts are told as they happen, and not in the summaries alone.

    Raises:
        ValueError: A value cannot be.

    Example:
        >>> from pathlib import Path
        >>> Options(Path("out/toy"), frames=(1, 6), workers=4).workers
        4
        >>> Options(Path("out/toy"), workers=0)
        Traceback (most recent call last):
        ValueError: workers must be 1 or more, not 0
    """

    output: Path = setting(names=("--out",), reads=File(), metavar="DATASET", help="root folder of the dataset")
    engine: Engine | None = None
    frames: tuple[int, int] | None = setting(
        None,
        reads=Frames(),
        metavar="A:B",
        help="work only on frames A to B (inclusive) of each cut, as its files are numbered; other frames stay, and "
        "where some of these are out of date the cut fails",
    )
    workers: int = setting(1, reads=Whole(1), metavar="N", help="number of worker processes (default: {default})")
    scheduler: str | None = setting(
        None,
        metavar="ADDRESS",
        help="run the work on the workers of this Dask scheduler, for example tcp://10.0.0.5:8786 (docs/farm.md)",
    )
    patience: float = setting(
        PATIENCE,
        reads=Number("a time in minutes, such as 10 or 0.5", 1 / 60, 7 * 24 * 60, unit=60.0),
        metavar="MINUTES",
        help="a process that neither reports nor computes for so long is ended and its work restarted (default: "
        "{default})",
    )
    chunk_frames: int | None = setting(
        None,
        reads=Whole(1),
        metavar="N",
        help="frames of a cut that one Blender process renders (default: as suits the workers, 6 to 100); what is made "
        "does not depend on it",
    )
    despite_memory: bool = setting(
        False, help="begin frames even if they are predicted not to fit into the memory (docs/scale.md)"
    )
    cross_check: bool = setting(
        False, help="compute motion with the Vector pass of Cycles as well and report how the two differ"
    )
    blender: str | None = setting(
        None, metavar="PROGRAM", help="use this installed Blender (3.4 or newer) instead of the bpy module"
    )
    render: bool = True
    label: bool = True
    announce: bool = True

    def __post_init__(self) -> None:
        require(self)
