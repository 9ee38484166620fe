"""The pages in a real browser: what is on the canvas is held against the files of the dataset."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from animerun_gen.pipeline.state.ledger import MadeFrom, open_ledger
from animerun_gen.quality.colors import flow_to_color, labels_to_color
from animerun_gen.quality.warp import warp_difference
from animerun_gen.report import drawing
from animerun_gen.report.build import build_report
from animerun_gen.report.drawing import KINDS, TONES
from animerun_gen.report.encode import NOTHING_TO_COMPARE, warp_levels, warp_palette
from tests.report.browser import Browser, missing_browser
from tests.report.clips import (
    FAR,
    FRAMES,
    OBJECTS,
    SIZE,
    drawing_files,
    exposures_of,
    failing,
    frame_files,
    layer_motion,
    pair_files,
    quality_of,
    write_clip,
    write_drawing,
    write_quality,
)
from tests.report.clips import (
    LAYERS as CELS,
)

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(bool(missing_browser()), reason=missing_browser() or "there is one"),
]

ODD_NAME = "a b'c&amp;%41#?<i>"
"""Nothing that this project would call a cut, but a folder may be called so."""

MESSAGE = "pair 10-12 backward: bad </script><script>document.title='run'</script>"

LAYERS = {
    "frame": "1",
    "contour": "2",
    "flat": "3",
    "flow": "4",
    "occlusion": "5",
    "exact": "6",
    "difference": "7",
    "segments": "8",
    "matches": "9",
    "warp": "0",
    "warp_flat": "f",
    "valid": "v",
    "materials": "m",
}


LUMINANCE = """
const channels = (color) => color.match(/[\\d.]+/g).map(Number);
const linear = (value) => value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
function luminance(color) {
    const [r, g, b] = channels(color).map((value) => linear(value / 255));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}
"""
"""WCAG's relative luminance of a colour that is not transparent."""

