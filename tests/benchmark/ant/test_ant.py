"""AnT: what it must not depend on, and that it learns."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed here: scripts/test.sh has .venv-torch for it")

from animerun_gen.benchmark.ant.inputs import IGNORED, AntBatch, AntPair, collate_pairs, prepare_pair  # noqa: E402
from animerun_gen.benchmark.ant.matcher import AntMatcher, load, model_of  # noqa: E402
from animerun_gen.benchmark.ant.matching import decide, log_assignment, matching_loss  # noqa: E402
from animerun_gen.benchmark.ant.model import Ant, AntShape  # noqa: E402
from animerun_gen.benchmark.ant.pooling import segment_means  # noqa: E402
from animerun_gen.benchmark.segments.methods import SegmentPair  # noqa: E402
from animerun_gen.errors import UsageError  # noqa: E402
from animerun_gen.networks.weights import Weights, write_weights  # noqa: E402
from tests.benchmark.ant.scenes import boxes_pair  # noqa: E402

pytestmark = pytest.mark.torch

PLAIN = AntShape(channels=(4, 8, 16), heads=2, layers=2)
RICH = AntShape(
    channels=(4, 8, 16), heads=2, layers=2, shrink=2, context=1, rounds=2, relative=True, occlusion="head", sinkhorn=5
)
GUIDED = AntShape(
    channels=(4, 8, 16), heads=2, layers=2, rounds=2, relative=True, occlusion="head", guide=("dis", "farneback")
)
SHAPES = pytest.mark.parametrize("shape", [PLAIN, RICH, GUIDED], ids=["paper", "variant", "guided"])


def model_with(shape: AntShape) -> Ant:
    """A model that already does something."""
    torch.manual_seed(0)
    model = Ant(shape)
    for name, part in model.named_parameters():
        # attention begins as none, and so does what a guided model adds to the votes
        if name.endswith(".3.weight") or "compare" in name:
            torch.nn.init.normal_(part, std=0.3)
    return model.eval()


def prepared(sample: dict[str, Any], shape: AntShape) -> AntPair:
    matches = [targets[0] for targets in sample["all_matches"]]
    return prepare_pair(sample["images"], sample["segments"], matches, guides=shape.guide)


def probabilities(model: Ant, batch: AntBatch) -> list[Any]:
    """Of each round, without padding, of the first pair."""
    sources, targets = batch.counts[0].tolist()
    with torch.inference_mode():
        rounds = [one[0].exp() for one in model(batch)]
    return [torch.cat([one[:sources, :targets], one[:sources, -1:]], dim=1) for one in rounds]


@pytest.mark.parametrize("shrunk", [1, 2, 3])
def test_means_are_those_of_each_segment_for_itself(shrunk: int) -> None:
    torch.manual_seed(0)
    labels = torch.randint(-1, 5, (2, 11, 14))
    labels[labels == 3] = 4
    features = torch.randn(2, 3, -(-11 // shrunk), -(-14 // shrunk), requires_grad=True)
    found = segment_means(features, labels, 6, shrunk)
    wide = features.repeat_interleave(shrunk, 2).repeat_interleave(shrunk, 3)[:, :, :11, :14]
    slow = torch.stack(
        [
            torch.stack([one[:, of == k].mean(1) if (of == k).any() else torch.zeros(3) for k in range(6)])
            for one, of in zip(wide, labels, strict=True)
        ]
    )
    torch.testing.assert_close(found, slow)
    weight = torch.randn_like(slow)
    for one, other in zip(
        torch.autograd.grad((found * weight).sum(), features, retain_graph=True),
        torch.autograd.grad((slow * weight).sum(), features),
        strict=True,
    ):
        torch.testing.assert_close(one, other)


@SHAPES
def test_numbers_of_segments_do_not_matter(shape: AntShape) -> None:
    sample = boxes_pair(1)
    model = model_with(shape)
    before = probabilities(model, collate_pairs([prepared(sample, shape)]))
    rng = np.random.default_rng(0)
    orders = [rng.permutation(int(labels.max()) + 1) for labels in sample["segments"]]
    renumbered = {
        **sample,
        "segments": [order[labels] for order, labels in zip(orders, sample["segments"], strict=True)],
    }
    pair = prepare_pair(renumbered["images"], renumbered["segments"], guides=shape.guide)
    after = probabilities(model, collate_pairs([pair]))
    columns = np.append(orders[1], len(orders[1]))
    for one, other in zip(before, after, strict=True):
        torch.testing.assert_close(one, other[orders[0]][:, columns], atol=1e-5, rtol=1e-4)


@SHAPES
def test_padding_and_other_pairs_do_not_matter(shape: AntShape) -> None:
    model = model_with(shape)
    pair, other = prepared(boxes_pair(1), shape), prepared(boxes_pair(2, boxes=9), shape)
    alone = probabilities(model, collate_pairs([pair]))
    for batch in (collate_pairs([pair], at_least=40), collate_pairs([pair, other])):
        for one, padded in zip(alone, probabilities(model, batch), strict=True):
            torch.testing.assert_close(one, padded, atol=1e-5, rtol=1e-4)


@SHAPES
def test_each_row_is_a_distribution(shape: AntShape) -> None:
    model = model_with(shape)
    batch = collate_pairs([prepared(boxes_pair(1), shape), prepared(boxes_pair(2, boxes=9), shape)])
    for one in model(batch):
        rows = one.exp()[batch.present[:, 0]]
        torch.testing.assert_close(rows.sum(1), torch.ones(len(rows)))


@SHAPES
def test_the_same_twice(shape: AntShape) -> None:
    batch = collate_pairs([prepared(boxes_pair(1), shape)])
    losses = []
    for _ in range(2):
        model = model_with(shape)
        loss = matching_loss(model(batch)[-1], batch.matches)
        loss.backward()
        losses.append([loss.detach(), *(part.grad for part in model.parameters() if part.grad is not None)])
    assert all(torch.equal(one, other) for one, other in zip(*losses, strict=True))


@SHAPES
def test_learns_two_pairs_by_heart(shape: AntShape) -> None:
    torch.manual_seed(0)
    model = Ant(shape)
    batch = collate_pairs([prepared(boxes_pair(1), shape), prepared(boxes_pair(2, boxes=7, gone=2), shape)])
    optimizer = torch.optim.Adam(model.parameters(), 5e-3)
    known = batch.matches != IGNORED
    for _ in range(150):
        rounds = model(batch)
        loss = sum(matching_loss(one, batch.matches) for one in rounds)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        right = (decide(rounds[-1]) == batch.matches)[known]
        if right.all():
            break
    assert right.all()


def test_sinkhorn_balances_rows_and_columns() -> None:
    torch.manual_seed(0)
    scores, unmatched = torch.randn(1, 4, 4) * 3, torch.randn(1, 2, 4)
    present = torch.tensor([[[True] * 3 + [False], [True] * 4]])
    found = log_assignment(scores, unmatched, present, sinkhorn=200)[0].exp()
    rows = found[:3]
    torch.testing.assert_close(rows.sum(1), torch.ones(3))
    assert (rows[:, :4].sum(0) <= 1 + 1e-4).all()
    # nothing goes to what is not there
    narrow = log_assignment(scores, unmatched, torch.tensor([[[True] * 4, [True] * 3 + [False]]]), 50)[0].exp()
    assert (narrow[:, 3] < 1e-6).all()


def test_loss_is_the_mean_surprise_of_what_is_known() -> None:
    table = torch.tensor([[[0.5, 0.25, 0.25], [0.1, 0.1, 0.8], [0.2, 0.2, 0.6]]]).log()
    found = matching_loss(table, torch.tensor([[0, -1, IGNORED]]))
    assert float(found) == pytest.approx(-(np.log(0.5) + np.log(0.8)) / 2)
    weighted = matching_loss(table, torch.tensor([[0, -1, IGNORED]]), occluded_weight=3)
    assert float(weighted) == pytest.approx(-(np.log(0.5) + 3 * np.log(0.8)) / 4)
    assert float(matching_loss(table, torch.full((1, 3), IGNORED))) == 0


def test_decisions() -> None:
    table = torch.tensor([[[0.5, 0.2, 0.3], [0.3, 0.3, 0.4], [0.1, 0.6, 0.3]]]).log()
    assert decide(table).tolist() == [[0, -1, 1]]
    assert decide(table, occluded_above=0.25).tolist() == [[-1, -1, -1]]


def test_many_segments_in_a_batch() -> None:
    labels = np.arange(40 * 60, dtype=np.int32).reshape(40, 60) // 5
    pictures = [np.full((40, 60, 3), 255, np.uint8)] * 2
    batch = collate_pairs([prepare_pair(pictures, [labels, labels])] * 2)
    with torch.inference_mode():
        assert model_with(RICH)(batch)[-1].shape == (2, 480, 481)


@SHAPES
def test_weights_are_kept_and_made_again(tmp_path: Path, shape: AntShape) -> None:
    model = model_with(shape)
    path = tmp_path / "final.pt"
    write_weights(path, Weights("segments", model_of(shape), {"step": 3}, model.state_dict()))
    again, weights = load(path)
    assert again.shape == shape
    assert weights.about == {"step": 3}
    sample = boxes_pair(3)
    pair = SegmentPair(tuple(sample["images"]), tuple(sample["segments"]))
    cpu = torch.device("cpu")
    assert AntMatcher(model, cpu)(pair) == AntMatcher(again, cpu)(pair)
    write_weights(path, Weights("flow", {"name": "ant"}, {}, {}))
    with pytest.raises(UsageError, match="network for flow"):
        load(path)
    write_weights(path, Weights("segments", {"name": "ant", "shape": {"channels": [3], "surprise": 1}}, {}, {}))
    with pytest.raises(UsageError, match="describes no model"):
        load(path)
