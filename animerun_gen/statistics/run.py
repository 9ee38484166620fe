"""Makes the statistics of datasets: in parts, several at a time, each kept in a file until all are done.

A part that was counted is not counted again, so that a run that was stopped goes on where it was.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from pydantic import TypeAdapter

from animerun_gen import __version__, compiled
from animerun_gen.config.messages import counted
from animerun_gen.dataset.files import json_bytes, read_json, remove_stale_temporaries, write_json
from animerun_gen.engines.pool import start_pool
from animerun_gen.errors import DatasetError, UsageError
from animerun_gen.pipeline.state.on_disk import mark
from animerun_gen.progress import Progress
from animerun_gen.statistics import measure, sequences
from animerun_gen.statistics.counts import Part, hold_lengths
from animerun_gen.statistics.figures import (
    ClipFigures,
    DatasetStatistics,
    Figures,
    Statistics,
    Tally,
    to_reference,
)

PART_FRAMES = 200
"""Frames that are counted in one go: what a run that is stopped loses of each worker."""

_PARTS = TypeAdapter(list[Part])


@dataclass(frozen=True)
class Found:
    """A dataset that is to be counted.

    Attributes:
        name: What it is called.
        root: Its folder.
        sequences: What there is in it.
    """

    name: str
    root: Path
    sequences: sequences.Sequences


@dataclass
class Counted:
    """What came of it.

    Attributes:
        statistics: The statistics.
        failures: What could not be read, a sentence each; the clips are left out of all figures.
    """

    statistics: Statistics
    failures: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Piece:
    """Some frames of a sequence that follow each other.

    Attributes:
        sequence: Nothing but these frames and, where the sequence goes on, the next one.
        frames: How many frames it has without that.
    """

    sequence: sequences.Sequence
    frames: int


@dataclass(frozen=True)
class CountParts:
    """Counts pieces of sequences and keeps what it found in a file.

    Attributes:
        pieces: The pieces.
        frame_width: As in :func:`~animerun_gen.statistics.measure.measure`.
        file: Where the counts are kept.
    """

    pieces: tuple[Piece, ...]
    frame_width: int | None
    file: Path

    @property
    def frames(self) -> int:
        """How many frames there are."""
        return sum(piece.frames for piece in self.pieces)

    def run(self) -> str | None:
        """Count; what could not be read, in a sentence, or None."""
        try:
            parts = [measure.measure(piece.sequence, 0, piece.frames, self.frame_width) for piece in self.pieces]
        except DatasetError as error:
            return str(error)
        write_json(self.file, _PARTS.dump_python(parts, mode="json"))
        return None

    def read(self) -> list[Part] | None:
        """What was kept; None where nothing is, or something else."""
        with suppress(DatasetError, ValueError):
            parts = _PARTS.validate_python(read_json(self.file))
            if len(parts) == len(self.pieces):
                return parts
        return None


def count(
    roots: Sequence[Path],
    output: Path,
    *,
    reference: Path | None = None,
    pictures: str | None = None,
    frame_width: int | None = None,
    workers: int = 1,
) -> Counted:
    """Make the statistics of datasets.

    Args:
        roots: Their root folders.
        output: Folder in which counts are kept, in ``parts``.
        reference: Root folder of what they are held against: a dataset, or a folder of frames.
        pictures: As in :func:`~animerun_gen.statistics.sequences.find_sequences`; of the datasets, not the reference.
        frame_width: Width to which frames are brought before levels and differences are counted; None: as they are.
        workers: Processes that count side by side.

    Raises:
        NoDatasetError: A folder is no dataset.
        UsageError: The output folder is part of what is counted.
        DatasetError: A folder cannot be read, or nothing in a dataset can.
    """
    found = _find(roots, output, reference, pictures)
    tasks = {one.name: _tasks(one, output / "parts", frame_width) for one in found}
    todo = [task for own in tasks.values() for task in own if task.read() is None]
    problems: dict[Path, str] = {}
    with (
        Progress(sum(task.frames for task in todo), "frame", "counting") as progress,
        start_pool(workers if len(todo) > 1 else 1, "a counting process") as pool,
    ):
        for task, problem in zip(todo, pool.results(todo), strict=True):
            if problem is not None:
                problems[task.file] = problem
            where = task.pieces[0].sequence
            progress.advance(f"{where.split} {where.name}".strip(), task.frames)
    made: list[DatasetStatistics] = []
    failures: list[str] = []
    for one in found:
        statistics, failed = _sum_up(one, tasks[one.name], problems)
        made.append(statistics)
        failures += failed
    named = None if reference is None else found[_place(roots, reference)].name
    held_against = next((one for one in made if one.name == named), None)
    if held_against is not None:
        made = [
            one
            if one is held_against
            else one.model_copy(update={"to_reference": to_reference(one.histograms, held_against.histograms)})
            for one in made
        ]
    kept = {task.file.name for own in tasks.values() for task in own}
    _clear(output / "parts", kept)
    return Counted(
        Statistics(made_with={"animerun-gen": __version__}, frame_width=frame_width, reference=named, datasets=made),
        failures,
    )


def _place(roots: Sequence[Path], reference: Path) -> int:
    """Which of the datasets is the reference: one that is among them, else the one behind them."""
    same = [place for place, root in enumerate(roots) if root.resolve() == reference.resolve()]
    return same[0] if same else len(roots)


def _find(roots: Sequence[Path], output: Path, reference: Path | None, pictures: str | None) -> list[Found]:
    named: list[Found] = []
    wanted = [(root, pictures) for root in roots]
    if reference is not None and _place(roots, reference) == len(roots):
        # what is drawn otherwise in our data need not be so in the reference
        wanted.append((reference, None))
    for root, drawn in wanted:
        there = sequences.find_sequences(root, drawn)
        if there.layout == "frames" and output.resolve().is_relative_to(root.resolve()):
            raise UsageError("lies in a folder of frames that is to be counted", output, "choose another --out")
        base = name = root.resolve().name or str(root)
        number = 2
        while any(one.name == name for one in named):
            name, number = f"{base} ({number})", number + 1
        named.append(Found(name, root, there))
    return named


def _tasks(found: Found, folder: Path, frame_width: int | None) -> list[CountParts]:
    """What is to be counted of a dataset: long sequences in several pieces, short ones several at a time."""
    tasks: list[CountParts] = []
    waiting: list[Piece] = []
    for piece in _pieces(found.sequences.sequences):
        if waiting and sum(one.frames for one in waiting) + piece.frames > PART_FRAMES:
            tasks.append(_task(waiting, folder, frame_width))
            waiting = []
        waiting.append(piece)
    if waiting:
        tasks.append(_task(waiting, folder, frame_width))
    return tasks


def _pieces(all_sequences: Sequence[sequences.Sequence]) -> Iterator[Piece]:
    for sequence in all_sequences:
        for start in range(0, len(sequence), PART_FRAMES):
            stop = min(start + PART_FRAMES, len(sequence))
            beyond = stop + 1
            yield Piece(
                replace(
                    sequence,
                    images={name: row[start:beyond] for name, row in sequence.images.items()},
                    steps={
                        place - start: sequence.steps[place] for place in range(start, stop) if place in sequence.steps
                    },
                    segments={
                        place - start: sequence.segments[place]
                        for place in range(start, beyond)
                        if place in sequence.segments
                    },
                ),
                stop - start,
            )


def _task(pieces: Sequence[Piece], folder: Path, frame_width: int | None) -> CountParts:
    """Whose file is named after everything that its counts are made of: the program and the files' sizes and times."""
    program = compiled.source_digest(measure.__name__) or __version__
    basis: list[object] = [program, frame_width]
    for piece in pieces:
        seen = {}
        for what, path in measure.files_of(piece.sequence, 0, piece.frames).items():
            # a file that is missing is told of when it is read
            with suppress(OSError):
                seen[what] = [str(path.absolute()), mark(path.stat())]
        basis.append([piece.frames, seen])
    digest = hashlib.sha256(json_bytes(basis)).hexdigest()
    return CountParts(tuple(pieces), frame_width, folder / f"{digest[:32]}.json")


