from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytestmark = pytest.mark.torch
torch = pytest.importorskip("torch")

from animerun_gen.benchmark.learned.lpips import LAYERS, Lpips, open_lpips  # noqa: E402
from animerun_gen.errors import UsageError  # noqa: E402


def test_other_weights_are_refused_for_they_give_numbers_too(tmp_path: Path) -> None:
    torch.save({"features.0.weight": torch.zeros(1)}, tmp_path / "alexnet-owt-7be5be79.pth")
    with pytest.raises(UsageError, match=r"SHA-256 .* download it from https://download\.pytorch\.org"):
        open_lpips(tmp_path / "alexnet-owt-7be5be79.pth")
    with pytest.raises(UsageError, match="does not exist"):
        open_lpips(tmp_path / "none.pth")


def test_it_is_that_of_the_package_with_the_same_backbone(tmp_path: Path) -> None:
    lpips = pytest.importorskip("lpips")
    torchvision = pytest.importorskip("torchvision")
    torch.manual_seed(3)
    # with random weights: nobody takes what comes of it for a result
    backbone = torchvision.models.alexnet(weights=None)
    torch.save(backbone.state_dict(), tmp_path / "random.pth")
    theirs = lpips.LPIPS(net="alex", pnet_rand=True, verbose=False)
    for number, inside in LAYERS.items():
        theirs.net.get_submodule(inside).load_state_dict(backbone.features[int(number)].state_dict())
    rng = np.random.default_rng(0)
    prediction, truth = rng.integers(0, 256, (2, 64, 80, 3)).astype(np.uint8)
    one, other = (torch.from_numpy(frame).permute(2, 0, 1)[None] / 255 for frame in (prediction, truth))
    expected = float(theirs(one, other, normalize=True))
    ours = Lpips(tmp_path / "random.pth", torch.device("cpu"))
    assert ours(prediction, truth) == pytest.approx(expected, rel=1e-5)
    assert ours(truth, truth) == 0.0
    assert expected > 0.0


def test_it_is_a_column_of_the_evaluation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from animerun_gen.benchmark.interpolation.evaluation import open_evaluation
    from animerun_gen.benchmark.learned import lpips
    from animerun_gen.benchmark.options import EvaluationOptions
    from animerun_gen.benchmark.run import evaluate
    from tests.benchmark.interpolation.clips import write_square

    write_square(tmp_path / "data", frames=range(1, 4))
    # a distance that is easy to tell
    monkeypatch.setattr(lpips, "open_lpips", lambda path, device: lambda prediction, truth: 0.25)
    options = EvaluationOptions(tmp_path / "data", tmp_path / "out", method="blend", lpips=tmp_path / "alexnet.pth")
    result = evaluate(open_evaluation(options), options.output, worst=0).result
    assert result is not None
    assert result.averages.mean_of_pairs["lpips"].value == 0.25
    assert result.columns[-1].key == "lpips"
