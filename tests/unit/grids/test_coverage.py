"""The index of boxes on a frame finds what a look at each box finds."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drizframe.grids.coverage import ENTRIES, cover
from drizframe.model import Window

FAR = st.floats(-500, 500, allow_nan=False)
BOX = st.tuples(FAR, st.floats(0, 300), FAR, st.floats(0, 300)).map(
    lambda b: (b[0], b[0] + b[1], b[2], b[2] + b[3])
)
NOTHING = (np.inf, -np.inf, np.inf, -np.inf)
ANYWHERE = (-np.inf, np.inf, -np.inf, np.inf)


def looked_at_each(boxes, w):
    return [
        k
        for k, (x0, x1, y0, y1) in enumerate(boxes)
        if x1 >= w.x0 - 0.5 and x0 <= w.x1 - 0.5 and y1 >= w.y0 - 0.5 and y0 <= w.y1 - 0.5 and not w.empty
    ]


@given(
    st.lists(st.one_of(BOX, st.sampled_from([NOTHING, ANYWHERE])), max_size=30),
    st.tuples(st.integers(-600, 600), st.integers(0, 400), st.integers(-600, 600), st.integers(0, 400)),
)
def test_it_finds_the_boxes_that_meet_a_window_in_order(boxes, place):
    y, height, x, width = place
    window = Window(y, y + height, x, x + width)
    assert cover(boxes).near(window) == looked_at_each(boxes, window)


@pytest.mark.parametrize(
    "boxes",
    [
        [(5 * k, 5 * k + 3, 0, 3) for k in range(2000)],
        [(0, 1000, 0, 1000)] * 2000,
        [(k, k + 1, k, k + 1) for k in range(1999)] + [(0, 1e7, 0, 1e7)],
        [(3.0, 3.0, 1e9 * k, 1e9 * k) for k in range(2000)],
    ],
    ids=["row", "stack", "one large", "points far apart"],
)
def test_its_size_grows_with_the_number_of_boxes(boxes):
    index = cover(boxes)
    assert len(index.entries) <= ENTRIES * len(boxes)
    assert len(index.first) <= ENTRIES * len(boxes) + 1
    window = Window(0, 64, 0, 64)
    assert index.near(window) == looked_at_each(boxes, window)


def test_nothing_is_near_where_there_is_nothing():
    assert cover([]).near(Window(0, 5, 0, 5)) == []
    assert cover([NOTHING]).near(Window(0, 5, 0, 5)) == []
    assert cover([(0, 5, 0, 5)]).near(Window(2, 2, 0, 5)) == []


def test_boxes_of_absurd_places_are_found_and_do_not_overflow():
    boxes = [(-1e308, -1e307, 0, 1), (1e307, 1e308, 0, 1), (0, 5, 0, 5), (-1e308, 1e308, -1e308, 1e308)]
    window = Window(0, 4, 0, 4)
    assert cover(boxes).near(window) == looked_at_each(boxes, window) == [2, 3]
