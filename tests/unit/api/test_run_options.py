"""Options of masks, sky, combination, weights, cosmic rays and units, from files to products."""

from __future__ import annotations

import logging
import shutil
import warnings
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from least import least_memory
from shipped import by_name

import drizframe
from drizframe import astrodrizzle
from drizframe.data import stis_sample
from drizframe.errors import ParameterError
from drizframe.hooks import CosmicRayDetector, hookimpl
from drizframe.simulate import Sky, dither, random_scene, simulate

SHAPE = (60, 64)
TIMES = (200.0, 400.0, 300.0)


def visit(folder, camera="acs_wfc", n=3, **options):
    """Small exposures of different length."""
    scene = random_scene(5, size=6.0, stars=12, galaxies=1, sky=Sky(rate=0.3))
    pointings = dither(n, step=0.2, exptime=TIMES, sky=(0.3, 0.4, 0.2), seed=2)
    settings = {"seed": 6, "shape": SHAPE, "cosmic_rays": 40.0} | options
    simulate(camera, scene, pointings, **settings).write(folder, ivm=True, masks=True)
    return sorted(str(p) for p in folder.glob("*_flt.fits"))


@pytest.fixture(scope="module")
def acs(tmp_path_factory):
    return visit(tmp_path_factory.mktemp("acs"))


@pytest.fixture(scope="module")
def ir(tmp_path_factory):
    return visit(tmp_path_factory.mktemp("ir"), "wfc3_ir")


def run(files, output=None, **parameters):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return drizframe.run(files, output, num_cores=1, **parameters)


ONLY_FINAL = {"driz_separate": False, "median": False, "blot": False, "driz_cr": False, "static": False}


def only_final(files, **parameters):
    """Combine without the steps that look for cosmic rays."""
    return run(files, **(ONLY_FINAL | parameters))


@pytest.fixture(scope="module")
def plain(acs):
    return run(acs)


@pytest.fixture(scope="module")
def flat_weight(acs):
    return only_final(acs)


def flagged(result):
    return {name: [m == 0 for m in masks] for name, masks in result.cosmic_rays.items()}


def pairs(a, b):
    """Cosmic-ray masks of two runs, chip by chip."""
    first, second = flagged(a), flagged(b)
    return [(x, y) for name in first for x, y in zip(first[name], second[name], strict=True)]


@pytest.mark.parametrize(("tight", "told"), [(True, True), (False, False)])
def test_the_log_tells_what_went_to_scratch_files(acs, tmp_path, tight, told, caplog):
    more = {"tile_size": 16}
    limit = least_memory(acs[:1], **{**ONLY_FINAL, **more}) if tight else "1GB"
    with caplog.at_level(logging.INFO, logger="drizframe"):
        only_final(acs[:1], workdir=tmp_path, max_memory=limit, **more)
    assert ("of planes went to scratch files" in caplog.text) is told


# -- sky -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["localmin", "globalmin", "match", "globalmin+match"])
def test_header_and_log_tell_the_sky_method(acs, tmp_path, method, caplog):
    with caplog.at_level(logging.INFO, logger="drizframe"):
        result = only_final(acs, output=tmp_path / "m", skymethod=method)
    header = fits.getheader(tmp_path / "m_drz_sci.fits")
    assert [header[f"D{k:03d}SKYM"] for k in range(1, 7)] == [method] * 6
    assert {v.method for values in result.sky.values() for v in values} == {method}
    assert caplog.text.count(f"({method})") == 6


def test_one_exposure_cannot_be_matched_and_header_and_warnings_say_what_was_done(acs, tmp_path):
    result = only_final(acs[:1], output=tmp_path / "m", skymethod="match")
    assert fits.getheader(tmp_path / "m_drz_sci.fits")["D001SKYM"] == "localmin"
    assert any("'localmin' is used" in text for text in result.warnings)


