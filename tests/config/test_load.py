from __future__ import annotations

import copy
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from animerun_gen.config import LoadedCut, load_cuts
from animerun_gen.config.model import AutoSplit, CutConfig
from animerun_gen.errors import ConfigError

BASE = "name: fight\nsource: film.blend\nframes: {first: 1, last: 10}\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder with a film scene, in which the test works."""
    (tmp_path / "film.blend").write_bytes(b"BLENDER")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(name: str, text: str) -> Path:
    path = Path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def problems_of(*paths: Path, check_sources: bool = True) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load_cuts(paths, check_sources=check_sources)
    assert caught.value.exit_status == 2
    return caught.value.problems


def cut(text: str) -> CutConfig:
    (loaded,) = load_cuts([write("a.yaml", text)])
    return loaded.config


def test_a_minimal_cut(folder: Path) -> None:
    path = write("a.yaml", BASE)
    (loaded,) = load_cuts([path])
    assert loaded == LoadedCut(
        CutConfig.model_validate(
            {"name": "fight", "source": folder / "film.blend", "frames": {"first": 1, "last": 10}}
        ),
        path,
    )
    assert loaded.config.source.is_absolute()


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("nmae: x", "a.yaml:4: nmae: is not a known key; did you mean name?"),
        ("Split: test", "a.yaml:4: Split: is not a known key; did you mean split?"),
        (
            "quality: {zzz: 1}",
            "a.yaml:4: quality.zzz: is not a known key; the keys known here are max_warp_error",
        ),
        ("lines:\n  thicknes: 2", "a.yaml:5: lines.thicknes: is not a known key; did you mean thickness?"),
        (
            "lines: {inherit: x}",
            "a.yaml:4: lines.inherit: is not a known key; the keys known here are engine, outline",
        ),
        ("split: trian", 'a.yaml:4: split: must be "train", "val", "test" or "auto", but is "trian"'),
        ("split: 3", 'a.yaml:4: split: must be "train", "val", "test" or "auto", but is 3'),
        (
            'resolution: "960"',
            "a.yaml:4: resolution: must be a list [width, height] of two whole numbers, each from 16 to 16384,"
            ' but is "960"',
        ),
        ("resolution: [960]", "a.yaml:4: resolution: must be a list [width, height]"),
        ("resolution: [960, 15]", "a.yaml:4: resolution[1]: must be a whole number from 16 to 16384, but is 15"),
        ("resolution: [960, 540, 3]", "a.yaml:4: resolution: must be a list [width, height]"),
        ("trust_scripts: 'yes'", 'a.yaml:4: trust_scripts: must be true or false, but is "yes"'),
        (
            "frame_rate: 1e1",
            'a.yaml:4: frame_rate: must be a number above 0 and at most 1000, or null, but is "1e1";'
            " write it as a plain decimal number without quotes: 10",
        ),
        ("frame_rate: .nan", "a.yaml:4: frame_rate: must be a number above 0 and at most 1000, or null, but is .nan"),
        ("frame_rate: -1", "a.yaml:4: frame_rate: must be a number above 0"),
        ("scene: yes", 'a.yaml:4: scene: must be a name (text), or null, but is yes; put it in quotes: "yes"'),
        ("scene: 12", 'a.yaml:4: scene: must be a name (text), or null, but is 12; put it in quotes: "12"'),
        ('scene: ""', 'a.yaml:4: scene: must be a name (text), or null, but is ""'),
        ("scene: [a]", 'a.yaml:4: scene: must be a name (text), or null, but is ["a"]'),
        ('author: ""', 'a.yaml:4: author: must be a line of text, or null, but is ""'),
        ('author: "a\\nb"', 'a.yaml:4: author: "a\\nb" must be one line of printable text; take out line breaks'),
        ('license: "  "', 'a.yaml:4: license: "  " must be one line of printable text'),
        (
            "source_url: example.org",
            'a.yaml:4: source_url: "example.org" is not a web address; write it whole, without spaces, as in https://',
        ),
        ('source_url: "https://a b"', 'a.yaml:4: source_url: "https://a b" is not a web address;'),
        ("source_url: javascript:alert(1)", "a.yaml:4: source_url:"),
        ("scene: 2024-01-01", "a.yaml:4: scene: `2024-01-01` is to YAML a date;"),
        (
            "lines:",
            "a.yaml:4: lines: must be a section with keys of its own, but is empty (null); write its keys below it",
        ),
        ("lines: thick", 'a.yaml:4: lines: must be a section with keys of its own, but is "thick"'),
        ("lines: [1]", "a.yaml:4: lines: must be a section with keys of its own, but is [1]"),
        (
            "lines:\n  color: #ff0000",
            'a.yaml:5: lines.color: must be a colour in quotes such as "#20a0ff", but is empty (null);'
            " a # outside quotes begins a comment",
        ),
        (
            "lines:\n  engine: geometry\n  style:\n    rules:\n    - color: #ff0000",
            "a.yaml:8: lines.style.rules[0].color: is empty; a # outside quotes begins a comment, so put the colour in"
            ' quotes: "#ff0000"',
        ),
        (
            "lines: {engine: geometry, style: {rules: [{color: #ff0000}]}}",
            "a.yaml:5: is not valid YAML (expected the node content, but found '<stream end>'); check the indentation,"
            " colons and quotes here and just above; a # outside quotes begins a comment, so put colours in quotes",
        ),
        (
            "lines: {engine: geometry, style: {rules: null}}",
            "a.yaml:4: lines.style.rules: must be a list, each entry a section with keys of its own, but is null; write"
            " its entries below it, each behind a hyphen, or remove it",
        ),
        (
            "lines: {engine: geometry, style: {thickness: 0}}",
            "a.yaml:4: lines.style.thickness: must be a number above 0 and at most 100, or null, but is 0",
        ),
        (
            "lines: {engine: geometry}\nlayers: {groups: {Set: {objects: [a]}}}",
            "a.yaml:5: layers: set is the layer of everything that is in no other; give the group another name",
        ),
        ("lines: {color: 'red'}", 'a.yaml:4: lines.color: "red" is not a colour; write # and six hexadecimal digits'),
        ("lines: {color: 112233}", "a.yaml:4: lines.color: must be a colour in quotes"),
        (
            "lines:\n  edges:\n  - crease\n  - foo",
            'a.yaml:7: lines.edges[1]: must be "silhouette", "crease",',
        ),
        ("lines: {edges: crease}", 'a.yaml:4: lines.edges: must be a list, each entry "silhouette",'),
        ("lines: {edges: [border, border]}", 'a.yaml:4: lines.edges: "border" is listed more than once; remove'),
        (
            "lines: {engine: auto, freestyle: false}",
            "a.yaml:4: lines: engine auto chooses who draws the lines of edges",
        ),
        (
            "lines: {engine: geometry, edges: [crease, ridge_valley]}",
            "a.yaml:4: lines: engine geometry cannot draw ridge_valley; remove that from edges",
        ),
        ("lines: {kinds: true}", "a.yaml:4: lines: kinds is set, but engine is freestyle: Freestyle does not tell"),
        (
            "lines: {engine: auto, style: {antialias: true}}",
            "a.yaml:4: lines: style is set, but engine is auto: Freestyle does not tell",
        ),
        ("lines: {engine: geometry, shade_border: true}", "a.yaml:4: lines: shade_border is set, but kinds is off"),
        (
            "lines: {engine: geometry, kinds: true, shade_border: true}",
            "a.yaml:1: lines.shade_border is set, but style.shade.tones is 1",
        ),
        (
            "lines: {engine: geometry, style: {depth: {near: 9, far: 3}}}",
            "a.yaml:4: lines.style.depth: far is 3, not behind near, 9",
        ),
        ("layers: {passes: true}", "a.yaml:4: layers: passes is set, but write is off, so there are no cels"),
        (
            "lines: {engine: geometry}\nlayers: {write: true, passes: true}",
            "a.yaml:1: layers.passes is set, but recolor.passes is 0, so there are none; set recolor.passes",
        ),
        ("lines: {edges: []}", "a.yaml:4: lines: freestyle is on but edges is empty; list"),
        (
            "lines: {thickness: 0}",
            "a.yaml:4: lines.thickness: must be a number above 0 and at most 100, but is 0",
        ),
        (
            "lines: {crease_angle: 180.5}",
            "a.yaml:4: lines.crease_angle: must be a number above 0 and at most 180, but is 180.5",
        ),
        ("labels: {ball_radius: 2.0}", "a.yaml:4: labels.ball_radius: must be a whole number from 1 to 50, but is 2.0"),
        ("labels: {ball_radius: on}", "a.yaml:4: labels.ball_radius: must be a whole number from 1 to 50, but is on"),
        ("labels: {ball_radius: 010}", "a.yaml:4: labels.ball_radius: `010` is to YAML a number in octal"),
        ("style: {background: 3}", 'a.yaml:4: style.background: must be "auto" or a colour in quotes'),
        ("style: {background: blue}", 'a.yaml:4: style.background: "blue" is not a colour;'),
        ("style: {overrides: [a]}", "a.yaml:4: style.overrides: must be a mapping from material names or patterns"),
        ("style: {overrides: {a: 3}}", "a.yaml:4: style.overrides.a: must be a colour in quotes"),
        (
            "style:\n  overrides:\n    a.b: '#12345'",
            'a.yaml:6: style.overrides."a.b": "#12345" is not a colour;',
        ),
        ('style: {overrides: {"": "#123456"}}', 'a.yaml:4: style.overrides."": is not a name or pattern;'),
        ("remove: {objects: Fog}", "a.yaml:4: remove.objects: must be a list, each entry a name or pattern (text)"),
        ("remove:\n  objects:\n    - 3", "a.yaml:6: remove.objects[0]: must be a name or pattern (text), but is 3;"),
        ("motion: {extras: [depht]}", 'a.yaml:4: motion.extras[0]: must be "depth", "ids", "normals"'),
        ("motion: &m {backend: cycles}", "a.yaml:4: motion: the anchor &m is not supported;"),
        (
            "quality: {max_warp_error: .inf}",
            "a.yaml:4: quality.max_warp_error: must be a number from 0 to 1, but is .inf",
        ),
        ("inherit: 3", "a.yaml:4: inherit: must be the path of a YAML file or a list of them, but is 3"),
        ("inherit: [none.yaml]", 'a.yaml:4: inherit: "none.yaml" is not a file (none.yaml); correct the path'),
        (r'inherit: "x\0.yaml"', r'a.yaml:4: inherit: "x\u0000.yaml" is not a .yaml file;'),
        (r'inherit: "x\ud800.yaml"', r"a.yaml:4: inherit: holds \ud800, which is half of a character;"),
        (f"inherit: [{', '.join(['none.yaml'] * 101)}]", "a.yaml:4: inherit: names 101 files, more than 100;"),
        ("inherit: film.blend", 'a.yaml:4: inherit: "film.blend" is not a .yaml file;'),
        ("inherit: a.yaml", 'a.yaml:4: inherit: "a.yaml" inherits this file in turn; remove one of the two entries'),
    ],
)
def test_one_mistake_is_one_sentence_at_its_line(folder: Path, text: str, problem: str) -> None:
    problems = problems_of(write("a.yaml", BASE + text + "\n"))
    assert len(problems) == 1
    assert problems[0].startswith(problem)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (
            "source: film.blend\nframes: {first: 1, last: 2}",
            "a.yaml:1: name: is missing; add it: a safe folder name",
        ),
        ("name: a\nframes: {first: 1, last: 2}", "a.yaml:1: source: is missing; add it: the path of a .blend file"),
        ("name: a\nsource: film.blend", "a.yaml:1: frames: is missing; add it: a section"),
        (
            "name: a\nsource: film.blend\nframes:\n  first: 1",
            "a.yaml:3: frames.last: is missing; add it: a whole number from -999999 to 999999",
        ),
        (BASE.replace("1,", "10,"), "a.yaml:3: frames: first 10, last 10 and step 1 leave fewer than two frames"),
        (BASE.replace("10}", "3, step: 3}"), "a.yaml:3: frames: first 1, last 3 and step 3 leave fewer than two"),
        (BASE.replace("1,", "9,"), None),
        (BASE.replace("10}", "12000}"), "a.yaml:3: frames: frames 1 to 12000 need file names of different lengths"),
        (
            BASE.replace("1,", "-5,"),
            "a.yaml:3: frames: frames -5 to 10 would have files of negative numbers, which cannot be; set offset to "
            "1000",
        ),
        (BASE.replace("1,", "-5, offset: 1000,"), None),
        (
            BASE.replace("1,", "'1',"),
            'a.yaml:3: frames.first: must be a whole number from -999999 to 999999, but is "1";',
        ),
        (
            BASE.replace("1,", "true,"),
            "a.yaml:3: frames.first: must be a whole number from -999999 to 999999, but is true",
        ),
        (
            BASE.replace("fight", "no"),
            'a.yaml:1: name: must be a safe folder name (text), but is no; put it in quotes: "no"',
        ),
        (BASE.replace("fight", "../x"), 'a.yaml:1: name: "../x" is not a safe folder name; use'),
        (BASE.replace("fight", "aux"), 'a.yaml:1: name: "aux" is a name that Windows reserves for a device; choose'),
        (BASE.replace("fight", "a."), 'a.yaml:1: name: "a." ends with a dot,'),
        (BASE.replace("fight", '"a\\e[31m"'), 'a.yaml:1: name: "a\\u001b[31m" is not a safe folder name;'),
        (BASE.replace("film.", "flim."), "a.yaml:2: source: file /"),
        (BASE.replace("film.blend", "film.png"), 'a.yaml:2: source: "film.png" is not a .blend file;'),
        (BASE.replace("film.blend", '""'), 'a.yaml:2: source: "" is not a .blend file;'),
        (BASE.replace("film.blend", '"a\\0.blend"'), 'a.yaml:2: source: "a\\u0000.blend" is not a .blend file;'),
        (BASE.replace("film.blend", "[a]"), "a.yaml:2: source: must be the path of a .blend file (text), but is"),
        (
            BASE.replace("film", "${NOT_SET_HERE}/film"),
            "a.yaml:2: source: the environment variable NOT_SET_HERE is not set; set it before the command,"
            " for example: export NOT_SET_HERE=/path/to/its/folder",
        ),
        (BASE.replace("film", "${film"), 'a.yaml:2: source: "${film.blend" holds a ${ that begins no variable;'),
    ],
)
def test_mistakes_in_what_every_cut_needs(folder: Path, text: str, problem: str | None) -> None:
    path = write("a.yaml", text + "\n")
    if problem is None:
        assert load_cuts([path])
    else:
        (found,) = problems_of(path)
        assert found.startswith(problem)


