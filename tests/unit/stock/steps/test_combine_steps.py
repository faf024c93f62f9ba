"""The steps median_thresholds, median and cosmic_rays on jobs without a run."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
from astropy.wcs import WCS
from shipped import by_name

import drizframe
from drizframe.config.parameters import make_parameters
from drizframe.engine.job import RunJob
from drizframe.errors import HookError, ParameterError, RunError
from drizframe.hooks import CombineOptions, Combiner, CosmicRayDetector, PluginManager, Registry, Step
from drizframe.model import RUN, ChipUnit, Exposure, ExposureUnit, SkyValue, Window
from drizframe.stock.combine.median import MEDIAN as MEDIAN_COMBINER
from drizframe.stock.combine.minmed import MINMED
from drizframe.stock.steps import median as median_step
from drizframe.stock.steps.cosmic_rays import COSMIC_RAYS, cleaned, noise_model
from drizframe.stock.steps.derivative import DERIVATIVE
from drizframe.stock.steps.median import (
    MEDIAN,
    MEMBERS,
    THRESHOLDS,
    check_combination,
    combine_options,
    weight_threshold,
)
from drizframe.testing import FakeJob
from drizframe.testing.samples import sample_exposures

SHAPE = (40, 50)


def wcs() -> WCS:
    w = WCS(naxis=2)
    w.wcs.ctype, w.wcs.cdelt = ["RA---TAN", "DEC--TAN"], [-1e-5, 1e-5]
    w.wcs.crval, w.wcs.crpix = [10.0, 20.0], [5.0, 5.0]
    return w


REGISTRY = Registry(PluginManager(installed=False))


def job_on(
    step: Step, exps: list[Exposure], planes: dict[Any, Any], unit: Any = None, window: Any = None, **p: Any
) -> FakeJob:
    """A job with the planes that the step reads, on a frame of 40 x 50 pixels."""
    read = {key: value for key, value in planes.items() if key[0] in step.consumes}
    return FakeJob(step, read, exposures=exps, unit=unit, window=window, frames={"separate": SHAPE}, **p)


def exposures(n: int, **options: Any) -> list[Exposure]:
    data = [np.zeros((6, 7), dtype=np.float32)] * 2
    return [
        Exposure.from_arrays(
            data, [wcs(), wcs()], name=f"e{k}", exptime=100.0 * (k + 1), readnoise=5 + k,
            **{"unit": "electrons", **options},
        )
        for k in range(n)
    ]  # fmt: skip


def stacked(n: int, **options: Any) -> tuple[list[Exposure], dict[Any, Any]]:
    rng = np.random.default_rng(1)
    planes: dict[Any, Any] = {}
    for k in range(n):
        planes["single.sci", ExposureUnit(k)] = rng.normal(1, 0.5, SHAPE).astype(np.float32)
        planes["single.wht", ExposureUnit(k)] = rng.choice([0, 20, 100, 120], SHAPE).astype(np.float32)
        planes["sky", ChipUnit(k, 0)] = SkyValue(subtracted=9.0 + k, level=9.0 + k)
        planes["sky", ChipUnit(k, 1)] = SkyValue(subtracted=7.0 + k, level=7.0 + k)
    return exposures(n, **options), planes


def with_thresholds(exps: list[Exposure], planes: dict[Any, Any]) -> dict[Any, Any]:
    found = dict(planes)
    for k in range(len(exps)):
        made = job_on(THRESHOLDS, exps, planes, ExposureUnit(k)).run()
        found["single.threshold", ExposureUnit(k)] = made["single.threshold"]
    return found


def combined(exps: list[Exposure], planes: dict[Any, Any], **p: Any) -> np.ndarray:
    image: np.ndarray = job_on(MEDIAN, exps, planes, **p).run()["median"]
    return image


def test_threshold_is_a_fraction_of_the_mean_of_exposed_pixels():
    weight = np.zeros((200, 3), dtype=np.float32)
    weight[10:150] = 10
    weight[150:] = 1e-9
    assert weight_threshold(weight, 0.3) == 3.0
    assert weight_threshold(np.zeros((5, 5), dtype=np.float32), 0.3) == 0
    weight[199, 2] = np.nan
    assert weight_threshold(weight, 0.3) == 0


def test_median_equals_the_combiner_on_the_whole_frame():
    exps, planes = stacked(3)
    planes = with_thresholds(exps, planes)
    stack = np.array([planes["single.sci", ExposureUnit(k)] for k in range(3)])
    weight = np.array([planes["single.wht", ExposureUnit(k)] for k in range(3)])
    bad = np.array([weight[k] < planes["single.threshold", ExposureUnit(k)] for k in range(3)])
    assert bad.any()
    combine: Any = MINMED.reference
    expected = combine(
        stack, bad, weight=weight, exptime=np.array([100.0, 200.0, 300.0]),
        background=np.array([7.0, 8.0, 9.0]),  # the smaller of both chips
        readnoise=np.array([5.0, 6.0, 7.0]), n_total=3, options=CombineOptions(),
    )  # fmt: skip
    image = combined(exps, planes)
    assert image.dtype == np.float32
    np.testing.assert_array_equal(image, expected)


def test_background_is_the_minimum_in_electrons_for_images_in_counts():
    """Trap 12-6: converted levels are compared with converted levels."""
    exps, planes = stacked(2, unit="counts", gain=7.0)
    seen = {}

    def spy(stack: Any, bad: Any, **facts: Any) -> Any:
        seen.update(facts)
        return stack[0]

    combined(exps, planes, combine_type=Combiner(name="spy", summary="Looks.", reference=spy))
    assert seen["background"].tolist() == [49.0, 56.0]
    assert seen["exptime"].tolist() == [100.0, 200.0]


@pytest.mark.parametrize("grow", [0, 1, 4])
def test_median_does_not_depend_on_tiles(grow):
    exps, planes = stacked(4)
    planes = with_thresholds(exps, planes)
    options = {"combine_grow": grow, "combine_nsigma": (0.5, 0.2)}
    whole = combined(exps, planes, **options)
    parts = np.full(SHAPE, np.nan, dtype=np.float32)
    for y in range(0, 40, 16):
        for x in range(0, 50, 7):
            window = Window(y, min(y + 16, 40), x, min(x + 7, 50))
            tile = job_on(MEDIAN, exps, planes, window=window, **options).run()["median"]
            assert tile.shape == window.shape
            parts[window.slices] = tile
    np.testing.assert_array_equal(parts, whole)


@pytest.mark.parametrize("combine_type", by_name("combiner"))
@pytest.mark.parametrize("masked", [True, False])
def test_median_depends_neither_on_pieces_nor_on_exposures_that_are_elsewhere(
    combine_type, masked, monkeypatch
):
    """Each exposure covers a part of the frame; one has no threshold, so that its zeros count."""
    exps, planes = stacked(6)
    corners = [(0, 0), (0, 25), (20, 0), (20, 25), (10, 10), (0, 30)]
    parts = {k: Window(y, y + 20, x, x + 20) for k, (y, x) in enumerate(corners)}
    for k, part in parts.items():
        for name in ("single.sci", "single.wht"):
            cut = np.zeros(SHAPE, np.float32)
            cut[part.slices] = planes[name, ExposureUnit(k)][part.slices]
            planes[name, ExposureUnit(k)] = cut
        planes["single.threshold", ExposureUnit(k)] = 0.0 if k == 4 else 30.0
    options = {
        "combine_grow": 3,
        "combine_nsigma": (0.5, 0.2),
        "combine_type": combine_type,
        "median_newmasks": masked,
    }

    def footprint(self, unit):
        return parts[unit.exposure]

    whole = combined(exps, planes, **options)
    monkeypatch.setattr(RunJob, "footprint", footprint)
    asked = []
    monkeypatch.setattr(median_step, "MOST", 3000)
    monkeypatch.setattr(median_step, "LEAST", 4)
    combine = median_step._Combination._combined

    def counted(self, wide, chosen):
        asked.append(list(chosen))
        return combine(self, wide, chosen)

    monkeypatch.setattr(median_step._Combination, "_combined", counted)
    np.testing.assert_array_equal(combined(exps, planes, **options), whole)
    assert len(asked) >= 4
    assert any(len(chosen) < 6 for chosen in asked) == masked
    assert all({4, 5} <= set(chosen) for chosen in asked)


def test_a_combiner_that_does_not_promise_to_do_without_gets_all_exposures_on_every_tile():
    """Facts of all exposures, the first one as a reference, a number of images: each is what a combiner may use."""
    seen = []

    def weighed(stack: Any, bad: Any, *, exptime: Any, **facts: Any) -> Any:
        seen.append(len(stack))
        return ((stack * exptime[:, None, None].astype(np.float32)).sum(axis=0) / exptime.sum()).astype(
            np.float32
        )

    record = Combiner(name="mine.weighed", summary="Weighed.", reference=weighed, minimum=lambda options: 2)
    made = [
        drizframe.run(sample_exposures(4, (60, 60)), combine_type=record, tile_size=size, num_cores=1)
        for size in (1024, 16)
    ]
    assert set(seen) == {4}
    np.testing.assert_array_equal(made[0].median, made[1].median)


@pytest.mark.parametrize("physical", [True, False])
def test_the_step_before_gathers_what_the_median_would_find_itself(physical):
    exps, planes = stacked(3, **({"unit": "nJy"} if physical else {}))
    if physical:
        planes |= {("noise.level", ChipUnit(k, c)): 0.01 * (k + c + 1) for k in range(3) for c in range(2)}
    planes = with_thresholds(exps, planes)
    made = job_on(MEMBERS, exps, planes).run()
    gathered = {**planes, ("median.members", RUN): made["median.members"]}
    np.testing.assert_array_equal(combined(exps, gathered), combined(exps, planes))
    assert made["median.members"].always == {2}


@pytest.mark.parametrize(("combine_type", "border"), [("minmed", 3), ("median", 0)])
def test_the_border_comes_from_the_combiner(combine_type, border):
    window = Window(10, 20, 10, 20)
    job = job_on(MEDIAN, *stacked(3), window=window, combine_grow=3, combine_type=combine_type)
    assert job.read("single.sci", ExposureUnit(0)).shape == (10 + 2 * border, 10 + 2 * border)
    with pytest.raises(HookError, match=f"declares a border of {border} pixels"):
        job.read("single.sci", ExposureUnit(0), window.grown(border + 1))


def test_without_masks_uncovered_pixels_count_as_zero():
    """Trap 12-13."""
    exps, planes = stacked(2)
    for k in range(2):
        planes["single.sci", ExposureUnit(k)] = np.full(SHAPE, 4 * k, dtype=np.float32)
        planes["single.wht", ExposureUnit(k)] = np.full(SHAPE, 100 * k, dtype=np.float32)
    masked = with_thresholds(exps, planes)
    masked["single.threshold", ExposureUnit(0)] = 1.0
    assert (combined(exps, masked, combine_type="median") == 4).all()
    assert (combined(exps, masked, combine_type="median", median_newmasks=False) == 2).all()
    assert MEDIAN.enabled is not None
    assert THRESHOLDS.enabled is not None
    assert not THRESHOLDS.enabled(make_parameters({"median_newmasks": False}), exps)
    assert THRESHOLDS.enabled(make_parameters({}), exps)
    assert not MEDIAN.enabled(make_parameters({}), exps[:1])
    assert not MEDIAN.enabled(make_parameters({"median": False}), exps)


def test_combination_that_leaves_nothing_is_refused_while_planning():
    """Trap 12-15; minmed does not use the two numbers."""
    p = make_parameters({"combine_type": "median", "combine_nlow": 1, "combine_nhigh": 2})
    options = combine_options(p)
    check_combination(p, 4, MEDIAN_COMBINER, options)
    check_combination(p, 2, MINMED, options)
    with pytest.raises(ParameterError, match="at least 4 exposures but there are 3"):
        check_combination(p, 3, MEDIAN_COMBINER, options)
    assert MEDIAN.check is not None
    with pytest.raises(ParameterError, match="combine_nhigh=2"):
        MEDIAN.check(p, exposures(3), REGISTRY)


def test_missing_single_images_are_an_error():
    exps, planes = stacked(2)
    del planes["single.wht", ExposureUnit(1)]
    with pytest.raises(
        RunError, match=r"'median' needs plane 'single.wht' of e1, .* Step 'separate' makes it"
    ):
        combined(exps, planes)
    with pytest.raises(RunError, match=r"'single.wht' of e1, .* Step 'separate' makes it"):
        job_on(THRESHOLDS, exps, planes, ExposureUnit(1)).run()


def chips(**options: Any) -> tuple[list[Exposure], dict[Any, Any]]:
    rng = np.random.default_rng(2)
    unit = ChipUnit(1, 0)
    blot = rng.uniform(20, 30, (6, 7)).astype(np.float32)
    sci = blot + np.float32(1)
    sci[2, 3] += 900
    dq = np.zeros((6, 7), dtype=np.int16)
    dq[4, 4], dq[4, 5] = 16, 4096
    planes = {("sci", unit): sci, ("blot", unit): blot, ("dq", unit): dq, ("sky", unit): SkyValue(2.0, 3.0)}
    for image in (sci, blot, dq):
        image.flags.writeable = False
    return exposures(2, **options), planes


def test_cosmic_rays_in_counts_are_tested_in_electrons():
    exps, planes = chips(unit="counts", gain=4.0)
    unit = ChipUnit(1, 0)
    made = job_on(COSMIC_RAYS, exps, planes, unit, driz_cr_corr=True).run()
    blot, sci = planes["blot", unit] * np.float32(4), planes["sci", unit] * np.float32(4)
    noise = np.sqrt(np.float32(4) * np.abs(blot + np.float32(12)) + np.float32(36)) / np.float32(4)
    np.testing.assert_array_equal(noise, noise_model(blot, gain=4.0, sky=12.0, readnoise=6.0))
    derivative: Any = DERIVATIVE.reference
    slope = derivative(blot)
    passes = np.abs(sci - blot) <= np.float32(0.7) * slope + np.float32(3) * noise
    assert set(made) <= set(COSMIC_RAYS.produces)
    assert made["mask.cr"].dtype == np.uint8
    assert made["mask.cr"][2, 3] == 0
    assert (made["mask.cr"] >= passes).all()
    expected = planes["sci", unit].copy()
    expected[2, 3], expected[4, 4] = planes["blot", unit][2, 3], planes["blot", unit][4, 4]
    np.testing.assert_array_equal(made["crclean"], expected)
    assert made["crclean.dq"].dtype == np.uint16
    assert np.argwhere(made["crclean.dq"]).tolist() == [[2, 3], [4, 4]]
    assert made["crclean.dq"].max() == 4096


def test_cleaned_images_only_on_demand():
    exps, planes = chips()
    assert set(job_on(COSMIC_RAYS, exps, planes, ChipUnit(1, 0)).run()) == {"mask.cr"}
    assert COSMIC_RAYS.enabled is not None
    assert COSMIC_RAYS.enabled(make_parameters({}), exps)
    assert not COSMIC_RAYS.enabled(make_parameters({"driz_cr": False}), exps)


def test_flag_of_the_highest_bit_fits():
    """Trap 14-9."""
    image, mask = np.ones((2, 2), dtype=np.float32), np.zeros((2, 2), dtype=np.uint8)
    assert (cleaned(image, image, mask, None, conversion=1.0, crbit=32768)[1] == 32768).all()
    with pytest.raises(ParameterError, match="16 bits"):
        cleaned(image, image, mask, None, conversion=1.0, crbit=65536)


def test_missing_blot_is_an_error_unless_the_detector_needs_none():
    exps, planes = chips()
    del planes["blot", ChipUnit(1, 0)]
    with pytest.raises(RunError, match=r"blotted median.*driz_cr off"):
        job_on(COSMIC_RAYS, exps, planes, ChipUnit(1, 0)).run()

    def bright(sci: Any, blot: Any, deriv: Any, noise: Any, depth: Any, dq: Any, options: Any) -> Any:
        assert blot is None
        assert deriv is None
        return (sci > 20 * noise).astype(np.uint8) * 8

    alone = CosmicRayDetector(name="alone", summary="Bright.", reference=bright)
    made = job_on(COSMIC_RAYS, exps, planes, ChipUnit(1, 0), cr_detector=alone).run()
    assert np.argwhere(made["mask.cr"] == 0).tolist() == [[2, 3]]
    with pytest.raises(RunError, match="driz_cr_corr"):
        job_on(COSMIC_RAYS, exps, planes, ChipUnit(1, 0), cr_detector=alone, driz_cr_corr=True).run()


def test_tail_direction_comes_from_the_chip():
    exps, planes = chips()
    chip = dataclasses.replace(exps[1].chips[0], cte_direction=1)
    exps[1] = exps[1].with_chips([chip, exps[1].chips[1]])
    mask = job_on(COSMIC_RAYS, exps, planes, ChipUnit(1, 0), driz_cr_ctegrow=2).run()["mask.cr"]
    assert np.argwhere(mask == 0).tolist() == [[0, 3], [1, 3], [2, 3]]