def test_groups_of_exposures_without_common_pixels_are_told(tmp_path):
    scene, files = random_scene(5, stars=5, galaxies=0), []
    for k, dec in enumerate((2.2, 2.205)):
        made = simulate("generic", scene, dither(2, dec=dec, step=0.3, seed=1), seed=k, shape=(40, 40))
        paths = made.write(tmp_path / f"g{k}")
        files += [p.rename(tmp_path / f"{p.name[:5]}{k}{p.name[5:]}") for p in paths]
    result = only_final([str(f) for f in files], skymethod="globalmin+match")
    assert any("2 groups that share no pixels" in text for text in result.warnings)


@pytest.mark.parametrize("method", ["localmin", "match", "globalmin+match"])
def test_a_constant_rate_added_to_all_images_moves_measured_skies_only(acs, tmp_path, method):
    moved = []
    for f, time in zip(acs, TIMES, strict=True):
        path = shutil.copyfile(f, tmp_path / f.rsplit("/", 1)[1])
        with fits.open(path, mode="update") as hdus:
            for k in (1, 2):
                hdus["SCI", k].data += np.float32(0.25 * time)
        moved.append(str(path))
    before, after = (only_final(files, skymethod=method) for files in (acs, moved))
    for (name, values), time in zip(before.sky.items(), TIMES, strict=True):
        shift = 0.0 if method == "match" else 0.25 * time
        assert [v.level for v in after.sky[name]] == pytest.approx(
            [v.level + shift for v in values], abs=2e-3
        )


def test_not_subtracting_leaves_the_sky_in(acs):
    with_sky, without = only_final(acs, skysub=False), only_final(acs)
    inside = without.wht > 0.9 * without.wht.max()
    assert np.median((with_sky.sci - without.sci)[inside]) == pytest.approx(0.3, abs=0.03)


def test_user_mask_keeps_pixels_out_of_the_sky(acs, tmp_path, monkeypatch):
    folder = acs[0].rsplit("/", 1)[0]
    monkeypatch.chdir(folder)
    masked = only_final(acs, skymask_cat="skymask.cat", skystat="mean", skyclip=0)
    assert any(
        a.level < b.level
        for name, values in only_final(acs, skystat="mean", skyclip=0).sky.items()
        for a, b in zip(masked.sky[name], values, strict=True)
    )


def test_nan_anywhere_does_no_harm(tmp_path):
    result = run(visit(tmp_path, nan_fraction=0.02))
    assert np.isfinite(result.sci[result.wht > 0]).all()
    assert all(np.isfinite(v.level) and v.level > 10 for values in result.sky.values() for v in values)


# -- weights -------------------------------------------------------------------------------------------------


def test_weight_scale_is_time_time_squared_or_a_number(acs, flat_weight):
    """Where all three expose fully the sums are those of t and t²."""
    squared, triple = only_final(acs, final_wt_scl="expsq"), only_final(acs, final_wt_scl=3)
    full = flat_weight.wht >= flat_weight.wht.max() * 0.999
    ratio = np.median(squared.wht[full] / flat_weight.wht[full])
    assert ratio == pytest.approx(sum(t * t for t in TIMES) / sum(TIMES), rel=1e-3)
    np.testing.assert_allclose(triple.wht, 3 * flat_weight.wht, rtol=1e-6)
    np.testing.assert_allclose(triple.sci, flat_weight.sci, rtol=1e-5, atol=1e-6)


def test_maps_of_the_user_are_the_weights(acs, tmp_path, monkeypatch):
    """The second column of an @file: four times the map, four times the weight."""
    folder = acs[0].rsplit("/", 1)[0]
    for path in Path(folder).iterdir():
        if path.suffix in {".fits", ".lst"}:
            shutil.copyfile(path, tmp_path / path.name)
    monkeypatch.chdir(tmp_path)
    once = only_final("@ivm.lst", final_wht_type="IVM")
    for path in tmp_path.glob("*_ivm.fits"):
        with fits.open(path, mode="update") as hdus:
            for hdu in hdus[1:]:
                hdu.data *= 4
    again = only_final("@ivm.lst", final_wht_type="IVM")
    assert once.wht.max() > 0
    np.testing.assert_allclose(again.wht, 4 * once.wht, rtol=1e-6)
    np.testing.assert_allclose(again.sci, once.sci, rtol=1e-5, atol=1e-6)
    assert not any("flat" in text for text in once.warnings)


