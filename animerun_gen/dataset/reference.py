"""The page about the layout on disk, made from the table: ``python -m animerun_gen.dataset.reference``."""

from __future__ import annotations

from collections.abc import Iterable

from animerun_gen.dataset.modalities import MODALITIES, Modality

_INTRODUCTION = """\
# The dataset on disk

<!-- Made by `python -m animerun_gen.dataset.reference > docs/dataset.md`; change the table of modalities instead. -->

A dataset has the layout of AnimeRun v2, so loaders written for AnimeRun read it unchanged; what AnimeRun does not have
lies beside it in folders of its own. `<cut>` is the name of a cut, and the numbers are the film's frame numbers, at
least four digits wide. A clip of N frames has N files of every kind that belongs to a **frame** and N - 1 of every kind
that belongs to a pair: **forward** files are named after the earlier frame of the pair and missing for the last frame,
**backward** files after the later one and missing for the first. In a clip with step 2 the pairs are those frames that
are two apart.

```python
from pathlib import Path
from animerun_gen.dataset import Dataset

clip = Dataset(Path("out/toy")).clip("courier")
flow = clip.read("flow_forward", clip.frame_numbers[0])  # (H, W, 2) float32
```
"""

_CLOSING = """\
## What to know before training

- **Masks of AnimeRun are inverted.** On disk `UnmatchedForward` and `UnmatchedBackward` hold **1 where a pixel is
  visible** in the other frame and 0 where it is occluded, and `LineArea` holds **0 near lines** and 1 in flat areas:
  this is how AnimeRun's own evaluation counts them. `animerun_gen.dataset` converts: in memory occlusion is True where
  a pixel is occluded, and line area is True near a line. Our own masks (`Valid`, `ExactOcclusion`) are 255 where they
  are true.
- **Unknown flow is 1e10** in both components, as the Middlebury format has it: an object appeared, its topology
  changed, the camera was cut. `Valid` says the same as a mask. Loaders that take flow from 1000 pixels on as invalid
  (AnimeRun's own for training, like those of RAFT and its descendants) need nothing else. AnimeRun's test script,
  however, counts every pixel: there, leave out the pixels that are not valid, or the mean error is meaningless.
- **Flow** is in pixels of the source frame's grid: what is seen at `(x, y)` lies at `(x + u, y + v)` in the other
  frame, x to the right, y down, pixel centres at whole numbers.
- **Two occlusions.** `Unmatched...` follows the paper: forward and backward flow do not cancel, or the target lies
  outside the picture. `ExactOcclusion` comes from the scene's geometry.
- **Ids** are 0 on the background.
- Every file is complete or absent: it is written under a hidden name (`.animerun-part-...`) and then renamed.
  `.animerun-gen/` holds what a later run needs to continue; the dataset is complete without it.
- `quality/<cut>.json` holds the figures of each pair: warp error, shares of occluded and invalid pixels, largest
  motion.
"""


def layout_markdown() -> str:
    """The whole page ``docs/dataset.md`` as Markdown."""
    return "\n".join(
        [
            _INTRODUCTION,
            "## The layout of AnimeRun\n",
            _table(modality for modality in MODALITIES if modality.published),
            "## Beside it\n",
            "Kinds with an entry under *switched on by* are made when a cut's `motion.extras` lists it.\n",
            _table(modality for modality in MODALITIES if not modality.published),
            _CLOSING,
        ]
    )


def _table(modalities: Iterable[Modality]) -> str:
    rows = [
        "| name | file below `<root>/<split>/` | belongs to | type | shape | switched on by | meaning |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for modality in modalities:
        # The example frame of a backward file is the later frame of the same pair.
        frame = 187 if modality.kind == "backward" else 186
        folder = modality.folder.format(cut="<cut>")
        cells = (
            f"`{modality.name}`",
            f"`{folder}/{modality.prefix}{frame:04d}{modality.suffix}`",
            modality.kind,
            modality.dtype or "JSON",
            ", ".join(map(str, modality.shape)) or '`{"0": [j, ...], ...}`',
            f"`{modality.extra}`" if modality.extra else "always",
            modality.meaning,
        )
        rows.append("| " + " | ".join(cells) + " |")
    return "\n".join(rows) + "\n"


if __name__ == "__main__":
    print(layout_markdown(), end="")
