"""Sum of all values."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from drizframe._fast import twin
from drizframe.hooks import Combiner, hookimpl
from drizframe.stock.combine._stack import (
    good_values,
)

if TYPE_CHECKING:
    from drizframe.hooks import CombineOptions

__all__ = ["SUM", "plain_sum"]


def plain_sum(
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
    """Sum of all values of each pixel, bad or not; values that are not finite add nothing.

    Parameters
    ----------
    stack : ndarray of float32, shape (n, h, w)
        Singly drizzled images, electrons per second.
    bad : ndarray of bool, shape (n, h, w)
        Values not to use; values that are not finite are never used.
    weight, exptime, background, readnoise, n_total
        Not used by this combiner.
    options : CombineOptions
        None is used.

    Returns
    -------
    ndarray of float32, shape (h, w)
        Added in float32, in the order of the images.

    Raises
    ------
    ShapeError
        If `stack` and `bad` do not fit.
    """
    values, _ = good_values(stack, bad)
    total = np.zeros(values.shape[1:], dtype=np.float32)
    with np.errstate(over="ignore"):
        for image in values:
            total += np.where(np.isfinite(image), image, np.float32(0))
    return total


SUM = Combiner(
    name="sum",
    summary="Sum of all values; masks, thresholds, nlow and nhigh do not enter.",
    reference=plain_sum,
    fast=twin("combine.plain_sum"),
    traits=frozenset({"picklable", "sparse"}),
    tolerance=0.0,
)


@hookimpl
def drizframe_combiners() -> Iterator[Combiner]:
    """Yield the combiner of this module."""
    yield SUM
