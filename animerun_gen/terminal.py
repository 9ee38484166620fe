"""What is printed for people: one line a sentence, and nothing in it that a terminal would take for a command.

Names of files, of cuts and of what a film holds are untrusted, and most sentences have one in them.  So everything
that is printed goes through here, and no sentence need care for it.
"""

from __future__ import annotations

import sys
from typing import TextIO


def printable(sentence: str) -> str:
    """A sentence on one line, with everything escaped that is not to be seen: control characters, odd halves of one."""
    return "".join(character if character.isprintable() else repr(character)[1:-1] for character in sentence)


def say(sentence: str, stream: TextIO | None = None) -> None:
    """Print a sentence at once, whatever is in it.

    Args:
        sentence: The sentence.
        stream: Where to; None: the standard output.
    """
    stream = stream or sys.stdout
    encoding = stream.encoding or "utf-8"
    print(printable(sentence).encode(encoding, "backslashreplace").decode(encoding), file=stream, flush=True)


def complain(sentence: str) -> None:
    """Print a sentence among the errors."""
    say(sentence, sys.stderr)
