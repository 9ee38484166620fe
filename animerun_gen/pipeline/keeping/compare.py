"""``animerun-gen compare``: which cuts, settings, figures and bytes of two datasets differ."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from animerun_gen.config.messages import counted, shown
from animerun_gen.dataset import layout
from animerun_gen.dataset.clip import Dataset
from animerun_gen.dataset.files import open_regular, read_json
from animerun_gen.dataset.listing import list_cut
from animerun_gen.errors import DatasetError, NoDatasetError
from animerun_gen.pipeline.state.manifest_file import read_manifest
from animerun_gen.progress import Progress

PIECE = 1 << 20
"""Bytes that are compared at once."""

SHOWN_KEYS = 6
"""So many settings or figures of a cut are printed; the file for other programs has all of them."""

_ABSENT = object()


@dataclass(frozen=True)
class FileDifference:
    """A file that two datasets do not have alike.

    Attributes:
        name: Its path below the folder of the split, which may be another one.
        modality: What kind of file it is.
        first_byte: Where it differs first, counted from 0; None where only one dataset has it.
        only_in: 0 or 1: which dataset has it alone; None where both have it.
    """

    name: str
    modality: str
    first_byte: int | None = None
    only_in: int | None = None


@dataclass
class CutDifference:
    """How a cut of two datasets differs.

    Attributes:
        cut: Its name.
        splits: In which split each dataset has it.
        files: How many files both have.
        differing: The files that are not alike, by name.
        settings: Keys of the configuration with both values.
        versions: What made them, where that differs, with both versions.
        figures: Figures of the summary with both values, ``mean`` or ``worst`` behind a dot.
    """

    cut: str
    splits: tuple[str, str]
    files: int = 0
    differing: list[FileDifference] = field(default_factory=list)
    settings: dict[str, tuple[Any, Any]] = field(default_factory=dict)
    versions: dict[str, tuple[Any, Any]] = field(default_factory=dict)
    figures: dict[str, tuple[Any, Any]] = field(default_factory=dict)

    @property
    def alike(self) -> bool:
        """Whether the files are, to the byte, in the same split; settings that changed nothing do not count."""
        return not self.differing and not self.figures and self.splits[0] == self.splits[1]


@dataclass
class Comparison:
    """How two datasets differ.

    Attributes:
        only: The cuts that one of them has alone, by name: those of the first, those of the second.
        cuts: The cuts that both have, by name.
    """

    only: tuple[list[str], list[str]]
    cuts: list[CutDifference]

    @property
    def alike(self) -> bool:
        """Whether both have the same cuts, and all of them alike."""
        return not any(self.only) and all(cut.alike for cut in self.cuts)


def compare_datasets(one: Path, other: Path, cuts: Sequence[str] = ()) -> Comparison:
    """Compare two datasets, file by file.

    Args:
        one: Root folder of a dataset.
        other: That of another one.
        cuts: The cuts to compare; all of them where none is named.

    Raises:
        NoDatasetError: One is no dataset, or neither has a cut that is named.
        DatasetError: A folder or file cannot be read.
    """
    found = [{clip.cut: clip.split for clip in Dataset(root).clips()} for root in (one, other)]
    names = sorted(set(found[0]) | set(found[1]))
    for cut in cuts:
        if cut not in names:
            raise NoDatasetError(f"neither {one} nor {other} has a cut {cut!r}", remedy=f"they have {', '.join(names)}")
    wanted = [name for name in names if not cuts or name in cuts]
    only = tuple([name for name in wanted if name not in found[1 - side]] for side in (0, 1))
    both = [name for name in wanted if name in found[0] and name in found[1]]
    with Progress(len(both), "cut", "comparing") as progress:
        differences = []
        for name in both:
            differences.append(_compare_cut((one, other), name, (found[0][name], found[1][name])))
            progress.advance(name)
    return Comparison((only[0], only[1]), differences)


def _compare_cut(roots: tuple[Path, Path], cut: str, splits: tuple[str, str]) -> CutDifference:
    difference = CutDifference(cut, splits)
    listed: list[dict[str, tuple[str, Path]]] = []
    for root, split in zip(roots, splits, strict=True):
        entries = (entry for entry in list_cut(root, split, cut) if entry.belongs)
        listed.append(
            {entry.name.removeprefix(f"{split}/"): (entry.modality.name, root / entry.name) for entry in entries}
        )
    for name in sorted(set(listed[0]) | set(listed[1])):
        sides = [side for side in (0, 1) if name in listed[side]]
        modality = listed[sides[0]][name][0]
        if len(sides) == 1:
            difference.differing.append(FileDifference(name, modality, only_in=sides[0]))
            continue
        difference.files += 1
        place = first_difference(listed[0][name][1], listed[1][name][1])
        if place is not None:
            difference.differing.append(FileDifference(name, modality, first_byte=place))
    manifests = [_manifest(root, cut) for root in roots]
    difference.settings = dict(_changed(*(_flat(config) for config, _ in manifests)))
    difference.versions = dict(_changed(*(versions for _, versions in manifests)))
    difference.figures = dict(_changed(*(_flat(_figures(root, cut)) for root in roots)))
    return difference


def first_difference(one: Path, other: Path) -> int | None:
    """Where two files differ first, in bytes from their beginning; None where they are alike.

    Raises:
        DatasetError: One cannot be read.
    """
    place = 0
    try:
        with open_regular(one) as here, open_regular(other) as there:
            while True:
                a, b = here.read(PIECE), there.read(PIECE)
                if a != b:
                    # where one goes on, the other's end is the first difference
                    differing = (n for n, (x, y) in enumerate(zip(a, b, strict=False)) if x != y)
                    return place + next(differing, min(len(a), len(b)))
                if not a:
                    return None
                place += len(a)
    except OSError as error:
        raise DatasetError(
            f"cannot be read ({error.strerror})", Path(error.filename or one), "check the disk"
        ) from error


def _manifest(root: Path, cut: str) -> tuple[dict[str, Any], dict[str, str]]:
    """Configuration and versions of a cut, as its manifest has them; what it lacks is empty."""
    try:
        manifest, _ = read_manifest(layout.manifest_file(root, cut))
    except DatasetError:
        return {}, {}
    return manifest.config, manifest.made_with


def _figures(root: Path, cut: str) -> dict[str, Any]:
    try:
        quality = read_json(layout.quality_file(root, cut))
    except DatasetError:
        return {}
    summary = quality.get("summary") if isinstance(quality, dict) else None
    return summary if isinstance(summary, dict) else {}


def _flat(values: Mapping[str, Any], above: str = "") -> dict[str, Any]:
    """A tree of values by dotted keys."""
    flat: dict[str, Any] = {}
    for key, value in values.items():
        flat |= _flat(value, f"{above}{key}.") if isinstance(value, Mapping) and value else {f"{above}{key}": value}
    return flat


def _changed(one: Mapping[str, Any], other: Mapping[str, Any]) -> Iterator[tuple[str, tuple[Any, Any]]]:
    for key in dict.fromkeys([*one, *other]):
        values = (one.get(key, _ABSENT), other.get(key, _ABSENT))
        if values[0] != values[1]:
            yield key, (None if values[0] is _ABSENT else values[0], None if values[1] is _ABSENT else values[1])


def describe_comparison(found: Comparison, one: Path, other: Path) -> list[str]:
    """How two datasets differ in words, a line each."""
    lines = [f"{cut}: only in {root}" for root, cuts in zip((one, other), found.only, strict=True) for cut in cuts]
    for cut in found.cuts:
        lines.append(f"{cut.cut}: {_said(cut)}")
        if cut.splits[0] != cut.splits[1]:
            lines.append(f"  split: {cut.splits[0]} and {cut.splits[1]}")
        for title, values in (("made with", cut.versions), ("setting", cut.settings), ("figure", cut.figures)):
            lines += [
                f"  {title} {key}: {shown(a)} and {shown(b)}" for key, (a, b) in list(values.items())[:SHOWN_KEYS]
            ]
            if len(values) > SHOWN_KEYS:
                lines.append(f"  {title}: {len(values) - SHOWN_KEYS} more differ")
        by_modality: dict[str, list[FileDifference]] = {}
        for file in cut.differing:
            by_modality.setdefault(file.modality, []).append(file)
        for modality, files in by_modality.items():
            first = files[0]
            where = (
                f"first in {first.name}, at byte {first.first_byte:,}"
                if first.first_byte is not None
                else f"{first.name} is only in {(one, other)[first.only_in or 0]}"
            )
            lines.append(f"  {modality}: {counted(len(files), 'file differs', 'files differ')}; {where}")
    same = sum(cut.alike for cut in found.cuts)
    lines.append(f"{same} of {counted(len(found.cuts), 'cut')} in both are alike to the byte")
    return lines


def _said(cut: CutDifference) -> str:
    if cut.alike:
        return f"alike ({counted(cut.files, 'file')})"
    return f"{counted(len(cut.differing), 'file differs', 'files differ')}, {counted(cut.files, 'file')} in both"
