"""The turbo kernel: an axis-aligned box of fixed size."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from drizframe._fast import twin
from drizframe.hooks import Kernel, hookimpl
from drizframe.model import axes_of
from drizframe.stock.kernels._ranges import Array, Integers, centres

__all__ = ["TURBO", "half_width", "turbo"]


def half_width(pixfrac: float, scale: float) -> float:
    """Half the longer side of the box in output pixels."""
    return pixfrac / (2.0 * min(axes_of(scale)))


def turbo(
    x: Array, y: Array, corners: Array | None, x0: Integers, y0: Integers, shape: tuple[int, int], *,
    pixfrac: float, scale: float,
) -> Array:  # fmt: skip
    """Overlap of a box about each pixel's centre with output pixels.

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
        Side of the box in input pixels.
    scale : float
        Size of an output pixel over that of an input pixel.

    Returns
    -------
    weights : ndarray of float64, shape (n, h, w)
        Overlap of the box with the pixel over the area of the box.

    Notes
    -----
    The box is ``[x - r, x + r]`` by ``[y - r, y + r]`` with ``r = f / (2 s)``, whatever
    the rotation or the local scale.  For pixels that are not square (`PixelScale`) s is that of the axis.
    """
    sx, sy = axes_of(scale)
    across = _lengths(x, pixfrac / (2.0 * sx), x0, shape[1])
    along = _lengths(y, pixfrac / (2.0 * sy), y0, shape[0])
    return (across[:, None, :] * along[:, :, None]) * ((sx * sy) / (pixfrac * pixfrac))


def _lengths(v: Array, r: float, start: Integers, count: int) -> Array:
    """Length of ``[v - r, v + r]`` inside each pixel of the windows, shape (n, count)."""
    k = centres(start, count)
    low, high = v - r, v + r
    length = np.minimum(high[:, None], k + 0.5) - np.maximum(low[:, None], k - 0.5)
    lengths: Array = np.maximum(length, 0.0)
    return lengths


TURBO = Kernel(
    name="turbo",
    summary="A box of fixed size, aligned with the axes of the output.",
    footprint=turbo,
    fast=twin("turbo.turbo"),
    block=twin("turbo.block"),
    tolerance=0.0,
    support=half_width,
    traits=frozenset({"conserves_flux", "non_negative", "linear", "rotation_invariant", "picklable"}),
    cite="Fruchter & Hook 2002, PASP 114, 144",
)


@hookimpl
def drizframe_kernels() -> Iterator[Kernel]:
    """Yield the kernel of this module."""
    yield TURBO
