"""Pictures of images, with nothing but pillow."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from drizframe.errors import OutputError, told

if TYPE_CHECKING:
    from drizframe.model import Mosaic

__all__ = ["shrink", "stretch", "write_comparison", "write_preview"]

#: Largest side of a preview in pixels.
LARGEST = 1200


def stretch(
    image: np.ndarray[Any, Any], low: float = 1.0, high: float = 99.5
) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """Map an image to grey values by an asinh stretch between two percentiles.

    Parameters
    ----------
    image : ndarray, shape (ny, nx)
        Any unit; NaN becomes black.
    low, high : float
        Percentiles of the finite pixels.

    Returns
    -------
    ndarray of uint8, shape (ny, nx)
        Row 0 of the image is the bottom row of the picture.
    """
    finite = image[np.isfinite(image)]
    if finite.size == 0:
        return np.zeros(image.shape, dtype=np.uint8)
    a, b = np.percentile(finite[:: max(1, finite.size // 500_000)], [low, high])
    scaled = np.clip((np.nan_to_num(image, nan=a) - a) / max(b - a, 1e-30), 0, 1)
    grey: np.ndarray[Any, np.dtype[np.uint8]] = (np.arcsinh(10 * scaled) / np.arcsinh(10.0) * 255).astype(
        np.uint8
    )
    return grey[::-1]


def shrink(image: np.ndarray[Any, Any], largest: int) -> np.ndarray[Any, Any]:
    """Average whole blocks of pixels until the largest side is not above `largest`; NaN does not count."""
    factor = -(-max(image.shape) // largest)
    if factor <= 1:
        return image
    ny, nx = (n // factor * factor for n in image.shape)
    blocks = image[:ny, :nx].astype(float).reshape(ny // factor, factor, nx // factor, factor)
    count = np.isfinite(blocks).sum(axis=(1, 3))
    total = np.nansum(blocks, axis=(1, 3))
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def _save(grey: np.ndarray[Any, Any], path: Path) -> Path:
    from PIL import Image

    try:
        Image.fromarray(grey).save(path)
    except OSError as error:
        msg = f"The picture {str(path)!r} cannot be written: {told(error)}."
        raise OutputError(msg) from None
    return path


def write_preview(mosaic: Mosaic, path: Path, *, largest: int = LARGEST) -> Path:
    """Write the science image of a mosaic as a PNG.

    Parameters
    ----------
    mosaic : Mosaic
        The image.
    path : pathlib.Path
        The file.
    largest : int
        Largest side in pixels.

    Returns
    -------
    pathlib.Path
        `path`.
    """
    return _save(stretch(shrink(mosaic.sci, largest)), path)


def write_comparison(exposure: np.ndarray[Any, Any], mosaic: Mosaic, path: Path) -> Path:
    """Write one exposure as it came (left) beside the mosaic (right), each with its own stretch.

    Parameters
    ----------
    exposure : ndarray, shape (ny, nx)
        An input image.
    mosaic : Mosaic
        The product.
    path : pathlib.Path
        The file.
    """
    left, right = stretch(shrink(exposure, LARGEST)), stretch(shrink(mosaic.sci, LARGEST))
    height = max(left.shape[0], right.shape[0])
    canvas = np.full((height, left.shape[1] + right.shape[1] + 8), 255, dtype=np.uint8)
    canvas[: left.shape[0], : left.shape[1]] = left
    canvas[: right.shape[0], left.shape[1] + 8 :] = right
    return _save(canvas, path)
