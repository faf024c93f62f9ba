"""Where blocks of chip pixels can fall on a frame: cheap bounds that lose no pixel.

A chip is cut into square blocks of 32 pixels. For each block the smallest box is kept that holds the
positions of its pixel centres, or of all corners of its shrunken pixels. The boxes are exact (up to rounding,
for which they are grown): an interpolated map is bilinear between its nodes, and a bilinear function on a
rectangle is extreme at corners of the rectangle, so positions at nodes and at the sides of a block bound all
others; a function of unknown form is evaluated at every position that the kernel will use.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from drizframe._fast import load

if TYPE_CHECKING:
    from drizframe.model.pixelmap import PixelMap
    from drizframe.model.window import Window

__all__ = ["BLOCK", "block_bounds", "blocks_near", "rows_near", "touches"]

Array = np.ndarray[Any, np.dtype[np.float64]]

compiled: Any = load("bounds")

#: Side of a block in chip pixels.
BLOCK = 32

#: Boxes grow by this share of their largest coordinate, against rounding.
ROUNDING = 1e-12


def block_bounds(pixmap: PixelMap, half: float) -> Array:
    """Boxes of all blocks on the frame.

    Parameters
    ----------
    pixmap : PixelMap
        The map; it remembers the answer.
    half : float
        Half the side of a shrunken pixel in chip pixels; 0: only centres matter.

    Returns
    -------
    boxes : ndarray of float64, shape (rows, columns, 4)
        Smallest x, largest x, smallest y, largest y of each block; ``inf, -inf`` if it has no finite
        position.
    """
    key = f"bounds {half!r}"
    boxes: Array | None = pixmap.extra.get(key)
    if boxes is None:
        full = pixmap.pixmap is not None and compiled is not None
        boxes = (
            compiled.block_boxes(pixmap.pixmap, pixmap.start, pixmap.shape, half)
            if full
            else _measure(pixmap, half)
        )
        boxes.flags.writeable = False
        pixmap.extra[key] = boxes
    return boxes


def blocks_near(
    pixmap: PixelMap, window: Window, half: float, margin: float
) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Whether pixels of a block can touch a window of the frame.

    Parameters
    ----------
    pixmap : PixelMap
        The map.
    window : Window
        Pixels of the frame.
    half : float
        See `block_bounds`.
    margin : float
        How far beyond its positions a pixel reaches, in frame pixels.

    Returns
    -------
    near : ndarray of bool, shape (rows, columns)
        False only where no pixel of the block can touch the window.
    """
    boxes = block_bounds(pixmap, half)
    far = margin + 1.0  # pixels are a half wider than their centres; the rest is slack
    return (
        (boxes[..., 1] >= window.x0 - far)
        & (boxes[..., 0] <= window.x1 - 1 + far)
        & (boxes[..., 3] >= window.y0 - far)
        & (boxes[..., 2] <= window.y1 - 1 + far)
    )


def rows_near(pixmap: PixelMap, window: Window, half: float, margin: float) -> tuple[int, int] | None:
    """Return the rows of a chip outside of which no pixel can touch a window: first, and one after the last; None if none can.

    Parameters
    ----------
    pixmap : PixelMap
        Of the chip.
    window : Window
        Pixels of the frame.
    half, margin : float
        See `blocks_near`.
    """
    if window.empty:
        return None
    hit = np.flatnonzero(blocks_near(pixmap, window, half, margin).any(axis=1))
    if not len(hit):
        return None
    return int(hit[0]) * BLOCK, min((int(hit[-1]) + 1) * BLOCK, pixmap.shape[0])


def touches(pixmap: PixelMap, window: Window, half: float, margin: float) -> bool:
    """Whether any pixel of a chip can touch a window of the frame.

    Parameters
    ----------
    pixmap : PixelMap
        The map.
    window : Window
        Pixels of the frame.
    half, margin : float
        See `blocks_near`.

    Returns
    -------
    touches : bool
        False only if no pixel does.  The first call costs as much as mapping part of the chip; the map
        remembers.
    """
    return not window.empty and bool(blocks_near(pixmap, window, half, margin).any())


def _measure(pixmap: PixelMap, half: float) -> Array:
    ny, nx = pixmap.shape
    x, x_starts = _samples(pixmap, nx, half, axis=1)
    y, y_starts = _samples(pixmap, ny, half, axis=0)
    boxes = np.empty((len(y_starts), len(x_starts), 4))
    for k, start in enumerate(y_starts):
        stop = y_starts[k + 1] if k + 1 < len(y_starts) else len(y)
        with np.errstate(all="ignore"):
            fx, fy = pixmap.grid(x, y[start:stop])
        finite = np.isfinite(fx) & np.isfinite(fy)
        for c, f in ((0, fx), (2, fy)):
            boxes[k, :, c] = np.minimum.reduceat(np.where(finite, f, np.inf).min(axis=0), x_starts)
            boxes[k, :, c + 1] = np.maximum.reduceat(np.where(finite, f, -np.inf).max(axis=0), x_starts)
    return _grown(boxes)


def _grown(boxes: Array) -> Array:
    """Grow boxes against rounding in the interpolation."""
    largest = np.max(np.abs(boxes), axis=2, initial=0.0, where=np.isfinite(boxes))
    with np.errstate(over="ignore"):
        return boxes + ROUNDING * largest[:, :, None] * np.array([-1.0, 1.0, -1.0, 1.0])  # type: ignore[no-any-return]


def _samples(pixmap: PixelMap, n: int, half: float, axis: int) -> tuple[Array, list[int]]:
    """Chip coordinates along one axis that bound every block, and where each block's begin."""
    points: list[Array] = []
    starts = [0]
    for low in range(0, n, BLOCK):
        high = min(low + BLOCK, n) - 1
        points.append(_block_samples(pixmap, low, high, half, axis))
        starts.append(starts[-1] + len(points[-1]))
    return np.concatenate(points), starts[:-1]


def _block_samples(pixmap: PixelMap, low: int, high: int, half: float, axis: int) -> Array:
    pixels = np.arange(low, high + 1, dtype=np.float64)
    if pixmap.function is not None and pixmap.nodes is None:
        return np.unique(np.concatenate([pixels - half, pixels + half]))
    if pixmap.pixmap is not None:  # the centres of the whole map, of which this may be a part
        first, last = -pixmap.start[axis], pixmap.pixmap.shape[axis] - 1 - pixmap.start[axis]
        inner = np.arange(max(first, math.ceil(low - half)), min(last, math.floor(high + half)) + 1.0)
    else:
        assert pixmap.nodes is not None  # noqa: S101  (one of three sources, by construction)
        inner = pixmap.origin + pixmap.step * np.arange(pixmap.nodes.shape[1 + axis])
        inner = inner[(inner > low - half) & (inner < high + half)]
    return np.unique(np.concatenate([inner, [low - half, high + half]]))
