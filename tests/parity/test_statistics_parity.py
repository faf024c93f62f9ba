"""The compiled loops of the image statistics against the NumPy reference: the same bits."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from drizframe._fast import load
from drizframe.pixels import _statistics as reference
from drizframe.pixels.statistics import image_statistics

fast: Any = load("statistics")
pytestmark = pytest.mark.skipif(fast is None, reason="the compiled statistics were not built")

FINITE = st.floats(-1e6, 1e6, width=32)
IMAGES = hnp.arrays(np.float32, st.integers(1, 200), elements=FINITE)


@settings(max_examples=60)
@given(values=IMAGES, lo=FINITE, hi=FINITE)
@example(values=np.array([-0.0, 0.0], np.float32), lo=0.0, hi=0.0)
def test_moments_and_middle_are_the_same_bits(values, lo, hi):
    found = reference.moments(values, lo, hi)
    assert fast.moments(values, lo, hi) == found
    mean = found[1] / max(found[0], 1)
    assert fast.squared_deviations(values, lo, hi, mean) == reference.squared_deviations(values, lo, hi, mean)
    np.testing.assert_array_equal(
        fast.middle(values, lo, hi, found[0]), reference.middle(values, lo, hi, found[0])
    )


@settings(max_examples=60)
@given(
    values=IMAGES,
    origin=FINITE,
    width=st.floats(0.125, 1e3, width=32),
    nbins=st.integers(1, 40),
    closed=st.booleans(),
)
def test_histograms_are_the_same(values, origin, width, nbins, closed):
    factor = float(np.float32(1) / np.float32(width))
    edge = float(np.float32(origin) + np.float32(width) * np.float32(nbins))
    arguments = (values, origin, factor, edge, closed, nbins)
    np.testing.assert_array_equal(fast.histogram(*arguments), reference.histogram(*arguments))


@pytest.mark.parametrize("size", [1, 15, 16, 17, 65535, 65536, 65537, 200_003])
def test_statistics_are_the_same_bits_over_many_blocks(size):
    rng = np.random.default_rng(size)
    values = rng.normal(40, 8, size).astype(np.float32)
    values[:: max(1, size // 50)] += 500
    values.flags.writeable = False
    options: dict[str, Any] = {"nclip": 5, "lsig": 4.0, "usig": 4.0, "binwidth": 0.3}
    assert image_statistics(values, backend="cython", **options) == image_statistics(
        values, backend="reference", **options
    )
