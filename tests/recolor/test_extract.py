from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from animerun_gen.cli import main
from animerun_gen.color.hexadecimal import rgb
from animerun_gen.color.oklab import hex_to_oklab
from animerun_gen.config.palette import Palette, load_palette
from animerun_gen.errors import UsageError
from animerun_gen.recolor.extract import change, coarse_histogram, draw_palette, painted_pixels, swatch_picture

DAY = {"#a0d8f0": 0.5, "#60b050": 0.3, "#f0e0b0": 0.15, "#d04030": 0.05}
NIGHT = {"#1c2450": 0.6, "#403870": 0.3, "#f8e0a0": 0.1}


def frame(design: dict[str, float], shift: int = 0, lines: bool = True) -> np.ndarray:
    """Vertical bands of colours with soft-edged black lines between and across them, ``(270, 480, 3)`` RGB."""
    picture = np.zeros((270, 480, 3), np.uint8)
    start = 0.0
    for color, share in design.items():
        columns = slice(round(start * 480), round((start + share) * 480))
        picture[:, columns] = rgb(color)
        start += share
        if lines:
            cv2.line(picture, (columns.stop, 0), (columns.stop, 269), (0, 0, 0), 2, cv2.LINE_AA)
    for row in range(10, 270, 26) if lines else ():
        cv2.line(picture, (0, row), (479, row + 9), (0, 0, 0), 2, cv2.LINE_AA)
    return np.roll(picture, shift, axis=1)


def save(path: Path, picture: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), picture[..., ::-1])


def drawn(folder: Path, colors: int = 12, seed: int = 0) -> tuple[Palette, list[str]]:
    return draw_palette(folder, colors, 0.5, seed, None, None)


def assert_colors(scene: object, design: dict[str, float], tolerance: float = 0.02, spread: float = 0.03) -> None:
    found = {swatch.color: swatch.share for swatch in scene.colors}  # type: ignore[attr-defined]
    assert len(found) == len(design)
    for color, share in design.items():
        lengths = np.linalg.norm(hex_to_oklab(list(found)) - hex_to_oklab([color]), axis=1)
        assert lengths.min() < tolerance
        assert list(found.values())[int(lengths.argmin())] == pytest.approx(share, abs=spread)


def test_colours_and_shares_are_those_of_the_design_and_lines_do_not_count(tmp_path: Path) -> None:
    for number in range(3):
        save(tmp_path / f"{number:04d}.png", frame(DAY, 5 * number))
    palette, notes = drawn(tmp_path)
    [scene] = palette.scenes
    assert not notes
    # what is painted is found to the byte
    assert {swatch.color for swatch in scene.colors} == set(DAY)
    assert_colors(scene, DAY)
    assert scene.colors[0].share > scene.colors[-1].share
    assert scene.origin == "0000.png to 0002.png (3 pictures)"


def test_black_that_is_painted_counts(tmp_path: Path) -> None:
    design = {"#000000": 0.4, "#e0e0e0": 0.6}
    save(tmp_path / "a.png", frame(design))
    # more than its share, because its lines are a part of it
    assert_colors(drawn(tmp_path)[0].scenes[0], design, spread=0.1)


def test_jpeg_and_grain_cost_accuracy_and_nothing_else(tmp_path: Path) -> None:
    grain = np.random.default_rng(0).normal(0, 6, (270, 480, 3))
    noisy = np.clip(frame(DAY) + grain, 0, 255).astype(np.uint8)
    save(tmp_path / "a" / "1.jpg", frame(DAY))
    save(tmp_path / "b" / "1.jpeg", noisy)
    palette, _ = drawn(tmp_path)
    for scene in palette.scenes:
        assert_colors(scene, DAY, 0.05)


