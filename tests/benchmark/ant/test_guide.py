"""The guide of AnT: its numbers against slow loops, and that an untrained guided model decides as the votes do."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed here: scripts/test.sh has .venv-torch for it")

from animerun_gen.benchmark.ant import guide as guides  # noqa: E402
from animerun_gen.benchmark.ant.guide import guidance  # noqa: E402
from animerun_gen.benchmark.ant.inputs import IGNORED, AntBatch, collate_pairs, prepare_pair  # noqa: E402
from animerun_gen.benchmark.ant.matcher import AntMatcher  # noqa: E402
from animerun_gen.benchmark.ant.matching import decide, matching_loss  # noqa: E402
from animerun_gen.benchmark.ant.model import Ant, AntShape  # noqa: E402
from animerun_gen.benchmark.flow.methods import PLAIN  # noqa: E402
from animerun_gen.benchmark.segments.methods import SegmentPair, votes_of_flow  # noqa: E402
from tests.benchmark.ant.scenes import boxes_pair  # noqa: E402

pytestmark = pytest.mark.torch

Flow = npt.NDArray[np.float32]


def drawn_flows(monkeypatch: pytest.MonkeyPatch, seed: int, farthest: float = 9) -> dict[str, tuple[Flow, Flow]]:
    """Let guides say flows that are drawn at random, there and back; what is in one corner leaves the picture."""
    rng = np.random.default_rng(seed)
    flows = {}
    for name in guides.GUIDES:
        there, back = (np.cumsum(rng.normal(0, 1, (48, 64, 2)), axis=1).astype(np.float32) for _ in range(2))
        there, back = (np.clip(flow, -farthest, farthest) for flow in (there, back))
        there[:24, :32] -= 70
        flows[name] = there, back
        monkeypatch.setitem(PLAIN, name, (name, Told(flows[name])))
    return flows


class Told:
    """A flow method that says what it was given: the flow there for frames in their order, else the flow back."""

    def __init__(self, flows: tuple[Flow, Flow]) -> None:
        self.flows = flows

    def __call__(self, first: npt.NDArray[np.uint8], second: npt.NDArray[np.uint8]) -> Flow:
        # the frames of these tests are told apart by their upper left pixel
        return self.flows[int(first[0, 0, 0]) != 1]


def marked_pair(seed: int) -> dict[str, Any]:
    sample = boxes_pair(seed, boxes=9, gone=2)
    for number, image in enumerate(sample["images"], 1):
        image[0, 0] = number
    return sample


@pytest.mark.parametrize("seed", range(3))
def test_votes_and_facts_are_those_of_a_slow_loop(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    flows = drawn_flows(monkeypatch, seed)
    sample = marked_pair(seed)
    images, segments = sample["images"], sample["segments"]
    found = guidance(images, segments, guides.GUIDES)
    for at, name in enumerate(guides.GUIDES):
        for frame in (0, 1):
            flow, back = flows[name][frame], flows[name][1 - frame]
            labels, other = segments[frame], segments[1 - frame]
            for segment in range(int(labels.max()) + 1):
                pixels = np.argwhere(labels == segment)
                moved = np.array([flow[y, x] for y, x in pixels], np.float64)
                landed, misses, unlike = [], [], []
                for (y, x), way in zip(pixels, moved, strict=True):
                    row, column = int(np.rint(y + np.float32(way[1]))), int(np.rint(x + np.float32(way[0])))
                    if 0 <= row < 48 and 0 <= column < 64:
                        landed.append(int(other[row, column]))
                        misses.append(min(64.0, float(np.hypot(*(way + back[row, column])))))
                        difference = images[frame][y, x].astype(float) - images[1 - frame][row, column]
                        unlike.append(np.abs(difference).mean() / 255)
                shares = np.bincount(landed, minlength=int(other.max()) + 1) / len(pixels)
                votes = found.votes[2 * at + frame]
                np.testing.assert_allclose((votes.T if frame else votes)[segment], shares, atol=1e-6)
                mean = moved.mean(0)
                expected = [
                    *(mean / 64),
                    np.log1p(np.hypot(*(moved - mean).T).mean()),
                    len(landed) / len(pixels),
                    shares.max(),
                    np.log1p(np.mean(misses)) if misses else 0,
                    np.mean(unlike) if unlike else 0,
                ]
                facts = found.facts[frame][segment, 7 * at : 7 * at + 7]
                np.testing.assert_allclose(facts, expected, atol=2e-5)


@pytest.mark.parametrize("occlusion", ["column", "head"])
@pytest.mark.parametrize("relative", [False, True])
@pytest.mark.parametrize("name", guides.GUIDES)
def test_an_untrained_model_decides_as_the_votes_do(
    occlusion: str, relative: bool, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = (name, *(other for other in guides.GUIDES if other != name))
    shape = AntShape((4, 8, 16), 2, 4, rounds=2, relative=relative, occlusion=occlusion, guide=order)
    torch.manual_seed(0)
    matcher = AntMatcher(Ant(shape), torch.device("cpu"))
    lost = 0
    for seed in range(4):
        flows = drawn_flows(monkeypatch, seed)
        sample = marked_pair(seed)
        pair = SegmentPair(tuple(sample["images"]), tuple(sample["segments"]))
        votes = votes_of_flow(flows[name][0], *pair.segments)
        lost += votes.count(-1)
        assert matcher(pair) == votes
        # in each round
        batch = collate_pairs([prepare_pair(pair.pictures, pair.segments, guides=order)])
        with torch.inference_mode():
            assert [decide(one)[0].tolist()[: len(votes)] for one in matcher.model(batch)] == [votes] * 2
    assert lost


def test_all_that_a_guided_model_is_told_can_be_learnt_from(monkeypatch: pytest.MonkeyPatch) -> None:
    """No part is cut off from the loss by weights that begin with 0: after a step each has a gradient."""
    drawn_flows(monkeypatch, 0)
    sample = marked_pair(0)
    shape = AntShape((4, 8, 16), 2, 4, rounds=2, relative=True, occlusion="head", guide=guides.GUIDES)
    torch.manual_seed(0)
    model = Ant(shape)
    matches = [targets[0] for targets in sample["all_matches"]]
    batch = collate_pairs([prepare_pair(sample["images"], sample["segments"], matches, guides=shape.guide)])
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    for _ in range(3):
        optimizer.zero_grad()
        table = sum(one.gather(2, batch.matches.clamp_min(0).unsqueeze(2)).sum() for one in model(batch))
        (-table).backward()
        optimizer.step()
    without = {name for name, part in model.named_parameters() if part.grad is None or not part.grad.any()}
    # what the target frame says of itself counts for sinkhorn alone; keys' biases cancel out in every softmax
    assert {name for name in without if "key.bias" not in name and ".bias." not in name} <= {"unmatched"}


def test_a_little_training_makes_it_better_than_the_votes_on_pairs_it_never_saw() -> None:
    def batch_of(seeds: range) -> AntBatch:
        pairs = []
        for seed in seeds:
            sample = boxes_pair(seed, boxes=9, gone=2)
            matches = [targets[0] for targets in sample["all_matches"]]
            pairs.append(prepare_pair(sample["images"], sample["segments"], matches, guides=("dis",)))
        return collate_pairs(pairs)

    def accuracy(model: Ant, batch: AntBatch) -> float:
        with torch.inference_mode():
            found = decide(model(batch)[-1])
        known = batch.matches != IGNORED
        return 100 * float((found == batch.matches)[known].float().mean())

    torch.manual_seed(0)
    model = Ant(AntShape((4, 8, 16), 2, 2, rounds=2, relative=True, occlusion="head", guide=("dis",)))
    held_out = batch_of(range(1000, 1024))
    votes = accuracy(model, held_out)
    optimizer = torch.optim.Adam(model.parameters(), 5e-3)
    for step in range(40):
        batch = batch_of(range(8 * step, 8 * step + 8))
        loss = sum(matching_loss(one, batch.matches) for one in model(batch))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    trained = accuracy(model, held_out)
    print(f"votes {votes:.1f}, trained {trained:.1f}")
    assert trained > votes + 5


def test_pictures_may_be_small() -> None:
    sample = boxes_pair(1)
    crops = [image[:17, :20] for image in sample["images"]]
    labels = [np.zeros((17, 20), np.int32)] * 2
    found = guidance(crops, labels, guides.GUIDES)
    assert found.votes.shape == (4, 1, 1)
    assert np.isfinite(found.facts).all()


def test_a_model_without_a_guide_is_what_it_was() -> None:
    """Its parts have the names that files of weights of earlier versions have."""
    shape = AntShape((4, 8, 16), 2, 2, rounds=2, relative=True, occlusion="head")
    names = set(Ant(shape).state_dict())
    assert {"pair_score.0.weight", "seen.1.0.weight", "moved.0.0.weight", "unmatched"} <= names
    assert not any("guided" in name for name in names)
    assert dataclasses.asdict(shape)["guide"] == ()
