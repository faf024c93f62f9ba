"""L.A.Cosmic in single and few exposures, the stock detector where there are more."""

import numpy as np
import pytest
from astropy.wcs import WCS
from drizframe_lacosmic import LACOSMIC, LAPLACE, LaplaceOptions

import drizframe
from drizframe.errors import ParameterError
from drizframe.hooks import CosmicRayOptions
from drizframe.testing import conformance

SHAPE = (64, 72)


@conformance(LACOSMIC)
def test_lacosmic(check):
    check()


def sky(k, *, rays=True, shift=0.3):
    """One exposure with stars, a sky of 50 electrons, and cosmic rays at places of its own; with their mask."""
    rng = np.random.default_rng(k)
    y, x = np.indices(SHAPE)
    scene = 50.0 + sum(
        3000 * np.exp(-((x - cx + shift * k) ** 2 + (y - cy - shift * k) ** 2) / (2 * 1.4**2))
        for cx, cy in [(20, 15), (50, 40), (33, 52)]
    )
    image = rng.poisson(scene) + rng.normal(0, 4, SHAPE)
    hit = np.zeros(SHAPE, dtype=bool)
    if rays:
        for row, column in zip(rng.integers(8, 56, 12), rng.integers(8, 64, 12), strict=True):
            hit[row, column] = True
    image = image + hit * 900.0
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = ["RA---TAN", "DEC--TAN"]
    wcs.wcs.crval, wcs.wcs.crpix, wcs.wcs.cdelt = (
        [150.0, 2.0],
        [36.0 - shift * k, 32.0 + shift * k],
        [-1e-5, 1e-5],
    )
    made = drizframe.Exposure.from_arrays(
        image.astype(np.float32), wcs, name=f"sky{k}", exptime=300.0, unit="electrons", readnoise=4.0
    )
    return made, hit


def found(result, k):
    return result.cosmic_rays[f"sky{k}"][0] == 0


def run(exposures, **parameters):
    return drizframe.run(exposures, cr_detector="lacosmic", **parameters)


def test_drizframe_finds_it_by_name():
    assert drizframe.registry().get("cosmic-ray detector", "lacosmic") is LACOSMIC


def test_a_single_exposure_is_cleaned():
    exposure, hit = sky(1)
    result = run([exposure])
    mask = found(result, 1)
    assert mask[hit].mean() > 0.9
    assert (mask & ~hit).sum() < 2 * hit.sum()
    assert result.wht[hit].mean() < 0.2 * result.wht.max()


def test_stars_are_spared():
    exposure, _ = sky(2, rays=False)
    assert found(run([exposure]), 2).mean() < 0.002


def test_two_exposures_are_judged_by_the_laplacian():
    (a, hit), (b, _) = sky(1), sky(2)
    mask = found(run([a, b]), 1)
    assert mask[hit].mean() > 0.9


def test_many_exposures_are_judged_by_the_stock_detector():
    exposures = [sky(k)[0] for k in range(1, 6)]
    ours, stock = run(exposures), drizframe.run(exposures)
    inside = (slice(6, -6), slice(6, -6))
    for k in range(1, 6):
        np.testing.assert_array_equal(found(ours, k)[inside], found(stock, k)[inside])


def test_depth_chooses_pixel_by_pixel():
    shape = (24, 30)
    rng = np.random.default_rng(1)
    sci = rng.normal(100, 10, shape).astype(np.float32)
    sci[12, 5] = sci[12, 25] = 1500
    blot, noise = np.full(shape, 100, np.float32), np.full(shape, 10, np.float32)
    depth = np.where(np.arange(30) < 15, 1, 5) * np.ones(shape, np.int32)
    codes = LACOSMIC.reference(sci, blot, np.zeros_like(blot), noise, depth, None, CosmicRayOptions())
    assert (codes[12, 5], codes[12, 25]) == (LAPLACE, 1)
    alone = LACOSMIC.reference(sci, None, None, noise, np.ones_like(depth), None, CosmicRayOptions())
    assert (alone[12, 5], alone[12, 25]) == (LAPLACE, LAPLACE)


def test_flagged_and_infinite_pixels_are_left_out():
    sci = np.random.default_rng(1).normal(100, 10, (24, 30)).astype(np.float32)
    sci[12, 5], sci[6, 6] = 1500, np.nan
    dq = np.zeros(sci.shape, np.int16)
    dq[12, 5] = 16
    noise = np.full(sci.shape, 10, np.float32)
    options = CosmicRayOptions(plugin=LaplaceOptions(bad_bits=16))
    codes = LACOSMIC.reference(sci, None, None, noise, None, dq, options)
    assert (codes[12, 5], codes[6, 6]) == (0, 0)
    assert LACOSMIC.reference(sci, None, None, noise, None, dq, CosmicRayOptions())[12, 5] == LAPLACE


def test_parameters_arrive_and_are_checked():
    exposure, hit = sky(1)
    assert not found(run([exposure], plugins={"lacosmic": {"sigclip": 1e4}}), 1)[hit].any()
    with pytest.raises(ParameterError, match=r"no parameter 'sigklip'\. Did you mean 'sigclip'"):
        run([exposure], plugins={"lacosmic": {"sigklip": 4}})
    with pytest.raises(ParameterError, match=r"lacosmic\.sigfrac = 2"):
        run([exposure], plugins={"lacosmic": {"sigfrac": 2}})


def test_the_result_does_not_depend_on_tiles_or_threads():
    exposures = [sky(k)[0] for k in range(1, 4)]
    one, many = (run(exposures, tile_size=t, num_cores=n) for t, n in ((16, 1), (1024, 4)))
    assert one.sci.tobytes() == many.sci.tobytes()
