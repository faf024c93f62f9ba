"""Planted faults that need a particular input to show: long lists, odd positions, wide images, many tasks."""

from __future__ import annotations

import os
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import settings

from drizframe.hooks import Interpolator, Kernel
from drizframe.stock.interpolators.linear import LINEAR
from drizframe.stock.kernels.turbo import TURBO
from drizframe.testing import checks_for, examples
from drizframe.testing.checking import expecting_failure

EXAMPLES = 25


@pytest.fixture(autouse=True, scope="module")
def steady() -> Iterator[None]:
    """Draw the same inputs every time: whether a fault shows must not depend on luck."""
    settings.load_profile("ci")
    yield
    settings.load_profile("ci" if os.environ.get("CI") else "dev")


def caught(record, name, sample=None, count=EXAMPLES):
    """Assert that a fault fails in the check meant for it, and return the text."""
    found = next(c for c in checks_for(record) if c.name == name)
    with examples(count), expecting_failure(True), pytest.raises(AssertionError) as failure:
        found.run(record, sample)
    text = str(failure.value)
    for part in ("expected:", "got:", "where:", record.name):
        assert part in text, text
    return text


# -- kernels and interpolators -----------------------------------------------------------------------------------------


def kernel(change, **more):
    """Return a kernel that is turbo's, changed by ``change(weights, x, y, shape, pixfrac, scale)``."""

    def footprint(x, y, corners, x0, y0, shape, *, pixfrac, scale):
        weights = TURBO.reference(x, y, corners, x0, y0, shape, pixfrac=pixfrac, scale=scale)
        return change(weights, x, y, shape, pixfrac, scale)

    return Kernel(name="mine", summary="For a test.", footprint=footprint, support=TURBO.support, **more)


def interpolator(change, **more):
    """Return an interpolator that is linear, changed by ``change(values, image, x, y)``."""

    def reference(image, x, y, *, fill=0.0):
        values = LINEAR.reference(image, x, y, fill=fill)
        ny, nx = image.shape
        inside = (x >= 0) & (x < nx) & (y >= 0) & (y < ny)
        return np.where(inside, change(values, image, x, y), fill)

    return Interpolator(name="mine", summary="For a test.", reference=reference, **more)


@pytest.mark.parametrize("change", [
    lambda w, x, *rest: w * (1 + 1e-3 * len(x)),
    lambda w, x, *rest: w * (1.01 if len(x) == 1 else 1.0),
    lambda w, x, *rest: w * (1.01 if len(x) > 1000 else 1.0),
    lambda w, x, *rest: w * (1 + 1e-3 * np.sin(x.mean())),
    lambda w, *rest: np.concatenate([w[:-1], w[-1:] * 1.01]),
])  # fmt: skip
def test_kernel_that_looks_at_the_other_pixels_of_the_call(change):
    assert "whatever other pixels" in caught(kernel(change), "check_list_independence")


@pytest.mark.parametrize("change", [
    lambda v, image, x, y: v * (1 + 1e-4 * len(x)),
    lambda v, image, x, y: v * (1.01 if len(x) == 1 else 1.0),
    lambda v, image, x, y: v + 1e-3 * np.arange(len(x)),
])  # fmt: skip
def test_interpolator_that_looks_at_the_other_positions_of_the_call(change):
    assert "whatever other pixels" in caught(interpolator(change), "check_list_independence")
