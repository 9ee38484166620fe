"""Looks into the files of one frame: what each holds, and whether those about the same pixels agree."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from animerun_gen.conventions import UNKNOWN_FLOW, known_flow
from animerun_gen.dataset import files
from animerun_gen.dataset.checksums import readable_digest
from animerun_gen.dataset.correspondence import read_surfaces
from animerun_gen.dataset.headers import Header, read_header
from animerun_gen.dataset.layers import read_amodal
from animerun_gen.dataset.line_ink import LineInk, read_line_ink
from animerun_gen.dataset.modalities import Content, Modality
from animerun_gen.dataset.strokes import read_strokes
from animerun_gen.errors import DatasetError
from animerun_gen.lines.compose import lay_ink
from animerun_gen.lines.kinds import LineKind
from animerun_gen.verify.layers import layer_problems
from animerun_gen.verify.words import pixels

BACKGROUND_ID = 0
"""Object id of the background."""

AGAIN = "delete it and make or download it again"

KEPT_AGAIN = "make or download it again"
"""The same where there is no manifest: what cannot be told from someone's only copy is not to be deleted."""

JSON_LIMIT = 64 << 20
"""Bytes; the matches of a thousand segments have a few ten thousand."""

PNG_ROOM = 16 << 20
"""Bytes that a PNG file may have beyond those of its pixels: foreign programs add texts and colour profiles."""

FAR = 10.0
"""Motion beyond so many picture widths is worth a note."""

GEOMETRY_LIMIT = 1 << 31
"""Bytes of a file of surfaces or strokes that are read; ten million triangles have a fifth of it."""

BORDER = 1e-3
"""Pixels: how far float32 flow may be from the float64 motion that the exact occlusion was decided by."""


_READERS: dict[Content, Callable[[Path], Any]] = {
    "picture": files.read_image,
    "flow": files.read_flow,
    "mask": files.read_mask,
    # of a file that this program did not make, the values are looked at afterwards
    "inverted_mask": files.read_array,
    "array": files.read_array,
    "surfaces": read_surfaces,
    "strokes": read_strokes,
    "line_ink": read_line_ink,
    "cel": files.read_cel,
    "amodal": read_amodal,
}


@dataclass(frozen=True)
class Defect:
    """Something that is wrong.

    Attributes:
        file: The file, relative to the root of the dataset.
        kind: One of :data:`animerun_gen.verify.run.KINDS`.
        what: What is wrong with it; follows the name of the file in a sentence.
        advice: What to do about it.
    """

    file: str
    kind: str
    what: str
    advice: str = AGAIN

    def __str__(self) -> str:
        return f"{self.file}: {self.what} ({self.advice})"


@dataclass(frozen=True)
class FrameFile:
    """One file of a frame.

    Attributes:
        name: Its path, relative to the root of the dataset.
        modality: What it is.
        checksum: The SHA-256 that it must have; None where nothing says.
    """

    name: str
    modality: Modality
    checksum: str | None = None


@dataclass
class FrameFindings:
    """What came of a frame.

    Attributes:
        defects: What is wrong.
        notes: What may be right and is unusual.
        segments: How many segments the frame has; None where that cannot be said.
        matches: Of each file of matches by the name of its modality, how many segments it has lists for, and the
            largest target with a segment that has it.
    """

    defects: list[Defect] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    segments: int | None = None
    matches: dict[str, tuple[int, int, int]] = field(default_factory=dict)


