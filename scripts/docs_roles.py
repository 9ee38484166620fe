"""Extension of griffe, which reads the docstrings for the API reference: Sphinx roles become names in code type."""

from __future__ import annotations

import re
from typing import Any

import griffe

_ROLE = re.compile(r":(?:attr|class|data|func|meth|mod):`(~?)([^`]+)`")


class Roles(griffe.Extension):
    """Rewrites the docstring of everything that is read."""

    def on_instance(self, *, obj: griffe.Object, **_: Any) -> None:
        """Called with every module, class, function and attribute."""
        if obj.docstring is not None:
            obj.docstring.value = _ROLE.sub(_plain, obj.docstring.value)


def _plain(role: re.Match[str]) -> str:
    short, name = role.groups()
    return f"`{name.rpartition('.')[2] if short else name}`"
