"""Interpolators written as a profile or as a point function."""

import dataclasses

import numpy as np
import pytest
from scipy import LowLevelCallable
from scipy.interpolate import BSpline
from shipped import COMPILED

import drizframe
from drizframe.errors import BackendError, HookError, PluginError
from drizframe.hooks import Interpolator
from drizframe.model import PixelMap, Window
from drizframe.pixels import interpolator_forms
from drizframe.pixels.blot import blot_chip
from drizframe.pixels.interpolator_forms import by_profile, values_of
from drizframe.stock.interpolators.linear import LINEAR

RNG = np.random.default_rng(5)
IMAGE = RNG.normal(10.0, 1.0, (23, 19))
X, Y = RNG.uniform(-1.0, 20.0, 400), RNG.uniform(-1.0, 24.0, 400)
INSIDE = (X >= 0) & (X < 19) & (Y >= 0) & (Y < 23)


def triangle(dx, dy):
    return np.clip(1 - np.abs(dx), 0, None) * np.clip(1 - np.abs(dy), 0, None)


def cubic(dx, dy):
    line = BSpline.basis_element(np.arange(-2.0, 3.0), extrapolate=False)
    return np.nan_to_num(line(dx)) * np.nan_to_num(line(dy))


def round_bell(dx, dy):
    return np.exp(-1.5 * (dx * dx + dy * dy))


def skew_bell(dx, dy):
    return np.exp(-1.5 * (dx * dx + dy * dy + 0.5 * dx * dy))


def record(profile, support, **more):
    return Interpolator(name="mine.way", summary="Mine.", profile=profile, support=support, **more)


@drizframe.PointFunction
def bilinear(x, y, jac, pixfrac, scale, x0, y0, nx, ny, w, capacity, user):
    i, j = int(np.floor(x)), int(np.floor(y))
    assert (jac[0], jac[1], jac[2], jac[3], pixfrac, scale) == (1.0, 0.0, 0.0, 1.0, 1.0, 1.0)
    x0[0], y0[0], nx[0], ny[0] = i, j, 2, 2
    p, q = x - i, y - j
    w[0], w[1], w[2], w[3] = (1 - p) * (1 - q), p * (1 - q), (1 - p) * q, p * q
    return 0


def point(function, support):
    return Interpolator(name="mine.point", summary="Mine.", point=LowLevelCallable(function), support=support)


@pytest.mark.parametrize("backend", ["reference", "auto", pytest.param("cython", marks=COMPILED)])
@pytest.mark.parametrize("way", [record(triangle, 1.0), point(bilinear, 1)], ids=["profile", "point"])
def test_triangles_are_linear_interpolation(way, backend):
    got = values_of(way, backend=backend)(IMAGE, X, Y, fill=-5.0)
    np.testing.assert_allclose(got[INSIDE], LINEAR.reference(IMAGE, X[INSIDE], Y[INSIDE], fill=0), rtol=1e-5)
    assert (got[~INSIDE] == -5.0).all()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    ("profile", "support"), [(triangle, 1.0), (cubic, 2.0), (round_bell, 2.5), (skew_bell, 1.7)]
)
@COMPILED
def test_compiled_tables_are_the_profile_to_a_few_millionths(profile, support, dtype):
    image = IMAGE.astype(dtype)
    want = by_profile(profile, image, X, Y, support, np.nan)
    got = values_of(record(profile, support), backend="cython")(image, X, Y, fill=np.nan)
    np.testing.assert_allclose(got, want, atol=5e-6 * np.abs(image).max())
    assert np.isfinite(got[INSIDE]).all()


@pytest.mark.parametrize("backend", ["reference", pytest.param("cython", marks=COMPILED)])
def test_weights_are_divided_by_their_sum_and_edges_continue(backend):
    way = record(round_bell, 2.0)
    values = values_of(way, backend=backend)
    np.testing.assert_allclose(
        values(np.full((6, 7), 3.25), np.linspace(0, 6.99, 50), np.linspace(0, 5.99, 50), fill=0), 3.25
    )
    padded = np.pad(IMAGE, 4, mode="edge")
    got = values(IMAGE, X[INSIDE], Y[INSIDE], fill=0)
    np.testing.assert_allclose(got, values(padded, X[INSIDE] + 4, Y[INSIDE] + 4, fill=0), rtol=1e-11)


