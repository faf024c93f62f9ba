"""Kernels keep the flux to what their records say."""

from __future__ import annotations

import numpy as np
import pytest
from shipped import shipped

from drizframe.model import ChipInput, PixelMap, Window
from drizframe.pixels.drizzle import drizzle

PHASES = np.linspace(-0.5, 0.5, 33)


def sums(kernel):
    """Sum of the weights of one pixel at each of 33 x 17 sub-pixel phases."""
    one = np.ones((1, 1), dtype=np.float32)
    for px in PHASES:
        for py in PHASES[:17]:
            pixmap = PixelMap.from_table(lambda x, y, px=px, py=py: (x + 9 + px, y + 9 + py), (1, 1), 1.0)
            chip = ChipInput(data=[one], weight=one, number=1, pixmap=pixmap, scale=1.0)
            done = drizzle(Window(0, 19, 0, 19), [chip], kernel, pixfrac=1.0, dtype=np.float64)
            yield float(done.wht.sum())


@pytest.mark.parametrize("kernel", shipped("kernel"), ids=lambda k: k.name)
def test_the_measured_flux_error_stands_in_the_record(kernel):
    worst = max(abs(total - 1) for total in sums(kernel))
    if kernel.flux_error:
        assert 0.9 * kernel.flux_error < worst <= kernel.flux_error
    else:
        assert worst < 1e-12
        assert "conserves_flux" in kernel.traits
