"""What the combiners share: which values are good, their order, and the ranks that make a median."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from drizframe.errors import ShapeError

if TYPE_CHECKING:
    from drizframe.hooks import CombineOptions

__all__ = [
    "good_values",
    "last_value",
    "mean_of_sorted",
    "median_of_sorted",
    "median_ranks",
    "needed",
    "sort_good",
    "within_thresholds",
]

Image = np.ndarray[Any, np.dtype[np.float32]]
Mask = np.ndarray[Any, np.dtype[np.bool_]]
Count = np.ndarray[Any, np.dtype[np.intp]]


def needed(options: CombineOptions) -> int:
    """Return the number of exposures that leaves one value after `nlow` and `nhigh` are thrown away."""
    return options.nlow + options.nhigh + 1


def good_values(stack: np.ndarray[Any, Any], bad: np.ndarray[Any, Any]) -> tuple[Image, Mask]:
    """Return the stack as float32, and where it holds a usable value.

    Parameters
    ----------
    stack : ndarray, shape (n, h, w)
        Images in electrons per second.
    bad : ndarray of bool, shape (n, h, w)
        Values not to use.

    Returns
    -------
    values : ndarray of float32, shape (n, h, w)
        The images.
    good : ndarray of bool, shape (n, h, w)
        Not bad, and finite.

    Raises
    ------
    ShapeError
        If the two differ in shape or do not hold at least one image.
    """
    values = np.asarray(stack, dtype=np.float32)
    flags = np.asarray(bad, dtype=bool)
    if values.ndim != 3 or not values.shape[0] or flags.shape != values.shape:
        msg = (
            f"stack has shape {values.shape} and bad has {flags.shape}. "
            f"Give both as (images, rows, columns) with at least one image."
        )
        raise ShapeError(msg)
    return values, ~flags & np.isfinite(values)


def within_thresholds(values: Image, good: Mask, options: CombineOptions) -> Mask:
    """Return `good` without the values below `lthresh` or not below `hthresh` (electrons per second)."""
    if options.lthresh is not None:
        good = good & ~(values < np.float64(options.lthresh))
    if options.hthresh is not None:
        good = good & ~(values >= np.float64(options.hthresh))
    return good


def sort_good(values: Image, good: Mask) -> tuple[Image, Count]:
    """Sort the good values of every pixel.

    Returns
    -------
    ordered : ndarray of float32, shape (n, h, w)
        Good values in ascending order along the first axis, then infinities.
    count : ndarray of int, shape (h, w)
        How many are good.
    """
    return np.sort(np.where(good, values, np.float32(np.inf)), axis=0), good.sum(axis=0)


def median_ranks(n: int, nlow: int, nhigh: int) -> tuple[Count, Count]:
    """Return, for 0 … `n` good values, the two ranks whose values average to the median.

    Parameters
    ----------
    n : int
        Largest number of good values.
    nlow, nhigh : int
        Lowest and highest values to throw away; both are lowered together, as far as they can, where they
        would leave nothing.

    Returns
    -------
    lower, upper : ndarray of int, shape (n + 1,)
        Ranks from 0; equal where the number of values that are left is odd; 0 for no good value.
    """
    lower, upper = np.zeros(n + 1, dtype=np.intp), np.zeros(n + 1, dtype=np.intp)
    for g in range(1, n + 1):
        low, high = nlow, nhigh
        while low + high >= g:
            low, high = max(low - 1, 0), max(high - 1, 0)
        k = g - low - high
        upper[g] = low + k // 2
        lower[g] = upper[g] if k % 2 else upper[g] - 1
    return lower, upper


def median_of_sorted(ordered: Image, count: Count, nlow: int, nhigh: int) -> Image:
    """Return the median without the `nlow` lowest and `nhigh` highest values; 0 where nothing is good."""
    lower, upper = median_ranks(len(ordered), nlow, nhigh)
    first = np.take_along_axis(ordered, lower[count][np.newaxis], axis=0)[0].astype(np.float64)
    second = np.take_along_axis(ordered, upper[count][np.newaxis], axis=0)[0].astype(np.float64)
    result: Image = np.where(count > 0, (first + second) / 2.0, 0.0).astype(np.float32)
    return result


def mean_of_sorted(ordered: Image, count: Count, nlow: int, nhigh: int) -> Image:
    """Return the mean of the values left after `nlow` and `nhigh` are thrown away; 0 where nothing is left.

    The sum runs upwards in float64, so it does not depend on the order of the images.
    """
    left = count - nlow - nhigh
    total = np.zeros(count.shape)
    for rank in range(nlow, len(ordered)):
        total += np.where(rank < nlow + left, ordered[rank], 0.0)
    result: Image = np.where(left > 0, total / np.maximum(left, 1), 0.0).astype(np.float32)
    return result


def last_value(values: Image) -> Image:
    """Return the last image of the stack, with 0 where it is not finite."""
    result: Image = np.where(np.isfinite(values[-1]), values[-1], np.float32(0))
    return result
