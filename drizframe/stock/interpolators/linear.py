"""Bilinear interpolation."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from drizframe._fast import twin
from drizframe.hooks import Interpolator, hookimpl
from drizframe.stock.interpolators._stencil import Floats, Ints, gather, interpolate

__all__ = ["LINEAR", "drizframe_interpolators", "linear"]


def linear(image: Any, x: Any, y: Any, *, fill: float) -> Floats:
    """Bilinear interpolation between the four pixels around a position.

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
    ``v = q_x q_y S00 + p_x q_y S10 + q_x p_y S01 + p_x p_y S11`` with fractions p and q = 1 - p.  Beyond the
    last centre the fraction along that axis is 0: the value is constant there.  A NaN makes every value NaN
    whose four pixels hold it, also where its factor is 0.
    """
    return interpolate(_value, image, x, y, fill)


def _cell(position: Floats, last: int) -> tuple[Ints, Ints, Floats]:
    """Return both pixels of a cell and the fraction between them."""
    i = position.astype(np.int64)
    p = np.where(i < last, position - i, 0.0)
    return i, np.minimum(i + 1, last), p


def _value(image: Any, x: Floats, y: Floats) -> Floats:
    ny, nx = image.shape
    i0, i1, px = _cell(x, nx - 1)
    j0, j1, py = _cell(y, ny - 1)
    qx, qy = 1.0 - px, 1.0 - py
    return (
        qx * qy * gather(image, j0, i0)
        + px * qy * gather(image, j0, i1)
        + qx * py * gather(image, j1, i0)
        + px * py * gather(image, j1, i1)
    )


LINEAR = Interpolator(
    name="linear",
    summary="Bilinear interpolation in x and y.",
    reference=linear,
    fast=twin("interp_linear.linear"),
    reach=1,
    traits=frozenset({"linear", "picklable"}),
)


@hookimpl
def drizframe_interpolators() -> Iterator[Interpolator]:
    """Yield the interpolator."""
    yield LINEAR
