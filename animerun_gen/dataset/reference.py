"""The page about the layout on disk, made from the table: ``python -m animerun_gen.dataset.reference``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from animerun_gen.dataset.correspondence import ARRAYS as SURFACE_ARRAYS
from animerun_gen.dataset.line_ink import ARRAYS as INK_ARRAYS
from animerun_gen.dataset.modalities import MODALITIES, Modality, gap_modalities, layer_modalities, pass_modalities
from animerun_gen.dataset.named_arrays import NamedArray
from animerun_gen.dataset.strokes import ARRAYS as STROKE_ARRAYS
from animerun_gen.dataset.tracks import ARRAYS as TRACK_ARRAYS

_INTRODUCTION = """\
# The dataset on disk

<!-- Made by `python -m animerun_gen.dataset.reference > docs/dataset.md`; change the table of modalities instead. -->

A dataset has the layout of AnimeRun v2, so loaders written for AnimeRun read it unchanged; what AnimeRun does not have
lies beside it in folders of its own. `<cut>` is the name of a cut. **All files of a frame have the same stem**, in
every folder: the film's frame number, at least four digits wide, and nothing else. A clip of N frames has N files of
every kind that belongs to a **frame** and N - 1 of every kind that belongs to a pair: **forward** files are named after
the earlier frame of the pair and missing for the last frame, **backward** files after the later one and missing for the
first. In a clip with step 2 the pairs are those frames that are two apart.

```python
from pathlib import Path
from animerun_gen.dataset import Dataset

clip = Dataset(Path("out/demo")).clip("courier")
flow = clip.read("flow_forward", clip.frame_numbers[0])  # (H, W, 2) float32
```
"""

EXAMPLE_GAP = 4
"""The gap whose files the page shows."""

_FAR = """\
Motion between frames that are further apart than neighbours: `motion.gaps: [1, 2, 4]` makes it for every two frames of
the clip that are 2, and that are 4, frames of the clip apart, in `Gap2/` and `Gap4/`. A clip of N frames has N - 4
files of each kind in `Gap4/`: **forward** files are missing for the last four frames, **backward** files for the first
four. Its names end with the gap: `clip.read("flow_forward_gap4", 186)`. Exact occlusion comes with the extra
`exact_occlusion`, as for neighbours.
"""

_PASSES = """\
`recolor.passes: 3` makes the colour frames again in the colours of other animation, three times, as `color_1`,
`color_2` and `color_3`, where the published clips have theirs; [palette.md](palette.md) says how. Lines, motion and
labels are the same for all of them. `recolor/<cut>.json` says which material has which colour in each.

