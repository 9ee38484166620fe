"""Keeps what an ended run started from writing into a dataset that a later run owns.

Chunks of work that a cluster does go on for a while when the run that handed them out is killed.  Each run therefore
has a token of its own, which it puts into the dataset's hidden folder.  Whoever does a chunk holds a shared lock as
long as it may write, and looks again and again whether the token is still there.  A new run puts its own token there
and waits until nobody holds the lock: from then on all that is at work is its own.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from animerun_gen.dataset.files import refused
from animerun_gen.dataset.layout import state_folder
from animerun_gen.errors import AnimerunGenError, DatasetError

TOKEN = "ANIMERUN_GEN_RUN"
"""Environment variable with the token of the run that started a child."""

NOBODY = "-" * 32
"""Stands where the token of a run would, as long as that."""

LOOK_SECONDS = 0.1
"""Between two attempts to get the lock."""

PATIENT_SECONDS = 2.0
"""For so long a new run waits in silence: children of a killed run need a moment to end."""


class RunOver(AnimerunGenError):
    """The run that asked for a chunk has ended, or another one has begun."""


@dataclass(frozen=True)
class Fence:
    """What belongs to one run.

    Attributes:
        output: Root folder of the dataset.
        token: The run's own.
    """

    output: Path
    token: str

    @property
    def environment(self) -> dict[str, str]:
        """What a child needs in its environment to find the fence with :func:`fence_of_parent`."""
        return {TOKEN: self.token}

    def is_up(self) -> bool:
        """Whether the run that this fence belongs to is still going on, as far as the disk tells."""
        try:
            return fence_file(self.output).read_text(encoding="ascii") == self.token
        except (OSError, ValueError):
            return False

    @contextmanager
    def inside(self) -> Iterator[None]:
        """Hold the lock under which files of the dataset may be written.

        Who writes has to take it itself, when it is sure to end with its parent, and not before: a child that hangs
        while it starts, and whose parent is killed, would hold it for ever.

        Raises:
            RunOver: The run is over.
        """
        with _opened(self.output) as descriptor:
            while not _locked(descriptor, fcntl.LOCK_SH):
                # a run begins; its token comes before its lock
                time.sleep(LOOK_SECONDS)
            if not self.is_up():
                raise self.over()
            yield

    def over(self) -> RunOver:
        """Why nothing may be written any more, to be raised where :meth:`is_up` says so."""
        held = ""
        with suppress(OSError, ValueError):
            held = fence_file(self.output).read_text(encoding="ascii")
        # what was removed may be there again, because somebody has just made it anew
        if held:
            return RunOver(f"the run that asked for this work in {self.output} has ended")
        return RunOver(
            f"the output folder {self.output} is gone, or its hidden folder is: it was removed or moved while a "
            "run was writing to it",
            remedy="run the same command again",
        )


def fence_of_parent(output: Path) -> Fence | None:
    """The fence of the run that started this process, see :meth:`Fence.environment`; None where it has none."""
    token = os.environ.get(TOKEN)
    return Fence(output, token) if token else None


@contextmanager
def fenced(output: Path, say: Callable[[str], None]) -> Iterator[Fence]:
    """Begin a run: wait until nothing of an earlier one is at work, and let nothing of this one outlast the block.

    Args:
        output: Root folder of the dataset; the caller holds its lock.
        say: Takes a sentence when there is something to wait for.

    Raises:
        DatasetError: The system refuses.
    """
    fence = Fence(output, secrets.token_hex(16))
    _put_token(output, fence.token)
    try:
        _wait_for_others(output, say, "work that an earlier run handed out")
        yield fence
    finally:
        # where the folder was removed, nobody finds the token any more
        if fence_file(output).exists():
            _put_token(output, NOBODY)
            _wait_for_others(output, say, "work that this run handed out")


def fence_file(output: Path) -> Path:
    """What everybody who may write into the dataset holds, shared; it says which run they must belong to."""
    return state_folder(output) / "fence"


def _put_token(output: Path, token: str) -> None:
    """Say which run the dataset belongs to: in place, because the file is locked, and a full disk allows that."""
    with _opened(output) as descriptor:
        try:
            os.pwrite(descriptor, token.encode("ascii"), 0)
            os.truncate(descriptor, len(token))
        except OSError as error:
            raise refused("cannot be written", fence_file(output), error) from error


def _wait_for_others(output: Path, say: Callable[[str], None], what: str) -> None:
    begun, said = time.monotonic(), False
    with _opened(output) as descriptor:
        while not _locked(descriptor, fcntl.LOCK_EX):
            if not said and time.monotonic() - begun > PATIENT_SECONDS:
                said = True
                say(f"waiting for {what} to end: it still writes into {output}; press Ctrl-C to stop waiting")
            time.sleep(LOOK_SECONDS)


@contextmanager
def _opened(output: Path) -> Iterator[int]:
    path = fence_file(output)
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    except OSError as error:
        raise refused("cannot be opened", path, error) from error
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def try_lock(descriptor: int, how: int) -> bool:
    """Lock a file if nobody is in the way; the system lets go of it however this process ends.

    Args:
        descriptor: Of the open file.
        how: ``fcntl.LOCK_SH`` or ``fcntl.LOCK_EX``.

    Returns:
        Whether it is locked now.

    Raises:
        OSError: The file system has no locks.
    """
    try:
        fcntl.flock(descriptor, how | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _locked(descriptor: int, how: int) -> bool:
    try:
        return try_lock(descriptor, how)
    except OSError as error:
        raise DatasetError(
            f"the disk of the dataset does not support locks ({error.strerror})", remedy="choose another one with --out"
        ) from error
