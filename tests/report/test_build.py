from __future__ import annotations

import base64
import hashlib
import json
import os
import re
from html import unescape
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from jinja2 import UndefinedError

from animerun_gen.cli import main
from animerun_gen.dataset import layout, write_json
from animerun_gen.errors import DatasetError
from animerun_gen.report.build import build_report
from animerun_gen.report.html import asset, page, templates
from animerun_gen.report.layers import Detail
from tests.report.clips import OBJECTS, exposures_of, failing, quality_of, write_clip, write_drawing, write_quality

NAUGHTY = "</script><script>alert(1)</script><!--"


def data_of(page: Path) -> Any:
    """What the script of a page reads."""
    text = page.read_text(encoding="utf-8")
    [data] = re.findall(r'<script type="application/json" id="data">(.*?)</script>', text, re.S)
    return json.loads(data)


def remarks_of(page: Path) -> list[tuple[str, str]]:
    """The remarks of a page: what kind each is of, and its text."""
    found = re.findall(r'<li class="(missing|problem|note)">(.*?)</li>', page.read_text(encoding="utf-8"), re.S)
    return [(kind, unescape(text)) for kind, text in found]


def test_pages_and_index(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_clip(tmp_path, "fight")
    write_quality(tmp_path, quality_of())
    write_clip(tmp_path, "walk")
    assert main(["report", str(tmp_path)]) == 0
    output, progress = capsys.readouterr()
    index = tmp_path / "report" / "index.html"
    assert output.splitlines()[-1] == f"open {index} in a browser"
    assert "drawing: 100%" in progress
    rows = data_of(index)["rows"]
    assert [(row["cut"], row["link"], row["verdict"], row["frames"]) for row in rows] == [
        ("fight", "train/fight.html", "pass", 3),
        ("walk", "train/walk.html", "unknown", 3),
    ]
    for row in rows:
        page = data_of(index.parent / row["link"])
        assert f'<h1 id="title">{row["cut"]}</h1>' in (index.parent / row["link"]).read_text()
        assert page["frames"] == [8, 10, 12]


def test_pages_are_the_same_however_they_are_made(tmp_path: Path) -> None:
    write_drawing(write_clip(tmp_path / "data"))
    write_quality(tmp_path / "data", {**quality_of(), "exposures": exposures_of({"front": [8, 8, 12]})})
    one = build_report(tmp_path / "data", tmp_path / "one")
    # the folder's name is the title; where it lies is nobody's business
    (tmp_path / "elsewhere").mkdir()
    moved = (tmp_path / "data").rename(tmp_path / "elsewhere" / "data")
    two = build_report(moved, tmp_path / "two", workers=2)
    for path in (*one.pages, one.index):
        assert path.read_bytes() == (tmp_path / "two" / path.relative_to(tmp_path / "one")).read_bytes()
    assert len(two.pages) == 1
    assert list((tmp_path / "two").rglob(".*")) == []


def test_one_cut_alone_leaves_the_others_in_the_index(tmp_path: Path) -> None:
    write_clip(tmp_path, "fight")
    write_clip(tmp_path, "walk")
    report = build_report(tmp_path, cuts=["walk"])
    assert [page.name for page in report.pages] == ["walk.html"]
    assert [(row["cut"], row["link"]) for row in data_of(report.index)["rows"]] == [
        ("fight", None),
        ("walk", "train/walk.html"),
    ]
    with pytest.raises(DatasetError, match="no cut 'run'; the cuts there are: fight, walk"):
        build_report(tmp_path, cuts=["run"])


def test_a_cut_that_cannot_be_shown_does_not_keep_others_from_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_clip(tmp_path, "fight")
    (tmp_path / "train" / "Frame_Anime" / "empty" / "original").mkdir(parents=True)
    assert main(["report", str(tmp_path)]) == 1
    assert "cut 'empty': train/Frame_Anime/empty/original contains no frames" in capsys.readouterr().err
    empty, fight = data_of(tmp_path / "report" / "index.html")["rows"]
    assert (empty["link"], empty["verdict"], fight["link"]) == (None, "incomplete", "train/fight.html")
    assert "contains no frames" in empty["problem"]


def test_damage_is_on_the_page_and_in_the_terminal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    clip = write_clip(tmp_path)
    clip.path("flow_forward", 8).write_bytes(b"")
    assert main(["report", str(tmp_path)]) == 0
    sentence = "train/Flow/fight/forward/0008.flo is not a .flo file"
    assert f"cut 'fight': {sentence}" in capsys.readouterr().err
    page = tmp_path / "report" / "train" / "fight.html"
    assert '<span id="badge" class="badge incomplete">INCOMPLETE</span>' in page.read_text()
    assert [kind for kind, text in remarks_of(page) if text.startswith(sentence)] == ["problem"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["report", "nowhere"], "nowhere is not a dataset"),
        (["report", "."], "has no cuts to report on"),
        (["report", ".", "--max-size", "0"], "must be a size in megabytes of 1 or more, not '0'"),
        (["report", ".", "--max-size", "nan"], "must be a size in megabytes of 1 or more, not 'nan'"),
    ],
)
def test_mistakes_are_told(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    said: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "train").mkdir()
    try:
        status: object = main(arguments)
    except SystemExit as end:
        status = end.code
    assert status == 2
    assert said in capsys.readouterr().err
    assert not (tmp_path / "report").exists()


