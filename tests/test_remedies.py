"""Every error that is meant for the user says what to do, in its own field; what stands in no field is lost to others.

The sources are read, not run: most errors are raised where no test gets.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import animerun_gen

PACKAGE = Path(animerun_gen.__file__).parent

WITHOUT_REMEDY = {
    "blender/here.py: RenderHere.run": "the error that it passes on says what to do",
    "dataset/headers.py": "ends of sentences about a file, to which verify adds what to do",
    "engines/fence.py: Fence.over": "one of a run that has ended is read by nobody; the other says what to do",
    "engines/questions.py: _AskedBlender.reply": "the sentence that Blender told says what to do",
    "pipeline/crew.py: ClusterCrew._look": "what is wrong with a worker says what to do",
    "pipeline/memory_gate.py: MemoryGate.admitted": "of a run that has ended, read by nobody",
    "verify/findings.py": "ends of sentences about a file, to which verify adds what to do",
}
"""Where errors are made without a remedy, a file or a function in it, and why."""

ADVICE = re.compile(
    r"; (add|change|check|choose|copy|correct|delete|download|free|give|install|leave|make|mend|name|put|remove|rename"
    r"|run|save|see|set|start|take|try|use|wait|write) "
)
"""How what to do begins behind what is wrong."""


@dataclass(frozen=True)
class Made:
    """A place where an error is made."""

    file: str
    function: str
    line: int
    call: ast.Call

    @property
    def place(self) -> str:
        """As :data:`WITHOUT_REMEDY` names it."""
        return self.file if self.file in WITHOUT_REMEDY else f"{self.file}: {self.function}"

    @property
    def has_remedy(self) -> bool:
        return len(self.call.args) > 2 or any(keyword.arg == "remedy" for keyword in self.call.keywords)

    @property
    def what(self) -> str:
        """What is wrong, with ``{}`` for what is put into it."""
        whole = self.call.args[0] if self.call.args else None
        parts = whole.values if isinstance(whole, ast.JoinedStr) else [whole]
        return "".join(str(each.value) if isinstance(each, ast.Constant) else "{}" for each in parts)

    @property
    def begins_with_file(self) -> bool:
        """Whether what is wrong begins with the file that it is about, and nothing else says where it is."""
        whole = self.call.args[0] if self.call.args else None
        if len(self.call.args) > 1 or not isinstance(whole, ast.JoinedStr):
            return False
        begins = whole.values[0]
        named = begins.value if isinstance(begins, ast.FormattedValue) else None
        return isinstance(named, ast.Name) and named.id in {"file", "folder", "log", "path", "root"}


@cache
def trees() -> dict[str, ast.Module]:
    """The files that may make errors."""
    texts = {path: path.read_text(encoding="utf-8") for path in sorted(PACKAGE.rglob("*.py"))}
    knowing = {path: text for path, text in texts.items() if "raise " in text or "Error" in text}
    return {path.relative_to(PACKAGE).as_posix(): ast.parse(text) for path, text in knowing.items()}


@cache
def kinds() -> frozenset[str]:
    """The errors that are meant for the user; those that are made of something else than the three fields are none."""
    classes = [node for tree in trees().values() for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]
    found, own_way = {"AnimerunGenError"}, set()
    while True:
        more = {
            each.name
            for each in classes
            if each.name not in found and any(isinstance(base, ast.Name) and base.id in found for base in each.bases)
        }
        if not more:
            break
        found |= more
    for each in classes:
        if each.name in found - {"AnimerunGenError"}:
            own_way |= {
                each.name for item in each.body if isinstance(item, ast.FunctionDef) and item.name == "__init__"
            }
    return frozenset(found - own_way)


@cache
def made() -> tuple[Made, ...]:
    return tuple(each for file, tree in trees().items() for each in made_in(file, tree))


def made_in(file: str, tree: ast.Module) -> Iterator[Made]:
    waiting: list[tuple[ast.AST, tuple[str, ...]]] = [(tree, ())]
    while waiting:
        node, around = waiting.pop()
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            around = (*around, node.name)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in kinds():
            yield Made(file, ".".join(around), node.lineno, node)
        waiting.extend((child, around) for child in ast.iter_child_nodes(node))


def test_the_sources_are_read() -> None:
    assert {"AnimerunGenError", "DatasetError", "UsageError", "SceneError", "RenderFailure", "FarmLost"} <= kinds()
    assert not {"ConfigError", "ChildDied"} & kinds()
    assert len(made()) > 250


def test_every_error_says_what_to_do() -> None:
    lacking = [each for each in made() if not each.has_remedy]
    assert [f"{each.place}, line {each.line}" for each in lacking if each.place not in WITHOUT_REMEDY] == []
    # no exception outlives what it was for
    assert {each.place for each in lacking} == set(WITHOUT_REMEDY)


def test_what_is_wrong_says_neither_where_nor_what_to_do() -> None:
    wrong = [
        each
        for each in made()
        if ADVICE.search(each.what) or each.what.startswith("cut '{}':") or each.begins_with_file
    ]
    assert [f"{each.place}, line {each.line}: {each.what}" for each in wrong] == []
