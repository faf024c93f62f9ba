"""Blot: resample an image on a frame onto a chip."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from drizframe._fast import Backend
from drizframe.errors import ShapeError
from drizframe.hooks import Component, Interpolator, image_of
from drizframe.model import PixelMap, Window
from drizframe.pixels.interpolator_forms import values_of

__all__ = ["blot_chip", "needed_window"]

Array = np.ndarray[Any, Any]
Floats = np.ndarray[Any, np.dtype[np.float64]]
#: Rows of the chip that are resampled at a time; the result does not depend on it.
ROWS = 64
#: Where ``blot_chip`` gets a part of a large image from.
Source = Callable[[Window], "Array | None"]


def blot_chip(
    image: Array | Source,
    pixmap: PixelMap,
    interpolator: Interpolator,
    *,
    factor: float,
    fill: float = 0.0,
    backend: Backend = "auto",
    call: Callable[[Component], Any] | None = None,
    options: Mapping[str, Any] | None = None,
    shape: tuple[int, int] | None = None,
    window: Window | None = None,
) -> np.ndarray[Any, np.dtype[np.float32]]:
    """Resample an image on a frame onto the pixels of a chip.

    Parameters
    ----------
    image : ndarray, shape (h, w), or callable
        The image on the frame, or a part of it (see `window`).  A callable ``image(window) -> ndarray`` is
        asked once for the part that the chip needs.
    pixmap : PixelMap
        From the pixels of the chip to those of the frame.
    interpolator : Interpolator
        The component.
    factor : float
        Multiplies values inside the frame.
    fill : float
        Value where the map is not finite or leaves the frame, as it is.
    backend : {"auto", "reference", "cython"}
        Whether compiled loops may be used.
    call : callable, optional
        Gives the implementation of a component (`Job.call`); by default the compiled one if `backend` allows it.
    options : mapping, optional
        Keywords for the interpolator.
    shape : tuple of int, optional
        Rows and columns of the frame; needed with a callable or a `window`, else the shape of `image`.
    window : Window, optional
        The part of the frame that `image` covers; by default the whole.

    Returns
    -------
    blot : ndarray of float32, shape (ny, nx)
        One value for each pixel of the chip.  It has the same bits for every window that covers what is
        needed.

    Raises
    ------
    ShapeError
        If image, window and frame do not fit together, or the window lacks pixels that are needed.
    PluginError
        If the interpolator returns something else than one value for each position.
    """
    function = values_of(interpolator, backend=backend, call=call)
    blot = np.full(pixmap.shape, fill, dtype=np.float32)
    if callable(image):
        if shape is None:
            msg = "blot_chip got a source of image parts but no shape of the frame. Give shape=(ny, nx)."
            raise ShapeError(msg)
        window = needed_window(pixmap, shape, interpolator.reach)
        if window.empty:
            return blot
        found = image(window)
        if found is None:
            msg = "There is no image to blot: the source returned None."
            raise ShapeError(msg)
        image = found
    image = _numbers(image)
    shape = image.shape if shape is None else shape
    window = Window(0, shape[0], 0, shape[1]) if window is None else window
    _check(image, shape, window)
    for rows, x, y in _positions(pixmap):
        inside = (x >= 0.0) & (x < shape[1]) & (y >= 0.0) & (y < shape[0])
        if not inside.any():
            continue
        whole = bool(inside.all())  # as a rule: no need to pick and to put back
        xi, yi = (x.ravel(), y.ravel()) if whole else (x[inside], y[inside])
        _check_reach(xi, yi, interpolator, shape, window)
        # The difference of a position and a smaller integer is exact: the fractions keep their bits.
        at_x, at_y = xi - window.x0, yi - window.y0
        at_x.flags.writeable = at_y.flags.writeable = False
        answer = function(image, at_x, at_y, fill=np.nan, **(options or {}))
        values = image_of(interpolator, answer, xi.shape, what="one value for each position")
        with np.errstate(over="ignore", invalid="ignore"):
            values = values * factor
            if whole:
                blot[rows] = values.reshape(x.shape)
            else:
                blot[rows][inside] = values
    return blot


def needed_window(pixmap: PixelMap, shape: tuple[int, int], reach: int) -> Window:
    """Return the part of a frame that the pixels of a chip need.

    Parameters
    ----------
    pixmap : PixelMap
        From the chip to the frame.
    shape : tuple of int
        Rows and columns of the frame.
    reach : int
        Pixels around each position that are needed too.

    Returns
    -------
    window : Window
        Clipped to the frame; empty if the chip lies off it.
    """
    bounds = [np.inf, -np.inf, np.inf, -np.inf]
    for x, y in _samples(pixmap):
        good = np.isfinite(x) & np.isfinite(y)
        if good.any():
            bounds[0], bounds[1] = min(bounds[0], x[good].min()), max(bounds[1], x[good].max())
            bounds[2], bounds[3] = min(bounds[2], y[good].min()), max(bounds[3], y[good].max())
    ny, nx = shape
    if bounds[0] >= nx or bounds[1] < 0.0 or bounds[2] >= ny or bounds[3] < 0.0 or bounds[0] > bounds[1]:
        return Window(0, 0, 0, 0)
    x0, x1 = (int(np.clip(b, 0.0, nx)) for b in bounds[:2])
    y0, y1 = (int(np.clip(b, 0.0, ny)) for b in bounds[2:])
    return Window(y0, y1 + 1, x0, x1 + 1).grown(reach + 1, within=shape)


def _samples(pixmap: PixelMap) -> Iterator[tuple[Floats, Floats]]:
    """Yield positions whose bounds enclose all of the chip: the nodes of a table, else every pixel."""
    if pixmap.nodes is not None:
        yield pixmap.nodes[0], pixmap.nodes[1]
    else:
        for _, x, y in _positions(pixmap):
            yield x, y


def _positions(pixmap: PixelMap) -> Iterator[tuple[slice, Floats, Floats]]:
    """Yield blocks of rows with the frame positions of their pixel centres."""
    ny, nx = pixmap.shape
    columns = np.arange(nx, dtype=np.float64)
    for first in range(0, ny, ROWS):
        rows = slice(first, min(first + ROWS, ny))
        if pixmap.pixmap is not None:
            x, y = (pixmap.centres[rows, :, c] for c in (0, 1))
            yield rows, x, y
            continue
        with np.errstate(invalid="ignore", over="ignore"):  # a map may hold NaN and infinities
            x, y = pixmap.grid(columns, np.arange(rows.start, rows.stop, dtype=np.float64))
        yield rows, x, y


def _numbers(image: Any) -> Array:
    """Return the image in native float32 or float64."""
    array = np.asarray(image)
    if array.ndim != 2:
        msg = f"An image to blot has two dimensions; got shape {array.shape}."
        raise ShapeError(msg)
    single = array.dtype.kind == "f" and array.dtype.itemsize <= 4
    return np.asarray(array, dtype=np.float32 if single else np.float64)


def _check(image: Array, shape: tuple[int, int], window: Window) -> None:
    """Refuse an image that does not cover its window, or a window that leaves the frame."""
    if image.shape != window.shape or image.size == 0:
        msg = f"The image to blot has shape {image.shape} but {window} has shape {window.shape}."
        raise ShapeError(msg)
    if window.y0 < 0 or window.x0 < 0 or window.y1 > shape[0] or window.x1 > shape[1]:
        msg = f"{window} of the image to blot leaves its frame of shape {shape}."
        raise ShapeError(msg)


def _check_reach(
    x: Floats, y: Floats, interpolator: Interpolator, shape: tuple[int, int], window: Window
) -> None:
    """Refuse to interpolate next to an edge of a window that is no edge of the frame."""
    touched = Window(int(y.min()), int(y.max()) + 1, int(x.min()), int(x.max()) + 1)
    need = touched.grown(interpolator.reach, within=shape)
    if need.intersection(window) != need:
        msg = (
            f"{window} of the image to blot lacks pixels of {need}, which interpolator {interpolator.name!r} "
            f"needs. Cut it as needed_window says."
        )
        raise ShapeError(msg)
