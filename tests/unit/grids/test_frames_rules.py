"""The rules of default, custom and reference frames."""

from __future__ import annotations

import dataclasses
import math
import warnings
from types import SimpleNamespace

import numpy as np
import pytest
from astropy.io import fits
from astropy.wcs import WCS
from hypothesis import example, given, settings
from hypothesis import strategies as st

from drizframe.errors import (
    DrizframeWarning,
    InputError,
    MissingInputError,
    NothingToCombineError,
    ParameterError,
    UnreadableInputError,
    WCSError,
)
from drizframe.grids.frames import (
    TURN_ERROR,
    aperture_roll,
    build_frames,
    custom_frame,
    default_frame,
    frame_from_reference,
)
from drizframe.grids.mapping import transform
from drizframe.grids.pixel_scales import scale_ratio
from drizframe.grids.wcs import sphere_mean
from drizframe.model import Exposure, chip_scale

NAMES = ("rot", "scale", "outnx", "outny", "ra", "dec", "crpix1", "crpix2")


def tan(ra=10.0, dec=20.0, scale=0.05, rot=0.0, shape=(40, 60), parity=-1.0, ctype="RA---TAN,DEC--TAN"):
    w = WCS(naxis=2)
    w.wcs.ctype = ctype.split(",")
    w.wcs.crval = [ra, dec]
    w.wcs.crpix = [(shape[1] + 1) / 2, (shape[0] + 1) / 2]
    s, o = scale / 3600, math.radians(rot)
    w.wcs.cd = s * np.array([[parity * math.cos(o), math.sin(o)], [-parity * math.sin(o), math.cos(o)]])
    w.pixel_shape = (shape[1], shape[0])
    w.wcs.set()
    return w


def exposure(name="a", shape=(40, 60), **kw):
    return Exposure.from_arrays(np.zeros(shape, dtype=np.float32), tan(shape=shape, **kw), name=name)


def with_facts(exp, *, pa_v3=None, **facts):
    chips = [dataclasses.replace(c, **facts) for c in exp.chips]
    return dataclasses.replace(exp.with_chips(chips), pa_v3=pa_v3)


def parameters(**given_values):
    values = {
        "driz_separate": True,
        "driz_combine": True,
        "coeffs": True,
        "median": True,
        "blot": True,
        "max_pixels": None,
        "allow_sparse": False,
        "driz_sep_wcs": False,
        "final_wcs": False,
    }
    for prefix in ("driz_sep", "final"):
        values |= {f"{prefix}_{n}": None for n in NAMES} | {f"{prefix}_refimage": ""}
    return SimpleNamespace(**(values | given_values))


# -- the default frame
# -----------------------------------------------------------------------------------------


def test_default_frame_of_one_linear_chip_spans_pixel_centres_only():
    frame = default_frame([exposure()])
    ny, nx = frame.shape
    assert (ny, nx) in {
        (39, 59),
        (39, 60),
        (40, 59),
        (40, 60),
    }  # trap 06-1; the span of 39 or 59 may round up
    np.testing.assert_array_equal(frame.wcs.wcs.crpix, [nx / 2, ny / 2])


@settings(max_examples=40)
@given(
    ra=st.floats(0, 360),
    dec=st.floats(-90, 90),
    rot=st.floats(-180, 180),
    scale=st.floats(0.01, 2.0),
    dra=st.floats(-5, 5),
    ddec=st.floats(-5, 5),
    turn=st.floats(-90, 90),
    parity=st.just(-1.0),
)
@example(ra=0.0, dec=0.0, rot=0.0, scale=0.05, dra=-2.0, ddec=0.0, turn=0.0, parity=-1.0)  # around RA 0
@example(
    ra=77.0, dec=90.0, rot=30.0, scale=0.05, dra=2.0, ddec=0.0, turn=10.0, parity=-1.0
)  # the pole in the chip
@example(ra=77.0, dec=-90.0, rot=30.0, scale=0.05, dra=2.0, ddec=1.0, turn=10.0, parity=-1.0)
def test_default_frame_contains_every_pixel_centre_up_to_the_pole(
    ra, dec, rot, scale, dra, ddec, turn, parity
):
    pixel = scale / 3600
    other = tan(ra, dec, scale, rot, parity=parity).wcs_pix2world([[30.5 + dra * 9, 20.5 + ddec * 9]], 1)[0]
    both = [
        exposure("a", ra=ra, dec=dec, scale=scale, rot=rot, parity=parity),
        exposure("b", ra=other[0], dec=other[1], scale=scale, rot=rot + turn, parity=parity),
    ]
    frame = default_frame(both)
    assert frame.scale == pytest.approx(pixel * 3600)
    gx, gy = np.meshgrid(np.arange(60.0), np.arange(40.0))
    ny, nx = frame.shape
    spread = []
    for e in both:
        x, y = transform(e.chips[0].wcs, frame.wcs)(gx, gy)
        assert min(x.min(), y.min()) > -TURN_ERROR
        assert max(x.max() - nx, y.max() - ny) < TURN_ERROR
        spread.append((x.min(), y.min(), x.max(), y.max()))
    low, high = np.min(spread, axis=0)[:2], np.max(spread, axis=0)[2:]
    np.testing.assert_allclose(low, 0, atol=TURN_ERROR)
    assert (high > np.array([nx, ny]) - 1 - TURN_ERROR).all()


