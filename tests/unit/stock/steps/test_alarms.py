"""Flags, skies, weights and medians that cannot be right are told, by the names of the exposures."""

from __future__ import annotations

import shutil
import threading
import warnings
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from astropy.wcs import WCS

import drizframe
from drizframe import Exposure, SkyStatistic, Weighting, astrodrizzle, hookimpl
from drizframe.errors import DrizframeWarning
from drizframe.model import SkyValue
from drizframe.simulate import Sky, dither, random_scene, simulate
from drizframe.stock.steps._offsets import brightest, common_offset, flagged_peaks
from drizframe.stock.steps._peaks import chip_positions, peaks
from drizframe.stock.steps._sky_alarm import is_beyond_noise, is_lost

SHAPE = (60, 64)


def visit(folder, camera="acs_wfc", n=3, **options):
    scene = random_scene(4, size=7.0, stars=15, galaxies=0, bright=400.0, sky=Sky(rate=0.3))
    pointings = dither(n, step=0.2, exptime=(300.0, 500.0, 400.0), sky=(0.3, 0.4, 0.2), seed=2)
    simulate(camera, scene, pointings, **({"seed": 6, "shape": SHAPE, "cosmic_rays": 5.0} | options)).write(
        folder
    )
    return sorted(folder.glob("*_flt.fits"))


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    return visit(tmp_path_factory.mktemp("acs"))


@pytest.fixture(scope="module")
def infrared(tmp_path_factory):
    return visit(tmp_path_factory.mktemp("ir"), "wfc3_ir", cosmic_rays=1.0)


def run(paths, **parameters):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return drizframe.run(
            [p if isinstance(p, Exposure) else str(p) for p in paths], num_cores=1, **parameters
        )


def told(result, *words):
    """The warnings that hold all words."""
    return [w for w in result.warnings if all(word in w for word in words)]


def copies(paths, folder):
    return [Path(shutil.copyfile(p, folder / p.name)) for p in paths]


# -- cosmic rays -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("camera", ["files", "infrared"])
def test_nothing_is_told_of_a_run_as_it_should_be(camera, request):
    assert not run(request.getfixturevalue(camera)).warnings


@pytest.mark.parametrize("camera", ["files", "infrared"])
def test_a_sky_that_was_not_added_back_is_the_likely_cause(camera, request):
    paths = request.getfixturevalue(camera)
    (text,) = told(run(paths, blot_addsky=False), "More than 5 %")
    assert all(p.name[:9] in text for p in paths)
    assert "sky is not added back" in text
    assert "blot_skyval" in text


def test_exposures_in_other_units_are_told(infrared, tmp_path):
    """Two of three are 20 times too bright: what they hold is not what their headers say."""
    paths = copies(infrared, tmp_path)
    for path in paths[:2]:
        with fits.open(path, mode="update") as hdus:
            hdus["SCI", 1].data *= 20
    (text,) = told(run(paths), "brightest stars")
    assert all(p.name[:9] in text for p in paths[:2])
    assert "units or exposure times" in text
    assert "BUNIT" in text


def test_stars_that_are_flagged_everywhere_are_told(infrared):
    result = run(infrared, driz_cr_snr="8 5", driz_cr_scale="0.02 0.01")  # bright cores alone exceed these
    (text,) = told(result, "cores of", "brightest stars")
    assert all(p.name[:9] in text for p in infrared)
    assert not told(result, "More than 5 %")


def misaligned(paths, folder, shifts):
    """Copies whose WCS is off by so many pixels, each in a direction of its own."""
    moved = copies(paths, folder)
    for k, (path, shift) in enumerate(zip(moved, shifts, strict=True)):
        with fits.open(path, mode="update") as hdus:
            for hdu in hdus:
                if hdu.name == "SCI":
                    hdu.header["CRPIX1"] += shift * np.cos(2 * k)
                    hdu.header["CRPIX2"] += shift * np.sin(2 * k)
    return moved


