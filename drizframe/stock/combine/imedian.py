"""Median of the good values; where all are bad, the last image."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from drizframe._fast import twin
from drizframe.hooks import Combiner, hookimpl
from drizframe.stock.combine._stack import (
    good_values,
    last_value,
    median_of_sorted,
    needed,
    sort_good,
    within_thresholds,
)

if TYPE_CHECKING:
    from drizframe.hooks import CombineOptions

__all__ = ["IMEDIAN", "imedian"]


def imedian(
    stack: np.ndarray[Any, Any],
    bad: np.ndarray[Any, Any],
    *,
    weight: np.ndarray[Any, Any],
    exptime: np.ndarray[Any, Any],
    background: np.ndarray[Any, Any],
    readnoise: np.ndarray[Any, Any],
    n_total: int,
    options: CombineOptions,
) -> np.ndarray[Any, np.dtype[np.float32]]:
    """Median of the good values of each pixel, and the last image of the stack where all are bad.

    Parameters
    ----------
    stack : ndarray of float32, shape (n, h, w)
        Singly drizzled images, electrons per second.
    bad : ndarray of bool, shape (n, h, w)
        Values not to use; values that are not finite are never used.
    weight, exptime, background, readnoise, n_total
        Not used by this combiner.
    options : CombineOptions
        As for `median`.

    Returns
    -------
    ndarray of float32, shape (h, w)
        Computed in float64; the last value is 0 where it is not finite.

    Raises
    ------
    ShapeError
        If `stack` and `bad` do not fit.
    """
    values, good = good_values(stack, bad)
    ordered, count = sort_good(values, within_thresholds(values, good, options))
    image = median_of_sorted(ordered, count, options.nlow, options.nhigh)
    return np.where(count > 0, image, last_value(values))


IMEDIAN = Combiner(
    name="imedian",
    summary="As median, with the value of the last image where all values are bad.",
    reference=imedian,
    fast=twin("combine.imedian"),
    minimum=needed,
    traits=frozenset({"picklable", "sparse"}),
    tolerance=0.0,
)


@hookimpl
def drizframe_combiners() -> Iterator[Combiner]:
    """Yield the combiner of this module."""
    yield IMEDIAN
