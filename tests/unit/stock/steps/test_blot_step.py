"""The blot step: units, sky, what lies outside of the frame."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from drizframe.config import Parameters
from drizframe.errors import RunError
from drizframe.model import Exposure, PixelMap, SkyValue
from drizframe.stock.steps.blot import BLOT, drizframe_step_blot
from drizframe.testing import FakeJob
from drizframe.testing.strategies import tangent_plane

SHAPE, FRAME = (6, 8), (12, 14)


def onto_frame(unit, which):
    return PixelMap.from_table(lambda x, y: (x + 9.25, y + 3), SHAPE, 10.0)


def job_of(median, sky, *, conversion=1.0, exptime=100.0, ratio=1.0, **parameters):
    """A job with one chip, which lies partly beside the frame."""
    exposure = Exposure.from_arrays(np.zeros(SHAPE, np.float32), tangent_plane(SHAPE, 0.05), exptime=exptime)
    chip = dataclasses.replace(exposure.chips[0], conversion=conversion)
    return FakeJob(
        BLOT, {"median": median, "sky": sky}, exposures=[exposure.with_chips([chip])],
        frames={"separate": FRAME}, maps=onto_frame, ratio=ratio, **parameters,
    )  # fmt: skip


MEDIAN = np.random.default_rng(1).uniform(1, 2, (12, 14)).astype(np.float32)


def test_the_hook_returns_the_step():
    assert drizframe_step_blot() is BLOT
    assert BLOT.over == "chip"
    assert BLOT.produces == ("blot",)
    assert BLOT.enabled is not None
    assert BLOT.enabled(Parameters(), ())
    assert not BLOT.enabled(Parameters(blot=False), ())


def test_rate_times_time_over_area_over_conversion_plus_sky():
    job = job_of(MEDIAN, SkyValue(5.5, 5.5), conversion=7.0, ratio=0.5, blot_interp="nearest")
    blot = job.run()["blot"]
    assert blot.dtype == np.float32
    np.testing.assert_allclose(blot[:, :5], MEDIAN[3:9, 9:14] * 100 / 0.25 / 7 + 5.5, rtol=3e-7)
    assert list(job.backends) == ["interpolator nearest"]


def test_outside_of_the_frame_the_blot_is_the_sky():
    blot = job_of(MEDIAN, SkyValue(0.1, 0.1)).run()["blot"]
    assert (blot[:, 5:] == np.float32(0.1)).all()


@pytest.mark.parametrize("sky", [None, SkyValue(None, 3.0)])
def test_no_sky_was_subtracted_so_none_is_added(sky):
    assert (job_of(MEDIAN, sky, blot_skyval=9.0).run()["blot"][:, 5:] == 0).all()


def test_the_users_value_is_added_instead_of_the_sky():
    job = job_of(MEDIAN, SkyValue(5.0, 5.0), blot_addsky=False, blot_skyval=2.5)
    assert (job.run()["blot"][:, 5:] == 2.5).all()


def test_sinscl_reaches_the_sinc_interpolator_and_only_that():
    one, two = (job_of(MEDIAN, None, blot_interp="sinc", blot_sinscl=s).run()["blot"] for s in (1.0, 2.0))
    assert np.isfinite(one).all()
    assert np.isfinite(two).all()
    job_of(MEDIAN, None, blot_interp="poly5", blot_sinscl=2.0).run()


def test_nothing_that_was_read_is_changed():
    median = MEDIAN.copy()
    median.flags.writeable = False
    job_of(median, SkyValue(1.0, 1.0)).run()
    np.testing.assert_array_equal(median, MEDIAN)


def test_a_missing_median_is_an_error_that_says_so():
    with pytest.raises(RunError, match="median"):
        job_of(None, None).run()
