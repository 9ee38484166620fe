"""Progress bars that stay readable on a terminal and in the log of a cluster job."""

from __future__ import annotations

import sys
import threading
from types import TracebackType
from typing import Self

from tqdm import tqdm

from animerun_gen.terminal import printable


class Progress:
    """One bar over units of work with rate and time left; its methods may be called from several threads.

    Args:
        total: How many units there are.
        unit: What one is called.
        title: What is being done.
        delay: Seconds after which the bar appears; what ends before shows none.
    """

    def __init__(self, total: int, unit: str, title: str, delay: float = 0.0) -> None:
        on_terminal = sys.stderr.isatty()
        self._lock = threading.Lock()
        self._bar = tqdm(
            total=total,
            unit=f" {unit}",
            desc=title,
            file=sys.stderr,
            mininterval=0.2 if on_terminal else 15.0,
            dynamic_ncols=on_terminal,
            ncols=None if on_terminal else 100,
            smoothing=0.1,
            delay=delay,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.close()

    def advance(self, where: str, units: int = 1) -> None:
        """A unit is done, or several.

        Args:
            where: What is being worked on, in a few words.
            units: How many are done.
        """
        with self._lock:
            self._bar.set_postfix_str(printable(where), refresh=False)
            self._bar.update(units)

    def expect(self, units: int) -> None:
        """There is so much more to do than was known; less where it is negative."""
        with self._lock:
            self._bar.total = (self._bar.total or 0) + units
            self._bar.refresh()

    def reach(self, done: int, total: int, where: str) -> None:
        """So many units are done of so many, where neither is known in advance.

        Args:
            done: Units that are done.
            total: Units that there are in this part of the work.
            where: What is being worked on, in a few words.
        """
        with self._lock:
            self._bar.total = total
            self._bar.n = done
            self._bar.set_postfix_str(printable(where), refresh=True)

    def say(self, sentence: str) -> None:
        """Print a line above the bar."""
        with self._lock:
            tqdm.write(printable(sentence), file=sys.stderr)
