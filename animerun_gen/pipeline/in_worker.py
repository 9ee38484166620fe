"""What happens inside a Dask worker, in this process or elsewhere: it does chunks."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence, Set
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import Any

import distributed
from distributed.comm.addressing import get_address_host

from animerun_gen.engines.processes import usable_processors
from animerun_gen.pipeline.chunks import Chunk
from animerun_gen.pipeline.doing import ChunkEvent, Doing, Elsewhere, Orders, Surroundings, gate_of_run, notebook_of
from animerun_gen.pipeline.memory_gate import MemoryGate
from animerun_gen.pipeline.notebook import Notebook

ANSWER_SECONDS = 20.0
"""A scheduler that does not answer for so long is not asked again."""

_gates: dict[str, MemoryGate] = {}
_gates_lock = threading.Lock()


def gate_here(orders: Orders, say: Callable[[str], None]) -> MemoryGate:
    """The gate of a run in this process."""
    with _gates_lock:
        if orders.topic not in _gates:
            for topic in [topic for topic, gate in _gates.items() if gate.is_idle]:
                del _gates[topic]
            notebook = notebook_of(orders)
            _gates[orders.topic] = gate_of_run(orders, notebook, say)
        return _gates[orders.topic]


async def say_ready(dask_worker: Any) -> None:
    """Have a worker say that it is ready; Dask then looks again at what no worker could do."""
    if dask_worker.status == distributed.Status.running:
        dask_worker.status = distributed.Status.paused
        dask_worker.status = distributed.Status.running


def do_in_worker(
    key: str, number: int, chunk: Chunk, orders: Orders, made: Sequence[tuple[ChunkEvent, ...]]
) -> tuple[ChunkEvent, ...]:
    """Do a chunk in a thread of a Dask worker.

    Args:
        key: Of this task.
        number: Stands for the chunk.
        chunk: What to do.
        orders: What holds for all chunks of the run.
        made: What came of those that had to be done before.

    Returns:
        What came of it, as :meth:`Doing.do` does.

    Raises:
        Reschedule: Another worker is to do it.
    """
    worker = distributed.get_worker()

    def tell(event: ChunkEvent) -> None:
        # what only another Python can read comes with the outcome
        if "result" not in event:
            worker.log_event(orders.topic, {"number": number, "news": event})

    def say(sentence: str) -> None:
        worker.log_event(orders.topic, {"number": number, "news": sentence})

    notebook = notebook_of(orders)
    conditions, gate = orders.conditions, gate_here(orders, say)
    here = Surroundings(notebook, gate)
    if orders.shared:
        place, host = str(worker.address), get_address_host(worker.address)
        conditions = replace(conditions, threads=_threads_here(worker))
        here = Surroundings(notebook, gate, place, host, partial(_see_off, worker, key, notebook))
    page = notebook.page(str(number))
    page.note("at", here.place)
    try:
        return Doing(str(number), chunk, conditions, here, tell).do()
    except Elsewhere:
        page.note("left")
        raise distributed.Reschedule from None


def _workers_of(worker: Any) -> dict[str, Any]:
    """All workers of the scheduler that a worker has."""
    told = distributed.utils.sync(worker.loop, worker.scheduler.identity, n_workers=-1, callback_timeout=ANSWER_SECONDS)
    found: dict[str, Any] = told["workers"]
    return found


def _threads_here(worker: Any) -> int:
    """How many threads a child of a worker may start.

    A worker that a batch system has given processors of its own shares them with nobody else.
    """
    processors, all_processors = usable_processors(), os.cpu_count() or 1
    sharers = int(worker.state.nthreads)
    if processors == all_processors:
        with suppress(Exception):
            workers = _workers_of(worker)
            host = workers[worker.address]["host"]
            sharers = sum(int(one["nthreads"]) for one in workers.values() if one["host"] == host)
    return max(1, processors // max(1, sharers))


def _see_off(worker: Any, key: str, notebook: Notebook, places: Set[str], hosts: Set[str]) -> bool:
    """Keep Dask from doing a task at some places and on some machines, if there are others that can help."""

    async def restrict() -> bool:
        told = await worker.scheduler.identity(n_workers=-1)
        others = [
            address
            for address, host in notebook.helpers().items()
            if address in told["workers"] and address not in places and host not in hosts
        ]
        if others:
            await worker.scheduler.set_restrictions(worker={key: others})
        return bool(others)

    with suppress(Exception):
        return bool(distributed.utils.sync(worker.loop, restrict, callback_timeout=ANSWER_SECONDS))
    return False
