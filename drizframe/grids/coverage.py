"""Which windows of a run meet a part of a frame: an index over the cells of a coarse grid."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from drizframe.model import Window

__all__ = ["Coverage", "cover"]

Floats = np.ndarray[Any, np.dtype[np.float64]]
Whole = np.ndarray[Any, np.dtype[np.int64]]

#: Frame pixels: what lies farther than this counts as there, so that no difference overflows.
FAR = 1e15
#: Entries of the index for each box at most, on average.
ENTRIES = 16


@dataclass(frozen=True, slots=True, eq=False)
class Coverage:
    """Boxes on a frame, found by where they lie; see `cover`.

    Parameters
    ----------
    boxes : ndarray of float64, shape (n, 4)
        Smallest and largest x, smallest and largest y of each, in frame pixels.
    side : float
        Side of a cell in frame pixels.
    start : tuple of float
        x and y of the corner of the first cell.
    cells : tuple of int
        Rows and columns of cells.
    first : ndarray of int64, shape (rows * columns + 1,)
        Where the entries of each cell begin.
    entries : ndarray of int64
        Numbers of boxes, cell after cell, in order.
    """

    boxes: Floats
    side: float
    start: tuple[float, float]
    cells: tuple[int, int]
    first: Whole
    entries: Whole

    def near(self, window: Window) -> list[int]:
        """Return the numbers of the boxes that meet the pixels of a window, in order.

        Parameters
        ----------
        window : Window
            Pixels of the frame; they reach half a pixel beyond their centres.
        """
        if window.empty or not len(self.boxes):
            return []
        x0, x1, y0, y1 = window.x0 - 0.5, window.x1 - 0.5, window.y0 - 0.5, window.y1 - 0.5
        (i0, i1), (k0, k1) = (
            _cells(low, high, start, self.side, n)
            for low, high, start, n in (
                (x0, x1, self.start[0], self.cells[1]),
                (y0, y1, self.start[1], self.cells[0]),
            )
        )
        rows = range(k0 * self.cells[1], (k1 + 1) * self.cells[1], self.cells[1])
        parts = [self.entries[self.first[row + i0] : self.first[row + i1 + 1]] for row in rows]
        found = np.unique(np.concatenate(parts))
        box = self.boxes[found]
        meets = (box[:, 1] >= x0) & (box[:, 0] <= x1) & (box[:, 3] >= y0) & (box[:, 2] <= y1)
        numbers: list[int] = found[meets].tolist()
        return numbers


def _cells(low: Any, high: Any, start: float, side: float, n: int) -> Any:
    """Return the first and the last cell of an axis that an interval meets; what lies beyond counts for the outermost."""
    first = np.floor((np.asarray(low) - start) / side)
    last = np.floor((np.asarray(high) - start) / side)
    return tuple(np.clip(v, 0, n - 1).astype(np.int64) for v in (first, last))


def cover(boxes: Sequence[Sequence[float]] | Floats) -> Coverage:
    """Index boxes by the cells of a grid, in time and memory that grow with their number.

    Parameters
    ----------
    boxes : sequence of (x0, x1, y0, y1)
        In frame pixels; ``inf, -inf`` is a box that meets nothing.

    Returns
    -------
    Coverage
        Cells are as large as a box of middle size, and larger if that made many entries.
    """
    found = np.array(boxes, dtype=np.float64).reshape(-1, 4)
    used = np.flatnonzero((found[:, 0] <= found[:, 1]) & (found[:, 2] <= found[:, 3]))
    if not len(used):
        return Coverage(found, 1.0, (0.0, 0.0), (1, 1), np.zeros(2, np.int64), np.zeros(0, np.int64))
    box = found[used]
    lows, highs = (np.where(np.isfinite(v), np.clip(v, -FAR, FAR), v) for v in (box[:, ::2], box[:, 1::2]))
    # a box without an end counts for all cells, but not for where they lie
    start = np.where(np.isfinite(lows), lows, np.inf).min(axis=0)
    stop = np.where(np.isfinite(highs), highs, -np.inf).max(axis=0)
    start = np.where(np.isfinite(start), start, 0.0)
    stop = np.where(np.isfinite(stop), np.maximum(stop, start), start)
    side = _side(np.minimum(highs, stop) - np.maximum(lows, start), stop - start)
    nx, ny = (int(v) for v in (stop - start) // side + 1)
    (i0, i1), (k0, k1) = (_cells(lows[:, c], highs[:, c], start[c], side, n) for c, n in ((0, nx), (1, ny)))
    wide, high = i1 - i0 + 1, k1 - k0 + 1
    count = wide * high
    owner = np.repeat(np.arange(len(used)), count)
    number = np.arange(len(owner)) - np.repeat(np.cumsum(count) - count, count)
    cell = (k0[owner] + number // wide[owner]) * nx + i0[owner] + number % wide[owner]
    order = np.argsort(cell, kind="stable")
    first = np.searchsorted(cell[order], np.arange(nx * ny + 1))
    return Coverage(
        found,
        float(side),
        (float(start[0]), float(start[1])),
        (ny, nx),
        first.astype(np.int64),
        used[owner[order]],
    )


def _side(extents: Floats, whole: Floats) -> float:
    """Return the side of cells: a box of middle size, widened until neither cells nor entries are many."""
    side = max(float(np.median(extents.max(axis=1))), 1.0)
    most = ENTRIES * len(extents)
    while np.prod(extents // side + 2, axis=1).sum() > most or np.prod(whole // side + 1) > most:
        side *= 2.0
    return side