def test_the_first_exposure_gives_scale_and_orientation():
    one, two = exposure("a", rot=10, scale=0.05), exposure("b", rot=50, scale=0.1)
    first, second = default_frame([one, two]), default_frame([two, one])
    assert (first.scale, second.scale) == (pytest.approx(0.05), pytest.approx(0.1))
    # position of north moves by the tiny shift of the reference point
    assert first.orientation == pytest.approx(10, abs=1e-3)
    assert second.orientation == pytest.approx(50, abs=1e-3)


def test_frame_always_has_east_to_the_left():
    frame = default_frame([exposure(parity=1.0)])
    assert np.linalg.det(frame.wcs.wcs.cd) < 0


def test_distortion_model_gives_scale_and_roll():
    acs = with_facts(
        exposure(rot=33, scale=0.06), pa_v3=337.0, idc_scale=0.05, v2ref=256.6, v3ref=302.25, theta=0.0
    )
    frame = default_frame([acs])
    roll = aperture_roll(337.0, 20.0, 256.6, 302.25)
    assert frame.scale == pytest.approx(0.05, rel=1e-15)
    assert (frame.orientation - (roll + 180)) % 360 == pytest.approx(
        0, abs=1e-9
    )  # ACS/WFC parity: y against V3


def test_theta_turns_the_frame():
    base = {"pa_v3": 337.0, "idc_scale": 0.05, "v2ref": 256.6, "v3ref": 302.25}
    without = default_frame([with_facts(exposure(), theta=None, **base)]).orientation
    turned = default_frame([with_facts(exposure(), theta=2.0, **base)]).orientation
    assert abs(turned - without) == pytest.approx(2.0, abs=1e-9)


@pytest.mark.parametrize("missing", ["idc_scale", "pa_v3", "v3ref"])
def test_incomplete_distortion_model_falls_back_to_the_linear_wcs(missing):  # trap 06-3
    facts = {"pa_v3": 10.0, "idc_scale": 0.04, "v2ref": 1.0, "v3ref": 2.0, missing: None}
    frame = default_frame([with_facts(exposure(rot=33), **facts)])
    if missing == "idc_scale":
        assert frame.scale == pytest.approx(0.05)
    else:
        assert frame.scale == pytest.approx(0.04, rel=1e-15)
        assert frame.orientation == pytest.approx(33, abs=1e-9)


@pytest.mark.parametrize(
    ("v2", "v3"), [(300.0, 200.0), (-300.0, 200.0), (300.0, -200.0), (-300.0, -200.0), (0.0, 0.0)]
)
def test_roll_at_the_aperture_agrees_with_the_sphere(v2, v3):
    pa, dec = 40.0, 55.0  # of the aperture
    found = aperture_roll(pa, dec, v2, v3)
    assert (found - pa + 180) % 360 - 180 == pytest.approx(0, abs=0.3)  # an offset of 6 arcmin turns little
    # small offsets: the roll changes by tan(dec) times the offset in right ascension
    a, b = math.radians(v2 / 3600), math.radians(v3 / 3600)
    east = a * math.cos(math.radians(pa)) + b * math.sin(math.radians(pa))
    expected = math.degrees(east * math.tan(math.radians(dec)))
    assert (found - pa + 180) % 360 - 180 == pytest.approx(expected, abs=2e-3)


def test_no_exposure_is_an_error():
    with pytest.raises(NothingToCombineError, match="no exposure"):
        default_frame([])


def test_exposures_on_opposite_sides_of_the_sky_are_refused():
    with pytest.raises(InputError, match="too far apart"):
        default_frame([exposure("a", ra=10, dec=20), exposure("b", ra=190, dec=-20)])
    with pytest.raises(InputError, match="too far apart"):
        default_frame(
            [
                exposure("a", ra=0, dec=0, scale=3e5),
                exposure("b", ra=120, dec=0),
                exposure("c", ra=240, dec=0),
            ]
        )


