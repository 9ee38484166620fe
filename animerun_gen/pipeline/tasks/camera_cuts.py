"""Makes several clips of a cut whose timeline switches cameras, or whose camera jumps (``camera_cuts: split``).

Only Blender can read the markers of a ``.blend`` and the way of a camera.  What it found is kept in the cut's ledger,
so that a finished dataset needs no Blender to be recognised as such, and labels need no ``.blend``.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace

from pydantic import ValidationError

from animerun_gen.config import CutConfig
from animerun_gen.config.exposures import exposures
from animerun_gen.dataset import layout
from animerun_gen.engines.questions import AskedCut, CameraMark, Looker, MarkedCut, mark_at
from animerun_gen.errors import AnimerunGenError, ConfigError, DatasetError
from animerun_gen.pipeline.cut import Cut
from animerun_gen.pipeline.state.fingerprints import scene_digest
from animerun_gen.pipeline.state.inputs import are_unchanged, digests_as_read
from animerun_gen.pipeline.state.ledger import FoundMarks, open_ledger
from animerun_gen.progress import Progress


@dataclass(frozen=True)
class CutPart:
    """A stretch of a cut, or the cut itself.

    Attributes:
        config: The cut that it is.
        notes: What splitting had to say.
    """

    config: CutConfig
    notes: list[str] = field(default_factory=list)


def split_at_camera_cuts(cuts: Sequence[Cut], finder: Looker | None, at_once: int = 1) -> list[Cut]:
    """Replace each cut that asks for it, and whose timeline switches cameras within it, by its stretches.

    Args:
        cuts: The cuts, of different names; what has failed is left alone.
        finder: The Blender that will render; None when nothing is to be rendered, and what an earlier run found counts.
        at_once: How many Blenders may look into films at the same time.

    Returns:
        The cuts to be made, in order.  Their ``camera_cuts`` says ``mark``: there is nothing left to split.  One that
        cannot be split has failed.
    """
    made: list[Cut] = []
    asking = [cut for cut in cuts if _asks(cut)]
    found = {cut.name: _known(cut) for cut in asking} if finder is None else _look(asking, finder, at_once)
    owners = {cut.name.lower(): cut.name for cut in cuts}
    for cut in cuts:
        if cut.name not in found:
            made.append(cut)
            continue
        try:
            marks = found[cut.name]
            if isinstance(marks, AnimerunGenError):
                raise marks
            parts = split_cut(cut.config, marks)
            for part in parts:
                name = part.config.name
                if owners.setdefault(name.lower(), cut.name) != cut.name:
                    raise DatasetError(
                        f"one of its clips would be named '{name}', which is the name of another cut",
                        f"cut '{cut.name}'",
                        "rename one of them",
                    )
            for part in parts:
                name = part.config.name
                own = cut.ledger if name == cut.name else open_ledger(cut.output, name)
                made.append(Cut(part.config, own, part.notes))
        except AnimerunGenError as error:
            cut.summary.fail(str(error))
            made.append(cut)
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
            f"cut '{config.name}' cannot be split at its camera cuts: no two neighbouring frames share a view",
            remedy="choose other frames",
        )
    return [replace(parts[0], notes=parts[0].notes + dropped), *parts[1:]]


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
        raise DatasetError(f"cut '{config.name}' cannot be split at its camera cuts: {error}") from error
    except ValidationError as error:
        reasons = "; ".join(str(details.get("ctx", {}).get("error", details["msg"])) for details in error.errors())
        raise DatasetError(f"cut '{config.name}' cannot be split at its camera cuts: {reasons}") from error


def _asks(cut: Cut) -> bool:
    """Whether the camera cuts of a cut matter."""
    config = cut.config
    return not (cut.summary.failures or config.camera_cuts == "mark" or config.camera_motion.keyframes)


Marks = Sequence[CameraMark] | AnimerunGenError
"""The camera marks of a cut, or why they cannot be had."""


def _known(cut: Cut) -> Marks:
    """What an earlier run found."""
    config, ledger = cut.config, cut.ledger
    kept = ledger.kept.camera_marks
    if kept is None and not ledger.kept.begun:
        return DatasetError(
            f"cut '{config.name}': none of it has been rendered into {ledger.output}; run 'animerun-gen render' first"
        )
    if kept is None or kept.scene != config.scene:
        return DatasetError(
            f"cut '{config.name}': the camera cuts of its film are not known yet; run 'animerun-gen render' first"
        )
    return kept.marks


def _look(cuts: Sequence[Cut], finder: Looker, at_once: int) -> dict[str, Marks]:
    """The camera marks of cuts: as an earlier run found them, if nothing changed since.

    Of cuts for which the same counts, one is asked about.
    """
    marks: dict[str, Marks] = {}
    alike: dict[str, list[Cut]] = {}
    for cut in cuts:
        kept = cut.ledger.kept.camera_marks
        try:
            digest = _digest(cut.config, finder)
            if kept is not None and kept.digest == digest and are_unchanged(kept.inputs):
                marks[cut.name] = kept.marks
            else:
                alike.setdefault(digest, []).append(cut)
        except AnimerunGenError as error:
            marks[cut.name] = error
    if not alike:
        return marks
    asked = [AskedCut(first.config, layout.log_file(first.output, first.name)) for first, *_ in alike.values()]
    # closed, so that no Blender goes on when this is stopped
    with (
        closing(finder.camera_marks(asked, at_once)) as answers,
        Progress(len(asked), "film", "looking for camera cuts", delay=1.0) as progress,
    ):
        for (digest, same), answer in zip(alike.items(), answers, strict=True):
            for cut in same:
                marks[cut.name] = answer if isinstance(answer, AnimerunGenError) else _kept(cut, digest, answer)
            progress.advance(same[0].name)
    return marks


def _kept(cut: Cut, digest: str, marked: MarkedCut) -> Marks:
    """Write down what was found about a cut."""
    try:
        found = FoundMarks(
            digest=digest,
            scene=cut.config.scene,
            inputs=digests_as_read(marked.inputs),
            marks=tuple(marked.marks),
        )
        cut.ledger.keep(camera_marks=found)
    except AnimerunGenError as error:
        return error
    return found.marks


def _digest(config: CutConfig, finder: Looker) -> str:
    """Digest of everything that the marks depend on, but for libraries and images."""
    scene = scene_digest(config, finder.version)
    return f"{scene}, frames {config.frames.first} to {config.frames.film_numbers[-1]}"
