"""Holds 'animerun-gen evaluate segments' against the published evaluation of AnimeRun, on the same predictions.

    python scripts/compare_published_segments.py CHECKOUT DATASET [--method NAME] [--pictures frame]

CHECKOUT is a copy of the repository lisiyao21/AnimeRun.  Its data loader, the matching and the figures of its network,
and its evaluation in segmat/segment_matching.py are run as they are; in place of what its network computes of a pair
stand numbers from which follows what our method predicted.  It needs torch, torchvision, matplotlib, networkx, Pillow,
tqdm and PyYAML.

Prints a Markdown table, and ends with 1 where a figure differs by more than what sums of float32 lose.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import types
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import torch
from torch import nn
from torch.utils.data import DataLoader

from animerun_gen.benchmark.options import EvaluationOptions
from animerun_gen.benchmark.run import evaluate
from animerun_gen.benchmark.segments.evaluation import open_evaluation
from animerun_gen.dataset import read_matches

PUBLISHED = {
    "Accuracy": "acc",
    "Valid Accuracy": "acc_visible",
    "Invalid Accuracy": "acc_occluded",
    ">300 Accuracy": "acc_many",
}
"""Their figures and ours."""

WIDTH = 128
LOSS = 1e-4
"""In percent: what is lost in sums of float32."""


class Nothing(nn.Module):
    """Stands for parts of the network whose result does not matter."""

    def forward(self, *given: Any) -> Any:
        # the attention gives as many tensors as it is given, all others one
        return given if all(one.shape[1:2] == (WIDTH,) for one in given) else self._tokens(given)

    @staticmethod
    def _tokens(given: tuple[Any, ...]) -> Any:
        if len(given) == 2:
            return torch.zeros(1, WIDTH, int(given[1].max()) + 1)
        return torch.zeros(1, WIDTH, given[0].shape[1])


class Prescribed(nn.Module):
    """Stands for the last projection: the scores of its two results are high where a match is predicted."""

    def __init__(self) -> None:
        super().__init__()
        self.predicted: list[int] = []
        self.targets = 0
        self.calls = 0

    def forward(self, tokens: Any) -> Any:
        self.calls += 1
        numbers = self.predicted if self.calls % 2 else list(range(self.targets))
        rows = torch.zeros(1, self.targets, len(numbers))
        for place, number in enumerate(numbers):
            if number >= 0:
                rows[0, number, place] = 30.0
        return rows


class Prescribing:
    """A loader that says before each pair what is predicted of it."""

    def __init__(self, loader: Any, folder: Path, prescribed: Prescribed) -> None:
        self.loader, self.folder, self.prescribed = loader, folder, prescribed

    def __len__(self) -> int:
        return len(self.loader)

    def __iter__(self) -> Iterator[Any]:
        for sample in self.loader:
            image = Path(sample["file_name"][0])
            cut = image.parent.name if image.parent.name != "original" else image.parent.parent.name
            [found] = self.folder.glob(f"*/{cut}/{image.name}.json")
            self.prescribed.predicted = [targets[0] for targets in read_matches(found)]
            self.prescribed.targets = int(sample["segment1"].max()) + 1
            yield sample


def published_figures(checkout: Path, dataset: Path, split: str, pictures: str, predictions: Path) -> dict[str, float]:
    """What the published evaluation says of predictions."""
    sys.path.insert(0, str(checkout / "segmat"))
    # what it imports beside torch for the parts that are replaced here
    sys.modules["torch_scatter"] = types.ModuleType("torch_scatter")
    sys.modules["torch_scatter"].scatter = None  # type: ignore[attr-defined]
    easydict = types.ModuleType("easydict")
    easydict.EasyDict = dict  # type: ignore[attr-defined]
    sys.modules.setdefault("easydict", easydict)
    log = types.ModuleType("utils.log")
    told: dict[str, float] = {}
    log.Logger = lambda *_: SimpleNamespace(log_eval=told.update)  # type: ignore[attr-defined]
    sys.modules["utils"] = types.ModuleType("utils")
    sys.modules["utils.log"] = log
    # there is no GPU here
    torch.Tensor.cuda = lambda self, *_, **__: self
    import segment_matching  # type: ignore[import-not-found]
    from datasets.anime_seg_mat_dataset import AnimeRunSegMat  # type: ignore[import-not-found]
    from models import SuperGlueSoftMax  # type: ignore[import-not-found]

    model = SuperGlueSoftMax(SimpleNamespace(descriptor_dim=WIDTH, keypoint_encoder=[32, 64, 128], GNN_layer_num=1))
    model.segment_desc = model.kenc = model.gnn = Nothing()
    model.final_proj = Prescribed()
    model.load_state_dict = lambda _: None
    segment_matching.torch = SimpleNamespace(**{**vars(torch), "load": lambda _: {"model": {}}})
    segment_matching.make_matching_seg_plot = lambda *_: None
    kind = "Frame_Anime" if pictures == "frame" else pictures
    loader = DataLoader(AnimeRunSegMat(None, split=split, root=str(dataset), dstype=kind), batch_size=1)
    with tempfile.TemporaryDirectory() as folder:
        agent = SimpleNamespace(
            config=SimpleNamespace(testing=SimpleNamespace(ckpt_epoch=0)),
            expdir=folder,
            ckptdir=folder,
            evaldir=folder,
            model=model,
            test_loader=Prescribing(loader, predictions, model.final_proj),
        )
        segment_matching.SGM.eval(agent)
    return told


def main() -> int:
    """Compare, and say so; returns the exit status."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("checkout", type=Path, help="copy of the repository lisiyao21/AnimeRun")
    parser.add_argument("dataset", type=Path, help="dataset in the layout of AnimeRun")
    parser.add_argument("--split", default="test", help="its split (default: test)")
    parser.add_argument("--method", default="flow:dis", help="method of ours whose predictions are compared")
    parser.add_argument("--pictures", default="frame", help="frame or contour (default: frame)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        kept = Path(folder, "predictions")
        chosen = EvaluationOptions(
            dataset=options.dataset,
            output=Path(folder, "out"),
            method=options.method,
            pictures=options.pictures,
            splits=(options.split,),
            save=kept,
            worst=0,
        )
        done = evaluate(open_evaluation(chosen), chosen.output, worst=0)
        if done.result is None:
            print("\n".join(done.failures))
            return 1
        theirs = published_figures(options.checkout, options.dataset, options.split, options.pictures, kept)
    print("| column | published evaluation | animerun-gen | differ by |\n| --- | ---: | ---: | ---: |")
    worst = 0.0
    for name, key in PUBLISHED.items():
        ours, published = done.result.averages.figure(key, "mean_of_pairs"), 100 * theirs[name]
        if ours is None:
            # the mean of nothing is no number there
            print(f"| {name} | {published} | none | |")
            continue
        worst = max(worst, abs(ours - published))
        print(f"| {name} | {published:.6f} | {ours:.6f} | {abs(ours - published):.1e} |")
    return int(worst > LOSS)


if __name__ == "__main__":
    sys.exit(main())