@pytest.mark.parametrize("backend", ["reference", pytest.param("cython", marks=COMPILED)])
@pytest.mark.parametrize("way", [record(triangle, 1.0), point(bilinear, 1)], ids=["profile", "point"])
def test_nan_stays_within_the_support(way, backend):
    image = IMAGE.copy()
    image[10, 9] = np.nan
    y, x = (v.ravel() for v in np.mgrid[8:12.01:0.25, 7:11.01:0.25])
    got = np.isnan(values_of(way, backend=backend)(image, x, y, fill=0))
    assert got[(np.abs(x - 9) < 1) & (np.abs(y - 10) < 1)].all()
    assert not got[(np.abs(x - 9) > 1) | (np.abs(y - 10) > 1)].any()


@pytest.mark.parametrize("way", [record(cubic, 2), record(skew_bell, 1.7), point(bilinear, 1)])
def test_cuts_give_the_same_bits(way):
    pixmap = PixelMap.from_function(lambda x, y: (0.8 * x - 0.6 * y + 20, 0.6 * x + 0.8 * y + 4), (20, 20))
    image = RNG.normal(size=(60, 60)).astype(np.float32)
    whole = blot_chip(image, pixmap, way, factor=2.0)

    def cut(window: Window):
        return image[window.slices]

    np.testing.assert_array_equal(blot_chip(cut, pixmap, way, factor=2.0, shape=image.shape), whole)
    exact = blot_chip(image, pixmap, way, factor=2.0, backend="reference")
    np.testing.assert_allclose(whole, exact, atol=1e-4)


def test_reach_follows_from_the_support():
    assert record(triangle, 1).reach == 1
    assert record(triangle, 2.5).reach == 3
    assert dataclasses.replace(record(triangle, 2.5), support=4.0).reach == 4


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({}, "none of reference, profile and point"),
        ({"profile": triangle, "reference": LINEAR.reference, "support": 1}, "reference and profile"),
        ({"profile": triangle}, "support None"),
        ({"profile": triangle, "support": 0.3}, "0.5 or more"),
        ({"profile": triangle, "support": np.nan}, "0.5 or more"),
        ({"profile": triangle, "support": 1, "accepts": frozenset({"sinscl"})}, "a record for each setting"),
        ({"profile": triangle, "support": 1, "fast": LINEAR.reference}, "makes the compiled half"),
        ({"point": print, "support": 1}, "LowLevelCallable"),
    ],
)
def test_records_that_could_not_work_are_refused(fields, words):
    with pytest.raises(HookError, match=r"interpolator 'mine\.bad'") as caught:
        Interpolator(name="mine.bad", summary="Bad.", **fields)
    assert words in str(caught.value)


def test_profiles_that_cannot_be_used_are_named_with_advice():
    def box(dx, dy):
        return ((np.abs(dx) <= 0.3) & (np.abs(dy) <= 0.3)).astype(float)

    def wave(dx, dy):
        return np.cos(np.pi * dx) * np.cos(np.pi * dy)

    with pytest.raises(PluginError, match=r"'mine\.way'.*jump.*reference="):
        values_of(record(box, 1.0))
    with pytest.raises(PluginError, match=r"'mine\.way'.*sum is .*support larger"):
        values_of(record(wave, 1.0))


@pytest.mark.parametrize("backend", ["reference", pytest.param("cython", marks=COMPILED)])
def test_point_functions_that_misbehave_are_named(backend):
    @drizframe.PointFunction
    def fails(*arguments):
        return -3

    @drizframe.PointFunction
    def wide(x, y, jac, pixfrac, scale, x0, y0, nx, ny, w, capacity, user):
        x0[0], y0[0], nx[0], ny[0] = int(x) - 3, int(y), 2, 1
        w[0] = w[1] = 0.5
        return 0

    x, y = np.array([4.5]), np.array([3.0])
    with pytest.raises(PluginError, match=r"'mine\.point' returned -3 at \(4.5, 3\)"):
        values_of(point(fails, 1), backend=backend)(IMAGE, x, y, fill=0)
    with pytest.raises(PluginError, match=r"'mine\.point' gave weights outside of its support \(1 pixels\)"):
        values_of(point(wide, 1), backend=backend)(IMAGE, x, y, fill=0)


def test_compiled_loops_that_are_asked_for_must_be_there(monkeypatch):
    monkeypatch.setattr(interpolator_forms.profiles, "compiled", None)
    with pytest.raises(BackendError, match=r"'mine\.way' needs the compiled loops"):
        values_of(record(triangle, 1.0), backend="cython")
    assert values_of(record(triangle, 1.0))(IMAGE, X, Y, fill=0).shape == X.shape
