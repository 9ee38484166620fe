"""What the files of a cut on disk were made from, so that a later run redoes what changed, and only that."""

from __future__ import annotations

import hashlib
import json
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from pydantic import TypeAdapter

from animerun_gen import __version__
from animerun_gen.config import CutConfig
from animerun_gen.dataset.files import json_bytes, open_regular, read_json, read_regular, write_json
from animerun_gen.dataset.layout import inputs_file, record_file
from animerun_gen.engines import film_files
from animerun_gen.errors import DatasetError
from animerun_gen.pipeline.samples import sampled_frames, sampled_pairs
from animerun_gen.pipeline.state.on_disk import mark

Kept = TypeVar("Kept")

MISSING = "missing"
"""Stands for the digest of a file that the scene names and that is not there."""

STAGES = ("pictures", "motion", "labels", "recolor")
"""The stages of a cut; pictures and motion are made from the scene, the others from both of these."""


@dataclass(frozen=True)
class CutRecord:
    """What a cut's files were made from.

    Attributes:
        fingerprints: Stage to a digest of everything its files depend on.
        inputs: Files besides the ``.blend``, name (see :mod:`animerun_gen.engines.film_files`) to SHA-256, as Blender
            named them when it opened it.
        notes: What opening and converting the scene had to say.
        decided: What was decided about the cut before its scene was opened, and why.
        config: The resolved configuration, for people.
        engine: Version of the Blender that made the pictures and motion.
        source: SHA-256 of the ``.blend`` that they were made from.
        reading: What a run that was not finished was reading, path to mark, see
            :mod:`animerun_gen.pipeline.state.inputs`; empty when the last run finished.
        opened: Whether Blender has named the inputs.
    """

    fingerprints: dict[str, str] = field(default_factory=dict)
    inputs: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    decided: list[str] = field(default_factory=list)
    config: dict[str, Any] = field(default_factory=dict)
    engine: str = ""
    source: str = ""
    reading: dict[str, str] = field(default_factory=dict)
    opened: bool = False

    @classmethod
    def read(cls, output: Path, cut: str) -> CutRecord:
        """The record of a cut; an empty one where there is none, or none that can be read."""
        # without a trustworthy record everything is made again
        return read_kept(record_file(output, cut), _RECORD) or cls()

    def write(self, output: Path, cut: str) -> None:
        """Keep the record of a cut.

        Raises:
            DatasetError: It cannot be written.
        """
        write_if_changed(record_file(output, cut), asdict(self))


_RECORD = TypeAdapter(CutRecord)
_DIGESTS = TypeAdapter(dict[str, str])

_digests: dict[str, str] = {}
"""Name of an input to the mark that it had, and behind a space its digest: the cuts of a film share its files."""


def fingerprints(config: CutConfig, engine: str, source: str, palette: str = "") -> dict[str, str]:
    """Digests of what each stage's files depend on.

    Frame numbers are no part of them, because each file stands for itself, with one exception: colours are read from
    the shaders at the clip's first frame.  Nor are the companions of the motion: a file of theirs is there or missing.
    Colour passes, however, are designed for the clip as a whole, so they depend on all its frames' numbers, and on the
    cut's name, by which the files are found anyway.

    Args:
        config: The cut.
        engine: Version of Blender.
        source: SHA-256 of the ``.blend``.
        palette: SHA-256 of the palette.

    Returns:
        Stage to digest, without ``"recolor"`` where there are no passes; ``"figures"`` stands for those of the quality
        gate, which also depend on what there is to hold the labels against: companions, and samples of the clip.
    """
    scene = _scene(config, engine, source)
    pictures = _digest(scene, config.model_dump(mode="json", include={"style", "lines"}))
    motion = _digest(
        scene,
        config.model_dump(mode="json", include={"motion": {"backend", "background"}}),
        {"step": config.frames.step},
    )
    labels = _digest(pictures, motion, config.model_dump(mode="json", include={"labels"}))
    known = sorted({"ids", "exact_occlusion"} & set(config.motion.extras))
    sampled = [sampled_frames(config), sampled_pairs(config)]
    found = {"pictures": pictures, "motion": motion, "labels": labels, "figures": _digest(labels, known, sampled)}
    if config.recolor.passes:
        choices = config.model_dump(mode="json", include={"seed": True, "recolor": {"keep"}})
        found["recolor"] = _digest(pictures, motion, choices, config.frame_numbers, palette)
    return found


