"""Blotting a chip, whole or from a cut of the frame."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drizframe.errors import PluginError, ShapeError
from drizframe.hooks import Interpolator
from drizframe.model import PixelMap, Window
from drizframe.pixels.blot import blot_chip, needed_window
from drizframe.stock.interpolators.lanczos import LANCZOS3, LANCZOS5
from drizframe.stock.interpolators.linear import LINEAR
from drizframe.stock.interpolators.nearest import NEAREST
from drizframe.stock.interpolators.poly3 import POLY3
from drizframe.stock.interpolators.poly5 import POLY5
from drizframe.stock.interpolators.sinc import SINC

RECORDS = [NEAREST, LINEAR, POLY3, POLY5, SINC, LANCZOS3, LANCZOS5]


def turned(angle, dx, dy, bend=1e-4):
    c, s = np.cos(angle), np.sin(angle)

    def transform(x, y):
        return c * x - s * y + dx + bend * x * y, s * x + c * y + dy - bend * x * x

    return transform


def maps(shape, transform):
    j, i = np.indices(shape).astype(float)
    return {
        "table": PixelMap.from_table(transform, shape, 10.0),
        "function": PixelMap.from_function(transform, shape),
        "pixmap": PixelMap.from_pixmap(np.dstack(transform(i, j))),
    }


def test_values_inside_are_scaled_and_the_fill_outside_is_not():
    image = np.full((10, 10), 2.0, dtype=np.float32)
    pixmap = PixelMap.from_function(lambda x, y: (x + 5, y), (4, 8))
    blot = blot_chip(image, pixmap, LINEAR, factor=3.0, fill=-1.0)
    assert blot.dtype == np.float32
    np.testing.assert_array_equal(blot[:, :5], 6.0)
    np.testing.assert_array_equal(blot[:, 5:], -1.0)


def test_positions_that_are_not_finite_give_the_fill():
    positions = np.zeros((3, 4, 2))
    positions[1, 1] = np.nan
    positions[2, 2, 0] = np.inf
    blot = blot_chip(np.ones((5, 5)), PixelMap.from_pixmap(positions), POLY5, factor=1.0, fill=7.0)
    assert (blot == 7.0).sum() == 2
    assert blot[1, 1] == blot[2, 2] == 7.0


@pytest.mark.parametrize("record", RECORDS, ids=lambda r: r.name)
@settings(max_examples=15)
@given(
    angle=st.floats(-3.2, 3.2),
    dx=st.floats(-60, 140),
    dy=st.floats(-60, 140),
    kind=st.sampled_from(["table", "function", "pixmap"]),
    seed=st.integers(0, 1000),
)
def test_a_cut_of_the_frame_gives_the_same_bits(record, angle, dx, dy, kind, seed):
    image = np.random.default_rng(seed).normal(size=(90, 110)).astype(np.float32)
    pixmap = maps((25, 30), turned(angle, dx, dy))[kind]
    whole = blot_chip(image, pixmap, record, factor=1.5, fill=-3.0)
    asked = []

    def source(window):
        asked.append(window)
        return image[window.slices]

    found = blot_chip(source, pixmap, record, factor=1.5, fill=-3.0, shape=image.shape)
    np.testing.assert_array_equal(found, whole)
    assert len(asked) <= 1
    if asked:
        window = needed_window(pixmap, image.shape, record.reach)
        assert asked == [window]
        cut = blot_chip(
            image[window.slices], pixmap, record, factor=1.5, fill=-3.0, shape=image.shape, window=window
        )
        np.testing.assert_array_equal(cut, whole)


def test_a_cut_that_lacks_pixels_is_refused_rather_than_extrapolated():
    image = np.ones((50, 50))
    pixmap = PixelMap.from_function(lambda x, y: (x + 20, y + 20), (5, 5))
    with pytest.raises(ShapeError, match="lacks pixels"):
        blot_chip(
            image[18:30, 18:30], pixmap, POLY5, factor=1.0, shape=(50, 50), window=Window(18, 30, 18, 30)
        )


def test_the_result_does_not_depend_on_the_blocks_of_rows(monkeypatch):
    image = np.random.default_rng(1).normal(size=(90, 90)).astype(np.float32)
    pixmap = maps((80, 70), turned(0.4, 10, -5))["table"]
    first = blot_chip(image, pixmap, POLY5, factor=1.0)
    monkeypatch.setattr("drizframe.pixels.blot.ROWS", 7)
    np.testing.assert_array_equal(blot_chip(image, pixmap, POLY5, factor=1.0), first)


def test_a_chip_off_the_frame_needs_nothing_and_asks_for_nothing():
    pixmap = PixelMap.from_function(lambda x, y: (x + 500, y * np.nan), (6, 6))

    def source(window):
        raise AssertionError(window)

    assert needed_window(pixmap, (50, 50), 3).empty
    assert (blot_chip(source, pixmap, LINEAR, factor=1.0, fill=4.0, shape=(50, 50)) == 4.0).all()


def test_wrong_input_is_refused():
    pixmap = PixelMap.from_function(lambda x, y: (x, y), (5, 5))
    with pytest.raises(ShapeError, match="two dimensions"):
        blot_chip(np.ones(5), pixmap, LINEAR, factor=1.0)
    with pytest.raises(ShapeError, match="shape"):
        blot_chip(np.ones((5, 5)), pixmap, LINEAR, factor=1.0, shape=(9, 9), window=Window(0, 4, 0, 5))
    with pytest.raises(ShapeError, match="leaves its frame"):
        blot_chip(np.ones((5, 5)), pixmap, LINEAR, factor=1.0, shape=(4, 9), window=Window(0, 5, 0, 5))
    with pytest.raises(ShapeError, match="no shape of the frame"):
        blot_chip(lambda w: np.ones(w.shape), pixmap, LINEAR, factor=1.0)
    with pytest.raises(ShapeError, match="returned None"):
        blot_chip(lambda w: None, pixmap, LINEAR, factor=1.0, shape=(5, 5))
    wrong = Interpolator(name="x.wrong", summary="Wrong.", reference=lambda image, x, y, *, fill: x[:2])
    with pytest.raises(PluginError, match=r"x\.wrong"):
        blot_chip(np.ones((5, 5)), pixmap, wrong, factor=1.0)


def test_inputs_are_not_changed():
    image = np.ones((8, 8), dtype=np.float32)
    image.flags.writeable = False
    y, x = np.indices((8, 8), dtype=float)
    positions = np.dstack([x, y])
    pixmap = PixelMap.from_pixmap(positions)
    before = positions.copy()
    blot_chip(image, pixmap, POLY5, factor=2.0)
    np.testing.assert_array_equal(positions, before)
    np.testing.assert_array_equal(image, 1.0)
