"""``pack``: make shards of a dataset, with what its page shows."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from animerun_gen.cli import shared
from animerun_gen.settings import File, Number, setting
from animerun_gen.terminal import say


@dataclass(frozen=True)
class Pack:
    """Make shards of a dataset, with what its page shows."""

    name: ClassVar = "pack"
    summary: ClassVar = "pack a dataset into WebDataset shards with checksums and a preview"
    description: ClassVar = """\
Packs a dataset into tar files that the package webdataset reads, a sample a frame and nothing pickled, beside a list of
checksums, a contact sheet and a preview video (docs/publishing.md). The same dataset always becomes the same shards.
Run again, the command goes on where it stopped; shards whose files have changed are made again.

    animerun-gen pack out/toy --out out/toy_packed
"""

    dataset: Path = shared.dataset()
    output: Path = setting(
        names=("--out",), reads=File(), metavar="FOLDER", help="folder to write to: a new one, or an earlier pack"
    )
    shard_size: float = setting(
        500.0,
        reads=Number("a size in megabytes of 1 or more", 1, 999_999),
        metavar="MB",
        help="size of a shard, which a single larger sample exceeds (default: {default})",
    )

    def run(self) -> int:
        # libraries that the helps of commands can do without
        from animerun_gen.config.messages import counted
        from animerun_gen.publish.pack import VIDEO, pack

        done = pack(self.dataset, self.output, round(self.shard_size * 1e6))
        unchanged = f", {len(done.unchanged)} unchanged" if done.unchanged else ""
        say(f"{counted(done.samples, 'sample')}: {counted(len(done.written), 'shard')} written{unchanged}")
        say(f"{done.root / VIDEO}: {done.player}")
        return 0