def test_inverse_variance_uses_the_flat_field_and_says_when_there_is_none(acs, tmp_path, monkeypatch):
    monkeypatch.setenv("jref", f"{tmp_path}/")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        without = drizframe.run(
            acs,
            final_wht_type="IVM",
            driz_separate=False,
            median=False,
            blot=False,
            driz_cr=False,
            static=False,
        )
    told = [str(w.message) for w in caught] + list(without.warnings)
    assert any("flat" in text.lower() for text in told)
    header = fits.getheader(acs[0])
    flat = [fits.PrimaryHDU()]
    for k in (1, 2):
        number = fits.getheader(acs[0], ("SCI", k))["CCDCHIP"]
        data = np.full(SHAPE, 2.0, dtype=np.float32)
        flat.append(fits.ImageHDU(data, fits.Header([("CCDCHIP", number)]), name="SCI", ver=k))
    fits.HDUList(flat).writeto(tmp_path / header["PFLTFILE"].split("$")[1])
    with_flat = only_final(acs, final_wht_type="IVM")
    good = (without.wht > 0) & (with_flat.wht > 0)
    ratio = np.median(with_flat.wht[good] / without.wht[good])
    assert 2 < ratio < 4  # F²/(D + S F + RN²): between F (sky alone) and F² (read noise alone)


def test_error_of_0_means_weight_0(acs, tmp_path):
    files = [str(shutil.copyfile(f, tmp_path / f.rsplit("/", 1)[1])) for f in acs]
    for f in files:
        with fits.open(f, mode="update") as hdus:
            hdus["ERR", 1].data[20:30, 20:30] = 0.0
            hdus["ERR", 2].data[20, 20] = np.nan
    result, whole = (only_final(x, final_wht_type="ERR") for x in (files, acs))
    assert np.isfinite(result.wht).all()
    assert np.isfinite(result.sci[result.wht > 0]).all()
    assert (result.wht < whole.wht).any()
    assert not (result.wht > whole.wht * (1 + 1e-6)).any()


@pytest.mark.parametrize("bits", [4, "4", "4,256", "~256", "4+256", None, "None"])
def test_bits_that_are_good_bring_flagged_pixels_back(acs, flat_weight, bits):
    more = only_final(acs, final_bits=bits)
    less = only_final(acs, final_bits=0)
    assert more.wht.sum() > less.wht.sum()
    np.testing.assert_array_equal(less.wht, flat_weight.wht)


# -- combination ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", sorted(by_name("combiner")))
def test_every_combiner_makes_a_clean_image(acs, kind):
    result = run(acs, combine_type=kind, driz_cr=False, blot=False, driz_combine=False)
    assert result.mosaic is None
    assert np.isfinite(result.median).all()
    assert result.median.max() > 1


def test_thresholds_hold_for_rates_whatever_the_exposure_times(acs):
    """Half of the brightest pixel as upper threshold: nothing above it is left, and most pixels are."""
    free = run(acs, combine_type="mean", driz_cr=False, blot=False, driz_combine=False)
    limit = float(free.median.max()) / 2
    held = run(acs, combine_type="mean", combine_hthresh=limit, driz_cr=False, blot=False, driz_combine=False)
    assert held.median.max() <= limit
    assert np.mean(held.median == free.median) > 0.9


def test_masks_of_the_median_can_be_left_out(acs):
    masked, free = (
        run(acs, combine_type="median", median_newmasks=m, driz_cr=False, blot=False, driz_combine=False)
        for m in (True, False)
    )
    assert (masked.median != free.median).any()


# -- cosmic rays ---------------------------------------------------------------------------------------------


def test_growth_of_0_and_1_is_none_and_of_3_is_one_pixel(acs, plain):
    from scipy.ndimage import binary_dilation

    for a, b in pairs(plain, run(acs, driz_cr_grow=0)):
        np.testing.assert_array_equal(a, b)
    for a, b in pairs(plain, run(acs, driz_cr_grow=3)):
        np.testing.assert_array_equal(binary_dilation(a, np.ones((3, 3))), b)


