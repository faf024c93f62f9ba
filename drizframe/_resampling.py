"""What `drizframe.resample` needs: fill values, types of arrays, and the part of an image that is used."""

from __future__ import annotations

import math
import operator
from dataclasses import dataclass
from typing import Any

import numpy as np

from drizframe.errors import ArrayTypeError, ParameterError, ShapeError
from drizframe.hooks import Kernel
from drizframe.model import PixelMap, Window

__all__ = [
    "Region",
    "check_flags",
    "fill_text",
    "fill_value",
    "first_cell_scale",
    "image_like",
    "positive",
    "region_of",
]

Floats = np.ndarray[Any, np.dtype[np.float64]]
INDEF = "INDEF"


def fill_text(value: Any, *, given: bool) -> str:
    """Return a fill value as text: "INDEF" (keep) if none was set and the array was given, "NaN" if it was not."""
    if value is None or str(value).strip().upper() in {"", INDEF}:
        return INDEF if given else "NaN"
    text = str(value)
    float(text)  # refuses what is no number, with Python's own message
    return text


def fill_value(text: str, keep: Any) -> Any:
    """Return the number that a fill text stands for; `keep` for "INDEF"."""
    return keep if text == INDEF else float(text)


def positive(name: str, value: Any) -> float:
    """Return a number that must be finite and above 0.

    Raises
    ------
    ParameterError
        If it is not.
    """
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = math.nan
    if not (math.isfinite(number) and number > 0.0):
        msg = f"Argument '{name}' must be positive and finite; got {value!r}."
        raise ParameterError(msg)
    return number


def image_like(name: str, array: Any) -> Any:
    """Return an output image as float32: itself if it is one, else a copy.

    Raises
    ------
    ShapeError
        If it is not two-dimensional.
    ParameterError
        If it is read-only.
    """
    if array is None:
        return None
    image = np.asarray(array, dtype=np.float32)
    if image.ndim != 2 or image.size == 0:
        msg = f"'{name}' must be a 2D array with at least one pixel; got shape {image.shape}."
        raise ShapeError(msg)
    if not image.flags.writeable:
        msg = f"'{name}' is read-only, but results are written into it. Give a copy."
        raise ParameterError(msg)
    return image


def check_flags(name: str, array: Any, shape: tuple[int, ...] | None = None) -> Any:
    """Return flags as uint32: the array itself if it has that type, else a copy.

    Raises
    ------
    ArrayTypeError
        If they are not integers of 32 bits or less.
    ShapeError
        If they have another shape than `shape`.
    """
    flags = np.asarray(array)
    if flags.dtype.kind not in "iu" or flags.dtype.itemsize > 4:
        msg = f"'{name}' must be of an unsigned integer type with itemsize of 4 bytes or less. It is {flags.dtype}."
        raise ArrayTypeError(msg)
    if shape is not None and flags.shape != shape:
        msg = f"'{name}' shape is not consistent with 'data' shape."
        raise ShapeError(msg)
    return flags.astype(np.uint32, copy=False)


def first_cell_scale(pixmap: Floats) -> float:
    """Linear magnification of the first cell of a map whose corners are finite.

    Raises
    ------
    ParameterError
        If there is no cell to measure.

    Notes
    -----
    The root of the determinant of the differences to the next column and row.  The `drizzle` package takes it from the
    cell at pixel (0, 0); where that is not finite, the next one in order is taken.
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
    positions : ndarray of float64, shape (ny, nx, 2)
        Positions of the centres of these pixels.
    """

    slices: tuple[slice, slice]
    pixmap: PixelMap
    positions: Floats

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.pixmap.shape

    def reach(
        self, kernel: Kernel, pixfrac: float, scale: float, shape: tuple[int, int]
    ) -> tuple[Window, int]:
        """Return the part of the output that the pixels can touch, and the number of rows that touch nothing."""
        half, margin = kernel.reach(pixfrac, scale)
        x, y = self.positions[..., 0], self.positions[..., 1]
        with np.errstate(all="ignore"):
            hx, hy = (margin + half * _side(p) for p in (x, y))
            near = (x + hx >= -0.5) & (x - hx <= shape[1] - 0.5) & (y + hy >= -0.5) & (y - hy <= shape[0] - 0.5)
        skipped = int((~near.any(axis=1)).sum())
        if not near.any():
            return Window(0, 0, 0, 0), skipped
        spans = [
            (max(math.floor((p - h)[near].min()), 0), min(math.ceil((p + h)[near].max()) + 1, n))
            for p, h, n in ((y, hy, shape[0]), (x, hx, shape[1]))
        ]
        return Window(*spans[0], *spans[1]), skipped


def _side(position: Floats) -> Any:
    """Extent of mapped pixels along one output axis: the sum of both steps, each the larger of its two sides."""
    total = 0.0
    for axis in (0, 1):
        if position.shape[axis] == 1:
            continue
        step = np.abs(np.diff(position, axis=axis))
        step = np.where(np.isfinite(step), step, 0.0)
        pad = [(0, 0), (0, 0)]
        pad[axis] = (1, 1)
        wide = np.pad(step, pad)
        low, high = ([slice(None), slice(None)] for _ in range(2))
        low[axis], high[axis] = slice(None, -1), slice(1, None)
        total = total + np.maximum(wide[tuple(low)], wide[tuple(high)])
    return total


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
        return Region((rows, columns), PixelMap.from_pixmap(pixmap), pixmap)
    whole = PixelMap.from_pixmap(pixmap)

    def transform(x: Floats, y: Floats) -> tuple[Floats, Floats]:
        return _points(whole, x + columns.start, y + rows.start)

    shape = (rows.stop - rows.start, columns.stop - columns.start)
    return Region((rows, columns), PixelMap.from_function(transform, shape), pixmap[rows, columns])


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
        msg = f"No pixel lies between {axis}min={low!r} and {axis}max={high!r}; the image has {n} pixels there."
        raise ParameterError(msg)
    return slice(first, last + 1)


def _points(whole: PixelMap, x: Floats, y: Floats) -> tuple[Floats, Floats]:
    """Map positions, which are the product of two lists spread out, through the cells of a full map."""
    columns = x[: np.argmax(y != y[0])] if (y != y[0]).any() else x
    return tuple(a.ravel() for a in whole.grid(columns, y[:: columns.size]))  # type: ignore[return-value]
