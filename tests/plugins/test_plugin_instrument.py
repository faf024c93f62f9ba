"""An instrument of a plugin can do all that a stock one does, and no file of drizframe knows of it."""

from __future__ import annotations

import numpy as np
import pytest
from astropy.io import fits
from astropy.wcs import WCS

import drizframe
from drizframe.errors import HookError, InputError
from drizframe.headers import Detector, exposure_from_headers
from drizframe.hooks import Instrument
from drizframe.stock.products.static_names import static_mask_names
from drizframe.stock.steps._sky_units import is_rate
from drizframe.testing import InstrumentSample, run_checks

pytestmark = pytest.mark.filterwarnings("ignore::drizframe.errors.DrizframeWarning")
SHAPE = (40, 44)
QUICK = {"driz_separate": False, "median": False, "blot": False, "driz_cr": False, "num_cores": 1}


def mine(primary, science, **where):
    detector = Detector(native_unit="electrons/s", gain=1.0, readnoise=2.0)
    return exposure_from_headers(detector, primary, science, family="mine", detector_name="ONE", **where)


def check(primary, path):
    if primary.get("MODE") == "SPECTRUM":
        msg = f"{path} is a spectrum. Leave it out."
        raise InputError(msg)


CAMERA = Instrument(
    name="mine.camera", summary="A camera of our own.", reference=mine, matches=lambda header: header.get("INSTRUME") == "MYCAM",
    check=check, usual_rate=lambda primary, science: True, numbered_by_detector=True, image_sets=True,
    exposure_keys=("EXPTIME",), product_tag="_drm", needs_roll=False,
)  # fmt: skip


class Plugin:
    @drizframe.hookimpl
    def drizframe_instruments(self):
        yield CAMERA


@pytest.fixture(autouse=True)
def registered():
    name = drizframe.register(Plugin(), "mycam")
    yield
    drizframe.unregister(name)


def write(folder, name="m001_flt.fits", sets=2, **primary):
    """Write a file of image sets, each with its own name and time."""
    hdus = fits.HDUList(
        [fits.PrimaryHDU(header=fits.Header({"INSTRUME": "MYCAM", "ROOTNAME": "m001", **primary}))]
    )
    for k in range(1, sets + 1):
        wcs = WCS(naxis=2)
        wcs.wcs.ctype, wcs.wcs.crval = ["RA---TAN", "DEC--TAN"], [150.0, 2.0]
        wcs.wcs.crpix, wcs.wcs.cdelt = [22.0 + 0.4 * k, 20.0], [-1e-5, 1e-5]
        image = np.random.default_rng(k).normal(3, 0.1, SHAPE).astype(np.float32)
        header = wcs.to_header()
        header["EXPNAME"], header["EXPTIME"], header["CCDCHIP"] = f"m001{k:02d}q", 100.0 * k, 1
        hdus.append(fits.ImageHDU(image, header=header, name="SCI", ver=k))
    hdus.writeto(folder / name)
    return folder / name


def test_image_sets_become_exposures_with_times_and_products_of_their_own(tmp_path):
    result = drizframe.run(str(write(tmp_path)), str(tmp_path / "out"), static=False, **QUICK)
    assert [(e.name, e.exptime) for e in result.exposures] == [("m00101q", 100.0), ("m00102q", 200.0)]
    assert [p.name for p in result.products] == ["out_drm_sci.fits", "out_drm_wht.fits", "out_drm_ctx.fits"]
    assert fits.getheader(result.products[0])["ROOTNAME"] == "out"


def test_image_sets_share_the_static_mask_of_their_detector(tmp_path):
    result = drizframe.run(str(write(tmp_path)), static=False, **QUICK)
    assert len(set(static_mask_names("ref", result.exposures).values())) == 1


def test_an_image_without_unit_is_what_the_record_says(tmp_path):
    result = drizframe.run(str(write(tmp_path)), static=False, **QUICK)
    one = result.exposures[0]
    one.chips[0].header.remove("BUNIT", ignore_missing=True)
    rate, doubt = is_rate(one, one.chips[0])
    assert rate
    assert "taken to be per second" in doubt


def test_a_wildcard_leaves_out_single_exposures_beside_their_file(tmp_path):
    write(tmp_path)
    write(tmp_path, "m00101q_flt.fits", sets=1)
    result = drizframe.run(str(tmp_path / "*_flt.fits"), static=False, **QUICK)
    assert [e.name for e in result.exposures] == ["m00101q", "m00102q"]
    assert any("single exposures of m001_flt.fits: m00101q_flt.fits" in text for text in result.warnings)


def test_what_the_instrument_refuses_is_told(tmp_path):
    with pytest.raises(InputError, match="is a spectrum. Leave it out"):
        drizframe.run(str(write(tmp_path, MODE="SPECTRUM")), **QUICK)


def test_the_kit_takes_it():
    facts = {"exptime": 340.0}
    sample = InstrumentSample(
        primary={"INSTRUME": "MYCAM", "EXPTIME": 340.0}, science={1: {"BUNIT": "ELECTRONS/S"}}, facts=facts
    )
    assert [o.text for o in run_checks(CAMERA, sample=sample) if not o.ok] == []


def test_a_tag_that_is_none_is_refused():
    with pytest.raises(HookError, match="product_tag"):
        Instrument(name="mine", summary="Mine.", reference=mine, matches=bool, product_tag="drm.fits")
