"""Sources that are flagged in several exposures at a common offset: exposures that are not aligned.

Where stars fall beside themselves the median holds none of them, and each is flagged in its own place in each exposure.  Cosmic
rays fall anywhere; sources of two exposures that are off by one vector differ by that vector, all of them.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

__all__ = ["FARTHEST", "brightest", "common_offset", "flagged_peaks", "how_many"]

Image = np.ndarray[Any, Any]

#: Largest offset that is looked for, and the smallest that matters, in frame pixels.
FARTHEST, NEAREST = 30, 0.5
#: Flagged pixels this near to a brighter one belong to it, in chip pixels.
APART = 3
#: Share of the light of a peak that each of its neighbours has in a star, even where pixels are wide.
ROUND = 0.08
#: Most flagged sources of an exposure.
MOST = 150
#: Pixels that are flagged in two exposures at one place of the detector are hot.
SAME_PLACE = 1.5


def how_many(area: float) -> int:
    """Return how many flagged sources of an exposure are compared, so that few pairs fall together by chance.

    Parameters
    ----------
    area : float
        Size of an exposure in pixels.
    """
    return int(min(MOST, max(8.0, math.sqrt(area / 9.0 / 2.0))))


def flagged_peaks(excess: Image, flagged: Image) -> tuple[Image, Image, Image]:
    """Return the flagged sources of an image, or of rows of it with one more on each side.

    Parameters
    ----------
    excess : ndarray, shape (ny, nx)
        The chip less what was expected of it.
    flagged : ndarray of bool, shape (ny, nx)
        Which pixels are flagged.

    Returns
    -------
    x, y : ndarray of int64
        Positions of their peaks, row by row; none on the edge.
    height : ndarray
        The faintest of the four neighbours of each.

    Notes
    -----
    A source is round: of its four neighbours the faintest has a part of the light of the peak.  Most cosmic rays have a
    neighbour that got nothing.
    """
    y, x = np.nonzero(flagged[1:-1, 1:-1])
    y, x = y + 1, x + 1
    around = np.stack([excess[y - 1, x], excess[y + 1, x], excess[y, x - 1], excess[y, x + 1]])
    peak, faintest = excess[y, x], around.min(axis=0, initial=np.inf)
    keep = np.isfinite(faintest) & (faintest > ROUND * peak) & (around.max(axis=0, initial=-np.inf) <= peak)
    return x[keep], y[keep], faintest[keep]


def brightest(peaks: Image, count: int) -> tuple[Image, Image]:
    """Return the sources that stand out most, none near a brighter one.

    Parameters
    ----------
    peaks : ndarray, shape (n, 3)
        Position x, y and height of each, row by row.
    count : int
        At most so many.

    Returns
    -------
    x, y : ndarray of float64
        Positions, the brightest first.
    """
    taken: set[tuple[int, int]] = set()
    chosen: list[int] = []
    for k in np.argsort(-peaks[:, 2], kind="stable")[: 9 * count]:
        cell = (int(peaks[k, 1]) // APART, int(peaks[k, 0]) // APART)
        if not any((cell[0] + j, cell[1] + i) in taken for j in (-1, 0, 1) for i in (-1, 0, 1)):
            chosen.append(int(k))
            if len(chosen) == count:
                break
        taken.add(cell)
    return peaks[chosen, 0].astype(np.float64), peaks[chosen, 1].astype(np.float64)


def common_offset(a: Image, b: Image, area: float) -> tuple[int, float, float] | None:
    """Return by how much sources of two exposures are off each other, if more than chance has it.

    Parameters
    ----------
    a, b : ndarray, shape (n, 5)
        Of each flagged source: x and y on the frame, number of the chip, x and y on the chip.
    area : float
        Size of an exposure in frame pixels.

    Returns
    -------
    tuple or None
        Number of sources that agree, and the offset (x, y) in frame pixels.

    Notes
    -----
    Differences are counted in cells of a pixel, three by three together.  By chance such nine hold ``9 n m / area`` of them.
    """
    if not (len(a) and len(b)):
        return None
    apart = b[None, :, :] - a[:, None, :]
    dx, dy = apart[..., 0], apart[..., 1]
    hot = (apart[..., 2] == 0) & (np.abs(apart[..., 3]) <= SAME_PLACE) & (np.abs(apart[..., 4]) <= SAME_PLACE)
    used = (np.abs(dx) <= FARTHEST) & (np.abs(dy) <= FARTHEST) & ~hot
    edges = np.arange(-FARTHEST - 0.5, FARTHEST + 1.0)
    cells, _, _ = np.histogram2d(dx[used], dy[used], bins=(edges, edges))
    wide = np.pad(cells, 1)
    nine: Any = sum(wide[j : j + cells.shape[0], i : i + cells.shape[1]] for j in range(3) for i in range(3))
    best = np.unravel_index(int(np.argmax(nine)), cells.shape)
    count = int(nine[best])
    chance = 9.0 * len(a) * len(b) / max(area, 1.0)
    if count <= chance + 6.0 * math.sqrt(chance) + 2.5:
        return None
    middle = np.array(best) - FARTHEST
    near = used & (np.abs(dx - middle[0]) <= 1.5) & (np.abs(dy - middle[1]) <= 1.5)
    x, y = float(np.median(dx[near])), float(np.median(dy[near]))
    return None if math.hypot(x, y) < NEAREST else (count, x, y)
