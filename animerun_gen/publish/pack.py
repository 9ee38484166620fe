"""Shards of a dataset (WebDataset): tar files of the dataset's own files, with checksums and pictures to look at.

A sample is a frame: all files of one have the same path up to the first dot, ``<cut>/<frame>``, and behind it the kind
of file and its suffix.  What belongs to a whole clip is in the sample ``<cut>/clip``.  Nothing is a pickle.
"""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from animerun_gen.dataset import ClipFiles, Dataset
from animerun_gen.dataset.checksums import digest_of, file_digest
from animerun_gen.dataset.files import (
    json_bytes,
    read_json,
    read_regular,
    refused,
    remove_stale_temporaries,
    write_if_changed,
    write_text,
    written_aside,
)
from animerun_gen.dataset.layout import camera_files, manifest_file, quality_file, recolor_file
from animerun_gen.dataset.listing import list_cut
from animerun_gen.errors import DatasetError, NoDatasetError, UsageError
from animerun_gen.progress import Progress
from animerun_gen.publish.preview import write_contact_sheet, write_video

TABLE = "pack.json"
CHECKSUMS = "SHA256SUMS"
CONTACT_SHEET = "contact_sheet.png"
VIDEO = "preview.mp4"


class PackTable(BaseModel):
    """What a folder of shards says of itself.

    Attributes:
        version: Of this form.
        made_by: What made it.
        shards: Name of each shard to a checksum of what it was made from.
    """

    model_config = ConfigDict(extra="forbid")

    version: Literal[1] = 1
    made_by: Literal["animerun-gen pack"] = "animerun-gen pack"
    shards: dict[str, str] = {}


@dataclass(frozen=True)
class Member:
    """A file of a shard.

    Attributes:
        name: Its path in the shard.
        source: The dataset's file; None where ``content`` says what is in it.
        content: What is in it.
        size: Bytes.
    """

    name: str
    source: Path | None
    content: bytes
    size: int


@dataclass
class Pack:
    """What was packed.

    Attributes:
        root: The folder.
        written: The shards that were written now.
        unchanged: Those that were there.
        samples: How many samples there are in all.
        player: What plays the preview video.
    """

    root: Path
    written: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)
    samples: int = 0
    player: str = ""


def pack(root: Path, output: Path, shard_size: int) -> Pack:
    """Pack a dataset.  Run again, it goes on where it was stopped; the same dataset always becomes the same shards.

    Args:
        root: Root folder of the dataset.
        output: The folder to write to: a new one, an empty one, or one that this has written.
        shard_size: Bytes after which another shard is begun; a sample is never divided.

    Raises:
        UsageError: There is no such dataset, or the folder is somebody else's.
        DatasetError: A file cannot be read or written.
    """
    clips = Dataset(root).clips()
    if not clips:
        raise NoDatasetError("has no cuts to pack", root, "make or download some")
    table = _read_table(output)
    remove_stale_temporaries(output)
    write_if_changed(output / TABLE, table.model_dump())
    done = Pack(output)
    planned: dict[str, list[Member]] = {}
    for split in dict.fromkeys(clip.split for clip in clips):
        samples = [sample for clip in clips if clip.split == split for sample in samples_of(clip)]
        done.samples += len(samples)
        for number, members in enumerate(_divided(samples, shard_size)):
            planned[f"{split}-{number:06d}.tar"] = members
    for name in table.shards.keys() - planned.keys():
        (output / name).unlink(missing_ok=True)
        del table.shards[name]
    with Progress(sum(map(len, planned.values())), "file", "packing") as progress:
        for name, members in planned.items():
            basis = _basis(members)
            if table.shards.get(name) == basis and (output / name).is_file():
                done.unchanged.append(name)
                continue
            with written_aside(output / name) as temporary:
                _write_tar(temporary, members, progress.advance)
            table.shards[name] = basis
            write_if_changed(output / TABLE, table.model_dump())
            done.written.append(name)
    if done.written or not (output / CONTACT_SHEET).is_file():
        write_contact_sheet(output / CONTACT_SHEET, clips)
    done.player = write_video(output / VIDEO, clips, again=bool(done.written))
    files = [*planned, CONTACT_SHEET, VIDEO]
    write_text(output / CHECKSUMS, "".join(f"{file_digest(output / name)}  {name}\n" for name in sorted(files)))
    return done


