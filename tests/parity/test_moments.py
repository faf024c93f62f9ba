"""The compiled moments against their formulas in NumPy."""

import math
import sys
import sysconfig
import threading
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from drizframe import _fast

moments: Any = _fast.load("moments")
assert moments is not None, _fast.explain()

finite = st.floats(-(2.0**50), 2.0**50, width=32)
images = hnp.arrays(np.float32, st.integers(0, 60), elements=finite | st.just(math.nan))
limits = st.floats(-(2.0**50), 2.0**50) | st.sampled_from([-math.inf, math.inf, 0.1])


def inside(values, lo, hi):
    return values[(values >= np.float32(lo)) & (values <= np.float32(hi))]


def in_order(values):
    """Sum in float64, first to last; numpy.sum adds pairwise."""
    return float(np.add.accumulate(values.astype(np.float64))[-1]) if values.size else 0.0


@given(images, limits, limits)
def test_clipped_moments(values, lo, hi):
    chosen = inside(values, lo, hi)
    n, total, vmin, vmax = moments.clipped_moments(values, lo, hi)
    assert n == chosen.size
    assert total == in_order(chosen)
    if n:
        assert (vmin, vmax) == (chosen.min(), chosen.max())
    else:
        assert math.isnan(vmin)
        assert math.isnan(vmax)


@given(images, finite, limits, limits)
def test_squared_deviations(values, mean, lo, hi):
    deviation = inside(values, lo, hi) - np.float32(mean)
    assert moments.squared_deviations(values, mean, lo, hi) == in_order(deviation * deviation)


def test_limits_are_float32():
    value = np.array([0.1], dtype=np.float32)  # a little above 0.1 in float64
    assert moments.clipped_moments(value, 0.0, 0.1)[0] == 1


def test_nan_limits_hold_nothing():
    assert moments.clipped_moments(np.ones(3, dtype=np.float32), math.nan, 2.0)[0] == 0


def test_read_only_and_strided_input():
    values = np.arange(10, dtype=np.float32)
    values.flags.writeable = False
    assert moments.clipped_moments(values[::3], 1.0, 9.0) == (3, 18.0, 3.0, 9.0)


def test_other_types_are_refused():
    with pytest.raises(ValueError, match="Buffer dtype mismatch"):
        moments.clipped_moments(np.zeros(3), 0.0, 1.0)


def test_equal_from_eight_threads():
    values = np.random.default_rng(1).normal(size=200_000).astype(np.float32)
    answers = []
    threads = [
        threading.Thread(target=lambda: answers.append(moments.clipped_moments(values, -2.0, 2.0)))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [moments.clipped_moments(values, -2.0, 2.0)] * 8


@pytest.mark.skipif(not hasattr(sys, "_is_gil_enabled"), reason="needs Python 3.13 or later")
def test_import_keeps_the_gil_as_it_was():
    enabled = sys._is_gil_enabled()  # type: ignore[attr-defined, unused-ignore]
    assert enabled == (not sysconfig.get_config_var("Py_GIL_DISABLED"))
