"""The statistics of images: closed forms, limits, bad input."""

from __future__ import annotations

import statistics
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import drizframe.pixels.statistics as module
from drizframe.errors import BackendError, InputError, ParameterError
from drizframe.pixels._statistics import ordered_sum
from drizframe.pixels.statistics import image_statistics


def sky(size=5000, seed=0):
    return np.random.default_rng(seed).normal(100, 5, size).astype(np.float32)


def middle(found):
    assert found.median is not None
    return float(found.median)


def test_without_clips_the_moments_are_those_of_all_values():
    found = image_statistics([1.0, 2.0, 3.0, 10.0])
    assert (found.npix, found.mean, found.min, found.max, middle(found)) == (4, 4.0, 1.0, 10.0, 2.5)
    assert found.stddev == pytest.approx(statistics.stdev([1, 2, 3, 10]), rel=1e-7)


def test_clips_leave_out_what_lies_beyond_the_sigmas():
    values = np.append(sky(), np.array([1e4, -1e4], np.float32))
    found = image_statistics(values, nclip=5, lsig=4, usig=4)
    assert found.max < 200
    assert found.min > 0
    assert found.mean == pytest.approx(100, abs=0.3)
    assert found.lo == pytest.approx(found.mean - 4 * found.stddev, abs=0.05)


def test_the_median_honours_the_limits_without_clips():
    assert middle(image_statistics([0.0, 1.0, 2.0, 3.0, 1000.0], lower=1, upper=3)) == 2.0


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("where", [0, 17, -1])
def test_values_that_are_not_finite_are_left_out_wherever_they_stand(bad, where):
    values = sky()
    spoilt = np.insert(values, where if where >= 0 else len(values), bad)
    assert image_statistics(spoilt, nclip=3) == image_statistics(values, nclip=3)


def test_a_first_value_beyond_a_limit_makes_the_limit_the_extremum():
    found = image_statistics([0.0, 5.0, 6.0, 7.0], lower=2.0)
    assert (found.npix, found.min, found.max) == (3, 2.0, 7.0)
    found = image_statistics([9.0, 5.0, 6.0, 7.0], upper=8.0)
    assert (found.min, found.max) == (5.0, 8.0)


def test_equal_values_have_one_bin_and_their_own_mode():
    found = image_statistics(np.full(50, 7.0), nclip=3)
    assert (found.nbins, found.mode, found.stddev, middle(found)) == (1, 7.0, 0.0, 7.0)


def test_a_single_value_has_no_spread():
    found = image_statistics([3.5], nclip=2)
    assert (found.npix, found.mean, found.stddev, found.mode) == (1, 3.5, 0.0, 3.5)


def test_the_mode_is_the_parabola_through_three_bins():
    counts = np.array([1, 4, 10, 7, 0])
    d1, d2 = 6.0, 3.0
    assert module._mode(counts, 2.0, 0.5) == 2.0 + (2 + 0.5 + 0.5 * (d1 - d2) / (d1 + d2)) * 0.5


@pytest.mark.parametrize(
    ("counts", "position"), [([3, 1], 0.5), ([1, 3], 1.5), ([2, 2], 1.0), ([9, 1, 1], 0.5), ([1, 1, 9], 2.5)]
)
def test_the_mode_at_an_end_is_the_middle_of_its_bin(counts, position):
    assert module._mode(np.array(counts), 10.0, 2.0) == 10.0 + 2.0 * position


def test_the_mode_uses_the_nominal_width_of_bins():
    values = np.repeat(np.arange(5, dtype=np.float32), [1, 2, 8, 2, 1])
    found = image_statistics(values, binwidth=0.9)
    width = 0.9 * found.stddev
    assert found.nbins == int(4 / width) + 1
    assert found.mode == pytest.approx((found.nbins // 2 + 0.5) * width, rel=0.3)


def test_only_what_is_wanted_is_computed():
    found = image_statistics(sky(), want=())
    assert (found.median, found.mode, found.nbins) == (None, None, 0)
    assert image_statistics(sky(), want=("mode",)).median is None


def test_the_input_is_not_changed_and_any_shape_or_stride_will_do():
    values = sky(6000).reshape(60, 100)
    values.flags.writeable = False
    wide = np.zeros((60, 200), np.float32)
    wide[:, ::2] = values
    swapped = values.astype(">f4")
    expected = image_statistics(values.ravel(), nclip=3)
    assert image_statistics(values, nclip=3) == expected
    assert image_statistics(wide[:, ::2], nclip=3) == expected
    assert image_statistics(swapped, nclip=3) == expected


def test_eight_threads_get_the_same_bits():
    values = sky(100_000)
    with ThreadPoolExecutor(8) as pool:
        found = set(pool.map(lambda _: image_statistics(values, nclip=4), range(8)))
    assert len(found) == 1


def test_an_early_end_of_the_clips_changes_nothing():
    values = sky()
    found = image_statistics(values, nclip=100)
    assert found == image_statistics(values, nclip=99)


@settings(max_examples=30)
@given(shift=st.integers(-1000, 1000), seed=st.integers(0, 100))
def test_adding_a_constant_shifts_every_level_by_it(shift, seed):
    values = np.round(sky(2000, seed) * 8) / 8
    plain = image_statistics(values, nclip=3, binwidth=0.3)
    moved = image_statistics(values + np.float32(shift), nclip=3, binwidth=0.3)
    assert moved.npix == plain.npix
    assert middle(moved) == middle(plain) + shift
    assert moved.mean == pytest.approx(plain.mean + shift, abs=1e-3)
    assert moved.stddev == pytest.approx(plain.stddev, rel=1e-5)


@settings(max_examples=30)
@given(size=st.integers(0, 300), seed=st.integers(0, 1000))
def test_ordered_sums_are_sums(size, seed):
    terms = np.random.default_rng(seed).normal(size=size)
    assert ordered_sum(terms) == pytest.approx(float(np.sum(terms)), abs=1e-12)


@pytest.mark.parametrize(
    "wrong",
    [
        {"nclip": -1},
        {"lsig": 0.0},
        {"usig": -1.0},
        {"binwidth": 0.0},
        {"lower": 3.0, "upper": 2.0},
        {"want": ("mean",)},
    ],
)
def test_wrong_arguments_are_refused(wrong):
    with pytest.raises(ParameterError):
        image_statistics([1.0, 2.0], **wrong)


@pytest.mark.parametrize("limits", [{"lower": 5.0}, {"upper": -5.0}, {"lower": 1.2, "upper": 1.8}])
def test_no_value_within_the_limits_is_an_error_that_names_them(limits):
    with pytest.raises(InputError, match=str(next(iter(limits.values())))):
        image_statistics([1.0, 2.0], **limits)


@pytest.mark.parametrize("nothing", [[], [np.nan, np.inf]])
def test_no_finite_value_is_an_error(nothing):
    with pytest.raises(InputError, match="finite"):
        image_statistics(nothing)


def test_compiled_loops_that_are_missing_are_not_replaced_silently(monkeypatch):
    monkeypatch.setattr(module, "load", lambda name: None)
    with pytest.raises(BackendError):
        image_statistics([1.0, 2.0], backend="cython")
    assert image_statistics([1.0, 2.0], backend="auto").mean == 1.5
