"""The static-mask and sky steps, on small runs."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from astropy.wcs import WCS

from drizframe.config import Parameters
from drizframe.errors import (
    InputError,
    MissingInputError,
    PluginError,
    RunError,
    ShapeError,
    UnreadableInputError,
)
from drizframe.hooks import PluginManager, Registry, SkyMethod, StatisticOptions
from drizframe.model import ChipUnit, Exposure, PlaneKey, SkyValue
from drizframe.stock.products.static_names import static_mask_name, static_mask_names
from drizframe.stock.sky import mean, median, mode
from drizframe.stock.steps._sky_units import brightness_conversion, is_rate, pixel_scale
from drizframe.stock.steps.sky import SKY, sky_mask
from drizframe.stock.steps.static_mask import STATIC_MASK
from drizframe.testing import FakeJob

STATISTICS = {r.name: r for r in (median.MEDIAN, mode.MODE, mean.MEAN)}
SHAPE = (40, 50)


def make_wcs(dx=0.0):
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = ["RA---TAN", "DEC--TAN"]
    wcs.wcs.crval, wcs.wcs.crpix = [150.0, 2.0], [25.0 + dx, 20.0]
    wcs.wcs.cd = np.diag([-0.05, 0.05]) / 3600
    wcs.wcs.set()
    return wcs


def noise(level, seed=0, shape=SHAPE):
    return np.random.default_rng(seed).normal(level, 3, shape).astype(np.float32)


def exposure(levels, name="one", seed=0, dq=None, path=None, header=None, instrument="GENERIC", **options):
    images = [noise(level, 10 * seed + k) for k, level in enumerate(levels)]
    made = Exposure.from_arrays(
        images,
        [make_wcs(3.0 * seed) for _ in levels],
        name=name,
        unit="electrons",
        exptime=100.0,
        dq=dq,
        **options,
    )
    for chip in made.chips:
        chip.header.update(header or {})
    return dataclasses.replace(made, path=path, instrument=instrument)


def statistic_options(job):
    p = job.parameters
    return StatisticOptions(nclip=p.skyclip, lsigma=p.skylsigma, usigma=p.skyusigma, binwidth=p.skywidth)


def job_on(exposures, planes=None, **parameters):
    return FakeJob(SKY, planes, exposures=exposures, **parameters)


def sky_of(job):
    planes = job.run()
    return {k.unit: v for k, v in planes.items() if k.name == "sky"}


# -- static mask -------------------------------------------------------------------------------------------


def with_defect(where, *, name="one", **changes):
    image = noise(100, 5)
    image[where] = -500
    made = Exposure.from_arrays(image, make_wcs(), name=name)
    chip = dataclasses.replace(made.chips[0], **changes)
    return dataclasses.replace(made, chips=(chip,))


def static(exposures, **parameters):
    job = FakeJob(STATIC_MASK, exposures=exposures, **parameters)
    return job.run(), job


def test_the_static_mask_unites_the_low_pixels_of_one_signature():
    planes, _ = static([with_defect((3, 4)), with_defect((7, 8), name="two")])
    first, second = (
        planes[PlaneKey("mask.static", ChipUnit(0, 0))],
        planes[PlaneKey("mask.static", ChipUnit(1, 0))],
    )
    assert first is second
    assert first.dtype == np.uint8
    assert sorted(zip(*np.nonzero(first == 0), strict=True)) == [(3, 4), (7, 8)]


@pytest.mark.parametrize("change", [{"ltv": (-10.0, 0.0)}, {"extver": 2}])
def test_other_subarrays_and_chips_have_masks_of_their_own(change):
    planes, _ = static([with_defect((3, 4)), with_defect((7, 8), name="two", **change)])
    assert [int((m == 0).sum()) for m in planes.values()] == [1, 1]


def test_other_detectors_have_masks_of_their_own():
    hrc = dataclasses.replace(with_defect((3, 4)), instrument="ACS", detector="HRC")
    sbc = dataclasses.replace(with_defect((7, 8), name="two"), instrument="ACS", detector="SBC")
    planes, _ = static([hrc, sbc])
    assert [int((m == 0).sum()) for m in planes.values()] == [1, 1]
    names = static_mask_names("ref", [hrc, sbc])
    assert list(names.values()) == ["_40x50_1_staticMask.fits", "_40x50_1_acssbc_staticMask.fits"]


def test_static_sig_sets_the_depth():
    shallow, _ = static([with_defect((3, 4))], static_sig=2.0)
    deep, _ = static([with_defect((3, 4))], static_sig=1000.0)
    assert (next(iter(shallow.values())) == 0).sum() > 10
    assert next(iter(deep.values())).all()


def test_nan_is_harmless_for_the_static_mask_and_stays_good():
    image = noise(100, 5)
    image[3, 4], image[0, 0], image[9, 9] = -500, np.nan, np.nan
    planes, job = static([Exposure.from_arrays(image, make_wcs())])
    assert np.argwhere(next(iter(planes.values())) == 0).tolist() == [[3, 4]]
    assert not job.notes


@pytest.mark.parametrize("value", [5.0, np.nan])
def test_a_constant_or_empty_image_adds_nothing_and_is_told(value):
    planes, job = static([Exposure.from_arrays(np.full(SHAPE, value, np.float32), make_wcs(), name="flat")])
    assert next(iter(planes.values())).all()
    assert "flat" in job.warnings[0]


def test_static_masks_of_both_backends_are_equal():
    exposures = [with_defect((3, 4))]
    masks = [next(iter(static(exposures, backend=b)[0].values())) for b in ("auto", "reference")]
    np.testing.assert_array_equal(*masks)


def switched_on(parameters, exposures):
    assert STATIC_MASK.enabled is not None
    return STATIC_MASK.enabled(parameters, exposures)


def test_no_static_mask_without_the_parameter():
    assert switched_on(Parameters(static=True), [])
    assert not switched_on(Parameters(static=False), [])


@pytest.mark.parametrize(
    ("root", "expected"),
    [
        ("ref", "_40x50_1_"),
        ("MY_Field_F606W", "my_field_40x50_1_"),
        (None, "jabc_40x50_1_"),
        ("a_b/out", "_40x50_1_"),
    ],
)
def test_names_of_static_masks_are_those_that_users_know(root, expected):
    made = dataclasses.replace(with_defect((3, 4)), path=Path("jabc_flt.fits"))
    assert static_mask_name(root, made, made.chips[0]) == f"{expected}staticMask.fits"


def test_names_follow_the_detector_where_extver_counts_image_sets():
    made = dataclasses.replace(
        with_defect((3, 4), extver=2, detector_chip=1), instrument="STIS", numbered_by_detector=True
    )
    assert static_mask_name("ref", made, made.chips[0]) == "_40x50_1_staticMask.fits"
    near = dataclasses.replace(made, chips=(dataclasses.replace(made.chips[0], ltv=(-16.0, 0.0)),))
    assert list(static_mask_names("ref", [made, near]).values())[1] == "_40x50_1_stis_m16_0_staticMask.fits"


# -- computed sky ------------------------------------------------------------------------------------------


def test_the_sky_of_an_exposure_is_that_of_its_darkest_chip():
    job = job_on([exposure([50, 40]), exposure([70, 80], "two", 1)])
    found = sky_of(job)
    assert found[ChipUnit(0, 0)].subtracted == pytest.approx(40, abs=0.5)
    assert found[ChipUnit(0, 0)] == found[ChipUnit(0, 1)]
    assert found[ChipUnit(1, 1)].subtracted == pytest.approx(70, abs=0.5)
    assert not job.warnings


@pytest.mark.parametrize("statistic", ["median", "mode", "mean"])
def test_the_statistic_and_its_options_are_used(statistic):
    job = job_on([exposure([50])], skystat=statistic)
    reference = STATISTICS[statistic].reference
    assert reference is not None
    expected = reference(noise(50), statistic_options(job))
    assert sky_of(job)[ChipUnit(0, 0)].subtracted == pytest.approx(float(expected[0]), rel=1e-6)
    narrow = job_on([exposure([50])], skystat=statistic, skylower=52.0, skyupper=60.0)
    assert 52 <= sky_of(narrow)[ChipUnit(0, 0)].subtracted <= 60
    assert sky_of(job_on([exposure([50])], skystat="mode", skywidth=2.0)) != sky_of(
        job_on([exposure([50])], skystat="mode")
    )


def test_flagged_and_static_pixels_are_left_out():
    dq = np.zeros(SHAPE, np.int16)
    dq[:, :25] = 16
    image = noise(30)
    image[:, :25] += 100
    static_mask = np.ones(SHAPE, np.uint8)
    static_mask[:20] = 0
    image[:20] += 50
    made = Exposure.from_arrays(image, make_wcs(), dq=dq, unit="electrons", exptime=10.0)
    planes = {PlaneKey("mask.static", ChipUnit(0, 0)): static_mask}

    def level(**parameters):
        return sky_of(job_on([made], planes=planes, **parameters))[ChipUnit(0, 0)].level

    assert level() == pytest.approx(30, abs=0.5)
    assert level(sky_bits=16) > 60
    assert level(sky_bits=None) > 60
    assert level(use_static=False) > 40


def test_nan_pixels_are_harmless():
    image = noise(30)
    image[::7] = np.nan
    made = Exposure.from_arrays(image, make_wcs(), unit="electrons")
    assert sky_of(job_on([made]))[ChipUnit(0, 0)].level == pytest.approx(30, abs=0.5)


@pytest.mark.parametrize("method", ["localmin", "globalmin", "match", "globalmin+match"])
@pytest.mark.parametrize("backend", ["auto", "reference"])
def test_every_method_runs_from_pixels_to_values(method, backend):
    job = job_on(
        [exposure([50]), exposure([60], "two", 1), exposure([55], "three", 2)],
        skymethod=method,
        backend=backend,
    )
    found = sky_of(job)
    levels = [found[ChipUnit(i, 0)].level for i in range(3)]
    expected = {
        "localmin": [50, 60, 55], "globalmin": [50] * 3, "match": [0, 10, 5], "globalmin+match": [50, 60, 55],
    }  # fmt: skip
    assert levels == pytest.approx(expected[method], abs=0.6)
    assert {v.method for v in found.values()} == {method}


@pytest.mark.parametrize(("method", "used"), [("match", "localmin"), ("globalmin+match", "globalmin")])
def test_one_exposure_cannot_be_matched_and_the_fallback_is_told(method, used):
    job = job_on([exposure([50])], skymethod=method)
    (value,) = sky_of(job).values()
    assert (value.method, value.level) == (used, pytest.approx(50, abs=0.5))
    assert method in job.warnings[0]
    assert used in job.warnings[0]


def test_a_method_without_enough_exposures_and_fallback_is_an_error():
    lonely = SkyMethod(name="lonely", summary="Needs company.", reference=lambda *a, **k: {}, minimum=3)
    with pytest.raises(RunError, match="lonely"):
        job_on([exposure([5])], skymethod=lonely).run()


@pytest.mark.parametrize(
    "answer", [{}, {ChipUnit(0, 0): 5.0}, {ChipUnit(0, 0): SkyValue(np.nan, np.nan)}, None]
)
def test_a_method_that_answers_nonsense_is_named(answer):
    record = SkyMethod(name="odd", summary="Nonsense.", reference=lambda *a, **k: answer)
    with pytest.raises(PluginError, match="odd"):
        job_on([exposure([5])], skymethod=record).run()


@pytest.mark.parametrize("cause", [{"skylower": 1e6}, {"dq": True}])
def test_no_usable_pixels_means_0_and_a_warning(cause):
    dq = np.ones(SHAPE, np.int16) if cause.pop("dq", False) else None
    job = job_on([exposure([50], dq=dq)], **cause)
    (value,) = sky_of(job).values()
    assert (value.subtracted, value.method) == (0.0, "none")
    assert any("one" in text for text in job.warnings)


def test_errors_of_a_method_are_not_hidden_behind_a_fallback():
    def broken(*args, **kwargs):
        raise OSError("disk")

    record = SkyMethod(name="broken", summary="Fails.", reference=broken, minimum=1, fallback="localmin")
    with pytest.raises(PluginError, match="'broken'.*OSError: disk"):
        job_on([exposure([5])], skymethod=record).run()


# -- units -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("unit", "rate"),
    [
        ("ELECTRONS", False),
        (" counts ", False),
        ("DN", False),
        ("ELECTRONS/S", True),
        ("DN/SEC", True),
        ("counts/second", True),
    ],
)
def test_known_units_need_no_guess(unit, rate):
    made = exposure([5], header={"BUNIT": unit})
    assert is_rate(made, made.chips[0]) == (rate, "")


@pytest.mark.parametrize("rate", [False, True])
def test_unknown_units_are_taken_as_the_drizzle_steps_take_them(rate):
    made = exposure([5], header={"BUNIT": "furlongs"})
    found, doubt = is_rate(made, dataclasses.replace(made.chips[0], rate=rate))
    assert found is rate
    assert "furlongs" in doubt


@pytest.mark.parametrize(
    ("instrument", "detector", "header", "rate"),
    [
        ("ACS", "WFC", {}, False), ("WFPC2", "", {}, False), ("STIS", "CCD", {}, False),
        ("COS", "", {}, True), ("FOC", "", {}, True), ("WFC3", "UVIS", {}, False), ("WFC3", "IR", {}, True),
        ("NICMOS", "", {"UNITCORR": "OMIT"}, False), ("NICMOS", "", {"UNITCORR": "PERFORM"}, True),
    ],
)  # fmt: skip
def test_missing_units_are_guessed_by_instrument(instrument, detector, header, rate):
    primary = fits.Header({"INSTRUME": instrument, "DETECTOR": detector})
    records = [e.record for e in Registry(PluginManager(installed=False)).asked("instrument")]
    record = next(r for r in sorted(records, key=lambda r: r.fallback) if r.matches(primary))
    plain = dataclasses.replace(exposure([5], header=header), primary=primary)
    del plain.chips[0].header["BUNIT"]
    made = dataclasses.replace(record, reference=lambda primary, science, **where: plain).read(
        primary, {}, name="", path=None, source=None, options=None, wcs=None
    )
    found, doubt = is_rate(made, made.chips[0])
    assert found is rate
    assert "BUNIT" in doubt


def test_the_pixel_scale_comes_from_the_first_source_that_has_one():
    made = exposure([5])
    chip = made.chips[0]
    assert pixel_scale(made, chip) == pytest.approx(0.05, rel=1e-12)
    made.primary["IDCSCALE"] = 0.1
    assert pixel_scale(made, chip) == 0.1
    chip.header["IDCSCALE"] = 0.2
    assert pixel_scale(made, chip) == 0.2
    chip.header["PAMSCALE"] = 0.3
    assert pixel_scale(made, chip) == 0.3
    assert pixel_scale(made, dataclasses.replace(chip, idc_scale=0.4)) == 0.4


def test_counts_are_divided_by_the_time_of_the_header_not_by_an_override():
    made = exposure([5], header={"IDCSCALE": 0.5})
    made = dataclasses.replace(made, exptime=7.0)
    assert brightness_conversion(made, made.chips[0])[0] == pytest.approx(4.0 / 100.0)
    made.chips[0].header["BUNIT"] = "ELECTRONS/S"
    assert brightness_conversion(made, made.chips[0])[0] == 4.0


def test_counts_without_exposure_time_are_an_error():
    made = exposure([5])
    made.primary["EXPTIME"] = 0.0
    with pytest.raises(InputError, match="EXPTIME"):
        brightness_conversion(made, made.chips[0])


# -- the user's values -------------------------------------------------------------------------------------


@pytest.fixture
def in_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def two_chips(path, name="jone", **header):
    return exposure([50, 60], name, path=path, header=header)


@pytest.mark.parametrize(
    "listed", ["data/jone_flt.fits", "jone_flt.fits", "./jone_flt.fits", "jone_flc.fits", "jone"]
)
def test_a_skyfile_names_images_by_path_base_name_or_root(in_folder, listed):
    (in_folder / "sky.txt").write_text(f"# comment\n\n{listed}  3.5\n")
    found = sky_of(job_on([two_chips(in_folder / "data" / "jone_flt.fits")], skyfile="sky.txt"))
    assert {(v.subtracted, v.level, v.method) for v in found.values()} == {(3.5, 3.5, "skyfile")}


def test_the_closest_name_of_a_skyfile_counts(in_folder):
    (in_folder / "sky.txt").write_text("jone_flc.fits 1\njone_flt.fits 2\n")
    assert (
        sky_of(job_on([two_chips(in_folder / "jone_flt.fits")], skyfile="sky.txt"))[ChipUnit(0, 0)].level == 2
    )


def test_values_of_a_skyfile_belong_to_extver_whatever_the_group(in_folder):
    (in_folder / "sky.txt").write_text("jone_flt.fits 3.5 4.5\n")
    whole = two_chips(in_folder / "jone_flt.fits")
    found = sky_of(job_on([whole], skyfile="sky.txt"))
    assert [found[ChipUnit(0, k)].level for k in (0, 1)] == [3.5, 4.5]
    second = whole.with_chips(whole.chips[1:])
    assert sky_of(job_on([second], skyfile="sky.txt"))[ChipUnit(0, 0)].level == 4.5


def test_too_few_values_are_an_error(in_folder):
    (in_folder / "sky.txt").write_text("jone_flt.fits 3.5 4.5\n")
    made = two_chips(in_folder / "jone_flt.fits")
    third = made.with_chips([dataclasses.replace(made.chips[0], extver=3)])
    with pytest.raises(InputError, match="chip 3"):
        job_on([third], skyfile="sky.txt").run()


@pytest.mark.parametrize(
    ("comment", "applied"),
    [
        ("# applied = yes", True),
        ("#applied: T", True),
        ("# applied=no", False),
        ("#applied", False),
        ("# hello", False),
    ],
)
def test_a_skyfile_may_say_that_the_sky_is_gone_already(in_folder, comment, applied):
    (in_folder / "sky.txt").write_text(f"{comment}\njone_flt.fits 3.5\n")
    found = sky_of(job_on([two_chips(in_folder / "jone_flt.fits")], skyfile="sky.txt"))[ChipUnit(0, 0)]
    assert (found.subtracted, found.level) == (None if applied else 3.5, 3.5)


def test_an_image_that_a_skyfile_does_not_list_keeps_what_its_header_says(in_folder):
    (in_folder / "sky.txt").write_text("other_flt.fits 3.5\n")
    job = job_on([two_chips(in_folder / "jone_flt.fits", MDRIZSKY=9.0)], skyfile="sky.txt")
    assert sky_of(job)[ChipUnit(0, 0)] == SkyValue(subtracted=9.0, level=9.0, method="header")
    assert "jone" in job.warnings[0]


@pytest.mark.parametrize("line", ["jone_flt.fits", "jone_flt.fits abc", "jone_flt.fits nan"])
def test_a_skyfile_with_a_bad_line_is_an_error_with_its_number(in_folder, line):
    (in_folder / "sky.txt").write_text(f"# x\n{line}\n")
    with pytest.raises(InputError, match="line 2"):
        job_on([two_chips(in_folder / "jone_flt.fits")], skyfile="sky.txt").run()


def test_files_that_are_not_there_or_not_text_are_errors(in_folder):
    made = two_chips(in_folder / "jone_flt.fits")
    for parameters in (
        {"skyfile": "no.txt"},
        {"skysub": False, "skyuser": "@no.txt"},
        {"skymask_cat": "no.txt"},
    ):
        with pytest.raises(MissingInputError, match=r"no\.txt"):
            job_on([made], **parameters).run()
    (in_folder / "binary").write_bytes(b"\xff\xfe\x00\x80")
    with pytest.raises(UnreadableInputError, match="binary"):
        job_on([made], skyfile="binary").run()


def test_values_of_skyuser_are_a_level_only(in_folder):
    (in_folder / "sky.txt").write_text("jone_flt.fits 3.5\n")
    made = two_chips(in_folder / "jone_flt.fits", MDRIZSKY=9.0, MYSKY=4.0)
    for parameters, level in (("@sky.txt", 3.5), ("MYSKY", 4.0), ("MDRIZSKY", 9.0)):
        found = sky_of(job_on([made], skysub=False, skyuser=parameters))[ChipUnit(0, 0)]
        assert (found.subtracted, found.level, found.method) == (None, level, "skyuser")


def test_a_keyword_that_is_missing_or_no_number_is_an_error():
    for header in ({}, {"MYSKY": "dark"}):
        with pytest.raises(InputError, match="MYSKY"):
            job_on([exposure([5], header=header)], skysub=False, skyuser="MYSKY").run()


def test_without_subtraction_an_old_sky_is_a_level_only_and_is_told():
    job = job_on([exposure([5], header={"MDRIZSKY": 9.0}), exposure([5], "two", 1)], skysub=False)
    found = sky_of(job)
    assert found[ChipUnit(0, 0)] == SkyValue(subtracted=None, level=9.0, method="header")
    assert found[ChipUnit(1, 0)] == SkyValue(subtracted=None, level=0.0, method="none")
    assert any("MDRIZSKY = 9" in text for text in job.notes)


def test_what_is_ignored_is_told():
    job = job_on([exposure([5])], skyuser="MYSKY")
    job.run()
    assert any("skyuser" in text for text in job.notes)
    job = job_on([exposure([5])], skysub=False, skyfile="x.txt")
    job.run()
    assert any("skyfile" in text for text in job.notes)


# -- the user's masks --------------------------------------------------------------------------------------


@pytest.fixture
def masked(in_folder):
    """An image file of two chips, with mask files; the masks use the left half only."""
    hdus = [fits.PrimaryHDU()]
    hdus += [fits.ImageHDU(np.zeros(SHAPE, np.float32), name="SCI", ver=v) for v in (1, 2)]
    fits.HDUList(hdus).writeto(in_folder / "jone_flt.fits")
    half = np.zeros(SHAPE, np.uint8)
    half[:, :25] = 7
    fits.PrimaryHDU(half).writeto(in_folder / "half.fits")
    fits.PrimaryHDU(half).writeto(in_folder / "a,b[1].fits")
    left, right = half, 1 - np.minimum(half, 1)
    extensions = [fits.ImageHDU(left, name="MASK", ver=1), fits.ImageHDU(right, name="MASK", ver=2)]
    fits.HDUList([fits.PrimaryHDU(), *extensions]).writeto(in_folder / "multi.fits")
    fits.PrimaryHDU(np.ones((3, 3), np.uint8)).writeto(in_folder / "small.fits")
    return two_chips(in_folder / "jone_flt.fits")


def masks_of(made, line, **parameters):
    Path("masks.cat").write_text(f"# catalogue\n\n{line}\n", encoding="utf-8")
    job = job_on([made], skymask_cat="masks.cat", **parameters)
    planes = job.run()
    used = {}
    for key, mask in planes.items():
        if key.name == "mask.user":
            assert mask.dtype == np.uint8
            used[key.unit.chip] = (
                "left"
                if mask[0, 0] and not mask[0, -1]
                else "right"
                if mask[0, -1] and not mask[0, 0]
                else "?"
            )
    return used, job


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("jone_flt.fits, half.fits", {0: "left"}),
        ("jone_flt.fits, half.fits, multi.fits[2]", {0: "left", 1: "right"}),
        ("jone_flt.fits, , half.fits", {1: "left"}),
        ("jone_flt.fits, None, half.fits", {1: "left"}),
        ("jone_flt.fits, half.fits, None", {0: "left"}),
        ("jone_flt.fits, half.fits,", {0: "left"}),
        ("'jone_flt.fits', \"a,b[1].fits\"[0]", {0: "left"}),
        ("jone_flt.fits, multi.fits['mask',2]", {0: "right"}),
        ("jone_flt.fits, multi.fits[mask]", {0: "left"}),
        ("jone_flt.fits, multi.fits{('mask',2), 1}", {0: "right", 1: "left"}),
        ("jone_flt.fits, multi.fits{('mask',*)}", {0: "left", 1: "right"}),
        ("jone_flt.fits['sci',2], half.fits", {1: "left"}),
        ("jone_flt.fits[2], half.fits", {1: "left"}),
        ("jone_flt.fits{2,1}, half.fits, multi.fits[2]", {1: "left", 0: "right"}),
        ("other_flt.fits, half.fits", {}),
    ],
)
def test_catalogue_lines_give_masks_to_chips(masked, line, expected):
    used, job = masks_of(masked, line)
    assert used == expected
    assert bool(job.warnings) == (not expected)


def test_masks_that_belong_to_chips_out_of_the_group_are_not_used(masked):
    second = masked.with_chips(masked.chips[1:])
    assert masks_of(second, "jone_flt.fits{1,2}, multi.fits[2], half.fits")[0] == {0: "left"}


def test_user_masks_select_the_pixels_of_the_sky(masked):
    made = dataclasses.replace(masked, chips=masked.chips[:1])
    plain = sky_of(job_on([made]))[ChipUnit(0, 0)].level
    masks_of(made, "jone_flt.fits, half.fits")
    level = sky_of(job_on([made], skymask_cat="masks.cat", sky_bits=None))[ChipUnit(0, 0)].level
    assert level != plain
    assert level == pytest.approx(
        float(median.median(noise(50)[:, :25].ravel(), statistic_options(job_on([made])))[0])
    )


@pytest.mark.parametrize(
    "line",
    [
        "jone_flt.fits[1, half.fits",
        "jone_flt.fits, half.fits]",
        "jone_flt.fits, 'half.fits",
        ", half.fits",
        "jone_flt.fits, half.fits[(]",
    ],
)
def test_a_line_that_cannot_be_read_is_told_and_left_out(masked, line):
    used, job = masks_of(masked, line)
    assert used == {}
    assert "line 3" in job.warnings[0]


@pytest.mark.parametrize(
    ("line", "error", "text"),
    [
        ("jone_flt.fits, no.fits", MissingInputError, "no.fits"),
        ("jone_flt.fits, masks.cat", UnreadableInputError, "FITS"),
        ("jone_flt.fits, small.fits", ShapeError, r"\(3, 3\)"),
        ("jone_flt.fits, multi.fits", InputError, "no image"),
        ("jone_flt.fits, multi.fits[9]", InputError, "9"),
        ("jone_flt.fits['dq',1], half.fits, half.fits[3]", InputError, "DQ"),
    ],
)
def test_masks_that_cannot_be_used_are_errors(masked, line, error, text):
    with pytest.raises(error, match=text):
        masks_of(masked, line)


def test_superfluous_masks_are_told(masked):
    _, job = masks_of(masked, "jone_flt.fits, half.fits, half.fits, half.fits")
    assert "3 masks for 2 chips" in job.warnings[0]


def test_sky_masks_combine_what_is_there():
    dq = np.array([[0, 16, 0, 4]])
    static_mask, user = np.array([[1, 1, 0, 1]], np.uint8), np.array([[0, 1, 1, 1]], np.uint8)
    assert sky_mask(None, None, None, 0) is None
    assert sky_mask(dq, None, None, None) is None
    np.testing.assert_array_equal(sky_mask(dq, static_mask, user, 16), [[False, True, False, False]])
    np.testing.assert_array_equal(sky_mask(None, None, user, 0), [[False, True, True, True]])


def test_the_steps_are_offered_through_their_hooks():
    from drizframe.stock.steps import sky, static_mask

    assert sky.drizframe_step_sky() is SKY
    assert static_mask.drizframe_step_static_mask() is STATIC_MASK
    assert SKY.produces == ("sky", "mask.user", "mask.sky")
