"""Blot: resample an image on a frame onto a chip."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from drizframe._fast import Backend
from drizframe.errors import ShapeError
from drizframe.hooks import Component, Interpolator, image_of
from drizframe.model import PixelMap, Window
from drizframe.pixels.bounds import BLOCK, block_bounds
from drizframe.pixels.interpolator_forms import values_of

__all__ = ["blot_chip", "needed_window"]

Array = np.ndarray[Any, Any]
Floats = np.ndarray[Any, np.dtype[np.float64]]
#: Rows of the chip that are resampled at a time; the result does not depend on it.
ROWS = 64
#: Rows of the pieces of a chip, and columns at least, for which a source is asked; and from how many times its size on the part of the
#: frame under a piece is large, so that it is cut.
PIECE, SPARSE = 256, 4
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
    rows: tuple[int, int] | None = None,
) -> np.ndarray[Any, np.dtype[np.float32]]:
    """Resample an image on a frame onto the pixels of a chip.

    Parameters
    ----------
    image : ndarray, shape (h, w), or callable
        The image on the frame, or a part of it (see `window`).  A callable ``image(window) -> ndarray`` is
        asked for what each part of the chip needs.
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
    rows : tuple of int, optional
        The first row of the chip that is wanted, and the one after the last; by default all.

    Returns
    -------
    blot : ndarray of float32, shape (ny, nx)
        One value for each pixel of the chip, or of its `rows`.  It has the same bits for every window that covers what is
        needed.

    Raises
    ------
    ShapeError
        If image, window and frame do not fit together, or the window lacks pixels that are needed.
    PluginError
        If the interpolator returns something else than one value for each position.
    """
    function = values_of(interpolator, backend=backend, call=call)
    ny, nx = pixmap.shape
    wanted = Window(*((0, ny) if rows is None else rows), 0, nx)
    blot = np.full(wanted.shape, fill, dtype=np.float32)
    for piece, part, covered, frame in _parts(image, pixmap, interpolator, shape, window, wanted):
        for block, x, y in _positions(pixmap, piece):
            inside = (x >= 0.0) & (x < frame[1]) & (y >= 0.0) & (y < frame[0])
            if not inside.any():
                continue
            whole = bool(inside.all())  # as a rule: no need to pick and to put back
            xi, yi = (x.ravel(), y.ravel()) if whole else (x[inside], y[inside])
            _check_reach(xi, yi, interpolator, frame, covered)
            # The difference of a position and a smaller integer is exact: the fractions keep their bits.
            at_x, at_y = xi - covered.x0, yi - covered.y0
            at_x.flags.writeable = at_y.flags.writeable = False
            answer = function(part, at_x, at_y, fill=np.nan, **(options or {}))
            values = image_of(interpolator, answer, xi.shape, what="one value for each position")
            there = block.relative_to(wanted).slices
            with np.errstate(over="ignore", invalid="ignore"):
                values = values * factor
                if whole:
                    blot[there] = values.reshape(x.shape)
                else:
                    blot[there][inside] = values
    return blot


def _parts(
    image: Array | Source,
    pixmap: PixelMap,
    interpolator: Interpolator,
    shape: tuple[int, int] | None,
    window: Window | None,
    wanted: Window,
) -> Iterator[tuple[Window, Array, Window, tuple[int, int]]]:
    """Yield pieces of the chip, each with the image that it needs, where that lies, and the shape of the frame."""
    if not callable(image):
        part = _numbers(image)
        frame = part.shape if shape is None else shape
        covered = Window(0, frame[0], 0, frame[1]) if window is None else window
        _check(part, frame, covered)
        yield wanted, part, covered, frame
        return
    if shape is None:
        msg = "blot_chip got a source of image parts but no shape of the frame. Give shape=(ny, nx)."
        raise ShapeError(msg)
    for piece, covered in _pieces(pixmap, shape, interpolator.reach, wanted):
        found = image(covered)
        if found is None:
            msg = "There is no image to blot: the source returned None."
            raise ShapeError(msg)
        part = _numbers(found)
        _check(part, shape, covered)
        yield piece, part, covered, shape


def _pieces(
    pixmap: PixelMap, shape: tuple[int, int], reach: int, wanted: Window
) -> Iterator[tuple[Window, Window]]:
    """Yield pieces of a chip with the part of the frame that each needs, which is not many times as large as the piece."""
    side = PIECE - PIECE % BLOCK
    for first in range(wanted.y0, wanted.y1, side):
        waiting = [Window(first, min(first + side, wanted.y1), wanted.x0, wanted.x1)]
        while waiting:
            piece = waiting.pop()
            need = needed_window(pixmap, shape, reach, piece)
            h, w = piece.shape
            if (
                need.shape[0] * need.shape[1] > SPARSE * h * w and w > side
            ):  # the chip lies askew on the frame
                middle = piece.x0 + w // 2
                waiting.append(Window(piece.y0, piece.y1, middle, piece.x1))
                waiting.append(Window(piece.y0, piece.y1, piece.x0, middle))
            elif not need.empty:
                yield piece, need


def needed_window(
    pixmap: PixelMap, shape: tuple[int, int], reach: int, piece: Window | None = None
) -> Window:
    """Return the part of a frame that the pixels of a chip need.

    Parameters
    ----------
    pixmap : PixelMap
        From the chip to the frame.
    shape : tuple of int
        Rows and columns of the frame.
    reach : int
        Pixels around each position that are needed too.
    piece : Window, optional
        Of the chip; by default all of it.

    Returns
    -------
    window : Window
        Clipped to the frame; empty if the chip lies off it.
    """
    boxes = block_bounds(pixmap, 0.0)
    if piece is not None:
        boxes = boxes[piece.y0 // BLOCK : -(-piece.y1 // BLOCK), piece.x0 // BLOCK : -(-piece.x1 // BLOCK)]
    low, high = boxes[..., ::2].min(axis=(0, 1)), boxes[..., 1::2].max(axis=(0, 1))
    ny, nx = shape
    if low[0] >= nx or high[0] < 0.0 or low[1] >= ny or high[1] < 0.0 or low[0] > high[0]:
        return Window(0, 0, 0, 0)
    (x0, y0), (x1, y1) = ((int(np.clip(x, 0.0, nx)), int(np.clip(y, 0.0, ny))) for x, y in (low, high))
    return Window(y0, y1 + 1, x0, x1 + 1).grown(reach + 1, within=shape)


def _positions(pixmap: PixelMap, piece: Window) -> Iterator[tuple[Window, Floats, Floats]]:
    """Yield blocks of rows of a piece with the frame positions of their pixel centres."""
    columns = np.arange(piece.x0, piece.x1, dtype=np.float64)
    for first in range(piece.y0, piece.y1, ROWS):
        block = Window(first, min(first + ROWS, piece.y1), piece.x0, piece.x1)
        if pixmap.pixmap is not None:
            x, y = (pixmap.centres[(*block.slices, c)] for c in (0, 1))
            yield block, x, y
            continue
        with np.errstate(invalid="ignore", over="ignore"):  # a map may hold NaN and infinities
            x, y = pixmap.grid(columns, np.arange(block.y0, block.y1, dtype=np.float64))
        yield block, x, y


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
