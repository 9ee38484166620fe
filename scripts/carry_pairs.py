#!/usr/bin/env python3
"""Makes one small file of the frames and flow of a dataset, for a machine that only little can be carried to.

python scripts/carry_pairs.py pack out/demo demo.pairs
python scripts/carry_pairs.py unpack demo.pairs out/demo_carried

Frames and colour passes stay as they are, to the bit.  Flow becomes whole sixteenths of a pixel (--parts); where it is
unknown it stays so, and a motion of more than 2,047 pixels becomes unknown.  The file has about a thirtieth of the
bytes.  What comes out is a dataset that all readers take, with `Frame_Anime`, `Flow` and `Valid` alone; with --masks it
also has what evaluation tells pixels apart by, occlusion and line area.
"""

from __future__ import annotations

import argparse
import json
import lzma
import struct
import sys
import zipfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from itertools import repeat
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from animerun_gen.dataset import ClipFiles, ClipWriter, Dataset
from animerun_gen.dataset.modalities import pass_number
from animerun_gen.dataset.pairs import ClipIndex, FlowFiles, MaskFile, read_motion, read_picture
from animerun_gen.errors import AnimerunGenError, DatasetError

_HEAD = struct.Struct("<III")
"""Height, width, and parts of a pixel."""

_LOSSLESS = [cv2.IMWRITE_WEBP_QUALITY, 101]
_COMPRESSION = {"preset": 6}

MASKS = ("occlusion_forward", "line_area")
"""What evaluation tells pixels apart by."""

Flow = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]


def encoded_flow(flow: Flow, valid: Mask, parts: int) -> bytes:
    """Flow in few bytes: what differs from the plane through three neighbours, of which most is nothing.

    Args:
        flow: `(H, W, 2)` float32, pixels.
        valid: `(H, W)` bool: where it is known.
        parts: Parts of a pixel in which it is counted.

    Returns:
        The bytes; motion that is too long to be counted in 16 bits is unknown in them.

    Example:
        >>> flow = np.full((4, 6, 2), 1.26, np.float32)
        >>> decoded_flow(encoded_flow(flow, np.ones((4, 6), bool), 4))[0][0, 0].tolist()
        [1.25, 1.25]
    """
    whole = np.rint(np.where(valid[..., None], flow, 0) * np.float64(parts))
    valid = valid & (np.abs(whole).max(axis=-1) <= np.iinfo(np.int16).max)
    counted = np.where(valid[..., None], whole, 0).astype(np.int16).transpose(2, 0, 1)
    # numbers of 16 bits wrap round, here and when they are added up again
    rest = np.diff(np.diff(counted, axis=1, prepend=np.int16(0)), axis=2, prepend=np.int16(0))
    folded = ((rest << 1) ^ (rest >> 15)).view(np.uint16)
    planes = np.stack([folded & 255, folded >> 8]).astype(np.uint8)
    content = np.packbits(valid).tobytes() + planes.tobytes()
    return _HEAD.pack(*valid.shape, parts) + lzma.compress(content, **_COMPRESSION)  # type: ignore[arg-type]


