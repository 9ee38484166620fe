"""Remembers what a Blender held at most that rendered a cut, so that the first one of the next run is known too."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from pydantic import TypeAdapter

from animerun_gen.dataset import layout
from animerun_gen.errors import DatasetError
from animerun_gen.pipeline.state.record import read_kept, write_if_changed

NOTICEABLE = 1.05
"""A peak is written down where it is higher than the one that is known by this factor."""


@dataclass(frozen=True)
class _Peak:
    """Bytes that a Blender held at most, and a digest of everything that they depend on."""

    scene: str
    bytes: int


_PEAK = TypeAdapter(_Peak)


class WorkerMemory:
    """The peaks of a dataset's cuts.

    Args:
        output: Root folder of the dataset.
        digests: Of everything that a peak depends on, by cut.
    """

    def __init__(self, output: Path, digests: Mapping[str, str]) -> None:
        self._output = output
        self._digests = digests
        self._known: dict[str, int] = {}
        for cut, digest in digests.items():
            kept = read_kept(layout.worker_memory_file(output, cut), _PEAK)
            if kept is not None and kept.scene == digest:
                self._known[cut] = kept.bytes

    def known(self) -> dict[str, int]:
        """Bytes that a Blender held at most, by cut, where that was seen."""
        return dict(self._known)

    def saw(self, cut: str, peak: int) -> None:
        """A Blender that rendered a part of a cut held so many bytes at most.

        Parts differ, so less than what is known says nothing.  What cannot be written down is no failure of the cut.
        """
        if peak <= NOTICEABLE * self._known.get(cut, 0):
            return
        self._known[cut] = peak
        with suppress(DatasetError):
            write_if_changed(layout.worker_memory_file(self._output, cut), asdict(_Peak(self._digests[cut], peak)))
