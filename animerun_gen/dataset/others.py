"""Finds the samples of other people's datasets, so that training, evaluation and statistics take them like ours.

The trees are read as their publishers lay them out:

- Sintel (Butler et al., ECCV 2012): ``training/{clean,final}/<scene>/frame_0001.png`` with ``flow``, ``occlusions`` and
  ``invalid`` beside
- FlyingThings3D (Mayer et al., CVPR 2016): ``frames_cleanpass/TRAIN/A/0000/left/0006.png`` and
  ``optical_flow/TRAIN/A/0000/into_future/left/OpticalFlowIntoFuture_0006_L.pfm``
- Creative Flow+ (Shugrina et al., CVPR 2019), decompressed: ``<split>/<scene>/[cam0/]renders/composite/<style>/*.png``
  and ``.../metadata/flow/*.flo``
- ATD-12K (Siyao et al., CVPR 2021): ``train_10k/<name>/frame1.jpg`` to ``frame3``; it has no flow
- LinkTo-Anime: ``<split>/<scene>/<model>/<view>/*Rendering*/`` and ``*Optical_flow_exr*/``

Each function gives the samples in the order of their names, and a sentence for each that is left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path

from animerun_gen.dataset.pairs import FlowFiles, MaskFile, SampleFiles
from animerun_gen.errors import DatasetError, NoDatasetError

Found = tuple[list[SampleFiles], list[str]]
"""Samples, and a sentence for each that is left out."""

_PICTURES = (".png", ".jpg", ".jpeg")


def find_sintel(root: Path, split: str = "training") -> Found:
    """The pairs of Sintel.

    Args:
        root: The folder that holds ``training`` and ``test``, or the one above it if it is called ``Sintel``.
        split: ``"training"``, or ``"test"``, which has no flow.

    Returns:
        Pairs with the pictures ``"clean"`` and ``"final"``, as far as they are there.  What is invalid by Sintel's own
        mask of the first frame is not valid.

    Raises:
        NoDatasetError: There is no such tree.
    """
    base = _folder(root / "Sintel" / split if (root / "Sintel").is_dir() else root / split, "Sintel")
    passes = [name for name in ("clean", "final") if (base / name).is_dir()]
    samples: list[SampleFiles] = []
    left_out: list[str] = []
    for scene in _names(base / passes[0]) if passes else ():
        frames = {name: _pictures(base / name / scene) for name in passes}
        for one, other in pairwise(frames[passes[0]]):
            images = {
                name: tuple(by_name[file.name] for file in (one, other))
                for name, files in frames.items()
                for by_name in [{file.name: file for file in files}]
                if one.name in by_name and other.name in by_name
            }
            flow = base / "flow" / scene / f"{one.stem}.flo"
            meta = {"split": split, "scene": scene, "frames": (one.stem, other.stem)}
            if flow.is_file():
                valid = _mask(base / "invalid" / scene / one.name, "invalid_is_255")
                hidden = _mask(base / "occlusions" / scene / one.name, "hidden_is_255")
                samples.append(SampleFiles(images, (FlowFiles(flow, valid, hidden),), meta=meta))
            elif split == "test":
                samples.append(SampleFiles(images, meta=meta))
            else:
                left_out.append(f"{scene} {one.stem} has no flow")
    return samples, left_out


def find_flying_things(
    root: Path, split: str = "TRAIN", directions: Sequence[str] = ("into_future",), camera: str = "left"
) -> Found:
    """The pairs of FlyingThings3D.

    Args:
        root: The folder that holds ``frames_cleanpass``, ``frames_finalpass`` and ``optical_flow``.
        split: ``"TRAIN"`` or ``"TEST"``.
        directions: ``"into_future"``, ``"into_past"`` or both.
        camera: ``"left"`` or ``"right"``.

    Returns:
        Pairs with the pictures ``"frames_cleanpass"`` and ``"frames_finalpass"``, as far as they are there.

    Raises:
        NoDatasetError: There is no such tree.
    """
    passes = [name for name in ("frames_cleanpass", "frames_finalpass") if (root / name / split).is_dir()]
    base = _folder(root / "optical_flow" / split, "FlyingThings3D")
    samples: list[SampleFiles] = []
    left_out: list[str] = []
    for scene in (f"{letter}/{name}" for letter in _names(base) for name in _names(base / letter)):
        for direction in directions:
            for flow in sorted((base / scene / direction / camera).glob("*.pfm")):
                number = re.search(r"_(\d+)_[LR]\.pfm$", flow.name)
                if number is None:
                    left_out.append(f"{scene}/{flow.name} names no frame")
                    continue
                source = int(number[1])
                target = source + (1 if direction == "into_future" else -1)
                rows = {
                    name: tuple(root / name / split / scene / camera / f"{n:04d}.png" for n in (source, target))
                    for name in passes
                }
                images = {name: row for name, row in rows.items() if all(file.is_file() for file in row)}
                if images:
                    meta = {"split": split, "scene": scene, "frames": (source, target), "camera": camera}
                    samples.append(SampleFiles(images, (FlowFiles(flow),), meta=meta))
                else:
                    # the flow of the last frame of a scene leads to a frame that nobody rendered
                    left_out.append(f"{scene} {source}-{target} has no pictures of both frames")
    return samples, left_out


def find_creative_flow(root: Path, split: str = "train") -> Found:
    """The pairs of Creative Flow+, whose archives have been decompressed by its own scripts.

    Args:
        root: The folder that holds ``train`` and ``test``.
        split: One of them.

    Returns:
        Pairs with a picture for each style of the scene; scenes whose flow does not fit their frames are left out.

    Raises:
        NoDatasetError: There is no such tree.
    """
    base = _folder(root / split, "Creative Flow+")
    samples: list[SampleFiles] = []
    left_out: list[str] = []
    for scene in _names(base):
        inside = base / scene / "cam0" if (base / scene / "cam0").is_dir() else base / scene
        composite = inside / "renders" / "composite"
        flows = sorted((inside / "metadata" / "flow").glob("*.flo"))
        rows = {style: _pictures(composite / style) for style in _names(composite)}
        rows = {style: files for style, files in rows.items() if len(files) == len(flows) + 1}
        if not rows:
            left_out.append(f"{scene} has {len(flows)} files of flow, and no style with one frame more")
            continue
        for index, flow in enumerate(flows):
            images = {style: (files[index], files[index + 1]) for style, files in rows.items()}
            meta = {"split": split, "scene": scene, "frames": (index, index + 1)}
            samples.append(SampleFiles(images, (FlowFiles(flow),), meta=meta))
    return samples, left_out


def find_atd12k(root: Path, split: str = "train_10k") -> Found:
    """The triplets of ATD-12K, which has no flow.

    Args:
        root: The folder that holds ``train_10k`` and ``test_2k_540p``.
        split: One of its folders.

    Returns:
        Rows of three frames with the pictures ``"frame"``.

    Raises:
        NoDatasetError: There is no such tree.
    """
    base = _folder(root / split, "ATD-12K")
    samples: list[SampleFiles] = []
    left_out: list[str] = []
    for name in _names(base):
        by_stem = {file.stem: file for file in _pictures(base / name)}
        row = tuple(by_stem[f"frame{n}"] for n in (1, 2, 3) if f"frame{n}" in by_stem)
        if len(row) == 3:
            samples.append(SampleFiles({"frame": row}, meta={"split": split, "scene": name, "frames": (1, 2, 3)}))
        else:
            left_out.append(f"{name} has {len(row)} of 3 frames")
    return samples, left_out


def find_linkto(root: Path, split: str = "train") -> Found:
    """The pairs of LinkTo-Anime.

    Args:
        root: The folder that holds ``train``, ``val`` and ``test``.
        split: One of them.

    Returns:
        Pairs with a picture for each folder of renderings of the view; the k-th file of flow leads from frame k to
        frame k + 1.  Views with less flow than that are left out.

    Raises:
        NoDatasetError: There is no such tree.
    """
    base = _folder(root / split, "LinkTo-Anime")
    samples: list[SampleFiles] = []
    left_out: list[str] = []
    for view in _views(base):
        name = view.relative_to(base).as_posix()
        rows = {folder: _pictures(view / folder) for folder in _names(view) if "Rendering" in folder}
        folders = [folder for folder in _names(view) if "Optical_flow_exr" in folder]
        flows = sorted((view / folders[0]).glob("*.exr")) if len(folders) == 1 else []
        lengths = {len(files) for files in rows.values()}
        if len(lengths) != 1 or len(flows) not in (max(lengths) - 1, max(lengths)):
            left_out.append(f"{name} has {len(flows)} files of flow, and renderings of {sorted(lengths)} frames")
            continue
        for index in range(max(lengths) - 1):
            images = {folder: (files[index], files[index + 1]) for folder, files in rows.items()}
            meta = {"split": split, "scene": name, "frames": (index, index + 1)}
            samples.append(SampleFiles(images, (FlowFiles(flows[index]),), meta=meta))
    return samples, left_out


def _views(base: Path) -> Iterator[Path]:
    for scene in _names(base):
        for model in _names(base / scene):
            yield from (base / scene / model / view for view in _names(base / scene / model))


def _folder(path: Path, name: str) -> Path:
    if not path.is_dir():
        raise NoDatasetError(f"is not there, so this is no tree of {name}", path, "give the folder that contains it")
    return path


def _names(folder: Path) -> list[str]:
    """The folders in a folder, by name."""
    try:
        return sorted(entry.name for entry in folder.iterdir() if entry.is_dir() and not entry.name.startswith("."))
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise DatasetError(f"cannot be read ({error.strerror})", folder, "check its permissions") from error


def _pictures(folder: Path) -> list[Path]:
    """The pictures in a folder, by name."""
    return sorted(file for file in folder.glob("[!.]*") if file.suffix.lower() in _PICTURES)


def _mask(path: Path, form: str) -> MaskFile | None:
    return MaskFile(path, form) if path.is_file() else None  # type: ignore[arg-type]