def test_a_frame_too_large_is_refused_with_its_size():
    with pytest.raises(ParameterError, match=r"columns .* GiB"):
        default_frame([exposure("a", ra=10), exposure("b", ra=20, dec=25)])
    with pytest.raises(ParameterError, match="final_scale is 1e-06"):
        custom_frame(default_frame([exposure()]), scale=1e-6, prefix="final_")


def test_without_coefficients_one_chip_keeps_its_own_grid():
    exp = with_facts(exposure(rot=12), idc_scale=0.04, v2ref=1.0, v3ref=2.0, pa_v3=100.0)
    frame = default_frame([exp], coeffs=False)
    assert frame.shape == (40, 60)
    np.testing.assert_array_equal(frame.wcs.wcs.crpix, exp.chips[0].wcs.wcs.crpix)
    np.testing.assert_array_equal(frame.wcs.wcs.crval, exp.chips[0].wcs.wcs.crval)
    assert frame.orientation == pytest.approx(12, abs=1e-9)
    assert frame.scale == pytest.approx(0.05)


def test_chips_are_not_changed():
    exp = exposure()
    before = exp.chips[0].wcs.to_header_string()
    default_frame([exp])
    assert exp.chips[0].wcs.to_header_string() == before


# -- scales
# ----------------------------------------------------------------------------------------------------


def polynomial(wcs):
    from astropy.wcs import Sip

    w = wcs.deepcopy()
    a = np.zeros((3, 3))
    a[2, 0] = 1e-6
    w.sip = Sip(a, a, None, None, w.wcs.crpix)
    return w


def test_scale_of_a_chip_looks_at_each_chip_alone():  # trap 06-14
    plain = exposure()
    chip = dataclasses.replace(plain.chips[0], idc_scale=0.045)
    bent = dataclasses.replace(chip, wcs=polynomial(chip.wcs))
    assert chip_scale(chip) == pytest.approx(0.05)
    assert chip_scale(bent) == pytest.approx(0.045, rel=1e-15)
    assert chip_scale(bent, coeffs=False) == pytest.approx(0.05)
    frame = default_frame([exposure(scale=0.1)])
    assert scale_ratio(bent, frame) == pytest.approx(0.1 / 0.045)


# -- custom frames
# ---------------------------------------------------------------------------------------------


def base_frame(shape=(2606, 615)):
    frame = default_frame([exposure(rot=20)])
    w = frame.wcs.deepcopy()
    w.wcs.crpix = [shape[1] / 2, shape[0] / 2]
    return dataclasses.replace(frame, wcs=w, shape=shape, scale=0.05)


def test_check_values_of_the_specification():
    scaled = custom_frame(base_frame(), scale=0.04)
    assert scaled.shape == (3258, 769)
    np.testing.assert_allclose(scaled.wcs.wcs.crpix, [384.125, 1628.5], rtol=1e-14)
    assert scaled.scale == 0.04
    sized = custom_frame(base_frame(), outnx=500, outny=301)
    assert sized.shape == (301, 500)
    np.testing.assert_array_equal(sized.wcs.wcs.crpix, [250.5, 151])


def test_nothing_set_gives_the_base():
    base = base_frame()
    assert custom_frame(base) is base


@settings(max_examples=40)
@given(rot=st.floats(-360, 360), scale=st.one_of(st.none(), st.floats(0.02, 0.5)))
@example(rot=0.0, scale=None)
def test_turned_frame_covers_the_old_one(rot, scale):
    base = base_frame((300, 200))
    new = custom_frame(base, rot=rot, scale=scale)
    corners = np.array([[0.5, 0.5], [200.5, 0.5], [0.5, 300.5], [200.5, 300.5]])
    plane = new.wcs.wcs_world2pix(base.wcs.wcs_pix2world(corners, 1), 1)
    ny, nx = new.shape
    assert (plane > 0.5 - 1e-5).all()
    assert (plane < np.array([nx, ny]) + 0.5 + 1e-5).all()
    # the y axis points to the position angle asked for
    cd = new.wcs.wcs.cd
    found = math.degrees(math.atan2(cd[0, 1], cd[1, 1]))
    assert (found - rot + 180) % 360 - 180 == pytest.approx(0, abs=1e-8)
    assert math.hypot(*cd[:, 0]) * 3600 == pytest.approx(new.scale, rel=1e-9)


