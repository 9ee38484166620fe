"""Networks for PyTorch by name, and files of weights: what training writes and evaluation reads.

Importing anything of this package needs PyTorch.
"""

from __future__ import annotations

from animerun_gen.errors import MissingPackageError

try:
    import torch as _torch  # noqa: F401
# one that lacks a system library fails so as well
except ImportError as error:
    raise MissingPackageError(
        f"training and learned methods need PyTorch, which cannot be imported ({error})",
        remedy="install it as https://pytorch.org says, or with pip install 'animerun-gen[torch]'",
    ) from error
