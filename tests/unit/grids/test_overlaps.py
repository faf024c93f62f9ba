"""Common regions of chips on the sky."""

from __future__ import annotations

import numpy as np
import pytest
from astropy.wcs import WCS, Sip
from hypothesis import given, settings
from hypothesis import strategies as st

from drizframe.errors import WCSError
from drizframe.grids.overlaps import (
    chip_footprint,
    common_polygon,
    find_overlaps,
    scan_polygon,
    spherical_area,
)
from drizframe.model import ChipUnit, Exposure

ARCSEC = 1 / 3600


def make_wcs(shape, ra=150.0, dec=2.0, angle=0.0, scale=0.05, sip=False):
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = ["RA---TAN-SIP", "DEC--TAN-SIP"] if sip else ["RA---TAN", "DEC--TAN"]
    wcs.wcs.crval = [ra, dec]
    wcs.wcs.crpix = [(shape[1] + 1) / 2, (shape[0] + 1) / 2]
    c, s = np.cos(np.radians(angle)), np.sin(np.radians(angle))
    wcs.wcs.cd = scale * ARCSEC * np.array([[-c, s], [s, c]])
    if sip:
        a, b = np.zeros((3, 3)), np.zeros((3, 3))
        a[2, 0], b[0, 2], b[1, 1] = 2e-5, -1e-5, 1.5e-5
        wcs.sip = Sip(a, b, None, None, wcs.wcs.crpix)
    wcs.wcs.set()
    return wcs


def make_exposure(name="a", shape=(60, 80), **options):
    return Exposure.from_arrays(np.zeros(shape, np.float32), make_wcs(shape, **options), name=name)


@pytest.mark.parametrize(
    ("ra", "dec"), [(150, 2), (0, 0), (359.99999, -45), (10, 90), (200, -90), (77, 89.9999)]
)
@pytest.mark.parametrize("sip", [False, True])
def test_the_same_footprint_is_shared_whole_everywhere_on_the_sky(ra, dec, sip):
    exposures = [make_exposure(n, ra=ra, dec=dec, sip=sip) for n in "ab"]
    (overlap,) = find_overlaps(exposures)
    assert (overlap.first, overlap.second) == (ChipUnit(0, 0), ChipUnit(1, 0))
    assert np.asarray(overlap.first_region).all()
    assert np.asarray(overlap.second_region).all()
    if not sip:
        assert overlap.area == pytest.approx(60 * 80 * np.radians(0.05 * ARCSEC) ** 2, rel=1e-6)


@pytest.mark.parametrize("dec", [0.0, 60.0])
def test_a_shift_by_whole_pixels_shares_the_shifted_pixels(dec):
    shape = (60, 80)
    first = make_wcs(shape, ra=0.0, dec=dec)
    second = first.deepcopy()
    second.wcs.crpix = first.wcs.crpix + np.array([20, 10])
    data = np.zeros(shape, np.float32)
    exposures = [Exposure.from_arrays(data, w, name=n) for w, n in ((first, "a"), (second, "b"))]
    (overlap,) = find_overlaps(exposures)
    a, b = np.asarray(overlap.first_region), np.asarray(overlap.second_region)
    # The footprint is rounded to whole pixels, so its border may hold one more row and column.
    assert a[:50, :60].all()
    assert not a[52:].any()
    assert not a[:, 62:].any()
    assert b[11:, 21:].all()
    assert not b[:9].any()
    assert not b[:, :19].any()
    assert overlap.area == pytest.approx(50 * 60 * np.radians(0.05 * ARCSEC) ** 2, rel=1e-5)


@pytest.mark.parametrize("offset", [5 * ARCSEC, 1.0, 90.0, 180.0])
def test_footprints_apart_share_nothing(offset):
    assert find_overlaps([make_exposure("a", dec=0.0), make_exposure("b", ra=150.0 + offset, dec=0.0)]) == []


def test_chips_of_one_exposure_are_not_paired():
    shape = (30, 30)
    data, wcs = np.zeros(shape, np.float32), make_wcs(shape)
    exposures = [Exposure.from_arrays([data, data], [wcs, wcs], name=n) for n in "ab"]
    keys = [(o.first, o.second) for o in find_overlaps(exposures)]
    assert keys == [(ChipUnit(0, i), ChipUnit(1, k)) for i in (0, 1) for k in (0, 1)]


