"""An image and positions on it, as loops over positions want them."""

from __future__ import annotations

from typing import Any

import numpy as np

from drizframe.errors import ShapeError

__all__ = ["image_and_positions"]

Floats = np.ndarray[Any, np.dtype[np.float64]]


def image_and_positions(image: Any, x: Any, y: Any) -> tuple[Any, Floats, Floats]:
    """Return an image in native float32 or float64 and positions in float64, all safe to index.

    Parameters
    ----------
    image : array_like, shape (ny, nx)
        Pixels of any real type.
    x, y : array_like, shape (n,)
        Positions, any value.

    Returns
    -------
    image : ndarray of float32 or float64, shape (ny, nx)
        float32 stays float32; all other types become float64.
    x, y : ndarray of float64, shape (n,)
        Positions.

    Raises
    ------
    ShapeError
        If `image` is not two-dimensional or has no pixel, or the positions do not match.
    """
    image, x, y = np.asarray(image), np.asarray(x, np.float64), np.asarray(y, np.float64)
    if image.ndim != 2 or image.size == 0:
        msg = f"An image to interpolate has two dimensions and at least one pixel; got shape {image.shape}."
        raise ShapeError(msg)
    if x.ndim != 1 or x.shape != y.shape:
        msg = f"Positions are two lists of one length; got x of shape {x.shape} and y of shape {y.shape}."
        raise ShapeError(msg)
    if image.dtype not in (np.float32, np.float64) or not image.dtype.isnative:
        image = image.astype(np.float32 if image.dtype.newbyteorder("=") == np.float32 else np.float64)
    return image, x, y
