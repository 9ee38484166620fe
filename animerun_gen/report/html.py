"""Puts pages together: templates of the package, with everything in one file and nothing that could run by accident."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup


def asset(name: str) -> str:
    """A text file of ``animerun_gen/report/assets``."""
    return files("animerun_gen.report").joinpath("assets", name).read_text(encoding="utf-8")


@cache
def templates() -> Environment:
    """The templates of ``animerun_gen/report/templates``: what is filled in is escaped, and nothing may be left out."""
    found = Environment(
        loader=PackageLoader("animerun_gen.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    # a configuration may hold anything, and a link leads wherever it says
    found.tests["web_address"] = lambda text: str(text).startswith(("https://", "http://"))
    # what the filter "tojson" writes can stand inside a script element and in an attribute
    found.policies["json.dumps_kwargs"] = {"ensure_ascii": False, "allow_nan": False, "separators": (",", ":")}
    return found


def page(
    template: str,
    scripts: str | Sequence[str],
    *,
    data: object,
    pictures: Mapping[str, bytes] | None = None,
    **contents: Any,
) -> str:
    """A whole page that needs no other file and may fetch none.

    Args:
        template: Its name.
        scripts: Name of its script among the assets, or of several that make one in this order.
        data: What the script reads, as JSON.
        pictures: Id to the file that the script reads it as.
        contents: What the template shows; ``title`` is plain text.

    Raises:
        jinja2.UndefinedError: The template shows something that is not given.
    """
    names = ["common.js", scripts] if isinstance(scripts, str) else ["common.js", *scripts]
    code = "\n".join(asset(name) for name in names)
    program = f'"use strict";\n(() => {{\n{code}\n}})();\n'
    return (
        templates()
        .get_template(template)
        .render(
            style=Markup(asset("report.css")),
            script_hash=base64.b64encode(hashlib.sha256(program.encode()).digest()).decode(),
            data=data,
            pictures={name: base64.b64encode(content).decode() for name, content in (pictures or {}).items()},
            script=Markup(program),
            **contents,
        )
    )


def plain_page(template: str, **contents: Any) -> str:
    """The same for a page that runs nothing.

    Args:
        template: Its name; it fills in the blocks ``may_run`` and ``program`` with nothing.
        contents: What it shows; ``title`` is plain text.

    Raises:
        jinja2.UndefinedError: The template shows something that is not given.
    """
    return templates().get_template(template).render(style=Markup(asset("report.css")), **contents)


def data_uri(content: bytes, kind: str = "webp") -> str:
    """A picture as the address of itself; ``kind`` is that of its file: ``webp``, ``svg+xml``."""
    return f"data:image/{kind};base64,{base64.b64encode(content).decode()}"
