"""Compiled interpolators give what their references give."""

from __future__ import annotations

import inspect
import pickle
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from shipped import by_name, shipped

RECORDS: list[Any] = shipped("interpolator", twins=True)
pytestmark = pytest.mark.skipif(not RECORDS, reason="compiled modules are not there, or switched off")
over_records = pytest.mark.parametrize("record", RECORDS, ids=lambda r: r.name)

images = st.sampled_from([np.float32, np.float64]).flatmap(
    lambda dtype: hnp.arrays(
        dtype,
        hnp.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=14),
        elements=st.floats(-1000, 1000, width=32) | st.sampled_from([np.nan, np.inf]),
        fill=st.just(1.0),
    )
)
#: Mostly on small images, so that edges and insides are hit, and anything else.
coordinates = st.floats(-2.0, 16.0) | st.integers(-1, 15).map(float) | st.floats()
positions = st.lists(st.tuples(coordinates, coordinates), min_size=0, max_size=40).map(
    lambda p: np.array(p, dtype=np.float64).reshape(-1, 2)
)


@over_records
@settings(max_examples=60)
@given(image=images, where=positions, fill=st.floats(-10, 10))
@example(image=np.ones((1, 1)), where=np.array([[0.0, 0.999], [1e30, 0.0], [-0.0, 0.5]]), fill=-1.0)
@example(image=np.arange(6.0).reshape(2, 3), where=np.array([[2.5, 1.5], [np.nextafter(3, 0), 0]]), fill=0.0)
def test_fast_equals_reference(record, image, where, fill):
    x, y = where[:, 0], where[:, 1]
    expected = record.reference(image, x, y, fill=fill)
    scale = np.abs(image[np.isfinite(image)]).max(initial=0.0)
    np.testing.assert_allclose(
        record.fast(image, x, y, fill=fill), expected, rtol=record.tolerance, atol=record.tolerance * scale
    )


@over_records
@pytest.mark.parametrize("count", [1, 2, 63, 64, 65, 127, 128, 130])
@pytest.mark.parametrize("turn", ["rows", "columns", "turned", "every other", "upside down"])
def test_positions_handled_together_are_those_handled_alone(record, count, turn):
    rng = np.random.default_rng(count)
    image = rng.normal(50, 20, (40, 44)).astype(np.float32)
    image[11, 12] = np.nan
    layouts = {
        "rows": image, "columns": np.asfortranarray(image), "turned": image.T, "every other": image[::2, ::2],
        "upside down": image[::-1],
    }  # fmt: skip
    image = layouts[turn]
    x, y = (rng.uniform(-3, n + 2, count) for n in image.shape[::-1])
    together = record.fast(image, x, y, fill=-1.0)
    alone = np.concatenate(
        [record.fast(image.copy(), x[k : k + 1], y[k : k + 1], fill=-1.0) for k in range(count)]
    )
    np.testing.assert_array_equal(together, alone)


@settings(max_examples=40)
@given(image=images, where=positions, sinscl=st.floats(0.1, 5.0))
def test_fast_sinc_scales_like_its_reference(image, where, sinscl):
    image = np.nan_to_num(image, posinf=0.0)
    x, y = where[:, 0], where[:, 1]
    sinc = by_name("interpolator")["sinc"]
    reference, fast = sinc.reference, sinc.fast
    expected = reference(image, x, y, fill=0.0, sinscl=sinscl)
    # The sum of the factors, by which both divide, can nearly vanish where sinscl is large.
    good = np.abs(expected) < 1e4
    found = fast(image, x, y, fill=0.0, sinscl=sinscl)
    np.testing.assert_allclose(found[good], expected[good], rtol=1e-9, atol=1e-9)


@over_records
def test_signatures_agree(record):
    names = [list(inspect.signature(f).parameters) for f in (record.fast, record.reference)]
    assert names[0] == names[1]


@over_records
def test_read_only_strided_and_foreign_images_work(record):
    rng = np.random.default_rng(3)
    image = rng.normal(size=(20, 30))
    x, y = rng.uniform(0, 15, 50), rng.uniform(0, 20, 50)
    expected = record.reference(np.ascontiguousarray(image[:, ::2]), x, y, fill=0.0)
    image.flags.writeable = False
    x.flags.writeable = False
    variants = [image[:, ::2], np.asfortranarray(image[:, ::2]), image[:, ::2].astype(">f8")]
    for function in (record.fast, record.reference):
        for variant in variants:
            np.testing.assert_allclose(function(variant, x, y, fill=0.0), expected, rtol=1e-12, atol=1e-12)
    whole = (image * 100).astype(np.int16)
    np.testing.assert_allclose(
        record.fast(whole, x, y, fill=0.0), record.reference(whole, x, y, fill=0.0), rtol=1e-12
    )


@over_records
def test_records_survive_pickling_and_threads_agree(record):
    fast = pickle.loads(pickle.dumps(record)).fast  # noqa: S301  (our own bytes)
    rng = np.random.default_rng(4)
    image, x, y = rng.normal(size=(40, 40)), rng.uniform(0, 40, 2000), rng.uniform(0, 40, 2000)
    expected = record.fast(image, x, y, fill=0.0)
    with ThreadPoolExecutor(8) as pool:
        for found in pool.map(lambda _: fast(image, x, y, fill=0.0), range(16)):
            np.testing.assert_array_equal(found, expected)
