"""Pixels of one chip in a FITS file, read when they are asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from drizframe.stock.io.opening import open_fits
from drizframe.stock.io.stamps import Stamp, check_unchanged, stamps_of

if TYPE_CHECKING:
    from astropy.io.fits import HDUList

__all__ = ["FitsSource", "constant_shape", "image_of"]


def constant_shape(header: Any) -> tuple[int, int] | None:
    """Return rows and columns of an image stored as one number (``NPIX1``, ``NPIX2``, ``PIXVALUE``)."""
    if header.get("NAXIS", 0) == 0 and "NPIX1" in header and "NPIX2" in header and "PIXVALUE" in header:
        return int(header["NPIX2"]), int(header["NPIX1"])
    return None


def image_of(hdu: Any) -> np.ndarray[Any, Any] | None:
    """Return the image of an extension, native byte order, ``BSCALE`` and ``BZERO`` applied; None if empty.

    Parameters
    ----------
    hdu : astropy image HDU
    """
    shape = constant_shape(hdu.header)
    if shape is not None:
        return np.full(shape, hdu.header["PIXVALUE"])
    data = hdu.data
    if data is None:
        return None
    return np.ascontiguousarray(data, dtype=data.dtype.newbyteorder("="))


@dataclass(frozen=True, slots=True)
class FitsSource:
    """Reads the images of one chip; small and picklable.

    Parameters
    ----------
    places : mapping of str to (str, int, int)
        Kind of image ("sci", "err", "dq", "ivm", …) to the file, the number of its extension, and the plane
        of a cube (-1: the extension is an image).
    stamps : mapping of str to Stamp
        Each file as it was when its headers were read; it must still be that.
    """

    places: Mapping[str, tuple[str, int, int]]
    stamps: Mapping[str, Stamp] = field(default_factory=dict)

    def __call__(self, kind: str) -> np.ndarray[Any, Any] | None:
        """Return the image of that kind, native byte order, or None if the file has none."""
        place = self.places.get(kind)
        if place is None:
            return None
        path, index, plane = place
        with open_fits(path, self.stamps.get(path)) as hdus:
            return self._read(hdus, index, plane)

    def check(self) -> None:
        """Raise `InputError` if a file is not what it was when its headers were read."""
        for path, now in stamps_of(self.stamps).items():
            check_unchanged(Path(path), now, self.stamps[path])

    @staticmethod
    def _read(hdus: HDUList, index: int, plane: int) -> np.ndarray[Any, Any] | None:
        image = image_of(hdus[index])
        return image if plane < 0 or image is None else np.ascontiguousarray(image[plane])
