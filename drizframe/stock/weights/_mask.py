"""What the weightings share: the mask is applied last, and keeps out what is no weight."""

from __future__ import annotations

from typing import Any

import numpy as np

from drizframe.errors import ShapeError

__all__ = ["same_shape", "usable_weight"]


def usable_weight(
    weight: np.ndarray[Any, Any], mask: np.ndarray[Any, Any]
) -> np.ndarray[Any, np.dtype[np.float32]]:
    """Return the weight as float32 where the mask is good and the weight is finite and positive, else 0."""
    with np.errstate(over="ignore", invalid="ignore"):
        single = np.asarray(weight, dtype=np.float32)
        good = (np.asarray(mask) != 0) & np.isfinite(single) & (single > 0)
    return np.where(good, single, np.float32(0))


def same_shape(image: Any, mask: np.ndarray[Any, Any], what: str) -> np.ndarray[Any, np.dtype[np.float32]]:
    """Return an image as float32.

    Raises
    ------
    ShapeError
        If it has not the shape of the mask.
    """
    array = np.asarray(image, dtype=np.float32)
    if array.shape != np.shape(mask):
        msg = f"The {what} has shape {array.shape} but its chip has {np.shape(mask)}. Both need one shape."
        raise ShapeError(msg)
    return array
