"""Checks one cut of a dataset against its manifest, its configuration and the layout."""

from __future__ import annotations

import os
import re
import zipfile
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Any

from animerun_gen.config import CutConfig
from animerun_gen.config.messages import counted
from animerun_gen.dataset import layout
from animerun_gen.dataset.colors import read_colors
from animerun_gen.dataset.files import open_regular, read_json, read_names
from animerun_gen.dataset.forms import read_form
from animerun_gen.dataset.listing import Entry, list_cut, modalities_there
from animerun_gen.dataset.manifest import parse_manifest
from animerun_gen.dataset.modalities import SPLITS, Modality, enabled_modalities, modality
from animerun_gen.dataset.tracks import ARRAYS, read_settings, read_tracks
from animerun_gen.errors import DatasetError
from animerun_gen.pipeline.state.ledger import read_ledger
from animerun_gen.pipeline.state.manifest import remember_checksums
from animerun_gen.pipeline.state.on_disk import mark
from animerun_gen.verify.findings import (
    AGAIN,
    JSON_LIMIT,
    Defect,
    FrameFile,
    FrameFindings,
    FrameInspection,
    changed,
)

RUN_AGAIN = "run 'animerun-gen generate' again"
DELETE = "delete it"

DAMAGED = ("damaged", "form", "changed", "link")
"""What may be wrong with a file that is not the one that was made."""

_DIGEST = re.compile(r"[0-9a-f]{64}")


@dataclass
class CutReport:
    """What came of a cut.

    Attributes:
        cut: Its name; empty for what belongs to no cut.
        split: ``"train"`` or ``"test"``.
        frames: How many frames it should have.
        files: How many of its files were looked at.
        ours: Whether this program made it.
        has_manifest: Whether it has a manifest that can be read.
        defects: What is wrong.
        notes: What may be right and is unusual, or could not be checked.
    """

    cut: str
    split: str
    frames: int = 0
    files: int = 0
    ours: bool = False
    has_manifest: bool = False
    defects: list[Defect] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class CheckedManifest:
    """A cut's manifest as far as it can be believed.

    Attributes:
        name: Its file, relative to the root of the dataset.
        there: Whether it can be read.
        split: The split that it names; empty where there is none.
        files: Checksum by file.
        config: What the cut was made from; None where that cannot be read.
        problems: What is wrong with it, as ends of sentences.
    """

    name: str
    there: bool = False
    split: str = ""
    files: Mapping[str, str] = field(default_factory=dict)
    config: CutConfig | None = None
    problems: tuple[str, ...] = ()

    @classmethod
    def read(cls, root: Path, cut: str) -> CheckedManifest:
        """Read it; whatever it holds is no failure."""
        path = layout.manifest_file(root, cut)
        name = path.relative_to(root).as_posix()
        if not path.exists():
            return cls(name)
        if not path.is_file():
            return cls(name, problems=("is not a readable file",))
        data = _small_json(path)
        if isinstance(data, str):
            return cls(name, problems=(data,))
        try:
            manifest, wrong = parse_manifest(data, path)
        except DatasetError as error:
            return cls(name, problems=(error.what,))
        problems = []
        split = manifest.split if manifest.split in SPLITS else ""
        if not split or manifest.cut != cut:
            problems.append("does not say which cut and split it belongs to")
        files = manifest.files
        if "files" in wrong or not all(map(_DIGEST.fullmatch, files.values())):
            problems.append("holds no table of checksums")
            files = {}
        config = None
        try:
            config = CutConfig.model_validate(manifest.config)
        except ValueError:
            problems.append("does not say what the cut was made from")
        return cls(name, True, split, files, config, tuple(problems))


