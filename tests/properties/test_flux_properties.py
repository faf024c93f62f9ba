"""Flux comes out whatever the shape of pixels, on the chip and on the frame."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from astropy.wcs import WCS, Sip
from hypothesis import given, settings
from hypothesis import strategies as st
from shipped import shipped

import drizframe
from drizframe import Exposure
from drizframe.grids.frames import default_frame
from drizframe.grids.mapping import pixel_map
from drizframe.grids.pixel_scales import scale_ratio
from drizframe.grids.reference_frames import frame_from_reference
from drizframe.model import PixelScale, axes_of, chip_scale
from drizframe.pixels.blot import blot_chip
from drizframe.stock.interpolators.poly5 import POLY5

STAR = (150.0, 2.0)
SIDE = 41
ONLY_DRIZZLE = {
    "static": False, "skysub": False, "driz_separate": False, "median": False, "blot": False, "driz_cr": False,
    "num_cores": 1,
}  # fmt: skip


def turned(degrees, matrix):
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    return np.array([[c, s], [-s, c]]) @ np.asarray(matrix, dtype=float)


#: Arcsec per pixel.
PIXELS = {
    "square": [[-0.1, 0.0], [0.0, 0.1]],
    "binned 2x1": [[-0.2, 0.0], [0.0, 0.1]],
    "binned 1x2, turned": turned(35.0, [[-0.1, 0.0], [0.0, 0.2]]),
    "sheared": [[-0.1, 0.04], [0.0, 0.1]],
    "mirrored": [[0.1, 0.0], [0.0, 0.14]],
    "sheared, mirrored and turned": turned(-20.0, [[0.1, 0.03], [0.01, 0.16]]),
}
pixels = pytest.mark.parametrize("pixel", PIXELS)


def image_wcs(cd, *, side=SIDE, crval=STAR, crpix=None, ctype=("RA---TAN", "DEC--TAN"), shift=(0.0, 0.0)):
    w = WCS(naxis=2)
    w.wcs.ctype = list(ctype)
    w.wcs.crval = np.asarray(crval, dtype=float) + np.asarray(shift) / 3600.0
    w.wcs.crpix = [(side + 1) / 2] * 2 if crpix is None else crpix
    w.wcs.cd = np.asarray(cd, dtype=float) / 3600.0
    w.pixel_shape = (side, side)
    w.wcs.set()
    return w


def pixel_areas(w, side=SIDE):
    """Area of every pixel on the sky in square arcsec, from the spherical quadrilaterals of the corners."""
    edges = np.arange(side + 1) - 0.5
    lon, lat = (np.radians(v) for v in w.all_pix2world(*np.meshgrid(edges, edges), 0))
    vector = np.stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)], axis=-1)
    one, two = vector[1:, 1:] - vector[:-1, :-1], vector[1:, :-1] - vector[:-1, 1:]
    return np.linalg.norm(np.cross(one, two), axis=-1) / 2.0 * np.degrees(3600.0) ** 2


def star_image(w, *, star=STAR, sigma=0.3, flux=1000.0, side=SIDE):
    """A star on the pixels of a WCS: the flux of each pixel."""
    lon, lat = w.all_pix2world(*np.meshgrid(np.arange(side), np.arange(side)), 0)
    east = (lon - star[0] + 180.0) % 360.0 - 180.0
    r2 = ((east * np.cos(np.radians(star[1]))) ** 2 + (lat - star[1]) ** 2) * 3600.0**2
    return flux * pixel_areas(w, side) * np.exp(-r2 / (2 * sigma**2)) / (2 * np.pi * sigma**2)


DITHER = ((0.0, 0.0), (0.13, 0.21), (-0.03, 0.1), (0.05, -0.07))


def dithered(cd, dither=DITHER):
    found = []
    for k, shift in enumerate(dither):
        w = image_wcs(cd, shift=shift)
        found.append(Exposure.from_arrays(star_image(w), w, name=f"e{k}", exptime=10.0))
    return found


FRAMES = {
    "default": dict,
    "fine": lambda: {"final_scale": 0.06, "final_rot": 10.0},
    "oblong reference": lambda: {"final_refimage": image_wcs([[-0.05, 0.0], [0.0, 0.1]], side=120)},
    "sheared reference": lambda: {
        "final_refimage": image_wcs(turned(50.0, [[-0.12, 0.05], [0.0, 0.07]]), side=120)
    },
}


#: The kernels whose weights have a width; a point falls on one pixel, and two points on one pixel are averaged.
WIDE = [k for k in shipped("kernel") if k.support is None or k.support(1.0, 1.0) > 0]


@pixels
@pytest.mark.parametrize("frame", FRAMES)
@pytest.mark.parametrize("pixfrac", [1.0, 0.7])
def test_a_star_keeps_its_flux(pixel, frame, pixfrac):
    result = drizframe.run(dithered(PIXELS[pixel]), final_pixfrac=pixfrac, **ONLY_DRIZZLE, **FRAMES[frame]())
    # shrunken pixels of four exposures sample the star unevenly
    assert np.nansum(result.sci) == pytest.approx(1000.0, rel=1e-4 if pixfrac == 1.0 else 1.2e-2)


@pixels
@pytest.mark.parametrize("kernel", WIDE, ids=lambda k: k.name)
def test_kernels_know_pixels_that_are_not_square(pixel, kernel):
    """One exposure alone: no other fills holes."""
    result = drizframe.run(dithered(PIXELS[pixel], ((0.0, 0.0),)), final_kernel=kernel.name, **ONLY_DRIZZLE)
    # a sampled Gaussian covers the output less evenly than the others
    assert np.nansum(result.sci) == pytest.approx(1000.0, rel=max(5e-3, kernel.flux_error / 8))


@pixels
@pytest.mark.parametrize("kernel", [k.name for k in WIDE if "conserves_flux" in k.traits])
def test_an_even_image_of_oblong_pixels_has_no_holes(pixel, kernel):
    w = image_wcs(PIXELS[pixel])
    exposure = Exposure.from_arrays(np.ones((SIDE, SIDE)), w, name="e", unit="electrons/s")
    result = drizframe.run([exposure], final_kernel=kernel, final_rot=17.0, **ONLY_DRIZZLE)
    ny, nx = result.sci.shape
    inner = slice(ny // 2 - 8, ny // 2 + 8), slice(nx // 2 - 8, nx // 2 + 8)
    assert (result.wht[inner] > 0).all()
    np.testing.assert_allclose(result.sci[inner], 1.0, rtol=1e-6)


@pixels
@pytest.mark.parametrize("frame", ["fine", "oblong reference", "sheared reference"])
def test_blot_gives_the_exposure_back(pixel, frame):
    """The mosaic of exposures, blotted, is each exposure itself: in its own units, whatever the area of its pixels."""
    exposures = dithered(PIXELS[pixel])
    result = drizframe.run(exposures, **ONLY_DRIZZLE, **FRAMES[frame]())
    chip, grid = exposures[0].chips[0], result.mosaic.frame
    ratio = scale_ratio(chip, grid)
    blot = blot_chip(np.nan_to_num(result.sci), pixel_map(chip, grid), POLY5, factor=1.0 / ratio**2)
    assert blot.sum() == pytest.approx(1000.0, rel=2e-3)
    np.testing.assert_allclose(blot, chip.data(), atol=0.15 * blot.max())


PROJECTIONS = {
    "plate carree far from its equator": (("RA---CAR", "DEC--CAR"), 60.0),
    "sinusoidal": (("RA---SFL", "DEC--SFL"), 60.0),
    "mercator": (("RA---MER", "DEC--MER"), 50.0),
    "stereographic far from its centre": (("RA---STG", "DEC--STG"), 40.0),
    "tangent plane far from its centre": (("RA---TAN", "DEC--TAN"), 20.0),
    "equal-area": (("RA---ZEA", "DEC--ZEA"), 30.0),
}


def far_from_reference(ctype, lat, *, scale, side):
    """An image at a latitude whose WCS has its reference point on the equator."""
    w = image_wcs([[-scale, 0.0], [0.0, scale]], side=side, crval=(150.0, 0.0), ctype=ctype, crpix=(0.0, 0.0))
    x, y = w.all_world2pix(150.0, lat, 1)
    w.wcs.crpix = [(side + 1) / 2 - x, (side + 1) / 2 - y]
    w.wcs.set()
    return w


@pytest.mark.parametrize("name", PROJECTIONS)
@pytest.mark.parametrize("which", ["frame", "chip"])
def test_projections_that_change_areas_keep_the_flux(name, which):
    ctype, lat = PROJECTIONS[name]
    star = (150.0, lat)
    far = far_from_reference(ctype, lat, scale=0.1, side=150)
    near = image_wcs([[-0.1, 0.0], [0.0, 0.1]], crval=star)
    if which == "frame":
        exposure = Exposure.from_arrays(star_image(near, star=star), near, name="e")
        result = drizframe.run([exposure], final_refimage=far, **ONLY_DRIZZLE)
    else:
        exposure = Exposure.from_arrays(star_image(far, star=star, side=150), far, name="e")
        result = drizframe.run([exposure], **ONLY_DRIZZLE)
    assert np.nansum(result.sci) == pytest.approx(1000.0, rel=2e-4)


matrices = st.tuples(*[st.floats(-1.0, 1.0)] * 4).filter(lambda m: abs(m[0] * m[3] - m[1] * m[2]) > 0.2)


@settings(max_examples=60, deadline=None)
@given(chip=matrices, frame=matrices)
def test_squared_ratio_is_that_of_the_areas_for_any_linear_wcs(chip, frame):
    one, two = (np.reshape(m, (2, 2)) * 0.1 for m in (chip, frame))
    exposure = Exposure.from_arrays(np.zeros((SIDE, SIDE)), image_wcs(one), name="e", unit="electrons/s")
    ratio = scale_ratio(exposure.chips[0], frame_from_reference(image_wcs(two)))
    areas = abs(np.linalg.det(two) / np.linalg.det(one))
    assert ratio**2 == pytest.approx(areas, rel=1e-6)
    sx, sy = axes_of(ratio)
    jacobian = np.linalg.inv(two) @ one
    assert (sx, sy) == pytest.approx(tuple(1.0 / np.hypot(*row) for row in jacobian), rel=2e-5)
    same = pickle.loads(pickle.dumps(ratio))  # noqa: S301
    assert (float(same), axes_of(same)) == (float(ratio), axes_of(ratio))


def test_square_pixels_have_a_plain_number_for_ratio():
    exposure = Exposure.from_arrays(
        np.zeros((SIDE, SIDE)), image_wcs(turned(30.0, PIXELS["square"])), name="e"
    )
    ratio = scale_ratio(exposure.chips[0], default_frame([exposure]))
    assert not isinstance(ratio, PixelScale)
    assert ratio == pytest.approx(1.0, rel=1e-12)


def test_pixel_scale_of_the_user_decides_over_the_wcs():
    w = image_wcs(PIXELS["square"])
    data = star_image(w)
    own = Exposure.from_arrays(data, w, name="e", pixel_scale=0.2)
    assert chip_scale(own.chips[0]) == 0.2
    result = drizframe.run([own], **ONLY_DRIZZLE)
    assert np.nansum(result.sci) == pytest.approx(1000.0 * 0.1**2 / 0.2**2, rel=1e-4)


def test_chips_of_one_exposure_have_areas_of_their_own():
    coarse, fine = image_wcs(PIXELS["binned 2x1"], shift=(0.0, 30.0)), image_wcs(PIXELS["square"])
    images = [star_image(coarse, star=tuple(coarse.wcs.crval)), star_image(fine)]
    result = drizframe.run([Exposure.from_arrays(images, [coarse, fine], name="e")], **ONLY_DRIZZLE)
    assert np.nansum(result.sci) == pytest.approx(2000.0, rel=1e-3)


def test_sky_of_matched_exposures_is_a_brightness_on_the_sky():
    """Two exposures of one sky, pixels of other shape: what is subtracted goes with the area of the pixel."""
    exposures = []
    for k, (name, level) in enumerate((("square", 3.0), ("binned 2x1", 3.0))):
        w = image_wcs(PIXELS[name])
        rng = np.random.default_rng(k)
        data = pixel_areas(w) / 0.01 * level + rng.normal(0, 1e-3, (SIDE, SIDE))
        exposures.append(Exposure.from_arrays(data, w, name=f"e{k}"))
    result = drizframe.run(exposures, skymethod="globalmin", driz_separate=False, median=False, blot=False,
                           driz_cr=False, static=False, num_cores=1)  # fmt: skip
    assert np.nanmax(np.abs(result.sci[result.wht > 0])) < 0.01


@pytest.mark.parametrize("count", [1, 4])
@pixels
def test_without_coefficients_oblong_pixels_lie_on_the_frame_and_keep_their_flux(pixel, count):
    result = drizframe.run(dithered(PIXELS[pixel], DITHER[:count]), coeffs=False, **ONLY_DRIZZLE)
    assert np.nansum(result.sci) == pytest.approx(1000.0, rel=1e-3)
    frame = result.mosaic.frame
    area = abs(np.linalg.det(PIXELS[pixel])) * SIDE**2 / frame.scale**2
    assert 0.8 * area < frame.shape[0] * frame.shape[1] < 3.0 * area


def test_without_coefficients_exposures_in_memory_have_no_distortion():
    w = image_wcs(PIXELS["square"])
    bent = w.deepcopy()
    a = np.zeros((3, 3))
    a[2, 0] = 2e-3
    bent.sip = Sip(a, a, None, None, w.wcs.crpix)
    data = star_image(w)
    plain, straight = (
        drizframe.run([Exposure.from_arrays(data, v, name="e")], coeffs=False, **ONLY_DRIZZLE)
        for v in (w, bent)
    )
    np.testing.assert_array_equal(straight.sci, plain.sci)
