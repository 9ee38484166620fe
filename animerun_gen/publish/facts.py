"""What is known about a dataset as a whole, from its manifests, quality figures and pictures."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from animerun_gen.dataset import ClipFiles, Dataset, read_json
from animerun_gen.dataset.layout import manifest_file, quality_file
from animerun_gen.dataset.listing import list_cut
from animerun_gen.errors import DatasetError, NoDatasetError
from animerun_gen.pipeline.state.manifest_file import Manifest, base_name, read_manifest

UNKNOWN = "unknown"

CREDITS = ("license", "author", "source_url", "attribution")
"""Keys of a cut's configuration that say whose its film is."""


@dataclass(frozen=True)
class PublishedCut:
    """A cut, as a reader of the card needs it.

    Attributes:
        clip: Its files.
        frames: How many it has.
        resolution: Width and height.
        film: Name of the film's file; ``unknown`` where nothing says it.
        sha256: Its checksum; ``unknown`` likewise.
        credits: What the configuration says of :data:`CREDITS`; ``unknown`` where it says nothing.
        made_with: Name to version of what made it.
        unknown_share: Share of all pixels of all pairs, both directions, whose motion is unknown; None where no figures
            say it.
        largest_motion: Pixels; None likewise.
        failures: How many figures are beyond their thresholds; None where nothing was judged.
        sizes: Bytes of its files by modality.
        file_counts: How many files there are of each.
        suffixes: How the names of their files end.
    """

    clip: ClipFiles
    frames: int
    resolution: tuple[int, int]
    film: str
    sha256: str
    credits: dict[str, str]
    made_with: dict[str, str]
    unknown_share: float | None
    largest_motion: float | None
    failures: int | None
    sizes: dict[str, int] = field(default_factory=dict)
    file_counts: dict[str, int] = field(default_factory=dict)
    suffixes: dict[str, str] = field(default_factory=dict)


def collect_cuts(root: Path) -> list[PublishedCut]:
    """Look at all cuts of a dataset.

    Raises:
        NoDatasetError: It is no dataset, or has no cuts.
        DatasetError: A folder or a picture cannot be read.
    """
    clips = Dataset(root).clips()
    if not clips:
        raise NoDatasetError("has no cuts", root, "make or download some")
    return [_look_at(clip) for clip in clips]


def _look_at(clip: ClipFiles) -> PublishedCut:
    try:
        manifest, _ = read_manifest(manifest_file(clip.root, clip.cut))
    except DatasetError:
        manifest = Manifest()
    quality = _quality(clip)
    height, width = clip.read("frame", clip.frame_numbers[0]).shape[:2]
    directions = [pair[way] for pair in _dicts(quality.get("pairs")) for way in ("forward", "backward") if way in pair]
    unknown = _numbers(directions, "invalid_share")
    motions = _numbers(directions, "largest_motion")
    sizes: dict[str, int] = {}
    counts: dict[str, int] = {}
    suffixes: dict[str, str] = {}
    for entry in list_cut(clip.root, clip.split, clip.cut):
        if entry.belongs and entry.status is not None:
            sizes[entry.modality.name] = sizes.get(entry.modality.name, 0) + entry.status.st_size
            counts[entry.modality.name] = counts.get(entry.modality.name, 0) + 1
            suffixes[entry.modality.name] = entry.modality.suffix
    failures = quality.get("failures")
    return PublishedCut(
        clip=clip,
        frames=len(clip.frame_numbers),
        resolution=(width, height),
        film=base_name(manifest.source.path or "") or UNKNOWN,
        sha256=manifest.source.sha256 or UNKNOWN,
        credits={key: str(manifest.config.get(key) or UNKNOWN) for key in CREDITS},
        made_with=manifest.made_with,
        unknown_share=sum(unknown) / len(unknown) if unknown else None,
        largest_motion=max(motions) if motions else None,
        failures=len(failures) if isinstance(failures, list) else None,
        sizes=sizes,
        file_counts=counts,
        suffixes=suffixes,
    )


def _quality(clip: ClipFiles) -> dict[str, Any]:
    try:
        quality = read_json(quality_file(clip.root, clip.cut))
    except DatasetError:
        return {}
    return quality if isinstance(quality, dict) else {}


def _dicts(value: Any) -> list[dict[str, Any]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _numbers(values: Iterable[Any], key: str) -> list[float]:
    found = [value.get(key) for value in values if isinstance(value, dict)]
    return [float(value) for value in found if isinstance(value, int | float) and not isinstance(value, bool)]