def _sum_up(
    found: Found, tasks: Sequence[CountParts], problems: dict[Path, str]
) -> tuple[DatasetStatistics, list[str]]:
    """The statistics of a dataset, and what failed.

    Raises:
        DatasetError: Nothing can be read.
    """
    whole = Tally()
    splits: dict[str, Tally] = {}
    films: dict[str, Tally] = {}
    clips: list[ClipFigures] = []
    failures: list[str] = []
    pieces = _counted_pieces(tasks, problems)
    for sequence in found.sequences.sequences:
        own, held, problem = Tally(), list[bool | None](), ""
        counts = None
        for _ in range(0, len(sequence), PART_FRAMES):
            part, why = next(pieces)
            problem = problem or why
            if part is not None:
                counts = part.counts if counts is None else counts.add(part.counts)
                held += part.held
        if problem or counts is None:
            failures.append(f"{f'{sequence.split}/' if sequence.split else ''}{sequence.name} is left out: {problem}")
            continue
        drawings = hold_lengths(held)
        for tally in (
            own,
            whole,
            splits.setdefault(sequence.split, Tally()),
            films.setdefault(sequence.film, Tally()),
        ):
            tally.add(counts, drawings)
        clips.append(ClipFigures(name=sequence.name, split=sequence.split, film=sequence.film, figures=own.figures()))
    if not clips:
        raise DatasetError(
            f"has nothing that can be read; the first problem: {failures[0]}",
            found.root,
            "mend it, or download it again",
        )
    statistics = DatasetStatistics(
        name=found.name,
        layout=found.sequences.layout,
        pictures=sorted({name for one in found.sequences.sequences for name in one.images}),
        figures=whole.figures(),
        splits=_of_each(splits),
        films=_of_each(films),
        clips=clips,
        histograms=whole.histograms(),
        left_out=[*found.sequences.left_out, *failures],
    )
    return statistics, [f"{found.name}: {sentence}" for sentence in failures]


