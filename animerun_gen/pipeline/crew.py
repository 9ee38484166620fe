"""Dask does the chunks: in this process by default, or on a cluster whose workers see the same files at the same place.

Dask knows what needs what and what comes first, chooses the workers, and does again what a lost worker had under way.
In this process its worker has a thread for each of ``--workers``; what computes, a Blender or a labelling process, is a
child of that thread anyway.  So nothing is started but a few threads, a script needs no ``if __name__ ==
"__main__":``, and one place sees the memory of all Blenders.
"""

from __future__ import annotations

import logging
import os
import queue
import secrets
import time
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import dask
import distributed

from animerun_gen.engines.children import Conditions
from animerun_gen.engines.fence import Fence
from animerun_gen.engines.processes import usable_processors
from animerun_gen.engines.scratch import TemporaryFolder
from animerun_gen.errors import UsageError
from animerun_gen.pipeline.chunks import Chunk
from animerun_gen.pipeline.doing import ChunkEvent, Orders, notebook_of
from animerun_gen.pipeline.farm import Ear, FarmLost
from animerun_gen.pipeline.fitness import Demands, what_is_wrong
from animerun_gen.pipeline.in_worker import do_in_worker, gate_here, say_ready
from animerun_gen.pipeline.task_process import end_idle_children

CONNECT_SECONDS = 20.0
"""For so long a scheduler is looked for."""

ANSWER_SECONDS = 20.0
"""A scheduler that does not answer for so long counts as lost."""

MOST_KILLED = 3
"""So often Dask is asked to go on with a chunk that it has given up, because so many of its workers were lost."""

LOOK_SECONDS = 1.0
"""Between two looks at the workers that there are."""

_HERE = {
    # the memory of this process says nothing of that of the Blenders
    "distributed.worker.memory.target": False,
    "distributed.worker.memory.spill": False,
    "distributed.worker.memory.pause": False,
    "distributed.worker.memory.terminate": False,
    # looks at all threads a hundred times a second
    "distributed.worker.profile.enabled": False,
    # looks fifty times a second whether the event loop is late
    "distributed.admin.tick.interval": "1s",
    "distributed.admin.tick.limit": "1h",
    # nothing leaves this process
    "distributed.comm.require-encryption": False,
    # Dask cannot do without its two HTTP servers; nobody has anything to see there
    "distributed.scheduler.http.routes": [],
    "distributed.worker.http.routes": [],
}
"""Dask's settings in this process."""

# what they have to say of lost connections is said in sentences
for _name in ("distributed", "tornado"):
    logging.getLogger(_name).setLevel(logging.CRITICAL)


def _forget_threads() -> None:
    """A process that was forked has none of the threads that its parent had, which Dask does not notice."""
    distributed.utils._offload_executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="Dask-Offload")


os.register_at_fork(after_in_child=_forget_threads)


class DaskCrew(ABC):
    """Does chunks in the workers of a Dask scheduler.

    Args:
        client: Of the scheduler.
        orders: What holds for all chunks.
        say: Takes a sentence for the user.
    """

    def __init__(self, client: Any, orders: Orders, say: Callable[[str], None]) -> None:
        self._client = client
        self._orders = orders
        self._say = say
        self._news: queue.SimpleQueue[tuple[int, Any]] = queue.SimpleQueue()
        self._futures: dict[int, Any] = {}
        self._keys: dict[int, str] = {}
        self._makers: dict[int, tuple[int, ...]] = {}
        self._described: dict[int, str] = {}
        self._killed: Counter[int] = Counter()
        notebook_of(orders).begin()
        client.subscribe_topic(orders.topic, self._hear)

    def slots(self) -> int:
        return self._orders.workers

    def submit(self, number: int, chunk: Chunk, makers: Sequence[int], priority: int) -> None:
        # Dask expects chunks of a kind to take about as long as each other
        key = f"{'render' if chunk.renders else 'label'}-{self._orders.topic}-{number}"
        needed = [self._futures[maker] for maker in makers]
        try:
            future = self._client.submit(
                do_in_worker,
                key,
                number,
                chunk,
                self._orders,
                needed,
                key=key,
                priority=priority,
                pure=False,
                workers=self._suitable(),
            )
        except Exception as error:
            raise self._lost() from error
        self._futures[number], self._described[number] = future, chunk.describe()
        self._keys[number], self._makers[number] = key, tuple(makers)
        self._await(number)

    def attend(self, seconds: float, ear: Ear) -> None:
        with suppress(queue.Empty):
            number, news = self._news.get(timeout=seconds)
            while True:
                if isinstance(news, str):
                    self._say(news)
                elif number not in self._futures:
                    # it has ended
                    pass
                elif isinstance(news, distributed.Future):
                    self._end(number, news, ear)
                else:
                    ear.told(number, news)
                number, news = self._news.get_nowait()

    def close(self) -> None:
        # what is under way on a cluster hears of the end from the fence
        with suppress(Exception):
            self._client.cancel(list(self._futures.values()), force=True)
        with suppress(Exception):
            self._client.close(timeout=5)
        notebook_of(self._orders).end()

    def _await(self, number: int) -> None:
        self._futures[number].add_done_callback(lambda future: self._news.put((number, future)))

    def _hear(self, message: tuple[float, Any]) -> None:
        """A worker told something (called by the client's own thread)."""
        _, told = message
        self._news.put((told["number"], told["news"]))

    def _end(self, number: int, future: Any, ear: Ear) -> None:
        if future.status == "cancelled":
            raise self._lost()
        try:
            events = future.result(timeout=ANSWER_SECONDS)
        except Exception as error:
            if future.status != "error":
                # the worker was lost that knew the result
                self._await(number)
            elif isinstance(error, distributed.scheduler.KilledWorker) and self._killed[number] < MOST_KILLED:
                # Dask counts the losses of a worker for all that waited there; we count those of what was begun
                self._killed[number] += 1
                future.retry()
                self._await(number)
            else:
                self._forget(number)
                ear.ended(number, self._unforeseen(error))
        else:
            self._forget(number)
            ear.ended(number, events)

    def _forget(self, number: int) -> None:
        """What waits for it keeps it alive at the scheduler."""
        del self._futures[number]
        del self._described[number]

    def _keys_of_makers(self) -> list[str]:
        """Dask's names of what has ended, and of which something is made that has not.

        Dask does it again where the worker is lost that knew what came of it.
        """
        found = set(self._futures)
        left = list(found)
        while left:
            makers = set(self._makers[left.pop()]) - found
            found |= makers
            left += makers
        return [self._keys[number] for number in sorted(found - self._futures.keys())]

    @abstractmethod
    def _suitable(self) -> list[str]:
        """The workers that may be used.

        Dask holds back what may be done anywhere, and sends it when a worker has nothing else to do: priorities count
        little then.
        """

    def _unforeseen(self, error: Exception) -> Sequence[ChunkEvent]:
        """What to say of an error that is none of a chunk's."""
        raise error

    def _lost(self) -> FarmLost:
        return FarmLost("the workers in this process have ended", remedy="run the same command again to resume")


