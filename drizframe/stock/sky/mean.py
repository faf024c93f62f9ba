"""Sky statistic ``mean``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from drizframe.hooks import SkyStatistic, StatisticOptions, hookimpl
from drizframe.pixels.statistics import compiled
from drizframe.stock.sky._clipped import clipped

__all__ = ["MEAN", "mean"]


def mean(values: np.ndarray[Any, Any], options: StatisticOptions) -> tuple[float, int]:
    """Mean of the clipped values.

    Parameters
    ----------
    values : ndarray of float32, shape (n,)
        Sky pixels in row order; NaN and infinities are left out.
    options : StatisticOptions
        Limits and clips.

    Returns
    -------
    value : float, of float32 precision
        NaN where there is not enough data.
    n : int
        Pixels that were left.
    """
    found = clipped(values, options, "", "reference")
    return (float("nan"), 0) if found is None else (found.mean, found.npix)


def fast(values: np.ndarray[Any, Any], options: StatisticOptions) -> tuple[float, int]:
    """See `mean`."""
    found = clipped(values, options, "", "cython")
    return (float("nan"), 0) if found is None else (found.mean, found.npix)


MEAN = SkyStatistic(
    name="mean",
    summary="Mean of the clipped sky pixels.",
    reference=mean,
    fast=fast if compiled() else None,
    traits=frozenset({"picklable"}),
)


@hookimpl
def drizframe_sky_statistics() -> Iterator[SkyStatistic]:
    """Yield the statistic."""
    yield MEAN
