"""Exposures from whatever people hold their images in: masks, units, uncertainties and facts come along."""

from __future__ import annotations

import datetime as dt

import astropy.units as u
import numpy as np
import pytest
from astropy.io import fits
from astropy.nddata import (
    CCDData,
    InverseVariance,
    NDData,
    StdDevUncertainty,
    UnknownUncertainty,
    VarianceUncertainty,
)
from astropy.time import Time
from astropy.utils.masked import Masked
from astropy.wcs import WCS
from astropy.wcs.wcsapi import HighLevelWCSWrapper, SlicedLowLevelWCS

from drizframe import Exposure
from drizframe.errors import ArrayTypeError, InputError, ShapeError, WCSError

SHAPE = (6, 8)


def plane(naxis=2):
    wcs = WCS(naxis=naxis)
    wcs.wcs.ctype = ["RA---TAN", "DEC--TAN", "FREQ"][:naxis]
    wcs.wcs.crval, wcs.wcs.crpix = [150.0, 2.0, 1e9][:naxis], [4.0, 3.0, 1.0][:naxis]
    wcs.wcs.cdelt = [-3e-5, 3e-5, 1e6][:naxis]
    wcs.wcs.set()
    return wcs


def image():
    return np.random.default_rng(1).normal(10.0, 1.0, SHAPE)


def mask():
    hidden = np.zeros(SHAPE, bool)
    hidden[2, 3] = True
    return hidden


def chip(data, wcs=None, **facts):
    return Exposure.from_arrays(data, plane() if wcs is None else wcs, **facts).chips[0]


@pytest.mark.parametrize(
    ("unit", "bunit", "native", "factor"),
    [
        (u.electron / u.s, "ELECTRONS/S", "electrons/s", 1.0), (u.electron / u.min, "ELECTRONS/S", "electrons/s", 1 / 60),
        (u.adu, "COUNTS", "counts", 1.0), (u.MJy / u.sr, "MJy / sr", "brightness", 1.0), (u.nJy, "nJy", "flux", 1.0),
    ],
)  # fmt: skip
@pytest.mark.parametrize("kind", ["quantity", "unit", "ccd"])
def test_a_unit_is_taken_or_converted(unit, bunit, native, factor, kind):
    data = image()
    if kind == "unit":
        made = chip(data, unit=unit, exptime=50.0)
    else:
        made = chip(data * unit if kind == "quantity" else CCDData(data, unit=unit), exptime=50.0)
    assert (made.bunit, made.native_unit) == (bunit, native)
    assert np.allclose(made.data(), data * factor, rtol=1e-6)


def test_a_quantity_is_converted_to_the_unit_that_is_asked_for():
    made = chip(image() * u.Jy / u.arcsec**2, unit="MJy/sr", err=np.ones(SHAPE) * u.kJy / u.sr)
    assert made.bunit == "MJy/sr"
    assert np.allclose(made.data(), image() * 42545.17, rtol=1e-6)
    assert np.allclose(made.plane("err"), 1e-3)


@pytest.mark.parametrize(
    ("data", "facts"),
    [
        (image() * u.electron, {"unit": "electrons/s"}), (image() * u.nJy, {"unit": "electrons"}),
        (image() * u.mV, {}), (image() * u.mag, {}), (image() * u.one, {}), (CCDData(image(), unit=u.K * u.s), {}),
        (image(), {"unit": "furlongs"}), (image(), {"unit": ""}), (image() * u.electron, {"err": image() * u.s}),
        ([image() * u.electron, image() * u.adu], {"wcs": [plane(), plane()]}),
    ],
)  # fmt: skip
def test_units_that_do_not_fit_are_refused(data, facts):
    with pytest.raises(InputError, match=r"unit|is in"):
        Exposure.from_arrays(data, **{"wcs": plane()} | facts)


@pytest.mark.parametrize("dtype", ["u1", "i2", ">u2", "i8", "f4", "f8"])
def test_numbers_that_look_like_counts_need_a_unit(dtype):
    counts = np.random.default_rng(2).poisson(40.0, SHAPE).astype(dtype)
    with pytest.raises(InputError, match=r"whole numbers.*unit='?|whole numbers.*Give unit"):
        chip(counts, exptime=300.0)
    assert chip(counts, exptime=300.0, unit="counts").bunit == "COUNTS"
    assert chip(counts / 300.0, exptime=300.0).bunit == "ELECTRONS/S"


def test_floats_without_a_unit_are_rates_and_that_is_noted():
    made = Exposure.from_arrays(image(), plane(), exptime=300.0)
    assert made.chips[0].rate
    assert "no unit given; taken as electrons/s" in made.history


@pytest.mark.parametrize("masked", [np.ma.array, Masked, lambda d, mask: Masked(d * u.ct, mask=mask)])
def test_what_lies_under_any_mask_does_not_count(masked):
    data = image()
    data[2, 3] = 1e9
    kept = data.copy()
    given = masked(data, mask=mask())
    made = chip(given, unit="counts", err=masked(np.ones(SHAPE), mask=mask().T.reshape(SHAPE)))
    assert np.array_equal(np.isnan(made.data()), mask())
    assert np.isnan(made.plane("err")).sum() == 1
    assert np.array_equal(data, kept)


