"""The manifest of a cut, ``manifest/<cut>.json``: the checksum of each of its files, and what it was made from."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from animerun_gen.dataset.files import read_json
from animerun_gen.errors import DatasetError

VERSION: Literal[1] = 1
"""Of the manifest's form; a reader that knows another one only must not trust it."""


class Source(BaseModel):
    """The film of a cut: the name of its ``.blend`` file, without folders, and its SHA-256."""

    model_config = ConfigDict(frozen=True)

    path: str | None = None
    sha256: str = ""


class Manifest(BaseModel):
    """What a manifest holds.  Whatever it lacks, or has in another form, is empty here.

    Attributes:
        version: Of this form.
        cut: Name of the cut.
        split: ``"train"``, ``"val"`` or ``"test"``.
        made_with: Name to version of what made the files; of files made by several, these behind commas.
        source: The film.
        inputs: Files besides the ``.blend``, name (see :mod:`animerun_gen.engines.film_files`) to SHA-256.
        config: The resolved configuration.
        notes: What was decided about the cut, and what opening and converting its scene had to say.
        files: Path of each file below the root of the dataset, to its SHA-256.
    """

    model_config = ConfigDict(frozen=True)

    version: Literal[1] = VERSION
    cut: str = ""
    split: str = ""
    made_with: dict[str, str] = {}
    source: Source = Source()
    inputs: dict[str, str] = {}
    config: dict[str, Any] = {}
    notes: tuple[str, ...] = ()
    files: dict[str, str] = {}


def without_folders(config: Mapping[str, Any]) -> dict[str, Any]:
    """A configuration as it may be published: its files are named, but not where on somebody's disk they are.

    Args:
        config: The resolved configuration of a cut, or what was read as one.

    Example:
        >>> without_folders({"source": "films/run.blend", "seed": 1})
        {'source': 'run.blend', 'seed': 1}
    """
    published = dict(config)
    if isinstance(source := config.get("source"), str):
        published["source"] = base_name(source)
    recolor = config.get("recolor")
    if isinstance(recolor, dict) and isinstance(recolor.get("palette"), str):
        published["recolor"] = {**recolor, "palette": base_name(recolor["palette"])}
    style = config.get("style")
    shade = style.get("shade") if isinstance(style, dict) else None
    if isinstance(style, dict) and isinstance(shade, dict) and isinstance(shade.get("palette"), str):
        published["style"] = {**style, "shade": {**shade, "palette": base_name(shade["palette"])}}
    timing = config.get("timing")
    if isinstance(timing, dict) and isinstance(timing.get("sheet"), str):
        published["timing"] = {**timing, "sheet": base_name(timing["sheet"])}
    return published


def base_name(path: str) -> str:
    """The last part of a path, of whichever system.

    >>> base_name("films/run.blend"), base_name("films\\\\run.blend"), base_name("run.blend")
    ('run.blend', 'run.blend', 'run.blend')
    """
    return path.replace("\\", "/").rpartition("/")[2]


def inputs_without_folders(inputs: Mapping[str, str]) -> dict[str, str]:
    """Files beside the film by their names alone, to their checksums; of several of one name the others are counted."""
    published: dict[str, str] = {}
    for path in sorted(inputs):
        name, number = base_name(path), 2
        while name in published:
            name, number = f"{base_name(path)} ({number})", number + 1
        published[name] = inputs[path]
    return published


def notes_without_folders(notes: tuple[str, ...], config: Mapping[str, Any]) -> tuple[str, ...]:
    """Sentences in which the film's folder is not named."""
    source = str(config.get("source") or "")
    folder = source[: len(source) - len(base_name(source))]
    return tuple(note.replace(folder, "") for note in notes) if len(folder) > 1 else notes


def read_manifest(path: Path) -> tuple[Manifest, frozenset[str]]:
    """Read a manifest as far as it can be believed.

    Args:
        path: The file, see :func:`animerun_gen.dataset.layout.manifest_file`.

    Returns:
        The manifest, and which of its parts are missing or of another form.

    Raises:
        DatasetError: The file is missing, no JSON, or no manifest of this version.
    """
    return parse_manifest(read_json(path), path)


def parse_manifest(data: Any, path: Path) -> tuple[Manifest, frozenset[str]]:
    """The same of what was read from the file already.

    Raises:
        DatasetError: It is no manifest of this version.
    """
    if not isinstance(data, dict) or data.get("version") != VERSION:
        what = "is not a manifest that this version of the program can read"
        raise DatasetError(what, path, "delete it and make it again")
    lacking = frozenset(Manifest.model_fields) - data.keys()
    try:
        return Manifest.model_validate(data), lacking
    except ValidationError as error:
        wrong = {str(details["loc"][0]) for details in error.errors()}
    sound = {key: value for key, value in data.items() if key not in wrong}
    return Manifest.model_validate(sound), lacking | wrong
