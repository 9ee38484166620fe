"""What a dataset is called, who publishes it, and the sentences that card and metadata share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from animerun_gen import __version__
from animerun_gen.publish.facts import UNKNOWN, PublishedCut

PAPER = (
    "Li Siyao, Yuhang Li, Bo Li, Chao Dong, Ziwei Liu, Chen Change Loy: AnimeRun: 2D Animation Visual Correspondence "
    "from Open Source 3D Movies. NeurIPS Datasets and Benchmarks, 2022."
)

SPDX = {
    "CC0-1.0": "https://creativecommons.org/publicdomain/zero/1.0/",
    "CC-BY-3.0": "https://creativecommons.org/licenses/by/3.0/",
    "CC-BY-4.0": "https://creativecommons.org/licenses/by/4.0/",
    "CC-BY-SA-4.0": "https://creativecommons.org/licenses/by-sa/4.0/",
    "CC-BY-NC-4.0": "https://creativecommons.org/licenses/by-nc/4.0/",
    "CC-BY-NC-SA-4.0": "https://creativecommons.org/licenses/by-nc-sa/4.0/",
}
"""Addresses of the licences that films of this kind have."""


@dataclass(frozen=True)
class About:
    """What is not in the dataset itself.

    Attributes:
        name: What the dataset is called.
        creator: Who publishes it.
        url: Where it can be had.
        date: When it was published, ``2026-11-28``.
        version: Its version.
        license: Its licence as a whole; empty: that of its films, where they all have the same.
    """

    name: str
    creator: str
    url: str
    date: str
    version: str
    license: str = ""

    def license_of(self, cuts: Sequence[PublishedCut]) -> str:
        """The licence of the whole; ``unknown`` where nobody has said it or the films have different ones."""
        if self.license:
            return self.license
        licenses = {cut.credits["license"] for cut in cuts}
        return licenses.pop() if len(licenses) == 1 else UNKNOWN

    def license_url(self, cuts: Sequence[PublishedCut]) -> str:
        """The same as an address, where it is known."""
        license = self.license_of(cuts)
        return SPDX.get(license, license)

    def description(self, cuts: Sequence[PublishedCut]) -> str:
        """What the dataset is, in two sentences."""
        frames = sum(cut.frames for cut in cuts)
        return (
            f"{frames:,} frames in {len(cuts)} clips of 2D-style animation, rendered from 3D scenes, with optical "
            "flow, occlusion, segments and segment matches computed from their geometry. The layout is AnimeRun's."
        )

    def unknown_sentence(self, cuts: Sequence[PublishedCut]) -> str:
        """How much of the motion is unknown."""
        shares = [(cut.unknown_share, cut.frames - 1) for cut in cuts if cut.unknown_share is not None]
        if not shares:
            return "How much of the motion is unknown has not been counted."
        share = sum(one * pairs for one, pairs in shares) / sum(pairs for _, pairs in shares)
        return f"The motion of {share:.2%} of the pixels is unknown; the masks in Valid say where."

    def citation(self) -> str:
        """How it is cited."""
        own = f"{self.creator}: {self.name}, version {self.version}. {self.url}"
        return f"{own} Made with animerun-gen {__version__}. {PAPER}"