def samples_of(clip: ClipFiles) -> list[list[Member]]:
    """The samples of a clip, each with its files by name: first that of the whole clip, then its frames.

    Raises:
        DatasetError: A folder cannot be read.
    """
    of_clip: list[Member] = []
    of_frames: dict[int, list[Member]] = {frame: [] for frame in clip.frame_numbers}
    for entry in list_cut(clip.root, clip.split, clip.cut):
        if not entry.belongs or entry.status is None:
            continue
        path, kind = clip.root / entry.name, entry.modality.name
        size = entry.status.st_size
        if entry.frame in of_frames:
            name = f"{clip.cut}/{entry.frame:04d}.{kind}{entry.modality.suffix}"
            of_frames[entry.frame].append(Member(name, path, b"", size))
        elif entry.is_table or entry.is_of_clip:
            suffix = f"_{path.name}" if entry.is_table else path.suffix
            of_clip.append(Member(f"{clip.cut}/clip.{kind}{suffix}", path, b"", size))
    beside = {
        "manifest.json": manifest_file(clip.root, clip.cut),
        "quality.json": quality_file(clip.root, clip.cut),
        "recolor.json": recolor_file(clip.root, clip.cut),
        "camera.json": camera_files(clip.root, clip.split, clip.cut)[0],
    }
    for name, path in beside.items():
        if path.is_file():
            of_clip.append(Member(f"{clip.cut}/clip.{name}", path, b"", path.stat().st_size))
    numbers = list(clip.frame_numbers)
    samples = [_described(f"{clip.cut}/clip", of_clip, {"cut": clip.cut, "split": clip.split, "frames": numbers})]
    for place, frame in enumerate(numbers):
        about = {
            "cut": clip.cut,
            "split": clip.split,
            "frame": frame,
            "previous": numbers[place - 1] if place else None,
            "next": numbers[place + 1] if place + 1 < len(numbers) else None,
        }
        samples.append(_described(f"{clip.cut}/{frame:04d}", of_frames[frame], about))
    return samples


def _described(key: str, members: list[Member], about: dict[str, object]) -> list[Member]:
    content = json.dumps(about, sort_keys=True).encode()
    return [Member(f"{key}.json", None, content, len(content)), *sorted(members, key=lambda member: member.name)]


def _divided(samples: list[list[Member]], shard_size: int) -> Iterator[list[Member]]:
    shard: list[Member] = []
    size = 0
    for sample in samples:
        weight = sum(member.size for member in sample)
        if shard and size + weight > shard_size:
            yield shard
            shard, size = [], 0
        shard += sample
        size += weight
    if shard:
        yield shard


def _basis(members: list[Member]) -> str:
    """Checksum of what decides the bytes of a shard: names, contents, and the state of the files."""
    known = []
    for member in members:
        state = digest_of(member.content) if member.source is None else member.source.stat().st_mtime_ns
        known.append([member.name, member.size, state])
    return digest_of(json_bytes(known))


def _write_tar(path: Path, members: list[Member], advance: Callable[[str], None]) -> None:
    with tarfile.open(path, "w", format=tarfile.PAX_FORMAT) as archive:
        for member in members:
            content = member.content
            if member.source is not None:
                try:
                    content = read_regular(member.source)
                except OSError as error:
                    raise refused("cannot be read", member.source, error, "put it there again") from error
            # neither times nor owners, so that the same dataset becomes the same bytes
            about = tarfile.TarInfo(member.name)
            about.size = len(content)
            about.mode = 0o644
            archive.addfile(about, io.BytesIO(content))
            advance(member.name)


def _read_table(output: Path) -> PackTable:
    if not output.exists() or (output.is_dir() and not any(output.iterdir())):
        return PackTable()
    another = "choose another folder with --out"
    if not output.is_dir():
        raise UsageError("is a file, not a folder", output, another)
    try:
        return PackTable.model_validate(read_json(output / TABLE))
    except (DatasetError, ValidationError) as error:
        raise UsageError(
            f"holds files that were not packed here: it has no {TABLE} of ours", output, another
        ) from error
