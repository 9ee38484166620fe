"""Datasets for PyTorch: pairs of frames with flow, rows of frames, segments with their matches, and point tracks.

Each is a ``torch.utils.data.Dataset`` in the shape of torchvision's (``root, split, transforms``) whose samples are
dictionaries under ptlflow's keys.  They read what this project makes and the published AnimeRun v2 alike; ``docs/
reading.md`` has examples.  Nothing else in this package imports torch.
"""

from __future__ import annotations

from animerun_gen.errors import MissingPackageError

try:
    import torch as _torch  # noqa: F401
# one that lacks a system library fails so as well
except ImportError as error:
    raise MissingPackageError(
        f"animerun_gen.dataset.torch needs PyTorch, which cannot be imported ({error})",
        remedy="install it as https://pytorch.org says; animerun_gen.dataset reads without it",
    ) from error

from animerun_gen.dataset.torch.batches import collate, to_tensors
from animerun_gen.dataset.torch.flow import Clips, FlowPairs
from animerun_gen.dataset.torch.others import ATD12K, CreativeFlow, FlyingThings3D, LinkToAnime, Sintel
from animerun_gen.dataset.torch.segments import SegmentPairs
from animerun_gen.dataset.torch.tracks import Tracks

__all__ = [
    "ATD12K",
    "Clips",
    "CreativeFlow",
    "FlowPairs",
    "FlyingThings3D",
    "LinkToAnime",
    "SegmentPairs",
    "Sintel",
    "Tracks",
    "collate",
    "to_tensors",
]