def _counted_pieces(tasks: Sequence[CountParts], problems: dict[Path, str]) -> Iterator[tuple[Part | None, str]]:
    """The counts of all pieces in order, or why there are none."""
    for task in tasks:
        problem = problems.get(task.file)
        parts = None if problem is not None else task.read()
        if parts is None and problem is None:
            # somebody else has cleared up
            problem, parts = task.run(), task.read()
        if parts is not None:
            yield from ((part, "") for part in parts)
        elif len(task.pieces) == 1:
            yield None, problem or "its counts cannot be kept"
        else:
            # one of several sequences is damaged: the others are not
            for piece in task.pieces:
                alone = replace(task, pieces=(piece,), file=task.file.with_suffix(".alone.json"))
                why = alone.run()
                found = alone.read() if why is None else None
                yield (found[0], "") if found else (None, why or "its counts cannot be kept")


def _of_each(tallies: dict[str, Tally]) -> dict[str, Figures]:
    return {name: tally.figures() for name, tally in tallies.items() if name}


def _clear(folder: Path, kept: set[str]) -> None:
    """Remove counts of what is no more."""
    with suppress(OSError):
        remove_stale_temporaries(folder)
        for file in folder.iterdir():
            if file.suffix == ".json" and file.name not in kept:
                file.unlink(missing_ok=True)


def describe(found: Statistics) -> str:
    """What was counted, in a line.

    Example:
        >>> describe(Statistics(made_with={}, datasets=[]))
        '0 clips of 0 datasets, 0 frames'
    """
    clips = sum(one.figures.clips for one in found.datasets)
    frames = sum(one.figures.frames for one in found.datasets)
    of = counted(len(found.datasets), "dataset")
    return f"{counted(clips, 'clip')} of {of}, {counted(frames, 'frame')}"
