"""Which frames and pairs of a cut lack files."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from pathlib import Path

from animerun_gen.config import CutConfig
from animerun_gen.dataset import layout
from animerun_gen.dataset.modalities import Modality, pass_number
from animerun_gen.pipeline.made import Wanted
from animerun_gen.pipeline.state.on_disk import FilesOnDisk, Pair, has_content
from animerun_gen.pipeline.tasks.recoloring import passes_listed


@dataclass(frozen=True)
class Missing:
    """Which of a cut's frames and pairs lack files, of those that are worked on.

    Attributes:
        neighbours: The pairs of neighbours that are worked on, ascending.
        pictures: The frames that lack a picture.
        material_pictures: The sampled frames that lack their material ids.
        identity_pictures: The frames of sampled pairs that lack their identity picture.
        companions: The frames that lack what is written beside motion, or the record of their camera.
        pairs: The pairs that lack motion or, where that is asked for, the comparison of the two motion backends.
        labels: The frames that lack labels.
        pair_labels: The pairs of neighbours that lack labels.
        passes: The frames that lack a colour pass.
        colors: Whether the table of the passes' colours lacks one of them.
    """

    neighbours: tuple[Pair, ...]
    pictures: tuple[int, ...]
    material_pictures: tuple[int, ...]
    identity_pictures: tuple[int, ...]
    companions: tuple[int, ...]
    pairs: tuple[Pair, ...]
    labels: tuple[int, ...]
    pair_labels: tuple[Pair, ...]
    passes: tuple[int, ...]
    colors: bool


def find_missing(
    wanted: Wanted,
    frames: tuple[int, ...],
    found: FilesOnDisk,
    stages: Collection[str],
    compared: Collection[Pair] | None = None,
) -> Missing:
    """Look for what is missing of some frames of a cut.

    Args:
        wanted: What the cut asks for.
        frames: The clip's frames to work on, ascending.
        found: The cut's files on disk.
        stages: Only files of these stages count as lacking.
        compared: From frame to frame, between which frames the two motion backends were compared; None where that is
            not asked for.
    """
    config, root = wanted.config, found.root
    far = {gap: pairs_at(config, frames, gap) for gap in config.motion.gaps}
    neighbours = pairs_at(config, frames, 1)
    pictures, motion, labels, recolor = (
        wanted.of_stages([stage]) if stage in stages else [] for stage in ("pictures", "motion", "labels", "recolor")
    )

    def without(kinds: Collection[Modality]) -> set[int]:
        # any visit to the scene brings the tables of names
        tables = [m.names_path(root, config.split, config.name) for m in kinds if m.has_names]
        lacking = set(frames) - found.with_all(kinds, frames)
        return lacking if all(map(has_content, tables)) else lacking | set(frames[:1])

    def unpainted(sampled: Iterable[int], place: Callable[[Path, str, int], Path]) -> tuple[int, ...]:
        chosen = set(frames) if pictures else ()
        return tuple(n for n in sampled if n in chosen and not has_content(place(root, config.name, n)))

    companions = without([what for what in motion if what.kind == "frame"])
    if motion:
        companions |= set(frames) - found.with_records(frames)
    pairs: set[Pair] = set()
    for gap, of_gap in far.items():
        pairs |= set(of_gap) - found.pairs_with_all([what for what in motion if what.gap == gap], of_gap)
    if compared is not None:
        known = set(compared)
        pairs |= {(a, b) for a, b in neighbours if not {(a, b), (b, a)} <= known}
    labelled = found.with_all((what for what in labels if what.kind == "frame"), frames)
    labelled_pairs = found.pairs_with_all(labels, neighbours)
    recolored = found.with_all(recolor, frames)
    names = [what.name for what in recolor if pass_number(what.name) is not None]
    return Missing(
        neighbours=neighbours,
        pictures=tuple(sorted(without(pictures))),
        material_pictures=unpainted(wanted.sampled_frames, layout.material_picture),
        identity_pictures=unpainted(wanted.identity_frames, layout.identity_picture),
        companions=tuple(sorted(companions)),
        pairs=tuple(sorted(pairs)),
        labels=tuple(sorted(set(frames) - labelled)),
        pair_labels=tuple(sorted(set(neighbours) - labelled_pairs)),
        passes=tuple(sorted(set(frames) - recolored)),
        colors=bool(recolor) and passes_listed(root, config.name) != names,
    )


def pairs_at(config: CutConfig, frames: Collection[int], gap: int) -> tuple[Pair, ...]:
    """Pairs of frames that are ``gap`` frames of the clip apart and both to be worked on."""
    numbers, chosen = config.frame_numbers, set(frames)
    return tuple(
        (earlier, later)
        for earlier, later in zip(numbers, numbers[gap:], strict=False)
        if earlier in chosen and later in chosen
    )
