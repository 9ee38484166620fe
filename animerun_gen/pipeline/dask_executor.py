"""Hands chunks to a Dask cluster, whose workers see the same files at the same places."""

from __future__ import annotations

import logging
import queue
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

from animerun_gen.engines.children import Conditions
from animerun_gen.errors import AnimerunGenError
from animerun_gen.pipeline.chunks import Chunk, Outcome
from animerun_gen.pipeline.dask_worker import Demands, do_here, what_is_wrong
from animerun_gen.pipeline.room import Room
from animerun_gen.pipeline.scheduling import Ended, ExecutorLost, Message, Told

CONNECT_SECONDS = 20.0
"""For so long a scheduler is looked for."""

ANSWER_SECONDS = 20.0
"""A scheduler that does not answer for so long counts as lost."""

LOOK_SECONDS = 1.0
"""Between two looks at the workers that there are."""


class DaskExecutor:
    """Does each chunk in a child process of a Dask worker.

    Each chunk is given to one worker that has a free thread; of a worker that is lost, the scheduler of this run hears,
    not Dask's, so that the rules for another attempt are the same everywhere.

    Args:
        address: The scheduler's, such as ``tcp://10.0.0.5:8786``.
        demands: What a worker has to have.
        patience: Seconds without an event after which a child that does not compute either is held to hang.
        say: Takes a sentence for the user.
        despite_memory: Whether frames are begun that are predicted not to fit into a worker's memory.

    Raises:
        AnimerunGenError: Dask is not installed here, or there is no such scheduler.
    """

    def __init__(
        self,
        address: str,
        demands: Demands,
        patience: float,
        say: Callable[[str], None],
        despite_memory: bool = False,
    ) -> None:
        self._client: Any = _connect(address)
        self._address = address
        self._demands = demands
        self._conditions = Conditions(None, patience, demands.fence, despite_memory)
        self._say = say
        self._topic = f"animerun-gen-{demands.fence.token}"
        self._news: queue.SimpleQueue[Message | tuple[int, Any]] = queue.SimpleQueue()
        self._futures: dict[int, tuple[Any, str]] = {}
        self._room = Room()
        self._fit: dict[str, tuple[str, int]] = {}
        self._unfit: dict[str, str] = {}
        self._looked = 0.0
        self._waiting = False
        self._client.subscribe_topic(self._topic, self._hear)

    def slots(self) -> int:
        self._look()
        return sum(threads for _, threads in self._fit.values())

    def fits(self, chunk: Chunk) -> bool:
        return any(self._room.suits(chunk, self._fit[worker][0]) for worker in self._free())

    def submit(self, ticket: int, chunk: Chunk, avoid: frozenset[str]) -> None:
        busy = self._busy()
        # where there is room, the chunk was not before, and least is done
        worker = min(
            self._free(),
            key=lambda one: (
                not self._room.suits(chunk, self._fit[one][0]),
                one in avoid,
                busy[one] / self._fit[one][1],
                one,
            ),
        )
        host = self._fit[worker][0]
        neighbours = sum(threads for other, threads in self._fit.values() if other == host)
        try:
            future = self._client.submit(
                do_here,
                chunk,
                self._conditions,
                neighbours,
                self._topic,
                ticket,
                key=f"{self._topic}-{ticket}",
                workers=[worker],
                allow_other_workers=False,
                pure=False,
                retries=0,
            )
        except Exception as error:
            raise self._lost() from error
        self._futures[ticket] = (future, worker)
        self._room.begins(ticket, chunk, host)
        future.add_done_callback(lambda done: self._news.put((ticket, done)))

    def messages(self, seconds: float) -> Sequence[Message]:
        found: list[Message] = []
        with suppress(queue.Empty):
            news = self._news.get(timeout=seconds)
            while True:
                found += self._understood(news)
                news = self._news.get_nowait()
        self._look()
        for ticket, (future, worker) in list(self._futures.items()):
            if worker not in self._fit:
                del self._futures[ticket]
                self._room.ends(ticket)
                with suppress(Exception):
                    future.cancel()
                found.append(Ended(ticket, _died(f"the Dask worker {worker} was lost", "")))
        return found

    def close(self) -> None:
        # what is under way hears of the end from the fence
        with suppress(Exception):
            self._client.cancel([future for future, _ in self._futures.values()], force=True)
        with suppress(Exception):
            self._client.close(timeout=5)

    def _hear(self, message: tuple[float, Any]) -> None:
        """A worker told something (called by the client's own thread)."""
        _, told = message
        self._news.put(Told(told["ticket"], told["event"]))

    def _understood(self, news: Message | tuple[int, Any]) -> list[Message]:
        if isinstance(news, Told | Ended):
            return [news]
        ticket, future = news
        if ticket not in self._futures:
            return []
        _, worker = self._futures.pop(ticket)
        here = self._room.ends(ticket)
        if future.status == "cancelled":
            return [Ended(ticket, _died("the connection to the Dask scheduler was lost", worker))]
        try:
            outcome = future.result(timeout=ANSWER_SECONDS)
        except Exception as error:
            return [Ended(ticket, _died(f"Dask could not do it ({type(error).__name__}: {error})", worker))]
        if outcome.status == "no_room":
            outcome = self._room.refused(here, outcome, {host for host, _ in self._fit.values()})
        return [Ended(ticket, outcome)]

    def _busy(self) -> Counter[str]:
        """How many chunks each worker does."""
        return Counter(worker for _, worker in self._futures.values())

    def _free(self) -> list[str]:
        """The workers that can take another chunk."""
        busy = self._busy()
        return [worker for worker, (_, threads) in self._fit.items() if busy[worker] < threads]

    def _look(self) -> None:
        """Find out which workers there are; new ones are asked whether they can help.

        Raises:
            ExecutorLost: The scheduler does not answer, or none of the workers can help.
        """
        now = time.monotonic()
        if now - self._looked < LOOK_SECONDS:
            return
        workers = self._workers()
        self._fit = {worker: self._fit[worker] for worker in self._fit if worker in workers}
        self._unfit = {worker: self._unfit[worker] for worker in self._unfit if worker in workers}
        new = [worker for worker in workers if worker not in self._fit and worker not in self._unfit]
        if new:
            self._examine(new, workers)
        if not self._fit and self._unfit:
            raise ExecutorLost(f"no worker of the Dask scheduler {self._address} can be used: {self._first_reason()}")
        # all of them may go at once, and again, as jobs do that reach their wall time
        waiting, self._waiting = self._waiting, not workers
        if self._waiting and not waiting:
            self._say(f"waiting for a worker of the Dask scheduler {self._address}; press Ctrl-C to stop waiting")
        self._looked = time.monotonic()

    def _workers(self) -> dict[str, Any]:
        try:
            told = self._client.sync(self._client.scheduler.identity, n_workers=-1, callback_timeout=ANSWER_SECONDS)
        except Exception as error:
            raise self._lost() from error
        return {address: worker for address, worker in told["workers"].items() if worker["status"] == "running"}

    def _examine(self, new: list[str], workers: dict[str, Any]) -> None:
        try:
            told = self._client.run(what_is_wrong, self._demands, workers=new, on_error="return")
        except Exception:
            # one of them is gone already; they are looked at again
            return
        for worker in new:
            wrong = told.get(worker)
            if isinstance(wrong, ImportError | AttributeError):
                wrong = (
                    f"has a different version of animerun-gen, or none ({wrong}); install the same version everywhere"
                )
            elif isinstance(wrong, OSError):
                # it was lost just now
                continue
            elif isinstance(wrong, Exception):
                wrong = f"did not answer a question about its versions ({type(wrong).__name__}: {wrong})"
            if wrong is None:
                self._fit[worker] = (workers[worker]["host"], int(workers[worker]["nthreads"]))
            else:
                self._unfit[worker] = f"the Dask worker {worker} {wrong}"
                self._say(f"not used: {self._unfit[worker]}")

    def _first_reason(self) -> str:
        return self._unfit[min(self._unfit)]

    def _lost(self) -> ExecutorLost:
        return ExecutorLost(
            f"the Dask scheduler {self._address} no longer answers; what was made is kept. Start it and its "
            "workers again, and run the same command to resume"
        )


def _connect(address: str) -> Any:
    try:
        import distributed
    except ImportError as error:
        raise AnimerunGenError(
            "--scheduler needs Dask, which is not installed here; install it with pip install distributed"
        ) from error
    # what it has to say of lost connections is said in sentences
    for name in ("distributed", "tornado"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    client: Any = distributed.Client
    try:
        return client(address, timeout=CONNECT_SECONDS, set_as_default=False)
    except (OSError, ValueError, TimeoutError, ImportError) as error:
        raise AnimerunGenError(
            f"--scheduler: no Dask scheduler can be reached at '{address}'; start one with 'dask scheduler' and give "
            "the address that it prints, such as tcp://10.0.0.5:8786"
        ) from error


def _died(what: str, place: str) -> Outcome:
    return Outcome("died", f"{what}; run the same command again to resume", what, place=place)
