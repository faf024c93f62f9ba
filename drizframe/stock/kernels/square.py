"""The square kernel: exact overlap of the shrunken, distorted input pixel with output pixels."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from drizframe._fast import twin
from drizframe.hooks import Kernel, hookimpl
from drizframe.stock.kernels._ranges import Array, Integers, candidates, centres, nint

__all__ = ["SQUARE", "square"]

#: An edge that rises by less (in pixels) is level: what it leaves out is smaller than rounding.
LEVEL = 1e-16
#: Overlaps up to this, in square pixels, are rounding: neighbours that merely touch do not count as touched.
NOISE = 1e-14


def square(
    x: Array, y: Array, corners: Array, x0: Integers, y0: Integers, shape: tuple[int, int], *,
    pixfrac: float, scale: float,
) -> Array:  # fmt: skip
    """Share of each quadrilateral that lies in each output pixel.

    Parameters
    ----------
    x, y : ndarray of float64, shape (n,)
        Not used: the corners say all.
    corners : ndarray of float64, shape (n, 4, 2)
        Corners P0 … P3 (x, y) of the shrunken pixels on the frame, in order around the pixel.
    x0, y0 : ndarray of int, shape (n,)
        First column and row of each pixel's window.
    shape : tuple of int, (h, w)
        Rows and columns of the windows.
    pixfrac, scale : float
        Not used: they are in the corners.

    Returns
    -------
    weights : ndarray of float64, shape (n, h, w)
        A / J, never below 0.  The weights of a quadrilateral inside its window sum to 1.

    Notes
    -----
    With the signed area ``J = ½ [(X1 - X3)(Y0 - Y2) - (X0 - X2)(Y1 - Y3)]``, the overlap with the pixel is,
    by Green's theorem, ``A = Σ S(Pk → Pk+1)``, where S is the integral of the height of the edge above the
    bottom of the pixel, clipped to 0 … 1, over the part of the edge in the pixel's columns; it is signed by
    the direction of the edge. That is the exact area for convex and concave quadrilaterals of either
    handedness.  Lobes of a self-crossing one count with their winding number, and pixels in which the sum is
    against the sign of J get nothing.  A quadrilateral without area, or with an infinite one, touches
    nothing.  Equation 4 and 5 of Fruchter & Hook (2002).
    """
    with np.errstate(all="ignore"):
        px, py = corners[:, :, 0], corners[:, :, 1]
        area = 0.5 * (
            (px[:, 1] - px[:, 3]) * (py[:, 0] - py[:, 2]) - (px[:, 0] - px[:, 2]) * (py[:, 1] - py[:, 3])
        )
        origin = nint(py.min(axis=1))  # heights count from here: small numbers keep their digits
        column, row = centres(x0, shape[1]), centres(y0, shape[0]) - origin[:, None]
        overlap = np.zeros((len(corners), *shape))
        for k in range(4):
            n = (k + 1) % 4
            overlap += _below_edge(px[:, k], py[:, k] - origin, px[:, n], py[:, n] - origin, column, row)
        inverse = 1.0 / area
        weights = overlap * inverse[:, None, None]
        real = overlap * np.sign(area)[:, None, None] > NOISE
    inside = candidates(px.min(axis=1), px.max(axis=1), x0, shape[1])[:, None, :]
    inside = inside & candidates(py.min(axis=1), py.max(axis=1), y0, shape[0])[:, :, None]
    usable = np.isfinite(area) & np.isfinite(inverse)
    return np.where(inside & usable[:, None, None] & real, weights, 0.0)


def _below_edge(xp: Array, yp: Array, xq: Array, yq: Array, column: Array, row: Array) -> Array:
    """Signed area inside each pixel below the edge from P to Q, shape (n, h, w).

    The edge is cut at the sides of the column.  Where the piece climbs from `lower` to `upper` (above the
    bottom of the pixel), its mean clipped height is ``b - (b - a) (a - lower + (b - a) / 2) / (upper -
    lower)`` with a, b the clipped ends: what is lost below the top end.  ``width / (upper - lower)`` is the
    inverse slope.
    """
    dx, dy = xq - xp, np.abs(yq - yp)
    slope = np.where(dx != 0.0, (yq - yp) / dx, 0.0)[:, None]
    run = np.where(dy > LEVEL, dx / dy, 0.0)[:, None, None]
    p, q = xp[:, None] - column, xq[:, None] - column
    xa, xb = np.clip(p, -0.5, 0.5), np.clip(q, -0.5, 0.5)
    ya = np.where(xa == p, yp[:, None], yp[:, None] + slope * (xa - p))
    yb = np.where(xb == q, yq[:, None], yp[:, None] + slope * (xb - p))
    width = (xb - xa)[:, None, :]
    bottom = (row - 0.5)[:, :, None]
    lower, upper = np.minimum(ya, yb)[:, None, :] - bottom, np.maximum(ya, yb)[:, None, :] - bottom
    a, b = np.clip(lower, 0.0, 1.0), np.clip(upper, 0.0, 1.0)
    d = b - a
    return np.where(width != 0.0, width * b - run * d * (a - lower + 0.5 * d), 0.0)


SQUARE = Kernel(
    name="square",
    summary="Exact overlap of the shrunken, distorted input pixel with the output pixel.",
    footprint=square,
    fast=twin("square.square"),
    block=twin("square.block"),
    needs_corners=True,
    traits=frozenset({"conserves_flux", "non_negative", "linear", "rotation_invariant", "picklable"}),
    cite="Fruchter & Hook 2002, PASP 114, 144",
)


@hookimpl
def drizframe_kernels() -> Iterator[Kernel]:
    """Yield the kernel of this module."""
    yield SQUARE
