"""SVG: the lines of each frame as paths that every browser and drawing program opens.

``train/<cut>/0001.svg``, of the dataset's own frame numbers.  Coordinates are pixels with centres at whole numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from xml.sax.saxutils import quoteattr

import numpy as np
import numpy.typing as npt

from animerun_gen.dataset import STROKE_KINDS, ClipFiles, Strokes
from animerun_gen.dataset.strokes import SHADE
from animerun_gen.errors import DatasetError
from animerun_gen.export.layout import ClipJob, PlainLayout
from animerun_gen.export.strokes import numbered_strokes, require_strokes
from animerun_gen.shade.trace import SHADOW_TRACE

DIGITS = 3
"""Digits behind the point of a coordinate: a thousandth of a pixel."""

TRACE = "#{:02x}{:02x}{:02x}".format(*SHADOW_TRACE)
"""The colour of borders of the shade, which are no ink: that of trace lines."""


class Svg(PlainLayout):
    """Strokes that are seen, one group for each kind, and the hidden ones in groups that are not shown."""

    def look(self, clips: Sequence[ClipFiles]) -> None:
        require_strokes(clips)

    def needs(self) -> tuple[str, ...]:
        return ("strokes", "object_id")

    def places(self, root: Path, clip: ClipFiles) -> list[Path]:
        return [root / clip.split / clip.cut]

    def write(self, job: ClipJob) -> None:
        [folder] = self.places(job.folder.root, job.clip)
        names = _object_names(job.clip)
        for frame, strokes, numbers in numbered_strokes(job.clip):
            height, width = job.clip.read(job.pictures, frame).shape[:2]
            job.counts["strokes"] += int(np.count_nonzero(~strokes.hidden))
            job.counts["hidden_strokes"] += int(np.count_nonzero(strokes.hidden))
            make = partial(svg_bytes, strokes, numbers, width, height, names)
            job.folder.put_bytes(folder / f"{frame:04d}.svg", make)
            job.step(frame)


def _object_names(clip: ClipFiles) -> dict[int, str]:
    """What object ids stand for; nothing where the dataset does not say."""
    try:
        return {int(number): name for number, name in clip.read_names("object_id").items()}
    except DatasetError:
        return {}


def svg_bytes(
    strokes: Strokes, numbers: npt.NDArray[np.int64], width: int, height: int, names: dict[int, str] | None = None
) -> bytes:
    """A frame's strokes as an SVG file.

    Args:
        strokes: The strokes.
        numbers: ``(N,)`` int64, the numbers that their points have through the clip.
        width: Of the picture, pixels.
        height: Likewise.
        names: What object ids stand for.

    Returns:
        An SVG 1.1 document.  ``data-points`` of a path are the numbers of its points, in their order; ``data-object``
        names its object, or has the id of one that has no name.
    """
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        f'viewBox="-0.5 -0.5 {width} {height}" fill="none" stroke="#000000" stroke-width="1.5" '
        'stroke-linecap="round" stroke-linejoin="round">',
    ]
    for hidden in (False, True):
        lines.append('<g id="hidden" display="none" stroke-dasharray="3 3">' if hidden else '<g id="visible">')
        for kind, name in STROKE_KINDS.items():
            chosen = np.flatnonzero((strokes.kind == kind) & (strokes.hidden == hidden))
            if len(chosen):
                prefix = "hidden-" if hidden else ""
                colored = f' stroke="{TRACE}"' if kind == SHADE else ""
                lines.append(f'<g id="{prefix}{name}"{colored}>')
                lines += [_path(strokes, stroke, numbers, names or {}) for stroke in chosen.tolist()]
                lines.append("</g>")
        lines.append("</g>")
    lines.append("</svg>\n")
    return "\n".join(lines).encode()


def _path(strokes: Strokes, stroke: int, numbers: npt.NDArray[np.int64], names: dict[int, str]) -> str:
    points = strokes.points(stroke)
    places = [f"{_number(x)} {_number(y)}" for x, y in strokes.position[points].tolist()]
    closed = points[0] == points[-1] and len(points) > 2
    drawn = "M" + "L".join(places[:-1] if closed else places) + ("Z" if closed else "")
    object_id = int(strokes.object_id[stroke])
    whose = quoteattr(_printable(names.get(object_id, str(object_id))))
    numbered = " ".join(map(str, numbers[points].tolist()))
    return f'<path d="{drawn}" data-object={whose} data-points="{numbered}"/>'


def _printable(name: str) -> str:
    """A name without what XML has no way to write."""
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in name)


def _number(value: float) -> str:
    text = f"{value:.{DIGITS}f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text
