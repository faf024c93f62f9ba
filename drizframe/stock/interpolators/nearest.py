"""Nearest pixel."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from drizframe._fast import twin
from drizframe.hooks import Interpolator, hookimpl
from drizframe.stock.interpolators._stencil import Floats, gather, interpolate, nearest_index

__all__ = ["NEAREST", "drizframe_interpolators", "nearest"]


def nearest(image: Any, x: Any, y: Any, *, fill: float) -> Floats:
    """Value of the nearest pixel.

    Parameters
    ----------
    image : ndarray, shape (ny, nx)
        The image.
    x, y : ndarray of float64, shape (n,)
        Positions in pixels, 0-based; any value.
    fill : float
        Value outside the domain ``0 <= x < nx``, ``0 <= y < ny``.

    Returns
    -------
    values : ndarray of float64, shape (n,)
        In the unit of the image.

    Notes
    -----
    Halves go up: the index is ``floor(x + 1/2)``.  Positions beyond the last centre take the last pixel.
    """
    return interpolate(_value, image, x, y, fill)


def _value(image: Any, x: Floats, y: Floats) -> Floats:
    ny, nx = image.shape
    ix = np.minimum(nearest_index(x), nx - 1)
    iy = np.minimum(nearest_index(y), ny - 1)
    return gather(image, iy, ix)


NEAREST = Interpolator(
    name="nearest",
    summary="Nearest pixel.",
    reference=nearest,
    fast=twin("interp_nearest.nearest"),
    reach=1,
    traits=frozenset({"linear", "picklable"}),
)


@hookimpl
def drizframe_interpolators() -> Iterator[Interpolator]:
    """Yield the interpolator."""
    yield NEAREST
