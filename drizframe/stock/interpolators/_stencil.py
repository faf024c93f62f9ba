"""What the interpolators share: the domain, samples off the frame, Everett's polynomials.

Conventions: `image` is ``[y, x]``, positions are (x, y), pixels count from 0, integers are pixel centres.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from drizframe.model import image_and_positions

__all__ = [
    "Floats",
    "Ints",
    "everett",
    "gather",
    "inside",
    "interpolate",
    "nearest_index",
    "reflected",
]

Floats = np.ndarray[Any, np.dtype[np.float64]]
Ints = np.ndarray[Any, np.dtype[np.int64]]
Bools = np.ndarray[Any, np.dtype[np.bool_]]


def inside(shape: tuple[int, int], x: Floats, y: Floats) -> Bools:
    """Whether positions lie in the domain ``0 <= x < nx``, ``0 <= y < ny``; false for NaN and infinities."""
    ny, nx = shape
    found: Bools = (x >= 0.0) & (x < nx) & (y >= 0.0) & (y < ny)
    return found


def interpolate(
    value: Callable[[Any, Floats, Floats], Floats], image: Any, x: Any, y: Any, fill: float
) -> Floats:
    """Evaluate `value` at the positions inside the domain; `fill` elsewhere.

    Parameters
    ----------
    value : callable
        ``value(image, x, y)`` for positions that all lie inside.
    image : ndarray, shape (ny, nx)
        Any real type; all arithmetic is float64.
    x, y : ndarray of float64, shape (n,)
        Positions; any value.
    fill : float
        Value outside the domain.

    Raises
    ------
    ShapeError
        If `image` is not two-dimensional or has no pixel, or the positions do not match.
    """
    image, x, y = image_and_positions(image, x, y)
    values = np.full(x.shape, fill, dtype=np.float64)
    ok = inside(image.shape, x, y)
    # NaN and infinities in the image are values like others: they propagate without a warning.
    with np.errstate(invalid="ignore", over="ignore", divide="ignore"):
        values[ok] = value(image, x[ok], y[ok])
    return values


def gather(image: Any, iy: Ints, ix: Ints) -> Floats:
    """Return pixels as float64."""
    return np.asarray(image[iy, ix], dtype=np.float64)


def nearest_index(position: Floats) -> Ints:
    """Return the nearest pixel, halves up; fractions are exact, so whole-pixel shifts change nothing."""
    index = position.astype(np.int64)
    return index + (position - index >= 0.5)


def reflected(value: Callable[[Ints, Any], Floats], index: Ints, last: int) -> Floats:
    """Continue samples beyond both ends of a row by point reflection about the edge sample.

    Parameters
    ----------
    value : callable
        ``value(index, chosen)`` gives the samples at `index`, within ``0 … last``, for the positions
        `chosen`.
    index : ndarray of int, shape (n,)
        Indices, also beyond the ends.
    last : int
        The last index, n - 1.

    Returns
    -------
    samples : ndarray of float64, shape (n,)
        ``S[-k] = 2 S[0] - S[k]`` and ``S[last + k] = 2 S[last] - S[last - k]``.  Where a row is so short that
        the mirror sample does not exist either, the sample at the other end takes its place.
    """
    edge = np.clip(index, 0, last)
    samples = value(edge, slice(None))
    off = edge != index
    if off.any():
        mirror = np.clip(2 * edge - index, 0, last)
        samples[off] = 2.0 * samples[off] - value(mirror[off], off)
    return samples


def everett(v: list[Floats], p: Floats) -> Floats:
    """Interpolate 4 or 6 equidistant samples by Everett's central differences.

    Parameters
    ----------
    v : list of ndarray, each of shape (n,)
        Samples at offsets -1 … 2 (cubic) or -2 … 3 (quintic).
    p : ndarray of float64, shape (n,)
        Fraction from offset 0 to offset 1, in [0, 1).

    Notes
    -----
    With q = 1 - p, second differences / 6 (a) and fourth differences / 120 (b) about the samples at offsets 0
    and 1: ``F = p (v1 + (p² - 1)(a1 + (p² - 4) b1)) + q (v0 + (q² - 1)(a0 + (q² - 4) b0))``; the cubic has no
    b.  It is the polynomial through the samples.
    """
    q = 1.0 - p
    p2, q2 = p * p, q * q
    if len(v) == 4:
        a0 = (v[2] - 2.0 * v[1] + v[0]) / 6.0
        a1 = (v[3] - 2.0 * v[2] + v[1]) / 6.0
        return p * (v[2] + (p2 - 1.0) * a1) + q * (v[1] + (q2 - 1.0) * a0)
    a0 = (v[3] - 2.0 * v[2] + v[1]) / 6.0
    a1 = (v[4] - 2.0 * v[3] + v[2]) / 6.0
    b0 = (v[0] - 4.0 * v[1] + 6.0 * v[2] - 4.0 * v[3] + v[4]) / 120.0
    b1 = (v[1] - 4.0 * v[2] + 6.0 * v[3] - 4.0 * v[4] + v[5]) / 120.0
    return p * (v[3] + (p2 - 1.0) * (a1 + (p2 - 4.0) * b1)) + q * (v[2] + (q2 - 1.0) * (a0 + (q2 - 4.0) * b0))
