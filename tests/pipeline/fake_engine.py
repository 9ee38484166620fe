"""A stand-in for Blender: draws a square that wanders over a plain, and reports like the real worker.

What it makes depends on the frame number, the configuration, the source file and the libraries, and on nothing else, so
that files made by way of detours can be compared with those of a fresh run, byte by byte.  Run as a program
(``python fake_engine.py JOB EVENTS HOW``) it behaves like :mod:`animerun_gen.blender.worker`.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import signal
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

import numpy as np

from animerun_gen.color.hexadecimal import rgb
from animerun_gen.config import CutConfig
from animerun_gen.config.model import SET_LAYER
from animerun_gen.conventions import UNKNOWN_FLOW
from animerun_gen.dataset.cameras import TO_OPENCV, FrameCamera, write_record
from animerun_gen.dataset.clip import ClipWriter
from animerun_gen.dataset.correspondence import ARRAYS, Surfaces
from animerun_gen.dataset.files import write_image, write_json
from animerun_gen.dataset.layers import Amodal, AmodalObject, LayerExtent, lines_over, pack_mask
from animerun_gen.dataset.layout import identity_picture, material_picture, unknown_file
from animerun_gen.dataset.line_ink import InkSource, LineInk
from animerun_gen.dataset.modalities import at_gap, modality
from animerun_gen.dataset.strokes import Strokes
from animerun_gen.dataset.tracks import Tracks
from animerun_gen.engines.children import Conditions
from animerun_gen.engines.fence import fence_of_parent
from animerun_gen.engines.film_files import files_of
from animerun_gen.engines.job import RenderJob, Reporter, input_mark
from animerun_gen.engines.lifetime import die_with_parent
from animerun_gen.engines.protocol import Event, from_text, read_request, to_text
from animerun_gen.engines.questions import CAMERA_MARKS, LAYERS, LINE_FIGURES, AskedCut, CameraMark, Replies, Reply
from animerun_gen.engines.render_process import RenderFailure, RenderProcess
from animerun_gen.errors import SceneError
from animerun_gen.lines import compose
from animerun_gen.lines.cost import LineFigures
from animerun_gen.motion.unknown import continued_flow, describe_unknown

SIDE = 12


class OneCamera:
    """What the film of the square answers when it is asked before it is rendered."""

    def ask(self, asked: Sequence[AskedCut], at_once: int) -> Replies:
        for one in asked:
            reply = Reply(one, {str(path): input_mark(path) for path in self.read_when_asked()})
            finders = {CAMERA_MARKS: self.marks_of, LAYERS: self.layers_of, LINE_FIGURES: self.figures_of}
            try:
                for question in one.questions:
                    reply.answers[question.name] = finders[question](one)
            except SceneError as error:
                reply.error = error
            yield reply

    def read_when_asked(self) -> Sequence[Path]:
        """Files besides the film that are read to answer."""
        return ()

    def marks_of(self, asked: AskedCut) -> tuple[CameraMark, ...]:
        return (CameraMark(asked.config.frames.first, "Camera"),)

    def layers_of(self, asked: AskedCut) -> dict[str, tuple[str, ...]]:
        return {"square": ("Square",)}

    def figures_of(self, asked: AskedCut) -> tuple[LineFigures, ...]:
        return (LineFigures(asked.config.frames.first, triangles=2, edges=4, crossings=0, visits=0),)


@dataclass(frozen=True)
class FakeEngine(OneCamera):
    """An engine that does its jobs in the calling thread.

    Attributes:
        version: What it says it is.
        inputs: Libraries that its scenes use.
        sequences: Names of several files each that its scenes show, see :mod:`animerun_gen.engines.film_files`.
        delay: Seconds that every file takes.
        fails_in: Cut to the frame at which rendering it fails.
        dies_in: A frame that kills the process.
        refuses: The earlier frame of a pair whose motion it does not write, because nothing of it is known.
        notes: What opening a scene has to say.
        jobs: The jobs that it was asked to start, in order.
    """

    version: str = "Blender 1.2.3"
    inputs: tuple[Path, ...] = ()
    sequences: tuple[str, ...] = ()
    delay: float = 0.0
    fails_in: Mapping[str, int] = field(default_factory=dict)
    dies_in: int = -1
    refuses: int = -1
    notes: tuple[str, ...] = ()
    jobs: list[RenderJob] = field(default_factory=list)

    in_this_process: ClassVar[bool] = True

    def start(self, job: RenderJob, log: Path, conditions: Conditions | None = None) -> FakeRun:
        self.jobs.append(job)
        return FakeRun(self, job)


@dataclass(frozen=True)
class FakeRun:
    engine: FakeEngine
    job: RenderJob

    def run(self, on_event: Callable[[Event], None]) -> None:
        do_job(self.job, Reporter(on_event), self.engine)

    def kill(self) -> None:
        pass


@dataclass(frozen=True)
class Meddled(FakeEngine):
    """Something happens to the files, or to the disk, when a frame is done.

    Attributes:
        meddle: What happens, by the frame; once.
    """

    meddle: dict[int, Callable[[], None]] = field(default_factory=dict)

    def start(self, job: RenderJob, log: Path, conditions: Conditions | None = None) -> MeddledRun:
        return MeddledRun(self, job)


@dataclass(frozen=True)
class MeddledRun(FakeRun):
    engine: Meddled

    def run(self, on_event: Callable[[Event], None]) -> None:
        def passed_on(event: Event) -> None:
            on_event(event)
            if event["event"] == "frame_done" and event["frame"] in self.engine.meddle:
                self.engine.meddle.pop(event["frame"])()

        super().run(passed_on)


@dataclass(frozen=True)
class FakeProgram(OneCamera):
    """The same in a child process, as the real engines do it.

    Attributes:
        version: What it says it is.
        delay: Seconds that every file takes.
        fails_in: Cut to the frame at which rendering it fails.
        dies_in: A frame that kills the child.
        notes: What opening a scene has to say.
        diary: A folder for the jobs that it was asked to do.
    """

    version: str = "Blender 1.2.3"
    delay: float = 0.0
    fails_in: Mapping[str, int] = field(default_factory=dict)
    dies_in: int = -1
    notes: tuple[str, ...] = ()
    diary: Path | None = None

    in_this_process: ClassVar[bool] = False

    def start(self, job: RenderJob, log: Path, conditions: Conditions | None = None) -> RenderProcess:
        if self.diary is not None:
            self.diary.mkdir(exist_ok=True)
            (self.diary / f"{secrets.token_hex(8)}.json").write_text(to_text(job), encoding="utf-8")
        how = {"delay": self.delay, "fails_in": dict(self.fails_in), "dies_in": self.dies_in, "notes": self.notes}

        def command(job_file: str, events: str) -> list[str]:
            return [sys.executable, __file__, job_file, events, json.dumps(how)]

        return RenderProcess(command, job, log, conditions)

    @property
    def jobs(self) -> list[RenderJob]:
        """The jobs of its diary."""
        assert self.diary is not None
        return [from_text(file.read_text(encoding="utf-8"), RenderJob) for file in self.diary.iterdir()]


def do_job(job: RenderJob, reporter: Reporter, engine: FakeEngine) -> None:
    config = job.config
    writer = SlowWriter(job.output, config.split, config.name)
    writer.delay = engine.delay
    present = [path for path in engine.inputs if path.exists()]
    reporter.opened(engine.version, list(engine.notes), [config.source, *present, *engine.sequences])
    shown = [path for name in engine.sequences for path in files_of(name) if path.exists()]
    film = hashlib.sha256(b"".join(path.read_bytes() for path in [config.source, *present, *shown])).digest()
    if "ids" in config.motion.extras:
        writer.write_names("object_id", {"0": "background", "1": "square"})
        writer.write_names("material_id", {"0": "background", "1": "none", "2": "paint"})
    for layer in config.layers.written:
        writer.write_names(f"object_id@{layer}", {"0": "background", "1": "square"})
        if config.layers.passes:
            writer.write_names(f"material_id@{layer}", {"0": "background", "1": "none", "2": "paint"})
    if job.pictures:
        background, paint = (f"#{red:02x}{green:02x}{blue:02x}" for red, green, blue in colors(config, film))
        writer.write_names("flat", {"0": background, "1": "#e7e7e7", "2": paint})
    for frame in job.frames:
        reporter.begins(frame, "flat")
        if engine.fails_in.get(config.name) == frame:
            raise RenderFailure(f"cut '{config.name}', in frame {frame} (flat): the fake engine was told to fail")
        if frame == engine.dies_in:
            os.kill(os.getpid(), signal.SIGSEGV)
        if frame in job.pictures:
            write_pictures(writer, config, frame, film)
        if frame in job.material_pictures:
            ids = np.where(square(config, frame)[0], 2, 0).astype(np.uint16)
            write_image(material_picture(job.output, config.name, frame), ids)
        if frame in job.identity_pictures:
            write_image(identity_picture(job.output, config.name, frame), places(config, frame))
        if frame in job.companions:
            write_companions(writer, config, frame)
            write_camera(config, job.output, frame)
        for earlier, later in job.pairs:
            if later == frame:
                gap = job.gap((earlier, later))
                if earlier == engine.refuses and gap == 1:
                    reporter.refused(f"nothing is known of the motion from frame {earlier} to {later}")
                    continue
                write_motion(writer, config, earlier, later, gap)
                if job.cross_check and gap == 1:
                    report_cross_check(reporter, earlier, later)
        if job.tracks and frame == job.frames[-1]:
            writer.write_tracks(tracks_of(config))
        reporter.took(frame, "flat", 0.0)
        reporter.frame_done(frame)
    reporter.finished()


class SlowWriter(ClipWriter):
    delay = 0.0

    def write(self, name: str, frame: int, value: object) -> None:
        if self.delay:
            time.sleep(self.delay)
        super().write(name, frame, value)

    def write_tracks(self, tracks: Tracks) -> None:
        if self.delay:
            time.sleep(self.delay)
        super().write_tracks(tracks)


def square(config: CutConfig, frame: int) -> tuple[np.ndarray, np.ndarray]:
    """Where the square is, and where its outline."""
    width, height = config.resolution
    left, top = 4 + frame % (width - SIDE - 8), 6
    inside = np.zeros((height, width), np.bool_)
    inside[top : top + SIDE, left : left + SIDE] = True
    core = np.zeros_like(inside)
    border = round(config.lines.thickness)
    core[top + border : top + SIDE - border, left + border : left + SIDE - border] = True
    return inside, inside & ~core


def places(config: CutConfig, frame: int) -> np.ndarray:
    """The identity picture: the rows and columns of the square, and no place on the plain."""
    inside, _ = square(config, frame)
    rows, columns = np.nonzero(inside)
    picture = np.zeros((*inside.shape, 3), np.uint16)
    picture[rows, columns] = 1000 + 50 * np.stack([rows, columns - columns.min(), rows], axis=1)
    return picture


def colors(config: CutConfig, film: bytes) -> tuple[tuple[int, int, int], tuple[int, int, int]]:
    """Of the plain and of the square."""
    background = (film[0], film[1], film[2]) if config.style.background == "auto" else rgb(config.style.background)
    return background, rgb(next(iter(config.style.overrides.values()), "#c04030"))


def write_pictures(writer: ClipWriter, config: CutConfig, frame: int, film: bytes) -> None:
    inside, outline = square(config, frame)
    flat = np.empty((*inside.shape, 3), np.uint8)
    flat[:], flat[inside] = colors(config, film)
    line_art = compose.contour(np.where(outline, 40, 255).astype(np.uint8), config.lines.gamma)
    writer.write("flat", frame, flat)
    writer.write("contour", frame, line_art)
    inked = compose.draw_lines(flat, line_art, rgb(config.lines.color))
    if config.lines.style.is_on:
        lines = ink_of(config, frame)
        inked = compose.lay_ink(flat, lines.pixel, lines.coverage, lines.color)
        on_white = compose.lay_ink(np.full_like(flat, 255), lines.pixel, lines.coverage, lines.color)
        writer.write("styled_contour", frame, on_white)
        if config.recolor.passes:
            writer.write("line_ink", frame, lines)
    writer.write("frame", frame, inked)
    if config.style.shade.is_on:
        # all of the square is lit
        writer.write("shade", frame, np.where(inside, 2, 0).astype(np.uint8))
        writer.write("trace", frame, np.repeat(line_art[..., None], 3, axis=-1))
    if config.lines.vector:
        writer.write("strokes", frame, strokes(config, frame))
    if config.layers.written:
        writer.write("line_layer", frame, lines_over(flat, inked))
    for layer, there in layers_of(config, frame).items():
        alpha = there | (layer == SET_LAYER)
        color = colors(config, film)[0 if layer == SET_LAYER else 1]
        cel = np.where(alpha[..., None], np.array([*color, 255], np.uint8), np.uint8(0))
        writer.write(f"cel@{layer}", frame, cel)
        writer.write(f"contour@{layer}", frame, line_art if there.any() else np.full_like(line_art, 255))
        if config.layers.passes and config.style.shade.is_on:
            writer.write(f"flat@{layer}", frame, np.ascontiguousarray(cel[..., :3]))
            writer.write(f"shade@{layer}", frame, np.where(there, 2, 0).astype(np.uint8))


def ink_of(config: CutConfig, frame: int) -> LineInk:
    """The outline of the square as a style has it: half covered, and above it follows the surface's colour."""
    inside, outline = square(config, frame)
    rows = np.nonzero(outline)[0]
    source = np.where(rows < rows.mean(), InkSource.SURFACE, InkSource.FIXED).astype(np.uint8)
    color = np.where(source[:, None] == InkSource.SURFACE, (90, 20, 10), rgb(config.lines.color)).astype(np.uint8)
    pixels = np.flatnonzero(outline).astype(np.int32)
    return LineInk(
        size=np.array(inside.shape, np.int32),
        pixel=pixels,
        coverage=np.full(len(pixels), 128, np.uint8),
        color=color,
        source=source,
        owner=pixels,
        material=np.full(len(pixels), 2, np.uint16),
        stroke=np.zeros(0, np.int32),
    )


