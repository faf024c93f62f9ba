"""Mean of the good values."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from drizframe._fast import twin
from drizframe.hooks import Combiner, hookimpl
from drizframe.stock.combine._stack import (
    good_values,
    mean_of_sorted,
    needed,
    sort_good,
    within_thresholds,
)

if TYPE_CHECKING:
    from drizframe.hooks import CombineOptions

__all__ = ["MEAN", "mean"]


def mean(
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
    """Mean of the good values of each pixel.

    Parameters
    ----------
    stack : ndarray of float32, shape (n, h, w)
        Singly drizzled images, electrons per second.
    bad : ndarray of bool, shape (n, h, w)
        Values not to use; values that are not finite are never used.
    weight, exptime, background, readnoise, n_total
        Not used by this combiner.
    options : CombineOptions
        `nlow` and `nhigh` values are thrown away at the ends; `lthresh`, `hthresh`.

    Returns
    -------
    ndarray of float32, shape (h, w)
        Computed in float64; 0 where nothing is left.

    Raises
    ------
    ShapeError
        If `stack` and `bad` do not fit.
    """
    values, good = good_values(stack, bad)
    ordered, count = sort_good(values, within_thresholds(values, good, options))
    return mean_of_sorted(ordered, count, options.nlow, options.nhigh)


MEAN = Combiner(
    name="mean",
    summary="Mean of the good values, without the nlow lowest and nhigh highest.",
    reference=mean,
    fast=twin("combine.mean"),
    minimum=needed,
    traits=frozenset({"order_free", "picklable", "sparse"}),
    tolerance=0.0,
)


@hookimpl
def drizframe_combiners() -> Iterator[Combiner]:
    """Yield the combiner of this module."""
    yield MEAN
