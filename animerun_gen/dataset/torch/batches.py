"""Tensors of samples, and batches of tensors."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

import numpy as np
import torch
from torch.utils.data import get_worker_info

from animerun_gen.dataset.opencv import cv2
from animerun_gen.dataset.pairs import Sample

Transforms = Callable[[Sample], Any]

NO_SEGMENT = -2
"""What fills up the matches of frames with fewer segments than others of the batch; -1 is a segment with no match."""

_AS_PICTURES = ("images", "flows", "flows_b")
_AS_MASKS = ("valids", "valids_b", "occs", "occs_b")
_PADDED = {"matches": (0, NO_SEGMENT), "matches_b": (0, NO_SEGMENT), "queries": (0, -1)}
_PADDED_TRACKS = {"tracks": (1, 0), "visibles": (1, 0), "valids": (1, 0)}
"""What may differ in length from sample to sample: along which axis, and what it is filled up with."""

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3
"""Numbers of glibc's ``mallopt``."""

_MOST_MMAP = 32 << 20
"""Bytes; glibc allows no more."""

_KEPT_FREE = 256 << 20
"""Bytes: a batch of sixteen samples of 960x540."""

_settled = 0


def settle_worker() -> None:
    """Set up a worker process of a data loader for what it does all the time; anywhere else, nothing happens.

    OpenCV starts no threads there: there are as many workers as the machine has processors.  And the memory of a sample
    is kept for the next one.  By default it goes back to the system, which clears every page anew: with samples of
    960x540 that takes longer than all decoding.
    """
    global _settled
    if _settled != os.getpid() and get_worker_info() is not None:
        cv2.setNumThreads(0)
        # other systems have another allocator
        with suppress(OSError, AttributeError, TypeError):
            libc = ctypes.CDLL(None)
            libc.mallopt(_M_MMAP_THRESHOLD, _MOST_MMAP)
            libc.mallopt(_M_TRIM_THRESHOLD, _KEPT_FREE)
        _settled = os.getpid()


def to_tensors(sample: Sample) -> Sample:
    """What the datasets do where no ``transforms`` are given: arrays become tensors, and nothing else changes.

    Args:
        sample: As :func:`animerun_gen.dataset.pairs.read_sample` has it.

    Returns:
        ``images`` ``(T, 3, H, W)`` uint8, RGB; ``flows`` ``(T - 1, 2, H, W)`` float32; ``valids`` and ``occs``
        ``(T - 1, 1, H, W)`` bool; the same for ``flows_b`` and so on; everything else as it is.
    """
    found = {}
    for key, value in sample.items():
        if key in _AS_PICTURES:
            found[key] = _stacked(value).permute(0, 3, 1, 2)
        elif key in _AS_MASKS and isinstance(value, list):
            # numpy compares bytes an order of magnitude faster than torch
            masks = [mask != 0 for mask in value]
            found[key] = _stacked(masks).permute(0, 3, 1, 2)
        elif key == "segments":
            found[key] = _stacked(value)
        elif isinstance(value, np.ndarray):
            found[key] = torch.from_numpy(value)
        else:
            found[key] = value
    return found


def _stacked(arrays: Sequence[Any]) -> torch.Tensor:
    if len(arrays) == 1:
        return torch.from_numpy(arrays[0][None])
    together = arrays[0].base
    if isinstance(together, np.ndarray) and together.shape == (len(arrays), *arrays[0].shape):
        places = [array.__array_interface__["data"][0] for array in arrays]
        if places == [place.__array_interface__["data"][0] for place in together]:
            # they lie behind each other already
            return torch.from_numpy(together)
    return torch.from_numpy(np.stack(arrays))


def collate(samples: Sequence[Sample]) -> Sample:
    """Make a batch of samples, also of samples with unequal numbers of segments or points.

    Matches are filled up with :data:`NO_SEGMENT`, points with zeros that are neither visible nor valid;
    ``segment_counts`` ``(B, 2)`` and ``point_counts`` ``(B,)`` say how many there are of each sample.

    Args:
        samples: Samples of one dataset.

    Returns:
        Tensors with the batch in front; lists of what is no tensor, such as ``meta``.

    Raises:
        ValueError: Two samples differ in size, or hold different things.
    """
    first = samples[0]
    if any(sample.keys() != first.keys() for sample in samples):
        raise ValueError("samples of a batch hold different things; ask the dataset for the same of all of them")
    padded = {**_PADDED, **(_PADDED_TRACKS if "tracks" in first else {})}
    batch: Sample = {}
    for key in first:
        values = [sample[key] for sample in samples]
        if not isinstance(values[0], torch.Tensor):
            batch[key] = values
        elif key in padded:
            batch[key] = _filled_up(values, *padded[key])
        elif any(value.shape != values[0].shape for value in values):
            sizes = " and ".join(sorted({" x ".join(map(str, value.shape)) for value in values})[:2])
            raise ValueError(f"{key} of a batch differ in size ({sizes}); crop or scale them in transforms")
        else:
            batch[key] = torch.stack(values)
    if "segment_counts" in first:
        batch["segment_counts"] = torch.tensor(batch["segment_counts"])
    if "tracks" in first:
        batch["point_counts"] = torch.tensor([sample["tracks"].shape[1] for sample in samples])
    return batch


def _filled_up(values: Sequence[torch.Tensor], axis: int, filler: int) -> torch.Tensor:
    longest = max(value.shape[axis] for value in values)
    shape = list(values[0].shape)
    shape[axis] = longest
    batch = torch.full([len(values), *shape], filler, dtype=values[0].dtype)
    for place, value in zip(batch, values, strict=True):
        place.narrow(axis, 0, value.shape[axis]).copy_(value)
    return batch


def drawn(names: Sequence[str]) -> str:
    """One of several names, by torch's random numbers: workers have others each, and in each epoch."""
    if len(names) == 1:
        return names[0]
    return names[int(torch.randint(len(names), ()))]
