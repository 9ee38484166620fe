"""Run the published reader of a layout, unmodified, on an export, and print what it read.

    python scripts/try_readers.py torchvision-sintel out/toy_sintel
    python scripts/try_readers.py raft-sintel out/toy_sintel --checkout RAFT

A reader comes from an installed package, or from a checkout of its repository: give its path with ``--checkout``.  It
needs the packages of the reader's own environment (PyTorch for all of them), and of ours only NumPy.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import importlib.util
import json
import os
import sys
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

SAMPLES = 3
"""So many of what a reader found are looked at."""


class Options(NamedTuple):
    """What a reader is told.

    Attributes:
        root: The export.
        split: Its split, as our datasets call it.
    """

    root: Path
    split: str


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("reader", choices=sorted(READERS), help="whose reader")
    parser.add_argument("export", type=Path, help="folder that animerun-gen export has written")
    parser.add_argument("--checkout", type=Path, help="folder of the reader's repository")
    parser.add_argument("--split", default="train", help="split to read (default: %(default)s)")
    words = parser.parse_args()
    options = Options(words.export.resolve(), words.split)
    with contextlib.chdir(words.checkout or Path()):
        if words.checkout is not None:
            sys.path[:0] = [str(Path(folder).resolve()) for folder in (".", "core", "dacon")]
        READERS[words.reader](options)
    return 0


def torchvision_sintel(options: Options) -> None:
    dataset = _load("torchvision.datasets").Sintel(str(options.root), split="train", pass_name="both")
    _show_flow(dataset, lambda sample: (sample[0], sample[2], None))


def torchvision_kitti(options: Options) -> None:
    dataset = _load("torchvision.datasets").KittiFlow(str(options.root), split="train")
    _show_flow(dataset, lambda sample: (sample[0], sample[2], sample[3]))


def raft_sintel(options: Options) -> None:
    root = str(options.root / "Sintel")
    split = {"train": "training"}.get(options.split, options.split)
    dataset = _load("datasets").MpiSintel(split=split, root=root, dstype="clean")
    _show_flow(dataset, lambda sample: (sample[0], sample[2], sample[3]))


def raft_kitti(options: Options) -> None:
    dataset = _load("datasets").KITTI(split="training", root=str(options.root / "KittiFlow"))
    _show_flow(dataset, lambda sample: (sample[0], sample[2], sample[3]))


def sea_raft_sintel(options: Options) -> None:
    split = {"train": "training"}.get(options.split, options.split)
    dataset = _load("datasets").MpiSintel(split=split, root=str(options.root / "Sintel"), dstype="clean")
    _show_flow(_Fetched(dataset), lambda sample: (sample[0], sample[2], sample[3]))


def sea_raft_spring(options: Options) -> None:
    dataset = _load("datasets").SpringFlowDataset(split=options.split, root=str(options.root))
    _show_flow(_Fetched(dataset), lambda sample: (sample[0], sample[2], sample[3]))


def ptlflow_sintel(options: Options) -> None:
    dataset = _load("ptlflow.data.datasets").SintelDataset(str(options.root / "Sintel"), split="trainval")
    _show_flow(dataset, lambda sample: (sample["images"][0], sample["flows"][0], sample["valids"][0]))
    if "occs" in dataset[0]:
        _say("occluded", np.asarray(dataset[0]["occs"][0]) > 0)


def ptlflow_kitti(options: Options) -> None:
    root = str(options.root / "KittiFlow")
    dataset = _load("ptlflow.data.datasets").KittiDataset(None, root, split="trainval", versions="2015")
    _show_flow(dataset, lambda sample: (sample["images"][0], sample["flows"][0], sample["valids"][0]))


def ptlflow_spring(options: Options) -> None:
    dataset = _load("ptlflow.data.datasets").SpringDataset(str(options.root), split="train", subsample=True)
    _show_flow(dataset, lambda sample: (sample["images"][0], sample["flows"][0], sample["valids"][0]))


def cotracker_kubric(options: Options) -> None:
    root = options.root / options.split
    first = next(path for path in sorted(root.iterdir()) if path.is_dir())
    frames = len(list((first / "frames").iterdir()))
    dataset = _load("cotracker.datasets.kubric_movif_dataset").KubricMovifDataset(
        str(root), crop_size=(96, 128), seq_len=min(frames, 24), traj_per_sample=16
    )
    _show_points(dataset, lambda sample: (sample[0].video, sample[0].trajectory, sample[0].visibility, sample[1]))


def cotracker_tapvid(options: Options) -> None:
    dataset = _load("cotracker.datasets.tap_vid_datasets").TapVidDataset(
        str(options.root / f"tapvid_{options.split}.pkl"), resize_to=None
    )
    _show_points(dataset, lambda sample: (sample.video, sample.trajectory, sample.visibility, True))


def tapnet_tapvid(options: Options) -> None:
    """TAP-Vid's own queries and measures: for the truth itself, and for points that are said to stay where they are."""
    # what it needs of them is how to open a file, and the name of a type
    _stand_in("tensorflow", io=types.SimpleNamespace(gfile=types.SimpleNamespace(GFile=open)))
    _stand_in("tensorflow_datasets")
    _stand_in("chex", Array=np.ndarray)
    module = _load("tapnet.tapvid.evaluation_datasets")
    for query_mode in ("first", "strided"):
        path = str(options.root / f"tapvid_{options.split}.pkl")
        for number, sample in enumerate(module.create_davis_dataset(path, query_mode, resolution=None)):
            found = sample["davis"]
            truth = {"gt_occluded": found["occluded"], "gt_tracks": found["target_points"], "query_mode": query_mode}
            queries, tracks = found["query_points"], found["target_points"]
            still = np.broadcast_to(queries[:, :, None, :0:-1], tracks.shape)
            print(f"  {query_mode} {number}: video {found['video'].shape}, {tracks.shape[1]} queries")
            for name, places in (("truth", tracks), ("no motion", still)):
                got = module.compute_tapvid_metrics(
                    queries, pred_occluded=found["occluded"], pred_tracks=places, **truth
                )
                figures = ("average_jaccard", "average_pts_within_thresh", "occlusion_accuracy")
                print(f"    {name}: " + ", ".join(f"{figure} {float(got[figure][0]):.3f}" for figure in figures))


