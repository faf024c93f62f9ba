"""Median or minimum; where all values are bad, the last image."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from drizframe._fast import twin
from drizframe.hooks import Combiner, hookimpl
from drizframe.stock.combine._stack import last_value
from drizframe.stock.combine.minmed import growth, median_or_minimum, two_exposures

if TYPE_CHECKING:
    from drizframe.hooks import CombineOptions

__all__ = ["IMINMED", "iminmed"]


def iminmed(
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
    """Median or minimum as `minmed`, and the last image of the stack where all values are bad.

    Parameters
    ----------
    stack, bad, weight, exptime, background, readnoise, n_total, options
        As for `minmed`.

    Returns
    -------
    ndarray of float32, shape (h, w)
        Electrons per second; the last value is 0 where it is not finite.

    Raises
    ------
    ShapeError
        If `stack` and `bad` do not fit.
    """
    image, empty = median_or_minimum(
        stack, bad, weight=weight, exptime=exptime, background=background, readnoise=readnoise,
        n_total=n_total, options=options,
    )  # fmt: skip
    return np.where(empty, last_value(np.asarray(stack, dtype=np.float32)), image)


IMINMED = Combiner(
    name="iminmed",
    summary="As minmed, with the value of the last image where all values are bad.",
    reference=iminmed,
    fast=twin("combine.iminmed"),
    halo=growth,
    minimum=two_exposures,
    traits=frozenset({"picklable", "sparse"}),
    tolerance=0.0,
)


@hookimpl
def drizframe_combiners() -> Iterator[Combiner]:
    """Yield the combiner of this module."""
    yield IMINMED