@dataclass(frozen=True)
class FrameInspection:
    """The task to look at the files of one frame and of the pairs that begin there.

    Attributes:
        root: Root folder of the dataset.
        frame: Number of the frame.
        files: The files.
        shape: Height and width that all of them must have; None where nothing says.
        ours: Whether this program made them; of others only what the layout itself demands is asked.
        quick: Whether only headers are to be looked at.
        ids: By modality, the ids that its table names.
        filled: Whether flow continues known motion where none is known (``motion.unknown: fill``).
        again: What to do about a file that is damaged.
    """

    root: Path
    frame: int
    files: tuple[FrameFile, ...]
    shape: tuple[int, int] | None
    ours: bool = True
    quick: bool = False
    ids: Mapping[str, frozenset[int]] = field(default_factory=dict)
    filled: bool = False
    again: str = AGAIN

    def run(self) -> FrameFindings:
        """Do it; nothing that a file holds makes it fail."""
        # threads of OpenCV gain nothing beside other workers
        cv2.setNumThreads(1)
        findings = FrameFindings()
        values: dict[str, Any] = {}
        for file in self.files:
            try:
                value = self._value(file, findings)
            except DatasetError as error:
                findings.defects.append(Defect(file.name, "damaged", error.what, self.again))
            # files of any content may lie there, and the others are to be looked at all the same
            except Exception as error:
                what = f"cannot be checked ({type(error).__name__}: {error})"
                findings.defects.append(Defect(file.name, "damaged", what, self.again))
            else:
                if value is not None:
                    values[file.modality.name] = value
        if self.ours:
            self._compare(values, findings)
        return findings

    def _value(self, file: FrameFile, findings: FrameFindings) -> Any:
        """What a file holds, where it is sound and more than its header is to be looked at."""
        path, what = self.root / file.name, file.modality
        size = path.stat().st_size
        if not size:
            raise DatasetError("is empty")
        header, sound = None, True
        try:
            header = read_header(path, what)
        except DatasetError as error:
            findings.defects.append(Defect(file.name, "damaged", error.what, self.again))
            sound = False
        if header is not None and (problem := self._misfit(header, what)):
            findings.defects.append(Defect(file.name, "form", problem, self.again))
            sound = False
        holds_geometry = what.content in ("surfaces", "strokes", "line_ink")
        limit = GEOMETRY_LIMIT if holds_geometry else _largest_size(header, self.shape)
        if size > limit:
            if sound:
                problem = f"has {size} bytes, far more than it can need"
                findings.defects.append(Defect(file.name, "damaged", problem, self.again))
            return None
        if file.checksum is not None and (defect := changed(self.root, file.name, file.checksum)):
            findings.defects.append(defect)
        if not sound or (self.quick and header is not None):
            return None
        if header is not None and header.kind.endswith("alpha") and what.content != "cel":
            # only a picture that this program did not make gets here
            _require_decodable(path)
            return None
        value = self._read(path, what)
        problems = list(self._problems(value, file, findings))
        findings.defects += [Defect(file.name, "values", problem, self.again) for problem in problems]
        return None if problems else value

    def _misfit(self, header: Header, what: Modality) -> str | None:
        """Why a file's shape or type is none that its modality may have, as the end of a sentence."""
        if self.shape is not None and header.shape[:2] != self.shape:
            height, width = self.shape
            return f"is {header}, but the clip's pictures are {height} x {width} (height x width)"
        if not self.ours:
            # numbers of segments in any whole type; depth and the like are none
            whole = "iu" if what.dtype and np.dtype(what.dtype).kind in "iu" else "f"
            number = {"inverted_mask": "biuf", "array": whole, "flow": "f"}.get(what.content)
            fits = number is None or np.dtype(header.dtype).kind in number
            fits = fits and (number is None or len(header.shape) == len(what.shape))
        else:
            fits = header.dtype == what.dtype and len(header.shape) == len(what.shape)
            fits = fits and all(
                isinstance(wanted, str) or side == wanted for side, wanted in zip(header.shape, what.shape, strict=True)
            )
            fits = fits and header.kind in (("RGB with alpha",) if what.content == "cel" else ("", "grey", "RGB"))
        if fits:
            return None
        return f"is {header}, but a file of {what.name} is {' x '.join(map(str, what.shape))} {what.dtype}"

    def _read(self, path: Path, what: Modality) -> Any:
        """The content, in memory's own terms: True is occluded, near a line, valid."""
        if what.content == "matches":
            return _read_matches(path)
        reader: Callable[[Path], Any] = _READERS[what.content]
        if what.content == "inverted_mask" and self.ours:
            reader = _read_own_mask
        return reader(path)

    def _problems(self, value: Any, file: FrameFile, findings: FrameFindings) -> Iterator[str]:
        """What no file of this modality may hold, as ends of sentences."""
        what = file.modality
        if what.content == "flow":
            yield from self._flow_problems(value, file, findings)
        elif what.content == "inverted_mask" and not self.ours:
            if not (np.isin(value, (0, 1)).all() or np.isin(value, (0, 255)).all()):
                yield "is not a mask: it has values other than 0 and 1"
        elif what.name == "segment":
            findings.segments = _count_segments(value)
            if findings.segments is None:
                yield _describe_labels(value)
        elif what.content == "matches":
            findings.matches[what.name] = value
        elif what.name in self.ids:
            unnamed = set(np.flatnonzero(np.bincount(value.ravel())).tolist()) - self.ids[what.name]
            if unnamed:
                yield f"shows the {_listed(sorted(unnamed))}, which {what.table} does not name"
        elif what.name.partition("@")[0] == "shade":
            if count := np.count_nonzero(value > 3):
                yield f"has {pixels(count)} of a tone that there is not: tones are 0 to 3"
        elif what.name == "line_kind":
            if count := np.count_nonzero(value > 7):
                yield f"has {pixels(count)} of a kind that there is not: kinds are 0 to 7"
        elif what.content == "line_ink":
            if self.shape is not None and tuple(value.size.tolist()) != self.shape:
                (own_height, own_width), (height, width) = value.size.tolist(), self.shape
                yield f"has lines of {own_height} x {own_width} pixels, but the pictures are {height} x {width}"
        elif what.content == "cel":
            if count := np.count_nonzero(~np.isin(value[..., 3], (0, 255))):
                yield f"has {pixels(count)} that are partly covered: a cel's alpha is 0 or 255"
        elif what.content == "amodal":
            if self.shape is not None and (value.height, value.width) != self.shape:
                height, width = self.shape
                yield f"has masks of {value.height} x {value.width} pixels, but the pictures are {height} x {width}"
        elif what.name.partition("@")[0] == "depth":
            if count := np.count_nonzero(~(value > 0)):
                yield f"has {pixels(count)} whose depth is not a positive number"
        elif what.name.startswith("depth_change"):
            if count := np.count_nonzero(np.isinf(value)):
                yield f"has {pixels(count)} whose depth changes without end"
        elif what.name == "normal":
            squared = np.einsum("hwi,hwi->hw", value, value)
            if count := np.count_nonzero(~((np.abs(squared - 1.0) < 2e-3) | (squared == 0.0))):
                yield f"has {pixels(count)} whose normal is neither of length 1 nor zero"

    def _flow_problems(self, flow: npt.NDArray[np.float32], file: FrameFile, findings: FrameFindings) -> Iterator[str]:
        known = known_flow(flow)
        unknown = flow[~known]
        if count := np.count_nonzero(~np.isfinite(unknown).all(axis=-1)):
            yield f"has {pixels(count)} whose flow is not a number"
            return
        if self.filled and len(unknown) and not file.modality.layer:
            yield f"has {pixels(len(unknown))} without flow, but motion.unknown of the cut is fill"
            return
        if self.ours and (count := np.count_nonzero((unknown != UNKNOWN_FLOW).any(axis=-1))):
            yield f"has {pixels(count)} whose flow is neither a motion nor 1e10 in both components"
        largest = float(np.abs(flow).max(where=known[..., None], initial=0.0))
        if largest > FAR * flow.shape[1]:
            findings.notes.append(f"{file.name} holds motion of {largest:.0f} px, many times the picture's width")

    def _compare(self, values: Mapping[str, Any], findings: FrameFindings) -> None:
        """Hold files against each other that say something about the same pixels."""
        names = {file.modality.name: file.name for file in self.files}
        modalities = [file.modality for file in self.files if file.modality.content == "flow"]
        for what in modalities:
            flow = values.get(what.name)
            if flow is None:
                continue
            known = known_flow(flow)
            if self.filled and not what.layer:
                if (valid := values.get(what.name.replace("flow", "valid", 1))) is None:
                    continue
                known = valid
                problems = _fill_problems(flow, valid, values.get("object_id"))
                findings.defects += [Defect(names[what.name], "contradiction", problem) for problem in problems]
            for companion, slack in (("valid", None), ("occlusion", 0.0), ("exact_occlusion", BORDER)):
                name = what.name.replace("flow", companion, 1)
                if name not in values:
                    continue
                if slack is None:
                    problems = _valid_problems(values[name], known, names[what.name])
                else:
                    leaves = _leaves_frame(flow, known, slack)
                    problems = _occlusion_problems(values[name], known, leaves, names[what.name])
                findings.defects += [Defect(names[name], "contradiction", problem, self.again) for problem in problems]
            name = what.name.replace("flow", "depth_change", 1)
            if name in values and (count := np.count_nonzero(~np.isnan(values[name]) & ~known)):
                problem = f"says how depth changes at {pixels(count)} whose motion is unknown in {names[what.name]}"
                findings.defects.append(Defect(names[name], "contradiction", problem, self.again))
        if "line_ink" in values and "styled_contour" in values:
            for problem in _ink_problems(values["line_ink"], values["styled_contour"], names["styled_contour"]):
                findings.defects.append(Defect(names["line_ink"], "contradiction", problem, self.again))
        for name, problem in _line_problems(values, names):
            findings.defects.append(Defect(names[name], "contradiction", problem, self.again))
        if "amodal" in values:
            for name, problem in layer_problems(values, names):
                findings.defects.append(Defect(names[name], "contradiction", problem, self.again))
        if "object_id" not in values:
            return
        if "correspondence" in values:
            surfaces = values["correspondence"]
            objects = np.append(surfaces.arrays["object_id"], np.uint16(0))[surfaces.instance]
            if count := np.count_nonzero(objects != values["object_id"]):
                problem = f"shows other objects than {names['object_id']} at {pixels(count)}"
                findings.defects.append(Defect(names["correspondence"], "contradiction", problem, self.again))
        empty = values["object_id"] == BACKGROUND_ID
        for name in ("material_id", "depth", "normal"):
            if name in values and (count := np.count_nonzero(_shows_nothing(name, values[name]) != empty)):
                disagreement = f"disagrees with {names['object_id']} at {pixels(count)} about where a surface is seen"
                findings.defects.append(Defect(names[name], "contradiction", disagreement, self.again))


