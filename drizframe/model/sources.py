"""Pixels that are changed while they are loaded: in another unit, or without those that are unused."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from drizframe.model.exposure import PixelSource

__all__ = ["HiddenSource", "ScaledSource", "over", "rows_of", "scale_of", "stored"]

Image = np.ndarray[Any, Any]


@dataclass(frozen=True, slots=True, eq=False)
class ScaledSource:
    """Pixels in another unit than that in which they are stored.

    Parameters
    ----------
    source : callable
        Loads the images as they are stored.
    factor : float
        Multiplies science and error image.
    """

    source: PixelSource
    factor: float

    def __call__(self, kind: str) -> Image | None:
        """Return the image of that kind, in the unit of the chip, or None."""
        return self._scaled(kind, self.source(kind))

    def rows(self, kind: str, first: int, stop: int) -> Image | None:
        """Return rows of the image, or None if only the whole can be had."""
        return self._scaled(kind, rows_of(self.source, kind, first, stop))

    def _scaled(self, kind: str, image: Image | None) -> Image | None:
        if image is None or kind not in ("sci", "err"):
            return image
        scaled: Image = image * self.factor
        return scaled


@dataclass(frozen=True, slots=True, eq=False)
class HiddenSource:
    """Pixels of which some are NaN in the science image, whatever is stored there.

    Parameters
    ----------
    source : callable
        Loads the images as they are stored.
    bits : bytes
        One bit for each pixel in row order, set where it is hidden.
    """

    source: PixelSource
    bits: bytes

    @classmethod
    def hiding(cls, source: PixelSource, mask: np.ndarray[Any, np.dtype[np.bool_]]) -> HiddenSource:
        """Return a source that hides the pixels where `mask` is True."""
        return cls(source, np.packbits(mask).tobytes())

    def __call__(self, kind: str) -> Image | None:
        """Return the image of that kind, or None."""
        image = self.source(kind)
        if image is None or kind != "sci":
            return image
        return self._hidden(image, 0)

    def rows(self, kind: str, first: int, stop: int) -> Image | None:
        """Return rows of the image, or None if only the whole can be had."""
        image = rows_of(self.source, kind, first, stop)
        return image if image is None or kind != "sci" else self._hidden(image, first)

    def _hidden(self, image: Image, first: int) -> Image:
        """Hide pixels of an image that begins at a row."""
        start = first * image.shape[1]
        bits = np.frombuffer(self.bits, dtype=np.uint8)[start // 8 : (start + image.size + 7) // 8]
        mask = np.unpackbits(bits)[start % 8 : start % 8 + image.size].reshape(image.shape)
        return np.where(mask != 0, np.float32(np.nan), image)


def rows_of(source: PixelSource, kind: str, first: int, stop: int) -> Image | None:
    """Return rows of an image without reading all of it, or None if the source cannot.

    Parameters
    ----------
    source : callable
        Loads images; what has a method ``rows(kind, first, stop)`` can read a part.
    kind : str
        Kind of the image.
    first, stop : int
        The first row, and the one after the last.
    """
    read = getattr(source, "rows", None)
    image: Image | None = read(kind, first, stop) if callable(read) else None
    return image


def over(source: PixelSource, base: PixelSource) -> PixelSource:
    """Return a source that changes the images of another one as the first does.

    Parameters
    ----------
    source : callable
        Loads images, which are changed in some way.
    base : callable
        Loads them as they are stored.
    """
    if isinstance(source, ScaledSource | HiddenSource):
        return replace(source, source=over(source.source, base))
    return base


def stored(source: PixelSource) -> PixelSource:
    """Return what loads the images as they are stored."""
    return stored(source.source) if isinstance(source, ScaledSource | HiddenSource) else source


def scale_of(source: PixelSource) -> float:
    """Return what the stored numbers of a chip are multiplied by when they are loaded."""
    if isinstance(source, HiddenSource):
        return scale_of(source.source)
    return source.factor * scale_of(source.source) if isinstance(source, ScaledSource) else 1.0