def test_tails_grow_away_from_the_readout_on_each_chip(acs, plain):
    """Extension 1 (chip 2) towards higher rows, extension 2 (chip 1) towards lower ones (trap 14-6)."""
    tails = flagged(run(acs, driz_cr_ctegrow=3))
    for name, (first, second) in flagged(plain).items():
        up, down = first.copy(), second.copy()
        for k in (1, 2, 3):
            up[k:] |= first[:-k]
            down[:-k] |= second[k:]
        edge = np.s_[3:-3]
        np.testing.assert_array_equal(tails[name][0][edge], up[edge])
        np.testing.assert_array_equal(tails[name][1][edge], down[edge])


def test_detectors_without_transfer_have_no_tails(ir):
    for a, b in pairs(run(ir), run(ir, driz_cr_ctegrow=5)):
        np.testing.assert_array_equal(a, b)


def test_lower_snr_never_flags_less(acs, plain):
    for a, b in pairs(plain, run(acs, driz_cr_snr="2.5 2.0")):
        assert not (a & ~b).any()


def test_one_snr_serves_for_both(acs):
    for a, b in pairs(run(acs, driz_cr_snr=4), run(acs, driz_cr_snr="4 4")):
        np.testing.assert_array_equal(a, b)


def test_cleaned_exposures_are_written_on_demand(acs, tmp_path):
    run(acs, output=tmp_path / "c", driz_cr_corr=True, keep=["crclean", "mask.cr"])
    made = sorted(p.name for p in tmp_path.glob("*_crclean.fits"))
    assert len(made) == 3
    with fits.open(tmp_path / made[0]) as cleaned, fits.open(acs[0]) as raw:
        mask = fits.getdata(tmp_path / made[0].replace("_crclean", "_sci1_crmask")) == 0
        changed = cleaned["SCI", 1].data != raw["SCI", 1].data
        assert changed[mask].mean() > 0.95
        assert not changed[~mask & (raw["DQ", 1].data == 0)].any()


class Everything:
    """A detector that flags all pixels, and one that flags none; neither needs a blotted image."""

    @hookimpl
    def drizframe_cosmic_ray_detectors(self):
        def all_of(sci, blot, deriv, noise, depth, dq, options):
            return np.ones(sci.shape, dtype=np.uint8)

        def none_of(sci, blot, deriv, noise, depth, dq, options):
            return np.zeros(sci.shape, dtype=np.uint8)

        yield CosmicRayDetector(name="all_of", summary="Flags every pixel.", reference=all_of)
        yield CosmicRayDetector(name="none_of", summary="Flags no pixel.", reference=none_of)


@pytest.fixture
def detectors():
    name = drizframe.register(Everything(), "everything")
    yield
    drizframe.unregister(name)


@pytest.mark.usefixtures("detectors")
def test_frames_with_cosmic_rays_in_none_or_all_pixels(acs, flat_weight):
    nothing = run(acs, cr_detector="none_of", static=False)
    np.testing.assert_array_equal(nothing.wht, flat_weight.wht)
    everything = run(acs, cr_detector="all_of", static=False)
    assert not everything.wht.any()


@pytest.mark.usefixtures("detectors")
def test_single_exposures_skip_only_detectors_that_compare(acs):
    assert not run(acs[:1]).cosmic_rays
    alone = run(acs[:1], cr_detector="all_of")
    assert all(not m.any() for masks in alone.cosmic_rays.values() for m in masks)


# -- units and overrides -------------------------------------------------------------------------------------


def test_exposure_time_override_as_number_text_or_keyword(acs, flat_weight, tmp_path):
    number, text = only_final(acs, exptime=100.0), only_final(acs, exptime="100")
    np.testing.assert_array_equal(number.sci, text.sci)
    np.testing.assert_array_equal(number.wht, text.wht)
    assert number.wht.max() == pytest.approx(300.0 / sum(TIMES) * flat_weight.wht.max(), rel=1e-3)
    files = [str(shutil.copyfile(f, tmp_path / f.rsplit("/", 1)[1])) for f in acs]
    for f in files:
        fits.setval(f, "MYTIME", value=100.0)
    np.testing.assert_array_equal(only_final(files, expkeyword="MYTIME").wht, number.wht)


