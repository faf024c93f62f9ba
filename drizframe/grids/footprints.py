"""Which part of a frame a chip covers, which part of a chip falls on a tile, and the tiles themselves.

A `Footprint` splits the chip into cells and bounds each cell on the frame.  For a table the cells are those
of the table and the bounds are exact: a bilinear patch takes its extremes at the corners.  For a full map a
cell bounds every pixel in it.  For a function the cells are sampled and the bounds widened by the measured
curvature.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from drizframe.errors import ParameterError
from drizframe.model import PixelMap, Window
from drizframe.model.pixelmap import ORIGIN

__all__ = ["Footprint", "exposure_window", "footprint", "tiles", "union"]

Array = np.ndarray[Any, np.dtype[np.float64]]

#: Side of the cells of maps without a table, in chip pixels.
CELL = 32
#: Guard against rounding of bounds, in frame pixels.
ROUNDING = 1e-6

_NOTHING = Window(0, 0, 0, 0)


@dataclass(frozen=True, slots=True, eq=False)
class Footprint:
    """Bounds of the cells of a chip on a frame.

    Parameters
    ----------
    shape : tuple of int
        Rows and columns of the chip.
    x, y : ndarray of float64, shapes (n + 1,) and (m + 1,)
        Edges of the cells in chip pixels, from -0.5 to the length of the axis minus 0.5.
    low, high : ndarray of float64, shape (2, m, n)
        Bounds of x and y of each cell in frame pixels; NaN where nothing of the cell can be projected.
    """

    shape: tuple[int, int]
    x: Array
    y: Array
    low: Array
    high: Array

    def bounds(self) -> tuple[float, float, float, float] | None:
        """Return x0, x1, y0, y1 of the whole chip in frame pixels; None if nothing of it can be projected."""
        if not np.isfinite(self.low).any():
            return None
        (x0, y0), (x1, y1) = np.nanmin(self.low, axis=(1, 2)), np.nanmax(self.high, axis=(1, 2))
        return float(x0), float(x1), float(y0), float(y1)

    def window(self, frame_shape: tuple[int, int], margin: float = 0.0) -> Window:
        """Return the pixels of the frame that the chip touches.

        Parameters
        ----------
        frame_shape : tuple of int
            Rows and columns of the frame.
        margin : float
            How far a kernel reaches beyond the edges of the input pixels, in frame pixels.
        """
        found = self.bounds()
        if found is None:
            return _NOTHING
        reach = margin + ROUNDING
        (y0, y1), (x0, x1) = (
            _pixels(low - reach, high + reach, n)
            for low, high, n in ((found[2], found[3], frame_shape[0]), (found[0], found[1], frame_shape[1]))
        )
        return Window(y0, y1, x0, x1) if y1 > y0 and x1 > x0 else _NOTHING


def _pixels(low: float, high: float, n: int) -> tuple[int, int]:
    """Return the half-open range of pixels of an axis of n that an interval touches."""
    first = math.floor(min(max(low, -1.0), float(n)) + 0.5)
    last = math.floor(min(max(high, -1.0), float(n)) + 0.5)
    return max(first, 0), min(last + 1, n)


def footprint(pixels: PixelMap) -> Footprint:
    """Return the footprint of a chip.

    Parameters
    ----------
    pixels : PixelMap
        Its map, of any kind.
    """
    ny, nx = pixels.shape
    if pixels.nodes is not None:
        return _table_footprint(pixels)
    x, y = _edges(nx, CELL), _edges(ny, CELL)
    low, high = _full_bounds(pixels, x, y) if pixels.pixmap is not None else _sampled_bounds(pixels, x, y)
    return Footprint(pixels.shape, x, y, low, high)


def _edges(n: int, step: float, first: float = -0.5) -> Array:
    """Return the edges of cells of an axis of n pixels: `first`, `first` + step, …, clipped to the pixels."""
    inner = first + step * np.arange(int(n / step) + 3)
    return np.concatenate([[-0.5], inner[(inner > -0.5) & (inner < n - 0.5)], [n - 0.5]])


def _corner_bounds(fx: Array, fy: Array) -> tuple[Array, Array]:
    """Return the bounds of cells from their corners; corners that are NaN do not count."""
    low, high = [], []
    for f in (fx, fy):
        corners = np.stack([f[:-1, :-1], f[1:, :-1], f[:-1, 1:], f[1:, 1:]])
        low.append(np.fmin.reduce(corners, axis=0))
        high.append(np.fmax.reduce(corners, axis=0))
    return np.stack(low), np.stack(high)


def _table_footprint(pixels: PixelMap) -> Footprint:
    """Bound the cells of a table; a cell with a node that is NaN is lost as a whole."""
    ny, nx = pixels.shape
    x, y = _edges(nx, pixels.step, ORIGIN), _edges(ny, pixels.step, ORIGIN)
    # both sides of every edge, each seen from its own cell: a NaN node must not reach into the cells beside
    # its own
    fx, fy = pixels.grid(_both_sides(x), _both_sides(y))
    low, high = [], []
    for f in (fx, fy):
        corners = np.stack([f[::2, ::2], f[1::2, ::2], f[::2, 1::2], f[1::2, 1::2]])
        low.append(corners.min(axis=0))
        high.append(corners.max(axis=0))
    lost = ~np.isfinite(low[0] + low[1] + high[0] + high[1])
    for f in (*low, *high):
        f[lost] = np.nan
    return Footprint(pixels.shape, x, y, np.stack(low), np.stack(high))


def _both_sides(edges: Array) -> Array:
    """Return the first and the last coordinate of each cell, one after the other."""
    return np.stack([edges[:-1], np.nextafter(edges[1:], -np.inf)], axis=1).ravel()


def _full_bounds(pixels: PixelMap, x: Array, y: Array) -> tuple[Array, Array]:
    """Bound blocks of a full map: their centres, those around them, and the outer edges of the image."""
    ny, nx = pixels.shape
    sx = np.concatenate([[-0.5], np.arange(nx, dtype=np.float64), [nx - 0.5]])
    low, high = np.full((2, len(y) - 1, len(x) - 1), np.nan), np.full((2, len(y) - 1, len(x) - 1), np.nan)
    for k in range(len(y) - 1):
        first, last = int(y[k] - 0.5), int(y[k + 1] + 0.5)  # the rows around the block
        sy = np.clip(np.arange(first, last + 1, dtype=np.float64), -0.5, ny - 0.5)
        image = np.stack(pixels.grid(sx, sy))
        image[~np.isfinite(image)] = np.nan
        bottom, top = np.fmin.reduce(image, axis=1), np.fmax.reduce(image, axis=1)
        for i in range(len(x) - 1):
            part = slice(max(int(x[i] + 0.5), 0), min(int(x[i + 1] + 0.5) + 2, len(sx)))  # index 0 is -0.5
            low[:, k, i] = np.fmin.reduce(bottom[:, part], axis=1)
            high[:, k, i] = np.fmax.reduce(top[:, part], axis=1)
    return low, high


def _sampled_bounds(pixels: PixelMap, x: Array, y: Array) -> tuple[Array, Array]:
    """Bound cells of an exact map from their corners, with safety.

    Between samples a distance h apart a smooth curve leaves the chord by an eighth of the second difference;
    half of the largest one, and one pixel, are added.  Cells next to a point that cannot be projected may
    reach anywhere.
    """
    fx, fy = pixels.grid(x, y)
    lost = ~(np.isfinite(fx) & np.isfinite(fy))
    fx, fy = np.where(lost, np.nan, fx), np.where(lost, np.nan, fy)
    low, high = _corner_bounds(fx, fy)
    for c, f in enumerate((fx, fy)):
        twist = np.diff(np.diff(f, axis=0), axis=1)
        curvature = [np.abs(d) for d in (np.diff(f, n=2, axis=0), np.diff(f, n=2, axis=1), twist)]
        largest = max((float(np.nanmax(a)) for a in curvature if np.isfinite(a).any()), default=0.0)
        low[c] -= 0.5 * largest + 1.0
        high[c] += 0.5 * largest + 1.0
    corners = np.stack([lost[:-1, :-1], lost[1:, :-1], lost[:-1, 1:], lost[1:, 1:]])
    doubtful = corners.any(axis=0) & ~corners.all(axis=0)
    low[:, doubtful], high[:, doubtful] = -np.inf, np.inf
    return low, high


def exposure_window(maps: Iterable[PixelMap], frame_shape: tuple[int, int], *, margin: float = 0.0) -> Window:
    """Return the part of a frame that an exposure touches.

    Parameters
    ----------
    maps : iterable of PixelMap
        The maps of its chips onto that frame.
    frame_shape : tuple of int
        Rows and columns of the frame.
    margin : float
        How far a kernel reaches beyond the edges of the input pixels, in frame pixels.

    Returns
    -------
    Window
        Around all chips, clipped to the frame; empty if none touches it.
    """
    return union(footprint(m).window(frame_shape, margin) for m in maps)


def union(windows: Iterable[Window]) -> Window:
    """Return the smallest window that holds all windows that are not empty."""
    full = [w for w in windows if not w.empty]
    if not full:
        return _NOTHING
    return Window(
        min(w.y0 for w in full), max(w.y1 for w in full), min(w.x0 for w in full), max(w.x1 for w in full)
    )


def tiles(area: Window | tuple[int, int], size: int | tuple[int, int]) -> list[Window]:
    """Cut an area into tiles, row by row.

    Parameters
    ----------
    area : Window or tuple of int
        A part of a frame, or its rows and columns.
    size : int or tuple of int
        Rows and columns of a tile; those at the far edges may be smaller.

    Raises
    ------
    ParameterError
        If `size` is below 1.
    """
    high, wide = (size, size) if isinstance(size, int) else size
    if high < 1 or wide < 1:
        msg = f"A tile has {high} by {wide} pixels; both sides need at least one. Give a larger tile_size."
        raise ParameterError(msg)
    w = area if isinstance(area, Window) else Window(0, area[0], 0, area[1])
    return [
        Window(y, min(y + high, w.y1), x, min(x + wide, w.x1))
        for y in range(w.y0, w.y1, high)
        for x in range(w.x0, w.x1, wide)
    ]