def scene_digest(config: CutConfig, engine: str, source: str) -> str:
    """Digest of everything that decides what scene a cut's first frame is rendered from.

    Args:
        config: The cut.
        engine: Version of Blender.
        source: SHA-256 of the ``.blend``.

    Returns:
        The digest.
    """
    return _digest(_scene(config, engine, source))


def memory_digest(config: CutConfig, engine: str, source: str, cross_check: bool) -> str:
    """Digest of everything that decides what a Blender needs of the memory to render a cut.

    Args:
        config: The cut.
        engine: Version of Blender.
        source: SHA-256 of the ``.blend``.
        cross_check: Whether the two motion backends are compared.
    """
    return _digest(
        _scene(config, engine, source), config.model_dump(mode="json", include={"lines", "motion"}), cross_check
    )


def file_digest(path: Path) -> str:
    """SHA-256 of a file.

    Raises:
        DatasetError: It cannot be read.
    """
    try:
        with open_regular(path) as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise DatasetError(f"{path} cannot be read: {error.strerror}") from error


def input_digest(name: Path | str) -> str:
    """SHA-256 of a file that a film is made of, or of several.

    Args:
        name: The file, or the name of several, see :mod:`animerun_gen.engines.film_files`.

    Returns:
        SHA-256 of the file's content; of several, of their names and contents; :data:`MISSING` where none is there,
        because one may turn up.

    Raises:
        DatasetError: It cannot be read.
    """
    name = str(name)
    now = film_files.mark(name, mark)
    known, _, digest = _digests.get(name, "").rpartition(" ")
    if known != now:
        digest = _computed(name)
        _digests[name] = f"{now} {digest}"
    return digest


@contextmanager
def digests_kept(output: Path) -> Iterator[None]:
    """Within, the digests of inputs that earlier runs of a dataset computed are known; afterwards, those of this run.

    As long as size, times and inode of a file are what they were it is not read again: caches have many gigabytes.

    Args:
        output: Root folder of the dataset; the caller holds its lock.
    """
    kept = read_kept(inputs_file(output), _DIGESTS) or {}
    _digests.clear()
    _digests.update(kept)
    try:
        yield
    finally:
        if _digests != kept:
            # without them the next run reads the files again
            with suppress(DatasetError):
                write_if_changed(inputs_file(output), _digests)


def source_digest(path: Path) -> str:
    """SHA-256 of the ``.blend`` of a cut, which has to be there.

    Raises:
        DatasetError: It cannot be read.
    """
    digest = input_digest(path)
    # for the sentence about what keeps it from being read
    return digest if digest != MISSING else file_digest(path)


def _computed(name: str) -> str:
    folder, several, _ = name.rpartition("//")
    # whatever is no regular file may never end
    files = [file for file, status in film_files.look(name) if stat.S_ISREG(status.st_mode)]
    if not files:
        return MISSING
    if not several:
        return file_digest(Path(name))
    digest = hashlib.sha256()
    for file in files:
        digest.update(f"{file}\0{file_digest(Path(folder or '/', file))}\0".encode(errors="surrogateescape"))
    return digest.hexdigest()


def changed_inputs(record: CutRecord) -> list[str]:
    """Which of the recorded inputs are not what they were: changed, gone, or there at last."""
    return [path for path, digest in record.inputs.items() if input_digest(path) != digest]


def read_kept(path: Path, form: TypeAdapter[Kept]) -> Kept | None:
    """What an earlier run wrote down; None where there is nothing, or nothing of that form."""
    with suppress(DatasetError, ValueError):
        return form.validate_python(read_json(path))
    return None


def write_if_changed(path: Path, data: object) -> None:
    """Write JSON unless the file holds just that, to the byte: a run with nothing to do leaves a dataset untouched.

    Raises:
        DatasetError: The file cannot be written.
    """
    with suppress(OSError):
        if read_regular(path) == json_bytes(data):
            return
    write_json(path, data)


def _scene(config: CutConfig, engine: str, source: str) -> dict[str, Any]:
    """What pictures and motion alike depend on."""
    return {
        "project": __version__,
        "engine": engine,
        "source": source,
        **config.model_dump(
            mode="json",
            include={
                "scene",
                "view_layer",
                "camera",
                "trust_scripts",
                "frame_rate",
                "resolution",
                "recenter",
                "remove",
                "keep",
                "hair",
                "particles",
                "transparency",
                "camera_motion",
            },
        ),
        "first": config.frames.first,
        # the same number of a file then means another frame of the film
        "offset": config.frames.offset,
    }


def _digest(*parts: object) -> str:
    # unsorted: of two overrides that match, the one written first counts
    text = json.dumps(parts)
    return hashlib.sha256(text.encode()).hexdigest()