def test_all_problems_of_all_files_are_reported_at_once(folder: Path) -> None:
    write("_film.yaml", "inherit: _none.yaml\nlines: {thickness: -1}\nframes: {first: 1}\nsource: flim.blend\n")
    write("cuts/a.yaml", "inherit: ../_film.yaml\nsplit: x\nnmae: a\nlines: {gamma: z}\n")
    write("cuts/b.yaml", "inherit: ../_film.yaml\nname: b\nname: c\nframes: {last: 2}\n")
    write("cuts/c.yaml", "name: [\n")
    places = [problem.split(": ")[:2] for problem in problems_of(Path("cuts"), Path("none.yaml"))]
    assert places == [
        ["cuts/a.yaml:2", "split"],
        ["cuts/a.yaml:3", "nmae"],
        ["cuts/a.yaml:4", "lines.gamma"],
        ["cuts/b.yaml:3", "name"],
        [
            "cuts/c.yaml:2",
            "is not valid YAML (expected the node content, but found '<stream end>'); check the indentation, colons and"
            " quotes here and just above",
        ],
        ["none.yaml", "does not exist; check the path"],
        ["_film.yaml:1", "inherit"],
        ["_film.yaml:2", "lines.thickness"],
        ["_film.yaml:4", "source"],
    ]


