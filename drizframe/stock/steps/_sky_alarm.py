"""A sky that came out as 0 although the pixels are not, and one that the pixels cannot have."""

from __future__ import annotations

from typing import Any

import numpy as np

from drizframe.model import SkyValue

__all__ = ["is_beyond_noise", "is_lost"]

#: Pixels that are looked at.
SAMPLE = 200_000
#: How far the median of the pixels is from 0, in units of their scatter, if the sky is not.
FAR = 0.2
#: How often the variance of a sky, in electrons, may be that of its pixels: means of many images have less noise.
QUIET = 100.0


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
    middle, scatter = _middle_and_scatter(sci, good)
    return abs(middle) > FAR * scatter


def is_beyond_noise(level: float, sci: np.ndarray[Any, Any], electrons: float) -> bool:
    """Whether a sky level is so high that the pixels would have far more noise than they have.

    Parameters
    ----------
    level : float
        In the unit of the image, which holds the sky or not.
    sci : ndarray, shape (ny, nx)
        The image.
    electrons : float
        Electrons per unit of the image.
    """
    _, scatter = _middle_and_scatter(sci, None)
    return bool(scatter > 0 and level * electrons > QUIET * (scatter * electrons) ** 2)


def _middle_and_scatter(sci: np.ndarray[Any, Any], good: np.ndarray[Any, Any] | None) -> tuple[float, float]:
    """Return median and robust standard deviation of some pixels; zeros if none can be used."""
    step = max(1, sci.size // SAMPLE)
    values = sci.ravel()[::step]
    usable = np.isfinite(values)
    if good is not None and (usable & good.ravel()[::step]).any():
        usable &= good.ravel()[::step]
    values = values[usable].astype(np.float64)
    if not values.size:
        return 0.0, 0.0
    middle = float(np.median(values))
    return middle, 1.4826 * float(np.median(np.abs(values - middle)))
