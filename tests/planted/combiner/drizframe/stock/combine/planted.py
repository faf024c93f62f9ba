"""The largest of the good values."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from drizframe._fast import twin
from drizframe.hooks import Combiner, hookimpl
from drizframe.stock.combine._stack import good_values, within_thresholds

if TYPE_CHECKING:
    from drizframe.hooks import CombineOptions

__all__ = ["PLANTED", "planted"]


def planted(
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
    """Largest of the good values of each pixel.

    Parameters
    ----------
    stack : ndarray of float32, shape (n, h, w)
        Singly drizzled images, electrons per second.
    bad : ndarray of bool, shape (n, h, w)
        Values not to use; values that are not finite are never used.
    weight, exptime, background, readnoise, n_total
        Not used by this combiner.
    options : CombineOptions
        `lthresh` and `hthresh`.

    Returns
    -------
    ndarray of float32, shape (h, w)
        0 where nothing is good.
    """
    values, good = good_values(stack, bad)
    good = within_thresholds(values, good, options)
    most: np.ndarray[Any, np.dtype[np.float32]] = np.where(good, values, np.float32(-np.inf)).max(axis=0)
    return np.where(good.any(axis=0), most, np.float32(0))


PLANTED = Combiner(
    name="planted",
    summary="The largest of the good values.",
    reference=planted,
    fast=twin("combine_planted.planted"),
    traits=frozenset({"order_free", "picklable"}),
    tolerance=0.0,
)


@hookimpl
def drizframe_combiners() -> Iterator[Combiner]:
    """Yield the combiner of this module."""
    yield PLANTED