def layers_of(config: CutConfig, frame: int) -> dict[str, np.ndarray]:
    """Where each layer has a surface: the square is the first beside the set, which is the plain, and no surface."""
    inside, _ = square(config, frame)
    return {
        layer: inside if number == 1 else np.zeros_like(inside) for number, layer in enumerate(config.layers.written)
    }


def write_companions(writer: ClipWriter, config: CutConfig, frame: int) -> None:
    inside, _ = square(config, frame)
    if "ids" in config.motion.extras:
        writer.write("object_id", frame, inside.astype(np.uint16))
        writer.write("material_id", frame, 2 * inside.astype(np.uint16))
    if "depth" in config.motion.extras:
        writer.write("depth", frame, np.where(inside, 5.0, np.inf).astype(np.float32))
    if "correspondence" in config.motion.extras:
        writer.write("correspondence", frame, surfaces(config, frame))
    if "normals" in config.motion.extras:
        writer.write("normal", frame, np.where(inside[..., None], (0, 0, 1), 0).astype(np.float32))
    layers = layers_of(config, frame)
    for layer, there in layers.items():
        writer.write(f"visible@{layer}", frame, there if layer != SET_LAYER or len(layers) == 1 else ~inside)
        writer.write(f"object_id@{layer}", frame, there.astype(np.uint16))
        if config.layers.passes:
            writer.write(f"material_id@{layer}", frame, 2 * there.astype(np.uint16))
        if "depth" in config.motion.extras:
            writer.write(f"depth@{layer}", frame, np.where(there, 5.0, np.inf).astype(np.float32))
    if layers:
        writer.write("amodal", frame, amodal_of(config, layers))


