"""Regions that two chips share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

__all__ = ["Overlap"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Overlap:
    """The common region of two chips of different exposures.

    Parameters
    ----------
    first, second : hashable
        Keys of the chips; the exposure of `first` comes earlier.
    first_region, second_region : array-like of bool, shape (ny, nx)
        The region on each chip: an array, or an object that `numpy.asarray` turns into one when it is needed.
    area : float
        Area of the intersection, steradian.
    """

    first: Any
    second: Any
    first_region: Any
    second_region: Any
    area: float