def test_inherited_values_and_their_lines(folder: Path) -> None:
    write("shared/_film.yaml", "source: ../film.blend\nlines: {thickness: 2, gamma: 0.5}\nremove: {objects: [a, b]}\n")
    write("shared/_dark.yaml", "lines:\n  thickness: 3\n  color: '#111111'\n")
    config = cut(
        "inherit: [shared/_film.yaml, shared/_dark.yaml]\nname: x\nframes: {first: 1, last: 2}\n"
        "lines: {color: '#222222'}\nremove: {objects: [c]}\n"
    )
    assert config.source == folder / "film.blend"
    assert (config.lines.thickness, config.lines.gamma, config.lines.color) == (3, 0.5, "#222222")
    assert config.remove.objects == ("c",)
    write("shared/_dark.yaml", "lines:\n  thickness: 0\n  color: '#111111'\n")
    (problem,) = problems_of(Path("a.yaml"))
    assert problem.startswith("shared/_dark.yaml:2: lines.thickness: must be a number above 0")


def test_own_overrides_come_before_inherited_ones(folder: Path) -> None:
    write("_a.yaml", "style: {overrides: {'*': '#000000', Skin: '#000001'}}\n")
    write("_b.yaml", "style: {overrides: {Hair: '#000002'}}\n")
    config = cut(BASE + "inherit: [_a.yaml, _b.yaml]\nstyle: {overrides: {Skin: '#000003', Z: '#000004'}}\n")
    assert list(config.style.overrides.items()) == [
        ("Skin", "#000003"),
        ("Z", "#000004"),
        ("Hair", "#000002"),
        ("*", "#000000"),
    ]


