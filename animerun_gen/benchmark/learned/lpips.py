"""LPIPS, as the package lpips computes it (AlexNet, version 0.1).

Zhang et al., "The Unreasonable Effectiveness of Deep Features as a Perceptual Metric", CVPR 2018, arXiv:1801.03924.

The linear layers come with the package.  The weights of AlexNet do not: the package would download them.  Here they are
in a file that is named, so that nothing is downloaded unasked, and its checksum tells that it is the right one: with
other weights there is a number, too, and it means nothing.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import torch

from animerun_gen.benchmark.interpolation.metrics import Picture
from animerun_gen.errors import MissingPackageError, UsageError
from animerun_gen.networks.weights import put_into, tensors_in

BACKBONE = "alexnet-owt-7be5be79.pth"
"""torchvision's file of AlexNet; the end of its name begins its SHA-256."""

URL = f"https://download.pytorch.org/models/{BACKBONE}"

LAYERS = {"0": "slice1.0", "3": "slice2.3", "6": "slice3.6", "8": "slice4.8", "10": "slice5.10"}
"""The convolutions of torchvision's AlexNet, and what the package calls them."""


def open_lpips(path: Path, device: str = "auto") -> Lpips:
    """Make what measures LPIPS.

    Args:
        path: The file :data:`BACKBONE`.
        device: ``"auto"``, ``"cpu"`` or ``"cuda"``.

    Raises:
        MissingPackageError: The package lpips, or torchvision, is not installed.
        UsageError: It is not that file.
    """
    if not path.is_file():
        raise UsageError("does not exist", path, f"download it from {URL}")
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if not digest.startswith(BACKBONE.split("-")[-1].removesuffix(".pth")):
        raise UsageError(f"is not {BACKBONE}: its SHA-256 is another one", path, f"download it from {URL}")
    there = torch.cuda.is_available()
    return Lpips(path, torch.device("cuda" if there and device != "cpu" else "cpu"))


class Lpips:
    """Measures LPIPS.

    Args:
        path: A file with the tensors of AlexNet.
        device: Where it runs.
    """

    def __init__(self, path: Path, device: torch.device) -> None:
        try:
            import lpips
        except ImportError as error:
            what = f"LPIPS needs the packages lpips and torchvision ({error})"
            remedy = "run: python -m pip install lpips==0.1.4, with a torchvision that fits your torch"
            raise MissingPackageError(what, remedy=remedy) from error
        tensors = tensors_in(path)
        # what is random is overwritten
        self._model: Any = lpips.LPIPS(net="alex", version="0.1", pnet_rand=True, verbose=False)
        own = {
            f"{inside}.{kind}": tensors[name]
            for layer, inside in LAYERS.items()
            for kind in ("weight", "bias")
            if (name := f"features.{layer}.{kind}") in tensors
        }
        put_into(self._model.net, own, path)
        self._model.to(device).eval()
        self._device = device

    def __call__(self, prediction: Picture, truth: Picture) -> float:
        """LPIPS of two frames, ``(H, W, 3)`` uint8 RGB; 0 for equal ones."""
        one, other = (
            torch.from_numpy(frame).permute(2, 0, 1)[None].float().to(self._device) / 127.5 - 1
            for frame in (prediction, truth)
        )
        with torch.inference_mode():
            return float(self._model(one, other))
