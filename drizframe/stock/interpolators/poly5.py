"""Biquintic polynomial interpolation."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from drizframe._fast import twin
from drizframe.hooks import Interpolator, hookimpl
from drizframe.stock.interpolators._stencil import Floats, Ints, everett, gather, interpolate, reflected

__all__ = ["POLY5", "drizframe_interpolators", "poly5"]


def poly5(image: Any, x: Any, y: Any, *, fill: float) -> Floats:
    """Polynomial of degree 5 in x and y through 6 x 6 pixels.

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
    are the point reflection about the edge sample, at all four edges (trap 13-3: the reference has row
    ``ny - 4`` in place of the sixth row of the stencil where that is off the top, ``iy >= ny - 3``).  A NaN makes
    every value NaN whose stencil holds it.
    """
    return interpolate(_value, image, x, y, fill)


def _value(image: Any, x: Floats, y: Floats) -> Floats:
    ny, nx = image.shape
    ix, iy = x.astype(np.int64), y.astype(np.int64)
    px, py = x - ix, y - iy

    def row(j: Ints, chosen: Any) -> Floats:
        i, p = ix[chosen], px[chosen]
        samples = [
            reflected(lambda c, s: gather(image, j[s], c), i + k, nx - 1) for k in (-2, -1, 0, 1, 2, 3)
        ]
        return everett(samples, p)

    return everett([reflected(row, iy + k, ny - 1) for k in (-2, -1, 0, 1, 2, 3)], py)


POLY5 = Interpolator(
    name="poly5",
    summary="Fifth order polynomial in x and y.",
    reference=poly5,
    fast=twin("interp_poly5.poly5"),
    reach=4,
    traits=frozenset({"linear", "picklable"}),
)


@hookimpl
def drizframe_interpolators() -> Iterator[Interpolator]:
    """Yield the interpolator."""
    yield POLY5
