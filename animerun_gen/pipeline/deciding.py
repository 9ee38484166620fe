"""Decides what cuts leave open that only their films can tell: how they are split, their layers, who draws their lines.

Only Blender can look into a film.  What it found is kept in the cut's ledger and counts until something changes that it
depends on.  So a finished dataset needs no Blender to be recognised as such, labels need no ``.blend``, and all
processes that render a part of a cut, in whatever run, go by the same.  One Blender is asked all that there is to be
asked about a cut, and only one about cuts for which the same counts.

Another decision takes a question (:mod:`animerun_gen.engines.questions`), a function that answers it
(:mod:`animerun_gen.blender.questions`), a section of the ledger, and a :class:`Decision`, which the run names.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from typing import Any, Generic, TypeVar

from animerun_gen.config import CutConfig
from animerun_gen.dataset import layout
from animerun_gen.engines.film_files import looking_once
from animerun_gen.engines.questions import AskedCut, FilmQuestion, Looker, Reply
from animerun_gen.errors import AnimerunGenError, DatasetError
from animerun_gen.pipeline.cut import Cut
from animerun_gen.pipeline.state.fingerprints import scene_digest
from animerun_gen.pipeline.state.inputs import are_unchanged, digests_as_read
from animerun_gen.pipeline.state.ledger import CutLedger, Sections
from animerun_gen.pipeline.summary import failures_to
from animerun_gen.progress import Progress

Found = TypeVar("Found")


@dataclass(frozen=True)
class Known(Generic[Found]):
    """What was found out about a cut's film.

    Attributes:
        digest: Of the scene and what else it depends on; stale where it is another one now.
        inputs: Files besides the ``.blend``, name to SHA-256; stale as soon as one has another.
        found: It.
    """

    digest: str
    inputs: dict[str, str]
    found: Found


class Decision(ABC, Generic[Found]):
    """Something about a cut that its configuration may leave open.

    Attributes:
        question: What a Blender is asked for it.
        unknown: What is wrong where no Blender may be asked and no earlier run did, and what to do.
    """

    question: FilmQuestion[Found]
    unknown: tuple[str, str]

    @abstractmethod
    def is_open(self, config: CutConfig) -> bool:
        """Whether a cut leaves it open."""

    def needs_film(self, config: CutConfig) -> bool:
        """Whether only the film can tell, of a cut that leaves it open."""
        return True

    def depends_on(self, config: CutConfig) -> str:
        """What the answer depends on besides the scene as it is when the cut begins."""
        return ""

    @abstractmethod
    def known(self, kept: CutLedger) -> Known[Found] | None:
        """What the section of a cut's ledger says that keeps the answer; None where nobody asked."""

    @abstractmethod
    def section(self, config: CutConfig, known: Known[Found]) -> Sections:
        """That section, for an answer."""

    def known_without_film(self, cut: Cut) -> Found:
        """What an earlier run found, whatever the film is now.

        Raises:
            DatasetError: None did.
        """
        known = self.known(cut.ledger.kept)
        if known is None:
            raise self.is_unknown(cut)
        return known.found

    def is_unknown(self, cut: Cut) -> DatasetError:
        """Says that no earlier run found it out."""
        what, remedy = self.unknown
        return DatasetError(what, f"cut '{cut.name}'", remedy)

    @abstractmethod
    def decide(self, cut: Cut, find: Callable[[], Found]) -> list[Cut]:
        """Go on with a cut that leaves it open.

        Args:
            cut: The cut; a sentence is added to what was decided about it.
            find: What was found in its film; to be called only where :meth:`needs_film` says so.

        Returns:
            What is to be made in its place: nearly always the cut itself, with another configuration.

        Raises:
            AnimerunGenError: It cannot be decided.
        """


def decide(
    cuts: Sequence[Cut], rounds: Sequence[Sequence[Decision[Any]]], looker: Looker | None, at_once: int = 1
) -> list[Cut]:
    """Decide what cuts leave open.

    Args:
        cuts: The cuts, of different names; what has failed is left alone.
        rounds: What to decide, in this order; what is decided in one round is asked at once.  What makes other cuts of
            a cut is decided alone.
        looker: The Blender that will render; None when nothing is to be rendered, and what an earlier run found counts.
        at_once: How many Blenders may look into films at the same time, where none converts a whole scene.

    Returns:
        The cuts to be made, in order, which leave nothing of it open.  One about which it cannot be decided has failed.
    """
    for decisions in rounds:
        cuts = _decide_together(cuts, decisions, looker, at_once)
    return list(cuts)


