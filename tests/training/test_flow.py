"""Training of optical flow: unknown flow never counts, and a small network learns the motion of small clips."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed here: scripts/test.sh has .venv-torch for it")
pytest.importorskip("pydantic", reason="a training is described by pydantic models")
from torch import nn  # noqa: E402

from animerun_gen.dataset import ClipWriter  # noqa: E402
from animerun_gen.errors import ConfigError, NoDatasetError, UsageError  # noqa: E402
from animerun_gen.networks import flow as networks  # noqa: E402
from animerun_gen.networks.weights import read_weights  # noqa: E402
from animerun_gen.training import flow as training  # noqa: E402
from animerun_gen.training.checkpoints import TrainingFolder  # noqa: E402
from animerun_gen.training.config import read_training  # noqa: E402
from animerun_gen.training.flow import distance, mean_error, mean_where, open_data, sequence_loss  # noqa: E402
from animerun_gen.training.flow_config import FlowData, FlowTraining  # noqa: E402
from tests.dataset import other_trees  # noqa: E402

pytestmark = pytest.mark.torch

PROJECT = Path(__file__).resolve().parents[2]

HEIGHT, WIDTH, MOTION = 48, 64, (3.0, -2.0)


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_clips(tmp_path_factory.mktemp("clips"), HEIGHT, WIDTH)


def write_clips(root: Path, height: int, width: int) -> Path:
    """Clips of noise that moves by whole pixels, with a patch where the motion is unknown."""
    rng = np.random.default_rng(0)
    for split, cut in (("train", "one"), ("train", "two"), ("test", "three")):
        writer = ClipWriter(root, split, cut)
        picture = rng.integers(0, 256, (height, width, 3), dtype=np.uint8)
        for frame in (1, 2, 3):
            writer.write("frame", frame, picture)
            writer.write("color_1", frame, 255 - picture)
            picture = np.roll(picture, (int(MOTION[1]), int(MOTION[0])), axis=(0, 1))
        known = np.ones((height, width), bool)
        known[:10, :20] = False
        for sign, way, frames in ((1, "forward", (1, 2)), (-1, "backward", (2, 3))):
            flow = np.broadcast_to(np.array(MOTION, np.float32) * np.float32(sign), (height, width, 2)).copy()
            flow[~known] = 1e10
            for frame in frames:
                writer.write(f"flow_{way}", frame, flow)
                writer.write(f"valid_{way}", frame, known)
    return root


class Constant(networks.FlowNetwork):
    """Answers one motion to everything, which it learns, twice."""

    def __init__(self) -> None:
        super().__init__("constant", {}, nn.BatchNorm2d(2, affine=False))
        self.motion = nn.Parameter(torch.zeros(2))

    def forward(self, images: Any) -> list[Any]:
        assert images.dtype == torch.float32
        assert 0 <= float(images.min()) <= float(images.max()) <= 1
        flow = self.motion[None, :, None, None].expand(len(images), 2, *images.shape[-2:])
        return [flow / 2, flow] if self.training else [flow]

    def load_released(self, name: str) -> None:
        raise KeyError(name)


@pytest.fixture
def constant(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(networks._FAMILIES, "test", lambda name, model, options: Constant())


def config(tmp_path: Path, root: Path, **changes: Any) -> Path:
    values = {"steps": 150, "direction": "forward", "validation": f"[{{kind: animerun, root: {root}, split: test}}]"}
    values |= changes
    file = tmp_path / "training.yaml"
    file.write_text(
        f"""
