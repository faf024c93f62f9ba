"""The weightings EXP, ERR and IVM against their formulas."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
from astropy.wcs import WCS

from drizframe.errors import DrizframeWarning, InputError, ParameterError, ShapeError
from drizframe.hooks import WeightOptions
from drizframe.model import Chip, Exposure, SkyValue
from drizframe.stock.weights.err import ERR
from drizframe.stock.weights.exp import EXP
from drizframe.stock.weights.ivm import IVM

SHAPE = (3, 4)
MASK = np.ones(SHAPE, dtype=np.uint8)
MASK[1, 2] = 0
GOOD = MASK.astype(np.float64)
SKY = SkyValue(subtracted=10.0, level=10.0, method="localmin")


def chip(**options: Any) -> Chip:
    w = WCS(naxis=2)
    w.wcs.ctype = ["RA---TAN", "DEC--TAN"]
    facts = {"exptime": 200.0, "unit": "electrons", "readnoise": 3.0, "dark": 2.0, **options}
    return Exposure.from_arrays(np.zeros(SHAPE, dtype=np.float32), w, **facts).chips[0]


def weigh(record: Any, chip: Chip, sky: SkyValue | None = SKY, ratio: float = 2.0, **options: Any) -> Any:
    return record.reference(chip, MASK, sky, ratio, WeightOptions(**options))


@pytest.mark.parametrize(
    ("wt_scl", "value", "scale"), [("exptime", 200, 1), ("expsq", 40000, 1), (2.5, 200, 2.5), (3, 200, 3)]
)
def test_exposure_time_is_the_weight(wt_scl, value, scale):
    """Trap 08-1: expsq weights by the square, as documented."""
    weight, factor = weigh(EXP, chip(), wt_scl=wt_scl)
    assert weight.dtype == np.float32
    np.testing.assert_array_equal(weight, value * GOOD)
    assert factor == scale


def test_unknown_weight_scale_is_refused():
    with pytest.raises(ParameterError, match="'exptimes'"):
        weigh(EXP, chip(), wt_scl="exptimes")


def test_error_array_gives_the_inverse_variance_of_the_rate():
    err = np.full(SHAPE, 4, dtype=np.float32)
    weight, scale = weigh(ERR, chip(err=err), wt_scl=7.0)
    np.testing.assert_array_equal(weight, 2500 * GOOD)
    assert scale == 1 / 16


def test_error_of_a_rate_is_not_scaled_with_time():
    """Trap 08-3."""
    weight, _ = weigh(ERR, chip(err=np.full(SHAPE, 4, dtype=np.float32), unit="electrons/s"))
    np.testing.assert_array_equal(weight, GOOD / 16)


@pytest.mark.parametrize("value", [0, -1, np.nan, np.inf, -np.inf, 1e-30])
def test_error_that_is_none_means_weight_zero(value):
    """Trap 08-2, where the mask is bad too."""
    err = np.full(SHAPE, 4, dtype=np.float32)
    err[0, 0] = err[1, 2] = value
    weight, _ = weigh(ERR, chip(err=err))
    expected = 2500 * GOOD
    expected[0, 0] = 0
    np.testing.assert_array_equal(weight, expected)


def test_without_error_array_the_weight_is_the_exposure_time():
    """Trap 08-11."""
    with pytest.warns(DrizframeWarning, match="no error array"):
        weight, scale = weigh(ERR, chip(), wt_scl=3.0)
    np.testing.assert_array_equal(weight, 200 * GOOD)
    assert scale == 3


def test_inverse_variance_in_electrons():
    flat = np.linspace(0.8, 1.2, 12).reshape(SHAPE)
    weight, scale = weigh(IVM, chip(), flat=flat)
    np.testing.assert_allclose(weight, flat**2 / (2 + 10 * flat + 9) * GOOD, rtol=1e-6)  # float32
    assert weight.dtype == np.float32
    assert scale == 200**2 / 16


@pytest.mark.parametrize(
    ("unit", "gain", "level"), [("counts", 7.0, 70), ("electrons/s", 1.0, 2000), ("counts/s", 7.0, 14000)]
)
def test_sky_is_converted_to_electrons_of_the_exposure(unit, gain, level):
    """Traps 08-5 and 02-7."""
    weight, _ = weigh(IVM, chip(unit=unit, gain=gain), flat=np.ones(SHAPE))
    np.testing.assert_allclose(weight, GOOD / (2 + level + 9), rtol=1e-6)


def test_missing_flat_counts_as_one_with_a_warning():
    with pytest.warns(DrizframeWarning, match="No flat field"):
        weight, _ = weigh(IVM, chip(), sky=None)
    np.testing.assert_allclose(weight, GOOD / 11, rtol=1e-6)


def test_missing_dark_is_an_error_that_says_what_to_do():
    with pytest.raises(InputError, match="MEANDARK"):
        weigh(IVM, chip(dark=None), flat=np.ones(SHAPE))


def test_relative_sky_is_warned_about():
    """Trap 08-7."""
    with pytest.warns(DrizframeWarning, match="relative"):
        weigh(IVM, chip(), sky=dataclasses.replace(SKY, method="match"), flat=np.ones(SHAPE))


@pytest.mark.parametrize("value", [0, -1, np.nan, np.inf])
def test_flat_that_is_none_means_weight_zero(value):
    flat = np.ones(SHAPE)
    flat[2, 3] = value
    weight, _ = weigh(IVM, chip(), flat=flat)
    assert weight[2, 3] == 0
    assert (weight[:2] == weight[0, 0] * GOOD[:2]).all()


def test_variance_that_is_not_positive_means_weight_zero():
    weight, _ = weigh(IVM, chip(), sky=SkyValue(-50.0, -50.0), flat=np.ones(SHAPE))
    assert (weight == 0).all()


def test_map_of_the_user_is_taken_as_it_is_and_needs_no_dark():
    given = np.full(SHAPE, 0.25)
    given[0, 1], given[0, 2] = -1, np.nan
    weight, scale = weigh(IVM, chip(dark=None), ivm=given)
    expected = 0.25 * GOOD
    expected[0, 1:3] = 0
    np.testing.assert_array_equal(weight, expected)
    assert scale == 200**2 / 16


@pytest.mark.parametrize("name", ["ivm", "flat"])
def test_image_on_other_pixels_is_refused(name):
    given: dict[str, Any] = {name: np.ones((2, 4))}
    with pytest.raises(ShapeError, match=r"\(2, 4\).*\(3, 4\)"):
        weigh(IVM, chip(), **given)