def pips_pointodyssey(options: Options) -> None:
    dataset = _load("datasets.pointodysseydataset").PointOdysseyDataset(
        str(options.root), dset=options.split, S=4, N=8, strides=[1], resize_size=(160, 256), crop_size=(96, 160)
    )
    _show_points(dataset, lambda sample: (sample[0]["rgbs"], sample[0]["trajs"], sample[0]["visibs"], sample[1]))


def basicpbc(options: Options) -> None:
    # the packages themselves would load every network, and what compiles them
    for package in ("basicsr", "basicsr.data", "basicsr.utils"):
        bare = types.ModuleType(package)
        bare.__path__ = [str(Path(*package.split(".")).resolve())]
        sys.modules[package] = bare
    module = _load("basicsr.data.pbc_labelseg_dataset")
    dataset = module.PaintBucketLabelSegDataset({"root": str(options.root / options.split)})
    print(f"{len(dataset)} samples")
    for index in range(min(SAMPLES, len(dataset))):
        sample = dataset[index]
        matches = np.asarray(sample["all_matches"])
        shape, matched = tuple(sample["line"].shape), np.mean(matches >= 0)
        print(f"  {index}: line {shape}, {len(matches)} segments, {matched:.1%} with a match")


def dacon(options: Options) -> None:
    data, utils = _load("data"), _load("utils")
    root = str(options.root / options.split)
    if options.split == "train":
        lists = {"train": utils.make_train_data_list(root)}
    else:
        lists = {
            "val_kf": utils.make_val_data_list(root, "keyframe", "max"),
            "val_cf": utils.make_val_data_list(root, "consecutive_frame", 20),
        }
    for mode, samples in lists.items():
        dataset = data.DACoNDataset(samples, root, None, mode)
        print(f"{mode}: {len(dataset)} samples")
        for index in range(min(SAMPLES, len(dataset))):
            sample = dataset[index]
            source, target = (np.asarray(sample[f"seg_colors_{which}"][0]) for which in ("src", "tgt"))
            known = {tuple(color) for color in source.tolist()}
            colored = (target >= 0).all(axis=1)
            [frame] = samples[index][2]
            with open(Path(root, samples[index][0], "json_color", f"{frame:04d}.json"), "rb") as file:
                regions = len(json.load(file))
            print(
                f"  {index}: line {tuple(sample['line_images_tgt'][0].shape)}, {len(target)} segments of {regions}"
                f" regions, {colored.mean():.1%} with a colour,"
                f" {np.mean([tuple(color) in known for color in target.tolist()]):.1%} of the colours in the source"
            )


def aniunflow_linkto(options: Options) -> None:
    module = _load("dataio.linkto_anime_clip_dataset")
    dataset = module.LinkToAnimeClipDataset(str(options.root), split=options.split, T=3, resize=False)
    if dataset.is_test:
        _show_flow(dataset, lambda sample: (sample["clip"][0], sample["flow_list"][0], None))
    else:
        # it takes no flow to train with
        print(f"{len(dataset)} samples")
        for index in range(min(SAMPLES, len(dataset))):
            print(f"  {index}: clip {tuple(dataset[index]['clip'].shape)}")


def animeinbet_vertices(options: Options) -> None:
    dataset = _load("corr.datasets").MixamoLineArt(str(options.root), split=options.split, mode="eval")
    _show_graphs(dataset)