def decoded_flow(data: bytes) -> tuple[Flow, Mask]:
    """What `encoded_flow` made bytes of: the flow, 0 where it is unknown, and where it is known."""
    height, width, parts = _HEAD.unpack_from(data)
    content = np.frombuffer(lzma.decompress(data[_HEAD.size :]), np.uint8)
    bits = -(-height * width // 8)
    valid = np.unpackbits(content[:bits], count=height * width).reshape(height, width).astype(bool)
    low, high = content[bits:].reshape(2, 2, height, width).astype(np.uint16)
    folded = low | (high << 8)
    rest = ((folded >> 1) ^ (0 - (folded & 1)).astype(np.uint16)).view(np.int16)
    counted = np.cumsum(np.cumsum(rest, axis=2, dtype=np.int16), axis=1, dtype=np.int16)
    return (counted.transpose(1, 2, 0) / np.float32(parts)).astype(np.float32), valid


def encoded_mask(mask: Mask) -> bytes:
    """A mask, `(H, W)` bool, in few bytes."""
    return _HEAD.pack(*mask.shape, 0) + lzma.compress(np.packbits(mask).tobytes())


def decoded_mask(data: bytes) -> Mask:
    """What `encoded_mask` made bytes of."""
    height, width, _ = _HEAD.unpack_from(data)
    content = np.frombuffer(lzma.decompress(data[_HEAD.size :]), np.uint8)
    return np.unpackbits(content, count=height * width).reshape(height, width).astype(bool)


def pack(
    dataset: Dataset, file: Path, splits: list[str], cuts: list[str], both: bool, parts: int, masks: bool = False
) -> int:
    """Pack a dataset; returns the number of pairs."""
    pairs = 0
    partial = file.with_name(f".{file.name}.part")
    with zipfile.ZipFile(partial, "w", zipfile.ZIP_STORED) as archive:
        for clip in (clip for split in splits or dataset.splits for clip in dataset.clips(split)):
            if cuts and clip.cut not in cuts:
                continue
            for name, data in _members(clip, both, parts, masks):
                archive.writestr(zipfile.ZipInfo(name), data)
                pairs += "/flow_" in name
        archive.writestr(zipfile.ZipInfo("about.json"), json.dumps({"format": "animerun_gen pairs 1", "parts": parts}))
    partial.replace(file)
    return pairs


def _members(clip: ClipFiles, both: bool, parts: int, masks: bool) -> Iterator[tuple[str, bytes]]:
    index = ClipIndex.look(clip)
    for modality in ("frame", *index.passes):
        for frame in index.numbers:
            if (path := index.file(modality, frame)) is not None:
                picture = cv2.cvtColor(read_picture(path), cv2.COLOR_RGB2BGR)
                data = cv2.imencode(".webp", picture, _LOSSLESS)[1].tobytes()
                yield f"{clip.split}/{clip.cut}/{modality}/{frame:04d}.webp", data
    for name in MASKS if masks else ():
        for frame in index.numbers:
            if index.file(name, frame) is not None:
                yield f"{clip.split}/{clip.cut}/{name}/{frame:04d}.xz", encoded_mask(clip.read(name, frame))
    for way in ("forward", "backward") if both else ("forward",):
        for frame in index.numbers:
            path, valid = index.file(f"flow_{way}", frame), index.file(f"valid_{way}", frame)
            if path is not None:
                files = FlowFiles(path, None if valid is None else MaskFile(valid, "valid_is_255"))
                motion, known, _ = read_motion(files)
                yield f"{clip.split}/{clip.cut}/flow_{way}/{frame:04d}.xz", encoded_flow(motion, known, parts)


def unpack(file: Path, root: Path, workers: int) -> int:
    """Make a dataset of a packed file, by so many processes; returns the number of pairs."""
    with zipfile.ZipFile(file) as archive:
        names = [name for name in archive.namelist() if name != "about.json"]
    if workers == 1:
        return _unpack(file, root, names)
    with ProcessPoolExecutor(workers) as pool:
        return sum(pool.map(_unpack, repeat(file), repeat(root), [names[at::workers] for at in range(workers)]))


def _unpack(file: Path, root: Path, names: Sequence[str]) -> int:
    pairs = 0
    with zipfile.ZipFile(file) as archive:
        for name in names:
            split, cut, modality, stem = name.removesuffix(".webp").removesuffix(".xz").split("/")
            # nothing of a name is taken for a folder that the dataset has no place for
            if modality not in ("frame", "flow_forward", "flow_backward", *MASKS) and pass_number(modality) is None:
                raise DatasetError(f"holds {modality}, which is nothing that it should", file, "pack the dataset again")
            writer = ClipWriter(root, split, cut)
            if modality in MASKS:
                writer.write(modality, int(stem), decoded_mask(archive.read(name)))
            elif modality.startswith("flow_"):
                flow, valid = decoded_flow(archive.read(name))
                writer.write(modality, int(stem), np.where(valid[..., None], flow, np.float32(1e10)))
                writer.write(modality.replace("flow_", "valid_"), int(stem), valid)
                pairs += 1
            else:
                picture = cv2.imdecode(np.frombuffer(archive.read(name), np.uint8), cv2.IMREAD_COLOR)
                writer.write(modality, int(stem), cv2.cvtColor(picture, cv2.COLOR_BGR2RGB))
    return pairs


def main() -> int:
    """Pack or unpack; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ways = parser.add_subparsers(dest="way", required=True)
    packing = ways.add_parser("pack", help="make one small file of a dataset")
    packing.add_argument("dataset", type=Path, metavar="DATASET")
    packing.add_argument("file", type=Path, metavar="FILE", help="the file to write")
    packing.add_argument("--split", nargs="+", default=[], metavar="NAME", help="these splits only")
    packing.add_argument("--cut", nargs="+", default=[], metavar="NAME", help="these cuts only")
    packing.add_argument("--both", action="store_true", help="flow backward as well")
    packing.add_argument("--masks", action="store_true", help="occlusion and line area as well")
    packing.add_argument("--parts", type=int, default=16, help="parts of a pixel that flow is counted in (default: 16)")
    unpacking = ways.add_parser("unpack", help="make a dataset of such a file")
    unpacking.add_argument("file", type=Path, metavar="FILE")
    unpacking.add_argument("root", type=Path, metavar="FOLDER", help="root folder of the dataset to write")
    unpacking.add_argument("--workers", type=int, default=1, help="processes that unpack (default: 1)")
    options = parser.parse_args()
    try:
        if options.way == "pack":
            dataset = Dataset(options.dataset)
            pairs = pack(dataset, options.file, options.split, options.cut, options.both, options.parts, options.masks)
        else:
            pairs = unpack(options.file, options.root, options.workers)
    except (AnimerunGenError, ValueError, OSError, lzma.LZMAError, zipfile.BadZipFile) as error:
        print(f"{parser.prog}: {error}", file=sys.stderr)
        return 1
    print(f"{pairs} pairs, {options.file.stat().st_size / 1e6:.1f} MB in {options.file}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