class CutCheck:
    """The check of one cut: what there is to look at, and what came of it."""

    def __init__(self, root: Path, split: str, cut: str, quick: bool) -> None:
        self.root, self.split, self.cut, self.quick = root, split, cut, quick
        self.manifest = CheckedManifest.read(root, cut)
        self.quality = layout.quality_file(root, cut)
        self.recolor = layout.recolor_file(root, cut)
        self.ours = bool(
            self.manifest.there or self.manifest.problems or self.quality.exists() or read_ledger(root, cut).begun
        )
        self.report = CutReport(cut, split, ours=self.ours, has_manifest=self.manifest.there)
        self.entries = {entry.name: entry for entry in list_cut(root, split, cut)}
        self.sound = {name: entry for name, entry in self.entries.items() if entry.belongs}
        self.report.files = len(self.sound)
        self.numbers = self._expected_frames()
        self.report.frames = len(self.numbers)
        self.segments: dict[int, int] = {}
        self.matches: list[tuple[int, str, tuple[int, int, int]]] = []
        self._marks = self._marks_now()
        self._check_manifest()
        self._check_completeness()
        self._check_strays()

    # ---- what there should be

    @cached_property
    def config(self) -> CutConfig | None:
        """What the cut was made from, where that is known."""
        config = self.manifest.config
        return config if config is not None and (config.name, config.split) == (self.cut, self.split) else None

    @cached_property
    def frames_there(self) -> dict[str, set[int]]:
        """Modality to the frames that it has files of."""
        there: dict[str, set[int]] = {}
        for entry in self.sound.values():
            if entry.frame is not None:
                there.setdefault(entry.modality.name, set()).add(entry.frame)
        return there

    @cached_property
    def modalities(self) -> tuple[Modality, ...]:
        """What the cut should have."""
        if self.config is not None:
            motion = self.config.motion
            return enabled_modalities(motion.extras, motion.gaps, motion.tracks, self.config.recolor.passes)
        used = {entry.modality.name for entry in self.sound.values()}
        return tuple(
            what for what in modalities_there(self.root, self.split, self.cut) if what.published or what.name in used
        )

    @property
    def _passes(self) -> list[str]:
        """Names of the colour passes that it should have."""
        return [what.name for what in self.modalities if what.stage == "recolor"]

    def _expected_frames(self) -> tuple[int, ...]:
        if self.config is not None:
            return self.config.frame_numbers
        of_frames = [
            frames
            for name, frames in self.frames_there.items()
            # those of pairs end elsewhere, and those of passes may
            if modality(name).kind == "frame" and modality(name).stage != "recolor"
        ]
        votes = Counter(frame for frames in of_frames for frame in frames)
        found = sorted(frame for frame, count in votes.items() if 2 * count >= len(of_frames))
        if len(found) < 2:
            return tuple(found)
        step = min(later - earlier for earlier, later in pairwise(found))
        numbers = [found[0]]
        for earlier, later in pairwise(found):
            # a hole of another size than whole steps is none that could be filled
            inside = range(earlier + step, later, step) if (later - earlier) % step == 0 else ()
            numbers += [*(inside if len(inside) <= len(found) else inside[:1]), later]
        return tuple(numbers)

    @cached_property
    def shape(self) -> tuple[int, int] | None:
        """Height and width of the clip's pictures: as configured, or those of most of its colour frames."""
        if self.config is not None:
            width, height = self.config.resolution
            return height, width
        frame = modality("frame")
        shapes: Counter[tuple[int, ...]] = Counter()
        for entry in self.sound.values():
            if entry.modality == frame:
                try:
                    form = read_form(self.root / entry.name, frame)
                except DatasetError:
                    continue
                if form is not None:
                    shapes[form.shape[:2]] += 1
        if not shapes:
            return None
        height, width = shapes.most_common(1)[0][0]
        return height, width

    # ---- what is there

    def _defect(self, file: str, kind: str, what: str, advice: str = AGAIN) -> None:
        self.report.defects.append(Defect(file, kind, what, advice))

    def _link(self, name: str) -> None:
        self._defect(name, "link", "is a link that leads out of the dataset", "put the file itself there")

    def _relative(self, path: Path) -> str:
        return path.relative_to(self.root).as_posix()

    def _check_manifest(self) -> None:
        manifest = self.manifest
        for problem in manifest.problems:
            self._defect(manifest.name, "manifest", problem, f"delete it and {RUN_AGAIN}")
        if manifest.there and manifest.split and manifest.split != self.split:
            folder = self._relative(modality("frame").cut_folder(self.root, self.split, self.cut))
            self._defect(folder, "stray", f"is of a cut that its manifest puts into {manifest.split}", DELETE)
        elif not manifest.there and not manifest.problems and self.ours:
            self._defect(
                manifest.name,
                "missing",
                "is missing, so the files cannot be checked against their checksums",
                RUN_AGAIN,
            )
        for path in (layout.manifest_file(self.root, self.cut), self.quality, self.recolor):
            if path.is_symlink() and path.exists() and not _lies_in(path, self.root):
                self._link(self._relative(path))
        if not self.ours:
            self.report.notes.append(
                "there is no manifest, so this cut was made elsewhere: its layout can be checked, but not its checksums"
            )
        if not manifest.there:
            return
        for name in sorted(manifest.files.keys() - self._all_names()):
            # the sentence about what is missing comes with the completeness of the clip where that knows of it
            if name not in self._demanded_names():
                self._defect(name, "missing", "is missing, but the manifest has it", RUN_AGAIN)
        for name in sorted(self._all_names() - manifest.files.keys()):
            self._defect(name, "unlisted", "is not in the manifest: it was added later", f"{DELETE}, or {RUN_AGAIN}")

    def _all_names(self) -> set[str]:
        names = set(self.sound)
        return names | {self._relative(file) for file in (self.quality, self.recolor) if file.is_file()}

    def _demanded_names(self) -> set[str]:
        names = {self._relative(what.path(*self._place, n)) for what in self.modalities for n in self._frames_of(what)}
        names |= {self._relative(what.names_path(*self._place)) for what in self.modalities if what.table}
        names |= {self._relative(what.clip_path(*self._place)) for what in self.modalities if what.kind == "clip"}
        return names | {self._relative(self.quality)} | ({self._relative(self.recolor)} if self._passes else set())

    @property
    def _place(self) -> tuple[Path, str, str]:
        return self.root, self.split, self.cut

    def _frames_of(self, what: Modality) -> tuple[int, ...]:
        return what.frames(self.numbers)

    @cached_property
    def _gone(self) -> set[int]:
        """Frames of which nothing is there."""
        there = {
            frame for name, frames in self.frames_there.items() if modality(name).kind == "frame" for frame in frames
        }
        return set(self.numbers) - there

    def _check_completeness(self) -> None:
        advice = RUN_AGAIN if self.ours else "download it again"
        for first, last in _runs(self.numbers, self._gone):
            path = modality("frame").path(*self._place, first)
            which = f"frame {first}" if first == last else f"the frames {first} to {last}"
            self._defect(self._relative(path), "missing", f"is missing, and so is everything else of {which}", advice)
        places = {frame: index for index, frame in enumerate(self.numbers)}
        for what in self.modalities:
            folder = self._relative(what.cut_folder(*self._place))
            if what.kind == "clip":
                self._require(self._relative(what.clip_path(*self._place)), advice)
                continue
            if what.stage == "recolor" and not self.ours:
                # others may have passes of some frames only
                continue
            wanted = self._frames_of(what)
            there = self.frames_there.get(what.name, set())
            if wanted and not there:
                if len(self._gone) < len(self.numbers):
                    self._defect(folder, "missing", "has no files, or is missing", advice)
                continue
            if what.table:
                self._require(self._relative(what.names_path(*self._place)), advice)
            for frame in wanted:
                away = {"forward": what.gap, "backward": -what.gap}.get(what.kind, 0)
                other = self.numbers[places[frame] + away]
                if frame not in there and not {frame, other} & self._gone:
                    self._require(self._relative(what.path(*self._place, frame)), advice)
        if self.ours and not self.quality.is_file():
            self._defect(self._relative(self.quality), "missing", "is missing", advice)
        if self._passes and self.ours and not self.recolor.is_file():
            self._defect(self._relative(self.recolor), "missing", "is missing", advice)

    def _require(self, name: str, advice: str) -> None:
        entry = self.entries.get(name)
        if entry is None:
            self._defect(name, "missing", "is missing", advice)

    def _check_strays(self) -> None:
        wanted = {what.name: set(self._frames_of(what)) for what in self.modalities}
        unasked: Counter[str] = Counter()
        for entry in self.entries.values():
            reason = _why_stray(entry)
            if reason is not None:
                self._defect(entry.name, "stray", *reason)
            elif entry.modality.name not in wanted:
                unasked[self._relative(entry.modality.cut_folder(*self._place))] += 1
            elif entry.frame is not None and entry.frame not in wanted[entry.modality.name]:
                belongs_to = "frame" if entry.modality.kind == "frame" else "pair of frames"
                self._defect(entry.name, "stray", f"belongs to no {belongs_to} of the clip", DELETE)
            if entry.is_link and not _lies_in(self.root / entry.name, self.root):
                self._link(entry.name)
        for name, count in unasked.items():
            self._defect(
                name,
                "stray",
                f"holds {counted(count, 'file')} that the cut's configuration does not ask for",
                RUN_AGAIN,
            )
        for folder in {what.cut_folder(*self._place) for what in modalities_there(self.root, self.split, self.cut)}:
            if folder.exists() and not _lies_in(folder, self.root):
                what = "is, or lies behind, a link that leads out of the dataset"
                self._defect(self._relative(folder), "link", what, "put the folder itself there")
        between = {what.cut_folder(*self._place).parent for what in modalities_there(self.root, self.split, self.cut)}
        for folder in between:
            if folder.name == self.cut and folder.is_dir():
                for file in folder.iterdir():
                    if not file.is_dir():
                        self._defect(self._relative(file), "stray", "lies where only folders belong", DELETE)

    # ---- what is in it

    @cached_property
    def tasks(self) -> list[FrameInspection]:
        """What is to be done for each frame."""
        ids = {}
        for what in self.modalities:
            if what.table and what.name in ("object_id", "material_id"):
                table = self._read_table(what)
                if table is not None:
                    ids[what.name] = frozenset(map(int, table))
        by_frame: dict[int, list[FrameFile]] = {}
        for entry in sorted(self.sound.values(), key=lambda entry: entry.name):
            if entry.frame is not None:
                checksum = None if self.quick else self.manifest.files.get(entry.name)
                by_frame.setdefault(entry.frame, []).append(FrameFile(entry.name, entry.modality, checksum))
        return [
            FrameInspection(self.root, frame, tuple(files), self.shape, self.ours, self.quick, ids)
            for frame, files in sorted(by_frame.items())
        ]

    def take(self, of_frame: tuple[int, FrameFindings]) -> None:
        """Keep what came of a frame."""
        frame, findings = of_frame
        self.report.defects += findings.defects
        self.report.notes += findings.notes
        if findings.segments is not None:
            self.segments[frame] = findings.segments
        self.matches += [(frame, name, match) for name, match in findings.matches.items()]

    def finish(self) -> CutReport:
        """Check what takes several frames or the whole clip, and sum up."""
        self._check_matches()
        for what in self.modalities:
            if what.kind == "clip":
                self._check_tracks(what)
            elif what.table == "colors.json":
                self._check_colors(what)
        self._check_quality()
        self._check_recolor()
        if not self.quick:
            self._check_other_checksums()
            self._remember()
        return self.report

    def _marks_now(self) -> dict[str, str]:
        """The marks of all files, by name, taken before anything is read."""
        marks = {name: mark(entry.status) for name, entry in self.sound.items() if entry.status is not None}
        for path in (self.quality, self.recolor):
            with suppress(OSError):
                marks[self._relative(path)] = mark(path.stat())
        return marks

    def _remember(self) -> None:
        """Tell later runs what came of the checksums."""
        wrong = {defect.file for defect in self.report.defects if defect.kind in DAMAGED}
        names = self._marks.keys() & self._all_names() & self.manifest.files.keys() - wrong
        right = {name: self._marks[name] for name in names}
        remember_checksums(self.root, self.cut, self.split, right, self.manifest.files)

    def _check_matches(self) -> None:
        places = {frame: index for index, frame in enumerate(self.numbers)}
        for frame, name, (lists, largest, owner) in self.matches:
            what = modality(name)
            file = self._relative(what.path(*self._place, frame))
            source = self.segments.get(frame)
            if source is not None and lists != source:
                self._defect(file, "contradiction", f"has lists for {lists} segments, but frame {frame} has {source}")
            index = places.get(frame, -1) + (1 if what.kind == "forward" else -1)
            if frame not in places or not 0 <= index < len(self.numbers):
                continue
            other = self.numbers[index]
            target = self.segments.get(other)
            if target is not None and largest >= target:
                there = f"frame {other} has segments 0 to {target - 1}"
                self._defect(file, "contradiction", f"matches segment {owner} to {largest}, but {there}")

    def _read_table(self, what: Modality) -> dict[str, str] | None:
        path = what.names_path(*self._place)
        if not path.is_file():
            return None
        if path.stat().st_size > JSON_LIMIT:
            self._defect(self._relative(path), "damaged", "is far larger than such a table can be")
            return None
        try:
            return read_names(path)
        except DatasetError as error:
            self._defect(self._relative(path), "damaged", error.what)
            return None

    def _check_colors(self, what: Modality) -> None:
        path = what.names_path(*self._place)
        name = self._relative(path)
        if not path.is_file():
            return
        if path.stat().st_size > JSON_LIMIT:
            self._defect(name, "damaged", "is far larger than such a table can be")
            return
        try:
            table = read_colors(path)
        except DatasetError as error:
            self._defect(name, "damaged", error.what)
            return
        for number, frame in table.frames_lacking(self.numbers).items():
            self._defect(name, "contradiction", f"does not say which colour id {number} has in frame {frame}")

    def _check_tracks(self, what: Modality) -> None:
        path = what.clip_path(*self._place)
        name = self._relative(path)
        if name not in self.sound:
            return
        motion = None if self.config is None else self.config.motion
        problem = _oversized_tracks(path, len(self.numbers), None if motion is None else motion.tracks)
        if problem is not None:
            self._defect(name, "damaged", problem)
            return
        try:
            settings = read_settings(path) if self.quick else read_tracks(path).settings
        except DatasetError as error:
            self._defect(name, "damaged", error.what)
            return
        if settings.frames != self.numbers:
            self._defect(name, "contradiction", "follows points through other frames than those of the clip")
        if self.config is not None and (settings.requested, settings.seed) != (
            self.config.motion.tracks,
            self.config.seed,
        ):
            self._defect(name, "contradiction", "was made for another number of points or another seed than configured")

    def _check_quality(self) -> None:
        if not self.quality.is_file():
            return
        name = self._relative(self.quality)
        again = f"delete it and {RUN_AGAIN}"
        data = _small_json(self.quality)
        if isinstance(data, str):
            self._defect(name, "damaged", data, again)
            return
        problems = _quality_problems(data, self.cut, self.split, self.numbers, self.shape)
        for problem in problems:
            self._defect(name, "manifest", problem, again)
        if problems:
            return
        for failure in data.get("failures", ()):
            what, _, advice = str(failure["message"]).partition("; ")
            self._defect(name, "quality", what, advice or "docs/quality.md has what the figure means")

    def _check_recolor(self) -> None:
        if not self.recolor.is_file():
            return
        data = _small_json(self.recolor)
        if isinstance(data, str):
            problem = data
        elif not isinstance(data, dict) or not isinstance(data.get("passes"), dict) or data.get("cut") != self.cut:
            problem = "does not say which colours the passes of this cut have"
        elif self.config is not None and set(data["passes"]) != set(self._passes):
            problem = "names other colour passes than the cut has"
        else:
            return
        self._defect(self._relative(self.recolor), "damaged", problem, f"delete it and {RUN_AGAIN}")

    def _check_other_checksums(self) -> None:
        """Those of files that belong to no frame."""
        others = {name for name in self._all_names() if name not in self.sound or self.sound[name].frame is None}
        for name in sorted(others & self.manifest.files.keys()):
            defect = changed(self.root, name, self.manifest.files[name])
            if defect is not None:
                self.report.defects.append(defect)


