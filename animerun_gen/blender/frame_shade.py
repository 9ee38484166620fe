"""Makes the shade of a job's frames: which pixels are in shadow, and the pictures painted by it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

import numpy as np
import numpy.typing as npt

from animerun_gen.blender.frame_reading import TakenFrame
from animerun_gen.blender.geometry import NameTable
from animerun_gen.blender.job_context import JobContext
from animerun_gen.color.oklab import U8Array
from animerun_gen.config.palette import load_palette
from animerun_gen.dataset.strokes import Strokes
from animerun_gen.lines.shade_borders import find_shade_borders
from animerun_gen.motion import companions
from animerun_gen.shade.colors import shade_picture
from animerun_gen.shade.design import design_of, fixed_colors
from animerun_gen.shade.tone import FORM, FULL, UNSHADED
from animerun_gen.shade.tones import Shading, ToneSettings, shade_frame
from animerun_gen.shade.trace import trace_lines

TREATMENTS = {"all": FULL, "form": FORM, "none": UNSHADED}


@dataclass(frozen=True)
class ShadedFrame:
    """A frame's shade.

    Attributes:
        tones: ``(H, W)`` uint8, see :func:`~animerun_gen.shade.tones.shade_map`.
        picture: ``(H, W, 3)`` uint8, the flat picture in its shade.
        shading: What the tones were made from.
    """

    tones: npt.NDArray[np.uint8]
    picture: U8Array
    shading: Shading


class ShadeMaker:
    """Makes the shade of a job's frames.

    Args:
        context: The job, of a cut with shade.
    """

    def __init__(self, context: JobContext) -> None:
        self.context = context
        shade = context.config.style.shade
        self._settings = ToneSettings(
            terminator=shade.terminator,
            highlight=shade.highlight if shade.tones == 3 else None,
            smallest=shade.smallest,
        )
        glowing = context.conversion.glowing
        objects, materials = context.names.objects, context.names.materials
        self._glows = _table(materials, dict.fromkeys(glowing, 1), 0)
        self._object_treatment = _first_fitting(objects, shade.receive)
        self._material_treatment = _first_fitting(materials, shade.receive)
        self._treatments = np.array([*(TREATMENTS[each] for each in shade.receive.values()), FULL], np.uint8)
        casts = {name: _casts(name, shade.cast) for name in objects.ids}
        self._casts = _table(objects, {name: int(cast) for name, cast in casts.items() if cast is not None}, 2)
        palette = None if shade.palette is None else load_palette(shade.palette)
        self._colors = design_of(shade, palette)
        self._fixed = fixed_colors(shade, {number: name for name, number in materials.ids.items()})

    def make(self, flat: U8Array, taken: TakenFrame) -> ShadedFrame:
        """The shade of a frame, from its flat picture and what was taken down of it."""
        if taken.light is None:
            raise AssertionError("the light of a cut with shade is read with its geometry")
        geometry, seen = taken.geometry, taken.seen
        materials = companions.material_id_map(geometry, seen)
        objects = companions.object_id_map(geometry, seen)
        first = np.minimum(self._object_treatment[objects], self._material_treatment[materials])
        treatment = np.where(self._glows[materials] != 0, np.uint8(UNSHADED), self._treatments[first])
        casts = self._casting(taken)
        shading = shade_frame(geometry, seen, taken.light, self._settings, treatment=treatment, casts=casts)
        picture = shade_picture(flat, shading.tones, self._colors, materials, self._fixed)
        return ShadedFrame(shading.tones, picture, shading)

    def borders(self, shaded: ShadedFrame, taken: TakenFrame, line_art: U8Array) -> Strokes:
        """The borders of a frame's shade as strokes."""
        if taken.light is None:
            raise AssertionError("the light of a cut with shade is read with its geometry")
        casts = self._casting(taken)
        return find_shade_borders(
            taken.geometry, taken.seen, taken.light, self._settings, shaded.shading, line_art, casts
        )

    def trace(self, shaded: ShadedFrame, taken: TakenFrame, line_art: U8Array) -> U8Array:
        """The line art with the trace lines of a frame's shade."""
        return trace_lines(shaded.tones, taken.seen.instance, line_art)

    def _casting(self, taken: TakenFrame) -> npt.NDArray[np.bool_]:
        """Which instances cast shadows, ``(I,)``: as the cut says, or all but those all of whose materials glow."""
        geometry = taken.geometry
        said = self._casts[geometry.object_ids]
        glows = np.array(
            [
                last > first and bool(self._glows[geometry.slot_materials[first:last]].all())
                for first, last in zip(geometry.slot_start[:-1], geometry.slot_start[1:], strict=True)
            ],
            bool,
        )
        return np.where(said == 2, ~glows, said == 1)


def _table(names: NameTable, values: Mapping[str, int], otherwise: int) -> npt.NDArray[Any]:
    """A number for each id, ``(65536,)`` int32."""
    table = np.full(1 << 16, otherwise, np.int32)
    for name, value in values.items():
        if name in names.ids:
            table[names.ids[name]] = value
    return table


def _first_fitting(names: NameTable, patterns: Iterable[str]) -> npt.NDArray[Any]:
    """Which of the patterns is the first that fits a name, by its id; their number where none does."""
    listed = list(patterns)
    fitting = {
        name: next((number for number, pattern in enumerate(listed) if fnmatchcase(name, pattern)), len(listed))
        for name in names.ids
    }
    return _table(names, fitting, len(listed))


def _casts(name: str, patterns: Mapping[str, bool]) -> bool | None:
    """What the first pattern that fits an object says; None where none does."""
    return next((casts for pattern, casts in patterns.items() if fnmatchcase(name, pattern)), None)
