"""What every layout is to the run that exports: it looks at the clips, then writes one after the other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from animerun_gen.dataset import ClipFiles, modality
from animerun_gen.export.folder import ExportFolder


@dataclass
class ClipJob:
    """One clip that is being exported.

    Attributes:
        clip: Where it comes from.
        folder: Where it goes.
        pictures: The modality of the pictures.
        advance: Is called after each frame, with a few words.
        counts: How many pixels, points or files were marked, left out or linked.
        remarks: What a user of the export has to know, in sentences.
    """

    clip: ClipFiles
    folder: ExportFolder
    pictures: str
    advance: Callable[[str], None]
    counts: Counter[str] = field(default_factory=Counter)
    remarks: list[str] = field(default_factory=list)

    @property
    def frames(self) -> tuple[int, ...]:
        """The frames of the clip, ascending."""
        return self.clip.frame_numbers

    def put_picture(self, path: Path, frame: int) -> None:
        """Put the picture of a frame at a place, as it is.

        Raises:
            DatasetError: It cannot be read or written.
        """
        self.folder.put_copy(path, self.clip.path(self.pictures, frame), self.counts)

    def step(self, frame: int) -> None:
        """A frame is done."""
        self.advance(f"{self.clip.cut} {frame:04d}")


class Layout(Protocol):
    """The folders and files of one family of readers.

    Attributes:
        shares_files: Whether cuts have files or numbers in common, so that all are made again where one has changed.
    """

    shares_files: bool

    def require(self) -> None:
        """See that the libraries are there which write its files.

        Raises:
            UsageError: One is missing.
        """

    def look(self, clips: Sequence[ClipFiles]) -> None:
        """Decide what depends on all clips, before the first is written.

        Raises:
            AnimerunGenError: The dataset has not what the layout is made of.
        """

    def basis(self, clip: ClipFiles) -> tuple[object, ...]:
        """What decides how the clip is written, besides its own files."""

    def needs(self) -> tuple[str, ...]:
        """The modalities from which a clip is written, besides its pictures."""

    def places(self, root: Path, clip: ClipFiles) -> list[Path]:
        """The files and folders of one clip, which it shares with others where ``shares_files``."""

    def write(self, job: ClipJob) -> None:
        """Write a clip.

        Raises:
            AnimerunGenError: It cannot be written.
        """

    def finish(self, root: Path, clips: Sequence[ClipFiles], pictures: str) -> None:
        """Write what is about all clips, unless it is there.

        Raises:
            AnimerunGenError: It cannot be written.
        """


class PlainLayout:
    """What most layouts do about the rest."""

    shares_files = False

    def require(self) -> None:
        return None

    def look(self, clips: Sequence[ClipFiles]) -> None:
        return None

    def basis(self, clip: ClipFiles) -> tuple[object, ...]:
        return ()

    def finish(self, root: Path, clips: Sequence[ClipFiles], pictures: str) -> None:
        return None


def digits(count: int) -> int:
    """How many digits names have that are counted up to a number: readers sort names as text.

    >>> digits(24), digits(12000)
    (4, 5)
    """
    return max(4, len(str(count)))


def source_paths(clip: ClipFiles, names: Sequence[str]) -> list[Path]:
    """The files of a clip that there are of some modalities, with the tables beside them."""
    paths = []
    for name in names:
        what = modality(name)
        if what.kind == "clip":
            paths.append(clip.tracks_path)
            continue
        paths += [clip.path(name, frame) for frame in clip.frames(name)]
        if what.has_names:
            paths.append(clip.names_path(name))
    return [path for path in paths if path.is_file()]
