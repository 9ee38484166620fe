"""Where the pipeline keeps what is not part of the dataset: one hidden folder inside its root."""

from __future__ import annotations

from pathlib import Path

CAMERA_FOLDER = "Camera"
"""Below a split, what holds the cameras of all its cuts."""

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


def camera_records_folder(output: Path, cut: str) -> Path:
    """The cameras of a cut's frames, a file each, from which :func:`camera_files` are collected."""
    return state_folder(output) / "cameras" / cut


def camera_record(output: Path, cut: str, frame: int) -> Path:
    """The camera of one frame."""
    return camera_records_folder(output, cut) / f"{frame:04d}.json"


def reprojections_folder(output: Path, cut: str) -> Path:
    """How well the flow of what stands still agrees with depth and cameras, a file for each direction of a pair."""
    return state_folder(output) / "reprojections" / cut


def reprojection(output: Path, cut: str, frame: int, other: int) -> Path:
    """How well it does from ``frame`` to ``other``."""
    return reprojections_folder(output, cut) / reprojection_name(frame, other)


def reprojection_name(frame: int, other: int) -> str:
    """Name of that file."""
    return f"{frame:04d}-{other:04d}.json"


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


def camera_files(output: Path, split: str, cut: str) -> tuple[Path, Path]:
    """The cameras of a cut's frames, as JSON and as arrays, part of the dataset; see ``docs/camera_files.md``."""
    folder = output / split / CAMERA_FOLDER
    return folder / f"{cut}.json", folder / f"{cut}.npz"


def files_beside(output: Path, split: str, cut: str) -> tuple[Path, ...]:
    """All files that the dataset may have of a cut outside of the folders of its modalities, but for the manifest."""
    return quality_file(output, cut), recolor_file(output, cut), *camera_files(output, split, cut)
