"""What holds for every stack and every chip, whatever the numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drizframe.hooks import CombineOptions, CosmicRayOptions
from drizframe.stock.combine.imean import IMEAN
from drizframe.stock.combine.imedian import IMEDIAN
from drizframe.stock.combine.iminmed import IMINMED
from drizframe.stock.combine.mean import MEAN
from drizframe.stock.combine.median import MEDIAN
from drizframe.stock.combine.minmed import MINMED
from drizframe.stock.cosmic_rays.deriv import DERIV
from drizframe.stock.steps.cosmic_rays import noise_model
from drizframe.stock.steps.derivative import DERIVATIVE

masking = pytest.mark.parametrize(
    "record", [MEDIAN, MEAN, MINMED, IMEDIAN, IMEAN, IMINMED], ids=lambda r: r.name
)
kinds = pytest.mark.parametrize("kind", ["reference", "fast"])
seeds = st.integers(0, 2**32)


def stack(seed: int, n: int) -> tuple[np.ndarray, np.ndarray, dict[str, Any]]:
    rng = np.random.default_rng(seed)
    shape = (n, 7, 11)
    facts = {
        "weight": rng.uniform(1, 500, shape).astype(np.float32), "exptime": rng.uniform(1, 500, n),
        "background": rng.uniform(0, 50, n), "readnoise": rng.uniform(0, 9, n), "n_total": n,
    }  # fmt: skip
    return rng.normal(1, 1, shape).astype(np.float32), rng.random(shape) < 0.4, facts


@masking
@kinds
@settings(max_examples=15, deadline=None)
@given(seed=seeds, n=st.integers(2, 7), junk=st.sampled_from([np.nan, np.inf, -np.inf, 0.0, 1e30, -1e30]))
def test_masked_values_do_not_matter(record, kind, seed, n, junk):
    values, bad, facts = stack(seed, n)
    bad[-1] &= ~bad[:-1].all(axis=0)  # the last image shows through where all are masked, by design
    options, function = CombineOptions(nlow=1, nsigma=(1, 0.5)), getattr(record, kind)
    other = np.where(bad, np.float32(junk), values)
    np.testing.assert_array_equal(
        function(other, bad, options=options, **facts), function(values, bad, options=options, **facts)
    )


@masking
@kinds
def test_value_that_is_not_finite_is_masked(record, kind):
    values, bad, facts = stack(8, 5)
    options, function = CombineOptions(nsigma=(1, 0.5)), getattr(record, kind)
    holes = values.copy()
    holes[bad] = np.nan
    masked = bad.copy()
    masked[-1] &= ~bad[:-1].all(axis=0)
    holes[-1][~masked[-1]] = values[-1][~masked[-1]]
    image = function(holes, np.zeros_like(bad), options=options, **facts)
    np.testing.assert_array_equal(image, function(values, masked, options=options, **facts))
    assert np.isfinite(image).all()


@pytest.mark.parametrize("record", [MEDIAN, MEAN], ids=lambda r: r.name)
@kinds
@settings(max_examples=15, deadline=None)
@given(seed=seeds, n=st.integers(2, 7))
def test_order_of_exposures_does_not_matter(record, kind, seed, n):
    assert "order_free" in record.traits
    values, bad, facts = stack(seed, n)
    turn = np.random.default_rng(seed).permutation(n)
    function, options = getattr(record, kind), CombineOptions(nlow=1)
    np.testing.assert_array_equal(
        function(values[turn], bad[turn], options=options, **facts),
        function(values, bad, options=options, **facts),
    )


@kinds
@settings(max_examples=15, deadline=None)
@given(seed=seeds, n=st.integers(2, 7), grow=st.integers(0, 3))
def test_minmed_is_the_median_or_the_minimum_and_depends_on_its_halo_only(kind, seed, n, grow):
    values, bad, facts = stack(seed, n)
    options, function = CombineOptions(nsigma=(0.5, 0.1), grow=grow), getattr(MINMED, kind)
    image = function(values, bad, options=options, **facts)
    high = CombineOptions(nsigma=(1e9, 1e9), grow=0)
    median = function(values, bad, options=high, **facts)
    least = np.where(bad.all(axis=0), 0, np.where(bad, np.inf, values).min(axis=0))
    assert ((image == median) | (image == least)).all()
    assert MINMED.halo(options) == grow
    far = np.s_[:, grow + 1 :]  # changes in column 0 reach column `grow`
    changed = values.copy()
    changed[..., 0] *= -50
    np.testing.assert_array_equal(function(changed, bad, options=options, **facts)[far], image[far])


@kinds
def test_a_missing_exposure_counts_as_a_masked_one_without_weight(kind):
    values, bad, facts = stack(9, 4)
    bad[-1], facts["weight"][-1] = True, 0
    options, function = CombineOptions(nsigma=(0.5, 0.1)), getattr(MINMED, kind)
    fewer = {**facts, **{k: facts[k][:3] for k in ("weight", "exptime", "background", "readnoise")}}
    np.testing.assert_array_equal(
        function(values[:3], bad[:3], options=options, **fewer),
        function(values, bad, options=options, **facts),
    )


def chip(seed: int, shape: tuple[int, int] = (16, 15)) -> tuple[np.ndarray, np.ndarray]:
    """Whole numbers, so that sums and differences are exact."""
    rng = np.random.default_rng(seed)
    blot = rng.integers(10, 40, shape).astype(np.float32)
    return (blot + rng.integers(-40, 80, shape)).astype(np.float32), blot


def found(sci: np.ndarray, blot: np.ndarray, kind: str, *, sky: float = 0, **options: Any) -> np.ndarray:
    noise = noise_model(blot, gain=1.0, sky=sky, readnoise=5.0)
    slope = getattr(DERIVATIVE, kind)(blot)
    return getattr(DERIV, kind)(sci, blot, slope, noise, None, None, CosmicRayOptions(**options))


@kinds
@settings(max_examples=20, deadline=None)
@given(
    seed=seeds,
    high=st.tuples(st.floats(1, 6), st.floats(1, 6)),
    less=st.tuples(st.floats(0, 1), st.floats(0, 1)),
)
def test_mask_never_shrinks_when_snr_falls(kind, seed, high, less):
    sci, blot = chip(seed)
    low = (high[0] * less[0], high[1] * less[1])
    options = {"grow": 3, "ctegrow": 2, "cte_direction": 1}
    few, many = (found(sci, blot, kind, snr=snr, **options) > 0 for snr in (high, low))
    assert not (few & ~many).any()


@kinds
@settings(max_examples=20, deadline=None)
@given(seed=seeds, shift=st.integers(1, 500))
def test_constant_moved_from_sky_to_both_images_changes_nothing_inside(kind, seed, shift):
    """Difference, gradient and noise stay; at the border the gradient is the value itself, so it does not."""
    sci, blot = chip(seed)
    codes = found(sci, blot, kind, sky=500)
    moved = found(sci + np.float32(shift), blot + np.float32(shift), kind, sky=500 - shift)
    np.testing.assert_array_equal(moved[2:-3, 2:-3], codes[2:-3, 2:-3])


@kinds
@settings(max_examples=20, deadline=None)
@given(seed=seeds)
def test_excess_and_deficit_are_flagged_alike(kind, seed):
    sci, blot = chip(seed)
    np.testing.assert_array_equal(found(2 * blot - sci, blot, kind), found(sci, blot, kind))


@kinds
@pytest.mark.parametrize(
    ("grow", "reach"), [(0, (0, 0)), (1, (0, 0)), (2, (0, 1)), (3, (1, 1)), (4, (1, 2)), (5, (2, 2))]
)
def test_flag_spreads_over_a_box(kind, grow, reach):
    blot = np.full((20, 20), 10, dtype=np.float32)
    sci = blot.copy()
    sci[9, 8] = 500
    rows, columns = np.nonzero(found(sci, blot, kind, grow=grow))
    assert (rows.min() - 9, rows.max() - 9) == (columns.min() - 8, columns.max() - 8) == (-reach[0], reach[1])
    assert rows.size == (1 + sum(reach)) ** 2


@kinds
@pytest.mark.parametrize(("direction", "rows"), [(1, [6, 7, 8]), (-1, [10, 11, 12]), (0, [])])
def test_tail_runs_along_the_column_from_the_mask_before_growth(kind, direction, rows):
    blot = np.full((20, 20), 10, dtype=np.float32)
    sci = blot.copy()
    sci[9, 8] = np.nan  # what is not a number is flagged
    codes = found(sci, blot, kind, ctegrow=3, cte_direction=direction, grow=3)
    assert codes[9, 8] == 1
    assert np.nonzero(codes & 4)[0].tolist() == rows
    assert set(np.nonzero(codes & 4)[1]) <= {8}
    assert (codes & 2 > 0).sum() == 8


@kinds
def test_derivative_is_at_least_the_value_on_the_border_and_spreads_what_is_not_a_number(kind):
    image = np.full((8, 9), 7, dtype=np.float32)
    image[3, 4] = np.nan
    slope = getattr(DERIVATIVE, kind)(image)
    inner = np.zeros((8, 9), dtype=bool)
    inner[1:-2, 1:-2] = True
    assert (slope[~inner] == 7).all()
    assert sorted(zip(*np.nonzero(np.isnan(slope)), strict=True)) == [(2, 4), (3, 3), (3, 4), (3, 5), (4, 4)]
    assert (slope[inner & ~np.isnan(slope)] == 0).all()
