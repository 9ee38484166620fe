"""Finds the sequences of frames of a dataset, ours or of others, as the statistics take them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

from animerun_gen.dataset import SPLITS, ClipFiles, layout
from animerun_gen.dataset.others import (
    Found,
    find_atd12k,
    find_creative_flow,
    find_flying_things,
    find_linkto,
    find_sintel,
)
from animerun_gen.dataset.pairs import ClipIndex, FlowFiles, MaskFile, SampleFiles, chosen_clips
from animerun_gen.errors import DatasetError, NoDatasetError
from animerun_gen.pipeline.state.manifest_file import base_name, read_manifest

ALL_PICTURES = "all"
"""Stands for everything that the frames are drawn as: the colour frame and its passes, or all styles of a scene."""

PICTURE_SUFFIXES = (".png", ".jpg", ".jpeg")

UNKNOWN_FILM = "unknown"


@dataclass(frozen=True)
class Step:
    """What is known of the way from a frame to the next one.

    Attributes:
        flow: Motion, where it is valid, and the occlusion of the paper's rule; None where there is no flow.
        exact: The occlusion from the scene's geometry; None where nobody says.
        matches: Which segment becomes which; None where nobody says.
    """

    flow: FlowFiles | None = None
    exact: MaskFile | None = None
    matches: Path | None = None


@dataclass(frozen=True)
class Sequence:
    """Frames that follow each other.

    Attributes:
        split: The part of the dataset that it belongs to; empty where there are no parts.
        film: What it is from.
        name: What it is called within its split.
        images: Its frames in order, by what they are drawn as; all of one length.
        steps: The way to the next frame, by the place of the earlier one; a place is missing where what follows is
            no neighbour.
        segments: The file of the segments of a frame, by its place.
    """

    split: str
    film: str
    name: str
    images: Mapping[str, tuple[Path, ...]]
    steps: Mapping[int, Step] = field(default_factory=dict)
    segments: Mapping[int, Path] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(next(iter(self.images.values())))


@dataclass(frozen=True)
class Sequences:
    """All sequences of a dataset.

    Attributes:
        layout: The layout that was recognised, a key of :data:`LAYOUTS`.
        sequences: In the order of splits and names.
        left_out: What could not be taken, a sentence each.
    """

    layout: str
    sequences: list[Sequence]
    left_out: list[str] = field(default_factory=list)


def find_sequences(root: Path, pictures: str | None = None) -> Sequences:
    """The sequences of a dataset of any known layout.

    Args:
        root: Its root folder; that of a plain folder of frames may hold them itself, or folders of them.
        pictures: What the frames are drawn as (``"frame"``, ``"color_1"``, ``"final"``), or :data:`ALL_PICTURES`; None:
            the first of them.

    Raises:
        NoDatasetError: The folder is of no known layout, or has no such pictures.
        DatasetError: A folder cannot be read.
    """
    if not root.is_dir():
        raise NoDatasetError("is no folder", root, "give the root folder of a dataset, or a folder of frames")
    name = recognise(root)
    found = LAYOUTS[name](root, pictures)
    if not found.sequences:
        reason = f"; the first reason: {found.left_out[0]}" if found.left_out else ""
        what = "frames" if pictures is None else f"pictures '{pictures}'"
        raise NoDatasetError(f"looks like {name}, but has no {what} in it{reason}", root, "see docs/statistics.md")
    return found


def recognise(root: Path) -> str:
    """Which layout a folder is of, a key of :data:`LAYOUTS`.

    Raises:
        NoDatasetError: Of none.
    """
    if any((root / split / "Frame_Anime").is_dir() for split in SPLITS):
        return "animerun"
    base = root / "Sintel" if (root / "Sintel").is_dir() else root
    if any((base / split / one).is_dir() for split in ("training", "test") for one in ("clean", "final")):
        return "sintel"
    if any((root / split).is_dir() for split in ATD12K_SPLITS):
        return "atd12k"
    if (root / "optical_flow").is_dir() and any((root / f"frames_{one}pass").is_dir() for one in ("clean", "final")):
        return "flyingthings3d"
    for split in SPLITS:
        for scene in _folders(root / split):
            if any((scene / inside / "renders" / "composite").is_dir() for inside in ("", "cam0")):
                return "creativeflow"
            if any(_folders(view, "Rendering") for model in _folders(scene) for view in _folders(model)):
                return "linkto"
    if _pictures(root) or any(_pictures(folder) for folder in _folders(root)):
        return "frames"
    known = ", ".join(sorted(LAYOUTS))
    raise NoDatasetError(
        f"is no dataset of a layout that is known ({known}), and has no .png or .jpg files in it",
        root,
        "give the folder that holds the splits, or a folder of frames",
    )


ATD12K_SPLITS = ("train_10k", "test_2k_540p", "test_2k_original")


def _animerun(root: Path, pictures: str | None) -> Sequences:
    found = Sequences("animerun", [])
    for split in SPLITS:
        if not (root / split / "Frame_Anime").is_dir():
            continue
        for clip in chosen_clips(root, split):
            names = ("frame", *clip.passes) if pictures == ALL_PICTURES else (pictures or "frame",)
            images = _complete(clip, names)
            if images:
                found.sequences.append(_sequence_of_clip(clip, images))
            else:
                found.left_out.append(f"{split}/{clip.clip.cut} has no {' or '.join(names)} of all its frames")
    return found


def _complete(clip: ClipIndex, names: Iterable[str]) -> dict[str, tuple[Path, ...]]:
    """The frames of a clip by what they are drawn as, without what not all frames have."""
    rows = {name: [clip.file(name, frame) for frame in clip.numbers] for name in names}
    return {name: tuple(filter(None, row)) for name, row in rows.items() if all(row)}


def _sequence_of_clip(clip: ClipIndex, images: Mapping[str, tuple[Path, ...]]) -> Sequence:
    steps = {}
    for place, frame in enumerate(clip.numbers[:-1]):
        flow, valid = clip.file("flow_forward", frame), clip.file("valid_forward", frame)
        rule, exact = clip.file("occlusion_forward", frame), clip.file("exact_occlusion_forward", frame)
        steps[place] = Step(
            flow=None
            if flow is None
            else FlowFiles(
                flow,
                None if valid is None else MaskFile(valid, "valid_is_255"),
                None if rule is None else MaskFile(rule, "hidden_is_0"),
            ),
            exact=None if exact is None else MaskFile(exact, "hidden_is_255"),
            matches=clip.file("match_forward", frame),
        )
    segments = {place: clip.file("segment", frame) for place, frame in enumerate(clip.numbers)}
    return Sequence(
        clip.clip.split,
        _film_of(clip.clip),
        clip.clip.cut,
        images,
        steps,
        {place: path for place, path in segments.items() if path is not None},
    )


def _film_of(clip: ClipFiles) -> str:
    """The film that the manifest names; else the first word of the cut's name, as the published cuts are called."""
    with suppress(DatasetError):
        manifest, _ = read_manifest(layout.manifest_file(clip.root, clip.cut))
        film = manifest.config.get("film") or base_name(manifest.source.path or "").removesuffix(".blend")
        if film:
            return str(film)
    return first_word(clip.cut)