def test_position_moves_the_frame_rigidly():
    base = base_frame()
    moved = custom_frame(base, ra=359.99, dec=-89.5)
    assert moved.shape == base.shape
    np.testing.assert_array_equal(moved.wcs.wcs.crpix, base.wcs.wcs.crpix)
    np.testing.assert_array_equal(moved.wcs.wcs.crval, [359.99, -89.5])
    np.testing.assert_array_equal(moved.wcs.wcs.cd, base.wcs.wcs.cd)
    pinned = custom_frame(base, ra=1.0, dec=2.0, crpix1=7.0, crpix2=-3.5)
    np.testing.assert_array_equal(pinned.wcs.wcs.crpix, [7.0, -3.5])


def test_sizes_are_rounded_half_up():
    assert custom_frame(base_frame(), outnx=10.5, outny=0.5).shape == (1, 11)


@pytest.mark.parametrize(
    ("given_values", "named"),
    [
        ({"ra": 1.0}, "final_dec"),
        ({"dec": 1.0}, "final_ra"),
        ({"outnx": 5}, "final_outny"),
        ({"outny": 5}, "final_outnx"),
        ({"crpix1": 5}, "final_crpix2"),
        ({"crpix2": 5}, "final_crpix1"),
    ],
)
def test_half_a_pair_is_refused_with_the_missing_name(given_values, named):
    with pytest.raises(ParameterError, match=f"{named} is not set"):
        custom_frame(base_frame(), **given_values, prefix="final_")


@pytest.mark.parametrize(
    "wrong",
    [
        {"scale": 0},
        {"scale": -1},
        {"scale": math.nan},
        {"rot": math.inf},
        {"rot": "north"},
        {"outnx": 0, "outny": 5},
        {"ra": 1, "dec": 91},
        {"ra": math.nan, "dec": 1},
    ],
)
def test_values_out_of_range_are_refused(wrong):
    with pytest.raises(ParameterError):
        custom_frame(base_frame(), **wrong)


# -- reference images
# ------------------------------------------------------------------------------------------


@pytest.fixture
def mosaic(tmp_path):
    hdus = fits.HDUList([fits.PrimaryHDU()])
    for k, rot in ((1, 15.0), (2, 75.0)):
        h = tan(rot=rot, shape=(30, 50)).to_header()
        hdus.append(fits.ImageHDU(np.zeros((30, 50), dtype=np.float32), header=h, name="SCI", ver=k))
    hdus.append(fits.ImageHDU(np.zeros((3, 3)), name="PLAIN"))
    path = tmp_path / "ref_drz.fits"
    hdus.writeto(path)
    return path


def test_file_without_extension_takes_the_first_image_with_a_wcs(mosaic):
    for given_value in (mosaic, str(mosaic)):
        frame = frame_from_reference(given_value)
        assert frame.shape == (30, 50)
        assert frame.orientation == pytest.approx(15)
        assert frame.scale == pytest.approx(0.05)


@pytest.mark.parametrize(
    ("ext", "rot"), [("[1]", 15), ("[2]", 75), ("[sci,2]", 75), ("[SCI]", 15), ("[ sci , 1 ]", 15)]
)
def test_extension_can_be_named(mosaic, ext, rot):
    assert frame_from_reference(f"{mosaic}{ext}").orientation == pytest.approx(rot)


def test_wrong_references_raise(mosaic, tmp_path):  # trap 06-7
    with pytest.raises(MissingInputError, match=r"no file .*nope"):
        frame_from_reference(str(tmp_path / "nope.fits"))
    with pytest.raises(WCSError, match=r"no extension \[sci,9\]"):
        frame_from_reference(f"{mosaic}[sci,9]")
    with pytest.raises(WCSError, match="has no CRVAL1"):
        frame_from_reference(f"{mosaic}[plain]")
    plain = tmp_path / "plain.fits"
    fits.PrimaryHDU(np.zeros((3, 3))).writeto(plain)
    with pytest.raises(WCSError, match="none of its 1 HDUs"):
        frame_from_reference(plain)
    text = tmp_path / "text.fits"
    text.write_text("hello")
    with pytest.raises(UnreadableInputError, match="cannot be read as FITS"):
        frame_from_reference(text)
    with pytest.raises(ParameterError, match="int"):
        frame_from_reference(5)


def test_wcs_and_frame_are_references_too():
    frame = frame_from_reference(tan(rot=5, shape=(7, 9)))
    assert frame.shape == (7, 9)
    assert frame_from_reference(frame) is frame
    bare = tan()
    bare.pixel_shape = None
    with pytest.raises(ParameterError, match="pixel_shape"):
        frame_from_reference(bare)


