"""Whether a Dask worker can help a run; it is asked before it is given anything to do."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from animerun_gen.engines.blenders import ProgramEngine
from animerun_gen.engines.fence import Fence
from animerun_gen.errors import AnimerunGenError
from animerun_gen.pipeline.state import made_with


@dataclass(frozen=True)
class Demands:
    """What a worker has to have.

    Attributes:
        versions: Of everything that decides what files hold; name to version.
        engine: The Blender that renders; None when nothing is to be rendered.
        fence: Of the run, in the dataset that the worker has to see.
        files: Further files that it has to see: the film scenes.
    """

    versions: dict[str, str]
    engine: ProgramEngine | None
    fence: Fence
    files: tuple[Path, ...]


def what_is_wrong(demands: Demands) -> str | None:
    """Why this worker cannot help, as the end of a sentence about it; None where it can."""
    for name, version in made_with.versions().items():
        if version != demands.versions[name]:
            return (
                f"has {name} {version}, but this run has {demands.versions[name]}: install the same version everywhere"
            )
    if demands.engine is not None:
        try:
            engine = demands.engine.find_again()
        except AnimerunGenError as error:
            return f"has no usable Blender: {error}"
        if engine.version != demands.engine.version:
            return (
                f"has {engine.version}, but this run has {demands.engine.version}: install the same version everywhere"
            )
    if not demands.fence.is_up():
        output = demands.fence.output
        return f"does not see the dataset {output}: mount the same file system at the same path on every machine"
    for file in demands.files:
        if not file.is_file():
            return f"does not see {file}: mount the same file system at the same path on every machine"
    return None
