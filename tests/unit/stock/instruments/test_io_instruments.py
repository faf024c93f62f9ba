"""Facts that instruments read from headers."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from shipped import by_name

from drizframe.errors import InputError, ParameterError
from drizframe.hooks import InstrumentOptions
from drizframe.model import ArraySource
from drizframe.stock.instruments.flats import FlatSource, expand

ACS = {
    "INSTRUME": "ACS",
    "DETECTOR": "WFC",
    "EXPTIME": 400.0,
    "EXPSTART": 1.0,
    "EXPEND": 2.0,
    "PA_V3": 10.0,
    "ATODGNA": 1.0,
    "ATODGNB": 0.0,
    "ATODGNC": 2.0,
    "ATODGND": 0.0,
    "READNSEA": 5.0,
    "READNSEB": 0.0,
    "READNSEC": 0.0,
    "READNSED": 4.0,
}
WFC3 = {**ACS, "INSTRUME": "WFC3", "DETECTOR": "IR"}
WFPC2 = {"INSTRUME": "WFPC2", "EXPTIME": 100.0, "ATODGAIN": 7.0, "DARKTIME": 110.0}
STIS = {
    "INSTRUME": "STIS",
    "DETECTOR": "CCD",
    "EXPTIME": 999.0,
    "ATODGAIN": 4.0,
    "READNSE": 7.5,
    "OBSTYPE": "IMAGING",
}
NICMOS = {"INSTRUME": "NICMOS", "CAMERA": 3, "EXPTIME": 50.0}


def facts(primary, science=None, **options):
    name = str(primary.get("INSTRUME", "generic")).lower()
    known = by_name("instrument")
    record = known.get(name, known["generic"])
    assert record.matches(fits.Header(primary))
    header = fits.Header({"NAXIS": 2, "NAXIS1": 10, "NAXIS2": 12, "EXTVER": 1, **(science or {})})
    exposure = record.reference(
        fits.Header(primary),
        {1: header},
        name="x",
        path=Path("x_flt.fits"),
        source=lambda v: ArraySource({}),
        options=InstrumentOptions(**options),
        wcs=lambda v: None,
    )
    return exposure, exposure.chips[0]


def test_gain_and_read_noise_are_means_of_the_non_zero_values():
    exposure, chip = facts(ACS, {"BUNIT": "ELECTRONS", "CCDCHIP": 2, "MEANDARK": 1.5})
    assert (chip.gain, chip.readnoise, chip.exptime) == (1.5, 4.5, 400.0)
    assert (chip.effective_gain, chip.conversion, chip.dark, chip.shape) == (1.0, 1.0, 1.5, (12, 10))
    assert (exposure.start, exposure.end, exposure.pa_v3, exposure.detector) == (1.0, 2.0, 10.0, "WFC")
    assert exposure.parity == ((1.0, 0.0), (0.0, -1.0))


@pytest.mark.parametrize(("ccdchip", "tails"), [(1, +1), (2, -1)])
@pytest.mark.parametrize("primary", [ACS, {**WFC3, "DETECTOR": "UVIS"}])
def test_tails_follow_the_chip_number_not_the_extension(primary, ccdchip, tails):
    assert facts(primary, {"CCDCHIP": ccdchip})[1].cte_direction == tails


@pytest.mark.parametrize(("amplifier", "tails"), [("A", 1), ("B", 1), ("C", -1), ("D", -1), ("AB", 0)])
def test_tails_of_hrc_follow_the_amplifier(amplifier, tails):
    assert facts({**ACS, "DETECTOR": "HRC", "CCDAMP": amplifier})[1].cte_direction == tails


def test_sbc_has_no_gain_and_no_read_noise():
    _, chip = facts({"INSTRUME": "ACS", "DETECTOR": "SBC", "EXPTIME": 10.0})
    assert (chip.gain, chip.readnoise, chip.cte_direction) == (1.0, 0.0, 0)


def test_a_missing_mean_dark_is_unknown_and_no_error():
    assert facts(ACS)[1].dark is None


@pytest.mark.parametrize("unit", ["ELECTRONS/S", "electrons/s"])
def test_rates_are_recognised_in_any_case(unit):
    _, chip = facts(WFC3, {"BUNIT": unit})
    assert chip.rate
    assert (chip.effective_gain, chip.conversion) == (1.0, 400.0)


@pytest.mark.parametrize(
    ("primary", "science", "unit", "rate"),
    [
        (ACS, {}, "ELECTRONS", False),
        (WFC3, {}, "ELECTRONS/S", True),
        (WFPC2, {"DETECTOR": 1}, "COUNTS", False),
        (STIS, {}, "COUNTS", False),
        (NICMOS, {}, "COUNTS/S", True),
        ({**NICMOS, "UNITCORR": "OMIT"}, {}, "COUNTS", False),
    ],
)
def test_a_missing_unit_is_that_of_the_instrument(primary, science, unit, rate):
    exposure, chip = facts(primary, science)
    assert (chip.bunit, chip.rate) == (unit, rate)
    assert "BUNIT" in exposure.history[0]


@pytest.mark.parametrize(
    ("chip_number", "header_gain", "gain", "noise"),
    [(1, 7.0, 7.12, 5.24), (3, 7, 6.90, 5.22), (4, 15.0, 13.95, 8.32)],
)
def test_wfpc2_has_calibrated_values_for_each_chip(chip_number, header_gain, gain, noise):
    _, chip = facts({**WFPC2, "ATODGAIN": header_gain}, {"DETECTOR": chip_number})
    assert (chip.gain, chip.readnoise, chip.detector_chip) == (gain, noise, chip_number)
    assert (chip.effective_gain, chip.conversion, chip.cte_direction) == (gain, gain, -1)
    assert chip.dark == pytest.approx(0.55)


def test_wfpc2_honours_overrides():
    _, chip = facts(WFPC2, {"DETECTOR": 2}, gain=6.0, readnoise=3.0)
    assert (chip.gain, chip.effective_gain, chip.readnoise) == (6.0, 6.0, 3.0)


def test_wfpc2_refuses_an_unknown_gain_and_says_what_to_do():
    with pytest.raises(InputError, match=r"ATODGAIN is 9.0.*Give the parameters gain and rdnoise"):
        facts({**WFPC2, "ATODGAIN": 9.0}, {"DETECTOR": 2})


def test_stis_takes_the_time_of_the_image_and_multiplies_the_dark_rate():
    _, chip = facts(STIS, {"EXPTIME": 150.0})
    assert (chip.exptime, chip.gain, chip.readnoise, chip.conversion) == (150.0, 4.0, 7.5, 4.0)
    assert chip.dark == pytest.approx(0.009 * 150)
    assert (chip.cr_bits, chip.cte_direction) == (8192, 1)


def test_stis_spectra_are_refused():
    with pytest.raises(InputError, match=r"spectrum"):
        facts({**STIS, "OBSTYPE": "SPECTROSCOPIC"})


@pytest.mark.parametrize(("camera", "gain", "noise"), [(1, 5.4, 26.0), (2, 5.4, 26.0), (3, 6.5, 29.0)])
def test_nicmos_constants(camera, gain, noise):
    _, chip = facts({**NICMOS, "CAMERA": camera})
    assert (chip.gain, chip.readnoise, chip.effective_gain, chip.conversion) == (gain, noise, gain, gain * 50)


@pytest.mark.parametrize(
    ("quantity", "keyword"),
    [("gain", "gain_keyword"), ("readnoise", "readnoise_keyword"), ("exptime", "exptime_keyword")],
)
def test_a_value_and_a_keyword_together_are_ambiguous(quantity, keyword):
    with pytest.raises(ParameterError, match=r"ambiguous"):
        facts(ACS, **{quantity: 1.0, keyword: "ATODGNA"})


def test_overrides_by_keyword_and_by_value():
    _, chip = facts(
        {**ACS, "MYGAIN": 3.0},
        {"MYTIME": 7.0},
        gain_keyword="MYGAIN",
        exptime_keyword="MYTIME",
        readnoise=2.5,
    )
    assert (chip.gain, chip.exptime, chip.readnoise) == (3.0, 7.0, 2.5)


def test_a_missing_keyword_is_named():
    with pytest.raises(InputError, match=r"x_flt.fits.*'NOKEY'"):
        facts(ACS, gain_keyword="NOKEY")


def test_an_unknown_detector_is_refused_with_the_list():
    with pytest.raises(InputError, match=r"'XYZ'; ACS has WFC, HRC, SBC"):
        facts({**ACS, "DETECTOR": "XYZ"})


@pytest.mark.parametrize(
    ("unit", "native", "rate", "factor"),
    [
        ("e-/s", "electrons/s", True, 1.0),
        ("DN", "counts", False, 2.0),
        ("adu/s", "counts/s", True, 2.0),
        (None, "electrons", False, 1.0),
    ],
)
def test_generic_images_say_their_unit(unit, native, rate, factor):
    science = {"GAIN": 2.0, "RDNOISE": 9.0, **({"BUNIT": unit} if unit else {})}
    exposure, chip = facts({"INSTRUME": "MYCAM", "EXPTIME": 30.0}, science)
    assert (chip.native_unit, chip.rate, chip.effective_gain, chip.readnoise) == (native, rate, factor, 9.0)
    assert (exposure.family, exposure.instrument, chip.exptime) == ("generic", "MYCAM", 30.0)


@pytest.mark.parametrize(
    ("primary", "unit", "said", "rate"),
    [
        (ACS, "COUNTS", "delivers electrons", False),
        (WFPC2, "electron/s", "delivers counts", True),
        (ACS, "UNITLESS", "taken as ELECTRONS", False),
        (WFC3, "ergs/cm**2/s/A", "taken as ELECTRONS/S", True),
    ],
)
def test_a_unit_that_contradicts_the_camera_is_warned_of(primary, unit, said, rate):
    exposure, chip = facts(primary, {"BUNIT": unit, "DETECTOR": 1} if primary is WFPC2 else {"BUNIT": unit})
    assert chip.rate is rate
    assert chip.native_unit.startswith("counts" if primary is WFPC2 else "electrons")
    assert any(said in w and unit in w for w in exposure.warnings)


def test_cameras_that_count_electrons_may_hold_surface_brightness():
    exposure, chip = facts(WFC3, {"BUNIT": "MJy/sr"})
    assert (chip.native_unit, chip.bunit, chip.rate, chip.effective_gain) == (
        "brightness",
        "MJy/sr",
        True,
        1.0,
    )
    assert not exposure.warnings


@pytest.mark.parametrize("primary", [ACS, {"EXPTIME": 1.0}])
def test_an_unknown_unit_is_refused_by_file_and_extension(primary):
    with pytest.raises(InputError, match=r"x_flt.fits\[SCI,1\]: BUNIT is 'furlongs'"):
        facts(primary, {"BUNIT": "furlongs"})


def test_generic_refuses_a_unit_that_cannot_be_weighted():
    with pytest.raises(InputError, match=r"write electrons"):
        facts({"EXPTIME": 1.0}, {"BUNIT": "mag"})


def test_subarray_offsets_and_distortion_facts_are_kept():
    _, chip = facts(
        ACS,
        {"LTV1": -5.0, "LTV2": -7.0, "IDCSCALE": 0.05, "IDCV2REF": 250.0, "IDCV3REF": 300.0, "IDCTHETA": 1.0},
    )
    assert chip.ltv == (-5.0, -7.0)
    assert (chip.idc_scale, chip.v2ref, chip.v3ref, chip.theta) == (0.05, 250.0, 300.0, 1.0)


def test_flat_is_chosen_by_chip_number_and_cut_for_a_subarray(tmp_path, monkeypatch):
    rng = np.random.default_rng(3)
    images = {1: rng.random((20, 30)), 2: rng.random((20, 30))}
    hdus = fits.HDUList([fits.PrimaryHDU()])
    for ver, chip in ((1, 2), (2, 1)):
        hdus.append(fits.ImageHDU(images[chip], name="SCI", ver=ver))
        hdus[-1].header["CCDCHIP"] = chip
    hdus.writeto(tmp_path / "x_pfl.fits")
    monkeypatch.setenv("jref", str(tmp_path))
    source = FlatSource(("jref$x_pfl.fits",), chip=1, extver=1, shape=(5, 6), ltv=(-4.0, -3.0))
    flat, notes = pickle.loads(pickle.dumps(source))()  # noqa: S301  (our own record)
    assert notes == ()
    np.testing.assert_array_equal(flat, images[1][3:8, 4:10])
    inverse, _ = FlatSource(("jref$x_pfl.fits",), 1, 1, (20, 30), (0.0, 0.0), reciprocal=True)()
    assert inverse is not None
    np.testing.assert_allclose(inverse * images[1], 1.0)


@pytest.mark.parametrize("name", ["N/A", "nowhere$x.fits", "gone_pfl.fits"])
def test_a_missing_flat_is_a_note(name):
    flat, notes = FlatSource((name,), 1, 1, (5, 6), (0.0, 0.0))()
    assert flat is None
    assert "flat field" in notes[0]


def test_a_coarse_flat_is_expanded_linearly():
    rows, columns = np.mgrid[0:4, 0:5].astype(float)
    fine = expand(2 * rows + 3 * columns, 2, 4)
    y = np.arange(8)[:, None] / 2 - 0.25
    x = np.arange(20)[None] / 4 - 3 / 8
    np.testing.assert_allclose(fine, 2 * y + 3 * x, atol=1e-12)


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("/etc/x_pfl.fits", "leads to another folder"),
        ("../x_pfl.fits", "leads to another folder"),
        ("jref$../x_pfl.fits", "leads to another folder"),
        ("HOME$x_pfl.fits", "no variable of reference files"),
        ("$HOME/x_pfl.fits", "leads to another folder"),
        ("${HOME}$x_pfl.fits", "no variable of reference files"),
        ("~x_pfl.fits", "read it as something else"),
        ("uref$x_pfl.fits", "uref is not set"),
    ],
)
def test_a_header_does_not_say_which_file_is_opened(tmp_path, monkeypatch, name, why):
    monkeypatch.delenv("uref", raising=False)
    monkeypatch.setenv("jref", str(tmp_path / "references"))
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "references").mkdir()
    fits.PrimaryHDU(np.ones((4, 4))).writeto(tmp_path / "x_pfl.fits")
    flat, notes = FlatSource((name,), 1, 1, (4, 4), (0.0, 0.0))()
    assert flat is None
    assert why in notes[0]


@pytest.mark.parametrize(
    ("detector", "told"), [(None, "DETECTOR is missing"), ("x", "DETECTOR is 'x'"), (5, "DETECTOR is 5")]
)
def test_a_chip_that_wfpc2_has_not_is_told_as_it_came(detector, told):
    science = {} if detector is None else {"DETECTOR": detector}
    with pytest.raises(InputError, match=rf"ATODGAIN is 7.0 and {told}; known are"):
        facts({"INSTRUME": "WFPC2", "ATODGAIN": 7.0, "EXPTIME": 10.0}, science)


@pytest.mark.parametrize(("name", "value"), [("exptime", 1e30), ("gain", 1e9), ("readnoise", 1e9)])
def test_a_number_of_the_user_that_cannot_be_is_not_blamed_on_the_header(name, value):
    primary = {"INSTRUME": "WFPC2", "ATODGAIN": 7.0, "EXPTIME": 10.0}
    with pytest.raises(InputError, match=r"plausible are .*\. Give another "):
        facts(primary, {"DETECTOR": 1}, **{name: value})
