"""Pixels of an extension as its file holds them, read some rows at a time, and copies of extensions that leave them there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from drizframe.fits.opening import sound
from drizframe.model import LazyImage, Window
from drizframe.stock.io.block_file import stand_in

__all__ = ["StoredPixels", "light_copy", "stored_pixels"]


class StoredPixels:
    """The image of an extension of an open file, without a scale; it is a `LazyImage`.

    Parameters
    ----------
    hdu : astropy image HDU
        Its data was not asked for before.
    path : pathlib.Path
        Name of the file, for messages.
    """

    __slots__ = ("_hdu", "_path", "dtype", "shape")

    def __init__(self, hdu: Any, path: Path) -> None:
        from astropy.io.fits.hdu.image import BITPIX2DTYPE

        self._hdu, self._path = hdu, path
        self.shape: tuple[int, ...] = (int(hdu.header["NAXIS2"]), int(hdu.header["NAXIS1"]))
        self.dtype: np.dtype[Any] = np.dtype(BITPIX2DTYPE[hdu.header["BITPIX"]]).newbyteorder(">")

    def read(self, window: Window | None = None) -> np.ndarray[Any, Any]:
        """Return its pixels, or those of a window, big-endian."""
        y, x = (slice(None), slice(None)) if window is None else window.slices
        with sound(self._path):
            found: np.ndarray[Any, Any] = self._hdu.section[y, x]
        return found


def stored_pixels(hdu: Any, path: Path) -> StoredPixels | None:
    """Return the pixels of an extension if its numbers are the pixels: two axes, not packed, not scaled; None of all others.

    Parameters
    ----------
    hdu : astropy HDU
        Of an open file; its data was not asked for before.
    path : pathlib.Path
        Name of the file.
    """
    from astropy.io import fits

    header = hdu.header
    plain = (
        type(hdu) in (fits.ImageHDU, fits.PrimaryHDU)
        and hdu.fileinfo() is not None
        and header.get("NAXIS") == 2
        and min(header["NAXIS1"], header["NAXIS2"]) > 0
        and not any(key in header for key in ("BSCALE", "BZERO", "BLANK"))
    )
    return StoredPixels(hdu, path) if plain else None


def light_copy(hdu: Any, path: Path) -> tuple[Any, LazyImage | None]:
    """Return a copy of an extension that has a stand-in for its pixels, and these; whole, and None, where they are not `stored_pixels`.

    Parameters
    ----------
    hdu : astropy HDU
        Of an open file.
    path : pathlib.Path
        Name of the file.
    """
    image = stored_pixels(hdu, path)
    if image is None:
        return hdu.copy(), None
    return hdu.__class__(data=stand_in(image.shape, image.dtype), header=hdu.header.copy()), image
