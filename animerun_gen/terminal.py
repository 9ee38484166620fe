"""What is printed for people: one line a sentence, and nothing in it that a terminal would take for a command.

Names of files, of cuts and of what a film holds are untrusted, and most sentences have one in them.  So everything
that is printed goes through here, and no sentence need care for it.
"""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import TextIO


def printable(sentence: str) -> str:
    """A sentence on one line, with everything escaped that is not to be seen: control characters, odd halves of one."""
    if sentence.isprintable():
        return sentence
    return "".join(character if character.isprintable() else repr(character)[1:-1] for character in sentence)


def as_command(*words: str | Path) -> str:
    """A command as a shell reads it, whatever is in its words.

    Args:
        words: Its words; a path that begins with a hyphen is written such that no program takes it for an option.
    """
    return " ".join(
        _quoted(f"./{word}" if isinstance(word, Path) and str(word)[:1] == "-" else str(word)) for word in words
    )


def _quoted(word: str) -> str:
    if word.isprintable():
        return shlex.quote(word)
    # such words can only be written by their bytes: POSIX.1-2024, dollar-single-quotes
    kept = (chr(byte) if chr(byte) in _PLAIN else f"\\x{byte:02x}" for byte in word.encode("utf-8", "surrogateescape"))
    return f"$'{''.join(kept)}'"


_PLAIN = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 ._-/"


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
