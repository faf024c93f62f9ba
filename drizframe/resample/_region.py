"""The part of an image that is drizzled, and what its map tells."""

from __future__ import annotations

import math
import operator
from dataclasses import dataclass
from typing import Any

import numpy as np

from drizframe._fast import load
from drizframe.errors import ArrayTypeError, ParameterError
from drizframe.model import PixelMap, Window
from drizframe.resample._arguments import brief

__all__ = ["Region", "covering_shape", "first_cell_scale", "region_of", "touched_part"]

compiled: Any = load("bounds")
Floats = np.ndarray[Any, np.dtype[np.float64]]
#: Pixels of no image.
FAR = 1e18
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
    first = _magnification(pixmap[:2, :2])
    if first.size and math.isfinite(first[0, 0]) and first[0, 0] > 0.0:
        return math.sqrt(first[0, 0])
    area = _magnification(pixmap).ravel()
    good = np.flatnonzero(np.isfinite(area) & (area > 0.0))
    if not good.size:
        msg = "The pixel map has no cell to estimate the pixel scale from. Give pixel_scale_ratio."
        raise ParameterError(msg)
    return math.sqrt(area[good[0]])


def _magnification(pixmap: Floats) -> Floats:
    """Area on the output of every cell of a map."""
    with np.errstate(all="ignore"):
        along, up = pixmap[:-1, 1:] - pixmap[:-1, :-1], pixmap[1:, :-1] - pixmap[:-1, :-1]
        area: Floats = np.abs(along[..., 0] * up[..., 1] - along[..., 1] * up[..., 0])
    return area


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


def touched_part(
    pixmap: PixelMap, half: float, margin: float, shape: tuple[int, int], *, fast: bool = True
) -> tuple[Window, int]:
    """Return the part of an output of `shape` that pixels of a full map can touch, and how many rows touch nothing.

    Parameters
    ----------
    pixmap : PixelMap
        A full map.
    half, margin : float
        How far a pixel reaches, as `footprint_of_pixel` tells.
    shape : tuple of int
        Rows and columns of the output.
    fast : bool
        Whether the compiled twin may look.
    """
    with np.errstate(all="ignore"):
        if fast and compiled is not None:
            box, touching = compiled.touched_part(
                pixmap.pixmap, pixmap.start, pixmap.shape, half, margin, shape
            )
        else:
            box, touching = _touched(pixmap, half, margin, shape)
    x0, x1, y0, y1 = box
    window = Window(0, 0, 0, 0)
    if touching:
        (left, right), (low, high) = (
            (math.floor(max(a, 0.0)), int(min(b + 2.0, n)))
            for a, b, n in ((x0, x1, shape[1]), (y0, y1, shape[0]))
        )
        window = Window(low, high, left, right)
    return window, pixmap.shape[0] - touching


def _touched(
    pixmap: PixelMap, half: float, margin: float, shape: tuple[int, int]
) -> tuple[tuple[float, ...], int]:
    """Bounds (x0, x1, y0, y1) of all pixels near an output of `shape`, and how many rows have any.

    A pixel of which a corner is not finite is near nothing.
    """
    ny, nx = pixmap.shape
    columns = _sides(np.arange(nx, dtype=np.float64), half)
    box, touching = np.array([np.inf, -np.inf, np.inf, -np.inf]), 0
    for first in range(0, ny, ROWS):
        rows = np.arange(first, min(first + ROWS, ny), dtype=np.float64)
        mapped = pixmap.grid(columns, _sides(rows, half), fast=False)
        x, y = (m.reshape(rows.size, -1, nx, columns.size // nx) for m in mapped)
        good = (np.isfinite(x) & np.isfinite(y)).all(axis=(1, 3))
        x0, x1, y0, y1 = (
            f(c, axis=(1, 3)) + m for c in (x, y) for f, m in ((np.min, -margin), (np.max, margin))
        )
        near = good & (x1 > -0.5) & (x0 < shape[1] - 0.5) & (y1 > -0.5) & (y0 < shape[0] - 0.5)
        touching += int(near.any(axis=1).sum())
        if near.any():
            part = [x0[near].min(), x1[near].max(), y0[near].min(), y1[near].max()]
            box[::2], box[1::2] = np.minimum(box[::2], part[::2]), np.maximum(box[1::2], part[1::2])
    return tuple(box.tolist()), touching


def _sides(centres: Floats, half: float) -> Floats:
    """Both sides of each pixel, or its centre."""
    return np.stack([centres - half, centres + half], axis=1).ravel() if half else centres


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
    return Region((rows, columns), PixelMap.from_pixmap(pixmap).part(rows, columns))


def _span(axis: str, low: Any, high: Any, n: int) -> slice:
    """Return the pixels of an axis between two limits, both inclusive."""
    try:
        first = 0 if low is None else operator.index(low)
        last = n - 1 if high is None or not operator.index(high) else operator.index(high)
    except TypeError:
        msg = f"'{axis}min' and '{axis}max' are {brief(low)} and {brief(high)}; give integers or None."
        raise ArrayTypeError(msg) from None
    first, last = max(first, 0), min(last, n - 1)
    if first > last:
        msg = (
            f"No pixel lies between {axis}min={low!r} and {axis}max={high!r}; the image has {n} pixels there."
        )
        raise ParameterError(msg)
    return slice(first, last + 1)


def covering_shape(pixmap: Floats) -> tuple[int, int]:
    """Return rows and columns of an output that is as large as the mapped image.

    Raises
    ------
    ParameterError
        If positions are so far apart that no image holds them.
    """
    good = pixmap[np.isfinite(pixmap).all(axis=2)]
    with np.errstate(over="ignore"):
        nx, ny = (np.ceil(good.max(axis=0)) - np.floor(good.min(axis=0)) + 1.0).tolist()
    if not nx * ny < FAR:
        msg = (
            f"Positions in 'pixmap' lie {nx:g} columns and {ny:g} rows apart. Check them, or give out_shape."
        )
        raise ParameterError(msg)
    return int(ny), int(nx)
