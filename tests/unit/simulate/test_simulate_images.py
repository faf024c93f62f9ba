"""Pixels of simulated exposures against the truth."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest

from drizframe.errors import ParameterError, UnknownComponentError
from drizframe.simulate import (
    CAMERAS,
    Galaxies,
    Pointing,
    Psf,
    Scene,
    Sky,
    Stars,
    camera_named,
    dither,
    random_scene,
    register_camera,
    simulate,
)
from drizframe.simulate.detector import cosmic_rays, defects

SHAPE = (120, 140)
QUIET: dict[str, Any] = {"noise": False, "cosmic_rays": False, "bad_pixels": 0.0, "saturation": False}


def visit(camera="acs_wfc", scene=None, n=1, **options):
    made = camera_named(camera) if isinstance(camera, str) else camera
    scene = scene or random_scene(2, size=made.extent(SHAPE), stars=30, galaxies=2)
    return simulate(
        made, scene, dither(n, roll=25.0, roll_step=2.0), **{"seed": 4, "shape": SHAPE, **options}
    )


def lone_star(camera, index, shape=SHAPE, rate=30.0):
    """Return a scene with one star near the middle of a chip, and a pointing."""
    pointing = Pointing(ra=20.0, dec=-50.0, roll=70.0, exptime=400.0)
    empty = simulate(camera, Scene(sky=Sky(rate=0.0)), [pointing], seed=0, shape=shape, **QUIET)[0]
    ra, dec = empty.chips[index].wcs.all_pix2world(shape[1] / 2 + 0.3, shape[0] / 2 - 0.2, 0)
    return Scene(stars=stars_of(ra=ra, dec=dec, rate=[rate]), sky=Sky(rate=0.0)), pointing


def stars_of(**columns: Any) -> Stars:
    """Make stars of lists."""
    return Stars(**columns)


def galaxies_of(**columns: Any) -> Galaxies:
    """Make galaxies of lists."""
    return Galaxies(**columns)


def chips_of(camera):
    return range(len(camera_named(camera).chips))


@pytest.mark.parametrize(("name", "index"), [(n, k) for n in CAMERAS for k in chips_of(n)])
def test_a_star_lies_at_its_mapped_position_and_holds_its_flux(name, index):
    camera = dataclasses.replace(camera_named(name), psf=Psf(fwhm=2 * camera_named(name).scale, beta=None))
    scene, pointing = lone_star(camera, index)
    chip = simulate(camera, scene, [pointing], seed=1, shape=SHAPE, **QUIET)[0].chips[index]
    truth = chip.truth
    assert truth.star.tolist() == [0]
    x, y = chip.wcs.all_world2pix(scene.stars.ra, scene.stars.dec, 0, tolerance=1e-8)
    np.testing.assert_allclose([truth.x[0], truth.y[0]], [x[0], y[0]], atol=1e-5)
    electrons = chip.sci.astype(float) * (400.0 if camera.ramp else 1.0)
    rows, columns = np.indices(SHAPE)
    assert (electrons * columns).sum() / electrons.sum() == pytest.approx(truth.x[0], abs=2e-4)
    assert (electrons * rows).sum() / electrons.sum() == pytest.approx(truth.y[0], abs=2e-4)
    assert electrons.sum() * truth.area[0] == pytest.approx(30.0 * 400.0, rel=1e-5)
    assert electrons.sum() == pytest.approx(truth.counts[0], rel=1e-5)


def test_pixel_area_is_that_of_the_pixel_on_the_sky():
    from drizframe.simulate.sphere import to_tangent

    camera = camera_named("acs_hrc")
    scene, pointing = lone_star(camera, 0)
    chip = simulate(camera, scene, [pointing], seed=1, shape=SHAPE, **QUIET)[0].chips[0]
    x, y = chip.truth.x[0], chip.truth.y[0]
    cx, cy = np.array([-0.5, 0.5, 0.5, -0.5]) + x, np.array([-0.5, -0.5, 0.5, 0.5]) + y
    ra, dec = chip.wcs.all_pix2world(cx, cy, 0)
    px, py = to_tangent(ra, dec, scene.stars.ra[0], scene.stars.dec[0])
    area = abs(np.dot(px, np.roll(py, 1)) - np.dot(py, np.roll(px, 1))) / 2 * 3600**2
    assert chip.truth.area[0] == pytest.approx(
        area / camera.scale**2, rel=2e-5
    )  # the tables are piecewise linear


def test_the_psf_is_round_on_the_sky_not_on_the_skewed_detector():
    camera = dataclasses.replace(camera_named("acs_hrc"), psf=Psf(fwhm=0.1, beta=None))
    scene, pointing = lone_star(camera, 0)
    chip = simulate(camera, scene, [pointing], seed=1, shape=SHAPE, **QUIET)[0].chips[0]
    rows, columns = np.indices(SHAPE)
    d = np.stack([columns - chip.truth.x[0], rows - chip.truth.y[0]])
    weight = chip.sci.astype(float) / chip.sci.sum(dtype=float)
    moments = np.einsum("ayx,byx,yx->ab", d, d, weight) - np.eye(2) / 12
    on_sky = (chip.wcs.wcs.cd * 3600) @ moments @ (chip.wcs.wcs.cd * 3600).T
    np.testing.assert_allclose(on_sky, camera.psf.width**2 * np.eye(2), atol=0.03 * camera.psf.width**2)


def test_a_star_beyond_the_edge_still_leaves_its_wing():
    camera = camera_named("generic")
    scene, pointing = lone_star(camera, 0, rate=1e4)
    moved = dataclasses.replace(
        pointing, ra=pointing.ra + (SHAPE[1] / 2 + 3) * 0.1 / 3600 / np.cos(np.deg2rad(50)), roll=0.0
    )
    chip = simulate(camera, scene, [moved], seed=1, shape=SHAPE, **QUIET)[0].chips[0]
    assert chip.truth.star.size == 0
    assert chip.sci.max() > 1.0


def undistorted(camera):
    """Square pixels on the linear axes: no SIP, no tables, no skew."""
    plain = (camera.scale, 0.0, 0.0, camera.scale)
    chips = (
        dataclasses.replace(c, linear=plain, sip_a={}, sip_b={}, npol=(0.0, 0.0), d2im=(0.0, 0.0))
        for c in camera.chips
    )
    return dataclasses.replace(camera, chips=tuple(chips))


@pytest.mark.parametrize("index", [0.5, 1.0, 4.0])
def test_a_galaxy_holds_its_flux_and_its_angle(index):
    camera = undistorted(camera_named("generic"))
    scene = Scene(
        galaxies=galaxies_of(
            ra=[20.0], dec=[-50.0], rate=[100.0], radius=[0.6], ratio=[0.4], angle=[30.0], index=[index]
        ),
        sky=Sky(rate=0.0),
    )
    pointing = Pointing(ra=20.0, dec=-50.0, roll=0.0, exptime=10.0)
    chip = simulate(camera, scene, [pointing], seed=1, shape=(141, 141), **QUIET)[0].chips[0]
    assert chip.sci.sum(dtype=float) == pytest.approx(1000.0, rel=1e-4)
    rows, columns = np.indices(chip.sci.shape)
    x, y = (float(v) for v in chip.wcs.all_world2pix(20.0, -50.0, 0))
    north, east = rows - y, x - columns
    nn, ee, ne = ((a * b * chip.sci).sum() for a, b in ((north, north), (east, east), (north, east)))
    assert np.rad2deg(np.arctan2(2 * ne, nn - ee) / 2) == pytest.approx(30.0, abs=1.0)


def test_the_sky_is_constant_in_flat_fielded_units():
    sim = visit(scene=Scene(sky=Sky(rate=0.13)), **QUIET)
    for chip in sim[0].chips:
        np.testing.assert_allclose(chip.sci, 0.13 * 500.0, rtol=1e-6)


def test_each_pointing_may_bring_its_own_sky():
    sim = simulate("generic", Scene(), [Pointing(sky=0.3), Pointing()], seed=1, shape=(20, 20), **QUIET)
    assert [float(e.chips[0].sci.mean()) for e in sim] == pytest.approx([150.0, 50.0])
    assert [e.chips[0].truth.sky for e in sim] == [0.3, 0.1]


def test_the_same_seed_gives_the_same_pixels_in_any_order():
    first, second = visit(n=3), visit(n=3)
    for a, b in zip(reversed(first), reversed(second[:]), strict=True):
        for p, q in zip(a.chips, b.chips, strict=True):
            np.testing.assert_array_equal(p.sci, q.sci)
            np.testing.assert_array_equal(p.dq, q.dq)
            assert p.header.tostring() == q.header.tostring()
    assert not np.array_equal(first[0].chips[0].sci, visit(n=3, seed=5)[0].chips[0].sci)
    assert not np.array_equal(first[0].chips[0].truth.rays, first[1].chips[0].truth.rays)


def test_cosmic_rays_are_what_differs_from_an_exposure_without():
    options = {"saturation": False, "bad_pixels": 0.0}
    with_rays, without = visit(**options), visit(cosmic_rays=False, **options)
    for a, b in zip(with_rays[0].chips, without[0].chips, strict=True):
        np.testing.assert_allclose(a.sci - b.sci, a.truth.rays, rtol=1e-5, atol=0.02)
        assert (a.truth.rays > 100).sum() > 50
        assert not b.truth.rays.any()
        assert not (a.dq & 4096).any()


def test_tracks_are_longer_than_a_pixel_and_their_number_sets_the_charge():
    rng = np.random.default_rng(3)
    few, many = (cosmic_rays(np.random.default_rng(3), (400, 400), n) for n in (100, 1000))
    assert 5 < (few > 0).sum() / 100 < 40
    assert many.sum() == pytest.approx(10 * few.sum(), rel=0.5)
    assert few[few > 0].min() >= 5.0
    assert not cosmic_rays(rng, (10, 10), 0).any()


def test_noise_is_poisson_and_read_noise():
    camera = dataclasses.replace(camera_named("generic"), readnoise=7.0, dark=0.02)
    sim = simulate(camera, Scene(sky=Sky(rate=0.2)), [Pointing(exptime=500.0)], seed=9, shape=(300, 300),
                   cosmic_rays=False, bad_pixels=0.0)  # fmt: skip
    chip = sim[0].chips[0]
    variance = 0.2 * 500 + 0.02 * 500 + 7.0**2
    count = chip.sci.size
    assert chip.sci.mean(dtype=float) == pytest.approx(100.0, abs=5 * np.sqrt(variance / count))
    assert chip.sci.var(dtype=float) == pytest.approx(variance, rel=5 * np.sqrt(2 / count))
    np.testing.assert_allclose(chip.err, np.sqrt(variance), rtol=1e-6)


def test_infrared_images_are_rates_with_the_noise_of_the_exposure():
    sim = visit("wfc3_ir", Scene(sky=Sky(rate=1.0)), bad_pixels=0.0)
    chip = sim[0].chips[0]
    assert chip.header["BUNIT"] == "ELECTRONS/S"
    assert chip.sci.mean(dtype=float) == pytest.approx(1.0, abs=0.005)
    assert chip.sci.std(dtype=float) == pytest.approx(chip.err.mean(dtype=float), rel=0.05)
    assert chip.err.mean() == pytest.approx(np.sqrt(500 + 0.045 * 500 + 14.0**2) / 500, rel=1e-4)


def test_bad_pixels_are_flagged_the_same_in_every_exposure():
    sim = visit(n=2, bad_pixels=0.01, bad_columns=2, cosmic_rays=False)
    first, second = sim[0].chips[0], sim[1].chips[0]
    np.testing.assert_array_equal(first.truth.bad, second.truth.bad)
    np.testing.assert_array_equal((first.dq & 4) != 0, first.truth.bad)
    assert not np.array_equal(first.truth.bad, sim[0].chips[1].truth.bad)
    assert (first.truth.bad.sum(axis=0) >= SHAPE[0] // 2).sum() == 2
    quiet = visit(
        n=2, bad_pixels=0.01, bad_columns=2, **{k: v for k, v in QUIET.items() if k != "bad_pixels"}
    )[0].chips[0]
    clean = visit(n=2, **QUIET)[0].chips[0]
    np.testing.assert_array_equal(quiet.sci != clean.sci, quiet.truth.bad)


def test_defects_follow_their_fraction():
    flaws = defects(np.random.default_rng(1), (100, 100), 0.02, 0)
    assert flaws.bad.sum() == 200
    assert (flaws.hot > 0).sum() == 100


def test_saturated_pixels_are_clipped_and_flagged():
    sim = visit(
        scene=random_scene(2, size=30, stars=40, galaxies=0, bright=500.0),
        saturation=3000.0,
        cosmic_rays=False,
    )
    for chip in sim[0].chips:
        flagged = (chip.dq & 256) != 0
        assert flagged.any()
        assert (chip.sci[flagged] == 3000.0).all()
        assert chip.sci.max() == 3000.0
        np.testing.assert_array_equal(flagged, chip.truth.saturated)


def test_nan_pixels_come_on_request_without_a_flag():
    chip = visit(nan_fraction=0.05, bad_pixels=0.0, cosmic_rays=False)[0].chips[0]
    holes = np.isnan(chip.sci)
    assert holes.mean() == pytest.approx(0.05, abs=0.01)
    assert not chip.dq[holes].any()
    assert not np.isnan(visit()[0].chips[0].sci).any()


def test_longer_exposures_collect_more_light_and_more_rays():
    sim = simulate(
        "generic", Scene(), [Pointing(exptime=t) for t in (100.0, 2000.0)], seed=1, shape=(200, 200)
    )
    short, long = (e.chips[0] for e in sim)
    assert np.median(long.sci) == pytest.approx(20 * np.median(short.sci), rel=0.05)
    assert (long.truth.rays > 0).sum() > 10 * (short.truth.rays > 0).sum()


def test_a_scene_elsewhere_on_the_sky_leaves_only_background():
    far = random_scene(1, ra=330.1, dec=-2.2)
    for chip in visit(scene=far, **QUIET)[0].chips:
        assert chip.truth.star.size == 0
        np.testing.assert_allclose(chip.sci, 50.0, rtol=1e-6)


def test_exposures_come_as_records_with_arrays():
    drawn = visit("acs_wfc", n=2)
    records = drawn.exposures()
    assert [e.name for e in records] == ["jsim01aaq", "jsim02aaq"]
    exposure = records[1]
    assert (exposure.exptime, exposure.instrument, exposure.detector, exposure.pa_v3) == (
        500.0,
        "ACS",
        "WFC",
        27.0,
    )
    lower, upper = exposure.chips
    assert (lower.detector_chip, upper.detector_chip) == (2, 1)
    assert (lower.cte_direction, upper.cte_direction) == (-1, 1)
    assert lower.idc_scale == 0.05
    assert lower.ltv == (-1978.0, -1928.0)
    assert upper.ltv == (-1978.0, 0.0)
    assert lower.dark == pytest.approx(2.0)
    np.testing.assert_array_equal(lower.data(), drawn[1].chips[0].sci)
    np.testing.assert_array_equal(upper.plane("dq"), drawn[1].chips[1].dq)
    infrared = visit("wfc3_ir").exposures()[0].chips[0]
    assert infrared.rate
    assert infrared.conversion == 500.0


def test_a_camera_of_ones_own_can_be_registered_and_used_by_name():
    def tiny():
        return dataclasses.replace(camera_named("generic"), name="tiny", scale=0.2)

    register_camera(tiny)
    try:
        assert simulate("Tiny", Scene(), [Pointing()], seed=1, shape=(16, 16))[0].chips[0].sci.shape == (
            16,
            16,
        )
    finally:
        del CAMERAS["tiny"]
    with pytest.raises(UnknownComponentError, match=r"No camera named 'tiny'.*acs_wfc"):
        simulate("tiny", Scene(), [Pointing()], seed=1)


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"shape": (3000, 10)}, "have .2048, 4096."),
        ({"shape": (0, 10)}, "at least 1 pixel"),
        ({"cosmic_rays": -1.0}, "cosmic_rays is -1.0"),
        ({"bad_pixels": 2.0}, "bad_pixels is 2.0"),
        ({"nan_fraction": -0.1}, "nan_fraction is -0.1"),
        ({"saturation": 0.0}, "saturation is 0.0"),
        ({"seed": -1}, "seed is -1"),
    ],
)
def test_options_out_of_range_are_refused_by_name(options, text):
    with pytest.raises(ParameterError, match=text):
        visit(**options)


def test_no_pointing_and_no_such_exposure_are_errors():
    with pytest.raises(ParameterError, match="No pointings"):
        simulate("generic", Scene(), [], seed=1)
    with pytest.raises(IndexError, match="no exposure 3"):
        visit(n=2)[3]
