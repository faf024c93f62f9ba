"""The steps separate and final, on a job that keeps planes in a dictionary."""

from typing import Any

import numpy as np
import pytest
from astropy.wcs import WCS

from drizframe.errors import InputError, RunError
from drizframe.hooks import Weighting
from drizframe.model import ChipUnit, Exposure, ExposureUnit, PixelMap, SkyValue, Window
from drizframe.stock.steps import final, separate
from drizframe.testing import FakeJob

SHAPE = (20, 24)


SEEN: list[Any] = []


def by_time(chip, mask, sky, ratio, options):
    SEEN.append(options)
    return np.where(mask != 0, np.float32(chip.exptime), np.float32(0)), 1.0 if isinstance(
        options.wt_scl, str
    ) else options.wt_scl


EXP = Weighting(name="EXP", summary="Time.", reference=by_time)
WITH_FLAT = Weighting(name="FLAT", summary="Time.", reference=by_time, traits=frozenset({"needs_flat"}))


def onto_frame(unit, which):
    return PixelMap.from_function(lambda x, y: (x + 5.0, y + 3.0 + 25.0 * unit.chip), SHAPE)


def wcs():
    w = WCS(naxis=2)
    w.wcs.ctype = ["RA---TAN", "DEC--TAN"]
    w.wcs.cdelt = [-1e-5, 1e-5]
    return w


def exposures(unit="electrons", gain=1.0, chips=2, count=1, exptime=50.0):
    ones = [np.full(SHAPE, 100.0 + k, dtype=np.float32) for k in range(chips)]
    return [
        Exposure.from_arrays(ones, [wcs()] * chips, name=f"e{n}", exptime=exptime, unit=unit, gain=gain)
        for n in range(count)
    ]


def planes_of(all_exposures, **more):
    planes = {}
    for e, exposure in enumerate(all_exposures):
        for c in range(len(exposure.chips)):
            planes.update({(name, ChipUnit(e, c)): value for name, value in more.items()})
    return planes


FRAME, TILE = (60, 40), Window(0, 60, 0, 40)
WEIGHTS = {separate: separate.SEPARATE_WEIGHTS, final: final.FINAL_WEIGHTS}
COMMON = {"driz_sep_kernel": "turbo", "final_kernel": "square"}


def job_on(step, all_exposures, planes, unit=None, window=None, **settings):
    """A job on frames of 60 x 40 pixels, onto which chips are shifted."""
    read = {key: value for key, value in planes.items() if key[0] in step.consumes}
    return FakeJob(
        step, read, exposures=all_exposures, unit=unit, window=window, frames={"separate": FRAME, "final": FRAME},
        maps=onto_frame, ratio=1.0, **{**COMMON, "final_wht_type": EXP, **settings},
    )  # fmt: skip


def weighted(module, all_exposures, planes, **settings):
    """Run the step that makes the weights on every chip, and keep what it gives."""
    for unit in [ChipUnit(e, c) for e, x in enumerate(all_exposures) for c in range(len(x.chips))]:
        made = job_on(WEIGHTS[module], all_exposures, planes, unit, **settings).run()
        planes.update({(name, unit): value for name, value in made.items()})
    return planes


def run_separate(all_exposures, planes, window=TILE, **settings):
    weighted(separate, all_exposures, planes, **settings)
    job = job_on(separate.SEPARATE, all_exposures, planes, ExposureUnit(0), window, **settings)
    return job.run(), job


def test_separate_gives_electrons_per_second_and_seconds():
    sky = SkyValue(subtracted=20.0, level=20.0)
    run = exposures()
    planes = planes_of(run, sky=sky)
    out, _ = run_separate(run, planes)
    assert out["single.sci"].dtype == out["single.wht"].dtype == np.float32
    np.testing.assert_allclose(out["single.sci"][3:23, 5:29], 80.0 / 50.0)
    np.testing.assert_allclose(out["single.sci"][28:48, 5:29], 81.0 / 50.0)
    np.testing.assert_allclose(out["single.wht"][3:23, 5:29], 50.0)
    assert not out["single.sci"][24:28].any()  # untouched pixels are 0
    assert out["single.wht"].sum() == pytest.approx(2 * 20 * 24 * 50.0)


@pytest.mark.parametrize(
    ("unit", "gain", "rate"),
    [("counts", 7.0, 700.0 / 50.0), ("electrons/s", 1.0, 100.0), ("counts/s", 5.4, 540.0)],
)
def test_units_become_electrons_per_second(unit, gain, rate):
    run = exposures(unit, gain, chips=1)
    out, _ = run_separate(run, planes_of(run))
    np.testing.assert_allclose(out["single.sci"][3:23, 5:29], rate, rtol=1e-6)


@pytest.mark.parametrize(("scale", "weight"), [("exptime", 50.0), ("expsq", 2500.0), (3.0, 150.0)])
def test_weight_scale_means_what_the_documentation_says(scale, weight):
    """Trap 10-10: "expsq" weights by the square of the exposure time."""
    run = exposures(chips=1)
    out, _ = run_separate(run, planes_of(run), driz_sep_wt_scl=scale)
    np.testing.assert_allclose(out["single.wht"][3:23, 5:29], weight)


def test_separate_masks_flags_and_static_pixels_and_fills():
    run = exposures(chips=1)
    dq, static = np.zeros(SHAPE, dtype=np.int16), np.ones(SHAPE, dtype=np.uint8)
    dq[1, 1], dq[2, 2], static[3, 3] = 4, 8, 0
    planes = planes_of(run, dq=dq, **{"mask.static": static})
    out, _ = run_separate(run, planes, driz_sep_bits=8, driz_sep_fillval=-9.0)
    wht = out["single.wht"][3:23, 5:29]
    assert sorted(zip(*(i.tolist() for i in np.nonzero(wht == 0)), strict=True)) == [(1, 1), (3, 3)]
    assert out["single.sci"][3 + 1, 5 + 1] == out["single.sci"][0, 0] == -9.0
    open_fill, _ = run_separate(run, planes, driz_sep_bits=8)
    assert open_fill["single.sci"][3 + 1, 5 + 1] == pytest.approx(2.0)  # the value it would have had


