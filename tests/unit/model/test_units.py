"""One parser reads the unit of an image, in whatever words it is written."""

from __future__ import annotations

import astropy.units as u
import numpy as np
import pytest

from drizframe.errors import InputError
from drizframe.model import ArraySource
from drizframe.model.bunit import conversion_factor, parse_unit, product_unit
from drizframe.model.sources import ScaledSource, scale_of, stored


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("ELECTRONS", "electrons"), ("e-", "electrons"), ("Electron", "electrons"), ("photons", "electrons"),
        ("electron/pixel", "electrons"), ("ELECTRONS/S", "electrons/s"), ("electron s-1", "electrons/s"),
        ("electron s**-1", "electrons/s"), ("electron s^-1", "electrons/s"), ("electron / s", "electrons/s"),
        ("e-/s", "electrons/s"), ("e- per sec", "electrons/s"), ("electrons per second", "electrons/s"),
        ("ph/s", "electrons/s"), ("electron/s/pix", "electrons/s"), ("counts", "counts"), ("DN", "counts"),
        ("adu", "counts"), ("ADU", "counts"), ("data numbers", "counts"), ("ct", "counts"), ("cps", "counts/s"),
        ("CPS", "counts/s"), ("counts per second", "counts/s"), ("count sec-1", "counts/s"), ("DN / SEC", "counts/s"),
        ("Counts/Second", "counts/s"), ("adu s-1", "counts/s"), ("nJy", "flux"), ("nJy/pixel", "flux"),
        ("erg s-1 cm-2 A-1", "flux"), ("ERGS/CM**2/S/A", "flux"), ("W m-2 um-1", "flux"), ("nanomaggy", "flux"),
        ("MJy/sr", "brightness"), ("MJY/SR", "brightness"), ("uJy arcsec-2", "brightness"), ("JY/BEAM", "brightness"),
        ("electron/s/arcsec2", "brightness"), ("K", "brightness"),
    ],
)  # fmt: skip
def test_spellings_of_the_field_mean_what_they_say(written, meant):
    unit = parse_unit(written)
    assert unit.native == meant
    assert unit.factor == 1.0
    assert unit.rate is (meant.endswith("/s") or unit.physical)


@pytest.mark.parametrize(
    ("written", "text", "factor"),
    [
        ("10**3 electron", "ELECTRONS", 1000.0), ("electron/min", "ELECTRONS/S", 1 / 60), ("electron/h", "ELECTRONS/S", 1 / 3600),
        ("ke-", "ELECTRONS", 1000.0), ("electron ms-1", "ELECTRONS/S", 1000.0), ("kct/hr", "COUNTS/S", 1 / 3.6),
    ],
)  # fmt: skip
def test_powers_of_ten_and_other_times_are_converted(written, text, factor):
    unit = parse_unit(written)
    assert (unit.text, unit.factor) == (text, pytest.approx(factor, rel=1e-12))


@pytest.mark.parametrize(
    "written", ["mag", "mag(AB)", "ABmag", "mag/arcsec2", "dex", "dB", u.ABmag, u.mag(u.ct)]
)
def test_logarithmic_units_are_refused_by_name(written):
    with pytest.raises(InputError, match=r"x: BUNIT is .* logarithmic.*write electrons"):
        parse_unit(written, "x: BUNIT")


@pytest.mark.parametrize(
    "written",
    [
        "mV",
        "furlongs",
        "1",
        "s",
        "electron/arcsec2",
        "electron2",
        "Jy s",
        "electron/s/cm2",
        "UNITLESS",
        u.one,
    ],
)
def test_what_exposures_cannot_be_averaged_in_is_refused(written):
    with pytest.raises(InputError, match=r"x: BUNIT is .*write electrons"):
        parse_unit(written, "x: BUNIT")


def test_blank_is_no_unit_and_a_number_none_either():
    assert parse_unit("  ") is None
    with pytest.raises(InputError, match="is 3, which is no unit"):
        parse_unit(3)


def test_units_of_astropy_are_taken():
    assert parse_unit(u.electron / u.s).text == "ELECTRONS/S"
    assert parse_unit(u.MJy / u.sr).native == "brightness"


@pytest.mark.parametrize(
    ("given", "wanted", "factor"),
    [
        ("MJy/sr", "Jy/arcsec2", 1e6 / (180 * 3600 / np.pi) ** 2), ("nJy", "uJy/pixel", 1e-3),
        ("erg/s/cm2/A", "W m-2 um-1", 10.0), ("nJy", "MJy/sr", None), ("nJy", "erg/s/cm2/A", None),
        ("MJy/sr", "electrons/s", None), ("electrons", "counts/s", 1.0),
    ],
)  # fmt: skip
def test_units_are_converted_where_nothing_but_the_unit_differs(given, wanted, factor):
    found = conversion_factor(parse_unit(given), parse_unit(wanted))
    assert found == (None if factor is None else pytest.approx(factor, rel=1e-12))


def test_scaled_pixels_are_science_and_error_and_no_flags():
    arrays = {k: np.full((2, 2), 3, dtype) for k, dtype in (("sci", "i2"), ("err", "f4"), ("dq", "i2"))}
    plain = ArraySource(arrays)
    source = ScaledSource(ScaledSource(plain, 0.5), 4.0)
    assert [source(k)[0, 0] for k in ("sci", "err", "dq")] == [6.0, 6.0, 3]
    assert source("ivm") is None
    assert (scale_of(source), scale_of(plain), stored(source)) == (2.0, 1.0, plain)


@pytest.mark.parametrize(
    ("native", "text", "units", "counts", "expected"),
    [
        ("flux", "nJy/pixel", "cps", True, "nJy/pixel"), ("brightness", "MJy/sr", "cps", False, "MJy/sr"),
        ("counts", "COUNTS", "cps", True, "counts/s"), ("counts", "COUNTS", "counts", False, "ELECTRONS"),
        ("electrons", "ELECTRONS", "cps", True, "ELECTRONS/S"),
        ("electrons/s", "ELECTRONS/S", "counts", True, "ELECTRONS"),
        ("counts/s", "COUNTS/S", "counts", True, "counts"), ("counts", "COUNTS", "cps", False, "ELECTRONS/S"),
    ],
)  # fmt: skip
def test_products_have_the_unit_of_their_numbers(native, text, units, counts, expected):
    assert product_unit(native, text, units=units, counts=counts) == expected
