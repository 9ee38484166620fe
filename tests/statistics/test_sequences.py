"""Which sequences are found in datasets of ours and of others, and that their statistics are what is in them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from animerun_gen.dataset import files
from animerun_gen.errors import NoDatasetError
from animerun_gen.statistics import run
from animerun_gen.statistics.figures import DatasetStatistics
from animerun_gen.statistics.sequences import ALL_PICTURES, LAYOUTS, find_sequences, recognise
from tests.dataset import other_trees
from tests.dataset.published_tree import publish
from tests.report.clips import write_clip
from tests.statistics import small


def count(root: Path, **options: Any) -> DatasetStatistics:
    [found] = run.count([root], root.parent / f"{root.name}-statistics", **options).statistics.datasets
    return found


def test_ours_with_the_film_of_the_manifest(tmp_path: Path) -> None:
    found = find_sequences(small.write(tmp_path))
    assert found.layout == "animerun"
    assert [(one.split, one.film, one.name, len(one)) for one in found.sequences] == [
        ("train", "A", "one", 3),
        ("train", "A", "two", 4),
        ("test", "B", "three", 2),
    ]


def test_the_film_is_the_source_where_nobody_names_it(tmp_path: Path) -> None:
    small.write(tmp_path)
    manifest = files.read_json(tmp_path / "manifest/one.json")
    manifest["source"] = {"path": "sprite.blend"}
    manifest["config"]["film"] = None
    files.write_json(tmp_path / "manifest/one.json", manifest)
    assert [one.film for one in find_sequences(tmp_path).sequences] == ["sprite", "A", "B"]


def test_passes_in_other_colours(tmp_path: Path) -> None:
    clip = write_clip(tmp_path, "fight")
    for frame in clip.frame_numbers:
        clip.write("color_1", frame, np.full((40, 64, 3), 255, np.uint8))
    mean = count(tmp_path).figures.luminance_mean
    assert count(tmp_path, pictures="color_1").figures.luminance_mean == 255
    both = count(tmp_path, pictures=ALL_PICTURES)
    assert both.pictures == ["color_1", "frame"]
    assert both.figures.luminance_mean == pytest.approx((mean + 255) / 2)
    # and what does not hang on colours is counted once
    assert both.figures.frames == 3
    with pytest.raises(NoDatasetError, match="has no pictures 'color_2' in it; the first reason: train/fight has no"):
        find_sequences(tmp_path, "color_2")


def test_the_published_tree_has_the_same_figures(tmp_path: Path) -> None:
    ours, published = tmp_path / "ours", tmp_path / "published"
    write_clip(ours, "agent_1", (8, 10, 12))
    write_clip(ours, "agent_2", (3, 4))
    write_clip(ours, "sprite_1", (5, 6, 7))
    publish(ours, published, {"agent_1": "Image", "agent_2": "", "sprite_1": ""})
    own, theirs = count(ours), count(published)
    assert list(theirs.films) == ["agent", "sprite"]
    assert theirs.films["agent"].clips == 2
    got = theirs.figures.model_dump()
    for name, value in own.figures.model_dump().items():
        # which is not published
        assert got[name] == (None if name == "exact_occluded_share" else value), name
    assert theirs.histograms == own.histograms


def test_sintel(tmp_path: Path) -> None:
    other_trees.sintel(tmp_path)
    found = find_sequences(tmp_path)
    assert [(one.split, one.film, one.name, len(one)) for one in found.sequences] == [
        ("training", "Sintel", "alley", 3),
        ("training", "Sintel", "bamboo", 3),
        ("test", "Sintel", "alley", 3),
        ("test", "Sintel", "bamboo", 3),
    ]
    assert [path.parts[-3] for path in found.sequences[0].images["final"]] == 3 * ["final"]
    of = count(tmp_path)
    assert of.splits["test"].pixel_shift is None
    assert of.splits["training"].pixel_shift == pytest.approx(shift((1, 2), (2, 3), hidden=True), rel=1e-6)
    # frames 1 and 2 have 1 and 2 pixels of a mask of 48
    assert of.splits["training"].occluded_share == pytest.approx(3 / 48 / 2)
    assert of.figures.segments is None
    assert count(tmp_path, pictures="clean").pictures == ["clean"]


def shift(*pairs: tuple[int, int], hidden: bool = False) -> float:
    """The mean length of the motion of pairs, by plain loops."""
    means = []
    for source, target in pairs:
        flow = other_trees.motion(source, target)
        lengths = []
        for y in range(other_trees.HEIGHT):
            for x in range(other_trees.WIDTH):
                invalid = hidden and y == 5 and x < source
                if abs(flow[y, x]).max() < 1e9 and not invalid:
                    lengths.append(float(np.linalg.norm(flow[y, x].astype(np.float64))))
        means.append(sum(lengths) / len(lengths))
    return sum(means) / len(means)


@pytest.mark.parametrize(
    ("make", "layout", "expected", "pairs"),
    [
        (
            other_trees.creative_flow,
            "creativeflow",
            [("train", "unknown", "ball", 3), ("test", "unknown", "cat", 3)],
            ((0, 1), (1, 2)),
        ),
        # the flow of the last frame leads to none
        (other_trees.flying_things, "flyingthings3d", [("TRAIN", "FlyingThings3D", "A/0000", 3)], ((6, 7), (7, 8))),
    ],
)
def test_others_with_flow(
    tmp_path: Path,
    make: Callable[[Path], None],
    layout: str,
    expected: list[tuple[str, str, str, int]],
    pairs: tuple[tuple[int, int], ...],
) -> None:
    make(tmp_path)
    found = find_sequences(tmp_path)
    assert found.layout == layout
    assert [(one.split, one.film, one.name, len(one)) for one in found.sequences] == expected
    of = count(tmp_path).figures
    assert of.pixel_shift == pytest.approx(shift(*pairs), rel=1e-6)
    assert of.pairs == len(expected) * len(pairs)


def test_triplets(tmp_path: Path) -> None:
    other_trees.atd12k(tmp_path)
    of = count(tmp_path)
    assert of.layout == "atd12k"
    assert {name: (split.clips, split.frames, split.pairs) for name, split in of.splits.items()} == {
        "train_10k": (2, 6, 4),
        "test_2k_540p": (2, 6, 4),
    }
    assert list(of.films) == ["a"]
    assert of.figures.pixel_shift is None
    # frames of one colour: those of PNG files are known to the bit
    test = of.splits["test_2k_540p"]
    levels = [round(0.299 * 10 * frame + 0.114 * 7) for frame in (1, 2, 3)]
    assert test.luminance_mean == pytest.approx(sum(levels) / 3)
    assert test.flat_share == 1


def write_nothing(path: Path, flow: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()


def test_linkto(tmp_path: Path) -> None:
    # recognised by its folders; reading the flow needs OpenEXR
    other_trees.linkto(tmp_path, write_nothing)
    found = find_sequences(tmp_path)
    assert found.layout == "linkto"
    assert [(one.split, one.film, one.name, len(one)) for one in found.sequences] == [
        ("val", "street", "street/model_1/front", 3),
        ("val", "street", "street/model_1/side", 3),
    ]


def test_folders_of_frames(tmp_path: Path) -> None:
    root = tmp_path / "episode"
    for name in ("frame10", "frame9", "frame11"):
        files.write_image(root / "shot_2" / f"{name}.png", other_trees.picture(int(name[5:]), 0))
    other_trees.write_jpeg(root / "1.jpg", other_trees.picture(3))
    found = find_sequences(root)
    assert found.layout == "frames"
    assert [(one.film, one.name, len(one)) for one in found.sequences] == [
        ("episode", "episode", 1),
        ("episode", "shot_2", 3),
    ]
    assert [path.stem for path in found.sequences[1].images["frame"]] == ["frame9", "frame10", "frame11"]
    of = count(root).figures
    assert (of.clips, of.frames, of.pairs) == (2, 4, 2)
    assert of.pixel_shift is None is of.segments
    with pytest.raises(NoDatasetError, match="has the pictures 'frame' alone"):
        find_sequences(root, "color_1")


@pytest.mark.parametrize(
    "make", [None, lambda root: root.mkdir(), lambda root: (root / "train" / "notes").mkdir(parents=True)]
)
def test_what_is_no_dataset(tmp_path: Path, make: Callable[[Path], Any] | None) -> None:
    root = tmp_path / "nothing"
    if make is not None:
        make(root)
    with pytest.raises(NoDatasetError):
        find_sequences(root)


def test_frames_of_another_size_are_brought_to_one(tmp_path: Path) -> None:
    for width, height in ((32, 16), (64, 32)):
        picture = np.zeros((height, width, 3), np.uint8)
        picture[:, width // 2 :] = 200
        files.write_image(tmp_path / f"of_{width}" / "1.png", picture)
    small_ones, large = (count(tmp_path / f"of_{width}", frame_width=32) for width in (32, 64))
    assert small_ones.histograms.differences == large.histograms.differences
    assert large.figures.size == (64, 32)
    assert count(tmp_path / "of_64").histograms.differences != large.histograms.differences


def test_every_layout_is_recognised_by_its_own_tree(tmp_path: Path) -> None:
    trees: dict[str, Callable[[Path], Any]] = {
        "animerun": small.write,
        "sintel": other_trees.sintel,
        "creativeflow": other_trees.creative_flow,
        "atd12k": other_trees.atd12k,
        "flyingthings3d": other_trees.flying_things,
        "linkto": lambda root: other_trees.linkto(root, write_nothing),
        "frames": lambda root: other_trees.write_jpeg(root / "1.jpg", other_trees.picture(1)),
    }
    assert trees.keys() == LAYOUTS.keys()
    for name, make in trees.items():
        make(tmp_path / name)
        assert recognise(tmp_path / name) == name
