"""Interpolators: closed forms, edges, coordinates of any kind."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shipped import shipped

from drizframe.errors import ParameterError, ShapeError
from drizframe.stock.interpolators.lanczos import LANCZOS3, LANCZOS5
from drizframe.stock.interpolators.linear import LINEAR
from drizframe.stock.interpolators.nearest import NEAREST
from drizframe.stock.interpolators.poly3 import POLY3
from drizframe.stock.interpolators.poly5 import POLY5
from drizframe.stock.interpolators.sinc import SINC

RECORDS = shipped("interpolator")
FUNCTIONS = {f"{r.name}-{k}": f for r in RECORDS for k in ("reference", "fast") if (f := getattr(r, k))}
over_functions = pytest.mark.parametrize("function", FUNCTIONS.values(), ids=FUNCTIONS.keys())


def both(record):
    return [f for f in (record.reference, record.fast) if f is not None]


def at(function, image, x, y, **options):
    return function(np.asarray(image), np.array([x], float), np.array([y], float), fill=-99.0, **options)[0]


def test_only_sinc_has_an_option_of_its_own():
    assert {r.name for r in RECORDS if r.accepts} == {"sinc"}


@over_functions
def test_any_coordinate_off_the_domain_gives_the_fill(function):
    bad = np.array([np.nan, np.inf, -np.inf, 1e30, -1e30, -1e-300, 5.0, np.nextafter(0, -1), 1.8e308])
    image = np.ones((5, 5), dtype=np.float32)
    ones = np.ones_like(bad)
    assert (function(image, bad, ones, fill=-99.0) == -99.0).all()
    assert (function(image, ones, bad, fill=-99.0) == -99.0).all()
    assert np.isnan(function(image, bad, ones, fill=np.nan)).all()


@over_functions
@pytest.mark.parametrize("shape", [(1, 1), (1, 7), (7, 1), (2, 2), (3, 5), (5, 3), (4, 4), (6, 6)])
def test_images_of_any_size_have_finite_values_everywhere_inside(function, shape):
    rng = np.random.default_rng(1)
    x, y = rng.uniform(0, shape[1], 300), rng.uniform(0, shape[0], 300)
    x[:2], y[:2] = [0.0, np.nextafter(shape[1], 0)], [np.nextafter(shape[0], 0), 0.0]
    values = function(rng.uniform(1, 2, shape), x, y, fill=np.nan)
    assert np.isfinite(values).all()
    # Extrapolation by less than a pixel stays near the data.
    assert np.abs(values).max() < 20


@over_functions
def test_wrong_shapes_are_refused(function):
    with pytest.raises(ShapeError, match="two dimensions"):
        function(np.ones(5), np.ones(1), np.ones(1), fill=0.0)
    with pytest.raises(ShapeError, match="at least one pixel"):
        function(np.ones((0, 5)), np.ones(1), np.ones(1), fill=0.0)
    with pytest.raises(ShapeError, match="one length"):
        function(np.ones((5, 5)), np.ones(3), np.ones(2), fill=0.0)


@pytest.mark.parametrize("record", [NEAREST, LINEAR, POLY3, POLY5, SINC], ids=lambda r: r.name)
def test_pixel_centres_give_the_pixels(record):
    image = np.random.default_rng(2).normal(size=(9, 11))
    y, x = (a.ravel().astype(float) for a in np.indices(image.shape))
    for function in both(record):
        np.testing.assert_allclose(function(image, x, y, fill=0.0), image.ravel(), rtol=1e-14)


@pytest.mark.parametrize(("record", "degree"), [(LINEAR, 1), (POLY3, 3), (POLY5, 5)], ids=str)
@settings(max_examples=20)
@given(seed=st.integers(0, 10**6))
def test_polynomials_are_reproduced(record, degree, seed):
    rng = np.random.default_rng(seed)
    c = rng.normal(size=(degree + 1, degree + 1))
    j, i = np.indices((20, 20)) / 20.0
    image = np.polynomial.polynomial.polyval2d(i, j, c)
    x, y = rng.uniform(3, 16, 100), rng.uniform(3, 16, 100)
    expected = np.polynomial.polynomial.polyval2d(x / 20, y / 20, c)
    for function in both(record):
        found = function(image, x, y, fill=0.0)
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-12 * np.abs(image).max())


@pytest.mark.parametrize("record", [POLY3, POLY5], ids=lambda r: r.name)
def test_planes_are_continued_beyond_the_edges_by_point_reflection(record):
    j, i = np.indices((12, 14)).astype(float)
    image = 2.0 + 0.5 * i - 0.25 * j
    rng = np.random.default_rng(5)
    x, y = rng.uniform(0, 14, 200), rng.uniform(0, 12, 200)
    for function in both(record):
        np.testing.assert_allclose(function(image, x, y, fill=0.0), 2 + 0.5 * x - 0.25 * y, rtol=1e-13)


@pytest.mark.parametrize("shape", [(12, 9), (6, 7), (4, 5), (3, 3), (2, 4), (1, 6)])
def test_poly5_treats_all_four_edges_alike(shape):  # trap 13-3
    image = np.random.default_rng(3).normal(size=shape)
    rng = np.random.default_rng(4)
    x, y = rng.uniform(0, shape[1] - 1, 300), rng.uniform(0, shape[0] - 1, 300)
    for function in both(POLY5):
        found = function(image, x, y, fill=0.0)
        upside = function(image[::-1].copy(), x, shape[0] - 1 - y, fill=0.0)
        turned = function(image.T.copy(), y, x, fill=0.0)
        np.testing.assert_allclose(upside, found, rtol=0, atol=1e-12)
        np.testing.assert_allclose(turned, found, rtol=0, atol=1e-12)


def test_poly3_is_reflected_at_the_top_row_as_at_the_bottom_row():
    """Trap 13-4: fixed."""
    image = np.random.default_rng(6).normal(size=(8, 9))
    for function in both(POLY3):
        y = 7.25
        ahead = 2 * image[7] - image[6]
        further = 2 * image[7] - image[5]
        tall = np.vstack([image, ahead, further])
        assert at(function, image, 4.3, y) == pytest.approx(at(function, tall, 4.3, y), rel=1e-12)


def test_nearest_never_leaves_the_image_and_rounds_halves_up():
    """Trap 13-2: fixed."""
    image = np.arange(12.0).reshape(3, 4)
    for function in both(NEAREST):
        assert at(function, image, np.nextafter(4, 0), np.nextafter(3, 0)) == 11.0
        assert at(function, image, 3.5, 2.5) == 11.0
        assert at(function, image, 0.5, 0.0) == 1.0
        assert at(function, image, np.nextafter(0.5, 0), 0.0) == 0.0
        assert at(function, image, 4.0, 0.0) == -99.0
        assert at(function, image, -0.25, 0.0) == -99.0  # trap 13-1: reproduced


def test_linear_is_constant_beyond_the_last_centres():
    image = np.array([[0.0, 1.0], [2.0, 4.0]])
    for function in both(LINEAR):
        assert at(function, image, 1.75, 1.75) == 4.0
        assert at(function, image, 1.75, 0.5) == 2.5
        assert at(function, image, 0.5, 1.75) == 3.0


@pytest.mark.parametrize(("record", "a"), [(LANCZOS3, 3), (LANCZOS5, 5)], ids=["3", "5"])
def test_lanczos_sums_the_clipped_stencil(record, a):
    image = np.random.default_rng(7).normal(size=(13, 12))

    def factor(u):
        u = np.trunc(np.abs(u) / 0.003) * 0.003
        return np.where(u < a, np.sinc(u) * np.sinc(u / a), 0.0)

    for function in both(record):
        for x, y in [(5.3, 6.7), (0.2, 0.9), (11.4, 12.8), (4.0, 4.0)]:
            i = np.arange(max(int(x) - a + 1, 0), min(int(x) + a + 1, 12))
            j = np.arange(max(int(y) - a + 1, 0), min(int(y) + a + 1, 13))
            expected = factor(y - j) @ image[np.ix_(j, i)] @ factor(x - i)
            assert at(function, image, x, y) == pytest.approx(expected, rel=1e-11, abs=1e-12)


def test_sinc_reproduces_a_constant_and_a_slow_wave():
    """Trap 13-5: the intended formula."""
    rng = np.random.default_rng(8)
    x, y = rng.uniform(0, 40, 200), rng.uniform(0, 40, 200)
    j, i = np.indices((40, 40))
    wave = np.cos(0.4 * i) * np.sin(0.3 * j + 1)
    middle = (x > 10) & (x < 29) & (y > 10) & (y < 29)
    for function in both(SINC):
        np.testing.assert_allclose(function(np.full((40, 40), 3.0), x, y, fill=0.0), 3.0, rtol=1e-12)
        found = function(wave, x, y, fill=0.0)
        expected = np.cos(0.4 * x) * np.sin(0.3 * y + 1)
        # The taper costs a few 1e-3 over 15 pixels.
        np.testing.assert_allclose(found[middle], expected[middle], atol=5e-3)


def test_sinc_takes_the_nearest_pixel_next_to_a_centre_and_scales_the_offset():
    image = np.random.default_rng(9).normal(size=(20, 20))
    for function in both(SINC):
        assert at(function, image, 8.0009, 8.9995) == image[9, 8]
        assert at(function, image, 8.3, 9.0, sinscl=0.5) == pytest.approx(at(function, image, 8.15, 9.0))
        assert at(function, image, 8.3, 9.0) != at(function, image, 8.3, 9.0, sinscl=0.5)
        for bad in (0.0, -1.0, np.nan, np.inf):
            with pytest.raises(ParameterError, match="blot_sinscl"):
                at(function, image, 8.3, 9.0, sinscl=bad)


@pytest.mark.parametrize(
    ("record", "before", "after"),
    [(NEAREST, 0, 0), (LINEAR, 0, 1), (POLY3, 1, 2), (POLY5, 2, 3), (LANCZOS3, 2, 3), (LANCZOS5, 4, 5)],
    ids=lambda v: getattr(v, "name", v),
)
def test_nan_spreads_to_positions_whose_stencil_holds_it_and_to_no_others(record, before, after):
    image = np.ones((30, 30))
    image[15, 14] = np.nan
    x = np.arange(30) + 0.25
    for function in both(record):
        for line, other in [((x, np.full(30, 15.25)), 14), ((np.full(30, 14.25), x), 15)]:
            touched = np.flatnonzero(np.isnan(function(image, *line, fill=0.0)))
            np.testing.assert_array_equal(touched, np.arange(other - after, other + before + 1))


@over_functions
def test_whole_pixel_shifts_of_image_and_positions_change_no_bit(function):
    rng = np.random.default_rng(10)
    image = rng.normal(size=(60, 70))
    x, y = rng.uniform(31, 38, 500), rng.uniform(31, 38, 500)
    x[0], y[0] = 34.5, np.nextafter(34.5, 0)
    np.testing.assert_array_equal(
        function(image, x, y, fill=0.0), function(image[20:50, 20:50], x - 20, y - 20, fill=0.0)
    )


@over_functions
def test_float32_images_are_computed_in_float64(function):
    rng = np.random.default_rng(11)
    image = rng.normal(size=(15, 15)).astype(np.float32)
    x, y = rng.uniform(0, 15, 100), rng.uniform(0, 15, 100)
    values = function(image, x, y, fill=0.0)
    assert values.dtype == np.float64
    np.testing.assert_array_equal(values, function(image.astype(np.float64), x, y, fill=0.0))
