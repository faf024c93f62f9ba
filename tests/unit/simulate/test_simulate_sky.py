"""Scenes, pointings and the geometry of the sphere."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drizframe.errors import ParameterError, ShapeError
from drizframe.simulate import Galaxies, Pointing, Psf, Sky, Stars, dither, random_scene
from drizframe.simulate.sphere import axes_matrix, from_tangent, roll_at, to_tangent, turn_between


def stars_of(**columns: Any) -> Stars:
    """Make stars of lists."""
    return Stars(**columns)


def galaxies_of(**columns: Any) -> Galaxies:
    """Make galaxies of lists."""
    return Galaxies(**columns)


@settings(max_examples=50, deadline=None)
@given(st.floats(-1, 1), st.floats(-1, 1), st.floats(0, 359), st.floats(-89, 89))
def test_tangent_plane_is_undone_by_its_inverse(xi, eta, ra, dec):
    lon, lat = from_tangent(xi, eta, ra, dec)
    back = to_tangent(lon, lat, ra, dec)
    np.testing.assert_allclose(back, [xi, eta], atol=1e-11)


def test_tangent_plane_agrees_with_astropy():
    from astropy.wcs import WCS

    wcs = WCS(naxis=2)
    wcs.wcs.ctype, wcs.wcs.crval, wcs.wcs.cd = ["RA---TAN", "DEC--TAN"], [10.0, -65.0], np.eye(2)
    xi, eta = np.random.default_rng(1).uniform(-1, 1, (2, 20))
    ours = from_tangent(xi, eta, 10.0, -65.0)
    np.testing.assert_allclose(ours, wcs.wcs_pix2world(xi, eta, 1), rtol=1e-12)


def test_turn_between_tangent_points_is_the_convergence_of_meridians():
    ra, dec, turn = turn_between(0.05, 0.0, 30.0, 60.0)
    expected = (ra - 30.0) * np.sin(np.deg2rad(dec))
    assert np.rad2deg(np.arctan2(turn[0, 1], turn[0, 0])) == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize(("v2", "v3"), [(259.0, 250.0), (-27.0, -33.0), (100.0, -400.0), (-300.0, 80.0)])
def test_roll_at_an_aperture_turns_with_the_telescope(v2, v3):
    # near the equator meridians are parallel: the roll is PA_V3 to first order
    assert (roll_at(40.0, 0.0, v2, v3) - 40.0 + 180) % 360 - 180 == pytest.approx(0.0, abs=0.2)
    step = roll_at(41.0, 50.0, v2, v3) - roll_at(40.0, 50.0, v2, v3)
    assert step == pytest.approx(1.0, abs=0.01)


def test_roll_on_the_axis_is_pa_v3():
    assert roll_at(33.0, 70.0, 0.0, 0.0) == 33.0


def test_axes_of_negative_parity_point_east_left():
    np.testing.assert_allclose(axes_matrix((-1, 1), 0.0), [[-1, 0], [0, 1]], atol=1e-15)
    np.testing.assert_allclose(axes_matrix((1, -1), 0.0), [[1, 0], [0, -1]], atol=1e-15)


def test_random_scene_is_fixed_by_its_seed_and_stays_in_its_square():
    a, b = (random_scene(7, ra=0.001, dec=-80.0, size=40.0, stars=50, galaxies=5) for _ in range(2))
    np.testing.assert_array_equal(a.stars.ra, b.stars.ra)
    np.testing.assert_array_equal(a.galaxies.index, b.galaxies.index)
    assert not np.array_equal(a.stars.ra, random_scene(8, ra=0.001, dec=-80.0, stars=50).stars.ra)
    offsets = 3600 * np.array(to_tangent(a.stars.ra, a.stars.dec, 0.001, -80.0))
    assert np.abs(offsets).max() <= 20.0
    assert ((a.stars.ra >= 0) & (a.stars.ra < 360)).all()


def test_number_of_galaxies_does_not_move_the_stars():
    a, b = random_scene(3, galaxies=0), random_scene(3, galaxies=9)
    np.testing.assert_array_equal(a.stars.ra, b.stars.ra)


def test_columns_are_read_only_copies():
    ra = np.array([1.0])
    stars = Stars(ra=ra, dec=np.array([2.0]), rate=np.array([3.0]))
    ra[0] = 9.0
    assert stars.ra[0] == 1.0
    with pytest.raises(ValueError, match="read-only"):
        stars.ra[0] = 2.0


def test_dither_covers_subpixel_phases_and_follows_options():
    visit = dither(
        5,
        ra=10.0,
        dec=60.0,
        roll=3.0,
        roll_step=2.0,
        step=0.5,
        jitter=0.0,
        exptime=(100.0, 200.0),
        sky=(0.1, None),
    )
    assert [p.roll for p in visit] == [3.0, 5.0, 7.0, 9.0, 11.0]
    assert [p.exptime for p in visit] == [100.0, 200.0, 100.0, 200.0, 100.0]
    assert [p.sky for p in visit] == [0.1, None, 0.1, None, 0.1]
    offsets = np.array([to_tangent(p.ra, p.dec, 10.0, 60.0) for p in visit]) * 3600
    np.testing.assert_allclose(np.hypot(*offsets.T), 0.5 * np.sqrt(np.arange(5)), atol=1e-6)
    assert all(a.start + a.exptime / 86400 < b.start for a, b in pairwise(visit))


def test_pointing_errors_are_drawn_by_seed():
    assert dither(3, error=0.1, seed=1) == dither(3, error=0.1, seed=1)
    assert dither(3, error=0.1, seed=1) != dither(3, error=0.1, seed=2)
    assert dither(3)[0].error == (0.0, 0.0)


def test_sky_has_its_level_in_the_middle_and_its_slopes_across():
    image = Sky(rate=0.2, slope_x=0.5, slope_y=-0.25).image((11, 21))
    assert image[5, 10] == pytest.approx(0.2)
    assert image[5, 20] - image[5, 0] == pytest.approx(0.2 * 0.5 * 20 / 21)
    assert image[10, 10] - image[0, 10] == pytest.approx(-0.2 * 0.25 * 10 / 11)


@pytest.mark.parametrize("beta", [None, 2.5, 4.0])
def test_psf_holds_its_flux_and_width(beta):
    psf = Psf(fwhm=0.1, beta=beta)
    r = np.linspace(0, 20, 2_000_001)
    assert np.trapezoid(2 * np.pi * r * psf.density(r**2), r) == pytest.approx(1.0, abs=1e-3)
    assert psf.density(0.05**2) == pytest.approx(psf.density(0.0) / 2)


@pytest.mark.parametrize(
    ("make", "error", "text"),
    [
        (lambda: Stars(ra=np.zeros(2), dec=np.zeros(3), rate=np.zeros(2)), ShapeError, "one length"),
        (lambda: stars_of(ra=[np.nan], dec=[0.0], rate=[1.0]), ParameterError, "finite"),
        (lambda: galaxies_of(ra=[0.0], dec=[0.0], rate=[1.0], radius=[0.0], ratio=[1.0], angle=[0.0],
        index=[1.0]),
         ParameterError, "radius of a galaxy"),
        (lambda: galaxies_of(ra=[0.0], dec=[0.0], rate=[1.0], radius=[1.0], ratio=[1.5], angle=[0.0],
        index=[1.0]),
         ParameterError, "ratio of a galaxy"),
        (lambda: Sky(rate=-1.0), ParameterError, "sky rate"),
        (lambda: Sky(slope_x=1.5, slope_y=1.0), ParameterError, "corner negative"),
        (lambda: Pointing(exptime=0.0), ParameterError, "exposure time"),
        (lambda: Pointing(dec=91.0), ParameterError, "declination"),
        (lambda: Pointing(sky=-0.1), ParameterError, "sky of a pointing"),
        (lambda: Pointing(vafactor=2.0), ParameterError, "aberration"),
        (lambda: dither(0), ParameterError, "at least 1"),
        (lambda: random_scene(1, stars=-1), ParameterError, "stars=-1"),
        (lambda: random_scene(1, faint=5.0, bright=1.0), ParameterError, "faint=5.0"),
        (lambda: Psf(fwhm=0.0), ParameterError, "FWHM"),
        (lambda: Psf(fwhm=1.0, beta=1.0), ParameterError, "Moffat"),
    ],
)  # fmt: skip
def test_impossible_values_are_refused_by_name(make, error, text):
    with pytest.raises(error, match=text):
        make()
