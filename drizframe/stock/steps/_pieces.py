"""Chips and frames some rows at a time, so that memory does not grow with them."""

from __future__ import annotations

from collections.abc import Iterator

from drizframe.model import Window

__all__ = ["ROWS", "pieces"]

#: Rows of a piece.
ROWS = 256


def pieces(shape: tuple[int, int]) -> Iterator[Window]:
    """Yield the rows of an image, some at a time.

    Parameters
    ----------
    shape : tuple of int
        Rows and columns of the image.
    """
    ny, nx = shape
    for first in range(0, ny, ROWS):
        yield Window(first, min(first + ROWS, ny), 0, nx)
