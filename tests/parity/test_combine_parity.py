"""Compiled combiners, derivative and detector against their references: equal bits, from any thread."""

from __future__ import annotations

import inspect
import math
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shipped import shipped

from drizframe.errors import ShapeError
from drizframe.hooks import CombineOptions, CosmicRayOptions
from drizframe.stock.cosmic_rays.deriv import DERIV
from drizframe.stock.steps.derivative import DERIVATIVE

COMBINERS = shipped("combiner", twins=True)
pytestmark = pytest.mark.skipif(not COMBINERS, reason="compiled modules are not there, or switched off")
DETECTOR: Any = DERIV
SLOPE: Any = DERIVATIVE
every = pytest.mark.parametrize("record", COMBINERS, ids=lambda r: r.name)
#: Ties, zeros of both signs, large and small values, and what is not a value.
SPECIAL = np.array([0.0, -0.0, 1.0, 1.0, -3.5, 1e-30, 3e38, -3e38, np.nan, np.inf, -np.inf], dtype=np.float32)


def stack(
    seed: int, n: int, shape: tuple[int, int], special: float = 0.1
) -> tuple[np.ndarray, np.ndarray, dict[str, Any]]:
    rng = np.random.default_rng(seed)
    values = rng.normal(1, 1, (n, *shape)).astype(np.float32)
    values = np.where(rng.random(values.shape) < special, rng.choice(SPECIAL, values.shape), values)
    facts: dict[str, Any] = {
        "weight": rng.uniform(0, 500, values.shape).astype(np.float32),
        "exptime": rng.uniform(-1, 500, n), "background": rng.uniform(0, 50, n),
        "readnoise": rng.uniform(0, 9, n), "n_total": n,
    }  # fmt: skip
    bad = rng.random(values.shape) < rng.choice([0.0, 0.3, 0.9])
    for array in (values, bad, facts["weight"]):
        array.flags.writeable = False
    return values, bad, facts


options = st.builds(
    CombineOptions, nlow=st.integers(0, 4), nhigh=st.integers(0, 4), grow=st.integers(0, 4),
    lthresh=st.none() | st.floats(-2, 2), hthresh=st.none() | st.floats(-2, 5) | st.just(math.inf),
    nsigma=st.tuples(st.floats(0, 5), st.floats(0, 5)),
)  # fmt: skip
shapes = st.tuples(st.integers(0, 9), st.integers(0, 140))


@every
@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    n=st.integers(1, 12) | st.sampled_from([16, 17, 33]),
    shape=shapes,
    options=options,
)
def test_compiled_combiner_equals_reference(record, seed, n, shape, options):
    values, bad, facts = stack(seed, n, shape)
    slow = record.reference(values, bad, options=options, **facts)
    quick = record.fast(values, bad, options=options, **facts)
    assert slow.dtype == quick.dtype == np.float32
    np.testing.assert_array_equal(quick, slow)


@every
def test_compiled_combiner_equals_reference_for_300_exposures(record):
    values, bad, facts = stack(3, 300, (3, 70))
    opts = CombineOptions(nlow=7, nhigh=20)
    np.testing.assert_array_equal(
        record.fast(values, bad, options=opts, **facts), record.reference(values, bad, options=opts, **facts)
    )


@every
@pytest.mark.parametrize("kind", ["reference", "fast"])
def test_combiner_takes_views_and_refuses_misfits(record, kind):
    values, bad, facts = stack(4, 4, (8, 12))
    facts["weight"] = facts["weight"][:, ::2, ::3]
    function, opts = getattr(record, kind), CombineOptions()
    cut = function(values[:, ::2, ::3], bad[:, ::2, ::3], options=opts, **facts)
    copied = function(values[:, ::2, ::3].copy(), bad[:, ::2, ::3].copy(), options=opts, **facts)
    np.testing.assert_array_equal(cut, copied)
    with pytest.raises(ShapeError, match="bad has"):
        function(values, bad[:, 1:], options=opts, **facts)