def test_read_noise_override_changes_masks(acs, plain, tmp_path):
    loud = run(acs, rdnoise="60")
    assert sum(a.sum() for a, _ in pairs(plain, loud)) > 1.2 * sum(b.sum() for _, b in pairs(plain, loud))
    for a, b in pairs(loud, run(acs, rdnoise=60.0)):
        np.testing.assert_array_equal(a, b)
    files = [str(shutil.copyfile(f, tmp_path / f.rsplit("/", 1)[1])) for f in acs]
    for f in files:
        fits.setval(f, "MYNOISE", value=60.0)
    for a, b in pairs(loud, run(files, rnkeyword="MYNOISE")):
        np.testing.assert_array_equal(a, b)


def test_a_value_and_a_keyword_together_are_refused(acs):
    with pytest.raises(ParameterError, match="Give one of them"):
        only_final(acs, exptime=100.0, expkeyword="EXPTIME")


def test_counts_of_stis_in_native_units_or_electrons():
    gain = fits.getheader(stis_sample()).get("ATODGAIN")
    native, electrons = (only_final(stis_sample(), proc_unit=u) for u in ("native", "electrons"))
    good = native.wht > 0
    np.testing.assert_allclose(electrons.sci[good], gain * native.sci[good], rtol=2e-6, atol=1e-6)
    assert native.header["BUNIT"].lower() == "counts/s"
    assert electrons.header["BUNIT"].lower() == "electrons/s"


def test_gain_override_of_stis_changes_electrons_and_keyword_does_as_well():
    twice, text = (only_final(stis_sample(), proc_unit="electrons", gain=g) for g in (2.0, "2.0"))
    once = only_final(stis_sample(), proc_unit="electrons", gain=1.0)
    good = once.wht > 0
    np.testing.assert_array_equal(twice.sci[good], text.sci[good])
    np.testing.assert_allclose(twice.sci[good], 2 * once.sci[good], rtol=2e-6, atol=1e-6)
    by_key = only_final(stis_sample(), proc_unit="electrons", gnkeyword="ATODGAIN")
    np.testing.assert_array_equal(
        by_key.sci[good], only_final(stis_sample(), proc_unit="electrons").sci[good]
    )


@pytest.mark.parametrize("camera", ["acs", "ir"])
def test_counts_are_rates_times_the_total_time(camera, request):
    files = request.getfixturevalue(camera)
    rate, counts = only_final(files), only_final(files, final_units="counts")
    good = rate.wht > 0
    np.testing.assert_allclose(counts.sci[good], sum(TIMES) * rate.sci[good], rtol=2e-6, atol=1e-4)
    np.testing.assert_array_equal(counts.wht, rate.wht)
    assert counts.header["BUNIT"].upper() == "ELECTRONS"
    assert rate.header["BUNIT"].upper() == "ELECTRONS/S"


# -- the drop-in ---------------------------------------------------------------------------------------------


@pytest.fixture
def here(acs, tmp_path, monkeypatch):
    names = [shutil.copyfile(f, tmp_path / f.rsplit("/", 1)[1]).name for f in acs]
    monkeypatch.chdir(tmp_path)
    return names


def drop_in(names, **parameters):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return astrodrizzle.AstroDrizzle(names, output="ref", clean=False, num_cores=1, **parameters)


def test_cosmic_rays_are_flagged_with_crbit_and_old_flags_reset(here):
    with fits.open(here[0], mode="update") as hdus:
        hdus["DQ", 1].data[0, 0] |= 8192
    result = drop_in(here, crbit=8192, resetbits=8192, force_edits=True)  # 5 to 8 % of the pixels are hit
    with fits.open(here[0]) as hdus:
        for k in (1, 2):
            found = (hdus["DQ", k].data & 8192) != 0
            np.testing.assert_array_equal(found, result.cosmic_rays[here[0][:9]][k - 1] == 0)
        assert not hdus["DQ", 1].data[0, 0] & 8192
