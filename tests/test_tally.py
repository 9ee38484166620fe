from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from animerun_gen.tally import tally


@given(arrays(np.int64, st.integers(0, 300), elements=st.integers(-(2**63), 2**63 - 1) | st.integers(-3, 3)))
def test_as_a_sort_tells(values: npt.NDArray[np.int64]) -> None:
    expected = np.unique(values, return_counts=True)
    for ours, theirs in zip(tally(values), expected, strict=True):
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("step", [1, 1 << 16, 1 << 32])
def test_of_very_many_values(step: int) -> None:
    values = np.random.default_rng(0).permutation(np.repeat(np.arange(50_000) * step, 2))
    found, counts = tally(values)
    np.testing.assert_array_equal(found, np.arange(50_000) * step)
    assert (counts == 2).all()
