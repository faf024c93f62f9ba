"""Pixels of one chip in a FITS file, read when they are asked for."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from drizframe.errors import InputError
from drizframe.fits.opening import open_fits, sound
from drizframe.fits.stamps import Stamp, check_unchanged, stamps_of
from drizframe.model.sources import ScaledSource
from drizframe.stock.io.cards import readable_again

if TYPE_CHECKING:
    from astropy.io.fits import HDUList

    from drizframe.model import Exposure, PixelSource

__all__ = ["FitsSource", "constant_shape", "image_of", "image_shape", "restamped"]

#: Pixels from which an image is read in pieces, and rows of these.
LARGE, ROWS = 1 << 20, 256
#: Endings of files that are not packed as a whole.
PLAIN = (".fits", ".fit", ".fts")


def constant_shape(header: Any) -> tuple[int, int] | None:
    """Return rows and columns of an image stored as one number (``NPIX1``, ``NPIX2``, ``PIXVALUE``)."""
    if header.get("NAXIS", 0) == 0 and "NPIX1" in header and "NPIX2" in header and "PIXVALUE" in header:
        return int(header["NPIX2"]), int(header["NPIX1"])
    return None


def image_shape(header: Any) -> tuple[int, int] | None:
    """Return rows and columns of an image of two axes, of a cube of one plane, or of a constant; None for all else.

    Parameters
    ----------
    header : Header
        Of an image.
    """
    axes = header.get("NAXIS", 0)
    if axes == 0:
        return constant_shape(header)
    if axes < 2 or any(header[f"NAXIS{i}"] != 1 for i in range(3, axes + 1)):
        return None
    shape = int(header["NAXIS2"]), int(header["NAXIS1"])
    return shape if min(shape) > 0 else None


def image_of(hdu: Any) -> np.ndarray[Any, Any] | None:
    """Return the image of an extension, native byte order, ``BSCALE`` and ``BZERO`` applied; None if empty.

    Parameters
    ----------
    hdu : astropy image HDU
        A cube of one plane is an image.
    """
    shape = constant_shape(hdu.header)
    if shape is not None:
        return _filled(shape, hdu.header["PIXVALUE"])
    data = hdu.data
    if data is None:
        return None
    plain = np.ascontiguousarray(data, dtype=data.dtype.newbyteorder("="))
    flat = image_shape(hdu.header)
    return plain if flat is None else plain.reshape(flat)


def _filled(shape: tuple[int, int], value: Any) -> np.ndarray[Any, Any]:
    """Return an image of one number, in the smaller types."""
    whole = isinstance(value, int) and not isinstance(value, bool)
    if not whole and not isinstance(value, float):
        msg = f"PIXVALUE is {value!r}; it must be a number"
        raise ValueError(msg)
    return np.full(shape, value, dtype=np.min_scalar_type(value) if whole else np.float32)


def _flags(image: np.ndarray[Any, Any], where: str) -> np.ndarray[Any, Any]:
    """Return data-quality flags as whole numbers."""
    if image.dtype.kind in "iu":
        return image
    whole = (
        image.astype(np.int64) if np.isfinite(image).all() and np.abs(image).max(initial=0) < 2**53 else None
    )
    if whole is None or not np.array_equal(whole, image):
        msg = f"{where}: data-quality flags must be whole numbers, but it holds decimals. Get the file again."
        raise InputError(msg)
    return whole


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

    @property
    def paths(self) -> tuple[str, ...]:
        """The files that it reads."""
        return tuple(dict.fromkeys(path for path, _, _ in self.places.values()))

    def __call__(self, kind: str) -> np.ndarray[Any, Any] | None:
        """Return the image of that kind, native byte order, or None if the file has none."""
        place = self.places.get(kind)
        if place is None:
            return None
        path, index, plane = place
        where = f"{path}[{index}]"
        with open_fits(path, self.stamps.get(path)) as hdus, sound(where):
            image = self._read(hdus, index, plane, path)
        return _flags(image, where) if kind == "dq" and image is not None else image

    def rows(self, kind: str, first: int, stop: int) -> np.ndarray[Any, Any] | None:
        """Return rows of the image of that kind, as `__call__` does of all; None where only the whole can be read.

        Parameters
        ----------
        kind : str
            Kind of the image.
        first, stop : int
            The first row, and the one after the last.
        """
        path, index, plane = self.places.get(kind, ("", 0, -1))
        if plane >= 0 or Path(path).suffix.lower() not in PLAIN:
            return None
        where = f"{path}[{index}]"
        with open_fits(path, self.stamps.get(path)) as hdus, sound(where):
            part = self._rows(hdus, index, first, stop, path)
        return _flags(part, where) if kind == "dq" and part is not None else part

    def check(self) -> None:
        """Raise `InputError` if a file is not what it was when its headers were read."""
        for path, now in stamps_of(self.stamps).items():
            check_unchanged(Path(path), now, self.stamps[path])

    def _read(self, hdus: HDUList, index: int, plane: int, path: str) -> np.ndarray[Any, Any] | None:
        hdu = hdus[index]
        readable_again(hdu.header, f"{path}[{index}]", "image", self.stamps.get(path))
        if plane < 0:
            whole = self._in_pieces(hdus, index, path)
            return image_of(hdu) if whole is None else whole
        cube = hdu.data
        flat = cube.reshape(-1, *cube.shape[-2:])
        return np.ascontiguousarray(flat[plane], dtype=cube.dtype.newbyteorder("="))

    def _in_pieces(self, hdus: HDUList, index: int, path: str) -> np.ndarray[Any, Any] | None:
        """Return a large image of two axes, read in pieces, so that it is not in memory twice; None for all others."""
        header, out = hdus[index].header, None
        if header.get("NAXIS") != 2 or Path(path).suffix.lower() not in PLAIN:
            return None
        ny, nx = header["NAXIS2"], header["NAXIS1"]
        if ny * nx < LARGE:
            return None
        for first in range(0, ny, ROWS):
            part = self._rows(hdus, index, first, min(first + ROWS, ny), path)
            if part is None:
                return None
            if out is None:
                out = np.empty((ny, nx), dtype=part.dtype)
            out[first : first + ROWS] = part
        return out

    def _rows(
        self, hdus: HDUList, index: int, first: int, stop: int, path: str
    ) -> np.ndarray[Any, Any] | None:
        """Return rows of an extension that holds an image of two axes as it is; None if it is packed, a cube or a constant."""
        from astropy.io.fits import CompImageHDU

        hdu = hdus[index]
        if isinstance(hdu, CompImageHDU) or hdu.header.get("NAXIS") != 2:
            return None
        readable_again(hdu.header, f"{path}[{index}]", "image", self.stamps.get(path))
        part = hdu.section[first:stop]
        return np.ascontiguousarray(part, dtype=part.dtype.newbyteorder("="))


def _restamped(source: PixelSource) -> PixelSource:
    if isinstance(source, ScaledSource):
        return dataclasses.replace(source, source=_restamped(source.source))
    return (
        dataclasses.replace(source, stamps=stamps_of(source.stamps))
        if isinstance(source, FitsSource)
        else source
    )


def restamped(exposures: Sequence[Exposure]) -> tuple[Exposure, ...]:
    """Return exposures whose files are taken as they are now: those who edited them know what they did.

    Parameters
    ----------
    exposures : sequence of Exposure
        As read before.
    """
    return tuple(
        e.with_chips([dataclasses.replace(c, load=_restamped(c.load)) for c in e.chips]) for e in exposures
    )
