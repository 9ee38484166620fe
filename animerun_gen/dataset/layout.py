"""Where the pipeline keeps what is not part of the dataset: one hidden folder inside its root."""

from __future__ import annotations

from pathlib import Path

_CROSS_CHECK = "cross_check-"


def state_folder(output: Path) -> Path:
    """The hidden folder of a dataset; nothing in it is needed to use the dataset."""
    return output / ".animerun-gen"


def ledger_file(output: Path, cut: str) -> Path:
    """All that is written down about a cut, see :class:`~animerun_gen.pipeline.state.ledger.CutLedger`."""
    return state_folder(output) / "cuts" / f"{cut}.json"


def films_file(output: Path) -> Path:
    """The checksums of what films are made of, which cuts share; see :mod:`animerun_gen.pipeline.state.films`."""
    return state_folder(output) / "films.json"


def figures_folder(output: Path, cut: str) -> Path:
    """The figures of a cut's frames and pairs, a file each, see :mod:`animerun_gen.pipeline.state.figures`."""
    return state_folder(output) / "figures" / cut


def frame_figures_name(frame: int) -> str:
    """Name of the file in there of a frame's quality figures."""
    return f"frame-{frame:04d}.json"


def pair_figures_name(frame: int) -> str:
    """Name of the file of a pair's quality figures, by its earlier frame."""
    return f"pair-{frame:04d}.json"


def cross_check_name(frame: int, other: int) -> str:
    """Name of the file that says how the two motion backends differ from ``frame`` to ``other``."""
    return f"{_CROSS_CHECK}{frame:04d}-{other:04d}.json"


def is_cross_check(name: str) -> bool:
    """Whether a file in there is named as one of these."""
    return name.startswith(_CROSS_CHECK)


def frame_figures_file(output: Path, cut: str, frame: int) -> Path:
    """Quality figures of one frame."""
    return figures_folder(output, cut) / frame_figures_name(frame)


def pair_figures_file(output: Path, cut: str, frame: int) -> Path:
    """Quality figures of one pair, named by its earlier frame."""
    return figures_folder(output, cut) / pair_figures_name(frame)


def cross_check_file(output: Path, cut: str, frame: int, other: int) -> Path:
    """How the two motion backends differ from ``frame`` to ``other``."""
    return figures_folder(output, cut) / cross_check_name(frame, other)


def material_pictures_folder(output: Path, cut: str) -> Path:
    """The rendered material ids of a cut's sampled frames, which its id maps are held against."""
    return state_folder(output) / "material_pictures" / cut


def material_picture(output: Path, cut: str, frame: int) -> Path:
    """Material ids of a frame as Workbench drew them, ``(H, W)`` uint16 PNG."""
    return material_pictures_folder(output, cut) / f"{frame:04d}.png"


def identity_pictures_folder(output: Path, cut: str) -> Path:
    """The identity pictures of a cut's sampled pairs, which the flow is held against."""
    return state_folder(output) / "identity_pictures" / cut


def identity_picture(output: Path, cut: str, frame: int) -> Path:
    """Places of a frame's surface points as Workbench drew them, ``(H, W, 3)`` uint16 PNG."""
    return identity_pictures_folder(output, cut) / f"{frame:04d}.png"


def switched_pictures_folder(output: Path, cut: str) -> Path:
    """Where surfaces change their material between the frames of a cut's pairs, a file a direction that has any."""
    return state_folder(output) / "switched_pictures" / cut


def switched_picture(output: Path, cut: str, frame: int, other: int) -> Path:
    """Where ``frame`` shows surface points that wear another material in ``other``, ``(H, W)`` uint8 PNG: 255 there."""
    return switched_pictures_folder(output, cut) / switched_name(frame, other)


def switched_name(frame: int, other: int) -> str:
    """Name of that file."""
    return f"{frame:04d}-{other:04d}.png"


def unknown_folder(output: Path, cut: str) -> Path:
    """Why motion of a cut's pairs is unknown, a file a direction that has any such pixel."""
    return state_folder(output) / "unknown" / cut


def unknown_file(output: Path, cut: str, frame: int, other: int) -> Path:
    """Why motion from ``frame`` to ``other`` is unknown, see :mod:`animerun_gen.motion.unknown`."""
    return unknown_folder(output, cut) / unknown_name(frame, other)


def unknown_name(frame: int, other: int) -> str:
    """Name of that file."""
    return f"{frame:04d}-{other:04d}.json"


def log_file(output: Path, cut: str, part: int | None = None) -> Path:
    """What Blender printed while it rendered a cut, or a part of it where several Blenders share the cut."""
    return state_folder(output) / "logs" / (f"{cut}.log" if part is None else f"{cut}.part{part}.log")


def scratch_folder(output: Path) -> Path:
    """Where Blender puts what it renders until it is read; emptied when a run begins."""
    return state_folder(output) / "scratch"


def split_list(output: Path, split: str) -> Path:
    """The cuts of a split, a name a line, part of the dataset."""
    return output / "splits" / f"{split}.txt"


def quality_file(output: Path, cut: str) -> Path:
    """The figures of a cut, part of the dataset."""
    return output / "quality" / f"{cut}.json"


def recolor_file(output: Path, cut: str) -> Path:
    """Which colours the colour passes of a cut have, part of the dataset."""
    return output / "recolor" / f"{cut}.json"


def manifest_file(output: Path, cut: str) -> Path:
    """The checksums of a cut's files and what they were made from, part of the dataset."""
    return output / "manifest" / f"{cut}.json"
