"""Every file that a run writes says what it holds: for each layout of input and each product."""

from __future__ import annotations

import warnings

import numpy as np
import product_layouts as layouts
import pytest
from astropy.coordinates import SkyCoord
from astropy.io import fits
from astropy.wcs import WCS

import drizframe

#: Keywords that no product of another grid may have.
STALE = ("LTV1", "LTV2", "CCDSEC", "DATASEC", "DETSEC", "TRIMSECA", "BIASSEC1", "S_REGION", "CRDER1", "WCSNAMEQ",
         "CRVAL1Q", "DATAMIN", "DATAMAX", "IDCSCALE", "PV1_4", "PC1_1", "CROTA2", "A_2_0", "BLANK", "BZERO", "CTYPE3",
         "CPDIS1", "AIRMASS", "TR1_1", "REFPIX1", "FASTAXIS", "COR1RA1", "ODDSEC")  # fmt: skip
SCALE = 0.07


@pytest.fixture(scope="module", params=list(layouts.LAYOUTS))
def run(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("layout")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        inputs = layouts.LAYOUTS[request.param](folder)
        result = drizframe.run(
            inputs, folder / "out", keep="all", layers="variance" if "ERR" in request.param else (), final_scale=SCALE,
            driz_cr_corr=True, static=True, driz_sep_scale=0.13,
        )  # fmt: skip
        (built,) = result.write(folder / "built", build=True)
    return request.param, result, built


def strictly(path):
    """Open a file; any warning, any fault of a card and any wrong sum is an error."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with fits.open(path, checksum=True) as hdus:
            for hdu in hdus:
                hdu.data  # noqa: B018
                hdu.verify("exception")
                assert "CHECKSUM" in hdu.header
                assert "DATASUM" in hdu.header
            return fits.HDUList([h.copy() for h in hdus])


def offset(hdus, number, wanted):
    """How far apart two WCS place the pixels of an image, in pixels."""
    shape = hdus[number].shape[-2:]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = WCS(hdus[number].header, hdus, naxis=2)
    pixels = np.random.default_rng(1).uniform(0, 1, (40, 2)) * shape[::-1]
    sky = wanted.all_pix2world(pixels, 0)
    away = np.abs(found.all_pix2world(pixels, 0) - sky) - 4 * np.spacing(np.abs(sky))  # digits of a degree
    return away.max() / np.sqrt(abs(np.linalg.det(wanted.pixel_scale_matrix)))


def chips_of(result):
    return {f"{e.name}_sci{c.extver}": (e, c) for e in result.exposures for c in e.chips}


def test_the_mosaic_in_single_files(run):
    _, result, _ = run
    units = {
        "sci": result.mosaic.unit,
        "wht": "UNITLESS",
        "ctx": "UNITLESS",
        "var": f"({result.mosaic.unit})**2",
    }
    found = [p for p in result.products if p.name.startswith("out_dr") and not p.name.endswith("_med.fits")]
    assert {p.stem.split("_")[-1] for p in found} >= {"sci", "wht", "ctx"}
    for path in found:
        kind = path.stem.split("_")[-1]
        hdus = strictly(path)
        header = hdus[0].header
        assert hdus[0].shape[-2:] == result.sci.shape
        assert offset(hdus, 0, result.wcs) < 1e-9
        assert header.get("BUNIT", "UNITLESS") == units[kind]
        assert not [k for k in STALE if k in header]
        assert header["FILETYPE"] == kind.upper()


def test_the_mosaic_in_one_file(run):
    _, result, built = run
    hdus = strictly(built)
    assert WCS(hdus[0].header).has_celestial is False
    assert not [
        k for k in (*STALE, "CRPIX1", "CRVAL1", "CTYPE1", "CD1_1", "BUNIT", "NAXIS1") if k in hdus[0].header
    ]
    for number, hdu in enumerate(hdus):
        if hdu.name in ("SCI", "WHT", "CTX", "VAR"):
            assert offset(hdus, number, result.wcs) < 1e-9
            assert hdu.shape[-2:] == result.sci.shape
            assert not [k for k in (*STALE, "D001DATA", "FILENAME") if k in hdu.header]
    assert hdus["SCI"].header["BUNIT"] == result.mosaic.unit
    assert hdus[0].header["ROOTNAME"] == "built"
    assert hdus[0].header["D001OUDA"] == built.name


def test_pixel_sizes_are_those_of_the_mosaic(run):
    layout, result, built = run
    if layout in ("STIS", "waivered"):
        pytest.skip("these have no such keywords")
    for header in (result.header, fits.getheader(built, "SCI")):
        side = header["PIXSCALE"], -header["SECPIX1"]
        np.testing.assert_allclose(side, SCALE, rtol=1e-9)
        np.testing.assert_allclose(header["PIXAR_A2"], SCALE**2, rtol=1e-9)
        np.testing.assert_allclose(header["PIXAR_SR"], np.radians(SCALE / 3600) ** 2, rtol=1e-9)


def test_the_header_of_the_result_is_that_of_its_image(run):
    _, result, _ = run
    header = result.header
    assert (header["NAXIS"], header["NAXIS2"], header["NAXIS1"]) == (2, *result.sci.shape)
    assert WCS(header).array_shape == result.sci.shape
    assert offset(fits.HDUList([fits.PrimaryHDU(result.sci, header)]), 0, result.wcs) < 1e-9


def test_single_images_and_their_median(run):
    _, result, _ = run
    frame = result.frames["separate"]
    found = [
        p for p in result.products if p.name.endswith(("single_sci.fits", "single_wht.fits", "_med.fits"))
    ]
    assert len(found) == 2 * len(result.exposures) + 1
    for path in found:
        hdus = strictly(path)
        assert hdus[0].shape == frame.shape
        assert offset(hdus, 0, frame.wcs) < 1e-9
        assert hdus[0].header["BUNIT"] == ("UNITLESS" if path.name.endswith("wht.fits") else "ELECTRONS/S")
        assert not [k for k in STALE if k in hdus[0].header and k != "AIRMASS"]


@pytest.mark.parametrize("kind", ["blt", "crmask", "single_mask", "final_mask"])
def test_images_on_the_grid_of_a_chip(run, kind):
    _, result, _ = run
    chips = chips_of(result)
    found = [p for p in result.products if p.name.endswith(f"_{kind}.fits")]
    assert len(found) == len(chips)
    for path in found:
        _, chip = chips[path.name.removesuffix(f"_{kind}.fits")]
        hdus = strictly(path)
        assert hdus[0].shape == chip.shape
        assert offset(hdus, 0, chip.wcs) < 1e-9
        assert hdus[0].header["BUNIT"] == (chip.bunit if kind == "blt" else "UNITLESS")


def test_static_masks_have_no_place_on_the_sky(run):
    _, result, _ = run
    found = [p for p in result.products if p.name.endswith("_staticMask.fits")]
    assert found
    for path in found:
        assert WCS(strictly(path)[0].header).has_celestial is False


def test_cleaned_exposures_are_files_of_their_input(run):
    layout, result, _ = run
    found = [p for p in result.products if p.name.endswith("_crclean.fits")]
    assert len(found) == len(result.exposures)
    for exposure, path in zip(result.exposures, found, strict=True):
        hdus = strictly(path)
        for chip, mask in zip(exposure.chips, result.cosmic_rays[exposure.name], strict=True):
            number = (
                0
                if "primary" in layout
                else 1
                if layout == "compressed"
                else hdus.index_of(("SCI", chip.extver))
            )
            assert offset(hdus, number, chip.wcs) < 1e-9
            good = mask != 0
            if ("DQ", chip.extver) in hdus:  # pixels with any other flag are replaced too
                flags = hdus["DQ", chip.extver].data
                assert not flags[~good].size or (flags[~good] != 0).all()
                good = flags == 0
            np.testing.assert_allclose(hdus[number].data[good], chip.data()[good], rtol=1e-6)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a single exposure, without noise
            assert np.isfinite(drizframe.run([str(path)]).sci).any()


def flux_of_star(image, wcs):
    """Sum around the star above the sky."""
    x, y = wcs.world_to_pixel(SkyCoord(*layouts.STAR, unit="deg", frame="icrs"))
    yy, xx = np.indices(image.shape)
    r = np.hypot(xx - x, yy - y) * np.sqrt(abs(np.linalg.det(wcs.pixel_scale_matrix))) * 3600
    return float(np.nansum((image - np.nanmedian(image[(r > 1.0) & (r < 1.6)]))[r < 1.0]))


@pytest.mark.parametrize("build", [False, True])
def test_a_product_can_be_combined_again(run, build, tmp_path):
    layout, result, built = run
    if layout in ("STIS", "ACS, two chips", "waivered"):
        pytest.skip("no single star of known flux, or products of these lack what the instrument must tell")
    path = built if build else next(p for p in result.products if p.name.endswith("drz_sci.fits"))
    again = drizframe.run([str(path)], skysub=False, final_scale=0.1)
    fluxes = [flux_of_star(r.sci, r.wcs) for r in (result, again)]
    assert fluxes[1] == pytest.approx(fluxes[0], rel=5e-3)
    assert fluxes[0] == pytest.approx(layouts.FLUX, rel=0.05)
    reference = drizframe.run(result.exposures, final_refimage=str(path), skysub=False)
    assert reference.sci.shape == result.sci.shape
    assert offset(fits.HDUList([fits.PrimaryHDU(reference.sci, reference.header)]), 0, result.wcs) < 1e-9