model: {{name: "test:constant"}}
crop: [48, 32]
augmentation: {{scale: [0, 0], scale_share: 0, flip_horizontally: 0, flip_vertically: 0}}
data: [{{kind: animerun, root: {root}, direction: {values["direction"]}, repeat: 2}}]
validation: {values["validation"]}
schedule: {{steps: {values["steps"]}, batch: 2, rate: 0.2, decay: 0, validate_every: 50, save_every: 40, log_every: 10}}
"""
    )
    return file


def test_a_network_learns_the_motion_of_the_clips(tmp_path: Path, dataset: Path, constant: None) -> None:
    said = training.train_from(config(tmp_path, dataset), tmp_path / "out", device="cpu")
    assert "trained 150 steps" in said[0]
    found = read_weights(tmp_path / "out" / "final.pt")
    assert found.tensors["motion"].tolist() == pytest.approx(MOTION, abs=0.05)
    figures = [line["validation"] for line in TrainingFolder(tmp_path / "out").lines() if "validation" in line]
    assert found.about["trained_on"] == f"{dataset.name} (4 pairs x 2)"
    # before the first step it says that nothing moves
    assert figures[0]["epe"] == pytest.approx(np.hypot(*MOTION), abs=1e-5)
    assert figures[-1]["epe animerun"] < 0.05


def test_motion_both_ways_is_opposite(tmp_path: Path, dataset: Path, constant: None) -> None:
    """One answer cannot be right for both: it ends in their middle, which is how the test sees that both are drawn."""
    training.train_from(config(tmp_path, dataset, direction="both", steps=100), tmp_path / "out", device="cpu")
    assert np.abs(read_weights(tmp_path / "out" / "final.pt").tensors["motion"].numpy()).max() < 2


def test_colour_passes_are_drawn_at_random_and_the_same_again(dataset: Path) -> None:
    def pictures(seed: int) -> list[str]:
        data = open_data(FlowData(kind="animerun", root=dataset))
        torch.manual_seed(seed)
        return [data[index % len(data)]["meta"]["pictures"] for index in range(40)]

    assert {"frame", "color_1"} == set(pictures(0))
    assert pictures(0) == pictures(0)


def test_pairs_are_spread_over_the_split(dataset: Path) -> None:
    every = open_data(FlowData(kind="animerun", root=dataset, direction="both"))
    assert len(every) == 8
    some = open_data(FlowData(kind="animerun", root=dataset, direction="both", most=4))
    names = [
        (sample["meta"]["cut"], sample["meta"]["frames"]) for sample in (some[index] for index in range(len(some)))
    ]
    assert len(set(names)) == 4
    assert {cut for cut, _ in names} == {"one", "two"}
    assert len(open_data(FlowData(kind="animerun", root=dataset, cuts=("two",)))) == 2


def test_the_mean_error_is_over_known_pixels_alone(dataset: Path) -> None:
    network = Constant().eval()
    with torch.no_grad():
        network.motion.copy_(torch.tensor([MOTION[0], MOTION[1] + 2.5]))
    assert mean_error(network, open_data(FlowData(kind="animerun", root=dataset))) == pytest.approx(2.5, abs=1e-6)


BAD = [float("nan"), float("inf"), -float("inf"), 1e10, 500.0]


@pytest.mark.parametrize(("u", "v"), list(itertools.product(BAD, [0.0, *BAD])))
def test_unknown_flow_can_never_become_nan(u: float, v: float) -> None:
    """Neither the loss nor its gradient sees what stands where the flow is unknown, or too long."""
    rng = torch.Generator().manual_seed(0)
    truth, flow = torch.randn(2, 2, 6, 8, generator=rng), torch.randn(2, 2, 6, 8, generator=rng)
    valid = torch.rand(2, 1, 6, 8, generator=rng) > 0.3
    valid[0, 0, 0, 0] = True

    def loss_and_gradient(truth: Any, valid: Any) -> tuple[Any, Any]:
        found = flow.clone().requires_grad_()
        loss = sequence_loss([found * 0.5, found], truth, valid, 0.8, 400.0)
        loss.backward()
        return loss.detach(), found.grad

    spoilt = truth.clone()
    spoilt[:, 0][~valid[:, 0]], spoilt[:, 1][~valid[:, 0]] = u, v
    loss, gradient = loss_and_gradient(spoilt, valid)
    wanted, wanted_gradient = loss_and_gradient(truth, valid)
    assert torch.equal(loss, wanted)
    assert torch.equal(gradient, wanted_gradient)
    assert torch.isfinite(gradient).all()
    assert not gradient[(~valid).expand_as(gradient)].any()
    # what claims to be known and cannot be takes no part either
    spoilt[0, :, 0, 0] = torch.tensor([u, v])
    loss, gradient = loss_and_gradient(spoilt, valid)
    assert torch.isfinite(loss)
    assert torch.isfinite(gradient).all()
    assert not gradient[0, :, 0, 0].any()
    assert torch.isfinite(distance(flow, spoilt, valid & torch.isfinite(spoilt).all(1, keepdim=True))).all()


def test_where_nothing_is_known_there_is_nothing_to_learn() -> None:
    flow = torch.ones(1, 2, 4, 4, requires_grad=True)
    nothing = torch.zeros(1, 1, 4, 4, dtype=torch.bool)
    loss = sequence_loss([flow], torch.full((1, 2, 4, 4), torch.nan), nothing, 0.8, 400.0)
    loss.backward()
    assert float(loss.detach()) == 0
    assert flow.grad is not None
    assert not flow.grad.any()
    assert float(mean_where(torch.zeros(1, 1, 4, 4), nothing)) == 0


def test_the_loss_is_rafts_where_all_is_known() -> None:
    """By its formula: sum of gamma^(n - i) times the mean absolute distance."""
    rng = torch.Generator().manual_seed(0)
    truth = torch.randn(2, 2, 5, 7, generator=rng)
    flows = [torch.randn(2, 2, 5, 7, generator=rng) for _ in range(4)]
    wanted = sum(0.85 ** (3 - place) * float((flow - truth).abs().mean()) for place, flow in enumerate(flows))
    found = sequence_loss(flows, truth, torch.ones(2, 1, 5, 7, dtype=torch.bool), 0.85, 400.0)
    assert float(found) == pytest.approx(wanted, rel=1e-6)


def test_distances_are_those_of_the_ends() -> None:
    flow, truth = torch.zeros(1, 2, 1, 2), torch.tensor([[[[3.0, torch.nan]], [[4.0, 1e10]]]])
    valid = torch.tensor([[[[True, False]]]])
    assert distance(flow, truth, valid).tolist() == [[[[5.0, 0.0]]]]
    assert float(mean_where(distance(flow, truth, valid), valid)) == 5.0


def test_frozen_batch_norm_stays(dataset: Path, tmp_path: Path, constant: None) -> None:
    task = training.FlowTask(read_training(config(tmp_path, dataset), FlowTraining))
    task.begin()
    assert task.network.training
    assert not task.network.network.training
    thawed = task.wanted.model_copy(update={"model": task.wanted.model.model_copy(update={"freeze_batch_norm": False})})
    task = training.FlowTask(thawed)
    task.begin()
    assert task.network.network.training


def test_raft_learns_a_step_at_a_time(tmp_path: Path) -> None:
    """The path of the recipes with a real network, where torchvision is there."""
    try:
        networks.build("torchvision:raft_small", {})
    except Exception as error:
        pytest.skip(str(error))
    file = config(tmp_path, write_clips(tmp_path / "clips", 128, 144), steps=2)
    text = file.read_text().replace('"test:constant"', '"torchvision:raft_small", options: {updates: 2}')
    file.write_text(text.replace("crop: [48, 32]", "crop: [128, 128]").replace("rate: 0.2", "rate: 0.0001"))
    training.train_from(file, tmp_path / "out", device="cpu")
    network: Mapping[str, Any] = networks.load(tmp_path / "out" / "final.pt").state_dict()
    assert all(torch.isfinite(value).all() for value in network.values())


def test_the_papers_recipe_starts(tmp_path: Path, constant: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file as it is shipped, with another network, whose weights need not be downloaded, and fewer steps."""
    monkeypatch.setattr(other_trees, "HEIGHT", 540)
    monkeypatch.setattr(other_trees, "WIDTH", 960)
    other_trees.flying_things(tmp_path / "things")
    monkeypatch.setenv("FLYING_THINGS", str(tmp_path / "things"))
    monkeypatch.setenv("ANIMERUN", str(write_clips(tmp_path / "animerun", 540, 960)))
    text = (PROJECT / "configs" / "training" / "flow_paper.yaml").read_text()
    for old, new in (
        ("name: ptlflow:raft", 'name: "test:constant"'),
        ("released: things", "released: null"),
        ("options: {iters: 12}", "options: {}"),
        ("steps: 20000", "steps: 1"),
        ("batch: 12", "batch: 2"),
    ):
        assert old in text
        text = text.replace(old, new)
    (file := tmp_path / "paper.yaml").write_text(text)
    said = training.train_from(file, tmp_path / "out", device="cpu")
    assert "trained 1 step:" in said[0]
    weights = read_weights(tmp_path / "out" / "final.pt")
    assert weights.about["trained_on"].endswith("animerun (8 pairs x 200)")


