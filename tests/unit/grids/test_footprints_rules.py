"""Footprints on frames, chip pixels on tiles, and tiles."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drizframe.errors import ParameterError
from drizframe.grids.footprints import exposure_window, footprint, tiles, union
from drizframe.model import PixelMap, Window


class Bent:
    """A turned, scaled and strongly curved map."""

    def __init__(self, turn, scale, bend, shift):
        self.turn, self.scale, self.bend, self.shift = turn, scale, bend, shift

    def __call__(self, x, y):
        c, s = self.scale * np.cos(self.turn), self.scale * np.sin(self.turn)
        fx = c * x - s * y + self.bend * (y - 20) ** 2 + self.shift[0]
        fy = s * x + c * y + self.bend * x * y + self.shift[1]
        return fx, fy


@st.composite
def maps(draw, kinds=("table", "function", "pixmap")):
    shape = (draw(st.integers(1, 90)), draw(st.integers(1, 90)))
    bent = Bent(
        draw(st.floats(-3.2, 3.2)),
        draw(st.floats(0.2, 3)),
        draw(st.floats(-0.004, 0.004)),
        (draw(st.floats(-150, 150)), draw(st.floats(-150, 150))),
    )
    kind = draw(st.sampled_from(kinds))
    if kind == "table":
        return PixelMap.from_table(bent, shape, draw(st.sampled_from([3, 10, 200])))
    if kind == "function":
        return PixelMap.from_function(bent, shape)
    gx, gy = np.meshgrid(np.arange(float(shape[1])), np.arange(float(shape[0])))
    return PixelMap.from_pixmap(np.stack(bent(gx, gy), axis=-1))


def fine(pixels):
    """Positions of chip pixels, their edges and corners: chip x and y, and frame x and y."""
    ny, nx = pixels.shape
    x, y = np.arange(-0.5, nx - 0.4, 0.5), np.arange(-0.5, ny - 0.4, 0.5)
    return x, y, *pixels.grid(x, y)


@settings(max_examples=80)
@given(maps())
def test_window_holds_every_edge_of_every_pixel(pixels):
    shape = (100, 120)
    window = footprint(pixels).window(shape)
    _, _, fx, fy = fine(pixels)
    inside = (fx > -0.5) & (fx < shape[1] - 0.5) & (fy > -0.5) & (fy < shape[0] - 0.5)
    i, k = np.floor(fx[inside] + 0.5), np.floor(fy[inside] + 0.5)
    assert ((i >= window.x0) & (i < window.x1) & (k >= window.y0) & (k < window.y1)).all()
    assert window.y0 >= 0
    assert window.y1 <= shape[0]
    assert window.x1 <= shape[1]


def test_window_of_a_table_is_tight():
    pixels = PixelMap.from_table(lambda x, y: (x + 7.0, y + 3.0), (20, 30), 10)
    assert footprint(pixels).bounds() == pytest.approx((6.5, 36.5, 2.5, 22.5), abs=1e-12)
    shrunk = PixelMap.from_table(lambda x, y: (x + 7.25, y + 3.25), (20, 30), 10)
    assert footprint(shrunk).window((100, 100)) == Window(3, 24, 7, 38)
    assert footprint(shrunk).window((100, 100), margin=2.0) == Window(1, 26, 5, 40)


def test_chip_beside_the_frame_covers_nothing():
    pixels = PixelMap.from_table(lambda x, y: (x + 500.0, y), (20, 30), 10)
    assert footprint(pixels).window((100, 100)).empty


def half_lost(x, y):
    return np.where(x < 40, x, np.nan), np.where(x < 40, y, np.nan)


def test_positions_that_cannot_be_projected_are_left_out_or_assumed_anywhere():
    table = footprint(PixelMap.from_table(half_lost, (50, 80), 10))
    assert table.bounds() == pytest.approx((-0.5, 39.0, -0.5, 49.5))
    function = footprint(PixelMap.from_function(half_lost, (50, 80)))
    assert function.window((60, 70)) == Window(0, 60, 0, 70)
    lost = footprint(PixelMap.from_function(lambda x, y: (x * np.nan, y * np.nan), (50, 80)))
    assert lost.window((60, 70)).empty


def test_hole_in_a_full_map_costs_only_itself():
    gx, gy = np.meshgrid(np.arange(80.0), np.arange(50.0))
    image = np.stack([gx, gy], axis=-1)
    image[10:20, 30:40] = np.nan
    assert footprint(PixelMap.from_pixmap(image)).bounds() == pytest.approx((-0.5, 79.5, -0.5, 49.5))


def test_exposure_covers_the_windows_of_its_chips():
    chips = [
        PixelMap.from_table(lambda x, y, k=k: (x + 0.25, y + 30.25 * k), (20, 30), 10) for k in (0, 1, 9)
    ]
    assert exposure_window(chips, (80, 80)) == Window(0, 51, 0, 31)
    assert union([]).empty


@given(
    st.integers(0, 50),
    st.integers(0, 50),
    st.integers(0, 70),
    st.integers(0, 70),
    st.integers(1, 40),
    st.integers(1, 40),
)
def test_tiles_cover_each_pixel_once_in_row_major_order(y0, x0, height, width, high, wide):
    area = Window(y0, y0 + height, x0, x0 + width)
    count = np.zeros((130, 130), dtype=int)
    found = tiles(area, (high, wide))
    for t in found:
        assert not t.empty
        count[t.slices] += 1
    assert (count[area.slices] == 1).all()
    assert count.sum() == height * width
    assert found == sorted(found, key=lambda t: (t.y0, t.x0))


def test_tiles_of_a_shape_and_of_a_whole_number():
    assert tiles((5, 3), 4) == [Window(0, 4, 0, 3), Window(4, 5, 0, 3)]
    with pytest.raises(ParameterError, match="tile_size"):
        tiles((5, 3), 0)
