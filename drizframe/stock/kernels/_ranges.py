"""Which output pixels a kernel may weigh: arithmetic that the references share."""

from __future__ import annotations

from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[np.float64]]
Integers = np.ndarray[Any, np.dtype[np.intp]]
Flags = np.ndarray[Any, np.dtype[np.bool_]]


def nint(v: Array) -> Array:
    """Nearest integer, halves away from zero, as float64."""
    return np.where(v >= 0.0, np.floor(v + 0.5), -np.floor(0.5 - v))


def centres(start: Integers, count: int) -> Array:
    """Positions of the pixels of windows, shape (n, count)."""
    return start[:, None] + np.arange(count, dtype=np.float64)


def candidates(low: Array, high: Array, start: Integers, count: int) -> Flags:
    """Whether pixels of a window lie in ``nint(low) … nint(high)``, shape (n, count)."""
    k = centres(start, count)
    return (k >= nint(low)[:, None]) & (k <= nint(high)[:, None])
