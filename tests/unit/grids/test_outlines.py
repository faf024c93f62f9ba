"""What is refused or told before the work begins: exposures that stand apart, frames that are mostly empty."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from astropy.wcs import WCS

import drizframe
from drizframe import Exposure
from drizframe.config import make_parameters
from drizframe.errors import DrizframeError, DrizframeWarning, InputError, ParameterError
from drizframe.grids import custom_frames
from drizframe.grids.frames import build_frames, default_frame, sky_corners
from drizframe.grids.outlines import covered_share, outlines, suspects

SIDE = 24


def linear(ra=150.0, dec=2.0, scale=0.1, rot=30.0, side=SIDE):
    w = WCS(naxis=2)
    w.wcs.ctype = ["RA---TAN", "DEC--TAN"]
    w.wcs.crval, w.wcs.crpix = [ra, dec], [(side + 1) / 2] * 2
    c, s = (scale / 3600 * f(np.radians(rot)) for f in (np.cos, np.sin))
    w.wcs.cd = [[-c, s], [s, c]]
    w.pixel_shape = (side, side)
    w.wcs.set()
    return w


def exposure(name, side=SIDE, **where):
    return Exposure.from_arrays(
        np.full((side, side), 2.5), linear(side=side, **where), name=name, exptime=10.0
    )


def several(count=4, odd=2, **wrong):
    """Dithered exposures, one of which has something wrong."""
    places = [{"ra": 150.0 + 0.1 * k / 3600} for k in range(count)]
    places[odd] |= wrong
    return [exposure(f"e{k}", **place) for k, place in enumerate(places)]


def frames(exposures, **given):
    said: list[str] = []
    return build_frames(exposures, make_parameters(given), tell=said.append), said


WRONG = {
    "declination off by a degree": {"dec": 0.8},
    "right ascension off by a sixth of a degree": {"ra": 150.17},
    "opposite side": {"ra": 330.0, "dec": -2.0},
    "at right angles": {"ra": 245.0},
    "pole": {"dec": 90.0},
    "pixels 400 times too large": {"scale": 40.0},
    "pixels of a degree": {"scale": 3600.0},
    "pixels of 100 degrees": {"scale": 360_000.0},
}


@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG)
@pytest.mark.parametrize("odd", [0, 2])
def test_one_exposure_with_a_wrong_wcs_is_named_before_the_work(wrong, odd):
    refusal, said, pixels = "", [], 0
    try:
        made, said = frames(several(odd=odd, **wrong))
        pixels = max(f.shape[0] * f.shape[1] for f in made.values())
    except DrizframeError as error:
        refusal = str(error)
    assert f"e{odd}" in refusal + " ".join(said)
    assert pixels <= 1_000_000


def test_the_run_refuses_before_a_pixel_is_used():
    exposures = several(dec=0.8)
    with pytest.raises(InputError, match=r"e2 lies 1.2 degrees .* wrong CRVAL.* allow_sparse=True"):
        drizframe.run(exposures)


def test_allow_sparse_lets_it_pass():
    with pytest.raises(InputError, match="e2"):
        frames(several(dec=1.9))
    made, _ = frames(several(dec=1.9), allow_sparse=True)
    assert made["final"].shape[0] > 1500


def test_small_frames_are_made_however_empty():
    made, _ = frames(several(dec=1.99))
    assert made["final"].shape[0] * made["final"].shape[1] < 1_000_000


@pytest.mark.parametrize("count", [2, 9])
def test_mosaics_of_neighbouring_pointings_are_never_refused(count):
    side = 600
    row = [exposure(f"p{k}", side, ra=150.0 + 0.09 * k * side / 3600, rot=0.0) for k in range(count)]
    diagonal = [
        exposure(f"d{k}", side, ra=150.0 + 0.09 * k * side / 3600, dec=2 + 0.09 * k * side / 3600)
        for k in range(count)
    ]
    for exposures in (row, diagonal):
        made, said = frames(exposures)
        assert not said
        assert made["final"].shape[0] * made["final"].shape[1] > 400_000


def test_frames_that_are_rather_empty_are_told():
    side = 400
    two = [exposure("a", side), exposure("b", side, dec=2.0 + 0.1 * 9 * side / 3600)]
    _, said = frames(two)
    assert len(said) == 1
    assert "cover" in said[0]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DrizframeWarning)
        result = drizframe.run(
            two, static=False, skysub=False, median=False, blot=False, driz_cr=False, driz_separate=False
        )
    assert said[0].split(" cover ")[1] in " ".join(result.warnings)


def test_a_size_or_a_reference_image_of_the_user_is_not_questioned():
    exposures = several(count=2, odd=1, dec=2.0)
    sized = {"final_outnx": 1500, "final_outny": 1500, "final_ra": 150.0, "final_dec": 2.0}
    made, said = frames(exposures, **sized)
    assert made["final"].shape == (1500, 1500)
    made, said = frames(exposures, final_refimage=linear(side=1300))
    assert made["final"].shape == (1300, 1300)
    assert not said


def test_a_frame_cut_out_of_far_exposures_passes_without_the_steps_that_need_another():
    exposures = several(dec=0.8)
    cut = {"final_outnx": 50, "final_outny": 50, "final_ra": 150.0, "final_dec": 2.0}
    made, _ = frames(exposures, driz_separate=False, median=False, blot=False, driz_cr=False, **cut)
    assert made["final"].shape == (50, 50)
    with pytest.raises(InputError, match="separate frame"):
        frames(exposures, **cut)


def test_cameras_of_different_scales_fit_together_without_a_word():
    pair = [exposure("uvis", 100, scale=0.04), exposure("ir", 40, scale=0.128)]
    assert frames(pair)[1] == []


def test_pixel_scales_that_stand_apart_are_told():
    _, said = frames(several(scale=0.001))
    assert len(said) == 1
    assert "pixels of e2 have 0.001 arcsec, those of the others 0.1" in said[0]
    with pytest.warns(DrizframeWarning, match="pixels of e2 have"):
        drizframe.run(several(scale=0.001), static=False, skysub=False, median=False, blot=False, driz_cr=False,
                      driz_separate=False)  # fmt: skip


def test_two_exposures_that_do_not_fit_are_both_named():
    with pytest.raises(DrizframeError, match="a and b lie 112 degrees apart"):
        frames([exposure("a"), exposure("b", dec=-70.0, ra=330.0)])
    _, said = frames([exposure("a"), exposure("b", scale=2.0)])
    assert "pixels of a have 0.1 arcsec" in said[0]
    assert "pixels of b have 2 arcsec" in said[0]


def test_far_exposures_are_found_among_many():
    exposures = several(count=30, odd=17, dec=3.0)
    lines = outlines(exposures, sky_corners(exposures))
    assert suspects(lines) == "e17 lies 1 degrees from the other exposures."


def test_exposures_at_one_place_cover_it_once():
    exposures = [exposure("a"), *(exposure(f"b{k}", dec=2.01) for k in range(40))]
    frame = default_frame(exposures)
    share = covered_share(frame, sky_corners(exposures))
    assert share == pytest.approx(2 * (SIDE - 1) ** 2 / (frame.shape[0] * frame.shape[1]), rel=0.05)


def test_max_pixels_limits_every_kind_of_frame(monkeypatch):
    exposures = several()
    with pytest.raises(ParameterError, match=r"max_pixels allows 500 pixels"):
        frames(exposures, max_pixels=500)
    with pytest.raises(ParameterError, match=r"final_scale is 0.01.*max_pixels"):
        frames(exposures, max_pixels=5000, final_scale=0.01)
    with pytest.raises(ParameterError, match=r"final_refimage.*max_pixels|max_pixels.*final_refimage"):
        frames(exposures, max_pixels=5000, final_refimage=linear(side=100))
    monkeypatch.setattr(custom_frames, "MAX_PIXELS", 500)
    with pytest.raises(ParameterError, match="500 pixels"):
        frames(exposures)
    assert frames(exposures, max_pixels=5000)[0]["final"].shape[0] > 20


def test_a_wrong_position_is_told_before_the_size_that_it_makes():
    with pytest.raises(InputError, match=r"e2 lies 1.2 degrees .* wrong CRVAL"):
        frames(several(dec=0.8), max_pixels=1_000_000)
    assert custom_frames.MAX_PIXELS == 400_000_000


def test_a_large_frame_names_the_exposure_that_makes_it_large():
    with pytest.raises(ParameterError, match="e2 lies 1.2 degrees"):
        frames(several(dec=0.8), max_pixels=1_000_000, allow_sparse=True)


# -- grids of several filters


def dithers(seed, count, spread):
    rng = np.random.default_rng(seed)
    shifts = rng.uniform(-spread, spread, (count, 2)) / 3600
    return [
        exposure(f"s{seed}e{k}", 50 + seed, ra=150 + a, dec=2 + d, rot=30.0 + seed)
        for k, (a, d) in enumerate(shifts)
    ]


ANCHORED = {"final_ra": 150.0, "final_dec": 2.0, "final_scale": 0.06, "final_rot": 0.0}


@pytest.mark.parametrize("change", [{}, {"final_rot": 17.0}, {"final_scale": 0.13}, {"final_scale": 0.1}])
def test_frames_around_one_position_lie_whole_pixels_apart(change):
    one, two = (
        frames(e, **{**ANCHORED, **change})[0]["final"] for e in (dithers(1, 3, 1.0), dithers(2, 4, 2.5))
    )
    places = np.array([[0.0, 0.0], [30.0, 41.0]])
    offset = two.wcs.all_world2pix(one.wcs.all_pix2world(places, 0), 0) - places
    np.testing.assert_allclose(offset, np.round(offset), atol=1e-7)


def test_the_position_of_a_frame_without_size_is_the_centre_of_its_middle_pixel():
    for exposures in (dithers(1, 3, 1.0), dithers(2, 4, 2.5)):
        frame = frames(exposures, **ANCHORED)[0]["final"]
        x, y = (float(v) for v in frame.wcs.all_world2pix(150.0, 2.0, 0))
        assert (x, y) == pytest.approx((round(x), round(y)), abs=1e-7)
        assert (x, y) == pytest.approx(((frame.shape[1] - 1) / 2, (frame.shape[0] - 1) / 2), abs=2.0)


def test_reference_images_and_given_pixels_keep_their_own_grid():
    reference = linear(side=61)
    reference.wcs.crpix = [30.25, 31.5]
    frame = frames(several(), final_refimage=reference, final_ra=150.0, final_dec=2.0)[0]["final"]
    np.testing.assert_allclose(frame.wcs.wcs.crpix, [30.25, 31.5])
    frame = frames(several(), **ANCHORED, final_crpix1=20.5, final_crpix2=7.25)[0]["final"]
    np.testing.assert_allclose(frame.wcs.wcs.crpix, [20.5, 7.25])