def test_a_crop_must_fit_into_the_frames(tmp_path: Path, dataset: Path, constant: None) -> None:
    file = config(tmp_path, dataset)
    file.write_text(file.read_text().replace("crop: [48, 32]", "crop: [65, 32]"))
    with pytest.raises(ConfigError, match=r"crop: \[65, 32\] is larger than the frames of .* 64 x 48 pixels"):
        training.train_from(file, tmp_path / "out", device="cpu")
    assert not (tmp_path / "out").exists()


def test_datasets_of_others_mix_with_ours(
    tmp_path: Path, dataset: Path, constant: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """T + S + R: pictures of unlike sizes become crops of one, each dataset comes as often as it is repeated."""
    monkeypatch.setattr(other_trees, "HEIGHT", 20)
    monkeypatch.setattr(other_trees, "WIDTH", 36)
    other_trees.sintel(tmp_path / "sintel")
    other_trees.flying_things(tmp_path / "things")
    other_trees.creative_flow(tmp_path / "creative")
    file = tmp_path / "mix.yaml"
    file.write_text(
        f"""
model: {{name: "test:constant"}}
crop: [32, 16]
data:
  - {{kind: animerun, root: {dataset}, direction: both, repeat: 3}}
  - {{kind: flying_things, root: {tmp_path / "things"}, direction: both, pictures: frames_cleanpass}}
  - {{kind: sintel, root: {tmp_path / "sintel"}}}
  - {{kind: creative_flow, root: {tmp_path / "creative"}}}
schedule: {{steps: 20, batch: 3, rate: 0.01}}
"""
    )
    task = training.FlowTask(read_training(file, FlowTraining))
    task.begin()
    for number in range(0, 60, 3):
        batch = task.collate([task.samples[number + place] for place in range(3)])
        assert batch["images"].shape == (3, 2, 3, 16, 32)
        loss, figures = task.loss(batch)
        assert torch.isfinite(loss)
        assert torch.isfinite(figures["epe"])
    lengths = [len(open_data(data)) for data in task.wanted.data]
    assert task.pairs == sum(lengths)
    assert all(lengths)
    said = training.train_from(file, tmp_path / "out", device="cpu", workers=2)
    assert "trained 20 steps" in said[0]


def test_what_a_dataset_lacks_is_said(tmp_path: Path, constant: None) -> None:
    with pytest.raises(NoDatasetError):
        training.train_from(config(tmp_path, tmp_path / "nowhere"), tmp_path / "out", device="cpu")
    assert not (tmp_path / "out").exists()


def test_a_network_that_fails_ends_in_a_sentence(
    tmp_path: Path, dataset: Path, constant: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = training.FlowTask(read_training(config(tmp_path, dataset), FlowTraining))

    def fail(images: Any) -> Any:
        raise IndexError("list index out of range")

    monkeypatch.setattr(task.network, "forward", fail)
    batch = {"images": torch.zeros(1, 2, 3, 16, 24, dtype=torch.uint8)}
    with pytest.raises(UsageError, match=r"on crops of 24 x 16 pixels \(IndexError: .*correct model.options or crop"):
        task.loss(batch)