def test_distortion_of_a_reference_is_left_out_with_a_warning():  # traps 06-11, 11-10
    with pytest.warns(DrizframeWarning, match="distorted"):
        frame = frame_from_reference(polynomial(tan()))
    assert frame.wcs.sip is None


def test_matrix_forms_give_the_same_frame():
    cards = {
        "CRVAL1": 10.0,
        "CRVAL2": 20.0,
        "CRPIX1": 5.0,
        "CRPIX2": 6.0,
        "CTYPE1": "RA---TAN",
        "CTYPE2": "DEC--TAN",
    }
    c, s = math.cos(0.5) * 1e-5, math.sin(0.5) * 1e-5
    forms = [
        {"CD1_1": -c, "CD1_2": s, "CD2_1": s, "CD2_2": c},
        {
            "CDELT1": -1e-5,
            "CDELT2": 1e-5,
            "PC1_1": c * 1e5,
            "PC1_2": -s * 1e5,
            "PC2_1": s * 1e5,
            "PC2_2": c * 1e5,
        },
        {"CDELT1": -1e-5, "CDELT2": 1e-5, "CROTA2": -math.degrees(0.5)},
    ]
    found = []
    for form in forms:
        w = WCS(fits.Header(cards | form))
        w.pixel_shape = (8, 9)
        found.append(custom_frame(frame_from_reference(w), rot=12.0))
    for frame in found[1:]:
        np.testing.assert_allclose(frame.wcs.wcs.cd, found[0].wcs.wcs.cd, atol=1e-18)
        assert frame.shape == found[0].shape


# -- frames of a run
# -------------------------------------------------------------------------------------------


def test_both_default_frames_are_one_object():
    frames = build_frames([exposure()], parameters())
    assert frames["separate"] is frames["final"]


def test_frames_are_independent(mosaic):
    frames = build_frames(
        [exposure()],
        parameters(driz_sep_wcs=True, driz_sep_refimage=str(mosaic), final_wcs=True, final_scale=0.1),
    )
    assert frames["separate"].orientation == pytest.approx(15)
    assert frames["final"].scale == 0.1


def test_reference_can_be_modified(mosaic):
    frames = build_frames(
        [exposure()], parameters(final_wcs=True, final_refimage=f"{mosaic}[sci,2]", final_rot=0.0)
    )
    assert frames["final"].orientation == 0.0
    assert frames["final"].scale == pytest.approx(0.05)


def test_values_count_only_with_the_switch_and_the_step():
    off = build_frames(
        [exposure()], parameters(final_scale=0.1, driz_sep_scale=0.2, driz_sep_wcs=True, driz_separate=False)
    )
    assert off["separate"] is off["final"]


@pytest.mark.parametrize("blank", [None, "", "  ", "INDEF", "none"])
def test_blank_reference_means_the_default_frame(blank):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        frames = build_frames([exposure()], parameters(final_wcs=True, final_refimage=blank))
    assert frames["final"] is frames["separate"]


def test_mean_direction():
    np.testing.assert_allclose(sphere_mean(np.array([[359.0, 0.0], [1.0, 0.0]]))[0] % 360, 0.0, atol=1e-12)
    assert sphere_mean(np.array([[0.0, 0.0], [180.0, 0.0]])) is None
    assert sphere_mean(np.array([[0.0, 89.0], [180.0, 89.0]]))[1] == pytest.approx(90.0)


def test_linear_part_of_a_tpv_reference_is_used_with_a_warning():
    cards = {
        "CRVAL1": 10.0,
        "CRVAL2": 20.0,
        "CRPIX1": 5.0,
        "CRPIX2": 6.0,
        "CTYPE1": "RA---TPV",
        "CTYPE2": "DEC--TPV",
    }
    cards |= {"CD1_1": -1e-4, "CD1_2": 0.0, "CD2_1": 0.0, "CD2_2": 1e-4, "PV1_1": 1.01, "PV2_1": 0.99}
    w = WCS(fits.Header(cards))
    w.pixel_shape = (8, 9)
    with pytest.warns(DrizframeWarning, match="distorted"):
        frame = frame_from_reference(w)
    plain = tan(ra=10, dec=20, scale=0.36)
    plain.wcs.crpix = [5, 6]
    points = np.array([[1.0, 2.0], [300.0, -40.0]])
    np.testing.assert_allclose(frame.wcs.wcs_pix2world(points, 1), plain.wcs_pix2world(points, 1), atol=1e-10)