def _ink_problems(ink: LineInk, styled: npt.NDArray[np.uint8], name: str) -> Iterator[str]:
    """What is wrong with lines beside the picture that shows them on white."""
    drawn = lay_ink(np.full_like(styled, 255), ink.pixel, ink.coverage, ink.color)
    if count := np.count_nonzero((drawn != styled).any(axis=2)):
        yield f"has other lines than {name} at {pixels(count)}"


def _line_problems(values: Mapping[str, Any], names: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """What is wrong with maps of kinds and gaps beside the line art: the modality, and the end of a sentence."""
    if "contour" not in values:
        return
    # both are made by the engine geometry alone, whose lines have no grey
    line = values["contour"] == 0
    if "line_kind" in values:
        kinds = values["line_kind"]
        has_kind = (kinds != LineKind.NONE) & (kinds != LineKind.SHADE)
        if count := np.count_nonzero(has_kind != line):
            yield "line_kind", f"disagrees with {names['contour']} at {pixels(count)} about where a line is"
    if "line_gap" in values and (count := np.count_nonzero((values["line_gap"] > 0) & ~line)):
        yield "line_gap", f"opens lines at {pixels(count)} at which {names['contour']} has none"


def _read_own_mask(path: Path) -> npt.NDArray[np.bool_]:
    """An occlusion or line area, which this program writes as 0 and 1 alone."""
    array = files.read_array(path)
    if (array > 1).any():
        raise DatasetError("is not a mask: a mask is an (H, W) uint8 array with no values but 0 and 1")
    mask: npt.NDArray[np.bool_] = array == 0
    return mask


def _shows_nothing(name: str, companion: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
    """Where no surface is seen by one of the pictures that the geometry gave."""
    nothing: npt.NDArray[np.bool_]
    if name == "depth":
        nothing = np.isinf(companion)
    elif name == "normal":
        nothing = (companion[..., 0] == 0) & (companion[..., 1] == 0) & (companion[..., 2] == 0)
    else:
        nothing = companion == 0
    return nothing


def changed(root: Path, name: str, checksum: str) -> Defect | None:
    """The defect that a file has not the content it was made with; None where it has.

    Args:
        root: Root folder of the dataset.
        name: The file, relative to it.
        checksum: Its SHA-256 when it was made.
    """
    try:
        digest = readable_digest(root / name)
    except OSError as error:
        return Defect(name, "damaged", f"cannot be read: {error.strerror}", "check the disk and its permissions")
    if digest == checksum:
        return None
    return Defect(name, "changed", "has changed since it was made: its SHA-256 is not that of the manifest")


def _require_decodable(path: Path) -> None:
    """Require that a picture can be decoded which this program would not have written.

    Raises:
        DatasetError: It cannot.
    """
    if cv2.imread(str(path), cv2.IMREAD_UNCHANGED) is None:
        raise DatasetError("cannot be decoded as a PNG file")


def _largest_size(header: Header | None, shape: tuple[int, int] | None) -> int:
    """Bytes that a file may have before it is not worth reading."""
    if header is None:
        return JSON_LIMIT
    if header.size is not None:
        # it has just as many
        return header.size
    height, width = shape or header.shape[:2]
    return PNG_ROOM + 8 * height * width


def _fill_problems(
    flow: npt.NDArray[np.float32], valid: npt.NDArray[np.bool_], object_ids: npt.NDArray[np.uint16] | None
) -> Iterator[str]:
    """What is wrong with a continuation of known flow, which the ids decide."""
    if object_ids is None or valid.all():
        return
    # the compiled kernels take their time to load
    from animerun_gen.motion.unknown import continued_flow

    expected = continued_flow(flow, valid, object_ids, BACKGROUND_ID)
    if count := np.count_nonzero((flow != expected).any(axis=-1)):
        yield f"does not continue the nearest known motion at {pixels(count)} of unknown motion"


def _valid_problems(valid: npt.NDArray[np.bool_], known: npt.NDArray[np.bool_], flow: str) -> Iterator[str]:
    if count := np.count_nonzero(valid & ~known):
        yield f"marks {pixels(count)} as known where {flow} has no motion"
    if count := np.count_nonzero(~valid & known):
        yield f"marks {pixels(count)} as unknown where {flow} has a motion"


def _occlusion_problems(
    occluded: npt.NDArray[np.bool_], known: npt.NDArray[np.bool_], leaves: npt.NDArray[np.bool_], flow: str
) -> Iterator[str]:
    if count := np.count_nonzero(~occluded & ~known):
        yield f"calls {pixels(count)} visible whose motion is unknown in {flow}"
    if count := np.count_nonzero(~occluded & leaves):
        yield f"calls {pixels(count)} visible that leave the picture by {flow}"


def _leaves_frame(flow: npt.NDArray[np.float32], known: npt.NDArray[np.bool_], slack: float) -> npt.NDArray[np.bool_]:
    """Where a known motion ends more than ``slack`` pixels outside the picture."""
    height, width = known.shape
    x = np.arange(width, dtype=np.float64) + flow[..., 0]
    y = np.arange(height, dtype=np.float64)[:, None] + flow[..., 1]
    low, right, bottom = -0.5 - slack, width - 0.5 + slack, height - 0.5 + slack
    inside = (x >= low) & (x < right) & (y >= low) & (y < bottom)
    outside: npt.NDArray[np.bool_] = known & ~inside
    return outside


def _count_segments(labels: npt.NDArray[Any]) -> int | None:
    """How many segments there are; None where their numbers are not 0, 1, 2, ... without a gap."""
    least, largest = int(labels.min()), int(labels.max())
    if least != 0 or largest >= labels.size:
        return None
    counts = np.bincount(labels.ravel())
    return len(counts) if counts.all() else None


def _describe_labels(labels: npt.NDArray[Any]) -> str:
    there = np.unique(labels)
    if there[0] != 0:
        return f"has segments from {there[0]} on; their numbers must begin at 0"
    missing = next(number for number, label in enumerate(there) if number != label)
    return f"has no segment {missing} but {len(there) - missing} of higher numbers, up to {there[-1]}"


def _read_matches(path: Path) -> tuple[int, int, int]:
    """Check a file of matches by itself.

    Returns:
        How many segments it has lists for, the largest target, and a segment that has it.

    Raises:
        DatasetError: It is wrong; the message is the end of a sentence that begins with the file.
    """
    try:
        pairs = json.loads(files.read_regular(path, JSON_LIMIT), object_pairs_hook=lambda pairs: pairs)
    except (ValueError, RecursionError) as error:
        raise DatasetError(f"is not valid JSON ({error})") from error
    if not (isinstance(pairs, list) and all(isinstance(pair, tuple) for pair in pairs)):
        raise DatasetError("holds no table of segments")
    table = dict(pairs)
    if len(table) != len(pairs):
        keys = Counter(key for key, _ in pairs)
        repeated = next(key for key, count in keys.items() if count > 1)
        raise DatasetError(f"has segment {repeated!r} twice")
    largest, owner = -1, 0
    for segment in range(len(table)):
        targets = table.get(str(segment))
        if targets is None:
            raise DatasetError(f"has no list for segment {segment} although it has {len(table)} lists")
        if not isinstance(targets, list) or not targets or not all(type(target) is int for target in targets):
            raise DatasetError(f"gives segment {segment} something other than a list of segments")
        if len(set(targets)) != len(targets):
            raise DatasetError(f"names a target of segment {segment} twice")
        if min(targets) < 0 and targets != [-1]:
            raise DatasetError(f"gives segment {segment} a negative target that is not [-1] alone")
        if max(targets) > largest:
            largest, owner = max(targets), segment
    return len(table), largest, owner


def _listed(ids: list[int]) -> str:
    shown = ", ".join(map(str, ids[:5]))
    return f"id {shown}" if len(ids) == 1 else f"ids {shown}{', ...' if len(ids) > 5 else ''}"
