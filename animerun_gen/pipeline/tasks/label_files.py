"""Makes the labels of one frame or pair, and the figures that say how good they are."""

from __future__ import annotations

import threading
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from animerun_gen.color.hexadecimal import RGB, rgb
from animerun_gen.color.oklab import U8Array
from animerun_gen.config import CutConfig
from animerun_gen.dataset import layout
from animerun_gen.dataset.cameras import read_reprojection
from animerun_gen.dataset.clip import ClipFiles, ClipWriter
from animerun_gen.dataset.files import read_image, read_json
from animerun_gen.errors import DatasetError
from animerun_gen.labels import line_area, match_regions, trapped_ball_segments
from animerun_gen.labels.line_area import line_pixels
from animerun_gen.labels.shaded_regions import divide_by_tones
from animerun_gen.labels.ways_home import ways_home
from animerun_gen.lines.compose import draw_lines
from animerun_gen.pipeline.state.figures import write_figures
from animerun_gen.pipeline.state.on_disk import has_content, mark
from animerun_gen.quality.agreement import id_agreement, label_picture_agreement
from animerun_gen.quality.contents import BACKGROUND, picture_contents, surface_contents
from animerun_gen.quality.figures import is_held, pair_figures
from animerun_gen.quality.segments import segment_figures


def label_frame(clip: ClipWriter, config: CutConfig, frame: int) -> None:
    """Make the segments of a frame, and its figures.

    Raises:
        DatasetError: A picture is missing or cannot be read, or something cannot be written.
    """
    # threads of OpenCV gain nothing beside other workers
    cv2.setNumThreads(1)
    labels = config.labels
    line_art = clip.read("contour", frame)
    if has_content(clip.path("segment", frame)):
        # only the figures are wanted anew
        segments = clip.read("segment", frame)
    else:
        segments = trapped_ball_segments(line_art, ball_radius=labels.ball_radius, threshold=labels.line_threshold)
        if labels.segment_by == "regions":
            lines = line_pixels(line_art, labels.line_threshold)
            segments = divide_by_tones(segments, clip.read("shade", frame), lines, config.style.shade.smallest)
        clip.write("segment", frame, segments)

    lines, flat = line_pixels(line_art, labels.line_threshold), clip.read("flat", frame)
    figures: dict[str, Any] = {"frame": frame, "segments": int(segments.max()) + 1}
    figures |= dict.fromkeys(("leaks", "pieces", "id_regions", "agreement", "agreement_compared", "agreement_odd"))
    figures["agreement_ids"] = None
    figures |= dict.fromkeys(("surface_share", "largest_surface", "largest_surface_is"))
    figures |= picture_contents(plain_frame(clip, config, frame), flat, lines)
    if "ids" in config.motion.extras:
        objects, materials = clip.read("object_id", frame), clip.read("material_id", frame)
        figures |= segment_figures(segments, lines, objects, materials)
        figures |= surface_contents(objects, materials, clip.read_names("object_id"), clip.read_names("material_id"))
        agreement = label_picture_agreement(flat, materials, colors_at(clip, frame))
        figures |= {"agreement": _rounded(agreement.share), "agreement_compared": _rounded(agreement.compared)}
        figures["agreement_odd"] = agreement.odd
        rendered = layout.material_picture(clip.root, clip.cut, frame)
        if has_content(rendered):
            figures["agreement_ids"] = _rounded(id_agreement(np.asarray(read_image(rendered), np.uint16), materials))
    write_figures(layout.frame_figures_file(clip.root, clip.cut, frame), figures)


def plain_frame(clip: ClipFiles, config: CutConfig, frame: int) -> U8Array:
    """The colour frame without shade and styled lines, ``(H, W, 3)`` uint8: what figures compare between frames.

    A border of the shade may move over a surface that stands still, and a line with soft edges mixes its colour with
    whatever it passes, so that colour does not stay with the surface.

    Raises:
        DatasetError: A file is missing or cannot be read.
    """
    if _is_plain(config):
        picture: U8Array = clip.read("frame", frame)
        return picture
    return draw_lines(clip.read("flat", frame), clip.read("contour", frame), rgb(config.lines.color))