@pytest.fixture(scope="module")
def crowded(tmp_path_factory):
    """Stars enough for a large field."""
    folder = tmp_path_factory.mktemp("uvis")
    scene = random_scene(4, size=11.0, stars=40, galaxies=0, bright=400.0, sky=Sky(rate=0.3))
    pointings = dither(3, step=0.2, exptime=(300.0, 500.0, 400.0), sky=(0.3, 0.4, 0.2), seed=2)
    simulate("wfc3_uvis", scene, pointings, seed=6, shape=(110, 120), cosmic_rays=4.0).write(folder)
    return sorted(folder.glob("*_flt.fits"))


@pytest.mark.parametrize("shifts", [(0, 3, 6), (4, 4, 4)])
def test_exposures_that_are_not_aligned_are_told_with_their_offset(crowded, tmp_path, shifts):
    """The median holds no star then: what is flagged in one exposure lies at one offset from what is flagged in another."""
    (text,) = told(run(misaligned(crowded, tmp_path, shifts)), "not aligned")
    assert "Align the exposures first" in text
    assert sum(p.name[:9] in text for p in crowded) >= 2


def test_aligned_exposures_are_not_told(crowded, tmp_path):
    assert not run(misaligned(crowded, tmp_path, (0, 0, 0))).warnings


def test_misaligned_exposures_keep_their_flags(crowded, tmp_path, monkeypatch):
    names = [p.name for p in misaligned(crowded, tmp_path, (0, 3, 6))]
    monkeypatch.chdir(tmp_path)
    assert told(drop_in(names), "No data-quality flag")
    assert not any((dq(n) & 4096).any() for n in names)


def sources(positions, chip=0, shift=(0.0, 0.0)):
    """Rows as `common_offset` takes them: on the frame and on the chip."""
    return np.array([(x + shift[0], y + shift[1], chip, x, y) for x, y in positions], dtype=float)


def test_a_common_offset_is_found_among_others():
    rng = np.random.default_rng(1)
    stars, a, b = (rng.uniform(0, 400, (n, 2)) for n in (8, 40, 40))
    first = sources([*a, *stars])
    second = sources([*b, *(stars + np.array([90.0, 0.0]))], shift=(-90.0 + 3.2, -7.4))
    count, x, y = common_offset(first, second, 400.0**2)
    assert count >= 8
    assert (x, y) == pytest.approx((3.2, -7.4), abs=0.3)
    assert common_offset(first[:40], second[:40], 400.0**2) is None


def test_hot_pixels_are_no_stars():
    """They lie at one place of the detector, and so at one offset on the sky in dithered exposures."""
    hot = np.random.default_rng(2).uniform(0, 400, (30, 2))
    assert common_offset(sources(hot), sources(hot, shift=(5.0, 8.0)), 400.0**2) is None
    assert common_offset(sources(hot), sources(hot, chip=1, shift=(5.0, 8.0)), 400.0**2) is not None


def test_round_sources_are_told_from_hits():
    excess = np.zeros((60, 60))
    y, x = np.mgrid[:60, :60]
    excess += 500 * np.exp(-0.5 * ((x - 20) ** 2 + (y - 31) ** 2)) + 300 * np.exp(
        -0.5 * ((x - 45) ** 2 + (y - 10) ** 2)
    )
    excess[50, 5:12] = 9000  # a track
    excess[5, 5] = 9000  # one pixel
    excess[0, 30] = 9000  # on the edge
    found = brightest(np.column_stack(flagged_peaks(excess, excess > 100)), 10)
    assert [(int(a), int(b)) for a, b in zip(*found, strict=True)] == [(20, 31), (45, 10)]
    nothing = np.column_stack(flagged_peaks(excess, np.zeros_like(excess, dtype=bool)))
    assert [len(v) for v in brightest(nothing, 10)] == [0, 0]


def test_masks_that_were_turned_round_are_told(files):
    inverted = {n: [1 - m for m in masks] for n, masks in run(files).cosmic_rays.items()}
    (text,) = told(run(files, driz_cr=False, crmasks=inverted), "More than 5 %")
    assert "have 1 for cosmic rays instead of 0" in text


