"""Which pixels of a block touch a window of the frame, and which output pixels each may touch.

A block is a rectangle of chip pixels.  The functions return the pixels that matter in input order (rows
first):

``index`` (n,)
    position in the flattened block,
``x``, ``y`` (n,)
    centres on the frame,
``corners`` (n, 4, 2) or None
    corners of the shrunken pixels,
``box`` (4, n)
    first and last column, first and last row that the pixel may touch, clipped to the window.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from drizframe._fast import load

__all__ = ["Selection", "near_centres", "near_quads"]

Array = np.ndarray[Any, np.dtype[np.float64]]
Integers = np.ndarray[Any, np.dtype[np.intp]]
Selection = tuple[Integers, Array, Array, Array | None, Integers]
Limits = tuple[int, int, int, int]

compiled: Any = load("selection")


def near_centres(x: Array, y: Array, radius: float, window: Limits) -> Selection:
    """Choose pixels by their centres.

    Parameters
    ----------
    x, y : ndarray of float64, shape (rows, columns)
        Centres on the frame; not finite: no position.
    radius : float
        Half the width of what a pixel can touch, in frame pixels.
    window : tuple of int
        ``y0, y1, x0, x1`` of the window.

    Returns
    -------
    index, x, y, corners, box
        See the module; `corners` is None.
    """
    with np.errstate(invalid="ignore"):
        x, y = x.ravel(), y.ravel()
        usable = np.isfinite(x) & np.isfinite(y)
        return _chosen(x, y, None, usable, (x - radius, x + radius, y - radius, y + radius), window)


def near_quads(x: Array, y: Array, cx: Array, cy: Array, stride: int, window: Limits) -> Selection:
    """Choose pixels by their corners.

    Parameters
    ----------
    x, y : ndarray of float64, shape (rows, columns)
        Centres on the frame.
    cx, cy : ndarray of float64
        Corners on the frame.  The lower left corner of the pixel in row j and column i is at ``[stride j,
        stride i]``, the upper right one at ``[stride j + 1, stride i + 1]``: neighbours share corners with
        stride 1, but not with 2.
    stride : int
        1 or 2.
    window : tuple of int
        ``y0, y1, x0, x1`` of the window.

    Returns
    -------
    index, x, y, corners, box
        See the module.  A pixel of which any corner is not finite is left out.
    """
    rows, columns = x.shape
    below, above = slice(0, stride * (rows - 1) + 1, stride), slice(1, stride * (rows - 1) + 2, stride)
    left, right = slice(0, stride * (columns - 1) + 1, stride), slice(1, stride * (columns - 1) + 2, stride)
    order = ((above, left), (above, right), (below, right), (below, left))
    u = np.stack([cx[j, i].ravel() for j, i in order], axis=1)
    v = np.stack([cy[j, i].ravel() for j, i in order], axis=1)
    x, y = x.ravel(), y.ravel()
    usable = np.isfinite(x) & np.isfinite(y) & np.isfinite(u).all(axis=1) & np.isfinite(v).all(axis=1)
    extent = (u.min(axis=1), u.max(axis=1), v.min(axis=1), v.max(axis=1))
    return _chosen(x, y, np.stack([u, v], axis=2), usable, extent, window)


def _chosen(
    x: Array, y: Array, corners: Array | None, usable: np.ndarray[Any, np.dtype[np.bool_]],
    extent: tuple[Array, Array, Array, Array], window: Limits,
) -> Selection:  # fmt: skip
    """Keep usable pixels whose candidates ``nint(low) … nint(high)`` meet the window."""
    y0, y1, x0, x1 = window
    ranges = [np.where(v >= 0.0, np.floor(v + 0.5), -np.floor(0.5 - v)) for v in extent]
    lows, highs = np.array([[x0], [x0], [y0], [y0]]), np.array([[x1 - 1], [x1 - 1], [y1 - 1], [y1 - 1]])
    inside = usable & (ranges[1] >= x0) & (ranges[0] < x1) & (ranges[3] >= y0) & (ranges[2] < y1)
    index = np.flatnonzero(inside)
    box = np.clip(np.stack([r[index] for r in ranges]), lows, highs).astype(np.intp)
    return index, x[index], y[index], None if corners is None else corners[index], box