def first_word(name: str) -> str:
    """What a name begins with.

    >>> first_word("agent_basement2"), first_word("Disney_v4_21_020020_s2"), first_word("_")
    ('agent', 'Disney', '_')
    """
    return name.replace("-", "_").partition("_")[0] or name


def _sintel(root: Path, pictures: str | None) -> Sequences:
    return _of_others(
        "sintel", root, ("training", "test"), pictures, find_sintel, lambda scene: "Sintel", ("final", "clean")
    )


def _creative_flow(root: Path, pictures: str | None) -> Sequences:
    return _of_others("creativeflow", root, ("train", "test"), pictures, find_creative_flow, lambda scene: UNKNOWN_FILM)


def _atd12k(root: Path, pictures: str | None) -> Sequences:
    return _of_others("atd12k", root, ATD12K_SPLITS, pictures, find_atd12k, first_word)


def _flying_things(root: Path, pictures: str | None) -> Sequences:
    return _of_others(
        "flyingthings3d", root, ("TRAIN", "TEST"), pictures, find_flying_things, lambda scene: "FlyingThings3D"
    )


def _linkto(root: Path, pictures: str | None) -> Sequences:
    return _of_others("linkto", root, SPLITS, pictures, find_linkto, lambda scene: scene.partition("/")[0])