def amodal_of(config: CutConfig, layers: dict[str, np.ndarray]) -> Amodal:
    """The square, which hides nothing that is a surface."""
    width, height = config.resolution
    found = [(layer, there) for layer, there in layers.items() if there.any()]
    return Amodal(
        height=height,
        width=width,
        layers=tuple(LayerExtent(layer, int(there.sum()), int(there.sum())) for layer, there in layers.items()),
        order_is_exact=True,
        layer_occlusions=(),
        objects=tuple(
            AmodalObject(
                1,
                "square",
                layer,
                int(there.sum()),
                int(there.sum()),
                (int(np.argwhere(there.T)[0][0]), 6, SIDE, SIDE),
                pack_mask(there),
            )
            for layer, there in found
        ),
        object_occlusions=(),
    )


def strokes(config: CutConfig, frame: int) -> Strokes:
    """The border of the square that :func:`surfaces` makes, as one ring."""
    left, top = left_of(config, frame), 6
    low, high = -0.5, SIDE - 0.5
    corners = np.array([[low, low], [high, low], [high, high], [low, high]])
    numbers = np.arange(4)
    return Strokes(
        position=corners + np.array([left, top]),
        depth=np.full(4, 5.0),
        identity=np.repeat(numbers[:, None] + 1, 2, axis=1).astype(np.uint64),
        along=np.zeros(4),
        instance=np.zeros(4, np.int32),
        vertices=np.repeat(numbers[:, None], 2, axis=1).astype(np.int32),
        stroke_start=np.array([0, 5]),
        stroke_points=np.array([0, 1, 2, 3, 0], np.int32),
        kind=np.full(1, 3, np.uint8),
        hidden=np.zeros(1, bool),
        object_id=np.ones(1, np.uint16),
    )