def _is_plain(config: CutConfig) -> bool:
    """Whether the colour frames of a cut are flat colours under its line art."""
    return not (config.style.shade.is_on or config.lines.style.is_on)


def _rounded(share: float | None) -> float | None:
    return None if share is None else round(share, 9)


def colors_at(clip: ClipFiles, frame: int) -> dict[int, RGB | None]:
    """The colour of each material id in a frame; None where it has no single one.

    Raises:
        DatasetError: The table is missing, damaged, or of other frames.
    """
    try:
        return clip.read_colors().at(frame)
    except KeyError as error:
        raise DatasetError(
            f"has no colours of frame {frame}",
            clip.names_path("flat"),
            "delete it and run 'animerun-gen generate' again",
        ) from error


def repainted_pixels(
    clip: ClipFiles, config: CutConfig, source: int, target: int, files: PairReader | None = None
) -> npt.NDArray[np.bool_] | None:
    """Where a frame shows what has another colour in another frame, ``(H, W)`` bool; None where nowhere.

    That is a material whose colours change, or a surface that changes its material.  Without material ids nobody knows
    where changing materials are, so then it is everywhere.

    Raises:
        DatasetError: A file is missing or cannot be read.
    """
    file = layout.switched_picture(clip.root, clip.cut, source, target)
    switched = np.asarray(read_image(file), np.uint8) > 0 if has_content(file) else None
    repainted = clip.read_colors().differing(source, target)
    if not repainted:
        return switched
    if "ids" not in config.motion.extras:
        return np.ones(clip.read("contour", source).shape, np.bool_)
    # looked up, which takes a fifth of the time that it takes to search
    changes = np.zeros(int(np.iinfo(np.uint16).max) + 1, np.bool_)
    changes[sorted(repainted)] = True
    changing = changes[(files or clip).read("material_id", source)]
    return changing if switched is None else changing | switched


class PairReader:
    """Reads files of the frames of a pair.

    The pair before, if it was labelled in this thread, ended with the frame that this one begins with: what it read of
    that frame is not read again, unless it has changed.  What is read must not be changed.

    Args:
        clip: The cut.
        earlier: The frame that the pair begins with.
        later: The frame that it ends with.
    """

    _last = threading.local()

    def __init__(self, clip: ClipFiles, earlier: int, later: int) -> None:
        self._clip = clip
        self._later = later
        cut = clip.root, clip.split, clip.cut
        known = getattr(self._last, "files", {}) if getattr(self._last, "frame", None) == (cut, earlier) else {}
        self._known: dict[str, tuple[str, Any]] = known
        # what it has read of the later frame waits for the next pair
        self._last.frame, self._last.files = (cut, later), {}

    def read(self, name: str, frame: int) -> Any:
        """Read one file, as :meth:`~animerun_gen.dataset.clip.ClipFiles.read`.

        Raises:
            DatasetError: The file is missing, damaged, or of another dtype or shape.
        """
        try:
            now = mark(self._clip.path(name, frame).stat())
        except OSError:
            # whoever reads it says what is wrong with it
            return self._clip.read(name, frame)
        if frame == self._later:
            value = self._clip.read(name, frame)
            self._last.files[name] = (now, value)
            return value
        known, value = self._known.get(name, ("", None))
        return value if known == now else self._clip.read(name, frame)


