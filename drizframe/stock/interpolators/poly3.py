"""Bicubic polynomial interpolation."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from drizframe._fast import twin
from drizframe.hooks import Interpolator, hookimpl
from drizframe.stock.interpolators._stencil import Floats, Ints, everett, gather, interpolate, reflected

__all__ = ["POLY3", "drizframe_interpolators", "poly3"]


def poly3(image: Any, x: Any, y: Any, *, fill: float) -> Floats:
    """Polynomial of degree 3 in x and y through 4 x 4 pixels.

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
    Everett's central differences along x in every row of the stencil, then along y.  Samples off the frame
    are the point reflection about the edge sample, at all four edges.  A NaN makes every value NaN whose
    stencil holds it.
    """
    return interpolate(_value, image, x, y, fill)


def _value(image: Any, x: Floats, y: Floats) -> Floats:
    ny, nx = image.shape
    ix, iy = x.astype(np.int64), y.astype(np.int64)
    px, py = x - ix, y - iy

    def row(j: Ints, chosen: Any) -> Floats:
        i, p = ix[chosen], px[chosen]
        samples = [reflected(lambda c, s: gather(image, j[s], c), i + k, nx - 1) for k in (-1, 0, 1, 2)]
        return everett(samples, p)

    return everett([reflected(row, iy + k, ny - 1) for k in (-1, 0, 1, 2)], py)


POLY3 = Interpolator(
    name="poly3",
    summary="Third order polynomial in x and y.",
    reference=poly3,
    fast=twin("interp_poly3.poly3"),
    reach=3,
    traits=frozenset({"linear", "picklable"}),
)


@hookimpl
def drizframe_interpolators() -> Iterator[Interpolator]:
    """Yield the interpolator."""
    yield POLY3
