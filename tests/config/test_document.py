from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from animerun_gen.config.document import MAX_BYTES, MAX_DEPTH, Node, plain, read_document


def read(folder: Path, content: str | bytes) -> tuple[Node | None, list[str]]:
    file = folder / "a.yaml"
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    root, problems = read_document(file)
    return root, [str(problem).removeprefix(f"{folder}/") for problem in problems]


def test_values_remember_their_lines(tmp_path: Path) -> None:
    root, problems = read(tmp_path, "name: a\n\nframes:\n  # note\n  first: 1\n  last:\n    10\nlist:\n- x\n- y\n")
    assert problems == []
    assert root is not None
    assert isinstance(root.value, dict)
    frames, entries = root.value["frames"], root.value["list"]
    assert isinstance(frames.value, dict)
    assert isinstance(entries.value, list)
    assert (root.value["name"].line, frames.line, entries.line) == (1, 3, 8)
    assert (frames.value["first"].line, frames.value["last"].line, entries.value[1].line) == (5, 7, 10)


SCALARS = st.none() | st.booleans() | st.integers(-(10**9), 10**9) | st.floats(allow_nan=False) | st.text()
TREES = st.dictionaries(
    st.text(min_size=1),
    st.recursive(
        SCALARS,
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(min_size=1), inner, max_size=4),
        max_leaves=10,
    ),
    min_size=1,
    max_size=4,
)


@given(TREES, st.booleans())
@settings(max_examples=80)
def test_plain_data_reads_as_with_the_yaml_library(
    tmp_path_factory: pytest.TempPathFactory, data: dict[str, Any], flow: bool
) -> None:
    content = yaml.safe_dump(data, allow_unicode=True, default_flow_style=flow)
    root, problems = read(tmp_path_factory.mktemp("yaml"), content)
    assert problems == []
    assert root is not None
    assert plain(root) == yaml.safe_load(content)


@given(st.binary(max_size=60) | st.text("-:[]{}#&*!|>'\"%@` \n\ta1?,.~=<", max_size=40).map(str.encode))
@settings(max_examples=300)
def test_any_bytes_end_in_values_or_problems(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    root, problems = read(tmp_path_factory.mktemp("bytes"), content)
    assert root is not None or problems
    assert all("\n" not in problem for problem in problems)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("", "a.yaml:1: is empty;"),
        ("# only a comment\n", "a.yaml:1: is empty;"),
        ("---\n...\n", 'a.yaml:2: must hold keys and values such as "name: my_cut" and not just nothing;'),
        ("- a\n- b\n", "a.yaml:1: must hold keys and values"),
        ("dungeon", 'a.yaml:1: must hold keys and values such as "name: my_cut" and not just the text "dungeon";'),
        ("a: 1\n---\nb: 2\n", "a.yaml:2: a second YAML document begins here;"),
        ("a: 1\nb: 2\na: 3\n", "a.yaml:3: a: stands here and in line 1; remove one"),
        ("a:\n  b: 1\n  b: 1\n", "a.yaml:3: a.b: stands here and in line 2; remove one"),
        ("a: &x 1\n", "a.yaml:1: a: the anchor &x is not supported; remove it"),
        ("a: 1\nb: *x\n", "a.yaml:2: b: the alias *x is not supported;"),
        ("a: !!python/name:os.system 1\n", "a.yaml:1: a: the tag"),
        ("a: !mine {b: 1}\n", 'a.yaml:1: a: the tag "!mine" is not supported'),
        ("a: !!binary aGk=\n", "a.yaml:1: a: the tag"),
        ("a: !!set {b}\n", "a.yaml:1: a: the tag"),
        ("a: !!int x\n", 'a.yaml:1: a: "x" is not what its tag says'),
        ("a: 0010\n", "a.yaml:1: a: `0010` is to YAML a number in octal"),
        ("a: 0x1F\n", "a.yaml:1: a: `0x1F` is to YAML a number in octal"),
        ("a: 1:30\n", "a.yaml:1: a: `1:30` is to YAML a number in octal"),
        ("a: 1:30.5\n", "a.yaml:1: a: `1:30.5` is to YAML a base-60 number"),
        ("a: 2024-01-01\n", "a.yaml:1: a: `2024-01-01` is to YAML a date;"),
        (f"a: {'9' * 5000}\n", "a.yaml:1: a: `9999"),
        ("a: =\n", "a.yaml:1: a: `=` is to YAML YAML's default key;"),
        ("b:\n  <<: {a: 1}\n", "a.yaml:2: b: YAML's merge key << is not supported; use inherit"),
        ("yes: 1\n", "a.yaml:1: a key must be text, not `yes`; put it in quotes"),
        ("b: {1: 2}\n", "a.yaml:1: b: a key must be text, not `1`; put it in quotes"),
        ("? [a]\n: 1\n", "a.yaml:1: a key must be text, not a list;"),
        ("a: [1, 2\nb: 3\n", "a.yaml:2: is not valid YAML ("),
        ("a: 1\n b: 2\n", "a.yaml:2: is not valid YAML (mapping values are not allowed here);"),
        ("a:\n\tb: 2\n", "a.yaml:2: YAML does not take tabs here; indent with spaces"),
        ("a: 1\nb: \x01\n", "a.yaml:2: holds the character 0x1, which YAML forbids"),
        (b"a: 1\nb: \xff\n", "a.yaml:2: is not UTF-8 text;"),
        ("a: " + "[" * 2000, f"a.yaml:1: is nested deeper than {MAX_DEPTH} levels;"),
        ("? " * 2000, f"a.yaml:1: is nested deeper than {MAX_DEPTH} levels;"),
        ("#" * (MAX_BYTES + 1), "a.yaml: is larger than 1,000,000 bytes"),
    ],
)
def test_what_is_refused(tmp_path: Path, content: str | bytes, problem: str) -> None:
    _, problems = read(tmp_path, content)
    assert len(problems) == 1
    assert problems[0].startswith(problem)
    assert "; " in problems[0]


@pytest.mark.parametrize(
    ("content", "value"),
    [
        ("a: yes", True),
        ("a: off", False),
        ("a: 'yes'", "yes"),
        ("a: ~", None),
        ("a:", None),
        ("a: 1_000", 1000),
        ("a: +5", 5),
        ("a: .5", 0.5),
        ("a: -.inf", float("-inf")),
        ("a: 1e3", "1e3"),
        ("a: !!str 0010", "0010"),
        ("a: '2024-01-01'", "2024-01-01"),
        ("a: !!seq [1]", [1]),
        ("\ufeffa: 1", 1),
    ],
)
def test_what_scalars_mean(tmp_path: Path, content: str, value: object) -> None:
    root, problems = read(tmp_path, content)
    assert problems == []
    assert root is not None
    assert plain(root) == {"a": value}


def test_the_other_problems_of_a_file_are_still_found(tmp_path: Path) -> None:
    _, problems = read(tmp_path, "a: &x 1\nb: *x\nc: !t 2\nd: 0010\nd: 3\ne: [\n")
    assert [problem.split(":")[1] for problem in problems] == ["1", "2", "3", "4", "5", "7"]


def test_what_cannot_be_opened(tmp_path: Path) -> None:
    assert "does not exist" in str(read_document(tmp_path / "none.yaml")[1][0])
    assert "no regular file" in str(read_document(tmp_path)[1][0])
    assert read_document(tmp_path / ("x" * 300 + ".yaml"))[1]