def _quality_problems(
    data: Any, cut: str, split: str, numbers: Sequence[int], shape: tuple[int, int] | None
) -> list[str]:
    """What is wrong with a quality file, as ends of sentences; the figures themselves are the quality gate's matter."""
    if not isinstance(data, dict) or not isinstance(data.get("pairs"), list):
        return ["holds no figures of pairs"]
    if (data.get("cut"), data.get("split")) != (cut, split):
        return ["holds the figures of another cut"]
    problems = []
    if shape is not None and data.get("resolution") != [shape[1], shape[0]]:
        problems.append(
            f"gives {data.get('resolution')} as the resolution, but the pictures are {shape[1]} x {shape[0]}"
        )
    try:
        pairs = [(pair["source"], pair["target"]) for pair in data["pairs"]]
        frames = [figures["frame"] for figures in data.get("frame_figures", ())]
        failures = [(failure["source"], failure["target"], failure["message"]) for failure in data.get("failures", ())]
        wanted = set(pairwise(numbers))
        if foreign := sorted(set(pairs) - wanted):
            problems.append(f"has figures of {foreign[0][0]}-{foreign[0][1]}, which is not a pair of the clip")
        if missing := sorted(wanted - set(pairs)):
            problems.append(
                f"lacks the figures of {counted(len(missing), 'pair')}, {missing[0][0]}-{missing[0][1]} first"
            )
        if len(set(pairs)) < len(pairs) or len(set(frames)) < len(frames):
            problems.append("has figures of the same pair or frame twice")
        if set(frames) - set(numbers):
            problems.append("has figures of frames that the clip does not have")
        if any(
            source not in numbers or (target is not None and target not in numbers) for source, target, _ in failures
        ):
            problems.append("has failures of frames that the clip does not have")
    except (TypeError, KeyError, ValueError):
        return ["holds figures that name no frames"]
    return problems


