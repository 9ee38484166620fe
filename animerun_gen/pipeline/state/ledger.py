"""The one record of a cut: what its files were made from, what was found out about it, and what went wrong.

It lies in the dataset's hidden folder as ``cuts/<cut>.json``.  A run reads it once (:func:`open_ledger`) and hands it
on from step to step; ``status``, ``verify`` and ``report`` read the same (:func:`read_ledger`).  Only a process that
holds the dataset's lock writes it, whole or not at all, and only when something in it has changed.

Each section says itself when it is stale: whoever asks compares what it was made from with what is there now.  Nothing
here, and nowhere in this program, compares a file's times with the clock: clocks jump.
"""

from __future__ import annotations

import json
import os
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal, TypedDict, Unpack

from pydantic import BaseModel, ConfigDict, ValidationError

from animerun_gen.dataset import layout
from animerun_gen.dataset.checksums import digest_of
from animerun_gen.dataset.files import read_json, write_compact_json
from animerun_gen.engines.questions import CameraMark
from animerun_gen.errors import DatasetError
from animerun_gen.lines.cost import LineFigures
from animerun_gen.pipeline.state import older_forms

VERSION: Literal[1] = 1
"""Of the ledger's form; one of another version counts as none."""

NOTICEABLE = 1.05
"""A peak of memory is written down where it is higher than the one that is known by this factor."""


