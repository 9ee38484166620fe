"""``card``: write what says to others what a dataset is."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from animerun_gen.cli import shared
from animerun_gen.settings import setting
from animerun_gen.terminal import complain, say


@dataclass(frozen=True)
class Card:
    """Write what says to others what a dataset is."""

    name: ClassVar = "card"
    summary: ClassVar = "write a dataset card and Croissant metadata"
    description: ClassVar = """\
Writes README.md and croissant.json into a dataset: what it holds, how it was made, its figures, the licence of every
film, and how it is cited, in the forms that dataset hubs and conferences read. What the configurations do not say is
"unknown" in them, and is told here.

    animerun-gen card out/toy
    animerun-gen card out/toy --title "Toy clips" --creator "Ann Artist" --license CC-BY-4.0
"""

    dataset: Path = shared.dataset()
    title: str | None = setting(None, metavar="TEXT", help="name of the dataset (default: that of its folder)")
    creator: str = setting("unknown", metavar="TEXT", help="who publishes it (default: {default})")
    url: str = setting("https://example.org", metavar="ADDRESS", help="where it can be had (default: {default})")
    license: str = setting("", metavar="NAME", help="licence of the whole (default: that of its films, if it is one)")
    version: str = setting("1.0.0", metavar="NUMBER", help="version of the dataset (default: {default})")
    date: str | None = setting(None, metavar="DATE", help="day of publication, such as 2026-11-28 (default: today)")
    force: bool = shared.force("overwrite a README.md that was not made by this command")

    def run(self) -> int:
        # libraries that the helps of commands can do without
        from animerun_gen.publish.about import About
        from animerun_gen.publish.card import write_card

        about = About(
            name=self.title or self.dataset.resolve().name,
            creator=self.creator,
            url=self.url,
            date=self.date or datetime.datetime.now(tz=datetime.UTC).date().isoformat(),
            version=self.version,
            license=self.license,
        )
        files, questions = write_card(self.dataset, about, force=self.force)
        for question in questions:
            complain(question)
        for file in files:
            say(str(file))
        return 0
