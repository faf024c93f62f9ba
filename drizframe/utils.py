"""Pixel maps, pixel scales and context images: the helpers of the array interface (`drizframe.resample`)."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal

import numpy as np

from drizframe.errors import ParameterError, ShapeError, WCSError

__all__ = ["calc_pixmap", "decode_context", "estimate_pixel_scale_ratio"]

BBox = Literal["to", "from", "both", "none"]
Floats = np.ndarray[Any, np.dtype[np.float64]]


def calc_pixmap(
    wcs_from: Any, wcs_to: Any, shape: tuple[int, int] | None = None, disable_bbox: BBox = "to"
) -> Floats:
    """Map every pixel centre of one image to the pixels of another.

    Parameters
    ----------
    wcs_from, wcs_to : WCS
        Of both images; any object with `pixel_to_world_values` and `world_to_pixel_values` (astropy.wcs,
        gwcs), in the same world frame and units.
    shape : tuple of int, optional
        Rows and columns of the image of `wcs_from`; by default its `array_shape`, or what its bounding box
        holds.
    disable_bbox : {"to", "from", "both", "none"}
        Whose bounding box to set aside meanwhile.  One that is in force can make positions NaN.

    Returns
    -------
    pixmap : ndarray of float64, shape (ny, nx, 2)
        Position (x, y) on the image of `wcs_to`, 0-based, integers at pixel centres.

    Raises
    ------
    WCSError
        If the shape is not known.
    ParameterError
        If `disable_bbox` is none of these.
    """
    choices = ("to", "from", "both", "none")
    if disable_bbox not in choices:
        msg = f"disable_bbox is {disable_bbox!r}; choose one of {', '.join(choices)}."
        raise ParameterError(msg)
    ny, nx = _image_shape(wcs_from) if shape is None else shape
    y, x = np.indices((int(ny), int(nx)), dtype=np.float64)
    with (
        _without_bbox(wcs_from, off=disable_bbox in {"from", "both"}),
        _without_bbox(wcs_to, off=disable_bbox in {"to", "both"}),
    ):
        world = wcs_from.pixel_to_world_values(x, y)
        mapped = wcs_to.world_to_pixel_values(*world)
    return np.dstack([np.asarray(axis, dtype=np.float64) for axis in mapped])


def estimate_pixel_scale_ratio(
    wcs_from: Any, wcs_to: Any, refpix_from: Any = None, refpix_to: Any = None
) -> float:
    """Size of a pixel of one image over that of a pixel of another.

    Parameters
    ----------
    wcs_from, wcs_to : WCS
        Of both images; celestial, in degrees.
    refpix_from, refpix_to : sequence of float, optional
        Where (x, y) to measure, 0-based; by default the centre of the bounding box, else that of the image,
        else (0, 0).

    Returns
    -------
    ratio : float
        ``to`` over ``from``; a size is the root of the pixel's area on the sky.
    """
    return _estimate_pixel_scale(wcs_to, refpix_to) / _estimate_pixel_scale(wcs_from, refpix_from)


def decode_context(context: Any, x: Any, y: Any) -> list[np.ndarray[Any, np.dtype[np.int64]]]:
    """Tell which images contributed to output pixels.

    Parameters
    ----------
    context : ndarray of int, shape (planes, ny, nx)
        Context image.
    x, y : int or sequence of int
        Columns and rows of the pixels.

    Returns
    -------
    images : list of ndarray of int
        For each pixel the numbers of the images, from 0, in ascending order.

    Raises
    ------
    ShapeError
        If `context` is not 3-D, or `x` and `y` are not lists of one length.
    ParameterError
        If the coordinates or the context are not integers.

    Examples
    --------
    >>> import numpy as np
    >>> context = np.array([[[0, 5]], [[0, 2]]], dtype=np.int32)
    >>> decode_context(context, [0, 1], [0, 0])
    [array([], dtype=int64), array([ 0,  2, 33])]
    """
    context = np.asarray(context)
    if context.ndim != 3:
        msg = f"'context' must be a 3D array (planes, rows, columns); got {context.ndim} dimensions."
        raise ShapeError(msg)
    if context.dtype.kind not in "iu":
        msg = f"'context' must hold integers; got {context.dtype}."
        raise ParameterError(msg)
    x, y = np.atleast_1d(np.asarray(x)), np.atleast_1d(np.asarray(y))
    if x.ndim != 1 or y.ndim != 1:
        msg = "Coordinates must be scalars or 1D arrays."
        raise ShapeError(msg)
    if x.size != y.size:
        msg = f"Coordinate arrays must have equal length; got {x.size} and {y.size}."
        raise ShapeError(msg)
    if x.size and (x.dtype.kind not in "iu" or y.dtype.kind not in "iu"):
        msg = f"Pixel coordinates must be integer values; got {x.dtype} and {y.dtype}."
        raise ParameterError(msg)
    width = 8 * context.dtype.itemsize
    unsigned = context.astype(np.dtype(f"u{context.dtype.itemsize}"), copy=False)
    bits = np.arange(width, dtype=unsigned.dtype)
    pixels = (unsigned[:, int(j), int(i)] for i, j in zip(x, y, strict=True))
    return [np.flatnonzero((p[:, None] >> bits) & unsigned.dtype.type(1)) for p in pixels]


def _box(wcs: Any) -> tuple[tuple[float, float], tuple[float, float]] | None:
    """Return the bounding box of a WCS as ((xmin, xmax), (ymin, ymax)), or None."""
    box = getattr(wcs, "bounding_box", None)
    if box is None:
        return None
    if hasattr(box, "bounding_box"):  # an astropy ModelBoundingBox
        box = box.bounding_box(order="F")
    (x0, x1), (y0, y1) = (tuple(float(getattr(v, "value", v)) for v in axis) for axis in box)
    return (x0, x1), (y0, y1)


@contextmanager
def _without_bbox(wcs: Any, *, off: bool) -> Iterator[None]:
    """Set the bounding box of a WCS aside if `off`."""
    box = getattr(wcs, "bounding_box", None) if off else None
    if box is None:
        yield
        return
    wcs.bounding_box = None
    try:
        yield
    finally:
        wcs.bounding_box = box


def _image_shape(wcs: Any) -> tuple[int, int]:
    """Return rows and columns of the image of a WCS."""
    shape = getattr(wcs, "array_shape", None)
    if shape is not None:
        return int(shape[0]), int(shape[1])
    box = _box(wcs)
    if box is None:
        msg = (
            "The shape of the pixel map is not known. Give shape=(ny, nx), or a 'from' WCS with array_shape."
        )
        raise WCSError(msg)
    (_, x1), (_, y1) = box
    return math.ceil(y1 + 0.5), math.ceil(x1 + 0.5)


def _reference_pixel(wcs: Any) -> tuple[float, float]:
    """Return the position at which the pixel scale of a WCS is measured."""
    box = _box(wcs)
    if box is not None:
        (x0, x1), (y0, y1) = box
        return (x0 + x1) / 2.0, (y0 + y1) / 2.0
    shape = getattr(wcs, "pixel_shape", None)
    if shape is None:
        return 0.0, 0.0
    return float((shape[0] - 1) // 2), float((shape[1] - 1) // 2)


def _estimate_pixel_scale(wcs: Any, refpix: Any) -> float:
    """Root of the area in steradian of the pixel around a position; see `estimate_pixel_scale_ratio`.

    Notes
    -----
    With the four corners in order, ``A = ½ |(λ0 - λ2)(sin φ1 - sin φ3) - (λ1 - λ3)(sin φ0 - sin φ2)|``: exact
    where the sides are straight in (λ, sin φ), an equal-area map.  Differences in longitude are taken across
    0.
    """
    x, y = _reference_pixel(wcs) if refpix is None else (float(refpix[0]), float(refpix[1]))
    with _without_bbox(wcs, off=True):
        lon, lat = wcs.pixel_to_world_values(
            x + np.array([-0.5, -0.5, 0.5, 0.5]), y + np.array([-0.5, 0.5, 0.5, -0.5])
        )
    s = np.sin(np.deg2rad(lat))
    d02, d13 = (math.remainder(math.radians(a), math.tau) for a in (lon[0] - lon[2], lon[1] - lon[3]))
    return float(np.sqrt(0.5 * abs(d02 * (s[1] - s[3]) - d13 * (s[0] - s[2]))))