class Section(BaseModel):
    """A part of the ledger; it is never changed, only replaced (see :meth:`Ledger.keep`)."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class MadeFrom(Section):
    """What a cut's files were made from; a stage whose fingerprint is another one now is made again.

    Attributes:
        fingerprints: Stage to a digest of everything its files depend on.
        inputs: Files besides the ``.blend``, name (see :mod:`animerun_gen.engines.film_files`) to SHA-256, as Blender
            named them when it opened it.  Stale as soon as one of them has another digest.
        notes: What opening and converting the scene had to say.
        decided: What was decided about the cut before its scene was opened, and why.
        config: The resolved configuration, from which ``verify --repair`` makes files again.
        engine: Version of the Blender that made the pictures and motion.
        source: SHA-256 of the ``.blend`` that they were made from.
        opened: Whether Blender has named the inputs.
    """

    fingerprints: dict[str, str] = {}
    inputs: dict[str, str] = {}
    notes: tuple[str, ...] = ()
    decided: tuple[str, ...] = ()
    config: dict[str, Any] = {}
    engine: str = ""
    source: str = ""
    opened: bool = False


class FoundMarks(Section):
    """The camera marks of a cut's film (``camera_cuts: split``), see :mod:`animerun_gen.pipeline.tasks.camera_cuts`.

    Attributes:
        digest: Of the scene and what else they depend on; stale where it is another one now.
        scene: Name of the scene that the configuration asked for.
        inputs: Libraries and images besides the ``.blend``, path to SHA-256; stale as soon as one has another.
        marks: The marks, by frame of the film.
    """

    digest: str
    scene: str | None
    inputs: dict[str, str]
    marks: tuple[CameraMark, ...]


class CountedLines(Section):
    """What Freestyle would have to do in a cut (``lines.engine: auto``), see
    :mod:`animerun_gen.pipeline.tasks.line_engine`.

    Attributes:
        scene: Digest of the scene and what else the figures depend on; stale where it is another one now.
        inputs: Files besides the ``.blend``, name to SHA-256; stale as soon as one has another.
        frames: The figures of each frame that was looked at.
    """

    scene: str
    inputs: dict[str, str]
    frames: tuple[LineFigures, ...]


class FoundLayers(Section):
    """The layers of a cut that leaves them open (``layers.groups: auto``), see
    :mod:`animerun_gen.pipeline.tasks.layer_choice`.

    Attributes:
        scene: Digest of the scene and what else they depend on; stale where it is another one now.
        inputs: Files besides the ``.blend``, name to SHA-256; stale as soon as one has another.
        groups: By the name of each layer, patterns of its objects.
    """

    scene: str
    inputs: dict[str, str]
    groups: dict[str, tuple[str, ...]]


class PeakMemory(Section):
    """What a Blender held at most that rendered the cut, so that the first one of the next run is known too.

    Attributes:
        scene: Digest of everything that it depends on; stale where it is another one now.
        bytes: Bytes of memory.
    """

    scene: str
    bytes: int


class Judged(Section):
    """What ``quality/<cut>.json`` was collected from, so that a run with nothing to do reads none of the figures.

    Attributes:
        basis: Stands for everything that the collection depends on, and for the file that it wrote; stale where it is
            another one now, see :mod:`animerun_gen.pipeline.state.figures`.
        frames: The frames that have figures, ascending.
        pairs: The earlier frames of the pairs that have figures, ascending.
        quality: SHA-256 of the file that it wrote.
    """

    basis: str
    frames: tuple[int, ...]
    pairs: tuple[int, ...]
    quality: str


class Checksums(Section):
    """The checksums of a cut's files that were computed, so that a run with nothing to do reads no file.

    Attributes:
        files: Path of a file below the folder of its split to its mark (see
            :func:`animerun_gen.pipeline.state.on_disk.mark`) and, behind a space, its SHA-256.  Stale where the file
            has another mark now.
        summed_up: Stands for the manifest and for what stands in it (:meth:`CutLedger.sources_of_sum`) that belong to
            these files, as long as nothing is wrong; empty otherwise.
    """

    files: dict[str, str] = {}
    summed_up: str = ""

    def digest(self, key: str, mark: str) -> str:
        """The SHA-256 of a file that has this mark now; empty where it is not known."""
        known, _, digest = self.files.get(key, "").rpartition(" ")
        return digest if known == mark else ""


class CutLedger(BaseModel):
    """All that is written down about a cut.

    Attributes:
        version: Of this form.
        made_from: What its files were made from; None where nothing of it was ever begun here.
        reading: What a run that was not finished was reading, path to mark, see
            :mod:`animerun_gen.pipeline.state.inputs`; empty when the last run finished.
        camera_marks: Where its film switches cameras; None where nobody asked.
        line_figures: What Freestyle would have to do; None where nobody asked.
        layers: Which layers its film has by itself; None where nobody asked.
        worker_memory: What a Blender needed of the memory; None where that was not seen.
        failures: The sentences that the last run of it ended with; none where it succeeded.
        judged: What its quality file was collected from; None where that was not written.
        checksums: What is known of its files.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: Literal[1] = VERSION
    made_from: MadeFrom | None = None
    reading: dict[str, str] = {}
    camera_marks: FoundMarks | None = None
    line_figures: CountedLines | None = None
    layers: FoundLayers | None = None
    worker_memory: PeakMemory | None = None
    failures: tuple[str, ...] = ()
    judged: Judged | None = None
    checksums: Checksums = Checksums()

    @property
    def begun(self) -> bool:
        """Whether the cut was ever begun here: files of its name are this program's."""
        return self.made_from is not None

    @property
    def origin(self) -> MadeFrom:
        """What its files were made from; of a cut that was never begun, nothing."""
        return self.made_from or MadeFrom()

    @property
    def sources_of_sum(self) -> str:
        """Changes with everything in here that the manifest is written from."""
        return digest_of(json.dumps(self.origin.model_dump(), sort_keys=True).encode())


class Sections(TypedDict, total=False):
    """The sections of a :class:`CutLedger`, as :meth:`Ledger.keep` takes them."""

    made_from: MadeFrom
    reading: dict[str, str]
    camera_marks: FoundMarks
    line_figures: CountedLines
    layers: FoundLayers
    worker_memory: PeakMemory
    failures: tuple[str, ...]
    judged: Judged
    checksums: Checksums