def test_bad_pixels_do_not_count_as_flagged(files, tmp_path):
    """A third of each image is bad, and not a number; the detector flags what is no number."""
    paths = copies(files, tmp_path)
    for path in paths:
        with fits.open(path, mode="update") as hdus:
            for hdu in hdus:
                if hdu.name == "SCI":
                    hdu.data[:20] = np.nan
    assert not told(run(paths), "More than 5 %")


@pytest.fixture
def here(infrared, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return [p.name for p in copies(infrared, tmp_path)]


def drop_in(names, **parameters):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return astrodrizzle.AstroDrizzle(
            names, **({"output": "ref", "num_cores": 1, "runfile": "log"} | parameters)
        )


def dq(name):
    return fits.getdata(name, ("DQ", 1))


@pytest.mark.parametrize(
    "cause", [{"blot_addsky": False}, {"driz_cr_snr": "8 5", "driz_cr_scale": "0.02 0.01"}]
)
def test_an_alarm_stops_the_edit_of_the_flags_in_the_inputs_unless_it_is_forced(here, cause):
    for name in here:
        with fits.open(name, mode="update") as hdus:
            hdus["DQ", 1].data[5, 5] |= 4096
    before = {n: dq(n) for n in here}
    result = drop_in(here, **cause)
    for name in here:
        np.testing.assert_array_equal(dq(name), before[name])
        assert "MDRIZSKY" in fits.getheader(name, ("SCI", 1))
    (text,) = told(result, "No data-quality flag", "force_edits=True")
    assert text in Path("log.log").read_text()
    forced = drop_in(here, force_edits=True, **cause)
    for name in here:
        np.testing.assert_array_equal((dq(name) & 4096) != 0, forced.cosmic_rays[name[:9]][0] == 0)
    assert not told(forced, "No data-quality flag")
    assert told(forced, "flagged as cosmic rays")


def test_a_good_run_edits_the_flags(here):
    result = drop_in(here)
    assert not result.warnings
    for name in here:
        np.testing.assert_array_equal((dq(name) & 4096) != 0, result.cosmic_rays[name[:9]][0] == 0)


# -- peaks -------------------------------------------------------------------------------------------------------


def test_peaks_stand_out_are_whole_and_come_brightest_first():
    rng = np.random.default_rng(1)
    image = rng.normal(10, 1, (600, 80)).astype(np.float32)
    for y, x, value in (
        (300, 40, 200),
        (255, 12, 300),
        (256, 60, 100),
        (0, 5, 900),
        (420, 33, 400),
        (500, 70, 20),
    ):
        image[y, x] = value
    image[421, 34] = np.nan
    found = peaks(lambda w: image[w.slices], image.shape)
    assert found.tolist() == [[12, 255], [40, 300], [60, 256]]


def test_an_image_without_values_has_no_peaks():
    empty = np.zeros((50, 50), dtype=np.float32)
    assert not len(peaks(lambda w: empty[w.slices], empty.shape))


@pytest.mark.parametrize("stepsize", [0, 10])
def test_positions_on_a_distorted_chip_are_found_again(files, stepsize):
    from drizframe.config import make_parameters
    from drizframe.grids.frames import build_frames
    from drizframe.grids.mapping import pixel_map

    exposures = run(files, driz_combine=False).exposures
    frame = build_frames(exposures, make_parameters())["separate"]
    pixmap = pixel_map(exposures[1].chips[1], frame, stepsize=stepsize)
    rng = np.random.default_rng(3)
    x, y = rng.integers(0, SHAPE[1], 20), rng.integers(0, SHAPE[0], 20)
    positions = np.array(
        [np.ravel(pixmap.grid(np.array([a * 1.0]), np.array([b * 1.0]))) for a, b in zip(x, y, strict=True)]
    )
    gx, gy, inside = chip_positions(pixmap, positions)
    assert inside.all()
    assert (gx.tolist(), gy.tolist()) == (x.tolist(), y.tolist())
    assert not chip_positions(pixmap, np.array([[-500.0, 7.0], [1e6, 1e6]]))[2].any()


# -- sky -----------------------------------------------------------------------------------------------------------


def test_a_sky_of_0_over_pixels_that_are_not_is_told_by_name(files):
    result = run(files, skyupper=1.0, driz_cr=False, median=False, blot=False, driz_separate=False)
    assert all(v.level == 0 for values in result.sky.values() for v in values)
    (text,) = told(result, "came out as 0")
    assert all(p.name[:9] in text for p in files)


@pytest.mark.parametrize(
    ("level", "method", "pixels", "lost"),
    [
        (0.0, "localmin", 50.0, True),
        (0.0, "none", -3.0, True),
        (0.0, "localmin", 0.0, False),
        (0.0, "match", 50.0, False),
        (49.0, "localmin", 50.0, False),
    ],
)
def test_a_sky_is_lost_if_it_is_0_and_the_pixels_are_not(level, method, pixels, lost):
    image = np.random.default_rng(2).normal(pixels, 1.0, (100, 100)).astype(np.float32)
    image[:30] = np.nan
    assert is_lost(SkyValue(subtracted=level, level=level, method=method), image, None) is lost


def test_the_sky_of_user_and_of_matched_exposures_may_be_0(files):
    off = {"driz_cr": False, "median": False, "blot": False, "driz_separate": False}
    for more in ({"skysub": False}, {"skymethod": "match"}):
        assert not told(run(files, **off, **more), "came out as 0")


# -- weights and median --------------------------------------------------------------------------------------------


def pair(**second):
    """Two exposures of noise in memory; the second with something more."""
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = "RA---TAN", "DEC--TAN"
    wcs.wcs.crpix = 15, 15
    wcs.wcs.cdelt = -1e-5, 1e-5
    wcs.pixel_shape = (30, 30)
    rng = np.random.default_rng(0)
    images = [rng.normal(5, 0.1, (30, 30)).astype(np.float32) for _ in range(3)]
    made = [
        Exposure.from_arrays(d, wcs, name=n, exptime=100.0, unit="electrons/s")
        for d, n in zip(images, "abc", strict=True)
    ]
    made[1] = Exposure.from_arrays(images[1], wcs, name="b", exptime=100.0, unit="electrons/s", **second)
    return made


def test_an_exposure_whose_pixels_are_all_flagged_for_the_median_is_told():
    dq = np.full((30, 30), 8, dtype=np.int16)
    result = run(pair(dq=dq), final_bits=8, sky_bits=8)
    (text,) = told(result, "b: all weights of its single image are 0")
    assert "driz_sep_bits" in text
    assert told(result, "median image is empty on b")
    assert not told(result, "empty on a")


def test_an_exposure_without_weight_in_the_mosaic_is_told():
    ones, zeros = np.ones((30, 30), dtype=np.float32), np.zeros((30, 30), dtype=np.float32)
    made = pair(err=zeros)
    made = [Exposure.from_arrays(e.chips[0].data(), e.chips[0].wcs, name=e.name, exptime=100.0, err=err, unit="electrons/s")
            for e, err in zip(made, (ones, zeros, ones), strict=True)]  # fmt: skip
    result = run(made, final_wht_type="ERR", static=False)
    (text,) = told(result, "all weights of the mosaic are 0")
    assert text.startswith("b:")


def test_an_empty_median_names_its_exposures():
    result = run(pair(), combine_type="median", combine_hthresh=-1e9)
    (text,) = told(result, "median image is empty")
    assert "a, b, c" in text


# -- warnings of components ----------------------------------------------------------------------------------------


class Loud:
    """Components that warn as any Python does."""

    @hookimpl
    def drizframe_sky_statistics(self):
        def level(values, options):
            warnings.warn("of the statistic", stacklevel=1)
            return float(np.median(values)), len(values)

        yield SkyStatistic(name="loud.statistic", summary="Warns.", reference=level)

    @hookimpl
    def drizframe_weightings(self):
        def weigh(chip, mask, sky, ratio, options):
            warnings.warn("of the weighting", RuntimeWarning, stacklevel=1)
            warnings.warn(
                DrizframeWarning(f"of the weighting, {threading.current_thread().name != ''}"), stacklevel=2
            )
            return mask.astype(np.float32), 1.0

        yield Weighting(name="LOUD.WEIGHT", summary="Warns.", reference=weigh)


@pytest.fixture
def loud():
    name = drizframe.register(Loud())
    yield
    drizframe.unregister(name)


@pytest.mark.parametrize("executor", ["serial", "threads"])
@pytest.mark.parametrize("action", ["ignore", "default", "always"])
def test_warnings_of_components_reach_the_result_whatever_the_filters(loud, executor, action):
    off = {"driz_cr": False, "median": False, "blot": False, "driz_separate": False}
    for _ in range(2):  # Python shows a warning once only
        with warnings.catch_warnings():
            warnings.simplefilter(action)
            warnings.simplefilter("ignore", RuntimeWarning)
            result = drizframe.run(
                pair(),
                skystat="loud.statistic",
                final_wht_type="LOUD.WEIGHT",
                executor=executor,
                num_cores=2,
                **off,
            )
        assert result.warnings.count("of the statistic") == 1
        assert result.warnings.count("of the weighting, True") == 1
        assert "of the weighting" not in result.warnings  # numerical noise stays Python's business


def test_warnings_of_a_run_reach_python_too(loud):
    off = {"driz_cr": False, "median": False, "blot": False, "driz_separate": False}
    with pytest.warns(DrizframeWarning, match="of the statistic"):
        drizframe.run(pair(), skystat="loud.statistic", **off)
    assert warnings.warn.__module__ in ("warnings", "_warnings")


def test_our_own_weights_without_error_image_are_told_in_the_result():
    off = {"driz_cr": False, "median": False, "blot": False, "driz_separate": False}
    result = run(pair(), final_wht_type="ERR", **off)
    assert any("ERR" in w for w in result.warnings)


def test_another_thread_warns_as_before(loud):
    """While a run is at work, warnings of others are shown to others."""
    from drizframe.engine.hearing import hearing, listening

    heard = []
    with (
        listening(),
        hearing(lambda text, kind: heard.append(text)),
        warnings.catch_warnings(record=True) as shown,
    ):
        warnings.simplefilter("always")
        thread = threading.Thread(target=lambda: warnings.warn("of another", stacklevel=1))
        thread.start()
        thread.join()
        warnings.warn("of the run", stacklevel=1)
    assert heard == ["of the run"]
    assert [str(w.message) for w in shown] == ["of another"]


def test_the_drop_in_returns_the_warnings_of_its_edits(here):
    import gzip

    packed = Path(here[0] + ".gz")
    packed.write_bytes(gzip.compress(Path(here[0]).read_bytes()))
    result = drop_in([packed.name, *here[1:]])
    assert told(result, "is compressed")


@pytest.mark.parametrize(("level", "beyond"), [(100.0, False), (3000.0, False), (1e5, True), (-1e5, False)])
@pytest.mark.parametrize("electrons", [1.0, 500.0])
def test_a_recorded_sky_is_beyond_the_noise_if_photons_would_scatter_far_more(level, electrons, beyond):
    image = np.random.default_rng(3).normal(0.0, 10.0, (64, 64)) / electrons
    assert is_beyond_noise(level / electrons, image, electrons) is beyond


def test_a_recorded_sky_that_the_pixels_cannot_have_is_told_by_file_and_keyword(files, tmp_path):
    paths = copies(files, tmp_path)
    with fits.open(paths[1], mode="update") as hdus:
        hdus["SCI", 1].header["MDRIZSKY"], hdus["SCI", 2].header["MDRIZSKY"] = 1e5, 100.0
    (text,) = told(run(paths, skysub=False), "the sky by MDRIZSKY")
    assert f"{paths[1]}[SCI,1]" in text