@settings(max_examples=25)
@given(
    dx=st.floats(-3, 3),
    dy=st.floats(-2, 2),
    angle=st.floats(0, 360),
    dec=st.floats(-89.9, 89.9),
    sip=st.booleans(),
)
def test_areas_agree_with_the_pixels_and_do_not_depend_on_the_order(dx, dy, angle, dec, sip):
    shape = (100, 120)
    one = make_exposure("a", shape, ra=0.0, dec=dec, sip=sip)
    other = make_exposure(
        "b",
        shape,
        ra=dx * ARCSEC / np.cos(np.radians(dec)),
        dec=np.clip(dec + dy * ARCSEC, -90, 90),
        angle=angle,
    )
    found, swapped = find_overlaps([one, other]), find_overlaps([other, one])
    assert len(found) == len(swapped)
    for a, b in zip(found, swapped, strict=True):
        assert a.area == pytest.approx(b.area, rel=1e-8, abs=1e-18)
        np.testing.assert_array_equal(np.asarray(a.second_region), np.asarray(b.first_region))
        pixels = np.asarray(a.second_region).sum()
        expected = a.area / np.radians(0.05 * ARCSEC) ** 2
        assert abs(pixels - expected) < 2.5 * (shape[0] + shape[1])  # rounding along the border


def test_the_area_of_an_octant_is_half_pi():
    assert spherical_area(np.eye(3)) == pytest.approx(np.pi / 2, rel=1e-14)


def test_small_areas_keep_their_digits():
    side = 1e-8
    square = np.array([[0, 0], [side, 0], [side, side], [0, side]])
    corners = np.column_stack([np.ones(4), square])
    corners /= np.linalg.norm(corners, axis=1)[:, None]
    assert spherical_area(corners) == pytest.approx(side**2, rel=1e-7)


def test_quadrilaterals_given_in_either_sense_intersect():
    one = chip_footprint(make_exposure("a").chips[0])
    other = chip_footprint(make_exposure("b", angle=30.0).chips[0])
    areas = [spherical_area(common_polygon(p, q)) for p in (one, one[::-1]) for q in (other, other[::-1])]
    assert areas == pytest.approx([areas[0]] * 4, rel=1e-12)


def painted(x, y, shape=(12, 12)):
    return np.asarray(scan_polygon(np.array(x, float), np.array(y, float), shape))


def test_a_rectangle_is_drawn_with_both_ends():
    image = painted([2, 5, 5, 2], [3, 3, 7, 7])
    assert image.sum() == 4 * 5
    assert image[3:8, 2:6].all()


def test_cuts_are_rounded_up_and_halves_to_even():
    image = painted([0.5, 8.4, 0.5], [1.5, 2.4, 10.5])  # rounds to (0, 2), (8, 2), (0, 10)
    assert image[2].sum() == 9
    assert image[3].sum() == 8
    assert image[10].sum() == 1
    # From (0, 0) to (3, 9) x = y / 3: rows 1, 2 begin at column 1.
    image = painted([0, 6, 9, 3], [0, 0, 9, 9])
    assert [int(np.flatnonzero(row)[0]) for row in image[:7]] == [0, 1, 1, 1, 2, 2, 2]
    assert [int(np.flatnonzero(row)[-1]) for row in image[:7]] == [6, 7, 7, 7, 8, 8, 8]


def test_the_last_row_takes_the_edges_of_the_row_before():
    image = painted([0, 8, 4], [0, 0, 8])
    assert image[8].nonzero()[0].tolist() == [4]


def test_polygons_are_clipped_to_the_chip():
    assert painted([-5, 30, 30, -5], [-4, -4, 30, 30]).all()
    assert not painted([-5, -2, -2, -5], [0, 0, 5, 5]).any()
    assert not painted([0, 5, 9], [4, 4, 4]).any()


def test_a_concave_polygon_has_several_runs_in_a_row():
    image = painted([0, 10, 10, 5, 0], [0, 0, 10, 4, 10])
    assert image[8].tolist()[5] is False or not image[8][5]
    assert image[8][0]
    assert image[8][10]


def test_a_footprint_without_sky_position_is_an_error():
    shape = (10, 10)
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = ["RA---SIN", "DEC--SIN"]
    wcs.wcs.crval, wcs.wcs.crpix, wcs.wcs.cdelt = [0, 0], [5, 5], [60.0, 60.0]
    wcs.wcs.set()
    with pytest.raises(WCSError, match="corner"):
        find_overlaps([Exposure.from_arrays(np.zeros(shape, np.float32), wcs, name="far")])


def test_regions_are_arrays_only_when_asked_for():
    region = scan_polygon(np.array([0.0, 3, 3, 0]), np.array([0.0, 0, 3, 3]), (2000, 2000))
    assert region.runs.nbytes < 1000
    assert region.size == 16
    assert np.asarray(region, dtype=np.uint8).sum() == 16
