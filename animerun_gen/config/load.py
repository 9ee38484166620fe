"""From files and folders on the command line to checked cuts, with everything wrong reported at once."""

from __future__ import annotations

import difflib
import math
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from animerun_gen.config.document import BROKEN, Keys, Node, Problem, plain, read_document
from animerun_gen.config.model import CutConfig
from animerun_gen.config.words import expected, item_type, shown
from animerun_gen.errors import ConfigError

INHERIT = "inherit"
MAX_INHERITANCE = 16
YAML_SUFFIXES = (".yaml", ".yml")

_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


@dataclass(frozen=True)
class LoadedCut:
    """A checked cut and the YAML file that it comes from."""

    config: CutConfig
    path: Path


def load_cuts(paths: Sequence[Path], *, check_sources: bool = True) -> list[LoadedCut]:
    """Read and check the cuts that YAML files describe.

    Args:
        paths: YAML files, and folders of which every ``*.yaml`` and ``*.yml`` directly in them is a cut, except names
            that begin with ``_`` (shared files) or ``.``.  A file that is named twice is read once.
        check_sources: whether the film scenes must exist.  When False a ``${VARIABLE}`` that is not set stays in
            ``source`` as it is written.

    Returns:
        The cuts in the order of ``paths``, those of a folder by file name; ``source`` is an absolute path.

    Raises:
        ConfigError: something is wrong; ``problems`` holds all of it, each with file, line and key path.
    """
    problems: list[Problem] = []
    reader = _Reader(check_sources, problems)
    files = _cut_files(paths, problems)
    drafts = [(file, *reader.read(file)) for file in files]
    cuts = []
    for file, root, complete in drafts:
        if root is not None and (config := reader.check(root, complete)) is not None:
            cuts.append(LoadedCut(config, file))
    problems.extend(_shared_names((file, root) for file, root, _ in drafts if root is not None))
    if problems:
        raise ConfigError(_in_reading_order(problems, files))
    return cuts


def _cut_files(paths: Sequence[Path], problems: list[Problem]) -> list[Path]:
    """The YAML files that the given files and folders stand for, each once."""
    if not paths:
        problems.append(Problem(Path(), 0, (), "no cut was named; give YAML files or folders of them"))
    files: dict[Path, Path] = {}
    for path in paths:
        problem, found = None, [path]
        try:
            if path.is_dir():
                found = _in_folder(path)
                if not found:
                    problem = "holds no cut; give a folder with *.yaml files directly in it (names with _ do not count)"
            elif not path.exists():
                problem = "does not exist; check the path"
            elif path.suffix.lower() not in YAML_SUFFIXES:
                problem = "is no .yaml file; give the YAML file that describes the cut"
        except OSError as error:
            problem = f"cannot be read ({error.strerror}); check the path and its permissions"
        if problem is not None:
            problems.append(Problem(path, 0, (), problem))
        else:
            for file in found:
                files.setdefault(Path(os.path.realpath(file)), file)
    return list(files.values())


def _in_folder(folder: Path) -> list[Path]:
    return sorted(
        file
        for file in folder.iterdir()
        if file.suffix.lower() in YAML_SUFFIXES and not file.name.startswith(("_", ".")) and not file.is_dir()
    )