def surfaces(config: CutConfig, frame: int) -> Surfaces:
    """The square as two triangles at the corners of its pixels, seen by the camera of :func:`write_camera`."""
    inside, _ = square(config, frame)
    width, height = config.resolution
    left, top = left_of(config, frame), 6
    # half a pixel beyond the centres of the pixels on its border, so that they are inside
    low, high = -0.5, SIDE - 0.5
    rows, columns = np.mgrid[:height, :width]
    lower = rows - top > columns - left
    matrix = np.eye(4)
    # y up, from the middle of the picture, five units before the camera
    matrix[:3, 3] = left - (width / 2 - 0.5), (height / 2 - 0.5) - top, -5.0
    texts = {
        "key": np.array(["square"]),
        "camera": np.array("camera"),
        "background": np.array(config.motion.background),
    }
    arrays = {
        "instance": np.where(inside, 0, -1),
        "triangle": np.where(inside, lower, -1),
        "vertices": [[low, -low, 0], [high, -low, 0], [high, -high, 0], [low, -high, 0]],
        "vertex_start": [0, 4],
        "triangles": [[0, 1, 2], [0, 2, 3]],
        "triangle_start": [0, 2],
        "triangle_slot": [0, 0],
        "mesh": [0],
        "matrix": [matrix],
        "object_id": [1],
        "slot_start": [0, 1],
        "slot_material": [2],
        "identity": [1, 2, 3, 4],
        "topology": np.zeros((1, 16)),
        "numbering": np.zeros((1, 16)),
        "distinct": [True],
        "ordered": [True],
        "single": [True],
        "camera_world": np.eye(4),
        "camera_projection": np.diag([2.0 / width, 2.0 / height, -0.02, 1.0]),
        "camera_clip": [0.1, 100.0],
        "hole_uvs": np.empty((0, 3, 2)),
        "hole_uv_start": [],
        "hole_masks": [],
        "mask_texels": [],
        "mask_start": [0],
        "mask_size": np.empty((0, 2)),
        "mask_extension": [],
    }
    return Surfaces(frame, texts | {name: np.array(array, ARRAYS[name].dtype) for name, array in arrays.items()})


