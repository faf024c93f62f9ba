"""Sky statistic ``mode``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from drizframe.hooks import SkyStatistic, StatisticOptions, hookimpl
from drizframe.pixels.statistics import compiled
from drizframe.stock.sky._clipped import clipped

__all__ = ["MODE", "mode"]


def mode(values: np.ndarray[Any, Any], options: StatisticOptions) -> tuple[float, int]:
    """Peak of the histogram of the clipped values, refined by its two neighbours.

    Parameters
    ----------
    values : ndarray of float32, shape (n,)
        Sky pixels in row order; NaN and infinities are left out.
    options : StatisticOptions
        Limits and clips.

    Returns
    -------
    value : float, numpy.float64 where the peak was interpolated
        NaN where there is not enough data.
    n : int
        Pixels that were left.
    """
    found = clipped(values, options, "mode", "reference")
    return (float("nan"), 0) if found is None or found.mode is None else (found.mode, found.npix)


def fast(values: np.ndarray[Any, Any], options: StatisticOptions) -> tuple[float, int]:
    """See `mode`."""
    found = clipped(values, options, "mode", "cython")
    return (float("nan"), 0) if found is None or found.mode is None else (found.mode, found.npix)


MODE = SkyStatistic(
    name="mode",
    summary="Peak of the histogram of the clipped sky pixels.",
    reference=mode,
    fast=fast if compiled() else None,
    traits=frozenset({"picklable"}),
)


@hookimpl
def drizframe_sky_statistics() -> Iterator[SkyStatistic]:
    """Yield the statistic."""
    yield MODE
