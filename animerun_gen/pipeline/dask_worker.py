"""What happens inside a Dask worker: it looks whether it can help, and does chunks as a local run does them."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path

from animerun_gen.engines.blenders import ProgramEngine
from animerun_gen.engines.children import Conditions
from animerun_gen.engines.fence import Fence
from animerun_gen.engines.processes import usable_processors
from animerun_gen.engines.protocol import Event
from animerun_gen.errors import AnimerunGenError
from animerun_gen.pipeline.chunks import Chunk, Outcome, do_chunk
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


def do_here(chunk: Chunk, conditions: Conditions, neighbours: int, topic: str, ticket: int) -> Outcome:
    """Do a chunk in this worker.

    Args:
        chunk: What to do.
        conditions: Under which; the share of the processors is found here.
        neighbours: How many chunks this machine may do at once, this one among them.  A worker that a batch system has
            given processors of its own shares them with nobody else.
        topic: Of the messages by which the run hears of events under way.
        ticket: Stands for this attempt in the messages.
    """
    import distributed

    worker = distributed.get_worker()

    def tell(event: Event) -> None:
        # what only another Python can read comes with the outcome
        if "result" not in event:
            worker.log_event(topic, {"ticket": ticket, "event": event})

    processors, all_processors = usable_processors(), os.cpu_count() or 1
    sharers = neighbours if processors == all_processors else worker.state.nthreads
    run = chunk.start(replace(conditions, threads=max(1, processors // max(1, sharers))))
    return do_chunk(run, tell, str(worker.address))
