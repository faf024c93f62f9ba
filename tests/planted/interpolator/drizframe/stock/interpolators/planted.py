"""Interpolation between four pixels that begins and ends flat."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from drizframe._fast import twin
from drizframe.hooks import Interpolator, hookimpl
from drizframe.stock.interpolators._stencil import Floats, Ints, gather, interpolate

__all__ = ["PLANTED", "drizframe_interpolators", "planted"]


def planted(image: Any, x: Any, y: Any, *, fill: float) -> Floats:
    """Smooth steps between the four pixels around a position.

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
    As bilinear interpolation, with ``p² (3 - 2 p)`` in place of each fraction p.
    """
    return interpolate(_value, image, x, y, fill)


def _cell(position: Floats, last: int) -> tuple[Ints, Ints, Floats]:
    """Return both pixels of a cell and the step between them."""
    i = position.astype(np.int64)
    p = np.where(i < last, position - i, 0.0)
    return i, np.minimum(i + 1, last), p * p * (3.0 - 2.0 * p)


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


PLANTED = Interpolator(
    name="planted",
    summary="Smooth steps between four pixels.",
    reference=planted,
    fast=twin("interp_planted.planted"),
    reach=1,
    traits=frozenset({"linear", "picklable"}),
)


@hookimpl
def drizframe_interpolators() -> Iterator[Interpolator]:
    """Yield the interpolator."""
    yield PLANTED
