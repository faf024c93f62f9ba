"""The part of an image that is drizzled, and what its map tells."""

from __future__ import annotations

import math
import operator
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from drizframe.errors import ArrayTypeError, ParameterError
from drizframe.hooks import Kernel
from drizframe.model import PixelMap, Window

__all__ = ["Region", "covering_shape", "first_cell_scale", "region_of"]

Floats = np.ndarray[Any, np.dtype[np.float64]]
#: Rows that are looked at at a time.
ROWS = 64


def first_cell_scale(pixmap: Floats) -> float:
    """Linear magnification of the first cell of a map whose corners are finite.

    Raises
    ------
    ParameterError
        If there is no cell to measure.

    Notes
    -----
    The root of the determinant of the differences to the next column and row.  The `drizzle` package takes it
    from the cell at pixel (0, 0); where that is not finite, the next one in order is taken.
    """
    along, up = pixmap[:-1, 1:] - pixmap[:-1, :-1], pixmap[1:, :-1] - pixmap[:-1, :-1]
    with np.errstate(all="ignore"):
        area = np.abs(along[..., 0] * up[..., 1] - along[..., 1] * up[..., 0]).ravel()
    good = np.flatnonzero(np.isfinite(area) & (area > 0.0))
    if not good.size:
        msg = "The pixel map has no cell to estimate the pixel scale from. Give pixel_scale_ratio."
        raise ParameterError(msg)
    return math.sqrt(area[good[0]])


@dataclass(frozen=True, slots=True, eq=False)
class Region:
    """The rectangle of an image that is drizzled.

    Parameters
    ----------
    slices : tuple of slice
        Rows and columns.
    pixmap : PixelMap
        The map of these pixels; between them and their neighbours it is the map of the whole image.
    """

    slices: tuple[slice, slice]
    pixmap: PixelMap

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.pixmap.shape

    def reach(
        self, kernel: Kernel, pixfrac: float, scale: float, shape: tuple[int, int]
    ) -> tuple[Window, int]:
        """Return the part of an output of `shape` that pixels can touch, and how many rows touch nothing."""
        window, touching = None, 0
        for lows, highs in self._extents(*kernel.reach(pixfrac, scale)):
            with np.errstate(invalid="ignore"):
                near = (highs[0] > -0.5) & (lows[0] < shape[1] - 0.5)
                near &= (highs[1] > -0.5) & (lows[1] < shape[0] - 0.5)
            touching += int(near.any(axis=1).sum())
            if near.any():
                x0, y0 = (math.floor(max(v[near].min(), 0.0)) for v in lows)
                x1, y1 = (int(min(v[near].max() + 2.0, n)) for v, n in zip(highs, shape[::-1], strict=True))
                part = Window(y0, y1, x0, x1)
                window = part if window is None else _union(window, part)
        return Window(0, 0, 0, 0) if window is None else window, self.shape[0] - touching

    def _extents(self, half: float, margin: float) -> Iterator[tuple[list[Floats], list[Floats]]]:
        """Yield, for blocks of rows, the least and largest output x and y that each pixel can reach."""
        ny, nx = self.shape
        columns = _sides(np.arange(nx, dtype=np.float64), half)
        for first in range(0, ny, ROWS):
            rows = np.arange(first, min(first + ROWS, ny), dtype=np.float64)
            with np.errstate(all="ignore"):
                mapped = self.pixmap.grid(columns, _sides(rows, half))
                corners = [m.reshape(rows.size, -1, nx, columns.size // nx) for m in mapped]
                yield (
                    [c.min(axis=(1, 3)) - margin for c in corners],
                    [c.max(axis=(1, 3)) + margin for c in corners],
                )


def _sides(centres: Floats, half: float) -> Floats:
    """Both sides of each pixel, or its centre."""
    return np.stack([centres - half, centres + half], axis=1).ravel() if half else centres


def _union(a: Window, b: Window) -> Window:
    """Return the smallest window that holds both."""
    return Window(min(a.y0, b.y0), max(a.y1, b.y1), min(a.x0, b.x0), max(a.x1, b.x1))


def region_of(pixmap: Floats, box: tuple[int | None, int | None, int | None, int | None]) -> Region:
    """Return the part of an image inside limits.

    Parameters
    ----------
    pixmap : ndarray of float64, shape (ny, nx, 2)
        The map of the whole image.
    box : tuple of int or None
        xmin, xmax, ymin, ymax, inclusive.

    Raises
    ------
    ParameterError
        If a limit is no integer, or no pixel lies inside.
    """
    ny, nx = pixmap.shape[:2]
    columns, rows = _span("x", box[0], box[1], nx), _span("y", box[2], box[3], ny)
    if (columns, rows) == (slice(0, nx), slice(0, ny)):
        return Region((rows, columns), PixelMap.from_pixmap(pixmap))

    def transform(x: Floats, y: Floats) -> tuple[Floats, Floats]:
        return _points(pixmap, x + columns.start, y + rows.start)

    shape = (rows.stop - rows.start, columns.stop - columns.start)
    return Region((rows, columns), PixelMap.from_function(transform, shape))


def _span(axis: str, low: Any, high: Any, n: int) -> slice:
    """Return the pixels of an axis between two limits, both inclusive."""
    try:
        first = 0 if low is None else operator.index(low)
        last = n - 1 if high is None or not operator.index(high) else operator.index(high)
    except TypeError:
        msg = f"{axis}min and {axis}max are {low!r} and {high!r}; give integers or None."
        raise ArrayTypeError(msg) from None
    first, last = max(first, 0), min(last, n - 1)
    if first > last:
        msg = (
            f"No pixel lies between {axis}min={low!r} and {axis}max={high!r}; the image has {n} pixels there."
        )
        raise ParameterError(msg)
    return slice(first, last + 1)


def _points(pixmap: Floats, x: Floats, y: Floats) -> tuple[Floats, Floats]:
    """Map single positions as `PixelMap.grid` maps the product of two lists."""
    ny, nx = pixmap.shape[:2]
    i = np.clip(np.trunc(x).astype(np.int64), 0, max(nx - 2, 0))
    k = np.clip(np.trunc(y).astype(np.int64), 0, max(ny - 2, 0))
    a, b = x - i, y - k
    i1, k1 = np.minimum(i + 1, nx - 1), np.minimum(k + 1, ny - 1)
    corners = [
        ((1 - a) * (1 - b), pixmap[k, i]),
        (a * (1 - b), pixmap[k, i1]),
        ((1 - a) * b, pixmap[k1, i]),
        (a * b, pixmap[k1, i1]),
    ]
    with np.errstate(invalid="ignore"):
        terms = [np.where(w[:, None] == 0.0, 0.0, w[:, None] * p) for w, p in corners]
    mapped = terms[0] + terms[1] + terms[2] + terms[3]
    return mapped[:, 0], mapped[:, 1]


def covering_shape(pixmap: Any) -> tuple[int, int]:
    """Return rows and columns of an output that is as large as the mapped image."""
    good = pixmap[np.isfinite(pixmap).all(axis=2)]
    low, high = np.floor(good.min(axis=0)), np.ceil(good.max(axis=0))
    nx, ny = (high - low + 1.0).tolist()
    return int(ny), int(nx)