def test_folders_are_scenes_and_so_are_stretches_between_changes(tmp_path: Path) -> None:
    # 9 comes before 10
    for number in range(7, 13):
        save(tmp_path / "shots" / f"f{number}.png", frame(DAY if number < 10 else NIGHT, 3 * number))
    save(tmp_path / "shots" / "deep" / "one.png", frame(NIGHT))
    save(tmp_path / ".hidden" / "one.png", frame(DAY))
    palette, _ = drawn(tmp_path)
    assert {scene.name: scene.origin for scene in palette.scenes} == {
        "shots 1": "shots/f7.png to f9.png (3 pictures)",
        "shots 2": "shots/f10.png to f12.png (3 pictures)",
        "shots/deep": "shots/deep/one.png (1 pictures)",
    }
    assert_colors(palette.scenes[0], DAY)
    assert_colors(palette.scenes[1], NIGHT)


def test_a_pan_and_a_little_more_light_are_no_change_of_scene() -> None:
    one = coarse_histogram(frame(DAY))
    lighter = np.clip(frame(DAY, 30).astype(np.int16) + 6, 0, 255).astype(np.uint8)
    assert change(one, one) == 0
    assert change(one, coarse_histogram(lighter)) < 0.4
    assert change(one, coarse_histogram(frame(NIGHT))) > 0.8


def test_never_more_colours_than_asked_for_and_the_distinct_ones_first(tmp_path: Path) -> None:
    save(tmp_path / "a.png", frame({"#a0d8f0": 0.5, "#98d0ec": 0.3, "#d04030": 0.2}))
    colors = [swatch.color for swatch in drawn(tmp_path, colors=2)[0].scenes[0].colors]
    assert colors == ["#a0d8f0", "#d04030"]