def label_pair(clip: ClipWriter, config: CutConfig, earlier: int, later: int) -> None:
    """Make everything of a pair: line area, occlusion and matches both ways, and its figures.

    Raises:
        DatasetError: A picture, flow or segments are missing or cannot be read, or something cannot be written.
    """
    # threads of OpenCV gain nothing beside other workers
    cv2.setNumThreads(1)
    labels = config.labels
    files = PairReader(clip, earlier, later)
    near_lines = line_area(
        clip.read("contour", earlier), distance=labels.line_distance, threshold=labels.line_threshold
    )
    _write_missing(clip, "line_area", earlier, near_lines)
    flows = {"forward": clip.read_motion("forward", earlier), "backward": clip.read_motion("backward", later)}
    flats, segments = ({frame: files.read(name, frame) for frame in (earlier, later)} for name in ("flat", "segment"))
    if _is_plain(config):
        frames = {frame: files.read("frame", frame) for frame in (earlier, later)}
    else:
        frames = {frame: plain_frame(clip, config, frame) for frame in (earlier, later)}
    identities = identity_pictures(clip, earlier, later)

    def surfaces() -> npt.NDArray[np.bool_]:
        one, other = (np.asarray(files.read("object_id", frame)) != BACKGROUND for frame in (earlier, later))
        return one | other

    held = is_held(
        (flats[earlier], flats[later]),
        (flows["forward"], flows["backward"]),
        exact=config.motion.backend == "geometry",
        surfaces=surfaces if "ids" in config.motion.extras else None,
    )
    figures: dict[str, Any] = {"source": earlier, "target": later, "held": held}
    for direction, source, target in (("forward", earlier, later), ("backward", later, earlier)):
        opposite = "backward" if direction == "forward" else "forward"
        flow = flows[direction]
        ways = ways_home(flow, flows[opposite])
        occlusion = ways.occluded(labels.occlusion_threshold)
        exact = None
        if "exact_occlusion" in config.motion.extras:
            exact = clip.read(f"exact_occlusion_{direction}", source)
        hides = exact if exact is not None and labels.match_occlusion == "exact" else occlusion
        _write_missing(clip, f"occlusion_{direction}", source, occlusion)
        matches = match_regions(segments[source], segments[target], flow, hides)
        _write_missing(clip, f"match_{direction}", source, matches)
        figures[direction] = pair_figures(
            frames[source],
            frames[target],
            flow,
            occlusion,
            ways=ways,
            exact_occlusion=exact,
            source_flat=flats[source],
            target_flat=flats[target],
            identities=(identities[source], identities[target]) if identities else None,
            threshold=labels.occlusion_threshold,
            repainted=repainted_pixels(clip, config, source, target, files),
        )
        figures[direction]["unknown"] = (
            unknown_motion(clip, source, target) if figures[direction]["invalid_share"] else []
        )
        agrees = read_reprojection(clip.root, clip.cut, source, target)
        figures[direction] |= {f"reprojection_{name}": _rounded(value) for name, value in agrees.items()}
    write_figures(layout.pair_figures_file(clip.root, clip.cut, earlier), figures)


def unknown_motion(clip: ClipFiles, source: int, target: int) -> list[dict[str, Any]] | None:
    """Where and why motion is unknown, see :func:`animerun_gen.motion.unknown.describe_unknown`; None: nothing says."""
    file = layout.unknown_file(clip.root, clip.cut, source, target)
    return read_json(file) if has_content(file) else None


def identity_pictures(clip: ClipFiles, earlier: int, later: int) -> dict[int, npt.NDArray[np.uint16]]:
    """The identity pictures of a pair by frame, ``(H, W, 3)`` uint16; empty where the pair is not sampled.

    Raises:
        DatasetError: One cannot be read.
    """
    files = {frame: layout.identity_picture(clip.root, clip.cut, frame) for frame in (earlier, later)}
    if not all(map(has_content, files.values())):
        return {}
    return {frame: np.asarray(read_image(file), np.uint16) for frame, file in files.items()}


def _write_missing(clip: ClipWriter, name: str, frame: int, value: Any) -> None:
    """Write a file unless it is there: what is out of date was cleared away before."""
    if not has_content(clip.path(name, frame)):
        clip.write(name, frame, value)
