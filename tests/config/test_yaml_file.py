import time
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from animerun_gen.config.yaml_file import MAX_BYTES, MAX_DEPTH, Node, plain, read_yaml_file


def read(folder: Path, content: str | bytes) -> tuple[Node | None, list[str]]:
    file = folder / "a.yaml"
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    root, problems = read_yaml_file(file)
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
        ("a:\n\tb: 2\n", "a.yaml:2: YAML does not allow tabs here; indent with spaces"),
        ("a: 1\nb: \x01\n", "a.yaml:2: holds the character 0x1, which YAML forbids"),
        (b"a: 1\nb: \xff\n", "a.yaml:2: is not UTF-8 text;"),
        ("a: " + "[" * 2000, f"a.yaml:1: is nested deeper than {MAX_DEPTH} levels;"),
        ("? " * 2000, f"a.yaml:1: is nested deeper than {MAX_DEPTH} levels;"),
        ("#" * (MAX_BYTES + 1), "a.yaml: is larger than 1,000,000 bytes"),
        (
            f"# x\n%YAML 1.{'9' * 5000}\n---\na: 1\n",
            "a.yaml:2: holds a version or the number of a character",
        ),
        ('a: 1\nb: "\\UFFFFFFFF"\n', "a.yaml:2: holds a version or the number of a character"),
        ('a: 1\nb: "\\U00110000"\n', "a.yaml:2: holds a version or the number of a character"),
        ('a: 1\nb: "x\\ud83d"\n', "a.yaml:2: b: holds \\ud83d, which is half of a character;"),
        ('"\\udc00": 1\n', 'a.yaml:1: "?": holds \\udc00, which is half of a character;'),
        (f"a: &{'x' * 5000} 1\n", f"a.yaml:1: a: the anchor &{'x' * 57}... is not supported; remove it"),
        (f"a: *{'x' * 5000}\n", f"a.yaml:1: a: the alias *{'x' * 57}... is not supported;"),
        ("a: [" + "1, " * 19_998 + "1]", "a.yaml: holds more than 20,000 keys and values, so it is not a cut;"),
        ("".join(f"k{n}: 1\n" for n in range(50_000)), "a.yaml: holds more than 20,000 keys and values"),
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


@pytest.mark.parametrize(
    "content",
    [
        "x: [" + ", ".join(f"&a{n} 1" for n in range(100_000)),
        "x: [" + ", ".join(f"*a{n}" for n in range(100_000)),
        "x: [" + ", ".join(f"!a{n} 1" for n in range(100_000)),
        "a: 1\n" * 100_000,
        "x: !" + "a" * 500_000 + "!b 1",
        "x: &" + "a" * 900_000 + " 1",
        '"' + "a" * 900 + '": &x 1',
    ],
    ids=["anchors", "aliases", "tags", "the same key", "a long tag", "a long anchor", "a long key"],
)
def test_however_much_is_wrong_little_is_looked_at_and_said(tmp_path: Path, content: str) -> None:
    begun = time.process_time()
    root, problems = read(tmp_path, content[:MAX_BYTES])
    # a second here
    assert time.process_time() - begun < 10
    assert 1 <= len(problems) <= 20_000
    assert max(map(len, problems)) < 1_100
    assert root is None or len(problems) == 1


def test_as_many_values_as_may_be_are_read(tmp_path: Path) -> None:
    root, problems = read(tmp_path, "a: [" + "1, " * 19_996 + "1]")
    assert (problems, root is None) == ([], False)


def test_the_other_problems_of_a_file_are_still_found(tmp_path: Path) -> None:
    _, problems = read(tmp_path, "a: &x 1\nb: *x\nc: !t 2\nd: 0010\nd: 3\ne: [\n")
    assert [problem.split(":")[1] for problem in problems] == ["1", "2", "3", "4", "5", "7"]


def test_what_cannot_be_opened(tmp_path: Path) -> None:
    assert "does not exist" in str(read_yaml_file(tmp_path / "none.yaml")[1][0])
    assert "not a regular file" in str(read_yaml_file(tmp_path)[1][0])
    assert read_yaml_file(tmp_path / ("x" * 300 + ".yaml"))[1]


def test_on_and_off_are_words_where_they_are_keys(tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    file.write_text("on: 2\noff: on\n")
    node, problems = read_yaml_file(file)
    assert problems == []
    assert node is not None
    assert plain(node) == {"on": 2, "off": True}
