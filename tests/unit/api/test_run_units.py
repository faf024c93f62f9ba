"""Runs on images in all kinds of units: right numbers, the right unit, at any output scale."""

from __future__ import annotations

import numpy as np
import pytest
from astropy.io import fits
from astropy.wcs import WCS

import drizframe
from drizframe import Exposure
from drizframe.errors import InputError

pytestmark = pytest.mark.filterwarnings("ignore::drizframe.errors.DrizframeWarning")

SIZE, SKY, STAR = 40, 2.0, 1000.0
OFFSETS = [(0.0, 0.0), (0.3, 0.2), (-0.2, 0.4), (0.1, -0.3)]


def plane(dx=0.0, dy=0.0, scale=0.1):
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = ["RA---TAN", "DEC--TAN"]
    wcs.wcs.crval, wcs.wcs.crpix = [150.0, 2.0], [20.5 + dx, 20.5 + dy]
    wcs.wcs.cdelt = [-scale / 3600, scale / 3600]
    wcs.wcs.set()
    return wcs


def picture(dx, dy, rng=None, noise=0.0):
    """A star of 1000 on a sky of 2, in the unit of the test per pixel of 0.1 arcsec."""
    y, x = np.mgrid[0:SIZE, 0:SIZE]
    star = np.exp(-0.5 * ((x - 19.5 - dx) ** 2 + (y - 19.5 - dy) ** 2) / 1.8**2)
    image = SKY + STAR * star / star.sum()
    return image if rng is None else image + rng.normal(0.0, noise, image.shape)


def stack(unit, scale=1.0, rays=0, noise=0.0, error=False, times=(100.0, 200.0, 100.0, 200.0)):
    rng = np.random.default_rng(4)
    made = []
    for k, ((dx, dy), time) in enumerate(zip(OFFSETS, times, strict=True)):
        image = picture(dx, dy, rng, noise)
        for row, column in rng.integers(3, SIZE - 3, (rays, 2)):
            image[row, column] += 80.0
        sigma = np.hypot(noise, 0.02 * np.sqrt(np.abs(image - SKY))) * scale if error else None
        made.append(
            Exposure.from_arrays(
                image * scale, plane(dx, dy), name=f"e{k}", exptime=time, unit=unit, err=sigma
            )
        )
    return made


def flux(result, radius=1.2):
    """Sum around the star, in pixels of the mosaic."""
    y, x = np.mgrid[0 : result.sci.shape[0], 0 : result.sci.shape[1]]
    px, py = result.wcs.all_world2pix(150.0, 2.0, 0)
    near = np.hypot(x - px, y - py) < radius / (3600 * abs(result.wcs.pixel_scale_matrix[1, 1]))
    return float(np.nansum(result.sci[near & (result.wht > 0)], dtype=float))


@pytest.mark.parametrize("out", [0.1, 0.05, 0.17])
@pytest.mark.parametrize(
    ("unit", "grows"), [("nJy", True), ("nJy/pixel", True), ("MJy/sr", False), ("electrons/s/arcsec2", False)]
)
def test_flux_is_conserved_and_surface_brightness_kept_at_every_scale(unit, grows, out):
    result = drizframe.run(stack(unit), final_scale=out, driz_sep_scale=out, final_rot=0)
    pixels = 1.0 if grows else (0.1 / out) ** 2
    assert flux(result) == pytest.approx(STAR * pixels, rel=0.01)
    assert result.mosaic.unit == unit
    assert sum(int((m == 0).sum()) for masks in result.cosmic_rays.values() for m in masks) == 0
    level = drizframe.run(
        stack(unit), final_scale=out, skysub=False, median=False, blot=False, driz_cr=False, final_rot=0
    )
    assert np.nanmedian(level.sci[level.wht > 0]) == pytest.approx(
        SKY * ((out / 0.1) ** 2 if grows else 1.0), rel=1e-3
    )


@pytest.mark.parametrize("method", ["localmin", "globalmin", "match", "globalmin+match"])
def test_the_sky_of_a_surface_brightness_is_its_level_whatever_the_pixel(method):
    coarse = Exposure.from_arrays(
        np.random.default_rng(3).normal(SKY, 0.01, (20, 20)),
        plane(-10, -10, 0.2),
        name="coarse",
        unit="MJy/sr",
    )
    result = drizframe.run([*stack("MJy/sr", noise=0.01), coarse], skymethod=method)
    levels = [v.level for values in result.sky.values() for v in values]
    assert np.allclose(levels, 0.0 if method == "match" else SKY, atol=0.02)


