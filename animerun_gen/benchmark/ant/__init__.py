"""AnT, the learned matcher of segments (Casey et al., ICCV 2021), written anew, and a variant that finds occlusion.

It needs PyTorch: ``pip install ".[torch]"``.
"""

from __future__ import annotations

from animerun_gen.errors import MissingPackageError

try:
    import torch as _torch  # noqa: F401
# one that lacks a system library fails so as well
except ImportError as error:
    raise MissingPackageError(
        f"AnT needs PyTorch, which cannot be imported ({error})",
        remedy="install it as https://pytorch.org says; methods without anything learned need none",
    ) from error

from animerun_gen.benchmark.ant.inputs import AntBatch, collate_pairs, prepare_pair
from animerun_gen.benchmark.ant.matching import decide, log_assignment, matching_loss
from animerun_gen.benchmark.ant.model import Ant, AntShape
from animerun_gen.benchmark.ant.pooling import segment_means

__all__ = [
    "Ant",
    "AntBatch",
    "AntShape",
    "collate_pairs",
    "decide",
    "log_assignment",
    "matching_loss",
    "prepare_pair",
    "segment_means",
]
