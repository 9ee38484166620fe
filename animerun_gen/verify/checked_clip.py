"""What a cut has on the disk, and what it should have."""

from __future__ import annotations

from collections import Counter
from functools import cached_property
from itertools import pairwise
from pathlib import Path

from animerun_gen.config import CutConfig
from animerun_gen.dataset import layout
from animerun_gen.dataset.headers import read_header
from animerun_gen.dataset.listing import list_cut, modalities_there
from animerun_gen.dataset.modalities import Modality, modality, pass_number
from animerun_gen.errors import DatasetError
from animerun_gen.pipeline.made import modalities_of
from animerun_gen.pipeline.state.ledger import read_ledger
from animerun_gen.verify.checked_manifest import CheckedManifest
from animerun_gen.verify.cut_report import DELETE, MOVE, CutReport
from animerun_gen.verify.findings import (
    AGAIN,
    KEPT_AGAIN,
    Defect,
)


class CheckedClip:
    """A cut as the check sees it: what lies on the disk, what should, and the report that takes what is wrong.

    Args:
        root: Root folder of the dataset.
        split: ``"train"``, ``"val"`` or ``"test"``.
        cut: Name of the cut.
        quick: Whether to compute no checksums and read no more of large files than their headers.

    Attributes:
        manifest: Its manifest, as far as it can be believed.
        quality: Its quality file, which need not be there.
        recolor: Its table of colour passes, which need not be there.
        cameras: Its two files of cameras, which need not be there.
        ours: Whether this program made it.
        entries: Everything in its folders, by name.
        sound: Of these, what belongs there by its name.
        numbers: The frames that it should have, ascending.
        report: Takes what is wrong.
    """

    def __init__(self, root: Path, split: str, cut: str, quick: bool) -> None:
        self.root, self.split, self.cut, self.quick = root, split, cut, quick
        self.manifest = CheckedManifest.read(root, cut)
        self.quality = layout.quality_file(root, cut)
        self.recolor = layout.recolor_file(root, cut)
        self.cameras = layout.camera_files(root, split, cut)
        self.ours = bool(
            self.manifest.there or self.manifest.problems or self.quality.exists() or read_ledger(root, cut).begun
        )
        self.entries = {entry.name: entry for entry in list_cut(root, split, cut)}
        self.sound = {name: entry for name, entry in self.entries.items() if entry.belongs}
        self.numbers = self._expected_frames()
        self.report = CutReport(
            cut,
            split,
            frames=len(self.numbers),
            files=len(self.sound),
            ours=self.ours,
            has_manifest=self.manifest.there,
        )

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
    def _as_there(self) -> dict[str, Modality]:
        """The modalities that it has folders with anything in of, as the files are called there."""
        return {entry.modality.name: entry.modality for entry in self.entries.values()}

    def kind(self, name: str) -> Modality:
        """The modality of a name, as its files are called here."""
        return self._as_there.get(name) or modality(name)

    @cached_property
    def modalities(self) -> tuple[Modality, ...]:
        """What the cut should have."""
        if self.config is not None:
            wanted = modalities_of(self.config)
        else:
            used = {entry.modality.name for entry in self.sound.values()}
            possible = modalities_there(self.root, self.split, self.cut)
            wanted = tuple(what for what in possible if what.published or what.name in used)
        return tuple(self._as_there.get(what.name, what) for what in wanted)

    @property
    def passes(self) -> list[str]:
        """Names of the colour passes that it should have."""
        return [what.name for what in self.modalities if pass_number(what.name) is not None]

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
        frame = self.kind("frame")
        shapes: Counter[tuple[int, ...]] = Counter()
        for entry in self.sound.values():
            if entry.modality == frame:
                try:
                    header = read_header(self.root / entry.name, frame)
                except DatasetError:
                    continue
                if header is not None:
                    shapes[header.shape[:2]] += 1
        if not shapes:
            return None
        height, width = shapes.most_common(1)[0][0]
        return height, width

    def all_names(self) -> set[str]:
        """The names of all files that there are."""
        names = set(self.sound)
        return names | {self.relative(file) for file in self.beside if file.is_file()}

    def demanded_names(self) -> set[str]:
        """The names of all files that there should be."""
        names = {self.relative(what.path(*self.place, n)) for what in self.modalities for n in self.frames_of(what)}
        names |= {self.relative(what.names_path(*self.place)) for what in self.modalities if what.table}
        names |= {self.relative(what.clip_path(*self.place)) for what in self.modalities if what.kind == "clip"}
        names |= {self.relative(file) for file in (self.quality, *self.cameras)}
        return names | ({self.relative(self.recolor)} if self.passes else set())

    @property
    def beside(self) -> tuple[Path, ...]:
        """The files outside of the folders of modalities, which need not be there."""
        return layout.files_beside(self.root, self.split, self.cut)

    @property
    def place(self) -> tuple[Path, str, str]:
        """Root, split and cut, as the paths of modalities take them."""
        return self.root, self.split, self.cut

    def frames_of(self, what: Modality) -> tuple[int, ...]:
        """The frames that should have a file of a modality."""
        return what.frames(self.numbers)

    @cached_property
    def gone(self) -> set[int]:
        """Frames of which nothing is there."""
        there = {
            frame for name, frames in self.frames_there.items() if modality(name).kind == "frame" for frame in frames
        }
        return set(self.numbers) - there

    def defect(self, file: str, kind: str, what: str, advice: str = "") -> None:
        """Something is wrong with a file; without advice it is to be made again."""
        self.report.defects.append(Defect(file, kind, what, advice or self.again))

    @property
    def has_manifest(self) -> bool:
        """Whether there is a manifest, readable or not."""
        return self.manifest.there or bool(self.manifest.problems)

    @property
    def again(self) -> str:
        """What to do about a file that is not as it should be."""
        return AGAIN if self.has_manifest else KEPT_AGAIN

    @property
    def away(self) -> str:
        """What to do about a file that does not belong there."""
        return DELETE if self.has_manifest else MOVE

    def link(self, name: str) -> None:
        """A file is a link that leads out of the dataset."""
        self.defect(name, "link", "is a link that leads out of the dataset", "put the file itself there")

    def require(self, name: str, advice: str) -> None:
        """A file has to be there."""
        entry = self.entries.get(name)
        if entry is None:
            self.defect(name, "missing", "is missing", advice)

    def relative(self, path: Path) -> str:
        """The name of a file: its path below the root."""
        return path.relative_to(self.root).as_posix()
