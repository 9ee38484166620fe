"""Finds out how much of a cut is on disk, and whether published loaders would read it right."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from animerun_gen.config import CutConfig
from animerun_gen.config.messages import spans
from animerun_gen.dataset.cameras import frames_of_cameras
from animerun_gen.dataset.layout import camera_files
from animerun_gen.dataset.modalities import modality, pass_number
from animerun_gen.dataset.tracks import TrackSettings, read_settings
from animerun_gen.errors import DatasetError
from animerun_gen.pipeline.made import Wanted
from animerun_gen.pipeline.state.on_disk import FilesOnDisk, Pair


@dataclass(frozen=True)
class Coverage:
    """How much of a cut is on disk.

    Attributes:
        frames: The clip's frames that have all their files, ascending.
        pairs: The clip's pairs, of neighbours and over each gap, that have all their files, ascending.
        missing_frames: The other frames of the clip, ascending.
        missing_pairs: The other pairs of the clip, ascending.
        missing_tracks: Whether tracks are asked for that are not there.
        missing_cameras: Whether the files of cameras are not there, or lack frames of the clip.
        missing_passes: Names of what is asked for in the colours of passes and of which nothing is there; where there
            is a part of it, its frames count as missing.
        in_order: Whether the files are those of an unbroken row of the clip's frames and of nothing else.  Published
            loaders pair files by their order, so everything else makes them pair the wrong ones.
    """

    frames: tuple[int, ...]
    pairs: tuple[Pair, ...]
    missing_frames: tuple[int, ...]
    missing_pairs: tuple[Pair, ...]
    in_order: bool
    missing_tracks: bool = False
    missing_cameras: bool = False
    missing_passes: tuple[str, ...] = ()

    @property
    def complete(self) -> bool:
        """Whether everything is there and nothing else."""
        missing = self.missing_frames or self.missing_pairs or self.missing_passes
        return self.in_order and not (missing or self.missing_tracks or self.missing_cameras)


def has_tracks(config: CutConfig, output: Path) -> bool:
    """Whether a file of tracks is there, for the clip, the number of points and the seed that a cut asks for."""
    try:
        made_for = read_settings(modality("tracks").clip_path(output, config.split, config.name))
    except DatasetError:
        return False
    return made_for == TrackSettings(config.frame_numbers, config.motion.tracks, config.seed)


def has_cameras(config: CutConfig, output: Path) -> bool:
    """Whether the files of cameras are there, with all frames of a cut."""
    return frames_of_cameras(*camera_files(output, config.split, config.name)) == config.frame_numbers


def measure_coverage(
    wanted: Wanted, output: Path, stages: Collection[str], found: FilesOnDisk | None = None
) -> Coverage:
    """Look at the files of a cut.

    Args:
        wanted: What it asks for.
        output: Root folder of the dataset.
        stages: The stages whose files count.
        found: The files on disk, where someone has looked before.

    Raises:
        DatasetError: A folder cannot be read.
    """
    config, enabled = wanted.config, wanted.of_stages(stages)
    if found is None:
        found = FilesOnDisk(output, config.split, config.name)
    found.now()
    there = {m.name: set(found.frames(m)) for m in enabled if m.kind != "clip"}
    for name in (name for name, frames in there.items() if not frames):
        folder = modality(name).cut_folder(output, config.split, config.name)
        if folder.is_file():
            raise DatasetError("cannot be read: it is a file, not a folder", folder, "remove it")
    # loaders do not miss a folder of colours that is not there at all
    missing_passes = tuple(m.name for m in enabled if m.stage == "recolor" and not there[m.name])
    modalities = [m for m in enabled if m.kind != "clip" and m.name not in missing_passes]
    numbers = config.frame_numbers
    frames = found.with_all((m for m in modalities if m.kind == "frame"), numbers)
    pairs_of = {gap: list(zip(numbers, numbers[gap:], strict=False)) for gap in config.motion.gaps}
    pairs: set[Pair] = set()
    for gap, of_gap in pairs_of.items():
        pairs |= found.pairs_with_all([m for m in modalities if m.gap == gap], of_gap)
    all_pairs = sorted(pair for of_gap in pairs_of.values() for pair in of_gap)
    present = sorted(set().union(*there.values()))
    return Coverage(
        frames=tuple(sorted(frames)),
        pairs=tuple(sorted(pairs)),
        missing_frames=tuple(frame for frame in numbers if frame not in frames),
        missing_pairs=tuple(pair for pair in all_pairs if pair not in pairs),
        missing_tracks=any(m.kind == "clip" for m in enabled) and not has_tracks(config, output),
        missing_cameras="motion" in stages and not has_cameras(config, output),
        missing_passes=missing_passes,
        in_order=_is_unbroken(present, numbers) and all(there[m.name] == set(m.frames(present)) for m in modalities),
    )


def describe_coverage(coverage: Coverage) -> list[str]:
    """What is missing of a cut in words, a line each; none when it is complete."""
    if coverage.complete:
        return []
    frames, pairs = coverage.missing_frames, coverage.missing_pairs
    lines = []
    if frames or pairs:
        all_frames = sorted({*coverage.frames, *frames})
        missing = f"frames {spans(frames, all_frames)}" if frames else f"motion or labels of {_listed(pairs)}"
        lines.append(
            f"{len(coverage.frames)} of {len(all_frames)} frames and {len(coverage.pairs)} of "
            f"{len(coverage.pairs) + len(pairs)} pairs are complete; missing: {missing}"
        )
    if coverage.missing_tracks:
        lines.append("the tracks are missing: they are made when a run renders without --frames")
    if coverage.missing_cameras and not frames:
        lines.append("the cameras of some frames are missing: they are made when a run renders")
    if coverage.missing_passes:
        # those of a layer go without saying
        passes = [name for name in coverage.missing_passes if pass_number(name) is not None]
        lines.append(
            f"missing: {', '.join(passes or coverage.missing_passes)}; colour passes are made once all frames of the "
            "clip are rendered"
        )
    if not coverage.in_order:
        lines.append(
            "do not use this clip yet: published loaders match files by their order and would mismatch them; run "
            "'animerun-gen generate' without --frames to complete it"
        )
    return lines


def frames_to_make(coverage: Coverage) -> Pair | None:
    """The first and last frame that a run has to be limited to, to make what is missing; None for all of the clip."""
    if coverage.missing_tracks or coverage.missing_passes or (coverage.missing_cameras and not coverage.missing_frames):
        return None
    frames = [*coverage.missing_frames, *(frame for pair in coverage.missing_pairs for frame in pair)]
    return (min(frames), max(frames)) if frames else None


def _is_unbroken(frames: Sequence[int], numbers: Sequence[int]) -> bool:
    """Whether frames are a row of neighbours in the clip."""
    if not frames:
        return True
    if frames[0] not in numbers:
        return False
    start = numbers.index(frames[0])
    return tuple(frames) == tuple(numbers[start : start + len(frames)])


def _listed(pairs: Sequence[Pair]) -> str:
    shown = ", ".join(f"{earlier}-{later}" for earlier, later in pairs[:5])
    return f"pairs {shown}, ..." if len(pairs) > 5 else f"pairs {shown}"
