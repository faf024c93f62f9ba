"""The kernels lanczos2 and lanczos3: damped sinc functions, from a table."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from drizframe._fast import load
from drizframe.hooks import Kernel, hookimpl
from drizframe.model import axes_of
from drizframe.stock.kernels._ranges import Array, Integers, centres

__all__ = ["LANCZOS2", "LANCZOS3", "lanczos", "lanczos2", "lanczos3"]

#: Distance of the entries of the table in input pixels, as in the reference (trap 10-9).
SPACING = 0.003


def _tabulate(order: int) -> Array:
    """Return ``L(k · SPACING)``: ``sinc(u) sinc(u / a)`` for u < a, else 0; ``sinc(u) = sin(πu) / (πu)``."""
    u = SPACING * np.arange(math.ceil(order / SPACING) + 1, dtype=np.float64)
    table = np.where(u < order, np.sinc(u) * np.sinc(u / order), 0.0)
    table.flags.writeable = False
    return table


TABLES = {2: _tabulate(2), 3: _tabulate(3)}


def lanczos(
    x: Array, y: Array, x0: Integers, y0: Integers, shape: tuple[int, int],
    scale: float, order: int, table: Array, spacing: float,
) -> Array:  # fmt: skip
    """Product of two damped sinc functions about each pixel's centre.

    Parameters
    ----------
    x, y : ndarray of float64, shape (n,)
        Centres on the frame.
    x0, y0 : ndarray of int, shape (n,)
        First column and row of each pixel's window.
    shape : tuple of int, (h, w)
        Rows and columns of the windows.
    scale : float
        Size of an output pixel over that of an input pixel.
    order : int
        Number of lobes a on a side.
    table : ndarray of float64
        Values of the function every `spacing` input pixels.
    spacing : float
        See `table`.

    Returns
    -------
    weights : ndarray of float64, shape (n, h, w)
        ``L(dx) L(dy)`` with offsets in input pixels, rounded to the nearest entry of the table, on the pixels
        ``floor(x - a / s) + 1 … floor(x + a / s)``.  Some are negative, and they do not sum to 1.  For pixels that
        are not square (`PixelScale`) s is that of the axis.
    """
    sx, sy = axes_of(scale)
    across = _factors(x, order / sx, x0, shape[1], sx, table, spacing)
    along = _factors(y, order / sy, y0, shape[0], sy, table, spacing)
    return along[:, :, None] * across[:, None, :]


def _factors(
    v: Array, r: float, start: Integers, count: int, scale: float, table: Array, spacing: float
) -> Array:
    """One axis of the kernel on each pixel of the windows, shape (n, count)."""
    k = centres(start, count)
    entry = np.floor(np.abs(v[:, None] - k) * scale / spacing + 0.5)
    inside = (k > np.floor(v - r)[:, None]) & (k <= np.floor(v + r)[:, None]) & (entry < len(table))
    return np.where(inside, table[np.where(inside, entry, 0.0).astype(np.intp)], 0.0)


def lanczos2(
    x: Array, y: Array, corners: Array | None, x0: Integers, y0: Integers, shape: tuple[int, int], *,
    pixfrac: float, scale: float,
) -> Array:  # fmt: skip
    """Return `lanczos` with two lobes; `corners` and `pixfrac` have no effect."""
    return lanczos(x, y, x0, y0, shape, scale, 2, TABLES[2], SPACING)


def lanczos3(
    x: Array, y: Array, corners: Array | None, x0: Integers, y0: Integers, shape: tuple[int, int], *,
    pixfrac: float, scale: float,
) -> Array:  # fmt: skip
    """Return `lanczos` with three lobes; `corners` and `pixfrac` have no effect."""
    return lanczos(x, y, x0, y0, shape, scale, 3, TABLES[3], SPACING)


_compiled: Any = load("lanczos")


def _fast_lanczos2(
    x: Array, y: Array, corners: Array | None, x0: Integers, y0: Integers, shape: tuple[int, int], *,
    pixfrac: float, scale: float,
) -> Array:  # fmt: skip
    """Compiled twin of `lanczos2`."""
    weights: Array = _compiled.lanczos(x, y, x0, y0, shape, scale, 2, TABLES[2], SPACING)
    return weights


def _fast_lanczos3(
    x: Array, y: Array, corners: Array | None, x0: Integers, y0: Integers, shape: tuple[int, int], *,
    pixfrac: float, scale: float,
) -> Array:  # fmt: skip
    """Compiled twin of `lanczos3`."""
    weights: Array = _compiled.lanczos(x, y, x0, y0, shape, scale, 3, TABLES[3], SPACING)
    return weights


def _block2(pixfrac: float, scale: float) -> tuple[Any, Any]:
    """Compiled body of `lanczos2` and its constants."""
    code: tuple[Any, Any] = _compiled.block(scale, 2, TABLES[2], SPACING)
    return code


def _block3(pixfrac: float, scale: float) -> tuple[Any, Any]:
    """Compiled body of `lanczos3` and its constants."""
    code: tuple[Any, Any] = _compiled.block(scale, 3, TABLES[3], SPACING)
    return code


def support2(pixfrac: float, scale: float) -> float:
    """Half the longer side of the footprint of lanczos2 in output pixels."""
    return 2.0 / min(axes_of(scale))


def support3(pixfrac: float, scale: float) -> float:
    """Half the longer side of the footprint of lanczos3 in output pixels."""
    return 3.0 / min(axes_of(scale))


_TRAITS = frozenset({"ignores_pixfrac", "linear", "rotation_invariant", "picklable"})

LANCZOS2 = Kernel(
    name="lanczos2",
    summary="Damped sinc function with two lobes on a side; pixfrac has no effect.",
    footprint=lanczos2,
    fast=None if _compiled is None else _fast_lanczos2,
    block=None if _compiled is None else _block2,
    tolerance=0.0,
    support=support2,
    traits=_TRAITS,
    cite="Duchon 1979, J. Appl. Meteorology 18, 1016",
    flux_error=0.042,  # measured: benchmarks/kernel_flux.py, docs/explanation/kernels.md
)

LANCZOS3 = Kernel(
    name="lanczos3",
    summary="Damped sinc function with three lobes on a side; pixfrac has no effect.",
    footprint=lanczos3,
    fast=None if _compiled is None else _fast_lanczos3,
    block=None if _compiled is None else _block3,
    tolerance=0.0,
    support=support3,
    traits=_TRAITS,
    cite="Duchon 1979, J. Appl. Meteorology 18, 1016",
    flux_error=0.017,  # measured: benchmarks/kernel_flux.py, docs/explanation/kernels.md
)


@hookimpl
def drizframe_kernels() -> Iterator[Kernel]:
    """Yield the kernels of this module."""
    yield LANCZOS2
    yield LANCZOS3
