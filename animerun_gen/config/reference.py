"""The reference page of the configuration, made from the models: ``python -m animerun_gen.config.reference``."""

from __future__ import annotations

from collections.abc import Iterable

import yaml
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from animerun_gen.config.looks import LOOKS
from animerun_gen.config.messages import expected, item_type, written
from animerun_gen.config.model import CutConfig

EXAMPLE = """\
inherit: _film.yaml                    # what all cuts of this film share
name: dungeon_fight
source: ${ANIMERUN_SCENES}/dungeon_fight/dungeon_fight.blend
frames: {first: 1, last: 72}
resolution: [960, 540]
remove:
  objects: ["Fog*", "Light panel"]
style:
  color: texture
  overrides:
    "Knight armour*": "#8fa3b8"
lines:
  thickness: 2
"""

_INTRODUCTION = f"""\
# Configuration of a cut

<!-- Made by `python -m animerun_gen.config.reference > docs/configuration.md`; change the models, not this page. -->

One YAML file describes one cut. Only `name`, `source` and `frames` must be given:

```yaml
{EXAMPLE}```

- **Several cuts.** Where a command takes a folder, every `*.yaml` and `*.yml` file directly in it is a cut, except
  names that begin with `_` (files to inherit) or with a dot.
- **`inherit`** names one YAML file or a list of them, relative to the file that says so. What the file itself says is
  stronger than what it inherits, and of several inherited files the last is the strongest. Sections are combined key
  by key, lists are replaced whole.
- **`${{VARIABLE}}`** in `source` stands for an environment variable. Relative paths begin at the folder of the file in
  which they stand.
- **Mistakes** are all reported at once, with file, line and key, before Blender starts; the exit status is 2. Of more
  than twenty the first twenty are printed and the others counted.
- **Limits.** A file may have a million bytes, 20,000 keys and values (a palette 200,000) and 32 levels, inherit 100
  files, and stand at the end of a chain of 16. Nobody needs as much: whatever has more is something else, and is
  refused before any of it is looked at.
- Colours stand in quotes, because YAML takes `#` for the beginning of a comment. Tags, anchors and aliases are refused.
"""


def reference_markdown() -> str:
    """The whole page ``docs/configuration.md`` as Markdown."""
    fields = CutConfig.model_fields
    sections = {name: field for name, field in fields.items() if _section(field) is not None}
    parts = [_INTRODUCTION, "## The cut\n", _table((n, f) for n, f in fields.items() if n not in sections)]
    parts += [_looks()]
    for name, field in sections.items():
        parts += _section_parts(name, field, "##")
    return "\n".join(parts)


def _looks() -> str:
    """What each look says, as a file would say it."""
    parts = []
    for name, values in LOOKS.items():
        if values:
            parts.append(
                f"`look: {name}` is short for\n\n```yaml\n{yaml.safe_dump(dict(values), sort_keys=False)}```\n"
            )
    return "\n".join(parts)


def _section_parts(name: str, field: FieldInfo, heading: str) -> list[str]:
    """A section with its table, and the sections in it behind that."""
    model = _section(field)
    if model is None:
        return []
    fields = model.model_fields
    inner = {key: each for key, each in fields.items() if _section(each) is not None}
    parts = [f"{heading} `{name}`\n", f"{field.description}\n"]
    parts += [_table((key, each) for key, each in fields.items() if key not in inner), *_entries(name, model)]
    for key, each in inner.items():
        parts += _section_parts(f"{name}.{key}", each, f"{heading}#")
    return parts


def _entries(name: str, model: type[BaseModel]) -> list[str]:
    """The keys of lists and mappings whose entries are sections, except those that the section itself has as well."""
    parts = []
    for key, field in model.model_fields.items():
        entry = item_type(field.annotation)
        if isinstance(entry, type) and issubclass(entry, BaseModel):
            if issubclass(model, entry):
                keys = ", ".join(f"`{known}`" for known in entry.model_fields)
                parts.append(f"Each entry of `{name}.{key}` has the keys {keys}, as above.\n")
            else:
                parts += [f"Each entry of `{name}.{key}`:\n", _table(entry.model_fields.items())]
    return parts


def _section(field: FieldInfo) -> type[BaseModel] | None:
    kind = field.annotation
    return kind if isinstance(kind, type) and issubclass(kind, BaseModel) else None


def _table(fields: Iterable[tuple[str, FieldInfo]]) -> str:
    rows = ["| key | value | default | meaning |", "| --- | --- | --- | --- |"]
    for name, field in fields:
        default = "**required**" if field.is_required() else f"`{written(field.default)}`"
        cells = (f"`{name}`", expected(field.annotation, field.metadata), default, field.description or "")
        rows.append("| " + " | ".join(cell.replace("|", r"\|") for cell in cells) + " |")
    return "\n".join(rows) + "\n"


if __name__ == "__main__":
    print(reference_markdown(), end="")
