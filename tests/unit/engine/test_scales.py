"""One mosaic has one unit and one scale of counts."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from astropy.wcs import WCS

from drizframe import Exposure
from drizframe.config import Parameters
from drizframe.engine.bus import Bus
from drizframe.engine.scales import bring_together
from drizframe.errors import InputError, ParameterError
from drizframe.hooks import PluginManager, WeightOptions
from drizframe.model import ArraySource
from drizframe.stock.steps.final import product_factor
from drizframe.stock.weights.err import error_weight

pytestmark = pytest.mark.filterwarnings("ignore::drizframe.errors.DrizframeWarning")


def plane():
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = ["RA---TAN", "DEC--TAN"]
    wcs.wcs.crval, wcs.wcs.crpix, wcs.wcs.cdelt = [150.0, 2.0], [3.0, 3.0], [-3e-5, 3e-5]
    wcs.wcs.set()
    return wcs


def exposure(gains, name="e", chips=None, unit="counts", detector="WFPC2", **facts):
    """One chip for each gain; `chips` are their numbers on the detector."""
    image = np.random.default_rng(1).normal(5.0, 1.0, (5, 5))
    made = Exposure.from_arrays(
        [image] * len(gains), [plane()] * len(gains), name=name, exptime=100.0, unit=unit
    )
    numbers = chips or range(1, len(gains) + 1)
    parts = [
        dataclasses.replace(
            c, gain=g, effective_gain=g if unit.startswith("counts") else 1.0, detector_chip=n, **facts
        )
        for c, g, n in zip(made.chips, gains, numbers, strict=True)
    ]
    return dataclasses.replace(made.with_chips(parts), instrument=detector, detector=detector)


def together(*exposures, **parameters):
    bus = Bus(PluginManager(), [])
    made, settings = bring_together(exposures, Parameters(**parameters), bus)
    factors = [[product_factor(c, settings.proc_unit) * c.exptime for c in e.chips] for e in made]
    return made, settings, bus.warnings, factors


def test_chips_of_one_setting_keep_their_own_gains():
    *_, warnings, factors = together(exposure([7.12, 6.90]), exposure([7.12, 6.90], "f"))
    assert factors == [[1.0, 1.0]] * 2
    assert not warnings


def test_another_setting_is_brought_to_that_of_the_first_chip_by_chip():
    *_, warnings, factors = together(exposure([7.12, 6.90]), exposure([13.99, 13.95], "f"))
    assert np.allclose(factors, [[1.0, 1.0], [13.99 / 7.12, 13.95 / 6.90]])
    assert len(warnings) == 1
    assert "f was taken with another gain than e" in warnings[0]
    assert "proc_unit" in warnings[0]


def test_a_setting_is_known_through_exposures_that_share_chips():
    a, b, c = exposure([7.0, 7.0]), exposure([14.0], "b", chips=[3]), exposure([14.0] * 3, "c")
    *_, factors = together(a, b, c)
    assert np.allclose(factors[1], [2.0])
    assert np.allclose(factors[2], [2.0] * 3)


def test_electrons_need_no_common_gain():
    *_, warnings, factors = together(exposure([7.0]), exposure([14.0], "f"), proc_unit="electrons")
    assert np.allclose(factors, [[7.0], [14.0]])
    assert not warnings


@pytest.mark.parametrize("unit", ["native", "electrons"])
def test_errors_weigh_alike_whatever_the_gain(unit):
    made, *_ = together(exposure([7.0]), exposure([14.0], "f"), proc_unit=unit)
    weights = []
    for e, gain in zip(made, (7.0, 14.0), strict=True):
        chip = dataclasses.replace(
            e.chips[0], load=ArraySource({"err": np.full((5, 5), 42.0 / gain)})
        )  # 42 electrons
        weights.append(error_weight(chip, np.ones((5, 5), np.uint8), None, 1.0, WeightOptions())[0][0, 0])
    assert weights[0] == pytest.approx((100.0 * 7.0 / 42.0) ** 2)
    assert weights[1] == pytest.approx(weights[0])


def test_errors_in_counts_and_electrons_weigh_alike():
    made, *_ = together(exposure([7.0]), exposure([1.0], "f", unit="electrons"))
    weights = []
    for e, sigma in zip(made, (6.0, 42.0), strict=True):
        chip = dataclasses.replace(e.chips[0], load=ArraySource({"err": np.full((5, 5), sigma)}))
        weights.append(error_weight(chip, np.ones((5, 5), np.uint8), None, 1.0, WeightOptions())[0][0, 0])
    assert weights[0] == pytest.approx(weights[1])


def test_counts_and_electrons_make_a_mosaic_in_electrons():
    _, settings, warnings, factors = together(exposure([7.0]), exposure([2.0], "f", unit="electrons"))
    assert settings.proc_unit == "electrons"
    assert np.allclose(factors, [[7.0], [1.0]])
    assert "Counts and electrons" in warnings[0]


def test_gains_that_were_used_to_make_electrons_are_told():
    _, _, warnings, _ = together(exposure([1.0], unit="electrons"), exposure([1.0], "f"))
    assert any("gains of f (1) in electrons per count" in w for w in warnings)


def test_counts_of_several_cameras_make_a_mosaic_in_electrons():
    _, settings, warnings, _ = together(exposure([7.0]), exposure([4.0], "f", detector="STIS"))
    assert settings.proc_unit == "electrons"
    assert "several cameras" in warnings[0]


def test_units_that_differ_by_a_factor_are_converted_to_the_first():
    made, _, warnings, _ = together(exposure([1.0], unit="Jy/arcsec2"), exposure([1.0], "f", unit="MJy/sr"))
    assert [e.chips[0].bunit for e in made] == ["Jy/arcsec2"] * 2
    assert np.allclose(made[1].chips[0].data() / made[0].chips[0].data(), 2.350443e-5, rtol=1e-5)
    assert "f is in 'MJy/sr' and converted to 'Jy/arcsec2'" in warnings[0]


@pytest.mark.parametrize("other", ["nJy", "electrons", "counts/s"])
def test_units_that_cannot_be_converted_name_both_exposures(other):
    with pytest.raises(InputError, match=r"f is in .*but e in 'MJy/sr' \(BUNIT\)"):
        together(exposure([1.0], unit="MJy/sr"), exposure([1.0], "f", unit=other))


def test_a_flux_cannot_be_multiplied_by_time():
    with pytest.raises(ParameterError, match="final_units='counts'.*'MJy/sr'"):
        together(exposure([1.0], unit="MJy/sr"), final_units="counts")
