"""Whole evaluations, as the command makes them."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
from pathlib import Path

import numpy as np
import pytest

from animerun_gen.benchmark.flow import evaluation as flow_evaluation
from animerun_gen.benchmark.flow.methods import FlowMethod
from animerun_gen.benchmark.results import MethodFacts, read_result
from animerun_gen.benchmark.source import MethodChoice
from animerun_gen.cli import main
from animerun_gen.dataset import Dataset, files, write_flow
from tests.benchmark.clips import SIZE, write_dataset


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return write_dataset(tmp_path / "made_up")


def evaluate(root: Path, *words: object) -> int:
    return main(["evaluate", "flow", str(root), *map(str, words)])


def predict(root: Path, folder: Path, add: float = 0.0) -> Path:
    """Write the truth as prediction, or what is off by so much to the right."""
    for clip in Dataset(root).clips():
        for frame in clip.frames("flow_forward"):
            write_flow(
                folder / clip.cut / f"{frame:04d}.flo",
                clip.read("flow_forward", frame) + np.array([add, 0], np.float32),
            )
    return folder


def test_the_truth_as_prediction_has_no_error(root: Path, tmp_path: Path) -> None:
    assert evaluate(root, "--predictions", root, "--out", tmp_path / "out", "--split", "all") == 0
    result = read_result(tmp_path / "out")
    assert result.measured.splits == ("train", "test")
    assert result.pairs == 5
    for averages in (result.averages.pooled, result.averages.mean_of_pairs):
        assert {key: figure.value for key, figure in averages.items()} == {
            column.key: 100 if column.key == "wauc" else 0 for column in result.columns
        }


def test_only_valid_pixels_count_and_the_share_of_the_others_is_said(
    root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert evaluate(root, "--method", "zero", "--out", tmp_path / "out") == 0
    errors, pixels = [], 0
    for clip in Dataset(root).clips("test"):
        for frame in clip.frames("flow_forward"):
            valid = clip.read("valid_forward", frame)
            errors.append(np.linalg.norm(clip.read("flow_forward", frame)[valid].astype(np.float64), axis=1))
            pixels += valid.size
    result = read_result(tmp_path / "out")
    assert result.averages.figure("epe", "pooled") == pytest.approx(np.concatenate(errors).mean(), rel=1e-12)
    assert result.averages.figure("epe", "mean_of_pairs") == pytest.approx(np.mean([e.mean() for e in errors]))
    left_out = 100 * (1 - sum(e.size for e in errors) / pixels)
    assert f"{left_out:.3g}% of the pixels have no known motion and were left out." in capsys.readouterr().out


def test_the_same_evaluation_is_the_same_file(root: Path, tmp_path: Path) -> None:
    for name in ("one", "two"):
        assert evaluate(root, "--method", "dis", "--out", tmp_path / name) == 0
    for file in ("result.json", "table.md", "index.html"):
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes()


class Counting:
    """A method that counts its calls, and may be stopped."""

    def __init__(self) -> None:
        self.calls = 0
        self.stop_after: int | None = None

    def open(self, choice: MethodChoice) -> FlowMethod:
        return FlowMethod(MethodFacts(name=choice.name, title=choice.name, weights="none"), self)

    def __call__(self, first: np.ndarray, second: np.ndarray) -> np.ndarray:
        self.calls += 1
        if self.stop_after is not None and self.calls > self.stop_after:
            raise KeyboardInterrupt
        return np.full((*first.shape[:2], 2), first.mean(), np.float32)


@pytest.fixture
def counting(monkeypatch: pytest.MonkeyPatch) -> Counting:
    method = Counting()
    monkeypatch.setattr(flow_evaluation, "open_method", method.open)
    return method


def test_a_run_that_was_stopped_goes_on_and_gives_the_same(root: Path, tmp_path: Path, counting: Counting) -> None:
    words = ["--method", "counting", "--split", "all", "--worst", "0"]
    assert evaluate(root, *words, "--out", tmp_path / "whole") == 0
    assert counting.calls == 5
    # within the second clip
    counting.calls, counting.stop_after = 0, 3
    assert evaluate(root, *words, "--out", tmp_path / "stopped") == 130
    assert not (tmp_path / "stopped" / "result.json").exists()
    counting.calls, counting.stop_after = 0, None
    assert evaluate(root, *words, "--out", tmp_path / "stopped") == 0
    # the first clip is kept
    assert counting.calls == 3
    for file in ("result.json", "table.md", "index.html"):
        assert (tmp_path / "whole" / file).read_bytes() == (tmp_path / "stopped" / file).read_bytes()
    counting.calls = 0
    assert evaluate(root, *words, "--out", tmp_path / "stopped") == 0
    assert counting.calls == 0


def test_nothing_is_half_written_wherever_it_is_killed(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SIGKILL before each file is put in place, one after the other, in the same folder."""
    folders = {name: [tmp_path / name / "out", tmp_path / name / "saved"] for name in ("whole", "killed")}

    def words(name: str) -> list[str]:
        options = ["--method", "zero", "--split", "all", "--worst", "0"]
        out, saved = map(str, folders[name])
        return ["evaluate", "flow", str(root), *options, "--out", out, "--save", saved]

    assert main(words("whole")) == 0
    flush, left = files.flush, [0]

    def kill_or_flush(path: Path) -> None:
        left[0] -= 1
        if left[0] == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        flush(path)

    monkeypatch.setattr(files, "flush", kill_or_flush)
    for place in range(1, 100):
        shutil.rmtree(tmp_path / "killed", ignore_errors=True)
        if (child := os.fork()) == 0:
            left[0] = place
            os._exit(main(words("killed")))
        _, status = os.waitpid(child, 0)
        visible = [file for file in tmp_path.glob("killed/**/*.*") if not files.is_temporary(file.name)]
        for file in visible:
            twin = tmp_path / "whole" / file.relative_to(tmp_path / "killed")
            assert file.read_bytes() == twin.read_bytes(), file
        if not os.WIFSIGNALED(status):
            break
        # the temporary file of the kill is there, and the next run goes on and leaves none
        assert len(visible) == place - 1
        assert main(words("killed")) == 0
        made = [{file.relative_to(tmp_path / name) for file in tmp_path.glob(f"{name}/**/*")} for name in folders]
        assert made[0] == made[1]
    # flow of five pairs, figures of three clips, result, table and page
    assert (place, len(visible)) == (12, 11)


