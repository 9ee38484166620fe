"""Errors that are meant for the user: each says what is wrong, where, and what to do, and is made a sentence here."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    # of Python 3.11; reading works with 3.10 as well
    from typing import Self


class AnimerunGenError(Exception):
    """Base of every error that a command ends with as a sentence instead of a stack trace.

    Attributes:
        what: What is wrong: a sentence, or, where ``where`` is a file, what follows its name in one.
        where: The file that it is about, or another place, such as "cut 'courier'"; None where ``what`` says it.
        remedy: What to do about it; empty where ``what`` says it, or nothing is known.

    Example:
        >>> str(AnimerunGenError("is missing", Path("0001.png"), "make or download it again"))
        '0001.png is missing; make or download it again'
        >>> str(AnimerunGenError("no two frames share a view", "cut 'courier'", "set camera_cuts to mark"))
        "cut 'courier': no two frames share a view; set camera_cuts to mark"
    """

    exit_status = 1

    def __init__(self, what: str, where: Path | str | None = None, remedy: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.where = where
        self.remedy = remedy

    def __reduce__(self) -> tuple[object, ...]:
        # classes whose errors are made of something else go from process to process as well
        return _again, (type(self), self.args), self.__dict__

    def __str__(self) -> str:
        named = f"{self.where} " if isinstance(self.where, Path) else f"{self.where}: " if self.where else ""
        return f"{named}{self.what}{f'; {self.remedy}' if self.remedy else ''}"

    def below(self, root: Path) -> Self:
        """The same error with its file named from a folder on, where it lies there."""
        if not isinstance(self.where, Path) or not self.where.is_relative_to(root):
            return self
        error = copy.copy(self)
        error.where = self.where.relative_to(root)
        return error

    @property
    def sentences(self) -> list[str]:
        """What is wrong, a sentence each."""
        return [str(self)]


def _again(kind: type[AnimerunGenError], arguments: tuple[object, ...]) -> AnimerunGenError:
    return kind.__new__(kind, *arguments)


class UsageError(AnimerunGenError):
    """The command line is wrong, or something that it names cannot be used: nothing was begun (docs/exit_status.md)."""

    exit_status = 2


class ConfigError(UsageError):
    """The configuration asks for something impossible; ``problems`` lists everything found, one sentence each."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems

    @property
    def sentences(self) -> list[str]:
        return self.problems


class SceneError(AnimerunGenError):
    """A Blender scene does not hold what the cut asks for, or cannot be converted without wrong labels."""


class UnreadableGeometryError(SceneError):
    """Objects draw what has no triangles, so that nothing can follow it.

    Attributes:
        drawn: What each draws, by its name in the file.
    """

    def __init__(self, frame: int, drawn: Mapping[str, str]) -> None:
        listed = "; ".join(f"object '{name}' draws {what}" for name, what in drawn.items())
        super().__init__(
            f"{listed}, in frame {frame}, made by geometry nodes, whose motion cannot be followed",
            remedy="name it in 'remove.objects' of the cut's configuration, as 'animerun-gen init' does",
        )
        self.drawn = dict(drawn)


class NoRoomError(AnimerunGenError):
    """A frame would clearly need more memory than there is, so it is not begun."""


class UnsupportedMotionError(AnimerunGenError):
    """A motion backend would write wrong vectors for this scene, so it refuses."""


class DatasetError(AnimerunGenError):
    """A file of a dataset is missing or is not what its name says."""


class NoDatasetError(UsageError, DatasetError):
    """What is named as a dataset is none of the kind that is asked for, or has no cut of the name that is asked for."""


class UnusableSceneError(UsageError, SceneError):
    """The film that a command is about cannot be used, or has not what the command names in it."""


class MissingPackageError(UsageError, ImportError):
    """A Python package that is needed for what was asked is not installed, or cannot be imported."""


class BusyError(AnimerunGenError):
    """Another run is writing to the same output folder."""


def unforeseen(error: Exception) -> str:
    """A sentence about an error that is a mistake of this program."""
    return f"unexpected error ({type(error).__name__}: {error}); please report it"