def write_camera(config: CutConfig, output: Path, frame: int) -> None:
    """An orthographic camera of one unit a pixel, which stands still above the plain."""
    width, height = config.resolution
    camera = FrameCamera(
        name="camera",
        width=width,
        height=height,
        projection=np.array([[1.0, 0, 0, width / 2 - 0.5], [0, 1, 0, height / 2 - 0.5], [0, 0, 0, 1]]),
        world_to_camera=TO_OPENCV,
        matrix_world=np.eye(4),
        near=0.1,
        far=100.0,
        orthographic_scale=float(max(width, height)),
    )
    stated = {**camera.as_dict(), "blender": {"type": "ORTHO"}}
    record = {"resolution": [width, height], "moved_by": [0.0] * 3, "camera": stated, "film_camera": None}
    write_record(output, config.name, frame, record)


def left_of(config: CutConfig, frame: int) -> int:
    return int(np.flatnonzero(square(config, frame)[0].any(axis=0))[0])


def write_motion(writer: ClipWriter, config: CutConfig, earlier: int, later: int, gap: int) -> None:
    def write(name: str, frame: int, value: np.ndarray) -> None:
        writer.write(at_gap(modality(name), gap).name, frame, value)

    left = {frame: left_of(config, frame) for frame in (earlier, later)}
    for direction, source, target in (("forward", earlier, later), ("backward", later, earlier)):
        inside, _ = square(config, source)
        there, _ = square(config, target)
        flow = np.zeros((*inside.shape, 2), np.float32)
        flow[inside, 0] = left[target] - left[source]
        valid = inside | (config.motion.background != "invalid")
        flow[~valid] = UNKNOWN_FLOW
        for layer, area in layers_of(config, source).items():
            # the plain has no surface, and stands still as the background does
            known = (area | (config.motion.background != "invalid")) if layer == SET_LAYER else area
            own = np.where(known[..., None], np.where(area[..., None], flow, 0), UNKNOWN_FLOW).astype(np.float32)
            for what, value in (("flow", own), ("valid", known)):
                writer.write(at_gap(modality(f"{what}_{direction}@{layer}"), gap).name, source, value)
        if not valid.all() and gap == 1:
            told = describe_unknown(np.where(valid, 0, 1).astype(np.uint8), inside.astype(np.uint16), {1: "square"})
            write_json(unknown_file(writer.root, config.name, source, target), told)
        if config.fills_unknown:
            flow = continued_flow(flow, valid, inside.astype(np.uint16), 0)
        write(f"flow_{direction}", source, flow)
        write(f"valid_{direction}", source, valid)
        if "scene_flow" in config.motion.extras:
            write(f"depth_change_{direction}", source, np.where(inside, 0.0, np.nan).astype(np.float32))
        if "exact_occlusion" in config.motion.extras:
            write(f"exact_occlusion_{direction}", source, (~inside & there) | ~valid)


