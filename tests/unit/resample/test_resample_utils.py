"""Pixel maps, pixel scales, context images."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from astropy.wcs import WCS, Sip
from hypothesis import given
from hypothesis import strategies as st

from drizframe.errors import DrizframeWarning, ParameterError, ShapeError, WCSError
from drizframe.utils import calc_pixmap, decode_context, estimate_pixel_scale_ratio


class Flat:
    """A WCS of the plane with a bounding box that makes positions NaN, as generalised WCS have it."""

    def __init__(self, box=None, shift=0.0, array_shape=None):
        self.bounding_box = box
        self.shift = shift
        self.array_shape = array_shape
        self.pixel_shape = None if array_shape is None else array_shape[::-1]

    def _inside(self, x, y):
        if self.bounding_box is None:
            return np.ones(np.shape(x), dtype=bool)
        (x0, x1), (y0, y1) = self.bounding_box
        return (x >= x0) & (x <= x1) & (y >= y0) & (y <= y1)

    def pixel_to_world_values(self, x, y):
        inside = self._inside(x, y)
        return np.where(inside, x + self.shift, np.nan), np.where(inside, y, np.nan)

    def world_to_pixel_values(self, lon, lat):
        x = lon - self.shift
        inside = self._inside(x, lat)
        return np.where(inside, x, np.nan), np.where(inside, lat, np.nan)


def tangent(scale, crval=(150.0, 40.0), shape=(20, 30)):
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = ["RA---TAN", "DEC--TAN"]
    wcs.wcs.crval, wcs.wcs.crpix = crval, [shape[1] / 2, shape[0] / 2]
    wcs.wcs.cdelt = [-scale, scale]
    wcs.pixel_shape = shape[::-1]
    return wcs


def test_a_map_to_itself_is_the_identity_with_x_first():
    pixmap = calc_pixmap(tangent(1e-5), tangent(1e-5))
    assert pixmap.shape == (20, 30, 2)
    y, x = np.indices((20, 30))
    np.testing.assert_allclose(pixmap, np.dstack([x, y]), atol=1e-8)


def test_the_shape_comes_from_the_argument_then_the_wcs_then_its_box():
    box = ((5.3, 33.5), (2.8, 11.5))
    assert calc_pixmap(Flat(box), Flat(), shape=(4, 5)).shape == (4, 5, 2)
    assert calc_pixmap(Flat(box, array_shape=(7, 8)), Flat()).shape == (7, 8, 2)
    assert calc_pixmap(Flat(box), Flat()).shape == (12, 34, 2)
    with pytest.raises(WCSError, match="shape"):
        calc_pixmap(Flat(), Flat())


@pytest.mark.parametrize(
    ("off", "left", "right"),
    [("none", True, True), ("to", True, False), ("from", False, True), ("both", False, False)],
)
def test_boxes_are_set_aside_as_asked_and_put_back(off, left, right):
    one, two = Flat(((2.0, 9.0), (0.0, 9.0))), Flat(((0.0, 6.0), (0.0, 9.0)))
    pixmap = calc_pixmap(one, two, shape=(10, 10), disable_bbox=off)
    assert np.isnan(pixmap[:, :2]).all() == left
    assert np.isnan(pixmap[:, 7:]).all() == right
    assert np.isfinite(pixmap[:, 2:7]).all()
    assert one.bounding_box == ((2.0, 9.0), (0.0, 9.0))
    assert two.bounding_box == ((0.0, 6.0), (0.0, 9.0))
    wrong: Any = "neither"
    with pytest.raises(ParameterError, match="disable_bbox"):
        calc_pixmap(one, two, shape=(3, 3), disable_bbox=wrong)


@pytest.mark.parametrize("crval", [(150.0, 40.0), (0.0, 40.0), (359.99999, -70.0)])
def test_the_scale_ratio_is_that_of_the_scales_also_across_longitude_0(crval):
    ratio = estimate_pixel_scale_ratio(tangent(1e-5, crval), tangent(2.5e-5, crval))
    assert ratio == pytest.approx(2.5, rel=1e-7)
    for place in [(0, 0), (14.5, 9.5), (29, 3)]:
        assert estimate_pixel_scale_ratio(tangent(1e-5, crval), tangent(1e-5, crval), place) == pytest.approx(
            1, rel=1e-6
        )


@given(st.sets(st.integers(0, 95), max_size=20), st.sampled_from([np.int32, np.uint32]))
def test_decoding_finds_the_bits_that_were_set(images, dtype):
    planes = np.zeros((3, 2, 2), dtype=np.uint32)
    for k in images:
        planes[k // 32, 1, 0] |= np.uint32(1 << (k % 32))
    found = decode_context(planes.view(dtype), [0, 1], [1, 1])
    assert found[0].tolist() == sorted(images)
    assert found[1].size == 0
    assert decode_context(planes, 0, 1)[0].tolist() == sorted(images)


def test_decoding_refuses_what_is_no_context_or_no_pixel():
    planes = np.zeros((1, 3, 3), dtype=np.int32)
    with pytest.raises(ShapeError, match="3D"):
        decode_context(planes[0], [0], [0])
    with pytest.raises(ParameterError, match="integers"):
        decode_context(planes.astype(float), [0], [0])
    with pytest.raises(ParameterError, match="integer"):
        decode_context(planes, [0.0], [0])
    with pytest.raises(ShapeError, match="equal length"):
        decode_context(planes, [0, 1], [0])
    with pytest.raises(ShapeError, match="1D"):
        decode_context(planes, [[0]], [[0]])


# -- interpolated maps ---------------------------------------------------------------------------------------


def bent(scale=1e-5, shape=(300, 410), a=2e-6):
    """A WCS with a quadratic distortion of a few pixels."""
    wcs = tangent(scale, shape=shape)
    wcs.wcs.ctype = ["RA---TAN-SIP", "DEC--TAN-SIP"]
    coefficients = np.zeros((2, 3, 3))
    coefficients[0, 2, 0], coefficients[1, 1, 1], coefficients[1, 0, 2] = a, -2 * a, a
    wcs.sip = Sip(*coefficients, None, None, wcs.wcs.crpix)
    return wcs


def off(pixmap, exact):
    return float(np.nanmax(np.hypot(*np.moveaxis(pixmap - exact, -1, 0))))


@pytest.mark.parametrize(("order", "limit"), [(1, 1e-3), (3, 1e-7)])
@pytest.mark.parametrize("step", [2, 10, 16.5, 1000])
def test_the_measured_error_is_the_error(order, limit, step):
    one, two = bent(), tangent(1.3e-5, shape=(300, 400))
    exact = calc_pixmap(one, two)
    pixmap, error = calc_pixmap(one, two, stepsize=step, order=order, return_error=True)
    assert pixmap.shape == exact.shape
    assert pixmap.flags.c_contiguous
    assert error == pytest.approx(off(pixmap, exact), rel=0.3, abs=1e-8)
    if step <= 10:
        assert error < limit
    # no step is larger than a tenth of the image
    coarsest = calc_pixmap(one, two, stepsize=41, order=order)
    if step == 1000:
        np.testing.assert_array_equal(pixmap, coarsest)


def test_a_large_error_is_told():
    one, two = bent(a=2e-4), tangent(1e-5, shape=(300, 400))
    with pytest.warns(DrizframeWarning, match=r"stepsize=30 and order=1 is off by up to 0\.\d+ pixels"):
        _, error = calc_pixmap(one, two, stepsize=30, return_error=True)
    assert error > 0.01


@pytest.mark.parametrize("order", [1, 3])
def test_auto_keeps_the_error_below_what_it_promises(order):
    one, two = bent(a=2e-5), tangent(1e-5, shape=(300, 400))
    pixmap, error = calc_pixmap(one, two, stepsize="auto", order=order, return_error=True)
    assert 0 < error < 1e-4
    assert off(pixmap, calc_pixmap(one, two)) < 1.3e-4


@pytest.mark.parametrize("order", [1, 3])
@pytest.mark.parametrize("disable", ["none", "to", "from", "both"])
def test_positions_that_do_not_exist_do_not_spoil_their_neighbours(order, disable):
    one = Flat(((20.2, 170.7), (33.0, 150.0)), array_shape=(180, 200))
    two = Flat(((40.0, 300.0), (0.0, 100.3)), shift=3.5)
    exact = calc_pixmap(one, two, disable_bbox=disable)
    pixmap, error = calc_pixmap(one, two, disable_bbox=disable, stepsize=7, order=order, return_error=True)
    np.testing.assert_array_equal(np.isnan(pixmap), np.isnan(exact))
    np.testing.assert_allclose(pixmap, exact, atol=1e-10)
    assert error < 1e-10


@pytest.mark.parametrize("shape", [(1, 1), (1, 50), (3, 4), (50, 2), (13, 11)])
@pytest.mark.parametrize("order", [1, 3])
def test_small_images_are_mapped_exactly(shape, order):
    one, two = tangent(1e-5), tangent(1.1e-5)
    pixmap, error = calc_pixmap(one, two, shape=shape, stepsize=10, order=order, return_error=True)
    np.testing.assert_array_equal(pixmap, calc_pixmap(one, two, shape=shape))
    assert error == 0


def test_few_positions_are_asked_for():
    class Counted(Flat):
        asked = 0

        def pixel_to_world_values(self, x, y):
            Counted.asked += np.size(x)
            return super().pixel_to_world_values(x, y)

    calc_pixmap(Counted(array_shape=(1000, 1000)), Flat(), stepsize=10)
    assert Counted.asked < 20_000


@pytest.mark.parametrize(
    ("argument", "value"),
    [
        ("stepsize", -3), ("stepsize", 0.5), ("stepsize", "x"), ("stepsize", None), ("stepsize", np.nan), ("order", 2),
        ("order", "x"), ("order", None), ("shape", 3), ("shape", (3, -1)), ("shape", (1 << 40, 1 << 40)),
        ("max_pixels", -1), ("wcs_from", None), ("wcs_to", 3), ("disable_bbox", []), ("return_error", "yes"),
    ],
)  # fmt: skip
def test_wrong_arguments_of_maps_are_refused_by_name(argument, value):
    call: dict[str, Any] = {"wcs_from": tangent(1e-5), "wcs_to": tangent(1e-5), argument: value}
    with pytest.raises((ParameterError, ShapeError, WCSError), match=argument):
        calc_pixmap(**call)


def test_a_wcs_that_fails_is_named():
    class Broken(Flat):
        def world_to_pixel_values(self, lon, lat):
            raise KeyError("lost")

    with pytest.raises(WCSError, match="'wcs_to' cannot map positions.*lost"):
        calc_pixmap(Flat(array_shape=(3, 3)), Broken())
    with pytest.raises(WCSError, match="'wcs_from' .* is no WCS"):
        estimate_pixel_scale_ratio(3, Flat())
    with pytest.raises(ParameterError, match="'refpix_to'"):
        estimate_pixel_scale_ratio(tangent(1e-5), tangent(1e-5), refpix_to=[1, 2, 3])
    with pytest.raises(WCSError, match="no area"):
        estimate_pixel_scale_ratio(Flat(), tangent(1e-5), refpix_from=(0.0, 90.0))


@pytest.mark.parametrize(("x", "y"), [(3, 0), (0, 3), (-1, 0), (1 << 40, 0)])
def test_pixels_outside_of_the_context_are_refused(x, y):
    with pytest.raises(ParameterError, match="leaves the context, which has 3 pixels"):
        decode_context(np.zeros((1, 3, 3), dtype=np.int32), x, y)
