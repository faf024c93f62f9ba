"""Parts of a large plane that are one number, such as what no exposure covers: remembered, not written into a file."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from drizframe.model import Window

__all__ = ["FlatParts"]

Array = np.ndarray[Any, Any]


class FlatParts:
    """What is known of the parts of a plane in a file whose untouched bytes are 0."""

    def __init__(self) -> None:
        self._windows = np.empty((64, 4), dtype=np.int64)
        self._values: list[Array | None] = []  # one a window; None: in the file

    def take(self, window: Window, data: Array) -> bool:
        """Remember a part that is one number and lies where nothing was written; tell whether that was so.

        Parameters
        ----------
        window : Window
            Where it lies.
        data : ndarray, shape (..., rows, columns)
            Its pixels.
        """
        first = data.reshape(-1)[:1]
        if first.size == 0 or not _same(data, first) or self._touched(window):
            return False
        self._add(window, first.copy())
        return True

    def give_up(self, window: Window) -> list[tuple[Window, Array]]:
        """Forget the remembered parts that a window touches, which is to be written, and return them: they must be written before.

        Parameters
        ----------
        window : Window
            Where it lies.
        """
        touched = list(self._remembered(window))
        for index, _, _ in touched:
            self._values[index] = None
        self._add(window, None)
        return [(place, value) for _, place, value in touched if value.view(np.uint8).any()]

    def all_of(self, window: Window) -> bool:
        """Tell whether every pixel of a window is remembered, so that the file needs not be read.

        Parameters
        ----------
        window : Window
            Where it lies.
        """
        parts = (place.intersection(window).shape for _, place, _ in self._remembered(window))
        return sum(ny * nx for ny, nx in parts) == window.shape[0] * window.shape[1]

    def put_into(self, array: Array, window: Window) -> None:
        """Write what is remembered into an array that was read from the file.

        Parameters
        ----------
        array : ndarray, shape (..., rows, columns)
            The pixels of a window.
        window : Window
            Where it lies.
        """
        for _, place, value in self._remembered(window):
            common = place.intersection(window)
            array[(..., *common.relative_to(window).slices)] = value

    def _add(self, window: Window, value: Array | None) -> None:
        count = len(self._values)
        if count == len(self._windows):
            self._windows = np.concatenate([self._windows, np.empty_like(self._windows)])
        self._windows[count] = window.y0, window.y1, window.x0, window.x1
        self._values.append(value)

    def _touched(self, window: Window) -> list[int]:
        """Return the numbers of the parts that share pixels with a window."""
        y0, y1, x0, x1 = self._windows[: len(self._values)].T
        shared = (y0 < window.y1) & (y1 > window.y0) & (x0 < window.x1) & (x1 > window.x0)
        found: list[int] = np.flatnonzero(shared).tolist()
        return found

    def _remembered(self, window: Window) -> Iterator[tuple[int, Window, Array]]:
        """Yield number, place and value of the remembered parts that share pixels with a window."""
        for index in self._touched(window):
            value = self._values[index]
            if value is not None:
                yield index, Window(*self._windows[index].tolist()), value


def _same(data: Array, first: Array) -> bool:
    """Tell whether all numbers are the first, to the bit: NaN is NaN, and -0 is not 0."""
    bits = f"u{data.dtype.itemsize}"
    if data.dtype.kind not in "fiu" or data.dtype.itemsize > 8:
        return False
    return bool((np.ascontiguousarray(data).view(bits) == first.view(bits)).all())
