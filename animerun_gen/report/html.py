"""Puts pages together: templates of the package, with everything in one file and nothing that could run by accident."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Mapping
from html import escape
from importlib.resources import files

_SLOT = re.compile(r"\{\{([a-z_]+)\}\}")


def asset(name: str) -> str:
    """A text file of ``animerun_gen/report/assets``."""
    return files("animerun_gen.report").joinpath("assets", name).read_text(encoding="utf-8")


def fill(template: str, texts: Mapping[str, str], markup: Mapping[str, str]) -> str:
    """A template with its ``{{slots}}`` filled.

    Args:
        template: HTML.
        texts: Slot to plain text, which is escaped.
        markup: Slot to what stands there as it is.

    Raises:
        KeyError: A slot has no content.
    """
    contents = {**{name: escape(text) for name, text in texts.items()}, **markup}
    # in one go: what is filled in is never looked at for slots
    return _SLOT.sub(lambda slot: contents[slot[1]], template)


def page(body: str, script: str, *, title: str, data: object, pictures: Mapping[str, bytes] | None = None) -> str:
    """A whole page that needs no other file and may fetch none.

    Args:
        body: HTML of its body.
        script: Name of its script among the assets.
        title: Plain text.
        data: What the script reads, as JSON.
        pictures: Id to the file that the script reads it as.
    """
    common, code = asset("common.js"), asset(script)
    program = f'"use strict";\n(() => {{\n{common}\n{code}\n}})();\n'
    return fill(
        asset("shell.html"),
        {"title": title},
        {
            "style": asset("report.css"),
            "script_hash": base64.b64encode(hashlib.sha256(program.encode()).digest()).decode(),
            "body": body,
            "data": script_json(data),
            "pictures": "\n".join(
                f'<script type="text/plain" id="{name}">{base64.b64encode(content).decode()}</script>'
                for name, content in (pictures or {}).items()
            ),
            "script": program,
        },
    )


def script_json(data: object) -> str:
    """JSON that can stand inside a script element: nothing in it ends the element or begins a comment."""
    text = json.dumps(data, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


def data_uri(webp: bytes) -> str:
    """A picture as the address of itself."""
    return f"data:image/webp;base64,{base64.b64encode(webp).decode()}"