def _decide_together(
    cuts: Sequence[Cut], decisions: Sequence[Decision[Any]], looker: Looker | None, at_once: int
) -> list[Cut]:
    """The cuts after one round."""
    answers = _Answers()
    asking: list[tuple[Cut, list[Decision[Any]]]] = []
    for cut in cuts:
        if not cut.summary.failures:
            asking.append(
                (cut, [each for each in decisions if each.is_open(cut.config) and each.needs_film(cut.config)])
            )
    if looker is None:
        _recall(answers, asking)
    else:
        _look(answers, asking, looker, at_once)
    made: list[Cut] = []
    owners = {cut.name.lower(): cut.name for cut in cuts}
    for cut in cuts:
        parts = [cut]
        if not cut.summary.failures:
            with failures_to(cut.summary):
                for decision in decisions:
                    if decision.is_open(cut.config):
                        decided = decision.decide(cut, partial(answers.get, cut, decision))
                        for part in decided:
                            if owners.setdefault(part.name.lower(), cut.name) != cut.name:
                                raise DatasetError(
                                    f"one of its clips would be named '{part.name}', which is the name of another cut",
                                    f"cut '{cut.name}'",
                                    "rename one of them",
                                )
                        parts = decided
        made += parts
    return made


class _Answers:
    """What was found about cuts, or why it cannot be had."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, str], Any] = {}

    def add(self, cut: Cut, decision: Decision[Found], found: Found | AnimerunGenError) -> None:
        self._found[cut.name, decision.question.name] = found

    def get(self, cut: Cut, decision: Decision[Found]) -> Found:
        found = self._found[cut.name, decision.question.name]
        if isinstance(found, AnimerunGenError):
            raise found
        answer: Found = found
        return answer


def _recall(answers: _Answers, asking: Iterable[tuple[Cut, Sequence[Decision[Any]]]]) -> None:
    """What earlier runs found counts."""
    for cut, decisions in asking:
        for decision in decisions:
            try:
                answers.add(cut, decision, decision.known_without_film(cut))
            except AnimerunGenError as error:
                answers.add(cut, decision, error)


def _look(
    answers: _Answers, asking: Iterable[tuple[Cut, Sequence[Decision[Any]]]], looker: Looker, at_once: int
) -> None:
    """What earlier runs found counts if nothing changed since; everything else is asked.

    Of cuts for which the same counts, one is asked about.
    """
    alike: dict[_Stale, list[Cut]] = {}
    with looking_once():
        for cut, decisions in asking:
            try:
                stale = _stale(answers, cut, decisions, looker.version)
            except AnimerunGenError as error:
                for decision in decisions:
                    answers.add(cut, decision, error)
                continue
            if stale:
                alike.setdefault(stale, []).append(cut)
    if not alike:
        return
    asked: list[AskedCut] = []
    sought: dict[str, None] = {}
    for stale, (first, *_) in alike.items():
        questions = tuple(decision.question for decision, _ in stale)
        sought |= {question.seeks: None for question in questions}
        asked.append(AskedCut(first.config, layout.log_file(first.output, first.name), questions))
    # a whole scene is converted in the memory that rendering it takes: one at a time
    at_once = 1 if any(question.converts for one in asked for question in one.questions) else at_once
    # closed, so that no Blender goes on when this is stopped
    with (
        closing(looker.ask(asked, at_once)) as replies,
        Progress(len(asked), "film", f"looking for {' and '.join(sought)}", delay=1.0) as progress,
    ):
        for (stale, same), reply in zip(alike.items(), replies, strict=True):
            for cut in same:
                _take(answers, cut, stale, reply)
            progress.advance(same[0].name)


_Stale = tuple[tuple[Decision[Any], str], ...]
"""What has to be asked about a cut, each with the digest of what the answer depends on now."""


def _stale(answers: _Answers, cut: Cut, decisions: Iterable[Decision[Any]], version: str) -> _Stale:
    stale, scene = [], ""
    for decision in decisions:
        scene = scene or scene_digest(cut.config, version)
        digest = ", ".join(filter(None, (scene, decision.depends_on(cut.config))))
        known = decision.known(cut.ledger.kept)
        if known is not None and known.digest == digest and are_unchanged(known.inputs):
            answers.add(cut, decision, known.found)
        else:
            stale.append((decision, digest))
    return tuple(stale)


def _take(answers: _Answers, cut: Cut, stale: _Stale, reply: Reply) -> None:
    """Write down what a Blender answered about a cut."""
    try:
        sections = Sections()
        if reply.answers:
            inputs = digests_as_read(reply.inputs)
            for decision, digest in stale:
                if decision.question.name in reply.answers:
                    known = Known(digest, inputs, reply.answers[decision.question.name])
                    sections.update(decision.section(cut.config, known))
            cut.ledger.keep(**sections)
        for decision, _ in stale:
            answers.add(cut, decision, reply.answers.get(decision.question.name, reply.error))
    except AnimerunGenError as error:
        for decision, _ in stale:
            answers.add(cut, decision, error)
