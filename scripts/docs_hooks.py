"""Hooks of mkdocs: what leads out of ``docs/`` is a link in the repository and plain text on the site."""

from __future__ import annotations

import re
from typing import Any

_OUTSIDE = re.compile(
    r"\[([^\]]*)\]\((?:\.\./)+(?:animerun_gen|configs|scenes|scripts|tests|README|LICENSE|C[A-Z])[^)]*\)"
)


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Take the links out that lead out of the documentation."""
    return _OUTSIDE.sub(r"\1", markdown)
