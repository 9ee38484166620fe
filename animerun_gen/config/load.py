"""From files and folders on the command line to checked cuts, with everything wrong reported at once."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from animerun_gen.config.checking import holds_broken, lost_colors, problems_of, said
from animerun_gen.config.exposure_sheet import SUFFIXES as SHEET_SUFFIXES
from animerun_gen.config.exposures import exposures
from animerun_gen.config.messages import shown
from animerun_gen.config.model import CutConfig
from animerun_gen.config.palette import read_palette
from animerun_gen.config.yaml_file import BROKEN, Keys, Node, Problem, Value, plain, read_yaml_file
from animerun_gen.errors import ConfigError

INHERIT = "inherit"
MAX_INHERITANCE = 16
MAX_PARENTS = 100
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
    roots = {file: root for file, root, _ in drafts if root is not None}
    problems.extend(_torn_films([(cut, roots[cut.path]) for cut in cuts]))
    if problems:
        raise ConfigError(_in_reading_order(problems, files))
    return cuts


def _cut_files(paths: Sequence[Path], problems: list[Problem]) -> list[Path]:
    """The YAML files that the given files and folders stand for, each once."""
    if not paths:
        problems.append(Problem(Path(), 0, (), "no cut was given; give YAML files or folders of them"))
    files: dict[Path, Path] = {}
    for path in paths:
        problem, found = None, [path]
        try:
            if path.is_dir():
                found = _in_folder(path)
                if not found:
                    problem = (
                        "contains no cut; give a folder with *.yaml files directly in it (names that begin "
                        "with _ do not count)"
                    )
            elif not path.exists():
                problem = "does not exist; check the path"
            elif path.suffix.lower() not in YAML_SUFFIXES:
                problem = "is not a .yaml file; give the YAML file that describes the cut"
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
        self._palettes: set[Path] = set()

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
            own, problems = read_yaml_file(file)
            self.problems.extend(problems)
            merged, complete = own, own is not None
            if own is not None and isinstance(own.value, dict):
                entries = dict(own.value)
                parents = entries.pop(INHERIT, None)
                merged = Node(entries, own.file, own.line)
                # The last parent is the strongest, so it is laid under the file first.
                for parent in reversed(self._parents(parents)):
                    inherited, parent_complete = self._read_parent(parent, (*heirs, identity))
                    complete = complete and parent_complete
                    if inherited is not None:
                        merged = _laid_over(merged, inherited)
            self._merged[identity] = merged, complete
        return self._merged[identity]

    def _parents(self, node: Node | None) -> list[Node]:
        """The values of ``inherit``."""
        if node is None:
            return []
        if not isinstance(node.value, list):
            return [node]
        if len(node.value) > MAX_PARENTS:
            what = f"names {len(node.value):,} files, more than {MAX_PARENTS}; put what they say into fewer files"
            self._report(node, (INHERIT,), what)
            return []
        return node.value

    def check(self, root: Node, complete: bool) -> CutConfig | None:
        """The typed cut, or None with its problems noted; keys that a lost parent may hold are not missed."""
        entries = dict(root.value) if isinstance(root.value, dict) else {}
        source, path = entries.get("source"), None
        if source is not None and isinstance(source.value, str):
            path = self._source(source)
            if path is None:
                entries["source"] = Node(BROKEN, source.file, source.line)
        recolor = entries.get("recolor")
        if recolor is not None and isinstance(recolor.value, dict):
            entries["recolor"] = self._with_palette(recolor, ("recolor",))
        style = entries.get("style")
        if style is not None and isinstance(style.value, dict):
            shade = style.value.get("shade")
            if shade is not None and isinstance(shade.value, dict):
                shade = self._with_palette(shade, ("style", "shade"))
                entries["style"] = Node({**style.value, "shade": shade}, style.file, style.line)
        timing = entries.get("timing")
        if timing is not None and isinstance(timing.value, dict):
            complaint = "is neither a .csv nor a .json file; give an exposure sheet"
            timing, _ = self._with_file(timing, ("timing", "sheet"), SHEET_SUFFIXES, complaint)
            entries["timing"] = timing
        root = Node(entries, root.file, root.line)
        values = plain(root) if path is None else {**plain(root), "source": path}
        try:
            config = CutConfig.model_validate(values)
        except ValidationError as error:
            self.problems.extend(problems_of(error, root, CutConfig, complete, (INHERIT,)))
            return None
        if lost := list(lost_colors(root)):
            self.problems.extend(lost)
            return None
        if timing is not None and config.timing.is_on:
            try:
                exposures(config.timing, config.frames.film_numbers)
            except ConfigError as error:
                for problem in error.problems:
                    self._report(timing, ("timing",), problem)
                return None
        return config

    def _read_parent(self, entry: Node, heirs: tuple[str, ...]) -> tuple[Node | None, bool]:
        if holds_broken(entry):
            return None, False
        if not isinstance(entry.value, str):
            self._report(entry, (INHERIT,), f"must be the path of a YAML file or a list of them, but is {said(entry)}")
            return None, False
        file = _beside(entry.file, entry.value)
        if "\0" in entry.value or file.suffix.lower() not in YAML_SUFFIXES:
            what = "is not a .yaml file; name a YAML file"
        elif os.path.realpath(file) in heirs:
            what = "inherits this file in turn; remove one of the two entries"
        elif not _is_file(file):
            what = f"is not a file ({file}); correct the path, which is relative to the folder of this file"
        elif len(heirs) >= MAX_INHERITANCE:
            what = f"begins a chain of more than {MAX_INHERITANCE} inherited files; shorten it"
        else:
            return self.read(file, heirs)
        self._report(entry, (INHERIT,), f"{shown(entry.value)} {what}")
        return None, False

    def _with_palette(self, section: Node, keys: tuple[str, ...]) -> Node:
        """A section with the absolute path of its palette, whose content is checked as well."""
        complaint = "is not a .yaml file; give a palette that 'animerun-gen palette' made"
        section, path = self._with_file(section, (*keys, "palette"), YAML_SUFFIXES, complaint)
        if path is not None and path not in self._palettes:
            self._palettes.add(path)
            self.problems.extend(read_palette(path)[1])
        return section

    def _with_file(
        self, section: Node, keys: tuple[str, ...], suffixes: Collection[str], complaint: str
    ) -> tuple[Node, Path | None]:
        """A section in which the path of a file is absolute, and that path; None where there is no such file.

        Args:
            section: The section.
            keys: The key of the file, behind those of the section.
            suffixes: How its name may end.
            complaint: What is said, behind the name, of one that ends otherwise.
        """
        entries = dict(section.value) if isinstance(section.value, dict) else {}
        node = entries.get(keys[-1])
        if node is None or not isinstance(node.value, str):
            return section, None
        path, unset, problem = _expand(node)
        if problem is None and unset:
            problem = _unset(unset[0])
        elif problem is None and ("\0" in node.value or path.suffix.lower() not in suffixes):
            problem = f"{shown(node.value)} {complaint}"
        elif problem is None and not _is_file(path):
            problem = f"file {path} does not exist; correct the path, which is relative to the folder of this YAML file"
        if problem is not None:
            self._report(node, keys, problem)
        value: Value = str(path) if problem is None else BROKEN
        entries[keys[-1]] = Node(value, node.file, node.line)
        return Node(entries, section.file, section.line), path if problem is None else None

    def _source(self, node: Node) -> Path | None:
        """The absolute path of the film scene, or None with the reason noted."""
        text = str(node.value)
        path, unset, problem = _expand(node)
        if problem is None and ("\0" in text or path.suffix.lower() != ".blend"):
            problem = f"{shown(text)} is not a .blend file; give the path of the film scene"
        elif problem is None and self.check_sources:
            if unset:
                problem = _unset(unset[0])
            elif not _is_file(path):
                problem = (
                    f"file {path} does not exist; correct the path, which is relative to the folder of this YAML file"
                )
            elif not os.access(path, os.R_OK):
                problem = f"{path} cannot be read; change its permissions"
        if problem is None:
            return path
        self._report(node, ("source",), problem)
        return None

    def _report(self, node: Node, keys: Keys, text: str) -> None:
        self.problems.append(Problem(node.file, node.line, keys, text))


def _expand(node: Node) -> tuple[Path, list[str], str | None]:
    """The absolute path that a value names, the environment variables in it that are not set, and what is wrong."""
    text = str(node.value)
    unset = [name for name in dict.fromkeys(_VARIABLE.findall(text)) if not os.environ.get(name)]
    expanded = _VARIABLE.sub(lambda match: os.environ.get(match[1]) or match[0], text)
    path = Path(os.path.abspath(_beside(node.file, expanded)))
    if "${" in _VARIABLE.sub("", text):
        return path, unset, f"{shown(text)} holds a ${{ that begins no variable; write ${{NAME}}"
    return path, unset, None


def _unset(variable: str) -> str:
    return (
        f"the environment variable {variable} is not set; set it before the command,"
        f" for example: export {variable}=/path/to/its/folder"
    )


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


def _torn_films(cuts: Iterable[tuple[LoadedCut, Node]]) -> Iterator[Problem]:
    """A film whose split is found keeps its cuts together: all of them leave it to be found, under one name."""
    first: dict[Path, tuple[LoadedCut, bool]] = {}
    for cut, root in cuts:
        entries = root.value if isinstance(root.value, dict) else {}
        node = entries.get("split")
        is_found = node is not None and node.value == "auto"
        film = Path(os.path.realpath(cut.config.source))
        other, other_is_found = first.setdefault(film, (cut, is_found))
        if is_found != other_is_found:
            line = node.line if node is not None and node.file == cut.path else 1
            ways = ["is auto", "is not auto"] if is_found else ["is not auto", "is auto"]
            what = f"{ways[0]}, but {ways[1]} in {other.path}, a cut of the same film; set both alike"
            yield Problem(cut.path, line, ("split",), what)
        elif is_found and cut.config.film_name != other.config.film_name:
            node = entries.get("film")
            line = node.line if node is not None and node.file == cut.path else 1
            names = f"{shown(cut.config.film_name)}, but {shown(other.config.film_name)} in {other.path}"
            what = f"is {names}, a cut of the same .blend file; set both alike, or their splits may differ"
            yield Problem(cut.path, line, ("film",), what)


def _in_reading_order(problems: list[Problem], files: list[Path]) -> list[str]:
    """Each problem once: the cuts in their order, then files that they inherit, each from top to bottom."""
    order = {file: index for index, file in enumerate(dict.fromkeys([*files, *(p.file for p in problems)]))}
    unique = sorted(dict.fromkeys(problems), key=lambda problem: (order[problem.file], problem.line))
    return [str(problem) for problem in unique]
