"""Compiled interpolators let other threads work meanwhile."""

import threading
import time

import numpy as np
import pytest
from shipped import COMPILED, shipped

from drizframe.hooks import Interpolator
from drizframe.pixels.interpolator_forms import values_of

RNG = np.random.default_rng(7)
IMAGE = RNG.random((64, 64), dtype=np.float32)
X, Y = RNG.uniform(0.0, 64.0, (2, 300_000))


def triangle(dx, dy):
    return np.clip(1 - np.abs(dx), 0, None) * np.clip(1 - np.abs(dy), 0, None)


FUNCTIONS = {
    **{r.name: r.fast for r in shipped("interpolator") if r.fast is not None},
    "by-profile": values_of(Interpolator(name="mine.triangle", summary="Mine.", profile=triangle, support=1)),
}


def seen_in_the_middle(function):
    """Tell whether this thread got to work in the middle of a call of another one."""
    span, seen = [], []

    def call():
        start = time.perf_counter()
        function(IMAGE, X, Y, fill=np.nan)
        span.extend((start, time.perf_counter()))

    other = threading.Thread(target=call)
    other.start()
    while other.is_alive():
        seen.append(time.perf_counter())
        time.sleep(0)
    other.join()
    start, end = span
    edge = (end - start) / 3
    return any(start + edge < t < end - edge for t in seen)


@COMPILED
@pytest.mark.parametrize("function", FUNCTIONS.values(), ids=FUNCTIONS.keys())
def test_another_thread_works_during_a_call(function):
    assert any(seen_in_the_middle(function) for _ in range(10))