def test_what_has_changed_is_measured_again(root: Path, tmp_path: Path, counting: Counting) -> None:
    words = ["--method", "counting", "--worst", "0", "--out", tmp_path / "out"]
    assert evaluate(root, *words) == 0
    before = read_result(tmp_path / "out")
    flow = root / "test" / "Flow" / "run" / "forward" / "0003.flo"
    write_flow(flow, np.zeros((*SIZE, 2), np.float32))
    counting.calls = 0
    assert evaluate(root, *words) == 0
    assert counting.calls == 1
    after = read_result(tmp_path / "out")
    assert after.clips[0] == before.clips[0]
    assert after.clips[1] != before.clips[1]
    # another name alone is no reason
    assert evaluate(root, *words, "--name", "Mine", "--trained-on", "nothing at all") == 0
    assert counting.calls == 1
    assert (read_result(tmp_path / "out").method.title, read_result(tmp_path / "out").method.trained_on) == (
        "Mine",
        "nothing at all",
    )


def test_predictions_that_were_kept_measure_the_same(root: Path, tmp_path: Path, counting: Counting) -> None:
    words = ["--method", "counting", "--worst", "0", "--out", tmp_path / "out"]
    assert evaluate(root, *words) == 0
    counting.calls = 0
    for calls in (3, 3):
        # what is there is not made a second time
        assert evaluate(root, *words, "--save", tmp_path / "kept") == 0
        assert counting.calls == calls
    assert evaluate(root, "--predictions", tmp_path / "kept", "--out", tmp_path / "again") == 0
    assert read_result(tmp_path / "again").averages == read_result(tmp_path / "out").averages