class LocalCrew(DaskCrew):
    """Does chunks in children of this process.

    Args:
        workers: How many at once.
        patience: Seconds without an event after which a child that does not compute either is held to hang.
        fence: What the children must stay behind.
        say: Takes a sentence for the user.
        peaks: Bytes that a Blender held at most in earlier runs, by cut, where that is known.
        despite_memory: Whether frames are begun that are predicted not to fit into the memory.
    """

    def __init__(
        self,
        workers: int,
        patience: float,
        fence: Fence,
        say: Callable[[str], None],
        peaks: Mapping[str, int] | None = None,
        despite_memory: bool = False,
    ) -> None:
        conditions = Conditions(threads_for(workers), patience, fence, despite_memory)
        orders = Orders(conditions, workers, _new_topic(), dict(peaks or {}))
        # Dask leaves its folder behind
        self._scratch = TemporaryFolder(ignore_cleanup_errors=True)
        with dask.config.set(_HERE | {"temporary-directory": self._scratch.name}):
            cluster: Any = distributed.LocalCluster
            self._cluster = cluster(
                processes=False,
                n_workers=1,
                threads_per_worker=workers,
                dashboard_address=None,
                scheduler_kwargs={"dashboard_address": "127.0.0.1:0"},
                worker_dashboard_address="127.0.0.1:0",
                memory_limit=0,
                silence_logs=False,
            )
            client: Any = distributed.Client
            client = client(self._cluster, set_as_default=False)
        super().__init__(client, orders, say)

    def _suitable(self) -> list[str]:
        return [worker.address for worker in self._cluster.workers.values()]

    def close(self) -> None:
        gate_here(self._orders, self._say).close()
        super().close()
        with suppress(Exception):
            self._cluster.close(timeout=5)
        self._scratch.cleanup()
        end_idle_children()
        notebook_of(self._orders).end()