@pytest.mark.parametrize(
    ("budget", "frames", "drawing", "reduced"),
    [
        (1.0, 12, False, "All pictures are shown at"),
        (0.35, 12, False, "All pictures are shown at"),
        (0.2, 24, False, "frames ("),
        (0.7, 12, True, "All pictures are shown at"),
    ],
)
def test_no_page_grows_beyond_its_size(tmp_path: Path, budget: float, frames: int, drawing: bool, reduced: str) -> None:
    # noise in every layer; nothing real is as large
    clip = write_clip(tmp_path, frames=range(frames), size=(160, 90), noise=True)
    if drawing:
        write_drawing(clip, range(frames), (160, 90), noise=True)
    [page] = build_report(tmp_path, max_size=budget).pages
    assert page.stat().st_size <= budget * 1e6
    # nor is anything left out without need
    assert page.stat().st_size > 0.25 * budget * 1e6
    assert any(reduced in note and f"{budget:g} MB" in note for _, note in remarks_of(page))


def test_a_page_that_is_small_enough_shows_everything_as_it_is(tmp_path: Path) -> None:
    write_clip(tmp_path)
    [page] = build_report(tmp_path).pages
    assert data_of(page)["size"] == [64, 40]
    assert not any("MB" in remark for _, remark in remarks_of(page))


def test_a_held_drawing_is_kept_once(tmp_path: Path) -> None:
    clip = write_clip(tmp_path)
    for name in ("frame", "flat", "contour", "segment"):
        clip.path(name, 10).write_bytes(clip.path(name, 8).read_bytes())
    shown = data_of(build_report(tmp_path).pages[0])["shown"]
    for name in ("flat", "contour", "segments"):
        assert shown["0"]["pictures"][name] == shown["1"]["pictures"][name] != shown["2"]["pictures"][name]


def test_nothing_on_a_page_can_run_but_its_own_script(tmp_path: Path) -> None:
    write_clip(tmp_path, NAUGHTY.replace("/", "\u2215"))
    clip = write_clip(tmp_path, "fight")
    clip.write_names("material_id", {"0": NAUGHTY})
    write_quality(tmp_path, failing(quality_of(), 0, "forward", NAUGHTY))
    report = build_report(tmp_path)
    for path in (*report.pages, report.index):
        text = path.read_text(encoding="utf-8")
        assert "alert(1)</script>" not in text
        assert "<!--" not in text
        programs = re.findall(r"<script>(.*?)</script>", text, re.S)
        assert len(programs) == 1
        digest = base64.b64encode(hashlib.sha256(programs[0].encode()).digest()).decode()
        assert f"script-src 'sha256-{digest}'" in text
        assert "default-src 'none'" in text
    page = tmp_path / "report" / "train" / "fight.html"
    [message] = re.findall(r"<li><button .*?>(.*?)</button></li>", page.read_text(encoding="utf-8"))
    assert unescape(message) == NAUGHTY
    assert data_of(page)["materials"]["0"] == NAUGHTY


def test_a_page_has_no_word_of_layers_that_there_are_not(tmp_path: Path) -> None:
    write_clip(tmp_path, "fight")
    write_drawing(write_clip(tmp_path, "cels"))
    write_quality(tmp_path, {**quality_of(cut="cels"), "exposures": exposures_of({NAUGHTY: [8, 8, 12]})})
    build_report(tmp_path)
    cels, fight = (tmp_path / "report" / "train" / f"{name}.html" for name in ("cels", "fight"))
    assert data_of(cels)["layers"] == ["front", "set"]
    assert data_of(cels)["objects"] == {str(number): name for number, name in OBJECTS.items()}
    assert data_of(fight)["layers"] == []
    for word in ('id="cel"', 'id="object"', 'id="covered"', "Exposure sheet"):
        assert word in cels.read_text()
        assert word not in fight.read_text().partition("<script")[0]
    # a layer's name is text as all others are
    assert "alert(1)</script>" not in cels.read_text()


def test_the_scripts_set_text_as_text_and_fetch_nothing() -> None:
    texts = {
        name: asset(name) for name in ("common.js", "cut.js", "drawing.js", "evaluation.js", "index.js", "report.css")
    }
    folder = Path(str(files("animerun_gen.report"))) / "templates"
    texts |= {file.name: file.read_text() for file in folder.iterdir()}
    assert len(texts) == 14
    # every page carries them
    assert sum(len(text.encode()) for text in texts.values()) < 100_000
    for name, text in texts.items():
        for word in (
            "innerHTML",
            "outerHTML",
            "insertAdjacentHTML",
            "document.write",
            "eval(",
            "fetch(",
            "http:",
            "https:",
        ):
            assert word not in text.replace("http://www.w3.org/2000/svg", ""), f"{word} in {name}"
        assert "url(" not in text


