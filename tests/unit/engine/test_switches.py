"""Parameters that contradict each other or that one of the two interfaces cannot honour: what happens is said."""

from __future__ import annotations

import gzip
import logging
import shutil
import warnings
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits

import drizframe
from drizframe import CosmicRayDetector, astrodrizzle, hookimpl
from drizframe.config import make_parameters
from drizframe.data import stis_sample
from drizframe.errors import OutputError, ParameterError
from drizframe.simulate import Sky, dither, random_scene, simulate

SHAPE = (40, 44)
OFF = {"driz_cr": False, "median": False, "blot": False, "driz_separate": False}


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("acs")
    scene = random_scene(5, size=5.0, stars=8, galaxies=0, sky=Sky(rate=0.3))
    pointings = dither(3, step=0.3, exptime=(200.0, 400.0, 300.0), sky=(0.3, 0.4, 0.2), seed=2)
    simulate("acs_wfc", scene, pointings, seed=6, shape=SHAPE, cosmic_rays=8.0).write(folder)
    return sorted(str(p) for p in folder.glob("*_flt.fits"))


@pytest.fixture
def here(files, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return [shutil.copyfile(f, tmp_path / Path(f).name).name for f in files]


def run(paths, *args, **parameters):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return drizframe.run(paths, *args, **({"num_cores": 1} | parameters))


def drop_in(names, **parameters):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return astrodrizzle.AstroDrizzle(
            names, **({"output": "ref", "num_cores": 1, "runfile": ""} | parameters)
        )


def switches(result):
    return [getattr(result.parameters, n) for n in ("driz_separate", "median", "blot", "driz_cr")]


# -- steps -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("off", ["driz_separate", "median", "blot"])
def test_a_step_that_is_switched_off_and_needed_is_refused(files, off):
    with pytest.raises(
        ParameterError, match=f"{off}=False, but driz_cr .on by default. needs it.*driz_cr=False"
    ):
        run(files, **{off: False})


def test_steps_that_contradict_each_other_are_refused(files):
    with pytest.raises(ParameterError, match="median=False, but blot=True needs it"):
        run(files, median=False, blot=True, driz_cr=False)


@pytest.mark.parametrize(
    ("off", "left"),
    [
        ("driz_separate", [False, False, False, False]),
        ("median", [True, False, False, False]),
        ("blot", [True, True, False, False]),
    ],
)
def test_what_is_switched_off_stays_off_and_what_only_served_it_goes_too(files, off, left):
    result = run(files, **{off: False}, driz_cr=False)
    assert switches(result) == left
    assert (result.median is None) is not left[1]


@pytest.mark.parametrize("off", ["driz_separate", "median", "blot"])
def test_the_drop_in_switches_needed_steps_on_as_the_reference_and_warns(here, off):
    result = drop_in(here, **{off: False})
    assert switches(result) == [True] * 4
    assert any(f"{off} is switched on because" in w for w in result.warnings)


class Alone:
    """A detector that needs no comparison."""

    @hookimpl
    def drizframe_cosmic_ray_detectors(self):
        def none(sci, blot, deriv, noise, depth, dq, options):
            return (sci > 1e5).astype(np.uint8)

        yield CosmicRayDetector(name="alone.detector", summary="Compares nothing.", reference=none)


@pytest.fixture
def alone():
    name = drizframe.register(Alone())
    yield
    drizframe.unregister(name)


def test_a_detector_that_compares_nothing_needs_no_median(files, alone):
    result = run(files, cr_detector="alone.detector", driz_separate=False)
    assert switches(result) == [False, False, False, True]
    assert result.cosmic_rays


def test_one_exposure_has_no_cosmic_rays_and_who_asked_for_them_is_told(files):
    assert not run(files[:1]).warnings
    assert any("One exposure" in w for w in run(files[:1], driz_cr=True).warnings)


def test_parameters_of_a_result_make_the_same_run(files):
    first = run(files, median=False, driz_cr=False, final_scale=0.06)
    again = run(files, **first.parameters.model_dump())
    np.testing.assert_array_equal(first.sci, again.sci)
    assert again.parameters == first.parameters


# -- cleaned exposures -------------------------------------------------------------------------------------------------


def test_cleaned_exposures_are_returned_and_written_as_the_drop_in_writes_them(here):
    result = run(here, "mine", driz_cr_corr=True)
    names = [f"{n[:9]}_crclean.fits" for n in here]
    assert [p.name for p in result.products if "crclean" in p.name] == names
    drop_in([shutil.copy(n, f"x{n}") for n in here], driz_cr_corr=True, clean=True)
    for name in names:
        with fits.open(name) as ours, fits.open(f"x{name}") as theirs:
            for k in (1, 2):
                np.testing.assert_array_equal(ours["SCI", k].data, theirs["SCI", k].data)
                np.testing.assert_array_equal(ours["DQ", k].data, theirs["DQ", k].data)
                np.testing.assert_array_equal(ours["SCI", k].data, result.cleaned[name[:9]][k - 1])


def test_cleaned_exposures_of_arrays_are_returned(files):
    exposures = [
        drizframe.Exposure.from_arrays(
            e.chips[0].data(), e.chips[0].wcs, name=e.name, exptime=e.exptime, unit="electrons", readnoise=5.0
        )
        for e in run(files, **OFF).exposures
    ]
    result = run(exposures, driz_cr_corr=True)
    assert set(result.cleaned) == {e.name for e in exposures}
    rays = result.cosmic_rays[exposures[0].name][0] == 0
    changed = result.cleaned[exposures[0].name][0] != exposures[0].chips[0].data()
    assert rays.any()
    np.testing.assert_array_equal(changed, rays)


@pytest.mark.parametrize("lacking", [OFF, {"driz_cr": False}])
def test_cleaned_exposures_without_cosmic_rays_are_refused(files, lacking):
    with pytest.raises(ParameterError, match="driz_cr_corr=True replaces cosmic rays.*driz_cr"):
        run(files, driz_cr_corr=True, **lacking)


def test_the_drop_in_says_that_there_are_no_cleaned_exposures(here):
    result = drop_in(here, driz_cr_corr=True, **OFF)
    assert any("no cleaned exposures are made" in w for w in result.warnings)
    assert not list(Path().glob("*_crclean.fits"))


# -- frames ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("switch", "name"), [("final_wcs", "final_scale"), ("driz_sep_wcs", "driz_sep_rot")])
def test_a_frame_that_is_switched_off_and_described_is_refused(files, switch, name):
    with pytest.raises(ParameterError, match=f"{switch}=False, but {name}=0.1 is given"):
        run(files, **{switch: False, name: 0.1})


def test_in_the_drop_in_the_switch_wins_as_in_the_reference_with_a_warning(here):
    plain = drop_in(here, **OFF)
    result = drop_in(here, final_wcs=False, final_scale=0.1, **OFF)
    assert result.sci.shape == plain.sci.shape
    assert any("final_wcs is off: final_scale=0.1 is not used" in w for w in result.warnings)


def test_a_keyword_switches_on_the_frame_that_a_file_has_off(here):
    Path("x.cfg").write_text("_task_name_ = astrodrizzle\n[STEP 7a]\nfinal_wcs = no\nfinal_rot = 30\n")
    assert drop_in(here, configobj="x.cfg", **OFF).parameters.final_rot is None
    used = drop_in(here, configobj="x.cfg", final_scale=0.1, **OFF).parameters
    assert (used.final_wcs, used.final_scale, used.final_rot) == (True, 0.1, 30)


# -- files ---------------------------------------------------------------------------------------------------------------


def test_all_that_run_cannot_honour_is_named_at_once(files):
    with pytest.raises(ParameterError) as caught:
        run(files, preserve=False, clean=True, restore=True)
    assert all(f"{n}=" in str(caught.value) for n in ("preserve", "clean", "restore"))


def test_run_writes_a_log_file_if_one_is_named_and_none_otherwise(here):
    run(here, "mine", **OFF)
    assert not list(Path().glob("*.log"))
    result = run(here, "mine", runfile="told", final_bits="64,64", **OFF)
    text = Path("told.log").read_text()
    assert "drizframe run started" in text
    assert "name a flag twice" in text
    assert any("name a flag twice" in w for w in result.warnings)
    with pytest.raises(OutputError, match="nowhere"):
        run(here, "mine", runfile="nowhere/told", **OFF)


def test_keep_without_names_for_files_is_for_the_result(files, tmp_path, caplog):
    with caplog.at_level("INFO", logger="drizframe"):
        result = run(files, keep="all")
    assert not any("there is no output" in w for w in result.warnings)
    assert "there is no output" in caplog.text
    assert "single.wht" in result.planes
    told = run(files, tmp_path / "m", keep="median,single.wht", **OFF).warnings
    assert sum("did not make" in w for w in told) == 2
    run(files, tmp_path / "n", keep="single.wht", driz_combine=False)
    assert len(list(tmp_path.glob("*_single_wht.fits"))) == 3
    assert not list(tmp_path.glob("*_single_sci.fits"))


# -- values ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("final_pixfrac", 7),
        ("final_pixfrac", float("nan")),
        ("driz_sep_pixfrac", 2.5),
        ("driz_sep_pixfrac", -0.1),
        ("num_cores", 0),
        ("num_cores", -2),
        ("num_cores", 1.5),
        ("max_memory", float("inf")),
        ("skylsigma", float("nan")),
        ("static_sig", float("inf")),
        ("combine_lthresh", float("nan")),
        ("final_scale", 0),
    ],
)
def test_values_beyond_all_sense_are_refused(name, value):
    with pytest.raises(ParameterError, match=f"Parameter {name} = "):
        make_parameters({name: value})


