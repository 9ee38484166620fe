"""Errors that are meant for the user: each is a sentence that says what, where and what to do."""

from __future__ import annotations

from collections.abc import Mapping


class AnimerunGenError(Exception):
    """Base of every error that a command ends with as a sentence instead of a stack trace."""

    exit_status = 1

    @property
    def sentences(self) -> list[str]:
        """What is wrong, a sentence each."""
        return [str(self)]


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
            f"{listed}, in frame {frame}, made by geometry nodes, whose motion cannot be followed; name it in "
            "'remove.objects' of the cut's configuration, as 'animerun-gen init' does"
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


class BusyError(AnimerunGenError):
    """Another run is writing to the same output folder."""


def unforeseen(error: Exception) -> str:
    """A sentence about an error that is a mistake of this program."""
    return f"unexpected error ({type(error).__name__}: {error}); please report it"
