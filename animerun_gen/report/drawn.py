"""Remembers what each page was drawn from, so that a page of a cut that has not changed is left as it is."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path

from pydantic import BaseModel, ConfigDict, TypeAdapter

from animerun_gen import __version__
from animerun_gen.dataset import ClipFiles, layout
from animerun_gen.dataset.files import read_json, write_json
from animerun_gen.dataset.listing import Entry
from animerun_gen.errors import DatasetError
from animerun_gen.pipeline.state.on_disk import mark


class DrawnPage(BaseModel):
    """A page that was drawn.

    Attributes:
        basis: Stands for everything that it was drawn from, see :func:`basis_of`.
        size: Bytes of the page, by which one that was cut short is found.
        problems: What could not be read or drawn, a sentence each.
    """

    model_config = ConfigDict(frozen=True)

    basis: str
    size: int
    problems: tuple[str, ...] = ()


_PAGES = TypeAdapter(dict[str, DrawnPage])


def drawn_file(output: Path) -> Path:
    """Where it is remembered: beside the pages."""
    return output / "pages.json"


def read_drawn(output: Path) -> dict[str, DrawnPage]:
    """The pages that were drawn, by their path below the output folder; none where nothing tells."""
    with suppress(DatasetError, ValueError):
        return _PAGES.validate_python(read_json(drawn_file(output)))
    return {}


def write_drawn(output: Path, pages: Mapping[str, DrawnPage]) -> None:
    """Remember the pages that were drawn.

    Raises:
        DatasetError: The file cannot be written.
    """
    write_json(drawn_file(output), {name: pages[name].model_dump(mode="json") for name in sorted(pages)})


def basis_of(clip: ClipFiles, listed: Iterable[Entry], budget: int) -> str:
    """Changes with every file that a page shows something of, with the program, and with the page's size.

    Size, times and inode of a file stand for what is in it: nothing is read.

    Args:
        clip: The cut.
        listed: Everything in its folders.
        budget: Bytes that the page may have.
    """
    seen = [__version__, str(budget)]
    for entry in listed:
        if entry.status is not None:
            seen.append(f"{entry.name} {mark(entry.status)}")
    for path in (layout.quality_file(clip.root, clip.cut), layout.manifest_file(clip.root, clip.cut)):
        with suppress(OSError):
            seen.append(f"{path.parent.name} {mark(path.stat())}")
    return hashlib.sha256("\n".join([*seen[:2], *sorted(seen[2:])]).encode("utf-8", "surrogateescape")).hexdigest()


def is_current(page: Path, known: DrawnPage | None, basis: str) -> bool:
    """Whether a page is there, whole, and drawn from what there is now."""
    try:
        return known is not None and known.basis == basis and page.stat().st_size == known.size
    except OSError:
        return False
