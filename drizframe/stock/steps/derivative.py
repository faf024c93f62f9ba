"""Largest difference to the neighbours: how much a blotted image may be off next to a gradient."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from drizframe._fast import twin
from drizframe.errors import ShapeError
from drizframe.hooks import Component

__all__ = ["DERIVATIVE", "derivative"]


def derivative(image: np.ndarray[Any, Any]) -> np.ndarray[Any, np.dtype[np.float32]]:
    """Largest absolute difference of each pixel to its four neighbours.

    Parameters
    ----------
    image : ndarray of float32 or float64, shape (ny, nx)
        Blotted median, any unit.

    Returns
    -------
    ndarray of float32, shape (ny, nx)
        In the unit of `image`.  Not a number at pixels that are not and at their neighbours.

    Raises
    ------
    ShapeError
        If `image` is not two-dimensional.

    Notes
    -----
    In the first row and column and in the last two rows and columns some neighbours count as zero, so that
    the result is at least the absolute value there.  Cosmic rays of the border are therefore rarely found;
    results of many years rest on it.
    """
    a = np.asarray(image, dtype=np.float64)
    if a.ndim != 2:
        msg = f"image has {a.ndim} dimensions; give one with 2 (rows, columns)."
        raise ShapeError(msg)
    ny, nx = a.shape
    y, x = np.ogrid[:ny, :nx]
    inside = {  # where the neighbour at this offset counts
        (0, -1): (y <= ny - 2) & (x >= 1) & (x <= nx - 2),
        (0, 1): (y <= ny - 2) & (x <= nx - 3),
        (-1, 0): (y >= 1) & (y <= ny - 2) & (x <= nx - 2),
        (1, 0): (y <= ny - 3) & (x <= nx - 2),
    }
    padded = np.pad(a, 1)
    largest = np.zeros_like(a)
    with np.errstate(invalid="ignore", over="ignore"):  # inf - inf is not a number, and is carried on
        for (dy, dx), where in inside.items():
            neighbour = padded[1 + dy : 1 + dy + ny, 1 + dx : 1 + dx + nx]
            largest = np.maximum(largest, np.abs(a - np.where(where, neighbour, 0.0)))
        return largest.astype(np.float32)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ImageFunction(Component):
    """A function of an image with a compiled twin, so that the run chooses as for a component."""

    family: ClassVar[str] = "image function"


DERIVATIVE = ImageFunction(
    name="derivative",
    summary="Largest absolute difference to the four neighbours.",
    reference=derivative,
    fast=twin("cosmic_rays.derivative"),
    tolerance=0.0,
)
