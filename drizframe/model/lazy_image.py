"""Images that are read when they are asked for, whole or in windows: how large they are is known before."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Protocol

import numpy as np

from drizframe.model.window import Window

__all__ = ["BLOCK", "DerivedImage", "HeldImage", "LazyImage", "blocks", "lazy"]

Image = np.ndarray[Any, Any]

#: Bytes that are handed over at a time.
BLOCK = 8 << 20


class LazyImage(Protocol):
    """An image, or a cube of planes, that need not be in memory."""

    @property
    def shape(self) -> tuple[int, ...]:  # pragma: no cover
        """Its axes: ``(ny, nx)`` or ``(planes, ny, nx)``."""
        ...

    @property
    def dtype(self) -> np.dtype[Any]:  # pragma: no cover
        """Type of its pixels."""
        ...

    def read(self, window: Window | None = None) -> Image:  # pragma: no cover
        """Return its pixels, or those of a window; they are not to be changed."""
        ...


class HeldImage:
    """An image that is in memory.

    Parameters
    ----------
    image : ndarray, shape (ny, nx) or (planes, ny, nx)
        The pixels.
    """

    __slots__ = ("_image",)

    def __init__(self, image: Image) -> None:
        self._image = image

    @property
    def shape(self) -> tuple[int, ...]:
        """Its axes."""
        shape: tuple[int, ...] = self._image.shape
        return shape

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of its pixels."""
        dtype: np.dtype[Any] = self._image.dtype
        return dtype

    def read(self, window: Window | None = None) -> Image:
        """Return it, or a view of a window."""
        return self._image if window is None else self._image[(..., *window.slices)]


class DerivedImage:
    """An image of which each pixel is made of one pixel of another.

    Parameters
    ----------
    source : LazyImage
        The other.
    function : callable
        ``function(pixels) -> pixels``, for a part of any shape.
    """

    __slots__ = ("_function", "_source", "dtype")

    def __init__(self, source: LazyImage, function: Callable[[Image], Image]) -> None:
        self._source = source
        self._function = function
        self.dtype: np.dtype[Any] = function(np.zeros((0, 0), source.dtype)).dtype

    @property
    def shape(self) -> tuple[int, ...]:
        """Its axes."""
        return self._source.shape

    def read(self, window: Window | None = None) -> Image:
        """Make its pixels, or those of a window."""
        return self._function(self._source.read(window))


def lazy(image: LazyImage | Image) -> LazyImage:
    """Return an image, whether it is in memory or not, as one that can be read in windows.

    Parameters
    ----------
    image : LazyImage or ndarray
        With two or three axes.

    Returns
    -------
    LazyImage
        The same, if it is one.
    """
    return HeldImage(image) if isinstance(image, np.ndarray) else image


def blocks(image: LazyImage | Image, nbytes: int = BLOCK) -> Iterator[Window]:
    """Yield the windows in which an image is handed over: rows of its full width; all of it, if it is small.

    Parameters
    ----------
    image : LazyImage or ndarray
        With two or three axes.
    nbytes : int
        Size of a window, as far as a single row is not larger.
    """
    *stack, ny, nx = image.shape
    row = image.dtype.itemsize * nx * int(np.prod(stack, dtype=np.int64))
    rows = max(1, nbytes // max(row, 1))
    if ny == 0:
        yield Window(0, 0, 0, nx)
    for y in range(0, ny, rows):
        yield Window(y, min(y + rows, ny), 0, nx)
