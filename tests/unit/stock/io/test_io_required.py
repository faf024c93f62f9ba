"""What an instrument must have is required; what is missing is said, and may be allowed."""

from __future__ import annotations

import numpy as np
import pytest
from astropy.io import fits

import drizframe
from drizframe.errors import HookError, InputError, ParameterError
from drizframe.headers import generic_exposure
from drizframe.hooks import Instrument


def without_flags(path, how):
    with fits.open(path) as hdus:
        parts = [h.copy() for h in hdus]
    place = next(i for i, h in enumerate(parts) if h.name == "DQ")
    flags = parts[place]
    if how == "cut off":
        parts = parts[:place]
    elif how == "missing":
        del parts[place]
    elif how == "table":
        parts[place] = fits.BinTableHDU(np.zeros(3, [("a", "f4")]), name="DQ", ver=1)
    elif how == "one axis":
        parts[place] = fits.ImageHDU(np.zeros(9, np.int16), name="DQ", ver=1)
    elif how == "empty":
        parts[place] = fits.ImageHDU(None, name="DQ", ver=1)
    elif how == "other EXTVER":
        flags.header["EXTVER"] = 7
    elif how == "damaged name":
        flags.header["EXTNAME"] = "D@"
    fits.HDUList(parts).writeto(path, overwrite=True)


HOW = ("cut off", "missing", "table", "one axis", "empty", "other EXTVER", "damaged name")


@pytest.mark.parametrize("how", HOW)
@pytest.mark.parametrize("camera", ["ACS", "WFC3"])
def test_a_file_of_a_camera_that_has_flags_is_refused_without_them(make_file, read, how, camera):
    path = make_file(
        primary={"INSTRUME": camera, "DETECTOR": {"ACS": "WFC", "WFC3": "UVIS"}[camera]}, chips=1
    )
    without_flags(path, how)
    with pytest.raises(InputError, match=r"jx01_flt.fits: chip 1 has no usable DQ image.*allow_missing='dq'"):
        read(path)
    (exposure,) = read(path, allow_missing=("dq",))
    assert exposure.chips[0].plane("dq") is None
    assert any("chip 1 is combined without DQ" in w for w in exposure.warnings)


@pytest.mark.parametrize("how", HOW)
def test_an_image_of_an_unknown_camera_needs_no_flags(make_file, read, how):
    path = make_file(base={"EXPTIME": 9.0, "INSTRUME": "OTHER"}, chips=1)
    without_flags(path, how)
    (exposure,) = read(path)
    assert exposure.family == "generic"
    assert exposure.chips[0].plane("dq") is None


def test_flags_on_other_pixels_are_refused(make_file, read):
    path = make_file(chips=1)
    with fits.open(path, mode="update") as hdus:
        hdus["DQ"] = fits.ImageHDU(np.zeros((11, 10), np.int16), name="DQ")
    for allowed in ((), ("dq",)):
        with pytest.raises(
            InputError, match=r"jx01_flt.fits\[3\]: the DQ image has 10 x 11 pixels.*has 10 x 12"
        ):
            read(path, allow_missing=allowed)


def test_a_chip_whose_science_image_is_gone_is_told(make_file, read):
    path = make_file()
    with fits.open(path, mode="update") as hdus:
        hdus["SCI", 2].header["EXTNAME"] = "S@I"
    (exposure,) = read(path)
    assert len(exposure.chips) == 1
    assert any("ERR or DQ images with EXTVER = 2, but no science image" in w for w in exposure.warnings)


def test_only_chips_that_are_used_need_their_flags(make_file, read):
    path = make_file()
    with fits.open(path, mode="update") as hdus:
        del hdus["DQ", 2]
    assert len(read(path, group="sci,1")[0].chips) == 1
    with pytest.raises(InputError, match="chip 2 has no usable DQ"):
        read(path)


def test_flags_of_wfpc2_in_a_second_file_count_and_their_lack_is_named(make_file, read):
    cards = {"INSTRUME": "WFPC2", "ATODGAIN": 7.0, "EXPTIME": 30.0, "DARKTIME": 30.0}
    chip = {"BUNIT": "COUNTS", "DETECTOR": 1, "IDCSCALE": None}
    first = make_file("ux01_c0m.fits", base=cards, science=chip, chips=1)
    with fits.open(first, mode="update") as hdus:
        flags = hdus["DQ"].copy()
        del hdus["DQ"]
    with pytest.raises(InputError, match=r"ux01_c0m.fits: chip 1 has no usable DQ"):
        read(first)
    fits.HDUList([fits.PrimaryHDU(), flags]).writeto(first.with_name("ux01_c1m.fits"))
    assert read(first)[0].chips[0].plane("dq") is not None


@pytest.mark.filterwarnings("ignore::drizframe.errors.DrizframeWarning")
def test_a_run_tells_what_it_was_allowed_to_miss(make_file, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    paths = [make_file(f"jx0{k}_flt.fits", chips=1) for k in (1, 2)]
    without_flags(paths[0], "missing")
    with pytest.raises(InputError, match=r"jx01_flt.fits: .*allow_missing='dq'"):
        drizframe.run(paths)
    result = drizframe.run(paths, allow_missing="dq")
    assert any("jx01_flt.fits: chip 1 is combined without DQ" in w for w in result.warnings)


@pytest.mark.parametrize("wrong", ["sci", "dq,flags", 5])
def test_what_may_be_missing_is_checked(wrong):
    with pytest.raises(ParameterError, match="allow_missing"):
        drizframe.run("x.fits", allow_missing=wrong)


def test_a_plugins_instrument_says_what_it_requires(make_file):
    from drizframe.hooks import InstrumentOptions
    from drizframe.stock.io.fits_reader import read_fits

    camera = Instrument(
        name="mine",
        summary="Mine.",
        matches=lambda header: True,
        reference=generic_exposure,
        requires=("err",),
    )
    path = make_file(chips=1)
    with fits.open(path, mode="update") as hdus:
        del hdus["ERR"]
    with pytest.raises(
        InputError, match=r"jx01_flt.fits: chip 1 has no usable ERR image.*every file of MINE has"
    ):
        read_fits(path, instruments=lambda header: camera, options=InstrumentOptions())
    with pytest.raises(HookError, match="requires"):
        Instrument(
            name="mine",
            summary="Mine.",
            matches=lambda header: True,
            reference=generic_exposure,
            requires=("sci",),
        )
