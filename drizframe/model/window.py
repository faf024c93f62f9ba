"""Rectangles of pixels."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Window"]


@dataclass(frozen=True, slots=True)
class Window:
    """A half-open rectangle of pixels, ``[y0:y1, x0:x1]``.

    Parameters
    ----------
    y0, y1, x0, x1 : int
        Rows ``y0 … y1 - 1`` and columns ``x0 … x1 - 1``, counted from 0.
    """

    y0: int
    y1: int
    x0: int
    x1: int

    @property
    def shape(self) -> tuple[int, int]:
        """Number of rows and columns."""
        return (self.y1 - self.y0, self.x1 - self.x0)

    @property
    def empty(self) -> bool:
        """Whether the window holds no pixel."""
        return self.y1 <= self.y0 or self.x1 <= self.x0

    @property
    def slices(self) -> tuple[slice, slice]:
        """Slices that cut the window from an array that starts at pixel (0, 0)."""
        return (slice(self.y0, self.y1), slice(self.x0, self.x1))

    def grown(self, border: int, within: tuple[int, int] | None = None) -> Window:
        """Return the window with a border added on every side, clipped to an image of shape `within`."""
        y0, y1, x0, x1 = self.y0 - border, self.y1 + border, self.x0 - border, self.x1 + border
        if within is not None:
            y0, x0 = max(y0, 0), max(x0, 0)
            y1, x1 = min(y1, within[0]), min(x1, within[1])
        return Window(y0, y1, x0, x1)

    def intersection(self, other: Window) -> Window:
        """Return the part that both windows share; its `empty` is true if there is none."""
        y0, x0 = max(self.y0, other.y0), max(self.x0, other.x0)
        return Window(y0, max(y0, min(self.y1, other.y1)), x0, max(x0, min(self.x1, other.x1)))

    def relative_to(self, other: Window) -> Window:
        """Return this window in the pixel coordinates of an array that covers `other`."""
        return Window(self.y0 - other.y0, self.y1 - other.y0, self.x0 - other.x0, self.x1 - other.x0)