@every
@pytest.mark.parametrize("kind", ["reference", "fast"])
def test_combiner_gives_the_same_from_eight_threads(record, kind):
    values, bad, facts = stack(5, 5, (40, 90))
    opts, function = CombineOptions(nsigma=(0.5, 0.3), grow=2), getattr(record, kind)
    alone = function(values, bad, options=opts, **facts)
    with ThreadPoolExecutor(8) as pool:
        for image in pool.map(lambda _: function(values, bad, options=opts, **facts), range(16)):
            np.testing.assert_array_equal(image, alone)


@pytest.mark.parametrize("record", [*COMBINERS, DERIV, DERIVATIVE], ids=lambda r: r.name)
def test_twins_have_the_same_arguments(record):
    names = [list(inspect.signature(f).parameters) for f in (record.reference, record.fast)]
    assert names[0] == names[1]


def images(seed: int, shape: tuple[int, int]) -> list[np.ndarray]:
    rng = np.random.default_rng(seed)
    blot = rng.normal(20, 5, shape).astype(np.float32)
    sci = (blot + rng.normal(0, 8, shape)).astype(np.float32)
    for image in (blot, sci):
        image[rng.random(shape) < 0.03] = rng.choice([np.nan, np.inf, -np.inf, 0, 3e38])
    return [sci, blot, rng.uniform(0, 6, shape).astype(np.float32)]


cr_options = st.builds(
    CosmicRayOptions, snr=st.tuples(st.floats(0, 6), st.floats(0, 6)),
    scale=st.tuples(st.floats(0, 2), st.floats(0, 2)),
    grow=st.integers(0, 7), ctegrow=st.integers(0, 30), cte_direction=st.sampled_from([-1, 0, 1]),
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(
    seed=st.integers(0, 2**32), shape=st.tuples(st.integers(1, 12), st.integers(1, 20)), options=cr_options
)
def test_compiled_detector_equals_reference(seed, shape, options):
    sci, blot, noise = images(seed, shape)
    slope = SLOPE.reference(blot)
    np.testing.assert_array_equal(SLOPE.fast(blot), slope)
    slow = DETECTOR.reference(sci, blot, slope, noise, None, None, options)
    quick = DETECTOR.fast(sci, blot, slope, noise, None, None, options)
    assert slow.dtype == quick.dtype == np.uint8
    np.testing.assert_array_equal(quick, slow)


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32), shape=st.tuples(st.integers(0, 9), st.integers(0, 9)))
def test_compiled_derivative_takes_float64(seed, shape):
    image = np.random.default_rng(seed).normal(0, 1e3, shape)
    image.flags.writeable = False
    np.testing.assert_array_equal(SLOPE.fast(image), SLOPE.reference(image))


@pytest.mark.parametrize("kind", ["reference", "fast"])
def test_detector_gives_the_same_from_eight_threads_and_leaves_its_input(kind):
    given_images = images(6, (120, 80))
    sci, blot, noise = (image.copy() for image in given_images)
    for image in (sci, blot, noise):
        image.flags.writeable = False
    opts = CosmicRayOptions(grow=3, ctegrow=4, cte_direction=1)

    def once(_: int) -> np.ndarray:
        slope = getattr(DERIVATIVE, kind)(blot)
        return getattr(DERIV, kind)(sci, blot, slope, noise, None, None, opts)

    alone = once(0)
    with ThreadPoolExecutor(8) as pool:
        for codes in pool.map(once, range(16)):
            np.testing.assert_array_equal(codes, alone)
    for image, kept in zip((sci, blot, noise), given_images, strict=True):
        np.testing.assert_array_equal(image, kept)


@pytest.mark.parametrize("kind", ["reference", "fast"])
def test_misfits_are_refused(kind):
    image = np.zeros((3, 4), dtype=np.float32)
    with pytest.raises(ShapeError, match="one shape"):
        getattr(DERIV, kind)(image, image, image, image[1:], None, None, CosmicRayOptions())
    with pytest.raises(ShapeError, match="2 \\(rows"):
        getattr(DERIVATIVE, kind)(image[0])
