"""Lanczos interpolation with 3 and 5 lobes."""

from __future__ import annotations

import functools
import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from drizframe._fast import twin
from drizframe.hooks import Interpolator, hookimpl
from drizframe.stock.interpolators._stencil import Floats, gather, interpolate

__all__ = ["LANCZOS3", "LANCZOS5", "drizframe_interpolators", "lanczos3", "lanczos5"]

#: Spacing of the table in pixels.
SPACING = 0.003


def lanczos3(image: Any, x: Any, y: Any, *, fill: float) -> Floats:
    """Lanczos interpolation over 6 x 6 pixels.

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
    ``v = ΣΣ S L(|x - i|) L(|y - j|)`` over ``floor(x) - a + 1 … floor(x) + a``, with ``L(u) = sinc(πu)
    sinc(πu / a)`` from a table of spacing 0.003 (the entry at or below u), as the drizzle library 3.0 has it.
    Pixels off the frame are left out and the factors are not normalised, so values fade within `a` pixels of
    an edge.  A NaN makes every value NaN whose stencil holds it.
    """
    return interpolate(lambda im, px, py: _value(im, px, py, 3), image, x, y, fill)


def lanczos5(image: Any, x: Any, y: Any, *, fill: float) -> Floats:
    """Lanczos interpolation over 10 x 10 pixels; see `lanczos3`."""
    return interpolate(lambda im, px, py: _value(im, px, py, 5), image, x, y, fill)


@functools.cache
def _table(a: int) -> Floats:
    """Return L(k · 0.003) for k = 0 … ceil(a / 0.003)."""
    u = np.arange(math.ceil(a / SPACING) + 1) * SPACING
    table: Floats = np.where(u < a, np.sinc(u) * np.sinc(u / a), 0.0)
    table.flags.writeable = False
    return table


def _factor(a: int, distance: Floats, on_frame: Any) -> Floats:
    """Return L at a distance in pixels; 0 beyond the table."""
    table = _table(a)
    k = (np.abs(distance) / SPACING).astype(np.int64)
    factor: Floats = np.where(on_frame & (k < table.size), table[np.minimum(k, table.size - 1)], 0.0)
    return factor


def _value(image: Any, x: Floats, y: Floats, a: int) -> Floats:
    ny, nx = image.shape
    ix, iy = x.astype(np.int64), y.astype(np.int64)
    total = np.zeros_like(x)
    columns = [ix + k for k in range(1 - a, a + 1)]
    factors = [_factor(a, x - i, (i >= 0) & (i < nx)) for i in columns]
    for k in range(1 - a, a + 1):
        j = iy + k
        use = (j >= 0) & (j < ny)
        row, jj = np.zeros_like(x), np.clip(j, 0, ny - 1)
        for i, factor in zip(columns, factors, strict=True):
            sample = np.where((i >= 0) & (i < nx), gather(image, jj, np.clip(i, 0, nx - 1)), 0.0)
            row += sample * factor
        total += np.where(use, row * _factor(a, y - j, use), 0.0)
    return total


LANCZOS3 = Interpolator(
    name="lanczos3",
    summary="Lanczos interpolation with 3 lobes.",
    reference=lanczos3,
    fast=twin("interp_lanczos.lanczos3"),
    reach=4,
    traits=frozenset({"linear", "picklable"}),
)
LANCZOS5 = Interpolator(
    name="lanczos5",
    summary="Lanczos interpolation with 5 lobes.",
    reference=lanczos5,
    fast=twin("interp_lanczos.lanczos5"),
    reach=6,
    traits=frozenset({"linear", "picklable"}),
)


@hookimpl
def drizframe_interpolators() -> Iterator[Interpolator]:
    """Yield both interpolators."""
    yield LANCZOS3
    yield LANCZOS5
