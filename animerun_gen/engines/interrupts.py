"""Keeps a Ctrl-C from being lost.

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
