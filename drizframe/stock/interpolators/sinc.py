"""Tapered sinc interpolation."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from drizframe._fast import twin
from drizframe.errors import ParameterError
from drizframe.hooks import Interpolator, hookimpl
from drizframe.stock.interpolators._stencil import Floats, gather, interpolate, nearest_index

__all__ = ["SINC", "drizframe_interpolators", "sinc"]

#: Half width of the stencil.
HALF = 7
#: Coefficients of the cosine taper.
A2, A4 = -0.49670, 0.03705
#: Fractions below this on both axes take the nearest pixel.
NEAR = 0.001


def sinc(image: Any, x: Any, y: Any, *, fill: float, sinscl: float = 1.0) -> Floats:
    """Sinc interpolation with a cosine taper over 15 x 15 pixels.

    Parameters
    ----------
    image : ndarray, shape (ny, nx)
        The image.
    x, y : ndarray of float64, shape (n,)
        Positions in pixels, 0-based; any value.
    fill : float
        Value outside the domain ``0 <= x < nx``, ``0 <= y < ny``.
    sinscl : float
        Factor on the fractional offset from the nearest pixel, above 0; 1 interpolates.

    Returns
    -------
    values : ndarray of float64, shape (n,)
        In the unit of the image.

    Raises
    ------
    ParameterError
        If `sinscl` is not a finite number above 0.

    Notes
    -----
    With the nearest pixel (i0, j0), d = (x - i0) sinscl, and m = -7 … 7: ``c_m = t_m / (d - m)``, where ``t_m
    = (-1)^m (1 + a2 u + a4 u²)²``, ``u = (π / 14)² m²``; ``c_m = 1`` where d = m, and 0 elsewhere if d = 0.
    The value is ``ΣΣ c_j c_i S / (Σ c_j Σ c_i)``.  Samples off the frame repeat the edge sample.  If both |d|
    < 0.001 the nearest pixel is taken.  A NaN makes every value NaN whose stencil holds it, also where its
    factor is 0.
    """
    if not (np.isfinite(sinscl) and sinscl > 0.0):
        msg = f"blot_sinscl is {sinscl!r}; it is a finite number above 0 (1 interpolates)."
        raise ParameterError(msg)
    return interpolate(lambda im, px, py: _value(im, px, py, float(sinscl)), image, x, y, fill)


def _factors(d: Floats) -> list[Floats]:
    """Return c_m for m = -7 … 7."""
    factors = []
    for m in range(-HALF, HALF + 1):
        u = (np.pi / (2.0 * HALF)) ** 2 * (m * m)
        taper = (1.0 if m % 2 == 0 else -1.0) * (1.0 + A2 * u + A4 * u * u) ** 2
        distance = d - m
        c = np.where(d == 0.0, 0.0, taper / np.where(distance == 0.0, 1.0, distance))
        factors.append(np.where(distance == 0.0, 1.0, c))
    return factors


def _value(image: Any, x: Floats, y: Floats, sinscl: float) -> Floats:
    ny, nx = image.shape
    i0, j0 = nearest_index(x), nearest_index(y)
    dx, dy = (x - i0) * sinscl, (y - j0) * sinscl
    cx, cy = _factors(dx), _factors(dy)
    total = np.zeros_like(x)
    for j, c in zip(range(-HALF, HALF + 1), cy, strict=True):
        row = np.zeros_like(x)
        jj = np.clip(j0 + j, 0, ny - 1)
        for i, k in zip(range(-HALF, HALF + 1), cx, strict=True):
            row += k * gather(image, jj, np.clip(i0 + i, 0, nx - 1))
        total += c * row
    value = total / (sum(cx) * sum(cy))
    near = (np.abs(dx) < NEAR) & (np.abs(dy) < NEAR)
    return np.where(near, gather(image, np.minimum(j0, ny - 1), np.minimum(i0, nx - 1)), value)


SINC = Interpolator(
    name="sinc",
    summary="Sinc interpolation with a cosine taper over 15 x 15 pixels.",
    reference=sinc,
    fast=twin("interp_sinc.sinc"),
    reach=8,
    accepts=frozenset({"sinscl"}),
    traits=frozenset({"linear", "picklable"}),
)


@hookimpl
def drizframe_interpolators() -> Iterator[Interpolator]:
    """Yield the interpolator."""
    yield SINC
