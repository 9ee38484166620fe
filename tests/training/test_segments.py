"""Training of segment matching: what crops do to matches, and that a training goes on where it stopped."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed here: scripts/test.sh has .venv-torch for it")
pytest.importorskip("pydantic")

from animerun_gen.benchmark.ant.inputs import IGNORED  # noqa: E402
from animerun_gen.benchmark.options import EvaluationOptions  # noqa: E402
from animerun_gen.benchmark.run import evaluate  # noqa: E402
from animerun_gen.benchmark.segments.evaluation import open_evaluation  # noqa: E402
from animerun_gen.dataset import ClipWriter  # noqa: E402
from animerun_gen.errors import ConfigError  # noqa: E402
from animerun_gen.training.config import read_training  # noqa: E402
from animerun_gen.training.segment_augmentation import LEAST_SHARE, SegmentFinish  # noqa: E402
from animerun_gen.training.segments import SegmentTask, train_from  # noqa: E402
from animerun_gen.training.segments_config import SegmentAugmentation, SegmentTraining  # noqa: E402
from tests.benchmark.ant.scenes import boxes_pair  # noqa: E402

pytestmark = pytest.mark.torch

SHIPPED = sorted((Path(__file__).resolve().parents[2] / "configs" / "training").glob("ant*.yaml"))


def told_by_pictures(seed: int) -> dict[str, Any]:
    """A pair whose pictures say the number of each segment."""
    sample = boxes_pair(seed, boxes=9, gone=2)
    sample["images"] = [np.repeat(labels[..., None], 3, 2).astype(np.uint8) for labels in sample["segments"]]
    # some have a second match
    sample["all_matches"][1:4] = [[targets[0], 0] for targets in sample["all_matches"][1:4]]
    return sample


@pytest.mark.parametrize("seed", range(12))
def test_matches_follow_crop_shift_and_flip(seed: int) -> None:
    sample = told_by_pictures(seed)
    settings = SegmentAugmentation(shift=9, flip_horizontally=0.5, flip_vertically=0.5)
    pair = SegmentFinish((40, 28), settings)(sample, np.random.default_rng(seed))
    assert pair.labels.shape == (2, 28, 40)
    assert pair.size == (64, 48)
    # which segment of the whole frame each one is
    olds = []
    for picture, labels in zip(pair.pictures[:, 0], pair.labels, strict=True):
        names = [np.unique(picture[labels == segment]) for segment in range(int(labels.max()) + 1)]
        assert all(len(name) == 1 for name in names)
        olds.append([int(name[0]) for name in names])
        assert sorted(set(olds[-1])) == sorted(olds[-1])
    assert pair.matches is not None
    for new, (old, match) in enumerate(zip(olds[0], pair.matches.tolist(), strict=True)):
        targets = sample["all_matches"][old]
        share = (pair.labels[0] == new).sum() / (sample["segments"][0] == old).sum()
        if share < LEAST_SHARE:
            assert match == IGNORED
        elif match >= 0:
            assert olds[1][match] == targets[0]
        else:
            assert targets[0] not in olds[1]
            assert (match == IGNORED) == any(target in olds[1] for target in targets)
    assert pair.shared.sum() == 28 * 40


def test_places_are_those_in_the_whole_frame() -> None:
    sample = told_by_pictures(1)
    whole = SegmentFinish((64, 48), None)(sample, np.random.default_rng(0))
    crop = SegmentFinish((32, 24), None)(sample, np.random.default_rng(0))
    # in the middle, and neither shifted nor mirrored
    assert (crop.pictures == whole.pictures[:, :, 12:36, 16:48]).all()
    for one, labels, picture in zip(crop.geometry, crop.labels, crop.pictures[:, 0], strict=True):
        rows, columns = np.nonzero(labels == 0)
        assert one[0, :4].tolist() == [columns.min() + 16, columns.max() + 16, rows.min() + 12, rows.max() + 12]
        np.testing.assert_allclose(one[0, 4:6], [columns.mean() + 16, rows.mean() + 12], rtol=1e-6)
        assert picture.shape == (24, 32)


def test_a_shift_looks_like_motion() -> None:
    sample = told_by_pictures(2)
    sample["segments"][1], sample["images"][1] = sample["segments"][0], sample["images"][0]
    sample["all_matches"] = [[segment] for segment in range(10)]
    settings = SegmentAugmentation(shift=6, flip_horizontally=0, flip_vertically=0)
    moves = set()
    for seed in range(8):
        pair = SegmentFinish((44, 30), settings)(sample, np.random.default_rng(seed))
        assert pair.matches is not None
        # inner segments, which no crop cuts
        areas = [one[:, 6] for one in pair.geometry]
        for source, target in enumerate(pair.matches):
            if source and target >= 0 and areas[0][source] == areas[1][target] and len(np.unique(pair.labels[0])) > 1:
                name = pair.pictures[0, 0][pair.labels[0] == source][0]
                if (sample["segments"][0] == name).sum() == areas[0][source]:
                    moves.add(tuple(np.rint(pair.geometry[1][target, 4:6] - pair.geometry[0][source, 4:6]).tolist()))
    assert len(moves) > 3
    assert max(abs(way) for move in moves for way in move) <= 6


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("boxes")
    for split, cut, seed in (("train", "one", 1), ("train", "two", 2), ("val", "three", 3)):
        sample = boxes_pair(seed)
        writer = ClipWriter(folder, split, cut)
        for frame, (picture, labels) in enumerate(zip(sample["images"], sample["segments"], strict=True), 1):
            writer.write("frame", frame, picture)
            writer.write("segment", frame, labels)
        writer.write("match_forward", 1, sample["all_matches"])
    return folder


def config(folder: Path, root: Path, steps: int) -> Path:
    file = folder / f"{steps}.yaml"
    file.write_text(
        f"""
