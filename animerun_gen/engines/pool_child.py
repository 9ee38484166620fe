"""The child process of :mod:`animerun_gen.engines.pool`: ``... pool_child FD SECONDS``.

It takes parcels of work from its standard input and writes events, one a line, to a file descriptor that its parent
opened.  When there is nothing to do for so many seconds, it ends.
"""

from __future__ import annotations

import base64
import os
import pickle
import select
import signal
import sys
from contextlib import nullcontext
from pathlib import Path

from animerun_gen.dataset.files import open_log
from animerun_gen.engines.fence import Fence, RunOver
from animerun_gen.engines.lifetime import die_with_parent
from animerun_gen.engines.pool import Event, Parcel


def main(arguments: list[str]) -> None:
    """Do what comes until the parent closes the standard input, or nothing comes for a while."""
    die_with_parent()
    # Ctrl-C reaches the whole process group; the parent alone decides what it means
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    events, patience = int(arguments[0]), float(arguments[1])

    def tell(event: Event) -> None:
        if fence is not None and not fence.is_up():
            # whoever would have to be told may not be listening any more
            os._exit(1)
        data = base64.b64encode(pickle.dumps(event)) + b"\n"
        while data:
            data = data[os.write(events, data) :]

    fence: Fence | None = None
    # the whole of one parcel is read, so that nothing waits in the buffer when the pipe is empty
    while select.select([0], [], [], patience)[0] and (header := sys.stdin.buffer.read(8)):
        parcel: Parcel = pickle.loads(sys.stdin.buffer.read(int.from_bytes(header, "little")))
        fence = parcel.fence
        if parcel.log is not None:
            _print_to(parcel.log)
        try:
            with fence.inside() if fence is not None else nullcontext():
                parcel.work(tell)
        except RunOver:
            os._exit(1)
        tell({"event": "finished"})


def _print_to(log: Path) -> None:
    """What the libraries print, a crash for example, belongs into the cut's log."""
    with open_log(log) as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)


if __name__ == "__main__":
    main(sys.argv[1:])