@pytest.mark.parametrize("scale", [1.0, 1e-6, 1e5])
@pytest.mark.parametrize("error", [True, False])
@pytest.mark.parametrize("stat", ["median", "mode"])
def test_cosmic_rays_are_found_whatever_the_size_of_the_numbers(error, scale, stat):
    result = drizframe.run(stack("MJy/sr", scale, rays=12, noise=0.05, error=error), skystat=stat)
    found = sum(int((m == 0).sum()) for masks in result.cosmic_rays.values() for m in masks)
    assert 44 <= found <= 60
    assert flux(result) / scale == pytest.approx(STAR, rel=0.02)
    assert any("no error image" in w for w in result.warnings) is not error


def test_tiny_fluxes_keep_their_sky_and_static_mask():
    result = drizframe.run(stack("erg/s/cm2/A", 1e-19, noise=0.05), skystat="mode")
    assert np.allclose([v.level for values in result.sky.values() for v in values], SKY * 1e-19, rtol=0.02)
    assert not any("static mask" in w for w in result.warnings)


def test_inverse_variance_weights_of_a_flux_are_those_of_the_errors_or_the_time():
    by_error = drizframe.run(stack("nJy", noise=0.05, error=True), final_wht_type="IVM")
    wanted = drizframe.run(stack("nJy", noise=0.05, error=True), final_wht_type="ERR")
    assert np.array_equal(by_error.wht, wanted.wht)
    by_time = drizframe.run(stack("nJy", noise=0.05), final_wht_type="IVM")
    assert np.median(by_time.wht) == pytest.approx(600.0)
    assert any("exposure time instead" in w for w in by_time.warnings)


def test_error_weights_that_no_number_can_hold_are_refused():
    with pytest.raises(InputError, match=r"power of ten.*BUNIT"):
        drizframe.run(stack("erg/s/cm2/A", 1e-19, noise=0.05, error=True), final_wht_type="ERR")


def write(folder, unit, scale, exptime=100.0, **extra):
    for k, (dx, dy) in enumerate(OFFSETS):
        header = plane(dx, dy).to_header()
        header.update({"EXPTIME": exptime, "BUNIT": unit, **extra})
        fits.PrimaryHDU((picture(dx, dy) * scale).astype("f4"), header).writeto(folder / f"f{k}_flt.fits")
    return str(folder / "f*_flt.fits")


@pytest.mark.parametrize(
    ("unit", "scale", "product"),
    [
        ("electron/min", 60.0, "ELECTRONS/S"), ("10**3 electron", 0.1, "ELECTRONS/S"), ("cps", 1.0, "counts/s"),
        ("e- per second", 1.0, "ELECTRONS/S"), ("adu", 100.0, "counts/s"), ("MJy/sr", 1.0, "MJy/sr"), ("nJy", 1.0, "nJy"),
    ],
)  # fmt: skip
def test_files_say_their_unit_and_products_too(tmp_path, unit, scale, product):
    result = drizframe.run(write(tmp_path, unit, scale), tmp_path / "out", build=True)
    assert flux(result) == pytest.approx(STAR, rel=0.01)
    assert result.mosaic.unit == fits.getheader(tmp_path / "out_drz.fits", "SCI")["BUNIT"] == product
    assert str(result.to_ccddata().unit)


def test_the_drop_in_writes_the_sky_in_the_unit_of_the_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write(tmp_path, "electron/min", 60.0)
    from drizframe import astrodrizzle

    astrodrizzle.AstroDrizzle("f*_flt.fits", output="out", skysub=True)
    assert fits.getheader("f0_flt.fits")["MDRIZSKY"] == pytest.approx(SKY * 60.0, rel=0.01)


@pytest.mark.parametrize("unit", ["mag", "mV", "furlongs"])
def test_a_unit_that_cannot_be_averaged_names_file_and_keyword(tmp_path, unit):
    with pytest.raises(InputError, match=rf"f0_flt.fits.*BUNIT is '{unit}'"):
        drizframe.run(write(tmp_path, unit, 1.0))


def test_exposures_of_another_gain_join_the_mosaic_at_one_scale():
    gains = (7.0, 7.0, 14.0, 14.0)
    made = [
        Exposure.from_arrays(
            picture(dx, dy) * 100 / g,
            plane(dx, dy),
            name=f"e{g:g}{k}",
            exptime=100.0,
            unit="counts",
            gain=g,
            readnoise=5.0,
        )
        for k, ((dx, dy), g) in enumerate(zip(OFFSETS, gains, strict=True))
    ]
    result = drizframe.run(made)
    assert flux(result) == pytest.approx(STAR / 7.0, rel=0.01)
    assert next(w for w in result.warnings if "another gain" in w).startswith("e142")
