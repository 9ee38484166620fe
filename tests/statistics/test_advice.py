"""What is said in words, and that the keys it names are keys of a configuration."""

from __future__ import annotations

import re
from typing import Any, get_args, get_type_hints

import pytest
from pydantic import BaseModel

from animerun_gen.config import CutConfig
from animerun_gen.statistics import table
from animerun_gen.statistics.advice import RULES, advise
from animerun_gen.statistics.figures import HOLDS, DatasetStatistics, Figures, Histograms, Statistics


def figures(**values: Any) -> Figures:
    everything: dict[str, Any] = dict.fromkeys(Figures.model_fields, 0.5)
    everything |= {"clips": 1, "frames": 2, "pairs": 1, "size": (960, 540), "motion_shares": (1, 0, 0)}
    everything |= {"hold_shares": dict.fromkeys(HOLDS, 0.25), **values}
    return Figures.model_validate(everything)


def dataset(name: str, of: Figures) -> DatasetStatistics:
    empty = Histograms(luminance=[1] * 256, differences=[1] * 511, motion=[1.0] * 513, areas=[1] * 80)
    parts: dict[str, Any] = {"splits": {}, "films": {}, "clips": []}
    return DatasetStatistics(name=name, layout="animerun", pictures=["frame"], figures=of, histograms=empty, **parts)


def said(own: Figures, reference: Figures, frame_width: int | None = None) -> list[Any]:
    datasets = [dataset("ours", own), dataset("theirs", reference)]
    return advise(Statistics(made_with={}, frame_width=frame_width, reference="theirs", datasets=datasets))


def has_key(key: str) -> bool:
    """Whether a cut's configuration has a key, written with dots."""
    model: Any = CutConfig
    for name in key.split("."):
        if not (isinstance(model, type) and issubclass(model, BaseModel)) or name not in model.model_fields:
            return False
        model = model.model_fields[name].annotation
    return True


def test_the_search_for_keys_finds_what_is_none() -> None:
    assert has_key("frames.step")
    assert not has_key("frames.stride")
    assert not has_key("frames.step.more")


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.figure)
def test_its_keys_are_keys_and_its_remedy_names_them(rule: Any) -> None:
    for side in (rule.high, rule.low):
        assert side.keys
        for key in side.keys:
            assert has_key(key), key
            assert key in side.remedy
        # and names no others
        assert set(re.findall(r"\b(?:recolor|style|lines|frames|camera_motion|hair|labels)\.\w+", side.remedy)) <= set(
            side.keys
        )


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.figure)
def test_both_sides_are_told_apart(rule: Any) -> None:
    low, high = 1.0, max(1.0 + rule.apart, rule.factor) + 0.1
    for own, reference, side in ((high, low, "high"), (low, high, "low")):
        [one] = said(figures(**{rule.figure: own}), figures(**{rule.figure: reference}))
        assert (one.dataset, one.figure, one.side) == ("ours", rule.figure, side)
        assert (one.value, one.reference) == (own, reference)
        assert one.sentence.startswith(f"ours {getattr(rule, side).verdict}: {rule.what} is ")
        assert one.keys == getattr(rule, side).keys


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.figure)
def test_what_is_near_or_unknown_is_not_mentioned(rule: Any) -> None:
    near = rule.apart * 0.9
    cases: list[tuple[float | None, float | None]] = [(100.0, 100.0 + near), (100.0 + near, 100.0)]
    if type(None) in get_args(get_type_hints(Figures)[rule.figure]):
        cases += [(None, 100.0), (100.0, None)]
    for own, reference in cases:
        [one] = said(figures(**{rule.figure: own}), figures(**{rule.figure: reference}))
        assert one.side == "note"
        assert "within the thresholds" in one.sentence


def test_frames_of_other_sizes() -> None:
    large, other = figures(size=(1920, 1080), soft_share=0.9), figures(soft_share=0.1)
    note, verdict = said(large, other)
    assert "has frames 1920 pixels wide and the reference 960" in note.sentence
    assert "--frame-width 960" in note.sentence
    assert "within the thresholds" in verdict.sentence
    [one] = said(large, other, frame_width=960)
    assert one.figure == "soft_share"


def test_a_name_stays_a_name_in_markdown() -> None:
    statistics = Statistics(made_with={}, datasets=[dataset("a|b*<i>[x](y)", figures())])
    text = table.markdown(statistics, [])
    assert "| a\\|b\\*\\<i\\>\\[x\\](y) |" in text
    for block in text.split("\n\n"):
        if block.startswith("|"):
            assert len({len(re.findall(r"(?<!\\)\|", row)) for row in block.splitlines()}) == 1
