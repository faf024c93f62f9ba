"""What the three statistics share: clipped image statistics of sky pixels."""

from __future__ import annotations

from typing import Any

from drizframe._fast import Backend
from drizframe.errors import InputError
from drizframe.hooks import StatisticOptions
from drizframe.pixels.statistics import ImageStatistics, image_statistics

__all__ = ["clipped"]


def clipped(values: Any, options: StatisticOptions, want: str, backend: Backend) -> ImageStatistics | None:
    """Return the statistics of sky pixels, or None where there is not enough data.

    Parameters
    ----------
    values : ndarray of float32, shape (n,)
        Pixels in row order.
    options : StatisticOptions
        Limits, clips and bin width.
    want : {"median", "mode", ""}
        What is needed besides the moments.
    backend : str
        Which loops to use.
    """
    if not len(values):
        return None
    try:
        return image_statistics(
            values, lower=options.lower, upper=options.upper, nclip=options.nclip, lsig=options.lsigma,
            usig=options.usigma, binwidth=options.binwidth, want=(want,) if want else (), backend=backend,
        )  # fmt: skip
    except InputError:  # no value within the limits: the answer of a statistic to that is NaN, 0
        return None
