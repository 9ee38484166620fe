from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from skimage import metrics

from animerun_gen.benchmark.interpolation.evaluation import open_evaluation
from animerun_gen.benchmark.options import EvaluationOptions
from animerun_gen.benchmark.results import Result
from animerun_gen.benchmark.run import Evaluated, evaluate
from animerun_gen.cli import main
from animerun_gen.dataset import ClipWriter, files
from animerun_gen.errors import NoDatasetError, UsageError
from tests.benchmark.interpolation.clips import HEIGHT, SPEED, WIDTH, hidden, picture, write_square

THEIRS: Any = metrics


def run(root: Path, out: Path, worst: int = 0, **settings: Any) -> Evaluated:
    options = EvaluationOptions(root, out, **settings)
    return evaluate(open_evaluation(options), options.output, worst=worst)


def result_of(root: Path, out: Path, **settings: Any) -> Result:
    done = run(root, out, **settings)
    assert done.result is not None, done.failures
    return done.result


def figures(result: Result) -> dict[str, float | None]:
    return {key: figure.value for key, figure in result.averages.mean_of_pairs.items()}


@pytest.fixture
def square(tmp_path: Path) -> Path:
    write_square(tmp_path / "data")
    return tmp_path / "data"


def test_truth_as_prediction_reaches_the_ceiling_of_every_figure(square: Path, tmp_path: Path) -> None:
    found = figures(result_of(square, tmp_path / "out", predictions=square))
    perfect = {"psnr": 100.0, "ssim": 1.0, "ie": 0.0}
    assert {key: value for key, value in found.items() if value is not None} == {
        key: perfect[key.partition("_")[0]] for key, value in found.items() if value is not None
    }
    assert found["psnr"] == 100.0
    assert found["psnr_hidden"] == 100.0


def test_blend_is_measured_as_the_published_script_does(square: Path, tmp_path: Path) -> None:
    result = result_of(square, tmp_path / "out", method="blend")
    ratios, similarities = [], []
    for middle in (2, 3, 4):
        truth = picture(middle) / 255
        made = np.rint((picture(middle - 1).astype(float) + picture(middle + 1)) / 2) / 255
        ratios.append(THEIRS.peak_signal_noise_ratio(truth, made, data_range=1))
        similarities.append(THEIRS.structural_similarity(made, truth, channel_axis=2, data_range=2.0))
    assert [pair.frames for pair in result.clips[0].pairs] == [(1, 2, 3), (2, 3, 4), (3, 4, 5)]
    assert figures(result)["psnr"] == pytest.approx(np.mean(ratios))
    assert figures(result)["ssim"] == pytest.approx(np.mean(similarities))
    # all of one level, whose columns are those of the whole
    [level] = [level for level in ("easy", "medium", "hard") if result.averages.counts.get(level)]
    assert figures(result)[f"psnr_{level}"] == figures(result)["psnr"]


@pytest.mark.parametrize("method", ["splat:exact", "ceiling"])
def test_exact_motion_makes_the_true_frame_where_it_is_even_and_something_shows_it(
    square: Path, tmp_path: Path, method: str
) -> None:
    result = result_of(square, tmp_path / "out", method=method)
    assert figures(result)["psnr"] == 100.0
    assert result.averages.counts["filled"] == 0


def test_without_depth_surfaces_mix_where_they_meet(tmp_path: Path) -> None:
    write_square(tmp_path / "data", depth=False)
    found = figures(result_of(tmp_path / "data", tmp_path / "out", method="splat:exact"))
    assert found["psnr"] is not None
    assert 15 < found["psnr"] < 40


def test_splatting_by_flow_lies_between_blend_and_truth(square: Path, tmp_path: Path) -> None:
    found = {
        method: figures(result_of(square, tmp_path / method.replace(":", "_"), method=method))["ie"]
        for method in ("blend", "splat:zero", "average-splat:zero", "splat:exact")
    }
    # without motion, splatting is blending, but that softmax prefers nothing where both differ alike
    assert found["average-splat:zero"] == found["blend"] == found["splat:zero"]
    assert found["splat:exact"] == 0


