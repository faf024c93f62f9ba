"""From chip pixels to frame pixels.

Three sources, one record: a table of exact positions on a coarse grid, interpolated bilinearly; a function
that is exact everywhere; a full map that the caller gave.  All positions are (x, y), 0-based, integers at
pixel centres.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from drizframe._fast import load
from drizframe.errors import ParameterError, ShapeError

__all__ = ["PixelMap", "Transform"]

Array = np.ndarray[Any, np.dtype[np.float64]]
#: ``transform(x, y) -> (X, Y)`` for float64 arrays of one shape, 0-based on both sides.
Transform = Callable[[Array, Array], tuple[Array, Array]]

_compiled: Any = load("pixelmap")

#: Chip position of the first node of a table: FITS coordinate 0 (trap 11-4).
ORIGIN = -1.0
#: Positions at which the error of a table is measured, about; there is one in each cell at least.
SAMPLES = 40_000


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PixelMap:
    """A map from the pixels of one chip to the pixels of one frame.

    Use `from_table`, `from_function` or `from_pixmap`.

    Parameters
    ----------
    shape : tuple of int
        Rows and columns of the chip.
    step : float
        Distance of the nodes of the table in pixels; 0 if there is no table.
    nodes : ndarray of float64, shape (2, rows, columns), or None
        Frame x and y at the chip positions ``(-1 + i * step, -1 + k * step)``.
    function : callable or None
        The exact transform.
    pixmap : ndarray of float64, shape (ny, nx, 2), or None
        Frame (x, y) of every pixel centre.
    start : tuple of int
        Row and column in `pixmap` of the first pixel of the chip, which may be a part of what is mapped.
    extra : dict
        What was found out about the map and can be used again, and what its maker wants to remember; it is no part of the map.
    """

    shape: tuple[int, int]
    step: float = 0.0
    nodes: np.ndarray[Any, np.dtype[np.float64]] | None = None
    function: Transform | None = None
    pixmap: np.ndarray[Any, np.dtype[np.float64]] | None = None
    start: tuple[int, int] = (0, 0)
    extra: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def from_table(cls, transform: Transform, shape: tuple[int, int], step: float = 10.0) -> PixelMap:
        """Tabulate `transform` every `step` pixels.

        Parameters
        ----------
        transform : callable
            The exact transform.
        shape : tuple of int
            Rows and columns of the chip.
        step : float
            Distance of the nodes in pixels, above 0.

        Raises
        ------
        ParameterError
            If `step` is not above 0.

        Notes
        -----
        Nodes lie at FITS coordinates 0, step, 2 step, … with ``floor(n / step) + 2`` nodes on an axis of n
        pixels, as the reference has them; the corners of the outermost pixels are inside the table.
        """
        if not step > 0:
            msg = f"The step of a coordinate table is {step!r}; it must be above 0 (0: no table)."
            raise ParameterError(msg)
        ny, nx = shape
        x = ORIGIN + step * np.arange(int(nx / step) + 2, dtype=np.float64)
        y = ORIGIN + step * np.arange(int(ny / step) + 2, dtype=np.float64)
        gx, gy = np.meshgrid(x, y)
        nodes = np.stack(
            [np.asarray(a, dtype=np.float64).reshape(gx.shape) for a in transform(gx.ravel(), gy.ravel())]
        )
        nodes.flags.writeable = False
        return cls(shape=shape, step=float(step), nodes=nodes, function=transform)

    @classmethod
    def from_function(cls, transform: Transform, shape: tuple[int, int]) -> PixelMap:
        """Use `transform` itself at every position."""
        return cls(shape=shape, function=transform)

    @classmethod
    def from_pixmap(cls, pixmap: np.ndarray[Any, Any]) -> PixelMap:
        """Use a full map of pixel centres (ny, nx, 2); bilinear between centres, extrapolated outside."""
        array = np.asarray(pixmap, dtype=np.float64)
        if array.ndim != 3 or array.shape[2] != 2:
            msg = f"A pixel map has shape (ny, nx, 2); got {array.shape}."
            raise ShapeError(msg)
        # compiled loops read x and y of a row as one run
        return cls(shape=(array.shape[0], array.shape[1]), pixmap=np.ascontiguousarray(array))

    def part(self, rows: slice, columns: slice) -> PixelMap:
        """Return the map of a rectangle of pixels of a full map; it is the same between all of its pixels' corners.

        Parameters
        ----------
        rows, columns : slice
            With start and stop, inside the chip.
        """
        shape = (rows.stop - rows.start, columns.stop - columns.start)
        start = (self.start[0] + rows.start, self.start[1] + columns.start)
        return PixelMap(shape=shape, pixmap=self.pixmap, start=start)

    def grid(self, x: Array, y: Array, *, fast: bool = True) -> tuple[Array, Array]:
        """Map the product of two lists of chip coordinates.

        Parameters
        ----------
        x : ndarray of float64, shape (n,)
            Chip x.
        y : ndarray of float64, shape (m,)
            Chip y.
        fast : bool
            Whether compiled twins may interpolate; the results have the same bits.

        Returns
        -------
        X, Y : ndarray of float64, shape (m, n)
            Frame positions.
        """
        twins = _compiled if fast else None
        if self.nodes is not None:
            table: Callable[..., tuple[Array, Array]] = table_grid if twins is None else twins.table_grid
            return table(self.nodes, self.step, x, y)
        if self.pixmap is not None:
            cells: Callable[..., tuple[Array, Array]] = cell_grid if twins is None else twins.cell_grid
            return cells(self.pixmap, x + self.start[1], y + self.start[0])
        assert self.function is not None  # noqa: S101  (one of three sources, by construction)
        gx, gy = np.meshgrid(x, y)
        fx, fy = self.function(gx.ravel(), gy.ravel())
        return np.asarray(fx, float).reshape(gx.shape), np.asarray(fy, float).reshape(gx.shape)

    @property
    def centres(self) -> np.ndarray[Any, np.dtype[np.float64]]:
        """Frame (x, y) of the chip's pixel centres, shape (ny, nx, 2), of a full map."""
        assert self.pixmap is not None  # noqa: S101  (only full maps are asked)
        (y, x), (ny, nx) = self.start, self.shape
        return self.pixmap[y : y + ny, x : x + nx]

    @property
    def origin(self) -> float:
        """Chip coordinate of the first node of a table."""
        return ORIGIN

    def table_error(self) -> float:
        """Largest error of the table where it is used, in frame pixels; 0 without a table.

        It is measured at the centres of cells, or at several positions in each if there are few, and at the edges of the
        chip: of a cell that is larger than the chip a part only is used.
        """
        if self.nodes is None or self.function is None:
            return 0.0
        apart = max(2.5, math.sqrt(self.shape[0] * self.shape[1] / SAMPLES))
        x, y = (_samples(n, self.step, apart) for n in self.shape[::-1])
        gx, gy = np.meshgrid(x, y)
        ax, ay = self.grid(x, y)
        fx, fy = self.function(gx.ravel(), gy.ravel())
        distance = np.hypot(ax.ravel() - fx, ay.ravel() - fy)
        return float(np.nanmax(distance)) if np.isfinite(distance).any() else 0.0


