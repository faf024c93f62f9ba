"""Bad input gets a clear error and loses nothing; what can be left out is left out with a warning."""

from __future__ import annotations

import hashlib
import os
import shutil

import numpy as np
import pytest
from astropy.io import fits
from astropy.wcs import WCS

import drizframe
from drizframe import astrodrizzle
from drizframe.errors import (
    DrizframeError,
    DrizframeWarning,
    InputError,
    MissingInputError,
    NothingToCombineError,
    OutputError,
    ParameterError,
    UnreadableInputError,
    WCSError,
)
from drizframe.simulate import acs_hrc, acs_wfc, dither, random_scene, simulate, wfc3_ir, wfc3_uvis


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("made")
    scene = random_scene(5, stars=30, galaxies=1)
    simulate(acs_wfc(), scene, dither(3, exptime=300, seed=5), seed=5, cosmic_rays=20, shape=(90, 100)).write(
        folder
    )
    return folder


@pytest.fixture
def folder(made, tmp_path, monkeypatch):
    for path in made.glob("*_flt.fits"):
        shutil.copy(path, tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def digests(folder):
    return {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in sorted(folder.glob("*_flt.fits"))}


def first(folder):
    return min(folder.glob("*_flt.fits"))


def test_inputs_are_byte_identical_after_a_run(folder):
    before = digests(folder)
    drizframe.run("*_flt.fits", "out", keep="all")
    assert digests(folder) == before
    assert not (folder / "OrIg_files").exists()


def test_a_missing_file_is_named(folder):
    with pytest.raises(MissingInputError, match="nothere_flt.fits"):
        drizframe.run("nothere_flt.fits")


def test_a_truncated_file_is_named_and_nothing_is_lost(folder):
    path = first(folder)
    path.write_bytes(path.read_bytes()[:200_000])
    before = digests(folder)
    with pytest.raises(UnreadableInputError, match=path.name):
        drizframe.run("*_flt.fits", "out")
    with pytest.raises(UnreadableInputError, match=path.name):
        astrodrizzle.AstroDrizzle("*_flt.fits", output="out")
    assert digests(folder) == before
    assert not list(folder.glob("out*"))


def test_a_file_that_is_no_fits_is_named(folder):
    first(folder).write_text("this is no FITS file\n" * 200)
    with pytest.raises(UnreadableInputError, match=first(folder).name):
        drizframe.run("*_flt.fits")


def test_a_file_without_science_extension_is_refused(folder):
    fits.HDUList([fits.PrimaryHDU(), fits.ImageHDU(np.zeros((5, 5)), name="OTHER")]).writeto("no_flt.fits")
    with pytest.raises(InputError, match="no_flt.fits"):
        drizframe.run("no_flt.fits")


def test_a_file_without_wcs_is_refused(folder):
    hdu = fits.ImageHDU(np.zeros((5, 5), np.float32), name="SCI")
    hdu.header["BUNIT"] = "ELECTRONS"
    primary = fits.PrimaryHDU()
    primary.header["EXPTIME"] = 10.0
    fits.HDUList([primary, hdu]).writeto("nowcs_flt.fits")
    with pytest.raises(WCSError, match="nowcs_flt.fits"):
        drizframe.run("nowcs_flt.fits")


@pytest.mark.parametrize("inputs", ["", [], "*.nothing"])
def test_nothing_to_combine_is_an_error(folder, inputs):
    with pytest.raises((MissingInputError, NothingToCombineError, InputError)):
        drizframe.run(inputs)


def test_an_output_folder_that_does_not_exist_is_reported_before_the_work(folder):
    with pytest.raises(OutputError, match="does not exist"):
        drizframe.run("*_flt.fits", "no/such/place")


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may write anywhere")
def test_an_output_folder_that_is_read_only_is_reported(folder):
    (folder / "locked").mkdir(mode=0o500)
    with pytest.raises(OutputError, match="not writable"):
        drizframe.run("*_flt.fits", "locked/out")


def test_unknown_components_list_the_choices(folder):
    with pytest.raises(ParameterError, match="gaussian, lanczos2, lanczos3, point, square, turbo"):
        drizframe.run("*_flt.fits", final_kernel="squar")


def test_a_wrong_value_is_refused_before_anything_is_read(folder):
    with pytest.raises(ParameterError, match="final_pixfrac"):
        drizframe.run("nothere.fits", final_pixfrac="big")


def test_too_much_rejection_is_refused_up_front(folder):
    with pytest.raises(ParameterError, match="combine_nlow|nlow"):
        drizframe.run("*_flt.fits", combine_type="median", combine_nlow=2, combine_nhigh=1)


def _edit(path, change):
    with fits.open(path, mode="update") as hdus:
        change(hdus)


def test_an_exposure_without_time_is_left_out_with_a_warning(folder):
    _edit(first(folder), lambda h: h[0].header.set("EXPTIME", 0.0))
    with pytest.warns(DrizframeWarning, match="left out"):
        result = drizframe.run("*_flt.fits")
    assert len(result.exposures) == 2
    assert any(f"EXPTIME is 0.0 s in {first(folder).name}[0]" in w for w in result.warnings)


def test_an_exposure_time_that_is_missing_is_told_as_missing(folder):
    _edit(first(folder), lambda h: h[0].header.remove("EXPTIME"))
    with pytest.warns(
        DrizframeWarning,
        match=r"left out: EXPTIME is missing in jsim01aaq_flt.fits\[0\]; .* parameter exptime",
    ):
        drizframe.run("*_flt.fits")


def test_nothing_left_for_want_of_good_pixels_says_so(folder):
    for path in folder.glob("*_flt.fits"):
        _edit(path, _flag_all)
    with (
        pytest.warns(DrizframeWarning, match="left out"),
        pytest.raises(NothingToCombineError, match=r"\(every pixel of each is flagged or not finite\)"),
    ):
        drizframe.run("*_flt.fits")


def _flag_all(hdus):
    for hdu in hdus:
        if hdu.name == "DQ":
            hdu.data[:] = 4


def _nan_all(hdus):
    for hdu in hdus:
        if hdu.name == "SCI":
            hdu.data[:] = np.nan


def _no_good(hdus):
    for hdu in hdus:
        if hdu.name == "SCI":
            hdu.header["NGOODPIX"] = 0


@pytest.mark.parametrize("change", [_flag_all, _nan_all, _no_good])
def test_an_exposure_without_good_pixel_is_left_out_with_a_warning(folder, change):
    _edit(first(folder), change)
    with pytest.warns(DrizframeWarning, match="left out"):
        result = drizframe.run("*_flt.fits")
    assert len(result.exposures) == 2


def test_nothing_left_says_why(folder):
    for path in folder.glob("*_flt.fits"):
        _edit(path, lambda h: h[0].header.set("EXPTIME", -1.0))
    with pytest.warns(DrizframeWarning), pytest.raises(NothingToCombineError, match="none of the 3"):
        drizframe.run("*_flt.fits")


def test_exposures_that_do_not_overlap_warn_and_are_combined(tmp_path):
    wcs = []
    for shift in (0.0, 0.01):
        w = WCS(naxis=2)
        w.wcs.ctype = ["RA---TAN", "DEC--TAN"]
        w.wcs.crval, w.wcs.crpix, w.wcs.cdelt = [10 + shift, 0], [15.5, 15.5], [-1e-4, 1e-4]
        wcs.append(w)
    rng = np.random.default_rng(1)
    images = [rng.normal(5, 1, (30, 30)).astype(np.float32) for _ in wcs]
    exposures = [
        drizframe.Exposure.from_arrays(i, w, name=f"e{k}")
        for k, (i, w) in enumerate(zip(images, wcs, strict=True))
    ]
    with pytest.warns(DrizframeWarning, match="overlap"):
        result = drizframe.run(exposures)
    assert np.isfinite(result.sci).sum() >= 1700


@pytest.mark.parametrize("camera", [acs_wfc, acs_hrc, wfc3_uvis, wfc3_ir], ids=lambda c: c.__name__)
def test_every_camera_runs(camera, tmp_path):
    scene = random_scene(2, stars=25)
    simulate(camera(), scene, dither(2, exptime=200, seed=2), seed=2, shape=(64, 70)).write(tmp_path)
    result = drizframe.run(str(tmp_path / "*_flt.fits"))
    assert np.isfinite(result.sci[result.wht > 0]).all()
    assert result.mosaic.unit == "ELECTRONS/S"


def test_arrays_with_a_wcs_give_what_a_file_gives(folder):
    path = str(first(folder))
    with fits.open(path) as hdus:
        images = [np.array(hdus["SCI", k].data) for k in (1, 2)]
        flags = [np.array(hdus["DQ", k].data) for k in (1, 2)]
        wcs = [WCS(hdus["SCI", k].header, hdus) for k in (1, 2)]
        t = hdus[0].header["EXPTIME"]
    a = drizframe.run(path, static=False, skysub=False)
    made = drizframe.Exposure.from_arrays(
        images, wcs, name="e", exptime=t, dq=flags, unit="electrons", pixel_scale=0.05
    )
    b = drizframe.run(made, final_refimage=a.frames["final"], final_wcs=True, static=False, skysub=False)
    assert a.sci.shape == b.sci.shape
    np.testing.assert_allclose(a.sci, b.sci, rtol=1e-5)


def test_errors_of_the_library_have_one_root():
    assert issubclass(InputError, DrizframeError)