PARTS = st.fixed_dictionaries(
    {},
    optional={
        "split": st.sampled_from(["train", "test"]),
        "camera": st.none() | st.sampled_from(["A", "B"]),
        "lines": st.fixed_dictionaries(
            {}, optional={"thickness": st.integers(1, 9), "gamma": st.integers(1, 9), "outline": st.booleans()}
        ),
        "labels": st.fixed_dictionaries({}, optional={"ball_radius": st.integers(1, 9)}),
        "remove": st.fixed_dictionaries({}, optional={"objects": st.lists(st.sampled_from("abc"), max_size=2)}),
    },
)


def strongest(layers: list[dict[str, Any]], *keys: str) -> Any:
    """The value that the first of the layers gives to a leaf, or an empty tuple."""
    for layer in layers:
        value: Any = layer
        for key in keys:
            value = value.get(key, ()) if isinstance(value, dict) else ()
        if value != ():
            return value
    return ()


@given(PARTS, PARTS, PARTS, PARTS)
@settings(max_examples=50)
def test_inheritance_takes_each_leaf_from_the_strongest_file(
    tmp_path_factory: pytest.TempPathFactory,
    own: dict[str, Any],
    last: dict[str, Any],
    grandparent: dict[str, Any],
    first: dict[str, Any],
) -> None:
    folder = tmp_path_factory.mktemp("inherit")
    base: dict[str, Any] = {"name": "a", "source": "a.blend", "frames": {"first": 1, "last": 2}}
    files = {
        "_first": first,
        "_grandparent": grandparent,
        "_last": {**last, "inherit": "_grandparent.yaml"},
        "a": {**base, **own, "inherit": ["_first.yaml", "_last.yaml"]},
    }
    for name, data in files.items():
        (folder / f"{name}.yaml").write_text(yaml.safe_dump(data))
    (loaded,) = load_cuts([folder], check_sources=False)
    expected = copy.deepcopy(base)
    for keys in (("split",), ("camera",)):
        value = strongest([own, last, grandparent, first], *keys)
        if value != ():
            expected[keys[0]] = value
    for section, key in [
        ("lines", "thickness"),
        ("lines", "gamma"),
        ("lines", "outline"),
        ("labels", "ball_radius"),
        ("remove", "objects"),
    ]:
        value = strongest([own, last, grandparent, first], section, key)
        if value != ():
            expected.setdefault(section, {})[key] = value
    assert loaded.config == CutConfig.model_validate({**expected, "source": folder / "a.blend"})


