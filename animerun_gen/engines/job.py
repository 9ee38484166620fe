"""What a Blender process is told to do and what it tells back; no ``bpy`` in here, both ends read it."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from animerun_gen.config import CutConfig
from animerun_gen.engines import film_files

Event = dict[str, Any]
"""One message of the Blender process; ``event`` names its kind, see the functions of :class:`Reporter`."""


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

    def to_json(self) -> str:
        """The job as text, for :meth:`from_json` in another process."""
        return json.dumps(
            {
                "config": self.config.model_dump(mode="json"),
                "output": str(self.output),
                "pictures": self.pictures,
                "material_pictures": self.material_pictures,
                "identity_pictures": self.identity_pictures,
                "companions": self.companions,
                "pairs": self.pairs,
                "cross_check": self.cross_check,
                "tracks": self.tracks,
            }
        )

    @classmethod
    def from_json(cls, text: str) -> RenderJob:
        """Read what :meth:`to_json` wrote."""
        data = json.loads(text)
        return cls(
            config=CutConfig.model_validate_json(json.dumps(data["config"])),
            output=Path(data["output"]),
            pictures=tuple(data["pictures"]),
            material_pictures=tuple(data["material_pictures"]),
            identity_pictures=tuple(data["identity_pictures"]),
            companions=tuple(data["companions"]),
            pairs=tuple((first, second) for first, second in data["pairs"]),
            cross_check=data["cross_check"],
            tracks=data["tracks"],
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

    def failed(self, kind: str, message: str) -> None:
        """The job cannot go on; the message is meant for the user."""
        self.emit({"event": "failed", "kind": kind, "message": message})

    def finished(self) -> None:
        """Everything is done."""
        self.emit({"event": "finished"})