@pytest.mark.parametrize(
    ("uncertainty", "expected"),
    [
        (StdDevUncertainty(np.full(SHAPE, 2.0)), 2.0), (VarianceUncertainty(np.full(SHAPE, 4.0)), 2.0),
        (InverseVariance(np.full(SHAPE, 0.25)), 2.0), (StdDevUncertainty(np.full(SHAPE, 120.0), unit="electron/min"), 2.0),
        (VarianceUncertainty(np.full(SHAPE, 4.0), unit="electron2/s2"), 2.0),
    ],
)  # fmt: skip
def test_every_uncertainty_becomes_the_error(uncertainty, expected):
    made = chip(CCDData(image(), unit="electron/s", uncertainty=uncertainty, mask=mask()))
    error = made.plane("err")
    assert np.isnan(error[2, 3])
    assert np.allclose(error[~mask()], expected)


def test_an_uncertainty_may_be_given_by_itself():
    made = chip(image(), err=VarianceUncertainty(np.full(SHAPE, 9.0)))
    assert np.allclose(made.plane("err"), 3.0)


def test_an_uncertainty_of_unknown_kind_is_refused():
    with pytest.raises(InputError, match="UnknownUncertainty.*StdDevUncertainty"):
        chip(NDData(image(), uncertainty=UnknownUncertainty(np.ones(SHAPE))))


def test_nddata_bring_their_wcs_and_flags():
    data = CCDData(image(), unit="electron", wcs=plane(), flags=mask().astype(np.int16) * 4)
    made = Exposure.from_arrays(data).chips[0]
    assert np.array_equal(made.plane("dq"), mask() * 4)
    assert made.wcs.wcs.crval.tolist() == [150.0, 2.0]


def test_a_mask_of_another_shape_is_refused():
    with pytest.raises(ShapeError, match="mask"):
        chip(NDData(image(), mask=np.zeros((3, 3), bool)))


def test_facts_may_carry_units_and_times():
    made = Exposure.from_arrays(
        image(), plane(), exptime=2 * u.min, gain=1.5 * u.electron / u.adu, readnoise=5 * u.electron,
        dark=3 * u.electron, pixel_scale=0.001 * u.arcmin, start=Time(60000.5, format="mjd"),
        end=dt.datetime(2023, 2, 25, 12, 2, tzinfo=dt.UTC), unit=u.adu,
    )  # fmt: skip
    only = made.chips[0]
    assert (made.exptime, only.gain, only.readnoise, only.dark) == (120.0, 1.5, 5.0, 3.0)
    assert only.idc_scale == pytest.approx(0.06)
    assert (made.start, made.end) == (60000.5, pytest.approx(60000.5 + 2 / 1440))


@pytest.mark.parametrize(
    "facts", [{"exptime": 3 * u.m}, {"gain": 2 * u.s}, {"readnoise": 5 * u.adu}, {"start": 5 * u.m}]
)
def test_facts_in_other_units_are_refused(facts):
    with pytest.raises(InputError, match=next(iter(facts))):
        Exposure.from_arrays(image(), plane(), **facts)


@pytest.mark.parametrize(
    "data", [CCDData(np.zeros((2, 6, 8)), unit="adu"), [[1.0, 2.0], [3.0]], None, {"a": 1}]
)
def test_what_is_no_image_is_refused(data):
    with pytest.raises((ShapeError, ArrayTypeError), match="data of chip 1"):
        chip(data)


@pytest.mark.parametrize(
    ("wcs", "said"),
    [
        (None, "is None; give an astropy.wcs.WCS"), (fits.Header(), r"FITS Header; give astropy.wcs.WCS\(header\)"),
        (fits.PrimaryHDU(), r"WCS\(hdu.header\)"), ({"a": 1}, "dict"), ("text", "'text'"), (5, "5"),
        (plane(3), "3 axes.*wcs.celestial"), (SlicedLowLevelWCS(plane(3), 0), "SlicedLowLevelWCS.*wcs.celestial"),
        (HighLevelWCSWrapper(SlicedLowLevelWCS(plane(3), 0)), "HighLevelWCSWrapper.*wcs.celestial"),
    ],
)  # fmt: skip
def test_another_wcs_is_refused_with_what_to_give(wcs, said):
    with pytest.raises(WCSError, match=said):
        Exposure.from_arrays(image(), wcs)


def test_a_gwcs_is_refused_by_name():
    class WCS:  # what tells a gwcs is where it comes from
        __module__ = "gwcs.wcs"

    with pytest.raises(WCSError, match="gwcs.*to_fits_sip"):
        Exposure.from_arrays(image(), WCS())


def test_the_wrapper_that_nddata_make_is_taken_off():
    assert chip(image(), HighLevelWCSWrapper(plane())).wcs.wcs.ctype[0] == "RA---TAN"


@pytest.mark.parametrize("name", ["a\nb", "a\tb", "\x1b[31mx", "a" * 300, "a/b", " "])
def test_a_name_that_no_file_can_begin_with_is_refused(name):
    with pytest.raises(InputError, match="at most 120 printable characters"):
        Exposure.from_arrays(image(), plane(), name=name, unit="electron/s")