class _Reader:
    """Reads every file once, however many cuts inherit it, and collects the problems."""

    def __init__(self, check_sources: bool, problems: list[Problem]) -> None:
        self.check_sources = check_sources
        self.problems = problems
        self._merged: dict[str, tuple[Node | None, bool]] = {}

    def read(self, file: Path, heirs: tuple[str, ...] = ()) -> tuple[Node | None, bool]:
        """A file with everything that it inherits.

        Args:
            file: the YAML file.
            heirs: the files that inherit it, directly and through others, as real paths.

        Returns:
            The merged mapping (None when the file cannot be read) and whether all of it could be read.
        """
        identity = os.path.realpath(file)
        if identity not in self._merged:
            own, problems = read_document(file)
            self.problems.extend(problems)
            merged, complete = own, own is not None
            if own is not None and isinstance(own.value, dict):
                entries = dict(own.value)
                parents = entries.pop(INHERIT, None)
                merged = Node(entries, own.file, own.line)
                # The last parent is the strongest, so it is laid under the file first.
                for parent in reversed(_parents(parents)):
                    inherited, parent_complete = self._read_parent(parent, (*heirs, identity))
                    complete = complete and parent_complete
                    if inherited is not None:
                        merged = _laid_over(merged, inherited)
            self._merged[identity] = merged, complete
        return self._merged[identity]

    def check(self, root: Node, complete: bool) -> CutConfig | None:
        """The typed cut, or None with its problems noted; keys that a lost parent may hold are not missed."""
        entries = dict(root.value) if isinstance(root.value, dict) else {}
        source, path = entries.get("source"), None
        if source is not None and isinstance(source.value, str):
            path = self._source(source)
            if path is None:
                entries["source"] = Node(BROKEN, source.file, source.line)
        root = Node(entries, root.file, root.line)
        values = plain(root) if path is None else {**plain(root), "source": path}
        try:
            return CutConfig.model_validate(values)
        except ValidationError as error:
            self.problems.extend(_problems(error, root, complete))
            return None

    def _read_parent(self, entry: Node, heirs: tuple[str, ...]) -> tuple[Node | None, bool]:
        if entry.value is BROKEN:
            return None, False
        if not isinstance(entry.value, str):
            self._report(entry, (INHERIT,), f"must be the path of a YAML file or a list of them, but is {_said(entry)}")
            return None, False
        file = _beside(entry.file, entry.value)
        if file.suffix.lower() not in YAML_SUFFIXES:
            what = "is no .yaml file; name a YAML file"
        elif os.path.realpath(file) in heirs:
            what = "inherits this file in turn; break the circle"
        elif not _is_file(file):
            what = f"is no file ({file}); correct the path, which begins at the folder of this file"
        elif len(heirs) >= MAX_INHERITANCE:
            what = f"makes a chain of more than {MAX_INHERITANCE} files; shorten it"
        else:
            return self.read(file, heirs)
        self._report(entry, (INHERIT,), f"{shown(entry.value)} {what}")
        return None, False

    def _source(self, node: Node) -> Path | None:
        """The absolute path of the film scene, or None with the reason noted."""
        text = str(node.value)
        problem = None
        unset = [name for name in dict.fromkeys(_VARIABLE.findall(text)) if not os.environ.get(name)]
        expanded = _VARIABLE.sub(lambda match: os.environ.get(match[1]) or match[0], text)
        path = Path(os.path.abspath(_beside(node.file, expanded)))
        if "${" in _VARIABLE.sub("", text):
            problem = f"{shown(text)} holds a ${{ that begins no variable; write ${{NAME}}"
        elif "\0" in text or path.suffix.lower() != ".blend":
            problem = f"{shown(text)} is no .blend file; give the path of the film scene"
        elif unset and self.check_sources:
            problem = (
                f"the environment variable {unset[0]} is not set; set it before the command,"
                f" for example: export {unset[0]}=/path/to/its/folder"
            )
        elif self.check_sources and not _is_file(path):
            problem = f"there is no file {path}; correct the path, which begins at the folder of this YAML file"
        elif self.check_sources and not os.access(path, os.R_OK):
            problem = f"{path} may not be read; change its permissions"
        if problem is None:
            return path
        self._report(node, ("source",), problem)
        return None

    def _report(self, node: Node, keys: Keys, text: str) -> None:
        self.problems.append(Problem(node.file, node.line, keys, text))


def _parents(node: Node | None) -> list[Node]:
    if node is None:
        return []
    return node.value if isinstance(node.value, list) else [node]


def _beside(file: Path, relative: str) -> Path:
    return Path(os.path.normpath(file.parent / relative))


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:
        return False


def _laid_over(strong: Node, weak: Node) -> Node:
    """``strong`` with what only ``weak`` says added behind it, key by key in mappings; lists are not mixed."""
    if not isinstance(strong.value, dict) or not isinstance(weak.value, dict):
        return strong
    entries = {
        key: _laid_over(node, weak.value[key]) if key in weak.value else node for key, node in strong.value.items()
    }
    entries.update((key, node) for key, node in weak.value.items() if key not in entries)
    return Node(entries, strong.file, strong.line)