def test_the_same_pictures_give_the_same_palette(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    save(tmp_path / "a.png", rng.integers(0, 256, (60, 80, 3)).astype(np.uint8))
    assert drawn(tmp_path) == drawn(tmp_path)
    assert drawn(tmp_path, seed=1)[0].scenes[0].colors != drawn(tmp_path)[0].scenes[0].colors


def test_what_is_transparent_or_grey_or_of_16_bits(tmp_path: Path) -> None:
    rgba = np.dstack([frame(DAY, lines=False), np.full((270, 480), 255, np.uint8)])
    rgba[:, 240:, 3] = 0
    for name, picture in (
        ("clear/1.png", rgba[..., [2, 1, 0, 3]]),
        ("grey/1.png", np.repeat(np.repeat(np.array([[40, 200]], np.uint8), 40, 0), 40, 1)),
        ("deep/1.png", frame(NIGHT, lines=False)[..., ::-1].astype(np.uint16) * 257),
    ):
        (tmp_path / name).parent.mkdir()
        assert cv2.imwrite(str(tmp_path / name), picture)
    palette, notes = drawn(tmp_path)
    scenes = {scene.name: scene for scene in palette.scenes}
    assert "clear" not in scenes
    assert notes == ["scene clear was left out: it has fewer than two distinguishable colours"]
    assert {swatch.color for swatch in scenes["grey"].colors} == {"#282828", "#c8c8c8"}
    assert_colors(scenes["deep"], NIGHT)


def test_pictures_that_cannot_be_read_are_named_and_left_out(tmp_path: Path) -> None:
    save(tmp_path / "1.png", frame(DAY))
    (tmp_path / "2.png").write_bytes(b"no picture")
    (tmp_path / "3.jpg").touch()
    save(tmp_path / "5.jpg", frame(NIGHT))
    for whole, half in (("1.png", "4.png"), ("5.jpg", "5.jpg")):
        data = (tmp_path / whole).read_bytes()
        (tmp_path / half).write_bytes(data[: len(data) // 2])
    palette, notes = drawn(tmp_path)
    bad = [str(tmp_path / name) for name in ("2.png", "3.jpg", "4.png", "5.jpg")]
    assert [note.split(" was")[0] for note in notes] == bad
    assert palette.scenes[0].origin == "1.png (1 pictures)"
    (tmp_path / "1.png").unlink()
    with pytest.raises(UsageError, match="none of the 4 pictures"):
        drawn(tmp_path)


def test_thin_ink_is_no_painted_pixel_and_pictures_of_ink_alone_have_none() -> None:
    picture = frame(DAY)
    assert painted_pixels(picture).min() > 25
    # a page of lines
    page = np.zeros((90, 160, 3), np.uint8)
    page[::4] = 12
    assert len(painted_pixels(np.full((90, 160, 3), 250, np.uint8))) == 90 * 160
    assert painted_pixels(page).shape[1] == 3


def test_a_palette_that_could_not_be_read_again_is_not_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    save(tmp_path / "frames" / "a.png", frame(DAY))
    monkeypatch.setattr("animerun_gen.config.yaml_file.MAX_BYTES", 100)
    assert main(["palette", str(tmp_path / "frames"), "-o", str(tmp_path / "p.yaml")]) == 2
    assert "take fewer frames" in capsys.readouterr().err
    assert not (tmp_path / "p.yaml").exists()


def test_swatches_are_as_wide_as_their_shares(tmp_path: Path) -> None:
    save(tmp_path / "a.png", frame(DAY))
    palette, _ = drawn(tmp_path)
    picture = swatch_picture(palette, width=1000, height=20)
    assert picture.shape == (20, 1000, 3)
    sky = (picture[10] == rgb("#a0d8f0")).all(axis=-1).sum()
    assert sky == pytest.approx(1000 * palette.scenes[0].colors[0].share, abs=2)


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    save(tmp_path / "frames" / "a.png", frame(DAY))
    (tmp_path / "frames" / "b.png").touch()
    output, swatches = tmp_path / "out" / "p.yaml", tmp_path / "p.png"
    words = ["--about", 'frames "of" mine', "--licence", "CC0", "--colors", "3", "--swatches", str(swatches)]
    assert main(["palette", str(tmp_path / "frames"), "-o", str(output), *words]) == 0
    palette = load_palette(output)
    assert (palette.about, palette.licence) == ('frames "of" mine', "CC0")
    assert len(palette.scenes[0].colors) == 3
    assert swatches.stat().st_size > 0
    said = capsys.readouterr()
    assert "b.png was left out" in said.err
    assert "#a0d8f0" in said.out


@pytest.mark.parametrize(("option", "name"), [("-o", "p.yaml"), ("--swatches", "p.png")])
def test_an_existing_file_is_overwritten_only_with_force(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], option: str, name: str
) -> None:
    save(tmp_path / "frames" / "a.png", frame(DAY))
    existing = tmp_path / name
    existing.write_text("edited by hand")
    command = ["palette", str(tmp_path / "frames"), "-o", str(tmp_path / "p.yaml"), option, str(existing)]
    assert main(command) == 2
    assert f"{existing} exists; choose another name with {option}, or overwrite it with --force" in (
        capsys.readouterr().err
    )
    assert existing.read_text() == "edited by hand"
    assert [path.name for path in tmp_path.iterdir()] in (["frames", name], [name, "frames"])
    assert main([*command, "--force"]) == 0
    assert existing.read_bytes() != b"edited by hand"


@pytest.mark.parametrize("name", ["none", "empty", "file.png"])
def test_a_folder_without_pictures_is_a_sentence(tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "file.png").touch()
    assert main(["palette", str(tmp_path / name), "-o", str(tmp_path / "p.yaml")]) == 2
    assert str(tmp_path / name) in capsys.readouterr().err
    assert not (tmp_path / "p.yaml").exists()


@pytest.mark.parametrize("words", [["--colors", "1"], ["--scene-change", "2"], ["--seed", "-1"], ["--colors", "²"]])
def test_options_out_of_range_are_refused(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["palette", "frames", *words])
    assert caught.value.code == 2
    assert "must be " in capsys.readouterr().err