def test_a_tile_reads_only_chips_that_touch_it():
    run = exposures()
    out, job = run_separate(run, planes_of(run), window=Window(30, 40, 0, 40))
    assert {k.unit for k in job.reads if k.name == "sci"} == {ChipUnit(0, 1)}
    assert out["single.sci"].shape == (10, 40)


def run_final(all_exposures, planes, **settings):
    weighted(final, all_exposures, planes, **settings)
    return job_on(final.FINAL, all_exposures, planes, **settings).run()


def test_final_sums_weights_and_sets_a_bit_for_every_chip():
    run = exposures(count=2)
    out = run_final(run, planes_of(run))
    np.testing.assert_allclose(out["mosaic.wht"][3:23, 5:29], 100.0)
    np.testing.assert_allclose(out["mosaic.sci"][28:48, 5:29], 101.0 / 50.0)
    assert np.isnan(out["mosaic.sci"][0, 0])
    assert out["mosaic.ctx"].shape == (1, 60, 40)
    assert (out["mosaic.ctx"][0, 3:23, 5:29] == 0b0101).all()
    assert (out["mosaic.ctx"][0, 28:48, 5:29] == 0b1010).all()
    assert "mosaic.var" not in out
    off = run_final(run, planes_of(run), context=False, final_maskval=-3.0)
    assert "mosaic.ctx" not in off
    assert off["mosaic.sci"][0, 0] == -3.0


def test_many_chips_need_more_planes():
    run = exposures(chips=1, count=33)
    out = run_final(run, planes_of(run))
    assert out["mosaic.ctx"].shape == (2, 60, 40)
    assert (out["mosaic.ctx"][1, 3:23, 5:29] == 1).all()


def test_cosmic_rays_count_unless_they_would_leave_nothing():
    """Trap 08-9."""
    run = exposures(chips=1)
    rays = np.ones(SHAPE, dtype=np.uint8)
    rays[4, 4] = 0
    out = run_final(run, planes_of(run, **{"mask.cr": rays}))
    assert out["mosaic.wht"][7, 9] == 0.0
    all_bad = planes_of(run, dq=np.ones(SHAPE, dtype=np.int16), **{"mask.cr": rays})
    weighted(final, run, all_bad)
    assert not all_bad["final.mask", ChipUnit(0, 0)].any()


def test_native_counts_divide_every_chip_by_its_own_gain():
    """Traps 02-6 and 10-14: chips of different gain give one flat mosaic in counts."""
    run = exposures("counts", gain=7.0, chips=1) + exposures("counts", gain=14.0, chips=1)
    planes = planes_of(run)
    out = run_final(run, planes)
    np.testing.assert_allclose(out["mosaic.sci"][3:23, 5:29], 100.0 / 50.0, rtol=1e-6)
    electrons = run_final(run, planes, proc_unit="electrons")
    np.testing.assert_allclose(electrons["mosaic.sci"][3:23, 5:29], 10.5 * 100.0 / 50.0, rtol=1e-6)


def test_variance_comes_from_the_error_images():
    run = exposures(chips=1, count=2)
    planes = planes_of(run, err=np.full(SHAPE, 10.0, dtype=np.float32))
    out = run_final(run, planes, layers=("variance",))
    np.testing.assert_allclose(out["mosaic.var"][3:23, 5:29], (10.0 / 50.0) ** 2 / 2, rtol=1e-6)
    assert np.isnan(out["mosaic.var"][0, 0])
    with pytest.raises(InputError, match="error image"):
        run_final(run, planes_of(run), layers=("variance",))


def test_flat_fields_are_read_only_for_weightings_that_want_them():
    run = exposures(chips=1)
    flat, ivm = np.ones(SHAPE), np.full(SHAPE, 2.0)

    def job_with(**more):
        planes = planes_of(run, **more.pop("planes"))
        return job_on(final.FINAL_WEIGHTS, run, planes, ChipUnit(0, 0), **more)

    job = job_with(planes={"flat": flat})
    job.run()
    assert SEEN[-1].flat is None
    assert "flat" not in {k.name for k in job.reads}
    job_with(planes={"flat": flat}, final_wht_type=WITH_FLAT, final_wt_scl=2.0).run()
    np.testing.assert_array_equal(SEEN[-1].flat, flat)
    assert SEEN[-1].wt_scl == 2.0
    job_with(planes={"flat": flat, "ivm": ivm}, final_wht_type=WITH_FLAT).run()
    np.testing.assert_array_equal(SEEN[-1].ivm, ivm)


@pytest.mark.parametrize("step", [separate.SEPARATE, final.FINAL])
def test_planes_that_were_not_made_are_named(step):
    run = exposures(chips=1)
    maker = f"{step.name}_weights"
    with pytest.raises(RunError, match=rf"(single|final)\.mask.* of e0, chip 1.*Step '{maker}' makes it"):
        job_on(step, run, {}).run()


def test_steps_say_what_they_do():
    assert separate.drizframe_step_separate().produces == ("single.sci", "single.wht")
    assert final.drizframe_step_final().grid == "final"
    assert [s.name for m in (separate, final) for s in m.drizframe_extra_steps()] == [
        "separate_weights",
        "final_weights",
    ]
