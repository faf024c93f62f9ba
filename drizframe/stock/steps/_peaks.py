"""Bright peaks of an image, and where they lie on the chips that it was made of."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from drizframe.model import Window

if TYPE_CHECKING:
    from drizframe.model import PixelMap

__all__ = ["chip_positions", "peaks"]

Image = np.ndarray[Any, Any]

#: How many of the brightest are taken, and how far above the level of the image they stand, in units of its scatter.
COUNT, HEIGHT = 100, 15.0
#: Rows that are looked at at a time; pixels that tell level and scatter.
ROWS, SAMPLE = 256, 200_000


def _level(read: Callable[[Window], Image], shape: tuple[int, int]) -> tuple[float, float]:
    """Return median and scatter of an image, of rows spread over it; pixels that are 0 or no number do not count."""
    every = max(1, -(-shape[0] * shape[1] // SAMPLE))
    rows = [read(Window(y, y + 1, 0, shape[1])).ravel() for y in range(every // 2, shape[0], every)]
    values = np.concatenate(rows) if rows else np.empty(0)
    values = values[np.isfinite(values) & (values != 0)]
    if not values.size:
        return 0.0, 0.0
    level = float(np.median(values))
    return level, 1.4826 * float(np.median(np.abs(values - level)))


def peaks(read: Callable[[Window], Image], shape: tuple[int, int]) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Return the brightest peaks of an image.

    Parameters
    ----------
    read : callable
        ``read(window)`` gives a part of the image.
    shape : tuple of int
        Rows and columns of the image.

    Returns
    -------
    ndarray of float64, shape (n, 2)
        Positions (x, y), the brightest first, at most 100.  A peak is a pixel that is not below any of its eight neighbours,
        which all have a value, and stands 15 times the scatter above the level of the image.
    """
    level, scatter = _level(read, shape)
    lowest = level + HEIGHT * max(scatter, 1e-6 * abs(level))
    found: list[Image] = []
    for y0 in range(1, shape[0] - 1, ROWS):
        y1 = min(y0 + ROWS, shape[0] - 1)
        block = np.asarray(read(Window(y0 - 1, y1 + 1, 0, shape[1])))
        y, x = np.nonzero(block[1:-1, 1:-1] > lowest)
        y, x = y + 1, x + 1
        around = np.stack([block[y + j, x + i] for j in (-1, 0, 1) for i in (-1, 0, 1)], axis=-1)
        centre = block[y, x]
        isolated = (
            np.isfinite(around).all(axis=-1)
            & (around != 0).all(axis=-1)
            & (around.max(axis=-1, initial=-np.inf) <= centre)
        )
        found.append(np.column_stack([x, y + y0 - 1, centre])[isolated])
    if not found:
        return np.empty((0, 2))
    table = np.concatenate(found).astype(np.float64)
    return table[np.argsort(-table[:, 2], kind="stable")[:COUNT], :2]


def chip_positions(pixmap: PixelMap, positions: Image) -> tuple[Image, Image, Image]:
    """Return the chip pixels that lie nearest to positions on the frame.

    Parameters
    ----------
    pixmap : PixelMap
        From the chip to the frame.
    positions : ndarray, shape (n, 2)
        Positions (x, y) on the frame.

    Returns
    -------
    x, y : ndarray of int64, shape (n,)
        Pixels of the chip; 0 where there is none.
    inside : ndarray of bool, shape (n,)
        Which lie on the chip.

    Notes
    -----
    The map is inverted by steps with the matrix of its middle, which converge since distortion turns and stretches little.
    """
    ny, nx = pixmap.shape
    middle = np.array([(nx - 1) / 2, (ny - 1) / 2])
    span = np.array([max(nx / 2, 1.0), max(ny / 2, 1.0)])
    gx, gy = pixmap.grid(
        middle[0] + span[0] * np.array([-1.0, 0, 1]), middle[1] + span[1] * np.array([-1.0, 0, 1])
    )
    matrix = np.array(
        [
            [(gx[1, 2] - gx[1, 0]) / (2 * span[0]), (gx[2, 1] - gx[0, 1]) / (2 * span[1])],
            [(gy[1, 2] - gy[1, 0]) / (2 * span[0]), (gy[2, 1] - gy[0, 1]) / (2 * span[1])],
        ]
    )
    x, y = np.zeros(len(positions), dtype=np.int64), np.zeros(len(positions), dtype=np.int64)
    inside = np.zeros(len(positions), dtype=bool)
    if not np.isfinite(matrix).all() or np.linalg.det(matrix) == 0:
        return x, y, inside
    inverse = np.linalg.inv(matrix)
    for k, target in enumerate(positions):
        at = middle + inverse @ (target - np.array([gx[1, 1], gy[1, 1]]))
        for _ in range(20):
            # far outside, where a distortion may be anything, there is nothing to find
            if not np.isfinite(at).all() or (np.abs(at - middle) > 2 * span + 10).any():
                break
            fx, fy = pixmap.grid(at[:1], at[1:])
            step = inverse @ (target - np.array([fx[0, 0], fy[0, 0]]))
            at = at + step
            if np.abs(step).max() < 0.01:
                pixel = np.floor(at + 0.5).astype(np.int64)
                inside[k] = bool((pixel >= 0).all() and pixel[0] < nx and pixel[1] < ny)
                x[k], y[k] = pixel if inside[k] else (0, 0)
                break
    return x, y, inside