def test_predictions_that_cannot_be_measured_end_in_sentences_and_no_result(
    root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mine = predict(root, tmp_path / "mine", 1.0)
    words = ["--predictions", mine, "--out", tmp_path / "out"]
    assert evaluate(root, *words) == 0
    assert read_result(tmp_path / "out").averages.figure("epe", "pooled") == pytest.approx(1, abs=1e-5)
    [frame, other] = sorted((mine / "fight").iterdir())
    flow = np.full((*SIZE, 2), np.nan, "<f4")
    frame.write_bytes(frame.read_bytes()[:12] + flow.tobytes())
    other.unlink()
    capsys.readouterr()
    assert evaluate(root, *words) == 1
    said = capsys.readouterr().err
    assert re.search(r"fight has no prediction 0009\.flo", said)
    # nobody takes the earlier result for that of these predictions
    assert not any((tmp_path / "out" / name).exists() for name in ("result.json", "table.md", "index.html"))
    write_flow(other, np.zeros((*SIZE, 2), np.float32))
    assert evaluate(root, *words) == 1
    said = capsys.readouterr().err
    assert re.search(r"cut 'fight': .*0008\.flo has no finite motion at \d+ of \d+ pixels that are measured", said)
    write_flow(frame, np.zeros((4, 4, 2), np.float32))
    assert evaluate(root, *words) == 1
    assert "0008.flo is a prediction of 4 x 4 pixels, but the frames have 32 x 24" in capsys.readouterr().err


def test_two_results_are_compared(root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    near, far = (predict(root, tmp_path / name, by) for name, by in (("near", 1), ("far", 2)))
    assert evaluate(root, "--predictions", far, "--out", tmp_path / "a") == 0
    assert evaluate(root, "--predictions", near, "--out", tmp_path / "b", "--compare", tmp_path / "a") == 0
    sentence = "By EPE, near is better than far in 2 of 2 clips and worse in 0."
    assert sentence in (tmp_path / "b" / "table.md").read_text()
    assert sentence in (tmp_path / "b" / "index.html").read_text()
    assert sentence in capsys.readouterr().out
    assert evaluate(root, "--predictions", near, "--out", tmp_path / "c", "--split", "all", "--compare", tmp_path / "a")
    assert "was measured on other pairs" in capsys.readouterr().err


@pytest.mark.parametrize(
    "label", ["Flow/fight/forward/0008.flo", "UnmatchedForward/fight/0008.npy", "LineArea/fight/0008.npy"]
)
def test_results_on_other_labels_are_not_compared(
    root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], label: str
) -> None:
    assert evaluate(root, "--method", "zero", "--out", tmp_path / "a") == 0
    words = ["--method", "farneback", "--out", tmp_path / "b", "--compare", tmp_path / "a"]
    assert evaluate(root, *words) == 0
    [file] = (root / "test").glob(label)
    data = bytearray(file.read_bytes())
    # of the same size as before
    data[-1] ^= 1
    file.write_bytes(data)
    capsys.readouterr()
    assert evaluate(root, *words) == 2
    assert "on other labels of the same pairs" in capsys.readouterr().err
    # with what was measured on these labels it can be
    assert evaluate(root, "--method", "zero", "--out", tmp_path / "a") == 0
    assert evaluate(root, *words) == 0


def test_columns_of_fewer_pairs_say_so(root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (root / "test" / "UnmatchedForward" / "fight" / "0008.npy").unlink()
    shutil.rmtree(root / "test" / "LineArea" / "run")
    assert evaluate(root, "--method", "zero", "--out", tmp_path / "out") == 0
    said = capsys.readouterr().out
    for sentence in (
        "Non-occ. and Occ. are measured on 2 of 3 pairs: the others have no UnmatchedForward.",
        "Line and Flat are measured on 2 of 3 pairs: the others have no LineArea.",
    ):
        assert sentence in said
        assert sentence in (tmp_path / "out" / "table.md").read_text()
    # all have them
    assert evaluate(root, "--method", "zero", "--split", "train", "--out", tmp_path / "train") == 0
    assert "are measured on" not in capsys.readouterr().out


def test_the_page_shows_the_worst_pairs_first_and_loads_nothing(root: Path, tmp_path: Path) -> None:
    assert evaluate(root, "--method", "zero", "--out", tmp_path / "out", "--worst", "2") == 0
    result = read_result(tmp_path / "out")
    page = (tmp_path / "out" / "index.html").read_text()
    errors = {
        f"{clip.name}, {pair.frames[0]} \u2192 {pair.frames[1]}": pair.figures["epe"].value
        for clip in result.clips
        for pair in clip.pairs
    }
    worst = sorted(errors, key=lambda name: -(errors[name] or 0))
    assert page.index(worst[0]) < page.index(worst[1])
    assert worst[2] not in page
    assert page.count("data:image/webp") == 8
    assert not re.search(r"(src|href)=\"(?!data:)", page)


def test_names_of_others_are_text_on_the_page(root: Path, tmp_path: Path) -> None:
    name = "<script>alert(1)</script>|`"
    assert evaluate(root, "--method", "zero", "--name", name, "--out", tmp_path / "out") == 0
    assert "<script>alert" not in (tmp_path / "out" / "index.html").read_text()
    assert "</script>&#124;`" in (tmp_path / "out" / "table.md").read_text()


def test_what_is_not_there_is_said(root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = ["--out", tmp_path / "out"]
    for words, said in (
        (["--method", "zero", "--split", "val"], "has no split 'val'; choose with --split among train, test, all"),
        (["--method", "zero", "--cut", "nobody"], "has no cut 'nobody'"),
        (["--method", "zero", "--cut", "jump"], "has no cuts to measure"),
        (["--method", "zero", "--predictions", root], "give --method NAME or --predictions FOLDER"),
        ([], "give --method NAME or --predictions FOLDER"),
        (["--method", "raft"], "there is no method 'raft'"),
        (["--predictions", tmp_path / "none"], "is no folder of predictions"),
        (["--method", "zero", "--pictures", "contour"], "has no pair of frames with flow"),
        (["--method", "zero", "--compare", tmp_path], "is no result"),
    ):
        assert evaluate(root, *words, *out) == 2, words
        assert said in capsys.readouterr().err, words
    assert main(["evaluate", "depth", str(root), "--method", "zero", *map(str, out)]) == 2
    assert "there is no evaluation of 'depth'; choose one of flow" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_pairs_without_flow_are_left_out_and_said(root: Path, tmp_path: Path) -> None:
    (root / "test" / "Flow" / "fight" / "forward" / "0009.flo").unlink()
    assert evaluate(root, "--method", "zero", "--out", tmp_path / "out") == 0
    result = read_result(tmp_path / "out")
    assert result.pairs == 2
    assert "1 pair was left out: fight 9-10 has no flow_forward." in result.remarks


def test_a_dataset_without_masks_has_no_figures_for_them(root: Path, tmp_path: Path) -> None:
    for name in ("UnmatchedForward", "LineArea", "Valid"):
        shutil.rmtree(root / "test" / name)
    assert evaluate(root, "--method", "zero", "--out", tmp_path / "out") == 0
    result = read_result(tmp_path / "out")
    assert result.averages.figure("epe_occluded", "pooled") is None
    assert result.averages.figure("epe_line", "pooled") is None
    pixels = 3 * SIZE[0] * SIZE[1]
    assert result.averages.counts == {
        "pixels": pixels,
        "valid": pixels,
        "pairs": 3,
        "with_occlusion": 0,
        "with_line_area": 0,
    }
    # a page that has no figure of a column is one all the same
    assert json.loads((tmp_path / "out" / "result.json").read_text())["format"] == 1