def test_a_circle_of_inheritance_is_named_once(folder: Path) -> None:
    write("_a.yaml", "inherit: _b.yaml\n")
    write("_b.yaml", "inherit: _a.yaml\n")
    write("x.yaml", BASE + "inherit: _a.yaml\n")
    write("y.yaml", BASE.replace("fight", "y") + "inherit: _b.yaml\n")
    assert problems_of(Path()) == [
        '_b.yaml:1: inherit: "_a.yaml" inherits this file in turn; remove one of the two entries'
    ]


def test_long_chains_end_in_a_sentence_and_wide_ones_are_cheap(folder: Path) -> None:
    for level in range(40):
        write(f"_{level}.yaml", f"inherit: [{', '.join([f'_{level + 1}.yaml'] * 8)}]\n")
    write("_40.yaml", "split: test\n")
    (problem,) = set(problems_of(write("a.yaml", BASE + "inherit: _0.yaml\n")))
    assert "begins a chain of more than 16 inherited files; shorten it" in problem
    # 8 ** 15 readings, were each file not read once
    assert cut(BASE + "inherit: _26.yaml\n").split == "test"


def test_variables_in_the_source(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "films").mkdir()
    (folder / "films" / "two.blend").touch()
    monkeypatch.setenv("FILMS", str(folder / "films"))
    monkeypatch.setenv("FILM_NAME", "two")
    monkeypatch.setenv("EMPTY", "")
    assert cut(BASE.replace("film.blend", "${FILMS}/${FILM_NAME}.blend")).source == folder / "films" / "two.blend"
    (problem,) = problems_of(write("a.yaml", BASE.replace("film.blend", "${EMPTY}/film.blend")))
    assert "EMPTY is not set" in problem


