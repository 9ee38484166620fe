"""What a Blender process is told to do and what it tells back; no ``bpy`` in here, both ends read it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic_core import to_jsonable_python

from animerun_gen.config import CutConfig
from animerun_gen.engines import film_files
from animerun_gen.engines.protocol import Event


def input_mark(path: Path | str) -> str:
    """Changes when another file takes a file's place, or its content is written to.

    Times are only ever compared with each other for equality: clocks jump.

    Args:
        path: A file, or the name of several (see :mod:`animerun_gen.engines.film_files`); they need not exist.
    """
    return film_files.mark(str(path), _mark_of)


def _mark_of(status: os.stat_result) -> str:
    return f"{status.st_size} {status.st_mtime_ns} {status.st_ino}"


@dataclass(frozen=True)
class RenderJob:
    """A part of a cut for one Blender process.

    Attributes:
        config: The cut.
        output: Root folder of the dataset.
        pictures: Frames whose pictures are to be rendered, ascending.
        material_pictures: Frames whose material ids are to be rendered, ascending; see
            :func:`~animerun_gen.dataset.layout.material_picture`.
        identity_pictures: Frames whose identity pictures are to be rendered, ascending; see
            :func:`~animerun_gen.dataset.layout.identity_picture`.
        companions: Frames whose depth, ids and normals are to be written, ascending.
        pairs: Frames ``(earlier, later)``, any distance apart, between which motion is to be computed, ascending.
        cross_check: Whether each pair of neighbours is also computed by the other backend and compared.
        tracks: Whether points are to be followed through the whole clip.
    """

    config: CutConfig
    output: Path
    pictures: tuple[int, ...] = ()
    material_pictures: tuple[int, ...] = ()
    identity_pictures: tuple[int, ...] = ()
    companions: tuple[int, ...] = ()
    pairs: tuple[tuple[int, int], ...] = ()
    cross_check: bool = False
    tracks: bool = False

    def gap(self, pair: tuple[int, int]) -> int:
        """How many frames of the clip the two frames of a pair are apart."""
        return (pair[1] - pair[0]) // self.config.frames.step

    @property
    def frames(self) -> tuple[int, ...]:
        """Every frame that has to be visited, ascending."""
        if self.tracks:
            return self.config.frame_numbers
        return tuple(
            sorted(
                {
                    *self.pictures,
                    *self.material_pictures,
                    *self.identity_pictures,
                    *self.companions,
                    *(frame for pair in self.pairs for frame in pair),
                }
            )
        )


@dataclass
class Reporter:
    """Tells whoever started a job how far it is.

    Attributes:
        emit: Takes one event.
    """

    emit: Callable[[Event], None] = field(default=lambda event: None)

    def opened(self, engine: str, notes: list[str], inputs: Iterable[Path | str]) -> None:
        """The scene is open and converted; it was read from these files, which need not all be there."""
        marks = {str(path): input_mark(path) for path in inputs}
        self.emit({"event": "opened", "engine": engine, "notes": notes, "inputs": marks})

    def noticed(self, note: str) -> None:
        """Something came up under way that the user should know."""
        self.emit({"event": "noticed", "note": note})

    def refused(self, reason: str) -> None:
        """Something of the cut is not to be made: the cut fails, and everything else of it is made."""
        self.emit({"event": "refused", "reason": reason})

    def will_hold(self, frame: int, memory: int) -> None:
        """The process is predicted to hold so many bytes of memory when it has made a frame."""
        self.emit({"event": "will_hold", "frame": frame, "memory": memory})

    def begins(self, frame: int, stage: str) -> None:
        """A stage of a frame begins: the last one of these before a crash says where it was."""
        self.emit({"event": "begins", "frame": frame, "stage": stage})

    def took(self, frame: int, stage: str, seconds: float) -> None:
        """A stage of a frame is done."""
        self.emit({"event": "took", "frame": frame, "stage": stage, "seconds": seconds})

    def frame_done(self, frame: int, evaluations: dict[str, int] | None = None) -> None:
        """All files that the job wanted of this frame are on disk.

        Args:
            frame: The frame.
            evaluations: How often the scene was evaluated since the job began, by ``"RENDER"`` and ``"VIEWPORT"``.
        """
        self.emit({"event": "frame_done", "frame": frame, "evaluations": dict(evaluations or {})})

    def cross_checked(self, frame: int, other: int, figures: dict[str, Any]) -> None:
        """How the two backends differ from ``frame`` to ``other``."""
        self.emit({"event": "cross_checked", "frame": frame, "other": other, "figures": figures})

    def progressed(self, done: int, total: int, doing: str) -> None:
        """So many steps of a look are done, and this is done now."""
        self.emit({"event": "progressed", "done": done, "total": total, "doing": doing})

    def found(self, what: str, answer: object) -> None:
        """Something was found: plain data, or a dataclass of it."""
        self.emit({"event": "found", "what": what, "answer": to_jsonable_python(answer)})

    def failed(self, kind: str, message: str) -> None:
        """The job cannot go on; the message is meant for the user."""
        self.emit({"event": "failed", "kind": kind, "message": message})

    def finished(self) -> None:
        """Everything is done."""
        self.emit({"event": "finished"})
