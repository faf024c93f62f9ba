"""A pyramid: the flux of a pixel falls off linearly along both axes of the output."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from drizframe._fast import twin
from drizframe.hooks import Kernel, hookimpl
from drizframe.model import axes_of
from drizframe.stock.kernels._ranges import Array, Integers, centres

__all__ = ["PLANTED", "half_width", "planted"]


def half_width(pixfrac: float, scale: float) -> float:
    """Half the longer side of the base in output pixels."""
    return pixfrac / min(axes_of(scale))


def planted(
    x: Array, y: Array, corners: Array | None, x0: Integers, y0: Integers, shape: tuple[int, int], *,
    pixfrac: float, scale: float,
) -> Array:  # fmt: skip
    """Part of a pyramid about each pixel's centre that lies in output pixels.

    Parameters
    ----------
    x, y : ndarray of float64, shape (n,)
        Centres on the frame.
    corners : None
        Not used.
    x0, y0 : ndarray of int, shape (n,)
        First column and row of each pixel's window.
    shape : tuple of int, (h, w)
        Rows and columns of the windows.
    pixfrac : float
        Half the side of the base in input pixels.
    scale : float
        Size of an output pixel over that of an input pixel.

    Returns
    -------
    weights : ndarray of float64, shape (n, h, w)
        They sum to 1.
    """
    sx, sy = axes_of(scale)
    across = _parts(x, pixfrac / sx, x0, shape[1])
    along = _parts(y, pixfrac / sy, y0, shape[0])
    return across[:, None, :] * along[:, :, None]


def _parts(v: Array, r: float, start: Integers, count: int) -> Array:
    """Part of the triangle over ``[v - r, v + r]`` in each pixel of the windows, shape (n, count)."""
    k = centres(start, count)
    return _below((k + 0.5) - v[:, None], r) - _below((k - 0.5) - v[:, None], r)


def _below(t: Array, r: float) -> Array:
    """Part of a triangle of half the base `r` about 0 that lies below `t`."""
    u = np.minimum(np.maximum(t, -r), r)
    rising = (u + r) * (u + r) / (2.0 * r * r)
    falling = 1.0 - (r - u) * (r - u) / (2.0 * r * r)
    return np.where(u < 0.0, rising, falling)


PLANTED = Kernel(
    name="planted",
    summary="A pyramid with a base of two pixfrac input pixels.",
    footprint=planted,
    fast=twin("planted.planted"),
    block=twin("planted.block"),
    support=half_width,
    traits=frozenset({"conserves_flux", "non_negative", "linear", "rotation_invariant", "picklable"}),
    cite="made for tests",
)


@hookimpl
def drizframe_kernels() -> Iterator[Kernel]:
    """Yield the kernel of this module."""
    yield PLANTED