FAINT_TEXTS = """
const faint = [];
const isText = (node) => node.nodeType === 3 && node.textContent.trim();
const isClear = (element) => channels(getComputedStyle(element).backgroundColor)[3] === 0;
for (const element of document.body.querySelectorAll("*:not(script, style, noscript *, .stage *, svg *)")) {
    if (![...element.childNodes].some(isText) || !element.getClientRects().length || element.disabled) continue;
    let behind = element;
    while (behind !== document.body && isClear(behind)) behind = behind.parentElement;
    const colors = [getComputedStyle(element).color, getComputedStyle(behind).backgroundColor];
    const [dark, light] = colors.map(luminance).sort((a, b) => a - b);
    const contrast = (light + 0.05) / (dark + 0.05);
    if (contrast < 4.5) faint.push(`${element.className} ${element.textContent.slice(0, 30)}: ${contrast}`);
}
return faint;
"""
"""Texts whose contrast with what is behind them is below WCAG's 4.5; pictures and what lies on them aside."""


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The pages of four cuts: one without layers, one as it may be downloaded, one in pieces, one with all there is."""
    root = tmp_path_factory.mktemp("data")
    write_clip(root, "fight")
    write_quality(root, failing(quality_of(), 1, "backward", MESSAGE))
    made_from = MadeFrom(
        config={"source": "film.blend", "lines": {"thickness": 1.5}}, engine="Blender 1.2.3", notes=(MESSAGE,)
    )
    open_ledger(root, "fight").keep(made_from=made_from)
    write_clip(root, ODD_NAME, without=["flat", "valid", "exact_occlusion", "material_id"])
    pieces = write_clip(root, "pieces", without=["segment", "match", "occlusion", "exact_occlusion"])
    pieces.path("flow_forward", 8).unlink()
    pieces.path("frame", 12).write_bytes(b"no picture")
    cels = quality_of(cut="cels")
    cels["timing"] = {"front": {"pairs": 0.5, "pixels": 0.4}, "set": {"pairs": 0.0, "pixels": None}}
    cels["exposures"] = exposures_of({"front": [8, 8, 12], "set": [8, 10, 12]})
    write_drawing(write_clip(root, "cels"))
    write_quality(root, cels)
    return build_report(root).index.parent


@pytest.fixture(scope="module")
def window() -> Iterator[Browser]:
    with Browser() as browser:
        yield browser


@pytest.fixture
def browser(window: Browser) -> Iterator[Browser]:
    """A browser that must have had nothing to complain about when the test ends."""
    window.console()
    yield window
    window.release()
    assert window.console() == []


def open_cut(browser: Browser, report: Path, cut: str = "fight", fragment: str = "") -> None:
    browser.open(report / "train" / f"{cut}.html", fragment)
    browser.wait_for("document.body.dataset.drawn", bool)


def wait_drawn(browser: Browser, index: int, layer: str, way: str = "forward", flipped: bool = False) -> None:
    wanted = f"{index}:{layer}:{way}:{str(flipped).lower()}"
    browser.wait_for("document.body.dataset.drawn", lambda drawn: drawn == wanted)


def canvas(browser: Browser, name: str = "right") -> np.ndarray:
    """The pixels of a canvas, ``(H, W, 3)``."""
    data = browser.run(
        """const canvas = document.getElementById(arguments[0]);
        const pixels = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
        let text = "";
        for (const value of pixels) text += String.fromCharCode(value);
        return [canvas.width, canvas.height, btoa(text)];""",
        name,
    )
    width, height, text = data
    pixels = np.frombuffer(base64.b64decode(text), np.uint8).reshape(height, width, 4)
    assert (pixels[..., 3] == 255).all()
    return pixels[..., :3]


def box_of(browser: Browser, selector: str) -> list[float]:
    """Left, top, width and height of an element in the window."""
    script = "const box = document.querySelector(arguments[0]).getBoundingClientRect();"
    return browser.run(f"{script} return [box.x, box.y, box.width, box.height];", selector)


def white(mask: Any) -> np.ndarray:
    return np.repeat(mask[..., None], 3, axis=2).astype(np.uint8) * 255


def expected_matches(frame: int, way: str, other: int) -> tuple[np.ndarray, np.ndarray]:
    """Both pictures of the layer, by the plainest means."""
    matches = pair_files(frame, way, SIZE)["match"]
    source, target = frame_files(frame, SIZE)["segment"], frame_files(other, SIZE)["segment"]
    reaching = {}
    for label in range(target.max() + 1):
        claims = [
            (targets.index(label), -int((source == number).sum()), number)
            for number, targets in enumerate(matches)
            if label in targets
        ]
        reaching[label] = min(claims)[2] if claims else -1
    left = np.array([number if targets != [-1] else -1 for number, targets in enumerate(matches)])
    right = np.array([reaching[label] for label in range(target.max() + 1)])
    return labels_to_color(left[source]), labels_to_color(right[target])


def test_each_layer_shows_what_the_dataset_holds(browser: Browser, report: Path) -> None:
    open_cut(browser, report)
    assert browser.run("return [...document.querySelectorAll('#layers button')].map(one => one.dataset.layer)") == list(
        LAYERS
    )
    browser.press("right")
    files = frame_files(10, SIZE)
    for way, other in (("forward", 12), ("backward", 8)):
        if way == "backward":
            browser.press("d")
        pair = pair_files(10, way, SIZE)
        hidden = pair["occlusion"][..., None]
        rule, exact = pair["occlusion"], pair["exact_occlusion"]
        difference = np.zeros((*rule.shape, 3), np.uint8)
        difference[rule & exact] = 255
        difference[rule & ~exact] = (240, 150, 40)
        difference[~rule & exact] = (70, 150, 255)
        warps = {
            layer: np.where(
                hidden,
                NOTHING_TO_COMPARE,
                warp_palette()[warp_levels(warp_difference(files[name], frame_files(other, SIZE)[name], pair["flow"]))],
            )
            for layer, name in (("warp", "frame"), ("warp_flat", "flat"))
        }
        expected = {
            "frame": files["frame"],
            "contour": np.repeat(files["contour"][..., None], 3, axis=2),
            "flat": files["flat"],
            "occlusion": white(rule),
            "exact": white(exact),
            "difference": difference,
            "segments": labels_to_color(files["segment"]),
            "matches": expected_matches(10, way, other)[1],
            **warps,
            "valid": white(pair["valid"]),
            "materials": labels_to_color(files["material_id"]),
        }
        for layer, key in LAYERS.items():
            browser.press(key)
            wait_drawn(browser, 1, layer, way)
            pixels = canvas(browser)
            if layer == "flow":
                # the one layer that is rounded, but not where motion is unknown
                assert (pixels[~pair["valid"]] == 0).all()
                scale = browser.run("return JSON.parse(document.getElementById('data').textContent).motion_scale")
                colors = flow_to_color(pair["flow"], scale).astype(int)
                assert np.abs(pixels - colors).max() <= 2
            else:
                np.testing.assert_array_equal(pixels, expected[layer], err_msg=f"{layer} {way}")
            if layer == "matches":
                np.testing.assert_array_equal(canvas(browser, "left"), expected_matches(10, way, other)[0])
    # the legend of the flow is drawn as the flow is
    browser.press("4")
    wait_drawn(browser, 1, "flow", "backward")
    browser.wait_for("document.querySelector('.wheel canvas').height", lambda side: side == 160)
    assert "Edge of the wheel" in browser.run("return document.getElementById('legend').textContent")


def choose(browser: Browser, control: str, value: str) -> None:
    """Choose something in a control, as a user does, and wait until it is drawn."""
    browser.run(
        """const control = document.getElementById(arguments[0]);
        delete document.body.dataset.drawn;
        if (control.type === "checkbox") control.checked = arguments[1] === "on";
        else control.value = arguments[1];
        control.dispatchEvent(new Event("change"));""",
        control,
        value,
    )
    browser.wait_for("document.body.dataset.drawn", bool)


def text_of(browser: Browser, name: str) -> str:
    return str(browser.run("return document.getElementById(arguments[0]).textContent", name))


def checkers() -> np.ndarray:
    """What is seen where a cel has nothing."""
    rows, columns = np.mgrid[0 : SIZE[1], 0 : SIZE[0]]
    return np.array([[148] * 3, [186] * 3])[(rows // 8 + columns // 8) % 2]


def test_shade_and_lines_are_shown_by_their_numbers(browser: Browser, report: Path) -> None:
    open_cut(browser, report, "cels", "#frame=10")
    files = drawing_files(10, SIZE)
    tones, kinds = ([colors[number][1] for number in sorted(colors)] for colors in (TONES, KINDS))
    gaps = files["line_gap"]
    contour = frame_files(10, SIZE)["contour"][..., None].astype(float)
    paper = contour + 0.375 * (255 - contour)
    expected = {
        ("h", "shade"): np.array(tones)[files["shade"]],
        ("t", "trace"): files["trace"],
        ("k", "line_kind"): np.array(kinds)[files["line_kind"]],
        ("y", "styled_contour"): files["styled_contour"],
        ("g", "line_gap"): np.where(gaps[..., None] > 0, labels_to_color(gaps.astype(int)), paper),
    }
    for (key, layer), pixels in expected.items():
        browser.press(key)
        wait_drawn(browser, 1, layer)
        assert np.abs(canvas(browser) - pixels).max() <= 0.5, layer
    for layer, table, names in (("shade", files["shade"], TONES), ("line_kind", files["line_kind"], KINDS)):
        browser.press("h" if layer == "shade" else "k")
        wait_drawn(browser, 1, layer)
        legend = text_of(browser, "legend")
        of = table[table > 0].size if layer == "line_kind" else table.size
        for number, (name, _) in names.items():
            if number or layer == "shade":
                assert f"{name}: {100 * (table == number).sum() / of:.1f}%" in legend


def test_strokes_are_where_their_points_are(browser: Browser, report: Path) -> None:
    open_cut(browser, report, "cels", "#frame=10&layer=strokes")
    wait_drawn(browser, 1, "strokes")
    strokes = drawing_files(10, SIZE)["strokes"]
    assert "pale: the 3 that something hides" in text_of(browser, "legend")
    assert browser.run("return document.getElementById('covered').parentElement.hidden") is False
    choose(browser, "covered", "off")
    legend = text_of(browser, "legend")
    assert "hides" not in legend
    assert "outline of a hole: 1" in legend
    assert "border of the shade (no ink): 1" in legend
    pixels = canvas(browser).astype(int).sum(axis=2)
    rows, columns = np.mgrid[0 : SIZE[1], 0 : SIZE[0]]
    centres = np.stack([columns, rows], axis=-1).reshape(-1, 2)
    away = np.full(len(centres), np.inf)
    for number in np.flatnonzero(~strokes.hidden):
        for a, b in pairwise(strokes.polyline(number)):
            along = np.clip((centres - a) @ (b - a) / ((b - a) @ (b - a)), 0, 1)
            away = np.minimum(away, np.hypot(*(a + along[:, None] * (b - a) - centres).T))
    away = away.reshape(pixels.shape)
    # a line of one pixel has ink half a pixel to both sides, at corners somewhat more
    assert (pixels[away < 0.4] < 3 * 255).all()
    assert (pixels[away > 2.0] == 3 * 255).all()
    assert min((away < 0.4).sum(), (away > 2.0).sum()) > 100


def test_each_cel_alone_stands_on_a_checkerboard(browser: Browser, report: Path) -> None:
    open_cut(browser, report, "cels", "#frame=10&layer=cel&cel=front&part=colours")
    wait_drawn(browser, 1, "cel")
    files = drawing_files(10, SIZE)
    for cel in CELS:
        choose(browser, "cel", cel)
        colors = files[f"cel@{cel}"]
        opaque, seen = colors[..., 3:] > 0, files[f"visible@{cel}"][..., None]
        line = files[f"contour@{cel}"][..., None] == 0
        alone = np.where(opaque, colors[..., :3], checkers())
        ids = files[f"object_id@{cel}"].astype(int)
        expected = {
            "colours": alone,
            "inked": np.where(line, 0, alone),
            "hidden": np.where(opaque & seen, alone + 0.75 * (checkers() - alone), alone),
            "lines": np.repeat(files[f"contour@{cel}"][..., None], 3, axis=2),
            "objects": np.where(ids[..., None] > 0, labels_to_color(ids), checkers()),
        }
        for part, pixels in expected.items():
            choose(browser, "part", part)
            assert np.abs(canvas(browser) - pixels).max() <= 0.5, f"{cel} {part}"
        hidden = next(layer for layer in files["amodal"].layers if layer.name == cel)
        assert f"{100 * hidden.visible / hidden.area:.1f}% of them are seen" in text_of(browser, "legend")
    assert "cel=set" in browser.run("return location.hash")
    # the other cel by its key, and its motion
    browser.press(",")
    browser.wait_for("document.getElementById('cel').value", lambda cel: cel == "front")
    browser.press("u")
    wait_drawn(browser, 1, "cel_flow")
    flow = layer_motion(10, "front", "forward", SIZE)["flow"]
    scale = browser.run("return JSON.parse(document.getElementById('data').textContent).motion_scale")
    nothing = files["cel@front"][..., 3:] == 0
    assert np.abs(canvas(browser) - np.where(nothing, checkers(), flow_to_color(flow, scale))).max() <= 2
    assert "flow of the cel front" in text_of(browser, "right-caption")
    # where that is known, and how far away it is
    browser.press("i")
    wait_drawn(browser, 1, "cel_valid")
    valid = layer_motion(10, "front", "forward", SIZE)["valid"]
    shown = np.where(nothing, checkers(), np.where(valid[..., None], 255, 0))
    np.testing.assert_array_equal(canvas(browser), shown)
    assert "its motion is known: 100% of its surfaces" in text_of(browser, "legend")
    browser.press("e")
    wait_drawn(browser, 1, "cel_depth")
    depth = files["depth@front"][..., None]
    there = np.isfinite(depth)
    levels = drawing.depth_levels(files["depth@front"])[0][..., None]
    np.testing.assert_array_equal(canvas(browser), np.where(there, levels, checkers()))
    assert f"nearest: {depth[there].min():.3f}" in text_of(browser, "legend")
    # over two frames
    browser.press("home")
    browser.press("u")
    wait_drawn(browser, 0, "cel_flow")
    choose(browser, "gap", str(FAR))
    first = drawing_files(8, SIZE)["cel@front"][..., 3:] == 0
    flow = layer_motion(8, "front", "forward", SIZE, gap=FAR)["flow"]
    assert np.abs(canvas(browser) - np.where(first, checkers(), flow_to_color(flow, FAR * scale))).max() <= 2
    assert "8 \u2192 12" in text_of(browser, "right-caption")
    assert f"Edge of the wheel: {FAR * scale} px" in text_of(browser, "legend")
    assert "gap=2" in browser.run("return location.hash")
    browser.press("right")
    browser.wait_for(
        "document.getElementById('nothing').textContent", lambda said: "No frame lies 2 frames after" in said
    )


def test_the_cel_that_is_seen_and_whole_masks(browser: Browser, report: Path) -> None:
    open_cut(browser, report, "cels", "#frame=10&layer=cel_map")
    wait_drawn(browser, 1, "cel_map")
    files = drawing_files(10, SIZE)
    shown = np.where(files["visible@front"], 1, 2)
    np.testing.assert_array_equal(canvas(browser), labels_to_color(shown))
    legend = text_of(browser, "legend")
    assert f"front: {100 * (shown == 1).mean():.1f}%" in legend
    assert "From the back to the front: set, front" in legend
    assert "no order of whole cels shows the frame" in legend
    browser.press("a")
    wait_drawn(browser, 1, "amodal")
    pale = frame_files(10, SIZE)["frame"].astype(float)
    for number in OBJECTS:
        choose(browser, "object", str(number))
        mask = files["amodal"].mask(number)
        padded = np.pad(mask, 1, mode="edge")
        around = padded[:-2, 1:-1] & padded[2:, 1:-1] & padded[1:-1, :-2] & padded[1:-1, 2:]
        layer = "set" if number == 900 else "front"
        hidden = mask & ~files[f"visible@{layer}"]
        expected = pale + 0.35 * (255 - pale)
        expected[hidden] += 0.4 * (np.array([255, 0, 150]) - expected[hidden])
        expected[mask & ~around] = (255, 0, 150)
        # rounded twice
        assert np.abs(canvas(browser) - expected).max() <= 1.5, number
        assert f"{OBJECTS[number]}, of the layer {layer}: {mask.sum()} pixels" in text_of(browser, "legend")
    # the house is behind two others, and before none
    pairs = {pair.front: pair.pixels for pair in files["amodal"].object_occlusions}
    for front in (3, 4):
        assert f"{OBJECTS[front]} at {pairs[front]} pixels" in text_of(browser, "legend").partition("Before it: ")[2]
    assert "Behind it" not in text_of(browser, "legend")
    choose(browser, "object", "0")
    assert "whole masks of 3 objects" in text_of(browser, "legend")


def test_the_exposure_sheet_leads_to_its_frames_and_follows(browser: Browser, report: Path) -> None:
    open_cut(browser, report, "cels")
    rows = """return [...document.querySelectorAll("#exposures tbody tr")].map(
        (row) => [...row.cells].map((one) => `${one.className} ${one.textContent}`.trim()));"""
    assert browser.run(rows) == [["8", "new 8", "new 8"], ["10", "held 8", "new 10"], ["12", "new 12", "new 12"]]
    assert "held share of its pixels40%" in browser.run("return document.querySelector('#exposures tfoot').textContent")
    now = "[...document.querySelectorAll('#exposures [aria-current]')].map(row => row.cells[0].textContent)"
    assert browser.run(f"return {now}") == ["8"]
    browser.run("document.querySelectorAll('#exposures button')[2].click()")
    wait_drawn(browser, 2, "frame")
    assert browser.run(f"return {now}") == ["12"]
    # a sheet longer than its box is scrolled so that the row is seen between head and foot
    browser.run("document.querySelector('#sheet .scroll').style.maxHeight = '115px'")
    for key, index in (("home", 0), ("end", 2), ("left", 1)):
        browser.press(key)
        wait_drawn(browser, index, "frame")
        head, row, foot = (
            box_of(browser, f"#exposures {part}") for part in ("thead", "tr[aria-current]", "tfoot tr:first-child th")
        )
        assert head[1] + head[3] - 1 <= row[1]
        assert row[1] + row[3] <= foot[1] + 1


def test_pages_offer_only_what_is_there(browser: Browser, report: Path) -> None:
    open_cut(browser, report)
    # this one has none of it
    for control in ("cel", "part", "object", "covered", "gap", "sheet"):
        assert browser.run("return document.getElementById(arguments[0])", control) is None
    open_cut(browser, report, "cels")
    keys = browser.run("return [...document.querySelectorAll('#layers kbd')].map(one => one.textContent)")
    assert len(keys) == len(set(keys)) == 25
    assert browser.run("return document.getElementById('cel').parentElement.hidden") is True


def test_pointing_tells_what_is_drawn_there(browser: Browser, report: Path) -> None:
    open_cut(browser, report, "cels", "#frame=10&layer=cel&cel=set")
    wait_drawn(browser, 1, "cel")
    box = box_of(browser, "#right")
    files = drawing_files(10, SIZE)
    row, column = np.argwhere(files["visible@front"] & (files["object_id@set"] == 900))[0]
    browser.move(box[0] + (column + 0.5) / SIZE[0] * box[2], box[1] + (row + 0.5) / SIZE[1] * box[3])
    text = browser.wait_for("document.getElementById('readout').textContent", bool)
    assert f"shade: {TONES[int(files['shade'][row, column])][0]}" in text
    assert f"line: {KINDS[int(files['line_kind'][row, column])][0]}" in text
    assert "cel front\nset alone: House" in text


def test_slider_and_keys_go_through_the_clip(browser: Browser, report: Path) -> None:
    open_cut(browser, report)
    for index, frame in enumerate(FRAMES):
        browser.run(
            """const slider = document.getElementById("slider");
            slider.value = arguments[0];
            slider.dispatchEvent(new Event("input"));""",
            index,
        )
        wait_drawn(browser, index, "frame")
        np.testing.assert_array_equal(canvas(browser), frame_files(frame, SIZE)["frame"])
        assert f"frame {frame}" in browser.run("return document.getElementById('frame-number').textContent")
    for key, index in (("left", 1), ("left", 0), ("left", 0), ("end", 2), ("right", 2), ("home", 0), ("right", 1)):
        browser.press(key)
        wait_drawn(browser, index, "frame")
    # the other frame of the pair, as long as the key is held
    browser.hold("b")
    wait_drawn(browser, 1, "frame", flipped=True)
    np.testing.assert_array_equal(canvas(browser), frame_files(12, SIZE)["frame"])
    browser.release()
    wait_drawn(browser, 1, "frame")
    np.testing.assert_array_equal(canvas(browser), frame_files(10, SIZE)["frame"])
    browser.press("space")
    browser.wait_for("document.getElementById('play').textContent", lambda text: text == "Pause")
    browser.wait_for("document.body.dataset.drawn", lambda drawn: drawn.startswith("0:"))
    browser.press("space")
    browser.wait_for("document.getElementById('play').textContent", lambda text: text == "Play")


def test_a_layer_can_be_laid_over_the_frame_or_beside_it(browser: Browser, report: Path) -> None:
    open_cut(browser, report, fragment="#frame=10&layer=segments")
    wait_drawn(browser, 1, "segments")
    files = frame_files(10, SIZE)
    layer = labels_to_color(files["segment"]).astype(float)
    browser.press("s")
    browser.wait_for("document.getElementById('left-pane').hidden", lambda hidden: hidden is False)
    np.testing.assert_array_equal(canvas(browser, "left"), files["frame"])
    for _ in range(5):
        browser.press("[")
    browser.wait_for("document.getElementById('opacity-value').textContent", lambda text: text == "50%")
    browser.press("s")
    browser.wait_for("document.getElementById('left-pane').hidden", bool)
    assert np.abs(canvas(browser) - (layer + files["frame"]) / 2).max() <= 0.5


def test_the_warp_difference_leaves_out_what_it_is_asked_to(browser: Browser, report: Path) -> None:
    open_cut(browser, report, fragment="#frame=10&layer=warp_flat")
    pair, flat = pair_files(10, "forward", SIZE), frame_files(10, SIZE)["flat"]
    colors = warp_palette()[warp_levels(warp_difference(flat, frame_files(12, SIZE)["flat"], pair["flow"]))]
    for choice, mask in (("none", None), ("exact", pair["exact_occlusion"]), ("rule", pair["occlusion"])):
        browser.run(
            """const choice = document.getElementById("left-out");
            choice.value = arguments[0];
            delete document.body.dataset.drawn;
            choice.dispatchEvent(new Event("change"));""",
            choice,
        )
        wait_drawn(browser, 1, "warp_flat")
        expected = colors if mask is None else np.where(mask[..., None], NOTHING_TO_COMPARE, colors)
        np.testing.assert_array_equal(canvas(browser), expected)


def test_failures_lead_to_their_frame_and_no_text_becomes_markup(browser: Browser, report: Path) -> None:
    open_cut(browser, report)
    assert browser.run("return document.getElementById('badge').textContent") == "FAIL"
    assert browser.run("return document.getElementById('failure-list').textContent") == MESSAGE
    assert MESSAGE in browser.run("return document.getElementById('settings').textContent")
    assert "lines.thickness1.5" in browser.run("return document.getElementById('settings').textContent")
    assert browser.run("return document.title") == "fight - animerun-gen"
    browser.run("document.querySelector('#failure-list button').click()")
    wait_drawn(browser, 2, "frame", "backward")
    rows = browser.run(
        """return [...document.querySelectorAll("#pair-table tbody tr")].map(
            (row) => [row.cells[0].textContent, row.className]);"""
    )
    assert [row[0] for row in rows] == ["12 \u2192 10fails", "8 \u2192 10held", "10 \u2192 8held", "10 \u2192 12"]
    assert [row[1] for row in rows] == ["now", "", "", ""]
    # a click on a row, and on a heading
    browser.run("document.querySelectorAll('#pair-table tbody tr')[1].click()")
    wait_drawn(browser, 0, "frame")
    browser.run("document.querySelector('#pair-table th button').click()")
    assert (
        browser.run("return document.querySelector('#pair-table tbody tr').cells[0].textContent") == "8 \u2192 10held"
    )


def test_curves_have_bars_values_and_lead_to_their_frames(browser: Browser, report: Path) -> None:
    open_cut(browser, report)
    browser.press("d")
    x, y, width, height = box_of(browser, ".chart svg")
    assert "threshold 0.01" in browser.run("return document.querySelector('.chart svg').textContent")
    # one value is past it
    assert browser.run("return document.querySelectorAll('.chart')[0].querySelectorAll('.past').length") == 1
    browser.move(x + width / 2, y + height - 16)
    tip = browser.run("const tip = document.getElementById('tip'); return tip.hidden ? null : tip.textContent")
    assert tip == "frame 10\nforward: 0.002\nbackward: 0.0015"
    browser.click(x + 3, y + height - 16)
    # the backward figures begin only at the second frame
    wait_drawn(browser, 0, "frame", "forward")
    browser.click(x + width - 3, y + 8)
    wait_drawn(browser, 2, "frame", "backward")


def test_pointing_tells_what_is_there(browser: Browser, report: Path) -> None:
    open_cut(browser, report, fragment="#frame=10&layer=segments")
    box = box_of(browser, "#right")
    row, column = 20, 33
    browser.move(box[0] + (column + 0.5) / SIZE[0] * box[2], box[1] + (row + 0.5) / SIZE[1] * box[3])
    text = browser.wait_for("document.getElementById('readout').textContent", bool)
    label = frame_files(10, SIZE)["segment"][row, column]
    matches = pair_files(10, "forward", SIZE)["match"][label]
    assert f"x {column}, y {row}" in text
    targets = ", ".join(map(str, matches)) if matches != [-1] else "no match"
    assert f"segment {label} \u2192 {targets}" in text
    material = ("background", "skin", "<b>cloth</b>")[frame_files(10, SIZE)["material_id"][row, column]]
    assert f"material {material}" in text


def test_a_downloaded_dataset_and_a_name_with_odd_letters(browser: Browser, report: Path) -> None:
    browser.open(report / "index.html")
    browser.wait_for("document.body.dataset.ready", bool)
    names = browser.run("return [...document.querySelectorAll('a.name')].map(one => one.textContent)")
    assert names == sorted([ODD_NAME, "cels", "fight", "pieces"])
    browser.run(
        "[...document.querySelectorAll('a.name')].find(one => one.textContent === arguments[0]).click()", ODD_NAME
    )
    browser.wait_for("document.body.dataset.drawn", bool)
    assert browser.run("return document.getElementById('title').textContent") == ODD_NAME
    assert browser.run("return document.getElementById('badge').textContent") == "NOT JUDGED"
    offered = browser.run("return [...document.querySelectorAll('#layers button')].map(one => one.dataset.layer)")
    assert offered == ["frame", "contour", "flow", "occlusion", "segments", "matches", "warp", "valid"]
    notes = browser.run("return document.getElementById('remark-list').textContent")
    assert "so no figures are shown and nothing was judged" in notes
    assert "exact_occlusion_forward" in notes
    assert "no record" in browser.run("return document.getElementById('settings').textContent")
    browser.run("document.querySelector('.back').click()")
    browser.wait_for("document.body.dataset.ready", bool)


def test_a_clip_in_pieces_says_what_is_missing(browser: Browser, report: Path) -> None:
    open_cut(browser, report, "pieces", "#frame=8&layer=flow")
    wait_drawn(browser, 0, "flow")
    assert browser.run("return document.getElementById('badge').textContent") == "INCOMPLETE"
    assert "no readable file" in browser.run("return document.getElementById('nothing').textContent")
    notes = browser.run("return document.getElementById('remark-list').textContent")
    assert "flow_forward (Flow/pieces/forward) is missing for frame 8." in notes
    assert "train/Frame_Anime/pieces/original/0012.png is not a complete PNG file" in notes
    browser.press("end")
    wait_drawn(browser, 2, "flow")
    assert "the last one" in browser.run("return document.getElementById('nothing').textContent")
    browser.press("left")
    wait_drawn(browser, 1, "flow")
    assert browser.run("return document.getElementById('nothing').hidden")


def test_the_index_sorts(browser: Browser, report: Path) -> None:
    browser.open(report / "index.html")
    browser.wait_for("document.body.dataset.ready", bool)
    badges = "return [...document.querySelectorAll('#cuts tbody .badge')].map(one => one.textContent)"
    browser.run("[...document.querySelectorAll('th button')].find(one => one.textContent === 'gate').click()")
    assert browser.run(badges) == ["FAIL", "INCOMPLETE", "NOT JUDGED", "PASS"]
    browser.run("[...document.querySelectorAll('th button')].find(one => one.textContent === 'gate').click()")
    assert browser.run(badges) == ["PASS", "NOT JUDGED", "INCOMPLETE", "FAIL"]
    assert browser.run("return [...document.images].every(one => one.naturalWidth > 0)")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [480, 900, 1600])
def test_pages_fit_every_window_and_can_be_read_by_day_and_night(
    browser: Browser, report: Path, width: int, scheme: str
) -> None:
    browser.look_as(width, 900, scheme)
    try:
        for page in ("index.html", "train/fight.html", "train/cels.html#layer=amodal"):
            name, _, fragment = page.partition("#")
            browser.open(report / name, f"#{fragment}")
            browser.wait_for("document.body.dataset.drawn || document.body.dataset.ready", bool)
            assert (
                browser.run("return document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0
            )
            ground = browser.run(LUMINANCE + "return luminance(getComputedStyle(document.body).backgroundColor)")
            assert ground < 0.05 if scheme == "dark" else ground > 0.8
            assert browser.run(LUMINANCE + FAINT_TEXTS) == []
    finally:
        browser.look_as_usual()


def test_the_index_can_be_used_without_a_mouse(browser: Browser, report: Path) -> None:
    browser.open(report / "index.html")
    browser.wait_for("document.body.dataset.ready", bool)
    reached = set()
    for _ in range(60):
        browser.press("tab")
        reached.add(browser.run("return document.activeElement.textContent"))
    assert {"cut", "gate", "fight", ODD_NAME} <= reached
    # what has the focus is seen to have it
    browser.run("document.querySelector('#cuts th button').focus()")
    browser.press("tab")
    style = browser.run(
        "const style = getComputedStyle(document.activeElement); return [style.outlineStyle, style.textDecorationLine];"
    )
    assert style != ["none", "none"]


@pytest.mark.parametrize("width", [480, 900, 1600])
def test_tables_are_tables_and_controls_have_names_for_a_screen_reader(
    browser: Browser, report: Path, width: int
) -> None:
    browser.look_as(width, 900, "light")
    try:
        browser.open(report / "index.html")
        browser.wait_for("document.body.dataset.ready", bool)
        roles = browser.roles()
        # as cards they are a table, too: a row of headings and one a cut
        assert [role for role, _ in roles].count("table") == 1
        assert [role for role, _ in roles].count("row") == 1 + 4
        assert {name for role, name in roles if role == "columnheader"} >= {"cut", "gate", "warp error"}
        assert [name for role, name in roles if role == "cell"].count("PASS" if width == 1600 else "gate PASS") == 1
        assert_named(roles)
        open_cut(browser, report, "cels", "#layer=cel")
        wait_drawn(browser, 0, "cel")
        roles = browser.roles()
        assert {"layer", "cel", "show"} <= {name for role, name in roles if role in ("combobox", "slider")}
        assert ("image", "cel front of frame 8") in roles
        assert ("button", "Amodal") in roles
        assert {"Exposure sheet", "Table of pairs"} <= {name for role, name in roles if role == "region"}
        assert ("rowheader", "held share of its pixels") in roles
        assert_named(roles)
    finally:
        browser.look_as_usual()


def assert_named(roles: list[tuple[str, str]]) -> None:
    """Everything that can be used, and every heading of a table, has a name."""
    usable = {"button", "link", "combobox", "slider", "checkbox", "region", "image", "columnheader", "rowheader"}
    assert [role for role, name in roles if role in usable and not name] == []


def test_arrows_scroll_a_wide_table_that_has_the_focus(browser: Browser, report: Path) -> None:
    browser.look_as(480, 900, "light")
    try:
        open_cut(browser, report)
        browser.run("document.querySelector('#pairs .scroll').focus()")
        browser.press("right")
        browser.wait_for("document.querySelector('#pairs .scroll').scrollLeft", lambda left: left > 0)
        assert browser.run("return document.body.dataset.drawn").startswith("0:")
    finally:
        browser.look_as_usual()


def test_no_page_asks_for_anything_else(browser: Browser, report: Path) -> None:
    for page in (report / "index.html", report / "train" / "fight.html"):
        browser.open(page)
        browser.wait_for("document.body.dataset.drawn || document.body.dataset.ready", bool)
        asked = browser.run("return performance.getEntriesByType('resource').map(one => one.name)")
        assert [name for name in asked if not name.startswith("data:")] == []