def _of_others(
    name: str,
    root: Path,
    splits: Iterable[str],
    pictures: str | None,
    find: Callable[[Path, str], Found],
    film_of: Callable[[str], str],
    preferred: tuple[str, ...] = (),
) -> Sequences:
    found = Sequences(name, [])
    for split in splits:
        # a split that was not downloaded is no fault
        with suppress(NoDatasetError):
            samples, left_out = find(root, split)
            found.left_out.extend(left_out)
            by_scene: dict[str, list[SampleFiles]] = {}
            for sample in samples:
                by_scene.setdefault(sample.meta["scene"], []).append(sample)
            for scene, own in by_scene.items():
                names = _wanted(own[0], pictures, preferred)
                if names:
                    found.sequences.append(_joined(split, film_of(scene), scene, names, own))
                else:
                    found.left_out.append(f"{split}/{scene} has no pictures '{pictures}'")
    return found


def _wanted(sample: SampleFiles, pictures: str | None, preferred: tuple[str, ...]) -> tuple[str, ...]:
    there = sorted(sample.images)
    if pictures == ALL_PICTURES:
        return tuple(there)
    if pictures is not None:
        return (pictures,) if pictures in there else ()
    return next(((name,) for name in preferred if name in there), tuple(there[:1]))


def _joined(split: str, film: str, scene: str, names: tuple[str, ...], samples: list[SampleFiles]) -> Sequence:
    """The frames of pairs, or of longer rows, each once, in their order."""
    images: dict[str, list[Path]] = {name: [] for name in names}
    steps: dict[int, Step] = {}
    last: Path | None = None
    for sample in samples:
        rows = {name: sample.images[name] for name in names if name in sample.images}
        if len(rows) < len(names):
            continue
        first = next(iter(rows.values()))
        # the frame with which the pair before ended is there already
        begun = 1 if first[0] == last else 0
        place = len(images[names[0]]) - begun
        for name, row in rows.items():
            images[name] += row[begun:]
        for step, _ in enumerate(pairwise(first)):
            steps[place + step] = Step(sample.flows[step] if sample.flows else None)
        last = first[-1]
    return Sequence(split, film, scene, {name: tuple(row) for name, row in images.items()}, steps)


def _frames(root: Path, pictures: str | None) -> Sequences:
    """A folder of frames, or of folders of frames, each of which is a sequence."""
    found = Sequences("frames", [])
    if pictures not in (None, "frame", ALL_PICTURES):
        found.left_out.append("a folder of frames has the pictures 'frame' alone")
        return found
    film = root.resolve().name or UNKNOWN_FILM
    for folder in (root, *_folders(root)):
        frames = _pictures(folder)
        if frames:
            steps = {place: Step() for place in range(len(frames) - 1)}
            found.sequences.append(Sequence("", film, folder.resolve().name, {"frame": tuple(frames)}, steps))
    return found


LAYOUTS: Mapping[str, Callable[[Path, str | None], Sequences]] = {
    "animerun": _animerun,
    "sintel": _sintel,
    "creativeflow": _creative_flow,
    "atd12k": _atd12k,
    "flyingthings3d": _flying_things,
    "linkto": _linkto,
    "frames": _frames,
}
"""What finds the sequences of a layout."""


def _folders(folder: Path, word: str = "") -> list[Path]:
    """The folders in a folder whose names have a word in them, by name."""
    try:
        inside = list(folder.iterdir())
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise DatasetError(f"cannot be read ({error.strerror})", folder, "check its permissions") from error
    return sorted(one for one in inside if word in one.name and not one.name.startswith(".") and one.is_dir())


def _pictures(folder: Path) -> list[Path]:
    """The pictures in a folder, in the order of the numbers that their names end with."""
    try:
        inside = [one for one in folder.iterdir() if one.suffix.lower() in PICTURE_SUFFIXES]
    except OSError as error:
        raise DatasetError(f"cannot be read ({error.strerror})", folder, "check its permissions") from error
    return sorted((one for one in inside if not one.name.startswith(".")), key=_by_number)


def _by_number(path: Path) -> tuple[str, int, str]:
    """A key by which ``frame9`` stands before ``frame10``."""
    start = path.stem.rstrip("0123456789")
    digits = path.stem[len(start) :]
    return start, int(digits) if digits.isascii() and 0 < len(digits) < 19 else -1, path.name