def _problems(error: ValidationError, root: Node, complete: bool) -> Iterator[Problem]:
    """What pydantic found, in our words, at the lines where the values stand."""
    for details in error.errors(include_url=False):
        keys: Keys = tuple(key for key in details["loc"] if key != "[key]")
        # A list that is too short is "missing" something too; its complaint is about the list.
        missing = details["type"] == "missing" and isinstance(keys[-1], str)
        if missing and not complete:
            continue
        found = _find(root, keys)
        if details["type"] == "extra_forbidden":
            text = _unknown_key(str(keys[-1]), found.section, top=len(keys) == 1)
        elif details["type"] == "value_error":
            text = str(details["ctx"]["error"])
        elif details["loc"][-1:] == ("[key]",):
            text = "is no name or pattern; write one or remove this entry"
        elif missing and found.field is not None:
            text = f"is missing; add it: {expected(found.field.annotation, found.field.metadata)}"
        elif _holds_broken(found.node):
            continue
        else:
            text = f"must be {found.expectation}, but is {_said(found.node)}{_hint(found)}"
        yield Problem(found.node.file, found.node.line, keys if missing else found.keys, text)


def _holds_broken(node: Node) -> bool:
    """Whether something in it was refused before, so that no more need be said."""
    if isinstance(node.value, dict):
        return any(_holds_broken(item) for item in node.value.values())
    if isinstance(node.value, list):
        return any(_holds_broken(item) for item in node.value)
    return node.value is BROKEN


@dataclass
class _Found:
    """The value that a complaint is about: its path, where it stands, the model around it and what it must be."""

    keys: Keys
    node: Node
    section: type[BaseModel]
    field: FieldInfo | None = None
    expectation: str = ""


def _find(root: Node, keys: Keys) -> _Found:
    """Follow a key path through the file and the models, as far as the file goes and messages speak of parts."""
    found = _Found((), root, CutConfig, None, expected(CutConfig))
    annotation: Any = CutConfig
    for key in keys:
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            found.section = annotation
            found.field = annotation.model_fields.get(str(key))
            annotation = found.field.annotation if found.field else None
            metadata = found.field.metadata if found.field else []
        else:
            annotation, metadata = item_type(annotation), []
            if annotation is None:
                break
        inside = found.node.value
        if isinstance(inside, dict) and key in inside:
            found.node = inside[str(key)]
        elif isinstance(inside, list) and isinstance(key, int) and key < len(inside):
            found.node = inside[key]
        else:
            break
        found.keys = (*found.keys, key)
        found.expectation = expected(annotation, metadata) if annotation is not None else ""
    return found


def _unknown_key(key: str, section: type[BaseModel], top: bool) -> str:
    known = [*section.model_fields, *([INHERIT] if top else [])]
    near = difflib.get_close_matches(key.lower(), known, n=1)
    advice = f"did you mean {near[0]}?" if near else f"the keys known here are {', '.join(known)}"
    return f"is no known key; {advice}"


def _said(node: Node) -> str:
    """A value as the user wrote it."""
    if node.text and not node.quoted and not isinstance(node.value, str):
        return node.text[:60]
    return shown(plain(node))


def _hint(found: _Found) -> str:
    """What to do about a value that YAML rather than the user made what it is, by the words that say what is wanted."""
    node, wanted = found.node, found.expectation
    if "#" in wanted and node.value is None:
        return "; a # outside quotes begins a comment, so put the colour in quotes"
    if isinstance(node.value, (bool, int, float)) and "text" in wanted:
        return f'; put it in quotes: "{node.text}"'
    if isinstance(node.value, str) and wanted.startswith(("a number", "a whole number")):
        try:
            number = float(node.value)
        except ValueError:
            return ""
        return f"; write it as a plain decimal number without quotes: {number:.15g}" if math.isfinite(number) else ""
    if node.value is None and "section" in wanted:
        return "; write its keys below it, indented, or remove it"
    return ""


def _shared_names(drafts: Iterable[tuple[Path, Node]]) -> Iterator[Problem]:
    """Cuts of one dataset need names of their own, also where a file system does not tell a from A."""
    first: dict[str, Path] = {}
    for file, root in drafts:
        node = root.value.get("name") if isinstance(root.value, dict) else None
        if node is None or not isinstance(node.value, str):
            continue
        other = first.setdefault(node.value.lower(), file)
        if other is not file:
            line = node.line if node.file == file else 1
            text = f"{shown(node.value)} is also the name of the cut in {other}; give one of them another name"
            yield Problem(file, line, ("name",), text)


def _in_reading_order(problems: list[Problem], files: list[Path]) -> list[str]:
    """Each problem once: the cuts in their order, then files that they inherit, each from top to bottom."""
    order = {file: index for index, file in enumerate(dict.fromkeys([*files, *(p.file for p in problems)]))}
    unique = sorted(dict.fromkeys(problems), key=lambda problem: (order[problem.file], problem.line))
    return [str(problem) for problem in unique]