def test_pixels_that_a_neighbour_hides_are_measured_apart(square: Path, tmp_path: Path) -> None:
    result = result_of(square, tmp_path / "out", method="blend")
    expected: dict[str, list[float]] = {"visible": [], "hidden": []}
    for middle in (2, 3, 4):
        made = np.rint((picture(middle - 1).astype(float) + picture(middle + 1)) / 2)
        squares = ((made - picture(middle)) ** 2).mean(axis=2)
        mask = hidden(middle, middle - 1) | hidden(middle, middle + 1)
        for name, where in (("visible", ~mask), ("hidden", mask)):
            expected[name].append(10 * np.log10(255**2 / squares[where].mean()))
    for name, values in expected.items():
        assert figures(result)[f"psnr_{name}"] == pytest.approx(np.mean(values))


def test_triplets_that_lack_something_are_counted(square: Path, tmp_path: Path) -> None:
    """One of them is one, and of several the first is named."""
    clip = ClipWriter(square, "test", "square")
    for frame in range(1, 5):
        clip.write("contour", frame, picture(frame)[..., 0])
    for name, said in (("one", "1 triplet was left out: "), ("two", "2 triplets were left out: ")):
        result = result_of(square, tmp_path / name, method="blend", pictures="contour")
        [remark] = [remark for remark in result.remarks if "left out" in remark]
        assert remark.startswith(said), remark
        assert ("and 1 more." in remark) == (name == "two")
        clip.path("contour", 4).unlink(missing_ok=True)


def test_held_triplets_are_named_and_can_be_left_out(tmp_path: Path) -> None:
    root = tmp_path / "data"
    clip = write_square(root)
    # on twos: the third frame repeats the second
    clip.write("frame", 3, picture(2))
    kept = result_of(root, tmp_path / "kept", method="blend")
    left = result_of(root, tmp_path / "left", method="blend", without_held=True)
    assert [pair.counts["held"] for pair in kept.clips[0].pairs] == [1, 1, 0]
    assert left.averages.mean_of_pairs["psnr"].weight == 1
    assert kept.averages.mean_of_pairs["psnr"].weight == 3
    for result in (kept, left):
        [remark] = [remark for remark in result.remarks if "square 1-2-3, square 2-3-4" in remark]
        assert "2 of 3" in remark


def test_what_was_saved_is_measured_alike(square: Path, tmp_path: Path) -> None:
    made = result_of(square, tmp_path / "one", method="average-splat:dis", save=tmp_path / "made")
    again = result_of(square, tmp_path / "two", predictions=tmp_path / "made")
    assert again.averages.mean_of_pairs == made.averages.mean_of_pairs
    assert (tmp_path / "made/test/square/0003.png").is_file()


def test_the_page_shows_the_worst_first(square: Path, tmp_path: Path) -> None:
    done = run(square, tmp_path / "out", method="blend", worst=2)
    page = (tmp_path / "out/index.html").read_text()
    assert done.result is not None
    worst = min(done.result.clips[0].pairs, key=lambda pair: pair.figures["psnr"].value or 0)
    titles = [" \u2192 ".join(map(str, pair.frames)) for pair in done.result.clips[0].pairs]
    shown = [title for title in titles if f"test/square, {title}" in page]
    assert len(shown) == 2
    assert " \u2192 ".join(map(str, worst.frames)) in shown


def test_exact_motion_that_is_not_there_is_refused_at_once(tmp_path: Path) -> None:
    write_square(tmp_path / "data", gap=False)
    with pytest.raises(UsageError, match=r"cut 'square': .*motion\.gaps"):
        run(tmp_path / "data", tmp_path / "out", method="splat:exact")


def test_a_prediction_of_another_size_fails_its_cut(square: Path, tmp_path: Path) -> None:
    for frame in (2, 3, 4):
        files.write_image(tmp_path / f"made/square/{frame:04d}.png", picture(frame)[:-1])
    done = run(square, tmp_path / "out", predictions=tmp_path / "made")
    assert done.result is None
    assert f"of {WIDTH} x {HEIGHT - 1} pixels, but the frames have {WIDTH} x {HEIGHT}" in done.failures[0]