class Ledger:
    """The ledger of a cut in the hands of a run, which holds the dataset's lock.

    Attributes:
        output: Root folder of the dataset.
        cut: Name of the cut.
        kept: What is written down.
    """

    def __init__(self, output: Path, cut: str) -> None:
        self.output = output
        self.cut = cut
        self.kept, is_written = _read(output, cut)
        # what cannot be read, or is of an older form, is written anew, whatever it says
        self._as_written = self.kept if is_written else None

    @property
    def origin(self) -> MadeFrom:
        """What the cut's files were made from; of a cut that was never begun, nothing."""
        return self.kept.origin

    def keep(self, **sections: Unpack[Sections]) -> None:
        """Replace sections, on the disk and in :attr:`kept`; where nothing changes, nothing is written.

        Raises:
            DatasetError: It cannot be written; then :attr:`kept` stays as it is.
        """
        changed = self.kept.model_copy(update=dict(sections))
        if changed == self._as_written:
            return
        write_ledger(self.output, self.cut, changed)
        self.kept = self._as_written = changed

    def known_peak(self, scene: str) -> int:
        """Bytes that a Blender held at most that rendered the cut; 0 where that was not seen.

        Args:
            scene: Digest of everything that it depends on now.
        """
        peak = self.kept.worker_memory
        return peak.bytes if peak is not None and peak.scene == scene else 0

    def saw_peak(self, scene: str, peak: int) -> None:
        """A Blender that rendered a part of the cut held so many bytes at most.

        Parts differ, so less than what is known says nothing.

        Args:
            scene: Digest of everything that it depends on.
            peak: Bytes.

        Raises:
            DatasetError: It cannot be written.
        """
        if peak > NOTICEABLE * self.known_peak(scene):
            self.keep(worker_memory=PeakMemory(scene=scene, bytes=peak))


def open_ledger(output: Path, cut: str) -> Ledger:
    """Read the ledger of a cut, to write into it.

    Args:
        output: Root folder of the dataset; the caller holds its lock.
        cut: Name of the cut.
    """
    return Ledger(output, cut)


def write_ledger(output: Path, cut: str, kept: CutLedger) -> None:
    """Write the ledger of a cut.

    Args:
        output: Root folder of the dataset; the caller holds its lock.
        cut: Name of the cut.
        kept: What is to be written down.

    Raises:
        DatasetError: It cannot be written.
    """
    # unsorted: of two patterns of the configuration that fit, the one written first counts
    write_compact_json(layout.ledger_file(output, cut), kept.model_dump())


def read_ledger(output: Path, cut: str) -> CutLedger:
    """Read the ledger of a cut, which may be done while a run goes on.

    Returns:
        What is written down.  Of a cut without a ledger, nothing.  One that is damaged, or of a foreign form, says no
        more than that the cut was begun here: without a trustworthy record everything is made again.
    """
    return _read(output, cut)[0]


def _read(output: Path, cut: str) -> tuple[CutLedger, bool]:
    """The ledger, and whether it is what is written down, in the form of now."""
    file = layout.ledger_file(output, cut)
    data = None
    with suppress(DatasetError):
        data = read_json(file)
    with suppress(ValidationError):
        if isinstance(data, dict) and "version" in data:
            return CutLedger.model_validate(data), True
    nothing = CutLedger(made_from=MadeFrom()) if os.path.lexists(file) else CutLedger()
    kept = nothing
    for name, value in older_forms.sections(output, cut, data).items():
        # each of them was a file of its own, and one that is damaged spoils no other
        with suppress(ValidationError):
            kept = kept.model_copy(update={name: getattr(CutLedger.model_validate({name: value}), name)})
    return kept, kept == nothing and not nothing.begun


def move_over(output: Path) -> None:
    """Bring the hidden folder of an older dataset into the form of now; nothing is made again because of that.

    Killed on the way, it goes on the next time: old files are removed last.

    Args:
        output: Root folder of the dataset; the caller holds its lock.

    Raises:
        DatasetError: The system does not allow it.
    """
    if not older_forms.are_there(output):
        return
    older_forms.move_figures(output)
    for cut in sorted(older_forms.cuts_to_move(output)):
        open_ledger(output, cut).keep()
    older_forms.remove(output)