class ClusterCrew(DaskCrew):
    """Does chunks in children of the workers of a cluster, as far as these can help.

    Args:
        address: The scheduler's, such as ``tcp://10.0.0.5:8786``.
        demands: What a worker has to have.
        patience: Seconds without an event after which a child that does not compute either is held to hang.
        say: Takes a sentence for the user.
        despite_memory: Whether frames are begun that are predicted not to fit into a worker's memory.

    Raises:
        UsageError: There is no such scheduler.
    """

    def __init__(
        self,
        address: str,
        demands: Demands,
        patience: float,
        say: Callable[[str], None],
        despite_memory: bool = False,
    ) -> None:
        self._address = address
        self._demands = demands
        self._fit: dict[str, int] = {}
        self._hosts: dict[str, str] = {}
        self._unfit: dict[str, str] = {}
        self._looked = 0.0
        self._waiting = False
        self._restricted = True
        conditions = Conditions(None, patience, demands.fence, despite_memory)
        orders = Orders(conditions, topic=_new_topic(), shared=True)
        super().__init__(_connect(address), orders, say)

    def slots(self) -> int:
        self._look()
        while not self._fit:
            time.sleep(LOOK_SECONDS / 4)
            self._look()
        return sum(self._fit.values())

    def attend(self, seconds: float, ear: Ear) -> None:
        super().attend(min(seconds, LOOK_SECONDS), ear)
        before = set(self._fit)
        self._look()
        if lost := before - set(self._fit):
            notebook = notebook_of(self._orders)
            for number, described in self._described.items():
                for place in lost.intersection(notebook.page(str(number)).places):
                    note = f"the Dask worker {place} was lost; {described}: restarted"
                    ear.told(number, {"event": "restarted", "note": note})

    def _look(self) -> None:
        """Find out which workers there are; new ones are asked whether they can help.

        Raises:
            FarmLost: The scheduler does not answer, or none of the workers can help.
        """
        now = time.monotonic()
        if now - self._looked < LOOK_SECONDS:
            return
        workers = self._workers()
        before = set(self._fit)
        self._fit = {worker: self._fit[worker] for worker in self._fit if worker in workers}
        self._unfit = {worker: self._unfit[worker] for worker in self._unfit if worker in workers}
        new = [worker for worker in workers if worker not in self._fit and worker not in self._unfit]
        if new:
            self._examine(new, workers)
        if set(self._fit) != before or not self._restricted:
            self._restricted = self._restrict()
        if not self._fit and self._unfit:
            reason = self._unfit[min(self._unfit)]
            # what is wrong with a worker says what to do about it
            raise FarmLost(f"no worker of the Dask scheduler {self._address} can be used: {reason}")
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
                self._fit[worker] = int(workers[worker]["nthreads"])
                self._hosts[worker] = workers[worker]["host"]
            else:
                self._unfit[worker] = f"the Dask worker {worker} {wrong}"
                self._say(f"not used: {self._unfit[worker]}")

    def _restrict(self) -> bool:
        """Let Dask use the workers that can help now, and no others, for what was submitted before.

        Returns:
            Whether it has heard of that; it may not know of everything yet.
        """
        helpers = {worker: self._hosts[worker] for worker in self._fit}
        notebook_of(self._orders).write_helpers(helpers)
        if not helpers or not self._futures:
            return True
        try:
            self._send(list(helpers), [future.key for future in self._futures.values()])
            self._send_known(list(helpers), self._keys_of_makers())
            self._client.run(say_ready, workers=[min(helpers)])
        except Exception:
            return False
        return True

    def _send(self, helpers: list[str], keys: Sequence[str]) -> None:
        """Tell the scheduler that some chunks are for these workers; it has to know of all of them."""
        wanted = dict.fromkeys(keys, helpers)
        self._client.sync(self._client.scheduler.set_restrictions, worker=wanted, callback_timeout=ANSWER_SECONDS)

    def _send_known(self, helpers: list[str], keys: Sequence[str]) -> None:
        """The same of chunks that it may have forgotten, because nobody needs them any more."""
        try:
            self._send(helpers, keys)
        except KeyError:
            for key in keys:
                with suppress(KeyError):
                    self._send(helpers, [key])

    def _suitable(self) -> list[str]:
        return list(self._fit)

    def _unforeseen(self, error: Exception) -> Sequence[ChunkEvent]:
        what = f"Dask could not do it ({type(error).__name__}: {error})"
        return ({"event": "given_up", "sentence": f"{what}; run the same command again to resume"},)

    def _lost(self) -> FarmLost:
        return FarmLost(
            f"the Dask scheduler {self._address} no longer answers; what was made is kept",
            remedy="start it and its workers again, and run the same command to resume",
        )


def _connect(address: str) -> Any:
    client: Any = distributed.Client
    hint = ""
    try:
        if address.startswith("tls:"):
            hint = ", or look whether its certificates are those that Dask knows here"
            # a client without any fails as well, but is closed only after 40 s, with a stack trace
            _require_certificates(address)
        return client(address, timeout=CONNECT_SECONDS, set_as_default=False)
    except (OSError, ValueError, TimeoutError, ImportError) as error:
        raise UsageError(
            f"no Dask scheduler can be reached at '{address}'",
            "--scheduler",
            f"start one with 'dask scheduler' and give the address that it prints, such as tcp://10.0.0.5:8786{hint}",
        ) from error


def _require_certificates(address: str) -> None:
    security: Any = distributed.Security
    if security().get_connection_args("client").get("ssl_context") is None:
        raise UsageError(
            f"for '{address}' Dask has to know the certificates",
            "--scheduler",
            "set DASK_DISTRIBUTED__COMM__TLS__CA_FILE, ..._CLIENT__CERT and ..._CLIENT__KEY (docs/farm.md)",
        )


def _new_topic() -> str:
    return f"animerun-gen-{secrets.token_hex(8)}"


def threads_for(workers: int) -> int:
    """How many threads each of several workers may start, so that together they use each processor once."""
    return max(1, usable_processors() // workers)
