"""The loops of the image statistics in NumPy: the specification of ``cython_ext/statistics.pyx``.

Limits and values are float32; sums are float64 in an order that does not depend on who computes them
(`ordered_sum`).
"""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["histogram", "middle", "moments", "squared_deviations"]

Values = np.ndarray[Any, np.dtype[np.float32]]

#: Partial sums that run side by side in a block.
LANES = 16
#: Values of a block.
BLOCK = 65536


def _in_order(terms: np.ndarray[Any, Any], axis: int) -> np.ndarray[Any, Any]:
    """Sum along an axis strictly from the first to the last term (NumPy's own sum may pair them)."""
    last: np.ndarray[Any, Any] = np.take(np.add.accumulate(terms, axis=axis), -1, axis=axis)
    return last


def ordered_sum(terms: np.ndarray[Any, Any]) -> float:
    """Sum in float64 over blocks of fixed length, in order.

    Parameters
    ----------
    terms : ndarray, shape (n,)
        What to add.

    Returns
    -------
    float
        Value k of a block belongs to lane ``k % LANES``; a lane is summed in order, then the lanes of the
        block, then the blocks.
    """
    total = 0.0
    for start in range(0, terms.size, BLOCK):
        block = terms[start : start + BLOCK].astype(np.float64)
        padded = np.zeros(-(-block.size // LANES) * LANES)
        padded[: block.size] = block
        total += float(_in_order(_in_order(padded.reshape(-1, LANES), axis=0), axis=0))
    return total


def _good(values: Values, lo: float, hi: float) -> np.ndarray[Any, np.dtype[np.bool_]]:
    good: np.ndarray[Any, np.dtype[np.bool_]] = (values >= np.float32(lo)) & (values <= np.float32(hi))
    return good


def moments(values: Values, lo: float, hi: float) -> tuple[int, float, float, float]:
    """Count, sum and extrema of the values within limits.

    Parameters
    ----------
    values : ndarray of float32, shape (n,)
        Finite values.
    lo, hi : float
        Limits, inclusive, rounded to float32.

    Returns
    -------
    count : int
        Values within the limits.
    total : float
        Their sum.
    smallest, largest : float
        Their extrema; 0 if there are none.
    """
    good = _good(values, lo, hi)
    chosen = values[good]
    if not chosen.size:
        return 0, 0.0, 0.0, 0.0
    return (
        chosen.size,
        ordered_sum(np.where(good, values, np.float32(0))),
        float(chosen.min()),
        float(chosen.max()),
    )


def squared_deviations(values: Values, lo: float, hi: float, mean: float) -> float:
    """Sum of ``(v - mean)**2`` over the values within limits; each term is rounded to float32.

    Parameters
    ----------
    values, lo, hi
        See `moments`.
    mean : float
        Mean, rounded to float32.
    """
    deviation = values - np.float32(mean)
    return ordered_sum(np.where(_good(values, lo, hi), deviation * deviation, np.float32(0)))


def histogram(
    values: Values, origin: float, factor: float, edge: float, closed: bool, nbins: int
) -> np.ndarray[Any, np.dtype[np.int64]]:
    """Count values in equal bins: v falls into bin ``trunc(factor * (v - origin))``, evaluated in float32.

    Parameters
    ----------
    values : ndarray of float32, shape (n,)
        Finite values.
    origin, factor, edge : float
        Lower edge, bins per unit and upper edge, rounded to float32.
    closed : bool
        Whether a value equal to `edge` counts.
    nbins : int
        Number of bins.

    Returns
    -------
    ndarray of int64, shape (nbins,)
    """
    origin32, edge32 = np.float32(origin), np.float32(edge)
    inside = (values >= origin32) & ((values <= edge32) if closed else (values < edge32))
    index = (np.float32(factor) * (values[inside] - origin32)).astype(np.int64)
    return np.bincount(index[index < nbins], minlength=nbins).astype(np.int64)


def middle(values: Values, lo: float, hi: float, count: int) -> tuple[float, float]:
    """Return the two middle values of those within limits (twice the same if `count` is odd).

    Parameters
    ----------
    values, lo, hi
        See `moments`.
    count : int
        Number of values within the limits; NaN is returned if it is 0.
    """
    if count <= 0:
        return float("nan"), float("nan")
    ranks = ((count - 1) // 2, count // 2)
    ordered = np.partition(values[_good(values, lo, hi)], ranks)
    return float(ordered[ranks[0]]), float(ordered[ranks[1]])
