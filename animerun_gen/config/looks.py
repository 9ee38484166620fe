"""Looks: settings that belong together under one name, weaker than everything that a cut's own file says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, get_args

Look = Literal["paper", "television"]

LOOKS: Mapping[str, Mapping[str, Any]] = {
    "paper": {},
    "television": {
        "style": {"shade": {"tones": 2}},
        "layers": {"groups": "auto"},
        "timing": {"layers": {"*": {"on": 2}}},
        "lines": {
            "engine": "geometry",
            "style": {
                "antialias": True,
                "rules": [
                    {"kinds": ["crease", "intersection", "material", "mark"], "color": "auto", "thickness": 0.7},
                ],
            },
        },
    },
}
"""What each look says, in the form of a cut's YAML file."""


def with_look(values: Mapping[str, Any]) -> dict[str, Any]:
    """The values of a cut, and below them those of its look.

    Args:
        values: What the cut's file says, of which ``look`` names the look.

    Returns:
        The same keys, and those of the look that the file does not give.  Mappings are combined key by key, lists are
        replaced whole, as where one file inherits another.  A style of lines goes with the engine of the look.

    Example:
        >>> with_look({"look": "television", "style": {"shade": {"tones": 2}}})["style"]
        {'shade': {'tones': 2}}
    """
    look = values.get("look")
    if look not in get_args(Look):
        # no look at all, or a wrong one, which the model says
        return dict(values)
    return _over(values, _without_other_style(LOOKS[str(look)], values))


def _without_other_style(look: Mapping[str, Any], values: Mapping[str, Any]) -> Mapping[str, Any]:
    """What a look says, without a style of lines where the file chooses another engine, which may know none."""
    lines, own = look.get("lines", {}), values.get("lines")
    if not isinstance(own, Mapping) or own.get("engine", lines.get("engine")) == lines.get("engine"):
        return look
    return {**look, "lines": {key: value for key, value in lines.items() if key != "style"}}


def _over(strong: Mapping[str, Any], weak: Mapping[str, Any]) -> dict[str, Any]:
    found = dict(strong)
    for key, value in weak.items():
        own = found.get(key)
        if key not in found:
            found[key] = value
        elif isinstance(own, Mapping) and isinstance(value, Mapping):
            found[key] = _over(own, value)
    return found