`layers.passes` makes the cels and the lines over them in these colours, too: `clip.read("cel_color_1@hero", 186)` and
`clip.read("line_layer_color_1", 186)`; `clip.composed_frame(186, "color_1")` puts them together.
"""

_INK = """What a file of `LineInk/` holds, which is there where lines have a style and the cut has colour passes:
`clip.read("line_ink", 186)`, or `numpy.load` without this package. N is the number of pixels that lines cover, K that
of pixels of strokes; [lines.md](lines.md#lines-in-colour-passes) has more.
"""

EXAMPLE_LAYER = "hero"
"""The layer whose files the page shows."""

_LAYERS = """\
`layers.write` makes these of each layer alone, as if nothing were before it; the names of the layers come from the
configuration, and `set` is one of them. [layers.md](layers.md) says how they are put together. `motion.gaps` makes the
motion of layers over larger distances, too: `flow_forward_gap4@hero` in `Layers/hero/Gap4/Flow`.
"""

_TRACKS = """\
`motion.tracks: 1000` follows 1000 surface points through the whole clip, in one file: `clip.read_tracks()`, or
`numpy.load` without this package. T is the number of frames and N of points; [tracks.md](tracks.md) says how they are
chosen and when a point is known.
"""

_CAMERAS = """\
`Camera/<cut>.json` and, the same as arrays, `Camera/<cut>.npz` have the camera of every frame: intrinsics, world to
camera, its twin in Blender, and the film's own camera where another one filmed. They are always there;
`clip.camera(186)` reads them, and [camera_files.md](camera_files.md) says what they hold.
"""

_SURFACES = """\
What a file of `Correspondence/` holds: `clip.read("correspondence", 186).arrays`, or `numpy.load` without this
package; `clip.flow_between` uses them. H and W are height and width of the picture, M is the number of meshes, V and T
are those of vertices and triangles of all meshes together, I is the number of instances, S that of material slots of
all instances, K that of images with holes; other letters stand for any length.
[correspondence.md](correspondence.md) has more.
"""

_STROKES = """\
`lines.vector: true` writes the lines of each frame as strokes: `clip.read("strokes", 186)`, or `numpy.load` without
this package. N is the number of points and S that of strokes; [vector_lines.md](vector_lines.md) has more.
"""

_COMPRESSED = """\
`dataset.compression: npz` keeps `UnmatchedForward`, `UnmatchedBackward`, `LineArea` and `Segment` as `.npz` files
instead: the same array, of the same type and with the same numbers, under the name `array`.

```python
segments = numpy.load("train/Segment/courier/0001.npz")["array"]
```

Of the project's own scenes (95 frames of 480x270) these files take 1.8 MB instead of 83 MB. Reading the segments of a
frame of 960x540 takes about 3 ms instead of 0.2 ms, and a mask 1 ms instead of 0.1 ms. `animerun_gen.dataset`, the
PyTorch datasets and all commands read both forms, also of two cuts side by side; a cut has one of them. **The published
loaders read `.npy` alone**, which therefore stays the default. A change of the key makes the labels of a cut again, and
nothing else. Masks that are PNG files (`Valid`, `ExactOcclusion`) are compressed anyway.
"""

_CLOSING = """\
## What to know before training

- **Masks of AnimeRun are inverted.** On disk `UnmatchedForward` and `UnmatchedBackward` hold **1 where a pixel is
  visible** in the other frame and 0 where it is occluded, and `LineArea` holds **0 near lines** and 1 in flat areas:
  this is how AnimeRun's own evaluation counts them. `animerun_gen.dataset` converts: in memory occlusion is True where
  a pixel is occluded, and line area is True near a line. Our own masks (`Valid`, `ExactOcclusion`) are 255 where they
  are true.
- **Unknown flow is 1e10** in both components, as the Middlebury format has it: an object appeared, its topology
  changed. `Valid` says the same as a mask. Loaders that take flow from 1000 pixels on as invalid (AnimeRun's own for
  training, like those of RAFT and its descendants) need nothing else. AnimeRun's test script, however, counts every
  pixel: there, leave out the pixels that are not valid, or the mean error is meaningless. For such readers a cut may
  say `motion.unknown: fill`: its flow is finite everywhere, and only `Valid` says which of it is exact
  ([motion.md](motion.md#mark-fill-refuse)). `clip.read_motion("forward", 186)` marks these pixels whatever the file
  has.
- **Flow** is in pixels of the source frame's grid: what is seen at `(x, y)` lies at `(x + u, y + v)` in the other
  frame, x to the right, y down, pixel centres at whole numbers.
- **Two occlusions.** `Unmatched...` follows the paper: forward and backward flow do not cancel, or the target lies
  outside the picture. `ExactOcclusion` comes from the scene's geometry.
- **Ids** are 0 on the background.
- **Splits** are the folders `train`, `val` and `test`. `splits/train.txt` and its like list their cuts, a name a line.
- **Names.** In the published data all files of a frame have the same stem as well, which in some films is `Image0186`.
  Version 0.8.0 and earlier wrote masks as `Image0186.npy` beside frames as `0186.png`. `animerun_gen.dataset` reads
  both, and so do `verify`, `status` and `report`; the next `generate` makes the files of an earlier version again, as
  it does with every new version.
- **Colours.** `Flat/<cut>/colors.json` says by material id what flat frames show: `"#rrggbb"`; a table from frame to
  colour, where animation changes it; `"image"`, several colours (an image, vertex paint); `"changing"`, several colours
  that are others in other frames. `clip.read_colors()` reads it, and `at(frame)` gives the colours of one frame.
- Every file is complete or absent: it is written under a hidden name (`.animerun-part-...`) and then renamed.
  `.animerun-gen/` holds what a later run needs to continue; the dataset is complete without it.
- `quality/<cut>.json` holds the figures of each pair: warp error, shares of occluded and invalid pixels, largest
  motion.
- `manifest/<cut>.json` names every file of a cut with its SHA-256, and what the cut was made from and with.
  `animerun-gen verify` holds the dataset against it and against everything said here; see [verify.md](verify.md).
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
            "## Over larger distances\n",
            _FAR,
            _table(gap_modalities(EXAMPLE_GAP)),
            "## In other colours\n",
            _PASSES,
            _table([*pass_modalities(1, [EXAMPLE_LAYER])]),
            "## Layers\n",
            _LAYERS,
            _table(layer_modalities(EXAMPLE_LAYER)),
            "## Cameras\n",
            _CAMERAS,
            "## Tracks\n",
            _TRACKS,
            _table_of_arrays("array", TRACK_ARRAYS),
            "## Correspondence\n",
            _SURFACES,
            _table_of_arrays("array of a frame", SURFACE_ARRAYS),
            "## Strokes\n",
            _STROKES,
            _table_of_arrays("array of the strokes", STROKE_ARRAYS),
            "## Line ink\n",
            _INK,
            _table_of_arrays("array of the lines", INK_ARRAYS),
            "## Compressed masks and segments\n",
            _COMPRESSED,
            _CLOSING,
        ]
    )


def _table(modalities: Iterable[Modality]) -> str:
    rows = [
        "| name | file below `<root>/<split>/` | belongs to | type | shape | switched on by | meaning |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for modality in modalities:
        cells = (
            f"`{modality.name}`",
            f"`{_example(modality)}`",
            modality.kind,
            modality.dtype or _TYPES[modality.content],
            ", ".join(map(str, modality.shape)) or _SHAPES[modality.content],
            _switches(modality),
            modality.meaning,
        )
        rows.append("| " + " | ".join(cells) + " |")
    return "\n".join(rows) + "\n"


_TYPES = {"matches": "JSON", "amodal": "JSON", "surfaces": "npz", "strokes": "npz", "line_ink": "npz", "tracks": "npz"}
_SHAPES = {
    "matches": '`{"0": [j, ...], ...}`',
    "amodal": "see [layers.md](layers.md)",
    "surfaces": "see [below](#correspondence)",
    "strokes": "see [below](#strokes)",
    "line_ink": "see [below](#line-ink)",
    "tracks": "see [below](#tracks)",
}


def _switches(modality: Modality) -> str:
    """What in a configuration has a modality made."""
    switches = []
    if modality.content == "tracks":
        switches.append("`motion.tracks`")
    if modality.stage == "recolor" or (modality.recolored and not modality.layer):
        switches.append("`recolor.passes`")
    if modality.gap > 1:
        switches.append("`motion.gaps`")
    if modality.extra is not None:
        switches.append(f"`{modality.extra}`")
    if modality.layered or modality.layer:
        of_passes = modality.recolored or modality.stage == "recolor"
        switches.append("`layers.passes`" if of_passes else "`layers.write`")
    if modality.shaded:
        switches.append("`style.shade.tones`")
    if modality.switch:
        switches.append(f"`{modality.switch}`")
    return " and ".join(switches) or "always"


def _example(modality: Modality) -> str:
    """The path of one file of a modality."""
    folder = modality.folder.format(cut="<cut>")
    # of a backward file the later frame of the same pair
    frame = 186 + (modality.gap if modality.kind == "backward" else 0)
    number = "" if modality.kind == "clip" else f"{frame:04d}"
    return f"{folder}/{modality.prefix}{number}{modality.suffix}"


def _table_of_arrays(title: str, arrays: Mapping[str, NamedArray]) -> str:
    rows = [f"| {title} | type | shape | meaning |", "| --- | --- | --- | --- |"]
    for name, what in arrays.items():
        alone = "one text" if what.dtype == "str" else "one number"
        rows.append(f"| `{name}` | {what.dtype} | {', '.join(map(str, what.shape)) or alone} | {what.meaning} |")
    return "\n".join(rows) + "\n"


if __name__ == "__main__":
    print(layout_markdown(), end="")
