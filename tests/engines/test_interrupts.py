"""A Ctrl-C that Python drops."""

from __future__ import annotations

import os
import signal
import threading
import time
import weakref
from collections.abc import Callable, Iterator

import pytest

from animerun_gen.engines.interrupts import held_interrupts, remembered_interrupts
from animerun_gen.engines.pool import Pool, start_pool

pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


class Anything:
    """Can have weak references."""


def drop_an_interrupt() -> None:
    """Ctrl-C while Python calls what waits for the end of an object."""

    def interrupt(reference: weakref.ref[Anything]) -> None:
        os.kill(os.getpid(), signal.SIGINT)
        # another thread may take the signal; it is this one that handles it
        for _ in range(100):
            time.sleep(0.001)

    anything = Anything()
    reference = weakref.ref(anything, interrupt)
    del anything
    assert reference() is None


@pytest.fixture(autouse=True)
def heard() -> Iterator[None]:
    """A shell that starts the tests in the background has the signal ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def test_python_drops_it() -> None:
    """If this fails, the module that remembers it is not needed any more."""
    drop_an_interrupt()


def test_it_is_remembered() -> None:
    with remembered_interrupts() as require_none:
        require_none()
        drop_an_interrupt()
        with pytest.raises(KeyboardInterrupt):
            require_none()
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_one_that_is_not_dropped_comes_at_once() -> None:
    def interrupt() -> None:
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(10)

    with pytest.raises(KeyboardInterrupt), remembered_interrupts():
        interrupt()
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_who_handles_the_signal_goes_on_to_do_so() -> None:
    came: list[int] = []
    signal.signal(signal.SIGINT, lambda number, frame: came.append(number))
    with remembered_interrupts() as require_none:
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(0.01)
        require_none()
    assert came == [signal.SIGINT]


def test_other_threads_have_nothing_to_remember() -> None:
    kept: list[object] = []

    def look() -> None:
        with remembered_interrupts() as require_none:
            require_none()
            kept.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=look)
    thread.start()
    thread.join()
    assert kept == [signal.default_int_handler]


class Dropping:
    """A task during which an interrupt is dropped."""

    def run(self) -> Callable[[], None]:
        drop_an_interrupt()
        return drop_an_interrupt


def test_a_pool_heeds_it() -> None:
    with start_pool(1, "a process") as pool, pytest.raises(KeyboardInterrupt):
        list(pool.results([Dropping()]))


def test_a_second_one_waits_until_what_was_begun_has_ended() -> None:
    ended: list[str] = []

    def work() -> None:
        try:
            signal.raise_signal(signal.SIGINT)
        finally:
            with held_interrupts():
                signal.raise_signal(signal.SIGINT)
                ended.append("first")
                signal.raise_signal(signal.SIGINT)
                ended.append("second")

    with pytest.raises(KeyboardInterrupt):
        work()
    assert ended == ["first", "second"]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_one_that_comes_while_something_ends_is_not_lost() -> None:
    with pytest.raises(KeyboardInterrupt), held_interrupts():
        signal.raise_signal(signal.SIGINT)


def test_a_pool_that_closes_is_not_interrupted(monkeypatch: pytest.MonkeyPatch) -> None:
    closed: list[Pool] = []

    def close(pool: Pool) -> None:
        signal.raise_signal(signal.SIGINT)
        closed.append(pool)

    monkeypatch.setattr(Pool, "close", close)
    with pytest.raises(KeyboardInterrupt), start_pool(1, "a process") as pool:
        pass
    assert closed == [pool]
