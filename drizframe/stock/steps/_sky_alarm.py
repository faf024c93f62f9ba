"""A sky that came out as 0 although the pixels are not."""

from __future__ import annotations

from typing import Any

import numpy as np

from drizframe.model import SkyValue

__all__ = ["is_lost"]

#: Pixels that are looked at.
SAMPLE = 200_000
#: How far the median of the pixels is from 0, in units of their scatter, if the sky is not.
FAR = 0.2


def is_lost(value: SkyValue, sci: np.ndarray[Any, Any], good: np.ndarray[Any, Any] | None) -> bool:
    """Whether a measured sky is 0 although the pixels of the chip are not about 0.

    Parameters
    ----------
    value : SkyValue
        The sky of the chip.
    sci : ndarray, shape (ny, nx)
        Its image.
    good : ndarray of bool, shape (ny, nx), or None
        Pixels that may be used for the sky; all are looked at if there is none.

    Notes
    -----
    Differences from other exposures (``match``) are 0 for one exposure of each run, as they should be.
    """
    if value.level != 0 or value.method == "match":
        return False
    step = max(1, sci.size // SAMPLE)
    values = sci.ravel()[::step]
    usable = np.isfinite(values)
    if good is not None and (usable & good.ravel()[::step]).any():
        usable &= good.ravel()[::step]
    values = values[usable].astype(np.float64)
    if not values.size:
        return False
    middle = float(np.median(values))
    return abs(middle) > FAR * 1.4826 * float(np.median(np.abs(values - middle)))
