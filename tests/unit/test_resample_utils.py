"""Pixel maps, pixel scales, context images."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from astropy.wcs import WCS
from hypothesis import given
from hypothesis import strategies as st

from drizframe.errors import ParameterError, ShapeError, WCSError
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
