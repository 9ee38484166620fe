"""Checks one cut of a dataset against its manifest, its configuration and the layout."""

from __future__ import annotations

from contextlib import suppress
from functools import cached_property
from pathlib import Path

from animerun_gen.pipeline.state.manifest import remember_checksums
from animerun_gen.pipeline.state.on_disk import mark
from animerun_gen.verify.checked_clip import CheckedClip
from animerun_gen.verify.completeness import check_completeness, check_manifest, check_strays
from animerun_gen.verify.contents import (
    FrameMatches,
    check_cameras,
    check_colors,
    check_matches,
    check_other_checksums,
    check_quality,
    check_recolor,
    check_tracks,
    read_table,
)
from animerun_gen.verify.cut_report import DAMAGED, CutReport
from animerun_gen.verify.findings import (
    FrameFile,
    FrameFindings,
    FrameInspection,
)


class CutCheck:
    """The check of one cut: what there is to look at, frame by frame, and what came of it.

    Args:
        root: Root folder of the dataset.
        split: ``"train"``, ``"val"`` or ``"test"``.
        cut: Name of the cut.
        quick: Whether to compute no checksums and read no more of large files than their headers.
    """

    def __init__(self, root: Path, split: str, cut: str, quick: bool) -> None:
        self.clip = CheckedClip(root, split, cut, quick)
        self.report = self.clip.report
        self._segments: dict[int, int] = {}
        self._matches: list[FrameMatches] = []
        self._marks = self._marks_now()
        check_manifest(self.clip)
        check_completeness(self.clip)
        check_strays(self.clip)

    @property
    def cut(self) -> str:
        """Name of the cut."""
        return self.clip.cut

    @cached_property
    def tasks(self) -> list[FrameInspection]:
        """What is to be done for each frame."""
        ids = {}
        for what in self.clip.modalities:
            if what.table and what.name.partition("@")[0] in ("object_id", "material_id"):
                table = read_table(self.clip, what)
                if table is not None:
                    ids[what.name] = frozenset(map(int, table))
        by_frame: dict[int, list[FrameFile]] = {}
        for entry in sorted(self.clip.sound.values(), key=lambda entry: entry.name):
            if entry.frame is not None:
                checksum = None if self.clip.quick else self.clip.manifest.files.get(entry.name)
                by_frame.setdefault(entry.frame, []).append(FrameFile(entry.name, entry.modality, checksum))
        config = self.clip.config
        filled = config is not None and config.fills_unknown
        return [
            FrameInspection(
                self.clip.root,
                frame,
                tuple(files),
                self.clip.shape,
                self.clip.ours,
                self.clip.quick,
                ids,
                filled,
                self.clip.again,
            )
            for frame, files in sorted(by_frame.items())
        ]

    def take(self, of_frame: tuple[int, FrameFindings]) -> None:
        """Keep what came of a frame."""
        frame, findings = of_frame
        self.report.defects += findings.defects
        self.report.notes += findings.notes
        if findings.segments is not None:
            self._segments[frame] = findings.segments
        self._matches += [(frame, name, match) for name, match in findings.matches.items()]

    def finish(self) -> CutReport:
        """Check what takes several frames or the whole clip, and sum up."""
        check_matches(self.clip, self._segments, self._matches)
        for what in self.clip.modalities:
            if what.kind == "clip":
                check_tracks(self.clip, what)
            elif what.table == "colors.json":
                check_colors(self.clip, what)
        check_cameras(self.clip)
        check_quality(self.clip)
        check_recolor(self.clip)
        if not self.clip.quick:
            check_other_checksums(self.clip)
            self._remember()
        return self.report

    def _marks_now(self) -> dict[str, str]:
        """The marks of all files, by name, taken before anything is read."""
        marks = {name: mark(entry.status) for name, entry in self.clip.sound.items() if entry.status is not None}
        for path in self.clip.beside:
            with suppress(OSError):
                marks[self.clip.relative(path)] = mark(path.stat())
        return marks

    def _remember(self) -> None:
        """Tell later runs what came of the checksums."""
        wrong = {defect.file for defect in self.report.defects if defect.kind in DAMAGED}
        names = self._marks.keys() & self.clip.all_names() & self.clip.manifest.files.keys() - wrong
        right = {name: self._marks[name] for name in names}
        remember_checksums(self.clip.root, self.clip.cut, self.clip.split, right, self.clip.manifest.files)
