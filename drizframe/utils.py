"""Pixel maps, pixel scales and context images: the helpers of the array interface (`drizframe.resample`)."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal

import numpy as np

from drizframe.errors import ParameterError, ShapeError, WCSError
from drizframe.resample._arguments import (
    array_of,
    brief,
    check_room,
    number,
    refuse_memory_error,
    shape_of,
    truth,
)
from drizframe.resample._mapping import (
    check_order,
    check_step,
    exact_map,
    interpolated_map,
    transform_of,
    world_of,
)

__all__ = ["calc_pixmap", "decode_context", "estimate_pixel_scale_ratio"]

BBox = Literal["to", "from", "both", "none"]
Floats = np.ndarray[Any, np.dtype[np.float64]]


def calc_pixmap(
    wcs_from: Any, wcs_to: Any, shape: tuple[int, int] | None = None, disable_bbox: BBox = "to",
    stepsize: float | Literal["auto"] = 1, order: int = 1, *, return_error: bool = False,
    max_pixels: int | None = None,
) -> Any:  # fmt: skip
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
    stepsize : float or "auto"
        Above 1, exact positions are computed this many pixels apart (at least ten cells across the image), and the others
        are interpolated.  "auto": as far apart as keeps the error below 1e-4 pixel.
    order : {1, 3}
        Of the spline that interpolates.
    return_error : bool
        Whether to return the error too.
    max_pixels : int, optional
        Largest number of pixels; without it, as many as 8 GiB hold.

    Returns
    -------
    pixmap : ndarray of float64, shape (ny, nx, 2)
        Position (x, y) on the image of `wcs_to`, 0-based, integers at pixel centres.
    error : float
        Only with `return_error`: the largest distance in pixels of interpolated positions from exact ones, measured in
        centres of cells; 0 if all are exact.

    Raises
    ------
    WCSError
        If the shape is not known, or a WCS cannot be used.
    ParameterError
        If a value is not allowed.
    ShapeError
        If `shape` is none.
    OutOfMemoryError
        If there is not enough memory.

    Warns
    -----
    DrizframeWarning
        If the error is above 0.01 pixel.
    """
    choices = ("to", "from", "both", "none")
    if not isinstance(disable_bbox, str) or disable_bbox not in choices:
        msg = f"disable_bbox is {brief(disable_bbox)}; choose one of {', '.join(choices)}."
        raise ParameterError(msg)
    transform = transform_of(wcs_from, wcs_to)
    step, spline = check_step(stepsize), check_order(order)
    with_error = truth("return_error", return_error)
    size = _image_shape(wcs_from) if shape is None else shape_of("shape", shape)
    check_room("A pixel map", size, 16, max_pixels, source="shape" if shape is not None else "wcs_from")
    with (
        refuse_memory_error("calc_pixmap"),
        _without_bbox(wcs_from, off=disable_bbox in {"from", "both"}),
        _without_bbox(wcs_to, off=disable_bbox in {"to", "both"}),
    ):
        error = 0.0
        if step == 1.0:
            pixmap = exact_map(transform, size)
        else:
            pixmap, error = interpolated_map(transform, size, step, spline)
    return (pixmap, error) if with_error else pixmap


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

    Raises
    ------
    WCSError
        If a WCS cannot be used, or its pixel has no area there.
    ParameterError
        If a place is none.
    """
    to = _estimate_pixel_scale("to", wcs_to, refpix_to)
    return to / _estimate_pixel_scale("from", wcs_from, refpix_from)


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
    context = array_of("context", context, "iufbcOSUVMm")
    if context.ndim != 3:
        msg = f"'context' must be a 3D array (planes, rows, columns); got {context.ndim} dimensions."
        raise ShapeError(msg)
    if context.dtype.kind not in "iu":
        msg = f"'context' must hold integers; got {context.dtype}."
        raise ParameterError(msg)
    x, y = (np.atleast_1d(array_of(n, v, "iufbcOSUVMm")) for n, v in (("x", x), ("y", y)))
    if x.ndim != 1 or y.ndim != 1:
        msg = (
            f"Coordinates must be scalars or 1D arrays; 'x' and 'y' have the shapes {x.shape} and {y.shape}."
        )
        raise ShapeError(msg)
    if x.size != y.size:
        msg = f"Coordinate arrays must have equal length; 'x' and 'y' have {x.size} and {y.size} elements."
        raise ShapeError(msg)
    if x.size and (x.dtype.kind not in "iu" or y.dtype.kind not in "iu"):
        msg = f"Pixel coordinates must be integer values; 'x' and 'y' are of {x.dtype} and {y.dtype}."
        raise ParameterError(msg)
    for name, values, n in (("x", x, context.shape[2]), ("y", y, context.shape[1])):
        if x.size and not (values.min() >= 0 and values.max() < n):
            msg = (
                f"'{name}' leaves the context, which has {n} pixels there: {values.min()} to {values.max()}."
            )
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
    try:
        if hasattr(box, "bounding_box"):  # an astropy ModelBoundingBox
            box = box.bounding_box(order="F")
        (x0, x1), (y0, y1) = (tuple(float(getattr(v, "value", v)) for v in axis) for axis in box)
    except (TypeError, ValueError) as error:
        msg = f"The bounding_box of a WCS is {brief(box)}; it must be ((xmin, xmax), (ymin, ymax))."
        raise WCSError(msg) from error
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
        return shape_of("wcs_from.array_shape", shape)
    box = _box(wcs)
    if box is None or not all(math.isfinite(v) for axis in box for v in axis):
        msg = (
            "The shape of the pixel map is not known. Give shape=(ny, nx), or a 'wcs_from' with array_shape."
        )
        raise WCSError(msg)
    (_, x1), (_, y1) = box
    return shape_of("wcs_from.bounding_box", (math.ceil(y1 + 0.5), math.ceil(x1 + 0.5)))


def _reference_pixel(wcs: Any) -> tuple[float, float]:
    """Return the position at which the pixel scale of a WCS is measured."""
    box = _box(wcs)
    if box is not None:
        (x0, x1), (y0, y1) = box
        return (x0 + x1) / 2.0, (y0 + y1) / 2.0
    shape = getattr(wcs, "pixel_shape", None)
    if shape is None:
        return 0.0, 0.0
    nx, ny = shape_of("pixel_shape of a WCS", shape)
    return float((nx - 1) // 2), float((ny - 1) // 2)


def _place(name: str, refpix: Any) -> tuple[float, float]:
    """Return a position (x, y) that was given."""
    allowed = "two finite numbers (x, y)"
    values = array_of(name, refpix)
    if values.shape != (2,):
        msg = f"Argument '{name}' must be {allowed}; got {brief(refpix)}."
        raise ParameterError(msg)
    return number(name, values[0], allowed), number(name, values[1], allowed)


def _estimate_pixel_scale(which: str, wcs: Any, refpix: Any) -> float:
    """Root of the area in steradian of the pixel around a position; see `estimate_pixel_scale_ratio`.

    Notes
    -----
    With the four corners in order, ``A = ½ |(λ0 - λ2)(sin φ1 - sin φ3) - (λ1 - λ3)(sin φ0 - sin φ2)|``: exact
    where the sides are straight in (λ, sin φ), an equal-area map.  Differences in longitude are taken across
    0.
    """
    name = f"wcs_{which}"
    to_world = world_of(name, wcs)
    x, y = _reference_pixel(wcs) if refpix is None else _place(f"refpix_{which}", refpix)
    with _without_bbox(wcs, off=True):
        lon, lat = np.moveaxis(
            to_world(x + np.array([-0.5, -0.5, 0.5, 0.5]), y + np.array([-0.5, 0.5, 0.5, -0.5])), -1, 0
        )
    with np.errstate(all="ignore"):
        s = np.sin(np.deg2rad(lat))
        d02, d13 = (
            math.remainder(math.radians(a), math.tau) if math.isfinite(a) else math.nan
            for a in (lon[0] - lon[2], lon[1] - lon[3])
        )
        scale = float(np.sqrt(0.5 * abs(d02 * (s[1] - s[3]) - d13 * (s[0] - s[2]))))
    if not (math.isfinite(scale) and scale > 0.0):
        msg = (
            f"The pixel of '{name}' at ({x:g}, {y:g}) has no area on the sky ({scale!r}). Give another place with "
            f"'refpix_{which}', or check the WCS."
        )
        raise WCSError(msg)
    return scale