def test_sources_need_not_exist_where_nobody_opens_them(folder: Path) -> None:
    write("a.yaml", BASE.replace("film", "none"))
    write("b.yaml", BASE.replace("fight", "b").replace("film", "${NOT_SET_HERE}/film"))
    first, second = load_cuts([Path()], check_sources=False)
    assert first.config.source == folder / "none.blend"
    assert "${NOT_SET_HERE}" in str(second.config.source)


def test_folders_hold_cuts_and_shared_files(folder: Path) -> None:
    for name in ("b.yaml", "a.yml", "_shared.yaml", ".hidden.yaml", "notes.txt", "deeper/c.yaml"):
        write(f"cuts/{name}", BASE.replace("fight", Path(name).stem).replace("film.blend", str(folder / "film.blend")))
    assert [loaded.path for loaded in load_cuts([Path("cuts")])] == [Path("cuts/a.yml"), Path("cuts/b.yaml")]
    again = load_cuts([Path("cuts/b.yaml"), Path("cuts"), Path("cuts/../cuts/a.yml"), Path("cuts/deeper/c.yaml")])
    assert [loaded.config.name for loaded in again] == ["b", "a", "c"]


@pytest.mark.parametrize(
    ("path", "problem"),
    [
        ("empty", "empty: contains no cut; give a folder"),
        ("none", "none: does not exist; check the path"),
        ("none.yaml", "none.yaml: does not exist; check the path"),
        ("film.blend", "film.blend: is not a .yaml file; give the YAML file"),
    ],
)
def test_paths_that_are_no_cuts(folder: Path, path: str, problem: str) -> None:
    (folder / "empty").mkdir()
    (found,) = problems_of(Path(path))
    assert found.startswith(problem)


def test_no_path_at_all(folder: Path) -> None:
    assert len(problems_of()) == 1


def test_two_cuts_of_one_name(folder: Path) -> None:
    write("a.yaml", BASE)
    write("b.yaml", BASE.replace("name", "split: test\nname"))
    write("c.yaml", BASE.replace("fight", "Fight").replace("frames", "frame"))
    problems = problems_of(Path())
    assert problems[0].startswith('b.yaml:2: name: "fight" is also the name of the cut in a.yaml; give one')
    # The files of one would replace those of the other on file systems that ignore case; found beside other mistakes.
    assert 'c.yaml:1: name: "Fight" is also the name of the cut in a.yaml; give one of them another name' in problems


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_pipe_is_not_waited_for(folder: Path) -> None:
    os.mkfifo("a.yaml")
    assert problems_of(Path("a.yaml")) == ["a.yaml: is not a regular file; give a YAML file"]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