def test_a_missing_prediction_is_named(square: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files.write_image(tmp_path / "made/square/0002.png", picture(2))
    words = ["evaluate", "interpolation", str(square), "--predictions", str(tmp_path / "made")]
    assert main([*words, "--out", str(tmp_path / "out")]) == 1
    assert "test/square/0003.png" in capsys.readouterr().err


def test_unknown_methods_are_refused_with_what_there_is(square: Path, tmp_path: Path) -> None:
    for name in ("nothing", "splat", "splat:nothing", "average-splat:exact", "blend:dis"):
        with pytest.raises(UsageError, match="choose"):
            run(square, tmp_path / "out", method=name)
    with pytest.raises(UsageError, match="has no weights"):
        run(square, tmp_path / "out", method="blend", checkpoint="some.pt")


ROI = {"x": 8, "y": 4, "width": 40, "height": 26}
LEVELS = (0, 2, 2)


@pytest.fixture
def atd(tmp_path: Path) -> Path:
    """A tree of ATD-12K, whose region of interest is told in pixels of twice the size."""
    root = tmp_path / "atd"
    for place, level in enumerate(LEVELS):
        name = f"Film_v1_{place}"
        for number, frame in enumerate((place, place + 1, place + 2), start=1):
            files.write_image(root / "test_2k_540p" / name / f"frame{number}.png", picture(frame + 1))
        about = {"level": level, "motion_RoI": ROI, "image_size": [2 * WIDTH, 2 * HEIGHT], "behavior": "walking"}
        files.write_json(root / "test_2k_annotations" / name / f"{name}.json", about)
    return root


def test_atd12k_is_measured_whole_by_level_and_in_its_region(atd: Path, tmp_path: Path) -> None:
    result = result_of(atd, tmp_path / "out", method="blend")
    whole, region, similar = [], [], []
    for place in range(3):
        truth = picture(place + 2) / 255
        made = np.rint((picture(place + 1).astype(float) + picture(place + 3)) / 2) / 255
        whole.append(THEIRS.peak_signal_noise_ratio(truth, made, data_range=1))
        box = (slice(2, 15), slice(4, 24))
        region.append(THEIRS.peak_signal_noise_ratio(truth[box], made[box], data_range=1))
        similar.append(THEIRS.structural_similarity(made[box], truth[box], channel_axis=2, data_range=2.0))
    found = figures(result)
    assert found["psnr"] == pytest.approx(np.mean(whole))
    assert found["psnr_easy"] == pytest.approx(whole[0])
    assert found["psnr_medium"] is None
    assert found["psnr_hard"] == pytest.approx(np.mean(whole[1:]))
    assert found["psnr_roi"] == pytest.approx(np.mean(region))
    assert found["ssim_roi"] == pytest.approx(np.mean(similar))
    assert "1 easy, 0 medium, 2 hard" in result.remarks[0]
    assert [pair.frames for pair in result.clips[0].pairs] == [(f"Film_v1_{place}",) for place in range(3)]


def test_predictions_of_atd12k_lie_as_the_published_script_writes_them(atd: Path, tmp_path: Path) -> None:
    for place in range(3):
        files.write_image(tmp_path / f"made/Film_v1_{place}/frame2.png", picture(place + 2))
    assert figures(result_of(atd, tmp_path / "out", predictions=tmp_path / "made"))["psnr"] == 100.0


def test_a_damaged_annotation_fails_and_is_named(atd: Path, tmp_path: Path) -> None:
    path = atd / "test_2k_annotations/Film_v1_1/Film_v1_1.json"
    for wrong in ({"level": 3}, {"motion_RoI": {"x": 0, "y": 0, "width": "wide", "height": 2}}):
        path.write_text(json.dumps({"level": 1, "motion_RoI": ROI, "image_size": [2, 2], **wrong}))
        done = run(atd, tmp_path / "out", method="blend")
        assert done.result is None
        assert "Film_v1_1.json is no annotation" in done.failures[0]


def test_triplets_without_an_annotation_count_for_the_whole(atd: Path, tmp_path: Path) -> None:
    (atd / "test_2k_annotations/Film_v1_0/Film_v1_0.json").unlink()
    result = result_of(atd, tmp_path / "out", method="blend")
    assert result.averages.mean_of_pairs["psnr"].weight == 3
    assert figures(result)["psnr_easy"] is None
    assert "1 of which nothing says" in result.remarks[0]


def test_exact_methods_need_a_generated_clip(atd: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no flow from the middle frame"):
        run(atd, tmp_path / "out", method="ceiling")


def test_a_split_that_is_not_there_is_refused(atd: Path, tmp_path: Path) -> None:
    with pytest.raises(NoDatasetError, match="has no split 'train'"):
        run(atd, tmp_path / "out", method="blend", splits=("train",))


def test_motion_decides_the_level(tmp_path: Path) -> None:
    # the square has 49 of 720 pixels
    for speed, level in ((1, "easy"), (SPEED, "easy"), (5, "medium")):
        write_square(tmp_path / str(speed), speed=speed, frames=range(1, 5))
        counts = result_of(tmp_path / str(speed), tmp_path / f"out{speed}", method="blend").averages.counts
        assert counts[level] == counts["triplets"] == 2
