"""Keeps a Ctrl-C from being lost, and lets other ways to be stopped end like one.

Python raises :class:`KeyboardInterrupt` wherever the main thread is.  Where that is a finaliser or the callback of a
weak reference, as while garbage is collected, the exception is printed and dropped, and a program that waits for other
processes goes on as if nobody had asked it to stop.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def remembered_interrupts() -> Iterator[Callable[[], None]]:
    """Remember Ctrl-C for as long as the block lasts, which is interrupted as always.

    Nothing is remembered in other threads than the main one, and where the calling program handles the signal itself.

    Returns:
        A function that raises :class:`KeyboardInterrupt` if Ctrl-C came before; to be called again and again.

    Example:
        >>> with remembered_interrupts() as require_none:
        ...     for piece in range(3):
        ...         require_none()
    """
    came = threading.Event()

    def require_none() -> None:
        if came.is_set():
            raise KeyboardInterrupt

    def remember(number: int, frame: FrameType | None) -> None:
        came.set()
        raise KeyboardInterrupt

    if (
        threading.current_thread() is not threading.main_thread()
        or signal.getsignal(signal.SIGINT) is not signal.default_int_handler
    ):
        yield require_none
        return
    signal.signal(signal.SIGINT, remember)
    try:
        yield require_none
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@contextmanager
def held_interrupts() -> Iterator[None]:
    """Let Ctrl-C wait until the block has ended: it ends what was begun, and does not take long.

    Somebody who presses it twice would leave threads and processes behind otherwise, for which Python waits at its end,
    possibly for ever.  Nothing is held in other threads than the main one, and where the calling program handles the
    signal itself.

    Raises:
        KeyboardInterrupt: At the end of the block, if Ctrl-C came.

    Example:
        >>> with held_interrupts():
        ...     print("closing")
        closing
    """
    came = threading.Event()

    def hold(number: int, frame: FrameType | None) -> None:
        came.set()

    if (
        threading.current_thread() is not threading.main_thread()
        or signal.getsignal(signal.SIGINT) is not signal.default_int_handler
    ):
        yield
        return
    signal.signal(signal.SIGINT, hold)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if came.is_set():
        raise KeyboardInterrupt


@contextmanager
def interrupted_by_termination() -> Iterator[None]:
    """Let SIGTERM, and a terminal that is closed, end the block as Ctrl-C does.

    Python's default is to die of them on the spot, which leaves temporary folders behind.  Nothing changes in other
    threads than the main one, and where the calling program handles a signal itself or ignores it.

    Example:
        >>> with interrupted_by_termination():
        ...     signal.raise_signal(signal.SIGTERM)
        Traceback (most recent call last):
        KeyboardInterrupt
    """

    def stop(number: int, frame: FrameType | None) -> None:
        # whoever remembers interrupts has to hear of this one, too
        if callable(interrupt := signal.getsignal(signal.SIGINT)):
            interrupt(number, frame)
        raise KeyboardInterrupt

    taken = []
    if threading.current_thread() is threading.main_thread():
        taken = [one for one in (signal.SIGTERM, signal.SIGHUP) if signal.getsignal(one) is signal.SIG_DFL]
    for one in taken:
        signal.signal(one, stop)
    try:
        yield
    finally:
        for one in taken:
            signal.signal(one, signal.SIG_DFL)
