"""A cut's manifest, which may hold anything."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from animerun_gen.config import CutConfig
from animerun_gen.dataset import layout
from animerun_gen.dataset.files import read_json
from animerun_gen.dataset.modalities import SPLITS
from animerun_gen.errors import DatasetError
from animerun_gen.pipeline.state.manifest_file import parse_manifest
from animerun_gen.verify.findings import (
    JSON_LIMIT,
)

_DIGEST = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class CheckedManifest:
    """A cut's manifest as far as it can be believed.

    Attributes:
        name: Its file, relative to the root of the dataset.
        there: Whether it can be read.
        split: The split that it names; empty where there is none.
        files: Checksum by file.
        config: What the cut was made from; None where that cannot be read.
        problems: What is wrong with it, as ends of sentences.
    """

    name: str
    there: bool = False
    split: str = ""
    files: Mapping[str, str] = field(default_factory=dict)
    config: CutConfig | None = None
    problems: tuple[str, ...] = ()

    @classmethod
    def read(cls, root: Path, cut: str) -> CheckedManifest:
        """Read it; whatever it holds is no failure."""
        path = layout.manifest_file(root, cut)
        name = path.relative_to(root).as_posix()
        if not path.exists():
            return cls(name)
        if not path.is_file():
            return cls(name, problems=("is not a readable file",))
        data = small_json(path)
        if isinstance(data, str):
            return cls(name, problems=(data,))
        try:
            manifest, wrong = parse_manifest(data, path)
        except DatasetError as error:
            return cls(name, problems=(error.what,))
        problems = []
        split = manifest.split if manifest.split in SPLITS else ""
        if not split or manifest.cut != cut:
            problems.append("does not say which cut and split it belongs to")
        files = manifest.files
        if "files" in wrong or not all(map(_DIGEST.fullmatch, files.values())):
            problems.append("holds no table of checksums")
            files = {}
        config = None
        try:
            config = CutConfig.model_validate(manifest.config)
        except ValueError:
            problems.append("does not say what the cut was made from")
        return cls(name, True, split, files, config, tuple(problems))


def small_json(path: Path) -> Any:
    """The content of a JSON file; as text what is wrong with it, as the end of a sentence."""
    try:
        if path.stat().st_size > JSON_LIMIT:
            return "is far larger than such a file can be"
        data = read_json(path)
    except DatasetError as error:
        return error.what
    except OSError as error:
        return f"cannot be read: {error.strerror}"
    return "holds nothing but text" if isinstance(data, str) else data
