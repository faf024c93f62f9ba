"""The blot step: units, sky, what lies outside of the frame."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from astropy.io.fits import Header

from drizframe.config import Parameters
from drizframe.errors import RunError
from drizframe.model import RUN, Chip, ChipUnit, Frame, PixelMap, SkyValue
from drizframe.pixels.blot import blot_chip
from drizframe.stock.interpolators.nearest import NEAREST
from drizframe.stock.interpolators.poly5 import POLY5
from drizframe.stock.interpolators.sinc import SINC
from drizframe.stock.steps.blot import BLOT, drizframe_step_blot
from drizframe.stock.steps.blot import run_blot as run_on_job

RECORDS = {r.name: r for r in (NEAREST, POLY5, SINC)}


class FakeJob:
    """As much of a job as the step asks for."""

    unit = ChipUnit(0, 0)

    def __init__(self, median, sky, *, conversion=1.0, exptime=100.0, ratio=1.0, **parameters):
        self.parameters = Parameters(**parameters)
        self.planes = {("median", RUN): median, ("sky", self.unit): sky}
        self.ratio = ratio
        self.asked = []
        self.chip = Chip(
            extver=1, shape=(6, 8), wcs=None, load=lambda kind: None, header=Header(), exptime=exptime,
            conversion=conversion,
        )  # fmt: skip

    def read(self, name, unit=None, window=None):
        plane = self.planes[name, unit or self.unit]
        return plane if plane is None or window is None else plane[window.slices]

    def component(self, family, name):
        assert family == "interpolator"
        return RECORDS[name]

    def call(self, record):
        self.asked.append(record.name)
        return record.reference

    def scale_ratio(self, unit, which):
        assert which == "separate"
        return self.ratio

    def frame(self, which):
        return Frame(wcs=None, shape=(12, 14), scale=0.05)

    def blot(self, image, unit, **options):
        pixmap = PixelMap.from_table(lambda x, y: (x + 9.25, y + 3), (6, 8), 10.0)
        return blot_chip(image, pixmap, call=self.call, **options)


def run_blot(job: Any):
    return run_on_job(job)


MEDIAN = np.random.default_rng(1).uniform(1, 2, (12, 14)).astype(np.float32)


def test_the_hook_returns_the_step():
    assert drizframe_step_blot() is BLOT
    assert BLOT.scope == "chip"
    assert BLOT.produces == ("blot",)
    assert BLOT.enabled is not None
    assert BLOT.enabled(Parameters(), ())
    assert not BLOT.enabled(Parameters(blot=False), ())


def test_rate_times_time_over_area_over_conversion_plus_sky():
    job = FakeJob(MEDIAN, SkyValue(5.5, 5.5), conversion=7.0, ratio=0.5, blot_interp="nearest")
    blot = run_blot(job)["blot"]
    assert blot.dtype == np.float32
    np.testing.assert_allclose(blot[:, :5], MEDIAN[3:9, 9:14] * 100 / 0.25 / 7 + 5.5, rtol=3e-7)
    assert job.asked == ["nearest"]


def test_outside_of_the_frame_the_blot_is_the_sky():
    blot = run_blot(FakeJob(MEDIAN, SkyValue(0.1, 0.1)))["blot"]
    assert (blot[:, 5:] == np.float32(0.1)).all()


@pytest.mark.parametrize("sky", [None, SkyValue(None, 3.0)])
def test_no_sky_was_subtracted_so_none_is_added(sky):
    assert (run_blot(FakeJob(MEDIAN, sky, blot_skyval=9.0))["blot"][:, 5:] == 0).all()


def test_the_users_value_is_added_instead_of_the_sky():
    job = FakeJob(MEDIAN, SkyValue(5.0, 5.0), blot_addsky=False, blot_skyval=2.5)
    assert (run_blot(job)["blot"][:, 5:] == 2.5).all()


def test_sinscl_reaches_the_sinc_interpolator_and_only_that():
    one, two = (
        run_blot(FakeJob(MEDIAN, None, blot_interp="sinc", blot_sinscl=s))["blot"] for s in (1.0, 2.0)
    )
    assert np.isfinite(one).all()
    assert np.isfinite(two).all()
    run_blot(FakeJob(MEDIAN, None, blot_interp="poly5", blot_sinscl=2.0))


def test_nothing_that_was_read_is_changed():
    median = MEDIAN.copy()
    median.flags.writeable = False
    run_blot(FakeJob(median, SkyValue(1.0, 1.0)))
    np.testing.assert_array_equal(median, MEDIAN)


def test_a_missing_median_is_an_error_that_says_so():
    with pytest.raises(RunError, match="median"):
        run_blot(FakeJob(None, None))