@pytest.mark.parametrize("name", ["final_fillval", "final_maskval", "driz_sep_fillval"])
def test_values_to_fill_with_may_be_anything(name):
    assert np.isnan(getattr(make_parameters({name: "nan"}), name))


def test_limits_may_be_infinite():
    assert make_parameters(skylower="-inf").skylower == -np.inf


def test_no_core_means_one_in_the_drop_in_as_in_the_reference(here):
    assert drop_in(here, num_cores=0, **OFF).parameters.num_cores == 1


# -- exposure time ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def timeless(tmp_path):
    """Counts whose headers do not say how long they were exposed."""
    path = tmp_path / "o4k19a010_flt.fits"
    path.write_bytes(gzip.decompress(stis_sample().read_bytes()))
    with fits.open(path, mode="update") as hdus:
        for hdu in hdus:
            hdu.header.remove("EXPTIME", ignore_missing=True)
            hdu.header["HOWLONG"] = 60.0
    return path


@pytest.mark.parametrize("how", [{"exptime": 60.0}, {"exptime": "60"}, {"expkeyword": "HOWLONG"}])
@pytest.mark.parametrize("method", ["localmin", "globalmin"])
def test_a_given_time_reaches_the_sky(timeless, how, method):
    result = run(timeless, skymethod=method, **how, **OFF)
    assert all(v.level > 20 for values in result.sky.values() for v in values)


def test_parameters_that_the_sky_ignores_are_told(files, tmp_path, caplog):
    with caplog.at_level(logging.WARNING, logger="drizframe"):
        run(files, skyuser="MDRIZSKY", **OFF)
        run(files, skyfile=str(tmp_path / "none.txt"), skysub=False, **OFF)
    assert "skyuser 'MDRIZSKY' is ignored" in caplog.text
    assert "is ignored because skysub is off" in caplog.text
