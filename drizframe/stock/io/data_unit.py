"""The pixels of an image in a FITS file, written in parts: big-endian, plain writes at their places, and their sum as they go by."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import IO, Any

import numpy as np

from drizframe.errors import OutputError
from drizframe.model import Window
from drizframe.stock.io.checksum_cards import data_sum
from drizframe.system.raw_files import write_at

__all__ = ["UNIT", "DataUnit"]

Image = np.ndarray[Any, Any]
Bytes = np.ndarray[Any, np.dtype[np.uint8]]

#: Bytes; unit of length of a FITS file.
UNIT = 2880
#: Bytes that stay a hole of the file where they are all zero; smaller ones take as much room as a block of the disk.
_PAGE = 4096


class DataUnit:
    """The pixels of an image in a file that holds nothing yet where they come.

    Parameters
    ----------
    start : int
        Where they begin, in bytes.
    shape : tuple of int
        ``(..., ny, nx)``.
    dtype : numpy.dtype
        Type of the pixels.
    fill : float
        What stands where nothing is written.
    """

    def __init__(self, start: int, shape: tuple[int, ...], dtype: np.dtype[Any], fill: float = 0.0) -> None:
        self.start = start
        self.shape = shape
        self.dtype = np.dtype(dtype)
        self.fill = fill
        self.size = int(np.prod(shape, dtype=np.int64)) * self.dtype.itemsize
        self._windows: list[Window] = []
        self._sum = 0

    @property
    def end(self) -> int:
        """Where the next header begins, in bytes."""
        return self.start + -(-self.size // UNIT) * UNIT

    @property
    def sum(self) -> int:
        """The sum for ``DATASUM``, of what was written."""
        return self._sum

    def write(self, stream: IO[bytes], window: Window, array: Image) -> None:
        """Write a part; windows do not overlap.

        Parameters
        ----------
        stream : binary file
            The file, open without a buffer.
        window : Window
            Where the part lies.
        array : ndarray, shape (..., rows, columns)
            Its pixels.
        """
        ny, nx = self.shape[-2:]
        whole = window.intersection(Window(0, ny, 0, nx)) == window
        if not whole or array.shape != (*self.shape[:-2], *window.shape):
            msg = (
                f"Pixels of shape {array.shape} came for [{window.y0}:{window.y1}, {window.x0}:{window.x1}] of an image of shape "
                f"{self.shape}. Hand over windows of it, each with as many rows and columns as it has."
            )
            raise OutputError(msg)
        self._windows.append(window)
        if window.empty:
            return
        raw = _stored(np.asarray(array, dtype=self.dtype))
        rows = window.y1 - window.y0
        if window.shape == (ny, nx):
            raw = raw.reshape(1, -1)
        elif window.shape[1] == nx:
            raw = raw.reshape(-1, rows * nx)
        else:
            raw = raw.reshape(-1, window.shape[1])
        stack = np.arange(raw.size // (rows * window.shape[1]) if window.shape != (ny, nx) else 1)
        lines = np.arange(1 if window.shape[1] == nx else rows)
        first = ((stack[:, None] * ny + window.y0 + lines) * nx + window.x0).ravel() * self.dtype.itemsize
        for place, part in zip(first.tolist(), raw, strict=True):
            self._put(stream, place, part.view(np.uint8))

    def complete(self, stream: IO[bytes]) -> None:
        """Fill what no window has covered.

        Parameters
        ----------
        stream : binary file
            The file, open without a buffer.
        """
        value = np.asarray(self.fill).astype(self.dtype)
        if not _stored(value.reshape(1)).view(np.uint8).any():
            return
        for window in list(_gaps(self._windows, *self.shape[-2:])):
            for y in range(window.y0, window.y1):  # a row at a time: there may be many columns
                row = Window(y, y + 1, window.x0, window.x1)
                self.write(stream, row, np.broadcast_to(value, (*self.shape[:-2], *row.shape)))

    def _put(self, stream: IO[bytes], place: int, raw: Bytes) -> None:
        """Write bytes, but for pages of zeros; add them to the sum."""
        for part in _pages(raw, self.start + place):
            found = raw[part]
            before = (place + part.start) % 4
            after = -(before + found.size) % 4
            words = np.pad(found, (before, after)) if before or after else found
            self._sum = data_sum(words.view(">u4"), self._sum)
            write_at(stream, self.start + place + part.start, found)


def _stored(array: Image) -> Image:
    """Return pixels as a file holds them: big-endian; integers whose sign is not that of FITS with its bit turned."""
    kind, size = array.dtype.kind, array.dtype.itemsize
    if (kind == "u" and size > 1) or (kind == "i" and size == 1):
        native = np.ascontiguousarray(array.astype(array.dtype.newbyteorder("=")))
        array = native.view(f"u{size}") ^ np.array(1 << (8 * size - 1), f"u{size}")
    return np.ascontiguousarray(array, dtype=array.dtype.newbyteorder(">"))


def _pages(raw: Bytes, position: int) -> Iterator[slice]:
    """Yield those parts of bytes that begin at a place of a file that are not zero, in whole pages of the file."""
    if raw.size <= _PAGE or (raw[0] and raw[-1] and raw[:: _PAGE // 2].all()):
        if raw.any():
            yield slice(0, raw.size)
        return
    head = min(-position % _PAGE, raw.size)
    count = (raw.size - head) // _PAGE
    tail = head + count * _PAGE
    pages = raw[head:tail].reshape(count, _PAGE).any(axis=1)
    used = np.concatenate([[False], [raw[:head].any()], pages, [raw[tail:].any()], [False]])
    edges = np.concatenate([[0], head + _PAGE * np.arange(count + 1), [raw.size]])
    turns = np.flatnonzero(used[1:] != used[:-1])
    for first, last in zip(turns[::2].tolist(), turns[1::2].tolist(), strict=True):
        yield slice(int(edges[first]), int(edges[last]))


def _gaps(windows: list[Window], ny: int, nx: int) -> Iterator[Window]:
    """Yield the parts of an image that no window covers."""
    if sum(w.shape[0] * w.shape[1] for w in windows) == ny * nx:
        return
    rows = sorted({0, ny, *(y for w in windows for y in (w.y0, w.y1))})
    for y0, y1 in pairwise(rows):
        x = 0
        for x0, x1 in sorted((w.x0, w.x1) for w in windows if w.y0 <= y0 and y1 <= w.y1):
            if x < x0:
                yield Window(y0, y1, x, x0)
            x = x1
        if x < nx:
            yield Window(y0, y1, x, nx)
