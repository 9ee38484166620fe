"""The pictures of one frame on a page: what each layer is made of, and the reading of it from the dataset."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from animerun_gen.conventions import UNKNOWN_FLOW, known_flow
from animerun_gen.dataset import Amodal, ClipFiles
from animerun_gen.dataset.modalities import color_pass
from animerun_gen.errors import DatasetError
from animerun_gen.lines.compose import draw_lines
from animerun_gen.quality.colors import flow_to_color
from animerun_gen.quality.warp import warp_difference
from animerun_gen.report import drawing, encode

DIRECTIONS = ("forward", "backward")

MASKS = tuple(f"{what}_{way}" for way in DIRECTIONS for what in ("occlusion", "exact_occlusion", "valid"))
"""The masks that share one picture: mask number i is bit i."""

SHOWN_PASSES = 4
"""Of so many colour passes the page has a picture, side by side and small."""

SURVEY_STEP = 4
"""Only each such row and column is asked when the length of the clip's motion is looked at."""


@dataclass(frozen=True)
class Detail:
    """How much of the pictures is kept.

    Attributes:
        scale: Size of the pictures on the page, as a share of those of the dataset.
        quality: WebP quality of what is kept lossy, 1..100.
        flow_step: What the colours of flow are rounded to, see :func:`encode.encode_flow`.
        every: Of so many frames one has pictures.
    """

    scale: float
    quality: int
    flow_step: int = 4
    every: int = 1

    def size(self, resolution: tuple[int, int]) -> tuple[int, int]:
        """Width and height of the pictures on the page."""
        width, height = (max(1, round(self.scale * side)) for side in resolution)
        return width, height


@dataclass
class FrameLayers:
    """What a page knows of one frame; a picture is there where its layer is.

    Attributes:
        frame: Number of the frame.
        pictures: Name to WebP.  ``frame`` is missing where ``line_color`` is there.
        line_color: RGB of the lines where the frame is exactly the flat picture with lines of one colour over it.
        masks: Which of :data:`MASKS` there are.
        masks_of: Name of a picture of masks of a layer to the directions that it has, a bit each.
        matches: Direction to the best matches of all segments, in the file's order; None where there is none.
        segments: Number of segments; 0 where there is no label map.
        depths: By layer how far away its nearest and its farthest surface are, scene units; without those of no depth.
        amodal: Who hides whom, see :func:`drawing.amodal_facts`; None where no file says so.
        objects: The names of the objects in the picture, hidden ones too, by id.
        unknown: Direction to the share of pixels of unknown motion.
        problems: What could not be read, in sentences.
    """

    frame: int
    pictures: dict[str, bytes] = field(default_factory=dict)
    line_color: tuple[int, int, int] | None = None
    masks: list[str] = field(default_factory=list)
    masks_of: dict[str, list[str]] = field(default_factory=dict)
    matches: dict[str, list[list[int]]] = field(default_factory=dict)
    segments: int = 0
    depths: dict[str, tuple[float, float]] = field(default_factory=dict)
    amodal: dict[str, Any] | None = None
    objects: dict[int, str] = field(default_factory=dict)
    unknown: dict[str, float] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class SurveyTask:
    """Find out how long the motion of a frame is.

    Attributes:
        clip: The cut.
        frame: The frame.
    """

    clip: ClipFiles
    frame: int

    def run(self) -> npt.NDArray[np.float32]:
        """``(N,)`` lengths in pixels, of both directions, where motion is known, on a coarse grid."""
        lengths = [np.zeros(0, np.float32)]
        for way in DIRECTIONS:
            if self.clip.has(f"flow_{way}", self.frame):
                try:
                    flow = self.clip.read_motion(way, self.frame)[::SURVEY_STEP, ::SURVEY_STEP]
                except DatasetError:
                    # the frame's own task tells
                    continue
                flow = flow[known_flow(flow)]
                lengths.append(np.hypot(flow[:, 0], flow[:, 1]))
        return np.concatenate(lengths)