model: {{channels: [4, 4, 8], heads: 2, layers: 2, rounds: 2, context: 1, relative: true, occlusion: head}}
crop: [48, 32]
data: [{{root: {root}}}]
validation: [{{root: {root}, split: val}}]
schedule: {{steps: {steps}, batch: 1, accumulate: 2, rate: 3.0e-3, shape: constant, validate_every: 4, save_every: 2,
  log_every: 1}}
"""
    )
    return file


def test_trains_is_stopped_and_goes_on(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    straight = tmp_path / "straight"
    told = train_from(config(tmp_path, root, 6), straight, device="cpu")
    assert any("acc" in sentence for sentence in told)
    from animerun_gen.training import loop

    killed, update = tmp_path / "killed", loop._Run._update
    done: list[None] = []

    def stop_after_three(self: Any, batches: Any) -> float:
        done.append(None)
        if len(done) == 4:
            raise KeyboardInterrupt
        return update(self, batches)

    monkeypatch.setattr(loop._Run, "_update", stop_after_three)
    with pytest.raises(KeyboardInterrupt):
        train_from(config(tmp_path, root, 6), killed, device="cpu")
    monkeypatch.undo()
    train_from(config(tmp_path, root, 6), killed, device="cpu")
    one, other = (torch.load(folder / "final.pt", weights_only=True) for folder in (straight, killed))
    assert all(torch.equal(one["state"][name], other["state"][name]) for name in one["state"])
    lines = [json.loads(line) for line in (straight / "log.jsonl").read_text().splitlines()]
    assert {"acc", "acc_visible", "acc_occluded", "acc val"} <= next(
        line["validation"] for line in lines if "validation" in line
    ).keys()


def test_a_guided_model_is_trained_and_evaluated(root: Path, tmp_path: Path) -> None:
    """What it was trained on stands in its weights and in the results; its guide comes from the file of weights."""
    text = config(tmp_path, root, 2).read_text().replace("head}", "head, guide: [dis, farneback]}")
    file = tmp_path / "guided.yaml"
    file.write_text(text.replace(f"data: [{{root: {root}}}]", f"data: [{{root: {root}, repeat: 2}}]"))
    train_from(file, tmp_path / "guided", device="cpu")
    options = EvaluationOptions(
        dataset=root, output=tmp_path / "out", method=f"checkpoint:{tmp_path / 'guided' / 'final.pt'}", splits=("val",)
    )
    result = evaluate(open_evaluation(options), options.output).result
    assert result is not None
    assert result.method.trained_on == f"{root.name} (2 pairs x 2): 2 steps"
    assert result.pairs == 1


def test_an_untrained_guided_model_has_the_figures_of_the_votes(root: Path, tmp_path: Path) -> None:
    file = tmp_path / "guided.yaml"
    file.write_text(config(tmp_path, root, 1).read_text().replace("head}", "head, guide: [farneback]}"))
    task = SegmentTask(read_training(file, SegmentTraining))
    task.network.eval()
    options = EvaluationOptions(dataset=root, output=tmp_path / "out", method="flow:farneback", splits=("val",))
    votes = evaluate(open_evaluation(options), options.output).result
    assert votes is not None
    with torch.no_grad():
        assert task.validate()["acc"] == votes.averages.figure("acc", "mean_of_pairs")


def test_a_crop_must_fit_into_the_frames(root: Path, tmp_path: Path) -> None:
    file = config(tmp_path, root, 1)
    file.write_text(file.read_text().replace("crop: [48, 32]", "crop: [48, 49]"))
    with pytest.raises(ConfigError) as caught:
        train_from(file, tmp_path / "out", device="cpu")
    assert caught.value.problems == [
        f"crop: [48, 49] is larger than the frames of {root}, which have 64 x 48 pixels; make it [48, 48] or smaller"
    ]
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("file", SHIPPED, ids=lambda file: file.stem)
def test_shipped_configurations_can_be_read(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ANIMERUN", "VIEWS", "WIDE"):
        monkeypatch.setenv(name, "/data")
    wanted = read_training(file, SegmentTraining)
    assert all(data.split == "train" for data in wanted.data)


def test_mistakes_of_a_file_are_told(tmp_path: Path) -> None:
    file = tmp_path / "bad.yaml"
    file.write_text("model: {guide: [dis, dis]}\ndata: [{root: x}]\nschedule: {steps: 1, batch: 1, rate: 1}\n")
    with pytest.raises(ConfigError, match="names a flow method more than once"):
        train_from(file, tmp_path / "out", device="cpu")
    file.write_text("model: {layers: 5, rounds: 2}\ndata: [{root: x}]\nschedule: {steps: 1, batch: 1, rate: 1}\n")
    with pytest.raises(ConfigError, match="layers must be a multiple of rounds"):
        train_from(file, tmp_path / "out", device="cpu")
