"""Makes several clips of a cut whose timeline switches cameras, or whose camera jumps (``camera_cuts: split``)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from pydantic import ValidationError

from animerun_gen.config import CutConfig
from animerun_gen.config.exposures import exposures
from animerun_gen.engines.questions import CAMERA_MARKS, CameraMark, mark_at
from animerun_gen.errors import ConfigError, DatasetError
from animerun_gen.pipeline.cut import Cut
from animerun_gen.pipeline.deciding import Decision, Known
from animerun_gen.pipeline.state.changes import never_rendered
from animerun_gen.pipeline.state.ledger import CutLedger, FoundMarks, Sections, open_ledger

Marks = tuple[CameraMark, ...]
"""The camera marks of a film, by frame."""


@dataclass(frozen=True)
class CutPart:
    """A stretch of a cut, or the cut itself.

    Attributes:
        config: The cut that it is.
        notes: What splitting had to say.
    """

    config: CutConfig
    notes: list[str] = field(default_factory=list)


class CameraCuts(Decision[Marks]):
    """Each cut that asks for it, and whose timeline switches cameras within it, is replaced by its stretches.

    Their ``camera_cuts`` says ``mark``: there is nothing left to split.
    """

    question = CAMERA_MARKS
    unknown = ("the camera cuts of its film are not known yet", "run 'animerun-gen render' first")

    def is_open(self, config: CutConfig) -> bool:
        return not (config.camera_cuts == "mark" or config.camera_motion.keyframes)

    def depends_on(self, config: CutConfig) -> str:
        return f"frames {config.frames.first} to {config.frames.film_numbers[-1]}"

    def known(self, kept: CutLedger) -> Known[Marks] | None:
        found = kept.camera_marks
        return None if found is None else Known(found.digest, found.inputs, found.marks)

    def section(self, config: CutConfig, known: Known[Marks]) -> Sections:
        found = FoundMarks(digest=known.digest, scene=config.scene, inputs=known.inputs, marks=known.found)
        return {"camera_marks": found}

    def known_without_film(self, cut: Cut) -> Marks:
        kept = cut.ledger.kept
        if kept.camera_marks is None and not kept.begun:
            raise never_rendered(cut.name, cut.output)
        if kept.camera_marks is not None and kept.camera_marks.scene != cut.config.scene:
            raise self.is_unknown(cut)
        return super().known_without_film(cut)

    def decide(self, cut: Cut, find: Callable[[], Marks]) -> list[Cut]:
        made = []
        for part in split_cut(cut.config, find()):
            name = part.config.name
            own = cut.ledger if name == cut.name else open_ledger(cut.output, name)
            made.append(Cut(part.config, own, part.notes))
        return made


def split_cut(config: CutConfig, marks: Sequence[CameraMark]) -> list[CutPart]:
    """The stretches of a cut, each filmed by one camera that does not jump.

    Args:
        config: The cut.
        marks: The camera marks of its scene, by frame.

    Returns:
        A cut named ``<name>-1``, ``<name>-2`` and so on for each stretch of at least two frames; the numbers count all
        stretches, so that a name does not depend on how long the others are.  The cut itself where one camera films
        it all.

    Raises:
        DatasetError: No stretch is long enough, or a name becomes too long.
    """
    starts = [mark.frame for mark in marks]
    stretches: list[tuple[str, list[int]]] = []
    view: tuple[str, int] | None = None
    for frame in config.frames.film_numbers:
        camera = marks[mark_at(starts, frame)].camera if marks else ""
        jumps = sum(mark.jumps and mark.frame <= frame for mark in marks)
        if view != (camera, jumps):
            view = (camera, jumps)
            stretches.append((camera, []))
        stretches[-1][1].append(frame)
    if len(stretches) < 2:
        return [CutPart(config.model_copy(update={"camera_cuts": "mark"}))]
    parts, dropped = [], []
    for number, (camera, frames) in enumerate(stretches, start=1):
        if len(frames) < 2:
            dropped.append(
                f"frame {frames[0]}, a view of camera '{camera}' by itself, is left out: motion needs two frames"
            )
            continue
        parts.append(_stretch(config, number, camera, frames))
    if not parts:
        raise DatasetError(
            "it cannot be split at its camera cuts: no two neighbouring frames share a view",
            f"cut '{config.name}'",
            "choose other frames",
        )
    return [replace(parts[0], notes=parts[0].notes + dropped), *parts[1:]]


def _unsplit(config: CutConfig, reason: str) -> DatasetError:
    return DatasetError(
        f"it cannot be split at its camera cuts: {reason}",
        f"cut '{config.name}'",
        "correct that, or choose other frames",
    )


def _stretch(config: CutConfig, number: int, camera: str, frames: Sequence[int]) -> CutPart:
    gaps = tuple(gap for gap in config.motion.gaps if gap < len(frames))
    notes = [f"frames {frames[0]} to {frames[-1]} of cut '{config.name}', filmed by camera '{camera}'"]
    if gaps != config.motion.gaps:
        notes.append(f"motion.gaps beyond {gaps[-1]} are left out: the clip has only {len(frames)} frames")
    part = config.model_dump() | {
        "name": f"{config.name}-{number}",
        "camera": camera,
        "camera_cuts": "mark",
        "frames": config.frames.model_dump() | {"first": frames[0], "last": frames[-1]},
    }
    part["motion"]["gaps"] = gaps
    first = config.frames.film_numbers.index(frames[0])
    for layer in part["timing"]["layers"].values():
        if layer["frames"] is not None:
            layer["frames"] = layer["frames"][first : first + len(frames)]
    try:
        made = CutConfig.model_validate(part)
        exposures(made.timing, made.frames.film_numbers)
        return CutPart(made, notes)
    except ConfigError as error:
        raise _unsplit(config, str(error)) from error
    except ValidationError as error:
        reasons = "; ".join(str(details.get("ctx", {}).get("error", details["msg"])) for details in error.errors())
        raise _unsplit(config, reasons) from error