def _samples(n: int, step: float, apart: float) -> Array:
    """Return the positions along an axis of n pixels at which a table is looked at, `apart` pixels or less in wide cells."""
    first, last = -0.5, n - 0.5
    apart = step / (
        1 + 2 * int(step / apart / 2)
    )  # the centre of a cell, where the error is largest, is one of them
    inside = ORIGIN + apart * (np.arange(int(n / apart) + 1, dtype=np.float64) + 0.5)
    return np.concatenate([[first], inside[(inside > first) & (inside < last)], [last]])


def table_grid(
    nodes: np.ndarray[Any, np.dtype[np.float64]], step: float, x: Array, y: Array
) -> tuple[Array, Array]:
    """Interpolate a table bilinearly; see `PixelMap.grid`.

    Notes
    -----
    With u = (x - origin) / step, i = floor(u), a = u - i (likewise k and b in y): ``X = T00 (1-a)(1-b) + T10
    a (1-b) + T01 (1-a) b + T11 a b``.  Cells are clipped to the table, so positions beyond it are
    extrapolated linearly.
    """
    u, v = (x - ORIGIN) / step, (y - ORIGIN) / step
    i = np.clip(np.floor(u).astype(np.int64), 0, nodes.shape[2] - 2)
    k = np.clip(np.floor(v).astype(np.int64), 0, nodes.shape[1] - 2)
    a, b = (u - i)[None, :], (v - k)[:, None]
    i, k = i[None, :], k[:, None]
    mapped = [
        t[k, i] * (1 - a) * (1 - b)
        + t[k, i + 1] * a * (1 - b)
        + t[k + 1, i] * (1 - a) * b
        + t[k + 1, i + 1] * a * b
        for t in nodes
    ]
    return mapped[0], mapped[1]


def cell_grid(pixmap: np.ndarray[Any, np.dtype[np.float64]], x: Array, y: Array) -> tuple[Array, Array]:
    """Interpolate a full map in the cell of four neighbouring centres; see `PixelMap.grid`.

    Exact at pixel centres, whatever the neighbours hold; a NaN otherwise spreads only to positions whose cell
    holds it.
    """
    ny, nx = pixmap.shape[:2]
    i = np.clip(np.trunc(x).astype(np.int64), 0, max(nx - 2, 0))
    k = np.clip(np.trunc(y).astype(np.int64), 0, max(ny - 2, 0))
    i1, k1 = np.minimum(i + 1, nx - 1), np.minimum(k + 1, ny - 1)
    a, b = (x - i)[None, :], (y - k)[:, None]
    i, i1, k, k1 = i[None, :], i1[None, :], k[:, None], k1[:, None]

    def mix(w: Array, p: Array) -> Array:
        return np.where(w == 0.0, 0.0, w * p)

    planes = []
    for c in (0, 1):
        t = pixmap[..., c]
        planes.append(
            mix((1 - a) * (1 - b), t[k, i])
            + mix(a * (1 - b), t[k, i1])
            + mix((1 - a) * b, t[k1, i])
            + mix(a * b, t[k1, i1])
        )
    return planes[0], planes[1]