def report_cross_check(reporter: Reporter, earlier: int, later: int) -> None:
    for source, target in ((earlier, later), (later, earlier)):
        figures = {"compared_share": 0.5, "median": 1e-5, "p99": 2e-4, "largest": 3e-3, "vector_pass_problems": []}
        reporter.cross_checked(source, target, figures)


def tracks_of(config: CutConfig) -> Tracks:
    """Points of the square, all chosen in the first frame."""
    frames, count = config.frame_numbers, config.motion.tracks
    row, column = np.random.default_rng(config.seed).integers(0, SIDE, (2, count))
    left = np.array([left_of(config, frame) for frame in frames])
    x = left[:, None] + column
    everywhere = np.ones(x.shape, bool)
    return Tracks(
        frames=np.array(frames, np.int32),
        position=np.stack([x, np.broadcast_to(6 + row, x.shape)], axis=-1).astype(np.float64),
        world=np.stack([x, np.broadcast_to(6 + row, x.shape), np.full(x.shape, 5.0)], axis=-1).astype(np.float64),
        depth=np.full(x.shape, 5.0, np.float32),
        known=everywhere,
        in_frame=everywhere,
        visible=everywhere,
        query_frame=np.full(count, frames[0], np.int32),
        object_id=np.ones(count, np.uint16),
        material_id=np.full(count, 2, np.uint16),
        requested=count,
        seed=config.seed,
    )


def main() -> None:
    die_with_parent()
    job_file, descriptor, how = sys.argv[1:]
    with os.fdopen(int(descriptor), "w", encoding="utf-8") as events:

        def emit(event: Event) -> None:
            events.write(json.dumps(event) + "\n")
            events.flush()

        job = read_request(Path(job_file), RenderJob)
        fence = fence_of_parent(job.output)
        with nullcontext() if fence is None else fence.inside():
            reporter = Reporter(emit)
            try:
                do_job(job, reporter, FakeEngine(**json.loads(how)))
            except RenderFailure as error:
                reporter.failed(RenderFailure.__name__, str(error))


if __name__ == "__main__":
    main()
