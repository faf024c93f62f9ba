"""Bounds of blocks of pixels on a frame."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drizframe.model import PixelMap, Window
from drizframe.pixels.bounds import BLOCK, block_bounds, blocks_near, touches


def wild(seed, shape, kind, step):
    """A strongly bent map with a few useless positions."""
    rng = np.random.default_rng(seed)
    a, b = rng.normal(0, 1, (2, 2)), rng.normal(0, 5, (2, 4))

    def transform(x, y):
        bent = [
            b[k, 0] * np.sin(x / (7 + k) + b[k, 1]) + b[k, 2] * np.cos(y / (5 + k) + b[k, 3]) for k in (0, 1)
        ]
        return a[0, 0] * x + a[0, 1] * y + bent[0], a[1, 0] * x + a[1, 1] * y + bent[1]

    if kind == "function":
        return PixelMap.from_function(transform, shape)
    if kind == "table":
        return PixelMap.from_table(transform, shape, step)
    full = np.stack(
        PixelMap.from_function(transform, shape).grid(
            np.arange(shape[1], dtype=float), np.arange(shape[0], dtype=float)
        ),
        -1,
    )
    for value in (np.nan, np.inf, 1e30, -1e300):
        full[rng.integers(shape[0]), rng.integers(shape[1]), rng.integers(2)] = value
    return PixelMap.from_pixmap(full)


@settings(max_examples=40)
@given(
    st.integers(0, 1000), st.tuples(st.integers(1, 70), st.integers(1, 75)),
    st.sampled_from(["function", "table", "pixmap"]),
    st.sampled_from([0.7, 3.0, 10.0, 500.0]), st.sampled_from([0.0, 0.3, 0.5]),
)  # fmt: skip
def test_bounds_hold_every_position(seed, shape, kind, step, half):
    pixmap = wild(seed, shape, kind, step)
    boxes = block_bounds(pixmap, half)
    x, y = (np.arange(n, dtype=float) for n in shape[::-1])
    with np.errstate(all="ignore"):
        for dx in {-half, half}:
            for dy in {-half, half}:
                fx, fy = pixmap.grid(x + dx, y + dy)
                own = boxes[(np.arange(shape[0]) // BLOCK)[:, None], np.arange(shape[1]) // BLOCK]
                inside = (fx >= own[..., 0]) & (fx <= own[..., 1]) & (fy >= own[..., 2]) & (fy <= own[..., 3])
                assert inside[np.isfinite(fx) & np.isfinite(fy)].all()


def test_far_blocks_are_left_out_and_near_ones_are_not():
    pixmap = PixelMap.from_table(lambda x, y: (x, y), (128, 256), 10.0)
    near = blocks_near(pixmap, Window(40, 50, 100, 110), 0.5, 0.0)
    assert near.shape == (4, 8)
    np.testing.assert_array_equal(np.argwhere(near), [[1, 3]])
    assert touches(pixmap, Window(127, 130, 0, 5), 0.5, 0.0)
    assert not touches(pixmap, Window(200, 300, 0, 5), 0.5, 0.0)
    assert touches(pixmap, Window(200, 300, 0, 5), 0.5, 80.0)
    assert not touches(pixmap, Window(5, 5, 0, 5), 0.5, 0.0)


def test_the_answer_is_kept_and_cannot_be_changed():
    calls = []

    def counted(x, y):
        calls.append(1)
        return x, y

    pixmap = PixelMap.from_function(counted, (40, 40))
    first = block_bounds(pixmap, 0.5)
    count = len(calls)
    assert block_bounds(pixmap, 0.5) is first
    assert len(calls) == count
    with pytest.raises(ValueError, match="read-only"):
        first[0, 0, 0] = 1.0


def test_a_chip_without_any_position_touches_nothing():
    pixmap = PixelMap.from_pixmap(np.full((40, 40, 2), np.nan))
    assert not touches(pixmap, Window(0, 100, 0, 100), 0.5, 1e6)