def _oversized_tracks(path: Path, frames: int, requested: int | None) -> str | None:
    """Why a file of tracks would unpack to more than it can need; None where it would not."""
    points = 1_000_000 if requested is None else requested
    limits = dict.fromkeys(ARRAYS, 64 * 1024)
    for name, what in ARRAYS.items():
        if "N" in what.shape:
            limits[name] += 16 * points * (frames if "T" in what.shape else 1)
        elif "T" in what.shape:
            limits[name] += 16 * frames
    try:
        with open_regular(path) as file, zipfile.ZipFile(file) as archive:
            sizes = {info.filename.removesuffix(".npy"): info.file_size for info in archive.infolist()}
    # zip files fail in many ways
    except Exception as error:
        return f"is not a complete .npz file ({type(error).__name__}: {error})"
    for name, size in sizes.items():
        if size > limits.get(name, 0):
            return f"holds {size} bytes as {name}, more than {frames} frames of {points} points have"
    return None


def _why_stray(entry: Entry) -> tuple[str, str] | None:
    """Why something lies in a folder of the dataset where it does not belong, and what to do; None where it does."""
    if entry.is_leftover:
        return "was left behind by a run that was killed", f"{DELETE}, or {RUN_AGAIN}"
    if entry.is_folder:
        return "is a folder where only files belong", "move it elsewhere"
    if entry.status is None and entry.is_link:
        return "is a link that leads nowhere", "put the file itself there"
    if not entry.is_file:
        return "is not a readable file", DELETE
    if not entry.belongs:
        return "is not a file of the dataset", f"{DELETE}, or move it elsewhere"
    return None


def _runs(numbers: Sequence[int], chosen: Collection[int]) -> list[tuple[int, int]]:
    """First and last of each row of neighbours among the chosen numbers."""
    runs: list[tuple[int, int]] = []
    before = None
    for number in numbers:
        if number in chosen:
            if runs and runs[-1][1] == before:
                runs[-1] = (runs[-1][0], number)
            else:
                runs.append((number, number))
        before = number
    return runs


def _small_json(path: Path) -> Any:
    """The content of a JSON file; as text what is wrong with it, as the end of a sentence."""
    try:
        if path.stat().st_size > JSON_LIMIT:
            return "is far larger than such a file can be"
        data = read_json(path)
    except DatasetError as error:
        return error.what
    except OSError as error:
        return f"cannot be read: {error.strerror}"
    return "holds nothing but text" if isinstance(data, str) else data


def _lies_in(path: Path, root: Path) -> bool:
    return Path(os.path.realpath(path)).is_relative_to(os.path.realpath(root))