@pytest.mark.parametrize(
    ("key", "said"),
    [
        ("inherit: pipe.yaml", '"pipe.yaml" is not a file'),
        ("recolor: {passes: 1, palette: pipe.yaml}", "file /"),
        ("source: pipe.blend", "file /"),
    ],
)
def test_nothing_that_a_cut_names_is_waited_for(folder: Path, key: str, said: str) -> None:
    os.mkfifo("pipe.yaml")
    os.mkfifo("pipe.blend")
    name = key.partition(":")[0]
    write("a.yaml", "\n".join(line for line in BASE.splitlines() if not line.startswith(name)) + f"\n{key}\n")
    (problem,) = problems_of(Path("a.yaml"))
    assert said in problem


def test_a_symbolic_link_to_nowhere(folder: Path) -> None:
    Path("a.yaml").symlink_to("none.yaml")
    (problem,) = problems_of(Path("a.yaml"))
    assert problem.startswith("a.yaml: does not exist")


WORDS = st.sampled_from(
    [
        "name",
        "source",
        "frames",
        "first",
        "last",
        "lines",
        "edges",
        "style",
        "overrides",
        "inherit",
        "remove",
        "objects",
    ]
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.dates() | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS | st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)
JARGON = ("Input should", "pydantic", "validation", "value_error", "_type", "NoneType", "object at 0x", "__")


@given(st.dictionaries(st.sampled_from([*CutConfig.model_fields, "inherit"]), VALUES, max_size=6))
@settings(max_examples=250)
def test_any_data_ends_in_a_cut_or_in_sentences(tmp_path_factory: pytest.TempPathFactory, data: dict[str, Any]) -> None:
    path = tmp_path_factory.mktemp("fuzz") / "a.yaml"
    path.write_text(yaml.safe_dump(data, allow_unicode=True), encoding="utf-8", errors="replace")
    problems: list[str] = []
    try:
        load_cuts([path], check_sources=False)
    except ConfigError as error:
        problems = error.problems
    for problem in problems:
        assert problem.startswith(f"{path}:")
        assert ": must be , " not in problem
        assert not any(word in problem for word in JARGON)


@given(
    st.lists(
        st.sampled_from([*CutConfig.model_fields]).flatmap(
            lambda section: st.tuples(
                st.just(section),
                st.sampled_from([*getattr(CutConfig.model_fields[section].annotation, "model_fields", {"x": None})]),
                VALUES,
            )
        ),
        min_size=1,
        max_size=4,
    )
)
@settings(max_examples=250)
def test_any_value_in_any_section_ends_in_a_cut_or_in_sentences(
    tmp_path_factory: pytest.TempPathFactory, entries: list[tuple[str, str, Any]]
) -> None:
    data: dict[str, Any] = {}
    for section, key, value in entries:
        data.setdefault(section, {})[key] = value
    test_any_data_ends_in_a_cut_or_in_sentences.hypothesis.inner_test(tmp_path_factory, data)  # type: ignore[attr-defined]


def test_reading_a_configuration_needs_no_heavy_package() -> None:
    heavy = {"numpy", "cv2", "numba", "skimage", "bpy"}
    code = f"import sys, animerun_gen.config; sys.exit(bool({heavy!r} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


AUTO = "name: {name}\nsource: {film}.blend\nframes: {{first: 1, last: 10}}\nsplit: auto\n{more}"


def write_auto(name: str, film: str = "film", more: str = "") -> Path:
    Path(f"{film}.blend").write_bytes(b"BLENDER")
    return write(f"{name}.yaml", AUTO.format(name=name, film=film, more=more))


def test_all_cuts_of_a_film_are_in_one_split_and_none_moves_when_others_come(folder: Path) -> None:
    paths = [write_auto(f"{film}-{cut}", film) for film in map("film{}".format, range(40)) for cut in range(2)]
    together = {cut.config.name: cut.config.split for cut in load_cuts(paths)}
    assert set(together.values()) == {"train", "val", "test"}
    for path in paths[::7]:
        [alone] = load_cuts([path])
        assert alone.config.split == together[alone.config.name]
    for name, split in together.items():
        assert split == together[name[:-1] + "0"]
    # by name, wherever the film lies
    elsewhere = load_cuts([write_auto("a", "deep", "film: film0.blend\n")])[0].config
    assert elsewhere.split == together["film0-0"]