def animeinbet_motion(options: Options) -> None:
    module = _load("datasets.ml_seq")
    dataset = module.MixamoLineArtMotionSequence(str(options.root), gap=1, split=options.split, mode="eval")
    _show_graphs(dataset)
    sample = dataset[0]
    for way in "01":
        lengths = np.hypot(*np.asarray(sample[f"motion{way}"], np.float64).T)
        shown = float(np.mean(np.asarray(sample[f"visibility{way}"])))
        print(f"  motion {way}: {lengths.mean():.3f} px on average; {shown:.1%} on a line of the frame between")


def _show_graphs(dataset: Any) -> None:
    print(f"{len(dataset)} samples")
    for index in range(min(SAMPLES, len(dataset))):
        sample = dataset[index]
        first, second = np.asarray(sample["keypoints0"], np.float64), np.asarray(sample["keypoints1"], np.float64)
        matches = np.asarray(sample["m01"]).astype(int)
        known = matches >= 0
        lengths = np.hypot(*(second[matches[known]] - first[known]).T)
        print(
            f"  {index}: picture {tuple(sample['image0'].shape)}, {len(first)} and {len(second)} vertices, "
            f"{known.mean():.1%} with a match, {lengths.mean():.3f} px away on average"
        )


class _Fetched:
    """A dataset whose own ``__getitem__`` goes on with other samples, for ever, where one cannot be read."""

    def __init__(self, dataset: Any) -> None:
        self._dataset = dataset

    def __len__(self) -> int:
        return len(self._dataset)

    def __getitem__(self, index: int) -> Any:
        return self._dataset.fetch(index)


def _stand_in(module: str, **content: Any) -> None:
    """Put an empty module in the place of one that is not installed and that the reader hardly needs."""
    if importlib.util.find_spec(module) is None:
        sys.modules[module] = types.ModuleType(module)
        vars(sys.modules[module]).update(content)
        print(f"{module} is not installed: a stand-in is in its place")


def _load(module: str) -> Any:
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        raise SystemExit(
            f"{error}; install the reader's package and what it needs, or give its repository with --checkout"
        ) from error


def _show_flow(dataset: Any, parts: Callable[[Any], tuple[Any, Any, Any]]) -> None:
    print(f"{len(dataset)} samples")
    for index in range(min(SAMPLES, len(dataset))):
        seen, motion, mask = parts(dataset[index])
        picture, flow, valid = np.asarray(seen), np.asarray(motion), None if mask is None else np.asarray(mask)
        vectors = flow if flow.shape[-1] == 2 else np.moveaxis(flow, 0, -1)
        known = np.abs(vectors).max(axis=-1) < 1000 if valid is None else valid.reshape(vectors.shape[:2]) > 0
        lengths = np.hypot(vectors[..., 0], vectors[..., 1])[known]
        by = "" if valid is not None else " (below 1000 px; the reader has no mask)"
        print(
            f"  {index}: picture {picture.shape}, flow {flow.shape}, {known.mean():.2%} valid{by},"
            f" motion {lengths.mean():.3f} px on average, {lengths.max():.3f} px at most"
        )


def _show_points(dataset: Any, parts: Callable[[Any], tuple[Any, Any, Any, Any]]) -> None:
    print(f"{len(dataset)} samples")
    for index in range(min(SAMPLES, len(dataset))):
        video, points, visible, whole = parts(dataset[index])
        places = np.asarray(points)
        stand_in = "" if whole else " (a stand-in: the reader found too few points)"
        print(
            f"  {index}: video {tuple(video.shape)}, points {places.shape} from {places.min():.2f} to"
            f" {places.max():.2f}, {np.asarray(visible).mean():.1%} visible{stand_in}"
        )


def _say(what: str, mask: Any) -> None:
    print(f"  {what}: {np.mean(mask):.2%} of the first picture")


READERS: dict[str, Callable[[Options], None]] = {
    "torchvision-sintel": torchvision_sintel,
    "torchvision-kitti": torchvision_kitti,
    "raft-sintel": raft_sintel,
    "raft-kitti": raft_kitti,
    "sea-raft-sintel": sea_raft_sintel,
    "sea-raft-spring": sea_raft_spring,
    "ptlflow-sintel": ptlflow_sintel,
    "ptlflow-kitti": ptlflow_kitti,
    "ptlflow-spring": ptlflow_spring,
    "cotracker-kubric": cotracker_kubric,
    "cotracker-tapvid": cotracker_tapvid,
    "tapnet-tapvid": tapnet_tapvid,
    "pips-pointodyssey": pips_pointodyssey,
    "basicpbc": basicpbc,
    "dacon": dacon,
    "aniunflow-linkto": aniunflow_linkto,
    "animeinbet-vertices": animeinbet_vertices,
    "animeinbet-motion": animeinbet_motion,
}

if __name__ == "__main__":
    os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")
    sys.exit(main())
