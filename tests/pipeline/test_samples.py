from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from animerun_gen.pipeline.samples import SAMPLED_PAIRS, identity_frames, sampled_frames, sampled_pairs
from tests.pipeline.datasets import make_cut


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("film")


@given(st.integers(2, 400), st.integers(1, 3))
def test_sampled_pairs_are_neighbours_spread_over_the_clip(folder: Path, count: int, step: int) -> None:
    config = make_cut(folder, {"frames": {"first": 5, "last": 5 + step * (count - 1), "step": step}})
    numbers, pairs = config.frame_numbers, sampled_pairs(config)
    assert 1 <= len(pairs) <= SAMPLED_PAIRS
    assert all(later - earlier == step and {earlier, later} <= set(numbers) for earlier, later in pairs)
    # two pictures of at least forty frames, or of the one pair that a short clip has
    assert len(identity_frames(config)) <= max(2, len(numbers) / 20)
    # each in the middle of its part
    part = (len(numbers) - 1) / len(pairs)
    for place, (earlier, _) in enumerate(pairs):
        assert abs(numbers.index(earlier) - (place + 0.5) * part) <= 1


def test_frames_are_sampled_only_where_there_are_id_maps(folder: Path) -> None:
    config = make_cut(folder, {"frames": {"last": 100}})
    assert (sampled_frames(config)[0], sampled_frames(config)[-1], len(sampled_frames(config))) == (1, 100, 8)
    assert sampled_frames(make_cut(folder, {"motion": {"extras": []}})) == ()
    assert sampled_pairs(make_cut(folder, {"motion": {"extras": []}})) == sampled_pairs(make_cut(folder))