def test_shares_and_seed_decide_the_splits(folder: Path) -> None:
    assert load_cuts([write_auto("a", more="auto_split: {train: 0, val: 0, test: 1}\n")])[0].config.split == "test"
    films = [f"film{number}" for number in range(300)]
    dealt = [[AutoSplit(seed=seed).of(film) for film in films] for seed in (0, 1)]
    assert dealt[0] != dealt[1]
    for deal in dealt:
        # eight standard deviations
        assert abs(deal.count("train") - 240) < 8 * (300 * 0.8 * 0.2) ** 0.5
        assert abs(deal.count("val") - 30) < 8 * (300 * 0.1 * 0.9) ** 0.5
    # more for train takes nothing else away from it
    more = [AutoSplit(train=0.9, val=0.05, test=0.05).of(film) for film in films]
    assert all(now == "train" for now, before in zip(more, dealt[0], strict=True) if before == "train")


def test_a_resolved_split_stays_what_it_is(folder: Path) -> None:
    [cut] = load_cuts([write_auto("a")])
    again = CutConfig.model_validate(cut.config.model_dump())
    assert again == cut.config
    assert again.split == cut.config.split != "auto"


def test_films_that_would_be_torn_apart_are_sentences(folder: Path) -> None:
    paths = [write_auto("a"), write("b.yaml", BASE.replace("fight", "b"))]
    assert problems_of(*paths) == [
        "b.yaml:1: split: is not auto, but is auto in a.yaml, a cut of the same film; set both alike"
    ]
    paths = [write_auto("a"), write_auto("c", more="film: other\n")]
    [problem] = problems_of(*paths)
    assert problem.startswith('c.yaml:5: film: is "other", but "film.blend" in a.yaml, a cut of the same .blend file;')
    [problem] = problems_of(write_auto("d", more="auto_split: {train: 0.5}\n"))
    assert problem.startswith("d.yaml:5: auto_split: the shares train, val and test add up to 0.7; make that 1")


TIMED = "lines: {engine: auto}\nlayers: {groups: {hero: {objects: [walker]}}}\n"
SHEET = "frame,hero\n" + "".join(f"{frame},\n" for frame in range(1, 11))


def test_an_exposure_sheet_lies_beside_the_file_that_names_it(folder: Path) -> None:
    write("shared/sheet.csv", SHEET)
    write("shared/_timed.yaml", f"{TIMED}timing: {{sheet: sheet.csv, layers: {{hero: {{on: 2, hold: screen}}}}}}\n")
    config = load_cuts([write("a.yaml", f"inherit: shared/_timed.yaml\n{BASE}")])[0].config
    assert config.timing.sheet == folder / "shared" / "sheet.csv"
    assert config.timing.layers["hero"].hold == "screen"


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("timing: {sheet: none.csv}", "timing.sheet: file"),
        ("timing: {sheet: film.blend}", 'timing.sheet: "film.blend" is neither a .csv nor a .json file'),
        ("timing: {sheet: short.csv}", "short.csv has no row for frames 2-10 of the clip"),
        ("timing: {layers: {hero: {on: 0}}}", "timing.layers.hero.on: must be a whole number from 1 to 24, but is 0"),
        ("timing: {layers: {hero: {on: 2, phase: 2}}}", "timing.layers.hero: phase 2 is not less than on 2"),
        ("timing: {layers: {hero: {frames: [1]}}}", "timing.layers.hero.frames has 1 frames, but the clip 10"),
        (
            "timing: {layers: {villain: {on: 2}}}",
            'timing.layers names "villain", which is no layer; the layers are set',
        ),
        ("timing: {layers: {set: {on: 2}}}\nmotion: {backend: cycles}", "timing holds layers, of which Cycles'"),
        ("timing: {layers: {set: {on: 2}}}\nlines: {engine: freestyle}", "across which Freestyle cannot draw"),
    ],
)
def test_timing_that_cannot_be(folder: Path, text: str, complaint: str) -> None:
    write("short.csv", "frame,hero\n1,1\n")
    own = text if "lines:" in text else f"{text}\nlines: {{engine: auto}}"
    path = write("a.yaml", f"{BASE}layers: {{groups: {{hero: {{objects: [walker]}}}}}}\n{own}\n")
    problems = problems_of(path)
    assert len(problems) == 1
    assert problems[0].startswith("a.yaml:")
    assert complaint in problems[0]