def test_what_is_filled_in_is_escaped_once_and_nothing_may_be_left_out() -> None:
    template = templates().from_string("<p title='{{ text }}'>{{ text }}</p>")
    assert template.render(text="<{{ text }}>'") == "<p title='&lt;{{ text }}&gt;&#39;'>&lt;{{ text }}&gt;&#39;</p>"
    with pytest.raises(UndefinedError):
        template.render()


def test_json_in_a_script_ends_no_script() -> None:
    data = {"a": "</script>\u2028<!--'\u00e9"}
    text = page("page.html", "index.js", title="x", data=data)
    [written] = re.findall(r'<script type="application/json" id="data">(.*?)</script>', text, re.S)
    assert "<" not in written
    assert "\u00e9" in written
    assert json.loads(written) == data


def test_details_have_whole_pixels() -> None:
    assert Detail(0.5, 60).size((961, 540)) == (480, 270)
    assert Detail(0.125, 60).size((3, 2)) == (1, 1)


def test_help(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="0"):
        main(["report", "--help"])
    text = " ".join(capsys.readouterr().out.split())
    for word in (
        "DATASET",
        "--out FOLDER",
        "--cut NAME",
        "--workers N",
        "--max-size MB",
        "--title TEXT",
        "animerun-gen report out/toy",
    ):
        assert word in text


def test_a_page_of_a_cut_that_has_not_changed_is_left_as_it_is(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fight, walk = write_clip(tmp_path, "fight"), write_clip(tmp_path, "walk")
    first = build_report(tmp_path)
    pages = {page: (page.read_bytes(), page.stat().st_mtime_ns) for page in first.pages}
    again = build_report(tmp_path)
    assert (again.pages, again.unchanged) == ([], first.pages)
    assert {page: (page.read_bytes(), page.stat().st_mtime_ns) for page in again.unchanged} == pages

    # a file that is not what it was, a file that is gone, and figures that are there at last
    fight.path("segment", 10).write_bytes(fight.path("segment", 8).read_bytes())
    assert [page.stem for page in build_report(tmp_path).pages] == ["fight"]
    walk.path("line_area", 8).unlink()
    assert [page.stem for page in build_report(tmp_path).pages] == ["walk"]
    write_quality(tmp_path, quality_of())
    assert [page.stem for page in build_report(tmp_path).pages] == ["fight"]
    assert data_of(first.index)["rows"][0]["verdict"] == "pass"

    # another size, a page that was cut short, and one that is gone
    assert len(build_report(tmp_path, max_size=10.0).pages) == 2
    first.pages[0].write_bytes(first.pages[0].read_bytes()[:-1])
    first.pages[1].unlink()
    assert build_report(tmp_path, max_size=10.0).pages == first.pages
    capsys.readouterr()
    assert main(["report", str(tmp_path), "--max-size", "10"]) == 0
    assert f"{first.pages[0]}: unchanged" in capsys.readouterr().out


def test_what_cannot_be_drawn_is_said_again_by_a_page_that_is_left(tmp_path: Path) -> None:
    clip = write_clip(tmp_path, "fight")
    clip.path("segment", 10).write_bytes(b"nothing of use")
    first = build_report(tmp_path)
    assert first.sentences
    again = build_report(tmp_path)
    assert (again.pages, again.sentences) == ([], first.sentences)
    assert data_of(again.index)["rows"] == data_of(first.index)["rows"]


def test_a_page_says_whose_film_it_is(tmp_path: Path) -> None:
    write_clip(tmp_path)
    config = {"license": "CC-BY-4.0", "author": "<b>somebody</b>", "source_url": None, "attribution": "By somebody"}
    write_json(layout.manifest_file(tmp_path, "fight"), {"version": 1, "cut": "fight", "config": config})
    [page] = build_report(tmp_path).pages
    text = unescape(re.sub("<[^>]*>", " ", page.read_text(encoding="utf-8")))
    said = " ".join(text.split())
    assert "licence CC-BY-4.0 author <b>somebody</b> attribution By somebody" in said
    assert " from " not in said.partition("attribution")[0]


def test_a_file_whose_name_is_no_text_does_not_stop_a_report(tmp_path: Path) -> None:
    walk = write_clip(tmp_path / "data", "walk")
    # Linux takes any bytes for a name
    (walk.path("segment", 8).parent / os.fsdecode(b"\xff.npy")).write_bytes(b"x")
    report = build_report(tmp_path / "data", tmp_path / "out")
    assert [page.name for page in report.pages] == ["walk.html"]