@dataclass(frozen=True)
class FrameTask:
    """Make the pictures of a frame.

    Attributes:
        clip: The cut.
        frame: The frame.
        neighbors: The clip's frames before and after it; None at the ends.
        resolution: Width and height that all files of the clip must have.
        motion_scale: Motion in pixels that has the full colour.
        detail: How much to keep.
        filled: Whether flow continues known motion where none is known (``motion.unknown: fill``).
        layers: The names of the clip's layers that are written each alone.
        gaps: How many frames apart the frames are between which motion is known, 1 among them.
    """

    clip: ClipFiles
    frame: int
    neighbors: tuple[int | None, int | None]
    resolution: tuple[int, int]
    motion_scale: float
    detail: Detail
    filled: bool = False
    layers: tuple[str, ...] = ()
    gaps: tuple[int, ...] = (1,)

    def run(self) -> FrameLayers:
        """Read everything that there is of the frame, and draw it."""
        # threads of OpenCV gain nothing beside other workers
        cv2.setNumThreads(1)
        layers = FrameLayers(self.frame)
        pictures = {name: self._read(layers, name) for name in ("frame", "flat", "contour")}
        self._add_pictures(layers, pictures)
        self._add_passes(layers)
        self._add_ink(layers)
        self._add_cels(layers)
        self._add_labels(layers)
        flows = {way: self._read_flow(layers, way) for way in DIRECTIONS}
        self._add_masks(layers, flows)
        size = self.detail.size(self.resolution)
        for way, flow in flows.items():
            if flow is not None:
                colors = encode.shrink_colors(flow_to_color(flow, self.motion_scale), size)
                layers.pictures[f"flow_{way}"] = encode.encode_flow(colors, self.detail.flow_step)
                self._add_warps(layers, way, flow, pictures)
        return layers

    def _read(self, layers: FrameLayers, name: str, frame: int | None = None) -> Any:
        """A file's content, None where it is not there or of no use; then the reason is noted, if it is one."""
        frame = self.frame if frame is None else frame
        if not self.clip.has(name, frame):
            return None
        try:
            value = self.clip.read(name, frame)
        except DatasetError as error:
            # a neighbor's file is read by that frame's own task as well, which tells
            if frame == self.frame:
                layers.problems.append(self._below_root(error))
            return None
        size = self.resolution
        if isinstance(value, np.ndarray):
            size = (value.shape[1], value.shape[0])
        elif isinstance(value, Amodal):
            size = (value.width, value.height)
        if size != self.resolution:
            if frame == self.frame:
                path = self.clip.path(name, frame).relative_to(self.clip.root).as_posix()
                width, height = self.resolution
                layers.problems.append(
                    f"{path} is {size[0]} x {size[1]} pixels large, not {width} x {height} as the clip is"
                )
            return None
        return value

    def _read_flow(self, layers: FrameLayers, way: str) -> Any:
        flow = self._read(layers, f"flow_{way}")
        if flow is None or not self.filled:
            return flow
        try:
            return self.clip.read_motion(way, self.frame)
        except DatasetError:
            # whoever draws the mask tells what is wrong with it
            return None

    def _read_flow_of(self, layers: FrameLayers, motion: str) -> tuple[Any, Any]:
        """The motion of a layer alone, marked where it is unknown, and where it is known; None where there is none.

        Args:
            layers: Where problems are noted.
            motion: What follows ``flow_`` and ``valid_`` in the names of the files: direction, gap and layer.
        """
        flow, valid = (self._read(layers, f"{name}_{motion}") for name in ("flow", "valid"))
        if flow is None:
            return None, valid
        if valid is None:
            return flow, known_flow(flow)
        if self.filled:
            flow[~valid] = UNKNOWN_FLOW
        else:
            self._compare_known(layers, f"valid_{motion}", valid, known_flow(flow))
        return flow, valid

    def _compare_known(self, layers: FrameLayers, name: str, valid: Any, known: Any) -> None:
        """Note where the mask and the flow do not know the same motion."""
        if (valid != known).any():
            path = self.clip.path(name, self.frame).relative_to(self.clip.root).as_posix()
            layers.problems.append(
                f"{path} and the flow disagree about {int((valid != known).sum())} pixels: one says that their "
                "motion is known, the other that it is not"
            )

    def _below_root(self, error: DatasetError) -> str:
        # a page is the same wherever the dataset lies
        return str(error.below(self.clip.root))

    def _add_pictures(self, layers: FrameLayers, pictures: dict[str, Any]) -> None:
        size, quality = self.detail.size(self.resolution), self.detail.quality
        frame, flat, contour = (pictures[name] for name in ("frame", "flat", "contour"))
        if size == self.resolution and frame is not None and flat is not None and contour is not None:
            layers.line_color = line_color(frame, flat, contour)
        for name, picture in pictures.items():
            if picture is None or (name == "frame" and layers.line_color is not None):
                continue
            small = encode.shrink_colors(picture, size)
            if name == "contour" and layers.line_color is not None:
                # the page draws the frame's lines by it
                layers.pictures[name] = encode.encode_index(small.astype(np.uint32) * 0x010101)
            else:
                layers.pictures[name] = encode.encode_picture(small, quality)

    def _add_passes(self, layers: FrameLayers) -> None:
        """The first colour passes as one picture: two by two, or a single one."""
        found = [self._read(layers, color_pass(number).name) for number in range(1, SHOWN_PASSES + 1)]
        passes = [picture for picture in found if picture is not None]
        if not passes:
            return
        width, height = self.detail.size(self.resolution)
        columns = 1 if len(passes) == 1 else 2
        cell = (width // columns, height // columns)
        sheet = np.full((height, width, 3), 255, np.uint8)
        for place, picture in enumerate(passes):
            top, left = place // columns * cell[1], place % columns * cell[0]
            sheet[top : top + cell[1], left : left + cell[0]] = encode.shrink_colors(picture, cell)
        layers.pictures["passes"] = encode.encode_picture(sheet, self.detail.quality)

    def _add_ink(self, layers: FrameLayers) -> None:
        """Shade, kinds and style of lines, and strokes."""
        size, quality = self.detail.size(self.resolution), self.detail.quality
        for name in ("trace", "styled_contour"):
            picture = self._read(layers, name)
            if picture is not None:
                layers.pictures[name] = encode.encode_picture(encode.shrink_colors(picture, size), quality)
        shade = self._read(layers, "shade")
        if shade is not None:
            layers.pictures["shade"] = encode.encode_index(encode.shrink_labels(shade, size))
        for name in ("line_kind", "line_gap"):
            marks = self._read(layers, name)
            if marks is not None:
                # a thin line stays a line where a page is smaller
                layers.pictures[name] = encode.encode_index(encode.shrink_maxima(marks, size))
        strokes = self._read(layers, "strokes")
        if strokes is not None:
            layers.pictures["strokes"] = drawing.pack_strokes(strokes, self.resolution, size)

    def _add_cels(self, layers: FrameLayers) -> None:
        """Each layer alone, which of them is seen where, and who hides whom."""
        size, quality = self.detail.size(self.resolution), self.detail.quality
        for layer in self.layers:
            cel = self._read(layers, f"cel@{layer}")
            if cel is not None:
                layers.pictures[f"cel@{layer}"] = drawing.encode_cel(cel, size, quality)
            contour = self._read(layers, f"contour@{layer}")
            if contour is not None:
                small = encode.shrink_colors(contour, size)
                layers.pictures[f"contour@{layer}"] = encode.encode_picture(small, quality)
            ids = self._read(layers, f"object_id@{layer}")
            if ids is not None:
                layers.pictures[f"objects@{layer}"] = encode.encode_index(encode.shrink_labels(ids, size))
            depth = self._read(layers, f"depth@{layer}")
            if depth is not None and np.isfinite(depth).any():
                levels, layers.depths[layer] = drawing.depth_levels(depth)
                layers.pictures[f"depth@{layer}"] = encode.encode_index(encode.shrink_labels(levels, size))
            for gap in self.gaps:
                self._add_motion_of(layers, layer, gap)
        shown = drawing.cel_map([self._read(layers, f"visible@{layer}") for layer in self.layers], size)
        if shown is not None:
            layers.pictures["cel_map"] = shown
        amodal = self._read(layers, "amodal")
        if amodal is not None:
            layers.amodal = drawing.amodal_facts(amodal, self.layers)
            layers.objects = {one.id: one.name for one in amodal.objects}
            for number, plane in enumerate(drawing.amodal_planes(amodal, size)):
                layers.pictures[f"amodal{number}"] = plane

    def _add_motion_of(self, layers: FrameLayers, layer: str, gap: int) -> None:
        """The motion of a layer alone between frames that are so far apart, in both directions."""
        size = self.detail.size(self.resolution)
        beside = f"@{layer}" if gap == 1 else f"_gap{gap}@{layer}"
        bits = np.zeros(self.resolution[::-1], np.uint8)
        for number, way in enumerate(DIRECTIONS):
            flow, valid = self._read_flow_of(layers, f"{way}{beside}")
            if flow is not None:
                # so much longer is motion that goes on as it does
                colors = encode.shrink_colors(flow_to_color(flow, gap * self.motion_scale), size)
                layers.pictures[f"flow_{way}{beside}"] = encode.encode_flow(colors, self.detail.flow_step)
            if valid is not None:
                bits |= valid.astype(np.uint8) << np.uint8(number)
                layers.masks_of.setdefault(f"valid{beside}", []).append(way)
        if f"valid{beside}" in layers.masks_of:
            layers.pictures[f"valid{beside}"] = encode.encode_index(encode.shrink_labels(bits, size))

    def _add_labels(self, layers: FrameLayers) -> None:
        size = self.detail.size(self.resolution)
        for name, picture in (("segment", "segments"), ("material_id", "materials")):
            labels = self._read(layers, name)
            if labels is None:
                continue
            if labels.min() < 0:
                path = self.clip.path(name, self.frame).relative_to(self.clip.root).as_posix()
                layers.problems.append(f"{path} holds the negative label {labels.min()}")
                continue
            layers.pictures[picture] = encode.encode_index(encode.shrink_labels(labels, size))
            if name == "segment":
                layers.segments = int(labels.max()) + 1
        for way in DIRECTIONS:
            matches = self._read(layers, f"match_{way}")
            if matches is not None:
                layers.matches[way] = matches

    def _add_masks(self, layers: FrameLayers, flows: dict[str, Any]) -> None:
        width, height = self.resolution
        bits = np.zeros((height, width), np.uint8)
        for number, name in enumerate(MASKS):
            mask = self._read(layers, name)
            what, _, way = name.rpartition("_")
            flow = flows[way]
            if what == "valid" and flow is not None:
                known = known_flow(flow)
                layers.unknown[way] = 1 - float(known.mean())
                if mask is not None:
                    self._compare_known(layers, name, mask, known)
                # the flow speaks for itself where a dataset has no such masks
                mask = known if mask is None else mask
            if mask is not None:
                bits |= mask.astype(np.uint8) << np.uint8(number)
                layers.masks.append(name)
        if layers.masks:
            size = self.detail.size(self.resolution)
            layers.pictures["masks"] = encode.encode_index(encode.shrink_labels(bits, size))

    def _add_warps(self, layers: FrameLayers, way: str, flow: Any, pictures: dict[str, Any]) -> None:
        other = self.neighbors[1 if way == "forward" else 0]
        if other is None:
            return
        there = {name: self._read(layers, name, other) for name in ("frame", "flat", "contour")}
        is_shaded = self.clip.has("shade", self.frame)
        for name, layer in (("frame", "warp"), ("flat", "warp_flat")):
            source, target = pictures[name], there[name]
            if name == "frame" and is_shaded:
                source, target = without_shade(pictures), without_shade(there)
            if source is not None and target is not None:
                levels = encode.warp_levels(warp_difference(source, target, flow))
                small = encode.shrink_maxima(levels, self.detail.size(self.resolution))
                layers.pictures[f"{layer}_{way}"] = encode.encode_index(small)


def without_shade(pictures: dict[str, Any]) -> npt.NDArray[np.uint8] | None:
    """A frame as it is without shade, whose borders may move over surfaces that stand still; None where files lack.

    Args:
        pictures: A frame's ``frame``, ``flat`` and ``contour``; None for what is not there.
    """
    frame, flat, contour = (pictures[name] for name in ("frame", "flat", "contour"))
    if frame is None or flat is None or contour is None:
        return None
    ink = frame[contour == 0][:1]
    return draw_lines(flat, contour, (0, 0, 0) if not len(ink) else tuple(ink[0].tolist()))


def line_color(
    frame: npt.NDArray[np.uint8], flat: npt.NDArray[np.uint8], contour: npt.NDArray[np.uint8]
) -> tuple[int, int, int] | None:
    """The colour of the lines, if the frame is exactly its flat picture with hard lines of one colour over it.

    Args:
        frame: ``(H, W, 3)``.
        flat: ``(H, W, 3)``, the frame without lines.
        contour: ``(H, W)``, the line art.

    Returns:
        RGB; None where the frame is anything else, or without lines.
    """
    line = contour == 0
    if not line.any() or not (line | (contour == 255)).all():
        return None
    color = frame[line][0]
    if (frame[line] != color).any() or (frame[~line] != flat[~line]).any():
        return None
    red, green, blue = (int(channel) for channel in color)
    return red, green, blue


def draw_wheel(side: int) -> npt.NDArray[np.uint8]:
    """The legend of the flow: each place has the colour of the motion from the centre to it.

    Args:
        side: width and height; the full colour is reached at the edge.

    Returns:
        ``(side, side, 3)`` RGB; the page cuts the circle out.
    """
    along = ((np.arange(side) + 0.5) / side * 2 - 1).astype(np.float32)
    flow = np.stack(np.meshgrid(along, along), axis=-1)
    return flow_to_color(flow, 1.0)
