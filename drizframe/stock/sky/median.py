"""Sky statistic ``median``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from drizframe.hooks import SkyStatistic, StatisticOptions, hookimpl
from drizframe.pixels.statistics import compiled
from drizframe.stock.sky._clipped import clipped

__all__ = ["MEDIAN", "median"]


def median(values: np.ndarray[Any, Any], options: StatisticOptions) -> tuple[np.float32 | float, int]:
    """Median of the clipped values.

    Parameters
    ----------
    values : ndarray of float32, shape (n,)
        Sky pixels in row order; NaN and infinities are left out.
    options : StatisticOptions
        Limits and clips.

    Returns
    -------
    value : numpy.float32
        NaN where there is not enough data.
    n : int
        Pixels that were left.
    """
    found = clipped(values, options, "median", "reference")
    return (float("nan"), 0) if found is None or found.median is None else (found.median, found.npix)


def fast(values: np.ndarray[Any, Any], options: StatisticOptions) -> tuple[np.float32 | float, int]:
    """See `median`."""
    found = clipped(values, options, "median", "cython")
    return (float("nan"), 0) if found is None or found.median is None else (found.median, found.npix)


MEDIAN = SkyStatistic(
    name="median",
    summary="Median of the clipped sky pixels.",
    reference=median,
    fast=fast if compiled() else None,
    traits=frozenset({"picklable"}),
)


@hookimpl
def drizframe_sky_statistics() -> Iterator[SkyStatistic]:
    """Yield the statistic."""
    yield MEDIAN
